//! Deeper reasons: which faults are only steps of others, and how much a reason takes over from its steps.

use crate::activity::{Activity, programs_asked};
use crate::belief::{Hypothesis, Known, Term, anchors_by, same_lines};
use crate::evidence::Evidence;
use crate::meant::is_the_store;
use crate::reach::{Reach, are_siblings, is_endpoint, is_of_replica_set, is_part, of_store};
use crate::rules::{FaultId, Through};
use crate::symptoms::Incident;
use std::collections::BTreeSet;

/// So long after a request began (ms) a line about it may be written: when it ends. Nine of ten of the failing requests took no longer.
fn told_within(evidence: &Evidence, incident: &Incident) -> i64 {
    const MOST: i64 = 120_000;
    let mut took: Vec<i64> = incident.affected().iter().filter_map(|i| evidence.request(*i).took()).collect();
    let at = took.len() * 9 / 10;
    let long = if took.is_empty() { 0 } else { *took.select_nth_unstable(at).1 };
    12_000 + long.clamp(0, MOST)
}

/// Marks hypotheses that a deeper active fault explains as steps.
pub(crate) fn steps(known: &Known<'_>, reach: &Reach, incident: &Incident, list: &mut [Hypothesis]) {
    let within = told_within(known.evidence, incident);
    let Known { topology, pack, .. } = *known;
    // Over one edge, or over two where the fault in between is active as well: over many edges anything is the reason of
    // anything.
    let active: BTreeSet<FaultId> = list.iter().filter(|h| h.score > -1.0).map(|h| h.fault).collect();
    let reasons = |f: FaultId| pack.faults[f].because.iter().copied().filter(|d| !pack.faults[*d].symptom).collect::<BTreeSet<_>>();
    let deeper = |step: FaultId| -> BTreeSet<FaultId> {
        let direct = reasons(step);
        let second: BTreeSet<FaultId> = direct.iter().filter(|f| active.contains(f)).flat_map(|f| reasons(*f)).collect();
        &direct | &second
    };
    let linked = |deep: &Hypothesis, step: &Hypothesis| -> bool {
        let (a, b, fault) = (deep.place.as_str(), step.place.as_str(), &pack.faults[deep.fault].id);
        if a == b || is_successor(fault, a, (&pack.faults[step.fault].id, b)) {
            return true;
        }
        // What a service complains of without naming it lies right below that service.
        if let (Some(unnamed), Some(host)) = (a.strip_prefix("dependency:"), b.strip_prefix("host:")) {
            return unnamed.rsplit_once('@').is_some_and(|(_, h)| h == host);
        }
        match (a.strip_prefix("host:"), b.strip_prefix("host:")) {
            (Some(low), Some(up)) => {
                // A store that nobody names may be anybody's.
                let called = topology.calls.iter().any(|(_, callee)| callee == low);
                let store = reach.stores.contains(a) || of_store(fault);
                let carrier = reach.carries(a, fault);
                carrier
                    || reach.comes_with_them(a) && reach.passes(b)
                    || topology.below(up).contains_key(low)
                    || topology.calls.contains(&(low.to_string(), up.to_string()))
                    || store && !called
            }
            // A machine that is known by another address is not the one at this.
            (Some(low), None) if b.strip_prefix("addr:").is_some_and(|address| topology.has_another(low, address)) => false,
            // Of two ends of connections neither is behind the other, unless a pod is a part of the service.
            _ if is_endpoint(a) && is_endpoint(b) => is_part(a, b),
            // What has no host here is linked when the failing requests reach it.
            _ => reach.passes(a) || is_part(a, b) || reach.is_asked_on_the_way(a) || a.starts_with("client:"),
        }
    };
    // The rules may say that it leads to the step wherever that is, but of two endpoints neither is behind the other.
    let anywhere = |deep: &Hypothesis, step: &Hypothesis| {
        let apart = deep.place != step.place && is_endpoint(&deep.place) && is_endpoint(&step.place);
        !apart && pack.faults[deep.fault].explains.iter().any(|e| e.fault == step.fault && e.through == Through::Any)
    };
    for i in 0..list.len() {
        let below = deeper(list[i].fault);
        let best = (0..list.len())
            .filter(|j| *j != i && list[*j].fault != list[i].fault && below.contains(&list[*j].fault))
            .filter(|j| {
                let deep = &list[*j];
                // The deeper one must be believable in itself, not later, and not itself a step of this one.
                let mutual = deeper(deep.fault).contains(&list[i].fault);
                own_evidence(known, deep, &list[i]) >= 1.3
                    // Signs of a step may be older than the trouble.
                    && (deep.onset <= list[i].onset.max(incident.onset) + within + takes(&deep.place, &list[i].place) || !deep.dated || !list[i].dated)
                    && (linked(deep, &list[i]) || anywhere(deep, &list[i]) || is_the_store(known, reach, list, deep, &list[i]))
                    && deep.score >= 0.3
                    && (!mutual || deep.score > list[i].score)
            })
            .max_by(|x, y| list[*x].score.total_cmp(&list[*y].score).then(y.cmp(x)));
        list[i].step_of = best;
    }
    // A root takes over what its steps show, as far as it is believable itself; else the step may have come about without it.
    for i in 0..list.len() {
        let Some(mut root) = list[i].step_of else { continue };
        let mut hops = 0;
        while let Some(next) = list[root].step_of {
            root = next;
            hops += 1;
            if hops > 8 {
                break;
            }
        }
        if hops > 8 {
            continue;
        }
        let coverage: f64 = list[root].terms.iter().filter(|t| t.name == "coverage").map(|t| t.value).sum();
        let odds = (own_evidence(known, &list[root], &list[i]) + coverage).exp();
        let share = odds / (odds + ALONE);
        let shown = list[i].score + share.ln();
        let gain = (shown - list[root].score).min(2.5);
        // That the step came about alone is weighed against what the root is given, which is bounded.
        let given = shown.min(list[root].score + gain.max(0.0));
        list[root].rest = list[root].rest.max(given + ((1.0 - share) / share).ln());
        if gain > 0.0 {
            let note = format!("explains {} as well", pack.faults[list[i].fault].id);
            list[root].score += gain;
            list[root].terms.push(Term { name: "steps".into(), value: gain, note, activity: None });
        }
    }
}

/// So long (ms) after a pod has ended the failing start of the next one is told.
const NEXT: i64 = 30_000;

/// Whether a fault of Kubernetes keeps one pod of a workload from starting, where another one ended: in a roll-out, or when a node is emptied.
/// What a service complains of without naming it may be a pod, too, and a store at an address of no machine here a pod that is called like it: the
/// address of a Service is nobody's.
fn is_successor(fault: &str, deep: &str, (step_fault, step): (&str, &str)) -> bool {
    let name = crate::entity::parts(deep).1;
    let is_store = || programs_asked(step_fault).iter().any(|program| name.split(['-', '/']).any(|part| part == *program));
    fault.starts_with("k8s.")
        && (are_siblings(deep, step) || step.starts_with("dependency:") && is_of_replica_set(name) || is_endpoint(step) && is_store())
}

/// How much later than its step a deeper fault may be told.
fn takes(deep: &str, step: &str) -> i64 {
    if are_siblings(deep, step) { NEXT } else { 0 }
}

/// Odds that what has a deeper reason in the rules came about without one that is active as well.
const ALONE: f64 = 4.0;

/// Evidence of this weight (that of `strong` is above it) tells of the fault itself.
const TELLING: f64 = 2.0;

/// What speaks for a deeper fault and is not merely what shows the step as well, told under another name, less what of the step's own signs
/// speaks against it.
fn own_evidence(known: &Known<'_>, deep: &Hypothesis, step: &Hypothesis) -> f64 {
    let Known { evidence, pack, activities, .. } = *known;
    let shown: Vec<&Activity> = step.terms.iter().filter_map(|t| t.activity).map(|i| &activities[i]).collect();
    let rule = &pack.faults[deep.fault];
    let weight = |rule: &crate::rules::Fault, signal| rule.evidence.iter().find(|e| e.signal == signal).map_or(0.0, |e| e.weight);
    // Who answers a probe with a page that is not there is not down. What was held against the deeper one itself counts there.
    let held = |s: &Activity| deep.terms.iter().filter_map(|t| t.activity).any(|i| activities[i].signal == s.signal);
    let against: f64 = shown.iter().filter(|s| !held(s)).map(|s| weight(rule, s.signal).min(0.0)).sum();
    let told: f64 = deep
        .terms
        .iter()
        .filter_map(|t| t.activity.map(|i| (t.value, &activities[i])))
        .filter(|(_, a)| rule.evidence.iter().any(|e| e.signal == a.signal && anchors_by(pack, e)))
        // What tells of an answer that users got, and hardly of the reason, tells as much of the step.
        .filter(|(_, a)| {
            weight(rule, a.signal) >= TELLING || !pack.faults.iter().any(|f| f.symptom && f.evidence.iter().any(|e| e.signal == a.signal))
        })
        // The same lines may speak for both; they speak for the deeper one where they are more specific about it.
        .filter(|(_, a)| {
            let mine = weight(rule, a.signal);
            !shown.iter().any(|s| {
                let its = weight(&pack.faults[step.fault], s.signal);
                s.signal == a.signal && its >= mine || its > mine && same_lines(evidence, s, a)
            })
        })
        .map(|(value, _)| value)
        .sum();
    told + against
}
