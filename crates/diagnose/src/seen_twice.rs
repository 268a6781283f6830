//! Requests that two programs logged: by request id, or by the same method and path at the same moment.
//!
//! Most bundles hold millions of requests that nobody else logged. So a first look notes by hashes which ids and paths stand under several
//! hosts or in several sources, and only requests of those are put in order. What is looked for are known hosts; so the keys of their
//! requests, which are often few, come first, and of all others only those that look like one of them.

use crate::evidence::{Evidence, Request};
use crate::names::{NONE, NameId};
use crate::requests::Requests;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// Requests that two programs logged must lie this close together (ms).
const TOGETHER: i64 = 1500;

/// Whether keys were seen at one place only. Keys share marks by chance: then one looks as if it had been seen at several.
struct Marks(Vec<u8>);

/// The mark of what was seen at several places. Places beyond the number of marks count as several.
const SEVERAL: u8 = u8::MAX;

impl Marks {
    fn new(keys: usize) -> Marks {
        Marks(vec![0; keys.saturating_mul(8).next_power_of_two().max(1024)])
    }

    fn at(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) as usize & (self.0.len() - 1)
    }

    /// Notes a key at a place, by the place's mark.
    fn note(&mut self, key: u64, place: u8) {
        let at = self.at(key);
        if let Some(mark) = self.0.get_mut(at) {
            *mark = if *mark == 0 || *mark == place { place } else { SEVERAL };
        }
    }

    /// Notes a key that may have been noted before at another place; one that was not is left out.
    fn note_again(&mut self, key: u64, place: u8) {
        let at = self.at(key);
        if let Some(mark) = self.0.get_mut(at).filter(|mark| **mark != 0 && **mark != place) {
            *mark = SEVERAL;
        }
    }

    fn several(&self, key: u64) -> bool {
        self.0.get(self.at(key)) == Some(&SEVERAL)
    }
}

/// Marks of places, in the order in which they are met.
#[derive(Default)]
struct Places(FxHashMap<u32, u8>);

impl Places {
    fn mark(&mut self, place: u32) -> u8 {
        let next = u8::try_from(self.0.len() + 1).unwrap_or(SEVERAL);
        *self.0.entry(place).or_insert(next)
    }
}

/// Requests of known hosts, by what identifies them.
pub struct SeenTwice<'e> {
    requests: &'e Requests,
    by_id: Marks,
    by_path: Marks,
    /// Request id and number, in order; of ids that several hosts logged.
    ids: Vec<(u64, u32)>,
    /// What stands for method and path, end, and number, in order; of paths that stand in several sources.
    paths: Vec<(u64, i64, u32)>,
}

impl<'e> SeenTwice<'e> {
    /// Looks through the requests. Those of unknown hosts tell nothing of hosts.
    pub fn new(evidence: &'e Evidence) -> Self {
        let requests = &evidence.requests;
        let known_kinds = requests.choose(|kind| kind.host != NONE);
        let other_kinds = requests.choose(|kind| kind.host == NONE);
        let known = || requests.of(&known_kinds);
        let number = requests.kinds(&known_kinds).map(|(_, sum)| sum.rows).sum();
        let (mut by_id, mut by_path) = (Marks::new(number), Marks::new(number));
        let (mut hosts, mut sources) = (Places::default(), Places::default());
        for (_, r) in known() {
            if r.of.id != 0 {
                by_id.note(r.of.id, hosts.mark(r.of.host));
            }
            by_path.note(r.of.exactly(), sources.mark(r.of.source));
        }
        if number > 0 {
            for (_, r) in requests.of(&other_kinds) {
                if r.of.id != 0 {
                    by_id.note_again(r.of.id, hosts.mark(r.of.host));
                }
                by_path.note_again(r.of.exactly(), sources.mark(r.of.source));
            }
        }
        let ids = known().filter(|(_, r)| r.of.id != 0 && by_id.several(r.of.id));
        let mut ids: Vec<_> = ids.map(|(i, r)| (r.of.id, i)).collect();
        let paths = known().filter(|(_, r)| by_path.several(r.of.exactly()));
        let mut paths: Vec<_> = paths.map(|(i, r)| (r.of.exactly(), r.end, i)).collect();
        ids.sort_unstable();
        paths.sort_unstable();
        SeenTwice { requests, by_id, by_path, ids, paths }
    }

    fn request(&self, number: u32) -> Option<Request> {
        self.requests.get(number)
    }

    /// Whether another host may have logged a request, too.
    pub fn perhaps(&self, request: &Request) -> bool {
        request.of.id != 0 && self.by_id.several(request.of.id) || self.by_path.several(request.of.exactly())
    }

    /// The other hosts that logged a request of the same id.
    pub fn hosts_by_id(&self, request: &Request) -> BTreeSet<NameId> {
        let id = request.of.id;
        let from = if id == 0 { self.ids.len() } else { self.ids.partition_point(|(other, _)| *other < id) };
        let same = self.ids.iter().skip(from).take_while(|(other, _)| *other == id);
        same.filter_map(|(_, i)| self.request(*i)).map(|r| r.of.host).filter(|host| *host != request.of.host).collect()
    }

    /// The other hosts that logged a request for the same path at the same moment.
    pub fn hosts_by_path(&self, request: &Request) -> BTreeSet<NameId> {
        let (key, first) = (request.of.exactly(), request.end.saturating_sub(TOGETHER));
        let from = self.paths.partition_point(|(path, end, _)| (*path, *end) < (key, first));
        let near = self.paths.iter().skip(from).take_while(|(path, end, _)| *path == key && *end <= request.end.saturating_add(TOGETHER));
        near.filter_map(|(_, _, i)| self.request(*i))
            .filter(|o| o.of.host != request.of.host && o.of.source != request.of.source && o.start >= request.start - TOGETHER)
            .map(|o| o.of.host)
            .collect()
    }

    /// Requests of the same id that several hosts logged. Others may be among them.
    pub fn groups(&self) -> impl Iterator<Item = Vec<Request>> {
        self.ids
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| group.len() > 1)
            .map(|group| group.iter().filter_map(|(_, i)| self.request(*i)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What was seen at several places is never taken for what was seen at one; of what was looked for last, as far as it was seen
        /// before.
        #[test]
        fn what_was_seen_at_several_places_is_marked(
            seen in prop::collection::vec((0u64..50, 0u32..300), 0..400), again in prop::collection::vec((0u64..99, 0u32..300), 0..100),
        ) {
            let (mut marks, mut places) = (Marks::new(50), Places::default());
            seen.iter().for_each(|(key, place)| marks.note(*key, places.mark(*place)));
            again.iter().for_each(|(key, place)| marks.note_again(*key, places.mark(*place)));
            for (key, place) in &seen {
                if seen.iter().chain(&again).any(|(other, at)| other == key && at != place) {
                    prop_assert!(marks.several(*key));
                }
            }
        }
    }
}
