//! What to do: in full for the first cause, in short for the others.

use super::Answer;
use super::page::{Ink, Page, Text};
use super::verdict::groups;
use crate::output::words::accused;
use std::io::Result;
use whyline_diagnose::diagnosis::{Advice, Cause};

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let firsts: Vec<&Cause> = groups(answer).into_iter().flatten().filter_map(|i| answer.causes_of(i).first().copied()).collect();
    if firsts.is_empty() {
        return Ok(());
    }
    page.heading("WHAT TO DO", "")?;
    let mut said: Vec<(&str, Option<&String>)> = Vec::new();
    for cause in firsts {
        let key = (cause.id.as_str(), cause.entities.first());
        if said.contains(&key) {
            continue;
        }
        said.push(key);
        let place = key.1.map(|e| format!(", {}", accused(&cause.id, e))).unwrap_or_default();
        let label = answer.label(&cause.incident);
        page.write("  ", "    ", &Text::new().then(label).and(Ink::Bold, cause.id.as_str()).then(place), 2)?;
        full(page, &cause.advice)?;
    }
    // Rivals: the one look that tells whether it is them.
    let rivals = answer.diagnosis.causes.iter().filter(|c| c.alternative_to.is_some() && !c.advice.check.is_empty());
    for cause in rivals.take(if answer.explain { 10 } else { 3 }) {
        if said.iter().any(|(id, _)| *id == cause.id) {
            continue;
        }
        said.push((&cause.id, cause.entities.first()));
        let text = Text::new()
            .and(Ink::Faint, "or, if it is ")
            .then(cause.id.as_str())
            .and(Ink::Faint, ": ")
            .and(Ink::Cyan, cause.advice.check[0].as_str());
        page.write("  ", "    ", &text, 2)?;
    }
    Ok(())
}

fn full(page: &mut Page<'_>, advice: &Advice) -> Result<()> {
    for (word, ink, list) in
        [("check", Ink::Cyan, &advice.check), ("fix", Ink::Plain, &advice.fix), ("prevent", Ink::Faint, &advice.prevent)]
    {
        for (i, line) in list.iter().enumerate() {
            let first = format!("    {:<8} ", if i == 0 { word } else { "" });
            page.write(&first, "             ", &Text::new().and(ink, line.as_str()), 4)?;
        }
    }
    Ok(())
}
