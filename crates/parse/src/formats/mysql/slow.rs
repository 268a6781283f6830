//! The slow query log of MySQL and MariaDB.

use crate::format::{Cx, Fit, Format};
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Key, Record, Stamp, Value, address};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct MysqlSlow;

impl Format for MysqlSlow {
    fn name(&self) -> &'static str {
        "mysql.slowlog"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if !begins(text) {
            return None;
        }
        record.format = "mysql.slowlog";
        record.body = text;
        fill::once(record, Key::DbSystem, Value::Str("mysql"));
        let mut at = 0;
        let mut statement = None;
        let mut set_time = None;
        for line in text.split_inclusive('\n') {
            let trimmed = line.trim_end();
            if let Some(rest) = trimmed.strip_prefix("# Time: ") {
                record.stamp = time(rest).or(record.stamp);
            } else if let Some(rest) = trimmed.strip_prefix("# User@Host: ") {
                user(rest, record);
            } else if let Some(rest) = trimmed.strip_prefix("# ") {
                pairs(rest, record);
            } else if let Some(rest) = trimmed.strip_prefix("SET timestamp=") {
                set_time = stamp::epoch(rest).map(|(stamp, _)| stamp);
            } else if let Some(rest) = trimmed.strip_prefix("use ").filter(|r| r.ends_with(';')) {
                fill::once_str(record, Key::Database, rest.trim_end_matches(';'));
            } else if statement.is_none() && !trimmed.is_empty() && !trimmed.starts_with('#') {
                statement = text.get(at..);
            }
            at += line.len();
        }
        settle(set_time, record);
        if let Some(statement) = statement {
            fill::once_str(record, Key::Statement, statement.trim());
            record.body = statement.trim();
        }
        Some(if statement.is_some() { 95 } else { 85 })
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        begins(line) || line.ends_with("started with:")
    }

    fn starts_after(&self, cx: &Cx<'_>, previous: &str, line: &str) -> bool {
        // The line with the time belongs to the one with the user.
        !(line.starts_with("# User@Host: ") && previous.starts_with("# Time: ")) && self.starts(cx, line)
    }

    fn block(&self) -> bool {
        true
    }
}

fn begins(line: &str) -> bool {
    line.starts_with("# Time: ") || line.starts_with("# User@Host: ")
}

/// `261121  9:48:28`, `2026-11-21T09:48:28.123456Z`.
fn time(text: &str) -> Option<Stamp> {
    let text = text.trim();
    if let Some((stamp, _)) = stamp::iso(text).or_else(|| stamp::compact(text)) {
        return Some(stamp);
    }
    // The old form pads the hour with a blank.
    let (date, clock) = text.split_once("  ")?;
    if date.len() != 6 || clock.len() != 7 {
        return None;
    }
    stamp::compact(&format!("{date} 0{clock}")).map(|(stamp, _)| stamp)
}

/// `SET timestamp=` is the statement's own time and needs no zone; where the log names a time as well, that one counts, for
/// it is the end of the statement as logged.
fn settle(set_time: Option<Stamp>, record: &mut Record<'_>) {
    match (record.stamp, set_time) {
        (None, Some(stamp)) => record.stamp = Some(stamp),
        (Some(own), Some(other)) if own.offset.is_none() && record.envelope_stamp.is_none() => record.envelope_stamp = Some(other),
        _ => {}
    }
}

/// `shop[shop] @ web1 [10.0.0.7]  Id:    12`.
fn user<'a>(text: &'a str, record: &mut Record<'a>) {
    let (who, place) = text.split_once('@').unwrap_or((text, ""));
    let name = who.split('[').next().unwrap_or(who).trim();
    fill::once_str(record, Key::User, name);
    let (host, rest) = place.split_once('[').unwrap_or((place, ""));
    let (ip, after) = rest.split_once(']').unwrap_or((rest, ""));
    let client = if address::ip(ip).is_some() { ip } else { host.trim() };
    fill::once_str(record, Key::ClientAddress, client);
    if let Some((_, id)) = after.split_once("Id:") {
        fill::once_str(record, Key::Connection, id.trim());
    }
}

/// `Query_time: 1.3  Lock_time: 0.0 Rows_sent: 40  Rows_examined: 104`, and the other pairs that servers add.
fn pairs<'a>(text: &'a str, record: &mut Record<'a>) {
    let words = text.split([' ', '\t']).filter(|w| !w.is_empty());
    let mut key = "";
    for word in words {
        if let Some(name) = word.strip_suffix(':') {
            key = name;
            continue;
        }
        match std::mem::take(&mut key) {
            "Query_time" => seconds(Key::QueryTime, word, record),
            "Lock_time" => seconds(Key::LockTime, word, record),
            "Rows_examined" => fill::once_int(record, Key::RowsExamined, word),
            "Rows_affected" => {
                if let Ok(n) = word.parse() {
                    record.put_other("db.rows_affected", Value::Int(n));
                }
            }
            "Rows_sent" => {
                if let Ok(n) = word.parse() {
                    record.put_other("db.response.returned_rows", Value::Int(n));
                }
            }
            "Thread_id" => fill::once_str(record, Key::Connection, word),
            "Schema" => fill::once_str(record, Key::Database, word),
            "" => {}
            name => record.put_other(name, word.parse().map_or(Value::Str(word), Value::Int)),
        }
    }
}

fn seconds(key: Key, text: &str, record: &mut Record<'_>) {
    if let Some(value) = Value::seconds(text) {
        fill::once(record, key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn records() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "# Time: 261121  9:48:28\n# User@Host: shop[shop] @  [10.0.0.7]\n# Thread_id: 9  Schema: store  QC_hit: No\n# Query_time: 1.5  Lock_time: 0.25  Rows_sent: 4  Rows_examined: 99\n# Rows_affected: 3  Bytes_sent: 11\nSET timestamp=1795254508;\nselect *\nfrom t;";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(MysqlSlow.read(&cx, text, &mut r), Some(95));
        assert_eq!(r.body, "select *\nfrom t;");
        assert_eq!(r.get(Key::QueryTime), Some(Value::Duration(1_500_000_000)));
        assert_eq!(r.get(Key::LockTime), Some(Value::Duration(250_000_000)));
        assert_eq!(r.values(whyline_event::Name::Other("db.rows_affected")).next(), Some(Value::Int(3)));
        assert_eq!((r.int(Key::RowsExamined), r.str(Key::Database)), (Some(99), Some("store")));
        assert_eq!((r.str(Key::User), r.str(Key::ClientAddress)), (Some("shop"), Some("10.0.0.7")));
        assert!(r.stamp.is_some() && r.envelope_stamp.is_some());
        assert!(!MysqlSlow.starts_after(&cx, "# Time: 261121  9:48:28", "# User@Host: a[a] @ b []"));
        assert!(MysqlSlow.starts_after(&cx, "select 1;", "# User@Host: a[a] @ b []"));
    }
}
