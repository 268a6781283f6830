//! What was read: the ground that the answer stands on.

use super::Answer;
use super::page::{Ink, Page, Text, middle};
use crate::ground::Asked;
use crate::output::words::{Day, count, length, number, percent, text};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Result;
use whyline_diagnose::SourceInfo;
use whyline_event::stamp::NANOS;
use whyline_parse::Problem;

/// From this width on the table has a column for zones.
const WIDE: usize = 110;
/// More sources than this are summed up by host.
pub(super) const IN_FULL: usize = 12;
/// No more machines are listed.
const MOST_HOSTS: usize = 15;
/// So much of what could not be read, or is to be known, is said.
const MOST_PROBLEMS: usize = 6;

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let sources = &answer.evidence.sources;
    if sources.is_empty() {
        return if answer.ground.problems.is_empty() { Ok(()) } else { alone(page, answer) };
    }
    let collapse = sources.len() > IN_FULL && !answer.explain;
    let hosts = sources.iter().map(|s| s.host.as_str()).filter(|h| !h.is_empty()).collect::<BTreeSet<_>>().len();
    let note =
        format!("{} of {}; all times UTC, {}", count(sources.len(), "source", "sources"), count(hosts, "host", "hosts"), answer.day.0);
    let note = note.trim_end_matches([',', ' ']);
    page.heading("WHAT WAS READ", note)?;
    if collapse {
        by_host(page, answer)?;
    } else {
        all(page, answer)?;
    }
    asked(page, answer)?;
    problems(page, answer)?;
    zones(page, answer)?;
    clocks(page, sources)?;
    good_day(page, sources)
}

/// That some logs are of a good day, and how far their times were moved.
fn good_day(page: &mut Page<'_>, sources: &[SourceInfo]) -> Result<()> {
    let moved: Vec<i64> = sources.iter().filter(|s| s.baseline_of.is_some()).map(|s| s.moved / NANOS).collect();
    let (Some(least), Some(most)) = (moved.iter().min(), moved.iter().max()) else { return Ok(()) };
    let by = if least == most { length(most.abs()) } else { format!("{} to {}", length(least.abs()), length(most.abs())) };
    let what = count(moved.len(), "log of a good day, its times", "logs of a good day, their times");
    let text = format!("baseline: {what} moved by {by} to end where the bundle begins; what was felt then is not told");
    page.write("  ", "    ", &Text::new().and(Ink::Faint, text), usize::MAX)
}

fn all(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let sources = &answer.evidence.sources;
    let mut heads = vec!["source", "host", "format", "zone", "first–last"];
    if answer.ground.asked.is_some() {
        heads.push("asked");
    }
    heads.push("lines");
    let mut rows: Vec<Vec<String>> = sources
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let host = if s.host.is_empty() { "?".to_string() } else { s.host.clone() };
            let mut row = vec![s.path.clone(), middle(&host, 20), s.format.clone(), zone(s), span(answer, i)];
            row.extend(answer.ground.asked.as_ref().map(|asked| number(asked.sources.get(i).map_or(0, |s| s.records))));
            row.push(number(s.lines));
            row
        })
        .collect();
    // On a narrow screen the zones are said below the table only.
    if page.width() < WIDE {
        heads.remove(3);
        rows.iter_mut().for_each(|r| drop(r.remove(3)));
    }
    let room = room_for(page, &heads, &rows, 0);
    rows.iter_mut().for_each(|r| r[0] = middle(&r[0], room));
    table(page, &heads, &rows, |i| remarks(answer, i))
}

/// How wide a column may be so that the table fits on the page.
fn room_for(page: &Page<'_>, heads: &[&str], rows: &[Vec<String>], column: usize) -> usize {
    let others: usize = (0..heads.len())
        .filter(|i| *i != column)
        .map(|i| 2 + rows.iter().map(|r| r[i].chars().count()).chain([heads[i].chars().count()]).max().unwrap_or(0))
        .sum();
    page.width().saturating_sub(2 + others).max(16)
}

/// `+01:00 agreed`: the zone, and in a word how it is known.
fn zone(source: &SourceInfo) -> String {
    let word = match source.zone_why.as_str() {
        "in the stamps" => "stamps",
        "as told by --tz" => "--tz",
        "by the stamps of its envelope" => "envelope",
        "as its host's other logs" => "host",
        "only so it lies beside the others" => "overlap",
        "no stamps" => return "–".into(),
        why if why.contains(" moments agree with ") || why.contains(" restarts agree with ") => "agreed",
        why => why,
    };
    format!("{} {word}", source.zone)
}

fn by_host(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let mut hosts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, s) in answer.evidence.sources.iter().enumerate() {
        hosts.entry(&s.host).or_default().push(i);
    }
    let mut members: Vec<Vec<usize>> = Vec::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (host, list) in hosts {
        let sources = &answer.evidence.sources;
        let mut formats: BTreeMap<&str, usize> = BTreeMap::new();
        list.iter().for_each(|i| *formats.entry(&sources[*i].format).or_default() += 1);
        let mut formats: Vec<(&str, usize)> = formats.into_iter().collect();
        formats.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
        let formats = formats
            .iter()
            .map(|(name, n)| if *n > 1 { format!("{name} ×{n}") } else { (*name).to_string() })
            .collect::<Vec<_>>()
            .join(", ");
        let lines: u64 = list.iter().map(|i| sources[*i].lines).sum();
        let whole = list.iter().filter_map(|i| whole_span(answer, *i)).reduce(|(a, b), (x, y)| (a.min(x), b.max(y)));
        let host = if host.is_empty() { "(no host)".to_string() } else { middle(host, 20) };
        let span = whole.map_or_else(|| "no time".into(), |(a, b)| join(answer, a, b));
        let mut row = vec![host, count(list.len(), "source", "sources"), formats, span];
        let records = |asked: &Asked| list.iter().filter_map(|i| asked.sources.get(*i)).map(|s| s.records).sum::<u64>();
        row.extend(answer.ground.asked.as_ref().map(|asked| number(records(asked))));
        row.push(number(lines));
        rows.push(row);
        members.push(list);
    }
    let left = rows.len().saturating_sub(MOST_HOSTS);
    rows.truncate(MOST_HOSTS);
    let mut heads = vec!["host", "", "formats", "first–last"];
    if answer.ground.asked.is_some() {
        heads.push("asked");
    }
    heads.push("lines");
    let room = room_for(page, &heads, &rows, 2);
    rows.iter_mut().for_each(|r| r[2] = clip(&r[2], room));
    table(page, &heads, &rows, |row| members[row].iter().flat_map(|i| remarks(answer, *i)).take(2).collect())?;
    let more = if left > 0 { format!("and {}; ", count(left, "more host", "more hosts")) } else { String::new() };
    page.write("  ", "  ", &Text::new().and(Ink::Faint, format!("{more}--explain lists every source")), 1)
}

fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_string() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

/// Writes rows below their heads; the last column is right-aligned. Remarks stand below their row.
fn table(page: &mut Page<'_>, heads: &[&str], rows: &[Vec<String>], remarks: impl Fn(usize) -> Vec<String>) -> Result<()> {
    let mut widths: Vec<usize> = heads.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (w, cell) in widths.iter_mut().zip(row) {
            *w = (*w).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| -> String {
        let mut out = String::new();
        for (i, cell) in cells.iter().enumerate() {
            let pad = " ".repeat(widths[i].saturating_sub(cell.chars().count()));
            let gap = if i > 0 { "  " } else { "" };
            if i + 1 == cells.len() { out.push_str(&format!("{gap}{pad}{cell}")) } else { out.push_str(&format!("{gap}{cell}{pad}")) }
        }
        out
    };
    page.write("  ", "    ", &Text::new().and(Ink::Faint, line(&heads.iter().map(|h| (*h).to_string()).collect::<Vec<_>>())), 1)?;
    for (i, row) in rows.iter().enumerate() {
        page.write("  ", "    ", &Text::plain(line(row)), 2)?;
        for remark in remarks(i) {
            page.write("    ", "      ", &Text::new().and(Ink::Yellow, remark), 2)?;
        }
    }
    Ok(())
}

/// First and last second of a source as a whole, whatever stretch was asked for; of a good day its own time.
fn whole_span(answer: &Answer<'_>, source: usize) -> Option<(i64, i64)> {
    let asked = answer.ground.asked.as_ref().and_then(|asked| asked.sources.get(source));
    let (first, last) = asked.map_or_else(|| answer.evidence.span(source), |within| within.whole)?;
    let moved = answer.evidence.sources.get(source).map_or(0, |s| s.moved.div_euclid(NANOS));
    Some((first - moved, last - moved))
}

/// Which stretch was asked for.
fn asked(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let Some(asked) = &answer.ground.asked else { return Ok(()) };
    let said = format!(
        "asked: {}; `asked` counts the records of it, all else is said of the whole logs",
        stretch(&answer.day, (asked.from, asked.to))
    );
    page.write("  ", "    ", &Text::new().and(Ink::Faint, said), usize::MAX)
}

/// `21:03:00–21:13:00`, `from 21:03:00`, `up to 21:13:00`
pub(super) fn stretch(day: &Day, (from, to): (Option<i64>, Option<i64>)) -> String {
    match (from, to) {
        (Some(from), Some(to)) => day.seconds(from, to),
        (Some(from), None) => format!("from {}", day.time(&text(from))),
        (None, Some(to)) => format!("up to {}", day.time(&text(to))),
        (None, None) => "all".into(),
    }
}

/// Where nothing was read: only what could not be.
fn alone(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    page.heading("WHAT WAS READ", "nothing")?;
    problems(page, answer)
}

/// What could not be read, and what there is to know about what was.
fn problems(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let said = |p: &Problem| if p.help.is_empty() { p.what.clone() } else { format!("{}; {}", p.what, p.help) };
    let unreadable = answer.ground.unreadable().map(|p| Text::new().and(Ink::Red, "not read: ").then(format!("{}: {}", p.place, said(p))));
    let notes = answer.ground.notes().map(|p| Text::new().and(Ink::Yellow, format!("{}: {}", p.place, said(p))));
    let all: Vec<Text> = unreadable.chain(notes).collect();
    let shown = if answer.explain { all.len() } else { all.len().min(MOST_PROBLEMS) };
    all[..shown].iter().try_for_each(|text| page.write("  ", "    ", text, 4))?;
    if shown < all.len() {
        page.write("  ", "  ", &Text::new().and(Ink::Faint, format!("and {} more (--explain)", all.len() - shown)), 1)?;
    }
    Ok(())
}

fn span(answer: &Answer<'_>, source: usize) -> String {
    match (whole_span(answer, source), answer.evidence.looked(source)) {
        (Some((a, b)), _) => join(answer, a, b),
        // Output of commands: when somebody looked.
        (None, Some((a, b))) => format!("at {}", if a == b { answer.day.time(&text(a)) } else { join(answer, a, b) }),
        (None, None) => "no time".into(),
    }
}

/// A stretch; one that leaves the day of the answer without seconds, so that the table keeps its columns.
fn join(answer: &Answer<'_>, a: i64, b: i64) -> String {
    let (from, to) = (text(a), text(b));
    let day = |t: &str| t.get(..10).unwrap_or_default().to_string();
    if day(&from) == answer.day.0 && day(&to) == answer.day.0 {
        return answer.day.seconds(a, b);
    }
    let short = |t: &str| t.get(5..16).unwrap_or(t).replace('T', " ");
    let is_other_year = day(&from).get(..4) != answer.day.0.get(..4) || day(&to).get(..4) != answer.day.0.get(..4);
    match (is_other_year, day(&from) == day(&to)) {
        (true, _) => format!("{}–{}", day(&from), day(&to)),
        (false, true) => format!("{}–{}", short(&from), to.get(11..16).unwrap_or_default()),
        (false, false) => format!("{}–{}", short(&from), short(&to)),
    }
}

/// What is odd about a source.
fn remarks(answer: &Answer<'_>, source: usize) -> Vec<String> {
    let s = &answer.evidence.sources[source];
    let mut list = Vec::new();
    if let Some(other) = &s.same_as {
        list.push(format!("{}: the same stream as {other}; counted once", s.path));
        return list;
    }
    if let Some(encoding) = &s.encoding {
        list.push(format!("{}: read as {encoding}", s.path));
    }
    if s.records >= 50 && s.share < 0.7 {
        list.push(format!("{}: only {} of its records fit {}", s.path, percent(s.share), s.format));
    }
    let gaps = answer.evidence.gaps(source, silence(answer, source));
    if let Some((a, b)) = gaps.iter().max_by_key(|(a, b)| (b - a, -a)) {
        let more = if gaps.len() > 1 { format!(" and {} more times", gaps.len() - 1) } else { String::new() };
        list.push(format!("{}: silent {} ({}){more}", s.path, join(answer, *a, *b), length(b - a)));
    }
    list
}

/// How long a source must be silent to be remarkable: a minute, and far longer than it usually pauses.
fn silence(answer: &Answer<'_>, source: usize) -> i64 {
    let ticks = answer.evidence.ticks.get(source).map_or(0, Vec::len);
    let usual = answer.evidence.span(source).map_or(0, |(a, b)| b - a) / (ticks.max(1) as i64);
    if ticks < 50 { i64::MAX / 2 } else { (usual * 30).max(60) }
}

fn zones(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let assumed = answer.evidence.sources.iter().filter(|s| s.zone_why == "assumed" && s.records > 0).count();
    if page.width() >= WIDE && answer.evidence.sources.len() <= IN_FULL && !answer.explain {
        if assumed == 0 {
            return Ok(());
        }
        let text = format!("the zone of {} is assumed; say --tz ZONE when it is wrong", count(assumed, "source", "sources"));
        return page.write("  ", "    ", &Text::new().and(Ink::Yellow, text), usize::MAX);
    }
    let mut known: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
    // The fewest moments on which any of the agreements rests.
    let fewest = answer.evidence.sources.iter().filter_map(|s| agreed(&s.zone_why)).min().unwrap_or(0);
    for s in answer.evidence.sources.iter().filter(|s| s.records > 0) {
        let why = match agreed(&s.zone_why) {
            Some(_) if !answer.explain => format!("agreed, each by {fewest} or more moments that two sources logged"),
            _ => s.zone_why.clone(),
        };
        known.entry((s.zone.clone(), why)).or_default().push(&s.path);
    }
    let mut known: Vec<_> = known.into_iter().collect();
    known.sort_by_key(|(_, paths)| std::cmp::Reverse(paths.len()));
    let mut text = Text::new().and(Ink::Faint, "zones: ");
    for (i, ((zone, why), paths)) in known.iter().enumerate() {
        let which = if known.len() == 1 {
            String::new()
        } else if paths.len() == 1 {
            format!(" for {}", middle(paths[0], 40))
        } else {
            format!(" for {} sources", paths.len())
        };
        let ink = if why == "assumed" { Ink::Yellow } else { Ink::Faint };
        let sep = if i > 0 { "; " } else { "" };
        let zone = if zone.is_empty() { "none".to_string() } else { zone.clone() };
        text = text.and(Ink::Faint, sep).and(ink, format!("{zone}, {why}{which}"));
    }
    if assumed > 0 {
        text = text.and(Ink::Faint, " (say --tz ZONE when that is wrong)");
    }
    page.write("  ", "    ", &text, usize::MAX)
}

/// On how many moments an agreement about a zone rests; `None` when the zone is known otherwise.
fn agreed(why: &str) -> Option<u64> {
    why.split_once(" moments agree with ")?.0.parse().ok()
}

fn clocks(page: &mut Page<'_>, sources: &[SourceInfo]) -> Result<()> {
    let mut off: BTreeMap<(&str, i64), usize> = BTreeMap::new();
    for s in sources.iter().filter(|s| s.skew() != 0) {
        let who = if s.host.is_empty() { s.path.as_str() } else { s.host.as_str() };
        let pairs = off.entry((who, s.skew() / 1_000_000)).or_default();
        *pairs = (*pairs).max(s.ahead_pairs);
    }
    for ((who, ms), pairs) in off {
        let way = if ms > 0 { "ahead of" } else { "behind" };
        let text = format!(
            "the clock of {who} is {:.1} s {way} the others ({} that both logged say so); times in this answer are corrected for it, lines are quoted as they stand",
            ms.abs() as f64 / 1000.0,
            count(pairs, "moment", "moments")
        );
        page.write("  ", "    ", &Text::new().and(Ink::Yellow, text), usize::MAX)?;
    }
    Ok(())
}
