//! Where the columns of lines may end: blanks, double quotes and line ends, marked sixteen bytes at a time before the lines are read.
//!
//! A whole block is marked in one go ([`Page`]), which finds its lines as well; a text that stands alone has room of its own ([`Own`]).

use wide::u8x16;

/// The marks of one line.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'m> {
    /// Blanks, double quotes, and the end of the line; a bit a byte.
    ends: &'m [u64],
    /// Double quotes.
    quotes: &'m [u64],
    /// The bit of the line's first byte.
    base: usize,
}

impl Marks<'_> {
    /// The first blank or double quote from a place on, or the end of the line. Behind that, what it says is of no meaning.
    #[inline(always)]
    pub fn end(&self, from: usize) -> Option<usize> {
        next(self.ends, self.base + from).map(|at| at - self.base)
    }

    /// The first double quote from a place on; one behind the end of the line is of no meaning.
    #[inline(always)]
    pub fn quote(&self, from: usize) -> Option<usize> {
        next(self.quotes, self.base + from).map(|at| at - self.base)
    }
}

#[inline(always)]
fn next(words: &[u64], from: usize) -> Option<usize> {
    let word = words.get(from / 64)? >> (from % 64);
    if word != 0 {
        return Some(from + word.trailing_zeros() as usize);
    }
    next_word(words, from / 64 + 1)
}

#[inline]
fn next_word(words: &[u64], first: usize) -> Option<usize> {
    let mut behind = words.iter().enumerate().skip(first);
    behind.find(|(_, word)| **word != 0).map(|(n, word)| n * 64 + word.trailing_zeros() as usize)
}

/// Words of marks of a text that stands alone, a bit a byte.
const WORDS: usize = 32;
/// Longer ones are not marked; the end of the text is marked as well.
const LONGEST: usize = WORDS * 64 - 1;

/// Room for the marks of one line that stands alone.
pub struct Own {
    ends: [u64; WORDS],
    quotes: [u64; WORDS],
}

impl Default for Own {
    /// Room without marks.
    #[inline]
    fn default() -> Own {
        Own { ends: [0; WORDS], quotes: [0; WORDS] }
    }
}

impl Own {
    /// The marks of a line. `None` for one that is too long, or in which a backslash or a control character stands: what they mean is
    /// left to a careful reader.
    #[inline]
    pub fn mark(&mut self, line: &[u8]) -> Option<Marks<'_>> {
        if line.len() > LONGEST {
            return None;
        }
        let mut odd = false;
        let (parts, rest) = line.as_chunks::<64>();
        let mut places = self.ends.iter_mut().zip(&mut self.quotes);
        for (part, (ends, quotes)) in parts.iter().zip(&mut places) {
            let seen = look(part);
            (*ends, *quotes) = (seen.ends, seen.quotes);
            odd |= seen.odd;
        }
        if let Some((ends, quotes)) = places.next() {
            let seen = look(&padded(rest));
            (*ends, *quotes) = (seen.ends | 1 << rest.len(), seen.quotes);
            odd |= seen.odd;
        }
        (!odd).then_some(Marks { ends: &self.ends, quotes: &self.quotes, base: 0 })
    }
}

/// The marks of a block, and where its lines end.
#[derive(Debug, Default)]
pub struct Page {
    ends: Vec<u64>,
    quotes: Vec<u64>,
    /// Where the line ends stand.
    lines: Vec<usize>,
    /// Words in which backslashes stand, or control characters other than the end of a line; ascending.
    odd: Vec<usize>,
}

impl Page {
    /// Marks a block in place of the one before.
    pub fn mark(&mut self, block: &[u8]) {
        self.lines.clear();
        self.odd.clear();
        let words = block.len() / 64 + 1;
        self.ends.resize(words, 0);
        self.quotes.resize(words, 0);
        let (parts, rest) = block.as_chunks::<64>();
        for (n, part) in parts.iter().enumerate() {
            let seen = look(part);
            if let (Some(ends), Some(quotes)) = (self.ends.get_mut(n), self.quotes.get_mut(n)) {
                (*ends, *quotes) = (seen.ends, seen.quotes);
            }
            if seen.odd {
                self.closer(n, part);
            }
        }
        if let (Some(ends), Some(quotes)) = (self.ends.last_mut(), self.quotes.last_mut()) {
            let (n, last) = (parts.len(), padded(rest));
            let seen = look(&last);
            (*ends, *quotes) = (seen.ends | 1 << rest.len(), seen.quotes);
            if seen.odd {
                self.closer(n, &last);
            }
        }
    }

    /// Looks again at a word with backslashes or control characters: one of several, so that the first look needs not tell them apart.
    #[inline]
    fn closer(&mut self, n: usize, part: &[u8; 64]) {
        let (slash, control) = (u8x16::splat(b'\\'), u8x16::splat(0x1f));
        let all = bits(part, |bytes| bytes.simd_eq(slash) | bytes.min(control).simd_eq(bytes));
        let lines = bits(part, |bytes| bytes.simd_eq(u8x16::splat(b'\n')));
        let mut returns = 0;
        if all != lines {
            // Carriage returns right before line feeds belong to the ends of lines.
            returns = bits(part, |bytes| bytes.simd_eq(u8x16::splat(b'\r'))) & (lines >> 1);
            if all & !lines & !returns != 0 {
                self.odd.push(n);
            }
        }
        if let Some(ends) = self.ends.get_mut(n) {
            *ends |= lines | returns;
        }
        let mut left = lines;
        while left != 0 {
            self.lines.push(n * 64 + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }

    /// Where the line ends of the block stand, in order. The last line may lack one.
    pub fn lines(&self) -> &[usize] {
        &self.lines
    }

    /// Whether nothing odd stands anywhere in the block: no backslash, and no control character but the ends of lines.
    pub fn is_plain(&self) -> bool {
        self.odd.is_empty()
    }

    /// The marks of a line that begins at `start` and has `length` bytes without its end. `None` where a backslash or a control
    /// character stands in it, or next to it.
    #[inline]
    pub fn line(&self, start: usize, length: usize) -> Option<Marks<'_>> {
        let (first, last) = (start / 64, (start + length) / 64);
        if !self.odd.is_empty() {
            let at = self.odd.partition_point(|word| *word < first);
            if self.odd.get(at).is_some_and(|word| *word <= last) {
                return None;
            }
        }
        Some(Marks { ends: self.ends.get(first..=last)?, quotes: self.quotes.get(first..=last)?, base: start % 64 })
    }
}

/// The last bytes of a text, with letters behind them.
#[inline]
pub(crate) fn padded(rest: &[u8]) -> [u8; 64] {
    let mut last = [b'x'; 64];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    last
}

/// What 64 bytes hold.
struct Seen {
    ends: u64,
    quotes: u64,
    /// A backslash or a control character is among them.
    odd: bool,
}

#[inline(always)]
fn look(part: &[u8; 64]) -> Seen {
    let (blank, quote, slash) = (u8x16::splat(b' '), u8x16::splat(b'"'), u8x16::splat(b'\\'));
    let (mut ends, mut quotes) = (0u64, 0u64);
    // The least of all bytes tells of control characters, the least of what is left of them without a backslash tells of backslashes.
    let (mut least, mut left) = (u8x16::splat(0xff), u8x16::splat(0xff));
    for (n, bytes) in part.as_chunks::<16>().0.iter().enumerate() {
        let bytes = u8x16::from(*bytes);
        let is_quote = bytes.simd_eq(quote);
        least = least.min(bytes);
        left = left.min(bytes ^ slash);
        ends |= u64::from((bytes.simd_eq(blank) | is_quote).to_bitmask()) << (16 * n);
        quotes |= u64::from(is_quote.to_bitmask()) << (16 * n);
    }
    // What is not above the last control character is its own minimum with it.
    let odd = least.min(u8x16::splat(0x1f)).simd_eq(least) | left.simd_eq(u8x16::ZERO);
    Seen { ends, quotes, odd: odd.to_bitmask() != 0 }
}

/// A bit for each of the bytes for which something holds.
#[inline(always)]
pub(crate) fn bits(part: &[u8; 64], holds: impl Fn(u8x16) -> u8x16) -> u64 {
    let parts = part.as_chunks::<16>().0.iter().enumerate();
    parts.fold(0, |bits, (n, bytes)| bits | u64::from(holds(u8x16::from(*bytes)).to_bitmask()) << (16 * n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a look at each byte finds: ends and quotes from each place on.
    fn check(line: &[u8], marks: &Marks<'_>) {
        for from in 0..=line.len() {
            let find = |is: fn(u8) -> bool| (from..line.len()).find(|at| is(line[*at]));
            let end = find(|b| b == b' ' || b == b'"').or(Some(line.len()));
            assert_eq!(marks.end(from), end);
            assert_eq!(marks.quote(from).filter(|at| *at < line.len()), find(|b| b == b'"'));
        }
    }

    proptest! {
        /// The marks are what a look at each byte finds.
        #[test]
        fn marks_are_where_the_bytes_are(line in "([a-z\u{e4}]|[ \"!#\\[]){0,90}[a-z]{0,90}[ \"]{0,2}") {
            check(line.as_bytes(), &Own::default().mark(line.as_bytes()).unwrap());
        }

        /// Whatever stands anywhere else is left to the careful reader.
        #[test]
        fn odd_lines_are_left_alone(before in "[a-z \"]{0,150}", odd in "[\\\\\u{0}-\u{1f}]", after in "[a-z]{0,90}") {
            let line = format!("{before}{odd}{after}");
            prop_assert!(Own::default().mark(line.as_bytes()).is_none());
        }

        /// A block has the lines and the marks that a look at each byte finds; odd lines have none, and few others.
        #[test]
        fn pages_are_their_lines(
            lines in prop::collection::vec(("[a-z\u{e4} \"]{0,150}", prop::option::weighted(0.1, "[\\\\\u{0}-\u{9}\u{b}-\u{1f}]")), 0..12),
            crlf in any::<bool>(),
            ended in any::<bool>(),
        ) {
            let mut block = Vec::new();
            let mut spans = Vec::new();
            for (at, (text, odd)) in lines.iter().enumerate() {
                let start = block.len();
                block.extend_from_slice(text.as_bytes());
                block.extend_from_slice(odd.as_deref().unwrap_or("").as_bytes());
                let feed = at + 1 < lines.len() || ended;
                // A carriage return right before the line feed is no part of the line, whoever wrote it.
                let returned = feed && !crlf && odd.as_deref() == Some("\r");
                spans.push((start, block.len() - usize::from(returned), odd.is_some() && !returned));
                if feed {
                    block.extend_from_slice(if crlf { b"\r\n" } else { b"\n" });
                }
            }
            let mut page = Page::default();
            page.mark(b"one before \\ it\n");
            page.mark(&block);
            let ends: Vec<usize> = memchr::memchr_iter(b'\n', &block).collect();
            prop_assert_eq!(page.lines(), &ends[..]);
            for (start, end, odd) in &spans {
                let marks = page.line(*start, end - start);
                if let Some(marks) = &marks {
                    check(&block[*start..*end], marks);
                }
                // A carriage return is told from others by its line feed, which may lie in the next word.
                prop_assert!(!odd || marks.is_none());
                if !crlf && lines.iter().all(|(_, odd)| odd.is_none()) {
                    prop_assert!(marks.is_some() && page.is_plain());
                }
            }
        }
    }

    #[test]
    fn long_lines_are_left_alone() {
        let mut own = Own::default();
        assert!(own.mark(&[b'x'; LONGEST]).is_some_and(|marks| marks.end(0) == Some(LONGEST)));
        assert!(Own::default().mark(&[b'x'; LONGEST + 1]).is_none());
    }
}
