//! Requests that fail far more often than usual.

use super::apart::apart;
use super::scan::active;
use super::{Edge, Symptom, reach, symptom};
use crate::evidence::Evidence;
use crate::names::NameId;
use crate::requests::Chosen;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// Width of a bin, ms.
const BIN: i64 = 5_000;

/// What a client that gave up is counted as: nginx's own status for it.
const GAVE_UP: u16 = 499;

/// The status by which a request is counted. HAProxy says how a session ended (configuration manual, 8.5: the client was the first to end it), and
/// AWS load balancers have a status of their own for it.
fn counted_as(status: u16, termination: [u8; 2]) -> u16 {
    let aborted = matches!(termination, [b'C', b'Q' | b'C' | b'H' | b'D']);
    if aborted || status == 460 { GAVE_UP } else { status }
}

/// The symptom id of a status.
fn symptom_of(status: u16) -> Option<String> {
    Some(match status {
        499 => "http.aborted".into(),
        500..=599 | 400 | 401 | 403 | 404 | 408 | 409 | 411 | 413 | 414 | 415 | 421 | 422 | 426 | 429 | 431 | 495 | 496 | 497 => {
            format!("http.{status}")
        }
        _ => return None,
    })
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
fn kinds(evidence: &Evidence, edge: &Edge, which: impl Fn(u16) -> bool) -> Chosen {
    let chosen = evidence.requests.choose(|kind| which(counted_as(kind.status, kind.termination)));
    chosen.iter().zip(&edge.kinds).map(|(a, b)| *a && *b).collect()
}

/// Scanners: clients of whose requests most are refused, for many different paths.
fn scanners(evidence: &Evidence, edge: &Edge) -> FxHashSet<NameId> {
    const PATHS: usize = 4;
    let mut refused: FxHashMap<NameId, (usize, Vec<NameId>)> = FxHashMap::default();
    for (_, r) in evidence.requests.of(&kinds(evidence, edge, |status| (400..500).contains(&status))) {
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
    let mut all: FxHashMap<NameId, usize> = refused.keys().map(|client| (*client, 0)).collect();
    for (_, r) in edge.requests(evidence) {
        if let Some(n) = all.get_mut(&r.of.client) {
            *n += 1;
        }
    }
    let most = |(client, (bad, _)): &(&NameId, &(usize, Vec<NameId>))| all.get(*client).is_some_and(|all| bad * 10 >= all * 7);
    refused.iter().filter(most).map(|(client, _)| *client).collect()
}

pub(super) fn find(evidence: &Evidence, edge: &Edge, symptoms: &mut Vec<Symptom>) {
    if edge.len == 0 {
        return;
    }
    let start = edge.ended.0;
    let bin = |end: i64| (end - start).div_euclid(BIN) as usize;
    let bins = bin(edge.ended.1) + 1;
    if bins > 5_000_000 {
        return;
    }
    let mut all = vec![0f64; bins];
    let mut failed = vec![0f64; bins];
    let mut good_paths = vec![false; evidence.names.len()];
    for (_, r) in edge.requests(evidence) {
        let at = bin(r.end);
        all[at] += 1.0;
        failed[at] += f64::from(u8::from(r.failed()));
        if r.of.status < 400
            && let Some(good) = good_paths.get_mut(r.of.path as usize)
        {
            *good = true;
        }
    }
    let mut by_status: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
    let scanners = scanners(evidence, edge);
    for (i, r) in evidence.requests.of(&kinds(evidence, edge, |status| symptom_of(status).is_some())) {
        let status = counted_as(r.of.status, r.of.termination);
        let client_error = (400..500).contains(&status) && status != GAVE_UP;
        if client_error && (scanners.contains(&r.of.client) || good_paths.get(r.of.path as usize) != Some(&true)) {
            continue;
        }
        // Who is slowed down while testing how much can be borne gets what was asked for.
        if status == 429 && is_load_tool(evidence.text(r.of.agent)) {
            continue;
        }
        by_status.entry(status).or_default().push(i);
    }
    for (status, list) in by_status {
        let Some(id) = symptom_of(status) else { continue };
        let mut bad = vec![0f64; bins];
        for i in &list {
            bad[bin(evidence.request(*i).end)] += 1.0;
        }
        // A request that fails otherwise could not fail this way: it is no exposure.
        let all: Vec<f64> = all.iter().zip(&failed).zip(&bad).map(|((a, f), b)| if status >= 500 { *a } else { (a - f).max(*b) }).collect();
        for (from, to) in active(&bad, &all, if status >= 500 { 1.0 } else { 2.0 }) {
            let (from, to) = (start + from as i64 * BIN, start + (to as i64 + 1) * BIN);
            let affected: Vec<u32> = list.iter().copied().filter(|i| (from..to).contains(&evidence.request(*i).end)).collect();
            let served = evidence.requests.ended(&edge.kinds, from, to).map(|(_, r)| r);
            let pieces = apart(evidence, served, affected);
            let one = pieces.len() == 1;
            for affected in pieces {
                // A handful of errors of a restart is no outage.
                let enough = if status >= 500 { affected.len() >= 6 } else { affected.len() >= 10 };
                if !enough || !counts(evidence, status, &affected) {
                    continue;
                }
                let own = reach(evidence, &affected).filter(|_| !one);
                let (from, to) = own.map_or((from, to), |(first, last)| (from.max(first), to.min(last + 1)));
                let total = edge.ended_within(evidence, from, to);
                symptoms.push(symptom(evidence, id.clone(), edge, affected, total));
            }
        }
    }
}

/// Whether failures of a client's making are more than one client's.
fn counts(evidence: &Evidence, status: u16, affected: &[u32]) -> bool {
    status >= 500 || reach(evidence, affected).is_some_and(|(first, last)| last - first >= 5_000)
}
