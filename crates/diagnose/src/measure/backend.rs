//! What the services behind the proxy say of the same time.

use super::{View, quantile};
use crate::names::NONE;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn measure(view: &mut View<'_>) {
    let hosts = behind(view);
    for host in &hosts {
        own(view, host);
    }
    silent(view);
    late_success(view);
}

/// Hosts that the failing requests went to; where that is unknown, all hosts that the edge calls.
fn behind(view: &View<'_>) -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    for i in &view.affected {
        let of = &view.request(*i).of;
        for endpoint in [of.server, of.upstream] {
            if endpoint != NONE
                && let Some(host) = view.topology.behind(view.evidence.text(endpoint))
            {
                hosts.insert(host);
            }
        }
    }
    if hosts.is_empty() {
        for edge in view.incident.hosts() {
            hosts.extend(view.topology.calls.iter().filter(|(c, _)| c == edge).map(|(_, callee)| callee.clone()));
        }
    }
    hosts
}

/// A backend's own requests: does it answer, and how fast?
fn own(view: &mut View<'_>, host: &str) {
    let (onset, end) = (view.incident.onset, view.incident.end);
    let id = view.evidence.names.find(host);
    let edges = view.incident.hosts().contains(host);
    let mine: Vec<&crate::evidence::Request> =
        view.evidence.requests.iter().filter(|r| Some(r.of.host) == id && !(edges && r.of.access)).collect();
    let first = mine.iter().map(|r| r.end).min().unwrap_or(onset);
    let during: Vec<_> = mine.iter().copied().filter(|r| (onset..=end + 5_000).contains(&r.end)).collect();
    let before: Vec<_> = mine.iter().copied().filter(|r| r.end < onset).collect();
    let good = during.iter().filter(|r| r.of.status < 500).count();
    let seconds = ((end - onset) as f64 / 1000.0).max(1.0);
    let before_seconds = ((onset - first) as f64 / 1000.0).max(1.0);
    let usual = before.len() as f64 / before_seconds;
    let service = mine.first().map_or("", |r| view.evidence.text(r.of.service)).to_string();
    let entity = if service.is_empty() { format!("host:{host}") } else { format!("service:{service}@{host}") };
    let cite: Vec<(u32, u32)> = during.iter().filter(|r| r.of.status < 500).take(2).map(|r| (r.of.source, r.of.line)).collect();
    // Answers must come from the whole stretch, not from its edges only.
    let thirds: BTreeSet<i64> = during.iter().filter(|r| r.of.status < 500).map(|r| (r.end - onset) * 4 / (end - onset).max(1)).collect();
    let bad = during.len() - good;
    let found_serves = good >= 8 && thirds.len() >= 3 && good as f64 / seconds >= 0.15 * usual && bad * 5 <= good;
    let note = format!("{good} answers without an error in {seconds:.0} s");
    if found_serves {
        view.add("backend.serves", entity.clone(), onset, note, cite.clone());
    }
    let (slow, all, example) = slower(&before, &during);
    if all >= 8 {
        if slow * 4 >= all {
            let note = format!("{slow} of {all} requests took more than three times as long as requests for the same path before");
            let cite = example.map(|r| vec![(r.of.source, r.of.line)]).unwrap_or(cite);
            view.add("backend.slower", entity, onset, note, cite);
        } else if slow * 10 <= all {
            view.add("backend.not-slower", entity, onset, format!("of {all} requests {} took as long as before", all - slow), cite);
        }
    }
}

/// How many requests took far longer than requests for the same path did before: slow ones, all, and one of the slow.
fn slower<'a>(
    before: &[&'a crate::evidence::Request],
    during: &[&'a crate::evidence::Request],
) -> (usize, usize, Option<&'a crate::evidence::Request>) {
    let mut usual: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for r in before {
        if let Some(took) = r.took() {
            usual.entry(r.of.path).or_default().push(took);
        }
    }
    usual.retain(|_, v| v.len() >= 5);
    usual.values_mut().for_each(|v| v.sort_unstable());
    let (mut slow, mut all, mut example) = (0, 0, None);
    for r in during {
        let (Some(took), Some(usual)) = (r.took(), usual.get(&r.of.path)) else { continue };
        all += 1;
        let usual = quantile(usual, 0.75).max(1);
        if took >= 3 * usual && took >= usual + 100 {
            slow += 1;
            example = example.or(Some(*r));
        }
    }
    (slow, all, example)
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
        let system = source.format.starts_with("syslog") || source.path.ends_with("syslog") || source.format == "nginx.error";
        if system || onset - first < 20 || view.incident.hosts().contains(source.host.as_str()) || source.same_as.is_some() {
            continue;
        }
        let records = view.evidence.ticks_within(number, first, onset - 1);
        let before = records as f64 / (onset - first) as f64;
        // A log of nothing but requests is silent as soon as nobody calls: that says less.
        let requests = view.evidence.requests.iter().filter(|r| r.of.source as usize == number && r.end < onset * 1000).count() as u64;
        let id = if requests * 20 >= records * 19 { "backend.not-asked" } else { "backend.silent" };
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
        if length >= 8 && length * 10 >= (end - onset) * 5 && length as f64 * before >= 12.0 && from >= onset - 30 && from <= onset + 30 {
            let service = crate::entity::service_of_path(&source.path);
            let entity = if source.host.is_empty() { format!("service:{service}") } else { format!("service:{service}@{}", source.host) };
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
    let mut by_id: FxHashMap<u64, usize> = FxHashMap::default();
    let mut by_exact: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    let edges: BTreeSet<u32> = view.edge.iter().map(|i| view.evidence.log_of(view.request(*i).of.source)).collect();
    for (i, r) in
        view.evidence.requests.iter().enumerate().filter(|(_, r)| !edges.contains(&view.evidence.log_of(r.of.source)) && r.of.status < 400)
    {
        if r.of.id != 0 {
            by_id.insert(r.of.id, i);
        }
        by_exact.entry(r.of.exact).or_default().push(i);
    }
    let mut pairs: BTreeMap<usize, usize> = BTreeMap::new();
    let gave_up: Vec<usize> =
        view.affected.iter().copied().filter(|i| matches!(view.request(*i).of.status, 504 | 499 | 502 | 503)).collect();
    for i in &gave_up {
        let r = view.request(*i);
        let by_id = (r.of.id != 0).then(|| by_id.get(&r.of.id).copied()).flatten();
        let twin = by_id.or_else(|| {
            let took = r.took().unwrap_or(0);
            if took < 500 {
                return None;
            }
            // The service began with it at the same time and took longer than the proxy waited.
            by_exact.get(&r.of.exact)?.iter().copied().find(|j| {
                let o = view.request(*j);
                o.took().is_some_and(|t| t >= took) && (o.start - r.start).abs() < 2000
            })
        });
        if let Some(j) = twin.filter(|j| view.request(*j).end >= r.end - 50) {
            pairs.insert(*i, j);
        }
    }
    if pairs.len() >= 3 && pairs.len() * 5 >= gave_up.len() {
        let cite: Vec<(u32, u32)> = pairs
            .iter()
            .take(2)
            .flat_map(|(i, j)| {
                [(view.request(*i).of.source, view.request(*i).of.line), (view.request(*j).of.source, view.request(*j).of.line)]
            })
            .collect();
        let of = &view.request(*pairs.values().next().unwrap_or(&0)).of;
        let entity = format!("service:{}@{}", view.evidence.text(of.service), view.evidence.text(of.host));
        let note = format!("{} of {} given-up requests were answered with success later", pairs.len(), gave_up.len());
        view.add("backend.late-success", entity, view.incident.onset, note, cite);
    }
}
