//! Computed signals: what no single line shows, measured over the whole bundle for one incident.
//!
//! Each file measures one thing; `rules/README.md` says what each signal means.

mod backend;
mod failures;
mod gauges;
mod network;
mod snapshot;
mod traffic;

use crate::computed;
use crate::evidence::{Evidence, Request};
use crate::rules::{Pack, SignalId};
use crate::symptoms::Incident;
use crate::topology::Topology;
use std::collections::BTreeSet;

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
    pub affected: BTreeSet<usize>,
    /// Numbers of the requests that hosts with symptoms logged themselves (the edge), over the whole time.
    pub edge: Vec<usize>,
    pub found: Vec<Measured>,
}

impl View<'_> {
    fn add(&mut self, id: &str, entity: String, onset: i64, note: String, cite: Vec<(u32, u32)>) {
        if let Some(signal) = self.pack.signal(id) {
            debug_assert!(computed::find(id).is_some());
            self.found.push(Measured { signal, entity, onset, note, cite, collected: None });
        }
    }

    fn request(&self, i: usize) -> &Request {
        &self.evidence.requests[i]
    }

    /// Edge requests that ended within the incident.
    fn during(&self) -> impl Iterator<Item = usize> + '_ {
        let (from, to) = (self.incident.onset, self.incident.end);
        self.edge.iter().copied().filter(move |i| (from..=to).contains(&self.evidence.requests[*i].end))
    }

    /// Edge requests that ended before the incident.
    fn before(&self) -> impl Iterator<Item = usize> + '_ {
        let from = self.incident.onset;
        self.edge.iter().copied().filter(move |i| self.evidence.requests[*i].end < from)
    }

    /// The edge as an entity.
    fn edge_entity(&self) -> String {
        self.incident.symptoms.first().map_or_else(|| "host:unknown".into(), |s| s.entity.clone())
    }

    /// A few of the affected requests' lines.
    fn some_affected(&self) -> Vec<(u32, u32)> {
        self.affected.iter().take(3).map(|i| (self.request(*i).of.source, self.request(*i).of.line)).collect()
    }
}

/// Measures everything for one incident.
pub fn measure(evidence: &Evidence, topology: &Topology, pack: &Pack, incident: &Incident) -> Vec<Measured> {
    let affected = incident.affected();
    let logs: BTreeSet<u32> = affected.iter().map(|i| evidence.log_of(evidence.requests[*i].of.source)).collect();
    let hosts = incident.hosts();
    let edge = (0..evidence.requests.len())
        .filter(|i| {
            let of = &evidence.requests[*i].of;
            // Rotated files of the same log belong to the edge as well: same host, also an access log.
            logs.contains(&evidence.log_of(of.source)) || hosts.contains(evidence.text(of.host)) && of.access
        })
        .collect();
    let mut view = View { evidence, topology, pack, incident, affected, edge, found: Vec::new() };
    traffic::measure(&mut view);
    failures::measure(&mut view);
    backend::measure(&mut view);
    network::measure(&mut view);
    gauges::measure(&mut view);
    snapshot::measure(&mut view);
    view.found
}

/// The value at a share of a sorted list.
pub(crate) fn quantile(sorted: &[i64], share: f64) -> i64 {
    let i = ((sorted.len().saturating_sub(1)) as f64 * share).round() as usize;
    sorted.get(i).copied().unwrap_or(0)
}
