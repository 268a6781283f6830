//! Texts in a row: a pattern that is nothing but texts with anything between them (`refused.*upstream`). Where each of them stands in
//! a piece, or across the border of two, and every next one in a later piece, the pattern is found, and the text need not be put
//! together to know it. What is not found this way is not denied: it is left to the text itself.

use super::chunk::{Asker, Part};
use super::plan::Leaf;
use crate::bits::Bits;
use crate::pack::column::{Texts, nth};
use crate::pack::read::damaged;
use crate::pack::shape::Atom;
use std::io;

const NO: u8 = 1;
const YES: u8 = 2;

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

/// An atom with the number of its column.
#[derive(Clone, Copy)]
struct At<'s> {
    atom: &'s Atom,
    column: usize,
}

impl<'q> Asker<'q> {
    /// Live places at which the texts of a question surely stand in a row in a region.
    pub(super) fn in_a_row(&mut self, leaf: &'q Leaf<'q>, region: (u32, u32), part: Part<'_>, live: &Bits) -> io::Result<Bits> {
        let atoms = part.shape.atoms.get(region.0 as usize..region.1 as usize).unwrap_or(&[]);
        let none = Bits::none(part.count());
        let count = leaf.in_a_row.len();
        // Anything but the end of a line may stand between them.
        if count == 0 || live.is_empty() || count > 1 && atoms.iter().any(|atom| self.may_hold(atom, "\n")) {
            return Ok(none);
        }
        let mut column = part.column_at(region.0);
        let mut list: Vec<At<'_>> = Vec::with_capacity(atoms.len());
        for atom in atoms {
            list.push(At { atom, column });
            column += usize::from(matches!(atom, Atom::Column(_)));
        }
        // Where so many of the texts have been found before the atom that is looked at; and those that end in it.
        let mut found: Vec<Bits> = vec![none.clone(); count + 1];
        let mut ending = found.clone();
        found[0] = live.clone();
        for (i, at) in list.iter().enumerate() {
            let mut next = vec![none.clone(); count + 1];
            for n in 0..count {
                let mut open = found[n].clone();
                open.and_not(&found[n + 1]);
                if open.is_empty() {
                    continue;
                }
                let text = leaf.in_a_row[n].as_str();
                if self.may_hold(at.atom, text) {
                    let inside = self.standing(leaf, (n, text, Side::Inside), *at, part, &open)?;
                    ending[n + 1].or(&inside);
                }
                if let Some(behind) = list.get(i + 1) {
                    next[n + 1] = self.over_border(leaf, (n, text), (*at, *behind), part, &open)?;
                }
            }
            found.iter_mut().zip(&ending).for_each(|(found, ending)| found.or(ending));
            ending = next;
        }
        Ok(found.pop().unwrap_or(none))
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

    /// The live places at which a text begins in one piece and ends in the next one, of which one is constant.
    fn over_border(
        &mut self,
        leaf: &'q Leaf<'q>,
        (n, text): (usize, &str),
        (before, behind): (At<'_>, At<'_>),
        part: Part<'_>,
        live: &Bits,
    ) -> io::Result<Bits> {
        let mut found = Bits::none(part.count());
        for (at, _) in text.char_indices().skip(1) {
            let (head, tail) = text.split_at(at);
            let more = match (before.atom, behind.atom) {
                (Atom::Fixed(piece), Atom::Column(_)) if piece.ends_with(head) && self.may_hold(behind.atom, tail) => {
                    self.standing(leaf, (n, tail, Side::Begin), behind, part, live)?
                }
                (Atom::Column(_), Atom::Fixed(piece)) if piece.starts_with(tail) && self.may_hold(before.atom, head) => {
                    self.standing(leaf, (n, head, Side::End), before, part, live)?
                }
                _ => continue,
            };
            found.or(&more);
        }
        Ok(found)
    }

    /// The live places at which a text stands in a piece.
    fn standing(
        &mut self,
        leaf: &'q Leaf<'q>,
        (n, text, side): (usize, &str, Side),
        at: At<'_>,
        part: Part<'_>,
        live: &Bits,
    ) -> io::Result<Bits> {
        let dictionary = match at.atom {
            Atom::Fixed(piece) => return Ok(if side.holds(piece, text) { live.clone() } else { Bits::none(part.count()) }),
            Atom::Column(dictionary) => *dictionary,
        };
        let mut found = Bits::none(part.count());
        let pack = self.pack.clone();
        let count = pack.entries(dictionary)?.len();
        let known = self.stands.entry(((leaf.id, n, text.len(), side), dictionary)).or_insert_with(|| vec![0; count]);
        let mut stands = |id: u32| -> io::Result<bool> {
            let known = known.get_mut(id as usize).ok_or_else(|| damaged("a text is missing"))?;
            if *known == 0 {
                *known = if side.holds(pack.entry(dictionary, id)?, text) { YES } else { NO };
            }
            Ok(*known == YES)
        };
        match part.chunk.texts(part.group, at.column)? {
            Texts::Const(id) => return Ok(if stands(*id)? { live.clone() } else { found }),
            Texts::Ids(ids) => {
                for place in live.iter() {
                    if let Some(id) = ids.get(place)
                        && stands(*id)?
                    {
                        found.set(place);
                    }
                }
            }
            Texts::Plain(all, ends) => {
                for place in live.iter() {
                    if nth(all, ends, place).is_some_and(|piece| side.holds(piece, text)) {
                        found.set(place);
                    }
                }
            }
        }
        Ok(found)
    }
}
