//! What a column of an access log means, and how its text becomes fields.

use super::request;
use crate::format::Cx;
use crate::formats::cursor::trimmed;
use crate::stamp;
use whyline_event::{Key, Record, Stamp, Value, address};

/// In what a duration is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, mostly with a fraction.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
    /// The unit is written behind the number, or the notation tells: a fraction means seconds, none milliseconds.
    Guess,
}

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing that is known, or nothing that matters.
    Nothing,
    /// A field that only its writer knows, under the column's own name.
    Named,
    /// The time, in any notation.
    Time,
    /// The client, perhaps with its port; of a list of addresses the first.
    Client,
    /// The server that was asked for, perhaps with its port.
    Server,
    /// The addresses in front of the client.
    Forwarded,
    /// The request line.
    Request,
    /// The request target: path and query.
    Target,
    /// The query, with or without its question mark.
    Query,
    /// `HTTP/1.1`.
    Protocol,
    /// The status of the answer.
    Status,
    /// Addresses of upstreams, one or several.
    Upstreams,
    /// Numbers, one or several (`502, 200`).
    Ints(Key),
    /// Durations, one or several.
    Took(Key, Unit),
    /// Text as it stands.
    Text(Key),
}

impl Meaning {
    /// Whether a column may hold blanks although it stands without quotes.
    pub fn is_free_text(self) -> bool {
        matches!(self, Meaning::Request | Meaning::Target | Meaning::Nothing | Meaning::Text(Key::UserAgent | Key::Referer | Key::User))
    }

    /// Whether a text can be a value of this column: the check that tells one layout from another.
    pub fn admits(self, text: &str) -> bool {
        match self {
            Meaning::Time => time(text).is_some(),
            // Envoy writes 0 where the client left before the answer.
            Meaning::Status => is_status(text) || text == "-" || text == "0",
            Meaning::Took(..) => !half_list(text) && elements(text).all(|t| t.starts_with(|c: char| c.is_ascii_digit() || c == '-')),
            Meaning::Ints(_) => !half_list(text) && elements(text).all(|t| t.bytes().all(|b| b.is_ascii_digit())),
            Meaning::Upstreams | Meaning::Client | Meaning::Forwarded => !half_list(text),
            _ => true,
        }
    }
}

/// Whether a text ends where a list goes on.
fn half_list(text: &str) -> bool {
    text.ends_with([',', ' ']) || text.ends_with(" :") || text.starts_with(' ')
}

/// Whether a text is a status code: three digits.
pub fn is_status(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0') || text == "000"
}

/// The stamp that a column holds: any notation, also epoch numbers.
pub fn time(text: &str) -> Option<Stamp> {
    let text = text.trim();
    let b = text.as_bytes();
    if b.get(2) == Some(&b'/') {
        return stamp::clf(text).or_else(|| stamp::prefix(text)).map(|(stamp, _)| stamp);
    }
    stamp::prefix(text).or_else(|| stamp::epoch(text)).map(|(stamp, _)| stamp)
}

/// The elements of a list as nginx writes it: separated by commas, and by ` : ` after an internal redirect. Dashes stand for
/// nothing and are left out.
pub fn elements(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let b = text.as_bytes();
        // A list goes on behind a comma or a blank; most have one element and neither.
        let comma = b.iter().position(|b| *b == b',');
        let mark = text.get(..comma.unwrap_or(b.len())).filter(|t| t.contains(' ')).and_then(|t| t.find(" : "));
        let (end, next) = match (mark, comma) {
            (Some(at), _) => (at, Some(at + 3)),
            (None, Some(at)) => (at, Some(at + 1)),
            (None, None) => (b.len(), None),
        };
        rest = next.and_then(|at| text.get(at..));
        Some(text.get(..end).unwrap_or("").trim())
    })
    .filter(|t| !t.is_empty() && *t != "-")
}

/// Whether a list has elements and all pass a test.
pub fn all_elements(text: &str, test: impl Fn(&str) -> bool) -> bool {
    elements(text).next().is_some() && elements(text).all(test)
}

/// A duration in a unit. Negative numbers (a phase that was not reached) are none.
pub fn duration(text: &str, unit: Unit) -> Option<Value<'static>> {
    let plain = match told_by(unit, text) {
        Unit::Seconds => Value::seconds(text),
        Unit::Millis => Value::millis(text),
        Unit::Micros => scaled(text, 1_000),
        Unit::Nanos => scaled(text, 1),
        Unit::Guess => Value::millis(text),
    };
    plain.or_else(|| Value::duration(text)).or_else(|| scientific(text, unit))
}

/// The unit, where the notation tells it: a fraction, in a list that of any element, means seconds.
fn told_by(unit: Unit, text: &str) -> Unit {
    if unit == Unit::Guess && text.contains('.') { Unit::Seconds } else { unit }
}

fn scaled(text: &str, unit: i64) -> Option<Value<'static>> {
    let whole = text.split('.').next().unwrap_or(text);
    let number: i64 = whole.parse().ok().filter(|n| *n >= 0)?;
    number.checked_mul(unit).map(Value::Duration)
}

/// `3.4e-05`, as JSON encoders write small numbers.
fn scientific(text: &str, unit: Unit) -> Option<Value<'static>> {
    if !text.contains(['e', 'E']) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    let nanos = match unit {
        Unit::Seconds | Unit::Guess => number * 1e9,
        Unit::Millis => number * 1e6,
        Unit::Micros => number * 1e3,
        Unit::Nanos => number,
    };
    (0.0..9e18).contains(&nanos).then_some(Value::Duration(nanos.round() as i64))
}

/// Adds the fields of a column. `name` is the column's own name, for [`Meaning::Named`].
pub fn put<'a>(meaning: Meaning, name: &'a str, text: &'a str, cx: &Cx<'a>, record: &mut Record<'a>) {
    let text = trimmed(text);
    if text.is_empty() || text == "-" {
        return;
    }
    match meaning {
        Meaning::Nothing => {}
        Meaning::Named => record.put_other(name, named_value(request::unescape(text, cx))),
        Meaning::Time => put_time(text, record),
        Meaning::Client => put_client(text, record),
        Meaning::Server => put_server(text, record),
        Meaning::Forwarded => record.put_str(Key::ForwardedFor, text),
        Meaning::Request => request::put(text, cx, record),
        Meaning::Target => request::put_target(text, cx, record),
        Meaning::Query => record.put_str(Key::UrlQuery, text.strip_prefix('?').unwrap_or(text)),
        Meaning::Protocol => {
            let version = text.strip_prefix("HTTP/").or_else(|| text.strip_prefix("http/")).unwrap_or(text);
            record.put_str(Key::HttpVersion, version);
        }
        Meaning::Status => {
            if let Ok(status) = text.parse::<u16>() {
                record.put(Key::Status, Value::Int(i64::from(status)));
            }
        }
        Meaning::Upstreams => elements(text).for_each(|t| put_upstream(t, record)),
        Meaning::Ints(key) => {
            for number in elements(text).filter_map(|t| t.parse().ok()) {
                record.put(key, Value::Int(number));
            }
        }
        Meaning::Took(key, unit) => {
            let unit = told_by(unit, text);
            for value in elements(text).filter_map(|t| duration(t, unit)) {
                record.put(key, value);
            }
        }
        Meaning::Text(key) => record.put_str(key, request::unescape(text, cx)),
    }
}

fn named_value(text: &str) -> Value<'_> {
    match text.parse::<i64>() {
        Ok(number) if text.len() < 18 && !text.starts_with('+') && (text == "0" || !text.starts_with('0')) => Value::Int(number),
        _ => Value::Str(text),
    }
}

/// Sets the time, unless the record has a finer one of the same second.
pub fn put_time(text: &str, record: &mut Record<'_>) {
    if let Some(stamp) = time(text) {
        // Of two notations of the same moment the finer one counts.
        let coarser = record.stamp.is_some_and(|had| {
            had.form == stamp.form && had.digits > stamp.digits && had.nanos / 1_000_000_000 == stamp.nanos / 1_000_000_000
        });
        if !coarser {
            record.stamp = Some(stamp);
        }
    }
}

/// Adds a client: its address, its port, and a whole list where there is one.
pub fn put_client<'a>(text: &'a str, record: &mut Record<'a>) {
    // An IPv4 address without port is the usual case, and has no more to it.
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return record.put_str(Key::ClientAddress, text);
    }
    let first = match text.split_once(',') {
        Some((first, _)) => {
            record.put_str(Key::ForwardedFor, text);
            first.trim()
        }
        None => text,
    };
    let (host, port) = address::split_port(first.strip_prefix('/').unwrap_or(first));
    record.put_str(Key::ClientAddress, host);
    if let Some(port) = port {
        record.put(Key::ClientPort, Value::Int(i64::from(port)));
    }
}

/// Adds the server that was asked for.
pub fn put_server<'a>(text: &'a str, record: &mut Record<'a>) {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !host.contains(':') => (host, port.parse::<u16>().ok()),
        _ => address::split_port(text),
    };
    record.put_str(Key::ServerAddress, host);
    if let Some(port) = port {
        record.put(Key::ServerPort, Value::Int(i64::from(port)));
    }
}

/// Adds an upstream: its address, without the scheme and path of a URL.
pub fn put_upstream<'a>(text: &'a str, record: &mut Record<'a>) {
    record.put_str(Key::UpstreamAddress, upstream_address(text));
}

/// The address in an upstream as servers write it: `http://10.0.0.3:8080/x` is `10.0.0.3:8080`, `fastcgi://unix:/run/php.sock:`
/// is `unix:/run/php.sock`.
pub fn upstream_address(text: &str) -> &str {
    if memchr::memchr(b'/', text.as_bytes()).is_none() && !text.starts_with("unix:") {
        return text;
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => rest,
        _ => text,
    };
    if rest.starts_with("unix:") {
        // The path ends at the colon before the URI.
        let tail = rest.get(5..).unwrap_or("");
        let end = tail.find(':').map_or(rest.len(), |at| at + 5);
        return rest.get(..end).unwrap_or(rest);
    }
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_upstreams() {
        for (text, want) in [
            ("http://10.0.0.3:8080/x?y=http://z", "10.0.0.3:8080"),
            ("fastcgi://unix:/run/php.sock:", "unix:/run/php.sock"),
            ("http://unix:/run/app.sock:/api/x", "unix:/run/app.sock"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
            ("https://api.internal", "api.internal"),
            ("unix:/run/app.sock", "unix:/run/app.sock"),
        ] {
            assert_eq!(upstream_address(text), want);
        }
    }

    #[test]
    fn durations_and_lists() {
        assert_eq!(duration("0.012", Unit::Guess), Some(Value::Duration(12_000_000)));
        assert_eq!(duration("12", Unit::Guess), Some(Value::Duration(12_000_000)));
        assert_eq!(duration("12ms", Unit::Guess), Some(Value::Duration(12_000_000)));
        assert_eq!(duration("3.4e-05", Unit::Seconds), Some(Value::Duration(34_000)));
        assert_eq!(duration("-1", Unit::Millis), None);
        assert_eq!(duration("1500", Unit::Micros), Some(Value::Duration(1_500_000)));
        assert_eq!(elements("502, 200 : -, 404").collect::<Vec<_>>(), ["502", "200", "404"]);
    }
}
