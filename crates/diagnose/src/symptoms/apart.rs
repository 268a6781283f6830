//! Failures of two faults that happen to follow each other: other requests fail after a pause, while those that failed before are
//! served again.

use crate::evidence::{Evidence, Request};
use crate::names::{NONE, NameId};
use rustc_hash::{FxHashMap, FxHashSet};

/// A shorter time without failures is no pause, ms.
const PAUSE: i64 = 15_000;

/// So many failures on both sides tell that they are of different requests.
const ENOUGH: usize = 20;

/// One failing request: when it began, when it ended, for which masked path.
type Failed = (i64, i64, NameId);

/// Failing requests in pieces of one fault each, every piece in the order of the numbers that came in. What was served is looked up
/// among the requests of an edge.
pub(super) fn apart(evidence: &Evidence, served: impl Iterator<Item = Request>, affected: Vec<u32>) -> Vec<Vec<u32>> {
    let mut list: Vec<(u32, Failed)> = affected.iter().map(|i| (*i, of(evidence, *i))).collect();
    list.sort_unstable_by_key(|(i, (start, end, _))| (*end, *start, *i));
    let failed: Vec<Failed> = list.iter().map(|(_, failed)| *failed).collect();
    let cuts = pauses(&failed);
    if cuts.is_empty() {
        return vec![affected];
    }
    let served: Vec<(i64, NameId)> = served.filter(|r| r.of.status < 400).map(|r| (r.end, r.of.path)).collect();
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in cuts {
        if are_of_two(&failed[from..cut], &failed[cut..], &served) {
            pieces.push(list[from..cut].iter().map(|(i, _)| *i).collect());
            from = cut;
        }
    }
    pieces.push(list[from..].iter().map(|(i, _)| *i).collect());
    pieces.iter_mut().for_each(|piece: &mut Vec<u32>| piece.sort_unstable());
    pieces
}

/// Whether two sets of failing requests, with a pause between them, have no paths in common.
pub(super) fn are_strangers(evidence: &Evidence, a: &[u32], b: &[u32]) -> bool {
    let all = |list: &[u32]| list.iter().map(|i| of(evidence, *i)).collect::<Vec<Failed>>();
    let (a, b) = (all(a), all(b));
    let (Some(x), Some(y)) = (span(&a), span(&b)) else { return false };
    (x.0 - y.1).max(y.0 - x.1) >= PAUSE && have_other_paths(&a, &b)
}

fn of(evidence: &Evidence, number: u32) -> Failed {
    let r = evidence.request(number);
    (r.start, r.end, r.of.path)
}

fn span(list: &[Failed]) -> Option<(i64, i64)> {
    list.iter().map(|(start, end, _)| (*start, *end)).reduce(|(start, end), (a, b)| (start.min(a), end.max(b)))
}

/// Where in failures by their ends a pause lies: the number of the first behind it.
fn pauses(failed: &[Failed]) -> Vec<usize> {
    // What begins before the pause and ends behind it waited through it.
    let mut begun: Vec<i64> = failed.iter().map(|(start, ..)| *start).collect();
    for at in (1..begun.len()).rev() {
        begun[at - 1] = begun[at - 1].min(begun[at]);
    }
    (1..failed.len()).filter(|at| begun[*at] - failed[at - 1].1 >= PAUSE).collect()
}

/// Whether failures before a pause and those behind it are of other requests, and those of before were served meanwhile.
fn are_of_two(before: &[Failed], behind: &[Failed], served: &[(i64, NameId)]) -> bool {
    if !have_other_paths(before, behind) {
        return false;
    }
    let Some((from, to)) = span(behind) else { return false };
    let old: FxHashSet<NameId> = before.iter().map(|(.., path)| *path).collect();
    served.iter().filter(|(end, path)| (from..=to).contains(end) && old.contains(path)).count() >= ENOUGH.min(before.len()) / 4
}

/// Whether hardly a path of one side fails on the other: the shares that both give to the same paths sum up to less than a tenth.
fn have_other_paths(a: &[Failed], b: &[Failed]) -> bool {
    if a.len() < ENOUGH || b.len() < ENOUGH {
        return false;
    }
    let shares = |list: &[Failed]| {
        let mut shares: FxHashMap<NameId, f64> = FxHashMap::default();
        list.iter().for_each(|(.., path)| *shares.entry(*path).or_default() += 1.0 / list.len() as f64);
        shares
    };
    let (x, y) = (shares(a), shares(b));
    if x.contains_key(&NONE) || y.contains_key(&NONE) {
        return false;
    }
    let shared: f64 = x.iter().map(|(path, share)| share.min(*y.get(path).unwrap_or(&0.0))).sum();
    shared < 0.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Failures of a path, one a second, that each took half a second.
    fn burst(path: NameId, from: i64, count: i64) -> impl Iterator<Item = Failed> {
        (0..count).map(move |n| (from + n * 1000, from + n * 1000 + 500, path))
    }

    #[test]
    fn a_pause_is_one_through_which_nobody_waited() {
        let two: Vec<Failed> = burst(1, 0, 30).chain(burst(2, 50_000, 30)).collect();
        assert_eq!(pauses(&two), [30]);
        let waited: Vec<Failed> = burst(1, 0, 30).chain([(20_000, 50_000, 1)]).chain(burst(2, 50_000, 30)).collect();
        assert_eq!(pauses(&waited), [] as [usize; 0]);
        assert_eq!(pauses(&burst(1, 0, 90).collect::<Vec<_>>()), [] as [usize; 0]);
    }

    #[test]
    fn two_faults_fail_other_requests_while_the_first_are_served_again() {
        let (first, second): (Vec<_>, Vec<_>) = (burst(1, 0, 30).collect(), burst(2, 50_000, 30).collect());
        let served: Vec<(i64, NameId)> = (50..80).map(|s| (s * 1000, 1)).collect();
        assert!(are_of_two(&first, &second, &served));
        // Nobody asked for the first path again, the same requests fail again, or a few.
        assert!(!are_of_two(&first, &second, &[]));
        assert!(!are_of_two(&first, &burst(1, 50_000, 30).collect::<Vec<_>>(), &served));
        assert!(!are_of_two(&first, &burst(2, 50_000, 10).collect::<Vec<_>>(), &served));
        let mixed: Vec<Failed> = burst(2, 50_000, 30).chain(burst(1, 60_000, 10)).collect();
        assert!(!are_of_two(&first, &mixed, &served));
        assert!(!are_of_two(&burst(NONE, 0, 30).collect::<Vec<_>>(), &second, &[(60_000, NONE); 30]));
    }
}
