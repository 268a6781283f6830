//! `ps aux` and `ps -ef`.

use super::{share, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use whyline_event::{Key, Record, Value};

pub(super) const PS: &str = "command.ps";

pub(super) fn opens(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let heads: Vec<String> = line.split_whitespace().map(str::to_string).collect();
    let first = heads.first().is_some_and(|h| matches!(h.as_str(), "USER" | "UID" | "PID"));
    let last = heads.last().is_some_and(|h| matches!(h.as_str(), "COMMAND" | "CMD"));
    // The table of top has a head of the same kind, below its own.
    let known = first && last && heads.len() >= 4 && heads.iter().any(|h| h == "PID") && !heads.iter().any(|h| h == "VIRT");
    known.then(|| Box::new(Ps { heads }) as Box<dyn Section>)
}

struct Ps {
    heads: Vec<String>,
}

impl Ps {
    fn at(&self, head: &str) -> Option<usize> {
        self.heads.iter().position(|h| h == head)
    }
}

impl Section for Ps {
    fn name(&self) -> &'static str {
        PS
    }

    fn step(&mut self, line: &str) -> Step {
        let words: Vec<&str> = line.split_whitespace().take(self.heads.len()).collect();
        let pid = self.at("PID").and_then(|at| words.get(at));
        let row = pid.is_some_and(|p| *p == "PID" || p.bytes().all(|b| b.is_ascii_digit() || b == b'-')) && words.len() == self.heads.len();
        if row { Step::Row } else { Step::Foreign }
    }

    fn read<'a>(&mut self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        state(record);
        let words: Vec<&str> = text.split_whitespace().collect();
        let cell = |head: &str| self.at(head).and_then(|at| words.get(at)).copied();
        let Some(pid) = cell("PID").and_then(|p| p.parse().ok()) else { return };
        record.put(Key::ProcessPid, Value::Int(pid));
        record.put_str(Key::User, cell("USER").or_else(|| cell("UID")).unwrap_or(""));
        if let Some(first) = words.get(self.heads.len().saturating_sub(1)) {
            let name = first.trim_end_matches(':');
            record.put_str(Key::ProcessName, if name.starts_with('/') { name.rsplit('/').next().unwrap_or(name) } else { name });
            record.put_str(Key::Command, after_words(text, self.heads.len().saturating_sub(1)));
        }
        record.put_other("process.state", Value::Str(cell("STAT").or_else(|| cell("S")).unwrap_or("")));
        for (name, head) in [("process.cpu.utilization", "%CPU"), ("process.memory.utilization", "%MEM")] {
            if let Some(value) = cell(head).and_then(share) {
                record.put_other(name, Value::Float(value));
            }
        }
    }
}

/// What stands behind so many words.
fn after_words(text: &str, count: usize) -> &str {
    let mut rest = text.trim_start();
    for _ in 0..count {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        rest = rest.get(end..).unwrap_or("").trim_start();
    }
    rest
}
