//! Requests while they are gathered: what many of them share once, and a row of fixed size for each.

use super::Exchange;
use super::spill::{Chunk, Spill};
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

    /// Bytes of a row.
    pub(crate) const WIDTH: usize = 48;

    /// The row as bytes.
    pub(crate) fn to_bytes(self) -> [u8; Row::WIDTH] {
        let small = [self.exact, self.micros, self.queue, self.client, self.path, self.agent, self.line, self.kind].map(u32::to_le_bytes);
        let mut bytes = [0; Row::WIDTH];
        bytes[..8].copy_from_slice(&self.millis.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.id.to_le_bytes());
        bytes[16..].copy_from_slice(small.as_flattened());
        bytes
    }

    /// The row that some bytes are.
    #[inline]
    pub(crate) fn of_bytes(bytes: &[u8; Row::WIDTH]) -> Row {
        let long = |at: usize| u64::from_le_bytes(bytes.get(at..).and_then(|rest| rest.first_chunk().copied()).unwrap_or_default());
        let short = |at: usize| u32::from_le_bytes(bytes.get(at..).and_then(|rest| rest.first_chunk().copied()).unwrap_or_default());
        let [exact, micros, queue, client, path, agent, line, kind] = std::array::from_fn(|n| short(16 + 4 * n));
        Row { millis: long(0) as i64, id: long(8), exact, micros, queue, client, path, agent, line, kind }
    }

    /// Duration in milliseconds; nothing where it is unknown.
    #[inline]
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
    /// Rows that are not laid down yet, fewer than a chunk.
    last: Vec<Row>,
    chunks: Vec<Chunk>,
    spill: Spill,
}

impl Default for Rows {
    fn default() -> Self {
        Rows::on(&Spill::default())
    }
}

impl Rows {
    /// None yet; they will lie where the spill says.
    pub fn on(spill: &Spill) -> Rows {
        let (kinds, numbers, last, chunks) = Default::default();
        Rows { kinds, numbers, recent: [0; RECENT], last, chunks, spill: spill.clone() }
    }

    /// Where they lie.
    pub(crate) fn spill(&self) -> &Spill {
        &self.spill
    }

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
        if self.last.len() == CHUNK {
            self.chunks.push(self.spill.lay(&mut self.last));
        }
        if self.last.capacity() == 0 {
            self.last.reserve_exact(CHUNK);
        }
        self.last.push(row);
    }

    /// The kinds, and all rows by chunks.
    pub(crate) fn into_parts(mut self) -> (Vec<Kind>, Vec<Chunk>) {
        if !self.last.is_empty() {
            self.chunks.push(self.spill.lay(&mut self.last));
        }
        (self.kinds, self.chunks)
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
        self.chunks.iter().map(Chunk::len).sum::<usize>() + self.last.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.last.is_empty()
    }

    /// Adds what another part gathered; `name` translates its names.
    pub fn merge(&mut self, other: Rows, name: &impl Fn(NameId) -> NameId) {
        let (kinds, chunks) = other.into_parts();
        let kinds: Vec<u32> = kinds.iter().map(|kind| self.kind(kind.named(name))).collect();
        let mut spare = Vec::new();
        for chunk in chunks {
            let mut rows = chunk.take(&mut spare);
            for row in &mut rows {
                (row.client, row.path, row.agent) = (name(row.client), name(row.path), name(row.agent));
                row.kind = kinds.get(row.kind as usize).copied().unwrap_or(0);
            }
            self.chunks.push(self.spill.lay(&mut rows));
            spare.extend(Some(rows).filter(|rows| rows.capacity() > 0));
        }
    }
}
