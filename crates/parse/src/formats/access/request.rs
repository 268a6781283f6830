//! Request lines and their targets.

use crate::format::Cx;
use crate::formats::cursor::trimmed;
use std::borrow::Cow;
use whyline_event::{Key, Record, Value};

/// The parts of a request line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// `GET`.
    pub method: &'a str,
    /// `/path?query`, `*`, `host:443` or a whole URL.
    pub target: &'a str,
    /// `1.1`; `None` for a line without version.
    pub version: Option<&'a str>,
}

/// Splits `METHOD target HTTP/x`. Without the version, only with a method in use and a target that can be one.
pub fn split(text: &str) -> Option<Request<'_>> {
    if let Some(request) = split_http(text) {
        return Some(request);
    }
    let (method, rest) = text.split_once(' ')?;
    if !is_method(method) {
        return None;
    }
    // Other protocols with requests of the same shape: RTSP, SIP, MarkLogic's XDBC.
    if let Some((target, protocol)) = rest.trim().rsplit_once(' ')
        && let Some((name, version)) = protocol.split_once('/')
        && (2..=8).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=4).contains(&version.len())
        && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && !target.trim().is_empty()
        && is_known_method(method)
    {
        return Some(Request { method, target: target.trim(), version: None });
    }
    let target = rest.trim();
    (is_known_method(method) && is_target(target)).then_some(Request { method, target, version: None })
}

/// Splits `METHOD target HTTP/x` and nothing else.
pub fn split_http(text: &str) -> Option<Request<'_>> {
    let b = text.as_bytes();
    let first = memchr::memchr(b' ', b)?;
    let last = memchr::memrchr(b' ', b)?;
    let (method, version) = (text.get(..first)?, text.get(last + 1..)?.strip_prefix("HTTP/")?);
    let target = trimmed(text.get(first + 1..last)?);
    (is_method(method) && is_version(version) && !target.is_empty()).then_some(Request { method, target, version: Some(version) })
}

/// Whether a text is the version behind `HTTP/`.
pub fn is_version(text: &str) -> bool {
    matches!(text, "1.1" | "2.0") || (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Whether a word has the shape of a method.
pub fn is_method(word: &str) -> bool {
    matches!(word, "GET" | "POST")
        || (3..=20).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'))
}

/// Whether a word is one of the usual methods.
pub fn is_known_method(word: &str) -> bool {
    matches!(
        word,
        "GET"
            | "POST"
            | "PUT"
            | "HEAD"
            | "DELETE"
            | "PATCH"
            | "OPTIONS"
            | "CONNECT"
            | "TRACE"
            | "PROPFIND"
            | "PROPPATCH"
            | "MKCOL"
            | "COPY"
            | "MOVE"
            | "LOCK"
            | "UNLOCK"
            | "REPORT"
            | "SEARCH"
            | "PURGE"
            | "BAN"
            | "QUERY"
    )
}

/// Whether a text can stand for the target of a request.
pub fn is_target(text: &str) -> bool {
    text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://") || text == "*"
}

/// Adds what a request line says. What is no request line is kept in `url.full`, unless it is a dash or empty.
pub fn put<'a>(text: &'a str, cx: &Cx<'a>, record: &mut Record<'a>) {
    let text = text.trim();
    match split(text) {
        Some(request) => put_http(&request, cx, record),
        None if text.starts_with('/') => put_target(text, cx, record),
        None => record.put_str(Key::UrlFull, text),
    }
}

/// Adds the parts of a request.
pub fn put_http<'a>(request: &Request<'a>, cx: &Cx<'a>, record: &mut Record<'a>) {
    put_plain(&Request { target: unescape(request.target, cx), ..*request }, record);
}

/// Adds the parts of a request whose target has no escapes, or none left.
pub fn put_plain<'a>(request: &Request<'a>, record: &mut Record<'a>) {
    record.put(Key::Method, Value::Str(request.method));
    put_local(request.target, record);
    if let Some(version) = request.version {
        record.put(Key::HttpVersion, Value::Str(version));
    }
}

/// Adds a request target: path and query, and for a whole URL also the URL.
pub fn put_target<'a>(target: &'a str, cx: &Cx<'a>, record: &mut Record<'a>) {
    put_local(unescape(target, cx), record);
}

fn put_local<'a>(target: &'a str, record: &mut Record<'a>) {
    if target.is_empty() || target == "-" {
        return;
    }
    let mut local = target;
    if !target.starts_with('/') {
        record.put(Key::UrlFull, Value::Str(target));
        let Some((_, rest)) = target.split_once("://") else { return };
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        local = rest.get(at..).unwrap_or("");
    }
    let mark = memchr::memchr(b'?', local.as_bytes());
    let (path, query) = mark.and_then(|at| Some((local.get(..at)?, local.get(at + 1..)?))).unwrap_or((local, ""));
    record.put(Key::Path, Value::Str(if path.is_empty() { "/" } else { path }));
    if !query.is_empty() {
        record.put(Key::UrlQuery, Value::Str(query));
    } else if local.len() > path.len() && local.len() == target.len() {
        record.put(Key::UrlFull, Value::Str(target));
    }
}

/// Resolves the escapes that servers write in quoted text: `\"`, `\\` and `\xHH` of printable characters. Text with escaped
/// control characters stays as it is.
pub fn unescape<'a>(text: &'a str, cx: &Cx<'a>) -> &'a str {
    match unescaped(text) {
        Cow::Borrowed(same) => same,
        Cow::Owned(new) => cx.keep(&new),
    }
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let b = text.as_bytes();
    let mut out = Vec::with_capacity(b.len());
    let mut at = 0;
    while let Some(c) = b.get(at) {
        if *c != b'\\' {
            out.push(*c);
            at += 1;
            continue;
        }
        match b.get(at + 1) {
            Some(b'x' | b'X') => {
                let byte = text.get(at + 2..at + 4).and_then(|hex| u8::from_str_radix(hex, 16).ok());
                match byte {
                    Some(byte) if byte >= b' ' && byte != 0x7f => out.push(byte),
                    _ => return Cow::Borrowed(text),
                }
                at += 4;
            }
            Some(next @ (b'"' | b'\\' | b'/')) => {
                out.push(*next);
                at += 2;
            }
            _ => {
                out.push(b'\\');
                at += 1;
            }
        }
    }
    match String::from_utf8(out) {
        Ok(new) => Cow::Owned(new),
        Err(_) => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines() {
        let r = split("GET /a b?c=d HTTP/1.1").unwrap();
        assert_eq!((r.method, r.target, r.version), ("GET", "/a b?c=d", Some("1.1")));
        assert_eq!(split("PRI * HTTP/2.0").unwrap().target, "*");
        assert_eq!(split("GET /old").unwrap().version, None);
        for no in ["", "-", "hello", "hello world", "\\x16\\x03", "GET", "SSH-2.0-x y", "get / HTTP/1.1"] {
            assert_eq!(split(no), None, "{no}");
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(unescaped(r#"say \"hi\" \x22you\x22 \\"#), r#"say "hi" "you" \"#);
        assert_eq!(unescaped(r"\x16\x03"), r"\x16\x03");
        assert_eq!(unescaped(r"\xC3\xA9t\xC3\xA9"), "été");
        assert_eq!(unescaped(r"\xC3"), r"\xC3");
        assert_eq!(unescaped("a\\"), "a\\");
    }
}
