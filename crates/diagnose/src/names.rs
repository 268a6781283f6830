//! Texts as numbers: hosts, services, addresses, paths that come again and again.

use rustc_hash::FxHashMap;

/// Number of a text.
pub type NameId = u32;

/// Number of the empty text.
pub const NONE: NameId = 0;

/// A table of texts. Number 0 is the empty text.
#[derive(Clone, Debug)]
pub struct Names {
    texts: Vec<Box<str>>,
    numbers: FxHashMap<Box<str>, NameId>,
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Names { texts: Vec::new(), numbers: FxHashMap::default() };
        names.id("");
        names
    }
}

impl Names {
    /// The number of a text, given out at its first use.
    pub fn id(&mut self, text: &str) -> NameId {
        if let Some(id) = self.numbers.get(text) {
            return *id;
        }
        let id = self.texts.len() as NameId;
        self.texts.push(text.into());
        self.numbers.insert(text.into(), id);
        id
    }

    /// The number of a text that was seen before.
    pub fn find(&self, text: &str) -> Option<NameId> {
        self.numbers.get(text).copied()
    }

    /// The text.
    pub fn text(&self, id: NameId) -> &str {
        self.texts.get(id as usize).map_or("", |t| t)
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is only the empty text.
    pub fn is_empty(&self) -> bool {
        self.texts.len() <= 1
    }
}
