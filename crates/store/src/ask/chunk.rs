//! A plan asked of one chunk after the other of a pack.

use super::answers::Answers;
use super::plan::{Ask, Leaf, Plan, What, is_free_text};
use super::value::named;
use super::{phrase, piece, row};
use crate::bits::Bits;
use crate::pack::chunk::Chunk;
use crate::pack::read::Pack;
use crate::pack::shape::{Shape, Source as From};
use rustc_hash::FxHashMap;
use std::io;
use std::rc::Rc;
use whyline_event::{Key, Kind, Name, Record, Source};
use whyline_query::{ERRORS, Target, Test, is_of_stranger, tells_of_request};

/// What the entries of a dictionary answered, by question and by dictionary.
pub(super) type Tables = FxHashMap<(u32, u32), Rc<Vec<u8>>>;
/// By question, shape and region.
pub(super) type Routes<T> = FxHashMap<(u32, u32, (u32, u32)), Rc<T>>;

/// Asks a plan of the chunks of one pack.
pub(crate) struct Asker<'q> {
    pub(super) plan: &'q Plan<'q>,
    pub(super) pack: Rc<Pack>,
    pub(super) tables: Tables,
    pub(super) values: FxHashMap<(u32, u32), Answers>,
    /// What the entries of dictionaries answered when they were asked for parts of texts.
    pub(super) pieces: FxHashMap<(u32, u32, piece::Across), Rc<Vec<u8>>>,
    /// Where bare words are sought, by shape and whether its words go on from piece to piece.
    regions: FxHashMap<(u32, bool), Rc<[From]>>,
    /// Whether columns may hold the first and the last of some words, by question and dictionary.
    pub(super) edges: FxHashMap<(u32, u32), (phrase::May, phrase::May)>,
    /// Which pieces of a shape have to do with words, with a text, with texts in a row.
    pub(super) steps: Routes<Vec<phrase::Step>>,
    pub(super) ways: Routes<Vec<Vec<piece::Way>>>,
    pub(super) rows: Routes<Vec<row::Check>>,
    /// What the entries of dictionaries answered when they were asked for texts in a row.
    pub(super) stands: FxHashMap<(row::Spot, u32), Answers>,
    pub(super) numbers: FxHashMap<(u32, u8, i64), bool>,
    /// What small whole numbers answered, by question.
    pub(super) whole: FxHashMap<u32, Answers>,
    pub(super) text: String,
    /// What numbers answered last, by question and kind.
    pub(super) recent: FxHashMap<(u32, u8), Recent>,
}

/// Numbers with their answers; a number is looked for in one place.
pub(super) type Recent = Box<[Option<(i64, bool)>]>;

/// The rows of one shape in a chunk.
#[derive(Clone, Copy)]
pub(super) struct Part<'c> {
    pub(super) chunk: &'c Chunk,
    pub(super) group: usize,
    pub(super) shape: &'c Shape,
    pub(super) joined: bool,
    pub(super) source: &'c Source,
}

impl<'q> Asker<'q> {
    pub(crate) fn new(plan: &'q Plan<'q>, pack: Rc<Pack>) -> Asker<'q> {
        Asker {
            plan,
            pack,
            tables: FxHashMap::default(),
            values: FxHashMap::default(),
            pieces: FxHashMap::default(),
            regions: FxHashMap::default(),
            edges: FxHashMap::default(),
            steps: FxHashMap::default(),
            ways: FxHashMap::default(),
            rows: FxHashMap::default(),
            stands: FxHashMap::default(),
            numbers: FxHashMap::default(),
            whole: FxHashMap::default(),
            text: String::new(),
            recent: FxHashMap::default(),
        }
    }

    /// How many rows of a chunk the query asks for.
    pub(crate) fn count(&mut self, chunk: &Chunk, source: &Source) -> io::Result<u64> {
        if matches!(self.plan.root, Ask::All) {
            return Ok(chunk.len() as u64);
        }
        let plan = self.plan;
        let mut count = 0;
        for (number, group) in chunk.groups.iter().enumerate() {
            let part = Part { chunk, group: number, shape: chunk.shape_of(number)?, joined: group.joined, source };
            count += self.ask(&plan.root, part, &Bits::all(group.count))?.count() as u64;
        }
        for place in 0..chunk.odd_count() {
            if may_match(&plan.root, chunk.odd_bytes(place)?) {
                chunk.nth_odd(place, 0, &mut |record: &Record<'_>| count += u64::from(plan.query.matches_in(record, Some(source))))?;
            }
        }
        Ok(count)
    }

    /// The rows without a shape that the query asks for.
    fn odd(&mut self, chunk: &Chunk, source: &Source, among: Option<&Bits>) -> io::Result<Bits> {
        let mut found = Bits::none(chunk.len());
        for row in chunk.rows()?.of.last().into_iter().flatten().filter(|r| among.is_none_or(|a| a.get(**r as usize))) {
            chunk.record(*row, 0, &mut |record: &Record<'_>| {
                if self.plan.query.matches_in(record, Some(source)) {
                    found.set(*row as usize);
                }
            })?;
        }
        Ok(found)
    }

    /// The rows of a chunk that the query asks for, among those that are given (all, if none are).
    pub(crate) fn rows(&mut self, chunk: &Chunk, source: &Source, among: Option<&Bits>) -> io::Result<Bits> {
        let mut found = Bits::none(chunk.len());
        if matches!(self.plan.root, Ask::All) {
            return Ok(among.cloned().unwrap_or_else(|| Bits::all(chunk.len())));
        }
        let plan = self.plan;
        for (number, group) in chunk.groups.iter().enumerate() {
            let part = Part { chunk, group: number, shape: chunk.shape_of(number)?, joined: group.joined, source };
            let live = match among {
                None => Bits::all(group.count),
                Some(among) => {
                    let mut live = Bits::none(group.count);
                    let rows = chunk.rows()?.of.get(number).map_or(&[][..], Vec::as_slice);
                    rows.iter().enumerate().filter(|(_, row)| among.get(**row as usize)).for_each(|(place, _)| live.set(place));
                    live
                }
            };
            let places = if live.is_empty() { live } else { self.ask(&plan.root, part, &live)? };
            if places.is_empty() {
                continue;
            }
            if group.count == chunk.len() {
                return Ok(places);
            }
            let rows = chunk.rows()?.of.get(number).map_or(&[][..], Vec::as_slice);
            places.iter().filter_map(|place| rows.get(place)).for_each(|row| found.set(*row as usize));
        }
        if chunk.odd_count() > 0 {
            found.or(&self.odd(chunk, source, among)?);
        }
        Ok(found)
    }

    /// Those of the live places that are asked for.
    fn ask(&mut self, ask: &'q Ask<'q>, part: Part<'_>, live: &Bits) -> io::Result<Bits> {
        Ok(match ask {
            Ask::All => live.clone(),
            Ask::And(asks) => {
                let mut all = live.clone();
                for ask in asks {
                    if all.is_empty() {
                        break;
                    }
                    all = self.ask(ask, part, &all)?;
                }
                all
            }
            Ask::Or(asks) => {
                let (mut any, mut rest) = (Bits::none(part.count()), live.clone());
                for ask in asks {
                    if rest.is_empty() {
                        break;
                    }
                    let more = self.ask(ask, part, &rest)?;
                    rest.and_not(&more);
                    any.or(&more);
                }
                any
            }
            Ask::Not(ask) => {
                let mut rest = live.clone();
                rest.and_not(&self.ask(ask, part, live)?);
                rest
            }
            Ask::Leaf(leaf) => {
                let mut found = self.leaf(leaf, part, live)?;
                found.and(live);
                found
            }
        })
    }

    fn leaf(&mut self, leaf: &'q Leaf<'q>, part: Part<'_>, live: &Bits) -> io::Result<Bits> {
        let silent = self.plan.query.leaves_out_access() && self.is_access(part.shape);
        match &leaf.what {
            What::Words(words) => {
                let mut found = Bits::none(part.count());
                for region in self.regions(part).iter().copied() {
                    let mut rest = live.clone();
                    rest.and_not(&found);
                    found.or(&self.phrase(leaf, words, region, part, &rest)?);
                }
                Ok(found)
            }
            What::Field(Target::Body, _) if silent => Ok(Bits::none(part.count())),
            What::Field(target, test) if is_free_text(target) => {
                let mut found = Bits::none(part.count());
                for region in self.sources(target, part.shape) {
                    let mut rest = live.clone();
                    rest.and_not(&found);
                    found.or(&self.of_text(leaf, test, region, part, &rest)?);
                }
                Ok(found)
            }
            What::Field(target, _) => self.of_value(leaf, target, part, live),
        }
    }

    fn of_text(&mut self, leaf: &'q Leaf<'q>, test: &'q Test, region: From, part: Part<'_>, live: &Bits) -> io::Result<Bits> {
        match (test, region) {
            (Test::Is(literal), From::Atoms(..) | From::Own(_)) => self.phrase(leaf, literal.words(), region, part, live),
            (_, From::Atoms(from, to)) if part.column_of(region).is_none() => self.over_pieces(leaf, test, (from, to), part, live),
            _ => self.value_of(leaf, region, part, live),
        }
    }

    /// Where the values of a target are in the records of a shape.
    pub(super) fn sources(&self, target: &Target, shape: &Shape) -> Vec<From> {
        match target {
            Target::Body => vec![shape.body],
            Target::Raw => vec![From::Atoms(0, shape.atoms.len() as u32)],
            target => named(self.pack.names(), shape, target),
        }
    }

    /// The texts in which bare words are sought, found once a pack.
    fn regions(&mut self, part: Part<'_>) -> Rc<[From]> {
        let key = (part.shape_number(), part.joined);
        if let Some(regions) = self.regions.get(&key) {
            return regions.clone();
        }
        let regions: Rc<[From]> = self.find_regions(part).into();
        self.regions.insert(key, regions.clone());
        regions
    }

    fn find_regions(&self, part: Part<'_>) -> Vec<From> {
        let shape = part.shape;
        let guarded = self.plan.query.leaves_out_access();
        if guarded && self.is_access(shape) {
            return self.sources(&Target::Key(ERRORS), shape);
        }
        let mut regions = vec![shape.body];
        for (name, from) in &shape.fields {
            let free = match self.pack.names().name(*name).filter(|name| !guarded || !is_of_stranger(*name)) {
                Some(Name::Known(key)) => key.kind() == Kind::Text,
                Some(Name::Other(_)) => true,
                None => false,
            };
            let within = match (from, shape.body) {
                // Where words do not go on from piece to piece, what stands in a part of the body stands in the body.
                (From::Atoms(a, b), From::Atoms(c, d)) => !part.joined && *a >= c && *b <= d,
                _ => false,
            };
            if free && matches!(from, From::Atoms(..) | From::Own(_)) && !within {
                regions.push(*from);
            }
        }
        regions
    }

    /// Whether the records of a shape tell of one request each; as `whyline_query::is_access` has it.
    fn is_access(&self, shape: &Shape) -> bool {
        let names = self.pack.names();
        let format = names.text(shape.format).unwrap_or("");
        let has = |key: Key| shape.fields.iter().any(|(n, _)| names.name(*n) == Some(Name::Known(key)));
        tells_of_request(format, has, || shape.body == From::Atoms(0, shape.atoms.len() as u32))
    }

    /// The live places at which the text of a region passes.
    pub(super) fn by_text(&mut self, region: From, part: Part<'_>, live: &Bits, passes: &dyn Fn(&str) -> bool) -> io::Result<Bits> {
        let mut found = Bits::none(part.count());
        let mut text = std::mem::take(&mut self.text);
        for place in live.iter() {
            let yes = match region {
                From::Atoms(from, to) => {
                    text.clear();
                    part.chunk.join(part.group, place, (from, to), &mut text, None)?;
                    passes(&text)
                }
                From::Own(n) => passes(part.chunk.own(part.group, place, n)?),
                _ => false,
            };
            if yes {
                found.set(place);
            }
        }
        self.text = text;
        Ok(found)
    }
}

impl Part<'_> {
    pub(super) fn count(&self) -> usize {
        self.chunk.groups.get(self.group).map_or(0, |g| g.count)
    }

    /// The number of its shape.
    pub(super) fn shape_number(&self) -> u32 {
        self.chunk.groups.get(self.group).map_or(0, |g| g.shape)
    }

    /// The column that a region is, if it is one: its number and its dictionary.
    pub(super) fn column_of(&self, region: From) -> Option<(usize, u32)> {
        self.shape.column_of(region)
    }

    /// The number of the column at an atom.
    pub(super) fn column_at(&self, atom: u32) -> usize {
        self.shape.column_at(atom)
    }
}

/// Whether a record may be asked for, by the bytes in which its texts stand as they are.
fn may_match(ask: &Ask<'_>, bytes: &[u8]) -> bool {
    let has = |words: &[String]| words.iter().filter(|w| w.is_ascii()).all(|word| holds_in_any_case(bytes, word.as_bytes()));
    match ask {
        Ask::All | Ask::Not(_) => true,
        Ask::And(asks) => asks.iter().all(|ask| may_match(ask, bytes)),
        Ask::Or(asks) => asks.iter().any(|ask| may_match(ask, bytes)),
        Ask::Leaf(leaf) => match &leaf.what {
            What::Words(words) => has(words),
            What::Field(Target::Body | Target::Raw, Test::Is(literal)) => has(literal.words()),
            What::Field(..) => true,
        },
    }
}

/// Whether a text of ASCII in lower case stands in bytes in any case.
fn holds_in_any_case(bytes: &[u8], lower: &[u8]) -> bool {
    let Some((first, rest)) = lower.split_first() else { return true };
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), bytes)
        .any(|at| bytes.get(at + 1..at + 1 + rest.len()).is_some_and(|found| found.eq_ignore_ascii_case(rest)))
}
