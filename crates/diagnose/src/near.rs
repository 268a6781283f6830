//! Which activities speak of a place: those there, those of the incident as a whole, and, for less, those one call away.

use crate::activity::Activity;
use crate::rules::SignalId;
use crate::topology::Topology;
use rustc_hash::{FxHashMap, FxHashSet};

/// The activities around an incident by their signal, and who calls whom.
pub struct Near<'a> {
    activities: &'a [Activity],
    by_signal: FxHashMap<SignalId, Spoken<'a>>,
    /// Hosts that call each other, in either direction.
    calls: FxHashMap<&'a str, FxHashSet<&'a str>>,
}

/// The activities of one signal, by their position.
#[derive(Default)]
struct Spoken<'a> {
    all: Vec<usize>,
    /// Those that speak of the incident as a whole.
    everywhere: Vec<usize>,
    /// The others by the name of their host.
    hosts: FxHashMap<&'a str, Vec<usize>>,
    /// The others at places that are no hosts.
    places: FxHashMap<&'a str, Vec<usize>>,
}

impl<'a> Spoken<'a> {
    fn add(&mut self, at: usize, activity: &'a Activity) {
        self.all.push(at);
        let here = if activity.of_incident {
            &mut self.everywhere
        } else if let Some(host) = activity.place.strip_prefix(HOST) {
            self.hosts.entry(host).or_default()
        } else {
            self.places.entry(&activity.place).or_default()
        };
        here.push(at);
    }

    /// Those that speak of a place itself.
    fn at(&self, place: &str) -> impl Iterator<Item = usize> {
        let here = match place.strip_prefix(HOST) {
            Some(host) => self.hosts.get(host),
            None => self.places.get(place),
        };
        self.everywhere.iter().chain(here.into_iter().flatten()).copied()
    }
}

impl<'a> Near<'a> {
    /// Looks through activities and calls.
    pub fn new(activities: &'a [Activity], topology: &'a Topology) -> Self {
        let mut by_signal: FxHashMap<SignalId, Spoken> = FxHashMap::default();
        for (i, activity) in activities.iter().enumerate() {
            by_signal.entry(activity.signal).or_default().add(i, activity);
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
        let all = self.by_signal.get(&signal).into_iter().flat_map(|s| &s.all);
        all.filter_map(|i| self.activities.get(*i))
    }

    /// The activity of a signal that speaks loudest of a place, with what it is worth; `weight` is the signal's. Of equals the first.
    /// What is one call away says half as much, and nothing against a fault.
    pub fn loudest(&self, signal: SignalId, weight: f64, place: &str) -> Option<(f64, usize)> {
        let spoken = self.by_signal.get(&signal)?;
        let here = spoken.at(place).map(|i| (i, 1.0));
        let others = place.strip_prefix(HOST).filter(|_| weight >= 0.0).and_then(|host| self.calls.get(host));
        let beside = others.into_iter().flatten().filter_map(|other| spoken.hosts.get(other)).flatten().map(|i| (*i, 0.5));
        let worth = here.chain(beside).filter_map(|(i, near)| {
            let activity = self.activities.get(i)?;
            let worth = weight * activity.gain * activity.timing * near;
            (worth.abs() > FAINT).then_some((worth, i))
        });
        worth.max_by(|(x, i), (y, j)| x.abs().total_cmp(&y.abs()).then(j.cmp(i)))
    }
}

/// How the place of a host begins.
const HOST: &str = "host:";

/// What is worth less than this says nothing.
const FAINT: f64 = 0.05;
