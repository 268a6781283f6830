//! The straight way of a line: that of a source whose first format knows nearly all lines by themselves, as servers write them.

use super::{Cutter, Line};
use crate::detect::Plan;
use crate::input::Block;
use crate::marks::{Marks, Page};
use crate::strands;
use std::cell::Cell;
use whyline_event::Origin;

thread_local! {
    /// The room of the block before.
    static ROOM: Cell<Page> = Cell::default();
}

/// Where the lines of a block end, and their marks where the first format of the source asks for them.
pub(super) enum Lines {
    /// Looked for one by one.
    Plain,
    /// Found ahead, with the number of lines that were passed.
    Marked(Page, usize),
}

impl Lines {
    /// For a block. Lines that are not read one by one, in envelopes or between output of commands have no use for marks.
    pub(super) fn of(block: &Block, plan: &Plan) -> Lines {
        let wanted = plan.order.first().is_some_and(|f| f.wants_marks() && !f.block());
        if !wanted || plan.commands.shown || strands::may_have(&plan.order) {
            return Lines::Plain;
        }
        let mut page = ROOM.take();
        page.mark(&block.bytes);
        Lines::Marked(page, 0)
    }

    /// Whether it is known that neither NUL nor an escape character stands in the block.
    pub(super) fn are_plain(&self) -> bool {
        matches!(self, Lines::Marked(page, _) if page.is_plain())
    }

    /// Where the line that begins at `at` ends; must be asked of each line, in order.
    pub(super) fn end(&mut self, bytes: &[u8], at: usize) -> usize {
        match self {
            Lines::Plain => memchr::memchr(b'\n', bytes.get(at..).unwrap_or(&[])).map_or(bytes.len(), |p| at + p),
            Lines::Marked(page, passed) => {
                let end = page.lines().get(*passed).copied().unwrap_or(bytes.len());
                *passed += 1;
                end
            }
        }
    }

    /// The marks of a line of so many bytes without its end.
    pub(super) fn marks(&self, at: usize, length: usize) -> Option<Marks<'_>> {
        match self {
            Lines::Plain => None,
            Lines::Marked(page, _) => page.line(at, length),
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Lines::Marked(page, _) = self {
            ROOM.set(std::mem::take(page));
        }
    }
}

impl<'a> Cutter<'a, '_> {
    /// Takes a line that the source's first format reads by its marks; gives back any other.
    pub(super) fn straight(&mut self, line: Line<'a>, marks: &Marks<'_>) -> Option<Line<'a>> {
        if self.object.is_some() || self.sections.is_open() || line.text.starts_with('{') {
            return Some(line);
        }
        let Some(first) = self.order.first() else { return Some(line) };
        let origin = Origin { source: self.source, line: line.number, lines: 1, offset: 0, length: 0 };
        let mut record = self.blank(line.text, origin);
        let cx = self.cx();
        if first.read_marked(&cx, line.text, marks, &mut record).is_none() {
            self.spare = Some(record);
            return Some(line);
        }
        self.counts.lines += u64::from(line.counted);
        self.finish();
        self.pending = Some(record);
        self.open.push(line);
        None
    }
}
