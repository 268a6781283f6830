//! Requests that stop while health checks go on: a balancer that takes a server out, or a monitor, asks for the same at a steady pace all the
//! while, so that the log itself is never silent.

use super::Edge;
use crate::evidence::{Evidence, Request};
use crate::names::NameId;
use std::collections::BTreeMap;

/// Requests are counted by so many milliseconds.
const BIN: i64 = 5_000;
/// No more bins are looked at, from the end back: two weeks.
const MOST: i64 = 250_000;
/// In so many of them in a row there are half of the usual requests or less.
const LEAST: usize = 4;
/// So many others than checks came in as long a time before, at least: that none comes is no accident then.
const EXPECTED: usize = 20;
/// More different checks are none.
const CHECKS: usize = 6;

/// Stretches (ms) in which an edge that is busy gets nothing but checks: from the last other request to the next one.
pub(super) fn holes(evidence: &Evidence, edge: &Edge) -> Vec<(i64, i64)> {
    let (first, counts) = counts(evidence, edge);
    let mut sorted = counts.clone();
    sorted.sort_unstable();
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    let at = |bin: usize| (first + bin as i64) * BIN;
    let holes = stretches(&counts, usual).into_iter().filter_map(|(a, b)| hole(evidence, edge, (at(a), at(b))));
    holes.collect()
}

/// The first bin, and how many requests ended in each.
fn counts(evidence: &Evidence, edge: &Edge) -> (i64, Vec<u32>) {
    let (begin, end) = (edge.ended.0.div_euclid(BIN), edge.ended.1.div_euclid(BIN));
    let first = begin.max(end.saturating_sub(MOST));
    let mut counts = vec![0; usize::try_from(end - first + 1).unwrap_or(0)];
    for (_, r) in edge.requests(evidence) {
        let at = usize::try_from(r.end.div_euclid(BIN) - first).ok();
        at.and_then(|at| counts.get_mut(at)).into_iter().for_each(|n| *n += 1);
    }
    (first, counts)
}

/// Stretches of at most half of the usual requests: their first bin, and the one behind the last.
fn stretches(counts: &[u32], usual: u32) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < counts.len() {
        let low = counts[at..].iter().take_while(|n| **n * 2 <= usual).count();
        if low >= LEAST {
            found.push((at, at + low));
        }
        at += low.max(1);
    }
    found
}

/// Who asks, and for what exactly.
type Pair = (NameId, u64);

fn pair(r: &Request) -> Pair {
    (r.of.client, r.of.exactly())
}

/// What was asked by one client for one path.
#[derive(Default)]
struct Asked {
    /// When, within a stretch, in order.
    times: Vec<i64>,
    /// How often in as long a time before it.
    before: usize,
}

impl Asked {
    /// Whether it goes on as before, or at a steady pace: what a check asks for may have changed, and that be the fault.
    fn is_check(&self) -> bool {
        let during = self.times.len();
        let as_before = self.before >= 2 && self.before.max(during) <= 2 * self.before.min(during) + 1;
        as_before || is_steady(&self.times)
    }
}

/// So many times are a pace at the least.
const STEADY: usize = 5;

/// Whether something comes at a steady pace: five times and more, and no pause is much longer than half of them. `times` in ms, in order.
pub(crate) fn is_steady(times: &[i64]) -> bool {
    let mut pauses: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    pauses.sort_unstable();
    let usual = pauses.get(pauses.len() / 2).copied().unwrap_or(0);
    times.len() >= STEADY && usual > 0 && pauses.last().is_some_and(|longest| longest * 2 <= usual * 3 + 1_000)
}

/// The hole around a stretch, if nothing was asked in it but by checks.
fn hole(evidence: &Evidence, edge: &Edge, (from, to): (i64, i64)) -> Option<(i64, i64)> {
    let ended = |from: i64, to: i64| evidence.requests.ended(&edge.kinds, from, to.saturating_sub(1)).map(|(_, r)| r);
    let mut checks: BTreeMap<Pair, Asked> = BTreeMap::new();
    // The edges of a stretch hold the last and the next of the others.
    for r in ended(from + BIN, to - BIN) {
        checks.entry(pair(&r)).or_default().times.push(r.end);
        if checks.len() > CHECKS {
            return None;
        }
    }
    let mut others = 0;
    for r in ended(from - (to - from), from) {
        match checks.get_mut(&pair(&r)) {
            Some(asked) => asked.before += 1,
            None => others += 1,
        }
    }
    checks.values_mut().for_each(|asked| asked.times.sort_unstable());
    if others < EXPECTED || checks.is_empty() || !checks.values().all(Asked::is_check) {
        return None;
    }
    let is_other = |r: &Request| !checks.contains_key(&pair(r));
    let last = ended(from - 2 * BIN, from + BIN).filter(is_other).map(|r| r.end).max();
    let next = ended(to - BIN, to + 2 * BIN).filter(is_other).map(|r| r.end).min();
    Some((last.unwrap_or(from), next.unwrap_or(to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_steady_or_as_before() {
        let check = |times: &[i64], before| Asked { times: times.to_vec(), before }.is_check();
        assert!(check(&[0, 3_001, 6_000, 9_002, 12_000], 0));
        assert!(check(&[0, 1_000, 3_000, 3_500], 5));
        assert!(!check(&[0, 1_000, 3_000, 3_500, 12_000, 13_000], 0));
        assert!(!check(&[0, 3_001, 6_000, 9_002], 0));
        assert!(!check(&[0, 1_000, 3_000, 3_500], 12));
    }

    #[test]
    fn a_stretch_is_long_and_deep() {
        let row = |parts: &[(u32, usize)]| parts.iter().flat_map(|(n, times)| vec![*n; *times]).collect::<Vec<u32>>();
        assert_eq!(stretches(&row(&[(20, 10), (11, 1), (6, 5), (11, 1), (20, 9)]), 20), [(11, 16)]);
        assert_eq!(stretches(&row(&[(20, 10), (2, 6)]), 20), [(10, 16)]);
        for no in [row(&[(20, 10), (2, 3), (20, 9)]), row(&[(20, 10), (11, 9)]), row(&[])] {
            assert_eq!(stretches(&no, 20), [], "{no:?}");
        }
    }
}
