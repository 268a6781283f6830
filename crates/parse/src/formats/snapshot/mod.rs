//! Output of commands that people bring beside the logs: what was full, what listened, what ran when they looked.
//!
//! One file a family of commands. Each row that says something is a record; its text is the row as written. A row shows a *state*
//! ([`Key::EventKind`]) unless it names the time at which something happened: then that is its time. What a row means is
//! recognised by the head of its table and by the shape of the row, never by the name of the file.

mod age;
mod certificate;
mod clock;
mod describe;
mod disk;
mod docker;
mod kubectl;
mod load;
mod memory;
mod processes;
mod shell;
mod sockets;
mod table;
mod units;

use crate::format::{Cx, Fit, Format};
use crate::section::{Section, Step};
use std::sync::Arc;
use whyline_event::{Key, Record, STATE, Value};

/// The name of lines that only say that a command was run: its prompt, the date before it.
pub const SHELL: &str = "command.shell";

/// Opens the section of a command at its head, or with the second argument at a row whose head was cut off.
type Opener = fn(&str, bool) -> Option<Box<dyn Section>>;

/// The format of a command's output.
struct Command {
    name: &'static str,
    opens: Opener,
}

impl Format for Command {
    fn name(&self) -> &'static str {
        self.name
    }

    /// Lines of commands are read in their sections only.
    fn read<'a>(&self, _cx: &Cx<'a>, _text: &'a str, _record: &mut Record<'a>) -> Option<Fit> {
        None
    }

    fn opens(&self, line: &str, bare: bool) -> Option<Box<dyn Section>> {
        (self.opens)(line, bare)
    }

    fn is_command(&self) -> bool {
        true
    }
}

/// All commands whose output is known.
pub fn commands() -> Vec<Arc<dyn Format>> {
    let list: [(&'static str, Opener); 23] = [
        (SHELL, shell::opens),
        (disk::DF, disk::opens),
        (sockets::SS, sockets::opens_ss),
        (sockets::NETSTAT, sockets::opens_netstat),
        (memory::FREE, memory::opens_free),
        (memory::VMSTAT, memory::opens_vmstat),
        (disk::IOSTAT, disk::opens_iostat),
        (load::UPTIME, load::opens_uptime),
        (load::TOP, load::opens_top),
        (processes::PS, processes::opens),
        (units::STATUS, units::opens_status),
        (units::LIST, units::opens_list),
        (kubectl::PODS, kubectl::opens_pods),
        (kubectl::NODES, kubectl::opens_nodes),
        (kubectl::EVENTS, kubectl::opens_events),
        (kubectl::OTHERS, kubectl::opens_others),
        (describe::DESCRIBE, describe::opens),
        (docker::PS, docker::opens),
        (certificate::S_CLIENT, certificate::opens_s_client),
        (certificate::X509, certificate::opens_x509),
        (clock::TIMEDATECTL, clock::opens_timedatectl),
        (clock::CHRONY, clock::opens_chrony),
        (clock::NTPQ, clock::opens_ntpq),
    ];
    list.into_iter().map(|(name, opens)| Arc::new(Command { name, opens }) as Arc<dyn Format>).collect()
}

/// How the heads of all commands begin, blanks left out.
const HEADS: &[&str] = &[
    "Filesystem ",
    "State ",
    "Netid ",
    "Active Internet connections",
    "Proto ",
    "total ",
    "procs ",
    "avg-cpu:",
    "Device",
    "top - ",
    "USER ",
    "UID ",
    "PID ",
    "UNIT ",
    "NAME ",
    "NAMESPACE ",
    "LAST SEEN ",
    "Name:",
    "CONTAINER ID ",
    "CONNECTED(",
    "Certificate:",
    "Local time: ",
    "Reference ID ",
    "remote ",
];

/// The letters with which heads begin.
const FIRST: [bool; 256] = {
    let mut first = [false; 256];
    let mut at = 0;
    while at < HEADS.len() {
        first[HEADS[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    first
};

/// Whether a line could be the head of a command's output: cheaply, so that it can be asked of any line of a log.
pub fn may_open(line: &str) -> bool {
    let bare = line.trim_start_matches(' ');
    begins_like_head(bare.as_bytes())
        && match bare.as_bytes().first() {
            Some(b'0'..=b'9') => bare.contains("load average"),
            Some(b'*' | 0x80..) => bare.starts_with(units::DOTS),
            _ => true,
        }
}

/// Whether a text, of which the end need not be known, begins like the head of a command's output.
pub fn begins_like_head(text: &[u8]) -> bool {
    let blanks = text.iter().take_while(|b| **b == b' ').count();
    let bare = text.get(blanks..).unwrap_or(&[]);
    match bare.first() {
        None => false,
        // A time of day.
        Some(b'0'..=b'9') => bare.iter().skip(1).take(2).any(|b| *b == b':'),
        Some(b'*' | 0x80..) => true,
        Some(first) => FIRST[usize::from(*first)] && HEADS.iter().any(|head| bare.starts_with(head.as_bytes())),
    }
}

/// A section that needs no memory: each row is understood by itself.
struct Plain {
    name: &'static str,
    step: fn(&str) -> Step,
    read: for<'a> fn(&Cx<'a>, &'a str, &mut Record<'a>),
    /// Blank lines are part of the output.
    blanks: bool,
}

impl Section for Plain {
    fn name(&self) -> &'static str {
        self.name
    }

    fn step(&mut self, line: &str) -> Step {
        (self.step)(line)
    }

    fn read<'a>(&mut self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        (self.read)(cx, text, record);
    }

    fn ends_at_blank(&self) -> bool {
        !self.blanks
    }
}

/// Marks a record as one that shows a state.
fn state(record: &mut Record<'_>) {
    record.put(Key::EventKind, Value::Str(STATE));
}

/// Adds a text unless it stands for nothing: `-`, `<none>`, `<unset>`.
fn put<'a>(record: &mut Record<'a>, key: Key, text: &'a str) {
    let text = text.trim();
    if !(text.starts_with('<') && text.ends_with('>')) {
        record.put_str(key, text);
    }
}

/// A number as a value; whole numbers stay whole.
fn number(text: &str) -> Option<Value<'static>> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.len() < 18;
    plain.then(|| text.parse::<f64>().ok()).flatten().map(Value::Float)
}

/// A share from a percentage, with its sign or without: `83%` is 0.83.
fn share(text: &str) -> Option<f64> {
    let text = text.strip_suffix('%').unwrap_or(text);
    let plain = !text.is_empty() && text.len() < 12 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    // Divided once, so that 100 % is exactly 1.
    plain.then(|| text.parse::<f64>().ok()).flatten().map(|n| n / 100.0)
}

/// Adds a share where there is one.
fn put_share(record: &mut Record<'_>, key: Key, value: Option<f64>) {
    if let Some(value) = value {
        record.put(key, Value::Float(value));
    }
}

/// An amount with a unit in powers of 1024, as `free -h` and `top` write it: `7.7Gi`, `512M`, `0B`, `8056132`. In no fixed unit
/// where none is written: amounts of one table are compared with each other only.
fn amount(text: &str) -> Option<f64> {
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b',')).count();
    let (value, unit) = text.split_at(digits);
    let value: f64 = value.replace(',', ".").parse().ok()?;
    let power = match unit.trim_end_matches('B').trim_end_matches('i') {
        "" => 0,
        "K" | "k" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        _ => return None,
    };
    Some(value * 1024f64.powi(power))
}

#[cfg(test)]
pub(crate) mod tests;
