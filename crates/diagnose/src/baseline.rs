//! A good day, for a bundle that begins inside the trouble: its logs are laid in front of those of the bundle, so that every measure finds
//! what is usual where it looks for it, in the time before the incident.

use crate::evidence::{Evidence, SourceInfo};
use crate::symptoms::Incident;
use rustc_hash::{FxHashMap, FxHashSet};
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Stamp};

/// Records per second of each source, as written.
type Ticks = FxHashMap<(u32, Form), Vec<(i64, u32)>>;

/// A log with a record in so many seconds of its time, one in `DENSE`, shows by its first record when it begins; others begin with the bundle.
const DENSE: i64 = 60;

/// First and last second of a log, and its records.
#[derive(Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
    records: u64,
}

impl Span {
    fn with(self, other: Span) -> Span {
        Span { first: self.first.min(other.first), last: self.last.max(other.last), records: self.records + other.records }
    }

    fn is_dense(&self) -> bool {
        self.records >= 20 && i64::try_from(self.records).is_ok_and(|n| n * DENSE >= self.last - self.first)
    }
}

/// Moves the clocks of the good day so that it ends where the bundle begins: with the first log of requests, else with the first that is written to all
/// the time, since where an error log begins says nothing. All its logs end together, but one of which the bundle holds more ends where that
/// begins. What lies between the good day and a log that begins later is silence: its service may have been down.
pub(crate) fn lay_in_front(sources: &mut [SourceInfo], ticks: &Ticks, of_requests: &FxHashSet<u32>) {
    if sources.iter().all(|s| s.baseline_of.is_none()) {
        return;
    }
    let spans: Vec<Option<Span>> = (0..sources.len()).map(|number| span(&sources[number], number, ticks)).collect();
    let good = sources.iter().zip(&spans).filter(|(s, _)| s.baseline_of.is_some());
    let Some(end) = good.filter_map(|(_, span)| span.map(|s| s.last)).max() else { return };
    let log = |number: usize| sources[number].newest.unwrap_or(number);
    let own: Vec<Option<Span>> = (0..sources.len())
        .map(|at| {
            let pieces = (0..sources.len()).filter(|i| sources[*i].baseline_of.is_none() && log(*i) == log(at));
            pieces.filter_map(|i| spans[i]).reduce(Span::with)
        })
        .collect();
    let first = |chosen: &dyn Fn(u32, &Span) -> bool| {
        let spans = (0..).zip(&own).filter_map(|(number, span)| span.map(|span| (number, span)));
        spans.filter(|(number, span)| chosen(*number, span)).map(|(_, span)| span.first).min()
    };
    let begin = first(&|number, span| span.is_dense() && of_requests.contains(&number));
    let begin = begin.or_else(|| first(&|_, span| span.is_dense())).or_else(|| first(&|_, _| true));
    let Some(begin) = begin else { return };
    for source in sources.iter_mut() {
        let Some(log) = source.baseline_of else { continue };
        let until = own.get(log).copied().flatten().map_or(begin, |span| span.first.min(begin));
        source.moved = (until - 1 - end).saturating_mul(NANOS);
        source.clock.ahead = source.clock.ahead.saturating_sub(source.moved);
    }
}

/// The time of a source on the agreed clock, without stray stamps.
fn span(source: &SourceInfo, number: usize, ticks: &Ticks) -> Option<Span> {
    let of_source = ticks.iter().filter(|((s, _), _)| *s as usize == number);
    let each = of_source.flat_map(|((_, form), bins)| {
        bins.iter().map(|(second, n)| {
            let stamp = Stamp { nanos: second.saturating_mul(NANOS), form: *form, offset: None, digits: 9 };
            let second = source.clock.agreed(&stamp).div_euclid(NANOS);
            Span { first: second, last: second, records: u64::from(*n) }
        })
    });
    each.reduce(Span::with)
}

/// Whether an incident is one of the good day: all that was felt stands in its logs.
pub(crate) fn holds(evidence: &Evidence, incident: &Incident) -> bool {
    let mut affected = incident.symptoms.iter().flat_map(|s| &s.affected).peekable();
    if affected.peek().is_some() {
        return affected.all(|number| evidence.is_baseline(evidence.request(*number).of.source as usize));
    }
    let own = (0..evidence.sources.len()).filter(|number| !evidence.is_baseline(*number));
    let begin = own.filter_map(|number| evidence.span(number)).map(|(first, _)| first).min();
    begin.is_some_and(|begin| incident.end / 1000 < begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source with a record every `step` seconds from one second to another.
    fn source(ticks: &mut Ticks, number: u32, (from, to, step): (i64, i64, usize), baseline_of: Option<usize>) -> SourceInfo {
        ticks.insert((number, Form::Explicit), (from..=to).step_by(step).map(|s| (s, 1)).collect());
        SourceInfo { baseline_of, ..SourceInfo::default() }
    }

    #[test]
    fn all_end_where_the_bundle_begins() {
        let mut ticks = Ticks::default();
        let mut sources = vec![
            source(&mut ticks, 0, (1000, 2000, 1), None),
            // An error log, whose first line stands anywhere.
            source(&mut ticks, 1, (1500, 1900, 200), None),
            // Of a service that came back, and one that says little from long before.
            source(&mut ticks, 2, (1800, 2000, 2), None),
            source(&mut ticks, 3, (700, 2000, 100), None),
            source(&mut ticks, 4, (100, 400, 1), Some(0)),
            source(&mut ticks, 5, (100, 300, 100), Some(1)),
            source(&mut ticks, 6, (100, 399, 2), Some(2)),
            source(&mut ticks, 7, (100, 399, 100), Some(3)),
        ];
        lay_in_front(&mut sources, &ticks, &FxHashSet::default());
        let moved: Vec<i64> = sources.iter().map(|s| s.moved / NANOS).collect();
        assert_eq!(moved, [0, 0, 0, 0, 599, 599, 599, 299]);
        assert!(sources.iter().all(|s| s.skew() == 0 && s.clock.ahead == -s.moved));
    }
}
