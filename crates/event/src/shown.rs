//! An event as people and programs are shown it: the form that contract and README describe, ready to be written.

use crate::field::{Key, Name};
use crate::record::{Origin, Record};
use crate::severity::Severity;
use crate::source::Source;
use crate::stamp::{Basis, Clock, rfc3339};
use crate::value::Value;
use rustc_hash::FxHashMap;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The parts of an event; serialised, they are the object that one line of JSON holds. A field that occurs several times becomes an array.
#[derive(Clone, Debug)]
pub struct Shown<'s, F> {
    pub(crate) source: &'s str,
    pub(crate) origin: Origin,
    /// UTC nanoseconds, and how many digits of the second's fraction were written.
    pub(crate) time: Option<(i64, u8)>,
    pub(crate) basis: Option<Basis>,
    pub(crate) severity: Option<Severity>,
    pub(crate) format: &'s str,
    pub(crate) body: &'s str,
    pub(crate) fields: F,
    pub(crate) notes: &'s [&'static str],
}

/// A record as it is shown, its time by the clock of its source; nothing of it is copied.
pub fn shown<'s>(
    record: &'s Record<'_>,
    source: &'s Source,
    clock: &Clock,
) -> Shown<'s, impl Iterator<Item = (Name<'s>, Value<'s>)> + Clone> {
    Shown {
        source: &source.path,
        origin: record.origin,
        time: record.stamp.map(|stamp| (clock.instant(&stamp), stamp.digits)),
        basis: basis(record, clock),
        severity: record.severity,
        format: record.format,
        body: record.body,
        fields: record.fields.iter().map(|field| (field.name, field.value)),
        notes: &record.notes,
    }
}

/// How the time of a record was known.
pub(crate) fn basis(record: &Record<'_>, clock: &Clock) -> Option<Basis> {
    record.stamp.map(|stamp| if record.inherited { Basis::Inherited } else { clock.basis(&stamp) })
}

impl<'s, F: Iterator<Item = (Name<'s>, Value<'s>)> + Clone> Serialize for Shown<'s, F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("source", self.source)?;
        map.serialize_entry("line", &self.origin.line)?;
        map.serialize_entry("lines", &self.origin.lines)?;
        map.serialize_entry("offset", &self.origin.offset)?;
        map.serialize_entry("length", &self.origin.length)?;
        if let Some((time, digits)) = self.time {
            map.serialize_entry("timestamp", &rfc3339(time, digits))?;
        }
        if let Some(basis) = self.basis {
            map.serialize_entry("time.basis", basis.as_str())?;
        }
        if let Some(severity) = self.severity {
            map.serialize_entry("severity_text", severity.as_str())?;
            map.serialize_entry("severity_number", &severity.number())?;
        }
        map.serialize_entry("format", self.format)?;
        map.serialize_entry("body", self.body)?;
        map.serialize_entry("attributes", &Attributes(&self.fields))?;
        if !self.notes.is_empty() {
            map.serialize_entry("notes", self.notes)?;
        }
        map.end()
    }
}

struct Attributes<'f, F>(&'f F);

/// So many fields with names of their own are compared with each other; more are looked up in a table.
const MANY: usize = 16;
/// Instead of how often a name occurs: it was written.
const WRITTEN: usize = 0;

impl<'s, F: Iterator<Item = (Name<'s>, Value<'s>)> + Clone> Serialize for Attributes<'_, F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let fields = || self.0.clone();
        let mut map = to.serialize_map(None)?;
        if !may_repeat(fields()) {
            for (name, value) in fields() {
                map.serialize_entry(name.as_str(), &value)?;
            }
            return map.end();
        }
        let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
        fields().for_each(|(name, _)| *counts.entry(name.as_str()).or_default() += 1);
        for (name, value) in fields() {
            let name = name.as_str();
            match counts.insert(name, WRITTEN) {
                Some(WRITTEN) => (),
                None | Some(1) => map.serialize_entry(name, &value)?,
                Some(_) => map.serialize_entry(name, &All(self.0, name))?,
            }
        }
        map.end()
    }
}

/// Whether a name occurs several times, as far as that can be told soon.
fn may_repeat<'s>(fields: impl Iterator<Item = (Name<'s>, Value<'s>)> + Clone) -> bool {
    let mut met = [false; Key::ALL.len()];
    let mut others = 0;
    for (at, (name, _)) in fields.clone().enumerate() {
        match name {
            Name::Known(key) => {
                if met.get_mut(key as usize).is_none_or(|met| std::mem::replace(met, true)) {
                    return true;
                }
            }
            Name::Other(other) => {
                others += 1;
                let before = || fields.clone().take(at).any(|(before, _)| before == name);
                // A name that a key has may be written in both ways.
                if others > MANY || others > 1 && before() || Key::find(other).is_some() {
                    return true;
                }
            }
        }
    }
    false
}

/// All values of a name.
struct All<'f, F>(&'f F, &'f str);

impl<'s, F: Iterator<Item = (Name<'s>, Value<'s>)> + Clone> Serialize for All<'_, F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.clone().filter(|(name, _)| name.as_str() == self.1).map(|(_, value)| value))
    }
}

impl Serialize for Value<'_> {
    /// Lengths of time are numbers of seconds.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match *self {
            Value::Str(text) => to.serialize_str(text),
            Value::Int(number) => to.serialize_i64(number),
            Value::Float(number) => to.serialize_f64(number),
            Value::Duration(nanos) => to.serialize_f64(nanos as f64 / 1e9),
            Value::Bool(is) => to.serialize_bool(is),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    #[test]
    fn what_occurs_several_times_becomes_an_array() {
        let source = Source { path: "a \"b\".log".into(), ..Source::default() };
        let mut record = Record::new("x\u{1}\n", Origin { line: 7, ..Origin::default() });
        record.body = "x\u{1}\n";
        record.notes.push("note");
        record.put(Key::UpstreamAddress, Value::Str("10.0.0.1:80"));
        record.put_other("x", Value::Float(f64::NAN));
        record.put(Key::Duration, Value::Duration(1_500_000_000));
        record.put(Key::UpstreamAddress, Value::Str("10.0.0.2:80"));
        record.put_other("x", Value::Bool(true));
        let clock = Clock::default();
        let want = concat!(
            r#"{"source":"a \"b\".log","line":7,"lines":1,"offset":0,"length":0,"format":"generic","body":"x\u0001\n","attributes":{"#,
            r#""upstream.address":["10.0.0.1:80","10.0.0.2:80"],"x":[null,true],"http.server.request.duration":1.5},"notes":["note"]}"#
        );
        let text = |record: &Record<'_>| serde_json::to_string(&shown(record, &source, &clock)).unwrap();
        assert_eq!(text(&record).replace("\"lines\":0", "\"lines\":1").replace("\"format\":\"\"", "\"format\":\"generic\""), want);
        assert_eq!(text(&record), Event::new(&record, &source, &clock).to_json().to_string());
        // The same where there are many of them.
        let names: Vec<String> = (0..2 * MANY).map(|n| format!("f{n}")).collect();
        names.iter().for_each(|name| record.put_other(name, Value::Int(1)));
        record.put_other(Key::UpstreamAddress.name(), Value::Str("10.0.0.3:80"));
        let many: serde_json::Value = serde_json::from_str(&text(&record)).unwrap();
        let few: serde_json::Value = serde_json::from_str(want).unwrap();
        assert_eq!(many["attributes"]["x"], few["attributes"]["x"]);
        let upstreams = |event: &serde_json::Value| event["attributes"]["upstream.address"].as_array().cloned().unwrap_or_default();
        assert_eq!(upstreams(&many), [upstreams(&few), vec!["10.0.0.3:80".into()]].concat());
        assert_eq!(many["attributes"].as_object().map(serde_json::Map::len), Some(3 + names.len()));
    }
}
