//! One thing that is wrong with rule files, and how it is shown.

use super::written::{At, File};
use std::fmt;
use std::ops::Range;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The rules cannot be used.
    Error,
    /// They can be used, but something is probably not as it was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub weight: Weight,
    /// Name of the file.
    pub file: String,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// What would be right; may be empty.
    pub help: String,
    /// The line of the file with a mark under the place; empty where the file is not at hand.
    pub excerpt: String,
}

impl Finding {
    /// A finding at a place of a file.
    pub fn at(weight: Weight, file: &File, at: &At, message: String, help: String) -> Finding {
        Finding { excerpt: excerpt(file, at, 0..0).2, weight, file: file.name.clone(), line: at.line, column: at.column, message, help }
    }

    /// A finding inside of a text of a file; `part` is the place in that text, in bytes.
    pub fn inside(weight: Weight, file: &File, at: &At, part: Range<usize>, message: String, help: String) -> Finding {
        let (line, column, excerpt) = excerpt(file, at, part);
        Finding { weight, file: file.name.clone(), line, column, message, help, excerpt }
    }
}

/// A text goes over more lines than this only to be a nuisance.
const MOST_LINES: usize = 2_000;

/// Line, column and the shown line of a place inside of a text. Where the text cannot be found in its lines as it is meant, the text
/// itself is shown.
fn excerpt(file: &File, at: &At, part: Range<usize>) -> (u64, u64, String) {
    let above = usize::try_from(at.line).ok().and_then(|n| n.checked_sub(1));
    let lines: Vec<&str> = above.map(|n| file.text.lines().skip(n).take(MOST_LINES).collect()).unwrap_or_default();
    let Some(line) = lines.first() else { return (at.line, at.column, String::new()) };
    let start = usize::try_from(at.column).unwrap_or(1).saturating_sub(1);
    let start = line.char_indices().nth(start).map_or(line.len(), |(i, _)| i);
    if part.is_empty() && part.start == 0 {
        return (at.line, at.column, point(line, start..start));
    }
    let Some((number, from)) = place(&lines, start, &at.text, part.start) else {
        let from = at.text.get(..part.start).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
        let own = at.text.get(from..).and_then(|t| t.lines().next()).unwrap_or("");
        return (at.line, at.column, point(own, part.start.saturating_sub(from)..part.end.saturating_sub(from)));
    };
    let line = lines.get(number).copied().unwrap_or_default();
    let to = match place(&lines, start, &at.text, part.end) {
        Some((last, to)) if last == number => to,
        _ => line.len(),
    };
    (at.line + number as u64, line.get(..from).map_or(0, |t| t.chars().count()) as u64 + 1, point(line, from..to))
}

/// Where a byte of a text stands in the lines from its beginning on: how many lines below, and behind how many bytes of that line.
/// Nothing where text and lines do not go together.
fn place(lines: &[&str], start: usize, text: &str, byte: usize) -> Option<(usize, usize)> {
    let rest = lines.first()?.get(start..)?;
    let quote = rest.chars().next().filter(|q| matches!(q, '"' | '\'') && !text.starts_with(*q));
    let (mut number, mut at) = (0, start + quote.map_or(0, char::len_utf8));
    let mut written = text.char_indices();
    loop {
        let behind = lines.get(number)?.get(at..)?;
        let (here, c) = match written.next() {
            Some(next) => next,
            None => return (byte >= text.len()).then_some((number, at)),
        };
        let is_blank = c == ' ' || c == '\n';
        // A line end, with what sets the next line in, is a blank or a line end of the text.
        if behind.trim_start().is_empty() && number + 1 < lines.len() && (here < byte || !is_blank) {
            while let Some(next) = lines.get(number + 1) {
                number += 1;
                at = next.len() - next.trim_start().len();
                if is_blank || at < next.len() {
                    break;
                }
            }
            if is_blank {
                continue;
            }
        }
        if here >= byte {
            return Some((number, at));
        }
        // What sets a line of a block in further than the first is skipped with the rest of the blanks.
        at += taken(lines.get(number)?.get(at..)?, c, quote).or(is_blank.then_some(0))?;
    }
}

/// How many bytes of a line are a character of its text.
fn taken(line: &str, c: char, quote: Option<char>) -> Option<usize> {
    let mut chars = line.chars();
    let first = chars.next()?;
    match (first, quote) {
        ('\'', Some('\'')) if c == '\'' => Some(2),
        ('\\', Some('"')) => match chars.next()? {
            'x' => Some(4),
            'u' => Some(6),
            'U' => Some(10),
            escaped => Some(1 + escaped.len_utf8()),
        },
        _ if first == c => Some(first.len_utf8()),
        _ => None,
    }
}

/// A line with a mark under some of its bytes. A long line is shown around them.
fn point(line: &str, part: Range<usize>) -> String {
    const BEFORE: usize = 90;
    const WIDTH: usize = 140;
    // What would move the cursor is shown as one blank.
    let shown = |text: &str| -> String { text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect() };
    let before = shown(line.get(..part.start).unwrap_or(line));
    let marked = shown(line.get(part.clone()).unwrap_or_default());
    let rest = line.get(part.end.max(part.start)..).unwrap_or_default();
    let skipped = before.chars().count().saturating_sub(BEFORE);
    let mut text: String = before.chars().skip(skipped).collect();
    if skipped > 0 {
        text.replace_range(..text.chars().next().map_or(0, char::len_utf8), "…");
    }
    let blanks = text.width();
    let mut carets = 0;
    let mut room = (WIDTH + skipped).saturating_sub(before.chars().count());
    for c in marked.chars().take(room) {
        carets += c.width().unwrap_or(1);
        text.push(c);
    }
    room = room.saturating_sub(marked.chars().count());
    text.extend(shown(rest).chars().take(room));
    if rest.chars().count() > room {
        text.push('…');
    }
    format!("  | {}\n  | {}{}", text.trim_end(), " ".repeat(blanks), "^".repeat(carets.max(1)))
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        match self.line {
            0 => write!(f, "{weight}: {}: {}", self.file, self.message)?,
            line => write!(f, "{weight}: {}:{line}:{}: {}", self.file, self.column, self.message)?,
        }
        if !self.excerpt.is_empty() {
            write!(f, "\n{}", self.excerpt)?;
        }
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, at: &At, part: Range<usize>) -> String {
        let file = File { name: "r.yaml".into(), text: text.into(), ..File::default() };
        Finding::inside(Weight::Error, &file, at, part, "x".into(), String::new()).to_string()
    }

    #[test]
    fn the_mark_stands_under_the_place() {
        let at = |text: &str, line, column| At { text: text.into(), line, column };
        assert_eq!(shown("a: 'ä(b'\n", &at("ä(b", 1, 4), 2..3), "error: r.yaml:1:6: x\n  | a: 'ä(b'\n  |      ^");
        // In a block every line is one of the file.
        let block = "a: |\n  one\n  two $ x\n";
        assert_eq!(shown(block, &at("one\ntwo $ x\n", 2, 3), 8..9), "error: r.yaml:3:7: x\n  |   two $ x\n  |       ^");
        let deeper = "a: |\n  one\n\n    two $ x\n";
        assert_eq!(shown(deeper, &at("one\n\n  two $ x\n", 2, 3), 11..12), "error: r.yaml:4:9: x\n  |     two $ x\n  |         ^");
        // So it is where lines are put together, in whichever way.
        let folded = "a: >-\n  one\n\n  two\n  three $ x\n";
        assert_eq!(shown(folded, &at("one\ntwo three $ x", 2, 3), 14..15), "error: r.yaml:5:9: x\n  |   three $ x\n  |         ^");
        let plain = "a: one\n  two $ x\n";
        assert_eq!(shown(plain, &at("one two $ x", 1, 4), 4..9), "error: r.yaml:2:3: x\n  |   two $ x\n  |   ^^^^^");
        // Escapes are stepped over; what goes wrong with them is shown as it is meant.
        assert_eq!(shown("a: \"x\\ty(\"\n", &at("x\ty(", 1, 4), 3..4), "error: r.yaml:1:9: x\n  | a: \"x\\ty(\"\n  |         ^");
        assert_eq!(shown("a: 'it''s (b'\n", &at("it's (b", 1, 4), 5..6), "error: r.yaml:1:11: x\n  | a: 'it''s (b'\n  |           ^");
        assert_eq!(shown("a: *b\n", &at("x\ty(", 1, 4), 3..4), "error: r.yaml:1:4: x\n  | x y(\n  |    ^");
        // Wide letters take two cells.
        assert_eq!(shown("a: 状態 x\n", &at("状態 x", 1, 4), 3..6), "error: r.yaml:1:5: x\n  | a: 状態 x\n  |      ^^");
        // Beyond the end, in a file that is not at hand, in a long line.
        assert_eq!(shown("a\n", &at("x", 9, 1), 0..0), "error: r.yaml:9:1: x");
        assert_eq!(shown("", &at("x", 0, 0), 0..1), "error: r.yaml: x");
        let long = format!("{}(", "y".repeat(300));
        let said = shown(&long, &at(&long, 1, 1), 300..301);
        assert!(said.lines().all(|l| l.chars().count() < 160) && said.ends_with('^') && said.contains('…'), "{said}");
    }
}
