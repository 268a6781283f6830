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

    #[inline]
    pub(crate) fn get(&self, n: usize) -> Option<i64> {
        self.planes.get(n).map(|step| self.whole(step))
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
