//! A set of small numbers: rows of a chunk, chunks of a pack.

/// One bit a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    count: usize,
}

impl Bits {
    /// None of so many.
    pub(crate) fn none(count: usize) -> Bits {
        Bits { words: vec![0; count.div_ceil(64)], count }
    }

    /// All of so many.
    pub(crate) fn all(count: usize) -> Bits {
        let mut bits = Bits { words: vec![u64::MAX; count.div_ceil(64)], count };
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
        assert_eq!((Bits::all(130).count(), Bits::all(128).count(), Bits::all(0).count()), (130, 128, 0));
    }
}
