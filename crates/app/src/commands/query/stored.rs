//! Answers from the store.

use super::{Job, context};
use crate::cli::Cli;
use crate::commands::store::{self, Known};
use crate::{load, when};
use anyhow::Result;
use std::ops::ControlFlow;
use whyline_event::{Event, Source};
use whyline_parse::reading::cut_off;
use whyline_query::pipe::Hit;
use whyline_store::{Frame, Store, StoredSource, Visited};

/// Asks the store. Gives whether something of it could not be read.
pub fn answer(cli: &Cli, job: &mut Job<'_>) -> Result<bool> {
    let args = job.args;
    let options = load::options(&args.reading, job.own, load::threads(cli.threads), None)?;
    let store = store::open(&cli.store)?;
    for name in job.unknown.names() {
        if store.may_have(name).map_err(store::failed)? {
            job.unknown.settle(|seen| seen == name);
        }
    }
    let mut frame = Frame::default();
    // Clocks that were settled when the events were stored are good, unless something is told about them now.
    if args.window.asks() || !args.reading.tz.is_empty() || args.reading.year.is_some() {
        let known = Known::of(&store, &options.told)?;
        let base = when::Base { last: known.last(&store)?, zone: options.told.zone.as_ref() };
        frame.nanos = when::stretch(&args.window, &base)?.map(|s| (s.from, s.to));
        frame.clocks = Some(known.clocks());
    }
    tell_unfinished(&store);
    let cut = |source: &StoredSource| cut_off(&source.path, &store::counts(&source.counted));
    load::tell(&store.sources().iter().filter(|s| !s.gone && s.same_as.is_none()).filter_map(cut).collect::<Vec<_>>())?;
    let stored = Stored::new(&store);
    if args.count && job.asked.pipeline.stages().is_empty() {
        job.matched = store.count(&job.asked.query, &frame).map_err(store::failed)?;
        job.results = job.matched;
    } else if job.pipeline.needs_only_count() || job.pipeline.needs().is_some() {
        summed_up(job, &store, &frame)?;
    } else if job.pipeline.in_order() && job.pipeline.context() == 0 {
        one_by_one(job, &stored, &frame)?;
    } else {
        together(job, &stored, &frame)?;
    }
    store::tell_damages(&store, &cli.store)
}

/// Says when not everything is stored yet.
fn tell_unfinished(store: &Store) {
    let unfinished: Vec<&str> = store.sources().iter().filter(|s| s.unfinished).map(|s| s.path.as_str()).collect();
    if let Some(first) = unfinished.first() {
        let others = if unfinished.len() > 1 { format!(" and {} more", unfinished.len() - 1) } else { String::new() };
        load::note(&format!(
            "note: {first}{others}: not everything is stored; storing goes on, or was interrupted, or lost something to damage"
        ));
    }
}

/// The sources as events name them, and their places in the order of answers.
struct Stored<'s> {
    store: &'s Store,
    sources: Vec<Source>,
    ranks: Vec<u32>,
}

impl<'s> Stored<'s> {
    fn new(store: &'s Store) -> Stored<'s> {
        let mut ranks = vec![0; store.sources().len()];
        (0u32..).zip(store.order()).for_each(|(rank, number)| ranks[number] = rank);
        Stored { store, sources: store.sources().iter().map(|s| s.source()).collect(), ranks }
    }
}

/// The store finds events in the order of the answer, so each is shown at once.
fn one_by_one(job: &mut Job<'_>, stored: &Stored<'_>, frame: &Frame) -> Result<()> {
    let query = job.asked.query.clone();
    let mut failed = None;
    let mut each = |hit: whyline_store::Hit<'_>| {
        let source = &stored.sources[hit.source];
        job.matched += 1;
        let written = match job.pipeline.row(&Hit::new(&hit.record, source, hit.clock, stored.ranks[hit.source])) {
            Some(row) => job.row(row),
            None => job.event(&Event::new(&hit.record, source, hit.clock), source),
        };
        match written {
            Ok(()) => job.full(),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    stored.store.search(&query, frame, &mut each).map_err(store::failed)?;
    failed.map_or(Ok(()), Err)
}

/// Counts and sums are made of single fields, without putting events together.
fn summed_up(job: &mut Job<'_>, store: &Store, frame: &Frame) -> Result<()> {
    let mut pipeline = job.pipeline.clone();
    loop {
        let mut partial = pipeline.gather(None);
        if pipeline.needs_only_count() {
            partial.add_counted(store.count(&job.asked.query, frame).map_err(store::failed)?);
        } else if let Some(needs) = pipeline.needs() {
            let mut each = |event: Visited<'_>| partial.add_known(event.known());
            store.visit_fields(&job.asked.query, frame, &needs, &mut each).map_err(store::failed)?;
        }
        let answer = partial.finish();
        match answer.rest {
            Some(rest) => pipeline = rest,
            None => return job.take(answer, &mut |_| Ok(context::Around::default())).map(|_| ()),
        }
    }
}

fn together(job: &mut Job<'_>, stored: &Stored<'_>, frame: &Frame) -> Result<()> {
    let mut after = None;
    let mut pipeline = job.pipeline.clone();
    loop {
        let mut partial = pipeline.gather(after);
        let mut each = |hit: whyline_store::Hit<'_>| {
            partial.add(&Hit::new(&hit.record, &stored.sources[hit.source], hit.clock, stored.ranks[hit.source]));
            ControlFlow::Continue(())
        };
        stored.store.search(&job.asked.query, frame, &mut each).map_err(store::failed)?;
        let answer = partial.finish();
        if let Some(rest) = answer.rest {
            pipeline = rest;
            continue;
        }
        after = job.take(answer, &mut |wanted| around(stored, frame, wanted))?;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// What stands around events, from the sources that have any.
fn around(stored: &Stored<'_>, frame: &Frame, wanted: &context::Wanted) -> Result<context::Around> {
    let kept = stored.store.clocks();
    let clocks = frame.clocks.as_ref().unwrap_or(&kept);
    let mut around = context::Around::default();
    for (number, rank) in stored.ranks.iter().enumerate().filter(|(_, rank)| wanted.has(**rank)) {
        let mut walk = context::Walk::new(wanted, *rank);
        let mut each = |record: &whyline_event::Record<'_>| walk.add(record, &stored.sources[number], &clocks[number]);
        stored.store.records_of(number, *rank, &mut each).map_err(store::failed)?;
        around.take(walk);
    }
    Ok(around)
}
