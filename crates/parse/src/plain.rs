//! Text without the colours that programs write for terminals.

use memchr::memmem;
use whyline_event::Bump;

/// The escape character, as syslog daemons write it in files.
const WRITTEN: &[u8] = b"#033[";

/// What a block holds that asks for a closer look at its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odd {
    /// Colours, perhaps.
    pub coloured: bool,
    /// NUL bytes.
    pub torn: bool,
}

/// Looks through a whole block. `strangers`: its lines are requests, whose text was never written for a terminal by whoever wrote the log,
/// so an escape character in them stands for itself where it is written as digits.
pub fn odd(bytes: &[u8], strangers: bool) -> Odd {
    let mut odd = Odd { coloured: !strangers && memmem::find(bytes, WRITTEN).is_some(), torn: false };
    for at in memchr::memchr2_iter(0, 0x1b, bytes) {
        match bytes.get(at) {
            Some(0) => odd.torn = true,
            _ => odd.coloured = true,
        }
        if odd.torn && odd.coloured {
            break;
        }
    }
    odd
}

/// Whether a text may hold colours at all.
fn is_coloured(bytes: &[u8]) -> bool {
    memchr::memchr(0x1b, bytes).is_some() || memmem::find(bytes, WRITTEN).is_some()
}

/// The text without escape sequences; itself where it has none.
pub fn plain<'a>(arena: &'a Bump, text: &'a str) -> &'a str {
    if !is_coloured(text.as_bytes()) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, skip)) = next(rest) {
        out.push_str(rest.get(..at).unwrap_or(""));
        rest = rest.get(at + skip..).unwrap_or("");
    }
    out.push_str(rest);
    arena.alloc_str(&out)
}

/// Where the next sequence begins, and its length.
fn next(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let raw = memchr::memchr(0x1b, bytes);
    let written = memmem::find(bytes, WRITTEN);
    let at = match (raw, written) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b)?,
    };
    let mark = if bytes.get(at) == Some(&0x1b) { 1 } else { 4 };
    let after = bytes.get(at + mark..)?;
    if after.first() != Some(&b'[') {
        // An escape that begins no sequence goes alone.
        return Some((at, mark));
    }
    // Parameters, then one letter. A sequence that is cut off ends with the text.
    let n = after.iter().skip(1).take_while(|b| matches!(b, b'0'..=b'9' | b';' | b':' | b'?' | b' ')).count();
    let end = after.get(1 + n).is_some_and(|b| (0x40..0x7f).contains(b));
    Some((at, mark + 1 + n + usize::from(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours() {
        let arena = Bump::new();
        for (text, want) in [
            ("\u{1b}[32minfo\u{1b}[39m: ready", "info: ready"),
            ("[\u{1b}[1;31mERROR\u{1b}[0m] no", "[ERROR] no"),
            ("#033[1;44m[D] x#033[0m", "[D] x"),
            ("cut \u{1b}[3", "cut "),
            ("a\u{1b}b", "ab"),
            ("plain", "plain"),
            ("ü\u{1b}[0mü", "üü"),
        ] {
            assert_eq!(plain(&arena, text), want, "{text:?}");
        }
    }
}
