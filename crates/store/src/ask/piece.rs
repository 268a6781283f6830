//! Patterns over texts of several pieces: which rows can match at all is found piece by piece, and their text is asked.

use super::chunk::{Asker, Part};
use super::marks::{BEGINS, ENDS, INSIDE, Marks};
use super::phrase::occurrences;
use super::plan::Leaf;
use crate::bits::Bits;
use crate::pack::column::Texts;
use crate::pack::dictionary::ByteSet;
use crate::pack::entries::Stretch;
use crate::pack::outline::is_beside_numbers;
use crate::pack::planes::roomy;
use crate::pack::shape::{Atom, Source as From};
use memchr::memmem;
use std::borrow::Cow;
use std::io;
use std::rc::Rc;
use whyline_event::Value;
use whyline_query::Test;

/// Shortest text that is worth seeking.
const SHORTEST: usize = 2;
/// So much of a wanted text is sought: there is a bit for each place where it may be cut.
const LONGEST: usize = 60;
/// So many sets of wanted texts are sought, the rarest of them probably among them.
const MOST_SETS: usize = 3;
/// One row in so many is few.
const FEW: usize = 16;

/// How a text may lie across the borders of a piece: bit n stands for its first n bytes before the border.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Across {
    /// Which of the wanted texts of a question it is.
    n: u32,
    /// The piece ends with the first n.
    behind: u64,
    /// The first n stand before the piece.
    before: u64,
}

impl Across {
    fn is_none(self) -> bool {
        self.behind == 0 && self.before == 0
    }
}

/// A piece of a shape that may have to do with a wanted text.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// A constant piece, and how it has to do with it.
    Fixed(u8),
    /// A column that may hold it or a part of it.
    Column { column: usize, dictionary: u32, across: Across },
}

impl<'q> Asker<'q> {
    /// The live places at which a test of the text of several atoms holds.
    pub(super) fn over_pieces(
        &mut self,
        leaf: &'q Leaf<'q>,
        test: &'q Test,
        region: (u32, u32),
        part: Part<'_>,
        live: &Bits,
    ) -> io::Result<Bits> {
        let atoms = part.shape.atoms.get(region.0 as usize..region.1 as usize).unwrap_or(&[]);
        if matches!(test, Test::Present) && atoms.iter().any(|a| matches!(a, Atom::Fixed(_))) {
            return Ok(live.clone());
        }
        let mut rest = live.clone();
        let ways = self.ways(leaf, region, part);
        let mut n = 0;
        for set in &leaf.wanted {
            let mut any = Bits::none(part.count());
            for piece in set {
                if let Some(ways) = ways.get(n) {
                    self.holding(leaf, piece, ways, part, &mut any)?;
                }
                n += 1;
            }
            rest.and(&any);
            // The texts of few rows are asked sooner than another one is sought in all of them, unless finding them all is enough.
            if leaf.in_a_row.is_empty() && rest.count() * FEW <= part.count() {
                break;
            }
        }
        let mut found = self.in_a_row(leaf, region, part, &rest)?;
        rest.and_not(&found);
        found.or(&self.by_text(From::Atoms(region.0, region.1), part, &rest, &|text| leaf.fits(Value::Str(text)))?);
        Ok(found)
    }

    /// For each wanted text the pieces of a shape that may have to do with it, found once a pack.
    fn ways(&mut self, leaf: &'q Leaf<'q>, region: (u32, u32), part: Part<'_>) -> Rc<Vec<Vec<Way>>> {
        // Words that go on from piece to piece leave nothing sure about borders.
        let key = (leaf.id, part.shape_number() << 1 | u32::from(part.joined), region);
        if let Some(ways) = self.ways.get(&key) {
            return ways.clone();
        }
        let all = (0u32..).zip(leaf.wanted.iter().flatten()).map(|(n, wanted)| self.way(n, wanted, region, part));
        let ways = Rc::new(all.collect::<Vec<_>>());
        self.ways.insert(key, ways.clone());
        ways
    }

    fn way(&self, n: u32, wanted: &str, region: (u32, u32), part: Part<'_>) -> Vec<Way> {
        let atoms = part.shape.atoms.get(region.0 as usize..region.1 as usize).unwrap_or(&[]);
        let mut column = part.column_at(region.0);
        let mut ways = Vec::new();
        for (i, atom) in atoms.iter().enumerate() {
            let neighbours = (i.checked_sub(1).and_then(|i| atoms.get(i)), atoms.get(i + 1));
            let mut across = Across { n, ..self.across(wanted, neighbours, part.joined) };
            match atom {
                Atom::Fixed(piece) => {
                    let flags = flags(piece.to_ascii_lowercase().as_bytes(), wanted, across);
                    ways.extend((flags != 0).then_some(Way::Fixed(flags)));
                }
                Atom::Column(dictionary) => {
                    // What the bytes of the column do not allow is not looked for.
                    let set = self.pack.bytes_of(*dictionary);
                    for n in 1..wanted.len().min(63) {
                        let (head, tail) = wanted.split_at(n);
                        across.behind &= !(u64::from(!set.may_hold(head)) << n);
                        across.before &= !(u64::from(!set.may_hold(tail)) << n);
                    }
                    if set.may_hold(wanted) || !across.is_none() {
                        ways.push(Way::Column { column, dictionary: *dictionary, across });
                    }
                    column += 1;
                }
            }
        }
        ways
    }

    /// Adds the places whose text may hold a wanted text.
    fn holding(&mut self, leaf: &'q Leaf<'q>, wanted: &str, ways: &[Way], part: Part<'_>, any: &mut Bits) -> io::Result<()> {
        let mut begun = Bits::none(part.count());
        for way in ways {
            let marks = match *way {
                Way::Fixed(flags) => {
                    let mut marks = Marks::none(part.count());
                    marks.set_all(&Bits::all(part.count()), flags);
                    marks
                }
                Way::Column { column, dictionary, across } => self.mark_pieces(leaf, wanted, across, part, (column, dictionary))?,
            };
            any.or(&marks.inside);
            let mut ends = marks.ends;
            ends.and(&begun);
            any.or(&ends);
            begun.or(&marks.begins);
        }
        Ok(())
    }

    /// How a wanted text may lie across the borders of an atom, as far as its neighbours tell.
    fn across(&self, wanted: &str, (before, behind): (Option<&Atom>, Option<&Atom>), joined: bool) -> Across {
        let set = |dictionary: u32| self.pack.bytes_of(dictionary);
        let has = |set: ByteSet, byte: u8| set.holds(byte) || set.holds(byte.to_ascii_uppercase());
        let mut across = Across::default();
        for n in 1..wanted.len().min(63) {
            let (head, tail) = wanted.split_at(n);
            let goes_on = match behind {
                None => false,
                Some(_) if joined => true,
                Some(Atom::Fixed(piece)) => {
                    let piece = piece.to_ascii_lowercase();
                    piece.starts_with(tail) || tail.starts_with(&piece)
                }
                Some(Atom::Column(dictionary)) => has(set(*dictionary), tail.as_bytes()[0]),
            };
            let was_begun = match before {
                None => false,
                Some(_) if joined => true,
                Some(Atom::Fixed(piece)) => {
                    let piece = piece.to_ascii_lowercase();
                    piece.ends_with(head) || head.ends_with(&piece)
                }
                Some(Atom::Column(dictionary)) => has(set(*dictionary), head.as_bytes()[n - 1]),
            };
            across.behind |= u64::from(goes_on) << n;
            across.before |= u64::from(was_begun) << n;
        }
        across
    }

    /// The places of a column whose texts have to do with a wanted text.
    fn mark_pieces(
        &mut self,
        leaf: &'q Leaf<'q>,
        wanted: &str,
        across: Across,
        part: Part<'_>,
        (column, dictionary): (usize, u32),
    ) -> io::Result<Marks> {
        let has_upper = self.pack.bytes_of(dictionary).has_upper();
        let mut marks = Marks::none(part.count());
        match part.chunk.texts(part.group, column)? {
            Texts::Plain(plain) => {
                let bytes = plain.whole();
                let lower = if has_upper { Cow::Owned(bytes.to_ascii_lowercase()) } else { Cow::Borrowed(bytes) };
                let found = plain.occurrences(&lower, wanted.as_bytes()).filter(|(_, whole)| *whole);
                found.for_each(|(place, _)| marks.set(place, INSIDE));
                if !across.is_none() {
                    let mut from = 0;
                    for (place, end) in plain.ends().iter().enumerate() {
                        let text = lower.get(from..*end as usize).unwrap_or(&[]);
                        marks.set(place, borders(text, wanted, across));
                        from = *end as usize;
                    }
                }
            }
            Texts::Const(id) => {
                let table = self.piece_table(leaf.id, wanted, across, dictionary)?;
                marks.set_all(&Bits::all(part.count()), table.get(*id as usize).copied().unwrap_or(0));
            }
            Texts::Ids(ids) => {
                let table = self.piece_table(leaf.id, wanted, across, dictionary)?;
                if !table.is_empty() {
                    marks.look_up(ids, &table, &Bits::all(part.count()));
                }
            }
        }
        Ok(marks)
    }

    /// For each entry of a dictionary whether it may pass, by the texts of which one must stand in it; `None` where all may.
    pub(super) fn candidates(&mut self, leaf: &'q Leaf<'q>, dictionary: u32) -> io::Result<Option<Vec<bool>>> {
        let mut may: Option<Vec<bool>> = None;
        let mut n = 0;
        for set in leaf.wanted_in_values() {
            let mut any = vec![false; self.pack.entries(dictionary)?.len()];
            for piece in set {
                let table = self.piece_table(leaf.id, piece, Across { n, ..Across::default() }, dictionary)?;
                n += 1;
                any.iter_mut().zip(table.iter()).for_each(|(any, flags)| *any |= flags & INSIDE != 0);
            }
            match &mut may {
                Some(may) => may.iter_mut().zip(any).for_each(|(a, b)| *a &= b),
                None => may = Some(any),
            }
        }
        Ok(may)
    }

    /// What the entries of a dictionary have to do with a wanted text; empty where none has.
    fn piece_table(&mut self, leaf: u32, wanted: &str, across: Across, dictionary: u32) -> io::Result<Rc<Vec<u8>>> {
        let key = (leaf, dictionary, across);
        if let Some(table) = self.pieces.get(&key) {
            return Ok(table.clone());
        }
        let pack = self.pack.clone();
        let entries = pack.entries(dictionary)?;
        let has_upper = pack.bytes_of(dictionary).has_upper();
        // What has no digits at all meets no number, wherever it is cut.
        let table = match entries.outlines() {
            Some(outlines) if !wanted.bytes().any(|b| b.is_ascii_digit()) || across.is_none() && is_beside_numbers(wanted) => {
                let mut answers = vec![0; outlines.len()];
                mark_entries(&outlines.stretch(), has_upper, wanted, across, &mut answers);
                outlines.spread(&answers)?
            }
            _ => {
                let mut table = vec![0; entries.len()];
                for stretch in pack.stretches(dictionary)? {
                    mark_entries(&stretch?, has_upper, wanted, across, &mut table);
                }
                table
            }
        };
        let table = Rc::new(if table.iter().any(|f| *f != 0) { roomy(table, 0) } else { Vec::new() });
        self.pieces.insert(key, table.clone());
        Ok(table)
    }
}

/// Sets of texts of ASCII in lower case: whatever passes a test holds one at least of each set.
pub(super) fn wanted(test: &Test) -> Vec<Vec<String>> {
    let cut = |text: &str| text[..text.len().min(LONGEST)].to_ascii_lowercase();
    match test {
        Test::Matches(pattern) => {
            let sets = pattern.all_pieces().into_iter().filter(|set| set.iter().all(|p| p.len() >= SHORTEST && p.is_ascii()));
            sets.take(MOST_SETS).map(|set| set.iter().map(|piece| cut(piece)).collect()).collect()
        }
        Test::Glob(glob) => {
            let runs = glob.as_str().split(|c: char| !c.is_ascii_alphanumeric());
            let longest = runs.filter(|run| run.len() >= SHORTEST).max_by_key(|run| run.len());
            longest.map(|run| vec![cut(run)]).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Notes in a table by entries whether a text stands in them or across their borders.
fn mark_entries(stretch: &Stretch<'_>, has_upper: bool, wanted: &str, across: Across, table: &mut [u8]) {
    let lower = stretch.lower(has_upper);
    for (id, _) in occurrences(stretch, &lower, wanted).filter(|(_, whole)| *whole) {
        if let Some(known) = table.get_mut(id as usize) {
            *known |= INSIDE;
        }
    }
    if !across.is_none() {
        let lower = Stretch { text: &lower, ..*stretch };
        for id in stretch.first..stretch.first + stretch.ends.len() as u32 {
            if let (Some(known), Some(text)) = (table.get_mut(id as usize), lower.get(id)) {
                *known |= borders(text.as_bytes(), wanted, across);
            }
        }
    }
}

fn flags(lower: &[u8], wanted: &str, across: Across) -> u8 {
    let inside = u8::from(memmem::find(lower, wanted.as_bytes()).is_some()) * INSIDE;
    inside | borders(lower, wanted, across)
}

fn borders(lower: &[u8], wanted: &str, across: Across) -> u8 {
    let bits = |bits: u64| (1..wanted.len().min(63)).filter(move |n| bits >> n & 1 == 1);
    let begins = bits(across.behind).any(|n| lower.ends_with(&wanted.as_bytes()[..n]));
    let ends = bits(across.before).any(|n| lower.starts_with(&wanted.as_bytes()[n..]));
    u8::from(begins) * BEGINS + u8::from(ends) * ENDS
}
