//! Calm: the time in which a signal shows how usual it is, since nobody felt anything.

use crate::evidence::Evidence;
use crate::groups::Bins;
use crate::symptoms::Incident;
use std::collections::BTreeMap;

/// So long around an incident (s) what is seen belongs to it.
const AROUND: i64 = 15;
/// Calm of less (s) says little; then the other incidents count as calm, too.
const LEAST: i64 = 60;
/// What has so many times the hits in another incident is no sign of both.
const AGAIN: u64 = 4;
/// The logs of a host must reach so far (s) before the first sign of a cause, for its absence to be known.
const KNOWN: i64 = 120;

/// The calm around one incident.
pub(crate) struct Calm<'e> {
    /// The stretches (s, ends excluded) of the other incidents, in order, none overlapping another or this one.
    others: Vec<(i64, i64)>,
    /// This incident.
    from: i64,
    to: i64,
    /// Since when anything was logged, by host.
    since: BTreeMap<&'e str, i64>,
}

/// What a signal showed in the calm.
pub(crate) struct Usual {
    /// Hits.
    pub hits: u64,
    /// Seconds that its logs cover.
    pub seconds: i64,
    /// Where the calm before the incident ends: when the first signs of a cause were seen, which may be long before anybody felt it.
    pub from: i64,
    /// Where the calm behind it begins.
    pub to: i64,
}

impl<'e> Calm<'e> {
    pub(crate) fn new(evidence: &'e Evidence, all: &[Incident], incident: &Incident) -> Calm<'e> {
        let stretch = |i: &Incident| (i.onset.div_euclid(1000) - AROUND, i.end.div_euclid(1000) + AROUND);
        let (from, to) = stretch(incident);
        let mut parts: Vec<(i64, i64)> = all.iter().map(stretch).flat_map(|(a, b)| [(a, b.min(from)), (a.max(to), b)]).collect();
        parts.retain(|(a, b)| a < b);
        parts.sort_unstable();
        let mut others: Vec<(i64, i64)> = Vec::new();
        for (a, b) in parts {
            match others.last_mut() {
                Some((_, last)) if a <= *last => *last = b.max(*last),
                _ => others.push((a, b)),
            }
        }
        let mut since: BTreeMap<&str, i64> = BTreeMap::new();
        for (number, source) in evidence.sources.iter().enumerate() {
            if let Some((first, _)) = evidence.span(number) {
                let known = since.entry(&source.host).or_insert(first);
                *known = first.min(*known);
            }
        }
        Calm { others, from, to, since }
    }

    /// What is usual of hits whose logs cover `cover` (first and last second) and which `host` wrote; signs of a cause are looked for from `lead` on.
    pub(crate) fn usual(&self, bins: &Bins, cover: (i64, i64), host: &str, lead: i64) -> Usual {
        let in_other = |second: &&i64| self.others.iter().any(|(a, b)| (*a..*b).contains(*second));
        let first = bins.seconds(lead, self.from - 1).iter().find(|second| !in_other(second)).copied();
        // Without a log of its own, what its lines stand in tells since when it is known.
        let since = self.since.get(host).copied().unwrap_or(cover.0);
        let is_new = |first: &i64| bins.sum_before(lead) == 0 && since + KNOWN <= *first;
        let from = first.filter(is_new).unwrap_or(self.from);
        // What nobody had seen before, and what goes on behind, began with the trouble: a proxy hides from users what another server answers.
        let before = (from - cover.0).max(0);
        let began = bins.sum_before(from) == 0 && since + KNOWN <= from && bins.sum(from, self.to) > 0;
        if began {
            return Usual { hits: 0, seconds: before, from, to: self.to };
        }
        let outside = bins.sum_before(from) + bins.sum_from(self.to);
        let seconds = before + (cover.1 - self.to).max(0);
        // What came again came here, too, and not far more often elsewhere; else it is a sign of the other incident.
        let here = bins.sum(from, self.to);
        let cut = |(a, b): &(i64, i64)| (*a, if *a < from { from.min(*b) } else { *b });
        let comes_again = |(a, b): &(i64, i64)| a < b && here > 0 && bins.sum(*a, *b) <= AGAIN * here;
        let others = || self.others.iter().map(cut).filter(comes_again);
        let in_others: u64 = others().map(|(a, b)| bins.sum(a, b)).sum();
        let of_others: i64 = others().map(|(a, b)| (b.min(cover.1) - a.max(cover.0)).max(0)).sum();
        let (hits, seconds) =
            if seconds - of_others >= LEAST { (outside.saturating_sub(in_others), seconds - of_others) } else { (outside, seconds) };
        Usual { hits, seconds, from, to: self.to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(onset: i64, end: i64) -> Incident {
        Incident { symptoms: Vec::new(), onset: onset * 1000, end: end * 1000, wait: 0 }
    }

    #[test]
    fn other_incidents_are_no_calm() {
        let all = [incident(1000, 1010), incident(2000, 2010), incident(3000, 3010)];
        let evidence = Evidence::default();
        let calm = Calm::new(&evidence, &all, &all[1]);
        // Once in each incident, and once in the calm.
        let bins = Bins::join([(1001, 1), (1500, 1), (2001, 1), (3001, 1)].into_iter());
        let usual = calm.usual(&bins, (0, 4000), "", 1760);
        assert_eq!((usual.hits, usual.seconds), (1, 4000 - 3 * 40));
        assert_eq!((usual.from, usual.to), (1985, 2025));
        // What has many more hits in another incident is a sign of that one.
        let loud = Bins::join([(1001, 50), (2001, 1), (3001, 1)].into_iter());
        assert_eq!(calm.usual(&loud, (0, 4000), "", 1760).hits, 50);
        // So is what was seen there alone.
        let elsewhere = Bins::join([(1001, 2)].into_iter());
        assert_eq!(calm.usual(&elsewhere, (0, 4000), "", 1760).hits, 2);
        // Where hardly anything is left, all the rest counts.
        let usual = calm.usual(&bins, (985, 2025), "", 1760);
        assert_eq!(usual.seconds, 1000 - 40);
        let usual = calm.usual(&bins, (1985 - 70, 2025), "", 1760);
        assert_eq!((usual.hits, usual.seconds), (1, 70));
    }

    #[test]
    fn first_signs_of_a_cause_are_not_usual() {
        let all = [incident(2000, 2010)];
        let evidence = Evidence::default();
        let mut calm = Calm::new(&evidence, &all, &all[0]);
        let bins = Bins::join([(1900, 5), (1920, 5), (2001, 1)].into_iter());
        // Nobody knows whether it was silent before.
        assert_eq!(calm.usual(&bins, (1900, 2100), "a", 1760).hits, 10);
        calm.since.insert("a", 1000);
        let usual = calm.usual(&bins, (1900, 2100), "a", 1760);
        assert_eq!((usual.hits, usual.from), (0, 1900));
        // What stands in another machine's file is known as long as that is.
        assert_eq!(calm.usual(&bins, (1000, 2100), "b", 1760).from, 1900);
        // What goes on behind the trouble began with it.
        let goes_on = Bins::join([(2001, 1), (2050, 9)].into_iter());
        assert_eq!(calm.usual(&goes_on, (2001, 2100), "a", 1760).hits, 0);
        // It was seen long before as well.
        let bins = Bins::join([(1200, 1), (1900, 5), (2001, 1)].into_iter());
        assert_eq!(calm.usual(&bins, (1200, 2100), "a", 1760).hits, 6);
    }
}
