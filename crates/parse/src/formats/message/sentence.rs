//! Sentences with places: `connect from {_}[{client.address}]`.
//!
//! A sentence is written as its program's source has it, with a place in braces for each value: the name of a field, or `_` for
//! what is of no interest. `:int`, `:s`, `:ms` say how a value is written, `:text` that it may hold blanks; other values are one word. A
//! sentence begins where the message begins, or anywhere after `...`. Behind ` => ` stand fields that the sentence itself says
//! (`event.action=failed`). The rest of the message does not matter.

use crate::formats::cursor::first_line;
use crate::formats::fill;
use crate::seek::Needle;
use whyline_event::{Key, Kind, Name, Record, Value, address};

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One word.
    Word,
    /// Anything.
    Text,
    /// A whole number.
    Int,
    /// A duration in seconds, or in milliseconds.
    Seconds,
    Millis,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Literal(Needle),
    /// A value; without a name it is skipped.
    Place(Option<Name<'static>>, Shape),
}

/// A sentence, ready for use.
#[derive(Clone, Debug)]
pub struct Sentence {
    parts: Vec<Part>,
    /// It may begin anywhere in the message.
    anywhere: bool,
    says: Vec<(Name<'static>, &'static str)>,
}

fn name(text: &'static str) -> Name<'static> {
    Key::find(text).filter(|key| key.name() == text).map_or(Name::Other(text), Name::Known)
}

impl Sentence {
    /// Reads a sentence as it is written in a table.
    pub fn new(written: &'static str) -> Sentence {
        let (pattern, said) = written.split_once(" => ").unwrap_or((written, ""));
        let bare = pattern.strip_prefix("...");
        let mut parts = Vec::new();
        let mut rest = bare.unwrap_or(pattern);
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                parts.push(Part::Literal(Needle::new(before)));
            }
            let (place, tail) = after.split_once('}').unwrap_or((after, ""));
            let (field, shape) = place.split_once(':').unwrap_or((place, ""));
            let shape = match shape {
                "text" => Shape::Text,
                "int" => Shape::Int,
                "s" => Shape::Seconds,
                "ms" => Shape::Millis,
                _ if field == "_" => Shape::Text,
                _ => Shape::Word,
            };
            parts.push(Part::Place((field != "_").then(|| name(field)), shape));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(Needle::new(rest)));
        }
        let says = said.split(' ').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (name(key), value)).collect();
        Sentence { parts, anywhere: bare.is_some(), says }
    }

    /// The first byte of a text that begins with this sentence, where that is always the same.
    fn first(&self) -> Option<u8> {
        match self.parts.first() {
            Some(Part::Literal(text)) if !self.anywhere => text.text().bytes().next(),
            _ => None,
        }
    }

    /// The longest of the words that it always has.
    fn longest(&self) -> Option<Needle> {
        let literals = self.parts.iter().filter_map(|part| if let Part::Literal(text) = part { Some(*text) } else { None });
        literals.max_by_key(|text| text.text().len())
    }

    /// Fills the record if the text begins with (or holds) this sentence. A record that does not fit stays as it was.
    pub fn read<'a>(&self, text: &'a str, record: &mut Record<'a>) -> bool {
        let mut from = 0;
        if let (true, Some(Part::Literal(first))) = (self.anywhere, self.parts.first()) {
            let Some(at) = first.find(text) else { return false };
            from = at;
        }
        let Some(line) = text.get(from..).map(first_line) else { return false };
        let mut values: [Option<(Name<'static>, Value<'a>)>; 12] = [None; 12];
        if !self.fits(line, &mut values) {
            return false;
        }
        for (name, value) in values.into_iter().flatten() {
            put(name, value, record);
        }
        for (name, value) in &self.says {
            put(*name, Value::Str(value), record);
        }
        true
    }

    fn fits<'a>(&self, line: &'a str, values: &mut [Option<(Name<'static>, Value<'a>)>]) -> bool {
        let mut rest = line;
        let mut at = 0;
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Literal(text) => match rest.strip_prefix(text.text()) {
                    Some(tail) => rest = tail,
                    None => return false,
                },
                Part::Place(name, shape) => {
                    let end = match parts.peek() {
                        Some(Part::Literal(next)) => next.find(rest),
                        _ if *shape == Shape::Text => Some(rest.len()),
                        _ => Some(rest.find([' ', ',', ';', ')', ']', '"', '\'']).unwrap_or(rest.len())),
                    };
                    let Some((word, tail)) = end.and_then(|end| rest.split_at_checked(end)) else { return false };
                    rest = tail;
                    let Some(name) = name else { continue };
                    // A value that is empty or a dash was left out by the program.
                    if word.is_empty() || word == "-" {
                        continue;
                    }
                    let (Some(value), Some(free)) = (value(*name, *shape, word), values.get_mut(at)) else { return false };
                    *free = Some((*name, value));
                    at += 1;
                }
            }
        }
        true
    }
}

/// The value of a word; `None` where it cannot be one, and the sentence is another.
fn value<'a>(name: Name<'static>, shape: Shape, word: &'a str) -> Option<Value<'a>> {
    let kind = if let Name::Known(key) = name { Some(key.kind()) } else { None };
    match shape {
        Shape::Seconds => return Value::seconds(word.trim_end_matches(['.', 's'])),
        Shape::Millis => return Value::millis(word),
        Shape::Word if word.contains([' ', '\t']) => return None,
        _ => {}
    }
    match kind {
        Some(Kind::Address) => {
            let word = word.trim_end_matches('.');
            let host = address::split_port(word).0;
            (address::ip(host.trim_matches(['[', ']'])).is_some() || address::is_host_name(host)).then_some(Value::Str(word))
        }
        Some(Kind::Int | Kind::Bytes) => word.parse().ok().map(Value::Int),
        Some(Kind::Duration) => Value::duration(word),
        _ if shape == Shape::Int => word.parse().ok().map(Value::Int),
        _ => Some(Value::Str(word)),
    }
}

fn put<'a>(name: Name<'static>, value: Value<'a>, record: &mut Record<'a>) {
    match (name, value) {
        (Name::Known(Key::ClientAddress), Value::Str(text)) => fill::client(record, text),
        (Name::Known(Key::Path), Value::Str(text)) => fill::target(record, text),
        (Name::Known(key), _) => fill::once(record, key, value),
        (Name::Other(other), _) if record.values(name).next().is_none() => record.put_other(other, value),
        _ => {}
    }
}

/// The sentences of one program, in the order in which they are tried.
///
/// Most messages are none of them, and say so at once: a sentence that begins with a word is compared only with a text that begins with
/// the same letter, and of one that begins with a place its longest words are sought first, once for all sentences that have them.
#[derive(Clone, Debug)]
pub struct Sentences {
    all: Vec<Entry>,
    /// What is sought, of sentences that begin with a place.
    sought: Vec<Needle>,
}

#[derive(Clone, Debug)]
struct Entry {
    sentence: Sentence,
    first: Option<u8>,
    /// The number of its longest words among those that are sought, from 1.
    sought: u8,
}

/// So many different words are sought at most; sentences beyond are tried as they are.
const MOST_SOUGHT: usize = 63;

impl Sentences {
    /// Prepares sentences as they are written in a table.
    pub fn new(written: &[&'static str]) -> Sentences {
        let mut sought: Vec<Needle> = Vec::new();
        let mut entry = |text: &&'static str| {
            let sentence = Sentence::new(text);
            let first = sentence.first();
            let mut entry = Entry { sentence, first, sought: 0 };
            if let (None, Some(longest)) = (first, entry.sentence.longest()) {
                let known = sought.iter().position(|needle| *needle == longest);
                let at = known.unwrap_or(sought.len());
                if known.is_none() && at < MOST_SOUGHT {
                    sought.push(longest);
                }
                entry.sought = if at < MOST_SOUGHT { at as u8 + 1 } else { 0 };
            }
            entry
        };
        let all = written.iter().map(&mut entry).collect();
        Sentences { all, sought }
    }

    /// Fills the record by the first sentence that fits the text.
    pub fn read<'a>(&self, text: &'a str, record: &mut Record<'a>) -> bool {
        let first = text.bytes().next();
        // Of each of the words whether they were sought, and whether they are there.
        let (mut asked, mut there) = (0u64, 0u64);
        for entry in &self.all {
            if entry.first.is_some() && entry.first != first {
                continue;
            }
            if let Some(needle) = usize::from(entry.sought).checked_sub(1).and_then(|at| self.sought.get(at)) {
                let bit = 1 << entry.sought;
                if asked & bit == 0 {
                    asked |= bit;
                    there |= if needle.is_in(text) { bit } else { 0 };
                }
                if there & bit == 0 {
                    continue;
                }
            }
            if entry.sentence.read(text, record) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    #[test]
    fn sentences() {
        for (written, text, want) in [
            ("connect from {_}[{client.address}]", "connect from mail.example.com[203.0.113.9]", Some("client.address=203.0.113.9")),
            ("connect from {_}[{client.address}]", "connect from mail.example.com[unknown words]", None),
            ("...I/O error, dev {system.device}, sector", "x: I/O error, dev sdb, sector 1", Some("system.device=sdb")),
            (
                "took {db.client.operation.duration:ms} ms => event.action=slow",
                "took 12 ms",
                Some("db.client.operation.duration=0.012 event.action=slow"),
            ),
            ("job {job:int} of {user.name}", "job 7 of ann, now", Some("job=7 user.name=ann")),
            ("job {job:int} of", "job x of ann", None),
            ("user=<{user.name}>, rip={client.address}", "user=<>, rip=203.0.113.9", Some("client.address=203.0.113.9")),
            ("", "", Some("")),
        ] {
            let mut r = Record::new(text, Origin::default());
            let read = Sentence::new(written).read(text, &mut r);
            let got: Vec<String> = r.fields.iter().map(|f| format!("{}={}", f.name.as_str(), f.value)).collect();
            assert_eq!(read.then(|| got.join(" ")).as_deref(), want, "{written} | {text}");
        }
    }

    #[test]
    fn the_first_sentence_that_fits_is_read_though_most_are_not_tried() {
        let written =
            ["link {_} down => a=1", "{x}: link is down => a=2", "{x} {_}: link is down => a=3", "...stuck for {x}s => a=4", "{x} => a=5"];
        let sentences = Sentences::new(&written);
        for text in
            ["link eth0 down", "eth0: link is down", "a eth0: link is down", "link", "cpu: stuck for 7s", "stuck for", "", "link is down: "]
        {
            let (mut one, mut all) = (Record::new(text, Origin::default()), Record::new(text, Origin::default()));
            let found = written.iter().any(|written| Sentence::new(written).read(text, &mut one));
            assert_eq!((sentences.read(text, &mut all), all.fields), (found, one.fields), "{text}");
        }
    }
}
