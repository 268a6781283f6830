//! `whyline parse`: what is read of log files, one event per line.

use crate::books::Books;
use crate::cli::{Cli, EventsFormat, Parse};
use crate::own::Own;
use crate::progress::Watch;
use crate::{exit, load};
use anyhow::Result;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Condvar, Mutex};
use whyline_event::{Record, SourceId, shown};
use whyline_parse::formats;
use whyline_parse::input::Input;
use whyline_parse::reading::facts_of_heads;
use whyline_parse::{Bundle, Facts, Options, Problem, Settled, Sink, pass, prepare, read_ahead, remarks, settle_clocks};

/// Runs the command.
pub fn run(cli: &Cli, args: &Parse) -> Result<u8> {
    // One pass writes everything, so standard input is read as it comes.
    let watch = Watch::begin(args.format == EventsFormat::Jsonl);
    let options = Options {
        once: true,
        progress: watch.progress(),
        ..load::options(&args.reading, &Own::read(&args.reading.rules)?, load::threads(cli.threads), args.only.clone())?
    };
    let mut bundle = prepare(&args.paths, &options);
    load::tell(&bundle.missing().cloned().collect::<Vec<_>>())?;
    let mut facts = facts_of_heads(&bundle);
    read_ahead(&mut bundle, &mut facts, &options);
    let settled = settle_clocks(&bundle, &facts, &options.told);
    drop(facts);
    let ordered = Ordered::default();
    let passed = pass(&bundle, options.threads, || Writer {
        bundle: &bundle,
        settled: &settled,
        ordered: &ordered,
        silent: args.format == EventsFormat::None,
        bytes: Vec::new(),
        number: 0,
    });
    drop(watch);
    let mut problems = bundle.problems.clone();
    problems.extend(remarks(&bundle, &passed.facts, &options));
    problems.extend(passed.problems);
    if let Some(name) = &options.only {
        problems.extend(misfits(name, &bundle, &passed.facts));
    }
    let partial = load::tell(&problems)?;
    let books = Books::of(&bundle, &passed.counts);
    load::note(&format!("books: {}", books.line()));
    if let Some(error) = ordered.state.into_inner().unwrap_or_else(|e| e.into_inner()).error {
        return Err(error.into());
    }
    let empty = load::tell_empty(bundle.inputs.is_empty());
    let short = args.reading.strict && books.are_short();
    Ok(if partial || empty || short { exit::PARTIAL } else { exit::DONE })
}

/// Says of which sources the format that `--as` names explains no record, or not all of them.
fn misfits(name: &str, bundle: &Bundle, facts: &[Facts]) -> Vec<Problem> {
    // Envelopes are always opened; where nothing inside was read, the record is theirs.
    let all = formats::all();
    let envelopes: Vec<&str> = all.iter().filter(|f| f.is_envelope()).map(|f| f.name()).collect();
    let within = !envelopes.contains(&name);
    let is_misfit = |format: &str| format == UNEXPLAINED || within && envelopes.contains(&format);
    let misfit = |(input, facts): (&Input, &Facts)| {
        let all: u64 = facts.formats.values().sum();
        let others: u64 = facts.formats.iter().filter(|(format, _)| is_misfit(format)).map(|(_, records)| records).sum();
        let what = match others {
            0 => return None,
            _ if others == all => format!("no record fits {name}; `whyline formats --detect FILE` says what would"),
            _ => format!("{others} of {all} records do not fit {name}"),
        };
        Some(Problem::remark(&input.source.path, what))
    };
    let is_read = |(i, _): &(usize, _)| bundle.same_as.get(*i).is_none_or(Option::is_none);
    bundle.inputs.iter().zip(facts).enumerate().filter(is_read).filter_map(|(_, one)| misfit(one)).collect()
}

/// The format of records that no other explains.
const UNEXPLAINED: &str = "generic";

/// Blocks arrive in any order and leave in theirs.
#[derive(Default)]
struct Ordered {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    next: u64,
    waiting: BTreeMap<u64, Vec<u8>>,
    error: Option<std::io::Error>,
}

impl Ordered {
    fn deliver(&self, number: u64, bytes: Vec<u8>) {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        // Whoever is far ahead waits, so that little is held in memory.
        while number > state.next + 8 && state.error.is_none() {
            state = self.moved.wait(state).unwrap_or_else(|e| e.into_inner());
        }
        state.waiting.insert(number, bytes);
        while let Some(bytes) = {
            let next = state.next;
            state.waiting.remove(&next)
        } {
            if state.error.is_none()
                && let Err(error) = std::io::stdout().lock().write_all(&bytes)
            {
                state.error = Some(error);
            }
            state.next += 1;
        }
        self.moved.notify_all();
    }
}

struct Writer<'a> {
    bundle: &'a Bundle,
    settled: &'a [Settled],
    ordered: &'a Ordered,
    silent: bool,
    bytes: Vec<u8>,
    number: u64,
}

impl Sink for Writer<'_> {
    fn begin(&mut self, _source: SourceId, number: u64) {
        self.number = number;
    }

    fn record(&mut self, record: &Record<'_>) {
        if self.silent {
            return;
        }
        let i = record.origin.source.0 as usize;
        let event = shown(record, &self.bundle.inputs[i].source, &self.settled[i].clock);
        // Writing JSON into memory cannot fail.
        let _ = sonic_rs::to_writer(&mut self.bytes, &event);
        self.bytes.push(b'\n');
    }

    fn end(&mut self) {
        self.ordered.deliver(self.number, std::mem::take(&mut self.bytes));
    }
}
