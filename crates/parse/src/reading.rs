//! The way of the lines: from arguments to a bundle, from a bundle to records.

use crate::cut::{self, Counts};
use crate::detect::{Plan, detect};
use crate::drift;
use crate::edges::PlanEdges;
use crate::facts::Facts;
use crate::fold;
use crate::format::Format;
use crate::input::{Block, Blocks, Digest, Digesting, Input, Place, Rooms, each, each_watched, encoding, size_of};
use crate::prepare::head_of;
use crate::problem::{Gravity, Problem};
use crate::progress::Progress;
use crate::seams::{Doubled, Seams};
use crate::settle::{self, Item, Settled, Told};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use whyline_event::stamp::NANOS;
use whyline_event::{Key, Record, SourceId};

/// How a bundle is to be read.
#[derive(Clone, Default)]
pub struct Options {
    /// Zones and year, as told.
    pub told: Told,
    /// Hosts, as told: name and a glob over source paths.
    pub hosts: Vec<(String, String)>,
    /// Formats that come before the built-in ones.
    pub formats: Vec<Arc<dyn Format>>,
    /// Read everything in this format only (and the generic one).
    pub only: Option<String>,
    /// Encodings, as told.
    pub encodings: Vec<encoding::Told>,
    /// When it is read, in seconds: the time of change of what has none, so that stamps without a year get one. Nothing below asks a clock.
    pub read_at: Option<i64>,
    /// Number of threads, at least 1.
    pub threads: usize,
    /// The bundle is read by one pass and never again, so that streams need not be kept.
    pub once: bool,
    /// Where what is read is counted, for somebody who shows it.
    pub progress: Option<Progress>,
}

/// Inputs, and how each will be read.
pub struct Bundle {
    /// The inputs in their stable order; the place in this list is the [`SourceId`].
    pub inputs: Vec<Input>,
    /// How each is read.
    pub plans: Vec<Plan>,
    /// For each input, the input that holds the same stream (or a longer one that begins with it), if there is one.
    pub same_as: Vec<Option<usize>>,
    /// How many streams were left out since they look like no text.
    pub left_out: usize,
    /// What went wrong so far.
    pub problems: Vec<Problem>,
    /// Where what is read is counted, for somebody who shows it.
    pub progress: Option<Progress>,
}

/// What one pass over a bundle yields besides the sinks.
pub struct Passed<S> {
    /// The sinks of the threads.
    pub sinks: Vec<S>,
    /// Facts of every source.
    pub facts: Vec<Facts>,
    /// Counts of every source.
    pub counts: Vec<Counts>,
    /// What was read of every source, where the sink wants it.
    pub digests: Vec<Digest>,
    /// What went wrong while reading.
    pub problems: Vec<Problem>,
}

/// Takes records, in the order of each block; blocks come in any order.
pub trait Sink: Send {
    /// A block begins. `number` counts blocks over all sources in their order.
    fn begin(&mut self, source: SourceId, number: u64);
    /// One record of it.
    fn record(&mut self, record: &Record<'_>);
    /// The block has ended.
    fn end(&mut self);
    /// Whether the digests of what is read are wanted as well: [`Passed::digests`].
    const DIGESTS: bool = false;
    /// Whether nothing more is wanted: the pass then ends as soon as it can, with facts and counts of what was read.
    fn enough(&self) -> bool {
        false
    }
}

/// Whether a path fits a pattern with `*` (anything), `?` (one character); a pattern without `/` may fit any component.
pub fn glob(pattern: &str, path: &str) -> bool {
    fn fits(p: &[u8], t: &[u8]) -> bool {
        let (mut pi, mut ti, mut star) = (0, 0, None);
        while ti < t.len() {
            match p.get(pi) {
                Some(b'*') => {
                    star = Some((pi, ti));
                    pi += 1;
                }
                Some(c) if *c == b'?' || *c == t[ti] => {
                    pi += 1;
                    ti += 1;
                }
                _ => match star {
                    Some((sp, st)) => {
                        pi = sp + 1;
                        ti = st + 1;
                        star = Some((sp, st + 1));
                    }
                    None => return false,
                },
            }
        }
        p[pi..].iter().all(|c| *c == b'*')
    }
    fits(pattern.as_bytes(), path.as_bytes())
        || !pattern.contains('/') && path.split('/').any(|part| fits(pattern.as_bytes(), part.as_bytes()))
}

/// A block that is to be parsed.
pub(crate) struct Job {
    /// Its input.
    pub source: usize,
    /// Its place among the blocks of the pass.
    pub number: u64,
    /// The bytes.
    pub block: Block,
    /// What another piece of the same log holds as well.
    pub doubled: Option<Doubled>,
}

struct Worker<S> {
    sink: S,
    /// Facts of a source of which nothing is known yet.
    none: Facts,
    facts: BTreeMap<usize, Facts>,
    counts: BTreeMap<usize, Counts>,
    /// The source of the block before.
    last: Option<usize>,
}

/// Says of which records of a source only the beginning is held.
pub fn cut_off(path: &str, counts: &Counts) -> Option<Problem> {
    let line = counts.first_cut?;
    let what = match counts.cut - 1 {
        0 => format!("the record at line {line} is longer than 1 MB or 10,000 lines; what stands behind that is left out"),
        1 => format!("the record at line {line} and one more are longer than 1 MB or 10,000 lines; what stands behind that is left out"),
        n => format!("the record at line {line} and {n} more are longer than 1 MB or 10,000 lines; what stands behind that is left out"),
    };
    Some(Problem::remark(path, what))
}

/// Reads every record of the bundle once. Sources that are the same as another one are left out (their lines are counted), and
/// so is what two pieces of a rotated log both hold.
pub fn pass<S: Sink>(bundle: &Bundle, threads: usize, make: impl Fn() -> S) -> Passed<S> {
    let threads = threads.max(1);
    // Whoever reads is one of the threads: what lies read is parsed by the others, and while they have enough of it, by itself.
    let (sender, receiver) = sync_channel::<Job>((threads - 1) * 2);
    let receiver = Mutex::new(receiver);
    let mut problems = Vec::new();
    let mut digests = vec![Digest::default(); bundle.inputs.len()];
    let mut seams = Seams::new(bundle);
    let enough = AtomicBool::new(false);
    let rooms = Rooms::default();
    // Whoever wants digests keeps facts for sources that come later.
    let none = if bundle.inputs.len() == 1 && !S::DIGESTS { Facts::of_one_alone() } else { Facts::of_one_among(bundle.inputs.len()) };
    let workers: Vec<Worker<S>> = std::thread::scope(|scope| {
        let worker = || Worker { sink: make(), none: none.clone(), facts: BTreeMap::new(), counts: BTreeMap::new(), last: None };
        let handles: Vec<_> = (1..threads)
            .map(|_| {
                let (worker, receiver, enough, rooms) = (worker(), &receiver, &enough, &rooms);
                scope.spawn(move || work(bundle, receiver, rooms, enough, worker))
            })
            .collect();
        let mut own = worker();
        let order = seams.order();
        let inputs: Vec<&Input> = order.iter().map(|i| &bundle.inputs[*i]).collect();
        let mut send = |job: Job| match sender.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => own.take(bundle, job, &rooms, &enough),
        };
        for input in &inputs {
            if let Place::Flow(flow) = &input.place {
                flow.release();
            }
        }
        if let Some(progress) = &bundle.progress {
            progress.begin("reading", size_of(&inputs));
        }
        each_watched(&inputs, bundle.progress.as_ref(), &mut |n, opened| {
            let i = order[n];
            let input = inputs[n];
            match opened {
                Err(error) => problems.push(Problem::unreadable(&input.source.path, &error)),
                Ok(reader) => {
                    let mut blocks = Blocks::new(Digesting::new(reader, S::DIGESTS), rooms.clone());
                    let mut edges = PlanEdges::new(&bundle.plans[i]);
                    while !enough.load(Ordering::Relaxed)
                        && let Some(block) = blocks.next(&mut edges)
                    {
                        seams.block(i, block, &mut send);
                    }
                    seams.end(i, &mut send);
                    digests[i] = blocks.reader().digest();
                    // What is damaged in an archive was told when it was walked first.
                    if let Some(error) = blocks.error().filter(|_| !matches!(input.place, Place::Member { .. })) {
                        problems.push(Problem::unreadable(&input.source.path, &error));
                    }
                }
            }
            if enough.load(Ordering::Relaxed) { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
        });
        seams.finish(&mut send);
        drop(sender);
        std::iter::once(own).chain(handles.into_iter().filter_map(|h| h.join().ok())).collect()
    });
    let mut passed = Passed {
        sinks: Vec::new(),
        facts: vec![none; bundle.inputs.len()],
        counts: vec![Counts::default(); bundle.inputs.len()],
        digests,
        problems,
    };
    for worker in workers {
        for (i, facts) in worker.facts {
            passed.facts[i].merge(facts);
        }
        for (i, counts) in worker.counts {
            passed.counts[i].add(&counts);
        }
        passed.sinks.push(worker.sink);
    }
    for (i, counts) in seams.moved() {
        passed.counts[i].add(&counts);
    }
    passed.facts.iter_mut().for_each(Facts::finish);
    for ((input, counts), same_as) in bundle.inputs.iter().zip(&passed.counts).zip(&bundle.same_as) {
        passed.problems.extend(cut_off(&input.source.path, counts).filter(|_| same_as.is_none()));
    }
    passed
}

fn work<S: Sink>(bundle: &Bundle, receiver: &Mutex<Receiver<Job>>, rooms: &Rooms, enough: &AtomicBool, mut worker: Worker<S>) -> Worker<S> {
    loop {
        let job = { receiver.lock().unwrap_or_else(|e| e.into_inner()).recv() };
        let Ok(job) = job else { return worker };
        worker.take(bundle, job, rooms, enough);
    }
}

impl<S: Sink> Worker<S> {
    /// Parses a block.
    fn take(&mut self, bundle: &Bundle, job: Job, rooms: &Rooms, enough: &AtomicBool) {
        // What was sent before nothing more was wanted.
        if enough.load(Ordering::Relaxed) {
            return;
        }
        let usual = &bundle.plans[job.source];
        let other = if job.block.line > 1 { drift::plan_for(usual, &job.block.bytes) } else { None };
        let plan = other.as_ref().unwrap_or(usual);
        let id = SourceId(u32::try_from(job.source).unwrap_or(u32::MAX));
        let input = &bundle.inputs[job.source];
        let copy = bundle.same_as[job.source].is_some();
        self.sink.begin(id, job.number);
        // The blocks of a source mostly come one after another.
        if self.last != Some(job.source)
            && let Some(facts) = self.last.replace(job.source).and_then(|before| self.facts.get_mut(&before))
        {
            facts.finish();
        }
        let facts = self.facts.entry(job.source).or_insert_with(|| self.none.clone());
        let sink = &mut self.sink;
        let mut duplicate = 0;
        let mut counts = cut::cut(&job.block, id, plan, input.source.host.as_deref(), facts, &mut |record| {
            if copy || job.doubled.as_ref().is_some_and(|d| d.holds(record.origin.offset, record.origin.length)) {
                duplicate += 1;
            } else if input.labels.is_empty() {
                sink.record(record);
            } else {
                sink.record(&labelled(record, &input.labels));
            }
        });
        counts.duplicate = duplicate;
        self.counts.entry(job.source).or_default().add(&counts);
        self.sink.end();
        rooms.give(job.block.bytes);
        if self.sink.enough() {
            enough.store(true, Ordering::Relaxed);
        }
    }
}

/// The record with the fields that the place of its source tells, as far as it does not have them itself.
fn labelled<'a>(record: &Record<'a>, labels: &'a [(Key, String)]) -> Record<'a> {
    let mut record = record.clone();
    for (key, value) in labels {
        if !record.has(*key) {
            record.put_str(*key, value);
        }
    }
    record
}

/// Whether a bundle is to be read once more, since a pass over it showed what its sources cannot tell by themselves: where the clock
/// of one was set back at the end of summer time, when the machine was booted on which another counts the seconds. The plans hold
/// it then.
pub fn learnt(bundle: &mut Bundle, facts: &[Facts], told: &Told) -> bool {
    // Both are looked for.
    set_back(bundle, facts, told) | booted(bundle, facts, told)
}

fn set_back(bundle: &mut Bundle, facts: &[Facts], told: &Told) -> bool {
    let mut found = false;
    for ((plan, input), facts) in bundle.plans.iter_mut().zip(&bundle.inputs).zip(facts) {
        let host = host_of(input, facts);
        let zone = told.zone_of(host);
        if plan.expected.later_from.is_none()
            && let Some(fold) = fold::judge(&facts.folds, &facts.ends, zone)
        {
            plan.expected.later_from = Some(fold.line);
            found = true;
        }
    }
    found
}

fn booted(bundle: &mut Bundle, facts: &[Facts], told: &Told) -> bool {
    let lacking: Vec<usize> =
        (0..facts.len()).filter(|i| facts[*i].boots.timeless > 0 && bundle.plans[*i].expected.boot.is_none()).collect();
    if lacking.is_empty() {
        return false;
    }
    let settled = settle_clocks(bundle, facts, told);
    let mut found = false;
    for i in lacking {
        let host = host_of(&bundle.inputs[i], &facts[i]);
        let same = |j: &usize| host.is_some() && host_of(&bundle.inputs[*j], &facts[*j]) == host || *j == i;
        let written = bundle.inputs[i].source.modified.map(|s| s.saturating_mul(NANOS));
        let own = &facts[i].boots;
        if !own.is_of_one() {
            continue;
        }
        let lines = (0..facts.len()).filter(same).flat_map(|j| facts[j].boots.lines(&settled[j].clock));
        let moments = || (0..facts.len()).filter(same).flat_map(|j| facts[j].boots.instants(&settled[j].clock));
        let boot = own.shared(lines, written).or_else(|| own.last(moments(), written));
        bundle.plans[i].expected.boot = boot;
        found |= boot.is_some();
    }
    found
}

/// Settles the clocks of a bundle from the facts of its sources.
pub fn settle_clocks(bundle: &Bundle, facts: &[Facts], told: &Told) -> Vec<Settled> {
    let items: Vec<Item<'_>> = bundle
        .inputs
        .iter()
        .zip(facts)
        .map(|(input, facts)| Item { path: &input.source.path, host: host_of(input, facts), modified: input.source.modified, facts })
        .collect();
    let mut settled = settle::settle(&items, told);
    settle::tell_year(&mut settled, &items, told);
    settled
}

/// The host of a source: the one that most of its lines name, else the one of its folder.
pub fn host_of<'a>(input: &'a Input, facts: &'a Facts) -> Option<&'a str> {
    host_in(facts, input.source.host.as_deref())
}

/// The host given by the folder where lines name it, else the one that most lines name, else the one given.
pub fn host_in<'a>(facts: &'a Facts, folder: Option<&'a str>) -> Option<&'a str> {
    // A folder that some of the lines name is the machine on which the file lay; others may have sent it their lines.
    if folder.is_some_and(|h| facts.hosts.contains_key(h)) {
        return folder;
    }
    let named = facts.hosts.iter().max_by_key(|(name, n)| (**n, std::cmp::Reverse(name.as_str()))).map(|(name, _)| name.as_str());
    named.or(folder)
}

/// Reads a text that is not part of a bundle (an example in a rule): finds its formats and hands over its records.
pub fn read_text(text: &str, host: Option<&str>, all: &[Arc<dyn Format>], sink: &mut dyn FnMut(&Record<'_>)) {
    let plan = detect(text.as_bytes(), &[], all);
    let block = Block { bytes: text.as_bytes().to_vec(), offset: 0, line: 1, ..Block::default() };
    cut::cut(&block, SourceId(0), &plan, host, &mut Facts::default(), sink);
}

/// Facts from the heads alone, for output that must begin before everything has been read.
pub fn facts_of_heads(bundle: &Bundle) -> Vec<Facts> {
    let mut all = vec![Facts::of_one_among(bundle.inputs.len()); bundle.inputs.len()];
    each(&bundle.inputs.iter().collect::<Vec<_>>(), &mut |i, opened| {
        if let Ok(reader) = opened {
            let block = Block { bytes: head_of(reader), offset: 0, line: 1, ..Block::default() };
            cut::cut(&block, SourceId(i as u32), &bundle.plans[i], None, &mut all[i], &mut |_| ());
            all[i].finish();
        }
        std::ops::ControlFlow::Continue(())
    });
    all
}

impl Bundle {
    /// Whether an argument did not exist: wrong usage.
    pub fn missing(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|p| p.gravity == Gravity::Missing)
    }
}
