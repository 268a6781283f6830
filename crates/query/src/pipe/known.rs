//! Events of which only some fields are known: as much as a pipeline needs that counts and sums up.

use super::plan::{Gather, Grouping, Measured};
use super::take::Take;
use super::{Function, Pipeline};
use crate::fields::Target;
use whyline_event::Value;

/// What a pipeline must know of each event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needs<'p> {
    /// The fields, in the order in which [`Known`] has their values.
    pub fields: &'p [Target],
    /// Whether it must know when the event was.
    pub time: bool,
}

/// An event of which the time and the fields are known that a pipeline needs.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    pub(super) time: Option<i64>,
    values: &'k [Value<'k>],
    ends: &'k [usize],
}

impl<'k> Known<'k> {
    /// An event by its instant in UTC nanoseconds and the values of its fields: those of all fields one after the other, and for each
    /// field where its values end. They are the values that a query compares with; a level is the severity before the word.
    #[inline]
    pub fn new(time: Option<i64>, values: &'k [Value<'k>], ends: &'k [usize]) -> Known<'k> {
        Known { time, values, ends }
    }

    /// The values of a field by its place among those that are needed, in the order of the record; a field may have several, or none.
    #[inline]
    pub fn values(&self, place: usize) -> &'k [Value<'k>] {
        let from = place.checked_sub(1).and_then(|p| self.ends.get(p)).copied().unwrap_or(0);
        let to = self.ends.get(place).copied().unwrap_or(from);
        self.values.get(from..to).unwrap_or(&[])
    }

    /// The same, as pipes count them.
    pub(super) fn of(&self, place: usize, target: &Target) -> &'k [Value<'k>] {
        let values = self.values(place);
        // One level for each event: the severity, or else the word as written.
        if matches!(target, Target::Level) { values.get(..1).unwrap_or(values) } else { values }
    }
}

impl Pipeline {
    /// What must be known of each event, where that is enough: the pipeline makes rows of events by counting and summing up.
    /// `None` where it needs whole events.
    pub fn needs(&self) -> Option<Needs<'_>> {
        let plan = &self.plan;
        if !plan.keeps.is_empty() || plan.context > 0 {
            return None;
        }
        match &plan.gather {
            Gather::Groups(grouping) => Some(Needs { fields: &plan.needs, time: needs_time(grouping) }),
            Gather::Timeline(_) => Some(Needs { fields: &[], time: true }),
            Gather::Events | Gather::Fields(_) | Gather::Patterns => None,
        }
    }

    /// Whether it is enough to know how many events there are.
    pub fn needs_only_count(&self) -> bool {
        let counts = |m: &Measured| m.function == Function::Count;
        match &self.plan.gather {
            Gather::Groups(Grouping { measures, by, every: None }) => {
                self.plan.keeps.is_empty() && by.is_empty() && measures.iter().all(counts)
            }
            _ => false,
        }
    }
}

fn needs_time(grouping: &Grouping) -> bool {
    let timed = |take: &Take| *take == Take::Time;
    grouping.every.is_some()
        || grouping.by.iter().any(timed)
        || grouping.measures.iter().any(|m| m.function == Function::Rate || m.of.as_ref().is_some_and(timed))
}

/// Numbers the fields that are asked of events, each target once. Gives them in the order of their numbers.
pub(super) fn number(grouping: &mut Grouping) -> Vec<Target> {
    let mut needs: Vec<Target> = Vec::new();
    let takes = grouping.by.iter_mut().chain(grouping.measures.iter_mut().filter_map(|m| m.of.as_mut()));
    for take in takes {
        if let Take::Field(target) = take {
            let place = needs.iter().position(|t| t == target).unwrap_or_else(|| {
                needs.push(target.clone());
                needs.len() - 1
            });
            *take = Take::Needed(place, target.clone());
        }
    }
    needs
}
