//! Apache error logs, in the forms of 2.2 and 2.4.
//!
//! ```text
//! [Sat Nov 21 10:30:01 2026] [error] [client 198.51.100.7] File does not exist: /srv/www/favicon.ico
//! [Sat Nov 21 10:30:01.123456 2026] [core:error] [pid 35:tid 43] (13)Permission denied: [client 198.51.100.7:1234] AH00035: ...
//! ```

use super::access;
use super::php;
use crate::format::{Cx, Fit, Format};
use crate::stamp;
use whyline_event::{Key, Record, Severity, Stamp, Value, address};

/// Apache error logs.
#[derive(Clone, Copy, Debug)]
pub struct ApacheError;

/// The name.
const NAME: &str = "apache.error";

/// The header of a line.
#[derive(Default)]
struct Head<'a> {
    stamp: Option<Stamp>,
    module: &'a str,
    level: &'a str,
    pid: &'a str,
    tid: &'a str,
    client: &'a str,
    remote: &'a str,
    errno: Option<(&'a str, &'a str)>,
    /// The message behind the header.
    message: &'a str,
    /// The message with the error in front, where the client stands between the two.
    split: bool,
}

impl Format for ApacheError {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let head = head(text)?;
        record.format = NAME;
        let (message, referer) = head.message.rsplit_once(", referer: ").unwrap_or((head.message, ""));
        record.body = match head.errno {
            Some((number, said)) if head.split => cx.keep(&format!("({number}){said}: {message}")),
            Some((number, _)) => from_errno(text, number, message),
            None => message,
        };
        if head.stamp.is_some() {
            record.stamp = head.stamp;
        }
        put_level(head.level, record);
        record.put_str(Key::Logger, head.module);
        if !head.pid.is_empty() {
            record.put_int(Key::ProcessPid, head.pid);
        }
        record.put_str(Key::ThreadName, head.tid);
        if !head.client.is_empty() {
            access::put_client(head.client, record);
        }
        // `remote` is the other end of a connection without an entry in the scoreboard (server/log.c): the backend where this server asks,
        // with TLS or without; the client in a daemon of mod_wsgi.
        let asks = head.module.starts_with("proxy") || head.module == "ssl";
        if !head.remote.is_empty() && !asks && head.client.is_empty() {
            access::put_client(head.remote, record);
        } else if !head.remote.is_empty() {
            access::put_upstream(head.remote, record);
        } else if let Some(upstream) = upstream(message) {
            access::put_upstream(upstream, record);
        }
        // mod_proxy names what was asked for rather than whom it asked.
        if let Some((_, path)) = message.split_once(" returned by /") {
            let path = message.get(message.len() - path.len() - 1..).unwrap_or("").split([' ', ',']).next().unwrap_or("");
            crate::formats::fill::target(record, path);
        }
        if let Some((number, said)) = head.errno {
            record.put_int(Key::Errno, number.trim_start_matches("OS "));
            record.put_other("error.text", Value::Str(said));
        }
        if let Some(code) = code(message) {
            record.put_other("event.code", Value::Str(code));
        }
        record.put_str(Key::Referer, referer);
        php::handed_on(record);
        Some(match (head.stamp.is_some(), head.pid.is_empty()) {
            (true, false) => 95,
            (true, true) => 92,
            _ => 80,
        })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        head(line).is_some()
    }
}

/// The record from the error's number to the end of the message; both lie in the same text.
fn from_errno<'a>(text: &'a str, number: &str, message: &'a str) -> &'a str {
    let end = text.rfind(message).map_or(text.len(), |at| at + message.len());
    text.find(&format!("({number})")).and_then(|at| text.get(at..end)).unwrap_or(message)
}

fn put_level<'a>(word: &'a str, record: &mut Record<'a>) {
    if word.is_empty() {
        return;
    }
    record.set_level(word);
    if word.starts_with("trace") {
        record.severity = Some(Severity::Trace);
    }
}

fn is_level(word: &str) -> bool {
    let word = word.strip_suffix(|c: char| c.is_ascii_digit()).unwrap_or(word);
    matches!(word, "emerg" | "alert" | "crit" | "error" | "warn" | "notice" | "info" | "debug" | "trace")
}

/// The next `[...]` and what follows it.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let (inner, rest) = text.strip_prefix('[')?.split_once(']')?;
    Some((inner, rest.trim_start_matches(' ')))
}

fn head(text: &str) -> Option<Head<'_>> {
    if code(text).is_some() && text.split(' ').next().is_some_and(|w| w.ends_with(':')) {
        // Written before the log is open.
        return Some(Head { message: text, ..Head::default() });
    }
    let (time, rest) = bracket(text)?;
    let (stamp, used) = stamp::prefix(time)?;
    // The JVM's own log has brackets, too, without blanks between them.
    if used != time.len() || time.contains(", ") || text.get(time.len() + 1..).is_some_and(|t| t.starts_with("][")) {
        return None;
    }
    let (level, mut rest) = bracket(rest)?;
    let (module, level) = level.split_once(':').unwrap_or(("", level));
    if !is_level(level) {
        return None;
    }
    let mut head = Head { stamp: Some(stamp), module, level, ..Head::default() };
    loop {
        if let Some((inner, after)) = bracket(rest) {
            if let Some(process) = inner.strip_prefix("pid ") {
                let (pid, tid) = process.split_once(':').unwrap_or((process, ""));
                (head.pid, head.tid) = (pid, tid.strip_prefix("tid ").unwrap_or(tid));
            } else if let Some(client) = inner.strip_prefix("client ") {
                head.client = client;
                head.split = head.errno.is_some();
            } else if let Some(remote) = inner.strip_prefix("remote ") {
                head.remote = remote;
                head.split = head.errno.is_some();
            } else {
                break;
            }
            rest = after;
        } else if let Some((number, said, after)) = errno(rest).filter(|_| head.errno.is_none()) {
            head.errno = Some((number, said));
            rest = after;
        } else {
            break;
        }
    }
    head.message = rest;
    Some(head)
}

/// `(13)Permission denied: ` and `(OS 10061)No connection could be made: `.
fn errno(text: &str) -> Option<(&str, &str, &str)> {
    let (number, rest) = text.strip_prefix('(')?.split_once(')')?;
    let digits = number.strip_prefix("OS ").unwrap_or(number);
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (said, after) = rest.split_once(": ")?;
    Some((number, said.trim_end(), after))
}

/// `AH00035` at the beginning of a message.
fn code(message: &str) -> Option<&str> {
    let code = message.get(..7)?;
    let rest = message.get(7..)?;
    let digits = code.strip_prefix("AH")?;
    (digits.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with([':', ' '])).then_some(code)
}

/// The other end of a proxied connection that a message speaks of.
fn upstream(message: &str) -> Option<&str> {
    let marks =
        ["attempt to connect to Unix domain socket ", "attempt to connect to ", "failed to make connection to backend: ", "remote server "];
    let rest = marks.into_iter().find_map(|mark| message.split_once(mark)).map(|(_, rest)| rest)?;
    let word = rest.split([' ', ',']).next()?.trim_end_matches(':');
    let known = address::ip(word).is_some() || word.starts_with('/') || matches!(address::split_port(word), (_, Some(_)));
    known.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::super::access::testing::{fields, fit};
    use super::*;

    #[test]
    fn lines() {
        for (line, want) in [
            (
                "[Sat Nov 21 10:30:01 2026] [error] [client 198.51.100.7] File does not exist: /srv/www/favicon.ico",
                "apache.error 2026-11-21T10:30:01Z ERROR [File does not exist: /srv/www/favicon.ico] log.level.original=error \
                 client.address=198.51.100.7",
            ),
            (
                "[Sat Nov 21 10:30:01.123456 2026] [core:error] [pid 35:tid 4328] (13)Permission denied: [client 198.51.100.7:1234] AH00035: \
                 access to /x denied, referer: https://shop.example/",
                "apache.error 2026-11-21T10:30:01.123456Z ERROR [(13)Permission denied: AH00035: access to /x denied] \
                 log.level.original=error log.logger=core process.pid=35 thread.name=4328 client.address=198.51.100.7 client.port=1234 \
                 error.code=13 error.text=Permission denied event.code=AH00035 http.request.header.referer=https://shop.example/",
            ),
            (
                "[Sat Nov 21 10:30:01.123456 2026] [wsgi:error] [pid 35:tid 4328] [remote 198.51.100.7:7948] took 2.030s",
                "apache.error 2026-11-21T10:30:01.123456Z ERROR [took 2.030s] log.level.original=error log.logger=wsgi process.pid=35 \
                 thread.name=4328 client.address=198.51.100.7 client.port=7948",
            ),
            (
                "[Sat Nov 21 10:30:01.123456 2026] [ssl:error] [pid 35] [remote 10.0.0.5:443] AH02039: Certificate Verification: Error (10)",
                "apache.error 2026-11-21T10:30:01.123456Z ERROR [AH02039: Certificate Verification: Error (10)] log.level.original=error \
                 log.logger=ssl process.pid=35 upstream.address=10.0.0.5:443 event.code=AH02039",
            ),
            (
                "[Sat Nov 21 10:30:01.123456 2026] [proxy:error] [pid 35] (111)Connection refused: AH00957: HTTP: attempt to connect to \
                 10.0.0.5:8080 (10.0.0.5) failed",
                "apache.error 2026-11-21T10:30:01.123456Z ERROR [(111)Connection refused: AH00957: HTTP: attempt to connect to 10.0.0.5:8080 \
                 (10.0.0.5) failed] log.level.original=error log.logger=proxy process.pid=35 upstream.address=10.0.0.5:8080 error.code=111 \
                 error.text=Connection refused event.code=AH00957",
            ),
            (
                "[Sat Nov 21 10:30:01.123456 2026] [ssl:trace3] [pid 7:tid 9] ssl_engine.c(12): [client ::1:44] handshake",
                "apache.error 2026-11-21T10:30:01.123456Z TRACE [ssl_engine.c(12): [client ::1:44] handshake] log.level.original=trace3 \
                 log.logger=ssl process.pid=7 thread.name=9",
            ),
            (
                "[Sat Nov 21 10:30:01 2026] [:error] [pid 7] [client 10.0.0.1:80] PHP Fatal error:  Uncaught Error",
                "apache.error 2026-11-21T10:30:01Z ERROR [PHP Fatal error:  Uncaught Error] log.level.original=error process.pid=7 \
                 client.address=10.0.0.1 client.port=80",
            ),
            ("AH00558: httpd: Could not determine the name", "apache.error - - - event.code=AH00558"),
        ] {
            assert_eq!(fields(&ApacheError, line), want, "{line}");
        }
        for no in ["", "[", "[Sat Nov 21 10:30:01 2026] hello", "[Sat Nov 21 10:30:01 2026] [Worker] x", "[2026] [error] x", "AH00558"] {
            assert_eq!(fit(&ApacheError, no), None, "{no}");
        }
    }
}
