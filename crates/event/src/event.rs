//! The owned form of a record, for what is shown or kept.

use crate::field::{Key, Name};
use crate::fields::Field;
use crate::record::{Origin, Record};
use crate::severity::Severity;
use crate::source::Source;
use crate::stamp::{Basis, Clock, Stamp, rfc3339};
use crate::value::Value;
use serde_json::{Map, Number, Value as Json};

/// A value that owns its text.
#[derive(Clone, Debug, PartialEq)]
pub enum Owned {
    /// Text.
    Str(String),
    /// See [`Value::Int`].
    Int(i64),
    /// See [`Value::Float`].
    Float(f64),
    /// See [`Value::Duration`].
    Duration(i64),
    /// See [`Value::Bool`].
    Bool(bool),
}

impl Owned {
    /// The borrowed form.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Owned::Str(s) => Value::Str(s),
            Owned::Int(n) => Value::Int(*n),
            Owned::Float(x) => Value::Float(*x),
            Owned::Duration(n) => Value::Duration(*n),
            Owned::Bool(b) => Value::Bool(*b),
        }
    }
}

impl From<Value<'_>> for Owned {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Str(s) => Owned::Str(s.to_string()),
            Value::Int(n) => Owned::Int(n),
            Value::Float(x) => Owned::Float(x),
            Value::Duration(n) => Owned::Duration(n),
            Value::Bool(b) => Owned::Bool(b),
        }
    }
}

/// One event, owning everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Path of the source.
    pub source: String,
    /// Where it stands.
    pub origin: Origin,
    /// The instant in UTC nanoseconds, once the source's clock is known.
    pub time: Option<i64>,
    /// How the instant was known.
    pub basis: Option<Basis>,
    /// The stamp as written.
    pub stamp: Option<Stamp>,
    /// The time is the one of the record before.
    pub inherited: bool,
    /// The stamp cannot be right, as a note says.
    pub doubtful: bool,
    /// How severe.
    pub severity: Option<Severity>,
    /// Name of the innermost format.
    pub format: String,
    /// The message for people.
    pub body: String,
    /// Fields in the order of the record; names may repeat.
    pub fields: Vec<(String, Owned)>,
    /// The record as it stood in the file.
    pub text: String,
    /// Remarks of the reader.
    pub notes: Vec<&'static str>,
}

impl Event {
    /// Makes an event of a record, its time by the clock of its source.
    pub fn new(record: &Record<'_>, source: &Source, clock: &Clock) -> Self {
        Event {
            source: source.path.clone(),
            origin: record.origin,
            time: record.stamp.map(|s| clock.instant(&s)),
            basis: record.stamp.map(|s| if record.inherited { Basis::Inherited } else { clock.basis(&s) }),
            stamp: record.stamp,
            inherited: record.inherited,
            doubtful: record.doubtful,
            severity: record.severity,
            format: record.format.to_string(),
            body: record.body.to_string(),
            fields: record.fields.iter().map(|f| (f.name.as_str().to_string(), f.value.into())).collect(),
            text: record.text.to_string(),
            notes: record.notes.clone(),
        }
    }

    /// The borrowed form, for asking queries of it.
    pub fn as_record(&self) -> Record<'_> {
        Record {
            text: &self.text,
            origin: self.origin,
            stamp: self.stamp,
            inherited: self.inherited,
            doubtful: self.doubtful,
            envelope_stamp: None,
            severity: self.severity,
            format: &self.format,
            body: &self.body,
            fields: self
                .fields
                .iter()
                .map(|(name, value)| Field {
                    name: Key::find(name).filter(|k| k.name() == name).map_or(Name::Other(name), Name::Known),
                    value: value.as_value(),
                })
                .collect(),
            notes: self.notes.clone(),
        }
    }

    /// The event as contract.md describes it. A field that occurs several times becomes an array.
    pub fn to_json(&self) -> Json {
        let mut event = Map::new();
        event.insert("source".into(), Json::from(self.source.as_str()));
        event.insert("line".into(), Json::from(self.origin.line));
        event.insert("lines".into(), Json::from(self.origin.lines));
        event.insert("offset".into(), Json::from(self.origin.offset));
        event.insert("length".into(), Json::from(self.origin.length));
        if let Some(time) = self.time {
            event.insert("timestamp".into(), Json::from(rfc3339(time, self.stamp.map_or(9, |s| s.digits))));
        }
        if let Some(basis) = self.basis {
            event.insert("time.basis".into(), Json::from(basis.as_str()));
        }
        if let Some(severity) = self.severity {
            event.insert("severity_text".into(), Json::from(severity.as_str()));
            event.insert("severity_number".into(), Json::from(severity.number()));
        }
        event.insert("format".into(), Json::from(self.format.as_str()));
        event.insert("body".into(), Json::from(self.body.as_str()));
        let mut attributes: Map<String, Json> = Map::new();
        for (name, value) in &self.fields {
            let value = to_json(value);
            match attributes.get_mut(name) {
                None => {
                    attributes.insert(name.clone(), value);
                }
                Some(Json::Array(list)) => list.push(value),
                Some(first) => {
                    let old = first.take();
                    *first = Json::Array(vec![old, value]);
                }
            }
        }
        event.insert("attributes".into(), Json::Object(attributes));
        if !self.notes.is_empty() {
            event.insert("notes".into(), Json::from(self.notes.iter().map(|n| Json::from(*n)).collect::<Vec<_>>()));
        }
        Json::Object(event)
    }
}

fn to_json(value: &Owned) -> Json {
    match value {
        Owned::Str(s) => Json::from(s.as_str()),
        Owned::Int(n) => Json::from(*n),
        Owned::Bool(b) => Json::from(*b),
        Owned::Float(x) => Number::from_f64(*x).map_or(Json::Null, Json::Number),
        Owned::Duration(ns) => Number::from_f64(*ns as f64 / 1e9).map_or(Json::Null, Json::Number),
    }
}
