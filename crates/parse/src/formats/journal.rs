//! The systemd journal: `journalctl -o json` and `-o export`. (The short forms are syslog lines.)

use crate::format::{Cx, Fit, Format};
use crate::formats::fill;
use crate::formats::json::flat::{Scalar, flatten};
use crate::formats::syslog::services;
use whyline_event::{Key, Record, Severity, Stamp, Value};

/// `journalctl -o json`.
#[derive(Clone, Copy, Debug, Default)]
pub struct JournalJson;

/// `journalctl -o export`.
#[derive(Clone, Copy, Debug, Default)]
pub struct JournalExport;

const NAME: &str = "journald";

impl Format for JournalJson {
    fn name(&self) -> &'static str {
        "journald.json"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if !text.trim_start().starts_with('{')
            || !text.contains("\"__REALTIME_TIMESTAMP\"") && !text.contains("\"_SOURCE_REALTIME_TIMESTAMP\"")
        {
            return None;
        }
        let flat = flatten(cx, text)?;
        let pairs: Vec<(&'a str, &'a str)> = flat.pairs.iter().filter_map(|(name, value)| Some((*name, plain(cx, *value)?))).collect();
        put(cx, &pairs, record)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        line.starts_with('{')
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

/// A value as text. What is no UTF-8 comes as a list of bytes; fields that occur twice as a list of texts.
fn plain<'a>(cx: &Cx<'a>, value: Scalar<'a>) -> Option<&'a str> {
    match value {
        Scalar::Str(text) | Scalar::Number(text) => Some(text),
        Scalar::List(raw) => {
            let inner = raw.trim_matches(['[', ']']);
            let bytes: Option<Vec<u8>> = inner.split(',').map(|n| n.trim().parse::<u8>().ok()).collect();
            match bytes {
                Some(bytes) => Some(cx.keep(&String::from_utf8_lossy(&bytes))),
                None => inner.trim().strip_prefix('"').and_then(|t| t.split('"').next()),
            }
        }
        _ => None,
    }
}

impl Format for JournalExport {
    fn name(&self) -> &'static str {
        "journald.export"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if !text.starts_with("__CURSOR=") {
            return None;
        }
        let mut pairs = Vec::with_capacity(24);
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            if let Some((name, value)) = line.split_once('=').filter(|(n, _)| is_name(n)) {
                pairs.push((name, value));
            } else if is_name(line) {
                pairs.push((line, sized(cx, &mut lines)));
            }
        }
        if !pairs.iter().any(|(name, _)| *name == "__REALTIME_TIMESTAMP") {
            // The first line alone, as a detection sees it.
            record.format = NAME;
            return Some(90);
        }
        put(cx, &pairs, record)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        line.starts_with("__CURSOR=")
    }

    fn block(&self) -> bool {
        true
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// A field of several lines: eight bytes of length, then the text. The length is lost where it was no UTF-8, so the text goes
/// on to the next line that is a field.
fn sized<'a>(cx: &Cx<'a>, lines: &mut std::iter::Peekable<std::str::Split<'a, char>>) -> &'a str {
    let mut out = String::new();
    while let Some(line) = lines.peek() {
        let is_field = line.split_once('=').is_some_and(|(n, _)| is_name(n) && (n.starts_with('_') || n.len() > 5)) || is_name(line);
        if is_field && !out.is_empty() || line.is_empty() && !out.is_empty() {
            break;
        }
        if out.is_empty() {
            out.push_str(line.trim_start_matches(|c: char| c.is_control() || c == '\u{fffd}'));
        } else {
            out.push('\n');
            out.push_str(line);
        }
        lines.next();
    }
    cx.keep(&out)
}

fn put<'a>(cx: &Cx<'a>, pairs: &[(&'a str, &'a str)], record: &mut Record<'a>) -> Option<Fit> {
    let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
    let micros: i64 = get("_SOURCE_REALTIME_TIMESTAMP").or_else(|| get("__REALTIME_TIMESTAMP"))?.parse().ok()?;
    record.stamp = Some(Stamp::explicit(micros.checked_mul(1000)?, 0, 6));
    put_fields(cx, pairs, record);
    // With the time of day, the kernel's own records tell when the machine was booted.
    if get("_TRANSPORT") == Some("kernel")
        && let Some(uptime) = get("__MONOTONIC_TIMESTAMP").and_then(|t| t.parse::<i64>().ok()?.checked_mul(1000))
    {
        record.put(Key::Uptime, Value::Duration(uptime));
    }
    Some(95)
}

/// What the fields of an entry say, but for its time.
pub(super) fn put_fields<'a>(cx: &Cx<'a>, pairs: &[(&'a str, &'a str)], record: &mut Record<'a>) {
    let get = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
    record.format = NAME;
    if let Some(number) = get("PRIORITY").and_then(|p| p.parse().ok()) {
        record.severity = Severity::from_syslog(number);
    }
    fill::once_str(record, Key::HostName, get("_HOSTNAME").unwrap_or(""));
    let tag = get("SYSLOG_IDENTIFIER").or_else(|| get("_COMM")).unwrap_or("");
    // Docker's journald driver tags what it hands on with the container's short id, if nobody says otherwise; its name is told beside it.
    let is_id = get("CONTAINER_ID").is_some_and(|id| id == tag) && get("CONTAINER_NAME").is_some();
    let tag = if is_id { "" } else { tag };
    fill::once_str(record, Key::ProcessName, tag);
    fill::once_int(record, Key::ProcessPid, get("_PID").or_else(|| get("SYSLOG_PID")).unwrap_or(""));
    // A message of systemd itself speaks of another unit than its own.
    let unit =
        get("UNIT").or_else(|| get("OBJECT_SYSTEMD_UNIT")).or_else(|| get("_SYSTEMD_UNIT")).or_else(|| get("USER_UNIT")).unwrap_or("");
    fill::once_str(record, Key::Unit, unit);
    for (name, key) in [
        ("CONTAINER_NAME", Key::ContainerName),
        ("CONTAINER_ID", Key::ContainerId),
        ("CODE_FILE", Key::CodeFile),
        ("CODE_FUNC", Key::CodeFunction),
        ("_CMDLINE", Key::Command),
        ("ERRNO", Key::Errno),
    ] {
        if let Some(value) = get(name) {
            fill::once_str(record, key, value);
        }
    }
    for (name, other) in [("MESSAGE_ID", "journald.message_id"), ("JOB_RESULT", "systemd.job.result"), ("_TRANSPORT", "journald.transport")]
    {
        if let Some(value) = get(name) {
            record.put_other(other, Value::Str(value));
        }
    }
    if let Some(code) = get("EXIT_STATUS").filter(|_| get("EXIT_CODE") == Some("exited")) {
        fill::once_int(record, Key::ExitCode, code);
    }
    let message = get("MESSAGE").unwrap_or("");
    record.body = message;
    services::message(cx, NAME, tag, message, record);
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn both_forms() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = r#"{"MESSAGE":[104,105,10,255],"__REALTIME_TIMESTAMP":"1795252625082597","_PID":"7","SYSLOG_IDENTIFIER":"shop","PRIORITY":"3","_HOSTNAME":"web1","_SYSTEMD_UNIT":"shop.service"}"#;
        let mut r = Record::new(text, Origin::default());
        assert_eq!(JournalJson.read(&cx, text, &mut r), Some(95));
        assert_eq!((r.body, r.severity, r.str(Key::Unit)), ("hi\n\u{fffd}", Some(Severity::Error), Some("shop.service")));
        let text = r#"{"MESSAGE":"hi","__REALTIME_TIMESTAMP":"1795252625082597","SYSLOG_IDENTIFIER":"dc0756ac68c8","CONTAINER_ID":"dc0756ac68c8","CONTAINER_NAME":"shop-basket-2","_HOSTNAME":"vm1"}"#;
        let mut r = Record::new(text, Origin::default());
        assert_eq!(JournalJson.read(&cx, text, &mut r), Some(95));
        assert_eq!((r.str(Key::ProcessName), r.str(Key::ContainerName)), (None, Some("shop-basket-2")));
        let text = "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795252625082597\n_HOSTNAME=web1\nSYSLOG_IDENTIFIER=systemd\nUNIT=shop.service\nMESSAGE\n\u{5}\0\0\0\0\0\0\0two\nlines\n_PID=1";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(JournalExport.read(&cx, text, &mut r), Some(95));
        assert_eq!((r.body, r.int(Key::ProcessPid), r.str(Key::Unit)), ("two\nlines", Some(1), Some("shop.service")));
        assert!(!JournalExport.starts(&cx, "MESSAGE=x"));
    }
}
