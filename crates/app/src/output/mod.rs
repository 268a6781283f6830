//! How answers are written. [`safe`] is what everything passes that people read, [`words`] says numbers, times and places.

pub mod formats;
pub mod graph;
pub mod json;
pub mod safe;
pub mod text;
pub mod words;
