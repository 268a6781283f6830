//! What speaks of a fault although nobody was seen to feel it.

use super::Answer;
use super::evidence::quote;
use super::page::{Ink, Page, Text};
use crate::output::words::{count, entity};
use std::io::Result;
use whyline_diagnose::diagnosis::Noted;

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    if answer.diagnosis.noted.is_empty() {
        return Ok(());
    }
    page.heading("SEEN, THOUGH NOBODY WAS SEEN TO FEEL IT", "")?;
    answer.diagnosis.noted.iter().try_for_each(|noted| one(page, answer, noted))
}

fn one(page: &mut Page<'_>, answer: &Answer<'_>, noted: &Noted) -> Result<()> {
    let others = if noted.places > 1 { format!(" and {} more", noted.places - 1) } else { String::new() };
    let when = match (noted.count, answer.day.time(&noted.onset)) {
        (0 | 1, first) => first,
        (n, first) if answer.day.time(&noted.last) == first => format!("{}, {first}", count(n, "time", "times")),
        (n, _) => format!("{}, {}", count(n, "time", "times"), answer.day.span(&noted.onset, &noted.last)),
    };
    let text =
        Text::plain(format!("{}, {}{others}", noted.title, entity(&noted.entity))).and(Ink::Faint, format!("  {when}  {}", noted.strength));
    page.write("  ", "    ", &text, 4)?;
    let rows = if answer.explain { 6 } else { 2 };
    quote(page, "    ", (&format!("{}:{}", noted.source, noted.line), &noted.text, &noted.query), rows)
}
