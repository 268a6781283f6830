//! Belief: which faults could be behind an incident, and how much speaks for each.
//!
//! A hypothesis is a fault at a place. Its score is a sum of named terms, each a clipped log-likelihood ratio, so that no single
//! noisy line decides and every point can be shown.

use crate::accused;
use crate::activity::Activity;
use crate::entity::{parts, unnamed};
use crate::evidence::Evidence;
use crate::meant;
use crate::near::Near;
use crate::reach::Reach;
use crate::reasons::steps;
use crate::rules::{FaultId, Pack};
use crate::shared;
use crate::symptoms::Incident;
use crate::tied;
use crate::topology::Topology;
use crate::untold;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One term of a score.
#[derive(Clone, Debug)]
pub struct Term {
    /// What it is: a signal's id, or `prior`, `symptoms`, `place`, `coverage`.
    pub name: String,
    /// Its worth; negative when it speaks against.
    pub value: f64,
    /// In words.
    pub note: String,
    /// The activity it rests on.
    pub activity: Option<usize>,
}

/// A fault at a place, with what speaks for and against it.
#[derive(Clone, Debug)]
pub struct Hypothesis {
    /// The fault.
    pub fault: FaultId,
    /// The place.
    pub place: String,
    /// Sum of the terms.
    pub score: f64,
    /// The terms.
    pub terms: Vec<Term>,
    /// When it began, ms.
    pub onset: i64,
    /// Whether a log or a named time says so; else it is the incident's.
    pub dated: bool,
    /// Entities accused, the best supported first.
    pub entities: Vec<String>,
    /// The places of those who complain of it without naming it (`dependency:orders@app1`).
    pub also: Vec<String>,
    /// The hypothesis that is its deeper reason: then this is a step, not a root.
    pub step_of: Option<usize>,
    /// As a score: that what it would explain as its steps came about without it.
    pub rest: f64,
    /// Probability among all roots of the incident and the unknown.
    pub confidence: f64,
    /// The log for want of which it is held back: its place among those that the rule of the fault calls missing.
    pub lacks: Option<usize>,
}

impl Hypothesis {
    /// The terms that speak for it and rest on an activity, with that.
    pub(crate) fn speaking<'h>(&'h self, activities: &'h [Activity]) -> impl Iterator<Item = (&'h Term, &'h Activity)> {
        let terms = self.terms.iter().filter(|t| t.value > 0.0);
        terms.filter_map(|t| Some((t, activities.get(t.activity?)?)))
    }

    /// The signals that speak for it.
    pub(crate) fn speaking_signals(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter(|term| term.value > 0.0 && term.activity.is_some()).map(|term| term.name.as_str())
    }

    /// Kind and name of what is accused first; of the place where nothing else is.
    pub(crate) fn accused(&self) -> (&str, &str) {
        let (kind, name, _) = parts(self.entities.first().map_or(self.place.as_str(), String::as_str));
        (kind, name)
    }

    /// The host of the place; where that is none, the name of what is accused.
    pub(crate) fn host(&self) -> &str {
        self.place.strip_prefix("host:").unwrap_or(self.accused().1)
    }

    /// Its machine, as far as that is known: who asks for something is not the machine that it asks.
    pub(crate) fn machine(&self) -> &str {
        if self.is_unnamed() { "" } else { self.host() }
    }

    /// Whether what is accused has no name in these logs.
    pub(crate) fn is_unnamed(&self) -> bool {
        let (kind, name) = self.accused();
        kind == "dependency" || kind == "host" && name == "unknown"
    }

    /// Whether what is accused first is an endpoint, as others name it.
    pub(crate) fn names_an_endpoint(&self) -> bool {
        matches!(self.accused().0, "addr" | "name")
    }

    /// What is accused, where it has no name: in the words of whoever complains of it.
    pub(crate) fn stands_for(&self, fault: &str) -> Option<String> {
        let (kind, name, host) = parts(self.entities.first().map_or(self.place.as_str(), String::as_str));
        (kind == "dependency").then(|| unnamed(fault, name, host))
    }
}

/// Log odds of any one fault before looking.
const PRIOR: f64 = -2.0;
/// Log weight of "something that no rule knows".
const UNKNOWN: f64 = 0.9;
/// The smallest weight of evidence that makes a fault worth considering (the logarithm of `supporting`).
const ANCHOR: f64 = 1.38;

/// What is known of an incident.
pub(crate) struct Known<'k> {
    pub evidence: &'k Evidence,
    pub topology: &'k Topology,
    pub pack: &'k Pack,
    pub activities: &'k [Activity],
    /// Its beginning and its end, ms.
    pub stretch: (i64, i64),
}

/// The hypotheses about an incident, the best first.
pub fn hypotheses(evidence: &Evidence, topology: &Topology, pack: &Pack, incident: &Incident, activities: &[Activity]) -> Vec<Hypothesis> {
    let known = Known { evidence, topology, pack, activities, stretch: (incident.onset, incident.end) };
    let reach = Reach::new(evidence, topology, incident, activities);
    let near = Near::new(activities, topology);
    let mut anchors: BTreeSet<(FaultId, &str)> = BTreeSet::new();
    for (id, fault) in pack.faults.iter().enumerate().filter(|(_, f)| !f.symptom) {
        for item in fault.evidence.iter().filter(|e| anchors_by(pack, e)) {
            for activity in near.of(item.signal).filter(|a| a.gain >= 0.25) {
                anchors.insert((id, &activity.place));
            }
        }
    }
    let there: BTreeSet<FaultId> = anchors.iter().map(|(fault, _)| *fault).collect();
    let mut list: Vec<Hypothesis> =
        anchors.into_iter().filter_map(|(fault, place)| judge(&known, incident, &near, (&reach, &there), fault, place)).collect();
    meant::together(&known, &reach, &mut list);
    meant::clocks(&known, &mut list);
    list.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| (a.fault, &a.place).cmp(&(b.fault, &b.place))));
    for h in &mut list {
        h.entities = accused::entities(evidence, pack, activities, h);
    }
    steps(&known, &reach, incident, &mut list);
    confidence(&mut list);
    let before: Vec<(FaultId, String)> = list.iter().map(|h| (h.fault, h.place.clone())).collect();
    list.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| b.score.total_cmp(&a.score))
            .then_with(|| (a.fault, &a.place).cmp(&(b.fault, &b.place)))
    });
    // The numbers of deeper reasons follow the new order.
    let after: BTreeMap<(FaultId, String), usize> = list.iter().enumerate().map(|(i, h)| ((h.fault, h.place.clone()), i)).collect();
    for h in &mut list {
        h.step_of = h.step_of.and_then(|i| before.get(i)).and_then(|k| after.get(k)).copied();
    }
    untold::hold_back(&known, incident, &mut list);
    tied::hold_back(&known, &reach, &mut list);
    shared::hold_back(&known, &mut list);
    list
}

/// Whether evidence can make a hypothesis, rather than only shift the balance between some.
pub(crate) fn anchors_by(pack: &Pack, evidence: &crate::rules::Evidence) -> bool {
    let id = &pack.signals[evidence.signal as usize].id;
    evidence.weight >= ANCHOR && !crate::computed::find(id).is_some_and(|c| c.context)
}

/// Judges a fault at a place; `there` are the faults that anything speaks for.
fn judge(
    known: &Known<'_>,
    incident: &Incident,
    near: &Near<'_>,
    (reach, there): (&Reach, &BTreeSet<FaultId>),
    fault: FaultId,
    place: &str,
) -> Option<Hypothesis> {
    let Known { evidence, pack, activities, .. } = *known;
    let rule = &pack.faults[fault];
    let mut terms = vec![Term { name: "prior".into(), value: PRIOR, note: "before looking".into(), activity: None }];
    let mut picked: Vec<(f64, usize)> = Vec::new();
    for item in &rule.evidence {
        picked.extend(near.loudest(item.signal, item.weight, place));
    }
    // Signals that rest on the same lines say the same thing: only the strongest counts in full.
    picked.sort_by(|(x, i), (y, j)| y.abs().total_cmp(&x.abs()).then(i.cmp(j)));
    let mut seen: Vec<(usize, bool)> = Vec::new();
    for (rank, (worth, i)) in picked.iter().enumerate() {
        let a = &activities[*i];
        let is_like =
            |other: &dyn Fn(&Activity) -> bool| seen.iter().any(|(j, against)| *against == (*worth < 0.0) && other(&activities[*j]));
        let value = if is_like(&|b| echo(evidence, b, a)) {
            worth * 0.25
        } else if is_like(&|b| is_one_event(b, a)) {
            worth * 0.5
        } else if rank >= 3 {
            worth * 0.6
        } else {
            *worth
        };
        seen.push((*i, *worth < 0.0));
        let note = a.note.clone().unwrap_or_else(|| match a.collected {
            Some(_) => format!("shown by a command, accusing {}", a.entity),
            None => format!("{} times, accusing {}", a.hits, a.entity),
        });
        terms.push(Term { name: pack.signals[a.signal as usize].id.clone(), value, note, activity: Some(*i) });
    }
    let own: Vec<&Term> = terms.iter().filter(|t| t.activity.is_some() && t.value > 0.0).collect();
    if !own.iter().any(|t| {
        t.activity.is_some_and(|i| rule.evidence.iter().any(|e| e.signal == activities[i].signal && anchors_by(pack, e)) && t.value >= 0.5)
    }) {
        return None;
    }
    // Since when: the first of the pieces that weigh most.
    // Of what came again and again a command names the last time only; it dates nothing that began before.
    let dates = |a: &Activity| a.collected.is_none() && !(a.shown && a.onset > incident.onset + 15_000);
    let dated = |t: &&&Term| t.activity.is_some_and(|i| dates(&activities[i]));
    let most = own.iter().filter(dated).map(|t| t.value).fold(0.0, f64::max);
    let known = own.iter().filter(dated).filter(|t| t.value >= most * 0.5).filter_map(|t| t.activity).map(|i| activities[i].onset).min();
    let onset = known.unwrap_or(incident.onset);
    let (value, note) = reach.worth(place, &rule.id);
    terms.push(Term { name: "place".into(), value, note: note.into(), activity: None });
    terms.push(symptoms(pack, incident, fault, there));
    terms.push(coverage(pack, rule, incident, activities, &terms));
    let score = terms.iter().map(|t| t.value).sum();
    Some(Hypothesis {
        fault,
        place: place.to_string(),
        score,
        terms,
        onset,
        dated: known.is_some(),
        entities: Vec::new(),
        also: Vec::new(),
        step_of: None,
        rest: f64::NEG_INFINITY,
        confidence: 0.0,
        lacks: None,
    })
}

/// Whether two activities rest on the same records.
fn echo(evidence: &Evidence, a: &Activity, b: &Activity) -> bool {
    (a.shown || a.place == b.place) && same_lines(evidence, a, b)
}

/// What has fewer hits is a single event; several programs tell of one within so long (ms).
const FEW: u64 = 4;
const AT_ONCE: i64 = 5_000;

/// Whether two activities at one place are one event of which several programs tell: the kernel kills a process, and its supervisor says so.
fn is_one_event(a: &Activity, b: &Activity) -> bool {
    let is_single = |a: &Activity| a.hits < FEW && a.note.is_none() && !a.shown && !a.place.starts_with("client:");
    is_single(a) && is_single(b) && a.place == b.place && (a.onset - b.onset).abs() <= AT_ONCE && (a.last - b.last).abs() <= AT_ONCE
}

/// Whether two activities are told by the same lines, whatever place they accuse: by as many, and by one that was kept of both. That lines
/// stand in the same second says nothing: programs write why something failed and that it failed at once.
pub(crate) fn same_lines(evidence: &Evidence, a: &Activity, b: &Activity) -> bool {
    if a.shown || b.shown {
        return a.shown && b.shown && a.cite == b.cite;
    }
    let lines = |activity: &Activity| -> BTreeSet<(usize, u32)> {
        let series = activity.series.iter().filter_map(|i| evidence.series.get(*i));
        series.flat_map(|series| series.samples.iter().map(|sample| (series.source, sample.line))).collect()
    };
    a.hits == b.hits && !lines(a).is_disjoint(&lines(b))
}

/// What a symptom counts that a fault brings only by way of one for which nothing speaks.
const BY_WAY: f64 = 0.25;

/// Whether the fault leads to the symptoms that were seen, weighed by the requests they concern. On the way there it may pass other faults that
/// something speaks for; by way of one that nothing speaks for it hardly does.
fn symptoms(pack: &Pack, incident: &Incident, fault: FaultId, there: &BTreeSet<FaultId>) -> Term {
    let straight = leads_to(pack, fault, |f| f == fault || there.contains(&f));
    let by_way = leads_to(pack, fault, |_| true);
    let among = |explained: &BTreeSet<&str>, id: &str| {
        explained.contains(id)
            || id.starts_with("http.5") && explained.contains("http.5xx")
            || id.starts_with("http.4") && explained.contains("http.4xx")
    };
    let explains = |id: &str| {
        if among(&straight, id) {
            1.0
        } else if among(&by_way, id) {
            BY_WAY
        } else {
            0.0
        }
    };
    let weight = |s: &crate::symptoms::Symptom| (s.affected.len() as f64).max(10.0) * if s.id == "http.slow" { 0.4 } else { 1.0 };
    let all: f64 = incident.symptoms.iter().map(weight).sum();
    let mine: f64 = incident.symptoms.iter().map(|s| explains(&s.id) * weight(s)).sum();
    if incident.symptoms.is_empty() {
        return Term { name: "symptoms".into(), value: 0.0, note: "no log here shows what users felt".into(), activity: None };
    }
    let share = if all > 0.0 { mine / all } else { 0.0 };
    let note = format!("leads to {:.0} % of what was felt", share * 100.0);
    Term { name: "symptoms".into(), value: (0.06 + 0.94 * share).ln(), note, activity: None }
}

/// The symptoms that a fault leads to, over faults that may be passed.
pub(crate) fn leads_to(pack: &Pack, fault: FaultId, passes: impl Fn(FaultId) -> bool) -> BTreeSet<&str> {
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    let mut seen = BTreeSet::new();
    // In the order of distance: who is met first by a long way could not be followed as far.
    let mut next = VecDeque::from([(fault, 0)]);
    while let Some((f, depth)) = next.pop_front() {
        if depth > 4 || !seen.insert(f) {
            continue;
        }
        if pack.faults[f].symptom {
            explained.insert(&pack.faults[f].id);
        } else if !passes(f) {
            continue;
        }
        next.extend(pack.faults[f].explains.iter().filter(|e| !e.is_better_name).map(|e| (e.fault, depth + 1)));
    }
    explained
}

/// Whether the traces last as long as the trouble.
fn coverage(pack: &Pack, rule: &crate::rules::Fault, incident: &Incident, activities: &[Activity], terms: &[Term]) -> Term {
    let length = (incident.end - incident.onset).max(1_000) as f64;
    let best = terms
        .iter()
        .filter(|t| t.value > 0.3)
        .filter_map(|t| t.activity)
        .map(|i| &activities[i])
        .filter(|a| {
            a.hits >= 4 && a.note.is_none() && !a.shown && rule.evidence.iter().any(|e| e.signal == a.signal && anchors_by(pack, e))
        })
        .map(|a| (a.last.min(incident.end) - a.onset.max(incident.onset)).max(0) as f64 / length)
        .chain(
            terms
                .iter()
                .filter(|t| t.value > 0.3)
                .filter_map(|t| t.activity)
                .filter(|i| !activities[*i].outlasts)
                .filter_map(|i| activities[i].covers),
        )
        .fold(None, |acc: Option<f64>, c| Some(acc.map_or(c, |b| b.max(c))));
    match best {
        Some(share) => Term {
            name: "coverage".into(),
            value: 0.9 * (share - 0.35),
            note: format!("its traces last for {:.0} % of the trouble", share * 100.0),
            activity: None,
        },
        None => Term { name: "coverage".into(), value: 0.0, note: "single events".into(), activity: None },
    }
}

/// Probabilities over the roots and the unknown. One fault at several places is one candidate: its best place stands for it.
fn confidence(list: &mut [Hypothesis]) {
    let mut best: BTreeMap<FaultId, f64> = BTreeMap::new();
    for h in list.iter().filter(|h| h.step_of.is_none()) {
        let score = best.entry(h.fault).or_insert(f64::MIN);
        *score = score.max(h.score);
    }
    let alone: f64 = list.iter().filter(|h| h.step_of.is_none()).map(|h| h.rest.exp()).sum();
    let total: f64 = UNKNOWN.exp() + best.values().map(|s| s.exp()).sum::<f64>() + alone;
    let mut named: BTreeSet<FaultId> = BTreeSet::new();
    for h in list.iter_mut() {
        let share = h.score.exp() / total;
        let first = h.step_of.is_none() && best.get(&h.fault) == Some(&h.score) && named.insert(h.fault);
        h.confidence = if first { share } else { (share * 0.05).min(0.05) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Explains, Fault, Through};

    fn pack(edges: &[(&str, &[usize])]) -> Pack {
        let explains = |faults: &[usize]| {
            faults.iter().map(|fault| Explains { fault: *fault, through: Through::Any, is_better_name: false }).collect::<Vec<_>>()
        };
        let fault = |(id, faults): &(&str, &[usize])| Fault {
            id: id.to_string(),
            symptom: id.starts_with("http."),
            explains: explains(faults),
            ..Fault::default()
        };
        let mut pack = Pack::default();
        pack.faults = edges.iter().map(fault).collect();
        pack
    }

    #[test]
    fn a_short_way_counts_whatever_long_one_there_is() {
        // 0 leads to 1 at once and by way of 4, 2, 3; from 1 it is three more steps to the symptom.
        for first in [&[1, 4][..], &[4, 1]] {
            let pack =
                pack(&[("a", first), ("b", &[5]), ("c", &[3]), ("d", &[1]), ("e", &[2]), ("f", &[6]), ("g", &[7]), ("http.500", &[])]);
            assert!(leads_to(&pack, 0, |_| true).contains("http.500"), "{first:?}");
        }
    }

    #[test]
    fn by_way_of_what_is_not_there_a_fault_hardly_leads_anywhere() {
        let pack = pack(&[("a", &[1]), ("b", &[2]), ("http.500", &[])]);
        let felt = crate::symptoms::Symptom {
            id: "http.500".into(),
            entity: String::new(),
            host: String::new(),
            onset: 0,
            end: 1,
            affected: Vec::new(),
            total: 1,
            usual: 0,
        };
        let incident = Incident { symptoms: vec![felt], onset: 0, end: 1, wait: 0 };
        let value = |there: &[FaultId]| symptoms(&pack, &incident, 0, &there.iter().copied().collect()).value;
        assert_eq!(value(&[0, 1]), 0.0);
        assert_eq!(value(&[0]), (0.06 + 0.94 * BY_WAY).ln());
    }
}
