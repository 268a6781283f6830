//! Tar archives, read as a stream: old (v7), ustar, GNU and pax.
//!
//! The `tar` crate knows the layout of headers. The stream is walked here, since what stands in extended headers must be
//! bounded before it is read, and since a damaged archive must give what stood before the damage.

use std::io::{self, Read};
use std::ops::ControlFlow;
use tar::{EntryType, GnuExtSparseHeader, GnuSparseHeader, Header, PaxExtensions};

const BLOCK: usize = 512;
/// Extended headers longer than this are damage or malice: a path has 4 kB at most, so a pax header has little more.
const LONGEST_EXTENSION: u64 = 1 << 20;
/// Pieces of a sparse file that are kept apart.
const MOST_PIECES: usize = 1 << 16;

/// Offset and length of the pieces of a sparse file that are there.
type Pieces = Vec<(u64, u64)>;

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// A file.
    File,
    /// A hard link to a member with this name.
    Hard(String),
    /// A symbolic link with this target.
    Symbolic(String),
    /// A device, a pipe, or what nobody knows.
    Other,
}

/// One member.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, as written.
    pub name: String,
    /// What it is.
    pub member: Member,
    /// When it was changed (seconds since 1970), 0 as unknown.
    pub modified: Option<i64>,
}

/// Whether a stream that begins with these bytes is a tar archive: its first header has a right checksum.
pub fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..BLOCK) else { return false };
    block.first() != Some(&0) && header(block).is_some()
}

fn header(block: &[u8]) -> Option<&Header> {
    let header = Header::from_byte_slice(block);
    // The checksum is taken with blanks in its own place.
    let sum: u32 = block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
    (header.cksum().ok()? == sum).then_some(header)
}

/// Walks the members of an archive in their order. `visit` gets each with its bytes, of which it may leave some unread.
/// Folders are left out.
pub fn walk(reader: &mut dyn Read, visit: &mut dyn FnMut(Entry, &mut dyn Read) -> ControlFlow<()>) -> io::Result<()> {
    let mut extended = Extended::default();
    let mut block = [0u8; BLOCK];
    loop {
        match fill(reader, &mut block)? {
            0 => return Ok(()),
            BLOCK => {}
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        if block.iter().all(|b| *b == 0) {
            // The end. What stands behind is padding, and is read so that a damaged packing shows.
            io::copy(reader, &mut io::sink())?;
            return Ok(());
        }
        let Some(head) = header(&block) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a header of the tar archive is damaged; nothing behind it can be found",
            ));
        };
        let kind = head.entry_type();
        let size = head.entry_size()?;
        if kind.is_pax_global_extensions() {
            skip(reader, padded(size)?)?;
        } else if kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions() {
            extended.take(kind, &extension(reader, size)?)?;
        } else if member(reader, head, std::mem::take(&mut extended), visit)?.is_break() {
            return Ok(());
        }
    }
}

/// What extended headers say of the member behind them.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<i64>,
    /// GNU's sparse files in pax: their name, the size of the whole, and the pieces that are there.
    sparse_name: Option<Vec<u8>>,
    real: Option<u64>,
    pieces: Vec<u64>,
    map_in_front: bool,
}

impl Extended {
    fn take(&mut self, kind: EntryType, bytes: &[u8]) -> io::Result<()> {
        let text = || bytes.split(|b| *b == 0).next().unwrap_or_default().to_vec();
        if kind.is_gnu_longname() {
            self.name = Some(text());
        } else if kind.is_gnu_longlink() {
            self.link = Some(text());
        } else {
            for extension in PaxExtensions::new(bytes) {
                let extension = extension?;
                self.pax(extension.key_bytes(), extension.value_bytes());
            }
        }
        Ok(())
    }

    fn pax(&mut self, key: &[u8], value: &[u8]) {
        let number = || std::str::from_utf8(value).ok().and_then(|v| v.trim().parse::<u64>().ok());
        match key {
            b"path" => self.name = Some(value.to_vec()),
            b"GNU.sparse.name" => self.sparse_name = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = number(),
            b"mtime" => self.modified = std::str::from_utf8(value).ok().and_then(|v| v.split('.').next()?.parse().ok()),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.real = number(),
            b"GNU.sparse.major" => self.map_in_front = value == b"1",
            b"GNU.sparse.map" => {
                let text = String::from_utf8_lossy(value);
                self.pieces = text.split(',').filter_map(|n| n.parse().ok()).take(2 * MOST_PIECES).collect();
            }
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" if self.pieces.len() < 2 * MOST_PIECES => self.pieces.extend(number()),
            _ => {}
        }
    }
}

fn member(
    reader: &mut dyn Read,
    head: &Header,
    extended: Extended,
    visit: &mut dyn FnMut(Entry, &mut dyn Read) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let kind = head.entry_type();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let name = extended.sparse_name.or(extended.name).as_deref().map_or_else(|| text(&head.path_bytes()), text);
    let link = extended.link.as_deref().map(text).or_else(|| head.link_name_bytes().map(|b| text(&b))).unwrap_or_default();
    let modified = extended.modified.or_else(|| head.mtime().ok().and_then(|t| i64::try_from(t).ok())).filter(|t| *t > 0);
    let size = extended.size.map_or_else(|| head.entry_size(), Ok)?;
    let mut pieces = pairs(&extended.pieces);
    let mut real = extended.real;
    if kind.is_gnu_sparse() {
        (pieces, real) = gnu_sparse(reader, head)?;
    }
    let member = match kind {
        EntryType::Directory => None,
        // A v7 archive marks folders by their names only.
        EntryType::Regular if name.ends_with('/') => None,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Some(Member::File),
        EntryType::Link => Some(Member::Hard(link)),
        EntryType::Symlink => Some(Member::Symbolic(link)),
        _ => Some(Member::Other),
    };
    let mut rest = Rest { reader, left: size, cut: false };
    let mut flow = ControlFlow::Continue(());
    if let Some(member) = member {
        let entry = Entry { name, member, modified };
        if extended.map_in_front {
            pieces = map_in_front(&mut rest)?;
        }
        flow = match real.filter(|_| !pieces.is_empty() || kind.is_gnu_sparse() || extended.map_in_front) {
            Some(real) => visit(entry, &mut Sparse { data: &mut rest, pieces, at: 0, real, next: 0 }),
            None => visit(entry, &mut rest),
        };
    }
    if flow.is_break() {
        return Ok(flow);
    }
    let (left, cut) = (rest.left, rest.cut);
    if cut {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
    skip(reader, left)?;
    skip(reader, padding)?;
    Ok(flow)
}

/// What is left of a member's bytes.
struct Rest<'a> {
    reader: &'a mut dyn Read,
    left: u64,
    /// The archive ended before the member did.
    cut: bool,
}

impl Read for Rest<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        if most == 0 {
            return Ok(0);
        }
        let n = self.reader.read(&mut into[..most])?;
        if n == 0 {
            self.cut = true;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= n as u64;
        Ok(n)
    }
}

/// A sparse file as it was: its holes are zeros.
struct Sparse<'a, 'b> {
    data: &'a mut Rest<'b>,
    pieces: Pieces,
    next: usize,
    at: u64,
    real: u64,
}

impl Read for Sparse<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some((offset, length)) = self.pieces.get(self.next).copied() {
            let end = offset.saturating_add(length).min(self.real);
            if self.at >= end {
                self.next += 1;
                continue;
            }
            if self.at < offset {
                return Ok(self.zeros(into, offset));
            }
            let most = usize::try_from(end - self.at).unwrap_or(usize::MAX).min(into.len());
            let n = self.data.read(&mut into[..most])?;
            self.at += n as u64;
            return Ok(n);
        }
        Ok(self.zeros(into, self.real))
    }
}

impl Sparse<'_, '_> {
    fn zeros(&mut self, into: &mut [u8], end: u64) -> usize {
        let n = usize::try_from(end.min(self.real).saturating_sub(self.at)).unwrap_or(usize::MAX).min(into.len());
        into[..n].fill(0);
        self.at += n as u64;
        n
    }
}

fn pairs(numbers: &[u64]) -> Pieces {
    numbers.chunks_exact(2).map(|p| (p[0], p[1])).collect()
}

/// The pieces of a sparse file of old GNU archives: four in the header, more in blocks behind it.
fn gnu_sparse(reader: &mut dyn Read, head: &Header) -> io::Result<(Pieces, Option<u64>)> {
    let Some(gnu) = head.as_gnu() else { return Ok((Vec::new(), None)) };
    let mut pieces = Vec::new();
    let mut add = |list: &[GnuSparseHeader]| -> io::Result<()> {
        for piece in list.iter().filter(|p| !p.is_empty()) {
            if pieces.len() < MOST_PIECES {
                pieces.push((piece.offset()?, piece.length()?));
            }
        }
        Ok(())
    };
    add(&gnu.sparse)?;
    let mut more = gnu.is_extended();
    while more {
        let mut block = GnuExtSparseHeader::new();
        reader.read_exact(block.as_mut_bytes())?;
        add(block.sparse())?;
        more = block.is_extended();
    }
    Ok((pieces, Some(gnu.real_size()?)))
}

/// The pieces of a sparse file of pax archives (GNU's version 1.0): numbers in lines before the data, filled up to a block.
fn map_in_front(rest: &mut Rest<'_>) -> io::Result<Pieces> {
    let mut numbers: Vec<u64> = Vec::new();
    let mut digits = String::new();
    let mut wanted = None;
    loop {
        let mut block = [0u8; BLOCK];
        rest.read_exact(&mut block)?;
        for byte in block {
            match byte {
                b'\n' => {
                    let number = digits.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
                    digits.clear();
                    match wanted {
                        None => wanted = Some(number as usize),
                        Some(_) => numbers.push(number),
                    }
                    if wanted.is_some_and(|w| w > MOST_PIECES || numbers.len() >= 2 * w) {
                        return Ok(pairs(&numbers));
                    }
                }
                b'0'..=b'9' if digits.len() < 20 => digits.push(byte as char),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }
}

fn padded(size: u64) -> io::Result<u64> {
    size.checked_next_multiple_of(BLOCK as u64).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn extension(reader: &mut dyn Read, size: u64) -> io::Result<Vec<u8>> {
    if size > LONGEST_EXTENSION {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "an extended header of the tar archive is longer than 1 MB"));
    }
    let mut bytes = vec![0; padded(size)? as usize];
    reader.read_exact(&mut bytes)?;
    bytes.truncate(size as usize);
    Ok(bytes)
}

fn skip(reader: &mut dyn Read, bytes: u64) -> io::Result<()> {
    if io::copy(&mut reader.take(bytes), &mut io::sink())? < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Reads until the block is full or the stream ends.
fn fill(reader: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < block.len() {
        match reader.read(&mut block[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}
