//! The verdict: the lines that are read even when nothing else is.

use super::Answer;
use super::page::{Ink, Page, Text};
use crate::output::words;
use crate::output::words::{Day, count, entity, length, number, percent, seconds_between, symptom, text};
use std::io::Result;
use whyline_diagnose::diagnosis::{Cause, IncidentReport, SURE, SymptomReport};

/// So many incidents get a verdict of their own on top.
const ON_TOP: usize = 3;

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let incidents = &answer.diagnosis.incidents;
    if incidents.is_empty() {
        return nothing(page, answer);
    }
    let mut worst: Vec<&IncidentReport> = incidents.iter().collect();
    // What nobody knows lies in the middle.
    let health = |i: &IncidentReport| i.health.unwrap_or(50);
    worst.sort_by(|a, b| (&a.grade, health(a), &a.start).cmp(&(&b.grade, health(b), &b.start)));
    // Incidents of one and the same cause share a verdict.
    let key = |i: &IncidentReport| answer.causes_of(i).first().map(|c| (c.id.clone(), c.entities.first().cloned()));
    let mut groups: Vec<Vec<&IncidentReport>> = Vec::new();
    for incident in worst {
        match groups.iter_mut().find(|g| key(incident).is_some() && key(g[0]) == key(incident)) {
            Some(group) => group.push(incident),
            None => groups.push(vec![incident]),
        }
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
        page.write("  ", "  ", &Text::plain(felt(incident)), 4)?;
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
            let command = if m.command.is_empty() { String::new() } else { format!(": {}", m.command) };
            let at = if m.host.is_empty() || m.log.contains(&m.host) { String::new() } else { format!(" on {}", m.host) };
            let log = words::sentence(&format!("{}{at}", m.log));
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
    let place = cause.entities.first().map(|e| format!(", {}", entity(e))).unwrap_or_default();
    text.and(ink, format!("{}{place}", cause.id))
        .and(Ink::Bold, format!(": {}", cause.title))
        .then(format!(" — {:.0} % sure", cause.confidence * 100.0))
}

/// `412 of 3,114 requests failed (502), 2026-11-20 21:07:12–21:08:39 UTC (1 min 27 s), recovered`
fn felt(incident: &IncidentReport) -> String {
    let worst = incident.symptoms.iter().max_by(|a, b| heaviness(a).total_cmp(&heaviness(b)));
    let what = worst.map(sentence).unwrap_or_default();
    let others = incident.symptoms.len().saturating_sub(1);
    let more = if others > 0 { format!(" and {}", count(others, "other symptom", "other symptoms")) } else { String::new() };
    let end = if incident.recovered { "recovered" } else { "still going on when the logs end" };
    let lasted = length(seconds_between(&incident.start, &incident.end));
    let date = incident.start.get(..10).unwrap_or_default();
    let day = Day(date.to_string());
    format!("{what}{more}, {date} {} UTC ({lasted}), {end}", day.span(&incident.start, &incident.end))
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

fn nothing(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let evidence = answer.evidence;
    let records: u64 = evidence.sources.iter().map(|s| s.records).sum();
    if records == 0 {
        return page.write("", "", &Text::new().and(Ink::Yellow, "Nothing was read, so nothing can be said."), 9);
    }
    let span = evidence.whole().map(|(a, b)| {
        let day = Day::of(&text(a));
        format!("{} {} UTC", day.0, day.seconds(a, b))
    });
    let span = span.unwrap_or_else(|| "without any time stamps".into());
    let sources = count(evidence.sources.len(), "source", "sources");
    if evidence.requests.is_empty() {
        page.write(
            "",
            "",
            &Text::new().and(Ink::Bold, "Nothing found, but no log here shows requests: what users felt cannot be read from it."),
            9,
        )?;
        let text = format!(
            "Looked at {sources}, {}, {span}. The access log of the proxy or of the service would tell.",
            count(records, "record", "records")
        );
        return page.write("  ", "  ", &Text::plain(text), 9);
    }
    let all = evidence.requests.len();
    let failed = evidence.requests.iter().filter(|r| r.failed()).count();
    let rejected = evidence.requests.iter().filter(|r| (400..500).contains(&r.of.status)).count();
    let share = |n: usize| format!("{} ({})", number(n), percent(n as f64 / all as f64));
    // A steady share of failures has no onset to explain, but it is not health.
    let steady = failed as f64 >= 0.01 * all as f64;
    let (ink, title) = if steady {
        (
            Ink::Yellow,
            format!("No stretch of failures, slowness or silence stands out, but {} of all logged requests failed.", share(failed)),
        )
    } else {
        (Ink::Green, "Nothing found: no stretch of failures, slowness or silence stands out.".to_string())
    };
    page.write("", "", &Text::new().and(ink, title), 9)?;
    let failures = match (failed, rejected) {
        (0, 0) => "all were served".to_string(),
        (f, r) => format!(
            "{} failed (5xx), {} were turned away (4xx)",
            if f == 0 { "none".into() } else { share(f) },
            if r == 0 { "none".into() } else { share(r) }
        ),
    };
    let text = format!(
        "Looked at {sources}, {}, {span}. Of {} {failures}.",
        count(records, "record", "records"),
        count(all, "logged request", "logged requests")
    );
    page.write("  ", "  ", &Text::plain(text), 9)
}
