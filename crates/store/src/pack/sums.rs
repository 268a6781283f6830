//! Sums over the pages of a pack: whatever is read is held against them, so what has changed since it was written is never taken
//! for an answer. A page is as large as those of the system, which reads the whole of it anyway.

use super::footer::Span;
use super::read::damaged;
use std::io;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of a page.
const PAGE: u64 = 4096;

/// The sums of all pages before the footer.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    pages: Vec<u32>,
    /// Bytes that they are over.
    length: u64,
}

/// The sum of a page. Chance makes one in four thousand million changes pass.
fn sum(page: &[u8]) -> u32 {
    xxh3_64(page) as u32
}

/// The sums of the pages of what stands before a footer.
pub(crate) fn sums(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks(PAGE as usize).map(sum).collect()
}

impl Sums {
    /// Takes the sums over so many bytes; `None` where they are not as many as they must be.
    pub(crate) fn new(pages: Vec<u32>, length: u64) -> Option<Sums> {
        (pages.len() as u64 == length.div_ceil(PAGE)).then_some(Sums { pages, length })
    }

    /// The pages in which a stretch lies.
    pub(crate) fn around(&self, span: Span) -> io::Result<Span> {
        let end = span.from.checked_add(span.length).filter(|end| *end <= self.length).ok_or_else(|| damaged("a place cannot be"))?;
        let from = span.from / PAGE * PAGE;
        Ok(Span { from, length: end.next_multiple_of(PAGE).min(self.length) - from })
    }

    /// Makes sure that whole pages, from a place on, are as they were written.
    pub(crate) fn check(&self, bytes: &[u8], from: u64) -> io::Result<()> {
        let first = usize::try_from(from / PAGE).unwrap_or(usize::MAX);
        let noted = self.pages.get(first..).unwrap_or(&[]);
        let pages = bytes.chunks(PAGE as usize);
        let whole = pages.len() <= noted.len() && pages.zip(noted).all(|(page, noted)| sum(page) == *noted);
        if whole { Ok(()) } else { Err(damaged("it has changed since it was written")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_is_seen() {
        let bytes: Vec<u8> = (0..10_000u32).map(|n| (n * 31 % 251) as u8).collect();
        let known = Sums::new(sums(&bytes), 10_000).unwrap();
        for span in [(0, 1), (4095, 2), (8192, 1808), (5000, 0), (0, 10_000)] {
            let around = known.around(Span { from: span.0, length: span.1 }).unwrap();
            let (from, to) = (around.from as usize, (around.from + around.length) as usize);
            assert!(from as u64 <= span.0 && to as u64 >= span.0 + span.1);
            known.check(&bytes[from..to], around.from).unwrap();
            for at in (from..to).step_by(97) {
                let mut changed = bytes[from..to].to_vec();
                changed[at - from] ^= 4;
                assert!(known.check(&changed, around.from).is_err(), "{at}");
            }
        }
        assert!(known.around(Span { from: 9_999, length: 2 }).is_err() && known.around(Span { from: u64::MAX, length: 2 }).is_err());
        assert!(Sums::new(vec![0; 2], 10_000).is_none());
    }
}
