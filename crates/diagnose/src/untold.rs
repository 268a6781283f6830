//! What has not been told: causes that rest on one side's word.
//!
//! A pool that is used up "although the database works" may be the echo of a database that hangs without a word to its clients; a
//! service that its supervisor saw die may have died of anything; one that does not answer in time may do so while packets are lost on the
//! way to it, which its machine counts. Where a rule says so (`needed` in its `missing`), the log of the
//! other side must have been given before the program stands by the fault. Silence counts only where the log was given.

use crate::activity::{Activity, programs_asked};
use crate::belief::{Hypothesis, Term};
use crate::evidence::Evidence;
use crate::rules::Pack;
use crate::rules::written::Missing;
use crate::topology::Topology;

/// No more is believed of a fault while the log that would decide is not there.
const MOST: f64 = 0.6;
/// A line that names the fault itself (the logarithm of `conclusive`) needs no other.
const CONCLUSIVE: f64 = 4.0;

/// Holds back the confidence in faults for which a needed log was not given.
pub(crate) fn hold_back(evidence: &Evidence, topology: &Topology, pack: &Pack, activities: &[Activity], list: &mut [Hypothesis]) {
    let on_known_host = |h: &&mut Hypothesis| h.place.strip_prefix("host:").is_some_and(|host| topology.hosts.contains(host));
    for h in list.iter_mut().filter(|h| h.step_of.is_none() && h.confidence > MOST).filter(on_known_host) {
        let rule = &pack.faults[h.fault];
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
            "dependency" => !store_speaks(evidence, topology, h, &rule.id),
            "host" => !machine_speaks(evidence, activities, h),
            _ => !accused_speaks(evidence, activities, h),
        });
        if let Some((at, missing)) = missing {
            let note = format!("not sure without the {}", h.fill(&missing.log));
            h.terms.push(Term { name: "untold".into(), value: 0.0, note, activity: None });
            h.confidence = MOST;
            h.lacks = Some(at);
        }
    }
}

/// Whether a log was given of a store that the accused may use: on its machine, on one that it calls, or on one of which nobody knows
/// who calls it.
fn store_speaks(evidence: &Evidence, topology: &Topology, h: &Hypothesis, fault: &str) -> bool {
    let stores = programs_asked(fault);
    let below = topology.below(h.host());
    evidence.programs.iter().any(|((host, program), _)| {
        let host = evidence.text(*host);
        let uncalled = || !topology.calls.iter().any(|(_, callee)| callee == host);
        stores.contains(&evidence.text(*program)) && (below.contains_key(host) || uncalled())
    })
}

/// Whether the machine of the accused speaks for it, or the log of its system was given.
fn machine_speaks(evidence: &Evidence, activities: &[Activity], h: &Hypothesis) -> bool {
    let spoken = h.speaking(activities).filter(|(_, a)| !a.shown).flat_map(|(_, a)| &a.series);
    let by_itself = spoken.filter_map(|i| evidence.series.get(*i)).any(|series| evidence.text(series.host) == h.host());
    by_itself || evidence.sources.iter().any(|source| source.host == h.host() && source.tells_of_system())
}

/// Programs that start and watch others, and say how they end.
const SUPERVISORS: [&str; 9] = ["systemd", "kernel", "supervisord", "monit", "dockerd", "containerd", "kubelet", "init", "runit"];

/// Whether the accused service speaks for itself: by what accuses it, or in a log of its own.
fn accused_speaks(evidence: &Evidence, activities: &[Activity], h: &Hypothesis) -> bool {
    let spoken = h.speaking(activities).filter(|(_, a)| !a.shown).flat_map(|(_, a)| &a.series);
    let by_itself = spoken.filter_map(|i| evidence.series.get(*i)).any(|series| {
        let service = evidence.text(series.service);
        evidence.text(series.host) == h.host() && !SUPERVISORS.contains(&service)
    });
    by_itself || evidence.sources.iter().any(|source| source.host == h.host() && source.records > 0 && !source.is_of_system())
}
