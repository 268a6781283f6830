//! The notations.

use super::numbers::{tai64n, time_only};
use super::parts::{Clocked, civil_at, clock, digits, finish, month_name, offset, one_or_two};
use whyline_event::Stamp;
use whyline_event::stamp::NANOS;

/// A stamp and the number of bytes it takes.
pub type Found = Option<(Stamp, usize)>;

/// The stamp at the beginning of a text, in any notation.
///
/// Brackets and quotes are the caller's business. Epoch numbers are not tried here, since any number would do; see [`super::epoch`].
pub fn prefix(text: &str) -> Found {
    let b = text.as_bytes();
    let first = *b.first()?;
    if first.is_ascii_digit() {
        if !begins_like_one(b) {
            return None;
        }
        return iso(text)
            .or_else(|| clf(text))
            .or_else(|| slash(text))
            .or_else(|| day_first(text))
            .or_else(|| month_day(text))
            .or_else(|| compact(text))
            .or_else(|| time_only(text));
    }
    if first == b'@' {
        return tai64n(text);
    }
    if first.is_ascii_alphabetic() {
        return syslog(text).or_else(|| weekday(text)).or_else(|| glog(text).map(|(s, n, _)| (s, n)));
    }
    None
}

/// Whether digits at the beginning of a text are as many as a notation has there, with a sign behind them that it has. Most numbers are no
/// stamps, and none of the notations needs to be tried on them.
fn begins_like_one(b: &[u8]) -> bool {
    let run = b.iter().take(15).take_while(|c| c.is_ascii_digit()).count();
    match (run, b.get(run)) {
        (1 | 2, Some(b'/' | b'-' | b'.' | b':' | b' ')) | (4, Some(b'-' | b'/' | b'.')) => true,
        // Without signs between year, month and day; what follows is seen to by the notation.
        (6 | 8 | 14, _) => true,
        _ => false,
    }
}

/// RFC 3339 and its cousins: `2026-11-21T10:02:08.123+01:00`, with a blank for the `T`, a comma before the fraction, any or no
/// zone, `/` or `.` for `-`, a blank-padded hour (MySQL), `-` between date and time.
pub fn iso(text: &str) -> Found {
    super::fixed::rfc3339(text).or_else(|| iso_careful(text))
}

pub(super) fn iso_careful(text: &str) -> Found {
    let b = text.as_bytes();
    let year = digits(b, 0, 4)?;
    let sep = *b.get(4)?;
    if !matches!(sep, b'-' | b'/' | b'.') || b.get(7) != Some(&sep) {
        return None;
    }
    let (month, day) = (digits(b, 5, 2)?, digits(b, 8, 2)?);
    let at = match (b.get(10)?, b.get(11)?) {
        (b'T' | b't' | b'_' | b'-', _) => 11,
        (b' ', b' ') if b.get(12).is_some_and(u8::is_ascii_digit) && b.get(13) == Some(&b':') => 11,
        (b' ', b'-') if b.get(12) == Some(&b' ') => 13,
        (b' ', _) => 11,
        (b',', b' ') => 12,
        _ => return None,
    };
    let clock = match clock(b, at) {
        Some(clock) => clock,
        None if b.get(10) == Some(&b'-') => dotted_clock(b, at)?,
        None => return None,
    };
    finish(civil_at(year, month, day, &clock)?, &clock, b, true)
}

/// `HH.MM.SS.ffffff`, as IBM's systems write the time; an offset in minutes may follow and is read by nobody else.
fn dotted_clock(b: &[u8], at: usize) -> Option<Clocked> {
    if b.get(at + 2) != Some(&b'.') || b.get(at + 5) != Some(&b'.') || b.get(at + 8) != Some(&b'.') {
        return None;
    }
    let (hour, minute, second) = (digits(b, at, 2)?, digits(b, at + 3, 2)?, digits(b, at + 6, 2)?);
    let micros = digits(b, at + 9, 6)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(Clocked { hour, minute, second, nanos: micros * 1000, digits: 6, end: at + 15 })
}

/// Common Log Format: `21/Nov/2026:10:39:18 +0100`, with an optional fraction and an optional zone; also a blank between
/// date and time.
pub fn clf(text: &str) -> Found {
    let b = text.as_bytes();
    let (day, n) = one_or_two(b, 0)?;
    let sep = *b.get(n)?;
    if !matches!(sep, b'/' | b'-' | b' ') {
        return None;
    }
    let (month, m) = month_name(text.get(n + 1..)?)?;
    let mut at = n + 1 + m;
    if b.get(at) != Some(&sep) {
        return None;
    }
    let year = digits(b, at + 1, 4)?;
    at += 5;
    if b.get(at) == Some(&b',') {
        at += 1;
    }
    if !matches!(b.get(at), Some(b':' | b' ' | b'T')) {
        return None;
    }
    let clock = clock(b, at + 1)?;
    let when = civil_at(year, month, day, &clock)?;
    // 12-hour clocks.
    if let Some(half) = b.get(clock.end..clock.end + 3).filter(|h| h[0] == b' ' && matches!(h[1] | 32, b'a' | b'p') && h[2] | 32 == b'm') {
        let hour = match (half[1].to_ascii_lowercase(), clock.hour) {
            (b'a', 12) => 0,
            (b'p', h) if h < 12 => h + 12,
            (_, h) => h,
        };
        let clock = Clocked { hour, end: clock.end + 3, ..clock };
        return finish(civil_at(year, month, day, &clock)?, &clock, b, true);
    }
    finish(when, &clock, b, true)
}

/// `10/21/2026 10:39:18` (month first, or day first where the first number cannot be a month), `21-10-2026 10:39:18` and
/// `21.10.2026 10:39:18` (day first), two- or four-digit years, optional `AM`/`PM`, `10/21/2026:10:39:18 GMT` (Citrix ADC), and
/// two-digit-year-first `26/11/21 10:39:18` (Hadoop, Spark).
pub fn slash(text: &str) -> Found {
    let b = text.as_bytes();
    let (a, n) = one_or_two(b, 0)?;
    let sep = *b.get(n)?;
    if !matches!(sep, b'/' | b'.' | b'-') {
        return None;
    }
    let (c, m) = one_or_two(b, n + 1)?;
    let at = n + 1 + m;
    if b.get(at) != Some(&sep) {
        return None;
    }
    let (year, month, day, mut at) = if let Some(year) = digits(b, at + 1, 4) {
        // With slashes most programs write the month first; with dots and dashes hardly any does.
        let (month, day) = if a > 12 || sep != b'/' && c <= 12 { (c, a) } else { (a, c) };
        (year, month, day, at + 5)
    } else {
        let last = digits(b, at + 1, 2)?;
        if a > 12 && sep == b'/' && c <= 12 { (2000 + a, c, last, at + 3) } else { (2000 + last, a, c, at + 3) }
    };
    if b.get(at) == Some(&b',') {
        at += 1;
    }
    if !matches!(b.get(at), Some(b' ' | b'T' | b'-' | b':')) {
        return None;
    }
    while b.get(at) == Some(&b' ') && b.get(at + 1) == Some(&b' ') {
        at += 1;
    }
    let mut clock = clock(b, at + 1)?;
    if let Some(half) = b.get(clock.end..clock.end + 3).filter(|h| h[0] == b' ' && matches!(h[1] | 32, b'a' | b'p') && h[2] | 32 == b'm') {
        clock.hour = match (half[1].to_ascii_lowercase(), clock.hour) {
            (b'a', 12) => 0,
            (b'p', h) if h < 12 => h + 12,
            (_, h) => h,
        };
        clock.end += 3;
    }
    finish(civil_at(year, month, day, &clock)?, &clock, b, true)
}

/// `21 Nov 2026 10:06:18.075` (Redis); [`clf`] reads it, this adds the form without a year (`05 May 12:07:29.100`).
fn day_first(text: &str) -> Found {
    let b = text.as_bytes();
    let (day, n) = one_or_two(b, 0)?;
    if b.get(n) != Some(&b' ') {
        return None;
    }
    let (month, m) = month_name(text.get(n + 1..)?)?;
    let at = n + 1 + m;
    if b.get(at) != Some(&b' ') {
        return None;
    }
    let clock = clock(b, at + 1)?;
    let stamp = Stamp::no_year(month, day, (clock.hour, clock.minute, clock.second), clock.nanos, clock.digits)?;
    Some((stamp, clock.end))
}

/// Month and day without a year: `11-21 10:06:18.075` (Android's logcat, FreeSWITCH). A fraction must follow.
fn month_day(text: &str) -> Found {
    let b = text.as_bytes();
    let (month, day) = (digits(b, 0, 2)?, digits(b, 3, 2)?);
    if b.get(2) != Some(&b'-') || b.get(5) != Some(&b' ') {
        return None;
    }
    let clock = clock(b, 6).filter(|clock| clock.digits > 0)?;
    let stamp = Stamp::no_year(month, day, (clock.hour, clock.minute, clock.second), clock.nanos, clock.digits)?;
    Some((stamp, clock.end))
}

/// Compact forms: `20261121T103918Z`, `20261121 10:39:18`, `261121 10:39:18` (old MySQL), `20261121-10:39:18.123`.
pub fn compact(text: &str) -> Found {
    let b = text.as_bytes();
    let run = b.iter().take_while(|c| c.is_ascii_digit()).count();
    let (year, month, day, at) = match run {
        8 => (digits(b, 0, 4)?, digits(b, 4, 2)?, digits(b, 6, 2)?, 8),
        6 => (2000 + digits(b, 0, 2)?, digits(b, 2, 2)?, digits(b, 4, 2)?, 6),
        14 => {
            let clock =
                Clocked { hour: digits(b, 8, 2)?, minute: digits(b, 10, 2)?, second: digits(b, 12, 2)?, nanos: 0, digits: 0, end: 14 };
            let year = digits(b, 0, 4)?;
            if !(1970..2100).contains(&year) {
                return None;
            }
            return finish(civil_at(year, digits(b, 4, 2)?, digits(b, 6, 2)?, &clock)?, &clock, b, true);
        }
        _ => return None,
    };
    if run == 8 && !(1970..2100).contains(&year) {
        return None;
    }
    let sep = *b.get(at)?;
    if !matches!(sep, b'T' | b' ' | b'-' | b'_') {
        return None;
    }
    let clock = match clock(b, at + 1) {
        Some(clock) => clock,
        None if matches!(sep, b'T' | b'-' | b'_' | b' ') => {
            let mut clock = Clocked {
                hour: digits(b, at + 1, 2)?,
                minute: digits(b, at + 3, 2)?,
                second: digits(b, at + 5, 2)?,
                nanos: 0,
                digits: 0,
                end: at + 7,
            };
            if clock.hour > 23 || clock.minute > 59 || clock.second > 60 || b.get(clock.end).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            if matches!(b.get(clock.end), Some(b'.' | b',')) {
                let mut scale = NANOS;
                let mut p = clock.end + 1;
                while let Some(c) = b.get(p).filter(|c| c.is_ascii_digit()) {
                    scale /= 10;
                    clock.nanos += i64::from(c - b'0') * scale;
                    clock.digits = (clock.digits + 1).min(9);
                    p += 1;
                }
                clock.end = p;
            }
            clock
        }
        None => return None,
    };
    finish(civil_at(year, month, day, &clock)?, &clock, b, true)
}

/// RFC 3164: `Nov 21 10:30:01`, `Nov  1 10:30:01`, also with a year after the day or the time (`Nov 21 2026 10:30:01`,
/// `Nov 21 10:30:01 2026`, `Nov 21, 2026 10:30:01 AM`), with a fraction or a zone.
pub fn syslog(text: &str) -> Found {
    super::fixed::syslog(text).or_else(|| syslog_careful(text))
}

pub(super) fn syslog_careful(text: &str) -> Found {
    let b = text.as_bytes();
    let (month, m) = month_name(text)?;
    let mut at = m;
    if b.get(at) == Some(&b'.') {
        at += 1;
    }
    if b.get(at) != Some(&b' ') {
        return None;
    }
    at += 1;
    let (day, n) = one_or_two(b, at)?;
    at += n;
    if b.get(at) == Some(&b',') {
        at += 1;
    }
    if b.get(at) != Some(&b' ') {
        return None;
    }
    at += 1;
    if b.get(at) == Some(&b' ') && b.get(at + 2) != Some(&b':') {
        at += 1;
    }
    let (year, mut clock) = match digits(b, at, 4).filter(|_| matches!(b.get(at + 4), Some(b' ' | b':' | b','))) {
        Some(year) => {
            let skip = if b.get(at + 4) == Some(&b',') { 6 } else { 5 };
            (Some(year), clock(b, at + skip)?)
        }
        None => (None, clock(b, at)?),
    };
    half_of_day(b, &mut clock);
    if let Some(year) = year {
        return finish(civil_at(year, month, day, &clock)?, &clock, b, true);
    }
    // The year last, as asctime writes it, perhaps after the zone (date(1)).
    if b.get(clock.end) == Some(&b' ') {
        let zone = offset(b, clock.end + 1);
        let at = clock.end + 1 + zone.map_or(0, |(_, n)| n + 1);
        if let Some(year) =
            digits(b, at, 4).filter(|y| (1970..2100).contains(y) && !b.get(at + 4).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b':'))
        {
            let when = civil_at(year, month, day, &clock)?;
            let stamp = match zone {
                Some((seconds, _)) => Stamp::with_offset(when, clock.nanos, seconds, clock.digits)?,
                None => Stamp::civil(when, clock.nanos, clock.digits)?,
            };
            return Some((stamp, at + 4));
        }
    }
    let stamp = Stamp::no_year(month, day, (clock.hour, clock.minute, clock.second), clock.nanos, clock.digits)?;
    Some((stamp, clock.end))
}

/// Takes `AM` or `PM` behind a time into account.
fn half_of_day(b: &[u8], clock: &mut Clocked) {
    // The narrow blank is of newer Java.
    let gap = match b.get(clock.end) {
        Some(b' ') => 1,
        Some(0xe2) if b.get(clock.end + 1..clock.end + 3) == Some(&[0x80, 0xaf]) => 3,
        _ => 0,
    };
    if let Some(half) = b
        .get(clock.end + gap..clock.end + gap + 2)
        .filter(|h| gap > 0 && h[1].eq_ignore_ascii_case(&b'm') && matches!(h[0].to_ascii_lowercase(), b'a' | b'p'))
    {
        clock.hour = match (half[0].to_ascii_lowercase(), clock.hour) {
            (b'a', 12) => 0,
            (b'p', h) if h < 12 => h + 12,
            (_, h) => h,
        };
        clock.end += gap + 2;
    }
}

/// A weekday first: `Sat Nov 21 10:30:01 2026`, `Sat Nov 21 10:30:01.123456 2026` (Apache), `Sat, 21 Nov 2026 10:30:01 +0000`.
fn weekday(text: &str) -> Found {
    let b = text.as_bytes();
    let short: &[u8; 3] = b.first_chunk()?;
    if !matches!(&short.map(|c| c.to_ascii_lowercase()), b"mon" | b"tue" | b"wed" | b"thu" | b"fri" | b"sat" | b"sun") {
        return None;
    }
    let n = b.iter().take(10).take_while(|c| c.is_ascii_alphabetic()).count();
    let mut at = n;
    if b.get(at) == Some(&b',') {
        at += 1;
    }
    if b.get(at) != Some(&b' ') {
        return None;
    }
    at += 1;
    let rest = text.get(at..)?;
    let (stamp, used) = syslog(rest).or_else(|| clf(rest)).or_else(|| iso(rest))?;
    Some((stamp, at + used))
}

/// glog and klog: `I1121 10:30:01.123456`, and with the year that newer ones write, `I20261121 10:30:01.123456`. Returns the
/// level letter as well.
pub fn glog(text: &str) -> Option<(Stamp, usize, u8)> {
    let b = text.as_bytes();
    let level = *b.first()?;
    if !matches!(level, b'I' | b'W' | b'E' | b'F' | b'D') {
        return None;
    }
    if let Some(year) = digits(b, 1, 4).filter(|y| (1970..2100).contains(y) && b.get(9) == Some(&b' ')) {
        let clock = clock(b, 10).filter(|clock| clock.digits > 0)?;
        let when = civil_at(year, digits(b, 5, 2)?, digits(b, 7, 2)?, &clock)?;
        return Some((Stamp::civil(when, clock.nanos, clock.digits)?, clock.end, level));
    }
    // CockroachDB: two digits of the year.
    if let (Some(year), Some(b' ')) = (digits(b, 1, 2), b.get(7)) {
        let clock = clock(b, 8).filter(|clock| clock.digits > 0)?;
        let when = civil_at(2000 + year, digits(b, 3, 2)?, digits(b, 5, 2)?, &clock)?;
        return Some((Stamp::civil(when, clock.nanos, clock.digits)?, clock.end, level));
    }
    let (month, day) = (digits(b, 1, 2)?, digits(b, 3, 2)?);
    if b.get(5) != Some(&b' ') {
        return None;
    }
    let clock = clock(b, 6)?;
    if clock.digits == 0 {
        return None;
    }
    let stamp = Stamp::no_year(month, day, (clock.hour, clock.minute, clock.second), clock.nanos, clock.digits)?;
    Some((stamp, clock.end, level))
}

#[cfg(test)]
mod tests {
    use super::super::epoch;
    use super::*;
    use whyline_event::stamp::{Clock, rfc3339};

    fn read(text: &str) -> String {
        let (stamp, used) = prefix(text).unwrap_or_else(|| panic!("no stamp in {text:?}"));
        let near = whyline_event::stamp::civil_nanos(jiff::civil::date(2026, 11, 21).at(12, 0, 0, 0));
        let clock = Clock { near, ..Clock::default() };
        format!("{} {:?} {}", rfc3339(clock.instant(&stamp), stamp.digits), stamp.form, &text[used..])
    }

    #[test]
    fn notations() {
        for (text, want) in [
            ("2026-11-21T10:02:08+01:00 x", "2026-11-21T09:02:08Z Explicit  x"),
            ("2026-11-21 10:26:28.402 [pool", "2026-11-21T10:26:28.402Z Civil  [pool"),
            ("2026-11-21 10:38:19,966 INFO", "2026-11-21T10:38:19.966Z Civil  INFO"),
            ("2026-11-21  3:02:21 0 [Note]", "2026-11-21T03:02:21Z Civil  0 [Note]"),
            ("2026/11/20 21:05:42 [error]", "2026-11-20T21:05:42Z Civil  [error]"),
            ("2026-11-21 11:29:40.859 CET [3929]", "2026-11-21T10:29:40.859Z Explicit  [3929]"),
            ("21/Nov/2026:10:39:18 +0100] x", "2026-11-21T09:39:18Z Explicit ] x"),
            ("21 Nov 2026 10:06:18.075 * B", "2026-11-21T10:06:18.075Z Civil  * B"),
            ("Nov 21 11:33:55 host", "2026-11-21T11:33:55Z NoYear  host"),
            ("Nov  1 11:33:55 host", "2026-11-01T11:33:55Z NoYear  host"),
            ("Sat Nov 21 10:30:01.123456 2026] [", "2026-11-21T10:30:01.123456Z Civil ] ["),
            ("Sat, 21 Nov 2026 10:30:01 +0000", "2026-11-21T10:30:01Z Explicit "),
            ("E1121 10:30:01.123456   7 x.go:1]", "2026-11-21T10:30:01.123456Z NoYear    7 x.go:1]"),
            ("11/21/2026 10:39:18 PM x", "2026-11-21T22:39:18Z Civil  x"),
            ("26/11/21 10:39:18 INFO", "2026-11-21T10:39:18Z Civil  INFO"),
            ("261121 10:39:18 [Note]", "2026-11-21T10:39:18Z Civil  [Note]"),
            ("20261121T103918.5Z x", "2026-11-21T10:39:18.5Z Explicit  x"),
            ("Nov 21, 2026 10:30:01 AM org", "2026-11-21T10:30:01Z Civil  org"),
            ("2026-11-21-10.39.18.250000 x", "2026-11-21T10:39:18.250000Z Civil  x"),
            ("2026/11/21 - 10:39:18 | x", "2026-11-21T10:39:18Z Civil  | x"),
            ("@400000006b016baa1dcd6500 x", "2026-11-21T10:00:00.500000000Z Explicit  x"),
            ("I20261121 10:30:01.123456 x", "2026-11-21T10:30:01.123456Z Civil  x"),
            ("I261121 10:30:01.123456 x", "2026-11-21T10:30:01.123456Z Civil  x"),
            ("20261121-10:30:01:250|x", "2026-11-21T10:30:01.250Z Civil |x"),
            ("11-21 10:30:01.250 x", "2026-11-21T10:30:01.250Z NoYear  x"),
            ("03-07-2026 23:07:20 x", "2026-07-03T23:07:20Z Civil  x"),
            ("11/21/2026:10:39:18 GMT x", "2026-11-21T10:39:18Z Explicit  x"),
            ("11/21/26, 10:39:18 PM x", "2026-11-21T22:39:18Z Civil  x"),
            ("10:30:01.5 x", "2026-11-21T10:30:01.5Z TimeOnly  x"),
        ] {
            assert_eq!(read(text), want, "{text}");
        }
        for no in ["hello", "12345", "2026-13-01 00:00:00", "1.2.3.4 - -", "May be", "10.0.0.1:8080"] {
            assert!(prefix(no).is_none(), "{no}");
        }
    }

    #[test]
    fn epochs() {
        let show = |t: &str| epoch(t).map(|(s, n)| (rfc3339(s.nanos, s.digits), n));
        assert_eq!(show("1795255001968"), Some(("2026-11-21T09:56:41.968Z".into(), 13)));
        assert_eq!(show("1795255001.25"), Some(("2026-11-21T09:56:41.25Z".into(), 13)));
        assert_eq!(show("42"), None);
    }
}
