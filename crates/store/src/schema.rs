//! The fields of the index, and how terms reach it.

use crate::terms::BETWEEN;
use tantivy::schema::{Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager};
use tantivy::{Index, IndexSettings};

const SPLIT: &str = "whyline";

/// The fields of the index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    /// The encoded record.
    pub(crate) event: Field,
    /// Words.
    pub(crate) word: Field,
    /// Values of fields.
    pub(crate) value: Field,
    /// Number of the source.
    pub(crate) source: Field,
    /// Offset of the record.
    pub(crate) offset: Field,
    /// First line of the record.
    pub(crate) line: Field,
    /// The stamp as written.
    pub(crate) nanos: Field,
    /// What the stamp leaves open, 0 where there is none.
    pub(crate) form: Field,
}

impl Fields {
    /// The schema, and its fields.
    pub(crate) fn schema() -> (Schema, Fields) {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default().set_tokenizer(SPLIT).set_fieldnorms(false).set_index_option(IndexRecordOption::Basic);
        let terms = TextOptions::default().set_indexing_options(indexing);
        let column = NumericOptions::default().set_fast();
        let fields = Fields {
            event: schema.add_bytes_field("event", tantivy::schema::STORED),
            word: schema.add_text_field("word", terms.clone()),
            value: schema.add_text_field("value", terms),
            source: schema.add_u64_field("source", column.clone().set_indexed()),
            offset: schema.add_u64_field("offset", column.clone()),
            line: schema.add_u64_field("line", column.clone()),
            nanos: schema.add_i64_field("nanos", column.clone()),
            form: schema.add_u64_field("form", column),
        };
        (schema.build(), fields)
    }
}

/// How the index is laid out.
pub(crate) fn settings() -> IndexSettings {
    IndexSettings {
        docstore_compression: Compressor::Zstd(ZstdCompressor { compression_level: Some(3) }),
        docstore_blocksize: 64 * 1024,
        ..IndexSettings::default()
    }
}

/// Registers what an index needs to take in terms.
pub(crate) fn register(index: &Index) {
    index.tokenizers().register(SPLIT, Split::default());
}

/// The tokenizers of a new index.
pub(crate) fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::default();
    tokenizers.register(SPLIT, Split::default());
    tokenizers
}

/// Hands over the terms of a text that [`crate::terms::Terms`] made.
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
