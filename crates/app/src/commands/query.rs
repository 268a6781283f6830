//! `whyline query`: ask for events, in the store or straight in files. Both give the same answer in the same order.

use super::store::{self, Known};
use crate::cli::{Cli, Query as Args, QueryFormat};
use crate::load::Stretch;
use crate::output::safe;
use crate::{exit, load};
use anyhow::Result;
use std::io::Write;
use std::ops::ControlFlow;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Event, Record, Source, SourceId};
use whyline_parse::reading::learnt;
use whyline_parse::{Bundle, Sink, pass, prepare, settle_clocks};
use whyline_query::Query;
use whyline_store::Frame;

/// Runs the command.
pub fn run(cli: &Cli, args: &Args) -> Result<u8> {
    let query =
        Query::parse(&args.expression).map_err(|e| exit::usage(format!("the query cannot be read: {}", e.render(&args.expression))))?;
    let own = load::own_fields(&args.reading.rules)?;
    for unknown in query.unknown_fields().iter().filter(|u| !own.contains(&u.name)) {
        load::note(&format!("warning: {}", unknown.render(&args.expression)));
    }
    let (found, partial) = if args.paths.is_empty() { (in_store(cli, args, &query)?, false) } else { in_files(cli, args, &query)? };
    if args.count {
        writeln!(anstream::stdout().lock(), "{found}")?;
    }
    Ok(match (partial, found) {
        (true, _) => exit::PARTIAL,
        (false, 0) => exit::NEGATIVE,
        (false, _) => exit::DONE,
    })
}

fn in_store(cli: &Cli, args: &Args, query: &Query) -> Result<u64> {
    let options = load::options(&args.reading, load::threads(cli.threads), None)?;
    let asked_for_time = args.window.since.is_some() || args.window.until.is_some() || args.window.around.is_some();
    let store = store::open(&cli.store)?;
    let mut frame = Frame::default();
    // Clocks that were settled when the events were stored are good, unless something is told about them now.
    if asked_for_time || !args.reading.tz.is_empty() || args.reading.year.is_some() {
        let known = Known::of(&store, &options.told)?;
        frame.seconds = load::stretch(&args.window, known.last())?.map(|s| (s.from, s.to));
        frame.clocks = Some(known.clocks());
    }
    if args.count {
        return store.count(query, &frame).map_err(store::failed);
    }
    let sources: Vec<Source> = store.sources().iter().map(|s| s.source()).collect();
    let mut shown = Shown::new(args);
    store
        .search(query, &frame, &mut |hit| {
            shown.show(&Event::new(&hit.record, &sources[hit.source], hit.clock));
            if shown.full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .map_err(store::failed)?;
    shown.finish()
}

fn in_files(cli: &Cli, args: &Args, query: &Query) -> Result<(u64, bool)> {
    let options = load::options(&args.reading, load::threads(cli.threads), None)?;
    let mut bundle = prepare(&args.paths, &options);
    load::tell(&bundle.missing().cloned().collect::<Vec<_>>())?;
    let matching = |bundle: &Bundle| {
        let passed = pass(bundle, options.threads, || Matching { query, bundle, found: Vec::new() });
        let found: Vec<Event> = passed.sinks.into_iter().flat_map(|s| s.found).collect();
        (found, passed.facts, passed.problems)
    };
    let (mut found, mut facts, mut met) = matching(&bundle);
    if learnt(&mut bundle, &facts, &options.told) {
        (found, facts, met) = matching(&bundle);
    }
    let settled = settle_clocks(&bundle, &facts, &options.told);
    let mut problems = bundle.problems.clone();
    problems.extend(met);
    let partial = load::tell(&problems)?;
    let stretch = load::stretch(&args.window, store::last(&facts, &settled))?;
    for event in &mut found {
        if let (Some(stamp), Some(settled)) = (event.stamp, settled.get(event.origin.source.0 as usize)) {
            event.time = Some(settled.clock.instant(&stamp));
            event.basis = event.basis.map(|basis| if event.inherited { basis } else { settled.clock.basis(&stamp) });
        }
    }
    found.retain(|event| stretch.is_none_or(|s| within(event, s)));
    if args.count {
        return Ok((found.len() as u64, partial));
    }
    found.sort_by_key(|e| (e.time.is_none(), e.time, e.origin.source, e.origin.offset));
    let mut shown = Shown::new(args);
    for event in &found {
        if shown.full() {
            break;
        }
        shown.show(event);
    }
    Ok((shown.finish()?, partial))
}

fn within(event: &Event, stretch: Stretch) -> bool {
    event.time.is_some_and(|t| (stretch.from..=stretch.to).contains(&t.div_euclid(NANOS)))
}

struct Matching<'a> {
    query: &'a Query,
    bundle: &'a Bundle,
    found: Vec<Event>,
}

impl Sink for Matching<'_> {
    fn begin(&mut self, _source: SourceId, _number: u64) {}

    fn record(&mut self, record: &Record<'_>) {
        let Some(input) = self.bundle.inputs.get(record.origin.source.0 as usize) else { return };
        if self.query.matches_in(record, Some(&input.source)) {
            // The clock is not known before everything has been read.
            self.found.push(Event::new(record, &input.source, &Clock::default()));
        }
    }

    fn end(&mut self) {}
}

/// Writes events, as many as are wanted.
struct Shown<'a> {
    args: &'a Args,
    count: u64,
    out: std::io::BufWriter<std::io::StdoutLock<'static>>,
    error: Option<anyhow::Error>,
}

impl<'a> Shown<'a> {
    fn new(args: &'a Args) -> Self {
        Shown { args, count: 0, out: std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock()), error: None }
    }

    fn full(&self) -> bool {
        self.error.is_some() || self.args.limit.is_some_and(|most| self.count >= most as u64)
    }

    fn show(&mut self, event: &Event) {
        if self.full() {
            return;
        }
        self.count += 1;
        let written = match self.args.format {
            QueryFormat::Text => text(&mut self.out, event).map_err(anyhow::Error::from),
            QueryFormat::Jsonl => {
                let written = serde_json::to_writer(&mut self.out, &event.to_json()).map_err(std::io::Error::from);
                written.and_then(|()| writeln!(self.out)).map_err(anyhow::Error::from)
            }
        };
        self.error = written.err();
    }

    fn finish(mut self) -> Result<u64> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.out.flush()?;
        Ok(self.count)
    }
}

/// The event as it stands in its source, behind source and line. What would steer a terminal is shown as an escape.
fn text(out: &mut impl Write, event: &Event) -> std::io::Result<()> {
    write!(out, "{}:{}: ", safe::line(&event.source), event.origin.line)?;
    for (i, line) in event.text.split('\n').enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        for (n, part) in line.split('\t').enumerate() {
            if n > 0 {
                write!(out, "\t")?;
            }
            write!(out, "{}", safe::line(part))?;
        }
    }
    writeln!(out)
}
