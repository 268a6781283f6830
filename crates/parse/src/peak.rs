//! By how much two sources are apart that logged the same moments.

use crate::facts::{Facts, Moment};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use whyline_event::{Clock, Stamp};

/// Where the differences between the same moments of two sources cluster.
pub(crate) struct Peak {
    /// The difference, in milliseconds.
    pub at: i64,
    /// How many pairs it holds.
    pub pairs: usize,
    /// How many different moments these are.
    pub different: usize,
    /// How many the next best has.
    pub next: usize,
    /// How many there could be: the moments of the source with fewer of them, as far as they lie where both sources have some.
    pub possible: usize,
}

impl Peak {
    /// Whether the pairs are a fair share of those that could be. Strangers that serve the same paths have a few by chance; who logs the
    /// same requests has most.
    pub(crate) fn is_common(&self) -> bool {
        const SHARE: usize = 6;
        self.pairs * SHARE >= self.possible
    }
}

/// Moments that occur more often say little: they pair with anything.
const OFTEN: usize = 6;
/// Differences that lie this close together are the same, in milliseconds.
const WIDTH: i64 = 2000;

/// Milliseconds of a moment as far as they are known without a zone: UTC for settled forms.
fn millis(m: &Moment, clock: &Clock) -> i64 {
    let stamp = Stamp { nanos: m.millis.saturating_mul(1_000_000), form: m.form, offset: None, digits: 3 };
    clock.instant(&stamp).div_euclid(1_000_000)
}

/// Differences `a - b` of moments with the same identity.
pub(crate) fn peak(a: &[Moment], a_clock: &Clock, b: &[Moment], b_clock: &Clock) -> Option<Peak> {
    let (ours, theirs) = (Facts::by_hash(a), Facts::by_hash(b));
    let rare = |hash: u64| [&ours, &theirs].iter().all(|all| all.get(&hash).is_none_or(|same| same.len() <= OFTEN));
    let mut differences = Vec::new();
    for m in a.iter().filter(|m| rare(m.hash)) {
        for other in theirs.get(&m.hash).into_iter().flatten() {
            differences.push((millis(m, a_clock) - millis(other, b_clock), m.hash));
        }
    }
    if differences.is_empty() {
        return None;
    }
    let mut buckets: BTreeMap<i64, usize> = BTreeMap::new();
    for (d, _) in &differences {
        *buckets.entry((d + WIDTH / 2).div_euclid(WIDTH)).or_default() += 1;
    }
    let around = |k: i64| -> usize { (k - 1..=k + 1).filter_map(|i| buckets.get(&i)).sum() };
    let best = buckets.keys().copied().max_by_key(|k| (around(*k), buckets[k], std::cmp::Reverse(k.abs())))?;
    let next = buckets.keys().copied().filter(|k| (k - best).abs() > 2).map(around).max().unwrap_or(0);
    let mut inside: Vec<(i64, u64)> =
        differences.iter().copied().filter(|(d, _)| ((d + WIDTH / 2).div_euclid(WIDTH) - best).abs() <= 1).collect();
    inside.sort_unstable();
    let (at, _) = inside.get(inside.len() / 2).copied()?;
    let different = inside.iter().map(|(_, hash)| *hash).collect::<FxHashSet<u64>>().len();
    // Of a long source only the moments of the least hashes are kept: what lies above those of the other could have no pair.
    let top = |all: &FxHashMap<u64, Vec<Moment>>| all.keys().max().copied().unwrap_or(0);
    let limit = top(&ours).min(top(&theirs));
    let could = |m: &&Moment| m.hash <= limit && rare(m.hash);
    let times = |all: &[Moment], clock: &Clock, ahead: i64| -> Vec<i64> {
        all.iter().filter(could).map(|m| millis(m, clock).saturating_add(ahead)).collect()
    };
    let possible = both(&times(a, a_clock, 0), &times(b, b_clock, at));
    Some(Peak { at, pairs: inside.len(), different, next, possible })
}

/// Of two lists of times the lesser number that lies where both have some.
fn both(a: &[i64], b: &[i64]) -> usize {
    let span = |times: &[i64]| Some((times.iter().min().copied()?, times.iter().max().copied()?));
    let Some(((first, last), (begin, end))) = span(a).zip(span(b)) else { return 0 };
    let (from, to) = (first.max(begin) - WIDTH, last.min(end) + WIDTH);
    let within = |times: &[i64]| times.iter().filter(|at| (from..=to).contains(*at)).count();
    within(a).min(within(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Form;

    fn moments(of: impl Iterator<Item = (u64, i64)>) -> Vec<Moment> {
        of.map(|(hash, millis)| Moment::from((hash, millis, Form::Explicit))).collect()
    }

    #[test]
    fn the_same_requests_and_those_of_strangers() {
        let clock = Clock::default();
        let hour = 3_600_000;
        let path = |n: u64| n * 7919 % 1009 * 2;
        let proxy = moments((0..400).map(|n| (path(n), n as i64 * 500)));
        // Every third of them was logged by a server whose clock is an hour ahead.
        let server = moments((0..400).step_by(3).map(|n| (path(n), n as i64 * 500 + hour)));
        let found = peak(&server, &clock, &proxy, &clock).unwrap();
        assert_eq!((found.at, found.pairs, found.is_common()), (hour, 134, true));
        // Of a stranger's paths a few are the same, and of these some are at one distance by chance.
        let stranger = moments((0..400).map(|n| (path(n) + u64::from(n % 40 != 0), n as i64 * 500 + hour)));
        let found = peak(&stranger, &clock, &proxy, &clock).unwrap();
        assert_eq!((found.at, found.pairs, found.is_common()), (hour, 10, false));
    }

    #[test]
    fn only_where_both_were_written() {
        let clock = Clock::default();
        // The server's log begins late, and has few requests of the proxy's many.
        let proxy = moments((0..1000).map(|n| (n, n as i64 * 1000)));
        let server = moments((950..960).map(|n| (n, n as i64 * 1000)));
        let found = peak(&server, &clock, &proxy, &clock).unwrap();
        assert_eq!((found.at, found.pairs, found.is_common()), (0, 10, true));
    }
}
