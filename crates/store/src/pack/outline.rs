//! Outlines: texts that differ in nothing but numbers have one outline. A dictionary of paths with ids in them has many entries and
//! few outlines, so a question whose answer no number can change is put to the outlines.
//!
//! An outline is the text with every number in it replaced by `0`. A number is a whole word of digits: on neither side stands a
//! letter, a digit, or anything else than ASCII.

use rustc_hash::FxHashMap;

/// Dictionaries with fewer entries are asked entry by entry.
const FEWEST: usize = 16;
/// Outlines are kept where they are so many times fewer than entries.
const WORTH: usize = 3;

/// The outlines of the entries of a dictionary.
#[derive(Default)]
pub(crate) struct Outlines {
    pub(crate) text: String,
    pub(crate) ends: Vec<u32>,
    /// For each entry the number of its outline.
    pub(crate) of: Vec<u32>,
}

/// The outlines of entries, where they are worth keeping.
pub(crate) fn outlines<'t>(entries: impl ExactSizeIterator<Item = &'t str>) -> Option<Outlines> {
    let count = entries.len();
    if count < FEWEST {
        return None;
    }
    let mut outlines = Outlines::default();
    let mut numbers: FxHashMap<Box<str>, u32> = FxHashMap::default();
    let mut buffer = String::new();
    for entry in entries {
        write(entry, &mut buffer);
        let number = match numbers.get(buffer.as_str()) {
            Some(number) => *number,
            None if numbers.len() >= count / WORTH => return None,
            None => {
                let number = outlines.ends.len() as u32;
                outlines.text.push_str(&buffer);
                outlines.ends.push(outlines.text.len() as u32);
                numbers.insert(buffer.as_str().into(), number);
                number
            }
        };
        outlines.of.push(number);
    }
    Some(outlines)
}

fn is_part_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The runs of bytes that make words or parts of them: from, to, and whether all are digits.
fn runs(text: &str) -> impl Iterator<Item = (usize, usize, bool)> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes.get(at..)?.iter().position(|b| is_part_of_word(*b))?;
        let from = at;
        let mut digits = true;
        while let Some(byte) = bytes.get(at).filter(|b| is_part_of_word(**b)) {
            digits &= byte.is_ascii_digit();
            at += 1;
        }
        Some((from, at, digits))
    })
}

fn write(text: &str, out: &mut String) {
    out.clear();
    let mut last = 0;
    for (from, to, _) in runs(text).filter(|(.., digits)| *digits) {
        out.push_str(text.get(last..from).unwrap_or(""));
        out.push('0');
        last = to;
    }
    out.push_str(text.get(last..).unwrap_or(""));
}

/// Whether a text, wherever it stands in another one, touches none of its numbers; so it stands in the outline as often as in the
/// text itself. What has a letter next to its digits is no number, however it goes on.
pub(crate) fn is_beside_numbers(text: &str) -> bool {
    runs(text).all(|(.., digits)| !digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> String {
        let mut out = String::new();
        write(text, &mut out);
        out
    }

    #[test]
    fn numbers_are_replaced_and_nothing_else() {
        for (text, want) in [
            ("/api/v1/products/1234/x7", "/api/v1/products/0/x7"),
            ("007 10.0.0.3:8080-5s", "0 0.0.0.0:0-5s"),
            ("größe2 2größe 3", "größe2 2größe 0"),
            ("", ""),
            ("9", "0"),
        ] {
            assert_eq!(outline(text), want);
        }
        assert!(is_beside_numbers("/api/v1/") && is_beside_numbers("v1") && is_beside_numbers("abc") && is_beside_numbers("2größe"));
        assert!(!is_beside_numbers("/7") && !is_beside_numbers("7") && !is_beside_numbers("api/12/x"));
    }

    #[test]
    fn outlines_of_a_dictionary() {
        let paths: Vec<String> = (0..300).map(|n| format!("/{}/{n}", ["a", "b"][n % 2])).collect();
        let found = outlines(paths.iter().map(String::as_str)).unwrap();
        assert_eq!((found.text.as_str(), found.ends.as_slice()), ("/a/0/b/0", &[4, 8][..]));
        assert!(found.of.iter().enumerate().all(|(n, of)| n as u32 % 2 == *of));
        let ids: Vec<String> = (0..300).map(|n| format!("x{n}")).collect();
        assert!(outlines(ids.iter().map(String::as_str)).is_none());
    }
}
