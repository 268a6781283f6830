//! Texts as numbers: hosts, services, addresses, paths that come again and again.

use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Number of a text.
pub type NameId = u32;

/// Number of the empty text.
pub const NONE: NameId = 0;

/// A table of texts. Number 0 is the empty text.
///
/// All texts lie behind each other in one string, and what finds them is a table of numbers: a name costs its letters and some
/// forty bytes, in no block of memory of its own.
#[derive(Clone, Debug)]
pub struct Names {
    letters: String,
    /// Where each text ends; it begins where the one before ends.
    ends: Vec<u32>,
    /// Open addressing over a power of two of places.
    places: Vec<Place>,
}

/// A place of the table: part of a text's hash, its number plus one (0 where nothing is), and where it begins: its letters and its end
/// can then be fetched at the same time.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    tag: u32,
    next: u32,
    from: u32,
}

/// Places of a table that is new.
const PLACES: usize = 64;

impl Default for Names {
    fn default() -> Self {
        let mut names = Names { letters: String::new(), ends: Vec::new(), places: vec![Place::default(); PLACES] };
        names.id("");
        names
    }
}

impl Names {
    /// Makes room for so many texts with so many letters.
    pub(crate) fn reserve(&mut self, texts: usize, letters: usize) {
        self.letters.reserve_exact(letters);
        self.ends.reserve_exact(texts);
        while (self.ends.len() + texts) * 2 > self.places.len() {
            self.grow();
        }
    }

    /// The number of a text, given out at its first use.
    pub fn id(&mut self, text: &str) -> NameId {
        self.id_of(text, hash(text))
    }

    fn id_of(&mut self, text: &str, hash: u64) -> NameId {
        if let Some(id) = self.look(text, hash) {
            return id;
        }
        // A number or a letter more would be none.
        let (Ok(id), Ok(from)) = (NameId::try_from(self.ends.len()), u32::try_from(self.letters.len())) else { return NONE };
        let (Some(next), Ok(end)) = (id.checked_add(1), u32::try_from(self.letters.len() + text.len())) else { return NONE };
        self.letters.push_str(text);
        self.ends.push(end);
        if self.ends.len() * 2 > self.places.len() {
            self.grow();
        } else {
            put(&mut self.places, hash, Place { tag: tag(hash), next, from });
        }
        id
    }

    /// The numbers of several texts, as [`Names::id`] gives them, in their order.
    ///
    /// In a large table each step of a search waits for memory; here these steps of all the texts wait together.
    pub fn ids<const N: usize>(&mut self, texts: [&str; N]) -> [NameId; N] {
        let hashes = texts.map(hash);
        let mask = self.places.len() - 1;
        let places = hashes.map(|hash| self.places.get(hash as usize & mask).copied().unwrap_or_default());
        let ids: [Option<NameId>; N] = std::array::from_fn(|at| self.is_at(&places[at], texts[at]));
        std::array::from_fn(|at| ids[at].unwrap_or_else(|| self.id_of(texts[at], hashes[at])))
    }

    /// The number of a text that was seen before.
    pub fn find(&self, text: &str) -> Option<NameId> {
        self.look(text, hash(text))
    }

    /// The text.
    pub fn text(&self, id: NameId) -> &str {
        let at = id as usize;
        let from = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        from.zip(self.ends.get(at)).and_then(|(from, to)| self.letters.get(from as usize..*to as usize)).unwrap_or("")
    }

    /// The number of a text if it is the one of a place.
    #[inline]
    fn is_at(&self, place: &Place, text: &str) -> Option<NameId> {
        let id = place.next.checked_sub(1)?;
        let to = place.from as usize + text.len();
        let same = self.letters.as_bytes().get(place.from as usize..to) == Some(text.as_bytes());
        (same && self.ends.get(id as usize).is_some_and(|end| *end as usize == to)).then_some(id)
    }

    /// All texts, by their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..).take(self.ends.len()).map(|id| self.text(id))
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is only the empty text.
    pub fn is_empty(&self) -> bool {
        self.ends.len() <= 1
    }

    fn look(&self, text: &str, hash: u64) -> Option<NameId> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let place = self.places.get(at).filter(|place| place.next > 0)?;
            if place.tag == tag(hash)
                && let Some(id) = self.is_at(place, text)
            {
                return Some(id);
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let mut places = vec![Place::default(); self.places.len() * 2];
        let mut from = 0;
        for (id, end) in (0..).zip(&self.ends) {
            let hash = hash(self.text(id));
            put(&mut places, hash, Place { tag: tag(hash), next: id + 1, from });
            from = *end;
        }
        self.places = places;
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Takes the first free place; half of them always are.
fn put(places: &mut [Place], hash: u64, new: Place) {
    let mask = places.len() - 1;
    let mut at = hash as usize & mask;
    while let Some(place) = places.get_mut(at) {
        if place.next == 0 {
            *place = new;
            return;
        }
        at = (at + 1) & mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A text has one number, and the number gives it back.
        #[test]
        fn numbers_give_texts_back(texts in prop::collection::vec("[a-c\u{e9}]{0,4}", 0..300)) {
            let mut names = Names::default();
            let ids: Vec<NameId> = texts.iter().map(|text| names.id(text)).collect();
            for (text, id) in texts.iter().zip(&ids) {
                prop_assert_eq!(names.text(*id), text);
                prop_assert_eq!(names.find(text), Some(*id));
            }
            let mut all: Vec<&String> = texts.iter().filter(|text| !text.is_empty()).collect();
            all.sort();
            all.dedup();
            prop_assert_eq!(names.len(), all.len() + 1);
            for pair in texts.windows(2) {
                let [a, b] = [&pair[0], &pair[1]];
                prop_assert_eq!(names.ids([a, "new", b]), [names.id(a), names.id("new"), names.id(b)]);
            }
            names = Names::default();
            for (at, text) in texts.iter().enumerate() {
                let [first, again] = names.ids([text, text]);
                prop_assert_eq!(first, again);
                prop_assert_eq!(first, ids[at]);
            }
            prop_assert_eq!(names.find("none of them"), None);
            prop_assert_eq!(names.text(NONE), "");
        }
    }
}
