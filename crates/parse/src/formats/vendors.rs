//! Layouts that only one product writes: IBM Db2's diagnostic log, the firewalls of Palo Alto Networks, Webmin.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, first_line};
use crate::formats::{fill, message};
use crate::stamp;
use whyline_event::{Form, Key, Record, Severity, Stamp, Value, address};

/// `db2diag.log`: `2026-11-21-10.39.18.250000+060 I9001E77   LEVEL: Error`, then lines of `NAME : value` pairs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Db2Diag;

impl Format for Db2Diag {
    fn name(&self) -> &'static str {
        "db2diag"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let (stamp, rest) = db2_head(text)?;
        let level = value(rest, "LEVEL")?;
        record.format = "db2diag";
        record.stamp = Some(stamp);
        record.body = text;
        fill::once(record, Key::DbSystem, Value::Str("db2"));
        match level {
            "Event" => fill::level_as(record, "Event", Severity::Info),
            "Severe" => fill::level_as(record, "Severe", Severity::Fatal),
            word => fill::level(record, word),
        }
        for (name, key) in [
            ("PROC", Key::ProcessName),
            ("HOSTNAME", Key::HostName),
            ("DB", Key::Database),
            ("EDUNAME", Key::ThreadName),
            ("AUTHID", Key::User),
        ] {
            fill::once_str(record, key, value(rest, name).unwrap_or(""));
        }
        fill::once_int(record, Key::ProcessPid, value(rest, "PID").unwrap_or(""));
        // The text for people stands last, after one of these marks.
        for mark in ["MESSAGE : ", "DATA #1 : ", "FUNCTION: "] {
            if let Some((_, said)) = rest.split_once(mark) {
                record.body = said.trim();
                break;
            }
        }
        message::fields(cx, record.body, record);
        Some(95)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        db2_head(line).is_some()
    }
}

/// The stamp, whose offset is in minutes, and what follows the record's id.
fn db2_head(text: &str) -> Option<(Stamp, &str)> {
    let b = text.as_bytes();
    if b.get(10) != Some(&b'-') || b.get(13) != Some(&b'.') {
        return None;
    }
    let (mut stamp, used) = stamp::iso(text.get(..26)?)?;
    let sign = match b.get(used)? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let minutes: i32 = text.get(used + 1..used + 4)?.parse().ok()?;
    stamp = Stamp::explicit(stamp.nanos.saturating_sub(i64::from(sign * minutes) * 60_000_000_000), sign * minutes * 60, stamp.digits);
    let rest = text.get(used + 4..)?;
    let id = rest.trim_start().split(' ').next()?;
    (rest.starts_with(' ')
        && id.starts_with('I')
        && id.bytes().skip(1).any(|b| b.is_ascii_uppercase())
        && first_line(rest).contains("LEVEL: "))
    .then_some((stamp, rest))
}

/// The value of `NAME : value`, one word.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find(name) {
        let at = from + found;
        from = at + name.len();
        let alone = at == 0 || text.as_bytes().get(at - 1).is_some_and(u8::is_ascii_whitespace);
        let after = text.get(from..)?.trim_start_matches(' ');
        if alone && let Some(value) = after.strip_prefix(':') {
            let word = value.trim_start_matches(' ').split([' ', '\n', '\r']).next()?;
            // An empty value is followed by the next name.
            return (!word.is_empty() && !word.ends_with(':')).then_some(word);
        }
    }
    None
}

/// PAN-OS as it is sent to syslog servers: `1,receive time,serial,TRAFFIC,subtype,...`, columns by the type.
#[derive(Clone, Copy, Debug, Default)]
pub struct PanOs;

impl Format for PanOs {
    fn name(&self) -> &'static str {
        "panos"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = first_line(text);
        // The kind stands in the fourth column.
        memchr::memchr_iter(b',', line.as_bytes()).nth(2)?;
        let columns: Vec<&'a str> = line.splitn(40, ',').collect();
        let column = |n: usize| columns.get(n).copied().unwrap_or("");
        let kind = column(3);
        if !matches!(
            kind,
            "TRAFFIC" | "THREAT" | "SYSTEM" | "CONFIG" | "GLOBALPROTECT" | "USERID" | "HIP-MATCH" | "AUTHENTICATION" | "DECRYPTION"
        ) {
            return None;
        }
        let mut stamp = stamp::iso(column(1)).filter(|(_, used)| *used == column(1).len())?.0;
        // Without a tag, the daemon that received it has put a stamp and a host in front.
        let mut lead = Cursor::new(column(0));
        if let Some(outer) = lead.stamp() {
            stamp = if outer.form == Form::Explicit { outer } else { stamp };
            lead.blanks();
            let host = lead.word().filter(|w| address::is_host_name(w) || address::ip(w).is_some());
            fill::once_str(record, Key::HostName, host.unwrap_or(""));
        }
        record.format = "panos";
        record.body = text;
        // The stamp of the envelope has a zone more often than not; its own never has.
        if record.stamp.is_none_or(|s| s.form == Form::NoYear) {
            record.stamp = Some(stamp);
        }
        for (name, n) in [("panos.type", 3), ("panos.subtype", 4)] {
            record.put_other(name, Value::Str(column(n)));
        }
        if matches!(kind, "TRAFFIC" | "THREAT" | "DECRYPTION") && address::ip(column(7)).is_some() {
            fill::once_str(record, Key::ClientAddress, column(7));
            fill::once_str(record, Key::ServerAddress, column(8));
            fill::once_int(record, Key::ClientPort, column(24));
            fill::once_int(record, Key::ServerPort, column(25));
            fill::once_str(record, Key::User, column(12));
            fill::once_str(record, Key::Action, column(30));
            for (name, n) in [("panos.rule", 11), ("panos.app", 14)] {
                record.put_other(name, Value::Str(column(n)));
            }
        }
        Some(90)
    }
}

/// Webmin's actions: `1795253000.7.0 [21/Nov/2026 10:39:18] ann 77ab 10.0.0.1 users useradmin.cgi "modify" ...`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Webmin;

impl Format for Webmin {
    fn name(&self) -> &'static str {
        "webmin"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let mut c = Cursor::new(text);
        c.run(|b| b.is_ascii_digit() || b == b'.').filter(|id| id.len() > 11 && id.matches('.').count() == 2)?;
        c.must(" [")?;
        let stamp = c.stamp_by(stamp::clf)?;
        c.must("] ")?;
        let user = c.word()?;
        c.must(" ")?;
        c.word()?;
        c.must(" ")?;
        let client = c.word().filter(|w| *w == "-" || address::ip(w).is_some())?;
        c.must(" ")?;
        let module = c.peek();
        record.format = "webmin";
        record.stamp = Some(stamp);
        record.body = c.rest;
        fill::once_str(record, Key::User, user);
        fill::once_str(record, Key::ClientAddress, client);
        fill::once_str(record, Key::Logger, module);
        Some(92)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    fn read<'a>(arena: &'a Bump, format: &dyn Format, text: &'a str) -> Option<Record<'a>> {
        let mut r = Record::new(text, Origin::default());
        format.read(&Cx::new(arena, &[]), text, &mut r).map(|_| r)
    }

    #[test]
    fn lines() {
        let arena = Bump::new();
        let text = "2026-11-21-05.39.18.250000-300 I9001E77        LEVEL: Error\nPID     : 4711       TID : 12      PROC : db2shop\nNODE : 003      DB   : SHOP\nHOSTNAME: db1\nFUNCTION: DB2 UDB, shop, probe:1\nMESSAGE : no room";
        let r = read(&arena, &Db2Diag, text).unwrap();
        assert_eq!((r.severity, r.body, r.int(Key::ProcessPid)), (Some(Severity::Error), "no room", Some(4711)));
        assert_eq!((r.str(Key::ProcessName), r.str(Key::Database), r.str(Key::HostName)), (Some("db2shop"), Some("SHOP"), Some("db1")));
        let stamp = r.stamp.unwrap();
        assert_eq!((stamp.form, stamp.offset), (Form::Explicit, Some(-18_000)));
        let utc = stamp::iso("2026-11-21T10:39:18.250000Z").unwrap().0;
        assert_eq!(stamp.nanos, utc.nanos);
        let text = "1,2026/11/21 10:39:18,7700,TRAFFIC,end,9,2026/11/21 10:39:17,203.0.113.9,10.7.7.1,0.0.0.0,0.0.0.0,shop,ann,,web,v7,wan,lan,a1,a2,siem,2026/11/21 10:39:17,7,1,7001,9002,0,0,0x0,tcp,drop";
        let r = read(&arena, &PanOs, text).unwrap();
        assert_eq!(
            (r.str(Key::ClientAddress), r.int(Key::ServerPort), r.str(Key::Action)),
            (Some("203.0.113.9"), Some(9002), Some("drop"))
        );
        let text = "1795253000.7.0 [21/Nov/2026 10:39:18] ann 77ab 203.0.113.9 cron save.cgi \"modify\" \"job\"";
        let r = read(&arena, &Webmin, text).unwrap();
        assert_eq!((r.str(Key::ClientAddress), r.str(Key::User), r.stamp.is_some()), (Some("203.0.113.9"), Some("ann"), true));
        for no in ["2026-11-21-05.39.18.250000-300 hello", "1,2,3,4", "1795253000 [x] y", ""] {
            for format in [&Db2Diag as &dyn Format, &PanOs, &Webmin] {
                assert!(read(&arena, format, no).is_none(), "{no}");
            }
        }
    }
}
