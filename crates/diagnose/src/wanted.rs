//! Logs that would decide, where the program does not stand by a cause.
//!
//! Three things are asked for: what the rules of the best hypotheses name; what every look into failing requests begins with and was
//! not given (the other log of the proxy, the log of the service that it asked, the logs of the system); and the logs of machines that
//! are spoken of.

use crate::belief::Hypothesis;
use crate::evidence::{Evidence, SourceInfo};
use crate::names::{NONE, NameId};
use crate::report::Missing;
use crate::rules::{Pack, SignalId};
use crate::symptoms::Incident;
use crate::topology::Topology;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use whyline_event::address;

/// A hypothesis of less is asked about only after what every outage of requests asks for.
const LIKELY: f64 = 0.3;
/// No more than so many logs are asked for, of one incident and of what every outage asks for.
const MOST: usize = 8;
const MOST_USUAL: usize = 4;

/// An incident without a cause that the program stands by.
pub(crate) struct Unsure<'a> {
    pub evidence: &'a Evidence,
    pub topology: &'a Topology,
    pub pack: &'a Pack,
    pub incident: &'a Incident,
    /// The hypotheses, the best first.
    pub list: &'a [Hypothesis],
    /// The id of the incident.
    pub id: &'a str,
}

/// A server of requests that writes a log of answers and a log of errors.
struct Server {
    program: &'static str,
    access: &'static str,
    error: &'static str,
    get_access: &'static str,
    get_error: &'static str,
}

const SERVERS: [Server; 2] = [
    Server {
        program: "nginx",
        access: "nginx.access",
        error: "nginx.error",
        get_access: "tail -n 50000 /var/log/nginx/access.log",
        get_error: "tail -n 50000 /var/log/nginx/error.log",
    },
    Server {
        program: "Apache",
        access: "apache.access",
        error: "apache.error",
        get_access: "tail -n 50000 /var/log/apache2/access.log (or /var/log/httpd/access_log)",
        get_error: "tail -n 50000 /var/log/apache2/error.log (or /var/log/httpd/error_log)",
    },
];

impl Server {
    /// Whether its log of answers and its log of errors were given of a machine.
    fn given(&self, evidence: &Evidence, host: &str) -> (bool, bool) {
        let given = |format: &str| evidence.sources.iter().any(|s| s.host == host && s.records > 0 && s.format == format);
        (given(self.access), given(self.error))
    }
}

/// Where nothing stands out: the access logs of servers whose error logs tell of requests that failed.
pub(crate) fn where_nothing_stands_out(evidence: &Evidence, pack: &Pack) -> Vec<Missing> {
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
            list.push(Missing {
                host: host.to_string(),
                log: format!("access log of {}", server.program),
                why: format!("the error log tells of {requests} that went wrong; this one would show what users felt"),
                command: server.get_access.to_string(),
                decides: String::new(),
                incident: String::new(),
            });
        }
    }
    list
}

/// Formats of servers and proxies whose log of requests says that they failed and not why; by what their names begin with.
const WEB: [&str; 10] = ["nginx", "apache", "haproxy", "iis", "caddy", "traefik", "envoy", "squid", "varnish", "aws"];

/// Whether a service tells in a source more than which requests it answered.
fn tells(source: &SourceInfo) -> bool {
    let family = source.family();
    source.records > 0 && !source.is_written_as_system() && family != "command" && !WEB.contains(&family)
}

impl Unsure<'_> {
    /// The logs, the one that would say most first.
    pub(crate) fn wanted(&self) -> Vec<Missing> {
        let roots = self.list.iter().filter(|h| h.step_of.is_none() && !h.place.starts_with("client:")).take(3);
        let (likely, others): (Vec<_>, Vec<_>) = roots.partition(|h| h.confidence >= LIKELY);
        // Of whose system a rule asks for the log.
        let asked_by_rule = |h: &&Hypothesis| self.pack.faults[h.fault].missing.iter().any(|missing| missing.of == "host");
        let systems: BTreeSet<&str> = likely.iter().copied().filter(asked_by_rule).map(Hypothesis::host).collect();
        let mut list: Vec<Missing> = likely.into_iter().flat_map(|h| self.by_rule(h)).collect();
        list.extend(self.usual(&systems));
        list.extend(others.into_iter().flat_map(|h| self.by_rule(h)));
        list.extend(self.spoken_of());
        let mut met = BTreeSet::new();
        list.retain(|m| met.insert((m.host.clone(), m.log.clone())));
        list.truncate(MOST);
        list
    }

    fn one(&self, host: &str, log: String, why: String, command: &str) -> Missing {
        let (host, incident) = (host.to_string(), self.id.to_string());
        Missing { host, log, why, command: command.to_string(), decides: String::new(), incident }
    }

    /// What the rule of a fault asks for.
    fn by_rule<'s>(&'s self, h: &'s Hypothesis) -> impl Iterator<Item = Missing> + 's {
        let fault = &self.pack.faults[h.fault];
        // What holds it back comes first.
        let mut asked: Vec<_> = fault.missing.iter().enumerate().collect();
        asked.sort_by_key(|(at, _)| h.lacks != Some(*at));
        asked.into_iter().map(|(_, missing)| Missing {
            host: h.host().to_string(),
            log: h.fill(&missing.log),
            why: format!("would show whether {} ({})", fault.title, fault.id),
            command: h.fill(&missing.command),
            decides: fault.id.clone(),
            incident: self.id.to_string(),
        })
    }

    /// What a look into failing requests begins with, as far as it was not given.
    fn usual(&self, systems: &BTreeSet<&str>) -> Vec<Missing> {
        let mut list = Vec::new();
        // Log-ins and jobs that fail are no requests.
        if self.incident.symptoms.iter().all(|symptom| matches!(symptom.id.as_str(), "login.failed" | "job.failed")) {
            return list;
        }
        let fronts = self.fronts();
        fronts.iter().for_each(|front| self.of_server(front, &mut list));
        let asked = self.asked(&fronts);
        for (host, endpoint) in asked.iter().filter(|(host, _)| !self.has(host, tells)).take(MOST_USUAL) {
            let log = if host == endpoint {
                format!("log of the service at {host}")
            } else {
                format!("log of the service that answers at {endpoint}")
            };
            let why = "the failing requests were sent there, and nothing that it writes itself was given".to_string();
            list.push(self.one(host, log, why, "journalctl -u SERVICE --since \"2 hours ago\""));
        }
        if asked.is_empty() {
            // Nobody says where the requests were sent.
            let (own, others): (Vec<&str>, Vec<&str>) =
                self.topology.hosts.iter().map(String::as_str).partition(|host| fronts.contains(host));
            let hosts = if others.is_empty() { own } else { others };
            for host in hosts.into_iter().filter(|host| !self.has(host, tells)).take(MOST_USUAL) {
                let why =
                    "nothing tells where the failing requests were sent, and of this machine no service's own log was given".to_string();
                list.push(self.one(host, "log of the services that run there".to_string(), why, "journalctl --since \"2 hours ago\""));
            }
        }
        let known = asked.iter().map(|(host, _)| host.as_str()).filter(|host| self.topology.hosts.contains(*host));
        let hosts: BTreeSet<&str> = known.chain(fronts).collect();
        for host in hosts.into_iter().filter(|host| !systems.contains(host) && !self.has(host, SourceInfo::tells_of_system)) {
            let why = "tells whether a process was killed or restarted, and what else befell the machine".to_string();
            list.push(self.one(host, "log of the system".to_string(), why, "journalctl --since \"2 hours ago\""));
        }
        list.truncate(MOST_USUAL);
        list
    }

    /// The machines whose logs show what users felt, that of the heaviest symptom first.
    fn fronts(&self) -> Vec<&str> {
        let mut fronts: Vec<&str> = Vec::new();
        for symptom in self.incident.symptoms.iter().filter(|symptom| !symptom.host.is_empty()) {
            if !fronts.contains(&symptom.host.as_str()) {
                fronts.push(&symptom.host);
            }
        }
        fronts
    }

    fn has(&self, host: &str, which: impl Fn(&SourceInfo) -> bool) -> bool {
        self.evidence.sources.iter().any(|source| source.host == host && which(source))
    }

    /// Of the two logs of the server on a machine, the one that was not given.
    fn of_server(&self, host: &str, list: &mut Vec<Missing>) {
        for server in &SERVERS {
            let program = server.program;
            match server.given(self.evidence, host) {
                (true, false) => {
                    let why = format!("tells why {program} gave up on a request, or refused it");
                    list.push(self.one(host, format!("error log of {program}"), why, server.get_error));
                }
                (false, true) => {
                    let why = "tells which requests failed, how they were answered and how long that took".to_string();
                    list.push(self.one(host, format!("access log of {program}"), why, server.get_access));
                }
                _ => {}
            }
        }
    }

    /// The machines that the failing requests were sent to, with the endpoint: those of most requests first, then what lies behind them.
    fn asked(&self, fronts: &[&str]) -> Vec<(String, String)> {
        let mut counts: BTreeMap<(NameId, NameId), usize> = BTreeMap::new();
        for number in self.incident.affected() {
            let of = self.evidence.request(number).of;
            if of.upstream != NONE || of.server != NONE {
                *counts.entry((of.host, if of.upstream == NONE { of.server } else { of.upstream })).or_default() += 1;
            }
        }
        let mut counts: Vec<(usize, &str, &str)> =
            counts.into_iter().map(|((host, to), n)| (n, self.evidence.text(host), self.evidence.text(to))).collect();
        counts.sort_by_key(|(n, host, to)| (Reverse(*n), *to, *host));
        let mut asked: Vec<(String, String)> = Vec::new();
        for (_, front, to) in counts {
            let name = address::split_port(to).0;
            let own = to.starts_with("unix:") || address::ip(name).is_some_and(|ip| ip.is_loopback()) || name == "localhost";
            let host = if own { front.to_string() } else { self.topology.behind(to).unwrap_or_else(|| to.to_string()) };
            if !asked.iter().any(|(known, _)| *known == host) {
                asked.push((host, to.to_string()));
            }
        }
        for front in fronts {
            let below = self.topology.below(front).into_iter().map(|(host, steps)| (steps, host));
            let mut below: Vec<(usize, String)> = below.filter(|(_, host)| !fronts.contains(&host.as_str())).collect();
            below.sort();
            for (_, host) in below {
                if !asked.iter().any(|(known, _)| *known == host) {
                    asked.push((host.clone(), host));
                }
            }
        }
        asked
    }

    /// Machines that are spoken of but whose logs were not given.
    fn spoken_of(&self) -> Vec<Missing> {
        let mut list = Vec::new();
        for host in self.incident.hosts() {
            for near in self.topology.below(host).into_keys() {
                for peer in self.topology.unlogged.get(&near).into_iter().flatten().take(3) {
                    let why = format!("{near} speaks of it, but none of its logs was given");
                    list.push(self.one(peer, format!("the system and service logs of {peer}"), why, "journalctl --since \"2 hours ago\""));
                }
            }
        }
        list
    }
}
