//! Requests that fail far more often than usual.

use super::apart::apart;
use super::excused::{Excused, kinds, without_challenges};
use super::scan::active;
use super::{Edge, Symptom, reach, symptom};
use crate::evidence::Evidence;
use std::collections::BTreeMap;

/// Width of a bin, ms.
const BIN: i64 = 5_000;

/// What a client that gave up is counted as: nginx's own status for it.
pub(super) const GAVE_UP: u16 = 499;

/// The status by which a request is counted. HAProxy says how a session ended (configuration manual, 8.5: the client was the first to end it), and
/// AWS load balancers have a status of their own for it.
pub(super) fn counted_as(status: u16, termination: [u8; 2]) -> u16 {
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
    let excused = Excused::new(evidence, edge, &good_paths);
    for (i, r) in evidence.requests.of(&kinds(evidence, edge, |status| symptom_of(status).is_some())) {
        let status = counted_as(r.of.status, r.of.termination);
        if !excused.is(evidence, status, &r) {
            by_status.entry(status).or_default().push(i);
        }
    }
    if let Some(refused) = by_status.get_mut(&401) {
        without_challenges(evidence, edge, refused);
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
            for affected in pieces {
                // A handful of errors of a restart is no outage.
                let enough = if status >= 500 { affected.len() >= 6 } else { affected.len() >= 10 };
                if !enough || !counts(evidence, status, &affected) {
                    continue;
                }
                // As many requests as there were while they failed.
                let (from, to) = reach(evidence, &affected).map_or((from, to), |(first, last)| (from.max(first), to.min(last + 1)));
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
