//! Records of one block of a source, copied, until the block is complete and can be packed.

use crate::codec::{encode, form_number, place};
use crate::names::{Names, remark, spelling};
use std::ops::Range;
use whyline_event::{Field, Origin, Record, Severity, Stamp, Value};

/// A record with more fields than this, or a longer text, is kept by itself.
const MOST_FIELDS: usize = 200;
const LONGEST_TEXT: usize = 64 << 10;

/// Where a text lies: in the text of its record, or among the texts that are in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    Part(u32, u32),
    Own(u32, u32),
}

/// The value of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held {
    Text(Where),
    Int(i64),
    Float(f64),
    Duration(i64),
    Bool(bool),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) name: u32,
    pub(crate) held: Held,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) text: Range<usize>,
    pub(crate) body: Where,
    pub(crate) format: u32,
    pub(crate) cells: Range<usize>,
    pub(crate) notes: Range<usize>,
    pub(crate) origin: Origin,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) inherited: bool,
    pub(crate) doubtful: bool,
    pub(crate) severity: Option<Severity>,
    /// The whole record by itself, where it fits in no column.
    pub(crate) odd: Option<Range<usize>>,
}

/// The records of a block.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) text: String,
    pub(crate) own: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) notes: Vec<u32>,
    pub(crate) odd: Vec<u8>,
}

impl Block {
    pub(crate) fn clear(&mut self) {
        let Block { text, own, rows, cells, notes, odd } = self;
        text.clear();
        own.clear();
        rows.clear();
        cells.clear();
        notes.clear();
        odd.clear();
    }

    /// Bytes that are held.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + self.own.len() + self.odd.len() + self.cells.len() * size_of::<Cell>() + self.rows.len() * size_of::<Row>()
    }

    /// Copies a record. Names get their numbers.
    pub(crate) fn add(&mut self, record: &Record<'_>, names: &mut Names) {
        let (cells, notes, texts) = (self.cells.len(), self.notes.len(), self.text.len());
        self.text.push_str(record.text);
        let odd = record.text.len() > LONGEST_TEXT || record.fields.len() > MOST_FIELDS;
        let numbered = if odd { None } else { self.numbered(record, names) };
        let mut row = Row {
            text: texts..self.text.len(),
            body: Where::Part(0, 0),
            format: 0,
            cells: cells..cells,
            notes: notes..notes,
            origin: record.origin,
            stamp: record.stamp,
            inherited: record.inherited,
            doubtful: record.doubtful,
            severity: record.severity,
            odd: None,
        };
        match numbered {
            Some((format, body)) => {
                (row.format, row.body) = (format, body);
                (row.cells, row.notes) = (cells..self.cells.len(), notes..self.notes.len());
            }
            None => {
                self.cells.truncate(cells);
                self.notes.truncate(notes);
                row.body = self.words_beside(record);
                let from = self.odd.len();
                encode(record, &mut |_| None, &mut self.odd);
                row.odd = Some(from..self.odd.len());
            }
        }
        self.rows.push(row);
    }

    /// Keeps, for the index, what is not found among the words of the text itself.
    fn words_beside(&mut self, record: &Record<'_>) -> Where {
        let from = self.own.len();
        let texts = record.fields.iter().filter_map(|f| f.value.as_str()).chain([record.body]);
        for text in texts.filter(|t| cuts_words(t, record.text)) {
            self.own.push_str(text);
            self.own.push('\n');
        }
        Where::Own(from as u32, (self.own.len() - from) as u32)
    }

    fn numbered(&mut self, record: &Record<'_>, names: &mut Names) -> Option<(u32, Where)> {
        let format = names.number(record.format)?;
        let body = self.text_at(record.body, record.text)?;
        for field in &record.fields {
            let name = names.number(&spelling(field.name))?;
            let held = match field.value {
                Value::Str(text) => Held::Text(self.text_at(text, record.text)?),
                Value::Int(n) => Held::Int(n),
                Value::Float(x) => Held::Float(x),
                Value::Duration(n) => Held::Duration(n),
                Value::Bool(yes) => Held::Bool(yes),
            };
            self.cells.push(Cell { name, held });
        }
        for note in &record.notes {
            let number = names.number(note)?;
            self.notes.push(number);
        }
        Some((format, body))
    }

    fn text_at(&mut self, part: &str, whole: &str) -> Option<Where> {
        let length = u32::try_from(part.len()).ok()?;
        Some(match place(part, whole) {
            Some(at) => Where::Part(u32::try_from(at).ok()?, length),
            None => {
                let at = u32::try_from(self.own.len()).ok()?;
                self.own.push_str(part);
                Where::Own(at, length)
            }
        })
    }

    /// The texts of a row whose words may not be among those of the text itself.
    pub(crate) fn beside<'b>(&'b self, row: &'b Row) -> impl Iterator<Item = &'b str> {
        let fields = self.cells[row.cells.clone()].iter().filter_map(|c| if let Held::Text(place) = c.held { Some(place) } else { None });
        fields.chain([row.body]).map(|place| self.at(row, place)).filter(|text| cuts_words(text, self.text_of(row)))
    }

    pub(crate) fn text_of(&self, row: &Row) -> &str {
        &self.text[row.text.clone()]
    }

    pub(crate) fn at(&self, row: &Row, place: Where) -> &str {
        match place {
            Where::Part(at, length) => &self.text_of(row)[at as usize..(at + length) as usize],
            Where::Own(at, length) => &self.own[at as usize..(at + length) as usize],
        }
    }

    /// The record of a row that is not odd.
    pub(crate) fn record<'a>(&'a self, row: &Row, names: &'a Names) -> Record<'a> {
        let mut record = Record::new(self.text_of(row), row.origin);
        (record.stamp, record.inherited, record.doubtful, record.severity) = (row.stamp, row.inherited, row.doubtful, row.severity);
        record.format = names.text(row.format).unwrap_or("");
        record.body = self.at(row, row.body);
        for cell in &self.cells[row.cells.clone()] {
            let Some(name) = names.name(cell.name) else { continue };
            let value = match cell.held {
                Held::Text(place) => Value::Str(self.at(row, place)),
                Held::Int(n) => Value::Int(n),
                Held::Float(x) => Value::Float(x),
                Held::Duration(n) => Value::Duration(n),
                Held::Bool(yes) => Value::Bool(yes),
            };
            record.fields.push(Field { name, value });
        }
        record.notes.extend(self.notes[row.notes.clone()].iter().filter_map(|n| names.text(*n)).map(remark));
        record
    }

    /// A hash over everything that the records hold, the same whenever the same records are read again.
    pub(crate) fn hash(&self, names: &Names) -> u128 {
        use xxhash_rust::xxh3::Xxh3;
        let mut hash = Xxh3::new();
        let mut buffer = Vec::with_capacity(512);
        hash.update(self.text.as_bytes());
        hash.update(self.own.as_bytes());
        hash.update(&self.odd);
        // Numbers of names depend on what was met before, so their texts are hashed.
        let name = |number: u32, buffer: &mut Vec<u8>| buffer.extend_from_slice(&names.hash(number).to_le_bytes());
        for row in &self.rows {
            buffer.clear();
            let o = &row.origin;
            for n in
                [o.line, u64::from(o.lines), o.offset, o.length, row.text.len() as u64, u64::from(row.severity.map_or(0, Severity::number))]
            {
                buffer.extend_from_slice(&n.to_le_bytes());
            }
            let (own, at, length) = match row.body {
                Where::Part(at, length) => (0, at, length),
                Where::Own(at, length) => (1, at, length),
            };
            for n in [own, at, length, u32::from(row.inherited), u32::from(row.doubtful)] {
                buffer.extend_from_slice(&n.to_le_bytes());
            }
            if let Some(stamp) = row.stamp {
                buffer.extend_from_slice(&stamp.nanos.to_le_bytes());
                buffer.extend_from_slice(&[form_number(stamp.form), stamp.digits, u8::from(stamp.offset.is_some())]);
                buffer.extend_from_slice(&stamp.offset.unwrap_or(0).to_le_bytes());
            }
            name(row.format, &mut buffer);
            for cell in &self.cells[row.cells.clone()] {
                name(cell.name, &mut buffer);
                let (tag, n) = match cell.held {
                    Held::Text(Where::Part(at, length)) => (0u8, u64::from(at) << 32 | u64::from(length)),
                    Held::Text(Where::Own(at, length)) => (1, u64::from(at) << 32 | u64::from(length)),
                    Held::Int(n) => (2, n as u64),
                    Held::Float(x) => (3, x.to_bits()),
                    Held::Duration(n) => (4, n as u64),
                    Held::Bool(yes) => (5, u64::from(yes)),
                };
                buffer.push(tag);
                buffer.extend_from_slice(&n.to_le_bytes());
            }
            for note in &self.notes[row.notes.clone()] {
                name(*note, &mut buffer);
            }
            hash.update(&buffer);
        }
        hash.digest128()
    }
}

/// Whether a text is no part of another one, or begins or ends there within a word.
fn cuts_words(part: &str, whole: &str) -> bool {
    let Some(at) = place(part, whole) else { return true };
    let within = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
    let bytes = whole.as_bytes();
    within(at.checked_sub(1).and_then(|i| bytes.get(i))) || within(bytes.get(at + part.len()))
}
