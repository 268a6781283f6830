//! The table of sources: what was stored from where, and what is known about its clock.
//!
//! A table is written as a whole, under the number of its generation, before the index commits; the commit names the
//! generation. So data and table change together or not at all.

use crate::error::StoreError;
use crate::folder::Payload;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use whyline_event::{Clock, Source, Zone};

/// How much was read of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Physical lines.
    pub lines: u64,
    /// Lines with nothing in them that belong to no record.
    pub blank: u64,
    /// Lines that belong to a record.
    pub in_events: u64,
    /// Records.
    pub records: u64,
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Records that another source holds as well, and that are counted there.
    #[serde(default)]
    pub duplicate: u64,
    /// Records of which only the beginning is held.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub cut: u64,
    /// The line at which the first of them begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_cut: Option<u64>,
}

fn is_nought(number: &u64) -> bool {
    *number == 0
}

/// What is known about the clock of a source. Stamps are stored as written, so this may be revised at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredClock {
    /// Zone of local stamps, as [`Zone::parse`] reads it.
    pub zone: String,
    /// An instant near to stamps without year, in nanoseconds.
    pub near: Option<i64>,
    /// How far the machine's clock is ahead, in nanoseconds.
    pub ahead: i64,
}

impl StoredClock {
    /// Keeps a clock.
    pub fn new(clock: &Clock) -> StoredClock {
        StoredClock { zone: clock.zone.label(), near: clock.near, ahead: clock.ahead }
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        Clock { zone: Zone::parse(&self.zone).unwrap_or(Zone::Offset(0)), near: self.near, ahead: self.ahead }
    }
}

/// Where the facts of a source stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    generation: u64,
    offset: u64,
    length: u64,
}

/// A pack of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackEntry {
    pub(crate) number: u64,
    pub(crate) bytes: u64,
    /// Hash over its file.
    pub(crate) hash: String,
    /// The chunks that hold, a bit each; the others were removed.
    pub(crate) live: u64,
    /// How many events each of its chunks holds.
    pub(crate) events: Vec<u32>,
    /// Bytes of raw text that each of its chunks holds.
    pub(crate) text: Vec<u64>,
    /// Caps that its making met.
    pub(crate) capped: u64,
}

impl PackEntry {
    /// The numbers of the chunks that hold.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.events.len().min(64)).filter(|n| self.live >> n & 1 == 1)
    }
}

/// One source that was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSource {
    /// Its path, as events name it.
    pub path: String,
    /// The host of records that name none.
    pub host: Option<String>,
    /// When the file was last changed (seconds since 1970).
    pub modified: Option<i64>,
    /// Unpacked bytes that were read.
    pub length: u64,
    /// Hash over those bytes.
    pub hash: String,
    /// How much was read.
    pub counted: Counted,
    /// Offset of its last record: what was appended to the source since may belong to that record.
    pub last_record: Option<u64>,
    /// How it was read; where that changes, the source is stored anew.
    pub plan: String,
    /// The source that holds the same stream, and under which its events are stored.
    pub same_as: Option<u32>,
    /// Zones that were told when it was stored.
    pub zones: Vec<String>,
    /// The year that was told when it was stored.
    pub year: Option<i16>,
    /// Its clock.
    pub clock: StoredClock,
    /// The encoding of its text, where that is not UTF-8.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Where the facts stand from which clocks are settled.
    pub facts: Option<Place>,
    /// Its events are not all stored yet, or no longer only those that were: storing them was interrupted.
    #[serde(default)]
    pub unfinished: bool,
    /// What went wrong when it was read.
    #[serde(default)]
    pub problems: Vec<String>,
    /// It was removed: only its number is left.
    #[serde(default)]
    pub gone: bool,
}

impl StoredSource {
    /// How many of its records are to be in the store: those that no other source holds.
    pub fn own(&self) -> u64 {
        if self.same_as.is_some() { 0 } else { self.counted.records.saturating_sub(self.counted.duplicate) }
    }

    /// The source as queries know it.
    pub fn source(&self) -> Source {
        Source { path: self.path.clone(), host: self.host.clone(), modified: self.modified }
    }
}

/// Everything that one generation holds besides the index.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) generation: u64,
    pub(crate) sources: Vec<StoredSource>,
    pub(crate) packs: Vec<PackEntry>,
    /// The number of the next pack. Numbers are never used twice.
    pub(crate) next: u64,
    /// Events that were removed to keep the store small, or because they were old.
    pub(crate) removed: u64,
}

fn table_file(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("sources.{generation}.json"))
}

fn facts_file(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("facts.{generation}"))
}

impl Table {
    /// Reads the table that a commit names; before the first one it is empty.
    pub(crate) fn read(folder: &Path, payload: Option<&Payload>) -> Result<Table, StoreError> {
        let Some(Payload { generation, table: hash }) = payload else { return Ok(Table::default()) };
        let path = table_file(folder, *generation);
        let bytes = fs::read(&path).map_err(StoreError::file(&path, "read"))?;
        if hash_of(&bytes) != *hash {
            return Err(StoreError::damaged(folder, format!("{} is not what was written", path.display())));
        }
        serde_json::from_slice(&bytes).map_err(|e| StoreError::damaged(folder, format!("{}: {e}", path.display())))
    }

    /// Writes the table and the facts of sources, so that they last. Gives what the commit is to say.
    pub(crate) fn write(&mut self, folder: &Path, facts: &[(usize, Vec<u8>)]) -> Result<Payload, StoreError> {
        if !facts.is_empty() {
            let path = facts_file(folder, self.generation);
            let mut bytes = Vec::new();
            for (number, raw) in facts {
                let packed = zstd::bulk::compress(raw, 3).map_err(StoreError::file(&path, "written"))?;
                if let Some(source) = self.sources.get_mut(*number) {
                    let place = Place { generation: self.generation, offset: bytes.len() as u64, length: packed.len() as u64 };
                    source.facts = Some(place);
                }
                bytes.extend_from_slice(&packed);
            }
            write_lasting(&path, &bytes)?;
        }
        let path = table_file(folder, self.generation);
        let bytes = serde_json::to_vec(self).map_err(|e| StoreError::damaged(folder, e.to_string()))?;
        write_lasting(&path, &bytes)?;
        Ok(Payload { generation: self.generation, table: hash_of(&bytes) })
    }

    /// Removes the table of the generation before.
    pub(crate) fn sweep_before(&self, folder: &Path) {
        if let Some(before) = self.generation.checked_sub(1) {
            let _ = fs::remove_file(table_file(folder, before));
        }
    }

    /// Removes the files of generations that are no longer needed. What cannot be removed does no harm.
    pub(crate) fn sweep(&self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let generation = |rest: &str| rest.parse::<u64>().ok();
            let stale = if let Some(rest) = name.strip_prefix("sources.") {
                generation(rest.trim_end_matches(".json").trim_end_matches(".new")).is_some_and(|g| g != self.generation)
            } else if let Some(rest) = name.strip_prefix("facts.") {
                let used = |g| self.sources.iter().any(|s| s.facts.is_some_and(|f| f.generation == g));
                generation(rest.trim_end_matches(".new")).is_some_and(|g| !used(g))
            } else if let Some(rest) = name.strip_prefix("pack.") {
                let used = |n| self.packs.iter().any(|p| p.number == n);
                generation(rest.trim_end_matches(".new")).is_some_and(|n| !used(n) || rest.ends_with(".new"))
            } else {
                name.ends_with(".new")
            };
            if stale {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The facts of a source; `None` where storing it was interrupted.
    pub(crate) fn facts(&self, folder: &Path, number: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(place) = self.sources.get(number).and_then(|s| s.facts) else { return Ok(None) };
        let path = facts_file(folder, place.generation);
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(place.offset))?;
            let mut packed = Vec::new();
            file.take(place.length).read_to_end(&mut packed)?;
            zstd::stream::decode_all(&packed[..])
        };
        read().map(Some).map_err(StoreError::file(&path, "read"))
    }
}

/// The hash of the bytes of a file, as it is kept.
pub(crate) fn hash_of(bytes: &[u8]) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(bytes))
}

/// Writes a file under another name, makes sure that it lies on the disk, and gives it its name.
pub(crate) fn write_lasting(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace(path, bytes).map_err(StoreError::file(path, "written"))
}

/// The same, for whoever tells errors in another way.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_os_string();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        // Not every file system can do this; where it cannot, nothing more can be done.
        Some(parent) => File::open(parent).map(|folder| drop(folder.sync_all())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_read_back_and_older_ones_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Table { generation: 1, sources: vec![StoredSource::default(); 3], ..Table::default() };
        let first = table.write(folder.path(), &[(0, b"zero".to_vec()), (1, b"one".to_vec())]).unwrap();
        table.generation = 2;
        let second = table.write(folder.path(), &[(1, b"uno".to_vec())]).unwrap();
        table.sweep(folder.path());
        let again = Table::read(folder.path(), Some(&second)).unwrap();
        assert_eq!(again.sources, table.sources);
        assert_eq!(table.facts(folder.path(), 0).unwrap().unwrap(), b"zero");
        assert_eq!(table.facts(folder.path(), 1).unwrap().unwrap(), b"uno");
        assert_eq!(table.facts(folder.path(), 2).unwrap(), None);
        assert!(matches!(Table::read(folder.path(), Some(&first)), Err(StoreError::File { .. })));
    }
}
