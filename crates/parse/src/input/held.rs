//! Bytes of a stream that are held until whole lines can be handed over, in rooms that are used again and again.
//!
//! A room that comes back is written over: fresh memory would have to be cleared, by the system and once more by us.

use std::io::{self, ErrorKind, Read};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Rooms that nobody uses now, shared by those who fill and those who empty them.
#[derive(Clone, Debug, Default)]
pub struct Rooms(Arc<Mutex<Vec<Vec<u8>>>>);

impl Rooms {
    /// Takes back a room. One of which little was used is let go, since making the rest of it ready again would cost more than a new one.
    pub fn give(&self, room: Vec<u8>) {
        if room.len() >= room.capacity() / 2 && !room.is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        }
    }

    /// A room of at least so many bytes, whatever they are.
    fn take(&self, size: usize) -> Vec<u8> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match known {
            Some(mut room) if room.capacity() >= size => {
                room.resize(size.max(room.len()), 0);
                room
            }
            _ => vec![0; size],
        }
    }
}

/// So much is read at a time: line ends are counted while it is still near the processor.
const PIECE: usize = 256 << 10;

/// How many line ends there are.
fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// The bytes that are held: the beginning of a room.
#[derive(Debug, Default)]
pub struct Held {
    room: Vec<u8>,
    filled: usize,
    /// Line ends among them.
    line_ends: u64,
    rooms: Rooms,
}

impl Deref for Held {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.room.get(..self.filled).unwrap_or(&[])
    }
}

impl Held {
    /// Nothing is held; rooms come from `rooms`.
    pub fn new(rooms: Rooms) -> Held {
        Held { rooms, ..Held::default() }
    }

    /// Reads until so many bytes are held. Returns whether the stream has ended, and the error that ended it; what was read before is held.
    pub fn fill(&mut self, reader: &mut impl Read, want: usize) -> (bool, Option<io::Error>) {
        if self.room.is_empty() {
            self.room = self.rooms.take(want);
        } else if self.room.len() < want {
            self.room.resize(want, 0);
        }
        while self.filled < want {
            let piece = self.filled..want.min(self.filled + PIECE);
            match reader.read(self.room.get_mut(piece).unwrap_or(&mut [])) {
                Ok(0) => return (true, None),
                Ok(n) => {
                    self.line_ends += line_ends(self.room.get(self.filled..self.filled + n).unwrap_or(&[]));
                    self.filled += n;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return (true, Some(error)),
            }
        }
        (false, None)
    }

    /// Hands over the first `cut` bytes, with the number of line ends among them, and holds the rest.
    pub fn take(&mut self, cut: usize) -> (Vec<u8>, u64) {
        let cut = cut.min(self.filled);
        let rest = self.filled - cut;
        let mut next = if rest == 0 { Vec::new() } else { self.rooms.take(self.room.len()) };
        if let (Some(to), Some(from)) = (next.get_mut(..rest), self.room.get(cut..self.filled)) {
            to.copy_from_slice(from);
        }
        let mut taken = std::mem::replace(&mut self.room, next);
        taken.truncate(cut);
        self.filled = rest;
        let behind = line_ends(self);
        let before = std::mem::replace(&mut self.line_ends, behind) - behind;
        (taken, before)
    }

    /// Lets the first bytes go.
    pub fn skip(&mut self, count: usize) {
        let count = count.min(self.filled);
        self.line_ends -= line_ends(self.get(..count).unwrap_or(&[]));
        self.room.copy_within(count..self.filled, 0);
        self.filled -= count;
    }

    /// Lets go what is behind the first `count` bytes.
    pub fn truncate(&mut self, count: usize) {
        let count = count.min(self.filled);
        self.line_ends -= line_ends(self.get(count..).unwrap_or(&[]));
        self.filled = count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is taken, skipped and filled again: the bytes of the stream come out in their order.
        #[test]
        fn bytes_keep_their_order(stream in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..400), steps in prop::collection::vec((any::<bool>(), 0usize..60, 1usize..90), 0..20)) {
            let rooms = Rooms::default();
            let (mut held, mut reader, mut at) = (Held::new(rooms.clone()), &stream[..], 0);
            for (taken, count, want) in steps {
                let (done, error) = held.fill(&mut reader, want);
                prop_assert!(error.is_none());
                prop_assert!(done || held.len() >= want);
                let count = count.min(held.len());
                prop_assert_eq!(&held[..count], &stream[at..at + count]);
                if taken {
                    let (bytes, lines) = held.take(count);
                    prop_assert_eq!(&bytes, &stream[at..at + count]);
                    prop_assert_eq!(lines, line_ends(&bytes));
                    rooms.give(bytes);
                } else {
                    held.skip(count);
                }
                at += count;
            }
            prop_assert_eq!(&held[..], &stream[at..at + held.len()]);
            prop_assert_eq!(held.line_ends, line_ends(&held));
        }
    }
}
