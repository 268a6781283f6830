//! `whyline rules`: list, show, check, test.

use crate::cli::{Rules, RulesVerb};
use crate::output::safe;
use crate::output::words::count;
use crate::own::{self, Own};
use crate::{exit, load, spelling, told};
use anyhow::Result;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use whyline_diagnose::Pack;
use whyline_diagnose::diagnosis::has_errors;
use whyline_diagnose::rules::written::{self, File, Signal};
use whyline_diagnose::rules::{Through, Weight};
use whyline_parse::{Format, catalogue, formats};
use whyline_query::{Glob, Query};

/// Runs the command.
pub fn run(args: &Rules) -> Result<u8> {
    match &args.verb {
        RulesVerb::List { pattern, rules } => list(pattern.as_deref(), rules),
        RulesVerb::Show { id, rules } => show(id, rules),
        RulesVerb::Check { paths, alone } => check(paths, *alone),
        RulesVerb::Test { paths, alone } => test(paths, *alone),
    }
}

fn list(pattern: Option<&str>, extra: &[PathBuf]) -> Result<u8> {
    let pack = Own::read(extra)?.pack()?;
    let faults = pack.faults.iter().map(|f| (if f.symptom { "symptom" } else { "fault" }, &f.id, &f.title));
    let signals = pack.signals.iter().map(|s| (if s.query.is_empty() { "measure" } else { "signal" }, &s.id, &s.title));
    let formats = pack.files.iter().flat_map(|f| &f.formats).map(|f| ("format", &f.id.text, &f.title));
    let mut out = anstream::stdout().lock();
    let mut found = false;
    for (kind, id, title) in faults.chain(signals).chain(formats).filter(|(_, id, title)| pattern.is_none_or(|p| fits(p, id, title))) {
        found = true;
        writeln!(out, "{kind:8} {id:44} {title}")?;
    }
    if let (Some(pattern), false) = (pattern, found) {
        load::note(&format!("no signal, fault or format of your own fits `{pattern}`; {}", elsewhere(pattern, &pack)));
        return Ok(exit::NEGATIVE);
    }
    Ok(exit::DONE)
}

/// Whether a pattern fits: with wildcards the whole id, else a part of the id or of the title, in any case.
fn fits(pattern: &str, id: &str, title: &str) -> bool {
    let pattern = pattern.to_lowercase();
    if pattern.contains(['*', '?']) {
        Glob::new(&pattern).fits(id)
    } else {
        id.contains(&pattern) || title.to_lowercase().contains(&pattern)
    }
}

/// Where a name may be found that no rule has.
fn elsewhere(name: &str, pack: &Pack) -> String {
    if catalogue::find(name).is_some() || formats::all().iter().any(|f| f.name() == name) {
        return format!("it is a built-in format: `whyline formats {name}` shows it");
    }
    let own = pack.files.iter().flat_map(|f| &f.formats).map(|f| f.id.text.as_str());
    let ids = pack.faults.iter().map(|f| f.id.as_str()).chain(pack.signals.iter().map(|s| s.id.as_str())).chain(own);
    if let Some(near) = spelling::misspelt(name, ids.clone()) {
        return format!("did you mean `{near}`? `whyline rules list` names all");
    }
    // A word of an id stands for all ids that hold it.
    if name.len() > 2 && ids.clone().any(|id| id.contains(name)) {
        return format!("`whyline rules list {name}` lists those that hold it");
    }
    format!("{}`whyline rules list` names all", load::meant(name, ids))
}

fn show(id: &str, extra: &[PathBuf]) -> Result<u8> {
    let pack = Own::read(extra)?.pack()?;
    let mut out = anstream::stdout().lock();
    let mut found = false;
    for file in &pack.files {
        for format in file.formats.iter().filter(|f| f.id.text == id) {
            found = true;
            show_format(&mut out, file, format)?;
        }
        for signal in file.signals.iter().filter(|s| s.id.text == id) {
            found = true;
            writeln!(out, "signal {id}: {}\n  file     {}:{}", signal.title, file.name, signal.id.line)?;
            if let Some(query) = &signal.query {
                writeln!(out, "  query    {}", query.text)?;
            }
            if let Some(count) = &signal.count {
                let by = count.by.as_ref().map_or_else(|| "by whom each accuses".into(), |by| format!("by {}", by.text));
                let (of, at_least, within) = (&count.of.text, count.at_least, length(count.within));
                writeln!(out, "  count    of {of}, at least {at_least} within {within}, {by}")?;
            }
            let entity: Vec<&str> = signal.entity.iter().map(|e| e.text.as_str()).collect();
            let accused = match (&signal.count, entity.is_empty()) {
                (Some(count), _) => count.by.as_ref().map_or_else(|| format!("whom {} accuses", count.of.text), |by| by.text.clone()),
                (None, true) => "the service that writes it".into(),
                (None, false) => entity.join(", else "),
            };
            writeln!(out, "  accuses  {accused}")?;
            if !signal.until.is_empty() {
                let until: Vec<&str> = signal.until.iter().map(|u| u.text.as_str()).collect();
                writeln!(out, "  until    {}", until.join(", or "))?;
            }
            if signal.after > 0 {
                writeln!(out, "  after    {}", length(signal.after))?;
            }
            if !signal.origin.is_empty() {
                writeln!(out, "  origin   {}", signal.origin)?;
            }
            for example in &signal.matching {
                writeln!(out, "  matches  {}", example.text.replace('\n', "\n           "))?;
            }
            for example in &signal.ignoring {
                writeln!(out, "  ignores  {}", example.text.replace('\n', "\n           "))?;
            }
            let used: Vec<&str> = pack
                .files
                .iter()
                .flat_map(|f| &f.faults)
                .filter(|f| f.evidence.iter().any(|e| e.signal.text == id))
                .map(|f| f.id.text.as_str())
                .collect();
            writeln!(out, "  used by  {}", if used.is_empty() { "no fault".into() } else { used.join(", ") })?;
        }
    }
    if let Some(fault) = pack.fault(id).map(|i| &pack.faults[i]) {
        found = true;
        writeln!(out, "fault {id}: {}", fault.title)?;
        for e in &fault.explains {
            writeln!(out, "  leads to {}{}", pack.faults[e.fault].id, way(e.through))?;
        }
        for e in &fault.because {
            writeln!(out, "  because  {}", pack.faults[*e].id)?;
        }
        for e in &fault.evidence {
            writeln!(
                out,
                "  {:8} {:44} {:+.2}",
                if e.weight < 0.0 { "against" } else { "for" },
                pack.signals[e.signal as usize].id,
                e.weight
            )?;
        }
        for (word, lines) in [("check", &fault.check), ("fix", &fault.fix), ("prevent", &fault.prevent)] {
            for line in lines {
                writeln!(out, "  {word:8} {line}")?;
            }
        }
    }
    if let Some(computed) = whyline_diagnose::computed::find(id) {
        found = true;
        writeln!(out, "measure {id}: {}", computed.title)?;
    }
    if found {
        Ok(exit::DONE)
    } else {
        Err(exit::usage(format!("there is no signal, fault or format `{id}` in the rules; {}", elsewhere(id, &pack))))
    }
}

/// How a fault is connected with what it leads to, in the words of rule files.
fn way(through: Through) -> &'static str {
    match through {
        Through::Upstream => " (through: upstream)",
        Through::Dependency => " (through: dependency)",
        Through::Host => " (through: host)",
        Through::Same => " (through: same)",
        Through::Any => " (through: any)",
        Through::Unsaid => "",
    }
}

/// A length of time as rule files have it.
fn length(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{seconds}s"), |(unit, name)| format!("{}{name}", seconds / unit))
}

fn show_format(out: &mut impl Write, file: &File, format: &written::Format) -> Result<()> {
    writeln!(out, "format {}: {}\n  file     {}:{}", format.id.text, format.title, file.name, format.id.line)?;
    let options = [("timestamp", &format.timestamp), ("zone", &format.zone), ("starts", &format.starts)];
    let told = format.told.iter().map(|(key, text)| (key.as_str(), text));
    for (key, text) in told.chain(options.into_iter().filter_map(|(key, at)| Some((key, at.as_ref()?)))) {
        writeln!(out, "  {key:8} {}", text.text.trim_end().replace('\n', "\n           "))?;
    }
    for (group, unit) in &format.units {
        writeln!(out, "  unit     {} in {}", group.text, unit.text)?;
    }
    if !format.provides.is_empty() {
        writeln!(out, "  adds     {}", format.provides.join(", "))?;
    }
    for sample in &format.samples {
        let verb = if sample.reads { "reads" } else { "leaves" };
        writeln!(out, "  {verb:8} {}", sample.text.text.trim_end().replace('\n', "\n           "))?;
    }
    Ok(())
}

/// The files meant, and how many of the first ones are the built-in pack.
fn files(paths: &[PathBuf], alone: bool) -> Result<(Vec<File>, usize)> {
    let mut files = if alone && !paths.is_empty() { Vec::new() } else { load::built_in()? };
    let mut own = files.len();
    if paths.is_empty() {
        own = 0;
    }
    let mut extra = own::rule_files(paths)?;
    // A file of the pack itself, named by its path, replaces the packed one.
    let same = |a: &str, b: &str| a == b || a.ends_with(&format!("/{b}"));
    files.retain(|f| !extra.iter().any(|e| same(&e.name, &f.name)));
    own = own.min(files.len());
    files.append(&mut extra);
    Ok((files, own))
}

fn check(paths: &[PathBuf], alone: bool) -> Result<u8> {
    let (mut files, own) = files(paths, alone)?;
    let made = told::compile(&mut files);
    let mine: Vec<&str> = files[own..].iter().map(|f| f.name.as_str()).collect();
    let mut findings: Vec<_> = made.findings.into_iter().chain(Pack::findings(&files)).collect();
    findings.extend(told::samples(&files, &made.readers, &made.formats).findings);
    findings.retain(|f| mine.contains(&f.file.as_str()));
    findings.sort_by(|a, b| (a.weight, &a.file, a.line, a.column).cmp(&(b.weight, &b.file, b.line, b.column)));
    let mut out = anstream::stdout().lock();
    for finding in &findings {
        writeln!(out, "{}", safe::lines(&finding.to_string()))?;
    }
    let errors = findings.iter().filter(|f| f.weight == Weight::Error).count();
    let checked = &files[own..];
    let mut counts = vec![count(checked.len(), "file", "files")];
    counts.push(count(checked.iter().map(|f| f.signals.len()).sum::<usize>(), "signal", "signals"));
    counts.push(count(checked.iter().map(|f| f.faults.len()).sum::<usize>(), "fault", "faults"));
    let formats: usize = checked.iter().map(|f| f.formats.len()).sum();
    if formats > 0 {
        counts.push(count(formats, "format", "formats"));
    }
    let (errors, warnings) = (count(errors, "error", "errors"), count(findings.len() - errors, "warning", "warnings"));
    writeln!(out, "{}: {errors}, {warnings}", counts.join(", "))?;
    Ok(if has_errors(&findings) { exit::NEGATIVE } else { exit::DONE })
}

fn test(paths: &[PathBuf], alone: bool) -> Result<u8> {
    let (mut files, own) = files(paths, alone)?;
    let made = told::compile(&mut files);
    // Formats of rule files come first, as they do when logs are read.
    let all: Vec<Arc<dyn Format>> = made.formats.iter().cloned().chain(formats::all()).collect();
    let mut out = anstream::stdout().lock();
    let (mut passed, mut failed) = (0, 0);
    let mut wrong = Pack::shapes(&files);
    wrong.extend(made.findings);
    for file in &files[own..] {
        let done = told::samples(std::slice::from_ref(file), &made.readers, &made.formats);
        passed += done.passed;
        wrong.extend(done.findings);
        for signal in &file.signals {
            for (at, text) in wrong_examples(signal, &all, &mut passed) {
                failed += 1;
                writeln!(out, "{}:{at}: {text}", file.name)?;
            }
        }
    }
    let mine: Vec<&str> = files[own..].iter().map(|f| f.name.as_str()).collect();
    for finding in wrong.iter().filter(|f| f.weight == Weight::Error && mine.contains(&f.file.as_str())) {
        failed += 1;
        writeln!(out, "{}", safe::lines(&finding.to_string()))?;
    }
    let whose = if paths.is_empty() { " (the built-in rules)" } else { "" };
    writeln!(out, "{passed} passed, {failed} failed{whose}")?;
    Ok(if failed > 0 { exit::NEGATIVE } else { exit::DONE })
}

/// The examples of a signal that come out otherwise than they should.
pub fn wrong_examples(signal: &Signal, all: &[Arc<dyn Format>], passed: &mut usize) -> Vec<(u64, String)> {
    let Some(written) = &signal.query else { return Vec::new() };
    let query = match Query::parse(&written.text) {
        Ok(query) => query.for_rules(),
        Err(error) => return vec![(written.line, format!("signal `{}`: the query cannot be read: {error}", signal.id.text))],
    };
    let mut wrong = Vec::new();
    for (examples, should) in [(&signal.matching, true), (&signal.ignoring, false)] {
        for example in examples {
            let mut hit = false;
            let mut read = String::new();
            whyline_parse::reading::read_text(&example.text, Some("host"), all, &mut |record| {
                hit |= query.matches(record);
                read.push_str(&format!("\n    read as {}: {}", record.format, record.body));
            });
            if hit == should {
                *passed += 1;
            } else {
                let verb = if should { "must match but does not" } else { "must not match but does" };
                wrong.push((
                    example.line,
                    format!("signal `{}`: this example {verb}:\n    {}{read}\n    query {query}", signal.id.text, example.text),
                ));
            }
        }
    }
    wrong
}
