//! RFC 5424: `<PRI>1 TIME HOST APP PROCID MSGID [id param="value"] text`.
//!
//! Also without the priority, as some collectors store it, and with a byte order mark before the text.

use super::{pri, put_pri, services};
use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, begins_record};
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Key, Record, Severity, Stamp, Value, address};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rfc5424;

const NAME: &str = "syslog.rfc5424";

struct Line<'a> {
    pri: Option<u8>,
    stamp: Option<Stamp>,
    host: &'a str,
    app: &'a str,
    pid: &'a str,
    id: &'a str,
    /// Structured data and text.
    rest: &'a str,
}

impl Format for Rfc5424 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = parse(text)?;
        let mut elements = Vec::new();
        let message = structured(cx, line.rest, &mut elements)?;
        record.format = NAME;
        if line.stamp.is_some() {
            record.stamp = line.stamp;
        }
        if let Some(pri) = line.pri {
            put_pri(record, pri);
        }
        fill::once_str(record, Key::HostName, line.host);
        fill::once_str(record, Key::ProcessName, line.app);
        fill::once_int(record, Key::ProcessPid, line.pid);
        record.put_str(Key::MsgId, line.id);
        for (name, value) in elements {
            record.put_other(name, Value::Str(value));
        }
        record.body = message;
        services::message(cx, NAME, line.app, message, record);
        Some(if line.pri.is_some() { 95 } else { 70 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some() || begins_record(line)
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

fn parse(text: &str) -> Option<Line<'_>> {
    let (pri, rest) = match pri(text) {
        Some((pri, rest)) => (Some(pri), rest),
        None => (None, text),
    };
    let mut c = Cursor::new(rest);
    // Octet counting of RFC 6587 leaves a length before the message.
    let version = c.digits().filter(|v| v.len() <= 2);
    match (pri, version) {
        (Some(_), Some(_)) | (None, Some("1")) => c.must(" ")?,
        (Some(_), None) => return None,
        (None, _) => c = Cursor::new(rest),
    }
    let stamp = if c.eat("- ") {
        pri?;
        None
    } else {
        let stamp = c.stamp_by(stamp::iso)?;
        c.must(" ")?;
        Some(stamp)
    };
    let host = c.word()?;
    c.must(" ")?;
    let app = c.word()?;
    c.must(" ")?;
    let pid = c.word()?;
    c.must(" ")?;
    let id = c.word()?;
    c.eat(" ");
    let rest = c.rest;
    // The structured data is the mark that tells it from other lines.
    if !(rest == "-" || rest.starts_with("- ") || rest.starts_with('[')) {
        return None;
    }
    // Without a priority, only the usual shape of host and process id tells it from an application's line.
    if pri.is_none() && !(address::is_host_name(host) || address::ip(host).is_some())
        || Severity::from_word(host).is_some()
        || pri.is_none() && !(pid == "-" || pid.bytes().all(|b| b.is_ascii_digit()))
    {
        return None;
    }
    Some(Line { pri, stamp, host, app, pid, id, rest })
}

/// Reads the structured data; returns the text after it.
fn structured<'a>(cx: &Cx<'a>, text: &'a str, out: &mut Vec<(&'a str, &'a str)>) -> Option<&'a str> {
    let mut c = Cursor::new(text);
    if !c.eat("-") {
        while c.rest.starts_with('[') {
            let Some(rest) = element(cx, c.rest, out) else {
                // Not well formed: it is text.
                return Some(c.rest);
            };
            c.rest = rest;
        }
    }
    let message = c.rest.strip_prefix(' ').unwrap_or(c.rest);
    Some(message.strip_prefix('\u{feff}').unwrap_or(message))
}

/// One `[id name="value" ...]`.
fn element<'a>(cx: &Cx<'a>, text: &'a str, out: &mut Vec<(&'a str, &'a str)>) -> Option<&'a str> {
    let mut c = Cursor::new(text);
    c.must("[")?;
    let id = c.run(|b| b.is_ascii_graphic() && !matches!(b, b'=' | b']' | b'"'))?;
    let mark = out.len();
    loop {
        c.blanks();
        if c.eat("]") {
            return Some(c.rest);
        }
        let pair = c.run(|b| b.is_ascii_graphic() && !matches!(b, b'=' | b']' | b'"')).filter(|_| c.eat("=\"")).and_then(|name| {
            let (value, rest) = quoted(cx, c.rest)?;
            c.rest = rest;
            Some((name, value))
        });
        match pair {
            Some((name, value)) => out.push((cx.keep(&format!("syslog.sd.{id}.{name}")), value)),
            None => {
                out.truncate(mark);
                return None;
            }
        }
    }
}

/// A value up to its closing quote, unescaped.
fn quoted<'a>(cx: &Cx<'a>, text: &'a str) -> Option<(&'a str, &'a str)> {
    let mut escaped = false;
    let mut any = false;
    for (at, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => {
                escaped = true;
                any = true;
            }
            b'"' => {
                let raw = text.get(..at)?;
                let value = if any { cx.keep(&raw.replace("\\\"", "\"").replace("\\]", "]").replace("\\\\", "\\")) } else { raw };
                return Some((value, text.get(at + 1..)?));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Name, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "<165>1 2026-11-21T22:14:15.003Z web1 shop 77 ID47 [meta@1 user=\"a \\\"b\\\"\" n=\"3\"][x] \u{feff}order lost";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Rfc5424.read(&cx, text, &mut r), Some(95));
        assert_eq!((r.str(Key::HostName), r.str(Key::ProcessName), r.int(Key::ProcessPid)), (Some("web1"), Some("shop"), Some(77)));
        assert_eq!(r.str(Key::MsgId), Some("ID47"));
        assert_eq!(r.values(Name::Other("syslog.sd.meta@1.user")).next(), Some(Value::Str("a \"b\"")));
        assert_eq!(r.body, "order lost");

        let text = "<13>1 - - app - - - hello";
        let mut r = Record::new(text, Origin::default());
        assert!(Rfc5424.read(&cx, text, &mut r).is_some());
        assert_eq!((r.stamp, r.body), (None, "hello"));

        for no in ["<13>Nov 21 10:00:00 a b: c", "2026-11-21T22:14:15Z a b c d e", "1 2 3 4 5 6", "<13>1 2026-11-21T22:14:15Z a"] {
            assert!(Rfc5424.read(&cx, no, &mut Record::new(no, Origin::default())).is_none(), "{no}");
        }
    }
}
