//! What a format is, and how formats call each other.
//!
//! A format reads one record. An envelope (syslog, Docker, journald) reads its own part and hands the rest to
//! [`Cx::inner`], which finds the format of the message inside; so envelopes nest without knowing each other.
//! Adding a format is adding a file in [`crate::formats`] and one line to its list.

use crate::fractions::Fractions;
use crate::marks::Marks;
use crate::section::Section;
use std::sync::Arc;
use whyline_event::{Bump, Key, Record, Value};

/// How surely a text is of a format, 1 to 100. A fit decides between formats that all accept a text, so it speaks of how
/// *specific* the match is: 90 and above only this program writes so; 60 a well-known shape (JSON with a time and a level);
/// 30 a time stamp and a level word; 10 a time stamp alone.
pub type Fit = u8;

/// A way of writing records.
pub trait Format: Send + Sync {
    /// The name, by the list in the documentation (`nginx.error`).
    fn name(&self) -> &'static str;

    /// Reads a whole record (or the message inside an envelope) into `record`, whose `body` and `format` are those of the
    /// envelope so far. Sets `record.format`, `record.body`, the stamp, the severity and the fields. Returns `None`, *and
    /// leaves `record` as it was*, when the text is not of this format. Never panics, whatever the text.
    ///
    /// `text` has all lines of the record; a format looks at the first line for its header.
    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit>;

    /// Whether [`Format::read_marked`] is worth asking: the marks of whole blocks are then made for it.
    fn wants_marks(&self) -> bool {
        false
    }

    /// Reads a line of a source whose blanks and quotes were marked ahead, where it is one of the usual lines of this source: one that
    /// begins a record at the margin, with a stamp. `None`, and the record as it was, leaves it to [`Format::read`], which says the same of it.
    fn read_marked<'a>(&self, _cx: &Cx<'a>, _line: &'a str, _marks: &Marks<'_>, _record: &mut Record<'a>) -> Option<Fit> {
        None
    }

    /// Whether a line begins a record of this format. Only asked of lines of a source for which the format was chosen; a line
    /// that begins no record belongs to the record before. The default reads the line.
    fn starts(&self, cx: &Cx<'_>, line: &str) -> bool {
        let line = cx.arena.alloc_str(line);
        // A scratch record in the same arena: nothing of it survives.
        let mut scratch = Record::new(line, whyline_event::Origin::default());
        scratch_read(self, cx.arena, cx.order, line, &mut scratch)
    }

    /// [`Format::starts`], where the line before is known: for formats in which two lines that may begin a record belong
    /// together when one follows the other (the time and the user of a slow query log).
    fn starts_after(&self, cx: &Cx<'_>, _previous: &str, line: &str) -> bool {
        self.starts(cx, line)
    }

    /// The format with what the first records of a source teach about it (a header line that names the columns, the
    /// meaning of unnamed trailing columns). `head` holds texts of which most were read by this format. `None`: nothing to
    /// learn. What is learnt must not depend on anything but these texts.
    fn learn(&self, _head: &[&str]) -> Option<Arc<dyn Format>> {
        None
    }

    /// The format as it suits a source of this path: a path is a hint, so at most its fit changes a little. `None`: as it is.
    fn for_source(&self, _path: &str) -> Option<Arc<dyn Format>> {
        None
    }

    /// Whether the lines of a record cannot be told apart one by one (MySQL's slow log, journal export): then
    /// [`Format::starts`] alone decides where a record begins.
    fn block(&self) -> bool {
        false
    }

    /// For a [`Format::block`] format: an empty line ends a record.
    fn ends_at_blank(&self) -> bool {
        false
    }

    /// For a [`Format::block`] format: where on a line another record begins behind the first; the line may be cut off at its end.
    fn next_on_line(&self, _line: &str) -> Option<usize> {
        None
    }

    /// The section that a line opens, for output of commands: the line is the head of a table or the first line of a list.
    /// With `bare` also a row that only this command writes, as it stands alone when its head was cut off.
    fn opens(&self, _line: &str, _bare: bool) -> Option<Box<dyn Section>> {
        None
    }

    /// Whether the format is output of a command, read through [`Format::opens`] and never line by line.
    fn is_command(&self) -> bool {
        false
    }

    /// Whether the text of a line goes on in the next line of the same stream: container runtimes split long lines. The lines that belong
    /// together are read as one text.
    fn is_part(&self, _line: &str) -> bool {
        false
    }

    /// For a line that [`Format::is_part`]: whether another one goes on with it.
    fn same_stream(&self, _part: &str, _line: &str) -> bool {
        false
    }

    /// Whether this is an envelope: it carries records of other formats.
    fn is_envelope(&self) -> bool {
        false
    }
}

fn scratch_read<'a, F: Format + ?Sized>(
    format: &F,
    arena: &'a Bump,
    order: &'a [Arc<dyn Format>],
    line: &'a str,
    record: &mut Record<'a>,
) -> bool {
    let cx = Cx::new(arena, order);
    format.read(&cx, line, record).is_some()
}

/// What a format may use while it reads: an arena for unescaped text, and the formats of the source.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// Text that is no part of the record (unescaped strings) lives here, as long as the chunk.
    pub arena: &'a Bump,
    /// The formats to try, in the order that was found best for this source.
    pub order: &'a [Arc<dyn Format>],
    /// How many envelopes have been opened.
    pub depth: u8,
    /// What durations with a fraction and without a unit count.
    pub fractions: Fractions,
}

/// Envelopes deeper than this are left closed: a guard against hostile nesting.
const DEEPEST: u8 = 4;

impl<'a> Cx<'a> {
    /// Outside of all envelopes.
    pub fn new(arena: &'a Bump, order: &'a [Arc<dyn Format>]) -> Self {
        Cx { arena, order, depth: 0, fractions: Fractions::default() }
    }

    /// Reads the message inside an envelope. `record.body` should already hold what the envelope would show; `envelope` is
    /// the name of the envelope's format. When some format knows the text, it replaces format, body and (where it has one) the
    /// stamp; the fields of both stay, and the envelope's name is added to `log.envelope`. Returns whether one did.
    pub fn inner(&self, envelope: &'static str, text: &'a str, record: &mut Record<'a>) -> bool {
        if self.depth >= DEEPEST || text.is_empty() {
            return false;
        }
        let deeper = Cx { depth: self.depth + 1, ..*self };
        let outer = record.stamp;
        let mark = record.fields.len();
        record.put(Key::Envelope, Value::Str(envelope));
        for format in self.order {
            if format.read(&deeper, text, record).is_some() {
                if record.stamp != outer && outer.is_some() && record.envelope_stamp.is_none() {
                    record.envelope_stamp = outer;
                }
                return true;
            }
        }
        record.fields.truncate(mark);
        false
    }

    /// Text in the arena.
    pub fn keep(&self, text: &str) -> &'a str {
        self.arena.alloc_str(text)
    }
}
