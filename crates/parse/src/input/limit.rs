//! How much a packed file may yield, so that a decompression bomb ends with a message rather than with a full day of reading.
//!
//! Streams are never held whole, so a bomb can cost time only. That allows generous limits: real logs pack by 10 to 60 with
//! gzip; a service that repeats one line for ever reaches some hundreds, and more with zstd, xz or bzip2. Deflate (gzip, zip)
//! cannot pack by more than 1032, and comes near it with nothing but zeros. So a stream is refused only when *both* hold: it
//! has yielded more than [`FREE`] bytes (a few seconds of reading), and more than [`RATIO`] times what was read of the file.

use crate::progress::Progress;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many unpacked bytes are never refused, however well they were packed.
pub const FREE: u64 = 256 << 20;
/// Beyond [`FREE`] bytes, a stream may yield at most so many times the bytes that it takes in its file.
pub const RATIO: u64 = 1000;
/// Members of one archive that are read, those of archives inside of it included. What is known of each stays in memory.
pub const MOST_MEMBERS: usize = 100_000;
/// A zip archive that lies in another archive, or is packed once more, is held in memory up to this size: its table of
/// contents stands at its end.
pub const HELD_ZIP: u64 = 256 << 20;
/// Memory that unpacking xz may take; `xz -9` needs 65 MB.
pub const XZ_MEMORY: u64 = 256 << 20;

/// Counts what is read of one file and what is unpacked from it, over all layers of packing.
#[derive(Clone, Debug)]
pub struct Meter {
    packed: Arc<AtomicU64>,
    size: u64,
    progress: Option<Progress>,
}

impl Meter {
    /// For a file of so many bytes; `None` when its size is not known.
    pub fn new(size: Option<u64>) -> Self {
        Meter { packed: Arc::default(), size: size.unwrap_or(u64::MAX), progress: None }
    }

    /// Counts there as well.
    pub fn watched(mut self, progress: Option<&Progress>) -> Self {
        self.progress = progress.cloned();
        self
    }

    /// Bytes of the file that were read; what is read twice counts once.
    fn packed(&self) -> u64 {
        self.packed.load(Ordering::Relaxed).min(self.size)
    }

    /// Notes that bytes of the file were read.
    pub fn read(&self, bytes: usize) {
        self.packed.fetch_add(bytes as u64, Ordering::Relaxed);
        if let Some(progress) = &self.progress {
            progress.read(bytes);
        }
    }
}

/// Bytes that one layer of packing has yielded; members of an archive share theirs.
pub type Yield = Arc<AtomicU64>;

/// What is said of a bomb.
#[derive(Debug)]
pub struct Bomb;

impl std::fmt::Display for Bomb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unpacks to more than {RATIO} times its size and more than {} MB, and was not read further", FREE >> 20)
    }
}

impl std::error::Error for Bomb {}

/// A reader of unpacked bytes that stops where the limits are passed.
pub struct Guard<R> {
    reader: R,
    meter: Meter,
    out: Yield,
}

impl<R> Guard<R> {
    /// Guards `reader`, which unpacks bytes of the file that `meter` counts.
    pub fn new(reader: R, meter: Meter, out: Yield) -> Self {
        Guard { reader, meter, out }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let out = self.out.load(Ordering::Relaxed);
        if out > FREE && out / RATIO > self.meter.packed() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, Bomb));
        }
        // Some unpackers give damage no kind of its own.
        let n = self.reader.read(into).map_err(|e| match e.kind() {
            io::ErrorKind::Other => io::Error::new(io::ErrorKind::InvalidData, e),
            _ => e,
        })?;
        self.out.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(packed: u64, file: Option<u64>, want: u64) -> (u64, bool) {
        let meter = Meter::new(file);
        meter.read(packed as usize);
        let mut guard = Guard::new(io::repeat(b'x').take(want), meter, Yield::default());
        let mut buffer = vec![0; 1 << 20];
        let mut read = 0;
        loop {
            match guard.read(&mut buffer) {
                Ok(0) => return (read, false),
                Ok(n) => read += n as u64,
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
                    return (read, true);
                }
            }
        }
    }

    #[test]
    fn both_limits_must_be_passed() {
        assert_eq!(through(1, None, 100 << 20), (100 << 20, false));
        assert_eq!(through(300 << 10, None, 280 << 20), (280 << 20, false));
        let (read, refused) = through(100 << 10, None, 400 << 20);
        assert!(refused && (FREE..FREE + (2 << 20)).contains(&read), "{read}");
        // Reading the same bytes of a file again and again gives no right to more.
        assert!(through(1 << 30, Some(50_000), 400 << 20).1);
    }
}
