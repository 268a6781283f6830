//! Symptoms: what users felt, when, and how much. Incidents: stretches of time in which symptoms are active.

mod apart;
mod beats;
pub(crate) mod complaints;
mod decline;
mod edges;
mod excused;
mod failures;
mod handshakes;
mod scan;
mod silence;
mod slowness;
mod taken_out;
pub(crate) mod told;

use crate::evidence::{Evidence, Request};
use crate::names::{NONE, NameId};
use crate::rules::Pack;
pub(crate) use beats::is_steady;
use edges::{Edge, edges};
use std::collections::{BTreeMap, BTreeSet};

/// A symptom over a stretch of time.
#[derive(Clone, Debug)]
pub struct Symptom {
    /// Id (`http.502`).
    pub id: String,
    /// Where it was seen (`host:lb01`).
    pub entity: String,
    /// Host of the log that shows it; empty when unknown.
    pub host: String,
    /// When the first affected request began, in milliseconds.
    pub onset: i64,
    /// When the last affected request ended.
    pub end: i64,
    /// The affected requests (numbers in [`Evidence::requests`]), in order.
    pub affected: Vec<u32>,
    /// All requests in that stretch at that place.
    pub total: usize,
    /// For requests that did not arrive: how many usually come in such a stretch, where some did. 0 everywhere else.
    pub usual: usize,
}

/// Symptoms that belong together.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Its symptoms, the heaviest first.
    pub symptoms: Vec<Symptom>,
    /// First onset, ms.
    pub onset: i64,
    /// Last end, ms.
    pub end: i64,
    /// How long (ms) a quarter of its failing requests waited at most before they failed; 0 where that is short, or nobody knows.
    pub wait: i64,
}

impl Incident {
    /// Numbers of all affected requests, each once, in order.
    pub fn affected(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.symptoms.iter().flat_map(|s| s.affected.iter().copied()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Hosts whose logs show it.
    pub fn hosts(&self) -> BTreeSet<&str> {
        self.symptoms.iter().map(|s| s.host.as_str()).filter(|h| !h.is_empty()).collect()
    }
}

/// All incidents of a bundle, in order of onset. Symptoms that are no requests (failed logins) are handed in.
pub fn incidents(evidence: &Evidence, pack: &Pack, others: Vec<Symptom>) -> Vec<Incident> {
    let mut symptoms = others;
    let edges = edges(evidence);
    decline::find(evidence, pack, &edges, &mut symptoms);
    for edge in &edges {
        failures::find(evidence, edge, &mut symptoms);
        slowness::find(evidence, edge, &mut symptoms);
        silence::find(evidence, pack, &edges, edge, &mut symptoms);
    }
    together(evidence, pack, symptoms)
}

/// A symptom that some requests show. `total` counts all requests there.
fn symptom(evidence: &Evidence, id: String, edge: &Edge, affected: Vec<u32>, total: usize) -> Symptom {
    let (onset, end) = reach(evidence, &affected).unwrap_or((0, 0));
    Symptom { affected, total, ..without_requests(&id, evidence.text(edge.host), (onset, end)) }
}

/// A symptom at a host from one time (ms) to another, which no request shows.
fn without_requests(id: &str, host: &str, (onset, end): (i64, i64)) -> Symptom {
    let entity = if host.is_empty() { "host:unknown".to_string() } else { format!("host:{host}") };
    Symptom { id: id.into(), entity, host: host.into(), onset, end, affected: Vec::new(), total: 0, usual: 0 }
}

/// When the first of some requests began and the last ended.
fn reach(evidence: &Evidence, requests: &[u32]) -> Option<(i64, i64)> {
    let each = requests.iter().map(|i| evidence.request(*i)).map(|r| (r.start, r.end));
    each.reduce(|(start, end), (a, b)| (start.min(a), end.max(b)))
}

/// Puts symptoms that belong together into incidents: they begin together, or they overlap and concern the same targets.
fn together(evidence: &Evidence, pack: &Pack, mut symptoms: Vec<Symptom>) -> Vec<Incident> {
    symptoms.sort_by(|a, b| (a.onset, &a.id, &a.entity).cmp(&(b.onset, &b.id, &b.entity)));
    let mut incidents: Vec<Incident> = Vec::new();
    for symptom in symptoms {
        let fits = incidents.iter_mut().find(|i| {
            let shared = symptom.end.min(i.end) - symptom.onset.max(i.onset);
            let lengths = (symptom.end - symptom.onset, i.end - i.onset);
            // Somebody guesses passwords at any time: failed log-ins belong to other trouble where they last about as long, not where they
            // merely surround it.
            let is_guessing = (symptom.id == "login.failed") != i.symptoms.iter().all(|s| s.id == "login.failed");
            if is_guessing && shared * 10 < lengths.0.max(lengths.1) * 5 {
                return false;
            }
            let shorter = lengths.0.min(lengths.1).max(1);
            if is_apart(evidence, i, &symptom) {
                return false;
            }
            let at_once = (symptom.onset - i.onset).abs() <= 15_000 && shared > -15_000;
            at_once
                || (shared * 10 >= shorter * 5 || shared > -30_000)
                    && i.symptoms
                        .iter()
                        .any(|s| same_targets(evidence, s, &symptom) || taken_out::is_taken_out(evidence, pack, s, &symptom))
        });
        match fits {
            Some(incident) => {
                incident.onset = incident.onset.min(symptom.onset);
                incident.end = incident.end.max(symptom.end);
                incident.symptoms.push(symptom);
            }
            None => incidents.push(Incident { onset: symptom.onset, end: symptom.end, wait: 0, symptoms: vec![symptom] }),
        }
    }
    for incident in &mut incidents {
        incident.symptoms.sort_by(|a, b| b.affected.len().cmp(&a.affected.len()).then_with(|| a.id.cmp(&b.id)));
        // A light symptom beside a heavy one does not say when it began.
        let heaviest = incident.symptoms.first().map_or(0, |s| s.affected.len());
        let weighty = incident.symptoms.iter().filter(|s| s.affected.is_empty() || s.affected.len() * 20 >= heaviest);
        incident.onset = weighty.map(|s| s.onset).min().unwrap_or(incident.onset);
        incident.wait = wait(evidence, incident);
    }
    incidents.sort_by_key(|i| i.onset);
    incidents
}

/// How long a quarter of the failing requests took at most, where that is long (ms).
fn wait(evidence: &Evidence, incident: &Incident) -> i64 {
    const LONG: std::ops::RangeInclusive<i64> = 10_000..=300_000;
    let failing = incident.affected().into_iter().map(|i| evidence.request(i)).filter(Request::failed);
    let mut took: Vec<i64> = failing.filter_map(|r| r.took()).collect();
    took.sort_unstable();
    took.get(took.len() / 4).copied().filter(|wait| LONG.contains(wait)).unwrap_or(0)
}

/// Whether a symptom follows an incident after a pause, and other requests fail.
fn is_apart(evidence: &Evidence, incident: &Incident, symptom: &Symptom) -> bool {
    let (before, now) = (incident.affected(), &symptom.affected);
    symptom.onset > incident.end && apart::are_strangers(evidence, &before, now)
}

/// Whether two symptoms concern the same upstreams, or, where none is named, the same paths.
fn same_targets(evidence: &Evidence, a: &Symptom, b: &Symptom) -> bool {
    if a.affected.is_empty() || b.affected.is_empty() {
        return a.host == b.host;
    }
    let shares = |of: &dyn Fn(&Request) -> NameId| -> Option<f64> {
        let count = |s: &Symptom| -> Option<BTreeMap<NameId, f64>> {
            let mut counts = BTreeMap::new();
            for i in &s.affected {
                let target = Some(of(&evidence.request(*i))).filter(|target| *target != NONE)?;
                *counts.entry(target).or_insert(0.0) += 1.0 / s.affected.len() as f64;
            }
            Some(counts)
        };
        let (x, y) = (count(a)?, count(b)?);
        Some(x.iter().map(|(k, v)| v.min(*y.get(k).unwrap_or(&0.0))).sum())
    };
    let by_target = shares(&|r| if r.of.server != NONE { r.of.server } else { r.of.upstream });
    by_target.or_else(|| shares(&|r| r.of.path)).is_none_or(|share| share >= 0.3)
}
