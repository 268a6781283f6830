//! Access logs in JSON: one object a line.
//!
//! `log_format` writes JSON as text, so values may be missing or escaped in nginx's own way (`\x22`); such lines are read too.

use super::pairs::{self, Pair};
use super::request;
use crate::format::{Cx, Fit, Format};
use std::borrow::Cow;
use whyline_event::Record;

/// Access logs in JSON, of any program.
#[derive(Clone, Copy, Debug)]
pub struct JsonAccess;

impl Format for JsonAccess {
    fn name(&self) -> &'static str {
        "nginx.access"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = text.trim();
        if !line.starts_with('{') || !line.ends_with('}') {
            return None;
        }
        let mut found = Walk { cx, text: line, at: 0, pairs: Vec::with_capacity(24) };
        found.object("", 0)?;
        if found.at != line.len() || pairs::is_of_application(&found.pairs) {
            return None;
        }
        pairs::read(&mut found.pairs, cx, text, record)
    }
}

/// Objects deeper than this are not read.
const DEEPEST: usize = 6;
/// Objects with more values than this are no access record.
const MOST: usize = 200;

/// A walk through the text of one object.
struct Walk<'c, 'a> {
    cx: &'c Cx<'a>,
    text: &'a str,
    at: usize,
    pairs: Vec<Pair<'a>>,
}

impl<'a> Walk<'_, 'a> {
    fn peek(&mut self) -> Option<u8> {
        let b = self.text.as_bytes();
        while matches!(b.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        b.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        if self.peek()? != byte {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn object(&mut self, path: &'a str, depth: usize) -> Option<()> {
        self.eat(b'{')?;
        if self.peek()? == b'}' {
            return self.eat(b'}');
        }
        loop {
            let key = self.string()?;
            self.eat(b':')?;
            let path = if path.is_empty() { key } else { self.cx.keep(&format!("{path}.{key}")) };
            self.value(path, depth)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => return self.eat(b'}'),
                _ => return None,
            }
        }
    }

    fn value(&mut self, path: &'a str, depth: usize) -> Option<()> {
        if depth > DEEPEST || self.pairs.len() > MOST {
            return None;
        }
        match self.peek()? {
            b'{' => self.object(path, depth + 1),
            b'[' => self.array(path, depth + 1),
            b'"' => {
                let text = self.string()?;
                self.pairs.push(Pair::new(path, text, true));
                Some(())
            }
            _ => {
                // Also nothing at all, and the dash that nginx writes for an empty variable.
                let start = self.at;
                let rest = self.text.as_bytes().get(start..)?;
                let len = rest.iter().position(|b| matches!(b, b',' | b'}' | b']')).unwrap_or(rest.len());
                self.at = start + len;
                let text = self.text.get(start..self.at)?.trim();
                if text.contains('"') {
                    return None;
                }
                if !matches!(text, "" | "-" | "null") {
                    self.pairs.push(Pair::new(path, text, false));
                }
                Some(())
            }
        }
    }

    fn array(&mut self, path: &'a str, depth: usize) -> Option<()> {
        self.eat(b'[')?;
        if self.peek()? == b']' {
            return self.eat(b']');
        }
        loop {
            self.value(path, depth)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => return self.eat(b']'),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<&'a str> {
        self.eat(b'"')?;
        let start = self.at;
        let b = self.text.as_bytes();
        loop {
            match b.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        let raw = self.text.get(start..self.at)?;
        self.at += 1;
        if !raw.contains('\\') {
            return Some(raw);
        }
        Some(match unescape(raw) {
            Cow::Owned(text) => self.cx.keep(&text),
            Cow::Borrowed(_) => request::unescape(raw, self.cx),
        })
    }
}

/// Resolves JSON's escapes. Borrowed when there is one that JSON does not know.
fn unescape(raw: &str) -> Cow<'_, str> {
    match serde_json::from_str::<String>(&format!("\"{raw}\"")) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, fit};
    use super::*;

    #[test]
    fn objects() {
        for (line, want) in [
            (
                r#"{"time":"2026-11-21T10:02:09+00:00","remote_addr":"198.51.100.7","host":"parts.example","method":"GET","uri":"/a?x=1","status":200,"bytes":42,"request_time":0.001,"upstream_addr":"10.0.0.1:3000, 10.0.0.2:3000","upstream_status":"502, 200","upstream_response_time":"0.001, 0.004","agent":"curl \"x\"","request_id":"a1b2"}"#,
                "nginx.access 2026-11-21T10:02:09Z - - http.request.method=GET url.path=/a url.query=x=1 client.address=198.51.100.7 \
                 server.address=parts.example http.response.status_code=200 http.response.body.size=42 http.server.request.duration=0.001 \
                 upstream.address=10.0.0.1:3000 upstream.address=10.0.0.2:3000 upstream.status=502 upstream.status=200 \
                 upstream.response.duration=0.001 upstream.response.duration=0.004 user_agent.original=curl \"x\" http.request.id=a1b2",
            ),
            (
                r#"{"ts":"2026-12-01T12:07:13+01:00","ip":"198.51.100.42","m":"GET","uri":"/p/44","st":429,"rt":0.065,"up":"10.180.0.21:8011","urt":"0.065"}"#,
                "nginx.access 2026-12-01T11:07:13Z - - http.request.method=GET url.path=/p/44 client.address=198.51.100.42 \
                 http.response.status_code=429 http.server.request.duration=0.065 upstream.address=10.180.0.21:8011 \
                 upstream.response.duration=0.065",
            ),
            (
                r#"{"t":"01/Dec/2026:16:33:53.488 +0000","ci":"203.0.113.177","fe":"www","be":"shop","srv":"shop-2","st":503,"bytes":213,"Tq":0,"Tw":4,"Tc":-1,"Tr":-1,"Ta":5001,"ts":"sC--","req":"GET /basket/u2040"}"#,
                "haproxy.http 2026-12-01T16:33:53.488Z - - time.is_start=true http.request.method=GET url.path=/basket/u2040 \
                 client.address=203.0.113.177 proxy.frontend=www upstream.name=shop upstream.server=shop-2 http.response.status_code=503 \
                 http.response.body.size=213 Tq=0 proxy.queue.duration=0.004 http.server.request.duration=5.001 \
                 proxy.termination_state=sC--",
            ),
            (
                r#"{"msec":1795255001.507, "request":"GET / HTTP/1.1","request_method":"GET","uri":"/index","status":"502","ip":"::1","upstream_response_time":,"note":"\x22hi\x22","n":1.5}"#,
                "nginx.access 2026-11-21T09:56:41.507Z - - http.request.method=GET url.path=/ network.protocol.version=1.1 \
                 http.response.status_code=502 client.address=::1 note=\"hi\" n=1.5",
            ),
            (
                r#"{"level":"error","ts":1795255001.25,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"10.0.0.1","proto":"HTTP/2.0","method":"GET","host":"a.example:90","uri":"/x","headers":{"User-Agent":["curl/8"],"Accept":["a","b"]}},"duration":0.000041200,"size":0,"status":502}"#,
                "caddy.access 2026-11-21T09:56:41.25Z ERROR - http.request.method=GET url.path=/x log.level.original=error \
                 log.logger=http.log.access.log0 msg=handled request client.address=10.0.0.1 network.protocol.version=2.0 \
                 server.address=a.example server.port=90 user_agent.original=curl/8 request.headers.Accept=a request.headers.Accept=b \
                 http.server.request.duration=0.0000412 http.response.body.size=0 http.response.status_code=502",
            ),
            (
                r#"{"ClientAddr":"10.0.0.1:444","DownstreamStatus":502,"Duration":1500000,"OriginDuration":1000000,"RequestMethod":"GET","RequestPath":"/p","ServiceAddr":"10.0.0.9:80","level":"info","msg":"","time":"2026-11-21T10:02:09Z"}"#,
                "traefik 2026-11-21T10:02:09Z INFO - http.request.method=GET url.path=/p client.address=10.0.0.1 client.port=444 \
                 http.response.status_code=502 http.server.request.duration=0.0015 upstream.response.duration=0.001 \
                 upstream.address=10.0.0.9:80 log.level.original=info",
            ),
            (
                r#"{":authority":"a.example","duration":11,"method":"GET","response_code":200,"response_flags":"-","start_time":"2026-11-21T10:02:09.612Z","upstream_host":"10.6.0.2:8080","x-envoy-origin-path":"/","downstream_remote_address":"[2001:db8::1]:5"}"#,
                "envoy.access 2026-11-21T10:02:09.612Z - - time.is_start=true http.request.method=GET url.path=/ \
                 server.address=a.example http.server.request.duration=0.011 http.response.status_code=200 upstream.address=10.6.0.2:8080 \
                 client.address=2001:db8::1 client.port=5",
            ),
        ] {
            assert_eq!(fields(&JsonAccess, line), want, "{line}");
        }
        for no in [
            "{}",
            "{",
            "}",
            r#"{"a":1}"#,
            r#"{"status":200}"#,
            r#"{"status":"ok","method":"GET"}"#,
            r#"{"level":"info","msg":"request done","method":"GET","path":"/x","status":200}"#,
            r#"{"status":200,"method":"GET"} x}"#,
            r#"{"time":"2026-11-30T10:00:01Z","method":"GET","uri":"/v1/items","status":200,"error":"","latency":20809632,"latency_human":"20.8ms"}"#,
            r#"{"ts":"2026-11-30T10:00:02Z","lvl":"error","method":"GET","path":"/a","status":500}"#,
            r#"{"a":"\"#,
            r#"{"a":"\"}"#,
        ] {
            assert_eq!(fit(&JsonAccess, no), None, "{no}");
        }
    }
}
