//! Syslog lines in files (RFC 3164 and what rsyslog, syslog-ng and `journalctl` make of it).
//!
//! `Nov 21 10:31:12 host tag[pid]: text` with the classic stamp or an ISO one, with or without `<PRI>`; host, process id and
//! colon may be missing.

use super::head::{Head, head};
use super::{pri, put_pri, services};
use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::begins_record;
use crate::formats::fill;
use crate::seek::{Needle, needles};
use crate::stamp;
use whyline_event::{Form, Key, Record, Severity, Stamp, address};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rfc3164;

const NAME: &str = "syslog.rfc3164";

struct Line<'a> {
    pri: Option<u8>,
    stamp: Option<Stamp>,
    head: Head<'a>,
    fit: Fit,
}

impl Format for Rfc3164 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = parse(text)?;
        record.format = NAME;
        if line.stamp.is_some() {
            record.stamp = line.stamp;
        }
        if let Some(pri) = line.pri {
            put_pri(record, pri);
        }
        put_head(cx, &line.head, record);
        Some(line.fit)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some() || begins_record(line)
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

/// Puts host, tag, process id, and reads the message.
pub(crate) fn put_head<'a>(cx: &Cx<'a>, head: &Head<'a>, record: &mut Record<'a>) {
    let cisco = if is_number(head.tag) && head.pid.is_empty() { cisco(head.message) } else { None };
    let (tag, tagged, message) =
        cisco.map_or((head.tag, head.tagged, head.message), |tagged| (tagged.split(':').next().unwrap_or(""), tagged, tagged));
    fill::once_str(record, Key::HostName, head.host);
    fill::once_str(record, Key::ProcessName, tag);
    fill::once_int(record, Key::ProcessPid, head.pid);
    if !head.level.is_empty() {
        fill::level(record, head.level);
    }
    // Cisco's `%FACILITY-5-MNEMONIC:` is no program, but the name of the message.
    let mnemonic = tag.starts_with('%') && tag.matches('-').count() >= 2;
    record.body = if mnemonic { tagged } else { message };
    if mnemonic
        && let Some(severity) = tag.split('-').nth(1).and_then(|n| n.parse().ok()).and_then(Severity::from_syslog)
        && record.severity.is_none()
    {
        record.severity = Some(severity);
    }
    services::message(cx, NAME, tag, record.body, record);
}

/// The message of a device of Cisco from its name on, behind the number of the line and the device's own clock:
/// `2282: Nov 26 06:42:04.844 CET: %LINK-3-UPDOWN: text`.
fn cisco(message: &str) -> Option<&str> {
    let at = message.find(": %").filter(|at| *at <= 48)?;
    let front = message.get(..at)?;
    let front = front.split_once(": ").filter(|(number, _)| is_number(number)).map_or(front, |(_, rest)| rest);
    let (_, used) = stamp::syslog(front.trim_start_matches(['*', '.']))?;
    let zone = front.trim_start_matches(['*', '.']).get(used..)?;
    (zone.is_empty() || zone.strip_prefix(' ').is_some_and(is_zone)).then(|| message.get(at + 2..)).flatten()
}

/// What stands behind the name of the zone that a device of Cisco writes behind its clock: ` CET: %LINK-3-UPDOWN: text`.
fn behind_zone(rest: &str) -> &str {
    // Hardly a host begins with two capitals.
    if !matches!(rest.as_bytes(), [_, first, second, ..] if first.is_ascii_uppercase() && second.is_ascii_uppercase()) {
        return rest;
    }
    let zone = rest.get(1..).and_then(|text| text.split_once(": %")).map(|(zone, _)| zone).filter(|zone| is_zone(zone));
    zone.and_then(|zone| rest.get(zone.len() + 2..)).unwrap_or(rest)
}

fn is_zone(word: &str) -> bool {
    (2..=5).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase())
}

/// What stands behind a process id: a colon, or the job that macOS names.
const BEHIND_PID: [Needle; 2] = needles(["]:", "] ("]);

fn parse(text: &str) -> Option<Line<'_>> {
    let (pri, rest) = match pri(text) {
        Some((pri, rest)) => (Some(pri), rest.trim_start_matches(' ')),
        None => (None, text),
    };
    let first = *rest.as_bytes().first()?;
    let found = if first.is_ascii_digit() { iso(rest) } else { stamp::syslog(rest).or_else(|| logread(rest)) };
    let Some((stamp, used)) = found else {
        return unstamped(pri, rest);
    };
    // A year and half a day are Java's, whose next line has the message.
    if stamp.form == Form::Civil && matches!(rest.as_bytes().get(used.saturating_sub(1)), Some(b'M' | b'm')) {
        return None;
    }
    let rest = rest.get(used..)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    if !rest.starts_with(' ') {
        return None;
    }
    let rest = behind_zone(rest);
    let classic = stamp.form == Form::NoYear || !first.is_ascii_digit();
    let head = head(rest);
    if Severity::from_word(head.host).is_some() && head.host.len() > 1 || Severity::from_word(head.tag).is_some() {
        // `Nov 21 10:31:12 ERROR module: text` is an application's line.
        return None;
    }
    let surely = is_whole(&head) || stamp.form == Form::Explicit && is_of_journal(&head);
    if !classic && pri.is_none() && !surely {
        return None;
    }
    if head.host.is_empty() && head.tag.is_empty() {
        return None;
    }
    let mut fit = match (head.tag.is_empty(), head.pid.is_empty()) {
        (false, false) => 80,
        (false, true) => 65,
        _ => 35,
    };
    if head.host.is_empty() {
        fit -= 15;
    }
    if pri.is_some() {
        fit += 10;
    }
    if !classic && pri.is_none() && head.pid.is_empty() && !services::is_known(head.tag) {
        fit -= 15;
    }
    Some(Line { pri, stamp: Some(stamp), head, fit })
}

/// A line without a stamp.
fn unstamped(pri: Option<u8>, rest: &str) -> Option<Line<'_>> {
    // Of a text without stamp and priority only the process id says that it is syslog's.
    if pri.is_none() && !BEHIND_PID.iter().any(|mark| mark.is_in(rest)) {
        return None;
    }
    let head = head(rest);
    // A message without a stamp is syslog only where it carries a priority and a tag, or host, tag and process id.
    if pri.is_none() {
        let whole = !rest.starts_with(' ') && !head.host.is_empty() && head.colon && is_number(head.pid) && is_name(head.tag);
        return whole.then_some(Line { pri, stamp: None, head, fit: 52 });
    }
    if head.tag.is_empty() || Severity::from_word(head.tag).is_some() {
        // Of other texts the priority says at least the facility, unless it is the level alone that systemd reads.
        return pri.filter(|n| *n >= 8).map(|_| Line { pri, stamp: stray(rest), head: Head { message: rest, ..Head::default() }, fit: 20 });
    }
    Some(Line { pri, stamp: None, head, fit: 55 })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.'))
}

/// The stamp of a text in another notation.
fn stray(text: &str) -> Option<Stamp> {
    stamp::prefix(text).map(|(stamp, _)| stamp).filter(|s| s.form != Form::TimeOnly)
}

/// OpenWrt's logread: `Sat Nov 21 10:30:01 2026 daemon.err hostapd: text`.
fn logread(text: &str) -> Option<(Stamp, usize)> {
    let (stamp, used) = stamp::prefix(text).filter(|(s, _)| s.form != Form::NoYear)?;
    let (facility, level) = text.get(used..)?.strip_prefix(' ')?.split(' ').next()?.split_once('.')?;
    (super::FACILITIES.contains(&facility) && Severity::from_word(level).is_some()).then_some((stamp, used))
}

/// Whether a line with an ISO stamp is surely syslog's: it has a host and a tag; an address as host does without a tag.
fn is_whole(head: &Head<'_>) -> bool {
    !head.host.is_empty() && (!head.tag.is_empty() && (head.colon || !head.pid.is_empty()) || address::ip(head.host).is_some())
}

/// Whether a line with an ISO stamp may be of `journalctl -o short-iso --no-hostname`, which leaves out the host and nothing else
/// (systemd src/shared/logs-show.c, output_short): with a process id, or of a known service.
fn is_of_journal(head: &Head<'_>) -> bool {
    head.host.is_empty() && head.colon && is_name(head.tag) && (is_number(head.pid) || head.pid.is_empty() && services::is_known(head.tag))
}

/// The ISO stamp that syslog daemons write: with a `T`; a zone is usual, not certain.
fn iso(text: &str) -> Option<(Stamp, usize)> {
    if !matches!(text.as_bytes().get(10), Some(b'T')) {
        return None;
    }
    stamp::iso(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    fn read(text: &str) -> Option<String> {
        let arena = Bump::new();
        let text = arena.alloc_str(text);
        let mut r = Record::new(text, Origin::default());
        let fit = Rfc3164.read(&Cx::new(&arena, &[]), text, &mut r)?;
        Some(format!(
            "{fit} {} {} {:?} {:?} {}",
            r.str(Key::HostName).unwrap_or("-"),
            r.str(Key::ProcessName).unwrap_or("-"),
            r.int(Key::ProcessPid),
            r.severity.map(Severity::as_str),
            r.body
        ))
    }

    #[test]
    fn lines() {
        for (text, want) in [
            ("Nov 21 10:31:12 web1 app[42]: up", "80 web1 app Some(42) None up"),
            ("<30>Nov 21 10:31:12 web1 app[42]: up", "90 web1 app Some(42) Some(\"INFO\") up"),
            ("2026-11-21T10:31:12.5+01:00 web1 app[42]: up", "80 web1 app Some(42) None up"),
            ("2026-11-21T10:31:12+0100 web1 kernel: [ 12.5] up", "65 web1 kernel None None up"),
            ("2026-11-21T10:31:12.5+01:00 web1 app[42] [x] up", "80 web1 app Some(42) None [x] up"),
            ("2026-11-21T10:31:12.5+01:00 10.0.0.1 firewall,info up", "20 10.0.0.1 - None None firewall,info up"),
            ("Nov 21 10:31:12 app[42]: up", "65 - app Some(42) None up"),
            ("2026-11-21T10:31:12+01:00 app[42]: up", "65 - app Some(42) None up"),
            ("2026-11-21T10:31:12.123456+0100 kernel: CPU29: hot", "50 - kernel None None CPU29: hot"),
            ("Nov 21 10:31:12 web1 -- MARK --", "35 web1 - None None -- MARK --"),
            ("web1 app[42]: no time", "52 web1 app Some(42) None no time"),
            ("Sat Nov 21 10:30:01 2026 daemon.err hostapd[7]: no ap", "65 - hostapd Some(7) Some(\"ERROR\") no ap"),
            ("<27>job: no time", "55 - job None Some(\"ERROR\") no time"),
            (
                "Nov 21 10:31:12 sw1 2291: 2282: Nov 21 10:31:12.844 CET: %LINK-3-UPDOWN: Interface x, down",
                "65 sw1 %LINK-3-UPDOWN None Some(\"ERROR\") %LINK-3-UPDOWN: Interface x, down",
            ),
            (
                "Nov 21 10:31:12 sw1 2291: *Nov 21 10:31:12.844: %SYS-5-CONFIG_I: Configured",
                "65 sw1 %SYS-5-CONFIG_I None Some(\"INFO\") %SYS-5-CONFIG_I: Configured",
            ),
            (
                "Nov 21 10:31:12.844 CET: %LINK-3-UPDOWN: Interface x, down",
                "50 - %LINK-3-UPDOWN None Some(\"ERROR\") %LINK-3-UPDOWN: Interface x, down",
            ),
        ] {
            assert_eq!(read(text).as_deref(), Some(want), "{text}");
        }
        for no in [
            "2026-11-21 10:31:12 web1 app: x",
            "hello",
            "Nov 21, 2026 8:03:15 PM Api service",
            "Nov 21 10:31:12 ERROR a.b: x",
            "2026-11-21T10:31:12Z stdout F x",
            "2026-11-21T10:31:12+01:00 shop: up",
            "2026-11-21T10:31:12 app[42]: up",
        ] {
            assert_eq!(read(no), None, "{no}");
        }
    }
}
