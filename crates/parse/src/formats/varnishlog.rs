//! `varnishlog`: a transaction a paragraph, a tag a line.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Key, Record, Severity, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct VarnishLog;

/// `*   << Request  >> 32770`: kind and number of a transaction.
fn head(line: &str) -> Option<(&str, &str)> {
    let rest = line.trim_start_matches(['*', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    if rest.len() == line.len() || !rest.starts_with(' ') {
        return None;
    }
    let (kind, number) = rest.trim_start().strip_prefix("<< ")?.split_once(">> ")?;
    let (kind, number) = (kind.trim(), number.trim());
    let known = matches!(kind, "Request" | "BeReq" | "Session" | "ESI_top" | "Record");
    (known && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some((kind, number))
}

impl Format for VarnishLog {
    fn name(&self) -> &'static str {
        "varnishlog"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if !matches!(text.as_bytes().first()?, b'*' | b'-' | b'0'..=b'9') {
            return None;
        }
        let (kind, number) = head(first_line(text))?;
        record.format = "varnishlog";
        record.body = text;
        record.put_other("varnish.kind", Value::Str(kind));
        fill::once_str(record, Key::RequestId, number);
        for line in text.lines().skip(1) {
            let line = line.trim_start_matches(['-', '*', ' ']);
            let (tag, value) = line.split_once(' ').unwrap_or((line, ""));
            put(tag, value.trim(), record);
        }
        Some(95)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        head(line).is_some()
    }

    fn block(&self) -> bool {
        true
    }

    fn ends_at_blank(&self) -> bool {
        true
    }
}

fn put<'a>(tag: &'a str, value: &'a str, record: &mut Record<'a>) {
    let mut words = value.split(' ');
    match tag {
        "Timestamp" => {
            let (what, at, since) = (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
            if record.stamp.is_none() {
                record.stamp = stamp::epoch(at).map(|(stamp, _)| stamp);
            }
            // The last one tells how long the whole took.
            if matches!(what, "Resp:" | "BerespBody:" | "Beresp:" | "Error:" | "PipeSess:")
                && let Some(took) = Value::seconds(since)
            {
                fill::once(record, Key::Duration, took);
            }
        }
        "ReqStart" | "SessOpen" => {
            fill::client(record, words.next().unwrap_or(""));
            fill::once_int(record, Key::ClientPort, words.next().unwrap_or(""));
        }
        "ReqMethod" | "BereqMethod" => fill::once_str(record, Key::Method, value),
        "ReqURL" | "BereqURL" if !record.has(Key::Path) => fill::target(record, value),
        "ReqProtocol" | "BereqProtocol" => fill::once_str(record, Key::HttpVersion, value.strip_prefix("HTTP/").unwrap_or(value)),
        // An answer that is made anew after an error replaces the one before.
        "RespStatus" | "BerespStatus" => fill::once_int(record, Key::Status, value),
        "ReqHeader" | "BereqHeader" => {
            let (name, text) = value.split_once(": ").unwrap_or((value, ""));
            match name.to_ascii_lowercase().as_str() {
                "host" => fill::once_str(record, Key::ServerAddress, text),
                "user-agent" => fill::once_str(record, Key::UserAgent, text),
                "x-forwarded-for" => fill::once_str(record, Key::ForwardedFor, text),
                "referer" => fill::once_str(record, Key::Referer, text),
                _ => {}
            }
        }
        "BackendOpen" => {
            // `32 reload.be_app 10.0.0.3 8080 10.0.0.9 40112`
            let _ = words.next();
            fill::once_str(record, Key::UpstreamName, words.next().unwrap_or(""));
            fill::once_str(record, Key::UpstreamAddress, words.next().unwrap_or(""));
        }
        "FetchError" | "Error" => {
            record.put_other("error.text", Value::Str(value));
            fill::level_as(record, tag, Severity::Error);
        }
        "Hit" => fill::once_str(record, Key::CacheStatus, "hit"),
        "VCL_call" if value == "MISS" || value == "PASS" => {
            fill::once_str(record, Key::CacheStatus, if value == "MISS" { "miss" } else { "pass" })
        }
        _ => {}
    }
}
