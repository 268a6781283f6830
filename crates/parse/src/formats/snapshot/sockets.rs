//! Sockets: `ss` and `netstat` in their usual forms. What a row tells of a listening socket matters most: who listens where, and
//! whether its queue is full.

use super::state;
use crate::format::Cx;
use crate::section::{Section, Step};
use whyline_event::{Key, Record, Value};

pub(super) const SS: &str = "command.ss";
pub(super) const NETSTAT: &str = "command.netstat";

/// `State Recv-Q Send-Q Local Address:Port Peer Address:Port Process`, with `Netid` before it where several kinds are listed.
pub(super) fn opens_ss(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let head = line.trim_start();
    let known = (head.starts_with("State ") || head.starts_with("Netid ")) && head.contains("Local Address:Port");
    known.then(|| Box::new(Sockets { name: SS, netid: head.starts_with("Netid ") }) as Box<dyn Section>)
}

/// `Proto Recv-Q Send-Q Local Address Foreign Address State PID/Program name`.
pub(super) fn opens_netstat(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let known =
        line.starts_with("Active Internet connections") || line.starts_with("Proto Recv-Q Send-Q") && line.contains("Local Address");
    known.then(|| Box::new(Sockets { name: NETSTAT, netid: false }) as Box<dyn Section>)
}

struct Sockets {
    name: &'static str,
    netid: bool,
}

/// What a row says.
#[derive(Default)]
struct Row<'a> {
    transport: &'a str,
    state: &'a str,
    queues: (&'a str, &'a str),
    local: &'a str,
    peer: &'a str,
    program: &'a str,
    pid: &'a str,
}

impl Section for Sockets {
    fn name(&self) -> &'static str {
        self.name
    }

    fn step(&mut self, line: &str) -> Step {
        let head = ["State ", "Netid ", "Active Internet", "Proto Recv-Q"].iter().any(|h| line.starts_with(h));
        if head || self.row(line).is_some() {
            Step::Row
        } else if line.starts_with(['\t', ' ']) {
            // `ss -i`, `-e`, `-m` tell more of a socket on a second line.
            Step::More
        } else {
            Step::Foreign
        }
    }

    fn read<'a>(&mut self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        state(record);
        let Some(row) = self.row(text.split('\n').next().unwrap_or("")) else { return };
        let word = match row.state {
            "LISTEN" => "listen",
            "UNCONN" => "unconnected",
            "ESTAB" | "ESTABLISHED" => "established",
            "CLOSE-WAIT" | "CLOSE_WAIT" => "close_wait",
            "TIME-WAIT" | "TIME_WAIT" => "time_wait",
            "SYN-SENT" | "SYN_SENT" => "syn_sent",
            "SYN-RECV" | "SYN_RECV" => "syn_received",
            other => other,
        };
        record.put_str(Key::Transport, row.transport.trim_end_matches('6'));
        record.put_str(Key::SocketState, word);
        // `*:80`, `[::]:80`, `:::80`, `127.0.0.53%lo:53`.
        let (host, port) = row.local.rsplit_once(':').unwrap_or((row.local, ""));
        record.put_str(Key::ServerAddress, host.split('%').next().unwrap_or(host).trim_matches(['[', ']']));
        if let Ok(port) = port.parse::<u16>() {
            record.put(Key::ServerPort, Value::Int(i64::from(port)));
        }
        if word != "listen" && word != "unconnected" {
            record.put_other("network.peer", Value::Str(row.peer));
        }
        record.put_str(Key::ProcessName, row.program);
        if let Ok(pid) = row.pid.parse() {
            record.put(Key::ProcessPid, Value::Int(pid));
        }
        // Of a listening socket ss tells the length of the queue and its limit.
        if word == "listen"
            && self.name == SS
            && let (Ok(waiting), Ok(limit)) = (row.queues.0.parse::<f64>(), row.queues.1.parse::<f64>())
            && limit > 0.0
        {
            record.put(Key::BacklogUsed, Value::Float(waiting / limit));
        }
    }
}

impl Sockets {
    fn row<'a>(&self, line: &'a str) -> Option<Row<'a>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_number = |w: Option<&&str>| w.is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit()));
        if self.name == NETSTAT {
            if !is_number(words.get(1))
                || !is_number(words.get(2))
                || !matches!(words.first().map(|w| w.trim_end_matches('6')), Some("tcp" | "udp"))
            {
                return None;
            }
            let stated = words
                .get(5)
                .is_some_and(|w| w.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit()) && !is_number(Some(w)));
            // `-e` puts user and inode before the program.
            let owner = words.iter().skip(5).find_map(|w| w.split_once('/').filter(|(pid, _)| is_number(Some(pid)) && !pid.is_empty()));
            let (pid, program) = owner.unwrap_or(("", ""));
            return Some(Row {
                transport: words.first()?,
                state: if stated { words.get(5)? } else { "UNCONN" },
                queues: (words.get(1)?, words.get(2)?),
                local: words.get(3)?,
                peer: words.get(4)?,
                program: program.trim_end_matches(':'),
                pid,
            });
        }
        let skip = usize::from(self.netid);
        if !is_number(words.get(skip + 1)) || !is_number(words.get(skip + 2)) {
            return None;
        }
        let users = line.find("users:((").and_then(|at| line.get(at + 8..)).unwrap_or("");
        let program = users.strip_prefix('"').and_then(|u| u.split('"').next()).unwrap_or("");
        let pid = users.find("pid=").and_then(|at| users.get(at + 4..)).map_or("", |p| p.split([',', ')']).next().unwrap_or(""));
        let transport = if self.netid { *words.first()? } else { "tcp" };
        Some(Row {
            transport,
            state: words.get(skip)?,
            queues: (words.get(skip + 1)?, words.get(skip + 2)?),
            local: words.get(skip + 3)?,
            peer: words.get(skip + 4).copied().unwrap_or(""),
            program,
            pid,
        })
    }
}
