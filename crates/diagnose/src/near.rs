//! Which activities speak of a place: those there, those of the incident as a whole, and, for less, those one call away.

use crate::activity::Activity;
use crate::rules::SignalId;
use crate::topology::Topology;
use rustc_hash::{FxHashMap, FxHashSet};

/// The activities around an incident by their signal, and who calls whom.
pub struct Near<'a> {
    activities: &'a [Activity],
    by_signal: FxHashMap<SignalId, Vec<usize>>,
    /// Hosts that call each other, in either direction.
    calls: FxHashMap<&'a str, FxHashSet<&'a str>>,
}

impl<'a> Near<'a> {
    /// Looks through activities and calls.
    pub fn new(activities: &'a [Activity], topology: &'a Topology) -> Self {
        let mut by_signal: FxHashMap<SignalId, Vec<usize>> = FxHashMap::default();
        for (i, activity) in activities.iter().enumerate() {
            by_signal.entry(activity.signal).or_default().push(i);
        }
        let mut calls: FxHashMap<&str, FxHashSet<&str>> = FxHashMap::default();
        for (caller, callee) in &topology.calls {
            calls.entry(caller).or_default().insert(callee);
            calls.entry(callee).or_default().insert(caller);
        }
        Near { activities, by_signal, calls }
    }

    /// The activities of a signal.
    pub fn of(&self, signal: SignalId) -> impl Iterator<Item = &'a Activity> {
        let all = self.by_signal.get(&signal).into_iter().flatten();
        all.filter_map(|i| self.activities.get(*i))
    }

    /// The activity of a signal that speaks loudest of a place, with what it is worth; `weight` is the signal's. Of equals the first.
    pub fn loudest(&self, signal: SignalId, weight: f64, place: &str) -> Option<(f64, usize)> {
        let all = self.by_signal.get(&signal).into_iter().flatten();
        let worth = all.filter_map(|i| {
            let activity = self.activities.get(*i)?;
            let most = weight * activity.gain * activity.timing;
            if most.abs() <= FAINT {
                return None;
            }
            let near = self.nearness(activity, place, weight < 0.0);
            let worth = most * near;
            (near > 0.0 && worth.abs() > FAINT).then_some((worth, *i))
        });
        worth.max_by(|(x, i), (y, j)| x.abs().total_cmp(&y.abs()).then(j.cmp(i)))
    }

    /// How much an activity at one place says about another.
    fn nearness(&self, activity: &Activity, place: &str, against: bool) -> f64 {
        if activity.place == place || activity.of_incident {
            return 1.0;
        }
        if against {
            return 0.0;
        }
        match (activity.place.strip_prefix("host:"), place.strip_prefix("host:")) {
            (Some(a), Some(b)) if self.calls.get(a).is_some_and(|others| others.contains(b)) => 0.5,
            _ => 0.0,
        }
    }
}

/// What is worth less than this says nothing.
const FAINT: f64 = 0.05;
