//! Lines that Grafana Loki kept, with their labels: `logcli query` in its default and its `jsonl` form, and what Grafana's Explore saves.

use super::docker::payload;
use super::fill;
use super::json::flat::{Flat, Scalar};
use super::json::structured;
use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::Cursor;
use crate::stamp;
use whyline_event::{Key, Record, Value};

/// The name of the format.
pub const NAME: &str = "loki";

/// Whether an object is an entry: `labels` (Explore: `fields`), `line` and `timestamp`, and hardly anything else.
pub fn is(flat: &Flat<'_>) -> bool {
    const OWN: [&str; 5] = ["line", "timestamp", "date", "id", "tsNs"];
    let label = |name: &str| name.starts_with("labels.") || name.starts_with("fields.") || matches!(name, "labels" | "fields");
    matches!(flat.get("line"), Some(Scalar::Str(_)))
        && flat.get("timestamp").is_some()
        && flat.pairs.iter().any(|(name, _)| label(name))
        && flat.pairs.iter().all(|(name, _)| label(name) || OWN.contains(name))
}

/// Fills a record; the line is one of the program that wrote it.
pub fn fill<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    record.stamp = flat.get("timestamp").and_then(structured::time);
    let line = flat.text("line").map_or(record.body, |text| text.trim_end_matches(['\n', '\r']));
    let label = |name: &'a str| name.strip_prefix("labels.").or_else(|| name.strip_prefix("fields."));
    let labels = flat.pairs.iter().filter_map(|(name, value)| Some((label(name)?, value.text()?)));
    entry(cx, labels.collect(), line, record);
}

/// Labels and line of an entry.
fn entry<'a>(cx: &Cx<'a>, labels: Vec<(&'a str, &'a str)>, line: &'a str, record: &mut Record<'a>) {
    let mut service = None;
    for (name, value) in labels {
        let key = match name.trim_start_matches("k8s_").trim_end_matches("_name") {
            "pod" => Key::PodName,
            "namespace" => Key::Namespace,
            "container" => Key::ContainerName,
            "node" => Key::NodeName,
            "host" | "hostname" => Key::HostName,
            "stream" => Key::LogStream,
            // The first that is there names the program best.
            "app" | "service" | "app_kubernetes_io" => {
                service = service.or(Some(value));
                continue;
            }
            // Told by the line itself, or made out of it by Loki.
            "level" | "detected_level" => continue,
            _ => {
                record.put_other(cx.keep(&format!("loki.{name}")), Value::Str(value));
                continue;
            }
        };
        fill::once_str(record, key, value);
    }
    record.format = NAME;
    payload(cx, NAME, line, record);
    service.into_iter().for_each(|name| fill::once_str(record, Key::ServiceName, name));
    fill::pod_as_host(record);
}

/// `logcli query`: stamp, labels in braces, line.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogCli;

impl Format for LogCli {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let (stamp, labels, line) = logcli(text)?;
        record.stamp = Some(stamp);
        entry(cx, labels, line, record);
        Some(93)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        logcli(line).is_some()
    }

    fn is_envelope(&self) -> bool {
        true
    }
}

/// Names and values of labels.
type Labels<'a> = Vec<(&'a str, &'a str)>;

fn logcli(text: &str) -> Option<(whyline_event::Stamp, Labels<'_>, &str)> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(stamp::iso).filter(|stamp| stamp.offset.is_some())?;
    c.must(" {")?;
    let mut labels = Vec::new();
    while !c.eat("}") {
        let (name, rest) = c.rest.split_once("=\"")?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return None;
        }
        let (value, rest) = rest.split_once('"')?;
        labels.push((name, value));
        c = Cursor::new(rest.strip_prefix(',').unwrap_or(rest).trim_start_matches(' '));
    }
    c.eat(" ");
    Some((stamp, labels, c.rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_in_braces() {
        let line = "2026-11-21T10:15:02Z {app=\"shop\", pod=\"shop-7c-x2\"} GET / 200";
        let (_, labels, rest) = logcli(line).unwrap();
        assert_eq!((labels, rest), (vec![("app", "shop"), ("pod", "shop-7c-x2")], "GET / 200"));
        assert_eq!(logcli("2026-11-21T10:15:02Z {} text").unwrap().2, "text");
        for no in ["2026-11-21T10:15:02Z {\"a\": \"b\"}", "2026-11-21T10:15:02 {a=\"b\"} x", "2026-11-21T10:15:02Z {a=\"b", "x"] {
            assert!(logcli(no).is_none(), "{no}");
        }
    }
}
