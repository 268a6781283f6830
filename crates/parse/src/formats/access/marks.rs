//! Where the columns of a line may end, marked sixteen bytes at a time before the line is walked through.

use wide::u8x16;

/// Words of marks, a bit a byte.
const WORDS: usize = 32;
/// Lines longer than this are left to the careful reader; the end of the line is marked as well.
const LONGEST: usize = WORDS * 64 - 1;

/// The marks of one line.
pub struct Marks {
    /// Blanks, double quotes, and the end of the line.
    ends: [u64; WORDS],
    /// Double quotes.
    quotes: [u64; WORDS],
}

impl Marks {
    /// Room for marks.
    #[inline]
    pub fn new() -> Marks {
        Marks { ends: [0; WORDS], quotes: [0; WORDS] }
    }

    /// Marks a line, in room that has no marks yet. `false` for one that is too long, or in which a backslash or a control character stands:
    /// what they mean is left to the careful reader.
    #[inline]
    pub fn mark(&mut self, line: &[u8]) -> bool {
        if line.len() > LONGEST {
            return false;
        }
        let mut odd = u8x16::ZERO;
        let (parts, rest) = line.as_chunks::<64>();
        let mut places = self.ends.iter_mut().zip(&mut self.quotes);
        for (part, (ends, quotes)) in parts.iter().zip(&mut places) {
            (*ends, *quotes) = look(part, &mut odd);
        }
        // The last bytes are looked at together with letters, and the end of the line is marked.
        if let Some((ends, quotes)) = places.next() {
            let mut last = [b'x'; 64];
            last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
            (*ends, *quotes) = look(&last, &mut odd);
            *ends |= 1 << rest.len();
        }
        odd.to_bitmask() == 0
    }

    /// The first blank or double quote from a place on, or the end of the line; `None` behind it.
    #[inline]
    pub fn end(&self, from: usize) -> Option<usize> {
        next(&self.ends, from)
    }

    /// The first double quote from a place on.
    #[inline]
    pub fn quote(&self, from: usize) -> Option<usize> {
        next(&self.quotes, from)
    }
}

#[inline]
fn next(words: &[u64; WORDS], from: usize) -> Option<usize> {
    let word = words.get(from / 64)? >> (from % 64);
    if word != 0 {
        return Some(from + word.trailing_zeros() as usize);
    }
    let mut behind = words.iter().enumerate().skip(from / 64 + 1);
    behind.find(|(_, word)| **word != 0).map(|(n, word)| n * 64 + word.trailing_zeros() as usize)
}

/// The marks of 64 bytes: ends and quotes. Bytes that are left to the careful reader are put into `odd`.
#[inline(always)]
fn look(part: &[u8; 64], odd: &mut u8x16) -> (u64, u64) {
    let (blank, quote) = (u8x16::splat(b' '), u8x16::splat(b'"'));
    let (slash, control) = (u8x16::splat(b'\\'), u8x16::splat(0x1f));
    let (mut ends, mut quotes) = (0u64, 0u64);
    for (n, bytes) in part.as_chunks::<16>().0.iter().enumerate() {
        let bytes = u8x16::from(*bytes);
        let is_quote = bytes.simd_eq(quote);
        // What is not above the last control character is its own minimum with it.
        *odd |= bytes.simd_eq(slash) | bytes.min(control).simd_eq(bytes);
        ends |= u64::from((bytes.simd_eq(blank) | is_quote).to_bitmask()) << (16 * n);
        quotes |= u64::from(is_quote.to_bitmask()) << (16 * n);
    }
    (ends, quotes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(line: &[u8]) -> Option<Marks> {
        let mut marks = Marks::new();
        marks.mark(line).then_some(marks)
    }

    proptest! {
        /// The marks are what a look at each byte finds.
        #[test]
        fn marks_are_where_the_bytes_are(line in "([a-z\u{e4}]|[ \"!#\\[]){0,90}[a-z]{0,90}[ \"]{0,2}", from in 0usize..220) {
            let b = line.as_bytes();
            let marks = of(b).unwrap();
            let find = |is: fn(u8) -> bool| (from..b.len()).find(|at| is(b[*at]));
            let end = find(|b| b == b' ' || b == b'"').or((from <= b.len()).then_some(b.len()));
            prop_assert_eq!(marks.end(from), end);
            prop_assert_eq!(marks.quote(from), find(|b| b == b'"'));
        }

        /// Whatever stands anywhere else is left to the careful reader.
        #[test]
        fn odd_lines_are_left_alone(before in "[a-z \"]{0,150}", odd in "[\\\\\u{0}-\u{1f}]", after in "[a-z]{0,90}") {
            let line = format!("{before}{odd}{after}");
            prop_assert!(of(line.as_bytes()).is_none());
        }
    }

    #[test]
    fn long_lines_are_left_alone() {
        assert!(of(&[b'x'; LONGEST]).is_some_and(|marks| marks.end(0) == Some(LONGEST)));
        assert!(of(&[b'x'; LONGEST + 1]).is_none());
    }
}
