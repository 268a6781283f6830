//! Hits and misses of a cache, as its log of requests tells them.

use super::gauges::{Counter, Gauge};
use crate::names::NameId;
use rustc_hash::FxHashMap;
use whyline_event::Form;
use whyline_event::stamp::NANOS;

/// Look-ups of so many seconds are counted together.
const SECONDS: i64 = 10;

/// Look-ups of a stretch in one source.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    hits: u64,
    misses: u64,
    /// The first line.
    line: u32,
}

/// Look-ups by source, by what stamps leave open, by stretch, and by host and service of the writer.
#[derive(Debug, Default)]
pub struct Lookups(FxHashMap<(u32, Form, i64, NameId, NameId), Sum>);

/// Whether a cache had an answer: by the words of nginx, Varnish, Squid, Apache and content delivery networks. What was not looked up, or was not
/// to be kept, is neither.
fn is_hit(status: &str) -> Option<bool> {
    let has = |word: &str| status.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    if has("pass") {
        return None;
    }
    // Varnish remembers that it must ask anew; RFC 9211 says why a request was sent on.
    if has("hitmiss") || has("hit-for-miss") || has("fwd=stale") {
        return Some(false);
    }
    if has("hit") || has("stale") || has("updating") || has("revalidate") {
        return Some(true);
    }
    (has("miss") || has("expired")).then_some(false)
}

impl Lookups {
    /// Counts a look-up; `nanos` is its stamp as written.
    pub(super) fn add(&mut self, status: &str, (source, line, form, nanos): (u32, u32, Form, i64), (host, service): (NameId, NameId)) {
        let Some(hit) = is_hit(status) else { return };
        let stretch = nanos.div_euclid(SECONDS * NANOS);
        let sum = self.0.entry((source, form, stretch, host, service)).or_insert(Sum { line, ..Sum::default() });
        sum.line = sum.line.min(line);
        *(if hit { &mut sum.hits } else { &mut sum.misses }) += 1;
    }

    /// Adds others; `name` translates their names.
    pub(super) fn merge(&mut self, other: Lookups, name: &impl Fn(NameId) -> NameId) {
        for ((source, form, stretch, host, service), sum) in other.0 {
            let all = self.0.entry((source, form, stretch, name(host), name(service))).or_insert(Sum { line: sum.line, ..Sum::default() });
            all.hits += sum.hits;
            all.misses += sum.misses;
            all.line = all.line.min(sum.line);
        }
    }

    /// As lines of statistics.
    pub(crate) fn gauges(self) -> impl Iterator<Item = Gauge> {
        self.0.into_iter().flat_map(|((source, form, stretch, host, service), sum)| {
            let gauge = move |counter, value: u64| Gauge {
                source,
                line: sum.line,
                form,
                nanos: stretch * SECONDS * NANOS,
                host,
                service,
                counter,
                of: crate::names::NONE,
                value: value as f64,
                count: 1,
                is_growth: true,
            };
            [gauge(Counter::Hits, sum.hits), gauge(Counter::Misses, sum.misses)]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_say_hit_and_miss_in_many_ways() {
        for (status, want) in [
            ("HIT", Some(true)),
            ("TCP_MEM_HIT", Some(true)),
            ("RefreshHit", Some(true)),
            ("STALE", Some(true)),
            ("miss", Some(false)),
            ("EXPIRED", Some(false)),
            ("TCP_MISS", Some(false)),
            ("BYPASS", None),
            ("HITPASS", None),
            ("hitmiss", Some(false)),
            ("Souin; fwd=stale", Some(false)),
            ("cache revalidate", Some(true)),
            ("pass", None),
            ("-", None),
        ] {
            assert_eq!(is_hit(status), want, "{status}");
        }
    }

    #[test]
    fn counted_in_parts_is_counted_whole() {
        let all = [("HIT", 7, 1), ("MISS", 3, 2), ("HIT", 9, 4), ("MISS", 5, 11), ("BYPASS", 6, 12)];
        let count = |some: &[(&str, u32, i64)]| {
            let mut lookups = Lookups::default();
            some.iter().for_each(|(status, line, second)| lookups.add(status, (0, *line, Form::Explicit, second * NANOS), (1, 2)));
            lookups
        };
        let numbers = |lookups: Lookups| {
            let mut all: Vec<_> = lookups.gauges().map(|g| (g.nanos / NANOS, g.line, g.counter, g.value as u64)).collect();
            all.sort_unstable();
            all
        };
        let mut parts = count(&all[..2]);
        parts.merge(count(&all[2..]), &|name| name);
        // Two services that one source holds are kept apart, whoever is met first.
        let of = |service: NameId, status: &str, line: u32| {
            let mut lookups = Lookups::default();
            lookups.add(status, (0, line, Form::Explicit, 0), (1, service));
            lookups
        };
        let services = |first: Lookups, second: Lookups| {
            let mut all = first;
            all.merge(second, &|name| name);
            let mut all: Vec<_> = all.gauges().map(|g| (g.service, g.line, g.counter, g.value as u64)).collect();
            all.sort_unstable();
            all
        };
        let both = services(of(2, "HIT", 7), of(3, "MISS", 3));
        assert_eq!(both, services(of(3, "MISS", 3), of(2, "HIT", 7)));
        assert_eq!(both.iter().map(|row| row.0).collect::<Vec<_>>(), [2, 2, 3, 3]);
        let want = vec![(0, 3, Counter::Hits, 2), (0, 3, Counter::Misses, 1), (10, 5, Counter::Hits, 0), (10, 5, Counter::Misses, 1)];
        assert_eq!((numbers(parts), numbers(count(&all))), (want.clone(), want));
    }
}
