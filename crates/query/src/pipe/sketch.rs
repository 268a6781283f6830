//! Percentiles from log buckets, and counts of distinct values from the smallest hashes. Both are integers that merge in any
//! order, so every way of gathering gives the same answer.

use super::fixed::Fixed;
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

/// Buckets to each power of two, as a power of two.
const FINE: u32 = 7;

/// Numbers counted in buckets that grow with the numbers, 128 to each power of two.
///
/// A percentile is the roundest number of the bucket that holds the number of that rank, at most 1/128 (0.8 %) from it; the smallest and
/// the largest number are exact, and so are numbers below 256 billionths. As in HdrHistogram (Tene), with the error bound of DDSketch
/// (Masson, Rim, Lee, VLDB 2019). The number of rank `p` is the smallest one that at least `p` per cent of all do not exceed (nearest
/// rank).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sketch {
    buckets: BTreeMap<i16, u64>,
    count: u64,
    ends: Option<(i128, i128)>,
}

impl Sketch {
    pub(super) fn add(&mut self, number: Fixed) {
        *self.buckets.entry(bucket(number.0)).or_default() += 1;
        self.count += 1;
        self.reach(Some((number.0, number.0)));
    }

    fn reach(&mut self, other: Option<(i128, i128)>) {
        self.ends = [self.ends, other].into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    }

    pub(super) fn merge(&mut self, other: &Sketch) {
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
        self.count += other.count;
        self.reach(other.ends);
    }

    /// The number below which so many thousandths of a per cent lie.
    pub(super) fn percentile(&self, thousandths: u32) -> Option<Fixed> {
        let (least, most) = self.ends?;
        let rank = (u128::from(self.count) * u128::from(thousandths)).div_ceil(100_000).max(1);
        if rank >= u128::from(self.count) {
            return Some(Fixed(most));
        }
        let mut below = 0u128;
        for (bucket, count) in &self.buckets {
            below += u128::from(*count);
            if below >= rank {
                return Some(Fixed(roundest(*bucket).clamp(least, most)));
            }
        }
        None
    }
}

/// The bucket of a number; the sign is kept.
fn bucket(number: i128) -> i16 {
    let size = number.unsigned_abs();
    let bits = u128::BITS - size.leading_zeros();
    let shift = bits.saturating_sub(FINE + 1);
    // Below 2^8 every number has a bucket of its own; 128 bits make 16,000 buckets of each sign.
    let index = ((shift as i16) << FINE) + (size >> shift) as i16;
    if number < 0 { -index } else { index }
}

/// The number of a bucket with the most zeros at its end; of several, the one nearest to the middle.
fn roundest(bucket: i16) -> i128 {
    let index = bucket.unsigned_abs();
    let shift = (u32::from(index) >> FINE).saturating_sub(1);
    let lowest = u128::from(index - ((shift as u16) << FINE)) << shift;
    let last = lowest + ((1u128 << shift) - 1);
    let middle = lowest + (last - lowest) / 2;
    let mut best = middle;
    let mut step = 10u128;
    while step <= last && last / step * step >= lowest {
        let below = middle / step * step;
        best = if below >= lowest && (below + step > last || middle - below <= step / 2) { below } else { below + step };
        let Some(next) = step.checked_mul(10) else { break };
        step = next;
    }
    if bucket < 0 { -best.cast_signed() } else { best.cast_signed() }
}

/// Distinct values up to this number are counted exactly.
pub const EXACT: usize = 2_048;

/// The smallest hashes of values.
///
/// As long as fewer than [`EXACT`] are there, all are, and their number is the number of distinct values. Beyond, it is estimated by how
/// close the smallest lie together (KMV: Bar-Yossef et al. 2002; Beyer et al., SIGMOD 2007); the standard error is 1/sqrt(2046), 2.2 %.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Distinct {
    smallest: BTreeSet<u64>,
    more: bool,
}

impl Distinct {
    pub(super) fn add(&mut self, value: &[u8]) {
        self.insert(xxh3_64(value));
    }

    fn insert(&mut self, hash: u64) {
        if self.smallest.len() < EXACT {
            self.smallest.insert(hash);
        } else if self.smallest.last().is_some_and(|last| hash < *last) {
            if self.smallest.insert(hash) {
                self.smallest.pop_last();
                self.more = true;
            }
        } else if self.smallest.last() != Some(&hash) {
            self.more = true;
        }
    }

    pub(super) fn merge(&mut self, other: &Distinct) {
        self.more |= other.more;
        other.smallest.iter().for_each(|hash| self.insert(*hash));
    }

    /// How many there are, and whether that is exact.
    pub(super) fn count(&self) -> (u64, bool) {
        let kept = self.smallest.len() as u64;
        match self.smallest.last() {
            Some(last) if self.more => {
                let estimate = u128::from(kept - 1) * (1u128 << 64) / u128::from((*last).max(1));
                (u64::try_from(estimate).unwrap_or(u64::MAX), false)
            }
            _ => (kept, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bucket_is_near_to_its_numbers() {
        for bits in 0..120 {
            for part in 0..=256i128 {
                let number = (1i128 << bits) + ((1i128 << bits) >> 8) * part;
                for number in [number, -number, number - 1] {
                    let round = roundest(bucket(number));
                    assert_eq!(bucket(round), bucket(number), "{number} {round}");
                    assert!((round - number).abs() * 128 <= number.abs(), "{number} {round}");
                    if number.abs() < 256 {
                        assert_eq!(round, number);
                    }
                }
            }
        }
        assert_eq!(roundest(bucket(1_197_431_000)), 1_195_000_000);
        assert_eq!(roundest(bucket(-499_999_999)), -500_000_000);
    }

    proptest! {
        #[test]
        fn percentiles_are_near_to_the_numbers(mut numbers in prop::collection::vec(-1_000_000_000_000i64..10_000_000_000_000, 1..300), p in 0..=100_000u32) {
            let (mut whole, mut a, mut b) = (Sketch::default(), Sketch::default(), Sketch::default());
            for (i, n) in numbers.iter().enumerate() {
                whole.add(Fixed::nanos(*n));
                if i % 3 == 0 { a.add(Fixed::nanos(*n)) } else { b.add(Fixed::nanos(*n)) }
            }
            b.merge(&a);
            prop_assert_eq!(&b, &whole);
            numbers.sort_unstable();
            let rank = (numbers.len() * p as usize).div_ceil(100_000).max(1);
            let (want, found) = (i128::from(numbers[rank - 1]), whole.percentile(p).unwrap().0);
            prop_assert!((found - want).abs() * 100 <= want.abs(), "{} {}", found, want);
        }
    }

    #[test]
    fn distinct_values() {
        let gathered = |numbers: &mut dyn Iterator<Item = u64>| {
            let mut found = Distinct::default();
            numbers.for_each(|n| found.add(&n.to_be_bytes()));
            found
        };
        assert_eq!(gathered(&mut (0..0)).count(), (0, true));
        assert_eq!(gathered(&mut (0..6_000).map(|n| n % 2_048)).count(), (2_048, true));
        assert!(!gathered(&mut (0..2_049)).count().1);
        let many = gathered(&mut (0..100_000));
        let (estimate, exact) = many.count();
        assert!(!exact && estimate.abs_diff(100_000) < 5_000, "{estimate}");
        let mut half = gathered(&mut (50_000..100_000).rev());
        half.merge(&gathered(&mut (0..60_000)));
        assert_eq!(half, many);
    }
}
