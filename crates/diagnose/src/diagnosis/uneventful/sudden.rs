//! What comes all of a sudden beside requests that are all served: many lines of one fault between two silences, and the first exception that a
//! service ever raised. An application may hide from its users what fails behind it, by a page that says so politely.

use super::{STRONG, Within};
use crate::evidence::Evidence;
use crate::groups::Group;
use crate::rules::{Pack, SignalId};
use crate::symptoms::told::is_said_by_proxy;
use std::collections::BTreeSet;

/// Faults of which many lines in one stretch are worth a look, and so many.
const OF_MANY: [&str; 4] = ["host.permission-denied", "db.unavailable", "cache.unavailable", "queue.unavailable"];
const MANY: u64 = 50;
/// The fault that exceptions speak of, evidence of which has at least the weight of `supporting`.
const EXCEPTIONS: &str = "app.unhandled-exception";
const SUPPORTING: f64 = 1.38;
/// One exception is told in so many lines and seconds at the most.
const LINES: u64 = 3;
const AT_ONCE: i64 = 5;

/// The weight of the signal of a group and the fault that it speaks of, where it came all of a sudden.
pub(super) fn strength(pack: &Pack, evidence: &Evidence, group: &Group) -> Option<(f64, usize)> {
    let series = || group.series.iter().filter_map(|number| evidence.series.get(*number));
    let (weight, fault) = of_many(pack, group.signal).or_else(|| of_exceptions(pack, group.signal))?;
    // What strangers do to a web server stands in its log all day.
    if series().any(|s| is_said_by_proxy(evidence, s)) {
        return None;
    }
    let within = Within::of(evidence, group).filter(|within| within.is_alone() && within.is_part(2))?;
    let hits: u64 = series().map(|s| s.total()).sum();
    let is_sudden = match pack.fault(EXCEPTIONS) == Some(fault) {
        true => hits <= LINES && within.last - within.first <= AT_ONCE && is_first(pack, evidence, group, &within),
        false => hits >= MANY,
    };
    is_sudden.then_some((weight, fault))
}

fn of_many(pack: &Pack, signal: SignalId) -> Option<(f64, usize)> {
    let faults = OF_MANY.iter().filter_map(|id| pack.fault(id));
    let weights = faults.flat_map(|number| pack.faults[number].evidence.iter().map(move |e| (e, number)));
    let strong = weights.filter(|(e, _)| e.signal == signal && e.weight >= STRONG).map(|(e, number)| (e.weight, number));
    strong.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
}

fn of_exceptions(pack: &Pack, signal: SignalId) -> Option<(f64, usize)> {
    let number = pack.fault(EXCEPTIONS)?;
    let weight = pack.faults[number].evidence.iter().find(|e| e.signal == signal)?.weight;
    (weight >= SUPPORTING).then_some((weight, number))
}

/// Whether its machine raised no exception of any kind at any other time.
fn is_first(pack: &Pack, evidence: &Evidence, group: &Group, within: &Within) -> bool {
    let hosts: BTreeSet<u32> = group.series.iter().filter_map(|number| evidence.series.get(*number)).map(|s| s.host).collect();
    let others = evidence.series.iter().filter(|s| hosts.contains(&s.host) && of_exceptions(pack, s.signal).is_some());
    let near = within.first - AT_ONCE..=within.last + AT_ONCE;
    others.flat_map(|s| &s.bins).all(|(second, _)| near.contains(second))
}
