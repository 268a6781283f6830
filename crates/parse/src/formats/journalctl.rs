//! `journalctl` as it writes for people: `-o short-full`, `short-unix`, `short-monotonic`, `verbose`, and the lines that it puts between the entries of any
//! form. (`short`, `short-iso`, `short-precise` are syslog lines.)

use super::journal;
use crate::format::{Cx, Fit, Format};
use crate::formats::fill;
use crate::formats::syslog::head::{Head, head};
use crate::formats::syslog::rfc3164;
use crate::stamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Key, Record, Stamp, Value};

/// The reader.
#[derive(Clone, Debug, Default)]
pub struct Journalctl {
    /// The machine of lines with the seconds since boot, as most of them name it: `dmesg` writes such lines as well, without any.
    host: Option<Box<str>>,
}

const NAME: &str = "journald";

impl Format for Journalctl {
    fn name(&self) -> &'static str {
        "journalctl"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if is_remark(text) {
            // What it says of its own doing is no event; the dates in it are none of one either.
            record.format = NAME;
            return Some(90);
        }
        if let Some(stamp) = verbose(text) {
            let pairs: Vec<(&'a str, &'a str)> = text.split('\n').skip(1).filter_map(|line| line.trim_start().split_once('=')).collect();
            journal::put_fields(cx, &pairs, record);
            record.stamp = Some(stamp);
            return Some(92);
        }
        if let Some((uptime, head)) = self.monotonic(text).filter(|_| cx.depth == 0) {
            record.format = NAME;
            rfc3164::put_head(cx, &head, record);
            fill::once(record, Key::Uptime, Value::Duration(uptime));
            return Some(82);
        }
        let (stamp, head) = short(text)?;
        record.format = NAME;
        record.stamp = Some(stamp);
        rfc3164::put_head(cx, &head, record);
        Some(82)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        is_remark(line) || verbose(line).is_some() || short(line).is_some() || self.monotonic(line).is_some()
    }

    fn learn(&self, head: &[&str]) -> Option<Arc<dyn Format>> {
        let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
        head.iter().filter_map(|text| self.monotonic(text)).for_each(|(_, head)| *hosts.entry(head.host).or_default() += 1);
        let (host, _) = hosts.into_iter().max_by_key(|(host, n)| (*n, std::cmp::Reverse(*host)))?;
        Some(Arc::new(Journalctl { host: Some(host.into()) }))
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

impl Journalctl {
    /// `[ 8123.456789] web1 shop[42]: text`. A line that names neither a process nor the kernel may be the kernel's own, so its host must be known.
    fn monotonic<'a>(&self, text: &'a str) -> Option<(i64, Head<'a>)> {
        let (clock, rest) = text.strip_prefix('[')?.split_once("] ")?;
        let (seconds, micros) = clock.trim_start().split_once('.').filter(|(_, micros)| micros.len() == 6)?;
        let digits = |text: &str| (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(seconds) || !digits(micros) {
            return None;
        }
        let uptime = seconds.parse::<i64>().ok()?.checked_mul(NANOS)?.checked_add(micros.parse::<i64>().ok()?.checked_mul(1000)?)?;
        let head = head(rest);
        let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let known = match &self.host {
            Some(host) => **host == *head.host,
            None => head.tag == "kernel" || !head.pid.is_empty(),
        };
        (known && head.colon && !head.tag.is_empty() && !head.host.is_empty() && head.host.bytes().all(is_name)).then_some((uptime, head))
    }
}

/// `-- Logs begin at ...`, `-- Boot 4f1b... --`, `-- No entries --` (journalctl.c, output_show_journal).
fn is_remark(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("-- ") else { return false };
    if inner.starts_with("cursor: ") || inner.starts_with("Logs begin at ") || inner.starts_with("Journal begins at ") {
        return true;
    }
    let Some(inner) = inner.trim_end().strip_suffix(" --") else { return false };
    matches!(inner, "No entries" | "Reboot")
        || inner.strip_prefix("Boot ").is_some_and(|id| id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'))
}

/// A weekday and a date with its zone: `Fri 2026-11-20 20:31:07 UTC`, `Fri 2026-11-20 20:31:07.123456 CET`.
fn full(text: &str) -> Option<(Stamp, &str)> {
    if text.as_bytes().get(3) != Some(&b' ') || !text.as_bytes().get(4).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let (stamp, used) = stamp::prefix(text)?;
    let rest = text.get(used..)?;
    match stamp.form {
        Form::Explicit => Some((stamp, rest.strip_prefix(' ')?)),
        // A zone whose name means more than one: the time stays local.
        Form::Civil => {
            let (zone, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
            (zone.len() <= 6 && zone.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b'+' | b'-' | b'0'..=b'9')))
                .then_some((stamp, rest))
        }
        _ => None,
    }
}

/// The time of an entry with all its fields: `Fri 2026-11-20 20:31:07.123456 UTC [s=4f1b...;i=1;...]`.
fn verbose(text: &str) -> Option<Stamp> {
    let (stamp, rest) = full(text)?;
    rest.starts_with("[s=").then_some(stamp)
}

/// `Fri 2026-11-20 20:31:07 UTC host tag[7]: text`, `1795206667.123456 host tag[7]: text`.
fn short(text: &str) -> Option<(Stamp, Head<'_>)> {
    let (stamp, rest) = full(text).or_else(|| {
        let (stamp, used) = stamp::epoch(text).filter(|_| text.as_bytes().get(10) == Some(&b'.'))?;
        Some((stamp, text.get(used..)?.strip_prefix(' ')?))
    })?;
    let head = head(rest);
    (!head.host.is_empty() && !head.tag.is_empty() && head.colon).then_some((stamp, head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::read_text;
    use whyline_event::stamp::{Clock, rfc3339};

    fn seen(text: &str) -> Vec<String> {
        let mut list = Vec::new();
        read_text(text, None, &crate::formats::all(), &mut |r| {
            let time = r.stamp.map_or("-".into(), |s| rfc3339(Clock::default().instant(&s), 0));
            let (host, tag) = (r.str(Key::HostName).unwrap_or("-"), r.str(Key::ProcessName).unwrap_or("-"));
            list.push(format!("{time} {} {host} {tag} {}", r.format, r.body));
        });
        list
    }

    #[test]
    fn forms() {
        assert_eq!(
            seen(
                "Fri 2026-11-20 20:31:07 UTC app02 systemd[1]: Started x.service.\nFri 2026-11-20 21:31:08 CET app02 x[8]: up\n-- Boot 4f1b0c2d9e8a4b7f8a1c2d3e4f506172 --\nFri 2026-11-20 20:33:08 UTC app02 kernel: up\n"
            ),
            [
                "2026-11-20T20:31:07Z journald app02 systemd Started x.service.",
                "2026-11-20T20:31:08Z journald app02 x up",
                "2026-11-20T20:31:08Z journald - - -- Boot 4f1b0c2d9e8a4b7f8a1c2d3e4f506172 --",
                "2026-11-20T20:33:08Z journald app02 kernel up",
            ]
        );
        assert_eq!(
            seen(
                "-- Logs begin at Thu 2026-11-05 16:19:40 UTC, end at Fri 2026-11-20 20:40:01 UTC. --\n2026-11-20T20:31:07+0000 app02 x[8]: up\n-- Reboot --\n"
            ),
            [
                "- journald - - -- Logs begin at Thu 2026-11-05 16:19:40 UTC, end at Fri 2026-11-20 20:40:01 UTC. --",
                "2026-11-20T20:31:07Z syslog.rfc3164 app02 x up",
                "2026-11-20T20:31:07Z journald - - -- Reboot --",
            ]
        );
        assert_eq!(seen("1795206667.123456 app02 x[8]: up\n"), ["2026-11-20T20:31:07Z journald app02 x up"]);
        // The seconds since boot; `dmesg` writes them without a host.
        assert_eq!(
            seen("[ 1000.000000] app02 kernel: up\n[ 1000.000001] app02 x[8]: up\n[ 1000.000002] app02 backup: up\n-- Boot 4f1b --\n"),
            ["- journald app02 kernel up", "- journald app02 x up", "- journald app02 backup up", "- journald - - -- Boot 4f1b --"]
        );
        // Half of the lines that name a process are enough to know the host by.
        assert_eq!(
            seen(
                "[ 1000.000000] app02 x[8]: up\n[ 1000.000001] app02 backup: up\n[ 1000.000002] app02 x[8]: down\n[ 1000.000003] app02 backup: down\n"
            ),
            ["- journald app02 x up", "- journald app02 backup up", "- journald app02 x down", "- journald app02 backup down"]
        );
        assert_eq!(
            seen("[ 1000.000000] usb 1-1: new\n[ 1000.000001] systemd[1]: up\n[ 1000.000002] eth0 x: up\n"),
            ["- dmesg - kernel usb 1-1: new", "- dmesg - kernel systemd[1]: up", "- dmesg - kernel eth0 x: up"]
        );
        assert_eq!(seen("-- No entries --\n"), ["- journald - - -- No entries --"]);
        assert_eq!(
            seen(
                "Fri 2026-11-20 20:31:07.123456 UTC [s=4f1b;i=1;b=2;m=3;t=4;x=5]\n    PRIORITY=6\n    _HOSTNAME=app02\n    SYSLOG_IDENTIFIER=x\n    MESSAGE=up\n"
            ),
            ["2026-11-20T20:31:07Z journald app02 x up"]
        );
    }
}
