//! Where the values come from that a stage asks for: parts of an event, or columns of a row.

use super::cell::{Cell, Seen};
use super::fixed::Fixed;
use super::known::Known;
use crate::fields::Target;
use whyline_event::{Clock, Key, Name, Record, Source};

/// An event that a query found.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'h> {
    /// The event.
    pub record: &'h Record<'h>,
    /// Its source.
    pub source: &'h Source,
    /// The clock of its source, unless the time is known already.
    pub clock: Option<&'h Clock>,
    /// The place of its source among all sources, in the order of their paths.
    pub rank: u32,
    time: Option<i64>,
}

impl<'h> Hit<'h> {
    /// An event with its source.
    pub fn new(record: &'h Record<'h>, source: &'h Source, clock: &'h Clock, rank: u32) -> Hit<'h> {
        Hit { record, source, clock: Some(clock), rank, time: record.stamp.map(|stamp| clock.instant(&stamp)) }
    }

    /// An event of which the time is known already.
    pub(super) fn timed(record: &'h Record<'h>, source: &'h Source, rank: u32, time: Option<i64>) -> Hit<'h> {
        Hit { record, source, clock: None, rank, time }
    }

    /// When, in nanoseconds since 1970 UTC.
    pub fn time(&self) -> Option<i64> {
        self.time
    }

    /// Its place in the order of answers.
    pub fn place(&self) -> Place {
        Place { timeless: self.time.is_none(), time: self.time.unwrap_or(0), rank: self.rank, offset: self.record.origin.offset }
    }
}

/// A place in the order of answers: by time, then by source, then by place in the source. Events without time come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    timeless: bool,
    time: i64,
    rank: u32,
    offset: u64,
}

/// What a stage takes its values from.
#[derive(Clone, Copy)]
pub(super) enum Input<'i> {
    Hit(&'i Hit<'i>),
    Known(Known<'i>),
    Row(&'i [Cell]),
}

/// Which value is taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Take {
    /// When an event was written.
    Time,
    /// A field or part of an event.
    Field(Target),
    /// The same, by its place among the fields that the pipeline needs of each event.
    Needed(usize, Target),
    /// A column of a row.
    Column(usize),
}

impl Take {
    /// Hands over every value there is.
    pub(super) fn each<'i>(&'i self, input: Input<'i>, visit: &mut dyn FnMut(Seen<'i>)) {
        match (self, input) {
            (Take::Time, Input::Hit(hit)) => hit.time.into_iter().for_each(|t| visit(Seen::Time(t))),
            (Take::Time, Input::Known(event)) => event.time.into_iter().for_each(|t| visit(Seen::Time(t))),
            (Take::Field(target) | Take::Needed(_, target), Input::Hit(hit)) => field(target, hit, visit),
            (Take::Needed(place, target), Input::Known(event)) => {
                event.of(*place, target).iter().for_each(|value| visit(Seen::of(*value, target)));
            }
            (Take::Column(number), Input::Row(row)) => row.get(*number).into_iter().for_each(|cell| Seen::each(cell, visit)),
            // A plan never mixes events and rows.
            (Take::Time | Take::Field(_) | Take::Needed(..), Input::Row(_))
            | (Take::Column(_), Input::Hit(_) | Input::Known(_))
            | (Take::Field(_), Input::Known(_)) => {}
        }
    }

    /// The value as a cell; several as a list.
    pub(super) fn cell(&self, input: Input<'_>) -> Cell {
        let mut found = Vec::new();
        self.each(input, &mut |seen| found.push(seen.cell()));
        match (found.pop(), found.is_empty()) {
            (None, _) => Cell::Empty,
            (Some(only), true) => only,
            (Some(last), false) => {
                found.push(last);
                Cell::List(found)
            }
        }
    }

    /// The value by which events are sorted: the last of several, the one that decided.
    pub(super) fn last(&self, input: Input<'_>) -> Cell {
        let mut last = None;
        self.each(input, &mut |seen| last = Some(seen));
        last.map_or(Cell::Empty, Seen::cell)
    }
}

fn field<'i>(target: &'i Target, hit: &'i Hit<'i>, visit: &mut dyn FnMut(Seen<'i>)) {
    let record = hit.record;
    match target {
        Target::Format => visit(Seen::Text(record.format.into())),
        Target::Source => visit(Seen::Text(hit.source.path.as_str().into())),
        // One level for each event: the severity, or else the word as written.
        Target::Level => match (record.severity, record.get(Key::Level)) {
            (Some(severity), _) => visit(Seen::Text(severity.as_str().into())),
            (None, Some(word)) => visit(Seen::of(word, target)),
            (None, None) => {}
        },
        Target::Body => visit(Seen::Text(record.body.into())),
        Target::Raw => visit(Seen::Text(record.text.into())),
        Target::Line => visit(Seen::Number(Fixed::count(record.origin.line))),
        Target::Key(Key::HostName) if !record.has(Key::HostName) => {
            hit.source.host.as_deref().into_iter().for_each(|host| visit(Seen::Text(host.into())));
        }
        Target::Key(key) => record.values(Name::Known(*key)).for_each(|value| visit(Seen::of(value, target))),
        Target::Other(name) => record.values(Name::Other(name)).for_each(|value| visit(Seen::of(value, target))),
        Target::Either(key, name) => record.values(record.either(*key, name)).for_each(|value| visit(Seen::of(value, target))),
    }
}

impl Place {
    /// The place of its source among all sources.
    pub fn rank(&self) -> u32 {
        self.rank
    }
}
