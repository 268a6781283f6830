//! What is wrong with a set of rule files: everything at once, with places and remedies.

mod changed;

use super::finding::{Finding, Weight};
use super::wording;
use super::written::near::nearest as nearest_name;
use super::written::{At, File, Problem, Signal};
use crate::advice::{PLACEHOLDERS, for_signal, placeholders};
use crate::computed;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use whyline_event::Key;
use whyline_query::Query;

/// Checks files together: what is defined in one may be used in another.
pub fn check(files: &[File]) -> Vec<Finding> {
    checked(files, 0, Weight::Warning)
}

/// What makes files unusable. The queries of the first `trusted` files were checked before and are not read again.
pub fn errors(files: &[File], trusted: usize) -> Vec<Finding> {
    checked(files, trusted, Weight::Error)
}

/// What was wrong with the shape of files when they were read.
pub fn shapes(files: &[File]) -> Vec<Finding> {
    let finding = |file, problem: &Problem| {
        let all = 0..problem.at.text.len();
        Finding::inside(Weight::Error, file, &problem.at, all, problem.message.clone(), problem.help.clone())
    };
    files.iter().flat_map(|file| file.problems.iter().map(move |problem| finding(file, problem))).collect()
}

/// Findings of a weight at least.
fn checked(files: &[File], trusted: usize, least: Weight) -> Vec<Finding> {
    let provided = files.iter().flat_map(|f| &f.formats).flat_map(|f| &f.provides).map(String::as_str).collect();
    let (signals, faults, filters) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut checker = Checker { files, trusted, least, findings: Vec::new(), signals, faults, filters, provided };
    checker.findings.extend(shapes(files));
    checker.names();
    checker.signals();
    checker.faults();
    checker.changes();
    checker.texts();
    checker.cycles();
    checker.unused();
    checker.findings.extend(super::formats::check(files).into_iter().filter(|f| f.weight <= least));
    checker.findings.sort_by(|a, b| (a.weight, &a.file, a.line, a.column).cmp(&(b.weight, &b.file, b.line, b.column)));
    checker.findings
}

struct Checker<'a> {
    files: &'a [File],
    trusted: usize,
    least: Weight,
    findings: Vec<Finding>,
    signals: BTreeMap<&'a str, (&'a str, u64)>,
    faults: BTreeMap<&'a str, (&'a str, u64)>,
    filters: BTreeMap<&'a str, (&'a str, u64)>,
    /// Fields that only formats of these files provide.
    provided: BTreeSet<&'a str>,
}

impl<'a> Checker<'a> {
    fn find(&mut self, weight: Weight, file: &str, at: &At, message: String, help: String) {
        self.find_in(weight, file, at, 0..at.text.len(), message, help);
    }

    /// A finding about a part of a text, in bytes.
    fn find_in(&mut self, weight: Weight, file: &str, at: &At, part: Range<usize>, message: String, help: String) {
        if weight <= self.least
            && let Some(file) = self.files.iter().find(|f| f.name == file)
        {
            self.findings.push(Finding::inside(weight, file, at, part, message, help));
        }
    }

    fn names(&mut self) {
        let files = self.files;
        for file in files {
            let signals = file.signals.iter().map(|signal| ("signal", &signal.id));
            let faults = file.faults.iter().filter(|fault| !fault.extends).map(|fault| ("fault", &fault.id));
            let filters = file.filters.iter().map(|filter| ("filter", &filter.id));
            for (what, id) in signals.chain(faults).chain(filters) {
                let map = match what {
                    "signal" => &mut self.signals,
                    "fault" => &mut self.faults,
                    _ => &mut self.filters,
                };
                if let Some((other, line)) = map.insert(&id.text, (&file.name, id.line)) {
                    let more = if what == "fault" { "; to add to it, write `extends: true`" } else { "" };
                    let (message, help) =
                        (format!("{what} `{}` is defined twice", id.text), format!("the other one stands at {other}:{line}{more}"));
                    self.find(Weight::Error, &file.name, id, message, help);
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
                if what == "signal" && computed::find(&id.text).is_some() {
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
                    (None, None) if signal.flawed => {}
                    (Some(_), Some(_)) | (None, None) => {
                        let message = format!("signal `{}` needs either `query` or `count`", signal.id.text);
                        let help = match signal.query {
                            Some(_) => "keep one; a count of hits is a signal of its own",
                            None => "write `query: ...`, or `count: {of: SIGNAL, at_least: 10, within: 1m}`",
                        };
                        self.find(Weight::Error, &file.name, &signal.id, message, help.into());
                    }
                    (Some(_), None) if number < self.trusted => {}
                    (Some(query), None) => self.query(file, query),
                    (None, Some(count)) => self.other_signal(file, signal, "count", &count.of),
                }
                for end in &signal.until {
                    self.other_signal(file, signal, "until", end);
                }
                for field in signal.entity.iter().chain(signal.count.as_ref().and_then(|c| c.by.as_ref())) {
                    self.known_field(file, field);
                }
                if signal.query.is_some() && !signal.flawed && (signal.matching.is_empty() || signal.ignoring.is_empty()) {
                    let verb = if signal.matching.is_empty() { "match" } else { "not match" };
                    let message = format!("signal `{}` has no example of a line that must {verb}", signal.id.text);
                    let help = "write one under `examples:`; it is tested with the real parsers".to_string();
                    self.find(Weight::Warning, &file.name, &signal.id, message, help);
                }
            }
        }
    }

    fn known_field(&mut self, file: &File, field: &At) {
        if Key::find(&field.text).is_none() && !self.provided.contains(field.text.as_str()) {
            let names = Key::ALL.iter().flat_map(|k| std::iter::once(k.name()).chain(k.aliases().iter().copied()));
            let help = nearest(&field.text, names.chain(self.provided.iter().copied()));
            self.find(Weight::Error, &file.name, field, format!("no format provides a field `{}`", field.text), help);
        }
    }

    fn query(&mut self, file: &File, query: &At) {
        match Query::parse(&query.text) {
            Err(error) => {
                let message = format!("the query cannot be read: {}", error.message);
                self.find_in(Weight::Error, &file.name, query, error.span, message, error.help.unwrap_or_default());
            }
            Ok(parsed) => {
                for unknown in parsed.unknown_fields() {
                    if self.provided.contains(unknown.name.as_str()) {
                        continue;
                    }
                    // A name with a dot may be a field that only its writer knows.
                    if unknown.name.contains('.') && unknown.suggestion().is_none() {
                        continue;
                    }
                    let message = format!("the query asks for an unknown field `{}`", unknown.name);
                    let help = unknown.suggestion().map_or_else(
                        || "`whyline formats --fields` lists them; a text with a colon goes in double quotes".into(),
                        |name| format!("did you mean `{name}`?"),
                    );
                    self.find_in(Weight::Error, &file.name, query, unknown.span.clone(), message, help);
                }
                for remark in wording::remarks(&query.text, &parsed) {
                    self.find_in(Weight::Warning, &file.name, query, remark.span, remark.message, remark.help);
                }
            }
        }
    }

    /// A signal that another one names.
    fn other_signal(&mut self, file: &File, signal: &Signal, key: &str, at: &At) {
        if signal.id.text == at.text {
            let message = format!("signal `{}` names itself under `{key}`", at.text);
            self.find(Weight::Error, &file.name, at, message, "name another signal".into());
        } else if !at.text.is_empty() {
            self.known_signal(file, at);
        }
    }

    fn known_signal(&mut self, file: &File, at: &At) {
        if at.line > 0 && !self.signals.contains_key(at.text.as_str()) && computed::find(&at.text).is_none() {
            let help = nearest(&at.text, self.signals.keys().copied().chain(computed::ALL.iter().map(|c| c.id)));
            self.find(Weight::Error, &file.name, at, format!("there is no signal `{}`", at.text), help);
        }
    }

    fn known_fault(&mut self, file: &File, at: &At) {
        if at.line > 0 && !self.faults.contains_key(at.text.as_str()) {
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
                    if evidence.signal.line > 0 && !seen.insert(&evidence.signal.text) {
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
                let others =
                    fault.explains.iter().map(|edge| ("explains", &edge.fault)).chain(fault.because.iter().map(|b| ("because", b)));
                for (key, other) in others {
                    if other.text == fault.id.text {
                        let message = format!("fault `{}` names itself under `{key}`", fault.id.text);
                        self.find(Weight::Error, &file.name, other, message, "leave it out".into());
                    } else {
                        self.known_fault(file, other);
                    }
                }
                if fault.flawed || fault.extends {
                    continue;
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

    /// What texts hold between braces: a name misspelt there would be printed as it is, at night.
    fn texts(&mut self) {
        let files = self.files;
        for (number, file) in files.iter().enumerate().skip(self.trusted) {
            for signal in &file.signals {
                self.titles(number, &signal.id, &signal.title);
            }
            for fault in &file.faults {
                self.titles(number, &fault.id, &fault.title);
                let advice = fault.check.iter().chain(&fault.fix).chain(&fault.prevent);
                let missing = fault.missing.iter().flat_map(|missing| [&missing.log, &missing.command]);
                for text in advice.chain(missing) {
                    let evidence = || files.iter().flat_map(|f| &f.faults).filter(|f| f.id.text == fault.id.text).flat_map(|f| &f.evidence);
                    if let Some((id, _)) = for_signal(text).filter(|(id, _)| !evidence().any(|e| e.signal.text == *id)) {
                        let message = format!("a line for the signal `{id}` is never given: it is no evidence of `{}`", fault.id.text);
                        let help = nearest(id, evidence().map(|e| e.signal.text.as_str()));
                        self.in_text(number, &fault.id, id, message, help);
                    }
                    let known = |name: &str| PLACEHOLDERS.iter().any(|(known, _)| *known == name);
                    for (_, name) in placeholders(text).filter(|(_, name)| !known(name)) {
                        let near = nearest_name(name, PLACEHOLDERS.iter().map(|(known, _)| *known), 2 + name.len() / 5);
                        let help = near.map_or_else(
                            || {
                                let all: Vec<String> = PLACEHOLDERS.iter().map(|(known, _)| format!("`{{{known}}}`")).collect();
                                format!("these are filled: {}; braces for the shell have a blank inside, `{{ {name} }}`", all.join(" "))
                            },
                            |near| format!("did you mean `{{{near}}}`?"),
                        );
                        let message = format!("nothing is known to fill `{{{name}}}` with");
                        self.in_text(number, &fault.id, &format!("{{{name}}}"), message, help);
                    }
                    for (name, _) in PLACEHOLDERS.iter().filter(|(name, _)| text.contains(&format!("{{{{{name}}}}}"))) {
                        let (doubled, help) = (format!("{{{{{name}}}}}"), format!("write `{{{name}}}`"));
                        self.in_text(number, &fault.id, &doubled, format!("`{doubled}` is not filled"), help);
                    }
                }
            }
        }
    }

    /// Titles stand as they are.
    fn titles(&mut self, file: usize, owner: &At, title: &str) {
        for (_, name) in placeholders(title) {
            let message = format!("a title is not filled: `{{{name}}}` would stand there as it is");
            self.in_text(file, owner, &format!("{{{name}}}"), message, "the page names the accused beside the title".into());
        }
    }

    /// An error about some words in the texts of a rule, at the first place behind the head of the rule where they stand.
    fn in_text(&mut self, file: usize, owner: &At, words: &str, message: String, help: String) {
        let Some(file) = self.files.get(file) else { return };
        let mut lines = (1u64..).zip(file.text.lines()).skip_while(|(line, _)| *line < owner.line);
        let place = lines.find_map(|(line, text)| Some((line, text.get(..text.find(words)?)?.chars().count() as u64 + 1)));
        let at = place.map_or_else(|| owner.clone(), |(line, column)| At { text: words.into(), line, column });
        self.find(Weight::Error, &file.name, &at, message, help);
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
                let above = up.get(start).into_iter().flatten().filter(|above| **above != start);
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
            for signal in file.signals.iter().filter(|s| !s.quiet && !s.flawed && !used.contains(s.id.text.as_str())) {
                let help = "use it as evidence, or mark it `quiet: true`".to_string();
                self.find(Weight::Warning, &file.name, &signal.id, format!("no fault uses the signal `{}`", signal.id.text), help);
            }
        }
    }
}

/// Whether a text can be an id: lower case, with a dot.
pub(crate) fn is_id(text: &str) -> bool {
    text.contains('.')
        && text.len() <= 100
        && text.split('.').all(|part| !part.is_empty())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_'))
}

/// "did you mean" for the name nearest to what was written.
fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> String {
    nearest_name(wrong, names, 2 + wrong.len() / 5).map_or_else(String::new, |name| format!("did you mean `{name}`?"))
}
