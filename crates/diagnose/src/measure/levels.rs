//! What the levels in lines of statistics say: the memory of a process, the depth of a queue.

use super::{Times, View};
use crate::entity::{endpoint, of_service};
use crate::names::NameId;
use crate::tally::Counter;
use std::collections::BTreeMap;

/// A level: second, line, number.
type Level = (i64, u32, f64);

/// Whose level it is: what it counts, by whom it is told (source, host, service), and of what.
type Of = (Counter, u32, NameId, NameId, NameId);

pub(super) fn measure(view: &mut View<'_>) {
    let mut levels: BTreeMap<Of, Vec<Level>> = BTreeMap::new();
    for (second, gauge) in &view.evidence.gauges {
        if matches!(gauge.counter, Counter::Memory | Counter::Depth | Counter::Call) {
            let levels = levels.entry((gauge.counter, gauge.source, gauge.host, gauge.service, gauge.of)).or_default();
            levels.extend(std::iter::repeat_n((*second, gauge.line, gauge.value), gauge.count.min(SEVERAL) as usize));
        }
    }
    for ((counter, source, host, service, of), levels) in levels {
        let host = view.evidence.text(host);
        let service = view.evidence.text(service);
        let entity = of_service(service, host);
        let (onset, end) = (view.incident.onset / 1000, view.incident.end / 1000);
        if counter == Counter::Call {
            let slower = slower_calls(&levels, onset, end).filter(|_| !is_quick(view, view.evidence.text(of)));
            if let Some((begun, cite, note)) = slower {
                let cite = cite.into_iter().map(|line| (source, line)).collect();
                let of = view.evidence.text(of).to_string();
                view.add("dependency.slow-calls", endpoint(&of), begun * 1000, format!("{note} to {of}"), cite);
            }
        } else if counter == Counter::Memory {
            if let Some((begun, line, note)) = growing(&levels, onset, end) {
                view.add("memory.growth", entity, begun.max(onset - BEFORE) * 1000, note, vec![(source, line)]);
            }
        } else if let Some((begun, line, note)) = piling_up(&levels, onset, end) {
            // Who only counts what waits is not the one for whom it does.
            let counts = ["stat", "metric", "monitor", "exporter", "check", "watch", "probe"].iter().any(|word| service.contains(word));
            let entity = if counts && !host.is_empty() { format!("host:{host}") } else { entity };
            let of = view.evidence.text(of);
            let note = if of.is_empty() { note } else { format!("{of}: {note}") };
            view.add("queue.depth-growth", entity, begun * 1000, note, vec![(source, line)]);
        }
    }
}

/// A service that answers nine of ten requests so soon (ms) is not slow.
const QUICK: i64 = 250;

/// Whether whoever is called says in its own log that it was quick: then the time was lost on the way, or in the caller.
fn is_quick(view: &View<'_>, called: &str) -> bool {
    let Some(host) = view.topology.host_of(&endpoint(called)) else { return false };
    let requests = &view.evidence.requests;
    let own = requests.choose(|kind| view.evidence.text(kind.host) == host);
    let took: Times = requests.ended(&own, view.incident.onset, view.incident.end).filter_map(|(_, r)| r.took()).collect();
    took.len() >= CALLS && took.quantile(0.9) < QUICK
}

/// Of calls of one stretch that took about as long, so many are told apart.
const SEVERAL: u32 = 64;
/// So many calls show that they are slow, and so long (ms) a slow one takes at least.
const CALLS: usize = 8;
const SLOW: f64 = 500.0;

/// Calls that take far longer than before, or are told of only now: since when, some lines, and a note.
fn slower_calls(levels: &[Level], onset: i64, end: i64) -> Option<(i64, Vec<u32>, String)> {
    let during: Vec<&Level> = levels.iter().filter(|level| (onset - 5..=end + 5).contains(&level.0) && level.2 >= SLOW).collect();
    let mut before: Vec<f64> = levels.iter().filter(|level| level.0 < onset - BEFORE).map(|level| level.2).collect();
    before.sort_by(f64::total_cmp);
    let mut now: Vec<f64> = during.iter().map(|level| level.2).collect();
    now.sort_by(f64::total_cmp);
    let middle = *now.get(now.len() / 2)?;
    // They must be a good part of all, and three times the part that they were before.
    let all = levels.iter().filter(|level| (onset - 5..=end + 5).contains(&level.0)).count();
    let slow_before = before.iter().filter(|took| **took >= SLOW).count();
    if during.len() < CALLS || during.len() * 4 < all || during.len() * before.len() < 3 * slow_before * all {
        return None;
    }
    let first = during.first()?;
    let lines = during.iter().take(2).map(|level| level.1).collect();
    Some((first.0, lines, format!("{} calls took {:.1} s and about that", during.len(), middle / 1000.0)))
}

/// A growth that began longer (s) before the incident is dated so long before it.
const BEFORE: i64 = 60;
/// So many levels show a growth, over so many seconds.
const LEAST: usize = 5;
const SECONDS: i64 = 45;

/// Memory that grows from line to line, up to the trouble or into it, without coming to rest: since when, the line of the highest level, and a
/// note. A process that starts anew begins low again, which ends a stretch.
fn growing(levels: &[Level], onset: i64, end: i64) -> Option<(i64, u32, String)> {
    let mut stretches: Vec<&[Level]> = levels.chunk_by(|a, b| b.2 > 0.6 * a.2).filter(|stretch| is_growth(stretch)).collect();
    let times = stretches.len();
    stretches.retain(|stretch| {
        stretch.first().is_some_and(|first| first.0 <= end) && stretch.last().is_some_and(|last| last.0 >= onset - BEFORE)
    });
    let stretch = stretches.first()?;
    let (first, last) = (stretch.first()?, stretch.last()?);
    let again = if times > 1 { format!(", and so {times} times") } else { String::new() };
    Some((first.0, last.1, format!("it grew from {} to {} in {} s{again}", first.2, last.2, last.0 - first.0)))
}

/// Whether four of five steps rise, to one and a half times the first level, and the last third of them not much less than the others.
fn is_growth(stretch: &[Level]) -> bool {
    let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else { return false };
    let rises = stretch.windows(2).filter(|w| matches!(w, [a, b] if b.2 > a.2)).count();
    let late = stretch.get(stretch.len() * 2 / 3).map_or(0.0, |level| last.2 - level.2);
    stretch.len() >= LEAST
        && last.0 - first.0 >= SECONDS
        && rises * 5 >= (stretch.len() - 1) * 4
        && last.2 >= 1.5 * first.2
        && late * 5.0 >= last.2 - first.2
}

/// So many waiting messages are many, and so many times the usual number.
const MANY: f64 = 50.0;
const TIMES: f64 = 5.0;

/// A queue that is far deeper than before: since when, the line of the highest level, and a note.
fn piling_up(levels: &[Level], onset: i64, end: i64) -> Option<(i64, u32, String)> {
    let until = |second: i64| {
        let mut before: Vec<f64> = levels.iter().filter(|level| level.0 < second).map(|level| level.2).collect();
        before.sort_by(f64::total_cmp);
        before
    };
    // Work may have piled up for a while before anybody felt it; where little is known of before, all of that must be low.
    let mut before = until(onset - BEFORE);
    if before.len() < 3 {
        before = until(onset);
    }
    let usual = *before.get(before.len() / 2).filter(|_| before.len() >= 3)?;
    let during = || levels.iter().filter(|level| (onset - BEFORE..=end).contains(&level.0));
    let most = during().max_by(|a, b| a.2.total_cmp(&b.2))?;
    if most.2 < MANY.max(TIMES * usual) || before.last().is_some_and(|highest| most.2 < 2.0 * highest) {
        return None;
    }
    let begun = during().find(|level| level.2 >= most.2 / 4.0).map_or(onset, |level| level.0);
    Some((begun, most.1, format!("{} wait in place of {usual}", most.2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(numbers: &[f64]) -> Vec<Level> {
        (0u32..).zip(numbers).map(|(n, level)| (i64::from(n) * 10, n + 1, *level)).collect()
    }

    #[test]
    fn memory_that_grows_without_rest() {
        let leak: Vec<f64> = (0..12).map(|n| 60.0 + 10.0 * f64::from(n)).collect();
        let (begun, line, note) = growing(&levels(&leak), 100, 200).unwrap();
        assert_eq!((begun, line, note.as_str()), (0, 12, "it grew from 60 to 170 in 110 s"));
        let again = [&leak[..], &leak].concat();
        assert!(growing(&levels(&again), 100, 400).unwrap().2.ends_with("and so 2 times"));
        // A cache that is full, a heap that is collected, and what grew long ago.
        let full: Vec<f64> = (0..30).map(|n| 200.0 - 140.0 / f64::from(n + 1)).collect();
        let saw: Vec<f64> = (0..30).map(|n| 100.0 + f64::from(n % 3)).collect();
        assert!([full, saw].iter().all(|numbers| growing(&levels(numbers), 100, 200).is_none()));
        assert!(growing(&levels(&leak), 1000, 1200).is_none());
    }

    #[test]
    fn calls_that_take_longer() {
        let calls = |before: &[f64], now: &[f64]| {
            let told =
                |from: i64, numbers: &[f64]| (0..).zip(numbers).map(|(n, took)| (from + n, n as u32 + 1, *took)).collect::<Vec<Level>>();
            slower_calls(&[told(0, before), told(200, now)].concat(), 200, 260).map(|(_, _, note)| note)
        };
        assert_eq!(calls(&[20.0; 40], &[5050.0; 20]).as_deref(), Some("20 calls took 5.0 s and about that"));
        assert!(calls(&[], &[5050.0; 20]).is_some());
        // As slow as ever, a few of many, too few.
        assert!(calls(&[5050.0; 40], &[5050.0; 20]).is_none());
        assert!(calls(&[20.0; 40], &[[20.0; 40].as_slice(), &[900.0; 9]].concat()).is_none());
        assert!(calls(&[20.0; 40], &[5050.0; 7]).is_none());
    }

    #[test]
    fn a_queue_that_piles_up() {
        let numbers = [2.0, 0.0, 3.0, 1.0, 2.0, 2.0, 1.0, 2.0, 0.0, 40.0, 120.0, 252.0];
        assert_eq!(piling_up(&levels(&numbers), 95, 110), Some((100, 12, "252 wait in place of 2".to_string())));
        assert_eq!(piling_up(&levels(&[1.0, 200.0, 0.0, 1.0, 0.0, 2.0, 0.0, 1.0, 3.0, 210.0]), 90, 100), None);
        assert_eq!(piling_up(&levels(&numbers[8..]), 0, 40), None);
    }
}
