//! Logs that would decide, where the program does not stand by a cause.
//!
//! Three things are asked for: what the rules of the best hypotheses name; what every look into failing requests begins with and was
//! not given (the other log of the proxy, the log of the service that it asked, the logs of the system); and the logs of machines that
//! are spoken of.

mod given;
mod unseen;

use crate::advice::{Around, Filler};
use crate::belief::Hypothesis;
use crate::evidence::{Evidence, SourceInfo};
use crate::names::{NONE, NameId};
use crate::report::Missing;
use crate::rules::Pack;
use crate::shared;
use crate::symptoms::Incident;
use crate::topology::Topology;
use given::is_given;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
pub(crate) use unseen::where_nothing_stands_out;
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
    /// What stands in the paths of its logs.
    of_path: &'static [&'static str],
    get_access: &'static str,
    get_error: &'static str,
}

const SERVERS: [Server; 2] = [
    Server {
        program: "nginx",
        access: "nginx.access",
        error: "nginx.error",
        of_path: &["nginx"],
        get_access: "tail -n 50000 /var/log/nginx/access.log",
        get_error: "tail -n 50000 /var/log/nginx/error.log",
    },
    Server {
        program: "Apache",
        access: "apache.access",
        error: "apache.error",
        of_path: &["apache", "httpd", "other_vhosts_access"],
        get_access: "tail -n 50000 /var/log/apache2/access.log (or /var/log/httpd/access_log)",
        get_error: "tail -n 50000 /var/log/apache2/error.log (or /var/log/httpd/error_log)",
    },
];

impl Server {
    /// Whether its log of answers and its log of errors were given of a machine. Many programs log answers in the notation of nginx or Apache:
    /// whose such a log is, its path says, else the log of errors beside it; the log of an application is neither's.
    fn given(&self, evidence: &Evidence, host: &str) -> (bool, bool) {
        let has = |format: &str| evidence.sources.iter().any(|s| s.host == host && s.records > 0 && s.format == format);
        let error = has(self.error);
        let alone = error && SERVERS.iter().all(|other| other.error == self.error || !has(other.error));
        let access = evidence.sources.iter().filter(|s| s.host == host && s.records > 0).any(|source| match writer(source) {
            Some(program) => program == self.program,
            None if !SERVERS.iter().any(|server| server.access == source.format) => false,
            None if SERVERS.iter().any(|server| has(server.error)) => alone || error && source.format == self.access,
            None => source.format == self.access && source.path.contains("access"),
        });
        (access, error)
    }
}

/// The server of which a log of answers is, where its path says so.
fn writer(source: &SourceInfo) -> Option<&'static str> {
    let is_of = |server: &&Server| server.of_path.iter().any(|part| source.path.contains(part));
    let is_access = SERVERS.iter().any(|server| server.access == source.format);
    SERVERS.iter().filter(|_| is_access).find(is_of).map(|server| server.program)
}

/// Programs that keep a machine's clock, names and addresses, and so speak of those who serve these.
const KEEPERS: [&str; 9] =
    ["chronyd", "ntpd", "ntpd-rs", "openntpd", "systemd-timesyncd", "systemd-resolved", "systemd-networkd", "dhclient", "NetworkManager"];

/// Formats of servers and proxies whose log of requests says that they failed and not why; by what their names begin with.
const WEB: [&str; 10] = ["nginx", "apache", "haproxy", "iis", "caddy", "traefik", "envoy", "squid", "varnish", "aws"];

/// Whether a service tells in a source more than which requests it answered.
fn tells(source: &SourceInfo) -> bool {
    let family = source.family();
    source.records > 0 && !source.is_written_as_system() && family != "command" && !WEB.contains(&family)
}

/// What requests were sent to.
struct Asked {
    /// A machine; where none is known, the endpoint or a balancer's group as it is written.
    host: String,
    /// Where it was asked.
    endpoint: Option<String>,
    /// It is a group of servers.
    is_group: bool,
    /// How requests come there, as the beginning of a sentence.
    way: &'static str,
}

impl Asked {
    /// The log that what was asked writes itself.
    fn log(&self) -> String {
        let host = &self.host;
        match &self.endpoint {
            _ if self.is_group => format!("logs of the servers behind {host}"),
            Some(endpoint) if endpoint == host || group(endpoint) == Some(host) => format!("log of the service at {endpoint}"),
            Some(endpoint) => format!("log of the service that answers at {endpoint}"),
            None => format!("log of the service at {host}"),
        }
    }
}

/// The group of a balancer's server (`be_shop/app02`).
fn group(server: &str) -> Option<&str> {
    let (group, _) = server.split_once('/')?;
    (!group.is_empty() && !group.contains(':')).then_some(group)
}

/// Whether a source tells of the whole system, not of one unit as its journal does.
fn tells_of_whole_system(source: &SourceInfo) -> bool {
    source.tells_of_system() && !source.path.rsplit('/').next().is_some_and(|file| file.contains(".service"))
}

impl Unsure<'_> {
    /// The logs, the one that would say most first.
    pub(crate) fn wanted(&self) -> Vec<Missing> {
        let roots = self.list.iter().filter(|h| h.step_of.is_none() && !h.place.starts_with("client:")).take(3);
        let (likely, others): (Vec<_>, Vec<_>) = roots.partition(|h| h.confidence >= LIKELY);
        // Of whose system a rule asks for the log.
        let asked_by_rule = |h: &&Hypothesis| self.pack.faults[h.fault].missing.iter().any(|missing| missing.of == "host");
        let systems: BTreeSet<&str> = likely.iter().copied().filter(asked_by_rule).map(Hypothesis::host).collect();
        let suspects: Vec<&str> = likely.iter().map(|h| h.machine()).filter(|host| self.topology.hosts.contains(*host)).collect();
        let mut list: Vec<Missing> =
            likely.iter().filter(|h| h.terms.iter().any(|term| term.name == shared::NAME)).map(|h| self.of_shared(h)).collect();
        if likely.is_empty() && self.incident.symptoms.iter().any(|symptom| symptom.id == "http.slow") {
            list.extend(self.fronts().into_iter().map(|front| self.of_load(front)));
        }
        let likely_none = likely.is_empty();
        list.extend(likely.into_iter().flat_map(|h| self.by_rule(h)));
        list.extend(self.usual(&systems, &suspects));
        list.extend(others.into_iter().flat_map(|h| self.by_rule(h)));
        list.extend(self.spoken_of());
        let mut met = BTreeSet::new();
        // No server was left that could have a log.
        list.retain(|m| !m.log.contains("<NOSRV>") && met.insert((m.host.clone(), m.log.clone())));
        list.truncate(MOST);
        if list.is_empty() && likely_none && !self.incident.affected().is_empty() {
            list.push(self.of_whoever());
        }
        list
    }

    /// What to look for where no machine is named at all.
    fn of_whoever(&self) -> Missing {
        let log = "logs of the services behind the failing requests, and of the stores that they ask".to_string();
        let why = "nothing that was given says why these requests failed, nor on which machine".to_string();
        let command = format!("journalctl {0}; docker compose logs -t", Around::incident(self.incident).journal());
        self.one("", log, why, &command)
    }

    fn one(&self, host: &str, log: String, why: String, command: &str) -> Missing {
        let (host, incident) = (host.to_string(), self.id.to_string());
        Missing { host, log, why, command: command.to_string(), decides: String::new(), incident, unreadable: None }
    }

    /// What would tell whether a reason that several machines share made them slow.
    fn of_shared(&self, h: &Hypothesis) -> Missing {
        let log = "load of the processors and disks, and the log of the store that these machines share".to_string();
        let why = "several machines became slow at once; would tell the reason inside the service from one that they share".to_string();
        let command = "sar -u -q -d; grep . /proc/pressure/cpu /proc/pressure/io";
        Missing { decides: self.pack.faults[h.fault].id.clone(), ..self.one(h.machine(), log, why, command) }
    }

    /// What would tell whether a machine had too much to do, where nothing says what made it slow.
    fn of_load(&self, host: &str) -> Missing {
        let why = "answers were slow, and no line says why; would tell whether the machine had too much to do".to_string();
        self.one(host, "load of the processors and disks".to_string(), why, "sar -u -q -d -W; grep . /proc/pressure/*")
    }

    /// What the rule of a fault asks for, as far as it was not given.
    fn by_rule<'s>(&'s self, h: &'s Hypothesis) -> impl Iterator<Item = Missing> + 's {
        let fault = &self.pack.faults[h.fault];
        // What holds it back comes first.
        let mut asked: Vec<_> = fault.missing.iter().enumerate().collect();
        asked.sort_by_key(|(at, _)| h.lacks != Some(*at));
        asked.retain(|(at, missing)| h.lacks == Some(*at) || !is_given(self.evidence, self.incident, h, missing));
        let filler = Filler::new(self.evidence, self.incident, h);
        asked.into_iter().map(move |(_, missing)| {
            let (log, command) = (filler.fill(&missing.log), filler.line(&missing.command).unwrap_or_default());
            let unnamed = h.stands_for(&fault.id).filter(|_| log.contains("HOST") || command.contains("HOST"));
            let unnamed = unnamed.map(|what| format!("; HOST is {what}")).unwrap_or_default();
            Missing {
                host: self.whose(h, &missing.of).to_string(),
                log,
                why: format!("would show whether {} ({}){unnamed}", fault.title, fault.id),
                command,
                decides: fault.id.clone(),
                incident: self.id.to_string(),
                unreadable: None,
            }
        })
    }

    /// The machine whose log a rule asks for, as far as it is known.
    fn whose<'s>(&'s self, h: &'s Hypothesis, of: &str) -> &'s str {
        let front = || self.incident.symptoms.iter().map(|symptom| symptom.host.as_str()).find(|host| !host.is_empty());
        match of {
            "network" => "",
            "proxy" => front().unwrap_or(h.machine()),
            // A proxy that names an endpoint is not the machine behind it.
            _ if h.names_an_endpoint() && front() == Some(h.machine()) => "",
            _ => h.machine(),
        }
    }

    /// What a look into failing requests begins with, as far as it was not given.
    fn usual(&self, systems: &BTreeSet<&str>, suspects: &[&str]) -> Vec<Missing> {
        let mut list = Vec::new();
        // Log-ins and jobs that fail are no requests.
        let symptoms = &self.incident.symptoms;
        if !symptoms.is_empty() && symptoms.iter().all(|symptom| matches!(symptom.id.as_str(), "login.failed" | "job.failed")) {
            return list;
        }
        let journal = Around::incident(self.incident).journal();
        let fronts = self.fronts();
        fronts.iter().for_each(|front| self.of_server(front, &mut list));
        let asked = self.asked(&fronts);
        for asked in asked.iter().filter(|asked| !self.has(&asked.host, tells)).take(MOST_USUAL) {
            let why = format!("{}, and nothing that it writes itself was given", asked.way);
            list.push(self.one(&asked.host, asked.log(), why, &format!("journalctl -u SERVICE {journal}")));
        }
        if asked.is_empty() {
            // Nobody says where the requests were sent.
            let (own, others): (Vec<&str>, Vec<&str>) =
                self.topology.hosts.iter().map(String::as_str).partition(|host| fronts.contains(host));
            let hosts = if others.is_empty() { own } else { others };
            for host in hosts.into_iter().filter(|host| !self.has(host, tells)).take(MOST_USUAL) {
                let why =
                    "nothing tells where the failing requests were sent, and of this machine no service's own log was given".to_string();
                list.push(self.one(host, "log of the services that run there".to_string(), why, &format!("journalctl {journal}")));
            }
        }
        let known = asked.iter().map(|asked| asked.host.as_str()).filter(|host| self.topology.hosts.contains(*host));
        let hosts: BTreeSet<&str> = known.chain(fronts).filter(|host| !suspects.contains(host)).collect();
        let mut hosts: Vec<&str> = suspects.iter().copied().chain(hosts).collect();
        hosts.dedup();
        hosts.retain(|host| !systems.contains(host) && !self.has(host, tells_of_whole_system));
        for host in hosts {
            let why = "tells whether a process was killed or restarted, and what else befell the machine".to_string();
            list.push(self.one(host, "log of the system".to_string(), why, &format!("journalctl {journal}")));
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

    /// What the failing requests were sent to, that of most requests first, then the machines that lie behind it. Where nobody says where
    /// they were sent: the machines behind those whose logs show them.
    fn asked(&self, fronts: &[&str]) -> Vec<Asked> {
        let mut asked = self.sent_to();
        let is_said = !asked.is_empty();
        let way = if is_said { "what the failing requests were sent to calls it" } else { "requests pass there" };
        let above: Vec<String> = if is_said {
            asked.iter().map(|asked| asked.host.clone()).collect()
        } else {
            fronts.iter().map(|f| (*f).to_string()).collect()
        };
        for above in above {
            let below = self.topology.below(&above).into_iter().map(|(host, steps)| (steps, host));
            let mut below: Vec<(usize, String)> = below.filter(|(_, host)| !fronts.contains(&host.as_str())).collect();
            below.sort();
            for (_, host) in below {
                if !asked.iter().any(|known| known.host == host) {
                    asked.push(Asked { host, endpoint: None, is_group: false, way });
                }
            }
        }
        asked
    }

    /// What the failing requests were sent to. Servers of a balancer's group that no machine here is known to be are one.
    fn sent_to(&self) -> Vec<Asked> {
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
        let groups: BTreeSet<&str> = counts.iter().filter_map(|(.., to)| group(to)).collect();
        let mut asked: Vec<Asked> = Vec::new();
        for (_, front, to) in counts {
            let name = address::split_port(to).0;
            let own = to.starts_with("unix:") || address::ip(name).is_some_and(|ip| ip.is_loopback()) || name == "localhost";
            let group = group(to).or_else(|| groups.contains(to).then_some(to));
            let host = match self.topology.behind(to).filter(|_| !own) {
                _ if own => front.to_string(),
                Some(host) if !groups.contains(host.as_str()) => host,
                _ => group.unwrap_or(to).to_string(),
            };
            // No server was left to send them to, or none is named.
            let is_group = to.ends_with("/<NOSRV>") || groups.contains(to);
            match asked.iter_mut().find(|known| known.host == host) {
                Some(known) => known.is_group |= group == Some(host.as_str()) && known.endpoint.as_deref() != Some(to),
                None => asked.push(Asked { host, endpoint: Some(to.to_string()), is_group, way: "the failing requests were sent there" }),
            }
        }
        asked
    }

    /// Whether nobody but the keepers of a machine's clock, names and addresses speak of a peer.
    fn serves_the_system(&self, host: &str, peer: &str) -> bool {
        let text = |id| self.evidence.text(id);
        let pairs = self.evidence.pairs.iter().map(|(pair, _)| pair);
        let mut speakers =
            pairs.filter(|pair| text(pair.host) == host && text(pair.peer) == peer).map(|pair| text(pair.service)).peekable();
        speakers.peek().is_some() && speakers.all(|service| KEEPERS.contains(&service))
    }

    /// Machines that are spoken of but whose logs were not given.
    fn spoken_of(&self) -> Vec<Missing> {
        let journal = Around::incident(self.incident).journal();
        let mut list = Vec::new();
        for host in self.incident.hosts() {
            for near in self.topology.below(host).into_keys() {
                let unlogged = self.topology.unlogged.get(&near).into_iter().flatten();
                for peer in unlogged.filter(|peer| !self.serves_the_system(&near, peer)).take(3) {
                    let why = format!("{near} speaks of it, but none of its logs was given");
                    list.push(self.one(peer, format!("the system and service logs of {peer}"), why, &format!("journalctl {journal}")));
                }
            }
        }
        list
    }
}
