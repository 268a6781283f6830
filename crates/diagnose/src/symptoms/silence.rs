//! A steady stream of requests that stops while the log, or its neighbours, go on.

use super::{Edge, Symptom, without_requests};
use crate::evidence::Evidence;
use crate::measure::Times;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The least length of a hole, ms.
const LEAST: i64 = 15_000;

pub(super) fn find(evidence: &Evidence, edges: &[Edge], edge: &Edge, symptoms: &mut Vec<Symptom>) {
    if edge.len == 0 || edge.lumped {
        return;
    }
    let (first, last) = edge.ended;
    // Logs are copied one after the other: that one ends earlier than those of other machines says nothing. Its own machine's
    // other logs must go on.
    let host = evidence.text(edge.host);
    let whole_end = (0..evidence.sources.len())
        .filter(|s| evidence.sources[*s].host == host)
        .filter_map(|s| evidence.span(s))
        .map(|(_, b)| b * 1000)
        .max()
        .unwrap_or(last);
    if edge.len <= 60 {
        return;
    }
    let (gaps, long) = gaps(evidence, edge);
    let rare = gaps.of_rank(gaps.len() * 98 / 100).unwrap_or(0).max(200);
    let least = (rare * 15).max(LEAST);
    let mut holes: Vec<(i64, i64)> = long.into_iter().filter(|(from, to)| to - from >= least).collect();
    if whole_end - last >= least * 2 && last - first >= 60_000 {
        holes.push((last, whole_end));
    }
    for (from, to) in holes {
        // Only where other logs of the bundle show that the time was covered.
        let covered = (0..evidence.sources.len()).any(|s| evidence.ticks_within(s, from / 1000 + 2, to / 1000 - 2) > 0);
        if covered && !others_serve(evidence, edges, edge, (from, to)) {
            // The hole tells it more exactly than the decline that it makes up.
            let mostly = |s: &Symptom| (s.end.min(to) - s.onset.max(from)) * 5 >= (s.end - s.onset) * 4;
            symptoms.retain(|s| !(s.id == "traffic.drop" && s.usual > 0 && s.host == host && mostly(s)));
            symptoms.push(without_requests("traffic.drop", host, (from, to)));
        }
    }
}

/// So many requests show that an edge serves.
const SERVED: usize = 20;

/// Whether a hole is that of one of several servers behind an edge that goes on serving the crowd without it: nobody felt it.
fn others_serve(evidence: &Evidence, edges: &[Edge], edge: &Edge, (from, to): (i64, i64)) -> bool {
    let serves = |other: &Edge| {
        let (mut all, mut failed) = (0, 0);
        for (_, r) in evidence.requests.ended(&other.kinds, from, to) {
            all += 1;
            failed += usize::from(r.failed());
        }
        all >= SERVED && failed * 100 <= all
    };
    edge.is_called_by_few() && edges.iter().any(|other| other.host != edge.host && other.has_crowd() && serves(other))
}

/// The times between requests that ended one after the other, and where the long ones are. Requests come in the order of their
/// beginnings, so an end has its place as soon as the next request begins later.
fn gaps(evidence: &Evidence, edge: &Edge) -> (Times, Vec<(i64, i64)>) {
    let (mut gaps, mut long) = (Times::default(), Vec::new());
    let mut before: Option<i64> = None;
    let mut end = |at: i64| {
        if let Some(before) = before.replace(at) {
            gaps.extend([at - before]);
            if at - before >= LEAST {
                long.push((before, at));
            }
        }
    };
    let mut open: BinaryHeap<Reverse<i64>> = BinaryHeap::new();
    for (_, r) in edge.requests(evidence) {
        while let Some(Reverse(at)) = open.peek().copied().filter(|Reverse(at)| *at <= r.start) {
            open.pop();
            end(at);
        }
        open.push(Reverse(r.end));
    }
    while let Some(Reverse(at)) = open.pop() {
        end(at);
    }
    (gaps, long)
}
