//! Writing into a store. Nothing is seen by readers, and nothing lasts, until the commit.

use crate::codec::{encode, form_number};
use crate::error::StoreError;
use crate::folder::{self, Payload, index_of};
use crate::names::{Names, Shared};
use crate::schema::{Fields, register, settings, tokenizers};
use crate::table::{StoredSource, Table};
use crate::terms::Terms;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use tantivy::directory::MmapDirectory;
use tantivy::query::{BooleanQuery, Occur, Query, RangeQuery, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{Index, IndexWriter, TantivyDocument, Term};
use whyline_event::Record;

/// Memory for events that are not written yet, for each thread.
const MEMORY: usize = 96 << 20;

/// A store that is being written to. Only one process at a time can hold one; dropping it without a commit leaves the store
/// as it was.
pub struct Writer {
    folder: PathBuf,
    fields: Fields,
    index: IndexWriter,
    names: Arc<RwLock<Names>>,
    table: Table,
}

impl Writer {
    /// Opens the store in a folder for writing, and makes one of a folder that is empty or not there.
    pub fn open(folder: &Path, threads: usize) -> Result<Writer, StoreError> {
        folder::create(folder)?;
        let failed = StoreError::index(folder, "opened for writing");
        let (schema, fields) = Fields::schema();
        let path = index_of(folder);
        std::fs::create_dir_all(&path).map_err(StoreError::file(&path, "made"))?;
        let directory = MmapDirectory::open(&path).map_err(|e| failed(e.into()))?;
        let index =
            Index::builder().schema(schema).settings(settings()).tokenizers(tokenizers()).open_or_create(directory).map_err(&failed)?;
        register(&index);
        let threads = threads.clamp(1, 8);
        let writer = index.writer_with_num_threads(threads, MEMORY * threads).map_err(&failed)?;
        let payload = index.load_metas().map_err(&failed)?.payload;
        let table = Table::read(folder, folder::generation(folder, payload.as_deref())?)?;
        let names = Arc::new(RwLock::new(Names::new(table.names.clone())));
        Ok(Writer { folder: folder.to_path_buf(), fields, index: writer, names, table })
    }

    /// The sources that are stored. A source's place in this list is its number, which must not change.
    pub fn sources(&self) -> &[StoredSource] {
        &self.table.sources
    }

    /// The sources, to be revised and added to.
    pub fn sources_mut(&mut self) -> &mut Vec<StoredSource> {
        &mut self.table.sources
    }

    /// The facts of a source.
    pub fn facts(&self, number: usize) -> Result<Vec<u8>, StoreError> {
        self.table.facts(&self.folder, number)
    }

    /// Lets a source take over the facts of another one.
    pub fn share_facts(&mut self, from: usize, to: usize) {
        let facts = self.table.sources.get(from).and_then(|s| s.facts);
        if let Some(source) = self.table.sources.get_mut(to) {
            source.facts = facts;
        }
    }

    /// Removes the events of a source that begin at an offset or after it. Events added later are not touched.
    pub fn remove(&self, source: u32, from: u64) -> Result<(), StoreError> {
        let of_source = TermQuery::new(Term::from_field_u64(self.fields.source, u64::from(source)), IndexRecordOption::Basic);
        let after = RangeQuery::new(Bound::Included(Term::from_field_u64(self.fields.offset, from)), Bound::Unbounded);
        let both: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(of_source)), (Occur::Must, Box::new(after))];
        self.index.delete_query(Box::new(BooleanQuery::new(both))).map(drop).map_err(StoreError::index(&self.folder, "written"))
    }

    /// Something that adds events; every thread needs its own.
    pub fn adder(&self) -> Adder<'_> {
        Adder { writer: self, names: Shared::new(self.names.clone()), terms: Terms::default(), bytes: Vec::new() }
    }

    /// Makes everything last: events, sources, and the facts of sources by their number.
    pub fn commit(mut self, facts: &[(usize, Vec<u8>)]) -> Result<(), StoreError> {
        let failed = StoreError::index(&self.folder, "written");
        self.table.generation += 1;
        self.table.names = self.names.read().unwrap_or_else(|e| e.into_inner()).list();
        self.table.write(&self.folder, facts)?;
        let payload = serde_json::to_string(&Payload { generation: self.table.generation })
            .map_err(|e| StoreError::damaged(&self.folder, e.to_string()))?;
        let mut commit = self.index.prepare_commit().map_err(&failed)?;
        commit.set_payload(&payload);
        commit.commit().map_err(&failed)?;
        self.index.wait_merging_threads().map_err(&failed)?;
        self.table.sweep(&self.folder);
        Ok(())
    }
}

/// Adds events to a store.
pub struct Adder<'w> {
    writer: &'w Writer,
    names: Shared,
    terms: Terms,
    bytes: Vec<u8>,
}

impl Adder<'_> {
    /// Adds a record under the number of its source in the store.
    pub fn add(&mut self, source: u32, record: &Record<'_>) -> Result<(), StoreError> {
        let Fields { event, word, value, source: of, offset, line, nanos, form } = self.writer.fields;
        let names = &mut self.names;
        self.bytes.clear();
        encode(record, &mut |text| names.number(text), &mut self.bytes);
        self.terms.gather(record, &mut |text| names.number(text));
        let mut document = TantivyDocument::new();
        document.add_bytes(event, &self.bytes);
        document.add_text(word, &self.terms.words);
        document.add_text(value, &self.terms.values);
        document.add_u64(of, u64::from(source));
        document.add_u64(offset, record.origin.offset);
        document.add_u64(line, record.origin.line);
        document.add_i64(nanos, record.stamp.map_or(0, |s| s.nanos));
        document.add_u64(form, record.stamp.map_or(0, |s| u64::from(form_number(s.form))));
        self.writer.index.add_document(document).map(drop).map_err(StoreError::index(&self.writer.folder, "written"))
    }
}
