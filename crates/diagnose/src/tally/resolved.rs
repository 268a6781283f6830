//! Which address a name stood for, and who said so: a name server that answered or took a new record, or a program that tells whom it calls.

use crate::names::NameId;
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use whyline_event::{Form, Key, Record, Stamp, address};

/// More of them are not kept in a bundle: a resolver for the whole world says nothing of one's own machines.
const MOST: usize = 4_096;

/// An address of a name, as one writer tells it in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Telling {
    /// The name.
    pub name: NameId,
    /// The address, without a port.
    pub address: NameId,
    /// It is the answer of a name server, or a record that it took; else what a caller went by.
    pub is_answer: bool,
    /// Host and service of the writer.
    pub writer: (NameId, NameId),
    /// The source.
    pub source: u32,
    /// What its stamps leave open.
    pub form: Form,
}

/// When it was told: first and last, as written, in nanoseconds, each with its line.
pub type Told = ((i64, u32), (i64, u32));

/// All of them.
#[derive(Debug, Default)]
pub struct Resolved(FxHashMap<Telling, Told>);

impl Resolved {
    /// Notes that something was told; no more names than are kept.
    pub(super) fn add(&mut self, telling: Telling, told: (i64, u32)) {
        if self.0.len() >= MOST && !self.0.contains_key(&telling) {
            return;
        }
        let (first, last) = self.0.entry(telling).or_insert((told, told));
        (*first, *last) = ((*first).min(told), (*last).max(told));
    }

    /// Adds others; `name` translates their names.
    pub(super) fn merge(&mut self, other: Resolved, name: &impl Fn(NameId) -> NameId) {
        for (telling, (first, last)) in other.0 {
            let writer = (name(telling.writer.0), name(telling.writer.1));
            let telling = Telling { name: name(telling.name), address: name(telling.address), writer, ..telling };
            self.add(telling, first);
            self.add(telling, last);
        }
    }

    /// Each with its times.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Telling, &Told)> {
        self.0.iter()
    }
}

/// What a record tells of names and their addresses: each name, its address, and whether a name server says so.
pub(super) fn each<'r>(record: &Record<'r>, stamp: &Stamp, note: &mut dyn FnMut(&'r str, &'r str, bool, &Stamp)) {
    let body = record.body;
    let process = if record.fields.may_have(Key::ProcessName) { record.str(Key::ProcessName).unwrap_or("") } else { "" };
    match (process, record.format) {
        ("dnsmasq", _) => return answer(body).into_iter().for_each(|(name, address)| note(name, address, true, stamp)),
        ("haproxy", _) | (_, "haproxy") => {
            if let Some((name, old, new)) = followed(body) {
                note(name, old, true, &Stamp { nanos: stamp.nanos.saturating_sub(SECOND), ..*stamp });
                return note(name, new, true, stamp);
            }
        }
        ("named", _) | (_, "bind" | "bind.channel") => {
            if let Some((name, address)) = update(body) {
                return note(name, address, true, stamp);
            }
        }
        _ => {}
    }
    let mut from = 0;
    while let Some(at) = memchr::memchr3(b'/', b'(', b'[', body.get(from..).unwrap_or("").as_bytes()) {
        let at = from + at;
        from = at + 1;
        if let Some((name, address)) = beside(body, at) {
            note(name, address, false, stamp);
        }
    }
}

/// dnsmasq's `reply shop.lan is 10.0.0.3` (src/cache.c, log_query): where it has the answer from stands in front.
fn answer(body: &str) -> Option<(&str, &str)> {
    let (head, address) = body.rsplit_once(" is ")?;
    let name = head.rsplit(' ').next()?;
    (address::ip(address).is_some() && address::is_host_name(name)).then_some((name, address))
}

const SECOND: i64 = 1_000_000_000;

/// HAProxy's `shop/app1 changed its IP from 10.0.0.3 to 10.0.0.4 by lan/ns1` (src/server.c, srv_update_addr): server, old and new address.
fn followed(body: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = body.split_once(" changed its IP from ")?;
    let (old, rest) = rest.split_once(" to ")?;
    let new = rest.split([' ', ',']).next()?;
    let name = name.rsplit(' ').next()?;
    (!name.is_empty() && address::ip(old).is_some() && address::ip(new).is_some()).then_some((name, old, new))
}

/// BIND's `adding an RR at 'shop.lan' A 10.0.0.3` (lib/ns/update.c).
fn update(body: &str) -> Option<(&str, &str)> {
    let (_, rest) = body.split_once("adding an RR at '")?;
    let (name, rest) = rest.split_once('\'')?;
    let mut words = rest.split_ascii_whitespace();
    let (kind, address) = (words.next()?, words.next()?);
    (matches!(kind, "A" | "AAAA") && address::ip(address).is_some()).then_some((name.trim_end_matches('.'), address))
}

/// A name with its address behind it, where a mark stands between them: Java's `shop.lan/10.0.0.3:80` (InetAddress.toString), libpq's
/// `"shop.lan" (10.0.0.3)`, Postfix's `shop.lan[10.0.0.3]`.
fn beside(body: &str, at: usize) -> Option<(&str, &str)> {
    let (head, tail) = (body.get(..at)?, body.get(at + 1..)?);
    if !tail.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let length = tail.bytes().position(|b| !b.is_ascii_digit() && b != b'.').unwrap_or(tail.len());
    let text = tail.get(..length)?.trim_end_matches('.');
    // What users' programs call themselves by looks alike (`Chrome/143.0.0.0`).
    let is_inner = matches!(address::ip(text)?, IpAddr::V4(v4) if v4.is_private() || v4.is_loopback());
    let closes = match body.as_bytes().get(at)? {
        b'/' => true,
        b'(' => tail.as_bytes().get(length) == Some(&b')'),
        _ => tail.as_bytes().get(length) == Some(&b']'),
    };
    let head = if body.as_bytes().get(at) == Some(&b'(') { head.strip_suffix(' ')?.trim_end_matches('"') } else { head };
    let from = head.bytes().rposition(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))).map_or(0, |at| at + 1);
    let name = head.get(from..)?;
    (is_inner && closes && name.len() > 1 && address::is_host_name(name)).then_some((name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_addresses() {
        let told = |body: &'static str, process: &'static str| {
            let mut record = Record::new(body, whyline_event::Origin::default());
            record.body = body;
            if !process.is_empty() {
                record.put_str(Key::ProcessName, process);
            }
            let stamp = Stamp { nanos: 0, form: Form::Explicit, offset: None, digits: 0 };
            let mut found = Vec::new();
            each(&record, &stamp, &mut |name, address, is_answer, _| found.push(format!("{name} {address} {is_answer}")));
            found.join("; ")
        };
        let update = "client @0x7f 127.0.0.1#4: updating zone 'c/IN': adding an RR at 'pay.corp.example' A 10.0.0.38";
        assert_eq!(told(update, "named"), "pay.corp.example 10.0.0.38 true");
        for (body, want) in [
            ("connection to server at \"db.internal\" (10.0.0.5), port 5432 failed: Connection refused", "db.internal 10.0.0.5 false"),
            ("Connect to pay.corp.example:443 [pay.corp.example/10.0.0.1] failed", "pay.corp.example 10.0.0.1 false"),
            ("connection refused: payments/10.0.0.7:8080", "payments 10.0.0.7 false"),
            ("connect to mx1.shop.lan[192.168.3.4]:25: Connection refused", "mx1.shop.lan 192.168.3.4 false"),
            ("Mozilla/5.0 Chrome/143.0.0.0 Safari/537.36", ""),
            ("Connection to node 1 (/10.0.0.13:9092) could not be established", ""),
            ("took (10.5) of [10.0.0.3", ""),
        ] {
            assert_eq!(told(body, ""), want, "{body}");
        }
        assert_eq!(told("/etc/hosts shop.lan is 10.0.0.3", "dnsmasq"), "shop.lan 10.0.0.3 true");
        assert_eq!(told("reply shop.lan is NXDOMAIN", "dnsmasq"), "");
        let followed = "shop/app1 changed its IP from 10.0.0.3 to 10.0.0.4 by lan/ns1.";
        assert_eq!(told(followed, "haproxy"), "shop/app1 10.0.0.3 true; shop/app1 10.0.0.4 true");
        assert_eq!(told("shop/app1 changed its IP from (none) to 10.0.0.4 by lan/ns1.", "haproxy"), "");
    }
}
