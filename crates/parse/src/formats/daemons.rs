//! Own logs of servers that name neither themselves nor their machine: Squid's `cache.log`, stunnel, lighttpd's error log, Mosquitto.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::{Cursor, begins_record};
use crate::formats::{exception, fill, message};
use crate::stamp;
use std::sync::Arc;
use whyline_event::{Form, Key, Record, Severity, Stamp, Value};

/// The reader of all of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Daemons {
    /// The source is known to be Mosquitto's, which does not name itself: every line with its stamp is.
    broker: bool,
}

struct Line<'a> {
    format: &'static str,
    service: &'static str,
    stamp: Stamp,
    severity: Option<(&'a str, Severity)>,
    thread: &'a str,
    /// Name and number of the source line.
    place: (&'a str, &'a str),
    message: &'a str,
}

impl Format for Daemons {
    fn name(&self) -> &'static str {
        "daemons"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = self.parse(text)?;
        record.format = line.format;
        record.stamp = Some(line.stamp);
        if let Some((word, severity)) = line.severity {
            fill::level_as(record, word, severity);
        }
        fill::once_str(record, Key::ServiceName, line.service);
        fill::once_str(record, Key::ThreadName, line.thread);
        fill::once_str(record, Key::CodeFile, line.place.0);
        fill::once_int(record, Key::CodeLine, line.place.1);
        record.body = line.message;
        if line.format == MOSQUITTO {
            connection(line.message, record);
        }
        exception::fields(line.message, record);
        message::fields(cx, line.message, record);
        Some(87)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        self.parse(line).is_some() || begins_record(line)
    }

    fn learn(&self, head: &[&str]) -> Option<Arc<dyn Format>> {
        let broker = head.iter().any(|text| self.parse(text).is_some_and(|line| line.format == MOSQUITTO));
        broker.then(|| Arc::new(Daemons { broker }) as Arc<dyn Format>)
    }
}

impl Daemons {
    fn parse<'a>(&self, text: &'a str) -> Option<Line<'a>> {
        let b = text.as_bytes();
        if !b.first()?.is_ascii_digit() {
            return None;
        }
        match (b.get(4)?, b.get(10)?) {
            (b'/', b' ') => squid(text),
            (b'.', b' ') => stunnel(text),
            (b'-', b' ') if b.get(19..22) == Some(b": (") => lighttpd(text),
            (b'-', b'T') if b.get(19..21) == Some(b": ") => mosquitto(text, self.broker, stamp::iso),
            (b'0'..=b'9', b':') => mosquitto(text, self.broker, stamp::epoch),
            _ => None,
        }
    }
}

/// `2026/11/21 10:15:02 kid1| WARNING: text` (src/debug/debug.cc).
fn squid(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.form == Form::Civil)?;
    if c.eat(" kid") {
        c.digits()?;
    }
    c.must("| ")?;
    let level = ["FATAL", "CRITICAL", "ERROR", "WARNING", "SECURITY ALERT", "SECURITY ERROR"]
        .into_iter()
        .find(|word| c.rest.strip_prefix(word).is_some_and(|rest| rest.starts_with(':')));
    let severity = level.and_then(|word| Some((word, Severity::from_word(word.rsplit(' ').next()?)?)));
    Some(Line { format: "squid.cache", service: "squid", stamp, severity, thread: "", place: ("", ""), message: c.rest })
}

/// `2026.11.21 10:15:02 LOG3[2]: text`, the number a level of syslog, in brackets the connection (src/log.c).
fn stunnel(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.form == Form::Civil)?;
    c.must(" ")?;
    let word = c.rest.get(..4)?;
    c.must("LOG")?;
    let level = c.digits().filter(|digit| digit.len() == 1)?.parse().ok()?;
    let severity = Some((word, Severity::from_syslog(level)?));
    let thread = c.between("[", "]: ")?;
    Some(Line { format: "stunnel", service: "stunnel", stamp, severity, thread, place: ("", ""), message: c.rest })
}

/// `2026-11-21 10:15:02: (server.c.1704) text` (src/log.c).
fn lighttpd(text: &str) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(stamp::iso).filter(|s| s.form == Form::Civil)?;
    c.must(": ")?;
    let (file, line) = c.between("(", ") ")?.rsplit_once('.')?;
    let is_source = file.ends_with(".c") && !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit());
    is_source.then_some(Line {
        format: "lighttpd.error",
        service: "lighttpd",
        stamp,
        severity: None,
        thread: "",
        place: (file, line),
        message: c.rest,
    })
}

const MOSQUITTO: &str = "mosquitto";

/// How messages of Mosquitto begin (src/*.c): nothing else tells them from those of other programs.
const SAID: &[&str] = &[
    "New client connected from ",
    "New connection from ",
    "New bridge connected from ",
    "Client ",
    "Outgoing messages are being dropped for client ",
    "Socket error on client ",
    "Connecting bridge ",
    "Received ",
    "Sending ",
    "No will message specified",
    "Will message specified",
    "mosquitto version ",
    "Config loaded from ",
    "Loading config file ",
    "Opening ipv4 ",
    "Opening ipv6 ",
    "Opening websockets ",
    "Starting in local only mode",
    "Saving in-memory database",
    "Restored ",
];

/// `2026-11-21T10:15:02: text`, by default `1795256102: text`.
fn mosquitto(text: &str, known: bool, notation: impl Fn(&str) -> Option<(Stamp, usize)>) -> Option<Line<'_>> {
    let mut c = Cursor::new(text);
    let stamp = c.stamp_by(notation)?;
    c.must(": ")?;
    let level = ["Warning", "Error"].into_iter().find(|word| c.rest.strip_prefix(word).is_some_and(|rest| rest.starts_with(": ")));
    let severity = level.and_then(|word| Some((word, Severity::from_word(word)?)));
    (known || is_of_broker(c.rest)).then_some(Line {
        format: MOSQUITTO,
        service: "mosquitto",
        stamp,
        severity,
        thread: "",
        place: ("", ""),
        message: c.rest,
    })
}

/// Whether a message begins as Mosquitto's do; of words with which any program may begin, those that follow must be its own.
fn is_of_broker(message: &str) -> bool {
    const ENDS: [&str; 5] = [" closed its connection", " disconnected", " has exceeded timeout", " already connected", " negotiated"];
    const PACKETS: [&str; 7] = ["CONN", "PUB", "SUB", "UNSUB", "PING", "DISCONNECT", "AUTH"];
    let Some(beginning) = SAID.iter().find(|beginning| message.starts_with(**beginning)) else { return false };
    match *beginning {
        "Client " => ENDS.iter().any(|end| message.contains(end)),
        "Received " | "Sending " => {
            let word = message.split(' ').nth(1).unwrap_or("");
            PACKETS.iter().any(|packet| word.starts_with(packet)) && (message.contains(" from ") || message.contains(" to "))
        }
        "Restored " => message.contains(" subscriptions") || message.contains(" retained messages"),
        _ => true,
    }
}

/// Whose connection a message of Mosquitto is about: `New client connected from 10.0.0.3:50122 as meter-7 (p2, c1, k60, u'meter').`
fn connection<'a>(text: &'a str, record: &mut Record<'a>) {
    let client = |rest: &'a str| rest.split(' ').next().map(|id| id.trim_end_matches(['.', ','])).filter(|id| !id.is_empty());
    let mut id = None;
    if let Some(rest) = text.strip_prefix("New client connected from ").or_else(|| text.strip_prefix("New connection from ")) {
        fill::client(record, rest.split(' ').next().unwrap_or("").trim_end_matches('.'));
        id = rest.split_once(" as ").and_then(|(_, rest)| client(rest));
        if let Some((user, _)) = rest.split_once(" u'").and_then(|(_, rest)| rest.split_once('\'')) {
            fill::once_str(record, Key::User, user);
        }
    } else if let Some(rest) = text.strip_prefix("Client ") {
        id = client(rest);
    } else if let Some((_, rest)) = text.split_once(" client ") {
        id = client(rest);
    }
    if let Some(id) = id {
        record.put_other("mqtt.client.id", Value::Str(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (text, format, severity, body) in [
            ("2026/11/21 10:15:02| Starting Squid Cache", "squid.cache", None, "Starting Squid Cache"),
            ("2026/11/21 10:15:02 kid1| WARNING: no room", "squid.cache", Some(Severity::Warn), "WARNING: no room"),
            ("2026.11.21 10:15:02 LOG3[2]: SSL_connect: no", "stunnel", Some(Severity::Error), "SSL_connect: no"),
            ("2026.11.21 10:15:02 LOG5[ui]: stunnel 5.68", "stunnel", Some(Severity::Info), "stunnel 5.68"),
            ("2026-11-21 10:15:02: (server.c.1704) server started", "lighttpd.error", None, "server started"),
            ("2026-11-21T10:15:02: Client m7 disconnected.", "mosquitto", None, "Client m7 disconnected."),
            ("1795256102: Received PUBLISH from m7 (d0, q1)", "mosquitto", None, "Received PUBLISH from m7 (d0, q1)"),
        ] {
            let line = Daemons::default().parse(text).unwrap();
            assert_eq!((line.format, line.severity.map(|(_, s)| s), line.message), (format, severity, body), "{text}");
        }
        for no in [
            "2026/11/21 10:15:02 http: TLS handshake error",
            "2026.11.21 10:15:02.123456 [ 17 ] {q} <Error> Query: x",
            "2026-11-21 10:15:02: (worker) text",
            "2026-11-21T10:15:02: Client is happy",
            "2026-11-21T10:15:02: hello",
            "1795256102: Received nothing",
            "1795256102",
            "2026",
        ] {
            assert!(Daemons::default().parse(no).is_none(), "{no}");
        }
        let broker = Daemons { broker: true };
        assert_eq!(broker.parse("1795256102: Error: no such user").and_then(|l| l.severity), Some(("Error", Severity::Error)));
    }
}
