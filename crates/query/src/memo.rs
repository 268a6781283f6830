//! Answers that are remembered for texts that come again: names of loggers and threads, messages without numbers.

use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

/// Texts that were met more than once, and which numbers are the answer to each. To be used for one question only.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    known: FxHashMap<Box<[u8]>, Box<[u32]>>,
    /// What is remembered takes about so many bytes.
    takes: usize,
    /// Parts of the hashes of texts that were met at least once, each in a place by another part of it.
    met: Vec<u32>,
}

/// What is remembered may take so many bytes; then all is forgotten.
const ROOM: usize = 256 << 10;
/// What a text takes beside its bytes and its answer.
const BESIDE: usize = 64;
/// Longer texts hardly come again.
pub(crate) const LONGEST: usize = 500;
/// Places for texts that were met; a power of two.
const PLACES: usize = 4_096;

impl Memo {
    /// What was remembered of a text.
    #[inline]
    pub(crate) fn get(&self, text: &[u8]) -> Option<&[u32]> {
        if text.len() > LONGEST {
            return None;
        }
        self.known.get(text).map(|numbers| &**numbers)
    }

    /// Takes note of a text of which nothing was remembered. Its answer is kept if it was met before.
    pub(crate) fn put(&mut self, text: &[u8], numbers: &[u32]) {
        if text.len() > LONGEST {
            return;
        }
        if self.met.is_empty() {
            self.met.resize(PLACES, 0);
        }
        let mut hasher = FxHasher::default();
        hasher.write(text);
        let hash = hasher.finish();
        let Some(place) = self.met.get_mut(hash as usize % PLACES) else { return };
        // Zero stands in a place that is free.
        let tag = (hash >> 32) as u32 | 1;
        if std::mem::replace(place, tag) != tag {
            return;
        }
        let more = BESIDE + text.len() + size_of_val(numbers);
        if self.takes + more > ROOM {
            self.known.clear();
            self.takes = 0;
        }
        self.takes += more;
        self.known.insert(text.into(), numbers.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_remembered() {
        let mut memo = Memo::default();
        memo.put(b"a", &[1]);
        assert_eq!(memo.get(b"a"), None);
        memo.put(b"a", &[1]);
        assert_eq!(memo.get(b"a"), Some(&[1][..]));
        let many = ROOM / BESIDE;
        for number in 0..2 * many as u32 {
            let text = number.to_string();
            memo.put(text.as_bytes(), &[number]);
            memo.put(text.as_bytes(), &[number]);
            assert_eq!(memo.get(text.as_bytes()), Some(&[number][..]));
        }
        assert!(memo.known.len() <= many);
        let long = "x".repeat(LONGEST + 1);
        memo.put(long.as_bytes(), &[]);
        memo.put(long.as_bytes(), &[]);
        assert_eq!(memo.get(long.as_bytes()), None);
    }
}
