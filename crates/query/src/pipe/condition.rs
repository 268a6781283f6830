//! `where`: which rows of a table go on. The names are columns of the table that the stage before made.

use super::ast::Named;
use super::cell::{Cell, Column, Seen, Unit};
use super::fixed::Fixed;
use crate::ast::{Bound, Literal};
use crate::error::QueryError;
use crate::fields::Sense;
use crate::glob::Glob;
use crate::number::Amount;
use crate::value::unit_of;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use whyline_event::Value;
use whyline_event::stamp::civil_seconds;

/// What is asked of a row, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of them; at least two.
    And(Vec<Condition>),
    /// At least one of them; at least two.
    Or(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// A column that stands so to a value.
    Compare(Named, Sign, Written),
}

/// A value as it is written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The value, without quotes.
    pub text: String,
    /// In quotes, everything means itself.
    pub quoted: bool,
    /// Where it stands.
    pub span: Range<usize>,
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.quoted) == (&other.text, other.quoted)
    }
}

/// How a column must stand to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `=`, also `==` and `:`
    Is,
    /// `!=`
    IsNot,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

/// How signs are written, the longer ones first.
pub(super) const SIGNS: [(&str, Sign); 8] = [
    (">=", Sign::AtLeast),
    ("<=", Sign::AtMost),
    ("!=", Sign::IsNot),
    ("==", Sign::Is),
    (">", Sign::Greater),
    ("<", Sign::Less),
    ("=", Sign::Is),
    (":", Sign::Is),
];

impl Sign {
    fn is_order(self) -> bool {
        !matches!(self, Sign::Is | Sign::IsNot)
    }

    fn allows(self, order: Ordering) -> bool {
        match self {
            Sign::Is | Sign::IsNot => order.is_eq(),
            Sign::Greater => order.is_gt(),
            Sign::AtLeast => order.is_ge(),
            Sign::Less => order.is_lt(),
            Sign::AtMost => order.is_le(),
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = SIGNS.iter().find(|(text, sign)| sign == self && *text != "==");
        f.write_str(written.map_or("=", |(text, _)| text))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Condition], word: &str| {
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    write!(f, " {word} ")?;
                }
                match part {
                    Condition::And(_) | Condition::Or(_) => write!(f, "({part})")?,
                    _ => write!(f, "{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Condition::And(parts) => joined(f, parts, "AND"),
            Condition::Or(parts) => joined(f, parts, "OR"),
            Condition::Not(part) if matches!(**part, Condition::And(_) | Condition::Or(_)) => write!(f, "NOT ({part})"),
            Condition::Not(part) => write!(f, "NOT {part}"),
            Condition::Compare(name, sign, value) => {
                let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '-' | '/' | '*' | '?' | ':' | '+');
                if !value.quoted && value.text.chars().all(plain) {
                    return write!(f, "{name} {sign} {}", value.text);
                }
                write!(f, "{name} {sign} \"{}\"", value.text.replace('\\', "\\\\").replace('"', "\\\""))
            }
        }
    }
}

/// A condition whose columns were looked up.
#[derive(Clone, Debug)]
pub(super) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Compare(Box<Comparison>),
}

/// One comparison.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    column: usize,
    sign: Sign,
    number: Option<Fixed>,
    /// From and to: a minute that is named is meant as a whole.
    time: Option<(i64, i64)>,
    literal: Literal,
    glob: Option<Glob>,
}

impl Test {
    /// Looks up what a condition names; `place` finds a column.
    pub(super) fn of(
        condition: &Condition,
        columns: &[Column],
        place: &impl Fn(&Named) -> Result<usize, QueryError>,
    ) -> Result<Test, QueryError> {
        let each = |parts: &[Condition]| parts.iter().map(|part| Test::of(part, columns, place)).collect::<Result<Vec<_>, _>>();
        Ok(match condition {
            Condition::And(parts) => Test::All(each(parts)?),
            Condition::Or(parts) => Test::Any(each(parts)?),
            Condition::Not(part) => Test::Not(Box::new(Test::of(part, columns, place)?)),
            Condition::Compare(name, sign, value) => {
                let column = place(name)?;
                let unit = columns.get(column).map_or(Unit::Plain, |c| c.unit);
                let comparison = Box::new(Comparison::new(column, name, unit, *sign, value)?);
                if *sign == Sign::IsNot { Test::Not(Box::new(Test::Compare(comparison))) } else { Test::Compare(comparison) }
            }
        })
    }

    /// Whether a row passes.
    pub(super) fn holds(&self, row: &[Cell]) -> bool {
        match self {
            Test::All(parts) => parts.iter().all(|part| part.holds(row)),
            Test::Any(parts) => parts.iter().any(|part| part.holds(row)),
            Test::Not(part) => !part.holds(row),
            Test::Compare(comparison) => row.get(comparison.column).is_some_and(|cell| comparison.holds(cell)),
        }
    }
}

impl Comparison {
    fn new(column: usize, name: &Named, unit: Unit, sign: Sign, value: &Written) -> Result<Comparison, QueryError> {
        let sense = match unit {
            Unit::Seconds => Sense::Duration,
            Unit::Bytes => Sense::Bytes,
            Unit::PerSecond => Sense::Number,
            Unit::Plain | Unit::Time => Sense::Whole,
        };
        let bound =
            Bound::new(&value.text, sense).map(|bound| if unit == Unit::Plain { bound.in_unit(unit_of(&name.text)) } else { bound });
        let number = bound.filter(|_| unit != Unit::Time).and_then(|bound| match bound.amount() {
            Amount::Int(n) => Some(Fixed::int(n)),
            Amount::Float(x) => Fixed::float(x),
            Amount::Nanos(n) => Some(Fixed::nanos(n)),
            Amount::Level(_) => None,
        });
        let time = if unit == Unit::Time { time(&value.text) } else { None };
        let glob = (!sign.is_order() && !value.quoted && value.text.contains(['*', '?'])).then(|| Glob::new(&value.text));
        // Columns without a unit may hold text, which only has no order.
        let may_be_text = unit == Unit::Plain && !sign.is_order();
        if number.is_none() && time.is_none() && glob.is_none() && !may_be_text {
            let error =
                QueryError::new(format!("`{}` is nothing that `{}` could be compared with", value.text, name.text), value.span.clone());
            return Err(error.help(match unit {
                Unit::Seconds => "write a number of seconds, or one with ns, us, ms, s, m, h or d: p99_duration > 250ms",
                Unit::Bytes => "write a number, perhaps with k, M, G (thousands) or KiB, MiB, GiB: sum_bytes > 64KiB",
                Unit::Time => "write a time of UTC in double quotes: time >= \"2026-11-21 10:00\"",
                Unit::Plain | Unit::PerSecond => "write a number, perhaps with k, M or G: count > 10; text is compared with = and !=",
            }));
        }
        Ok(Comparison { column, sign, number, time, literal: Literal::new(&value.text, Sense::Whole), glob })
    }

    fn holds(&self, cell: &Cell) -> bool {
        let mut found = false;
        Seen::each(cell, &mut |seen| found |= self.passes(&seen));
        found
    }

    fn passes(&self, seen: &Seen<'_>) -> bool {
        if let Some(glob) = &self.glob {
            return match seen {
                Seen::Text(text) => glob.fits(text),
                Seen::Number(n) | Seen::Estimate(n) => glob.fits(&n.to_string()),
                Seen::Bool(yes) => glob.fits(if *yes { "true" } else { "false" }),
                Seen::Time(t) => glob.fits(&whyline_event::stamp::rfc3339(*t, 0)),
            };
        }
        match (seen, self.number, self.time) {
            (Seen::Time(t), _, Some((from, to))) => match self.sign {
                Sign::Is | Sign::IsNot => (from..=to).contains(t),
                Sign::Greater => *t > to,
                Sign::AtLeast => *t >= from,
                Sign::Less => *t < from,
                Sign::AtMost => *t <= to,
            },
            (Seen::Text(text), _, _) if !self.sign.is_order() => self.literal.is_whole(Value::Str(text)),
            (Seen::Bool(yes), _, _) => !self.sign.is_order() && self.literal.is_whole(Value::Bool(*yes)),
            (_, Some(wanted), _) => seen.number().is_some_and(|n| self.sign.allows(n.cmp(&wanted))),
            _ => false,
        }
    }
}

/// A time of UTC, and its end: the second, minute or day that is named is meant as a whole.
fn time(text: &str) -> Option<(i64, i64)> {
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let (date, clock) = text.split_once([' ', 'T', 't']).unwrap_or((text, ""));
    let numbers = |text: &str, sign: char| -> Option<Vec<i64>> {
        text.split(sign)
            .map(|n| if (1..=4).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()) { n.parse().ok() } else { None })
            .collect()
    };
    let [year, month, day] = numbers(date, '-')?.try_into().ok()?;
    let (clock, lasts) = match (clock, numbers(clock, ':')) {
        ("", _) => ((0, 0, 0), 86_400),
        (_, Some(parts)) => match parts[..] {
            [hour, minute] => ((hour, minute, 0), 60),
            [hour, minute, second] => ((hour, minute, second), 1),
            _ => return None,
        },
        (_, None) => return None,
    };
    let from = civil_seconds((year, month, day), clock)?;
    Some((from.checked_mul(NANOS)?, (from + lasts).checked_mul(NANOS)? - 1))
}

const NANOS: i64 = 1_000_000_000;
