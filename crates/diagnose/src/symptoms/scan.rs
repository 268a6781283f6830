//! Where in time something is far more frequent than elsewhere.

/// Stretches in which failures are far more frequent than outside: the scan statistic of Kulldorff (1997) for Poisson counts,
/// with the number of requests as exposure, applied again to what is left. Failures that drizzle all the time make no stretch.
/// Where the whole log lies within the trouble, a large share alone tells.
///
/// A long log is looked at coarsely first, then anew, round each stretch that was found: how exactly a stretch is known depends on its own length,
/// not on how much was copied beside it.
pub(super) fn active(bad: &[f64], all: &[f64], strict: f64) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = coarsely(bad, all, strict).into_iter().map(|found| closer(bad, all, strict, found)).collect();
    found.sort_unstable();
    found
}

/// The bins of a long log are taken together, so that no more are compared.
const MOST: usize = 360;
/// So much beside a stretch is looked at again, in bins taken together.
const BESIDE: usize = 4;

/// A stretch as it looks when only what lies near it is looked at: its failures, but for a tenth, from the first to the last. Bursts that come again
/// and again are one stretch.
fn closer(bad: &[f64], all: &[f64], strict: f64, (from, to): (usize, usize)) -> (usize, usize) {
    // The last bins taken together may be more than there are.
    let to = to.min(bad.len().saturating_sub(1));
    let beside = BESIDE * bad.len().div_ceil(MOST);
    let (near, end) = (from.saturating_sub(beside), bad.len().min(to + 1 + beside));
    if beside == BESIDE || (end - near) * 2 > bad.len() {
        return (from, to);
    }
    let found = active(&bad[near..end], &all[near..end], strict);
    let (Some((first, _)), Some((_, last))) = (found.first(), found.last()) else { return (from, to) };
    let (first, last) = (near + first, near + last);
    let sum = |from: usize, to: usize| bad[from..=to].iter().sum::<f64>();
    if sum(first, last) >= 0.9 * sum(from, to) { (first, last) } else { (from, to) }
}

fn coarsely(bad: &[f64], all: &[f64], strict: f64) -> Vec<(usize, usize)> {
    let group = bad.len().div_ceil(MOST).max(1);
    let sum = |v: &[f64]| -> Vec<f64> { v.chunks(group).map(|c| c.iter().sum()).collect() };
    let (bad, mut all) = (sum(bad), sum(all));
    let mut left = bad.clone();
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    for _ in 0..6 {
        let Some((from, to, gain, ratio)) = scan(&left, &all) else { break };
        let count: f64 = left[from..=to].iter().sum();
        if gain < 7.0 * strict || ratio < 3.0 || count < 5.0 {
            break;
        }
        stretches.push((from, to));
        left[from..=to].fill(0.0);
        all[from..=to].fill(0.0);
    }
    let (total_bad, total): (f64, f64) = (bad.iter().sum(), all.iter().sum());
    if stretches.is_empty() && total_bad >= 30.0 && total_bad >= 0.1 * strict * total {
        let first = bad.iter().position(|b| *b > 0.0).unwrap_or(0);
        let last = bad.iter().rposition(|b| *b > 0.0).unwrap_or(0);
        stretches.push((first, last));
    }
    stretches.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (from, to) in stretches {
        let (from, to) = (from * group, (to + 1) * group - 1);
        match merged.last_mut() {
            // Half a minute without failures may be half a minute without luck. A stretch may lie round one that was found before it.
            Some((_, last)) if from <= *last + 6 => *last = to.max(*last),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// The stretch with the largest log-likelihood ratio against an even rate: from, to, that ratio, and the rate inside as a
/// multiple of the rate outside.
fn scan(bad: &[f64], all: &[f64]) -> Option<(usize, usize, f64, f64)> {
    let (total_bad, total): (f64, f64) = (bad.iter().sum(), all.iter().sum());
    if total_bad < 1.0 || total < 1.0 {
        return None;
    }
    let mut best: Option<(usize, usize, f64, f64)> = None;
    for from in (0..bad.len()).filter(|i| bad[*i] > 0.0) {
        let (mut count, mut of) = (0.0, 0.0);
        for to in from..bad.len() {
            count += bad[to];
            of += all[to];
            if bad[to] == 0.0 || of >= total {
                continue;
            }
            let expected = total_bad * of / total;
            if count <= expected {
                continue;
            }
            let rest = total_bad - count;
            let outside = if rest > 0.0 { rest * (rest / (total_bad - expected)).ln() } else { 0.0 };
            let gain = count * (count / expected).ln() + outside;
            if best.is_none_or(|(_, _, g, _)| gain > g) {
                let ratio = (count / of.max(1.0)) / ((rest + 0.1) / (total - of).max(1.0));
                best = Some((from, to, gain, ratio));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bins with ten requests each, of which these fail.
    fn found(bins: usize, fail: &[(usize, f64)]) -> Vec<(usize, usize)> {
        let mut bad = vec![0.0; bins];
        fail.iter().for_each(|(at, n)| bad[*at] = *n);
        active(&bad, &vec![10.0; bins], 1.0)
    }

    #[test]
    fn how_much_lies_beside_a_stretch_does_not_matter() {
        let outage: Vec<(usize, f64)> = (0..20).map(|at| (at, 9.0)).collect();
        let at = |from: usize| outage.iter().map(|(at, n)| (from + at, *n)).collect::<Vec<_>>();
        assert_eq!(found(300, &at(100)), [(100, 119)]);
        assert_eq!(found(500_000, &at(300_007)), [(300_007, 300_026)]);
        // A stray failure an hour before.
        let mut stray = at(300_007);
        stray.push((299_400, 1.0));
        assert_eq!(found(500_000, &stray), [(300_007, 300_026)]);
    }

    #[test]
    fn a_stretch_may_last_to_the_end() {
        for bins in [500_001, 361, 360, 7] {
            let outage: Vec<(usize, f64)> = (bins - 6..bins).map(|at| (at, 9.0)).collect();
            assert_eq!(found(bins, &outage), [(bins - 6, bins - 1)], "{bins}");
        }
    }

    #[test]
    fn a_stretch_round_another_is_one_with_it() {
        // The sharp burst is found first; what is left is a long stretch round it.
        let mut outage: Vec<(usize, f64)> = (0..120).map(|at| (40 + at, 0.6)).collect();
        outage.extend((0..20).map(|at| (100 + at, 9.0)));
        assert_eq!(found(360, &outage), [(40, 159)]);
    }

    #[test]
    fn bursts_that_come_again_are_one() {
        let bursts: Vec<(usize, f64)> = (0..10).flat_map(|burst| (0..3).map(move |at| (40_000 + 30 * burst + at, 8.0))).collect();
        let found = found(100_000, &bursts);
        assert_eq!(found, [(40_000, 40_272)]);
    }
}
