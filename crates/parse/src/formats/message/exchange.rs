//! An HTTP exchange told in a message: `GET /x 200 12ms`, `GET /x -> 200 in 12 ms`, `"GET /x HTTP/1.1" 200 123`.

use crate::formats::fill;
use crate::places::places;
use crate::seek::near;
use whyline_event::{Key, Record, Value, address};

/// Words that may stand between target and status, or status and duration.
const GLUE: &[&str] = &[
    "->",
    "=>",
    "-",
    ":",
    "—",
    "|",
    "returned",
    "responded",
    "response",
    "completed",
    "status",
    "with",
    "in",
    "took",
    "code",
    "got",
    "after",
    "finished",
    "HTTP",
    "failed",
    "ended",
    "answered",
    "done",
    "Completed",
];

/// So many characters before a method may an address stand that is its client's.
const NEAR: usize = 64;

/// Adds method, target, status and duration.
pub fn read<'a>(text: &'a str, record: &mut Record<'a>) {
    if let Some(rest) = text.strip_prefix("Request finished in ") {
        return finished(rest, record);
    }
    // A target begins with a slash behind a blank, or holds the slashes of a URL.
    let begins = |at: usize| matches!(text.as_bytes().get(at.wrapping_sub(1)), Some(b' ' | b':'));
    if record.has(Key::Method) || !places(text, [b'/']).any(begins) {
        return;
    }
    let Some((method, target, after, before)) = request(text) else { return };
    record.put(Key::Method, Value::Str(method));
    // Who asked often stands shortly before the method.
    let near = before.char_indices().rev().nth(NEAR).and_then(|(at, _)| before.get(at..)).unwrap_or(before);
    let is_client = |w: &&str| {
        let may_be = |b: u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'/' | b'[');
        w.bytes().next().is_some_and(may_be) && address::ip(w.trim_matches(['/', ':'])).is_some_and(|ip| !ip.is_unspecified())
    };
    if let Some(client) = words_back(near).find(is_client) {
        fill::client(record, client.trim_matches(['/', ':']));
    }
    fill::target(record, target);
    if is_own_call(before, after) {
        asked(target, record);
    }
    if before.contains('|') {
        columns(before, record);
    }
    if let Some(client) =
        after.strip_prefix(" from ").and_then(|t| t.split(' ').next()).filter(|w| address::ip(w).is_some() || address::is_ip_port(w))
    {
        fill::client(record, client);
    }
    match after.strip_prefix(" [status:") {
        Some(told) => transport(told, record),
        None => answer(after, record),
    }
}

/// Whether the writer itself asked: httpx (`HTTP Request: GET http://... "HTTP/1.1 503 ..."`, httpx/_client.py), or the clients of
/// Elasticsearch (`POST http://... [status:503 duration:0.012s]`, elastic_transport/_transport.py). Servers write whole URLs, too, of what they were asked.
fn is_own_call(before: &str, after: &str) -> bool {
    before.ends_with("HTTP Request: ") || after.starts_with(" [status:") && after.contains(" duration:")
}

/// The server of a URL that the writer asked, with its port: the one that is written, else the usual one of the scheme.
fn asked<'a>(url: &'a str, record: &mut Record<'a>) {
    let Some(server) = address::of_url(url) else { return };
    let (host, port) = address::split_port(server);
    let name = host.trim_matches(['[', ']']);
    if record.has(Key::Peer) || address::ip(name).is_none() && !address::is_host_name(name) {
        return;
    }
    record.put_str(Key::Peer, server);
    let usual = if url.starts_with("https:") { 443 } else { 80 };
    fill::once(record, Key::PeerPort, Value::Int(port.map_or(usual, i64::from)));
}

/// `503 duration:0.012s]`; `N/A` where no answer came.
fn transport<'a>(text: &'a str, record: &mut Record<'a>) {
    let told = text.split(']').next().unwrap_or(text);
    let (status, rest) = told.split_once(' ').unwrap_or((told, ""));
    if status.len() == 3 {
        fill::once_int(record, Key::Status, status);
    }
    if let Some(duration) = rest.strip_prefix("duration:").and_then(Value::duration) {
        fill::once(record, Key::Duration, duration);
    }
}

/// The words of a text, the last one first.
fn words_back(text: &str) -> impl Iterator<Item = &str> {
    let mut end = Some(text.len());
    std::iter::from_fn(move || {
        let before = text.get(..end?)?;
        let at = before.bytes().rposition(|b| matches!(b, b' ' | b'|' | b'(' | b')' | b'"' | b','));
        end = at;
        before.get(at.map_or(0, |at| at + 1)..)
    })
}

/// Go's web frameworks put the rest in columns before the method: `| 10.7.7.1| 404 | 9.5ms | nomatch | GET /x`.
fn columns<'a>(text: &'a str, record: &mut Record<'a>) {
    for column in text.split('|').map(str::trim) {
        if column.len() == 3 && column.parse::<u16>().is_ok_and(|n| (100..600).contains(&n)) {
            fill::once_int(record, Key::Status, column);
        } else if address::ip(column).is_some() {
            fill::client(record, column);
        } else if column.starts_with(|c: char| c.is_ascii_digit())
            && let Some(duration) = Value::duration(column)
        {
            fill::once(record, Key::Duration, duration);
        }
    }
}

/// ASP.NET Core, up to version 3: `Request finished in 7.5ms 404 text/html`.
fn finished<'a>(text: &'a str, record: &mut Record<'a>) {
    let mut words = text.split(' ');
    let (Some(took), Some(status)) = (words.next(), words.next()) else { return };
    if status.len() == 3 {
        fill::once_int(record, Key::Status, status);
    }
    if let Some(duration) = Value::duration(took) {
        fill::once(record, Key::Duration, duration);
    }
}

/// The first `METHOD target` on the first line.
fn request(text: &str) -> Option<(&str, &str, &str, &str)> {
    let line = crate::formats::cursor::first_line(text);
    let mut from = 0;
    for _ in 0..24 {
        let rest = line.get(from..)?;
        let end = near(rest, b' ')?;
        let word = rest.get(..end)?;
        // Methods end with a capital letter.
        if !word.bytes().next_back().is_some_and(|b| b.is_ascii_uppercase()) {
            from += end + 1;
            continue;
        }
        let bare = word.trim_start_matches(['"', '\'', '(', '[', '`']);
        let bare = bare.rsplit(['=', '"']).next().unwrap_or(bare);
        if fill::is_method(bare) {
            let after = rest.get(end + 1..)?.trim_start_matches([' ', '"']);
            // Mesos: `HTTP GET for /x from 10.0.0.1:4000`.
            let after = after.strip_prefix("for ").unwrap_or(after);
            let stop = after.find(' ').unwrap_or(after.len());
            let target = after.get(..stop)?.trim_end_matches(['"', '\'', ',', ')', ']', '`', ';']);
            let target = target.strip_suffix(':').unwrap_or(target);
            if target.starts_with('/') || target.starts_with("http://") || target.starts_with("https://") {
                return Some((bare, target, after.get(stop..)?, line.get(..from)?));
            }
        }
        from += end + 1;
    }
    None
}

/// Status and duration in the words after the target.
fn answer<'a>(text: &'a str, record: &mut Record<'a>) {
    let mut words = text.split([' ', '\n']).filter(|w| !w.is_empty()).take(12).peekable();
    let mut status = false;
    while let Some(word) = words.next() {
        if let Some(version) = word.trim_end_matches(['"', '\'']).strip_prefix("HTTP/") {
            fill::once_str(record, Key::HttpVersion, version);
            continue;
        }
        let bare = word.trim_matches(['(', ')', '[', ']', ',', ';', '"', '.', ':']);
        if !status && bare.len() == 3 && bare.parse::<i64>().is_ok_and(|n| (100..600).contains(&n)) && !record.has(Key::Status) {
            // `12 ms` is a duration where the unit follows.
            if !words.peek().is_some_and(|next| is_unit(next)) {
                fill::once_int(record, Key::Status, bare);
                status = true;
                continue;
            }
        }
        if bare.contains('=') {
            // Pairs are read elsewhere.
            if status { continue } else { break }
        }
        if bare.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
            if let Some(duration) = Value::duration(bare) {
                fill::once(record, Key::Duration, duration);
                break;
            }
            if let Some(unit) = words.peek().filter(|next| is_unit(next)) {
                let unit = unit.trim_end_matches(['.', ',', ')', ';']);
                if let Some(duration) = scaled(bare, unit) {
                    fill::once(record, Key::Duration, duration);
                }
                break;
            }
            continue;
        }
        if !status && !GLUE.contains(&bare) && !bare.is_empty() && !bare.starts_with("HTTP") {
            break;
        }
    }
}

fn is_unit(word: &str) -> bool {
    matches!(
        word.trim_end_matches(['.', ',', ')', ';', ']']),
        "ms" | "s" | "us" | "µs" | "msec" | "sec" | "seconds" | "milliseconds" | "msecs"
    )
}

fn scaled(number: &str, unit: &str) -> Option<Value<'static>> {
    match unit.trim_end_matches(']') {
        "ms" | "msec" | "msecs" | "milliseconds" => Value::millis(number),
        "s" | "sec" | "seconds" => Value::seconds(number),
        "us" | "µs" => number.parse::<i64>().ok().and_then(|n| n.checked_mul(1000)).map(Value::Duration),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    #[test]
    fn own_calls_name_who_was_asked() {
        let seen = |text: &'static str| {
            let mut r = Record::new(text, Origin::default());
            read(text, &mut r);
            let duration = r.get(Key::Duration);
            (r.str(Key::Peer), r.int(Key::PeerPort), r.int(Key::Status), duration, r.str(Key::UrlFull).is_some())
        };
        for (text, peer, port, status, nanos) in [
            ("HTTP Request: GET http://api.example/v1/x \"HTTP/1.1 503 Service Unavailable\"", "api.example", 80, Some(503), None),
            ("HTTP Request: POST https://u:p@pay.lan:8443 \"HTTP/2 200 OK\"", "pay.lan:8443", 8443, Some(200), None),
            ("HTTP Request: GET https://[2001:db8::7]/x?to=http://other/ \"HTTP/1.1 200 OK\"", "[2001:db8::7]", 443, Some(200), None),
            ("POST http://es:9200/_search [status:503 duration:0.012s]", "es:9200", 9200, Some(503), Some(12_000_000)),
            ("HEAD https://es/ [status:N/A duration:3.5s]", "es", 443, None, Some(3_500_000_000)),
        ] {
            assert_eq!(seen(text), (Some(peer), Some(port), status, nanos.map(Value::Duration), true), "{text}");
        }
        for incoming in [
            "Request starting HTTP/1.1 GET http://shop.example/x - -",
            "Request finished HTTP/1.1 GET http://shop.example/x - 200 5 text/html 12.5ms",
            "Completed POST http://shop.example/y with 500 (12.5 ms)",
            "HTTP Request: GET /x \"HTTP/1.1 200 OK\"",
            "GET http://shop.example/x [status:503]",
        ] {
            assert_eq!((seen(incoming).0, seen(incoming).1), (None, None), "{incoming}");
        }
    }

    #[test]
    fn exchanges() {
        for (text, method, path, status, nanos) in [
            ("GET /api/x 200 1ms rid=7", "GET", "/api/x", Some(200), Some(1_000_000)),
            ("GET /accounts/51?a=1 -> 200 in 23 ms", "GET", "/accounts/51", Some(200), Some(23_000_000)),
            ("\"GET /x HTTP/1.1\" 404 123", "GET", "/x", Some(404), None),
            ("10.0.0.9:551 - \"POST /y HTTP/1.1\" 503 Service Unavailable", "POST", "/y", Some(503), None),
            ("Completed POST http://shop.example/y with 500 (12.5 ms)", "POST", "/y", Some(500), Some(12_500_000)),
            ("GET /slow took 1.5s", "GET", "/slow", None, Some(1_500_000_000)),
            ("unhandled error in GET /z: boom 500", "GET", "/z", None, None),
            ("HTTP POST for /a from 10.7.7.1:7001", "POST", "/a", None, None),
            ("[router.go:7] | 10.7.7.1| 404 | 9.5ms| nomatch| GET /a", "GET", "/a", Some(404), Some(9_500_000)),
            ("GET /a 200 ms", "GET", "/a", None, Some(200_000_000)),
        ] {
            let mut r = Record::new(text, Origin::default());
            read(text, &mut r);
            assert_eq!((r.str(Key::Method), r.str(Key::Path)), (Some(method), Some(path)), "{text}");
            assert_eq!(r.int(Key::Status), status, "{text}");
            assert_eq!(r.get(Key::Duration), nanos.map(Value::Duration), "{text}");
        }
        for no in ["GET ready", "the /etc/passwd file", "Failed to GET it", "BEGET /x 200"] {
            let mut r = Record::new(no, Origin::default());
            read(no, &mut r);
            assert!(r.fields.is_empty(), "{no}");
        }
    }
}
