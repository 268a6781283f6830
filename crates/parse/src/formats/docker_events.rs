//! What a container engine tells of its containers, networks and volumes: `docker events`, `podman events`.
//!
//! `2026-11-21T09:32:27.1Z container die 4f1b2c... (exitCode=137, image=shop/api:7, name=shop-api-1)`

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, first_line};
use crate::formats::fill;
use crate::stamp;
use whyline_event::{Form, Key, Record, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct DockerEvents;

const NAME: &str = "docker.events";

/// Of what an event may be (moby api/types/events/events.go; libpod/events/config.go).
const KINDS: [&str; 13] =
    ["builder", "config", "container", "daemon", "image", "machine", "network", "node", "plugin", "pod", "secret", "service", "volume"];

struct Line<'a> {
    stamp: whyline_event::Stamp,
    kind: &'a str,
    body: &'a str,
    action: &'a str,
    id: &'a str,
    attributes: &'a str,
}

/// Takes a line apart (docker/cli cli/command/system/events.go, prettyPrintEvent).
fn parse(text: &str) -> Option<Line<'_>> {
    let line = first_line(text).trim_end();
    let mut c = Cursor::new(line);
    let stamp = c.stamp_by(stamp::prefix).filter(|s| s.form == Form::Explicit)?;
    // Podman writes the zone's name behind its offset.
    c.eat(" UTC");
    c.must(" ")?;
    let body = c.rest;
    let kind = c.word().filter(|word| KINDS.contains(word))?;
    c.must(" ")?;
    let (front, attributes) = c.rest.strip_suffix(')')?.split_once(" (")?;
    let (action, id) = front.rsplit_once(' ')?;
    let is_id = id.len() >= 6 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let has_pairs = attributes.split(", ").next().is_some_and(|pair| pair.contains('='));
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
    (is_word(action.split(':').next()?) && has_pairs && (is_id || kind != "container")).then_some(Line {
        stamp,
        kind,
        body,
        action,
        id,
        attributes,
    })
}

impl Format for DockerEvents {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, _cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = parse(text)?;
        record.format = NAME;
        record.stamp = Some(line.stamp);
        record.body = line.body;
        // An action may carry what it ran or found: `exec_start: /bin/sh -c true`.
        fill::once_str(record, Key::EventName, line.action.split(':').next().unwrap_or(line.action));
        if line.kind == "container" {
            fill::once_str(record, Key::ContainerId, line.id);
        }
        for (name, value) in line.attributes.split(", ").filter_map(|pair| pair.split_once('=')) {
            match name {
                "name" if line.kind == "container" => fill::once_str(record, Key::ContainerName, value),
                "image" | "exitCode" | "execDuration" | "signal" => record.put_other(name, Value::Str(value)),
                "com.docker.compose.service" => record.put_other("docker.compose.service", Value::Str(value)),
                _ => {}
            }
        }
        Some(90)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        parse(line).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::access::testing::{fields, fit};

    #[test]
    fn events() {
        for (line, want) in [
            (
                "2026-11-21T09:32:27.1Z container die 4f1b2c (exitCode=137, image=shop/api:7, name=shop-api-1)",
                "docker.events 2026-11-21T09:32:27.1Z - [container die 4f1b2c (exitCode=137, image=shop/api:7, name=shop-api-1)] \
                 event.name=die container.id=4f1b2c exitCode=137 image=shop/api:7 container.name=shop-api-1",
            ),
            (
                "2026-11-21 09:32:27.1 +0000 UTC container exec_start: /bin/sh -c true 4f1b2c (name=shop-api-1)",
                "docker.events 2026-11-21T09:32:27.1Z - [container exec_start: /bin/sh -c true 4f1b2c (name=shop-api-1)] \
                 event.name=exec_start container.id=4f1b2c container.name=shop-api-1",
            ),
        ] {
            assert_eq!(fields(&DockerEvents, line), want, "{line}");
        }
        for no in [
            "2026-11-21T09:32:27.1Z container die (exit)",
            "2026-11-21T09:32:27.1Z container of the api died: 4f1b2c (reason=unknown)",
            "2026-11-21T09:32:27.1Z web1 die 4f1b2c (a=b)",
            "container die 4f1b2c (a=b)",
        ] {
            assert_eq!(fit(&DockerEvents, no), None, "{no}");
        }
    }
}
