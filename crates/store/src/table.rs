//! The table of sources: what was stored from where, and what is known about its clock.
//!
//! A table is written as a whole, under the number of its generation, before the index commits; the commit names the
//! generation. So data and table change together or not at all.

use crate::error::StoreError;
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
}

impl StoredSource {
    /// The source as queries know it.
    pub fn source(&self) -> Source {
        Source { path: self.path.clone(), host: self.host.clone(), modified: self.modified }
    }
}

/// Everything that one generation holds besides the index.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) generation: u64,
    pub(crate) names: Vec<String>,
    pub(crate) sources: Vec<StoredSource>,
}

fn table_file(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("sources.{generation}.json"))
}

fn facts_file(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("facts.{generation}"))
}

impl Table {
    /// Reads the table of a generation; generation 0 is empty.
    pub(crate) fn read(folder: &Path, generation: u64) -> Result<Table, StoreError> {
        if generation == 0 {
            return Ok(Table::default());
        }
        let path = table_file(folder, generation);
        let bytes = fs::read(&path).map_err(StoreError::file(&path, "read"))?;
        let table: Table = serde_json::from_slice(&bytes).map_err(|e| StoreError::damaged(folder, format!("{}: {e}", path.display())))?;
        if table.generation != generation {
            return Err(StoreError::damaged(folder, format!("{} holds another generation", path.display())));
        }
        Ok(table)
    }

    /// Writes the table and the facts of sources, so that they last.
    pub(crate) fn write(&mut self, folder: &Path, facts: &[(usize, Vec<u8>)]) -> Result<(), StoreError> {
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
        write_lasting(&path, &bytes)
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
            } else {
                false
            };
            if stale {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The facts of a source.
    pub(crate) fn facts(&self, folder: &Path, number: usize) -> Result<Vec<u8>, StoreError> {
        let Some(place) = self.sources.get(number).and_then(|s| s.facts) else {
            return Err(StoreError::damaged(folder, format!("there are no facts of source {number}")));
        };
        let path = facts_file(folder, place.generation);
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(place.offset))?;
            let mut packed = Vec::new();
            file.take(place.length).read_to_end(&mut packed)?;
            zstd::stream::decode_all(&packed[..])
        };
        read().map_err(StoreError::file(&path, "read"))
    }
}

/// Writes a file under another name, makes sure that it lies on the disk, and gives it its name.
pub(crate) fn write_lasting(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut name = path.as_os_str().to_os_string();
    name.push(".new");
    let new = PathBuf::from(name);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        match path.parent() {
            // Not every file system can do this; where it cannot, nothing more can be done.
            Some(parent) => File::open(parent).map(|folder| drop(folder.sync_all())),
            None => Ok(()),
        }
    };
    write().map_err(StoreError::file(path, "written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_read_back_and_older_ones_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Table { generation: 1, names: vec!["a".into()], sources: vec![StoredSource::default(), StoredSource::default()] };
        table.write(folder.path(), &[(0, b"zero".to_vec()), (1, b"one".to_vec())]).unwrap();
        table.generation = 2;
        table.write(folder.path(), &[(1, b"uno".to_vec())]).unwrap();
        table.sweep(folder.path());
        let again = Table::read(folder.path(), 2).unwrap();
        assert_eq!((again.names, again.sources), (table.names.clone(), table.sources.clone()));
        assert_eq!(table.facts(folder.path(), 0).unwrap(), b"zero");
        assert_eq!(table.facts(folder.path(), 1).unwrap(), b"uno");
        assert!(matches!(Table::read(folder.path(), 1), Err(StoreError::File { .. })));
    }
}
