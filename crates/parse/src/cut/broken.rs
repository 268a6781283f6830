//! Lines that a terminal broke ([`crate::wrapped`]): joined while they are cut.

use super::{Cutter, Line, text_of};
use crate::input::Block;
use crate::wrapped::Wrap;

impl<'a> Cutter<'a, '_> {
    /// Takes the lines of a block, joined; `how` as [`Cutter::whole_line`] is told.
    pub(super) fn broken(&mut self, block: &'a Block, wrap: &Wrap, coloured: bool, how: (bool, bool)) {
        let mut at = 0;
        let mut lines = block.bytes.split(|b| *b == b'\n').map(|raw| {
            let start = at;
            at += raw.len() + 1;
            (start, raw.strip_suffix(b"\r").unwrap_or(raw))
        });
        let mut number = block.line;
        let mut next = lines.next();
        while let Some((start, raw)) = next.take() {
            // Behind the last line end nothing stands.
            if start >= block.bytes.len() {
                break;
            }
            let (first, mut lossy) = text_of(self.arena, raw, coloured);
            let (mut piece, mut whole, mut end, mut count) = (first, None::<String>, start + raw.len(), 1u32);
            next = lines.next();
            while let Some((start, raw)) = next.filter(|(start, _)| *start < block.bytes.len()) {
                let (text, odd) = text_of(self.arena, raw, coloured);
                let so_far = whole.as_ref().map_or(first.len(), String::len);
                let Some(rest) = wrap.next(piece, text, so_far) else { break };
                whole.get_or_insert_with(|| first.to_string()).push_str(rest);
                (piece, end, lossy) = (rest, start + raw.len(), lossy | odd);
                count += 1;
                next = lines.next();
            }
            let text = whole.map_or(first, |whole| self.arena.alloc_str(&whole));
            let counted = if block.inside && start == 0 { count - 1 } else { count };
            self.whole_line(Line { text, number, start, end, lossy, counted }, how.0, how.1);
            number += u64::from(count);
        }
    }
}
