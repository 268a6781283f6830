//! The W3C extended log file format: IIS, HTTP.sys (`HTTPERR`), CloudFront. A `#Fields:` line names the columns; times are UTC.

use super::meaning::{self, Meaning, Unit};
use super::request;
use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use crate::stamp;
use std::sync::Arc;
use whyline_event::{Form, Key, Record, Stamp, Value, address};

/// Logs with a `#Fields:` line, and those of IIS in its default order without one.
#[derive(Clone, Debug)]
pub struct W3c {
    /// The columns of each `#Fields:` line seen, the last one first.
    layouts: Vec<Vec<Column>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: String,
    what: What,
}

/// What a column means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Date,
    Time,
    Path,
    Win32,
    Other(Meaning),
}

/// The orders in which IIS writes without being told otherwise, after the columns that all have.
const COMMON: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent)";
const DEFAULTS: [&str; 3] = [
    "cs(Referer) sc-status sc-substatus sc-win32-status time-taken",
    "sc-status sc-substatus sc-win32-status time-taken",
    "cs(Referer) sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken",
];

impl Default for W3c {
    fn default() -> Self {
        W3c { layouts: DEFAULTS.iter().map(|tail| columns(&format!("{COMMON} {tail}"))).collect() }
    }
}

fn columns(fields: &str) -> Vec<Column> {
    // What IIS adds to a status has a name of its own in the Elastic Common Schema's fields for IIS.
    let named = |name: &str| if name.eq_ignore_ascii_case("sc-substatus") { "iis.access.sub_status".into() } else { name.to_string() };
    fields.split_whitespace().map(|name| Column { name: named(name), what: what(name) }).collect()
}

fn what(name: &str) -> What {
    What::Other(match name.to_ascii_lowercase().as_str() {
        "date" => return What::Date,
        "time" => return What::Time,
        "cs-uri-stem" => return What::Path,
        "sc-win32-status" => return What::Win32,
        "cs-uri" => Meaning::Target,
        "cs-uri-query" => Meaning::Query,
        "cs-method" => Meaning::Text(Key::Method),
        "cs-version" | "cs-protocol-version" => Meaning::Protocol,
        "c-ip" => Meaning::Client,
        "c-port" => Meaning::Ints(Key::ClientPort),
        "s-port" => Meaning::Ints(Key::ServerPort),
        "cs-username" => Meaning::Text(Key::User),
        "cs(user-agent)" => Meaning::Text(Key::UserAgent),
        "cs(referer)" => Meaning::Text(Key::Referer),
        "cs-host" | "cs(host)" | "x-host-header" => Meaning::Server,
        "s-computername" => Meaning::Text(Key::HostName),
        "x-forwarded-for" | "cs(x-forwarded-for)" => Meaning::Forwarded,
        "sc-status" => Meaning::Status,
        "sc-bytes" => Meaning::Ints(Key::ResponseBytes),
        "cs-bytes" => Meaning::Ints(Key::RequestBytes),
        "time-taken" => Meaning::Took(Key::Duration, Unit::Guess),
        "s-reason" => Meaning::Text(Key::ErrorType),
        "x-edge-request-id" => Meaning::Text(Key::RequestId),
        "ssl-protocol" => Meaning::Text(Key::TlsVersion),
        "ssl-cipher" => Meaning::Text(Key::Cipher),
        _ => Meaning::Named,
    })
}

impl Format for W3c {
    fn name(&self) -> &'static str {
        "iis.access"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let directs = text.starts_with('#');
        if !directs && self.layouts.is_empty() {
            return None;
        }
        let line = first_line(text).trim_end();
        if directs {
            return directive(line, text, record);
        }
        let separator = if line.contains('\t') { '\t' } else { ' ' };
        let count = line.split(separator).count();
        let fits = |layout: &&Vec<Column>| layout.len() == count && admits(layout, line, separator);
        let layout = self.layouts.iter().find(fits)?;
        let (date, time) = when(layout, line, separator);
        record.format = if layout.iter().any(|c| c.name == "s-reason") { "iis.error" } else { "iis.access" };
        record.body = text;
        record.severity = None;
        record.stamp = utc(date, time, cx).or(record.stamp);
        for (column, value) in layout.iter().zip(line.split(separator)) {
            put(column, value, cx, record);
        }
        Some(88)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        // Every line is a record; one that does not fit its header is none of the line before either.
        !line.trim().is_empty()
    }

    fn learn(&self, head: &[&str]) -> Option<Arc<dyn Format>> {
        let mut layouts: Vec<Vec<Column>> = Vec::new();
        for fields in head.iter().filter_map(|line| line.strip_prefix("#Fields:")) {
            let found = columns(fields);
            if !found.is_empty() && !layouts.contains(&found) {
                layouts.insert(0, found);
            }
        }
        if layouts.is_empty() {
            return None;
        }
        layouts.extend(self.layouts.iter().cloned());
        Some(Arc::new(W3c { layouts }))
    }
}

/// `#Software: ...`, `#Fields: ...`.
fn directive<'a>(line: &str, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    let (name, value) = line.strip_prefix('#')?.split_once(':')?;
    if !matches!(name, "Software" | "Version" | "Date" | "Fields" | "Remark" | "Start-Date" | "End-Date") {
        return None;
    }
    record.format = "iis.access";
    record.body = text;
    if name.ends_with("Date") {
        let found = stamp::iso(value.trim()).map(|(stamp, _)| stamp);
        record.stamp = found.map(as_utc).or(record.stamp);
    }
    Some(90)
}

fn as_utc(stamp: Stamp) -> Stamp {
    if stamp.form == Form::Civil { Stamp::explicit(stamp.nanos, 0, stamp.digits) } else { stamp }
}

/// The date and the time of a line.
fn when<'a>(layout: &[Column], line: &'a str, separator: char) -> (&'a str, &'a str) {
    let of = |what: What| layout.iter().zip(line.split(separator)).find(|(c, _)| c.what == what).map_or("", |(_, v)| v);
    (of(What::Date), of(What::Time))
}

fn utc<'a>(date: &str, time: &str, cx: &Cx<'a>) -> Option<Stamp> {
    stamp::iso(cx.keep(&format!("{date} {time}"))).map(|(stamp, _)| as_utc(stamp))
}

/// Whether the columns hold what their names promise.
fn admits(layout: &[Column], line: &str, separator: char) -> bool {
    let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    layout.iter().zip(line.split(separator)).all(|(column, value)| match column.what {
        What::Date => value.len() == 10 && digits(value),
        What::Time => value.contains(':') && digits(value),
        What::Other(Meaning::Status) => value == "-" || value == "0" || meaning::is_status(value),
        What::Other(Meaning::Client) => value == "-" || address::ip(value).is_some() || value.starts_with('['),
        _ => true,
    })
}

fn put<'a>(column: &Column, value: &'a str, cx: &Cx<'a>, record: &mut Record<'a>) {
    match column.what {
        What::Date | What::Time => {}
        What::Path => record.put_str(Key::Path, request::unescape(value, cx)),
        What::Win32 if value != "0" => record.put_int(Key::Errno, value),
        What::Win32 => {}
        What::Other(Meaning::Text(Key::UserAgent)) if value.contains('+') => {
            // Blanks are written as plus signs.
            record.put_str(Key::UserAgent, cx.keep(&value.replace('+', " ")));
        }
        What::Other(Meaning::Named) if value == "-" || value.is_empty() => {}
        What::Other(Meaning::Named) => {
            let value = value.parse().map_or(Value::Str(value), Value::Int);
            record.put_other(cx.keep(&column.name), value);
        }
        What::Other(meaning) => meaning::put(meaning, "", value, cx, record),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, fit};
    use super::*;

    #[test]
    fn lines() {
        let head = [
            "#Software: Some server",
            "#Date: 2026-11-21 10:35:14",
            "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken x-my",
            "2026-11-21 10:35:14 10.0.0.1 GET /a x=1 500 1500 blue",
        ];
        let learnt = W3c::default().learn(&head).unwrap();
        assert_eq!(
            fields(&*learnt, head[3]),
            "iis.access 2026-11-21T10:35:14Z - - client.address=10.0.0.1 http.request.method=GET url.path=/a url.query=x=1 \
             http.response.status_code=500 http.server.request.duration=1.5 x-my=blue"
        );
        assert_eq!(fields(&*learnt, head[1]), "iis.access 2026-11-21T10:35:14Z - -");
        for (line, want) in [
            (
                "2026-11-21 10:35:14 ::1 GET /b x=y 80 - 10.0.0.1 - 503 0 0 49",
                "iis.access 2026-11-21T10:35:14Z - - s-ip=::1 http.request.method=GET url.path=/b url.query=x=y server.port=80 \
                 client.address=10.0.0.1 http.response.status_code=503 iis.access.sub_status=0 http.server.request.duration=0.049",
            ),
            (
                "2026-11-21 10:35:14 ::1 GET / - 80 bob 10.0.0.1 A/1+(x;+y) http://h/ 404 0 2 49",
                "iis.access 2026-11-21T10:35:14Z - - s-ip=::1 http.request.method=GET url.path=/ server.port=80 user.name=bob \
                 client.address=10.0.0.1 user_agent.original=A/1 (x; y) http.request.header.referer=http://h/ \
                 http.response.status_code=404 iis.access.sub_status=0 error.code=2 http.server.request.duration=0.049",
            ),
        ] {
            assert_eq!(fields(&W3c::default(), line), want, "{line}");
        }
        for no in ["", "#", "# comment", "#Color: x", "a b c d e f g h i j k l m n", "2026-11-21 10:35:14 x"] {
            assert_eq!(fit(&W3c::default(), no), None, "{no}");
        }
    }
}
