//! `docker ps -a`, also as podman writes it.

use super::table::Table;
use super::{age, put, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use whyline_event::{Key, Record, Severity, Value};

pub(super) const PS: &str = "command.docker-ps";

pub(super) fn opens(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    if !line.starts_with("CONTAINER ID ") {
        return None;
    }
    let table = Table::of(line);
    table.has(&["CONTAINER ID", "IMAGE", "STATUS", "NAMES"]).then(|| Box::new(Ps { table }) as Box<dyn Section>)
}

struct Ps {
    table: Table,
}

impl Section for Ps {
    fn name(&self) -> &'static str {
        PS
    }

    fn step(&mut self, line: &str) -> Step {
        let id = line.split(' ').next().is_some_and(|w| w.len() >= 12 && w.bytes().all(|b| b.is_ascii_hexdigit()));
        if id || line.starts_with("CONTAINER ID ") { Step::Row } else { Step::Foreign }
    }

    fn read<'a>(&mut self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        if text.starts_with("CONTAINER ID ") {
            return state(record);
        }
        put(record, Key::ContainerId, self.table.cell(text, "CONTAINER ID"));
        put(record, Key::ContainerImage, self.table.cell(text, "IMAGE"));
        put(record, Key::ContainerName, self.table.cell(text, "NAMES"));
        let status = self.table.cell(text, "STATUS");
        let (word, rest) = status.split_once(' ').unwrap_or((status, ""));
        let (code, ago) = match rest.strip_prefix('(').and_then(|r| r.split_once(") ")) {
            Some((code, ago)) => (code.parse::<i64>().ok(), ago),
            None => (None, rest),
        };
        let word = match word {
            "Up" if status.contains("(unhealthy)") => "unhealthy",
            "Up" if status.contains("(Paused)") => "paused",
            "Up" => "running",
            "Exited" => "exited",
            "Restarting" => "restarting",
            "Created" => "created",
            "Dead" => "dead",
            _ => return state(record),
        };
        record.put(Key::ContainerState, Value::Str(word));
        if let Some(code) = code {
            record.put(Key::ExitCode, Value::Int(code));
        }
        match age::docker(ago) {
            Some(age) if word == "exited" => {
                record.put(Key::EventAge, Value::Duration(age));
                if code.is_some_and(|c| c != 0) {
                    record.severity = Some(Severity::Error);
                }
            }
            _ => state(record),
        }
    }
}
