//! Where a source is cut into blocks, so that a border never falls into a record.
//!
//! Most lines say by themselves that they begin a record, and one with a stamp: that is where a block ends. Where no line of a block
//! does, a line that is a record of its own will do, and the next block is told what it rests on ([`Block::lead`]): the line whose time
//! its first records inherit, the head of the table whose rows they are. Where records lie across each other (writers with
//! envelopes that take turns) a place is looked for that none of them spans.
//!
//! [`Block::lead`]: crate::input::Block

use crate::cut::{cut, read, starts_record, text_of};
use crate::detect::Plan;
use crate::facts::Facts;
use crate::formats::snapshot;
use crate::input::{Block, Border, Edges, last_line};
use crate::joins::goes_on;
use crate::section::{Sections, Step};
use crate::strands;
use std::collections::VecDeque;
use whyline_event::{Bump, Origin, SourceId};

/// Lines behind a border that are looked through for lines of records before it.
const AHEAD: usize = strands::APART as usize;
/// Lines at the end of a block among which a border is looked for where writers take turns.
const TAIL: usize = 3 * AHEAD;
/// Lines in front of a border that may have to be known: a trace in a source without stamps, a table behind its head.
const CONTEXT: usize = 64;
/// How far in front of a border the head of a table is looked for, in a source whose beginning shows none.
const TABLE: usize = 500;
/// Lines of a block by which it is judged whether its source has ceased to stamp records.
const LOOKS: usize = 200;
/// A line that is kept for the next block is no longer than this.
const LONGEST_LEAD: usize = 16 * 1024;
/// A fit from which on a line without a stamp is a record.
const SURE: u8 = 50;

/// The edges of a source's records, by its plan.
pub(crate) struct PlanEdges<'p> {
    plan: &'p Plan,
    strands: bool,
}

impl<'p> PlanEdges<'p> {
    /// For the source of this plan.
    pub(crate) fn new(plan: &'p Plan) -> Self {
        PlanEdges { plan, strands: strands::may_have(&plan.order) }
    }

    /// The border in front of the last record that says by itself that it begins.
    fn strong(&self, lead: &[u8], lines: &[u8]) -> Option<Border> {
        if self.plan.commands.shown {
            return self.beside_sections(lead, lines);
        }
        if self.strands
            && let Some(at) = self.among_strands(lines)
        {
            return Some(Border { at, ..Border::default() });
        }
        let at = last_line(lines, &mut |at, line| starts_record(self.plan, line) && !self.goes_on(lines.get(..at).unwrap_or(&[]), line))?;
        Some(self.behind_table(lines, at))
    }

    /// Whether a line that looks as if it began a record goes on with what is in front of it.
    fn goes_on(&self, before: &[u8], line: &[u8]) -> bool {
        if self.plan.stamped && !self.strands || self.plan.order.first().is_some_and(|f| f.block()) {
            return false;
        }
        let from = nth_last(before, CONTEXT);
        let window = [before.get(from..).unwrap_or(&[]), line].concat();
        let at = (before.len() - from) as u64;
        let spans = spans(self.plan, &window);
        at > 0 && (!spans.iter().any(|(start, _)| *start == at) || spans.iter().any(|(start, end)| *start < at && *end > at))
    }

    /// A place that no record spans, with enough lines behind it to know that none will.
    fn among_strands(&self, lines: &[u8]) -> Option<usize> {
        let from = nth_last(lines, TAIL);
        let tail = lines.get(from..)?;
        let last = nth_last(tail, AHEAD) as u64;
        let mut reach = 0;
        let mut best = None;
        for (start, end) in spans(self.plan, tail) {
            // The first ones may belong to a record in front of the tail.
            if start >= reach && start > 0 && start <= last && (from == 0 || nth_last(tail.get(..start as usize)?, AHEAD) > 0) {
                best = Some(start as usize);
            }
            reach = reach.max(end);
        }
        best.map(|at| from + at)
    }

    /// In a source with output of commands: in front of a command's head, or of a record outside.
    fn beside_sections(&self, lead: &[u8], lines: &[u8]) -> Option<Border> {
        let seen = Walk::over(self.plan, lead, lines);
        let outside = seen.outside.iter().rev().find(|at| {
            let line = line_at(lines, **at);
            **at > 0 && starts_record(self.plan, line) && !self.goes_on(lines.get(..**at).unwrap_or(&[]), line)
        });
        let heads = seen.heads.filter(|at| *at > 0);
        outside.copied().max(heads).map(|at| Border { at, ..Border::default() })
    }

    /// The border, with the head of the table that it cuts, if it does.
    fn behind_table(&self, lines: &[u8], at: usize) -> Border {
        let before = lines.get(..at).unwrap_or(&[]);
        let from = nth_last(before, TABLE);
        let near = before.get(from..).unwrap_or(&[]);
        let mut starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', near).map(|end| end + 1));
        let suspect = starts.any(|start| {
            near.get(start..).is_some_and(snapshot::begins_like_head)
                && std::str::from_utf8(line_at(near, start)).is_ok_and(snapshot::may_open)
        });
        let lead = if suspect { Walk::over(self.plan, &[], near).head } else { Vec::new() };
        Border { at, lead, unstamped: false }
    }

    /// The border in front of the last line that is a record of its own, though it does not say when it was written.
    fn weak(&self, lead: &[u8], lines: &[u8]) -> Option<Border> {
        let walk = Walk::over(self.plan, lead, lines);
        let within = walk.rows.filter(|at| *at > 0 && !walk.head.is_empty());
        let at = within
            .or_else(|| last_line(lines, &mut |at, line| self.is_record(line) && !self.goes_on(lines.get(..at).unwrap_or(&[]), line)));
        let turned = at.is_none() && self.has_turned(lines);
        let at = if turned { last_line(lines, &mut |_, line| is_at_margin(line)) } else { at }?;
        Some(Border { at, lead: self.lead_of(lead, lines, walk.head), unstamped: turned })
    }

    /// Whether a line is surely a record, with a stamp or without.
    fn is_record(&self, line: &[u8]) -> bool {
        let arena = Bump::new();
        let (text, _) = text_of(&arena, line.strip_suffix(b"\r").unwrap_or(line), true);
        let (record, fit) = read(&arena, &self.plan.order, text, Origin::default());
        fit >= SURE && is_at_margin(line) && (record.stamp.is_some() || !self.plan.order.first().is_some_and(|f| f.block()))
    }

    /// Whether a block without any record that has a stamp shows a source that has ceased to stamp them: nearly all its lines stand at the
    /// margin, as no trace's do.
    fn has_turned(&self, lines: &[u8]) -> bool {
        if !self.plan.stamped || self.plan.order.first().is_some_and(|f| f.block()) {
            return false;
        }
        let (mut looked, mut margin) = (0, 0);
        let mut before = "";
        for n in 0..LOOKS {
            let place = lines.len() / LOOKS * n;
            let start = memchr::memchr(b'\n', lines.get(place..).unwrap_or(&[])).map_or(lines.len(), |p| place + p + 1);
            let Ok(line) = std::str::from_utf8(line_at(lines, start)) else { continue };
            if line.trim().is_empty() {
                continue;
            }
            looked += 1;
            margin += usize::from(is_at_margin(line.as_bytes()) && !goes_on(std::iter::once(before), line));
            before = line;
        }
        looked > 0 && margin * 10 >= looked * 9
    }

    /// What the block behind rests on: the first line, where it has a stamp, else what this block rests on; and the head of an open table.
    fn lead_of(&self, lead: &[u8], lines: &[u8], head: Vec<u8>) -> Vec<u8> {
        let first = line_at(lines, 0);
        let stamped = |line: &[u8]| {
            let arena = Bump::new();
            let (text, _) = text_of(&arena, line, true);
            !line.is_empty() && read(&arena, &self.plan.order, text, Origin::default()).0.stamp.is_some()
        };
        let mut found = match [first, line_at(lead, 0)].into_iter().find(|line| line.len() <= LONGEST_LEAD && stamped(line)) {
            Some(line) => [line, b"\n"].concat(),
            None => Vec::new(),
        };
        found.extend_from_slice(&head);
        found
    }
}

impl Edges for PlanEdges<'_> {
    fn border(&mut self, lead: &[u8], lines: &[u8]) -> Option<Border> {
        if let Some(wrap) = &self.plan.wrap {
            let before = |at: usize| line_at(lines, nth_last(lines.get(..at).unwrap_or(&[]), 1));
            return last_line(lines, &mut |at, line| wrap.begins_behind(before(at), line)).map(|at| Border { at, ..Border::default() });
        }
        self.strong(lead, lines).or_else(|| self.weak(lead, lines))
    }

    fn begins(&mut self, before: &[u8], line: &[u8]) -> bool {
        if let Some(wrap) = &self.plan.wrap {
            return wrap.begins_behind(before, line);
        }
        let before = [before, b"\n"].concat();
        (starts_record(self.plan, line) || self.is_record(line)) && !self.goes_on(&before, line)
    }

    fn within(&mut self, line: &[u8]) -> Option<usize> {
        let format = self.plan.order.first().filter(|f| f.block())?;
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            // A character may be cut off at the end.
            Err(error) => std::str::from_utf8(line.get(..error.valid_up_to())?).ok()?,
        };
        let (mut last, mut from) = (None, 0);
        while let Some(at) = text.get(from..).and_then(|rest| format.next_on_line(rest)).filter(|at| *at > 0) {
            from += at;
            last = Some(from);
        }
        last
    }

    fn lead(&mut self, lead: &[u8], lines: &[u8]) -> Vec<u8> {
        self.lead_of(lead, lines, Vec::new())
    }
}

/// What a walk over the lines of a block shows of the sections in it.
#[derive(Default)]
struct Walk {
    /// Where the last lines begin that stand in no section.
    outside: VecDeque<usize>,
    /// Where the last head of a section begins.
    heads: Option<usize>,
    /// Where the last row of the section begins that is open at the end.
    rows: Option<usize>,
    /// The head of the section that is open at the end; else nothing.
    head: Vec<u8>,
}

impl Walk {
    fn over(plan: &Plan, lead: &[u8], lines: &[u8]) -> Walk {
        let mut walk = Walk::default();
        let mut sections = Sections::new(&plan.commands);
        let arena = Bump::new();
        let steps = lead.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|line| (None, line));
        let mut at = 0;
        let own = lines.split_inclusive(|b| *b == b'\n').map(|line| {
            at += line.len();
            (Some(at - line.len()), line.strip_suffix(b"\n").unwrap_or(line))
        });
        for (at, line) in steps.chain(own) {
            let (text, _) = text_of(&arena, line.strip_suffix(b"\r").unwrap_or(line), true);
            if text.trim().is_empty() {
                sections.blank();
                continue;
            }
            let step = sections.step(text);
            if step == Step::Foreign && !sections.late(text) {
                sections.turn(step);
                if walk.outside.len() >= CONTEXT {
                    walk.outside.pop_front();
                }
                walk.outside.extend(at);
                continue;
            }
            if sections.opens() {
                walk.heads = at.or(walk.heads);
                walk.head = if line.len() <= LONGEST_LEAD { [line, b"\n"].concat() } else { Vec::new() };
                sections.turn(Step::Row);
            } else if step == Step::Row {
                walk.rows = at;
                sections.turn(step);
            }
        }
        if !sections.is_open() {
            walk.head.clear();
        }
        walk
    }
}

/// Where the records in some lines begin and end, in order.
fn spans(plan: &Plan, lines: &[u8]) -> Vec<(u64, u64)> {
    let block = Block { bytes: lines.to_vec(), line: 1, ..Block::default() };
    let first = plan.order.first();
    let mut spans = Vec::new();
    cut(&block, SourceId(0), plan, None, &mut Facts::default(), &mut |record| {
        let o = record.origin;
        let last = record.text.rsplit('\n').next().unwrap_or("");
        // The rest of a line that was split is still to come.
        let end = if first.is_some_and(|f| f.is_part(last)) { u64::MAX } else { o.offset + o.length };
        spans.push((o.offset, end));
    });
    spans.sort_unstable();
    spans
}

/// Where the last so many of whole lines begin.
fn nth_last(lines: &[u8], count: usize) -> usize {
    let bytes = lines.strip_suffix(b"\n").unwrap_or(lines);
    memchr::memrchr_iter(b'\n', bytes).nth(count.saturating_sub(1)).map_or(0, |p| p + 1)
}

/// The line that begins at a place, without its end.
fn line_at(lines: &[u8], at: usize) -> &[u8] {
    let rest = lines.get(at..).unwrap_or(&[]);
    let line = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or(rest);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_at_margin(line: &[u8]) -> bool {
    line.first().is_some_and(|b| !b.is_ascii_whitespace())
}
