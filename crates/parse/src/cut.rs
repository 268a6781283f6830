//! Cutting a block into records: which lines belong together, and what each record is.

use crate::detect::Plan;
use crate::facts::{Facts, Gathering};
use crate::fold;
use crate::format::{Cx, Fit, Format};
use crate::formats::unstamped;
use crate::fractions::Fractions;
use crate::input::Block;
use crate::joins::{Object, Step, goes_on, is_whole};
use crate::order::Watch;
use crate::plain::{Odd, odd, plain};
use crate::section::{Sections, Step as Turn};
use crate::strands::{Inside, Strands};
use std::sync::Arc;
use whyline_event::{Bump, Form, Origin, Record, SourceId, Stamp};

mod beside;
mod broken;
mod finish;
mod straight;

/// A body longer than this is cut, with a note. The record stays one event and all its lines are counted.
pub const LONGEST_BODY: usize = 1 << 20;
/// Lines of a record that are held. The body is cut behind them, with a note; the record stays one event and all its lines are counted.
pub const MOST_LINES: u32 = 10_000;

/// A fit as any text has it, perhaps with a time in it.
const UNKNOWN: Fit = 10;

/// What came of one block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Physical lines.
    pub lines: u64,
    /// Lines with nothing but white space that belong to no record.
    pub blank: u64,
    /// Lines that belong to a record.
    pub in_events: u64,
    /// Records.
    pub records: u64,
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Records that another source holds as well, and that are counted there.
    pub duplicate: u64,
    /// Records of which only the beginning is held, and the line at which the first of them begins.
    pub cut: u64,
    /// See [`Counts::cut`]; nothing where none was cut.
    pub first_cut: Option<u64>,
}

impl Counts {
    /// Adds the counts of another part.
    pub fn add(&mut self, other: &Counts) {
        self.lines += other.lines;
        self.blank += other.blank;
        self.in_events += other.in_events;
        self.records += other.records;
        self.bytes += other.bytes;
        self.duplicate += other.duplicate;
        self.cut += other.cut;
        self.first_cut = [self.first_cut, other.first_cut].into_iter().flatten().min();
    }
}

pub(crate) struct Line<'a> {
    pub text: &'a str,
    pub number: u64,
    start: usize,
    end: usize,
    lossy: bool,
    /// Physical lines that are counted with it: none where it stands behind a hole in one, several where a terminal had broken it.
    counted: u32,
}

/// Reads one line (or a whole record) by the formats of its source, the best first. Always yields a record; the fit is 0 when
/// no format knew the text.
pub fn read<'a>(arena: &'a Bump, order: &'a [Arc<dyn Format>], text: &'a str, origin: Origin) -> (Record<'a>, Fit) {
    let mut record = Record::new(text, origin);
    let fit = read_into(&Cx::new(arena, order), text, &mut record);
    (record, fit)
}

pub(crate) fn read_into<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Fit {
    cx.order.iter().find_map(|format| format.read(cx, text, record)).unwrap_or(0)
}

/// Whether what was read of a line says that it begins a record, rather than going on with the one before.
fn begins(line: &str, record: &Record<'_>, fit: Fit) -> bool {
    let indented = line.starts_with([' ', '\t']);
    if let Some(stamp) = record.stamp {
        // One blank is no indentation where a whole date and more of a head follow.
        let slightly = indented && fit >= 30 && stamp.form != Form::TimeOnly && !line.starts_with("  ") && !line.starts_with('\t');
        return !indented || fit >= 50 || slightly;
    }
    !indented && fit >= 50
}

/// Cuts a block into records and hands each to `sink`, in order.
///
/// Where the records of a source carry time stamps, a line without one that no format claims belongs to the record before. A record that names no host gets `host`.
/// Records without a stamp take the one of the record before.
pub fn cut(
    block: &Block,
    source: SourceId,
    plan: &Plan,
    host: Option<&str>,
    facts: &mut Facts,
    sink: &mut dyn FnMut(&Record<'_>),
) -> Counts {
    let arena = Bump::new();
    let arena = &arena;
    let (order, stamped) = (&plan.order[..], plan.stamped && !block.unstamped);
    let mut counts = Counts { bytes: block.bytes.len() as u64 + block.skipped, ..Counts::default() };
    let mut cutter = Cutter {
        skipped: 0,
        skipped_lines: 0,
        over: Over::default(),
        arena,
        order,
        fractions: plan.fractions,
        source,
        base: block.offset,
        counts: &mut counts,
        sink,
        facts: Gathering::new(facts),
        host,
        before: None,
        open: Vec::new(),
        pending: None,
        object: None,
        spare: None,
        watch: Watch::new(plan.expected),
        fold: fold::Watch::default(),
        later_from: plan.expected.later_from,
        boot: plan.expected.boot,
        sections: Sections::new(&plan.commands),
        in_section: false,
        strands: Strands::new(order),
        inside: Inside::default(),
    };
    cutter.lead(&block.lead);
    let strangers = order.first().is_some_and(|f| f.name().ends_with(".access"));
    let mut lines = straight::Lines::of(block, plan);
    let Odd { coloured, torn } = if strangers && lines.are_plain() { Odd::default() } else { odd(&block.bytes, strangers) };
    let by_lines = order.first().is_some_and(|f| f.block());
    if let Some(wrap) = &plan.wrap {
        cutter.broken(block, wrap, coloured, (stamped, by_lines));
        return cutter.end(block);
    }
    let (mut at, mut number) = (0usize, block.line);
    // Nearly all blocks are UTF-8 throughout, which is seen at once.
    let whole = simdutf8::basic::from_utf8(&block.bytes).ok();
    while at < block.bytes.len() {
        let end = lines.end(&block.bytes, at);
        let raw = block.bytes[at..end].strip_suffix(b"\r").unwrap_or(&block.bytes[at..end]);
        if torn && memchr::memchr(0, raw).is_some() {
            for (n, part) in crate::torn::parts(raw).into_iter().enumerate() {
                let (start, end) = (at + part.start, if part.end == raw.len() { end } else { at + part.end });
                let (text, lossy) = text_of(arena, &raw[part], coloured);
                cutter.line(Line { text, number, start, end, lossy, counted: u32::from(n == 0) }, stamped, by_lines);
            }
        } else {
            let (text, lossy) = match whole.and_then(|text| text.get(at..at + raw.len())) {
                Some(text) if !coloured => (text, false),
                _ => text_of(arena, raw, coloured),
            };
            let counted = u32::from(!(block.inside && at == 0));
            let line = Line { text, number, start: at, end, lossy, counted };
            let usual = if lossy || coloured { None } else { lines.marks(at, raw.len()) };
            let left = match usual {
                Some(marks) => cutter.straight(line, &marks),
                None => Some(line),
            };
            if let Some(line) = left {
                cutter.whole_line(line, stamped, by_lines);
            }
        }
        at = end + 1;
        number += 1;
    }
    cutter.end(block)
}

/// A line as text, without colours, and whether bytes of it had to be replaced.
pub(crate) fn text_of<'a>(arena: &'a Bump, raw: &'a [u8], coloured: bool) -> (&'a str, bool) {
    let (text, lossy) = match std::str::from_utf8(raw) {
        Ok(text) => (text, false),
        Err(_) => (&*arena.alloc_str(&String::from_utf8_lossy(raw)), true),
    };
    (if coloured { plain(arena, text) } else { text }, lossy)
}

/// Lines as one text.
pub(crate) fn joined<'a>(arena: &'a Bump, lines: &[Line<'a>]) -> &'a str {
    match lines {
        [line] => line.text,
        lines => arena.alloc_str(&lines.iter().map(|l| l.text).collect::<Vec<_>>().join("\n")),
    }
}

/// Whether a line begins a record of a source, and one with a stamp: a good place for the border of a block.
pub fn starts_record(plan: &Plan, line: &[u8]) -> bool {
    let arena = Bump::new();
    let (text, _) = text_of(&arena, line.strip_suffix(b"\r").unwrap_or(line), true);
    if let Some(first) = plan.order.first().filter(|f| f.block()) {
        return first.starts(&Cx::new(&arena, &plan.order), text);
    }
    if Object::begin(text).is_some() && !plan.stamped {
        return true;
    }
    let (record, fit) = read(&arena, &plan.order, text, Origin::default());
    (record.stamp.is_some() || !plan.stamped) && begins(text, &record, fit.max(if plan.stamped { 0 } else { 50 }))
}

/// Whether a line has nothing but white space; the first letter of most lines says that it has.
pub(crate) fn is_blank(text: &str) -> bool {
    !text.as_bytes().first().is_some_and(u8::is_ascii_graphic) && text.trim().is_empty()
}

/// Lines of the open record beyond [`MOST_LINES`]: counted, not held.
#[derive(Clone, Copy, Default)]
pub(crate) struct Over {
    lines: u64,
    /// How many of the last ones are blank.
    blank: u64,
    /// Where the last one that is not blank ends.
    end: usize,
}

impl Over {
    /// Counts a line.
    pub(crate) fn add(&mut self, line: &Line<'_>) {
        self.lines += u64::from(line.counted);
        if is_blank(line.text) {
            self.blank += u64::from(line.counted);
        } else {
            (self.blank, self.end) = (0, line.end);
        }
    }
}

struct Cutter<'a, 's> {
    /// Bytes behind the last line that are not held, and whole lines among them.
    skipped: u64,
    skipped_lines: u64,
    over: Over,
    arena: &'a Bump,
    order: &'a [Arc<dyn Format>],
    fractions: Fractions,
    source: SourceId,
    base: u64,
    counts: &'s mut Counts,
    sink: &'s mut dyn FnMut(&Record<'_>),
    facts: Gathering<'a, 's>,
    host: Option<&'a str>,
    /// The stamp of the record before.
    before: Option<Stamp>,
    /// Lines of the record that is being gathered.
    open: Vec<Line<'a>>,
    /// Its first line, as read.
    pending: Option<Box<Record<'a>>>,
    /// The record is a JSON object that is not closed yet.
    object: Option<Object>,
    /// Room for the next record and its fields.
    spare: Option<Box<Record<'a>>>,
    watch: Watch,
    fold: fold::Watch,
    later_from: Option<u64>,
    boot: Option<i64>,
    /// Output of commands.
    sections: Sections<'s>,
    /// The open lines are output of a command.
    in_section: bool,
    /// Records in envelopes that wait for more lines.
    strands: Strands<'a>,
    /// What is inside the envelopes of the open lines.
    inside: Inside<'a>,
}

impl<'a> Cutter<'a, '_> {
    /// What formats may use outside of all envelopes.
    fn cx(&self) -> Cx<'a> {
        Cx { fractions: self.fractions, ..Cx::new(self.arena, self.order) }
    }

    /// Ends the last record of a block.
    fn end(mut self, block: &Block) -> Counts {
        // A line that was too long to be held whole ends its block, so it belongs to the last record.
        self.reopen();
        self.skipped = block.skipped;
        self.skipped_lines = block.skipped_lines;
        self.counts.lines += block.skipped_lines;
        if self.open.is_empty() {
            // The last record was whole; what follows it up to the next one is its rest nevertheless.
            self.counts.in_events += block.skipped_lines;
        }
        self.close();
        self.facts.finish();
        self.facts.clock(std::mem::take(&mut self.fold));
        *self.counts
    }

    fn line(&mut self, line: Line<'a>, stamped: bool, by_lines: bool) {
        self.counts.lines += u64::from(line.counted);
        if let Some(mut object) = self.object.take().filter(|_| (self.open.len() as u32) < MOST_LINES) {
            match object.next(line.text) {
                Step::Foreign => {}
                step => {
                    self.open.push(line);
                    if step == Step::Open {
                        self.object = Some(object)
                    } else {
                        self.close()
                    }
                    return;
                }
            }
        }
        if is_blank(line.text) {
            // White space behind a hole is no line: what stands before it was one.
            if line.counted == 0 {
                return;
            }
            self.reopen();
            if self.sections.is_open() {
                self.close();
                self.sections.blank();
            }
            if self.open.is_empty() || by_lines && self.order[0].ends_at_blank() {
                self.close();
                self.counts.blank += 1;
            } else {
                self.hold(line);
            }
            return;
        }
        let Some(line) = self.beside_sections(line) else { return };
        if by_lines {
            let cx = self.cx();
            let starts = match self.open.last() {
                Some(previous) => self.order[0].starts_after(&cx, previous.text, line.text),
                None => true,
            };
            if starts {
                self.close();
            }
            self.hold(line);
            return;
        }
        // A runtime has split a line before: this one goes on with it.
        let Some(line) = self.strands.part(self.order, line) else { return };
        if self.object_may_begin(stamped)
            && let Some(object) = Object::begin(line.text)
        {
            self.close();
            self.open.push(line);
            self.object = Some(object);
            return;
        }
        let origin = Origin { source: self.source, line: line.number, lines: 1, offset: 0, length: 0 };
        let mut record = self.blank(line.text, origin);
        let fit = read_into(&self.cx(), line.text, &mut record);
        if fit <= UNKNOWN && self.sections.late(line.text) {
            self.spare = Some(record);
            self.close();
            self.sections.turn(Turn::Row);
            self.in_section = true;
            self.open.push(line);
            return;
        }
        let Some((line, record)) = self.beside_strands(line, record) else { return };
        // `NAME=2026-11-21T10:00:00Z` is a line of a list.
        let buried =
            fit <= 5 && stamped && line.text.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains([' ', '[', ']']));
        if self.open.is_empty() || !buried && begins(line.text, &record, fit) || self.is_alone(&line, fit, stamped) {
            self.close();
            self.pending = Some(record);
        } else {
            self.spare = Some(record);
        }
        self.hold(line);
    }

    /// Adds a line to the open record.
    fn hold(&mut self, line: Line<'a>) {
        self.inside.add(line.text);
        if (self.open.len() as u32) < MOST_LINES {
            self.open.push(line);
            return;
        }
        self.over.add(&line);
    }

    /// Whether an object that opens now is a record: not where it is a part of a record with a stamp.
    fn object_may_begin(&self, stamped: bool) -> bool {
        !stamped || self.open.first().is_none_or(|first| first.text.starts_with('{'))
    }

    /// Whether a line that nothing shows to begin a record begins one nevertheless, since it cannot belong to the one before.
    fn is_alone(&self, line: &Line<'_>, fit: Fit, stamped: bool) -> bool {
        if fit >= 50 || line.text.starts_with([' ', '\t']) {
            return false;
        }
        let whole = self.open.first().is_some_and(|first| is_whole(first.text))
            || self.pending.as_ref().is_some_and(|record| record.format.ends_with(".access"));
        if stamped && unstamped::begins(line.text) {
            return true;
        }
        (!stamped || whole) && !goes_on(self.open.iter().map(|l| l.text), line.text)
    }

    fn close(&mut self) {
        self.reopen();
        self.finish();
    }

    /// A record of which only the text is known, in the room of one that has gone.
    fn blank(&mut self, text: &'a str, origin: Origin) -> Box<Record<'a>> {
        let Some(mut record) = self.spare.take().or_else(|| self.strands.room()) else { return Box::new(Record::new(text, origin)) };
        record.begin(text, origin);
        record
    }
}
