//! Regular expressions that somebody wrote: where they are wrong, how much they demand of a line.

use super::{Flaw, Part};
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::ops::Range;

/// Longer expressions are refused.
const LONGEST: usize = 8 << 10;
/// Deepest nesting of groups.
const DEEPEST: u32 = 60;
/// An expression may take so many bytes when it is compiled.
const BIGGEST: usize = 4 << 20;

/// An expression, ready.
pub struct Expression {
    /// The matcher.
    pub regex: Regex,
    /// At least so many characters of every text that fits are fixed by the expression; blanks do not count.
    pub fixed: usize,
    /// It fits from the beginning of the text only.
    pub is_anchored: bool,
    /// It may go over several lines, by its own words (`\n`, `(?s)`).
    pub spans_lines: bool,
}

/// Reads an expression; tells what is wrong with it.
pub fn expression(text: &str, part: &Part, flaws: &mut Vec<Flaw>) -> Option<Expression> {
    if text.len() > LONGEST {
        let message = format!("the expression has {} bytes, more than {LONGEST}", text.len());
        flaws.push(Flaw::new(part.clone(), 0..0, message, "read the parts that matter, and the rest as `message`"));
        return None;
    }
    let parsed = regex_syntax::ParserBuilder::new().nest_limit(DEEPEST).build().parse(text);
    let hir = match parsed {
        Ok(hir) => hir,
        Err(error) => {
            let (message, at) = said(&error);
            flaws.push(Flaw::new(part.clone(), at, format!("the expression cannot be read: {message}"), help(&message)));
            return None;
        }
    };
    if hir.properties().minimum_len().is_none_or(|least| least == 0) {
        let help = "let it demand something that every line has, such as `.+` in place of `.*`, or a fixed word";
        flaws.push(Flaw::new(part.clone(), 0..text.len(), "the expression fits an empty line too", help));
        return None;
    }
    let regex = match RegexBuilder::new(text).nest_limit(DEEPEST).size_limit(BIGGEST).build() {
        Ok(regex) => regex,
        Err(error) => {
            let message = format!("the expression is too big when compiled ({})", error.to_string().trim_end_matches('.').to_lowercase());
            let help = "write smaller counts (`{1,40}`), and `[A-Za-z0-9_]` for `\\w` or `[0-9]` for `\\d` where letters of all scripts are not needed";
            flaws.push(Flaw::new(part.clone(), 0..text.len(), message, help));
            return None;
        }
    };
    let is_anchored = hir.properties().look_set_prefix().contains(regex_syntax::hir::Look::Start);
    Some(Expression { regex, fixed: fixed(&hir), is_anchored, spans_lines: spans_lines(text) })
}

fn said(error: &regex_syntax::Error) -> (String, Range<usize>) {
    match error {
        regex_syntax::Error::Parse(e) => (e.kind().to_string(), e.span().start.offset..e.span().end.offset),
        regex_syntax::Error::Translate(e) => (e.kind().to_string(), e.span().start.offset..e.span().end.offset),
        other => (other.to_string(), 0..0),
    }
}

/// A remedy for the mistakes that are made most.
fn help(message: &str) -> &'static str {
    if message.contains("look-") {
        "capture the text up to the next fixed word; what a line must not have is better said by a query"
    } else if message.contains("group name") || message.contains("capture") && message.contains("character") {
        "a name is made of letters, digits, `_` and `.`, and begins with a letter: `(?<user.name>\\S+)`"
    } else if message.contains("backreference") {
        "write out what is to be repeated"
    } else if message.contains("unclosed") || message.contains("unopened") {
        "a bracket that stands for itself is written `\\(`, `\\[`"
    } else {
        "the syntax is that of https://docs.rs/regex/latest/regex/#syntax"
    }
}

/// The number of characters, blanks aside, that every fitting text has in fixed places.
fn fixed(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.iter().filter(|b| !b.is_ascii_whitespace()).count(),
        // One character in either case, and the like.
        HirKind::Class(class) => usize::from(class_size(class) <= 4),
        HirKind::Capture(capture) => fixed(&capture.sub),
        HirKind::Repetition(repetition) => fixed(&repetition.sub).saturating_mul(repetition.min.min(1000) as usize),
        HirKind::Concat(parts) => parts.iter().map(fixed).fold(0, usize::saturating_add),
        HirKind::Alternation(parts) => parts.iter().map(fixed).min().unwrap_or(0),
    }
}

fn class_size(class: &Class) -> u64 {
    match class {
        Class::Unicode(class) => class.ranges().iter().map(|r| u64::from(u32::from(r.end()) - u32::from(r.start())) + 1).sum(),
        Class::Bytes(class) => class.ranges().iter().map(|r| u64::from(r.end() - r.start()) + 1).sum(),
    }
}

/// Whether an expression speaks of line ends, or lets the dot stand for them.
fn spans_lines(text: &str) -> bool {
    let says_end = text.match_indices("\\n").any(|(at, _)| {
        // `\\n` is a backslash and an n.
        text.get(..at).is_some_and(|before| before.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 0)
    });
    let dot = text.match_indices("(?").any(|(at, _)| {
        let flags = text.get(at + 2..).unwrap_or("").bytes().take_while(u8::is_ascii_lowercase);
        let end = at + 2 + flags.clone().count();
        flags.clone().any(|f| f == b's') && matches!(text.as_bytes().get(end), Some(b')' | b':' | b'-'))
    });
    says_end || dot
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(text: &str) -> (String, Range<usize>) {
        let mut flaws = Vec::new();
        assert!(expression(text, &Part::Text, &mut flaws).is_none(), "{text}");
        (flaws[0].message.clone(), flaws[0].at.clone())
    }

    #[test]
    fn what_is_wrong_and_where() {
        assert_eq!(flaw("a(b"), ("the expression cannot be read: unclosed group".into(), 1..2));
        assert_eq!(flaw(r"(?<a>x) (?<a>y)").1, 11..12);
        assert_eq!(flaw(r"x(?=y)").1, 1..4);
        assert_eq!(flaw("x*").0, "the expression fits an empty line too");
        assert!(flaw(r"(\w{1000}){1000}").0.contains("too big"));
        assert!(flaw(&"a".repeat(LONGEST + 1)).0.contains("more than"));
        assert!(flaw(&("(".repeat(100) + "a" + &")".repeat(100))).0.contains("nest"));
    }

    #[test]
    fn what_is_fixed() {
        for (text, fixed, is_anchored, spans_lines) in [
            (r"^(?<a>\S+) took (?<b>\d+)$", 4, true, false),
            (r"(?i)ab|cde", 2, false, false),
            (r"(ab){3}\d{4} \\n", 8, false, false),
            (r"a\nb", 2, false, true),
            (r"(?s)a.*", 1, false, true),
            (r"(?<s>a)(?:s)", 2, false, false),
        ] {
            let made = expression(text, &Part::Text, &mut Vec::new()).unwrap();
            assert_eq!((made.fixed, made.is_anchored, made.spans_lines), (fixed, is_anchored, spans_lines), "{text}");
        }
    }
}
