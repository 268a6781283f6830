//! Pipes give the same answer over a store as over a scan, whatever is stored and asked, and in whatever parts and order it is gathered.

// Helpers of tests may say plainly what they expect, as tests do.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

mod common;

use common::{MEMORY, Stored, query, sources, stored};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;
use whyline_event::{Clock, Event, Source};
use whyline_query::Asked;
use whyline_query::pipe::{Answer, Answered, Cell, Hit, Partial};
use whyline_store::{Frame, Store, StoredSource, Visited, Writer};

/// The places of the sources in the order of their paths.
const RANKS: [u32; 3] = [2, 0, 1];

fn write(folder: &Path, records: &[Stored]) {
    let mut writer = Writer::open(folder, 1, MEMORY).unwrap();
    *writer.sources_mut() = sources();
    let mut adder = writer.adder().unwrap();
    for record in records {
        adder.add(record.source, &record.record()).unwrap();
    }
    adder.finish().unwrap();
    writer.commit(&[]).unwrap();
}

/// An answer, so that two of them can be compared.
#[derive(Debug, PartialEq)]
enum Shown {
    Events(Vec<Event>),
    Rows(Vec<Vec<Cell>>),
}

fn shown(answer: Answer) -> (Shown, Vec<String>, u64) {
    let result = match answer.result {
        Answered::Events(found) => Shown::Events(found.into_iter().map(|f| f.event).collect()),
        Answered::Rows(rows) => Shown::Rows(rows),
    };
    assert_eq!(answer.next, None);
    (result, answer.notes, answer.matched)
}

fn in_store(store: &Store, asked: &Asked) -> (Shown, Vec<String>, u64) {
    let sources: Vec<Source> = store.sources().iter().map(StoredSource::source).collect();
    let mut ranks = vec![0; sources.len()];
    (0u32..).zip(store.order()).for_each(|(rank, number)| ranks[number] = rank);
    let mut partial = asked.pipeline.gather(None);
    store
        .search(&asked.query, &Frame::default(), &mut |hit| {
            partial.add(&Hit::new(&hit.record, &sources[hit.source], hit.clock, ranks[hit.source]));
            ControlFlow::Continue(())
        })
        .unwrap();
    shown(partial.finish())
}

/// The same from single fields, or from their number alone, where that is enough.
fn from_fields(store: &Store, asked: &Asked) -> Option<(Shown, Vec<String>, u64)> {
    let mut partial = asked.pipeline.gather(None);
    if asked.pipeline.needs_only_count() {
        partial.add_counted(store.count(&asked.query, &Frame::default()).unwrap());
        return Some(shown(partial.finish()));
    }
    let needs = asked.pipeline.needs()?;
    // In two parts, as two threads would.
    let mut other = partial.clone();
    let mut number = 0;
    let mut each = |event: Visited<'_>| {
        number += 1;
        if number % 3 == 0 { &mut other } else { &mut partial }.add_known(event.known());
    };
    store.visit_fields(&asked.query, &Frame::default(), &needs, &mut each).unwrap();
    partial.merge(other);
    Some(shown(partial.finish()))
}

/// What a scan gives: the records in any order, gathered in parts.
fn scan(records: &[Stored], asked: &Asked, shuffle: u64) -> (Shown, Vec<String>, u64) {
    let sources: Vec<(Source, Clock)> = sources().iter().map(|s| (s.source(), s.clock.clock())).collect();
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_by_key(|i| (*i as u64 + 1).wrapping_mul(shuffle | 1).rotate_left(17));
    let mut parts: Vec<Partial> = (0..1 + shuffle % 4).map(|_| asked.pipeline.gather(None)).collect();
    let many = parts.len();
    for (n, i) in order.into_iter().enumerate() {
        let (record, number) = (records[i].record(), records[i].source as usize);
        let (source, clock) = &sources[number];
        if asked.query.matches_in(&record, Some(source)) {
            parts[n % many].add(&Hit::new(&record, source, clock, RANKS[number]));
        }
    }
    let mut all = parts.swap_remove(0);
    parts.into_iter().for_each(|part| all.merge(part));
    shown(all.finish())
}

fn field() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "status",
        "upstream",
        "duration",
        "order.count",
        "host",
        "level",
        "line",
        "time",
        "note",
        "format",
        "agent",
        "source",
        "msg",
        "nowhere",
    ])
}

fn measure() -> impl Strategy<Value = String> {
    let number = prop::sample::select(vec!["duration", "order.count", "line", "status", "nowhere"]);
    let function = prop::sample::select(vec!["sum", "avg", "min", "max", "p0", "p50", "p99", "p99.9", "p100"]);
    prop_oneof![
        Just("count".to_string()),
        Just("rate".to_string()),
        (function, number).prop_map(|(function, number)| format!("{function} {number}")),
        field().prop_map(|field| format!("distinct {field}")),
        prop::sample::select(vec!["min time", "max time"]).prop_map(String::from),
    ]
}

/// The stages behind a query; all of them can be read.
fn stages() -> impl Strategy<Value = String> {
    let sign = prop::sample::select(vec!["", "-"]);
    let events = prop_oneof![
        3 => Just(String::new()),
        1 => (1..20usize).prop_map(|n| format!(" | limit {n}")),
        1 => (sign.clone(), field(), sign.clone(), field()).prop_map(|(a, x, b, y)| format!(" | sort {a}{x}, {b}{y}")),
        1 => (sign.clone(), field(), 1..9usize).prop_map(|(sign, field, n)| format!(" | sort {sign}{field} | limit {n}")),
        1 => (field(), 1..9usize).prop_map(|(field, n)| format!(" | top {n} by {field}")),
    ];
    let every = prop::sample::select(vec!["", " every 1m", " every 7s", " every 1h"]);
    let by = prop::collection::vec(field(), 0..3).prop_map(|mut fields| {
        fields.sort_unstable();
        fields.dedup();
        fields
    });
    let grouped = (measure(), by, every).prop_map(|(measure, by, every)| {
        // An interval brings a column `time` of its own.
        let by: Vec<&str> = by.into_iter().filter(|f| *f != "time" || every.is_empty()).collect();
        let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
        format!(" | count as n, {measure} as m{by}{every}")
    });
    let after = prop_oneof![
        2 => Just(String::new()),
        1 => (sign, 1..9usize).prop_map(|(sign, n)| format!(" | sort {sign}m, n | limit {n}")),
        1 => Just(" | count, sum n, max n".to_string()),
        1 => (1..5usize).prop_map(|n| format!(" | top {n} by n | fields n")),
        1 => (1..5usize).prop_map(|n| format!(" | where n > {n} OR NOT m = *5* AND m != 1* | limit 9")),
    ];
    let rows = prop_oneof![
        3 => (grouped, after).prop_map(|(grouped, after)| format!("{grouped}{after}")),
        1 => Just(String::new()),
        1 => Just(" | count".to_string()),
        1 => (field(), 1..9usize, measure()).prop_map(|(field, n, measure)| format!(" | top {n} {field} by {measure}")),
        1 => Just(" | fields time, upstream, order.count, line | limit 5".to_string()),
        1 => prop::sample::select(vec![" | timeline", " | timeline every 30s", " | patterns", " | patterns | limit 2", " | timeline | top 1 by count"]).prop_map(String::from),
    ];
    (events, rows).prop_map(|(events, rows)| format!("{events}{rows}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn as_a_scan(
        records in prop::collection::vec(stored(), 0..40),
        asked in prop::collection::vec((query(), stages(), any::<u64>()), 1..24),
    ) {
        let mut records = records;
        for (i, record) in (0u64..).zip(&mut records) {
            record.offset = i * 100;
        }
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &records);
        let store = Store::open(folder.path()).unwrap();
        for (query, stages, shuffle) in &asked {
            let text = format!("{query}{stages}");
            let asked = Asked::parse(&text).unwrap_or_else(|e| panic!("{}", e.render(&text)));
            let scanned = scan(&records, &asked, *shuffle);
            prop_assert_eq!(&in_store(&store, &asked), &scanned, "{}", text);
            if let Some(found) = from_fields(&store, &asked) {
                prop_assert_eq!(&found, &scanned, "{}", text);
            }
            let printed = Asked::parse(&asked.to_string()).unwrap_or_else(|e| panic!("{}", e.render(&asked.to_string())));
            prop_assert_eq!(printed.pipeline.stages(), asked.pipeline.stages());
        }
    }
}
