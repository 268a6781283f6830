//! `whyline query`: ask for events and what is to be made of them, in the store or straight in files. Both give the same answer in the
//! same order.

mod context;
mod exact;
mod files;
mod stored;
mod unknown;

use crate::cli::{Cli, Query as Args, QueryFormat};
use crate::output::found::{Colours, Look, Out, Show};
use crate::own::Own;
use crate::{exit, load};
use anyhow::Result;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use unknown::Unknown;
use whyline_event::{Event, Source};
use whyline_query::pipe::{Answer, Answered, Cell, Place};
use whyline_query::{Asked, Node, Pipeline, Target};

/// Runs the command.
pub fn run(cli: &Cli, args: &Args) -> Result<u8> {
    let asked =
        Asked::parse(&args.expression).map_err(|e| exit::usage(format!("the query cannot be read: {}", e.render(&args.expression))))?;
    mistaken_paths(args)?;
    let own = Own::read(&args.reading.rules)?;
    warn(&asked);
    let mut job = Job::new(args, &own, asked)?;
    let partial = if args.paths.is_empty() { stored::answer(cli, &mut job)? } else { files::answer(cli, &mut job)? };
    let found = job.finish()?;
    Ok(match (partial, found) {
        (true, _) => exit::PARTIAL,
        (false, 0) => exit::NEGATIVE,
        (false, _) => exit::DONE,
    })
}

/// Says so where what stands for a path is a part of the expression, or the expression stands behind the paths.
fn mistaken_paths(args: &Args) -> Result<()> {
    let is_there = |path: &Path| path == Path::new("-") || path.exists();
    let Some(path) = args.paths.iter().find(|path| !is_there(path)) else { return Ok(()) };
    let text = path.to_string_lossy();
    if is_there(Path::new(&args.expression)) && args.expression != "-" {
        let help = format!("the expression comes before the paths: whyline query '{text}' {}", args.expression);
        return Err(exit::usage(format!("{text}: there is no such file or folder; {help}")));
    }
    let names_field = |asked: Asked| {
        let mut found = false;
        asked.query.root().walk(&mut |node, _| found |= matches!(node, Node::Field(target, _) if !matches!(target, Target::Other(_))));
        found
    };
    if matches!(&*text, "|" | "AND" | "OR" | "NOT") || Asked::parse(&text).is_ok_and(names_field) {
        let parts = args.paths.iter().filter(|path| !is_there(path)).map(|path| path.to_string_lossy());
        let whole = std::iter::once(args.expression.as_str().into()).chain(parts).collect::<Vec<_>>().join(" ");
        return Err(exit::usage(format!(
            "{text}: there is no such file or folder; the whole expression goes in one pair of quotes: whyline query '{whole}' PATH..."
        )));
    }
    Ok(())
}

/// Says what may be read and was probably not meant.
fn warn(asked: &Asked) {
    for doubt in asked.query.doubts() {
        load::note(&format!("warning: {doubt}"));
    }
}

/// A question that is being answered.
struct Job<'a> {
    args: &'a Args,
    own: &'a Own,
    asked: Asked,
    unknown: Unknown,
    /// The pipes, the limit of the command line behind them.
    pipeline: Pipeline,
    /// Opened when the first result is there: what goes wrong before is said without a pager.
    show: Option<Show>,
    /// How many events the query found, and how many results there are.
    matched: u64,
    results: u64,
    /// For `--raw`: bytes that were read again, and how many events were written of which that could not be done.
    exact: exact::Exact,
    inexact: u64,
    notes: Vec<String>,
}

impl<'a> Job<'a> {
    fn new(args: &'a Args, own: &'a Own, asked: Asked) -> Result<Job<'a>> {
        let mut pipeline = asked.pipeline.clone();
        if let Some(most) = args.limit.filter(|_| !args.count) {
            pipeline = pipeline.limited(most);
        }
        if args.count && pipeline.stages().is_empty() {
            pipeline = Pipeline::counting();
        } else if args.raw || args.format == QueryFormat::Text {
            pipeline = pipeline.text_only();
        }
        let look = look(args);
        if pipeline.context() > 0 {
            if !Show::takes_context(&look) {
                return Err(exit::usage("what stands around a hit is written as text or jsonl, not as a table"));
            }
            if pipeline.most().is_none() {
                pipeline = pipeline.limited(context::MOST);
            }
        }
        if args.raw && !pipeline.columns().is_empty() {
            return Err(exit::usage("--raw writes events as they stand; the pipes make rows of them"));
        }
        if args.stream && !(pipeline.in_order() && pipeline.context() == 0) {
            return Err(exit::usage("--stream shows events as they are found; these pipes need all of them first"));
        }
        let unknown = Unknown::of(&asked, own);
        Ok(Job {
            args,
            own,
            asked,
            unknown,
            pipeline,
            show: None,
            matched: 0,
            results: 0,
            exact: exact::Exact::default(),
            inexact: 0,
            notes: Vec::new(),
        })
    }

    fn show(&mut self) -> &mut Show {
        let (args, asked, pipeline) = (self.args, &self.asked, &self.pipeline);
        self.show.get_or_insert_with(|| {
            let for_people = matches!(args.format, QueryFormat::Text | QueryFormat::Table) && !args.raw;
            let out = Out::open(if for_people { args.color } else { Colours::Never }, for_people && !args.no_pager);
            Show::new(out, look(args), &asked.query, pipeline)
        })
    }

    /// Takes an event that stands in its place in the answer.
    fn event(&mut self, event: &Event, source: &Source) -> Result<()> {
        self.results += 1;
        match (self.args.count, self.args.raw) {
            (true, _) => Ok(()),
            (false, true) => self.raw(event),
            (false, false) => Ok(self.show().event(event, source, None)?),
        }
    }

    /// Writes the bytes of an event.
    fn raw(&mut self, event: &Event) -> Result<()> {
        let exact = std::mem::take(&mut self.exact);
        let bytes = exact.bytes(event);
        self.inexact += u64::from(exact::is_lossy(event) && bytes.is_none());
        let written = self.show().raw(bytes.unwrap_or(event.text.as_bytes()));
        self.exact = exact;
        Ok(written?)
    }

    fn row(&mut self, row: Vec<Cell>) -> Result<()> {
        self.results += 1;
        if self.args.count { Ok(()) } else { Ok(self.show().row(row)?) }
    }

    /// Takes an answer, or a part of one. Gives the place behind which the next part begins.
    fn take(&mut self, answer: Answer, around: &mut dyn FnMut(&context::Wanted) -> Result<context::Around>) -> Result<Option<Place>> {
        self.matched = answer.matched;
        self.notes.extend(answer.notes);
        if self.args.count && self.asked.pipeline.stages().is_empty() {
            self.results = answer.matched;
            return Ok(None);
        }
        match answer.result {
            Answered::Rows(rows) => rows.into_iter().try_for_each(|row| self.row(row))?,
            Answered::Events(found) if self.pipeline.context() > 0 && !self.args.count => {
                let around = around(&context::Wanted::of(&found, self.pipeline.context()))?;
                self.results += found.len() as u64;
                context::show(self.show(), &found, &around)?;
            }
            Answered::Events(found) => found.iter().try_for_each(|f| self.event(&f.event, &f.source))?,
        }
        let most = self.pipeline.most().unwrap_or(usize::MAX) as u64;
        Ok(answer.next.filter(|_| self.results < most))
    }

    /// Whether an answer in order has all the events that are wanted.
    fn full(&self) -> ControlFlow<()> {
        let full = self.pipeline.most().is_some_and(|most| self.results >= most as u64);
        if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Ends the answer. Gives how many events were found.
    fn finish(mut self) -> Result<u64> {
        // Of events that were found, `where` may have left no row.
        let found = if self.pipeline.columns().is_empty() || self.results == 0 { self.results } else { self.matched };
        if self.args.count {
            writeln!(anstream::stdout().lock(), "{}", self.results)?;
        } else if self.results > 0 || self.args.format == QueryFormat::Csv {
            self.show();
        }
        self.show.take().map_or(Ok(()), Show::finish)?;
        self.unknown.tell(&self.args.expression);
        if self.matched == 0 {
            unknown::tell_signals(&self.asked, self.own);
        }
        if self.inexact > 0 {
            load::note(&format!(
                "note: {} what stands for bytes that are no UTF-8 (\u{fffd}); `--raw` of files, without --stream, writes the bytes themselves",
                crate::output::words::count(self.inexact, "event has", "events have")
            ));
        }
        self.notes.iter().for_each(|note| load::note(&format!("note: {note}")));
        Ok(found)
    }
}

fn look(args: &Args) -> Look {
    Look { format: args.format, raw: args.raw, width: crate::output::width() }
}
