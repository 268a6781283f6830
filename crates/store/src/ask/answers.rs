//! What was answered of the entries of a dictionary: each is asked once, and the answer holds for all rows that have it.

use crate::bits::{Bits, bits_at};
use crate::pack::column::Texts;
use crate::pack::planes::{Numbers, Planes, roomy};
use crate::pack::read::damaged;
use std::io;

const NO: u8 = 0;
const YES: u8 = 1;
/// It was not asked yet.
const UNKNOWN: u8 = 2;
/// So few places of 64 are asked one by one.
const FEW: u32 = 8;

/// An answer for each entry.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// May be longer than there are entries, see [`roomy`].
    known: Vec<u8>,
    count: usize,
}

impl Answers {
    fn new(known: Vec<u8>) -> Answers {
        Answers { count: known.len(), known: roomy(known, UNKNOWN) }
    }

    /// Nothing is known of so many entries.
    pub(super) fn unknown(count: usize) -> Answers {
        Answers::new(vec![UNKNOWN; count])
    }

    /// Of some entries it is known that they do not pass.
    pub(super) fn candidates(may: Vec<bool>) -> Answers {
        Answers::new(may.into_iter().map(|may| if may { UNKNOWN } else { NO }).collect())
    }

    fn passes(&mut self, id: u64, ask: &mut impl FnMut(u32) -> io::Result<bool>) -> io::Result<bool> {
        let known = usize::try_from(id).ok().filter(|id| *id < self.count).and_then(|id| self.known.get_mut(id));
        let known = known.ok_or_else(|| damaged("a text is missing"))?;
        if *known == UNKNOWN {
            *known = if ask(id as u32)? { YES } else { NO };
        }
        Ok(*known == YES)
    }

    /// The live rows whose entry passes; nothing for texts that are in no dictionary.
    pub(super) fn select(&mut self, texts: &Texts, live: &Bits, mut ask: impl FnMut(u32) -> io::Result<bool>) -> io::Result<Bits> {
        let none = Bits::none(live.len());
        match texts {
            Texts::Const(id) => Ok(if self.passes(u64::from(*id), &mut ask)? { live.clone() } else { none }),
            Texts::Ids(ids) => self.select_ids((ids, 0), live, &mut ask),
            Texts::Plain(_) => Ok(none),
        }
    }

    /// The live rows whose number passes, where all numbers are small; the entries are the numbers themselves.
    pub(super) fn select_numbers(&mut self, numbers: &Numbers, live: &Bits, mut ask: impl FnMut(i64) -> bool) -> io::Result<Option<Bits>> {
        let Some(small) = numbers.small() else { return Ok(None) };
        if self.count < Numbers::SMALL {
            *self = Answers::unknown(Numbers::SMALL);
        }
        self.select_ids(small, live, &mut |number| Ok(ask(i64::from(number)))).map(Some)
    }

    /// The same for numbers of entries, to each of which something is added.
    fn select_ids(
        &mut self,
        (ids, base): (&Planes, usize),
        live: &Bits,
        ask: &mut impl FnMut(u32) -> io::Result<bool>,
    ) -> io::Result<Bits> {
        let mut found = Bits::none(live.len());
        let mut answers = [NO; 64];
        for block in 0..live.blocks() {
            let wanted = live.word(block);
            let (mut yes, mut open) = (0, wanted);
            if wanted.count_ones() > FEW {
                let count = ids.look_up(block, self.known.get(base..).unwrap_or(&[]), UNKNOWN, &mut answers);
                answers[count..].fill(UNKNOWN);
                yes = bits_at(&answers, YES.trailing_zeros()) & wanted;
                open = bits_at(&answers, UNKNOWN.trailing_zeros()) & wanted;
            }
            while open != 0 {
                let place = open.trailing_zeros();
                open &= open - 1;
                let id = ids.get(block * 64 + place as usize).ok_or_else(|| damaged("a text is missing"))?;
                yes |= u64::from(self.passes(id + base as u64, ask)?) << place;
            }
            found.or_word(block, yes);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_asked_once() {
        let ids: Vec<u8> = (0..300).map(|n| (n * n % 101) as u8).collect();
        let texts = Texts::Ids(Planes::new(ids.clone(), 300, 1).unwrap());
        let mut answers = Answers::candidates((0..101).map(|id| id % 4 != 0).collect());
        let mut asked = Vec::new();
        // Few and many places of 64, and some without any.
        for live in [Bits::told(300, (0..300).map(|n| n % 40 == 1)), Bits::told(300, (0..300).map(|n| n > 70))] {
            let found = answers.select(&texts, &live, |id| {
                asked.push(id);
                Ok(id % 3 == 0)
            });
            let want = live.iter().filter(|n| !ids[*n].is_multiple_of(4) && ids[*n].is_multiple_of(3)).collect::<Vec<_>>();
            assert_eq!(found.unwrap().iter().collect::<Vec<_>>(), want);
        }
        let all = asked.len();
        asked.sort_unstable();
        asked.dedup();
        assert!(asked.len() == all && asked.iter().all(|id| id % 4 != 0));
        assert!(Answers::unknown(5).select(&texts, &Bits::all(300), |_| Ok(true)).is_err());
    }
}
