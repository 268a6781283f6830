//! The paper: inks, indents, wrapping to a width. All text that is written goes through [`safe`](crate::output::safe) here.

use crate::output::safe;
use anstyle::{AnsiColor, Style};
use std::io::{Result, Write};

/// How a piece of text is coloured, where colours are shown at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// As it is.
    Plain,
    /// What the eye should find first.
    Bold,
    /// What can be skipped.
    Faint,
    /// Trouble.
    Red,
    /// Not sure.
    Yellow,
    /// Well.
    Green,
    /// Places: files, lines, commands.
    Cyan,
}

impl Ink {
    fn style(self) -> Style {
        match self {
            Ink::Plain => Style::new(),
            Ink::Bold => Style::new().bold(),
            Ink::Faint => Style::new().dimmed(),
            Ink::Red => AnsiColor::Red.on_default().bold(),
            Ink::Yellow => AnsiColor::Yellow.on_default(),
            Ink::Green => AnsiColor::Green.on_default().bold(),
            Ink::Cyan => AnsiColor::Cyan.on_default(),
        }
    }
}

/// Pieces of text, each with its ink.
#[derive(Clone, Debug, Default)]
pub struct Text(Vec<(Ink, String)>);

impl Text {
    /// Nothing yet.
    pub fn new() -> Text {
        Text::default()
    }

    /// Plain text.
    pub fn plain(text: impl Into<String>) -> Text {
        Text::new().and(Ink::Plain, text)
    }

    /// Adds a piece.
    pub fn and(mut self, ink: Ink, text: impl Into<String>) -> Text {
        self.0.push((ink, text.into()));
        self
    }

    /// Adds plain text.
    pub fn then(self, text: impl Into<String>) -> Text {
        self.and(Ink::Plain, text)
    }

    /// Adds another text.
    pub fn join(mut self, other: Text) -> Text {
        self.0.extend(other.0);
        self
    }

    /// Its characters, made safe, with their inks.
    fn chars(&self) -> Vec<(Ink, char)> {
        self.0.iter().flat_map(|(ink, text)| safe::line(text).chars().map(|c| (*ink, c)).collect::<Vec<_>>()).collect()
    }
}

/// Where the answer is written.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    width: usize,
}

/// More than this is hard to read, less leaves no room for anything.
const WIDTHS: (usize, usize) = (40, 200);

impl<'a> Page<'a> {
    /// A page of so many columns.
    pub fn new(out: &'a mut dyn Write, width: usize) -> Page<'a> {
        Page { out, width: width.clamp(WIDTHS.0, WIDTHS.1) }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// An empty line.
    pub fn blank(&mut self) -> Result<()> {
        writeln!(self.out)
    }

    /// A heading with an empty line before it.
    pub fn heading(&mut self, words: &str, note: &str) -> Result<()> {
        self.blank()?;
        let note = if note.is_empty() { String::new() } else { format!("  {note}") };
        self.write("", "", &Text::new().and(Ink::Bold, words).and(Ink::Faint, note), usize::MAX)
    }

    /// Text that is wrapped; `first` stands before its first row, `rest` before the others.
    pub fn write(&mut self, first: &str, rest: &str, text: &Text, rows: usize) -> Result<()> {
        let chars = text.chars();
        let mut left = chars.as_slice();
        let mut row = 0;
        loop {
            let indent = if row == 0 { first } else { rest };
            let room = self.width.saturating_sub(indent.chars().count()).max(16);
            row += 1;
            let (mut used, skip) = fitting(left, room);
            let mut cut = false;
            if row >= rows && used + skip < left.len() {
                used = room.min(left.len()) - 1;
                cut = true;
            }
            self.row(indent, &left[..used], cut)?;
            left = &left[(used + skip).min(left.len())..];
            if left.is_empty() || cut {
                return Ok(());
            }
        }
    }

    fn row(&mut self, indent: &str, chars: &[(Ink, char)], cut: bool) -> Result<()> {
        let end = if cut { chars.len() } else { chars.iter().rposition(|(_, c)| *c != ' ').map_or(0, |i| i + 1) };
        let mut line = String::from(indent);
        let mut ink = Ink::Plain;
        for (next, c) in &chars[..end] {
            if *next != ink {
                line.push_str(&change(ink, *next));
                ink = *next;
            }
            line.push(*c);
        }
        line.push_str(&change(ink, Ink::Plain));
        if cut {
            line.push('…');
        }
        writeln!(self.out, "{}", line.trim_end())
    }
}

fn change(from: Ink, to: Ink) -> String {
    let end = if from == Ink::Plain { String::new() } else { from.style().render_reset().to_string() };
    format!("{end}{}", to.style().render())
}

/// How many characters go on a row of so many columns, and how many spaces are dropped at its end.
fn fitting(chars: &[(Ink, char)], room: usize) -> (usize, usize) {
    if chars.len() <= room {
        return (chars.len(), 0);
    }
    let space = |i: usize| chars.get(i).is_some_and(|(_, c)| *c == ' ');
    // A word that is longer than half of the row is broken: a path or a token, not prose.
    match (room / 2..=room).rev().find(|i| space(*i)) {
        Some(at) => (at, chars[at..].iter().take_while(|(_, c)| *c == ' ').count()),
        None => (room, 0),
    }
}

/// Cuts a path in its middle to so many characters: its end says more than its beginning.
pub fn middle(text: &str, most: usize) -> String {
    cut(text, most, 1, "…")
}

/// Cuts a log line in its middle: what happened stands at its beginning, with whom mostly at its end.
pub fn line_middle(text: &str, most: usize) -> String {
    cut(text, most, 2, " … ")
}

/// Keeps `thirds` thirds of the room for the beginning.
fn cut(text: &str, most: usize, thirds: usize, mark: &str) -> String {
    let (count, marks) = (text.chars().count(), mark.chars().count());
    if count <= most || most < 8 {
        return text.to_string();
    }
    let head = (most - marks) * thirds / 3;
    let tail = most - marks - head;
    text.chars().take(head).chain(mark.chars()).chain(text.chars().skip(count - tail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: usize, first: &str, rest: &str, text: &Text, rows: usize) -> String {
        let mut out = Vec::new();
        Page::new(&mut out, width).write(first, rest, text, rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn words_are_kept_whole() {
        let text = Text::plain("the service behind the proxy does not run or does not listen");
        assert_eq!(written(40, "- ", "  ", &text, 9), "- the service behind the proxy does not\n  run or does not listen\n");
        assert_eq!(written(40, "- ", "  ", &text, 1), "- the service behind the proxy does not…\n");
    }

    #[test]
    fn long_words_are_broken_and_nothing_is_lost() {
        let long = "x".repeat(100);
        let out = written(40, "", "", &Text::plain(long.as_str()), 9);
        assert!(out.lines().all(|l| l.chars().count() <= 40));
        assert_eq!(out.replace('\n', ""), long);
    }

    #[test]
    fn hostile_text_reaches_no_terminal() {
        let out = written(80, "", "", &Text::new().and(Ink::Red, "a\u{1b}]0;owned\u{7}\u{202e}b\nc"), 9);
        assert!(out.contains("a\\x1b]0;owned\\x07\\u{202e}b\\nc"), "{out:?}");
        let plain = anstream::adapter::strip_str(&out).to_string();
        assert!(!plain.trim_end().chars().any(safe::hidden), "{plain:?}");
    }

    #[test]
    fn inks_end_with_their_row() {
        let out = written(40, "", "", &Text::new().and(Ink::Bold, "one ".repeat(20)), 9);
        assert!(out.lines().count() > 1);
        assert!(out.lines().all(|l| l.starts_with("\u{1b}[1m") && l.ends_with("\u{1b}[0m")), "{out:?}");
    }

    #[test]
    fn paths_and_lines_are_cut_in_the_middle() {
        assert_eq!(middle("web01/nginx/access.log.gz", 16), "web01…ess.log.gz");
        assert_eq!(line_middle("connect() failed, upstream: 10.0.0.3", 21), "connect() fa … .0.0.3");
        assert_eq!(middle("short", 16), "short");
    }
}
