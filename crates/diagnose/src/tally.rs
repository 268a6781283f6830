//! What is gathered while the records pass, once, in any order of blocks: everything that diagnosis will ask for.
//!
//! Times are kept as written, by source and by what their stamps leave open; clocks are applied afterwards
//! ([`crate::evidence`]). Merging two tallies is associative and does not depend on their order.

use crate::entity;
use crate::names::{NONE, NameId, Names};
use crate::rules::{Pack, SignalId};
use crate::snapshot::{Snapshots, Telling};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Key, Name, Record, Stamp, Value};
use whyline_query::{Matcher, Scratch};

/// One request and its answer, as one program logged it.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// The source.
    pub source: u32,
    /// Its line.
    pub line: u32,
    /// What the stamp leaves open.
    pub form: Form,
    /// The stamp as written, in milliseconds.
    pub millis: i64,
    /// The stamp is when the request began, not when it ended.
    pub is_start: bool,
    /// It comes from an access log, not from a message of an application.
    pub access: bool,
    /// How long it took, in microseconds; `u32::MAX` when unknown.
    pub micros: u32,
    /// Time in the proxy's queue, in microseconds.
    pub queue: u32,
    /// HTTP status.
    pub status: u16,
    /// Status that the upstream answered, 0 when unknown.
    pub upstream_status: u16,
    /// Client address.
    pub client: NameId,
    /// Method and path, numbers and ids masked.
    pub path: NameId,
    /// Where the proxy sent it (the last try).
    pub upstream: NameId,
    /// Group and server of the proxy (`be_shop/app02`).
    pub server: NameId,
    /// User agent.
    pub agent: NameId,
    /// Host of the writer.
    pub host: NameId,
    /// Service of the writer.
    pub service: NameId,
    /// HAProxy's termination letters.
    pub termination: [u8; 2],
    /// Hash of the request id, 0 when there is none.
    pub id: u64,
    /// Hash of method and full path with query.
    pub exact: u64,
}

/// A line kept as evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// Stamp as written, in nanoseconds.
    pub nanos: i64,
    /// Line.
    pub line: u64,
    /// Digits of the stamp.
    pub digits: u8,
    /// The record's text, perhaps cut.
    pub text: String,
    /// Host of the writer.
    pub host: String,
}

/// Whose hits these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HitKey {
    /// The signal.
    pub signal: SignalId,
    /// The source.
    pub source: u32,
    /// What the stamps leave open.
    pub form: Form,
    /// The accused.
    pub entity: NameId,
    /// Host of the writer.
    pub host: NameId,
    /// Service of the writer.
    pub service: NameId,
    /// How their times are to be understood.
    pub telling: Telling,
}

/// Hits of a signal for an entity in a source.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// Hits per second, as written.
    pub bins: BTreeMap<i64, u32>,
    /// The first samples of each second.
    pub samples: BTreeMap<i64, Vec<Sample>>,
}

const SAMPLES_A_SECOND: usize = 2;
const SAMPLE_SECONDS: usize = 400;
const SAMPLE_BYTES: usize = 2000;

impl Hits {
    /// Drops the samples of seconds beyond the cap: the first and the last second stay, and of the others those whose hash is
    /// smallest, so that the choice does not depend on the order in which parts were read.
    fn thin_out(&mut self) {
        let (Some(first), Some(last)) = (self.samples.keys().next().copied(), self.samples.keys().next_back().copied()) else { return };
        let mix = |s: i64| (s as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let mut hashes: Vec<u64> = self.samples.keys().map(|s| mix(*s)).collect();
        hashes.sort_unstable();
        let Some(limit) = hashes.get(SAMPLE_SECONDS).copied() else { return };
        self.samples.retain(|s, _| *s == first || *s == last || mix(*s) < limit);
    }
}

/// Who speaks of whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    /// Host of the speaker.
    pub host: NameId,
    /// Service of the speaker.
    pub service: NameId,
    /// The address or name it speaks of.
    pub peer: NameId,
}

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
}

/// What was gathered.
#[derive(Default)]
pub struct Gathered {
    /// Texts.
    pub names: Names,
    /// Requests.
    pub exchanges: Vec<Exchange>,
    /// Hits of signals.
    pub hits: FxHashMap<HitKey, Hits>,
    /// Records per second of each source, as written.
    pub ticks: FxHashMap<(u32, Form), BTreeMap<i64, u32>>,
    /// Who speaks of whom, and how often.
    pub pairs: FxHashMap<Pair, u32>,
    /// Which programs (formats) write on which host.
    pub programs: FxHashMap<(NameId, NameId), u32>,
    /// Numbers in lines of statistics.
    pub gauges: Vec<Gauge>,
    /// Which paths a proxy's error log names beside an upstream: upstream and masked path.
    pub asked: FxHashMap<(NameId, NameId), u32>,
    /// What output of commands shows.
    pub snapshots: Snapshots,
}

/// Gathers, record by record.
pub struct Tally<'p> {
    pack: &'p Pack,
    matcher: &'p Matcher,
    scratch: Scratch,
    hits: Vec<SignalId>,
    entity: String,
    masked: String,
    service: String,
    /// Texts that come again and again in records that follow each other: host, service, program.
    recent: [Recent; 3],
    /// Records of the same second that are not entered yet.
    tick: Option<((u32, Form), i64, u32)>,
    gathered: Gathered,
}

/// A text and its number.
#[derive(Default)]
struct Recent {
    text: String,
    id: NameId,
}

impl Recent {
    fn id(&mut self, text: &str, names: &mut Names) -> NameId {
        if self.text != text {
            self.id = names.id(text);
            self.text.clear();
            self.text.push_str(text);
        }
        self.id
    }
}

impl<'p> Tally<'p> {
    /// An empty tally that asks the signals of a pack.
    pub fn new(pack: &'p Pack, matcher: &'p Matcher) -> Self {
        Tally {
            pack,
            matcher,
            scratch: Scratch::default(),
            hits: Vec::new(),
            entity: String::new(),
            masked: String::new(),
            service: String::new(),
            recent: Default::default(),
            tick: None,
            gathered: Gathered::default(),
        }
    }

    /// What was gathered.
    pub fn finish(mut self) -> Gathered {
        self.enter_tick();
        self.gathered
    }

    /// Counts a record by its second. Most follow one of the same second.
    fn tick(&mut self, of: (u32, Form), second: i64) {
        match &mut self.tick {
            Some((same, at, count)) if *same == of && *at == second => *count += 1,
            _ => {
                self.enter_tick();
                self.tick = Some((of, second, 1));
            }
        }
    }

    fn enter_tick(&mut self) {
        if let Some((of, second, count)) = self.tick.take() {
            *self.gathered.ticks.entry(of).or_default().entry(second).or_default() += count;
        }
    }

    /// The source changes: `path` names the service of records that name none.
    pub fn source(&mut self, path: &str) {
        self.service = entity::service_of_path(path);
    }

    /// Takes a record.
    pub fn record(&mut self, record: &Record<'_>) {
        // What is counted is counted by its time, so a record of no credible time carries no beginning of anything.
        let Some(stamp) = record.stamp.filter(|_| !record.doubtful) else { return };
        if record.is_snapshot() {
            return self.snapshot(record, &stamp);
        }
        let source = record.origin.source.0;
        let second = stamp.nanos.div_euclid(NANOS);
        self.tick((source, stamp.form), second);
        let all = &mut self.gathered;
        let [recent_host, recent_service, recent_program] = &mut self.recent;
        let host = recent_host.id(record.str(Key::HostName).unwrap_or(""), &mut all.names);
        let service_text = entity::service(record).unwrap_or(&self.service);
        let service = recent_service.id(service_text, &mut all.names);
        if let Some(program) = entity::of_format(record.format).or_else(|| program_of(service_text)) {
            let program = recent_program.id(program, &mut all.names);
            *all.programs.entry((host, program)).or_default() += 1;
        }
        self.exchange(record, &stamp, host, service);
        self.gauges(record, &stamp, host, service);
        if let Some(peer) = record.str(Key::Peer) {
            let peer = self.gathered.names.id(peer);
            *self.gathered.pairs.entry(Pair { host, service, peer }).or_default() += 1;
        }
        if let (Some(upstream), Some(path), None) = (record.str(Key::UpstreamAddress), record.str(Key::Path), record.get(Key::Status)) {
            self.masked.clear();
            self.masked.push_str(record.str(Key::Method).unwrap_or(""));
            self.masked.push(' ');
            mask(path, &mut self.masked);
            let names = &mut self.gathered.names;
            let key = (names.id(upstream), names.id(&self.masked));
            *self.gathered.asked.entry(key).or_default() += 1;
        }
        self.signals(record, &stamp, host, service);
    }

    /// Takes a row of a command's output. When somebody looked says nothing of when a log was written, and a listing speaks of
    /// requests and peers only in passing; so only its signals count, what it shows, and which programs run.
    fn snapshot(&mut self, record: &Record<'_>, stamp: &Stamp) {
        let names = &mut self.gathered.names;
        let host = names.id(record.str(Key::HostName).unwrap_or(""));
        let program = record.str(Key::ProcessName);
        let service = names.id(program.unwrap_or(""));
        if let Some(program) = program.and_then(program_of).filter(|_| record.is_state()) {
            let program = names.id(program);
            *self.gathered.programs.entry((host, program)).or_default() += 1;
        }
        self.gathered.snapshots.record(record, stamp, host, &mut self.gathered.names);
        self.signals(record, stamp, host, service);
    }

    fn signals(&mut self, record: &Record<'_>, stamp: &Stamp, host: NameId, service: NameId) {
        self.hits.clear();
        self.matcher.hits(record, &mut self.scratch, &mut self.hits);
        for i in 0..self.hits.len() {
            self.hit(self.hits[i], record, stamp, host, service);
        }
    }

    fn hit(&mut self, signal: SignalId, record: &Record<'_>, stamp: &Stamp, host: NameId, service: NameId) {
        let fields = &self.pack.signals[signal as usize].entity;
        // The file of a listing is named by whoever made it.
        let by_path = if record.is_snapshot() { "" } else { &self.service };
        entity::of_record(record, fields, by_path, &mut self.entity);
        let entity = self.gathered.names.id(&self.entity);
        let telling = Telling::of(record);
        let key = HitKey { signal, source: record.origin.source.0, form: stamp.form, entity, host, service, telling };
        let hits = self.gathered.hits.entry(key).or_default();
        let second = stamp.nanos.div_euclid(NANOS);
        match hits.bins.last_entry() {
            // Mostly it is the last one.
            Some(mut last) if *last.key() == second => *last.get_mut() += 1,
            _ => *hits.bins.entry(second).or_default() += 1,
        }
        let samples = hits.samples.entry(second).or_default();
        // The first of each second by time and line, whatever the order in which blocks come.
        let place = (stamp.nanos, record.origin.line);
        if samples.len() >= SAMPLES_A_SECOND && samples.last().is_some_and(|s| (s.nanos, s.line) <= place) {
            return;
        }
        let mut end = record.text.len().min(SAMPLE_BYTES);
        while !record.text.is_char_boundary(end) {
            end -= 1;
        }
        let sample = Sample {
            nanos: stamp.nanos,
            line: record.origin.line,
            digits: stamp.digits,
            text: record.text[..end].to_string(),
            host: record.str(Key::HostName).unwrap_or("").to_string(),
        };
        let at = samples.partition_point(|s| (s.nanos, s.line) < place);
        samples.insert(at, sample);
        samples.truncate(SAMPLES_A_SECOND);
        if hits.samples.len() > 2 * SAMPLE_SECONDS {
            hits.thin_out();
        }
    }

    /// Numbers that lines of statistics give for a cache's hits and misses or for retransmissions: `hits=607 misses=513`,
    /// `keyspace_misses:12`, `RetransSegs 40`, also as fields of a structured record.
    fn gauges(&mut self, record: &Record<'_>, stamp: &Stamp, host: NameId, service: NameId) {
        let text = record.text.as_bytes();
        if text.len() > 4000 || record.has(Key::Status) {
            return;
        }
        if memchr::memmem::find(text, b"iss").is_none() && memchr::memmem::find(text, b"etrans").is_none() {
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
        if self.gathered.gauges.len() + found.len() > 2_000_000 {
            return;
        }
        let line = u32::try_from(record.origin.line).unwrap_or(u32::MAX);
        let source = record.origin.source.0;
        self.gathered.gauges.extend(found.into_iter().map(|(counter, value)| Gauge {
            source,
            line,
            form: stamp.form,
            nanos: stamp.nanos,
            host,
            service,
            counter,
            value,
        }));
    }

    fn exchange(&mut self, record: &Record<'_>, stamp: &Stamp, host: NameId, service: NameId) {
        let Some(status) = record.int(Key::Status).filter(|s| (100..600).contains(s)) else { return };
        let access = whyline_query::is_access(record);
        let path = record.str(Key::Path);
        if path.is_none() && !access {
            return;
        }
        let method = record.str(Key::Method).unwrap_or("");
        self.masked.clear();
        self.masked.push_str(method);
        self.masked.push(' ');
        mask(path.unwrap_or("?"), &mut self.masked);
        let names = &mut self.gathered.names;
        let micros = |key: Key| match record.get(key) {
            Some(Value::Duration(ns)) => u32::try_from(ns / 1000).unwrap_or(u32::MAX - 1),
            _ => u32::MAX,
        };
        let mut duration = micros(Key::Duration);
        if duration == u32::MAX {
            duration = micros(Key::UpstreamDuration);
        }
        let queue = micros(Key::QueueDuration);
        let server = match (record.str(Key::UpstreamName), record.str(Key::UpstreamServer)) {
            (Some(group), Some(server)) if !server.starts_with('<') => names.id(&format!("{group}/{server}")),
            (Some(group), _) => names.id(group),
            _ => NONE,
        };
        let upstream = record.last(Key::UpstreamAddress).and_then(|v| v.as_str()).unwrap_or("");
        let termination = record.str(Key::Termination).map_or([b'-', b'-'], |t| {
            let b = t.as_bytes();
            [b.first().copied().unwrap_or(b'-'), b.get(1).copied().unwrap_or(b'-')]
        });
        let id = record.str(Key::RequestId).or_else(|| record.str(Key::TraceId)).map_or(0, hash);
        let exact = {
            let mut h = hash(path.unwrap_or("")) ^ hash(method).rotate_left(7);
            if let Some(query) = record.str(Key::UrlQuery) {
                h ^= hash(query).rotate_left(21);
            }
            h
        };
        let exchange = Exchange {
            source: record.origin.source.0,
            line: u32::try_from(record.origin.line).unwrap_or(u32::MAX),
            form: stamp.form,
            millis: stamp.nanos.div_euclid(1_000_000),
            is_start: matches!(record.values(Name::Other("time.is_start")).next(), Some(Value::Bool(true))),
            access,
            micros: duration,
            queue: if queue == u32::MAX { 0 } else { queue },
            status: status as u16,
            upstream_status: record.last(Key::UpstreamStatus).and_then(|v| v.as_int()).map_or(0, |s| s as u16),
            client: names.id(record.str(Key::ClientAddress).map_or("", |c| whyline_event::address::split_port(c).0)),
            path: names.id(&self.masked),
            upstream: names.id(upstream),
            server,
            agent: names.id(record.str(Key::UserAgent).map_or("", |a| &a[..a.char_indices().nth(80).map_or(a.len(), |(i, _)| i)])),
            host,
            service,
            termination,
            id,
            exact,
        };
        self.gathered.exchanges.push(exchange);
    }
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

/// The well-known server program that a service name stands for.
fn program_of(service: &str) -> Option<&'static str> {
    Some(match service {
        "mysqld" | "mariadbd" | "mysql" | "mariadb" => "mariadb",
        "postgres" | "postgresql" => "postgresql",
        "redis" | "redis-server" => "redis",
        "mongod" => "mongodb",
        "rabbitmq-server" | "rabbitmq" => "rabbitmq",
        "memcached" => "memcached",
        "dnsmasq" | "unbound" | "named" => "dns",
        _ => return None,
    })
}

fn hash(text: &str) -> u64 {
    use std::hash::Hasher;
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish() | 1
}

/// Writes a path with what names a single thing masked: `/api/orders/17` becomes `/api/orders/*`. At most four parts.
pub fn mask(path: &str, into: &mut String) {
    let mut count = 0;
    for part in path.split('/').skip(1) {
        count += 1;
        if count > 4 {
            into.push_str("/...");
            return;
        }
        into.push('/');
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let version = part.len() <= 3 && part.starts_with('v');
        if (digits * 3 >= part.len() && digits > 0 || digits >= 4 || part.len() > 40) && !version
            || count > 2 && part.bytes().all(|b| b.is_ascii_uppercase()) && part.len() > 2
        {
            into.push('*');
        } else {
            into.push_str(part);
        }
    }
    if count == 0 {
        into.push_str(path);
    }
}

impl Gathered {
    /// Adds what another tally gathered.
    pub fn merge(&mut self, other: Gathered) {
        let map: Vec<NameId> = (0..other.names.len() as NameId).map(|i| self.names.id(other.names.text(i))).collect();
        let name = |id: NameId| map.get(id as usize).copied().unwrap_or(NONE);
        self.exchanges.extend(other.exchanges.into_iter().map(|e| Exchange {
            client: name(e.client),
            path: name(e.path),
            upstream: name(e.upstream),
            server: name(e.server),
            agent: name(e.agent),
            host: name(e.host),
            service: name(e.service),
            ..e
        }));
        self.gauges.extend(other.gauges.into_iter().map(|g| Gauge { host: name(g.host), service: name(g.service), ..g }));
        for (key, hits) in other.hits {
            let key = HitKey { entity: name(key.entity), host: name(key.host), service: name(key.service), ..key };
            let mine = self.hits.entry(key).or_default();
            for (second, count) in hits.bins {
                *mine.bins.entry(second).or_default() += count;
            }
            for (second, mut samples) in hits.samples {
                let list = mine.samples.entry(second).or_default();
                list.append(&mut samples);
                list.sort();
                list.truncate(SAMPLES_A_SECOND);
            }
            if mine.samples.len() > SAMPLE_SECONDS {
                mine.thin_out();
            }
        }
        self.snapshots.merge(other.snapshots, name);
        for (key, bins) in other.ticks {
            let mine = self.ticks.entry(key).or_default();
            for (second, count) in bins {
                *mine.entry(second).or_default() += count;
            }
        }
        for (pair, count) in other.pairs {
            *self.pairs.entry(Pair { host: name(pair.host), service: name(pair.service), peer: name(pair.peer) }).or_default() += count;
        }
        for ((upstream, path), count) in other.asked {
            *self.asked.entry((name(upstream), name(path))).or_default() += count;
        }
        for ((host, program), count) in other.programs {
            *self.programs.entry((name(host), name(program))).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn masks() {
        for (path, want) in [
            ("/api/orders/17", "/api/orders/*"),
            ("/api/v1/items", "/api/v1/items"),
            ("/", "/"),
            ("/static/img/712.jpg", "/static/img/*"),
            ("/a/b/c/d/e", "/a/b/c/d/..."),
            ("/x/0b7c2f4e-1111", "/x/*"),
        ] {
            let mut out = String::new();
            super::mask(path, &mut out);
            assert_eq!(out, want);
        }
    }
}
