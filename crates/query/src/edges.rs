//! What is known of the letters beside a part of a regular expression: where none can stand, the part begins or ends a word.

use regex_syntax::hir::{Class, Hir, HirKind, Look};
use std::ops::Range;

/// Whether it is certain that no letter or digit of ASCII stands before a part of an expression, provided that the part begins with one; and behind
/// it, provided that it ends with one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Edges {
    before: bool,
    after: bool,
}

/// One of the two sides of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl Edges {
    /// Those of some parts of a concatenation that has these edges itself.
    pub(crate) fn within(self, parts: &[Hir], range: Range<usize>) -> Edges {
        Edges { before: self.before(parts, range.start), after: self.after(parts, range.end) }
    }

    /// Those of the first of several repetitions.
    pub(crate) fn of_first(self) -> Edges {
        Edges { after: false, ..self }
    }

    /// The edge before the part of a concatenation that has this number.
    pub(crate) fn before(self, parts: &[Hir], at: usize) -> bool {
        let nearest_first = parts.get(..at).unwrap_or(&[]).iter().rev();
        apart(nearest_first, Side::Before, self.before)
    }

    /// The edge behind the parts of a concatenation that stand before the one of this number.
    pub(crate) fn after(self, parts: &[Hir], at: usize) -> bool {
        apart(parts.get(at..).unwrap_or(&[]).iter(), Side::After, self.after)
    }
}

/// Whether the parts beside a place keep it apart from letters and digits, the nearest first; `outer` is what stands behind all of them.
fn apart<'h>(nearest_first: impl Iterator<Item = &'h Hir>, side: Side, outer: bool) -> bool {
    for part in nearest_first {
        match part.kind() {
            // What may be missing keeps nothing apart, and joins nothing if it has no letters.
            HirKind::Repetition(repetition) if repetition.min == 0 && keeps_apart(&repetition.sub, side) => {}
            _ => return keeps_apart(part, side),
        }
    }
    outer
}

/// Whether a part, seen from the place beside it, keeps that apart from letters and digits.
fn keeps_apart(part: &Hir, side: Side) -> bool {
    match part.kind() {
        HirKind::Literal(literal) => {
            let byte = if side == Side::Before { literal.0.last() } else { literal.0.first() };
            byte.is_some_and(|byte| !byte.is_ascii_alphanumeric())
        }
        HirKind::Class(class) => !has_letters(class),
        HirKind::Look(look) => match side {
            Side::Before => matches!(look, Look::Start | Look::StartLF | Look::StartCRLF | Look::WordAscii | Look::WordUnicode),
            Side::After => matches!(look, Look::End | Look::EndLF | Look::EndCRLF | Look::WordAscii | Look::WordUnicode),
        },
        HirKind::Capture(capture) => keeps_apart(&capture.sub, side),
        HirKind::Repetition(repetition) => repetition.min > 0 && keeps_apart(&repetition.sub, side),
        HirKind::Concat(parts) => match side {
            Side::Before => apart(parts.iter().rev(), side, false),
            Side::After => apart(parts.iter(), side, false),
        },
        HirKind::Alternation(branches) => branches.iter().all(|branch| keeps_apart(branch, side)),
        HirKind::Empty => false,
    }
}

/// Whether a class has a letter or digit of ASCII.
fn has_letters(class: &Class) -> bool {
    let mut letters = (b'0'..=b'9').chain(b'A'..=b'Z').chain(b'a'..=b'z');
    match class {
        Class::Unicode(class) => {
            letters.any(|letter| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&char::from(letter))))
        }
        Class::Bytes(class) => letters.any(|letter| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&letter))),
    }
}
