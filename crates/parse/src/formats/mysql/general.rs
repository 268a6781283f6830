//! The general query log of MySQL: `TIME<tab>ID COMMAND<tab>ARGUMENT`.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Key, Record, Stamp, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct MysqlGeneral;

const COMMANDS: &[&str] = &[
    "Query",
    "Connect",
    "Quit",
    "Init DB",
    "Prepare",
    "Execute",
    "Close stmt",
    "Field List",
    "Statistics",
    "Ping",
    "Shutdown",
    "Reset stmt",
    "Change user",
    "Daemon",
    "Kill",
    "Refresh",
    "Set option",
    "Fetch",
    "Sleep",
];

impl Format for MysqlGeneral {
    fn name(&self) -> &'static str {
        "mysql.general"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let (stamp, id, command, argument) = parse(text)?;
        record.format = "mysql.general";
        if stamp.is_some() {
            record.stamp = stamp;
        }
        fill::once(record, Key::DbSystem, Value::Str("mysql"));
        fill::once_str(record, Key::Connection, id);
        record.put_other("db.operation.name", Value::Str(command));
        record.body = argument;
        match command {
            "Query" | "Prepare" | "Execute" => fill::once_str(record, Key::Statement, argument),
            "Init DB" => fill::once_str(record, Key::Database, argument),
            "Connect" => {
                let (who, rest) = argument.split_once(' ').unwrap_or((argument, ""));
                if let Some((user, host)) = who.split_once('@') {
                    fill::once_str(record, Key::User, user);
                    fill::once_str(record, Key::ClientAddress, host);
                }
                if let Some((_, database)) = rest.split_once("on ") {
                    fill::once_str(record, Key::Database, database.split(' ').next().unwrap_or(""));
                }
            }
            _ => {}
        }
        Some(if stamp.is_some() { 85 } else { 55 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some()
    }
}

fn parse(text: &str) -> Option<(Option<Stamp>, &str, &str, &str)> {
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(stamp::iso).or_else(|| c.stamp_by(stamp::compact));
    if !c.rest.starts_with(['\t', ' ']) {
        return None;
    }
    let tabs = c.rest.starts_with('\t');
    c.blanks();
    let id = c.digits()?;
    c.must(" ")?;
    let command = COMMANDS.iter().find(|w| c.rest.starts_with(**w))?;
    let command = c.take(command.len())?;
    if !(c.at_end() || c.rest.starts_with('\t')) || stamp.is_none() && !tabs {
        return None;
    }
    c.eat("\t");
    Some((stamp, id, command, c.rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "2026-11-21T16:00:01.123456Z\t   14 Connect\tshop@10.0.0.7 on store using TCP/IP";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(MysqlGeneral.read(&cx, text, &mut r), Some(85));
        assert_eq!((r.str(Key::User), r.str(Key::ClientAddress), r.str(Key::Database)), (Some("shop"), Some("10.0.0.7"), Some("store")));
        assert!(!MysqlGeneral.starts(&cx, "2026-11-21T16:00:01Z 14 Query of mine"));
    }
}
