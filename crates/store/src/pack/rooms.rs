//! Memory for what is read. It is used again: fresh memory is dear, since the system clears every page of it.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Smaller and larger rooms are not kept, and not more than so many bytes of them.
const LEAST: usize = 16 << 10;
const LARGEST: usize = 1 << 20;
const MOST: usize = 4 << 20;

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that were read.
#[derive(Debug, Default)]
pub(crate) struct Room(Vec<u8>);

impl Room {
    /// So many bytes, which hold anything.
    pub(crate) fn of(length: usize) -> Room {
        let kept = if length < LEAST { None } else { KEPT.with(|kept| kept.try_borrow_mut().ok()?.pop()) };
        let mut bytes = kept.unwrap_or_default();
        if bytes.capacity() < length {
            bytes = vec![0; length];
        }
        bytes.resize(length, 0);
        Room(bytes)
    }

    /// The bytes as text, where they are.
    pub(crate) fn into_text(mut self) -> Option<Text> {
        String::from_utf8(std::mem::take(&mut self.0)).ok().map(Text)
    }
}

impl From<Vec<u8>> for Room {
    fn from(bytes: Vec<u8>) -> Room {
        Room(bytes)
    }
}

impl Deref for Room {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.0));
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
        assert_eq!((again.len(), again.as_ptr()), (17_000, place));
        assert!(Room::of(30_000).len() == 30_000 && Room::of(5).len() == 5);
        drop(again);
        (0..100).map(|_| Room::of(LARGEST)).collect::<Vec<_>>().clear();
        assert!(KEPT.with(|kept| kept.borrow().iter().map(Vec::capacity).sum::<usize>()) <= MOST);
        assert!(Room::from(vec![0xff]).into_text().is_none());
    }
}
