//! `whyline rules`: list, show, check, test, match.

mod matching;
mod show;

use crate::cli::{Cli, Rules, RulesVerb};
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
use whyline_diagnose::rules::written::{At, File};
use whyline_diagnose::rules::{Signal as Ready, Weight};
use whyline_parse::{Format, catalogue, formats};
use whyline_query::{Glob, Query};

/// Runs the command.
pub fn run(cli: &Cli, args: &Rules) -> Result<u8> {
    match &args.verb {
        RulesVerb::List { pattern, rules } => list(pattern.as_deref(), rules),
        RulesVerb::Show { id, rules } => show::run(id, rules),
        RulesVerb::Check { paths, alone } => check(paths, *alone),
        RulesVerb::Test { paths, alone } => test(paths, *alone),
        RulesVerb::Match(args) => matching::run(cli, args),
    }
}

fn list(pattern: Option<&str>, extra: &[PathBuf]) -> Result<u8> {
    let pack = Own::read(extra)?.pack()?;
    let entries = entries(&pack);
    let mut out = anstream::stdout().lock();
    let mut found = false;
    for (kind, id, title) in entries.into_iter().filter(|(_, id, title)| pattern.is_none_or(|p| fits(p, id, title))) {
        found = true;
        writeln!(out, "{kind:8} {id:44} {title}")?;
    }
    if let (Some(pattern), false) = (pattern, found) {
        load::note(&format!("no signal, fault, filter or format of your own fits `{pattern}`; {}", elsewhere(pattern, &pack)));
        return Ok(exit::NEGATIVE);
    }
    Ok(exit::DONE)
}

/// Kind, id and title of every rule; of those that are switched off as well.
fn entries(pack: &Pack) -> Vec<(&'static str, &str, &str)> {
    let kind = |signal: &Ready| match signal.query.is_empty() && signal.count.is_none() {
        true if pack.is_off(&signal.id) => "off",
        true => "measure",
        false => "signal",
    };
    let files = || pack.files.iter();
    let faults = pack.faults.iter().map(|f| (if f.symptom { "symptom" } else { "fault" }, f.id.as_str(), f.title.as_str()));
    let signals = pack.signals.iter().map(|s| (kind(s), s.id.as_str(), s.title.as_str()));
    let formats = files().flat_map(|f| &f.formats).map(|f| ("format", f.id.text.as_str(), f.title.as_str()));
    let filters = files().flat_map(|f| &f.filters).map(|f| ("filter", f.id.text.as_str(), f.title.as_str()));
    let faults_off = files().flat_map(|f| &f.faults).filter(|f| !f.extends && pack.fault(&f.id.text).is_none());
    let signals_off = files().flat_map(|f| &f.signals).filter(|s| pack.signal(&s.id.text).is_none());
    let off = faults_off.map(|f| (&f.id, &f.title)).chain(signals_off.map(|s| (&s.id, &s.title)));
    faults.chain(signals).chain(formats).chain(filters).chain(off.map(|(id, title)| ("off", id.text.as_str(), title.as_str()))).collect()
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
    let entries = entries(pack);
    let ids = entries.iter().map(|(_, id, _)| *id);
    if let Some(near) = spelling::misspelt(name, ids.clone()) {
        return format!("did you mean `{near}`? `whyline rules list` names all");
    }
    // A word of an id stands for all ids that hold it.
    if name.len() > 2 && ids.clone().any(|id| id.contains(name)) {
        return format!("`whyline rules list {name}` lists those that hold it");
    }
    format!("{}`whyline rules list` names all", load::meant(name, ids))
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
    let filters: usize = checked.iter().map(|f| f.filters.len()).sum();
    for (number, one, many) in [(formats, "format", "formats"), (filters, "filter", "filters")] {
        if number > 0 {
            counts.push(count(number, one, many));
        }
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
        let signals =
            file.signals.iter().filter_map(|s| Some((format!("signal `{}`", s.id.text), s.query.as_ref()?, &s.matching, &s.ignoring)));
        let filters = file.filters.iter().map(|f| (format!("filter `{}`", f.id.text), &f.query, &f.matching, &f.ignoring));
        for (whose, query, matching, ignoring) in signals.chain(filters) {
            for (at, text) in wrong_examples(&whose, query, [(matching, true), (ignoring, false)], &all, &mut passed) {
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

/// The examples of a query that come out otherwise than they should.
fn wrong_examples(
    whose: &str,
    written: &At,
    examples: [(&Vec<At>, bool); 2],
    all: &[Arc<dyn Format>],
    passed: &mut usize,
) -> Vec<(u64, String)> {
    let query = match Query::parse(&written.text) {
        Ok(query) => query.for_rules(),
        Err(error) => return vec![(written.line, format!("{whose}: the query cannot be read: {error}"))],
    };
    let mut wrong = Vec::new();
    for (example, should) in examples.into_iter().flat_map(|(list, should)| list.iter().map(move |example| (example, should))) {
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
            wrong.push((example.line, format!("{whose}: this example {verb}:\n    {}{read}\n    query {query}", example.text)));
        }
    }
    wrong
}
