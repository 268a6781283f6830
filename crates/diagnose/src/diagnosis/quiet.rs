//! Most requests stayed away for a while and then all came back, and no line says why. People sleep, but not all at once: something in front of
//! what logs the requests may have kept them away. It is told, but it is no incident, as nobody here knows that anything failed.

use super::time;
use crate::evidence::Evidence;
use crate::report::{Missing, Quiet};
use crate::requests::Chosen;
use rustc_hash::FxHashSet;

/// Requests are counted by so many milliseconds.
const BIN: i64 = 30_000;
/// No more bins are looked at: a fortnight.
const MOST: usize = 40_000;
/// The least length, in bins.
const LEAST: usize = 8;
/// At most this part of the usual number came.
const PART: usize = 5;
/// So many are missed at the least, of so many clients.
const MISSED: usize = 300;
const CLIENTS: usize = 20;

/// The one stretch in which most of the requests of some kinds stayed away, sudden at both ends.
pub(super) fn find(evidence: &Evidence, kinds: &Chosen) -> Option<Quiet> {
    let requests = || evidence.requests.of(kinds).map(|(_, r)| r);
    let begin = requests().next()?.start.div_euclid(BIN);
    let mut counts: Vec<usize> = Vec::new();
    for r in requests() {
        let at = usize::try_from(r.start.div_euclid(BIN) - begin).ok().filter(|at| *at < MOST)?;
        if counts.len() <= at {
            counts.resize(at + 1, 0);
        }
        counts.get_mut(at).into_iter().for_each(|n| *n += 1);
    }
    // The first and the last are not whole.
    let whole = counts.get(1..counts.len().saturating_sub(1))?;
    let (from, to, usual) = stretch(whole)?;
    let came: usize = whole.get(from..to)?.iter().sum();
    let onset = (begin + 1 + from as i64) * BIN;
    let clients: FxHashSet<_> = requests().take_while(|r| r.start < onset).map(|r| r.of.client).take(100_000).collect();
    let end = (begin + 1 + to as i64) * BIN;
    (clients.len() >= CLIENTS).then(|| Quiet { start: time(onset), end: time(end), requests: came, usual: usual * (to - from) })
}

/// Where it begins and ends in a row of counts, and the usual count.
fn stretch(counts: &[usize]) -> Option<(usize, usize, usize)> {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let usual = sorted.get(sorted.len() / 2).copied()?;
    let is_low = |n: &usize| n * PART <= usual;
    let from = counts.iter().position(is_low)?;
    let low = counts.get(from..)?.iter().take_while(|n| is_low(n)).count();
    let to = from + low;
    let (before, behind) = (counts.get(..from)?, counts.get(to..)?);
    let is_usual = |n: &usize| n * 10 >= usual * 5 && *n <= usual * 2;
    // One bin at each end may lie on the border.
    let inner = before.len().checked_sub(1).and_then(|last| before.get(..last))?;
    let outer = behind.get(1..)?;
    let is_sudden = inner.len() >= LEAST && outer.len() >= LEAST && inner.iter().chain(outer).all(is_usual);
    let seen: usize = counts.get(from..to)?.iter().sum();
    // A log of which a piece is missing shows nothing at all.
    let goes_on = seen * 2 >= low;
    (low >= LEAST && is_sudden && goes_on && low * usual >= seen + MISSED).then_some((from, to, usual))
}

/// The log that would tell why they stayed away.
pub(super) fn wanted(host: &str) -> Missing {
    Missing {
        host: host.to_string(),
        log: "log of what stands in front: the balancer, the provider, the name servers".into(),
        why: "would tell why most requests stayed away for a while; none of those that came failed".into(),
        command: String::new(),
        decides: String::new(),
        incident: String::new(),
        unreadable: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_stay_away_at_once_and_come_back_at_once() {
        let row = |parts: &[(usize, usize)]| parts.iter().flat_map(|(n, times)| vec![*n; *times]).collect::<Vec<usize>>();
        assert_eq!(stretch(&row(&[(150, 30), (12, 20), (140, 30)])), Some((30, 50, 140)));
        assert_eq!(stretch(&row(&[(150, 30), (80, 1), (12, 20), (60, 1), (140, 30)])), Some((31, 51, 140)));
        for no in [
            row(&[(150, 30), (12, 20)]),
            row(&[(150, 30), (100, 5), (60, 5), (12, 20), (140, 30)]),
            row(&[(150, 30), (0, 20), (140, 30)]),
            row(&[(150, 30), (12, 4), (140, 30)]),
            row(&[(10, 30), (1, 20), (10, 30)]),
            Vec::new(),
        ] {
            assert_eq!(stretch(&no), None, "{no:?}");
        }
    }
}
