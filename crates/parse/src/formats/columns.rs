//! Small layouts in columns that only one program writes: Blue Gene/L, Icinga, GlusterFS, Ray, Gin.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::{exception, fill, message};
use crate::seek::Needle;
use crate::stamp;
use whyline_event::{Key, Record, Stamp, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns;

#[derive(Default)]
struct Line<'a> {
    name: &'static str,
    stamp: Option<Stamp>,
    level: &'a str,
    logger: &'a str,
    host: &'a str,
    pid: &'a str,
    message: &'a str,
}

impl Format for Columns {
    fn name(&self) -> &'static str {
        "columns"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if text.starts_with("[GIN] ") || BARS.is_in(text) {
            return gin(text, record);
        }
        if text.starts_with(REPEATED) {
            return repeated(text, record);
        }
        let line = parse(text)?;
        record.format = line.name;
        record.stamp = line.stamp;
        fill::level(record, line.level);
        fill::once_str(record, Key::Logger, line.logger);
        fill::once_str(record, Key::HostName, line.host);
        fill::once_int(record, Key::ProcessPid, line.pid);
        record.body = line.message;
        exception::fields(line.message, record);
        message::fields(cx, line.message, record);
        Some(88)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        line.starts_with("[GIN] ") || line.starts_with(REPEATED) || parse(line).is_some()
    }
}

fn parse(text: &str) -> Option<Line<'_>> {
    if text.starts_with('[') { bracketed(text) } else { blue_gene(text) }
}

/// `[stamp] information/Facility: text`, `[stamp] E [MSGID: 1] [file.c:12:fn] 0-name: text`, `[stamp E 7 7] (name) file:12: text`.
fn bracketed(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    c.must("[")?;
    let stamp = Some(c.stamp_by(stamp::iso)?);
    if c.eat(" ") {
        // Ray.
        let level = c.word().filter(|w| w.len() == 1)?;
        c.must(" ")?;
        let pid = c.digits()?;
        c.must(" ")?;
        c.digits()?;
        c.must("] (")?;
        let logger = c.until(") ")?;
        let place = c.word().filter(|w| w.ends_with(':'))?;
        c.blanks();
        return place.contains('.').then_some(Line { name: "ray", stamp, level, logger, pid, message: c.rest, ..Line::default() });
    }
    c.must("] ")?;
    if let Some(rest) = c.rest.get(1..).filter(|r| r.starts_with(" [")) {
        // GlusterFS.
        let level = c.rest.get(..1).filter(|w| w.bytes().all(|b| b.is_ascii_uppercase()))?;
        let mut c = Cursor::new(rest.trim_start());
        while c.between("[", "]").is_some() {
            c.blanks();
        }
        let logger = c.word().filter(|w| w.ends_with(':') && w.contains('-'))?.trim_end_matches(':');
        c.blanks();
        return Some(Line { name: "glusterfs", stamp, level, logger, message: c.rest, ..Line::default() });
    }
    // Icinga 2.
    let head = c.word()?;
    let (level, facility) = head.strip_suffix(':')?.split_once('/')?;
    if !matches!(level, "information" | "warning" | "critical" | "notice" | "debug") {
        return None;
    }
    c.eat(" ");
    Some(Line { name: "icinga", stamp, level, logger: facility, message: c.rest, ..Line::default() })
}

/// `- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50.675872 R02-M1 RAS KERNEL INFO text`.
fn blue_gene(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    c.word().filter(|w| *w == "-" || w.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'))?;
    c.must(" ")?;
    let epoch = c.digits().filter(|d| matches!(d.len(), 9 | 10))?;
    c.must(" ")?;
    c.word().filter(|w| w.len() == 10 && w.as_bytes().get(4) == Some(&b'.') && epoch.len() < 11)?;
    c.must(" ")?;
    let host = c.word()?;
    c.must(" ")?;
    let stamp = Some(c.stamp_by(stamp::iso)?);
    c.must(" ")?;
    c.word()?;
    c.must(" ")?;
    c.word()?;
    c.must(" ")?;
    let logger = c.word()?;
    c.must(" ")?;
    let level = c.word()?;
    c.eat(" ");
    Some(Line { name: "bgl", stamp, level, logger, host, message: c.rest, ..Line::default() })
}

const BARS: Needle = Needle::new(" | ");
const REPEATED: &str = "The message \"";

/// GlusterFS on a message that came again: `The message "W [MSGID: 7] [a.c:1:f] 0-vol: text" repeated 4 times between [stamp] and
/// [stamp]`.
fn repeated<'a>(text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    let (said, rest) = text.strip_prefix(REPEATED)?.rsplit_once("\" repeated ")?;
    let (count, span) = rest.split_once(" times between [")?;
    let (_, last) = span.split_once("] and [")?;
    record.stamp = Some(stamp::iso(last)?.0);
    record.format = "glusterfs";
    record.body = text;
    fill::level(record, said.get(..1)?);
    if let Ok(count) = count.parse() {
        record.put_other("log.repeated", Value::Int(count));
    }
    Some(88)
}

/// Gin's request log: `[GIN] 2026/11/21 - 10:49:33 | 401 | 505.3µs | 10.1.2.3 | POST "/client"`.
fn gin<'a>(text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    let rest = text.strip_prefix("[GIN] ").unwrap_or(text);
    let mut parts = rest.splitn(5, '|').map(str::trim);
    let (date, status, took, client, request) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let stamp = stamp::iso(date).filter(|(_, used)| *used == date.len()).map(|(stamp, _)| stamp);
    if !text.starts_with("[GIN] ") {
        stamp?;
    }
    status.parse::<u16>().ok().filter(|n| (100..600).contains(n))?;
    let (method, target) = request.split_once(' ')?;
    if !fill::is_method(method) {
        return None;
    }
    record.format = "gin";
    record.body = text;
    if stamp.is_some() {
        record.stamp = stamp;
    }
    fill::once_int(record, Key::Status, status);
    if let Some(duration) = Value::duration(took) {
        fill::once(record, Key::Duration, duration);
    }
    fill::client(record, client);
    fill::once_str(record, Key::Method, method);
    fill::target(record, target.trim().trim_matches('"'));
    Some(92)
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin, Severity};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        for (text, name, level, body) in [
            (
                "- 1132838570 2005.11.24 R02-M1 2005-11-24-15.42.50.675872 R02-M1 RAS KERNEL FATAL it broke",
                "bgl",
                Severity::Fatal,
                "it broke",
            ),
            ("[2026-11-21 10:00:00 +0100] warning/Checker: it broke", "icinga", Severity::Warn, "it broke"),
            ("[2026-11-21 10:00:00.123456] E [MSGID: 7] [a.c:1:f] 0-vol: it broke", "glusterfs", Severity::Error, "it broke"),
            ("[2026-11-21 10:00:00,123 W 7 8] (raylet) a.cc:4: it broke", "ray", Severity::Warn, "it broke"),
        ] {
            let mut r = Record::new(text, Origin::default());
            assert_eq!(Columns.read(&cx, text, &mut r), Some(88), "{text}");
            assert_eq!((r.format, r.severity, r.body, r.stamp.is_some()), (name, Some(level), body, true));
        }
        let text = "The message \"W [MSGID: 7] [a.c:1:f] 0-vol: it broke\" repeated 4 times between [2026-11-21 10:00:00.123456] and \
                    [2026-11-21 10:02:00.654321]";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Columns.read(&cx, text, &mut r), Some(88));
        assert_eq!((r.severity, r.body, r.stamp.map(|s| s.digits)), (Some(Severity::Warn), text, Some(6)));
        let text = "2026-11-21T11:07:00Z | 503 | 12.5ms | 10.7.7.1 | PUT \"/cart\"";
        assert_eq!(Columns.read(&cx, text, &mut Record::new(text, Origin::default())), Some(92));
        let text = "[GIN] 2026/11/21 - 10:49:33 | 401 | 505.3µs | 10.1.2.3 | POST     \"/client\"";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Columns.read(&cx, text, &mut r), Some(92));
        assert_eq!((r.int(Key::Status), r.str(Key::Path), r.stamp.is_some()), (Some(401), Some("/client"), true));
    }
}
