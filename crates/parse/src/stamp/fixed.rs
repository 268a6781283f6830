//! Notations of a fixed width, read at one look: the stamps that most lines of most logs carry.
//!
//! Each reads only the usual form of its notation and leaves everything else to [`super::notation`], which says the same of it.

use std::cell::Cell;
use whyline_event::Stamp;
use whyline_event::stamp::{NANOS, civil_seconds};

thread_local! {
    /// The last text of [`common_log`] and what it says: most lines follow one of the same second.
    static LAST: Cell<([u8; 26], Option<Stamp>)> = const { Cell::new(([0; 26], None)) };
    /// The same for [`syslog`].
    static LAST_SYSLOG: Cell<([u8; 15], Option<Stamp>)> = const { Cell::new(([0; 15], None)) };
    /// The same for date and time of day of [`rfc3339`].
    static LAST_CIVIL: Cell<([u8; 19], i64)> = const { Cell::new(([0; 19], 0)) };
}

/// `21/Nov/2026:10:39:18 +0100` and nothing more.
#[inline]
pub fn common_log(text: &str) -> Option<Stamp> {
    let b: &[u8; 26] = text.as_bytes().try_into().ok()?;
    let (last, stamp) = LAST.get();
    if last == *b {
        return stamp;
    }
    let stamp = fresh_common_log(b);
    LAST.set((*b, stamp));
    stamp
}

fn fresh_common_log(b: &[u8; 26]) -> Option<Stamp> {
    if b[2] != b'/' || b[6] != b'/' || b[11] != b':' || b[14] != b':' || b[17] != b':' || b[20] != b' ' {
        return None;
    }
    let month = month([b[3], b[4], b[5]])?;
    // What is no digit is found at the end, all at once.
    let mut odd = 0u8;
    let mut two = |at: usize| {
        let (tens, ones) = (b[at].wrapping_sub(b'0'), b[at + 1].wrapping_sub(b'0'));
        odd |= u8::from(tens > 9) | u8::from(ones > 9);
        i64::from(tens) * 10 + i64::from(ones)
    };
    let (year, day) = (two(7) * 100 + two(9), two(0));
    let of_day = (two(12), two(15), two(18));
    let (hours, minutes) = (two(22), two(24));
    let sign = match b[21] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if odd != 0 || hours > 15 || minutes > 59 {
        return None;
    }
    let offset = sign * (hours * 3600 + minutes * 60);
    let seconds = civil_seconds((year, month, day), of_day)?;
    Some(Stamp::explicit((seconds - offset) * NANOS, offset as i32, 0))
}

fn month(name: [u8; 3]) -> Option<i64> {
    Some(match &name {
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
    })
}

/// `Nov  1 10:30:01 host`: the stamp of RFC 3164 with its blank behind it, where what follows is neither a year nor a zone nor half of a
/// day. Returns the bytes it takes.
#[inline]
pub fn syslog(text: &str) -> Option<(Stamp, usize)> {
    let b = text.as_bytes();
    let head: &[u8; 15] = b.first_chunk()?;
    let behind: &[u8; 5] = b.get(15..)?.first_chunk()?;
    let plain = match behind[1] {
        b'a' | b'p' => !behind[2].eq_ignore_ascii_case(&b'm'),
        b'b'..=b'y' => true,
        b'0'..=b'9' => !behind[2..].iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if behind[0] != b' ' || !plain {
        return None;
    }
    let (last, stamp) = LAST_SYSLOG.get();
    let stamp = if last == *head {
        stamp
    } else {
        let stamp = fresh_syslog(head);
        LAST_SYSLOG.set((*head, stamp));
        stamp
    };
    stamp.map(|stamp| (stamp, 15))
}

fn fresh_syslog(b: &[u8; 15]) -> Option<Stamp> {
    if b[3] != b' ' || b[6] != b' ' || b[9] != b':' || b[12] != b':' {
        return None;
    }
    let tens = if b[4] == b' ' { b'0' } else { b[4] };
    let (day, hour, minute, second) = (two(tens, b[5])?, two(b[7], b[8])?, two(b[10], b[11])?, two(b[13], b[14])?);
    Stamp::no_year(month([b[0], b[1], b[2]])?, day, (hour, minute, second), 0, 0)
}

/// RFC 3339 in its usual form: `2026-11-21T10:02:08Z`, with up to nine digits after a dot or a comma, a blank for the `T`, and a
/// zone of `Z`, `+01:00` or none (at the end of the text or before a blank, quote or bracket). Returns the bytes it takes.
pub fn rfc3339(text: &str) -> Option<(Stamp, usize)> {
    let b = text.as_bytes();
    let head: &[u8; 19] = b.get(..19)?.try_into().ok()?;
    if head[4] != b'-' || head[7] != b'-' || !matches!(head[10], b'T' | b' ') || head[13] != b':' || head[16] != b':' {
        return None;
    }
    let (last, known) = LAST_CIVIL.get();
    let seconds = if last == *head {
        known
    } else {
        let two = |at: usize| two(head[at], head[at + 1]);
        let seconds = civil_seconds((two(0)? * 100 + two(2)?, two(5)?, two(8)?), (two(11)?, two(14)?, two(17)?))?;
        LAST_CIVIL.set((*head, seconds));
        seconds
    };
    let (mut nanos, mut digits, mut at) = (0i64, 0u8, 19);
    if matches!(b.get(19), Some(b'.' | b',')) {
        at = 20;
        while let Some(c) = b.get(at).filter(|c| c.is_ascii_digit()) {
            nanos = nanos * 10 + i64::from(c - b'0');
            digits += 1;
            at += 1;
            if digits > 9 {
                return None;
            }
        }
        if digits == 0 {
            return None;
        }
        for _ in digits..9 {
            nanos *= 10;
        }
    }
    let ends = |at: usize| matches!(b.get(at), None | Some(b'"' | b']'));
    if ends(at) {
        return Some((Stamp::civil(seconds, nanos, digits)?, at));
    }
    if b.get(at) == Some(&b'Z') && (ends(at + 1) || b.get(at + 1) == Some(&b' ')) {
        return Some((Stamp::with_offset(seconds, nanos, 0, digits)?, at + 1));
    }
    let zone: &[u8; 6] = b.get(at..at + 6)?.try_into().ok()?;
    let sign = match zone[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (self::two(zone[1], zone[2])?, self::two(zone[4], zone[5])?);
    if zone[3] != b':' || hours > 15 || minutes > 59 || !(ends(at + 6) || b.get(at + 6) == Some(&b' ')) {
        return None;
    }
    Some((Stamp::with_offset(seconds, nanos, sign * (hours * 3600 + minutes * 60) as i32, digits)?, at + 6))
}

fn two(a: u8, b: u8) -> Option<i64> {
    (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
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

    proptest! {
        /// The same for RFC 3339.
        #[test]
        fn rfc3339_is_what_the_notation_says(
            year in 1690u32..2210, month in 0u32..14, day in 0u32..33, sep in "[T _]", hour in 0u32..25, minute in 0u32..61,
            second in 0u32..62, fraction in "|[.,:][0-9]{0,11}", zone in "|Z|[+-][01][0-9]:?[0-6][0-9]| UTC|Z0|CET",
            rest in "|\"| x|]|7",
        ) {
            let text = format!("{year}-{month:02}-{day:02}{sep}{hour:02}:{minute:02}:{second:02}{fraction}{zone}{rest}");
            if let Some(found) = rfc3339(&text) {
                prop_assert_eq!(Some(found), stamp::general_iso(&text), "{}", text);
            }
        }
    }

    proptest! {
        /// The same for syslog's.
        #[test]
        fn syslog_is_what_the_notation_says(
            month in 0..13usize, day in "[ 0-3][0-9]", hour in 0u32..25, minute in 0u32..61, second in 0u32..62,
            rest in " (web1 x|am x|amber|pM x|10\\.0\\.0\\.1|2026 x|2026|UTC 2026|z 2026|[0-9]{1,5} x|[a-z0-9 +-]{0,7})|[.:][0-9]{0,7}",
        ) {
            let text = format!("{} {day} {hour:02}:{minute:02}:{second:02}{rest}", MONTHS[month]);
            if let Some(found) = syslog(&text) {
                prop_assert_eq!(Some(found), stamp::general_syslog(&text), "{}", text);
            }
        }
    }

    proptest! {
        /// Numbers that are turned away are no stamps.
        #[test]
        fn what_begins_like_no_stamp_is_none(text in "[0-9]{1,16}[-/.: T,_xN][0-9]{0,4}[-/.: T][0-9]{0,4}[-/.: T]?[0-9:. ]{0,14}") {
            let tried = stamp::iso(&text).or_else(|| stamp::clf(&text)).or_else(|| stamp::slash(&text)).or_else(|| stamp::compact(&text));
            let tried = tried.or_else(|| stamp::time_only(&text));
            prop_assert!(tried.is_none() || stamp::prefix(&text).is_some(), "{}", text);
        }
    }

    #[test]
    fn the_usual_form_is_read() {
        for text in ["2026-11-21T10:02:08.123Z", "2026-11-21 10:02:08,123+01:00", "2026-11-21 10:02:08"] {
            assert_eq!(rfc3339(text), stamp::general_iso(text), "{text}");
        }
        let text = "21/Nov/2026:10:39:18 +0100";
        assert_eq!(common_log(text), stamp::clf(text).map(|(stamp, _)| stamp));
        assert!(common_log("29/Feb/2024:23:59:59 +0000").is_some() && common_log("29/Feb/2026:23:59:59 +0000").is_none());
    }
}
