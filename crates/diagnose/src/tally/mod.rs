//! What is gathered while the records pass, once, in any order of blocks: everything that diagnosis will ask for.
//!
//! Times are kept as written, by source and by what their stamps leave open; clocks are applied afterwards
//! ([`crate::evidence`]). Merging two tallies is associative and does not depend on their order.

mod exchanges;
mod fields;
mod gathered;
mod gauges;
mod hits;
mod lookups;
mod resolved;
mod services;
mod settings;

use crate::containers;
use crate::entity;
use crate::names::{NameId, Names};
use crate::requests::Spill;
use crate::rules::{Pack, SignalId};
use crate::snapshot::Telling;
use exchanges::Exchanges;
pub use exchanges::mask;
use fields::Fields;
pub use gathered::{Gathered, Pair};
pub use gauges::{Counter, Gauge};
pub use hits::{HitKey, Hits, Kept, Sample, Text};
pub use lookups::Lookups;
pub use resolved::Resolved;
pub use services::Services;
use std::fmt::Write;
use std::net::IpAddr;
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Key, Record, Stamp, address};
use whyline_query::{Matcher, Scratch};

/// Gathers, record by record.
pub struct Tally<'p> {
    pack: &'p Pack,
    matcher: &'p Matcher,
    scratch: Scratch,
    hits: Vec<SignalId>,
    entity: String,
    service: String,
    exchanges: Exchanges,
    /// An address with its port.
    joined: String,
    /// The host that clients asked for.
    recent_asked: Recent,
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
    /// An empty tally that asks the signals of a pack. Tallies of one bundle share a spill.
    pub fn new(pack: &'p Pack, matcher: &'p Matcher, spill: &Spill) -> Self {
        Tally {
            pack,
            matcher,
            scratch: Scratch::default(),
            hits: Vec::new(),
            entity: String::new(),
            service: String::new(),
            exchanges: Exchanges::default(),
            joined: String::new(),
            recent_asked: Recent::default(),
            recent: Default::default(),
            tick: None,
            gathered: Gathered::on(spill.clone()),
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
            let bins = self.gathered.ticks.entry(of).or_default();
            // Records of one second that lie apart have another one between them; most of these follow soon.
            match bins.iter_mut().rev().take(4).find(|(same, _)| *same == second) {
                Some((_, n)) => *n += count,
                None => {
                    if bins.len() == bins.capacity() {
                        join_seconds(bins);
                        bins.reserve(bins.len());
                    }
                    bins.push((second, count));
                }
            }
        }
    }

    /// The source changes: `path` names the service of records that name none.
    pub fn source(&mut self, path: &str) {
        self.service = entity::service_of_path(path);
    }

    /// Takes a record.
    pub fn record(&mut self, record: &Record<'_>) {
        let stamp = record.stamp.filter(|_| !record.doubtful);
        if record.is_snapshot() {
            return stamp.iter().for_each(|stamp| self.snapshot(record, stamp));
        }
        let fields = Fields::of(record);
        let writer = self.writer(record, &fields);
        // The rest is counted by its time: a record of no credible time carries no beginning of anything.
        let Some(stamp) = stamp else { return };
        self.tick((record.origin.source.0, stamp.form), stamp.nanos.div_euclid(NANOS));
        let status = fields.get(Key::Status);
        match status {
            Some(_) => self.exchange(record, &fields, &stamp, writer),
            None => self.statement(record, &fields, &stamp, writer),
        }
        let (all, (host, service)) = (&mut self.gathered, writer);
        if let Some(peer) = fields.text(Key::Peer) {
            let peer = all.names.id(peer);
            *all.pairs.entry(Pair { host, service, peer }).or_default() += 1;
        }
        if let (Some(upstream), Some(path), None) = (fields.text(Key::UpstreamAddress), fields.text(Key::Path), status) {
            let path = self.exchanges.path(fields.text(Key::Method).unwrap_or(""), path, &mut all.names);
            *all.asked.entry((all.names.id(upstream), path)).or_default() += 1;
        }
        self.signals(record, &stamp, writer);
    }

    /// Takes note of a request and its answer.
    fn exchange(&mut self, record: &Record<'_>, fields: &Fields<'_, '_>, stamp: &Stamp, writer: (NameId, NameId)) {
        let all = &mut self.gathered;
        if let Some(asked) = asked_host(record, &mut self.joined) {
            let asked = self.recent_asked.id(asked, &mut all.names);
            *all.asked_hosts.entry(asked).or_default() += 1;
        }
        let exchange = self.exchanges.of(record, fields, stamp, writer, &mut all.names);
        // What is not there is looked up in vain, too: that says nothing of the cache.
        let found = exchange.as_ref().filter(|exchange| !(400..500).contains(&exchange.status));
        if let (Some(_), Some(cache)) = (found, fields.text(Key::CacheStatus)) {
            all.lookups.add(cache, at(record, stamp), writer);
        }
        match services::asked(record) {
            // What another one answered is no answer of one's own.
            Some(end) => {
                let end = all.names.id(end);
                let failed = exchange.is_some_and(|exchange| exchange.status >= 500);
                all.services.answered((end, failed), record, stamp, writer);
                if let Some((_, nanos)) = services::called(record) {
                    all.services.call((end, nanos), record, stamp, writer);
                }
            }
            None => exchange.iter().for_each(|exchange| all.rows.push(exchange)),
        }
    }

    /// Takes note of what anything else says.
    fn statement(&mut self, record: &Record<'_>, fields: &Fields<'_, '_>, stamp: &Stamp, writer: (NameId, NameId)) {
        let (all, (host, service)) = (&mut self.gathered, writer);
        if let Some(cache) = fields.text(Key::CacheStatus) {
            all.lookups.add(cache, at(record, stamp), writer);
        }
        if let Some(server) = fields.text(Key::UpstreamServer) {
            let server = all.names.id(server);
            all.servers.insert((host, server));
        }
        gauges::gather(record, stamp, writer, all);
        let (source, line) = (record.origin.source.0, u32::try_from(record.origin.line).unwrap_or(u32::MAX));
        resolved::each(record, stamp, &mut |name, address, is_answer, stamp| {
            let [name, address] = all.names.ids([name, address]);
            let telling = resolved::Telling { name, address, is_answer, writer, source, form: stamp.form };
            all.resolved.add(telling, (stamp.nanos, line));
        });
        let is_start = services::is_start(record);
        if let Some(version) = services::version(record, is_start) {
            let version = all.names.id(version);
            all.services.version(version, record, stamp, writer);
        }
        if (is_start || settings::is_of_settings(record))
            && !all.services.has_too_many()
            && let Some(told) = settings::settings(record)
        {
            let told = all.names.id(&told);
            all.services.settings(told, record, stamp, writer);
        }
        if let Some((end, nanos)) = services::called(record) {
            let peer = all.names.id(end);
            if fields.text(Key::Peer).is_none() {
                *all.pairs.entry(Pair { host, service, peer }).or_default() += 1;
            }
            all.services.call((peer, nanos), record, stamp, writer);
        }
    }

    /// Host and service of whoever wrote a record; notes which program it is and where it listens, which need no time.
    fn writer(&mut self, record: &Record<'_>, fields: &Fields<'_, '_>) -> (NameId, NameId) {
        let all = &mut self.gathered;
        let [recent_host, recent_service, recent_program] = &mut self.recent;
        let host = recent_host.id(fields.text(Key::HostName).unwrap_or(""), &mut all.names);
        let format = entity::of_format(record.format);
        let service_text = fields.service().or(format).unwrap_or(&self.service);
        let service = recent_service.id(service_text, &mut all.names);
        if let Some(program) = format.or_else(|| program_of(service_text)) {
            let program = recent_program.id(program, &mut all.names);
            *all.programs.entry((host, program)).or_default() += 1;
        }
        // Its manager tells what runs on a machine though the program itself is silent.
        if fields.text(Key::ProcessName) == Some("systemd")
            && let Some(program) = record.str(Key::Unit).and_then(program_of_unit)
        {
            let program = all.names.id(program);
            all.units.insert((host, program));
        }
        if let (Some(id), Some(name)) = (fields.text(Key::ContainerId), fields.text(Key::ContainerName)) {
            containers::note(&mut all.containers, id, name, &mut all.names);
        }
        if let Some(own) = fields.text(Key::LocalAddress) {
            let own = all.names.id(own);
            all.listens.insert((host, own));
        }
        (host, service)
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
        if let (Some(id), Some(name)) = (record.str(Key::ContainerId), record.str(Key::ContainerName)) {
            containers::note(&mut self.gathered.containers, id, name, &mut self.gathered.names);
        }
        self.gathered.snapshots.record(record, stamp, host, &mut self.gathered.names);
        self.signals(record, stamp, (host, service));
    }

    fn signals(&mut self, record: &Record<'_>, stamp: &Stamp, writer: (NameId, NameId)) {
        self.hits.clear();
        self.matcher.hits(record, &mut self.scratch, &mut self.hits);
        for i in 0..self.hits.len() {
            self.hit(self.hits[i], record, stamp, writer);
        }
    }

    fn hit(&mut self, signal: SignalId, record: &Record<'_>, stamp: &Stamp, (host, service): (NameId, NameId)) {
        let fields = &self.pack.signals[signal as usize].entity;
        // The file of a listing is named by whoever made it.
        let by_path = if record.is_snapshot() { "" } else { &self.service };
        entity::of_record(record, fields, by_path, &mut self.entity);
        let entity = self.gathered.names.id(&self.entity);
        let telling = Telling::of(record);
        let key = HitKey { signal, source: record.origin.source.0, form: stamp.form, entity, host, service, telling };
        self.gathered.hits.entry(key).or_default().add(record, stamp);
    }
}

/// Where a record stands: source, line, what its stamp leaves open, and the stamp as written.
fn at(record: &Record<'_>, stamp: &Stamp) -> (u32, u32, Form, i64) {
    (record.origin.source.0, u32::try_from(record.origin.line).unwrap_or(u32::MAX), stamp.form, stamp.nanos)
}

/// Puts seconds in order, each once, its numbers added.
pub(crate) fn join_seconds(bins: &mut Vec<(i64, u32)>) {
    bins.sort_by_key(|(second, _)| *second);
    bins.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 += later.1;
        }
        same
    });
}

/// The well-known server program that a service name stands for.
fn program_of(service: &str) -> Option<&'static str> {
    Some(match service {
        "mysqld" | "mariadbd" | "mysql" | "mariadb" => "mariadb",
        "postgres" | "postgresql" => "postgresql",
        "redis" | "redis-server" => "redis",
        "mongod" => "mongodb",
        "rabbitmq-server" | "rabbitmq" => "rabbitmq",
        "elasticsearch" => "elasticsearch",
        "cassandra" => "cassandra",
        "clickhouse" | "clickhouse-server" => "clickhouse",
        "memcached" => "memcached",
        "dnsmasq" | "unbound" | "named" => "dns",
        _ => return None,
    })
}

/// The program of a unit of systemd, as distributions call it (`postgresql@15-main.service`, `postgresql-15.service`).
fn program_of_unit(unit: &str) -> Option<&'static str> {
    let name = unit.strip_suffix(".service")?;
    let name = name.split('@').next().unwrap_or(name);
    program_of(name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-'))
}

/// The host that a client asked for: a name, or a private address with its port where that is told.
fn asked_host<'t>(record: &'t Record<'_>, joined: &'t mut String) -> Option<&'t str> {
    if !record.fields.may_have(Key::ServerAddress) {
        return None;
    }
    let text = record.str(Key::ServerAddress)?;
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return text.contains('.').then_some(text);
    }
    let is_private = matches!(address::ip(text), Some(IpAddr::V4(ip)) if ip.is_private());
    match record.get(Key::ServerPort).and_then(|port| port.as_int()).filter(|_| is_private) {
        Some(port) => {
            joined.clear();
            let _ = write!(joined, "{text}:{port}");
            Some(joined)
        }
        None => is_private.then_some(text),
    }
}
