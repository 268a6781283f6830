//! A record as bytes, and back: exactly as it was read, without reading it again.
//!
//! Most texts of a record are parts of its raw text and are written as a place in it. Numbers are written in as many bytes as
//! they need. The raw text itself stands in full, so that any finding can be shown as it stood in the file.

use crate::bytes::{Reader, signed, text, unsigned};
use crate::names::{Names, key_named, name_of, remark};
use whyline_event::{Field, Form, Name, Origin, Record, Severity, SourceId, Stamp, Value};

const PART: u8 = 0;
const OWN: u8 = 1;
const INT: u8 = 2;
const FLOAT: u8 = 3;
const DURATION: u8 = 4;
const NO: u8 = 5;
const YES: u8 = 6;

const STAMP: u8 = 1;
const OFFSET: u8 = 2;
const INHERITED: u8 = 4;
const SEVERITY: u8 = 8;
const DOUBTFUL: u8 = 16;

/// Writes a record. `number` gives the numbers of names.
pub(crate) fn encode(record: &Record<'_>, number: &mut dyn FnMut(&str) -> Option<u32>, out: &mut Vec<u8>) {
    let origin = &record.origin;
    for n in [origin.line, u64::from(origin.lines), origin.offset, origin.length] {
        unsigned(n, out);
    }
    let bit = |yes: bool, bit: u8| if yes { bit } else { 0 };
    let has_offset = record.stamp.is_some_and(|s| s.offset.is_some());
    out.push(
        bit(record.stamp.is_some(), STAMP)
            | bit(has_offset, OFFSET)
            | bit(record.inherited, INHERITED)
            | bit(record.doubtful, DOUBTFUL)
            | bit(record.severity.is_some(), SEVERITY),
    );
    if let Some(stamp) = record.stamp {
        signed(stamp.nanos, out);
        out.push(form_number(stamp.form) << 4 | stamp.digits.min(15));
        if let Some(offset) = stamp.offset {
            signed(i64::from(offset), out);
        }
    }
    if let Some(severity) = record.severity {
        out.push(severity.number());
    }
    name(record.format, number, out);
    text(record.text, out);
    string(record.body, record.text, out);
    unsigned(record.fields.len() as u64, out);
    for field in &record.fields {
        name(&crate::names::spelling(field.name), number, out);
        match field.value {
            Value::Str(s) => string(s, record.text, out),
            Value::Int(n) => {
                out.push(INT);
                signed(n, out);
            }
            Value::Float(x) => {
                out.push(FLOAT);
                out.extend_from_slice(&x.to_bits().to_le_bytes());
            }
            Value::Duration(n) => {
                out.push(DURATION);
                signed(n, out);
            }
            Value::Bool(yes) => out.push(if yes { YES } else { NO }),
        }
    }
    unsigned(record.notes.len() as u64, out);
    for note in &record.notes {
        name(note, number, out);
    }
}

/// Reads a record. `None` when the bytes are damaged.
pub(crate) fn decode<'a>(bytes: &'a [u8], names: &'a Names, source: SourceId) -> Option<Record<'a>> {
    let mut from = Reader { rest: bytes };
    let origin = Origin {
        source,
        line: from.unsigned()?,
        lines: u32::try_from(from.unsigned()?).ok()?,
        offset: from.unsigned()?,
        length: from.unsigned()?,
    };
    let flags = from.byte()?;
    let mut stamp = None;
    if flags & STAMP != 0 {
        let nanos = from.signed()?;
        let packed = from.byte()?;
        let offset = if flags & OFFSET != 0 { Some(i32::try_from(from.signed()?).ok()?) } else { None };
        stamp = Some(Stamp { nanos, form: form_of(packed >> 4)?, offset, digits: packed & 15 });
    }
    let severity = if flags & SEVERITY != 0 {
        let number = from.byte()?;
        Some(*Severity::ALL.iter().find(|s| s.number() == number)?)
    } else {
        None
    };
    let format = from.name(names)?.0;
    let text = from.text()?;
    let Value::Str(body) = from.value(text)? else { return None };
    let mut record = Record::new(text, origin);
    record.stamp = stamp;
    record.inherited = flags & INHERITED != 0;
    record.doubtful = flags & DOUBTFUL != 0;
    record.severity = severity;
    record.format = format;
    record.body = body;
    let count = from.unsigned()?;
    record.fields.reserve(usize::try_from(count.min(64)).ok()?);
    for _ in 0..count {
        let (spelling, number) = from.name(names)?;
        let name = match number {
            Some(number) => names.name(number)?,
            None => field_name(spelling),
        };
        record.fields.push(Field { name, value: from.value(text)? });
    }
    for _ in 0..from.unsigned()? {
        record.notes.push(remark(from.name(names)?.0));
    }
    from.rest.is_empty().then_some(record)
}

fn field_name(spelling: &str) -> Name<'_> {
    name_of(spelling, key_named(spelling))
}

/// The number of what a stamp leaves open, as stored; 0 stands for no stamp.
pub(crate) fn form_number(form: Form) -> u8 {
    match form {
        Form::Explicit => 1,
        Form::Civil => 2,
        Form::NoYear => 3,
        Form::TimeOnly => 4,
        Form::CivilLater => 5,
        Form::NoYearLater => 6,
    }
}

/// The inverse of [`form_number`].
pub(crate) fn form_of(number: u8) -> Option<Form> {
    Some(match number {
        1 => Form::Explicit,
        2 => Form::Civil,
        3 => Form::NoYear,
        4 => Form::TimeOnly,
        5 => Form::CivilLater,
        6 => Form::NoYearLater,
        _ => return None,
    })
}

/// 0 and the text itself, or its number and one.
fn name(spelling: &str, number: &mut dyn FnMut(&str) -> Option<u32>, out: &mut Vec<u8>) {
    match number(spelling) {
        Some(number) => unsigned(u64::from(number) + 1, out),
        None => {
            unsigned(0, out);
            text(spelling, out);
        }
    }
}

fn string(part: &str, whole: &str, out: &mut Vec<u8>) {
    match place(part, whole) {
        Some(at) => {
            out.push(PART);
            unsigned(at as u64, out);
            unsigned(part.len() as u64, out);
        }
        None => {
            out.push(OWN);
            text(part, out);
        }
    }
}

/// Where a text lies within another one, if it is a part of it in memory.
pub(crate) fn place(part: &str, whole: &str) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (whole.get(at..at.checked_add(part.len())?)? == part).then_some(at)
}

trait ReadRecord<'a> {
    fn name(&mut self, names: &'a Names) -> Option<(&'a str, Option<u32>)>;
    fn value(&mut self, whole: &'a str) -> Option<Value<'a>>;
}

impl<'a> ReadRecord<'a> for Reader<'a> {
    /// The text of a name, with its number if it has one.
    fn name(&mut self, names: &'a Names) -> Option<(&'a str, Option<u32>)> {
        match self.unsigned()? {
            0 => Some((self.text()?, None)),
            n => {
                let number = u32::try_from(n - 1).ok()?;
                Some((names.text(number)?, Some(number)))
            }
        }
    }

    fn value(&mut self, whole: &'a str) -> Option<Value<'a>> {
        Some(match self.byte()? {
            PART => {
                let (at, length) = (self.length()?, self.length()?);
                Value::Str(whole.get(at..at.checked_add(length)?)?)
            }
            OWN => Value::Str(self.text()?),
            INT => Value::Int(self.signed()?),
            FLOAT => {
                let (bits, rest) = self.rest.split_first_chunk::<8>()?;
                self.rest = rest;
                Value::Float(f64::from_bits(u64::from_le_bytes(*bits)))
            }
            DURATION => Value::Duration(self.signed()?),
            NO => Value::Bool(false),
            YES => Value::Bool(true),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Clock, Event, Key, Source};

    fn sample(text: &str) -> Record<'_> {
        let mut record = Record::new(text, Origin { source: SourceId(3), line: 7, lines: 2, offset: 1 << 40, length: 99 });
        record.body = &text[6..];
        record.format = "nginx.error";
        record.stamp = Some(Stamp { nanos: -5, form: Form::NoYear, offset: None, digits: 3 });
        record.inherited = true;
        record.severity = Some(Severity::Fatal);
        record.put(Key::Status, Value::Int(i64::MIN));
        record.put(Key::HostName, Value::Str(&text[..5]));
        record.put(Key::Duration, Value::Duration(i64::MAX));
        record.put_other("host.name", Value::Str("elsewhere"));
        record.put_other("a", Value::Float(-0.0));
        record.put_other("a", Value::Bool(true));
        record.notes.push("partial line");
        record
    }

    #[test]
    fn there_and_back() {
        for full in [false, true] {
            let record = sample("web01 connect() failed\nä");
            let mut names = Names::default();
            let mut bytes = Vec::new();
            encode(&record, &mut |n| if full { None } else { names.number(n) }, &mut bytes);
            let again = decode(&bytes, &names, SourceId(3)).unwrap();
            let event = |r: &Record<'_>| Event::new(r, &Source::default(), &Clock::default());
            assert_eq!(event(&again), event(&record));
            assert_eq!(again.fields, record.fields);
            for cut in 0..bytes.len() {
                assert!(decode(&bytes[..cut], &names, SourceId(3)).is_none(), "{cut}");
            }
        }
    }
}
