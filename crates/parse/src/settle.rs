//! Settling the clocks of a bundle: the zone and the year of every source, and how far machines' clocks are apart.
//!
//! Options overrule. Else a source's zone comes from what is certain: the stamps of its envelopes; then from agreement with
//! sources that are settled already and log the same moments (request ids, then requests by path); then from its own
//! machine; then from where its records would lie beside those of the others (both in [`beside`]); at last it is UTC. Each step says so.

use crate::beside;
use crate::facts::{Facts, date_in_name};
use crate::peak::peak;
use crate::restarts::agree;
use crate::rotation;
use std::collections::BTreeMap;
use whyline_event::stamp::{NANOS, nanos_civil};
use whyline_event::{Clock, Form, Stamp, Zone};

/// What the user said about clocks.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Zone of every source without offsets, unless its host is listed.
    pub zone: Option<Zone>,
    /// Zones of single hosts.
    pub zones: Vec<(String, Zone)>,
    /// Year of the first stamp without one.
    pub year: Option<i16>,
}

impl Told {
    /// What was said of a host, else of all.
    pub fn zone_of(&self, host: Option<&str>) -> Option<&Zone> {
        let own = self.zones.iter().find(|(name, _)| Some(name.as_str()) == host).map(|(_, zone)| zone);
        own.or(self.zone.as_ref())
    }
}

/// How the zone of a source was settled.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// Every stamp carries its offset.
    Explicit,
    /// The user said so.
    Told,
    /// The envelope's stamps carry an offset.
    Envelope,
    /// So many moments are logged by this source and a neighbour.
    Moments {
        /// Path of the neighbour.
        with: String,
        /// Number of moments that agree.
        pairs: usize,
    },
    /// So many restarts were seen by this source and a neighbour.
    Restarts {
        /// Path of the neighbour.
        with: String,
        /// Number of restarts that agree.
        pairs: usize,
    },
    /// As the stamps of the same source that carry an offset.
    Own,
    /// As the other pieces of the same rotated log.
    Set,
    /// As the other logs of the same machine say.
    Host,
    /// Only so its records lie beside those of the other sources.
    Overlap,
    /// Nothing told otherwise.
    Assumed,
    /// There are no stamps.
    None,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Why::Explicit => f.write_str("in the stamps"),
            Why::Told => f.write_str("as told by --tz"),
            Why::Envelope => f.write_str("by the stamps of its envelope"),
            Why::Moments { with, pairs } => write!(f, "{pairs} moments agree with {with}"),
            Why::Restarts { with, pairs } => write!(f, "{pairs} restarts agree with {with}"),
            Why::Own => f.write_str("as its stamps with an offset or in UTC"),
            Why::Set => f.write_str("as the rest of the rotated log"),
            Why::Host => f.write_str("as its host's other logs"),
            Why::Overlap => f.write_str("only so it lies beside the others"),
            Why::Assumed => f.write_str("assumed"),
            Why::None => f.write_str("no stamps"),
        }
    }
}

/// The clock of one source, and how it was found.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The clock.
    pub clock: Clock,
    /// Where the zone comes from.
    pub why: Why,
    /// The zone as people write it.
    pub zone: String,
    /// For a clock that is ahead or behind: how many moments say so.
    pub ahead_pairs: usize,
}

/// One source, as far as settling needs it.
pub struct Item<'a> {
    /// Path.
    pub path: &'a str,
    /// Host, if known.
    pub host: Option<&'a str>,
    /// When the file was changed.
    pub modified: Option<i64>,
    /// What it tells.
    pub facts: &'a Facts,
}

const QUARTER: i64 = 900;

/// Whether clocks anywhere are apart from UTC by so many quarters of an hour: by whole hours, or by one of the few other offsets that the
/// time zone database has for this century.
fn is_in_use(quarters: i64) -> bool {
    const ODD: &[i64] = &[-38, -18, -14, -10, 14, 18, 22, 23, 26, 34, 35, 38, 42, 46, 51, 55];
    (-12 * 4..=14 * 4).contains(&quarters) && (quarters % 4 == 0 || ODD.contains(&quarters))
}

/// Clocks further apart than this are taken for a wrong agreement, not for a wrong clock.
const MOST_AHEAD: i64 = 300;

/// Settles all clocks of a bundle. The answer is in the order of `items`.
pub fn settle(items: &[Item<'_>], told: &Told) -> Vec<Settled> {
    let mut zones: Vec<Option<(Zone, Why)>> = items.iter().map(|i| certain(i, told)).collect();
    let sets = rotation::sets(items.iter().map(|i| i.path));
    let mut near = reference_year(items, told);
    by_rotation(items, &sets, &mut near);
    // Where nothing is certain, the richest source stands for UTC, so that the others can be laid beside it.
    if zones.iter().all(|z| !matches!(z, Some((_, why)) if *why != Why::None)) {
        let richest = (0..items.len()).filter(|i| local(items[*i].facts).is_some()).max_by_key(|i| {
            let f = items[*i].facts;
            (f.ids.len() + f.paths.len(), f.spans.values().map(|s| s.count).sum::<u64>(), std::cmp::Reverse(*i))
        });
        if let Some(i) = richest {
            zones[i] = Some((Zone::Offset(0), Why::Assumed));
        }
    }
    by_moments(items, &mut zones, &near);
    by_restarts(items, &mut zones, &near);
    by_set(items, &sets, &mut zones);
    beside::settle(items, &mut zones, &near);
    let mut settled: Vec<Settled> = items
        .iter()
        .zip(zones)
        .enumerate()
        .map(|(i, (item, zone))| {
            let (zone, why) = zone.unwrap_or((Zone::Offset(0), Why::Assumed));
            let label = match why {
                Why::Explicit => explicit_label(item.facts),
                Why::None => "-".into(),
                _ => local_label(&zone, item.facts),
            };
            Settled { clock: Clock { zone, near: near[i], ahead: 0 }, why, zone: label, ahead_pairs: 0 }
        })
        .collect();
    crate::skew::measure(items, &mut settled);
    settled
}

/// The local form that most of a source's records have, if any record has one.
pub(crate) fn local(facts: &Facts) -> Option<Form> {
    [Form::Civil, Form::NoYear, Form::TimeOnly].into_iter().filter(|f| facts.spans.contains_key(f)).max_by_key(|f| facts.spans[f].count)
}

fn explicit_label(facts: &Facts) -> String {
    match facts.offsets.iter().max_by_key(|(_, n)| **n) {
        Some((offset, _)) => Zone::Offset(*offset).label(),
        None => "UTC".into(),
    }
}

/// A zone as people write it; both offsets where the clock was set back at the end of summer time.
fn local_label(zone: &Zone, facts: &Facts) -> String {
    match zone {
        Zone::Offset(offset) if facts.is_set_back() => {
            format!("{} then {}", zone.label(), Zone::Offset(offset.saturating_sub(3600)).label())
        }
        _ => zone.label(),
    }
}

/// What needs no neighbours: no local stamps at all, an option, the envelope.
fn certain(item: &Item<'_>, told: &Told) -> Option<(Zone, Why)> {
    let facts = item.facts;
    if local(facts).is_none() {
        let why = if facts.spans.is_empty() { Why::None } else { Why::Explicit };
        return Some((Zone::Offset(0), why));
    }
    if let Some((_, zone)) = told.zones.iter().find(|(host, _)| Some(host.as_str()) == item.host) {
        return Some((zone.clone(), Why::Told));
    }
    if let Some(zone) = &told.zone {
        return Some((zone.clone(), Why::Told));
    }
    let total: u64 = facts.inside.values().sum();
    let mut quarters: BTreeMap<i64, u64> = BTreeMap::new();
    for (minutes, count) in &facts.inside {
        let quarter = (i64::from(*minutes) * 60 + QUARTER / 2).div_euclid(QUARTER);
        if (i64::from(*minutes) * 60 - quarter * QUARTER).abs() <= 180 {
            *quarters.entry(quarter).or_default() += count;
        }
    }
    if let Some((quarter, count)) = quarters.into_iter().max_by_key(|(_, n)| *n) {
        let agree = count >= 3 && count * 10 >= total * 8 || count == total;
        // Seconds since 1970 are the only stamps in UTC that carry no offset of their writer's choice.
        let written: u64 = facts.offsets.values().sum();
        let is_by_epochs = facts.spans.get(&Form::Explicit).is_some_and(|span| span.count > written);
        let why = if is_by_epochs { Why::Own } else { Why::Envelope };
        return agree.then(|| (Zone::Offset((quarter * QUARTER) as i32), why));
    }
    by_own_offset(facts)
}

/// A source of which some lines carry an offset and others none (gunicorn's own beside those of Python's logging): that offset is the zone of the
/// others, too, where they lie between the stamps that carry it.
fn by_own_offset(facts: &Facts) -> Option<(Zone, Why)> {
    const FEWEST: u64 = 10;
    const SLACK: i64 = 120;
    let (explicit, civil) = (facts.spans.get(&Form::Explicit)?, facts.spans.get(&Form::Civil)?);
    let (offset, count) = facts.offsets.iter().max_by_key(|(_, n)| **n)?;
    let total: u64 = facts.offsets.values().sum();
    let zone = Zone::Offset(*offset);
    let at = |second: i64| zone.to_utc(second.saturating_mul(NANOS)).div_euclid(NANOS);
    let lies_between = at(civil.first) >= explicit.first - SLACK && at(civil.last) <= explicit.last + SLACK;
    (*count >= FEWEST && count * 10 >= total * 9 && lies_between).then_some((zone, Why::Own))
}

/// An instant near to each source's stamps without year.
///
/// By stamps of the bundle that carry a full date; else by `--year`; else by a date in the name; at last by the time of the file.
fn reference_year(items: &[Item<'_>], told: &Told) -> Vec<Option<i64>> {
    let bundle = dated(items);
    items
        .iter()
        .map(|item| {
            let own = item.facts.spans.get(&Form::Explicit).or_else(|| item.facts.spans.get(&Form::Civil)).map(|s| s.last);
            let known = own.filter(|s| DATED.contains(s)).or(bundle).map(|s| s.saturating_mul(NANOS));
            let told = || told.year.and_then(|year| told_near(item.facts, year));
            let near = known.or_else(told).or_else(|| date_in_name(item.path).or(item.modified).map(|s| s.saturating_mul(NANOS)));
            if item.facts.leap_day { near.map(|near| near_leap_day(item.facts, near)) } else { near }
        })
        .collect()
}

/// A log with a 29 February is of a year that has one, the nearest to what is known otherwise, and so are the lines around it.
fn near_leap_day(facts: &Facts, near: i64) -> i64 {
    // As far as a clock looks back and ahead from what it knows.
    const BACK: i64 = 304 * 86_400 * NANOS;
    const AHEAD: i64 = 61 * 86_400 * NANOS;
    let Some(day) = Stamp::no_year(2, 29, (12, 0, 0), 0, 0) else { return near };
    let at = Clock { near: Some(near), ..Clock::default() }.instant(&day);
    if (near.saturating_sub(BACK)..=near.saturating_add(AHEAD)).contains(&at) {
        return near;
    }
    // A log that begins behind February began in the year before.
    let year = nanos_civil(at).map(|when| when.year());
    let later = facts.first_no_year.is_some_and(|(_, first)| first > day.nanos);
    year.and_then(|year| told_near(facts, if later { year - 1 } else { year })).unwrap_or(at)
}

/// Seconds that may be the time of a log: the years 1990 to 2099.
const DATED: std::ops::Range<i64> = 631_152_000..4_102_444_800;

/// When the sources of a bundle that write full dates end, in seconds: the middle one of them.
fn dated(items: &[Item<'_>]) -> Option<i64> {
    let full = |i: &Item<'_>| -> Vec<i64> {
        i.facts.spans.iter().filter(|(f, _)| matches!(f, Form::Explicit | Form::Civil)).map(|(_, s)| s.last).collect()
    };
    let mut ends: Vec<i64> = items.iter().flat_map(full).filter(|s| DATED.contains(s)).collect();
    ends.sort_unstable();
    ends.get(ends.len() / 2).copied()
}

/// Without a year, the pieces of a rotated log follow each other: an older one begins no later than the next.
fn by_rotation(items: &[Item<'_>], sets: &[Vec<usize>], near: &mut [Option<i64>]) {
    // Clocks of pieces may be read a little apart, and zones are not known yet.
    const SLACK: i64 = 2 * 86_400 * NANOS;
    const YEAR: i64 = 365 * 86_400 * NANOS;
    for set in sets {
        let mut next: Option<i64> = None;
        for &i in set.iter().rev() {
            let (Some((_, first)), Some(mut at)) = (items[i].facts.first_no_year, near[i]) else { continue };
            let begins = |at: i64| {
                let stamp = whyline_event::Stamp { nanos: first, form: Form::NoYear, offset: None, digits: 0 };
                Clock { zone: Zone::Offset(0), near: Some(at), ahead: 0 }.instant(&stamp)
            };
            if let Some(next) = next {
                // A log is not kept for longer than a few years.
                for _ in 0..5 {
                    if begins(at) <= next.saturating_add(SLACK) {
                        break;
                    }
                    at -= YEAR;
                }
            }
            near[i] = Some(at);
            next = Some(begins(at));
        }
    }
}

/// The pieces of a rotated log were written by one program: what settles one of them settles all that are like it.
fn by_set(items: &[Item<'_>], sets: &[Vec<usize>], zones: &mut [Option<(Zone, Why)>]) {
    for set in sets {
        let settled = set.iter().rev().find_map(|i| match &zones[*i] {
            Some((zone, Why::Told | Why::Envelope | Why::Moments { .. } | Why::Restarts { .. })) => {
                Some((zone.clone(), local(items[*i].facts)))
            }
            _ => None,
        });
        let Some((zone, form)) = settled else { continue };
        for &i in set {
            if zones[i].is_none() && local(items[i].facts) == form {
                zones[i] = Some((zone.clone(), Why::Set));
            }
        }
    }
}

/// With `--year`: what the year of a clock is to lie near to, so that the source's first stamp is in that year and the others follow
/// within twelve months.
fn told_near(facts: &Facts, year: i16) -> Option<i64> {
    // A clock looks ten months back; a few records may stand out of order.
    const AHEAD: i64 = 300 * 86_400 * NANOS;
    let first = nanos_civil(facts.first_no_year?.1)?;
    let moved = first.with().year(year).build().ok().or_else(|| first.with().year(year).day(28).build().ok())?;
    whyline_event::stamp::civil_nanos(moved)?.checked_add(AHEAD)
}

/// Votes of neighbours: for an offset in quarters of an hour how many pairs speak for it, and the first neighbour that has any.
type Votes = BTreeMap<i64, (usize, usize)>;

/// Gives sources the offset that neighbours with a known zone vote for, as long as one is found: what is settled votes on the next ones.
/// `agree` says by how many quarters of an hour the first of two sources, on their clocks, is apart from the second, and by how many
/// pairs; `elect` chooses among the votes; `why` names the neighbour and the pairs.
fn by_neighbours(
    items: &[Item<'_>],
    zones: &mut [Option<(Zone, Why)>],
    near: &[Option<i64>],
    agree: impl Fn((&Item<'_>, &Clock), (&Item<'_>, &Clock)) -> Option<(i64, usize)>,
    elect: impl Fn(&Votes) -> Option<i64>,
    why: impl Fn(String, usize) -> Why,
) {
    let clock = |i: usize, zone: Zone| Clock { zone, near: near[i], ahead: 0 };
    loop {
        let mut changed = false;
        for i in 0..items.len() {
            if zones[i].is_some() {
                continue;
            }
            let mine = clock(i, Zone::Offset(0));
            let mut votes = Votes::new();
            for (j, zone) in zones.iter().enumerate() {
                let Some((zone, _)) = zone.as_ref().filter(|(_, why)| i != j && *why != Why::None) else { continue };
                let found = agree((&items[i], &mine), (&items[j], &clock(j, zone.clone())));
                if let Some((quarter, pairs)) = found.filter(|(quarter, _)| is_in_use(*quarter)) {
                    votes.entry(quarter).or_insert((0, j)).0 += pairs;
                }
            }
            if let Some(quarter) = elect(&votes)
                && let Some((pairs, with)) = votes.get(&quarter)
            {
                zones[i] = Some((Zone::Offset((quarter * QUARTER) as i32), why(items[*with].path.to_string(), *pairs)));
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

/// Requests that two sources logged: by id, else by method and path.
fn by_moments(items: &[Item<'_>], zones: &mut [Option<(Zone, Why)>], near: &[Option<i64>]) {
    let agree = |(a, mine): (&Item<'_>, &Clock), (b, theirs): (&Item<'_>, &Clock)| {
        let by_id = peak(&a.facts.ids, mine, &b.facts.ids, theirs).filter(|p| p.pairs >= 3 && p.next * 2 <= p.pairs);
        let found = by_id.or_else(|| {
            peak(&a.facts.paths, mine, &b.facts.paths, theirs).filter(|p| p.pairs >= 6 && p.next * 2 <= p.pairs && p.is_common())
        })?;
        let seconds = found.at.div_euclid(1000);
        let quarter = (seconds + QUARTER / 2).div_euclid(QUARTER);
        ((seconds - quarter * QUARTER).abs() <= MOST_AHEAD).then_some((quarter, found.pairs))
    };
    let elect = |votes: &Votes| votes.iter().max_by_key(|(_, (pairs, _))| *pairs).map(|(quarter, _)| *quarter);
    by_neighbours(items, zones, near, agree, elect, |with, pairs| Why::Moments { with, pairs });
}

/// Restarts that two sources saw; see [`crate::restarts`] for how many are asked for and why.
fn by_restarts(items: &[Item<'_>], zones: &mut [Option<(Zone, Why)>], near: &[Option<i64>]) {
    let agree = |(a, mine): (&Item<'_>, &Clock), (b, theirs): (&Item<'_>, &Clock)| {
        let same_host = a.host.is_some() && a.host == b.host;
        agree((&a.facts.restarts, mine), (&b.facts.restarts, theirs), same_host)
    };
    let elect = |votes: &Votes| {
        let mut votes: Vec<(usize, usize, i64)> = votes.iter().map(|(quarter, (pairs, with))| (*pairs, *with, *quarter)).collect();
        votes.sort_unstable_by(|a, b| b.cmp(a));
        // Neighbours that do not agree with each other say nothing.
        let best = votes.first().filter(|best| votes.get(1).is_none_or(|next| next.0 * 3 <= best.0));
        best.map(|(_, _, quarter)| *quarter)
    };
    by_neighbours(items, zones, near, agree, elect, |with, pairs| Why::Restarts { with, pairs });
}

/// Puts `--year` into the clocks of a bundle in which no stamp carries a full date.
pub fn tell_year(settled: &mut [Settled], items: &[Item<'_>], told: &Told) {
    let Some(year) = told.year.filter(|_| dated(items).is_none()) else { return };
    for (s, item) in settled.iter_mut().zip(items) {
        if let Some(near) = told_near(item.facts, year) {
            s.clock.near = Some(if item.facts.leap_day { near_leap_day(item.facts, near) } else { near });
        }
    }
    // Of a rotated log, the year is that of the first stamp of all; the pieces behind follow.
    for set in rotation::sets(items.iter().map(|i| i.path)) {
        let mut before: Option<i64> = None;
        for i in set {
            let Some((_, first)) = items[i].facts.first_no_year else { continue };
            let stamp = whyline_event::Stamp { nanos: first, form: Form::NoYear, offset: None, digits: 0 };
            let mut at = settled[i].clock.instant(&stamp);
            if let (Some(before), Some(near)) = (before, settled[i].clock.near)
                && at < before - 2 * 86_400 * NANOS
                && let Some(later) = told_near(items[i].facts, year.saturating_add(1)).filter(|l| *l > near)
            {
                settled[i].clock.near = Some(later);
                at = settled[i].clock.instant(&stamp);
            }
            before = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Span;

    #[test]
    fn local_lines_take_the_offset_of_their_own_source() {
        let found = |explicit: (i64, i64), civil: (i64, i64), offsets: &[(i32, u64)]| {
            let span = |(first, last)| Span { first, last, count: 100 };
            let mut facts = Facts::default();
            facts.spans = [(Form::Explicit, span(explicit)), (Form::Civil, span(civil))].into();
            facts.offsets = offsets.iter().copied().collect();
            by_own_offset(&facts).map(|(zone, _)| zone.label())
        };
        let (noon, hour) = (1_795_262_400, 3600);
        let local = (noon + hour + 5, noon + 2 * hour);
        assert_eq!(found((noon, noon + hour), local, &[(3600, 100)]), Some("+01:00".into()));
        // Lines in UTC beside stamps with an offset, few stamps, and stamps of several zones.
        assert_eq!(found((noon, noon + hour), (noon + 5, noon + hour), &[(3600, 100)]), None);
        assert_eq!(found((noon, noon + hour), local, &[(3600, 3)]), None);
        assert_eq!(found((noon, noon + hour), local, &[(3600, 100), (0, 100)]), None);
    }

    #[test]
    fn offsets_that_clocks_have() {
        // Of UTC, Zurich, Honolulu, Newfoundland, Kathmandu, Adelaide and the Chatham Islands in summer.
        for quarters in [0, 4, -40, -14, 23, 38, 55] {
            assert!(is_in_use(quarters), "{quarters}");
        }
        // A quarter of an hour, and what no clock is apart from UTC.
        for quarters in [-1, 1, 2, 5, -15, 57, 60, -49] {
            assert!(!is_in_use(quarters), "{quarters}");
        }
    }
}
