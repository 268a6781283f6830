//! Events that are kept: the first ones in some order, within bounds.

use super::cell::Cell;
use super::plan::Choice;
use super::take::{Hit, Input, Place};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use whyline_event::{Event, Record, Source};

/// Most bytes of events that are held at once, over all threads.
const HELD: usize = 48 << 20;
/// What an event takes besides its texts, and a field of it, about.
const APART: usize = 600;
const APART_FIELD: usize = 140;

/// An event of an answer.
#[derive(Clone, Debug)]
pub struct Found {
    /// The event, its time by the clock of its source.
    pub event: Event,
    /// Its source.
    pub source: Arc<Source>,
    /// The place of its source among all sources.
    pub rank: u32,
}

/// Where an event stands in a sorted answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rank {
    keys: Vec<(Cell, bool)>,
    place: Place,
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let keys = self.keys.iter().zip(&other.keys).map(|((a, down), (b, _))| a.sorted(b, *down));
        keys.into_iter().find(|o| o.is_ne()).unwrap_or_else(|| self.place.cmp(&other.place))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The first events in the order of a choice.
///
/// When they become too many to be held, those at the end are let go, and nothing from there on is taken any more: what is kept is the
/// beginning of the answer, whatever came first.
#[derive(Clone, Debug)]
pub(super) struct Keep {
    choice: Choice,
    /// Only events behind this place.
    after: Option<Place>,
    kept: BTreeMap<Rank, (Event, usize)>,
    sources: FxHashMap<u32, Arc<Source>>,
    bytes: usize,
    /// Nothing from here on is held.
    bound: Option<Rank>,
    held: usize,
    text_only: bool,
}

/// What was kept.
pub(super) struct Kept {
    pub(super) found: Vec<Found>,
    /// Where the events begin that could not be held: behind this place.
    pub(super) cut: Option<Place>,
}

impl Keep {
    pub(super) fn new(choice: Choice, after: Option<Place>) -> Keep {
        let (kept, sources) = (BTreeMap::new(), FxHashMap::default());
        Keep { choice, after, kept, sources, bytes: 0, bound: None, held: HELD, text_only: false }
    }

    /// One of so many that are gathered side by side.
    pub(super) fn shared_by(mut self, many: usize) -> Keep {
        self.held = HELD / many.max(1);
        self
    }

    /// Leaves out what the text of an event says as well.
    pub(super) fn text_only(mut self, text_only: bool) -> Keep {
        self.text_only = text_only;
        self
    }

    #[cfg(test)]
    pub(super) fn holding(mut self, bytes: usize) -> Keep {
        self.held = bytes;
        self
    }

    pub(super) fn add(&mut self, hit: &Hit<'_>) {
        let place = hit.place();
        if self.after.is_some_and(|after| place <= after) {
            return;
        }
        let keys = self.choice.keys.iter().map(|(take, down)| (take.last(Input::Hit(hit)), *down)).collect();
        let rank = Rank { keys, place };
        if self.refused(&rank) {
            return;
        }
        let Some(clock) = hit.clock else { return };
        self.sources.entry(hit.rank).or_insert_with(|| Arc::new(hit.source.clone()));
        let event = match self.text_only {
            false => Event::new(hit.record, hit.source, clock),
            true => {
                let mut bare = Record::new(hit.record.text, hit.record.origin);
                (bare.stamp, bare.body) = (hit.record.stamp, "");
                Event::new(&bare, hit.source, clock)
            }
        };
        let size = APART + event.text.len() + event.body.len() + event.source.len() + APART_FIELD * event.fields.len() + texts(&event);
        self.insert(rank, event, size);
    }

    fn refused(&self, rank: &Rank) -> bool {
        self.bound.as_ref().is_some_and(|bound| rank >= bound)
            || self
                .choice
                .most
                .is_some_and(|most| self.kept.len() >= most && self.kept.last_key_value().is_none_or(|(last, _)| rank > last))
    }

    fn insert(&mut self, rank: Rank, event: Event, size: usize) {
        if self.refused(&rank) {
            return;
        }
        self.bytes += size;
        self.kept.insert(rank, (event, size));
        if self.choice.most.is_some_and(|most| self.kept.len() > most)
            && let Some((_, (_, size))) = self.kept.pop_last()
        {
            self.bytes -= size;
        }
        // One event is held however large it is.
        while self.bytes > self.held && self.kept.len() > 1 {
            if let Some((rank, (_, size))) = self.kept.pop_last() {
                self.bytes -= size;
                self.bound = Some(rank);
            }
        }
    }

    pub(super) fn merge(&mut self, other: Keep) {
        if let Some(bound) = other.bound
            && self.bound.as_ref().is_none_or(|own| bound < *own)
        {
            self.kept.split_off(&bound).into_values().for_each(|(_, size)| self.bytes -= size);
            self.bound = Some(bound);
        }
        self.sources.extend(other.sources);
        other.kept.into_iter().for_each(|(rank, (event, size))| self.insert(rank, event, size));
    }

    pub(super) fn finish(self) -> Kept {
        let cut = self.bound.as_ref().and_then(|_| self.kept.last_key_value().map(|(rank, _)| rank.place));
        let sources = self.sources;
        let found = self.kept.into_iter().filter_map(|(rank, (event, _))| {
            let rank = rank.place.rank();
            Some(Found { event, source: sources.get(&rank)?.clone(), rank })
        });
        Kept { found: found.collect(), cut }
    }
}

fn texts(event: &Event) -> usize {
    event.fields.iter().map(|(name, value)| name.len() + value.as_value().as_str().map_or(0, str::len)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Target;
    use crate::pipe::take::Take;
    use whyline_event::{Clock, Key, Origin, Stamp, Value};

    /// Puts events with these durations into parts, and the parts together.
    fn kept(numbers: &[i64], choice: &Choice, after: Option<Place>, held: usize) -> (Vec<u64>, Option<Place>) {
        let (source, clock) = (Source::default(), Clock::default());
        let mut parts: Vec<Keep> = (0..3).map(|_| Keep::new(choice.clone(), after).holding(held)).collect();
        for (i, number) in numbers.iter().enumerate() {
            let mut record = Record::new("x", Origin { line: *number as u64, offset: *number as u64, ..Origin::default() });
            record.stamp = Some(Stamp::explicit(number / 10, 0, 0));
            record.put(Key::Duration, Value::Duration(number % 7));
            parts[i % 3].add(&Hit::new(&record, &source, &clock, 0));
        }
        let mut all = parts.pop().unwrap();
        parts.into_iter().for_each(|p| all.merge(p));
        let kept = all.finish();
        (kept.found.iter().map(|f| f.event.origin.line).collect(), kept.cut)
    }

    #[test]
    fn the_same_beginning_whatever_comes_first() {
        let numbers: Vec<i64> = (0..97).map(|i| i * 31 % 97).collect();
        let choice = Choice::default();
        // Room for some ten events.
        let (first, cut) = kept(&numbers, &choice, None, 5_000);
        assert!(first.len() > 5 && first == (0..first.len() as u64).collect::<Vec<_>>(), "{first:?}");
        let mut all = first.clone();
        let mut next = cut;
        while let Some(place) = next {
            let (more, cut) = kept(&numbers, &choice, Some(place), 5_000);
            all.extend(more);
            next = cut;
        }
        assert_eq!(all, (0..97).collect::<Vec<_>>());
        let mut other = numbers.clone();
        other.reverse();
        assert_eq!(kept(&other, &choice, None, 5_000).0, first);
    }

    #[test]
    fn sorted_and_limited() {
        let choice = Choice { keys: vec![(Take::Field(Target::find("duration")), true)], most: Some(4) };
        let numbers: Vec<i64> = (0..30).rev().collect();
        assert_eq!(kept(&numbers, &choice, None, HELD).0, [6, 13, 20, 27]);
        assert!(kept(&numbers, &choice, None, HELD).1.is_none());
    }
}
