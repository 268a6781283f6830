//! Failing requests that are nobody's trouble: what scanners ask for, callers that ask far more than all others and are slowed down, answers that
//! only ask who somebody is, and checks that were forgotten.

use super::Edge;
use super::failures::{GAVE_UP, counted_as};
use crate::evidence::{Evidence, Request};
use crate::names::{NONE, NameId};
use crate::requests::Chosen;
use rustc_hash::{FxHashMap, FxHashSet};

/// Too many requests: it says how much somebody asked for, not what.
const TOO_MANY: u16 = 429;

/// How nginx answers by default who asks too often (limit_req_status).
const SLOWED_DOWN: u16 = 503;

/// Whose failing requests do not count.
pub(super) struct Excused<'e> {
    scanners: FxHashSet<NameId>,
    insatiable: FxHashSet<NameId>,
    forgotten: FxHashSet<(NameId, NameId)>,
    good_paths: &'e [bool],
}

impl Excused<'_> {
    /// Looks at the requests of an edge, where `good_paths` were served to somebody.
    pub(super) fn new<'e>(evidence: &Evidence, edge: &Edge, good_paths: &'e [bool]) -> Excused<'e> {
        Excused {
            scanners: scanners(evidence, edge),
            insatiable: insatiable(evidence, edge),
            forgotten: forgotten(evidence, edge, good_paths),
            good_paths,
        }
    }

    /// Whether a request does not count as one that failed with a status.
    pub(super) fn is(&self, evidence: &Evidence, status: u16, r: &Request) -> bool {
        match status {
            // Who is slowed down while testing how much can be borne gets what was asked for.
            TOO_MANY => self.insatiable.contains(&r.of.client) || is_load_tool(evidence.text(r.of.agent)),
            GAVE_UP => false,
            400..=498 => self.scanners.contains(&r.of.client) || self.good_paths.get(r.of.path as usize) != Some(&true),
            // Whoever probes is often slowed down, and by default nginx says so with 503.
            _ => {
                let is_probe = self.scanners.contains(&r.of.client) && self.good_paths.get(r.of.path as usize) != Some(&true);
                is_probe || self.forgotten.contains(&(r.of.client, r.of.path))
            }
        }
    }
}

/// Whether a user agent is that of a tool for load tests, as they call themselves when nobody tells them otherwise.
fn is_load_tool(agent: &str) -> bool {
    const TOOLS: [&str; 12] = [
        "k6/",
        "ApacheBench/",
        "python-locust",
        "Locust",
        "gatling",
        "wrk",
        "hey/",
        "vegeta",
        "Artillery",
        "fortio.org",
        "oha/",
        "bombardier",
    ];
    TOOLS.iter().any(|tool| agent.starts_with(tool))
}

/// Some of the kinds of an edge.
pub(super) fn kinds(evidence: &Evidence, edge: &Edge, which: impl Fn(u16) -> bool) -> Chosen {
    let chosen = evidence.requests.choose(|kind| which(counted_as(kind.status, kind.termination)));
    chosen.iter().zip(&edge.kinds).map(|(a, b)| *a && *b).collect()
}

/// Scanners: clients of whose requests most are refused, for many different paths.
fn scanners(evidence: &Evidence, edge: &Edge) -> FxHashSet<NameId> {
    const PATHS: usize = 4;
    let mut refused: FxHashMap<NameId, (usize, Vec<NameId>)> = FxHashMap::default();
    for (_, r) in evidence.requests.of(&kinds(evidence, edge, |status| (400..500).contains(&status) && status != TOO_MANY)) {
        let (bad, paths) = refused.entry(r.of.client).or_default();
        *bad += 1;
        if paths.len() < PATHS && !paths.contains(&r.of.path) {
            paths.push(r.of.path);
        }
    }
    refused.retain(|_, (_, paths)| paths.len() >= PATHS);
    if refused.is_empty() {
        return FxHashSet::default();
    }
    // What was asked too often counts as refused where it was asked by one who probes.
    for (_, r) in evidence.requests.of(&kinds(evidence, edge, |status| status == TOO_MANY || status == SLOWED_DOWN)) {
        refused.entry(r.of.client).and_modify(|(bad, _)| *bad += 1);
    }
    let mut all: FxHashMap<NameId, usize> = refused.keys().map(|client| (*client, 0)).collect();
    for (_, r) in edge.requests(evidence) {
        if let Some(n) = all.get_mut(&r.of.client) {
            *n += 1;
        }
    }
    let most = |(client, (bad, _)): &(&NameId, &(usize, Vec<NameId>))| all.get(*client).is_some_and(|all| bad * 10 >= all * 7);
    refused.iter().filter(most).map(|(client, _)| *client).collect()
}

/// The clients that are told to ask less, where these are one or two and less than half of all requests is theirs: who limits requests means
/// them.
fn insatiable(evidence: &Evidence, edge: &Edge) -> FxHashSet<NameId> {
    /// Anybody may meet a limit once or twice.
    const OFTEN: usize = 3;
    const A_FEW: usize = 2;
    let mut clients: FxHashMap<NameId, usize> = FxHashMap::default();
    for (_, r) in evidence.requests.of(&kinds(evidence, edge, |status| status == TOO_MANY)).filter(|(_, r)| r.of.client != NONE) {
        *clients.entry(r.of.client).or_default() += 1;
    }
    clients.retain(|_, n| *n >= OFTEN);
    let theirs = || edge.requests(evidence).filter(|(_, r)| clients.contains_key(&r.of.client)).count();
    if clients.is_empty() || clients.len() > A_FEW || theirs() * 2 >= edge.len {
        FxHashSet::default()
    } else {
        clients.into_keys().collect()
    }
}

/// Forgotten checks, as client and path: one client alone asks for it from the beginning of the log to its end, and nobody is ever served.
fn forgotten(evidence: &Evidence, edge: &Edge, good_paths: &[bool]) -> FxHashSet<(NameId, NameId)> {
    const LEAST: usize = 20;
    let mut paths: FxHashMap<NameId, (NameId, usize, i64, i64)> = FxHashMap::default();
    for (_, r) in evidence.requests.of(&kinds(evidence, edge, |status| status >= 500)) {
        if r.of.path == NONE || good_paths.get(r.of.path as usize) == Some(&true) {
            continue;
        }
        let (client, count, _, last) = paths.entry(r.of.path).or_insert((r.of.client, 0, r.end, r.end));
        if *client != r.of.client {
            *client = NONE;
        }
        *count += 1;
        *last = r.end.max(*last);
    }
    let (from, to) = edge.ended;
    let margin = (to - from) / 20;
    paths.retain(|_, (client, count, first, last)| *client != NONE && *count >= LEAST && *first - from <= margin && to - *last <= margin);
    paths.into_iter().map(|(path, (client, ..))| (client, path)).collect()
}

/// Leaves out refusals that only ask who somebody is (RFC 9110, 15.5.2: the client may repeat the request with credentials): the same client is
/// served the same within moments, and so are nearly all who are refused.
pub(super) fn without_challenges(evidence: &Evidence, edge: &Edge, refused: &mut Vec<u32>) {
    const MOMENTS: i64 = 5_000;
    let key = |r: &Request| (r.of.client, r.of.exactly());
    let asked: FxHashSet<(NameId, u64)> = refused.iter().map(|i| key(&evidence.request(*i))).collect();
    let mut served: FxHashMap<(NameId, u64), Vec<i64>> = FxHashMap::default();
    for (_, r) in edge.requests(evidence).filter(|(_, r)| r.of.status < 400 && asked.contains(&key(r))) {
        served.entry(key(&r)).or_default().push(r.end);
    }
    served.values_mut().for_each(|ends| ends.sort_unstable());
    let is_challenge = |i: u32| {
        let r = evidence.request(i);
        let ends = served.get(&key(&r)).map_or(&[][..], |ends| ends);
        ends.get(ends.partition_point(|end| *end < r.end)).is_some_and(|end| *end <= r.end + MOMENTS)
    };
    let left: Vec<u32> = refused.iter().copied().filter(|i| !is_challenge(*i)).collect();
    if left.len() * 5 <= refused.len() {
        *refused = left;
    }
}
