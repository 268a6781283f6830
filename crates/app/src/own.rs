//! Rule files that the user gives: read once for a run, and asked for their formats, their fields and their rules.

use crate::exit::usage;
use crate::load::{built_in, findings};
use crate::told;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use whyline_diagnose::Pack;
use whyline_diagnose::rules::{Finding, Weight, written};
use whyline_parse::{Format, Gravity, Problem, catalogue};

/// So many ids are told of what a file takes away.
const MOST_NAMED: usize = 5;

/// Rule files as written, with what their formats became.
pub struct Own {
    files: Vec<written::File>,
    made: told::Made,
}

impl Own {
    /// Reads the rule files below paths.
    pub fn read(paths: &[PathBuf]) -> Result<Own> {
        let mut files = rule_files(paths)?;
        let made = told::compile(&mut files);
        Ok(Own { files, made })
    }

    /// The formats that they tell; refused where one is wrong.
    pub fn formats(&self) -> Result<Vec<Arc<dyn Format>>> {
        let mut wrong = Pack::shapes(&self.files);
        wrong.extend(self.made.findings.iter().cloned());
        wrong.extend(whyline_diagnose::rules::formats::check(&self.files));
        refuse(wrong)?;
        Ok(self.made.formats.clone())
    }

    /// Fields that only their formats know.
    pub fn fields(&self) -> BTreeSet<&str> {
        self.files.iter().flat_map(|f| &f.formats).flat_map(|f| &f.provides).map(String::as_str).collect()
    }

    /// The built-in rules with these on top; refused where one is wrong.
    pub fn pack(&self) -> Result<Pack> {
        let mut files = built_in()?;
        if self.files.is_empty() {
            return Ok(Pack::trusted(files));
        }
        let built_in = files.len();
        files.extend(self.files.iter().cloned());
        let mut wrong = self.made.findings.clone();
        wrong.extend(Pack::errors(&files, built_in));
        refuse(wrong)?;
        Ok(Pack::trusted(files))
    }

    /// What files take away from the rules of others: whoever reads an answer has to know what could not be heard.
    pub fn taken_away(&self) -> Vec<Problem> {
        let list = |verb: &str, names: &mut dyn Iterator<Item = &str>| {
            let names: Vec<&str> = names.collect();
            let more = names.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            (!names.is_empty()).then(|| format!("{verb} {}{more}", names.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ")))
        };
        let said = |file: &written::File| {
            let off = list("switches off", &mut file.off.iter().map(|at| at.text.as_str()));
            let signals: BTreeSet<&str> = file.filters.iter().flat_map(|f| &f.signals).map(|at| at.text.as_str()).collect();
            let filters = list("filters records for", &mut signals.into_iter());
            let what = [off, filters].into_iter().flatten().collect::<Vec<_>>().join("; ");
            (!what.is_empty()).then(|| Problem { gravity: Gravity::Remark, place: file.name.clone(), what, help: String::new() })
        };
        self.files.iter().filter_map(said).collect()
    }

    /// What their formats say of themselves, as the catalogue has it of the built-in ones.
    pub fn entries(&self) -> Vec<catalogue::Entry> {
        let entry = |file: &whyline_diagnose::rules::written::File, format: &whyline_diagnose::rules::written::Format| catalogue::Entry {
            name: format.id.text.clone(),
            title: format.title.clone(),
            reads: format.told.iter().map(|(notation, text)| format!("{notation}: {}", text.text)).collect::<Vec<_>>().join("\n"),
            format: None,
            reader: None,
            source: vec![file.name.clone()],
            fit: "as its pattern demands".into(),
            samples: format
                .samples
                .iter()
                .filter(|s| s.reads)
                .map(|s| catalogue::Sample {
                    head: None,
                    text: s.text.text.clone(),
                    alone: false,
                    expect: s
                        .fields
                        .iter()
                        .map(|(name, value)| (name.text.clone(), serde_json::to_value(value).unwrap_or_default()))
                        .collect(),
                })
                .collect(),
            others: Vec::new(),
        };
        self.files.iter().flat_map(|file| file.formats.iter().map(|format| entry(file, format))).collect()
    }
}

/// Refuses rules that have errors, all at once; warnings are for those who check them.
fn refuse(mut wrong: Vec<Finding>) -> Result<()> {
    wrong.retain(|f| f.weight == Weight::Error);
    wrong.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    if wrong.is_empty() { Ok(()) } else { Err(usage(findings(&wrong))) }
}

/// The rule files below paths, as written. A file that cannot be read is among them, with what is wrong with it.
pub fn rule_files(paths: &[PathBuf]) -> Result<Vec<written::File>> {
    let mut files = Vec::new();
    for path in paths {
        let mut found = Vec::new();
        yaml_below(path, &mut found).with_context(|| format!("{} cannot be read", path.display())).map_err(|e| usage(format!("{e:#}")))?;
        if found.is_empty() {
            return Err(usage(format!("{}: there is no rule file (*.yaml) here", path.display())));
        }
        files.extend(found.iter().map(|path| rule_file(path)));
    }
    Ok(files)
}

fn rule_file(path: &Path) -> written::File {
    let name = path.display().to_string();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let problem = written::Problem { message: format!("the file cannot be read: {error}"), ..written::Problem::default() };
            return written::File { name, problems: vec![problem], ..written::File::default() };
        }
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) => written::read(&name, text),
        Err(error) => not_utf8(&name, &bytes, error.valid_up_to()),
    }
}

/// A file with a byte that is no UTF-8. What can be read of it is checked all the same.
fn not_utf8(name: &str, bytes: &[u8], place: usize) -> written::File {
    let text = String::from_utf8_lossy(bytes);
    let before = String::from_utf8_lossy(bytes.get(..place).unwrap_or_default());
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) as u64 + 1;
    let byte = bytes.get(place).copied().unwrap_or_default();
    let at = written::At { text: String::new(), line, column };
    let message = format!("the file is no UTF-8: byte 0x{byte:02X} stands here");
    let problem = written::Problem { at, message, help: "save it as UTF-8, for instance with `iconv -t UTF-8`".into() };
    let mut file = written::read(name, &text);
    if file.signals.is_empty() && file.faults.is_empty() && file.formats.is_empty() {
        file.problems.clear();
    }
    file.problems.insert(0, problem);
    file
}

fn yaml_below(path: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        std::fs::metadata(path)?;
        found.push(path.to_path_buf());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            yaml_below(&entry, found)?;
        } else if entry.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            found.push(entry);
        }
    }
    Ok(())
}
