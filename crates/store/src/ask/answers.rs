//! What was answered of the entries of a dictionary: each is asked once, and the answer holds for all rows that have it.

use crate::bits::Bits;
use crate::pack::column::Texts;
use crate::pack::read::damaged;
use std::io;

const NO: u8 = 1;
const YES: u8 = 2;

/// An answer for each entry; 0 where it was not asked yet.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<u8>);

impl Answers {
    /// Nothing is known of so many entries.
    pub(super) fn unknown(count: usize) -> Answers {
        Answers(vec![0; count])
    }

    /// Of some entries it is known that they do not pass.
    pub(super) fn candidates(may: Vec<bool>) -> Answers {
        Answers(may.into_iter().map(|may| if may { 0 } else { NO }).collect())
    }

    /// The live rows whose entry passes; nothing for texts that are in no dictionary.
    pub(super) fn select(&mut self, texts: &Texts, live: &Bits, mut ask: impl FnMut(u32) -> io::Result<bool>) -> io::Result<Bits> {
        let mut passes = |id: u32| -> io::Result<bool> {
            let known = self.0.get_mut(id as usize).ok_or_else(|| damaged("a text is missing"))?;
            if *known == 0 {
                *known = if ask(id)? { YES } else { NO };
            }
            Ok(*known == YES)
        };
        let none = Bits::none(live.len());
        match texts {
            Texts::Const(id) => Ok(if passes(*id)? { live.clone() } else { none }),
            Texts::Ids(ids) => {
                let mut failed = None;
                let found = ids.select(live, |id| {
                    passes(id as u32).unwrap_or_else(|error| {
                        failed = Some(error);
                        false
                    })
                });
                failed.map_or(Ok(found), Err)
            }
            Texts::Plain(..) => Ok(none),
        }
    }
}
