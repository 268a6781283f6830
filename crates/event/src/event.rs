//! The owned form of a record, for what is shown or kept.

use crate::field::{Key, Name};
use crate::fields::Field;
use crate::record::{Origin, Record};
use crate::severity::Severity;
use crate::shown::{Shown, basis};
use crate::source::Source;
use crate::stamp::{Basis, Clock, Stamp};
use crate::value::Value;

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
            basis: basis(record, clock),
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

    /// The event as it is shown.
    pub fn shown(&self) -> Shown<'_, impl Iterator<Item = (Name<'_>, Value<'_>)> + Clone> {
        Shown {
            source: &self.source,
            origin: self.origin,
            time: self.time.map(|time| (time, self.stamp.map_or(9, |stamp| stamp.digits))),
            basis: self.basis,
            severity: self.severity,
            format: &self.format,
            body: &self.body,
            fields: self.fields.iter().map(|(name, value)| (Name::Other(name), value.as_value())),
            notes: &self.notes,
        }
    }

    /// The same as a value of JSON.
    pub fn to_json(&self) -> serde_json::Value {
        // A map with keys of text can always be one.
        serde_json::to_value(self.shown()).unwrap_or_default()
    }
}
