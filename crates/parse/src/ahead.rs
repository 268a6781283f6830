//! Reading ahead, for output that is written while its only pass goes on.
//!
//! What only the whole bundle tells of a source ([`learnt`]) is needed by few: one without offsets over a night in which clocks are
//! set back, one that counts seconds since boot. Those, and whoever can tell of the boot, are read once before, where that is possible.

use crate::facts::Facts;
use crate::input::{Input, Place};
use crate::reading::{Bundle, Options, Sink, host_of, learnt, pass};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Form, Record, SourceId, Stamp, Zone};

/// Where nothing is told, clocks may be set back as in one of these: Europe, both Americas and the islands, the Near East, Africa,
/// Australia and New Zealand each have days of their own.
const ZONES: &[&str] = &[
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Sao_Paulo",
    "Asia/Jerusalem",
    "Asia/Beirut",
    "Asia/Amman",
    "Asia/Tehran",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Europe/Chisinau",
];
const DAY: i64 = 86_400;
/// Changes of a zone that are looked at: two a year.
const MOST_CHANGES: usize = 200;

struct Nothing;

impl Sink for Nothing {
    fn begin(&mut self, _source: SourceId, _number: u64) {}
    fn record(&mut self, _record: &Record<'_>) {}
    fn end(&mut self) {}
}

/// Reads those sources ahead that need it and can be read twice. Their facts, of which `facts` has what the heads tell, are complete
/// then, and their plans hold what was learnt.
pub fn read_ahead(bundle: &mut Bundle, facts: &mut [Facts], options: &Options) {
    let mut wanted: BTreeSet<usize> = (0..facts.len()).filter(|i| may_be_set_back(&bundle.inputs[*i], &facts[*i], options)).collect();
    let timeless: Vec<usize> = (0..facts.len()).filter(|i| facts[*i].boots.timeless > 0).collect();
    for i in timeless {
        let host = host_of(&bundle.inputs[i], &facts[i]);
        wanted.extend((0..facts.len()).filter(|j| *j == i || host.is_some() && host_of(&bundle.inputs[*j], &facts[*j]) == host));
    }
    let wanted: Vec<usize> = wanted.into_iter().filter(|i| can_be_read_twice(&bundle.inputs[*i])).collect();
    if wanted.is_empty() {
        return;
    }
    let part = Bundle {
        inputs: wanted.iter().map(|i| bundle.inputs[*i].clone()).collect(),
        plans: wanted.iter().map(|i| bundle.plans[*i].clone()).collect(),
        same_as: vec![None; wanted.len()],
        left_out: 0,
        problems: Vec::new(),
        progress: options.progress.clone(),
    };
    for (i, known) in wanted.into_iter().zip(pass(&part, options.threads, || Nothing).facts) {
        facts[i] = known;
    }
    learnt(bundle, facts, &options.told);
}

/// A pipe passes once; what came through one and is held says when it was written no more than the pipe did.
fn can_be_read_twice(input: &Input) -> bool {
    match &input.place {
        Place::File(_) => true,
        Place::Member { archive, .. } => matches!(**archive, Place::File(_)),
        Place::Stdin | Place::Stream(_) | Place::Memory(_) | Place::Spool(_) | Place::Flow(_) => false,
    }
}

/// Whether a source has stamps without offsets, and clocks are set back somewhere between its first stamp and its last change.
fn may_be_set_back(input: &Input, facts: &Facts, options: &Options) -> bool {
    let Some(modified) = input.source.modified else { return false };
    let near = Some(modified.saturating_mul(NANOS));
    let first = [Form::Civil, Form::NoYear].into_iter().filter_map(|form| facts.spans.get(&form).map(|span| (form, span.first)));
    let first = first.map(|(form, second)| {
        let stamp = Stamp { nanos: second.saturating_mul(NANOS), form, offset: None, digits: 0 };
        Clock { zone: Zone::Offset(0), near, ahead: 0 }.instant(&stamp).div_euclid(NANOS)
    });
    let Some(first) = first.min() else { return false };
    let host = host_of(input, facts);
    match options.told.zone_of(host) {
        Some(Zone::Offset(_)) => false,
        Some(Zone::Named(zone)) => is_set_back(zone, first, modified),
        None => ZONES.iter().filter_map(|name| TimeZone::get(name).ok()).any(|zone| is_set_back(&zone, first, modified)),
    }
}

/// Whether clocks of a zone are set back between two moments, in seconds, or a day or two around them.
fn is_set_back(zone: &TimeZone, first: i64, last: i64) -> bool {
    let (Ok(from), Ok(to)) = (Timestamp::from_second(first.saturating_sub(2 * DAY)), Timestamp::from_second(last.saturating_add(2 * DAY)))
    else {
        return false;
    };
    let mut before = zone.to_offset(from);
    for change in zone.following(from).take(MOST_CHANGES) {
        if change.timestamp() > to {
            break;
        }
        if change.offset() < before {
            return true;
        }
        before = change.offset();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::stamp::civil_seconds;

    #[test]
    fn clocks_are_set_back_in_autumn() {
        let day = |m: i64, d: i64| civil_seconds((2026, m, d), (12, 0, 0)).unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert!(is_set_back(&berlin, day(10, 20), day(10, 26)));
        assert!(!is_set_back(&berlin, day(11, 20), day(11, 21)));
        assert!(!is_set_back(&berlin, day(3, 28), day(3, 30)));
        assert!(is_set_back(&TimeZone::get("Australia/Sydney").unwrap(), day(4, 1), day(4, 6)));
        assert!(!is_set_back(&TimeZone::get("Asia/Tokyo").unwrap(), day(1, 1), day(12, 31)));
        assert!(ZONES.iter().all(|name| TimeZone::get(name).is_ok()));
    }
}
