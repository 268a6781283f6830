//! A store that is read.

use crate::codec::decode;
use crate::error::StoreError;
use crate::folder::{self, index_of};
use crate::names::Names;
use crate::schema::Fields;
use crate::table::{StoredSource, Table};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tantivy::columnar::ColumnValues;
use tantivy::index::SegmentReader;
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::{Index, IndexReader, ReloadPolicy, Searcher, TantivyDocument, Term};
use whyline_event::{Clock, Record, SourceId};

/// Unpacked blocks that are held of every segment.
const BLOCKS: usize = 48;

/// A store, as it was when it was opened: what is ingested meanwhile is not seen.
pub struct Store {
    pub(crate) folder: PathBuf,
    pub(crate) fields: Fields,
    pub(crate) searcher: Searcher,
    pub(crate) table: Table,
    pub(crate) names: Names,
}

impl Store {
    /// Opens the store in a folder.
    pub fn open(folder: &Path) -> Result<Store, StoreError> {
        const TRIES: usize = 5;
        folder::check(folder)?;
        let failed = StoreError::index(folder, "read");
        let mut tries = 0;
        loop {
            let (_, fields) = Fields::schema();
            let index = Index::open_in_dir(index_of(folder)).map_err(|e| match e {
                // The folder was made and nothing was ever committed into it.
                tantivy::TantivyError::OpenReadError(tantivy::directory::error::OpenReadError::FileDoesNotExist(_)) => {
                    StoreError::Absent(folder.to_path_buf())
                }
                e => failed(e),
            })?;
            let before = index.load_metas().map_err(&failed)?;
            let reader: tantivy::Result<IndexReader> =
                index.reader_builder().reload_policy(ReloadPolicy::Manual).doc_store_cache_num_blocks(BLOCKS).try_into();
            let table = folder::generation(folder, before.payload.as_deref()).and_then(|g| Table::read(folder, g));
            // Another process may have committed in between; then data and table may not belong together.
            let after = index.load_metas().map_err(&failed)?;
            tries += 1;
            if after.payload != before.payload && tries < TRIES {
                continue;
            }
            let (reader, table) = (reader.map_err(&failed)?, table?);
            let names = Names::new(table.names.clone());
            return Ok(Store { folder: folder.to_path_buf(), fields, searcher: reader.searcher(), table, names });
        }
    }

    /// The sources. A source's place in this list is its number.
    pub fn sources(&self) -> &[StoredSource] {
        &self.table.sources
    }

    /// The numbers of the sources in the order of their paths, which is the order of answers.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.table.sources.len()).collect();
        order.sort_by_key(|i| (&self.table.sources[*i].path, *i));
        order
    }

    /// The clocks of the sources, by number.
    pub fn clocks(&self) -> Vec<Clock> {
        self.table.sources.iter().map(|s| s.clock.clock()).collect()
    }

    /// The facts of a source.
    pub fn facts(&self, number: usize) -> Result<Vec<u8>, StoreError> {
        self.table.facts(&self.folder, number)
    }

    /// How many events are stored.
    pub fn len(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hands over the records of a source in their order. Their origin names the source by `as_source`.
    pub fn records_of(&self, number: usize, as_source: u32, each: &mut dyn FnMut(&Record<'_>)) -> Result<(), StoreError> {
        let mut found: Vec<(u64, u32, u32)> = Vec::new();
        for (at, segment) in (0u32..).zip(self.searcher.segment_readers()) {
            let offsets = self.column(segment, "offset")?;
            for doc in self.docs_of_source(segment, number)? {
                found.push((offsets.get_val(doc), at, doc));
            }
        }
        found.sort_unstable();
        for (_, segment, doc) in found {
            let bytes = self.bytes(segment, doc)?;
            each(&self.record(&bytes, as_source)?);
        }
        Ok(())
    }

    /// The record of a source that begins at a line.
    pub fn record_at(&self, number: usize, line: u64, each: &mut dyn FnMut(&Record<'_>)) -> Result<(), StoreError> {
        for (at, segment) in (0u32..).zip(self.searcher.segment_readers()) {
            let lines = self.column(segment, "line")?;
            if let Some(doc) = self.docs_of_source(segment, number)?.into_iter().find(|d| lines.get_val(*d) == line) {
                let bytes = self.bytes(at, doc)?;
                each(&self.record(&bytes, number as u32)?);
                return Ok(());
            }
        }
        Ok(())
    }

    fn docs_of_source(&self, segment: &SegmentReader, number: usize) -> Result<Vec<u32>, StoreError> {
        let failed = StoreError::index(&self.folder, "read");
        let index = segment.inverted_index(self.fields.source).map_err(&failed)?;
        let term = Term::from_field_u64(self.fields.source, number as u64);
        let mut docs = Vec::new();
        if let Some(info) = index.get_term_info(&term).map_err(|e| failed(e.into()))? {
            let mut postings = index.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic).map_err(|e| failed(e.into()))?;
            while !postings.docs().is_empty() {
                docs.extend(postings.docs().iter().copied().filter(|d| !segment.is_deleted(*d)));
                postings.advance();
            }
        }
        Ok(docs)
    }

    pub(crate) fn column(&self, segment: &SegmentReader, name: &str) -> Result<Arc<dyn ColumnValues<u64>>, StoreError> {
        segment.fast_fields().column_first_or_default::<u64>(name).map_err(StoreError::index(&self.folder, "read"))
    }

    pub(crate) fn bytes(&self, segment: u32, doc: u32) -> Result<Vec<u8>, StoreError> {
        let document: TantivyDocument =
            self.searcher.doc(tantivy::DocAddress::new(segment, doc)).map_err(StoreError::index(&self.folder, "read"))?;
        let bytes = document.get_first(self.fields.event).and_then(|v| v.as_bytes().map(<[u8]>::to_vec));
        bytes.ok_or_else(|| StoreError::damaged(&self.folder, "an event is missing"))
    }

    pub(crate) fn record<'a>(&'a self, bytes: &'a [u8], source: u32) -> Result<Record<'a>, StoreError> {
        decode(bytes, &self.names, SourceId(source)).ok_or_else(|| StoreError::damaged(&self.folder, "an event cannot be read"))
    }
}
