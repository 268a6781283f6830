//! Formats told as a regular expression with named groups.

use super::slot::{Slot, unit};
use super::stamps::Stamps;
use super::syntax::{Expression, expression};
use super::{Flaw, Made, OwnField, Part};
use crate::format::{Cx, Fit, Format};
use crate::formats::access::Unit;
use crate::formats::cursor::first_line;
use crate::formats::{exception, message};
use crate::stamp;
use regex::Regex;
use std::ops::Range;
use std::sync::Arc;
use whyline_event::{Form, FormatSpec, Key, Kind, Record, Stamp};

/// Most named groups of a pattern.
const MOST_GROUPS: usize = 64;
/// A pattern alone: somebody wrote it for these very lines.
const BASE: usize = 40;
/// No pattern is surer than this: the readers of single programs check more than a pattern can.
const SUREST: usize = 94;

/// A pattern, ready.
struct Pattern {
    regex: Regex,
    /// Number of the group and what it fills; the time first.
    groups: Vec<(usize, Slot)>,
    /// The notation of stamps, where it was told.
    stamps: Option<Stamps>,
    /// What begins a record.
    starts: Option<Regex>,
    /// The pattern is asked of all lines of a record, not only of the first.
    spans_lines: bool,
    /// The text is the message of a program, not the trace of a request.
    is_message: bool,
    fit: Fit,
}

/// Compiles a pattern.
pub fn compile(spec: &FormatSpec, flaws: &mut Vec<Flaw>) -> Option<Made> {
    let before = flaws.len();
    let made = expression(&spec.text, &Part::Text, flaws);
    let starts = spec.starts.as_deref().and_then(|text| expression(text, &Part::Starts, flaws));
    let stamps = spec.timestamp.as_deref().and_then(|notation| stamps(notation, flaws));
    let units = units(spec, flaws);
    let expression = made?;
    let named = named(&spec.text, &expression.regex, &units);
    complain(spec, &expression, &named, flaws);
    if flaws[before..].iter().any(|f| !f.is_warning) {
        return None;
    }
    let mut groups: Vec<(usize, Slot)> = named.iter().map(|g| (g.number, g.slot)).collect();
    groups.sort_by_key(|(number, slot)| (*slot != Slot::Time, *number));
    let own_fields =
        named.iter().filter(|g| matches!(g.slot, Slot::Own(..))).map(|g| OwnField { name: g.name.clone(), at: g.at.clone() }).collect();
    let durations = named
        .iter()
        .filter_map(|g| match g.slot {
            Slot::Field(key, None) if key.kind() == Kind::Duration => Some(key),
            _ => None,
        })
        .collect();
    let pattern = Pattern {
        fit: fit(&expression, &named),
        regex: expression.regex,
        groups,
        stamps,
        starts: starts.map(|s| s.regex),
        spans_lines: expression.spans_lines,
        is_message: !spec.name.ends_with(".access"),
    };
    Some(Made { inner: Arc::new(pattern), own_fields, durations })
}

/// A named group.
struct Group {
    name: String,
    number: usize,
    slot: Slot,
    /// Where its name stands in the pattern.
    at: Range<usize>,
}

fn named(text: &str, regex: &Regex, units: &[(String, Unit)]) -> Vec<Group> {
    let place = |name: &str| {
        let at = text.find(&format!("<{name}>")).map_or(0, |at| at + 1);
        at..at + name.len()
    };
    let names = regex.capture_names().enumerate().filter_map(|(number, name)| Some((number, name?)));
    names
        .map(|(number, name)| {
            let unit = units.iter().find(|(n, _)| n == name).map(|(_, u)| *u);
            Group { name: name.to_string(), number, slot: Slot::of(name, unit), at: place(name) }
        })
        .collect()
}

fn stamps(notation: &str, flaws: &mut Vec<Flaw>) -> Option<Stamps> {
    match Stamps::new(notation) {
        Ok(stamps) => Some(stamps),
        Err(why) => {
            let message = format!("`{notation}` is no notation of time stamps: {why}");
            let help =
                "it is written as for strptime, with a time of day at least: `%d/%m/%Y %H:%M:%S`, `%.f` for a fraction, `%z` for an offset";
            flaws.push(Flaw::new(Part::Timestamp, 0..notation.len(), message, help));
            None
        }
    }
}

fn units(spec: &FormatSpec, flaws: &mut Vec<Flaw>) -> Vec<(String, Unit)> {
    let mut units = Vec::new();
    for (name, text) in &spec.units {
        match unit(text) {
            Some(unit) => units.push((name.clone(), unit)),
            None => {
                let message = format!("`{text}` is no unit of durations");
                flaws.push(Flaw::new(Part::Unit(name.clone()), 0..text.len(), message, "it is one of s, ms, us, ns"));
            }
        }
    }
    units
}

/// What is wrong with a pattern that can be compiled.
fn complain(spec: &FormatSpec, expression: &Expression, named: &[Group], flaws: &mut Vec<Flaw>) {
    let whole = 0..spec.text.len();
    let has = |slot: Slot| named.iter().any(|g| g.slot == slot);
    if named.is_empty() {
        let help = "name the parts that matter: `(?<timestamp>\\S+ \\S+) \\[(?<level>\\w+)\\] (?<message>.*)`";
        flaws.push(Flaw::new(Part::Text, whole.clone(), "the pattern captures nothing", help));
    } else if expression.fixed == 0 && !has(Slot::Time) {
        let help = "let it demand a time stamp, or a word or mark that only these lines have";
        flaws.push(Flaw::new(Part::Text, whole.clone(), "the pattern fits nearly every line of any log", help));
    }
    if named.len() > MOST_GROUPS {
        let message = format!("the pattern has {} named groups, more than {MOST_GROUPS}", named.len());
        flaws.push(Flaw::new(Part::Text, whole.clone(), message, "name only the parts that matter"));
    }
    if !expression.is_anchored {
        let help = "begin it with `^`; else lines of others that contain such a text are read by it, too";
        flaws.push(Flaw::new(Part::Text, 0..0, "the pattern may begin anywhere in a line", help).warning());
    }
    let field = |key: Key| named.iter().any(|g| matches!(g.slot, Slot::Field(k, _) if k == key));
    let asks = has(Slot::Request) || field(Key::Method) || field(Key::Path) || field(Key::UrlFull);
    if asks && field(Key::Status) && !spec.name.ends_with(".access") {
        let help = format!("call it `{}.access`, unless its text is what the program itself says: rules then leave it alone", spec.name);
        let message = "the pattern reads requests and their status, but the format's name does not say that it is an access log";
        flaws.push(Flaw::new(Part::Text, 0..0, message, help).warning());
    }
    if expression.spans_lines && spec.starts.is_none() {
        let help = "say under `starts:` what the first line of a record looks like";
        flaws.push(Flaw::new(Part::Text, whole, "the pattern goes over several lines, but nothing says where a record begins", help));
    }
    if !has(Slot::Time) {
        let help = "name the group that holds the time stamp `timestamp`";
        let told = [(Part::Timestamp, &spec.timestamp, "timestamp"), (Part::Zone, &spec.zone, "zone")];
        for (part, text, key) in told.into_iter().filter_map(|(p, t, k)| Some((p, t.as_ref()?, k))) {
            flaws.push(Flaw::new(part, 0..text.len(), format!("`{key}` is told, but the pattern captures no time stamp"), help));
        }
    }
    let names: Vec<&str> = named.iter().map(|g| g.name.as_str()).collect();
    let help = format!("units are told for groups that hold a length of time; the groups are {}", names.join(", "));
    for (name, _) in &spec.units {
        let message = match named.iter().find(|g| g.name == *name) {
            None => format!("the pattern has no group `{name}`"),
            Some(Group { slot: Slot::Field(key, _), .. }) if key.kind() != Kind::Duration => {
                format!("`{name}` ({}) is no length of time", key.name())
            }
            Some(Group { slot: Slot::Time | Slot::Level | Slot::Body | Slot::Request, .. }) => format!("`{name}` is no length of time"),
            Some(_) => continue,
        };
        flaws.push(Flaw::new(Part::Group(name.clone()), 0..name.len(), message, help.clone()));
    }
}

/// How specific a pattern is: what it fixes, and what it captures that must have a shape of its own.
fn fit(expression: &Expression, named: &[Group]) -> Fit {
    let has = |slot: Slot| usize::from(named.iter().any(|g| g.slot == slot));
    let base = if expression.is_anchored { BASE } else { BASE / 2 };
    let sum = base + 10 * has(Slot::Time) + 5 * has(Slot::Level) + (expression.fixed * 3).min(40);
    sum.min(SUREST) as Fit
}

impl Pattern {
    fn stamp(&self, text: &str) -> Option<Stamp> {
        match &self.stamps {
            Some(stamps) => stamps.read(text),
            None => whole_stamp(text),
        }
    }
}

/// The stamp that a text is, all of it.
pub fn whole_stamp(text: &str) -> Option<Stamp> {
    let text = text.trim();
    let found = stamp::prefix(text).or_else(|| stamp::clf(text)).or_else(|| stamp::epoch(text));
    found.filter(|(_, used)| *used == text.len()).map(|(stamp, _)| stamp)
}

impl Format for Pattern {
    fn name(&self) -> &'static str {
        "pattern"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = if self.spans_lines { text } else { first_line(text) };
        let line = line.strip_suffix('\r').unwrap_or(line);
        let Some(found) = self.regex.captures(line) else {
            // A record whose first line is as it should be is of this format, even if the rest is not.
            if !self.spans_lines || !self.starts.as_ref()?.is_match(first_line(text)) {
                return None;
            }
            record.body = text;
            if text.contains('\n') {
                record.notes.push("the pattern of its format does not fit this record");
            }
            return Some(self.fit);
        };
        let part = |number: usize| found.get(number).and_then(|m| Some((m.start(), text.get(m.range())?)));
        // A text that holds no time where the time should stand is of another format.
        let mut stamp = None;
        for (number, _) in self.groups.iter().take_while(|(_, slot)| *slot == Slot::Time) {
            if let Some((_, text)) = part(*number) {
                stamp = Some(self.stamp(text)?);
                break;
            }
        }
        if let Some(stamp) = stamp
            && !(stamp.form == Form::TimeOnly && record.stamp.is_some())
        {
            record.stamp = Some(stamp);
        }
        record.body = text;
        for (number, slot) in &self.groups {
            let Some((start, inner)) = part(*number) else { continue };
            if *slot == Slot::Body {
                // A message that ends with its line goes on in the lines that follow.
                let open = start + inner.len() == line.len();
                record.body = if open { text.get(start..).unwrap_or(inner) } else { inner };
            } else {
                slot.put(inner, cx, record);
            }
        }
        if self.is_message {
            exception::fields(record.body, record);
            message::fields(cx, record.body, record);
        }
        Some(self.fit)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        match &self.starts {
            Some(starts) => starts.is_match(line),
            None => self.regex.is_match(line),
        }
    }

    fn block(&self) -> bool {
        self.starts.is_some()
    }
}
