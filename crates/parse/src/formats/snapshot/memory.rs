//! Memory: `free` and `vmstat`.

use super::{amount, put_share, share, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use whyline_event::{Key, Record};

pub(super) const FREE: &str = "command.free";
pub(super) const VMSTAT: &str = "command.vmstat";

/// `total used free shared buff/cache available`, and the older `... buffers cached`.
pub(super) fn opens_free(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let heads: Vec<&str> = line.split_whitespace().collect();
    let known = line.starts_with(' ') && heads.starts_with(&["total", "used", "free"]) && heads.len() >= 5;
    known.then(|| Box::new(Free { heads: heads.into_iter().map(str::to_string).collect() }) as Box<dyn Section>)
}

struct Free {
    heads: Vec<String>,
}

impl Free {
    fn cell(&self, cells: &[&str], head: &str) -> Option<f64> {
        let at = self.heads.iter().position(|h| h == head)?;
        amount(cells.get(at)?)
    }
}

impl Section for Free {
    fn name(&self) -> &'static str {
        FREE
    }

    fn step(&mut self, line: &str) -> Step {
        let row = ["Mem:", "Swap:", "-/+ buffers/cache:", "Low:", "High:", "Total:", "Comm:"].iter().any(|h| line.starts_with(h));
        if row || line.trim_start().starts_with("total ") { Step::Row } else { Step::Foreign }
    }

    fn read<'a>(&mut self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        state(record);
        let Some((name, rest)) = text.split_once(':') else { return };
        let cells: Vec<&str> = rest.split_whitespace().collect();
        let Some(total) = self.cell(&cells, "total").filter(|t| *t > 0.0) else { return };
        match name {
            "Mem" => {
                // What the kernel would give back at once is not used up.
                let free = |cells: &[&str]| -> Option<f64> {
                    let kept = ["buffers", "cached", "buff/cache"].iter().filter_map(|h| self.cell(cells, h)).sum::<f64>();
                    Some(self.cell(cells, "free")? + kept)
                };
                let available = self.cell(&cells, "available").or_else(|| free(&cells));
                put_share(record, Key::MemoryUsed, available.map(|a| (1.0 - a / total).max(0.0)));
            }
            "Swap" => put_share(record, Key::SwapUsed, self.cell(&cells, "used").map(|used| used / total)),
            _ => {}
        }
    }
}

/// `procs ---memory---` and the heads below it.
pub(super) fn opens_vmstat(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let known = line.starts_with("procs ") && line.contains("-memory-") && line.contains("-cpu-");
    known.then(|| Box::new(Vmstat { heads: Vec::new() }) as Box<dyn Section>)
}

struct Vmstat {
    heads: Vec<String>,
}

impl Section for Vmstat {
    fn name(&self) -> &'static str {
        VMSTAT
    }

    fn step(&mut self, line: &str) -> Step {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.starts_with(&["r", "b"]) {
            self.heads = words.into_iter().map(str::to_string).collect();
            return Step::Row;
        }
        let numbers = words.len() >= 16 && words.iter().take(16).all(|w| w.bytes().all(|b| b.is_ascii_digit()));
        if line.starts_with("procs ") || numbers { Step::Row } else { Step::Foreign }
    }

    fn read<'a>(&mut self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        state(record);
        let cells: Vec<&str> = text.split_whitespace().collect();
        let cell = |head: &str| self.heads.iter().position(|h| h == head).and_then(|at| cells.get(at)).and_then(|c| share(c));
        put_share(record, Key::CpuIdle, cell("id"));
        put_share(record, Key::CpuIoWait, cell("wa"));
        put_share(record, Key::CpuSteal, cell("st"));
    }
}
