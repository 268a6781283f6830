//! Makes tests of the values that a query writes, and says what is wrong with those that cannot be.

use crate::ast::{Bound, Literal, Node, Op, Phrase, Range as Between, Test};
use crate::error::QueryError;
use crate::fields::{Sense, TIMES, Target};
use crate::glob::Glob;
use crate::lex::Raw;
use crate::network::Network;
use crate::pattern::Pattern;
use std::ops::Range;

/// A term without a field.
pub(crate) fn bare(text: &str, quoted: bool, span: Range<usize>) -> Result<Node, QueryError> {
    if !quoted && text == "*" {
        return Ok(Node::All);
    }
    if !quoted && text.contains(['*', '?']) {
        return Err(QueryError::new("wildcards stand in the values of fields only", span)
            .help(format!("write body:*…* for any part of the message, or put \"{text}\" in double quotes")));
    }
    Phrase::new(text).map(Node::Words).ok_or_else(|| no_words(span))
}

fn no_words(span: Range<usize>) -> QueryError {
    QueryError::new("there is no letter or digit to seek in this", span)
        .help("words are compared without punctuation; raw:/…/ seeks any characters")
}

/// The test that a value of a field stands for.
pub(crate) fn test(target: &Target, raw: Raw, span: Range<usize>) -> Result<Test, QueryError> {
    let sense = target.sense();
    match raw {
        Raw::Quoted(text) => literal(&text, sense, span),
        Raw::Bare(text) if text == "*" => Ok(Test::Present),
        Raw::Bare(text) if text.contains(['*', '?']) => Ok(Test::Glob(Glob::new(&text))),
        Raw::Bare(text) if sense == Sense::Address && Network::too_long(&text).is_some() => Err(no_network(target, &text, span)),
        Raw::Bare(text) => {
            let test = literal(&text, sense, span.clone())?;
            match &test {
                Test::Is(literal) if sense.is_number() && literal.amount().is_none() => Err(no_number(target, &text, span)),
                _ => Ok(test),
            }
        }
        Raw::Regex(text) => Pattern::new(&text).map(Test::Matches).map_err(|(message, inner)| {
            let from = span.start + 1;
            QueryError::new(format!("in this regular expression: {message}"), from + inner.start..from + inner.end)
                .help("text between slashes is a regular expression; put it in double quotes to mean the text itself")
        }),
        Raw::Compare(sign, text) => {
            let op = match sign {
                ">" => Op::Greater,
                ">=" => Op::AtLeast,
                "<" => Op::Less,
                _ => Op::AtMost,
            };
            let at = span.start + sign.len()..span.end;
            Ok(Test::Compare(op, bound(target, &text, at).map_err(|error| for_time(target, error, &[(sign, &text)]))?))
        }
        Raw::Range { low, high, low_included, high_included } => {
            let end = |text: &str| if text == "*" { Ok(None) } else { bound(target, text, span.clone()).map(Some) };
            let timed = |error| for_time(target, error, &[(">=", &low), ("<=", &high)]);
            Ok(Test::Range(Between { low: end(&low).map_err(timed)?, high: end(&high).map_err(timed)?, low_included, high_included }))
        }
    }
}

/// A prefix that is longer than its address.
fn no_network(target: &Target, text: &str, span: Range<usize>) -> QueryError {
    let (base, most) = Network::too_long(text).map_or((text.to_string(), 32), |(base, most)| (base.to_string(), most));
    QueryError::new(format!("an address like {base} has {most} bits, so no range of such addresses is `{text}`"), span)
        .help(format!("write from /0 (all of them) to /{most} (this one alone): {target}:{base}/{most}"))
}

/// What is right where the time of events is asked like a field.
fn for_time(target: &Target, error: QueryError, ends: &[(&str, &str)]) -> QueryError {
    if !matches!(target, Target::Other(name) if TIMES.contains(&name.as_str())) {
        return error;
    }
    let option = |(sign, text): &(&str, &str)| match *text {
        "*" => None,
        _ if text.contains(' ') => Some(format!("{} '{text}'", if sign.starts_with('>') { "--since" } else { "--until" })),
        _ => Some(format!("{} {text}", if sign.starts_with('>') { "--since" } else { "--until" })),
    };
    let options: Vec<String> = ends.iter().filter_map(option).collect();
    QueryError { message: "times of events are asked by options, not in the expression".to_string(), ..error }
        .help(format!("write {} behind the expression, or a whole time: --since 2026-11-21T10:00:00Z", options.join(" ")))
}

fn literal(text: &str, sense: Sense, span: Range<usize>) -> Result<Test, QueryError> {
    let literal = Literal::new(text, sense);
    if sense == Sense::Words && literal.words().is_empty() {
        return Err(no_words(span));
    }
    Ok(Test::Is(literal))
}

fn bound(target: &Target, text: &str, span: Range<usize>) -> Result<Bound, QueryError> {
    let bound = Bound::new(text, target.sense()).ok_or_else(|| no_number(target, text, span))?;
    Ok(match target {
        Target::Other(name) => bound.in_unit(unit_of(name)),
        _ => bound,
    })
}

/// The unit of time, in nanoseconds, that a field of its writer's own has in its name (`took_ms`, `elapsedMillis`).
pub(crate) fn unit_of(name: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 16] = [
        ("milliseconds", 1_000_000),
        ("microseconds", 1_000),
        ("nanoseconds", 1),
        ("seconds", 1_000_000_000),
        ("millis", 1_000_000),
        ("micros", 1_000),
        ("nanos", 1),
        ("secs", 1_000_000_000),
        ("_msec", 1_000_000),
        ("_usec", 1_000),
        ("_sec", 1_000_000_000),
        ("_ms", 1_000_000),
        ("_us", 1_000),
        ("_ns", 1),
        ("_s", 1_000_000_000),
        (".ms", 1_000_000),
    ];
    // `tookMs` as `took_ms`.
    let lower = match name.strip_suffix("Ms") {
        Some(stem) => format!("{stem}_ms"),
        None => name.to_ascii_lowercase(),
    };
    UNITS.into_iter().find(|(suffix, _)| lower.ends_with(suffix)).map(|(_, nanos)| nanos)
}

fn no_number(target: &Target, text: &str, span: Range<usize>) -> QueryError {
    let sense = target.sense();
    let error = QueryError::new(format!("`{text}` is nothing that `{target}` could be compared with: it is {}", sense.noun()), span);
    if text.contains(',') {
        return error.help("the values of a list are parted by spaces: status:(502 503 504)");
    }
    error.help(match sense {
        Sense::Number => "write a number, perhaps with k, M or G, or use wildcards: status:5??",
        Sense::Duration => "write a number of seconds, or one with ns, us, ms, s, m, h, d or w: duration:>250ms",
        Sense::Bytes => "write a number, perhaps with k, M, G (thousands) or KiB, MiB, GiB: bytes:>64KiB",
        Sense::Level => "the levels are trace, debug, info, warn, error and fatal",
        Sense::Address => "addresses are compared as ranges: client:10.0.0.0/8",
        Sense::Words => "text has no order; ask for words, or use wildcards or a regular expression",
        Sense::Whole => "only numbers can be compared by size",
    })
}
