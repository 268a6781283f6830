//! From a record to the request that it tells of.

use super::fields::{Asked, Head, text};
use crate::names::{NONE, NameId, Names};
use crate::requests::Exchange;
use std::hash::Hasher;
use whyline_event::{Record, Stamp, Value, address};

/// Longest user agent that is told from others, in characters.
const AGENT: usize = 80;

/// Working memory.
#[derive(Default)]
pub(super) struct Exchanges {
    masked: String,
    joined: String,
}

impl Exchanges {
    /// The request that a record tells of.
    pub(super) fn of(
        &mut self,
        record: &Record<'_>,
        head: &Head<'_>,
        stamp: &Stamp,
        (host, service): (NameId, NameId),
        names: &mut Names,
    ) -> Option<Exchange> {
        let status = head.status.and_then(|v| v.as_int()).filter(|s| (100..600).contains(s))?;
        let access = whyline_query::is_access(record);
        let path = text(head.path);
        if path.is_none() && !access {
            return None;
        }
        let method = text(head.method).unwrap_or("");
        let asked = Asked::of(record);
        let micros = |value: Option<Value<'_>>| match value {
            Some(Value::Duration(ns)) => u32::try_from(ns / 1000).unwrap_or(u32::MAX - 1),
            _ => u32::MAX,
        };
        let mut duration = micros(asked.duration);
        if duration == u32::MAX {
            duration = micros(asked.upstream_duration);
        }
        let queue = micros(asked.queue_duration);
        let server = match (text(asked.upstream_name), text(asked.upstream_server)) {
            (Some(group), Some(server)) if !server.starts_with('<') => {
                self.joined.clear();
                self.joined.extend([group, "/", server]);
                names.id(&self.joined)
            }
            (Some(group), _) => names.id(group),
            _ => NONE,
        };
        let termination = text(asked.termination).map_or([b'-', b'-'], |t| {
            let b = t.as_bytes();
            [b.first().copied().unwrap_or(b'-'), b.get(1).copied().unwrap_or(b'-')]
        });
        let exact = {
            let mut h = hash(path.unwrap_or("")) ^ hash(method).rotate_left(7);
            if let Some(query) = text(asked.query) {
                h ^= hash(query).rotate_left(21);
            }
            h
        };
        Some(Exchange {
            source: record.origin.source.0,
            line: u32::try_from(record.origin.line).unwrap_or(u32::MAX),
            form: stamp.form,
            millis: stamp.nanos.div_euclid(1_000_000),
            is_start: matches!(asked.is_start, Some(Value::Bool(true))),
            access,
            micros: duration,
            queue: if queue == u32::MAX { 0 } else { queue },
            status: status as u16,
            upstream_status: asked.last_upstream_status.and_then(|v| v.as_int()).map_or(0, |s| s as u16),
            client: names.id(text(asked.client).map_or("", |c| address::split_port(c).0)),
            path: self.path(method, path.unwrap_or("?"), names),
            upstream: names.id(text(asked.last_upstream).unwrap_or("")),
            server,
            agent: names.id(text(asked.agent).map_or("", beginning)),
            host,
            service,
            termination,
            id: text(asked.request_id).or_else(|| text(asked.trace_id)).map_or(0, hash),
            exact: (exact >> 32) as u32,
        })
    }

    /// Method and path, masked.
    pub(super) fn path(&mut self, method: &str, path: &str, names: &mut Names) -> NameId {
        self.masked.clear();
        self.masked.push_str(method);
        self.masked.push(' ');
        mask(path, &mut self.masked);
        names.id(&self.masked)
    }
}

/// The beginning of a user agent.
fn beginning(agent: &str) -> &str {
    match agent.get(..AGENT) {
        Some(begins) if begins.is_ascii() => begins,
        _ => agent.char_indices().nth(AGENT).and_then(|(at, _)| agent.get(..at)).unwrap_or(agent),
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish() | 1
}

/// Writes a path with what names a single thing masked: `/api/orders/17` becomes `/api/orders/*`. At most four parts.
pub fn mask(path: &str, into: &mut String) {
    let mut count = 0;
    for part in path.split('/').skip(1) {
        count += 1;
        if count > 4 {
            into.push_str("/...");
            return;
        }
        into.push('/');
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let version = part.len() <= 3 && part.starts_with('v');
        if (digits * 3 >= part.len() && digits > 0 || digits >= 4 || part.len() > 40) && !version
            || count > 2 && part.bytes().all(|b| b.is_ascii_uppercase()) && part.len() > 2
        {
            into.push('*');
        } else {
            into.push_str(part);
        }
    }
    if count == 0 {
        into.push_str(path);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn masks() {
        for (path, want) in [
            ("/api/orders/17", "/api/orders/*"),
            ("/api/v1/items", "/api/v1/items"),
            ("/", "/"),
            ("/static/img/712.jpg", "/static/img/*"),
            ("/a/b/c/d/e", "/a/b/c/d/..."),
            ("/x/0b7c2f4e-1111", "/x/*"),
        ] {
            let mut out = String::new();
            super::mask(path, &mut out);
            assert_eq!(out, want);
        }
    }

    #[test]
    fn agents_are_cut_by_characters() {
        assert_eq!(super::beginning(&"a".repeat(100)).len(), 80);
        assert_eq!(super::beginning(&"\u{e9}".repeat(100)).chars().count(), 80);
        assert_eq!(super::beginning("curl/8.5"), "curl/8.5");
    }
}
