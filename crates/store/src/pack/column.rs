//! Columns: many values of one kind, packed together. Numbers lie byte by byte, the lowest bytes of all of them first, so that what
//! they have in common stands together when they are compressed.

use super::lengths::Lengths;
use super::plain::Plain;
use super::planes::{Numbers, Planes};
use super::rooms::Room;
use crate::bytes::{Reader, signed, unsigned};
use std::io;

/// Longest text of one column or dictionary that is read, in bytes: more than any block of a log has.
const LONGEST: usize = 256 << 20;
const LEVEL: i32 = 3;
/// Columns are compressed where that makes them so many times shorter: reading them as they are is much faster.
const WORTH_UNPACKING: usize = 8;
/// Below this many bytes compressing costs more than it saves.
const WORTH: usize = 48;

/// Compresses.
pub(crate) struct Packer(zstd::bulk::Compressor<'static>);

impl Packer {
    pub(crate) fn new() -> io::Result<Packer> {
        let mut packer = zstd::bulk::Compressor::new(LEVEL)?;
        packer.include_checksum(false)?;
        packer.include_contentsize(false)?;
        Ok(Packer(packer))
    }

    /// Writes bytes, compressed where that is shorter.
    pub(crate) fn put(&mut self, raw: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.put_if(raw, 1, out)
    }

    /// Writes bytes, compressed where that makes them so many times shorter: reading them as they are is faster.
    fn put_if(&mut self, raw: &[u8], times: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let packed = if raw.len() < WORTH { None } else { Some(self.0.compress(raw)?).filter(|p| (p.len() + 4) * times < raw.len()) };
        unsigned((raw.len() as u64) << 1 | u64::from(packed.is_some()), out);
        match packed {
            Some(packed) => {
                unsigned(packed.len() as u64, out);
                out.extend_from_slice(&packed);
            }
            None => out.extend_from_slice(raw),
        }
        Ok(())
    }
}

/// Reads what [`Packer::put`] wrote.
pub(crate) fn unpack(from: &mut Reader<'_>) -> Option<Vec<u8>> {
    let head = from.unsigned()?;
    let length = usize::try_from(head >> 1).ok().filter(|n| *n <= LONGEST)?;
    if head & 1 == 0 {
        return from.bytes(length).map(<[u8]>::to_vec);
    }
    let count = from.count()?;
    let packed = from.bytes(count)?;
    thread_local! {
        static UNPACKER: std::cell::RefCell<Option<zstd::bulk::Decompressor<'static>>> =
            std::cell::RefCell::new(zstd::bulk::Decompressor::new().ok());
    }
    let raw = UNPACKER.with(|u| u.try_borrow_mut().ok()?.as_mut()?.decompress(packed, length).ok())?;
    (raw.len() == length).then_some(raw)
}

/// How numbers are brought near to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Near {
    /// By what the smallest of them is.
    Least,
    /// By the one before.
    Before,
}

const SCALES: [u64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

fn zigzag(n: i64) -> u64 {
    (n << 1 ^ n >> 63) as u64
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

/// Writes numbers. How many there are is known to whoever reads them.
pub(crate) fn put_numbers(values: &[i64], near: Near, packer: &mut Packer, out: &mut Vec<u8>) -> io::Result<()> {
    let base = match near {
        Near::Least => values.iter().copied().min(),
        Near::Before => values.first().copied(),
    };
    let base = base.unwrap_or(0);
    let mut steps: Vec<i64> = match near {
        Near::Least => values.iter().map(|v| v.wrapping_sub(base)).collect(),
        Near::Before => values.iter().scan(base, |last, v| Some(v.wrapping_sub(std::mem::replace(last, *v)))).collect(),
    };
    let divides = |scale: u64| match near {
        Near::Least => steps.iter().all(|s| (*s as u64).is_multiple_of(scale)),
        Near::Before => steps.iter().all(|s| s % scale as i64 == 0),
    };
    let scale = (0..SCALES.len()).rev().find(|i| divides(SCALES[*i])).unwrap_or(0);
    let small: Vec<u64> = steps
        .drain(..)
        .map(|s| match near {
            Near::Least => s as u64 / SCALES[scale],
            Near::Before => zigzag(s / SCALES[scale] as i64),
        })
        .collect();
    let most = small.iter().copied().max().unwrap_or(0);
    let width = (64 - most.leading_zeros()).div_ceil(8) as u8;
    out.push(width | u8::from(near == Near::Before) << 4 | (scale as u8) << 5);
    signed(base, out);
    put_planes(&small, width, packer, out)
}

fn put_planes(values: &[u64], width: u8, packer: &mut Packer, out: &mut Vec<u8>) -> io::Result<()> {
    if width == 0 {
        return Ok(());
    }
    let mut raw = Vec::with_capacity(values.len() * usize::from(width));
    for plane in 0..width {
        raw.extend(values.iter().map(|v| (v >> (8 * plane)) as u8));
    }
    packer.put_if(&raw, WORTH_UNPACKING, out)
}

/// Reads numbers of so many bytes.
fn planes(from: &mut Reader<'_>, count: usize, width: u8) -> Option<Planes> {
    let raw = if width == 0 { Vec::new() } else { unpack(from)? };
    Planes::new(raw, count, usize::from(width))
}

/// Reads so many numbers that lie near to the least of them.
pub(crate) fn spread_numbers(from: &mut Reader<'_>, count: usize) -> Option<Numbers> {
    let head = from.byte()?;
    let (width, scale) = (head & 15, *SCALES.get(usize::from(head >> 5))?);
    let base = from.signed()?;
    (head & 16 == 0).then_some(Numbers { planes: planes(from, count, width)?, base, scale })
}

/// Reads so many numbers, and unpacks them.
pub(crate) fn numbers(from: &mut Reader<'_>, count: usize) -> Option<Vec<i64>> {
    let head = from.byte()?;
    let (width, scale) = (head & 15, *SCALES.get(usize::from(head >> 5))?);
    let base = from.signed()?;
    let planes = planes(from, count, width)?;
    let mut values = Vec::with_capacity(count);
    if head & 16 == 0 {
        planes.each(|_, s| values.push(base.wrapping_add(s.wrapping_mul(scale) as i64)));
        return Some(values);
    }
    let mut last = base;
    planes.each(|_, s| {
        last = last.wrapping_add(unzigzag(s).wrapping_mul(scale as i64));
        values.push(last);
    });
    Some(values)
}

/// Reads the lengths of so many things that lie one after the other.
pub(crate) fn lengths(from: &mut Reader<'_>, count: usize) -> Option<Lengths> {
    Lengths::new(spread_numbers(from, count)?, count)
}

const CONST: u8 = 0;
const IDS: u8 = 1;
const PLAIN: u8 = 2;
const HEX: u8 = 3;
const DECIMAL: u8 = 4;

/// Texts of one column, as they are read.
#[derive(Debug)]
pub(crate) enum Texts {
    /// One entry of the dictionary for all.
    Const(u32),
    /// Entries of the dictionary.
    Ids(Planes),
    /// The texts themselves.
    Plain(Plain),
}

/// Writes numbers of entries of a dictionary.
pub(crate) fn put_ids(ids: &[u32], packer: &mut Packer, out: &mut Vec<u8>) -> io::Result<()> {
    let first = ids.first().copied().unwrap_or(0);
    if ids.iter().all(|id| *id == first) {
        out.push(CONST);
        unsigned(u64::from(first), out);
        return Ok(());
    }
    out.push(IDS);
    let wide: Vec<u64> = ids.iter().map(|id| u64::from(*id)).collect();
    let most = wide.iter().copied().max().unwrap_or(0);
    let width = (64 - most.leading_zeros()).div_ceil(8) as u8;
    out.push(width);
    put_planes(&wide, width, packer, out)
}

/// Writes texts as they are.
pub(crate) fn put_plain(texts: &[&str], packer: &mut Packer, out: &mut Vec<u8>) -> io::Result<()> {
    if let Some(width) = hex_width(texts) {
        out.push(HEX);
        unsigned(width as u64, out);
        let digit = |b: u8| if b <= b'9' { b - b'0' } else { b - b'a' + 10 };
        out.extend(texts.iter().flat_map(|t| t.as_bytes().chunks_exact(2).map(move |d| digit(d[0]) << 4 | digit(d[1]))));
        return Ok(());
    }
    if let Some(numbers) = texts.iter().map(|t| decimal(t)).collect::<Option<Vec<i64>>>() {
        out.push(DECIMAL);
        return put_numbers(&numbers, Near::Least, packer, out);
    }
    out.push(PLAIN);
    let lengths: Vec<i64> = texts.iter().map(|t| t.len() as i64).collect();
    put_numbers(&lengths, Near::Least, packer, out)?;
    packer.put_if(texts.concat().as_bytes(), WORTH_UNPACKING, out)
}

fn hex_width(texts: &[&str]) -> Option<usize> {
    let width = texts.first()?.len();
    let fits = |t: &&str| t.len() == width && t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (width >= 8 && width.is_multiple_of(2) && texts.iter().all(fits)).then_some(width)
}

/// A number that is written in no other way than this text.
fn decimal(text: &str) -> Option<i64> {
    let plain =
        !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// Reads so many texts, which have all of some bytes.
pub(crate) fn texts(raw: Room, count: usize) -> Option<Texts> {
    let from = &mut Reader { rest: &raw };
    Some(match from.byte()? {
        CONST => Texts::Const(from.small()?),
        IDS => Texts::Ids(ids(from, count)?),
        HEX => {
            let width = from.length().filter(|width| width.is_multiple_of(2))? / 2;
            let bytes = from.bytes(width.checked_mul(count)?)?.to_vec();
            Texts::Plain(Plain::hex(bytes, width, count)?)
        }
        DECIMAL => Texts::Plain(Plain::decimal(spread_numbers(from, count)?, count)),
        PLAIN => {
            let lengths = lengths(from, count)?;
            let (head, mut ahead) = (raw.len() - from.rest.len(), Reader { rest: from.rest });
            let length = ahead.unsigned()?;
            // What is not compressed stays where it is.
            if length & 1 == 0 && usize::try_from(length >> 1).ok()? == ahead.rest.len() {
                let begin = head + (from.rest.len() - ahead.rest.len());
                Texts::Plain(Plain::texts(raw, begin, lengths)?)
            } else {
                Texts::Plain(Plain::texts(unpack(from)?.into(), 0, lengths)?)
            }
        }
        _ => return None,
    })
}

fn ids(from: &mut Reader<'_>, count: usize) -> Option<Planes> {
    let width = from.byte()?;
    if width <= 4 { planes(from, count, width) } else { None }
}

/// Reads which of a few things each of so many has.
pub(crate) fn choices(from: &mut Reader<'_>, count: usize) -> Option<Vec<u32>> {
    Some(match from.byte()? {
        CONST => vec![from.small()?; count],
        IDS => {
            let mut all = Vec::with_capacity(count);
            ids(from, count)?.each(|_, id| all.push(id as u32));
            all
        }
        _ => return None,
    })
}

/// The text of a number in a list of texts that stand one after the other.
pub(crate) fn nth<'t>(text: &'t str, ends: &[u32], n: usize) -> Option<&'t str> {
    let to = *ends.get(n)? as usize;
    let from = if n == 0 { 0 } else { *ends.get(n - 1)? as usize };
    text.get(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(values: &[i64], near: Near) -> Vec<i64> {
        let mut out = Vec::new();
        put_numbers(values, near, &mut Packer::new().unwrap(), &mut out).unwrap();
        numbers(&mut Reader { rest: &out }, values.len()).unwrap()
    }

    #[test]
    fn numbers_there_and_back() {
        let many: Vec<i64> = (0..5000).map(|i| 1_700_000_000_000_000_000 + i / 7 * 1_000_000_000).collect();
        for values in [vec![], vec![5], vec![7; 100], vec![i64::MIN, i64::MAX, 0, -1], vec![-3000, 0, 9000], many] {
            assert_eq!(through(&values, Near::Least), values);
            assert_eq!(through(&values, Near::Before), values);
        }
    }

    #[test]
    fn texts_there_and_back() {
        let hex: Vec<String> = (0..200u64).map(|i| format!("{:032x}", u128::from(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)))).collect();
        for list in
            [vec!["0", "17", "123456789012345678"], vec!["00", "1"], vec!["", "größe", "a"], hex.iter().map(String::as_str).collect()]
        {
            let mut out = Vec::new();
            put_plain(&list, &mut Packer::new().unwrap(), &mut out).unwrap();
            let Texts::Plain(found) = texts(out.clone().into(), list.len()).unwrap() else { panic!() };
            assert_eq!((0..list.len()).map(|i| found.get(i).unwrap()).collect::<Vec<_>>(), list);
            for cut in 0..out.len() {
                let _ = texts(out[..cut].to_vec().into(), list.len());
            }
        }
        for ids in [vec![3, 3, 3], vec![0, 70_000, 5, 1 << 30]] {
            let mut out = Vec::new();
            put_ids(&ids, &mut Packer::new().unwrap(), &mut out).unwrap();
            match texts(out.into(), ids.len()).unwrap() {
                Texts::Const(id) => assert!(ids.iter().all(|i| *i == id)),
                Texts::Ids(found) => {
                    let found: Vec<u32> = (0..ids.len()).map(|n| found.get(n).unwrap() as u32).collect();
                    assert_eq!(found, ids);
                }
                Texts::Plain(_) => panic!(),
            }
        }
    }
}
