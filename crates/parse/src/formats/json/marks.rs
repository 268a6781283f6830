//! Where the quotes and backslashes of a text stand, found 64 bytes at a time while it is read from left to right.

use crate::marks::{bits, padded};
use wide::u8x16;

/// The marks of one stretch of a text.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    text: &'a [u8],
    /// Where the stretch begins.
    base: usize,
    /// A bit for each of its bytes.
    bits: u64,
}

impl<'a> Marks<'a> {
    /// For a text.
    pub fn new(text: &'a [u8]) -> Self {
        Marks { text, base: 0, bits: look(text, 0) }
    }

    /// The first double quote or backslash from a place on. Places need not rise, but reading on is what is fast.
    #[inline]
    pub fn next(&mut self, from: usize) -> Option<usize> {
        let mut from = from;
        loop {
            let base = from & !63;
            if base != self.base {
                if base >= self.text.len() {
                    return None;
                }
                (self.base, self.bits) = (base, look(self.text, base));
            }
            let bits = self.bits >> (from - base);
            if bits != 0 {
                return Some(from + bits.trailing_zeros() as usize);
            }
            from = base + 64;
        }
    }
}

/// The marks of up to 64 bytes from a place on.
#[inline]
fn look(text: &[u8], base: usize) -> u64 {
    let rest = text.get(base..).unwrap_or(&[]);
    let marked = |bytes: u8x16| bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\'));
    match rest.first_chunk::<64>() {
        Some(part) => bits(part, marked),
        None => bits(&padded(rest), marked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The marks are what a look at each byte finds, from whatever place.
        #[test]
        fn marks_are_where_the_bytes_are(text in "([a-z\u{e4}]|[\"\\\\]){0,20}[a-z]{0,150}[\"\\\\]?[a-z]{0,80}", places in prop::collection::vec(0usize..300, 0..10)) {
            let bytes = text.as_bytes();
            let mut marks = Marks::new(bytes);
            for from in places {
                let found = (from..bytes.len()).find(|at| matches!(bytes[*at], b'"' | b'\\'));
                prop_assert_eq!(marks.next(from), found);
            }
        }
    }
}
