//! Where no request is logged at all: stretches of time in which programs complain of what decides about a fault, after they had been silent of
//! it. Nobody can say what users felt then, but why something went wrong can be asked all the same.

use super::Incident;
use super::told::is_said_by_proxy;
use crate::evidence::Evidence;
use crate::groups::Groups;
use crate::rules::{Pack, SignalId};
use std::collections::{BTreeMap, BTreeSet};

/// Evidence of this weight (the logarithm of 20) speaks of the fault itself.
const TELLING: f64 = 2.99;
/// Its machine said nothing of the kind for so long (s) before, and for so many times the longest pause between two of its lines.
const SILENT: i64 = 60;
const PAUSES: i64 = 3;
/// So many lines are a stretch; a state that lasts is one from its first line on.
const ENOUGH: u64 = 10;
/// What lies no further apart (s) is one stretch.
const APART: i64 = 60;
/// No more stretches are told.
const MOST: usize = 3;
/// Faults that are no trouble by themselves: somebody does so every day, and mostly it is meant.
const EVERYDAY: [&str; 5] = ["client.", "security.", "change.", "app.process-down", "host.reboot"];

/// What complains of something on one machine.
struct Complaint<'e> {
    host: &'e str,
    first: i64,
    last: i64,
    hits: u64,
    lasts: bool,
}

/// The stretches, none where any request is logged.
pub(crate) fn find(evidence: &Evidence, pack: &Pack, groups: &Groups) -> Vec<Incident> {
    if !evidence.requests.is_empty() {
        return Vec::new();
    }
    let faults = pack.faults.iter().filter(|fault| !fault.symptom && !EVERYDAY.iter().any(|id| fault.id.starts_with(id)));
    let telling: BTreeSet<SignalId> = faults.flat_map(|fault| &fault.evidence).filter(|e| e.weight >= TELLING).map(|e| e.signal).collect();
    let mut all: Vec<Complaint<'_>> = Vec::new();
    for group in groups.all.iter().filter(|group| telling.contains(&group.signal)) {
        all.extend(complaint(evidence, pack, groups, group));
    }
    let mut stretches = together(all);
    stretches.sort_by_key(|stretch| std::cmp::Reverse(stretch.hits));
    stretches.truncate(MOST);
    stretches.sort_by_key(|stretch| stretch.first);
    let incident = |s: Complaint<'_>| Incident { symptoms: Vec::new(), onset: s.first * 1000, end: (s.last + 1) * 1000, wait: 0 };
    stretches.into_iter().map(incident).collect()
}

fn complaint<'e>(evidence: &'e Evidence, pack: &Pack, groups: &Groups, group: &crate::groups::Group) -> Option<Complaint<'e>> {
    let series = || group.series.iter().filter_map(|number| evidence.series.get(*number));
    if series().any(|s| evidence.is_baseline(s.source)) {
        return None;
    }
    // What strangers do to a web server stands in its log all day.
    if series().any(|s| is_said_by_proxy(evidence, s)) {
        return None;
    }
    let host = series().next().and_then(|s| evidence.sources.get(s.source))?.host.as_str();
    let (begin, end) = evidence.span_of(|source| source.host == host)?;
    let seconds = group.bins.seconds(i64::MIN, i64::MAX);
    let (first, last) = (*seconds.first()?, *seconds.last()?);
    let pause = seconds.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    if first - begin < SILENT.max(PAUSES * pause) {
        return None;
    }
    let hits = series().map(|s| s.total()).sum();
    let until = pack.signals.get(group.signal as usize).map_or(&[][..], |signal| &signal.until);
    let ends = until.iter().flat_map(|signal| groups.at(*signal, &group.place)).filter_map(|number| evidence.series.get(number));
    let ended = ends.flat_map(|s| s.bins.iter().map(|bin| bin.0)).filter(|second| *second > last).min();
    let last = if until.is_empty() { last } else { ended.unwrap_or(end) };
    Some(Complaint { host, first, last, hits, lasts: !until.is_empty() && last - first >= SILENT })
}

/// Complaints of a machine that lie together, as far as they are enough; then those of all machines.
fn together(mut all: Vec<Complaint<'_>>) -> Vec<Complaint<'_>> {
    let mut by_host: BTreeMap<&str, Vec<Complaint<'_>>> = BTreeMap::new();
    all.sort_by_key(|c| (c.first, c.last));
    for complaint in all {
        join(by_host.entry(complaint.host).or_default(), complaint);
    }
    let mut enough: Vec<Complaint<'_>> = by_host.into_values().flatten().filter(|c| c.hits >= ENOUGH || c.lasts).collect();
    enough.sort_by_key(|c| (c.first, c.last));
    let mut joined = Vec::new();
    enough.into_iter().for_each(|complaint| join(&mut joined, complaint));
    joined
}

/// Adds one that begins no earlier than those before it.
fn join<'e>(list: &mut Vec<Complaint<'e>>, complaint: Complaint<'e>) {
    match list.last_mut().filter(|before| complaint.first - before.last <= APART) {
        Some(before) => {
            before.last = before.last.max(complaint.last);
            before.hits += complaint.hits;
            before.lasts |= complaint.lasts;
        }
        None => list.push(complaint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(host: &str, first: i64, last: i64, hits: u64, lasts: bool) -> Complaint<'_> {
        Complaint { host, first, last, hits, lasts }
    }

    #[test]
    fn few_lines_are_no_stretch_but_a_state_is_one() {
        let stretches = |all| together(all).iter().map(|c| (c.first, c.last, c.hits)).collect::<Vec<_>>();
        assert_eq!(stretches(vec![complaint("a", 0, 10, 4, false), complaint("a", 50, 90, 5, false)]), []);
        assert_eq!(stretches(vec![complaint("a", 0, 10, 4, false), complaint("a", 50, 90, 6, false)]), [(0, 90, 10)]);
        assert_eq!(stretches(vec![complaint("a", 0, 10, 6, false), complaint("b", 5, 90, 6, false)]), []);
        assert_eq!(stretches(vec![complaint("a", 0, 900, 1, true), complaint("b", 100, 200, 12, false)]), [(0, 900, 13)]);
        assert_eq!(stretches(vec![complaint("a", 0, 10, 12, false), complaint("b", 100, 200, 12, false)]), [(0, 10, 12), (100, 200, 12)]);
    }
}
