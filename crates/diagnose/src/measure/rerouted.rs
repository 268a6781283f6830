//! Requests that a proxy sends to another upstream than before, which serves other things and does not know them.

use super::View;
use crate::entity::endpoint;
use crate::names::{NONE, NameId};
use crate::requests::Request;
use std::collections::{BTreeMap, BTreeSet};

/// So many of the affected requests at least.
const LEAST: usize = 10;
/// So many served requests for their paths before, at least.
const BEFORE: usize = 10;

/// Whom a proxy asked: by its address, else by the name of the server.
fn target(request: &Request) -> NameId {
    if request.of.upstream == NONE { request.of.server } else { request.of.upstream }
}

/// Whether an answer says that the asked one does not know what it is asked for.
fn is_unknown(status: u16) -> bool {
    matches!(status, 400 | 403..=405 | 410 | 421 | 501)
}

/// Upstreams that get what others served before.
pub(super) fn measure(view: &mut View<'_>) {
    let refused: Vec<u32> = view.affected.iter().copied().filter(|i| is_unknown(view.request(*i).of.status)).collect();
    if refused.len() < LEAST || refused.len() * 5 < view.affected.len() * 4 {
        return;
    }
    let sent = view.edge_kinds(|kind| kind.upstream != NONE || kind.server != NONE);
    let paths: BTreeSet<NameId> = refused.iter().map(|i| view.request(*i).of.path).collect();
    // Who served these paths before, who served others, and who is asked for them now.
    let (mut served, mut known): (BTreeMap<NameId, BTreeSet<NameId>>, BTreeSet<NameId>) = Default::default();
    let mut before = 0;
    for request in view.before(&sent).filter(|r| r.of.status < 400) {
        if paths.contains(&request.of.path) {
            served.entry(request.of.path).or_default().insert(target(&request));
            before += 1;
        } else {
            known.insert(target(&request));
        }
    }
    if before < BEFORE {
        return;
    }
    // How many requests for each path go to others that are known, and how many in all.
    let mut asked: BTreeMap<NameId, (usize, usize)> = BTreeMap::new();
    for (_, request) in view.during().filter(|(_, r)| target(r) != NONE) {
        let (path, target) = (request.of.path, target(&request));
        if let Some(old) = served.get(&path) {
            let (others, all) = asked.entry(path).or_default();
            *all += 1;
            *others += usize::from(!old.contains(&target) && known.contains(&target));
        }
    }
    // At the edges of the trouble some are still served as before.
    let is_moved = |path: &NameId| asked.get(path).is_some_and(|(others, all)| others * 20 >= all * 19);
    let moved: Vec<Request> = refused.iter().map(|i| view.request(*i)).filter(|r| is_moved(&r.of.path)).collect();
    if moved.len() * 5 < view.affected.len() * 4 {
        return;
    }
    let Some(first) = moved.first() else { return };
    let old: BTreeSet<&str> = served.get(&first.of.path).into_iter().flatten().map(|name| view.evidence.text(*name)).collect();
    let now = view.evidence.text(target(first)).to_string();
    let note = format!(
        "{} of {} failing requests went to {now}, which never served their paths; {} did until then",
        moved.len(),
        view.affected.len(),
        old.into_iter().collect::<Vec<_>>().join(", ")
    );
    let cite = moved.iter().take(3).map(|r| (r.of.source, r.of.line)).collect();
    view.add("upstream.rerouted", endpoint(&now), view.incident.onset, note, cite);
}
