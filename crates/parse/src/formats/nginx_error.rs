//! nginx error logs.
//!
//! ```text
//! 2026/11/20 21:05:42 [error] 811#811: *5 connect() failed (111: Connection refused) while connecting to upstream, client: ...
//! nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)
//! ```

use super::access;
use super::message;
use super::php;
use crate::format::{Cx, Fit, Format};
use crate::stamp;
use whyline_event::{Key, Record, Stamp, Value};

/// nginx error logs, and what nginx writes to its standard error while it starts.
#[derive(Clone, Copy, Debug)]
pub struct NginxError;

/// The name.
const NAME: &str = "nginx.error";

/// The parts of the first line.
struct Head<'a> {
    stamp: Option<Stamp>,
    level: &'a str,
    /// `pid#tid`.
    process: Option<(&'a str, &'a str)>,
    connection: Option<&'a str>,
    /// Where the message begins in the record.
    at: usize,
}

impl Format for NginxError {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let head = head(text)?;
        let message = text.get(head.at..)?;
        let context = context_start(message);
        record.format = NAME;
        record.body = message.get(..context).unwrap_or(message).trim_end();
        if head.stamp.is_some() {
            record.stamp = head.stamp;
        }
        record.set_level(head.level);
        if let Some((pid, tid)) = head.process {
            record.put_int(Key::ProcessPid, pid);
            record.put_str(Key::ThreadName, tid);
        }
        if let Some(connection) = head.connection {
            record.put_str(Key::Connection, connection);
        }
        put_errno(record.body, record);
        put_resolver(record.body, record);
        put_context(message.get(context..).unwrap_or(""), cx, record);
        php::handed_on(record);
        Some(if head.stamp.is_some() && head.process.is_some() { 96 } else { 92 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        head(line).is_some()
    }
}

fn is_level(word: &str) -> bool {
    matches!(word, "debug" | "info" | "notice" | "warn" | "error" | "crit" | "alert" | "emerg")
}

fn head(text: &str) -> Option<Head<'_>> {
    let rest = text.strip_prefix("nginx: ").unwrap_or(text);
    let named = rest.len() < text.len();
    let (stamp, after) = match rest.as_bytes().get(4) {
        Some(b'/') => {
            let (stamp, used) = stamp::iso(rest)?;
            (Some(stamp), rest.get(used..)?.strip_prefix(' ')?)
        }
        _ if named => (None, rest),
        _ => return None,
    };
    let (level, after) = after.strip_prefix('[')?.split_once("] ")?;
    if !is_level(level) {
        return None;
    }
    let mut head = Head { stamp, level, process: None, connection: None, at: text.len() - after.len() };
    let Some((process, message)) = after.split_once(": ") else { return Some(head) };
    if let Some((pid, tid)) = process.split_once('#').filter(|(p, t)| is_number(p) && is_number(t)) {
        head.process = Some((pid, tid));
        head.at = text.len() - message.len();
        if let Some((number, message)) = message.strip_prefix('*').and_then(|m| m.split_once(' ')).filter(|(n, _)| is_number(n)) {
            head.connection = Some(number);
            head.at = text.len() - message.len();
        }
    }
    Some(head)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The keys that nginx appends to a message, in its order.
const KEYS: [&str; 11] =
    ["client", "server", "request", "subrequest", "upstream", "host", "referrer", "login", "zone", "bytes from/to client", "limiting"];

/// Where the appended `, client: ...` begins; the length of the message when there is none.
fn context_start(message: &str) -> usize {
    if let Some(at) = message.rfind(", client: ") {
        return at;
    }
    let mut from = 0;
    while let Some(at) = message.get(from..).and_then(|rest| rest.find(", ")).map(|at| at + from) {
        let rest = message.get(at + 2..).unwrap_or("");
        let known = |key: &str| rest.strip_prefix(key).is_some_and(|r| r.starts_with(": "));
        // Without a client only messages of the master and of a resolver have keys, and these end the line.
        if ["server", "request", "upstream"].into_iter().any(known) {
            return at;
        }
        from = at + 2;
    }
    message.len()
}

/// Adds the fields of `, key: value, key: "value"`.
fn put_context<'a>(context: &'a str, cx: &Cx<'a>, record: &mut Record<'a>) {
    let mut rest = context;
    while let Some(after) = rest.strip_prefix(", ").or_else(|| rest.strip_prefix("; ")) {
        let Some((key, value)) = after.split_once(": ") else { return };
        let end = value_end(value);
        put_key(key, value.get(..end).unwrap_or(value), cx, record);
        rest = value.get(end..).unwrap_or("");
    }
}

/// Where a value ends: before the next `, key: `, since values may hold quotes and commas themselves.
fn value_end(value: &str) -> usize {
    let mut from = 0;
    while let Some(at) = value.get(from..).and_then(|rest| rest.find(", ")).map(|at| at + from) {
        let rest = value.get(at + 2..).unwrap_or("");
        let quotes_fit = !value.starts_with('"') || at > 0 && value.as_bytes().get(at - 1) == Some(&b'"');
        if quotes_fit && KEYS.iter().any(|key| rest.strip_prefix(key).is_some_and(|r| r.starts_with(": "))) {
            return at;
        }
        from = at + 2;
    }
    value.len()
}

fn put_key<'a>(key: &'a str, value: &'a str, cx: &Cx<'a>, record: &mut Record<'a>) {
    let value = value.trim_end();
    let value = value.strip_prefix('"').map_or(value, |v| v.strip_suffix('"').unwrap_or(v));
    match key {
        "client" => access::put_client(value, record),
        "server" => record.put_str(Key::ServerAddress, value),
        "request" => access::put_request(value, cx, record),
        "upstream" => {
            access::put_upstream(value, record);
            if value.contains("://") {
                record.put_other("upstream.url", Value::Str(value));
            }
        }
        "host" if !value.is_empty() => record.put_other("http.request.header.host", Value::Str(value)),
        "referrer" => record.put_str(Key::Referer, access::unescape(value, cx)),
        "login" => record.put_str(Key::User, value),
        "bytes from/to client" => {
            let (sent, got) = value.split_once('/').unwrap_or((value, ""));
            record.put_int(Key::RequestBytes, sent);
            let got = got.split(',').next().unwrap_or(got);
            record.put_int(Key::ResponseBytes, got);
        }
        _ if value.is_empty() => {}
        _ => record.put_other(key, Value::Str(value)),
    }
}

/// Adds the error of the operating system: `(111: Connection refused)`.
fn put_errno<'a>(body: &'a str, record: &mut Record<'a>) {
    let mut rest = body;
    while let Some((_, after)) = rest.split_once('(') {
        if let Some((number, tail)) = after.split_once(": ")
            && is_number(number)
            && number.len() <= 5
        {
            let said = tail.split(')').next().unwrap_or(tail);
            record.put_int(Key::Errno, number);
            record.put_other("error.text", Value::Str(said));
            return;
        }
        rest = after;
    }
}

/// Adds the name that could not be resolved, and the name server that failed: `while resolving, resolver: 10.0.0.53:53`
/// (src/core/ngx_resolver.c).
fn put_resolver<'a>(body: &'a str, record: &mut Record<'a>) {
    if let Some((_, server)) = body.split_once("while resolving, resolver: ") {
        record.put_str(Key::Peer, server);
    } else if (body.contains("resolved (") || body.starts_with("host not found in "))
        && let Some(name) = message::asked_name(body)
    {
        record.put_str(Key::QName, name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::access::testing::{fields, fit};
    use super::*;

    #[test]
    fn lines() {
        for (line, want) in [
            (
                "2026/11/20 21:05:42 [error] 811#811: *5 stock.lan could not be resolved (3: Host not found), client: 198.51.100.7, server: _",
                "nginx.error 2026-11-20T21:05:42Z ERROR [stock.lan could not be resolved (3: Host not found)] log.level.original=error \
                 process.pid=811 thread.name=811 network.connection.id=5 error.code=3 error.text=Host not found dns.question.name=stock.lan \
                 client.address=198.51.100.7 server.address=_",
            ),
            (
                "2026/11/20 21:05:42 [error] 811#811: recv() failed (111: Connection refused) while resolving, resolver: 10.0.0.53:53",
                "nginx.error 2026-11-20T21:05:42Z ERROR [recv() failed (111: Connection refused) while resolving, resolver: 10.0.0.53:53] \
                 log.level.original=error process.pid=811 thread.name=811 error.code=111 error.text=Connection refused \
                 network.peer.address=10.0.0.53:53",
            ),
            (
                "nginx: [emerg] host not found in upstream \"stock.lan\" in /etc/nginx/conf.d/shop.conf:12",
                "nginx.error - FATAL [host not found in upstream \"stock.lan\" in /etc/nginx/conf.d/shop.conf:12] \
                 log.level.original=emerg dns.question.name=stock.lan",
            ),
            (
                "2026/11/20 21:05:42 [error] 811#812: *5 connect() failed (111: Connection refused) while connecting to upstream, client: \
                 198.51.100.7, server: shop.example, request: \"GET /a?b=1, 2 HTTP/1.1\", upstream: \"http://10.0.0.3:8080/a?b=1, 2\", host: \
                 \"shop.example\", referrer: \"https://shop.example/\"",
                "nginx.error 2026-11-20T21:05:42Z ERROR [connect() failed (111: Connection refused) while connecting to upstream] \
                 log.level.original=error process.pid=811 thread.name=812 network.connection.id=5 error.code=111 error.text=Connection refused \
                 client.address=198.51.100.7 server.address=shop.example http.request.method=GET url.path=/a url.query=b=1, 2 \
                 network.protocol.version=1.1 upstream.address=10.0.0.3:8080 upstream.url=http://10.0.0.3:8080/a?b=1, 2 \
                 http.request.header.host=shop.example http.request.header.referer=https://shop.example/",
            ),
            (
                "2026/11/20 21:05:42 [crit] 7#7: *1 connect() to unix:/run/app.sock failed (2: No such file or directory) while connecting to \
                 upstream, client: unix:, server: _, request: \"GET / HTTP/1.0\", upstream: \"http://unix:/run/app.sock:/\", host: \"h\"",
                "nginx.error 2026-11-20T21:05:42Z FATAL [connect() to unix:/run/app.sock failed (2: No such file or directory) while connecting \
                 to upstream] log.level.original=crit process.pid=7 thread.name=7 network.connection.id=1 error.code=2 error.text=No such file \
                 or directory client.address=unix: server.address=_ http.request.method=GET url.path=/ network.protocol.version=1.0 \
                 upstream.address=unix:/run/app.sock upstream.url=http://unix:/run/app.sock:/ http.request.header.host=h",
            ),
            (
                "2026/11/20 21:05:42 [notice] 1#1: signal 15 (SIGTERM) received, exiting",
                "nginx.error 2026-11-20T21:05:42Z INFO [signal 15 (SIGTERM) received, exiting] log.level.original=notice process.pid=1 \
                 thread.name=1",
            ),
            (
                "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
                "nginx.error - FATAL [bind() to 0.0.0.0:80 failed (98: Address already in use)] log.level.original=emerg error.code=98 \
                 error.text=Address already in use",
            ),
            (
                "nginx: 2026/11/20 21:05:42 [warn] 9#9: *3 upstream server temporarily disabled while connecting to upstream, client: ::1",
                "nginx.error 2026-11-20T21:05:42Z WARN [upstream server temporarily disabled while connecting to upstream] \
                 log.level.original=warn process.pid=9 thread.name=9 network.connection.id=3 client.address=::1",
            ),
            (
                "2026/11/20 21:05:42 [error] 9#9: *3 limiting requests, excess: 5.400 by zone \"one\", client: 10.9.8.7, server: a, request: \
                 \"GET / HTTP/2.0\", host: \"a\"",
                "nginx.error 2026-11-20T21:05:42Z ERROR [limiting requests, excess: 5.400 by zone \"one\"] log.level.original=error \
                 process.pid=9 thread.name=9 network.connection.id=3 client.address=10.9.8.7 server.address=a http.request.method=GET \
                 url.path=/ network.protocol.version=2.0 http.request.header.host=a",
            ),
            (
                "2026/11/20 21:05:42 [error] 4#4: *8 FastCGI sent in stderr: \"PHP message: PHP Fatal error:  Uncaught Error in /srv/a.php:3\n\
                 Stack trace:\n#0 {main}\n  thrown\" while reading response header from upstream, client: 10.0.0.1, server: php, request: \
                 \"GET /a.php HTTP/1.1\", upstream: \"fastcgi://127.0.0.1:9000\", host: \"php\"",
                "nginx.error 2026-11-20T21:05:42Z ERROR [FastCGI sent in stderr: \"PHP message: PHP Fatal error:  Uncaught Error in \
                 /srv/a.php:3\nStack trace:\n#0 {main}\n  thrown\" while reading response header from upstream] log.level.original=error \
                 process.pid=4 thread.name=4 network.connection.id=8 client.address=10.0.0.1 server.address=php http.request.method=GET \
                 url.path=/a.php network.protocol.version=1.1 upstream.address=127.0.0.1:9000 upstream.url=fastcgi://127.0.0.1:9000 \
                 http.request.header.host=php service.name=php-fpm",
            ),
        ] {
            assert_eq!(fields(&NginxError, line), want, "{line}");
        }
        for no in ["", "nginx: the configuration file is ok", "2026/11/20 21:05:42 [Worker] x", "2026/11/20 21:05:42 hello", "nginx"] {
            assert_eq!(fit(&NginxError, no), None, "{no}");
        }
    }
}
