//! Requests and connections.

use super::super::access;
use crate::format::{Cx, Fit};
use crate::formats::fill;
use crate::seek::near;
use crate::stamp;
use whyline_event::{Key, Record, Stamp, Value};

/// The beginning that all traffic lines share, and the words behind it.
struct Line<'a> {
    client: (&'a str, Option<i64>),
    stamp: Stamp,
    frontend: &'a str,
    rest: &'a str,
}

/// Reads a traffic line.
pub fn read<'a>(cx: &Cx<'a>, text: &'a str, line: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    let line = open(line)?;
    if let Some(message) = line.frontend.strip_suffix(':').map(|_| line.rest) {
        return error(line, message, record);
    }
    let (place, rest) = word(line.rest);
    let (backend, server) = place.split_once('/')?;
    let (timers, rest) = word(rest);
    let timers: Timers<'_> = Timers::read(timers)?;
    let tail = Tail::read(rest, timers.http)?;
    let fit = if timers.http { 96 } else { 94 };
    record.format = if timers.http { "haproxy.http" } else { "haproxy.tcp" };
    record.body = text;
    record.severity = None;
    put_open(&line, record);
    record.put_str(Key::UpstreamName, backend);
    record.put_str(Key::UpstreamServer, server);
    timers.put(record);
    tail.put(cx, record);
    Some(fit)
}

/// The next word and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(' ').unwrap_or((text, ""))
}

fn open(line: &str) -> Option<Line<'_>> {
    let line = line.trim_start();
    let blank = near(line, b' ')?;
    let (client, rest) = (line.get(..blank)?, line.get(blank + 1..)?);
    let rest = rest.trim_start().strip_prefix('[')?;
    let (time, rest) = rest.split_once(']')?;
    let (stamp, used) = stamp::clf(time)?;
    if stamp.digits == 0 || used != time.len() {
        return None;
    }
    let (frontend, rest) = word(rest);
    if frontend.is_empty() {
        return None;
    }
    // IPv6 clients stand without brackets, so only the last colon is that of the port.
    let (host, port) = client.rsplit_once(':')?;
    Some(Line { client: (host, port.parse().ok()), stamp, frontend, rest: rest.trim() })
}

fn put_open<'a>(line: &Line<'a>, record: &mut Record<'a>) {
    record.stamp = Some(line.stamp);
    // The time in brackets is that of the beginning, not of the end when the line was written.
    record.put_other("time.is_start", Value::Bool(true));
    let host = line.client.0;
    record.put_str(Key::ClientAddress, host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host));
    if let Some(port) = line.client.1 {
        record.put(Key::ClientPort, Value::Int(port));
    }
    let frontend = line.frontend.trim_end_matches(':');
    record.put_str(Key::Frontend, frontend.split('/').next().unwrap_or(frontend).trim_end_matches('~'));
}

/// A connection that failed before it carried anything: `frontend/bind: SSL handshake failure`.
fn error<'a>(line: Line<'a>, message: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    if message.is_empty() {
        return None;
    }
    record.format = "haproxy.tcp";
    record.body = message;
    put_open(&line, record);
    record.put_str(Key::ExceptionMessage, message);
    Some(92)
}

/// `Tq/Tw/Tc/Tr/Ta` of requests, `Tw/Tc/Tt` of connections.
struct Timers<'a> {
    http: bool,
    parts: [&'a str; 5],
}

impl<'a> Timers<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = [""; 5];
        let mut count = 0;
        for part in text.split('/') {
            let number = part.strip_prefix(['-', '+']).unwrap_or(part);
            if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            *parts.get_mut(count)? = part;
            count += 1;
        }
        match count {
            3 => Some(Timers { http: false, parts: ["", parts[0], parts[1], "", parts[2]] }),
            5 => Some(Timers { http: true, parts }),
            _ => None,
        }
    }

    fn put(&self, record: &mut Record<'a>) {
        // A phase that was not reached is -1; `+` marks a line that was written before the end.
        let value = |at: usize| self.parts.get(at).and_then(|t| Value::millis(t.trim_start_matches('+')));
        if let Some(value) = value(0) {
            record.put_other("haproxy.request.duration", value);
        }
        for (at, key) in [(1, Key::QueueDuration), (2, Key::UpstreamConnect), (3, Key::UpstreamHeader), (4, Key::Duration)] {
            if let Some(value) = value(at) {
                record.put(key, value);
            }
        }
    }
}

/// What follows the timers.
struct Tail<'a> {
    status: &'a str,
    bytes: &'a str,
    termination: &'a str,
    connections: &'a str,
    queues: &'a str,
    captures: [&'a str; 2],
    request: Option<&'a str>,
    tls: &'a str,
}

impl<'a> Tail<'a> {
    fn read(rest: &'a str, http: bool) -> Option<Self> {
        let (status, rest) = if http { word(rest) } else { ("", rest) };
        let (bytes, mut rest) = word(rest);
        let is_number = |t: &str| !t.is_empty() && t.trim_start_matches(['+', '-']).bytes().all(|b| b.is_ascii_digit());
        if http && !is_number(status) || !is_number(bytes) {
            return None;
        }
        if http {
            // The captured cookies of request and response.
            rest = word(word(rest).1).1;
        }
        let (termination, rest) = word(rest);
        let (connections, rest) = word(rest);
        let (queues, rest) = word(rest);
        if !(2..=4).contains(&termination.len()) || connections.matches('/').count() != 4 {
            return None;
        }
        let (captures, rest) = captures(rest);
        let (request, tls) = match rest.strip_prefix('"') {
            Some(_) => {
                let end = rest.rfind('"').unwrap_or(0);
                let inner = rest.get(1..end.max(1)).unwrap_or("");
                (Some(inner), rest.get(end + 1..).unwrap_or(""))
            }
            None => (None, rest),
        };
        Some(Tail { status, bytes, termination, connections, queues, captures, request, tls })
    }

    fn put(&self, cx: &Cx<'a>, record: &mut Record<'a>) {
        if let Some(status) = self.status.parse::<i64>().ok().filter(|s| *s > 0) {
            record.put(Key::Status, Value::Int(status));
        }
        if let Ok(bytes) = self.bytes.trim_start_matches('+').parse() {
            record.put(Key::ResponseBytes, Value::Int(bytes));
        }
        // Dashes mean here that all went well, so they are kept.
        record.put(Key::Termination, Value::Str(self.termination));
        self.put_counts(record);
        let [request, response] = self.captures;
        if !request.is_empty() {
            record.put_other("haproxy.captured.request", Value::Str(request));
            if let Some(agent) = request.split('|').find(|header| is_user_agent(header)) {
                fill::once_str(record, Key::UserAgent, agent);
            }
        }
        if !response.is_empty() {
            record.put_other("haproxy.captured.response", Value::Str(response));
        }
        if let Some(request) = self.request {
            access::put_request(request, cx, record);
        }
        self.put_tls(record);
    }

    fn put_counts(&self, record: &mut Record<'a>) {
        let number = |t: &str| t.trim_start_matches('+').parse::<i64>().ok();
        for (at, count) in self.connections.split('/').map(number).enumerate() {
            let Some(count) = count.map(Value::Int) else { continue };
            match at {
                0 => record.put(Key::ActiveConnections, count),
                1 => record.put_other("haproxy.connections.frontend", count),
                2 => record.put_other("haproxy.connections.backend", count),
                3 => record.put_other("haproxy.connections.server", count),
                _ => record.put(Key::Retries, count),
            }
        }
        if let Some((Some(server), Some(backend))) = self.queues.split_once('/').map(|(s, b)| (number(s), number(b))) {
            record.put(Key::QueueLength, Value::Int(server.saturating_add(backend)));
        }
    }

    /// `option httpslog` appends error numbers and `sni/version/cipher`.
    fn put_tls(&self, record: &mut Record<'a>) {
        let Some(last) = self.tls.split(' ').next_back() else { return };
        let mut parts = last.split('/');
        if let (Some(sni), Some(version), Some(cipher), None) = (parts.next(), parts.next(), parts.next(), parts.next()) {
            record.put_str(Key::Tls, sni);
            record.put_str(Key::TlsVersion, version);
            record.put_str(Key::Cipher, cipher);
        }
    }
}

/// Whether a captured header looks like a user agent: a name, a slash and a number, and nothing more or a blank behind it. No other header
/// that people capture does.
fn is_user_agent(header: &str) -> bool {
    let Some((product, rest)) = header.split_once('/') else { return false };
    let named = product.len() <= 48
        && product.starts_with(|c: char| c.is_ascii_alphabetic())
        && product.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'.' | b'_' | b'-'));
    let version = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')).count();
    named && rest.starts_with(|c: char| c.is_ascii_digit()) && rest.as_bytes().get(version).is_none_or(|b| *b == b' ')
}

/// `{request headers} {response headers}`, both optional.
fn captures(mut rest: &str) -> ([&str; 2], &str) {
    let mut found = [""; 2];
    rest = rest.trim_start();
    for place in &mut found {
        if let Some((inner, after)) = rest.strip_prefix('{').and_then(|r| r.split_once("} ")) {
            *place = inner;
            rest = after.trim_start();
        }
    }
    (found, rest)
}
