//! Memory for what is read. It is used again: fresh memory is dear, since the system clears every page of it.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Smaller and larger rooms are not kept, and not more than so many of them or bytes of them.
const LEAST: usize = 2 << 10;
const LARGEST: usize = 1 << 20;
const MOST: usize = 4 << 20;
const MOST_ROOMS: usize = 64;

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// The smallest of the rooms that is as large as this; nothing if none is.
fn large_enough(kept: &mut Vec<Vec<u8>>, length: usize) -> Vec<u8> {
    let fitting = kept.iter().enumerate().filter(|(_, room)| room.capacity() >= length);
    let smallest = fitting.min_by_key(|(_, room)| room.capacity()).map(|(at, _)| at);
    smallest.map_or_else(Vec::new, |at| kept.swap_remove(at))
}

/// Bytes that were read.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// May be more than was asked for: what holds something once is not cleared again.
    bytes: Vec<u8>,
    length: usize,
}

impl Room {
    /// So many bytes, which hold anything.
    pub(crate) fn of(length: usize) -> Room {
        let mut bytes = if length < LEAST { Vec::new() } else { KEPT.with(|kept| large_enough(&mut kept.borrow_mut(), length)) };
        if bytes.capacity() < length {
            bytes = vec![0; length];
        } else if bytes.len() < length {
            bytes.resize(length, 0);
        }
        Room { bytes, length }
    }

    /// Keeps so many of the bytes from a place on.
    pub(crate) fn keep(&mut self, from: usize, length: usize) {
        let end = from.saturating_add(length).min(self.length);
        if from > 0 && from <= end {
            self.bytes.copy_within(from..end, 0);
        }
        self.length = end.saturating_sub(from);
    }

    /// The bytes as text, where they are.
    pub(crate) fn into_text(mut self) -> Option<Text> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.truncate(self.length);
        String::from_utf8(bytes).ok().map(Text)
    }
}

impl From<Vec<u8>> for Room {
    fn from(bytes: Vec<u8>) -> Room {
        Room { length: bytes.len(), bytes }
    }
}

impl Deref for Room {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or(&mut [])
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.bytes));
    }
}

/// Text that was read.
#[derive(Debug)]
pub(crate) struct Text(String);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.0).into_bytes());
    }
}

fn give_back(bytes: Vec<u8>) {
    if !(LEAST..=LARGEST).contains(&bytes.capacity()) {
        return;
    }
    // When a thread ends there is nothing to give back to.
    let _ = KEPT.try_with(|kept| {
        if let Ok(mut kept) = kept.try_borrow_mut()
            && kept.len() < MOST_ROOMS
            && kept.iter().map(Vec::capacity).sum::<usize>() + bytes.capacity() <= MOST
        {
            kept.push(bytes);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_used_again() {
        let mut room = Room::of(20_000);
        room.fill(b'x');
        let place = room.as_ptr();
        drop(room.into_text().unwrap());
        let again = Room::of(17_000);
        assert_eq!((again.len(), again.as_ptr(), again[0]), (17_000, place, b'x'));
        assert!(Room::of(30_000).len() == 30_000 && Room::of(5).len() == 5);
        drop(again);
        (0..100).map(|_| Room::of(LARGEST)).collect::<Vec<_>>().clear();
        assert!(KEPT.with(|kept| kept.borrow().iter().map(Vec::capacity).sum::<usize>()) <= MOST);
        assert!(Room::from(vec![0xff]).into_text().is_none());
    }
}
