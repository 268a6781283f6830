//! PostgreSQL: the stderr log with any `log_line_prefix`, and csvlog. (jsonlog is among the JSON products.)

pub mod csv;
pub mod prefix;
pub mod statement;

use crate::format::{Cx, Fit, Format};
use crate::formats::{fill, message};
use crate::seek::Needle;
use whyline_event::{Key, Record, Severity, Value};

pub use csv::PostgresCsv;

/// The reader of the stderr log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Postgres;

const NAME: &str = "postgresql";

/// The words before a message, in English and in the translations that servers are seen with.
const WORDS: &[(&str, Severity)] = &[
    ("LOG", Severity::Info),
    ("ERROR", Severity::Error),
    ("FATAL", Severity::Fatal),
    ("PANIC", Severity::Fatal),
    ("WARNING", Severity::Warn),
    ("DETAIL", Severity::Info),
    ("HINT", Severity::Info),
    ("CONTEXT", Severity::Info),
    ("STATEMENT", Severity::Info),
    ("QUERY", Severity::Info),
    ("LOCATION", Severity::Info),
    ("NOTICE", Severity::Info),
    ("INFO", Severity::Info),
    ("DEBUG", Severity::Debug),
    ("DEBUG1", Severity::Debug),
    ("DEBUG2", Severity::Debug),
    ("DEBUG3", Severity::Debug),
    ("DEBUG4", Severity::Debug),
    ("DEBUG5", Severity::Debug),
    ("FEHLER", Severity::Error),
    ("WARNUNG", Severity::Warn),
    ("HINWEIS", Severity::Info),
    ("ANWEISUNG", Severity::Info),
    ("ERREUR", Severity::Error),
    ("INSTRUCTION", Severity::Info),
    ("TIPP", Severity::Info),
];

struct Line<'a> {
    prefix: &'a str,
    word: &'a str,
    severity: Severity,
    message: &'a str,
}

impl Format for Postgres {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = parse(text)?;
        if is_repeated(line.prefix) {
            return None;
        }
        let prefix = prefix::parse(line.prefix)?;
        if crate::formats::docker::compose(text).is_some() {
            return None;
        }
        // In an envelope, a line without any prefix may be what a client repeats of the server's answer.
        if cx.depth > 0 && prefix.stamp.is_none() && prefix.pid.is_empty() {
            return None;
        }
        // PostgreSQL writes two blanks behind the word; uvicorn fills up to a column.
        if prefix.stamp.is_none() && prefix.pid.is_empty() && line.message.starts_with(' ') {
            return None;
        }
        put(cx, &prefix, line.word, line.severity, line.message, record);
        Some(match (prefix.stamp.is_some(), prefix.pid.is_empty()) {
            (true, false) => 88,
            (true, true) => 75,
            (false, false) => 60,
            (false, true) => 45,
        })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        !line.starts_with('\t') && parse(line).is_some_and(|l| !is_repeated(l.prefix) && prefix::parse(l.prefix).is_some())
    }
}

/// Fills a record from the parts of a line.
pub(crate) fn put<'a>(
    cx: &Cx<'a>,
    prefix: &prefix::Prefix<'a>,
    word: &'a str,
    severity: Severity,
    message: &'a str,
    record: &mut Record<'a>,
) {
    record.format = NAME;
    if prefix.stamp.is_some() {
        record.stamp = prefix.stamp;
    }
    fill::level_as(record, word, severity);
    put_prefix(prefix, record);
    record.body = message;
    if matches!(word, "STATEMENT" | "ANWEISUNG" | "INSTRUCTION" | "QUERY") {
        fill::once_str(record, Key::Statement, message);
    }
    statement::duration(message, record);
    statement::connection(message, record);
    if severity >= Severity::Warn {
        message::fields(cx, message, record);
    }
}

/// The word before a message, if it is one of the server's, with its severity.
pub(crate) fn severity(word: &str) -> Option<(&str, Severity)> {
    WORDS.iter().find(|(w, _)| *w == word).map(|(_, severity)| (word, *severity))
}

/// Words for levels that loggers of applications write.
const LEVELS: &[&str] = &["ERROR", "WARN", "WARNING", "INFO", "DEBUG", "CRITICAL", "FATAL", "SEVERE", "NOTICE"];

/// Whether a client repeats the server's answer: `log_line_prefix` has no escape for a severity, so a level before the server's word is that of
/// another program's logger, and libpq has words of its own.
fn is_repeated(prefix: &str) -> bool {
    ["failed: ", "Error: ", "Exception: ", "connection to server "].iter().any(|words| prefix.contains(words))
        || prefix.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| LEVELS.contains(&word))
}

/// Finds the severity word: `WORD:` and two blanks.
const COLON: Needle = Needle::new(":  ");

fn parse(text: &str) -> Option<Line<'_>> {
    let line = crate::formats::cursor::first_line(text);
    let mut from = 0;
    loop {
        let at = from + COLON.find(line.get(from..)?)?;
        if at > 300 {
            return None;
        }
        let before = line.get(..at)?;
        let n = before.bytes().rev().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
        let word = before.get(at - n..)?;
        if let Some((_, severity)) = WORDS.iter().find(|(w, _)| *w == word) {
            let prefix = before.get(..at - n)?;
            if prefix.is_empty() || prefix.ends_with([' ', ':', ']', ',', '|', '>', ')', '-', '/', ';']) {
                return Some(Line { prefix, word, severity: *severity, message: text.get(at + 3..)? });
            }
        }
        from = at + 3;
    }
}

fn put_prefix<'a>(prefix: &prefix::Prefix<'a>, record: &mut Record<'a>) {
    fill::once(record, Key::DbSystem, Value::Str("postgresql"));
    fill::once_int(record, Key::ProcessPid, prefix.pid);
    for (key, value) in [(Key::User, prefix.user), (Key::Database, prefix.database), (Key::SqlState, prefix.code)] {
        if value != "[unknown]" {
            fill::once_str(record, key, value);
        }
    }
    if prefix.host != "[local]" && !prefix.host.is_empty() {
        fill::once_str(record, Key::ClientAddress, prefix.host);
        fill::once_int(record, Key::ClientPort, prefix.port);
    }
    if !prefix.application.is_empty() && prefix.application != "[unknown]" {
        record.put_other("db.client.name", Value::Str(prefix.application));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn prefixes() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        for (text, pid, user, database, host, code) in [
            ("2026-11-21 11:29:40.859 CET [3929] LOG:  x", 3929, "", "", "", ""),
            ("2026-11-21 11:29:40 CET [3929-2] shop@store ERROR:  x", 3929, "shop", "store", "", ""),
            ("2026-11-21 11:29:40 UTC [39]: [1-1] user=u,db=d,app=a b,client=10.0.0.7 FATAL:  x", 39, "u", "d", "10.0.0.7", ""),
            ("2026-11-21 11:29:40 UTC [7] u@d/10.0.0.7 FATAL:  x", 7, "u", "d", "10.0.0.7", ""),
            ("2026-11-21 11:29:40 UTC:10.0.0.7(4455):u@d:[7]:ERROR:  x", 7, "u", "d", "10.0.0.7", ""),
            ("10.0.0.7 2026-11-21 11:29:40 UTC [7] u@d 28P01 FATAL:  x", 7, "u", "d", "10.0.0.7", "28P01"),
            ("< 2026-11-21 11:29:40.123 CET >LOG:  x", 0, "", "", "", ""),
            ("LOG:  x", 0, "", "", "", ""),
        ] {
            let mut r = Record::new(text, Origin::default());
            assert!(Postgres.read(&cx, text, &mut r).is_some(), "{text}");
            assert_eq!(r.body, "x", "{text}");
            assert_eq!(r.int(Key::ProcessPid).unwrap_or(0), pid, "{text}");
            let said = [Key::User, Key::Database, Key::ClientAddress, Key::SqlState].map(|k| r.str(k).unwrap_or(""));
            assert_eq!(said, [user, database, host, code], "{text}");
            assert_eq!(r.stamp.is_some(), text.len() > 10, "{text}");
        }
        let text = "2026-11-21 11:29:40 UTC [7] LOG:  duration: 1234.5 ms  statement: select 1";
        let mut r = Record::new(text, Origin::default());
        Postgres.read(&cx, text, &mut r);
        assert_eq!((r.get(Key::QueryTime), r.str(Key::Statement)), (Some(Value::Duration(1_234_500_000)), Some("select 1")));
        assert!(!Postgres.starts(&cx, "\tERROR:  x"));
        assert!(!Postgres.starts(&cx, "2026-11-21 10:00:00 ERROR: one blank"));
        // A client that repeats the answer.
        for text in [
            "2026-11-21T11:29:40.081Z ERROR web psycopg2.OperationalError: connection to server at \"10.0.0.7\", port 5432 failed: FATAL:  x",
            "2026-11-21 11:29:40,081 ERROR uvicorn.error db check failed: FATAL:  x",
            "[2026-11-21 11:29:40] ERROR [app] psycopg.OperationalError: FATAL:  x",
        ] {
            assert!(Postgres.read(&cx, text, &mut Record::new(text, Origin::default())).is_none(), "{text}");
            assert!(!Postgres.starts(&cx, text), "{text}");
        }
    }
}
