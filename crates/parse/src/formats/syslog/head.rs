//! The head of a syslog line after its stamp: host, tag and process id.

use crate::formats::cursor::Cursor;
use crate::seek::near;
use whyline_event::{Severity, address};

/// Host, tag, process id and message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head<'a> {
    /// The host, empty when none is written.
    pub host: &'a str,
    /// The program, empty when none is written.
    pub tag: &'a str,
    /// The process id as written, perhaps empty.
    pub pid: &'a str,
    /// `facility.level` between host and tag, as BusyBox and OpenWrt write it.
    pub level: &'a str,
    /// The tag was ended by a colon.
    pub colon: bool,
    /// The message.
    pub message: &'a str,
    /// The message with the tag in front.
    pub tagged: &'a str,
}

/// Reads the head. A text without any tag is all message after its host.
pub fn head(text: &str) -> Head<'_> {
    let start = text.get(text.bytes().take_while(|b| *b == b' ').count()..).unwrap_or("");
    if let Some((tag, pid, colon, message)) = tag(start).filter(|t| t.2) {
        return Head { tag, pid, colon, message, tagged: start, ..Head::default() };
    }
    let mut c = Cursor::new(start);
    let host = c.peek();
    if let Some(name) = level(host) {
        // Without a host in front, as OpenWrt's logread writes.
        c.word();
        c.blanks();
        return match tag(c.rest) {
            Some((tag, pid, colon, message)) => Head { tag, pid, level: name, colon, message, tagged: c.rest, ..Head::default() },
            None => Head { level: name, message: c.rest, tagged: c.rest, ..Head::default() },
        };
    }
    c.word();
    // `host:` without a tag is a tag; a host may stand in brackets where it is an IPv6 address.
    if !is_host(host) {
        return Head { message: start, tagged: start, ..Head::default() };
    }
    c.blanks();
    let mut told = "";
    if let Some(name) = level(c.peek()) {
        told = name;
        c.word();
        c.blanks();
    }
    match tag(c.rest) {
        Some((tag, pid, colon, message)) => Head { host, tag, pid, level: told, colon, message, tagged: c.rest },
        None => Head { host, level: told, message: c.rest, tagged: c.rest, ..Head::default() },
    }
}

/// The level of `facility.level`.
fn level(word: &str) -> Option<&str> {
    let dot = near(word, b'.')?;
    let (facility, name) = (word.get(..dot)?, word.get(dot + 1..)?);
    (super::FACILITIES.contains(&facility) && Severity::from_word(name).is_some()).then_some(name)
}

fn is_host(word: &str) -> bool {
    address::is_host_name(word) || address::ip(word).is_some() || word == "(none)" || word == "-"
}

/// A tag: `name`, `name[pid]`, each with or without a colon. Without both there is none.
fn tag(text: &str) -> Option<(&str, &str, bool, &str)> {
    let mut c = Cursor::new(text);
    let name = c.run(|b| b.is_ascii_graphic() && !matches!(b, b':' | b'[' | b'"' | b'{' | b'=' | b'\''))?;
    let mut pid = "";
    // A tag with colons inside (`a:b[1]:`, `x::y:`): a colon before a blank ends it.
    let mut end = text.len() - c.rest.len();
    while c.rest.starts_with(':') && c.rest.as_bytes().get(1).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b':') {
        c.eat(":");
        if c.run(|b| b.is_ascii_graphic() && !matches!(b, b':' | b'[' | b'"' | b'=')).is_none() && !c.rest.starts_with(':') {
            break;
        }
        end = text.len() - c.rest.len();
    }
    let mut name = text.get(..end).unwrap_or(name);
    if name.len() > 64 || !name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'(' | b'%')) {
        return None;
    }
    if c.rest.starts_with('[') {
        pid = c.between("[", "]").filter(|p| p.len() <= 40 && !p.contains(' '))?;
        if c.rest.starts_with(" (") {
            // macOS: `com.apple.xpc.launchd[1] (com.example.job): text`.
            let mut ahead = c;
            ahead.eat(" ");
            if ahead.between("(", ")").is_some() && ahead.rest.starts_with(':') {
                c = ahead;
            }
        }
    }
    let colon = c.eat(":");
    if !colon && pid.is_empty() {
        return None;
    }
    if !c.at_end() && !c.rest.starts_with([' ', '\t']) {
        return None;
    }
    if let Some(plain) = name.strip_suffix(':') {
        name = plain;
    }
    let message = c.rest.strip_prefix(' ').unwrap_or(c.rest);
    Some((name, pid, colon, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        for (text, host, t, pid, message) in [
            ("web1 sshd[7]: hello", "web1", "sshd", "7", "hello"),
            ("web1 backup: done: 4", "web1", "backup", "", "done: 4"),
            ("postfix/smtpd[44]: x", "", "postfix/smtpd", "44", "x"),
            ("web1 su(pam_unix)[9]: x", "web1", "su(pam_unix)", "9", "x"),
            ("web1 last message repeated 3 times", "web1", "", "", "last message repeated 3 times"),
            ("10.1.2.3 app[12] no colon", "10.1.2.3", "app", "12", "no colon"),
            ("ap daemon.notice hostapd: up", "ap", "hostapd", "", "up"),
            ("web1 a::b[1]: x", "web1", "a::b", "1", "x"),
        ] {
            let h = head(text);
            assert_eq!((h.host, h.tag, h.pid, h.message), (host, t, pid, message), "{text}");
        }
    }
}
