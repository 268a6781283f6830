//! Linux audit records: `type=USER_LOGIN msg=audit(1795253000.123:77): pid=7 uid=0 ... exe="/usr/sbin/sshd" res=failed`.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Key, Record, Stamp, Value, address};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Auditd;

impl Format for Auditd {
    fn name(&self) -> &'static str {
        "auditd"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let (node, kind, stamp, serial, rest) = parse(text)?;
        record.format = "auditd";
        record.stamp = Some(stamp);
        record.body = rest;
        fill::once_str(record, Key::HostName, node);
        fill::once_str(record, Key::EventName, kind);
        fill::once_str(record, Key::Connection, serial);
        // SELinux: `avc:  denied  { read } for  pid=...`.
        if let Some(verdict) = rest.strip_prefix("avc:").map(str::trim_start)
            && let Some(word) = ["denied", "granted"].into_iter().find(|word| verdict.starts_with(word))
        {
            fill::once(record, Key::Action, Value::Str(word));
        }
        pairs(rest, 0, record);
        Some(95)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some()
    }
}

type Parts<'a> = (&'a str, &'a str, Stamp, &'a str, &'a str);

fn parse(text: &str) -> Option<Parts<'_>> {
    let mut c = Cursor::new(text);
    let node = if c.eat("node=") { c.word()? } else { "" };
    c.blanks();
    let kind = if c.eat("type=") { c.word()? } else { "" };
    c.blanks();
    if !(c.eat("msg=audit(") || c.eat("audit(")) {
        return None;
    }
    let stamp = c.stamp_by(stamp::epoch)?;
    c.must(":")?;
    let serial = c.until(")")?;
    c.must(":")?;
    c.blanks();
    Some((node, kind, stamp, serial, c.rest))
}

/// The pairs; the inner message of a user record is in quotes.
fn pairs<'a>(text: &'a str, depth: u8, record: &mut Record<'a>) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        let key = before.rsplit([' ', '\'', '\u{1d}']).next().unwrap_or(before);
        let quote = after.bytes().next().filter(|b| matches!(b, b'"' | b'\''));
        let (value, tail) = match quote {
            Some(quote) => {
                let body = after.get(1..).unwrap_or("");
                let end = body.find(char::from(quote)).unwrap_or(body.len());
                (body.get(..end).unwrap_or(""), body.get(end + 1..).unwrap_or(""))
            }
            None => {
                let end = after.find([' ', '\u{1d}']).unwrap_or(after.len());
                (after.get(..end).unwrap_or(""), after.get(end..).unwrap_or(""))
            }
        };
        if key == "msg" && quote == Some(b'\'') && depth == 0 {
            pairs(value, depth + 1, record);
        } else {
            put(key, value, record);
        }
        rest = tail;
    }
}

fn put<'a>(key: &'a str, value: &'a str, record: &mut Record<'a>) {
    match key {
        "pid" => fill::once_int(record, Key::ProcessPid, value),
        "exe" => fill::once_str(record, Key::Command, value),
        "comm" => fill::once_str(record, Key::ProcessName, value),
        "acct" => fill::once_str(record, Key::User, value),
        "addr" | "laddr" | "rport" | "hostname" if value == "?" => {}
        "addr" | "saddr" | "src" if address::ip(value).is_some() => fill::once_str(record, Key::ClientAddress, value),
        "exit" => record.put_other("auditd.exit", Value::Str(value)),
        "sig" => fill::once_str(record, Key::Signal, value),
        "res" | "apparmor" => fill::once_str(record, Key::Action, value),
        "path" => fill::once_str(record, Key::File, value),
        "scontext" | "tcontext" | "tclass" | "permissive" | "profile" | "operation" | "requested_mask" | "denied_mask" | "dest" => {
            record.put_other(key, Value::Str(value));
        }
        "unit" => fill::once_str(record, Key::Unit, value),
        "op" | "syscall" | "key" | "auid" | "uid" | "terminal" | "cmd" | "name" | "cwd" | "success" if value != "?" => {
            record.put_other(key, Value::Str(value));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "type=USER_LOGIN msg=audit(1795253000.123:77): pid=7 uid=0 msg='op=login acct=\"bob\" exe=\"/usr/sbin/sshd\" addr=203.0.113.9 res=failed'";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Auditd.read(&cx, text, &mut r), Some(95));
        assert_eq!((r.int(Key::ProcessPid), r.str(Key::User), r.str(Key::ClientAddress)), (Some(7), Some("bob"), Some("203.0.113.9")));
        assert_eq!(r.str(Key::Action), Some("failed"));
    }
}
