//! Records in XML: Windows events, log4j's `XMLLayout`, java.util.logging's `XMLFormatter`.

use crate::format::{Cx, Fit, Format};
use crate::formats::{exception, fill, message};
use crate::stamp;
use std::borrow::Cow;
use whyline_event::{Key, Record, Severity, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Xml;

/// Texts of a record that are looked at.
const MOST: usize = 400;

fn starts(line: &str) -> bool {
    let line = behind_prolog(line);
    line.starts_with("<Event ") || line.starts_with("<Event>") || line.starts_with("<log4j:event ") || line == "<record>"
}

/// The text behind the declaration of the document and its outermost element, which a viewer's export has in front of the first event.
fn behind_prolog(text: &str) -> &str {
    let mut rest = text.trim_start().trim_start_matches('\u{feff}');
    for mark in ["<?xml", "<Events"] {
        if let Some(inner) = rest.strip_prefix(mark)
            && inner.starts_with([' ', '>'])
            && let Some((_, after)) = inner.split_once('>')
        {
            rest = after.trim_start();
        }
    }
    rest
}

impl Format for Xml {
    fn name(&self) -> &'static str {
        "xml"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        // A mark of the byte order may stand in front.
        let may_be = |b: &u8| matches!(b, b'<' | b' ' | b'\t'..=b'\r' | 0x80..);
        if !text.as_bytes().first().is_some_and(may_be) || !starts(text.split('\n').next().unwrap_or(text)) {
            return None;
        }
        let bare = behind_prolog(text);
        if bare.starts_with("<log4j:event ") {
            log4j(cx, bare, record);
        } else if bare.starts_with("<record>") {
            jul(cx, bare, record);
        } else {
            windows(cx, bare, record);
        }
        exception::fields(record.body, record);
        message::fields(cx, record.body, record);
        Some(95)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        starts(line)
    }

    fn block(&self) -> bool {
        true
    }

    fn next_on_line(&self, line: &str) -> Option<usize> {
        let mut from = 0;
        loop {
            let end = from + memchr::memmem::find(line.get(from..)?.as_bytes(), b"</Event>")? + "</Event>".len();
            let rest = line.get(end..)?;
            let next = rest.trim_start();
            if starts(next) {
                return Some(end + rest.len() - next.len());
            }
            from = end;
        }
    }
}

/// A start tag with the text behind it.
struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
    /// Up to the next tag, or of a `CDATA` section what it holds.
    text: &'a str,
}

/// The start tags of a text, in their order.
fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find('<')?;
            let after = rest.get(at + 1..)?;
            let end = after.find('>')?;
            let inner = after.get(..end)?;
            rest = after.get(end + 1..)?;
            if inner.starts_with(['/', '?', '!']) {
                continue;
            }
            let (name, attributes) = inner.trim_end_matches('/').split_once([' ', '\n', '\t']).unwrap_or((inner.trim_end_matches('/'), ""));
            let text = match rest.trim_start().strip_prefix("<![CDATA[") {
                Some(data) => data.split("]]>").next().unwrap_or(data),
                None => rest.split('<').next().unwrap_or(rest),
            };
            return Some(Tag { name, attributes, text });
        }
    })
    .take(MOST)
}

/// The value of an attribute in either kind of quotes.
fn attribute<'a>(attributes: &'a str, name: &str) -> &'a str {
    let mut rest = attributes;
    while let Some(at) = rest.find(name) {
        let alone = at == 0 || rest.as_bytes().get(at - 1).is_some_and(u8::is_ascii_whitespace);
        rest = rest.get(at + name.len()..).unwrap_or("");
        if let (true, Some(value)) = (alone, rest.strip_prefix('='))
            && let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\''))
        {
            return value.get(1..).and_then(|v| v.split(quote).next()).unwrap_or("");
        }
    }
    ""
}

/// The text with the five entities of XML, and numbers, made characters.
fn plain<'a>(cx: &Cx<'a>, text: &'a str) -> &'a str {
    let text = text.trim();
    match unescape(text) {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => cx.keep(&text),
    }
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, tail) = after.split_once(';').filter(|(e, _)| e.len() <= 8).unwrap_or(("", after));
        let made = match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => entity
                .strip_prefix('#')
                .and_then(|n| n.strip_prefix('x').map_or_else(|| n.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok()))
                .and_then(char::from_u32),
        };
        match made {
            Some(c) => out.push(c),
            None => {
                out.push('&');
                out.push_str(entity);
                if !entity.is_empty() {
                    out.push(';');
                }
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// `<Event><System><Provider Name=.../><EventID>7031</EventID><Level>2</Level>...</System><EventData><Data Name=...>...`.
fn windows<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    record.format = "windows";
    record.body = text;
    // A viewer's export may hold several events on one line; the record is the first.
    let one = text.split("</Event>").next().unwrap_or(text);
    for tag in tags(one) {
        let value = tag.text.trim();
        match tag.name {
            "Provider" => fill::once_str(record, Key::Logger, attribute(tag.attributes, "Name")),
            "EventID" => fill::once_str(record, Key::EventName, value),
            "Level" => windows_level(value, record),
            "TimeCreated" => record.stamp = stamp::prefix(attribute(tag.attributes, "SystemTime")).map(|(s, _)| s).or(record.stamp),
            "Execution" => fill::once_int(record, Key::ProcessPid, attribute(tag.attributes, "ProcessID")),
            "Computer" => fill::once_str(record, Key::HostName, value),
            "Channel" => record.put_other("windows.channel", Value::Str(value)),
            "Message" if !value.is_empty() => record.body = plain(cx, value),
            "Data" => data(attribute(tag.attributes, "Name"), plain(cx, value), record),
            _ => {}
        }
    }
}

fn windows_level(number: &str, record: &mut Record<'_>) {
    let (word, severity) = match number {
        "1" => ("Critical", Severity::Fatal),
        "2" => ("Error", Severity::Error),
        "3" => ("Warning", Severity::Warn),
        "0" | "4" => ("Information", Severity::Info),
        "5" => ("Verbose", Severity::Trace),
        _ => return,
    };
    fill::level_as(record, word, severity);
}

/// A value of an event; the names that the security log uses become fields.
fn data<'a>(name: &'a str, value: &'a str, record: &mut Record<'a>) {
    if value.is_empty() || value == "-" {
        return;
    }
    match name {
        "" => {}
        "TargetUserName" => fill::once_str(record, Key::User, value),
        "IpAddress" | "SourceAddress" | "ClientAddress" => fill::client(record, value.strip_prefix("::ffff:").unwrap_or(value)),
        "IpPort" | "SourcePort" => fill::once_int(record, Key::ClientPort, value),
        "DestAddress" => fill::once_str(record, Key::Peer, value),
        "DestPort" => fill::once_int(record, Key::PeerPort, value),
        "ProcessName" | "NewProcessName" | "Image" => fill::once_str(record, Key::ProcessName, value),
        "CommandLine" => fill::once_str(record, Key::Command, value),
        _ => record.put_other(name, Value::Str(value)),
    }
}

/// `<log4j:event logger="a.B" timestamp="1795256102123" level="ERROR" thread="main"><log4j:message><![CDATA[text]]>...`.
fn log4j<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    record.format = "log4j.xml";
    record.body = text;
    for tag in tags(text) {
        match tag.name {
            "log4j:event" => {
                record.stamp = stamp::epoch(attribute(tag.attributes, "timestamp")).map(|(s, _)| s).or(record.stamp);
                fill::level(record, attribute(tag.attributes, "level"));
                fill::once_str(record, Key::Logger, attribute(tag.attributes, "logger"));
                fill::once_str(record, Key::ThreadName, attribute(tag.attributes, "thread"));
            }
            "log4j:message" => record.body = plain(cx, tag.text),
            "log4j:throwable" => exception::stack(plain(cx, tag.text), record),
            "log4j:data" => {
                let (name, value) = (attribute(tag.attributes, "name"), attribute(tag.attributes, "value"));
                if !name.is_empty() {
                    record.put_other(name, Value::Str(value));
                }
            }
            _ => {}
        }
    }
}

/// `<record>`, `<date>...</date>`, `<level>SEVERE</level>`, `<message>...`, one to a line.
fn jul<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    record.format = "java.util.logging.xml";
    record.body = text;
    let mut outside = true;
    for tag in tags(text) {
        let value = tag.text.trim();
        match tag.name {
            "exception" => outside = false,
            "date" => record.stamp = stamp::prefix(value).map(|(s, _)| s).or(record.stamp),
            "millis" if record.stamp.is_none() => record.stamp = stamp::epoch(value).map(|(s, _)| s),
            "level" => fill::level(record, value),
            "logger" => fill::once_str(record, Key::Logger, value),
            "class" if outside => fill::once_str(record, Key::Logger, value),
            "method" if outside => fill::once_str(record, Key::CodeFunction, value),
            "thread" => fill::once_str(record, Key::ThreadName, value),
            "message" if outside => record.body = plain(cx, value),
            "message" => {
                let said = plain(cx, value);
                let (class, message) = said.split_once(": ").unwrap_or((said, ""));
                fill::once_str(record, Key::ExceptionType, class);
                fill::once_str(record, Key::ExceptionMessage, message);
            }
            _ => {}
        }
    }
}
