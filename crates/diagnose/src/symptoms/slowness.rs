//! Requests slower than three times the usual, for at least a quarter of a minute.

use super::{Edge, Symptom, symptom};
use crate::evidence::Evidence;
use crate::requests::Chosen;

/// Of fewer requests for a path nothing is said.
const FEW: usize = 20;

/// A request: its number among all, when it ended, how long it took.
type Taken = (u32, i64, i64);

pub(super) fn find(evidence: &Evidence, edge: &Edge, symptoms: &mut Vec<Symptom>) {
    let mut slow: Vec<u32> = Vec::new();
    let mut stretches: Vec<(i64, i64)> = Vec::new();
    let mut list: Vec<Taken> = Vec::new();
    // While others fail, those that are served may be the quick ones: an upload that is rejected is no slow one any more.
    let host = evidence.text(edge.host);
    let failing: Vec<(i64, i64)> = symptoms.iter().filter(|s| s.host == host && !s.affected.is_empty()).map(|s| (s.onset, s.end)).collect();
    let groups = Groups::of(evidence, edge);
    for numbers in groups.each() {
        list.clear();
        list.extend(numbers.iter().map(|i| (*i, evidence.request(*i))).filter_map(|(i, r)| Some((i, r.end, r.took()?))));
        let Some(start) = numbers.first().map(|i| evidence.request(*i).start) else { continue };
        for (from, to, base) in slow_stretches(start, &list, &failing) {
            stretches.push((from, to));
            let limit = (base * 3).max(base + 200);
            slow.extend(list.iter().filter(|(_, end, took)| (from..=to).contains(end) && *took > limit).map(|(i, ..)| *i));
        }
    }
    slow.sort_unstable();
    slow.dedup();
    // Stretches of different paths that overlap are one.
    stretches.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (from, to) in stretches {
        match merged.last_mut() {
            Some((_, last)) if from <= *last + 20_000 => *last = (*last).max(to),
            _ => merged.push((from, to)),
        }
    }
    for (from, to) in merged {
        let affected: Vec<u32> = slow.iter().copied().filter(|i| (from..=to).contains(&evidence.request(*i).end)).collect();
        if affected.len() >= 10 {
            let total = edge.ended_within(evidence, from, to.saturating_add(1));
            symptoms.push(symptom(evidence, "http.slow".into(), edge, affected, total));
        }
    }
}

/// The requests of an edge that were served, by path; paths that are asked for rarely are looked at together.
struct Groups {
    numbers: Vec<u32>,
    /// Where each group ends.
    ends: Vec<usize>,
}

impl Groups {
    fn of(evidence: &Evidence, edge: &Edge) -> Groups {
        let served = evidence.requests.choose(|kind| kind.status < 500 && kind.status != 499 && kind.status != 101);
        let served: Chosen = served.iter().zip(&edge.kinds).map(|(a, b)| *a && *b).collect();
        let each = || evidence.requests.of(&served).filter(|(_, r)| r.took().is_some());
        let mut of_path = vec![0usize; evidence.names.len()];
        each().for_each(|(_, r)| of_path.get_mut(r.of.path as usize).into_iter().for_each(|n| *n += 1));
        // The rare ones come first, under the number of no path.
        let mut group_of = vec![0u32; of_path.len()];
        let mut sizes = vec![0usize];
        for (path, n) in of_path.iter().enumerate() {
            if *n < FEW {
                sizes[0] += n;
            } else {
                group_of[path] = sizes.len() as u32;
                sizes.push(*n);
            }
        }
        let mut next: Vec<usize> = sizes.iter().scan(0, |sum, n| Some(std::mem::replace(sum, *sum + n))).collect();
        let mut numbers = vec![0u32; sizes.iter().sum()];
        for (number, r) in each() {
            let Some(at) = group_of.get(r.of.path as usize).and_then(|group| next.get_mut(*group as usize)) else { continue };
            numbers.get_mut(*at).into_iter().for_each(|place| *place = number);
            *at += 1;
        }
        Groups { numbers, ends: next }
    }

    /// The groups that are large enough to tell something.
    fn each(&self) -> impl Iterator<Item = &[u32]> {
        let from = std::iter::once(0).chain(self.ends.iter().copied());
        let groups = from.zip(&self.ends).filter_map(|(from, to)| self.numbers.get(from..*to));
        groups.filter(|group| group.len() >= FEW)
    }
}

const SLOW_BIN: i64 = 10_000;

/// A bin and a duration as one number, in their order. No request begins before the first, and none takes longer than a number of 32 bits.
fn in_bin(bin: i64, took: i64) -> u64 {
    let number = |value: i64| u64::from(u32::try_from(value).unwrap_or(if value < 0 { 0 } else { u32::MAX }));
    number(bin) << 32 | number(took)
}

/// Stretches in which the upper times of a group of requests, the first of which began at `start`, are far above the usual: from, to,
/// usual (ms). What is usual is learnt outside of the stretches in which requests failed, where that is time enough.
fn slow_stretches(start: i64, list: &[Taken], failing: &[(i64, i64)]) -> Vec<(i64, i64, i64)> {
    let mut bins: Vec<u64> = list.iter().map(|(_, end, took)| in_bin((end - start).div_euclid(SLOW_BIN), *took)).collect();
    bins.sort_unstable();
    let of_bin = |value: u64| ((value >> 32) as i64, i64::from(value as u32));
    let same = |a: &u64, b: &u64| a >> 32 == b >> 32;
    let upper: Vec<(i64, i64)> =
        bins.chunk_by(same).filter(|bin| bin.len() >= 4).filter_map(|bin| bin.get(bin.len() * 3 / 4).copied().map(of_bin)).collect();
    if upper.len() < 4 {
        return Vec::new();
    }
    let fails = |k: i64| {
        let (from, to) = (start + k * SLOW_BIN, start + (k + 1) * SLOW_BIN);
        failing.iter().any(|(onset, end)| *onset < to && from <= *end)
    };
    let mut sorted: Vec<i64> = upper.iter().filter(|(k, _)| !fails(*k)).map(|(_, took)| *took).collect();
    if sorted.len() < 4 || sorted.len() * 3 < upper.len() {
        sorted = upper.iter().map(|(_, took)| *took).collect();
    }
    sorted.sort_unstable();
    // The quieter part of the time tells what is usual, also where the trouble lasts for most of the bundle.
    let base = sorted[sorted.len() * 3 / 10].max(1);
    let limit = (base * 3).max(base + 250);
    let mut stretches: Vec<(i64, i64, i64)> = Vec::new();
    for (k, p) in upper {
        if p <= limit {
            continue;
        }
        let (from, to) = (start + k * SLOW_BIN, start + (k + 1) * SLOW_BIN);
        match stretches.last_mut() {
            Some((_, last, _)) if from - *last <= 2 * SLOW_BIN => *last = to,
            _ => stretches.push((from, to, base)),
        }
    }
    stretches.retain(|(from, to, _)| to - from >= 2 * SLOW_BIN);
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_learnt_while_nothing_fails() {
        // Large uploads take long; while they are rejected only the quick ones are left.
        let bin = |k: i64, took: i64| (0..5).map(move |n| (0u32, k * SLOW_BIN + n * 1000, took));
        let list: Vec<Taken> = (0..10).flat_map(|k| bin(k, 900)).chain((10..20).flat_map(|k| bin(k, 50))).collect();
        assert_eq!(slow_stretches(0, &list, &[(10 * SLOW_BIN, 20 * SLOW_BIN)]), []);
        assert_eq!(slow_stretches(0, &list, &[]), [(0, 10 * SLOW_BIN, 50)]);
    }
}
