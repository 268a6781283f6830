//! The diagnosis for people.

use crate::books::Books;
use std::io::Write;
use whyline_diagnose::{Diagnosis, Evidence};

/// How it should look.
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Show every term.
    pub explain: bool,
}

/// Writes it.
pub fn diagnosis(out: &mut dyn Write, diagnosis: &Diagnosis, _evidence: &Evidence, books: &Books, look: &Look) -> anyhow::Result<()> {
    for i in &diagnosis.incidents {
        writeln!(out, "{} {} .. {} {} {}", i.id, i.start, i.end, i.grade, i.health)?;
        for s in &i.symptoms {
            writeln!(out, "   {} {} {}/{} {}..{}", s.id, s.entity, s.failed, s.requests, s.start, s.end)?;
        }
    }
    for c in &diagnosis.causes {
        writeln!(out, "{} {} {:?} {} {}", c.confidence, c.id, c.entities, c.onset, c.incident)?;
        for t in c.ledger.iter().filter(|_| look.explain) {
            writeln!(out, "      {:+.2} {} - {}", t.value, t.term, t.note)?;
        }
    }
    writeln!(out, "books: {} {}", books.line(), look.width)?;
    Ok(())
}
