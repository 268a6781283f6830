//! Series of the same signal at the same place, joined: what activities are measured on. They are the same for every incident.

use crate::activity::{place, unnamed_target};
use crate::evidence::Evidence;
use crate::rules::{Pack, SignalId};
use crate::topology::Topology;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Hits a second, to be asked for stretches.
#[derive(Clone, Debug, Default)]
pub struct Bins {
    seconds: Vec<i64>,
    /// Hits before each of the seconds, and at the end all.
    before: Vec<u64>,
}

impl Bins {
    /// Joins bins, in any order.
    pub fn join(parts: impl Iterator<Item = (i64, u32)>) -> Bins {
        let mut all: Vec<(i64, u32)> = parts.collect();
        all.sort_unstable();
        let seconds = all.chunk_by(|(a, _), (b, _)| a == b).count();
        let mut bins = Bins { seconds: Vec::with_capacity(seconds), before: Vec::with_capacity(seconds + 1) };
        bins.before.push(0);
        let mut sum = 0;
        for (second, n) in all {
            sum += u64::from(n);
            if bins.seconds.last() == Some(&second) {
                bins.before.pop();
            } else {
                bins.seconds.push(second);
            }
            bins.before.push(sum);
        }
        bins
    }

    /// Those of some series together.
    pub fn of_series(evidence: &Evidence, series: &[usize]) -> Bins {
        Bins::join(series.iter().filter_map(|i| evidence.series.get(*i)).flat_map(|s| s.bins.iter().copied()))
    }

    fn at(&self, second: i64) -> usize {
        self.seconds.partition_point(|s| *s < second)
    }

    fn until(&self, place: usize) -> u64 {
        self.before.get(place).copied().unwrap_or(0)
    }

    /// Hits from one second to before another.
    pub fn sum(&self, from: i64, to: i64) -> u64 {
        self.until(self.at(to)).saturating_sub(self.until(self.at(from)))
    }

    /// Hits before a second.
    pub fn sum_before(&self, to: i64) -> u64 {
        self.until(self.at(to))
    }

    /// Hits from a second on.
    pub fn sum_from(&self, from: i64) -> u64 {
        self.until(self.seconds.len()).saturating_sub(self.until(self.at(from)))
    }

    /// The seconds with hits from one to another, both included.
    pub fn seconds(&self, from: i64, to: i64) -> &[i64] {
        self.seconds.get(self.at(from)..self.at(to.saturating_add(1))).unwrap_or(&[])
    }

    /// The last second with hits up to a second, included.
    pub fn last(&self, to: i64) -> Option<i64> {
        self.at(to.saturating_add(1)).checked_sub(1).and_then(|at| self.seconds.get(at)).copied()
    }
}

/// Series of one signal at one place.
#[derive(Debug)]
pub struct Group {
    /// The signal.
    pub signal: SignalId,
    /// The place.
    pub place: String,
    /// Numbers of its series.
    pub series: Vec<usize>,
    /// Their hits.
    pub bins: Bins,
}

/// All groups, and the series of each signal with the place that their entity stands for.
#[derive(Debug)]
pub struct Groups {
    /// In the order of signal and place.
    pub all: Vec<Group>,
    by_signal: FxHashMap<SignalId, Vec<(usize, String)>>,
}

impl Groups {
    /// Joins the series of the evidence.
    pub fn new(evidence: &Evidence, topology: &Topology, pack: &Pack) -> Groups {
        let mut groups: BTreeMap<(SignalId, String), Vec<usize>> = BTreeMap::new();
        let mut by_signal: FxHashMap<SignalId, Vec<(usize, String)>> = FxHashMap::default();
        let mut places = FxHashMap::default();
        for (i, series) in evidence.series.iter().enumerate() {
            let (entity, speaker) = (evidence.text(series.entity), evidence.text(series.host));
            let stands_for = places.entry((series.entity, series.host)).or_insert_with(|| place(topology, entity, speaker)).clone();
            by_signal.entry(series.signal).or_default().push((i, stands_for.clone()));
            // One machine is one place: several entities on it (units, addresses) are told by the one with most hits.
            let place = pack.signals.get(series.signal as usize).and_then(|rule| unnamed_target(evidence, rule, entity));
            groups.entry((series.signal, place.unwrap_or(stands_for))).or_default().push(i);
        }
        let join = |((signal, place), series): ((SignalId, String), Vec<usize>)| {
            let bins = Bins::of_series(evidence, &series);
            Group { signal, place, series, bins }
        };
        Groups { all: groups.into_iter().map(join).collect(), by_signal }
    }

    /// The series of a signal whose entity stands for a place.
    pub fn at<'g>(&'g self, signal: SignalId, place: &'g str) -> impl Iterator<Item = usize> + 'g {
        self.by_signal.get(&signal).into_iter().flatten().filter(move |(_, at)| at == place).map(|(i, _)| *i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Stretches hold what a look at every bin finds.
        #[test]
        fn sums_are_those_of_the_bins(parts in prop::collection::vec((0i64..40, 1u32..5), 0..30), from in -5i64..45, length in 0i64..20) {
            let bins = Bins::join(parts.iter().copied());
            let to = from + length;
            let sum = |is: &dyn Fn(i64) -> bool| parts.iter().filter(|(s, _)| is(*s)).map(|(_, n)| u64::from(*n)).sum::<u64>();
            prop_assert_eq!(bins.sum(from, to), sum(&|s| (from..to).contains(&s)));
            prop_assert_eq!(bins.sum_before(to), sum(&|s| s < to));
            prop_assert_eq!(bins.sum_from(from), sum(&|s| s >= from));
            let mut seconds: Vec<i64> = parts.iter().map(|(s, _)| *s).filter(|s| (from..=to).contains(s)).collect();
            seconds.sort_unstable();
            seconds.dedup();
            prop_assert_eq!(bins.seconds(from, to), &seconds[..]);
            prop_assert_eq!(bins.last(to), parts.iter().map(|(s, _)| *s).filter(|s| *s <= to).max());
        }
    }
}
