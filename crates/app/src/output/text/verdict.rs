//! The verdict: the lines that are read even when nothing else is.

use super::page::{Ink, Page, Text};
use super::{Answer, nothing};
use crate::output::words;
use crate::output::words::{Day, count, entity, length, number, percent, seconds_between, symptom};
use std::io::Result;
use whyline_diagnose::diagnosis::{Cause, IncidentReport, SURE, SymptomReport};

/// So many incidents get a verdict of their own on top.
const ON_TOP: usize = 3;

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let groups = groups(answer);
    if groups.is_empty() {
        return nothing::write(page, answer);
    }
    let shown = if groups.len() > ON_TOP + 1 { ON_TOP } else { groups.len() };
    for group in &groups[..shown] {
        one(page, answer, group)?;
    }
    if shown < groups.len() {
        let rest = groups[shown..].iter().map(Vec::len).sum::<usize>();
        page.write("", "", &Text::plain(format!("and {} below, none graver than these.", count(rest, "incident", "incidents"))), 9)?;
    }
    decider(page, answer, &groups[..shown])
}

/// Incidents in the order in which they are told, the worst first, those of one cause together.
pub(super) fn groups<'a>(answer: &Answer<'a>) -> Vec<Vec<&'a IncidentReport>> {
    let incidents = &answer.diagnosis.incidents;
    let mut worst: Vec<&IncidentReport> = incidents.iter().collect();
    // What nobody knows lies in the middle.
    let health = |i: &IncidentReport| i.health.unwrap_or(50);
    // A little one that nobody can explain does not stand before one that is sure.
    let heavy = |i: &IncidentReport| i.symptoms.iter().map(|s| s.failed.max(1)).max().unwrap_or(1);
    let heaviest = incidents.iter().map(heavy).max().unwrap_or(1);
    let is_sure = |i: &IncidentReport| answer.causes_of(i).first().is_some_and(|c| c.confidence >= SURE);
    let any_sure = incidents.iter().any(|i| is_sure(i) && heavy(i) * 10 >= heaviest);
    let is_minor = |i: &IncidentReport| any_sure && !is_sure(i) && heavy(i) * 10 < heaviest;
    worst.sort_by(|a, b| (is_minor(a), &a.grade, health(a), &a.start).cmp(&(is_minor(b), &b.grade, health(b), &b.start)));
    // Incidents of one and the same cause share a verdict.
    let key = |i: &IncidentReport| answer.causes_of(i).first().map(|c| (c.id.clone(), c.entities.first().cloned()));
    let mut groups: Vec<Vec<&IncidentReport>> = Vec::new();
    for incident in worst {
        match groups.iter_mut().find(|g| key(incident).is_some() && key(g[0]) == key(incident)) {
            Some(group) => group.push(incident),
            None => groups.push(vec![incident]),
        }
    }
    groups.iter_mut().for_each(|group| group.sort_by(|a, b| a.start.cmp(&b.start)));
    groups
}

fn one(page: &mut Page<'_>, answer: &Answer<'_>, group: &[&IncidentReport]) -> Result<()> {
    let causes = answer.causes_of(group[0]);
    let label = if answer.diagnosis.incidents.len() > 1 {
        format!("{}: ", group.iter().map(|i| i.id.as_str()).collect::<Vec<_>>().join(", "))
    } else {
        String::new()
    };
    let text = Text::new().and(Ink::Faint, label);
    let text = match causes.first() {
        Some(cause) if cause.confidence >= SURE => named(text, cause, Ink::Red),
        Some(cause) => {
            let word = if cause.confidence >= 0.5 { "not sure, but likely " } else { "not sure; possibly " };
            named(text.and(Ink::Yellow, word), cause, Ink::Yellow)
        }
        None => text.and(Ink::Yellow, "there is not enough evidence to say why"),
    };
    page.write("", "  ", &text, 4)?;
    for incident in group.iter().take(ON_TOP) {
        page.write("  ", "  ", &Text::plain(felt(answer, incident)), 4)?;
    }
    if let Some(first) = causes.first().filter(|c| c.confidence >= SURE).and_then(|c| c.advice.fix.first()) {
        page.write("  ", "      ", &Text::new().and(Ink::Bold, "do: ").then(first.as_str()), 2)?;
    }
    if group.len() > ON_TOP {
        page.write("  ", "  ", &Text::plain(format!("and {} more times", group.len() - ON_TOP)), 1)?;
    }
    Ok(())
}

/// Where the program does not stand by a cause: the log that would decide.
fn decider(page: &mut Page<'_>, answer: &Answer<'_>, groups: &[Vec<&IncidentReport>]) -> Result<()> {
    let is_unsure = |group: &&Vec<&IncidentReport>| answer.causes_of(group[0]).first().is_none_or(|c| c.confidence < SURE);
    let unsure: Vec<_> = groups.iter().filter(is_unsure).collect();
    if unsure.is_empty() {
        return Ok(());
    }
    let missing = &answer.diagnosis.missing;
    let of = |group: &Vec<&IncidentReport>| missing.iter().find(|m| group.iter().any(|incident| incident.id == m.incident));
    match unsure.iter().find_map(|group| of(group)) {
        Some(m) => {
            let command = match &m.unreadable {
                Some(place) => format!("; it was given as {place}, but could not be read"),
                None if m.command.is_empty() => String::new(),
                None => format!(": {}", m.command),
            };
            let at = if m.host.is_empty() || m.log.contains(&m.host) { String::new() } else { format!(" on {}", m.host) };
            let log = m.log.strip_suffix(" that run there").filter(|_| !at.is_empty()).map(|log| format!("{log} that run"));
            let log = words::sentence(&format!("{}{at}", log.as_ref().unwrap_or(&m.log)));
            let text = Text::new().and(Ink::Bold, "this log would decide: ").then(log).and(Ink::Cyan, command);
            page.write("  ", "  ", &text, 3)
        }
        None if unsure.iter().any(|group| answer.causes_of(group[0]).is_empty()) => {
            let text = "no rule explains what these logs show; the logs of the services behind the failing requests may";
            page.write("  ", "  ", &Text::plain(text), 3)
        }
        None => Ok(()),
    }
}

fn named(text: Text, cause: &Cause, ink: Ink) -> Text {
    let place = cause.entities.first().map(|e| format!(", {}", words::accused(&cause.id, e))).unwrap_or_default();
    text.and(ink, format!("{}{place}", cause.id))
        .and(Ink::Bold, format!(": {}", cause.title))
        .then(format!(" — {} sure", words::confidence(cause.confidence)))
}

/// `412 of 3,114 requests failed (502), 2026-11-20 21:07:12–21:08:39 UTC (1 min 27 s), recovered`
fn felt(answer: &Answer<'_>, incident: &IncidentReport) -> String {
    let worst = incident.symptoms.iter().max_by(|a, b| heaviness(a).total_cmp(&heaviness(b)));
    let what = worst.map_or_else(|| "programs complain; what users felt stands in no log here".into(), sentence);
    let others = incident.symptoms.len().saturating_sub(1);
    let more = if others > 0 { format!(" and {}", count(others, "other symptom", "other symptoms")) } else { String::new() };
    let end = if incident.recovered { "recovered" } else { going_on(answer) };
    let lasted = length(seconds_between(&incident.start, &incident.end));
    let date = incident.start.get(..10).unwrap_or_default();
    let day = Day(date.to_string());
    format!("{what}{more}, {date} {} UTC ({lasted}), {end}", day.span(&incident.start, &incident.end))
}

/// That it did not end, as far as anybody saw.
pub(super) fn going_on(answer: &Answer<'_>) -> &'static str {
    if answer.ground.is_cut_off() { "still going on when the asked stretch ends" } else { "still going on when the logs end" }
}

fn heaviness(s: &SymptomReport) -> f64 {
    let slow = if s.id == "http.slow" { 0.1 } else { 1.0 };
    s.failed.max(1) as f64 * slow
}

/// One symptom in a sentence.
pub(super) fn sentence(s: &SymptomReport) -> String {
    let at = entity(&s.entity);
    match s.id.as_str() {
        "traffic.drop" if s.share > 0.0 => {
            let lasted = length(seconds_between(&s.start, &s.end));
            format!("{} requests at {at} in {lasted}, {} fewer than usual", number(s.requests), percent(s.share))
        }
        "traffic.drop" => format!("no requests at {at} for {}", length(seconds_between(&s.start, &s.end))),
        "http.slow" => format!("{} of {} requests at {at} were slow ({})", number(s.failed), number(s.requests), percent(s.share)),
        "http.aborted" => {
            format!("callers of {at} gave up on {} of {} requests ({})", number(s.failed), number(s.requests), percent(s.share))
        }
        id if s.failed == 0 => format!("{} at {at}, {}", symptom(id), count(s.requests, "time", "times")),
        id => match id.strip_prefix("http.") {
            Some(status) => {
                format!("{} of {} requests at {at} failed with {status} ({})", number(s.failed), number(s.requests), percent(s.share))
            }
            None => format!("{} at {at}: {} of {} ({})", symptom(id), number(s.failed), number(s.requests), percent(s.share)),
        },
    }
}
