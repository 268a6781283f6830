//! The words of a pack, for the index: each is split off and folded once, however often its text occurs.

use super::bloom;
use rustc_hash::{FxHashMap, FxHashSet};
use whyline_query::words::{folded, words};

struct Word {
    text: Box<str>,
    hash: u64,
    like_id: bool,
    /// The last chunk that was told of it, counted from 1.
    chunk: u32,
}

/// Words by number.
#[derive(Default)]
pub(crate) struct Vocabulary {
    words: Vec<Word>,
    numbers: FxHashMap<Box<str>, u32>,
    size: usize,
    buffer: String,
}

impl Vocabulary {
    /// Bytes that are held, about.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The hash of a word.
    pub(crate) fn hash(&self, number: u32) -> u64 {
        self.words.get(number as usize).map_or(0, |w| w.hash)
    }

    /// Adds the numbers of the words of a text.
    pub(crate) fn number(&mut self, text: &str, out: &mut Vec<u32>) {
        for word in words(text) {
            let mut buffer = std::mem::take(&mut self.buffer);
            fold_into(word, &mut buffer);
            let number = match self.numbers.get(buffer.as_str()) {
                Some(number) => *number,
                None => {
                    let number = self.words.len() as u32;
                    let (hash, like_id) = (bloom::hash(&buffer), bloom::is_like_id(&buffer));
                    self.words.push(Word { text: buffer.as_str().into(), hash, like_id, chunk: 0 });
                    self.numbers.insert(buffer.as_str().into(), number);
                    self.size += buffer.len() * 2 + 80;
                    number
                }
            };
            out.push(number);
            self.buffer = buffer;
        }
    }
}

fn fold_into(word: &str, buffer: &mut String) {
    buffer.clear();
    if word.is_ascii() {
        buffer.push_str(word);
        buffer.make_ascii_lowercase();
    } else {
        buffer.push_str(&folded(word));
    }
}

/// The words of one chunk.
#[derive(Default)]
pub(crate) struct ChunkWords {
    chunk: u32,
    /// Words for the index, each followed by [`crate::schema::BETWEEN`].
    pub(crate) terms: String,
    /// Hashes of words that are like ids; may hold one several times.
    pub(crate) ids: Vec<u64>,
    others: FxHashSet<Box<str>>,
    buffer: String,
}

impl ChunkWords {
    /// Begins a chunk, counted from 1.
    pub(crate) fn new(chunk: u32) -> ChunkWords {
        ChunkWords { chunk, ..ChunkWords::default() }
    }

    fn push(terms: &mut String, word: &str) {
        terms.push_str(word);
        terms.push(crate::schema::BETWEEN);
    }

    /// Words by their numbers.
    pub(crate) fn add_numbers(&mut self, numbers: &[u32], vocabulary: &mut Vocabulary) {
        for number in numbers {
            let Some(word) = vocabulary.words.get_mut(*number as usize) else { continue };
            if word.chunk != self.chunk {
                word.chunk = self.chunk;
                if word.like_id {
                    self.ids.push(word.hash);
                } else {
                    ChunkWords::push(&mut self.terms, &word.text);
                }
            }
        }
    }

    /// The words of a text that is in no dictionary.
    pub(crate) fn add_text(&mut self, text: &str) {
        self.add_text_of(text, &mut |_| ());
    }

    /// The same; hands over the hash of each word that is not like an id.
    pub(crate) fn add_text_of(&mut self, text: &str, each: &mut dyn FnMut(u64)) {
        for word in words(text) {
            let mut buffer = std::mem::take(&mut self.buffer);
            fold_into(word, &mut buffer);
            if bloom::is_like_id(&buffer) {
                self.ids.push(bloom::hash(&buffer));
            } else {
                each(bloom::hash(&buffer));
                if !self.others.contains(buffer.as_str()) {
                    ChunkWords::push(&mut self.terms, &buffer);
                    self.others.insert(buffer.as_str().into());
                }
            }
            self.buffer = buffer;
        }
    }
}
