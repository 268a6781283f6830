//! Lines of which something else knows to what they belong: output of commands, texts in envelopes, and the lines further up on which a
//! block rests.

use super::{Cutter, Line, MOST_LINES, read_into, text_of};
use crate::section::Step as Turn;
use crate::strands;
use whyline_event::{Origin, Record};

impl<'a> Cutter<'a, '_> {
    /// Takes a line on which several records may stand.
    pub(super) fn whole_line(&mut self, mut line: Line<'a>, stamped: bool, by_lines: bool) {
        // Colours and broken bytes make a text that is not as long as the line; such lines are left whole.
        let whole = line.end - line.start == line.text.len();
        while let Some(at) = self.order.first().filter(|_| by_lines && whole).and_then(|f| f.next_on_line(line.text)) {
            let (first, rest) = line.text.split_at(at);
            let bare = first.trim_end();
            let (start, end) = (line.start, line.start + at);
            self.line(Line { text: bare, end: start + bare.len(), ..line }, stamped, by_lines);
            line = Line { text: rest, start: end, counted: 0, ..line };
        }
        self.line(line, stamped, by_lines);
    }

    /// Takes note of lines further up on which the block rests.
    pub(super) fn lead(&mut self, lines: &'a [u8]) {
        for raw in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let (text, _) = text_of(self.arena, raw.strip_suffix(b"\r").unwrap_or(raw), true);
            if self.sections.step(text) != Turn::Foreign || self.sections.late(text) {
                self.sections.turn(Turn::Row);
                continue;
            }
            let mut record = self.blank(text, Origin::default());
            read_into(&self.cx(), text, &mut record);
            self.before = record.stamp.or(self.before);
            self.spare = Some(record);
        }
    }

    /// Takes a line that is in an envelope; gives back any other.
    pub(super) fn beside_strands(&mut self, line: Line<'a>, record: Box<Record<'a>>) -> Option<(Line<'a>, Box<Record<'a>>)> {
        let number = line.number;
        match self.strands.turn(self.arena, self.order, line, record) {
            strands::Turn::Plain(line, record) => {
                self.reopen();
                Some((line, record))
            }
            strands::Turn::Taken(room) => {
                self.strands.keep(room);
                None
            }
            strands::Turn::Begun => {
                // What is open came before it.
                if !self.open.is_empty() {
                    self.finish();
                }
                while let Some(strand) = self.strands.next(Some(number)) {
                    self.finish_strand(strand);
                }
                None
            }
        }
    }

    pub(super) fn finish_strand(&mut self, strand: strands::Strand<'a>) {
        (self.pending, self.over, self.inside) = strand.open(&mut self.open);
        self.finish();
        if let Some(room) = self.spare.take() {
            self.strands.keep(room);
        }
    }

    /// The last record that waits becomes the one that is open; those before it are whole.
    pub(super) fn reopen(&mut self) {
        while let Some(strand) = self.strands.next(None) {
            if self.strands.is_empty() {
                (self.pending, self.over, self.inside) = strand.open(&mut self.open);
            } else {
                self.finish_strand(strand);
            }
        }
    }

    /// Takes a line that is output of a command; gives back any other.
    pub(super) fn beside_sections(&mut self, line: Line<'a>) -> Option<Line<'a>> {
        let turn = self.sections.step(line.text);
        if turn == Turn::Foreign {
            if self.sections.is_open() {
                self.close();
                self.sections.turn(turn);
            }
            return Some(line);
        }
        if turn == Turn::Row || self.open.len() as u32 >= MOST_LINES {
            self.close();
            self.sections.turn(turn);
        }
        self.in_section = true;
        self.open.push(line);
        None
    }
}
