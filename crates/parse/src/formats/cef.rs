//! Events of security products: ArcSight's Common Event Format and IBM's Log Event Extended Format.
//!
//! `CEF:0|vendor|product|version|id|name|severity|key=value ...`, `LEEF:1.0|vendor|product|version|id|key=value<tab>...`.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Form, Key, Record, Severity, Stamp, Value};

/// The reader of both.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cef;

const NAME: &str = "cef";

struct Event<'a> {
    vendor: &'a str,
    product: &'a str,
    id: &'a str,
    name: &'a str,
    severity: &'a str,
    pairs: Vec<(&'a str, &'a str)>,
}

impl Format for Cef {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let event = parse(first_line(text))?;
        record.format = NAME;
        let get = |key: &str| event.pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| *value);
        record.body = match get("msg").filter(|m| !m.is_empty()) {
            Some(message) => unescape(cx, message),
            None if !event.name.is_empty() => event.name,
            None => text,
        };
        if let Some(severity) = severity(event.severity) {
            fill::level_as(record, event.severity, severity);
        }
        let time = event.pairs.iter().filter(|(name, _)| is_time(name)).find_map(|(_, value)| moment(value));
        if time.is_some() && (record.stamp.is_none() || record.stamp.is_some_and(|s| s.form == Form::NoYear)) {
            record.envelope_stamp = record.stamp;
            record.stamp = time;
        }
        for (key, names) in [
            (Key::HostName, &["dvchost", "devname"][..]),
            (Key::User, &["duser", "usrName", "suser"]),
            (Key::Method, &["requestMethod"]),
            (Key::Action, &["act", "action"]),
            (Key::ProcessName, &["deviceProcessName", "sproc", "dproc"]),
        ] {
            if let Some(value) = names.iter().find_map(|name| get(name)) {
                fill::once_str(record, key, value);
            }
        }
        for (host, port, names) in [
            (Key::ClientAddress, Key::ClientPort, ["src", "spt", "srcPort"]),
            (Key::ServerAddress, Key::ServerPort, ["dst", "dpt", "dstPort"]),
        ] {
            if let Some(address) = get(names[0]) {
                fill::once_str(record, host, address);
                fill::once_int(record, port, get(names[1]).or_else(|| get(names[2])).unwrap_or(""));
            }
        }
        if let Some(target) = get("request") {
            fill::target(record, target);
        }
        for (name, value) in
            [("event.vendor", event.vendor), ("event.product", event.product), ("event.code", event.id), ("event.name", event.name)]
        {
            if !value.is_empty() {
                record.put_other(name, Value::Str(value));
            }
        }
        for (name, value) in event.pairs.iter().filter(|(name, value)| !is_taken(name) && !value.is_empty()) {
            record.put_other(name, value.parse().map_or(Value::Str(value), Value::Int));
        }
        Some(93)
    }
}

fn is_time(name: &str) -> bool {
    matches!(name, "rt" | "end" | "start" | "devTime" | "deviceReceiptTime") || name.ends_with("utcTime") || name.ends_with("UtcTime")
}

fn is_taken(name: &str) -> bool {
    matches!(name, "msg" | "src" | "spt" | "srcPort" | "dst" | "dpt" | "dstPort" | "request" | "requestMethod" | "dvchost" | "act")
}

/// The event of a line, whose mark may stand behind a header of another kind.
fn parse(line: &str) -> Option<Event<'_>> {
    if let Some(rest) = line.strip_prefix("CEF:") {
        let rest = rest.trim_start();
        let [version, vendor, product, _, id, name, severity] = columns(rest, 7)?.try_into().ok()?;
        version.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
        let pairs = pairs(after(rest, 7)?);
        return Some(Event { vendor, product, id, name, severity, pairs });
    }
    // Some receivers take the mark off.
    if line.as_bytes().get(1) == Some(&b'|')
        && line.starts_with(['0', '1'])
        && let Some([_, vendor, product, _, id, name, severity]) = columns(line, 7).and_then(|c| <[&str; 7]>::try_from(c).ok())
    {
        let pairs = pairs(after(line, 7)?);
        let plain = pairs.len() > 2 && !vendor.is_empty() && !product.is_empty();
        return plain.then_some(Event { vendor, product, id, name, severity, pairs });
    }
    let rest = line.strip_prefix("LEEF:")?;
    let [version, vendor, product, _, id] = columns(rest, 5)?.try_into().ok()?;
    let mut rest = after(rest, 5)?;
    let mut mark = '\t';
    if version.starts_with('2')
        && let Some((given, tail)) = rest.split_once('|')
        && given.chars().count() == 1
    {
        mark = given.chars().next()?;
        rest = tail;
    }
    let pairs: Vec<(&str, &str)> = rest.split(mark).filter_map(|pair| pair.split_once('=')).collect();
    let severity = pairs.iter().find(|(name, _)| *name == "sev").map_or("", |(_, value)| *value);
    Some(Event { vendor, product, id, name: "", severity, pairs })
}

/// The first columns between bars; a bar behind a backslash is none.
fn columns(text: &str, count: usize) -> Option<Vec<&str>> {
    let mut out = Vec::with_capacity(count);
    let mut from = 0;
    for _ in 0..count {
        let end = bar(text, from).or_else(|| (out.len() + 1 == count).then_some(text.len()))?;
        out.push(text.get(from..end)?.trim());
        from = end + 1;
    }
    Some(out)
}

/// What follows so many columns.
fn after(text: &str, count: usize) -> Option<&str> {
    let mut from = 0;
    for _ in 0..count {
        match bar(text, from) {
            Some(end) => from = end + 1,
            None => return Some(""),
        }
    }
    text.get(from..)
}

fn bar(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(b) = bytes.get(at) {
        match b {
            b'\\' => at += 2,
            b'|' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// `key=value key=value`, where values have blanks: a key begins at the last blank before an equals sign.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut keys: Vec<(usize, usize)> = Vec::new();
    for at in memchr::memchr_iter(b'=', bytes) {
        if at > 0 && bytes.get(at - 1) == Some(&b'\\') {
            continue;
        }
        let from = text.get(..at).and_then(|t| t.rfind(' ')).map_or(0, |n| n + 1);
        let name = text.get(from..at).unwrap_or("");
        let usable = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'[' | b']');
        if !name.is_empty() && name.len() < 64 && name.bytes().all(usable) && keys.last().is_none_or(|(_, end)| from > *end) {
            keys.push((from, at));
        }
    }
    let mut out = Vec::with_capacity(keys.len());
    for (n, (from, at)) in keys.iter().enumerate() {
        let end = keys.get(n + 1).map_or(text.len(), |(next, _)| *next);
        out.push((text.get(*from..*at).unwrap_or(""), text.get(at + 1..end).unwrap_or("").trim_end()));
    }
    out
}

fn unescape<'a>(cx: &Cx<'a>, text: &'a str) -> &'a str {
    if !text.contains('\\') {
        return text;
    }
    cx.keep(&text.replace("\\=", "=").replace("\\|", "|").replace("\\n", "\n").replace("\\\\", "\\"))
}

/// Milliseconds since 1970, or a date as the standard writes it.
fn moment(text: &str) -> Option<Stamp> {
    stamp::epoch(text).filter(|(_, used)| *used == text.len()).or_else(|| stamp::prefix(text)).map(|(stamp, _)| stamp)
}

/// 0 to 10, or a word.
fn severity(text: &str) -> Option<Severity> {
    match text.parse::<u8>() {
        Ok(0..=3) => Some(Severity::Info),
        Ok(4..=6) => Some(Severity::Warn),
        Ok(7..=8) => Some(Severity::Error),
        Ok(9..=10) => Some(Severity::Fatal),
        Ok(_) => None,
        Err(_) => match text {
            "Low" | "Unknown" => Some(Severity::Info),
            "Medium" => Some(Severity::Warn),
            "High" => Some(Severity::Error),
            "Very-High" => Some(Severity::Fatal),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Name, Origin};

    #[test]
    fn events() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "CEF:0|Acme|Gate\\|way|1.2|77|Sign in failed|7|src=203.0.113.9 spt=4000 dst=10.0.0.1 suser=Ann Lee rt=1795253000500 msg=no a\\=b today request=https://a.example/x?y=1";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Cef.read(&cx, text, &mut r), Some(93));
        assert_eq!((r.body, r.severity, r.str(Key::User)), ("no a=b today", Some(Severity::Error), Some("Ann Lee")));
        assert_eq!(
            (r.str(Key::ClientAddress), r.int(Key::ClientPort), r.str(Key::ServerAddress)),
            (Some("203.0.113.9"), Some(4000), Some("10.0.0.1"))
        );
        assert_eq!((r.str(Key::Path), r.stamp.map(|s| s.digits)), (Some("/x"), Some(3)));
        assert_eq!(r.values(Name::Other("event.product")).next(), Some(Value::Str("Gate\\|way")));
        let text = "LEEF:1.0|Acme|Gate|1|login-failed|src=203.0.113.9\tusrName=ann\tsev=5\tdevTime=Nov 21 2026 10:30:01";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Cef.read(&cx, text, &mut r), Some(93));
        assert_eq!((r.str(Key::User), r.severity, r.stamp.is_some()), (Some("ann"), Some(Severity::Warn), true));
        for no in ["CEF: what", "CEF:x|a|b|c|d|e|f|g", "LEEF:1.0|a"] {
            assert!(Cef.read(&cx, no, &mut Record::new(no, Origin::default())).is_none(), "{no}");
        }
    }
}
