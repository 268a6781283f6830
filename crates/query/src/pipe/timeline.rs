//! How many events there are in each interval.

use super::cell::Cell;
use super::fixed::Fixed;
use std::collections::BTreeMap;

/// Nanoseconds in a millisecond and a second.
const MILLI: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MILLI;
/// Lengths of intervals to choose from. Each is a multiple of the one before, so fine counts add up to coarse ones.
const LADDER: &[i64] = &[
    MILLI,
    10 * MILLI,
    100 * MILLI,
    SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    60 * SECOND,
    300 * SECOND,
    600 * SECOND,
    1_800 * SECOND,
    3_600 * SECOND,
    10_800 * SECOND,
    21_600 * SECOND,
    43_200 * SECOND,
    86_400 * SECOND,
    7 * 86_400 * SECOND,
    28 * 86_400 * SECOND,
    364 * 86_400 * SECOND,
];
/// Intervals that a chosen length makes at most, and that are counted on the way.
const SHOWN: i64 = 50;
const GATHERED: i64 = 4_096;
/// Most intervals of a length that was told.
const MOST: usize = 100_000;

/// Counts by interval. Which intervals there are in the end depends on the first and the last event alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Timeline {
    told: Option<i64>,
    width: i64,
    counts: BTreeMap<i64, u64>,
    timeless: u64,
    all: u64,
    /// Events of one interval that are not among the counts yet, as neighbours mostly share theirs: its begin and end, and how many.
    pending: Option<(i64, i64, u64)>,
}

impl Timeline {
    pub(super) fn new(told: Option<i64>) -> Timeline {
        Timeline { told, width: told.unwrap_or(LADDER[0]), counts: BTreeMap::new(), timeless: 0, all: 0, pending: None }
    }

    pub(super) fn add(&mut self, time: Option<i64>) {
        let Some(time) = time else {
            self.timeless += 1;
            return;
        };
        if let Some((from, to, count)) = &mut self.pending
            && (*from..*to).contains(&time)
        {
            *count += 1;
            return;
        }
        self.settle();
        let begin = time.div_euclid(self.width).saturating_mul(self.width);
        self.pending = Some((begin, begin.saturating_add(self.width), 1));
    }

    /// Puts what is pending among the counts.
    fn settle(&mut self) {
        if let Some((begin, _, count)) = self.pending.take() {
            self.put(begin, count);
        }
    }

    fn put(&mut self, time: i64, count: u64) {
        *self.counts.entry(time.div_euclid(self.width)).or_default() += count;
        self.all += count;
        if self.told.is_none() {
            while self.intervals() > GATHERED && self.coarser() {}
        } else if self.counts.len() > MOST {
            self.counts.pop_last();
        }
    }

    /// From the first interval to the last.
    fn intervals(&self) -> i64 {
        match (self.counts.first_key_value(), self.counts.last_key_value()) {
            (Some((first, _)), Some((last, _))) => last.saturating_sub(*first).saturating_add(1),
            _ => 0,
        }
    }

    /// Takes the next length; `false` at the end of the ladder.
    fn coarser(&mut self) -> bool {
        match LADDER.iter().find(|width| **width > self.width) {
            Some(width) => {
                self.widen(*width);
                true
            }
            None => false,
        }
    }

    fn widen(&mut self, width: i64) {
        let factor = width / self.width;
        for (interval, count) in std::mem::take(&mut self.counts) {
            *self.counts.entry(interval.div_euclid(factor)).or_default() += count;
        }
        self.width = width;
    }

    pub(super) fn merge(&mut self, mut other: Timeline) {
        self.settle();
        other.settle();
        if self.width < other.width {
            self.widen(other.width);
        }
        self.timeless += other.timeless;
        let dropped = other.all - other.counts.values().sum::<u64>();
        // Own intervals may grow on the way, so what is put in goes by its time.
        other.counts.into_iter().for_each(|(interval, count)| self.put(interval.saturating_mul(other.width), count));
        self.all += dropped;
    }

    /// The rows: begin of the interval and count, with the intervals in which nothing was.
    pub(super) fn finish(mut self, notes: &mut Vec<String>) -> Vec<Vec<Cell>> {
        self.settle();
        if self.told.is_none() {
            while self.intervals() > SHOWN && self.coarser() {}
        }
        let kept: u64 = self.counts.values().sum();
        if self.all > kept {
            notes.push(format!("there are more than {MOST} intervals; {} events of later ones are left out", self.all - kept));
        }
        if self.timeless > 0 {
            notes.push(format!("{} events have no time and are left out", self.timeless));
        }
        let row = |interval: i64, count: u64| vec![Cell::Time(interval.saturating_mul(self.width)), Cell::Number(Fixed::count(count))];
        if self.intervals() > MOST as i64 {
            notes.push("intervals without events are not shown, there are too many".into());
            return self.counts.iter().map(|(interval, count)| row(*interval, *count)).collect();
        }
        let (Some((first, _)), Some((last, _))) = (self.counts.first_key_value(), self.counts.last_key_value()) else { return Vec::new() };
        (*first..=*last).map(|i| row(i, self.counts.get(&i).copied().unwrap_or(0))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_nest() {
        assert!(LADDER.windows(2).all(|w| w[1] % w[0] == 0 && w[1] > w[0]));
    }

    #[test]
    fn the_order_does_not_matter() {
        let times: Vec<i64> = (0..5_000).map(|i| (i * 7_919 % 5_000) * 13 * SECOND - 9 * SECOND).collect();
        let (mut whole, mut a, mut b) = (Timeline::new(None), Timeline::new(None), Timeline::new(None));
        for (i, time) in times.iter().enumerate() {
            whole.add(Some(*time));
            if i < 100 { a.add(Some(*time)) } else { b.add(Some(*time)) }
        }
        b.add(None);
        b.merge(a);
        let (mut said, mut other) = (Vec::new(), Vec::new());
        let rows = whole.finish(&mut other);
        assert_eq!(b.finish(&mut said), rows);
        assert!(said.len() == 1 && other.is_empty());
        // 65,000 s: half an hour is the shortest length that gives no more than 50.
        assert_eq!(rows.len(), 38);
        assert_eq!((&rows[0][0], &rows[1][0]), (&Cell::Time(-1_800 * SECOND), &Cell::Time(0)));
    }

    #[test]
    fn intervals_may_grow_while_parts_are_put_together() {
        let gathered = |times: &[i64]| {
            let mut line = Timeline::new(None);
            times.iter().for_each(|t| line.add(Some(t * SECOND)));
            line
        };
        let (mut near, far) = (gathered(&[-300, 0]), gathered(&[2_700, 4_200, 90_000]));
        near.merge(far);
        assert_eq!(near.finish(&mut Vec::new()), gathered(&[90_000, -300, 4_200, 0, 2_700]).finish(&mut Vec::new()));
    }

    #[test]
    fn gaps_are_shown() {
        let mut line = Timeline::new(Some(60 * SECOND));
        line.add(Some(30 * SECOND));
        line.add(Some(200 * SECOND));
        let counts: Vec<Cell> = line.finish(&mut Vec::new()).into_iter().map(|row| row[1].clone()).collect();
        assert_eq!(counts, [1, 0, 0, 1].map(|n| Cell::Number(Fixed::int(n))));
    }
}
