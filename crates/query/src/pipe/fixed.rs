//! Numbers that are summed: exact, so that no order of adding and no number of threads changes a result.

use std::fmt;

/// A number in billionths of its unit.
///
/// Durations are whole nanoseconds in logs, so they are exact; other fractions are taken to a billionth. Sums of such numbers
/// are sums of integers: the same in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed(pub i128);

/// Billionths in one.
const ONE: i128 = 1_000_000_000;

/// Numbers from here on are not summed: a billion of them would leave the range of the sum.
const LARGEST: f64 = 1e20;

impl Fixed {
    /// A whole number.
    pub fn int(n: i64) -> Fixed {
        Fixed(i128::from(n) * ONE)
    }

    /// A number of events or groups.
    pub fn count(n: u64) -> Fixed {
        Fixed(i128::from(n) * ONE)
    }

    /// A length of time, in seconds.
    pub fn nanos(ns: i64) -> Fixed {
        Fixed(i128::from(ns))
    }

    /// A fraction, taken to a billionth. `None` for what is no number and from 1e20 on.
    pub fn float(x: f64) -> Option<Fixed> {
        if !x.is_finite() || x.abs() >= LARGEST {
            return None;
        }
        // Beyond 2^53 there is no fraction; below 9e15 the billionths are counted apart, so that the whole part stays exact.
        let whole = x.trunc();
        Some(Fixed(whole as i128 * ONE + ((x - whole) * 1e9).round() as i128))
    }

    /// A decimal as text: `12`, `-0.5`, `1e3`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Fixed> {
        if let Ok(n) = text.parse::<i64>() {
            return Some(Fixed::int(n));
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.starts_with(|c: char| c.is_ascii_digit()) && digits.ends_with(|c: char| c.is_ascii_digit());
        plain.then(|| text.parse::<f64>().ok()).flatten().and_then(Fixed::float)
    }

    /// The sum of so many numbers divided by how many they are, rounded to a billionth.
    pub fn mean(sum: i128, of: u64) -> Option<Fixed> {
        let of = i128::from(of);
        (of > 0).then(|| Fixed((sum + sum.signum() * of / 2) / of))
    }

    /// The whole number, if it is one.
    pub fn as_int(self) -> Option<i64> {
        (self.0 % ONE == 0).then(|| i64::try_from(self.0 / ONE).ok()).flatten()
    }

    /// The nearest floating-point number.
    pub fn as_f64(self) -> f64 {
        let (whole, part) = (self.0 / ONE, self.0 % ONE);
        if part == 0 {
            return whole as f64;
        }
        // The decimal text rounds once; a division of two rounded numbers would round three times.
        self.to_string().parse().unwrap_or(self.0 as f64 / 1e9)
    }
}

impl fmt::Display for Fixed {
    /// The exact decimal, without zeros at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / ONE.unsigned_abs(), self.0.unsigned_abs() % ONE.unsigned_abs());
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{part:09}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, want) in [
            ("12", Some("12")),
            ("-0.5", Some("-0.5")),
            ("1e3", Some("1000")),
            ("0.1", Some("0.1")),
            ("123456789012.25", Some("123456789012.25")),
            ("1e30", None),
            ("inf", None),
            ("", None),
            (".5", None),
        ] {
            assert_eq!(Fixed::parse(text).map(|n| n.to_string()).as_deref(), want, "{text}");
        }
        assert_eq!(Fixed::mean(Fixed::int(10).0, 3).unwrap().to_string(), "3.333333333");
        assert_eq!(Fixed::mean(Fixed::int(-10).0, 3).unwrap().to_string(), "-3.333333333");
        assert_eq!(Fixed::mean(0, 0), None);
        assert_eq!(Fixed::parse("0.1").unwrap().as_f64(), 0.1);
        assert_eq!((Fixed::int(7).as_int(), Fixed::nanos(1).as_int()), (Some(7), None));
    }
}
