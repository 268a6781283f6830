//! Inputs: which files, how to unpack them, and how to cut a stream into blocks that can be parsed side by side.

mod blocks;
mod digest;
mod discover;
mod open;

pub use blocks::{Block, Blocks};
pub use digest::{Digest, Digesting, digests};
pub use discover::{Input, Place, discover};
pub use open::open;
