//! Numbers as they lie in a column: the lowest byte of each, one after the other, then the next ones. They are not unpacked; each is
//! put together when it is asked for, so that one row of a column costs next to nothing.

use crate::bits::Bits;
use std::rc::Rc;

/// Numbers of so many bytes, or a part of them.
#[derive(Clone, Debug)]
pub(crate) struct Planes {
    raw: Rc<Vec<u8>>,
    /// How many numbers there are in `raw`.
    all: usize,
    from: usize,
    count: usize,
    width: usize,
}

impl Planes {
    /// So many numbers; `None` where the bytes are not as many as that takes.
    pub(crate) fn new(raw: Vec<u8>, count: usize, width: usize) -> Option<Planes> {
        (width <= 8 && count.checked_mul(width)? == raw.len()).then(|| Planes { raw: Rc::new(raw), all: count, from: 0, count, width })
    }

    /// Some of them.
    pub(crate) fn part(&self, from: usize, count: usize) -> Option<Planes> {
        let fits = from.checked_add(count).is_some_and(|to| to <= self.count);
        fits.then(|| Planes { from: self.from + from, count, ..self.clone() })
    }

    fn plane(&self, n: usize) -> &[u8] {
        let from = n * self.all + self.from;
        self.raw.get(from..from + self.count).unwrap_or(&[])
    }

    #[inline]
    pub(crate) fn get(&self, n: usize) -> Option<u64> {
        if n >= self.count {
            return None;
        }
        let mut number = 0;
        for plane in 0..self.width {
            number |= u64::from(*self.raw.get(plane * self.all + self.from + n)?) << (8 * plane);
        }
        Some(number)
    }

    /// Those of some places at which the number passes. It may be asked of others as well.
    #[inline]
    pub(crate) fn select(&self, places: &Bits, mut passes: impl FnMut(u64) -> bool) -> Bits {
        if places.count() < self.count / 4 {
            let mut found = Bits::none(self.count);
            places.iter().filter(|place| self.get(*place).is_some_and(&mut passes)).for_each(|place| found.set(place));
            return found;
        }
        let mut found = match self.width {
            1 => Bits::told(self.count, self.plane(0).iter().map(|a| passes(u64::from(*a)))),
            2 => {
                let both = self.plane(0).iter().zip(self.plane(1));
                Bits::told(self.count, both.map(|(a, b)| passes(u64::from(*a) | u64::from(*b) << 8)))
            }
            _ => Bits::told(self.count, (0..self.count).map(|n| self.get(n).is_some_and(&mut passes))),
        };
        found.and(places);
        found
    }

    /// What a table holds for the numbers of 64 places, of which `block` says which; `beyond` where the table ends before. Gives how
    /// many places there are. It is quickest with a table that has [`roomy`] made long enough for any number.
    pub(crate) fn look_up(&self, block: usize, table: &[u8], beyond: u8, found: &mut [u8; 64]) -> usize {
        let from = (block * 64).min(self.count);
        let to = (from + 64).min(self.count);
        let of = |id: usize| table.get(id).copied().unwrap_or(beyond);
        let plane = |n: usize| self.plane(n).get(from..to).unwrap_or(&[]);
        let found_at = found.iter_mut();
        match (self.width, table.first_chunk::<ONE_BYTE>(), table.first_chunk::<TWO_BYTES>()) {
            (1, Some(all), _) => found_at.zip(plane(0)).for_each(|(found, a)| *found = all[usize::from(*a)]),
            (1, None, _) => found_at.zip(plane(0)).for_each(|(found, a)| *found = of(usize::from(*a))),
            (2, _, all) => {
                let both = found_at.zip(plane(0).iter().zip(plane(1))).map(|(found, (a, b))| (found, u16::from_le_bytes([*a, *b])));
                match all {
                    Some(all) => both.for_each(|(found, id)| *found = all[usize::from(id)]),
                    None => both.for_each(|(found, id)| *found = of(usize::from(id))),
                }
            }
            _ => found_at.zip(from..to).for_each(|(found, n)| *found = self.get(n).map_or(beyond, |id| of(id as usize))),
        }
        to - from
    }

    /// The sum of the numbers from one place to another, this one not included.
    fn sum(&self, from: usize, to: usize) -> u64 {
        let mut sum = 0u64;
        for plane in 0..self.width {
            let bytes = self.plane(plane).get(from..to).unwrap_or(&[]);
            // Sums of few bytes fit in 32 bits, of which a machine adds many at once.
            let all = bytes.chunks(1 << 20).map(|some| u64::from(some.iter().map(|b| u32::from(*b)).sum::<u32>()));
            sum = sum.wrapping_add(all.sum::<u64>() << (8 * plane));
        }
        sum
    }

    /// Hands over all numbers with their places.
    #[inline]
    pub(crate) fn each(&self, mut each: impl FnMut(usize, u64)) {
        match self.width {
            0 => (0..self.count).for_each(|n| each(n, 0)),
            1 => self.plane(0).iter().enumerate().for_each(|(n, a)| each(n, u64::from(*a))),
            2 => {
                let both = self.plane(0).iter().zip(self.plane(1));
                both.enumerate().for_each(|(n, (a, b))| each(n, u64::from(*a) | u64::from(*b) << 8));
            }
            _ => (0..self.count).for_each(|n| each(n, self.get(n).unwrap_or(0))),
        }
    }
}

/// So many numbers have one byte, and two.
const ONE_BYTE: usize = 1 << 8;
const TWO_BYTES: usize = 1 << 16;

/// A table with room for all numbers of one byte, or of two, so that none has to be compared with its length.
pub(crate) fn roomy(mut table: Vec<u8>, beyond: u8) -> Vec<u8> {
    let count = table.len();
    let room = [ONE_BYTE, TWO_BYTES].into_iter().find(|room| *room >= count).unwrap_or(count);
    table.resize(room, beyond);
    table
}

/// Numbers that are told by how far they lie above the least of them.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub(super) planes: Planes,
    pub(super) base: i64,
    pub(super) scale: u64,
}

impl Numbers {
    #[inline]
    fn whole(&self, step: u64) -> i64 {
        self.base.wrapping_add(step.wrapping_mul(self.scale) as i64)
    }

    /// What a table holds for each of them; `beyond` where it ends before.
    pub(crate) fn look_up(&self, table: &[u8], beyond: u8) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.planes.count);
        if (self.base, self.scale) != (0, 1) {
            self.each(|n| all.push(usize::try_from(n).ok().and_then(|n| table.get(n)).copied().unwrap_or(beyond)));
            return all;
        }
        let mut found = [0; 64];
        for block in 0..self.planes.count.div_ceil(64) {
            let count = self.planes.look_up(block, table, beyond, &mut found);
            all.extend_from_slice(&found[..count]);
        }
        all
    }

    /// The numbers as they lie, and what has to be added to each, where all are below [`Numbers::SMALL`] and none below zero.
    pub(crate) fn small(&self) -> Option<(&Planes, usize)> {
        let base = usize::try_from(self.base).ok().filter(|base| *base <= Numbers::SMALL - TWO_BYTES)?;
        (self.scale == 1 && self.planes.width <= 2).then_some((&self.planes, base))
    }

    /// Numbers below it are small.
    pub(crate) const SMALL: usize = 2 * TWO_BYTES;

    #[inline]
    pub(crate) fn get(&self, n: usize) -> Option<i64> {
        self.planes.get(n).map(|step| self.whole(step))
    }

    /// The sum of those from one place to another (not included), which may go round.
    pub(crate) fn sum(&self, from: usize, to: usize) -> u64 {
        let steps = self.planes.sum(from, to).wrapping_mul(self.scale);
        steps.wrapping_add((self.base as u64).wrapping_mul(to.saturating_sub(from) as u64))
    }

    /// The sum of a few lengths; `None` where they cannot be lengths or are too long.
    pub(crate) fn total(&self, from: usize, to: usize) -> Option<u64> {
        // Four bytes are as many as a length has.
        let base = u64::try_from(self.base).ok().filter(|_| self.planes.width <= 4)?;
        let steps = self.planes.sum(from, to).checked_mul(self.scale)?;
        base.checked_mul(to.checked_sub(from)? as u64)?.checked_add(steps)
    }

    /// Hands over all numbers.
    #[inline]
    pub(crate) fn each(&self, mut each: impl FnMut(i64)) {
        self.planes.each(|_, step| each(self.whole(step)));
    }

    /// Those of some places at which the number passes. It may be asked of others as well.
    #[inline]
    pub(crate) fn select(&self, places: &Bits, mut passes: impl FnMut(i64) -> bool) -> Bits {
        self.planes.select(places, |step| passes(self.whole(step)))
    }

    /// Some of them.
    pub(crate) fn part(&self, from: usize, count: usize) -> Option<Numbers> {
        Some(Numbers { planes: self.planes.part(from, count)?, base: self.base, scale: self.scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_by_itself() {
        for width in 0..=8 {
            let all: Vec<u64> =
                (0..100u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) & u64::MAX.checked_shr(64 - 8 * width).unwrap_or(0)).collect();
            let raw: Vec<u8> = (0..width).flat_map(|plane| all.iter().map(move |n| (n >> (8 * plane)) as u8)).collect();
            let planes = Planes::new(raw.clone(), 100, width as usize).unwrap();
            let part = planes.part(30, 40).unwrap();
            assert_eq!((0..40).map(|n| part.get(n).unwrap()).collect::<Vec<_>>(), all[30..70]);
            let mut found = Vec::new();
            part.each(|place, number| found.push((place, number)));
            assert_eq!(found, (0..40).map(|n| (n, all[30 + n])).collect::<Vec<_>>());
            let sum = all[40..61].iter().fold(0u64, |a, b| a.wrapping_add(*b));
            assert_eq!(part.sum(10, 31), sum);
            let numbers = Numbers { planes: part.clone(), base: -7, scale: 1000 };
            assert_eq!(numbers.sum(10, 31), sum.wrapping_mul(1000).wrapping_sub(147));
            let whole = Numbers { planes: part.clone(), base: 0, scale: 1 };
            let table: Vec<u8> = (0..=255).collect();
            let (one, other) = (whole.look_up(&table, 7), Numbers { base: -1, ..whole.clone() }.look_up(&table, 7));
            let at = |n: u64| table.get(n as usize).copied().unwrap_or(7);
            assert!((0..40).all(|n| one[n] == at(all[30 + n]) && other[n] == at(all[30 + n].wrapping_sub(1))));
            let mut looked = [0; 64];
            assert_eq!((part.look_up(0, &[1, 2, 3], 9, &mut looked), part.look_up(1, &[], 9, &mut [0; 64])), (40, 0));
            assert!((0..40).all(|n| u64::from(looked[n]) == if all[30 + n] < 3 { all[30 + n] + 1 } else { 9 }));
            for table in [vec![1; 5], vec![1; 300]] {
                let mut again = [0; 64];
                part.look_up(0, &table, 9, &mut looked);
                part.look_up(0, &roomy(table, 9), 9, &mut again);
                assert_eq!(looked[..40], again[..40]);
            }
            let mut few = Bits::none(40);
            [3, 39].into_iter().for_each(|n| few.set(n));
            for places in [few, Bits::all(40)] {
                let found: Vec<usize> = part.select(&places, |number| number % 3 != 0).iter().collect();
                assert_eq!(found, places.iter().filter(|n| !all[30 + n].is_multiple_of(3)).collect::<Vec<_>>());
            }
            assert!(
                part.get(40).is_none() && planes.part(90, 11).is_none() && (width == 0 || Planes::new(raw, 99, width as usize).is_none())
            );
        }
    }
}
