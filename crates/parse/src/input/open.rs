//! Opening an input: the bytes of a file, unpacked.

use super::{Input, Place};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

const BUFFER: usize = 128 * 1024;

/// Opens an input for reading, unpacking gzip (also several members in a row) and zstd (also several frames). What a file is
/// shows in its first bytes; names are not trusted.
pub fn open(input: &Input) -> io::Result<Box<dyn Read + Send>> {
    match &input.place {
        Place::Stdin => unpack(BufReader::with_capacity(BUFFER, io::stdin())),
        Place::Memory(bytes) => unpack(BufReader::with_capacity(BUFFER, Shared { bytes: bytes.clone(), at: 0 })),
        Place::File(path) | Place::Stream(path) => unpack(BufReader::with_capacity(BUFFER, File::open(path)?)),
    }
}

struct Shared {
    bytes: std::sync::Arc<Vec<u8>>,
    at: usize,
}

impl Read for Shared {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.get(self.at..).map_or(Ok(0), |mut rest| rest.read(into))?;
        self.at += n;
        Ok(n)
    }
}

fn unpack<R: Read + Send + 'static>(mut reader: BufReader<R>) -> io::Result<Box<dyn Read + Send>> {
    let head = reader.fill_buf()?;
    Ok(match head {
        [0x1f, 0x8b, 0x08, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(reader)?),
        _ => Box::new(reader),
    })
}
