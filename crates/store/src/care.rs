//! What keeps a store small: removing what is old or not wanted, and putting together what is left.

use crate::codec::form_of;
use crate::error::StoreError;
use crate::pack::MOST_CHUNKS;
use crate::pack::footer::ChunkMeta;
use crate::writer::{Writer, open_pack};
use whyline_event::{Clock, Form, Record, Stamp};

/// Packs with less raw text than this are put together, in bytes.
const SMALL: u64 = 24 << 20;

/// A chunk by the place of its pack and its number there.
type At = (usize, usize);

impl Writer {
    /// How many events are stored; what is to be replaced does not count.
    pub fn len(&self) -> u64 {
        let shared = self.shared();
        let packs = &shared.table.packs;
        let all: u64 = packs.iter().flat_map(|p| p.chunks().filter_map(|n| p.events.get(n))).map(|n| u64::from(*n)).sum();
        let places = shared.pending.values().flatten();
        let replaced = places.filter_map(|(place, n)| packs.get(*place).filter(|p| p.live >> n & 1 == 1)?.events.get(*n));
        all.saturating_sub(replaced.map(|n| u64::from(*n)).sum())
    }

    /// How many events of each source are stored, by its number.
    pub fn events_of_sources(&self) -> Result<Vec<u64>, StoreError> {
        let mut sums = vec![0; self.sources().len()];
        for (_, meta) in self.metas()? {
            if let Some(sum) = sums.get_mut(meta.source as usize) {
                *sum += u64::from(meta.rows);
            }
        }
        Ok(sums)
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn metas(&self) -> Result<Vec<(At, ChunkMeta)>, StoreError> {
        let shared = self.shared();
        let mut all = Vec::new();
        for (place, entry) in shared.table.packs.iter().enumerate() {
            let pack = open_pack(&self.folder, entry)?;
            all.extend(entry.chunks().filter_map(|n| Some(((place, n), pack.footer.chunks.get(n)?.clone()))));
        }
        Ok(all)
    }

    /// Removes the events before an instant (in nanoseconds); those without any time stay. Gives how many were removed.
    pub fn remove_before(&mut self, instant: i64, clocks: &[Clock]) -> Result<u64, StoreError> {
        let before = self.len();
        let (mut gone, mut cut) = (Vec::new(), Vec::new());
        for (at, meta) in self.metas()? {
            match span(&meta, clocks) {
                Some((_, last)) if last < instant => gone.push(at),
                Some((first, _)) if first >= instant => {}
                Some(_) => cut.push(at),
                None => {}
            }
        }
        self.make_sure(gone.iter().chain(&cut).map(|(place, _)| *place))?;
        self.drop_chunks(&gone);
        let default = Clock::default();
        let keeps = |record: &Record<'_>, source: u32| {
            let clock = clocks.get(source as usize).unwrap_or(&default);
            record.stamp.is_none_or(|s| clock.instant(&s) >= instant)
        };
        for cut in cut.chunks(MOST_CHUNKS / 2) {
            self.rewrite(cut, &keeps)?;
        }
        let removed = before.saturating_sub(self.len());
        self.shared().table.removed += removed;
        Ok(removed)
    }

    /// Removes the events of sources, and the sources from the list. Gives how many events were removed.
    pub fn remove_sources(&mut self, numbers: &[u32]) -> Result<u64, StoreError> {
        let before = self.len();
        let gone: Vec<At> = self.metas()?.into_iter().filter(|(_, m)| numbers.contains(&m.source)).map(|(at, _)| at).collect();
        self.make_sure(gone.iter().map(|(place, _)| *place))?;
        self.drop_chunks(&gone);
        for (number, source) in (0u32..).zip(self.sources_mut().iter_mut()) {
            if numbers.contains(&number) || source.same_as.is_some_and(|of| numbers.contains(&of)) {
                *source = crate::table::StoredSource { gone: true, ..Default::default() };
            }
        }
        let removed = before.saturating_sub(self.len());
        self.shared().table.removed += removed;
        Ok(removed)
    }

    /// Removes the oldest events until the store is no larger than so many bytes, and frees their room. Gives how many were removed.
    pub fn shrink_to(&mut self, most: u64, clocks: &[Clock]) -> Result<u64, StoreError> {
        const ROUNDS: usize = 8;
        self.shared().drop_pending();
        let before = self.len();
        for _ in 0..ROUNDS {
            let size = self.size();
            if size <= most {
                break;
            }
            let mut metas = self.metas()?;
            // What has no time goes last.
            metas.sort_by_key(|(_, meta)| (span(meta, clocks).map_or(i64::MAX, |(_, last)| last), meta.source, meta.first_offset));
            let text: u64 = metas.iter().map(|(_, m)| m.text).sum();
            let share = (size - most) as f64 / size as f64;
            let (mut left, mut gone) = ((text as f64 * share) as u64 + 1, Vec::new());
            for (at, meta) in &metas {
                if left == 0 {
                    break;
                }
                left = left.saturating_sub(meta.text);
                gone.push(*at);
            }
            if gone.is_empty() {
                break;
            }
            self.make_sure(gone.iter().map(|(place, _)| *place))?;
            self.drop_chunks(&gone);
            self.compact()?;
        }
        let removed = before.saturating_sub(self.len());
        self.shared().table.removed += removed;
        Ok(removed)
    }

    /// Bytes of the whole store, as it would be after the next commit.
    fn size(&self) -> u64 {
        let packs: u64 = self.shared().table.packs.iter().filter(|p| p.live != 0).map(|p| p.bytes).sum();
        packs + crate::info::size_of(&crate::folder::index_of(&self.folder))
    }

    pub(crate) fn drop_chunks(&self, chunks: &[At]) {
        let mut shared = self.shared();
        for (place, number) in chunks {
            if let Some(entry) = shared.table.packs.get_mut(*place) {
                entry.live &= !(1 << number);
            }
        }
    }

    /// Puts together packs that are small or hold what was removed, and the parts of the index.
    pub fn compact(&mut self) -> Result<(), StoreError> {
        let mut places: Vec<usize> = Vec::new();
        {
            let shared = self.shared();
            for (place, entry) in shared.table.packs.iter().enumerate() {
                let text: u64 = entry.chunks().filter_map(|n| entry.text.get(n)).sum();
                let has_dead = entry.chunks().count() < entry.events.len();
                if entry.live != 0 && (has_dead || text < SMALL && entry.events.len() < MOST_CHUNKS) {
                    places.push(place);
                }
            }
            if places.len() == 1 && places.iter().all(|p| shared.table.packs[*p].chunks().count() == shared.table.packs[*p].events.len()) {
                places.clear();
            }
        }
        self.make_sure(places.iter().copied())?;
        let mut chunks: Vec<(At, ChunkMeta)> = self.metas()?.into_iter().filter(|((place, _), _)| places.contains(place)).collect();
        chunks.sort_by_key(|(_, meta)| (meta.source, meta.first_offset));
        let chunks: Vec<At> = chunks.into_iter().map(|(at, _)| at).collect();
        for part in chunks.chunks(MOST_CHUNKS) {
            self.rewrite(part, &|_, _| true)?;
        }
        self.tidy()
    }
}

/// The first and the last instant of a chunk; `None` where no event has a time. Where the year of stamps may turn between them
/// nothing is sure, so everything is taken for possible.
fn span(meta: &ChunkMeta, clocks: &[Clock]) -> Option<(i64, i64)> {
    let default = Clock::default();
    let clock = clocks.get(meta.source as usize).unwrap_or(&default);
    let mut span: Option<(i64, i64)> = None;
    for (form, from, to) in &meta.times {
        let Some(form) = form_of(*form) else {
            // Events without time stay, so the chunk is never gone as a whole.
            span = Some(span.map_or((i64::MAX, i64::MAX), |(a, _)| (a, i64::MAX)));
            continue;
        };
        let at = |nanos| clock.instant(&Stamp { nanos, form, offset: None, digits: 9 });
        const DAY: i64 = 86_400_000_000_000;
        let (from, to) = match form {
            Form::Explicit => (*from, *to),
            Form::Civil | Form::CivilLater => (at(*from).saturating_sub(DAY), at(*to).saturating_add(DAY)),
            _ => (i64::MIN, i64::MAX),
        };
        span = Some(span.map_or((from, to), |(a, b)| (a.min(from), b.max(to))));
    }
    span
}
