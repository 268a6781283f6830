//! Many queries asked of every record at once.
//!
//! Every query that can tell what it needs (see the module `need`) is asked only of records that have it: the needed texts
//! of all queries are sought in one pass over the body, formats and fields are looked up by name. What is
//! left is asked part by part (see the module `part`), so the answer is that of [`Query::matches`].

use crate::ast::{Node, Test};
use crate::fields::{Target, is_access, is_of_stranger};
use crate::keys::{FieldNeed, FieldNeeds, Met};
use crate::matches::{Asked, ERRORS, errors, text_attributes};
use crate::need::{Atom, need};
use crate::part::{Part, each_text};
use crate::query::Query;
use crate::texts::{Builder, Found, Texts};
use crate::words::folded;
use rustc_hash::FxHashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use whyline_event::{Key, Name, Record, Severity, Source, Value};

/// Many queries, each with a number.
#[derive(Debug, Default)]
pub struct Matcher {
    /// No other matcher has it: what is remembered for one is not used by another.
    serial: u64,
    questions: Vec<Question>,
    /// Questions that are asked of every record.
    always: Vec<u32>,
    formats: FxHashMap<String, usize>,
    /// By the number of a format, the questions that need nothing rarer than it.
    by_format: Vec<Vec<u32>>,
    keys: Vec<FieldNeeds>,
    others: FxHashMap<String, FieldNeeds>,
    levels: Vec<FieldNeed>,
    texts: Texts,
    raws: Texts,
    /// Some question that needs a text may match an access record.
    hears_strangers: bool,
}

#[derive(Debug)]
struct Question {
    id: u32,
    root: Part,
    guarded: bool,
    /// The number of the only format that fits, where the query names one.
    format: Option<usize>,
}

/// Working memory of [`Matcher::hits`], to be used again for the next record. One for every thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The matcher that it is for.
    serial: u64,
    candidates: Candidates,
    /// The format that was met last, and its number if queries name it.
    format: (String, Option<usize>),
    /// What was found in bodies and text attributes, and in whole records.
    found: Found,
    found_raw: Found,
    /// Values that fields had, by key.
    met: Vec<Met>,
    /// Levels that were met.
    levels: Vec<Level>,
}

/// Questions that were put down for a record, each once.
#[derive(Debug, Default)]
struct Candidates {
    /// For every question the last round in which it was put down.
    seen: Vec<u32>,
    round: u32,
    all: Vec<u32>,
}

impl Candidates {
    fn put(&mut self, question: u32) {
        if let Some(seen) = self.seen.get_mut(question as usize)
            && *seen != self.round
        {
            *seen = self.round;
            self.all.push(question);
        }
    }

    fn put_all(&mut self, questions: &[u32]) {
        questions.iter().for_each(|question| self.put(*question));
    }
}

/// A level that was met, and the questions that need it.
#[derive(Debug)]
struct Level {
    severity: Option<Severity>,
    /// As written; empty where none is.
    word: String,
    questions: Vec<u32>,
}

/// So many different levels are remembered.
const LEVELS: usize = 40;

impl Scratch {
    fn begin(&mut self, matcher: &Matcher) {
        if self.serial != matcher.serial || self.candidates.round == u32::MAX {
            let candidates = Candidates { seen: vec![0; matcher.questions.len()], ..Candidates::default() };
            *self = Scratch { serial: matcher.serial, candidates, ..Scratch::default() };
            self.met.resize_with(matcher.keys.len(), Met::default);
            self.format.1 = matcher.number_of_format("");
        }
        self.found.begin(&matcher.texts);
        self.found_raw.begin(&matcher.raws);
        self.candidates.round += 1;
        self.candidates.all.clear();
    }
}

impl Matcher {
    /// Prepares queries to be asked together. Numbers may repeat; a number is then given once for each query that matches.
    pub fn new(queries: Vec<(u32, Query)>) -> Matcher {
        static SERIAL: AtomicU64 = AtomicU64::new(1);
        let mut matcher = Matcher { serial: SERIAL.fetch_add(1, Ordering::Relaxed), ..Matcher::default() };
        matcher.keys.resize_with(Key::ALL.len(), FieldNeeds::default);
        let (mut texts, mut raws) = (Builder::default(), Builder::default());
        for (at, (_, query)) in queries.iter().enumerate() {
            let question = u32::try_from(at).unwrap_or(u32::MAX);
            let guarded = query.leaves_out_access();
            match need(query.root()) {
                None => matcher.always.push(question),
                Some(need) => {
                    for atom in need.atoms {
                        matcher.file(atom, question, guarded, &mut texts, &mut raws);
                    }
                }
            }
        }
        for (_, query) in queries.iter().filter(|(_, query)| query.leaves_out_access() || matcher.hears_strangers) {
            each_text(query.root(), &mut |sought| {
                texts.note(sought);
            });
        }
        for (id, query) in queries {
            let guarded = query.leaves_out_access();
            let format = only_format(query.root()).map(|name| matcher.format(name));
            // Where access records are not searched, nothing may rest on what is found in them.
            let searched = guarded || matcher.hears_strangers;
            let root = Part::of(query.root(), &|sought| if searched { texts.number(sought) } else { None });
            matcher.questions.push(Question { id, root, guarded, format });
        }
        matcher.texts = texts.build();
        matcher.raws = raws.build();
        matcher
    }

    fn file(&mut self, atom: Atom, question: u32, guarded: bool, texts: &mut Builder, raws: &mut Builder) {
        match atom {
            Atom::Text(sought) => {
                self.hears_strangers |= !guarded;
                texts.add(sought, question);
            }
            Atom::Raw(sought) => raws.add(sought, question),
            Atom::Format(name) => {
                let format = self.format(&name);
                self.by_format.get_mut(format).into_iter().for_each(|questions| questions.push(question));
            }
            Atom::Level(test) => self.levels.push(FieldNeed { test, sense: Target::Level.sense(), question }),
            Atom::Field(target, test) => {
                let needed = FieldNeed { test, sense: target.sense(), question };
                match target {
                    Target::Key(key) => match self.keys.get_mut(key as usize) {
                        Some(needs) => needs.add(needed),
                        None => self.always.push(question),
                    },
                    Target::Other(name) => self.others.entry(name).or_default().add(needed),
                    _ => self.always.push(question),
                }
            }
        }
    }

    /// The number of a format that a query names.
    fn format(&mut self, name: &str) -> usize {
        let number = self.by_format.len();
        let of = *self.formats.entry(name.to_string()).or_insert(number);
        if of == number {
            self.by_format.push(Vec::new());
        }
        of
    }

    fn number_of_format(&self, name: &str) -> Option<usize> {
        if name.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
            return self.formats.get(name).copied();
        }
        self.formats.get(&folded(name)).copied()
    }

    /// How many queries there are.
    pub fn len(&self) -> usize {
        self.questions.len()
    }

    /// Whether there are no queries.
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }

    /// Whether words are sought in access records, too: one query that names a field of requests beside words makes all of them be searched.
    pub fn hears_strangers(&self) -> bool {
        self.hears_strangers
    }

    /// How many of the queries need nothing that could be looked for and are asked of every record.
    pub fn asked_always(&self) -> usize {
        self.always.len()
    }

    /// Replaces `out` by the numbers of the queries that match the record, in the order in which the queries were given.
    /// The source of the record is unknown, as in [`Query::matches`].
    pub fn hits(&self, record: &Record<'_>, scratch: &mut Scratch, out: &mut Vec<u32>) {
        self.hits_in(record, None, scratch, out);
    }

    /// Replaces `out` by the numbers of the queries that match the record in its source, as [`Query::matches_in`] has it.
    pub fn hits_in(&self, record: &Record<'_>, source: Option<&Source>, scratch: &mut Scratch, out: &mut Vec<u32>) {
        out.clear();
        scratch.begin(self);
        let access = is_access(record);
        if scratch.format.0 != record.format {
            scratch.format = (record.format.to_string(), self.number_of_format(record.format));
        }
        let format = scratch.format.1;
        if let Some(questions) = format.and_then(|format| self.by_format.get(format)) {
            scratch.candidates.put_all(questions);
        }
        self.collect(record, access, scratch);
        scratch.candidates.all.sort_unstable();
        let mut asked = Asked { record, source, guarded: false, wordless: false };
        for question in scratch.candidates.all.iter().filter_map(|q| self.questions.get(*q as usize)) {
            if question.format.is_some() && question.format != format {
                continue;
            }
            (asked.guarded, asked.wordless) = (question.guarded, access && question.guarded);
            if question.root.holds(&asked, &scratch.found) {
                out.push(question.id);
            }
        }
    }

    /// Puts down every question of which the record has what it needs, the format aside.
    fn collect(&self, record: &Record<'_>, access: bool, scratch: &mut Scratch) {
        let Scratch { candidates, found, found_raw, met, levels, .. } = scratch;
        candidates.put_all(&self.always);
        for field in &record.fields {
            match field.name {
                Name::Known(key) => {
                    if let (Some(needs), Some(met)) = (self.keys.get(key as usize), met.get_mut(key as usize))
                        && !needs.is_empty()
                    {
                        needs.ask(field.value, met, &mut |question| candidates.put(question));
                    }
                }
                Name::Other(_) if self.others.is_empty() => (),
                Name::Other(name) => {
                    if let Some(needs) = self.others.get(name) {
                        needs.ask(field.value, &mut Met::default(), &mut |question| candidates.put(question));
                    }
                }
            }
        }
        if !self.levels.is_empty() {
            self.collect_levels(record, levels, candidates);
        }
        let mut put = |question| candidates.put(question);
        if !self.texts.is_empty() && access && !self.hears_strangers {
            if record.fields.may_have(ERRORS) {
                errors(record).for_each(|text| self.texts.find(text, found, &mut put));
            }
        } else if !self.texts.is_empty() {
            self.texts.find(record.body, found, &mut put);
            for text in text_attributes(record, !self.hears_strangers).filter(|text| !stands_in(text, record.body)) {
                self.texts.find(text, found, &mut put);
            }
            // What was found may be what a stranger wrote, which some of the questions leave out.
            if self.hears_strangers && record.fields.iter().any(|field| is_of_stranger(field.name)) {
                found.doubt();
            }
        }
        self.raws.find(record.text, found_raw, &mut put);
    }

    /// Puts down the questions that need the record's level. A source writes few different ones, so the answers are kept.
    fn collect_levels(&self, record: &Record<'_>, known: &mut Vec<Level>, candidates: &mut Candidates) {
        let written = record.fields.may_have(Key::Level).then(|| record.values(Key::Level.into()));
        let mut written = written.into_iter().flatten();
        let word = match (written.next(), written.next()) {
            (None, _) => "",
            (Some(Value::Str(text)), None) if !text.is_empty() => text,
            _ => return self.ask_levels(record, &mut |question| candidates.put(question)),
        };
        match known.iter().find(|level| level.severity == record.severity && level.word == word) {
            Some(level) => candidates.put_all(&level.questions),
            None => {
                let mut questions = Vec::new();
                self.ask_levels(record, &mut |question| questions.push(question));
                candidates.put_all(&questions);
                if known.len() < LEVELS {
                    known.push(Level { severity: record.severity, word: word.to_string(), questions });
                }
            }
        }
    }

    fn ask_levels(&self, record: &Record<'_>, put: &mut dyn FnMut(u32)) {
        for needed in &self.levels {
            let holds = |value| needed.test.holds(needed.sense, value);
            if record.severity.is_some_and(|s| holds(Value::Str(s.as_str()))) || record.values(Key::Level.into()).any(holds) {
                put(needed.question);
            }
        }
    }
}

/// The format, case folded, that a query cannot do without, where it names exactly one.
fn only_format(root: &Node) -> Option<&str> {
    match root {
        Node::Field(Target::Format, Test::Is(literal)) => Some(literal.folded()),
        Node::And(nodes) => nodes.iter().find_map(only_format),
        _ => None,
    }
}

/// Whether a text is a part of the body in memory, with nothing beside it that could belong to its first or last word: then
/// what is sought in the body is sought in it, too.
fn stands_in(text: &str, body: &str) -> bool {
    let (start, from) = (text.as_ptr().addr(), body.as_ptr().addr());
    let Some(at) = start.checked_sub(from) else { return false };
    let end = at + text.len();
    let separates = |byte: Option<&u8>| byte.is_none_or(|b| b.is_ascii() && !b.is_ascii_alphanumeric());
    end <= body.len() && (at == 0 || separates(body.as_bytes().get(at - 1))) && separates(body.as_bytes().get(end))
}
