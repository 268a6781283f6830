//! Belief: which faults could be behind an incident, and how much speaks for each.
//!
//! A hypothesis is a fault at a place. Its score is a sum of named terms, each a clipped log-likelihood ratio, so that no single
//! noisy line decides and every point can be shown.

use crate::accused;
use crate::activity::Activity;
use crate::entity::parts;
use crate::evidence::Evidence;
use crate::names::{NONE, NameId};
use crate::near::Near;
use crate::rules::{FaultId, Pack};
use crate::symptoms::Incident;
use crate::topology::{STORES, Topology};
use crate::untold;
use std::collections::{BTreeMap, BTreeSet};

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

    /// Kind and name of what is accused first; of the place where nothing else is.
    fn accused(&self) -> (&str, &str) {
        let (kind, name, _) = parts(self.entities.first().map_or(self.place.as_str(), String::as_str));
        (kind, name)
    }

    /// The host of the place; where that is none, the name of what is accused.
    pub(crate) fn host(&self) -> &str {
        self.place.strip_prefix("host:").unwrap_or(self.accused().1)
    }

    /// A text of a rule with the names of this hypothesis for `{entity}` and `{host}`, and for `SERVICE` where a service is accused.
    pub(crate) fn fill(&self, text: &str) -> String {
        let (kind, name) = self.accused();
        let text = text.replace("{entity}", name).replace("{host}", self.host());
        if matches!(kind, "service" | "unit") { text.replace("SERVICE", name) } else { text }
    }
}

/// Log odds of any one fault before looking.
const PRIOR: f64 = -2.0;
/// Log weight of "something that no rule knows".
const UNKNOWN: f64 = 0.9;
/// The smallest weight of evidence that makes a fault worth considering (the logarithm of `supporting`).
const ANCHOR: f64 = 1.38;

/// The hypotheses about an incident, the best first.
pub fn hypotheses(evidence: &Evidence, topology: &Topology, pack: &Pack, incident: &Incident, activities: &[Activity]) -> Vec<Hypothesis> {
    let reach = Reach::new(evidence, topology, incident);
    let near = Near::new(activities, topology);
    let mut anchors: BTreeSet<(FaultId, &str)> = BTreeSet::new();
    for (id, fault) in pack.faults.iter().enumerate().filter(|(_, f)| !f.symptom) {
        for item in fault.evidence.iter().filter(|e| anchors_by(pack, e)) {
            for activity in near.of(item.signal).filter(|a| a.gain >= 0.25) {
                anchors.insert((id, &activity.place));
            }
        }
    }
    let mut list: Vec<Hypothesis> =
        anchors.into_iter().filter_map(|(fault, place)| judge(evidence, pack, incident, activities, &near, &reach, fault, place)).collect();
    list.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| (a.fault, &a.place).cmp(&(b.fault, &b.place))));
    for h in &mut list {
        h.entities = accused::entities(evidence, pack, activities, h);
    }
    let known = Known { evidence, topology, pack, activities };
    steps(&known, &reach, told_within(evidence, incident), &mut list);
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
    untold::hold_back(evidence, topology, pack, activities, &mut list);
    list
}

/// Whether evidence can make a hypothesis, rather than only shift the balance between some.
fn anchors_by(pack: &Pack, evidence: &crate::rules::Evidence) -> bool {
    let id = &pack.signals[evidence.signal as usize].id;
    evidence.weight >= ANCHOR && !crate::computed::find(id).is_some_and(|c| c.context)
}

/// Which places the failing requests pass.
struct Reach {
    /// Places on the way of failing requests, with their distance.
    on_the_way: BTreeMap<String, usize>,
    /// Places that other requests of the same edge pass.
    beside: BTreeSet<String>,
    /// Places that run a store of some kind.
    stores: BTreeSet<String>,
    /// Places of name servers.
    name_servers: Vec<String>,
    /// Places of which only logs of the system were given and to which nobody is known to connect: hypervisors, nodes, gateways.
    carriers: BTreeSet<String>,
    /// Whether anything is known about ways at all.
    known: bool,
}

impl Reach {
    fn new(evidence: &Evidence, topology: &Topology, incident: &Incident) -> Reach {
        let mut on_the_way: BTreeMap<String, usize> = BTreeMap::new();
        let mut add = |place: String, distance: usize| {
            let d = on_the_way.entry(place).or_insert(distance);
            *d = (*d).min(distance);
        };
        let affected = incident.affected();
        let mut endpoints: BTreeMap<NameId, usize> = BTreeMap::new();
        for of in affected.iter().map(|i| evidence.request(*i).of) {
            for endpoint in [of.upstream, of.server].into_iter().filter(|endpoint| *endpoint != NONE) {
                *endpoints.entry(endpoint).or_default() += 1;
            }
        }
        let targets: BTreeMap<&str, usize> = endpoints.into_iter().map(|(endpoint, n)| (evidence.text(endpoint), n)).collect();
        let mut beside = BTreeSet::new();
        // A name server serves all; who asked it stands in no log of the way.
        let name_servers: Vec<String> = evidence
            .programs
            .iter()
            .filter(|((_, p), _)| evidence.text(*p) == "dns")
            .map(|((h, _), _)| format!("host:{}", evidence.text(*h)))
            .collect();
        for host in incident.hosts() {
            add(format!("host:{host}"), 0);
            for (below, _) in topology.below(host) {
                beside.insert(format!("host:{below}"));
            }
        }
        let mut first_hops: BTreeSet<String> = BTreeSet::new();
        for (target, n) in &targets {
            if n * 20 < affected.len() {
                continue;
            }
            match topology.behind(target) {
                Some(host) => {
                    first_hops.insert(host);
                }
                None => {
                    add(format!("addr:{}", whyline_event::address::split_port(target).0), 1);
                    add(format!("name:{target}"), 1);
                }
            }
        }
        // Where the failing requests name no target, everything that the edge calls may be on the way.
        if first_hops.is_empty() {
            for host in incident.hosts() {
                for (below, steps) in topology.below(host) {
                    add(format!("host:{below}"), steps);
                    if let Some(peers) = topology.unlogged.get(&below) {
                        peers.iter().for_each(|p| add(peer_place(p), steps + 1));
                    }
                }
            }
        }
        for hop in &first_hops {
            for (below, steps) in topology.below(hop) {
                add(format!("host:{below}"), steps + 1);
                if let Some(peers) = topology.unlogged.get(&below) {
                    peers.iter().for_each(|p| add(peer_place(p), steps + 2));
                }
            }
        }
        for host in incident.hosts() {
            if let Some(peers) = topology.unlogged.get(host) {
                peers.iter().for_each(|p| add(peer_place(p), 1));
            }
        }
        let stores = evidence
            .programs
            .iter()
            .filter(|((_, p), _)| STORES.contains(&evidence.text(*p)))
            .map(|((h, _), _)| format!("host:{}", evidence.text(*h)))
            .collect();
        let carriers = carriers(evidence, topology);
        Reach { on_the_way, beside, stores, name_servers, carriers, known: !topology.calls.is_empty() }
    }

    /// Whether a place is what a service on the way needs without naming it.
    fn is_asked_on_the_way(&self, place: &str) -> bool {
        let asking = place.strip_prefix("dependency:").and_then(|unnamed| unnamed.rsplit_once('@'));
        asking.is_some_and(|(_, host)| self.on_the_way.contains_key(&format!("host:{host}")))
    }

    /// Whether a fault of the network may be that of a machine that carries others.
    fn carries(&self, place: &str, fault: &str) -> bool {
        (fault.starts_with("net.") || fault.starts_with("firewall.")) && self.carriers.contains(place)
    }

    /// The worth of a place: on the way, beside it, or nowhere near.
    fn worth(&self, place: &str, fault: &str) -> (f64, &'static str) {
        if place.starts_with("client:") {
            return (0.0, "a client");
        }
        if self.on_the_way.contains_key(place) {
            return (0.6, "the failing requests pass there");
        }
        if self.is_asked_on_the_way(place) {
            return (0.6, "those on the way ask it");
        }
        if self.name_servers.iter().any(|n| n == place) {
            return (0.2, "a name server");
        }
        if self.beside.contains(place) {
            return (-1.0, "requests pass there, but not the failing ones");
        }
        // Services seldom name their stores while all is well, so that nothing ties a store to its callers.
        if self.known && place.starts_with("host:") && (of_store(fault) || self.stores.contains(place)) {
            return (-0.5, "nobody names it, but it may serve those on the way");
        }
        if self.carries(place, fault) {
            return (-0.5, "nobody names it, but what passes may go through it");
        }
        if self.known && place.starts_with("host:") && place != "host:unknown" {
            return (-3.0, "no request passes there");
        }
        (0.0, "its part in the requests is unknown")
    }
}

fn carriers(evidence: &Evidence, topology: &Topology) -> BTreeSet<String> {
    let mut only_system: BTreeMap<&str, bool> = BTreeMap::new();
    for source in evidence.sources.iter().filter(|source| !source.host.is_empty()) {
        *only_system.entry(&source.host).or_insert(true) &= source.is_of_system();
    }
    let named = |host: &str| topology.calls.iter().any(|(caller, callee)| caller == host || callee == host);
    only_system.into_iter().filter(|(host, only)| *only && !named(host)).map(|(host, _)| format!("host:{host}")).collect()
}

/// Whether a fault is one of a store or another server that many use without naming it.
fn of_store(fault: &str) -> bool {
    ["db.", "cache.", "queue.", "dns.", "time.", "auth.", "discovery."].iter().any(|d| fault.starts_with(d))
}

/// Whether a place is an address or a name that no host here is known to have.
fn is_endpoint(place: &str) -> bool {
    place.starts_with("addr:") || place.starts_with("name:")
}

fn peer_place(peer: &str) -> String {
    let entity = crate::entity::endpoint(peer);
    match entity.strip_prefix("addr:") {
        Some(address) => format!("addr:{}", whyline_event::address::split_port(address).0),
        None => entity,
    }
}

#[expect(clippy::too_many_arguments, reason = "what is known, and the question")]
fn judge(
    evidence: &Evidence,
    pack: &Pack,
    incident: &Incident,
    activities: &[Activity],
    near: &Near<'_>,
    reach: &Reach,
    fault: FaultId,
    place: &str,
) -> Option<Hypothesis> {
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
        let same = seen.iter().any(|(j, against)| *against == (*worth < 0.0) && echo(evidence, &activities[*j], a));
        let value = if same {
            worth * 0.25
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
    terms.push(symptoms(pack, incident, fault));
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

/// Whether two activities are told by the same lines, whatever place they accuse: by as many, and by one that was kept of both. That lines
/// stand in the same second says nothing: programs write why something failed and that it failed at once.
fn same_lines(evidence: &Evidence, a: &Activity, b: &Activity) -> bool {
    if a.shown || b.shown {
        return a.shown && b.shown && a.cite == b.cite;
    }
    let lines = |activity: &Activity| -> BTreeSet<(usize, u32)> {
        let series = activity.series.iter().filter_map(|i| evidence.series.get(*i));
        series.flat_map(|series| series.samples.iter().map(|sample| (series.source, sample.line))).collect()
    };
    a.hits == b.hits && !lines(a).is_disjoint(&lines(b))
}

/// Whether the fault leads to the symptoms that were seen, weighed by the requests they concern.
fn symptoms(pack: &Pack, incident: &Incident, fault: FaultId) -> Term {
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut next = vec![(fault, 0)];
    while let Some((f, depth)) = next.pop() {
        if !seen.insert(f) || depth > 4 {
            continue;
        }
        if pack.faults[f].symptom {
            explained.insert(&pack.faults[f].id);
        }
        next.extend(pack.faults[f].explains.iter().filter(|e| !e.is_better_name).map(|e| (e.fault, depth + 1)));
    }
    let explains = |id: &str| {
        explained.contains(id)
            || id.starts_with("http.5") && explained.contains("http.5xx")
            || id.starts_with("http.4") && explained.contains("http.4xx")
    };
    let weight = |s: &crate::symptoms::Symptom| (s.affected.len() as f64).max(10.0) * if s.id == "http.slow" { 0.4 } else { 1.0 };
    let all: f64 = incident.symptoms.iter().map(weight).sum();
    let mine: f64 = incident.symptoms.iter().filter(|s| explains(&s.id)).map(weight).sum();
    let share = if all > 0.0 { mine / all } else { 0.0 };
    let note = format!("leads to {:.0} % of what was felt", share * 100.0);
    Term { name: "symptoms".into(), value: (0.06 + 0.94 * share).ln(), note, activity: None }
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
        .chain(terms.iter().filter(|t| t.value > 0.3).filter_map(|t| t.activity).filter_map(|i| activities[i].covers))
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

/// What is known of an incident.
struct Known<'k> {
    evidence: &'k Evidence,
    topology: &'k Topology,
    pack: &'k Pack,
    activities: &'k [Activity],
}

/// So long after a request began (ms) a line about it may be written: when it ends. Nine of ten of the failing requests took no longer.
fn told_within(evidence: &Evidence, incident: &Incident) -> i64 {
    const MOST: i64 = 120_000;
    let mut took: Vec<i64> = incident.affected().iter().filter_map(|i| evidence.request(*i).took()).collect();
    let at = took.len() * 9 / 10;
    let long = if took.is_empty() { 0 } else { *took.select_nth_unstable(at).1 };
    12_000 + long.clamp(0, MOST)
}

/// Marks hypotheses that a deeper active fault explains as steps; `within` is how much later (ms) a deeper one may be told.
fn steps(known: &Known<'_>, reach: &Reach, within: i64, list: &mut [Hypothesis]) {
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
    let linked = |a: &str, b: &str, deep: FaultId| -> bool {
        if a == b {
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
                let store = reach.stores.contains(a) || of_store(&pack.faults[deep].id);
                let carrier = reach.carries(a, &pack.faults[deep].id);
                carrier
                    || topology.below(up).contains_key(low)
                    || topology.calls.contains(&(low.to_string(), up.to_string()))
                    || store && !called
            }
            // Of two ends of connections neither is behind the other.
            _ if is_endpoint(a) && is_endpoint(b) => false,
            // What has no host here is linked when the failing requests reach it.
            _ => reach.on_the_way.contains_key(a) || reach.is_asked_on_the_way(a) || a.starts_with("client:"),
        }
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
                    && (deep.onset <= list[i].onset + within || !deep.dated || !list[i].dated)
                    && linked(&deep.place, &list[i].place, deep.fault)
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
        let gain = (list[i].score + share.ln() - list[root].score).min(2.5);
        list[root].rest = list[root].rest.max(list[i].score + (1.0 - share).ln());
        if gain > 0.0 {
            let note = format!("explains {} as well", pack.faults[list[i].fault].id);
            list[root].score += gain;
            list[root].terms.push(Term { name: "steps".into(), value: gain, note, activity: None });
        }
    }
}

/// Odds that what has a deeper reason in the rules came about without one that is active as well.
const ALONE: f64 = 4.0;

/// What speaks for a deeper fault and is not merely what shows the step as well, told under another name.
fn own_evidence(known: &Known<'_>, deep: &Hypothesis, step: &Hypothesis) -> f64 {
    let Known { evidence, pack, activities, .. } = *known;
    let shown: Vec<&Activity> = step.terms.iter().filter_map(|t| t.activity).map(|i| &activities[i]).collect();
    let rule = &pack.faults[deep.fault];
    let weight = |rule: &crate::rules::Fault, signal| rule.evidence.iter().find(|e| e.signal == signal).map_or(0.0, |e| e.weight);
    deep.terms
        .iter()
        .filter_map(|t| t.activity.map(|i| (t.value, &activities[i])))
        .filter(|(_, a)| rule.evidence.iter().any(|e| e.signal == a.signal && anchors_by(pack, e)))
        // The same lines may speak for both; they speak for the deeper one where they are more specific about it.
        .filter(|(_, a)| {
            let mine = weight(rule, a.signal);
            !shown.iter().any(|s| {
                let its = weight(&pack.faults[step.fault], s.signal);
                s.signal == a.signal && its >= mine || its > mine && same_lines(evidence, s, a)
            })
        })
        .map(|(value, _)| value)
        .sum()
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
