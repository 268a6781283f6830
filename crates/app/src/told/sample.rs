//! Samples of formats: what is really read of them, against what was said.

use super::Reader;
use std::collections::BTreeMap;
use std::sync::Arc;
use whyline_diagnose::rules::written::{At, File, Sample, Wanted};
use whyline_diagnose::rules::{Finding, Weight};
use whyline_event::event::Owned;
use whyline_event::stamp::rfc3339;
use whyline_event::{Clock, Event, Key, Source, Value};
use whyline_parse::formats::told::{ambiguous_stamp, why_not};
use whyline_parse::reading::read_text;
use whyline_parse::{Format, formats};

/// What came of samples.
#[derive(Default)]
pub struct Done {
    /// So many came out as they should.
    pub passed: usize,
    /// What is wrong with the others, and what should be looked at.
    pub findings: Vec<Finding>,
}

/// Reads the samples of files. `own` are all formats that rule files tell, as they come before the built-in ones.
pub fn samples(files: &[File], readers: &BTreeMap<String, Reader>, own: &[Arc<dyn Format>]) -> Done {
    let mut done = Done::default();
    let mut all: Vec<Arc<dyn Format>> = Vec::new();
    for file in files {
        for format in &file.formats {
            let Some(reader) = readers.get(&format.id.text) else { continue };
            if all.is_empty() {
                all = own.iter().cloned().chain(formats::all()).collect();
            }
            for sample in &format.samples {
                let before = done.findings.len();
                one(file, sample, reader, &all, &mut done.findings);
                done.passed += usize::from(done.findings[before..].iter().all(|f| f.weight == Weight::Warning));
            }
        }
    }
    done
}

fn one(file: &File, sample: &Sample, reader: &Reader, all: &[Arc<dyn Format>], findings: &mut Vec<Finding>) {
    let name = reader.spec.name.as_str();
    let mut find = |weight, at: &At, message: String, help: String| findings.push(Finding::at(weight, file, at, message, help));
    let text = sample.text.text.trim_end_matches('\n');
    let events = read(text, std::slice::from_ref(&reader.format));
    let by_name = events.iter().filter(|e| e.format == name).count();
    if !sample.reads {
        if by_name > 0 {
            let help = "let the pattern demand what only its own lines have".to_string();
            find(Weight::Error, &sample.text, format!("`{name}` must not read this, but it does"), help);
        }
        return;
    }
    if by_name == 0 {
        let (why, help) = why_not(&reader.spec, text).unwrap_or_else(|| {
            let said = "it does not have the shape that the format tells".to_string();
            (said, "compare it with the format column by column; a sample stands as it does in the file".into())
        });
        find(Weight::Error, &sample.text, format!("`{name}` does not read its sample: {why}"), help);
        return;
    }
    let [event] = &events[..] else {
        let message = format!("`{name}` reads this sample as {} records; a sample is one", events.len());
        find(Weight::Error, &sample.text, message, "write one sample for each, or say under `starts:` what begins a record".into());
        return;
    };
    for (field, wanted) in &sample.fields {
        if let Some(message) = differs(&field.text, wanted, event) {
            find(Weight::Error, field, message, format!("read was: {}", shown(event)));
        }
    }
    for key in &reader.durations {
        if let Some((_, Owned::Str(text))) = event.fields.iter().find(|(n, _)| n == key.name()) {
            let group =
                std::iter::once(key.name()).chain(key.aliases().iter().copied()).find(|n| reader.spec.text.contains(&format!("<{n}>")));
            let message = format!("`{text}` is a length of time ({}) whose unit nobody knows", key.name());
            let help = format!("say it under `units:`, for instance `{{{}: ms}}`", group.unwrap_or(key.name()));
            find(Weight::Error, &sample.text, message, help);
        }
    }
    doubts(sample, reader, event, text, &mut find);
    if let Some(other) = read(text, all).first().filter(|e| e.format != name) {
        let message = format!("`{}` is surer of this sample than `{name}`, and will read such lines", other.format);
        find(Weight::Warning, &sample.text, message, "fix more of the line in the pattern, or do without this format".into());
    }
}

/// What may be meant otherwise than it was read.
fn doubts(sample: &Sample, reader: &Reader, event: &Event, text: &str, find: &mut dyn FnMut(Weight, &At, String, String)) {
    if let Some(stamp) = ambiguous_stamp(&reader.spec, text) {
        let read = event.time.map_or_else(|| "not at all".into(), |t| rfc3339(t, 0));
        let message = format!("day and month of `{stamp}` may be taken for each other; it is read as {read}");
        find(Weight::Warning, &sample.text, message, "say it under `timestamp:`, '%d/%m/%Y %H:%M:%S' or '%m/%d/%Y %H:%M:%S'".into());
    }
    let level = event.fields.iter().find(|(n, _)| n == Key::Level.name());
    if let (None, Some((_, Owned::Str(word)))) = (event.severity, level) {
        let help = "words like trace, debug, info, notice, warning, error, critical and fatal are known, and their short forms".to_string();
        find(Weight::Warning, &sample.text, format!("`{word}` is no level that is known; such records get no severity"), help);
    }
}

/// The records of a text, with their times as if it were written in UTC.
fn read(text: &str, by: &[Arc<dyn Format>]) -> Vec<Event> {
    let source = Source { path: String::new(), ..Source::default() };
    let mut events = Vec::new();
    read_text(text, None, by, &mut |record| events.push(Event::new(record, &source, &Clock::default())));
    events
}

/// What is read of a field, and how it differs from what was said. `None` when it is as said.
fn differs(name: &str, wanted: &Wanted, event: &Event) -> Option<String> {
    let special = match name {
        "timestamp" | "time" => Some(event.time.map(|t| rfc3339(t, event.stamp.map_or(0, |s| s.digits)))),
        "severity_text" | "severity" | "level" => Some(event.severity.map(|s| s.as_str().to_string())),
        "body" | "message" | "msg" => Some(Some(event.body.clone())),
        _ => None,
    };
    let name_in_full = Key::find(name).map_or(name, |key| key.name());
    let read: Vec<Owned> = match special {
        Some(value) => value.into_iter().map(Owned::Str).collect(),
        None => event.fields.iter().filter(|(n, _)| n == name_in_full).map(|(_, v)| v.clone()).collect(),
    };
    let wanted: Vec<&Wanted> = match wanted {
        Wanted::Nothing => Vec::new(),
        Wanted::List(list) => list.iter().collect(),
        one => vec![one],
    };
    let same = |(w, r): (&&Wanted, &Owned)| {
        fits(w, r)
            || matches!((name, *w), ("timestamp" | "time", Wanted::Text(text)) if instant(text).is_some() && instant(text) == event.time)
    };
    if wanted.len() == read.len() && wanted.iter().zip(&read).all(same) {
        return None;
    }
    let list = |texts: Vec<String>| if texts.is_empty() { "nothing".to_string() } else { texts.join(", ") };
    let said = list(wanted.iter().map(|w| quoted(w)).collect());
    let was = list(read.iter().map(|r| format!("`{}`", r.as_value())).collect());
    Some(format!("`{name_in_full}` should be {said}, but {was} was read"))
}

/// The instant that a text spells.
fn instant(text: &str) -> Option<i64> {
    let (stamp, used) = whyline_parse::stamp::prefix(text)?;
    (used == text.len()).then(|| Clock::default().instant(&stamp))
}

fn quoted(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Nothing => "nothing".into(),
        Wanted::Bool(yes) => format!("`{yes}`"),
        Wanted::Number(number) => format!("`{number}`"),
        Wanted::Text(text) => format!("`{text}`"),
        Wanted::List(list) => list.iter().map(quoted).collect::<Vec<_>>().join(", "),
    }
}

fn fits(wanted: &Wanted, read: &Owned) -> bool {
    match (wanted, read) {
        (Wanted::Bool(yes), Owned::Bool(read)) => yes == read,
        // Lengths of time are written in seconds, to the nanosecond.
        (Wanted::Number(number), Owned::Duration(ns)) => (number * 1e9 - *ns as f64).abs() < 1.0,
        (Wanted::Number(number), read) => read.as_value().as_f64() == Some(*number),
        (Wanted::Text(text), Owned::Duration(_)) => Value::duration(text) == Some(read.as_value()),
        (Wanted::Text(text), read) => *text == read.as_value().to_string(),
        _ => false,
    }
}

/// All that was read of a record, on one line.
fn shown(event: &Event) -> String {
    let mut parts = Vec::new();
    if let Some(time) = event.time {
        parts.push(format!("timestamp={}", rfc3339(time, event.stamp.map_or(0, |s| s.digits))));
    }
    if let Some(severity) = event.severity {
        parts.push(format!("severity_text={}", severity.as_str()));
    }
    parts.extend(event.fields.iter().map(|(name, value)| format!("{name}={}", value.as_value())));
    parts.push(format!("body={}", event.body.replace('\n', "\\n")));
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let text = |t: &str| Wanted::Text(t.into());
        for (wanted, read, want) in [
            (Wanted::Number(0.812), Owned::Duration(812_000_000), true),
            (Wanted::Number(0.812), Owned::Duration(813_000_000), false),
            (text("812ms"), Owned::Duration(812_000_000), true),
            (Wanted::Number(502.0), Owned::Int(502), true),
            (text("502"), Owned::Int(502), true),
            (Wanted::Number(7.0), Owned::Str("7".into()), true),
            (text("eve"), Owned::Str("adam".into()), false),
            (Wanted::Bool(true), Owned::Bool(true), true),
        ] {
            assert_eq!(fits(&wanted, &read), want, "{wanted:?} {read:?}");
        }
    }
}
