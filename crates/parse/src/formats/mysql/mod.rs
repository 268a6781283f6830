//! MySQL and MariaDB: the error log, the slow query log, the general log.

pub mod general;
pub mod slow;

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, begins_record};
use crate::formats::{fill, message};
use crate::stamp;
use whyline_event::{Key, Record, Severity, Stamp, Value};

pub use general::MysqlGeneral;
pub use slow::MysqlSlow;

/// The reader of the error log.
#[derive(Clone, Copy, Debug, Default)]
pub struct MysqlError;

struct Line<'a> {
    name: &'static str,
    stamp: Stamp,
    thread: &'a str,
    level: &'a str,
    code: &'a str,
    subsystem: &'a str,
    message: &'a str,
}

impl Format for MysqlError {
    fn name(&self) -> &'static str {
        "mysql.error"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = parse(text)?;
        record.format = line.name;
        record.stamp = Some(line.stamp);
        if !line.level.is_empty() {
            let severity = if line.level == "System" { Some(Severity::Info) } else { Severity::from_word(line.level) };
            match severity {
                Some(severity) => fill::level_as(record, line.level, severity),
                None => record.put_str(Key::Level, line.level),
            }
        }
        fill::once(record, Key::DbSystem, Value::Str(if line.name == "mariadb" { "mariadb" } else { "mysql" }));
        fill::once_str(record, Key::ThreadName, line.thread);
        fill::once_str(record, Key::Logger, line.subsystem);
        if !line.code.is_empty() {
            record.put_other("event.code", Value::Str(line.code));
        }
        record.body = line.message;
        connection(line.message, record);
        message::fields(cx, line.message, record);
        Some(if line.code.is_empty() { 82 } else { 95 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some() || begins_record(line)
    }
}

fn parse(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let old = c.rest.as_bytes().get(6) == Some(&b' ');
    let tee = c.rest.as_bytes().get(10) == Some(&b'T');
    let stamp = if old { c.stamp_by(stamp::compact)? } else { c.stamp_by(stamp::iso)? };
    let mut line =
        Line { name: if tee { "mysql.error" } else { "mariadb" }, stamp, thread: "", level: "", code: "", subsystem: "", message: "" };
    if old {
        line.name = "mysql.error";
    }
    if c.blanks() == 0 {
        return None;
    }
    let mut here = c;
    if let Some(thread) = here.digits().filter(|_| here.rest.starts_with(" [")) {
        line.thread = thread;
        here.blanks();
        c = here;
    } else if !old {
        // Without a thread number only the wrapper script is known by its name.
        if !c.rest.starts_with("mysqld_safe ") {
            return None;
        }
    }
    match c.between("[", "]") {
        Some(level @ ("Note" | "Warning" | "ERROR" | "System" | "Error" | "Warn" | "Info" | "Debug" | "NOTE" | "WARNING")) => {
            line.level = level
        }
        Some(_) => return None,
        None if old || c.rest.starts_with("mysqld_safe ") => {}
        None => return None,
    }
    if old && line.level.is_empty() && !c.rest.starts_with("InnoDB") && !c.rest.starts_with("mysqld") && !c.rest.contains("mysql") {
        return None;
    }
    c.blanks();
    let mut here = c;
    if let Some(code) = here.between("[", "]").filter(|code| code.starts_with("MY-")) {
        line.code = code;
        here.blanks();
        if let Some(subsystem) = here.between("[", "]") {
            line.subsystem = subsystem;
        }
        here.blanks();
        c = here;
    }
    line.message = c.rest;
    Some(line)
}

/// `Access denied for user 'u'@'10.0.0.7'`, `Aborted connection 8 to db: 'd' user: 'u' host: '10.0.0.7' (...)`.
fn connection<'a>(text: &'a str, record: &mut Record<'a>) {
    if let Some(at) = text.find("Access denied for user '") {
        let mut parts = text.get(at + 24..).unwrap_or("").split('\'');
        fill::once_str(record, Key::User, parts.next().unwrap_or(""));
        parts.next();
        fill::once_str(record, Key::ClientAddress, parts.next().unwrap_or(""));
        fill::once(record, Key::Action, Value::Str("failed"));
    } else if text.starts_with("Aborted connection ") {
        for (mark, key) in [("db: '", Key::Database), ("user: '", Key::User), ("host: '", Key::ClientAddress)] {
            if let Some(value) = text.find(mark).and_then(|at| text.get(at + mark.len()..)).and_then(|t| t.split('\'').next())
                && value != "unconnected"
                && value != "unauthenticated"
            {
                fill::once_str(record, key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Name, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        for (text, name, level, body) in [
            ("2026-11-21T10:00:00.123456Z 0 [System] [MY-010931] [Server] ready", "mysql.error", Some(Severity::Info), "ready"),
            ("2026-11-21  3:02:21 0 [Note] Starting", "mariadb", Some(Severity::Info), "Starting"),
            ("261121 10:39:18 [ERROR] Can't open", "mysql.error", Some(Severity::Error), "Can't open"),
            ("261121 10:39:18 mysqld_safe Starting", "mysql.error", None, "mysqld_safe Starting"),
        ] {
            let mut r = Record::new(text, Origin::default());
            assert!(MysqlError.read(&cx, text, &mut r).is_some(), "{text}");
            assert_eq!((r.format, r.severity, r.body), (name, level, body), "{text}");
        }
        let text = "2026-11-21 10:05:54 8 [Warning] Aborted connection 8 to db: 'd' user: 'u' host: '10.0.0.7' (Got timeout)";
        let mut r = Record::new(text, Origin::default());
        MysqlError.read(&cx, text, &mut r);
        assert_eq!((r.str(Key::Database), r.str(Key::User), r.str(Key::ClientAddress)), (Some("d"), Some("u"), Some("10.0.0.7")));
        assert_eq!(r.values(Name::Other("event.code")).next(), None);
        for no in ["2026-11-21 10:00:00 [Note] x", "2026-11-21 10:00:00 7 words", "261121 10:39:18 hello"] {
            assert!(parse(no).is_none(), "{no}");
        }
    }
}
