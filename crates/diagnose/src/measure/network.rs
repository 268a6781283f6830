//! What points at the network, at health checks, at machines without logs, at clocks.

use super::{Times, View};
use crate::entity::parts;
use crate::evidence::Request;
use crate::evidence::SourceInfo;
use crate::names::{NONE, NameId};
use crate::rules::{Accused, SignalId};
use crate::topology::program_of_port;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use whyline_event::{Key, address};

/// For a name: since when (ms), how often, and lines that show it.
type Found = BTreeMap<String, (i64, u64, Vec<(u32, u32)>)>;

pub(super) fn measure(view: &mut View<'_>) {
    checks(view);
    unlogged(view);
    retransmissions(view);
    handshakes(view);
    clocks(view);
    quiet_targets(view);
    other_ports(view);
}

/// A health check waits so long (ms): HAProxy's default interval between two of them, which is its time-out as well.
const CHECK: i64 = 2000;

/// The ends of the names of signals that tell of a check that could not connect.
const CONNECT: [&str; 3] = ["-refused", "-connect-timeout", "-unreachable"];
/// Requests that hang are ended by then, mostly (s).
const HANGS: i64 = 120;

/// Servers that a health check takes out although they answer real requests well.
fn checks(view: &mut View<'_>) {
    let (from, to) = (view.incident.onset / 1000 - 60, view.incident.end / 1000);
    let mut found = Found::new();
    for series in &view.evidence.series {
        // Whoever cannot be connected to does not serve either, whatever it did just before.
        let id = &view.pack.signals[series.signal as usize].id;
        if !id.contains(".server-down") || CONNECT.iter().any(|end| id.ends_with(end)) {
            continue;
        }
        let (_, name, _) = parts(view.evidence.text(series.entity));
        let requests = &view.evidence.requests;
        let mut of_server = requests.choose(|kind| kind.server != NONE && is_server(view.evidence.text(kind.server), name));
        if !of_server.contains(&true) {
            // The balancer's own log of requests was not given: that of the machine behind the name. It does not show how long anybody waited
            // for a worker.
            let Some(host) = view.topology.behind(name).filter(|_| !id.contains("timeout")) else { continue };
            of_server = requests.choose(|kind| view.evidence.text(kind.host) == host);
        }
        for (down, _) in series.bins.iter().filter(|(s, _)| (from..=to).contains(s)) {
            if found.contains_key(name) {
                break;
            }
            let served: Vec<_> = requests.ended(&of_server, (down - 20) * 1000, down * 1000 + 999).map(|(_, r)| r).collect();
            // Who answers requests later than a check waits for an answer fails it rightly.
            let is_late = |r: &Request| r.took().is_some_and(|took| took >= CHECK);
            let bad = served.iter().filter(|r| r.of.status >= 500 || is_late(r)).count();
            let good = served.iter().filter(|r| r.of.status < 400).count();
            // So does who was asked before and answers later, or never.
            let later = requests.ended(&of_server, down * 1000 + 1000, (down + HANGS) * 1000).map(|(_, r)| r);
            let bad = bad + later.filter(|r| is_late(r) && r.start <= down * 1000).count();
            if served.len() >= 3 && good > 0 && bad * 10 <= served.len() {
                let cite = served.iter().rev().take(1).map(|r| (r.of.source, r.of.line)).collect();
                found.entry(name.to_string()).or_insert((*down * 1000, served.len() as u64, cite));
            }
        }
    }
    for (server, (onset, n, cite)) in found {
        let note = format!("{server} answered {n} requests without an error in the 20 s before it was taken out");
        view.add("checks.fail-while-serving", format!("name:{server}"), onset, note, cite);
    }
}

/// Whether `group/server` is the server of this name (with or without its group).
fn is_server(server: &str, name: &str) -> bool {
    server == name || server.rsplit_once('/').is_some_and(|(_, s)| s == name)
}

/// Programs that ask as users do, to see whether they are served: what they ask is no dependency of theirs.
const PROBERS: [&str; 8] = ["blackbox", "uptime-kuma", "smokeping", "nagios", "icinga", "zabbix", "gatus", "statping"];

/// Targets of errors of which no log was given.
fn unlogged(view: &mut View<'_>) {
    let (from, to) = (view.incident.onset / 1000 - 30, view.incident.end / 1000 + 5);
    let (mut targets, mut logged) = (Found::new(), Found::new());
    for series in &view.evidence.series {
        let entity = view.evidence.text(series.entity);
        let ("addr" | "name", name, _) = parts(entity) else { continue };
        // Only what services say of the ends of their own connections: an upstream or a peer by address or name.
        let (address, port) = address::split_port(name);
        let is_endpoint = address::ip(name).is_some() || address.contains('.') || port.is_some();
        // What a proxy says of its own upstreams tells of no dependency.
        let signal = &view.pack.signals[series.signal as usize];
        if !signal.accuses(Key::Peer) || signal.entity.first() == Some(&Accused::Key(Key::UpstreamAddress)) || !is_endpoint {
            continue;
        }
        let n = series.within(from, to);
        if PROBERS.iter().any(|prober| view.evidence.text(series.service).contains(prober)) {
            continue;
        }
        if n < 2 || view.topology.behind(name).is_some() || is_logged_somewhere(view, address) {
            continue;
        }
        let is_logged = view.evidence.is_asked(name);
        let first = series.samples.iter().find(|s| s.nanos / 1_000_000_000 >= from);
        let cite = first.map(|s| (series.source as u32, s.line)).into_iter().collect();
        let onset = first.map_or(view.incident.onset, |s| s.nanos / 1_000_000);
        let list = if is_logged { &mut logged } else { &mut targets };
        let entry = list.entry(entity.to_string()).or_insert_with(|| (onset, 0, Vec::new()));
        // Several services may speak of it: who did so first tells since when.
        if onset < entry.0 || entry.2.is_empty() {
            (entry.0, entry.2) = (onset.min(entry.0), cite);
        }
        entry.1 += n;
    }
    for (entity, (onset, n, cite)) in targets {
        view.add("dependency.unlogged", entity, onset, format!("{n} errors name it; none of its logs was given"), cite);
    }
    for (entity, (onset, _, cite)) in logged {
        view.add("dependency.logged", entity, onset, "the requests that clients send there stand in a log here".into(), cite);
    }
}

/// Whether a log of the service with this name was given, on whatever machine: one of its files or services is called as its first label is, perhaps
/// with a number behind.
fn is_logged_somewhere(view: &View<'_>, name: &str) -> bool {
    if address::ip(name).is_some() {
        return false;
    }
    let label = name.rsplit('/').next().unwrap_or(name).split('.').next().unwrap_or(name);
    let is_it = |text: &str| {
        let rest = text.strip_prefix(label);
        label.len() >= 3 && rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_')))
    };
    let services = view.evidence.requests.all_kinds().map(|(kind, _)| view.evidence.text(kind.service));
    let mut sources = view.evidence.sources.iter().filter(|source| source.records > 0 && !source.is_of_system());
    sources.any(|source| is_it(&crate::entity::service_of_path(&source.path)) || is_it(&source.host)) || { services }.any(is_it)
}

/// What speaks of time-outs towards one machine.
struct TimedOut {
    /// The first of them (ms).
    onset: i64,
    count: u64,
    /// Of so many the connection stood: a packet filter mostly refuses new ones.
    connected: u64,
    /// The endpoint as the first one names it.
    entity: String,
    /// Lines that say so.
    cite: Vec<(u32, u32)>,
}

/// Of these time-outs another signal tells as well (`nginx.upstream-timeout`); the connection stood.
const ANSWERS: [&str; 1] = ["nginx.upstream-read-timeout"];
/// Signals of which the same lines are those of others as well, by how far the connection was.
const ANY_PHASE: [&str; 1] = ["nginx.upstream-timeout"];
/// One line that names a fault (the logarithm of `conclusive`) is trouble enough.
const CONCLUSIVE: f64 = 4.0;

/// Targets of time-outs whose own logs go on and show no trouble: what lies between is to blame.
fn quiet_targets(view: &mut View<'_>) {
    let (from, to) = (view.incident.onset / 1000 - 10, view.incident.end / 1000 + 5);
    let mut targets: BTreeMap<String, TimedOut> = BTreeMap::new();
    for series in &view.evidence.series {
        let signal = &view.pack.signals[series.signal as usize];
        if !signal.id.contains("timeout")
            || ANY_PHASE.contains(&signal.id.as_str())
            || ![Key::Peer, Key::UpstreamAddress].into_iter().any(|k| signal.accuses(k))
        {
            continue;
        }
        let n = series.within(from, to);
        let entity = view.evidence.text(series.entity);
        if let Some(host) = view.topology.host_of(entity).filter(|h| n >= 2 && h != view.evidence.text(series.host)) {
            let none = || TimedOut { onset: i64::MAX, count: 0, connected: 0, entity: entity.to_string(), cite: Vec::new() };
            let entry = targets.entry(host).or_insert_with(none);
            if ANSWERS.contains(&signal.id.as_str()) {
                entry.connected += n;
                continue;
            }
            entry.onset = entry.onset.min(series.bins.iter().map(|b| b.0).find(|s| *s >= from).unwrap_or(from) * 1000);
            entry.count += n;
            let first = series.samples.iter().find(|s| s.nanos / 1_000_000_000 >= from);
            entry.cite.extend(first.map(|s| (series.source as u32, s.line)));
        }
    }
    let evidence = || view.pack.faults.iter().flat_map(|f| &f.evidence);
    let conclusive: BTreeSet<SignalId> = evidence().filter(|e| e.weight >= CONCLUSIVE).map(|e| e.signal).collect();
    for (host, TimedOut { onset, count, connected, entity, mut cite }) in targets {
        if count < connected + 2 {
            continue;
        }
        let trouble = view.evidence.series.iter().filter(|s| view.evidence.text(s.host) == host).any(|s| {
            let (before, now) = (s.within(i64::MIN, from - 1), s.within(from, to));
            let is_enough = now >= 3 || now > 0 && conclusive.contains(&s.signal);
            is_enough && before * 3 < now
        });
        let silent = view
            .found
            .iter()
            .any(|m| view.pack.signals[m.signal as usize].id == "backend.silent" && m.entity.ends_with(&format!("@{host}")));
        if would_tell(view, &host, &entity, from..to) && !trouble && !silent && !answers_in_between(view, &host) {
            cite.truncate(2);
            view.add(
                "target.quiet",
                entity,
                onset,
                format!("{count} time-outs name it, but the logs of {host} go on without trouble"),
                cite,
            );
        }
    }
}

/// Machines that could not be reached at one port while another machine is answered at another: a packet filter that rejects says of itself that the
/// host is unreachable or prohibited (ICMP; `icmp_err_convert` of Linux makes EHOSTUNREACH of both).
fn other_ports(view: &mut View<'_>) {
    let (from, to) = (view.incident.onset / 1000 - 10, view.incident.end / 1000 + 5);
    let mut found = Found::new();
    for series in &view.evidence.series {
        let signal = &view.pack.signals[series.signal as usize];
        let n = series.within(from, to);
        if n < 2 || !signal.id.ends_with("unreachable") || ![Key::Peer, Key::UpstreamAddress].into_iter().any(|k| signal.accuses(k)) {
            continue;
        }
        let entity = view.evidence.text(series.entity);
        let (_, endpoint, _) = parts(entity);
        let (address, Some(port)) = address::split_port(endpoint) else { continue };
        let is_other = |text: &str| address::split_port(text).0 == address && address::split_port(text).1.is_some_and(|p| p != port);
        let host = view.topology.host_of(entity).filter(|host| host != view.evidence.text(series.host));
        // One of its services hears of nobody any more: those that go on are asked at other ports.
        let silent = host.as_deref().map(|host| silent_services(view, host)).filter(|silent| !silent.is_empty());
        let answers = view.evidence.requests.choose(|kind| {
            let goes_on = |silent: &BTreeSet<NameId>| !silent.contains(&kind.service);
            let own = host.as_deref() == Some(view.evidence.text(kind.host)) && silent.as_ref().is_some_and(goes_on);
            kind.status < 500 && (own || is_other(view.evidence.text(kind.upstream)))
        });
        let answered: Vec<_> = view.evidence.requests.ended(&answers, view.incident.onset, view.incident.end).map(|(_, r)| r).collect();
        let length = (view.incident.end - view.incident.onset).max(1);
        let thirds: BTreeSet<i64> = answered.iter().map(|r| (r.end - view.incident.onset) * 3 / length).collect();
        if answered.len() >= 8 && thirds.len() >= 3 {
            let begun = series.bins.iter().map(|b| b.0).find(|s| *s >= from).unwrap_or(from) * 1000;
            let cite = answered.iter().take(1).map(|r| (r.of.source, r.of.line)).collect();
            found.entry(entity.to_string()).or_insert((begun, answered.len() as u64, cite));
        }
    }
    for (entity, (onset, n, cite)) in found {
        let note = format!("{n} requests were answered by its machine at another port meanwhile");
        view.add("target.other-port-answers", entity, onset, note, cite);
    }
}

/// The services of a machine that logged requests before the incident, and less than a fifth as many while it lasts.
fn silent_services(view: &View<'_>, host: &str) -> BTreeSet<NameId> {
    let (onset, end) = (view.incident.onset, view.incident.end);
    let mut counts: BTreeMap<NameId, (i64, i64, i64)> = BTreeMap::new();
    let own = view.evidence.requests.choose(|kind| view.evidence.text(kind.host) == host);
    for (_, r) in view.evidence.requests.ended(&own, i64::MIN, end) {
        let (first, before, during) = counts.entry(r.of.service).or_insert((r.end, 0, 0));
        *first = r.end.min(*first);
        *(if r.end < onset { before } else { during }) += 1;
    }
    let is_silent = |(first, before, during): &(i64, i64, i64)| *before >= 8 && during * 5 * (onset - first) < before * (end - onset);
    counts.iter().filter(|(_, counts)| is_silent(counts)).map(|(service, _)| *service).collect()
}

/// Whether a machine answers well while the trouble lasts, between failures: a filter that is on lets nothing of the same kind through. Only
/// requests count that a proxy of another machine sent there, of the paths that fail.
fn answers_in_between(view: &View<'_>, host: &str) -> bool {
    /// So many times failing and served requests take turns.
    const TURNS: usize = 6;
    /// They are told apart by as much (ms).
    const APART: i64 = 2_000;
    let failing = view.failing_paths();
    let requests = &view.evidence.requests;
    let kinds = requests.choose(|kind| view.evidence.text(kind.host) == host && kind.status < 400);
    let served = requests.ended(&kinds, view.incident.onset, view.incident.end).map(|(_, r)| r);
    let mut moments: Vec<(i64, bool)> = served.filter(|r| failing.contains(&r.of.path)).map(|r| (r.end, true)).collect();
    moments.extend(view.affected.iter().map(|i| (view.request(*i).start, false)));
    moments.sort_unstable();
    let mut turns = 0;
    let mut last: Option<(i64, bool)> = None;
    for (at, is_served) in moments {
        match last {
            Some((since, was)) if was != is_served && at - since >= APART => {
                turns += 1;
                last = Some((at, is_served));
            }
            Some((_, was)) if was != is_served => {}
            _ => last = Some((at, is_served)),
        }
    }
    turns >= TURNS
}

/// Whether logs of a host go on that would tell of trouble with what is asked for there: those of a service, or of the very program. Those
/// of the system alone go on while a service hangs.
fn would_tell(view: &View<'_>, host: &str, entity: &str, seconds: Range<i64>) -> bool {
    let evidence = view.evidence;
    let (_, endpoint, _) = parts(entity);
    let program = address::split_port(endpoint).1.and_then(program_of_port);
    let very_program = program.is_some_and(|program| view.topology.runs(program, host));
    let goes_on = |(number, _): &(usize, &SourceInfo)| evidence.ticks_within(*number, seconds.start, seconds.end) > 0;
    let own = evidence.sources.iter().enumerate().filter(|(_, source)| source.host == host);
    own.filter(goes_on).any(|(_, source)| very_program || program.is_none() && !source.is_of_system())
}

/// Steps after which TCP sends again (RFC 6298; Linux: 200 ms at least, then doubled; 1 s, 3 s, 7 s for a lost SYN), in ms.
const STEPS: &[i64] = &[200, 400, 600, 800, 1000, 1400, 3000, 3200, 6200, 7000];

/// An answer so many milliseconds above a step waited for it.
const NEAR: i64 = 35;

fn retransmissions(view: &mut View<'_>) {
    // No step is shorter, and a handful of slow answers shows nothing.
    if view.during().filter(|(_, r)| r.took().is_some_and(|took| took >= 180)).take(15).count() < 15 {
        return;
    }
    let base = view.before(&view.edge).filter_map(|r| r.took()).collect::<Times>().quantile(0.5);
    // For each step the answers right above it, and those right below.
    let mut at = [(0usize, 0usize); STEPS.len()];
    let (mut slow, mut cite) = (0usize, Vec::new());
    for (_, r) in view.during() {
        // A time-out, or an address that nobody answers for, ends after a fixed time as well; loss delays answers that do come.
        let Some(took) = r.took().filter(|_| !r.failed() && r.of.status != 499) else { continue };
        let extra = took - base;
        slow += usize::from((180..7400).contains(&extra));
        for (step, (on, below)) in STEPS.iter().zip(&mut at) {
            match extra - step {
                0..=NEAR => {
                    *on += 1;
                    if cite.len() < 3 {
                        cite.push((r.of.source, r.of.line));
                    }
                }
                after if (-NEAR..0).contains(&after) => *below += 1,
                _ => (),
            }
        }
    }
    let (on, below) = at.iter().fold((0, 0), |(on, below), step| (on + step.0, below + step.1));
    // Sending again leaves a gap below each step, which the tail of a queue does not; one step alone may be anybody's clock.
    let steps = at.iter().filter(|(on, below)| *on >= 3 && *on >= 2 * below).count();
    if on >= 15 && on * 100 >= slow * 15 && 2 * on >= 5 * below && steps >= 2 {
        let entity = view.edge_entity();
        let note = format!(
            "{on} of {slow} slow answers lie within {NEAR} ms above a step of retransmission (200, 400, 600 ms, 1, 3 s ...), {below} as near below one"
        );
        view.add("latency.retransmission-steps", entity, view.incident.onset, note, cite);
    }
}

/// Handshakes that fail are a symptom beside a log of requests only where most of the clients had requests answered; that others are served
/// meanwhile says that the server can.
fn handshakes(view: &mut View<'_>) {
    let symptoms = &view.incident.symptoms;
    let Some(symptom) = symptoms.iter().find(|s| s.id == "tls.handshake").filter(|_| !view.evidence.requests.is_empty()) else { return };
    let (onset, end, total) = (symptom.onset, symptom.end, symptom.total);
    let meanwhile = view.evidence.requests.ended(&view.edge, onset, end).map(|(_, r)| r);
    let served: Vec<_> = meanwhile.filter(|r| r.of.status < 400).collect();
    if served.len() >= SERVED {
        let cite = served.iter().take(1).map(|r| (r.of.source, r.of.line)).collect();
        let note = format!(
            "{total} handshakes failed, mostly of clients that had requests answered; {} requests were served meanwhile",
            served.len()
        );
        view.add("handshake.known-clients", view.edge_entity(), onset, note, cite);
    }
}

/// So many requests that are served say that a server serves.
const SERVED: usize = 20;

fn clocks(view: &mut View<'_>) {
    let mut hosts: BTreeMap<String, (i64, usize)> = BTreeMap::new();
    for source in &view.evidence.sources {
        if source.skew().abs() >= 2_000_000_000 && !source.host.is_empty() {
            hosts.insert(source.host.clone(), (source.skew() / 1_000_000, source.ahead_pairs));
        }
    }
    for (host, (ahead, pairs)) in hosts {
        let word = if ahead > 0 { "ahead of" } else { "behind" };
        let note =
            format!("its clock is {:.1} s {word} its neighbours', by {pairs} requests that both logged", ahead.abs() as f64 / 1000.0);
        view.add("clock.offset", format!("host:{host}"), view.incident.onset, note, Vec::new());
    }
}
