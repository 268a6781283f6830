//! What people write that is no YAML: where the slip is, what would be right, and how the rest can be read all the same.

use super::yaml::{Why, Wrong};
use super::{At, Problem};
use granit_parser::ErrorKind;
use std::collections::BTreeSet;

/// A place that is no YAML.
pub struct Slip {
    /// What is told of it.
    pub problem: Problem,
    /// The line, from 0.
    pub line: usize,
    /// A line, from 0, as it was probably meant.
    pub mended: Option<(usize, String)>,
}

const IN_QUOTES: &str = "put the whole text in single quotes (and write a single quote inside of it twice): ";

/// Finds the slip behind an error.
pub fn find(lines: &[String], wrong: &Wrong) -> Slip {
    let last = lines.iter().rposition(|line| !line.trim().is_empty()).unwrap_or(0);
    let here = usize::try_from(wrong.line).unwrap_or(1).saturating_sub(1).min(last);
    let line = lines.get(here).map_or("", String::as_str);
    // The text before a line with a tab may go on in it, and is then what cannot be read.
    if let Some(slip) = tab(lines, here).or_else(|| tab(lines, here + 1)) {
        return slip;
    }
    if matches!(wrong.why, Why::TooMuch) {
        let help = "rules need neither deep nesting nor anchors that hold anchors; write out what is meant".to_string();
        return at(here, wrong.column, String::new(), "this is nested too deeply, or anchors make too much of it", help);
    }
    let is_open = matches!(&wrong.why, Why::Scan(error) if leaves_open(error.kind()));
    let first = (0..=here).rev().find(|n| lines.get(*n).is_some_and(|l| indent(l) == 0 && !l.trim().is_empty())).unwrap_or(0);
    for number in (first..=here).rev() {
        let Some(value) = lines.get(number).and_then(|line| Value::of(line)) else { continue };
        let said = value.slip().or_else(|| if is_open { value.open() } else { None });
        if let Some(message) = said {
            return quoted(number, &value, message);
        }
    }
    if let Some(slip) = left_open(lines, first, here) {
        return slip;
    }
    if matches!(wrong.why, Why::Tag) {
        let help = "text that begins with an exclamation mark goes in single quotes".to_string();
        return at(here, wrong.column, word(line, wrong.column), "this is a tag of YAML, which means nothing here", help);
    }
    bare_key(lines, here).unwrap_or_else(|| other(lines, here, wrong))
}

/// A quote or a bracket that was opened above and not closed up to a line.
fn left_open(lines: &[String], first: usize, here: usize) -> Option<Slip> {
    const MOST_LINES: usize = 40;
    (first..here).rev().take(MOST_LINES).find_map(|number| {
        let value = Value::of(lines.get(number)?)?;
        let joined = lines.get(number..=here)?.join("\n");
        let message = Value { text: joined.get(value.before.len()..)?, ..value }.open()?;
        Some(quoted(number, &value, message))
    })
}

/// A tab where a line is set in.
fn tab(lines: &[String], here: usize) -> Option<Slip> {
    let line = lines.get(here)?;
    let space = line.get(..line.len() - line.trim_start().len())?;
    let column = space.chars().position(|c| c == '\t')? as u64 + 1;
    let above = lines.get(..here)?.iter().rev().find(|l| !l.trim().is_empty());
    let deep = above.map_or(0, |l| indent(l) + if l.trim_end().ends_with(':') { 2 } else { 0 });
    let help = "YAML sets lines in with blanks alone: two for each level".to_string();
    let mut slip = at(here, column, "\t".into(), "a tab sets this line in", help);
    slip.mended = Some((here, format!("{}{}", " ".repeat(deep), line.trim_start())));
    Some(slip)
}

/// A key without a colon.
fn bare_key(lines: &[String], here: usize) -> Option<Slip> {
    let above = lines.get(..here)?.iter().rposition(|l| !l.trim().is_empty());
    let number = [Some(here), above].into_iter().flatten().find(|n| {
        lines.get(*n).is_some_and(|l| {
            let text = l.trim();
            !text.starts_with(['-', '#', '"', '\'', '{', '[', '}', ']']) && !text.contains(':') && !text.contains(' ')
        })
    })?;
    let line = lines.get(number)?;
    let text = line.trim().to_string();
    let message = format!("`{text}` is neither a key nor a value");
    let help = format!("a key is followed by a colon: `{text}:`; a value stands behind the colon of its key");
    Some(at(number, indent(line) as u64 + 1, text, &message, help))
}

/// Whatever else it may be.
fn other(lines: &[String], here: usize, wrong: &Wrong) -> Slip {
    let Why::Scan(error) = &wrong.why else { return at(here, wrong.column, String::new(), "this is no YAML", String::new()) };
    let line = lines.get(here).map_or("", String::as_str);
    let (message, help) = match error.kind() {
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => {
            ("a quote is opened here or above, and never closed", "close it; a single quote inside of single quotes is written twice")
        }
        ErrorKind::UnclosedFlowCollection { open: '[' }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::ExpectedFlowSequenceSeparator => (
            "a list in brackets goes wrong here",
            "`[a, b]`: between its parts stand commas, at its end a bracket; a text with one of `,[]{}:#` goes in single quotes",
        ),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::MismatchedFlowCollectionEnd { .. } => (
            "braces or brackets go wrong here",
            "`{a: b, c: d}`: between its parts stand commas, at its end a brace; a text with one of `,[]{}:#` goes in single quotes",
        ),
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::InvalidLowSurrogate => (
            "in double quotes a backslash begins an escape, and there is none like this",
            "use single quotes: in them a backslash is a backslash",
        ),
        ErrorKind::UnknownAnchor => {
            ("`*` begins the name of an anchor here, and there is none of this name", "put the text in single quotes")
        }
        ErrorKind::RecursionLimitExceeded => ("this is nested too deeply", "a rule has six levels"),
        ErrorKind::UnexpectedCharacter { .. } => ("no text of YAML begins with this character", "put the text in single quotes"),
        _ => (
            "this is no YAML: the line does not go with those above it",
            "keys of one rule stand in the same column, each with its colon; a text with a quote, a colon or `#` in it goes in single quotes",
        ),
    };
    at(here, wrong.column.min(line.chars().count() as u64 + 1), word(line, wrong.column), message, help.to_string())
}

fn leaves_open(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnclosedQuotedScalar
            | ErrorKind::InvalidQuotedScalarIndent
            | ErrorKind::DocumentIndicatorInQuotedScalar
            | ErrorKind::InvalidTrailingSingleQuotedScalar
            | ErrorKind::InvalidTrailingDoubleQuotedScalar
            | ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::UnexpectedEofFlowSequence
            | ErrorKind::UnexpectedEofFlowMapping
            | ErrorKind::UnexpectedEofImplicitFlowMapping
            | ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
            | ErrorKind::MismatchedFlowCollectionEnd { .. }
    )
}

fn at(line: usize, column: u64, text: String, message: &str, help: String) -> Slip {
    Slip { problem: Problem { at: At { text, line: line as u64 + 1, column }, message: message.to_string(), help }, line, mended: None }
}

/// The word at a column.
fn word(line: &str, column: u64) -> String {
    let before = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    line.chars().skip(before).take_while(|c| !c.is_whitespace()).collect()
}

/// A slip that is mended by quotes around the value.
fn quoted(line: usize, value: &Value<'_>, message: String) -> Slip {
    let right = format!("'{}'", value.text.replace('\'', "''"));
    let mended = format!("{}{right}", value.before);
    let shown = if right.chars().count() > 120 { String::new() } else { format!("`{}{right}`", value.key) };
    let column = value.before.chars().count() as u64 + 1;
    let help = if shown.is_empty() { IN_QUOTES.trim_end_matches([':', ' ']).to_string() } else { format!("{IN_QUOTES}{shown}") };
    Slip { mended: Some((line, mended)), ..at(line, column, value.text.to_string(), &message, help) }
}

/// The value at the end of a line.
#[derive(Clone, Copy)]
struct Value<'l> {
    /// The line before it.
    before: &'l str,
    /// `key: `, if it has one.
    key: &'l str,
    text: &'l str,
}

impl<'l> Value<'l> {
    fn of(line: &'l str) -> Option<Value<'l>> {
        let mut rest = line.trim_start();
        while let Some(item) = rest.strip_prefix("- ") {
            rest = item.trim_start();
        }
        let is_item = line.trim_start().starts_with("- ");
        let name = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')).count();
        let behind = rest.get(name..)?;
        let text = match behind.strip_prefix(": ") {
            Some(value) if name > 0 => value.trim_start(),
            _ if is_item => rest,
            _ => return None,
        };
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        let before = line.get(..line.len() - text.len())?;
        let key = rest.get(..rest.len() - text.len())?;
        Some(Value { before, key, text: text.trim_end() })
    }

    /// What is wrong with it, whatever follows.
    fn slip(&self) -> Option<String> {
        let first = self.text.chars().next()?;
        match first {
            '"' | '\'' => {
                let behind = self.behind_quote(first)?.trim_start();
                (!behind.is_empty() && !behind.starts_with('#'))
                    .then(|| format!("the text ends with its second quote ({first}), and more stands behind it"))
            }
            '[' | '{' => {
                let behind = self.behind_bracket()?.trim_start();
                (!behind.is_empty() && !behind.starts_with('#'))
                    .then(|| format!("`{first}` begins a {} of YAML, and more stands behind its end", kind(first)))
            }
            '*' => Some("`*` begins the name of an anchor of YAML here, and no text".to_string()),
            '!' => Some("`!` begins a tag of YAML here, and no text".to_string()),
            '%' | '@' | '`' => Some(format!("no text of YAML begins with `{first}`")),
            '|' | '>' => {
                let head = self.text.get(1..)?.split(" #").next()?.trim_end();
                (!head.bytes().all(|b| matches!(b, b'+' | b'-' | b'0'..=b'9')))
                    .then(|| format!("`{first}` begins a block of lines in YAML here"))
            }
            '-' if self.text.starts_with("- ") => Some("`- ` begins a list of YAML here, and no text".to_string()),
            _ => {
                let text = self.text.split(" #").next()?;
                (text.contains(": ") || text.ends_with(':'))
                    .then(|| "a text without quotes must not hold a colon before a blank".to_string())
            }
        }
    }

    /// What is wrong with it where a quote or a bracket is known to be open.
    fn open(&self) -> Option<String> {
        let first = self.text.chars().next()?;
        match first {
            '"' | '\'' if self.behind_quote(first).is_none() => Some(format!("this quote ({first}) is never closed")),
            '[' | '{' if self.behind_bracket().is_none() => Some(format!("`{first}` begins a {} of YAML, which never ends", kind(first))),
            _ => None,
        }
    }

    /// What stands behind the quote that closes a text.
    fn behind_quote(&self, quote: char) -> Option<&'l str> {
        let mut chars = self.text.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && quote == '"' {
                chars.next();
            } else if c == quote && (quote == '"' || chars.next_if(|(_, c)| *c == quote).is_none()) {
                return self.text.get(at + 1..);
            }
        }
        None
    }

    /// What stands behind the bracket that closes the first one.
    fn behind_bracket(&self) -> Option<&'l str> {
        let mut deep = 0usize;
        let mut within = None;
        for (at, c) in self.text.char_indices() {
            match (c, within) {
                (c, Some(quote)) if c == quote => within = None,
                (_, Some(_)) => {}
                ('"' | '\'', None) => within = Some(c),
                ('[' | '{', None) => deep += 1,
                (']' | '}', None) => {
                    deep = deep.saturating_sub(1);
                    if deep == 0 {
                        return self.text.get(at + 1..);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

fn kind(bracket: char) -> &'static str {
    if bracket == '[' { "list" } else { "mapping" }
}

/// How far a line is set in.
fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// Leaves out the rule in which a line stands, all but its id. Says whether anything was left out.
pub fn leave_out(lines: &mut [String], line: usize, lost: &mut BTreeSet<u64>) -> bool {
    let says = |l: &String| !l.trim().is_empty() && !l.trim_start().starts_with('#');
    let Some(section) = (0..=line).rev().find(|n| lines.get(*n).is_some_and(|l| says(l) && indent(l) == 0)) else { return false };
    let Some(deep) = lines.iter().skip(section + 1).find(|l| says(l)).map(|l| indent(l)).filter(|d| *d > 0) else { return false };
    let is_id = |l: &String| says(l) && indent(l) <= deep && !l.trim_start().starts_with(['-', '}', ']']);
    let Some(start) = (section + 1..=line).rev().find(|n| lines.get(*n).is_some_and(is_id)) else { return false };
    let end = (start + 1..lines.len()).find(|n| lines.get(*n).is_some_and(is_id)).unwrap_or(lines.len());
    let id = lines
        .get(start)
        .and_then(|l| l.split_once(':'))
        .map(|(id, _)| format!("{id}: {{}}"))
        .filter(|_| !lost.contains(&(start as u64 + 1)));
    lost.insert(start as u64 + 1);
    let mut changed = false;
    for (number, text) in lines.iter_mut().enumerate().take(end).skip(start) {
        let new = if number == start { id.clone().unwrap_or_default() } else { String::new() };
        changed |= *text != new;
        *text = new;
    }
    changed
}
