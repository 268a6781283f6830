//! The texts of a dictionary as they are read: a stretch at a time, where only some are asked for.
//!
//! They lie in the file as they are, one after the other, so that one of them is read without the others. Where numbers in them
//! stand for most of their differences, their outlines lie beside them.

use super::column::{Near, Packer, lengths, nth, put_numbers, spread_numbers, unpack};
use super::footer::{Listed, Span};
use super::lengths::Lengths;
use super::outline::outlines;
use super::planes::Numbers;
use super::read::{Places, damaged};
use super::rooms::Text;
use crate::bytes::{Reader, unsigned};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::io;

/// So much text is read at once, in bytes, and the rest of the entry that begins at its end.
const STRETCH: usize = 64 << 10;

/// The texts of a dictionary.
pub(crate) struct Entries {
    lengths: Lengths,
    /// Where the texts begin in the file.
    from: u64,
    stretches: Vec<OnceCell<Read>>,
    /// The first entry of each stretch, and at last how many entries there are.
    firsts: Vec<u32>,
    outlines: Option<Outlines>,
}

/// The texts of a stretch, and where each ends in it.
struct Read {
    text: Text,
    ends: Vec<u32>,
}

/// The outlines of the entries.
pub(crate) struct Outlines {
    text: String,
    ends: Vec<u32>,
    /// For each entry the number of its outline.
    of: Numbers,
}

/// Texts that stand one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Stretch<'e> {
    /// The number of the first of them.
    pub(crate) first: u32,
    pub(crate) text: &'e str,
    /// Where each ends.
    pub(crate) ends: &'e [u32],
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
        let lengths = lengths(from, count)?;
        let length = lengths.begin(count);
        if length as u64 != listed.texts.length {
            return None;
        }
        let outlines = match from.length()? {
            0 => None,
            number if number <= count => Some(Outlines::read(from, number, count)?),
            _ => return None,
        };
        let stretches: Vec<OnceCell<Read>> = (0..length.div_ceil(STRETCH).max(1)).map(|_| OnceCell::new()).collect();
        // The first entry that begins at the place of a stretch or behind it; what is empty at the very end is in the last one.
        let first = |number: usize| {
            if number == 0 { 0 } else { lengths.first(|end| end >= number * STRETCH).map_or(count, |before| before + 1) }
        };
        let firsts = (0..stretches.len()).map(|n| first(n).min(count) as u32).chain([count as u32]).collect();
        Some(Entries { lengths, from: listed.texts.from, stretches, firsts, outlines })
    }

    pub(crate) fn len(&self) -> usize {
        self.lengths.len()
    }

    fn stretch(&self, number: usize, places: &Places) -> io::Result<Stretch<'_>> {
        let cell = self.stretches.get(number).ok_or_else(|| damaged("a text is missing"))?;
        let first = self.firsts.get(number).map_or(self.len(), |n| *n as usize);
        if cell.get().is_none() {
            let _ = cell.set(self.read_stretch((first, self.firsts.get(number + 1).map_or(first, |n| *n as usize)), places)?);
        }
        let read = cell.get().ok_or_else(|| damaged("a text is missing"))?;
        Ok(Stretch { first: first as u32, text: &read.text, ends: &read.ends })
    }

    fn read_stretch(&self, (first, last): (usize, usize), places: &Places) -> io::Result<Read> {
        let unreadable = || damaged("a dictionary cannot be read");
        let lengths = last.checked_sub(first).and_then(|count| self.lengths.part(first, count)).ok_or_else(unreadable)?;
        let (begin, ends) = (lengths.begin(0) as u64, lengths.ends());
        let length = ends.last().map_or(0, |end| u64::from(*end));
        let text = places.read(Span { from: self.from.saturating_add(begin), length })?.into_text().ok_or_else(unreadable)?;
        let fits = text.is_ascii() || ends.iter().all(|end| text.is_char_boundary(*end as usize));
        if fits { Ok(Read { text, ends }) } else { Err(unreadable()) }
    }

    /// All texts, stretch by stretch.
    pub(crate) fn stretches<'e>(&'e self, places: &'e Places) -> impl Iterator<Item = io::Result<Stretch<'e>>> + 'e {
        (0..self.stretches.len()).map(|number| self.stretch(number, places))
    }

    /// The text of an entry.
    pub(crate) fn get(&self, n: u32, places: &Places) -> io::Result<&str> {
        let number = self.firsts.partition_point(|first| *first <= n).saturating_sub(1);
        self.stretch(number, places)?.get(n).ok_or_else(|| damaged("a text is missing"))
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
        let to = *self.ends.get(at)? as usize;
        let from = if at == 0 { 0 } else { *self.ends.get(at - 1)? as usize };
        self.text.get(from..to)
    }

    /// The texts with the letters of ASCII in lower case; they are as they are where none is in upper case.
    pub(crate) fn lower(&self, has_upper: bool) -> Cow<'e, str> {
        if has_upper { Cow::Owned(self.text.to_ascii_lowercase()) } else { Cow::Borrowed(self.text) }
    }
}

impl Outlines {
    /// So many outlines of so many entries.
    fn read(from: &mut Reader<'_>, number: usize, count: usize) -> Option<Outlines> {
        let lengths = lengths(from, number)?;
        let text = String::from_utf8(unpack(from)?).ok()?;
        let (ends, of) = (lengths.ends(), spread_numbers(from, count)?);
        let fits = lengths.begin(number) == text.len() && ends.iter().all(|e| text.is_char_boundary(*e as usize));
        fits.then_some(Outlines { text, ends, of })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All outlines as one stretch.
    pub(crate) fn stretch(&self) -> Stretch<'_> {
        Stretch { first: 0, text: &self.text, ends: &self.ends }
    }

    /// What was answered for outlines, for the entries that have them.
    pub(crate) fn spread(&self, answers: &[u8]) -> io::Result<Vec<u8>> {
        // No answer is all of the bits.
        let all = self.of.look_up(answers, u8::MAX);
        if memchr::memchr(u8::MAX, &all).is_some() { Err(damaged("an outline is missing")) } else { Ok(all) }
    }
}
