//! Load: `uptime`, the first line of `w`, and the head of `top -b`.

use super::{Plain, amount, number, put_share, share, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use crate::stamp;
use whyline_event::{Key, Record, Value};

pub(super) const UPTIME: &str = "command.uptime";
pub(super) const TOP: &str = "command.top";

/// ` 21:04:07 up 3 days,  2:01,  2 users,  load average: 12.01, 8.22, 3.10`.
pub(super) fn opens_uptime(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let head = line.trim_start();
    let known = head.as_bytes().first().is_some_and(u8::is_ascii_digit) && is_load(head);
    let step = |line: &str| {
        // The users that `w` lists follow.
        let row = is_load(line) || line.starts_with("USER ") && line.contains("LOGIN@") || line.contains(" pts/") || line.contains(" tty");
        if row { Step::Row } else { Step::Foreign }
    };
    known.then(|| Box::new(Plain { name: UPTIME, step, read: read_uptime, blanks: false }) as Box<dyn Section>)
}

fn is_load(line: &str) -> bool {
    line.contains(" up ") && (line.contains("load average: ") || line.contains("load averages: "))
}

fn read_uptime<'a>(_cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    state(record);
    if !is_load(text) {
        return;
    }
    let head = text.trim_start().strip_prefix("top - ").unwrap_or(text.trim_start());
    record.stamp = stamp::prefix(head).map(|(stamp, _)| stamp);
    let load = text.split_once("load average").and_then(|(_, rest)| rest.split_once(": ")).map(|(_, rest)| rest);
    let first = load.and_then(|l| l.split([',', ' ']).next());
    if let Some(value) = first.and_then(number) {
        record.put(Key::Load, value);
    }
}

/// `top - 21:04:07 up 3 days, ...`.
pub(super) fn opens_top(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let known = line.starts_with("top - ") && is_load(line);
    let step = |line: &str| {
        let head = ["top - ", "Tasks:", "Threads:", "%Cpu", "Cpu(s):", "MiB ", "KiB ", "GiB ", "Mem:", "Swap:"]
            .iter()
            .any(|h| line.starts_with(h));
        let words = line.split_whitespace().count();
        let numbered = line.split_whitespace().next().is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit()));
        let table = line.trim_start().starts_with("PID ") || numbered && words >= 11;
        if head || table { Step::Row } else { Step::Foreign }
    };
    known.then(|| Box::new(Plain { name: TOP, step, read: read_top, blanks: true }) as Box<dyn Section>)
}

fn read_top<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    if text.starts_with("top - ") {
        return read_uptime(cx, text, record);
    }
    state(record);
    if text.starts_with("%Cpu") || text.starts_with("Cpu(s)") {
        return processors(text, record);
    }
    if let Some(rest) = text.get(4..).filter(|_| text.as_bytes().get(1..4) == Some(b"iB ")) {
        return memory(rest, record);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    if let [pid, user, .., _, _, program] = words[..]
        && let Ok(pid) = pid.parse()
    {
        record.put(Key::ProcessPid, Value::Int(pid));
        record.put_str(Key::User, user);
        record.put_str(Key::ProcessName, program);
        for (name, at) in [("process.cpu.utilization", 8), ("process.memory.utilization", 9)] {
            if let Some(value) = words.get(at).and_then(|w| share(w)) {
                record.put_other(name, Value::Float(value));
            }
        }
    }
}

/// `%Cpu(s):  1.2 us,  0.3 sy,  0.0 ni, 98.1 id,  0.4 wa,  0.0 hi,  0.0 si,  0.0 st`.
fn processors(text: &str, record: &mut Record<'_>) {
    let Some((_, rest)) = text.split_once(':') else { return };
    for part in rest.split(',') {
        let part = part.trim().replace('%', " ");
        let mut words = part.split_whitespace();
        let (Some(value), Some(kind)) = (words.next(), words.next()) else { continue };
        let key = match kind {
            "id" => Key::CpuIdle,
            "wa" => Key::CpuIoWait,
            "st" => Key::CpuSteal,
            _ => continue,
        };
        put_share(record, key, share(value));
    }
}

/// `Mem :   7812.4 total,    120.0 free, ...` and `Swap:   2048.0 total, ...    611.2 avail Mem`.
fn memory(rest: &str, record: &mut Record<'_>) {
    let Some((name, cells)) = rest.split_once(':') else { return };
    let mut found = (None, None, None);
    for part in cells.split([',', ';']).flat_map(|p| p.split(". ")) {
        let mut words = part.split_whitespace();
        let (Some(value), Some(kind)) = (words.next().and_then(amount), words.next()) else { continue };
        match kind {
            "total" => found.0 = Some(value),
            "free" => found.1 = Some(value),
            "buff/cache" => found.2 = Some(value),
            _ => {}
        }
    }
    let (Some(total), Some(free)) = (found.0.filter(|t| *t > 0.0), found.1) else { return };
    if name.trim() == "Swap" {
        put_share(record, Key::SwapUsed, Some((1.0 - free / total).max(0.0)));
    } else {
        put_share(record, Key::MemoryUsed, Some((1.0 - (free + found.2.unwrap_or(0.0)) / total).max(0.0)));
    }
}
