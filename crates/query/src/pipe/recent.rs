//! The groups of events that were met lately. Neighbours in a log mostly fall into few groups; to find one again by the values as they
//! are costs less than to write the key by which groups are sorted.

use super::known::Known;
use super::plan::Grouping;
use super::take::Take;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;
use whyline_event::Value;

/// How many groups are remembered; each can stand in one place.
const PLACES: usize = 1024;
/// Values that take more bytes are not remembered.
const LONGEST: usize = 256;

/// Groups by the values of their events.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    places: Vec<(Box<[u8]>, u32)>,
    /// The values of the event that was sought last, and their place.
    key: Vec<u8>,
    at: usize,
    /// The interval of the event before: its begin and its end.
    interval: (i64, i64),
    /// Groups by an interval and one whole number.
    plain: Vec<Option<(Plain, u32)>>,
    /// That of the event that was sought last, if it is such a one.
    sought: Option<Plain>,
}

/// What most events are grouped by: the begin of an interval and one whole number, such as a status. Neither is written as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plain {
    begin: i64,
    number: i64,
}

impl Plain {
    fn place(self) -> usize {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let bits = self.begin.cast_unsigned().rotate_left(20) ^ self.number.cast_unsigned();
        (bits.wrapping_mul(SPREAD) >> 32) as usize % PLACES
    }
}

impl Recent {
    /// The number of the group of an event, if one with the same values was met lately.
    #[inline]
    pub(super) fn find(&mut self, plan: &Grouping, event: &Known<'_>) -> Option<u32> {
        self.sought = self.plain(plan, event);
        if let Some(plain) = self.sought {
            return self.plain.get(plain.place()).copied().flatten().filter(|(known, _)| *known == plain).map(|(_, group)| group);
        }
        self.written(plan, event)
    }

    /// The same by values of any kind.
    #[inline(never)]
    fn written(&mut self, plan: &Grouping, event: &Known<'_>) -> Option<u32> {
        self.key.clear();
        if let Some((_, step)) = &plan.every {
            let begin = event.time.map(|time| self.begin(time, *step));
            self.write_time(begin);
        }
        for take in &plan.by {
            match take {
                Take::Needed(place, target) => event.of(*place, target).iter().for_each(|value| write(value, &mut self.key)),
                _ => self.write_time(event.time),
            }
            self.key.push(0);
        }
        self.at = FxBuildHasher.hash_one(self.key.as_slice()) as usize % PLACES;
        self.places.get(self.at).filter(|(key, _)| **key == *self.key).map(|(_, group)| *group)
    }

    /// Remembers the group of the event that was sought last.
    pub(super) fn remember(&mut self, group: u32) {
        if let Some(plain) = self.sought {
            if self.plain.is_empty() {
                self.plain.resize(PLACES, None);
            }
            if let Some(place) = self.plain.get_mut(plain.place()) {
                *place = Some((plain, group));
            }
            return;
        }
        if self.key.len() > LONGEST {
            return;
        }
        if self.places.is_empty() {
            // No event has values that are written like this.
            self.places.resize(PLACES, ([u8::MAX].into(), 0));
        }
        if let Some(place) = self.places.get_mut(self.at) {
            *place = (self.key.as_slice().into(), group);
        }
    }

    /// Forgets everything: the groups have other numbers now.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.plain.clear();
    }

    #[inline]
    fn plain(&mut self, plan: &Grouping, event: &Known<'_>) -> Option<Plain> {
        let number = match plan.by.as_slice() {
            [] => 0,
            [Take::Needed(place, target)] => match event.of(*place, target) {
                [Value::Int(number)] => *number,
                _ => return None,
            },
            _ => return None,
        };
        let begin = match &plan.every {
            None => 0,
            Some((_, step)) => self.begin(event.time?, *step),
        };
        Some(Plain { begin, number })
    }

    fn begin(&mut self, time: i64, step: i64) -> i64 {
        if !(self.interval.0..self.interval.1).contains(&time) {
            let begin = time.div_euclid(step).saturating_mul(step);
            self.interval = (begin, begin.saturating_add(step));
        }
        self.interval.0
    }

    fn write_time(&mut self, time: Option<i64>) {
        match time {
            Some(time) => {
                self.key.push(1);
                self.key.extend_from_slice(&time.to_le_bytes());
            }
            None => self.key.push(2),
        }
    }
}

/// Writes a value so that no other is written like it.
fn write(value: &Value<'_>, out: &mut Vec<u8>) {
    let (kind, bits) = match value {
        Value::Str(text) => (3, text.len() as u64),
        Value::Int(n) => (4, n.cast_unsigned()),
        Value::Float(x) => (5, x.to_bits()),
        Value::Duration(n) => (6, n.cast_unsigned()),
        Value::Bool(yes) => (7, u64::from(*yes)),
    };
    out.push(kind);
    out.extend_from_slice(&bits.to_le_bytes());
    if let Value::Str(text) = value {
        out.extend_from_slice(text.as_bytes());
    }
}
