//! Addresses that are asked for although their name stands for another one by now.

use super::View;
use crate::entity::{endpoint, parts};
use crate::evidence::{Named, Series};
use crate::names::{NONE, NameId};
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
    if found.is_empty() {
        let all: Vec<_> = moved.iter().filter_map(|moved| Some((moved, replaced(view, moved)?))).collect();
        for (moved, (from, to)) in all {
            let note = format!(
                "{} stands for {} since then, where {to} answers; {from}, which answered until then, is gone",
                moved.name, moved.new
            );
            let cite = moved.before.into_iter().chain([moved.since.first.1]).collect();
            view.add("dns.old-address-asked", format!("host:{from}"), view.incident.onset, note, cite);
        }
        return;
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

/// So many requests show who answers.
const ANSWERS: usize = 20;
/// The old machine ends with the beginning of the trouble, give or take so long (ms).
const AT_ONCE: i64 = 5_000;
/// A new machine begins to answer so long (ms) before its name stands for it, or later.
const READY: i64 = 60_000;

/// Two machines of which the one answered until the trouble began, and the other answers the same since about the move.
fn replaced(view: &View<'_>, moved: &Moved<'_>) -> Option<(String, String)> {
    let evidence = view.evidence;
    let onset = view.incident.onset;
    let whole_end = evidence.whole()?.1 * 1000;
    let mut hosts: BTreeMap<NameId, (i64, i64, usize)> = BTreeMap::new();
    for (kind, sum) in evidence.requests.all_kinds().filter(|(kind, _)| kind.host != NONE) {
        let (first, last, n) = hosts.entry(kind.host).or_insert((i64::MAX, i64::MIN, 0));
        (*first, *last, *n) = ((*first).min(sum.ended.0), (*last).max(sum.ended.1), *n + sum.rows);
    }
    hosts.retain(|_, (.., n)| *n >= ANSWERS);
    let ends = |(_, last, _): &(i64, i64, usize)| (last - onset).abs() <= AT_ONCE && whole_end - last > 2 * AT_ONCE;
    let since = moved.since.first.0 * 1000;
    let begins = |(first, ..): &(i64, i64, usize)| *first >= since - READY && *first <= onset + AT_ONCE;
    let only = |which: &dyn Fn(&(i64, i64, usize)) -> bool| {
        let mut all = hosts.iter().filter(|(_, stretch)| which(stretch)).map(|(host, _)| *host);
        all.next().filter(|_| all.next().is_none())
    };
    let (old, new) = (only(&ends)?, only(&begins)?);
    let paths = |host: NameId| -> BTreeSet<NameId> {
        let kinds = evidence.requests.choose(|kind| kind.host == host);
        evidence.requests.of(&kinds).map(|(_, r)| r.of.path).collect()
    };
    let (was, is) = (paths(old), paths(new));
    let shared = is.iter().filter(|path| was.contains(path)).count();
    (old != new && shared * 2 >= is.len()).then(|| (evidence.text(old).to_string(), evidence.text(new).to_string()))
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
