//! Rule files in their plain form: what the YAML of a rule file becomes. `yaml` reads it as a tree and `slips` says what is no YAML; `entries`
//! reads each rule by itself, with the help of `keys`.
//!
//! This file and those below it are also compiled into the build script, which packs the built-in rules; so they know nothing but serde
//! and a parser of YAML.

use serde::{Deserialize, Serialize};

#[path = "entries.rs"]
mod entries;
#[path = "keys.rs"]
mod keys;
#[path = "near.rs"]
pub mod near;
#[path = "slips.rs"]
mod slips;
#[path = "yaml.rs"]
mod yaml;

/// A text with its place in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// The text.
    pub text: String,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
}

/// Something that is wrong with how a rule file is written. The rest of the file is read all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Where; without a line the whole file is meant.
    pub at: At,
    /// What is wrong.
    pub message: String,
    /// What would be right; may be empty.
    pub help: String,
}

/// A rule file in its plain form.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct File {
    /// Name of the file, for messages.
    pub name: String,
    /// Signals in the order of the file.
    pub signals: Vec<Signal>,
    /// Faults in the order of the file.
    pub faults: Vec<Fault>,
    /// Formats in the order of the file.
    #[serde(default)]
    pub formats: Vec<Format>,
    /// Records that some signals must not hear.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// Ids of signals, measures and faults, with wildcards, that do not count.
    #[serde(default)]
    pub off: Vec<At>,
    /// The text of the file, for messages that show its lines; empty for the built-in files.
    #[serde(skip)]
    pub text: String,
    /// What is wrong with its shape.
    #[serde(skip)]
    pub problems: Vec<Problem>,
}

/// A format.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Format {
    /// Name, as records and queries call it.
    pub id: At,
    /// One line for people.
    pub title: String,
    /// The notations in which it is told (`pattern`, `nginx` ...), with their texts; one, unless something is wrong.
    pub told: Vec<(String, At)>,
    /// How time stamps are written.
    pub timestamp: Option<At>,
    /// Zone of stamps that carry none.
    pub zone: Option<At>,
    /// Units of durations that are written as bare numbers.
    pub units: Vec<(At, At)>,
    /// What the first line of a record looks like.
    pub starts: Option<At>,
    /// Globs over likely paths.
    pub files: Vec<At>,
    /// Records that must be read, and such that must not.
    pub samples: Vec<Sample>,
    /// Fields that only this format knows. Whoever compiles the format fills them in.
    #[serde(default)]
    pub provides: Vec<String>,
    /// Something is wrong with its shape, so it may lack what stands in the file.
    #[serde(skip)]
    pub flawed: bool,
}

/// A sample of a format.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sample {
    /// The record.
    pub text: At,
    /// It must be read; else it must not.
    pub reads: bool,
    /// Fields with the values that must be read.
    pub fields: Vec<(At, Wanted)>,
}

/// A value that a sample must yield.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// The field must be absent.
    #[default]
    Nothing,
    /// Yes or no.
    Bool(bool),
    /// A number; lengths of time in seconds.
    Number(f64),
    /// Text.
    Text(String),
    /// Several values, in order.
    List(Vec<Wanted>),
}

/// A signal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Signal {
    /// Id.
    pub id: At,
    /// One line for people.
    pub title: String,
    /// The query, unless it is a compound signal.
    pub query: Option<At>,
    /// Field names of which the first present names the accused.
    pub entity: Vec<At>,
    /// Where the authors define the message.
    pub origin: String,
    /// Lines that must match.
    pub matching: Vec<At>,
    /// Lines that must not.
    pub ignoring: Vec<At>,
    /// No fault needs to refer to it.
    pub quiet: bool,
    /// A compound signal: many hits for one entity.
    pub count: Option<Count>,
    /// The signal begins a state; these end it (at the same machine).
    pub until: Vec<At>,
    /// What it tells of may have begun so many seconds before it can be told.
    pub after: u64,
    /// Something is wrong with its shape, so it may lack what stands in the file.
    #[serde(skip)]
    pub flawed: bool,
}

/// Many hits of one signal for one entity.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Count {
    /// The signal that is counted.
    pub of: At,
    /// At least so many.
    pub at_least: u64,
    /// Within so many seconds.
    pub within: u64,
    /// The field by whose value hits are grouped.
    pub by: Option<At>,
}

/// Records that some signals must not hear (Sigma calls such a rule a filter).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Filter {
    /// Id.
    pub id: At,
    /// One line for people: why these records say nothing.
    pub title: String,
    /// Ids of signals, with wildcards.
    pub signals: Vec<At>,
    /// What the records have in common.
    pub query: At,
    /// Lines that must be kept away.
    pub matching: Vec<At>,
    /// Lines that must not.
    pub ignoring: Vec<At>,
    /// Something is wrong with its shape, so it may lack what stands in the file.
    #[serde(skip)]
    pub flawed: bool,
}

/// A fault.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Fault {
    /// Id.
    pub id: At,
    /// It adds to the fault of this id that is defined elsewhere.
    #[serde(default)]
    pub extends: bool,
    /// One line for people.
    pub title: String,
    /// Users feel it.
    pub symptom: bool,
    /// It is a fault of those who speak of it, rather than of what they name.
    pub of_speaker: bool,
    /// What it leads to.
    pub explains: Vec<Explains>,
    /// What speaks for and against it.
    pub evidence: Vec<Evidence>,
    /// Deeper reasons.
    pub because: Vec<At>,
    /// What to look at.
    pub check: Vec<String>,
    /// What to do.
    pub fix: Vec<String>,
    /// How to keep it from happening again.
    pub prevent: Vec<String>,
    /// Logs that would decide.
    pub missing: Vec<Missing>,
    /// Something is wrong with its shape, so it may lack what stands in the file.
    #[serde(skip)]
    pub flawed: bool,
}

/// An edge upwards.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Explains {
    /// The fault that follows.
    pub fault: At,
    /// How the two are connected.
    pub through: String,
}

/// A piece of evidence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The signal.
    pub signal: At,
    /// Likelihood ratio.
    pub strength: f64,
    /// It speaks against the fault.
    pub against: bool,
}

/// A log that would decide.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Missing {
    /// Whose: `target` (the accused), `host` (its machine), `dependency` (the store that it uses), `proxy`, `resolver`, `network`, or `both` ends.
    pub of: String,
    /// The fault is not sure without it.
    pub needed: bool,
    /// Signals that make it sure without the log: where one of them speaks for it.
    pub unless: Vec<At>,
    /// Which.
    pub log: String,
    /// How to get it.
    pub command: String,
}

/// Reads a rule file. What is wrong with it is among the [`File::problems`].
pub fn read(name: &str, yaml: &str) -> File {
    entries::file(name, yaml)
}
