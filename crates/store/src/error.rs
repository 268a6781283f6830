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
    #[error("the store at {} is damaged ({what}); `whyline store verify` says what else is. Ingesting the original logs into another folder gives a whole store; where these are gone, keep this one", .folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file that was to be rewritten is not what was written.
    #[error("{file} in the store at {} is not as it was written, so nothing was rewritten or removed; `whyline store verify` says what else is damaged, and `whyline store compact --drop-damaged` gives up what cannot be read: ingesting the original logs again brings it back", .folder.display())]
    Changed {
        /// The folder.
        folder: PathBuf,
        /// The file within it.
        file: String,
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
        use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
        let within = move |path: &Path| crate::folder::index_of(folder).join(path);
        let file = move |path: PathBuf, error: &io::Error| StoreError::File { path, action, source: same(error) };
        move |source| match source {
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, filepath }) => file(within(&filepath), &io_error),
            TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(path)) => {
                StoreError::damaged(folder, format!("index/{} is not there", path.display()))
            }
            TantivyError::OpenWriteError(OpenWriteError::IoError { io_error, filepath }) => file(within(&filepath), &io_error),
            TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error, .. })
            | TantivyError::LockFailure(LockError::IoError(io_error), _)
            | TantivyError::IoError(io_error) => file(within(Path::new("")), &io_error),
            TantivyError::LockFailure(LockError::LockBusy, _) => StoreError::Locked { folder: folder.to_path_buf(), holder: None },
            TantivyError::DataCorruption(what) => StoreError::damaged(folder, format!("{what:?}")),
            source => StoreError::Index { folder: folder.to_path_buf(), action, source: Box::new(source) },
        }
    }
}

/// The same error once more.
fn same(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)
}

/// What helps, where that is known.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "; there is no room left: make some, and run the same command again (what was stored before is kept)"
        }
        io::ErrorKind::PermissionDenied => {
            ": permission denied; this user lacks the right to it: run as the user who made the store, or have it granted (`chmod -R a+rX` on the folder lets everybody read it)"
        }
        io::ErrorKind::ReadOnlyFilesystem => "; the medium can only be read: name another folder with --store",
        _ => "",
    }
}
