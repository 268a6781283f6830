//! Cuts a query into terms, and what follows the colon of a field into values.
//!
//! The two are read by different rules, so the parser says which of them it wants next.

use crate::error::QueryError;
use crate::fields::Target;
use std::net::Ipv6Addr;
use std::ops::Range;

/// A piece of a query outside of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    /// Quoted text, escapes resolved.
    Phrase(String),
    Bare(String),
    /// A name and its colon. A value follows.
    Field(String),
    /// The pipe that ends the expression.
    Pipe,
    End,
}

/// A value of a field as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    Quoted(String),
    Bare(String),
    Regex(String),
    /// Sign and number.
    Compare(&'static str, String),
    Range {
        low: String,
        high: String,
        low_included: bool,
        high_included: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Lexer<'q> {
    text: &'q str,
    at: usize,
}

pub(crate) type Spanned<T> = (T, Range<usize>);

impl<'q> Lexer<'q> {
    pub(crate) fn new(text: &'q str) -> Self {
        Lexer { text, at: 0 }
    }

    fn rest(&self) -> &'q str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, length: usize) -> Range<usize> {
        let start = self.at;
        self.at += length;
        start..self.at
    }

    /// The next piece outside of a value.
    pub(crate) fn token(&mut self) -> Result<Spanned<Token>, QueryError> {
        self.skip_space();
        let rest = self.rest();
        let single = match rest.chars().next() {
            None => return Ok((Token::End, self.at..self.at)),
            Some('(') => Some(Token::Open),
            Some(')') => Some(Token::Close),
            Some('|') => Some(Token::Pipe),
            Some('!') if rest[1..].starts_with(|c: char| !c.is_whitespace() && !matches!(c, '=' | '!' | ')' | '|')) => Some(Token::Not),
            Some('"') => {
                let (text, span) = self.quoted()?;
                // `"Request Time":5`: a name that cannot be written without quotes.
                let value = self.rest().strip_prefix(':').and_then(|value| value.chars().next());
                if value.is_some_and(|c| !c.is_whitespace() && !matches!(c, ')' | '|')) {
                    self.take(1);
                    return Ok((Token::Field(text), span.start..span.end + 1));
                }
                return Ok((Token::Phrase(text), span));
            }
            Some(_) => None,
        };
        if let Some(token) = single {
            return Ok((token, self.take(1)));
        }
        let word = &rest[..plain_end(rest)];
        match word {
            "AND" => return Ok((Token::And, self.take(3))),
            "OR" => return Ok((Token::Or, self.take(2))),
            "NOT" => return Ok((Token::Not, self.take(3))),
            _ => {}
        }
        if let Some(name) = field_name(word) {
            let span = self.take(name.len() + 1);
            return Ok((Token::Field(name.to_string()), span));
        }
        let span = self.take(word.len());
        if word
            .strip_prefix('-')
            .is_some_and(|w| w.starts_with(|c: char| c.is_alphabetic()) || w.is_empty() && self.rest().starts_with(['"', '(']))
        {
            return Err(QueryError::new("a minus does not negate", span)
                .help("write NOT before what must not be there, or put the text in double quotes"));
        }
        Ok((Token::Bare(word.to_string()), span))
    }

    /// The value directly after a colon, or the next one in a list of values.
    pub(crate) fn value(&mut self) -> Result<Spanned<Raw>, QueryError> {
        let rest = self.rest();
        match rest.chars().next() {
            Some('"') => {
                let (text, span) = self.quoted()?;
                return Ok((Raw::Quoted(text), span));
            }
            Some('/') => {
                if let Some(length) = regex_end(rest) {
                    let span = self.take(length);
                    return Ok((Raw::Regex(rest[1..length - 1].to_string()), span));
                }
            }
            Some('[' | '{') => {
                if let Some(value) = self.range()? {
                    return Ok(value);
                }
            }
            Some('>' | '<') => return self.comparison(),
            _ => {}
        }
        let length = plain_end(rest);
        if length == 0 {
            return Err(QueryError::new("a value is missing here", self.at..self.at + 1)
                .help("the value follows the colon without a space; text that contains a colon goes in double quotes"));
        }
        let span = self.take(length);
        Ok((Raw::Bare(rest[..length].to_string()), span))
    }

    /// Whether a list of values begins here.
    pub(crate) fn at_list(&self) -> bool {
        self.rest().starts_with('(')
    }

    /// Inside of a list: the parenthesis or word that stands here instead of a value.
    pub(crate) fn list_token(&mut self) -> Option<Spanned<Token>> {
        self.skip_space();
        let rest = self.rest();
        let token = match rest.chars().next() {
            None => return Some((Token::End, self.at..self.at)),
            Some('(') => Some((Token::Open, 1)),
            Some(')') => Some((Token::Close, 1)),
            Some('|') => Some((Token::Pipe, 1)),
            Some('!') => Some((Token::Not, 1)),
            Some(_) => match &rest[..plain_end(rest)] {
                "AND" => Some((Token::And, 3)),
                "OR" => Some((Token::Or, 2)),
                "NOT" => Some((Token::Not, 3)),
                _ => None,
            },
        };
        token.map(|(token, length)| (token, self.take(length)))
    }

    fn quoted(&mut self) -> Result<Spanned<String>, QueryError> {
        let rest = self.rest();
        let mut text = String::new();
        let mut chars = rest.char_indices().skip(1).peekable();
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    let span = self.take(i + 1);
                    return Ok((text, span));
                }
                '\\' => match chars.next_if(|(_, c)| matches!(c, '"' | '\\')) {
                    Some((_, escaped)) => text.push(escaped),
                    None => text.push('\\'),
                },
                _ => text.push(c),
            }
        }
        Err(QueryError::new("this quote is never closed", self.at..self.at + 1)
            .help("end the text with \", and write a quote inside of it as \\\""))
    }

    fn comparison(&mut self) -> Result<Spanned<Raw>, QueryError> {
        let rest = self.rest();
        let sign = [">=", "<=", ">", "<"].into_iter().find(|s| rest.starts_with(s)).unwrap_or(">");
        let number = &rest[sign.len()..];
        let number = &number[..plain_end(number)];
        let span = self.take(sign.len() + number.len());
        if number.is_empty() {
            return Err(QueryError::new(format!("a number is missing after {sign}"), span).help("write it without a space: status:>=500"));
        }
        Ok((Raw::Compare(sign, number.to_string()), span))
    }

    /// A range; `None` when the bracket begins something else that can stand for itself.
    fn range(&mut self) -> Result<Option<Spanned<Raw>>, QueryError> {
        let rest = self.rest();
        let closing = rest.find([']', '}']);
        let inside = closing.map_or("", |end| &rest[1..end]);
        let mut parts = inside.split_whitespace();
        if let (Some(end), Some(low), Some("TO"), Some(high), None) = (closing, parts.next(), parts.next(), parts.next(), parts.next()) {
            let raw = Raw::Range {
                low: low.to_string(),
                high: high.to_string(),
                low_included: rest.starts_with('['),
                high_included: rest[end..].starts_with(']'),
            };
            return Ok(Some((raw, self.take(end + 1))));
        }
        if rest.starts_with('[') && inside.split('%').next().unwrap_or("").parse::<Ipv6Addr>().is_ok() {
            return Ok(None);
        }
        let length = closing.map_or(1, |end| end + 1);
        Err(QueryError::new("this is no range", self.at..self.at + length).help(
            "a range is [1 TO 5] with both ends, {1 TO 5} without them, [1 TO *] with an open end; quote a bracket that means itself",
        ))
    }
}

/// Where text without quotes ends.
fn plain_end(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '|')).unwrap_or(text.len())
}

/// Whether a name of a field is read as such without quotes.
pub(crate) fn is_field_name(name: &str) -> bool {
    field_name(&format!("{name}:x")) == Some(name)
}

/// The field that a piece of text begins with: a name and a colon. Text such as `10.0.0.3:80`, `http://host` and
/// `std::vec` names none.
fn field_name(word: &str) -> Option<&str> {
    let (name, value) = word.split_once(':')?;
    let first = name.chars().next()?;
    if !(first.is_alphabetic() || matches!(first, '_' | '@')) {
        return None;
    }
    if !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@')) {
        return None;
    }
    // `client:::1` is a field with an IPv6 address.
    if value.starts_with(':') && !value.starts_with("::") {
        return None;
    }
    if value.starts_with("//") && matches!(Target::find(name), Target::Other(_)) {
        return None;
    }
    Some(name)
}

/// Length of the regular expression at the beginning of the text, with its slashes: it ends at the first slash before a
/// space, a parenthesis or the end. One behind a backslash is meant itself.
fn regex_end(text: &str) -> Option<usize> {
    text.match_indices('/').skip(1).map(|(i, _)| i + 1).find(|end| {
        let after = text[*end..].chars().next();
        let escapes = text[..*end - 1].bytes().rev().take_while(|b| *b == b'\\').count();
        escapes.is_multiple_of(2) && after.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_field() {
        for (text, want) in [
            ("status:503", Some("status")),
            ("order.id:7", Some("order.id")),
            ("client:::1", Some("client")),
            ("10.0.0.3:80", None),
            ("http://host", None),
            ("path://x", Some("path")),
            ("std::vec", None),
            ("a/b:c", None),
            ("word", None),
        ] {
            assert_eq!(field_name(text), want, "{text}");
        }
    }

    #[test]
    fn where_a_regular_expression_ends() {
        for (text, want) in [
            ("/api/*", None),
            ("/a b/", Some("/a b/")),
            ("/a/b/ c", Some("/a/b/")),
            ("/a/)", Some("/a/")),
            ("/", None),
            ("//", Some("//")),
            ("/a/ b/", Some("/a/")),
            (r"/a\/ b/ c", Some(r"/a\/ b/")),
            (r"/a\\/ b/", Some(r"/a\\/")),
        ] {
            assert_eq!(regex_end(text).map(|n| &text[..n]), want, "{text}");
        }
    }
}
