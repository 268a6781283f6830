//! Tables of `kubectl get`: pods, nodes, events and whatever else has a name; plain, `-o wide`, `-A`, with their head or without.

use super::table::{Table, pieces};
use super::{age, put, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use crate::stamp;
use whyline_event::{Key, Record, Severity, Value};

pub(super) const PODS: &str = "command.kubectl-pods";
pub(super) const NODES: &str = "command.kubectl-nodes";
pub(super) const EVENTS: &str = "command.kubectl-events";
pub(super) const OTHERS: &str = "command.kubectl";

type Reader = for<'a> fn(&Table, &'a str, &mut Record<'a>);

struct Get {
    name: &'static str,
    table: Table,
    /// Cells that a row has at least.
    least: usize,
    headless: bool,
    read: Reader,
}

fn begins(line: &str) -> Option<Table> {
    let known = line.starts_with("NAME ") || line.starts_with("NAMESPACE ") || line.starts_with("LAST SEEN ");
    known.then(|| Table::of(line))
}

pub(super) fn opens_pods(line: &str, bare: bool) -> Option<Box<dyn Section>> {
    if bare {
        return opens_pod_row(line);
    }
    let table = begins(line).filter(|t| t.has(&["NAME", "READY", "STATUS", "RESTARTS"]))?;
    Some(Box::new(Get { name: PODS, least: 5, headless: false, read: read_pod, table }))
}

/// A row of pods without its head: `shop-7d4f-x1   0/1   CrashLoopBackOff   7 (32s ago)   11m`, perhaps with its namespace.
fn opens_pod_row(line: &str) -> Option<Box<dyn Section>> {
    let cells = pieces(line);
    let cell = |i: usize| cells.get(i).map_or("", |(c, _)| *c);
    let ready = |c: &str| c.split_once('/').is_some_and(|(a, b)| a.parse::<u8>().is_ok() && b.parse::<u8>().is_ok());
    let first = (1..=2).find(|i| ready(cell(*i)))?;
    let status = cell(first + 1);
    let known = status.starts_with(|c: char| c.is_ascii_uppercase())
        && status.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/'))
        && cell(first + 2).split(' ').next().is_some_and(|n| n.parse::<u32>().is_ok())
        && age::kubectl(cell(first + 3)).is_some();
    let heads =
        if first == 2 { "NAMESPACE  NAME  READY  STATUS  RESTARTS  AGE  IP  NODE" } else { "NAME  READY  STATUS  RESTARTS  AGE  IP  NODE" };
    known.then(|| Box::new(Get { name: PODS, table: Table::of(heads), least: 5, headless: true, read: read_pod }) as Box<dyn Section>)
}

pub(super) fn opens_nodes(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let table = begins(line).filter(|t| t.has(&["NAME", "STATUS", "ROLES", "AGE", "VERSION"]))?;
    Some(Box::new(Get { name: NODES, least: 5, headless: false, read: read_node, table }))
}

pub(super) fn opens_events(line: &str, bare: bool) -> Option<Box<dyn Section>> {
    if bare {
        return opens_event_row(line);
    }
    let is_events = |t: &Table| t.has(&["REASON", "MESSAGE"]) && (t.has(&["OBJECT"]) || t.has(&["NAME"])) && last_seen(t).is_some();
    let of_own = || (line.contains("REASON") && line.contains("MESSAGE")).then(|| Table::of(line));
    let table = begins(line).or_else(of_own).filter(is_events)?;
    Some(Box::new(Get { name: EVENTS, least: 5, headless: false, read: read_event, table }))
}

/// `2m   Warning   BackOff   pod/shop-7d4f-x1   Back-off restarting failed container`.
fn opens_event_row(line: &str) -> Option<Box<dyn Section>> {
    let cells = pieces(line);
    let cell = |i: usize| cells.get(i).map_or("", |(c, _)| *c);
    let first = (0..=1).find(|i| seen(cell(*i)).is_some())?;
    let known = matches!(cell(first + 1), "Normal" | "Warning")
        && cell(first + 2).bytes().all(|b| b.is_ascii_alphanumeric())
        && cell(first + 3).contains('/')
        && cells.len() > first + 4;
    let heads = if first == 1 { "NAMESPACE  LAST SEEN  TYPE  REASON  OBJECT  MESSAGE" } else { "LAST SEEN  TYPE  REASON  OBJECT  MESSAGE" };
    known.then(|| Box::new(Get { name: EVENTS, table: Table::of(heads), least: 5, headless: true, read: read_event }) as Box<dyn Section>)
}

pub(super) fn opens_others(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let table = begins(line).filter(|t| t.len() >= 3 && t.has(&["NAME"]) && (t.has(&["AGE"]) || t.has(&["CPU(cores)"])))?;
    // The others have their own.
    let taken = t_has_any(&table);
    (!taken).then(|| Box::new(Get { name: OTHERS, least: 2, headless: false, read: read_other, table }) as Box<dyn Section>)
}

fn t_has_any(table: &Table) -> bool {
    table.has(&["READY", "STATUS", "RESTARTS"]) || table.has(&["STATUS", "ROLES", "AGE", "VERSION"]) || table.has(&["LAST SEEN", "OBJECT"])
}

impl Section for Get {
    fn name(&self) -> &'static str {
        self.name
    }

    fn step(&mut self, line: &str) -> Step {
        if line.starts_with([' ', '\t']) {
            return Step::Foreign;
        }
        let cells = pieces(line).len();
        // Another kind of line may have as many pieces; without a head to trust, each row must have the whole shape.
        let fits = if self.headless {
            opens_pod_row(line).or_else(|| opens_event_row(line)).is_some_and(|s| s.name() == self.name)
        } else {
            cells >= self.least.min(self.table.len()) || line.starts_with(self.table.first())
        };
        if fits { Step::Row } else { Step::Foreign }
    }

    fn read<'a>(&mut self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        if !self.headless
            && text.starts_with(self.table.first())
            && Table::of(text).len() == self.table.len()
            && text.starts_with(|c: char| c.is_ascii_uppercase())
        {
            return state(record);
        }
        (self.read)(&self.table, text, record);
    }
}

fn read_pod<'a>(table: &Table, text: &'a str, record: &mut Record<'a>) {
    put(record, Key::Namespace, table.cell(text, "NAMESPACE"));
    put(record, Key::PodName, table.cell(text, "NAME"));
    put(record, Key::NodeName, table.cell(text, "NODE"));
    let status = table.cell(text, "STATUS");
    put(record, Key::PodStatus, status);
    let address = table.cell(text, "IP");
    if address.contains(['.', ':']) {
        record.put_other("k8s.pod.ip", Value::Str(address));
    }
    let ready = table.cell(text, "READY");
    record.put_other("k8s.pod.ready", Value::Str(ready));
    let restarts = table.cell(text, "RESTARTS");
    let (count, ago) = restarts.split_once(' ').unwrap_or((restarts, ""));
    if let Ok(count) = count.parse() {
        record.put(Key::Restarts, Value::Int(count));
    }
    let ago = ago.trim_matches(['(', ')']).strip_suffix(" ago").and_then(age::kubectl);
    let waits = (status == "Pending" && table.cell(text, "NODE") == "<none>").then(|| age::kubectl(table.cell(text, "AGE"))).flatten();
    if let Some(age) = waits.filter(|age| *age >= MOMENT) {
        // No node has taken it since it was made; the wide table says so.
        record.put_other("k8s.pod.scheduled", Value::Bool(false));
        record.put(Key::EventAge, Value::Duration(age));
        return;
    }
    match ago {
        // It runs again: what the row tells is when it was started again.
        Some(ago) if status == "Running" => record.put(Key::EventAge, Value::Duration(ago)),
        _ => state(record),
    }
}

/// A pod that was made less than so long ago (ns) may just not have been looked at.
const MOMENT: i64 = 30_000_000_000;

fn read_node<'a>(table: &Table, text: &'a str, record: &mut Record<'a>) {
    state(record);
    put(record, Key::NodeName, table.cell(text, "NAME"));
    let status = table.cell(text, "STATUS");
    record.put_other("k8s.node.status", Value::Str(status));
    let ready = status.split(',').next().unwrap_or(status);
    record.put(Key::NodeCondition, Value::Str("Ready"));
    record.put(Key::NodeConditionStatus, Value::Str(if ready == "Ready" { "True" } else { "False" }));
}

fn read_other<'a>(table: &Table, text: &'a str, record: &mut Record<'a>) {
    state(record);
    put(record, Key::Namespace, table.cell(text, "NAMESPACE"));
    for head in ["STATUS", "READY", "COMPLETIONS"] {
        if table.has(&[head]) {
            record.put_other(if head == "STATUS" { "k8s.object.status" } else { "k8s.object.ready" }, Value::Str(table.cell(text, head)));
        }
    }
    record.put(Key::ObjectName, Value::Str(table.cell(text, "NAME")));
}

/// The column that tells when an event was seen last: kubectl's own, or one of `-o custom-columns`, whose heads people choose.
fn last_seen(table: &Table) -> Option<&str> {
    let when = |head: &&str| ["LAST", "TIME", "SEEN", "WHEN"].iter().any(|word| head.to_ascii_uppercase().contains(word));
    table.heads().filter(|head| !head.to_ascii_uppercase().contains("FIRST")).find(when)
}

fn read_event<'a>(table: &Table, text: &'a str, record: &mut Record<'a>) {
    put(record, Key::Namespace, table.cell(text, "NAMESPACE"));
    let last = last_seen(table).map_or("", |head| table.cell(text, head));
    event(table.cell(text, "TYPE"), table.cell(text, "REASON"), last, record);
    let object = table.cell(text, "OBJECT");
    let (kind, name) = match object.split_once('/') {
        Some(split) => split,
        None if object.is_empty() => (table.cell(text, "KIND"), named(table.cell(text, "NAME"))),
        None => (table.cell(text, "KIND"), object),
    };
    match kind.to_ascii_lowercase().as_str() {
        _ if name.is_empty() => {}
        "pod" | "pods" => put(record, Key::PodName, name),
        "node" | "nodes" => put(record, Key::NodeName, name),
        _ if object.is_empty() => record.put(Key::ObjectName, Value::Str(name)),
        _ => record.put(Key::ObjectName, Value::Str(object)),
    }
}

/// The object of an event by the event's own name: that of the object, a dot, and the time in hexadecimal
/// (client-go tools/record/event.go, makeEvent).
fn named(name: &str) -> &str {
    let is_time = |end: &str| end.len() == 16 && end.bytes().all(|b| b.is_ascii_hexdigit());
    name.rsplit_once('.').filter(|(_, end)| is_time(end)).map_or(name, |(object, _)| object)
}

/// What every event has: how serious, of what kind, how long ago.
pub(super) fn event<'a>(kind: &'a str, reason: &'a str, last: &'a str, record: &mut Record<'a>) {
    record.put_str(Key::Level, kind);
    record.severity = Some(if kind == "Warning" { Severity::Warn } else { Severity::Info });
    put(record, Key::EventName, reason);
    if let Some((count, last)) = again(last) {
        record.put_other("k8s.event.count", Value::Int(count));
        record.put_other("k8s.event.last_seen", Value::Duration(last));
    }
    match (seen(last), stamp::iso(last)) {
        (Some(age), _) => record.put(Key::EventAge, Value::Duration(age)),
        (None, Some((stamp, used))) if used == last.len() => record.stamp = Some(stamp),
        _ => state(record),
    }
}

/// How often an event came, and how long ago it came last, where it came more than once: `3m30s (x49 over 13m)`.
fn again(text: &str) -> Option<(i64, i64)> {
    let (last, rest) = text.split_once(" (x")?;
    let count = rest.split(' ').next()?.parse().ok().filter(|count| *count > 1)?;
    Some((count, age::kubectl(last)?))
}

/// How long ago an event began: `5m`, `3m30s (x49 over 13m)`. An event that came again began when it came first.
fn seen(text: &str) -> Option<i64> {
    let (last, rest) = text.split_once(' ').unwrap_or((text, ""));
    let last = age::kubectl(last)?;
    let first = rest.split_once(" over ").and_then(|(_, age)| age::kubectl(age.trim_end_matches(')')));
    Some(first.unwrap_or(last))
}
