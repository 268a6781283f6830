//! What the Linux kernel writes: firewall lines, killed and crashed processes.

use crate::formats::{fill, message};
use crate::places::places;
use crate::seek::{Needle, near};
use whyline_event::{Key, Name, Record, Severity, Value, address};

const SOURCE: Needle = Needle::new("SRC=");
const DESTINATION: Needle = Needle::new("DST=");
const SEGFAULT: Needle = Needle::new(": segfault at ");
const PROTECTION: Needle = Needle::new("] general protection");
const KILLED: Needle = Needle::new("Killed process ");
const INVOKED: Needle = Needle::new(" invoked oom-killer");
const COLON: Needle = Needle::new(": ");
const INPUT: Needle = Needle::new("IN=");

/// Reads a message of the kernel. Its own clock (`[  123.456]`), seconds since boot, is dropped from the body.
pub fn read<'a>(text: &'a str, record: &mut Record<'a>) {
    let (clock, text) = after_clock(text);
    if let Some(uptime) = clock.and_then(Value::seconds) {
        record.put(Key::Uptime, uptime);
    }
    record.body = text;
    if SOURCE.is_in(text) && DESTINATION.is_in(text) {
        firewall(text, record);
        return;
    }
    if text.starts_with("wireguard: ") {
        // The other end stands last, in brackets or not.
        let last = text.trim_end().rsplit([' ', '(']).next().unwrap_or("").trim_end_matches(')');
        if address::is_ip_port(last) {
            fill::client(record, last);
        }
        return;
    }
    if let Some((process, rest)) = SEGFAULT.split(text).or_else(|| PROTECTION.split(text)) {
        crashed(process, rest, record);
        return;
    }
    if let Some(process) = KILLED.after(text) {
        killed(process, record);
        fill::once(record, Key::Action, Value::Str("oom-kill"));
        if record.severity.is_none() {
            record.severity = Some(Severity::Error);
        }
        return;
    }
    if let Some((process, _)) = INVOKED.split(text) {
        victim(process, record);
        fill::once(record, Key::Action, Value::Str("oom"));
        return;
    }
    message::sentences("kernel", text, record);
    if text.starts_with("oom-kill:") {
        group(text, record);
    }
}

/// The unit or the container whose process was killed, by its group: `task_memcg=/system.slice/shop.service`, `/docker/HASH`,
/// `/kubepods.slice/.../cri-containerd-HASH.scope` (mm/oom_kill.c, dump_oom_summary).
fn group<'a>(text: &'a str, record: &mut Record<'a>) {
    const GROUP: Needle = Needle::new("task_memcg=");
    let Some(path) = GROUP.after(text).and_then(|rest| rest.split(',').next()) else { return };
    let parts = || path.rsplit('/');
    if let Some(unit) = parts().find(|part| part.len() > ".service".len() && part.ends_with(".service")) {
        fill::once_str(record, Key::Unit, unit);
    }
    let is_id = |id: &&str| (12..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
    let id =
        |part: &'a str| Some(part.strip_suffix(".scope").and_then(|scope| scope.rsplit_once('-')).map_or(part, |(_, id)| id)).filter(is_id);
    if let Some(id) = parts().find_map(id) {
        fill::once_str(record, Key::ContainerId, id);
    }
}

/// Whether a text looks like the kernel's: a part of it is named in front.
pub fn speaks(text: &str) -> bool {
    COLON.find(text).is_some_and(|at| at <= 48) || text.starts_with("Linux version ") || text.starts_with("Command line: ")
}

fn after_clock(text: &str) -> (Option<&str>, &str) {
    let Some(rest) = text.trim_start().strip_prefix('[') else { return (None, text) };
    let end = near(rest, b']');
    match end.and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?))) {
        Some((clock, message)) if !clock.trim().is_empty() && clock.trim().bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            (Some(clock.trim()), message.strip_prefix(' ').unwrap_or(message))
        }
        _ => (None, text),
    }
}

/// The process that a line speaks of takes the place of `kernel` only under a name of its own.
fn victim<'a>(name: &'a str, record: &mut Record<'a>) {
    if !name.is_empty() && name.len() < 64 {
        record.put_other("process.victim.name", Value::Str(name));
    }
}

/// `shop[4711]: segfault at 0 ip 000 sp 000 error 4 in shop[400000+1000]`.
fn crashed<'a>(process: &'a str, rest: &'a str, record: &mut Record<'a>) {
    let process = process.strip_prefix("traps: ").unwrap_or(process);
    let (name, pid) = process.split_once('[').unwrap_or((process, ""));
    victim(name, record);
    // Such a line tells of the process alone, as if it had written it.
    if !name.is_empty() && name.len() < 64 {
        record.fields.retain(|field| field.name != Name::Known(Key::ProcessName));
        record.put(Key::ProcessName, Value::Str(name));
    }
    if let Ok(pid) = pid.trim_end_matches(']').parse() {
        record.put_other("process.victim.pid", Value::Int(pid));
    }
    fill::once_str(record, Key::Signal, "SEGV");
    if let Some(at) = rest.find(" in ") {
        let object = rest.get(at + 4..).unwrap_or("");
        fill::once_str(record, Key::File, object.split(['[', ' ']).next().unwrap_or(""));
    }
    if record.severity.is_none() {
        record.severity = Some(Severity::Error);
    }
}

/// `4711 (java) total-vm:...` or `4711, UID 0, (java) ...`.
fn killed<'a>(rest: &'a str, record: &mut Record<'a>) {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if let Some(pid) = rest.get(..digits).and_then(|d| d.parse().ok()) {
        record.put_other("oom.pid", Value::Int(pid));
    }
    if let Some(name) = rest.split_once('(').and_then(|(_, r)| r.split_once(')')).map(|(name, _)| name) {
        victim(name, record);
    }
}

/// A packet that netfilter logged: `[UFW BLOCK] IN=eth0 OUT= ... SRC=.. DST=.. PROTO=TCP SPT=.. DPT=..`.
fn firewall<'a>(text: &'a str, record: &mut Record<'a>) {
    let start = INPUT.find(text).unwrap_or(0);
    let prefix = text.get(..start).unwrap_or("");
    if let Some(action) = action(prefix) {
        fill::once_str(record, Key::Action, action);
    }
    let mut interface = "";
    // Each pair ends at a blank; what stands before its first `=` is its name.
    let pairs = text.get(start..).unwrap_or("");
    let bytes = pairs.as_bytes();
    let (mut from, mut sign) = (0, None);
    for at in places(pairs, [b' ', b'=']).chain(std::iter::once(bytes.len())) {
        if bytes.get(at) == Some(&b'=') {
            sign.get_or_insert(at);
            continue;
        }
        let pair = sign.take().and_then(|sign| Some((pairs.get(from..sign)?, pairs.get(sign + 1..at)?)));
        from = at + 1;
        let Some((name, value)) = pair else { continue };
        match name {
            "IN" => interface = value,
            "OUT" if interface.is_empty() => interface = value,
            "SRC" => fill::once_str(record, Key::ClientAddress, value),
            "DST" => fill::once_str(record, Key::Peer, value),
            "SPT" => fill::once_int(record, Key::ClientPort, value),
            "DPT" => fill::once_int(record, Key::PeerPort, value),
            "PROTO" => fill::once_str(record, Key::Transport, transport(value)),
            _ => {}
        }
    }
    fill::once_str(record, Key::Interface, interface);
}

fn transport(protocol: &str) -> &str {
    match protocol {
        "TCP" => "tcp",
        "UDP" => "udp",
        "ICMP" => "icmp",
        "ICMPv6" => "icmpv6",
        other => other,
    }
}

/// The word of a rule's log prefix that says what was done.
fn action(prefix: &str) -> Option<&str> {
    prefix.split(|c: char| !c.is_ascii_alphabetic()).find(|word| {
        ["BLOCK", "BLOCKED", "DROP", "DROPPED", "REJECT", "REJECTED", "ACCEPT", "ACCEPTED", "ALLOW", "DENY", "DENIED", "AUDIT"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    #[test]
    fn firewall_lines() {
        let text = "[ 99.5] [UFW BLOCK] IN=eth0 OUT= MAC=aa SRC=203.0.113.9 DST=10.0.0.5 LEN=40 PROTO=TCP SPT=4000 DPT=22 WINDOW=1";
        let mut r = Record::new(text, Origin::default());
        read(text, &mut r);
        assert!(r.body.starts_with("[UFW BLOCK]"));
        assert_eq!((r.str(Key::ClientAddress), r.int(Key::ClientPort)), (Some("203.0.113.9"), Some(4000)));
        assert_eq!((r.str(Key::Peer), r.int(Key::PeerPort)), (Some("10.0.0.5"), Some(22)));
        assert_eq!((r.str(Key::Transport), r.str(Key::Interface)), (Some("tcp"), Some("eth0")));
        assert_eq!(r.str(Key::Action), Some("BLOCK"));
    }

    #[test]
    fn ends_of_processes() {
        let text = "Out of memory: Killed process 812 (java) total-vm:99kB";
        let mut r = Record::new(text, Origin::default());
        read(text, &mut r);
        assert_eq!(r.values(Name::Other("oom.pid")).next(), Some(Value::Int(812)));
        assert_eq!(r.values(Name::Other("process.victim.name")).next(), Some(Value::Str("java")));
        let text = "thumbs[77]: segfault at 0 ip 00 sp 00 error 4 in libx.so.1[7f+1]";
        let mut r = Record::new(text, Origin::default());
        read(text, &mut r);
        assert_eq!((r.str(Key::Signal), r.str(Key::File)), (Some("SEGV"), Some("libx.so.1")));
        assert_eq!(r.str(Key::ProcessName), Some("thumbs"));
    }

    #[test]
    fn groups_of_killed_processes() {
        let id = "0123456789abcdef".repeat(4);
        for (group, unit, container) in [
            ("/system.slice/shop.service".to_string(), Some("shop.service"), None),
            (format!("/docker/{id}"), None, Some(id.as_str())),
            (format!("/system.slice/docker-{id}.scope"), None, Some(id.as_str())),
            (format!("/kubepods.slice/kubepods-burstable.slice/cri-containerd-{id}.scope"), None, Some(id.as_str())),
            ("/user.slice/user-0.slice/session-7.scope".to_string(), None, None),
            ("/".to_string(), None, None),
        ] {
            let text = format!(
                "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={group},task_memcg={group},task=node,pid=2211,uid=0"
            );
            let mut r = Record::new(&text, Origin::default());
            read(&text, &mut r);
            assert_eq!((r.str(Key::Unit), r.str(Key::ContainerId)), (unit, container), "{text}");
            assert_eq!(r.values(Name::Other("process.victim.name")).next(), Some(Value::Str("node")));
        }
    }
}
