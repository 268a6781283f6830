//! The folder of a store: what lies where, whether a folder is one, and who may write into it.

use crate::error::StoreError;
use crate::table::write_lasting;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The form of stores that this program writes. A change of what is stored, or of what the stored facts mean, gets a new number.
pub const FORM: u32 = 4;

pub(crate) const MARK: &str = "whyline-store.json";
pub(crate) const LOCK: &str = "lock";

#[derive(Serialize, Deserialize)]
struct Mark {
    form: u32,
}

/// What the index keeps with each commit.
#[derive(Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) generation: u64,
    /// Hash over the table.
    pub(crate) table: String,
}

/// The folder of the index.
pub(crate) fn index_of(folder: &Path) -> PathBuf {
    folder.join("index")
}

/// The file of a pack.
pub(crate) fn pack_file(folder: &Path, pack: u64) -> PathBuf {
    folder.join(format!("pack.{pack}"))
}

/// Makes sure that a folder is a store that can be read.
pub(crate) fn check(folder: &Path) -> Result<(), StoreError> {
    let mark = folder.join(MARK);
    let bytes = match fs::read(&mark) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(if folder.exists() { StoreError::NoStore(folder.into()) } else { StoreError::Absent(folder.into()) });
        }
        Err(error) => return Err(StoreError::file(&mark, "read")(error)),
    };
    let mark: Mark = serde_json::from_slice(&bytes).map_err(|e| StoreError::damaged(folder, format!("{MARK}: {e}")))?;
    match mark.form {
        form if form > FORM => Err(StoreError::Newer { folder: folder.into(), found: form, known: FORM }),
        form if form < FORM => Err(StoreError::Older { folder: folder.into(), found: form, known: FORM }),
        _ => Ok(()),
    }
}

/// The bytes of the mark of a store.
pub(crate) fn mark() -> Vec<u8> {
    format!("{{\"form\":{FORM}}}").into_bytes()
}

/// Makes a store of a folder that is not there or empty; a store stays as it is.
pub(crate) fn create(folder: &Path) -> Result<(), StoreError> {
    match check(folder) {
        Err(StoreError::Absent(_)) => fs::create_dir_all(folder).map_err(StoreError::file(folder, "made"))?,
        Err(StoreError::NoStore(_)) if is_bare(folder) => {}
        other => return other,
    }
    write_lasting(&folder.join(MARK), &mark())
}

/// Whether nothing lies in a folder, or only what a store that was never completed leaves.
fn is_bare(folder: &Path) -> bool {
    let left = [format!("{MARK}.new"), LOCK.to_string()];
    fs::read_dir(folder).is_ok_and(|mut entries| entries.all(|e| e.is_ok_and(|e| left.iter().any(|l| e.file_name() == l.as_str()))))
}

/// Keeps others from writing, until it is dropped.
pub(crate) struct Held {
    file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
    }
}

/// Takes the store for this process. The lock goes with the process, however it ends; its file says whose it is.
pub(crate) fn hold(folder: &Path) -> Result<Held, StoreError> {
    let path = folder.join(LOCK);
    let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = file.map_err(StoreError::file(&path, "written"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
            return Err(StoreError::Locked { folder: folder.into(), holder });
        }
        // Some file systems have no locks; the index has one of its own.
        Err(TryLockError::Error(_)) => {}
    }
    let write = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    write.map_err(StoreError::file(&path, "written"))?;
    Ok(Held { file })
}

/// What a commit says.
pub(crate) fn payload(folder: &Path, text: Option<&str>) -> Result<Option<Payload>, StoreError> {
    let Some(text) = text else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|e| StoreError::damaged(folder, format!("the mark of the last commit: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_store() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        assert!(matches!(check(&folder), Err(StoreError::Absent(_))));
        create(&folder).unwrap();
        check(&folder).unwrap();
        create(&folder).unwrap();
        assert!(matches!(check(place.path()), Err(StoreError::NoStore(_))));
        assert!(matches!(create(place.path()), Err(StoreError::NoStore(_))));
        fs::write(folder.join(MARK), "{\"form\":99}").unwrap();
        let error = check(&folder).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }) && error.to_string().contains("update whyline"));
        fs::write(folder.join(MARK), "{\"form\":1}").unwrap();
        let error = check(&folder).unwrap_err();
        assert!(matches!(error, StoreError::Older { found: 1, .. }) && error.to_string().contains("ingest the logs again"));
        fs::write(folder.join(MARK), "{").unwrap();
        assert!(matches!(create(&folder), Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn one_writer_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let held = hold(place.path()).unwrap();
        let Err(StoreError::Locked { holder, .. }) = hold(place.path()) else { panic!() };
        assert_eq!(holder, Some(std::process::id()));
        drop(held);
        hold(place.path()).unwrap();
    }
}
