//! Packs: files that hold the events of some blocks, column by column. A pack is written once and never changed.
//!
//! A *chunk* is a block of a source, about a megabyte of it: some thousand consecutive records. The records of a chunk are sorted
//! by their *shape* (which fields, and how the text is made of constant and variable pieces); what differs among those of a shape
//! lies in columns. Texts that come again are kept once, in the dictionary of their column, which all chunks of a pack share.
//! So a question about one field reads one column, a question about text is put to each text once, and the raw text is put
//! together again from its pieces, byte by byte.
//!
//! ```text
//! magic | chunk ... | Bloom filter of each chunk | dictionary (lengths, outlines, texts, filter) ... | footer | length and hash of the footer | magic
//! chunk: head (rows, shapes, lengths of columns), columns of all rows, odd rows, columns of each shape
//! ```
//!
//! The footer holds a sum of every page before it, against which whatever is read is held.

pub(crate) mod block;
pub(crate) mod bloom;
pub(crate) mod build;
pub(crate) mod chunk;
pub(crate) mod column;
pub(crate) mod dictionary;
pub(crate) mod entries;
pub(crate) mod footer;
pub(crate) mod layout;
pub(crate) mod lengths;
pub(crate) mod outline;
pub(crate) mod plain;
pub(crate) mod planes;
pub(crate) mod read;
pub(crate) mod rooms;
mod rows;
pub(crate) mod shape;
pub(crate) mod sums;
pub(crate) mod tally;
pub(crate) mod words;

/// The first and the last bytes of a pack.
pub(crate) const MAGIC: &[u8; 8] = b"whypack4";
/// Most chunks of a pack: dictionaries note with a bit each which of them have an entry.
pub(crate) const MOST_CHUNKS: usize = 64;
