//! Fixed texts that are sought in every line.
//!
//! `str::find` prepares its search anew each time, which costs more than searching a line. A [`Needle`] is prepared when the program
//! is compiled: it knows the byte of its text that is rarest in logs, and looks at the text only where that byte stands.

use memchr::{memchr, memrchr};

/// A text that is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needle {
    text: &'static str,
    /// Its rarest byte, and where that stands in it.
    rare: u8,
    at: usize,
}

impl Needle {
    /// Prepares the search for a text, which must not be empty.
    pub const fn new(text: &'static str) -> Needle {
        let bytes = text.as_bytes();
        let (mut rare, mut at) = (bytes[0], 0);
        let mut n = 1;
        while n < bytes.len() {
            if commonness(bytes[n]) < commonness(rare) {
                (rare, at) = (bytes[n], n);
            }
            n += 1;
        }
        Needle { text, rare, at }
    }

    /// The text itself.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Where the text stands first.
    #[inline]
    pub fn find(&self, text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        let mut from = self.at;
        loop {
            from += memchr(self.rare, bytes.get(from..)?)?;
            let start = from - self.at;
            if bytes.get(start..).is_some_and(|rest| rest.starts_with(self.text.as_bytes())) {
                return Some(start);
            }
            from += 1;
        }
    }

    /// Where the text stands last.
    #[inline]
    pub fn rfind(&self, text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        let mut end = bytes.len();
        loop {
            end = memrchr(self.rare, bytes.get(..end)?)?;
            let start = end.checked_sub(self.at)?;
            if bytes.get(start..).is_some_and(|rest| rest.starts_with(self.text.as_bytes())) {
                return Some(start);
            }
        }
    }

    /// Whether the text stands anywhere.
    #[inline]
    pub fn is_in(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// What stands behind the first place of the text.
    #[inline]
    pub fn after<'a>(&self, text: &'a str) -> Option<&'a str> {
        self.find(text).and_then(|at| text.get(at + self.text.len()..))
    }

    /// What stands before and behind the first place of the text.
    #[inline]
    pub fn split<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
        let at = self.find(text)?;
        Some((text.get(..at)?, text.get(at + self.text.len()..)?))
    }
}

/// Needles for some texts.
pub const fn needles<const N: usize>(texts: [&'static str; N]) -> [Needle; N] {
    let mut made = [Needle { text: "", rare: 0, at: 0 }; N];
    let mut n = 0;
    while n < N {
        made[n] = Needle::new(texts[n]);
        n += 1;
    }
    made
}

/// How common a byte is in lines of logs, roughly.
const fn commonness(byte: u8) -> u8 {
    match byte {
        b' ' => 12,
        b'e' | b'0'..=b'9' => 10,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 9,
        b'c' | b'd' | b'l' | b'u' | b'm' | b'p' => 8,
        b'f' | b'g' | b'h' | b'b' | b'v' | b'w' | b'y' | b'k' | b':' | b'.' | b'-' | b'/' => 6,
        b'=' | b',' | b'_' | b'[' | b']' | b'"' | b'(' | b')' => 5,
        b'A'..=b'Z' => 3,
        b'j' | b'q' | b'x' | b'z' => 2,
        _ => 1,
    }
}

/// Where a text stands first that is known only now, and near: it is compared wherever its first byte stands.
pub fn find(text: &str, what: &str) -> Option<usize> {
    let Some(first) = what.bytes().next() else { return Some(0) };
    let bytes = text.as_bytes();
    memchr::memchr_iter(first, bytes).find(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(what.as_bytes())))
}

/// Where a byte stands first, for short texts of which it mostly stands near the beginning.
#[inline]
pub fn near(text: &str, byte: u8) -> Option<usize> {
    text.as_bytes().iter().position(|b| *b == byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOME: [Needle; 6] = needles(["a", "ab", "aab", " b: ", "xä", "bba="]);

    proptest! {
        /// A needle says what the library says.
        #[test]
        fn needles_find_what_stands_there(text in "[abäx =:]{0,24}") {
            for needle in SOME {
                prop_assert_eq!(needle.find(&text), text.find(needle.text()), "{} in {}", needle.text(), text);
                prop_assert_eq!(needle.rfind(&text), text.rfind(needle.text()), "{} in {}", needle.text(), text);
                prop_assert_eq!(needle.split(&text), text.split_once(needle.text()));
                prop_assert_eq!(needle.after(&text), text.split_once(needle.text()).map(|(_, rest)| rest));
                prop_assert_eq!(needle.is_in(&text), text.contains(needle.text()));
                prop_assert_eq!(find(&text, needle.text()), text.find(needle.text()));
            }
            prop_assert_eq!(near(&text, b'x'), text.find('x'));
        }
    }
}
