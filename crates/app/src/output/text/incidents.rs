//! What users felt, in numbers.

use super::Answer;
use super::page::{Ink, Page, Text};
use super::verdict::{going_on, groups, sentence};
use crate::output::words::{count, length, number, percent, seconds_between, took};
use std::io::Result;
use whyline_diagnose::Grade;
use whyline_diagnose::diagnosis::{FailedPath, IncidentReport, SymptomReport};

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let incidents = &answer.diagnosis.incidents;
    if incidents.is_empty() {
        return Ok(());
    }
    let note = if incidents.len() > 1 { format!("{} incidents", incidents.len()) } else { String::new() };
    page.heading("WHAT USERS FELT", &note)?;
    for incident in groups(answer).into_iter().flatten() {
        one(page, answer, incident)?;
    }
    Ok(())
}

fn one(page: &mut Page<'_>, answer: &Answer<'_>, incident: &IncidentReport) -> Result<()> {
    let ink = if incident.grade == Grade::P1 { Ink::Red } else { Ink::Yellow };
    let (end_ink, end) = if incident.recovered { (Ink::Green, "recovered") } else { (Ink::Red, going_on(answer)) };
    let head = Text::new()
        .and(Ink::Bold, answer.label(&incident.id))
        .and(Ink::Bold, answer.day.span(&incident.start, &incident.end))
        .then(format!(" ({})  ", length(seconds_between(&incident.start, &incident.end))))
        .and(ink, incident.grade.as_str())
        .then(match incident.health {
            Some(health) => format!(", health {health} of 100, "),
            None if incident.symptoms.is_empty() => ", told by programs alone: no log here shows requests, ".into(),
            None => ", told by an error log alone, ".into(),
        })
        .and(end_ink, end);
    page.write("  ", "    ", &head, 3)?;
    for symptom in &incident.symptoms {
        felt(page, answer, incident, symptom)?;
    }
    for besides in &incident.besides {
        let text = format!("{} probable: {} without {}", percent(besides.confidence), besides.id, besides.without);
        page.write("    ", "      ", &Text::new().and(Ink::Faint, text), 2)?;
    }
    let unexplained = incident.unexplained - incident.besides.iter().map(|b| b.confidence).sum::<f64>();
    if unexplained >= 0.1 {
        let text = format!("{} probable: something that no rule knows or no log here tells", percent(unexplained));
        page.write("    ", "      ", &Text::new().and(Ink::Faint, text), 2)?;
    }
    Ok(())
}

fn felt(page: &mut Page<'_>, answer: &Answer<'_>, incident: &IncidentReport, s: &SymptomReport) -> Result<()> {
    let mut text = Text::new().and(Ink::Cyan, format!("{:<12} ", s.id)).then(sentence(s));
    if s.clients > 0 {
        text = text.then(format!(", {}", count(s.clients, "client", "clients")));
    }
    if (seconds_between(&incident.start, &s.start), seconds_between(&s.end, &incident.end)) != (0, 0) {
        text = text.and(Ink::Faint, format!(", {}", answer.day.span(&s.start, &s.end)));
    }
    page.write("    ", "      ", &text, 4)?;
    if let Some(paths) = paths(s) {
        page.write("      ", "      ", &Text::new().and(Ink::Faint, paths), 2)?;
    }
    let Some(p50) = s.p50 else { return Ok(()) };
    let point = |name: &str, now: Option<f64>, before: Option<f64>| {
        let was = before.map(|b| format!(" (before: {})", took(b))).unwrap_or_default();
        now.map(|n| format!("{name} {}{was}", took(n)))
    };
    let points: Vec<String> = [point("p50", Some(p50), s.p50_before), point("p90", s.p90, s.p90_before), point("p99", s.p99, s.p99_before)]
        .into_iter()
        .flatten()
        .collect();
    page.write("      ", "      ", &Text::new().and(Ink::Faint, format!("answers took {}", points.join(", "))), 3)
}

/// Which paths failed: `mostly GET /quotes/* (132 of 137)`.
fn paths(s: &SymptomReport) -> Option<String> {
    let most = s.paths.first().filter(|most| !most.path.is_empty() && s.failed > 0)?;
    let of = |path: &FailedPath| format!("{} ({} of {})", path.path, number(path.failed), number(s.failed));
    if most.failed == s.failed {
        return Some(format!("all {}", most.path));
    }
    if most.failed * 2 >= s.failed {
        return Some(format!("mostly {}", of(most)));
    }
    let list: Vec<String> = s.paths.iter().map(|path| format!("{} ({})", path.path, number(path.failed))).collect();
    Some(format!("several paths, most often {}", list.join(", ")))
}
