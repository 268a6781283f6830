//! Where a column ends, found sixteen bytes at a time.

use wide::u8x16;

/// The first blank, control character, double quote or backslash of a line from a place on, or the end of the line.
#[inline]
pub fn bare(line: &[u8], from: usize) -> usize {
    let (blank, quote, slash) = (u8x16::splat(b' '), u8x16::splat(b'"'), u8x16::splat(b'\\'));
    // What is not above a blank is its own minimum with it.
    first(line, from, |bytes| bytes.min(blank).simd_eq(bytes) | bytes.simd_eq(quote) | bytes.simd_eq(slash))
}

/// The first double quote, backslash or line end of a line from a place on, or the end of the line.
#[inline]
pub fn quoted(line: &[u8], from: usize) -> usize {
    let (feed, quote, slash) = (u8x16::splat(b'\n'), u8x16::splat(b'"'), u8x16::splat(b'\\'));
    first(line, from, |bytes| bytes.simd_eq(quote) | bytes.simd_eq(slash) | bytes.simd_eq(feed))
}

/// The first place from `from` on whose byte `look` marks, or the end.
#[inline]
fn first(line: &[u8], from: usize, look: impl Fn(u8x16) -> u8x16) -> usize {
    let mut at = from;
    let (parts, _) = line.get(from..).unwrap_or(&[]).as_chunks::<16>();
    for part in parts {
        let found = look(u8x16::from(*part)).to_bitmask();
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    // The last bytes are looked at together with those before them.
    match line.last_chunk::<16>() {
        Some(part) if at < line.len() => {
            let passed = at + 16 - line.len();
            let found = look(u8x16::from(*part)).to_bitmask() >> passed;
            if found == 0 { line.len() } else { at + found.trailing_zeros() as usize }
        }
        Some(_) => line.len(),
        None => {
            let mut last = [b'x'; 16];
            let rest = line.get(at..).unwrap_or(&[]);
            last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
            let found = look(u8x16::from(last)).to_bitmask();
            at + if found == 0 { rest.len() } else { found.trailing_zeros() as usize }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The ends are what a look at each byte finds.
        #[test]
        fn ends_are_where_the_bytes_are(line in "([a-z\u{e4}]|[ \"\t\u{1}!#\\[\\\\\n]){0,30}[a-z]{0,40}", from in 0usize..60) {
            let b = line.as_bytes();
            let from = from.min(b.len());
            let find = |is: fn(&u8) -> bool| (from..b.len()).find(|at| is(&b[*at])).unwrap_or(b.len());
            prop_assert_eq!(bare(b, from), find(|b| *b <= b' ' || *b == b'"' || *b == b'\\'));
            prop_assert_eq!(quoted(b, from), find(|b| matches!(b, b'"' | b'\\' | b'\n')));
        }
    }
}
