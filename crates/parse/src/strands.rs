//! Records whose lines come one by one, each in an envelope of its own: a stack trace through a container's log, through syslog or the
//! journal.
//!
//! Several writers may share a source (standard output and standard error, two pods), so their lines may take turns. Records in
//! envelopes wait here for as long as a line of theirs may still come; a line that only goes on with what its own writer wrote
//! before is added to that record, never to the one of another. The rules are those of plain files ([`crate::joins`]), asked of
//! the texts inside the envelopes.

use crate::cut::{Line, MOST_LINES, Over, is_blank, joined, read_into};
use crate::format::{Cx, Format};
use crate::formats::cursor::first_line;
use crate::formats::{exception, unstamped};
use crate::joins::{goes_on, is_whole};
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use whyline_event::stamp::NANOS;
use whyline_event::{Bump, Key, Name, Record, Stamp, Value};

/// The formats, as records carry them, that put an envelope round each line of a text.
const CARRIERS: &[&str] =
    &["docker.json", "cri", "k8s.pod_prefix", "compose", "loki", "aws.cloudwatch", "syslog.rfc3164", "syslog.rfc5424", "journald"];
/// Of them those in which many programs share a stream, and where a message may well begin with a blank.
const SHARED: &[&str] = &["syslog.rfc3164", "syslog.rfc5424", "journald"];
/// What tells the writers of one source apart, as far as an envelope says; first what few of them share.
const WRITER: [Key; 6] = [Key::ProcessPid, Key::HostName, Key::ProcessName, Key::LogStream, Key::ContainerName, Key::PodName];
/// Formats at the front of a plan by which a source is said to have envelopes.
const FRONT: usize = 6;
/// A record waits for its next line over so many lines of other writers.
pub(crate) const APART: u64 = 64;
/// A text is written at once; a line that comes later than this is another one. Syslog rounds to seconds.
const LATE: i64 = 2 * NANOS;

/// How a line begins that may go on with a record of which nothing else says so ([`goes_on`]).
const MARKS: &[&str] = &[
    "(Background on this error at: ",
    "[SQL: ",
    "[parameters: ",
    "During handling of the above exception",
    "The above exception was the direct cause",
    "Traceback (most recent call last):",
    "Stack trace:",
    "#",
    "goroutine ",
    "created by ",
    "[signal ",
    "exit status ",
    "runtime.",
];

/// A record that may still grow.
pub(crate) struct Strand<'a> {
    /// Its first line.
    first: Line<'a>,
    /// The others.
    more: Vec<Line<'a>>,
    /// How many of the lines are one that the container's runtime has split.
    parts: usize,
    /// Its first line, as read.
    record: Box<Record<'a>>,
    /// The text inside the first line, once it was asked for.
    head: Option<&'a str>,
    /// The texts inside the lines that were added.
    inner: Vec<&'a str>,
    /// The envelope's stamp of the last line.
    last: Option<Stamp>,
    over: Over,
    /// A part of a line was read, and the rest has not come yet.
    awaits: bool,
    /// Any line of its writer may go on with it.
    eager: bool,
    /// The number of its envelope among [`CARRIERS`].
    carrier: usize,
    /// What tells its writer.
    writer: Writer,
    /// Its first line is blank inside its envelope.
    blank: bool,
}

/// Hashes of what tells the writer of a line; 0 for what its envelope does not say.
type Writer = [u32; WRITER.len()];

impl<'a> Strand<'a> {
    fn last_line(&self) -> &Line<'a> {
        self.more.last().unwrap_or(&self.first)
    }

    fn is_blank(&self) -> bool {
        self.blank && self.more.is_empty()
    }

    fn push(&mut self, line: Line<'a>, inner: &'a str) {
        if (self.more.len() as u32) < MOST_LINES {
            self.more.push(line);
            self.inner.push(inner);
        } else {
            self.over.add(&line);
        }
    }

    /// Its lines, the first one as read where that is all, what belongs to it beyond what is held, and what is inside.
    pub(crate) fn open(self, lines: &mut Vec<Line<'a>>) -> (Option<Box<Record<'a>>>, Over, Inside<'a>) {
        let single = self.more.is_empty();
        lines.push(self.first);
        lines.extend(self.more);
        (single.then_some(self.record), self.over, Inside { parts: self.parts, texts: self.inner })
    }
}

/// What stands inside the envelopes of a record's lines.
#[derive(Default)]
pub(crate) struct Inside<'a> {
    /// Lines that make the first text.
    parts: usize,
    /// The texts of the lines behind.
    texts: Vec<&'a str>,
}

impl<'a> Inside<'a> {
    /// Whether all is in the first envelope.
    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// A line without an envelope was added.
    pub(crate) fn add(&mut self, text: &'a str) {
        if !self.texts.is_empty() {
            self.texts.push(text);
        }
    }

    /// Reads the record: the first envelope, and in it the texts of all.
    pub(crate) fn read(&self, cx: &Cx<'a>, lines: &[Line<'a>], record: &mut Record<'a>) {
        let arena = cx.arena;
        let head = joined(arena, lines.get(..self.parts).unwrap_or(&[]));
        let outside = Cx::new(arena, &[]);
        if cx.order.iter().find_map(|format| format.read(&outside, head, record)).is_none() {
            read_into(cx, record.text, record);
            return;
        }
        let mut whole = String::from(record.body);
        for text in &self.texts {
            whole.push('\n');
            whole.push_str(text);
        }
        let whole = arena.alloc_str(&whole);
        record.body = whole;
        let known = CARRIERS.iter().find(|name| **name == record.format);
        if !known.is_some_and(|name| cx.inner(name, whole, record)) {
            exception::fields(whole, record);
        }
    }
}

/// The envelope of a record, the outermost one, by its number, and whether the record's own format is one.
fn carrier(record: &Record<'_>) -> Option<(usize, bool)> {
    let number = |outer: &str| CARRIERS.iter().position(|name| *name == outer);
    match record.get(Key::Envelope) {
        Some(outer) => Some((number(outer.as_str()?)?, CARRIERS.contains(&record.format))),
        None => Some((number(record.format)?, true)),
    }
}

fn writer(record: &Record<'_>) -> Writer {
    let mut writer = [0; WRITER.len()];
    for field in &record.fields {
        if let Name::Known(key) = field.name
            && let Some(place) = WRITER.iter().position(|k| *k == key).and_then(|at| writer.get_mut(at)).filter(|place| **place == 0)
        {
            let mut hasher = rustc_hash::FxHasher::default();
            match field.value {
                Value::Str(text) => text.hash(&mut hasher),
                Value::Int(number) => number.hash(&mut hasher),
                _ => {}
            }
            *place = (hasher.finish() >> 32) as u32 | 1;
        }
    }
    writer
}

/// Whether a line may be of the writer of a record, as far as hashes say.
fn may_be_of(line: &Writer, record: &Writer) -> bool {
    line.iter().zip(record).all(|(line, record)| *line == 0 || line == record)
}

/// The records of a block that wait.
pub(crate) struct Strands<'a> {
    queue: VecDeque<Strand<'a>>,
    /// The source has lines in envelopes.
    on: bool,
    /// So many of them have a line whose rest is to come.
    awaiting: usize,
    /// So many of them may go on with any line.
    eager: usize,
    /// Room for records.
    #[expect(clippy::vec_box, reason = "the cutter moves records in their boxes")]
    rooms: Vec<Box<Record<'a>>>,
}

/// What becomes of a line.
pub(crate) enum Turn<'a> {
    /// It was added to a record that waits.
    Taken(Box<Record<'a>>),
    /// It begins a record in an envelope, which waits.
    Begun,
    /// It is in no envelope.
    Plain(Line<'a>, Box<Record<'a>>),
}

impl<'a> Strands<'a> {
    /// For a source that is read by these formats.
    pub(crate) fn new(order: &[Arc<dyn Format>]) -> Self {
        Strands { queue: VecDeque::new(), on: may_have(order), awaiting: 0, eager: 0, rooms: Vec::new() }
    }

    /// Whether records wait.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Adds a line to the record whose line a runtime has split, where it goes on with it.
    pub(crate) fn part(&mut self, order: &[Arc<dyn Format>], line: Line<'a>) -> Option<Line<'a>> {
        let first = order.first().filter(|_| self.awaiting > 0);
        let Some(format) = first else { return Some(line) };
        let own = |s: &&mut Strand<'_>| s.awaits && format.same_stream(s.last_line().text, line.text);
        let Some(strand) = self.queue.iter_mut().rev().find(own) else { return Some(line) };
        if (strand.more.len() as u32) < MOST_LINES {
            strand.more.push(line);
            strand.parts += 1;
            strand.awaits = format.is_part(strand.last_line().text);
        } else {
            strand.awaits = format.is_part(line.text);
            strand.over.add(&line);
        }
        self.awaiting -= usize::from(!strand.awaits);
        None
    }

    /// Takes a line that was read.
    pub(crate) fn turn(&mut self, arena: &'a Bump, order: &'a [Arc<dyn Format>], line: Line<'a>, record: Box<Record<'a>>) -> Turn<'a> {
        let Some((carrier, known)) = self.on.then(|| carrier(&record)).flatten() else { return Turn::Plain(line, record) };
        let writer = writer(&record);
        if let Some(inner) = inside(arena, order, &line, &record, known)
            && let Some(at) = self.joins(arena, order, &line, &record, (carrier, &writer), inner)
        {
            self.add(at, line, &record, &writer, inner);
            return Turn::Taken(record);
        }
        let awaits = order.first().is_some_and(|format| format.is_part(line.text));
        self.awaiting += usize::from(awaits);
        // What an application has stamped, what ends within a trace.
        let blank = known && is_blank(record.body) && CARRIERS.get(carrier) == Some(&record.format);
        let eager = !known || record.body.starts_with([' ', '\t']) || record.body.starts_with("thread '");
        self.eager += usize::from(eager);
        let last = record.envelope_stamp.or(record.stamp);
        self.queue.push_back(Strand {
            first: line,
            more: Vec::new(),
            parts: 1,
            record,
            head: None,
            inner: Vec::new(),
            last,
            over: Over::default(),
            awaits,
            eager,
            carrier,
            writer,
            blank,
        });
        Turn::Begun
    }

    /// The record that a line goes on with, if it only goes on with one: the last of its writer.
    fn joins(
        &mut self,
        arena: &'a Bump,
        order: &'a [Arc<dyn Format>],
        line: &Line<'a>,
        record: &Record<'a>,
        (carrier, writer): (usize, &Writer),
        inner: &str,
    ) -> Option<usize> {
        let indented = inner.starts_with([' ', '\t']);
        if self.eager == 0 && !indented && !MARKS.iter().any(|mark| inner.starts_with(mark)) {
            return None;
        }
        let outer = *CARRIERS.get(carrier)?;
        let shared = SHARED.contains(&outer);
        if is_blank(inner) || shared && !is_ones_own(record) {
            return None;
        }
        let own = |s: &Strand<'_>| s.carrier == carrier && may_be_of(writer, &s.writer) && !s.is_blank() && same_writer(record, &s.record);
        let at = self.queue.iter().rposition(own)?;
        let strand = self.queue.get_mut(at).filter(|s| s.last_line().number + APART >= line.number && !s.awaits)?;
        if !is_near(strand.last, record.stamp) {
            return None;
        }
        let goes = if shared { is_frame(inner) } else { indented };
        if goes {
            return Some(at);
        }
        let known = strand.record.format != outer;
        if indented || known && record.format != outer {
            return None;
        }
        let head = *strand.head.get_or_insert_with(|| if known { opened(arena, order, &strand.first) } else { strand.record.body });
        let whole = is_whole(first_line(head)) || strand.record.format.ends_with(".access");
        // What an application stamps itself goes on until its next stamp.
        let stamped = known
            && (strand.record.envelope_stamp.is_some() || outer == "compose" || outer == "k8s.pod_prefix")
            && strand.record.stamp.is_some();
        let texts = std::iter::once(head).chain(strand.inner.iter().copied());
        // A daemon whose messages syslog stamps writes some of them with a time of its own and others without.
        let belongs = stamped && !whole && (!shared || names_exception(inner)) && !unstamped::begins(inner);
        (belongs || goes_on(texts, inner)).then_some(at)
    }

    /// Adds a line to a record, with the blank ones of the same writer between them.
    fn add(&mut self, at: usize, line: Line<'a>, record: &Record<'a>, writer: &Writer, inner: &'a str) {
        let mut n = at + 1;
        while let Some(next) = self.queue.get(n) {
            if next.is_blank() && may_be_of(writer, &next.writer) && same_writer(record, &next.record) {
                if let Some(blank) = self.queue.remove(n)
                    && let Some(strand) = self.queue.get_mut(at)
                {
                    strand.push(blank.first, "");
                    self.eager -= usize::from(blank.eager);
                    self.awaiting -= usize::from(blank.awaits);
                    self.rooms.push(blank.record);
                }
            } else {
                n += 1;
            }
        }
        if let Some(strand) = self.queue.get_mut(at) {
            strand.push(line, inner);
            strand.last = record.stamp;
            self.eager += usize::from(!std::mem::replace(&mut strand.eager, true));
        }
    }

    /// The oldest record, where it waits no more: none of its lines can follow a line of this number. Without a number all are given out.
    pub(crate) fn next(&mut self, number: Option<u64>) -> Option<Strand<'a>> {
        let front = self.queue.front()?;
        if number.is_some_and(|number| front.last_line().number + APART >= number) {
            return None;
        }
        self.awaiting -= usize::from(front.awaits);
        self.eager -= usize::from(front.eager);
        self.queue.pop_front()
    }

    /// Keeps the room of a record that has gone.
    pub(crate) fn keep(&mut self, room: Box<Record<'a>>) {
        self.rooms.push(room);
    }

    /// Room for a record.
    pub(crate) fn room(&mut self) -> Option<Box<Record<'a>>> {
        self.rooms.pop()
    }
}

/// Whether lines of a source that is read by these formats may be in envelopes.
pub(crate) fn may_have(order: &[Arc<dyn Format>]) -> bool {
    order.iter().take(FRONT).any(|format| format.is_envelope() && format.name() != "json")
}

/// The text inside a line's envelope, where no format that stamps its records knows it.
fn inside<'a>(arena: &'a Bump, order: &'a [Arc<dyn Format>], line: &Line<'a>, record: &Record<'a>, known: bool) -> Option<&'a str> {
    let inner = if known {
        record.body
    } else if record.envelope_stamp.is_none() && matches!(record.format, "logfmt" | "generic" | "json") && may_be_indented(line.text) {
        // `key = value` of an indented line is part of a text.
        opened(arena, order, line)
    } else {
        return None;
    };
    // `#011` is how rsyslog writes a tab.
    Some(match inner.strip_prefix("#011") {
        Some(rest) => arena.alloc_str(&format!("\t{rest}")),
        None => inner,
    })
}

fn may_be_indented(line: &str) -> bool {
    line.contains("  ") || line.contains('\t') || line.contains("\\t") || line.contains("\": \"\\")
}

/// The text inside a line's envelope.
fn opened<'a>(arena: &'a Bump, order: &'a [Arc<dyn Format>], line: &Line<'a>) -> &'a str {
    let mut record = Record::new(line.text, whyline_event::Origin::default());
    let cx = Cx::new(arena, &[]);
    order.iter().find_map(|format| format.read(&cx, line.text, &mut record));
    record.body
}

/// Whether whatever a line's envelope says of its writer is true of a record.
fn same_writer(line: &Record<'_>, record: &Record<'_>) -> bool {
    WRITER.iter().all(|key| match line.get(*key) {
        Some(value) => record.get(*key) == Some(value),
        None => true,
    })
}

/// Whether a shared stream says which process wrote a line, and it is none that says all in one line.
fn is_ones_own(record: &Record<'_>) -> bool {
    let tag = record.str(Key::ProcessName).unwrap_or("");
    record.has(Key::ProcessPid) && !crate::formats::syslog::services::is_known(tag)
        || record.get(Key::ProcessName) == Some(Value::Str("java"))
}

fn is_near(before: Option<Stamp>, now: Option<Stamp>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) if before.form == now.form => now.nanos.saturating_sub(before.nanos).saturating_abs() <= LATE,
        _ => true,
    }
}

/// Whether a text is indented as the lines of traces are: messages in syslog may begin with a blank.
fn is_frame(text: &str) -> bool {
    let bare = text.trim_start_matches(' ');
    let depth = text.len() - bare.len();
    bare.starts_with('\t') || depth >= 4 || depth >= 2 && ["at ", "File \"", "from ", "in "].iter().any(|mark| bare.starts_with(mark))
}

/// Whether a line begins with the name of an exception: `java.lang.IllegalStateException: empty`.
fn names_exception(text: &str) -> bool {
    let name = text.split([':', ' ']).next().unwrap_or("");
    ["Exception", "Error", "Throwable", "Failure"].iter().any(|end| name.ends_with(end) && name.len() > end.len())
}
