//! Requests, each a row of 48 bytes and a number that says what it shares with others; on the agreed clock in the order of their
//! beginnings.
//!
//! Hundreds of kinds stand for millions of rows: what a question asks of source, host, status or upstream is decided once for each
//! kind, and a stretch of time is looked up by blocks, so that most questions pass over few rows.

mod order;
mod row;

use crate::names::NameId;
pub(crate) use row::{CHUNK, Kind, Row, Rows};
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
#[derive(Debug, Default)]
struct Block {
    /// All blocks but the last are full.
    rows: Vec<Row>,
    /// When the last of them ended.
    ended: i64,
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
    len: usize,
}

impl Requests {
    /// Puts rows onto the agreed clock and in order. `agreed` says what a stamp as written, in milliseconds, is there. Every chunk is
    /// used again as soon as its last row has its place.
    pub(crate) fn new(rows: Rows, agreed: impl Fn(&Kind, i64) -> i64) -> Requests {
        let Rows { kinds, chunks, .. } = rows;
        let mut requests = Requests { sums: vec![None; kinds.len()], ..Requests::default() };
        let mut ordered = order::InOrder::new(&kinds, chunks, agreed);
        while ordered.next(|row, spent| requests.push(row, spent)).is_some() {}
        requests.kinds = kinds;
        requests
    }

    /// Adds the row that comes next.
    fn push(&mut self, row: &Row, spent: &mut Vec<Vec<Row>>) {
        if self.blocks.last().is_none_or(|block| block.rows.len() == CHUNK) {
            let mut rows = spent.pop().unwrap_or_default();
            rows.clear();
            rows.reserve_exact(CHUNK);
            self.blocks.push(Block { rows, ended: i64::MIN });
        }
        let ended = row.millis + row.took();
        if let Some(block) = self.blocks.last_mut() {
            block.rows.push(*row);
            block.ended = block.ended.max(ended);
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
        let row = self.blocks.get(number as usize / CHUNK)?.rows.get(number as usize % CHUNK)?;
        Some(self.request(row))
    }

    #[inline]
    fn request(&self, row: &Row) -> Request {
        Request::new(row, self.kinds.get(row.kind as usize).unwrap_or(&Kind::NONE))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Request> + '_ {
        self.blocks.iter().flat_map(|block| &block.rows).map(|row| self.request(row))
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
        let begun = blocks.partition_point(|block| block.rows.first().is_some_and(|row| row.millis <= to));
        let blocks = (first..).zip(blocks.iter().take(begun)).filter(move |(_, block)| block.ended >= from);
        let rows = blocks.flat_map(|(number, block)| (number * CHUNK as u32..).zip(&block.rows));
        let chosen = rows.filter(|(_, row)| chosen.get(row.kind as usize) == Some(&true));
        chosen.filter(move |(_, row)| (from..=to).contains(&(row.millis + row.took()))).map(|(number, row)| (number, self.request(row)))
    }

    /// Keeps only the requests for which something holds.
    pub fn retain(&mut self, keep: impl Fn(&Request) -> bool) {
        let all = std::mem::take(self);
        let mut kept = Requests { sums: vec![None; all.kinds.len()], ..Requests::default() };
        let mut spent = Vec::new();
        for block in all.blocks {
            for row in &block.rows {
                if keep(&Request::new(row, all.kinds.get(row.kind as usize).unwrap_or(&Kind::NONE))) {
                    kept.push(row, &mut spent);
                }
            }
            spent.push(block.rows);
        }
        kept.kinds = all.kinds;
        *self = kept;
    }
}

#[cfg(test)]
mod tests;
