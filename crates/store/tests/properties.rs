//! A store answers as a scan does, whatever is stored and asked.

// Helpers of tests may say plainly what they expect, as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{MEMORY, Stored, query, sources, stored};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Event, Key, Source, Value};
use whyline_query::pipe::Needs;
use whyline_query::{Query, Target};
use whyline_store::{Frame, Store, StoredSource, Visited, Writer};

fn write(folder: &Path, parts: &[Vec<Stored>]) {
    for part in parts {
        let mut writer = Writer::open(folder, 1, MEMORY).unwrap();
        *writer.sources_mut() = sources();
        let mut adder = writer.adder().unwrap();
        for record in part {
            adder.add(record.source, &record.record()).unwrap();
        }
        adder.finish().unwrap();
        writer.commit(&[]).unwrap();
    }
}

/// What a scan gives: the events in the order of time, source and offset.
fn scan(records: &[Stored], query: &Query, frame: Option<(i64, i64)>) -> Vec<Event> {
    let sources: Vec<Source> = sources().iter().map(StoredSource::source).collect();
    let clocks: Vec<Clock> = sources_clocks();
    let mut found: Vec<(bool, Option<i64>, String, u64, Event)> = Vec::new();
    for stored in records {
        let (record, number) = (stored.record(), stored.source as usize);
        let event = Event::new(&record, &sources[number], &clocks[number]);
        let inside = frame.is_none_or(|(from, to)| event.time.is_some_and(|t| (from..=to).contains(&t)));
        if inside && query.matches_in(&record, Some(&sources[number])) {
            found.push((event.time.is_none(), event.time, sources[number].path.clone(), record.origin.offset, event));
        }
    }
    found.sort_by(|a, b| (a.0, a.1, &a.2, a.3).cmp(&(b.0, b.1, &b.2, b.3)));
    found.into_iter().map(|(.., event)| event).collect()
}

fn sources_clocks() -> Vec<Clock> {
    sources().iter().map(|s| s.clock.clock()).collect()
}

fn ask(store: &Store, query: &Query, frame: &Frame) -> Vec<Event> {
    let sources: Vec<Source> = store.sources().iter().map(StoredSource::source).collect();
    let mut found = Vec::new();
    store
        .search(query, frame, &mut |hit| {
            found.push(Event::new(&hit.record, &sources[hit.source], hit.clock));
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

/// `WHYLINE_CASES=5000` asks for a longer run.
fn cases() -> u32 {
    std::env::var("WHYLINE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(32)
}

/// Records of few kinds, many of each, as logs have them.
fn families() -> impl Strategy<Value = Vec<Stored>> {
    prop::collection::vec((stored(), 1..40u64), 1..5).prop_map(|families| {
        let mut all: Vec<Stored> = families.iter().flat_map(|(first, count)| (0..*count).map(|n| first.varied(n))).collect();
        // Of one source at a time, so that blocks hold many.
        all.sort_by_key(|r| r.source);
        all
    })
}

const FIELDS: [&str; 9] = ["status", "host", "level", "note", "format", "upstream", "source", "duration", "body"];

/// Source, time and the values of some fields, as text.
type Looked = (usize, Option<i64>, Vec<String>);

fn visited(store: &Store, query: &Query) -> Vec<Looked> {
    let targets: Vec<Target> = FIELDS.iter().map(|name| Target::find_either(name)).collect();
    let mut found = Vec::new();
    let mut each = |v: Visited<'_>| found.push((v.source, v.time, (0..FIELDS.len()).map(|n| format!("{:?}", v.values(n))).collect()));
    store.visit_fields(query, &Frame::default(), &Needs { fields: &targets, time: true }, &mut each).unwrap();
    found.sort();
    found
}

fn looked_up(records: &[Stored], query: &Query) -> Vec<Looked> {
    let sources: Vec<Source> = sources().iter().map(StoredSource::source).collect();
    let mut found = Vec::new();
    for stored in records {
        let (record, number) = (stored.record(), stored.source as usize);
        if !query.matches_in(&record, Some(&sources[number])) {
            continue;
        }
        let values = FIELDS.iter().map(|name| {
            let host = sources[number].host.as_deref().map(Value::Str);
            let mut values: Vec<Value<'_>> = match Target::find_either(name) {
                Target::Format => vec![Value::Str(record.format)],
                Target::Source => vec![Value::Str(&sources[number].path)],
                Target::Body => vec![Value::Str(record.body)],
                Target::Level => {
                    record.severity.map(|s| Value::Str(s.as_str())).into_iter().chain(record.values(Key::Level.into())).collect()
                }
                Target::Either(key, own) => record.values(record.either(key, &own)).collect(),
                target => record.values(target.field().unwrap()).collect(),
            };
            if *name == "host" && values.is_empty() {
                values.extend(host);
            }
            format!("{values:?}")
        });
        let time = record.stamp.map(|s| sources_clocks()[number].instant(&s));
        found.push((number, time, values.collect()));
    }
    found.sort();
    found
}

fn same_as_a_scan(mut records: Vec<Stored>, queries: &[String], middle: usize, from: i64) {
    for (i, record) in (0u64..).zip(&mut records) {
        record.offset = i * 100;
    }
    let folder = tempfile::tempdir().unwrap();
    // In two commits, so that there are two packs at least.
    write(folder.path(), &[records[..middle].to_vec(), records[middle..].to_vec()]);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.len(), records.len() as u64);
    for text in queries {
        for query in [Query::parse_expression(text).map(|(query, _)| query), Query::parse(text).map(Query::for_rules)] {
            let query = query.unwrap_or_else(|e| panic!("{}", e.render(text)));
            let all = scan(&records, &query, None);
            assert_eq!(ask(&store, &query, &Frame::default()), all, "{text}");
            assert_eq!(store.count(&query, &Frame::default()).unwrap(), all.len() as u64, "{text}");
            assert_eq!(visited(&store, &query), looked_up(&records, &query), "{text}, some fields");
            let nanos = Some((from, from + 500 * NANOS));
            let inside = scan(&records, &query, nanos);
            let frame = Frame { nanos, clocks: None };
            assert_eq!(store.count(&query, &frame).unwrap(), inside.len() as u64, "{text} in a frame");
            assert_eq!(ask(&store, &query, &frame), inside, "{text} in a frame");
        }
    }
    for number in 0..3u32 {
        let mut offsets = Vec::new();
        store.records_of(number as usize, 7, &mut |r| offsets.push((r.origin.source.0, r.origin.offset))).unwrap();
        let want: Vec<(u32, u64)> = records.iter().filter(|r| r.source == number).map(|r| (7, r.offset)).collect();
        assert_eq!(offsets, want);
    }
}

/// Where a frame begins: often where an event may lie, or just beside it.
fn from() -> impl Strategy<Value = i64> {
    (0..4000i64, prop::sample::select(vec![0, 1, NANOS / 2, NANOS / 2 + 1])).prop_map(|(second, part)| second * NANOS + part)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn columns_answer_as_a_scan(records in families(), queries in prop::collection::vec(query(), 1..24), cut in any::<prop::sample::Index>(), from in from()) {
        let middle = cut.index(records.len());
        same_as_a_scan(records, &queries, middle, from);
    }

    #[test]
    fn as_a_scan(records in prop::collection::vec(stored(), 0..40), queries in prop::collection::vec(query(), 1..24), cut in any::<prop::sample::Index>(), from in from()) {
        let middle = if records.is_empty() { 0 } else { cut.index(records.len()) };
        same_as_a_scan(records, &queries, middle, from);
    }

    #[test]
    fn removed_from_an_offset_on(records in prop::collection::vec(stored(), 1..20), from in 0..2000u64) {
        let mut records = records;
        for (i, record) in (0u64..).zip(&mut records) {
            record.offset = i * 100;
        }
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), std::slice::from_ref(&records));
        let mut writer = Writer::open(folder.path(), 1, MEMORY).unwrap();
        writer.begin(&[(1, from)]).unwrap();
        // What is added in the same breath stays.
        let mut again = records[0].clone();
        (again.source, again.offset) = (1, from + 5);
        let mut adder = writer.adder().unwrap();
        adder.add(1, &again.record()).unwrap();
        adder.finish().unwrap();
        writer.commit(&[]).unwrap();
        records.retain(|r| r.source != 1 || r.offset < from);
        records.push(again);
        let store = Store::open(folder.path()).unwrap();
        let query = Query::parse("*").unwrap();
        prop_assert_eq!(ask(&store, &query, &Frame::default()), scan(&records, &query, None));
    }
}
