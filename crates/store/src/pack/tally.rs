//! Fields that hold few different numbers, such as a status: how often each stands in each chunk. So they are counted, and chunks
//! without the number that is asked for are passed over, without reading a column.

use super::MOST_CHUNKS;
use super::block::{Block, Held};
use crate::bytes::{Reader, signed, unsigned};
use rustc_hash::FxHashMap;

/// More different numbers than this are not told apart.
const MOST: usize = 64;

/// One field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Number of its name.
    pub(crate) name: u32,
    /// Chunks of which nothing is said, a bit each: there the field is not always one whole number.
    pub(crate) unsure: u64,
    /// How many records of each chunk have each number.
    pub(crate) counts: Vec<(i64, Vec<u32>)>,
}

/// The fields of a pack that is being made.
#[derive(Default)]
pub(crate) struct Tallies {
    fields: FxHashMap<u32, Tally>,
    closed: Vec<bool>,
    /// Chunks with records whose fields are not known here.
    pub(crate) odd: u64,
    last: Vec<u32>,
    /// Rows that were seen, for telling a field that comes twice in one.
    seen: u32,
}

impl Tallies {
    /// Counts the fields of a block.
    pub(crate) fn add(&mut self, block: &Block, chunk: usize) {
        for row in &block.rows {
            self.seen += 1;
            if row.odd.is_some() {
                self.odd |= 1 << chunk;
            }
            for cell in &block.cells[row.cells.clone()] {
                let name = cell.name as usize;
                if self.last.len() <= name {
                    self.last.resize(name + 1, 0);
                    self.closed.resize(name + 1, false);
                }
                let again = std::mem::replace(&mut self.last[name], self.seen) == self.seen;
                if self.closed[name] {
                    continue;
                }
                match cell.held {
                    Held::Int(number) if !again => self.count(cell.name, number, chunk),
                    Held::Int(_) => self.fields.entry(cell.name).or_default().unsure |= 1 << chunk,
                    // A field of texts is none of these.
                    _ => {
                        self.closed[name] = true;
                        self.fields.remove(&cell.name);
                    }
                }
            }
        }
    }

    fn count(&mut self, name: u32, number: i64, chunk: usize) {
        let tally = self.fields.entry(name).or_default();
        let at = match tally.counts.iter().position(|(n, _)| *n == number) {
            Some(at) => at,
            None if tally.counts.len() >= MOST => {
                self.fields.remove(&name);
                self.closed[name as usize] = true;
                return;
            }
            None => {
                tally.counts.push((number, Vec::new()));
                tally.counts.len() - 1
            }
        };
        let counts = &mut tally.counts[at].1;
        if counts.len() <= chunk {
            counts.resize(chunk + 1, 0);
        }
        counts[chunk] += 1;
    }

    /// The fields, in the order of their names' numbers.
    pub(crate) fn finish(self) -> Vec<Tally> {
        let mut all: Vec<Tally> = self.fields.into_iter().map(|(name, tally)| Tally { name, ..tally }).collect();
        all.sort_by_key(|t| t.name);
        all
    }
}

impl Tally {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        unsigned(u64::from(self.name), out);
        unsigned(self.unsure, out);
        unsigned(self.counts.len() as u64, out);
        for (number, counts) in &self.counts {
            signed(*number, out);
            unsigned(counts.len() as u64, out);
            counts.iter().for_each(|count| unsigned(u64::from(*count), out));
        }
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Tally> {
        let (name, unsure) = (from.small()?, from.unsigned()?);
        let counts = (0..from.count()?).map(|_| {
            let number = from.signed()?;
            let counts = (0..from.count()?).map(|_| from.small()).collect::<Option<Vec<u32>>>()?;
            (counts.len() <= MOST_CHUNKS).then_some((number, counts))
        });
        Some(Tally { name, unsure, counts: counts.collect::<Option<Vec<_>>>()? })
    }
}
