//! A steady stream of requests that stops while the log, or its neighbours, go on.

use super::{Edge, Symptom, beats, without_requests};
use crate::evidence::Evidence;
use crate::measure::Times;
use crate::names::{NONE, NameId};
use crate::requests::Chosen;
use crate::rules::{Explains, Fault, Pack, SignalId, Through};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The least length of a hole, ms.
const LEAST: i64 = 15_000;

pub(super) fn find(evidence: &Evidence, pack: &Pack, edges: &[Edge], edge: &Edge, symptoms: &mut Vec<Symptom>) {
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
    if whole_end - last >= least * 2
        && last - first >= 60_000
        && (goes_on_elsewhere(evidence, edges, edge, least) || is_stopped(evidence, pack, edge))
    {
        holes.push((last, whole_end));
    }
    holes.extend(beats::holes(evidence, edge).into_iter().filter(|(from, to)| to - from >= LEAST));
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

/// Whether requests go on, behind the end of an edge, where its own came by. Another site that was cut later says nothing of it.
fn goes_on_elsewhere(evidence: &Evidence, edges: &[Edge], edge: &Edge, least: i64) -> bool {
    let goes_on = |kinds: &Chosen| evidence.requests.ended(kinds, edge.ended.1 + least, i64::MAX).take(SERVED).count() == SERVED;
    if edge.is_called_by_few() {
        return goes_on(&evidence.requests.choose(|kind| kind.host != edge.host));
    }
    let others = edges.iter().filter(|other| other.host != edge.host && goes_on(&other.kinds));
    others.into_iter().any(|other| comes_by(evidence, edge, other, edge.ended.1))
}

/// A line says why no request comes any more so long (s) before the last one, or behind it.
const TOLD: (i64, i64) = (60, 600);

/// What weighs as much is strong evidence (likelihood ratio 12).
const STRONG: f64 = 2.4;

/// Whether a line of its machine says why a log of requests ends: logs are cut to the time of interest, archives are torn, and what was not copied
/// is no silence. It is one that speaks strongly for a fault of which users feel that nothing comes.
fn is_stopped(evidence: &Evidence, pack: &Pack, edge: &Edge) -> bool {
    let felt = |e: &Explains| pack.faults.get(e.fault).is_some_and(|felt| felt.id == "traffic.drop");
    // What dies of a fault of its own does not run, either.
    let by_way = |e: &Explains| {
        let is_there = matches!(e.through, Through::Same | Through::Host);
        is_there && pack.faults.get(e.fault).is_some_and(|next| next.explains.iter().any(felt))
    };
    let stops = |fault: &&Fault| fault.id == "traffic.drop" || fault.explains.iter().any(|e| felt(e) || by_way(e));
    let told = pack.faults.iter().filter(stops).flat_map(|fault| &fault.evidence).filter(|e| e.weight >= STRONG).map(|e| e.signal);
    let told: FxHashSet<SignalId> = told.collect();
    let last = edge.ended.1.div_euclid(1000);
    let own = evidence.series.iter().filter(|series| series.host == edge.host && told.contains(&series.signal));
    own.into_iter().any(|series| series.within(last - TOLD.0, last + TOLD.1) > 0)
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
    let mut before = edges.iter().filter(|other| other.host != edge.host && other.has_crowd() && serves(other));
    before.any(|other| edge.is_called_by_few() || comes_by(evidence, edge, other, from))
}

/// Requests of so long (ms) show where they came by, and so many of them.
const SHOWN: i64 = 120_000;
const COMPARED: usize = 20;
/// One request is logged by two servers within so long (ms).
const APART: i64 = 2_000;

/// Whether the requests of an edge came by way of another one before a hole: servers behind a balancer may be told the addresses of the clients.
/// Four of five are seen there as well, from the same client for the same path at the same time.
fn comes_by(evidence: &Evidence, edge: &Edge, other: &Edge, hole: i64) -> bool {
    let requests = |kinds, margin: i64| evidence.requests.ended(kinds, hole - SHOWN - margin, hole + margin).map(|(_, r)| r);
    let mut there: FxHashMap<(NameId, NameId), Vec<i64>> = FxHashMap::default();
    for r in requests(&other.kinds, APART).filter(|r| r.of.client != NONE) {
        there.entry((r.of.client, r.of.path)).or_default().push(r.end);
    }
    let (mut all, mut seen) = (0, 0);
    for r in requests(&edge.kinds, 0) {
        all += 1;
        let near = |ends: &Vec<i64>| ends.iter().any(|end| (end - r.end).abs() <= APART);
        seen += usize::from(there.get(&(r.of.client, r.of.path)).is_some_and(near));
    }
    all >= COMPARED && seen * 5 >= all * 4
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
