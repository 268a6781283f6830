//! Before the pass: which streams there are, how each is written, whose it is, and which are there twice.
//!
//! An archive is walked once here: every stream in it is read to its end, which gives its beginning, its digest, and what is
//! damaged. It is walked once more in the pass.

use crate::binary;
use crate::detect::{HEAD_LINES, Plan, detect};
use crate::format::Format;
use crate::formats;
use crate::host::{self, Known};
use crate::input::archive::{self, Leaf, Notes};
use crate::input::encoding::{charset, decode};
use crate::input::{self, Digest, Digesting, Input, Place, Trail, discover, is_archive, open, open_raw};
use crate::layout::Layouts;
use crate::problem::{Gravity, Problem};
use crate::reading::{Bundle, Options, glob};
use crate::rotation;
use crate::twins::{self, Sketch};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

const HEAD_BYTES: usize = 256 * 1024;
/// Bytes of a stream by which its encoding is told.
const CHARSET_BYTES: u64 = 64 * 1024;
/// Beginnings of streams in archives that are held until all are known, over all archives. Beyond that a stream's format is
/// found at once, by what is known then.
const HELD_HEADS: usize = 128 << 20;

/// A stream, and what was found out about it.
struct Found {
    input: Input,
    /// Its beginning, where it cannot be read again cheaply.
    head: Option<Vec<u8>>,
    plan: Option<Plan>,
    sketch: Sketch,
    digest: Option<Digest>,
    /// Its first bytes are those of something that is no text.
    no_text: bool,
    binary: Option<Problem>,
}

impl Found {
    fn new(input: Input) -> Found {
        Found { input, head: None, plan: None, sketch: Sketch::default(), digest: None, no_text: false, binary: None }
    }

    fn path(&self) -> &str {
        &self.input.source.path
    }

    /// Its first lines; nothing where they were not kept and an archive would have to be walked for them.
    fn head(&self) -> Vec<u8> {
        self.head.clone().unwrap_or_else(|| open(&self.input).map(|mut r| head_of(&mut r)).unwrap_or_default())
    }
}

/// The formats that may be chosen.
struct Choice {
    known: Vec<Arc<dyn Format>>,
    all: Vec<Arc<dyn Format>>,
}

/// Lists the inputs, looks at the head of each, finds formats and hosts.
pub fn prepare(arguments: &[PathBuf], options: &Options) -> Bundle {
    let (mut inputs, mut problems) = discover(arguments);
    inputs.iter_mut().for_each(|input| hold(input, options, &mut problems));
    let mut all = formats::all();
    if let Some(only) = &options.only {
        all.retain(|f| f.name() == only || f.is_envelope() || f.name() == "generic");
    }
    let mut choice = Choice { known: options.formats.clone(), all };
    let (mut found, mut left_out) = streams(inputs, options, &choice, &mut problems);
    choice.known.extend(configured(&found));
    place(&mut found, &mut problems);
    let (plans, beside) = plans(&mut found, options, &choice, &mut problems);
    left_out += beside;
    problems.extend(found.iter().zip(&plans).filter_map(|(f, plan)| broken(f.path(), plan)));
    let (mut inputs, mut sketches, mut digests) = (Vec::new(), Vec::new(), Vec::new());
    for found in found {
        problems.extend(found.binary);
        inputs.push(found.input);
        sketches.push(found.sketch);
        digests.push(found.digest);
    }
    let same_as = twins::same(&inputs, &sketches, digests, options.progress.as_ref());
    let known: Vec<Known<'_>> =
        inputs.iter().zip(&plans).map(|(i, p)| Known { path: &i.trail.path, doubtful: i.trail.doubtful, hosts: &p.hosts }).collect();
    let hosts = host::by_folder(&known);
    for (input, host) in inputs.iter_mut().zip(hosts) {
        let told = options.hosts.iter().find(|(_, pattern)| glob(pattern, &input.source.path)).map(|(name, _)| name.clone());
        input.source.host = told.or(input.source.host.take()).or(host);
        // What comes through a pipe has no time of its own.
        input.source.modified = input.source.modified.or(options.read_at);
    }
    Bundle { inputs, plans, same_as, left_out, problems, progress: options.progress.clone() }
}

/// Keeps what can be read once only, or its beginning where one pass is all.
fn hold(input: &mut Input, options: &Options, problems: &mut Vec<Problem>) {
    let (place, error) = input::hold(&input.place, options.once, options.progress.as_ref());
    if let Some(error) = error {
        let place = if input.place == Place::Stdin { "standard input" } else { &input.source.path };
        problems.push(Problem::unreadable(place, &error));
    }
    input.place = place;
}

/// Opens the archives among the inputs: the streams of all, in the order of their names, and how many were left out since they are no text.
fn streams(inputs: Vec<Input>, options: &Options, choice: &Choice, problems: &mut Vec<Problem>) -> (Vec<Found>, usize) {
    let archives = parallel(&inputs, options.threads, |input| is_archive(&input.place));
    let share = HELD_HEADS / archives.iter().filter(|a| **a).count().max(1);
    if let Some(progress) = options.progress.as_ref().filter(|_| archives.contains(&true)) {
        let walked: Vec<&Input> = inputs.iter().zip(&archives).filter(|(_, is)| **is).map(|(input, _)| input).collect();
        progress.begin("looking into archives", input::size_of(&walked));
    }
    let marked: Vec<(Input, bool)> = inputs.into_iter().zip(archives).collect();
    let opened = parallel(&marked, options.threads, |(input, is_archive)| match is_archive {
        true => Members::of(input, options, choice, share),
        false => {
            let mut input = input.clone();
            let start = first(&input.place);
            input.charset = charset(&input.source.path, &start, &options.encodings);
            let no_text = binary::is_known(&start);
            Members { found: vec![Found { no_text, ..Found::new(input) }], ..Members::default() }
        }
    });
    let (mut found, mut left_out) = (Vec::new(), 0);
    for members in opened {
        left_out += members.left_out;
        found.extend(members.found);
        problems.extend(members.problems);
    }
    found.sort_by(|a, b| a.path().cmp(b.path()));
    (found, left_out)
}

/// The streams of one archive.
#[derive(Default)]
struct Members {
    found: Vec<Found>,
    problems: Vec<Problem>,
    names: BTreeMap<String, u32>,
    no_text: Vec<String>,
    /// Members that are no text, told one by one or together.
    left_out: usize,
    held: usize,
}

impl Members {
    fn of(input: &Input, options: &Options, choice: &Choice, share: usize) -> Members {
        let mut members = Members::default();
        let archive = Arc::new(input.place.clone());
        let walked = archive::walk_watched(&archive, options.progress.as_ref(), &mut |leaf, bytes| {
            members.take(input, &archive, leaf, bytes, (options, choice, share));
            ControlFlow::Continue(())
        });
        match walked {
            Ok(notes) => members.tell(&input.source.path, notes.unwrap_or_default()),
            Err(error) => members.problems.push(Problem::unreadable(&input.source.path, &error)),
        }
        members
    }

    fn take(&mut self, outer: &Input, archive: &Arc<Place>, leaf: &Leaf<'_>, bytes: &mut dyn Read, how: (&Options, &Choice, usize)) {
        let (options, choice, share) = how;
        // A member that was added again later replaces the earlier one where the archive is unpacked; here both are read.
        let count = self.names.entry(leaf.name.to_string()).or_default();
        *count += 1;
        let number = if *count > 1 { format!("#{count}") } else { String::new() };
        let name = format!("{}!{}{number}", outer.source.path, leaf.name);
        let mut start = Vec::new();
        let _ = beginning(bytes, &mut start, CHARSET_BYTES as usize);
        let charset = charset(&name, &start, &options.encodings);
        let known = binary::is_known(&start);
        let mut text = Digesting::new(decode(start.chain(bytes), &charset), true);
        let mut head = Vec::new();
        // The walk takes note of what cannot be read.
        let _ = beginning(&mut text, &mut head, HEAD_BYTES);
        let _ = io::copy(&mut text, &mut io::sink());
        cut_head(&mut head);
        let mut input = Input { named: false, ..Input::new(name, Place::Member { archive: archive.clone(), number: leaf.number }) };
        if let Some(problem) = no_text(&input, &head, known, || plan_of(&head, &input, &choice.known, &choice.all)) {
            self.left_out += 1;
            match problem.gravity {
                Gravity::Unreadable => self.problems.push(problem),
                _ => self.no_text.push(input.source.path),
            }
            return;
        }
        input.trail = Trail { path: format!("{}!{}", outer.trail.path, leaf.name), doubtful: outer.trail.doubtful };
        input.source.modified = leaf.modified;
        input.charset = charset;
        let mut found = Found { digest: Some(text.digest()), sketch: Sketch::of(&head), ..Found::new(input) };
        if self.held + head.len() <= share {
            self.held += head.len();
            found.head = Some(head);
        } else {
            found.plan = Some(plan_of(&head, &found.input, &choice.known, &choice.all));
        }
        self.found.push(found);
    }

    /// Says what was met besides streams.
    fn tell(&mut self, path: &str, notes: Notes) {
        for trouble in notes.troubles {
            let place = trouble.member.map_or_else(|| path.to_string(), |member| format!("{path}!{member}"));
            self.problems.push(Problem::unreadable(&place, &trouble.error));
        }
        let names: BTreeSet<&str> = self.names.keys().map(String::as_str).collect();
        // A link may lead to a folder, too.
        let leads = |target: &str| {
            !target.is_empty() && names.range(target..).next().is_some_and(|n| *n == target || n.starts_with(&format!("{target}/")))
        };
        let astray: Vec<&str> = notes.links.iter().filter(|(_, target)| !leads(target)).map(|(name, _)| name.as_str()).collect();
        let remarks = [
            remark(
                path,
                astray.len(),
                astray.first().copied(),
                "link leads nowhere or out of the archive",
                "links lead nowhere or out of the archive",
            ),
            remark(path, notes.others as usize, None, "device or pipe was left out", "devices and pipes were left out"),
            remark(
                path,
                self.no_text.len(),
                self.no_text.first().map(String::as_str),
                "member looks like no text and was not read",
                "members look like no text and were not read",
            ),
            remark(
                path,
                notes.programs.len(),
                notes.programs.first().map(String::as_str),
                "is a program or document that is packed as zip, and was not read",
                "programs or documents that are packed as zip were not read",
            ),
        ];
        self.problems.extend(remarks.into_iter().flatten());
    }
}

fn remark(path: &str, count: usize, first: Option<&str>, one: &str, many: &str) -> Option<Problem> {
    let named = first.filter(|f| !f.is_empty()).map(|f| format!("; the first is {f}")).unwrap_or_default();
    match count {
        0 => None,
        1 => Some(Problem::remark(path, format!("1 {one}{}", named.replace("the first is ", "it is ")))),
        n => Some(Problem::remark(path, format!("{n} {many}{named}"))),
    }
}

/// Formats that configuration files among the streams define.
fn configured(found: &[Found]) -> Vec<Arc<dyn Format>> {
    let files = found.iter().filter(|f| f.path().ends_with(".conf"));
    files.flat_map(|f| std::str::from_utf8(&f.head()).map(formats::in_configuration).unwrap_or_default()).collect()
}

/// Takes what the places of files say of them, and leaves out what is no log by its place.
fn place(found: &mut Vec<Found>, problems: &mut Vec<Problem>) {
    let paths: Vec<&str> = found.iter().map(|f| f.input.trail.path.as_str()).collect();
    let layouts = Layouts::of(&paths, &|i| found.get(i).map(Found::head).unwrap_or_default());
    let mut left_out: Vec<String> = Vec::new();
    found.retain_mut(|f| {
        let placed = layouts.place(&f.input.trail.path);
        if placed.no_log {
            left_out.push(f.path().to_string());
            return false;
        }
        f.input.source.host = placed.host;
        f.input.labels = placed.labels;
        true
    });
    if let Some(first) = left_out.first() {
        let what = match left_out.len() {
            1 => "is configuration or state that was gathered beside the logs, and was not read".to_string(),
            2 => "and 1 other file are configuration or state that was gathered beside the logs, and were not read".to_string(),
            n => format!("and {} other files are configuration or state that was gathered beside the logs, and were not read", n - 1),
        };
        let help = "give a file by itself, outside of such a bundle, to have it read".to_string();
        problems.push(Problem { help, ..Problem::remark(first, what) });
    }
}

/// What is to be said of a stream that is no text and hence left out; `known` where its first bytes said so. A log may have holes and broken bytes: where its records are
/// read with their times, it is one.
fn no_text(input: &Input, head: &[u8], known: bool, plan: impl FnOnce() -> Plan) -> Option<Problem> {
    if input.named || head.is_empty() {
        return None;
    }
    let problem = binary::problem(&input.source.path, head, known || binary::suspected(head))?;
    let plan = plan();
    let is_log = !known && plan.stamped && plan.format != "generic" && plan.share >= 0.5;
    (!is_log).then_some(problem)
}

/// Takes out the files that are no text, and tells of them. Returns how many they are.
fn leave_out<T>(found: &mut Vec<Found>, looked: &mut Vec<(T, Option<Problem>)>, problems: &mut Vec<Problem>) -> usize {
    let mut paths = Vec::new();
    let gone: Vec<bool> = looked.iter().map(|(_, no_text)| no_text.is_some()).collect();
    for (f, (_, no_text)) in found.iter().zip(looked.iter_mut()) {
        match no_text.take() {
            Some(problem) if problem.gravity == Gravity::Unreadable => problems.push(problem),
            Some(_) => paths.push(f.path().to_string()),
            None => {}
        }
    }
    let mut at = gone.iter();
    found.retain(|_| at.next() != Some(&true));
    let mut at = gone.iter();
    looked.retain(|_| at.next() != Some(&true));
    if let Some(first) = paths.first() {
        let what = match paths.len() {
            1 => "looks like no text and was not read".to_string(),
            2 => "and 1 other file look like no text and were not read".to_string(),
            n => format!("and {} other files look like no text and were not read", n - 1),
        };
        let help = "give a file by itself to have it read all the same".to_string();
        problems.push(Problem { help, ..Problem::remark(first, what) });
    }
    gone.into_iter().filter(|gone| *gone).count()
}

/// How each stream is read, but those that are no text, which are taken out and counted. The pieces of a rotated log are read alike: what one of them teaches (a header with the names of
/// columns) holds for those that have none.
fn plans(found: &mut Vec<Found>, options: &Options, choice: &Choice, problems: &mut Vec<Problem>) -> (Vec<Plan>, usize) {
    let mut looked = parallel(found, options.threads, |f| {
        if let Some(plan) = &f.plan {
            return ((plan.clone(), f.sketch.clone(), None), None);
        }
        let head = f.head();
        let plan = plan_of(&head, &f.input, &choice.known, &choice.all);
        // Members of archives were looked at when these were walked.
        let is_member = matches!(f.input.place, Place::Member { .. });
        let no_text = if is_member { None } else { no_text(&f.input, &head, f.no_text, || plan.clone()) };
        let binary = binary::problem(f.path(), &head, plan.binary || f.no_text).filter(|_| f.input.named);
        ((plan, Sketch::of(&head), binary), no_text)
    });
    let left_out = leave_out(found, &mut looked, problems);
    let mut plans = Vec::with_capacity(found.len());
    for (f, ((plan, sketch, binary), _)) in found.iter_mut().zip(looked) {
        // What cannot be read again cannot be compared.
        f.sketch = if matches!(f.input.place, Place::Flow(_)) { Sketch::default() } else { sketch };
        f.binary = binary;
        plans.push(plan);
    }
    for set in rotation::sets(found.iter().map(Found::path)) {
        alike(found, &set, choice, &mut plans);
    }
    (plans, left_out)
}

/// Lets the pieces of a rotated log learn from each other.
fn alike(found: &[Found], set: &[usize], choice: &Choice, plans: &mut [Plan]) {
    let built_in = |f: &Arc<dyn Format>| choice.known.iter().chain(&choice.all).any(|g| Arc::ptr_eq(f, g));
    let learnt = |plan: &Plan| -> Vec<Arc<dyn Format>> { plan.order.iter().filter(|f| !built_in(f)).cloned().collect() };
    // The piece that shows best how the log is written.
    let Some(&lead) = set.iter().max_by(|a, b| {
        let key = |i: usize| (!learnt(&plans[i]).is_empty(), plans[i].share * f64::from(u8::from(plans[i].format != "generic")));
        let (x, y) = (key(**a), key(**b));
        x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)).then(b.cmp(a))
    }) else {
        return;
    };
    let taught = learnt(&plans[lead]);
    for &i in set.iter().filter(|i| **i != lead) {
        let poor = plans[i].share < 0.5 || plans[i].format == "generic";
        if poor && plans[lead].share >= 0.5 && plans[lead].format != "generic" && taught.is_empty() {
            plans[i].order = plans[lead].order.clone();
            plans[i].stamped |= plans[lead].stamped;
        } else if !taught.is_empty() && learnt(&plans[i]).is_empty() && (found[i].head.is_some() || found[i].plan.is_none()) {
            let known: Vec<Arc<dyn Format>> = taught.iter().chain(&choice.known).cloned().collect();
            plans[i] = plan_of(&found[i].head(), &found[i].input, &known, &choice.all);
        }
    }
}

/// What is to be said of lines that a terminal broke.
fn broken(path: &str, plan: &Plan) -> Option<Problem> {
    if let Some(wrap) = &plan.wrap {
        let what =
            format!("its lines are broken at {} columns, as a terminal's are when they are copied; they were joined again", wrap.columns);
        return Some(Problem::remark(path, what));
    }
    let columns = plan.looks_broken?;
    let what =
        format!("its lines look broken at {columns} columns, as a terminal's are when they are copied, so most records could not be read");
    Some(Problem { help: "copy the file itself".into(), ..Problem::remark(path, what) })
}

/// How a stream is read. Told formats may make their names of the source's place their business.
fn plan_of(head: &[u8], input: &Input, known: &[Arc<dyn Format>], all: &[Arc<dyn Format>]) -> Plan {
    let known: Vec<_> = known.iter().map(|f| f.for_source(&input.source.path).unwrap_or_else(|| f.clone())).collect();
    let mut plan = detect(&binary::without_runs(head), &known, all);
    plan.expected.modified = input.source.modified;
    plan.commands.collected = input.source.modified;
    plan
}

fn first(place: &Place) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(mut stream) = open_raw(place) {
        // An error is met again, and told, when the whole is read.
        let _ = beginning(&mut stream, &mut bytes, CHARSET_BYTES as usize);
    }
    bytes
}

/// The first lines of a stream.
pub(crate) fn head_of(reader: &mut dyn Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // An error here is met again, and told, when the whole is read.
    let _ = beginning(reader, &mut bytes, HEAD_BYTES);
    cut_head(&mut bytes);
    bytes
}

/// Reads so many bytes from where something stands: a hole at the beginning, which a log that was truncated while it was
/// written has, shows nothing.
fn beginning(reader: &mut dyn Read, into: &mut Vec<u8>, most: usize) -> io::Result<()> {
    loop {
        reader.take((most - into.len()) as u64).read_to_end(into)?;
        if into.len() < most || into.iter().any(|b| *b != 0) {
            return Ok(());
        }
        into.clear();
    }
}

fn cut_head(head: &mut Vec<u8>) {
    if let Some(end) = memchr::memchr_iter(b'\n', head).nth(HEAD_LINES * 2) {
        head.truncate(end);
    }
}

/// Maps in the order of the list, on several threads.
pub(crate) fn parallel<T: Sync, R: Send>(list: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
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
