//! Which of many words and pieces of text stand where in a text: what is no word that is sought costs a look at a bit.
//!
//! Words are sought as whole runs of letters and digits. Pieces that have no whole word in them are sought by windows of a few bytes: a window is
//! looked at every few bytes only, as many as the pieces leave room for, and every piece is filed under all windows that may be looked at
//! first in it.

use crate::runs::each_run;
use rustc_hash::FxHashMap;
use std::ops::Range;

/// A set of bits of which hashes choose one.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

/// Bits of a set, as a power of two: eight kilobytes.
const BITS: u32 = 16;

impl Bits {
    fn add(&mut self, hash: u64) {
        if self.0.is_empty() {
            self.0.resize(1 << (BITS - 6), 0);
        }
        if let Some(word) = self.0.get_mut((hash >> (64 - BITS + 6)) as usize) {
            *word |= 1 << ((hash >> (64 - BITS)) & 63);
        }
    }

    #[inline(always)]
    fn has(&self, hash: u64) -> bool {
        self.0.get((hash >> (64 - BITS + 6)) as usize).is_some_and(|word| word >> ((hash >> (64 - BITS)) & 63) & 1 == 1)
    }
}

/// A large odd number without a pattern.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// The bit that letters in upper case lack.
const SMALL: u32 = 0x2020_2020;

/// Four bytes from a place on.
#[inline(always)]
fn four(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

/// The hash of a run of letters and digits in any case: of its first and its last four of them, and its length.
#[inline(always)]
fn hash_of_run(run: &[u8]) -> u64 {
    let ends = match (run.first_chunk::<4>(), run.last_chunk::<4>()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first) | SMALL) | u64::from(u32::from_le_bytes(*last) | SMALL) << 32,
        _ => run.iter().fold(0, |all, byte| all << 8 | u64::from(byte | 0x20)),
    };
    (ends ^ (run.len() as u64).wrapping_mul(MIX >> 7)).wrapping_mul(MIX)
}

/// A word or a piece in lower case, and its number.
type Sought = (Box<[u8]>, u32);

/// Words that are sought, each with a number.
#[derive(Debug, Default)]
pub(crate) struct Words {
    bits: Bits,
    /// Words with the same hash, in lower case.
    filed: FxHashMap<u64, Vec<Sought>>,
}

impl Words {
    /// Adds a word: a run of letters and digits of ASCII, in lower case.
    pub(crate) fn add(&mut self, word: &str, number: u32) {
        let hash = hash_of_run(word.as_bytes());
        self.bits.add(hash);
        self.filed.entry(hash).or_default().push((word.as_bytes().into(), number));
    }

    /// Hands over the words that a run of letters and digits is.
    #[inline(always)]
    pub(crate) fn find_run(&self, run: &[u8], each: &mut impl FnMut(u32)) {
        let hash = hash_of_run(run);
        if self.bits.has(hash) {
            for (word, number) in self.filed.get(&hash).map_or(&[][..], Vec::as_slice) {
                if word.eq_ignore_ascii_case(run) {
                    each(*number);
                }
            }
        }
    }

    /// Hands over every word that stands in a text, and where.
    #[inline]
    pub(crate) fn find(&self, bytes: &[u8], each: &mut impl FnMut(u32, usize, usize)) {
        if self.filed.is_empty() {
            return;
        }
        each_run(bytes, |from, to| {
            if let Some(run) = bytes.get(from..to) {
                self.find_run(run, &mut |number| each(number, from, to));
            }
        });
    }
}

/// Pieces of similar length, each with a number.
#[derive(Debug, Default)]
struct Windows {
    /// Bytes of a window.
    width: usize,
    /// From one window that is looked at to the next.
    step: usize,
    bits: Bits,
    /// For every window the pieces that it stands in, and how many of their bytes stand before it.
    filed: FxHashMap<u32, Vec<(u32, usize)>>,
}

/// Pieces of this length and longer cost little to seek.
const LONG: usize = 7;

/// Windows are no wider than this.
const WIDEST: usize = 4;

/// Windows further apart save little, and are more to file.
const FURTHEST: usize = 8;

impl Windows {
    fn new(pieces: &[Sought], of: impl Fn(usize) -> bool) -> Windows {
        let chosen = || (0u32..).zip(pieces).filter(|(_, (piece, _))| of(piece.len()));
        let Some(shortest) = chosen().map(|(_, (piece, _))| piece.len()).min() else { return Windows::default() };
        let width = shortest.min(WIDEST);
        let mut all = Windows { width, step: (shortest - width + 1).min(FURTHEST), ..Windows::default() };
        for (at, (piece, _)) in chosen() {
            for before in 0..all.step {
                let Some(window) = all.window(piece, before) else { continue };
                all.bits.add(spread(window));
                all.filed.entry(window).or_default().push((at, before));
            }
        }
        all
    }

    /// The bytes of a window, in any case.
    #[inline(always)]
    fn window(&self, bytes: &[u8], at: usize) -> Option<u32> {
        if self.width == WIDEST {
            return Some(four(bytes, at)? | SMALL);
        }
        let window = bytes.get(at..at + self.width)?;
        Some(window.iter().fold(0, |all, byte| all << 8 | u32::from(byte | 0x20)))
    }

    #[inline]
    fn find(&self, bytes: &[u8], pieces: &[Sought], each: &mut impl FnMut(u32, usize, usize)) {
        if self.filed.is_empty() {
            return;
        }
        let mut look = |at: usize, window: u32| {
            if self.bits.has(spread(window)) {
                self.compare(bytes, at, window, pieces, each);
            }
        };
        match self.width {
            WIDEST => {
                let windows = bytes.windows(WIDEST).step_by(self.step).filter_map(|window| window.first_chunk::<WIDEST>());
                windows.enumerate().for_each(|(n, window)| look(n * self.step, u32::from_le_bytes(*window) | SMALL));
            }
            2 => bytes.windows(2).enumerate().for_each(|(at, pair)| {
                if let [first, second] = pair {
                    look(at, u32::from(first | 0x20) << 8 | u32::from(second | 0x20));
                }
            }),
            _ => (0..bytes.len()).for_each(|at| self.window(bytes, at).into_iter().for_each(|window| look(at, window))),
        }
    }

    /// Hands over the pieces that stand around a window.
    fn compare(&self, bytes: &[u8], at: usize, window: u32, pieces: &[Sought], each: &mut impl FnMut(u32, usize, usize)) {
        for (piece, before) in self.filed.get(&window).map_or(&[][..], Vec::as_slice) {
            let (Some((piece, number)), Some(from)) = (pieces.get(*piece as usize), at.checked_sub(*before)) else { continue };
            let to = from + piece.len();
            if bytes.get(from..to).is_some_and(|there| there.eq_ignore_ascii_case(piece)) {
                each(*number, from, to);
            }
        }
    }
}

#[inline(always)]
fn spread(window: u32) -> u64 {
    u64::from(window).wrapping_mul(MIX)
}

/// Pieces that are sought wherever they stand, each with a number.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    /// In lower case.
    pieces: Vec<Sought>,
    /// The shorter a piece, the nearer to each other are the windows that it needs, so the long ones go by themselves.
    groups: [Windows; 3],
}

impl Pieces {
    /// Of pieces that are not empty.
    pub(crate) fn new(pieces: impl Iterator<Item = (String, u32)>) -> Pieces {
        let lower = |piece: String| piece.to_ascii_lowercase().into_bytes().into_boxed_slice();
        let pieces: Vec<_> = pieces.map(|(piece, number)| (lower(piece), number)).collect();
        let of = |lengths: Range<usize>| Windows::new(&pieces, |n| lengths.contains(&n));
        let groups = [of(0..WIDEST), of(WIDEST..LONG), of(LONG..usize::MAX)];
        Pieces { pieces, groups }
    }

    /// Hands over every piece that stands in a text, and where, whatever the case of its letters of ASCII.
    #[inline]
    pub(crate) fn find(&self, bytes: &[u8], each: &mut impl FnMut(u32, usize, usize)) {
        self.groups.iter().for_each(|group| group.find(bytes, &self.pieces, each));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Where the pieces stand that a look at every place finds.
    fn plain(text: &str, pieces: &[String]) -> Vec<(u32, usize, usize)> {
        let mut all = Vec::new();
        for (number, piece) in (0u32..).zip(pieces) {
            let stands = |at: &usize| text.as_bytes()[*at..*at + piece.len()].eq_ignore_ascii_case(piece.as_bytes());
            let last = text.len().checked_sub(piece.len());
            all.extend(
                last.into_iter().flat_map(|last| (0..=last).filter(stands).map(|at| (number, at, at + piece.len())).collect::<Vec<_>>()),
            );
        }
        all
    }

    proptest! {
        /// Pieces are found wherever they stand, each place once.
        #[test]
        fn pieces_are_found_wherever_they_stand(
            text in "([aAbB@`]|\u{e9}|[ -~]|abcab|ABCabcabcA){0,30}",
            pieces in prop::collection::vec("([ab@`]|\u{e9}|abcab|[ -~]{1,12}){1,4}", 0..12),
            inside in prop::collection::vec((0usize..60, 1usize..14), 0..6),
        ) {
            let at = |n: usize| (0..=n.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap();
            let cut = inside.iter().map(|(from, length)| text[at(*from)..at(from + length)].to_string()).filter(|t| !t.is_empty());
            let pieces: Vec<String> = pieces.into_iter().chain(cut).map(|p| p.to_ascii_lowercase()).collect();
            let all = Pieces::new((0u32..).zip(&pieces).map(|(n, p)| (p.clone(), n)));
            let mut found = Vec::new();
            all.find(text.as_bytes(), &mut |number, from, to| found.push((number, from, to)));
            found.sort_unstable();
            let mut want = plain(&text, &pieces);
            want.sort_unstable();
            prop_assert_eq!(found, want);
        }

        /// Words are found where they stand whole.
        #[test]
        fn words_are_found_where_they_stand_whole(
            text in "([aA]{1,3}|b|ab1|[ -]|\u{e9}|conn|ection){0,40}", words in prop::collection::vec("[ab1]{1,3}|(conn|ection){1,2}", 0..12),
        ) {
            let mut all = Words::default();
            (0u32..).zip(&words).for_each(|(number, word)| all.add(word, number));
            let mut found = Vec::new();
            all.find(text.as_bytes(), &mut |number, from, to| found.push((number, from, to)));
            found.sort_unstable();
            let joins = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric);
            let mut want = plain(&text, &words);
            want.retain(|(_, from, to)| !joins(*to) && (*from == 0 || !joins(from - 1)));
            want.sort_unstable();
            prop_assert_eq!(found, want);
        }
    }
}
