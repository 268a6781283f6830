//! Addresses that are asked for although their name stands for another one by now.

use super::View;
use crate::entity::{endpoint, parts};
use crate::evidence::{Named, Series};
use crate::names::NONE;
use std::collections::{BTreeMap, BTreeSet};
use whyline_event::address;

/// The fault whose evidence tells of addresses that fail.
const FAULT: &str = "dns.stale-record";
/// The name stood for another address by so many seconds behind the first failure.
const ROUGHLY: i64 = 10;

/// A name that moved.
struct Moved<'e> {
    name: &'e str,
    /// Where it stood, by a name server or by whoever calls it.
    old: BTreeSet<&'e str>,
    new: &'e str,
    /// The first word of the new address.
    since: &'e Named,
    /// Who spoke of an old one as the address to call: host and service.
    believers: BTreeSet<(&'e str, &'e str)>,
    /// A line that tells the old address.
    before: Option<(u32, u32)>,
}

/// Failing addresses which a name had until it was moved, and services that call a moved name by its old address and fail.
pub(super) fn measure(view: &mut View<'_>) {
    let evidence = view.evidence;
    let Some(fault) = view.pack.fault(FAULT) else { return };
    let onset = view.incident.onset.div_euclid(1000);
    let moved = moved(view, onset + ROUGHLY);
    if moved.is_empty() {
        return;
    }
    let telling: BTreeSet<u32> = view.pack.faults[fault].evidence.iter().filter(|e| e.weight > 0.0).map(|e| e.signal).collect();
    let (from, to) = (onset - ROUGHLY, view.incident.end.div_euclid(1000) + 1);
    let mut failing: BTreeMap<String, (i64, u64)> = BTreeMap::new();
    let mut note = |entity: &str, second: i64, n: u64| {
        let (first, count) = failing.entry(entity.to_string()).or_insert((second, 0));
        (*first, *count) = ((*first).min(second), *count + n);
    };
    let first = |series: &Series| series.bins.iter().map(|bin| bin.0).find(|second| *second >= from);
    for series in evidence.series.iter().filter(|series| telling.contains(&series.signal) && series.within(from, to) > 0) {
        first(series).into_iter().for_each(|second| note(evidence.text(series.entity), second, series.within(from, to)));
    }
    for request in view.affected.iter().map(|number| view.request(*number)) {
        if request.of.upstream != NONE && matches!(request.of.status, 502..=504) {
            note(&endpoint(evidence.text(request.of.upstream)), request.end.div_euclid(1000), 1);
        }
    }
    let address_of = |entity: &str| {
        let (kind, text, _) = parts(entity);
        matches!(kind, "addr" | "name").then(|| address::split_port(text).0.to_string())
    };
    let mut found = Vec::new();
    for moved in &moved {
        if failing.keys().any(|entity| address_of(entity).as_deref() == Some(moved.new)) {
            continue;
        }
        for (entity, (first, n)) in &failing {
            let is_old = address_of(entity).is_some_and(|address| moved.old.contains(address.as_str()));
            if is_old {
                found.push((moved, entity.clone(), *first, *n));
            }
            // Whom it calls is not told where it fails, but elsewhere.
            if let ("dependency" | "service", service, Some(host)) = parts(entity)
                && moved.believers.contains(&(host, service))
            {
                found.push((moved, format!("dependency:{service}@{host}"), *first, *n));
            }
        }
    }
    let mut list = Vec::new();
    for (moved, entity, first, n) in found {
        let old = moved.old.iter().copied().collect::<Vec<_>>().join(", ");
        let note = format!("{} stands for {} since then, in place of {old}, which is still asked for: {n} failures", moved.name, moved.new);
        let cite = moved.before.into_iter().chain([moved.since.first.1]).collect();
        list.push((entity, first * 1000, note, cite));
    }
    for (entity, onset, note, cite) in list {
        view.add("dns.old-address-asked", entity, onset, note, cite);
    }
}

/// Names that a name server gave another address by a second, and the old one never again.
fn moved<'e>(view: &View<'e>, by: i64) -> Vec<Moved<'e>> {
    let evidence = view.evidence;
    let mut names: BTreeMap<&str, Vec<&Named>> = BTreeMap::new();
    for told in &evidence.named {
        names.entry(evidence.text(told.name)).or_default().push(told);
    }
    names.into_iter().filter_map(|(name, told)| one(view, name, &told, by)).collect()
}

fn one<'e>(view: &View<'e>, name: &'e str, told: &[&'e Named], by: i64) -> Option<Moved<'e>> {
    let text = |told: &Named| view.evidence.text(told.address);
    let answers = || told.iter().copied().filter(|told| told.is_answer);
    let since = answers().max_by_key(|told| (told.last.0, told.first.0))?;
    let new = text(since);
    let begun = answers().filter(|told| text(told) == new).map(|told| told.first.0).min()?;
    let others = || answers().filter(|told| text(told) != new);
    // One of several addresses is no move.
    if begun > by || others().any(|told| told.last.0 >= begun) {
        return None;
    }
    let callers = || told.iter().copied().filter(|told| !told.is_answer && text(told) != new);
    let old: BTreeSet<&str> = others().chain(callers()).map(text).collect();
    let writer = |told: &Named| (view.evidence.text(told.writer.0), view.evidence.text(told.writer.1));
    let followed: BTreeSet<_> = told.iter().filter(|told| !told.is_answer && text(told) == new).map(|told| writer(told)).collect();
    let believers = callers().map(writer).filter(|writer| !followed.contains(writer)).collect();
    let before = others().chain(callers()).map(|told| told.last.1).next();
    let since = answers().filter(|told| text(told) == new).min_by_key(|told| told.first.0)?;
    (!old.is_empty()).then_some(Moved { name, old, new, since, believers, before })
}
