//! The diagnosis for programs. `schema` is 1; keys are only ever added under the same number.

use crate::books::Books;
use serde_json::{Value, json};
use std::io::Write;
use whyline_diagnose::{Diagnosis, Evidence};
use whyline_event::stamp::{NANOS, rfc3339};

/// Writes `{schema, books, sources, incidents, causes, missing}`.
pub fn diagnosis(out: &mut dyn Write, diagnosis: &Diagnosis, evidence: &Evidence, books: &Books) -> anyhow::Result<()> {
    let time = |s: i64| rfc3339(s.saturating_mul(NANOS), 0);
    let sources: Vec<Value> = evidence
        .sources
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let span = evidence.span(i);
            let mut source = json!({
                "source": s.path,
                "host": (!s.host.is_empty()).then_some(&s.host),
                "format": s.format,
                "share": (s.share * 1000.0).round() / 1000.0,
                "zone": s.zone,
                "zone_known": s.zone_why,
                "clock_ahead_s": s.skew() as f64 / 1e9,
                "first": span.map(|(a, _)| time(a)),
                "last": span.map(|(_, b)| time(b)),
                "gaps": evidence.gaps(i, 60).into_iter().map(|(a, b)| json!({"from": time(a), "to": time(b)})).collect::<Vec<_>>(),
                "lines": s.lines,
                "records": s.records,
                "same_as": s.same_as,
            });
            // Said where it is not UTF-8.
            if let Some(encoding) = &s.encoding {
                source["encoding"] = json!(encoding);
            }
            if let Some(log) = s.baseline_of.and_then(|log| evidence.sources.get(log)) {
                source["baseline_of"] = json!(log.path);
            }
            source
        })
        .collect();
    let mut answer = json!({
        "schema": 1,
        "books": books,
        "sources": sources,
        "incidents": diagnosis.incidents,
        "causes": diagnosis.causes,
        "missing": diagnosis.missing,
    });
    if !diagnosis.noted.is_empty() {
        answer["noted"] = json!(diagnosis.noted);
    }
    // As an error of writing, so that a reader who left is known as one.
    serde_json::to_writer_pretty(&mut *out, &answer).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
