//! Many phrases and pieces of text, sought in a record's texts in one pass.
//!
//! One automaton seeks a word of every phrase, the one that is probably the rarest. Where it is found, the words beside it are looked
//! at; in a text of ASCII that decides whether the phrase stands there, in any other it is left to whoever asks.
//!
//! There are two automata that find the same: one that is ready at once, and a faster one whose tables take longer to fill than a small
//! bundle takes to read; it takes over once enough text has passed.

use crate::pattern::is_plain;
use crate::words::take_next_word;
use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, PatternID, StartKind};
use rustc_hash::FxHashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// After so many bytes the faster automaton is made.
const WORTH_A_TABLE: usize = 8 << 20;

/// A text that is sought, in any case of ASCII letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Sought {
    /// What the automaton seeks.
    pub(crate) piece: String,
    /// No ASCII letter or digit may stand before or after the piece.
    pub(crate) word: bool,
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

    /// A phrase, sought by one of its words.
    pub(crate) fn phrase(words: &[String], by: usize) -> Option<Sought> {
        let piece = words.get(by)?.clone();
        let before = words.get(..by)?.iter().rev().cloned().collect();
        Some(Sought { word: piece.is_ascii(), piece, before, after: words.get(by + 1..)?.to_vec() })
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

    /// The automaton. Should there be too many texts for one, their questions are asked always.
    pub(crate) fn build(self, always: &mut Vec<u32>) -> Texts {
        let Builder { sought, questions, .. } = self;
        if sought.is_empty() {
            return Texts::default();
        }
        let mut pieces: Vec<&str> = Vec::new();
        let mut by_piece: FxHashMap<&str, usize> = FxHashMap::default();
        let mut of_piece: Vec<Vec<u32>> = Vec::new();
        for (number, text) in (0u32..).zip(&sought) {
            let at = *by_piece.entry(&text.piece).or_insert_with(|| {
                pieces.push(&text.piece);
                of_piece.push(Vec::new());
                pieces.len() - 1
            });
            if let Some(list) = of_piece.get_mut(at) {
                list.push(number);
            }
        }
        match NFA::builder().ascii_case_insensitive(true).build(&pieces) {
            Ok(automaton) => {
                let pieces = pieces.into_iter().map(String::from).collect();
                let automaton = Some(Automata { ready: automaton, pieces, fast: OnceLock::new(), passed: AtomicUsize::new(0) });
                Texts { automaton, of_piece, sought, questions }
            }
            Err(_) => {
                always.extend(questions.iter().flatten());
                Texts::default()
            }
        }
    }
}

/// What was found in the texts of one record.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// For every text the last round in which it was found.
    rounds: Vec<u32>,
    round: u32,
    /// Every text has to be taken as found.
    all: bool,
    /// Some text was found that perhaps does not stand there.
    unsure: bool,
}

impl Found {
    /// Begins a record.
    pub(crate) fn begin(&mut self, texts: &Texts) {
        if self.rounds.len() != texts.sought.len() || self.round == u32::MAX {
            *self = Found { rounds: vec![0; texts.sought.len()], ..Found::default() };
        }
        self.round += 1;
        self.all = texts.automaton.is_none();
        self.unsure = self.all;
    }

    /// Whether a text was found, or may be there.
    pub(crate) fn has(&self, number: u32) -> bool {
        self.all || self.rounds.get(number as usize) == Some(&self.round)
    }

    /// Whether what was found does stand there.
    pub(crate) fn is_sure(&self) -> bool {
        !self.unsure
    }

    /// Notes a text; whether it was not found before.
    fn note(&mut self, number: u32) -> bool {
        let Some(place) = self.rounds.get_mut(number as usize) else { return false };
        std::mem::replace(place, self.round) != self.round
    }
}

/// The two automata.
#[derive(Debug)]
struct Automata {
    ready: NFA,
    pieces: Vec<String>,
    /// `None` within: it would grow too large.
    fast: OnceLock<Option<DFA>>,
    /// Bytes that have passed the first one.
    passed: AtomicUsize,
}

impl Automata {
    /// The faster one, once it is worth its making. A few thousand letters take a megabyte or two.
    fn fast(&self, bytes: usize) -> Option<&DFA> {
        if let Some(fast) = self.fast.get() {
            return fast.as_ref();
        }
        if self.passed.fetch_add(bytes, Ordering::Relaxed) < WORTH_A_TABLE {
            return None;
        }
        let make = || DFA::builder().ascii_case_insensitive(true).start_kind(StartKind::Unanchored).build(&self.pieces).ok();
        self.fast.get_or_init(make).as_ref()
    }
}

/// Hands over every piece that is found, and where. `false` when the automaton cannot be asked.
fn walk(automaton: &impl Automaton, bytes: &[u8], each: &mut dyn FnMut(PatternID, usize, usize)) -> bool {
    let Ok(mut state) = automaton.start_state(Anchored::No) else { return false };
    for (at, byte) in bytes.iter().enumerate() {
        state = automaton.next_state(Anchored::No, state, *byte);
        if automaton.is_special(state) && automaton.is_match(state) {
            for index in 0..automaton.match_len(state) {
                let pattern = automaton.match_pattern(state, index);
                each(pattern, at + 1 - automaton.pattern_len(pattern).min(at + 1), at + 1);
            }
        }
    }
    true
}

/// Texts that are sought, and the questions that need them.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    automaton: Option<Automata>,
    /// For every piece the numbers of the texts that are sought by it.
    of_piece: Vec<Vec<u32>>,
    sought: Vec<Sought>,
    questions: Vec<Vec<u32>>,
}

impl Texts {
    /// Whether nothing is sought.
    pub(crate) fn is_empty(&self) -> bool {
        self.automaton.is_none()
    }

    /// Notes every text that is found, also those that overlap, and puts down the questions that need it.
    pub(crate) fn find(&self, text: &str, found: &mut Found, put: &mut dyn FnMut(u32)) {
        let Some(automata) = &self.automaton else { return };
        let (bytes, ascii) = (text.as_bytes(), text.is_ascii());
        found.unsure |= !ascii;
        let mut each = |piece, from, to| self.at(piece, bytes, (from, to), ascii, found, put);
        let asked = (ascii || is_plain(text))
            && match automata.fast(bytes.len()) {
                Some(fast) => walk(fast, bytes, &mut each),
                None => walk(&automata.ready, bytes, &mut each),
            };
        if !asked {
            (found.all, found.unsure) = (true, true);
            self.questions.iter().flatten().for_each(|q| put(*q));
        }
    }

    /// A piece was found at a place.
    fn at(&self, piece: PatternID, bytes: &[u8], (from, to): (usize, usize), ascii: bool, found: &mut Found, put: &mut dyn FnMut(u32)) {
        let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let part_of_word = joins(from.checked_sub(1).and_then(|at| bytes.get(at))) || joins(bytes.get(to));
        for number in self.of_piece.get(piece.as_usize()).into_iter().flatten() {
            let Some(text) = self.sought.get(*number as usize) else { continue };
            if text.word && part_of_word || ascii && !text.fits(bytes, from, to) {
                continue;
            }
            // What was found once more puts down nothing new.
            if found.note(*number) {
                self.questions.get(*number as usize).into_iter().flatten().for_each(|q| put(*q));
            }
        }
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
            let texts = builder.build(&mut Vec::new());
            let mut found = Found::default();
            found.begin(&texts);
            texts.find(&text, &mut found, &mut |_| ());
            prop_assert!(found.is_sure());
            prop_assert_eq!(found.has(number), contains_words(&text, &phrase), "{} {:?}", text, words(&text).collect::<Vec<_>>());
        }
    }
}
