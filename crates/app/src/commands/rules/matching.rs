//! `whyline rules match`: which signals the lines of logs match, and which warnings and errors speak for no fault that the rules know.

use super::fits;
use crate::cli::{Cli, MatchFormat, RulesMatch};
use crate::output::text::line_middle;
use crate::output::words::{Day, count, number};
use crate::output::{self, found::cells, safe};
use crate::own::Own;
use crate::progress::Watch;
use crate::{exit, load};
use anyhow::Result;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use whyline_diagnose::{Matcher, Pack};
use whyline_event::stamp::rfc3339;
use whyline_event::{Clock, Record, Severity, SourceId, Stamp};
use whyline_parse::reading::learnt;
use whyline_parse::{Bundle, Options, Passed, Sink, pass, prepare, remarks, settle_clocks};
use whyline_query::pipe::{Answered, Cell, Hit, Partial, Pipeline, Unit};
use whyline_query::{Asked, Scratch};

/// So many kinds of lines that speak for no fault are shown.
const KINDS: usize = 20;

/// Runs the command.
pub fn run(cli: &Cli, args: &RulesMatch) -> Result<u8> {
    let own = Own::read(&args.reading.rules)?;
    let pack = own.pack()?;
    let meant = meant(args, &pack)?;
    let matcher = load::matcher(&pack);
    let watch = Watch::begin(false);
    let options = Options { progress: watch.progress(), ..load::options(&args.reading, &own, load::threads(cli.threads), None)? };
    let mut bundle = prepare(&args.paths, &options);
    load::tell(&bundle.missing().cloned().collect::<Vec<_>>())?;
    let kinds = Asked::parse(&format!("* | patterns | limit {KINDS}"))?.pipeline;
    let telling = telling(&pack);
    let clock = Clock::default();
    let look = |bundle: &Bundle| {
        let make = || Looking {
            matcher: &matcher,
            telling: &telling,
            bundle,
            clock: &clock,
            scratch: Scratch::default(),
            hits: Vec::new(),
            seen: Seen::new(&kinds),
        };
        let Passed { sinks, facts, problems, .. } = pass(bundle, options.threads, make);
        let mut seen = Seen::new(&kinds);
        sinks.into_iter().for_each(|sink| seen.merge(sink.seen));
        (seen, facts, problems)
    };
    let (mut seen, mut facts, mut problems) = look(&bundle);
    if learnt(&mut bundle, &facts, &options.told) {
        (seen, facts, problems) = look(&bundle);
    }
    let clocks: Vec<Clock> = settle_clocks(&bundle, &facts, &options.told).into_iter().map(|s| s.clock).collect();
    drop(watch);
    let mut all = bundle.problems.clone();
    all.extend(remarks(&bundle, &facts, &options));
    all.extend(problems);
    let partial = load::tell(&all)?;
    let answer = Answer { pack: &pack, bundle: &bundle, clocks: &clocks, seen, meant };
    let any = match args.format {
        MatchFormat::Text => answer.text(),
        MatchFormat::Jsonl => answer.jsonl(),
    }?;
    let empty = load::tell_empty(bundle.inputs.is_empty());
    Ok(match (partial || empty, any) {
        (true, _) => exit::PARTIAL,
        (false, true) => exit::DONE,
        (false, false) => exit::NEGATIVE,
    })
}

/// The signals that are asked for; `None` is all of them.
fn meant(args: &RulesMatch, pack: &Pack) -> Result<Option<BTreeSet<u32>>> {
    let Some(pattern) = &args.signal else { return Ok(None) };
    let fitting = (0u32..).zip(&pack.signals).filter(|(_, signal)| !signal.query.is_empty() && fits(pattern, &signal.id, &signal.title));
    let meant: BTreeSet<u32> = fitting.map(|(number, _)| number).collect();
    if meant.is_empty() {
        let elsewhere = super::elsewhere(pattern, pack);
        return Err(exit::usage(format!("no signal with a query of its own fits `{pattern}`; {elsewhere}")));
    }
    Ok(Some(meant))
}

/// Signals that say more than that something is wrong: they speak for a fault, and not only weakly.
fn telling(pack: &Pack) -> BTreeSet<u32> {
    const WEAK: f64 = 1.0;
    let evidence = pack.faults.iter().filter(|fault| !fault.symptom).flat_map(|fault| &fault.evidence);
    let direct: BTreeSet<u32> = evidence.filter(|e| e.weight > WEAK).map(|e| e.signal).collect();
    let counted = |number: &u32| pack.signals.get(*number as usize).and_then(|signal| signal.count.as_ref()).map(|count| count.of);
    direct.iter().filter_map(counted).chain(direct.iter().copied()).collect()
}

/// What a signal matched in a source.
#[derive(Clone)]
struct Matched {
    records: u64,
    /// First and last stamp, as written.
    span: Option<(Stamp, Stamp)>,
    /// The first line, and its text.
    line: u64,
    text: String,
}

/// Everything that was seen.
struct Seen {
    records: u64,
    /// Records that any signal matched.
    known: u64,
    /// By signal and source.
    matched: BTreeMap<(u32, u32), Matched>,
    /// Warnings and errors that speak for no fault.
    unknown: u64,
    kinds: Partial,
}

impl Seen {
    /// Takes note that a signal matched a record of a source.
    fn add(&mut self, key: (u32, u32), record: &Record<'_>) {
        let (line, span) = (record.origin.line, record.stamp.map(|stamp| (stamp, stamp)));
        // Most records come in the order of their lines, and only the text of the first is shown.
        let is_first = self.matched.get(&key).is_none_or(|known| line < known.line);
        let text = if is_first { record.text.to_string() } else { String::new() };
        let matched = Matched { records: 1, span, line, text };
        match self.matched.get_mut(&key) {
            Some(known) => known.merge(matched),
            None => drop(self.matched.insert(key, matched)),
        }
    }

    fn new(kinds: &Pipeline) -> Seen {
        Seen { records: 0, known: 0, matched: BTreeMap::new(), unknown: 0, kinds: kinds.gather(None) }
    }

    fn merge(&mut self, other: Seen) {
        self.records += other.records;
        self.known += other.known;
        self.unknown += other.unknown;
        self.kinds.merge(other.kinds);
        for (key, matched) in other.matched {
            match self.matched.get_mut(&key) {
                Some(mine) => mine.merge(matched),
                None => drop(self.matched.insert(key, matched)),
            }
        }
    }
}

impl Matched {
    fn merge(&mut self, other: Matched) {
        self.records += other.records;
        self.span = match (self.span.take(), other.span) {
            (Some((a, b)), Some((x, y))) => {
                let at = |stamp: &Stamp| (stamp.nanos, stamp.form);
                Some((if at(&x) < at(&a) { x } else { a }, if at(&y) > at(&b) { y } else { b }))
            }
            (mine, its) => mine.or(its),
        };
        if other.line < self.line {
            (self.line, self.text) = (other.line, other.text);
        }
    }
}

struct Looking<'a> {
    matcher: &'a Matcher,
    telling: &'a BTreeSet<u32>,
    bundle: &'a Bundle,
    clock: &'a Clock,
    scratch: Scratch,
    hits: Vec<u32>,
    seen: Seen,
}

impl Sink for Looking<'_> {
    fn begin(&mut self, _source: SourceId, _number: u64) {}

    fn record(&mut self, record: &Record<'_>) {
        let source = record.origin.source.0;
        let Some(input) = self.bundle.inputs.get(source as usize) else { return };
        self.hits.clear();
        self.matcher.hits(record, &mut self.scratch, &mut self.hits);
        self.seen.records += 1;
        self.seen.known += u64::from(!self.hits.is_empty());
        for signal in &self.hits {
            self.seen.add((*signal, source), record);
        }
        let tells = self.hits.iter().any(|signal| self.telling.contains(signal));
        if !tells && record.severity.is_some_and(|severity| severity >= Severity::Warn) {
            self.seen.unknown += 1;
            self.seen.kinds.add(&Hit::new(record, &input.source, self.clock, source));
        }
    }

    fn end(&mut self) {}
}

/// The answer.
struct Answer<'a> {
    pack: &'a Pack,
    bundle: &'a Bundle,
    clocks: &'a [Clock],
    seen: Seen,
    meant: Option<BTreeSet<u32>>,
}

/// A signal with what it matched: how many records, in how many sources, when, and where first.
struct Line<'a> {
    id: &'a str,
    title: &'a str,
    records: u64,
    sources: usize,
    span: Option<(String, String)>,
    source: &'a str,
    line: u64,
    text: &'a str,
}

impl Answer<'_> {
    /// The signals that matched, those that matched most first.
    fn lines(&self) -> Vec<Line<'_>> {
        let mut by_signal: BTreeMap<u32, Vec<(u32, &Matched)>> = BTreeMap::new();
        for ((signal, source), matched) in &self.seen.matched {
            if self.meant.as_ref().is_none_or(|meant| meant.contains(signal)) {
                by_signal.entry(*signal).or_default().push((*source, matched));
            }
        }
        let mut lines: Vec<Line<'_>> = by_signal
            .into_iter()
            .filter_map(|(signal, found)| {
                let ready = self.pack.signals.get(signal as usize)?;
                let (source, first) = found.first()?;
                let ends = found.iter().filter_map(|(source, matched)| {
                    let clock = self.clocks.get(*source as usize)?;
                    matched.span.as_ref().map(|(a, b)| (clock.agreed(a), clock.agreed(b)))
                });
                let span = ends.reduce(|(a, b), (x, y)| (a.min(x), b.max(y)));
                Some(Line {
                    id: &ready.id,
                    title: &ready.title,
                    records: found.iter().map(|(_, matched)| matched.records).sum(),
                    sources: found.len(),
                    span: span.map(|(a, b)| (rfc3339(a, 0), rfc3339(b, 0))),
                    source: self.bundle.inputs.get(*source as usize).map_or("", |input| &input.source.path),
                    line: first.line,
                    text: &first.text,
                })
            })
            .collect();
        lines.sort_by(|a, b| (b.records, a.id).cmp(&(a.records, b.id)));
        lines
    }

    /// The kinds of warnings and errors that speak for no fault: how many, the pattern, where the first stands and what it says.
    fn kinds(&self) -> Vec<Vec<Cell>> {
        // Where some signals are asked for, the others are no concern.
        if self.meant.is_some() {
            return Vec::new();
        }
        match self.seen.kinds.clone().finish().result {
            Answered::Rows(rows) => rows,
            Answered::Events(_) => Vec::new(),
        }
    }

    /// Writes the answer for people. Whether anything matched.
    fn text(&self) -> Result<bool> {
        let mut out = anstream::stdout().lock();
        let width = output::width().saturating_sub(12);
        let lines = self.lines();
        let day =
            lines.iter().filter_map(|l| l.span.as_ref()).map(|(first, _)| Day::of(first)).min_by(|a, b| a.0.cmp(&b.0)).unwrap_or_default();
        let matching = match &self.meant {
            Some(_) => format!("{} of those asked for", count(lines.len(), "signal", "signals")),
            None => format!(
                "{}, {} of {}",
                count(lines.len(), "signal", "signals"),
                number(self.seen.known),
                count(self.seen.records, "record", "records")
            ),
        };
        let on = if day.0.is_empty() { String::new() } else { format!("; all times UTC, {}", day.0) };
        writeln!(out, "MATCHED  {matching}{on}")?;
        for line in &lines {
            let span =
                line.span.as_ref().map_or(String::new(), |(a, b)| format!("  {}", if a == b { day.time(a) } else { day.span(a, b) }));
            let sources = if line.sources > 1 { format!("  in {} sources", line.sources) } else { String::new() };
            writeln!(out, "  {}  {}{span}{sources}", line.id, count(line.records, "record", "records"))?;
            writeln!(out, "      {}", line.title)?;
            let sample = format!("{}:{}  {}", line.source, line.line, first_line(line.text));
            writeln!(out, "      {}", line_middle(&safe::line(&sample), width))?;
        }
        let kinds = self.kinds();
        if !kinds.is_empty() {
            let shown = if kinds.len() == KINDS { format!("; the {KINDS} most frequent kinds of") } else { String::new() };
            writeln!(out, "\nUNKNOWN  {} of WARN and above that speak for no fault{shown}", count(self.seen.unknown, "record", "records"))?;
            for row in &kinds {
                let [times, pattern, at, _] = row.as_slice() else { continue };
                let shown = |cell: &Cell| safe::line(&cells::shown(cell, Unit::Plain)).into_owned();
                writeln!(out, "  {:>7}  {}\n           {}", shown(times), line_middle(&shown(pattern), width), shown(at))?;
            }
        }
        out.flush()?;
        Ok(!lines.is_empty())
    }

    /// Writes the answer as JSON, one object a line. Whether anything matched.
    fn jsonl(&self) -> Result<bool> {
        let mut out = anstream::stdout().lock();
        let lines = self.lines();
        for l in &lines {
            let (first, last) = l.span.as_ref().map_or((None, None), |(a, b)| (Some(a), Some(b)));
            let object = json!({
                "signal": l.id, "title": l.title, "records": l.records, "sources": l.sources, "first": first, "last": last,
                "source": l.source, "line": l.line, "text": l.text,
            });
            writeln!(out, "{object}")?;
        }
        for row in self.kinds() {
            let [times, pattern, at, example] = row.as_slice() else { continue };
            let object = json!({
                "signal": null, "pattern": cells::json(pattern), "records": cells::json(times), "at": cells::json(at), "text": cells::json(example),
            });
            writeln!(out, "{object}")?;
        }
        out.flush()?;
        Ok(!lines.is_empty())
    }
}

fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or("")
}
