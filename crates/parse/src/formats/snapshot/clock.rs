//! Clocks: `timedatectl`, `chronyc tracking`, `ntpq -p`.

use super::{Plain, number, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use crate::stamp;
use whyline_event::{Key, Record, Severity, Value};

pub(super) const TIMEDATECTL: &str = "command.timedatectl";
pub(super) const CHRONY: &str = "command.chronyc";
pub(super) const NTPQ: &str = "command.ntpq";

/// Lines `name: value` that make one record: `known` tells whether a line is one of them.
fn listed(line: &str, first: &str, known: impl Fn(&str) -> bool) -> Step {
    if line.trim_start().starts_with(first) {
        Step::Row
    } else if known(line) {
        Step::More
    } else {
        Step::Foreign
    }
}

/// What timedatectl says, by names of today and of older versions (systemd, timedatectl.c, `print_status_info`).
const TIMES: [&str; 15] = [
    "Local time:",
    "Universal time:",
    "RTC time:",
    "Time zone:",
    "Timezone:",
    "System clock synchronized:",
    "NTP service:",
    "NTP enabled:",
    "NTP synchronized:",
    "Network time on:",
    "systemd-timesyncd.service active:",
    "RTC in local TZ:",
    "DST active:",
    "Last DST change:",
    "Next DST change:",
];

fn step_timedatectl(line: &str) -> Step {
    listed(line, TIMES[0], |line| TIMES.iter().any(|name| line.trim_start().starts_with(name)))
}

/// All names of `chronyc tracking` are filled up to the same column (chrony, client.c, `print_report`).
fn step_chrony(line: &str) -> Step {
    listed(line, "Reference ID", |line| line.get(16..18) == Some(": "))
}

/// The value of a name, blanks around the colon or not.
fn value<'a>(text: &'a str, names: &[&str]) -> Option<&'a str> {
    text.split('\n').find_map(|line| {
        let (name, value) = line.split_once(':')?;
        names.contains(&name.trim()).then(|| value.trim())
    })
}

/// `Local time: Fri 2026-11-20 22:04:11 CET`, with the others below.
pub(super) fn opens_timedatectl(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let time = line.trim_start().strip_prefix("Local time: ")?;
    stamp::prefix(time)?;
    Some(Box::new(Plain { name: TIMEDATECTL, step: step_timedatectl, read: read_timedatectl, blanks: false }))
}

fn read_timedatectl<'a>(_cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    state(record);
    let time = value(text, &["Universal time"]).or_else(|| value(text, &["Local time"]));
    record.stamp = time.and_then(stamp::prefix).map(|(stamp, _)| stamp);
    if let Some(word) = value(text, &["System clock synchronized", "NTP synchronized"]) {
        synced(record, word == "yes");
    }
}

fn synced(record: &mut Record<'_>, yes: bool) {
    record.put(Key::ClockSynced, Value::Str(if yes { "yes" } else { "no" }));
    if !yes {
        record.severity = Some(Severity::Warn);
    }
}

/// `Reference ID    : C0000201 (ntp.example.com)`.
pub(super) fn opens_chrony(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let known = line.starts_with("Reference ID    : ");
    known.then(|| Box::new(Plain { name: CHRONY, step: step_chrony, read: read_chrony, blanks: false }) as Box<dyn Section>)
}

fn read_chrony<'a>(_cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    state(record);
    if let Some(leap) = value(text, &["Leap status"]) {
        synced(record, leap != "Not synchronised");
    }
    // `0.000012345 seconds slow of NTP time`
    let offset = value(text, &["System time"]).and_then(|v| v.split(' ').next()).and_then(number);
    if let Some(offset) = offset {
        record.put(Key::ClockOffset, offset);
    }
}

/// `remote refid st t when poll reach delay offset jitter`.
pub(super) fn opens_ntpq(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let heads = ["remote", "refid", "st", "t", "when", "poll", "reach", "delay", "offset", "jitter"];
    let known = line.split_whitespace().eq(heads);
    let step = |line: &str| {
        let row = line.starts_with("====") || line.split_whitespace().count() == 10;
        if row { Step::Row } else { Step::Foreign }
    };
    known.then(|| Box::new(Plain { name: NTPQ, step, read: read_ntpq, blanks: false }) as Box<dyn Section>)
}

fn read_ntpq<'a>(_cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    state(record);
    // The peer that the clock follows has a star before it; offsets are milliseconds, with their sign.
    if text.starts_with('*')
        && let Some(millis) = text.split_whitespace().nth(8).and_then(|w| w.trim_start_matches(['-', '+']).parse::<f64>().ok())
    {
        record.put(Key::ClockOffset, Value::Float(millis / 1000.0));
    }
}
