//! What the index says about a query: the chunks that may hold something it asks for, and perhaps more.

use crate::ask::{Ask, Leaf, What};
use crate::error::StoreError;
use crate::pack::bloom;
use crate::store::Store;
use rustc_hash::FxHashMap;
use tantivy::schema::IndexRecordOption;
use whyline_event::{Key, Name, Value};
use whyline_query::{Target, Test};

/// Chunks of the packs of a store: a bit each, by the place of the pack in the table.
pub(crate) type Chunks = Vec<u64>;

/// Which chunks have which words.
pub(crate) struct Narrower<'s> {
    store: &'s Store,
    /// Places of packs in the table, by their number.
    places: FxHashMap<u64, usize>,
}

impl<'s> Narrower<'s> {
    pub(crate) fn new(store: &'s Store) -> Narrower<'s> {
        let places = store.table.packs.iter().enumerate().map(|(place, pack)| (pack.number, place)).collect();
        Narrower { store, places }
    }

    /// Those of the live chunks in which a query may find something.
    pub(crate) fn chunks(&self, ask: &Ask<'_>, live: &Chunks) -> Result<Chunks, StoreError> {
        match ask {
            Ask::All | Ask::Not(_) => Ok(live.clone()),
            Ask::And(asks) => {
                let mut all = live.clone();
                for ask in asks {
                    all = self.chunks(ask, &all)?;
                }
                Ok(all)
            }
            Ask::Or(asks) => {
                let mut any = vec![0; live.len()];
                for ask in asks {
                    any.iter_mut().zip(self.chunks(ask, live)?).for_each(|(a, b)| *a |= b);
                }
                Ok(any)
            }
            Ask::Leaf(leaf) => self.of_leaf(leaf, live),
        }
    }

    fn of_leaf(&self, leaf: &Leaf<'_>, live: &Chunks) -> Result<Chunks, StoreError> {
        match &leaf.what {
            What::Words(words) => self.with_words(words, live),
            What::Field(Target::Body | Target::Raw, Test::Is(literal)) => self.with_words(literal.words(), live),
            What::Field(Target::Key(key), Test::Is(literal)) if key.kind() == whyline_event::Kind::Text => {
                self.with_words(literal.words(), live)
            }
            What::Field(target, _) => self.with_number(leaf, target, live),
        }
    }

    fn with_number(&self, leaf: &Leaf<'_>, target: &Target, live: &Chunks) -> Result<Chunks, StoreError> {
        let mut left = live.clone();
        let Some(name) = counted(target) else { return Ok(left) };
        for (place, bits) in left.iter_mut().enumerate().filter(|(_, bits)| **bits != 0) {
            // What cannot be read is told by whoever asks it.
            let Ok(pack) = self.store.pack(place) else { continue };
            if let Some(sums) = pack.tally(name, &|number| leaf.fits(Value::Int(number))) {
                let none = sums.iter().enumerate().filter(|(_, sum)| **sum == Some(0));
                none.take(64).for_each(|(chunk, _)| *bits &= !(1 << chunk));
            }
        }
        Ok(left)
    }

    fn with_words(&self, words: &[String], live: &Chunks) -> Result<Chunks, StoreError> {
        let mut left = live.clone();
        // The filters are asked last, of what is left.
        let (ids, words): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| bloom::is_like_id(word));
        for word in words {
            if left.iter().any(|bits| *bits != 0) {
                let found = self.with_word(word)?;
                left.iter_mut().zip(found).for_each(|(a, b)| *a &= b);
            }
        }
        for word in ids {
            let hash = bloom::hash(word);
            for (place, bits) in left.iter_mut().enumerate().filter(|(_, bits)| **bits != 0) {
                let Ok(pack) = self.store.pack(place) else { continue };
                for chunk in 0..64 {
                    if *bits >> chunk & 1 == 1 && !pack.may_hold(chunk, hash).unwrap_or(true) {
                        *bits &= !(1 << chunk);
                    }
                }
            }
        }
        Ok(left)
    }

    fn with_word(&self, word: &str) -> Result<Chunks, StoreError> {
        let failed = StoreError::index(&self.store.folder, "read");
        let mut found = vec![0; self.store.table.packs.len()];
        for segment in &self.store.segments {
            let words = segment.inverted_index(self.store.fields.word).map_err(&failed)?;
            let Some(info) = words.terms().get(word.as_bytes()).map_err(|e| failed(e.into()))? else { continue };
            let column = |name| segment.fast_fields().u64(name).map_err(&failed);
            let (packs, chunks) = (column("pack")?, column("chunk")?);
            let mut postings = words.read_block_postings_from_terminfo(&info, IndexRecordOption::Basic).map_err(|e| failed(e.into()))?;
            while !postings.docs().is_empty() {
                for doc in postings.docs() {
                    if let (Some(pack), Some(chunk)) = (packs.first(*doc), chunks.first(*doc))
                        && let Some(bits) = self.places.get(&pack).and_then(|place| found.get_mut(*place))
                        && chunk < 64
                    {
                        *bits |= 1 << chunk;
                    }
                }
                postings.advance();
            }
        }
        Ok(found)
    }
}

/// The field of a target whose numbers are counted by chunk. A host may come from the source, a level from the severity.
pub(crate) fn counted(target: &Target) -> Option<Name<'_>> {
    match target {
        Target::Level | Target::Key(Key::HostName | Key::Level) | Target::Either(..) => None,
        target => target.field(),
    }
}
