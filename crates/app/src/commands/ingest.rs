//! `whyline ingest`: store the events of log files. What is stored already is recognised and not stored again.

use super::standing::{Standing, goes_by, hash, standings, told_anew};
use super::store;
use crate::books::{Books, size};
use crate::cli::{Cli, Ingest};
use crate::output::words;
use crate::own::Own;
use crate::progress::Watch;
use crate::{exit, load};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use whyline_event::{Clock, Record, SourceId};
use whyline_parse::reading::learnt;
use whyline_parse::{Bundle, Facts, Gravity, Options, Passed, Sink, pass, prepare, remarks};
use whyline_query::{Amount, Sense};
use whyline_store::{Adder, StoreError, StoredClock, StoredSource, Writer};

/// A source that is longer than this when it is stored has shown its whole head: its way of being read will not change.
const HEAD: u64 = 256 * 1024;

/// Runs the command.
pub fn run(cli: &Cli, args: &Ingest) -> Result<u8> {
    let watch = Watch::begin(false);
    let options = Options {
        progress: watch.progress(),
        ..load::options(&args.reading, &Own::read(&args.reading.rules)?, load::threads(cli.threads), None)?
    };
    let mut bundle = prepare(&args.paths, &options);
    load::tell(&bundle.missing().cloned().collect::<Vec<_>>())?;
    // What is stored before the end counts for unfinished, so a source whose clock was set back can be read once more.
    loop {
        if let Some(code) = store_once(cli, args, &options, &mut bundle, &watch)? {
            return Ok(code);
        }
    }
}

/// Stores a bundle. Gives the exit code; `None`, and its sources unfinished, when the bundle is to be read once more.
fn store_once(cli: &Cli, args: &Ingest, options: &Options, bundle: &mut Bundle, watch: &Watch) -> Result<Option<u8>> {
    let memory = usize::try_from(bytes(&args.memory)?).unwrap_or(usize::MAX);
    let batch = bytes(&args.batch)?;
    let most = args.max_store.as_deref().map(bytes).transpose()?;
    let mut writer = Writer::open(&cli.store, options.threads, memory).map_err(store::failed)?;
    writer.set_batch(batch);
    let before = writer.len();
    let lacking = lacking(&writer)?;
    let mut standings = standings(bundle, writer.sources());
    told_anew(&mut standings, bundle, writer.sources(), &options.formats);
    let mut books = Books { left_out: bundle.left_out, ..Books::default() };
    for standing in &standings {
        if let Standing::Known(number) = standing {
            let counts = store::counts(&writer.sources()[*number].counted);
            books.add(&counts, counts.records);
        }
    }
    // What was removed since is no duplicate of anything.
    let known: BTreeSet<usize> =
        standings.iter().filter_map(|s| if let Standing::Known(n) = s { Some(original(&writer, *n)) } else { None }).collect();
    known.iter().for_each(|number| books.remove(true, lacking[*number]));
    let listed = list(&mut writer, bundle, &standings);
    let work = Work::new(&mut writer, bundle, &standings, &listed.numbers)?;
    let mut rest = part(bundle, &listed);
    let Passed { sinks, facts, counts, digests, problems } = pass(&rest, options.threads, || Storing::new(&writer, &work));
    // How a source is to be read is known only now; what was stored of it in another way is dropped at the end of the next pass.
    if learnt(&mut rest, &facts, &options.told) {
        for (i, plan) in listed.inputs.iter().zip(&rest.plans) {
            bundle.plans[*i].expected = plan.expected;
        }
        return Ok(None);
    }
    let mut done: BTreeMap<usize, Done> = BTreeMap::new();
    for sink in sinks {
        for (input, part) in sink.finish().map_err(store::failed)? {
            done.entry(input).or_default().add(&part);
        }
    }
    for (i, counts) in counts.iter().enumerate() {
        let skipped = done.get(&i).map_or(0, |d| d.skipped);
        books.add(counts, if rest.same_as[i].is_some() { counts.records } else { skipped + counts.duplicate });
        let lacks = lacking.get(work.numbers[i] as usize).copied().unwrap_or(0);
        books.remove(true, lacks.min(skipped));
    }
    let passed = Passed { sinks: Vec::<()>::new(), facts, counts, digests, problems };
    // Of what was stored before nothing is read that could be remarked on.
    let all_new = listed.inputs.len() == bundle.inputs.len();
    let remarked = if all_new { remarks(&rest, &passed.facts, options) } else { Vec::new() };
    let facts = note_sources(&mut writer, &rest, &work, &passed, &done, args)?;
    settle(&mut writer, &facts, &options.told)?;
    let new = writer.len().saturating_sub(before);
    let sources = writer.sources().iter().filter(|s| !s.gone).count();
    let kept: Vec<(usize, Vec<u8>)> = facts.iter().map(|(n, f)| Ok((*n, store::facts_to_bytes(f)?))).collect::<Result<_>>()?;
    let held = match most {
        // What was stored now may be the oldest.
        Some(most) => {
            let clocks: Vec<Clock> = writer.sources().iter().map(|s| s.clock.clock()).collect();
            let removed = writer.shrink_to(most, &clocks).map_err(store::failed)?;
            if removed > 0 {
                load::note(&format!("{removed} of the oldest events were removed to keep the store within --max-store"));
            }
            removed > 0
        }
        None => false,
    };
    let events = writer.len();
    if !kept.is_empty() || listed.changed || held {
        watch.say("writing the index");
        writer.commit(&kept).map_err(store::failed)?;
    } else {
        writer.leave().map_err(store::failed)?;
    }
    let mut problems = bundle.problems.clone();
    problems.extend(remarked);
    problems.extend(passed.problems);
    let partial = load::tell(&problems)?;
    tell(cli, &books, (events, sources as u64), new);
    if bundle.inputs.is_empty() {
        load::note("warning: there is no log file here; nothing was stored. Give the folder that the logs were copied into.");
    }
    let short = args.reading.strict && books.are_short();
    Ok(Some(if partial || short || bundle.inputs.is_empty() { exit::PARTIAL } else { exit::DONE }))
}

/// Says what was read, and what the store holds now: events of sources, of which so many are new.
fn tell(cli: &Cli, books: &Books, (events, sources): (u64, u64), new: u64) {
    load::note(&format!("books: {}", books.line()));
    load::note(&format!(
        "stored: the store {} holds {} of {}, of which {new} {} new; {} read",
        cli.store.display(),
        words::count(events, "event", "events"),
        words::count(sources, "source", "sources"),
        if new == 1 { "is" } else { "are" },
        size(books.bytes)
    ));
    if books.removed > 0 {
        load::note(&format!("note: {}", removed_before(books.removed)));
    }
}

/// How many events of each source were removed since they were stored, by its number.
fn lacking(writer: &Writer) -> Result<Vec<u64>> {
    let left = writer.events_of_sources().map_err(store::failed)?;
    let lacks = |(source, left): (&StoredSource, u64)| if source.unfinished { 0 } else { source.own().saturating_sub(left) };
    Ok(writer.sources().iter().zip(left).map(lacks).collect())
}

/// The source that holds the events of another, or itself.
fn original(writer: &Writer, number: usize) -> usize {
    writer.sources()[number].same_as.map_or(number, |of| of as usize)
}

fn removed_before(count: u64) -> String {
    let what = words::count(count, "event that was removed before stays", "events that were removed before stay");
    format!("{what} away; to store a source with all of its events again, remove it whole (`whyline store rm --source GLOB`) and ingest it")
}

/// A size as somebody wrote it, in bytes.
fn bytes(text: &str) -> Result<u64> {
    let wrong = || crate::exit::usage(format!("`{text}` is no size; write for instance `400MiB`, `2GB`, `500000`"));
    match Amount::parse(text, Sense::Bytes) {
        Some(Amount::Int(bytes)) => u64::try_from(bytes).map_err(|_| wrong()),
        Some(Amount::Float(bytes)) if bytes >= 0.0 => Ok(bytes as u64),
        _ => Err(wrong()),
    }
}

/// Which inputs are to be read, and under which source each is listed.
struct Listed {
    /// Inputs to be read.
    inputs: Vec<usize>,
    /// Number of the source of every input of the bundle.
    numbers: Vec<usize>,
    /// The list of sources was changed for inputs that need not be read.
    changed: bool,
}

/// Lists every input as a source.
fn list(writer: &mut Writer, bundle: &Bundle, standings: &[Standing]) -> Listed {
    let mut listed = Listed { inputs: Vec::new(), numbers: vec![0; bundle.inputs.len()], changed: false };
    let path = |i: usize| bundle.inputs[i].source.path.as_str();
    // A path under which something else lies now has been rotated away: its source goes by its new path.
    let replaced = |old: &str| standings.iter().enumerate().any(|(i, s)| matches!(s, Standing::New(_)) && path(i) == old);
    for (i, standing) in standings.iter().enumerate() {
        match *standing {
            Standing::Known(number) => {
                listed.numbers[i] = number;
                let source = &writer.sources()[number];
                if goes_by(&source.path, path(i)) {
                    continue;
                }
                listed.changed = true;
                if replaced(&source.path) {
                    writer.sources_mut()[number].path = path(i).into();
                } else {
                    let original = source.same_as.unwrap_or(number as u32);
                    let input = &bundle.inputs[i].source;
                    let copy = StoredSource {
                        path: input.path.clone(),
                        host: input.host.clone(),
                        modified: input.modified,
                        same_as: Some(original),
                        ..source.clone()
                    };
                    writer.sources_mut().push(copy);
                }
            }
            Standing::Grown(number) | Standing::Copy(Some(number)) | Standing::New(Some(number)) => {
                listed.inputs.push(i);
                listed.numbers[i] = number;
                writer.sources_mut()[number].path = path(i).into();
            }
            Standing::Copy(None) | Standing::New(None) => {
                listed.inputs.push(i);
                listed.numbers[i] = writer.sources().len();
                writer.sources_mut().push(StoredSource { path: path(i).into(), ..StoredSource::default() });
            }
        }
    }
    for (i, standing) in standings.iter().enumerate() {
        let of = |j: usize| writer.sources()[listed.numbers[j]].same_as.unwrap_or(listed.numbers[j] as u32);
        match standing {
            Standing::Known(_) => {}
            _ => {
                let same_as = bundle.same_as[i].map(of);
                writer.sources_mut()[listed.numbers[i]].same_as = same_as;
            }
        }
    }
    tell_apart(writer.sources_mut());
    listed
}

/// Two streams under one path would be taken for one: the later gets a number behind its path.
fn tell_apart(sources: &mut [StoredSource]) {
    let gone: Vec<bool> = sources.iter().map(|s| s.gone).collect();
    for i in (1..sources.len()).filter(|i| !gone[*i]) {
        let own = sources[i].path.clone();
        let mut count = 1;
        while sources[..i].iter().any(|s| s.path == sources[i].path) {
            count += 1;
            sources[i].path = format!("{own}#{count}");
        }
    }
}

/// The inputs that are to be read. Whether one is a copy is all that reading asks.
fn part(bundle: &Bundle, listed: &Listed) -> Bundle {
    Bundle {
        inputs: listed.inputs.iter().map(|i| bundle.inputs[*i].clone()).collect(),
        plans: listed.inputs.iter().map(|i| bundle.plans[*i].clone()).collect(),
        same_as: listed.inputs.iter().enumerate().map(|(n, i)| bundle.same_as[*i].map(|_| n)).collect(),
        left_out: bundle.left_out,
        problems: Vec::new(),
        progress: bundle.progress.clone(),
    }
}

/// What is to be stored of each input that is read.
struct Work {
    numbers: Vec<u32>,
    /// Records that begin before this offset are stored already.
    from: Vec<u64>,
    plans: Vec<String>,
}

impl Work {
    /// Makes the store ready: what may have changed is removed.
    fn new(writer: &mut Writer, bundle: &Bundle, standings: &[Standing], numbers: &[usize]) -> Result<Work> {
        let mut work = Work { numbers: Vec::new(), from: Vec::new(), plans: Vec::new() };
        for (i, standing) in standings.iter().enumerate() {
            let plan = &bundle.plans[i];
            let names: Vec<&str> = plan.order.iter().map(|f| f.name()).collect();
            let plan = format!("{} {} {}", names.join(","), plan.stamped, bundle.inputs[i].source.host.as_deref().unwrap_or(""));
            let number = numbers[i];
            let from = match standing {
                Standing::Known(_) => continue,
                Standing::New(_) | Standing::Copy(_) => 0,
                Standing::Grown(_) => {
                    let source = &writer.sources()[number];
                    if source.length < HEAD || source.plan != plan { 0 } else { source.last_record.unwrap_or(0) }
                }
            };
            work.numbers.push(number as u32);
            work.from.push(from);
            work.plans.push(plan);
        }
        let reading: Vec<(u32, u64)> = work.numbers.iter().copied().zip(work.from.iter().copied()).collect();
        writer.begin(&reading).map_err(store::failed)?;
        Ok(work)
    }
}

/// What a thread did with the records of an input.
#[derive(Default)]
struct Done {
    skipped: u64,
    last: Option<u64>,
}

impl Done {
    fn add(&mut self, other: &Done) {
        self.skipped += other.skipped;
        self.last = self.last.max(other.last);
    }
}

struct Storing<'w> {
    adder: Result<Adder<'w>, StoreError>,
    work: &'w Work,
    done: BTreeMap<usize, Done>,
}

impl<'w> Storing<'w> {
    fn new(writer: &'w Writer, work: &'w Work) -> Self {
        Storing { adder: writer.adder(), work, done: BTreeMap::new() }
    }

    fn adding(&mut self, add: impl FnOnce(&mut Adder<'w>) -> Result<(), StoreError>) {
        // After an error nothing more is stored; it is told in the end.
        if let Ok(adder) = &mut self.adder
            && let Err(error) = add(adder)
        {
            self.adder = Err(error);
        }
    }

    /// Stores what was added last.
    fn finish(self) -> Result<BTreeMap<usize, Done>, StoreError> {
        self.adder?.finish()?;
        Ok(self.done)
    }
}

impl Sink for Storing<'_> {
    const DIGESTS: bool = true;

    fn begin(&mut self, _source: SourceId, _number: u64) {}

    fn record(&mut self, record: &Record<'_>) {
        let input = record.origin.source.0 as usize;
        let (Some(number), Some(from)) = (self.work.numbers.get(input), self.work.from.get(input)) else { return };
        let done = self.done.entry(input).or_default();
        done.last = done.last.max(Some(record.origin.offset));
        if record.origin.offset < *from {
            done.skipped += 1;
        } else {
            self.adding(|adder| adder.add(*number, record));
        }
    }

    fn end(&mut self) {
        self.adding(Adder::end);
    }
}

/// Notes what was read of each source. Gives the facts by number of the source.
fn note_sources(
    writer: &mut Writer,
    rest: &Bundle,
    work: &Work,
    passed: &Passed<()>,
    done: &BTreeMap<usize, Done>,
    args: &Ingest,
) -> Result<Vec<(usize, Facts)>> {
    let mut facts = Vec::new();
    for (i, input) in rest.inputs.iter().enumerate() {
        let number = work.numbers[i] as usize;
        let source = &mut writer.sources_mut()[number];
        source.host = input.source.host.clone();
        source.modified = input.source.modified;
        source.encoding = input.charset.name().map(str::to_string);
        source.length = passed.digests[i].length;
        source.hash = hash(&passed.digests[i]);
        source.counted = store::counted(&passed.counts[i]);
        source.last_record = done.get(&i).and_then(|d| d.last);
        source.plan = work.plans[i].clone();
        source.zones = args.reading.tz.clone();
        source.year = args.reading.year;
        source.problems = passed
            .problems
            .iter()
            .filter(|p| p.gravity == Gravity::Unreadable && p.place == input.source.path)
            .map(ToString::to_string)
            .collect();
        facts.push((number, passed.facts[i].clone()));
    }
    Ok(facts)
}

/// Settles the clocks over everything that is stored now.
fn settle(writer: &mut Writer, new: &[(usize, Facts)], now: &whyline_parse::Told) -> Result<()> {
    let facts = (0..writer.sources().len())
        .map(|number| match new.iter().find(|(n, _)| *n == number) {
            Some((_, facts)) => Ok(facts.clone()),
            None => store::facts_kept(writer.facts(number).map_err(store::failed)?.as_deref()),
        })
        .collect::<Result<Vec<Facts>>>()?;
    let told = store::told(now, writer.sources())?;
    let settled = store::settle_all(writer.sources(), &facts, &told);
    for (source, settled) in writer.sources_mut().iter_mut().zip(settled) {
        source.clock = StoredClock::new(&settled.clock);
    }
    Ok(())
}
