//! Numbers in lines of statistics.

use crate::names::NameId;
use memchr::memmem::Finder;
use std::sync::LazyLock;
use whyline_event::{Form, Record, Stamp};

/// What a number in a line of statistics counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counter {
    /// Answers that a cache had.
    Hits,
    /// Answers that a cache had not.
    Misses,
    /// TCP segments that were sent again.
    Retransmissions,
}

/// A number in a line of statistics.
#[derive(Clone, Copy, Debug)]
pub struct Gauge {
    /// The source.
    pub source: u32,
    /// Its line.
    pub line: u32,
    /// What the stamp leaves open.
    pub form: Form,
    /// The stamp as written, in nanoseconds.
    pub nanos: i64,
    /// Host of the writer.
    pub host: NameId,
    /// Service of the writer.
    pub service: NameId,
    /// What it counts.
    pub counter: Counter,
    /// The number.
    pub value: f64,
    /// It tells how much came since the line before, as no counter does.
    pub is_growth: bool,
}

/// Every name that counts misses or retransmissions has one of these, whatever the case of its first letter.
static NAMES: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| [Finder::new("iss"), Finder::new("etrans")]);

/// More are not kept.
const MOST: usize = 2_000_000;

/// Adds the numbers that a line of statistics gives for a cache's hits and misses or for retransmissions: `hits=607 misses=513`,
/// `keyspace_misses:12`, `RetransSegs 40`, also as fields of a structured record.
pub(super) fn gather(record: &Record<'_>, stamp: &Stamp, (host, service): (NameId, NameId), gauges: &mut Vec<Gauge>) {
    let text = record.text.as_bytes();
    if text.len() > 4000 {
        return;
    }
    if !NAMES.iter().any(|name| name.find(text).is_some()) {
        return;
    }
    let mut found: Vec<(Counter, f64)> = Vec::new();
    let fields = record.fields.iter().filter_map(|f| Some((counter_of(f.name.as_str())?, f.value.as_f64()?)));
    found.extend(fields);
    if found.is_empty() {
        let words = record.body.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '{' | '}' | '"'));
        for word in words {
            if let Some((name, number)) = word.split_once(['=', ':'])
                && let (Some(counter), Ok(value)) = (counter_of(name), number.parse::<f64>())
            {
                found.push((counter, value));
            }
        }
    }
    if gauges.len() + found.len() > MOST {
        return;
    }
    let line = u32::try_from(record.origin.line).unwrap_or(u32::MAX);
    let source = record.origin.source.0;
    gauges.extend(found.into_iter().map(|(counter, value)| Gauge {
        source,
        line,
        form: stamp.form,
        nanos: stamp.nanos,
        host,
        service,
        counter,
        value,
        is_growth: false,
    }));
}

/// What a name in a line of statistics counts.
fn counter_of(name: &str) -> Option<Counter> {
    let last = name.rsplit(['.', '/']).next().unwrap_or(name);
    if last.len() > 40 {
        return None;
    }
    let low = last.to_ascii_lowercase();
    Some(match low.trim_matches(|c: char| !c.is_ascii_alphanumeric()) {
        "hits" | "keyspace_hits" | "cache_hits" | "get_hits" | "cache_hit" | "hit" => Counter::Hits,
        "misses" | "keyspace_misses" | "cache_misses" | "get_misses" | "cache_miss" | "miss" => Counter::Misses,
        "retrans" | "retranssegs" | "retransmits" | "retransmitted" | "retransmissions" | "tcpretranssegs" | "segs_retrans" => {
            Counter::Retransmissions
        }
        _ => return None,
    })
}
