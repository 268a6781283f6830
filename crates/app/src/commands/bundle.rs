//! From files to evidence: the part that every way of diagnosing files shares.

use super::baseline;
use crate::books::Books;
use anyhow::Result;
use std::path::PathBuf;
use whyline_diagnose::{Evidence, Gathered, Matcher, Pack, SourceInfo, Spill, Tally};
use whyline_event::{Record, SourceId};
use whyline_parse::reading::{host_in, learnt};
use whyline_parse::rotation;
use whyline_parse::{Bundle, Counts, Facts, Options, Passed, Problem, Settled, Sink, pass, prepare, remarks, settle_clocks};
use whyline_store::Store;

/// A bundle that has been read.
pub struct Read {
    /// Where the texts of lines stand.
    pub from: From,
    /// Everything that was gathered, on one clock.
    pub evidence: Evidence,
    /// The books.
    pub books: Books,
    /// What went wrong while reading.
    pub problems: Vec<Problem>,
}

/// Where the lines of a bundle can be read again.
pub enum From {
    /// In files.
    Files(Bundle),
    /// In the store.
    Store(Box<Store>),
}

struct Gatherer<'p, 'b> {
    tally: Tally<'p>,
    bundle: &'b Bundle,
}

impl Sink for Gatherer<'_, '_> {
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

/// Reads files, and perhaps those of a good day, and gathers evidence, in one pass.
pub fn read(paths: &[PathBuf], good_day: &[PathBuf], options: &Options, pack: &Pack, matcher: &Matcher) -> Result<Read> {
    let mut bundle = prepare(paths, options);
    let baseline_of = if good_day.is_empty() { Vec::new() } else { baseline::add(&mut bundle, good_day, options) };
    crate::load::tell(&bundle.missing().cloned().collect::<Vec<_>>())?;
    let gather = |bundle: &Bundle| {
        let spill = Spill::default();
        let passed = pass(bundle, options.threads, || Gatherer { tally: Tally::new(pack, matcher, &spill), bundle });
        let Passed { sinks, facts, counts, digests, problems } = passed;
        Passed { sinks: sinks.into_iter().map(|sink| sink.tally).collect::<Vec<_>>(), facts, counts, digests, problems }
    };
    let mut passed = gather(&bundle);
    if learnt(&mut bundle, &passed.facts, &options.told) {
        passed = gather(&bundle);
    }
    let settled = settle_clocks(&bundle, &passed.facts, &options.told);
    let books = Books::of(&bundle, &passed.counts);
    let mut sources = sources(&bundle, &passed.facts, &passed.counts, &settled);
    for (at, log) in baseline_of.into_iter().enumerate() {
        let Some(log) = log else { continue };
        let newest = sources[log].newest.unwrap_or(log);
        sources[at].baseline_of = Some(log);
        sources[at].newest = Some(newest);
    }
    let gathered = Gathered::together(passed.sinks.into_iter().map(Tally::finish).collect());
    let mut problems = bundle.problems.clone();
    problems.extend(remarks(&bundle, &passed.facts, options));
    problems.extend(passed.problems);
    Ok(Read { evidence: Evidence::new(gathered, sources), from: From::Files(bundle), books, problems })
}

/// What is known of each source.
pub fn sources(bundle: &Bundle, facts: &[Facts], counts: &[Counts], settled: &[Settled]) -> Vec<SourceInfo> {
    let mut infos: Vec<SourceInfo> = bundle
        .inputs
        .iter()
        .enumerate()
        .map(|(i, input)| {
            let same_as = bundle.same_as[i].map(|j| bundle.inputs[j].source.path.clone());
            let info = source_info(&input.source.path, input.source.host.as_deref(), &facts[i], &counts[i], &settled[i], same_as);
            SourceInfo { encoding: input.charset.name().map(str::to_string), ..info }
        })
        .collect();
    join_pieces(&mut infos);
    infos
}

/// What is known of one source.
pub fn source_info(
    path: &str,
    host: Option<&str>,
    facts: &Facts,
    counts: &Counts,
    settled: &Settled,
    same_as: Option<String>,
) -> SourceInfo {
    let total: u64 = facts.formats.values().sum();
    let best = facts.formats.iter().max_by_key(|(name, n)| (**n, std::cmp::Reverse(name.as_str())));
    SourceInfo {
        path: path.to_string(),
        host: host_in(facts, host).unwrap_or("").to_string(),
        format: best.map_or_else(|| "empty".into(), |(name, _)| name.clone()),
        share: best.map_or(0.0, |(_, n)| *n as f64 / total.max(1) as f64),
        zone: settled.zone.clone(),
        zone_why: settled.why.to_string(),
        clock: settled.clock.clone(),
        ahead_pairs: settled.ahead_pairs,
        lines: counts.lines,
        records: counts.records,
        same_as,
        encoding: None,
        newest: None,
        baseline_of: None,
        moved: 0,
    }
}

/// Notes which sources are pieces of one rotated log.
pub fn join_pieces(infos: &mut [SourceInfo]) {
    let sets = rotation::sets(infos.iter().map(|s| s.path.as_str()));
    for mut set in sets {
        set.retain(|i| infos[*i].same_as.is_none());
        let newest = set.last().copied();
        set.iter().for_each(|i| infos[*i].newest = newest);
    }
}
