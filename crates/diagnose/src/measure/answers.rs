//! What others answered to the calls of a service, as its client libraries tell.

use super::View;
use crate::entity::endpoint;
use crate::names::NameId;
use crate::tally::Counter;
use std::collections::BTreeMap;

/// So many failed calls are no stray ones.
const CALLS: u64 = 8;
/// What lies so long (s) before the incident is the time before it.
const BEFORE: i64 = 10;

/// Calls to one endpoint, told by one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Calls {
    /// How many failed, and how many there were, before the incident and while it lasted.
    before: (u64, u64),
    during: (u64, u64),
    /// Second and line of the first that failed while it lasted.
    first: Option<(i64, u32)>,
}

impl Calls {
    fn add(&mut self, (second, line): (i64, u32), count: u64, failed: bool, (onset, end): (i64, i64)) {
        let is_during = (onset - BEFORE..=end + BEFORE).contains(&second);
        let of = match second {
            _ if is_during => &mut self.during,
            _ if second < onset => &mut self.before,
            _ => return,
        };
        of.1 += count;
        if failed {
            of.0 += count;
            if is_during {
                self.first = Some(self.first.map_or((second, line), |first| first.min((second, line))));
            }
        }
    }

    /// Whether a good part of the calls fails, three times the part that failed before. Who was never called before is judged by himself.
    fn fail(&self) -> bool {
        let ((bad, all), (bad_before, before)) = (self.during, self.before);
        bad >= CALLS && bad * 4 >= all && bad * before >= 3 * bad_before * all
    }
}

pub(super) fn measure(view: &mut View<'_>) {
    let stretch = (view.incident.onset.div_euclid(1000), view.incident.end.div_euclid(1000));
    let mut of: BTreeMap<(u32, NameId, NameId, NameId), Calls> = BTreeMap::new();
    for (second, gauge) in view.evidence.gauges.iter().filter(|(_, gauge)| gauge.counter == Counter::Answer) {
        let calls = of.entry((gauge.source, gauge.host, gauge.service, gauge.of)).or_default();
        calls.add((*second, gauge.line), u64::from(gauge.count), gauge.value > 0.0, stretch);
    }
    for ((source, _, _, end), calls) in of.into_iter().filter(|(_, calls)| calls.fail()) {
        let Some((second, line)) = calls.first else { continue };
        let end = view.evidence.text(end).to_string();
        let note = format!("{} of {} calls to {end} were answered with an error of the server", calls.during.0, calls.during.1);
        view.add("dependency.failing-calls", endpoint(&end), second * 1000, note, vec![(source, line)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls by second and whether they failed, in an incident from 100 s to 160 s.
    fn calls(all: impl Iterator<Item = (i64, bool)>) -> Calls {
        let mut calls = Calls::default();
        (1..).zip(all).for_each(|(line, (second, failed))| calls.add((second, line), 1, failed, (100, 160)));
        calls
    }

    #[test]
    fn calls_fail_where_many_more_do_than_before() {
        let good = |from: i64, n: i64| (from..from + n).map(|second| (second, false));
        let bad = |from: i64, n: i64| (from..from + n).map(|second| (second, true));
        let found = calls(good(0, 80).chain(bad(95, 20)).chain(good(120, 10)));
        assert_eq!((found.before, found.during, found.first), ((0, 80), (20, 30), Some((95, 81))));
        assert!(found.fail());
        assert!(calls(bad(100, 9)).fail(), "never called before");
        assert!(!calls(bad(100, 7)).fail(), "a handful");
        assert!(!calls(good(100, 50).chain(bad(110, 10))).fail(), "a sixth");
        assert!(!calls(bad(0, 20).chain(good(20, 40)).chain(bad(100, 30)).chain(good(130, 30))).fail(), "hardly more than before");
        assert!(!calls(good(0, 50).chain(bad(300, 20))).fail(), "afterwards");
    }
}
