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
    usual(text).unwrap_or_else(|| careful(text))
}

/// ` host tag[pid]: message` and ` host tag: message` with plain names, in one walk; anything else is left to [`careful`], which says the
/// same of these.
fn usual(text: &str) -> Option<Head<'_>> {
    let b = text.as_bytes();
    let mut at = b.iter().take_while(|c| **c == b' ').count();
    let start = at;
    let (mut letters, mut dot) = (false, false);
    loop {
        match b.get(at)? {
            b'a'..=b'z' | b'A'..=b'Z' => letters = true,
            b'0'..=b'9' | b'_' => {}
            b'-' if at > start => {}
            b'.' if at > start && b.get(at - 1) != Some(&b'.') => dot = true,
            b' ' if letters && at > start => break,
            _ => return None,
        }
        at += 1;
    }
    let host = text.get(start..at)?;
    if host.len() > 253 || dot && level(host).is_some() {
        return None;
    }
    let begin = at + 1;
    at = begin;
    if !matches!(b.get(at)?, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'_') {
        return None;
    }
    let mut dot = false;
    while let Some(c) = b.get(at).filter(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'/' | b'.')) {
        dot |= *c == b'.';
        at += 1;
    }
    let tag = text.get(begin..at)?;
    let mut pid = "";
    if b.get(at) == Some(&b'[') {
        let digits = b.get(at + 1..)?.iter().take_while(|c| c.is_ascii_digit()).count();
        pid = text.get(at + 1..at + 1 + digits)?;
        at += digits + 2;
        if !(1..=40).contains(&digits) || b.get(at - 1) != Some(&b']') {
            return None;
        }
    }
    // A dot may be one between facility and level.
    if tag.len() > 64 || dot || b.get(at) != Some(&b':') || b.get(at + 1) != Some(&b' ') {
        return None;
    }
    Some(Head { host, tag, pid, level: "", colon: true, message: text.get(at + 2..)?, tagged: text.get(begin..)? })
}

fn careful(text: &str) -> Head<'_> {
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
    use proptest::prelude::*;

    proptest! {
        /// What is read in one walk is what the careful look says.
        #[test]
        fn usual_heads_are_read_alike(
            text in " {0,2}(web-1|10\\.0\\.0\\.7|a\\.b|db\\.lan|-|daemon\\.err|[a-c1.-]{1,4}) {1,2}(sshd|cron\\.info|a/b|_x|[a-z:.%\"-]{1,6})(\\[[0-9a ]{0,3}\\])?:? ?( \\(x\\):)?[a: ]{0,4}"
        ) {
            if let Some(head) = usual(&text) {
                prop_assert_eq!(head, careful(&text), "{}", text);
            }
        }
    }

    #[test]
    fn the_usual_head_is_read() {
        for text in [" web1 sshd[7]: hello", "db.lan backup: ", " web-1 postfix/smtpd[44]:  x"] {
            assert_eq!(usual(text), Some(careful(text)), "{text}");
        }
    }

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
