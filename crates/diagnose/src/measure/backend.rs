//! What the services behind the proxy say of the same time.

use super::{View, quantile};
use crate::entity::of_service;
use crate::evidence::Request;
use crate::names::{NONE, NameId};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn measure(view: &mut View<'_>) {
    let hosts = behind(view);
    let failing = Failing::of(view);
    let several = hosts.len().max(1);
    for (host, requests) in &hosts {
        // Where nobody knows which request went where, each had its share.
        let requests = if *requests > 0 { *requests } else { view.affected.len() / several };
        own(view, host, requests, &failing);
    }
    silent(view);
    late_success(view);
}

/// Hosts that the failing requests went to, and how many went there; where that is unknown, all hosts that the edge calls.
fn behind(view: &View<'_>) -> BTreeMap<String, usize> {
    let mut endpoints: BTreeMap<NameId, usize> = BTreeMap::new();
    for of in view.affected.iter().map(|i| view.request(*i).of) {
        let endpoint = if of.server != NONE { of.server } else { of.upstream };
        *endpoints.entry(endpoint).or_default() += 1;
        if of.server != NONE && of.upstream != NONE {
            endpoints.entry(of.upstream).or_default();
        }
    }
    endpoints.remove(&NONE);
    let mut hosts: BTreeMap<String, usize> = BTreeMap::new();
    for (endpoint, n) in endpoints {
        if let Some(host) = view.topology.behind(view.evidence.text(endpoint)) {
            *hosts.entry(host).or_default() += n;
        }
    }
    if hosts.is_empty() {
        for edge in view.incident.hosts() {
            hosts.extend(view.topology.calls.iter().filter(|(c, _)| c == edge).map(|(_, callee)| (callee.clone(), 0)));
        }
    }
    hosts
}

/// A backend's own requests: does it answer, and how fast?
fn own(view: &mut View<'_>, host: &str, requests_failed: usize, failing: &Failing) {
    let (onset, end) = (view.incident.onset, view.incident.end);
    let id = view.evidence.names.find(host);
    let edges = view.incident.hosts().contains(host);
    let requests = &view.evidence.requests;
    let mine = requests.choose(|kind| Some(kind.host) == id && !(edges && kind.access));
    let first = requests.kinds(&mine).map(|(_, sum)| sum.ended.0).min().unwrap_or(onset);
    let during: Vec<Request> = requests.ended(&mine, onset, end + 5_000).map(|(_, r)| r).collect();
    let good = during.iter().filter(|r| r.of.status < 500).count();
    let seconds = ((end - onset) as f64 / 1000.0).max(1.0);
    let before_seconds = ((onset - first) as f64 / 1000.0).max(1.0);
    // Of a path that few ask for, all the others say nothing; and a service may not log what it never answered.
    let of_failing: Vec<Request> = during.iter().copied().filter(|r| failing.paths.contains(&r.of.path)).collect();
    let are_many = !failing.are_known || of_failing.len() * 2 >= during.len();
    let asked = if are_many { during.clone() } else { of_failing };
    let (slow, all, example, before) = slower(view.before(&mine), &during, &asked);
    let usual = before as f64 / before_seconds;
    let service = requests.kinds(&mine).min_by_key(|(_, sum)| sum.first);
    let service = service.map_or("", |(kind, _)| view.evidence.text(kind.service)).to_string();
    let entity = of_service(&service, host);
    let cite: Vec<(u32, u32)> = during.iter().filter(|r| r.of.status < 500).take(2).map(|r| (r.of.source, r.of.line)).collect();
    // Answers must come from the whole stretch, not from its edges only.
    let thirds: BTreeSet<i64> = during.iter().filter(|r| r.of.status < 500).map(|r| (r.end - onset) * 4 / (end - onset).max(1)).collect();
    let bad = during.len() - good;
    let found_serves = good >= 8 && thirds.len() >= 3 && good as f64 / seconds >= 0.15 * usual && bad * 5 <= good;
    let note = format!("{good} answers without an error in {seconds:.0} s");
    if found_serves {
        view.add("backend.serves", entity.clone(), onset, note, cite.clone());
    }
    let stalls = stalls(view, &during, usual)
        .map(|(holes, cite)| (format!("it ended no request at all while failing or slow ones waited, {holes} times apart"), cite))
        .or_else(|| pauses(view, &during, usual));
    if let Some((note, cite)) = &stalls {
        view.add("backend.stalls", entity.clone(), onset, note.clone(), cite.clone());
    }
    if all >= 8 {
        // What the edge saw answered is no failing request.
        let logs_them = asked.len().saturating_sub(answered(view, host, failing)) * 2 >= requests_failed && stalls.is_none();
        if slow * 4 >= all {
            let note = format!("{slow} of {all} requests took more than three times as long as requests for the same path before");
            let cite = example.map(|r| vec![(r.of.source, r.of.line)]).unwrap_or(cite);
            view.add("backend.slower", entity, onset, note, cite);
        } else if slow * 10 <= all && logs_them {
            view.add("backend.not-slower", entity, onset, format!("of {all} requests {} took as long as before", all - slow), cite);
        }
    }
}

/// How many requests the edge saw answered by a host meanwhile; of the failing paths, where these are known.
fn answered(view: &View<'_>, host: &str, failing: &Failing) -> usize {
    let mut is_there: BTreeMap<NameId, bool> = BTreeMap::new();
    let mut is_of_host = |upstream: NameId| {
        let known = || view.topology.behind(view.evidence.text(upstream)).is_none_or(|behind| behind == host);
        *is_there.entry(upstream).or_insert_with(known)
    };
    let asked = |r: &Request| !failing.are_known || failing.paths.contains(&r.of.path);
    // Whoever gave up (499) was not answered.
    view.during().filter(|(_, r)| r.of.status < 499 && asked(r) && is_of_host(r.of.upstream)).count()
}

/// The requests at the edge that waited so long (ms) show whether a service stood still.
const WAITED: i64 = 1000;

/// Whether a service ends nothing while the failing requests wait, again and again, though some of `during` (all that it logged) were to be
/// expected: how many times apart, and the first lines behind. What is down stands still once.
fn stalls(view: &View<'_>, during: &[Request], usual: f64) -> Option<(usize, Vec<(u32, u32)>)> {
    let mut ends: Vec<(i64, (u32, u32))> = during.iter().map(|r| (r.end, (r.of.source, r.of.line))).collect();
    ends.sort_unstable();
    let (mut silent, mut all) = (0, 0);
    let mut holes: BTreeSet<usize> = BTreeSet::new();
    for r in view.affected.iter().map(|i| view.request(*i)) {
        let Some(took) = r.took().filter(|took| *took >= WAITED) else { continue };
        // Its middle: what it waited for itself may end right behind it.
        let (from, to) = (r.start + took / 5, r.end - took / 5);
        if usual * (to - from) as f64 / 1000.0 < 2.0 {
            continue;
        }
        all += 1;
        let next = ends.partition_point(|(end, _)| *end < from);
        if ends.get(next).is_none_or(|(end, _)| *end > to) {
            silent += 1;
            holes.insert(next);
        }
    }
    let cite = holes.iter().filter_map(|next| ends.get(*next)).take(2).map(|(_, line)| *line).collect();
    (all >= 5 && silent * 10 >= all * 7 && holes.len() >= 2).then_some((holes.len(), cite))
}

/// So long (ms) a pause is at the least, that stamps of whole seconds do not make one.
const PAUSE: i64 = 3_000;

/// The same by time, for what stands still for longer than the proxy waits and then ends all that waited at once: whether most of the trouble is
/// pauses of the service, two or more, in each of which some ends were to be expected. In words, and the first lines behind.
fn pauses(view: &View<'_>, during: &[Request], usual: f64) -> Option<(String, Vec<(u32, u32)>)> {
    let (onset, end) = (view.incident.onset, view.incident.end);
    let waited = view.affected.iter().filter(|i| view.request(**i).took().is_some_and(|took| took >= WAITED)).count();
    if waited < 5 || waited * 10 < view.affected.len() * 7 {
        return None;
    }
    let mut ends: Vec<(i64, (u32, u32))> = during.iter().map(|r| (r.end, (r.of.source, r.of.line))).collect();
    ends.sort_unstable();
    let is_pause = |length: i64| length >= PAUSE && usual * length as f64 / 1000.0 >= 5.0;
    let between = ends.windows(2).filter_map(|pair| match pair {
        [(a, _), (b, line)] => Some(((*a).max(onset), (*b).min(end), *line)),
        _ => None,
    });
    let found: Vec<(i64, (u32, u32))> = between.map(|(a, b, line)| (b - a, line)).filter(|(length, _)| is_pause(*length)).collect();
    let silent: i64 = found.iter().map(|(length, _)| length).sum();
    let longest = found.iter().map(|(length, _)| *length).max()?;
    // One long pause is a service that is down, or was taken out.
    let is_again = found.len() >= 2 && longest * 10 <= silent * 8;
    let cite = found.iter().take(2).map(|(_, line)| *line).collect();
    let note = || {
        let (silent, whole) = (silent as f64 / 1000.0, (end - onset) as f64 / 1000.0);
        format!("it ended no request at all for {silent:.0} of {whole:.0} s, in {} pauses", found.len())
    };
    (is_again && silent * 10 >= (end - onset) * 7).then(|| (note(), cite))
}

/// The paths of the requests that fail.
struct Failing {
    paths: BTreeSet<NameId>,
    /// Some service logged requests for one of them before.
    are_known: bool,
}

impl Failing {
    fn of(view: &View<'_>) -> Failing {
        let paths = view.failing_paths();
        let edges = view.incident.hosts();
        let inner = view.evidence.requests.choose(|kind| !kind.access || !edges.contains(view.evidence.text(kind.host)));
        let are_known = view.before(&inner).any(|r| paths.contains(&r.of.path));
        Failing { paths, are_known }
    }
}

/// How many of the requests that are asked for took far longer than requests for the same path did before: slow ones, all, and one of the slow;
/// and how many there were before. An answer that fails may come late because another one was waited for: it does not say that the service is slow.
fn slower(before: impl Iterator<Item = Request>, during: &[Request], asked: &[Request]) -> (usize, usize, Option<Request>, usize) {
    let mut usual: FxHashMap<NameId, Vec<i64>> = during.iter().map(|r| (r.of.path, Vec::new())).collect();
    let mut count = 0;
    for r in before {
        count += 1;
        if let (Some(took), Some(usual)) = (r.took(), usual.get_mut(&r.of.path)) {
            usual.push(took);
        }
    }
    usual.retain(|_, v| v.len() >= 5);
    usual.values_mut().for_each(|v| v.sort_unstable());
    let (mut slow, mut all, mut example) = (0, 0, None);
    for r in asked {
        let (Some(took), Some(usual)) = (r.took(), usual.get(&r.of.path)) else { continue };
        let usual = quantile(usual, 0.75).max(1);
        let is_slow = took >= 3 * usual && took >= usual + 100;
        if is_slow && r.failed() {
            continue;
        }
        all += 1;
        if is_slow {
            slow += 1;
            example = example.or(Some(*r));
        }
    }
    (slow, all, example, count)
}

/// Services that logged steadily and say nothing during the incident, while something else on their machine, or another
/// machine, goes on.
fn silent(view: &mut View<'_>) {
    let (onset, end) = (view.incident.onset / 1000, view.incident.end / 1000);
    if end - onset < 10 {
        return;
    }
    for (number, source) in view.evidence.sources.iter().enumerate() {
        let Some((first, last)) = view.evidence.span(number) else { continue };
        let system = source.is_of_system() || source.format == "nginx.error";
        if system || onset - first < 20 || view.incident.hosts().contains(source.host.as_str()) || source.same_as.is_some() {
            continue;
        }
        let records = view.evidence.ticks_within(number, first, onset - 1);
        let before = records as f64 / (onset - first) as f64;
        if before < 0.5 {
            continue;
        }
        // The longest silence that touches the incident.
        let mut edges = view.evidence.gaps(number, 1);
        // A piece that was rotated away has not fallen silent.
        let rotated = source.newest.is_some_and(|newest| newest != number);
        if !rotated && view.evidence.whole().is_some_and(|(_, b)| b > last + 10) {
            edges.push((last, view.evidence.whole().map_or(last, |(_, b)| b)));
        }
        let longest =
            edges.iter().filter(|(a, b)| *b > onset - 5 && *a < end).map(|(a, b)| (b.min(&(end + 5)) - a.max(&(onset - 30)), *a)).max();
        let Some((length, from)) = longest else { continue };
        // Whoever says much when it starts, and then nothing for as long as this again and again, is as usual.
        let quiet: i64 = edges.iter().filter(|(_, b)| *b < onset - 5).map(|(a, b)| b - a).filter(|gap| gap * 2 >= length).sum();
        if quiet * 4 >= onset - first {
            continue;
        }
        if length >= 8 && length * 10 >= (end - onset) * 5 && length as f64 * before >= 12.0 && from >= onset - 30 && from <= onset + 30 {
            // A log of nothing but requests is silent as soon as nobody calls: that says less.
            let own = view.evidence.requests.choose(|kind| kind.source as usize == number);
            let requests = view.evidence.requests.ended(&own, i64::MIN, onset * 1000 - 1).count() as u64;
            let id = if requests * 20 >= records * 19 { "backend.not-asked" } else { "backend.silent" };
            let service = crate::entity::service_of_path(&source.path);
            let entity = of_service(&service, &source.host);
            let note = format!("{} is silent for {length} s after {before:.1} records a second", source.path);
            view.found.extend(view.pack.signal(id).map(|signal| super::Measured {
                signal,
                entity,
                onset: from * 1000,
                note,
                cite: Vec::new(),
                collected: None,
            }));
        }
    }
}

/// Requests that the edge gave up on, but that the service answered well.
fn late_success(view: &mut View<'_>) {
    let gave_up = view.affected.iter().copied().filter(|i| matches!(view.request(*i).of.status, 504 | 499 | 502 | 503));
    let gave_up: Vec<u32> = gave_up.collect();
    if gave_up.len() < 3 {
        return;
    }
    let requests = &view.evidence.requests;
    let edges: BTreeSet<u32> = requests.kinds(&view.edge).map(|(kind, _)| view.evidence.log_of(kind.source)).collect();
    let inner = requests.choose(|kind| kind.status < 400 && !edges.contains(&view.evidence.log_of(kind.source)));
    // Of the others only those are kept that may be the same request.
    let mut by_id: FxHashMap<u64, Option<u32>> = FxHashMap::default();
    let mut by_exact: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
    for of in gave_up.iter().map(|i| view.request(*i).of) {
        by_id.insert(of.id, None);
        by_exact.insert(of.exactly(), Vec::new());
    }
    for (i, r) in requests.of(&inner) {
        if let Some(last) = by_id.get_mut(&r.of.id) {
            *last = Some(i);
        }
        if let Some(list) = by_exact.get_mut(&r.of.exactly()) {
            list.push(i);
        }
    }
    let mut pairs: BTreeMap<u32, u32> = BTreeMap::new();
    for i in &gave_up {
        let r = view.request(*i);
        let by_id = (r.of.id != 0).then(|| by_id.get(&r.of.id).copied()).flatten().flatten();
        let twin = by_id.or_else(|| {
            let took = r.took().unwrap_or(0);
            if took < 500 {
                return None;
            }
            // The service began with it at the same time and took longer than the proxy waited.
            by_exact.get(&r.of.exactly())?.iter().copied().find(|j| {
                let o = view.request(*j);
                o.took().is_some_and(|t| t >= took) && (o.start - r.start).abs() < 2000
            })
        });
        if let Some(j) = twin.filter(|j| view.request(*j).end >= r.end - 50) {
            pairs.insert(*i, j);
        }
    }
    // What waited before the service began stands in no time that the service logs.
    let is_short = |(i, j): &(&u32, &u32)| {
        view.request(**j).took().zip(view.request(**i).took()).is_some_and(|(inside, outside)| inside * 2 < outside)
    };
    let short = pairs.iter().filter(is_short).count();
    let waited = short * 2 > pairs.len();
    if pairs.len() >= 3 && pairs.len() * 5 >= gave_up.len() {
        let cite: Vec<(u32, u32)> = pairs
            .iter()
            .take(2)
            .flat_map(|(i, j)| {
                [(view.request(*i).of.source, view.request(*i).of.line), (view.request(*j).of.source, view.request(*j).of.line)]
            })
            .collect();
        let of = &view.request(*pairs.values().next().unwrap_or(&0)).of;
        let entity = of_service(view.evidence.text(of.service), view.evidence.text(of.host));
        let note = format!("{} of {} given-up requests were answered with success later", pairs.len(), gave_up.len());
        if waited {
            let note = format!("{note}, and {short} of them within half the time that the proxy waited, by the service's own clock");
            view.add("backend.late-start", entity, view.incident.onset, note, cite);
        } else {
            view.add("backend.late-success", entity, view.incident.onset, note, cite);
        }
    }
}
