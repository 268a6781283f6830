//! Inputs that can be read once only: standard input, named pipes.
//!
//! Where one pass is enough they are read as a stream, so that their size does not matter. Else they are kept: in memory while they are
//! small, in a temporary file of the system beyond that.

use super::{Place, is_archive};
use crate::progress::{Counted, Progress};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What is read in advance of a stream, to see how it is written.
const HEAD: u64 = 1 << 20;
/// What is kept in memory of an input that is read more than once.
const KEPT: u64 = 64 << 20;

/// A stream that passes once: its beginning can be looked at any number of times.
#[derive(Clone)]
pub struct Flow {
    head: Arc<Vec<u8>>,
    rest: Arc<Mutex<Option<Box<dyn Read + Send>>>>,
    open: Arc<AtomicBool>,
}

impl Flow {
    /// From now on a reader goes on behind the beginning; the first one to get there takes the rest.
    pub fn release(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    /// A reader from the beginning.
    pub(super) fn reader(&self) -> FlowReader {
        FlowReader { flow: self.clone(), at: 0, rest: None }
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flow({} bytes and more)", self.head.len())
    }
}

impl PartialEq for Flow {
    fn eq(&self, other: &Flow) -> bool {
        Arc::ptr_eq(&self.rest, &other.rest)
    }
}

impl Eq for Flow {}

/// Reads a [`Flow`].
pub(super) struct FlowReader {
    flow: Flow,
    at: usize,
    rest: Option<Box<dyn Read + Send>>,
}

impl Read for FlowReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut head = self.flow.head.get(self.at..).unwrap_or(&[]);
        if !head.is_empty() {
            let n = head.read(into)?;
            self.at += n;
            return Ok(n);
        }
        if self.rest.is_none() && self.flow.open.load(Ordering::Relaxed) {
            self.rest = self.flow.rest.lock().unwrap_or_else(|e| e.into_inner()).take();
        }
        self.rest.as_mut().map_or(Ok(0), |rest| rest.read(into))
    }
}

/// A temporary file without a name, which goes when the last of its readers does.
#[derive(Clone)]
pub struct Spool {
    file: Arc<File>,
    length: u64,
}

impl Spool {
    /// Its length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// A reader from the beginning; any number may read side by side.
    pub(super) fn reader(&self) -> SpoolReader {
        SpoolReader { spool: self.clone(), at: 0 }
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spool({} bytes)", self.length)
    }
}

impl PartialEq for Spool {
    fn eq(&self, other: &Spool) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl Eq for Spool {}

/// Reads a [`Spool`].
pub(super) struct SpoolReader {
    spool: Spool,
    at: u64,
}

impl Read for SpoolReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = read_at(&self.spool.file, into, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for SpoolReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.spool.length, by),
            SeekFrom::Current(by) => (self.at, by),
        };
        self.at = from.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}

/// Makes a place that can be read again of one that cannot; with `once` one that is read by a single pass. The error is what ended
/// the input early; what came before it is there. What is read to be kept counts as progress.
pub fn hold(place: &Place, once: bool, progress: Option<&Progress>) -> (Place, Option<io::Error>) {
    let opened: io::Result<Box<dyn Read + Send>> = match place {
        Place::Stdin => Ok(Box::new(io::stdin())),
        Place::Stream(path) => File::open(path).map(|f| Box::new(f) as Box<dyn Read + Send>),
        _ => return (place.clone(), None),
    };
    match opened {
        Ok(reader) => match progress.filter(|_| !once) {
            Some(progress) => {
                progress.begin("receiving", None);
                keep(Box::new(Counted { reader, progress: progress.clone() }), once, KEPT)
            }
            None => keep(reader, once, KEPT),
        },
        Err(error) => (Place::Memory(Arc::default()), Some(error)),
    }
}

/// [`hold`], for an opened reader and this much memory.
pub(super) fn keep(mut reader: Box<dyn Read + Send>, once: bool, most: u64) -> (Place, Option<io::Error>) {
    let mut bytes = Vec::new();
    if once {
        if let Err(error) = (&mut reader).take(HEAD).read_to_end(&mut bytes) {
            return (Place::Memory(Arc::new(bytes)), Some(error));
        }
        let head = Arc::new(bytes);
        if (head.len() as u64) < HEAD {
            return (Place::Memory(head), None);
        }
        // An archive is walked twice.
        if !is_archive(&Place::Memory(head.clone())) {
            return (Place::Flow(Flow { head, rest: Arc::new(Mutex::new(Some(reader))), open: Arc::default() }), None);
        }
        bytes = Arc::unwrap_or_clone(head);
    }
    let missing = most.saturating_sub(bytes.len() as u64);
    if let Err(error) = (&mut reader).take(missing).read_to_end(&mut bytes) {
        return (Place::Memory(Arc::new(bytes)), Some(error));
    }
    if (bytes.len() as u64) < most {
        return (Place::Memory(Arc::new(bytes)), None);
    }
    spool(reader, bytes)
}

/// Writes what was read, and the rest, to a temporary file. Where there is no room for one, it stays in memory.
fn spool(mut reader: Box<dyn Read + Send>, mut bytes: Vec<u8>) -> (Place, Option<io::Error>) {
    let started = tempfile::tempfile().and_then(|mut file| file.write_all(&bytes).map(|()| file));
    let Ok(mut file) = started else {
        let error = reader.read_to_end(&mut bytes).err();
        return (Place::Memory(Arc::new(bytes)), error);
    };
    let mut length = bytes.len() as u64;
    bytes.resize(HEAD as usize, 0);
    bytes.truncate(HEAD as usize);
    bytes.shrink_to_fit();
    let error = loop {
        match reader.read(&mut bytes) {
            Ok(0) => break None,
            Ok(n) => match file.write_all(bytes.get(..n).unwrap_or(&[])) {
                Ok(()) => length += n as u64,
                Err(error) => break Some(error),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Some(error),
        }
    };
    (Place::Spool(Spool { file: Arc::new(file), length }), error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Input, open};
    use std::io::Cursor;

    fn read(place: &Place) -> Vec<u8> {
        let mut bytes = Vec::new();
        open(&Input::new("-".into(), place.clone())).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn text() -> Vec<u8> {
        (0..300_000).flat_map(|i| format!("line {i}\n").into_bytes()).collect()
    }

    #[test]
    fn a_stream_passes_once_and_its_beginning_stays() {
        let text = text();
        let (place, error) = keep(Box::new(Cursor::new(text.clone())), true, KEPT);
        assert!(error.is_none());
        for _ in 0..2 {
            assert_eq!(read(&place), text[..HEAD as usize]);
        }
        let Place::Flow(flow) = &place else { panic!("{place:?}") };
        flow.release();
        assert!(read(&place) == text);
        assert_eq!(read(&place), text[..HEAD as usize]);
    }

    #[test]
    fn what_is_large_and_read_again_lies_in_a_file() {
        let text = text();
        let (place, error) = keep(Box::new(Cursor::new(text.clone())), false, 100_000);
        assert!(error.is_none() && matches!(place, Place::Spool(_)), "{place:?}");
        for _ in 0..2 {
            assert!(read(&place) == text);
        }
        let (place, _) = keep(Box::new(Cursor::new(text.clone())), false, KEPT);
        assert!(matches!(place, Place::Memory(_)) && read(&place) == text);
    }
}
