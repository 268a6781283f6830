//! Access records whose columns have names: JSON, LTSV, `key=value`.

use super::meaning::{self, Meaning, Unit, is_status};
use super::names;
use super::request;
use crate::format::{Cx, Fit};
use crate::formats::keys::OF_RAILS;
use whyline_event::{Key, Kind, Name, Record, Value, address};

/// A named column.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The name, as written; nested names are joined by dots.
    pub key: &'a str,
    /// The value.
    pub text: &'a str,
    /// Whether the value was written as a string.
    pub quoted: bool,
    meaning: Meaning,
}

impl<'a> Pair<'a> {
    /// A pair with the meaning that its name has.
    pub fn new(key: &'a str, text: &'a str, quoted: bool) -> Self {
        let meaning = match key {
            // Traefik counts in nanoseconds where others that call it so do not.
            "Duration" => Meaning::Took(Key::Duration, Unit::Nanos),
            "Overhead" => Meaning::Named,
            _ => names::lookup(key).unwrap_or(Meaning::Named),
        };
        Pair { key, text, quoted, meaning }
    }

    fn is(&self, meaning: Meaning) -> bool {
        self.meaning == meaning && !self.text.is_empty() && self.text != "-"
    }
}

/// Reads named columns as an access record. `None` when they are not those of one, as when they carry a message of their own.
pub fn read<'a>(pairs: &mut [Pair<'a>], cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    let of_haproxy = haproxy_names(pairs);
    let writer = if of_haproxy { Some("haproxy.http") } else { writer(pairs) };
    short_names(pairs);
    if !is_access(pairs) || is_of_rails(pairs) || writer.is_none() && is_message(pairs) {
        return None;
    }
    client_by_shape(pairs);
    let own = pairs.iter().filter(|p| is_own_name(p.key)).count();
    record.format = writer.unwrap_or("nginx.access");
    record.body = text;
    record.severity = None;
    put_time(pairs, of_haproxy, record);
    put_request(pairs, cx, record);
    let mark = record.fields.len();
    for pair in pairs.iter() {
        put(pair, mark, cx, record);
    }
    Some(match (writer, own) {
        (Some(_), _) => 92,
        (None, 2..) => 90,
        (None, 1) => 80,
        _ => 70,
    })
}

/// HAProxy's timers by the names of its log variables (configuration manual, 8.2.6), in milliseconds: where three of them are columns, the short
/// names beside them are its own, too. Returns whether it is so.
fn haproxy_names(pairs: &mut [Pair<'_>]) -> bool {
    let millis = |key| Meaning::Took(key, Unit::Millis);
    let timer = |name: &str| {
        Some(match name {
            "Tw" => millis(Key::QueueDuration),
            "Tc" => millis(Key::UpstreamConnect),
            "Tr" => millis(Key::UpstreamHeader),
            "Ta" | "Tt" => millis(Key::Duration),
            "Tq" | "TR" | "Th" | "Ti" | "Td" | "Tu" => Meaning::Named,
            _ => return None,
        })
    };
    if pairs.iter().filter(|p| timer(p.key).is_some()).count() < 3 {
        return false;
    }
    let of_session = |text: &str| (2..=4).contains(&text.len()) && text.bytes().all(|b| b == b'-' || b.is_ascii_alphabetic());
    for pair in pairs {
        let unknown = pair.text.starts_with('-');
        pair.meaning = match pair.key {
            // What did not take place took no time.
            name if timer(name).is_some() => timer(name).filter(|_| !unknown).unwrap_or(Meaning::Nothing),
            "be" | "b" | "backend" => Meaning::Text(Key::UpstreamName),
            "srv" | "s" | "server" => Meaning::Text(Key::UpstreamServer),
            "fe" | "f" | "frontend" => Meaning::Text(Key::Frontend),
            "ci" | "client_ip" => Meaning::Client,
            "st" | "ST" if is_status(pair.text) => Meaning::Status,
            "ts" | "tsc" if of_session(pair.text) => Meaning::Text(Key::Termination),
            "t" | "tr" | "accept_date" if pair.meaning == Meaning::Named => Meaning::Time,
            _ => pair.meaning,
        };
    }
    true
}

/// Method and status under short names that mean other things elsewhere, beside the target of a request.
fn short_names(pairs: &mut [Pair<'_>]) {
    let has = |pairs: &[Pair<'_>], meaning: Meaning| pairs.iter().any(|p| p.is(meaning));
    if has(pairs, Meaning::Status) || !has(pairs, Meaning::Target) {
        return;
    }
    let method = Meaning::Text(Key::Method);
    if !has(pairs, method) {
        let found = pairs.iter_mut().find(|p| matches!(p.key, "m" | "verb") && request::is_known_method(p.text));
        let Some(pair) = found else { return };
        pair.meaning = method;
    }
    let is_short = |p: &&mut Pair<'_>| matches!(p.key, "st" | "s" | "sc" | "rc") && is_status(p.text) && !p.text.starts_with('0');
    if let Some(pair) = pairs.iter_mut().find(is_short) {
        pair.meaning = Meaning::Status;
    }
}

/// Whether the columns are those of an exchange: a status, and something of the request.
fn is_access(pairs: &[Pair<'_>]) -> bool {
    let status = |p: &Pair<'_>| p.meaning == Meaning::Status && (is_status(p.text) || p.text == "0");
    let request = |p: &Pair<'_>| p.is(Meaning::Request) || p.is(Meaning::Target) || p.is(Meaning::Text(Key::Method));
    pairs.iter().any(status) && pairs.iter().any(request)
}

/// Whether a program tells of the requests that it answered itself: beside them it has a level or what went wrong, which no proxy has, and
/// none of the names that only proxies have.
pub fn is_of_application(pairs: &[Pair<'_>]) -> bool {
    let error = |p: &Pair<'_>| matches!(p.key, "error" | "err" | "exception" | "latency_human");
    pairs.iter().any(|p| is_level(p) || error(p)) && writer(pairs).is_none() && !pairs.iter().any(|p| is_own_name(p.key))
}

fn is_level(pair: &Pair<'_>) -> bool {
    matches!(pair.key, "level" | "severity" | "lvl" | "loglevel" | "log.level" | "levelname" | "level_name" | "Level")
}

/// Whether there is a level and a message: then it is a program that speaks, if of a request.
fn is_message(pairs: &[Pair<'_>]) -> bool {
    let message = |p: &Pair<'_>| matches!(p.key, "msg" | "message" | "event" | "Message" | "@message" | "log") && !p.text.is_empty();
    pairs.iter().any(is_level) && pairs.iter().any(message)
}

/// The program, where its own names tell.
fn writer(pairs: &[Pair<'_>]) -> Option<&'static str> {
    pairs.iter().find_map(|p| match p.key {
        "logger" if p.text.starts_with("http.log.access") => Some("caddy.access"),
        "DownstreamStatus" => Some("traefik"),
        "EdgeResponseStatus" => Some("cloudflare"),
        "response_flags" | "upstream_cluster" | "x-envoy-origin-path" | "x-envoy-original-path" => Some("envoy.access"),
        "termination_state" => Some("haproxy.http"),
        _ => None,
    })
}

/// Whether the record is what Rails says of a request through lograge: it names the code that answered, and it is in the application's own log.
fn is_of_rails(pairs: &[Pair<'_>]) -> bool {
    OF_RAILS.iter().all(|key| pairs.iter().any(|p| p.key == *key))
}

/// Names that are nginx variables or labels of the LTSV recommendation, and hardly anything else.
fn is_own_name(key: &str) -> bool {
    matches!(
        key,
        "remote_addr"
            | "remote_user"
            | "request_time"
            | "body_bytes_sent"
            | "request_uri"
            | "http_user_agent"
            | "http_referer"
            | "http_x_forwarded_for"
            | "time_local"
            | "time_iso8601"
            | "request_length"
            | "reqtime"
            | "apptime"
            | "forwardedfor"
            | "req"
    ) || key.starts_with("upstream_")
}

/// Who the client is: `host` in LTSV, and with a proxy in front the address that a server trusts rather than the one that
/// connected.
fn client_by_shape(pairs: &mut [Pair<'_>]) {
    if pairs.iter().any(|p| p.key == "request.client_ip") {
        pairs.iter_mut().filter(|p| p.key == "request.remote_ip").for_each(|p| p.meaning = Meaning::Named);
    }
    if pairs.iter().any(|p| p.meaning == Meaning::Client) {
        return;
    }
    let host = pairs.iter_mut().find(|p| p.key == "host" && address::ip(p.text).is_some());
    if let Some(pair) = host {
        pair.meaning = Meaning::Client;
    }
}

/// The time when the line was written; else the one when the request began.
fn put_time(pairs: &[Pair<'_>], of_haproxy: bool, record: &mut Record<'_>) {
    let begins = |p: &Pair<'_>| {
        p.key.to_ascii_lowercase().starts_with("start") || p.key == "accept_date" || of_haproxy && matches!(p.key, "t" | "tr")
    };
    let times = || pairs.iter().filter(|p| p.is(Meaning::Time));
    for pair in times().filter(|p| !begins(p)) {
        meaning::put_time(pair.text, record);
    }
    if times().all(begins)
        && let Some(stamp) = times().find_map(|p| meaning::time(p.text))
    {
        record.stamp = Some(stamp);
        record.put_other("time.is_start", Value::Bool(true));
    }
}

/// The request, from the column that says most of it.
fn put_request<'a>(pairs: &[Pair<'a>], cx: &Cx<'a>, record: &mut Record<'a>) {
    if let Some(line) = pairs.iter().find(|p| p.is(Meaning::Request)) {
        meaning::put(Meaning::Request, "", line.text, cx, record);
        if record.has(Key::Path) {
            return;
        }
    }
    let says_more = |p: &&Pair<'_>| p.text.contains('?') || p.key.to_ascii_lowercase().contains("request");
    let target = |p: &&Pair<'_>| p.is(Meaning::Target);
    if let Some(method) = pairs.iter().find(|p| p.is(Meaning::Text(Key::Method))) {
        record.put_str(Key::Method, method.text);
    }
    if let Some(pair) = pairs.iter().filter(target).find(says_more).or(pairs.iter().find(target)) {
        meaning::put(Meaning::Target, "", pair.text, cx, record);
    }
    if let Some(query) = pairs.iter().find(|p| p.is(Meaning::Query)).filter(|_| !record.has(Key::UrlQuery)) {
        meaning::put(Meaning::Query, "", query.text, cx, record);
    }
}

/// Adds what [`put_time`] and [`put_request`] left. Of two columns for the same thing the first counts.
fn put<'a>(pair: &Pair<'a>, mark: usize, cx: &Cx<'a>, record: &mut Record<'a>) {
    let had = |key: Key, record: &Record<'a>| record.fields.iter().skip(mark).any(|f| f.name == Name::Known(key));
    let single = match pair.meaning {
        Meaning::Time | Meaning::Request | Meaning::Target | Meaning::Query | Meaning::Text(Key::Method) => return,
        Meaning::Protocol if record.has(Key::HttpVersion) => return,
        Meaning::Client => Some(Key::ClientAddress),
        Meaning::Server => Some(Key::ServerAddress),
        Meaning::Status => Some(Key::Status),
        Meaning::Took(key, _) | Meaning::Ints(key) | Meaning::Text(key) => Some(key),
        _ => None,
    };
    if single.is_some_and(|key| had(key, record)) {
        return;
    }
    // An envelope has said it.
    if pair.key == "pid" && record.has(Key::ProcessPid) {
        return;
    }
    match (pair.meaning, pair.key) {
        (Meaning::Named, "level" | "severity") if pair.quoted => record.set_level(pair.text),
        (Meaning::Named, _) => put_named(pair, record),
        _ => meaning::put(pair.meaning, pair.key, pair.text, cx, record),
    }
}

/// Envoy's flags have a name of their own, whatever the notation of the line.
fn own_name(key: &str) -> &str {
    match key {
        "response_flags" => "envoy.response_flags",
        "response_code_details" => "envoy.response_details",
        _ => key,
    }
}

fn put_named<'a>(pair: &Pair<'a>, record: &mut Record<'a>) {
    if pair.text.is_empty() || pair.text == "-" {
        return;
    }
    let value = match (pair.quoted, pair.text) {
        (false, "null") => return,
        (false, "true") => Value::Bool(true),
        (false, "false") => Value::Bool(false),
        (false, number) => match (number.parse::<i64>(), number.parse::<f64>()) {
            (Ok(n), _) => Value::Int(n),
            (_, Ok(x)) if x.is_finite() => Value::Float(x),
            _ => Value::Str(number),
        },
        (true, text) => Value::Str(text),
    };
    match (Key::find(pair.key).filter(|key| matches!(key.kind(), Kind::Keyword | Kind::Text)), value) {
        (Some(key), Value::Str(_)) => record.put(key, value),
        _ => record.put_other(own_name(pair.key), value),
    }
}
