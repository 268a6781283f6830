//! How answers are written.

pub mod graph;
pub mod json;
pub mod text;
