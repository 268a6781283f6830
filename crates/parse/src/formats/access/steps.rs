//! Values that are read where they stand, without looking for their end first: the usual forms of numbers, times and addresses.
//!
//! Each reads only its usual form, followed by a blank or the end of the line, and says nothing of any other.

use whyline_event::{Key, Value};
use wide::u8x16;

/// What is known beforehand of a column's value, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing that would make a difference.
    Any,
    /// A duration in seconds, mostly with three digits behind the dot.
    Seconds(Key),
    /// A whole number.
    Number(Key),
    /// The address of an upstream, with its port.
    Endpoint,
    /// Text in quotes.
    Quoted(Key),
    /// Text behind a key.
    Word(Key),
    /// A value that only its writer knows, behind a key: usual is a word.
    Name,
}

/// The eight bytes at a place, the first one lowest.
#[inline]
pub fn eight(line: &[u8], at: usize) -> Option<u64> {
    line.get(at..)?.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Whether a column ends at a place.
#[inline]
pub fn ends_at(line: &[u8], at: usize) -> bool {
    line.get(at).is_none_or(|b| *b == b' ')
}

/// `0.004`: a duration, and where it ends.
#[inline(always)]
pub fn seconds(line: &[u8], from: usize) -> Option<(Value<'static>, usize)> {
    if let Some(word) = eight(line, from) {
        let digits = digits_as(b"0.000 ", word)?;
        let digit = |at| digit(digits, at);
        let millis = digit(0) * 1000 + digit(2) * 100 + digit(3) * 10 + digit(4);
        return Some((Value::Duration(millis * 1_000_000), from + 5));
    }
    let value = Value::usual_seconds(line.get(from..)?.first_chunk()?)?;
    ends_at(line, from + 5).then_some((value, from + 5))
}

/// Three digits, followed by a blank or the end of the line.
#[inline(always)]
pub fn three_digits(line: &[u8], from: usize) -> Option<i64> {
    if let Some(word) = eight(line, from) {
        let digits = digits_as(b"000 ", word)?;
        let digit = |at| digit(digits, at);
        return Some(digit(0) * 100 + digit(1) * 10 + digit(2));
    }
    number(line, from).filter(|(_, end)| *end == from + 3).map(|(number, _)| number)
}

/// Holds eight bytes against a form, in which `0` stands for any digit and everything else for itself. The digits, a byte each; `None`
/// where the bytes are not so.
#[inline(always)]
fn digits_as<const N: usize>(form: &[u8; N], word: u64) -> Option<u64> {
    // What must be added for a byte that does not fit to reach its highest bit.
    let (mut zeros, mut limits, mut highest) = (0u64, 0u64, 0u64);
    for (at, byte) in form.iter().enumerate().take(8) {
        zeros |= u64::from(*byte) << (8 * at);
        limits |= (if *byte == b'0' { 0x76 } else { 0x7f }) << (8 * at);
        highest |= 0x80 << (8 * at);
    }
    let left = (word ^ zeros) & (highest | (highest - (highest >> 7)));
    // Bytes that are too high themselves may carry into the next one, but are seen by their own highest bit.
    ((left | left.wrapping_add(limits)) & highest == 0).then_some(left)
}

/// The digit in a place of what [`digits_as`] found.
#[inline(always)]
fn digit(digits: u64, at: u32) -> i64 {
    (digits >> (8 * at) & 0xf) as i64
}

/// A whole number of up to twelve digits, and where it ends.
#[inline(always)]
pub fn number(line: &[u8], from: usize) -> Option<(i64, usize)> {
    let (mut number, mut at) = (0i64, from);
    while let Some(digit) = line.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        number = number * 10 + i64::from(digit);
        at += 1;
        if at > from + 12 {
            return None;
        }
    }
    (at > from && ends_at(line, at)).then_some((number, at))
}

/// Where a run of digits, dots and (with `colons`) colons ends that is no longer than fifteen letters, and where its dots are, a bit a
/// letter. A longer one is handed over as far as it was looked at.
#[inline]
pub fn digits_and_dots(line: &[u8], from: usize, colons: bool) -> (usize, u64) {
    let rest = line.get(from..).unwrap_or(&[]);
    let bytes = match rest.first_chunk::<16>() {
        Some(bytes) => u8x16::from(*bytes),
        None => {
            let mut bytes = [0; 16];
            bytes.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
            u8x16::from(bytes)
        }
    };
    let dots = bytes.simd_eq(u8x16::splat(b'.'));
    // The colon stands right behind the nine.
    let (low, high) = (u8x16::splat(b'0'), u8x16::splat(if colons { b':' } else { b'9' }));
    let digits = bytes.max(low).simd_eq(bytes) & bytes.min(high).simd_eq(bytes);
    let run = (!(digits | dots).to_bitmask()).trailing_zeros().min(16);
    (from + run as usize, u64::from(dots.to_bitmask()) & ((1 << run) - 1))
}

/// Whether just three bits are set; processors that count bits themselves are not taken for granted.
#[inline]
pub fn are_three(bits: u64) -> bool {
    let without_lowest = |bits: u64| bits & bits.wrapping_sub(1);
    let third = without_lowest(without_lowest(bits));
    third != 0 && without_lowest(third) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is read in place is what the value says when it is cut out first.
        #[test]
        fn values_in_place_are_those_of_the_text(before in "[a-z ]{0,3}", text in "[0-9]{0,14}|[0-9]\\.[0-9]{3}|[0-9.:a/-]{0,20}", after in "| |,| x{20}") {
            let line = format!("{before}{text}{after}");
            let (b, from) = (line.as_bytes(), before.len());
            let end = line[from..].find(' ').map_or(line.len(), |at| from + at);
            let value = &line[from..end];
            if let Some((found, at)) = seconds(b, from) {
                prop_assert_eq!((Some(found), at), (Value::seconds(value), end));
            }
            prop_assert_eq!(three_digits(b, from), number(b, from).filter(|_| value.len() == 3).map(|(number, _)| number));
            if let Some((found, at)) = number(b, from) {
                prop_assert_eq!((Ok(found), at), (value.parse::<i64>(), end));
            }
            for colons in [false, true] {
                let fits = |b: &u8| b.is_ascii_digit() || *b == b'.' || colons && *b == b':';
                let run = line[from..].bytes().take_while(fits).count().min(16);
                let dots = line[from..from + run].bytes().enumerate().filter(|(_, b)| *b == b'.').fold(0, |dots, (at, _)| dots | 1 << at);
                prop_assert_eq!(digits_and_dots(b, from, colons), (from + run, dots));
                prop_assert_eq!(are_three(dots), dots.count_ones() == 3);
            }
        }
    }

    proptest! {
        /// Eight bytes at once say what a look at each says.
        #[test]
        fn forms_are_those_of_each_byte(bytes in prop::array::uniform8(prop::sample::select(b"0123456789/:. \0\x7f\x80\xb0\xae\xff".to_vec()))) {
            let fits = |form: &[u8]| form.iter().zip(&bytes).all(|(f, b)| if *f == b'0' { b.is_ascii_digit() } else { f == b });
            let word = u64::from_le_bytes(bytes);
            prop_assert_eq!(digits_as(b"000 ", word).is_some(), fits(b"000 "));
            prop_assert_eq!(digits_as(b"0.", word).is_some(), fits(b"0."));
            prop_assert_eq!(digits_as(b"0", word), fits(b"0").then_some(word & 0xf));
        }
    }

    #[test]
    fn usual_forms_are_read() {
        assert_eq!(seconds(b"rt=0.074 x", 3), Some((Value::Duration(74_000_000), 8)));
        assert_eq!(seconds(b"rt=9.185 uct", 3), Some((Value::Duration(9_185_000_000), 8)));
        assert_eq!(
            (three_digits(b"502 1234567", 0), three_digits(b"502", 0), three_digits(b"5021 12345", 0)),
            (Some(502), Some(502), None)
        );
        assert_eq!(number(b"5733", 0), Some((5733, 4)));
        assert_eq!((number(b"12,", 0), number(b"", 0), number(b"1234567890123", 0)), (None, None, None));
    }
}
