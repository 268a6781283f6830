//! What a store holds, in numbers.

use crate::error::StoreError;
use crate::folder::index_of;
use crate::store::Store;
use std::fs;
use std::path::Path;
use whyline_event::Stamp;

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
    /// Share of the packs, from 0 to 1, that holds nothing any more and that `compact` would free.
    pub dead: f64,
}

impl Store {
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
            ..Info::default()
        };
        info.rest = size_of(&self.folder).saturating_sub(info.packs);
        let mut all = 0u64;
        for (place, entry) in table.packs.iter().enumerate() {
            let pack = self.pack(place)?;
            all += entry.text.iter().sum::<u64>();
            for chunk in entry.chunks() {
                let Some(meta) = pack.footer.chunks.get(chunk) else { continue };
                info.text += meta.text;
                for (form, from, to) in &meta.times {
                    let (Some(form), Some(clock)) = (crate::codec::form_of(*form), clocks.get(meta.source as usize)) else { continue };
                    let at = |nanos| clock.instant(&Stamp { nanos, form, offset: None, digits: 9 });
                    let (from, to) = (at(*from), at(*to));
                    info.times = Some(info.times.map_or((from, to), |(a, b)| (a.min(from), b.max(to))));
                }
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
