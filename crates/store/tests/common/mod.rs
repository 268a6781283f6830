//! Records and queries of all kinds, made of pieces that often meet.

use proptest::prelude::*;
use whyline_event::{Clock, Form, Key, Origin, Record, Severity, SourceId, Stamp, Value, Zone};
use whyline_store::{StoredClock, StoredSource};

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
    "\u{1f}",
    "0123456789012345678901234567890123456789012345678901234567890123456789",
];

pub fn text() -> impl Strategy<Value = String> {
    prop::collection::vec((prop::sample::select(WORDS), prop::sample::select(vec![" ", "", ": ", "_", "\n", " (", "ä"])), 0..8)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, gap)| [word, gap]).collect())
}

/// A clock with a fixed offset, near to the beginning of time.
pub fn clock(offset: i32) -> Clock {
    Clock { zone: Zone::Offset(offset), near: Some(0), ahead: 7 }
}

/// What writing may use.
pub const MEMORY: usize = 400 << 20;

/// Three sources, whose paths do not rise with their numbers.
pub fn sources() -> Vec<StoredSource> {
    let source = |path: &str, host: Option<&str>, clock: Clock| StoredSource {
        path: path.into(),
        host: host.map(String::from),
        clock: StoredClock::new(&clock),
        ..StoredSource::default()
    };
    vec![source("c/app.log", Some("db01"), clock(0)), source("a/web.log", None, clock(3600)), source("b.txt", Some("WEB01"), clock(-7200))]
}

/// A record that owns its texts.
#[derive(Debug, Clone)]
pub struct Stored {
    pub source: u32,
    pub offset: u64,
    line: u64,
    text: String,
    body: (usize, usize),
    part: (usize, usize),
    note: String,
    format: &'static str,
    severity: Option<Severity>,
    level: Option<&'static str>,
    stamp: Option<Stamp>,
    status: Option<i64>,
    upstreams: Vec<&'static str>,
    duration: Option<i64>,
    count: Option<Value<'static>>,
    host: Option<&'static str>,
}

fn slice(text: &str, (from, length): (usize, usize)) -> &str {
    let ends: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let from = from % ends.len();
    let to = (from + length).min(ends.len() - 1);
    &text[ends[from]..ends[to]]
}

impl Stored {
    /// The same kind of record once more, with other values in it.
    pub fn varied(&self, n: u64) -> Stored {
        let mut other = self.clone();
        let pick = (n % 7) as usize;
        other.text = self.text.replacen("502", &format!("{}", 400 + n), 1) + &format!(" took {n}.5ms by {}", WORDS[pick]);
        other.note = if n.is_multiple_of(3) { self.note.clone() } else { format!("{} {}", WORDS[pick], n * 1000) };
        other.status = self.status.map(|s| s + (n % 4) as i64);
        other.duration = self.duration.map(|d| d + n as i64 * 250_000_000);
        if let (Some(host), true) = (&mut other.host, n.is_multiple_of(2)) {
            *host = "Web01";
        }
        other.line = self.line + n;
        other
    }

    pub fn record(&self) -> Record<'_> {
        let origin = Origin { source: SourceId(self.source), line: self.line, lines: 1, offset: self.offset, length: 9 };
        let mut record = Record::new(&self.text, origin);
        record.body = slice(&self.text, self.body);
        record.format = self.format;
        record.severity = self.severity;
        record.stamp = self.stamp;
        record.inherited = self.line.is_multiple_of(3) && self.stamp.is_some();
        if let Some(level) = self.level {
            record.put_str(Key::Level, level);
        }
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
            record.put_other("order.count", count);
        }
        record.put(Key::UserAgent, Value::Str(slice(&self.text, self.part)));
        if self.part.1.is_multiple_of(3) {
            record.put(Key::ExceptionMessage, Value::Str(slice(&self.text, self.part)));
        }
        record.put_other("note", Value::Str(&self.note));
        // What writers call as people call a field of the table.
        if self.line % 3 == 1 {
            record.put_other("status", self.count.unwrap_or(Value::Int(502)));
            record.put_other("upstream", Value::Str(&self.note));
        }
        if self.line.is_multiple_of(4) {
            record.notes.push("partial line");
        }
        record
    }
}

fn stamp() -> impl Strategy<Value = Stamp> {
    const DAY: i64 = 86_400;
    const YEARS: i64 = 2 * 365 * DAY;
    let nanos = (-9000..9000i64, prop::sample::select(vec![0, 1, 500_000_000]));
    (nanos, 0..4usize, 0..10u8).prop_map(|((second, part), form, digits)| {
        let (form, second) = match form {
            0 => (Form::Explicit, second),
            1 => (Form::Civil, second),
            2 => (Form::NoYear, YEARS + second.abs()),
            _ => (Form::TimeOnly, second.rem_euclid(DAY)),
        };
        Stamp { nanos: second * 1_000_000_000 + part, form, offset: (form == Form::Explicit).then_some(3600), digits }
    })
}

/// A record, its offset still to be given.
pub fn stored() -> impl Strategy<Value = Stored> {
    let count = prop_oneof![
        (0..20i64).prop_map(Value::Int),
        prop::sample::select(vec![0.5, 12.0, 1e300, -0.0]).prop_map(Value::Float),
        any::<bool>().prop_map(Value::Bool),
        prop::sample::select(vec!["12", "12.0", "True", "10.0.0.3:1", "Zwölf"]).prop_map(Value::Str),
    ];
    let fields = (
        prop::option::of(prop::sample::select(vec![200, 404, 500, 502, 503])),
        prop::collection::vec(prop::sample::select(vec!["10.0.0.3:8080", "10.0.0.4", "[2001:DB8::1]:443", "DB.internal:5432"]), 0..3),
        prop::option::of(0..5_000_000_000i64),
        prop::option::of(count),
        prop::option::of(prop::sample::select(vec!["Web01", "db01"])),
        prop::option::of(prop::sample::select(vec!["crit", "Warning", "error", "ERROR", "30"])),
    );
    let format = prop::sample::select(vec!["nginx.error", "nginx.access", "haproxy.http", "generic", "Odd.Format"]);
    let severity = prop::option::of(prop::sample::select(Severity::ALL.to_vec()));
    let place = (0..3u32, 1..12u64, prop::option::weighted(0.9, stamp()));
    (place, text(), (0..60usize, 0..60usize), (0..60usize, 0..40usize), text(), format, severity, fields).prop_map(
        |((source, line, stamp), text, body, part, note, format, severity, (status, upstreams, duration, count, host, level))| Stored {
            source,
            offset: 0,
            line,
            text,
            body,
            part,
            note,
            format,
            severity,
            level,
            stamp,
            status,
            upstreams,
            duration,
            count,
            host,
        },
    )
}

/// A query of any shape, mostly about things that records have.
pub fn query() -> impl Strategy<Value = String> {
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
        "upstream:/^DB/",
        "upstream:2001:db8::/32",
        "duration:>2s",
        "duration:[1s TO *]",
        "order.count:12",
        "order.count:12.0",
        "order.count:true",
        "order.count:zwölf",
        "order.count:10.0.0.3",
        "order.count:>10",
        "order.count:?",
        "order.count:*",
        "nowhere:*",
        "nowhere:5",
        "NOT nowhere:*",
        "format:nginx.error",
        "format:nginx.*",
        "format:ODD.format",
        "format:*",
        "level:error",
        "level:crit",
        "level:warning",
        "level:30",
        "level:>=warn",
        "level:*",
        "log.level:error",
        "host:web01",
        "host:db*",
        "host:/^W/",
        "host:*",
        "source:*.log",
        "source:a/web.log",
        "line:7",
        "line:>7",
        "msg:/refused|reset/",
        "msg:/(?i)connection ref/",
        "msg:/^conn/",
        "msg:/789$/",
        "raw:/(reset|timed) (by|out)/",
        "raw:/con.*refused/",
        "msg:/(?i)CONN[a-z]+ (refused|reset).*$/",
        "raw:refused",
        "raw:/took.*ms/",
        "raw:/took.*5ms by.*n/",
        "raw:/refused.*took .*5ms/",
        "msg:/ took 1.*.5ms by /",
        "note:/refused .*000/",
        "note:/used 1/",
        "note:/000$/",
        "note:\"refused 1000\"",
        "note:2000",
        "note:/out$/",
        "note:?",
        "note:i*",
        "note:*",
        "body:*refused*",
        "body:conn*",
        "body:*012345678901*",
        "agent:refused",
        "agent:*k*",
        "agent:*onnect*",
        "\"connection refused\"",
        "body:\"timed out\"",
        "format:nginx.access",
        "body:/\\d{3}/",
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
