//! Where no incident was found: the requests that came in, and lines that name a fault all the same.

use super::{quiet, time};
use crate::evidence::{Evidence, SourceInfo};
use crate::groups::{Group, Groups};
use crate::report::{Arrived, Diagnosis, Noted};
use crate::requests::Chosen;
use crate::rules::{Pack, SignalId};
use crate::topology::Topology;
use crate::untold::CONCLUSIVE;
use std::collections::{BTreeMap, BTreeSet};

/// No more is worth a look.
const MOST: usize = 3;
/// All of it was seen within so many seconds; what comes again and again is the usual noise of this place.
const TOGETHER: i64 = 600;
/// So long (s) before it its machine said nothing of the kind, and so long behind it.
const SILENT: i64 = 60;
/// So many records of its machine are there at the least: of a few lines nobody knows what is usual.
const FEW: u64 = 50;
/// Faults of which a single line is worth a look: a limit was reached, or a machine is ill. What is stopped, started, refused or repeated is so
/// every day, and mostly meant.
const GRAVE: [&str; 12] = [
    "proxy.worker-connections-exhausted",
    "db.too-many-connections",
    "db.corruption",
    "cache.pool-exhausted",
    "cache.out-of-memory",
    "host.disk-full",
    "host.disk-failure",
    "host.out-of-memory",
    "host.fd-exhausted",
    "host.hardware-fault",
    "net.conntrack-full",
    "net.ephemeral-ports-exhausted",
];

/// Conclusive evidence of some fault that was seen once and not before, at most three signals: those that were seen most often.
pub(super) fn noted(evidence: &Evidence, pack: &Pack, groups: &Groups) -> Vec<Noted> {
    let faults = pack.faults.iter().filter(|fault| GRAVE.contains(&fault.id.as_str()));
    let conclusive = faults.flat_map(|fault| &fault.evidence).filter(|e| e.weight >= CONCLUSIVE);
    let conclusive: BTreeSet<SignalId> = conclusive.map(|e| e.signal).collect();
    let unusual = groups.all.iter().filter(|group| conclusive.contains(&group.signal));
    let mut found: Vec<Noted> = unusual.filter_map(|group| of_group(evidence, pack, group)).collect();
    found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.onset, &a.signal, &a.entity).cmp(&(&b.onset, &b.signal, &b.entity))));
    // One line may show several signals, and several machines may tell of one event.
    let (mut lines, mut signals) = (BTreeSet::new(), BTreeSet::new());
    found.retain(|noted| lines.insert((noted.source.clone(), noted.line)) && signals.insert(noted.signal.clone()));
    found.truncate(MOST);
    found.sort_by(|a, b| (&a.onset, &a.signal).cmp(&(&b.onset, &b.signal)));
    found
}

fn of_group(evidence: &Evidence, pack: &Pack, group: &Group) -> Option<Noted> {
    let series = || group.series.iter().filter_map(|number| evidence.series.get(*number));
    // What is of a good day says nothing of this one.
    if series().any(|s| evidence.is_baseline(s.source)) {
        return None;
    }
    let first = series().filter_map(|s| s.bins.first()).map(|bin| bin.0).min()?;
    let last = series().filter_map(|s| s.bins.last()).map(|bin| bin.0).max()?;
    let hosts: BTreeSet<&str> = series().filter_map(|s| evidence.sources.get(s.source)).map(|source| source.host.as_str()).collect();
    let is_its = |source: &SourceInfo| hosts.contains(source.host.as_str());
    let (begin, end) = evidence.span_of(is_its)?;
    let records: u64 = evidence.sources.iter().filter(|source| is_its(source)).map(|source| source.records).sum();
    let is_short = last - first <= TOGETHER && (last - first) * 4 <= end - begin;
    if !is_short || first - begin < SILENT || end - last < SILENT || records < FEW {
        return None;
    }
    let samples = series().flat_map(|s| s.samples.iter().map(move |sample| (sample.nanos, s.source, sample.line, s.entity)));
    let (nanos, source, line, entity) = samples.min()?;
    let signal = pack.signals.get(group.signal as usize)?;
    Some(Noted {
        signal: signal.id.clone(),
        title: signal.title.clone(),
        entity: evidence.text(entity).to_string(),
        onset: time(nanos.div_euclid(1_000_000)),
        count: series().map(|s| s.total()).sum(),
        source: evidence.sources.get(source)?.path.clone(),
        line: line.into(),
    })
}

/// What is to be said of the requests that came in.
pub(super) fn requests(evidence: &Evidence, topology: &Topology, diagnosis: &mut Diagnosis) {
    let outer = outer(evidence, topology);
    let is_own = |source: u32| !evidence.is_baseline(source as usize);
    let kinds = evidence.requests.choose(|kind| outer.contains_key(&evidence.log_of(kind.source)) && is_own(kind.source));
    diagnosis.arrived = arrived(evidence, &kinds);
    let hosts: BTreeSet<&str> = outer.into_values().filter(|host| !host.is_empty()).collect();
    diagnosis.arrived.hosts = hosts.iter().map(|host| (*host).to_string()).collect();
    diagnosis.quiet = quiet::find(evidence, &kinds);
    if diagnosis.quiet.is_some() {
        diagnosis.missing.push(quiet::wanted(hosts.first().copied().unwrap_or("")));
    }
}

/// The logs of requests where users arrive, with their machines. One is an inner log when another machine sends requests there, or another
/// program of the same machine.
fn outer<'e>(evidence: &'e Evidence, topology: &Topology) -> BTreeMap<u32, &'e str> {
    struct Log<'e> {
        host: &'e str,
        access: bool,
        sends_on: bool,
    }
    let mut logs: BTreeMap<u32, Log<'_>> = BTreeMap::new();
    for (kind, _) in evidence.requests.all_kinds() {
        let new = || Log { host: evidence.text(kind.host), access: false, sends_on: false };
        let log = logs.entry(evidence.log_of(kind.source)).or_insert_with(new);
        log.access |= kind.access;
        log.sends_on |= kind.is_sent_on();
    }
    let any_access = logs.values().any(|log| log.access);
    let answers = |host: &str| logs.values().any(|log| log.access && log.host == host);
    let is_called = |host: &str| topology.calls.iter().any(|(caller, callee)| callee == host && caller != host && answers(caller));
    let is_beside =
        |log: &Log<'_>| !log.host.is_empty() && logs.values().any(|other| other.host == log.host && other.access && other.sends_on);
    let is_inner = |log: &Log<'_>| any_access && !log.access || is_called(log.host) || !log.sends_on && is_beside(log);
    let outer: BTreeMap<u32, &str> = logs.iter().filter(|(_, log)| !is_inner(log)).map(|(number, log)| (*number, log.host)).collect();
    // Machines may call each other in a circle.
    if outer.is_empty() { logs.iter().map(|(number, log)| (*number, log.host)).collect() } else { outer }
}

/// How the requests of some kinds were answered.
fn arrived(evidence: &Evidence, kinds: &Chosen) -> Arrived {
    let mut arrived = Arrived::default();
    for (kind, sum) in evidence.requests.kinds(kinds) {
        arrived.requests += sum.rows;
        arrived.failed += if kind.status >= 500 { sum.rows } else { 0 };
        arrived.rejected += if (400..500).contains(&kind.status) { sum.rows } else { 0 };
    }
    let own = evidence.requests.all_kinds().filter(|(kind, _)| !evidence.is_baseline(kind.source as usize));
    arrived.is_all = arrived.requests == own.map(|(_, sum)| sum.rows).sum::<usize>();
    arrived
}
