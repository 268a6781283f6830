//! `systemctl status` and the lists of `systemctl list-units`, `systemctl --failed`.

use super::{Plain, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use crate::stamp;
use whyline_event::{Key, Record, Severity, Value};

pub(super) const STATUS: &str = "command.systemctl-status";
pub(super) const LIST: &str = "command.systemctl";

/// The dot before a unit: full, failed, empty, in transition; `*` where the terminal has no others.
pub(super) const DOTS: [char; 7] = ['●', '×', '○', '↻', '*', '✗', '•'];

/// The unit that a word names, by its ending.
fn is_unit(word: &str) -> bool {
    let endings = ["service", "socket", "timer", "mount", "target", "path", "slice", "scope", "swap", "device", "automount"];
    word.rsplit_once('.').is_some_and(|(name, ending)| !name.is_empty() && endings.contains(&ending))
}

/// `● nginx.service - A high performance web server`, then indented lines of properties.
pub(super) fn opens_status(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let (unit, rest) =
        line.strip_prefix(DOTS)?.strip_prefix(' ')?.split_once(' ').unwrap_or((line.get(line.char_indices().nth(2)?.0..)?, ""));
    let known = is_unit(unit.trim_end()) && (rest.is_empty() || rest.starts_with("- "));
    let step = |line: &str| {
        if line.starts_with(DOTS) {
            Step::Row
        } else if line.starts_with(' ') || line.starts_with("TriggeredBy:") {
            // Names are right-aligned; the longest one begins at the margin.
            Step::More
        } else {
            Step::Foreign
        }
    };
    known.then(|| Box::new(Plain { name: STATUS, step, read: read_status, blanks: false }) as Box<dyn Section>)
}

fn read_status<'a>(_cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    let unit = text.trim_start_matches(DOTS).split_whitespace().next().unwrap_or("");
    record.put_str(Key::Unit, unit);
    let property = |name: &str| text.lines().find_map(|line| line.trim_start().strip_prefix(name)).map(str::trim);
    let Some(active) = property("Active:") else { return state(record) };
    let words = active.split(" since ").next().unwrap_or(active);
    let (word, sub) = words.split_once(' ').unwrap_or((words, ""));
    record.put_str(Key::UnitState, word);
    let sub = sub.trim().trim_matches(['(', ')']);
    if let Some(result) = sub.split("Result: ").nth(1) {
        record.put_str(Key::UnitResult, result.trim_end_matches(')'));
    }
    record.put_str(Key::UnitSubState, sub.split([' ', ')']).next().filter(|s| *s != "Result:").unwrap_or(""));
    exit(property("Main PID:").or_else(|| property("Process:")), record);
    if let Some(rest) = property("Status:") {
        record.put_other("systemd.unit.status_text", Value::Str(rest.trim_matches('"')));
    }
    let since = active.split_once(" since ").and_then(|(_, since)| stamp::prefix(since)).map(|(stamp, _)| stamp);
    // That a service runs says when it was looked at; that it ended, when it did.
    if matches!(word, "active" | "reloading") || since.is_none() {
        return state(record);
    }
    record.stamp = since;
    if word == "failed" {
        record.severity = Some(Severity::Error);
    }
}

/// `811 (code=exited, status=1/FAILURE)`, `811 (code=killed, signal=KILL)`.
fn exit<'a>(text: Option<&'a str>, record: &mut Record<'a>) {
    let Some(inside) = text.and_then(|t| t.split_once("(code=")).map(|(_, rest)| rest.trim_end_matches(')')) else { return };
    for part in inside.split(", ") {
        if let Some(status) = part.strip_prefix("status=") {
            let code = status.split('/').next().unwrap_or(status);
            if let Ok(code) = code.parse() {
                record.put(Key::ExitCode, Value::Int(code));
            }
        } else if let Some(signal) = part.strip_prefix("signal=") {
            record.put_str(Key::Signal, signal);
        }
    }
}

/// `UNIT LOAD ACTIVE SUB DESCRIPTION`.
pub(super) fn opens_list(line: &str, bare: bool) -> Option<Box<dyn Section>> {
    let heads: Vec<&str> = line.split_whitespace().collect();
    let head = heads.starts_with(&["UNIT", "LOAD", "ACTIVE", "SUB"]);
    let known = head || bare && row(line).is_some_and(|r| matches!(r[1], "loaded" | "not-found") && r[2] == "failed");
    let step = |line: &str| {
        let head = line.trim_start().starts_with("UNIT ");
        if head || row(line).is_some() { Step::Row } else { Step::Foreign }
    };
    known.then(|| Box::new(Plain { name: LIST, step, read: read_list, blanks: false }) as Box<dyn Section>)
}

/// Unit, load, active, sub.
fn row(line: &str) -> Option<[&str; 4]> {
    let mut words = line.trim_start().trim_start_matches(DOTS).split_whitespace();
    let row = [words.next()?, words.next()?, words.next()?, words.next()?];
    let loads = ["loaded", "not-found", "masked", "error", "bad-setting", "merged", "stub"];
    (is_unit(row[0]) && loads.contains(&row[1])).then_some(row)
}

fn read_list<'a>(_cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    state(record);
    let Some([unit, _, active, sub]) = row(text) else { return };
    record.put_str(Key::Unit, unit);
    record.put_str(Key::UnitState, active);
    record.put_str(Key::UnitSubState, sub);
    if active == "failed" {
        record.severity = Some(Severity::Error);
    }
}
