//! The index: which words stand in which chunks. A document is a chunk.

use crate::error::StoreError;
use crate::folder::index_of;
use crate::table::replace;
use std::path::{Path, PathBuf};
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, WatchCallback, WatchHandle, WritePtr};
use tantivy::schema::{Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager};
use tantivy::{Index, IndexSettings};

const SPLIT: &str = "whyline";
/// Stands behind each word that is handed to the index.
pub(crate) const BETWEEN: char = '\u{1f}';

/// The fields of the index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    /// Words.
    pub(crate) word: Field,
    /// Number of the pack.
    pub(crate) pack: Field,
    /// Number of the chunk within the pack.
    pub(crate) chunk: Field,
}

impl Fields {
    /// The schema, and its fields.
    pub(crate) fn schema() -> (Schema, Fields) {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default().set_tokenizer(SPLIT).set_fieldnorms(false).set_index_option(IndexRecordOption::Basic);
        let column = NumericOptions::default().set_fast();
        let fields = Fields {
            word: schema.add_text_field("word", TextOptions::default().set_indexing_options(indexing)),
            pack: schema.add_u64_field("pack", column.clone().set_indexed()),
            chunk: schema.add_u64_field("chunk", column),
        };
        (schema.build(), fields)
    }
}

/// Opens the index for writing, and makes one where there is none.
pub(crate) fn open_to_write(folder: &Path) -> Result<(Index, Fields), StoreError> {
    let failed = StoreError::index(folder, "opened for writing");
    let (schema, fields) = Fields::schema();
    let path = index_of(folder);
    std::fs::create_dir_all(&path).map_err(StoreError::file(&path, "made"))?;
    let directory = Shared { files: MmapDirectory::open(&path).map_err(|e| failed(e.into()))?, path };
    let tokenizers = TokenizerManager::default();
    tokenizers.register(SPLIT, Split::default());
    let index = Index::builder().schema(schema).settings(IndexSettings::default()).tokenizers(tokenizers).open_or_create(directory);
    let index = index.map_err(&failed)?;
    index.tokenizers().register(SPLIT, Split::default());
    Ok((index, fields))
}

/// Opens the index for reading alone: nothing is written, not even a lock.
pub(crate) fn open_to_read(folder: &Path) -> tantivy::Result<Index> {
    Index::open(ReadOnly(MmapDirectory::open(index_of(folder))?))
}

/// A folder that is only read. A lock would have to be written, and does not help readers here: whoever writes leaves the files
/// of the last commit where they are, and a reader that was overtaken begins anew.
#[derive(Clone, Debug)]
struct ReadOnly(MmapDirectory);

/// A folder that is written to, so that others may read what the umask lets them: left to itself, tantivy keeps some files from
/// everybody else.
#[derive(Clone, Debug)]
struct Shared {
    files: MmapDirectory,
    path: PathBuf,
}

impl Directory for Shared {
    fn get_file_handle(&self, path: &Path) -> Result<std::sync::Arc<dyn FileHandle>, OpenReadError> {
        self.files.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.files.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.files.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.files.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.files.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> std::io::Result<()> {
        replace(&self.path.join(path), data)
    }

    fn sync_directory(&self) -> std::io::Result<()> {
        self.files.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.files.acquire_lock(lock)
    }

    fn watch(&self, watch_callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.files.watch(watch_callback)
    }
}

fn denied() -> std::io::Error {
    std::io::Error::from(std::io::ErrorKind::PermissionDenied)
}

impl Directory for ReadOnly {
    fn get_file_handle(&self, path: &Path) -> Result<std::sync::Arc<dyn FileHandle>, OpenReadError> {
        self.0.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError { io_error: std::sync::Arc::new(denied()), filepath: path.into() })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.0.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(denied(), path.into()))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.0.atomic_read(path)
    }

    fn atomic_write(&self, _path: &Path, _data: &[u8]) -> std::io::Result<()> {
        Err(denied())
    }

    fn sync_directory(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, _lock: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, watch_callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.0.watch(watch_callback)
    }
}

/// Hands over words that were split before.
#[derive(Clone, Default)]
struct Split {
    token: Token,
}

struct Pieces<'a> {
    rest: &'a str,
    token: &'a mut Token,
}

impl Tokenizer for Split {
    type TokenStream<'a> = Pieces<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Pieces<'a> {
        self.token.reset();
        Pieces { rest: text, token: &mut self.token }
    }
}

impl TokenStream for Pieces<'_> {
    fn advance(&mut self) -> bool {
        let Some((piece, rest)) = self.rest.split_once(BETWEEN) else { return false };
        self.rest = rest;
        self.token.text.clear();
        self.token.text.push_str(piece);
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}
