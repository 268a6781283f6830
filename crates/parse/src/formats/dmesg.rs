//! `dmesg`: the kernel's messages with the seconds since boot, or with the time of day that the command made of them.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::formats::fill;
use crate::formats::syslog::kernel;
use crate::stamp;
use whyline_event::{Form, Key, Record, Severity, Stamp, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dmesg;

struct Line<'a> {
    severity: Option<(&'a str, Severity)>,
    stamp: Option<Stamp>,
    /// Nanoseconds since boot.
    uptime: Option<i64>,
    message: &'a str,
    fit: Fit,
}

impl Format for Dmesg {
    fn name(&self) -> &'static str {
        "dmesg"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        // Inside syslog or the journal the message is the kernel's own.
        if cx.depth > 0 {
            return None;
        }
        let line = parse(text)?;
        record.format = "dmesg";
        if line.stamp.is_some() {
            record.stamp = line.stamp;
        }
        if let Some((word, severity)) = line.severity {
            fill::level_as(record, word, severity);
        }
        fill::once(record, Key::ProcessName, Value::Str("kernel"));
        if let Some(uptime) = line.uptime {
            record.put(Key::Uptime, Value::Duration(uptime));
        }
        kernel::read(line.message, record);
        Some(line.fit)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some()
    }
}

fn parse(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let mut line = Line { severity: None, stamp: None, uptime: None, message: "", fit: 60 };
    // The raw form has the priority first; `-x` writes facility and level.
    if c.eat("<") {
        let number: u8 = c.digits().filter(|d| d.len() <= 3)?.parse().ok()?;
        c.must(">")?;
        let severity = Severity::from_syslog(number & 7)?;
        line.severity = Some((severity.as_str(), severity));
    } else if let Some((facility, rest)) =
        text.split_once(':').filter(|(f, _)| matches!(f.trim_end(), "kern" | "user" | "daemon" | "syslog"))
    {
        let (level, after) = rest.split_once(": ")?;
        let word = level.trim_end();
        line.severity = Some((word, Severity::from_word(word)?));
        let _ = facility;
        c.rest = after;
    }
    if !c.rest.starts_with('[') {
        return iso(c.rest, line);
    }
    let inner = c.between("[", "]")?;
    c.must(" ")?;
    line.message = c.rest;
    // `host program[pid]: text` is what `journalctl -o short-monotonic` writes.
    if of_journal(c.rest) {
        line.fit = 20;
    }
    let clock = inner.trim_start();
    if let Some((seconds, micros)) =
        clock.split_once('.').filter(|(s, m)| m.len() == 6 && s.bytes().chain(m.bytes()).all(|b| b.is_ascii_digit()))
    {
        // No machine has run for thirty years: that is the time of day (`ping -D`).
        let whole = seconds.parse::<i64>().ok().filter(|s| *s < 1_000_000_000)?.checked_mul(1_000_000_000)?;
        line.uptime = whole.checked_add(micros.parse::<i64>().ok()?.checked_mul(1000)?);
        return Some(line);
    }
    // `-T`: weekday, month, day, time, year.
    let day = clock.as_bytes();
    if day.get(3) != Some(&b' ') || !day.first()?.is_ascii_uppercase() || c.rest.starts_with('[') {
        return None;
    }
    let (stamp, used) = stamp::prefix(clock).filter(|(s, used)| *used == clock.len() && s.form == Form::Civil && s.digits == 0)?;
    line.stamp = (used > 0).then_some(stamp);
    // Other programs put such a date in brackets, too.
    line.fit = if kernel::speaks(c.rest) { 60 } else { 12 };
    Some(line)
}

/// Whether a host and a program with its number stand in front, as no line of the kernel has them.
fn of_journal(text: &str) -> bool {
    let mut words = text.split(' ');
    let (Some(host), Some(tag)) = (words.next(), words.next()) else { return false };
    let pid = tag.strip_suffix("]:").and_then(|tag| tag.rsplit_once('[')).map_or("", |(_, pid)| pid);
    !host.contains([':', '[']) && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit())
}

/// `--time-format iso`: `2026-11-21T10:15:02,123456+00:00 text`.
fn iso<'a>(text: &'a str, mut line: Line<'a>) -> Option<Line<'a>> {
    if text.as_bytes().get(19) != Some(&b',') {
        return None;
    }
    let mut c = Cursor::new(text);
    line.stamp = Some(c.stamp_by(stamp::iso).filter(|s| s.digits == 6 && s.form == Form::Explicit)?);
    c.must(" ")?;
    line.message = c.rest;
    line.fit = 55;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn seconds_since_boot() {
        assert_eq!(parse("[ 8123.456789] eth0: up").and_then(|l| l.uptime), Some(8_123_456_789_000));
        // The time of day, as `ping -D` writes it.
        assert!(parse("[1795520900.112233] From 10.0.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1450)").is_none());
    }
}
