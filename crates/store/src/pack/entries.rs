//! The texts of a dictionary as they are read: a stretch at a time, where only some are asked for.
//!
//! They lie in the file as they are, one after the other, so that one of them is read without the others. Where numbers in them
//! stand for most of their differences, their outlines lie beside them.

use super::column::{Near, Packer, ends, nth, put_numbers, spread_numbers, unpack};
use super::footer::{Listed, Span};
use super::outline::{Outlines, outlines};
use super::read::{Places, damaged};
use crate::bytes::{Reader, unsigned};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::io;

/// So much text is read at once, in bytes, and the rest of the entry that begins at its end.
const STRETCH: usize = 64 << 10;

/// The texts of a dictionary.
pub(crate) struct Entries {
    ends: Vec<u32>,
    /// Where the texts begin in the file.
    from: u64,
    stretches: Vec<OnceCell<String>>,
    /// The first entry of each stretch, and at last how many entries there are.
    firsts: Vec<u32>,
    outlines: Option<Outlines>,
}

/// Texts that stand one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Stretch<'e> {
    /// The number of the first of them.
    pub(crate) first: u32,
    pub(crate) text: &'e str,
    /// Where each ends, counted from `base`.
    pub(crate) ends: &'e [u32],
    pub(crate) base: u32,
}

/// Writes what [`Entries::read`] reads, in front of the texts themselves.
pub(crate) fn write(text: &str, ends: &[u32], packer: &mut Packer, out: &mut Vec<u8>) -> io::Result<()> {
    put_lengths(ends, packer, out)?;
    let texts = (0..ends.len()).map(|n| nth(text, ends, n).unwrap_or(""));
    match outlines(texts) {
        None => unsigned(0, out),
        Some(outlines) => {
            unsigned(outlines.ends.len() as u64, out);
            put_lengths(&outlines.ends, packer, out)?;
            packer.put(outlines.text.as_bytes(), out)?;
            let of: Vec<i64> = outlines.of.iter().map(|n| i64::from(*n)).collect();
            put_numbers(&of, Near::Least, packer, out)?;
        }
    }
    Ok(())
}

fn put_lengths(ends: &[u32], packer: &mut Packer, out: &mut Vec<u8>) -> io::Result<()> {
    let mut last = 0;
    let lengths: Vec<i64> = ends.iter().map(|end| i64::from(end - std::mem::replace(&mut last, *end))).collect();
    put_numbers(&lengths, Near::Least, packer, out)
}

impl Entries {
    /// Reads where the texts of a dictionary lie, and their outlines.
    pub(crate) fn read(places: &Places, listed: &Listed) -> io::Result<Entries> {
        let raw = places.read(listed.place)?;
        Entries::from_bytes(&raw, listed).ok_or_else(|| damaged("a dictionary cannot be read"))
    }

    fn from_bytes(raw: &[u8], listed: &Listed) -> Option<Entries> {
        let from = &mut Reader { rest: raw };
        let count = listed.count as usize;
        let ends = ends(from, count)?;
        let length = ends.last().copied().unwrap_or(0);
        if u64::from(length) != listed.texts.length {
            return None;
        }
        let outlines = match from.length()? {
            0 => None,
            number if number <= count => {
                let ends = super::column::ends(from, number)?;
                let text = String::from_utf8(unpack(from)?).ok()?;
                let (mut of, mut fits) = (Vec::with_capacity(count), true);
                spread_numbers(from, count)?.each(|n| {
                    fits &= usize::try_from(n).is_ok_and(|n| n < number);
                    of.push(n as u32);
                });
                fits &= ends.last().map_or(0, |e| *e as usize) == text.len() && ends.iter().all(|e| text.is_char_boundary(*e as usize));
                fits.then_some(Some(Outlines { text, ends, of }))?
            }
            _ => return None,
        };
        let stretches: Vec<OnceCell<String>> = (0..(length as usize).div_ceil(STRETCH).max(1)).map(|_| OnceCell::new()).collect();
        // The first entry that begins at the place of a stretch or behind it; what is empty at the very end is in the last one.
        let first = |number: usize| if number == 0 { 0 } else { ends.partition_point(|e| (*e as usize) < number * STRETCH) + 1 };
        let firsts = (0..stretches.len()).map(|n| first(n).min(ends.len()) as u32).chain([ends.len() as u32]).collect();
        Some(Entries { ends, from: listed.texts.from, stretches, firsts, outlines })
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn begin(&self, entry: usize) -> usize {
        entry.checked_sub(1).and_then(|n| self.ends.get(n)).map_or(0, |end| *end as usize)
    }

    fn stretch(&self, number: usize, places: &Places) -> io::Result<Stretch<'_>> {
        let cell = self.stretches.get(number).ok_or_else(|| damaged("a text is missing"))?;
        let first_of = |number: usize| self.firsts.get(number).map_or(self.ends.len(), |n| *n as usize);
        let (first, last) = (first_of(number), first_of(number + 1));
        let (base, end) = (self.begin(first), self.begin(last));
        if cell.get().is_none() {
            let span = Span { from: self.from.saturating_add(base as u64), length: end.saturating_sub(base) as u64 };
            let text = String::from_utf8(places.read(span)?).map_err(|_| damaged("a dictionary cannot be read"))?;
            let ends = self.ends.get(first..last).unwrap_or(&[]);
            if !ends.iter().all(|e| (*e as usize).checked_sub(base).is_some_and(|at| text.is_char_boundary(at))) {
                return Err(damaged("a dictionary cannot be read"));
            }
            let _ = cell.set(text);
        }
        let text = cell.get().ok_or_else(|| damaged("a text is missing"))?;
        Ok(Stretch { first: first as u32, text, ends: self.ends.get(first..last).unwrap_or(&[]), base: base as u32 })
    }

    /// All texts, stretch by stretch.
    pub(crate) fn stretches<'e>(&'e self, places: &'e Places) -> impl Iterator<Item = io::Result<Stretch<'e>>> + 'e {
        (0..self.stretches.len()).map(|number| self.stretch(number, places))
    }

    /// The text of an entry.
    pub(crate) fn get(&self, n: u32, places: &Places) -> io::Result<&str> {
        let n = n as usize;
        if n >= self.ends.len() {
            return Err(damaged("a text is missing"));
        }
        let number = (self.begin(n) / STRETCH).min(self.stretches.len() - 1);
        let stretch = self.stretch(number, places)?;
        stretch.get(n as u32).ok_or_else(|| damaged("a text is missing"))
    }

    /// The outlines, where there are any.
    pub(crate) fn outlines(&self) -> Option<&Outlines> {
        self.outlines.as_ref()
    }
}

impl<'e> Stretch<'e> {
    /// The text of an entry.
    pub(crate) fn get(&self, n: u32) -> Option<&'e str> {
        let at = n.checked_sub(self.first)? as usize;
        let to = self.ends.get(at)?.checked_sub(self.base)?;
        let from = if at == 0 { 0 } else { self.ends.get(at - 1)?.checked_sub(self.base)? };
        self.text.get(from as usize..to as usize)
    }

    /// The texts with the letters of ASCII in lower case; they are as they are where none is in upper case.
    pub(crate) fn lower(&self, has_upper: bool) -> Cow<'e, str> {
        if has_upper { Cow::Owned(self.text.to_ascii_lowercase()) } else { Cow::Borrowed(self.text) }
    }
}

impl Outlines {
    /// All outlines as one stretch.
    pub(crate) fn stretch(&self) -> Stretch<'_> {
        Stretch { first: 0, text: &self.text, ends: &self.ends, base: 0 }
    }

    /// What was answered for outlines, for the entries that have them.
    pub(crate) fn spread(&self, answers: &[u8]) -> Vec<u8> {
        self.of.iter().map(|n| answers.get(*n as usize).copied().unwrap_or(0)).collect()
    }
}
