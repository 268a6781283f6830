//! Certificates as OpenSSL shows them: `openssl s_client`, `openssl x509 -text`, `openssl x509 -noout -dates -subject`.

use super::state;
use crate::format::Cx;
use crate::section::{Section, Step};
use crate::stamp;
use whyline_event::stamp::rfc3339;
use whyline_event::{Form, Key, Record, Severity, Value};

pub(super) const S_CLIENT: &str = "command.openssl-s_client";
pub(super) const X509: &str = "command.openssl-x509";

/// `CONNECTED(00000003)`.
pub(super) fn opens_s_client(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let number = line.trim_end().strip_prefix("CONNECTED(")?.strip_suffix(')')?;
    number.bytes().all(|b| b.is_ascii_hexdigit()).then(|| Box::new(Client { lines: 0 }) as Box<dyn Section>)
}

/// `Certificate:` above its data, or the first of `notBefore=`, `notAfter=`, `subject=`, `issuer=`.
pub(super) fn opens_x509(line: &str, bare: bool) -> Option<Box<dyn Section>> {
    let text = line.trim_end() == "Certificate:";
    (text || bare && is_pair(line)).then(|| Box::new(Shown { text, lines: 0 }) as Box<dyn Section>)
}

fn is_pair(line: &str) -> bool {
    let dated = |name: &str| line.strip_prefix(name).is_some_and(|date| day(date).is_some());
    let named = |name: &str| line.strip_prefix(name).is_some_and(|n| n.contains("CN=") || n.contains("CN ="));
    dated("notBefore=") || dated("notAfter=") || named("subject=") || named("issuer=")
}

/// The instant of a date as ASN1_TIME_print writes it, `Nov 20 20:31:07 2026 GMT`, in nanoseconds; or in ISO form (`-dateopt`).
fn day(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches(" GMT");
    stamp::prefix(text).map(|(stamp, _)| stamp.nanos)
}

fn put_day<'a>(cx: &Cx<'a>, record: &mut Record<'a>, key: Key, text: &str) {
    if let Some(nanos) = day(text).filter(|_| !record.has(key)) {
        record.put(key, Value::Str(cx.keep(&rfc3339(nanos, 0))));
    }
}

fn put_name<'a>(record: &mut Record<'a>, key: Key, name: &'a str) {
    if !record.has(key) {
        record.put_str(key, name.trim());
    }
}

/// Reads whatever a line of a certificate says.
fn property<'a>(cx: &Cx<'a>, line: &'a str, record: &mut Record<'a>) {
    let bare = line.trim();
    for (head, key) in [
        ("notBefore=", Key::TlsNotBefore),
        ("notAfter=", Key::TlsNotAfter),
        ("Not Before:", Key::TlsNotBefore),
        ("Not After :", Key::TlsNotAfter),
    ] {
        if let Some(date) = bare.strip_prefix(head) {
            put_day(cx, record, key, date);
        }
    }
    for (head, key) in
        [("subject=", Key::TlsSubject), ("issuer=", Key::TlsIssuer), ("Subject:", Key::TlsSubject), ("Issuer:", Key::TlsIssuer)]
    {
        if let Some(name) = bare.strip_prefix(head) {
            put_name(record, key, name);
        }
    }
    // The chain of s_client: `v:NotBefore: Nov  1 ... GMT; NotAfter: Nov 20 ... GMT`.
    if let Some((before, after)) = bare.strip_prefix("v:NotBefore: ").and_then(|v| v.split_once("; NotAfter: ")) {
        put_day(cx, record, Key::TlsNotBefore, before);
        put_day(cx, record, Key::TlsNotAfter, after);
    }
}

struct Shown {
    text: bool,
    lines: u32,
}

impl Section for Shown {
    fn name(&self) -> &'static str {
        X509
    }

    fn step(&mut self, line: &str) -> Step {
        self.lines += 1;
        if self.lines == 1 {
            return Step::Row;
        }
        let more = if self.text { line.starts_with(' ') } else { is_pair(line) || line.starts_with("serial=") };
        if more { Step::More } else { Step::Foreign }
    }

    fn read<'a>(&mut self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        state(record);
        text.split('\n').for_each(|line| property(cx, line, record));
    }
}

/// Whether a line begins with a date and a time, as lines of logs do and none of `s_client`.
fn is_dated(line: &str) -> bool {
    stamp::prefix(line)
        .is_some_and(|(stamp, used)| stamp.form != Form::TimeOnly && line.get(..used).is_some_and(|written| written.contains(':')))
}

/// Lines that `s_client` writes after a connection are at most so many, apart from certificates.
const LONGEST: u32 = 2_000;

struct Client {
    lines: u32,
}

impl Section for Client {
    fn name(&self) -> &'static str {
        S_CLIENT
    }

    fn step(&mut self, line: &str) -> Step {
        self.lines += 1;
        if self.lines > LONGEST || is_dated(line) {
            return Step::Foreign;
        }
        let bare = line.trim_start();
        let entry = bare.split_once(" s:").is_some_and(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()));
        let row = ["depth=", "verify ", "---", "Certificate chain", "Server certificate", "subject=", "Verif", "SSL handshake"];
        if entry || row.iter().any(|r| bare.starts_with(r)) || self.lines == 1 { Step::Row } else { Step::More }
    }

    fn read<'a>(&mut self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        state(record);
        let first = text.trim_start();
        text.split('\n').for_each(|line| property(cx, line, record));
        if let Some((_, name)) = first.split_once(" s:").filter(|(n, _)| n.bytes().all(|b| b.is_ascii_digit())) {
            put_name(record, Key::TlsSubject, name.split('\n').next().unwrap_or(name));
        }
        let code = first.strip_prefix("Verify return code: ").or_else(|| first.strip_prefix("verify error:num="));
        if let Some(code) = code.and_then(|c| c.split([' ', ':']).next()).and_then(|c| c.parse().ok()) {
            record.put(Key::TlsVerify, Value::Int(code));
            if code != 0 {
                record.severity = Some(Severity::Error);
            }
        }
    }

    fn ends_at_blank(&self) -> bool {
        false
    }
}
