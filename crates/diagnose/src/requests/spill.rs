//! Where rows lie while they wait: in memory as long as there is room, then in a file of the system without a name.
//!
//! A bundle of a gigabyte has two million requests, ten have twenty: what is kept of each must not grow with them in memory. Rows are laid
//! down by chunks and taken up again by chunks, so the file is written and read in large pieces; what was just written mostly still lies
//! in the system's cache of pages.

use super::row::{CHUNK, Row};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many chunks lie in memory: 200 are 39 MB, the rows of some 800,000 requests.
const ROOM: usize = 200;

/// How much memory the rows of several tallies may take together, and the file for the others. Clones share both.
#[derive(Clone, Debug)]
pub struct Spill(Arc<Mutex<Shared>>);

#[derive(Debug)]
struct Shared {
    /// Chunks that may still stay in memory.
    room: usize,
    file: Option<File>,
    /// Places in the file, a chunk each: how many there are, and which of them are free.
    places: u64,
    free: Vec<u64>,
    /// Nothing more is laid into the file, since that failed once: memory takes it.
    refused: bool,
    /// Memory that the bytes of chunks lay in.
    spare: Vec<Vec<u8>>,
    /// Why something could not be taken up again.
    lost: Option<String>,
}

/// Rows laid down together, at most [`CHUNK`].
#[derive(Debug)]
pub(crate) struct Chunk {
    len: usize,
    lies: Lies,
    spill: Spill,
}

#[derive(Debug)]
enum Lies {
    /// In memory; whether room was taken for it.
    Here(Vec<Row>, bool),
    /// In the file, at this place.
    There(u64),
}

impl Default for Spill {
    fn default() -> Self {
        Spill::with_room(ROOM)
    }
}

impl Spill {
    /// Room for so many chunks.
    pub(crate) fn with_room(room: usize) -> Spill {
        let (free, spare) = Default::default();
        Spill(Arc::new(Mutex::new(Shared { room, file: None, places: 0, free, refused: false, spare, lost: None })))
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays rows down. When they go to the file their memory is left behind, empty, to be used again.
    pub(crate) fn lay(&self, rows: &mut Vec<Row>) -> Chunk {
        let len = rows.len();
        let mut shared = self.shared();
        let lies = if let Some(room) = shared.room.checked_sub(1) {
            shared.room = room;
            Lies::Here(std::mem::take(rows), true)
        } else {
            match shared.write(rows) {
                Some(place) => {
                    rows.clear();
                    Lies::There(place)
                }
                None => Lies::Here(std::mem::take(rows), false),
            }
        };
        Chunk { len, lies, spill: self.clone() }
    }

    /// Why rows that were laid down could not be taken up again, if that happened: an answer without them would be a wrong one.
    pub(crate) fn lost(&self) -> Option<String> {
        self.shared().lost.clone()
    }
}

impl Shared {
    /// Writes rows at a free place. `None` where that cannot be done.
    fn write(&mut self, rows: &[Row]) -> Option<u64> {
        if self.refused {
            return None;
        }
        let mut bytes = Vec::with_capacity(rows.len() * Row::WIDTH);
        rows.iter().for_each(|row| bytes.extend_from_slice(&row.to_bytes()));
        let place = self.free.pop().unwrap_or(self.places);
        match self.write_at(place, &bytes) {
            Ok(()) => {
                self.places = self.places.max(place + 1);
                Some(place)
            }
            Err(_) => {
                self.refused = true;
                None
            }
        }
    }

    fn write_at(&mut self, place: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = match &self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(place * WIDTH))?;
        file.write_all(bytes)
    }

    /// Reads the rows of a place, as bytes: all of them or none.
    fn read(&mut self, place: u64, rows: usize) -> Vec<u8> {
        // What was a whole chunk once needs no zeros.
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.resize(rows * Row::WIDTH, 0);
        let read = self.file.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into()).and_then(|mut file| {
            file.seek(SeekFrom::Start(place * WIDTH))?;
            file.read_exact(&mut bytes)
        });
        if let Err(error) = read {
            self.lost = Some(error.to_string());
            bytes.clear();
        }
        bytes
    }

    /// Takes memory back that bytes lay in, to be used again.
    fn done_with(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < SPARE {
            self.spare.push(bytes);
        }
    }
}

/// So many pieces of memory for the bytes of a chunk are kept.
const SPARE: usize = 4;

/// Bytes of a place.
const WIDTH: u64 = (CHUNK * Row::WIDTH) as u64;

impl Chunk {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The rows, in their order.
    pub(crate) fn rows(&self) -> Reading<'_> {
        match &self.lies {
            Lies::Here(rows, _) => Reading::Here(rows.iter()),
            Lies::There(_) => Reading::There(Bytes { all: self.bytes().unwrap_or_default(), at: 0, spill: &self.spill }),
        }
    }

    /// The rows of a chunk in the file, as bytes.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        let Lies::There(place) = self.lies else { return None };
        Some(self.spill.shared().read(place, self.len))
    }

    /// A row of a chunk in memory.
    #[inline]
    pub(crate) fn here(&self, at: usize) -> Option<Row> {
        match &self.lies {
            Lies::Here(rows, _) => rows.get(at).copied(),
            Lies::There(_) => None,
        }
    }

    /// Takes the rows up. Their place is free then. `spare` are pieces of memory that may be used for it.
    pub(crate) fn take(mut self, spare: &mut Vec<Vec<Row>>) -> Vec<Row> {
        if let Lies::Here(rows, _) = &mut self.lies {
            return std::mem::take(rows);
        }
        let mut rows = spare.pop().unwrap_or_default();
        rows.clear();
        rows.reserve_exact(CHUNK);
        rows.extend(self.rows());
        rows
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let mut shared = self.spill.shared();
        match self.lies {
            Lies::Here(_, true) => shared.room += 1,
            Lies::Here(_, false) => {}
            Lies::There(place) => shared.free.push(place),
        }
    }
}

/// The rows of a chunk, one after the other.
#[derive(Debug)]
pub(crate) enum Reading<'r> {
    Here(std::slice::Iter<'r, Row>),
    There(Bytes<'r>),
}

/// The bytes of a chunk that lies in the file.
#[derive(Debug)]
pub(crate) struct Bytes<'r> {
    all: Vec<u8>,
    /// Where the next row begins.
    at: usize,
    spill: &'r Spill,
}

impl Drop for Bytes<'_> {
    fn drop(&mut self) {
        self.spill.shared().done_with(std::mem::take(&mut self.all));
    }
}

impl Iterator for Reading<'_> {
    type Item = Row;

    #[inline]
    fn next(&mut self) -> Option<Row> {
        match self {
            Reading::Here(rows) => rows.next().copied(),
            Reading::There(bytes) => {
                let row = Row::of_bytes(bytes.all.get(bytes.at..)?.first_chunk()?);
                bytes.at += Row::WIDTH;
                Some(row)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(from: u32, n: u32) -> Vec<Row> {
        (from..from + n).map(|line| Row { line, millis: -i64::from(line), id: u64::MAX - u64::from(line), ..Row::NONE }).collect()
    }

    #[test]
    fn rows_come_back_from_memory_and_from_the_file() {
        let spill = Spill::with_room(1);
        let [a, b, c] = [rows(0, 3), rows(10, CHUNK as u32), rows(9_000, 2)];
        let [one, two, three] = [&a, &b, &c].map(|rows| spill.lay(&mut rows.clone()));
        assert!(one.here(2) == Some(a[2]) && two.here(0).is_none() && three.here(0).is_none());
        assert_eq!((two.len(), two.rows().collect::<Vec<_>>()), (b.len(), b));
        assert_eq!(three.take(&mut Vec::new()), c);
        // Its place is used again, and so is the room of what is taken up.
        let again = spill.lay(&mut a.clone());
        assert_eq!((again.rows().collect::<Vec<_>>(), spill.shared().places), (a.clone(), 2));
        assert_eq!(one.take(&mut Vec::new()), a);
        assert!(spill.lay(&mut c.clone()).here(0).is_some());
        assert_eq!(spill.lost(), None);
    }

    #[test]
    fn what_does_not_come_back_is_told() {
        let spill = Spill::with_room(0);
        let chunk = spill.lay(&mut rows(0, 5));
        spill.shared().file.as_ref().unwrap().set_len(100).unwrap();
        assert_eq!(chunk.rows().count(), 0);
        assert_eq!(spill.lost().as_deref(), Some("failed to fill whole buffer"));
    }

    #[test]
    fn without_a_file_memory_takes_it() {
        let spill = Spill::with_room(0);
        spill.shared().refused = true;
        let chunk = spill.lay(&mut rows(0, 5));
        assert_eq!(chunk.here(4), rows(4, 1).pop());
        drop(chunk);
        assert_eq!(spill.shared().room, 0);
    }
}
