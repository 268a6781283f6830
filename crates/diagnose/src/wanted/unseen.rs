//! Where nothing stands out: logs that were not given and would show what users felt.

use super::{SERVERS, tells};
use crate::evidence::Evidence;
use crate::names::{NONE, NameId};
use crate::report::Missing;
use crate::requests::Kind;
use crate::rules::{Pack, SignalId};
use crate::topology::Topology;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use whyline_event::address;

/// So many requests say where requests come from.
const LEAST: usize = 20;
/// More callers than so many are users, not proxies.
const HANDFUL: usize = 3;
/// No more logs are asked for.
const MOST: usize = 4;

/// The access logs of servers whose error logs tell of requests that failed; then those of whoever stands in front of what was given; then
/// the error logs of servers of which only the access log was given.
pub(crate) fn where_nothing_stands_out(evidence: &Evidence, topology: &Topology, pack: &Pack) -> Vec<Missing> {
    let mut list = of_failed(evidence, pack);
    let front = in_front(evidence, topology);
    if front.is_empty() {
        list.extend(of_refused(evidence, topology));
    }
    list.extend(front);
    let mut met = BTreeSet::new();
    list.retain(|missing| met.insert((missing.host.clone(), missing.log.clone())));
    list.truncate(MOST);
    list
}

fn missing(host: &str, log: String, why: String, command: &str) -> Missing {
    let command = command.to_string();
    Missing { host: host.to_string(), log, why, command, decides: String::new(), incident: String::new(), unreadable: None }
}

/// The access logs of servers whose error logs tell of requests that failed.
fn of_failed(evidence: &Evidence, pack: &Pack) -> Vec<Missing> {
    let told: BTreeSet<SignalId> = pack
        .faults
        .iter()
        .filter(|fault| fault.symptom && fault.id.starts_with("http."))
        .flat_map(|fault| fault.evidence.iter().map(|item| item.signal))
        .collect();
    let mut hits: BTreeMap<&str, u64> = BTreeMap::new();
    for series in evidence.series.iter().filter(|series| told.contains(&series.signal)) {
        *hits.entry(evidence.text(series.host)).or_default() += series.total();
    }
    let mut list = Vec::new();
    for (host, n) in hits {
        for server in SERVERS.iter().filter(|server| server.given(evidence, host) == (false, true)) {
            let requests = if n == 1 { "a request".to_string() } else { format!("{n} requests") };
            let why = format!("the error log tells of {requests} that went wrong; this one would show what users felt");
            list.push(missing(host, format!("access log of {}", server.program), why, server.get_access));
        }
    }
    list
}

/// The programs in front of others, as machines show by their logs that they run.
const FRONTS: [(&str, &str, &str); 3] = [
    ("haproxy", "log of requests of HAProxy", "journalctl -u haproxy (or /var/log/haproxy.log)"),
    ("nginx", "access log of nginx", SERVERS[0].get_access),
    ("apache", "access log of Apache", SERVERS[1].get_access),
];

/// Who asked, as logs of inner tiers have it.
struct Callers<'e> {
    /// Addresses of a handful of machines, and how many requests each of them sent.
    named: Vec<(&'e str, usize)>,
    /// All requests.
    all: usize,
    /// The machines that logged them.
    hosts: BTreeSet<&'e str>,
}

impl Callers<'_> {
    /// `None` where some log of requests says where they are sent on, or has users for clients.
    fn of(evidence: &Evidence) -> Option<Callers<'_>> {
        let requests = &evidence.requests;
        let own = |kind: &Kind| !evidence.is_baseline(kind.source as usize);
        let kinds = || requests.all_kinds().map(|(kind, _)| kind).filter(|kind| own(kind));
        if kinds().any(Kind::is_sent_on) {
            return None;
        }
        let mut callers: BTreeMap<NameId, usize> = BTreeMap::new();
        for (_, request) in requests.of(&requests.choose(own)) {
            *callers.entry(request.of.client).or_default() += 1;
            if callers.len() > HANDFUL + 1 {
                return None;
            }
        }
        let all = callers.values().sum();
        callers.remove(&NONE);
        let named: Vec<(&str, usize)> = callers.into_iter().map(|(client, n)| (evidence.text(client), n)).collect();
        let is_inner = named.len() <= HANDFUL && named.iter().all(|(client, _)| address::ip(client).is_some_and(is_internal));
        let hosts = kinds().map(|kind| evidence.text(kind.host)).collect();
        (all >= LEAST && is_inner).then_some(Callers { named, all, hosts })
    }
}

/// The log of the proxy in front, where every log of requests is that of an inner tier: who calls there are a handful of machines, or nobody
/// is named.
fn in_front(evidence: &Evidence, topology: &Topology) -> Vec<Missing> {
    let Some(callers) = Callers::of(evidence) else { return Vec::new() };
    let silent: Vec<&String> = topology.hosts.iter().filter(|host| !callers.hosts.contains(host.as_str())).collect();
    let by_program =
        FRONTS.iter().flat_map(|front| silent.iter().filter(|host| topology.runs(front.0, host)).map(move |host| (*host, front)));
    let fronts: Vec<_> = by_program.collect();
    let unseen = "no log given shows what users were answered";
    if let [(host, (_, log, command))] = fronts[..] {
        return vec![missing(host, (*log).into(), unseen.into(), command)];
    }
    let log = || "log of requests of the proxy or server in front".to_string();
    let of_caller = |(client, n): &(&str, usize)| {
        let own = address::ip(client).is_some_and(|ip| ip.is_loopback());
        let host = if own { callers.hosts.first().map(|host| (*host).to_string()) } else { topology.behind(client) };
        let why = format!("{n} of {} logged requests come from {client}; what it answered to its callers stands there", callers.all);
        missing(&host.unwrap_or_else(|| (*client).to_string()), log(), why, SERVERS[0].get_access)
    };
    if !callers.named.is_empty() {
        return callers.named.iter().map(of_caller).collect();
    }
    let mut list: Vec<Missing> =
        fronts.iter().map(|(host, (_, log, command))| missing(host, (*log).into(), unseen.into(), command)).collect();
    if list.is_empty() {
        let speaks = |host: &str| evidence.sources.iter().any(|source| source.host == host && tells(source));
        let mute = silent.iter().filter(|host| !speaks(host));
        let why = format!("{unseen}, and of this machine only that of its system was given");
        list.extend(mute.map(|host| missing(host, "log of the services that run there".into(), why.clone(), "journalctl")));
    }
    if list.is_empty() {
        list.push(missing("", format!("{}, if there is one", log()), unseen.into(), ""));
    }
    list
}

/// Whether an address is one of a net of one's own: its clients are other machines of the place.
fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback(),
    }
}

/// The error logs of servers of which only the access log was given.
fn of_refused(evidence: &Evidence, topology: &Topology) -> Vec<Missing> {
    let mut list = Vec::new();
    for host in &topology.hosts {
        for server in SERVERS.iter().filter(|server| server.given(evidence, host) == (true, false)) {
            let why = "what the server could not take, or gave up before it was asked, stands in no log of requests";
            list.push(missing(host, format!("error log of {}", server.program), why.into(), server.get_error));
        }
    }
    list
}
