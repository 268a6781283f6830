//! Every sample of the catalogue, read as the program reads.

use super::{Entry, Sample, entries};
use crate::cut;
use crate::detect::detect;
use crate::facts::Facts;
use crate::format::{Cx, Format};
use crate::formats;
use crate::input::Block;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use whyline_event::{Bump, Clock, Event, Origin, Record, Source, SourceId, Zone};

/// Lines of two other programs, as a terminal or a collector mixes them.
const BEFORE: &[&str] = &[
    "1:M 21 Nov 2026 09:00:00.000 * Ready to accept connections tcp",
    "I1121 09:00:01.000000       7 server.go:42] \"Serving\" address=\"[::]:8443\"",
];
const AFTER: &[&str] = &["1:M 21 Nov 2026 23:00:00.000 # Server closed"];

/// Times without year are of 2026, near the days of the samples.
fn clock() -> Clock {
    let near = crate::stamp::iso("2026-11-21T12:00:00Z").map(|(s, _)| s.nanos);
    Clock { zone: Zone::Offset(0), near, ahead: 0 }
}

fn source() -> Source {
    Source { path: "sample.log".into(), ..Source::default() }
}

/// The events of a file with these lines.
fn events(text: &str, all: &[Arc<dyn Format>]) -> Vec<Map<String, Value>> {
    let plan = detect(text.as_bytes(), &[], all);
    let block = Block { bytes: text.as_bytes().to_vec(), offset: 0, line: 1, ..Block::default() };
    let mut found = Vec::new();
    cut::cut(&block, SourceId(0), &plan, None, &mut Facts::default(), &mut |record| found.push(json(record)));
    found
}

fn json(record: &Record<'_>) -> Map<String, Value> {
    match Event::new(record, &source(), &clock()).to_json() {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Whether what was read is what was expected; numbers are compared as numbers.
fn same(want: &Value, got: &Value) -> bool {
    match (want.as_f64(), got.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= a.abs() * 1e-9,
        _ => match (want, got) {
            (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
            _ => want == got,
        },
    }
}

/// What differs, a line for each.
fn differences(entry: &Entry, sample: &Sample, event: &Map<String, Value>) -> Vec<String> {
    let mut wrong = Vec::new();
    let format = Value::from(entry.format_name());
    let mut expected: Vec<(&str, &Value)> = sample.expect.iter().map(|(k, v)| (k.as_str(), v)).collect();
    if !sample.expect.contains_key("format") {
        expected.push(("format", &format));
    }
    let attributes = event.get("attributes").and_then(Value::as_object);
    for (name, want) in expected {
        let got = match name {
            "timestamp" | "severity_text" | "body" | "format" => event.get(name),
            _ => attributes.and_then(|a| a.get(name)),
        };
        let got = got.unwrap_or(&Value::Null);
        if !same(want, got) {
            wrong.push(format!("  {name}: expected {want}, read {got}"));
        }
    }
    wrong
}

fn told(entry: &Entry, how: &str, sample: &Sample, wrong: Vec<String>, out: &mut Vec<String>) {
    let line = sample.text.lines().next().unwrap_or("");
    let said = format!("{}: {line:.140}\n{}", entry.name, wrong.join("\n"));
    match out.last_mut().filter(|last| last.ends_with(&said)) {
        // The same in another way of reading.
        Some(last) => *last = format!("{how}, {last}"),
        None if wrong.is_empty() => {}
        None => out.push(format!("{how}: {said}")),
    }
}

/// The one event that a sample should be, in a file of these lines before and after it.
fn judge(entry: &Entry, sample: &Sample, how: &str, around: (&[&str], &[&str]), all: &[Arc<dyn Format>], out: &mut Vec<String>) {
    let mut lines: Vec<&str> = sample.head.iter().flat_map(|h| h.lines()).collect();
    lines.splice(0..0, around.0.iter().copied());
    let first = lines.len() as u64 + 1;
    lines.extend(sample.text.split('\n'));
    let height = sample.text.split('\n').count() as u64;
    lines.extend(around.1);
    let mut text = lines.join("\n");
    text.push('\n');
    let found = events(&text, all);
    let number = |event: &Map<String, Value>, key: &str| event.get(key).and_then(Value::as_u64).unwrap_or(0);
    let Some(event) = found.iter().find(|e| number(e, "line") == first) else {
        return told(entry, how, sample, vec!["  no record begins with its first line".into()], out);
    };
    let mut wrong = differences(entry, sample, event);
    if number(event, "lines") != height {
        wrong.push(format!("  it has {height} lines, the record {}", number(event, "lines")));
    }
    told(entry, how, sample, wrong, out);
}

/// Whether the entry tells the output of a command, read in its section.
fn is_command(entry: &Entry, all: &[Arc<dyn Format>]) -> bool {
    all.iter().any(|f| f.name() == entry.reader_name() && f.is_command())
}

/// The sample read by its own format, as if nothing else existed but what may be inside it.
fn by_itself(entry: &Entry, sample: &Sample, all: &[Arc<dyn Format>], out: &mut Vec<String>) {
    if sample.expect.contains_key("format") {
        // The entry speaks of several formats; this is another one's.
        return;
    }
    if is_command(entry, all) {
        // Its rows mean something only in their section, which the other ways of reading open.
        return;
    }
    let arena = Bump::new();
    let text = crate::plain::plain(&arena, &sample.text);
    let head: Vec<&str> = sample.head.iter().flat_map(|h| h.lines()).chain([text]).collect();
    let mut read = Vec::new();
    // What stands in an envelope is read through it.
    for format in all.iter().filter(|f| f.name() == entry.reader_name()).chain(all.iter().filter(|f| f.is_envelope())) {
        let learnt = format.learn(&head);
        let format = learnt.as_ref().unwrap_or(format);
        let mut record = Record::new(text, Origin::default());
        let cx = Cx::new(&arena, all);
        if format.read(&cx, text, &mut record).is_some() {
            // Several readers share a name: the layouts of an access log.
            let wrong = differences(entry, sample, &json(&record));
            if wrong.is_empty() {
                return;
            }
            if read.is_empty() {
                read = wrong;
            }
        }
    }
    if read.is_empty() {
        read.push(format!("  the reader `{}` does not know it", entry.reader_name()));
    }
    told(entry, "by its reader", sample, read, out);
}

#[test]
fn every_sample_is_read_as_its_entry_says() {
    let all = formats::all();
    let mut wrong = Vec::new();
    for entry in entries() {
        for sample in &entry.samples {
            by_itself(entry, sample, &all, &mut wrong);
            judge(entry, sample, "alone in a file", (&[], &[]), &all, &mut wrong);
            // A head is known at the beginning of a file only; that of a command wherever somebody pasted it.
            if !sample.alone && (sample.head.is_none() || is_command(entry, &all)) {
                judge(entry, sample, "among others", (BEFORE, AFTER), &all, &mut wrong);
            }
        }
    }
    assert!(wrong.is_empty(), "{} samples are read otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_another_format_is_left_to_it() {
    let all = formats::all();
    let mut wrong = Vec::new();
    for entry in entries() {
        for text in &entry.others {
            let found = events(text, &all);
            if found.iter().any(|e| e.get("format").and_then(Value::as_str) == Some(entry.format_name())) {
                wrong.push(format!("{}: {text}", entry.name));
            }
        }
    }
    assert!(wrong.is_empty(), "read as what they are not:\n{}", wrong.join("\n"));
}

#[test]
fn catalogue_and_readers_know_each_other() {
    let readers: BTreeSet<&str> = formats::all().iter().map(|f| f.name()).collect();
    let known: BTreeSet<&str> = entries().iter().map(Entry::reader_name).collect();
    let missing: Vec<_> = readers.difference(&known).collect();
    assert!(missing.is_empty(), "formats without an entry in the catalogue: {missing:?}");
    let strange: Vec<_> = known.difference(&readers).collect();
    assert!(strange.is_empty(), "entries of the catalogue whose reader does not exist: {strange:?}");
}

#[test]
fn entries_say_what_they_must() {
    // What cannot be read here would leave an empty catalogue.
    assert!(entries().len() > 40);
    for entry in entries() {
        for (what, text) in [("title", &entry.title), ("reads", &entry.reads), ("fit", &entry.fit)] {
            assert!(!text.trim().is_empty(), "{}: `{what}` is empty", entry.name);
        }
        assert!(!entry.source.is_empty(), "{}: `source` is empty", entry.name);
        assert_eq!(super::find(&entry.name).map(|e| &e.title), Some(&entry.title));
        for sample in &entry.samples {
            assert!(!sample.expect.is_empty(), "{}: a sample expects nothing", entry.name);
        }
    }
}

/// What is left of a text that is cut off at either end, or of which some letters in the middle are lost.
fn torn(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let places: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
    (0..places.len()).flat_map(move |n| {
        let (at, later) = (places[n], places.get(n + 7).copied().unwrap_or(text.len()));
        [text[..at].into(), text[at..].into(), format!("{}{}", &text[..at], &text[later..]).into()]
    })
}

/// Logs are cut off, at both ends and in the middle: no reader may fail on what is left, and one that refuses leaves the record as it was.
#[test]
fn what_is_left_of_a_sample_is_read_or_refused() {
    let all = formats::all();
    let mut wrong = BTreeMap::new();
    for entry in entries().iter().filter(|entry| !is_command(entry, &all)) {
        for sample in &entry.samples {
            let head: Vec<&str> = sample.head.iter().flat_map(|h| h.lines()).chain([sample.text.as_str()]).collect();
            let readers: Vec<Arc<dyn Format>> =
                all.iter().filter(|f| f.name() == entry.reader_name()).flat_map(|f| [Some(f.clone()), f.learn(&head)]).flatten().collect();
            for left in torn(&sample.text) {
                refuses_cleanly(&readers, &left, &all, &mut wrong);
            }
        }
    }
    assert!(wrong.is_empty(), "readers that changed a record that they refused, each with a text: {wrong:#?}");
}

/// The same for output of commands, which is never refused: every line of what is left is in a record or blank.
#[test]
fn what_is_left_of_a_command_is_kept() {
    let all = formats::all();
    for entry in entries().iter().filter(|entry| is_command(entry, &all)) {
        for sample in &entry.samples {
            let head = sample.head.as_ref().map(|h| format!("{h}\n")).unwrap_or_default();
            let plan = detect(format!("{head}{}\n", sample.text).as_bytes(), &[], &all);
            for left in torn(&sample.text) {
                let text = format!("{head}{left}\n");
                let block = Block { bytes: text.as_bytes().to_vec(), offset: 0, line: 1, ..Block::default() };
                let mut kept = 0;
                let mut count = |record: &Record<'_>| kept += record.text.lines().filter(|l| !l.trim().is_empty()).count();
                cut::cut(&block, SourceId(0), &plan, None, &mut Facts::default(), &mut count);
                assert_eq!(kept, text.lines().filter(|l| !l.trim().is_empty()).count(), "{}: {text}", entry.name);
            }
        }
    }
}

fn refuses_cleanly(readers: &[Arc<dyn Format>], text: &str, all: &[Arc<dyn Format>], wrong: &mut BTreeMap<&'static str, String>) {
    let arena = Bump::new();
    let cx = Cx::new(&arena, all);
    for reader in readers {
        let text = &*arena.alloc_str(text);
        let mut record = Record::new(text, Origin::default());
        if reader.read(&cx, text, &mut record).is_none() {
            let untouched = record.fields.is_empty() && record.body == text && record.stamp.is_none() && record.severity.is_none();
            if !untouched || record.format != "generic" {
                wrong.entry(reader.name()).or_insert_with(|| text.to_string());
            }
        }
        for line in text.split('\n') {
            reader.starts(&cx, line);
            reader.is_part(line);
            reader.same_stream(line, text);
        }
    }
}
