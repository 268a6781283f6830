//! What rows of commands' output tell that no query can say: which ports are listened on, how long certificates are valid.

use crate::names::{NameId, Names};
use std::collections::BTreeMap;
use whyline_event::{Clock, Form, Key, Name, Record, Stamp, Value};

/// How a row's time is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Telling {
    /// A log line: it was written when it happened.
    Logged,
    /// A row of a command's output that names the time at which something happened.
    Dated,
    /// A row that shows how things stood when the command was run.
    State,
}

impl Telling {
    /// How a record is to be understood.
    pub fn of(record: &Record<'_>) -> Telling {
        if !record.is_snapshot() {
            Telling::Logged
        } else if record.is_state() {
            Telling::State
        } else {
            Telling::Dated
        }
    }
}

/// Where a row stands and when its command was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The source.
    pub source: u32,
    /// Its line.
    pub line: u32,
    /// What the stamp leaves open.
    pub form: Form,
    /// The stamp as written, in nanoseconds.
    pub nanos: i64,
    /// The machine on which the command was run.
    pub host: NameId,
}

impl Row {
    /// When the command was run, in milliseconds on the agreed clock.
    pub fn millis(&self, clock: &Clock) -> i64 {
        let stamp = Stamp { nanos: self.nanos, form: self.form, offset: None, digits: 9 };
        clock.agreed(&stamp).div_euclid(1_000_000)
    }
}

/// A local end of a socket.
#[derive(Clone, Copy, Debug)]
pub struct Socket {
    /// Where it stands.
    pub row: Row,
    /// The local address; `*`, `0.0.0.0` and `::` stand for all.
    pub address: NameId,
    /// The local port.
    pub port: u16,
    /// It waits for connections.
    pub listens: bool,
}

/// How long a certificate is valid.
#[derive(Clone, Copy, Debug)]
pub struct Certificate {
    /// Where it stands.
    pub row: Row,
    /// Its subject.
    pub subject: NameId,
    /// When it begins to be valid, in milliseconds; `None` when unknown.
    pub from: Option<i64>,
    /// When it ends to be valid, in milliseconds; `None` when unknown.
    pub to: Option<i64>,
}

/// A pod and its address.
#[derive(Clone, Copy, Debug)]
pub struct Pod {
    /// Where it stands.
    pub row: Row,
    /// Its name.
    pub name: NameId,
    /// Its address.
    pub address: NameId,
}

/// What was gathered of commands' output.
#[derive(Clone, Debug, Default)]
pub struct Snapshots {
    /// Pods.
    pub pods: Vec<Pod>,
    /// When states of a source were looked at, as written: first and last, by what the stamps leave open.
    pub looked: BTreeMap<(u32, Form), (i64, i64)>,
    /// Sockets.
    pub sockets: Vec<Socket>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
}

/// More of a kind are not kept.
const MOST: usize = 100_000;

impl Snapshots {
    /// Takes a row.
    pub fn record(&mut self, record: &Record<'_>, stamp: &Stamp, host: NameId, names: &mut Names) {
        let row = Row {
            source: record.origin.source.0,
            line: u32::try_from(record.origin.line).unwrap_or(u32::MAX),
            form: stamp.form,
            nanos: stamp.nanos,
            host,
        };
        // A prompt stands before the output, and perhaps before the date, of what it runs.
        if record.is_state() && !record.has(Key::Command) {
            let span = self.looked.entry((row.source, row.form)).or_insert((row.nanos, row.nanos));
            *span = (span.0.min(row.nanos), span.1.max(row.nanos));
        }
        if let (Some(pod), Some(Value::Str(address))) = (record.str(Key::PodName), record.values(Name::Other("k8s.pod.ip")).next())
            && self.pods.len() < MOST
        {
            self.pods.push(Pod { row, name: names.id(pod), address: names.id(address) });
        }
        if let (Some(state), Some(port)) = (record.str(Key::SocketState), record.int(Key::ServerPort))
            && let Ok(port) = u16::try_from(port)
            && self.sockets.len() < MOST
        {
            let address = names.id(record.str(Key::ServerAddress).unwrap_or(""));
            self.sockets.push(Socket { row, address, port, listens: state == "listen" });
        }
        let day = |key: Key| record.str(key).and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(|t| t.as_millisecond());
        let (from, to) = (day(Key::TlsNotBefore), day(Key::TlsNotAfter));
        if (from.is_some() || to.is_some()) && self.certificates.len() < MOST {
            let subject = names.id(record.str(Key::TlsSubject).unwrap_or(""));
            self.certificates.push(Certificate { row, subject, from, to });
        }
    }

    /// Adds what another part gathered; `name` translates its names.
    pub fn merge(&mut self, other: Snapshots, name: impl Fn(NameId) -> NameId) {
        let row = |row: Row| Row { host: name(row.host), ..row };
        self.sockets.extend(other.sockets.into_iter().map(|s| Socket { row: row(s.row), address: name(s.address), ..s }));
        self.pods.extend(other.pods.into_iter().map(|p| Pod { row: row(p.row), name: name(p.name), address: name(p.address) }));
        for (key, (first, last)) in other.looked {
            let span = self.looked.entry(key).or_insert((first, last));
            *span = (span.0.min(first), span.1.max(last));
        }
        self.certificates.extend(other.certificates.into_iter().map(|c| Certificate { row: row(c.row), subject: name(c.subject), ..c }));
    }

    /// Keeps what stands in some of the sources.
    pub fn retain(&mut self, is_kept: impl Fn(u32) -> bool) {
        self.sockets.retain(|s| is_kept(s.row.source));
        self.pods.retain(|p| is_kept(p.row.source));
        self.certificates.retain(|c| is_kept(c.row.source));
        self.looked.retain(|(source, _), _| is_kept(*source));
    }

    /// Puts everything into a stable order.
    pub fn sort(&mut self) {
        self.sockets.sort_by_key(|s| (s.row.source, s.row.line));
        self.pods.sort_by_key(|p| (p.row.source, p.row.line));
        self.certificates.sort_by_key(|c| (c.row.source, c.row.line));
    }
}
