//! Zones that a name server took anew right before names below them began to fail.
//!
//! What a zone holds stands in no log. That a name fails from the load of its zone on, and never before, says that the load took it away.

use super::View;
use crate::entity::parts;
use crate::evidence::Series;
use std::collections::BTreeMap;
use whyline_event::stamp::NANOS;

/// The signal of a load, which names the zone.
const LOADED: &str = "dns.zone-loaded";
/// The fault whose evidence tells of names that fail.
const FAULT: &str = "dns.name-not-found";
/// So long (s) before the first failure the zone was loaded: answers of before live on in caches.
const BEFORE: i64 = 60;
/// Clocks of two machines agree about so far (s).
const ROUGHLY: i64 = 2;

/// Names that fail from the load of their zone on.
pub(super) fn measure(view: &mut View<'_>) {
    let evidence = view.evidence;
    let (Some(loaded), Some(fault)) = (view.pack.signal(LOADED), view.pack.fault(FAULT)) else { return };
    let zones: Vec<(&str, &Series)> =
        evidence.series.iter().filter(|s| s.signal == loaded).map(|s| (parts(evidence.text(s.entity)).1, s)).collect();
    if zones.is_empty() {
        return;
    }
    let telling = |series: &&Series| view.pack.faults[fault].evidence.iter().any(|e| e.signal == series.signal && e.weight > 0.0);
    let mut failing: BTreeMap<&str, (i64, (u32, u32))> = BTreeMap::new();
    for series in evidence.series.iter().filter(telling) {
        let ("name", name, _) = parts(evidence.text(series.entity)) else { continue };
        let (Some((first, _)), Some(sample)) = (series.bins.first(), series.samples.first()) else { continue };
        let own = (*first, (series.source as u32, sample.line));
        failing.entry(name).and_modify(|known| *known = (*known).min(own)).or_insert(own);
    }
    let (onset, end) = (view.incident.onset / 1000, view.incident.end / 1000);
    for (name, (first, _)) in failing.into_iter().filter(|(_, (first, _))| (onset - BEFORE..=end).contains(first)) {
        let above = zones.iter().filter(|(zone, _)| is_below(name, zone));
        let loads = above.flat_map(|(zone, series)| series.bins.iter().map(move |(at, _)| (*at, *zone, *series)));
        let near = loads.filter(|(at, ..)| (first - BEFORE..=first + ROUGHLY).contains(at));
        let Some((second, zone, series)) = near.max_by_key(|(at, zone, series)| (*at, *zone, series.source)) else { continue };
        let lines = series.samples.iter().filter(|sample| sample.nanos.div_euclid(NANOS) == second);
        let cite = lines.map(|sample| (series.source as u32, sample.line)).take(1).collect();
        let note = match (first - second).max(0) {
            0 => format!("the zone {zone} was loaded in the second in which lookups of {name} began to fail"),
            n => format!("the zone {zone} was loaded {n} s before lookups of {name} began to fail"),
        };
        view.add("zone.loaded-before", format!("name:{name}"), second * 1000, note, cite);
    }
}

/// Whether a name lies in a zone.
fn is_below(name: &str, zone: &str) -> bool {
    let (name, zone) = (name.to_ascii_lowercase(), zone.to_ascii_lowercase());
    name == zone || name.strip_suffix(&zone).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn names_lie_in_zones() {
        let lies = [("rates.shop.lan", "shop.lan"), ("shop.lan", "SHOP.lan"), ("myshop.lan", "shop.lan"), ("shop.lan", "rates.shop.lan")];
        assert_eq!(lies.map(|(name, zone)| is_below(name, zone)), [true, true, false, false]);
    }
}
