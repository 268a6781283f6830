//! Times without a date of the calendar: epoch numbers, TAI64N, times of day.

use super::notation::Found;
use super::parts::{clock, digits};
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Stamp};

/// TAI64N, as multilog writes it: `@` and 24 hexadecimal digits. Ten seconds are taken off for the leap seconds up to 1970,
/// as the program itself does.
pub fn tai64n(text: &str) -> Found {
    let hex = text.strip_prefix('@')?.get(..24)?;
    let seconds = i64::from_str_radix(hex.get(..16)?, 16).ok()?.checked_sub(0x4000_0000_0000_000a)?;
    let nanos = i64::from_str_radix(hex.get(16..)?, 16).ok()?;
    if !(0..4_102_444_800).contains(&seconds) || !(0..NANOS).contains(&nanos) {
        return None;
    }
    Some((Stamp::explicit(seconds * NANOS + nanos, 0, 9), 25))
}

/// A time of day without a date: `10:30:01.123`.
pub fn time_only(text: &str) -> Found {
    let b = text.as_bytes();
    let clock = clock(b, 0)?;
    if b.get(2) != Some(&b':') || b.get(clock.end).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b':') {
        return None;
    }
    let nanos = (clock.hour * 3600 + clock.minute * 60 + clock.second) * NANOS + clock.nanos;
    Some((Stamp { nanos, form: Form::TimeOnly, offset: None, digits: clock.digits }, clock.end))
}

/// An epoch number in seconds (with or without a fraction), milliseconds, microseconds or nanoseconds, told apart by its
/// size. Only times from 2000 to 2100 are taken; `None` for any other number.
pub fn epoch(text: &str) -> Found {
    let b = text.as_bytes();
    let run = b.iter().take_while(|c| c.is_ascii_digit()).count();
    let value = digits(b, 0, run.min(19))?;
    let (nanos, unit_digits) = match run {
        9 | 10 => (value.checked_mul(NANOS)?, 0),
        13 => (value.checked_mul(1_000_000)?, 3),
        16 => (value.checked_mul(1_000)?, 6),
        19 => (value, 9),
        _ => return None,
    };
    let (mut nanos, mut count, mut end) = (nanos, unit_digits, run);
    if matches!(b.get(end), Some(b'.' | b',')) && b.get(end + 1).is_some_and(u8::is_ascii_digit) {
        let mut scale = match unit_digits {
            0 => NANOS,
            3 => 1_000_000,
            6 => 1_000,
            _ => 1,
        };
        end += 1;
        while let Some(c) = b.get(end).filter(|c| c.is_ascii_digit()) {
            scale /= 10;
            nanos += i64::from(c - b'0') * scale;
            count = u8::min(9, count + 1);
            end += 1;
        }
    }
    let second = nanos / NANOS;
    (946_684_800..4_102_444_800).contains(&second).then(|| (Stamp::explicit(nanos, 0, count.min(9)), end))
}
