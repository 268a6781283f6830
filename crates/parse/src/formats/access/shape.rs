//! Access lines of unknown layout, read by their shape.
//!
//! Whoever writes a `log_format` keeps three things: a time, the request in quotes, and the status behind it. These are the
//! anchors; what stands before and behind them is told by its shape, and what one line leaves open by the lines around it.

use super::anchors::{Anchors, anchors, behind};
use super::apache;
use super::infer::{self, Row};
use super::meaning::{self, Meaning, Unit, is_status};
use super::names;
use super::quick::Quick;
use super::request;
use super::token::{Kind, MOST, Token, Tokens, scan};
use crate::format::{Cx, Fit, Format};
use crate::marks::Marks;
use std::sync::Arc;
use whyline_event::{Key, Record, Severity, address};

/// Access lines of the common and combined family, and of any other order that keeps the anchors.
#[derive(Clone, Debug)]
pub struct Shaped {
    name: &'static str,
    /// What the columns behind the status mean, where the source taught it.
    tail: Option<Vec<Meaning>>,
    /// The straight way through the usual lines of the source.
    quick: Option<Arc<Quick>>,
}

impl Shaped {
    /// The reader for lines of this name: `nginx.access`, which also tells Apache's shapes by themselves, or `apache.access`.
    pub fn new(name: &'static str) -> Self {
        Shaped { name, tail: None, quick: None }
    }
}

impl Format for Shaped {
    fn name(&self) -> &'static str {
        self.name
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if let Some(quick) = &self.quick
            && let Some(fit) = quick.read(text, cx, record)
        {
            return Some(fit);
        }
        let line = first_line(text);
        memchr::memchr(b'"', line.as_bytes())?;
        let tokens = scan(line);
        let anchors = anchors(line, &tokens)?;
        let mut head = [Meaning::Nothing; MOST];
        let classic = read_head(&tokens, &anchors, &mut head)?;
        let apache = self.name == "apache.access" || is_apache(&tokens, &anchors, &head);
        record.format = match apache {
            true => "apache.access",
            false if is_php_fpm(&tokens, &anchors) => "php-fpm.access",
            false => "nginx.access",
        };
        record.body = text;
        record.severity = None;
        if anchors.stamp.is_some() {
            record.stamp = anchors.stamp;
        }
        for (token, meaning) in tokens.iter().zip(head) {
            meaning::put(meaning, token.key, token.text, cx, record);
        }
        if let Some(token) = tokens.get(anchors.request) {
            request::put(token.text, cx, record);
        }
        if let Some(token) = anchors.status.and_then(|at| tokens.get(at)) {
            meaning::put(Meaning::Status, "", token.text, cx, record);
        }
        self.put_tail(line, &tokens, &anchors, cx, record);
        Some(match (classic, anchors.stamp.is_some(), anchors.status.is_some()) {
            (true, true, true) => 88,
            (false, true, true) => 80,
            (_, true, false) => 65,
            _ => 55,
        })
    }

    fn wants_marks(&self) -> bool {
        self.quick.is_some()
    }

    fn read_marked<'a>(&self, cx: &Cx<'a>, line: &'a str, marks: &Marks<'_>, record: &mut Record<'a>) -> Option<Fit> {
        self.quick.as_ref()?.read_marked(line, marks, cx, record)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        let tokens = scan(line);
        anchors(line, &tokens).is_some_and(|a| read_head(&tokens, &a, &mut [Meaning::Nothing; MOST]).is_some())
    }

    fn learn(&self, head: &[&str]) -> Option<Arc<dyn Format>> {
        Shaped::learnt(self.name, head).map(|format| Arc::new(format) as Arc<dyn Format>)
    }
}

impl Shaped {
    /// A reader for lines like these, which this format reads; `None` where there are too few.
    pub fn learnt(name: &'static str, head: &[&str]) -> Option<Shaped> {
        let lines: Vec<&str> = head.iter().map(|text| first_line(text)).collect();
        let mut rows = Vec::new();
        for line in &lines {
            let tokens = scan(line);
            if let Some(anchors) = anchors(line, &tokens) {
                rows.push(row(&tokens, &anchors));
            }
        }
        if rows.len() < 2 {
            return None;
        }
        let plain = rows.iter().all(|row| is_plain(&row.columns));
        let tail = (!plain).then(|| infer::tail(&rows));
        // nginx writes times with a fraction; microseconds as whole numbers are Apache's `%D`.
        let micros = Meaning::Took(Key::Duration, Unit::Micros);
        let proven = tail.as_ref().is_some_and(|tail| tail.contains(&micros)) || lines.iter().any(|line| apache::proves(line));
        let given = name;
        let name = if proven { "apache.access" } else { name };
        let quick = Quick::of(&lines, tail.as_deref(), name == "apache.access").map(Arc::new);
        (tail.is_some() || quick.is_some() || name != given).then_some(Shaped { name, tail, quick })
    }

    fn put_tail<'a>(&self, line: &'a str, tokens: &Tokens<'a>, anchors: &Anchors, cx: &Cx<'a>, record: &mut Record<'a>) {
        let alone;
        let tail: &[Meaning] = match &self.tail {
            Some(learnt) => learnt,
            None if is_plain_tail(tokens, anchors) => &PLAIN,
            None => {
                alone = infer::tail(&[row(tokens, anchors)]);
                &alone
            }
        };
        let upstream_keys = has_upstream_keys(behind(tokens, anchors));
        for (at, token) in behind(tokens, anchors).enumerate() {
            let meaning = match token.key {
                "" => tail.get(at).copied().unwrap_or(Meaning::Nothing),
                key => keyed(key, token.text, upstream_keys),
            };
            let mut text = token.text;
            if meaning == Meaning::Text(Key::UserAgent) && infer::is_bare_agent(token) {
                text = line.get(token.start..).unwrap_or(text);
                meaning::put(meaning, token.key, text, cx, record);
                return;
            }
            meaning::put(meaning, token.key, text, cx, record);
        }
    }
}

/// Size, referrer, user agent, addresses in front: the columns of the combined format and its common extension.
pub const PLAIN: [Meaning; 4] =
    [Meaning::Ints(Key::ResponseBytes), Meaning::Text(Key::Referer), Meaning::Text(Key::UserAgent), Meaning::Forwarded];

/// Whether some columns have the usual keys of upstream times.
pub fn has_upstream_keys<'t, 'a: 't>(mut columns: impl Iterator<Item = &'t Token<'a>>) -> bool {
    columns.any(|t| matches!(t.key, "urt" | "uct" | "uht"))
}

fn first_line(text: &str) -> &str {
    memchr::memchr(b'\n', text.as_bytes()).and_then(|at| text.get(..at)).unwrap_or(text)
}

fn row<'a>(tokens: &Tokens<'a>, anchors: &Anchors) -> Row<'a> {
    let status = anchors.status.and_then(|at| tokens.get(at)).map_or("", |t| t.text);
    Row { columns: behind(tokens, anchors).copied().collect(), status }
}

fn is_plain_tail(tokens: &Tokens<'_>, anchors: &Anchors) -> bool {
    plain(&mut behind(tokens, anchors))
}

fn is_plain(columns: &[Token<'_>]) -> bool {
    plain(&mut columns.iter())
}

/// Whether columns are those of [`PLAIN`], perhaps followed by columns with keys.
fn plain(columns: &mut dyn Iterator<Item = &Token<'_>>) -> bool {
    let is_size = |t: &Token<'_>| t.kind == Kind::Bare && t.key.is_empty() && (t.text == "-" || t.text.bytes().all(|b| b.is_ascii_digit()));
    match columns.next() {
        None => return true,
        Some(first) if is_size(first) => {}
        Some(_) => return false,
    }
    let mut quoted = 0;
    for token in columns {
        if !token.key.is_empty() {
            continue;
        }
        quoted += 1;
        let fits = token.kind == Kind::Quoted
            && match quoted {
                1 => !infer::is_bare_agent(token),
                2 => true,
                3 => token.text == "-" || token.text.split(',').all(|t| address::ip(t.trim()).is_some()),
                _ => false,
            };
        if !fits {
            return false;
        }
    }
    quoted != 1
}

/// What a column with a key means. Two abbreviations mean different things in different shops: `ua` is the user agent or the
/// upstream's address, `us` the upstream's status or microseconds. Beside `urt` they speak of the upstream.
pub fn keyed(key: &str, text: &str, upstream_keys: bool) -> Meaning {
    match key {
        "ua" if upstream_keys || meaning::all_elements(text, infer::is_endpoint) => Meaning::Upstreams,
        "us" if upstream_keys || meaning::all_elements(text, is_status) => Meaning::Ints(Key::UpstreamStatus),
        _ => names::lookup(key).unwrap_or(Meaning::Named),
    }
}

/// Gives the columns before the request their meaning. Returns whether they are `client ident user [time]`; `None` when the line
/// is no access line after all.
fn read_head(tokens: &Tokens<'_>, anchors: &Anchors, head: &mut [Meaning; MOST]) -> Option<bool> {
    let until = anchors.request;
    if until > 14 {
        return None;
    }
    let bracketed = tokens.get(anchors.time.start).is_some_and(|t| t.kind == Kind::Bracketed);
    let mut rest = 0;
    let before_time = anchors.time.start;
    let classic = anchors.stamp.is_some() && bracketed && before_time >= 2 && anchors.time.end == until && {
        let plain = |at: usize| tokens.get(at).is_some_and(|t| t.kind == Kind::Bare && t.key.is_empty());
        let ident = tokens.get(before_time - 2).map_or("", |t| t.text);
        plain(before_time - 2) && (ident == "-" || before_time >= 3 && address::ip(ident).is_none() && plain(before_time - 3))
    };
    if classic {
        set(head, before_time - 1, Meaning::Text(Key::User));
        if before_time >= 3 {
            set(head, before_time - 3, Meaning::Client);
            for at in 0..before_time - 3 {
                if tokens.get(at).is_some_and(|t| is_of_envelope(t) || t.key.is_empty() && is_level(t)) {
                    return None;
                }
                let meaning = tokens.get(at).map_or(Meaning::Nothing, before_client);
                set(head, at, meaning);
            }
        }
        rest = until;
    }
    let mut seen_client = false;
    for at in rest..until {
        if anchors.time.contains(&at) || anchors.status == Some(at) {
            continue;
        }
        let Some(token) = tokens.get(at) else { continue };
        if token.key.is_empty() && (is_level(token) || is_of_envelope(token)) {
            return None;
        }
        let meaning = by_shape(token, seen_client);
        if meaning == Meaning::Client || !head.contains(&meaning) {
            seen_client |= meaning == Meaning::Client;
            set(head, at, meaning);
        }
    }
    let known = classic || seen_client || anchors.stamp.is_some() && anchors.status.is_some();
    known.then_some(classic)
}

fn set(head: &mut [Meaning; MOST], at: usize, meaning: Meaning) {
    if let Some(place) = head.get_mut(at) {
        *place = meaning;
    }
}

/// A column before the client of a combined line: the server's name, or the addresses in front.
pub fn before_client(token: &Token<'_>) -> Meaning {
    let addresses = meaning::all_elements(token.text, |t| address::ip(t).is_some());
    match token.kind {
        _ if addresses && !address::is_ip_port(token.text) => Meaning::Forwarded,
        Kind::Quoted if token.text == "-" => Meaning::Forwarded,
        Kind::Bare if address::is_host_name(address::split_port(token.text).0) || address::is_ip_port(token.text) => Meaning::Server,
        _ => Meaning::Nothing,
    }
}

pub fn is_level(token: &Token<'_>) -> bool {
    let word = token.text.trim_end_matches(':').trim();
    token.kind != Kind::Quoted && word.len() >= 3 && Severity::from_word(word).is_some() && !matches!(word, "http" | "note" | "hint")
}

/// What envelopes write before the line they carry: a tag with its colon, a stream, a second time, a bar.
pub fn is_of_envelope(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Bare => {
            token.text.len() > 1 && token.text.ends_with(':') && token.text != "unix:" || matches!(token.text, "stdout" | "stderr" | "|")
        }
        Kind::Bracketed => meaning::time(token.text).is_some(),
        Kind::Quoted => false,
    }
}

/// A column in the free part before the request.
pub fn by_shape(token: &Token<'_>, seen_client: bool) -> Meaning {
    let text = token.text;
    if !token.key.is_empty() {
        return names::lookup(token.key).unwrap_or(Meaning::Named);
    }
    if text.is_empty() || text == "-" || token.kind == Kind::Bracketed {
        return Meaning::Nothing;
    }
    // Java writes a socket's address behind a slash, where the name would stand.
    if token.kind == Kind::Bare
        && !seen_client
        && text.strip_prefix('/').is_some_and(|t| address::ip(t).is_some() || address::is_ip_port(t))
    {
        return Meaning::Client;
    }
    if meaning::all_elements(text, |t| address::ip(t).is_some()) || text == "unix:" {
        return match (token.kind, seen_client) {
            (Kind::Quoted, _) if text.contains(',') => Meaning::Forwarded,
            (_, false) => Meaning::Client,
            (_, true) if address::is_ip_port(text) => Meaning::Upstreams,
            (_, true) => Meaning::Forwarded,
        };
    }
    if text.starts_with("TLSv") || text.starts_with("SSLv") {
        return Meaning::Text(Key::TlsVersion);
    }
    if text.contains('.') && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Meaning::Took(Key::Duration, Unit::Seconds);
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) && whyline_event::Value::duration(text).is_some() {
        return Meaning::Took(Key::Duration, Unit::Guess);
    }
    if request::is_known_method(text) || matches!(text, "http" | "https" | "_") {
        return Meaning::Nothing;
    }
    if text.starts_with("ECDHE-") || text.starts_with("TLS_") || text.starts_with("DHE-") {
        return Meaning::Text(Key::Cipher);
    }
    if infer::is_id(text) {
        return Meaning::Text(Key::RequestId);
    }
    if address::is_host_name(address::split_port(text).0) {
        return Meaning::Server;
    }
    Meaning::Nothing
}

/// Shapes that only Apache writes: the common format without referrer, and `host:port` before the client.
fn is_apache(tokens: &Tokens<'_>, anchors: &Anchors, head: &[Meaning; MOST]) -> bool {
    let common = behind(tokens, anchors).count() == 1 && head.contains(&Meaning::Text(Key::User));
    let vhost = head.first() == Some(&Meaning::Server)
        && head.contains(&Meaning::Text(Key::User))
        && tokens.first().is_some_and(|t| address::split_port(t.text).1.is_some());
    common || vhost
}

/// The notation of PHP-FPM's workers (`%R - %u %t "%m %r%Q%q" %s`, sapi/fpm/fpm/fpm_conf.c, with the time of fpm_log.c): a time without brackets,
/// a request without its protocol, and nothing behind the status.
fn is_php_fpm(tokens: &Tokens<'_>, anchors: &Anchors) -> bool {
    let bare = tokens.get(anchors.time.start).is_some_and(|t| t.kind == Kind::Bare && t.text.contains('/'));
    let request = tokens.get(anchors.request).map_or("", |t| t.text);
    bare && anchors.time.end == anchors.request && !request.contains(" HTTP/") && behind(tokens, anchors).next().is_none()
}

#[cfg(test)]
impl Shaped {
    /// The same reader without its straight way.
    pub fn careful(mut self) -> Shaped {
        self.quick = None;
        self
    }

    /// Whether there is a straight way.
    pub fn is_quick(&self) -> bool {
        self.quick.is_some()
    }

    /// Whether a line takes it.
    pub fn reads_quickly(&self, line: &str) -> bool {
        let arena = whyline_event::Bump::new();
        let cx = Cx::new(&arena, &[]);
        let mut record = Record::new(line, whyline_event::Origin::default());
        self.quick.as_ref().is_some_and(|quick| quick.read(line, &cx, &mut record).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, fit};
    use super::*;

    fn nginx() -> Shaped {
        Shaped::new("nginx.access")
    }

    #[test]
    fn one_line_at_a_time() {
        for (line, want) in [
            (
                r#"198.51.100.7 - eve [20/Nov/2026:22:05:41 +0100] "GET /a?b=c HTTP/1.1" 200 53 "https://x.example/" "curl/8.1 (a, b)""#,
                "nginx.access 2026-11-20T21:05:41Z - - client.address=198.51.100.7 user.name=eve http.request.method=GET url.path=/a \
                 url.query=b=c network.protocol.version=1.1 http.response.status_code=200 http.response.body.size=53 \
                 http.request.header.referer=https://x.example/ user_agent.original=curl/8.1 (a, b)",
            ),
            (
                r#"::1 - - [20/Nov/2026:22:05:41 +0100] "-" 408 -"#,
                "apache.access 2026-11-20T21:05:41Z - - client.address=::1 http.response.status_code=408",
            ),
            (
                r#"www.x.example:443 198.51.100.7 - - [20/Nov/2026:22:05:41 +0100] "\x16\x03\x01" 400 226 "-" "-""#,
                "apache.access 2026-11-20T21:05:41Z - - server.address=www.x.example server.port=443 client.address=198.51.100.7 \
                 url.full=\\x16\\x03\\x01 http.response.status_code=400 http.response.body.size=226",
            ),
            (
                r#"198.51.100.7 - - [20/Nov/2026:22:05:41 +0000] "GET / HTTP/1.1" 502 5 "-" "a/1" "203.0.113.9, 10.0.0.1""#,
                "nginx.access 2026-11-20T22:05:41Z - - client.address=198.51.100.7 http.request.method=GET url.path=/ \
                 network.protocol.version=1.1 http.response.status_code=502 http.response.body.size=5 user_agent.original=a/1 \
                 http.request.header.x-forwarded-for=203.0.113.9, 10.0.0.1",
            ),
            (
                r#"198.51.100.7 - - [20/Nov/2026:22:05:41 +0000] "GET / HTTP/1.1" 200 5 "-" "a/1" rt=0.008 uct="0.001, 0.000" uht="-, 0.007" urt="0.001, 0.008" ua="10.0.0.1:80, 10.0.0.2:80" us="502, 200""#,
                "nginx.access 2026-11-20T22:05:41Z - - client.address=198.51.100.7 http.request.method=GET url.path=/ \
                 network.protocol.version=1.1 http.response.status_code=200 http.response.body.size=5 user_agent.original=a/1 \
                 http.server.request.duration=0.008 upstream.connect.duration=0.001 upstream.connect.duration=0 \
                 upstream.header.duration=0.007 upstream.response.duration=0.001 upstream.response.duration=0.008 \
                 upstream.address=10.0.0.1:80 upstream.address=10.0.0.2:80 upstream.status=502 upstream.status=200",
            ),
            (
                r#"198.51.100.7 [2026-11-20T21:05:41+00:00] tides.example "GET /map?z=3 HTTP/1.1" 200 163 0.006 0.005 10.7.0.4:9001 200 0b5e4d1c77aa42f0a9d3c1e2f4b6d8a0"#,
                "nginx.access 2026-11-20T21:05:41Z - - client.address=198.51.100.7 server.address=tides.example http.request.method=GET \
                 url.path=/map url.query=z=3 network.protocol.version=1.1 http.response.status_code=200 http.response.body.size=163 \
                 http.server.request.duration=0.006 upstream.response.duration=0.005 upstream.address=10.7.0.4:9001 upstream.status=200 \
                 http.request.id=0b5e4d1c77aa42f0a9d3c1e2f4b6d8a0",
            ),
            (
                r#" - - [21/Nov/2026:11:17:03 +0100] "GET / HTTP/1.1" 200 411 "-" "x""#,
                "nginx.access 2026-11-21T10:17:03Z - - http.request.method=GET url.path=/ network.protocol.version=1.1 \
                 http.response.status_code=200 http.response.body.size=411 user_agent.original=x",
            ),
            (
                r#"10.3.3.3 [21/Nov/2026:10:35:14 +0100] "GET /find?q=sofa HTTP/1.1" 200 3 2ms"#,
                "nginx.access 2026-11-21T09:35:14Z - - client.address=10.3.3.3 http.request.method=GET url.path=/find \
                 url.query=q=sofa network.protocol.version=1.1 http.response.status_code=200 http.response.body.size=3 \
                 http.server.request.duration=0.002",
            ),
            (
                r#"2026-11-21T10:35:14.250Z 10.0.0.1 shop.example "GET / HTTP/2.0" 304 0 "-" "b/2""#,
                "nginx.access 2026-11-21T10:35:14.250Z - - client.address=10.0.0.1 server.address=shop.example http.request.method=GET \
                 url.path=/ network.protocol.version=2.0 http.response.status_code=304 http.response.body.size=0 user_agent.original=b/2",
            ),
            (
                r#"[21/Nov/2026:10:35:14 +0000] shop.example 10.0.0.1 0.331 "PUT /x HTTP/1.1" 207 812 990 - Agent/1.0 (like Gecko) y"#,
                "nginx.access 2026-11-21T10:35:14Z - - server.address=shop.example client.address=10.0.0.1 \
                 http.server.request.duration=0.331 http.request.method=PUT url.path=/x network.protocol.version=1.1 \
                 http.response.status_code=207 http.response.body.size=812 user_agent.original=Agent/1.0 (like Gecko) y",
            ),
            (
                r#"time=2026-11-21T10:35:14Z client=10.0.0.1 request="GET / HTTP/1.1" status=200 bytes=7 colour=red"#,
                "nginx.access 2026-11-21T10:35:14Z - - client.address=10.0.0.1 http.request.method=GET url.path=/ \
                 network.protocol.version=1.1 http.response.status_code=200 http.response.body.size=7 colour=red",
            ),
        ] {
            assert_eq!(fields(&nginx(), line), want, "{line}");
        }
    }

    #[test]
    fn other_lines() {
        for no in [
            "",
            "\"",
            "hello \"world\"",
            r#"2026-11-21 10:00:00 INFO proxied "GET / HTTP/1.1" 200 in 5ms"#,
            r#"[2026-11-21 10:00:00] [error] "GET / HTTP/1.1" 500"#,
            r#"he said "GET / HTTP/1.1""#,
            r#"2026/11/21 10:00:00 [error] 1#1: *1 x, client: 1.2.3.4, server: s, request: "GET / HTTP/1.1", host: "s""#,
        ] {
            assert_eq!(fit(&nginx(), no), None, "{no}");
        }
    }

    #[test]
    fn many_lines_teach_the_tail() {
        // The request's time comes last here, and connections take no time at all.
        let lines = [
            r#"10.0.0.1 - - [21/Nov/2026:10:35:14 +0000] "GET /a HTTP/1.1" 200 25 "-" "x" 0.000 0.003 0.004 10.1.0.1:80 200 0.004"#,
            r#"10.0.0.1 - - [21/Nov/2026:10:35:15 +0000] "GET /b HTTP/1.1" 404 25 "-" "x" - - - - - 0.000"#,
            r#"10.0.0.1 - - [21/Nov/2026:10:35:16 +0000] "GET /c HTTP/1.1" 200 25 "-" "x" 0.001 0.103 0.104 10.1.0.1:80 200 0.120"#,
        ];
        let learnt = nginx().learn(&lines).unwrap();
        assert!(fields(&*learnt, lines[2]).ends_with(
            "upstream.connect.duration=0.001 upstream.header.duration=0.103 upstream.response.duration=0.104 upstream.address=10.1.0.1:80 \
             upstream.status=200 http.server.request.duration=0.12"
        ));
        assert!(fields(&*learnt, lines[1]).ends_with("http.response.body.size=25 user_agent.original=x http.server.request.duration=0"));
    }

    #[test]
    fn whole_numbers_as_times() {
        let line = |us: u32, size: u32| format!(r#"10.0.0.1 - - [21/Nov/2026:10:35:14 +0000] "GET /a HTTP/1.1" 200 {size} "-" "x" {us}"#);
        let lines: Vec<String> =
            [(412, 900), (3120, 20), (233, 700), (90210, 800), (388, 4000), (401, 5)].map(|(us, n)| line(us, n)).to_vec();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let learnt = nginx().learn(&lines).unwrap();
        assert!(fields(&*learnt, lines[3]).ends_with("http.server.request.duration=0.09021"));
    }
}
