//! What hostile input must never do to the readers: the bodies of the fuzz targets (`fuzz/`), of which the test suite runs a short
//! deterministic slice (`hostile.rs`).
//!
//! Each takes any bytes and fails by panicking: where a reader panics, or where a promise is broken.

use std::sync::{Arc, LazyLock};
use whyline_event::{Bump, Origin, Record};
use whyline_parse::format::{Cx, Format};
use whyline_parse::reading::read_text;
use whyline_parse::{cut, detect, formats, stamp};

static ALL: LazyLock<Vec<Arc<dyn Format>>> = LazyLock::new(formats::all);

/// A body, by the name of its target.
pub type Body = fn(&[u8]);

/// All bodies.
pub const BODIES: &[(&str, Body)] = &[
    ("time", time),
    ("detection", detection),
    ("records", records),
    ("access", |data| family(data, Family::Access)),
    ("envelopes", |data| family(data, Family::Envelope)),
    ("databases", |data| family(data, Family::Database)),
    ("applications", |data| family(data, Family::Application)),
];

/// Runs the body of a target.
pub fn run(target: &str, data: &[u8]) {
    for (name, body) in BODIES {
        if *name == target {
            body(data);
        }
    }
}

/// Every notation of time: what is found lies within the text, and the general reader finds no less than the special ones.
pub fn time(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for found in [
        stamp::prefix(&text),
        stamp::iso(&text),
        stamp::clf(&text),
        stamp::slash(&text),
        stamp::syslog(&text),
        stamp::compact(&text),
        stamp::epoch(&text),
        stamp::tai64n(&text),
        stamp::time_only(&text),
        stamp::glog(&text).map(|(stamp, used, _)| (stamp, used)),
    ]
    .into_iter()
    .flatten()
    {
        assert!(text.is_char_boundary(found.1) && found.1 <= text.len(), "{text:?}: {found:?}");
        let clock = whyline_event::Clock::default();
        let _ = whyline_event::stamp::rfc3339(clock.instant(&found.0), found.0.digits);
    }
    let _ = stamp::month_name(&text);
}

/// Detection takes any head, and its plan reads that head.
pub fn detection(data: &[u8]) {
    let plan = detect::detect(data, &[], &ALL);
    assert!((0.0..=1.0).contains(&plan.share));
    assert!(!plan.order.is_empty() && plan.order.len() <= ALL.len());
    for line in data.split(|b| *b == b'\n').take(20) {
        let _ = cut::starts_record(&plan, line);
    }
}

/// Records: every line is in a record or blank, records follow each other without holes or overlaps.
pub fn records(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = text.split_inclusive('\n').count() as u64;
    let (mut next, mut in_records) = (1, 0);
    read_text(&text, Some("host"), &ALL, &mut |record| {
        assert!(record.origin.line >= next, "{text:?}: record at {} overlaps", record.origin.line);
        next = record.origin.line + u64::from(record.origin.lines);
        in_records += u64::from(record.origin.lines);
        assert!(record.body.len() <= cut::LONGEST_BODY);
        let _ = whyline_event::Event::new(record, &whyline_event::Source::default(), &whyline_event::Clock::default()).to_json();
    });
    assert!(next <= lines + 1 && in_records <= lines, "{text:?}");
    let blank = text.lines().filter(|line| line.trim().is_empty()).count() as u64;
    assert!(in_records + blank >= lines, "{text:?}: lines were lost");
}

/// Formats that are tried together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Web servers, proxies, caches, mail and name servers.
    Access,
    /// Formats that carry others.
    Envelope,
    /// Databases and queues.
    Database,
    /// Everything else.
    Application,
}

fn family_of(format: &dyn Format) -> Family {
    let name = format.name();
    let starts = |list: &[&str]| list.iter().any(|start| name.starts_with(start));
    if format.is_envelope() {
        Family::Envelope
    } else if starts(&["mysql", "postgres", "mongo", "redis", "elastic", "cassandra", "kafka", "sql", "oracle", "pg", "rabbit"]) {
        Family::Database
    } else if name.ends_with(".access") || starts(&["aws", "haproxy", "squid", "traefik", "envoy", "w3c", "iis", "nginx", "apache"]) {
        Family::Access
    } else {
        Family::Application
    }
}

/// The formats of a family read a text alone, and with what its lines teach them. A text that is not read leaves the record as it was.
pub fn family(data: &[u8], family: Family) {
    let text = String::from_utf8_lossy(data);
    let arena = Bump::new();
    let cx = Cx { arena: &arena, order: &ALL, depth: 0 };
    let lines: Vec<&str> = text.lines().collect();
    for format in ALL.iter().filter(|format| family_of(&***format) == family) {
        read(&cx, &**format, &text);
        if let Some(learnt) = format.learn(&lines) {
            read(&cx, &*learnt, &text);
            for line in lines.iter().take(8) {
                read(&cx, &*learnt, line);
                let _ = learnt.starts(&cx, line);
            }
        }
    }
}

fn read(cx: &Cx<'_>, format: &dyn Format, text: &str) {
    let text = cx.arena.alloc_str(text);
    let mut record = Record::new(text, Origin::default());
    if format.read(cx, text, &mut record).is_none() {
        let name = format.name();
        assert!(record.fields.is_empty() && record.notes.is_empty(), "{name} left fields of {text:?}");
        assert!(record.stamp.is_none() && record.severity.is_none(), "{name} left a stamp or level of {text:?}");
        assert!(record.format == "generic" && record.body == text, "{name} left its name or body on {text:?}");
    }
}
