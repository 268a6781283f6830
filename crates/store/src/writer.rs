//! Writing into a store, pack by pack. Each pack is committed when it is complete, together with the table, so that a process that
//! is killed loses no more than the packs it was making.
//!
//! What was stored of a source before storing it was interrupted is not trusted blindly: the source is read again from its
//! beginning, and a block that gives the very records of a chunk that is there already keeps that chunk. Chunks that no block
//! gave are dropped at the end. So the content is that of a run that was not interrupted.

use crate::error::StoreError;
use crate::folder::{self, Held, pack_file};
use crate::pack::MOST_CHUNKS;
use crate::pack::block::Block;
use crate::pack::build::{Builder, Built};
use crate::pack::chunk::Chunk;
use crate::pack::read::Pack;
use crate::schema::{Fields, open_to_write};
use crate::table::{PackEntry, StoredSource, Table, hash_of, write_lasting};
use crate::verify::{self, List};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard};
use tantivy::{IndexWriter, TantivyDocument};
use whyline_event::Record;

/// Memory of the index for words that are not written yet, in bytes.
const INDEX_MEMORY: usize = 24 << 20;
/// Memory that is left to reading, of what writing is allowed, in bytes.
const READING: usize = 96 << 20;
/// Chunks that are rewritten are put together until they hold so much, in bytes.
const LEAST_BLOCK: usize = 1 << 20;
/// Records of one block that are held before they are packed, in bytes, at most.
const BLOCK: usize = 16 << 20;

/// A store that is being written to. Only one process at a time can hold one.
pub struct Writer {
    pub(crate) folder: PathBuf,
    pub(crate) fields: Fields,
    sources: Vec<StoredSource>,
    reading: Vec<u32>,
    pub(crate) shared: Mutex<Shared>,
    /// Memory of each pack that is being made.
    budget: usize,
    /// Bytes of raw text of a pack.
    batch: u64,
    /// What was noted of the files when they were written, as it stood when the store was opened.
    listed: Option<List>,
    _held: Held,
}

/// What all threads write into.
pub(crate) struct Shared {
    pub(crate) index: IndexWriter,
    pub(crate) table: Table,
    /// The list of hashes was taken away, since something changes.
    changing: bool,
    /// The index was held against its hashes.
    index_is_whole: bool,
    /// Packs, by number, that were held against their hashes, or written since.
    pub(crate) whole: BTreeSet<u64>,
    /// Chunks of sources that are being read, by source and hash: the places of their packs, and their numbers there.
    pub(crate) pending: FxHashMap<(u32, u128), Vec<(usize, usize)>>,
}

impl Writer {
    /// Opens the store in a folder for writing, and makes one of a folder that is empty or not there. `memory` is what writing
    /// (with reading what is written) may use, in bytes.
    pub fn open(folder: &Path, threads: usize, memory: usize) -> Result<Writer, StoreError> {
        folder::create(folder)?;
        let held = folder::hold(folder)?;
        verify::index_is_whole(folder)?;
        let (index, fields) = open_to_write(folder)?;
        let failed = StoreError::index(folder, "opened for writing");
        let writer = index.writer_with_num_threads(1, INDEX_MEMORY).map_err(&failed)?;
        let payload = index.load_metas().map_err(&failed)?.payload;
        let table = Table::read(folder, folder::payload(folder, payload.as_deref())?.as_ref())?;
        let listed = List::read(folder);
        if listed.is_none() {
            table.sweep(folder);
        }
        let sources = table.sources.clone();
        let budget = (memory.saturating_sub(READING + INDEX_MEMORY) / threads.max(1)).clamp(8 << 20, 256 << 20);
        let shared =
            Shared { index: writer, table, changing: false, index_is_whole: false, whole: BTreeSet::new(), pending: FxHashMap::default() };
        let (folder, shared) = (folder.to_path_buf(), Mutex::new(shared));
        Ok(Writer { folder, fields, sources, reading: Vec::new(), shared, budget, batch: u64::MAX, listed, _held: held })
    }

    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The sources that are stored. A source's place in this list is its number, which must not change.
    pub fn sources(&self) -> &[StoredSource] {
        &self.sources
    }

    /// The sources, to be revised and added to.
    pub fn sources_mut(&mut self) -> &mut Vec<StoredSource> {
        &mut self.sources
    }

    /// The facts of a source; `None` where storing it was interrupted.
    pub fn facts(&self, number: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Table { sources: self.sources.clone(), ..Table::default() }.facts(&self.folder, number)
    }

    /// How much raw text goes into a pack at most, in bytes, before it is committed; never more than 64 blocks.
    pub fn set_batch(&mut self, bytes: u64) {
        self.batch = bytes;
    }

    /// Makes the store ready for sources to be read, each from an offset on: its events from there on are replaced by what is
    /// added now. Until the end they are listed as unfinished.
    pub fn begin(&mut self, reading: &[(u32, u64)]) -> Result<(), StoreError> {
        let mut cut: Vec<(usize, usize)> = Vec::new();
        let mut shared = self.shared();
        let from: FxHashMap<u32, u64> = reading.iter().copied().collect();
        for place in 0..shared.table.packs.len() {
            let pack = open_pack(&self.folder, &shared.table.packs[place])?;
            for chunk in shared.table.packs[place].chunks().collect::<Vec<_>>() {
                let Some(meta) = pack.footer.chunks.get(chunk) else { continue };
                let Some(from) = from.get(&meta.source) else { continue };
                if meta.first_offset >= *from {
                    shared.pending.entry((meta.source, meta.hash)).or_default().push((place, chunk));
                } else if meta.last_offset >= *from {
                    cut.push((place, chunk));
                }
            }
        }
        drop(shared);
        self.make_sure(cut.iter().map(|(place, _)| *place))?;
        for cut in cut.chunks(MOST_CHUNKS / 2) {
            self.rewrite(cut, &|record, source| from.get(&source).is_none_or(|from| record.origin.offset < *from))?;
        }
        for (number, _) in reading {
            if let Some(source) = self.sources.get_mut(*number as usize) {
                source.unfinished = true;
            }
            self.reading.push(*number);
        }
        let sources = self.sources.clone();
        self.shared().table.sources = sources;
        Ok(())
    }

    /// Makes sure that packs, by their places, and the index are as they were written. Nothing may be rewritten before: what has
    /// changed would be taken for right afterwards.
    pub(crate) fn make_sure(&self, places: impl Iterator<Item = usize>) -> Result<(), StoreError> {
        let mut shared = self.shared();
        let changed = |file: String| StoreError::Changed { folder: self.folder.clone(), file };
        if !shared.index_is_whole {
            let found = match &self.listed {
                Some(list) => verify::changed_in_index(&self.folder, list)?,
                None => {
                    let damaged = shared.index.index().validate_checksum().map_err(StoreError::index(&self.folder, "read"))?;
                    damaged.into_iter().next().map(|path| format!("index/{}", path.display()))
                }
            };
            if let Some(file) = found {
                return Err(changed(file));
            }
            shared.index_is_whole = true;
        }
        for place in places {
            let Some(entry) = shared.table.packs.get(place).filter(|p| !shared.whole.contains(&p.number)) else { continue };
            let number = entry.number;
            if !verify::is_whole(&self.folder, entry)? {
                return Err(changed(format!("pack.{number}")));
            }
            shared.whole.insert(number);
        }
        Ok(())
    }

    /// Replaces chunks by what is to be kept of them. Not more than one pack may be made of them.
    pub(crate) fn rewrite(&self, chunks: &[(usize, usize)], keeps: &dyn Fn(&Record<'_>, u32) -> bool) -> Result<(), StoreError> {
        let mut adder = self.adder()?;
        adder.rewriting = true;
        for (place, number) in chunks {
            let entry = self.shared().table.packs.get(*place).cloned();
            let Some(entry) = entry else { continue };
            let pack = Rc::new(open_pack(&self.folder, &entry)?);
            let changed = |_| StoreError::Changed { folder: self.folder.clone(), file: format!("pack.{}", entry.number) };
            let chunk = Chunk::open(&pack, *number).map_err(changed)?;
            let source = chunk.meta.source;
            let mut failed = None;
            for row in 0..chunk.len() as u32 {
                let mut each = |record: &Record<'_>| {
                    if keeps(record, source) {
                        failed = failed.take().or(adder.add(source, record).err());
                    }
                };
                chunk.record(row, source, &mut each).map_err(changed)?;
            }
            if let Some(error) = failed {
                return Err(error);
            }
            if adder.block.size() > LEAST_BLOCK {
                adder.seal(false)?;
            }
        }
        // Old and new change places in one commit.
        let built = adder.take()?;
        let mut shared = self.shared();
        for (place, number) in chunks {
            if let Some(entry) = shared.table.packs.get_mut(*place) {
                entry.live &= !(1 << number);
            }
        }
        match built {
            Some(built) => self.store(&mut shared, built),
            None => Ok(()),
        }
    }

    /// Something that adds events; every thread needs its own.
    pub fn adder(&self) -> Result<Adder<'_>, StoreError> {
        Ok(Adder { writer: self, builder: self.builder()?, block: Block::default(), source: 0, last: None, rewriting: false })
    }

    fn builder(&self) -> Result<Builder, StoreError> {
        Builder::new().map_err(StoreError::file(&self.folder, "written"))
    }

    /// Takes a pack into the table and the index, and commits.
    fn store(&self, shared: &mut Shared, built: Built) -> Result<(), StoreError> {
        let number = shared.table.next;
        shared.table.next += 1;
        let path = pack_file(&self.folder, number);
        shared.change(&self.folder)?;
        write_lasting(&path, &built.bytes)?;
        shared.whole.insert(number);
        let failed = StoreError::index(&self.folder, "written");
        for (chunk, words) in (0u64..).zip(&built.terms) {
            let mut document = TantivyDocument::new();
            document.add_text(self.fields.word, words);
            document.add_u64(self.fields.pack, number);
            document.add_u64(self.fields.chunk, chunk);
            shared.index.add_document(document).map_err(&failed)?;
        }
        shared.table.packs.push(PackEntry {
            number,
            bytes: built.bytes.len() as u64,
            hash: hash_of(&built.bytes),
            live: u64::MAX >> (64 - built.chunks.len().clamp(1, 64)),
            events: built.chunks.iter().map(|c| c.rows).collect(),
            text: built.chunks.iter().map(|c| c.text).collect(),
            capped: built.capped,
        });
        shared.commit(&self.folder, &[])
    }

    /// Makes everything last: events, sources, and the facts of sources by their number.
    pub fn commit(mut self, facts: &[(usize, Vec<u8>)]) -> Result<(), StoreError> {
        for number in &self.reading {
            if let Some(source) = self.sources.get_mut(*number as usize) {
                source.unfinished = false;
            }
        }
        let failed = StoreError::index(&self.folder, "written");
        let mut shared = self.shared.into_inner().unwrap_or_else(|e| e.into_inner());
        shared.drop_pending();
        shared.drop_empty(self.fields);
        shared.table.sources = self.sources;
        shared.commit(&self.folder, facts)?;
        shared.index.wait_merging_threads().map_err(&failed)?;
        shared.table.sweep(&self.folder);
        verify::note(&self.folder, self.listed.as_ref(), &shared.table.packs)
    }

    /// Leaves the store as it is.
    pub fn leave(self) -> Result<(), StoreError> {
        let shared = self.shared.into_inner().unwrap_or_else(|e| e.into_inner());
        if shared.table.generation > 0 && (shared.changing || self.listed.is_none()) {
            shared.index.wait_merging_threads().map_err(StoreError::index(&self.folder, "written"))?;
            verify::note(&self.folder, self.listed.as_ref(), &shared.table.packs)?;
        }
        Ok(())
    }

    /// Drops packs of which nothing holds, and makes one part of the index.
    pub(crate) fn tidy(&self) -> Result<(), StoreError> {
        let failed = StoreError::index(&self.folder, "written");
        let mut shared = self.shared();
        shared.drop_empty(self.fields);
        shared.table.sources = self.sources.clone();
        shared.commit(&self.folder, &[])?;
        let segments = shared.index.index().searchable_segment_ids().map_err(&failed)?;
        if segments.len() > 1 {
            shared.index.merge(&segments).wait().map_err(&failed)?;
        }
        let _ = shared.index.garbage_collect_files().wait();
        shared.table.sweep(&self.folder);
        Ok(())
    }
}

impl Shared {
    /// Takes the list of hashes away, before the first file changes.
    fn change(&mut self, folder: &Path) -> Result<(), StoreError> {
        if !std::mem::replace(&mut self.changing, true) {
            verify::forget(folder)?;
        }
        Ok(())
    }

    fn commit(&mut self, folder: &Path, facts: &[(usize, Vec<u8>)]) -> Result<(), StoreError> {
        let failed = StoreError::index(folder, "written");
        self.change(folder)?;
        self.table.generation += 1;
        let payload = self.table.write(folder, facts)?;
        let payload = serde_json::to_string(&payload).map_err(|e| StoreError::damaged(folder, e.to_string()))?;
        let mut commit = self.index.prepare_commit().map_err(&failed)?;
        commit.set_payload(&payload);
        commit.commit().map_err(&failed)?;
        self.table.sweep_before(folder);
        Ok(())
    }

    /// Chunks of sources that were read, and that no block gave again, go.
    pub(crate) fn drop_pending(&mut self) {
        for (place, chunk) in std::mem::take(&mut self.pending).into_values().flatten() {
            if let Some(entry) = self.table.packs.get_mut(place) {
                entry.live &= !(1 << chunk);
            }
        }
    }

    /// Packs of which nothing holds go, and their words with them.
    fn drop_empty(&mut self, fields: Fields) {
        for entry in self.table.packs.iter().filter(|p| p.live == 0) {
            self.index.delete_term(tantivy::Term::from_field_u64(fields.pack, entry.number));
        }
        self.table.packs.retain(|p| p.live != 0);
    }
}

pub(crate) fn open_pack(folder: &Path, entry: &PackEntry) -> Result<Pack, StoreError> {
    let path = pack_file(folder, entry.number);
    Pack::open(&path).map_err(|error| match error.kind() {
        ErrorKind::InvalidData | ErrorKind::NotFound | ErrorKind::UnexpectedEof => {
            StoreError::Changed { folder: folder.to_path_buf(), file: format!("pack.{}", entry.number) }
        }
        _ => StoreError::file(&path, "read")(error),
    })
}

/// Adds events to a store.
pub struct Adder<'w> {
    writer: &'w Writer,
    builder: Builder,
    block: Block,
    source: u32,
    last: Option<u64>,
    /// What is added comes from the store and goes into one pack.
    rewriting: bool,
}

impl Adder<'_> {
    /// Adds a record under the number of its source in the store. Records of a source come in their order.
    pub fn add(&mut self, source: u32, record: &Record<'_>) -> Result<(), StoreError> {
        let follows = self.last.is_none_or(|last| last < record.origin.offset);
        if !self.block.rows.is_empty() && (source != self.source || !follows || self.block.size() > BLOCK) {
            if self.rewriting { self.seal(false)? } else { self.end()? }
        }
        self.source = source;
        self.last = Some(record.origin.offset);
        self.block.add(record, &mut self.builder.names);
        Ok(())
    }

    /// A block of the source has ended. Where blocks end must depend on what they hold alone.
    pub fn end(&mut self) -> Result<(), StoreError> {
        self.seal(true)?;
        if self.builder.is_full() || self.builder.size() > self.writer.budget || self.builder.text() >= self.writer.batch {
            self.flush()?;
        }
        Ok(())
    }

    fn seal(&mut self, once: bool) -> Result<(), StoreError> {
        if self.block.rows.is_empty() {
            return Ok(());
        }
        let hash = self.block.hash(&self.builder.names);
        let there = once && {
            let pending = &mut self.writer.shared().pending;
            let places = pending.get_mut(&(self.source, hash));
            let kept = places.and_then(Vec::pop).is_some();
            if pending.get(&(self.source, hash)).is_some_and(Vec::is_empty) {
                pending.remove(&(self.source, hash));
            }
            kept
        };
        if !there {
            self.builder.add(self.source, &self.block, hash).map_err(StoreError::file(&self.writer.folder, "written"))?;
        }
        self.block.clear();
        self.last = None;
        Ok(())
    }

    /// Takes the pack that is being made, if there is anything in it.
    fn take(mut self) -> Result<Option<Built>, StoreError> {
        self.seal(false)?;
        if self.builder.is_empty() {
            return Ok(None);
        }
        self.builder.finish().map(Some).map_err(StoreError::file(&self.writer.folder, "written"))
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let builder = std::mem::replace(&mut self.builder, self.writer.builder()?);
        let built = builder.finish().map_err(StoreError::file(&self.writer.folder, "written"))?;
        let mut shared = self.writer.shared();
        self.writer.store(&mut shared, built)
    }

    /// Stores what was added so far.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.seal(true)?;
        self.flush()
    }
}
