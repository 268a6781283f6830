//! The diagnosis for people, who are tired and in a hurry: the verdict first, then what it rests on, then what to do.
//!
//! One file a section, in the order in which they are written. [`page`] is the paper (width, inks, and the only way out: it makes
//! everything safe to show), [`words`] says numbers, times and places.

mod advice;
mod asked;
mod causes;
mod evidence;
mod incidents;
mod json;
mod missing;
mod nothing;
mod page;
mod seen;
mod sources;
mod verdict;

use crate::ground::Ground;
use crate::output::words::{self, Day};
pub use page::line_middle;
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
    ground: &'a Ground,
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
pub fn diagnosis(out: &mut dyn Write, diagnosis: &Diagnosis, evidence: &Evidence, ground: &Ground, look: &Look) -> anyhow::Result<()> {
    let whole = evidence.whole().or_else(|| ground.asked.as_ref().and_then(|asked| asked.whole));
    let last = whole.map(|(_, last)| words::text(last));
    let day = diagnosis.incidents.first().map(|i| i.start.clone()).or(last).map_or_else(Day::default, |t| Day::of(&t));
    let answer = Answer { diagnosis, evidence, ground, explain: look.explain, day };
    let mut page = Page::new(out, look.width);
    verdict::write(&mut page, &answer)?;
    seen::write(&mut page, &answer)?;
    // A long list would stand between the verdict and what was felt.
    let is_long = evidence.sources.len() > sources::IN_FULL;
    if !is_long {
        sources::write(&mut page, &answer)?;
    }
    incidents::write(&mut page, &answer)?;
    causes::write(&mut page, &answer)?;
    advice::write(&mut page, &answer)?;
    missing::write(&mut page, &answer)?;
    if is_long {
        sources::write(&mut page, &answer)?;
    }
    page.blank()?;
    page.write("", "       ", &Text::new().and(Ink::Faint, format!("books: {}", ground.books.line())), usize::MAX)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::Asked;
    use crate::output::safe::hidden;
    use whyline_diagnose::diagnosis::{Advice, Besides, Citation, Entry, FailedPath, Missing, Noted, Step, SymptomReport};
    use whyline_parse::{Gravity, Problem};

    const EVIL: &str = "x\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}gnp\u{2066}\u{200b}\r\n\tlong long long text with many words in it";

    fn symptom() -> SymptomReport {
        let time = "2026-11-21T10:00:00.000Z".to_string();
        SymptomReport {
            id: "http.502".into(),
            entity: format!("host:{EVIL}"),
            start: time.clone(),
            end: time,
            requests: 3114,
            failed: 412,
            share: 0.132,
            clients: 7,
            paths: vec![FailedPath { path: EVIL.into(), failed: 400 }],
            p50: Some(0.004),
            p90: Some(0.1),
            p99: Some(1.0),
            p50_before: None,
            p90_before: Some(0.01),
            p99_before: None,
        }
    }

    fn cause(confidence: f64) -> Cause {
        let citation = |weight: f64, text: String| Citation {
            source: EVIL.into(),
            line: 7,
            timestamp: Some(EVIL.into()),
            text,
            bytes: None,
            signal: format!("{EVIL}{weight}"),
            query: "long".into(),
            title: EVIL.into(),
            weight,
            count: 1234,
            measured: false,
        };
        let list = || vec![EVIL.to_string(); 3];
        Cause {
            id: "app.process-down".into(),
            title: EVIL.into(),
            entities: vec![format!("service:{EVIL}@{EVIL}"), format!("addr:{EVIL}")],
            confidence,
            onset: "2026-11-20T23:59:59.000Z".into(),
            incident: "incident-1".into(),
            explains: list(),
            alternative_to: None,
            evidence: vec![
                citation(2.0, EVIL.into()),
                citation(1.0, format!("{{\"msg\":\"{EVIL}\",\"a\":1}}")),
                citation(-1.0, EVIL.repeat(40)),
            ],
            why: vec![Step {
                id: "app.process-down".into(),
                text: EVIL.into(),
                entity: EVIL.into(),
                onset: EVIL.into(),
                told: Some(EVIL.into()),
            }],
            ledger: vec![Entry { term: "place".into(), value: -1.0, note: EVIL.into() }],
            advice: Advice { check: list(), fix: list(), prevent: list() },
        }
    }

    fn ground() -> Ground {
        let problem = |gravity| Problem { gravity, place: EVIL.into(), what: EVIL.into(), help: EVIL.into() };
        let asked = Asked { from: Some(1_795_255_001), to: None, whole: Some((1_795_255_001, 1_795_255_009)), sources: Vec::new() };
        Ground { problems: vec![problem(Gravity::Unreadable), problem(Gravity::Remark)], asked: Some(asked), ..Ground::default() }
    }

    fn answer(causes: Vec<Cause>, width: usize, explain: bool) -> String {
        let incident = IncidentReport {
            id: "incident-1".into(),
            start: "2026-11-21T10:00:00.000Z".into(),
            end: "2026-11-21T10:01:27.000Z".into(),
            recovered: true,
            grade: whyline_diagnose::Grade::P2,
            health: Some(87),
            symptoms: vec![symptom()],
            unexplained: 0.2,
            besides: vec![Besides { id: EVIL.into(), without: EVIL.into(), confidence: 0.1 }],
            considered: Vec::new(),
        };
        let missing = vec![Missing {
            host: EVIL.into(),
            log: EVIL.into(),
            why: EVIL.into(),
            command: EVIL.into(),
            decides: EVIL.into(),
            incident: EVIL.into(),
            unreadable: Some(EVIL.into()),
        }];
        let noted =
            vec![Noted { title: EVIL.into(), entity: format!("host:{EVIL}"), source: EVIL.into(), text: EVIL.into(), ..Noted::default() }];
        let given = Diagnosis { incidents: vec![incident], causes, missing, noted, ..Diagnosis::default() };
        let mut out = Vec::new();
        diagnosis(&mut out, &given, &Evidence::default(), &ground(), &Look { width, explain }).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn nothing_from_a_log_steers_or_hides_and_no_row_is_too_wide() {
        for width in [60, 80, 140] {
            for explain in [false, true] {
                for causes in [vec![cause(0.93)], vec![cause(0.5), cause(0.2)], Vec::new()] {
                    let text = answer(causes, width, explain);
                    for row in text.lines() {
                        assert!(!row.chars().any(hidden), "{row:?}");
                        assert!(row.chars().count() <= width, "{width}: {row}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_verdict_is_the_first_line() {
        let first = |causes| answer(causes, 200, false).lines().next().unwrap_or_default().to_string();
        assert!(first(vec![cause(0.93)]).starts_with("app.process-down, "));
        assert!(first(vec![cause(0.6)]).starts_with("not sure, but likely app.process-down, "));
        assert!(first(vec![cause(0.4)]).starts_with("not sure; possibly app.process-down, "));
        assert_eq!(first(Vec::new()), "there is not enough evidence to say why");
    }

    #[test]
    fn nothing_read_is_no_health() {
        let mut out = Vec::new();
        diagnosis(&mut out, &Diagnosis::default(), &Evidence::default(), &Ground::default(), &Look { width: 80, explain: false }).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("Nothing was read"));
    }
}
