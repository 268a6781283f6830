//! Where runs of ASCII letters and digits stand in a text, marked sixteen bytes at a time. In a text of ASCII they are its words.

use wide::u8x16;

/// Hands over where each run begins and ends. A byte outside of ASCII ends a run, as a separator does.
#[inline]
pub(crate) fn each_run(bytes: &[u8], mut each: impl FnMut(usize, usize)) {
    // Where the run began that goes over the border of a block.
    let mut open = None;
    let (blocks, rest) = bytes.as_chunks::<64>();
    for (number, block) in blocks.iter().enumerate() {
        in_block(marks(block), number * 64, &mut open, &mut each);
    }
    // Blanks fill the last block up.
    let mut last = [b' '; 64];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    in_block(marks(&last), blocks.len() * 64, &mut open, &mut each);
}

/// Hands over the runs of a block that begins at `base`, a bit for each of its letters and digits.
#[inline(always)]
fn in_block(mut marks: u64, base: usize, open: &mut Option<usize>, each: &mut impl FnMut(usize, usize)) {
    if let Some(begun) = open.take() {
        let more = marks.trailing_ones();
        if more == 64 {
            *open = Some(begun);
            return;
        }
        each(begun, base + more as usize);
        marks &= u64::MAX << more;
    }
    while marks != 0 {
        let from = marks.trailing_zeros();
        let to = from + (marks >> from).trailing_ones();
        if to == 64 {
            *open = Some(base + from as usize);
            return;
        }
        each(base + from as usize, base + to as usize);
        marks &= u64::MAX << to;
    }
}

/// Hands over where each run begins and ends that has a digit.
#[inline]
pub(crate) fn each_run_with_digits(bytes: &[u8], mut each: impl FnMut(usize, usize)) {
    let mut border = Border::default();
    let (blocks, rest) = bytes.as_chunks::<64>();
    for (number, block) in blocks.iter().enumerate() {
        digits_in_block((marks(block), digits(block)), number * 64, &mut border, &mut each);
    }
    let mut last = [b' '; 64];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    digits_in_block((marks(&last), digits(&last)), blocks.len() * 64, &mut border, &mut each);
}

/// A run that goes over the border of a block.
#[derive(Default)]
struct Border {
    begun: Option<usize>,
    /// It has a digit in the blocks before.
    counts: bool,
}

/// Hands over the runs with digits of a block that begins at `base`: a bit for each letter and digit, and for each digit.
#[inline(always)]
fn digits_in_block((mut marks, digits): (u64, u64), base: usize, border: &mut Border, each: &mut impl FnMut(usize, usize)) {
    if let Some(begun) = border.begun.take() {
        let more = marks.trailing_ones();
        border.counts |= digits & below(more) != 0;
        if more == 64 {
            border.begun = Some(begun);
            return;
        }
        if border.counts {
            each(begun, base + more as usize);
        }
        marks &= !below(more);
    }
    let from = 64 - marks.leading_ones();
    if from < 64 {
        *border = Border { begun: Some(base + from as usize), counts: digits & !below(from) != 0 };
        marks &= below(from);
    }
    let mut digits = digits & marks;
    while digits != 0 {
        let at = digits.trailing_zeros();
        let from = 64 - (!marks & below(at)).leading_zeros();
        let to = at + (marks >> at).trailing_ones();
        each(base + from as usize, base + to as usize);
        digits &= !below(to);
    }
}

/// The bits below one.
#[inline(always)]
fn below(bit: u32) -> u64 {
    if bit >= 64 { u64::MAX } else { (1 << bit) - 1 }
}

#[inline(always)]
fn within(bytes: u8x16, low: u8, high: u8) -> u8x16 {
    bytes.max(u8x16::splat(low)).min(u8x16::splat(high)).simd_eq(bytes)
}

/// A bit for each of 64 bytes.
#[inline(always)]
fn bits(block: &[u8; 64], which: impl Fn(u8x16) -> u8x16) -> u64 {
    let sixteens = block.as_chunks::<16>().0.iter().enumerate();
    sixteens.fold(0, |all, (number, bytes)| all | u64::from(which(u8x16::from(*bytes)).to_bitmask()) << (16 * number))
}

/// A bit for each letter and digit of 64 bytes.
#[inline(always)]
fn marks(block: &[u8; 64]) -> u64 {
    // No other byte becomes a letter by the bit that makes letters small.
    bits(block, |bytes| within(bytes | u8x16::splat(0x20), b'a', b'z') | within(bytes, b'0', b'9'))
}

/// A bit for each digit of 64 bytes.
#[inline(always)]
fn digits(block: &[u8; 64]) -> u64 {
    bits(block, |bytes| within(bytes, b'0', b'9'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Runs are what a look at each byte finds.
        #[test]
        fn runs_are_where_the_letters_are(text in "([a-zA-Z0-9]{1,70}|[a-z]{1,70}|[a-z]{60,66}[0-9]|[ -~]{0,9}|\u{e4}|[ ]{0,65}){0,9}") {
            let bytes = text.as_bytes();
            let mut found = Vec::new();
            each_run(bytes, |from, to| found.push((from, to)));
            let joins = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
            let begins = (0..bytes.len()).filter(|at| joins(*at) && (*at == 0 || !joins(at - 1)));
            let plain: Vec<_> = begins.map(|from| (from, (from..).find(|at| !joins(*at)).unwrap())).collect();
            prop_assert_eq!(&found, &plain);
            let mut counted = Vec::new();
            each_run_with_digits(bytes, |from, to| counted.push((from, to)));
            counted.sort_unstable();
            found.retain(|(from, to)| bytes[*from..*to].iter().any(u8::is_ascii_digit));
            prop_assert_eq!(counted, found);
        }
    }

    #[test]
    fn only_letters_and_digits() {
        for byte in 0..=u8::MAX {
            let mut block = [b' '; 64];
            block[17] = byte;
            assert_eq!(marks(&block), u64::from(byte.is_ascii_alphanumeric()) << 17, "{byte:#x}");
        }
    }
}
