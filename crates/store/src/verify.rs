//! Whether a store is whole: every file is held against the hash that was noted when it was written.
//!
//! When storing is complete, the length and hash of every file are written into `checksums`. While a store is being written to there
//! is no such list; then, and after an interruption, what the last commit names is checked by itself.

use crate::error::StoreError;
use crate::folder::{self, LOCK, index_of, mark, pack_file};
use crate::schema::open_to_read;
use crate::table::{PackEntry, Table, hash_of, write_lasting};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const CHECKSUMS: &str = "checksums";

/// What checking a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files that were read.
    pub files: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// What is wrong; empty for a store that is whole.
    pub faults: Vec<String>,
    /// Storing was interrupted, so that only what the last commit names could be checked.
    pub interrupted: bool,
}

/// Length and hash of every file.
#[derive(Serialize, Deserialize)]
pub(crate) struct List {
    files: BTreeMap<String, (u64, String)>,
}

/// The files that are written anew under the same name; all others never change.
const WRITTEN_ANEW: [&str; 2] = ["index/meta.json", "index/.managed.json"];

impl List {
    /// The list of a store, if nobody was interrupted and it is as it was written.
    pub(crate) fn read(folder: &Path) -> Option<List> {
        list_of(&fs::read(folder.join(CHECKSUMS)).ok()?)
    }
}

/// The files of a store by their names, those of the index behind `index/`. Locks and what is not complete are left out.
fn files_of(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for (path, before) in [(folder.to_path_buf(), ""), (index_of(folder), "index/")] {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let left_out = name == LOCK || name == CHECKSUMS || name.ends_with(".lock") || name.ends_with(".new") || name.ends_with(".tmp");
            if entry.file_type()?.is_file() && !left_out {
                names.push(format!("{before}{name}"));
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Notes the hashes of all files. Those of files that were there before are taken from where they were noted when they were
/// written, so that what has changed since is not taken for right.
pub(crate) fn note(folder: &Path, before: Option<&List>, packs: &[PackEntry]) -> Result<(), StoreError> {
    let failed = StoreError::file(folder, "read");
    let packs: BTreeMap<String, (u64, &String)> = packs.iter().map(|p| (format!("pack.{}", p.number), (p.bytes, &p.hash))).collect();
    let note = || -> std::io::Result<Vec<u8>> {
        let mut list = List { files: BTreeMap::new() };
        for name in files_of(folder)? {
            let noted = before.and_then(|b| b.files.get(&name)).filter(|_| !WRITTEN_ANEW.contains(&name.as_str()));
            let entry = match (packs.get(&name), noted) {
                (Some((length, hash)), _) => (*length, (*hash).clone()),
                (None, Some(noted)) => noted.clone(),
                (None, None) => {
                    let bytes = fs::read(folder.join(&name))?;
                    (bytes.len() as u64, hash_of(&bytes))
                }
            };
            list.files.insert(name, entry);
        }
        let mut bytes = serde_json::to_vec(&list)?;
        let hash = hash_of(&bytes);
        bytes.push(b'\n');
        bytes.extend_from_slice(hash.as_bytes());
        Ok(bytes)
    };
    write_lasting(&folder.join(CHECKSUMS), &note().map_err(failed)?)
}

/// Takes the list away, before the first file changes.
pub(crate) fn forget(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(CHECKSUMS);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::file(&path, "removed")(error)),
        _ => Ok(()),
    }
}

/// Reads every file of a store and says what is wrong. An error is given only where there is no store at all.
pub fn verify(folder: &Path) -> Result<Verified, StoreError> {
    let mut found = Verified::default();
    if let Err(error) = folder::check(folder) {
        match error {
            StoreError::Absent(_) | StoreError::NoStore(_) => return Err(error),
            StoreError::File { ref source, .. } if source.kind() == ErrorKind::PermissionDenied => return Err(error),
            error => found.faults.push(error.to_string()),
        }
    }
    match fs::read(folder.join(CHECKSUMS)) {
        Ok(bytes) => listed(folder, &bytes, &mut found)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            found.interrupted = true;
            committed(folder, &mut found)?;
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(StoreError::file(&folder.join(CHECKSUMS), "read")(error)),
        Err(error) => found.faults.push(format!("{CHECKSUMS} cannot be read: {error}")),
    }
    Ok(found)
}

/// The list, if it is as it was written.
fn list_of(bytes: &[u8]) -> Option<List> {
    let end = bytes.iter().rposition(|b| *b == b'\n')?;
    let sound = hash_of(&bytes[..end]).as_bytes() == bytes.get(end + 1..)?;
    sound.then(|| serde_json::from_slice::<List>(&bytes[..end]).ok()).flatten()
}

/// Makes sure, before an index of usual size is read, that it is as it was written: its reader trusts what it finds.
pub(crate) fn index_is_whole(folder: &Path) -> Result<(), StoreError> {
    const MOST: u64 = 16 << 20;
    let Some(list) = List::read(folder) else { return Ok(()) };
    let index = list.files.iter().filter(|(name, _)| name.starts_with("index/"));
    if index.map(|(_, (length, _))| length).sum::<u64>() > MOST {
        return Ok(());
    }
    match changed_in_index(folder, &list)? {
        Some(name) => Err(StoreError::damaged(folder, format!("{name} has changed since it was written"))),
        None => Ok(()),
    }
}

/// The first file of the index that is not as it was written.
pub(crate) fn changed_in_index(folder: &Path, list: &List) -> Result<Option<String>, StoreError> {
    for (name, (_, hash)) in list.files.iter().filter(|(name, _)| name.starts_with("index/")) {
        let path = folder.join(name);
        let bytes = fs::read(&path).map_err(StoreError::file(&path, "read"))?;
        if hash_of(&bytes) != *hash {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

/// Whether a pack is as it was written. What cannot be read is not, unless this user may not read it.
pub(crate) fn is_whole(folder: &Path, pack: &PackEntry) -> Result<bool, StoreError> {
    let path = pack_file(folder, pack.number);
    match fs::read(&path) {
        Ok(bytes) => Ok(hash_of(&bytes) == pack.hash),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(StoreError::file(&path, "read")(error)),
        Err(_) => Ok(false),
    }
}

/// The bytes of a file; what is wrong with it where it cannot be read. That this user may not read it is no damage.
fn bytes_of(folder: &Path, name: &str) -> Result<Result<Vec<u8>, String>, StoreError> {
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok(Ok(bytes)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(StoreError::file(&path, "read")(error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Err(format!("{name} is not there"))),
        Err(error) => Ok(Err(format!("{name} cannot be read: {error}"))),
    }
}

fn listed(folder: &Path, bytes: &[u8], found: &mut Verified) -> Result<(), StoreError> {
    (found.files, found.bytes) = (1, bytes.len() as u64);
    let Some(list) = list_of(bytes) else {
        found.faults.push(format!("{CHECKSUMS} has changed since it was written"));
        return Ok(());
    };
    for (name, (length, hash)) in &list.files {
        match bytes_of(folder, name)? {
            Err(fault) => found.faults.push(fault),
            Ok(bytes) => {
                found.files += 1;
                found.bytes += bytes.len() as u64;
                if bytes.len() as u64 != *length {
                    found.faults.push(format!("{name} has {} bytes, and {length} were written", bytes.len()));
                } else if hash_of(&bytes) != *hash {
                    found.faults.push(format!("{name} has changed since it was written"));
                }
            }
        }
    }
    Ok(())
}

/// Holds a file against what it should be.
fn check(folder: &Path, name: &str, found: &mut Verified, right: impl Fn(&[u8]) -> bool) -> Result<(), StoreError> {
    match bytes_of(folder, name)? {
        Err(fault) => found.faults.push(fault),
        Ok(bytes) => {
            found.files += 1;
            found.bytes += bytes.len() as u64;
            if !right(&bytes) {
                found.faults.push(format!("{name} has changed since it was written"));
            }
        }
    }
    Ok(())
}

/// What the last commit names.
fn committed(folder: &Path, found: &mut Verified) -> Result<(), StoreError> {
    check(folder, folder::MARK, found, |bytes| bytes == mark())?;
    let index = match open_to_read(folder) {
        Ok(index) => index,
        // Nothing was committed yet.
        Err(_) if !index_of(folder).join("meta.json").exists() => return Ok(()),
        Err(error) => match StoreError::index(folder, "read")(error) {
            error @ StoreError::File { .. } => return Err(error),
            error => {
                found.faults.push(error.to_string());
                return Ok(());
            }
        },
    };
    match index.validate_checksum() {
        Ok(damaged) => found.faults.extend(damaged.iter().map(|path| format!("index/{} has changed since it was written", path.display()))),
        Err(error) => found.faults.push(format!("the index cannot be read: {error}")),
    }
    let table = index.load_metas().map_err(|e| e.to_string()).and_then(|metas| {
        let payload = folder::payload(folder, metas.payload.as_deref()).map_err(|e| e.to_string())?;
        Table::read(folder, payload.as_ref()).map_err(|e| e.to_string())
    });
    match table {
        Err(error) => found.faults.push(error),
        Ok(table) => {
            for pack in &table.packs {
                check(folder, &format!("pack.{}", pack.number), found, |bytes| hash_of(bytes) == pack.hash)?;
            }
        }
    }
    Ok(())
}
