//! Pairs in prose: `rid=ab12`, `trace_id: 77`, `status=500`.

use crate::format::Cx;
use crate::formats::fill;
use crate::formats::json::flat::Scalar;
use crate::formats::json::structured;
use crate::formats::keys::{OF_RAILS, Role, Unit, role};
use crate::places::places;
use whyline_event::{Key, Record, Value};

/// Adds ids, and the pairs of an HTTP exchange.
pub fn read<'a>(cx: &Cx<'_>, text: &'a str, record: &mut Record<'a>) {
    let bytes = text.as_bytes();
    for at in places(text, [b'=', b':']).take(48) {
        // A colon ends a key where a blank follows.
        if bytes.get(at) == Some(&b':') && !matches!(bytes.get(at + 1), Some(b' ' | b'"')) {
            continue;
        }
        let Some(before) = text.get(..at) else { continue };
        // In an object of JSON inside a message a colon is as good as an equals sign.
        let json = before.ends_with('"') && bytes.get(at) == Some(&b':') && bytes.get(at + 1) == Some(&b'"');
        let is_pair = bytes.get(at) == Some(&b'=') || json;
        let before = if json { before.trim_end_matches('"') } else { before };
        let n = before.bytes().rev().take(32).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')).count();
        let Some(key) = before.get(before.len() - n..).filter(|k| !k.is_empty()) else { continue };
        let Some(role) = role(key) else { continue };
        let wanted = match role {
            Role::Field(Key::RequestId | Key::TraceId | Key::SpanId) => true,
            Role::Field(Key::Method) | Role::Target | Role::MaybeTarget | Role::Status | Role::Duration(_) | Role::Client => is_pair,
            _ => false,
        };
        if !wanted {
            continue;
        }
        let value = value(text.get(at + 1..).unwrap_or(""), is_pair);
        if !value.is_empty() {
            // lograge writes milliseconds with two decimals, beside controller and action.
            let is_key = |(at, key): (usize, &str)| bytes.get(at + key.len()) == Some(&b'=');
            let of_rails = || OF_RAILS.iter().all(|key| text.match_indices(key).any(is_key));
            let role = if role == Role::Duration(Unit::Shape) && of_rails() { Role::Duration(Unit::Millis) } else { role };
            put(cx, role, value, record);
        }
    }
}

fn put<'a>(cx: &Cx<'_>, role: Role, value: &'a str, record: &mut Record<'a>) {
    match role {
        Role::Field(Key::Method) if !fill::is_method(value) => {}
        Role::Field(key) if value.bytes().all(|b| b.is_ascii_graphic()) => fill::once_str(record, key, value),
        Role::Target if value.starts_with('/') => fill::target(record, value),
        // A path of whatever kind, unless a method stands before it.
        Role::MaybeTarget if value.starts_with('/') && record.has(Key::Method) => fill::target(record, value),
        Role::Status => {
            if let Ok(n) = value.parse::<i64>()
                && (100..600).contains(&n)
            {
                fill::once(record, Key::Status, Value::Int(n));
            }
        }
        // A bare number is a duration only in a record that is of a request.
        Role::Duration(unit) if record.has(Key::Method) || record.has(Key::Status) => {
            if let Some(duration) = structured::duration(Scalar::Str(value), unit, cx.fractions) {
                fill::once(record, Key::Duration, duration);
            }
        }
        Role::Client if whyline_event::address::ip(value).is_some() => fill::client(record, value),
        _ => {}
    }
}

/// The value after `=`, or after a colon and a blank.
fn value(text: &str, is_pair: bool) -> &str {
    let text = if is_pair { text } else { text.strip_prefix(' ').unwrap_or("") };
    if let Some(quote @ (b'"' | b'\'')) = text.bytes().next() {
        let body = text.get(1..).unwrap_or("");
        return body.find(char::from(quote)).and_then(|end| body.get(..end)).unwrap_or("");
    }
    let end = text.find([' ', '\t', '\n', ',', ';', ')', ']', '}', '"']).unwrap_or(text.len());
    text.get(..end).unwrap_or("").trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fractions::Fractions;
    use whyline_event::{Bump, Origin};

    #[test]
    fn pairs() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "method=GET url=/x?y=1 status=200 ms=3 rid=ab-12, TraceID: 77ff remote_ip=203.0.113.9 time=5";
        let mut r = Record::new(text, Origin::default());
        read(&cx, text, &mut r);
        assert_eq!((r.str(Key::Method), r.str(Key::Path), r.int(Key::Status)), (Some("GET"), Some("/x"), Some(200)));
        assert_eq!(r.get(Key::Duration), Some(Value::Duration(3_000_000)));
        assert_eq!((r.str(Key::RequestId), r.str(Key::TraceId)), (Some("ab-12"), Some("77ff")));
        assert_eq!(r.str(Key::ClientAddress), Some("203.0.113.9"));
        // The same numbers: milliseconds of lograge, seconds of anybody else.
        for (more, nanos) in [(" controller=Carts action=show", 58_330_000), ("", 58_330_000_000)] {
            let text = format!("method=GET path=/cart{more} status=200 duration=58.33");
            let mut r = Record::new(&text, Origin::default());
            read(&cx, &text, &mut r);
            assert_eq!(r.get(Key::Duration), Some(Value::Duration(nanos)), "{text}");
        }
        // Or milliseconds, where the source was found to count them.
        let mut r = Record::new("status=200 took=58.33", Origin::default());
        read(&Cx { fractions: Fractions::Millis, ..cx }, "status=200 took=58.33", &mut r);
        assert_eq!(r.get(Key::Duration), Some(Value::Duration(58_330_000)));
        let text = "status=1/FAILURE total=7.2 s";
        let mut r = Record::new(text, Origin::default());
        read(&cx, text, &mut r);
        assert!(r.fields.is_empty());
    }
}
