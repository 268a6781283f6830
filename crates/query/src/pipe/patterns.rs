//! Templates of messages: what programs say, without what differs from time to time.
//!
//! In two steps. While events pass, each message is reduced to its *shape*: words with a digit in them become `<*>`. Shapes are counted;
//! that is a sum and does not depend on order or threads. At the end the shapes are put together by Drain (He, Zhu, Zheng, Lyu: Drain, an
//! online log parsing approach with fixed depth tree, ICWS 2017), the most frequent first, so the whole is as independent of the order
//! of events as its first step. A variable part that turns out to be the same everywhere is shown as it is.

use super::cell::Cell;
use super::fixed::Fixed;
use super::take::{Hit, Place};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// Most shapes that are held. Which ones is decided by their hashes, so it depends on nothing else.
const MOST_SHAPES: usize = 20_000;
/// Of a message, its first line counts, up to so many words and bytes.
const MOST_WORDS: usize = 64;
const MOST_BYTES: usize = 1_024;
/// Words that two messages must share to be one template, of those that are not variable.
const ALIKE: f64 = 0.6;
/// Templates that a new shape is compared with, at most.
const MOST_COMPARED: usize = 256;

/// What stands for a variable part.
pub const ANY: &str = "<*>";

#[derive(Clone, Debug, PartialEq)]
struct Shape {
    count: u64,
    /// The first message, its words parted by single spaces.
    line: String,
    /// Which words differ between messages, by bit.
    varies: u64,
    example: Example,
}

#[derive(Clone, Debug, PartialEq)]
struct Example {
    place: Place,
    at: String,
    text: String,
}

/// Shapes that are being counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Patterns {
    shapes: BTreeMap<u64, Shape>,
    all: u64,
    scratch: String,
}

impl Patterns {
    pub(super) fn add(&mut self, hit: &Hit<'_>) {
        self.all += 1;
        let first = hit.record.body.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("");
        let first = &first[..floor(first, MOST_BYTES)];
        let mut shape = std::mem::take(&mut self.scratch);
        shape.clear();
        for (i, word) in words(first).enumerate() {
            if i > 0 {
                shape.push(' ');
            }
            mask(word, &mut shape);
        }
        let hash = xxh3_64(shape.as_bytes());
        self.scratch = shape;
        if self.shapes.len() >= MOST_SHAPES && self.shapes.last_key_value().is_some_and(|(last, _)| hash > *last) {
            return;
        }
        let place = hit.place();
        match self.shapes.get_mut(&hash) {
            Some(known) => {
                known.count += 1;
                known.varies |= differing(words(&known.line), words(first));
                if place < known.example.place {
                    known.example = example(hit, first);
                }
            }
            None => {
                let line = words(first).collect::<Vec<_>>().join(" ");
                self.insert(hash, Shape { count: 1, line, varies: 0, example: example(hit, first) });
            }
        }
    }

    fn insert(&mut self, hash: u64, shape: Shape) {
        self.shapes.insert(hash, shape);
        if self.shapes.len() > MOST_SHAPES {
            self.shapes.pop_last();
        }
    }

    pub(super) fn merge(&mut self, other: Patterns) {
        self.all += other.all;
        for (hash, shape) in other.shapes {
            match self.shapes.get_mut(&hash) {
                Some(known) => {
                    known.count += shape.count;
                    known.varies |= shape.varies | differing(words(&known.line), words(&shape.line));
                    if shape.example.place < known.example.place {
                        known.example = shape.example;
                    }
                }
                None => self.insert(hash, shape),
            }
        }
    }

    /// The rows: count, template, where an example stands, the example. The most frequent first.
    pub(super) fn finish(self, notes: &mut Vec<String>) -> Vec<Vec<Cell>> {
        let counted: u64 = self.shapes.values().map(|s| s.count).sum();
        if self.all > counted {
            notes.push(format!(
                "there are more than {MOST_SHAPES} shapes of messages; {} events are left out; ask for less",
                self.all - counted
            ));
        }
        let mut shapes: Vec<Shape> = self.shapes.into_values().collect();
        shapes.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.example.place.cmp(&b.example.place)));
        let mut together: BTreeMap<String, (u64, Example)> = BTreeMap::new();
        for template in drain(shapes) {
            let text = template.text();
            match together.get_mut(&text) {
                Some((count, example)) => {
                    *count += template.count;
                    if template.example.place < example.place {
                        *example = template.example;
                    }
                }
                None => {
                    together.insert(text, (template.count, template.example));
                }
            }
        }
        let mut rows: Vec<(String, (u64, Example))> = together.into_iter().collect();
        rows.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        let row = |(text, (count, example)): (String, (u64, Example))| {
            vec![Cell::Number(Fixed::count(count)), Cell::Text(text), Cell::Text(example.at), Cell::Text(example.text)]
        };
        rows.into_iter().map(row).collect()
    }
}

fn example(hit: &Hit<'_>, text: &str) -> Example {
    Example { place: hit.place(), at: format!("{}:{}", hit.source.path, hit.record.origin.line), text: text.to_string() }
}

/// The words of a line; what lies beyond the last one that counts is a word of its own.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line.trim_start();
    let mut left = MOST_WORDS;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        left -= 1;
        let end = if left == 0 { rest.len() } else { rest.find(char::is_whitespace).unwrap_or(rest.len()) };
        let (word, after) = rest.split_at(end);
        rest = after.trim_start();
        Some(word)
    })
}

fn differing<'a>(a: impl Iterator<Item = &'a str>, b: impl Iterator<Item = &'a str>) -> u64 {
    a.zip(b).enumerate().fold(0, |bits, (i, (a, b))| bits | u64::from(a != b) << i)
}

/// Writes a word with `<*>` for every run of letters, digits and what joins them that has a digit in it.
fn mask(word: &str, out: &mut String) {
    let joined = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ':');
    let mut rest = word;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !joined(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        // What ends a sentence or a list belongs to the template.
        let core = run.trim_end_matches(|c: char| !c.is_alphanumeric());
        let start = core.len() - core.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
        if core[start..].contains(|c: char| c.is_numeric()) {
            out.push_str(&run[..start]);
            out.push_str(ANY);
            out.push_str(&run[core.len()..]);
        } else {
            out.push_str(run);
        }
        let next = after.find(joined).unwrap_or(after.len());
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
}

fn floor(text: &str, most: usize) -> usize {
    let mut at = text.len().min(most);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A template that is growing.
struct Template {
    count: u64,
    /// The masked words; `<*>` where they differ.
    masked: Vec<String>,
    /// The words as written, where they are the same in all messages.
    same: Vec<Option<String>>,
    example: Example,
}

impl Template {
    fn new(shape: Shape, masked: Vec<String>) -> Template {
        let same = words(&shape.line).enumerate().map(|(i, w)| (shape.varies >> i & 1 == 0).then(|| w.to_string())).collect();
        Template { count: shape.count, masked, same, example: shape.example }
    }

    /// The share of words that are not variable and the same.
    fn likeness(&self, masked: &[String]) -> f64 {
        let (mut fixed, mut equal) = (0u32, 0u32);
        for (own, other) in self.masked.iter().zip(masked) {
            if own == ANY && other == ANY {
                continue;
            }
            fixed += 1;
            equal += u32::from(own == other);
        }
        if fixed == 0 { 1.0 } else { f64::from(equal) / f64::from(fixed) }
    }

    fn join(&mut self, shape: Shape, masked: &[String]) {
        self.count += shape.count;
        for (i, (own, other)) in self.masked.iter_mut().zip(masked).enumerate() {
            if own != other {
                *own = ANY.to_string();
            }
            let word = words(&shape.line).nth(i);
            if shape.varies >> i & 1 == 1 || self.same[i].as_deref() != word {
                self.same[i] = None;
            }
        }
        if shape.example.place < self.example.place {
            self.example = shape.example;
        }
    }

    fn text(&self) -> String {
        let words = self.masked.iter().zip(&self.same).map(|(masked, same)| same.as_deref().unwrap_or(masked));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Puts shapes together: those with as many words and the same first word, where most of the others are the same.
fn drain(shapes: Vec<Shape>) -> Vec<Template> {
    let mut leaves: BTreeMap<(usize, String), Vec<Template>> = BTreeMap::new();
    for shape in shapes {
        let masked: Vec<String> = words(&shape.line)
            .map(|word| {
                let mut out = String::new();
                mask(word, &mut out);
                out
            })
            .collect();
        let first = masked.first().filter(|w| !w.contains(ANY)).cloned().unwrap_or_else(|| ANY.to_string());
        let leaf = leaves.entry((masked.len(), first)).or_default();
        let mut best: Option<(f64, usize)> = None;
        for (i, template) in leaf.iter().take(MOST_COMPARED).enumerate() {
            let likeness = template.likeness(&masked);
            if likeness >= ALIKE && best.is_none_or(|(most, _)| likeness > most) {
                best = Some((likeness, i));
            }
        }
        match best {
            Some((_, i)) => leaf[i].join(shape, &masked),
            None => leaf.push(Template::new(shape, masked)),
        }
    }
    leaves.into_values().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Clock, Origin, Record, Source};

    fn masked(word: &str) -> String {
        let mut out = String::new();
        mask(word, &mut out);
        out
    }

    fn mined(lines: &[&str]) -> Vec<(i128, String, String)> {
        let source = Source { path: "a.log".into(), ..Source::default() };
        let clock = Clock::default();
        let mut parts = [Patterns::default(), Patterns::default()];
        for (i, line) in lines.iter().enumerate() {
            let record = Record::new(line, Origin { line: i as u64 + 1, offset: i as u64 * 100, ..Origin::default() });
            parts[i % 2].add(&Hit::new(&record, &source, &clock, 0));
        }
        let [mut a, b] = parts;
        let mut other = b.clone();
        other.merge(a.clone());
        a.merge(b);
        let rows = a.finish(&mut Vec::new());
        assert_eq!(rows, other.finish(&mut Vec::new()));
        rows.into_iter()
            .map(|row| match &row[..] {
                [Cell::Number(n), Cell::Text(pattern), Cell::Text(at), Cell::Text(_)] => (n.0 / 1_000_000_000, pattern.clone(), at.clone()),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_is_variable_in_a_word() {
        for (word, want) in [
            ("refused", "refused"),
            ("10.0.0.3:8080,", "<*>,"),
            ("id=7f3a", "id=<*>"),
            ("(111:", "(<*>:"),
            ("/api/v1/orders/77?x=y", "/api/<*>/orders/<*>?x=y"),
            ("api.service:", "api.service:"),
            ("größe5", "<*>"),
            ("--", "--"),
            ("*538", "*<*>"),
        ] {
            assert_eq!(masked(word), want, "{word}");
        }
    }

    #[test]
    fn templates_with_counts_and_examples() {
        let lines = [
            "connect() failed (111: Connection refused) to 10.0.0.3:80",
            "order 5 stored for alice in 12 ms",
            "connect() failed (111: Connection refused) to 10.0.0.4:80",
            "order 6 stored for bob in 3 ms",
            "shutting down",
            "order 7 stored for carol in 9 ms",
        ];
        assert_eq!(
            mined(&lines),
            [
                (3, "order <*> stored for <*> in <*> ms".to_string(), "a.log:2".to_string()),
                (2, "connect() failed (111: Connection refused) to <*>".to_string(), "a.log:1".to_string()),
                (1, "shutting down".to_string(), "a.log:5".to_string()),
            ]
        );
        assert_eq!(mined(&["", "  ", "\n"]), [(3, String::new(), "a.log:1".to_string())]);
    }

    #[test]
    fn long_lines_are_cut() {
        let line = "word ".repeat(500);
        let mined = mined(&[&line, &line]);
        assert_eq!((mined.len(), mined[0].0), (1, 2));
    }
}
