//! Requests while they are gathered: what many of them share once, and a row of fixed size for each.

use super::Exchange;
use crate::names::{NONE, NameId};
use rustc_hash::FxHashMap;
use whyline_event::Form;

/// What a request shares with many others of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub source: u32,
    pub form: Form,
    pub is_start: bool,
    pub access: bool,
    pub inherited: bool,
    pub status: u16,
    pub upstream_status: u16,
    pub upstream: NameId,
    pub server: NameId,
    pub host: NameId,
    pub service: NameId,
    pub termination: [u8; 2],
}

impl Kind {
    /// The kind of nothing.
    pub(crate) const NONE: Kind = Kind {
        source: 0,
        form: Form::Explicit,
        is_start: false,
        access: false,
        inherited: false,
        status: 0,
        upstream_status: 0,
        upstream: NONE,
        server: NONE,
        host: NONE,
        service: NONE,
        termination: [b'-', b'-'],
    };

    /// The kind by other names.
    pub(crate) fn named(&self, name: &impl Fn(NameId) -> NameId) -> Kind {
        let [upstream, server, host, service] = [self.upstream, self.server, self.host, self.service].map(name);
        Kind { upstream, server, host, service, ..*self }
    }

    /// Whether a proxy says where it sent the request.
    pub(crate) fn is_sent_on(&self) -> bool {
        self.upstream != NONE || self.server != NONE
    }
}

/// What a request has for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The stamp as written, later the beginning on the agreed clock; in milliseconds.
    pub millis: i64,
    pub id: u64,
    pub exact: u32,
    pub micros: u32,
    pub queue: u32,
    pub client: NameId,
    pub path: NameId,
    pub agent: NameId,
    pub line: u32,
    pub kind: u32,
}

impl Row {
    pub(crate) const NONE: Row =
        Row { millis: 0, id: 0, exact: 0, micros: u32::MAX, queue: 0, client: NONE, path: NONE, agent: NONE, line: 0, kind: 0 };

    /// Duration in milliseconds; nothing where it is unknown.
    pub(crate) fn took(&self) -> i64 {
        if self.micros == u32::MAX { 0 } else { i64::from(self.micros) / 1000 }
    }

    /// Puts a request together again.
    pub(crate) const fn with(&self, kind: &Kind) -> Exchange {
        Exchange {
            source: kind.source,
            line: self.line,
            form: kind.form,
            millis: self.millis,
            is_start: kind.is_start,
            access: kind.access,
            inherited: kind.inherited,
            micros: self.micros,
            queue: self.queue,
            status: kind.status,
            upstream_status: kind.upstream_status,
            client: self.client,
            path: self.path,
            upstream: kind.upstream,
            server: kind.server,
            agent: self.agent,
            host: kind.host,
            service: kind.service,
            termination: kind.termination,
            id: self.id,
            exact: self.exact,
        }
    }
}

/// Rows of a chunk, a power of two; no chunk is ever moved or copied as it fills.
pub(crate) const CHUNK: usize = 4096;

/// So many kinds are found without a look into the table; a power of two.
const RECENT: usize = 64;

/// Requests in the order in which they were read.
#[derive(Debug)]
pub struct Rows {
    pub(crate) kinds: Vec<Kind>,
    numbers: FxHashMap<Kind, u32>,
    /// Kinds that were met lately, by where they were sent and their status.
    recent: [u32; RECENT],
    pub(crate) chunks: Vec<Vec<Row>>,
}

impl Default for Rows {
    fn default() -> Self {
        Rows { kinds: Vec::new(), numbers: FxHashMap::default(), recent: [0; RECENT], chunks: Vec::new() }
    }
}

impl Rows {
    /// Adds a request.
    pub fn push(&mut self, e: &Exchange) {
        let kind = self.kind(Kind {
            source: e.source,
            form: e.form,
            is_start: e.is_start,
            access: e.access,
            inherited: e.inherited,
            status: e.status,
            upstream_status: e.upstream_status,
            upstream: e.upstream,
            server: e.server,
            host: e.host,
            service: e.service,
            termination: e.termination,
        });
        let Exchange { millis, id, exact, micros, queue, client, path, agent, line, .. } = *e;
        let row = Row { millis, id, exact, micros, queue, client, path, agent, line, kind };
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(row),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(row);
                self.chunks.push(chunk);
            }
        }
    }

    fn kind(&mut self, kind: Kind) -> u32 {
        let place = (kind.upstream.wrapping_mul(7) ^ u32::from(kind.status)) as usize % RECENT;
        if let Some(recent) = self.recent.get(place).filter(|recent| self.kinds.get(**recent as usize) == Some(&kind)) {
            return *recent;
        }
        let next = self.kinds.len() as u32;
        let number = *self.numbers.entry(kind).or_insert(next);
        if number == next {
            self.kinds.push(kind);
        }
        self.recent.get_mut(place).into_iter().for_each(|recent| *recent = number);
        number
    }

    /// Numbers kinds that will come, in their order.
    pub(crate) fn expect(&mut self, mut kinds: Vec<Kind>) {
        kinds.sort_unstable();
        for kind in kinds {
            self.kind(kind);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Adds what another part gathered; `name` translates its names.
    pub fn merge(&mut self, other: Rows, name: &impl Fn(NameId) -> NameId) {
        let kinds: Vec<u32> = other.kinds.iter().map(|kind| self.kind(kind.named(name))).collect();
        for mut chunk in other.chunks {
            for row in &mut chunk {
                (row.client, row.path, row.agent) = (name(row.client), name(row.path), name(row.agent));
                row.kind = kinds.get(row.kind as usize).copied().unwrap_or(0);
            }
            self.chunks.push(chunk);
        }
    }
}
