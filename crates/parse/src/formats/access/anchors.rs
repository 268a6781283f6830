//! The anchors of an access line of unknown layout: time, request, status.

use super::meaning::{self, Meaning, is_status};
use super::names;
use super::request;
use super::token::{Kind, Token, Tokens};
use crate::stamp;
use whyline_event::{Stamp, address};

/// Where the anchors of a line are.
pub struct Anchors {
    /// The time, where there is one.
    pub stamp: Option<Stamp>,
    /// The columns that the time takes.
    pub time: std::ops::Range<usize>,
    /// The column of the request.
    pub request: usize,
    /// The column of the status.
    pub status: Option<usize>,
}

/// The columns behind the request, without status and time.
pub fn behind<'t, 'a>(tokens: &'t Tokens<'a>, anchors: &'t Anchors) -> impl Iterator<Item = &'t Token<'a>> {
    tokens
        .iter()
        .enumerate()
        .skip(anchors.request + 1)
        .filter(|(at, _)| Some(*at) != anchors.status && !anchors.time.contains(at))
        .map(|(_, t)| t)
}

/// Finds the anchors: the request, then the time before it, then the status behind it.
pub fn anchors(line: &str, tokens: &Tokens<'_>) -> Option<Anchors> {
    let strict = tokens.iter().position(|t| t.kind == Kind::Quoted && request::split(t.text).is_some_and(|r| r.version.is_some()));
    let status_at = |at: usize| tokens.get(at).filter(|t| t.key.is_empty() && t.kind != Kind::Bracketed && is_status(t.text)).map(|_| at);
    let request = match strict {
        Some(at) => at,
        None => (0..tokens.len()).find(|at| tokens.get(*at).is_some_and(|t| t.kind == Kind::Quoted) && status_at(at + 1).is_some())?,
    };
    let mut status = status_at(request + 1);
    if status.is_none() && strict.is_some() {
        let keyed = |t: &Token<'_>| names::lookup(t.key) == Some(Meaning::Status) && is_status(t.text);
        let dash = || tokens.get(request + 1).filter(|t| t.text == "-" && t.kind == Kind::Bare).map(|_| request + 1);
        status = tokens.iter().position(|t| !t.key.is_empty() && keyed(t)).or_else(dash);
        let is_size = |t: &Token<'_>| t.kind == Kind::Bare && t.text.bytes().all(|b| b.is_ascii_digit());
        if status.is_none() && !tokens.get(request + 1).is_some_and(is_size) {
            return None;
        }
    }
    let (stamp, time) = match find_time(line, tokens, request) {
        Some((stamp, time)) => (Some(stamp), time),
        None if strict.is_some() && status.is_some() => (None, 0..0),
        None => return None,
    };
    Some(Anchors { stamp, time, request, status })
}

/// The time: at the beginning, in brackets, or in any column before the request (with a key, also behind it).
pub fn find_time(line: &str, tokens: &Tokens<'_>, request: usize) -> Option<(Stamp, std::ops::Range<usize>)> {
    for (at, token) in tokens.iter().enumerate() {
        let before = at < request;
        match token.kind {
            Kind::Bracketed if before => {
                if let Some(stamp) = meaning::time(token.text) {
                    return Some((stamp, at..at + 1));
                }
            }
            Kind::Quoted if before || !token.key.is_empty() => {
                if token.text.len() >= 13
                    && token.text.len() < 40
                    && let Some(stamp) = meaning::time(token.text)
                {
                    return Some((stamp, at..at + 1));
                }
            }
            Kind::Bare if before && token.key.is_empty() && (at == 0 || token.text.len() >= 10) => {
                if let Some((stamp, end)) = bare_time(line, token.text, token.start) {
                    let count = tokens.iter().skip(at).take_while(|t| t.start < end).count();
                    return Some((stamp, at..at + count));
                }
            }
            Kind::Bare if names::lookup(token.key) == Some(Meaning::Time) => {
                if let Some(stamp) = meaning::time(token.text) {
                    return Some((stamp, at..at + 1));
                }
            }
            _ => {}
        }
    }
    None
}

/// The time that the column `text`, which begins at `start`, opens, and where it ends.
pub fn bare_time(line: &str, text: &str, start: usize) -> Option<(Stamp, usize)> {
    if address::ip(text).is_some() {
        return None;
    }
    let (stamp, used) = stamp::prefix(line.get(start..)?).or_else(|| stamp::epoch(text))?;
    Some((stamp, start + used))
}
