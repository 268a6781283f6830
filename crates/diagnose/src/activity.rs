//! Activities: which signals were unusual for whom around an incident, against their own baseline.

use crate::calm::Calm;
use crate::computed;
use crate::evidence::Evidence;
use crate::groups::{Bins, Group, Groups};
use crate::measure::Measured;
use crate::names::NameId;
use crate::rules::{Pack, SignalId};
use crate::symptoms::Incident;
use crate::topology::Topology;
use std::borrow::Cow;
use std::collections::BTreeMap;
use whyline_event::address;

/// A signal that was unusual for an entity.
#[derive(Clone, Debug)]
pub struct Activity {
    /// The signal.
    pub signal: SignalId,
    /// The accused, as people write it.
    pub entity: String,
    /// The place that hypotheses are about: a host, or what stands for one.
    pub place: String,
    /// When it began to be unusual, in milliseconds.
    pub onset: i64,
    /// Its last hit within the incident, in milliseconds.
    pub last: i64,
    /// Hits around the incident; 1 for what was measured.
    pub hits: u64,
    /// How far it left its baseline, 0 (as always) to 1 (never seen otherwise).
    pub gain: f64,
    /// How well its beginning fits the incident's, 0 to 1.
    pub timing: f64,
    /// It speaks of the incident as a whole.
    pub of_incident: bool,
    /// Series that it comes from.
    pub series: Vec<usize>,
    /// What was measured, for computed signals.
    pub note: Option<String>,
    /// Lines of a computed signal.
    pub cite: Vec<(u32, u32)>,
    /// For a state (a service is stopped until it is started): the share of the incident that it covers.
    pub covers: Option<f64>,
    /// For a state: from when to when (s) it was told to last, where both are known.
    pub lies: Vec<(i64, i64)>,
    /// It is a state that goes on although the incident is long over.
    pub outlasts: bool,
    /// For what a command showed without saying since when: when the command was run, in milliseconds. The onset is then only a
    /// stand-in.
    pub collected: Option<i64>,
    /// Its series are those of commands' output.
    pub shown: bool,
}

/// Before the first symptom, causes are looked for this long (ms).
pub(crate) const BEFORE: i64 = 240_000;
/// After the last symptom, traces are looked for this long (ms).
pub(crate) const AFTER: i64 = 10_000;

/// All activities around one of the incidents, in a stable order.
pub fn activities(
    evidence: &Evidence,
    topology: &Topology,
    pack: &Pack,
    groups: &Groups,
    (all, incident): (&[Incident], &Incident),
    measured: &[Measured],
) -> Vec<Activity> {
    let calm = Calm::new(evidence, all, incident);
    let mut list: Vec<Activity> = groups.all.iter().filter_map(|group| of_group(evidence, pack, incident, &calm, group)).collect();
    for m in measured {
        list.push(Activity {
            signal: m.signal,
            entity: m.entity.clone(),
            place: place(topology, &m.entity, ""),
            onset: m.onset,
            last: incident.end,
            hits: 1,
            gain: 1.0,
            timing: 1.0,
            of_incident: computed::find(&pack.signals[m.signal as usize].id).is_some_and(|c| c.of_incident),
            series: Vec::new(),
            note: Some(m.note.clone()),
            cite: m.cite.clone(),
            covers: None,
            lies: Vec::new(),
            outlasts: false,
            collected: m.collected,
            shown: false,
        });
    }
    states(pack, evidence, groups, incident, &mut list);
    compound(pack, evidence, incident, &mut list);
    list.extend(crate::shown::activities(evidence, topology, pack, incident));
    list
}

/// The place that an entity stands for: its host where that is known, else its address without port, else itself.
pub fn place(topology: &Topology, entity: &str, speaker: &str) -> String {
    let (kind, name, _) = crate::entity::parts(entity);
    if matches!(kind, "addr" | "name") && !speaker.is_empty() {
        let (address, _) = address::split_port(name);
        if matches!(address, "127.0.0.1" | "localhost" | "::1") || name.starts_with("unix:") || name.starts_with('/') {
            return format!("host:{speaker}");
        }
    }
    if let Some(host) = topology.host_of(entity) {
        return format!("host:{host}");
    }
    match kind {
        "addr" => format!("addr:{}", address::split_port(name).0),
        _ => entity.to_string(),
    }
}

/// The place that evidence speaks of when it should name a target but does not: of the machines in the bundle the only one that
/// runs a server of the kind that the signal speaks of; else an unnamed dependency of the speaker. Never the speaker itself.
pub(crate) fn unnamed_target(evidence: &Evidence, rule: &crate::rules::Signal, entity: &str) -> Option<String> {
    let (kind, service, host) = crate::entity::parts(entity);
    // A name that cannot be resolved is not to blame for its resolver.
    if rule.entity.first() == Some(&crate::rules::Accused::Key(whyline_event::Key::QName)) && rule.id.contains("resolver") {
        return only_store(evidence, &rule.id);
    }
    if rule.entity.first() != Some(&crate::rules::Accused::Key(whyline_event::Key::Peer)) || kind != "service" {
        return None;
    }
    // The server itself speaks, unless it does as a client of another one.
    if !rule.id.starts_with("dbclient.") && programs_asked(&rule.id).contains(&service) {
        return host.map(|host| format!("host:{host}"));
    }
    if let Some(store) = only_store(evidence, &rule.id) {
        return Some(store);
    }
    Some(format!("dependency:{service}@{}", host.unwrap_or("")))
}

/// The programs of the stores or name servers of which a signal or a fault speaks, by its id.
pub(crate) fn programs_asked(id: &str) -> &'static [&'static str] {
    match id.split(['.', '-']).next().unwrap_or("") {
        "db" | "dbclient" | "dbpool" | "mysql" | "mariadb" | "postgresql" | "pg" | "jdbc" | "mongodb" => {
            &["mariadb", "mysql", "postgresql", "mongodb", "sqlserver", "oracle", "cassandra", "clickhouse"]
        }
        "elasticsearch" => &["elasticsearch"],
        "oracle" => &["oracle"],
        "mssql" => &["sqlserver"],
        "cassandra" => &["cassandra"],
        "clickhouse" => &["clickhouse"],
        "redis" | "cache" | "memcached" => &["redis", "memcached"],
        "amqp" | "rabbitmq" | "queue" => &["rabbitmq"],
        "dns" => &["dns"],
        _ if id.contains("resolve") => &["dns"],
        _ => &[],
    }
}

/// The only machine in the bundle that runs a store, or a name server, of the kind that a signal speaks of.
pub(crate) fn only_store(evidence: &Evidence, signal: &str) -> Option<String> {
    let programs = programs_asked(signal);
    let hosts: std::collections::BTreeSet<&str> = evidence
        .programs
        .iter()
        .map(|(of, _)| of)
        .chain(&evidence.units)
        .filter(|(_, p)| programs.contains(&evidence.text(*p)))
        .map(|(h, _)| evidence.text(*h))
        .filter(|h| !h.is_empty())
        .collect();
    if hosts.len() == 1 { hosts.first().map(|only| format!("host:{only}")) } else { None }
}

fn of_group(evidence: &Evidence, pack: &Pack, incident: &Incident, calm: &Calm<'_>, group: &Group) -> Option<Activity> {
    let Group { signal, place, series, bins } = group;
    // A good day says what is usual, and nothing of the trouble.
    let series: Vec<usize> = series.iter().copied().filter(|i| !evidence.is_baseline(evidence.series[*i].source)).collect();
    let own = match series.len() == group.series.len() {
        true => Cow::Borrowed(bins),
        false => Cow::Owned(Bins::of_series(evidence, &series)),
    };
    let (from, to) = ((incident.onset - BEFORE).div_euclid(1000), (incident.end + AFTER).div_euclid(1000));
    let onset_s = incident.onset.div_euclid(1000);
    let hits = own.sum(from, to + 1);
    if hits == 0 {
        return None;
    }
    // The time in which it could have been seen but no incident was: the cover of its sources.
    let (mut cover_from, mut cover_to) = (i64::MAX, i64::MIN);
    for i in &group.series {
        if let Some((a, b)) = evidence.span(evidence.series[*i].source) {
            cover_from = cover_from.min(a);
            cover_to = cover_to.max(b);
        }
    }
    let host = series.first().and_then(|i| evidence.series.get(*i)).map_or("", |s| evidence.text(s.host));
    let usual = calm.usual(bins, (cover_from, cover_to), host, from);
    let calm_hits = usual.hits;
    let busy = own.sum(usual.from, usual.to);
    let busy_seconds = (usual.to - usual.from).max(1) as f64;
    // A log that begins with the trouble (a slow log, an error log) was silent before rather than absent: a few seconds of it
    // are no measure of what is usual.
    let rate = calm_hits as f64 / (usual.seconds as f64).max(40.0);
    let gain = if calm_hits == 0 {
        1.0
    } else if busy > 0 {
        left_usual(busy, rate * busy_seconds)
    } else if calm_hits <= 2 {
        // It happened before only: something that changed once.
        0.8
    } else {
        0.0
    };
    // Onset: the first second from which it is above its usual rate.
    let limit = (rate * 10.0 * 2.0 + if calm_hits > 2 { 1.0 } else { 0.0 }).ceil() as u64;
    let begin = if calm_hits > 2 && busy > 0 { onset_s - 60 } else { from };
    let seconds = own.seconds(begin, to);
    let onset = *seconds.iter().find(|s| own.sum(**s, **s + 10) > limit).or(seconds.first())?;
    let last = own.last(to).unwrap_or(onset);
    // The exact instant from the samples.
    let onset_ms = series
        .iter()
        .flat_map(|i| evidence.series[*i].samples.iter())
        .map(|s| s.nanos.div_euclid(1_000_000))
        .filter(|t| *t >= onset * 1000)
        .min()
        .filter(|t| t.div_euclid(1000) == onset)
        .unwrap_or(onset * 1000);
    let onset_ms = begun(pack, *signal, onset_ms, incident);
    let loudest = match &series[..] {
        [only] => Some(only),
        several => several.iter().max_by_key(|i| (evidence.series[**i].within(from, to), std::cmp::Reverse(**i))),
    };
    let entity = loudest.map(|i| evidence.text(evidence.series[*i].entity).to_string())?;
    Some(Activity {
        signal: *signal,
        entity,
        place: place.clone(),
        onset: onset_ms,
        last: last * 1000,
        hits,
        gain,
        timing: timing(onset_ms, incident),
        of_incident: false,
        series,
        note: None,
        cite: Vec::new(),
        covers: None,
        lies: Vec::new(),
        outlasts: false,
        collected: None,
        shown: false,
    })
}

/// How far so many hits are from the number that was to be expected: 0 (as always) to 1 (six times as many, or more).
fn left_usual(hits: u64, expected: f64) -> f64 {
    // A single hit outside says little about the rate, many say much.
    ((hits as f64 / (expected + 0.3)).ln() / 6f64.ln()).clamp(0.0, 1.0)
}

/// So near (ms) to the end of the first wait of failing requests a line is one that is written at its end.
const END_OF_WAIT: i64 = 10_000;

/// When what a signal tells of may have begun: a detector that must wait before it speaks fits the beginning of the trouble as well as one
/// that need not, and no better.
pub(crate) fn begun(pack: &Pack, signal: SignalId, told: i64, incident: &Incident) -> i64 {
    let after = pack.signals.get(signal as usize).map_or(0, |signal| signal.after);
    // What is first told when the first wait ends began when that did.
    let is_end_of_wait = incident.wait > 0 && (told - incident.onset - incident.wait).abs() <= END_OF_WAIT;
    let after = if is_end_of_wait { after.max(incident.wait) } else { after };
    if told > incident.onset { told.saturating_sub(after).max(incident.onset) } else { told }
}

/// How well a beginning fits: causes begin before or with what users feel. Soft on both sides: stamps are coarse, symptoms
/// may be logged later than they began, and some traces are written at the end of a request.
pub fn timing(onset: i64, incident: &Incident) -> f64 {
    let delta = (onset - incident.onset) as f64 / 1000.0;
    let late = ((delta - 10.0) / 45.0).clamp(0.0, 1.0);
    let early = ((-delta - 90.0) / 240.0).clamp(0.0, 1.0);
    1.0 - 0.85 * late - 0.7 * early
}

/// So long (s) behind the end of the trouble, at the least, a state goes on that did not make it.
const LONG_AFTER: i64 = 60;

/// States: how much of the incident lies between what begins a state and what ends it. A restart is no stop.
fn states(pack: &Pack, evidence: &Evidence, groups: &Groups, incident: &Incident, list: &mut [Activity]) {
    let (onset, end) = (incident.onset / 1000, incident.end / 1000);
    for activity in list.iter_mut() {
        let until = &pack.signals[activity.signal as usize].until;
        if until.is_empty() {
            continue;
        }
        let mut begins: Vec<i64> =
            activity.series.iter().flat_map(|i| evidence.series[*i].bins.iter().map(|b| b.0)).filter(|s| *s <= end).collect();
        begins.sort_unstable();
        let of_series = |i: usize| evidence.series[i].bins.iter().map(|b| b.0);
        let ending: Vec<usize> = until.iter().flat_map(|signal| groups.at(*signal, &activity.place)).collect();
        let mut ends: Vec<i64> = ending.iter().copied().flat_map(of_series).collect();
        ends.sort_unstable();
        // What is told so late began as early as fits, if it had not ended since.
        let late = pack.signals[activity.signal as usize].after.div_euclid(1000);
        if let Some(first) = begins.first_mut().filter(|_| late > 0) {
            let earliest = ends.iter().copied().filter(|e| e < first).max().unwrap_or(i64::MIN);
            *first = (*first).min((*first - late).max(onset)).max(earliest);
        }
        let exact = |second: i64, series: &[usize]| {
            let samples = series.iter().flat_map(|i| &evidence.series[*i].samples);
            samples.map(|s| s.nanos).filter(|nanos| nanos.div_euclid(1_000_000_000) == second).max()
        };
        // Whole seconds that lie in some stretch, each counted once.
        let (mut covered, mut reached) = (0, i64::MIN);
        for begin in begins {
            // Of the same second only kept lines tell which came first.
            let at_once = exact(begin, &activity.series).zip(exact(begin, &ending)).is_some_and(|(begin, end)| end > begin);
            let stop = if at_once { Some(begin) } else { ends.get(ends.partition_point(|e| *e <= begin)).copied() };
            if let Some(stop) = stop {
                activity.lies.push((begin, stop));
            }
            let stop = stop.unwrap_or(i64::MAX);
            let (first, last) = (begin.max(onset).max(reached), stop.min(end).min(onset + 100_000));
            if first <= last {
                covered += last - first + 1;
                reached = last + 1;
            }
        }
        let share = covered as f64 / (end - onset + 1).max(1) as f64;
        // What goes on long after all was well again did not make the trouble.
        let until = end + ((end - onset) / 3).max(LONG_AFTER);
        let ended = ends.get(ends.partition_point(|e| *e <= end)).copied().unwrap_or(i64::MAX);
        activity.outlasts = reached > end && ended > until && evidence.whole().is_some_and(|(_, last)| last > until);
        activity.covers = Some(share);
        activity.gain *= (share / 0.3).clamp(0.1, 1.0);
    }
}

/// Activities of one signal put together by the machine that wrote of them, whoever each accuses. What a machine writes at any time is left out:
/// each stranger who guesses is new, all of them together are not.
fn by_writer(evidence: &Evidence, incident: &Incident, all: &[&Activity]) -> Vec<Activity> {
    let mut hosts: BTreeMap<NameId, Vec<usize>> = BTreeMap::new();
    for number in all.iter().flat_map(|activity| &activity.series) {
        hosts.entry(evidence.series[*number].host).or_default().push(*number);
    }
    let first = |series: &[usize]| all.iter().find(|activity| activity.series.iter().any(|number| series.contains(number)));
    let together = |(host, series): (NameId, Vec<usize>)| {
        let bins = Bins::of_series(evidence, &series);
        let (from, to) = ((incident.onset - BEFORE).div_euclid(1000), (incident.end + AFTER).div_euclid(1000));
        let spans = || series.iter().filter_map(|i| evidence.span(evidence.series[*i].source));
        let cover = spans().reduce(|(a, b), (x, y)| (a.min(x), b.max(y)))?;
        let (hits, calm_hits) = (bins.sum(from, to + 1), bins.sum_before(from) + bins.sum_from(to + 1));
        let calm = ((from - cover.0).max(0) + (cover.1 - to).max(0)).max(40);
        let expected = calm_hits as f64 / calm as f64 * (to - from).max(1) as f64;
        let gain = left_usual(hits, expected);
        let entity = format!("host:{}", evidence.text(host));
        Some(Activity { place: entity.clone(), entity, hits, gain, series: series.clone(), ..(*first(&series)?).clone() })
            .filter(|_| gain > 0.0)
    };
    hosts.into_iter().filter_map(together).collect()
}

/// Compound signals: many hits of another signal for one entity.
fn compound(pack: &Pack, evidence: &Evidence, incident: &Incident, list: &mut Vec<Activity>) {
    let mut found = Vec::new();
    for (id, signal) in pack.signals.iter().enumerate() {
        let Some(count) = &signal.count else { continue };
        // What is counted by client says nothing where none is named.
        let by_client = count.by == Some(whyline_event::Key::ClientAddress);
        let is_named = |a: &Activity| !by_client || a.place.starts_with("client:") || a.entity.starts_with("client:");
        let each: Vec<&Activity> = list.iter().filter(|a| a.signal == count.of && is_named(a)).collect();
        let by_host = (count.by == Some(whyline_event::Key::HostName)).then(|| by_writer(evidence, incident, &each));
        let counted = by_host.as_ref().map_or(each, |together| together.iter().collect());
        for activity in counted {
            let bins = Bins::of_series(evidence, &activity.series);
            let seconds = bins.seconds(activity.onset / 1000, incident.end / 1000 + 10);
            let start = seconds.iter().find(|s| bins.sum(**s, **s + count.within) >= count.at_least);
            if let Some(start) = start {
                let counted = begun(pack, count.of, start * 1000, incident);
                let onset = begun(pack, id as SignalId, counted, incident);
                found.push(Activity { signal: id as SignalId, onset, timing: timing(onset, incident), ..activity.clone() });
            }
        }
    }
    list.extend(found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Signal;

    #[test]
    fn what_comes_late_by_its_nature_fits_as_well() {
        let signal = |after| Signal {
            id: "x.y".into(),
            title: String::new(),
            filters: Vec::new(),
            query: String::new(),
            entity: Vec::new(),
            count: None,
            until: Vec::new(),
            after,
        };
        let mut pack = Pack::default();
        pack.signals.extend([signal(0), signal(120_000)]);
        let incident = Incident { symptoms: Vec::new(), onset: 1_000_000, end: 2_000_000, wait: 0 };
        for (signal, told, want) in [(1, 1_100_000, 1_000_000), (1, 1_200_000, 1_080_000), (1, 900_000, 900_000), (0, 1_100_000, 1_100_000)]
        {
            assert_eq!(begun(&pack, signal, told, &incident), want);
        }
    }
}
