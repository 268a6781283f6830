//! What is wrong with a set of rule files: everything at once, with places and remedies.

use super::written::{At, File};
use crate::computed;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use whyline_event::Key;
use whyline_query::Query;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The rules cannot be used.
    Error,
    /// They can be used, but something is probably not as it was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub weight: Weight,
    /// Name of the file.
    pub file: String,
    /// Line, from 1; 0 when the whole file is meant.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// What would be right; may be empty.
    pub help: String,
    /// The line of the file with a mark under the place; empty where the file is not at hand.
    pub excerpt: String,
}

impl Finding {
    /// A finding at a place of a file.
    pub fn at(weight: Weight, file: &File, at: &At, message: String, help: String) -> Finding {
        Finding { excerpt: excerpt(file, at, 0..0).2, weight, file: file.name.clone(), line: at.line, column: at.column, message, help }
    }

    /// A finding inside of a text of a file; `part` is the place in that text, in bytes.
    pub fn inside(weight: Weight, file: &File, at: &At, part: std::ops::Range<usize>, message: String, help: String) -> Finding {
        let (line, column, excerpt) = excerpt(file, at, part);
        Finding { weight, file: file.name.clone(), line, column, message, help, excerpt }
    }
}

/// Line, column and the shown line of a place inside of a text. Where the text does not stand in its line as it is meant (over
/// several lines, with escapes), the text itself is shown.
fn excerpt(file: &File, at: &At, part: std::ops::Range<usize>) -> (u64, u64, String) {
    let line = usize::try_from(at.line).ok().and_then(|n| n.checked_sub(1)).and_then(|n| file.text.lines().nth(n));
    let Some(line) = line else { return (at.line, at.column, String::new()) };
    let start = usize::try_from(at.column).unwrap_or(1).saturating_sub(1);
    if part.is_empty() {
        return (at.line, at.column, point(line, start, 1));
    }
    let count = |text: Option<&str>| text.map_or(0, |t| t.chars().count());
    let tail_at = line.char_indices().nth(start).map_or(line.len(), |(i, _)| i);
    let (before, marked) = (count(at.text.get(..part.start)), count(at.text.get(part.clone())));
    match line.get(tail_at..).and_then(|tail| tail.find(&at.text)) {
        Some(found) if !at.text.is_empty() => {
            let column = count(line.get(..tail_at + found)) + before;
            (at.line, column as u64 + 1, point(line, column, marked))
        }
        _ => {
            let from = at.text.get(..part.start).and_then(|t| t.rfind('\n')).map_or(0, |n| n + 1);
            let own = at.text.get(from..).and_then(|t| t.lines().next()).unwrap_or("");
            let (within, marked) = (count(at.text.get(from..part.start)), marked.min(count(Some(own)).max(1)));
            // In a block each line of the text is a line of the file.
            let below = at.text.get(..from).map_or(0, |t| t.matches('\n').count() as u64);
            let number = usize::try_from(at.line - 1 + below).unwrap_or(0);
            let block = file.text.lines().nth(number).and_then(|line| Some((line, line.find(own)?)));
            match block {
                Some((line, found)) if !own.is_empty() => {
                    let column = count(line.get(..found)) + within;
                    (at.line + below, column as u64 + 1, point(line, column, marked))
                }
                _ => (at.line, at.column, point(own, within, marked)),
            }
        }
    }
}

/// A line with a mark under some of its characters. A long line is shown around them.
fn point(line: &str, at: usize, marked: usize) -> String {
    const BEFORE: usize = 90;
    const WIDTH: usize = 140;
    let skipped = at.saturating_sub(BEFORE);
    // What would move the cursor is shown as one blank.
    let mut shown: String = line.chars().skip(skipped).take(WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if skipped > 0 {
        shown.replace_range(..shown.chars().next().map_or(0, char::len_utf8), "…");
    }
    if line.chars().count() > skipped + WIDTH {
        shown.push('…');
    }
    let marked = marked.clamp(1, (skipped + WIDTH).saturating_sub(at).max(1));
    format!("  | {}\n  | {}{}", shown.trim_end(), " ".repeat(at - skipped), "^".repeat(marked))
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Error => "error",
            Weight::Warning => "warning",
        };
        write!(f, "{weight}: {}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        if !self.excerpt.is_empty() {
            write!(f, "\n{}", self.excerpt)?;
        }
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

/// Checks files together: what is defined in one may be used in another.
pub fn check(files: &[File]) -> Vec<Finding> {
    checked(files, 0, Weight::Warning)
}

/// What makes files unusable. The queries of the first `trusted` files were checked before and are not read again.
pub fn errors(files: &[File], trusted: usize) -> Vec<Finding> {
    checked(files, trusted, Weight::Error)
}

/// Findings of a weight at least.
fn checked(files: &[File], trusted: usize, least: Weight) -> Vec<Finding> {
    let provided = files.iter().flat_map(|f| &f.formats).flat_map(|f| &f.provides).map(String::as_str).collect();
    let (signals, faults) = (BTreeMap::new(), BTreeMap::new());
    let mut checker = Checker { files, trusted, least, findings: Vec::new(), signals, faults, provided };
    checker.names();
    checker.signals();
    checker.faults();
    checker.cycles();
    checker.unused();
    checker.findings.extend(super::formats::check(files).into_iter().filter(|f| f.weight <= least));
    checker.findings.sort_by(|a, b| (a.weight, &a.file, a.line).cmp(&(b.weight, &b.file, b.line)));
    checker.findings
}

struct Checker<'a> {
    files: &'a [File],
    trusted: usize,
    least: Weight,
    findings: Vec<Finding>,
    signals: BTreeMap<&'a str, (&'a str, u64)>,
    faults: BTreeMap<&'a str, (&'a str, u64)>,
    /// Fields that only formats of these files provide.
    provided: BTreeSet<&'a str>,
}

impl<'a> Checker<'a> {
    fn find(&mut self, weight: Weight, file: &str, at: &At, message: String, help: String) {
        if weight <= self.least
            && let Some(file) = self.files.iter().find(|f| f.name == file)
        {
            self.findings.push(Finding::at(weight, file, at, message, help));
        }
    }

    fn names(&mut self) {
        let files = self.files;
        for file in files {
            for (id, kind) in file.signals.iter().map(|s| (&s.id, true)).chain(file.faults.iter().map(|f| (&f.id, false))) {
                let map = if kind { &mut self.signals } else { &mut self.faults };
                let before = map.insert(&id.text, (&file.name, id.line));
                let what = if kind { "signal" } else { "fault" };
                if let Some((other, line)) = before {
                    self.find(
                        Weight::Error,
                        &file.name,
                        id,
                        format!("{what} `{}` is defined twice", id.text),
                        format!("the other one stands at {other}:{line}"),
                    );
                }
                if !is_id(&id.text) {
                    self.find(
                        Weight::Error,
                        &file.name,
                        id,
                        format!("`{}` is no id", id.text),
                        "ids are lower case, `domain.what-happened`".into(),
                    );
                }
                if kind && computed::find(&id.text).is_some() {
                    self.find(Weight::Error, &file.name, id, format!("`{}` is a computed signal", id.text), "choose another name".into());
                }
            }
        }
    }

    fn signals(&mut self) {
        let files = self.files;
        for (number, file) in files.iter().enumerate() {
            for signal in &file.signals {
                match (&signal.query, &signal.count) {
                    (Some(_), Some(_)) | (None, None) => {
                        self.find(
                            Weight::Error,
                            &file.name,
                            &signal.id,
                            format!("signal `{}` needs either `query` or `count`", signal.id.text),
                            String::new(),
                        );
                    }
                    (Some(_), None) if number < self.trusted => {}
                    (Some(query), None) => self.query(file, query),
                    (None, Some(count)) => self.known_signal(file, &count.of),
                }
                for end in &signal.until {
                    self.known_signal(file, end);
                }
                for field in signal.entity.iter().chain(signal.count.as_ref().and_then(|c| c.by.as_ref())) {
                    if Key::find(&field.text).is_none() && !self.provided.contains(field.text.as_str()) {
                        let help = nearest(
                            &field.text,
                            Key::ALL
                                .iter()
                                .flat_map(|k| std::iter::once(k.name()).chain(k.aliases().iter().copied()))
                                .chain(self.provided.iter().copied()),
                        );
                        self.find(Weight::Error, &file.name, field, format!("no format provides a field `{}`", field.text), help);
                    }
                }
                if signal.query.is_some() && (signal.matching.is_empty() || signal.ignoring.is_empty()) {
                    self.find(
                        Weight::Warning,
                        &file.name,
                        &signal.id,
                        format!(
                            "signal `{}` has no example of a line that must {}",
                            signal.id.text,
                            if signal.matching.is_empty() { "match" } else { "not match" }
                        ),
                        "write one under `examples:`; it is tested with the real parsers".into(),
                    );
                }
            }
        }
    }

    fn query(&mut self, file: &File, query: &At) {
        match Query::parse(&query.text) {
            Err(error) => self.find(
                Weight::Error,
                &file.name,
                query,
                format!("the query cannot be read: {}", error.message),
                error.render(&query.text),
            ),
            Ok(parsed) => {
                for unknown in parsed.unknown_fields() {
                    if self.provided.contains(unknown.name.as_str()) {
                        continue;
                    }
                    // A name with a dot may be a field that only its writer knows.
                    if unknown.name.contains('.') && unknown.suggestion().is_none() {
                        continue;
                    }
                    self.find(
                        Weight::Error,
                        &file.name,
                        query,
                        format!("the query asks for an unknown field `{}`", unknown.name),
                        unknown.render(&query.text),
                    );
                }
            }
        }
    }

    fn known_signal(&mut self, file: &File, at: &At) {
        if !self.signals.contains_key(at.text.as_str()) && computed::find(&at.text).is_none() {
            let help = nearest(&at.text, self.signals.keys().copied().chain(computed::ALL.iter().map(|c| c.id)));
            self.find(Weight::Error, &file.name, at, format!("there is no signal `{}`", at.text), help);
        }
    }

    fn known_fault(&mut self, file: &File, at: &At) {
        if !self.faults.contains_key(at.text.as_str()) {
            let help = nearest(&at.text, self.faults.keys().copied());
            self.find(Weight::Error, &file.name, at, format!("there is no fault `{}`", at.text), help);
        }
    }

    fn faults(&mut self) {
        let files = self.files;
        for file in files {
            for fault in &file.faults {
                let mut seen = BTreeSet::new();
                for evidence in &fault.evidence {
                    self.known_signal(file, &evidence.signal);
                    if !seen.insert(&evidence.signal.text) {
                        self.find(
                            Weight::Error,
                            &file.name,
                            &evidence.signal,
                            format!("`{}` is listed twice as evidence", evidence.signal.text),
                            "keep one".into(),
                        );
                    }
                }
                fault.missing.iter().flat_map(|missing| &missing.unless).for_each(|signal| self.known_signal(file, signal));
                for edge in &fault.explains {
                    self.known_fault(file, &edge.fault);
                }
                for because in &fault.because {
                    self.known_fault(file, because);
                }
                if !fault.symptom && fault.explains.is_empty() {
                    self.find(
                        Weight::Warning,
                        &file.name,
                        &fault.id,
                        format!("fault `{}` explains nothing", fault.id.text),
                        "say under `explains:` what it leads to".into(),
                    );
                }
                if !fault.symptom && !fault.evidence.iter().any(|e| !e.against && e.strength >= 4.0) {
                    let help = "a cause needs evidence of at least `supporting`".to_string();
                    self.find(Weight::Warning, &file.name, &fault.id, format!("fault `{}` can never be found", fault.id.text), help);
                }
            }
        }
    }

    /// Two faults that are each other's reason.
    fn cycles(&mut self) {
        let files = self.files;
        let mut up: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for fault in files.iter().flat_map(|f| &f.faults) {
            for edge in &fault.explains {
                up.entry(&fault.id.text).or_default().insert(&edge.fault.text);
            }
            for because in &fault.because {
                up.entry(&because.text).or_default().insert(&fault.id.text);
            }
        }
        for file in files {
            for fault in &file.faults {
                let start = fault.id.text.as_str();
                let above = up.get(start).into_iter().flatten();
                // Longer circles are cut where belief is computed, which follows no more than two edges.
                if let Some(other) = above.into_iter().find(|node| up.get(**node).is_some_and(|n| n.contains(start))) {
                    let help = "of two faults that may each bring the other, let only the deeper one explain the other".to_string();
                    self.find(Weight::Warning, &file.name, &fault.id, format!("`{start}` and `{other}` are each other's reason"), help);
                }
            }
        }
    }

    fn unused(&mut self) {
        let files = self.files;
        let used: BTreeSet<&str> = files
            .iter()
            .flat_map(|f| {
                let evidence = f.faults.iter().flat_map(|f| f.evidence.iter().map(|e| e.signal.text.as_str()));
                let compound = f.signals.iter().filter_map(|s| s.count.as_ref().map(|c| c.of.text.as_str()));
                evidence.chain(compound).chain(f.signals.iter().flat_map(|s| s.until.iter().map(|u| u.text.as_str())))
            })
            .collect();
        for file in files {
            for signal in file.signals.iter().filter(|s| !s.quiet && !used.contains(s.id.text.as_str())) {
                let help = "use it as evidence, or mark it `quiet: true`".to_string();
                self.find(Weight::Warning, &file.name, &signal.id, format!("no fault uses the signal `{}`", signal.id.text), help);
            }
        }
    }
}

/// Whether a text can be an id: lower case, with a dot.
pub(super) fn is_id(text: &str) -> bool {
    text.contains('.')
        && text.len() <= 100
        && text.split('.').all(|part| !part.is_empty())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
}

/// "did you mean" for the name nearest to what was written.
fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> String {
    let best = names.map(|n| (distance(wrong, n), n)).min();
    match best {
        Some((d, name)) if d <= 2 + wrong.len() / 5 => format!("did you mean `{name}`?"),
        _ => String::new(),
    }
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, at: &At, part: std::ops::Range<usize>) -> String {
        let file = File { name: "r.yaml".into(), text: text.into(), ..File::default() };
        Finding::inside(Weight::Error, &file, at, part, "x".into(), String::new()).to_string()
    }

    #[test]
    fn the_mark_stands_under_the_place() {
        let at = |text: &str, line, column| At { text: text.into(), line, column };
        assert_eq!(shown("a: 'ä(b'\n", &at("ä(b", 1, 4), 2..3), "error: r.yaml:1:6: x\n  | a: 'ä(b'\n  |      ^");
        // In a block every line is one of the file.
        let block = "a: |\n  one\n  two $ x\n";
        assert_eq!(shown(block, &at("one\ntwo $ x\n", 2, 3), 8..9), "error: r.yaml:3:7: x\n  |   two $ x\n  |       ^");
        // A text with escapes is shown as it is meant.
        assert_eq!(shown("a: \"x\\ty(\"\n", &at("x\ty(", 1, 4), 3..4), "error: r.yaml:1:4: x\n  | x y(\n  |    ^");
        // Beyond the end, in a file that is not at hand, in a long line.
        assert_eq!(shown("a\n", &at("x", 9, 1), 0..0), "error: r.yaml:9:1: x");
        assert_eq!(shown("", &at("x", 0, 0), 0..1), "error: r.yaml:0:0: x");
        let long = format!("{}(", "y".repeat(300));
        let said = shown(&long, &at(&long, 1, 1), 300..301);
        assert!(said.lines().all(|l| l.chars().count() < 160) && said.ends_with('^') && said.contains('…'), "{said}");
    }
}
