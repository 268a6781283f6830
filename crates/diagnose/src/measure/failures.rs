//! What the failed requests have in common, and what served requests do not.

use super::{View, quantile};
use crate::entity::endpoint;
use crate::evidence::Request;
use crate::names::{NONE, NameId};
use crate::reach::is_of_replica_set;
use crate::requests::Kind;
use std::collections::{BTreeMap, BTreeSet};
use whyline_event::address;

pub(super) fn measure(view: &mut View<'_>) {
    if view.affected.is_empty() {
        return;
    }
    let total = view.during().count();
    let onset = view.incident.onset;
    let (entity, cite) = (view.edge_entity(), view.some_affected());
    if view.affected.len() * 10 >= total * 8 && total > 0 {
        let note = format!("{} of {total} requests", view.affected.len());
        view.add("failures.everywhere", entity.clone(), onset, note, cite.clone());
    }
    if let Some((path, note)) = common(view, |r| r.of.path, true) {
        view.add("failures.one-path", format!("name:{}", view.evidence.text(path).trim_start()), onset, note, cite.clone());
    }
    let upstream = |r: &Request| if r.of.server != NONE { r.of.server } else { r.of.upstream };
    if let Some((server, note)) = common(view, upstream, false) {
        view.add("failures.one-upstream", endpoint(view.evidence.text(server)), onset, note, cite.clone());
    }
    for by in [|r: &Request| r.of.client, |r: &Request| r.of.agent] {
        if let Some((client, note)) = common(view, by, true).filter(|_| same_paths_served(view, by)) {
            let text = view.evidence.text(client);
            let entity = if address::ip(text).is_some() { format!("client:{text}") } else { format!("name:{text}") };
            view.add("failures.one-client", entity, onset, note, cite.clone());
            break;
        }
    }
    upstreams(view);
    times(view);
}

/// The value that nearly all affected requests share, while requests with other values are mostly served.
fn common(view: &View<'_>, of: impl Fn(&Request) -> NameId, several: bool) -> Option<(NameId, String)> {
    let mut bad: BTreeMap<NameId, usize> = BTreeMap::new();
    for i in &view.affected {
        *bad.entry(of(&view.request(*i))).or_default() += 1;
    }
    let (value, n) = bad.iter().max_by_key(|(_, n)| **n).map(|(v, n)| (*v, *n))?;
    let all = view.affected.len();
    if value == NONE || n * 100 < all * 85 {
        return None;
    }
    let (mut others, mut others_bad) = (0usize, 0usize);
    for (i, r) in view.during() {
        if of(&r) != value && of(&r) != NONE {
            others += 1;
            others_bad += usize::from(view.is_affected(i));
        }
    }
    let enough = if several { others >= 10 && others * 3 >= n } else { others >= 5 };
    (enough && others_bad * 10 <= others)
        .then(|| (value, format!("{n} of {all} failures; of {others} other requests {} were served", others - others_bad)))
}

/// Whether others than the client that fails ask for the same paths, and are served: else it is the path that fails.
fn same_paths_served(view: &View<'_>, by: impl Fn(&Request) -> NameId) -> bool {
    let paths = view.failing_paths();
    let clients: BTreeSet<NameId> = view.affected.iter().map(|i| by(&view.request(*i))).collect();
    view.during()
        .filter(|(i, _)| !view.is_affected(*i))
        .map(|(_, r)| r)
        .filter(|r| paths.contains(&r.of.path) && !clients.contains(&by(r)) && r.of.status < 400)
        .count()
        >= 8
}

/// The addresses that failing requests were sent to.
fn upstreams(view: &mut View<'_>) {
    let mut failing: BTreeMap<NameId, Vec<u32>> = BTreeMap::new();
    for i in &view.affected {
        let of = &view.request(*i).of;
        if of.upstream != NONE && of.status >= 500 {
            failing.entry(of.upstream).or_default().push(*i);
        }
    }
    let onset = view.incident.onset;
    let requests = &view.evidence.requests;
    let first = requests.kinds(&view.edge).map(|(_, sum)| sum.first).min();
    let first = first.and_then(|number| requests.get(number)).map_or(onset, |r| r.start);
    // Upstreams that some request of the edge was sent to before.
    let used: BTreeSet<NameId> = requests.kinds(&view.edge).filter(|(_, sum)| sum.ended.0 < onset).map(|(kind, _)| kind.upstream).collect();
    for server in servers(view) {
        some_served(view, server, |r| r.of.server);
    }
    // Where no server could be chosen nginx names the group in its place (ngx_http_upstream_module, $upstream_addr).
    let is_group = |text: &str| address::ip(text).is_none() && address::split_port(text).1.is_none() && !text.starts_with("unix:");
    let grouped: usize = failing.iter().filter(|(name, _)| is_group(view.evidence.text(**name))).map(|(_, list)| list.len()).sum();
    for (upstream, list) in failing {
        let of = if is_group(view.evidence.text(upstream)) { view.affected.len() } else { view.affected.len() - grouped };
        if list.len() * 10 < of {
            continue;
        }
        let text = view.evidence.text(upstream).to_string();
        let cite: Vec<(u32, u32)> = list.iter().take(3).map(|i| (view.request(*i).of.source, view.request(*i).of.line)).collect();
        let paths: BTreeSet<NameId> = list.iter().map(|i| view.request(*i).of.path).collect();
        let used_before = used.contains(&upstream);
        let other_before: BTreeSet<NameId> = if !used_before && onset - first >= 20_000 {
            let others = view.edge_kinds(|kind| kind.upstream != NONE && kind.upstream != upstream && kind.status < 500);
            view.before(&others).filter(|r| paths.contains(&r.of.path)).map(|r| r.of.upstream).collect()
        } else {
            BTreeSet::new()
        };
        // A release brings new addresses, too, whose answers are its own.
        let strange = list.iter().filter(|i| matches!(view.request(**i).of.status, 404 | 502..=504)).count();
        if !is_group(&text) && !other_before.is_empty() && strange * 5 >= list.len() {
            let others: Vec<&str> = other_before.iter().map(|u| view.evidence.text(*u)).collect();
            let note = format!("{text} was never asked before; the same paths were served by {}", others.join(", "));
            view.add("upstream.new-address", endpoint(&text), onset, note, cite.clone());
        }
        // After the trouble (or beside it) the same paths are served by an address that was never used before.
        let new = view.edge_kinds(|kind| kind.status < 500 && kind.upstream != NONE && !used.contains(&kind.upstream));
        let later = requests.ended(&new, onset + 1, i64::MAX).map(|(_, r)| r).filter(|r| r.of.upstream != upstream);
        let later: Vec<Request> = later.filter(|r| paths.contains(&r.of.path)).collect();
        // Pods come and go under addresses of their own, and whoever sends to them hears of it without any name server.
        let is_pod = view.topology.behind(&text).is_some_and(|host| is_of_replica_set(&host));
        let stays = is_pod || is_still_asked(view, upstream, &later);
        let later: BTreeSet<NameId> = later.iter().filter(|r| paths.contains(&r.of.path)).map(|r| r.of.upstream).collect();
        // What answers by itself has not moved away.
        let is_unanswered = |i: &&u32| {
            let of = &view.request(**i).of;
            // A server that says itself that it is not ready has answered.
            matches!(of.status, 502..=504) && !(of.status == 503 && of.upstream_status == 503)
        };
        let unanswered = list.iter().filter(is_unanswered).count();
        // A group has no address that it could have left: its servers come and go under one name.
        if !is_group(&text) && used_before && !later.is_empty() && !stays && unanswered * 2 >= list.len() {
            let others: Vec<&str> = later.iter().map(|u| view.evidence.text(*u)).collect();
            let note = format!("the same paths are served by {} later, which was never asked before", others.join(", "));
            view.add("upstream.moved", endpoint(&text), onset, note, cite.clone());
        }
        some_served(view, upstream, |r| r.of.upstream);
        none_served(view, upstream);
        other_port(view, upstream, &list, used_before);
    }
}

/// Whether a proxy goes on asking an upstream behind the first answers of others: these came beside it, not in its place.
fn is_still_asked(view: &View<'_>, upstream: NameId, later: &[Request]) -> bool {
    /// Requests under way are sent where they were sent before (ms); some others may be.
    const UNDER_WAY: i64 = 5_000;
    const SOME: usize = 5;
    let mut first: BTreeMap<NameId, i64> = BTreeMap::new();
    for r in later {
        first.entry(r.of.host).and_modify(|end| *end = (*end).min(r.end)).or_insert(r.end);
    }
    let old = view.edge_kinds(|kind| kind.upstream == upstream && first.contains_key(&kind.host));
    let asked = view.evidence.requests.of(&old).map(|(_, r)| r);
    let after = asked.filter(|r| first.get(&r.of.host).is_some_and(|end| r.start > end + UNDER_WAY));
    after.take(SOME).count() == SOME
}

/// Another port of the machine that the failing requests went to, which serves all through the incident.
fn other_port(view: &mut View<'_>, upstream: NameId, list: &[u32], used_before: bool) {
    let (onset, requests) = (view.incident.onset, &view.evidence.requests);
    let text = view.evidence.text(upstream);
    let (ip, port) = address::split_port(text);
    let beside = |other: &str| {
        let (other, p) = address::split_port(other);
        other == ip && p != port
    };
    // What a server asks for on its own machine is no other way to it.
    let own = view.topology.behind(text);
    let is_own = |kind: &Kind| own.as_deref().is_some_and(|own| own == view.evidence.text(kind.host));
    let serving =
        requests.choose(|kind| kind.status < 500 && kind.upstream != NONE && beside(view.evidence.text(kind.upstream)) && !is_own(kind));
    // Where both served before, neither is a wrong one.
    if used_before && requests.kinds(&serving).any(|(_, sum)| sum.ended.0 < onset) {
        return;
    }
    let span = (view.incident.end - onset).max(1);
    let mut served = requests.ended(&serving, onset, view.incident.end).map(|(_, r)| r).peekable();
    let other = served.peek().map(|r| view.evidence.text(r.of.upstream).to_string());
    let quarters: BTreeSet<i64> = served.map(|r| (r.end - onset) * 4 / span).collect();
    if let Some(other) = other.filter(|_| quarters.len() >= 3) {
        let cite = list.iter().take(3).map(|i| (view.request(*i).of.source, view.request(*i).of.line)).collect();
        view.add("upstream.other-port-serves", endpoint(text), onset, format!("{other} serves at the same time"), cite);
    }
}

/// Servers of which only the name is known that a tenth of the failing requests or more went to.
fn servers(view: &View<'_>) -> Vec<NameId> {
    let mut failing: BTreeMap<NameId, usize> = BTreeMap::new();
    for of in view.affected.iter().map(|i| view.request(*i).of) {
        if of.upstream == NONE && of.server != NONE && of.status >= 500 {
            *failing.entry(of.server).or_default() += 1;
        }
    }
    failing.into_iter().filter(|(_, n)| n * 10 >= view.affected.len()).map(|(server, _)| server).collect()
}

/// Whether an endpoint served others of the requests that went to it, all through the incident.
fn some_served(view: &mut View<'_>, target: NameId, of: impl Fn(&Request) -> NameId) {
    let onset = view.incident.onset;
    let same: Vec<Request> = view.during().map(|(_, r)| r).filter(|r| of(r) == target).collect();
    let good: Vec<&Request> = same.iter().filter(|r| r.of.status < 500 && r.of.status != 499).collect();
    let span = (view.incident.end - onset).max(1);
    let quarters: BTreeSet<i64> = good.iter().map(|r| (r.end - onset) * 4 / span).collect();
    if good.len() >= 8 && good.len() * 7 >= same.len() && quarters.len() >= 3 {
        let text = view.evidence.text(target).to_string();
        let note = format!("{} of {} requests to {text} were served", good.len(), same.len());
        let cite = good.iter().take(2).map(|r| (r.of.source, r.of.line)).collect();
        view.add("upstream.some-served", endpoint(&text), onset, note, cite);
    }
}

/// An upstream that served before and serves nothing at all during the incident: no race for idle connections, which strikes some.
fn none_served(view: &mut View<'_>, upstream: NameId) {
    let of = view.edge_kinds(|kind| kind.upstream == upstream);
    let during: Vec<Request> = view.during().map(|(_, r)| r).filter(|r| r.of.upstream == upstream).collect();
    let served = during.iter().filter(|r| r.of.status < 500 && r.of.status != 499).count();
    let before = view.before(&of).filter(|r| r.of.status < 500).take(10).count();
    if during.len() >= 20 && served * 50 < during.len() && before >= 10 {
        let text = view.evidence.text(upstream).to_string();
        let note = format!("{served} of {} requests to {text} were served", during.len());
        view.add("upstream.none-served", endpoint(&text), view.incident.onset, note, Vec::new());
    }
}

/// Requests for the paths that run into a time-out now which took longer before, and were served: the time-out was longer then.
fn longer_before(view: &mut View<'_>, plateau: i64) {
    let paths = view.failing_paths();
    let is_longer = |r: &Request| paths.contains(&r.of.path) && r.of.status < 400 && r.took().is_some_and(|t| t * 100 > plateau * 105);
    let longer: Vec<Request> = view.before(&view.edge).filter(is_longer).collect();
    let longest = longer.iter().filter_map(Request::took).max().unwrap_or(0);
    let slow: BTreeSet<NameId> = longer.iter().map(|r| r.of.path).collect();
    let theirs = view.affected.iter().filter(|i| slow.contains(&view.request(**i).of.path)).count();
    if longer.len() >= 3 && theirs * 2 >= view.affected.len() {
        let note = format!(
            "{} requests for the same paths took longer before, up to {:.1} s, and were served",
            longer.len(),
            longest as f64 / 1000.0
        );
        let cite = longer.iter().rev().take(2).map(|r| (r.of.source, r.of.line)).collect();
        view.add("upstream.longer-served-before", view.edge_entity(), view.incident.onset, note, cite);
    }
}

/// A time-out that is so many times what is usual fitted with room to spare.
const FAR_ABOVE: i64 = 20;
/// Of so many requests for a path it is known what is usual.
const KNOWN: usize = 30;

/// The paths that run into a time-out now used to be answered in a small part of it: it did not become too short, the answers became late. A path
/// of which hardly any request fails may always have had a few that take long.
fn far_above_usual(view: &mut View<'_>, plateau: i64) {
    let paths = view.failing_paths();
    let mut before: BTreeMap<NameId, Vec<i64>> = BTreeMap::new();
    for r in view.before(&view.edge).filter(|r| paths.contains(&r.of.path) && r.of.status < 400) {
        if let Some(took) = r.took() {
            before.entry(r.of.path).or_default().push(took);
        }
    }
    let mut asked: BTreeMap<NameId, (usize, usize)> = BTreeMap::new();
    for (i, r) in view.during().filter(|(_, r)| paths.contains(&r.of.path)) {
        let (all, failed) = asked.entry(r.of.path).or_default();
        *all += 1;
        *failed += usize::from(view.is_affected(i));
    }
    let mut usual: Vec<i64> = Vec::new();
    let mut far = 0;
    for (path, mut took) in before.into_iter().filter(|(_, took)| took.len() >= KNOWN) {
        took.sort_unstable();
        let most = quantile(&took, 0.99).max(1);
        let (all, failed) = asked.get(&path).copied().unwrap_or_default();
        if most * FAR_ABOVE <= plateau && failed * 5 >= all {
            far += failed;
            usual.push(most);
        }
    }
    let longest = usual.into_iter().max().unwrap_or(0);
    if far >= 5 && far * 10 >= view.affected.len() * 8 {
        let note = format!("99 of 100 requests for the same paths took no longer than {longest} ms before");
        view.add("upstream.timeout-far-above-usual", view.edge_entity(), view.incident.onset, note, Vec::new());
    }
}

/// From so long (ms) on nobody calls a time-out short; the defaults of the usual proxies are 30 to 120 s.
const LONG_TIMEOUT: i64 = 30_000;

/// How long the failed requests took.
fn times(view: &mut View<'_>) {
    let failed: Vec<u32> = view.affected.iter().copied().filter(|i| view.request(*i).of.status >= 499).collect();
    let mut took: Vec<i64> = failed.iter().filter_map(|i| view.request(*i).took()).collect();
    if took.len() < 5 {
        return;
    }
    took.sort_unstable();
    let middle = quantile(&took, 0.5);
    let near = took.iter().filter(|t| (**t - middle).abs() <= (middle / 20).max(30)).count();
    let (entity, cite, onset) = (view.edge_entity(), view.some_affected(), view.incident.onset);
    if middle >= 900 && near * 10 >= took.len() * 6 {
        let note = format!("{near} of {} failed requests ended after {:.1} s", took.len(), middle as f64 / 1000.0);
        if middle >= LONG_TIMEOUT {
            view.add("upstream.long-timeout", entity.clone(), onset, note.clone(), Vec::new());
        }
        view.add("upstream.timeout-plateau", entity, onset, note, cite);
        longer_before(view, middle);
        far_above_usual(view, middle);
    } else if quantile(&took, 0.8) < 60 {
        let note = format!("four of five failed requests ended within {} ms", quantile(&took, 0.8).max(1));
        view.add("upstream.fails-at-once", entity, onset, note, cite);
    }
}
