//! What is missing: the logs that would decide.

use super::Answer;
use super::page::{Ink, Page, Text};
use crate::output::words::sentence;
use std::io::Result;
use whyline_diagnose::diagnosis::Missing;

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    if answer.diagnosis.missing.is_empty() {
        return Ok(());
    }
    // The same log of several hosts is asked for once.
    let mut wanted: Vec<(Vec<&str>, &Missing)> = Vec::new();
    for m in &answer.diagnosis.missing {
        match wanted.iter_mut().find(|(_, w)| (&w.log, &w.why, &w.command, &w.unreadable) == (&m.log, &m.why, &m.command, &m.unreadable)) {
            // Several incidents may ask for it.
            Some((hosts, _)) if hosts.contains(&m.host.as_str()) => {}
            Some((hosts, _)) => hosts.push(&m.host),
            None => wanted.push((vec![&m.host], m)),
        }
    }
    page.heading("WHAT IS MISSING", "logs that would decide; run whyline again with them")?;
    let shown = if answer.explain { wanted.len() } else { wanted.len().min(4) };
    for (hosts, m) in &wanted[..shown] {
        one(page, hosts, m)?;
    }
    if shown < wanted.len() {
        page.write("  ", "  ", &Text::new().and(Ink::Faint, format!("and {} more (--explain)", wanted.len() - shown)), 1)?;
    }
    Ok(())
}

fn one(page: &mut Page<'_>, hosts: &[&str], m: &Missing) -> Result<()> {
    let log = sentence(&m.log);
    let hosts: Vec<String> = hosts.iter().map(|h| sentence(h)).filter(|h| !h.is_empty() && !log.contains(h.as_str())).collect();
    let head = if hosts.is_empty() { Text::new() } else { Text::new().and(Ink::Bold, hosts.join(", ")).then("  ") };
    page.write("  ", "    ", &head.then(log), 2)?;
    page.write("    ", "      ", &Text::new().and(Ink::Faint, sentence(&m.why)), 2)?;
    if let Some(place) = &m.unreadable {
        let text = format!("it was given as {place}, but could not be read (see WHAT WAS READ)");
        return page.write("    ", "      ", &Text::new().and(Ink::Red, text), 2);
    }
    if m.command.is_empty() {
        return Ok(());
    }
    page.write("    ", "      ", &Text::new().and(Ink::Cyan, m.command.as_str()), 2)
}
