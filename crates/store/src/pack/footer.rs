//! The footer of a pack: what is in it, and where.

use super::dictionary::ByteSet;
use super::shape::Shape;
use super::tally::Tally;
use crate::bytes::{Reader, signed, text, unsigned};
use crate::names::Names;

/// A stretch of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) length: u64,
}

/// What is known of a chunk without reading it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChunkMeta {
    pub(crate) source: u32,
    pub(crate) rows: u32,
    pub(crate) place: Span,
    /// Length of its head.
    pub(crate) head: u32,
    /// Its filter, within those of the pack.
    pub(crate) bloom: Span,
    /// Hash over everything that its records hold.
    pub(crate) hash: u128,
    pub(crate) first_offset: u64,
    pub(crate) last_offset: u64,
    /// Number of the first line of its first and its last record.
    pub(crate) lines: (u64, u64),
    /// Bytes of raw text.
    pub(crate) text: u64,
    /// For each form of stamps the first and the last; form 0 stands for records without any.
    pub(crate) times: Vec<(u8, i64, i64)>,
}

/// Where a dictionary lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    /// The lengths of its texts, and its outlines.
    pub(crate) place: Span,
    /// Its texts, one after the other as they are.
    pub(crate) texts: Span,
    /// A filter over the words of its entries, and those of other texts of the column that are not like ids.
    pub(crate) words: Span,
    pub(crate) count: u32,
    /// Bytes that occur in the column, in the dictionary or without.
    pub(crate) bytes: ByteSet,
}

pub(crate) struct Footer {
    pub(crate) names: Names,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) dictionaries: Vec<Listed>,
    pub(crate) chunks: Vec<ChunkMeta>,
    pub(crate) blooms: Span,
    pub(crate) tallies: Vec<Tally>,
    /// Chunks with records whose fields are not in the tallies.
    pub(crate) odd: u64,
    /// Sums over the pages of what stands before.
    pub(crate) sums: Vec<u32>,
}

fn write_span(span: Span, out: &mut Vec<u8>) {
    unsigned(span.from, out);
    unsigned(span.length, out);
}

fn read_span(from: &mut Reader<'_>) -> Option<Span> {
    Some(Span { from: from.unsigned()?, length: from.unsigned()? })
}

impl Footer {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let names = self.names.list();
        unsigned(names.len() as u64, &mut out);
        names.iter().for_each(|name| text(name, &mut out));
        unsigned(self.shapes.len() as u64, &mut out);
        self.shapes.iter().for_each(|shape| shape.write(&mut out));
        unsigned(self.dictionaries.len() as u64, &mut out);
        for listed in &self.dictionaries {
            write_span(listed.place, &mut out);
            write_span(listed.texts, &mut out);
            write_span(listed.words, &mut out);
            unsigned(u64::from(listed.count), &mut out);
            listed.bytes.0.iter().for_each(|bits| out.extend_from_slice(&bits.to_le_bytes()));
        }
        unsigned(self.chunks.len() as u64, &mut out);
        for chunk in &self.chunks {
            unsigned(u64::from(chunk.source), &mut out);
            unsigned(u64::from(chunk.rows), &mut out);
            write_span(chunk.place, &mut out);
            unsigned(u64::from(chunk.head), &mut out);
            write_span(chunk.bloom, &mut out);
            out.extend_from_slice(&chunk.hash.to_le_bytes());
            unsigned(chunk.first_offset, &mut out);
            unsigned(chunk.last_offset, &mut out);
            unsigned(chunk.lines.0, &mut out);
            unsigned(chunk.lines.1, &mut out);
            unsigned(chunk.text, &mut out);
            unsigned(chunk.times.len() as u64, &mut out);
            for (form, from, to) in &chunk.times {
                out.push(*form);
                signed(*from, &mut out);
                signed(*to, &mut out);
            }
        }
        write_span(self.blooms, &mut out);
        unsigned(self.tallies.len() as u64, &mut out);
        self.tallies.iter().for_each(|tally| tally.write(&mut out));
        unsigned(self.odd, &mut out);
        unsigned(self.sums.len() as u64, &mut out);
        self.sums.iter().for_each(|sum| out.extend_from_slice(&sum.to_le_bytes()));
        out
    }

    pub(crate) fn read(raw: &[u8]) -> Option<Footer> {
        let from = &mut Reader { rest: raw };
        let names = (0..from.count()?).map(|_| from.text().map(String::from)).collect::<Option<Vec<_>>>()?;
        let shapes = (0..from.count()?).map(|_| Shape::read(from)).collect::<Option<Vec<_>>>()?;
        let dictionaries = (0..from.count()?).map(|_| {
            let (place, texts, words, count) = (read_span(from)?, read_span(from)?, read_span(from)?, from.small()?);
            let mut bytes = ByteSet::default();
            for bits in &mut bytes.0 {
                *bits = u64::from_le_bytes(from.bytes(8)?.try_into().ok()?);
            }
            Some(Listed { place, texts, words, count, bytes })
        });
        let dictionaries = dictionaries.collect::<Option<Vec<_>>>()?;
        if shapes.iter().any(|s| s.dictionaries().any(|d| d as usize >= dictionaries.len())) {
            return None;
        }
        let chunks = (0..from.count()?).map(|_| {
            let (source, rows, place, head, bloom) = (from.small()?, from.small()?, read_span(from)?, from.small()?, read_span(from)?);
            let hash = u128::from_le_bytes(from.bytes(16)?.try_into().ok()?);
            let (first_offset, last_offset) = (from.unsigned()?, from.unsigned()?);
            let (lines, text) = ((from.unsigned()?, from.unsigned()?), from.unsigned()?);
            let times = (0..from.count()?).map(|_| Some((from.byte()?, from.signed()?, from.signed()?))).collect::<Option<Vec<_>>>()?;
            Some(ChunkMeta { source, rows, place, head, bloom, hash, first_offset, last_offset, lines, text, times })
        });
        let chunks = chunks.collect::<Option<Vec<_>>>()?;
        let blooms = read_span(from)?;
        let tallies = (0..from.count()?).map(|_| Tally::read(from)).collect::<Option<Vec<_>>>()?;
        let odd = from.unsigned()?;
        let sums = (0..from.count()?).map(|_| Some(u32::from_le_bytes(from.bytes(4)?.try_into().ok()?))).collect::<Option<Vec<_>>>()?;
        let footer = Footer { names: Names::new(names), shapes, dictionaries, chunks, blooms, tallies, odd, sums };
        from.rest.is_empty().then_some(footer)
    }
}
