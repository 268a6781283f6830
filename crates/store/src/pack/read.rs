//! Reading a pack: only what is asked for is read and unpacked.

use super::MAGIC;
use super::bloom;
use super::column::unpack;
use super::dictionary::ByteSet;
use super::entries::{Entries, Stretch};
use super::footer::{Footer, Span};
use super::layout::Columns;
use super::rooms::Room;
use super::shape::Shape;
use super::sums::Sums;
use crate::bytes::Reader;
use crate::names::{Names, spelling};
use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, Error, ErrorKind};
use std::path::Path;
use whyline_event::Name;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes behind the footer: its length, its hash, the magic.
const TAIL: u64 = 24;
/// Longest stretch that is read at once, in bytes: more than any block of a log makes.
const LONGEST: u64 = 512 << 20;

/// A file that is read here and there.
pub(crate) struct Places {
    file: File,
    sums: Sums,
}

impl Places {
    /// Reads a stretch, and makes sure that it is as it was written.
    pub(crate) fn read(&self, span: Span) -> io::Result<Room> {
        let around = self.sums.around(span)?;
        let mut bytes = read(&self.file, around)?;
        self.sums.check(&bytes, around.from)?;
        bytes.keep((span.from - around.from) as usize, span.length as usize);
        Ok(bytes)
    }
}

fn read(file: &File, span: Span) -> io::Result<Room> {
    if span.length > LONGEST {
        return Err(damaged("a length cannot be"));
    }
    let mut bytes = Room::of(span.length as usize);
    fill(file, &mut bytes, span.from)?;
    Ok(bytes)
}

#[cfg(unix)]
fn fill(file: &File, bytes: &mut [u8], from: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, from)
}

#[cfg(not(unix))]
fn fill(mut file: &File, bytes: &mut [u8], from: u64) -> io::Result<()> {
    use io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(from))?;
    file.read_exact(bytes)
}

pub(crate) fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_string())
}

/// A pack.
pub(crate) struct Pack {
    places: Places,
    pub(crate) footer: Footer,
    entries: Vec<OnceCell<Entries>>,
    columns: OnceCell<Columns>,
}

impl Pack {
    pub(crate) fn open(path: &Path) -> io::Result<Pack> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let least = TAIL + MAGIC.len() as u64;
        if length < least {
            return Err(damaged("it is too short"));
        }
        let tail = read(&file, Span { from: length - TAIL, length: TAIL })?;
        let number = |at: usize| tail.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes);
        if tail.get(16..) != Some(MAGIC.as_slice()) || number(0) > length - least {
            return Err(damaged("its end is not that of a pack"));
        }
        let raw = read(&file, Span { from: length - TAIL - number(0), length: number(0) })?;
        if xxh3_64(&raw) != number(8) {
            return Err(damaged("its table of contents has changed"));
        }
        let footer = unpack(&mut Reader { rest: &raw }).and_then(|raw| Footer::read(&raw));
        let mut footer = footer.ok_or_else(|| damaged("its table of contents cannot be read"))?;
        let sums = Sums::new(std::mem::take(&mut footer.sums), length - TAIL - number(0));
        let places = Places { file, sums: sums.ok_or_else(|| damaged("its table of contents cannot be read"))? };
        let entries = footer.dictionaries.iter().map(|_| OnceCell::new()).collect();
        Ok(Pack { places, footer, entries, columns: OnceCell::new() })
    }

    pub(crate) fn names(&self) -> &Names {
        &self.footer.names
    }

    pub(crate) fn shape(&self, number: u32) -> io::Result<&Shape> {
        self.footer.shapes.get(number as usize).ok_or_else(|| damaged("a shape is missing"))
    }

    /// Which columns its shapes have.
    pub(crate) fn columns(&self) -> &Columns {
        self.columns.get_or_init(|| Columns::of(self.footer.shapes.iter()))
    }

    pub(crate) fn read(&self, span: Span) -> io::Result<Room> {
        self.places.read(span)
    }

    /// A dictionary.
    pub(crate) fn entries(&self, number: u32) -> io::Result<&Entries> {
        let missing = || damaged("a dictionary is missing");
        let (listed, cell) =
            (self.footer.dictionaries.get(number as usize).ok_or_else(missing)?, self.entries.get(number as usize).ok_or_else(missing)?);
        if let Some(entries) = cell.get() {
            return Ok(entries);
        }
        let entries = Entries::read(&self.places, listed)?;
        Ok(cell.get_or_init(|| entries))
    }

    /// The text of an entry of a dictionary.
    pub(crate) fn entry(&self, dictionary: u32, n: u32) -> io::Result<&str> {
        self.entries(dictionary)?.get(n, &self.places)
    }

    /// All texts of a dictionary, stretch by stretch.
    pub(crate) fn stretches(&self, dictionary: u32) -> io::Result<impl Iterator<Item = io::Result<Stretch<'_>>>> {
        Ok(self.entries(dictionary)?.stretches(&self.places))
    }

    /// Which bytes stand in a column.
    pub(crate) fn bytes_of(&self, dictionary: u32) -> ByteSet {
        self.footer.dictionaries.get(dictionary as usize).map(|d| d.bytes).unwrap_or_default()
    }

    /// How many records of each chunk have a whole number that fits, in a field that has no other values; `None` where nothing is
    /// known of the field, and for each chunk of which nothing is known.
    pub(crate) fn tally(&self, name: Name<'_>, fits: &dyn Fn(i64) -> bool) -> Option<Vec<Option<u32>>> {
        let count = self.footer.chunks.len();
        let mut sums = vec![Some(0u32); count];
        let mut unsure = self.footer.odd;
        if let Some(number) = self.names().find(&spelling(name)) {
            let tally = self.footer.tallies.iter().find(|t| t.name == number)?;
            unsure |= tally.unsure;
            for (_, counts) in tally.counts.iter().filter(|(number, _)| fits(*number)) {
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.map(|s| s + count));
            }
        }
        (0..count.min(64)).filter(|n| unsure >> n & 1 == 1).for_each(|n| sums[n] = None);
        Some(sums)
    }

    /// Whether no record of the pack has a field, but perhaps odd ones.
    pub(crate) fn lacks(&self, name: Name<'_>) -> bool {
        self.names().find(&spelling(name)).is_none()
    }

    /// Whether a chunk may hold a word that is like an id, by its hash.
    pub(crate) fn may_hold(&self, chunk: usize, hash: u64) -> io::Result<bool> {
        let Some(meta) = self.footer.chunks.get(chunk) else { return Err(damaged("a chunk is missing")) };
        self.asks(Span { from: self.footer.blooms.from.saturating_add(meta.bloom.from), length: meta.bloom.length }, hash)
    }

    /// Whether a column may hold a word, by its hash, in an entry of its dictionary, or in another text if it is not like an id.
    pub(crate) fn has_word(&self, dictionary: u32, hash: u64) -> io::Result<bool> {
        let listed = self.footer.dictionaries.get(dictionary as usize).ok_or_else(|| damaged("a dictionary is missing"))?;
        self.asks(listed.words, hash)
    }

    fn asks(&self, filter: Span, hash: u64) -> io::Result<bool> {
        let blocks = (filter.length as usize) / bloom::BLOCK;
        if blocks == 0 {
            return Ok(false);
        }
        let at = (bloom::block_of(hash, blocks) * bloom::BLOCK) as u64;
        let block = self.places.read(Span { from: filter.from.saturating_add(at), length: bloom::BLOCK as u64 })?;
        let block = block[..].try_into().map_err(|_| damaged("a filter cannot be read"))?;
        Ok(bloom::holds(block, hash))
    }
}
