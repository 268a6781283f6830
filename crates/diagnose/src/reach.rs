//! Reach: which places the failing requests pass, and what a place is worth for a fault.

use crate::evidence::Evidence;
use crate::names::{NONE, NameId};
use crate::symptoms::Incident;
use crate::topology::{STORES, Topology};
use std::collections::{BTreeMap, BTreeSet};

/// Which places the failing requests pass.
pub(crate) struct Reach {
    /// Places on the way of failing requests, with their distance.
    pub on_the_way: BTreeMap<String, usize>,
    /// Places that other requests of the same edge pass.
    beside: BTreeSet<String>,
    /// Places that run a store of some kind.
    pub stores: BTreeSet<String>,
    /// Places of name servers.
    name_servers: Vec<String>,
    /// Places of which only logs of the system were given and to which nobody is known to connect: hypervisors, nodes, gateways.
    carriers: BTreeSet<String>,
    /// Whether anything is known about ways at all.
    known: bool,
}

impl Reach {
    pub(crate) fn new(evidence: &Evidence, topology: &Topology, incident: &Incident) -> Reach {
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
    pub(crate) fn is_asked_on_the_way(&self, place: &str) -> bool {
        let asking = place.strip_prefix("dependency:").and_then(|unnamed| unnamed.rsplit_once('@'));
        asking.is_some_and(|(_, host)| self.on_the_way.contains_key(&format!("host:{host}")))
    }

    /// Whether a fault of the network may be that of a machine that carries others.
    pub(crate) fn carries(&self, place: &str, fault: &str) -> bool {
        (fault.starts_with("net.") || fault.starts_with("firewall.")) && self.carriers.contains(place)
    }

    /// The worth of a place: on the way, beside it, or nowhere near.
    pub(crate) fn worth(&self, place: &str, fault: &str) -> (f64, &'static str) {
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

/// Machines of which only logs of the system are there and that nobody is known to call.
fn carriers(evidence: &Evidence, topology: &Topology) -> BTreeSet<String> {
    let mut only_system: BTreeMap<&str, bool> = BTreeMap::new();
    for source in evidence.sources.iter().filter(|source| !source.host.is_empty()) {
        *only_system.entry(&source.host).or_insert(true) &= source.is_of_system();
    }
    let named = |host: &str| topology.calls.iter().any(|(caller, callee)| caller == host || callee == host);
    only_system.into_iter().filter(|(host, only)| *only && !named(host)).map(|(host, _)| format!("host:{host}")).collect()
}

/// Whether a fault is one of a store or another server that many use without naming it.
pub(crate) fn of_store(fault: &str) -> bool {
    ["db.", "cache.", "queue.", "dns.", "time.", "auth.", "discovery."].iter().any(|d| fault.starts_with(d))
}

/// Whether a place is an address or a name that no host here is known to have.
pub(crate) fn is_endpoint(place: &str) -> bool {
    place.starts_with("addr:") || place.starts_with("name:")
}

fn peer_place(peer: &str) -> String {
    let entity = crate::entity::endpoint(peer);
    match entity.strip_prefix("addr:") {
        Some(address) => format!("addr:{}", whyline_event::address::split_port(address).0),
        None => entity,
    }
}
