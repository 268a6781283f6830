//! The logs of SQL Server and of Oracle's database and listener.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, first_line};
use crate::formats::{fill, message};
use crate::stamp;
use whyline_event::{Form, Key, Record, Severity, Stamp, Value};

/// SQL Server's ERRORLOG: `2026-11-21 10:15:02.12 spid51      text`. An error is told by two records of the same moment: `Error: 18456, Severity: 14,
/// State: 8.`, and one that explains it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SqlServer;

fn sql_server(line: &str) -> Option<(Stamp, &str, &str)> {
    let mut c = Cursor::new(line);
    // Only SQL Server writes hundredths of seconds.
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.digits == 2 && s.form == Form::Civil)?;
    c.must(" ")?;
    let who = c.word()?;
    let known = who.strip_prefix("spid").is_some_and(|n| n.trim_end_matches('s').bytes().all(|b| b.is_ascii_digit()))
        || matches!(who, "Logon" | "Server" | "Backup" | "LogMgr" | "server" | "backup" | "logon");
    (known && (c.blanks() > 0 || c.at_end())).then_some((stamp, who, c.rest))
}

impl Format for SqlServer {
    fn name(&self) -> &'static str {
        "sqlserver"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let (stamp, who, rest) = sql_server(text)?;
        record.format = "sqlserver";
        record.stamp = Some(stamp);
        fill::once(record, Key::DbSystem, Value::Str("microsoft.sql_server"));
        fill::once_str(record, Key::ThreadName, who);
        record.body = rest;
        if let Some((code, severity, state)) = error(rest) {
            for (name, number) in [("sqlserver.severity", severity), ("sqlserver.state", state)] {
                if let Ok(number) = number.parse() {
                    record.put_other(name, Value::Int(number));
                }
            }
            fill::once_str(record, Key::SqlState, code);
            let level = match severity.parse::<u8>() {
                Ok(20..) => Severity::Fatal,
                Ok(11..) => Severity::Error,
                Ok(10) => Severity::Warn,
                _ => Severity::Info,
            };
            fill::level_as(record, severity, level);
        } else if rest.starts_with("Login failed") {
            fill::level_as(record, "14", Severity::Error);
        } else if let Some((word, said)) = rest.split_once(": ").filter(|(w, _)| *w == "Warning") {
            fill::level(record, word);
            record.body = said;
        }
        if let Some((_, user)) = record.body.split_once("Login failed for user '") {
            fill::once_str(record, Key::User, user.split('\'').next().unwrap_or(""));
            fill::once(record, Key::Action, Value::Str("failed"));
        }
        if let Some((_, client)) = record.body.split_once("[CLIENT: ") {
            fill::client(record, client.split(']').next().unwrap_or(""));
        }
        message::fields(cx, record.body, record);
        Some(88)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        sql_server(line).is_some()
    }
}

/// Number, severity and state of `Error: 18456, Severity: 14, State: 8.`
fn error(text: &str) -> Option<(&str, &str, &str)> {
    let mut c = Cursor::new(text);
    c.must("Error: ")?;
    let code = c.digits()?;
    c.must(", Severity: ")?;
    let severity = c.digits()?;
    c.must(", State: ")?;
    Some((code, severity, c.digits()?))
}

/// Oracle's alert log: a stamp on a line of its own, the messages below it.
#[derive(Clone, Copy, Debug, Default)]
pub struct OracleAlert;

/// Words that show the log to be Oracle's: others put stamps on lines of their own, too.
const ORACLE: &[&str] = &[
    "ORA-",
    "TNS-",
    "log sequence",
    "LGWR",
    "Errors in file /",
    "Starting ORACLE",
    "ALTER DATABASE",
    "ALTER SYSTEM",
    "ALTER TABLESPACE",
    "(ospid: ",
    "Shutting down instance",
    "Archived Log entry",
    "ARCH: ",
    "ARC0: ",
    "Thread 1 ",
];

fn alone(line: &str) -> Option<Stamp> {
    let (stamp, used) = stamp::prefix(line).filter(|(s, _)| s.form != Form::TimeOnly)?;
    (used == line.trim_end().len() && used >= 19).then_some(stamp)
}

impl Format for OracleAlert {
    fn name(&self) -> &'static str {
        "oracle.alert"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let head = first_line(text);
        let stamp = alone(head)?;
        let body = text.get(head.len()..).unwrap_or("").trim_start_matches('\n');
        let oracle = ORACLE.iter().any(|word| body.contains(word));
        record.format = if oracle { "oracle.alert" } else { "generic" };
        record.stamp = Some(stamp);
        record.body = if body.is_empty() { text } else { body };
        if let Some(code) = code(body, "ORA-").or_else(|| code(body, "TNS-")) {
            fill::once_str(record, Key::SqlState, code);
            // ORA-00600 and ORA-07445 are internal errors and crashes.
            let worst = matches!(code, "ORA-00600" | "ORA-07445" | "ORA-00603" | "ORA-00470" | "ORA-00474");
            fill::level_as(record, code, if worst { Severity::Fatal } else { Severity::Error });
        }
        if oracle {
            fill::once(record, Key::DbSystem, Value::Str("oracle.db"));
        }
        message::fields(cx, record.body, record);
        Some(if oracle { 92 } else { 70 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        alone(line).is_some()
    }

    fn block(&self) -> bool {
        true
    }
}

/// `ORA-01653` of a text.
fn code<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let rest = text.get(text.find(mark)?..)?;
    let digits = rest.bytes().skip(mark.len()).take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| rest.get(..mark.len() + digits))?
}

/// Oracle's listener: `21-NOV-2026 10:15:02 * (CONNECT_DATA=...) * (ADDRESS=...) * establish * shop * 12514`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OracleListener;

impl Format for OracleListener {
    fn name(&self) -> &'static str {
        "oracle.listener"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = first_line(text);
        if line.as_bytes().get(2) != Some(&b'-') {
            return None;
        }
        let mut columns = line.split(" * ");
        let time = columns.next()?;
        let columns: Vec<&str> = columns.collect();
        if columns.len() < 2 {
            return None;
        }
        let (stamp, used) = stamp::prefix(time).or_else(|| stamp::clf(time))?;
        if used != time.len() {
            return None;
        }
        record.format = "oracle.listener";
        record.stamp = Some(stamp);
        record.body = text;
        let inside = |text: &'a str, name: &str| text.split_once(name).and_then(|(_, v)| v.split(')').next()).unwrap_or("");
        for column in &columns {
            if column.starts_with("(CONNECT_DATA=") {
                fill::once_str(record, Key::User, inside(column, "(USER="));
                fill::once_str(record, Key::Database, inside(column, "(SERVICE_NAME="));
            } else if column.starts_with("(ADDRESS=") {
                fill::client(record, inside(column, "(HOST="));
                fill::once_int(record, Key::ClientPort, inside(column, "(PORT="));
            }
        }
        // The result is zero or the number of a TNS error.
        let result = columns.last().filter(|c| !c.is_empty() && c.bytes().all(|b| b.is_ascii_digit()));
        let verb = columns.iter().find(|c| {
            matches!(
                **c,
                "establish" | "ping" | "status" | "services" | "service_update" | "service_register" | "service_died" | "stop" | "reload"
            )
        });
        if let Some(verb) = verb {
            fill::once_str(record, Key::Action, verb);
        }
        if let Some(result) = result {
            fill::once_str(record, Key::SqlState, result);
            if *result != "0" {
                fill::level_as(record, result, Severity::Error);
            }
        }
        Some(90)
    }
}
