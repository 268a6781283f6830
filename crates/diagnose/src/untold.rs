//! What has not been told: causes that rest on one side's word.
//!
//! A pool that is used up "although the database works" may be the echo of a database that hangs without a word to its clients; a
//! service that its supervisor saw die may have died of anything; one that does not answer in time may do so while packets are lost on the
//! way to it, which its machine counts. Where a rule says so (`needed` in its `missing`), the log of the
//! other side must have been given before the program stands by the fault. Silence counts only where the log was given.

use crate::activity::{Activity, programs_asked};
use crate::advice::Filler;
use crate::belief::{Hypothesis, Known, Term};
use crate::evidence::{Evidence, SourceInfo};
use crate::rules::written::Missing;
use crate::symptoms::Incident;
use crate::topology::Topology;

/// No more is believed of a fault while the log that would decide is not there.
const MOST: f64 = 0.6;
/// A line that names the fault itself (the logarithm of `conclusive`) needs no other.
pub(crate) const CONCLUSIVE: f64 = 4.0;

/// Holds back the confidence in faults for which a needed log was not given.
pub(crate) fn hold_back(known: &Known<'_>, incident: &Incident, list: &mut [Hypothesis]) {
    let Known { evidence, topology, pack, activities, .. } = *known;
    let given = Given { evidence, seconds: (incident.onset.div_euclid(1000) - BEFORE, incident.end.div_euclid(1000)) };
    for h in list.iter_mut().filter(|h| h.step_of.is_none() && h.confidence > MOST) {
        let rule = &pack.faults[h.fault];
        // Nobody's log was given of what is no host here; what it depends on, and its machine, are then not known at all.
        let is_known = h.place.strip_prefix("host:").is_some_and(|host| topology.hosts.contains(host));
        let is_conclusive = |a: &Activity| rule.evidence.iter().any(|e| e.signal == a.signal && e.weight >= CONCLUSIVE);
        let named = h.speaking(activities).any(|(_, activity)| is_conclusive(activity));
        if named {
            continue;
        }
        let is_unneeded = |missing: &Missing| {
            let signals: Vec<_> = missing.unless.iter().filter_map(|signal| pack.signal(&signal.text)).collect();
            h.speaking(activities).any(|(_, activity)| signals.contains(&activity.signal))
        };
        let mut needed = rule.missing.iter().enumerate().filter(|(_, missing)| missing.needed && !is_unneeded(missing));
        let missing = needed.find(|(_, missing)| match missing.of.as_str() {
            "dependency" => is_known && !store_speaks(&given, topology, h, &rule.id),
            "host" => is_known && !machine_speaks(&given, activities, h),
            // What a service complains of without naming it speaks by the log of the only one that it can be.
            _ if h.place.starts_with("dependency:") => !store_speaks(&given, topology, h, &rule.id),
            _ => !accused_speaks(&given, activities, h),
        });
        if let Some((at, missing)) = missing {
            let note = format!("not sure without the {}", Filler::new(evidence, incident, h).fill(&missing.log));
            h.terms.push(Term { name: "untold".into(), value: 0.0, note, activity: None });
            h.confidence = MOST;
            h.lacks = Some(at);
        }
    }
}

/// A log counts that reaches to so many seconds before the incident: who logs little may have said nothing since.
pub(crate) const BEFORE: i64 = 300;

/// The logs that were given of the time of an incident; a piece of another day is no log of it.
struct Given<'e> {
    evidence: &'e Evidence,
    seconds: (i64, i64),
}

impl Given<'_> {
    /// Whether some log of a host was given that is of the right kind.
    fn of(&self, host: &str, is_right: impl Fn(&SourceInfo) -> bool) -> bool {
        let covers =
            |number: usize| self.evidence.span(number).is_some_and(|(first, last)| first <= self.seconds.1 && last >= self.seconds.0);
        let mut sources = self.evidence.sources.iter().enumerate();
        sources.any(|(number, source)| source.host == host && source.records > 0 && is_right(source) && covers(number))
    }
}

/// Whether a format is that of a proxy, of a log of requests or of monitoring, which say little of why a service ended that they ask.
pub(crate) fn speaks_of_others(format: &str) -> bool {
    whyline_query::is_access_format(format)
        || ["nginx", "apache", "haproxy", "traefik", "envoy", "caddy", "nagios"]
            .iter()
            .any(|proxy| format.split('.').next() == Some(*proxy))
}

/// Whether a log was given of a store that the accused may use: on its machine, on one that it calls, or on one of which nobody knows
/// who calls it.
fn store_speaks(given: &Given<'_>, topology: &Topology, h: &Hypothesis, fault: &str) -> bool {
    let evidence = given.evidence;
    let stores = programs_asked(fault);
    let below = topology.below(h.host());
    evidence.programs.iter().any(|((host, program), _)| {
        let host = evidence.text(*host);
        let uncalled = || !topology.calls.iter().any(|(_, callee)| callee == host);
        // Who logs through another machine's file has none of its own.
        let has_own = evidence.sources.iter().any(|source| source.host == host);
        let in_time = !has_own || given.of(host, |_| true);
        stores.contains(&evidence.text(*program)) && (below.contains_key(host) || uncalled()) && in_time
    })
}

/// Whether the machine of the accused speaks for it, or the log of its system was given.
fn machine_speaks(given: &Given<'_>, activities: &[Activity], h: &Hypothesis) -> bool {
    let evidence = given.evidence;
    let spoken = h.speaking(activities).filter(|(_, a)| !a.shown).flat_map(|(_, a)| &a.series);
    let by_itself = spoken.filter_map(|i| evidence.series.get(*i)).any(|series| evidence.text(series.host) == h.host());
    by_itself || given.of(h.host(), SourceInfo::tells_of_system)
}

/// Programs that start and watch others, and say how they end.
pub(crate) const SUPERVISORS: [&str; 12] =
    ["systemd", "kernel", "supervisord", "monit", "dockerd", "containerd", "kubelet", "init", "runit", "nagios", "naemon", "icinga"];

/// Whether the accused service speaks for itself: by what accuses it, or in a log of its own.
fn accused_speaks(given: &Given<'_>, activities: &[Activity], h: &Hypothesis) -> bool {
    let evidence = given.evidence;
    let spoken = h.speaking(activities).filter(|(_, a)| !a.shown).flat_map(|(_, a)| &a.series);
    let by_itself = spoken.filter_map(|i| evidence.series.get(*i)).any(|series| {
        let service = evidence.text(series.service);
        evidence.text(series.host) == h.host() && !SUPERVISORS.contains(&service)
    });
    by_itself || given.of(h.host(), |source| !source.is_of_system() && !speaks_of_others(&source.format))
}
