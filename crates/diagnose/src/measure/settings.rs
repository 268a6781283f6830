//! What services say of their settings when they start: which one changed when the trouble began.

use super::View;
use super::versions::{CHANGED, CHANGING, HEALED, RESTORED, SETTLED, served_since};
use crate::entity::of_service;
use crate::names::NameId;
use crate::tally::Counter;
use std::collections::{BTreeMap, BTreeSet};

/// More settings than this differ between two programs, not between two starts of one.
const FEW: usize = 3;

/// What a service said of its settings when it started.
struct Start<'v> {
    /// When, in seconds.
    second: i64,
    settings: BTreeMap<&'v str, &'v str>,
    /// Source and line.
    line: (u32, u32),
}

/// What a start says otherwise than the one before, if it is a few settings of the same ones: `dbPoolMax 1 in place of 12`.
fn changes<'v>(before: &Start<'v>, after: &Start<'v>) -> Option<Vec<(&'v str, &'v str, &'v str)>> {
    if !before.settings.keys().eq(after.settings.keys()) {
        return None;
    }
    let pairs = before.settings.iter().zip(after.settings.values());
    let other: Vec<_> = pairs.filter(|((_, old), new)| old != new).map(|((name, old), new)| (*name, *old, *new)).collect();
    (1..=FEW).contains(&other.len()).then_some(other)
}

/// Services of which a setting changes when the trouble begins.
pub(super) fn measure(view: &mut View<'_>) {
    // By the log, the service, and which settings the line tells.
    let mut told: BTreeMap<(u32, NameId, NameId, Vec<&str>), Vec<Start<'_>>> = BTreeMap::new();
    let evidence = view.evidence;
    for (second, gauge) in evidence.gauges.iter().filter(|(_, gauge)| gauge.counter == Counter::Settings) {
        let settings: BTreeMap<&str, &str> = evidence.text(gauge.of).lines().filter_map(|line| line.split_once('=')).collect();
        let names = settings.keys().copied().collect();
        let start = Start { second: *second, settings, line: (gauge.source, gauge.line) };
        told.entry((evidence.log_of(gauge.source), gauge.host, gauge.service, names)).or_default().push(start);
    }
    let (onset, end) = (view.incident.onset / 1000, view.incident.end / 1000);
    for ((_, host, service, _), starts) in told {
        let restless = restless(&starts);
        let entity = of_service(evidence.text(service), evidence.text(host));
        let mut changed: Option<&Start<'_>> = None;
        for pair in starts.windows(2) {
            let [before, after] = pair else { continue };
            let Some(mut other) = changes(before, after) else { continue };
            other.retain(|(name, ..)| !restless.contains(name));
            if other.is_empty() || evidence.is_baseline(before.line.0 as usize) != evidence.is_baseline(after.line.0 as usize) {
                continue;
            }
            let said: Vec<String> = other.iter().map(|(name, old, new)| format!("{name} {new} in place of {old}")).collect();
            let note = said.join(", ");
            let is_back = changed.is_some_and(|original| other.iter().all(|(name, _, new)| original.settings.get(name) == Some(new)));
            let is_kept = other.iter().all(|(name, ..)| is_keep_alive(name));
            if is_back && !is_kept && (end - HEALED..=end + RESTORED).contains(&after.second) {
                view.add("setting.restored", entity.clone(), onset * 1000, note, vec![after.line]);
            } else if (onset - CHANGED..=onset + CHANGING).contains(&after.second)
                && !served_since(view, after.second + SETTLED, evidence.text(host))
            {
                changed = Some(before);
                view.add(
                    if is_kept { "setting.keepalive-changed" } else { "setting.changed" },
                    entity.clone(),
                    after.second * 1000,
                    note,
                    vec![before.line, after.line],
                );
            }
        }
    }
}

/// Whether a setting says how long connections are kept, which must fit what the other side expects.
fn is_keep_alive(name: &str) -> bool {
    name.to_lowercase().replace(['-', '_'], "").contains("keepalive")
}

/// What differs from line to line, which is no setting.
fn restless<'v>(starts: &[Start<'v>]) -> BTreeSet<&'v str> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for pair in starts.windows(2) {
        let [before, after] = pair else { continue };
        for ((name, old), new) in before.settings.iter().zip(after.settings.values()) {
            *times.entry(name).or_default() += usize::from(old != new);
        }
    }
    times.into_iter().filter(|(_, n)| *n > FEW).map(|(name, _)| name).collect()
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

    /// What a service tells at its starts (s), and what is found for an incident from second 100 to 200.
    fn found(told: &[(i64, &str)]) -> Vec<String> {
        let mut evidence = Evidence::default();
        let (host, service) = (evidence.names.id("app01"), evidence.names.id("shop"));
        for (line, (second, settings)) in (1u32..).zip(told) {
            let of = evidence.names.id(settings);
            let counter = Counter::Settings;
            let gauge = Gauge {
                source: 0,
                line,
                form: Form::Explicit,
                nanos: 0,
                host,
                service,
                counter,
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
    fn a_setting_that_changes_with_the_trouble() {
        let (new, back) = ("setting.changed: max 1 in place of 12", "setting.restored: max 12 in place of 1");
        assert_eq!(found(&[(10, "env=prod\nmax=12\n"), (98, "env=prod\nmax=1\n")]), [new]);
        assert_eq!(found(&[(10, "env=prod\nmax=12\n"), (98, "env=prod\nmax=1\n"), (205, "env=prod\nmax=12\n")]), [new, back]);
        // The same again, another hour, another program, and what is new at every start.
        assert!(found(&[(10, "max=12\n"), (98, "max=12\n")]).is_empty());
        assert!(found(&[(-9000, "max=12\n"), (-8000, "max=1\n")]).is_empty());
        assert!(found(&[(10, "max=12\n"), (98, "env=prod\n")]).is_empty());
        let often: Vec<(i64, String)> = (0..9).map(|n| (90 + n, format!("seed={n}\n"))).collect();
        assert!(found(&often.iter().map(|(second, text)| (*second, text.as_str())).collect::<Vec<_>>()).is_empty());
    }
}
