//! The dictionary of a pack: names of fields and formats, and remarks, each written once.
//!
//! Numbers are given in the order in which names are first met and never change, so that events may hold numbers in place of
//! names. The dictionary is bounded: logs with ever new field names (ids as keys) must not make it grow without end. A name
//! that found no place is written out in its event.

use rustc_hash::FxHashMap;
use std::sync::{Arc, RwLock};
use whyline_event::{Key, Name};
use xxhash_rust::xxh3::xxh3_64;

/// Most names of a pack.
const MOST: usize = 50_000;
/// Longest name that is given a number.
const LONGEST: usize = 200;
/// Stands before a name of a writer's own that is also a full name of the table of fields.
const OWN: char = '\u{1}';

#[derive(Clone, Debug)]
struct Entry {
    text: Arc<str>,
    key: Option<Key>,
    hash: u64,
}

/// Names by their number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    entries: Vec<Entry>,
    numbers: FxHashMap<Arc<str>, u32>,
}

/// The key of which a text is the full name.
pub(crate) fn key_named(text: &str) -> Option<Key> {
    Key::find(text).filter(|key| key.name() == text)
}

/// What the dictionary holds for the name of a field.
pub(crate) fn spelling(name: Name<'_>) -> std::borrow::Cow<'_, str> {
    match name {
        Name::Known(key) => key.name().into(),
        Name::Other(text) if key_named(text).is_some() || text.starts_with(OWN) => format!("{OWN}{text}").into(),
        Name::Other(text) => text.into(),
    }
}

/// The name of a field that a spelling stands for.
pub(crate) fn name_of(spelling: &str, key: Option<Key>) -> Name<'_> {
    match key {
        Some(key) => Name::Known(key),
        None => Name::Other(spelling.strip_prefix(OWN).unwrap_or(spelling)),
    }
}

impl Names {
    pub(crate) fn new(list: Vec<String>) -> Names {
        let mut names = Names::default();
        for text in list {
            names.push(text.into());
        }
        names
    }

    fn push(&mut self, text: Arc<str>) -> u32 {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.clone(), number);
        self.entries.push(Entry { key: key_named(&text), hash: xxh3_64(text.as_bytes()), text });
        number
    }

    pub(crate) fn list(&self) -> Vec<String> {
        self.entries.iter().map(|e| e.text.to_string()).collect()
    }

    /// The hash of the text of a number; 0 where there is none.
    pub(crate) fn hash(&self, number: u32) -> u64 {
        self.entries.get(number as usize).map_or(0, |e| e.hash)
    }

    /// The text of a number.
    pub(crate) fn text(&self, number: u32) -> Option<&str> {
        self.entries.get(number as usize).map(|e| &*e.text)
    }

    /// The name of a field by its number.
    pub(crate) fn name(&self, number: u32) -> Option<Name<'_>> {
        self.entries.get(number as usize).map(|e| name_of(&e.text, e.key))
    }

    /// The number of a text, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// The number of a text, a new one if need be; `None` when there is no place for it.
    pub(crate) fn number(&mut self, text: &str) -> Option<u32> {
        if let Some(number) = self.find(text) {
            return Some(number);
        }
        (self.entries.len() < MOST && text.len() <= LONGEST).then(|| self.push(text.into()))
    }
}

/// A remark of a reader, of which there are a few fixed ones, as the text that events hold. Each is kept once for good.
pub(crate) fn remark(text: &str) -> &'static str {
    static KNOWN: RwLock<Vec<&'static str>> = RwLock::new(Vec::new());
    const MOST_REMARKS: usize = 1000;
    if let Some(known) = KNOWN.read().unwrap_or_else(|e| e.into_inner()).iter().find(|k| **k == text) {
        return known;
    }
    let mut known = KNOWN.write().unwrap_or_else(|e| e.into_inner());
    if known.len() >= MOST_REMARKS {
        return "a remark that cannot be shown";
    }
    let kept: &'static str = Box::leak(text.to_string().into_boxed_str());
    known.push(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_writer_is_kept_apart_from_the_table() {
        let mut names = Names::default();
        for name in [Name::Known(Key::HostName), Name::Other("host.name"), Name::Other("status"), Name::Other("\u{1}x")] {
            let number = names.number(&spelling(name)).unwrap();
            assert_eq!(names.name(number), Some(name));
        }
        assert_eq!(names.list().len(), 4);
        assert_eq!(Names::new(names.list()).list(), names.list());
        assert_eq!(names.number(&"x".repeat(300)), None);
    }
}
