//! How much is asked, and by whom.

use super::{Times, View, quantile};
use crate::evidence::Request;
use crate::names::{NONE, NameId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::net::IpAddr;
use whyline_event::address;

const BIN: i64 = 10_000;

pub(super) fn measure(view: &mut View<'_>) {
    let (onset, end) = (view.incident.onset, view.incident.end);
    let requests = &view.evidence.requests;
    // They come in the order of their beginnings.
    let ends = || requests.kinds(&view.edge).map(|(_, sum)| sum);
    let start = |number: Option<u32>| number.and_then(|number| requests.get(number)).map(|r| r.start);
    let first = start(ends().map(|sum| sum.first).min()).unwrap_or(onset);
    let last = start(ends().map(|sum| sum.last).max()).unwrap_or(end);
    let (from, to) = (first.div_euclid(BIN), last.div_euclid(BIN));
    if to - from >= 100_000 {
        return;
    }
    let mut bins: Vec<(i64, i64)> = (from..=to).map(|b| (b, 0)).collect();
    for (_, r) in requests.of(&view.edge) {
        let at = usize::try_from(r.start.div_euclid(BIN) - from).ok();
        at.and_then(|at| bins.get_mut(at)).into_iter().for_each(|(_, n)| *n += 1);
    }
    let outside: Vec<i64> = bins.iter().filter(|(b, _)| (*b + 1) * BIN < onset || *b * BIN > end + 20_000).map(|(_, n)| *n).collect();
    let inside: Vec<i64> =
        bins.iter().filter(|(b, _)| *b * BIN >= onset - BIN / 2 && (*b + 1) * BIN <= end + BIN).map(|(_, n)| *n).collect();
    if outside.len() < 3 || inside.is_empty() {
        return queue(view);
    }
    let mut sorted = outside.clone();
    sorted.sort_unstable();
    let usual = quantile(&sorted, 0.5).max(1) as f64;
    let now = inside.iter().sum::<i64>() as f64 / inside.len() as f64;
    let early = {
        let around: Vec<i64> =
            bins.iter().filter(|(b, _)| *b * BIN > onset - 2 * BIN && *b * BIN <= onset + 2 * BIN).map(|(_, n)| *n).collect();
        around.iter().copied().max().unwrap_or(0) as f64
    };
    let factor = now / usual;
    let note = format!("{:.1} requests a second in place of the usual {:.1}", now / 10.0, usual / 10.0);
    let host = view.edge_entity();
    let cite = view.some_affected();
    if factor >= 1.6 && early >= 1.4 * usual && now - usual >= 10.0 {
        view.add("traffic.surge", host.clone(), onset, note.clone(), cite.clone());
        if factor >= 4.0 {
            view.add("traffic.flood", host.clone(), onset, note.clone(), cite.clone());
        }
        clients(view, usual, inside.len() as f64, &host);
    } else if factor < 1.3 {
        view.add("traffic.steady", host.clone(), onset, note, Vec::new());
    }
    repeats(view, factor);
    known_refused(view);
    queue(view);
}

/// So many refusals (401, 403, 429) say whose they are.
const REFUSED: usize = 20;

/// Refusals of clients that were at home before: who guesses asks for the page of the log-in, who is at home was let in or asked for other pages
/// as well.
fn known_refused(view: &mut View<'_>) {
    let refused: Vec<Request> = view.affected.iter().map(|i| view.request(*i)).filter(|r| matches!(r.of.status, 401 | 403 | 429)).collect();
    if refused.len() < REFUSED || refused.len() * 2 < view.affected.len() {
        return;
    }
    let paths: FxHashSet<NameId> = refused.iter().map(|r| r.of.path).collect();
    // The pages that each of their clients was served before.
    let mut pages: FxHashMap<NameId, FxHashSet<NameId>> =
        refused.iter().filter(|r| r.of.client != NONE).map(|r| (r.of.client, FxHashSet::default())).collect();
    for r in view.before(&view.edge_kinds(|kind| kind.status < 400)) {
        pages.get_mut(&r.of.client).into_iter().for_each(|pages| _ = pages.insert(r.of.path));
    }
    let elsewhere = |pages: &FxHashSet<NameId>| pages.len() >= 2 && pages.iter().any(|page| !paths.contains(page)) || pages.len() >= 3;
    let known = refused.iter().filter(|r| pages.get(&r.of.client).is_some_and(elsewhere)).count();
    if known * 2 > refused.len() {
        let note = format!("{known} of {} refused requests are of clients that were served before", refused.len());
        view.add("refusals.of-known-clients", view.edge_entity(), view.incident.onset, note, Vec::new());
    }
}

/// Whose the rise is.
fn clients(view: &mut View<'_>, usual: f64, bins: f64, host: &str) {
    let mut now: BTreeMap<NameId, usize> = BTreeMap::new();
    for (_, r) in view.during() {
        *now.entry(r.of.client).or_default() += 1;
    }
    now.remove(&NONE);
    let all: usize = now.values().sum();
    let extra = all as f64 - usual * bins;
    if extra <= 0.0 || all == 0 {
        return;
    }
    let mut top: Vec<(usize, NameId)> = now.iter().map(|(c, n)| (*n, *c)).collect();
    top.sort_unstable_by(|a, b| b.cmp(a));
    let before: FxHashSet<NameId> = view.before(&view.edge).map(|r| r.of.client).collect();
    let three: usize = top.iter().take(3).map(|(n, _)| n).sum();
    if three as f64 >= 0.6 * extra && top.len() > 3 && !is_at_home(view, top[0].1, &before) {
        let client = format!("client:{}", view.evidence.text(top[0].1));
        let note = format!("{three} of {all} requests come from {} clients", top.len().min(3));
        let cite = some_of(view, |client| client == top[0].1);
        view.add("traffic.few-clients", client, view.incident.onset, note, cite);
    }
    let new: usize = now.iter().filter(|(c, _)| !before.contains(c)).map(|(_, n)| n).sum();
    if new as f64 >= 0.5 * extra {
        let note = format!("{new} of {all} requests come from clients that were not there before");
        let cite = some_of(view, |client| client != NONE && !before.contains(&client));
        view.add("traffic.many-new-clients", host.to_string(), view.incident.onset, note, cite);
    }
}

/// The first requests of some clients.
fn some_of(view: &View<'_>, is_one: impl Fn(NameId) -> bool) -> Vec<(u32, u32)> {
    view.during().map(|(_, r)| r.of).filter(|of| is_one(of.client)).take(2).map(|of| (of.source, of.line)).collect()
}

/// Whether a client comes from a private network where most come from the Internet: a machine of one's own, whatever it does, is no stranger.
fn is_at_home(view: &View<'_>, client: NameId, before: &FxHashSet<NameId>) -> bool {
    let is_private = |client: NameId| match address::ip(view.evidence.text(client)) {
        Some(IpAddr::V4(ip)) => ip.is_private(),
        Some(IpAddr::V6(ip)) => ip.is_unique_local(),
        None => false,
    };
    is_private(client) && before.iter().filter(|client| is_private(**client)).count() * 2 < before.len()
}

/// Failed requests that their clients repeat at once.
fn repeats(view: &mut View<'_>, factor: f64) {
    if factor < 1.25 || view.affected.len() < 20 {
        return;
    }
    let mut last: BTreeMap<(NameId, u64, u64), i64> = BTreeMap::new();
    let mut all = 0usize;
    let mut gaps = Times::default();
    for i in view.affected.iter().copied() {
        let r = view.request(i);
        // Where no client is told, a repeat has the id of the first attempt.
        if r.of.client == NONE && r.of.id == 0 {
            continue;
        }
        all += 1;
        let id = if r.of.client == NONE { r.of.id } else { 0 };
        if let Some(before) = last.insert((r.of.client, r.of.exactly(), id), r.start)
            && r.start - before < 30_000
        {
            gaps.extend([r.start - before]);
        }
    }
    let again = gaps.len();
    if all > 0 && again * 10 >= all * 4 && !are_strangers(view) && !is_their_habit(view, again as f64 / all as f64, gaps.quantile(0.5)) {
        let note = format!("{again} of {all} failed requests repeat one that failed within the half minute before");
        let entity = view.edge_entity();
        let cite = view.some_affected();
        view.add("traffic.repeats", entity, view.incident.onset, note, cite);
    }
}

/// Whether most of the failed requests are refused (400 and above, below 500), and of clients that were never served: who guesses or scans fails
/// from the first time on.
fn are_strangers(view: &View<'_>) -> bool {
    let refused = view.affected.iter().filter(|i| (400..499).contains(&view.request(**i).of.status)).count();
    if refused * 2 < view.affected.len() {
        return false;
    }
    let served = view.edge_kinds(|kind| kind.status < 400);
    let served: FxHashSet<NameId> = view.evidence.requests.of(&served).map(|(_, r)| r.of.client).collect();
    let clients = || view.affected.iter().map(|i| view.request(*i).of.client).filter(|client| *client != NONE);
    clients().filter(|client| !served.contains(client)).count() * 2 > clients().count()
}

/// So many requests of clients, and so many times their usual rate, say that they ask for more than they are used to.
const HISTORY: usize = 50;
const MORE: f64 = 2.0;

/// Whether the same clients ask for the same again and again as well when they are served, and not much more slowly (`failed` is the share of
/// failed requests that are repeated, and `gap` the usual time to the next in ms): of a load test, and of some programs, that is the usual way.
/// Not where they are known for longer and asked for far less then.
fn is_their_habit(view: &View<'_>, failed: f64, gap: i64) -> bool {
    let failing: FxHashSet<NameId> = view.affected.iter().map(|i| view.request(*i).of.client).filter(|client| *client != NONE).collect();
    let (onset, end) = (view.incident.onset, view.incident.end);
    let served = view.edge_kinds(|kind| kind.status < 400);
    let mut last: FxHashMap<(NameId, u64), i64> = FxHashMap::default();
    let (mut all, mut before, mut first) = (0usize, 0usize, onset);
    let mut gaps = Times::default();
    for (_, r) in view.evidence.requests.of(&served).filter(|(_, r)| failing.contains(&r.of.client)) {
        all += 1;
        if r.end < onset {
            before += 1;
            first = first.min(r.start);
        }
        let earlier = last.insert((r.of.client, r.of.exactly()), r.start);
        gaps.extend(earlier.map(|earlier| r.start - earlier).filter(|gap| *gap < 30_000));
    }
    let rate = |count: usize, span: i64| count as f64 / (span as f64 / 1000.0).max(1.0);
    let now = view.during().filter(|(_, r)| failing.contains(&r.of.client)).count();
    if before >= HISTORY && rate(now, end - onset) >= MORE * rate(before, onset - first) {
        return false;
    }
    all >= HISTORY && gaps.len() as f64 / all as f64 >= 0.8 * failed && gaps.quantile(0.5) <= 2 * gap
}

/// Time in the proxy's queue.
fn queue(view: &mut View<'_>) {
    let waited = |r: Request| i64::from(r.of.queue) / 1000;
    let now: Times = view.during().map(|(_, r)| waited(r)).collect();
    let n = now.quantile(0.75);
    if now.len() < 10 || n < 50 {
        return;
    }
    let u = view.before(&view.edge).map(waited).collect::<Times>().quantile(0.75);
    if n >= 50 && n >= 3 * u.max(10) {
        let note = format!("a quarter of the requests waits {n} ms or longer in the queue, in place of {u} ms");
        let (entity, cite) = (view.edge_entity(), view.some_affected());
        view.add("queue.growth", entity, view.incident.onset, note, cite);
    }
}
