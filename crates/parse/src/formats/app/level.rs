//! Level words at a place where a line's head may have one.

use crate::formats::cursor::Cursor;
use whyline_event::Severity;

/// Takes a level word without brackets: `ERROR`, `WARN:`, `info:`. Words that also begin sentences (`Error reading ...`) are
/// taken only where punctuation follows.
pub fn bare<'a>(c: &mut Cursor<'a>) -> Option<&'a str> {
    // etcd's older log: `E | etcdserver: text`.
    if c.rest.get(1..4) == Some(" | ") && c.rest.starts_with(['C', 'E', 'W', 'N', 'I', 'D', 'T']) {
        return c.take(1);
    }
    let n = c.rest.find(|ch: char| !ch.is_alphabetic()).unwrap_or(c.rest.len());
    let word = c.rest.get(..n).filter(|w| w.len() > 1)?;
    Severity::from_word(word)?;
    let after = c.rest.get(n..)?;
    let next = after.bytes().next();
    let upper = word.bytes().all(|b| b.is_ascii_uppercase());
    let ambiguous =
        matches!(word, "HTTP" | "FAIL" | "STATEMENT" | "CONTEXT" | "DETAIL" | "HINT" | "LOG" | "NOTE" | "SYSTEM" | "ATTENTION" | "GRAVE");
    let fits = match next {
        Some(b':') => after.len() == 1 || !after.starts_with("://"),
        None | Some(b']' | b'|' | b'\t' | b'>') => true,
        // PgBouncer names the connection behind the level.
        Some(b' ') if upper && [" C-0x", " S-0x", " @"].iter().any(|mark| after.starts_with(mark)) => true,
        Some(b' ') => {
            upper && !ambiguous
                || after.starts_with("  ")
                || after.starts_with(" [")
                || after.starts_with(" - ")
                || after.starts_with(" | ")
        }
        Some(b'[' | b'(' | b'\n' | b';' | b'-') => upper && !ambiguous,
        Some(b',') => true,
        _ => false,
    };
    if !fits || word == "http" && !after.strip_prefix(": ").is_some_and(begins_with_method) {
        return None;
    }
    c.take(n)
}

/// `http` is a level of winston's, whose messages then are of requests; else it is a package that speaks (`http: TLS
/// handshake error`).
fn begins_with_method(text: &str) -> bool {
    crate::formats::fill::is_method(text.split(' ').next().unwrap_or(text))
}

/// Takes a level in brackets: `[INFO]`, `[ warn ]`, `<error>`, `(W)`, `[I]`, `{INFO}`, `|ERROR|`.
pub fn bracketed<'a>(c: &mut Cursor<'a>) -> Option<&'a str> {
    for (open, close) in [("[", "]"), ("<", ">"), ("(", ")"), ("{", "}"), ("|", "|")] {
        let mut here = *c;
        if let Some(inner) = here.between(open, close) {
            let word = inner.trim();
            if !word.is_empty() && word.len() <= 16 && Severity::from_word(word).is_some() {
                *c = here;
                return Some(word);
            }
            return None;
        }
    }
    None
}

/// Takes a level in either form.
pub fn any<'a>(c: &mut Cursor<'a>) -> Option<&'a str> {
    bare(c).or_else(|| bracketed(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (text, want) in [
            ("ERROR x", Some("ERROR")),
            ("Error reading x", None),
            ("Error: x", Some("Error")),
            ("info: x", Some("info")),
            ("[ warn ] x", Some("warn")),
            ("[I] x", Some("I")),
            ("I am", None),
            ("[main] x", None),
            ("HTTP GET", None),
            ("E | server: x", Some("E")),
            ("LOG C-0x55: x", Some("LOG")),
            ("http: panic serving", None),
            ("http: GET /x 200", Some("http")),
            ("INFO  | x", Some("INFO")),
            ("WARNUNG: x", Some("WARNUNG")),
        ] {
            assert_eq!(any(&mut Cursor::new(text)), want, "{text}");
        }
    }
}
