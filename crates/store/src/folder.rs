//! The folder of a store: what lies where, and whether a folder is one.

use crate::error::StoreError;
use crate::table::write_lasting;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The form of stores that this program writes. A change of what is stored, or of what the stored facts mean, gets a new number.
pub(crate) const FORM: u32 = 1;

const MARK: &str = "whyline-store.json";

#[derive(Serialize, Deserialize)]
struct Mark {
    form: u32,
}

/// What the index keeps with each commit.
#[derive(Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) generation: u64,
}

/// The folder of the index.
pub(crate) fn index_of(folder: &Path) -> PathBuf {
    folder.join("index")
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
    if mark.form > FORM {
        return Err(StoreError::Newer { folder: folder.into(), found: mark.form, known: FORM });
    }
    Ok(())
}

/// Makes a store of a folder that is not there or empty; a store stays as it is.
pub(crate) fn create(folder: &Path) -> Result<(), StoreError> {
    match check(folder) {
        Err(StoreError::Absent(_)) => fs::create_dir_all(folder).map_err(StoreError::file(folder, "made"))?,
        Err(StoreError::NoStore(_)) if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none()) => {}
        other => return other,
    }
    let index = index_of(folder);
    fs::create_dir_all(&index).map_err(StoreError::file(&index, "made"))?;
    let bytes = serde_json::to_vec(&Mark { form: FORM }).map_err(|e| StoreError::damaged(folder, e.to_string()))?;
    write_lasting(&folder.join(MARK), &bytes)
}

/// The generation that a commit names.
pub(crate) fn generation(folder: &Path, payload: Option<&str>) -> Result<u64, StoreError> {
    let Some(text) = payload else { return Ok(0) };
    let payload: Payload =
        serde_json::from_str(text).map_err(|e| StoreError::damaged(folder, format!("the mark of the last commit: {e}")))?;
    Ok(payload.generation)
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
        fs::write(folder.join(MARK), "{").unwrap();
        assert!(matches!(create(&folder), Err(StoreError::Damaged { .. })));
    }
}
