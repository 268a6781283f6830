//! The verdict where a stretch of time was asked for in which no event lies: where the events are, and what may have been meant.

use super::Answer;
use super::page::{Ink, Page, Text};
use super::sources::stretch;
use crate::output::words::{Day, count, text};
use std::collections::BTreeMap;
use std::io::Result;
use whyline_event::Zone;
use whyline_event::stamp::{NANOS, rfc3339};

pub(super) fn nothing_there(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let Some(asked) = &answer.ground.asked else { return Ok(()) };
    let first = asked.from.or(asked.to).map(text).unwrap_or_default();
    let day = Day::of(&first);
    let title = format!("No event lies in the stretch that was asked for, {} {} UTC.", day.0, stretch(&day, (asked.from, asked.to)));
    page.write("", "", &Text::new().and(Ink::Yellow, title), 9)?;
    let Some((from, to)) = asked.whole else { return Ok(()) };
    let day = Day::of(&text(from));
    let zones = zones(answer);
    let elsewhere: Vec<String> = zones
        .iter()
        .map(|(label, (zone, sources))| {
            let (from, to) = (local(zone, from), local(zone, to));
            format!("; at {label}, the zone of {}, from {from} to {to}", count(*sources, "source", "sources"))
        })
        .collect();
    let said = format!("The logs go from {} {} to {} UTC{}.", day.0, day.time(&text(from)), day.time(&text(to)), elsewhere.concat());
    page.write("  ", "  ", &Text::plain(said), 9)?;
    let meant = zones.iter().map(|(label, (zone, _))| (label, asked.in_zone(zone))).find(|(_, stretch)| asked.meets(*stretch));
    if let Some((label, meant)) = meant {
        let example =
            asked.from.or(asked.to).map(|second| format!("{}{label}", rfc3339(second.saturating_mul(NANOS), 0).trim_end_matches('Z')));
        let offset = example.filter(|_| label.starts_with(['+', '-'])).map(|e| format!(", as in {e}")).unwrap_or_default();
        let day = Day::of(&meant.0.or(meant.1).map(text).unwrap_or_default());
        let said = format!(
            "Times are UTC unless they say otherwise. If those of {label} were meant, that is {} {} UTC, where events are: write UTC, or the offset behind the time{offset}.",
            day.0,
            stretch(&day, meant)
        );
        page.write("  ", "  ", &Text::plain(said), 9)?;
    }
    Ok(())
}

/// The zones of sources that are not UTC, with the number of those sources.
fn zones(answer: &Answer<'_>) -> BTreeMap<String, (Zone, usize)> {
    let mut zones = BTreeMap::new();
    for source in answer.evidence.sources.iter().filter(|s| s.records > 0 && !matches!(s.zone.as_str(), "" | "UTC" | "+00:00")) {
        if let Some(zone) = Zone::parse(&source.zone) {
            zones.entry(source.zone.clone()).or_insert((zone, 0)).1 += 1;
        }
    }
    zones
}

/// A second as the clocks of a zone show it: with its day.
fn local(zone: &Zone, second: i64) -> String {
    // What a zone makes of a civil time tells how far it is from UTC at about that time.
    let ahead = second - zone.to_utc(second.saturating_mul(NANOS)).div_euclid(NANOS);
    text(second + ahead).get(..19).unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times() {
        assert_eq!(local(&Zone::Offset(3600), 1_795_255_001), "2026-11-21 10:56:41");
        assert_eq!(local(&Zone::parse("America/New_York").unwrap_or(Zone::Offset(0)), 1_795_255_001), "2026-11-21 04:56:41");
    }
}
