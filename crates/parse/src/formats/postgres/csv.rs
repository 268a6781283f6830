//! PostgreSQL's csvlog.

use super::{WORDS, statement};
use crate::format::{Cx, Fit, Format};
use crate::formats::{fill, message};
use crate::stamp;
use std::borrow::Cow;
use whyline_event::{Key, Record, Severity, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostgresCsv;

impl Format for PostgresCsv {
    fn name(&self) -> &'static str {
        "postgresql.csv"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let (stamp, used) = stamp::iso(text)?;
        if text.as_bytes().get(used) != Some(&b',') {
            return None;
        }
        let columns = columns(cx, text)?;
        let get = |n: usize| columns.get(n).copied().unwrap_or("");
        let word = get(11);
        let severity = WORDS.iter().find(|(w, _)| *w == word)?.1;
        record.format = "postgresql";
        record.stamp = Some(stamp);
        fill::level_as(record, word, severity);
        fill::once(record, Key::DbSystem, Value::Str("postgresql"));
        for (key, n) in [(Key::User, 1), (Key::Database, 2), (Key::SqlState, 12)] {
            fill::once_str(record, key, get(n));
        }
        fill::once_int(record, Key::ProcessPid, get(3));
        if get(4) != "[local]" {
            fill::client(record, get(4));
        }
        record.body = get(13);
        for (name, n) in [("db.message.detail", 14), ("db.message.hint", 15), ("db.message.context", 18), ("db.client.name", 22)] {
            if !get(n).is_empty() {
                record.put_other(name, Value::Str(get(n)));
            }
        }
        fill::once_str(record, Key::Statement, get(19));
        statement::duration(get(13), record);
        statement::connection(get(13), record);
        if severity >= Severity::Warn {
            message::fields(cx, get(13), record);
        }
        Some(92)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        stamp::iso(line).is_some_and(|(_, used)| line.as_bytes().get(used) == Some(&b','))
    }
}

/// The columns of a row (RFC 4180); a quote that is not closed ends with the text.
fn columns<'a>(cx: &Cx<'a>, text: &'a str) -> Option<Vec<&'a str>> {
    let mut out = Vec::with_capacity(26);
    let mut rest = text;
    loop {
        let (value, tail) = match rest.strip_prefix('"') {
            Some(body) => quoted(body)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (Cow::Borrowed(rest.get(..end)?), rest.get(end..)?)
            }
        };
        out.push(match value {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => cx.keep(&text),
        });
        match tail.strip_prefix(',') {
            Some(tail) => rest = tail,
            None => break,
        }
        if out.len() > 64 {
            return None;
        }
    }
    (out.len() > 12).then_some(out)
}

fn quoted(body: &str) -> Option<(Cow<'_, str>, &str)> {
    let bytes = body.as_bytes();
    let mut from = 0;
    let mut doubled = false;
    while let Some(n) = memchr::memchr(b'"', bytes.get(from..)?) {
        let at = from + n;
        if bytes.get(at + 1) == Some(&b'"') {
            doubled = true;
            from = at + 2;
            continue;
        }
        let raw = body.get(..at)?;
        let value = if doubled { Cow::Owned(raw.replace("\"\"", "\"")) } else { Cow::Borrowed(raw) };
        return Some((value, body.get(at + 1..)?));
    }
    Some((Cow::Borrowed(body), ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn rows() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "2026-11-21 10:00:00.123 UTC,\"u\",\"d\",77,\"10.0.0.7:5001\",6a.1,3,\"INSERT\",2026-11-21 09:00:00 UTC,3/4,0,ERROR,23505,\"dup \"\"k\"\"\",\"Key\",,,,,\"insert\ninto t\",1,,\"app\"";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(PostgresCsv.read(&cx, text, &mut r), Some(92));
        assert_eq!((r.body, r.int(Key::ProcessPid), r.str(Key::SqlState)), ("dup \"k\"", Some(77), Some("23505")));
        assert_eq!((r.str(Key::ClientAddress), r.int(Key::ClientPort)), (Some("10.0.0.7"), Some(5001)));
        assert_eq!(r.str(Key::Statement), Some("insert\ninto t"));
    }
}
