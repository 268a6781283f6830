//! Reads pipes.

use super::ast::{Aggregation, FUNCTIONS, Function, Measure, Named, Place, Placed, Ranked, STAGES, Stage, Step};
use super::lex::{Spanned, Token, tokens};
use super::terms;
use crate::error::QueryError;
use crate::fields::{Sense, nearest};
use crate::number::Amount;
use std::ops::Range;

/// Most stages of a query, and most names or measures in a list.
const MOST: usize = 32;
/// Largest number after `limit` and `top`.
const LARGEST: usize = 1_000_000;
/// Most records around a hit.
const FARTHEST: usize = 1_000;
/// Shortest interval, in nanoseconds.
const SHORTEST: i64 = 1_000_000;

/// Reads the stages that begin at the pipe at `from`. None when the text ends there.
pub(super) fn parse(text: &str, from: usize) -> Result<Vec<Placed>, QueryError> {
    let mut parser = Parser { tokens: tokens(text, from)?, at: 0 };
    let mut stages = Vec::new();
    while parser.here().0 == Token::Pipe {
        parser.advance();
        let begin = parser.here().1.start;
        let stage = parser.stage()?;
        let end = parser.tokens[parser.at.saturating_sub(1)].1.end;
        stages.push((stage, begin..end));
        if stages.len() > MOST {
            return Err(QueryError::new(format!("a query may have {MOST} stages at most"), begin..end));
        }
        if !matches!(parser.here().0, Token::Pipe | Token::End) {
            return Err(parser.unexpected(&stages));
        }
    }
    Ok(stages)
}

pub(super) struct Parser {
    tokens: Vec<Spanned>,
    at: usize,
}

impl Parser {
    pub(super) fn here(&self) -> &Spanned {
        // The last token is the end and is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn advance(&mut self) -> Spanned {
        let here = self.here().clone();
        if here.0 != Token::End {
            self.at += 1;
        }
        here
    }

    /// Takes a word, if it is this one.
    fn take(&mut self, word: &str) -> bool {
        let found = matches!(&self.here().0, Token::Word(w) if w == word);
        if found {
            self.at += 1;
        }
        found
    }

    fn stage(&mut self) -> Result<Stage, QueryError> {
        let (token, span) = self.here().clone();
        let word = match token {
            Token::Word(word) => word,
            Token::Pipe | Token::End => {
                return Err(QueryError::new("a stage is missing after the pipe", span).help(format!("write one of {}", known())));
            }
            _ => return Err(QueryError::new("a stage begins with its name", span).help(format!("write one of {}", known()))),
        };
        if Function::find(&word).is_some() {
            return self.aggregation().map(Stage::Aggregate);
        }
        self.advance();
        match word.as_str() {
            "top" => self.top(),
            "sort" => self.sort(&span),
            "where" => terms::condition(self).map(Stage::Where),
            "limit" => self.number("limit", LARGEST, "limit 20").map(Stage::Limit),
            "fields" => self.names("fields time, host, msg").map(Stage::Fields),
            "patterns" => Ok(Stage::Patterns),
            "context" => self.number("context", FARTHEST, "context 3").map(Stage::Context),
            "timeline" => self.every().map(Stage::Timeline),
            _ => Err(no_stage(&word, span)),
        }
    }

    fn aggregation(&mut self) -> Result<Aggregation, QueryError> {
        let mut measures = vec![self.measure()?];
        while self.here().0 == Token::Comma {
            let comma = self.advance().1;
            measures.push(self.measure()?);
            at_most(measures.len(), comma)?;
        }
        let by = if self.take("by") { self.names("count by status, host")? } else { Vec::new() };
        Ok(Aggregation { measures, by, every: self.every()? })
    }

    fn measure(&mut self) -> Result<Measure, QueryError> {
        let (token, span) = self.advance();
        let word = match token {
            Token::Word(word) => word,
            _ => {
                return Err(
                    QueryError::new("a measure is missing here", span).help("for instance: count, avg duration, p99 duration by path")
                );
            }
        };
        let function = Function::find(&word).ok_or_else(|| no_function(&word, span.clone()))?;
        let of = self.argument(function, &span)?;
        let name = if self.take("as") { Some(self.name("count as requests")?) } else { None };
        let end = self.tokens[self.at - 1].1.end;
        Ok(Measure { function, of, name, span: Place(span.start..end) })
    }

    /// The field of a measure: `p99 duration`, also `p99(duration)`.
    fn argument(&mut self, function: Function, span: &Range<usize>) -> Result<Option<Named>, QueryError> {
        let open = (self.here().0 == Token::Open).then(|| self.advance().1);
        let ends = |token: &Token| {
            !matches!(token, Token::Word(w) if !matches!(w.as_str(), "by" | "every" | "as")) && !matches!(token, Token::Quoted(_))
        };
        let of = match (function.wants_field(), ends(&self.here().0)) {
            (true, true) => {
                return Err(QueryError::new(format!("{function} of what? A field is missing"), span.clone())
                    .help(format!("for instance: {function} {}", if function == Function::Distinct { "client" } else { "duration" })));
            }
            (true, false) => Some(self.name("a field")?),
            (false, true) => None,
            (false, false) => {
                let what = if function == Function::Count { "events" } else { "events per second" };
                return Err(QueryError::new(format!("{function} counts {what}, not values of a field"), self.here().1.clone())
                    .help(format!("to have one number for each value: {function} by FIELD; to count different values: distinct FIELD")));
            }
        };
        if let Some(open) = open
            && self.advance().0 != Token::Close
        {
            return Err(QueryError::new("this parenthesis is never closed", open).help("for instance: p99(duration), or p99 duration"));
        }
        Ok(of)
    }

    fn every(&mut self) -> Result<Option<Step>, QueryError> {
        if !self.take("every") {
            return Ok(None);
        }
        let (token, span) = self.advance();
        let help = "write a length of time with its unit: every 30s, every 5m, every 1h, every 1w";
        let Token::Word(text) = token else {
            return Err(QueryError::new("a length of time is missing after every", span).help(help));
        };
        let unit = text.ends_with(|c: char| c.is_alphabetic());
        match Amount::parse(&text, Sense::Duration) {
            Some(Amount::Nanos(nanos)) if unit && nanos >= SHORTEST => Ok(Some(Step { nanos, text })),
            Some(Amount::Nanos(_)) if unit => Err(QueryError::new("intervals are a millisecond long at least", span).help(help)),
            _ => Err(QueryError::new(format!("`{text}` is no length of time"), span).help(help)),
        }
    }

    fn top(&mut self) -> Result<Stage, QueryError> {
        let most = self.number("top", LARGEST, "top 10 path by count")?;
        let here = self.here().clone();
        let of = match &here.0 {
            Token::Word(word) if word == "by" => Vec::new(),
            Token::Pipe | Token::End => {
                return Err(QueryError::new(format!("the {most} largest of what?"), here.1)
                    .help("write the field whose values are counted (top 10 path), or the column to rank by (top 10 by count)"));
            }
            _ => self.names("top 10 path by count")?,
        };
        let by = if self.take("by") {
            match &self.here().0 {
                // A column may be called like a function: `count by path | top 5 by count`.
                Token::Word(word) if Function::find(word).is_some() && !of.is_empty() => Ranked::Measure(self.measure()?),
                _ => Ranked::Name(self.name("top 10 by count")?),
            }
        } else {
            let span = Place(here.1);
            Ranked::Measure(Measure { function: Function::Count, of: None, name: None, span })
        };
        Ok(Stage::Top { most, of, by })
    }

    fn sort(&mut self, span: &Range<usize>) -> Result<Stage, QueryError> {
        let mut keys = Vec::new();
        loop {
            let down = self.here().0 == Token::Minus;
            if down {
                self.advance();
            }
            keys.push((self.name("sort -count, path")?, down));
            at_most(keys.len(), span.clone())?;
            if self.here().0 != Token::Comma {
                return Ok(Stage::Sort(keys));
            }
            self.advance();
        }
    }

    fn names(&mut self, example: &str) -> Result<Vec<Named>, QueryError> {
        let mut names = vec![self.name(example)?];
        while self.here().0 == Token::Comma {
            let comma = self.advance().1;
            names.push(self.name(example)?);
            at_most(names.len(), comma)?;
        }
        Ok(names)
    }

    fn name(&mut self, example: &str) -> Result<Named, QueryError> {
        let (token, span) = self.here().clone();
        match token {
            Token::Word(text) if !matches!(text.as_str(), "by" | "every" | "as") => {
                self.advance();
                Ok(Named { text, span })
            }
            Token::Quoted(text) => {
                self.advance();
                Ok(Named { text, span })
            }
            _ => Err(QueryError::new("a name is missing here", span).help(format!("for instance: {example}"))),
        }
    }

    fn number(&mut self, of: &str, most: usize, example: &str) -> Result<usize, QueryError> {
        let (token, span) = self.here().clone();
        let help = format!("for instance: {example}");
        match &token {
            Token::Word(text) if text.bytes().all(|b| b.is_ascii_digit()) => match text.parse::<usize>() {
                Ok(number) if (1..=most).contains(&number) => {
                    self.advance();
                    Ok(number)
                }
                _ => Err(QueryError::new(format!("the number after {of} goes from 1 to {most}"), span).help(help)),
            },
            _ => Err(QueryError::new(format!("a number is missing after {of}"), span).help(help)),
        }
    }

    /// Something stands behind a stage that has ended.
    fn unexpected(&self, stages: &[Placed]) -> QueryError {
        let (token, span) = self.here().clone();
        let help = match (&token, stages.last().map(|(stage, _)| stage)) {
            (Token::Word(word), Some(Stage::Aggregate(a))) if word == "by" && a.every.is_some() => {
                "by stands before every: count by status every 1m".to_string()
            }
            (Token::Word(word), _) if word == "by" || word == "every" => {
                format!("{word} belongs to a measure: count by status every 1m")
            }
            (Token::Word(_) | Token::Quoted(_), _) => "stages are parted by |, names in a list by commas".to_string(),
            _ => "stages are parted by |".to_string(),
        };
        QueryError::new("this does not belong here", span).help(help)
    }
}

fn at_most(length: usize, span: Range<usize>) -> Result<(), QueryError> {
    if length > MOST { Err(QueryError::new(format!("a list may have {MOST} names at most"), span)) } else { Ok(()) }
}

fn known() -> String {
    let functions = FUNCTIONS.iter().map(|(name, _)| *name);
    functions.chain(["p50"]).chain(STAGES.iter().copied()).collect::<Vec<_>>().join(", ")
}

fn no_stage(word: &str, span: Range<usize>) -> QueryError {
    let error = QueryError::new(format!("there is no stage `{word}`"), span);
    let names = FUNCTIONS.iter().map(|(name, _)| *name).chain(STAGES.iter().copied());
    if let Some(help) = percentile_help(word) {
        return error.help(help);
    }
    error.help(match (word, nearest(&word.to_lowercase(), names)) {
        (_, Some(name)) => format!("did you mean `{name}`?"),
        ("filter" | "grep" | "search" | "having", None) => {
            "what to look for stands before the first pipe; rows of a table are chosen by where: status:503 | count by path | where count > 10".into()
        }
        ("stats", None) => "write the measures themselves: | count, avg duration by path".into(),
        ("head", None) => "write limit 10".into(),
        ("mean" | "average", None) => "write avg".into(),
        ("median", None) => "write p50".into(),
        _ => format!("write one of {}", known()),
    })
}

fn no_function(word: &str, span: Range<usize>) -> QueryError {
    let error = QueryError::new(format!("there is no measure `{word}`"), span);
    if let Some(help) = percentile_help(word) {
        return error.help(help);
    }
    let names = FUNCTIONS.iter().map(|(name, _)| *name);
    error.help(match nearest(&word.to_lowercase(), names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "write count, sum, avg, min, max, p50 to p99, distinct or rate; fields to group by stand after by".into(),
    })
}

/// `p999` and the like.
fn percentile_help(word: &str) -> Option<String> {
    let digits = word.strip_prefix('p').filter(|d| d.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(match digits {
        "999" => "percentiles go from p0 to p100: write p99.9".to_string(),
        _ => "percentiles go from p0 to p100, with up to three digits after the dot: p99.9".to_string(),
    })
}
