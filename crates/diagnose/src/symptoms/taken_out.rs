//! A balancer takes a server out that does not answer its checks: what was answered too late before is then refused at once, as no server is left.
//! That is a step of the same trouble.

use super::Symptom;
use crate::evidence::{Evidence, Request};
use crate::rules::Pack;
use std::collections::BTreeSet;

/// What HAProxy says of a server whose check ran into a time-out, was refused or found no way.
const DOWN: [&str; 4] = [
    "haproxy.server-down-timeout",
    "haproxy.server-down-connect-timeout",
    "haproxy.server-down-refused",
    "haproxy.server-down-unreachable",
];
/// So long (ms) after the last request that waited for the server the first is refused, at the most.
const BEHIND: i64 = 15_000;
/// Stamps of lines and of requests may be so far (s) apart.
const NEAR: i64 = 5;

/// Whether a later symptom is that no server is left, since the one for which the requests of an earlier symptom waited was taken out.
pub(super) fn is_taken_out(evidence: &Evidence, pack: &Pack, a: &Symptom, b: &Symptom) -> bool {
    let (first, then) = if a.onset <= b.onset { (a, b) } else { (b, a) };
    if first.host != then.host || first.affected.is_empty() || then.onset > first.end + BEHIND {
        return false;
    }
    let groups: BTreeSet<&str> =
        requests(evidence, first).filter_map(|r| evidence.text(r.of.server).split_once('/')).map(|(group, _)| group).collect();
    let is_refused = |r: &Request| is_without_server(evidence, r) && groups.contains(evidence.text(r.of.server));
    let refused = requests(evidence, then).filter(is_refused).count();
    refused > 0 && refused * 10 >= then.affected.len() * 8 && was_taken_out(evidence, pack, first, then)
}

fn requests<'e>(evidence: &'e Evidence, symptom: &'e Symptom) -> impl Iterator<Item = Request> + 'e {
    symptom.affected.iter().map(|i| evidence.request(*i))
}

/// Whether a request found no server of its group at all: HAProxy names none then, and says `SC` (configuration manual, 8.5).
fn is_without_server(evidence: &Evidence, r: &Request) -> bool {
    r.of.termination == *b"SC" && !evidence.text(r.of.server).contains('/')
}

/// Whether the balancer says that it takes a server out, after requests began to wait and about when the others are refused.
fn was_taken_out(evidence: &Evidence, pack: &Pack, first: &Symptom, then: &Symptom) -> bool {
    let signals: Vec<_> = DOWN.iter().filter_map(|id| pack.signal(id)).collect();
    let (from, to) = (first.onset.div_euclid(1000), then.onset.div_euclid(1000) + NEAR);
    let mut series = evidence.series.iter().filter(|s| signals.contains(&s.signal) && evidence.text(s.host) == then.host);
    series.any(|s| s.within(from, to) > 0)
}
