//! logfmt: `time=... level=info msg="..." key=value`.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::begins_record;
use crate::formats::json::flat::{Scalar, unescape};
use crate::formats::json::structured;
use crate::formats::keys::{Role, role};
use whyline_event::Record;

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Logfmt;

const NAME: &str = "logfmt";

impl Format for Logfmt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if !begins(text) {
            return None;
        }
        let pairs = pairs(cx, text)?;
        let found = structured::look(cx, &pairs);
        if !(found.level && (found.message.is_some() || found.time.is_some()) || found.time.is_some() && pairs.len() > 1) {
            return None;
        }
        record.format = NAME;
        structured::put(cx, &pairs, &found, record);
        Some(found.fit())
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        begins(line) || begins_record(line)
    }
}

/// Reads the pairs behind the stamp of another logger, where these are the record: level or message first. Returns whether they were.
pub fn behind_stamp<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> bool {
    const FEWEST: usize = 2;
    let head = text.split('=').next().unwrap_or("");
    if head.len() > 16 || !matches!(role(head), Some(Role::Time | Role::Level | Role::Message)) {
        return false;
    }
    let Some(pairs) = pairs(cx, text).filter(|pairs| pairs.len() >= FEWEST) else { return false };
    let found = structured::look(cx, &pairs);
    let is_record = found.message.is_some() && (found.level || found.time.is_some());
    if is_record {
        structured::put(cx, &pairs, &found, record);
    }
    is_record
}

/// Whether a line begins with `key=` for a key that means time, level or message.
fn begins(text: &str) -> bool {
    let end = text.bytes().take(40).take_while(|b| is_key(*b)).count();
    let Some(key) = text.get(..end).filter(|_| text.as_bytes().get(end) == Some(&b'=')) else { return false };
    key.len() < 40
        && !key.is_empty()
        && (matches!(
            role(key),
            Some(Role::Time | Role::Level | Role::Message | Role::Fallback | Role::Caller | Role::Name | Role::Field(_))
        ))
}

fn is_key(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@' | b'/')
}

/// The pairs; words without a value are skipped. `None` when there are more words than pairs: that is prose.
fn pairs<'a>(cx: &Cx<'a>, text: &'a str) -> Option<Vec<(&'a str, Scalar<'a>)>> {
    let mut out = Vec::with_capacity(12);
    let mut words = 0usize;
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        if rest.is_empty() {
            break;
        }
        let n = rest.bytes().take_while(|b| is_key(*b)).count();
        if n > 0 && rest.as_bytes().get(n) == Some(&b'=') {
            let (key, after) = (rest.get(..n)?, rest.get(n + 1..)?);
            let (value, tail) = value(cx, after);
            out.push((key, value));
            rest = tail;
            continue;
        }
        words += 1;
        let end = rest.find([' ', '\t', '\n']).unwrap_or(rest.len());
        rest = rest.get(end..)?;
        if words > 3 + out.len() {
            return None;
        }
    }
    (!out.is_empty()).then_some(out)
}

fn value<'a>(cx: &Cx<'a>, text: &'a str) -> (Scalar<'a>, &'a str) {
    if let Some(body) = text.strip_prefix('"') {
        let mut escaped = false;
        let mut any = false;
        for (at, b) in body.bytes().enumerate() {
            match b {
                _ if escaped => escaped = false,
                b'\\' => {
                    escaped = true;
                    any = true;
                }
                b'"' => {
                    let raw = body.get(..at).unwrap_or("");
                    let value = if any { cx.keep(&unescape(raw)) } else { raw };
                    return (Scalar::Str(value), body.get(at + 1..).unwrap_or(""));
                }
                _ => {}
            }
        }
        return (Scalar::Str(body), "");
    }
    let end = text.find([' ', '\t', '\n']).unwrap_or(text.len());
    let raw = text.get(..end).unwrap_or("");
    let tail = text.get(end..).unwrap_or("");
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let is_number = !digits.is_empty()
        && digits.len() < 20
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().filter(|b| *b == b'.').count() < 2
        && digits.bytes().any(|b| b.is_ascii_digit());
    let value = match raw {
        "true" => Scalar::Bool(true),
        "false" => Scalar::Bool(false),
        "null" | "nil" | "<nil>" => Scalar::Null,
        _ if is_number => Scalar::Number(raw),
        _ => Scalar::Str(raw),
    };
    (value, tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Key, Name, Origin, Severity, Value};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text =
            "time=2026-11-21T09:00:01.5Z level=warn logger=shop pid=7 msg=\"GET /a?b=1 200 12ms rid=ab12\" tries=3 q=\"a \\\"b\\\"\"";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Logfmt.read(&cx, text, &mut r), Some(60));
        assert_eq!(r.severity, Some(Severity::Warn));
        assert_eq!(r.body, "GET /a?b=1 200 12ms rid=ab12");
        assert_eq!((r.int(Key::Status), r.str(Key::Path), r.str(Key::RequestId)), (Some(200), Some("/a"), Some("ab12")));
        assert_eq!(r.get(Key::Duration), Some(Value::Duration(12_000_000)));
        assert_eq!(r.values(Name::Other("tries")).next(), Some(Value::Int(3)));
        assert_eq!(r.values(Name::Other("q")).next(), Some(Value::Str("a \"b\"")));
        for no in ["logname= uid=0 euid=0", "a b c", "=", "msg", "level=3 of the tower is closed for all of you now = then"] {
            assert!(Logfmt.read(&cx, no, &mut Record::new(no, Origin::default())).is_none(), "{no}");
        }
    }
}
