//! Names that live as long as the program.
//!
//! Formats and the fields that they fill are named by texts that never change and are copied with every record. A name that
//! was told is therefore kept for good, once, however often its format is compiled.

use std::collections::BTreeSet;
use std::sync::Mutex;

static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The name, kept.
pub fn intern(name: &str) -> &'static str {
    let mut known = KNOWN.lock().unwrap_or_else(|e| e.into_inner());
    if let Some(kept) = known.get(name) {
        return kept;
    }
    let kept: &'static str = Box::leak(name.into());
    known.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let first = intern("a.name");
        assert!(std::ptr::eq(first, intern(&["a", "name"].join("."))));
    }
}
