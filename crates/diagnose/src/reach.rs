//! Reach: which places the failing requests pass, and what a place is worth for a fault.

use crate::activity::Activity;
use crate::coincide;
use crate::evidence::Evidence;
use crate::names::{NONE, NameId};
use crate::senders::Senders;
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
    /// Places accused by lines that come with the failing requests.
    coincident: BTreeSet<String>,
    /// Stores that were in some state whenever requests failed, and only then.
    in_state: BTreeSet<String>,
    /// What proxies call the services that the failing requests went to.
    called: Vec<String>,
    senders: Senders,
    /// Whether anything is known about ways at all.
    known: bool,
}

impl Reach {
    pub(crate) fn new(evidence: &Evidence, topology: &Topology, incident: &Incident, activities: &[Activity]) -> Reach {
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
        let name_servers = machines(evidence, |program| program == "dns").collect();
        // What is measured at an edge whose machine nobody names is said of this place.
        for edge in incident.symptoms.iter().map(|symptom| &symptom.entity).filter(|entity| *entity == "host:unknown") {
            add(edge.clone(), 0);
        }
        for host in incident.hosts() {
            add(format!("host:{host}"), 0);
            for (below, _) in topology.below(host) {
                beside.insert(format!("host:{below}"));
            }
        }
        let mut first_hops: BTreeSet<String> = BTreeSet::new();
        let mut called = Vec::new();
        for (target, n) in &targets {
            if n * 20 < affected.len() {
                continue;
            }
            called.push(target.to_ascii_lowercase());
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
        let mut stores: BTreeSet<String> = machines(evidence, |program| STORES.contains(&program)).collect();
        // A machine, mostly a pod, that is called like a store may write nothing.
        let is_called_so = |host: &&String| host.split('-').any(|part| STORES.contains(&part));
        stores.extend(topology.hosts.iter().filter(is_called_so).map(|host| format!("host:{host}")));
        let carriers = carriers(evidence, topology);
        let coincident = coincide::places(evidence, incident, activities);
        let in_state = coincide::in_state(evidence, incident, activities, &stores);
        let senders = Senders::of(evidence, &affected);
        Reach {
            senders,
            on_the_way,
            beside,
            stores,
            name_servers,
            carriers,
            coincident,
            in_state,
            called,
            known: !topology.calls.is_empty(),
        }
    }

    /// Whether the failing requests pass a place, by what is known of ways, or by its lines or its name.
    pub(crate) fn passes(&self, place: &str) -> bool {
        self.on_the_way.contains_key(place) || self.comes_with_them(place)
    }

    /// Whether nothing is known of the way to a place, but its lines or its name say that the failing requests pass it.
    pub(crate) fn comes_with_them(&self, place: &str) -> bool {
        !self.on_the_way.contains_key(place) && (self.coincident.contains(place) || self.in_state.contains(place) || self.is_called(place))
    }

    /// Whether a place is a part of a service that the failing requests went to, by what proxies call that service.
    fn is_called(&self, place: &str) -> bool {
        self.called.iter().any(|text| stands_for(place, text))
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
            return self.senders.worth(place, fault);
        }
        if self.on_the_way.contains_key(place) {
            return (0.6, "the failing requests pass there");
        }
        if self.is_asked_on_the_way(place) {
            return (0.6, "those on the way ask it");
        }
        if self.coincident.contains(place) {
            return (0.6, "what accuses it comes with the failing requests, second by second");
        }
        if self.in_state.contains(place) {
            return (0.6, "its state lasts whenever requests fail, and only then");
        }
        if self.is_called(place) {
            return (0.6, "the failing requests went to a service of that name");
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

/// The places of machines that run some program.
fn machines<'e>(evidence: &'e Evidence, is_it: impl Fn(&str) -> bool + 'e) -> impl Iterator<Item = String> + 'e {
    let all = evidence.programs.iter().map(|(of, _)| of).chain(&evidence.units);
    let running = all.filter(move |(_, program)| is_it(evidence.text(*program)));
    running.map(|(host, _)| format!("host:{}", evidence.text(*host)))
}

/// Whether a place is a pod, or another part, of a service that is called so: the place's name without what Kubernetes adds stands whole in it
/// (`outbound|8080||cart.shop.svc.cluster.local`, `shop-cart-8080`).
pub(crate) fn stands_for(place: &str, called: &str) -> bool {
    let (_, name, _) = crate::entity::parts(place);
    let workload = workload(name.rsplit(['/', '_']).next().unwrap_or(name)).to_ascii_lowercase();
    // Behind the first label stand the namespace and the domain, behind an at sign who provides the name.
    let called = called.to_ascii_lowercase();
    let called = called.split('@').next().unwrap_or("");
    let called = called.split_once('.').map_or(called, |(first, _)| first);
    let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let whole = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| called.as_bytes().get(before));
        !joins(before) && !joins(called.as_bytes().get(at + workload.len()))
    };
    let is_name = workload.len() >= 3 && workload.bytes().any(|b| b.is_ascii_alphabetic());
    is_name && called.match_indices(&workload).any(|(at, _)| whole(at))
}

/// Whether a place is a pod or another part of a service, or of the one behind an endpoint, which is no pod itself.
pub(crate) fn is_part(place: &str, of: &str) -> bool {
    let called = crate::entity::parts(of).1;
    (is_endpoint(of) || of.starts_with("service:"))
        && !place.starts_with("dependency:")
        && workload(called) == called
        && stands_for(place, called)
}

/// Whether two places are pods of one workload: where one ends, another takes its place.
pub(crate) fn are_siblings(a: &str, b: &str) -> bool {
    let name = |place| crate::entity::parts(place).1.rsplit('/').next().unwrap_or("");
    let (x, y) = (name(a), name(b));
    // A replica set is one of what it makes.
    let is_of_workload = |place: &str, name: &str| is_of_replica_set(name) || place.contains("replicaset/");
    x != y && workload(x) == workload(y) && is_of_workload(a, x) && is_of_workload(b, y)
}

/// Whether a name has the two hashes of a pod of a deployment at its end, not merely a number.
pub(crate) fn is_of_replica_set(name: &str) -> bool {
    name.strip_prefix(workload(name)).is_some_and(|rest| rest.matches('-').count() == 2)
}

/// The name of a workload: that of one of its pods without the two hashes, or the number, at its end, or that of a replica set without the one.
fn workload(name: &str) -> &str {
    let is_hash = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && part.bytes().any(|b| b.is_ascii_digit())
    };
    let Some((rest, last)) = name.rsplit_once('-') else { return name };
    if let Some((workload, set)) = rest.rsplit_once('-')
        && last.len() == 5
        && last.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && is_hash(set, 6..=10)
    {
        return workload;
    }
    let number = !last.is_empty() && last.len() <= 2 && last.bytes().all(|b| b.is_ascii_digit());
    if number || is_hash(last, 8..=10) { rest } else { name }
}

/// Programs that write on any machine, whatever it is for.
const OF_A_SYSTEM: [&str; 16] = [
    "kernel",
    "systemd",
    "systemd-logind",
    "systemd-networkd",
    "systemd-resolved",
    "NetworkManager",
    "sshd",
    "sudo",
    "cron",
    "CRON",
    "crond",
    "chronyd",
    "ntpd",
    "rsyslogd",
    "dhclient",
    "auditd",
];

/// Machines of which only logs of the system are there and that nobody is known to call.
fn carriers(evidence: &Evidence, topology: &Topology) -> BTreeSet<String> {
    let mut only_system: BTreeMap<&str, bool> = BTreeMap::new();
    for source in evidence.sources.iter().filter(|source| !source.host.is_empty()) {
        *only_system.entry(&source.host).or_insert(true) &= source.is_of_system() || source.tells_of_system();
    }
    // In the file of a log host many machines write, each of which may have no file of its own.
    let own: BTreeSet<&str> = only_system.keys().copied().collect();
    for series in evidence.series.iter().filter(|series| !own.contains(evidence.text(series.host))) {
        let host = evidence.text(series.host);
        if !host.is_empty() {
            *only_system.entry(host).or_insert(true) &= OF_A_SYSTEM.contains(&evidence.text(series.service));
        }
    }
    let serving = evidence.requests.all_kinds().map(|(kind, _)| kind.host).chain(evidence.programs.iter().map(|((host, _), _)| *host));
    let serving: BTreeSet<&str> = serving.map(|host| evidence.text(host)).filter(|host| !own.contains(host)).collect();
    only_system.retain(|host, _| !serving.contains(host));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_and_replica_sets_are_named_after_their_workload() {
        for (name, want) in [
            ("cart-5c9f7d8b6-hhv8c", "cart"),
            ("shop-cart-7d4f9c8b5d-x2kqp", "shop-cart"),
            ("rates-6d5c8f9b7", "rates"),
            ("mongo-0", "mongo"),
            ("web01", "web01"),
            ("db-primary", "db-primary"),
            ("ip-10-40-12-87", "ip-10-40-12"),
        ] {
            assert_eq!(workload(name), want, "{name}");
        }
    }

    #[test]
    fn proxies_call_services_by_longer_names() {
        let called = ["outbound|8080||cart.shop.svc.cluster.local", "fx-rates-80", "kino-kino-8080@kubernetes"];
        let reach = Reach {
            on_the_way: BTreeMap::new(),
            beside: BTreeSet::new(),
            stores: BTreeSet::new(),
            name_servers: Vec::new(),
            carriers: BTreeSet::new(),
            coincident: BTreeSet::new(),
            in_state: BTreeSet::new(),
            called: called.map(str::to_string).to_vec(),
            senders: Senders::default(),
            known: false,
        };
        for place in ["host:cart-5c9f7d8b6-hhv8c", "name:rates-6d5c8f9b7", "service:kino@", "host:kino_kino-6bdf7c9c4-8vmxl"] {
            assert!(reach.passes(place), "{place}");
        }
        assert!(is_part("host:cart-5c9f7d8b6-hhv8c", "service:Cart") && !is_part("host:cart-5c9f7d8b6-hhv8c", "name:cart-5c9f7d8b6-x2kqp"));
        assert!(
            are_siblings("host:cart-5c9f7d8b6-hhv8c", "name:cart-5c9f7d8b6-x2kqp")
                && are_siblings("host:cart-5c9f7d8b6-hhv8c", "host:cart-6d5c8f9b7-x2kqp")
        );
        assert!(are_siblings("name:replicaset/cart-5c9f7d8b6", "host:cart-6d5c8f9b7-x2kqp"));
        assert!(!are_siblings("host:web-01", "host:web-02") && !are_siblings("host:cart-5c9f7d8b6-hhv8c", "host:cart-5c9f7d8b6-hhv8c"));
        let others = ["host:shop-7d4f9c8b5d-x2kqp", "host:cluster-1", "name:svc", "host:kubernetes"];
        for place in ["host:art", "host:cartoon-5c9f7d8b6-hhv8c", "name:80", "service:fx2@"].into_iter().chain(others) {
            assert!(!reach.passes(place), "{place}");
        }
    }
}
