//! Whose lines come with the failing requests, second by second: who writes them has a part in these requests, also where nothing else ties its
//! logs to them.

use crate::activity::Activity;
use crate::evidence::Evidence;
use crate::symptoms::Incident;
use std::collections::BTreeSet;

/// Fewer lines, or failing requests, show nothing.
const FEW: f64 = 20.0;
/// So many seconds are needed, and more are not looked at.
const SECONDS: std::ops::RangeInclusive<i64> = 30..=20_000;
/// Lines may be written for some of the requests only, or several for each.
const RATIO: f64 = 4.0;
/// The smallest correlation that counts; of few seconds a higher one is needed, four times what chance brings.
const CORRELATION: f64 = 0.4;
const CHANCE: f64 = 4.0;
/// Both must be there in so many seconds.
const OFTEN: usize = 10;

/// The places that lines accuse which come with the failing requests.
pub(crate) fn places(evidence: &Evidence, incident: &Incident, activities: &[Activity]) -> BTreeSet<String> {
    let (from, to) = (incident.onset.div_euclid(1000), incident.end.div_euclid(1000));
    let mut places = BTreeSet::new();
    if !SECONDS.contains(&(to - from)) {
        return places;
    }
    let at = |second: i64| usize::try_from(second - from).ok();
    let mut failing = vec![0.0; at(to + 1).unwrap_or(0)];
    for r in incident.affected().iter().map(|i| evidence.request(*i)).filter(|r| r.failed() || r.of.status >= 400) {
        at(r.end.div_euclid(1000)).and_then(|at| failing.get_mut(at)).into_iter().for_each(|n| *n += 1.0);
    }
    let all: f64 = failing.iter().sum();
    if all < FEW {
        return places;
    }
    for activity in activities.iter().filter(|a| a.note.is_none() && !a.shown && a.hits as f64 >= FEW) {
        if activity.place.starts_with("client:") || places.contains(&activity.place) {
            continue;
        }
        let mut lines = vec![0.0; failing.len()];
        let within =
            |bins: &'_ [(i64, u32)]| bins.partition_point(|(second, _)| *second < from)..bins.partition_point(|(second, _)| *second <= to);
        let all_series = activity.series.iter().filter_map(|i| evidence.series.get(*i));
        for (second, n) in all_series.flat_map(|series| series.bins.get(within(&series.bins)).unwrap_or(&[])) {
            at(*second).and_then(|at| lines.get_mut(at)).into_iter().for_each(|sum| *sum += f64::from(*n));
        }
        let written: f64 = lines.iter().sum();
        if written >= FEW && written <= all * RATIO && all <= written * RATIO && come_together(&failing, &lines) {
            places.insert(activity.place.clone());
        }
    }
    places
}

/// Around an incident so long (ms) is looked, at the least, for requests that were served.
const AROUND: i64 = 60_000;
/// Fewer requests that fail show nothing of a state.
const SOME: usize = 10;

/// Those of some places that were in a state (a broker blocks who publishes) whenever requests failed, and only then: nearly all that fail touch a
/// stretch of it, and of the requests for the same paths that were served hardly one does.
pub(crate) fn in_state(evidence: &Evidence, incident: &Incident, activities: &[Activity], of: &BTreeSet<String>) -> BTreeSet<String> {
    let states: Vec<&Activity> = activities.iter().filter(|a| !a.lies.is_empty() && of.contains(&a.place)).collect();
    let affected = incident.affected();
    if states.is_empty() || affected.len() < SOME {
        return BTreeSet::new();
    }
    let around = AROUND.max(incident.end - incident.onset);
    let mut failing: Vec<(i64, i64)> = Vec::new();
    let (mut paths, mut logs) = (BTreeSet::new(), BTreeSet::new());
    for r in affected.iter().map(|i| evidence.request(*i)) {
        failing.push((r.start, r.end));
        paths.insert(r.of.path);
        logs.insert(evidence.log_of(r.of.source));
    }
    let kinds = evidence.requests.choose(|kind| logs.contains(&evidence.log_of(kind.source)));
    let near = evidence.requests.ended(&kinds, incident.onset - around, incident.end + around);
    let others = near.filter(|(i, r)| paths.contains(&r.of.path) && affected.binary_search(i).is_err());
    let others: Vec<(i64, i64)> = others.map(|(_, r)| (r.start, r.end)).collect();
    let fits = |state: &&&Activity| come_with_state(&state.lies, &failing, &others);
    states.iter().filter(fits).map(|state| state.place.clone()).collect()
}

/// Whether requests from one time (ms) to another that fail touch the stretches (s) of a state, and others do not.
fn come_with_state(lies: &[(i64, i64)], failing: &[(i64, i64)], others: &[(i64, i64)]) -> bool {
    let is_in = |(start, end): &&(i64, i64)| lies.iter().any(|(from, to)| *end >= from * 1000 && *start < (to + 1) * 1000);
    let (ill, well) = (failing.iter().filter(is_in).count(), others.iter().filter(is_in).count());
    ill * 10 >= failing.len() * 9 && well * 3 <= ill && others.len() - well >= SOME * 2
}

/// Whether two counts rise and fall together from one second to the next, one perhaps a second after the other. What both do over minutes is left
/// out: everything fails while an outage lasts.
fn come_together(a: &[f64], b: &[f64]) -> bool {
    let often = |list: &[f64]| list.iter().filter(|n| **n > 0.0).count() >= OFTEN;
    if !often(a) || !often(b) {
        return false;
    }
    let (a, b) = (steps(a), steps(b));
    let enough = CORRELATION.max(CHANCE / (a.len() as f64).sqrt());
    let late = |x: &[f64], y: &[f64]| correlation(x.get(1..).unwrap_or(&[]), y.get(..y.len().saturating_sub(1)).unwrap_or(&[]));
    [correlation(&a, &b), late(&a, &b), late(&b, &a)].into_iter().any(|r| r >= enough)
}

/// Steps from second to second. The largest tenth counts no more than the rest, so that one burst that both share is no pattern.
fn steps(list: &[f64]) -> Vec<f64> {
    let mut steps: Vec<f64> = list.windows(2).map(|w| w[1] - w[0]).collect();
    let mut sizes: Vec<f64> = steps.iter().map(|step| step.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let most = sizes.get(sizes.len() * 9 / 10).copied().unwrap_or(0.0).max(1.0);
    steps.iter_mut().for_each(|step| *step = step.clamp(-most, most));
    steps
}

/// Pearson's coefficient of correlation.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let mean = |list: &[f64]| list.iter().sum::<f64>() / n;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(x, y)| f(x - ma, y - mb)).sum::<f64>();
    let spread = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    if spread > 0.0 { sum(&|x, y| x * y) / spread } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of a second without a pattern.
    fn counts(mut seed: u64) -> impl FnMut() -> f64 {
        move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((seed >> 33) % 5) as f64
        }
    }

    #[test]
    fn requests_fail_while_a_state_lasts_and_are_served_between() {
        let each =
            |from: i64, to: i64, step: i64| (from..to).step_by(step as usize).map(|s| (s * 1000, s * 1000 + 400)).collect::<Vec<_>>();
        let lies = [(100, 120), (140, 150)];
        let failing: Vec<(i64, i64)> = each(100, 120, 1).into_iter().chain(each(141, 150, 1)).collect();
        let others: Vec<(i64, i64)> = each(40, 99, 2).into_iter().chain(each(122, 139, 2)).collect();
        assert!(come_with_state(&lies, &failing, &others));
        // Others are served all through it; it lasts all the time; requests fail between as well.
        assert!(!come_with_state(&lies, &failing, &[others.clone(), each(100, 150, 2)].concat()));
        assert!(!come_with_state(&[(0, 200)], &failing, &others));
        assert!(!come_with_state(&lies, &[failing, each(122, 130, 1)].concat(), &others));
    }

    #[test]
    fn lines_of_the_same_requests_come_together() {
        let mut next = counts(1);
        let failing: Vec<f64> = (0..120).map(|_| next()).collect();
        let late: Vec<f64> = std::iter::once(0.0).chain(failing.iter().copied()).take(120).collect();
        let twice: Vec<f64> = failing.iter().map(|n| n * 2.0).collect();
        assert!(come_together(&failing, &late) && come_together(&failing, &twice) && come_together(&late, &failing));
        let mut next = counts(2);
        let others: Vec<f64> = (0..120).map(|_| next()).collect();
        assert!(!come_together(&failing, &others));
        // A burst that both have in common, in the middle or at the beginning.
        let burst =
            |list: &[f64], at: usize, n: f64| list.iter().enumerate().map(|(i, old)| if i == at { n } else { *old }).collect::<Vec<f64>>();
        assert!(!come_together(&burst(&failing, 50, 25.0), &burst(&others, 50, 25.0)));
        assert!(!come_together(&burst(&failing, 0, 40.0), &burst(&others, 0, 30.0)));
        // An outage that both have in common.
        let rise = |list: &[f64]| -> Vec<f64> { list.iter().enumerate().map(|(i, n)| n + if i > 60 { 20.0 } else { 0.0 }).collect() };
        let (mut a, mut b) = (rise(&failing), rise(&others));
        a.drain(55..65);
        b.drain(55..65);
        assert!(!come_together(&a[56..], &b[56..]));
        assert!(!come_together(&[], &[]) && !come_together(&[1.0; 60], &[2.0; 60]));
    }
}
