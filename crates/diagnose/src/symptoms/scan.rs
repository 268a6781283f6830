//! Where in time something is far more frequent than elsewhere.

/// Stretches in which failures are far more frequent than outside: the scan statistic of Kulldorff (1997) for Poisson counts,
/// with the number of requests as exposure, applied again to what is left. Failures that drizzle all the time make no stretch.
/// Where the whole log lies within the trouble, a large share alone tells.
pub(super) fn active(bad: &[f64], all: &[f64], strict: f64) -> Vec<(usize, usize)> {
    const MOST: usize = 360;
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
            // Half a minute without failures may be half a minute without luck.
            Some((_, last)) if from - *last <= 6 => *last = to,
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
