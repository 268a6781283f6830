//! The diagnosis for programs. `schema` is 1; keys are only ever added under the same number.

use crate::ground::{Asked, Ground};
use serde_json::{Value, json};
use std::io::Write;
use whyline_diagnose::diagnosis::{Cause, SURE};
use whyline_diagnose::{Diagnosis, Evidence};
use whyline_event::stamp::{NANOS, rfc3339};
use whyline_parse::Problem;

fn time(second: i64) -> String {
    rfc3339(second.saturating_mul(NANOS), 0)
}

fn span(span: Option<(i64, i64)>) -> (Option<String>, Option<String>) {
    (span.map(|(first, _)| time(first)), span.map(|(_, last)| time(last)))
}

/// The stretch that was asked for; nothing where all was.
fn window(asked: &Asked) -> Value {
    let (first, last) = span(asked.whole);
    let records: u64 = asked.sources.iter().map(|s| s.records).sum();
    json!({"from": asked.from.map(time), "to": asked.to.map(time), "records": records, "logs_from": first, "logs_to": last})
}

fn problem(problem: &Problem) -> Value {
    json!({"source": problem.place, "what": problem.what, "help": problem.help})
}

fn cause(cause: &Cause) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(cause)?;
    value["stands_by"] = json!(cause.confidence >= SURE);
    Ok(value)
}

/// Writes `{schema, version, window, books, sources, unreadable, notes, incidents, causes, missing, noted}`.
pub fn diagnosis(out: &mut dyn Write, diagnosis: &Diagnosis, evidence: &Evidence, ground: &Ground) -> anyhow::Result<()> {
    let sources: Vec<Value> = evidence
        .sources
        .iter()
        .enumerate()
        .map(|(i, s)| {
            let within = ground.asked.as_ref().and_then(|asked| asked.sources.get(i));
            let (first, last) = span(within.map_or_else(|| evidence.span(i), |within| within.whole));
            let mut source = json!({
                "source": s.path,
                "host": (!s.host.is_empty()).then_some(&s.host),
                "format": s.format,
                "share": (s.share * 1000.0).round() / 1000.0,
                "zone": s.zone,
                "zone_known": s.zone_why,
                "clock_ahead_s": s.skew() as f64 / 1e9,
                "first": first,
                "last": last,
                "gaps": evidence.gaps(i, 60).into_iter().map(|(a, b)| json!({"from": time(a), "to": time(b)})).collect::<Vec<_>>(),
                "lines": s.lines,
                "records": s.records,
                "same_as": s.same_as,
            });
            if let Some(within) = within {
                let (first, last) = span(within.span);
                source["within"] = json!({"first": first, "last": last, "records": within.records});
            }
            // Said where it is not UTF-8.
            if let Some(encoding) = &s.encoding {
                source["encoding"] = json!(encoding);
            }
            if let Some(log) = s.baseline_of.and_then(|log| evidence.sources.get(log)) {
                source["baseline_of"] = json!(log.path);
                source["moved_s"] = json!(s.moved as f64 / 1e9);
            }
            source
        })
        .collect();
    let causes = diagnosis.causes.iter().map(cause).collect::<serde_json::Result<Vec<_>>>()?;
    let answer = json!({
        "schema": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "window": ground.asked.as_ref().map(window),
        "books": ground.books,
        "sources": sources,
        "unreadable": ground.unreadable().map(problem).collect::<Vec<_>>(),
        "notes": ground.notes().map(problem).collect::<Vec<_>>(),
        "incidents": diagnosis.incidents,
        "causes": causes,
        "missing": diagnosis.missing,
        "noted": diagnosis.noted,
    });
    // As an error of writing, so that a reader who left is known as one.
    serde_json::to_writer_pretty(&mut *out, &answer).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
