//! Packet filters whose rules are changed when the trouble begins, and again when it ends.

use super::View;
use std::collections::BTreeMap;

/// The signal of a change.
const CHANGED: &str = "firewall.changed";
/// A change takes effect so many seconds before the trouble at most, or with its first traces.
const BEFORE: i64 = 5;
const WITH: i64 = 2;
/// It is taken back so many seconds round the end.
const ROUND: i64 = 5;
/// A trouble that is as short as that is bracketed by accident.
const LEAST: i64 = 30;

/// Changes, each with its second and its line: with the beginning of the trouble, with its end, and at any other time.
type Changes = [Vec<(i64, (u32, u32))>; 3];

/// Machines on which the rules are changed at both ends of the trouble, and at no other time.
pub(super) fn measure(view: &mut View<'_>) {
    let evidence = view.evidence;
    let Some(changed) = view.pack.signal(CHANGED) else { return };
    let (onset, end) = (view.incident.onset.div_euclid(1000), view.incident.end.div_euclid(1000));
    if end - onset < LEAST {
        return;
    }
    let mut machines: BTreeMap<&str, Changes> = BTreeMap::new();
    for series in evidence.series.iter().filter(|series| series.signal == changed) {
        for sample in &series.samples {
            let second = sample.nanos.div_euclid(1_000_000_000);
            let at = match second {
                _ if (onset - BEFORE..=onset + WITH).contains(&second) => 0,
                _ if (end - ROUND..=end + ROUND).contains(&second) => 1,
                _ => 2,
            };
            if let Some(list) = machines.entry(evidence.text(series.host)).or_default().get_mut(at) {
                list.push((second, (series.source as u32, sample.line)));
            }
        }
    }
    let found: Vec<_> = machines
        .into_iter()
        .filter(|(host, [first, back, others])| !host.is_empty() && !first.is_empty() && !back.is_empty() && others.is_empty())
        .collect();
    for (host, [first, back, _]) in found {
        let (Some((begun, one)), Some((_, other))) = (first.first(), back.first()) else { continue };
        let note = format!("on {host} with the first failure and with the last, and at no other time");
        view.add("firewall.changed-and-back", format!("host:{host}"), begun * 1000, note, vec![*one, *other]);
    }
}
