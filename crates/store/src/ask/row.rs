//! Texts in a row: a pattern that is nothing but texts with anything between them (`refused.*upstream`). Where each of them stands in
//! a piece, or across the border of two, and every next one in a later piece, the pattern is found, and the text need not be put
//! together to know it. What is not found this way is not denied: it is left to the text itself.

use super::answers::Answers;
use super::chunk::{Asker, Part};
use super::plan::Leaf;
use crate::bits::Bits;
use crate::pack::column::Texts;
use crate::pack::shape::Atom;
use std::io;
use std::rc::Rc;

/// A question about the texts of a column: which of the texts in a row, how much of it, and where in the piece.
pub(super) type Spot = (u32, usize, usize, Side);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Inside,
    Begin,
    End,
}

impl Side {
    fn holds(self, piece: &str, text: &str) -> bool {
        match self {
            Side::Inside => piece.contains(text),
            Side::Begin => piece.starts_with(text),
            Side::End => piece.ends_with(text),
        }
    }
}

/// Where one of the texts in a row may stand in the records of a shape, so that it stands there as a whole.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// Which of the texts.
    n: usize,
    /// The atoms in which it begins and ends.
    from: usize,
    to: usize,
    /// The column that has to be asked, with its dictionary, and for what; `None` where constant pieces have all of it.
    asked: Option<(usize, u32, String, Side)>,
}

impl<'q> Asker<'q> {
    /// Live places at which the texts of a question surely stand in a row in a region.
    pub(super) fn in_a_row(&mut self, leaf: &'q Leaf<'q>, region: (u32, u32), part: Part<'_>, live: &Bits) -> io::Result<Bits> {
        let none = Bits::none(part.count());
        let count = leaf.in_a_row.len();
        if count == 0 || live.is_empty() {
            return Ok(none);
        }
        // Where so many of the texts have been found before the atom that is looked at; and what ends in it or behind it.
        let mut found: Vec<Bits> = vec![none.clone(); count + 1];
        let mut ending: Vec<(usize, usize, Bits)> = Vec::new();
        found[0] = live.clone();
        for check in self.checks(leaf, region, part).iter() {
            ending.retain(|(to, n, bits)| {
                let over = *to < check.from;
                if over {
                    found[*n].or(bits);
                }
                !over
            });
            let mut open = found[check.n].clone();
            open.and_not(&found[check.n + 1]);
            if open.is_empty() {
                continue;
            }
            let more = match &check.asked {
                None => open,
                Some((column, dictionary, text, side)) => {
                    self.standing(leaf, (check.n, text, *side), (*column, *dictionary), part, &open)?
                }
            };
            ending.push((check.to, check.n + 1, more));
        }
        ending.iter().for_each(|(_, n, bits)| found[*n].or(bits));
        Ok(found.pop().unwrap_or(none))
    }

    /// What is to be asked of the pieces of a shape, in their order; found once a pack.
    fn checks(&mut self, leaf: &'q Leaf<'q>, region: (u32, u32), part: Part<'_>) -> Rc<Vec<Check>> {
        let key = (leaf.id, part.shape_number(), region);
        if let Some(checks) = self.rows.get(&key) {
            return checks.clone();
        }
        let atoms = part.shape.atoms.get(region.0 as usize..region.1 as usize).unwrap_or(&[]);
        let mut checks = Vec::new();
        // Anything but the end of a line may stand between them.
        if leaf.in_a_row.len() == 1 || !atoms.iter().any(|atom| self.may_hold(atom, "\n")) {
            let mut column = part.column_at(region.0);
            for (i, atom) in atoms.iter().enumerate() {
                for (n, text) in leaf.in_a_row.iter().enumerate() {
                    if self.may_hold(atom, text) {
                        let asked = asked(atom, column, text, Side::Inside);
                        checks.push(Check { n, from: i, to: i, asked });
                    }
                    if let Some(behind) = atoms.get(i + 1) {
                        self.over_border((n, text), i, (atom, behind), column, &mut checks);
                    }
                }
                column += usize::from(matches!(atom, Atom::Column(_)));
            }
        }
        let checks = Rc::new(checks);
        self.rows.insert(key, checks.clone());
        checks
    }

    /// Whether a piece may hold a text, by the bytes that stand in it.
    fn may_hold(&self, atom: &Atom, text: &str) -> bool {
        match atom {
            Atom::Fixed(piece) => piece.contains(text),
            Atom::Column(dictionary) => {
                let set = self.pack.bytes_of(*dictionary);
                text.bytes().all(|b| set.holds(b))
            }
        }
    }

    /// Adds how a text may begin in one piece and end in the next one, of which one is constant.
    fn over_border(&self, (n, text): (usize, &str), i: usize, (before, behind): (&Atom, &Atom), column: usize, checks: &mut Vec<Check>) {
        for (at, _) in text.char_indices().skip(1) {
            let (head, tail) = text.split_at(at);
            let asked = match (before, behind) {
                (Atom::Fixed(piece), Atom::Column(_)) if piece.ends_with(head) && self.may_hold(behind, tail) => {
                    asked(behind, column, tail, Side::Begin)
                }
                (Atom::Column(_), Atom::Fixed(piece)) if piece.starts_with(tail) && self.may_hold(before, head) => {
                    asked(before, column, head, Side::End)
                }
                _ => continue,
            };
            checks.push(Check { n, from: i, to: i + 1, asked });
        }
    }

    /// The live places at which a text stands in a piece.
    fn standing(
        &mut self,
        leaf: &'q Leaf<'q>,
        (n, text, side): (usize, &str, Side),
        (column, dictionary): (usize, u32),
        part: Part<'_>,
        live: &Bits,
    ) -> io::Result<Bits> {
        let texts = part.chunk.texts(part.group, column)?;
        if let Texts::Plain(plain) = texts {
            let mut found = Bits::none(part.count());
            for place in live.iter() {
                if side.holds(plain.get(place)?, text) {
                    found.set(place);
                }
            }
            return Ok(found);
        }
        let pack = self.pack.clone();
        let count = pack.entries(dictionary)?.len();
        let known = self.stands.entry(((leaf.id, n, text.len(), side), dictionary)).or_insert_with(|| Answers::unknown(count));
        known.select(texts, live, |id| Ok(side.holds(pack.entry(dictionary, id)?, text)))
    }
}

/// What is to be asked of a piece, if it is a column.
fn asked(atom: &Atom, column: usize, text: &str, side: Side) -> Option<(usize, u32, String, Side)> {
    match atom {
        Atom::Fixed(_) => None,
        Atom::Column(dictionary) => Some((column, *dictionary, text.to_string(), side)),
    }
}
