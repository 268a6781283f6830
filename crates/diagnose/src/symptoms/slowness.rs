//! Requests slower than three times the usual, for at least a quarter of a minute.

use super::{Edge, Symptom, reach, symptom};
use crate::evidence::Evidence;
use crate::names::NameId;
use crate::requests::Chosen;

/// Of fewer requests for a path nothing is said.
const FEW: usize = 20;

/// A stretch in which requests were slow: when it begins and ends, and what is slow (all in ms).
type Stretch = (i64, i64, i64);

pub(super) fn find(evidence: &Evidence, edge: &Edge, symptoms: &mut Vec<Symptom>) {
    // While others fail, those that are served may be the quick ones: an upload that is rejected is no slow one any more.
    let host = evidence.text(edge.host);
    let failing: Vec<(i64, i64)> = symptoms.iter().filter(|s| s.host == host && !s.affected.is_empty()).map(|s| (s.onset, s.end)).collect();
    let served = evidence.requests.choose(|kind| kind.status < 500 && kind.status != 499 && kind.status != 101);
    let served: Chosen = served.iter().zip(&edge.kinds).map(|(a, b)| *a && *b).collect();
    let mut groups = Groups::of(evidence, &served);
    for (_, r) in evidence.requests.of(&served) {
        let Some(took) = r.took() else { continue };
        groups.of_path(r.of.path).into_iter().for_each(|group| group.add(r.start, r.end, took));
    }
    let slow_ones: Vec<Vec<Stretch>> = groups.all.into_iter().map(|group| group.slow_stretches(&failing)).collect();
    let stretches = || slow_ones.iter().flatten().map(|(from, to, _)| (*from, *to));
    let Some((from, to)) = stretches().reduce(|(a, b), (from, to)| (a.min(from), b.max(to))) else { return };
    // Numbers and ends of the slow requests.
    let mut slow: Vec<(u32, i64)> = Vec::new();
    for (number, r) in evidence.requests.ended(&served, from, to) {
        let of_group = groups.number.get(r.of.path as usize).and_then(|group| slow_ones.get(*group as usize));
        let is_in = |(from, to, limit): &Stretch| (*from..=*to).contains(&r.end) && r.took().is_some_and(|took| took > *limit);
        if of_group.is_some_and(|stretches| stretches.iter().any(is_in)) {
            slow.push((number, r.end));
        }
    }
    for (from, to) in joined(stretches().collect()) {
        let affected: Vec<u32> = slow.iter().filter(|(_, end)| (from..=to).contains(end)).map(|(number, _)| *number).collect();
        if affected.len() >= 10 {
            let (first, last) = reach(evidence, &affected).unwrap_or((from, to));
            let total = edge.ended_within(evidence, from.max(first), to.min(last).saturating_add(1));
            symptoms.push(symptom(evidence, "http.slow".into(), edge, affected, total));
        }
    }
}

/// Stretches of different paths that overlap are one.
fn joined(mut stretches: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    stretches.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (from, to) in stretches {
        match joined.last_mut() {
            Some((_, last)) if from <= *last + 20_000 => *last = (*last).max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// The requests of an edge that were served, by path; paths that are asked for rarely are looked at together, as the first group.
struct Groups {
    /// The group of each path.
    number: Vec<u32>,
    all: Vec<Group>,
}

impl Groups {
    fn of(evidence: &Evidence, served: &Chosen) -> Groups {
        // How many ask for a path, and when the first of them began.
        let mut of_path = vec![(0u32, i64::MAX); evidence.names.len()];
        for (_, r) in evidence.requests.of(served).filter(|(_, r)| r.took().is_some()) {
            if let Some((n, first)) = of_path.get_mut(r.of.path as usize) {
                *n = n.saturating_add(1);
                *first = r.start.min(*first);
            }
        }
        let mut groups = Groups { number: vec![0; of_path.len()], all: vec![Group::new(i64::MAX)] };
        for (number, (n, first)) in groups.number.iter_mut().zip(of_path) {
            if (n as usize) < FEW {
                groups.all[0].start = groups.all[0].start.min(first);
            } else {
                *number = groups.all.len() as u32;
                groups.all.push(Group::new(first));
            }
        }
        groups
    }

    fn of_path(&mut self, path: NameId) -> Option<&mut Group> {
        self.all.get_mut(*self.number.get(path as usize)? as usize)
    }
}

/// Milliseconds of a bin.
const SLOW_BIN: i64 = 10_000;

/// Requests that are looked at together, in the order in which they began. Of each bin of time in which they ended only its upper times
/// stay, as soon as none can fall into it any more.
struct Group {
    /// When the first of them began.
    start: i64,
    requests: usize,
    /// Bins that may still grow: number, and how long its requests took.
    open: Vec<(i64, Vec<u32>)>,
    /// The upper times of the others: number of the bin, and what a quarter of its requests reached.
    upper: Vec<(i64, i64)>,
}

impl Group {
    fn new(start: i64) -> Group {
        Group { start, requests: 0, open: Vec::new(), upper: Vec::new() }
    }

    fn add(&mut self, start: i64, end: i64, took: i64) {
        self.requests += 1;
        // What begins now does not end before.
        let now = (start - self.start).div_euclid(SLOW_BIN);
        self.close(|bin| bin < now);
        let (bin, took) = ((end - self.start).div_euclid(SLOW_BIN), u32::try_from(took).unwrap_or(u32::MAX));
        match self.open.iter_mut().find(|(open, _)| *open == bin) {
            Some((_, times)) => times.push(took),
            None => self.open.push((bin, vec![took])),
        }
    }

    fn close(&mut self, which: impl Fn(i64) -> bool) {
        let mut at = 0;
        while let Some((bin, _)) = self.open.get(at) {
            if !which(*bin) {
                at += 1;
                continue;
            }
            let (bin, mut times) = self.open.swap_remove(at);
            if times.len() >= 4 {
                let quarter = times.len() * 3 / 4;
                let (_, upper, _) = times.select_nth_unstable(quarter);
                self.upper.push((bin, i64::from(*upper)));
            }
        }
    }

    /// Stretches in which the upper times are far above the usual. What is usual is learnt outside of the stretches in which requests
    /// failed, where that is time enough.
    fn slow_stretches(mut self, failing: &[(i64, i64)]) -> Vec<Stretch> {
        self.close(|_| true);
        self.upper.sort_unstable();
        let (start, upper) = (self.start, self.upper);
        if self.requests < FEW || upper.len() < 4 {
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
        let slow = (base * 3).max(base + 200);
        let mut stretches: Vec<Stretch> = Vec::new();
        for (k, p) in upper {
            if p <= limit {
                continue;
            }
            let (from, to) = (start + k * SLOW_BIN, start + (k + 1) * SLOW_BIN);
            match stretches.last_mut() {
                Some((_, last, _)) if from - *last <= 2 * SLOW_BIN => *last = to,
                _ => stretches.push((from, to, slow)),
            }
        }
        stretches.retain(|(from, to, _)| to - from >= 2 * SLOW_BIN);
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slow stretches of a group, from when each of its requests began and how long it took.
    fn stretches(requests: impl Iterator<Item = (i64, i64)>, failing: &[(i64, i64)]) -> Vec<Stretch> {
        let mut group = Group::new(0);
        requests.for_each(|(start, took)| group.add(start, start + took, took));
        group.slow_stretches(failing)
    }

    #[test]
    fn what_is_usual_is_learnt_while_nothing_fails() {
        // Large uploads take long; while they are rejected only the quick ones are left.
        let bin = |k: i64, took: i64| (0..5).map(move |n| (k * SLOW_BIN + n * 1000, took));
        let each = || (0..10).flat_map(|k| bin(k, 900)).chain((10..20).flat_map(|k| bin(k, 50)));
        assert_eq!(stretches(each(), &[(10 * SLOW_BIN, 20 * SLOW_BIN)]), []);
        assert_eq!(stretches(each(), &[]), [(0, 10 * SLOW_BIN, 250)]);
    }

    #[test]
    fn a_request_counts_where_it_ends_though_later_ones_ended_before() {
        let quick = || (0..20).flat_map(|k| (0..5).map(move |n| (k * SLOW_BIN + n * 1500, 20)));
        // Begun within two seconds, ended within five bins.
        let late = (0..40).map(|n| (n * 50, 100_000 + n * 1250));
        let mut all: Vec<(i64, i64)> = quick().chain(late).collect();
        all.sort_unstable();
        assert_eq!(stretches(all.into_iter(), &[]), [(10 * SLOW_BIN, 15 * SLOW_BIN, 220)]);
        assert_eq!(stretches(quick(), &[]), []);
    }

    #[test]
    fn stretches_that_nearly_touch_are_one() {
        assert_eq!(joined(vec![(50_000, 60_000), (0, 10_000), (5_000, 20_000), (40_000, 45_000)]), [(0, 60_000)]);
        assert_eq!(joined(vec![(0, 10_000), (40_000, 45_000)]), [(0, 10_000), (40_000, 45_000)]);
    }
}
