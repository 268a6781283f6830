//! Events of Kubernetes as YAML: `kubectl get events -o yaml`, `core/events.yaml` of must-gather. Each event of the list is a record, read like
//! the same event in JSON.

use super::flat::{Flat, Scalar, unescape};
use super::products;
use crate::format::{Cx, Fit, Format};
use whyline_event::{Bump, Record};

/// The reader of one document: its events are known by what stands before their dashes.
#[derive(Clone, Debug)]
pub struct Events {
    indent: String,
}

/// Within so many lines the list begins.
const HEAD: usize = 20;

impl Events {
    /// The list that the first lines of a source show: `items:`, a dash on the next line, and that an item is an event.
    pub(crate) fn of(lines: &[&str]) -> Option<Events> {
        if !lines.iter().find(|line| !line.trim().is_empty() && line.trim_end() != "---")?.starts_with(['a', 'i', 'k']) {
            return None;
        }
        let at = lines.iter().take(HEAD).position(|line| line.trim_end() == "items:")?;
        let first = lines.get(at + 1)?;
        let indent = first.get(..first.len() - first.trim_start_matches(' ').len())?;
        let kind = format!("{indent}  kind: Event");
        let is_event = first.trim_end() == format!("{indent}- kind: Event") || lines.iter().any(|line| line.trim_end() == kind);
        (first.trim_start_matches(' ').starts_with("- ") && is_event).then(|| Events { indent: indent.to_string() })
    }

    /// The events of these lines, all but the last one surely whole.
    pub(crate) fn objects<'a>(&self, arena: &'a Bump, lines: &[&'a str]) -> Vec<&'a str> {
        let begins: Vec<usize> = (0..lines.len()).filter(|at| lines.get(*at).is_some_and(|line| self.begins(line))).collect();
        let ends = begins.iter().skip(1).copied().chain([lines.len()]);
        let part = |(from, to): (usize, usize)| lines.get(from..to).map(|part| &*arena.alloc_str(&part.join("\n")));
        begins.iter().copied().zip(ends).filter_map(part).collect()
    }

    fn begins(&self, line: &str) -> bool {
        line.strip_prefix(self.indent.as_str()).is_some_and(|rest| rest.starts_with("- "))
    }
}

impl Format for Events {
    fn name(&self) -> &'static str {
        "k8s.event.yaml"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let first = text.lines().next()?;
        if self.begins(first) {
            let flat = Flat::of(cx, pairs(cx, text, self.indent.len() + 2));
            let product = products::find(&flat)?;
            record.format = product.name;
            (product.fill)(cx, &flat, record);
            return Some(90);
        }
        // What stands before the first event and behind the last one.
        if !["apiVersion:", "items:", "kind:", "metadata:", "---"].iter().any(|beginning| first.starts_with(beginning)) {
            return None;
        }
        record.format = "k8s.event";
        Some(60)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        self.begins(line) || line.starts_with("kind:")
    }

    fn block(&self) -> bool {
        true
    }
}

/// Names and values of an event, those of an object inside it with its name and a dot in front. What lies deeper, and lists, say nothing of
/// an event.
fn pairs<'a>(cx: &Cx<'a>, text: &'a str, indent: usize) -> Vec<(&'a str, Scalar<'a>)> {
    let mut pairs = Vec::with_capacity(24);
    let mut inside = None;
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let bare = line.trim_start_matches(' ');
        // The dash stands for a blank.
        let (bare, depth) = match number {
            0 => (bare.get(2..).unwrap_or(""), indent),
            _ => (bare, line.len() - bare.len()),
        };
        let Some((name, value)) = bare.split_once(':').filter(|(name, _)| !name.is_empty() && !name.starts_with(['-', '\'', '"'])) else {
            continue;
        };
        let value = value.trim();
        let path = match inside {
            _ if depth == indent => {
                inside = value.is_empty().then_some(name);
                name
            }
            Some(parent) if depth == indent + 2 => cx.keep(&format!("{parent}.{name}")),
            _ => continue,
        };
        if value.is_empty() {
            continue;
        }
        // Long values go on below, further in.
        let mut more = Vec::new();
        while let Some((_, line)) =
            lines.next_if(|(_, line)| line.trim().is_empty() || line.len() - line.trim_start_matches(' ').len() > depth)
        {
            more.push(line.trim());
        }
        pairs.push((path, scalar(cx, value, &more)));
    }
    pairs
}

/// A value, which may go on over more lines.
fn scalar<'a>(cx: &Cx<'a>, value: &'a str, more: &[&str]) -> Scalar<'a> {
    if value.starts_with(['|', '>']) {
        let between = if value.starts_with('|') { "\n" } else { " " };
        return Scalar::Str(cx.keep(more.join(between).trim_end()));
    }
    let whole = if more.is_empty() {
        value
    } else {
        // In quotes, a backslash at the end of a line takes the blank away, and one before a blank keeps it.
        let joined = more.iter().fold(value.to_string(), |all, line| match all.strip_suffix('\\') {
            Some(before) => before.to_string() + line.strip_prefix('\\').unwrap_or(line),
            None => all + " " + line,
        });
        cx.keep(joined.trim_end())
    };
    let quoted = |quote: char| whole.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match (quoted('\''), quoted('"')) {
        (Some(inner), _) if inner.contains("''") => Scalar::Str(cx.keep(&inner.replace("''", "'"))),
        (_, Some(inner)) if inner.contains('\\') => Scalar::Str(cx.keep(&unescape(inner))),
        (Some(inner), _) | (_, Some(inner)) => Scalar::Str(inner),
        _ if matches!(whole, "null" | "~" | "{}" | "[]") => Scalar::Null,
        _ if whole.bytes().all(|b| b.is_ascii_digit()) => Scalar::Number(whole),
        _ => Scalar::Str(whole),
    }
}

#[cfg(test)]
mod tests {
    use crate::formats;
    use crate::reading::read_text;
    use whyline_event::Key;

    const LIST: &str = r#"apiVersion: v1
items:
- apiVersion: v1
  count: 1
  eventTime: null
  firstTimestamp: "2026-11-21T10:15:02Z"
  involvedObject:
    kind: Pod
    name: web-0
    namespace: shop
  kind: Event
  lastTimestamp: "2026-11-21T10:15:02Z"
  message: 'Readiness probe failed: Get "http://10.0.0.3:3000/health": context
    deadline exceeded, it''s slow'
  metadata:
    creationTimestamp: "2026-11-21T10:15:02Z"
    managedFields:
    - apiVersion: v1
      kind: Pod
    name: web-0.2148eb924cdd96c4
    namespace: shop
  reason: Unhealthy
  source:
    component: kubelet
    host: n1
  type: Warning
- apiVersion: v1
  firstTimestamp: "2026-11-21T10:15:03Z"
  involvedObject:
    kind: ReplicaSet
    name: web-7d9c
    namespace: shop
  kind: Event
  message: |-
    Error creating: pods "web-7d9c-x2" is forbidden:
    exceeded quota
  reason: FailedCreate
  type: Warning
- apiVersion: v1
  firstTimestamp: "2026-11-21T10:15:04Z"
  involvedObject:
    kind: Node
    name: n1
  kind: Event
  message: "Node n1 status is now: \"NodeNotReady\" \
    \ since a minute"
  reason: NodeNotReady
  type: Normal
kind: List
metadata:
  resourceVersion: ""
"#;

    #[test]
    fn events_of_a_list_are_records() {
        let mut seen = Vec::new();
        read_text(LIST, None, &formats::all(), &mut |r| {
            let named = r.str(Key::PodName).or_else(|| r.str(Key::NodeName)).unwrap_or("").to_string();
            seen.push((
                r.origin.line,
                r.format.to_string(),
                r.stamp.is_some(),
                r.str(Key::EventName).unwrap_or("").to_string(),
                named,
                r.body.to_string(),
            ));
        });
        let want = [
            (3, "Unhealthy", "web-0", r#"Readiness probe failed: Get "http://10.0.0.3:3000/health": context deadline exceeded, it's slow"#),
            (27, "FailedCreate", "", "Error creating: pods \"web-7d9c-x2\" is forbidden:\nexceeded quota"),
            (39, "NodeNotReady", "n1", r#"Node n1 status is now: "NodeNotReady"  since a minute"#),
        ];
        let events: Vec<_> =
            seen.iter().filter(|s| s.2 && !s.3.is_empty()).map(|s| (s.0, s.3.as_str(), s.4.as_str(), s.5.as_str())).collect();
        assert_eq!(events, want);
        assert!(seen.iter().all(|s| s.1 == "k8s.event"), "{seen:?}");
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn other_lists_are_none() {
        for no in ["apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n", "items:\n", "- a\n- b\n", "kind: Event\n", ""] {
            assert!(super::Events::of(&no.lines().collect::<Vec<_>>()).is_none(), "{no}");
        }
    }
}
