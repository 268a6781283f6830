//! The formats as a catalogue: what each reads, how surely it is told, and samples with the fields that come of them.
//!
//! The entries are written as YAML in `catalogue/`, one file a format, and packed into the program when it is built. A test reads
//! every sample through the detection of formats, so the catalogue says what the program does.

#[cfg(test)]
mod check;
mod written;

use std::sync::LazyLock;
pub use written::{Entry, Sample};

static PACKED: &str = include_str!(concat!(env!("OUT_DIR"), "/catalogue.json"));

/// Laid down by the build script, which has read every entry; what cannot be read is told there.
static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| serde_json::from_str(PACKED).unwrap_or_default());

/// All entries, by name.
pub fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// The entry of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.binary_search_by(|entry| entry.name.as_str().cmp(name)).ok().and_then(|at| ENTRIES.get(at))
}
