//! The dictionary of a column: each text once, in the order in which they were met. Where almost every text is a new one, the
//! column goes without.

use super::words::Vocabulary;
use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::xxh3_64;

/// Longest text of a dictionary, in bytes.
const LONGEST: usize = 4096;
/// Before so many texts have been met, nothing is said about a column.
const ENOUGH: u64 = 512;

/// Which bytes occur in the texts of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByteSet(pub(crate) [u64; 4]);

impl ByteSet {
    pub(crate) fn add(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    }

    pub(crate) fn holds(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// Whether letters of ASCII in upper case stand in any text.
    pub(crate) fn has_upper(&self) -> bool {
        (b'A'..=b'Z').any(|b| self.holds(b))
    }

    /// Whether a text of ASCII, in any case, may stand in one of the texts.
    pub(crate) fn may_hold(&self, text: &str) -> bool {
        text.bytes().all(|b| self.holds(b.to_ascii_lowercase()) || self.holds(b.to_ascii_uppercase()))
    }
}

/// A dictionary that is being made.
#[derive(Default)]
pub(crate) struct Dictionary {
    text: String,
    ends: Vec<u32>,
    numbers: FxHashMap<u64, u32>,
    /// For each entry the chunks that have it, a bit each.
    pub(crate) chunks: Vec<u64>,
    /// For each entry where its words end in `words`.
    word_ends: Vec<u32>,
    words: Vec<u32>,
    pub(crate) bytes: ByteSet,
    /// Hashes of the words of its entries, and of words of other texts of the column.
    pub(crate) known: FxHashSet<u64>,
    met: u64,
    new: u64,
    closed: bool,
}

impl Dictionary {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Bytes that are held, about.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + self.ends.len() * 40 + self.words.len() * 4 + self.known.len() * 10
    }

    fn nth(&self, n: u32) -> &str {
        super::column::nth(&self.text, &self.ends, n as usize).unwrap_or("")
    }

    pub(crate) fn words_of(&self, n: u32) -> &[u32] {
        let end = |n: u32| self.word_ends.get(n as usize).map_or(0, |e| *e as usize);
        let from = if n == 0 { 0 } else { end(n - 1) };
        self.words.get(from..end(n)).unwrap_or(&[])
    }

    /// The numbers of texts; `None` where the column goes without a dictionary.
    pub(crate) fn ids(&mut self, texts: &[&str], vocabulary: &mut Vocabulary) -> Option<Vec<u32>> {
        if self.closed || texts.iter().any(|t| t.len() > LONGEST) || self.ends.is_empty() && are_ids(texts) {
            return None;
        }
        let mut ids = Vec::with_capacity(texts.len());
        // Neighbours are often the same.
        let mut last: Option<(&str, u32)> = None;
        for text in texts {
            let id = match last {
                Some((same, id)) if same == *text => id,
                _ => self.id(text, vocabulary),
            };
            last = Some((text, id));
            ids.push(id);
        }
        self.met += texts.len() as u64;
        self.closed = self.met > ENOUGH && self.new * 10 > self.met * 7;
        Some(ids)
    }

    /// No more entries: memory is short.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    fn id(&mut self, text: &str, vocabulary: &mut Vocabulary) -> u32 {
        let mut hash = xxh3_64(text.as_bytes());
        loop {
            match self.numbers.get(&hash) {
                Some(id) if self.nth(*id) == text => return *id,
                // Two texts with one hash: the second takes the next place.
                Some(_) => hash = hash.wrapping_add(1),
                None => break,
            }
        }
        let id = self.ends.len() as u32;
        self.numbers.insert(hash, id);
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        self.chunks.push(0);
        let from = self.words.len();
        vocabulary.number(text, &mut self.words);
        self.known.extend(self.words[from..].iter().map(|word| vocabulary.hash(*word)));
        self.word_ends.push(self.words.len() as u32);
        self.bytes.add(text);
        self.new += 1;
        id
    }
}

/// Whether texts look like random ids: long, of one length, with digits, and no two alike.
fn are_ids(texts: &[&str]) -> bool {
    const SAMPLE: usize = 64;
    let Some(first) = texts.first() else { return false };
    if texts.len() < 16 || first.len() < 12 {
        return false;
    }
    let sample = &texts[..texts.len().min(SAMPLE)];
    let alike = sample.iter().all(|t| t.len() == first.len() && t.bytes().any(|b| b.is_ascii_digit()) && !t.contains(' '));
    let mut sorted = sample.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    alike && sorted.len() == sample.len()
}
