//! Activities that output of commands shows. A command is run when somebody looks, mostly after the trouble began and often after
//! it ended; so a state has no beginning that is known, and its time says little about whether it belongs to the incident.

use crate::activity::{AFTER, Activity, BEFORE, begun, place, timing};
use crate::evidence::{Evidence, Series};
use crate::rules::{Pack, SignalId};
use crate::snapshot::Telling;
use crate::symptoms::Incident;
use crate::topology::Topology;
use std::collections::BTreeMap;

/// A command that was run this long (ms) before the first symptom still shows the trouble.
const LEAD: i64 = 15_000;
/// Of a state that was there before the trouble began.
const EARLIER: f64 = 0.4;
/// Of a state that was seen after the trouble was over.
const LATER: f64 = 0.7;
/// The least for an event within the incident: the output often names only the last of many.
const WITHIN: f64 = 0.6;

/// The activities, in a stable order.
pub fn activities(evidence: &Evidence, topology: &Topology, pack: &Pack, incident: &Incident) -> Vec<Activity> {
    let mut groups: BTreeMap<(SignalId, String, Telling), Vec<usize>> = BTreeMap::new();
    for (i, series) in evidence.shown.iter().enumerate() {
        let place = place(topology, evidence.text(series.entity), evidence.text(series.host));
        groups.entry((series.signal, place, series.telling)).or_default().push(i);
    }
    let is_over = |(signal, place, telling): &(SignalId, String, Telling), list: &[usize]| {
        let until = pack.signals.get(*signal as usize).map_or(&[][..], |signal| &signal.until);
        let ends = until.iter().filter_map(|end| groups.get(&(*end, place.clone(), *telling))).flatten();
        let seconds = |number: &usize| evidence.shown[*number].bins.iter().map(|bin| bin.0);
        let before = |second: &i64| *second * 1000 < incident.onset;
        let last = list.iter().flat_map(seconds).filter(before).max();
        let none_later = !list.iter().flat_map(seconds).any(|second| !before(&second));
        none_later && ends.flat_map(seconds).filter(before).max() >= last
    };
    let lasting = groups.iter().filter(|(key, list)| key.2 == Telling::State || !is_over(key, list));
    lasting
        .filter_map(|((signal, place, telling), list)| match telling {
            Telling::State => state(evidence, incident, *signal, place.clone(), list.clone()),
            _ => dated(evidence, pack, incident, *signal, place.clone(), list.clone()),
        })
        .collect()
}

/// Lines of the samples of some series.
fn lines<'e>(series: impl Iterator<Item = &'e Series>) -> Vec<(u32, u32)> {
    let mut list: Vec<(u32, u32)> = series.flat_map(|s| s.samples.iter().map(|x| (s.source as u32, x.line))).collect();
    list.sort_unstable();
    list.dedup();
    list.truncate(20);
    list
}

fn entity(evidence: &Evidence, list: &[usize]) -> String {
    let most = list.iter().max_by_key(|i| (evidence.shown[**i].total(), std::cmp::Reverse(**i)));
    most.map_or_else(String::new, |i| evidence.text(evidence.shown[*i].entity).to_string())
}

/// How things stood when somebody looked: of several looks the one that fits the incident best.
fn state(evidence: &Evidence, incident: &Incident, signal: SignalId, place: String, list: Vec<usize>) -> Option<Activity> {
    let over = evidence.whole().is_some_and(|(_, end)| end * 1000 - incident.end > 10_000);
    let worth = |seen: i64| -> f64 {
        if seen < incident.onset - LEAD {
            EARLIER
        } else if over && seen > incident.end + 60_000 {
            LATER
        } else {
            1.0
        }
    };
    let looks = list.iter().flat_map(|i| evidence.shown[*i].bins.iter().map(|(s, _)| s * 1000));
    let collected = looks.max_by(|a, b| worth(*a).total_cmp(&worth(*b)).then(b.cmp(a)))?;
    Some(Activity {
        signal,
        entity: entity(evidence, &list),
        place,
        onset: incident.onset,
        last: incident.end,
        hits: list.iter().map(|i| evidence.shown[*i].total()).sum(),
        gain: 1.0,
        timing: worth(collected),
        of_incident: false,
        cite: lines(list.iter().map(|i| &evidence.shown[*i])),
        series: list,
        note: None,
        covers: None,
        lies: Vec::new(),
        outlasts: false,
        collected: Some(collected),
        shown: true,
    })
}

/// What happened at a time that the output names.
fn dated(evidence: &Evidence, pack: &Pack, incident: &Incident, signal: SignalId, place: String, list: Vec<usize>) -> Option<Activity> {
    let (from, to) = ((incident.onset - BEFORE).div_euclid(1000), (incident.end + AFTER).div_euclid(1000));
    let seconds = || list.iter().flat_map(|i| evidence.shown[*i].bins.iter()).filter(|(s, _)| (from..=to).contains(s));
    let onset = begun(pack, signal, seconds().map(|(s, _)| *s).min()? * 1000, incident);
    let last = seconds().map(|(s, _)| *s).max()? * 1000;
    let near = timing(onset, incident);
    Some(Activity {
        signal,
        entity: entity(evidence, &list),
        place,
        onset,
        last,
        hits: seconds().map(|(_, n)| u64::from(*n)).sum(),
        gain: 1.0,
        timing: if onset > incident.onset { near.max(WITHIN) } else { near },
        of_incident: false,
        cite: lines(list.iter().map(|i| &evidence.shown[*i])),
        series: list,
        note: None,
        covers: None,
        lies: Vec::new(),
        outlasts: false,
        collected: None,
        shown: true,
    })
}
