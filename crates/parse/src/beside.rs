//! Zones by the company that a source keeps: its own machine, and where its records would lie beside those of the others.
//!
//! What is settled by stronger means is the *frame*. A source that begins before the frame says nothing by that, for logs reach back as
//! far as they please; nor does one that ends before it, for programs die. Only what the frame and the source can have in common counts.

use crate::settle::{Item, Why};
use std::cmp::Reverse;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Form, Stamp, Zone};

/// What is gathered for a report ends at about the same time, and clocks are a little apart.
const SLACK: i64 = 300;

/// What speaks more seldom than once a day says nothing about when a bundle ends.
const DAY: i64 = 86_400;

/// Offsets that are no whole hours, by how many people live there.
const ODD: [i32; 7] = [19800, 20700, 12600, 16200, 34200, -12600, 23400];

/// First and last second of something.
type Stretch = (i64, i64);

/// Gives the sources that have no zone yet that of their machine, or one at which they lie beside the others.
pub(crate) fn settle(items: &[Item<'_>], zones: &mut [Option<(Zone, Why)>], near: &[Option<i64>]) {
    let around = Around::of(items, zones, near);
    let decided: Vec<_> = (0..items.len()).map(|i| around.zones[i].is_none().then(|| around.decide(i)).flatten()).collect();
    for (zone, found) in zones.iter_mut().zip(decided) {
        if zone.is_none() {
            *zone = found;
        }
    }
}

/// What is known when the zones of the last sources are looked for.
struct Around<'a> {
    items: &'a [Item<'a>],
    zones: Vec<Option<(Zone, Why)>>,
    near: &'a [Option<i64>],
    /// Where the settled sources lie.
    frame: Vec<(usize, Stretch)>,
    /// Until when they may go on without a word.
    silent: Option<i64>,
}

/// The stretches beside which a source may lie.
struct Frames {
    /// Of its own machine.
    host: Option<Stretch>,
    /// Of the whole bundle.
    bundle: Option<Stretch>,
    /// When the bundle has ended for sure: a source that speaks once in an hour goes on for an hour after its last word.
    silent: Option<i64>,
}

impl Frames {
    /// How much of what a source and the frames can have in common, they have.
    fn fit(&self, at: Stretch) -> f64 {
        let beside = |frame: Option<Stretch>| frame.map_or(0.0, |frame| overlap(at, frame));
        beside(self.host).max(beside(self.bundle) * 0.95)
    }

    /// Whether a place that touches the frames is to be left for one at which the source lies inside them: only what is no longer than
    /// the bundle can lie inside it, and only what goes on when all others have ended is out of place. Sources of the same length begin
    /// and end together.
    fn is_left(&self, at: Stretch, better: Stretch) -> bool {
        let Some((from, to)) = self.bundle else { return false };
        let inside = better.0 >= from - SLACK && better.1 <= to + SLACK;
        let together = (better.0 - from).abs() <= SLACK && (better.1 - to).abs() <= SLACK;
        inside && self.fit(at) < 0.8 && (at.1 > self.silent.unwrap_or(to).max(to + SLACK) || together)
    }
}

/// Share of what `at` and the frame, widened a little, can have in common: the shorter of the two.
fn overlap(at: Stretch, frame: Stretch) -> f64 {
    let (from, to) = (frame.0 - SLACK, frame.1 + SLACK);
    let most = (at.1 - at.0).min(frame.1 - frame.0).max(0);
    let common = at.1.min(to) - at.0.max(from);
    match most {
        0 => f64::from(u8::from(common >= 0)),
        _ => common.clamp(0, most) as f64 / most as f64,
    }
}

/// The stretch that holds all of these.
fn hull(all: impl Iterator<Item = Stretch>) -> Option<Stretch> {
    all.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
}

impl<'a> Around<'a> {
    fn of(items: &'a [Item<'a>], zones: &[Option<(Zone, Why)>], near: &'a [Option<i64>]) -> Self {
        let mut around = Around { items, zones: zones.to_vec(), near, frame: Vec::new(), silent: None };
        let settled = |(i, zone): (usize, &Option<(Zone, Why)>)| {
            let (zone, _) = zone.as_ref().filter(|(_, why)| *why != Why::None)?;
            Some((i, around.stretch(i, zone)?))
        };
        around.frame = zones.iter().enumerate().filter_map(settled).collect();
        around.silent = around.frame.iter().map(|(i, at)| at.1.saturating_add(around.pace(*i, *at))).max();
        around
    }

    /// How long a source is silent between two of its records, a day at most.
    fn pace(&self, i: usize, at: Stretch) -> i64 {
        let records: u64 = self.items[i].facts.spans.values().map(|span| span.count).sum();
        let gaps = i64::try_from(records.saturating_sub(1)).unwrap_or(i64::MAX).max(1);
        (at.1.saturating_sub(at.0) / gaps).clamp(0, DAY)
    }

    /// Where a source lies, read in a zone.
    fn stretch(&self, i: usize, zone: &Zone) -> Option<Stretch> {
        let clock = Clock { zone: zone.clone(), near: self.near[i], ahead: 0 };
        let at = |form: Form, second: i64| {
            clock.instant(&Stamp { nanos: second.saturating_mul(NANOS), form, offset: None, digits: 0 }).div_euclid(NANOS)
        };
        hull(self.items[i].facts.spans.iter().map(|(form, span)| (at(*form, span.first), at(*form, span.last))))
    }

    /// Offsets that the stamps of a source carry, the most frequent first.
    fn offsets(&self, i: usize) -> Vec<i32> {
        let mut list: Vec<(u64, i32)> = self.items[i].facts.offsets.iter().map(|(offset, count)| (*count, *offset)).collect();
        list.sort_unstable_by_key(|entry| Reverse(*entry));
        list.into_iter().map(|(_, offset)| offset).collect()
    }

    /// The zone of a source without one, if its neighbours tell it.
    fn decide(&self, i: usize) -> Option<(Zone, Why)> {
        let host = self.items[i].host;
        let same_host: Vec<usize> = (0..self.items.len()).filter(|j| *j != i && host.is_some() && self.items[*j].host == host).collect();
        let frames = Frames {
            host: hull(self.frame.iter().filter(|(j, _)| same_host.contains(j)).map(|(_, at)| *at)),
            bundle: hull(self.frame.iter().map(|(_, at)| *at)),
            silent: self.silent,
        };
        let measured: Vec<i32> = same_host.iter().filter_map(|j| self.measured(*j)).collect();
        let mut of_host: Vec<i32> = measured.iter().copied().chain(same_host.iter().chain([&i]).flat_map(|j| self.offsets(*j))).collect();
        self.order(i, &mut of_host);
        let at = |offset: i32| self.stretch(i, &Zone::Offset(offset));
        let fits = |offset: i32| at(offset).map_or(0.0, |at| frames.fit(at));
        if let Some(offset) = of_host.iter().copied().find(|offset| fits(*offset) >= 0.5) {
            return Some((Zone::Offset(offset), Why::Host));
        }
        if let Some((first, rest)) = measured.split_first()
            && rest.iter().all(|offset| offset == first)
            && at(*first).is_some_and(|at| is_earlier(at, frames.bundle))
        {
            return Some((Zone::Offset(*first), Why::Host));
        }
        let best = |offsets: &mut dyn Iterator<Item = i32>, least: f64| {
            let mut best: Option<(f64, i32)> = None;
            for offset in offsets {
                let fit = fits(offset);
                if fit > least && best.is_none_or(|(known, _)| fit > known + 0.05) {
                    best = Some((fit, offset));
                }
            }
            best.map(|(_, offset)| offset)
        };
        let mut others: Vec<i32> = (0..self.items.len()).flat_map(|j| self.offsets(j)).collect();
        self.order(i, &mut others);
        // Clocks that are known in the bundle, then any of the world.
        let known = best(&mut others.into_iter().chain([0]), 0.0);
        let any = best(&mut (1..=14).flat_map(|hour| [hour * 3600, -hour * 3600]).chain(ODD), 0.3);
        let offset = match (known, any) {
            (Some(known), Some(any)) if frames.is_left(at(known)?, at(any)?) => Some(any),
            (known, any) => known.or(any),
        };
        offset
            .map(|offset| (Zone::Offset(offset), if offset == 0 { Why::Assumed } else { Why::Overlap }))
            .or_else(|| of_host.first().map(|offset| (Zone::Offset(*offset), Why::Host)))
    }

    /// Puts the offsets that a source may have in the order in which they are tried: a program that writes `Z` says nothing about its machine, so
    /// it comes last. A source whose clock was set back at the end of summer time began with the larger one of the two of its zone.
    fn order(&self, i: usize, offsets: &mut [i32]) {
        if self.items[i].facts.is_set_back() {
            offsets.sort_unstable_by_key(|offset| Reverse(*offset));
        }
        offsets.sort_by_key(|offset| *offset == 0);
    }

    /// The offset of a source's zone, where neighbours or an envelope have shown it.
    fn measured(&self, i: usize) -> Option<i32> {
        match &self.zones[i] {
            Some((Zone::Offset(offset), Why::Moments { .. } | Why::Restarts { .. } | Why::Envelope)) => Some(*offset),
            _ => None,
        }
    }
}

/// Whether a source lies wholly before the bundle, by no more than a day, and is so short that it need not lie in it: what was done an hour
/// before the trouble is to stay there. What lasts for a good part of the bundle was more likely written beside it, on another clock.
fn is_earlier(at: Stretch, bundle: Option<Stretch>) -> bool {
    bundle.is_some_and(|(from, to)| at.1 <= from && at.1 >= from - DAY && (at.1 - at.0) * 4 <= to - from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Facts, Span};
    use crate::settle::{self, Told};

    const HOUR: i64 = 3600;
    const MINUTE: i64 = 60;
    /// 2026-11-20, 10:00 UTC.
    const TEN: i64 = 1_795_168_800;

    fn facts(form: Form, first: i64, last: i64, offset: Option<i32>) -> Facts {
        let mut facts = Facts::default();
        facts.spans.insert(form, Span { first, last, count: 100 });
        facts.offsets.extend(offset.map(|offset| (offset, 100)));
        facts
    }

    /// The hours by which a log without a zone is moved that is written from and to these minutes, beside one of another machine that
    /// carries an offset and lies from 0 to `frame`.
    fn moved(frame: i64, offset: i32, (first, last): (i64, i64)) -> f64 {
        let theirs = facts(Form::Explicit, TEN, TEN + frame * MINUTE, Some(offset));
        let mine = facts(Form::Civil, TEN + first * MINUTE, TEN + last * MINUTE, None);
        let items = [
            Item { path: "web/access.log", host: Some("web"), modified: None, facts: &theirs },
            Item { path: "gate/kern.log", host: Some("gate"), modified: None, facts: &mine },
        ];
        match settle::settle(&items, &Told::default())[1].clock.zone {
            Zone::Offset(offset) => f64::from(offset) / HOUR as f64,
            _ => f64::NAN,
        }
    }

    #[test]
    fn a_source_is_moved_only_where_it_does_not_lie_beside_the_others() {
        for (frame, offset, written, hours) in [
            // Begins long before the others, and ends a little before them.
            (37, 0, (-133, 29), 0.0),
            (37, 0, (-117, 29), 0.0),
            (37, 0, (-60, 29), 0.0),
            (37, 0, (-600, 5), 0.0),
            // Goes on for long.
            (37, 0, (-60, 300), 0.0),
            // Ends when the trouble begins.
            (120, 0, (-50, 10), 0.0),
            // Inside.
            (37, 0, (5, 20), 0.0),
            // Two hours, five and a half, and minus five hours away.
            (37, 0, (120, 157), 2.0),
            (37, 0, (330, 367), 5.5),
            (37, 0, (-300, -270), -5.0),
            // Four hours that end when the others do, on a clock of another zone.
            (240, 0, (120, 360), 2.0),
            (240, 0, (-60, 180), -1.0),
            // It goes on for hours after all others have ended.
            (240, 0, (150, 330), 2.0),
            // The offset that the others have is tried first.
            (37, 3600, (60, 97), 1.0),
        ] {
            assert_eq!(moved(frame, offset, written), hours, "{frame} {offset} {written:?}");
        }
    }

    #[test]
    fn a_source_that_was_set_back_began_with_the_offset_of_summer() {
        // Three hours of summer time, of which the last one is written twice, then two of winter time.
        for (offsets, zone) in [
            (&[(3600, 200), (7200, 100)][..], 7200),
            (&[(3600, 100), (7200, 200)], 7200),
            // London, and a program that writes `Z`.
            (&[(0, 200), (3600, 100)], 3600),
            (&[(-18000, 200), (-14400, 100)], -14400),
        ] {
            let mut theirs = facts(Form::Explicit, TEN, TEN + 5 * HOUR, None);
            theirs.offsets = offsets.iter().copied().collect();
            let began = TEN + i64::from(zone);
            let mut mine = facts(Form::Civil, began, began + 3 * HOUR, None);
            mine.spans.insert(Form::CivilLater, Span { first: began + 2 * HOUR, last: began + 4 * HOUR, count: 100 });
            let items = |host| {
                [
                    Item { path: "web/access.log", host: Some("web"), modified: None, facts: &theirs },
                    Item { path: "web/app.log", host, modified: None, facts: &mine },
                ]
            };
            for host in [Some("web"), Some("app")] {
                let settled = settle::settle(&items(host), &Told::default());
                assert_eq!(settled[1].clock.zone, Zone::Offset(zone), "{offsets:?} {host:?}");
                let label = [zone, zone - 3600].map(|offset| Zone::Offset(offset).label()).join(" then ");
                assert_eq!(settled[1].zone, label);
            }
        }
    }

    #[test]
    fn a_log_of_one_record_a_day_does_not_end_the_bundle() {
        // Mails of cron at three in the morning, for a fortnight, and six hours of the last night's syslog; clocks are an hour ahead of UTC.
        let night = TEN - 8 * HOUR;
        let mails = |every: i64| {
            let mut mails = facts(Form::Explicit, night - 13 * DAY, night, Some(3600));
            mails.spans.insert(Form::Explicit, Span { first: night - 13 * DAY, last: night, count: (13 * DAY / every) as u64 + 1 });
            mails
        };
        let mine = facts(Form::Civil, night - HOUR, night + 5 * HOUR, None);
        for (every, zone) in [(DAY, 3600), (6 * HOUR, 3600), (60, 5 * 3600)] {
            let mails = mails(every);
            let items = [
                Item { path: "bk/syslog", host: Some("bk"), modified: None, facts: &mine },
                Item { path: "root.mbox", host: None, modified: None, facts: &mails },
            ];
            assert_eq!(settle::settle(&items, &Told::default())[0].clock.zone, Zone::Offset(zone), "{every}");
        }
    }

    #[test]
    fn what_a_machine_is_known_to_do_holds_for_its_older_logs() {
        let theirs = facts(Form::Explicit, TEN, TEN + 40 * MINUTE, Some(0));
        for (written, hours) in [
            // A deploy an hour before the trouble, on the clock of its machine.
            ((-4, -3), 1),
            ((-10, -2), 1),
            ((10, 11), 1),
            // In the future, if it were so: on another clock.
            ((600, 601), 1),
            // As long as the others, beside them.
            ((2, 38), 0),
        ] {
            let mine = facts(Form::Civil, TEN + written.0 * MINUTE, TEN + written.1 * MINUTE, None);
            let local = facts(Form::Civil, TEN + HOUR, TEN + HOUR + 40 * MINUTE, None);
            let items = [
                Item { path: "web/access.log", host: Some("web"), modified: None, facts: &theirs },
                Item { path: "stock/app.log", host: Some("stock"), modified: None, facts: &local },
                Item { path: "stock/deploy.log", host: Some("stock"), modified: None, facts: &mine },
            ];
            let mut zones = [
                Some((Zone::Offset(0), Why::Explicit)),
                Some((Zone::Offset(3600), Why::Moments { with: "web/access.log".into(), pairs: 19 })),
                None,
            ];
            settle(&items, &mut zones, &[None; 3]);
            let offset = zones[2].as_ref().map(|(zone, _)| zone.clone());
            if written.0 < 600 {
                assert_eq!(offset, Some(Zone::Offset(hours * 3600)), "{written:?}");
            } else {
                assert_ne!(offset, Some(Zone::Offset(hours * 3600)), "{written:?}");
            }
        }
    }
}
