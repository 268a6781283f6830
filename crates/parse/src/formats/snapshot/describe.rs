//! `kubectl describe`: pods, nodes and other objects. What a container's state, a node's condition and an event tell are records of
//! their own; the other properties are kept with the line that they follow.

use super::table::Table;
use super::{kubectl, put, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use crate::stamp;
use whyline_event::{Key, Record, Severity, Value};

pub(super) const DESCRIBE: &str = "command.kubectl-describe";

/// `Name:             shop-7d4f-x1` at the margin: the first line of every description.
pub(super) fn opens(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    let name = line.strip_prefix("Name:").filter(|rest| rest.starts_with("  "))?.trim();
    let known = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':'));
    known.then(|| Box::new(Describe::default()) as Box<dyn Section>)
}

/// Whether a line at the margin has the name of a property: words without digits, the first with a capital letter, before a colon. A
/// log line that follows has a time or a number there.
fn is_property(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let plain = |b: u8| b.is_ascii_alphabetic() || matches!(b, b' ' | b'-' | b'/' | b'.' | b'(' | b')');
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(plain)
        && (value.is_empty() || value.starts_with([' ', '\t', '\r']))
}

/// The part of a description in which a line stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Area {
    #[default]
    Properties,
    Containers,
    Conditions,
    Events,
    /// Of a pod that does not exist yet: of a deployment or job.
    Template,
}

impl Area {
    fn of(line: &str) -> Area {
        match line.trim_end() {
            "Containers:" | "Init Containers:" | "Ephemeral Containers:" => Area::Containers,
            "Conditions:" => Area::Conditions,
            "Events:" => Area::Events,
            "Pod Template:" => Area::Template,
            _ => Area::Properties,
        }
    }
}

#[derive(Default)]
struct Describe {
    /// Where the lines come in.
    coming: Area,
    /// Where the records are read.
    area: Area,
    name: String,
    namespace: String,
    node: String,
    container: String,
    is_pod: bool,
    is_node: bool,
    table: Table,
}

impl Section for Describe {
    fn name(&self) -> &'static str {
        DESCRIBE
    }

    fn step(&mut self, line: &str) -> Step {
        if !line.starts_with(' ') {
            if !is_property(line) {
                return Step::Foreign;
            }
            self.coming = Area::of(line);
            return Step::Row;
        }
        let indent = line.len() - line.trim_start().len();
        let bare = line.trim();
        let row = match self.coming {
            Area::Containers => {
                indent <= 3 && bare.ends_with(':') || indent <= 6 && ["State:", "Last State:", "Ready:"].iter().any(|s| bare.starts_with(s))
            }
            Area::Conditions | Area::Events => indent <= 3,
            Area::Properties | Area::Template => false,
        };
        if row { Step::Row } else { Step::More }
    }

    fn read<'a>(&mut self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
        let first = text.split('\n').next().unwrap_or("");
        if !first.starts_with(' ') {
            self.area = Area::of(first);
            self.property(first);
            state(record);
            self.accuse(cx, record);
            if let Some(address) = first.strip_prefix("IP:").map(str::trim).filter(|a| self.is_pod && !a.is_empty()) {
                record.put_other("k8s.pod.ip", Value::Str(address));
            }
            return;
        }
        match self.area {
            Area::Containers => self.container(text, record),
            Area::Conditions => self.condition(first, record),
            Area::Events => self.event(first, record),
            Area::Properties | Area::Template => state(record),
        }
        self.accuse(cx, record);
    }
}

impl Describe {
    fn property(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else { return };
        let value = value.trim();
        match name {
            "Name" => *self = Describe { coming: self.coming, name: value.to_string(), ..Describe::default() },
            "Namespace" => self.namespace = value.to_string(),
            "Node" => {
                self.is_pod = true;
                self.node = value.split('/').next().filter(|n| !n.starts_with('<')).unwrap_or("").to_string();
            }
            "Containers" => self.is_pod = true,
            "Roles" => self.is_node = true,
            _ => {}
        }
    }

    /// Puts the object into a record.
    fn accuse<'a>(&self, cx: &Cx<'a>, record: &mut Record<'a>) {
        put(record, Key::Namespace, cx.keep(&self.namespace));
        if self.is_pod {
            put(record, Key::PodName, cx.keep(&self.name));
            put(record, Key::NodeName, cx.keep(&self.node));
        } else if self.is_node {
            put(record, Key::NodeName, cx.keep(&self.name));
        } else if !self.name.is_empty() {
            record.put(Key::ObjectName, Value::Str(cx.keep(&self.name)));
        }
        if self.area == Area::Containers {
            put(record, Key::ContainerName, cx.keep(&self.container));
        }
    }

    /// The name of a container, `State:` or `Last State:` with what belongs to it, or what follows on those.
    fn container<'a>(&mut self, text: &'a str, record: &mut Record<'a>) {
        let mut lines = text.split('\n').filter_map(|line| line.trim().split_once(':')).map(|(name, value)| (name, value.trim()));
        let Some((head, word)) = lines.next() else { return state(record) };
        if word.is_empty() {
            self.container = head.to_string();
            return state(record);
        }
        if head == "Ready" {
            if let Some(count) = lines.find(|(name, _)| *name == "Restart Count").and_then(|(_, n)| n.parse().ok()) {
                record.put(Key::Restarts, Value::Int(count));
            }
            return state(record);
        }
        let mut finished = None;
        for (name, value) in lines {
            match name {
                "Reason" if word == "Terminated" => put(record, Key::Terminated, value),
                "Reason" => put(record, Key::PodStatus, value),
                "Exit Code" => {
                    if let Ok(code) = value.parse() {
                        record.put(Key::ExitCode, Value::Int(code));
                    }
                }
                "Finished" => finished = stamp::prefix(value).map(|(stamp, _)| stamp),
                _ => {}
            }
        }
        if word == "Terminated" && record.str(Key::Terminated).is_some_and(|reason| reason != "Completed") {
            record.severity = Some(Severity::Error);
        }
        record.stamp = finished;
        if finished.is_none() {
            state(record);
        }
    }

    /// A row of conditions: of a node `DiskPressure True <heartbeat> <transition> reason message`, of a pod `Ready False`.
    fn condition<'a>(&mut self, line: &'a str, record: &mut Record<'a>) {
        let mut words = line.split_whitespace();
        let (Some(kind), Some(status)) = (words.next(), words.next()) else { return state(record) };
        if kind == "Type" {
            self.table = Table::of(line);
        }
        if !matches!(status, "True" | "False" | "Unknown") || !self.is_node {
            return state(record);
        }
        record.put(Key::NodeCondition, Value::Str(kind));
        record.put(Key::NodeConditionStatus, Value::Str(status));
        put(record, Key::EventName, self.table.cell(line, "Reason"));
        // A condition that is as it should be says how things stood; one that is not, when that began.
        let well = status == if kind == "Ready" { "True" } else { "False" };
        record.stamp = stamp::prefix(self.table.cell(line, "LastTransitionTime")).map(|(stamp, _)| stamp).filter(|_| !well);
        if record.stamp.is_none() {
            state(record);
        }
    }

    /// A row of events: `Warning  BackOff  3m30s (x49 over 13m)  kubelet  Back-off restarting failed container`.
    fn event<'a>(&mut self, line: &'a str, record: &mut Record<'a>) {
        if line.trim_start().starts_with("Type ") {
            self.table = Table::of(line);
        }
        let kind = self.table.cell(line, "Type");
        if !matches!(kind, "Normal" | "Warning") {
            return state(record);
        }
        kubectl::event(kind, self.table.cell(line, "Reason"), self.table.cell(line, "Age"), record);
    }
}
