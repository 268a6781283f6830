//! Numbers of a query, with their units, and how they compare with the values of records.

use crate::fields::Sense;
use std::cmp::Ordering;
use whyline_event::{Severity, Value};

/// A number that a query names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A length of time in nanoseconds.
    Nanos(i64),
    /// A severity.
    Level(Severity),
}

impl Amount {
    /// Reads a number as the query writes it for a field of this sense: `500`, `1.5`, `2s`, `1h30m`, `64KiB`, `warn`.
    /// `None` when it is none.
    pub fn parse(text: &str, sense: Sense) -> Option<Amount> {
        match sense {
            Sense::Words | Sense::Address => None,
            Sense::Level => Severity::from_word(text).map(Amount::Level),
            Sense::Number => plain(text).or_else(|| sized(text, false)),
            Sense::Bytes => plain(text).or_else(|| sized(text, true)),
            Sense::Duration => scaled(text, NANOS).and_then(nanos).or_else(|| duration(text)),
            Sense::Whole => plain(text).or_else(|| duration(text)).or_else(|| sized(text, false)),
        }
    }

    /// How a value of a record stands to this number. `None` when the value is no number.
    ///
    /// Lengths of time compare in seconds: a value without unit is one in seconds.
    pub fn compared_with(&self, value: &Value<'_>, sense: Sense) -> Option<Ordering> {
        let timed = sense == Sense::Duration || matches!(self, Amount::Nanos(_));
        let wanted = match *self {
            Amount::Level(_) => return None,
            Amount::Int(n) if timed => Exact::Int(i128::from(n) * i128::from(NANOS)),
            Amount::Int(n) => Exact::Int(i128::from(n)),
            Amount::Nanos(n) => Exact::Int(i128::from(n)),
            Amount::Float(x) if timed => Exact::Float(x * NANOS as f64),
            Amount::Float(x) => Exact::Float(x),
        };
        let found = if timed { value_nanos(value)? } else { value_number(value)? };
        found.partial_cmp(wanted)
    }
}

/// Nanoseconds in a second.
const NANOS: i64 = 1_000_000_000;

#[derive(Clone, Copy)]
enum Exact {
    Int(i128),
    Float(f64),
}

impl Exact {
    fn partial_cmp(self, other: Exact) -> Option<Ordering> {
        match (self, other) {
            (Exact::Int(a), Exact::Int(b)) => Some(a.cmp(&b)),
            (a, b) => a.as_f64().partial_cmp(&b.as_f64()),
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Exact::Int(n) => n as f64,
            Exact::Float(x) => x,
        }
    }
}

fn value_number(value: &Value<'_>) -> Option<Exact> {
    match value {
        Value::Int(n) => Some(Exact::Int(i128::from(*n))),
        Value::Str(s) => match s.parse::<i64>() {
            Ok(n) => Some(Exact::Int(i128::from(n))),
            Err(_) => decimal(s).map(Exact::Float),
        },
        Value::Float(x) => Some(Exact::Float(*x)),
        Value::Duration(ns) => Some(Exact::Float(*ns as f64 / NANOS as f64)),
        Value::Bool(_) => None,
    }
}

fn value_nanos(value: &Value<'_>) -> Option<Exact> {
    let seconds = |n: i64| Exact::Int(i128::from(n) * i128::from(NANOS));
    match value {
        Value::Duration(ns) => Some(Exact::Int(i128::from(*ns))),
        Value::Int(n) => Some(seconds(*n)),
        Value::Float(x) => Some(Exact::Float(x * NANOS as f64)),
        Value::Str(s) => match Value::seconds(s).or_else(|| Value::duration(s))? {
            Value::Duration(ns) => Some(Exact::Int(i128::from(ns))),
            _ => None,
        },
        Value::Bool(_) => None,
    }
}

/// A number without unit.
fn plain(text: &str) -> Option<Amount> {
    match text.parse::<i64>() {
        Ok(n) if !text.starts_with('+') => Some(Amount::Int(n)),
        _ => decimal(text).map(Amount::Float),
    }
}

/// A decimal with an optional sign and exponent; words such as `inf` and `nan` are none.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse::<f64>().ok().filter(|x| x.is_finite())
}

/// A decimal times a unit: exact if it is a whole number, else rounded down.
fn scaled(number: &str, unit: i64) -> Option<i128> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || part.len() > 18 || number.ends_with('.') || !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let unit = i128::from(unit);
    let mut total = whole.parse::<i128>().ok()? * unit;
    if !part.is_empty() {
        total += part.parse::<i128>().ok()? * unit / 10i128.pow(u32::try_from(part.len()).ok()?);
    }
    Some(total)
}

fn nanos(total: i128) -> Option<Amount> {
    i64::try_from(total).ok().map(Amount::Nanos)
}

/// One or several numbers with units of time: `250ms`, `1h30m`.
fn duration(text: &str) -> Option<Amount> {
    let mut rest = text;
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (number, tail) = split_number(rest)?;
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" | "sec" => NANOS,
            "m" | "min" => 60 * NANOS,
            "h" => 3_600 * NANOS,
            "d" => 86_400 * NANOS,
            "w" => 7 * 86_400 * NANOS,
            _ => return None,
        };
        total = total.checked_add(scaled(number, unit)?)?;
        rest = tail;
    }
    if text.is_empty() { None } else { nanos(total) }
}

/// A number with a unit of size: thousands for `k`, `M`, `G`, `T` (also `kB`, ...), powers of 1024 for `KiB`, `Mi`, ...
/// `any_case` also takes `m`, which elsewhere would be minutes.
fn sized(text: &str, any_case: bool) -> Option<Amount> {
    let (number, unit) = split_number(text)?;
    if !any_case && unit.starts_with(['m', 'g', 't', 'b']) {
        return None;
    }
    let unit = unit.to_ascii_lowercase();
    let (letter, base) = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('i')) {
        Some(letter) => (letter, 1024i64),
        None => (unit.strip_suffix('b').unwrap_or(&unit), 1000),
    };
    let power = match letter {
        "" if unit == "b" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    i64::try_from(scaled(number, base.pow(power))?).ok().map(Amount::Int)
}

fn split_number(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    (digits > 0).then(|| text.split_at(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units() {
        for (text, sense, want) in [
            ("500", Sense::Number, Some(Amount::Int(500))),
            ("-110", Sense::Number, Some(Amount::Int(-110))),
            ("1.5", Sense::Number, Some(Amount::Float(1.5))),
            ("2k", Sense::Number, Some(Amount::Int(2_000))),
            ("5xx", Sense::Number, None),
            ("inf", Sense::Number, None),
            ("+5", Sense::Number, None),
            ("1k", Sense::Bytes, Some(Amount::Int(1_000))),
            ("1.5M", Sense::Bytes, Some(Amount::Int(1_500_000))),
            ("1m", Sense::Bytes, Some(Amount::Int(1_000_000))),
            ("64KiB", Sense::Bytes, Some(Amount::Int(65_536))),
            ("1Gi", Sense::Bytes, Some(Amount::Int(1 << 30))),
            ("10B", Sense::Bytes, Some(Amount::Int(10))),
            ("99999999999999999T", Sense::Bytes, None),
            ("2", Sense::Duration, Some(Amount::Nanos(2_000_000_000))),
            ("0.25", Sense::Duration, Some(Amount::Nanos(250_000_000))),
            ("250ms", Sense::Duration, Some(Amount::Nanos(250_000_000))),
            ("1h30m", Sense::Duration, Some(Amount::Nanos(5_400_000_000_000))),
            ("1d", Sense::Duration, Some(Amount::Nanos(86_400_000_000_000))),
            ("1w2d", Sense::Duration, Some(Amount::Nanos(9 * 86_400_000_000_000))),
            ("5 s", Sense::Duration, None),
            ("12ms", Sense::Whole, Some(Amount::Nanos(12_000_000))),
            ("12M", Sense::Whole, Some(Amount::Int(12_000_000))),
            ("12m", Sense::Whole, Some(Amount::Nanos(720_000_000_000))),
            ("warning", Sense::Level, Some(Amount::Level(Severity::Warn))),
            ("", Sense::Number, None),
            ("", Sense::Duration, None),
            ("1.", Sense::Duration, None),
        ] {
            assert_eq!(Amount::parse(text, sense), want, "{text} {sense:?}");
        }
    }

    #[test]
    fn comparing() {
        let two = Amount::parse("2s", Sense::Duration).unwrap();
        assert_eq!(two.compared_with(&Value::Duration(1_999_999_999), Sense::Duration), Some(Ordering::Less));
        assert_eq!(two.compared_with(&Value::Str("2.5"), Sense::Duration), Some(Ordering::Greater));
        assert_eq!(two.compared_with(&Value::Str("2000ms"), Sense::Duration), Some(Ordering::Equal));
        assert_eq!(two.compared_with(&Value::Int(3), Sense::Duration), Some(Ordering::Greater));
        assert_eq!(two.compared_with(&Value::Str("-"), Sense::Duration), None);
        let big = Amount::Int(i64::MAX - 1);
        assert_eq!(big.compared_with(&Value::Int(i64::MAX), Sense::Number), Some(Ordering::Greater));
        assert_eq!(Amount::Float(0.5).compared_with(&Value::Str("0.50"), Sense::Whole), Some(Ordering::Equal));
        assert_eq!(Amount::Int(1).compared_with(&Value::Float(f64::NAN), Sense::Whole), None);
    }
}
