//! Cutting the head of a line, piece by piece.
//!
//! A [`Cursor`] stands in a text and takes what it is asked for, or takes nothing. It never splits a character and never
//! panics, so that a format can be written as a sequence of `?`.

use crate::seek;
use crate::stamp;
use whyline_event::Stamp;

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    /// What is still to be read.
    pub rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// At the beginning of a text.
    pub fn new(text: &'a str) -> Self {
        Cursor { rest: text }
    }

    /// Takes `what` if it stands here.
    pub fn eat(&mut self, what: &str) -> bool {
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes `what`, or fails.
    pub fn must(&mut self, what: &str) -> Option<()> {
        self.eat(what).then_some(())
    }

    /// Takes blanks and tabs; returns how many.
    pub fn blanks(&mut self) -> usize {
        let n = self.rest.bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
        self.rest = self.rest.get(n..).unwrap_or("");
        n
    }

    /// Takes `n` bytes; fails where that would split a character.
    pub fn take(&mut self, n: usize) -> Option<&'a str> {
        let (head, rest) = (self.rest.get(..n)?, self.rest.get(n..)?);
        self.rest = rest;
        Some(head)
    }

    /// Takes bytes as long as they are wanted; ASCII only. Fails when there is none.
    pub fn run(&mut self, wanted: impl Fn(u8) -> bool) -> Option<&'a str> {
        let n = self.rest.bytes().take_while(|b| b.is_ascii() && wanted(*b)).count();
        if n == 0 { None } else { self.take(n) }
    }

    /// Takes a run of digits.
    pub fn digits(&mut self) -> Option<&'a str> {
        self.run(|b| b.is_ascii_digit())
    }

    /// Takes everything before `end`, and `end`. Stays on its line.
    pub fn until(&mut self, end: &str) -> Option<&'a str> {
        let at = match end.as_bytes() {
            // Mostly a bracket that is near.
            [close] => {
                self.rest.bytes().position(|b| b == *close || b == b'\n').filter(|at| self.rest.as_bytes().get(*at) == Some(close))?
            }
            _ => seek::find(self.rest, end)?,
        };
        let head = self.rest.get(..at)?;
        if end.len() > 1 && head.contains('\n') {
            return None;
        }
        self.rest = self.rest.get(at + end.len()..)?;
        Some(head)
    }

    /// Takes a word: everything before a blank or the end of the line. Fails when there is none.
    pub fn word(&mut self) -> Option<&'a str> {
        Some(self.peek()).filter(|word| !word.is_empty()).and_then(|word| self.take(word.len()))
    }

    /// The word that stands here, without taking it.
    pub fn peek(&self) -> &'a str {
        let n = self.rest.bytes().position(|b| matches!(b, b' ' | b'\t' | b'\n')).unwrap_or(self.rest.len());
        self.rest.get(..n).unwrap_or("")
    }

    /// Takes what stands between `open` and the next `close` on this line.
    pub fn between(&mut self, open: &str, close: &str) -> Option<&'a str> {
        let mut here = *self;
        here.must(open)?;
        let inner = here.until(close)?;
        *self = here;
        Some(inner)
    }

    /// Takes a time stamp in any notation.
    pub fn stamp(&mut self) -> Option<Stamp> {
        self.stamp_by(stamp::prefix)
    }

    /// Takes a time stamp in the notation of a function of [`crate::stamp`].
    pub fn stamp_by(&mut self, notation: impl Fn(&str) -> Option<(Stamp, usize)>) -> Option<Stamp> {
        let (stamp, used) = notation(self.rest)?;
        self.take(used)?;
        Some(stamp)
    }

    /// Whether the line ends here.
    pub fn at_end(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with('\n')
    }
}

/// The first bytes of a text, at most so many, up to a character's end.
pub fn beginning(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// The first line of a text.
pub fn first_line(text: &str) -> &str {
    match memchr::memchr(b'\n', text.as_bytes()) {
        Some(n) => text.get(..n).unwrap_or(text),
        None => text,
    }
}

/// Whether a line surely begins a record, in whatever format: with a full date, or as a whole JSON object. Where several
/// programs write into one file, such a line is no continuation of a record of the format that prevails.
pub fn begins_record(line: &str) -> bool {
    let bare = line.strip_prefix(['[', '<']).unwrap_or(line);
    match bare.as_bytes() {
        [b'{', b'"', ..] => line.trim_end().ends_with('}'),
        [b'0'..=b'9', b'0'..=b'9', ..] => [stamp::iso, stamp::clf].iter().any(|notation| notation(bare).is_some()),
        [b'A'..=b'Z', b'a'..=b'z', b'a'..=b'z', b' ', ..] => stamp::syslog(bare).is_some(),
        _ => false,
    }
}

/// Whether a text begins and ends with letters, digits or signs, so that nothing has to be taken off it.
#[inline(always)]
pub fn is_tight(text: &str) -> bool {
    let b = text.as_bytes();
    b.first().is_some_and(u8::is_ascii_graphic) && b.last().is_some_and(u8::is_ascii_graphic)
}

/// The text without blanks at its ends, which mostly has none.
pub fn trimmed(text: &str) -> &str {
    if is_tight(text) { text } else { text.trim() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces() {
        let mut c = Cursor::new("<13>[main] über 7");
        assert_eq!(c.between("<", ">"), Some("13"));
        assert_eq!(c.between("[", "]"), Some("main"));
        assert_eq!(c.blanks(), 1);
        assert_eq!(c.digits(), None);
        assert_eq!(c.take(1), None);
        assert_eq!(c.word(), Some("über"));
        c.blanks();
        assert_eq!(c.digits(), Some("7"));
        assert!(c.at_end());
        assert_eq!(first_line("a\nb"), "a");
        for (line, want) in [
            ("[2026-11-21 10:00:00 +0100] [7] x", true),
            ("Nov 21 10:00:00 web1 x", true),
            ("{\"a\":1}", true),
            ("{", false),
            ("  2026-11-21 10:00:00", false),
            ("Now 21 x", false),
        ] {
            assert_eq!(begins_record(line), want, "{line}");
        }
    }
}
