//! Formats that somebody told in plain words ([`FormatSpec`]): a pattern with named groups, or what a server's configuration
//! says of its log.
//!
//! [`compile`] makes a reader of them, or says everything that is wrong, each with its place in the text. Nothing here knows
//! where the words come from.

mod haproxy;
mod line_prefix;
mod names;
mod pasted;
mod pattern;
mod slot;
mod stamps;
mod syntax;
mod why;

use crate::format::{Cx, Fit, Format};
use crate::formats::fill;
use std::ops::Range;
use std::sync::Arc;
use whyline_event::stamp::NANOS;
use whyline_event::{Form, FormatSpec, Key, Notation, Record, Stamp, Value, Zone};

pub use why::{ambiguous_stamp, why_not};

/// Which of the texts of a [`FormatSpec`] is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The pattern, or the text in another notation.
    Text,
    /// The notation of time stamps.
    Timestamp,
    /// The zone.
    Zone,
    /// The name of a group for which a unit is told.
    Group(String),
    /// The unit that is told for the group of this name.
    Unit(String),
    /// What begins a record.
    Starts,
}

/// Something that is wrong with a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// In which text.
    pub part: Part,
    /// The place in that text, in bytes; empty where no single place is wrong.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right; may be empty.
    pub help: String,
    /// The format can be used nevertheless.
    pub is_warning: bool,
}

impl Flaw {
    fn new(part: Part, at: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Flaw {
        Flaw { part, at, message: message.into(), help: help.into(), is_warning: false }
    }

    fn warning(self) -> Flaw {
        Flaw { is_warning: true, ..self }
    }
}

/// A field that a format yields under a name of its own, since the table of fields has none of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnField {
    /// The name.
    pub name: String,
    /// Where the text names it.
    pub at: Range<usize>,
}

/// A format, ready to read.
#[derive(Clone)]
pub struct Compiled {
    /// The reader.
    pub format: Arc<dyn Format>,
    /// Fields that only this format knows.
    pub own_fields: Vec<OwnField>,
    /// Fields of the table that hold a length of time and whose unit is not told: bare numbers in them are kept as text.
    pub durations: Vec<Key>,
    /// What should be looked at.
    pub warnings: Vec<Flaw>,
}

/// Makes a reader of a format, or says everything that is wrong with it.
pub fn compile(spec: &FormatSpec) -> Result<Compiled, Vec<Flaw>> {
    let mut flaws = Vec::new();
    let zone = zone(spec, &mut flaws);
    let made = match spec.notation {
        Notation::Pattern => pattern::compile(spec, &mut flaws),
        Notation::Nginx => pasted::nginx(spec, &mut flaws),
        Notation::Apache => pasted::apache(spec, &mut flaws),
        Notation::Postgres => line_prefix::compile(spec, &mut flaws),
        Notation::Haproxy => haproxy::compile(spec, &mut flaws),
    };
    let (warnings, errors): (Vec<Flaw>, Vec<Flaw>) = flaws.into_iter().partition(|f| f.is_warning);
    match made {
        Some(made) if errors.is_empty() => {
            let program = match spec.notation {
                Notation::Pattern => None,
                Notation::Nginx => Some("nginx"),
                Notation::Apache => Some("apache"),
                Notation::Postgres => Some("postgresql"),
                Notation::Haproxy => Some("haproxy"),
            };
            let told = Told { inner: made.inner, name: names::intern(&spec.name), program, zone, files: spec.files.clone(), bonus: 0 };
            Ok(Compiled { format: Arc::new(told), own_fields: made.own_fields, durations: made.durations, warnings })
        }
        _ => Err(errors),
    }
}

/// What the single notations yield.
struct Made {
    inner: Arc<dyn Format>,
    own_fields: Vec<OwnField>,
    durations: Vec<Key>,
}

fn zone(spec: &FormatSpec, flaws: &mut Vec<Flaw>) -> Option<Zone> {
    let text = spec.zone.as_deref()?;
    let zone = Zone::parse(text);
    if zone.is_none() {
        let help = "write `UTC`, an offset like `+02:00`, or a name like `Europe/Berlin`";
        flaws.push(Flaw::new(Part::Zone, 0..text.len(), format!("`{text}` is no time zone"), help));
    }
    zone
}

/// A format under the name that it was given, with what was told beside its text.
#[derive(Clone)]
struct Told {
    inner: Arc<dyn Format>,
    name: &'static str,
    /// The program that writes such lines, where the notation is that of one program.
    program: Option<&'static str>,
    zone: Option<Zone>,
    files: Vec<String>,
    /// Added to the fit in files that were named as likely.
    bonus: Fit,
}

/// How much a likely path adds to the fit: enough to decide between equals, never more.
const LIKELY: Fit = 4;

impl Format for Told {
    fn name(&self) -> &'static str {
        self.name
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let before = record.stamp;
        let fit = self.inner.read(cx, text, record)?;
        record.format = self.name;
        if let (Some(zone), Some(stamp)) = (&self.zone, record.stamp)
            && record.stamp != before
        {
            record.stamp = Some(in_zone(stamp, zone));
        }
        if let Some(program) = self.program {
            fill::once(record, Key::ProcessName, Value::Str(program));
        }
        Some(fit.saturating_add(self.bonus).min(100))
    }

    fn starts(&self, cx: &Cx<'_>, line: &str) -> bool {
        self.inner.starts(cx, line)
    }

    fn block(&self) -> bool {
        self.inner.block()
    }

    fn for_source(&self, path: &str) -> Option<Arc<dyn Format>> {
        let likely = self.files.iter().any(|pattern| crate::reading::glob(pattern, path));
        likely.then(|| Arc::new(Told { bonus: LIKELY, ..self.clone() }) as Arc<dyn Format>)
    }
}

/// A local stamp with its date, in the zone that was told for it. Others stay as they are.
fn in_zone(stamp: Stamp, zone: &Zone) -> Stamp {
    if stamp.form != Form::Civil {
        return stamp;
    }
    let nanos = zone.to_utc(stamp.nanos);
    let offset = i32::try_from((stamp.nanos.saturating_sub(nanos)) / NANOS).unwrap_or(0);
    Stamp { nanos, form: Form::Explicit, offset: Some(offset), digits: stamp.digits }
}

#[cfg(test)]
mod tests;
