//! A cache that still hands out old pages: what it serves asks for files that are gone, while another cache of the kind has moved on.
//!
//! A release takes old files away (their names carry a version) and drops the pages that refer to them from the caches. Where one of several was
//! forgotten, its visitors go on asking for files that answered before and now answer 404; those of the others ask for the new ones.

use super::View;
use crate::names::NameId;
use crate::requests::{Exchange, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// So many requests for files that are gone.
const GONE: usize = 20;
/// So many of ten of those that answer 404 were served before by the same cache.
const SERVED_BEFORE: usize = 7;
/// Another cache was asked for them so often before ...
const ASKED: usize = 10;
/// ... and is asked now in one of so many requests at the most, in proportion to before.
const LEFT: usize = 10;
/// So many different files that nobody asked for before are served by the other cache, each so often: single ones are everyday pages.
const NEW: usize = 2;
const OFTEN: u32 = 3;
/// The release may be so long ago (ms) when the first old page is handed out: what is asked for since then is new.
const RELEASED: i64 = 60_000;
/// Visitors have old pages open for a while (ms).
const SETTLED: i64 = 15_000;

/// What another cache is asked for.
#[derive(Default)]
struct Other {
    requests: (usize, usize),
    /// Requests for the files that are gone, before and since.
    gone: (usize, usize),
    /// How often each of those was served that nobody asked for before.
    new: BTreeMap<u64, u32>,
}

impl Other {
    fn new_files(&self) -> usize {
        self.new.values().filter(|n| **n >= OFTEN).count()
    }
}

/// Caches that ask for what was removed.
pub(super) fn measure(view: &mut View<'_>) {
    let hosts: BTreeSet<NameId> =
        view.affected.iter().map(|n| view.request(*n).of).filter(|of| of.status == 404 && of.access).map(|of| of.host).collect();
    for host in hosts {
        if let Some((note, cite)) = asks_for_removed(view, host) {
            let entity = format!("host:{}", view.evidence.text(host));
            view.add("edge.asks-for-removed", entity, view.incident.onset, note, cite);
        }
    }
}

fn asks_for_removed(view: &View<'_>, host: NameId) -> Option<(String, Vec<(u32, u32)>)> {
    let is_missed = |of: &Exchange| of.host == host && of.status == 404;
    let missed: Vec<(u64, (u32, u32))> =
        view.affected.iter().map(|n| view.request(*n).of).filter(is_missed).map(|of| (of.exactly(), (of.source, of.line))).collect();
    if missed.len() < GONE {
        return None;
    }
    let asked: BTreeSet<u64> = missed.iter().map(|(exact, _)| *exact).collect();
    let own = view.evidence.requests.choose(|kind| kind.host == host && kind.access);
    let served = view.before(&own).filter(|r| r.of.status < 400).map(|r| r.of.exactly());
    let gone: BTreeSet<u64> = served.filter(|exact| asked.contains(exact)).collect();
    let known = missed.iter().filter(|(exact, _)| gone.contains(exact)).count();
    if known * 10 < missed.len() * SERVED_BEFORE {
        return None;
    }
    let other = others(view, host, &gone).into_iter().find(|(_, other)| {
        let (before, since) = other.gone;
        // As often as before would be `before / requests before * requests since`.
        let is_left = since * LEFT * other.requests.0.max(1) <= before * other.requests.1;
        before >= ASKED && is_left && other.new_files() >= NEW
    });
    let (name, other) = other?;
    let note = format!(
        "{known} of {} requests that answer 404 are for what was served here before; {name} is hardly asked for it any more ({} times, before {}), but for {} new files",
        missed.len(),
        other.gone.1,
        other.gone.0,
        other.new_files()
    );
    let cite = missed.iter().take(2).map(|(_, line)| *line).collect();
    Some((note, cite))
}

/// The other caches that write logs of the same format, with what they are asked for.
fn others<'v>(view: &View<'v>, host: NameId, gone: &BTreeSet<u64>) -> BTreeMap<&'v str, Other> {
    let sources = &view.evidence.sources;
    let format = |kind: &Kind| sources.get(kind.source as usize).map(|source| source.format.as_str());
    let mut formats = BTreeSet::new();
    for (kind, _) in view.evidence.requests.all_kinds().filter(|(kind, _)| kind.host == host && kind.access) {
        formats.extend(format(kind));
    }
    // What lies behind the caches logs the same requests, but only those that the caches do not answer.
    let alike = view.evidence.requests.choose(|kind| kind.host != host && kind.access && format(kind).is_some_and(|f| formats.contains(f)));
    let (onset, end) = (view.incident.onset, view.incident.end);
    let until = |to: i64| view.evidence.requests.ended(&alike, i64::MIN, to).map(|(_, request)| request);
    let mut found: BTreeMap<&str, Other> = BTreeMap::new();
    for request in until(end) {
        let other = found.entry(view.evidence.text(request.of.host)).or_default();
        let exact = request.of.exactly();
        let is_gone = usize::from(gone.contains(&exact));
        if request.end < onset {
            other.requests.0 += 1;
            other.gone.0 += is_gone;
        } else if request.end >= onset + SETTLED {
            other.requests.1 += 1;
            other.gone.1 += is_gone;
            if request.of.status < 400 {
                *other.new.entry(exact).or_default() += 1;
            }
        }
    }
    // What anybody asked for before the release is not new.
    for request in until(onset - RELEASED - 1) {
        let exact = request.of.exactly();
        for other in found.values_mut() {
            other.new.remove(&exact);
        }
    }
    found
}
