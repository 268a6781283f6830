//! The value of a field.

use std::fmt;

/// A value as a record carries it: borrowed text wherever possible, so that a field costs nothing to copy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text, a part of the record or of the arena of its chunk. Addresses, names and `addr:port` are text too; what they
    /// mean is decided where they are compared.
    Str(&'a str),
    /// A whole number.
    Int(i64),
    /// A number with a fraction that is no duration.
    Float(f64),
    /// A length of time in nanoseconds. Shown in seconds, as OpenTelemetry has it.
    Duration(i64),
    /// Yes or no.
    Bool(bool),
}

impl<'a> Value<'a> {
    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The value as a whole number, if it is one or is text that spells one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            Value::Str(s) => s.parse().ok(),
            Value::Float(x) if x.fract() == 0.0 && x.abs() < 9e15 => Some(*x as i64),
            _ => None,
        }
    }

    /// The value as a number; durations in seconds.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(*n as f64),
            Value::Float(x) => Some(*x),
            Value::Duration(ns) => Some(*ns as f64 / 1e9),
            Value::Str(s) => s.parse().ok(),
            Value::Bool(_) => None,
        }
    }

    /// A duration from seconds written as a decimal (`0.004`, `12`, `1.5`); exact, without going through floating point.
    /// `None` for anything else, also for a negative number.
    pub fn seconds(text: &str) -> Option<Value<'static>> {
        if let Ok(usual) = text.as_bytes().try_into()
            && let Some(value) = Value::usual_seconds(usual)
        {
            return Some(value);
        }
        decimal_nanos(text, 1_000_000_000).map(Value::Duration)
    }

    /// [`Value::seconds`] of the form in which proxies write them, `0.004`; `None` for any other.
    #[inline(always)]
    pub fn usual_seconds(text: &[u8; 5]) -> Option<Value<'static>> {
        let [a, dot, b, c, d] = *text;
        let [a, b, c, d] = [a.wrapping_sub(b'0'), b.wrapping_sub(b'0'), c.wrapping_sub(b'0'), d.wrapping_sub(b'0')];
        if a > 9 || b > 9 || c > 9 || d > 9 || dot != b'.' {
            return None;
        }
        let millis = i64::from(a) * 1000 + i64::from(b) * 100 + i64::from(c) * 10 + i64::from(d);
        Some(Value::Duration(millis * 1_000_000))
    }

    /// A duration from milliseconds written as a decimal.
    pub fn millis(text: &str) -> Option<Value<'static>> {
        decimal_nanos(text, 1_000_000).map(Value::Duration)
    }

    /// A duration with a unit, as programs write them in messages: `12ms`, `1.5 s`, `2m`, `300us`, `4µs`, `1h2m3.5s` (Go).
    pub fn duration(text: &str) -> Option<Value<'static>> {
        let mut rest = text.trim();
        let mut sum: i64 = 0;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
            let (number, tail) = rest.split_at(digits);
            let tail = tail.trim_start();
            let unit_len = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, after) = tail.split_at(unit_len);
            let unit = match unit.trim() {
                "ns" => 1,
                "us" | "µs" | "μs" | "usec" => 1_000,
                "ms" | "msec" | "millis" | "milliseconds" => 1_000_000,
                "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
                "m" | "min" | "minutes" => 60_000_000_000,
                "h" | "hours" => 3_600_000_000_000,
                _ => return None,
            };
            sum = sum.checked_add(decimal_nanos(number, unit)?)?;
            rest = after;
        }
        Some(Value::Duration(sum))
    }
}

/// `text` (digits with at most one dot) times `unit`, cut after the last whole nanosecond.
fn decimal_nanos(text: &str, unit: i64) -> Option<i64> {
    if text.len() <= 15
        && let Some((number, behind)) = short_decimal(text)
        && let Some(power) = power_of(unit).and_then(|power| power.checked_sub(behind))
    {
        return number.checked_mul(*POWERS.get(power)?);
    }
    long_decimal(text, unit)
}

/// The power of ten that a usual unit is.
fn power_of(unit: i64) -> Option<usize> {
    match unit {
        1_000_000_000 => Some(9),
        1_000_000 => Some(6),
        _ => None,
    }
}

/// The digits of a short decimal as one number, and how many of them stand behind the dot.
#[inline]
fn short_decimal(text: &str) -> Option<(i64, usize)> {
    let bytes = text.as_bytes();
    let (mut number, mut dot) = (0i64, None);
    for (at, byte) in bytes.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            number = number * 10 + i64::from(digit);
        } else if *byte == b'.' && dot.is_none() {
            dot = Some(at);
        } else {
            return None;
        }
    }
    let behind = dot.map_or(0, |at| bytes.len() - 1 - at);
    let digits = bytes.len() - usize::from(dot.is_some());
    (digits > 0 && digits - behind <= 12).then_some((number, behind))
}

fn long_decimal(text: &str, unit: i64) -> Option<i64> {
    let (mut number, mut digits, mut dot) = (0i64, 0usize, None);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                // Nine digits behind the dot are all that count.
                if dot.is_none_or(|at| digits < at + 9) {
                    number = number.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                    digits += 1;
                }
            }
            b'.' if dot.is_none() => dot = Some(digits),
            _ => return None,
        }
    }
    let whole = dot.unwrap_or(digits);
    if digits == 0 || whole > 12 {
        return None;
    }
    let scale = *POWERS.get(digits - whole)?;
    if unit % scale == 0 {
        return number.checked_mul(unit / scale);
    }
    i64::try_from(i128::from(number) * i128::from(unit) / i128::from(scale)).ok()
}

/// Powers of ten.
const POWERS: [i64; 10] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Str(s) => f.write_str(s),
            Value::Int(n) => write!(f, "{n}"),
            Value::Float(x) => write!(f, "{x}"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Duration(ns) => write!(f, "{}", *ns as f64 / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Short decimals are read as long ones are.
        #[test]
        fn short_ways_say_the_same(text in "[0-9]{0,13}(\\.[0-9]{0,11})?[.x]?", unit in proptest::sample::select(vec![1_000_000, 1_000_000_000, 60_000_000_000])) {
            proptest::prop_assert_eq!(super::decimal_nanos(&text, unit), super::long_decimal(&text, unit));
        }
    }

    #[test]
    fn durations() {
        assert_eq!(Value::seconds("0.004"), Some(Value::Duration(4_000_000)));
        assert_eq!(Value::seconds("0.0000000019"), Some(Value::Duration(1)));
        assert_eq!(Value::millis("1.2345678912"), Some(Value::Duration(1_234_567)));
        assert_eq!(Value::seconds(".5"), Some(Value::Duration(500_000_000)));
        assert_eq!(Value::seconds("."), None);
        assert_eq!(Value::seconds("99999999999999"), None);
        assert_eq!(Value::seconds("12"), Some(Value::Duration(12_000_000_000)));
        assert_eq!(Value::seconds("-"), None);
        assert_eq!(Value::seconds("1.2.3"), None);
        assert_eq!(Value::duration("5.11ms"), Some(Value::Duration(5_110_000)));
        assert_eq!(Value::duration("1m0.5s"), Some(Value::Duration(60_500_000_000)));
        assert_eq!(Value::duration("lots"), None);
        assert_eq!(Value::duration("12"), None);
    }
}
