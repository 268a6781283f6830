//! Many phrases and pieces of text, sought in a record's texts in one pass.
//!
//! Of every phrase one word is sought, the one that is probably the rarest. Where it is found, the words beside it are looked at; in a text of
//! ASCII that decides whether the phrase stands there, in any other it is left to whoever asks. A piece that has a whole word in it
//! is sought by that word as well, and compared where it is found.

use crate::memo::{LONGEST, Memo};
use crate::mould::Moulds;
use crate::need::rarity;
use crate::pattern::{Piece, is_plain};
use crate::runs::each_run;
use crate::sieve::{Pieces, Words};
use crate::words::take_next_word;
use rustc_hash::FxHashMap;

/// A text that is sought, in any case of ASCII letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Sought {
    /// What is sought; never empty.
    pub(crate) piece: String,
    /// No ASCII letter or digit may stand before or after the piece.
    pub(crate) word: bool,
    /// No ASCII letter or digit may stand before it, which begins with one.
    pub(crate) begins: bool,
    /// No ASCII letter or digit may stand behind it, which ends with one.
    pub(crate) ends: bool,
    /// The words of the phrase before it, the nearest first.
    pub(crate) before: Vec<String>,
    /// The words of the phrase behind it.
    pub(crate) after: Vec<String>,
}

impl Sought {
    /// A piece of text, wherever it stands.
    pub(crate) fn piece(piece: String) -> Sought {
        Sought { piece, ..Sought::default() }
    }

    /// What a match of a regular expression must contain.
    pub(crate) fn of(piece: &Piece) -> Sought {
        Sought { piece: piece.text.clone(), begins: piece.begins, ends: piece.ends, ..Sought::default() }
    }

    /// A phrase, sought by one of its words.
    pub(crate) fn phrase(words: &[String], by: usize) -> Option<Sought> {
        let piece = words.get(by)?.clone();
        let before = words.get(..by)?.iter().rev().cloned().collect();
        let after = words.get(by + 1..)?.to_vec();
        Some(Sought { word: piece.is_ascii(), piece, before, after, ..Sought::default() })
    }

    /// The rarest of the words that stand whole wherever the piece stands, and where it stands in it. A word that is sought is one itself.
    fn whole_word(&self) -> Option<(usize, usize)> {
        let piece = self.piece.as_bytes();
        let mut best: Option<(usize, usize, usize)> = None;
        each_run(piece, |from, to| {
            let whole = self.word || (from > 0 || self.begins) && (to < piece.len() || self.ends);
            if let (true, Some(word)) = (whole, self.piece.get(from..to)) {
                let rarity = rarity(&word.to_ascii_lowercase());
                if best.is_none_or(|(most, ..)| rarity > most) {
                    best = Some((rarity, from, to));
                }
            }
        });
        best.map(|(_, from, to)| (from, to))
    }

    /// Whether the words beside the piece, which stands from `from` to `to`, are those of the phrase.
    fn fits(&self, text: &[u8], from: usize, to: usize) -> bool {
        let (mut head, mut tail) = (text.get(..from).unwrap_or(&[]), text.get(to..).unwrap_or(&[]));
        self.after.iter().all(|word| take_next_word(&mut tail, word.as_bytes()))
            && self.before.iter().all(|word| take_last(&mut head, word.as_bytes()))
    }
}

/// Takes the last word off the end of a text, if it is this one.
fn take_last(text: &mut &[u8], word: &[u8]) -> bool {
    let gap = text.iter().rev().take_while(|b| !b.is_ascii_alphanumeric()).count();
    let end = text.len() - gap;
    let Some((rest, found)) = end.checked_sub(word.len()).and_then(|at| text.get(..end)?.split_at_checked(at)) else { return false };
    *text = rest;
    found.eq_ignore_ascii_case(word) && !rest.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// What is sought is gathered here.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    sought: Vec<Sought>,
    questions: Vec<Vec<u32>>,
    numbers: FxHashMap<Sought, u32>,
}

impl Builder {
    /// Adds a text that a question needs.
    pub(crate) fn add(&mut self, sought: Sought, question: u32) {
        let number = self.note(sought);
        if let Some(questions) = self.questions.get_mut(number) {
            questions.push(question);
        }
    }

    /// Adds a text of which it is to be known whether it is there.
    pub(crate) fn note(&mut self, sought: Sought) -> usize {
        let next = self.sought.len();
        let number = *self.numbers.entry(sought.clone()).or_insert(u32::try_from(next).unwrap_or(u32::MAX)) as usize;
        if number == next {
            self.sought.push(sought);
            self.questions.push(Vec::new());
        }
        number
    }

    /// The number of a text that is sought.
    pub(crate) fn number(&self, sought: &Sought) -> Option<u32> {
        self.numbers.get(sought).copied()
    }

    /// Ready to be sought.
    pub(crate) fn build(self) -> Texts {
        let Builder { sought, questions, .. } = self;
        let mut texts = Texts::default();
        let mut numbers: FxHashMap<String, u32> = FxHashMap::default();
        let mut by_piece: FxHashMap<&str, u32> = FxHashMap::default();
        for (number, text) in (0u32..).zip(&sought) {
            let (word, before) = match text.whole_word() {
                Some((from, to)) => (text.piece.get(from..to), from),
                None => (None, 0),
            };
            let places = texts.places.len() as u32;
            let place = match word {
                Some(word) => *numbers.entry(word.to_ascii_lowercase()).or_insert(places),
                None => *by_piece.entry(&text.piece).or_insert(places),
            };
            if place == places {
                texts.places.push(Vec::new());
            }
            if let Some(at) = texts.places.get_mut(place as usize) {
                at.push(Place { number, before });
            }
        }
        numbers.iter().for_each(|(word, place)| texts.words.add(word, *place));
        texts.pieces = Pieces::new(by_piece.into_iter().map(|(piece, place)| (piece.to_string(), place)));
        texts.moulds = Moulds::of(&sought);
        Texts { sought, questions, ..texts }
    }
}

/// What was found in the texts of one record. To be used with the same texts only.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What was found in the record, and in the text that is being looked through.
    here: Marked,
    in_text: Marked,
    /// Numbers of what was found in that text.
    numbers: Vec<u32>,
    /// What was found in texts of ASCII that came before, by their moulds.
    memo: Memo,
    mould: Vec<u8>,
    /// Every text has to be taken as found.
    all: bool,
    /// Some text was found that perhaps does not stand there.
    unsure: bool,
}

/// Numbers that are marked.
#[derive(Debug, Default)]
struct Marked {
    /// For every number the last round in which it was marked.
    rounds: Vec<u32>,
    round: u32,
}

impl Marked {
    /// Begins with no marks.
    fn begin(&mut self, numbers: usize) {
        if self.rounds.len() != numbers || self.round == u32::MAX {
            *self = Marked { rounds: vec![0; numbers], round: 0 };
        }
        self.round += 1;
    }

    fn has(&self, number: u32) -> bool {
        self.rounds.get(number as usize) == Some(&self.round)
    }

    /// Marks a number; whether it was not marked before.
    fn mark(&mut self, number: u32) -> bool {
        let Some(place) = self.rounds.get_mut(number as usize) else { return false };
        std::mem::replace(place, self.round) != self.round
    }
}

impl Found {
    /// Begins a record.
    pub(crate) fn begin(&mut self, texts: &Texts) {
        self.here.begin(texts.sought.len());
        (self.all, self.unsure) = (false, false);
    }

    /// Whether a text was found, or may be there.
    pub(crate) fn has(&self, number: u32) -> bool {
        self.all || self.here.has(number)
    }

    /// What was found perhaps does not stand where it counts.
    pub(crate) fn doubt(&mut self) {
        self.unsure = true;
    }

    /// Whether what was found does stand there.
    pub(crate) fn is_sure(&self) -> bool {
        !self.unsure
    }
}

/// A text that is sought by a word or a piece.
#[derive(Clone, Copy, Debug)]
struct Place {
    number: u32,
    /// So many bytes of its piece stand before the word.
    before: usize,
}

/// Texts that are sought, and the questions that need them.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    words: Words,
    pieces: Pieces,
    /// For every word and every piece the texts that are sought by it.
    places: Vec<Vec<Place>>,
    sought: Vec<Sought>,
    moulds: Moulds,
    questions: Vec<Vec<u32>>,
}

impl Texts {
    /// Whether nothing is sought.
    pub(crate) fn is_empty(&self) -> bool {
        self.sought.is_empty()
    }

    /// Notes every text that is found, also those that overlap, and puts down the questions that need it.
    pub(crate) fn find(&self, text: &str, found: &mut Found, put: &mut impl FnMut(u32)) {
        if self.is_empty() {
            return;
        }
        let ascii = text.is_ascii();
        found.unsure |= !ascii;
        if !ascii && !is_plain(text) {
            found.all = true;
            self.questions.iter().flatten().for_each(|q| put(*q));
            return;
        }
        let Found { here, in_text, numbers, memo, mould, .. } = found;
        let mut note = |number: u32| {
            // What was found once more puts down nothing new.
            if here.mark(number) {
                self.questions.get(number as usize).into_iter().flatten().for_each(|q| put(*q));
            }
        };
        let recalled = ascii && text.len() <= LONGEST;
        if recalled {
            self.moulds.fill(text.as_bytes(), mould);
            if let Some(known) = memo.get(mould) {
                return known.iter().for_each(|number| note(*number));
            }
        }
        numbers.clear();
        in_text.begin(self.sought.len());
        self.seek(text.as_bytes(), ascii, in_text, numbers);
        numbers.iter().for_each(|number| note(*number));
        if recalled {
            memo.put(mould, numbers);
        }
    }

    /// Adds the numbers of all texts that stand in a text.
    fn seek(&self, bytes: &[u8], ascii: bool, marked: &mut Marked, numbers: &mut Vec<u32>) {
        let mut each = |place: u32, from, to| {
            let Some(places) = self.places.get(place as usize) else { return };
            for place in places {
                if !marked.has(place.number) && self.stands(*place, bytes, (from, to), ascii) {
                    marked.mark(place.number);
                    numbers.push(place.number);
                }
            }
        };
        self.words.find(bytes, &mut each);
        self.pieces.find(bytes, &mut each);
    }

    /// Whether a text stands where its word or its piece does.
    fn stands(&self, Place { number, before }: Place, bytes: &[u8], (from, to): (usize, usize), ascii: bool) -> bool {
        let Some(text) = self.sought.get(number as usize) else { return false };
        if text.word {
            return !ascii || text.fits(bytes, from, to);
        }
        let piece = text.piece.as_bytes();
        let Some(start) = from.checked_sub(before) else { return false };
        let end = start + piece.len();
        let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        if text.begins && joins(start.checked_sub(1).and_then(|at| bytes.get(at))) || text.ends && joins(bytes.get(end)) {
            return false;
        }
        bytes.get(start..end).is_some_and(|there| there.eq_ignore_ascii_case(piece)) && (!ascii || text.fits(bytes, start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{contains_words, words};
    use proptest::prelude::*;

    proptest! {
        /// In a text of ASCII a phrase is found where its words stand in a row.
        #[test]
        fn phrases_are_found_where_they_stand(
            text in "([aA]|b|ab|[ -]|\\(){0,12}", phrase in prop::collection::vec("a|b|ab|ba", 1..4), by in 0usize..3,
        ) {
            let sought = Sought::phrase(&phrase, by % phrase.len()).unwrap();
            let mut builder = Builder::default();
            builder.add(sought.clone(), 0);
            let number = builder.number(&sought).unwrap();
            let texts = builder.build();
            let mut found = Found::default();
            found.begin(&texts);
            texts.find(&text, &mut found, &mut |_| ());
            prop_assert!(found.is_sure());
            prop_assert_eq!(found.has(number), contains_words(&text, &phrase), "{} {:?}", text, words(&text).collect::<Vec<_>>());
        }
    }
}
