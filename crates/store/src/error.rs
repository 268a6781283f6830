//! What can go wrong with a store, told to whoever asked for it.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder is not there.
    #[error("there is no store at {}; `whyline ingest PATH` makes one, --store names another folder", .0.display())]
    Absent(PathBuf),
    /// The folder holds something else.
    #[error("{} is no store of whyline; name another folder with --store, or an empty one to begin a store", .0.display())]
    NoStore(PathBuf),
    /// A newer program wrote it.
    #[error("the store at {} has form {found}, and this program reads forms up to {known}: a newer whyline wrote it; update whyline, or ingest into another folder", .folder.display())]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// The form that was found.
        found: u32,
        /// The newest form that is known.
        known: u32,
    },
    /// An older program wrote it.
    #[error("the store at {} has form {found}, and this program keeps events in form {known}: ingest the logs again into another folder, or remove this one first", .folder.display())]
    Older {
        /// The folder.
        folder: PathBuf,
        /// The form that was found.
        found: u32,
        /// The form that is known.
        known: u32,
    },
    /// Another process writes into it.
    #[error("another process{} is writing into the store at {}; try again when it is done", holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default(), .folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// The process, where that is known.
        holder: Option<u32>,
    },
    /// It cannot be understood.
    #[error("the store at {} is damaged ({what}); remove the folder and ingest the logs again", .folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file of it cannot be read or written.
    #[error("{} cannot be {action}{}", .path.display(), advice(source))]
    File {
        /// The file.
        path: PathBuf,
        /// `read`, `written`...
        action: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The index cannot be read or written.
    #[error("the index of the store at {} cannot be {action}", .folder.display())]
    Index {
        /// The folder.
        folder: PathBuf,
        /// `read`, `written`...
        action: &'static str,
        /// Why.
        source: Box<tantivy::TantivyError>,
    },
}

impl StoreError {
    pub(crate) fn file<'p>(path: &'p Path, action: &'static str) -> impl FnOnce(io::Error) -> StoreError + 'p {
        move |source| StoreError::File { path: path.to_path_buf(), action, source }
    }

    pub(crate) fn damaged(folder: &Path, what: impl Into<String>) -> StoreError {
        StoreError::Damaged { folder: folder.to_path_buf(), what: what.into() }
    }

    pub(crate) fn index<'p>(folder: &'p Path, action: &'static str) -> impl Fn(tantivy::TantivyError) -> StoreError + 'p {
        use tantivy::TantivyError;
        use tantivy::directory::error::LockError;
        move |source| match source {
            TantivyError::LockFailure(LockError::LockBusy, _) => StoreError::Locked { folder: folder.to_path_buf(), holder: None },
            TantivyError::DataCorruption(what) => StoreError::damaged(folder, format!("{what:?}")),
            source => StoreError::Index { folder: folder.to_path_buf(), action, source: Box::new(source) },
        }
    }
}

/// What helps, where that is known.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "; there is no room left: make some, and run the same command again (what was stored before is kept)"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; the folder of the store may not be written or read by this user"
        }
        _ => "",
    }
}
