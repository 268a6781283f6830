//! What tells streams apart: length and hash of everything that was read of them.

use std::io::{ErrorKind, Read, Result};
use xxhash_rust::xxh3::Xxh3;

/// Length and hash of a stream, or of its beginning. The same bytes give the same digest on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest {
    /// Bytes, unpacked.
    pub length: u64,
    /// Hash over them (XXH3, 128 bits).
    pub hash: u128,
}

/// A reader that makes the digest of what passes.
pub struct Digesting<R> {
    reader: R,
    hasher: Option<Box<Xxh3>>,
    length: u64,
}

impl<R: Read> Digesting<R> {
    /// Reads from `reader`. Where nobody wants the digest, only the length is taken.
    pub fn new(reader: R, wanted: bool) -> Self {
        Digesting { reader, hasher: wanted.then(|| Box::new(Xxh3::new())), length: 0 }
    }

    /// The digest of what has passed so far.
    pub fn digest(&self) -> Digest {
        Digest { length: self.length, hash: self.hasher.as_ref().map_or(0, |hasher| hasher.digest128()) }
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let n = self.reader.read(into)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&into[..n]);
        }
        self.length += n as u64;
        Ok(n)
    }
}

/// Reads a stream to its end, or to where it cannot be read further. Gives the digest of the whole and of its beginnings of
/// the given lengths, which must rise; lengths beyond the end are left out.
pub fn digests(reader: impl Read, lengths: &[u64]) -> (Digest, Vec<Digest>) {
    let mut reader = Digesting::new(reader, true);
    let mut beginnings = Vec::new();
    let mut buffer = vec![0u8; 256 * 1024];
    for stop in lengths.iter().copied().chain([u64::MAX]) {
        while reader.length < stop {
            let room = usize::try_from(stop - reader.length).unwrap_or(usize::MAX).min(buffer.len());
            match reader.read(&mut buffer[..room]) {
                Ok(0) => return (reader.digest(), beginnings),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // It is met again, and told, when the records are read.
                Err(_) => return (reader.digest(), beginnings),
            }
        }
        beginnings.push(reader.digest());
    }
    (reader.digest(), beginnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_what_a_shorter_stream_would_be() {
        let text: Vec<u8> = (0..600_000u32).map(|i| (i.wrapping_mul(i) % 251) as u8).collect();
        let (whole, parts) = digests(&text[..], &[0, 5, 300_000, 600_000, 700_000]);
        assert_eq!(whole.length, 600_000);
        assert_eq!(parts.iter().map(|p| p.length).collect::<Vec<_>>(), [0, 5, 300_000, 600_000]);
        assert_eq!(parts[3], whole);
        assert_eq!(digests(&text[..300_000], &[]).0, parts[2]);
        assert_ne!(digests(&text[1..300_001], &[]).0.hash, parts[2].hash);
    }
}
