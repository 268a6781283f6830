//! Cutting a stream into blocks of whole lines.
//!
//! Blocks have the same borders whatever the number of threads: their size is fixed, and a border is moved back to a line that
//! begins a record, as told by the caller.

use super::held::{Held, Rooms};
use std::io::{self, Read};

/// Bytes of a block, about.
pub const BLOCK: usize = 1 << 20;
/// A line longer than this is cut; the rest is counted and skipped. The same as the cap of a record.
pub const LONGEST_LINE: usize = 1 << 20;

/// Whole lines of a stream.
#[derive(Debug, Default)]
pub struct Block {
    /// The bytes, lines ending in `\n` (the last line of a stream perhaps without).
    pub bytes: Vec<u8>,
    /// Offset of the first byte in the unpacked stream.
    pub offset: u64,
    /// Number of the first line, from 1.
    pub line: u64,
    /// Bytes behind the last line that were skipped: the rest of a line or of a record that is too long.
    pub skipped: u64,
    /// Whole lines among them.
    pub skipped_lines: u64,
    /// Where no better border was found, lines from further up on which the first ones rest: the record whose time they inherit, the
    /// head of the table whose rows they are. They are part of another block.
    pub lead: Vec<u8>,
    /// The source has ceased to stamp its records.
    pub unstamped: bool,
    /// It begins within a line of which the block before has the beginning.
    pub inside: bool,
}

/// A place between two lines at which a stream may be cut.
#[derive(Debug, Default)]
pub struct Border {
    /// Where the line begins.
    pub at: usize,
    /// See [`Block::lead`].
    pub lead: Vec<u8>,
    /// See [`Block::unstamped`].
    pub unstamped: bool,
}

/// What knows where the records of a source begin.
pub trait Edges {
    /// The last place behind the first line of `lines` at which a record begins, and none is open; `None` where it all is one record. `lead` is
    /// that of the block.
    fn border(&mut self, lead: &[u8], lines: &[u8]) -> Option<Border>;

    /// Whether a line (without its end) begins a record behind one that fills a block; `before` is the line in front of it.
    fn begins(&mut self, before: &[u8], line: &[u8]) -> bool;

    /// The last place in a line that is too long to be held at which a record begins; the end of the line is not known yet.
    fn within(&mut self, _line: &[u8]) -> Option<usize> {
        None
    }

    /// What the first of these lines gives to the block behind it: see [`Block::lead`].
    fn lead(&mut self, _lead: &[u8], _lines: &[u8]) -> Vec<u8> {
        Vec::new()
    }
}

/// [`Edges`] where each line says by itself whether it begins a record.
pub struct ByLine<F>(pub F);

impl<F: FnMut(&[u8]) -> bool> Edges for ByLine<F> {
    fn border(&mut self, _lead: &[u8], lines: &[u8]) -> Option<Border> {
        last_line(lines, &mut |_, line| (self.0)(line)).map(|at| Border { at, ..Border::default() })
    }

    fn begins(&mut self, _before: &[u8], line: &[u8]) -> bool {
        (self.0)(line)
    }
}

/// An iterator over the blocks of a stream.
pub struct Blocks<R> {
    reader: R,
    held: Held,
    offset: u64,
    line: u64,
    done: bool,
    error: Option<io::Error>,
    lead: Vec<u8>,
    unstamped: bool,
    inside: bool,
}

impl<R: Read> Blocks<R> {
    /// Reads from `reader`. Blocks lie in rooms of `rooms`, to which whoever is done with one may give it back.
    pub fn new(reader: R, rooms: Rooms) -> Self {
        let held = Held::new(rooms);
        Blocks { reader, held, offset: 0, line: 1, done: false, error: None, lead: Vec::new(), unstamped: false, inside: false }
    }

    /// The error that ended the stream, if one did. What stood before it was delivered.
    pub fn error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// What was read from.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// The next block, cut where `edges` says that a record begins.
    pub fn next(&mut self, edges: &mut dyn Edges) -> Option<Block> {
        let (lead, unstamped) = (std::mem::take(&mut self.lead), std::mem::take(&mut self.unstamped));
        let inside = std::mem::take(&mut self.inside);
        let block = self.cut(&lead, edges)?;
        Some(Block { lead, unstamped, inside, ..block })
    }

    fn cut(&mut self, lead: &[u8], edges: &mut dyn Edges) -> Option<Block> {
        self.fill(BLOCK);
        // A hole of a sparse file is no line that would be too long.
        while !self.done && self.held.iter().all(|b| *b == 0) {
            self.offset += self.held.len() as u64;
            self.held.truncate(0);
            self.fill(BLOCK);
        }
        if self.held.is_empty() {
            return None;
        }
        if self.done {
            return Some(self.take(self.held.len(), 0));
        }
        match memchr::memrchr(b'\n', &self.held) {
            Some(last) => match edges.border(lead, self.held.get(..=last).unwrap_or(&self.held)) {
                Some(border) => {
                    (self.lead, self.unstamped) = (border.lead, border.unstamped);
                    Some(self.take(border.at, 0))
                }
                // A long line follows that is a record of its own.
                None if self
                    .held
                    .get(last + 1..)
                    .is_some_and(|rest| edges.begins(last_of(self.held.get(..=last).unwrap_or(&[])), rest)) =>
                {
                    Some(self.take(last + 1, 0))
                }
                None => {
                    self.lead = edges.lead(lead, self.held.get(..=last).unwrap_or(&self.held));
                    Some(self.long_record(last + 1, edges))
                }
            },
            None => match edges.within(&self.held) {
                Some(at) => {
                    self.inside = true;
                    Some(self.take(at, 0))
                }
                None => Some(self.long_line()),
            },
        }
    }

    fn fill(&mut self, want: usize) {
        if self.done || self.held.len() >= want {
            return;
        }
        (self.done, self.error) = self.held.fill(&mut self.reader, want);
    }

    fn take(&mut self, cut: usize, skipped: u64) -> Block {
        let (bytes, lines) = self.held.take(cut);
        let block = Block { offset: self.offset, line: self.line, skipped, skipped_lines: 0, bytes, ..Block::default() };
        self.offset += block.bytes.len() as u64 + skipped;
        self.line += lines;
        block
    }

    /// No line of a whole block begins a record: keep the block, skip the lines up to the next record.
    fn long_record(&mut self, end: usize, edges: &mut dyn Edges) -> Block {
        let (bytes, lines) = self.held.take(end);
        let mut before = last_of(&bytes).to_vec();
        let (mut at, mut skipped, mut skipped_lines) = (0, 0, 0);
        loop {
            let found = memchr::memchr(b'\n', self.held.get(at..).unwrap_or(&[]));
            match found {
                Some(n) if edges.begins(&before, self.held.get(at..at + n).unwrap_or(&[])) => break,
                Some(n) => {
                    before.clear();
                    before.extend_from_slice(self.held.get(at..at + n).unwrap_or(&[]));
                    at += n + 1;
                    skipped_lines += 1;
                }
                None => {
                    // The next line is not complete yet; what was passed is let go.
                    self.held.skip(at);
                    skipped += at as u64;
                    at = 0;
                    if self.held.len() > LONGEST_LINE {
                        // Too long to begin a record that could be read.
                        skipped += self.held.len() as u64;
                        self.held.truncate(0);
                    }
                    if self.done {
                        skipped_lines += u64::from(!self.held.is_empty());
                        at = self.held.len();
                        break;
                    }
                    self.fill(self.held.len() + BLOCK);
                }
            }
        }
        self.held.skip(at);
        skipped += at as u64;
        let block = Block { offset: self.offset, line: self.line, skipped, skipped_lines, bytes, ..Block::default() };
        self.offset += block.bytes.len() as u64 + skipped;
        self.line += lines + skipped_lines;
        block
    }

    /// No line end in a whole block: keep the beginning of the line, skip to its end.
    fn long_line(&mut self) -> Block {
        let mut skipped = (self.held.len() - LONGEST_LINE.min(self.held.len())) as u64;
        self.held.truncate(LONGEST_LINE);
        let (head, _) = self.held.take(LONGEST_LINE);
        loop {
            self.fill(BLOCK);
            match memchr::memchr(b'\n', &self.held) {
                Some(end) => {
                    skipped += end as u64;
                    self.held.skip(end + 1);
                    let mut bytes = head;
                    bytes.push(b'\n');
                    let block = Block { offset: self.offset, line: self.line, skipped, skipped_lines: 0, bytes, ..Block::default() };
                    self.offset += block.bytes.len() as u64 + skipped;
                    self.line += 1;
                    return block;
                }
                None => {
                    skipped += self.held.len() as u64;
                    self.held.truncate(0);
                    if self.done {
                        let block =
                            Block { offset: self.offset, line: self.line, skipped, skipped_lines: 0, bytes: head, ..Block::default() };
                        self.offset += block.bytes.len() as u64 + skipped;
                        return block;
                    }
                }
            }
        }
    }
}

/// The beginning of the last of these whole lines, the first one left out, that `fits`; it is asked for the place and the line without its end.
pub(crate) fn last_line(lines: &[u8], fits: &mut dyn FnMut(usize, &[u8]) -> bool) -> Option<usize> {
    // What comes behind is not complete, so the last of them is the first candidate.
    let mut end = lines.len();
    loop {
        let start = memchr::memrchr(b'\n', lines.get(..end.saturating_sub(1))?).map_or(0, |p| p + 1);
        if start == 0 {
            return None;
        }
        let line = lines.get(start..end)?;
        if fits(start, line.strip_suffix(b"\n").unwrap_or(line)) {
            return Some(start);
        }
        end = start;
    }
}

/// The last of whole lines, without its end.
fn last_of(lines: &[u8]) -> &[u8] {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    lines.get(memchr::memrchr(b'\n', lines).map_or(0, |p| p + 1)..).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_delivered_once() {
        let mut text = Vec::new();
        for i in 0..200_000 {
            text.extend_from_slice(format!("{}line {i}\n", if i % 3 == 0 { "  " } else { "" }).as_bytes());
        }
        let mut blocks = Blocks::new(&text[..], Rooms::default());
        let (mut joined, mut line) = (Vec::new(), 1);
        while let Some(block) = blocks.next(&mut ByLine(|l: &[u8]| !l.starts_with(b" "))) {
            assert_eq!(block.offset, joined.len() as u64);
            assert_eq!(block.line, line);
            line += block.bytes.iter().filter(|b| **b == b'\n').count() as u64;
            joined.extend_from_slice(&block.bytes);
        }
        assert_eq!(joined, text);
    }

    #[test]
    fn a_hole_hides_nothing() {
        let mut text = vec![0; 5 * BLOCK + 17];
        text.extend_from_slice(b"first\nnext\n");
        let mut blocks = Blocks::new(&text[..], Rooms::default());
        let block = blocks.next(&mut ByLine(|_: &[u8]| true)).unwrap();
        assert!(block.bytes.ends_with(b"\0first\nnext\n"));
        assert_eq!((block.line, block.offset + block.bytes.len() as u64), (1, text.len() as u64));
        assert!(blocks.next(&mut ByLine(|_: &[u8]| true)).is_none());
    }

    #[test]
    fn a_record_that_is_too_long_is_cut_and_counted() {
        let mut text = b"first\n".to_vec();
        let rest = 3 * BLOCK / 8;
        (0..rest).for_each(|_| text.extend_from_slice(b"  more\n "));
        text.extend_from_slice(b"\nnext\n  more");
        let mut blocks = Blocks::new(&text[..], Rooms::default());
        let begins = &mut ByLine(|line: &[u8]| !line.starts_with(b" ") && !line.is_empty());
        let (mut bytes, mut lines, mut seen) = (0, 0, Vec::new());
        while let Some(block) = blocks.next(begins) {
            assert_eq!((block.offset, block.line), (bytes, lines + 1));
            assert!(block.bytes.len() <= BLOCK);
            bytes += block.bytes.len() as u64 + block.skipped;
            lines += block.bytes.iter().filter(|b| **b == b'\n').count() as u64 + block.skipped_lines;
            seen.push(block);
        }
        assert_eq!(bytes, text.len() as u64);
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[1].bytes, b"next\n  more");
        assert_eq!(seen[1].line, text.iter().filter(|b| **b == b'\n').count() as u64);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_counted() {
        let mut text = vec![b'x'; 3 * BLOCK + 17];
        text.extend_from_slice(b"\nnext\n");
        let mut blocks = Blocks::new(&text[..], Rooms::default());
        let first = blocks.next(&mut ByLine(|_: &[u8]| true)).unwrap();
        assert_eq!(first.bytes.len() as u64 - 1 + first.skipped, (3 * BLOCK + 17) as u64);
        let second = blocks.next(&mut ByLine(|_: &[u8]| true)).unwrap();
        assert_eq!((second.bytes.as_slice(), second.line, second.offset), (&b"next\n"[..], 2, text.len() as u64 - 5));
    }
}
