//! Lengths of time, counted: what a share of many of them comes to, exactly, in memory that does not grow with their number.

use std::collections::BTreeMap;

/// Milliseconds that are counted in a table; longer ones, of which there are few different, in a map.
const SHORT: usize = 4096;

/// How often each length was seen.
#[derive(Debug, Default)]
pub(crate) struct Times {
    short: Vec<u32>,
    long: BTreeMap<i64, u32>,
    len: usize,
}

impl Times {
    fn add(&mut self, time: i64) {
        self.len += 1;
        match usize::try_from(time) {
            Ok(at) if at < SHORT => {
                if self.short.is_empty() {
                    self.short = vec![0; SHORT];
                }
                self.short.get_mut(at).into_iter().for_each(|n| *n += 1);
            }
            _ => *self.long.entry(time).or_default() += 1,
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn each(&self) -> impl Iterator<Item = (i64, u32)> + '_ {
        let short = (0i64..).zip(self.short.iter().copied()).filter(|(_, n)| *n > 0);
        let (negative, long) = (self.long.range(..0), self.long.range(0..));
        negative.map(|(t, n)| (*t, *n)).chain(short).chain(long.map(|(t, n)| (*t, *n)))
    }

    /// The one of a rank in the order of their lengths.
    pub(crate) fn of_rank(&self, rank: usize) -> Option<i64> {
        let mut left = rank;
        for (time, n) in self.each() {
            match left.checked_sub(n as usize) {
                Some(rest) => left = rest,
                None => return Some(time),
            }
        }
        None
    }

    /// The value at a share of them all, as [`super::quantile`] has it.
    pub(crate) fn quantile(&self, share: f64) -> i64 {
        let rank = ((self.len.saturating_sub(1)) as f64 * share).round() as usize;
        self.of_rank(rank).unwrap_or(0)
    }
}

impl FromIterator<i64> for Times {
    fn from_iter<I: IntoIterator<Item = i64>>(times: I) -> Times {
        let mut all = Times::default();
        times.into_iter().for_each(|time| all.add(time));
        all
    }
}

impl Extend<i64> for Times {
    fn extend<I: IntoIterator<Item = i64>>(&mut self, times: I) {
        times.into_iter().for_each(|time| self.add(time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Counted times say what sorted ones do.
        #[test]
        fn counted_times_are_those_that_were_put_in(times in prop::collection::vec(prop_oneof![-3i64..12, 4090i64..4100, 0i64..900_000], 0..200), share in 0.0f64..1.0) {
            let counted: Times = times.iter().copied().collect();
            let mut sorted = times;
            sorted.sort_unstable();
            prop_assert_eq!(counted.len(), sorted.len());
            prop_assert_eq!(counted.quantile(share), super::super::quantile(&sorted, share));
            prop_assert_eq!((0..sorted.len()).map(|rank| counted.of_rank(rank).unwrap()).collect::<Vec<_>>(), sorted);
        }
    }
}
