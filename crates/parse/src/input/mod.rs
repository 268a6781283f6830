//! Inputs: which files, how to unpack them, and how to cut a stream into blocks that can be parsed side by side.

mod blocks;
mod discover;
mod open;

pub use blocks::{Block, Blocks};
pub use discover::{Input, Place, discover};
pub use open::open;
