//! What is missing: the logs that would decide.

use super::Answer;
use super::page::{Ink, Page, Text};
use crate::output::words::sentence;
use std::io::Result;

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let missing = &answer.diagnosis.missing;
    if missing.is_empty() {
        return Ok(());
    }
    page.heading("WHAT IS MISSING", "logs that would decide; run whyline again with them")?;
    let shown = if answer.explain { missing.len() } else { missing.len().min(4) };
    for m in &missing[..shown] {
        let head = Text::new().and(Ink::Bold, sentence(&m.host)).then("  ").then(sentence(&m.log));
        page.write("  ", "    ", &head, 2)?;
        page.write("    ", "      ", &Text::new().and(Ink::Faint, m.why.as_str()), 2)?;
        if !m.command.is_empty() {
            page.write("    ", "      ", &Text::new().and(Ink::Cyan, m.command.as_str()), 2)?;
        }
    }
    if shown < missing.len() {
        page.write("  ", "  ", &Text::new().and(Ink::Faint, format!("and {} more (--explain)", missing.len() - shown)), 1)?;
    }
    Ok(())
}
