//! What lines of statistics say: hits of caches, retransmissions.

use super::View;
use crate::entity::of_service;
use crate::tally::{Counter, Gauge};
use std::collections::BTreeMap;

/// One line of statistics: second, line, and its numbers; whether they tell what came since the line before.
struct Row {
    second: i64,
    line: u32,
    is_growth: bool,
    numbers: BTreeMap<Counter, f64>,
}

/// How much a counter grew, in how many seconds, and by which line.
type Growth = Vec<(f64, f64, u32)>;

pub(super) fn measure(view: &mut View<'_>) {
    let mut lines: BTreeMap<(u32, u32), Vec<Row>> = BTreeMap::new();
    for (second, gauge) in
        view.evidence.gauges.iter().filter(|(_, gauge)| matches!(gauge.counter, Counter::Hits | Counter::Misses | Counter::Retransmissions))
    {
        let Gauge { source, service, line, counter, value, is_growth, .. } = *gauge;
        let rows = lines.entry((source, service)).or_default();
        match rows.last_mut() {
            Some(row) if row.line == line => {
                row.numbers.insert(counter, value);
            }
            _ => rows.push(Row { second: *second, line, is_growth, numbers: BTreeMap::from([(counter, value)]) }),
        }
    }
    for ((source, service), rows) in lines {
        let host = view.evidence.sources.get(source as usize).map_or("", |s| s.host.as_str()).to_string();
        let service = view.evidence.text(service).to_string();
        let entity = of_service(&service, &host);
        hits(view, source, &entity, &rows);
        retransmissions(view, source, &host, &rows);
    }
}

/// How much a counter grew between neighbouring lines, before the incident and during it: (before, during), each a list of
/// (growth, seconds, line). Counters that start again are left out there; numbers that are no counters (they fall as often as
/// they rise) are taken as they are.
fn growth(view: &View<'_>, rows: &[Row], counter: Counter) -> (Growth, Growth) {
    let (onset, end) = (view.incident.onset / 1000, view.incident.end / 1000);
    let list: Vec<(i64, u32, f64)> = rows.iter().filter_map(|row| row.numbers.get(&counter).map(|v| (row.second, row.line, *v))).collect();
    let falls = list.windows(2).filter(|w| w[1].2 < w[0].2).count();
    let cumulative = !rows.iter().any(|row| row.is_growth) && falls * 5 <= list.len();
    let (mut before, mut during) = (Vec::new(), Vec::new());
    for w in list.windows(2) {
        let ((t0, _, v0), (t1, line, v1)) = (w[0], w[1]);
        if t1 <= t0 || cumulative && v1 < v0 {
            continue;
        }
        let grown = if cumulative { v1 - v0 } else { v1 };
        let row = (grown, (t1 - t0) as f64, line);
        if t1 <= onset {
            before.push(row);
        } else if t1 > onset && t0 <= end {
            during.push(row);
        }
    }
    (before, during)
}

/// So many look-ups, counted one by one, show the share of hits.
const ENOUGH: f64 = 50.0;

/// So many lines of before say how low the share of hits ever was.
const HISTORY: usize = 5;

fn hits(view: &mut View<'_>, source: u32, entity: &str, rows: &[Row]) {
    let ((hits_before, hits_now), (miss_before, miss_now)) = (growth(view, rows, Counter::Hits), growth(view, rows, Counter::Misses));
    let sum = |v: &[(f64, f64, u32)]| v.iter().map(|r| r.0).sum::<f64>();
    let seconds = |v: &[(f64, f64, u32)]| v.iter().map(|r| r.1).sum::<f64>().max(1.0);
    // The usual share: of the later half before the incident, since a cache that fills up starts low.
    let (h, m) = (&hits_before[hits_before.len() / 2..], &miss_before[miss_before.len() / 2..]);
    if h.is_empty() || hits_now.is_empty() || miss_now.is_empty() {
        return;
    }
    let usual = sum(h) / (sum(h) + sum(m)).max(1.0);
    // The worst line of the incident tells; its later lines may show the cache filling again. A few look-ups tell nothing.
    let enough = if rows.iter().any(|row| row.is_growth) { ENOUGH } else { 0.0 };
    let (mut found, mut missed, mut shares) = (0.0, 0.0, Vec::new());
    for (hits, misses) in hits_now.iter().zip(&miss_now) {
        (found, missed) = (found + hits.0, missed + misses.0);
        if found + missed >= enough {
            shares.push((found / f64::max(found + missed, 1.0), hits.2));
            (found, missed) = (0.0, 0.0);
        }
    }
    let worst = shares.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let Some((now, line)) = worst else { return };
    let (rate, before) = (sum(&miss_now) / seconds(&miss_now), sum(m) / seconds(m));
    // Workers that wait for what they rebuild look nothing up: then the share falls below all that it was before, and the misses go on. Of
    // look-ups that a proxy logs one by one, those that no origin answers miss as well.
    let lowest = h.iter().zip(m).map(|(hits, misses)| hits.0 / f64::max(hits.0 + misses.0, 1.0)).reduce(f64::min);
    let is_unseen = enough == 0.0 && h.len() >= HISTORY && lowest.is_some_and(|lowest| now <= lowest - 0.15) && rate >= before;
    let is_more = rate >= 1.5 * before.max(0.05);
    if now <= usual - 0.2 && (is_more || is_unseen) && sum(h) + sum(m) >= 20.0 {
        let note = format!("{:.0} % of the lookups are hits, in place of {:.0} %", now * 100.0, usual * 100.0);
        // Whoever counts its look-ups is rarely the cache itself.
        let entity = crate::activity::only_store(view.evidence, "cache").unwrap_or_else(|| entity.to_string());
        view.add("cache.hit-rate-collapse", entity, view.incident.onset, note, vec![(source, line)]);
    }
}

fn retransmissions(view: &mut View<'_>, source: u32, host: &str, rows: &[Row]) {
    let (before, now) = growth(view, rows, Counter::Retransmissions);
    if now.is_empty() || host.is_empty() {
        return;
    }
    let rate = |v: &[(f64, f64, u32)]| v.iter().map(|r| r.0).sum::<f64>() / v.iter().map(|r| r.1).sum::<f64>().max(1.0);
    let (usual, now_rate) = (rate(&before), rate(&now));
    if now_rate >= 0.5 && now_rate >= 5.0 * usual.max(0.02) {
        let cite = now.iter().take(2).map(|r| (source, r.2)).collect();
        let note = format!("{now_rate:.1} segments a second are sent again, in place of {usual:.1}");
        view.add("net.retransmissions-rise", format!("host:{host}"), view.incident.onset, note, cite);
    }
}
