//! Requests that two programs logged: by request id, or by the same method and path at the same moment.

use crate::evidence::{Evidence, Request};
use crate::names::{NONE, NameId};
use std::collections::BTreeSet;

/// Requests that two programs logged must lie this close together (ms).
const TOGETHER: i64 = 1500;

/// Requests of known hosts, by what identifies them.
pub struct SeenTwice<'e> {
    requests: &'e [Request],
    /// Request id and number, in order.
    ids: Vec<(u64, u32)>,
    /// Hash of method and path, end, and number, in order.
    paths: Vec<(u64, i64, u32)>,
}

impl<'e> SeenTwice<'e> {
    /// Looks through the requests. Those of unknown hosts tell nothing of hosts.
    pub fn new(evidence: &'e Evidence) -> Self {
        let requests = &evidence.requests[..];
        let known = || (0u32..).zip(requests).filter(|(_, r)| r.of.host != NONE);
        let mut ids: Vec<_> = known().filter(|(_, r)| r.of.id != 0).map(|(i, r)| (r.of.id, i)).collect();
        let mut paths: Vec<_> = known().map(|(i, r)| (r.of.exact, r.end, i)).collect();
        ids.sort_unstable();
        paths.sort_unstable();
        SeenTwice { requests, ids, paths }
    }

    fn request(&self, number: u32) -> Option<&'e Request> {
        self.requests.get(number as usize)
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
        let (key, first) = (request.of.exact, request.end.saturating_sub(TOGETHER));
        let from = self.paths.partition_point(|(path, end, _)| (*path, *end) < (key, first));
        let near = self.paths.iter().skip(from).take_while(|(path, end, _)| *path == key && *end <= request.end.saturating_add(TOGETHER));
        near.filter_map(|(_, _, i)| self.request(*i))
            .filter(|o| o.of.host != request.of.host && o.of.source != request.of.source && o.start >= request.start - TOGETHER)
            .map(|o| o.of.host)
            .collect()
    }

    /// Requests of the same id, several of them.
    pub fn groups(&self) -> impl Iterator<Item = Vec<&'e Request>> {
        self.ids
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| group.len() > 1)
            .map(|group| group.iter().filter_map(|(_, i)| self.request(*i)).collect())
    }

    /// Whether there is nothing that could have been seen twice.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}
