//! Answers straight from files.
//!
//! The order of an answer is that of time, and clocks are known only when everything has been read. So the pass goes by what the heads
//! of the sources tell; where the whole bundle tells otherwise, it is done again. Where more events are found than can be held, the
//! first are shown and the rest is gathered by another pass.

use super::exact::Exact;
use super::unknown::Unknown;
use super::{Job, context};
use crate::cli::Cli;
use crate::load;
use crate::progress::Watch;
use crate::when::{self, Stretch};
use anyhow::Result;
use std::collections::BTreeMap;
use std::sync::Mutex;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Event, Form, Record, SourceId, Stamp};
use whyline_parse::reading::{facts_of_heads, learnt};
use whyline_parse::{Bundle, Facts, Options, Passed, Problem, Sink, pass, prepare, remarks, settle_clocks};
use whyline_query::Query;
use whyline_query::pipe::{Answered, Hit, Partial, Pipeline, Place};

/// Asks files. Whether a part of them could not be read.
pub fn answer(cli: &Cli, job: &mut Job<'_>) -> Result<bool> {
    let mut watch = Some(Watch::begin(job.args.stream));
    let progress = watch.as_ref().and_then(Watch::progress);
    let options = Options { progress, ..load::options(&job.args.reading, job.own, load::threads(cli.threads), None)? };
    let bundle = prepare(&job.args.paths, &options);
    load::tell(&bundle.missing().cloned().collect::<Vec<_>>())?;
    let mut files = Files { clocks: clocks(&bundle, &facts_of_heads(&bundle), &options), bundle, options, settled: false, met: Vec::new() };
    let stretch = files.stretch(job)?;
    if job.args.stream {
        files.stream(job, stretch)?;
    } else {
        let (mut after, mut told) = (None, false);
        let mut pipeline = job.pipeline.shared_by(files.options.threads);
        loop {
            let answer = files.gather(job, &pipeline, stretch, after).finish();
            if let Some(rest) = answer.rest {
                pipeline = rest;
                continue;
            }
            // From here on the terminal is that of the answer.
            drop(watch.take());
            if let (true, false, Answered::Events(found)) = (job.args.raw, job.args.count, &answer.result) {
                job.exact = Exact::of(&files.bundle, found);
            }
            after = job.take(answer, &mut |wanted| Ok(files.around(wanted)))?;
            if after.is_none() {
                break;
            }
            if !std::mem::replace(&mut told, true) {
                load::note(
                    "note: more events are found than can be held at once; files are read again for the rest. --stream shows them in the order of the files, reading once",
                );
            }
        }
    }
    let mut problems = files.bundle.problems.clone();
    problems.extend(files.met);
    let partial = load::tell(&problems)?;
    let empty = load::tell_empty(files.bundle.inputs.is_empty());
    Ok(partial || empty)
}

struct Files {
    bundle: Bundle,
    options: Options,
    clocks: Vec<Clock>,
    /// The clocks are those of the whole bundle.
    settled: bool,
    /// What went wrong in the last pass.
    met: Vec<Problem>,
}

fn clocks(bundle: &Bundle, facts: &[Facts], options: &Options) -> Vec<Clock> {
    settle_clocks(bundle, facts, &options.told).into_iter().map(|s| s.clock).collect()
}

impl Files {
    /// The stretch of time that is asked for. Where it counts from the last event, everything is read once to find that.
    fn stretch(&mut self, job: &Job<'_>) -> Result<Option<Stretch>> {
        let window = &job.args.window;
        let mut last = None;
        if window.counts_from_last() {
            let mut facts = self.look();
            if learnt(&mut self.bundle, &facts, &self.options.told) {
                facts = self.look();
            }
            let settled = settle_clocks(&self.bundle, &facts, &self.options.told);
            last = crate::commands::store::last(&facts, &settled);
            self.clocks = settled.into_iter().map(|s| s.clock).collect();
            self.settled = true;
        }
        when::stretch(window, &when::Base { last, zone: self.options.told.zone.as_ref() })
    }

    /// Reads everything for the facts alone.
    fn look(&self) -> Vec<Facts> {
        pass(&self.bundle, self.options.threads, || Nothing).facts
    }

    /// One part of the answer.
    fn gather(&mut self, job: &Job<'_>, pipeline: &Pipeline, stretch: Option<Stretch>, after: Option<Place>) -> Partial {
        loop {
            let make = || Gathering {
                query: &job.asked.query,
                unknown: &job.unknown,
                bundle: &self.bundle,
                clocks: &self.clocks,
                stretch,
                partial: pipeline.gather(after),
            };
            let Passed { sinks, facts, problems, .. } = pass(&self.bundle, self.options.threads, make);
            let mut all = pipeline.gather(after);
            sinks.into_iter().for_each(|sink| all.merge(sink.partial));
            self.met = remarks(&self.bundle, &facts, &self.options);
            self.met.extend(problems);
            if self.settled {
                return all;
            }
            let mut again = learnt(&mut self.bundle, &facts, &self.options.told);
            // Where the clocks were set back in a source or its machine was booted changes what its stamps mean.
            let facts = if again { self.look() } else { facts };
            let now = clocks(&self.bundle, &facts, &self.options);
            again |= !self.clocks.iter().zip(&now).zip(&facts).all(|((old, new), facts)| agree(old, new, facts));
            self.clocks = now;
            self.settled = true;
            if !again {
                return all;
            }
        }
    }

    /// Shows events as they are found: source after source, by the clocks that their heads tell.
    fn stream(&mut self, job: &mut Job<'_>, stretch: Option<Stretch>) -> Result<()> {
        let (query, pipeline) = (job.asked.query.clone(), job.pipeline.clone());
        let unknown = std::mem::take(&mut job.unknown);
        let ordered =
            Ordered { state: Mutex::new(State { next: 0, waiting: BTreeMap::new(), failed: None, full: false }), job: Mutex::new(job) };
        let make = || Streaming {
            query: &query,
            unknown: &unknown,
            bundle: &self.bundle,
            clocks: &self.clocks,
            stretch,
            found: Vec::new(),
            number: 0,
            ordered: &ordered,
            most: pipeline.most(),
        };
        self.met = pass(&self.bundle, self.options.threads, make).problems;
        let Ordered { state, job } = ordered;
        job.into_inner().unwrap_or_else(|e| e.into_inner()).unknown = unknown;
        state.into_inner().unwrap_or_else(|e| e.into_inner()).failed.map_or(Ok(()), Err)
    }

    /// Reads once more, in order, what stands around events.
    fn around(&self, wanted: &context::Wanted) -> context::Around {
        let make = || Walking { bundle: &self.bundle, clocks: &self.clocks, wanted, walks: BTreeMap::new() };
        let passed = pass(&self.bundle, 1, make);
        let mut around = context::Around::default();
        passed.sinks.into_iter().flat_map(|sink| sink.walks.into_values()).for_each(|walk| around.take(walk));
        around
    }
}

/// Whether two clocks make the same of every stamp of a source. The year of stamps without one changes at one day of the year at most, so
/// where both ends lie in one year, all between them do.
fn agree(old: &Clock, new: &Clock, facts: &Facts) -> bool {
    facts.spans.iter().all(|(form, span)| {
        let at = |clock: &Clock, second: i64| {
            clock.instant(&Stamp { nanos: second.saturating_mul(NANOS), form: *form, offset: None, digits: 0 })
        };
        let same_ends = at(old, span.first) == at(new, span.first) && at(old, span.last) == at(new, span.last);
        let whole = at(new, span.last).abs_diff(at(new, span.first)).abs_diff(span.last.abs_diff(span.first).saturating_mul(NANOS as u64));
        *form == Form::Explicit || old.zone == new.zone && (old.near == new.near || same_ends && whole < 2 * 86_400 * NANOS as u64)
    })
}

struct Nothing;

impl Sink for Nothing {
    fn begin(&mut self, _source: SourceId, _number: u64) {}
    fn record(&mut self, _record: &Record<'_>) {}
    fn end(&mut self) {}
}

struct Gathering<'a> {
    query: &'a Query,
    unknown: &'a Unknown,
    bundle: &'a Bundle,
    clocks: &'a [Clock],
    stretch: Option<Stretch>,
    partial: Partial,
}

impl Sink for Gathering<'_> {
    fn begin(&mut self, _source: SourceId, _number: u64) {}

    fn record(&mut self, record: &Record<'_>) {
        let i = record.origin.source.0;
        let (Some(input), Some(clock)) = (self.bundle.inputs.get(i as usize), self.clocks.get(i as usize)) else { return };
        self.unknown.look(record);
        if !self.query.matches_in(record, Some(&input.source)) {
            return;
        }
        let hit = Hit::new(record, &input.source, clock, i);
        if self.stretch.is_none_or(|s| s.holds(hit.time())) {
            self.partial.add(&hit);
        }
    }

    fn end(&mut self) {}
}

/// Puts what blocks yield into their order.
struct Ordered<'j, 'a> {
    state: Mutex<State>,
    job: Mutex<&'j mut Job<'a>>,
}

struct State {
    next: u64,
    waiting: BTreeMap<u64, Vec<Event>>,
    failed: Option<anyhow::Error>,
    full: bool,
}

struct Streaming<'s, 'j, 'a> {
    query: &'s Query,
    unknown: &'s Unknown,
    bundle: &'s Bundle,
    clocks: &'s [Clock],
    stretch: Option<Stretch>,
    found: Vec<Event>,
    number: u64,
    ordered: &'s Ordered<'j, 'a>,
    most: Option<usize>,
}

impl Sink for Streaming<'_, '_, '_> {
    fn begin(&mut self, _source: SourceId, number: u64) {
        self.number = number;
    }

    fn record(&mut self, record: &Record<'_>) {
        let i = record.origin.source.0 as usize;
        let (Some(input), Some(clock)) = (self.bundle.inputs.get(i), self.clocks.get(i)) else { return };
        self.unknown.look(record);
        if self.most.is_some_and(|most| self.found.len() >= most) || !self.query.matches_in(record, Some(&input.source)) {
            return;
        }
        let event = Event::new(record, &input.source, clock);
        if self.stretch.is_none_or(|s| s.holds(event.time)) {
            self.found.push(event);
        }
    }

    fn end(&mut self) {
        let mut state = self.ordered.state.lock().unwrap_or_else(|e| e.into_inner());
        state.waiting.insert(self.number, std::mem::take(&mut self.found));
        while let Some(events) = {
            let next = state.next;
            state.waiting.remove(&next)
        } {
            state.next += 1;
            let mut job = self.ordered.job.lock().unwrap_or_else(|e| e.into_inner());
            for event in events {
                if state.full || state.failed.is_some() {
                    break;
                }
                state.failed = self.write(&mut job, &event).err();
                state.full = job.full().is_break();
            }
        }
    }

    fn enough(&self) -> bool {
        let state = self.ordered.state.lock().unwrap_or_else(|e| e.into_inner());
        state.full || state.failed.is_some()
    }
}

impl Streaming<'_, '_, '_> {
    fn write(&self, job: &mut Job<'_>, event: &Event) -> Result<()> {
        let i = event.origin.source.0 as usize;
        let (Some(input), Some(clock)) = (self.bundle.inputs.get(i), self.clocks.get(i)) else { return Ok(()) };
        job.matched += 1;
        let row = job.pipeline.row(&Hit::new(&event.as_record(), &input.source, clock, event.origin.source.0));
        match row {
            Some(row) => job.row(row),
            None => job.event(event, &input.source),
        }
    }
}

struct Walking<'a> {
    bundle: &'a Bundle,
    clocks: &'a [Clock],
    wanted: &'a context::Wanted,
    walks: BTreeMap<u32, context::Walk<'a>>,
}

impl Sink for Walking<'_> {
    fn begin(&mut self, _source: SourceId, _number: u64) {}

    fn record(&mut self, record: &Record<'_>) {
        let i = record.origin.source.0;
        let (Some(input), Some(clock)) = (self.bundle.inputs.get(i as usize), self.clocks.get(i as usize)) else { return };
        if self.wanted.has(i) {
            self.walks.entry(i).or_insert_with(|| context::Walk::new(self.wanted, i)).add(record, &input.source, clock);
        }
    }

    fn end(&mut self) {}
}
