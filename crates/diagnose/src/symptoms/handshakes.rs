//! Failed handshakes beside a log of requests: those of clients that are served at other times are felt, those of scanners are not. Behind a program
//! that ends TLS for others no log of requests knows the clients; then many that never failed before must fail at once, and requests be missed.

use super::Symptom;
use super::told::Told;
use crate::entity::parts;
use crate::evidence::Evidence;
use crate::names::{NONE, NameId};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;
use whyline_event::address;

/// What the logs of requests tell of clients.
pub(super) struct Clients {
    /// Those that had requests answered well; a redirection to TLS is none.
    served: FxHashSet<NameId>,
    /// A handful is named at most: whoever ends TLS in front.
    are_hidden: bool,
}

/// So many clients are proxies.
const HANDFUL: usize = 3;
/// So many different clients fail where nobody knows who was served.
const MANY: usize = 20;
/// Of what fails, at most this part was seen before, in at least so many seconds.
const BEFORE: usize = 20;
const SILENT: i64 = 60;
/// So long (s) before is looked how many requests are usual, which must be so many at least.
const USUAL: i64 = 120;
const FEW: usize = 100;

impl Clients {
    pub(super) fn of(evidence: &Evidence) -> Clients {
        let kinds = evidence.requests.choose(|kind| (200..300).contains(&kind.status));
        let served: FxHashSet<NameId> = evidence.requests.of(&kinds).map(|(_, r)| r.of.client).filter(|client| *client != NONE).collect();
        Clients { are_hidden: served.len() <= HANDFUL, served }
    }

    /// Whether a burst of failed handshakes is felt by those who are served at other times.
    pub(super) fn feel(&self, evidence: &Evidence, all: &[Told<'_>], burst: &Symptom) -> bool {
        let (from, to) = (burst.onset.div_euclid(1000), burst.end.div_euclid(1000));
        let here = all.iter().filter(|told| told.bins.iter().any(|(second, _)| (from..=to).contains(second)));
        let failing: BTreeSet<&str> = here.filter_map(|told| client(evidence.text(told.series.entity))).collect();
        let known = failing.iter().filter(|client| evidence.names.find(client).is_some_and(|id| self.served.contains(&id))).count();
        let were_served = known >= 3 && known * 2 >= failing.len();
        were_served || self.are_hidden && failing.len() >= MANY && is_new(evidence, all, burst) && are_missed(evidence, (from, to))
    }
}

fn client(entity: &str) -> Option<&str> {
    let (kind, name, _) = parts(entity);
    (kind == "client").then(|| address::split_port(name).0)
}

/// Whether hardly any such line was written before the burst, though somebody would have.
fn is_new(evidence: &Evidence, all: &[Told<'_>], burst: &Symptom) -> bool {
    let from = burst.onset.div_euclid(1000);
    let begun = all.iter().filter_map(|told| evidence.span(told.series.source)).map(|span| span.0).min();
    let before: usize = all.iter().flat_map(|told| &told.bins).filter(|(second, _)| *second < from).map(|(_, n)| *n as usize).sum();
    begun.is_some_and(|begun| begun + SILENT <= from) && before * BEFORE <= burst.total
}

/// Whether a fifth of the usual requests or more stay away from one second to another.
fn are_missed(evidence: &Evidence, (from, to): (i64, i64)) -> bool {
    let all = evidence.requests.choose(|_| true);
    let Some(first) = evidence.requests.all_kinds().map(|(_, sum)| sum.ended.0.div_euclid(1000)).min() else { return false };
    let begin = first.max(from - USUAL);
    let count = |from: i64, to: i64| evidence.requests.ended(&all, from * 1000, to * 1000 - 1).count();
    let (before, during) = (count(begin, from), count(from, to));
    let (usual, seconds) = ((from - begin).max(0) as usize, (to - from).max(0) as usize);
    from - begin >= SILENT && to - from >= SILENT / 2 && before >= FEW && during * usual * 5 <= before * seconds * 4
}
