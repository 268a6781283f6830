//! Notations of a fixed width, read at one look: the stamps that most lines of most logs carry.
//!
//! Each reads only the usual form of its notation and leaves everything else to [`super::notation`], which says the same of it.

use whyline_event::Stamp;
use whyline_event::stamp::NANOS;

/// `21/Nov/2026:10:39:18 +0100` and nothing more.
pub fn common_log(text: &str) -> Option<Stamp> {
    let b: &[u8; 26] = text.as_bytes().try_into().ok()?;
    if b[2] != b'/' || b[6] != b'/' || b[11] != b':' || b[14] != b':' || b[17] != b':' || b[20] != b' ' {
        return None;
    }
    let month = match &b[3..6] {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    };
    let two = |at: usize| two(b[at], b[at + 1]);
    let seconds = civil(two(7)? * 100 + two(9)?, month, two(0)?, two(12)?, two(15)?, two(18)?)?;
    let (hours, minutes) = (two(22)?, two(24)?);
    let sign = match b[21] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if hours > 15 || minutes > 59 {
        return None;
    }
    let offset = sign * (hours * 3600 + minutes * 60);
    Some(Stamp::explicit((seconds - offset) * NANOS, offset as i32, 0))
}

fn two(a: u8, b: u8) -> Option<i64> {
    (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
}

/// Seconds of a civil time, as if in UTC. `None` for what is no time of the calendar, and for leap seconds.
///
/// Days are counted as in Howard Hinnant's `days_from_civil` (chrono-compatible low-level date algorithms).
fn civil(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1700..2200).contains(&year) || day < 1 || day > last || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp;
    use proptest::prelude::*;

    const MONTHS: [&str; 13] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Dez"];

    proptest! {
        /// What is read here is what the general reader says.
        #[test]
        fn common_log_is_what_the_notation_says(
            day in 0u32..33, month in 0..13usize, year in 1690u32..2210, hour in 0u32..25, minute in 0u32..61, second in 0u32..62,
            sign in "[+-]", zone in (0u32..17, 0u32..61),
        ) {
            let text = format!("{day:02}/{}/{year}:{hour:02}:{minute:02}:{second:02} {sign}{:02}{:02}", MONTHS[month], zone.0, zone.1);
            if let Some(found) = common_log(&text) {
                prop_assert_eq!(Some((found, text.len())), stamp::clf(&text), "{}", text);
            }
        }
    }

    #[test]
    fn the_usual_form_is_read() {
        let text = "21/Nov/2026:10:39:18 +0100";
        assert_eq!(common_log(text), stamp::clf(text).map(|(stamp, _)| stamp));
        assert!(common_log("29/Feb/2024:23:59:59 +0000").is_some() && common_log("29/Feb/2026:23:59:59 +0000").is_none());
    }
}
