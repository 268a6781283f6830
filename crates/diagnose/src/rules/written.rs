//! Rule files as they are written: the shape of the YAML, and the plain form that it becomes.
//!
//! This file is also compiled into the build script, which packs the built-in rules; so it knows nothing but serde.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_saphyr::Spanned;
use std::fmt;

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

impl From<Spanned<String>> for At {
    fn from(s: Spanned<String>) -> Self {
        At { line: s.referenced.line(), column: s.referenced.column(), text: s.value }
    }
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
    /// The text of the file, for messages that show its lines; empty for the built-in files.
    #[serde(skip)]
    pub text: String,
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

/// A fault.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Fault {
    /// Id.
    pub id: At,
    /// One line for people.
    pub title: String,
    /// Users feel it.
    pub symptom: bool,
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
    /// Whose: `target` (the accused) or `host`.
    pub of: String,
    /// Which.
    pub log: String,
    /// How to get it.
    pub command: String,
}

/// Reads a rule file. The error says where and what.
pub fn read(name: &str, yaml: &str) -> Result<File, String> {
    let raw: RawFile = serde_saphyr::from_str(yaml).map_err(|e| format!("{name}: {e}"))?;
    Ok(File { text: yaml.to_string(), ..raw.plain(name)? })
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    signals: Entries<RawSignal>,
    #[serde(default)]
    faults: Entries<RawFault>,
    #[serde(default)]
    formats: Entries<RawFormat>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFormat {
    title: String,
    pattern: Option<Spanned<String>>,
    nginx: Option<Spanned<String>>,
    apache: Option<Spanned<String>>,
    postgres: Option<Spanned<String>>,
    haproxy: Option<Spanned<String>>,
    timestamp: Option<Spanned<String>>,
    zone: Option<Spanned<String>>,
    #[serde(default)]
    units: Entries<Spanned<String>>,
    starts: Option<Spanned<String>>,
    #[serde(default)]
    files: Vec<Spanned<String>>,
    #[serde(default)]
    samples: Vec<RawSample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSample {
    text: Option<Spanned<String>>,
    not: Option<Spanned<String>>,
    #[serde(default)]
    fields: Entries<Wanted>,
}

/// A mapping whose order and places are kept.
struct Entries<V>(Vec<(Spanned<String>, V)>);

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Entries(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Each<V> {
            type Value = Entries<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of ids to rules")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut list = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    list.push(entry);
                }
                Ok(Entries(list))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Entries::default())
            }
        }
        deserializer.deserialize_map(Each(std::marker::PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignal {
    title: String,
    query: Option<Spanned<String>>,
    entity: Option<Spanned<OneOrMany>>,
    #[serde(default)]
    origin: Option<OneOrMany>,
    #[serde(default)]
    examples: RawExamples,
    #[serde(default)]
    quiet: bool,
    count: Option<RawCount>,
    #[serde(default)]
    until: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawExamples {
    #[serde(default, rename = "match")]
    matching: Vec<Spanned<String>>,
    #[serde(default, rename = "ignore")]
    ignoring: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount {
    of: Spanned<String>,
    at_least: u64,
    within: Spanned<String>,
    by: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFault {
    title: String,
    #[serde(default)]
    symptom: bool,
    #[serde(default)]
    explains: Vec<RawExplains>,
    #[serde(default)]
    evidence: Vec<RawEvidence>,
    because: Option<RawBecause>,
    #[serde(default)]
    advice: RawAdvice,
    #[serde(default)]
    missing: Vec<RawMissing>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExplains {
    fault: Spanned<String>,
    through: Option<Spanned<String>>,
    #[serde(default, rename = "within")]
    _within: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvidence {
    signal: Spanned<String>,
    strength: Spanned<Strength>,
    speaks: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Strength {
    Number(f64),
    Word(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBecause {
    any: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawAdvice {
    #[serde(default)]
    check: Vec<String>,
    #[serde(default)]
    fix: Vec<String>,
    #[serde(default)]
    prevent: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMissing {
    of: Option<String>,
    log: String,
    #[serde(default)]
    command: String,
}

const THROUGH: &[&str] = &["upstream", "dependency", "host", "same", "any"];

impl RawFile {
    fn plain(self, name: &str) -> Result<File, String> {
        let mut file = File { name: name.to_string(), ..File::default() };
        for (id, raw) in self.signals.0 {
            file.signals.push(raw.plain(name, id.into())?);
        }
        for (id, raw) in self.faults.0 {
            file.faults.push(raw.plain(name, id.into())?);
        }
        for (id, raw) in self.formats.0 {
            file.formats.push(raw.plain(name, id.into())?);
        }
        Ok(file)
    }
}

impl RawSignal {
    fn plain(self, name: &str, id: At) -> Result<Signal, String> {
        let entity = match self.entity {
            None => Vec::new(),
            Some(spanned) => {
                let (line, column) = (spanned.referenced.line(), spanned.referenced.column());
                let names = match spanned.value {
                    OneOrMany::One(one) => vec![one],
                    OneOrMany::Many(many) => many,
                };
                names.into_iter().map(|text| At { text, line, column }).collect()
            }
        };
        let origin = match self.origin {
            None => String::new(),
            Some(OneOrMany::One(one)) => one,
            Some(OneOrMany::Many(many)) => many.join("; "),
        };
        let count = match self.count {
            None => None,
            Some(raw) => {
                let within = At::from(raw.within);
                let seconds = seconds(&within.text).ok_or_else(|| {
                    format!(
                        "{name}:{}:{}: `{}` is no length of time; write for instance `1m` or `30s`",
                        within.line, within.column, within.text
                    )
                })?;
                Some(Count { of: raw.of.into(), at_least: raw.at_least, within: seconds, by: raw.by.map(At::from) })
            }
        };
        Ok(Signal {
            id,
            title: self.title,
            query: self.query.map(At::from),
            entity,
            origin,
            matching: self.examples.matching.into_iter().map(At::from).collect(),
            ignoring: self.examples.ignoring.into_iter().map(At::from).collect(),
            quiet: self.quiet,
            count,
            until: self.until.into_iter().map(At::from).collect(),
        })
    }
}

impl RawFormat {
    fn plain(self, name: &str, id: At) -> Result<Format, String> {
        let told = [
            ("pattern", self.pattern),
            ("nginx", self.nginx),
            ("apache", self.apache),
            ("postgres", self.postgres),
            ("haproxy", self.haproxy),
        ];
        Ok(Format {
            told: told.into_iter().filter_map(|(key, text)| Some((key.to_string(), text?.into()))).collect(),
            title: self.title,
            timestamp: self.timestamp.map(At::from),
            zone: self.zone.map(At::from),
            units: self.units.0.into_iter().map(|(group, unit)| (group.into(), unit.into())).collect(),
            starts: self.starts.map(At::from),
            files: self.files.into_iter().map(At::from).collect(),
            samples: self.samples.into_iter().map(|raw| raw.plain(name, &id)).collect::<Result<_, _>>()?,
            provides: Vec::new(),
            id,
        })
    }
}

impl RawSample {
    fn plain(self, name: &str, id: &At) -> Result<Sample, String> {
        let fields: Vec<(At, Wanted)> = self.fields.0.into_iter().map(|(field, value)| (field.into(), value)).collect();
        match (self.text, self.not) {
            (Some(text), None) => Ok(Sample { text: text.into(), reads: true, fields }),
            (None, Some(text)) if fields.is_empty() => Ok(Sample { text: text.into(), reads: false, fields }),
            (None, Some(text)) => {
                let at = At::from(text);
                Err(format!("{name}:{}:{}: a line that must not be read has no fields; leave `fields` out", at.line, at.column))
            }
            (Some(text), Some(_)) => {
                let at = At::from(text);
                Err(format!(
                    "{name}:{}:{}: a sample is either `text` (to be read) or `not` (not to be read); write two",
                    at.line, at.column
                ))
            }
            (None, None) => {
                let (line, column) = (id.line, id.column);
                Err(format!("{name}:{line}:{column}: a sample of `{}` has neither `text` nor `not`", id.text))
            }
        }
    }
}

impl RawFault {
    fn plain(self, name: &str, id: At) -> Result<Fault, String> {
        let mut explains = Vec::new();
        for raw in self.explains {
            let through = raw.through.map(At::from);
            if let Some(t) = through.as_ref().filter(|t| !THROUGH.contains(&t.text.as_str())) {
                return Err(format!(
                    "{name}:{}:{}: `through: {}` is unknown; it is one of {}",
                    t.line,
                    t.column,
                    t.text,
                    THROUGH.join(", ")
                ));
            }
            explains.push(Explains { fault: raw.fault.into(), through: through.map_or_else(|| "any".into(), |t| t.text) });
        }
        let mut evidence = Vec::new();
        for raw in self.evidence {
            let (line, column) = (raw.strength.referenced.line(), raw.strength.referenced.column());
            let strength = match raw.strength.value {
                Strength::Number(n) if n >= 1.0 => n,
                Strength::Number(n) => {
                    return Err(format!("{name}:{line}:{column}: a strength of {n} is below 1; for the opposite write `speaks: against`"));
                }
                Strength::Word(word) => match word.as_str() {
                    "weak" => 2.0,
                    "supporting" => 4.0,
                    "strong" => 12.0,
                    "conclusive" => 60.0,
                    other => {
                        return Err(format!(
                            "{name}:{line}:{column}: strength `{other}` is unknown; it is weak, supporting, strong, conclusive or a number"
                        ));
                    }
                },
            };
            let speaks = raw.speaks.map(At::from);
            let against = match speaks.as_ref().map(|s| s.text.as_str()) {
                None | Some("for") => false,
                Some("against") => true,
                Some(other) => {
                    let at = speaks.as_ref().map_or((0, 0), |s| (s.line, s.column));
                    return Err(format!("{name}:{}:{}: `speaks: {other}` is unknown; it is `for` or `against`", at.0, at.1));
                }
            };
            evidence.push(Evidence { signal: raw.signal.into(), strength, against });
        }
        Ok(Fault {
            id,
            title: self.title,
            symptom: self.symptom,
            explains,
            evidence,
            because: self.because.map(|b| b.any.into_iter().map(At::from).collect()).unwrap_or_default(),
            check: self.advice.check,
            fix: self.advice.fix,
            prevent: self.advice.prevent,
            missing: self
                .missing
                .into_iter()
                .map(|m| Missing { of: m.of.unwrap_or_else(|| "target".into()), log: m.log, command: m.command })
                .collect(),
        })
    }
}

/// Seconds of `90`, `90s`, `5m`, `2h`, `1d`.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let unit = match text.get(digits..)?.trim() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    number.checked_mul(unit)
}
