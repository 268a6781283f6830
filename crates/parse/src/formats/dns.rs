//! Name servers: dnsmasq, unbound, BIND. Their messages come with their own stamps or through syslog.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Key, Record, Value, address};

/// unbound's own log: `[1795253000] unbound[123:0] info: text`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unbound;

impl Format for Unbound {
    fn name(&self) -> &'static str {
        "unbound"
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let mut c = Cursor::new(text);
        let stamp = if c.eat("[") {
            let stamp = c.stamp_by(stamp::epoch)?;
            c.must("] ")?;
            stamp
        } else {
            let stamp = c.stamp()?;
            c.must(" ")?;
            stamp
        };
        c.must("unbound[")?;
        let id = c.until("] ")?;
        let rest = c.rest;
        record.format = "unbound";
        record.stamp = Some(stamp);
        fill::once(record, Key::ProcessName, Value::Str("unbound"));
        fill::once_int(record, Key::ProcessPid, id.split(':').next().unwrap_or(id));
        unbound(rest, record);
        Some(90)
    }

    fn starts(&self, cx: &Cx<'_>, line: &str) -> bool {
        line.contains("unbound[") && {
            let line = cx.arena.alloc_str(line);
            let mut scratch = Record::new(line, whyline_event::Origin::default());
            let cx = Cx::new(cx.arena, &[]);
            self.read(&cx, line, &mut scratch).is_some()
        }
    }
}

/// `info: 10.0.0.7 db.lan. A IN`, `error: ...`, after `[123:0] ` where syslog brings it.
pub fn unbound<'a>(text: &'a str, record: &mut Record<'a>) {
    let mut c = Cursor::new(text);
    if c.rest.starts_with('[') {
        c.between("[", "]");
        c.blanks();
    }
    if let Some((word, rest)) = c
        .rest
        .split_once(": ")
        .filter(|(w, _)| matches!(*w, "info" | "error" | "notice" | "warning" | "debug" | "fatal error" | "query" | "reply"))
    {
        if !matches!(word, "query" | "reply") {
            fill::level(record, if word == "fatal error" { "fatal" } else { word });
        }
        c.rest = rest;
    }
    record.body = c.rest;
    // `SERVFAIL <db.lan. A IN>: ...`, `validation failure <db.lan. A IN>: ...`.
    if let Some((before, (question, _))) = c.rest.split_once(" <").and_then(|(before, rest)| Some((before, rest.split_once(">:")?)))
        && let [name, kind, "IN"] = question.split(' ').collect::<Vec<_>>()[..]
    {
        fill::once_str(record, Key::QName, name.trim_end_matches('.'));
        fill::once_str(record, Key::QType, kind);
        if before == "SERVFAIL" {
            fill::once_str(record, Key::RCode, before);
        }
    }
    let mut words = c.rest.split(' ');
    if let (Some(client), Some(name), Some(kind), Some("IN")) = (words.next(), words.next(), words.next(), words.next())
        && address::ip(client).is_some()
    {
        fill::client(record, client);
        fill::once_str(record, Key::QName, name.trim_end_matches('.'));
        fill::once_str(record, Key::QType, kind);
        if let Some(code) = words.next() {
            fill::once_str(record, Key::RCode, code);
        }
    }
}

/// `query[A] db.lan from 10.0.0.7`, `reply db.lan is 10.0.0.3`, `config db.lan is NXDOMAIN`, `forwarded db.lan to 10.0.0.2`.
pub fn dnsmasq<'a>(text: &'a str, record: &mut Record<'a>) {
    let mut words = text.split(' ').peekable();
    // With `log-queries=extra`: serial number and client come first.
    if words.peek().is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit())) {
        words.next();
        if let Some(client) = words.next() {
            fill::client(record, client.split('/').next().unwrap_or(client));
        }
    }
    let (Some(verb), Some(name), Some(link), Some(value)) = (words.next(), words.next(), words.next(), words.next()) else { return };
    let kind = verb.split_once('[').map(|(_, k)| k.trim_end_matches(']'));
    match (verb.split('[').next().unwrap_or(verb), link) {
        ("query", "from") => fill::client(record, value),
        ("forwarded", "to") => fill::once_str(record, Key::Peer, value),
        ("reply" | "cached" | "config" | "/etc/hosts" | "validation", "is") => {
            if matches!(value, "NXDOMAIN" | "SERVFAIL" | "REFUSED" | "NODATA" | "NODATA-IPv4" | "NODATA-IPv6") {
                fill::once_str(record, Key::RCode, value);
            }
        }
        _ => return,
    }
    fill::once_str(record, Key::QName, name);
    if let Some(kind) = kind {
        fill::once_str(record, Key::QType, kind);
    }
}

/// BIND: `client @0x7f 10.0.0.7#4001 (db.lan): query: db.lan IN A +E(0) (10.0.0.2)`, `zone db.lan/IN: loaded serial 2026112004`.
pub fn named<'a>(text: &'a str, record: &mut Record<'a>) {
    if let Some((zone, _)) = text.strip_prefix("zone ").and_then(|rest| rest.split_once("/IN")) {
        fill::once_str(record, Key::QName, zone.trim_end_matches('.'));
        return;
    }
    let Some(at) = text.find("client ") else { return };
    let mut c = Cursor::new(text.get(at + 7..).unwrap_or(""));
    if c.rest.starts_with('@') {
        c.word();
        c.blanks();
    }
    let Some((client, port)) = c.word().and_then(|w| w.split_once('#')) else { return };
    if address::ip(client).is_none() {
        return;
    }
    fill::client(record, client);
    fill::once_int(record, Key::ClientPort, port.trim_end_matches(':'));
    c.blanks();
    if let Some(name) = c.between("(", ")") {
        fill::once_str(record, Key::QName, name);
    }
    // `query: name CLASS TYPE`, `query failed (SERVFAIL) for name/IN/A at ...`.
    if let Some((_, query)) = c.rest.split_once("query: ")
        && let [_, "IN" | "CH" | "ANY", kind, ..] = query.split(' ').collect::<Vec<_>>()[..]
    {
        fill::once_str(record, Key::QType, kind);
    }
    if let Some((code, _)) = c.rest.split_once("query failed (").and_then(|(_, rest)| rest.split_once(')')) {
        fill::once_str(record, Key::RCode, code);
    }
}

/// named's own files: `21-Nov-2026 10:15:02.123 category: level: text`, also with ISO stamps; category and level are there as configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named;

/// The categories of `named.conf` that go with requests and zones; others are read by the general reader.
const CATEGORIES: &[&str] = &[
    "client",
    "config",
    "database",
    "default",
    "dnssec",
    "dnstap",
    "edns-disabled",
    "general",
    "lame-servers",
    "network",
    "notify",
    "nsid",
    "queries",
    "query-errors",
    "rate-limit",
    "resolver",
    "rpz",
    "security",
    "serve-stale",
    "sslkeylog",
    "trust-anchor-telemetry",
    "update",
    "update-security",
    "xfer-in",
    "xfer-out",
    "zoneload",
];

impl Format for Named {
    fn name(&self) -> &'static str {
        "bind"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        // With `print-time iso8601` or `iso8601-utc` the stamp is anybody's.
        let is_iso = text.as_bytes().get(10) == Some(&b'T');
        if !is_iso && text.as_bytes().get(2) != Some(&b'-') {
            return None;
        }
        let mut c = Cursor::new(text);
        let stamp = c.stamp_by(if is_iso { stamp::iso } else { stamp::clf }).filter(|s| s.digits == 3)?;
        c.must(" ")?;
        let mut category = "";
        let mut here = c;
        if let Some(word) = here.until(": ").filter(|w| CATEGORIES.contains(w)) {
            category = word;
            c = here;
        }
        let level = here_level(&mut c);
        let asked = c.rest.starts_with("client ") && c.rest.contains('#');
        if category.is_empty() && !asked || is_iso && (category.is_empty() || level.is_empty()) {
            return None;
        }
        record.format = "bind";
        record.stamp = Some(stamp);
        record.body = c.rest;
        fill::once_str(record, Key::Logger, category);
        if !level.is_empty() {
            fill::level(record, level);
        }
        named(c.rest, record);
        if !asked {
            crate::formats::message::fields(cx, c.rest, record);
        }
        Some(88)
    }
}

/// CoreDNS: `[INFO] 203.0.113.9:50122 - 4711 "A IN db.lan. udp 45 false 512" NOERROR qr,rd,ra 61 0.0012s`, and the errors of its plugins.
#[derive(Clone, Copy, Debug, Default)]
pub struct CoreDns;

impl Format for CoreDns {
    fn name(&self) -> &'static str {
        "coredns"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let mut c = Cursor::new(text);
        let level = c.between("[", "] ").filter(|w| matches!(*w, "INFO" | "ERROR" | "WARNING" | "DEBUG" | "FATAL"))?;
        if c.rest.starts_with("plugin/") {
            let body = c.rest;
            let plugin = c.until(": ")?;
            record.format = "coredns";
            record.body = body;
            fill::level(record, level);
            fill::once_str(record, Key::Logger, plugin);
            // `2 db.lan. A: read udp ...`: the code of the answer, then the question.
            let mut words = c.rest.splitn(4, ' ');
            if plugin == "plugin/errors"
                && let (Some(_), Some(name), Some(kind)) = (words.next(), words.next(), words.next().and_then(|w| w.strip_suffix(':')))
            {
                fill::once_str(record, Key::QName, name.trim_end_matches('.'));
                fill::once_str(record, Key::QType, kind);
            }
            crate::formats::message::fields(cx, c.rest, record);
            return Some(92);
        }
        let body = c.rest;
        let client = c.until(" - ")?;
        let (address, port) = address::split_port(client);
        (address::ip(address.trim_matches(['[', ']'])).is_some() && port.is_some()).then_some(())?;
        c.digits()?;
        c.must(" \"")?;
        let question: Vec<&str> = c.until("\" ")?.split(' ').collect();
        let [kind, "IN" | "CH" | "HS" | "ANY", name, transport, ..] = question[..] else { return None };
        let answer: Vec<&str> = c.rest.trim_end().split(' ').collect();
        record.format = "coredns";
        record.body = body;
        fill::level(record, level);
        fill::client(record, client);
        fill::once_str(record, Key::QName, name.trim_end_matches('.'));
        fill::once_str(record, Key::QType, kind);
        fill::once_str(record, Key::Transport, transport);
        if let [code, .., took] = answer[..] {
            fill::once_str(record, Key::RCode, code);
            if let Some(took) = Value::duration(took) {
                fill::once(record, Key::Duration, took);
            }
        }
        Some(93)
    }
}

fn here_level<'a>(c: &mut Cursor<'a>) -> &'a str {
    let mut here = *c;
    match here
        .until(": ")
        .filter(|w| matches!(*w, "debug 1" | "debug 2" | "debug 3" | "info" | "notice" | "warning" | "error" | "critical"))
    {
        Some(word) => {
            *c = here;
            word.split(' ').next().unwrap_or(word)
        }
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin, Severity};

    #[test]
    fn lines() {
        let arena = Bump::new();
        let cx = Cx::new(&arena, &[]);
        let text = "[1795253000] unbound[123:0] error: SERVFAIL <db.lan. A IN>: all servers failed";
        let mut r = Record::new(text, Origin::default());
        assert_eq!(Unbound.read(&cx, text, &mut r), Some(90));
        assert_eq!((r.int(Key::ProcessPid), r.severity), (Some(123), Some(Severity::Error)));
        let mut r = Record::new("", Origin::default());
        dnsmasq("query[AAAA] db.lan from 10.0.0.7", &mut r);
        assert_eq!((r.str(Key::QName), r.str(Key::QType), r.str(Key::ClientAddress)), (Some("db.lan"), Some("AAAA"), Some("10.0.0.7")));
        let mut r = Record::new("", Origin::default());
        dnsmasq("config db.lan is NXDOMAIN", &mut r);
        assert_eq!(r.str(Key::RCode), Some("NXDOMAIN"));
        let mut r = Record::new("", Origin::default());
        named("client @0x7f 10.0.0.7#4001 (db.lan): query denied", &mut r);
        assert_eq!((r.str(Key::ClientAddress), r.int(Key::ClientPort)), (Some("10.0.0.7"), Some(4001)));
        let mut r = Record::new("", Origin::default());
        named("zone shop.lan/IN: loaded serial 2026112004", &mut r);
        assert_eq!(r.str(Key::QName), Some("shop.lan"));
        let mut r = Record::new("", Origin::default());
        unbound("info: validation failure <db.lan. A IN>: signature expired from 10.0.0.53", &mut r);
        assert_eq!((r.str(Key::QName), r.str(Key::QType), r.str(Key::RCode)), (Some("db.lan"), Some("A"), None));
    }
}
