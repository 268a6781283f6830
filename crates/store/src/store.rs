//! A store that is read.

use crate::error::StoreError;
use crate::folder::{self, pack_file};
use crate::pack::chunk::Chunk;
use crate::pack::read::Pack;
use crate::schema::{Fields, open_to_read};
use crate::table::{StoredSource, Table};
use crate::verify;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tantivy::directory::error::OpenReadError;
use tantivy::{SegmentReader, TantivyError};
use whyline_event::{Clock, Record};

/// Packs that are held open with what was unpacked of their dictionaries.
const OPEN: usize = 12;

/// A store, as it was when it was opened: what is ingested meanwhile is not seen.
pub struct Store {
    pub(crate) folder: PathBuf,
    pub(crate) fields: Fields,
    pub(crate) segments: Vec<SegmentReader>,
    pub(crate) table: Table,
    open: RefCell<Vec<(usize, Rc<Pack>)>>,
    /// The chunks that could not be read, with the reason.
    pub(crate) lost: RefCell<BTreeMap<(usize, usize), String>>,
}

/// A chunk of a source.
struct Found {
    /// The offset of its first record.
    offset: u64,
    pack: Rc<Pack>,
    /// The place of its pack, and its number there.
    at: (usize, usize),
}

impl Store {
    /// Opens the store in a folder. Nothing is written there, so it may be one that can only be read.
    pub fn open(folder: &Path) -> Result<Store, StoreError> {
        const TRIES: usize = 3;
        folder::check(folder)?;
        let mut tries = 0;
        loop {
            tries += 1;
            match Store::try_open(folder) {
                // Another process may have committed in between; then data and table may not belong together.
                Err(StoreError::File { .. } | StoreError::Index { .. } | StoreError::Damaged { .. }) if tries < TRIES => {
                    std::thread::sleep(std::time::Duration::from_millis(15 * tries as u64));
                }
                result => return result,
            }
        }
    }

    fn try_open(folder: &Path) -> Result<Store, StoreError> {
        let failed = StoreError::index(folder, "read");
        let (_, fields) = Fields::schema();
        let index = open_to_read(folder).map_err(|e| match e {
            // The folder was made and nothing was ever committed into it.
            TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_))
            | TantivyError::OpenDirectoryError(tantivy::directory::error::OpenDirectoryError::DoesNotExist(_)) => {
                StoreError::Absent(folder.to_path_buf())
            }
            e => failed(e),
        })?;
        verify::index_is_whole(folder)?;
        let payload = index.load_metas().map_err(&failed)?.payload;
        let segments = index.searchable_segments().map_err(&failed)?;
        // Nothing is stored in the index itself, so what a reader of it would make ready besides is not needed.
        let segments = segments.iter().map(SegmentReader::open).collect::<tantivy::Result<Vec<_>>>().map_err(&failed)?;
        let table = Table::read(folder, folder::payload(folder, payload.as_deref())?.as_ref())?;
        if index.load_metas().map_err(&failed)?.payload != payload {
            return Err(StoreError::damaged(folder, "it changes while it is read"));
        }
        Ok(Store { folder: folder.to_path_buf(), fields, segments, table, open: RefCell::default(), lost: RefCell::default() })
    }

    /// The sources. A source's place in this list is its number.
    pub fn sources(&self) -> &[StoredSource] {
        &self.table.sources
    }

    /// The numbers of the sources that were not removed, in the order of their paths, which is the order of answers.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.table.sources.len()).filter(|i| !self.table.sources[*i].gone).collect();
        order.sort_by_key(|i| (&self.table.sources[*i].path, *i));
        order
    }

    /// The clocks of the sources, by number.
    pub fn clocks(&self) -> Vec<Clock> {
        self.table.sources.iter().map(|s| s.clock.clock()).collect()
    }

    /// The facts of a source; `None` where storing it was interrupted.
    pub fn facts(&self, number: usize) -> Result<Option<Vec<u8>>, StoreError> {
        self.table.facts(&self.folder, number)
    }

    /// How many events are stored.
    pub fn len(&self) -> u64 {
        self.table.packs.iter().flat_map(|p| p.chunks().filter_map(|n| p.events.get(n))).map(|n| u64::from(*n)).sum()
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hands over the records of a source in their order. Their origin names the source by `as_source`. What is damaged is left
    /// out; see [`Store::lost`].
    pub fn records_of(&self, number: usize, as_source: u32, each: &mut dyn FnMut(&Record<'_>)) -> Result<(), StoreError> {
        for Found { pack, at, .. } in self.chunks_of(number)? {
            let mut all = || {
                let chunk = Chunk::open(&pack, at.1)?;
                (0..chunk.len() as u32).try_for_each(|row| chunk.record(row, as_source, each))
            };
            let outcome = all().map_err(self.unreadable());
            self.spare(at, outcome)?;
        }
        Ok(())
    }

    /// The record of a source that begins at a line.
    pub fn record_at(&self, number: usize, line: u64, each: &mut dyn FnMut(&Record<'_>)) -> Result<(), StoreError> {
        for Found { pack, at: (_, chunk), .. } in self.chunks_of(number)? {
            let within = pack.footer.chunks.get(chunk).is_some_and(|m| (m.lines.0..=m.lines.1).contains(&line));
            if within {
                let chunk = Chunk::open(&pack, chunk).map_err(self.unreadable())?;
                for row in 0..chunk.len() as u32 {
                    if chunk.line(row).map_err(self.unreadable())? == line {
                        return chunk.record(row, number as u32, each).map_err(self.unreadable());
                    }
                }
            }
        }
        Ok(())
    }

    /// The chunks of a source in the order of its records.
    fn chunks_of(&self, number: usize) -> Result<Vec<Found>, StoreError> {
        let mut found = Vec::new();
        for (place, entry) in self.table.packs.iter().enumerate() {
            let Some(pack) = self.spare_pack(place)? else { continue };
            for chunk in entry.chunks() {
                if let Some(meta) = pack.footer.chunks.get(chunk).filter(|m| m.source as usize == number) {
                    found.push(Found { offset: meta.first_offset, pack: pack.clone(), at: (place, chunk) });
                }
            }
        }
        found.sort_by_key(|found| found.offset);
        Ok(found)
    }

    /// A pack by its place in the table.
    pub(crate) fn pack(&self, place: usize) -> Result<Rc<Pack>, StoreError> {
        let mut open = self.open.borrow_mut();
        if let Some(at) = open.iter().position(|(p, _)| *p == place) {
            let found = open.remove(at);
            let pack = found.1.clone();
            open.push(found);
            return Ok(pack);
        }
        let entry = self.table.packs.get(place).ok_or_else(|| StoreError::damaged(&self.folder, "a pack is missing"))?;
        let path = pack_file(&self.folder, entry.number);
        let pack = Rc::new(Pack::open(&path).map_err(StoreError::file(&path, "read"))?);
        if pack.footer.chunks.len() != entry.events.len() {
            return Err(StoreError::damaged(&self.folder, format!("{} is not what was written", path.display())));
        }
        if open.len() >= OPEN {
            open.remove(0);
        }
        open.push((place, pack.clone()));
        Ok(pack)
    }

    /// A pack by its place in the table; `None` where it is damaged as a whole, so that all its chunks are lost.
    pub(crate) fn spare_pack(&self, place: usize) -> Result<Option<Rc<Pack>>, StoreError> {
        match self.pack(place) {
            Ok(pack) => Ok(Some(pack)),
            Err(error) => {
                let known = self.table.packs.get(place).map(|p| p.chunks().collect::<Vec<_>>()).unwrap_or_default();
                let mut chunks = known.into_iter();
                let first = chunks.next().unwrap_or(0);
                self.spare((place, first), Err::<(), _>(error))?;
                let why = self.lost.borrow().get(&(place, first)).cloned().unwrap_or_default();
                self.lost.borrow_mut().extend(chunks.map(|chunk| ((place, chunk), why.clone())));
                Ok(None)
            }
        }
    }

    /// Gives back what is held of a pack. It is opened again when somebody asks for it.
    pub(crate) fn close(&self, place: usize) {
        self.open.borrow_mut().retain(|(p, _)| *p != place);
    }

    /// What a damaged pack is to whoever asked.
    pub(crate) fn unreadable(&self) -> impl Fn(std::io::Error) -> StoreError + '_ {
        |e| StoreError::damaged(&self.folder, e.to_string())
    }
}
