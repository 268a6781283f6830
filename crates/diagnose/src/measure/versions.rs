//! What services say of their version: which one came when the trouble began.

use super::View;
use crate::entity::of_service;
use crate::names::{NONE, NameId};
use crate::requests::Request;
use crate::tally::Counter;
use std::collections::BTreeMap;

/// Versions change so long (s) before the trouble, or so little behind its beginning, if they have to do with it; they are restored so near to
/// its end.
pub(super) const CHANGED: i64 = 120;
pub(super) const CHANGING: i64 = 15;
pub(super) const RESTORED: i64 = 60;
/// What failed goes on for so long (s) behind the release that healed it, at the most.
pub(super) const HEALED: i64 = 8;
/// So many requests for the failing paths that were served well between the change and the trouble say that the version is not to blame; those
/// of the first seconds (s) do not count.
const SERVED: usize = 20;
pub(super) const SETTLED: i64 = 3;
/// What changes more often is no version of the service.
const CHANGES: usize = 6;

/// A version that a service told of.
struct Told {
    /// When, in seconds.
    second: i64,
    version: NameId,
    /// Source and line.
    line: (u32, u32),
}

/// Services whose version changes when the trouble begins.
pub(super) fn measure(view: &mut View<'_>) {
    // Two instances that log side by side may run in two versions for long.
    let mut told: BTreeMap<(u32, NameId, NameId), Vec<Told>> = BTreeMap::new();
    for (second, gauge) in view.evidence.gauges.iter().filter(|(_, gauge)| gauge.counter == Counter::Version) {
        told.entry((view.evidence.log_of(gauge.source), gauge.host, gauge.service)).or_default().push(Told {
            second: *second,
            version: gauge.of,
            line: (gauge.source, gauge.line),
        });
    }
    let (onset, end) = (view.incident.onset / 1000, view.incident.end / 1000);
    for ((_, host, service), mut told) in told {
        told.dedup_by_key(|told| told.version);
        if told.len() > CHANGES + 1 {
            continue;
        }
        let (host, service) = (view.evidence.text(host), view.evidence.text(service));
        let entity = of_service(service, host);
        let mut is_changed = false;
        for (at, pair) in told.windows(2).enumerate() {
            let [before, after] = pair else { continue };
            let note = format!("{} in place of {}", view.evidence.text(after.version), view.evidence.text(before.version));
            let is_back = told.get(..at).unwrap_or(&[]).iter().any(|earlier| earlier.version == after.version);
            // Between a good day and the bundle there may be many releases.
            if view.evidence.is_baseline(before.line.0 as usize) && !view.evidence.is_baseline(after.line.0 as usize) {
                continue;
            }
            if is_back && is_changed && (end - HEALED..=end + RESTORED).contains(&after.second) {
                view.add("version.restored", entity.clone(), onset * 1000, note, vec![after.line]);
            } else if !is_back
                && (onset - CHANGED..=onset + CHANGING).contains(&after.second)
                && !served_since(view, after.second + SETTLED, host)
            {
                is_changed = true;
                view.add("version.changed", entity.clone(), after.second * 1000, note, vec![after.line]);
            }
        }
    }
}

/// Whether the failing paths were served well from a second until the trouble began; where it is known who served, by one machine.
pub(super) fn served_since(view: &View<'_>, second: i64, host: &str) -> bool {
    let paths = view.failing_paths();
    let (from, onset) = (second * 1000, view.incident.onset);
    // In a rolling restart the others go on.
    let is_of_another = |r: &Request| {
        let asked = if r.of.upstream == NONE { r.of.server } else { r.of.upstream };
        asked != NONE && view.topology.behind(view.evidence.text(asked)).is_some_and(|behind| behind != host)
    };
    let between = view.evidence.requests.ended(&view.edge, from, onset - 1).map(|(_, r)| r).filter(|r| !is_of_another(r));
    from < onset && between.filter(|r| r.of.status < 400 && paths.contains(&r.of.path)).take(SERVED).count() >= SERVED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Evidence;
    use crate::rules::Pack;
    use crate::symptoms::Incident;
    use crate::tally::Gauge;
    use crate::topology::Topology;
    use whyline_event::Form;

    /// Which versions of a service are told of when (s), and what is found for an incident from second 100 to 200.
    fn found(told: &[(i64, &str)]) -> Vec<String> {
        let mut evidence = Evidence::default();
        let (host, service) = (evidence.names.id("app01"), evidence.names.id("shop"));
        for (line, (second, version)) in (1u32..).zip(told) {
            let of = evidence.names.id(version);
            let gauge = Gauge {
                source: 0,
                line,
                form: Form::Explicit,
                nanos: 0,
                host,
                service,
                counter: Counter::Version,
                of,
                value: 0.0,
                count: 1,
                is_growth: false,
            };
            evidence.gauges.push((*second, gauge));
        }
        let (topology, pack) = (Topology::default(), Pack::built_in().unwrap());
        let incident = Incident { symptoms: Vec::new(), onset: 100_000, end: 200_000, wait: 0 };
        let (affected, edge) = (Vec::new(), Vec::new());
        let mut view =
            View { evidence: &evidence, topology: &topology, pack: &pack, incident: &incident, affected, edge, found: Vec::new() };
        measure(&mut view);
        view.found.iter().map(|m| format!("{}: {}", pack.signals[m.signal as usize].id, m.note)).collect()
    }

    #[test]
    fn a_version_that_comes_with_the_trouble() {
        let (new, back) = ("version.changed: 2.8.0 in place of 2.7.4", "version.restored: 2.7.4 in place of 2.8.0");
        assert_eq!(found(&[(10, "2.7.4"), (98, "2.8.0")]), [new]);
        assert_eq!(found(&[(10, "2.7.4"), (98, "2.8.0"), (205, "2.7.4")]), [new, back]);
        // The same again, another hour, and what is no version of the service itself.
        assert!(found(&[(10, "2.7.4"), (98, "2.7.4")]).is_empty());
        assert!(found(&[(-9000, "2.7.4"), (-8000, "2.8.0")]).is_empty());
        let flips: Vec<(i64, &str)> = (0..20).map(|n| (90 + n, if n % 2 == 0 { "1.0.0" } else { "1.1.0" })).collect();
        assert!(found(&flips).is_empty());
    }
}
