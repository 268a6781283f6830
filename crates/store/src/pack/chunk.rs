//! A chunk that is read: its columns, each unpacked when it is first asked for, and its records, put together again.

use super::column::{Texts, choices, numbers, spread_numbers, texts, unpack};
use super::footer::{ChunkMeta, Span};
use super::layout::Layout;
use super::planes::Numbers;
use super::read::{Pack, damaged};
use super::rooms::Room;
use super::shape::{Atom, Shape, Source};
use crate::bytes::Reader;
use crate::codec::{decode, form_of};
use crate::names::remark;
use std::cell::OnceCell;
use std::io;
use std::rc::Rc;
use whyline_event::{Field, Origin, Record, Severity, SourceId, Stamp, Value};

/// Columns that all rows have, in the order of the file.
const SHAPES: usize = 0;
const GAPS: usize = 1;
const LENGTHS: usize = 2;
const LINES: usize = 3;
const COUNTS: usize = 4;
const NANOS: usize = 5;
const MARKS: usize = 6;
const ODD: usize = 7;
const COMMON: usize = 8;

/// The rows of one shape.
pub(crate) struct Group {
    pub(crate) shape: u32,
    /// Words may go on from one piece of the text to the next.
    pub(crate) joined: bool,
    pub(crate) count: usize,
}

/// What few rows differ in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    pub(crate) form: u8,
    pub(crate) severity: Option<Severity>,
    digits: u8,
    inherited: bool,
    doubtful: bool,
    offset: Option<i32>,
}

/// Where each row stands: its group (the number of groups for odd rows), and its place there.
pub(crate) struct Rows {
    pub(crate) group: Vec<u16>,
    pub(crate) place: Vec<u32>,
    /// The rows of each group, and at last the odd ones.
    pub(crate) of: Vec<Vec<u32>>,
}

/// Where rows lie in their source, as far as it is summed up: offset and line of one of so many rows.
struct Origins {
    gaps: Numbers,
    lengths: Numbers,
    lines: Numbers,
    counts: Numbers,
    sums: Vec<(u64, u64)>,
}

/// So many rows have one sum.
const SUMMED: usize = 64;

/// A chunk.
pub(crate) struct Chunk {
    pub(crate) pack: Rc<Pack>,
    pub(crate) meta: ChunkMeta,
    pub(crate) groups: Vec<Group>,
    columns: Vec<Span>,
    rows: OnceCell<Rows>,
    nanos: OnceCell<Vec<i64>>,
    marks: OnceCell<(Vec<Mark>, Vec<u32>)>,
    origins: OnceCell<Origins>,
    odd: OnceCell<(Vec<u8>, Vec<usize>)>,
    layout: Layout,
    /// By column of the layout: the groups that have it, in their order, with their values.
    cells: Vec<OnceCell<Vec<(u32, Cells)>>>,
}

/// The values of a group in one column.
enum Cells {
    Texts(Texts),
    Numbers(Numbers),
}

impl Chunk {
    pub(crate) fn open(pack: &Rc<Pack>, number: usize) -> io::Result<Chunk> {
        let meta = pack.footer.chunks.get(number).ok_or_else(|| damaged("a chunk is missing"))?;
        let raw = pack.read(Span { from: meta.place.from, length: u64::from(meta.head) })?;
        Chunk::read(pack, meta, &raw).ok_or_else(|| damaged("a chunk cannot be read"))
    }

    fn read(pack: &Rc<Pack>, meta: &ChunkMeta, raw: &[u8]) -> Option<Chunk> {
        let from = &mut Reader { rest: raw };
        let (rows, odd) = (from.small()?, from.small()?);
        let mut groups = Vec::new();
        let mut sum = u64::from(odd);
        for _ in 0..from.count()? {
            let (shape, rows) = (from.unsigned()?, from.small()?);
            let (number, joined) = (u32::try_from(shape >> 1).ok()?, shape & 1 == 1);
            groups.push(Group { shape: number, joined, count: rows as usize });
            sum += u64::from(rows);
        }
        if groups.iter().any(|g| g.shape as usize >= pack.footer.shapes.len()) {
            return None;
        }
        let layout = Layout::of(pack.columns(), groups.iter().map(|g| (g.shape, g.count)));
        let count = COMMON + layout.columns.len();
        if sum != u64::from(rows) || rows != meta.rows || groups.len() >= usize::from(u16::MAX) || count > raw.len() + COMMON {
            return None;
        }
        let mut at = meta.place.from + u64::from(meta.head);
        let mut columns = Vec::with_capacity(count);
        for _ in 0..count {
            let length = from.unsigned()?;
            columns.push(Span { from: at, length });
            at = at.checked_add(length)?;
        }
        let cells = layout.columns.iter().map(|_| OnceCell::new()).collect();
        Some(Chunk {
            pack: pack.clone(),
            meta: meta.clone(),
            groups,
            columns,
            rows: OnceCell::new(),
            nanos: OnceCell::new(),
            marks: OnceCell::new(),
            origins: OnceCell::new(),
            odd: OnceCell::new(),
            layout,
            cells,
        })
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.meta.rows as usize
    }

    fn column<T>(&self, number: usize, read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> io::Result<T> {
        let raw = self.bytes(number)?;
        read(&mut Reader { rest: &raw }).ok_or_else(unreadable)
    }

    /// The bytes of a column.
    fn bytes(&self, number: usize) -> io::Result<Room> {
        self.pack.read(*self.columns.get(number).ok_or_else(|| damaged("a column is missing"))?)
    }

    /// Where each row stands.
    pub(crate) fn rows(&self) -> io::Result<&Rows> {
        if let Some(rows) = self.rows.get() {
            return Ok(rows);
        }
        let shapes = self.column(SHAPES, |from| spread_numbers(from, self.len()))?;
        let mut of: Vec<Vec<u32>> = self.groups.iter().map(|g| Vec::with_capacity(g.count)).collect();
        of.push(Vec::new());
        let (mut group, mut place) = (Vec::with_capacity(self.len()), Vec::with_capacity(self.len()));
        let mut row = 0u32;
        shapes.each(|number| {
            if let Some(rows) = usize::try_from(number).ok().and_then(|n| of.get_mut(n)) {
                group.push(number as u16);
                place.push(rows.len() as u32);
                rows.push(row);
            }
            row += 1;
        });
        if group.len() != self.len() {
            return Err(damaged("a row has no shape"));
        }
        if self.groups.iter().zip(&of).any(|(g, rows)| g.count != rows.len()) {
            return Err(damaged("a shape lacks rows"));
        }
        Ok(self.rows.get_or_init(|| Rows { group, place, of }))
    }

    /// The stamps as written; those of rows without one are of no meaning.
    pub(crate) fn nanos(&self) -> io::Result<&[i64]> {
        if let Some(nanos) = self.nanos.get() {
            return Ok(nanos);
        }
        let nanos = self.column(NANOS, |from| numbers(from, self.len()))?;
        Ok(self.nanos.get_or_init(|| nanos))
    }

    /// The marks, and which each row has.
    pub(crate) fn marks(&self) -> io::Result<(&[Mark], &[u32])> {
        if self.marks.get().is_none() {
            let read = |from: &mut Reader<'_>| {
                let marks = (0..from.count()?).map(|_| Some(Mark::of(from.signed()?, from.signed()?))).collect::<Option<Vec<Mark>>>()?;
                let ids = choices(from, self.len())?;
                ids.iter().all(|id| (*id as usize) < marks.len()).then_some((marks, ids))
            };
            let read = self.column(MARKS, read)?;
            let _ = self.marks.set(read);
        }
        let (marks, ids) = self.marks.get().ok_or_else(|| damaged("marks are missing"))?;
        Ok((marks, ids))
    }

    fn origins(&self) -> io::Result<&Origins> {
        if let Some(origins) = self.origins.get() {
            return Ok(origins);
        }
        let read = |n: usize| self.column(n, |from| spread_numbers(from, self.len()));
        let mut origins =
            Origins { gaps: read(GAPS)?, lengths: read(LENGTHS)?, lines: read(LINES)?, counts: read(COUNTS)?, sums: Vec::new() };
        let mut sum = (0u64, 0u64);
        for from in (0..=self.len()).step_by(SUMMED) {
            origins.sums.push(sum);
            sum = origins.behind(sum, from, (from + SUMMED).min(self.len()));
        }
        Ok(self.origins.get_or_init(|| origins))
    }

    /// Where a row lies in its source.
    fn origin(&self, row: u32, source: u32) -> io::Result<Origin> {
        self.origins()?.of(row as usize, SourceId(source)).ok_or_else(|| damaged("a row is missing"))
    }

    /// A column of texts of a group.
    pub(crate) fn texts(&self, group: usize, column: usize) -> io::Result<&Texts> {
        match self.cells(group, column)? {
            Cells::Texts(texts) => Ok(texts),
            Cells::Numbers(_) => Err(damaged("a column holds something else")),
        }
    }

    /// A column of numbers of a group.
    pub(crate) fn numbers(&self, group: usize, number: u32) -> io::Result<&Numbers> {
        let texts = self.groups.get(group).map_or(0, |g| self.pack.columns().texts_of(g.shape));
        match self.cells(group, texts + number as usize)? {
            Cells::Numbers(numbers) => Ok(numbers),
            Cells::Texts(_) => Err(damaged("a column holds something else")),
        }
    }

    fn cells(&self, group: usize, column: usize) -> io::Result<&Cells> {
        let missing = || damaged("a column is missing");
        let own = self.groups.get(group).map_or(&[][..], |g| self.pack.columns().of_shape(g.shape));
        let number = own.get(column).and_then(|number| self.layout.place(*number)).ok_or_else(missing)?;
        let cell = self.cells.get(number).ok_or_else(missing)?;
        if cell.get().is_none() {
            let _ = cell.set(self.read_cells(number)?);
        }
        let parts = cell.get().ok_or_else(missing)?;
        // Most columns are those of all groups.
        if let Some((_, cells)) = parts.get(group).filter(|(of, _)| *of as usize == group) {
            return Ok(cells);
        }
        let part = parts.binary_search_by_key(&group, |(group, _)| *group as usize).map_err(|_| missing())?;
        parts.get(part).map(|(_, cells)| cells).ok_or_else(missing)
    }

    /// Reads what shapes share once for all of them.
    fn read_cells(&self, number: usize) -> io::Result<Vec<(u32, Cells)>> {
        let shared = self.layout.columns.get(number).ok_or_else(|| damaged("a column is missing"))?;
        let whole = match shared.dictionary {
            Some(_) => Cells::Texts(texts(self.bytes(COMMON + number)?, shared.rows).ok_or_else(unreadable)?),
            None => Cells::Numbers(self.column(COMMON + number, |from| spread_numbers(from, shared.rows))?),
        };
        let columns = self.pack.columns();
        let mut parts = Vec::with_capacity(self.groups.len());
        let mut from = 0;
        for (group, of) in (0u32..).zip(&self.groups).filter(|(_, g)| columns.of_shape(g.shape).contains(&shared.number)) {
            if of.count == shared.rows {
                return Ok(vec![(group, whole)]);
            }
            parts.push((group, whole.part(from, of.count).ok_or_else(unreadable)?));
            from += of.count;
        }
        Ok(parts)
    }

    /// The text of a row in a column of its group.
    pub(crate) fn text_in<'c>(&'c self, texts: &'c Texts, dictionary: u32, place: usize) -> io::Result<&'c str> {
        let id = match texts {
            Texts::Const(id) => *id,
            Texts::Ids(ids) => ids.get(place).map_or(u32::MAX, |id| id as u32),
            Texts::Plain(plain) => return plain.get(place),
        };
        self.pack.entry(dictionary, id)
    }

    /// Puts together the atoms of the text of a row, from one to another. Notes where each ends, if asked.
    pub(crate) fn join(
        &self,
        group: usize,
        place: usize,
        (from, to): (u32, u32),
        out: &mut String,
        mut ends: Option<&mut Vec<usize>>,
    ) -> io::Result<()> {
        let shape = self.shape_of(group)?;
        let skipped = shape.atoms.get(..from as usize).unwrap_or(&[]);
        let mut column = skipped.iter().filter(|a| matches!(a, Atom::Column(_))).count();
        for atom in shape.atoms.get(from as usize..to as usize).unwrap_or(&[]) {
            match atom {
                Atom::Fixed(piece) => out.push_str(piece),
                Atom::Column(dictionary) => {
                    match self.texts(group, column)? {
                        Texts::Plain(plain) => plain.push(place, out)?,
                        texts => out.push_str(self.text_in(texts, *dictionary, place)?),
                    }
                    column += 1;
                }
            }
            if let Some(ends) = ends.as_deref_mut() {
                ends.push(out.len());
            }
        }
        Ok(())
    }

    pub(crate) fn shape_of(&self, group: usize) -> io::Result<&Shape> {
        self.groups.get(group).ok_or_else(|| damaged("a shape is missing")).and_then(|g| self.pack.shape(g.shape))
    }

    /// The column that a source is in the records of a group, if it is one: its number and its dictionary.
    pub(crate) fn column_of(&self, group: usize, from: Source) -> io::Result<Option<(usize, u32)>> {
        Ok(self.shape_of(group)?.column_of(from))
    }

    /// The text of a row that is not in its raw text.
    pub(crate) fn own(&self, group: usize, place: usize, number: u32) -> io::Result<&str> {
        let shape = self.shape_of(group)?;
        let dictionary = shape.own.get(number as usize).ok_or_else(|| damaged("a text is missing"))?;
        self.text_in(self.texts(group, shape.texts() - shape.own.len() + number as usize)?, *dictionary, place)
    }

    /// The first line of a row.
    pub(crate) fn line(&self, row: u32) -> io::Result<u64> {
        Ok(self.origin(row, 0)?.line)
    }

    /// The stamp of a row.
    pub(crate) fn stamp(&self, row: u32) -> io::Result<Option<Stamp>> {
        let (marks, ids) = self.marks()?;
        let mark = ids.get(row as usize).and_then(|id| marks.get(*id as usize)).ok_or_else(|| damaged("a row is missing"))?;
        let nanos = self.nanos()?.get(row as usize).copied().unwrap_or(0);
        Ok(form_of(mark.form).map(|form| Stamp { nanos, form, offset: mark.offset, digits: mark.digits }))
    }

    /// Hands over the record of a row, its source under a number of the caller's.
    pub(crate) fn record(&self, row: u32, source: u32, each: &mut dyn FnMut(&Record<'_>)) -> io::Result<()> {
        let rows = self.rows()?;
        let (Some(group), Some(place)) = (rows.group.get(row as usize), rows.place.get(row as usize)) else {
            return Err(damaged("a row is missing"));
        };
        let (group, place) = (usize::from(*group), *place as usize);
        if group >= self.groups.len() {
            return self.with_odd(row, source, each);
        }
        let shape = self.shape_of(group)?;
        let (mut text, mut ends) = (String::with_capacity(256), Vec::with_capacity(shape.atoms.len()));
        self.join(group, place, (0, shape.atoms.len() as u32), &mut text, Some(&mut ends))?;
        let at = |atom: u32| if atom == 0 { 0 } else { ends.get(atom as usize - 1).copied().unwrap_or(text.len()) };
        let value = |from: Source| -> io::Result<Value<'_>> {
            let number = |n: u32| -> io::Result<i64> { self.numbers(group, n)?.get(place).ok_or_else(|| damaged("a number is missing")) };
            Ok(match from {
                Source::Atoms(from, to) => Value::Str(text.get(at(from)..at(to)).unwrap_or("")),
                Source::Own(n) => Value::Str(self.own(group, place, n)?),
                Source::Int(n) => Value::Int(number(n)?),
                Source::Float(n) => Value::Float(f64::from_bits(number(n)? as u64)),
                Source::Duration(n) => Value::Duration(number(n)?),
                Source::No => Value::Bool(false),
                Source::Yes => Value::Bool(true),
            })
        };
        let mut record = Record::new(&text, self.origin(row, source)?);
        record.body = value(shape.body)?.as_str().unwrap_or("");
        let names = self.pack.names();
        record.format = names.text(shape.format).ok_or_else(|| damaged("a name is missing"))?;
        record.fields.reserve(shape.fields.len());
        for (name, from) in &shape.fields {
            let name = names.name(*name).ok_or_else(|| damaged("a name is missing"))?;
            record.fields.push(Field { name, value: value(*from)? });
        }
        record.notes.extend(shape.notes.iter().filter_map(|n| names.text(*n)).map(remark));
        let (marks, ids) = self.marks()?;
        let mark = ids.get(row as usize).and_then(|id| marks.get(*id as usize)).ok_or_else(|| damaged("a row is missing"))?;
        record.stamp = self.stamp(row)?;
        (record.inherited, record.doubtful, record.severity) = (mark.inherited, mark.doubtful, mark.severity);
        each(&record);
        Ok(())
    }

    fn with_odd(&self, row: u32, source: u32, each: &mut dyn FnMut(&Record<'_>)) -> io::Result<()> {
        let place = self.rows()?.place.get(row as usize).map_or(0, |p| *p as usize);
        self.nth_odd(place, source, each)
    }

    /// How many rows have no shape.
    pub(crate) fn odd_count(&self) -> usize {
        self.len().saturating_sub(self.groups.iter().map(|g| g.count).sum())
    }

    /// The bytes of a row without a shape, by its place among them.
    pub(crate) fn odd_bytes(&self, place: usize) -> io::Result<&[u8]> {
        if self.odd.get().is_none() {
            let read = |from: &mut Reader<'_>| {
                let mut end = 0usize;
                let ends = numbers(from, self.odd_count())?.into_iter().map(|n| {
                    end = end.checked_add(usize::try_from(n).ok()?)?;
                    Some(end)
                });
                let ends = ends.collect::<Option<Vec<usize>>>()?;
                Some((unpack(from)?, ends))
            };
            let _ = self.odd.set(self.column(ODD, read)?);
        }
        let found = self.odd.get().and_then(|(raw, ends)| {
            let from = if place == 0 { 0 } else { *ends.get(place - 1)? };
            raw.get(from..*ends.get(place)?)
        });
        found.ok_or_else(|| damaged("a record is missing"))
    }

    /// Hands over the record of a row without a shape, by its place among them.
    pub(crate) fn nth_odd(&self, place: usize, source: u32, each: &mut dyn FnMut(&Record<'_>)) -> io::Result<()> {
        let found = decode(self.odd_bytes(place)?, self.pack.names(), SourceId(source));
        each(&found.ok_or_else(|| damaged("a record cannot be read"))?);
        Ok(())
    }
}

impl Cells {
    /// Some rows of it.
    fn part(&self, from: usize, count: usize) -> Option<Cells> {
        Some(match self {
            Cells::Numbers(numbers) => Cells::Numbers(numbers.part(from, count)?),
            Cells::Texts(Texts::Const(id)) => Cells::Texts(Texts::Const(*id)),
            Cells::Texts(Texts::Ids(ids)) => Cells::Texts(Texts::Ids(ids.part(from, count)?)),
            Cells::Texts(Texts::Plain(plain)) => Cells::Texts(Texts::Plain(plain.part(from, count)?)),
        })
    }
}

impl Origins {
    /// Where the rows from one to another (not included) end, and the line behind them, if this is where they begin.
    fn behind(&self, (offset, line): (u64, u64), from: usize, to: usize) -> (u64, u64) {
        let sum = |a: &Numbers, b: &Numbers| a.sum(from, to).wrapping_add(b.sum(from, to));
        (offset.wrapping_add(sum(&self.gaps, &self.lengths)), line.wrapping_add(sum(&self.lines, &self.counts)))
    }

    fn of(&self, row: usize, source: SourceId) -> Option<Origin> {
        let near = row / SUMMED;
        let (offset, line) = self.behind(*self.sums.get(near)?, near * SUMMED, row);
        Some(Origin {
            source,
            line: line.wrapping_add(self.lines.get(row)? as u64),
            lines: self.counts.get(row)? as u32,
            offset: offset.wrapping_add(self.gaps.get(row)? as u64),
            length: self.lengths.get(row)? as u64,
        })
    }
}

fn unreadable() -> io::Error {
    damaged("a column cannot be read")
}

impl Mark {
    fn of(bits: i64, offset: i64) -> Mark {
        let number = (bits >> 16) as u8;
        Mark {
            form: (bits >> 4 & 15) as u8,
            severity: Severity::ALL.iter().find(|s| s.number() == number).copied(),
            digits: (bits & 15) as u8,
            inherited: bits >> 9 & 1 == 1,
            doubtful: bits >> 8 & 1 == 1,
            offset: (bits >> 10 & 1 == 1).then_some(offset as i32),
        }
    }
}
