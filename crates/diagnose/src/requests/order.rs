//! Putting the rows of many chunks in order: each chunk by itself, then all of them by merging.

use super::row::{CHUNK, Kind, Row};
use super::spill::{Chunk, Spill};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a row is sorted by: beginning, source, line.
type Place = (i64, u32, u32);

/// A chunk whose rows are being put in order: the place of its next row, its own number, and that row's.
type Waiting = (Place, usize, usize);

/// Bits that count the rows of a chunk.
const BITS: u32 = CHUNK.trailing_zeros();
const _: () = assert!(CHUNK.is_power_of_two());

/// The rows of many chunks, to be handed over in order.
pub(super) struct InOrder<'k> {
    kinds: &'k [Kind],
    /// Chunks that have not come in yet, by the places where they begin; the next one is the last.
    chunks: Vec<(Place, Chunk)>,
    /// Those that have.
    opened: Vec<Vec<Row>>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Chunks of which every row was handed over.
    spent: Vec<Vec<Row>>,
}

impl<'k> InOrder<'k> {
    /// Puts rows onto the agreed clock, their stamps becoming their beginnings, and each chunk in order.
    pub(super) fn new(kinds: &'k [Kind], chunks: Vec<Chunk>, spill: &Spill, agreed: impl Fn(&Kind, i64) -> i64) -> InOrder<'k> {
        let (mut sorted, mut keys): (Vec<Row>, Vec<u64>) = Default::default();
        let mut begun: Vec<(Place, Chunk)> = Vec::new();
        let mut spare = Vec::new();
        for chunk in chunks {
            let mut rows = chunk.take(&mut spare);
            for row in &mut rows {
                let kind = kind_of(kinds, row);
                let at = agreed(kind, row.millis);
                row.millis = if kind.is_start { at } else { at - row.took() };
            }
            if numbered(&rows, kinds, &mut keys) {
                keys.sort_unstable();
                sorted.clear();
                sorted.reserve_exact(rows.len());
                sorted.extend(keys.iter().filter_map(|key| rows.get((key & (CHUNK as u64 - 1)) as usize)));
                std::mem::swap(&mut rows, &mut sorted);
            } else {
                rows.sort_by_key(|row| place(kinds, row));
            }
            begun.extend(rows.first().map(|first| place(kinds, first)).map(|first| (first, spill.lay(&mut rows))));
            spare.extend(Some(rows).filter(|rows| rows.capacity() > 0));
        }
        begun.sort_by_key(|(first, _)| Reverse(*first));
        let (opened, waiting, spent) = Default::default();
        InOrder { kinds, chunks: begun, opened, waiting, spent }
    }

    /// Hands over the rows that come next, from one chunk: all that come before those of every other. With each go chunks of which every row
    /// was handed over, to be filled anew: memory that another thread gave would else come back late or never. `None` when all were.
    pub(super) fn next(&mut self, mut take: impl FnMut(&Row, &mut Vec<Vec<Row>>)) -> Option<()> {
        // A chunk comes in when its first row may be the next.
        while let Some((first, chunk)) =
            self.chunks.pop_if(|(first, _)| self.waiting.peek().is_none_or(|Reverse((least, ..))| *first <= *least))
        {
            self.waiting.push(Reverse((first, self.opened.len(), 0)));
            self.opened.push(chunk.take(&mut self.spent));
        }
        let Reverse((_, number, from)) = self.waiting.pop()?;
        let others = [self.waiting.peek().map(|Reverse((least, ..))| *least), self.chunks.last().map(|(first, _)| *first)];
        let least = others.into_iter().flatten().min();
        let rows = self.opened.get_mut(number)?;
        let rest = rows.get(from + 1..).unwrap_or(&[]);
        let more = least.map_or(rest.len(), |least| rest.partition_point(|row| place(self.kinds, row) < least));
        let to = from + 1 + more;
        rows.get(from..to)?.iter().for_each(|row| take(row, &mut self.spent));
        match rows.get(to) {
            Some(row) => self.waiting.push(Reverse((place(self.kinds, row), number, to))),
            None => self.spent.push(std::mem::take(rows)),
        }
        Some(())
    }
}

fn kind_of<'k>(kinds: &'k [Kind], row: &Row) -> &'k Kind {
    kinds.get(row.kind as usize).unwrap_or(&Kind::NONE)
}

fn place(kinds: &[Kind], row: &Row) -> Place {
    (row.millis, kind_of(kinds, row).source, row.line)
}

/// Makes keys of rows that stand in the order of their lines in one source: the beginning, and the number of the row. Says whether that
/// could be done.
fn numbered(rows: &[Row], kinds: &[Kind], keys: &mut Vec<u64>) -> bool {
    keys.clear();
    let source = |row: &Row| kind_of(kinds, row).source;
    let (Some(first), Some(least)) = (rows.first(), rows.iter().map(|row| row.millis).min()) else { return true };
    let one = rows.is_sorted_by(|a, b| a.line < b.line) && rows.iter().all(|row| source(row) == source(first));
    if !one || rows.len() > CHUNK {
        return false;
    }
    let key = |(number, row): (usize, &Row)| {
        let after = row.millis.checked_sub(least)? as u64;
        (after < 1 << (u64::BITS - BITS)).then_some(after << BITS | number as u64)
    };
    keys.extend(rows.iter().enumerate().map_while(key));
    keys.len() == rows.len()
}
