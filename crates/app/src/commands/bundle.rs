//! From files to evidence: the part that every way of diagnosing files shares.

use crate::books::Books;
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use whyline_diagnose::diagnosis::Citation;
use whyline_diagnose::{Diagnosis, Evidence, Gathered, Matcher, Pack, SourceInfo, Tally};
use whyline_event::{Record, SourceId};
use whyline_parse::input::{Input, open};
use whyline_parse::reading::host_of;
use whyline_parse::{Bundle, Counts, Facts, Options, Problem, Settled, Sink, pass, prepare, settle_clocks};

/// A bundle that has been read.
pub struct Read {
    /// Inputs and plans.
    pub bundle: Bundle,
    /// Everything that was gathered, on one clock.
    pub evidence: Evidence,
    /// The books.
    pub books: Books,
    /// What went wrong while reading.
    pub problems: Vec<Problem>,
}

struct Gatherer<'a> {
    tally: Tally<'a>,
    bundle: &'a Bundle,
}

impl Sink for Gatherer<'_> {
    fn begin(&mut self, source: SourceId, _number: u64) {
        if let Some(input) = self.bundle.inputs.get(source.0 as usize) {
            self.tally.source(&input.source.path);
        }
    }
    fn record(&mut self, record: &Record<'_>) {
        self.tally.record(record);
    }
    fn end(&mut self) {}
}

/// Reads files and gathers evidence, in one pass.
pub fn read(paths: &[PathBuf], options: &Options, pack: &Pack, matcher: &Matcher) -> Result<Read> {
    let bundle = prepare(paths, options);
    crate::load::tell(&bundle.missing().cloned().collect::<Vec<_>>())?;
    let passed = pass(&bundle, options.threads, || Gatherer { tally: Tally::new(pack, matcher), bundle: &bundle });
    let settled = settle_clocks(&bundle, &passed.facts, &options.told);
    let books = Books::of(&bundle, &passed.counts);
    let mut gathered = Gathered::default();
    let sources = sources(&bundle, &passed.facts, &passed.counts, &settled);
    for sink in passed.sinks {
        gathered.merge(sink.tally.gathered);
    }
    let mut problems = bundle.problems.clone();
    problems.extend(passed.problems);
    Ok(Read { evidence: Evidence::new(gathered, sources), bundle, books, problems })
}

/// What is known of each source.
pub fn sources(bundle: &Bundle, facts: &[Facts], counts: &[Counts], settled: &[Settled]) -> Vec<SourceInfo> {
    bundle
        .inputs
        .iter()
        .enumerate()
        .map(|(i, input)| {
            let total: u64 = facts[i].formats.values().sum();
            let best = facts[i].formats.iter().max_by_key(|(name, n)| (**n, std::cmp::Reverse(name.as_str())));
            SourceInfo {
                path: input.source.path.clone(),
                host: host_of(input, &facts[i]).unwrap_or("").to_string(),
                format: best.map_or_else(|| "empty".into(), |(name, _)| name.clone()),
                share: best.map_or(0.0, |(_, n)| *n as f64 / total.max(1) as f64),
                zone: settled[i].zone.clone(),
                zone_why: settled[i].why.to_string(),
                clock: settled[i].clock.clone(),
                ahead_pairs: settled[i].ahead_pairs,
                lines: counts[i].lines,
                records: counts[i].records,
                same_as: bundle.same_as[i].map(|j| bundle.inputs[j].source.path.clone()),
            }
        })
        .collect()
}

/// Fills in the texts of citations that only name their line, by reading those lines again.
pub fn fill_texts(diagnosis: &mut Diagnosis, bundle: &Bundle) {
    let mut wanted: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for c in diagnosis.causes.iter().flat_map(|c| &c.evidence).filter(|c| c.text.is_empty()) {
        wanted.entry(c.source.clone()).or_default().insert(c.line);
    }
    let mut texts: BTreeMap<(String, u64), String> = BTreeMap::new();
    for (path, lines) in wanted {
        if let Some(input) = bundle.inputs.iter().find(|i| i.source.path == path) {
            for (line, text) in lines_of(input, &lines) {
                texts.insert((path.clone(), line), text);
            }
        }
    }
    for cause in &mut diagnosis.causes {
        for c in cause.evidence.iter_mut().filter(|c| c.text.is_empty()) {
            if let Some(text) = texts.get(&(c.source.clone(), c.line)) {
                c.text = text.clone();
            }
        }
        cause.evidence.retain(|c: &Citation| !c.text.is_empty());
    }
}

fn lines_of(input: &Input, wanted: &BTreeSet<u64>) -> Vec<(u64, String)> {
    let Ok(reader) = open(input) else { return Vec::new() };
    let last = wanted.last().copied().unwrap_or(0);
    let mut found = Vec::new();
    for (i, line) in BufReader::new(reader).split(b'\n').enumerate() {
        let number = i as u64 + 1;
        let Ok(line) = line else { break };
        if wanted.contains(&number) {
            found.push((number, String::from_utf8_lossy(&line).trim_end_matches('\r').chars().take(2000).collect()));
        }
        if number >= last {
            break;
        }
    }
    found
}
