//! Reads what stands behind `where`: `count > 10 AND path = /api/*`. `NOT` binds before `AND` (also a space), `AND` before `OR`; operators may
//! be written in small letters, since no words are sought here. Signs may touch what they stand between (`count>10`, `count:>10`).

use super::ast::Named;
use super::condition::{Condition, SIGNS, Sign, Written};
use super::lex::Token;
use super::parse::Parser;
use crate::error::QueryError;
use crate::parse::DEEPEST;

/// Most comparisons of a condition.
const MOST: usize = 64;

const EXAMPLE: &str = "for instance: where count > 10, where p99_duration > 2s AND path = /api/*";

/// The condition that begins here.
pub(super) fn condition(parser: &mut Parser) -> Result<Condition, QueryError> {
    any(parser, 0, &mut 0)
}

fn any(parser: &mut Parser, depth: usize, terms: &mut usize) -> Result<Condition, QueryError> {
    let mut parts = vec![all(parser, depth, terms)?];
    while is_word(parser, "or") {
        parser.advance();
        parts.push(all(parser, depth, terms)?);
    }
    Ok(one_or(parts, Condition::Or))
}

fn all(parser: &mut Parser, depth: usize, terms: &mut usize) -> Result<Condition, QueryError> {
    let mut parts = vec![one(parser, depth, terms)?];
    loop {
        if is_word(parser, "and") {
            parser.advance();
        } else if is_word(parser, "or") || !matches!(parser.here().0, Token::Word(_) | Token::Quoted(_) | Token::Open) {
            return Ok(one_or(parts, Condition::And));
        }
        parts.push(one(parser, depth, terms)?);
    }
}

fn one(parser: &mut Parser, depth: usize, terms: &mut usize) -> Result<Condition, QueryError> {
    let here = parser.here().1.clone();
    *terms += 1;
    if depth > DEEPEST || *terms > MOST {
        return Err(QueryError::new(format!("a condition may have {MOST} parts at most"), here));
    }
    if is_word(parser, "not") {
        parser.advance();
        return Ok(Condition::Not(Box::new(one(parser, depth + 1, terms)?)));
    }
    if parser.here().0 == Token::Open {
        parser.advance();
        let inner = any(parser, depth + 1, terms)?;
        if parser.here().0 != Token::Close {
            return Err(QueryError::new("this parenthesis is never closed", here).help(EXAMPLE));
        }
        parser.advance();
        return Ok(inner);
    }
    comparison(parser)
}

/// `count > 10`, in one piece or in several.
fn comparison(parser: &mut Parser) -> Result<Condition, QueryError> {
    let (token, span) = parser.here().clone();
    let (name, rest) = match token {
        Token::Word(text) => match text.find(['<', '>', '=', '!', ':']) {
            Some(0) => return Err(QueryError::new("a column is missing before this sign", span).help(EXAMPLE)),
            Some(at) => {
                let name = Named { text: text[..at].to_string(), span: span.start..span.start + at };
                (name, Some((text[at..].to_string(), span.start + at)))
            }
            None => (Named { text, span }, None),
        },
        Token::Quoted(text) => (Named { text, span }, None),
        _ => return Err(QueryError::new("a comparison is missing here", span).help(EXAMPLE)),
    };
    parser.advance();
    let (signs, at) = match rest {
        Some(rest) => rest,
        None => match parser.here().clone() {
            (Token::Word(text), span) if text.starts_with(['<', '>', '=', '!', ':']) => {
                parser.advance();
                (text, span.start)
            }
            (_, span) => {
                let help = format!("write what `{}` is compared with: {} > 10, {} = 502", name.text, name.text, name.text);
                return Err(QueryError::new("a sign is missing here: one of > >= < <= = !=", span).help(help));
            }
        },
    };
    // `count:>10`, as the query before the pipes has it.
    let colon = signs.strip_prefix(':').filter(|rest| rest.starts_with(['<', '>'])).map_or(0, |_| 1);
    let found = SIGNS.iter().find(|(sign, _)| signs[colon..].starts_with(sign));
    let Some((written, sign)) = found else {
        return Err(QueryError::new(format!("there is no sign `{signs}`"), at..at + signs.len()).help("the signs are > >= < <= = !="));
    };
    let from = colon + written.len();
    let value = value(parser, &signs[from..], at + from, *sign, &name)?;
    Ok(Condition::Compare(name, *sign, value))
}

/// The value behind a sign; what touched the sign is a part of it.
fn value(parser: &mut Parser, touching: &str, at: usize, sign: Sign, name: &Named) -> Result<Written, QueryError> {
    if !touching.is_empty() {
        return Ok(Written { text: touching.to_string(), quoted: false, span: at..at + touching.len() });
    }
    let minus = (parser.here().0 == Token::Minus).then(|| parser.advance().1);
    let (token, span) = parser.here().clone();
    match token {
        Token::Quoted(text) if minus.is_none() => {
            parser.advance();
            Ok(Written { text, quoted: true, span })
        }
        Token::Word(text) if minus.as_ref().is_none_or(|minus| minus.end == span.start) => {
            parser.advance();
            match minus {
                Some(minus) => Ok(Written { text: format!("-{text}"), quoted: false, span: minus.start..span.end }),
                None => Ok(Written { text, quoted: false, span }),
            }
        }
        _ => Err(QueryError::new("a value is missing here", span).help(format!("for instance: {} {sign} 10", name.text))),
    }
}

fn is_word(parser: &Parser, word: &str) -> bool {
    matches!(&parser.here().0, Token::Word(w) if w.eq_ignore_ascii_case(word))
}

fn one_or(mut parts: Vec<Condition>, many: impl FnOnce(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}
