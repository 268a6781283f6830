//! What was chosen for which lines of a source, and why: for people who ask whether their logs are read right.

use crate::facts::Facts;
use crate::format::{Cx, Fit, Format};
use crate::input::{Input, open};
use crate::prepare::head_of;
use crate::reading::{self, Bundle, Sink};
use std::collections::BTreeMap;
use std::sync::Arc;
use whyline_event::{Bump, Form, Origin, Record, SourceId};

/// Stretches of lines that are kept of one source; a file in which programs take turns has as many as lines.
const MOST_STRETCHES: usize = 4096;
/// Lines of a head on which the formats that were not chosen are tried.
const TRIED: usize = 48;
/// Characters of an example.
const EXAMPLE: usize = 200;

/// How a source is read.
#[derive(Clone, Debug, Default)]
pub struct Explained {
    /// Formats in the order of the lines they read.
    pub formats: Vec<Chosen>,
    /// Formats that could read some of the first lines as well, the likeliest first.
    pub others: Vec<Other>,
    /// Which lines are of which format.
    pub stretches: Vec<Stretch>,
    /// How often the format changes from one record to the next.
    pub changes: u64,
    /// What the stamps leave open, with the number of records; `None` for records without one of their own.
    pub stamps: BTreeMap<Option<Form>, u64>,
    /// How the bytes of the head are to be understood.
    pub encoding: &'static str,
    /// Lines, and those with nothing on them.
    pub lines: u64,
    /// Lines with nothing on them that belong to no record.
    pub blank: u64,
    /// Records.
    pub records: u64,
    /// Records that no format knows: lines they take, the first one's line and text.
    pub unread: u64,
    /// The first of them.
    pub example: Option<(u64, String)>,
}

/// A format that reads lines of a source.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The format, as events carry it.
    pub format: String,
    /// Its reader.
    pub reader: &'static str,
    /// Lines of its records.
    pub lines: u64,
    /// Its records.
    pub records: u64,
    /// The mean fit, 1 to 100.
    pub fit: f64,
}

/// A format that was not chosen.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its reader.
    pub reader: &'static str,
    /// The share of the first lines that it could read, 0 to 1.
    pub share: f64,
    /// The mean fit on those, 1 to 100.
    pub fit: f64,
}

/// Lines that follow each other and are of one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The format.
    pub format: String,
    /// First line.
    pub first: u64,
    /// Last line.
    pub last: u64,
}

#[derive(Default)]
struct Gathered {
    formats: BTreeMap<(String, &'static str), (u64, u64, u64)>,
    stretches: Vec<Stretch>,
    changes: u64,
    stamps: BTreeMap<Option<Form>, u64>,
    records: u64,
    unread: u64,
    example: Option<(u64, String)>,
}

impl Gathered {
    fn merge(&mut self, other: Gathered) {
        for (key, (lines, records, fit)) in other.formats {
            let sum = self.formats.entry(key).or_default();
            *sum = (sum.0 + lines, sum.1 + records, sum.2 + fit);
        }
        self.stretches.extend(other.stretches);
        self.changes += other.changes;
        for (form, count) in other.stamps {
            *self.stamps.entry(form).or_default() += count;
        }
        self.records += other.records;
        self.unread += other.unread;
        if let Some(new) = other.example
            && self.example.as_ref().is_none_or(|old| new.0 < old.0)
        {
            self.example = Some(new);
        }
    }
}

struct Gathering<'b> {
    bundle: &'b Bundle,
    sources: BTreeMap<usize, Gathered>,
    arena: Bump,
}

impl Sink for Gathering<'_> {
    fn begin(&mut self, _source: SourceId, _number: u64) {}

    fn record(&mut self, record: &Record<'_>) {
        let at = record.origin.source.0 as usize;
        let Some(plan) = self.bundle.plans.get(at) else { return };
        self.arena.reset();
        let (reader, fit) = reader_of(&self.arena, &plan.order, record.text);
        let gathered = self.sources.entry(at).or_default();
        let lines = u64::from(record.origin.lines);
        let sum = gathered.formats.entry((record.format.to_string(), reader)).or_default();
        *sum = (sum.0 + lines, sum.1 + 1, sum.2 + u64::from(fit));
        gathered.records += 1;
        *gathered.stamps.entry(record.stamp.filter(|_| !record.inherited).map(|s| s.form)).or_default() += 1;
        if record.format == "generic" {
            gathered.unread += lines;
            if gathered.example.as_ref().is_none_or(|(line, _)| record.origin.line < *line) {
                let text = record.text.lines().next().unwrap_or("").chars().take(EXAMPLE).collect();
                gathered.example = Some((record.origin.line, text));
            }
        }
        let (first, last) = (record.origin.line, record.origin.line + lines.saturating_sub(1));
        match gathered.stretches.last_mut().filter(|s| s.format == record.format && s.first <= first) {
            Some(stretch) => stretch.last = last,
            None => {
                gathered.changes += 1;
                if gathered.stretches.len() < MOST_STRETCHES {
                    gathered.stretches.push(Stretch { format: record.format.to_string(), first, last });
                }
            }
        }
    }

    fn end(&mut self) {}
}

/// Which reader takes a record, and how surely.
fn reader_of(arena: &Bump, order: &[Arc<dyn Format>], text: &str) -> (&'static str, Fit) {
    let text = &*arena.alloc_str(text);
    let mut record = Record::new(text, Origin::default());
    let cx = Cx::new(arena, order);
    order.iter().find_map(|format| format.read(&cx, text, &mut record).map(|fit| (format.name(), fit))).unwrap_or(("generic", 0))
}

/// Reads the whole bundle and says how each of its sources is read. The facts are those of the clocks.
pub fn explain(bundle: &Bundle, threads: usize) -> (Vec<Explained>, Vec<Facts>) {
    let passed = reading::pass(bundle, threads, || Gathering { bundle, sources: BTreeMap::new(), arena: Bump::new() });
    let mut all: Vec<Gathered> = bundle.inputs.iter().map(|_| Gathered::default()).collect();
    for sink in passed.sinks {
        for (at, gathered) in sink.sources {
            if let Some(whole) = all.get_mut(at) {
                whole.merge(gathered);
            }
        }
    }
    let explained = all
        .into_iter()
        .zip(bundle.inputs.iter().zip(&bundle.plans))
        .zip(&passed.counts)
        .map(|((gathered, (input, plan)), counts)| {
            let mut one = finish(gathered);
            (one.lines, one.blank) = (counts.lines, counts.blank);
            let head = head(input);
            one.encoding = encoding(&head);
            one.others = others(&head, &plan.order, &one.formats);
            one
        })
        .collect();
    (explained, passed.facts)
}

fn head(input: &Input) -> Vec<u8> {
    open(input).map(|mut reader| head_of(&mut reader)).unwrap_or_default()
}

fn finish(gathered: Gathered) -> Explained {
    let mut formats: Vec<Chosen> = gathered
        .formats
        .into_iter()
        .map(|((format, reader), (lines, records, fit))| Chosen { format, reader, lines, records, fit: fit as f64 / records.max(1) as f64 })
        .collect();
    formats.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.format.cmp(&b.format)));
    // Blocks come in any order, and a border between two of them is no change of format.
    let mut stretches = gathered.stretches;
    let most = stretches.len();
    stretches.sort_by_key(|s| s.first);
    let mut joined: Vec<Stretch> = Vec::new();
    for stretch in stretches {
        match joined.last_mut().filter(|s| s.format == stretch.format) {
            Some(last) => last.last = last.last.max(stretch.last),
            None => joined.push(stretch),
        }
    }
    let changes = (joined.len() as u64 + gathered.changes.saturating_sub(most as u64)).saturating_sub(1);
    Explained {
        formats,
        stretches: joined,
        changes,
        stamps: gathered.stamps,
        records: gathered.records,
        unread: gathered.unread,
        example: gathered.example,
        ..Explained::default()
    }
}

/// The formats that could read some of the first lines, without those that were chosen.
fn others(head: &[u8], order: &[Arc<dyn Format>], chosen: &[Chosen]) -> Vec<Other> {
    let arena = Bump::new();
    let text = String::from_utf8_lossy(head);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    let step = lines.len().div_ceil(TRIED).max(1);
    let tried: Vec<&str> = lines.iter().step_by(step).map(|line| crate::plain::plain(&arena, line)).collect();
    let mut found: Vec<Other> = Vec::new();
    for format in order.iter().filter(|f| f.name() != "generic" && chosen.iter().all(|c| c.reader != f.name())) {
        let fits: Vec<u64> = tried
            .iter()
            .filter_map(|line| {
                let mut record = Record::new(line, Origin::default());
                format.read(&Cx::new(&arena, order), line, &mut record).map(u64::from)
            })
            .collect();
        if !fits.is_empty() && found.iter().all(|o| o.reader != format.name()) {
            let (count, sum) = (fits.len() as f64, fits.iter().sum::<u64>() as f64);
            found.push(Other { reader: format.name(), share: count / tried.len() as f64, fit: sum / count });
        }
    }
    found.sort_by(|a, b| (b.share * b.fit * b.fit).total_cmp(&(a.share * a.fit * a.fit)));
    found.truncate(3);
    found
}

fn encoding(head: &[u8]) -> &'static str {
    // The head may end within a character.
    let broken = match std::str::from_utf8(head) {
        Ok(_) => false,
        Err(error) => error.error_len().is_some(),
    };
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16",
        _ if head.iter().take(4096).filter(|b| **b == 0).count() * 20 > head.len().min(4096) && !head.is_empty() => "no text (NUL bytes)",
        _ if broken => "UTF-8 with bytes that are none",
        _ if head.is_ascii() => "ASCII",
        _ => "UTF-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Input, Place};
    use crate::{Options, prepare};

    fn explained(text: &str) -> Explained {
        let options = Options { threads: 2, ..Options::default() };
        let mut bundle = prepare(&[], &options);
        bundle.inputs.push(Input::new(String::new(), Place::Memory(Arc::new(text.as_bytes().to_vec()))));
        bundle.plans.push(crate::detect::detect(text.as_bytes(), &[], &crate::formats::all()));
        bundle.same_as.push(None);
        explain(&bundle, 2).0.remove(0)
    }

    #[test]
    fn two_programs_in_one_file() {
        let redis = "7:M 21 Nov 2026 10:00:00.000 * Ready to accept connections\n";
        let glog = "E1121 10:00:01.000000       7 a.go:1] no\n";
        let text = format!("{}{}\n<<<>>>\n{}", redis.repeat(3), glog.repeat(2), redis);
        let one = explained(&text);
        let found: Vec<_> = one.formats.iter().map(|f| (f.format.as_str(), f.lines, f.fit > 80.0)).collect();
        assert_eq!(found, [("glog", 4, true), ("redis", 4, true)]);
        let stretches: Vec<_> = one.stretches.iter().map(|s| (s.format.as_str(), s.first, s.last)).collect();
        assert_eq!(stretches, [("redis", 1, 3), ("glog", 4, 7), ("redis", 8, 8)]);
        assert_eq!((one.changes, one.lines, one.records, one.encoding), (2, 8, 6, "ASCII"));
    }

    #[test]
    fn what_nothing_reads_is_shown() {
        let one = explained("<<< one\n<<< two\n");
        assert_eq!((one.unread, one.example), (2, Some((1, "<<< one".to_string()))));
        assert_eq!(one.stamps.get(&None), Some(&2));
    }
}
