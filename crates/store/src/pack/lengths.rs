//! Lengths of things that lie one after the other. Where one of them begins is summed up from the nearest of some that are noted, so
//! that a few of them are read without summing up all.

use super::planes::Numbers;
use std::rc::Rc;

/// Where one of so many begins is noted.
const BLOCK: usize = 32;

/// Where things lie, or some of them. Places are counted from the first of all.
#[derive(Clone, Debug)]
pub(crate) struct Lengths {
    lengths: Numbers,
    /// Where every so many begin, and at last where all end.
    begins: Rc<Vec<u32>>,
    from: usize,
    count: usize,
}

impl Lengths {
    /// Of so many things; `None` where the numbers cannot be lengths.
    pub(crate) fn new(lengths: Numbers, count: usize) -> Option<Lengths> {
        let mut begins = Vec::with_capacity(count.div_ceil(BLOCK) + 1);
        let mut at = 0u32;
        for from in (0..count).step_by(BLOCK) {
            begins.push(at);
            at = at.checked_add(u32::try_from(lengths.total(from, (from + BLOCK).min(count))?).ok()?)?;
        }
        begins.push(at);
        Some(Lengths { lengths, begins: Rc::new(begins), from: 0, count })
    }

    /// Some of them.
    pub(crate) fn part(&self, from: usize, count: usize) -> Option<Lengths> {
        let fits = from.checked_add(count).is_some_and(|to| to <= self.count);
        fits.then(|| Lengths { from: self.from + from, count, ..self.clone() })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Where one begins; what is behind the last begins where it ends.
    pub(crate) fn begin(&self, n: usize) -> usize {
        let n = self.from + n.min(self.count);
        let near = n - n % BLOCK;
        let base = self.begins.get(n / BLOCK).map_or(0, |begin| *begin as usize);
        base + self.lengths.total(near, n).map_or(0, |sum| sum as usize)
    }

    /// From where to where one goes.
    pub(crate) fn span(&self, n: usize) -> Option<(usize, usize)> {
        if n >= self.count {
            return None;
        }
        let begin = self.begin(n);
        Some((begin, begin + usize::try_from(self.lengths.get(self.from + n)?).ok()?))
    }

    /// The first one that ends behind a place; what is empty ends where it begins.
    pub(crate) fn at(&self, place: usize) -> Option<usize> {
        self.first(|end| end > place)
    }

    /// The first one that ends as it is told, where all behind it do as well.
    pub(crate) fn first(&self, passes: impl Fn(usize) -> bool) -> Option<usize> {
        let block = self.begins.partition_point(|begin| !passes(*begin as usize)).saturating_sub(1);
        let mut end = *self.begins.get(block)? as usize;
        for n in block * BLOCK..self.from + self.count {
            end += usize::try_from(self.lengths.get(n)?).ok()?;
            if n >= self.from && passes(end) {
                return Some(n - self.from);
            }
        }
        None
    }

    /// Where each ends, counted from where the first of them begins.
    pub(crate) fn ends(&self) -> Vec<u32> {
        let mut ends = Vec::with_capacity(self.count);
        let mut end = 0u32;
        if let Some(lengths) = self.lengths.part(self.from, self.count) {
            // That their sum fits was looked at when they were read.
            lengths.each(|length| {
                end = end.wrapping_add(length as u32);
                ends.push(end);
            });
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::super::planes::Planes;
    use super::*;

    fn lengths(all: &[u8], base: i64) -> Option<Lengths> {
        let planes = Planes::new(all.to_vec(), all.len(), 1)?;
        Lengths::new(Numbers { planes, base, scale: 1 }, all.len())
    }

    #[test]
    fn things_lie_one_after_the_other() {
        let all: Vec<u8> = (0..200u32).map(|n| if n % 7 == 3 { 0 } else { (n * 37 % 251) as u8 }).collect();
        let found = lengths(&all, 0).unwrap();
        let ends: Vec<usize> =
            all.iter().scan(0, |end, n| Some(std::mem::replace(end, *end + usize::from(*n)) + usize::from(*n))).collect();
        for (from, count) in [(0, 200), (31, 2), (45, 100), (199, 1), (64, 32), (200, 0)] {
            let part = found.part(from, count).unwrap();
            let begin = |n: usize| (from + n).checked_sub(1).map_or(0, |before| ends[before]);
            assert!((0..count).all(|n| part.span(n) == Some((begin(n), ends[from + n])) && part.begin(n) == begin(n)));
            assert_eq!((part.len(), part.span(count), part.begin(count)), (count, None, begin(count)));
            assert_eq!(part.ends(), (0..count).map(|n| (ends[from + n] - begin(0)) as u32).collect::<Vec<_>>());
            for place in begin(0)..begin(count) {
                assert_eq!(part.at(place), (0..count).find(|n| ends[from + n] > place));
            }
            assert_eq!(part.at(begin(count)), None);
        }
        assert!(found.part(150, 51).is_none());
    }

    #[test]
    fn what_cannot_be_lengths_is_refused() {
        assert!(lengths(&[1, 2], -1).is_none() && lengths(&[1, 2], i64::from(u32::MAX)).is_none());
        assert!(lengths(&[1, 2], i64::MAX).is_none() && lengths(&[], 5).is_some());
    }
}
