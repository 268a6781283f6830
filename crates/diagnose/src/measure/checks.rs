//! Health checks as the log of the server shows them that is asked: one client asks for one path at a steady pace.

use super::View;
use crate::entity::endpoint;
use crate::names::{NONE, NameId};
use crate::requests::Request;
use crate::symptoms::is_steady;
use std::collections::BTreeMap;
use std::net::IpAddr;
use whyline_event::address;

/// So many checks at the least.
const LEAST: usize = 5;
/// No more of them are looked at.
const MOST: usize = 1_000;
/// So many are shown.
const CITED: usize = 3;
/// The log goes so far (ms) back before the first of them.
const BEFORE: i64 = 60_000;
/// So many other requests were served by then.
const SERVED: usize = 20;
/// A check may begin so long (ms) before others feel it: several must fail first.
const EARLY: i64 = 60_000;

/// What one client asked for: the machine that logged it, client and exact path.
type Check = (NameId, NameId, u64);

/// When, how often, and the first of them.
#[derive(Default)]
struct Asked {
    ends: Vec<i64>,
    times: usize,
    first: Vec<Request>,
}

impl Asked {
    fn add(&mut self, r: Request) {
        self.times += 1;
        if self.ends.len() < MOST {
            self.ends.push(r.end);
        }
        if self.first.len() < CITED {
            self.first.push(r);
        }
    }
}

/// Checks that ask for another path since the trouble began, and are refused, at servers that served well until then.
pub(super) fn measure(view: &mut View<'_>) {
    let (from, to) = (view.incident.onset - EARLY, view.incident.end);
    let requests = &view.evidence.requests;
    let refused = requests.choose(|kind| kind.access && (300..500).contains(&kind.status));
    let mut checks: BTreeMap<Check, Asked> = BTreeMap::new();
    for (_, r) in requests.ended(&refused, from, to).filter(|(_, r)| is_checker(view, r)) {
        checks.entry((r.of.host, r.of.client, r.of.exactly())).or_default().add(r);
    }
    checks.retain(|_, asked| {
        asked.ends.sort_unstable();
        asked.times >= LEAST && is_steady(&asked.ends)
    });
    for ((host, client, asked_for), list) in checks {
        let Some(first) = list.first.first() else { continue };
        let of_host = view.evidence.requests.choose(|kind| kind.access && kind.host == host);
        let (mut begun, mut served, mut asked) = (i64::MAX, 0, 0);
        for (_, r) in view.evidence.requests.ended(&of_host, i64::MIN, to) {
            begun = begun.min(r.end);
            served += usize::from(r.end < first.end && r.of.status < 400);
            asked += usize::from((r.of.client, r.of.exactly()) == (client, asked_for));
        }
        // It was asked for only since then, and never served.
        if first.end - begun < BEFORE || served < SERVED || asked != list.times {
            continue;
        }
        let (host, client, path) = (view.evidence.text(host), view.evidence.text(client), view.evidence.text(first.of.path));
        let place = if host.is_empty() { "the server" } else { host };
        let note = format!("{client} asks {place} for {path} since then, at a steady pace, and is answered {} each time", first.of.status);
        let cite = list.first.iter().map(|r| (r.of.source, r.of.line)).collect();
        let entity = if host.is_empty() { endpoint(client) } else { format!("host:{host}") };
        view.add("checks.ask-anew", entity, first.end, note, cite);
    }
}

/// Whether a request may be a check: it comes from a machine of the place, or its agent says so.
fn is_checker(view: &View<'_>, r: &Request) -> bool {
    const AGENTS: [&str; 3] = ["HealthCheck", "GoogleHC", "kube-probe"];
    let agent = view.evidence.text(r.of.agent);
    let is_near = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback(),
    };
    r.of.client != NONE
        && (address::ip(view.evidence.text(r.of.client)).is_some_and(is_near) || AGENTS.iter().any(|name| agent.contains(name)))
}
