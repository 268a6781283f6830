//! What a named group of a pattern fills.

use super::names::intern;
use crate::format::Cx;
use crate::formats::access::{self, Unit};
use crate::formats::fill;
use whyline_event::{Key, Kind, Record, Value};

/// Where the text of a group goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slot {
    /// The time stamp.
    Time,
    /// The level word.
    Level,
    /// The message for people.
    Body,
    /// A request line: method, target, version.
    Request,
    /// A field of the table; a duration with the unit of bare numbers, where one was told.
    Field(Key, Option<Unit>),
    /// A field that only this format knows.
    Own(&'static str, Option<Unit>),
}

impl Slot {
    /// What a group of this name fills.
    pub fn of(name: &str, unit: Option<Unit>) -> Slot {
        match name {
            "timestamp" | "time" | "datetime" => return Slot::Time,
            "level" | "severity" | "severity_text" => return Slot::Level,
            "message" | "msg" | "body" => return Slot::Body,
            "request" => return Slot::Request,
            _ => {}
        }
        match Key::find(name) {
            Some(Key::Level) => Slot::Level,
            Some(key) => Slot::Field(key, unit),
            None => Slot::Own(intern(name), unit),
        }
    }

    /// Puts the text of a group into a record. A dash and an empty text stand for nothing.
    pub fn put<'a>(self, text: &'a str, cx: &Cx<'a>, record: &mut Record<'a>) {
        let text = text.trim();
        if text.is_empty() || text == "-" {
            return;
        }
        match self {
            // The reader itself sees to these.
            Slot::Time | Slot::Body => {}
            Slot::Level => fill::level(record, text),
            Slot::Request => access::put_request(text, cx, record),
            Slot::Field(key, unit) => field(key, unit, text, record),
            Slot::Own(name, Some(unit)) => record.put_other(name, access::duration(text, unit).unwrap_or(Value::Str(text))),
            Slot::Own(name, None) => record.put_other(name, number(text)),
        }
    }
}

fn field<'a>(key: Key, unit: Option<Unit>, text: &'a str, record: &mut Record<'a>) {
    match key {
        Key::ClientAddress => fill::client(record, text),
        Key::Peer => fill::endpoint(record, text, Key::Peer, Key::PeerPort),
        Key::ServerAddress => access::put_server(text, record),
        Key::UpstreamAddress => text.split(',').map(str::trim).filter(|t| *t != "-").for_each(|t| access::put_upstream(t, record)),
        Key::UpstreamStatus => text.split(',').for_each(|t| record.put_int(key, t.trim())),
        Key::Path => fill::target(record, text),
        Key::HttpVersion => fill::once_str(record, key, text.strip_prefix("HTTP/").unwrap_or(text)),
        _ => match key.kind() {
            Kind::Duration => fill::once(record, key, duration(text, unit).unwrap_or(Value::Str(text))),
            Kind::Int | Kind::Bytes => fill::once(record, key, text.parse().map_or(Value::Str(text), Value::Int)),
            Kind::Number => fill::once(record, key, number(text)),
            Kind::Text | Kind::Keyword | Kind::Address => fill::once_str(record, key, text),
        },
    }
}

/// A length of time: with the unit that is written, else with the one that was told.
fn duration(text: &str, unit: Option<Unit>) -> Option<Value<'static>> {
    Value::duration(text).or_else(|| access::duration(text, unit?))
}

/// A number where the text is one and is written as numbers are; identifiers with leading zeros stay text.
fn number(text: &str) -> Value<'_> {
    let plain = text == "0" || !text.starts_with(['0', '+']) || text.starts_with("0.");
    if !plain || text.len() > 17 || !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-')) {
        return Value::Str(text);
    }
    let whole = text.parse::<i64>().map(Value::Int);
    whole.or_else(|_| text.parse::<f64>().map(Value::Float)).unwrap_or(Value::Str(text))
}

/// The unit of a length of time.
pub fn unit(text: &str) -> Option<Unit> {
    Some(match text {
        "s" => Unit::Seconds,
        "ms" => Unit::Millis,
        "us" | "µs" => Unit::Micros,
        "ns" => Unit::Nanos,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(Slot::of("user", None), Slot::Field(Key::User, None));
        assert_eq!(Slot::of("source.ip", None), Slot::Field(Key::ClientAddress, None));
        assert_eq!(Slot::of("log.level", None), Slot::Level);
        assert_eq!(Slot::of("order_id", None), Slot::Own("order_id", None));
    }

    #[test]
    fn numbers() {
        for (text, want) in [
            ("4711", Value::Int(4711)),
            ("0", Value::Int(0)),
            ("-3", Value::Int(-3)),
            ("0.5", Value::Float(0.5)),
            ("007", Value::Str("007")),
            ("1.2.3", Value::Str("1.2.3")),
            ("12345678901234567890", Value::Str("12345678901234567890")),
        ] {
            assert_eq!(number(text), want);
        }
    }
}
