//! Where users arrive: access logs before messages of applications, outer proxies before inner ones.

use crate::evidence::{Evidence, Request};
use crate::names::{NONE, NameId};
use crate::requests::{Chosen, Kind};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// A place where users arrive: the requests of one edge host.
pub(super) struct Edge {
    pub host: NameId,
    /// The kinds of its requests.
    pub kinds: Chosen,
    /// When the first of them ended, and the last.
    pub ended: (i64, i64),
    /// How many they are.
    pub len: usize,
    /// Most have the stamp of a line before, so that they seem to come in lumps.
    pub lumped: bool,
    clients: Few,
}

impl Edge {
    /// Whether a handful of clients ask here, as proxies do.
    pub(super) fn is_called_by_few(&self) -> bool {
        self.clients.0.len() <= HANDFUL
    }

    /// Whether a crowd of clients asks here.
    pub(super) fn has_crowd(&self) -> bool {
        self.clients.0.len() > CROWD
    }

    /// Its requests with their numbers.
    pub(super) fn requests<'e>(&'e self, evidence: &'e Evidence) -> impl Iterator<Item = (u32, Request)> + 'e {
        evidence.requests.of(&self.kinds)
    }

    /// How many of them ended in the milliseconds from one to before another.
    pub(super) fn ended_within(&self, evidence: &Evidence, from: i64, to: i64) -> usize {
        evidence.requests.ended(&self.kinds, from, to.saturating_sub(1)).count()
    }
}

/// What one service on one host writes into a log. Several share one where the output of containers is copied together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    log: u32,
    host: NameId,
    service: NameId,
}

impl Unit {
    fn of(evidence: &Evidence, kind: &Kind) -> Unit {
        Unit { log: evidence.log_of(kind.source), host: kind.host, service: kind.service }
    }
}

/// What is to be known of it.
#[derive(Default)]
struct Log {
    requests: usize,
    /// Its first request is one of an access log.
    access: bool,
    /// It says where requests are sent.
    proxies: bool,
    clients: Few,
}

/// Different names, as many as matter.
#[derive(Default)]
struct Few(Vec<NameId>);

/// So many clients are a crowd, and so few are proxies.
const CROWD: usize = 10;
const HANDFUL: usize = 3;

impl Few {
    fn add(&mut self, name: NameId) {
        if self.0.len() <= CROWD && name != NONE && !self.0.contains(&name) {
            self.0.push(name);
        }
    }
}

/// The edges, in the order of their hosts' names.
pub(super) fn edges(evidence: &Evidence) -> Vec<Edge> {
    let logs = logs(evidence);
    let any_access = logs.values().any(|log| log.requests >= 20 && log.access);
    let crowd = logs.values().any(|log| log.access && log.clients.0.len() > CROWD);
    let mut edges: BTreeMap<&str, (NameId, BTreeSet<Unit>)> = BTreeMap::new();
    for (unit, log) in &logs {
        // An inner tier is called by a handful of proxies, or by nobody it names, while others see the crowd.
        let inner = any_access && !log.proxies && crowd && log.clients.0.len() <= HANDFUL;
        if any_access && !log.access || inner {
            continue;
        }
        let host = unit.host;
        edges.entry(evidence.text(host)).or_insert_with(|| (host, BTreeSet::new())).1.insert(*unit);
    }
    let edge = |(host, units): (NameId, BTreeSet<Unit>)| {
        let mut clients = Few::default();
        units.iter().filter_map(|unit| logs.get(unit)).flat_map(|log| &log.clients.0).for_each(|client| clients.add(*client));
        let kinds = evidence.requests.choose(|kind| units.contains(&Unit::of(evidence, kind)));
        let (mut len, mut inherited, mut ended) = (0, 0, (i64::MAX, i64::MIN));
        for (kind, sum) in evidence.requests.kinds(&kinds) {
            len += sum.rows;
            inherited += if kind.inherited { sum.rows } else { 0 };
            ended = (ended.0.min(sum.ended.0), ended.1.max(sum.ended.1));
        }
        Edge { host, kinds, ended, len, lumped: inherited * 2 > len, clients }
    };
    let mut edges: Vec<Edge> = edges.into_values().map(edge).collect();
    if edges.len() > 1 {
        let inner: Vec<bool> = edges.iter().map(|edge| is_inner(evidence, edge, &edges)).collect();
        let mut inner = inner.iter();
        edges.retain(|_| inner.next() != Some(&true));
    }
    edges
}

fn logs(evidence: &Evidence) -> BTreeMap<Unit, Log> {
    let mut logs: BTreeMap<Unit, Log> = BTreeMap::new();
    let mut first: BTreeMap<Unit, u32> = BTreeMap::new();
    for (kind, sum) in evidence.requests.all_kinds() {
        let unit = Unit::of(evidence, kind);
        let log = logs.entry(unit).or_default();
        log.requests += sum.rows;
        log.proxies |= kind.is_sent_on();
        let earliest = first.entry(unit).or_insert(u32::MAX);
        if sum.first <= *earliest {
            (*earliest, log.access) = (sum.first, kind.access);
        }
    }
    for (unit, log) in &mut logs {
        let kinds = evidence.requests.choose(|kind| Unit::of(evidence, kind) == *unit);
        for (_, request) in evidence.requests.of(&kinds) {
            log.clients.add(request.of.client);
            if log.clients.0.len() > CROWD {
                break;
            }
        }
    }
    logs
}

/// Whether half of an edge's requests or more were sent there by an edge: they are counted where they came in.
fn is_inner(evidence: &Evidence, edge: &Edge, all: &[Edge]) -> bool {
    let requests = &evidence.requests;
    let own = requests.choose(|kind| !kind.is_sent_on());
    let own: Chosen = own.iter().zip(&edge.kinds).map(|(a, b)| *a && *b).collect();
    // Where too few could have come from another edge there is nothing to look for.
    if requests.kinds(&own).map(|(_, sum)| sum.rows).sum::<usize>() * 2 < edge.len {
        return false;
    }
    let mut ids: FxHashMap<u64, (usize, bool)> = FxHashMap::default();
    for (_, request) in requests.of(&own).filter(|(_, r)| r.of.id != 0) {
        ids.entry(request.of.id).or_default().0 += 1;
    }
    let of_edges = |at: usize| all.iter().any(|edge| edge.kinds.get(at) == Some(&true));
    let proxied = requests.choose(|kind| kind.is_sent_on());
    let proxied: Chosen = proxied.into_iter().enumerate().map(|(at, sent_on)| sent_on && of_edges(at)).collect();
    for (_, request) in requests.of(&proxied) {
        if let Some((_, sent)) = ids.get_mut(&request.of.id) {
            *sent = true;
        }
    }
    let inner: usize = ids.values().filter(|(_, sent)| *sent).map(|(n, _)| n).sum();
    inner > 0 && inner * 2 >= edge.len
}
