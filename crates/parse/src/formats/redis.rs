//! Redis and its relatives: `4346:M 21 Nov 2026 09:42:47.034 # text`.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, begins_record};
use crate::formats::{fill, message};
use crate::stamp;
use whyline_event::{Key, Record, Severity, Stamp, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Redis;

struct Line<'a> {
    pid: &'a str,
    role: &'static str,
    stamp: Stamp,
    level: Option<(&'static str, Severity)>,
    message: &'a str,
}

impl Format for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = parse(text)?;
        record.format = "redis";
        record.stamp = Some(line.stamp);
        fill::once(record, Key::DbSystem, Value::Str("redis"));
        fill::once_int(record, Key::ProcessPid, line.pid);
        if let Some((word, severity)) = line.level {
            fill::level_as(record, word, severity);
        }
        if !line.role.is_empty() {
            record.put_other("redis.role", Value::Str(line.role));
        }
        record.body = line.message;
        message::fields(cx, line.message, record);
        Some(95)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some() || begins_record(line)
    }
}

fn parse(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let (pid, role) = if text.as_bytes().get(2) == Some(&b' ') && stamp::prefix(text).is_some() {
        ("", "")
    } else if let Some(pid) = c.between("[", "]") {
        pid.bytes().all(|b| b.is_ascii_digit()).then_some((pid, ""))?
    } else {
        let pid = c.digits()?;
        c.must(":")?;
        if c.eat("signal-handler (") {
            let stamp = c.stamp_by(stamp::epoch)?;
            c.must(") ")?;
            return Some(Line { pid, role: "", stamp, level: None, message: c.rest });
        }
        let role = match c.take(1)? {
            "M" => "master",
            "S" => "replica",
            "C" => "child",
            "X" => "sentinel",
            _ => return None,
        };
        (pid, role)
    };
    if !pid.is_empty() {
        c.must(" ")?;
    }
    let stamp = c.stamp()?;
    c.must(" ")?;
    let level = match c.take(1)? {
        "." => ("debug", Severity::Debug),
        "-" => ("verbose", Severity::Debug),
        "*" => ("notice", Severity::Info),
        "#" => ("warning", Severity::Warn),
        _ => return None,
    };
    c.must(" ").or_else(|| c.at_end().then_some(()))?;
    Some(Line { pid, role, stamp, level: Some(level), message: c.rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        for (text, severity, body) in [
            ("4346:M 21 Nov 2026 09:42:47.034 # low memory", Some(Severity::Warn), "low memory"),
            ("10:C 21 Nov 2026 10:06:18.076 * DB saved", Some(Severity::Info), "DB saved"),
            ("21 Nov 10:06:18 . 0 clients", Some(Severity::Debug), "0 clients"),
            ("[77] 21 Nov 10:06:18.076 - quiet", Some(Severity::Debug), "quiet"),
            ("8:signal-handler (1795253000) Received SIGTERM", None, "Received SIGTERM"),
        ] {
            let mut r = Record::new(text, Origin::default());
            assert_eq!(Redis.read(&cx, text, &mut r), Some(95), "{text}");
            assert_eq!((r.severity, r.body), (severity, body), "{text}");
        }
        assert!(!Redis.starts(&cx, "1:M later"));
    }
}
