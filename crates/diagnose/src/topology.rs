//! Who calls whom, and who runs where, read out of the logs themselves.
//!
//! - A proxy's upstream is the host that logged the same requests: by request id, else by the same method and path at the same
//!   moment.
//! - A service's database (cache, name server...) is the host that runs such a program, where the port or the protocol says
//!   which kind it is and one host only runs it, or where that host says it serves this client.
//! - A program that says where it listens tells an address of its machine.
//! - An address that a client side of a request has is the proxy's own address.

use crate::evidence::Evidence;
use crate::names::{NONE, NameId};
use crate::requests::{Kind, Sum};
use crate::rules::Pack;
use crate::seen_twice::SeenTwice;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use whyline_event::address;

/// What the bundle says about places.
#[derive(Debug, Default)]
pub struct Topology {
    /// Endpoint (as written, or `group/server`) to the host behind it, with the number of requests that say so.
    pub behind: BTreeMap<String, (String, usize)>,
    /// Calls between hosts: caller, callee.
    pub calls: BTreeSet<(String, String)>,
    /// Peers that each host speaks of which are no known host.
    pub unlogged: BTreeMap<String, BTreeSet<String>>,
    /// All hosts that write logs here.
    pub hosts: BTreeSet<String>,
    /// Where programs run, by their logs; MySQL counts as MariaDB as well, which nothing outside tells apart.
    running: BTreeMap<String, BTreeSet<String>>,
    /// Hosts that are taken for the machine behind an address only because no other is left.
    left_over: BTreeSet<String>,
}

/// Stores, as [`Evidence::programs`] names them.
pub(crate) const STORES: [&str; 12] = [
    "cassandra",
    "clickhouse",
    "elasticsearch",
    "mariadb",
    "memcached",
    "mongodb",
    "mysql",
    "oracle",
    "postgresql",
    "rabbitmq",
    "redis",
    "sqlserver",
];
/// Other servers that show by their logs what a machine is for.
const OTHER_SERVERS: [&str; 4] = ["apache", "dns", "haproxy", "nginx"];

/// The kind of server that customarily listens on a port.
pub fn program_of_port(port: u16) -> Option<&'static str> {
    Some(match port {
        3306 | 33060 => "mariadb",
        5432 | 6432 => "postgresql",
        6379 | 26379 => "redis",
        27017 => "mongodb",
        9200 | 9300 => "elasticsearch",
        9042 => "cassandra",
        8123 => "clickhouse",
        1433 => "sqlserver",
        1521 => "oracle",
        5672 | 5671 | 15672 => "rabbitmq",
        11211 => "memcached",
        53 => "dns",
        _ => return None,
    })
}

impl Topology {
    /// Reads the topology out of the evidence.
    pub fn new(evidence: &Evidence, pack: &Pack) -> Topology {
        let mut topology = Topology::default();
        for source in &evidence.sources {
            if !source.host.is_empty() {
                topology.hosts.insert(source.host.clone());
            }
        }
        for ((host, program), _) in evidence.programs.iter().filter(|((host, _), _)| *host != NONE) {
            let (host, program) = (evidence.text(*host), evidence.text(*program));
            topology.hosts.insert(host.to_string());
            for program in std::iter::once(program).chain((program == "mysql").then_some("mariadb")) {
                topology.running.entry(program.to_string()).or_default().insert(host.to_string());
            }
        }
        for (host, program) in evidence.units.iter().filter(|(host, _)| *host != NONE) {
            topology.running.entry(evidence.text(*program).to_string()).or_default().insert(evidence.text(*host).to_string());
        }
        topology.sockets(evidence);
        topology.listeners(evidence);
        topology.pods(evidence);
        topology.upstreams(evidence);
        topology.asked(evidence);
        topology.peers(evidence);
        topology.unnamed(evidence, pack);
        topology
    }

    /// Whether a program runs on a host, by its logs.
    pub fn runs(&self, program: &str, host: &str) -> bool {
        self.running.get(program).is_some_and(|hosts| hosts.contains(host))
    }

    /// The host that an entity stands for, or lives on.
    pub fn host_of(&self, entity: &str) -> Option<String> {
        let (kind, name, host) = crate::entity::parts(entity);
        match kind {
            "host" => Some(name.to_string()),
            "service" | "unit" => host.map(str::to_string),
            "addr" | "name" => self.behind(name),
            _ => None,
        }
    }

    /// The host behind an endpoint: as it is, else by its address without the port, else by its name.
    pub fn behind(&self, endpoint: &str) -> Option<String> {
        if let Some((host, _)) = self.behind.get(endpoint) {
            return Some(host.clone());
        }
        let (address, _) = address::split_port(endpoint);
        if self.hosts.contains(address) {
            return Some(address.to_string());
        }
        if address::ip(address).is_some() {
            // Another port of the same machine.
            let found: BTreeSet<&String> =
                self.behind.iter().filter(|(e, _)| address::split_port(e).0 == address).map(|(_, (h, _))| h).collect();
            return (found.len() == 1).then(|| found.into_iter().next().cloned()).flatten();
        }
        // `db1.internal` is the host `db1`; in a group `be/app02` the server is `app02`.
        let name = address.rsplit('/').next().unwrap_or(address);
        let first = name.split('.').next().unwrap_or(name);
        // A server named without its group.
        let named: BTreeSet<&String> =
            self.behind.iter().filter(|(e, _)| e.rsplit_once('/').is_some_and(|(_, s)| s == name)).map(|(_, (h, _))| h).collect();
        if named.len() == 1 {
            return named.into_iter().next().cloned();
        }
        self.hosts.iter().find(|h| *h == name || *h == first || h.split('.').next() == Some(first)).cloned()
    }

    /// Hosts that can be reached from `host` along calls, with the number of steps (itself: 0).
    pub fn below(&self, host: &str) -> BTreeMap<String, usize> {
        let mut steps = BTreeMap::from([(host.to_string(), 0)]);
        let mut next = vec![host.to_string()];
        while let Some(at) = next.pop() {
            let depth = steps[&at];
            for (_, callee) in self.calls.iter().filter(|(caller, _)| *caller == at) {
                if steps.get(callee).is_none_or(|d| *d > depth + 1) {
                    steps.insert(callee.clone(), depth + 1);
                    next.push(callee.clone());
                }
            }
        }
        steps
    }

    /// A machine that lists its sockets tells its own addresses.
    fn sockets(&mut self, evidence: &Evidence) {
        let claims = evidence.snapshots.sockets.iter().map(|socket| (evidence.text(socket.address), evidence.text(socket.row.host)));
        self.own_addresses(claims.filter(|(text, _)| address::ip(text).is_some_and(|ip| !ip.is_loopback())));
    }

    /// So does a program that says where it listens.
    fn listeners(&mut self, evidence: &Evidence) {
        let claims = evidence.listens.iter().map(|(host, address)| (evidence.text(*address), evidence.text(*host)));
        self.own_addresses(claims.filter(|(text, _)| address::ip(text).is_some_and(names_a_machine)));
    }

    /// Addresses and the hosts that claim them.
    fn own_addresses<'e>(&mut self, claims: impl Iterator<Item = (&'e str, &'e str)>) {
        let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (text, host) in claims.filter(|(_, host)| !host.is_empty()) {
            if address::ip(text).is_some_and(|ip| !ip.is_unspecified() && !ip.is_multicast()) {
                owners.entry(text).or_default().insert(host);
            }
        }
        for (text, hosts) in owners {
            // An address that several machines claim (a bridge of containers) is nobody's.
            if let Some(host) = hosts.first().filter(|_| hosts.len() == 1) {
                self.behind.entry(text.to_string()).or_insert_with(|| ((*host).to_string(), 0));
            }
        }
    }

    /// A pod is a machine of its own where its address is nobody else's.
    fn pods(&mut self, evidence: &Evidence) {
        let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for pod in &evidence.snapshots.pods {
            owners.entry(evidence.text(pod.address)).or_default().insert(evidence.text(pod.name));
        }
        for (address, pods) in owners {
            if let Some(pod) = pods.first().filter(|_| pods.len() == 1 && !self.behind.contains_key(address)) {
                self.behind.insert(address.to_string(), ((*pod).to_string(), 0));
                self.hosts.insert((*pod).to_string());
            }
        }
    }

    /// Finds the hosts behind upstreams by requests that both sides logged.
    fn upstreams(&mut self, evidence: &Evidence) {
        let twice = SeenTwice::new(evidence);
        // endpoint -> host -> votes
        let mut votes: BTreeMap<NameId, BTreeMap<NameId, usize>> = BTreeMap::new();
        // Caller and callee that logged the same request.
        let mut together: BTreeMap<(NameId, NameId), usize> = BTreeMap::new();
        let requests = &evidence.requests;
        let outer = requests.choose(|kind| kind.is_sent_on() || kind.access);
        for (_, r) in requests.of(&outer).filter(|(_, r)| twice.perhaps(r)) {
            let hosts = twice.hosts_by_id(&r);
            let sure = !hosts.is_empty();
            let hosts = if sure { hosts } else { twice.hosts_by_path(&r) };
            // A moment that several hosts could have served says nothing about one of them, unless an id says so.
            if hosts.len() > 1 && !sure || hosts.is_empty() {
                continue;
            }
            for host in &hosts {
                *together.entry((r.of.host, *host)).or_default() += 1;
                for endpoint in [r.of.upstream, r.of.server].into_iter().filter(|e| *e != NONE) {
                    *votes.entry(endpoint).or_default().entry(*host).or_default() += 1;
                }
            }
        }
        // Two applications that logged the same request id: the longer one called the other.
        for list in twice.groups().filter(|l| l.len() <= 12) {
            for (a, b) in list.iter().flat_map(|a| list.iter().map(move |b| (a, b))) {
                let both = a.took().is_some() && b.took().is_some();
                if a.of.host != b.of.host && !a.of.access && !b.of.access && both && a.took() >= b.took() && a.end >= b.end {
                    *together.entry((a.of.host, b.of.host)).or_default() += 1;
                }
            }
        }
        for (endpoint, hosts) in votes {
            let total: usize = hosts.values().sum();
            if let Some((host, n)) = hosts.iter().max_by_key(|(_, n)| **n)
                && *n >= 2
                && n * 10 >= total * 6
            {
                self.behind.insert(evidence.text(endpoint).to_string(), (evidence.text(*host).to_string(), *n));
            }
        }
        // Of two access logs the outer one has the proxy's fields; an application's messages are always the inner side.
        let forth = together.clone();
        let access: FxHashSet<NameId> = requests.all_kinds().filter(|(kind, _)| kind.access).map(|(kind, _)| kind.host).collect();
        for ((caller, callee), n) in together {
            let back = forth.get(&(callee, caller)).copied().unwrap_or(0);
            if n >= 5 && n > 2 * back && !access.contains(&callee) {
                self.calls.insert((evidence.text(caller).to_string(), evidence.text(callee).to_string()));
            }
        }
        let endpoints = |(kind, _): (&Kind, Sum)| [(kind.host, kind.upstream), (kind.host, kind.server)];
        let asked: FxHashSet<(NameId, NameId)> = requests.all_kinds().flat_map(endpoints).collect();
        for (host, endpoint) in asked.into_iter().filter(|(host, endpoint)| *host != NONE && *endpoint != NONE) {
            if let Some(callee) = self.behind(evidence.text(endpoint))
                && callee != evidence.text(host)
            {
                self.calls.insert((evidence.text(host).to_string(), callee));
            }
        }
        // A balancer that passes connections on without looking inside speaks of its servers alone.
        for (host, server) in evidence.servers.iter().filter(|(host, _)| *host != NONE) {
            if let Some(callee) = self.behind(evidence.text(*server)).filter(|callee| callee != evidence.text(*host)) {
                self.calls.insert((evidence.text(*host).to_string(), callee));
            }
        }
        self.inner_clients(evidence);
    }

    /// Upstreams that only error logs name: the host that alone serves the paths which they were asked for.
    fn asked(&mut self, evidence: &Evidence) {
        let callers: BTreeSet<String> = self.calls.iter().map(|(c, _)| c.clone()).collect();
        let mut serving: FxHashMap<NameId, BTreeSet<NameId>> = FxHashMap::default();
        serving.extend(evidence.asked.iter().map(|((_, path), _)| (*path, BTreeSet::new())));
        let inner = evidence.requests.choose(|kind| kind.host != NONE && !callers.contains(evidence.text(kind.host)));
        for (_, r) in evidence.requests.of(&inner) {
            if let Some(hosts) = serving.get_mut(&r.of.path) {
                hosts.insert(r.of.host);
            }
        }
        let mut votes: BTreeMap<NameId, BTreeMap<NameId, usize>> = BTreeMap::new();
        for ((upstream, path), n) in &evidence.asked {
            if let Some(hosts) = serving.get(path).filter(|h| h.len() == 1) {
                for host in hosts {
                    *votes.entry(*upstream).or_default().entry(*host).or_default() += *n as usize;
                }
            }
        }
        for (upstream, hosts) in votes {
            let text = evidence.text(upstream).to_string();
            let total: usize = hosts.values().sum();
            if let Some((host, n)) = hosts.iter().max_by_key(|(_, n)| **n)
                && *n >= 3
                && n * 10 >= total * 9
                && self.behind(&text).is_none()
                && !self.has_another(evidence.text(*host), address::split_port(&text).0)
            {
                self.behind.insert(text, (evidence.text(*host).to_string(), *n));
            }
        }
    }

    /// Services that complain of a store without naming it: the only machine that runs such a store is called by them.
    fn unnamed(&mut self, evidence: &Evidence, pack: &Pack) {
        for series in &evidence.series {
            let speaker = evidence.text(series.host);
            if let Some(place) = crate::activity::only_store(evidence, &pack.signals[series.signal as usize].id)
                && let Some(host) = place.strip_prefix("host:").filter(|h| *h != speaker && !speaker.is_empty())
            {
                self.calls.insert((speaker.to_string(), host.to_string()));
            }
        }
    }

    /// On an inner tier, clients are the proxies in front of it: their addresses belong to the hosts that logged the same
    /// requests with that inner host as upstream.
    fn inner_clients(&mut self, evidence: &Evidence) {
        // Whoever makes more than half of a host's requests is left over when each is struck out against one of another client.
        let access = evidence.requests.choose(|kind| kind.access);
        let each = || evidence.requests.of(&access).map(|(_, r)| (r.of.host, r.of.client)).filter(|(_, client)| *client != NONE);
        let mut left: BTreeMap<NameId, (NameId, usize)> = BTreeMap::new();
        for (host, client) in each() {
            let (candidate, more) = left.entry(host).or_insert((client, 0));
            match *more {
                0 => (*candidate, *more) = (client, 1),
                _ if *candidate == client => *more += 1,
                _ => *more -= 1,
            }
        }
        let mut counts: BTreeMap<NameId, (usize, usize)> = BTreeMap::new();
        for (host, client) in each() {
            let (n, all) = counts.entry(host).or_default();
            *all += 1;
            *n += usize::from(left.get(&host).is_some_and(|(candidate, _)| *candidate == client));
        }
        for (host, (n, all)) in counts {
            let client = left.get(&host).map_or(NONE, |(client, _)| *client);
            let host_text = evidence.text(host).to_string();
            // One address that makes nearly all requests of a host that others call is the caller's.
            if n * 10 >= all * 8 && n >= 10 {
                let callers: Vec<&String> =
                    self.calls.iter().filter(|(_, callee)| *callee == host_text).map(|(caller, _)| caller).collect();
                if let [caller] = callers[..] {
                    let caller = caller.clone();
                    self.behind.entry(evidence.text(client).to_string()).or_insert((caller, n));
                }
            }
        }
    }

    /// Finds the hosts behind the databases and other peers that services speak of.
    fn peers(&mut self, evidence: &Evidence) {
        let mut named: Vec<(String, String)> = Vec::new();
        for (pair, _) in &evidence.pairs {
            named.push((evidence.text(pair.host).to_string(), evidence.text(pair.peer).to_string()));
        }
        // Endpoints that only signals accuse are named too.
        for series in &evidence.series {
            if let ("addr" | "name", name, _) = crate::entity::parts(evidence.text(series.entity))
                && (address::ip(name).is_some() || matches!(address::split_port(name), (host, Some(_)) if address::is_host_name(host)))
            {
                named.push((evidence.text(series.host).to_string(), name.to_string()));
            }
        }
        // What nobody complains of goes first: of two addresses of the only server of a kind the one that fails may be a wrong one.
        let accused: BTreeSet<&str> = evidence.series.iter().map(|s| crate::entity::parts(evidence.text(s.entity)).1).collect();
        named.sort_by_cached_key(|(speaker, peer)| (accused.contains(peer.as_str()), speaker.clone(), peer.clone()));
        named.dedup();
        self.the_only_one_left(&named);
        for (speaker, peer) in named {
            if self.behind(&peer).is_none() {
                let (address, port) = address::split_port(&peer);
                let kind = port.and_then(program_of_port).or_else(|| kind_of_name(address));
                let hosts = kind.and_then(|k| self.running.get(k));
                let only = hosts.filter(|h| h.len() == 1 && address != "127.0.0.1" && address != "localhost" && address != "::1");
                if let Some(host) = only.and_then(|hosts| hosts.first().cloned()).filter(|host| !self.has_another(host, address)) {
                    self.behind.insert(peer.clone(), (host, 0));
                } else if matches!(address, "127.0.0.1" | "localhost" | "::1") {
                    // Loopback is the speaker's own machine, but the same text means another machine elsewhere.
                    continue;
                }
            }
            match self.behind(&peer) {
                Some(host) if host != speaker => {
                    self.calls.insert((speaker, host));
                }
                Some(_) => {}
                None => {
                    self.unlogged.entry(speaker).or_default().insert(peer);
                }
            }
        }
    }
}

impl Topology {
    /// The only machine that runs the kind of server that usually has this port.
    pub(crate) fn only_machine(&self, port: u16) -> Option<String> {
        let hosts = program_of_port(port).and_then(|program| self.running.get(program))?;
        hosts.first().filter(|_| hosts.len() == 1).cloned()
    }

    /// Whether a host is taken for the machine behind an address only because no other is left.
    pub(crate) fn is_left_over(&self, host: &str) -> bool {
        self.left_over.contains(host)
    }

    /// Whether a host is known by another address of the same network (the first two numbers), so that this one is hardly its own.
    pub(crate) fn has_another(&self, host: &str, address: &str) -> bool {
        let Some(IpAddr::V4(asked)) = address::ip(address) else { return false };
        let near =
            |own: &str| matches!(address::ip(own), Some(IpAddr::V4(own)) if own != asked && own.octets()[..2] == asked.octets()[..2]);
        self.behind.iter().any(|(own, (at, _))| at == host && near(address::split_port(own).0))
    }

    /// One private address without a host, and one host without an address that speaks of nobody and is asked by nobody
    /// known: they are the same machine, unless the host is known to serve something else than what is asked for there.
    fn the_only_one_left(&mut self, named: &[(String, String)]) {
        let private = |a: &str| {
            address::ip(a).is_some_and(|ip| match ip {
                IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() && names_a_machine(ip),
                IpAddr::V6(v6) => (v6.segments()[0] & 0xfe00) == 0xfc00,
            })
        };
        let open: BTreeSet<&str> =
            named.iter().map(|(_, p)| address::split_port(p).0).filter(|a| private(a) && self.behind(a).is_none()).collect();
        let taken: BTreeSet<&String> = self.behind.values().map(|(h, _)| h).collect();
        let speakers: BTreeSet<&String> = named.iter().map(|(s, _)| s).chain(self.calls.iter().map(|(c, _)| c)).collect();
        let wanted: BTreeSet<&str> = named
            .iter()
            .map(|(_, peer)| address::split_port(peer))
            .filter(|(address, _)| open.contains(address))
            .filter_map(|(_, port)| port.and_then(program_of_port))
            .collect();
        let serves = |host: &str| STORES.iter().chain(&OTHER_SERVERS).any(|program| self.runs(program, host));
        let fits = |host: &str| wanted.is_empty() || wanted.iter().any(|program| self.runs(program, host)) || !serves(host);
        let free: Vec<&String> = self.hosts.iter().filter(|h| !taken.contains(h) && !speakers.contains(h) && fits(h)).collect();
        if let (1, [host]) = (open.len(), &free[..]) {
            let address = open.first().map(|a| a.to_string()).unwrap_or_default();
            let host = (*host).clone();
            self.left_over.insert(host.clone());
            self.behind.insert(address, (host, 0));
        }
    }
}

/// Whether an address is one of a machine: of the loopback addresses those that somebody gave out, rather than the usual ones.
fn names_a_machine(ip: IpAddr) -> bool {
    !ip.is_loopback() || matches!(ip, IpAddr::V4(v4) if v4.octets()[1] != 0)
}

/// The kind of server that a host name speaks of (`redis-01.internal`, `mysql`, `pg-primary`).
fn kind_of_name(name: &str) -> Option<&'static str> {
    let first = name.split('.').next().unwrap_or(name);
    let word = first.split(['-', '_']).map(|w| w.trim_end_matches(|c: char| c.is_ascii_digit())).collect::<Vec<_>>();
    let has = |list: &[&str]| word.iter().any(|w| list.contains(w));
    if has(&["redis", "valkey"]) {
        Some("redis")
    } else if has(&["mysql", "mariadb"]) {
        Some("mariadb")
    } else if has(&["postgres", "postgresql", "pg", "pgsql"]) {
        Some("postgresql")
    } else if has(&["mongo", "mongodb"]) {
        Some("mongodb")
    } else if has(&["rabbitmq", "rabbit"]) {
        Some("rabbitmq")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Pair;

    /// Of two hosts one speaks of a database, the other runs `program`: whether the other is taken for the database's machine.
    fn left_over(program: &str, peer: &str) -> Option<String> {
        let mut evidence = Evidence::default();
        let [app, other, program, peer_id] = ["app01", "web01", program, peer].map(|name| evidence.names.id(name));
        evidence.programs = vec![((app, NONE), 1), ((other, program), 1)];
        evidence.pairs = vec![(Pair { host: app, service: NONE, peer: peer_id }, 1)];
        Topology::new(&evidence, &Pack::default()).behind(peer)
    }

    #[test]
    fn a_proxy_is_not_taken_for_the_database_that_is_not_there() {
        assert_eq!(left_over("nginx", "10.0.0.3:3306"), None);
        assert_eq!(left_over("haproxy", "10.0.0.3:5432"), None);
        assert_eq!(left_over("elasticsearch", "10.0.0.3:5432"), None);
        assert_eq!(left_over("nginx", "10.0.0.3:8080").as_deref(), Some("web01"));
        assert_eq!(left_over("mysql", "10.0.0.3:3306").as_deref(), Some("web01"));
        assert_eq!(left_over("cron", "10.0.0.3:3306").as_deref(), Some("web01"));
    }

    #[test]
    fn a_machine_of_another_address_is_not_the_one_that_is_asked() {
        for (peers, right) in [(["10.0.0.3:5432", "10.0.0.31:5432"], "10.0.0.3"), (["10.0.0.13:5432", "10.0.0.3:5432"], "10.0.0.3")] {
            let mut evidence = Evidence::default();
            let [app, db, program, own] = ["app01", "db01", "postgresql", right].map(|name| evidence.names.id(name));
            let asked = peers.map(|peer| evidence.names.id(peer));
            evidence.programs = vec![((app, NONE), 1), ((db, program), 1)];
            evidence.listens = [(db, own)].into_iter().collect();
            evidence.pairs = asked.into_iter().map(|peer| (Pair { host: app, service: NONE, peer }, 1)).collect();
            let topology = Topology::new(&evidence, &Pack::default());
            for peer in peers {
                let is_right = address::split_port(peer).0 == right;
                assert_eq!(topology.behind(peer).as_deref(), is_right.then_some("db01"), "{peer}");
            }
            assert!(topology.has_another("db01", "10.0.9.9") && !topology.has_another("db01", right));
            assert!(!topology.has_another("db01", "192.0.2.1") && !topology.has_another("app01", "10.0.9.9"));
        }
    }

    #[test]
    fn who_says_where_it_listens_stands_there() {
        let mut evidence = Evidence::default();
        let claims = [
            ("img01", "192.0.2.26"),
            ("db01", "10.0.0.3"),
            ("db01", "2001:db8::3"),
            // A bridge that several machines have, and what every machine has.
            ("db01", "172.17.0.1"),
            ("img01", "172.17.0.1"),
            ("img01", "127.0.0.1"),
            ("img01", "0.0.0.0"),
            // Nobody knows whose log that is.
            ("", "10.0.0.9"),
        ];
        evidence.listens = claims.iter().map(|(host, address)| (evidence.names.id(host), evidence.names.id(address))).collect();
        let topology = Topology::new(&evidence, &Pack::default());
        for (endpoint, host) in [
            ("192.0.2.26:7000", Some("img01")),
            ("10.0.0.3:5432", Some("db01")),
            ("[2001:db8::3]:5432", Some("db01")),
            ("172.17.0.1:80", None),
            ("127.0.0.1:80", None),
            ("0.0.0.0:80", None),
            ("10.0.0.9:80", None),
        ] {
            assert_eq!(topology.behind(endpoint).as_deref(), host, "{endpoint}");
        }
    }
}
