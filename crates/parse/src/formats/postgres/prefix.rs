//! What stands before the severity word: whatever `log_line_prefix` asks for, told by its shape.

use crate::stamp;
use whyline_event::{Stamp, address};

/// The parts of a prefix; what is not there is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prefix<'a> {
    /// `%t`, `%m`, `%n`.
    pub stamp: Option<Stamp>,
    /// `%p`.
    pub pid: &'a str,
    /// `%u`.
    pub user: &'a str,
    /// `%d`.
    pub database: &'a str,
    /// `%h`, `%r`.
    pub host: &'a str,
    /// The port of `%r`.
    pub port: &'a str,
    /// `%a`.
    pub application: &'a str,
    /// `%e`.
    pub code: &'a str,
}

/// Reads a prefix. `None` where it looks like no prefix: a sentence, a prefix without stamp or process id.
pub fn parse(text: &str) -> Option<Prefix<'_>> {
    let mut prefix = Prefix::default();
    if text.trim().is_empty() {
        return Some(prefix);
    }
    let mut rest = text;
    if let Some((at, stamp, end)) = find_stamp(text) {
        prefix.stamp = Some(stamp);
        pieces(text.get(..at)?, &mut prefix);
        rest = text.get(end..)?;
    }
    pieces(rest, &mut prefix);
    (prefix.stamp.is_some() || !prefix.pid.is_empty()).then_some(prefix)
}

fn find_stamp(text: &str) -> Option<(usize, Stamp, usize)> {
    let bytes = text.as_bytes();
    for at in 0..bytes.len().min(120) {
        let begins = at == 0 || bytes.get(at - 1).is_some_and(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b':' | b'-'));
        if begins && bytes.get(at).is_some_and(u8::is_ascii_digit) {
            let rest = text.get(at..)?;
            if let Some((stamp, used)) = stamp::iso(rest).or_else(|| stamp::epoch(rest)) {
                return Some((at, stamp, at + used));
            }
        }
    }
    None
}

/// Reads the parts between blanks, commas, brackets and colons.
fn pieces<'a>(text: &'a str, prefix: &mut Prefix<'a>) {
    let mut rest = text;
    // `app=` may hold blanks; it ends before the next known key.
    if let Some(at) = rest.find("app=") {
        let value = rest.get(at + 4..).unwrap_or("");
        let end = [",client=", ",host=", ",user=", ",db=", " client=", " host=", "] ", ","].iter().filter_map(|k| value.find(k)).min();
        prefix.application = value.get(..end.unwrap_or(value.len())).unwrap_or("").trim();
        let tail = value.get(end.unwrap_or(value.len())..).unwrap_or("");
        pieces(rest.get(..at).unwrap_or(""), prefix);
        rest = tail;
    }
    for piece in rest.split([' ', ',', '|', ';']) {
        let piece = piece.trim_matches([':', '-', '<', '>', ' ']);
        if piece.is_empty() {
            continue;
        }
        match piece.split_once('=') {
            Some(("user" | "u" | "usr", v)) => prefix.user = v,
            Some(("db" | "database" | "d", v)) => prefix.database = v,
            Some(("client" | "host" | "h" | "remote" | "r", v)) => host(v, prefix),
            Some(("pid" | "p", v)) => prefix.pid = v,
            Some(_) => {}
            None => plain(piece, prefix),
        }
    }
}

fn plain<'a>(piece: &'a str, prefix: &mut Prefix<'a>) {
    // `10.0.0.7(4455):u@d:[7]`: colons separate, too; addresses of version 6 are the exception.
    if piece.contains(':') && address::ip(piece).is_none() {
        for part in piece.split(':').filter(|p| !p.is_empty()) {
            if !part.contains(':') {
                plain(part, prefix);
            }
        }
        return;
    }
    if let Some(inner) = piece.strip_prefix('[').map(|p| p.trim_end_matches(']')) {
        let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
        let tail = inner.get(digits..).unwrap_or("");
        if digits > 0 && (tail.is_empty() || tail.starts_with('-')) && prefix.pid.is_empty() {
            prefix.pid = inner.get(..digits).unwrap_or("");
        }
        return;
    }
    if let Some((user, rest)) = piece.split_once('@') {
        prefix.user = user.trim_matches(['[', ']']);
        match rest.split_once('/') {
            Some((database, at)) => {
                prefix.database = database;
                host(at, prefix);
            }
            None => prefix.database = rest.trim_matches(['[', ']']),
        }
        return;
    }
    let bytes = piece.as_bytes();
    let is_code =
        bytes.len() == 5 && bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) && bytes.iter().any(u8::is_ascii_digit);
    if is_code && (!bytes.iter().all(u8::is_ascii_digit) || !prefix.pid.is_empty()) {
        prefix.code = piece;
    } else if bytes.iter().all(u8::is_ascii_digit) {
        if prefix.pid.is_empty() {
            prefix.pid = piece;
        }
    } else {
        host(piece, prefix);
    }
}

/// A name with a dot that is no session id (`%c`, two hexadecimal numbers).
fn is_domain(name: &str) -> bool {
    address::is_host_name(name) && !name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'.')
}

fn host<'a>(text: &'a str, prefix: &mut Prefix<'a>) {
    let (name, port) = text.split_once('(').map_or((text, ""), |(n, p)| (n, p.trim_end_matches(')')));
    if address::ip(name).is_some() || name.contains('.') && is_domain(name) || name == "localhost" {
        prefix.host = name;
        prefix.port = port;
    }
}
