//! Symptoms that no log of requests shows, but lines tell of: failed log-ins, failed jobs, and what a proxy says of requests that it could
//! not hand on where its access log was not given. Which signals tell of which symptom stands in the rules, as evidence of the symptom.

use super::handshakes::Clients;
use super::{Symptom, without_requests};
use crate::evidence::{Evidence, Series, SourceInfo};
use crate::names::NameId;
use crate::rules::{Fault, Pack};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// A line of this weight (that of `strong` is above it) is an answer that somebody got; below it, another server may have answered.
const CERTAIN: f64 = 2.0;
/// A burst has at least so many hits within a minute.
const LEAST: u64 = 30;

/// Where a proxy logs what was amiss with a request, it logs the request about then: so many seconds before or behind, at most.
const BEFORE: i64 = 2;
const BEHIND: i64 = 10;

/// The lines of a signal at a host, as far as no log of requests covers their time: second and hits.
pub(super) struct Told<'e> {
    pub series: &'e Series,
    pub bins: Vec<(i64, u32)>,
}

/// The symptoms that lines tell of.
pub(crate) fn find(evidence: &Evidence, pack: &Pack) -> Vec<Symptom> {
    let mut found = Vec::new();
    // Requests themselves tell best; lines stand in for them only where none was logged: for a proxy's answers none of its own.
    let requests = !evidence.requests.is_empty();
    let mut logged: BTreeMap<(NameId, NameId), Vec<i64>> = BTreeMap::new();
    let clients = OnceCell::new();
    for fault in pack.faults.iter().filter(|f| f.symptom && !f.evidence.is_empty()) {
        // Its lines only vouch for what requests show.
        if fault.id == "traffic.drop" {
            continue;
        }
        let of_proxy = fault.id.starts_with("http.");
        // Connections that a balancer passes on without looking inside are no requests, whatever others log behind it.
        let of_sessions = requests && fault.id == "connect.refused";
        if requests && !of_proxy && !of_sessions && !matches!(fault.id.as_str(), "connect.reset" | "login.failed" | "tls.handshake") {
            continue;
        }
        let mut by_host: BTreeMap<NameId, Vec<Told<'_>>> = BTreeMap::new();
        for series in evidence.series.iter().filter(|series| fault.evidence.iter().any(|e| e.signal == series.signal)) {
            let is_session = || pack.signals.get(series.signal as usize).is_some_and(|signal| signal.id.starts_with("haproxy.session-"));
            let is_own = || requests && is_of_application(pack, series);
            if of_sessions && !is_session() || of_proxy && (!is_of_proxy(evidence, pack, series) || is_own()) {
                continue;
            }
            let mut bins = series.bins.clone();
            if of_proxy || of_sessions {
                let (host, service) = (series.host, series.service);
                let logged = logged.entry((host, service)).or_insert_with(|| seconds(evidence, host, service));
                let next = |second: i64| logged.get(logged.partition_point(|s| *s < second - BEFORE)).copied();
                bins.retain(|(second, _)| next(*second).is_none_or(|next| next > *second + BEHIND));
            }
            if !bins.is_empty() {
                by_host.entry(series.host).or_default().push(Told { series, bins });
            }
        }
        for (host, mut all) in by_host {
            if requests && of_proxy {
                all = answers(fault, all);
            }
            let mut bins: BTreeMap<i64, u64> = BTreeMap::new();
            for (second, n) in all.iter().flat_map(|told| &told.bins) {
                *bins.entry(*second).or_default() += u64::from(*n);
            }
            let is_certain = all.iter().any(|told| is_certain(fault, told));
            let least = if fault.id == "login.failed" && !is_certain { LEAST.max(TIMES * usual(evidence, &all, &bins)) } else { LEAST };
            // A failed handshake stands in no log of requests; a scanner's says nothing.
            let clients = || clients.get_or_init(|| Clients::of(evidence));
            let scanners = |s: &Symptom| requests && fault.id == "tls.handshake" && !clients().feel(evidence, &all, s);
            let burst = if of_proxy && all.iter().all(|told| is_of_application(pack, told.series)) {
                let begun = all.iter().filter_map(|told| evidence.span(told.series.source)).map(|span| span.0).min();
                drawn_out(&fault.id, evidence.text(host), &bins, begun.unwrap_or(i64::MAX))
            } else {
                burst(&fault.id, evidence.text(host), &bins, least)
            };
            found.extend(burst.filter(|symptom| !scanners(symptom)));
        }
    }
    found
}

/// Whether a proxy says so: what a certificate lacks is said by any program that calls another one, and users may get any answer then.
fn is_of_proxy(evidence: &Evidence, pack: &Pack, series: &Series) -> bool {
    let is_tls = pack.signals.get(series.signal as usize).is_some_and(|signal| signal.id.starts_with("tls."));
    !is_tls || is_said_by_proxy(evidence, series)
}

/// Whether the program that writes is a proxy.
pub(crate) fn is_said_by_proxy(evidence: &Evidence, series: &Series) -> bool {
    let family = evidence.sources.get(series.source).map_or("", SourceInfo::family);
    PROXIES.contains(&family) || PROXIES.contains(&evidence.text(series.service))
}

/// Whether the frameworks of applications say so, each time that a request fails: where requests are logged those tell.
fn is_of_application(pack: &Pack, series: &Series) -> bool {
    const SAID: [&str; 3] = [".request-exception", ".servlet-exception", ".request-panic"];
    pack.signals.get(series.signal as usize).is_some_and(|signal| SAID.iter().any(|end| signal.id.ends_with(end)))
}

/// Programs that answer a request with 502 where they cannot hand it on.
const PROXIES: [&str; 9] = ["nginx", "apache", "haproxy", "envoy", "traefik", "caddy", "varnish", "squid", "lighttpd"];

/// The seconds in which a service of a host logged requests: of a rotated log somebody may have copied one piece, and beside a proxy a
/// server may log in the same notation only what reached it.
fn seconds(evidence: &Evidence, host: NameId, service: NameId) -> Vec<i64> {
    let kinds = evidence.requests.choose(|kind| (kind.host, kind.service) == (host, service));
    let mut seconds: Vec<i64> = Vec::new();
    for (_, request) in evidence.requests.of(&kinds) {
        let second = request.end.div_euclid(1000);
        if seconds.last() != Some(&second) {
            seconds.push(second);
        }
    }
    seconds.sort_unstable();
    seconds.dedup();
    seconds
}

/// The lines of a proxy that tell of answers. One that could not reach a server asks the next, if it has one; so what another server may
/// have answered counts only where all such lines name one server.
fn answers<'e>(fault: &Fault, all: Vec<Told<'e>>) -> Vec<Told<'e>> {
    let servers: BTreeSet<NameId> = all.iter().filter(|told| !is_certain(fault, told)).map(|told| told.series.entity).collect();
    all.into_iter().filter(|told| servers.len() == 1 || is_certain(fault, told)).collect()
}

fn is_certain(fault: &Fault, told: &Told<'_>) -> bool {
    fault.evidence.iter().any(|e| e.signal == told.series.signal && e.weight >= CERTAIN)
}

/// People mistype passwords at any time: only so many times the usual number is a symptom.
const TIMES: u64 = 4;

/// How many hits a minute has that a quarter of all are below: an attack may last for most of what the logs cover.
fn usual(evidence: &Evidence, all: &[Told<'_>], bins: &BTreeMap<i64, u64>) -> u64 {
    let spans = || all.iter().filter_map(|told| evidence.span(told.series.source));
    let (Some(first), Some(last)) = (spans().map(|s| s.0).min(), spans().map(|s| s.1).max()) else { return 0 };
    let minutes = usize::try_from((last - first).div_euclid(60)).unwrap_or(0) + 1;
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for (second, n) in bins {
        *counts.entry((second - first).div_euclid(60)).or_default() += n;
    }
    let mut counts: Vec<u64> = counts.into_values().collect();
    counts.sort_unstable();
    // The minutes without any hit come first.
    let silent = minutes.saturating_sub(counts.len());
    (minutes / 4).checked_sub(silent).and_then(|at| counts.get(at)).copied().unwrap_or(0)
}

/// How many hits ten seconds must have of those of the fullest ten, to be part of a burst.
const PART: u64 = 10;

/// From where to where a burst really reaches, of the seconds that lie in a minute full of hits: single ones before and behind are no part of it.
fn reach(bins: &BTreeMap<i64, u64>, (first, last): (i64, i64)) -> (i64, i64) {
    let around = |from: i64| bins.range(from..from.saturating_add(10)).map(|(_, n)| n).sum::<u64>();
    let seconds = || bins.range(first..=last).map(|(second, _)| *second);
    let fullest = seconds().map(around).max().unwrap_or(0);
    let is_part = |hits: u64| hits >= 2 && hits * PART >= fullest;
    let begin = seconds().find(|second| is_part(around(*second))).unwrap_or(first);
    let end = seconds().rev().find(|second| is_part(around(second - 9))).unwrap_or(last);
    (begin, end.max(begin))
}

/// A burst: at least so many hits within a minute.
fn burst(id: &str, host: &str, bins: &BTreeMap<i64, u64>, least: u64) -> Option<Symptom> {
    burst_within(60, id, host, bins, least)
}

/// So long (s) a trouble that only an application tells of lasts at the least: one caller that asks for what is not there is none.
const DRAWN_OUT: i64 = 120;

/// A burst within ten minutes that goes on for a while, before which nothing of the kind was said.
fn drawn_out(id: &str, host: &str, bins: &BTreeMap<i64, u64>, begun: i64) -> Option<Symptom> {
    const WITHIN: i64 = 600;
    let burst = burst_within(WITHIN, id, host, bins, LEAST)?;
    let (first, last) = (burst.onset.div_euclid(1000), burst.end.div_euclid(1000));
    let before = bins.range(first - WITHIN..first).map(|(_, n)| n).sum::<u64>();
    let is_new = first - begun >= 60 && before * PART * 2 <= burst.total as u64;
    (is_new && last - first >= DRAWN_OUT).then_some(burst)
}

/// A burst: at least so many hits within so many seconds.
fn burst_within(within: i64, id: &str, host: &str, bins: &BTreeMap<i64, u64>, least: u64) -> Option<Symptom> {
    let around = |s: i64| bins.range(s..s.saturating_add(within)).map(|(_, n)| n).sum::<u64>();
    let hot: Vec<i64> = bins.keys().copied().filter(|s| around(*s) >= least).collect();
    let last = hot.last()?.saturating_add(within);
    let (first, end) = reach(bins, (*hot.first()?, bins.range(..last).next_back().map_or(last, |(s, _)| *s)));
    let total = bins.range(first..=end).map(|(_, n)| *n as usize).sum();
    Some(Symptom { total, ..without_requests(id, host, (first * 1000, end * 1000)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Telling;

    #[test]
    fn a_burst_begins_where_it_rises() {
        let mut bins: BTreeMap<i64, u64> = [(0, 1), (15, 1), (110, 1)].into();
        bins.extend((32..=92).map(|second| (second, 4)));
        let burst = burst("tls.handshake", "web01", &bins, LEAST).unwrap();
        assert_eq!((burst.onset, burst.end, burst.total), (32_000, 92_000, 244));
        let even: BTreeMap<i64, u64> = (0..120).step_by(2).map(|second| (second, 2)).collect();
        assert_eq!(reach(&even, (0, 118)), (0, 118));
    }

    #[test]
    fn what_only_an_application_tells_of_lasts_for_a_while() {
        let every = |step: usize, from: i64, to: i64| (from..to).step_by(step).map(|second| (second, 1)).collect::<BTreeMap<i64, u64>>();
        let drawn = |bins: &BTreeMap<i64, u64>, begun| drawn_out("http.500", "app1", bins, begun).map(|s| (s.onset, s.end, s.total));
        assert_eq!(drawn(&every(5, 1000, 1300), 0), Some((1_000_000, 1_295_000, 60)));
        // Seventy within half a minute; a drizzle for as long as the log; from its first line on; a handful.
        assert_eq!(drawn(&every(1, 1000, 1030).into_keys().map(|second| (second, 3)).collect(), 0), None);
        assert_eq!(drawn(&every(15, 0, 9000), 0), None);
        assert_eq!(drawn(&every(5, 1000, 1300), 990), None);
        assert_eq!(drawn(&every(60, 1000, 2000), 0), None);
    }

    #[test]
    fn an_attack_for_most_of_the_time_is_not_usual() {
        let mut evidence = Evidence::default();
        evidence.ticks.push((0..600).map(|second| (second, 1)).collect());
        let series = Series {
            signal: 0,
            entity: 0,
            host: 0,
            service: 0,
            source: 0,
            telling: Telling::Logged,
            bins: Vec::new(),
            samples: Vec::new(),
        };
        let all = [Told { series: &series, bins: Vec::new() }];
        let minutes = |counts: &[u64]| counts.iter().enumerate().map(|(at, n)| (at as i64 * 60, *n)).filter(|(_, n)| *n > 0).collect();
        assert_eq!(usual(&evidence, &all, &minutes(&[5, 5, 5, 5, 200, 200, 200, 200, 200, 200])), 5);
        assert_eq!(usual(&evidence, &all, &minutes(&[0, 0, 0, 0, 0, 0, 0, 9, 9, 9])), 0);
    }
}
