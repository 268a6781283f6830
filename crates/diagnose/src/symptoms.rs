//! Symptoms: what users felt, when, and how much. Incidents: stretches of time in which symptoms are active.

use crate::evidence::{Evidence, Request};
use crate::names::{NONE, NameId};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// A symptom over a stretch of time.
#[derive(Clone, Debug)]
pub struct Symptom {
    /// Id (`http.502`).
    pub id: String,
    /// Where it was seen (`host:lb01`).
    pub entity: String,
    /// Host of the log that shows it; empty when unknown.
    pub host: String,
    /// When the first affected request began, in milliseconds.
    pub onset: i64,
    /// When the last affected request ended.
    pub end: i64,
    /// The affected requests (numbers in [`Evidence::requests`]).
    pub affected: Vec<usize>,
    /// All requests in that stretch at that place.
    pub total: usize,
}

/// Symptoms that belong together.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Its symptoms, the heaviest first.
    pub symptoms: Vec<Symptom>,
    /// First onset, ms.
    pub onset: i64,
    /// Last end, ms.
    pub end: i64,
}

impl Incident {
    /// Numbers of all affected requests, each once.
    pub fn affected(&self) -> BTreeSet<usize> {
        self.symptoms.iter().flat_map(|s| s.affected.iter().copied()).collect()
    }

    /// Hosts whose logs show it.
    pub fn hosts(&self) -> BTreeSet<&str> {
        self.symptoms.iter().map(|s| s.host.as_str()).filter(|h| !h.is_empty()).collect()
    }
}

/// A place where users arrive: the requests of one edge host.
struct Edge {
    host: NameId,
    requests: Vec<usize>,
}

/// Width of a bin, ms.
const BIN: i64 = 5_000;

/// All incidents of a bundle, in order of onset. Symptoms that are no requests (failed logins) are handed in.
pub fn incidents(evidence: &Evidence, others: Vec<Symptom>) -> Vec<Incident> {
    let mut symptoms = others;
    for edge in edges(evidence) {
        failures(evidence, &edge, &mut symptoms);
        slowness(evidence, &edge, &mut symptoms);
        drop_in_traffic(evidence, &edge, &mut symptoms);
    }
    together(evidence, symptoms)
}

/// Where users arrive: access logs before messages of applications, outer proxies before inner ones.
fn edges(evidence: &Evidence) -> Vec<Edge> {
    let mut by_source: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (i, r) in evidence.requests.iter().enumerate() {
        by_source.entry(evidence.log_of(r.of.source)).or_default().push(i);
    }
    let any_access = by_source.values().any(|l| l.len() >= 20 && evidence.requests[l[0]].of.access);
    let clients =
        |list: &[usize]| list.iter().map(|i| evidence.requests[*i].of.client).filter(|c| *c != NONE).collect::<BTreeSet<_>>().len();
    let most_clients = by_source.values().filter(|l| evidence.requests[l[0]].of.access).map(|l| clients(l)).max().unwrap_or(0);
    let mut edges: BTreeMap<&str, Edge> = BTreeMap::new();
    for list in by_source.values() {
        let first = &evidence.requests[list[0]].of;
        if any_access && !first.access {
            continue;
        }
        // An inner tier is called by a handful of proxies, or by nobody it names, while others see the crowd.
        let proxies = list.iter().any(|i| evidence.requests[*i].of.upstream != NONE || evidence.requests[*i].of.server != NONE);
        if any_access && !proxies && most_clients > 10 && clients(list) <= 3 {
            continue;
        }
        let edge = edges.entry(evidence.text(first.host)).or_insert_with(|| Edge { host: first.host, requests: Vec::new() });
        edge.requests.extend(list);
    }
    // Requests that another edge sent here are counted there.
    let proxied: BTreeSet<u64> = edges
        .values()
        .flat_map(|e| &e.requests)
        .map(|i| &evidence.requests[*i])
        .filter(|r| r.of.id != 0 && (r.of.upstream != NONE || r.of.server != NONE))
        .map(|r| r.of.id)
        .collect();
    let mut edges: Vec<Edge> = edges.into_values().collect();
    if edges.len() > 1 && !proxied.is_empty() {
        edges.retain(|e| {
            let inner = e
                .requests
                .iter()
                .map(|i| &evidence.requests[*i].of)
                .filter(|o| o.upstream == NONE && o.server == NONE && proxied.contains(&o.id))
                .count();
            inner * 2 < e.requests.len()
        });
    }
    for edge in &mut edges {
        edge.requests.sort_unstable();
    }
    edges
}

/// The symptom id of a status.
fn symptom_of(status: u16) -> Option<String> {
    Some(match status {
        499 => "http.aborted".into(),
        500..=599 | 400 | 401 | 403 | 404 | 408 | 409 | 411 | 413 | 414 | 415 | 421 | 422 | 426 | 429 | 431 | 495 | 496 | 497 => {
            format!("http.{status}")
        }
        _ => return None,
    })
}

/// Scanners: clients of whose requests most are refused, for many different paths.
fn scanners(evidence: &Evidence, edge: &Edge) -> BTreeSet<NameId> {
    let mut by_client: BTreeMap<NameId, (usize, usize, BTreeSet<NameId>)> = BTreeMap::new();
    for r in edge.requests.iter().map(|i| &evidence.requests[*i].of) {
        let entry = by_client.entry(r.client).or_default();
        entry.0 += 1;
        if (400..500).contains(&r.status) {
            entry.1 += 1;
            entry.2.insert(r.path);
        }
    }
    by_client.into_iter().filter(|(_, (all, bad, paths))| *all >= 4 && bad * 10 >= all * 7 && paths.len() >= 4).map(|(c, _)| c).collect()
}

fn failures(evidence: &Evidence, edge: &Edge, symptoms: &mut Vec<Symptom>) {
    let Some(start) = edge.requests.iter().map(|i| evidence.requests[*i].end).min() else { return };
    let bin = |r: &Request| (r.end - start).div_euclid(BIN) as usize;
    let bins = edge.requests.iter().map(|i| bin(&evidence.requests[*i])).max().unwrap_or(0) + 1;
    if bins > 5_000_000 {
        return;
    }
    let mut all = vec![0f64; bins];
    let mut failed = vec![0f64; bins];
    let mut by_status: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    let good_paths: BTreeSet<NameId> =
        edge.requests.iter().map(|i| &evidence.requests[*i].of).filter(|o| o.status < 400).map(|o| o.path).collect();
    let scanners = scanners(evidence, edge);
    for &i in &edge.requests {
        let r = &evidence.requests[i];
        all[bin(r)] += 1.0;
        failed[bin(r)] += f64::from(u8::from(r.failed()));
        let client_error = (400..500).contains(&r.of.status) && r.of.status != 499;
        if client_error && (scanners.contains(&r.of.client) || !good_paths.contains(&r.of.path)) {
            continue;
        }
        if symptom_of(r.of.status).is_some() {
            by_status.entry(r.of.status).or_default().push(i);
        }
    }
    for (status, list) in by_status {
        let mut bad = vec![0f64; bins];
        for i in &list {
            bad[bin(&evidence.requests[*i])] += 1.0;
        }
        // A request that fails otherwise could not fail this way: it is no exposure.
        let all: Vec<f64> = all.iter().zip(&failed).zip(&bad).map(|((a, f), b)| if status >= 500 { *a } else { (a - f).max(*b) }).collect();
        for (from, to) in active(&bad, &all, if status >= 500 { 1.0 } else { 2.0 }) {
            let (from, to) = (start + from as i64 * BIN, start + (to as i64 + 1) * BIN);
            let affected: Vec<usize> = list.iter().copied().filter(|i| (from..to).contains(&evidence.requests[*i].end)).collect();
            let total = edge.requests.iter().filter(|i| (from..to).contains(&evidence.requests[**i].end)).count();
            // A handful of errors of a restart is no outage.
            let enough = if status >= 500 { affected.len() >= 6 } else { affected.len() >= 10 };
            if !enough || !counts(evidence, status, &affected) {
                continue;
            }
            let Some(id) = symptom_of(status) else { continue };
            symptoms.push(symptom(evidence, id, edge.host, affected, total));
        }
    }
}

/// Whether failures of a client's making are more than one client's.
fn counts(evidence: &Evidence, status: u16, affected: &[usize]) -> bool {
    if status >= 500 {
        return true;
    }
    let first = affected.iter().map(|i| evidence.requests[*i].start).min().unwrap_or(0);
    let last = affected.iter().map(|i| evidence.requests[*i].end).max().unwrap_or(0);
    last - first >= 5_000
}

fn symptom(evidence: &Evidence, id: String, host: NameId, affected: Vec<usize>, total: usize) -> Symptom {
    let onset = affected.iter().map(|i| evidence.requests[*i].start).min().unwrap_or(0);
    let end = affected.iter().map(|i| evidence.requests[*i].end).max().unwrap_or(0);
    let host = evidence.text(host).to_string();
    let entity = if host.is_empty() { "host:unknown".to_string() } else { format!("host:{host}") };
    Symptom { id, entity, host, onset, end, affected, total }
}

/// Stretches in which failures are far more frequent than outside: the scan statistic of Kulldorff (1997) for Poisson counts,
/// with the number of requests as exposure, applied again to what is left. Failures that drizzle all the time make no stretch.
/// Where the whole log lies within the trouble, a large share alone tells.
fn active(bad: &[f64], all: &[f64], strict: f64) -> Vec<(usize, usize)> {
    const MOST: usize = 360;
    let group = bad.len().div_ceil(MOST).max(1);
    let sum = |v: &[f64]| -> Vec<f64> { v.chunks(group).map(|c| c.iter().sum()).collect() };
    let (bad, mut all) = (sum(bad), sum(all));
    let mut left = bad.clone();
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    for _ in 0..6 {
        let Some((from, to, gain, ratio)) = scan(&left, &all) else { break };
        let count: f64 = left[from..=to].iter().sum();
        if gain < 7.0 * strict || ratio < 3.0 || count < 5.0 {
            break;
        }
        stretches.push((from, to));
        left[from..=to].fill(0.0);
        all[from..=to].fill(0.0);
    }
    let (total_bad, total): (f64, f64) = (bad.iter().sum(), all.iter().sum());
    if stretches.is_empty() && total_bad >= 30.0 && total_bad >= 0.1 * strict * total {
        let first = bad.iter().position(|b| *b > 0.0).unwrap_or(0);
        let last = bad.iter().rposition(|b| *b > 0.0).unwrap_or(0);
        stretches.push((first, last));
    }
    stretches.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (from, to) in stretches {
        let (from, to) = (from * group, (to + 1) * group - 1);
        match merged.last_mut() {
            // Half a minute without failures may be half a minute without luck.
            Some((_, last)) if from - *last <= 6 => *last = to,
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// The stretch with the largest log-likelihood ratio against an even rate: from, to, that ratio, and the rate inside as a
/// multiple of the rate outside.
fn scan(bad: &[f64], all: &[f64]) -> Option<(usize, usize, f64, f64)> {
    let (total_bad, total): (f64, f64) = (bad.iter().sum(), all.iter().sum());
    if total_bad < 1.0 || total < 1.0 {
        return None;
    }
    let mut best: Option<(usize, usize, f64, f64)> = None;
    for from in (0..bad.len()).filter(|i| bad[*i] > 0.0) {
        let (mut count, mut of) = (0.0, 0.0);
        for to in from..bad.len() {
            count += bad[to];
            of += all[to];
            if bad[to] == 0.0 || of >= total {
                continue;
            }
            let expected = total_bad * of / total;
            if count <= expected {
                continue;
            }
            let rest = total_bad - count;
            let outside = if rest > 0.0 { rest * (rest / (total_bad - expected)).ln() } else { 0.0 };
            let gain = count * (count / expected).ln() + outside;
            if best.is_none_or(|(_, _, g, _)| gain > g) {
                let ratio = (count / of.max(1.0)) / ((rest + 0.1) / (total - of).max(1.0));
                best = Some((from, to, gain, ratio));
            }
        }
    }
    best
}

/// Requests slower than three times the usual, for at least a quarter of a minute.
fn slowness(evidence: &Evidence, edge: &Edge, symptoms: &mut Vec<Symptom>) {
    let mut groups: FxHashMap<NameId, Vec<usize>> = FxHashMap::default();
    for &i in &edge.requests {
        let r = &evidence.requests[i];
        if r.took().is_some() && r.of.status < 500 && r.of.status != 499 && r.of.status != 101 {
            groups.entry(r.of.path).or_default().push(i);
        }
    }
    // Paths that are asked for rarely are looked at together.
    let rare: Vec<usize> = groups.values().filter(|l| l.len() < 20).flatten().copied().collect();
    groups.retain(|_, l| l.len() >= 20);
    groups.insert(NONE, {
        let mut rare = rare;
        rare.sort_unstable();
        rare
    });
    let mut slow: BTreeMap<usize, ()> = BTreeMap::new();
    let mut keys: Vec<_> = groups.iter().filter(|(_, l)| l.len() >= 20).collect();
    keys.sort_by_key(|(k, _)| **k);
    let mut stretches: Vec<(i64, i64)> = Vec::new();
    for (_, list) in keys {
        for (from, to, base) in slow_stretches(evidence, list) {
            stretches.push((from, to));
            for i in list.iter().filter(|i| (from..=to).contains(&evidence.requests[**i].end)) {
                if evidence.requests[*i].took().is_some_and(|t| t > (base * 3).max(base + 200)) {
                    slow.insert(*i, ());
                }
            }
        }
    }
    // Stretches of different paths that overlap are one.
    stretches.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (from, to) in stretches {
        match merged.last_mut() {
            Some((_, last)) if from <= *last + 20_000 => *last = (*last).max(to),
            _ => merged.push((from, to)),
        }
    }
    for (from, to) in merged {
        let affected: Vec<usize> = slow.keys().copied().filter(|i| (from..=to).contains(&evidence.requests[*i].end)).collect();
        let total = edge.requests.iter().filter(|i| (from..=to).contains(&evidence.requests[**i].end)).count();
        if affected.len() >= 10 {
            symptoms.push(symptom(evidence, "http.slow".into(), edge.host, affected, total));
        }
    }
}

const SLOW_BIN: i64 = 10_000;

/// Stretches in which the upper times of a group of requests are far above the usual: from, to, usual (ms).
fn slow_stretches(evidence: &Evidence, list: &[usize]) -> Vec<(i64, i64, i64)> {
    let start = list.iter().map(|i| evidence.requests[*i].start).min().unwrap_or(0);
    let mut bins: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for i in list {
        let r = &evidence.requests[*i];
        if let Some(took) = r.took() {
            bins.entry((r.end - start).div_euclid(SLOW_BIN)).or_default().push(took);
        }
    }
    let upper: BTreeMap<i64, i64> = bins
        .into_iter()
        .filter(|(_, v)| v.len() >= 4)
        .map(|(k, mut v)| {
            v.sort_unstable();
            (k, v[v.len() * 3 / 4])
        })
        .collect();
    if upper.len() < 4 {
        return Vec::new();
    }
    let mut sorted: Vec<i64> = upper.values().copied().collect();
    sorted.sort_unstable();
    // The quieter part of the time tells what is usual, also where the trouble lasts for most of the bundle.
    let base = sorted[sorted.len() * 3 / 10].max(1);
    let limit = (base * 3).max(base + 250);
    let mut stretches: Vec<(i64, i64, i64)> = Vec::new();
    for (k, p) in upper {
        if p <= limit {
            continue;
        }
        let (from, to) = (start + k * SLOW_BIN, start + (k + 1) * SLOW_BIN);
        match stretches.last_mut() {
            Some((_, last, _)) if from - *last <= 2 * SLOW_BIN => *last = to,
            _ => stretches.push((from, to, base)),
        }
    }
    stretches.retain(|(from, to, _)| to - from >= 2 * SLOW_BIN);
    stretches
}

/// A steady stream of requests that stops while the log, or its neighbours, go on.
fn drop_in_traffic(evidence: &Evidence, edge: &Edge, symptoms: &mut Vec<Symptom>) {
    let ends: Vec<i64> = {
        let mut v: Vec<i64> = edge.requests.iter().map(|i| evidence.requests[*i].end).collect();
        v.sort_unstable();
        v
    };
    let (Some(first), Some(last)) = (ends.first().copied(), ends.last().copied()) else { return };
    // Logs are copied one after the other: that one ends earlier than those of other machines says nothing. Its own machine's
    // other logs must go on.
    let host = evidence.text(edge.host);
    let whole_end = (0..evidence.sources.len())
        .filter(|s| evidence.sources[*s].host == host)
        .filter_map(|s| evidence.span(s))
        .map(|(_, b)| b * 1000)
        .max()
        .unwrap_or(last);
    let mut gaps: Vec<i64> = ends.windows(2).map(|w| w[1] - w[0]).collect();
    if gaps.len() < 60 {
        return;
    }
    gaps.sort_unstable();
    let rare = gaps[gaps.len() * 98 / 100].max(200);
    let least = (rare * 15).max(15_000);
    let mut holes: Vec<(i64, i64)> = ends.windows(2).filter(|w| w[1] - w[0] >= least).map(|w| (w[0], w[1])).collect();
    if whole_end - last >= least * 2 && last - first >= 60_000 {
        holes.push((last, whole_end));
    }
    for (from, to) in holes {
        // Only where other logs of the bundle show that the time was covered.
        let covered = (0..evidence.sources.len()).any(|s| evidence.ticks_within(s, from / 1000 + 2, to / 1000 - 2) > 0);
        if covered {
            let host = evidence.text(edge.host).to_string();
            symptoms.push(Symptom {
                id: "traffic.drop".into(),
                entity: format!("host:{host}"),
                host,
                onset: from,
                end: to,
                affected: Vec::new(),
                total: 0,
            });
        }
    }
}

/// Puts symptoms that belong together into incidents: they begin together, or they overlap and concern the same targets.
fn together(evidence: &Evidence, mut symptoms: Vec<Symptom>) -> Vec<Incident> {
    symptoms.sort_by(|a, b| (a.onset, &a.id, &a.entity).cmp(&(b.onset, &b.id, &b.entity)));
    let mut incidents: Vec<Incident> = Vec::new();
    for symptom in symptoms {
        let fits = incidents.iter_mut().find(|i| {
            let shared = symptom.end.min(i.end) - symptom.onset.max(i.onset);
            let shorter = (symptom.end - symptom.onset).min(i.end - i.onset).max(1);
            let at_once = (symptom.onset - i.onset).abs() <= 15_000 && shared > -15_000;
            at_once || (shared * 10 >= shorter * 5 || shared > -30_000) && i.symptoms.iter().any(|s| same_targets(evidence, s, &symptom))
        });
        match fits {
            Some(incident) => {
                incident.onset = incident.onset.min(symptom.onset);
                incident.end = incident.end.max(symptom.end);
                incident.symptoms.push(symptom);
            }
            None => incidents.push(Incident { onset: symptom.onset, end: symptom.end, symptoms: vec![symptom] }),
        }
    }
    for incident in &mut incidents {
        incident.symptoms.sort_by(|a, b| b.affected.len().cmp(&a.affected.len()).then_with(|| a.id.cmp(&b.id)));
        // A light symptom beside a heavy one does not say when it began.
        let heaviest = incident.symptoms.first().map_or(0, |s| s.affected.len());
        let weighty = incident.symptoms.iter().filter(|s| s.affected.is_empty() || s.affected.len() * 20 >= heaviest);
        incident.onset = weighty.map(|s| s.onset).min().unwrap_or(incident.onset);
    }
    incidents.sort_by_key(|i| i.onset);
    incidents
}

/// Whether two symptoms concern the same upstreams, or, where none is named, the same paths.
fn same_targets(evidence: &Evidence, a: &Symptom, b: &Symptom) -> bool {
    if a.affected.is_empty() || b.affected.is_empty() {
        return a.host == b.host;
    }
    let shares = |of: &dyn Fn(&Request) -> NameId| -> Option<f64> {
        let count = |s: &Symptom| -> BTreeMap<NameId, f64> {
            let mut counts = BTreeMap::new();
            for i in &s.affected {
                *counts.entry(of(&evidence.requests[*i])).or_insert(0.0) += 1.0 / s.affected.len() as f64;
            }
            counts
        };
        let (x, y) = (count(a), count(b));
        if x.keys().chain(y.keys()).any(|k| *k == NONE) {
            return None;
        }
        Some(x.iter().map(|(k, v)| v.min(*y.get(k).unwrap_or(&0.0))).sum())
    };
    let by_target = shares(&|r| if r.of.server != NONE { r.of.server } else { r.of.upstream });
    by_target.or_else(|| shares(&|r| r.of.path)).is_none_or(|share| share >= 0.3)
}
