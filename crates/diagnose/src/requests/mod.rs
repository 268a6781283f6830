//! Requests, each a row of 48 bytes and a number that says what it shares with others; on the agreed clock in the order of their
//! beginnings.
//!
//! Hundreds of kinds stand for millions of rows: what a question asks of source, host, status or upstream is decided once for each
//! kind, and a stretch of time is looked up by blocks, so that most questions pass over few rows.

mod order;
mod row;
mod spill;

use crate::names::NameId;
pub(crate) use row::{CHUNK, Kind, Row, Rows};
use spill::Chunk;
pub use spill::Spill;
use std::sync::{Mutex, PoisonError};
use whyline_event::Form;

/// One request and its answer, as one program logged it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The source.
    pub source: u32,
    /// Its line.
    pub line: u32,
    /// What the stamp leaves open.
    pub form: Form,
    /// The stamp as written, in milliseconds.
    pub millis: i64,
    /// The stamp is when the request began, not when it ended.
    pub is_start: bool,
    /// It comes from an access log, not from a message of an application.
    pub access: bool,
    /// The stamp is that of a line before: when the request was is only known roughly.
    pub inherited: bool,
    /// How long it took, in microseconds; `u32::MAX` when unknown.
    pub micros: u32,
    /// Time in the proxy's queue, in microseconds.
    pub queue: u32,
    /// HTTP status.
    pub status: u16,
    /// Status that the upstream answered, 0 when unknown.
    pub upstream_status: u16,
    /// Client address.
    pub client: NameId,
    /// Method and path, numbers and ids masked.
    pub path: NameId,
    /// Where the proxy sent it (the last try).
    pub upstream: NameId,
    /// Group and server of the proxy (`be_shop/app02`).
    pub server: NameId,
    /// User agent.
    pub agent: NameId,
    /// Host of the writer.
    pub host: NameId,
    /// Service of the writer.
    pub service: NameId,
    /// HAProxy's termination letters.
    pub termination: [u8; 2],
    /// Hash of the request id, 0 when there is none.
    pub id: u64,
    /// Hash of method and full path with query; see [`Exchange::exactly`].
    pub exact: u32,
}

impl Exchange {
    /// What stands for method and full path with query: their hash, and the masked path besides, so that an accident of hashing can
    /// only make one of two paths that are masked alike.
    pub fn exactly(&self) -> u64 {
        u64::from(self.path) << 32 | u64::from(self.exact)
    }
}

/// A request on the agreed clock.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// When it began, in milliseconds since 1970 UTC.
    pub start: i64,
    /// When it ended.
    pub end: i64,
    /// Everything else.
    pub of: Exchange,
}

impl Request {
    /// What stands for a request of a number that none has.
    pub(crate) const NONE: Request = Request { start: 0, end: 0, of: Row::NONE.with(&Kind::NONE) };

    #[inline]
    fn new(row: &Row, kind: &Kind) -> Request {
        Request { start: row.millis, end: row.millis + row.took(), of: row.with(kind) }
    }

    /// Whether the server answered that it failed.
    pub fn failed(&self) -> bool {
        self.of.status >= 500
    }

    /// Duration in milliseconds, if known.
    pub fn took(&self) -> Option<i64> {
        (self.of.micros != u32::MAX).then(|| i64::from(self.of.micros) / 1000)
    }
}

/// Rows that follow each other.
#[derive(Debug)]
struct Block {
    /// All blocks but the last are full.
    rows: Chunk,
    /// When the first of them began.
    begun: i64,
    /// When the last of them ended.
    ended: i64,
    /// The kinds they have.
    kinds: Box<[u32]>,
}

/// The block that is being filled.
#[derive(Debug, Default)]
struct Filling {
    rows: Vec<Row>,
    ended: i64,
    kinds: Vec<u32>,
    /// Of each kind the number of the last block that has it, plus one.
    met: Vec<u32>,
}

/// What all rows of a kind say together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum {
    /// How many they are.
    pub rows: usize,
    /// The number of the first.
    pub first: u32,
    /// The number of the last.
    pub last: u32,
    /// When the first of them ended, and the last.
    pub ended: (i64, i64),
}

/// Some of the kinds.
pub(crate) type Chosen = Vec<bool>;

/// All requests, by start, source and line.
#[derive(Debug, Default)]
pub struct Requests {
    kinds: Vec<Kind>,
    sums: Vec<Option<Sum>>,
    blocks: Vec<Block>,
    filling: Filling,
    spill: Spill,
    /// The block in the file of which a single row was read last: its number and its bytes. Most ask for one near it next.
    near: Mutex<(usize, Vec<u8>)>,
    len: usize,
}

impl Requests {
    /// Puts rows onto the agreed clock and in order. `agreed` says what a stamp as written, in milliseconds, is there. Every chunk is
    /// used again as soon as its last row has its place.
    pub(crate) fn new(rows: Rows, agreed: impl Fn(&Kind, i64) -> i64) -> Requests {
        let spill = rows.spill().clone();
        let (kinds, chunks) = rows.into_parts();
        let mut requests = Requests::empty(kinds.len(), &spill);
        let mut ordered = order::InOrder::new(&kinds, chunks, &spill, agreed);
        while ordered.next(|row, spent| requests.push(row, spent)).is_some() {}
        drop(ordered);
        requests.close();
        requests.kinds = kinds;
        requests
    }

    fn empty(kinds: usize, spill: &Spill) -> Requests {
        let filling = Filling { met: vec![0; kinds], ended: i64::MIN, ..Filling::default() };
        Requests { sums: vec![None; kinds], filling, spill: spill.clone(), ..Requests::default() }
    }

    /// Lays down the block that is being filled.
    fn close(&mut self) {
        let Filling { rows, ended, kinds, .. } = &mut self.filling;
        let Some(begun) = rows.first().map(|row| row.millis) else { return };
        let block = Block { rows: self.spill.lay(rows), begun, ended: *ended, kinds: kinds.as_slice().into() };
        self.blocks.push(block);
        *ended = i64::MIN;
        kinds.clear();
    }

    /// Adds the row that comes next. `spent` are pieces of memory that may be used again.
    fn push(&mut self, row: &Row, spent: &mut Vec<Vec<Row>>) {
        if self.filling.rows.len() == CHUNK {
            self.close();
        }
        let ended = row.millis + row.took();
        let filling = &mut self.filling;
        if filling.rows.capacity() == 0 {
            filling.rows = spent.pop().unwrap_or_default();
            filling.rows.clear();
            filling.rows.reserve_exact(CHUNK);
        }
        filling.rows.push(*row);
        filling.ended = filling.ended.max(ended);
        let block = u32::try_from(self.blocks.len() + 1).unwrap_or(u32::MAX);
        if let Some(met) = filling.met.get_mut(row.kind as usize).filter(|met| **met != block) {
            *met = block;
            filling.kinds.push(row.kind);
        }
        let number = u32::try_from(self.len).unwrap_or(u32::MAX);
        if let Some(sum) = self.sums.get_mut(row.kind as usize) {
            let sum = sum.get_or_insert(Sum { rows: 0, first: number, last: number, ended: (ended, ended) });
            sum.rows += 1;
            sum.last = number;
            sum.ended = (sum.ended.0.min(ended), sum.ended.1.max(ended));
        }
        self.len += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The request of a number.
    #[inline]
    pub fn get(&self, number: u32) -> Option<Request> {
        let (block, at) = (number as usize / CHUNK, number as usize % CHUNK);
        let rows = &self.blocks.get(block)?.rows;
        let row = rows.here(at).or_else(|| self.get_there(block, rows, at))?;
        Some(self.request(&row))
    }

    /// A row of a block that may lie in the file.
    fn get_there(&self, block: usize, rows: &Chunk, at: usize) -> Option<Row> {
        let mut near = self.near.lock().unwrap_or_else(PoisonError::into_inner);
        if near.1.is_empty() || near.0 != block {
            *near = (block, rows.bytes()?);
        }
        near.1.get(at * Row::WIDTH..)?.first_chunk().map(Row::of_bytes)
    }

    /// Why rows that were kept in a file did not come back, if that happened: an answer without them would be a wrong one.
    pub fn lost(&self) -> Option<String> {
        self.spill.lost()
    }

    #[inline]
    fn request(&self, row: &Row) -> Request {
        Request::new(row, self.kinds.get(row.kind as usize).unwrap_or(&Kind::NONE))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Request> + '_ {
        self.blocks.iter().flat_map(|block| block.rows.rows()).map(|row| self.request(&row))
    }

    /// The kinds for which something holds. Kinds that no request has are never among them.
    pub(crate) fn choose(&self, mut which: impl FnMut(&Kind) -> bool) -> Chosen {
        self.kinds.iter().zip(&self.sums).map(|(kind, sum)| sum.is_some() && which(kind)).collect()
    }

    /// The kinds that were chosen, each with what its rows say together.
    pub(crate) fn kinds<'r>(&'r self, chosen: &'r [bool]) -> impl Iterator<Item = (&'r Kind, Sum)> + 'r {
        let all = self.kinds.iter().zip(&self.sums).zip(chosen);
        all.filter(|(_, chosen)| **chosen).filter_map(|((kind, sum), _)| Some((kind, (*sum)?)))
    }

    /// All kinds that some request has.
    pub(crate) fn all_kinds(&self) -> impl Iterator<Item = (&Kind, Sum)> + '_ {
        self.kinds.iter().zip(&self.sums).filter_map(|(kind, sum)| Some((kind, (*sum)?)))
    }

    /// The requests of some kinds with their numbers, in order.
    #[inline]
    pub(crate) fn of<'r>(&'r self, chosen: &'r [bool]) -> impl Iterator<Item = (u32, Request)> + 'r {
        self.ended(chosen, i64::MIN, i64::MAX)
    }

    /// The requests of some kinds that ended from one millisecond to another, both included.
    #[inline]
    pub(crate) fn ended<'r>(&'r self, chosen: &'r [bool], from: i64, to: i64) -> impl Iterator<Item = (u32, Request)> + 'r {
        let sums = self.kinds(chosen).map(|(_, sum)| sum).filter(|sum| sum.ended.0 <= to && sum.ended.1 >= from);
        let reach = sums.map(|sum| (sum.first, sum.last)).reduce(|(first, last), (a, b)| (first.min(a), last.max(b)));
        let reach = reach.map_or(0..0, |(first, last)| first as usize / CHUNK..last as usize / CHUNK + 1);
        let first = reach.start as u32;
        let blocks = self.blocks.get(reach).unwrap_or(&[]);
        // A request does not end before it begins.
        let begun = blocks.partition_point(|block| block.begun <= to);
        let is_chosen = |kind: &u32| chosen.get(*kind as usize) == Some(&true);
        let blocks = (first..).zip(blocks.iter().take(begun)).filter(move |(_, block)| block.ended >= from);
        let blocks = blocks.filter(move |(_, block)| block.kinds.iter().any(is_chosen));
        let rows = blocks.flat_map(|(number, block)| (number * CHUNK as u32..).zip(block.rows.rows()));
        let chosen = rows.filter(move |(_, row)| is_chosen(&row.kind));
        chosen.filter(move |(_, row)| (from..=to).contains(&(row.millis + row.took()))).map(|(number, row)| (number, self.request(&row)))
    }

    /// Keeps only the requests for which something holds.
    pub fn retain(&mut self, keep: impl Fn(&Request) -> bool) {
        let all = std::mem::take(self);
        let mut kept = Requests::empty(all.kinds.len(), &all.spill);
        let mut spent = Vec::new();
        for block in all.blocks {
            let rows = block.rows.take(&mut spent);
            for row in &rows {
                if keep(&Request::new(row, all.kinds.get(row.kind as usize).unwrap_or(&Kind::NONE))) {
                    kept.push(row, &mut spent);
                }
            }
            spent.push(rows);
        }
        kept.close();
        kept.kinds = all.kinds;
        *self = kept;
    }
}

#[cfg(test)]
mod tests;
