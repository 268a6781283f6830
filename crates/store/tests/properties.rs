//! A store answers as a scan does, whatever is stored and asked.

// Helpers of tests may say plainly what they expect, as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Stored, clock, query, stored};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Event, Source};
use whyline_query::Query;
use whyline_store::{Frame, Store, StoredClock, StoredSource, Writer};

/// Three sources, whose paths do not rise with their numbers.
fn sources() -> Vec<StoredSource> {
    let source = |path: &str, host: Option<&str>, clock: Clock| StoredSource {
        path: path.into(),
        host: host.map(String::from),
        clock: StoredClock::new(&clock),
        ..StoredSource::default()
    };
    vec![source("c/app.log", Some("db01"), clock(0)), source("a/web.log", None, clock(3600)), source("b.txt", Some("WEB01"), clock(-7200))]
}

fn write(folder: &Path, parts: &[Vec<Stored>]) {
    for part in parts {
        let mut writer = Writer::open(folder, 1).unwrap();
        *writer.sources_mut() = sources();
        let mut adder = writer.adder();
        for record in part {
            adder.add(record.source, &record.record()).unwrap();
        }
        writer.commit(&[]).unwrap();
    }
}

/// What a scan gives: the events in the order of time, source and offset.
fn scan(records: &[Stored], query: &Query, seconds: Option<(i64, i64)>) -> Vec<Event> {
    let sources: Vec<Source> = sources().iter().map(StoredSource::source).collect();
    let clocks: Vec<Clock> = sources_clocks();
    let mut found: Vec<(bool, Option<i64>, String, u64, Event)> = Vec::new();
    for stored in records {
        let (record, number) = (stored.record(), stored.source as usize);
        let event = Event::new(&record, &sources[number], &clocks[number]);
        let inside = seconds.is_none_or(|(from, to)| event.time.is_some_and(|t| (from..=to).contains(&t.div_euclid(NANOS))));
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn as_a_scan(records in prop::collection::vec(stored(), 0..40), queries in prop::collection::vec(query(), 1..24), cut in any::<prop::sample::Index>(), from in 0..4000i64) {
        let mut records = records;
        for (i, record) in (0u64..).zip(&mut records) {
            record.offset = i * 100;
        }
        let folder = tempfile::tempdir().unwrap();
        let middle = if records.is_empty() { 0 } else { cut.index(records.len()) };
        // In two commits, so that there are two segments at least.
        write(folder.path(), &[records[..middle].to_vec(), records[middle..].to_vec()]);
        let store = Store::open(folder.path()).unwrap();
        prop_assert_eq!(store.len(), records.len() as u64);
        for text in &queries {
            let query = Query::parse(text).unwrap_or_else(|e| panic!("{}", e.render(text)));
            let all = scan(&records, &query, None);
            prop_assert_eq!(ask(&store, &query, &Frame::default()), all.clone(), "{}", text);
            prop_assert_eq!(store.count(&query, &Frame::default()).unwrap(), all.len() as u64);
            let seconds = Some((from, from + 500));
            let frame = Frame { seconds, clocks: None };
            prop_assert_eq!(ask(&store, &query, &frame), scan(&records, &query, seconds), "{} in a frame", text);
        }
        for number in 0..3u32 {
            let mut offsets = Vec::new();
            store.records_of(number as usize, 7, &mut |r| offsets.push((r.origin.source.0, r.origin.offset))).unwrap();
            let want: Vec<(u32, u64)> = records.iter().filter(|r| r.source == number).map(|r| (7, r.offset)).collect();
            prop_assert_eq!(offsets, want);
        }
    }

    #[test]
    fn removed_from_an_offset_on(records in prop::collection::vec(stored(), 1..20), from in 0..2000u64) {
        let mut records = records;
        for (i, record) in (0u64..).zip(&mut records) {
            record.offset = i * 100;
        }
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), std::slice::from_ref(&records));
        let writer = Writer::open(folder.path(), 1).unwrap();
        writer.remove(1, from).unwrap();
        // What is added in the same breath stays.
        let mut again = records[0].clone();
        (again.source, again.offset) = (1, from + 5);
        writer.adder().add(1, &again.record()).unwrap();
        writer.commit(&[]).unwrap();
        records.retain(|r| r.source != 1 || r.offset < from);
        records.push(again);
        let store = Store::open(folder.path()).unwrap();
        let query = Query::parse("*").unwrap();
        prop_assert_eq!(ask(&store, &query, &Frame::default()), scan(&records, &query, None));
    }
}
