//! A set of small numbers: rows of a chunk, chunks of a pack.

use smallvec::SmallVec;

/// So many words are kept without asking for memory: most shapes have no more rows in a chunk.
const FEW: usize = 16;

/// One bit a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    words: SmallVec<[u64; FEW]>,
    count: usize,
}

impl Bits {
    /// None of so many.
    pub(crate) fn none(count: usize) -> Bits {
        Bits { words: SmallVec::from_elem(0, count.div_ceil(64)), count }
    }

    /// All of so many.
    pub(crate) fn all(count: usize) -> Bits {
        let mut bits = Bits { words: SmallVec::from_elem(u64::MAX, count.div_ceil(64)), count };
        bits.trim();
        bits
    }

    /// Those of so many that are told to be in it, one after the other.
    pub(crate) fn told(count: usize, mut told: impl Iterator<Item = bool>) -> Bits {
        let mut bits = Bits::none(count);
        for (n, word) in bits.words.iter_mut().enumerate() {
            for bit in 0..(count - n * 64).min(64) {
                *word |= u64::from(told.next().unwrap_or(false)) << bit;
            }
        }
        bits
    }

    /// How many there are to choose from.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    fn trim(&mut self) {
        if let Some(last) = self.words.last_mut()
            && !self.count.is_multiple_of(64)
        {
            *last &= (1 << (self.count % 64)) - 1;
        }
    }

    /// The 64 numbers of which the first is so many times 64, a bit each.
    pub(crate) fn word(&self, n: usize) -> u64 {
        self.words.get(n).copied().unwrap_or(0)
    }

    /// Adds some of such 64 numbers.
    pub(crate) fn or_word(&mut self, n: usize, bits: u64) {
        if let Some(word) = self.words.get_mut(n) {
            *word |= bits;
            if n + 1 == self.words.len() {
                self.trim();
            }
        }
    }

    /// How many times 64 numbers there are.
    pub(crate) fn blocks(&self) -> usize {
        self.words.len()
    }

    pub(crate) fn set(&mut self, n: usize) {
        if n < self.count {
            self.words[n / 64] |= 1 << (n % 64);
        }
    }

    pub(crate) fn get(&self, n: usize) -> bool {
        n < self.count && self.words[n / 64] >> (n % 64) & 1 == 1
    }

    pub(crate) fn or(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    pub(crate) fn and(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    pub(crate) fn and_not(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// How many are in it.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(i, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    i * 64 + bit
                })
            })
        })
    }
}

/// The bits that 64 bytes have at one place.
pub(crate) fn bits_at(bytes: &[u8; 64], place: u32) -> u64 {
    // The lowest bits of eight bytes come together in the highest byte of a product: none of its parts meets another.
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    const TOGETHER: u64 = 0x0102_0408_1020_4080;
    let mut all = 0;
    for (n, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        let bits = u64::from_le_bytes(*eight) >> place & LOWEST;
        all |= (bits.wrapping_mul(TOGETHER) >> 56) << (8 * n);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let mut a = Bits::none(130);
        [0, 63, 64, 129, 500].into_iter().for_each(|d| a.set(d));
        assert_eq!(a.iter().collect::<Vec<_>>(), [0, 63, 64, 129]);
        let mut b = Bits::none(130);
        b.set(64);
        b.set(65);
        let mut both = a.clone();
        both.and(&b);
        assert_eq!(both.iter().collect::<Vec<_>>(), [64]);
        both.and_not(&a);
        assert!(both.is_empty());
        a.or(&b);
        assert_eq!((a.count(), a.get(65), a.get(500)), (5, true, false));
        assert_eq!(Bits::told(130, (0..130).map(|n| n % 64 == 1)).iter().collect::<Vec<_>>(), [1, 65, 129]);
        let mut a = Bits::none(70);
        a.or_word(0, 1 << 63);
        a.or_word(1, u64::MAX);
        a.or_word(2, 1);
        assert_eq!((a.iter().collect::<Vec<_>>(), a.word(1), a.word(2), a.blocks()), (vec![63, 64, 65, 66, 67, 68, 69], 63, 0, 2));
        let bytes: [u8; 64] = std::array::from_fn(|n| (n * n * 37 % 256) as u8);
        for place in 0..8 {
            assert_eq!(bits_at(&bytes, place), (0..64).fold(0, |all, n| all | u64::from(bytes[n] >> place & 1) << n));
        }
        assert_eq!((Bits::all(130).count(), Bits::all(128).count(), Bits::all(0).count()), (130, 128, 0));
    }
}
