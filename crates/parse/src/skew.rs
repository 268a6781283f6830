//! How far the clocks of two machines are apart, by requests that both logged.

use crate::peak::peak;
use crate::settle::{Item, Settled};
use std::collections::BTreeMap;

/// Differences below this (ms) are the requests' own time, not the clocks'.
const LEAST: i64 = 2_000;

/// So many different paths must say so: one path that is asked in a beat (a scrape, a poll) is at one distance from another beat by chance.
const DIFFERENT: usize = 4;

/// Measures how far each host's clock is ahead of the others and writes it into the clocks.
///
/// Hosts are compared pairwise by the median difference of shared request ids (else of rare requests by path). A host is
/// called ahead or behind when it differs alike from the host it shares most requests with, and that one does not differ
/// from the majority.
pub fn measure(items: &[Item<'_>], settled: &mut [Settled]) {
    // host pair -> (difference in ms, pairs)
    let mut pairs: BTreeMap<(&str, &str), (i64, usize)> = BTreeMap::new();
    for i in 0..items.len() {
        for j in i + 1..items.len() {
            let (Some(a), Some(b)) = (items[i].host, items[j].host) else { continue };
            if a == b {
                continue;
            }
            let ids = peak(&items[i].facts.ids, &settled[i].clock, &items[j].facts.ids, &settled[j].clock)
                .filter(|p| p.pairs >= 5 && p.next * 3 <= p.pairs);
            let found = ids.or_else(|| {
                peak(&items[i].facts.paths, &settled[i].clock, &items[j].facts.paths, &settled[j].clock)
                    .filter(|p| p.pairs >= 15 && p.different >= DIFFERENT && p.next * 2 <= p.pairs && p.is_common())
            });
            let Some(found) = found.filter(|p| p.at.abs() < 300_000) else { continue };
            let (key, at) = if a < b { ((a, b), found.at) } else { ((b, a), -found.at) };
            let entry = pairs.entry(key).or_insert((at, 0));
            if found.pairs > entry.1 {
                *entry = (at, found.pairs);
            }
        }
    }
    // How much each host differs from its neighbours: one that differs from several, or from one that agrees with others.
    let mut ahead: BTreeMap<&str, (i64, usize)> = BTreeMap::new();
    let agrees: BTreeMap<&str, usize> =
        pairs.iter().filter(|(_, (d, _))| d.abs() < LEAST).fold(BTreeMap::new(), |mut m, ((a, b), (_, n))| {
            *m.entry(*a).or_default() += n;
            *m.entry(*b).or_default() += n;
            m
        });
    for ((a, b), (difference, n)) in &pairs {
        if difference.abs() < LEAST {
            continue;
        }
        // The one that agrees with fewer others is the one whose clock is off; a proxy in front, where both have none.
        let (agrees_a, agrees_b) = (agrees.get(a).copied().unwrap_or(0), agrees.get(b).copied().unwrap_or(0));
        let a_off = agrees_a < agrees_b || agrees_a == agrees_b && proxies(items, b) >= proxies(items, a);
        let (host, value) = if a_off { (*a, *difference) } else { (*b, -*difference) };
        let entry = ahead.entry(host).or_insert((value, *n));
        if *n > entry.1 {
            *entry = (value, *n);
        }
    }
    for (item, clock) in items.iter().zip(settled.iter_mut()) {
        if let Some((value, n)) = item.host.and_then(|h| ahead.get(h)) {
            clock.clock.ahead = value * 1_000_000;
            clock.ahead_pairs = *n;
        }
    }
}

/// How many requests a host logged: the proxy in front sees most.
fn proxies(items: &[Item<'_>], host: &str) -> usize {
    items.iter().filter(|i| i.host == Some(host)).map(|i| i.facts.paths.len() + i.facts.ids.len()).sum()
}
