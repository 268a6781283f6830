//! Why: the causes, from the fault up to what was felt, each with its proof.

use super::page::{Ink, Page, Text};
use super::verdict::groups;
use super::{Answer, evidence};
use crate::output::words;
use crate::output::words::{entities, entity, percent, seconds_between, symptom};
use std::io::Result;
use whyline_diagnose::diagnosis::{Cause, Entry, IncidentReport, SURE};

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let incidents: Vec<&IncidentReport> = groups(answer).into_iter().flatten().collect();
    for (number, incident) in incidents.iter().enumerate() {
        let causes = answer.causes_of(incident);
        let same = |other: &&&IncidentReport| !answer.explain && !causes.is_empty() && key(&answer.causes_of(other)) == key(&causes);
        // Incidents of the same causes are told once.
        if incidents.iter().take(number).any(|other| same(&other)) {
            continue;
        }
        let alike: Vec<&str> = incidents.iter().skip(number + 1).filter(same).map(|other| other.id.as_str()).collect();
        let label = answer.label(&incident.id);
        let also = if alike.is_empty() { String::new() } else { format!("; the same holds for {}", alike.join(", ")) };
        page.heading("WHY", &format!("{}{also}", label.trim_end_matches(": ")))?;
        if causes.is_empty() {
            unnamed(page, answer, incident)?;
        }
        for (rank, cause) in causes.iter().enumerate() {
            if rank > 0 {
                page.blank()?;
            }
            one(page, answer, incident, cause, rank)?;
        }
    }
    Ok(())
}

/// What makes the causes of two incidents the same: the faults, and whom they accuse.
fn key<'c>(causes: &[&'c Cause]) -> Vec<(&'c str, &'c [String])> {
    causes.iter().map(|cause| (cause.id.as_str(), cause.entities.as_slice())).collect()
}

/// No cause reached the belief at which one is named: what came closest.
fn unnamed(page: &mut Page<'_>, answer: &Answer<'_>, incident: &IncidentReport) -> Result<()> {
    let text = "No fault that the rules know has enough evidence here to be named as the cause.";
    page.write("  ", "  ", &Text::plain(text), 9)?;
    let close = incident.considered.iter().filter(|c| c.step_of.is_none() && c.confidence >= 0.05);
    for c in close.take(if answer.explain { usize::MAX } else { 3 }) {
        let text = Text::new()
            .and(Ink::Faint, "came close: ")
            .then(format!("{}, {}", c.id, entity(&c.place)))
            .and(Ink::Faint, format!(", {}", percent(c.confidence)));
        page.write("  ", "    ", &text, 3)?;
        if answer.explain {
            terms(page, &c.terms)?;
        }
    }
    Ok(())
}

/// How sure, as a bar and in words.
fn confidence(cause: &Cause) -> (Ink, String, &'static str) {
    let full = ((cause.confidence * 10.0).round() as usize).min(10);
    let bar = format!("{}{} {}", "█".repeat(full), "░".repeat(10 - full), words::confidence(cause.confidence));
    match cause.confidence {
        c if c >= SURE => (Ink::Green, bar, "whyline stands by it"),
        c if c >= 0.5 => (Ink::Yellow, bar, "likely, but whyline does not stand by it"),
        _ => (Ink::Yellow, bar, "possible, not sure"),
    }
}

/// Who is accused; of clients also against whom they turned, which the diagnosis names behind them.
fn accused(cause: &Cause) -> String {
    let list = &cause.entities;
    let said = |list: &[String]| entities(&cause.id, list).join(", ");
    let of_clients = list.first().is_some_and(|first| first.starts_with("client:"));
    match list.iter().position(|entity| of_clients && entity.starts_with("service:")) {
        Some(at) => format!("{}, against {}", said(&list[..at]), said(&list[at..])),
        None => said(list),
    }
}

fn one(page: &mut Page<'_>, answer: &Answer<'_>, incident: &IncidentReport, cause: &Cause, rank: usize) -> Result<()> {
    let number = format!("  {}. ", rank + 1);
    let title = Text::new().and(Ink::Bold, cause.id.as_str()).then("  ").then(cause.title.as_str());
    page.write(&number, "     ", &title, 3)?;
    let (ink, bar, word) = confidence(cause);
    page.write("     ", "     ", &Text::new().and(ink, bar).then("  ").then(if rank == 0 { word } else { "instead of 1." }), 1)?;
    let accused = Text::new()
        .and(Ink::Faint, "accused  ")
        .and(Ink::Bold, accused(cause))
        .and(Ink::Faint, "  since ")
        .then(answer.day.time(cause.why.first().map_or(&cause.onset, |step| &step.onset)));
    page.write("     ", "              ", &accused, 3)?;
    if rank == 0 {
        chain(page, answer, incident, cause)?;
    }
    evidence::write(page, answer, cause, rank)?;
    if answer.explain {
        ledger(page, cause)?;
    }
    Ok(())
}

/// What is told no later than so many seconds behind is told at once.
const AT_ONCE: i64 = 2;

/// From the cause up to what was felt, one arrow deeper a step; all symptoms hang on the last one.
fn chain(page: &mut Page<'_>, answer: &Answer<'_>, incident: &IncidentReport, cause: &Cause) -> Result<()> {
    page.write("     ", "     ", &Text::new().and(Ink::Faint, "how it led there"), 1)?;
    let mut depth = 0;
    for (i, step) in cause.why.iter().enumerate() {
        let felt = incident.symptoms.iter().any(|s| s.id == step.id && s.entity == step.entity);
        let arrow = if i == 0 { String::new() } else { format!("{}└▶ ", "   ".repeat(depth)) };
        let first = format!("       {}  {arrow}", answer.day.time(&step.onset));
        let rest = " ".repeat(first.chars().count());
        let place = words::accused(&step.id, &step.entity);
        let text = if felt {
            Text::new().and(Ink::Red, symptom(&step.id)).then(format!(" at {place}: {}", grouped(&step.text)))
        } else {
            let id = if i == 0 { String::new() } else { format!(", {}", step.id) };
            let said = Text::plain(step.text.as_str()).and(Ink::Faint, format!("  {place}{id}"));
            let is_late = |told: &&String| seconds_between(&step.onset, told) > AT_ONCE;
            let told = step.told.as_ref().filter(is_late).map(|told| answer.day.time(told));
            told.map_or(said.clone(), |told| said.and(Ink::Faint, format!(" (first told {told})")))
        };
        page.write(&first, &rest, &text, 3)?;
        if !felt && i > 0 {
            depth += 1;
        }
    }
    Ok(())
}

/// `412 of 3114 requests` with its numbers grouped.
fn grouped(text: &str) -> String {
    let word = |w: &str| {
        if w.len() > 3 && w.bytes().all(|b| b.is_ascii_digit()) {
            w.parse::<u64>().map_or(w.to_string(), crate::output::words::number)
        } else {
            w.to_string()
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Every term of the score.
fn ledger(page: &mut Page<'_>, cause: &Cause) -> Result<()> {
    let sum: f64 = cause.ledger.iter().map(|e| e.value).sum();
    let head = format!(
        "every term of its score (natural log; the sum {sum:+.2} competes with those of the others for {})",
        percent(cause.confidence)
    );
    page.write("     ", "     ", &Text::new().and(Ink::Faint, head), 2)?;
    terms(page, &cause.ledger)
}

fn terms(page: &mut Page<'_>, list: &[Entry]) -> Result<()> {
    for entry in list {
        let ink = if entry.value < 0.0 { Ink::Red } else { Ink::Green };
        let text = Text::new()
            .and(ink, format!("{:>+6.2}", entry.value))
            .then(format!("  {}", entry.term))
            .and(Ink::Faint, format!("  {}", words::sentence(&entry.note)));
        page.write("       ", "               ", &text, 3)?;
    }
    Ok(())
}
