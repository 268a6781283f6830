//! What stands in a table: values with an order, and columns with a unit.

use super::fixed::Fixed;
use std::borrow::Cow;
use std::cmp::Ordering;
use whyline_event::{Key, Kind, Value};

use crate::fields::{Sense, Target};

/// A value of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// No value: the event has no such field, or no number was there to be counted.
    Empty,
    /// Yes or no.
    Bool(bool),
    /// A number, in the unit of its column.
    Number(Fixed),
    /// A number that is near to the true one; the notes of the table say how near.
    Estimate(Fixed),
    /// An instant in nanoseconds since 1970 UTC.
    Time(i64),
    /// Text as it stands in the log.
    Text(String),
    /// Several values of one field, in the order of the event.
    List(Vec<Cell>),
}

/// In what the numbers of a column are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Text, or numbers without unit.
    Plain,
    /// Lengths of time, in seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Events per second.
    PerSecond,
    /// Instants.
    Time,
}

impl Unit {
    /// The unit of a field.
    pub fn of(target: &Target) -> Unit {
        match target.sense() {
            Sense::Duration => Unit::Seconds,
            Sense::Bytes => Unit::Bytes,
            _ => Unit::Plain,
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name: as the query names it.
    pub name: String,
    /// What its numbers count.
    pub unit: Unit,
}

impl Cell {
    /// The order of values of different kinds, the empty one last whatever the direction.
    fn rank(&self) -> u8 {
        match self {
            Cell::Bool(_) => 0,
            Cell::Number(_) | Cell::Estimate(_) => 1,
            Cell::Time(_) => 2,
            Cell::Text(_) => 3,
            Cell::List(_) => 4,
            Cell::Empty => 5,
        }
    }

    fn ordered(&self, other: &Cell) -> Ordering {
        match (self, other) {
            (Cell::Bool(a), Cell::Bool(b)) => a.cmp(b),
            (Cell::Number(a) | Cell::Estimate(a), Cell::Number(b) | Cell::Estimate(b)) => a.cmp(b),
            (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
            (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
            (Cell::List(a), Cell::List(b)) => {
                let parts = a.iter().zip(b).map(|(a, b)| a.ordered(b));
                parts.into_iter().find(|o| o.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    /// How two values stand to each other in a sorted table. Yes and no come before numbers, numbers before times, times before
    /// text; what is empty comes last in both directions.
    pub fn sorted(&self, other: &Cell, down: bool) -> Ordering {
        let order = self.ordered(other);
        if down && *self != Cell::Empty && *other != Cell::Empty { order.reverse() } else { order }
    }
}

/// A value on its way into a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen<'a> {
    Bool(bool),
    Number(Fixed),
    Estimate(Fixed),
    Time(i64),
    Text(Cow<'a, str>),
}

impl<'a> Seen<'a> {
    /// The value of a field, in the sense of the field.
    pub(super) fn of(value: Value<'a>, target: &Target) -> Seen<'a> {
        match (target.sense(), value) {
            (_, Value::Bool(yes)) => Seen::Bool(yes),
            (Sense::Duration, Value::Str(text)) => match Value::seconds(text).or_else(|| Value::duration(text)) {
                Some(Value::Duration(ns)) => Seen::Number(Fixed::nanos(ns)),
                _ => Seen::Text(text.into()),
            },
            (Sense::Number | Sense::Bytes, Value::Str(text)) => Fixed::parse(text).map_or_else(|| Seen::Text(text.into()), Seen::Number),
            (_, Value::Duration(ns)) => Seen::Number(Fixed::nanos(ns)),
            // Names and identifiers stay text: a version `2` is no number to be counted with.
            _ if matches!(target, Target::Key(key) | Target::Either(key, _) if named(*key)) => Seen::Text(match value {
                Value::Str(text) => text.into(),
                other => other.to_string().into(),
            }),
            (_, Value::Int(n)) => Seen::Number(Fixed::int(n)),
            (_, Value::Float(x)) => match Fixed::float(x).filter(|n| n.as_f64() == x) {
                Some(n) => Seen::Number(n),
                None => Seen::Text(x.to_string().into()),
            },
            // A field of its writer's own may be a number in one record and the same number as text in the next.
            (_, Value::Str(text)) if matches!(target, Target::Other(_)) => match text.parse::<i64>() {
                Ok(n) if n.to_string() == text => Seen::Number(Fixed::int(n)),
                _ => Seen::Text(text.into()),
            },
            (_, Value::Str(text)) => Seen::Text(text.into()),
        }
    }

    /// The value as a number to count with. Text counts where it spells a number or a length of time.
    pub(super) fn number(&self) -> Option<Fixed> {
        match self {
            Seen::Number(n) | Seen::Estimate(n) => Some(*n),
            Seen::Text(text) => Fixed::parse(text).or_else(|| match Value::duration(text) {
                Some(Value::Duration(ns)) => Some(Fixed::nanos(ns)),
                _ => None,
            }),
            Seen::Bool(_) | Seen::Time(_) => None,
        }
    }

    /// The value as a table holds it.
    pub(super) fn cell(self) -> Cell {
        match self {
            Seen::Bool(yes) => Cell::Bool(yes),
            Seen::Number(n) => Cell::Number(n),
            Seen::Estimate(n) => Cell::Estimate(n),
            Seen::Time(t) => Cell::Time(t),
            Seen::Text(text) => Cell::Text(text.into_owned()),
        }
    }

    /// The values of a cell.
    pub(super) fn each(cell: &'a Cell, visit: &mut dyn FnMut(Seen<'a>)) {
        match cell {
            Cell::Empty => {}
            Cell::Bool(yes) => visit(Seen::Bool(*yes)),
            Cell::Number(n) => visit(Seen::Number(*n)),
            Cell::Estimate(n) => visit(Seen::Estimate(*n)),
            Cell::Time(t) => visit(Seen::Time(*t)),
            Cell::Text(text) => visit(Seen::Text(Cow::Borrowed(text))),
            Cell::List(cells) => cells.iter().for_each(|c| Seen::each(c, visit)),
        }
    }

    /// Writes the value so that the order of bytes is the order of values, and that it can be read back.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        const SIGN: u128 = 1 << 127;
        match self {
            Seen::Bool(yes) => out.extend([1, u8::from(*yes)]),
            Seen::Number(n) | Seen::Estimate(n) => {
                out.push(2);
                out.extend((n.0.cast_unsigned() ^ SIGN).to_be_bytes());
            }
            Seen::Time(t) => {
                out.push(3);
                out.extend((t.cast_unsigned() ^ (1 << 63)).to_be_bytes());
            }
            Seen::Text(text) => {
                out.push(4);
                for byte in text.bytes() {
                    out.push(byte);
                    if byte == 0 {
                        out.push(255);
                    }
                }
                out.extend([0, 0]);
            }
        }
    }
}

/// Writes that there is no value.
pub(super) fn write_empty(out: &mut Vec<u8>) {
    // After everything else.
    out.push(9);
}

/// Reads back what [`Seen::write`] wrote; the rest of the bytes.
pub(super) fn read(bytes: &[u8]) -> Option<(Cell, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    Some(match kind {
        1 => (Cell::Bool(*rest.first()? == 1), &rest[1..]),
        2 => {
            let (number, rest) = rest.split_first_chunk::<16>()?;
            (Cell::Number(Fixed((u128::from_be_bytes(*number) ^ (1 << 127)).cast_signed())), rest)
        }
        3 => {
            let (time, rest) = rest.split_first_chunk::<8>()?;
            (Cell::Time((u64::from_be_bytes(*time) ^ (1 << 63)).cast_signed()), rest)
        }
        4 => {
            let mut text = Vec::new();
            let mut at = 0;
            loop {
                match (rest.get(at)?, rest.get(at + 1)) {
                    (0, Some(0)) => break,
                    (0, _) => {
                        text.push(0);
                        at += 2;
                    }
                    (byte, _) => {
                        text.push(*byte);
                        at += 1;
                    }
                }
            }
            (Cell::Text(String::from_utf8(text).ok()?), &rest[at + 2..])
        }
        _ => (Cell::Empty, rest),
    })
}

fn named(key: Key) -> bool {
    matches!(key.kind(), Kind::Keyword | Kind::Text | Kind::Address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_order_of_values_and_read_back() {
        let values = [
            Seen::Bool(false),
            Seen::Bool(true),
            Seen::Number(Fixed::int(-5)),
            Seen::Number(Fixed::nanos(1)),
            Seen::Number(Fixed::int(500)),
            Seen::Time(-1),
            Seen::Time(7),
            Seen::Text("".into()),
            Seen::Text("a\0b".into()),
            Seen::Text("a\0c".into()),
            Seen::Text("ab".into()),
            Seen::Text("größe".into()),
        ];
        let mut before: Option<Vec<u8>> = None;
        for value in values {
            let mut bytes = Vec::new();
            value.write(&mut bytes);
            write_empty(&mut bytes);
            let (cell, rest) = read(&bytes).unwrap();
            assert_eq!(cell, value.cell());
            assert_eq!(read(rest).unwrap(), (Cell::Empty, &[][..]));
            assert!(before.is_none_or(|b| b < bytes), "{cell:?}");
            before = Some(bytes);
        }
    }

    #[test]
    fn what_values_count() {
        let own = Target::find("order.count");
        for (value, target, want) in [
            (Value::Str("12"), &own, Seen::Number(Fixed::int(12))),
            (Value::Str("012"), &own, Seen::Text("012".into())),
            (Value::Float(0.5), &own, Seen::Number(Fixed(500_000_000))),
            (Value::Float(1e300), &own, Seen::Text(1e300.to_string().into())),
            (Value::Str("2"), &Target::find("version"), Seen::Text("2".into())),
            (Value::Int(2), &Target::find("version"), Seen::Text("2".into())),
            (Value::Str("502"), &Target::find("status"), Seen::Number(Fixed::int(502))),
            (Value::Str("-"), &Target::find("status"), Seen::Text("-".into())),
            (Value::Str("250ms"), &Target::find("duration"), Seen::Number(Fixed(250_000_000))),
            (Value::Str("2"), &Target::find("duration"), Seen::Number(Fixed::int(2))),
        ] {
            assert_eq!(Seen::of(value, target), want, "{value:?} {target}");
        }
        assert_eq!(Seen::Text("250ms".into()).number(), Some(Fixed(250_000_000)));
        assert_eq!(Seen::Text("a lot".into()).number(), None);
    }

    #[test]
    fn empty_comes_last_in_both_directions() {
        let (one, two) = (Cell::Number(Fixed::int(1)), Cell::Number(Fixed::int(2)));
        assert!(one.sorted(&two, false).is_lt() && one.sorted(&two, true).is_gt());
        assert!(one.sorted(&Cell::Empty, false).is_lt() && one.sorted(&Cell::Empty, true).is_lt());
        assert!(Cell::Number(Fixed::int(9)).sorted(&Cell::Text("1".into()), false).is_lt());
    }
}
