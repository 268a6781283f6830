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
    let value = Value::usual_seconds(line.get(from..)?.first_chunk()?)?;
    ends_at(line, from + 5).then_some((value, from + 5))
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

/// Where a run of digits, dots and (with `colons`) colons ends that is no longer than fifteen letters, and how many dots it has. A longer
/// one is handed over as far as it was looked at.
#[inline]
pub fn digits_and_dots(line: &[u8], from: usize, colons: bool) -> (usize, u32) {
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
    let among = u64::from(dots.to_bitmask()) & ((1 << run) - 1);
    (from + run as usize, among.count_ones())
}

/// Whether a text begins and ends with letters, digits or signs, so that nothing has to be taken off it.
#[inline(always)]
pub fn is_tight(text: &str) -> bool {
    let b = text.as_bytes();
    b.first().is_some_and(u8::is_ascii_graphic) && b.last().is_some_and(u8::is_ascii_graphic)
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
            if let Some((found, at)) = number(b, from) {
                prop_assert_eq!((Ok(found), at), (value.parse::<i64>(), end));
            }
            for colons in [false, true] {
                let fits = |b: &u8| b.is_ascii_digit() || *b == b'.' || colons && *b == b':';
                let run = line[from..].bytes().take_while(fits).count().min(16);
                let dots = line[from..from + run].bytes().filter(|b| *b == b'.').count();
                prop_assert_eq!(digits_and_dots(b, from, colons), (from + run, dots as u32));
            }
        }
    }

    #[test]
    fn usual_forms_are_read() {
        assert_eq!(seconds(b"rt=0.074 x", 3), Some((Value::Duration(74_000_000), 8)));
        assert_eq!(number(b"5733", 0), Some((5733, 4)));
        assert_eq!((number(b"12,", 0), number(b"", 0), number(b"1234567890123", 0)), (None, None, None));
    }
}
