//! One log record as reading yields it: borrowed, cheap, complete.

use crate::field::{Key, Name};
use crate::fields::{Field, Fields};
use crate::severity::Severity;
use crate::source::SourceId;
use crate::stamp::Stamp;
use crate::value::Value;

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Origin {
    /// The source.
    pub source: SourceId,
    /// First line, from 1.
    pub line: u64,
    /// Number of physical lines, blank lines inside a record included.
    pub lines: u32,
    /// Byte offset of the first byte in the unpacked source.
    pub offset: u64,
    /// Number of bytes, without the final line end.
    pub length: u64,
}

/// The names of formats that are the output of commands begin with this.
pub const SNAPSHOT: &str = "command.";

/// The value of [`Key::EventKind`] of a record that shows a state.
pub const STATE: &str = "state";

/// One log record. All text is borrowed from the chunk that is being read, or from the arena of that chunk.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The whole record as text; bytes that are no UTF-8 are replaced by U+FFFD. Lines are separated by `\n`.
    pub text: &'a str,
    /// Where it stands.
    pub origin: Origin,
    /// When, as written. `None` when no time was found and none could be inherited.
    pub stamp: Option<Stamp>,
    /// The time is the one of the record before.
    pub inherited: bool,
    /// The stamp cannot be right, as a note says: it is shown, and nothing is concluded from when it says the record was written.
    pub doubtful: bool,
    /// The stamp of the nearest envelope, where the message inside has one of its own: it settles the zone of one without.
    pub envelope_stamp: Option<Stamp>,
    /// How severe.
    pub severity: Option<Severity>,
    /// Name of the innermost format (`nginx.error`).
    pub format: &'a str,
    /// The message for people; see contract.md for what that is in each format.
    pub body: &'a str,
    /// Everything else.
    pub fields: Fields<'a>,
    /// Remarks of the reader: a body that was cut, bytes that were no text.
    pub notes: Vec<&'static str>,
}

impl<'a> Record<'a> {
    /// A record of which only the text is known yet.
    pub fn new(text: &'a str, origin: Origin) -> Self {
        Record {
            text,
            origin,
            stamp: None,
            inherited: false,
            doubtful: false,
            envelope_stamp: None,
            severity: None,
            format: "generic",
            body: text,
            fields: Fields::default(),
            notes: Vec::new(),
        }
    }

    /// Makes this a record of which only the text is known yet, in the room of the one before.
    #[inline]
    pub fn begin(&mut self, text: &'a str, origin: Origin) {
        self.text = text;
        self.origin = origin;
        self.stamp = None;
        self.inherited = false;
        self.doubtful = false;
        self.envelope_stamp = None;
        self.severity = None;
        self.format = "generic";
        self.body = text;
        self.fields.clear();
        self.notes.clear();
    }

    /// Whether the record is output of a command that was run to look at a system, rather than a log line.
    pub fn is_snapshot(&self) -> bool {
        self.format.starts_with(SNAPSHOT)
    }

    /// Whether the record shows how things stood when a command was run: its time is when that was, not when it came about.
    pub fn is_state(&self) -> bool {
        self.is_snapshot() && self.str(Key::EventKind) == Some(STATE)
    }

    /// Adds a field.
    #[inline]
    pub fn put(&mut self, key: Key, value: Value<'a>) {
        self.fields.push(Field { name: Name::Known(key), value });
    }

    /// Adds a text field, unless the text is empty or the dash that logs write for "none".
    #[inline]
    pub fn put_str(&mut self, key: Key, text: &'a str) {
        if !text.is_empty() && text != "-" {
            self.put(key, Value::Str(text));
        }
    }

    /// Adds a whole number written in decimal; anything else is kept as text, so that nothing is lost.
    pub fn put_int(&mut self, key: Key, text: &'a str) {
        match text.parse() {
            Ok(number) => self.put(key, Value::Int(number)),
            Err(_) => self.put_str(key, text),
        }
    }

    /// Adds a field under a name of the writer's own.
    #[inline]
    pub fn put_other(&mut self, name: &'a str, value: Value<'a>) {
        self.fields.push(Field { name: Name::Other(name), value });
    }

    /// The first value of a field.
    #[inline]
    pub fn get(&self, key: Key) -> Option<Value<'a>> {
        if !self.fields.may_have(key) {
            return None;
        }
        self.fields.iter().find(|f| f.name == Name::Known(key)).map(|f| f.value)
    }

    /// The last value of a field: of the upstreams that were tried, the one that decided.
    #[inline]
    pub fn last(&self, key: Key) -> Option<Value<'a>> {
        if !self.fields.may_have(key) {
            return None;
        }
        self.fields.iter().rev().find(|f| f.name == Name::Known(key)).map(|f| f.value)
    }

    /// The first value of a field, if it is text.
    pub fn str(&self, key: Key) -> Option<&'a str> {
        self.get(key).and_then(|v| v.as_str())
    }

    /// The first value of a field, if it is a whole number.
    pub fn int(&self, key: Key) -> Option<i64> {
        self.get(key).and_then(|v| v.as_int())
    }

    /// Whether the field is there.
    #[inline]
    pub fn has(&self, key: Key) -> bool {
        self.fields.may_have(key) && self.fields.iter().any(|f| f.name == Name::Known(key))
    }

    /// All values of a field of any name, in order.
    pub fn values<'s>(&'s self, name: Name<'s>) -> impl Iterator<Item = Value<'a>> + 's {
        self.fields.iter().filter(move |f| f.name == name).map(|f| f.value)
    }

    /// The name under which a record has a field: that of the table, or else one of its writer's own.
    pub fn either<'n>(&self, key: Key, own: &'n str) -> Name<'n> {
        if self.has(key) { Name::Known(key) } else { Name::Other(own) }
    }

    /// Sets the severity from a level word and keeps the word. A word that is no level is kept all the same.
    pub fn set_level(&mut self, word: &'a str) {
        if let Some(severity) = Severity::from_word(word) {
            self.severity = Some(severity);
        }
        self.put_str(Key::Level, word);
    }
}
