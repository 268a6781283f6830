//! Making a pack: blocks become chunks, one after the other, with dictionaries that they share.

use super::block::{Block, Row};
use super::bloom;
use super::column::{Near, Packer, put_ids, put_numbers, put_plain};
use super::dictionary::Dictionary;
use super::entries;
use super::footer::{ChunkMeta, Footer, Listed, Span};
use super::layout::{Columns, Layout};
use super::rows::{Edges, mark, numbers, own, times};
use super::shape::{Atom, Cutter, Kept, Shape};
use super::sums::sums;
use super::tally::Tallies;
use super::words::{ChunkWords, Vocabulary};
use super::{MAGIC, MOST_CHUNKS};
use crate::bytes::{signed, unsigned};
use crate::codec::encode;
use crate::names::Names;
use rustc_hash::FxHashMap;
use std::io;
use xxhash_rust::xxh3::xxh3_64;

/// Fewer records of a shape in a block are kept by themselves: columns would cost more than they save.
const FEWEST: usize = 4;
/// Most shapes of a pack, and most ways of being cut that are remembered.
const MOST_SHAPES: usize = 2048;
const MOST_KEYS: usize = 16_384;

/// A pack that is being made.
pub(crate) struct Builder {
    pub(crate) names: Names,
    packer: Packer,
    cutter: Cutter,
    keys: FxHashMap<Box<[u8]>, u32>,
    key_bytes: usize,
    kinds: Vec<Kind>,
    shapes: Vec<Shape>,
    dictionaries: Vec<Dictionary>,
    leaf: FxHashMap<u32, u32>,
    behind: FxHashMap<(u32, Box<str>), u32>,
    vocabulary: Vocabulary,
    tallies: Tallies,
    data: Vec<u8>,
    blooms: Vec<u8>,
    chunks: Vec<ChunkMeta>,
    /// The words of each chunk, for the index.
    pub(crate) terms: Vec<String>,
    terms_size: usize,
    capped: u64,
}

/// A way in which rows are cut.
#[derive(Default)]
struct Kind {
    shape: Option<u32>,
    block: u32,
    count: usize,
}

/// A pack that is complete: the bytes of its file, and the words of its chunks.
pub(crate) struct Built {
    pub(crate) bytes: Vec<u8>,
    pub(crate) chunks: Vec<ChunkMeta>,
    pub(crate) terms: Vec<String>,
    /// How many records or columns went their own way because of a cap.
    pub(crate) capped: u64,
}

/// The variable pieces of each row: from, to.
type Spans = Vec<Vec<(u32, u32)>>;

/// The rows of a shape in a block.
struct Group {
    shape: u32,
    rows: Vec<u32>,
}

impl Builder {
    pub(crate) fn new() -> io::Result<Builder> {
        Ok(Builder {
            names: Names::default(),
            packer: Packer::new()?,
            cutter: Cutter::default(),
            keys: FxHashMap::default(),
            key_bytes: 0,
            kinds: Vec::new(),
            shapes: Vec::new(),
            dictionaries: Vec::new(),
            leaf: FxHashMap::default(),
            behind: FxHashMap::default(),
            vocabulary: Vocabulary::default(),
            tallies: Tallies::default(),
            data: MAGIC.to_vec(),
            blooms: Vec::new(),
            chunks: Vec::new(),
            terms: Vec::new(),
            terms_size: 0,
            capped: 0,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Whether no further chunk has a place.
    pub(crate) fn is_full(&self) -> bool {
        self.chunks.len() >= MOST_CHUNKS
    }

    /// Bytes of raw text in its chunks.
    pub(crate) fn text(&self) -> u64 {
        self.chunks.iter().map(|c| c.text).sum()
    }

    /// Bytes that are held, about.
    pub(crate) fn size(&self) -> usize {
        let dictionaries: usize = self.dictionaries.iter().map(Dictionary::size).sum();
        self.data.len() + self.blooms.len() + self.terms_size + dictionaries + self.vocabulary.size() + self.key_bytes
    }

    /// Adds the records of a block of a source. They lie in the order of their offsets.
    pub(crate) fn add(&mut self, source: u32, block: &Block, hash: u128) -> io::Result<()> {
        if self.is_full() {
            return Err(io::Error::other("a pack has no place for another chunk"));
        }
        self.tallies.add(block, self.chunks.len());
        let number = self.chunks.len() as u32 + 1;
        let (groups, odd, spans) = self.group(block, number);
        let from = self.data.len() as u64;
        let mut words = ChunkWords::new(number);
        let mut columns: Vec<usize> = Vec::new();
        let mut body = Vec::new();
        self.common(block, &groups, &mut body, &mut columns)?;
        self.odd(block, &odd, &mut words, &mut body)?;
        columns.push(body.len());
        let joined = self.columns(block, &groups, &spans, &mut words, &mut body, &mut columns)?;
        let mut head = Vec::new();
        unsigned(block.rows.len() as u64, &mut head);
        unsigned(odd.len() as u64, &mut head);
        unsigned(groups.len() as u64, &mut head);
        for (group, joined) in groups.iter().zip(&joined) {
            unsigned(u64::from(group.shape) << 1 | u64::from(*joined), &mut head);
            unsigned(group.rows.len() as u64, &mut head);
        }
        let mut last = 0;
        for end in columns {
            unsigned((end - last) as u64, &mut head);
            last = end;
        }
        self.data.extend_from_slice(&head);
        self.data.extend_from_slice(&body);
        let filter = bloom::build(&mut words.ids);
        let meta = ChunkMeta {
            source,
            rows: block.rows.len() as u32,
            place: Span { from, length: (head.len() + body.len()) as u64 },
            head: head.len() as u32,
            bloom: Span { from: self.blooms.len() as u64, length: filter.len() as u64 },
            hash,
            first_offset: block.rows.first().map_or(0, |r| r.origin.offset),
            last_offset: block.rows.last().map_or(0, |r| r.origin.offset),
            lines: (block.rows.first().map_or(0, |r| r.origin.line), block.rows.last().map_or(0, |r| r.origin.line)),
            text: block.rows.iter().map(|r| r.text.len() as u64).sum(),
            times: times(block),
        };
        self.chunks.push(meta);
        self.blooms.extend_from_slice(&filter);
        self.terms_size += words.terms.len();
        self.terms.push(words.terms);
        Ok(())
    }

    /// Sorts rows by their shapes. Gives the groups, the rows that have none, and the variable pieces of each row.
    fn group(&mut self, block: &Block, number: u32) -> (Vec<Group>, Vec<u32>, Spans) {
        let mut kind_of = vec![u32::MAX; block.rows.len()];
        let mut spans: Spans = vec![Vec::new(); block.rows.len()];
        for finely in [true, false] {
            for (i, row) in block.rows.iter().enumerate() {
                let settled = kind_of[i] != u32::MAX && self.kinds[kind_of[i] as usize].count >= FEWEST;
                if row.odd.is_some() || settled {
                    continue;
                }
                self.cutter.cut(block, row, finely);
                kind_of[i] = self.kind(number);
                spans[i].clear();
                spans[i].extend_from_slice(&self.cutter.spans);
            }
        }
        let mut groups: Vec<Group> = Vec::new();
        let mut odd = Vec::new();
        let mut group_of: FxHashMap<u32, usize> = FxHashMap::default();
        for (i, kind) in kind_of.iter().enumerate() {
            let place = match group_of.get(kind) {
                Some(place) => Some(*place),
                None => {
                    let enough = self.kinds.get(*kind as usize).is_some_and(|k| k.count >= FEWEST);
                    let shape = if enough { self.shape(*kind, block, &block.rows[i]) } else { None };
                    shape.map(|shape| {
                        groups.push(Group { shape, rows: Vec::new() });
                        group_of.insert(*kind, groups.len() - 1);
                        groups.len() - 1
                    })
                }
            };
            match place {
                Some(place) => groups[place].rows.push(i as u32),
                None => odd.push(i as u32),
            }
        }
        (groups, odd, spans)
    }

    /// Counts the row that was cut last with its kind.
    fn kind(&mut self, number: u32) -> u32 {
        if !self.cutter.fits() {
            return u32::MAX;
        }
        let at = match self.keys.get(self.cutter.key.as_slice()) {
            Some(at) => *at,
            None if self.keys.len() >= MOST_KEYS => {
                self.capped += 1;
                return u32::MAX;
            }
            None => {
                let at = self.kinds.len() as u32;
                self.kinds.push(Kind::default());
                self.keys.insert(self.cutter.key.as_slice().into(), at);
                self.key_bytes += self.cutter.key.len() + 64;
                at
            }
        };
        let kind = &mut self.kinds[at as usize];
        if kind.block != number {
            (kind.block, kind.count) = (number, 0);
        }
        kind.count += 1;
        at
    }

    /// The shape of a kind, made of one of its rows where there is none yet.
    fn shape(&mut self, kind: u32, block: &Block, row: &Row) -> Option<u32> {
        if let Some(shape) = self.kinds[kind as usize].shape {
            return Some(shape);
        }
        if self.shapes.len() >= MOST_SHAPES {
            self.capped += 1;
            return None;
        }
        // Whichever way of cutting gives the key of the kind.
        for finely in [true, false] {
            self.cutter.cut(block, row, finely);
            if self.keys.get(self.cutter.key.as_slice()) == Some(&kind) {
                break;
            }
        }
        let (dictionaries, leaf, behind) = (&mut self.dictionaries, &mut self.leaf, &mut self.behind);
        let shape = self.cutter.shape(block, row, &mut |kept| {
            let mut new = || {
                dictionaries.push(Dictionary::default());
                dictionaries.len() as u32 - 1
            };
            match kept {
                Kept::Field(name) => *leaf.entry(name).or_insert_with(new),
                Kept::Behind(format, text) => *behind.entry((format, text.into())).or_insert_with(new),
                Kept::Alone => new(),
            }
        });
        self.shapes.push(shape);
        let number = self.shapes.len() as u32 - 1;
        self.kinds[kind as usize].shape = Some(number);
        Some(number)
    }

    /// The columns that all rows have: shape, origin, stamp, what else there is of one kind.
    fn common(&mut self, block: &Block, groups: &[Group], body: &mut Vec<u8>, ends: &mut Vec<usize>) -> io::Result<()> {
        let rows = &block.rows;
        let mut shapes = vec![groups.len() as i64; rows.len()];
        for (place, group) in (0i64..).zip(groups) {
            group.rows.iter().for_each(|row| shapes[*row as usize] = place);
        }
        let (mut end, mut line) = (0u64, 0u64);
        let (mut gaps, mut lengths, mut lines, mut counts, mut nanos) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut last = rows.iter().find_map(|r| r.stamp).map_or(0, |s| s.nanos);
        for row in rows {
            let origin = &row.origin;
            gaps.push(origin.offset.wrapping_sub(end) as i64);
            lengths.push(origin.length as i64);
            lines.push(origin.line.wrapping_sub(line) as i64);
            counts.push(i64::from(origin.lines));
            last = row.stamp.map_or(last, |s| s.nanos);
            nanos.push(last);
            end = origin.offset.wrapping_add(origin.length);
            line = origin.line.wrapping_add(u64::from(origin.lines));
        }
        let mut marks: Vec<[i64; 2]> = Vec::new();
        let mut numbers: FxHashMap<[i64; 2], u32> = FxHashMap::default();
        let mut ids = Vec::with_capacity(rows.len());
        for row in rows {
            let mark = mark(row);
            let id = *numbers.entry(mark).or_insert_with(|| {
                marks.push(mark);
                marks.len() as u32 - 1
            });
            ids.push(id);
        }
        for (values, near) in [
            (shapes, Near::Least),
            (gaps, Near::Least),
            (lengths, Near::Least),
            (lines, Near::Least),
            (counts, Near::Least),
            (nanos, Near::Before),
        ] {
            put_numbers(&values, near, &mut self.packer, body)?;
            ends.push(body.len());
        }
        unsigned(marks.len() as u64, body);
        for [a, b] in &marks {
            signed(*a, body);
            signed(*b, body);
        }
        put_ids(&ids, &mut self.packer, body)?;
        ends.push(body.len());
        Ok(())
    }

    /// The rows that have no shape, each by itself.
    fn odd(&mut self, block: &Block, odd: &[u32], words: &mut ChunkWords, body: &mut Vec<u8>) -> io::Result<()> {
        let mut raw = Vec::new();
        let mut lengths = Vec::new();
        for row in odd {
            let row = &block.rows[*row as usize];
            let from = raw.len();
            match &row.odd {
                Some(bytes) => {
                    raw.extend_from_slice(&block.odd[bytes.clone()]);
                }
                None => {
                    let record = block.record(row, &self.names);
                    encode(&record, &mut |name| self.names.find(name), &mut raw);
                }
            }
            words.add_text(block.text_of(row));
            block.beside(row).for_each(|text| words.add_text(text));
            lengths.push((raw.len() - from) as i64);
        }
        put_numbers(&lengths, Near::Least, &mut self.packer, body)?;
        self.packer.put(&raw, body)
    }

    /// The columns of the shapes. Gives for each whether words may go on from one piece of the text to the next.
    fn columns(
        &mut self,
        block: &Block,
        groups: &[Group],
        spans: &[Vec<(u32, u32)>],
        words: &mut ChunkWords,
        body: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> io::Result<Vec<bool>> {
        let shapes: Vec<Shape> = groups.iter().map(|g| self.shapes[g.shape as usize].clone()).collect();
        let known = Columns::of(shapes.iter());
        let layout = Layout::of(&known, (0u32..).zip(groups).map(|(shape, group)| (shape, group.rows.len())));
        let mut texts: Vec<Vec<&str>> = vec![Vec::new(); layout.columns.len()];
        let mut values: Vec<Vec<i64>> = vec![Vec::new(); layout.columns.len()];
        let mut joined = Vec::new();
        for (nth, (group, shape)) in (0u32..).zip(groups.iter().zip(&shapes)) {
            let rows = || group.rows.iter().map(|r| &block.rows[*r as usize]);
            let mut edges: Vec<Edges> = Vec::new();
            let mut columns = known.of_shape(nth).iter().filter_map(|column| layout.place(*column));
            let mut nth = 0;
            for atom in &shape.atoms {
                match (atom, &mut columns) {
                    (Atom::Fixed(piece), _) => edges.push(Edges::of(std::iter::once(&**piece))),
                    (Atom::Column(_), columns) => {
                        let Some(column) = columns.next() else { continue };
                        let from = texts[column].len();
                        texts[column].extend(group.rows.iter().map(|r| {
                            let (from, to) = spans[*r as usize].get(nth).copied().unwrap_or_default();
                            &block.text_of(&block.rows[*r as usize])[from as usize..to as usize]
                        }));
                        edges.push(Edges::of(texts[column][from..].iter().copied()));
                        nth += 1;
                    }
                }
            }
            for (nth, column) in columns.by_ref().take(shape.own.len()).enumerate() {
                texts[column].extend(rows().filter_map(|row| own(block, row).nth(nth)));
            }
            for (nth, column) in columns.enumerate() {
                values[column].extend(rows().filter_map(|row| numbers(block, row).nth(nth)));
            }
            let joins = edges.windows(2).any(|pair| pair[0].last && pair[1].first) || edges.iter().any(|e| e.empty) && edges.len() > 1;
            self.words_of(block, group, shape, joins, words);
            joined.push(joins);
        }
        for ((shared, texts), values) in layout.columns.iter().zip(&texts).zip(&values) {
            match shared.dictionary {
                Some(dictionary) => self.put_texts(texts, dictionary, words, body)?,
                None => put_numbers(values, Near::Least, &mut self.packer, body)?,
            }
            ends.push(body.len());
        }
        Ok(joined)
    }

    /// The words of a shape's records that are not those of its columns.
    fn words_of(&mut self, block: &Block, group: &Group, shape: &Shape, joins: bool, words: &mut ChunkWords) {
        if joins {
            for row in group.rows.iter().map(|r| &block.rows[*r as usize]) {
                words.add_text(block.text_of(row));
                block.beside(row).for_each(|text| words.add_text(text));
            }
            return;
        }
        let mut numbers = Vec::new();
        for atom in &shape.atoms {
            if let Atom::Fixed(piece) = atom {
                self.vocabulary.number(piece, &mut numbers);
            }
        }
        words.add_numbers(&numbers, &mut self.vocabulary);
    }

    fn put_texts(&mut self, texts: &[&str], dictionary: u32, words: &mut ChunkWords, body: &mut Vec<u8>) -> io::Result<()> {
        const MOST: usize = 12 << 20;
        let chunk = self.chunks.len();
        let Some(dictionary) = self.dictionaries.get_mut(dictionary as usize) else { return Ok(()) };
        if dictionary.size() > MOST {
            dictionary.close();
        }
        match dictionary.ids(texts, &mut self.vocabulary) {
            Some(ids) => {
                for id in &ids {
                    let chunks = &mut dictionary.chunks[*id as usize];
                    if *chunks >> chunk & 1 == 0 {
                        *chunks |= 1 << chunk;
                        words.add_numbers(dictionary.words_of(*id), &mut self.vocabulary);
                    }
                }
                put_ids(&ids, &mut self.packer, body)
            }
            None => {
                for text in texts {
                    let known = &mut dictionary.known;
                    words.add_text_of(text, &mut |hash| {
                        known.insert(hash);
                    });
                    dictionary.bytes.add(text);
                }
                put_plain(texts, &mut self.packer, body)
            }
        }
    }

    /// Completes the pack.
    pub(crate) fn finish(mut self) -> io::Result<Built> {
        let mut bytes = std::mem::take(&mut self.data);
        let blooms = Span { from: bytes.len() as u64, length: self.blooms.len() as u64 };
        bytes.extend_from_slice(&self.blooms);
        let mut listed = Vec::new();
        for dictionary in &self.dictionaries {
            let from = bytes.len() as u64;
            entries::write(dictionary.text(), dictionary.ends(), &mut self.packer, &mut bytes)?;
            let place = Span { from, length: bytes.len() as u64 - from };
            let texts = Span { from: bytes.len() as u64, length: dictionary.text().len() as u64 };
            bytes.extend_from_slice(dictionary.text().as_bytes());
            let filter = bloom::build(&mut dictionary.known.iter().copied().collect());
            let words = Span { from: bytes.len() as u64, length: filter.len() as u64 };
            bytes.extend_from_slice(&filter);
            listed.push(Listed { place, texts, words, count: dictionary.len() as u32, bytes: dictionary.bytes });
        }
        let footer = Footer {
            names: self.names,
            shapes: self.shapes,
            dictionaries: listed,
            chunks: self.chunks,
            blooms,
            odd: self.tallies.odd,
            tallies: self.tallies.finish(),
            sums: sums(&bytes),
        };
        let raw = footer.write();
        let from = bytes.len();
        self.packer.put(&raw, &mut bytes)?;
        let (length, hash) = ((bytes.len() - from) as u64, xxh3_64(&bytes[from..]));
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&hash.to_le_bytes());
        bytes.extend_from_slice(MAGIC);
        Ok(Built { bytes, chunks: footer.chunks, terms: self.terms, capped: self.capped })
    }
}
