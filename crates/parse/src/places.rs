//! Where some bytes stand in a text, looked for 64 bytes at a time.
//!
//! A search for the next one starts anew behind each; where they are as near to each other as in messages, that costs more than the
//! search itself.

use crate::marks::{bits, padded};
use wide::u8x16;

/// The places of some bytes, from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Places<'a, const N: usize> {
    text: &'a [u8],
    signs: [u8; N],
    /// Where the stretch begins that was looked at last.
    base: usize,
    /// A bit for each of its places that is still to come.
    bits: u64,
}

/// Where any of the bytes stands.
pub(crate) fn places<const N: usize>(text: &str, signs: [u8; N]) -> Places<'_, N> {
    let mut all = Places { text: text.as_bytes(), signs, base: 0, bits: 0 };
    all.bits = all.look();
    all
}

impl<const N: usize> Places<'_, N> {
    /// The places in up to 64 bytes from the base on.
    #[inline]
    fn look(&self) -> u64 {
        let rest = self.text.get(self.base..).unwrap_or(&[]);
        let is_sign = |bytes: u8x16| self.signs.iter().fold(u8x16::splat(0), |all, sign| all | bytes.simd_eq(u8x16::splat(*sign)));
        match rest.first_chunk::<64>() {
            Some(part) => bits(part, is_sign),
            None => bits(&padded(rest), is_sign) & ((1 << rest.len()) - 1),
        }
    }
}

impl<const N: usize> Iterator for Places<'_, N> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.base += 64;
            if self.base >= self.text.len() {
                return None;
            }
            self.bits = self.look();
        }
        let at = self.base + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The places are what a look at each byte finds.
        #[test]
        fn places_are_where_the_bytes_are(text in "([a-z\u{e4}]|[=:x]){0,20}[a-z]{0,150}[=:]?[a-z]{0,80}") {
            for signs in [[b'=', b':'], [b'x', b'x']] {
                let found: Vec<usize> = (0..text.len()).filter(|at| signs.contains(&text.as_bytes()[*at])).collect();
                prop_assert_eq!(places(&text, signs).collect::<Vec<_>>(), found);
            }
        }
    }
}
