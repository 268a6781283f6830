//! Inputs: which files and which streams in archives, how to unpack and decode them, and how to cut a stream into blocks that
//! can be parsed side by side.

pub mod archive;
mod blocks;
mod digest;
mod discover;
pub mod encoding;
mod held;
pub mod limit;
mod once;
mod open;
mod tar;
mod unpack;
mod zip;

#[cfg(test)]
mod tests;

pub(crate) use blocks::last_line;
pub use blocks::{Block, Blocks, Border, ByLine, Edges};
pub use digest::{Digest, Digesting, digests};
pub use discover::{Input, Place, Trail, discover};
pub use encoding::Charset;
pub use held::Rooms;
pub use once::{Flow, Spool, hold};
pub(crate) use open::open_raw;
pub use open::{Bytes, VisitEach, each, each_watched, is_archive, open, size_of};
