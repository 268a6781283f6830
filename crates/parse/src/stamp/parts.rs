//! The parts that notations are made of: numbers, the time of day, zones, names of months.

use super::notation::Found;
use whyline_event::Stamp;
use whyline_event::stamp::{NANOS, civil_seconds};

pub(super) fn digits(b: &[u8], at: usize, n: usize) -> Option<i64> {
    let part = b.get(at..at + n)?;
    let mut value = 0i64;
    for c in part {
        if !c.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i64::from(c - b'0'))?;
    }
    Some(value)
}

/// One or two digits (or a blank and a digit) at `at`: value and length.
pub(super) fn one_or_two(b: &[u8], at: usize) -> Option<(i64, usize)> {
    match (b.get(at)?, b.get(at + 1)) {
        (b' ', Some(d)) if d.is_ascii_digit() => Some((i64::from(d - b'0'), 2)),
        (c, Some(d)) if c.is_ascii_digit() && d.is_ascii_digit() => Some((i64::from(c - b'0') * 10 + i64::from(d - b'0'), 2)),
        (c, _) if c.is_ascii_digit() => Some((i64::from(c - b'0'), 1)),
        _ => None,
    }
}

pub(super) struct Clocked {
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) nanos: i64,
    pub(super) digits: u8,
    pub(super) end: usize,
}

/// `HH:MM:SS` with an optional fraction after `.` or `,` (also `H:MM:SS`, a blank in place of the leading zero).
pub(super) fn clock(b: &[u8], at: usize) -> Option<Clocked> {
    let (hour, n) = one_or_two(b, at)?;
    let mut end = at + n;
    if b.get(end) != Some(&b':') {
        return None;
    }
    let minute = digits(b, end + 1, 2)?;
    if b.get(end + 3) != Some(&b':') {
        return None;
    }
    let second = digits(b, end + 4, 2)?;
    end += 6;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (mut nanos, mut count) = (0i64, 0u8);
    if matches!(b.get(end), Some(b'.' | b',')) && b.get(end + 1).is_some_and(u8::is_ascii_digit) {
        let mut scale = NANOS;
        let mut at = end + 1;
        while let Some(c) = b.get(at).filter(|c| c.is_ascii_digit()) {
            scale /= 10;
            nanos += i64::from(c - b'0') * scale;
            count = count.saturating_add(1);
            at += 1;
        }
        end = at;
    }
    // IBM's servers and others write a colon before milliseconds.
    if count == 0
        && b.get(end) == Some(&b':')
        && let Some(millis) = digits(b, end + 1, 3)
        && !b.get(end + 4).is_some_and(|c| c.is_ascii_digit() || *c == b':')
    {
        return Some(Clocked { hour, minute, second, nanos: millis * 1_000_000, digits: 3, end: end + 4 });
    }
    Some(Clocked { hour, minute, second, nanos, digits: count.min(9), end })
}

/// Seconds of a date and a time of day, as [`civil_seconds`] counts them.
pub(super) fn civil_at(year: i64, month: i64, day: i64, clock: &Clocked) -> Option<i64> {
    civil_seconds((year, month, day), (clock.hour, clock.minute, clock.second))
}

/// An offset at `at`: `Z`, `+01:00`, `+0100`, `+01`, `UTC`, `GMT`, or an abbreviation with one common meaning.
/// Returns seconds and length.
pub(super) fn offset(b: &[u8], at: usize) -> Option<(i32, usize)> {
    match b.get(at)? {
        b'Z' | b'z' if !b.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) => Some((0, 1)),
        sign @ (b'+' | b'-') => {
            let hours = digits(b, at + 1, 2)?;
            let (minutes, n) = if b.get(at + 3) == Some(&b':') {
                (digits(b, at + 4, 2)?, 6)
            } else if let Some(m) = digits(b, at + 3, 2) {
                (m, 5)
            } else {
                (0, 3)
            };
            if hours > 15 || minutes > 59 || b.get(at + n).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            let seconds = (hours * 3600 + minutes * 60) as i32;
            Some((if *sign == b'-' { -seconds } else { seconds }, n))
        }
        c if c.is_ascii_uppercase() => {
            let n = b[at..].iter().take(6).take_while(|c| c.is_ascii_uppercase()).count();
            if b.get(at + n).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_') {
                return None;
            }
            // Only names that are written by C libraries for one zone in practice; ambiguous ones (IST, CST, BST) stay local.
            let hours = match &b[at..at + n] {
                b"UTC" | b"GMT" | b"WET" | b"UCT" => 0,
                b"CET" | b"WEST" | b"MEZ" => 3600,
                b"CEST" | b"EET" | b"SAST" | b"MESZ" => 7200,
                b"EEST" | b"MSK" => 10800,
                b"JST" | b"KST" => 32400,
                b"AEST" => 36000,
                b"AEDT" => 39600,
                b"NZST" => 43200,
                b"NZDT" => 46800,
                b"EDT" => -14400,
                b"EST" | b"CDT" => -18000,
                b"MDT" => -21600,
                b"MST" | b"PDT" => -25200,
                b"PST" | b"AKDT" => -28800,
                b"HST" => -36000,
                b"HKT" | b"SGT" | b"AWST" => 28800,
                _ => return None,
            };
            Some((hours, n))
        }
        _ => None,
    }
}

pub(super) fn finish(when: i64, clock: &Clocked, b: &[u8], blank_before_zone: bool) -> Found {
    let mut end = clock.end;
    let at = if blank_before_zone && b.get(end) == Some(&b' ') { end + 1 } else { end };
    if let Some((seconds, n)) = offset(b, at) {
        end = at + n;
        return Some((Stamp::with_offset(when, clock.nanos, seconds, clock.digits)?, end));
    }
    Some((Stamp::civil(when, clock.nanos, clock.digits)?, end))
}

/// Whether the first three letters are those of a month's name; letters that are not ASCII are left to the careful look.
fn may_be_month(b: &[u8]) -> bool {
    let Some(head) = b.first_chunk::<3>() else { return false };
    if !head.is_ascii() {
        return true;
    }
    matches!(
        &head.map(|c| c.to_ascii_lowercase()),
        b"jan"
            | b"ene"
            | b"gen"
            | b"feb"
            | b"fev"
            | b"mar"
            | b"mrz"
            | b"apr"
            | b"abr"
            | b"avr"
            | b"may"
            | b"mai"
            | b"mag"
            | b"jun"
            | b"jui"
            | b"giu"
            | b"jul"
            | b"lug"
            | b"aug"
            | b"ago"
            | b"sep"
            | b"set"
            | b"oct"
            | b"okt"
            | b"out"
            | b"ott"
            | b"nov"
            | b"dec"
            | b"dez"
            | b"dic"
    )
}

/// The month that a text begins with, by its English short or full name, or by names of other languages that log files are
/// seen with (German, French, Spanish, Italian, Portuguese). Returns month and length.
pub fn month_name(text: &str) -> Option<(i64, usize)> {
    if !may_be_month(text.as_bytes()) {
        return None;
    }
    let n = text.char_indices().find(|(_, c)| !c.is_alphabetic()).map_or(text.len(), |(i, _)| i);
    if !(3..=12).contains(&n) {
        return None;
    }
    let word = &text[..n];
    let b = word.as_bytes();
    if n == 3 {
        let month = match &[b[0] & 0xdf, b[1] & 0xdf, b[2] & 0xdf] {
            b"JAN" => 1,
            b"FEB" => 2,
            b"MAR" => 3,
            b"APR" => 4,
            b"MAY" | b"MAI" => 5,
            b"JUN" => 6,
            b"JUL" => 7,
            b"AUG" | b"AGO" => 8,
            b"SEP" | b"SET" => 9,
            b"OCT" | b"OKT" | b"OUT" | b"OTT" => 10,
            b"NOV" => 11,
            b"DEC" | b"DEZ" | b"DIC" => 12,
            b"ENE" | b"GEN" => 1,
            b"FEV" => 2,
            b"ABR" | b"AVR" => 4,
            b"MAG" => 5,
            b"GIU" => 6,
            b"LUG" => 7,
            _ => return None,
        };
        return Some((month, 3));
    }
    let low = word.to_lowercase();
    let month = match low.as_str() {
        "january" | "januar" | "janvier" | "enero" | "gennaio" | "janeiro" | "janv" => 1,
        "february" | "februar" | "février" | "febrero" | "febbraio" | "fevereiro" | "févr" => 2,
        "march" | "märz" | "mars" | "marzo" | "março" | "mär" | "mrz" => 3,
        "april" | "avril" | "abril" | "aprile" | "avri" => 4,
        "mayo" | "maggio" | "maio" => 5,
        "june" | "juni" | "juin" | "junio" | "giugno" | "junho" => 6,
        "july" | "juli" | "juillet" | "julio" | "luglio" | "julho" | "juil" => 7,
        "august" | "août" | "agosto" | "aoû" => 8,
        "september" | "septembre" | "septiembre" | "settembre" | "setembro" | "sept" => 9,
        "october" | "oktober" | "octobre" | "octubre" | "ottobre" | "outubro" => 10,
        "november" | "novembre" | "noviembre" | "novembro" => 11,
        "december" | "dezember" | "décembre" | "diciembre" | "dicembre" | "dezembro" | "déc" => 12,
        _ => return None,
    };
    Some((month, n))
}

#[cfg(test)]
mod tests {
    use super::month_name;

    #[test]
    fn months_of_many_languages() {
        for (month, names) in [
            (1, "january januar janvier enero gennaio janeiro janv jan ene gen"),
            (2, "february februar février febrero febbraio fevereiro févr feb fev"),
            (3, "march märz mars marzo março mär mar"),
            (4, "april avril abril aprile avri apr abr avr"),
            (5, "mayo maggio maio may mai mag"),
            (6, "june juni juin junio giugno junho jun giu"),
            (7, "july juli juillet julio luglio julho juil jul lug"),
            (8, "august août agosto aoû aug ago"),
            (9, "september septembre septiembre settembre setembro sept sep set"),
            (10, "october oktober octobre octubre ottobre outubro oct okt out ott"),
            (11, "november novembre noviembre novembro nov"),
            (12, "december dezember décembre diciembre dicembre dezembro déc dec dez dic"),
        ] {
            for name in names.split(' ') {
                for text in [name.to_string(), name.to_uppercase(), format!("{name} 1")] {
                    assert_eq!(month_name(&text).map(|(month, _)| month), Some(month), "{text}");
                }
            }
        }
        for no in ["", "ma", "selected", "marches", "decided", "xyz 1"] {
            assert_eq!(month_name(no), None, "{no}");
        }
    }
}
