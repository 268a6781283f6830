//! Places whose pieces of text have to do with what is sought: it stands inside, or it may go over a border.

use crate::bits::{Bits, bits_at};
use crate::pack::planes::Planes;

/// All of what is sought stands inside.
pub(super) const INSIDE: u8 = 1;
/// The piece ends with the beginning of it.
pub(super) const BEGINS: u8 = 2;
/// It begins with the end of it.
pub(super) const ENDS: u8 = 4;

/// Places by what was found at them.
pub(super) struct Marks {
    pub(super) inside: Bits,
    pub(super) begins: Bits,
    pub(super) ends: Bits,
}

impl Marks {
    /// Nothing at so many places.
    pub(super) fn none(count: usize) -> Marks {
        Marks { inside: Bits::none(count), begins: Bits::none(count), ends: Bits::none(count) }
    }

    /// Something at a place.
    pub(super) fn set(&mut self, place: usize, flags: u8) {
        for (flag, bits) in [(INSIDE, &mut self.inside), (BEGINS, &mut self.begins), (ENDS, &mut self.ends)] {
            if flags & flag != 0 {
                bits.set(place);
            }
        }
    }

    /// The same at some places.
    pub(super) fn set_all(&mut self, places: &Bits, flags: u8) {
        for (flag, bits) in [(INSIDE, &mut self.inside), (BEGINS, &mut self.begins), (ENDS, &mut self.ends)] {
            if flags & flag != 0 {
                bits.or(places);
            }
        }
    }

    /// What a table says of the entries that stand at some places.
    pub(super) fn look_up(&mut self, ids: &Planes, table: &[u8], places: &Bits) {
        let mut found = [0; 64];
        for block in 0..places.blocks() {
            let live = places.word(block);
            if live == 0 {
                continue;
            }
            let count = ids.look_up(block, table, 0, &mut found);
            // What was found in the block before stands behind the last place.
            found[count..].fill(0);
            let any = found.iter().fold(0, |all, flags| all | flags);
            for (flag, bits) in [(INSIDE, &mut self.inside), (BEGINS, &mut self.begins), (ENDS, &mut self.ends)] {
                if any & flag != 0 {
                    bits.or_word(block, bits_at(&found, flag.trailing_zeros()) & live);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_mark_their_places() {
        let ids: Vec<u8> = (0..150).map(|n| (n * 7 % 11) as u8).collect();
        let table = [0, INSIDE, 0, BEGINS | ENDS, 0, 8, INSIDE | ENDS];
        let planes = Planes::new(ids.clone(), 150, 1).unwrap();
        let mut places = Bits::all(150);
        places.and_not(&Bits::told(150, (0..150).map(|n| n % 5 == 0 || (64..128).contains(&n))));
        let (mut one, mut other) = (Marks::none(150), Marks::none(150));
        one.look_up(&planes, &table, &places);
        for place in places.iter() {
            other.set(place, table.get(usize::from(ids[place])).copied().unwrap_or(0));
        }
        assert_eq!((&one.inside, &one.begins, &one.ends), (&other.inside, &other.begins, &other.ends));
        assert!(!one.inside.is_empty() && !one.begins.is_empty());
        one.set_all(&places, ENDS);
        assert_eq!((one.ends, one.inside), (places, other.inside));
    }
}
