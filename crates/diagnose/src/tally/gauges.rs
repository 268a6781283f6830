//! Numbers in lines of statistics.

use super::Gathered;
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
    /// Memory that a process has, in whatever unit its log counts.
    Memory,
    /// What waits in a queue.
    Depth,
    /// How long a call to another service took, in milliseconds, as the caller says.
    Call,
    /// Whether another service answered a call with an error of its own (1) or not (0), as the caller says.
    Answer,
    /// The version of a service, which is the name; the number says nothing.
    Version,
    /// What a service says of its settings when it starts, which is the name: one `name=value` a line.
    Settings,
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
    /// The queue that a depth is of, the endpoint that a call went to, the version, or the settings.
    pub of: NameId,
    /// The number.
    pub value: f64,
    /// How many lines said so.
    pub count: u32,
    /// It tells how much came since the line before, as no counter does.
    pub is_growth: bool,
}

/// Every name that counts misses or retransmissions has one of these, whatever the case of its first letter; and so have those of memory, or
/// the line that tells of a queue.
static NAMES: LazyLock<[Finder<'static>; 5]> = LazyLock::new(|| ["iss", "etrans", "rss", "esident", "onsumer_lag"].map(Finder::new));

/// More are not kept.
const MOST: usize = 2_000_000;

/// Adds the numbers that a line of statistics gives for a cache's hits and misses, for retransmissions, memory or queues: `hits=607 misses=513`,
/// `keyspace_misses:12`, `RetransSegs 40`, `rss_mb=64.8`, `queue=invoices messages=252`, also as fields of a structured record.
pub(super) fn gather(record: &Record<'_>, stamp: &Stamp, (host, service): (NameId, NameId), all: &mut Gathered) {
    let text = record.text.as_bytes();
    if text.len() > 4000 {
        return;
    }
    let of_queue = QUEUE.find(text).is_some();
    if !of_queue && !NAMES.iter().any(|name| name.find(text).is_some()) {
        return;
    }
    let mut found: Vec<(Counter, f64)> = Vec::new();
    let mut queue = "";
    // Of two names for the same, perhaps in other units, the first counts.
    let had = |found: &[(Counter, f64)], counter: Counter| found.iter().any(|(same, _)| *same == counter);
    for field in &record.fields {
        match (counter_of(field.name.as_str(), of_queue), field.value.as_f64()) {
            (Some(counter), Some(value)) if !had(&found, counter) => found.push((counter, value)),
            _ if of_queue && is_queue(field.name.as_str()) => queue = field.value.as_str().unwrap_or(queue),
            _ => (),
        }
    }
    if found.is_empty() {
        let words = record.body.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '{' | '}' | '"'));
        for (name, number) in words.filter_map(|word| word.split_once(['=', ':'])) {
            match (counter_of(name, of_queue), number.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<f64>()) {
                (Some(counter), Ok(value)) if !had(&found, counter) => found.push((counter, value)),
                _ if of_queue && is_queue(name) => queue = number,
                _ => (),
            }
        }
    }
    if found.is_empty() || all.gauges.len() + found.len() > MOST {
        return;
    }
    let of = all.names.id(queue);
    let line = u32::try_from(record.origin.line).unwrap_or(u32::MAX);
    let source = record.origin.source.0;
    all.gauges.extend(found.into_iter().map(|(counter, value)| Gauge {
        source,
        line,
        form: stamp.form,
        nanos: stamp.nanos,
        host,
        service,
        counter,
        of,
        value,
        count: 1,
        is_growth: false,
    }));
}

/// A line with it may tell of a queue.
static QUEUE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("ueue"));

/// Whether a name stands before that of a queue.
fn is_queue(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "queue" | "queue_name" | "queuename" | "queue.name")
}

/// What a name in a line of statistics counts; some mean a queue only in a line that tells of one.
fn counter_of(name: &str, of_queue: bool) -> Option<Counter> {
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
        "rss"
        | "rss_mb"
        | "rss_kb"
        | "rss_bytes"
        | "rss_mib"
        | "rssmb"
        | "resident"
        | "resident_mb"
        | "resident_memory"
        | "resident_set_size"
        | "process_resident_memory_bytes"
        | "memory_rss" => Counter::Memory,
        "queue_length" | "queue_size" | "queue_depth" | "queuedepth" | "queuesize" | "queuelength" | "consumer_lag" | "messages_ready" => {
            Counter::Depth
        }
        // Bull, Sidekiq, RQ, SQS.
        "messages"
        | "depth"
        | "backlog"
        | "ready"
        | "waiting"
        | "enqueued"
        | "pending"
        | "queued"
        | "jobs_waiting"
        | "approximatenumberofmessages"
            if of_queue =>
        {
            Counter::Depth
        }
        _ => return None,
    })
}
