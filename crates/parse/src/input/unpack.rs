//! Unpacking streams: gzip, zstd, bzip2, xz and lz4, with any number of members, frames or streams in a row. What a stream is
//! shows in its first bytes; names are not trusted.

use super::limit::{Guard, Meter, XZ_MEMORY, Yield};
use std::io::{self, BufRead, BufReader, Read};

/// Bytes that are looked at to tell what a stream is; a tar archive shows it at byte 257.
pub const LOOK: usize = 512;
const BUFFER: usize = 128 * 1024;

/// A way of packing one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// bzip2.
    Bzip2,
    /// The .xz file format.
    Xz,
    /// The LZ4 frame format.
    Lz4,
}

impl Packing {
    /// The packing of a stream that begins with `head`.
    pub fn of(head: &[u8]) -> Option<Packing> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Some(Packing::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Packing::Zstd),
            // Level, then the mark of the first block, or of the end of an empty stream.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Packing::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Some(Packing::Xz),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Packing::Lz4),
            _ => None,
        }
    }
}

/// A stream whose first bytes were looked at.
pub struct Looked<R> {
    /// Its first bytes, at most [`LOOK`].
    pub head: Vec<u8>,
    at: usize,
    /// The error that ended the look; it is given once more behind the first bytes, and for ever after.
    error: Option<io::Error>,
    rest: R,
}

/// Looks at the first bytes of a stream.
pub fn look<R: Read>(mut reader: R) -> Looked<R> {
    let mut head = Vec::with_capacity(LOOK);
    let error = reader.by_ref().take(LOOK as u64).read_to_end(&mut head).err();
    Looked { head, at: 0, error, rest: reader }
}

impl<R: Read> Read for Looked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at < self.head.len() {
            let n = (&self.head[self.at..]).read(into)?;
            self.at += n;
            return Ok(n);
        }
        if let Some(error) = &self.error {
            return Err(again(error));
        }
        let done = self.rest.read(into);
        if let Err(error) = &done
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.error = Some(again(error));
        }
        done
    }
}

/// The same error once more: what is damaged stays damaged, also for a library that would go on behind the damage.
fn again(error: &io::Error) -> io::Error {
    match error.get_ref() {
        Some(inner) => io::Error::new(error.kind(), inner.to_string()),
        None => error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error),
    }
}

/// The bytes of a stream, unpacked.
pub fn unpack<'a>(packing: Packing, reader: impl Read + 'a, meter: &Meter, out: &Yield) -> io::Result<Box<dyn Read + 'a>> {
    let buffered = BufReader::with_capacity(BUFFER, reader);
    let unpacked: Box<dyn Read + 'a> = match packing {
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered)),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(buffered)?),
        Packing::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered)),
        Packing::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(buffered, stream))
        }
        Packing::Lz4 => Box::new(Frames { decoder: lz4_flex::frame::FrameDecoder::new(buffered) }),
    };
    Ok(Box::new(Guard::new(unpacked, meter.clone(), out.clone())))
}

/// LZ4 frames in a row.
struct Frames<R: Read> {
    decoder: lz4_flex::frame::FrameDecoder<R>,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.decoder.read(into)?;
            if n > 0 || into.is_empty() || self.decoder.get_mut().fill_buf()?.is_empty() {
                return Ok(n);
            }
        }
    }
}
