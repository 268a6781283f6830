//! The way of the lines: from arguments to a bundle, from a bundle to records.

use crate::binary;
use crate::cut::{self, Counts};
use crate::detect::{HEAD_LINES, Plan, detect};
use crate::facts::Facts;
use crate::format::Format;
use crate::formats;
use crate::host::{self, Known};
use crate::input::{Block, Blocks, Digest, Digesting, Input, Place, discover, open};
use crate::problem::{Gravity, Problem};
use crate::settle::{self, Item, Settled, Told};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use whyline_event::{Record, SourceId};

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
    /// Number of threads, at least 1.
    pub threads: usize,
}

/// Inputs, and how each will be read.
pub struct Bundle {
    /// The inputs in their stable order; the place in this list is the [`SourceId`].
    pub inputs: Vec<Input>,
    /// How each is read.
    pub plans: Vec<Plan>,
    /// For each input, the input that holds the same stream (or a longer one that begins with it), if there is one.
    pub same_as: Vec<Option<usize>>,
    /// What went wrong so far.
    pub problems: Vec<Problem>,
}

/// What one pass over a bundle yields besides the sinks.
pub struct Passed<S> {
    /// The sinks of the threads.
    pub sinks: Vec<S>,
    /// Facts of every source.
    pub facts: Vec<Facts>,
    /// Counts of every source.
    pub counts: Vec<Counts>,
    /// What was read of every source.
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
}

const HEAD_BYTES: usize = 256 * 1024;

/// Lists the inputs, looks at the head of each, finds formats and hosts.
pub fn prepare(arguments: &[PathBuf], options: &Options) -> Bundle {
    let (mut inputs, mut problems) = discover(arguments);
    for input in &mut inputs {
        let mut bytes = Vec::new();
        let done = match &input.place {
            Place::Stdin => std::io::stdin().lock().read_to_end(&mut bytes),
            Place::Stream(path) => std::fs::File::open(path).and_then(|mut f| f.read_to_end(&mut bytes)),
            Place::File(_) | Place::Memory(_) => continue,
        };
        if let Err(error) = done {
            let place = if input.place == Place::Stdin { "standard input" } else { &input.source.path };
            problems.push(Problem::unreadable(place, &error));
        }
        input.place = Place::Memory(Arc::new(bytes));
    }
    let heads: Vec<Vec<u8>> = parallel(&inputs, options.threads, head);
    let mut known = options.formats.clone();
    for (input, head) in inputs.iter().zip(&heads) {
        if input.source.path.ends_with(".conf")
            && let Ok(text) = std::str::from_utf8(head)
        {
            known.extend(formats::in_configuration(text));
        }
    }
    let mut all = formats::all();
    if let Some(only) = &options.only {
        all.retain(|f| f.name() == only || f.is_envelope() || f.name() == "generic");
    }
    let plans: Vec<Plan> = parallel(&heads, options.threads, |head| detect(head, &known, &all));
    let same_as = same(&inputs, &heads);
    let hosts =
        host::by_folder(&inputs.iter().zip(&plans).map(|(i, p)| Known { path: &i.source.path, hosts: &p.hosts }).collect::<Vec<_>>());
    for (input, host) in inputs.iter_mut().zip(hosts) {
        let told = options.hosts.iter().find(|(_, pattern)| glob(pattern, &input.source.path)).map(|(name, _)| name.clone());
        input.source.host = told.or(host);
    }
    for ((input, plan), head) in inputs.iter().zip(&plans).zip(&heads) {
        problems.extend(binary::problem(&input.source.path, head, plan.binary));
    }
    Bundle { inputs, plans, same_as, problems }
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

/// The first lines of an input.
pub(crate) fn head(input: &Input) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(reader) = open(input) {
        // An error here is met again, and told, when the whole is read.
        let _ = reader.take(HEAD_BYTES as u64).read_to_end(&mut bytes);
    }
    let lines = memchr::memchr_iter(b'\n', &bytes).nth(HEAD_LINES * 2);
    if let Some(end) = lines {
        bytes.truncate(end);
    }
    bytes
}

/// Maps in the order of the list, on several threads.
fn parallel<T: Sync, R: Send>(list: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, R>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, list.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(item) = list.get(i) else { return };
                    let result = work(item);
                    done.lock().unwrap_or_else(|e| e.into_inner()).insert(i, result);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(|e| e.into_inner()).into_values().collect()
}

/// Finds streams that are the same as another, or its beginning.
fn same(inputs: &[Input], heads: &[Vec<u8>]) -> Vec<Option<usize>> {
    let mut groups: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (i, head) in heads.iter().enumerate() {
        // One line may well be written twice.
        if head.len() >= 64 && memchr::memchr_iter(b'\n', head).nth(1).is_some() {
            groups.entry(&head[..head.len().min(64)]).or_default().push(i);
        }
    }
    let mut same_as = vec![None; inputs.len()];
    for group in groups.into_values().filter(|g| g.len() > 1) {
        for (n, &i) in group.iter().enumerate() {
            for &j in &group[n + 1..] {
                let agree = heads[i].len().min(heads[j].len());
                if same_as[i].is_some() || same_as[j].is_some() || heads[i][..agree] != heads[j][..agree] {
                    continue;
                }
                match compare(&inputs[i], &inputs[j]) {
                    Some(std::cmp::Ordering::Less) => same_as[i] = Some(j),
                    Some(_) => same_as[j] = Some(i),
                    None => {}
                }
            }
        }
    }
    same_as
}

/// Compares two streams: `None` when they differ, else which one is longer.
fn compare(a: &Input, b: &Input) -> Option<std::cmp::Ordering> {
    let (mut a, mut b) = (open(a).ok()?, open(b).ok()?);
    let (mut x, mut y) = (vec![0u8; 64 * 1024], vec![0u8; 64 * 1024]);
    loop {
        let (n, m) = (full(&mut a, &mut x)?, full(&mut b, &mut y)?);
        let common = n.min(m);
        if x[..common] != y[..common] {
            return None;
        }
        if n != m || n == 0 {
            return Some(n.cmp(&m));
        }
    }
}

fn full(reader: &mut dyn Read, into: &mut [u8]) -> Option<usize> {
    let mut have = 0;
    while have < into.len() {
        match reader.read(&mut into[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(have)
}

struct Job {
    source: usize,
    number: u64,
    block: Block,
}

struct Worker<S> {
    sink: S,
    facts: BTreeMap<usize, Facts>,
    counts: BTreeMap<usize, Counts>,
}

/// Reads every record of the bundle once. Sources that are the same as another one are left out (their lines are counted).
pub fn pass<S: Sink>(bundle: &Bundle, threads: usize, make: impl Fn() -> S) -> Passed<S> {
    let threads = threads.max(1);
    let (sender, receiver) = sync_channel::<Job>(threads * 2);
    let receiver = Mutex::new(receiver);
    let mut problems = Vec::new();
    let mut digests = vec![Digest::default(); bundle.inputs.len()];
    let workers: Vec<Worker<S>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                let worker = Worker { sink: make(), facts: BTreeMap::new(), counts: BTreeMap::new() };
                let receiver = &receiver;
                scope.spawn(move || work(bundle, receiver, worker))
            })
            .collect();
        let mut number = 0;
        for (i, input) in bundle.inputs.iter().enumerate() {
            match open(input) {
                Err(error) => problems.push(Problem::unreadable(&input.source.path, &error)),
                Ok(reader) => {
                    let mut blocks = Blocks::new(Digesting::new(reader));
                    let plan = &bundle.plans[i];
                    while let Some(block) = blocks.next(&mut |line| cut::starts_record(plan, line)) {
                        if sender.send(Job { source: i, number, block }).is_err() {
                            break;
                        }
                        number += 1;
                    }
                    digests[i] = blocks.reader().digest();
                    if let Some(error) = blocks.error() {
                        problems.push(Problem::unreadable(&input.source.path, &error));
                    }
                }
            }
        }
        drop(sender);
        handles.into_iter().filter_map(|h| h.join().ok()).collect()
    });
    let mut passed = Passed {
        sinks: Vec::new(),
        facts: vec![Facts::default(); bundle.inputs.len()],
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
    passed.facts.iter_mut().for_each(Facts::finish);
    passed
}

fn work<S: Sink>(bundle: &Bundle, receiver: &Mutex<Receiver<Job>>, mut worker: Worker<S>) -> Worker<S> {
    loop {
        let job = { receiver.lock().unwrap_or_else(|e| e.into_inner()).recv() };
        let Ok(job) = job else { return worker };
        let plan = &bundle.plans[job.source];
        let id = SourceId(u32::try_from(job.source).unwrap_or(u32::MAX));
        let host = bundle.inputs[job.source].source.host.as_deref();
        let duplicate = bundle.same_as[job.source].is_some();
        worker.sink.begin(id, job.number);
        let facts = worker.facts.entry(job.source).or_default();
        let sink = &mut worker.sink;
        let counts = cut::cut(&job.block, id, plan, host, facts, &mut |record| {
            if !duplicate {
                sink.record(record);
            }
        });
        worker.counts.entry(job.source).or_default().add(&counts);
        worker.sink.end();
    }
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
    bundle
        .inputs
        .iter()
        .zip(&bundle.plans)
        .enumerate()
        .map(|(i, (input, plan))| {
            let mut facts = Facts::default();
            let block = Block { bytes: head(input), offset: 0, line: 1, ..Block::default() };
            cut::cut(&block, SourceId(i as u32), plan, None, &mut facts, &mut |_| ());
            facts.finish();
            facts
        })
        .collect()
}

impl Bundle {
    /// Whether an argument did not exist: wrong usage.
    pub fn missing(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|p| p.gravity == Gravity::Missing)
    }
}
