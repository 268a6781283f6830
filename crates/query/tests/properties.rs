//! What holds for all queries and records.

// Helpers of tests may say plainly what they expect, as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use whyline_event::{Key, Origin, Record, Severity, Source, SourceId, Value};
use whyline_query::{Matcher, Query, Scratch};

/// Pieces from which texts of records and queries are made, so that they often meet.
const WORDS: &[&str] = &[
    "connection",
    "Connection",
    "refused",
    "reset by peer",
    "timed out",
    "größe",
    "GRÖSSE",
    "接続",
    "10.0.0.3",
    "a",
    "b-c",
    "502",
    "k",
    "\u{212a}",
    "cafe\u{301}",
    "error",
    "İ",
    "i",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec((prop::sample::select(WORDS), prop::sample::select(vec![" ", "", ": ", "_", "\n", " (", "ä"])), 0..8)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, gap)| [word, gap]).collect())
}

/// A record that owns its texts.
#[derive(Debug, Clone)]
struct Owned {
    text: String,
    /// Where the body and an attribute lie in the text, by character.
    body: (usize, usize),
    part: (usize, usize),
    note: String,
    format: &'static str,
    severity: Option<Severity>,
    status: Option<i64>,
    upstreams: Vec<&'static str>,
    duration: Option<i64>,
    count: Option<i64>,
    host: Option<&'static str>,
}

fn slice(text: &str, (from, length): (usize, usize)) -> &str {
    let ends: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let from = from % ends.len();
    let to = (from + length).min(ends.len() - 1);
    &text[ends[from]..ends[to]]
}

impl Owned {
    fn record(&self) -> Record<'_> {
        let mut record = Record::new(&self.text, Origin { source: SourceId(1), line: 7, lines: 1, offset: 0, length: 9 });
        record.body = slice(&self.text, self.body);
        record.format = self.format;
        record.severity = self.severity;
        if let Some(status) = self.status {
            record.put(Key::Status, Value::Int(status));
            record.put_str(Key::Method, "GET");
        }
        for upstream in &self.upstreams {
            record.put(Key::UpstreamAddress, Value::Str(upstream));
        }
        if let Some(nanos) = self.duration {
            record.put(Key::Duration, Value::Duration(nanos));
        }
        if let Some(host) = self.host {
            record.put_str(Key::HostName, host);
        }
        if let Some(count) = self.count {
            record.put_other("order.count", Value::Int(count));
        }
        record.put(Key::UserAgent, Value::Str(slice(&self.text, self.part)));
        if self.part.1.is_multiple_of(3) {
            record.put(Key::ExceptionMessage, Value::Str(slice(&self.text, self.part)));
        }
        record.put_other("note", Value::Str(&self.note));
        record
    }
}

fn record() -> impl Strategy<Value = Owned> {
    let fields = (
        prop::option::of(prop::sample::select(vec![200, 404, 500, 502, 503])),
        prop::collection::vec(prop::sample::select(vec!["10.0.0.3:8080", "10.0.0.4", "[2001:db8::1]:443", "db.internal:5432"]), 0..3),
        prop::option::of(0..5_000_000_000i64),
        prop::option::of(0..20i64),
        prop::option::of(prop::sample::select(vec!["web01", "db01"])),
    );
    let format = prop::sample::select(vec!["nginx.error", "nginx.access", "haproxy.http", "generic", "Odd.Format"]);
    let severity = prop::option::of(prop::sample::select(Severity::ALL.to_vec()));
    (text(), (0..60usize, 0..60usize), (0..60usize, 0..40usize), text(), format, severity, fields).prop_map(
        |(text, body, part, note, format, severity, (status, upstreams, duration, count, host))| Owned {
            text,
            body,
            part,
            note,
            format,
            severity,
            status,
            upstreams,
            duration,
            count,
            host,
        },
    )
}

/// A query of any shape, mostly about things that records have.
fn query() -> impl Strategy<Value = String> {
    let word = text().prop_filter("has words", |t| whyline_query::words::words(t).next().is_some()).boxed();
    let known = prop::sample::select(vec![
        "*",
        "status:502",
        "status:>=500",
        "status:5??",
        "status:(500 502)",
        "status:[400 TO 500}",
        "NOT status:*",
        "upstream:10.0.0.3",
        "upstream:10.0.0.3:8080",
        "upstream:10.0.0.0/8",
        "upstream:db.internal",
        "upstream:*8080",
        "upstream:2001:db8::/32",
        "duration:>2s",
        "duration:[1s TO *]",
        "order.count:12",
        "order.count:>10",
        "format:nginx.error",
        "format:nginx.*",
        "format:ODD.format",
        "level:error",
        "level:>=warn",
        "host:web01",
        "host:db*",
        "source:*.log",
        "line:7",
        "line:>7",
        "msg:/refused|reset/",
        "msg:/(?i)connection ref/",
        "msg:/^conn/",
        "raw:/(reset|timed) (by|out)/",
        "raw:refused",
        "note:/out$/",
        "body:*refused*",
        "body:conn*",
        "agent:refused",
        "agent:*k*",
        "note:*",
        "\"connection refused\"",
        "body:\"timed out\"",
        "format:nginx.access",
        "body:/\\d{3}/",
        "msg:/(refused|reset) by .*(timed|peer)/",
        "msg:/(?i)\\b(connection|error)s?\\b.*(refused|timed out)/",
        "msg:/timed .*(error|502)/",
        "agent:/peer|out/",
        "note:/(?i)^connection/",
        "k",
        "i",
    ]);
    let leaf = prop_oneof![
        4 => known.prop_map(String::from),
        1 => word.clone().prop_map(|t| format!("\"{t}\"")),
        1 => word.clone().prop_map(|t| format!("body:\"{t}\"")),
        1 => word.prop_map(|t| format!("note:\"{t}\"")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|q| format!("({})", q.join(" "))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|q| format!("({})", q.join(" OR "))),
            inner.prop_map(|q| format!("NOT {q}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn together_as_each_alone(
        queries in prop::collection::vec((query(), any::<bool>()), 0..30),
        records in prop::collection::vec((record(), any::<bool>()), 1..12),
    ) {
        let queries: Vec<Query> = queries
            .iter()
            .map(|(text, rule)| {
                let query = Query::parse(text).unwrap_or_else(|e| panic!("{}", e.render(text)));
                if *rule { query.for_rules() } else { query }
            })
            .collect();
        let matcher = Matcher::new(queries.iter().enumerate().map(|(i, q)| (i as u32 * 10, q.clone())).collect());
        let source = Source { path: "a/app.log".into(), host: Some("db01".into()), modified: None };
        let (mut scratch, mut out) = (Scratch::default(), vec![99]);
        // What comes again may be answered from memory.
        for (owned, known) in records.iter().chain(&records).chain(&records) {
            let record = owned.record();
            let source = known.then_some(&source);
            matcher.hits_in(&record, source, &mut scratch, &mut out);
            let alone: Vec<u32> = (0u32..).zip(&queries).filter(|(_, q)| q.matches_in(&record, source)).map(|(i, _)| i * 10).collect();
            prop_assert_eq!(&out, &alone, "{:?}", record);
        }
    }

    #[test]
    fn printing_says_the_same(text in query(), records in prop::collection::vec(record(), 1..5)) {
        let query = Query::parse(&text).unwrap();
        let printed = query.to_string();
        let again = Query::parse(&printed).unwrap_or_else(|e| panic!("{text} was printed so: {}", e.render(&printed)));
        prop_assert_eq!(again.root(), query.root());
        prop_assert_eq!(again.to_string(), printed);
        for owned in &records {
            prop_assert_eq!(query.matches(&owned.record()), again.matches(&owned.record()));
        }
    }

    #[test]
    fn nothing_makes_the_reader_panic(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn nothing_like_a_query_makes_the_reader_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "(", ")", "AND", " AND ", " OR ", "NOT ", "!", "-", "\"", "\\", "/", "*", "?", ":", "status:", "msg:", "client:", "level:", "bytes:",
                ">=", "<", "[", "]", "{", "}", " TO ", "1k", "502", "2s", "10.0.0.0/8", "::1", "ä", "接", "|", " ", "\n", "a", "error", "(?i)", "{9}",
            ]),
            0..25,
        ),
    ) {
        read(&parts.concat());
    }
}

/// Reads a text; what is right prints and reads back the same, what is wrong is shown.
fn read(text: &str) {
    match Query::parse(text) {
        Ok(query) => {
            let printed = query.to_string();
            let again = Query::parse(&printed).unwrap_or_else(|e| panic!("{text} was printed so: {}", e.render(&printed)));
            assert_eq!(again.root(), query.root(), "{text} was printed so: {printed}");
            let record = Record::new("Connection refused 502", Origin::default());
            assert_eq!(query.matches(&record), again.matches(&record));
        }
        Err(error) => assert!(error.render(text).contains('^'), "{text}"),
    }
}
