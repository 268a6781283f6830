//! Where one piece of a rotated log ends and the next begins.
//!
//! Two things go wrong there. What was written while a log was copied away may stand at the end of the old piece *and* at the
//! beginning of the new one; it is counted once. And a record may be cut in two: its beginning is the last line of the old
//! piece, without an end, and the rest is the first line of the new one; it is joined.
//!
//! Both are found while the pieces pass, without reading anything twice: a piece's end and beginning (a megabyte each) are
//! kept until its neighbour comes.

use crate::cut::{self, Counts};
use crate::input::{Block, Place};
use crate::reading::{Bundle, Job};
use crate::rotation;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

/// An overlap longer than this is not found, unless one piece is a copy of the other's beginning.
const LONGEST: usize = 1 << 20;
/// Memory for ends and beginnings whose neighbours have not come yet; beyond that they are dropped.
const HELD: usize = 64 << 20;
/// A shorter overlap may be chance.
const SHORTEST: usize = 64;
/// The rest of a cut record is one line, and no longer than this.
const LONGEST_REST: usize = 64 * 1024;

/// A part of a source, by offsets, that another source holds as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doubled(Range<u64>);

impl Doubled {
    /// Whether a record lies in it.
    pub fn holds(&self, offset: u64, length: u64) -> bool {
        self.0.contains(&offset) && offset + length <= self.0.end
    }
}

/// What is known of a piece whose neighbour has not come yet.
#[derive(Default)]
struct Piece {
    beginning: Option<Vec<u8>>,
    end: Option<Vec<u8>>,
}

/// What holds pieces of rotated logs together during one pass.
pub(crate) struct Seams<'a> {
    bundle: &'a Bundle,
    older: BTreeMap<usize, usize>,
    newer: BTreeMap<usize, usize>,
    order: Vec<usize>,
    /// The piece that follows in reading is the next in its log.
    followed: BTreeSet<usize>,
    pieces: BTreeMap<usize, Piece>,
    held: usize,
    next: u64,
    /// The last blocks of a piece, as many as an overlap may reach into, until it is known what comes behind them.
    waiting: VecDeque<Job>,
    /// The end of the piece that is being read, where it has neighbours.
    tail: Vec<u8>,
    doubled: Option<Doubled>,
    begun: bool,
    length: u64,
    moved: BTreeMap<usize, Counts>,
}

impl<'a> Seams<'a> {
    /// For one pass over a bundle.
    pub fn new(bundle: &'a Bundle) -> Self {
        let (mut older, mut newer) = (BTreeMap::new(), BTreeMap::new());
        let mut order = Vec::new();
        let mut listed = BTreeSet::new();
        let mut set_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for mut set in rotation::sets(bundle.inputs.iter().map(|i| i.source.path.as_str())) {
            // What is a copy of another piece has no place of its own.
            set.retain(|i| bundle.same_as[*i].is_none());
            for pair in set.windows(2) {
                older.insert(pair[1], pair[0]);
                newer.insert(pair[0], pair[1]);
            }
            set.iter().for_each(|i| drop(set_of.insert(*i, set.clone())));
        }
        for i in 0..bundle.inputs.len() {
            // Members of an archive come as they lie there.
            let set = match bundle.inputs[i].place {
                Place::Member { .. } => None,
                _ => set_of.get(&i),
            };
            order.extend(set.cloned().unwrap_or_else(|| vec![i]).into_iter().filter(|i| listed.insert(*i)));
        }
        let order = as_read(bundle, order);
        let followed = order.windows(2).filter(|w| newer.get(&w[0]) == Some(&w[1])).map(|w| w[0]).collect();
        Seams {
            bundle,
            older,
            newer,
            order,
            followed,
            pieces: BTreeMap::new(),
            held: 0,
            next: 0,
            waiting: VecDeque::new(),
            tail: Vec::new(),
            doubled: None,
            begun: false,
            length: 0,
            moved: BTreeMap::new(),
        }
    }

    /// The order in which inputs are to be read: by name, but the pieces of a log as they were written.
    pub fn order(&self) -> Vec<usize> {
        self.order.clone()
    }

    /// Takes a block of a source, in order, and sends on what is ready.
    pub fn block(&mut self, source: usize, mut block: Block, send: &mut dyn FnMut(Job)) {
        if !self.older.contains_key(&source) && !self.newer.contains_key(&source) {
            self.release(send);
            let job = self.job(source, block);
            return send(job);
        }
        if !self.begun {
            self.begin(source, &mut block, send);
        }
        while self.waiting.iter().skip(1).map(|j| j.block.bytes.len()).sum::<usize>() > LONGEST {
            self.waiting.pop_front().into_iter().for_each(&mut *send);
        }
        self.length = block.offset + block.bytes.len() as u64 + block.skipped;
        self.tail.extend_from_slice(&block.bytes);
        self.tail.drain(..self.tail.len().saturating_sub(LONGEST));
        if !block.bytes.is_empty() {
            let job = self.job(source, block);
            self.waiting.push_back(job);
        }
    }

    /// The first block of a piece.
    fn begin(&mut self, source: usize, block: &mut Block, send: &mut dyn FnMut(Job)) {
        self.begun = true;
        let older = self.older.get(&source).copied();
        let end = older.and_then(|o| self.pieces.get_mut(&o)).and_then(|p| p.end.take());
        match end {
            Some(end) => {
                self.held = self.held.saturating_sub(end.len());
                let overlap = overlap(&end, &block.bytes);
                if overlap > 0 {
                    self.doubled = Some(Doubled(0..overlap as u64));
                    if older.is_some_and(|o| self.followed.contains(&o)) {
                        self.drop_cut_line();
                    }
                } else if older.is_some_and(|o| self.followed.contains(&o)) {
                    self.join(source, block);
                }
            }
            None if older.is_some() => {
                let beginning = block.bytes[..block.bytes.len().min(LONGEST)].to_vec();
                self.keep(source, Some(beginning), None);
            }
            None => {}
        }
        self.release(send);
    }

    /// The last line of the piece before was cut, and stands in this piece as a whole.
    fn drop_cut_line(&mut self) {
        let Some(Job { block, doubled, .. }) = self.waiting.back_mut() else { return };
        let start = memchr::memrchr(b'\n', &block.bytes).map_or(0, |p| p + 1) as u64;
        if start < block.bytes.len() as u64 {
            *doubled = Some(Doubled(block.offset + start..block.offset + block.bytes.len() as u64));
        }
    }

    /// Appends the first line of a piece to the last record of the one before, where it was cut there.
    fn join(&mut self, source: usize, block: &mut Block) {
        let Some(waiting) = self.waiting.back_mut() else { return };
        let cut = waiting.block.bytes.last().is_some_and(|b| *b != b'\n');
        let end = memchr::memchr(b'\n', &block.bytes).unwrap_or(block.bytes.len());
        let rest = &block.bytes[..end];
        let whole = end > LONGEST_REST || rest.trim_ascii().is_empty() || cut::starts_record(&self.bundle.plans[source], rest);
        if !cut || whole || !self.bundle.plans[source].stamped {
            return;
        }
        waiting.block.bytes.extend_from_slice(rest.strip_suffix(b"\r").unwrap_or(rest));
        let used = (end + 1).min(block.bytes.len());
        // The line stands in this source and its record in the other, where all but the end of the line is counted.
        let bytes = used - rest.strip_suffix(b"\r").unwrap_or(rest).len();
        self.moved.entry(source).or_default().add(&Counts { lines: 1, in_events: 1, bytes: bytes as u64, ..Counts::default() });
        block.bytes.drain(..used);
        block.offset += used as u64;
        block.line += 1;
    }

    /// A source has ended.
    pub fn end(&mut self, source: usize, send: &mut dyn FnMut(Job)) {
        let newer = self.newer.get(&source).copied();
        let tail = std::mem::take(&mut self.tail);
        if let Some(newer) = newer.filter(|_| self.begun) {
            match self.pieces.get_mut(&newer).and_then(|p| p.beginning.take()) {
                Some(beginning) => {
                    self.held = self.held.saturating_sub(beginning.len());
                    let overlap = overlap(&tail, &beginning) as u64;
                    for waiting in self.waiting.iter_mut().filter(|_| overlap > 0) {
                        waiting.doubled = Some(Doubled(self.length.saturating_sub(overlap)..self.length));
                    }
                }
                None => self.keep(source, None, Some(tail)),
            }
        }
        if !self.followed.contains(&source) {
            self.release(send);
        }
        self.doubled = None;
        self.begun = false;
        self.length = 0;
    }

    /// Everything has been read.
    pub fn finish(&mut self, send: &mut dyn FnMut(Job)) {
        self.release(send);
    }

    /// Lines that stand in one source and belong to a record of another.
    pub fn moved(self) -> BTreeMap<usize, Counts> {
        self.moved
    }

    fn release(&mut self, send: &mut dyn FnMut(Job)) {
        self.waiting.drain(..).for_each(send);
    }

    fn job(&mut self, source: usize, block: Block) -> Job {
        let number = self.next;
        self.next += 1;
        Job { source, number, block, doubled: self.doubled.clone() }
    }

    fn keep(&mut self, source: usize, beginning: Option<Vec<u8>>, end: Option<Vec<u8>>) {
        let size = beginning.as_ref().or(end.as_ref()).map_or(0, Vec::len);
        if self.held + size > HELD {
            return;
        }
        self.held += size;
        let piece = self.pieces.entry(source).or_default();
        piece.beginning = beginning.or(piece.beginning.take());
        piece.end = end.or(piece.end.take());
    }
}

/// The order in which inputs really come: an archive is walked when the first of its members has its turn.
fn as_read(bundle: &Bundle, order: Vec<usize>) -> Vec<usize> {
    let mut members: BTreeMap<usize, BTreeMap<usize, usize>> = BTreeMap::new();
    for &i in &order {
        if let Place::Member { archive, number } = &bundle.inputs[i].place {
            members.entry(std::sync::Arc::as_ptr(archive) as usize).or_default().insert(*number, i);
        }
    }
    let mut read = Vec::with_capacity(order.len());
    for i in order {
        match &bundle.inputs[i].place {
            Place::Member { archive, .. } => {
                read.extend(members.remove(&(std::sync::Arc::as_ptr(archive) as usize)).into_iter().flat_map(BTreeMap::into_values));
            }
            _ => read.push(i),
        }
    }
    read
}

/// How many bytes at the end of the older piece are those at the beginning of the newer one: whole lines from their first
/// byte on, at least two different ones.
fn overlap(end: &[u8], beginning: &[u8]) -> usize {
    let Some(first) = memchr::memchr(b'\n', beginning).map(|n| &beginning[..=n]) else { return 0 };
    for at in memchr::memmem::find_iter(end, first) {
        let rest = &end[at..];
        let begins_line = at == 0 || end[at - 1] == b'\n';
        if begins_line
            && rest.len() >= SHORTEST
            && beginning.starts_with(rest)
            && rest.split(|b| *b == b'\n').any(|l| !l.is_empty() && *l != first[..first.len() - 1])
        {
            return rest.len();
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlaps() {
        let lines: Vec<String> = (0..40).map(|i| format!("2026-11-20 10:00:{i:02} INFO line {i}\n")).collect();
        let text = |range: Range<usize>| lines[range].concat().into_bytes();
        assert_eq!(overlap(&text(0..20), &text(15..40)), text(15..20).len());
        assert_eq!(overlap(&text(0..20), &text(20..40)), 0);
        assert_eq!(overlap(&text(0..20), &text(19..40)), 0, "one line may well stand twice");
        assert_eq!(overlap(&text(0..20), &text(0..40)), text(0..20).len());
        // The older piece was cut in its last line.
        let cut = &text(0..20)[..text(0..20).len() - 5];
        assert_eq!(overlap(cut, &text(15..40)), text(15..20).len() - 5);
        let same = "GET /health from the balancer, all is well here\n".repeat(50);
        assert_eq!(overlap(same.as_bytes(), same.as_bytes()), 0, "lines that are all alike say nothing");
        assert_eq!(overlap(b"", b""), 0);
    }
}
