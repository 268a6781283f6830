//! Where no incident was found: the requests that came in, and lines that name a fault all the same.

mod sudden;

use super::{quiet, time};
use crate::evidence::{Evidence, SourceInfo};
use crate::groups::{Group, Groups};
use crate::report::{Arrived, Diagnosis, Noted};
use crate::requests::Chosen;
use crate::rules::{Pack, SignalId};
use crate::tally::Text;
use crate::topology::Topology;
use crate::untold::CONCLUSIVE;
use std::collections::{BTreeMap, BTreeSet};

/// No more is told beside requests that were served, and where no request is logged.
const MOST: usize = 3;
const MOST_UNWATCHED: usize = 5;
/// What shows these is mostly routine (a service is stopped to be started again, a report takes long), unless it is conclusive.
const ROUTINE: [&str; 2] = ["app.process-down", "db.slow-query"];
/// Logs of so many seconds show what is usual; what is seen less than once in so many seconds is rare.
const LONG: i64 = 3600;
const RARE: i64 = 120;
/// Evidence of this weight or more is strong (the logarithm of `strong` in a rule).
const STRONG: f64 = 2.48;
/// What is no fault of what it befell: attempts of strangers, changes, and a machine that starts.
const MEANT: [&str; 4] = ["client.", "security.", "change.", "host.reboot"];
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

/// What speaks of faults although nobody was seen to feel any. Beside requests that were served only what is [`GRAVE`], was seen once and not
/// before, or came all of a [`sudden`]. Where no request is logged nobody knows what was felt, so all strong evidence is told.
pub(super) fn noted(evidence: &Evidence, pack: &Pack, groups: &Groups) -> Vec<Noted> {
    let is_watched = !evidence.requests.is_empty();
    let known = strengths(pack, is_watched);
    let mut by_signal: BTreeMap<SignalId, (f64, usize, Vec<&Group>)> = BTreeMap::new();
    for group in groups.all.iter().filter(|group| is_own(evidence, group)) {
        let told = match known.get(&group.signal) {
            Some(told) if !is_watched => Some(*told).filter(|_| !is_usual(evidence, group)),
            Some(told) if is_unusual(evidence, group) => Some(*told),
            _ if is_watched => sudden::strength(pack, evidence, group),
            _ => None,
        };
        if let Some((weight, fault)) = told {
            by_signal.entry(group.signal).or_insert_with(|| (weight, fault, Vec::new())).2.push(group);
        }
    }
    let mut found: Vec<Noted> = by_signal
        .into_iter()
        .filter_map(|(signal, (weight, fault, list))| of_signal(evidence, pack, (signal, (weight, fault)), &list))
        .collect();
    found.sort_by(|a, b| {
        b.weight.total_cmp(&a.weight).then(b.count.cmp(&a.count)).then_with(|| (&a.onset, &a.signal).cmp(&(&b.onset, &b.signal)))
    });
    // One line may show several signals, and several lines may tell of one event.
    let (mut lines, mut events) = (BTreeSet::new(), BTreeSet::new());
    let second = |noted: &Noted| noted.onset.get(..18).unwrap_or_default().to_string();
    found.retain(|noted| lines.insert((noted.source.clone(), noted.line)) && events.insert((noted.fault.clone(), second(noted))));
    found.truncate(if is_watched { MOST } else { MOST_UNWATCHED });
    found.sort_by(|a, b| (&a.onset, &a.signal).cmp(&(&b.onset, &b.signal)));
    found
}

/// Signals that are told of, each with the fault of which it says most and the weight that it has for it.
fn strengths(pack: &Pack, is_watched: bool) -> BTreeMap<SignalId, (f64, usize)> {
    let mut strengths: BTreeMap<SignalId, (f64, usize)> = BTreeMap::new();
    let is_grave = |id: &str| GRAVE.contains(&id);
    let is_fault = |id: &str| !MEANT.iter().any(|kind| id.starts_with(kind));
    let least = if is_watched { CONCLUSIVE } else { STRONG };
    let told = |id: &str| if is_watched { is_grave(id) } else { is_fault(id) };
    for (number, fault) in pack.faults.iter().enumerate().filter(|(_, fault)| !fault.symptom && told(&fault.id)) {
        let least = if ROUTINE.contains(&fault.id.as_str()) { CONCLUSIVE } else { least };
        for e in fault.evidence.iter().filter(|e| e.weight >= least) {
            let known = strengths.entry(e.signal).or_insert((e.weight, number));
            if e.weight > known.0 {
                *known = (e.weight, number);
            }
        }
    }
    strengths
}

/// What is of a good day says nothing of this one.
fn is_own(evidence: &Evidence, group: &Group) -> bool {
    !group.series.iter().filter_map(|number| evidence.series.get(*number)).any(|s| evidence.is_baseline(s.source))
}

/// Whether it goes on through most of long logs, now and then: the usual noise of this place.
fn is_usual(evidence: &Evidence, group: &Group) -> bool {
    let series = || group.series.iter().filter_map(|number| evidence.series.get(*number));
    let sources: BTreeSet<usize> = series().map(|s| s.source).collect();
    let spans = sources.iter().filter_map(|source| evidence.span(*source));
    let Some((begin, end)) = spans.reduce(|(a, b), (x, y)| (a.min(x), b.max(y))) else { return false };
    let seconds = group.bins.seconds(i64::MIN, i64::MAX);
    let (Some(first), Some(last)) = (seconds.first(), seconds.last()) else { return false };
    let hits = i64::try_from(series().map(|s| s.total()).sum::<u64>()).unwrap_or(i64::MAX);
    let lasted = last - first;
    end - begin >= LONG && lasted * 2 >= end - begin && hits.saturating_mul(RARE) < lasted
}

/// Whether it was seen in one short stretch, in the middle of logs that show what is usual.
fn is_unusual(evidence: &Evidence, group: &Group) -> bool {
    Within::of(evidence, group).is_some_and(|within| within.is_alone() && within.is_part(4))
}

/// Where a signal was seen within the logs of its machines.
struct Within {
    /// The first second and the last.
    first: i64,
    last: i64,
    /// Those of the logs.
    begin: i64,
    end: i64,
    records: u64,
}

impl Within {
    fn of(evidence: &Evidence, group: &Group) -> Option<Within> {
        let series = || group.series.iter().filter_map(|number| evidence.series.get(*number));
        let first = series().filter_map(|s| s.bins.first()).map(|bin| bin.0).min()?;
        let last = series().filter_map(|s| s.bins.last()).map(|bin| bin.0).max()?;
        let hosts: BTreeSet<&str> = series().filter_map(|s| evidence.sources.get(s.source)).map(|source| source.host.as_str()).collect();
        let is_its = |source: &SourceInfo| hosts.contains(source.host.as_str());
        let (begin, end) = evidence.span_of(is_its)?;
        let records = evidence.sources.iter().filter(|source| is_its(source)).map(|source| source.records).sum();
        Some(Within { first, last, begin, end, records })
    }

    /// Whether enough lies around it to know what is usual, and it is not.
    fn is_alone(&self) -> bool {
        self.last - self.first <= TOGETHER && self.first - self.begin >= SILENT && self.end - self.last >= SILENT && self.records >= FEW
    }

    /// Whether it lasts for no more than such a part of the logs.
    fn is_part(&self, of: i64) -> bool {
        (self.last - self.first) * of <= self.end - self.begin
    }
}

/// A signal at all the places at which it was seen; several machines may tell of one event.
fn of_signal(evidence: &Evidence, pack: &Pack, (signal, (weight, fault)): (SignalId, (f64, usize)), groups: &[&Group]) -> Option<Noted> {
    let series = || groups.iter().flat_map(|group| &group.series).filter_map(|number| evidence.series.get(*number));
    let samples = series().flat_map(|s| s.samples.iter().map(move |sample| (sample.nanos, s.source, sample.line, s.entity, &sample.text)));
    let (nanos, source, line, entity, text) = samples.min()?;
    let last = series().filter_map(|s| s.bins.last()).map(|bin| bin.0).max()?;
    let signal = pack.signals.get(signal as usize)?;
    let (text, bytes) = match text {
        Text::Here(kept) => (kept.text.to_string(), None),
        Text::There(offset, length) => (String::new(), Some((*offset, *length))),
    };
    Some(Noted {
        signal: signal.id.clone(),
        fault: pack.faults.get(fault)?.id.clone(),
        title: signal.title.clone(),
        strength: strength(weight),
        weight,
        entity: evidence.text(entity).to_string(),
        places: series().map(|s| s.entity).collect::<BTreeSet<_>>().len(),
        onset: time(nanos.div_euclid(1_000_000)),
        last: time((last * 1000).max(nanos.div_euclid(1_000_000))),
        count: series().map(|s| s.total()).sum(),
        source: evidence.sources.get(source)?.path.clone(),
        line: line.into(),
        text,
        bytes,
        query: signal.query.clone(),
    })
}

fn strength(weight: f64) -> &'static str {
    if weight >= CONCLUSIVE {
        "conclusive"
    } else if weight >= STRONG {
        "strong"
    } else {
        "supporting"
    }
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
