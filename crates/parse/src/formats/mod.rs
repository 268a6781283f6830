//! The formats, one file each (or one folder for a family).
//!
//! To add one: write a file with a type that implements [`Format`], and add it to [`all`]. The order matters only between
//! formats that accept the same text with the same fit.

use crate::format::Format;
use std::sync::Arc;

/// Every built-in format, the specific ones before the general ones.
pub fn all() -> Vec<Arc<dyn Format>> {
    vec![]
}

/// Formats that a configuration file defines (`log_format` of nginx, `LogFormat` of Apache).
pub fn in_configuration(_text: &str) -> Vec<Arc<dyn Format>> {
    Vec::new()
}
