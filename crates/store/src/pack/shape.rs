//! Shapes: what records have in common. A shape says which fields a record has, in which order, and how its text is made of
//! constant pieces and variable ones, so that of each record only the variable pieces and the numbers need to be kept.

use super::block::{Block, Held, Row, Where};
use crate::bytes::{Reader, text, unsigned};

/// Where a text or value of a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The atoms from one to another (not included) of the text.
    Atoms(u32, u32),
    /// A text of its own.
    Own(u32),
    /// A number, by its place among the numbers of the shape.
    Int(u32),
    /// The bits of a floating point number, likewise.
    Float(u32),
    /// Nanoseconds, likewise.
    Duration(u32),
    /// No.
    No,
    /// Yes.
    Yes,
}

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Atom {
    /// The same in every record.
    Fixed(Box<str>),
    /// A column of texts, whose dictionary this is.
    Column(u32),
}

/// What records have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) format: u32,
    pub(crate) body: Source,
    pub(crate) fields: Vec<(u32, Source)>,
    pub(crate) notes: Vec<u32>,
    pub(crate) atoms: Vec<Atom>,
    /// Dictionaries of the texts of their own.
    pub(crate) own: Vec<u32>,
    /// How many columns of numbers there are.
    pub(crate) numbers: u32,
}

impl Shape {
    /// How many columns of texts there are: those in the text, then those of their own.
    pub(crate) fn texts(&self) -> usize {
        self.atoms.iter().filter(|a| matches!(a, Atom::Column(_))).count() + self.own.len()
    }

    /// The dictionaries of the columns of texts.
    pub(crate) fn dictionaries(&self) -> impl Iterator<Item = u32> + '_ {
        let within = self.atoms.iter().filter_map(|a| if let Atom::Column(d) = a { Some(*d) } else { None });
        within.chain(self.own.iter().copied())
    }

    /// The column that a source is, if it is one: its number and its dictionary.
    pub(crate) fn column_of(&self, from: Source) -> Option<(usize, u32)> {
        match from {
            Source::Atoms(from, to) if from + 1 == to => match self.atoms.get(from as usize)? {
                Atom::Column(dictionary) => Some((self.column_at(from), *dictionary)),
                Atom::Fixed(_) => None,
            },
            Source::Own(n) => Some((self.texts() - self.own.len() + n as usize, *self.own.get(n as usize)?)),
            _ => None,
        }
    }

    /// The number of the column at an atom.
    pub(crate) fn column_at(&self, atom: u32) -> usize {
        self.atoms.iter().take(atom as usize).filter(|a| matches!(a, Atom::Column(_))).count()
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        unsigned(u64::from(self.format), out);
        write_source(self.body, out);
        unsigned(self.fields.len() as u64, out);
        for (name, source) in &self.fields {
            unsigned(u64::from(*name), out);
            write_source(*source, out);
        }
        write_list(&self.notes, out);
        unsigned(self.atoms.len() as u64, out);
        for atom in &self.atoms {
            match atom {
                Atom::Fixed(piece) => {
                    out.push(0);
                    text(piece, out);
                }
                Atom::Column(dictionary) => {
                    out.push(1);
                    unsigned(u64::from(*dictionary), out);
                }
            }
        }
        write_list(&self.own, out);
        unsigned(u64::from(self.numbers), out);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Shape> {
        let (format, body) = (from.small()?, read_source(from)?);
        let fields = (0..from.count()?).map(|_| Some((from.small()?, read_source(from)?))).collect::<Option<Vec<_>>>()?;
        let notes = read_list(from)?;
        let atoms = (0..from.count()?).map(|_| {
            Some(match from.byte()? {
                0 => Atom::Fixed(from.text()?.into()),
                _ => Atom::Column(from.small()?),
            })
        });
        let atoms = atoms.collect::<Option<Vec<_>>>()?;
        let shape = Shape { format, body, fields, notes, atoms, own: read_list(from)?, numbers: from.small()? };
        shape.is_sound().then_some(shape)
    }

    fn is_sound(&self) -> bool {
        let sound = |source: Source| match source {
            Source::Atoms(from, to) => from <= to && to as usize <= self.atoms.len(),
            Source::Own(n) => (n as usize) < self.own.len(),
            Source::Int(n) | Source::Float(n) | Source::Duration(n) => n < self.numbers,
            Source::No | Source::Yes => true,
        };
        self.numbers < 10_000
            && matches!(self.body, Source::Atoms(..) | Source::Own(_))
            && sound(self.body)
            && self.fields.iter().all(|(_, s)| sound(*s))
    }
}

fn write_list(list: &[u32], out: &mut Vec<u8>) {
    unsigned(list.len() as u64, out);
    list.iter().for_each(|n| unsigned(u64::from(*n), out));
}

fn read_list(from: &mut Reader<'_>) -> Option<Vec<u32>> {
    (0..from.count()?).map(|_| from.small()).collect()
}

fn write_source(source: Source, out: &mut Vec<u8>) {
    let (tag, a, b) = match source {
        Source::Atoms(from, to) => (0, Some(from), Some(to)),
        Source::Own(n) => (1, Some(n), None),
        Source::Int(n) => (2, Some(n), None),
        Source::Float(n) => (3, Some(n), None),
        Source::Duration(n) => (4, Some(n), None),
        Source::No => (5, None, None),
        Source::Yes => (6, None, None),
    };
    out.push(tag);
    a.into_iter().chain(b).for_each(|n| unsigned(u64::from(n), out));
}

fn read_source(from: &mut Reader<'_>) -> Option<Source> {
    Some(match from.byte()? {
        0 => Source::Atoms(from.small()?, from.small()?),
        1 => Source::Own(from.small()?),
        2 => Source::Int(from.small()?),
        3 => Source::Float(from.small()?),
        4 => Source::Duration(from.small()?),
        5 => Source::No,
        6 => Source::Yes,
        _ => return None,
    })
}

/// A piece of a text that is being cut.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Fixed(u32, u32),
    /// The value of a field.
    Leaf(u32, u32, u32),
    Free(u32, u32),
}

/// What a dictionary is kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept<'t> {
    /// The values of a field, by the number of its name.
    Field(u32),
    /// What stands behind a constant text in records of a format.
    Behind(u32, &'t str),
    /// A column that no other shape shares.
    Alone,
}

/// Cuts records into pieces.
#[derive(Default)]
pub(crate) struct Cutter {
    cuts: Vec<u32>,
    leaf: Vec<u32>,
    atom_at: Vec<u32>,
    pieces: Vec<Piece>,
    /// What tells the shape from others.
    pub(crate) key: Vec<u8>,
    /// The variable pieces of the text, in order: from, to.
    pub(crate) spans: Vec<(u32, u32)>,
}

const NO_LEAF: u32 = u32::MAX;

impl Cutter {
    /// Cuts a row: at the borders of its fields and its body, and, if it is to be cut finely, around whatever has a digit in it.
    pub(crate) fn cut(&mut self, block: &Block, row: &Row, finely: bool) {
        let whole = block.text_of(row);
        let cells = &block.cells[row.cells.clone()];
        self.cuts.clear();
        self.cuts.extend([0, whole.len() as u32]);
        let parts =
            cells.iter().filter_map(|c| if let Held::Text(Where::Part(at, n)) = c.held { Some((c.name, at, at + n)) } else { None });
        for (_, from, to) in parts.clone() {
            self.cuts.extend([from, to]);
        }
        if let Where::Part(at, length) = row.body {
            self.cuts.extend([at, at + length]);
        }
        self.cuts.sort_unstable();
        self.cuts.dedup();
        self.leaf.clear();
        self.leaf.resize(self.cuts.len(), NO_LEAF);
        for (name, from, to) in parts {
            if let (Ok(a), Ok(b)) = (self.cuts.binary_search(&from), self.cuts.binary_search(&to))
                && b == a + 1
            {
                self.leaf[a] = name;
            }
        }
        self.pieces.clear();
        self.atom_at.clear();
        for i in 0..self.cuts.len() {
            self.atom_at.push(self.pieces.len() as u32);
            let (Some(from), Some(to)) = (self.cuts.get(i).copied(), self.cuts.get(i + 1).copied()) else { break };
            match self.leaf[i] {
                NO_LEAF if finely => tokens(whole.as_bytes(), from, to, &mut self.pieces),
                NO_LEAF => self.pieces.push(Piece::Free(from, to)),
                name => self.pieces.push(Piece::Leaf(name, from, to)),
            }
        }
        self.write_key(block, row, finely);
    }

    fn atoms(&self, at: u32, length: u32) -> (u32, u32) {
        let find = |cut: u32| self.cuts.binary_search(&cut).map_or(0, |i| self.atom_at[i]);
        (find(at), find(at + length))
    }

    fn write_key(&mut self, block: &Block, row: &Row, finely: bool) {
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        key.push(u8::from(finely));
        key.extend_from_slice(&row.format.to_le_bytes());
        let place = |place: Where, key: &mut Vec<u8>| match place {
            Where::Part(at, length) => {
                let (from, to) = self.atoms(at, length);
                key.push(0);
                key.extend_from_slice(&(from as u16).to_le_bytes());
                key.extend_from_slice(&(to as u16).to_le_bytes());
            }
            Where::Own(..) => key.push(1),
        };
        place(row.body, &mut key);
        unsigned(row.cells.len() as u64, &mut key);
        for cell in &block.cells[row.cells.clone()] {
            unsigned(u64::from(cell.name), &mut key);
            match cell.held {
                Held::Text(at) => place(at, &mut key),
                Held::Int(_) => key.push(2),
                Held::Float(_) => key.push(3),
                Held::Duration(_) => key.push(4),
                Held::Bool(false) => key.push(5),
                Held::Bool(true) => key.push(6),
            }
        }
        unsigned(row.notes.len() as u64, &mut key);
        block.notes[row.notes.clone()].iter().for_each(|n| unsigned(u64::from(*n), &mut key));
        self.spans.clear();
        let whole = block.text_of(row).as_bytes();
        for piece in &self.pieces {
            match *piece {
                Piece::Fixed(from, to) => {
                    key.push(1);
                    unsigned(u64::from(to - from), &mut key);
                    key.extend_from_slice(&whole[from as usize..to as usize]);
                }
                Piece::Leaf(name, from, to) => {
                    key.push(2);
                    unsigned(u64::from(name), &mut key);
                    self.spans.push((from, to));
                }
                Piece::Free(from, to) => {
                    key.push(3);
                    self.spans.push((from, to));
                }
            }
        }
        self.key = key;
    }

    /// Whether the row that was cut last can have a shape: all it is made of can be numbered.
    pub(crate) fn fits(&self) -> bool {
        self.pieces.len() < usize::from(u16::MAX)
    }

    /// The shape of the row that was cut last. `dictionary` gives the dictionaries.
    pub(crate) fn shape(&self, block: &Block, row: &Row, dictionary: &mut dyn FnMut(Kept<'_>) -> u32) -> Shape {
        let whole = block.text_of(row);
        let mut before = "";
        let atoms = self.pieces.iter().map(|piece| match *piece {
            Piece::Fixed(from, to) => {
                before = &whole[from as usize..to as usize];
                Atom::Fixed(before.into())
            }
            Piece::Leaf(name, ..) => Atom::Column(dictionary(Kept::Field(name))),
            Piece::Free(..) if before.is_empty() => Atom::Column(dictionary(Kept::Alone)),
            Piece::Free(..) => Atom::Column(dictionary(Kept::Behind(row.format, before))),
        });
        let atoms: Vec<Atom> = atoms.collect();
        let (mut own, mut numbers) = (Vec::new(), 0u32);
        let mut next = || {
            numbers += 1;
            numbers - 1
        };
        let mut text = |name: Option<u32>, place: Where| match place {
            Where::Part(at, length) => {
                let (from, to) = self.atoms(at, length);
                Source::Atoms(from, to)
            }
            Where::Own(..) => {
                own.push(dictionary(name.map_or(Kept::Alone, Kept::Field)));
                Source::Own(own.len() as u32 - 1)
            }
        };
        let body = text(None, row.body);
        let cells = &block.cells[row.cells.clone()];
        let fields = cells.iter().map(|cell| {
            let source = match cell.held {
                Held::Text(place) => text(Some(cell.name), place),
                Held::Int(_) => Source::Int(next()),
                Held::Float(_) => Source::Float(next()),
                Held::Duration(_) => Source::Duration(next()),
                Held::Bool(false) => Source::No,
                Held::Bool(true) => Source::Yes,
            };
            (cell.name, source)
        });
        let fields = fields.collect();
        Shape { format: row.format, body, fields, notes: block.notes[row.notes.clone()].to_vec(), atoms, own, numbers }
    }
}

/// Cuts a text around the runs that have a digit in them. A run is made of letters and digits of ASCII, of anything else than
/// ASCII, and of dots between digits; so words never cross its ends.
fn tokens(whole: &[u8], from: u32, to: u32, pieces: &mut Vec<Piece>) {
    let end = to as usize;
    let (mut at, mut fixed) = (from as usize, from as usize);
    while at < end {
        if !is_run(whole[at]) {
            at += 1;
            continue;
        }
        let start = at;
        let mut has_digit = false;
        while at < end && (is_run(whole[at]) || dot_in_number(&whole[start..end], at - start)) {
            has_digit |= whole[at].is_ascii_digit();
            at += 1;
        }
        if has_digit {
            if fixed < start {
                pieces.push(Piece::Fixed(fixed as u32, start as u32));
            }
            pieces.push(Piece::Free(start as u32, at as u32));
            fixed = at;
        }
    }
    if fixed < end {
        pieces.push(Piece::Fixed(fixed as u32, to));
    }
}

fn is_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn dot_in_number(run: &[u8], at: usize) -> bool {
    let digit = |i: Option<usize>| i.and_then(|i| run.get(i)).is_some_and(u8::is_ascii_digit);
    run.get(at) == Some(&b'.') && digit(at.checked_sub(1)) && digit(Some(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_with_digits_are_variable() {
        let text = "took 0.25s (v1 of größe2), 10.0.0.3:80 x.";
        let mut pieces = Vec::new();
        tokens(text.as_bytes(), 0, text.len() as u32, &mut pieces);
        let show = |p: &Piece| match *p {
            Piece::Fixed(a, b) => text[a as usize..b as usize].to_string(),
            Piece::Leaf(_, a, b) | Piece::Free(a, b) => format!("<{}>", &text[a as usize..b as usize]),
        };
        let shown: Vec<String> = pieces.iter().map(show).collect();
        assert_eq!(shown, ["took ", "<0.25s>", " (", "<v1>", " of ", "<größe2>", "), ", "<10.0.0.3>", ":", "<80>", " x."]);
    }
}
