//! Disks: `df` in all its forms, `iostat -x`.

use super::{Plain, put, put_share, share, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use whyline_event::{Key, Record, Value};

pub(super) const DF: &str = "command.df";
pub(super) const IOSTAT: &str = "command.iostat";

/// `Filesystem 1K-blocks Used Available Use% Mounted on`, with `-h`, `-T`, `-P`, `-i`, `-k`, and as the BSDs write it.
pub(super) fn opens(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    if !line.starts_with("Filesystem ") || !line.contains("Mounted on") {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let inodes = words.contains(&"IUse%");
    if !(inodes || words.contains(&"Use%") || words.contains(&"Capacity")) {
        return None;
    }
    Some(Box::new(Df { inodes, typed: words.get(1) == Some(&"Type"), wrapped: false }))
}

struct Df {
    inodes: bool,
    typed: bool,
    /// A name that left no room for its row: that follows on a line of its own.
    wrapped: bool,
}

impl Section for Df {
    fn name(&self) -> &'static str {
        DF
    }

    fn step(&mut self, line: &str) -> Step {
        let words = line.split_whitespace().count();
        if std::mem::take(&mut self.wrapped) && line.starts_with(' ') {
            return Step::More;
        }
        self.wrapped = words == 1 && (line.starts_with('/') || line.contains(':'));
        let row = line.starts_with("Filesystem ") || line.starts_with("df: ") || self.wrapped;
        let told = || line.split_whitespace().skip(2).any(|w| w.ends_with('%') || w == "-");
        if !line.starts_with(' ') && (row || words >= 5 && told()) { Step::Row } else { Step::Foreign }
    }

    fn read<'a>(&mut self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        state(record);
        let words: Vec<&str> = text.split_whitespace().collect();
        let Some(at) = words.iter().skip(2).position(|w| w.ends_with('%')).map(|p| p + 2) else { return };
        let Some(used) = words.get(at).and_then(|w| share(w)) else { return };
        put(record, Key::Device, words.first().unwrap_or(&""));
        if self.typed {
            put(record, Key::FsType, words.get(1).unwrap_or(&""));
        }
        // The BSDs put the inodes between the percentage and the mount.
        let mount = text.find("% ").and_then(|p| text.get(p..)).and_then(|rest| rest.find(" /").and_then(|p| rest.get(p + 1..)));
        put(record, Key::Mountpoint, mount.unwrap_or("").trim());
        record.put(if self.inodes { Key::InodesUsed } else { Key::FsUsed }, Value::Float(used));
    }
}

/// `iostat`: a head of the machine, then tables of processors and devices; with `-x` the last column is the share of busy time.
pub(super) fn opens_iostat(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let cpu = line.starts_with("avg-cpu:") && line.contains("%iowait");
    let device = line.starts_with("Device") && (line.contains("%util") || line.contains("kB_read/s"));
    if !cpu && !device {
        return None;
    }
    if cpu {
        let step = |line: &str| {
            let number = |w: &str| w.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            if line.starts_with("avg-cpu:") || line.split_whitespace().all(number) { Step::Row } else { Step::Foreign }
        };
        return Some(Box::new(Plain { name: IOSTAT, step, read: read_cpu, blanks: false }));
    }
    let heads = line.split_whitespace().count();
    let busy = line.trim_end().ends_with("%util");
    Some(Box::new(Devices { heads, busy }))
}

fn read_cpu<'a>(_cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    state(record);
    let cells: Vec<&str> = text.split_whitespace().collect();
    // %user %nice %system %iowait %steal %idle
    if let [_, _, _, wait, steal, idle] = cells[..] {
        put_share(record, Key::CpuIoWait, share(wait));
        put_share(record, Key::CpuSteal, share(steal));
        put_share(record, Key::CpuIdle, share(idle));
    }
}

struct Devices {
    heads: usize,
    busy: bool,
}

impl Section for Devices {
    fn name(&self) -> &'static str {
        IOSTAT
    }

    fn step(&mut self, line: &str) -> Step {
        if line.split_whitespace().count() == self.heads { Step::Row } else { Step::Foreign }
    }

    fn read<'a>(&mut self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        state(record);
        let mut cells = text.split_whitespace();
        let (Some(device), Some(last)) = (cells.next(), cells.last()) else { return };
        if self.busy && last != "%util" {
            put(record, Key::Device, device);
            put_share(record, Key::DiskBusy, share(last));
        }
    }
}
