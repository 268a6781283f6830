//! The catalogue of formats and the explanation of what was chosen, for people and for programs.

use crate::output::{safe, words};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Result, Write};
use std::sync::Arc;
use whyline_event::{Form, Key, Kind, Name};
use whyline_parse::catalogue::Entry;
use whyline_parse::explain::{Chosen, Explained};
use whyline_parse::{Format, Settled, formats, reading};

/// Stretches of lines that are shown; beyond, programs take turns.
const SHOWN: usize = 8;

/// All entries, a line each.
pub fn list(out: &mut dyn Write, entries: &[&Entry]) -> Result<()> {
    let width = entries.iter().map(|e| e.name.len()).max().unwrap_or(0);
    for entry in entries {
        writeln!(out, "{:width$}  {}", entry.name, entry.title)?;
    }
    writeln!(out, "\n`whyline formats NAME` shows one, `whyline formats --detect FILE` says what was chosen for a file.")
}

/// All entries for programs.
pub fn list_json(entries: &[&Entry], own: &[Arc<dyn Format>]) -> Value {
    json!({"schema": 1, "formats": entries.iter().map(|entry| entry_json(entry, own)).collect::<Vec<_>>()})
}

/// One entry for programs. `own` are the formats that rule files tell.
pub fn entry_json(entry: &Entry, own: &[Arc<dyn Format>]) -> Value {
    json!({
        "name": entry.name,
        "title": entry.title,
        "reads": entry.reads,
        "format": entry.format_name(),
        "reader": entry.reader_name(),
        "fit": entry.fit,
        "source": entry.source,
        "fields": fields(entry, own).into_iter().map(|(name, kind, doc)| json!({"name": name, "type": kind, "meaning": doc})).collect::<Vec<_>>(),
        "samples": entry.samples.iter().map(|s| json!({"head": s.head, "text": s.text, "expect": s.expect})).collect::<Vec<_>>(),
    })
}

/// The table of fields for programs.
pub fn fields_json() -> Value {
    let field = |key: &Key| json!({"name": key.name(), "type": format!("{:?}", key.kind()).to_lowercase(), "aliases": key.aliases(), "meaning": key.doc()});
    json!({"schema": 1, "fields": Key::ALL.iter().map(field).collect::<Vec<_>>()})
}

/// One entry: what it reads, its fields, its samples.
pub fn entry(out: &mut dyn Write, entry: &Entry, own: &[Arc<dyn Format>]) -> Result<()> {
    writeln!(out, "{}: {}\n", entry.name, entry.title)?;
    writeln!(out, "{}\n", entry.reads.trim())?;
    if entry.format_name() != entry.name {
        writeln!(out, "Its events carry `format: {}`.", entry.format_name())?;
    }
    writeln!(out, "How sure: {}\n", entry.fit)?;
    let fields = fields(entry, own);
    if !fields.is_empty() {
        writeln!(out, "Fields of the samples")?;
        let width = fields.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        for (name, kind, doc) in &fields {
            writeln!(out, "  {name:width$}  {kind:13}  {doc}")?;
        }
        writeln!(out)?;
    }
    for sample in &entry.samples {
        writeln!(out, "Sample")?;
        for line in sample.head.iter().flat_map(|h| h.lines()).chain(sample.text.lines()) {
            writeln!(out, "  {}", safe::line(line))?;
        }
        for (name, value) in &sample.expect {
            writeln!(out, "    {name} = {}", safe::line(&plain(value)))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "Written from")?;
    for source in &entry.source {
        writeln!(out, "  {source}")?;
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "(absent)".into(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        // Whole numbers of rule files are read with a fraction.
        Value::Number(n) if n.is_f64() => n.as_f64().map_or_else(|| n.to_string(), |n| n.to_string()),
        other => other.to_string(),
    }
}

/// The fields that the samples hold when they are read: name, type with unit, meaning. Those of the table come first, in its order.
fn fields(entry: &Entry, own: &[Arc<dyn Format>]) -> Vec<(String, &'static str, &'static str)> {
    let all: Vec<Arc<dyn Format>> = own.iter().cloned().chain(formats::all()).collect();
    let (mut known, mut others) = (BTreeSet::new(), BTreeSet::new());
    for sample in &entry.samples {
        let head = sample.head.as_ref().map(|h| format!("{h}\n")).unwrap_or_default();
        let above = head.lines().count() as u64;
        reading::read_text(&format!("{head}{}\n", sample.text), None, &all, &mut |record| {
            // What the head says (a date, a prompt before the table) is not said by the sample.
            if record.origin.line <= above {
                return;
            }
            for field in &record.fields {
                match field.name {
                    Name::Known(key) => drop(known.insert(key)),
                    Name::Other(name) => drop(others.insert(name.to_string())),
                }
            }
        });
    }
    let table = Key::ALL.iter().filter(|key| known.contains(key)).map(|key| (key.name().to_string(), kind(*key), key.doc()));
    table.chain(others.into_iter().map(|name| (name, "", "as its writer names it"))).collect()
}

fn kind(key: Key) -> &'static str {
    match key.kind() {
        Kind::Text => "text",
        Kind::Keyword => "keyword",
        Kind::Address => "address",
        Kind::Int => "whole number",
        Kind::Duration => "seconds",
        Kind::Bytes => "bytes",
        Kind::Number => "number",
    }
}

/// How sure a mean fit is, in a word.
fn sure(fit: f64) -> &'static str {
    match fit {
        f if f >= 85.0 => "sure",
        f if f >= 55.0 => "likely",
        f if f >= 30.0 => "by stamp and level",
        f if f >= 10.0 => "by the stamp alone",
        _ => "nothing known",
    }
}

/// How one source is read.
pub fn explained(out: &mut dyn Write, path: &str, one: &Explained, settled: &Settled) -> Result<()> {
    let (lines, records) = (words::count(one.lines, "line", "lines"), words::count(one.records, "record", "records"));
    writeln!(out, "{}: {lines} in {records}, {}", safe::line(path), one.encoding)?;
    let total = one.formats.iter().map(|f| f.lines).sum::<u64>().max(1);
    for chosen in &one.formats {
        writeln!(
            out,
            "  {:>7}  {:18} fit {:.0}, {}{}",
            words::percent(chosen.lines as f64 / total as f64),
            chosen.format,
            chosen.fit,
            sure(chosen.fit),
            because(chosen)
        )?;
    }
    if !one.others.is_empty() {
        let list: Vec<String> =
            one.others.iter().map(|o| format!("{} ({} of the first lines, fit {:.0})", o.reader, words::percent(o.share), o.fit)).collect();
        writeln!(out, "  not chosen: {}", list.join(", "))?;
    }
    stretches(out, one)?;
    writeln!(out, "  time: {}", stamps(one, settled))?;
    if let Some((line, text)) = &one.example {
        writeln!(out, "  no format knows {}, as line {line}:", words::count(one.unread, "line", "lines"))?;
        writeln!(out, "    {}", safe::line(text))?;
    }
    Ok(())
}

/// What the catalogue says of how a format is told.
fn because(chosen: &Chosen) -> String {
    let entry = whyline_parse::catalogue::entries().iter().find(|e| e.name == chosen.format);
    let title = entry.map(|e| format!(": {}", e.title)).unwrap_or_default();
    let envelope = || formats::all().iter().any(|f| f.name() == chosen.reader && f.is_envelope());
    match chosen.reader {
        reader if reader == chosen.format => title,
        reader if envelope() => format!("{title}, inside {reader}"),
        reader => format!("{title}, by the reader `{reader}`"),
    }
}

fn stretches(out: &mut dyn Write, one: &Explained) -> Result<()> {
    if one.formats.len() < 2 {
        return Ok(());
    }
    if one.changes as usize >= SHOWN {
        return writeln!(out, "  the formats take turns: {} changes", words::number(one.changes));
    }
    let list: Vec<String> = one
        .stretches
        .iter()
        .map(|s| {
            if s.first == s.last {
                format!("line {} {}", s.first, s.format)
            } else {
                format!("lines {}–{} {}", s.first, s.last, s.format)
            }
        })
        .collect();
    writeln!(out, "  {}", list.join(", "))
}

/// What a form of stamps leaves open.
fn form(form: Option<Form>) -> &'static str {
    match form {
        Some(Form::Explicit) => "with zone",
        Some(Form::Civil) => "without zone",
        Some(Form::NoYear) => "without year and zone",
        Some(Form::CivilLater) => "without zone, after the end of summer time",
        Some(Form::NoYearLater) => "without year and zone, after the end of summer time",
        Some(Form::TimeOnly) => "of the time of day only",
        None => "without a stamp",
    }
}

fn stamps(one: &Explained, settled: &Settled) -> String {
    let mut list: Vec<(u64, Option<Form>)> = one.stamps.iter().map(|(form, count)| (*count, *form)).collect();
    list.sort_by_key(|(count, form)| (std::cmp::Reverse(*count), form.is_none()));
    let said: Vec<String> =
        list.into_iter().map(|(count, f)| format!("{} {}", words::count(count, "record", "records"), form(f))).collect();
    if one.stamps.keys().all(Option::is_none) {
        return said.join(", ");
    }
    format!("{}; zone {} ({})", said.join(", "), settled.zone, settled.why)
}

/// How one source is read, for programs.
pub fn explained_json(path: &str, one: &Explained, settled: &Settled) -> Value {
    let round = |n: f64| (n * 1000.0).round() / 1000.0;
    let total = one.formats.iter().map(|f| f.lines).sum::<u64>().max(1) as f64;
    json!({
        "source": path,
        "lines": one.lines,
        "blank": one.blank,
        "records": one.records,
        "encoding": one.encoding,
        "formats": one.formats.iter().map(|f| json!({
            "format": f.format, "reader": f.reader, "lines": f.lines, "records": f.records,
            "share": round(f.lines as f64 / total), "fit": round(f.fit), "sure": sure(f.fit),
        })).collect::<Vec<_>>(),
        "not_chosen": one.others.iter().map(|o| json!({"reader": o.reader, "share": round(o.share), "fit": round(o.fit)})).collect::<Vec<_>>(),
        "ranges": one.stretches.iter().take(1000).map(|s| json!({"format": s.format, "first": s.first, "last": s.last})).collect::<Vec<_>>(),
        "changes": one.changes,
        "stamps": one.stamps.iter().map(|(f, count)| json!({"stamps": form(*f), "records": count})).collect::<Vec<_>>(),
        "zone": settled.zone,
        "zone_known": settled.why.to_string(),
        "unread": one.example.as_ref().map(|(line, text)| json!({"lines": one.unread, "line": line, "text": text})),
    })
}
