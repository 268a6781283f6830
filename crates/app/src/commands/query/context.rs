//! What stands around an event in its source.

use crate::output::found::Show;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use whyline_event::{Clock, Event, Record, Source};
use whyline_query::pipe::Found;

/// So many events are shown with what stands around them, unless the query says how many.
pub const MOST: usize = 1_000;

/// The events around which something is wanted: their offsets by the rank of their source.
pub struct Wanted {
    offsets: BTreeMap<u32, BTreeSet<u64>>,
    reach: usize,
}

impl Wanted {
    /// So many records before and behind each event.
    pub fn of(found: &[Found], reach: usize) -> Wanted {
        let mut offsets: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
        for f in found {
            offsets.entry(f.rank).or_default().insert(f.event.origin.offset);
        }
        Wanted { offsets, reach }
    }

    /// Whether anything is wanted of a source.
    pub fn has(&self, rank: u32) -> bool {
        self.offsets.contains_key(&rank)
    }
}

/// Records of one source by their number in it; only those that are to be shown.
#[derive(Default)]
struct Lines {
    shown: BTreeMap<u64, (Event, Source)>,
    /// Numbers of the events by their offset.
    hits: BTreeMap<u64, u64>,
}

/// A walk through one source.
pub struct Walk<'w> {
    offsets: Option<&'w BTreeSet<u64>>,
    rank: u32,
    reach: usize,
    number: u64,
    /// The last records, as many as could still be wanted.
    before: VecDeque<(u64, Event, Source)>,
    /// Records up to this number are wanted.
    until: Option<u64>,
    lines: Lines,
}

impl<'w> Walk<'w> {
    pub fn new(wanted: &'w Wanted, rank: u32) -> Walk<'w> {
        Walk {
            offsets: wanted.offsets.get(&rank),
            rank,
            reach: wanted.reach,
            number: 0,
            before: VecDeque::new(),
            until: None,
            lines: Lines::default(),
        }
    }

    /// The next record of the source.
    pub fn add(&mut self, record: &Record<'_>, source: &Source, clock: &Clock) {
        let Some(offsets) = self.offsets else { return };
        let number = self.number;
        self.number += 1;
        let hit = offsets.contains(&record.origin.offset);
        // Behind the last event nothing more is wanted.
        if !hit && self.until.is_none_or(|until| number > until) && offsets.last().is_none_or(|last| record.origin.offset > *last) {
            return;
        }
        let event = Event::new(record, source, clock);
        if hit {
            self.lines.hits.insert(record.origin.offset, number);
            self.lines.shown.extend(self.before.drain(..).map(|(n, event, source)| (n, (event, source))));
            self.until = Some(number + self.reach as u64);
        }
        if self.until.is_some_and(|until| number <= until) {
            self.lines.shown.insert(number, (event, source.clone()));
        } else {
            self.before.push_back((number, event, source.clone()));
            if self.before.len() > self.reach {
                self.before.pop_front();
            }
        }
    }
}

/// What stands around the events of an answer.
#[derive(Default)]
pub struct Around {
    sources: BTreeMap<u32, Lines>,
    reach: u64,
}

impl Around {
    /// Puts in what was found in a source.
    pub fn take(&mut self, walk: Walk<'_>) {
        self.reach = walk.reach as u64;
        self.sources.insert(walk.rank, walk.lines);
    }
}

/// Shows events in their order, each with what stands around it. Where one stands around the next in the same source, they are shown
/// together.
pub fn show(show: &mut Show, found: &[Found], around: &Around) -> Result<()> {
    let place = |f: &Found| Some((f.rank, *around.sources.get(&f.rank)?.hits.get(&f.event.origin.offset)?));
    let mut i = 0;
    let mut first = true;
    while let Some(begin) = found.get(i) {
        let Some((rank, number)) = place(begin) else {
            // A source that changed while it was read.
            show.event(&begin.event, &begin.source, Some(true))?;
            i += 1;
            continue;
        };
        let mut hits = BTreeSet::from([number]);
        let (mut low, mut high) = (number.saturating_sub(around.reach), number + around.reach);
        i += 1;
        while let Some((r, n)) = found.get(i).and_then(place)
            && r == rank
            && n + around.reach + 1 >= low
            && n <= high + around.reach + 1
        {
            (low, high) = (low.min(n.saturating_sub(around.reach)), high.max(n + around.reach));
            hits.insert(n);
            i += 1;
        }
        if !std::mem::take(&mut first) {
            show.gap()?;
        }
        let Some(lines) = around.sources.get(&rank) else { continue };
        for (number, (event, source)) in lines.shown.range(low..=high) {
            show.event(event, source, Some(hits.contains(number)))?;
        }
    }
    Ok(())
}
