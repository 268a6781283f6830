//! Far fewer requests than usual, where a line says that some do not get through: those that never arrived stand in no log of requests.
//! Fewer requests alone are no symptom; people sleep.

use super::{Edge, Symptom, without_requests};
use crate::evidence::Evidence;
use crate::rules::Pack;
use crate::untold::CONCLUSIVE;

/// Requests are counted by so many milliseconds.
const BIN: i64 = 30_000;
/// No more bins are looked at, from the end back: a month.
const MOST: i64 = 100_000;
/// The least length of a decline, in bins; and where a line that names a fault beyond doubt vouches for it.
const LEAST: usize = 4;
const LEAST_SURE: usize = 2;
/// In so many bins before it, one has the usual number.
const SUDDEN: usize = 2;
/// So many requests are missed at least.
const MISSED: usize = 100;
/// A line vouches for a decline that begins so long (s) later, or earlier.
const LATER: i64 = 120;
const EARLIER: i64 = 60;

/// Declines that some line vouches for; which lines do stands in the rules, as evidence of `traffic.drop`.
pub(super) fn find(evidence: &Evidence, pack: &Pack, edges: &[Edge], symptoms: &mut Vec<Symptom>) {
    let signals: Vec<_> = pack.faults.iter().filter(|f| f.id == "traffic.drop").flat_map(|f| &f.evidence).map(|e| e.signal).collect();
    let told: Vec<_> = evidence.series.iter().filter(|series| signals.contains(&series.signal)).collect();
    let faults = || pack.faults.iter().filter(|f| !f.symptom).flat_map(|f| &f.evidence);
    let is_sure = |signal| faults().any(|e| e.signal == signal && e.weight >= CONCLUSIVE);
    for edge in edges.iter().filter(|edge| !edge.lumped) {
        let of_edge = told.iter().filter(|s| s.host == edge.host);
        let mut seconds: Vec<(i64, bool)> = of_edge.flat_map(|s| s.bins.iter().map(|b| (b.0, is_sure(s.signal)))).collect();
        if seconds.is_empty() {
            continue;
        }
        seconds.sort_unstable();
        let host = evidence.text(edge.host);
        for Decline { onset, end, total, usual } in declines(evidence, edge) {
            let (from, to) = (onset.div_euclid(1000) - LATER, onset.div_euclid(1000) + EARLIER);
            let is_long = end - onset >= LEAST as i64 * BIN;
            let mut near = seconds.iter().filter(|(second, _)| (from..=to).contains(second));
            if near.any(|(_, sure)| is_long || *sure) {
                symptoms.push(Symptom { total, usual, ..without_requests("traffic.drop", host, (onset, end)) });
            }
        }
    }
}

/// A stretch (ms) with at most two fifths of the usual number of requests, which began suddenly.
struct Decline {
    onset: i64,
    end: i64,
    /// Requests that came, and how many usually come.
    total: usize,
    usual: usize,
}

fn declines(evidence: &Evidence, edge: &Edge) -> Vec<Decline> {
    let mut counts: Vec<usize> = Vec::new();
    let mut first = None;
    for (_, r) in edge.requests(evidence) {
        let begin = *first.get_or_insert(r.start.div_euclid(BIN).max(edge.ended.1.div_euclid(BIN) - MOST));
        let Some(at) = usize::try_from(r.start.div_euclid(BIN) - begin).ok().filter(|at| *at as i64 <= MOST) else { continue };
        if counts.len() <= at {
            counts.resize(at + 1, 0);
        }
        counts.get_mut(at).into_iter().for_each(|n| *n += 1);
    }
    let Some(first) = first else { return Vec::new() };
    // The first and the last are not whole.
    let whole = counts.get(1..counts.len().saturating_sub(1)).unwrap_or(&[]);
    let usual = usual(whole);
    let decline = |(a, b): (usize, usize)| Decline {
        onset: (first + 1 + a as i64) * BIN,
        end: (first + 1 + b as i64) * BIN,
        total: whole.get(a..b).unwrap_or(&[]).iter().sum(),
        usual: usual * (b - a),
    };
    stretches(whole, usual).into_iter().map(decline).collect()
}

/// The usual count. Most of what was copied may be of the outage.
fn usual(counts: &[usize]) -> usize {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() * 7 / 10).copied().unwrap_or(0)
}

/// The declines in a row of counts: first, and the one behind the last.
fn stretches(counts: &[usize], usual: usize) -> Vec<(usize, usize)> {
    let is_low = |n: &usize| n * 5 <= usual * 2;
    let mut found = Vec::new();
    let mut at = 0;
    while at < counts.len() {
        let low = counts[at..].iter().take_while(|n| is_low(n)).count();
        let before = counts.get(at.saturating_sub(SUDDEN)..at).unwrap_or(&[]);
        let seen: usize = counts[at..at + low].iter().sum();
        if low >= LEAST_SURE && low * usual >= seen + MISSED && before.iter().any(|n| n * 10 >= usual * 7) {
            found.push((at, at + low));
        }
        at += low.max(1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decline_is_sudden_long_and_deep() {
        let stretches = |counts: &[usize]| stretches(counts, usual(counts));
        let row = |parts: &[(usize, usize)]| parts.iter().flat_map(|(n, times)| vec![*n; *times]).collect::<Vec<usize>>();
        assert_eq!(stretches(&row(&[(100, 10), (30, 6), (95, 8)])), [(10, 16)]);
        // Short ones are left to whoever looks for lines that vouch for them.
        assert_eq!(stretches(&row(&[(100, 10), (30, 2), (95, 8)])), [(10, 12)]);
        // To the end of what was copied.
        assert_eq!(stretches(&row(&[(100, 10), (20, 4)])), [(10, 14)]);
        // Short, shallow, slow, or of hardly any requests.
        for no in [
            row(&[(100, 10), (30, 1), (100, 8)]),
            row(&[(100, 10), (50, 6), (100, 8)]),
            row(&[(100, 10), (60, 3), (45, 3), (30, 6), (100, 10)]),
            row(&[(5, 10), (1, 6), (5, 8)]),
            Vec::new(),
        ] {
            assert_eq!(stretches(&no), [], "{no:?}");
        }
    }
}
