//! Words in a row, sought piece by piece.
//!
//! Where words do not go on from one piece of a text to the next, a word stands in a text when it stands in one of its pieces,
//! and words in a row stand in one piece, or begin at the end of one and end at the beginning of a later one. Rows of the
//! latter kind are few; their text is asked.

use super::chunk::{Asker, Part};
use super::marks::{BEGINS, ENDS, INSIDE, Marks};
use super::plan::Leaf;
use crate::bits::Bits;
use crate::pack::bloom;
use crate::pack::column::Texts;
use crate::pack::entries::Stretch;
use crate::pack::planes::roomy;
use crate::pack::shape::{Atom, Source as From};
use memchr::memmem;
use std::borrow::Cow;
use std::io;
use std::rc::Rc;
use whyline_query::words::{contains_words, eq_folded, words};

/// It was asked.
const ASKED: u8 = 8;

/// A piece of a shape that may have to do with words.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// A constant piece, and how it has to do with them.
    Fixed(u8),
    /// A column, and whether it may hold the first and the last of them.
    Column { column: usize, dictionary: u32, first: May, last: May },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum May {
    Not,
    /// Only where it has no dictionary.
    HoldPlain,
    Hold,
}

impl<'q> Asker<'q> {
    /// The live places at which words stand in a row in a region.
    pub(super) fn phrase(
        &mut self,
        leaf: &'q Leaf<'q>,
        wanted: &'q [String],
        region: From,
        part: Part<'_>,
        live: &Bits,
    ) -> io::Result<Bits> {
        let mut found = Bits::none(part.count());
        if wanted.is_empty() || live.is_empty() {
            return Ok(found);
        }
        let atoms = match region {
            From::Atoms(from, to) => from..to,
            From::Own(_) => {
                let Some(column) = part.column_of(region) else { return Ok(found) };
                return Ok(self.mark(leaf, wanted, part, column, live)?.map_or(found, |marks| marks.inside));
            }
            _ => return Ok(found),
        };
        if part.joined {
            return self.by_text(region, part, live, &|text| contains_words(text, wanted));
        }
        let mut begun: Option<Bits> = None;
        let mut across = Bits::none(part.count());
        for step in self.steps(leaf, wanted, (atoms.start, atoms.end), part)?.iter() {
            let marks = match *step {
                Step::Fixed(flags) if flags & INSIDE != 0 => return Ok(live.clone()),
                Step::Fixed(flags) => {
                    let mut marks = Marks::none(part.count());
                    marks.set_all(live, flags);
                    marks
                }
                Step::Column { column, dictionary, first, last } => {
                    // What ends the words counts only behind what begins them.
                    let may = first == May::Hold || last == May::Hold && begun.is_some();
                    let may_plain = first == May::HoldPlain || last == May::HoldPlain && begun.is_some();
                    if !(may || may_plain && matches!(part.chunk.texts(part.group, column)?, Texts::Plain(_))) {
                        continue;
                    }
                    let Some(marks) = self.mark(leaf, wanted, part, (column, dictionary), live)? else { continue };
                    marks
                }
            };
            found.or(&marks.inside);
            if let Some(begun) = &begun {
                let mut ends = marks.ends;
                ends.and(begun);
                across.or(&ends);
            }
            if !marks.begins.is_empty() {
                begun.get_or_insert_with(|| Bits::none(part.count())).or(&marks.begins);
            }
        }
        across.and(live);
        across.and_not(&found);
        if !across.is_empty() {
            found.or(&self.by_text(region, part, &across, &|text| contains_words(text, wanted))?);
        }
        Ok(found)
    }

    /// The pieces of a shape that may have to do with words, found once a pack.
    fn steps(&mut self, leaf: &'q Leaf<'q>, wanted: &'q [String], region: (u32, u32), part: Part<'_>) -> io::Result<Rc<Vec<Step>>> {
        let key = (leaf.id, part.shape_number(), region);
        if let Some(steps) = self.steps.get(&key) {
            return Ok(steps.clone());
        }
        let mut steps = Vec::new();
        let mut column = part.column_at(region.0);
        for atom in part.shape.atoms.get(region.0 as usize..region.1 as usize).unwrap_or(&[]) {
            match atom {
                Atom::Fixed(piece) => steps.extend(Some(flags(piece, wanted)).filter(|flags| *flags != 0).map(Step::Fixed)),
                Atom::Column(dictionary) => {
                    let (first, last) = self.may_edges(leaf, wanted, *dictionary)?;
                    if first != May::Not || last != May::Not {
                        steps.push(Step::Column { column, dictionary: *dictionary, first, last });
                    }
                    column += 1;
                }
            }
        }
        let steps = Rc::new(steps);
        self.steps.insert(key, steps.clone());
        Ok(steps)
    }

    /// Whether a column may hold the first and the last word, found once for all shapes that share it.
    fn may_edges(&mut self, leaf: &'q Leaf<'q>, wanted: &[String], dictionary: u32) -> io::Result<(May, May)> {
        if let Some(known) = self.edges.get(&(leaf.id, dictionary)) {
            return Ok(*known);
        }
        let found = (self.may(wanted.first(), dictionary)?, self.may(wanted.last(), dictionary)?);
        self.edges.insert((leaf.id, dictionary), found);
        Ok(found)
    }

    /// Whether a column may hold a word. Words that are like ids are listed only where they are in a dictionary.
    fn may(&self, word: Option<&String>, dictionary: u32) -> io::Result<May> {
        let Some(word) = word else { return Ok(May::Not) };
        Ok(match self.pack.has_word(dictionary, bloom::hash(word))? {
            true => May::Hold,
            false if bloom::is_like_id(word) => May::HoldPlain,
            false => May::Not,
        })
    }

    /// The live places of a column whose texts have to do with the words; `None` where none has.
    fn mark(
        &mut self,
        leaf: &'q Leaf<'q>,
        wanted: &'q [String],
        part: Part<'_>,
        (column, dictionary): (usize, u32),
        live: &Bits,
    ) -> io::Result<Option<Marks>> {
        let set = self.pack.bytes_of(dictionary);
        let may = |word: &String| !word.is_ascii() || set.may_hold(word);
        if !edges(wanted).any(may) {
            return Ok(None);
        }
        let mut marks = Marks::none(part.count());
        match part.chunk.texts(part.group, column)? {
            Texts::Plain(plain) => {
                let mut ask = |place: usize| -> io::Result<()> {
                    if live.get(place) {
                        marks.set(place, flags(plain.get(place)?, wanted));
                    }
                    Ok(())
                };
                if wanted.iter().all(|w| w.is_ascii()) {
                    let bytes = plain.whole();
                    let lower = if set.has_upper() { Cow::Owned(bytes.to_ascii_lowercase()) } else { Cow::Borrowed(bytes) };
                    let found = edges(wanted).flat_map(|word| plain.occurrences(&lower, word.as_bytes()));
                    let mut places: Vec<usize> = found.filter(|(_, whole)| *whole).map(|(place, _)| place).collect();
                    places.sort_unstable();
                    places.dedup();
                    places.into_iter().try_for_each(&mut ask)?;
                } else {
                    live.iter().try_for_each(&mut ask)?;
                }
            }
            Texts::Const(id) => {
                let table = self.table(leaf, wanted, dictionary)?;
                marks.set_all(live, table.get(*id as usize).copied().unwrap_or(0));
            }
            Texts::Ids(ids) => {
                let table = self.table(leaf, wanted, dictionary)?;
                if table.is_empty() {
                    return Ok(None);
                }
                marks.look_up(ids, &table, live);
            }
        }
        Ok(Some(marks))
    }

    /// The flags of the entries of a dictionary; empty where none has any.
    fn table(&mut self, leaf: &'q Leaf<'q>, wanted: &'q [String], dictionary: u32) -> io::Result<Rc<Vec<u8>>> {
        let key = (leaf.id, dictionary);
        if let Some(table) = self.tables.get(&key) {
            return Ok(table.clone());
        }
        let pack = self.pack.clone();
        let entries = pack.entries(dictionary)?;
        let has_upper = pack.bytes_of(dictionary).has_upper();
        let is_number = |word: &String| word.bytes().all(|b| b.is_ascii_digit());
        let table = match entries.outlines() {
            // No number is one of the words, so it does not matter which it is.
            Some(outlines) if !wanted.iter().any(is_number) => {
                let mut answers = vec![0; outlines.len()];
                mark_entries(&outlines.stretch(), has_upper, wanted, &mut answers);
                outlines.spread(&answers)?
            }
            _ => {
                let mut table = vec![0; entries.len()];
                for stretch in pack.stretches(dictionary)? {
                    mark_entries(&stretch?, has_upper, wanted, &mut table);
                }
                table
            }
        };
        let any = table.iter().any(|flags| flags & !ASKED != 0);
        let table = Rc::new(if any { roomy(table, 0) } else { Vec::new() });
        self.tables.insert(key, table.clone());
        Ok(table)
    }
}

/// Notes in a table by entries how they have to do with words.
fn mark_entries(stretch: &Stretch<'_>, has_upper: bool, wanted: &[String], table: &mut [u8]) {
    let lower = stretch.lower(has_upper);
    let mut set = |id: u32| {
        if let (Some(text), Some(known)) = (stretch.get(id), table.get_mut(id as usize))
            && *known == 0
        {
            *known = flags(text, wanted) | ASKED;
        }
    };
    for word in edges(wanted) {
        if word.is_ascii() {
            occurrences(stretch, &lower, word).filter(|(_, whole)| *whole).for_each(|(id, _)| set(id));
        } else {
            (stretch.first..stretch.first + stretch.ends.len() as u32).for_each(&mut set);
        }
    }
}

/// The entries in which a text of ASCII in lower case begins in any case, each once, and whether it ends there as well. `lower` is the
/// text of the stretch in lower case.
pub(super) fn occurrences<'e>(stretch: &'e Stretch<'_>, lower: &'e str, wanted: &'e str) -> impl Iterator<Item = (u32, bool)> + 'e {
    let finder = memmem::Finder::new(wanted);
    let end_of = |entry: usize| stretch.ends.get(entry).map(|end| *end as usize);
    let (mut from, mut entry) = (0, 0);
    std::iter::from_fn(move || {
        let at = from + finder.find(lower.as_bytes().get(from..)?)?;
        while end_of(entry).is_some_and(|end| end <= at) {
            entry += 1;
        }
        let end = end_of(entry)?;
        // What goes over the end of an entry begins behind all that stands within it.
        from = end;
        Some((stretch.first + entry as u32, at + wanted.len() <= end))
    })
}

/// The first and the last word.
fn edges(wanted: &[String]) -> impl Iterator<Item = &String> {
    wanted.first().into_iter().chain(wanted.last().filter(|_| wanted.len() > 1))
}

/// Whether the first or the last word of a text may be one of the wanted ones; for ASCII it is looked at, else it may.
fn may_touch(text: &str, wanted: &[String]) -> bool {
    if !text.is_ascii() {
        return true;
    }
    let apart = |c: char| !c.is_ascii_alphanumeric();
    let inner = text.trim_matches(apart);
    let (first, last) = (inner.split(apart).next(), inner.rsplit(apart).next());
    first.into_iter().chain(last).any(|word| wanted.iter().any(|w| w.eq_ignore_ascii_case(word)))
}

/// How a piece has to do with words in a row.
fn flags(text: &str, wanted: &[String]) -> u8 {
    if contains_words(text, wanted) {
        return INSIDE;
    }
    if wanted.len() < 2 || !may_touch(text, wanted) {
        return 0;
    }
    let own: Vec<&str> = words(text).collect();
    let same = |own: &[&str], wanted: &[String]| own.len() == wanted.len() && own.iter().zip(wanted).all(|(a, b)| eq_folded(a, b));
    let most = own.len().min(wanted.len() - 1);
    let begins = (1..=most).any(|n| same(&own[own.len() - n..], &wanted[..n]));
    let ends = (1..=most).any(|n| same(&own[..n], &wanted[wanted.len() - n..]));
    u8::from(begins) * BEGINS + u8::from(ends) * ENDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_words_in_a_row() {
        let wanted: Vec<String> = ["api", "v1", "products"].map(String::from).to_vec();
        for (text, want) in [
            ("/API/v1/products/7", INSIDE),
            ("GET /api/v1", BEGINS),
            ("v1 products x", ENDS),
            ("products (api", BEGINS | ENDS),
            ("v1", 0),
            ("", 0),
        ] {
            assert_eq!(flags(text, &wanted), want, "{text}");
        }
    }
}
