//! Layouts of single servers, read by their first line: ClickHouse, Ceph, Android's logcat, WebLogic, WebSphere, Erlang's reports, Nagios.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, first_line};
use crate::formats::{exception, fill, message};
use crate::stamp;
use whyline_event::{Form, Key, Record, Severity, Stamp};

/// The reader of all of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Servers;

#[derive(Default)]
struct Line<'a> {
    name: &'static str,
    stamp: Option<Stamp>,
    level: &'a str,
    severity: Option<Severity>,
    thread: &'a str,
    logger: &'a str,
    host: &'a str,
    pid: &'a str,
    code: &'a str,
    message: &'a str,
}

impl Format for Servers {
    fn name(&self) -> &'static str {
        "servers"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = parse(text)?;
        record.format = line.name;
        record.stamp = line.stamp;
        match line.severity {
            Some(severity) => fill::level_as(record, line.level, severity),
            None if !line.level.is_empty() => fill::level(record, line.level),
            None => {}
        }
        for (key, value) in [(Key::ThreadName, line.thread), (Key::Logger, line.logger), (Key::HostName, line.host)] {
            fill::once_str(record, key, value);
        }
        fill::once_int(record, Key::ProcessPid, line.pid);
        if !line.code.is_empty() {
            record.put_other("event.code", whyline_event::Value::Str(line.code));
        }
        record.body = line.message;
        exception::fields(line.message, record);
        message::fields(cx, line.message, record);
        Some(87)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some()
    }
}

fn parse(text: &str) -> Option<Line<'_>> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'=' => report(text),
        b'#' | b'<' => weblogic(text),
        b'[' => nagios(text).or_else(|| websphere(text)),
        b'0'..=b'9' if bytes.get(4) == Some(&b'.') => clickhouse(text),
        b'0'..=b'9' if bytes.get(2) == Some(&b'-') => logcat(text),
        b'0'..=b'9' => ceph(text),
        _ => None,
    }
}

/// `[1794815480] SERVICE ALERT: host;service;CRITICAL;HARD;3;what the check said` of Nagios, Naemon and Icinga 1 (base/logging.c). The host is the
/// one that was checked.
fn nagios(text: &str) -> Option<Line<'_>> {
    const STATES: &[(&str, Severity)] = &[
        ("OK", Severity::Info),
        ("UP", Severity::Info),
        ("WARNING", Severity::Warn),
        ("UNKNOWN", Severity::Warn),
        ("UNREACHABLE", Severity::Error),
        ("CRITICAL", Severity::Error),
        ("DOWN", Severity::Error),
    ];
    let mut c = Cursor::new(text);
    c.must("[")?;
    let stamp = Some(c.stamp_by(stamp::epoch)?);
    c.must("] ")?;
    let logger =
        ["SERVICE ALERT", "HOST ALERT", "CURRENT SERVICE STATE", "CURRENT HOST STATE", "INITIAL SERVICE STATE", "INITIAL HOST STATE"]
            .into_iter()
            .find(|kind| c.eat(kind))?;
    c.must(": ")?;
    let host = c.until(";")?;
    let (level, severity) = c.rest.split(';').take(2).find_map(|word| STATES.iter().find(|(state, _)| *state == word))?;
    Some(Line { name: "nagios", stamp, level, severity: Some(*severity), logger, host, message: c.rest, ..Line::default() })
}

/// `2026.11.21 10:00:00.123456 [ 17 ] {query} <Error> Component: text`.
fn clickhouse(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let stamp = Some(c.stamp_by(stamp::iso)?);
    c.must(" [ ")?;
    let thread = c.until(" ] {")?;
    c.until("} <")?;
    let level = c.until("> ")?;
    Severity::from_word(level)?;
    let (logger, message) = c.rest.split_once(": ").filter(|(l, _)| !l.contains('\n')).unwrap_or(("", c.rest));
    Some(Line { name: "clickhouse", stamp, level, thread, logger, message, ..Line::default() })
}

/// `11-21 10:00:00.123  1702  2395 E Tag: text`, and the brief form `11-21 10:00:00.123 E/Tag( 1702): text`.
fn logcat(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let stamp = c.stamp().filter(|s| s.form == Form::NoYear)?;
    (c.blanks() > 0).then_some(())?;
    let letter = |c: &mut Cursor<'_>| c.rest.bytes().next().is_some_and(|b| b"VDIWEF".contains(&b));
    let mut line = Line { name: "android", stamp: Some(stamp), ..Line::default() };
    if let Some(pid) = c.digits() {
        c.blanks();
        line.pid = pid;
        line.thread = c.digits()?;
        c.must(" ")?;
        letter(&mut c).then_some(())?;
        line.level = c.take(1)?;
        c.must(" ")?;
        line.logger = c.until(": ").or_else(|| c.until(":"))?.trim_end();
    } else {
        letter(&mut c).then_some(())?;
        line.level = c.take(1)?;
        c.must("/")?;
        line.logger = c.until("(")?.trim_end();
        line.pid = c.until("): ")?.trim();
    }
    line.message = c.rest;
    Some(line)
}

/// `2026-11-21T10:00:00.123+0000 7f01ab23c700 -1 osd.1 text`: the number is the verbosity, minus one an error.
fn ceph(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let stamp = Some(c.stamp_by(stamp::iso).filter(|s| s.digits >= 3)?);
    c.must(" ")?;
    let thread = c.run(|b| b.is_ascii_hexdigit()).filter(|t| (8..=16).contains(&t.len()) && t.starts_with("7f"))?;
    c.must(" ")?;
    c.blanks();
    let level = c.run(|b| b.is_ascii_digit() || b == b'-').filter(|l| l.len() <= 2)?;
    c.must(" ")?;
    let severity = match level {
        "-1" => Severity::Error,
        "0" | "1" => Severity::Info,
        _ => Severity::Debug,
    };
    Some(Line { name: "ceph", stamp, level, severity: Some(severity), thread, message: c.rest, ..Line::default() })
}

/// Oracle WebLogic: `<time> <Error> <Security> <BEA-090905> <text>`, in files with `####` in front and more columns between.
fn weblogic(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text.strip_prefix("####").unwrap_or(text));
    let filed = c.rest.len() != text.len();
    let time = c.between("<", "> ")?;
    let stamp = Some(stamp::prefix(time)?.0);
    let level = c.between("<", "> ")?;
    let severity = match level {
        "Emergency" | "Alert" | "Critical" => Severity::Fatal,
        "Error" => Severity::Error,
        "Warning" => Severity::Warn,
        "Notice" | "Info" => Severity::Info,
        "Debug" => Severity::Debug,
        "Trace" => Severity::Trace,
        _ => return None,
    };
    let mut line = Line { name: "weblogic", stamp, level, severity: Some(severity), logger: c.between("<", "> ")?, ..Line::default() };
    if filed {
        line.host = c.between("<", "> ")?;
        c.between("<", "> ")?;
        line.thread = c.between("<", "> ")?;
    }
    for _ in 0..8 {
        match c.between("<", "> ") {
            Some(code) if code.starts_with("BEA-") => {
                line.code = code;
                break;
            }
            Some(_) => {}
            None => break,
        }
    }
    line.message = c.rest.trim_end().strip_prefix('<').map_or(c.rest, |m| m.strip_suffix('>').unwrap_or(m)).trim();
    Some(line)
}

/// IBM WebSphere: `[11/21/26 10:00:00:250 UTC] 0000001f WsServerImpl  E   WSVR0001E: text`.
fn websphere(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    c.must("[")?;
    let stamp = Some(c.stamp_by(stamp::slash).filter(|s| s.digits == 3)?);
    c.until("] ")?;
    let thread = c.run(|b| b.is_ascii_hexdigit()).filter(|t| t.len() == 8)?;
    c.must(" ")?;
    let logger = c.word()?;
    c.blanks();
    let level = c.word().filter(|w| w.len() == 1)?;
    c.blanks();
    let severity = match level {
        "F" => Severity::Fatal,
        "E" => Severity::Error,
        "W" => Severity::Warn,
        "A" | "I" | "C" | "O" | "R" => Severity::Info,
        "D" => Severity::Debug,
        "1" | "2" | "3" | ">" | "<" => Severity::Trace,
        _ => return None,
    };
    let code = c.peek().strip_suffix(':').filter(|w| w.len() >= 8 && w.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    Some(Line {
        name: "websphere",
        stamp,
        level,
        severity: Some(severity),
        thread,
        logger,
        code: code.unwrap_or(""),
        message: c.rest,
        ..Line::default()
    })
}

/// Erlang's reports: `=ERROR REPORT==== 21-Nov-2026::10:00:00 ===`, the text on the lines behind.
fn report(text: &str) -> Option<Line<'_>> {
    let head = first_line(text);
    let (kind, time) = head.strip_prefix('=')?.split_once(" REPORT==== ")?;
    let time = time.trim_end_matches(['=', ' ']);
    let (date, clock) = time.split_once("::").or_else(|| time.split_once(' '))?;
    let stamp = stamp::clf(&format!("{date} {clock}")).or_else(|| stamp::iso(time)).map(|(stamp, _)| stamp)?;
    let (level, severity) = match kind {
        "ERROR" | "CRASH" => (kind, Severity::Error),
        "WARNING" => (kind, Severity::Warn),
        // A supervisor reports what ended, and what it does about it.
        "SUPERVISOR" => (kind, Severity::Error),
        _ => (kind, Severity::Info),
    };
    let rest = text.get(head.len()..).unwrap_or("").trim_start_matches('\n');
    Some(Line {
        name: "erlang",
        stamp: Some(stamp),
        level,
        severity: Some(severity),
        message: if rest.is_empty() { head } else { rest },
        ..Line::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        for (text, name, level, body) in [
            ("2026.11.21 10:00:00.123456 [ 17 ] {7f-77} <Error> Query: table gone", "clickhouse", Severity::Error, "table gone"),
            ("11-21 10:00:00.123  1702  2395 E Windows: no window", "android", Severity::Error, "no window"),
            ("11-21 10:00:00.123 W/Windows( 1702): no window", "android", Severity::Warn, "no window"),
            ("2026-11-21T10:00:00.123+0000 7f01ab23c700 -1 osd.1 no beat", "ceph", Severity::Error, "osd.1 no beat"),
            ("2026-11-21 10:00:00.123456 7f01ab23c700  0 osd.1 up", "ceph", Severity::Info, "osd.1 up"),
            ("<Nov 21, 2026 10:00:00,123 AM UTC> <Error> <Security> <BEA-090905> <no key>", "weblogic", Severity::Error, "no key"),
            (
                "####<Nov 21, 2026 10:00:00 AM UTC> <Warning> <JDBC> <web1> <srv> <main> <> <> <> <1795253000123> <BEA-001129> <no pool>",
                "weblogic",
                Severity::Warn,
                "no pool",
            ),
            (
                "[11/21/26 10:00:00:250 UTC] 0000001f ServerImpl  E   WSVR0001E: no start",
                "websphere",
                Severity::Error,
                "WSVR0001E: no start",
            ),
            ("=ERROR REPORT==== 21-Nov-2026::10:00:00 ===\nno peer", "erlang", Severity::Error, "no peer"),
            ("=INFO REPORT==== 2026-11-21 10:00:00 ===\nup", "erlang", Severity::Info, "up"),
            ("[1794815480] SERVICE ALERT: mq1;mails;CRITICAL;HARD;3;41233", "nagios", Severity::Error, "mails;CRITICAL;HARD;3;41233"),
            ("[1794815480] HOST ALERT: mq1;UP;SOFT;1;PING OK", "nagios", Severity::Info, "UP;SOFT;1;PING OK"),
        ] {
            let mut r = Record::new(text, Origin::default());
            assert_eq!(Servers.read(&cx, text, &mut r), Some(87), "{text}");
            assert_eq!((r.format, r.severity, r.body, r.stamp.is_some()), (name, Some(level), body, true), "{text}");
        }
        for no in [
            "2026-11-21 10:00:00.123 hello",
            "<a> <b>",
            "[x] y",
            "[1794815480] SERVICE ALERT: mq1",
            "= 4",
            "11-21 10:00:00.123 hello",
            "#",
            "2026.11.21 10:00:00 x",
        ] {
            assert!(parse(no).is_none(), "{no}");
        }
    }
}
