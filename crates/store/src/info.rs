//! What a store holds, in numbers.

use crate::codec::form_of;
use crate::error::StoreError;
use crate::folder::index_of;
use crate::pack::chunk::Chunk;
use crate::pack::footer::ChunkMeta;
use crate::search::Times;
use crate::store::Store;
use std::fs;
use std::path::Path;
use whyline_event::{Clock, Stamp};

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Info {
    /// Events.
    pub events: u64,
    /// Sources, copies of others included.
    pub sources: u64,
    /// Sources of which storing was interrupted.
    pub unfinished: u64,
    /// Bytes of raw text that the events hold.
    pub text: u64,
    /// Bytes of the packs.
    pub packs: u64,
    /// Bytes of the index.
    pub index: u64,
    /// Bytes of everything else.
    pub rest: u64,
    /// The first and the last instant of an event, in nanoseconds since 1970.
    pub times: Option<(i64, i64)>,
    /// How often something was kept in a plainer way because of a cap; see ARCHITECTURE.md.
    pub capped: u64,
    /// Events that were removed again because they were old, or to keep the store small.
    pub removed: u64,
    /// What is left of each source, by its number.
    pub of_sources: Vec<Left>,
    /// Share of the packs, from 0 to 1, that holds nothing any more and that `compact` would free.
    pub dead: f64,
}

/// What a store holds of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Events.
    pub events: u64,
    /// The first and the last instant of one, in nanoseconds since 1970.
    pub times: Option<(i64, i64)>,
}

fn both(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

/// The first and the last instant of a chunk.
fn times(meta: &ChunkMeta, clock: &Clock) -> Option<(i64, i64)> {
    let known = meta.times.iter().filter_map(|(form, from, to)| form_of(*form).map(|form| (form, *from, *to)));
    known.fold(None, |times, (form, from, to)| {
        let at = |nanos| clock.instant(&Stamp { nanos, form, offset: None, digits: 9 });
        both(times, Some((at(from), at(to))))
    })
}

impl Store {
    /// How many events of each source, by its number, lie before an instant (in nanoseconds): those that removing would take.
    pub fn events_before(&self, instant: i64, clocks: &[Clock]) -> Result<Vec<u64>, StoreError> {
        let default = Clock::default();
        let mut sums = vec![0u64; self.sources().len()];
        for place in 0..self.table.packs.len() {
            let Some(pack) = self.spare_pack(place)? else { continue };
            for number in self.table.packs[place].chunks() {
                let Some(meta) = pack.footer.chunks.get(number) else { continue };
                let clock = clocks.get(meta.source as usize).unwrap_or(&default);
                let count = || -> Result<u64, StoreError> {
                    let chunk = Chunk::open(&pack, number).map_err(self.unreadable())?;
                    let mut times = Times::new(&chunk, clock, self)?;
                    Ok((0..chunk.len()).filter(|row| times.at(*row).is_some_and(|time| time < instant)).count() as u64)
                };
                let counted = self.spare((place, number), count())?.unwrap_or(0);
                if let Some(sum) = sums.get_mut(meta.source as usize) {
                    *sum += counted;
                }
            }
        }
        Ok(sums)
    }

    /// What the store holds, in numbers.
    pub fn info(&self) -> Result<Info, StoreError> {
        let table = &self.table;
        let clocks = self.clocks();
        let mut info = Info {
            events: self.len(),
            sources: table.sources.iter().filter(|s| !s.gone).count() as u64,
            unfinished: table.sources.iter().filter(|s| s.unfinished).count() as u64,
            packs: table.packs.iter().map(|p| p.bytes).sum(),
            index: size_of(&index_of(&self.folder)),
            capped: table.packs.iter().map(|p| p.capped).sum(),
            removed: table.removed,
            of_sources: vec![Left::default(); table.sources.len()],
            ..Info::default()
        };
        info.rest = size_of(&self.folder).saturating_sub(info.packs);
        let mut all = 0u64;
        for (place, entry) in table.packs.iter().enumerate() {
            let Some(pack) = self.spare_pack(place)? else { continue };
            all += entry.text.iter().sum::<u64>();
            for chunk in entry.chunks() {
                let Some(meta) = pack.footer.chunks.get(chunk) else { continue };
                info.text += meta.text;
                let number = meta.source as usize;
                let (Some(clock), Some(left)) = (clocks.get(number), info.of_sources.get_mut(number)) else { continue };
                left.events += u64::from(meta.rows);
                left.times = both(left.times, times(meta, clock));
                info.times = both(info.times, left.times);
            }
        }
        info.dead = if all == 0 { 0.0 } else { 1.0 - info.text as f64 / all as f64 };
        Ok(info)
    }
}

/// The size of a folder's own files, in bytes.
pub(crate) fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().filter_map(|e| e.metadata().ok()).filter(|m| m.is_file()).map(|m| m.len()).sum()
}
