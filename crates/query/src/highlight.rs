//! Where in a text the words of a query stand, for people who look at what was found.

use crate::ast::{Literal, Node, Test};
use crate::query::Query;
use crate::words::{eq_folded, words};
use regex::{Regex, RegexBuilder};
use std::ops::Range;

/// Most bytes of a compiled expression; what grows larger is not marked.
const COMPILED: usize = 4 << 20;
/// Most places in a text.
const MOST: usize = 1_000;

/// What a query seeks in texts.
///
/// Marks are a help for the eye, no part of the answer: a value is marked wherever it stands in a line, whichever field it was found in.
/// What stands under a `NOT` is not marked.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    phrases: Vec<Vec<String>>,
    patterns: Vec<Regex>,
}

impl Marks {
    /// What a query seeks.
    pub fn of(query: &Query) -> Marks {
        let mut marks = Marks::default();
        query.root().walk(&mut |node, negated| match node {
            _ if negated => {}
            Node::Words(phrase) => marks.phrases.push(phrase.words().to_vec()),
            Node::Field(_, Test::Is(literal)) => marks.literal(literal),
            Node::Field(_, Test::Matches(pattern)) => {
                marks.patterns.extend(RegexBuilder::new(pattern.as_str()).size_limit(COMPILED).build());
            }
            _ => {}
        });
        marks
    }

    fn literal(&mut self, literal: &Literal) {
        let sought: Vec<String> = words(literal.folded()).map(str::to_string).collect();
        // A network is no text that stands in a line.
        if literal.network().is_none() && !sought.is_empty() {
            self.phrases.push(sought);
        }
    }

    /// The places in a text, in order; none overlaps another.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        if !self.phrases.is_empty() {
            let all: Vec<&str> = words(text).collect();
            for phrase in &self.phrases {
                let hits = all.windows(phrase.len()).filter(|w| w.iter().zip(phrase).all(|(word, want)| eq_folded(word, want)));
                found.extend(hits.take(MOST).filter_map(|w| Some(at(text, w.first()?).start..at(text, w.last()?).end)));
            }
        }
        for pattern in &self.patterns {
            found.extend(pattern.find_iter(text).map(|m| m.range()).filter(|r| !r.is_empty()).take(MOST));
        }
        found.sort_unstable_by_key(|r| (r.start, std::cmp::Reverse(r.end)));
        let mut apart: Vec<Range<usize>> = Vec::new();
        for range in found {
            match apart.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => apart.push(range),
            }
        }
        apart
    }
}

/// Where a part of a text lies in it.
fn at(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked() {
        for (query, text, want) in [
            ("\"connection refused\"", "a Connection-Refused (connection refused)", vec!["Connection-Refused", "connection refused"]),
            ("upstream:10.0.0.3", "to 10.0.0.3:80 not 10.0.0.33", vec!["10.0.0.3"]),
            ("status:502 NOT path:/api", "GET /api 502", vec!["502"]),
            ("msg:/o+/ OR foo", "foo boo", vec!["foo", "oo"]),
            ("client:10.0.0.0/8 status:>=500", "10.0.0.3 502", vec![]),
            ("größe", "Die GRÖSSE und die Größe", vec!["Größe"]),
            ("連接", "資料庫連接失敗", vec!["連接"]),
            ("*", "anything", vec![]),
        ] {
            let marks = Marks::of(&Query::parse(query).unwrap());
            let places: Vec<&str> = marks.places(text).into_iter().map(|r| &text[r]).collect();
            assert_eq!(places, want, "{query}");
        }
    }
}
