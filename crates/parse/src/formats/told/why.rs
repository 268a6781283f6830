//! Why a line is not read by a pattern: how far it fits, and what should have followed.

use super::pattern::whole_stamp;
use super::slot::Slot;
use super::stamps::Stamps;
use crate::formats::cursor::first_line;
use regex::Regex;
use regex_syntax::ast::{Ast, Span};
use whyline_event::{FormatSpec, Notation};

/// Notations of time that are known without being told, as examples for people.
const KNOWN: &str = "`2026-11-20 20:31:07.123`, `2026-11-20T20:31:07+01:00`, `20/Nov/2026:20:31:07 +0100`, `Nov 20 20:31:07`, \
                     `20.11.2026 20:31:07`, `1795206667` (seconds) and the like are known";

/// What keeps a line from being read, and what would help. `None` where nothing more can be said.
pub fn why_not(spec: &FormatSpec, text: &str) -> Option<(String, String)> {
    if spec.notation != Notation::Pattern {
        return None;
    }
    let line = first_line(text);
    if let Ok(regex) = Regex::new(&spec.text)
        && let Some(time) = time(&regex, line)
    {
        let stamps = spec.timestamp.as_deref().and_then(|t| Stamps::new(t).ok());
        let read = stamps.as_ref().map_or_else(|| whole_stamp(time), |s| s.read(time));
        return read.is_none().then(|| {
            let help = match &spec.timestamp {
                Some(notation) => format!("`timestamp: {notation}` does not fit it"),
                None => format!("{KNOWN}; others are told under `timestamp:`, for instance '%d/%m/%Y %H:%M:%S'"),
            };
            (format!("the time stamp cannot be read: the pattern captures `{time}`"), help)
        });
    }
    let (fits, next) = how_far(&spec.text, line)?;
    let (head, tail) = (line.get(..fits)?, line.get(fits..)?);
    let there = if tail.is_empty() { "the line ends".to_string() } else { format!("stands `{}`", short(tail)) };
    let message = match head.is_empty() {
        true => format!("the pattern does not fit from its beginning on: there {there}"),
        false => format!("the pattern fits as far as `{}`; behind it {there}", last(head)),
    };
    Some((message, format!("the pattern asks for `{next}` there")))
}

/// A stamp of slashes that might be day and month or month and day, where nothing was told of its notation.
pub fn ambiguous_stamp<'t>(spec: &FormatSpec, text: &'t str) -> Option<&'t str> {
    if spec.notation != Notation::Pattern || spec.timestamp.is_some() {
        return None;
    }
    let regex = Regex::new(&spec.text).ok()?;
    time(&regex, first_line(text)).filter(|time| is_ambiguous(time))
}

fn time<'t>(regex: &Regex, line: &'t str) -> Option<&'t str> {
    let found = regex.captures(line)?;
    let names = regex.capture_names().flatten().filter(|name| Slot::of(name, None) == Slot::Time);
    names.filter_map(|name| found.name(name)).map(|m| m.as_str()).next()
}

fn is_ambiguous(text: &str) -> bool {
    let mut parts = text.trim().splitn(3, '/');
    let small = |part: Option<&str>| part.is_some_and(|p| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()));
    small(parts.next()) && small(parts.next()) && parts.next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// How many bytes of the line the longest fitting beginning of the pattern takes, and the piece of the pattern that comes next.
fn how_far<'p>(pattern: &'p str, line: &str) -> Option<(usize, &'p str)> {
    let ast = regex_syntax::ast::parse::Parser::new().parse(pattern).ok()?;
    let Ast::Concat(concat) = &ast else { return None };
    let spans: Vec<&Span> = concat.asts.iter().map(Ast::span).collect();
    // Letters one by one are no pieces that anybody thinks in: the next piece is shown up to the next group.
    for (n, span) in spans.iter().enumerate().rev() {
        let before = pattern.get(..span.start.offset)?;
        let Some(fitting) = Regex::new(before).ok().and_then(|r| r.find(line)) else { continue };
        let until = spans[n..].iter().zip(&concat.asts[n..]).find(|(_, a)| matches!(a, Ast::Group(_))).map(|(s, _)| s);
        let end = match until {
            Some(group) if group.start.offset > span.start.offset => group.start.offset,
            Some(group) => group.end.offset,
            None => pattern.len(),
        };
        return Some((fitting.end(), pattern.get(span.start.offset..end)?));
    }
    None
}

fn short(text: &str) -> String {
    let head: String = text.chars().take(40).collect();
    if head.len() < text.len() { format!("{head}…") } else { head }
}

fn last(text: &str) -> String {
    let count = text.chars().count();
    let tail: String = text.chars().skip(count.saturating_sub(24)).collect();
    if tail.len() < text.len() { format!("…{tail}") } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_pattern_fits() {
        assert_eq!(how_far(r"^(?<a>\d+) took (?<b>\d+) ms", "12 tock 7 ms"), Some((5, "ok ")));
        assert_eq!(how_far(r"^(?<a>\d+) took (?<b>\d+) ms", "12 took x ms"), Some((8, r"(?<b>\d+)")));
        assert_eq!(how_far(r"^\[(?<a>\d+)", "x"), Some((0, r"\[")));
        assert_eq!(how_far("a|b", "x"), None);
    }

    #[test]
    fn day_or_month() {
        for (text, want) in
            [("05/11/2026 10:00:00", true), ("05/Nov/2026:10:00:00", false), ("2026/11/05 10:00:00", false), ("05.11.2026", false)]
        {
            assert_eq!(is_ambiguous(text), want, "{text}");
        }
    }
}
