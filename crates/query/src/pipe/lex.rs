//! Cuts pipes into pieces: names, numbers and durations as they are written, commas, parentheses, pipes.

use crate::error::QueryError;
use std::ops::Range;

/// A piece of a pipe.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A word, number or duration as it stands.
    Word(String),
    /// A name in double quotes, escapes resolved: never a keyword.
    Quoted(String),
    Comma,
    Minus,
    Open,
    Close,
    Pipe,
    End,
}

pub(super) type Spanned = (Token, Range<usize>);

/// The pieces of a text from a byte on.
pub(super) fn tokens(text: &str, from: usize) -> Result<Vec<Spanned>, QueryError> {
    let mut found = Vec::new();
    let mut at = from;
    loop {
        at = text.len() - text[at..].trim_start().len();
        let rest = &text[at..];
        let Some(c) = rest.chars().next() else {
            found.push((Token::End, at..at));
            return Ok(found);
        };
        let (token, length) = match c {
            ',' => (Token::Comma, 1),
            '|' => (Token::Pipe, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '-' => (Token::Minus, 1),
            '"' => quoted(rest).ok_or_else(|| {
                QueryError::new("this quote is never closed", at..at + 1)
                    .help("end the name with \", and write a quote inside of it as \\\"")
            })?,
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '|' | '(' | ')' | '"')).unwrap_or(rest.len());
                (Token::Word(rest[..end].to_string()), end)
            }
        };
        found.push((token, at..at + length));
        at += length;
    }
}

/// The quoted name at the beginning of a text, and its length with the quotes.
fn quoted(text: &str) -> Option<(Token, usize)> {
    let mut name = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Some((Token::Quoted(name), i + 1)),
            '\\' => match chars.next_if(|(_, c)| matches!(c, '"' | '\\')) {
                Some((_, escaped)) => name.push(escaped),
                None => name.push('\\'),
            },
            _ => name.push(c),
        }
    }
    None
}
