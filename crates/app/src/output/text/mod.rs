//! The diagnosis for people, who are tired and in a hurry: the verdict first, then what it rests on, then what to do.
//!
//! One file a section, in the order in which they are written. [`page`] is the paper (width, inks, and the only way out: it makes
//! everything safe to show), [`words`] says numbers, times and places.

mod advice;
mod causes;
mod evidence;
mod incidents;
mod json;
mod missing;
mod page;
mod sources;
mod verdict;

use crate::books::Books;
use crate::output::words::{self, Day};
use page::{Ink, Page, Text};
use std::io::Write;
use whyline_diagnose::diagnosis::{Cause, IncidentReport};
use whyline_diagnose::{Diagnosis, Evidence};

/// How it should look.
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Show every source, line and term.
    pub explain: bool,
}

/// What all sections need.
struct Answer<'a> {
    diagnosis: &'a Diagnosis,
    evidence: &'a Evidence,
    explain: bool,
    day: Day,
}

impl Answer<'_> {
    /// The causes of an incident, the first one first.
    fn causes_of(&self, incident: &IncidentReport) -> Vec<&Cause> {
        let mut causes: Vec<&Cause> = self.diagnosis.causes.iter().filter(|c| c.incident == incident.id).collect();
        causes.sort_by_key(|c| c.alternative_to.is_some());
        causes
    }

    /// `incident-1: ` where there are several.
    fn label(&self, incident: &str) -> String {
        if self.diagnosis.incidents.len() > 1 { format!("{incident}: ") } else { String::new() }
    }
}

/// Writes it.
pub fn diagnosis(out: &mut dyn Write, diagnosis: &Diagnosis, evidence: &Evidence, books: &Books, look: &Look) -> anyhow::Result<()> {
    let last = evidence.whole().map(|(_, last)| words::text(last));
    let day = diagnosis.incidents.first().map(|i| i.start.clone()).or(last).map_or_else(Day::default, |t| Day::of(&t));
    let answer = Answer { diagnosis, evidence, explain: look.explain, day };
    let mut page = Page::new(out, look.width);
    verdict::write(&mut page, &answer)?;
    sources::write(&mut page, &answer)?;
    incidents::write(&mut page, &answer)?;
    causes::write(&mut page, &answer)?;
    advice::write(&mut page, &answer)?;
    missing::write(&mut page, &answer)?;
    page.blank()?;
    page.write("", "       ", &Text::new().and(Ink::Faint, format!("books: {}", books.line())), usize::MAX)?;
    Ok(())
}
