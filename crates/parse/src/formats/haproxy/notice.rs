//! What HAProxy says about servers, health checks, proxies and itself.

use super::super::access;
use crate::format::Fit;
use whyline_event::{Form, Key, Record, Stamp, Value, address};

/// Reads a notice, with or without the prefix that HAProxy writes on its standard error.
pub fn read<'a>(text: &'a str, line: &'a str, record: &mut Record<'a>) -> Option<Fit> {
    let prefix = prefix(line);
    let message = prefix.as_ref().map_or(line, |p| p.message);
    let known = Notice::read(message);
    if known.is_none() && prefix.is_none() {
        return None;
    }
    record.format = "haproxy";
    record.body = if message.len() == text.len() { text } else { message };
    if let Some(prefix) = &prefix {
        record.set_level(prefix.level);
        record.put_int(Key::ProcessPid, prefix.pid);
        if record.stamp.is_none() {
            record.stamp = prefix.stamp;
        }
    }
    if let Some(notice) = known {
        notice.put(record);
    }
    Some(if prefix.is_some() { 94 } else { 90 })
}

/// `[WARNING] 290/081507 (911) : ` and, since 2.4, `[WARNING]  (911) : `.
struct Prefix<'a> {
    level: &'a str,
    stamp: Option<Stamp>,
    pid: &'a str,
    message: &'a str,
}

fn prefix(line: &str) -> Option<Prefix<'_>> {
    let (level, rest) = line.strip_prefix('[')?.split_once(']')?;
    if !matches!(level, "ALERT" | "WARNING" | "NOTICE" | "DEBUG" | "INFO" | "DIAG") {
        return None;
    }
    let rest = rest.trim_start();
    let (stamp, rest) = match rest.strip_prefix('(') {
        Some(rest) => (None, rest),
        None => {
            let (date, rest) = rest.split_once(" (")?;
            (Some(day_time(date)?), rest)
        }
    };
    let (pid, message) = rest.split_once(") : ")?;
    (!pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit())).then_some(Prefix { level, stamp, pid, message })
}

/// The time of `290/081507`; the day of the year alone says no date.
fn day_time(text: &str) -> Option<Stamp> {
    let (day, time) = text.split_once('/')?;
    if day.len() != 3 || time.len() != 6 || !time.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| time.get(at..at + 2).and_then(|t| t.parse::<i64>().ok());
    let seconds = part(0)? * 3600 + part(2)? * 60 + part(4)?;
    Some(Stamp { nanos: seconds * 1_000_000_000, form: Form::TimeOnly, offset: None, digits: 0 })
}

/// What a notice is about.
#[derive(Default)]
struct Notice<'a> {
    backend: &'a str,
    server: &'a str,
    action: &'a str,
    reason: &'a str,
    proxy: &'a str,
    connect: Option<(&'a str, &'a str, &'a str)>,
    /// The address that a server has now.
    address: &'a str,
    /// Where `, reason: ...` and the counts are.
    tail: &'a str,
}

impl<'a> Notice<'a> {
    fn read(message: &'a str) -> Option<Self> {
        server_state(message)
            .or_else(|| health_check(message))
            .or_else(|| backend_down(message))
            .or_else(|| proxy_state(message))
            .or_else(|| connect(message))
            .or_else(|| new_address(message))
    }

    fn put(&self, record: &mut Record<'a>) {
        record.put_str(Key::UpstreamName, self.backend);
        record.put_str(Key::UpstreamServer, self.server);
        record.put_str(Key::Action, self.action);
        record.put_str(Key::UpstreamAddress, self.address);
        if !self.proxy.is_empty() {
            record.put_other("haproxy.proxy", Value::Str(self.proxy));
        }
        if let Some((client, server, frontend)) = self.connect {
            access::put_client(client, record);
            let (host, port) = address::split_port(server);
            record.put_str(Key::ServerAddress, host);
            if let Some(port) = port {
                record.put(Key::ServerPort, Value::Int(i64::from(port)));
            }
            record.put_str(Key::Frontend, frontend);
        }
        let reason = part(self.tail, "reason: ").unwrap_or(self.reason);
        if !reason.is_empty() {
            record.put_other("haproxy.check.reason", Value::Str(reason));
        }
        if let Some(code) = part(self.tail, "code: ").and_then(|t| t.parse().ok()) {
            record.put_other("haproxy.check.code", Value::Int(code));
        }
        if let Some(info) = info(self.tail) {
            record.put_other("haproxy.check.info", Value::Str(info));
        }
        if let Some(took) = part(self.tail, "check duration: ").and_then(Value::duration) {
            record.put_other("haproxy.check.duration", took);
        }
        if let Some(state) = part(self.tail, "status: ").and_then(|t| t.rsplit_once(' ')) {
            record.put_other("haproxy.check.state", Value::Str(state.1));
        }
        if let Some(count) = active(self.tail) {
            record.put_other("haproxy.servers.active", Value::Int(count));
        }
    }
}

/// The value behind `name` up to a comma or the end of the sentence.
fn part<'a>(tail: &'a str, name: &str) -> Option<&'a str> {
    let at = tail.find(name)?;
    let rest = tail.get(at + name.len()..)?;
    let end = rest.find(", ").into_iter().chain(rest.find(". ")).min().unwrap_or(rest.len());
    rest.get(..end).map(|t| t.trim_end_matches('.')).filter(|t| !t.is_empty())
}

fn info(tail: &str) -> Option<&str> {
    let (_, rest) = tail.split_once("info: \"")?;
    let end = rest.find("\",").or_else(|| rest.rfind('"'))?;
    rest.get(..end)
}

/// `1 active and 0 backup servers left`.
fn active(tail: &str) -> Option<i64> {
    let (before, _) = tail.split_once(" active and ")?;
    before.rsplit(' ').next()?.parse().ok()
}

fn place(text: &str) -> Option<(&str, &str, &str)> {
    let (place, rest) = text.split_once(' ')?;
    let (backend, server) = place.split_once('/')?;
    (!backend.is_empty() && !server.is_empty()).then_some((backend, server, rest))
}

/// `Server be/s1 is DOWN, ...`.
fn server_state(message: &str) -> Option<Notice<'_>> {
    let rest = message.strip_prefix("Server ").or_else(|| message.strip_prefix("Backup Server "))?;
    let (backend, server, rest) = place(rest)?;
    // The name that it was resolved from: `('app1.internal')`.
    let rest = rest.strip_prefix("('").and_then(|r| r.split_once("') ")).map_or(rest, |(_, after)| after);
    let end = rest.find([',', '(']).into_iter().chain(rest.find(". ")).min().unwrap_or(rest.len());
    let state = rest.get(..end).unwrap_or(rest);
    let has = |word: &str| state.split([' ', '/', '.']).any(|w| w == word);
    let action = if has("DRAIN") || has("drain") || has("draining") {
        "DRAIN"
    } else if has("DOWN") || has("stopping") {
        "DOWN"
    } else if has("UP") || has("READY") || has("ready") {
        "UP"
    } else if has("maintenance") {
        "DOWN"
    } else {
        return None;
    };
    // `is going DOWN for maintenance (DNS timeout status)`, `is UP/READY (leaving forced maintenance)`
    let close = rest.find(')').map_or(end, |at| at + 1);
    let reason = match (state.contains("maintenance"), rest.get(end..end + 1)) {
        (true, Some("(")) => rest.find("maintenance").and_then(|at| rest.get(at..close)).unwrap_or(""),
        (true, _) => "maintenance",
        (false, Some("(")) => rest.get(end + 1..close.saturating_sub(1)).unwrap_or(""),
        _ => "",
    };
    Some(Notice { backend, server, action, reason, tail: rest, ..Notice::default() })
}

/// `Health check for server be/s1 failed, reason: ...`.
fn health_check(message: &str) -> Option<Notice<'_>> {
    let rest = message.strip_prefix("Health check for ")?;
    let rest = rest.strip_prefix("backup ").unwrap_or(rest).strip_prefix("server ")?;
    let (backend, server, rest) = place(rest)?;
    let (action, _) = rest.split_once(',').unwrap_or((rest, ""));
    Some(Notice { backend, server, action, tail: rest, ..Notice::default() })
}

/// `backend be has no server available!`.
fn backend_down(message: &str) -> Option<Notice<'_>> {
    let rest = message.strip_prefix("backend ").or_else(|| message.strip_prefix("proxy ")).or_else(|| message.strip_prefix("Backend "))?;
    let (name, _) = rest.split_once(" has no server available")?;
    Some(Notice { backend: name.trim_matches('\''), action: "DOWN", ..Notice::default() })
}

/// `Proxy www started.`, `Proxy www stopped (FE: 10 conns, BE: 0 conns).`
fn proxy_state(message: &str) -> Option<Notice<'_>> {
    let verbs = [("Stopping ", "stopping"), ("Pausing ", "pausing"), ("Enabling ", "enabling")];
    for (prefix, action) in verbs {
        if let Some(rest) = message.strip_prefix(prefix) {
            let mut words = rest.split(' ');
            if let (Some("proxy" | "frontend" | "backend"), Some(name)) = (words.next(), words.next()) {
                return Some(Notice { proxy: name, action, ..Notice::default() });
            }
        }
    }
    let mut words = message.strip_prefix("Proxy ")?.split([' ', '.']);
    let (proxy, action) = (words.next().filter(|p| !p.is_empty())?, words.next()?);
    matches!(action, "started" | "stopped").then(|| Notice { proxy, action, ..Notice::default() })
}

/// `Connect from 10.0.0.1:52011 to 10.0.0.2:5000 (main/HTTP)`.
fn connect(message: &str) -> Option<Notice<'_>> {
    let (client, rest) = message.strip_prefix("Connect from ")?.split_once(" to ")?;
    let (server, rest) = rest.split_once(" (")?;
    let (frontend, _) = rest.split_once('/')?;
    Some(Notice { connect: Some((client, server, frontend)), ..Notice::default() })
}

/// `be/s1 changed its IP from 10.0.0.1 to 10.0.0.2 by internal/ns1.`, also `... changed its FQDN ...`.
fn new_address(message: &str) -> Option<Notice<'_>> {
    let (backend, server, rest) = place(message)?;
    let (_, rest) = rest.strip_prefix("changed its IP from ")?.split_once(" to ")?;
    let address = rest.split(' ').next()?.trim_end_matches('.');
    Some(Notice { backend, server, action: "changed", address, ..Notice::default() })
}
