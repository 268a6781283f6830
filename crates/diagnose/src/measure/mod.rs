//! Computed signals: what no single line shows, measured over the whole bundle for one incident.
//!
//! Each file measures one thing; `rules/README.md` says what each signal means.

mod addresses;
mod answers;
mod backend;
mod checks;
mod failures;
mod filters;
mod gauges;
mod levels;
mod network;
mod removed;
mod rerouted;
mod settings;
mod snapshot;
mod stale;
mod times;
mod traffic;
mod versions;
mod zones;

use crate::computed;
use crate::evidence::{Evidence, Request};
use crate::names::NameId;
use crate::requests::{Chosen, Kind};
use crate::rules::{Pack, SignalId};
use crate::symptoms::Incident;
use crate::topology::Topology;
use std::collections::BTreeSet;
pub(crate) use times::Times;

/// A computed signal that was found.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The signal.
    pub signal: SignalId,
    /// Whom it accuses.
    pub entity: String,
    /// Since when, in milliseconds.
    pub onset: i64,
    /// What was measured, in words with numbers.
    pub note: String,
    /// Lines that show it: source and line.
    pub cite: Vec<(u32, u32)>,
    /// For what a command showed without saying since when: when it was run, in milliseconds.
    pub collected: Option<i64>,
}

/// What the measures look at.
pub(crate) struct View<'a> {
    pub evidence: &'a Evidence,
    pub topology: &'a Topology,
    pub pack: &'a Pack,
    pub incident: &'a Incident,
    /// Numbers of the affected requests, in order.
    pub affected: Vec<u32>,
    /// The kinds of the requests that hosts with symptoms logged themselves (the edge).
    pub edge: Chosen,
    pub found: Vec<Measured>,
}

impl View<'_> {
    fn add(&mut self, id: &str, entity: String, onset: i64, note: String, cite: Vec<(u32, u32)>) {
        if let Some(signal) = self.pack.signal(id) {
            debug_assert!(computed::find(id).is_some());
            self.found.push(Measured { signal, entity, onset, note, cite, collected: None });
        }
    }

    fn request(&self, number: u32) -> Request {
        self.evidence.request(number)
    }

    /// Whether a request is one of those affected.
    fn is_affected(&self, number: u32) -> bool {
        self.affected.binary_search(&number).is_ok()
    }

    /// Those of the edge's kinds for which something holds.
    fn edge_kinds(&self, which: impl Fn(&Kind) -> bool) -> Chosen {
        let chosen = self.evidence.requests.choose(which);
        chosen.iter().zip(&self.edge).map(|(a, b)| *a && *b).collect()
    }

    /// Edge requests that ended within the incident, with their numbers.
    fn during(&self) -> impl Iterator<Item = (u32, Request)> + '_ {
        self.evidence.requests.ended(&self.edge, self.incident.onset, self.incident.end)
    }

    /// Edge requests of some kinds that ended before the incident.
    fn before<'v>(&'v self, kinds: &'v [bool]) -> impl Iterator<Item = Request> + 'v {
        self.evidence.requests.ended(kinds, i64::MIN, self.incident.onset.saturating_sub(1)).map(|(_, r)| r)
    }

    /// The edge as an entity.
    fn edge_entity(&self) -> String {
        self.incident.symptoms.first().map_or_else(|| "host:unknown".into(), |s| s.entity.clone())
    }

    /// The paths of the affected requests.
    fn failing_paths(&self) -> BTreeSet<NameId> {
        self.affected.iter().map(|i| self.request(*i).of.path).collect()
    }

    /// A few of the affected requests' lines.
    fn some_affected(&self) -> Vec<(u32, u32)> {
        self.affected.iter().take(3).map(|i| (self.request(*i).of.source, self.request(*i).of.line)).collect()
    }
}

/// Measures everything for one incident.
pub fn measure(evidence: &Evidence, topology: &Topology, pack: &Pack, incident: &Incident) -> Vec<Measured> {
    let affected = incident.affected();
    let logs: BTreeSet<u32> = affected.iter().map(|i| evidence.log_of(evidence.request(*i).of.source)).collect();
    let hosts = incident.hosts();
    // Rotated files of the same log belong to the edge as well: same host, also an access log.
    let edge = evidence
        .requests
        .choose(|kind| logs.contains(&evidence.log_of(kind.source)) || hosts.contains(evidence.text(kind.host)) && kind.access);
    let mut view = View { evidence, topology, pack, incident, affected, edge, found: Vec::new() };
    traffic::measure(&mut view);
    failures::measure(&mut view);
    backend::measure(&mut view);
    network::measure(&mut view);
    addresses::measure(&mut view);
    zones::measure(&mut view);
    removed::measure(&mut view);
    rerouted::measure(&mut view);
    stale::measure(&mut view);
    checks::measure(&mut view);
    filters::measure(&mut view);
    gauges::measure(&mut view);
    answers::measure(&mut view);
    levels::measure(&mut view);
    versions::measure(&mut view);
    settings::measure(&mut view);
    snapshot::measure(&mut view);
    view.found
}

/// The value at a share of a sorted list.
pub(crate) fn quantile(sorted: &[i64], share: f64) -> i64 {
    let i = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
    sorted.get(i).copied().unwrap_or(0)
}
