//! Formats that rule files tell: compiled by the room that reads, checked with their samples, and every complaint brought
//! back to its place in the file.

mod sample;

use crate::spelling;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use whyline_diagnose::rules::written::{At, File, Format as Written};
use whyline_diagnose::rules::{Finding, Weight, formats};
use whyline_event::{FormatSpec, Key};
use whyline_parse::Format;
use whyline_parse::formats::told::{self, Flaw, Part};

pub use sample::samples;

/// Formats of rule files, ready.
#[derive(Default)]
pub struct Made {
    /// The formats, in the order of the files.
    pub formats: Vec<Arc<dyn Format>>,
    /// What each is made of, by its name.
    pub readers: BTreeMap<String, Reader>,
    /// Everything that is wrong with them, their samples aside.
    pub findings: Vec<Finding>,
}

/// A format with what it was made of.
pub struct Reader {
    /// As it was told.
    pub spec: FormatSpec,
    /// As it reads.
    pub format: Arc<dyn Format>,
    /// Lengths of time whose unit was not told.
    pub durations: Vec<Key>,
}

/// Compiles the formats of rule files, and notes in the files which fields they provide.
pub fn compile(files: &mut [File]) -> Made {
    let mut made = Made::default();
    if files.iter().all(|f| f.formats.is_empty()) {
        return made;
    }
    let built_in = whyline_parse::formats::all();
    let taken: BTreeSet<&str> = built_in.iter().map(|f| f.name()).collect();
    for file in files {
        let mut provided = Vec::new();
        for format in &file.formats {
            provided.push(one(file, format, &taken, &mut made));
        }
        for (format, provides) in file.formats.iter_mut().zip(provided) {
            format.provides = provides;
        }
    }
    made
}

/// Compiles one format; returns the fields that only it knows.
fn one(file: &File, format: &Written, taken: &BTreeSet<&str>, made: &mut Made) -> Vec<String> {
    let id = &format.id;
    if taken.contains(id.text.as_str()) {
        let message = format!("`{}` is a built-in format", id.text);
        let help = format!("choose another name, for instance `own.{}`; where both read a line, the surer one is taken", id.text);
        made.findings.push(Finding::at(Weight::Error, file, id, message, help));
        return Vec::new();
    }
    let Some(spec) = formats::spec(format) else { return Vec::new() };
    match told::compile(&spec) {
        Err(flaws) => {
            made.findings.extend(flaws.into_iter().map(|flaw| finding(file, format, flaw)));
            Vec::new()
        }
        Ok(compiled) => {
            made.findings.extend(compiled.warnings.into_iter().map(|flaw| finding(file, format, flaw)));
            let text = &format.told[0].1;
            for field in &compiled.own_fields {
                if let Some(meant) = misspelt(&field.name) {
                    let message = format!("no field of the table is called `{}`; it becomes a field of this format alone", field.name);
                    let help = format!("did you mean `{meant}`? `whyline formats --fields` lists them all");
                    made.findings.push(Finding::inside(Weight::Warning, file, text, field.at.clone(), message, help));
                }
            }
            made.formats.push(compiled.format.clone());
            made.readers.insert(spec.name.clone(), Reader { spec, format: compiled.format, durations: compiled.durations });
            compiled.own_fields.into_iter().map(|f| f.name).collect()
        }
    }
}

/// The name of the table that was probably meant.
fn misspelt(name: &str) -> Option<&'static str> {
    const SPECIAL: [&str; 7] = ["timestamp", "time", "level", "severity", "message", "body", "request"];
    let names = Key::ALL.iter().flat_map(|k| std::iter::once(k.name()).chain(k.aliases().iter().copied())).chain(SPECIAL);
    spelling::misspelt(name, names)
}

/// A flaw, at its place in the file.
fn finding(file: &File, format: &Written, flaw: Flaw) -> Finding {
    let unit = |name: &str| format.units.iter().find(|(group, _)| group.text == *name);
    let at: Option<&At> = match &flaw.part {
        Part::Text => format.told.first().map(|(_, text)| text),
        Part::Timestamp => format.timestamp.as_ref(),
        Part::Zone => format.zone.as_ref(),
        Part::Starts => format.starts.as_ref(),
        Part::Group(name) => unit(name).map(|(group, _)| group),
        Part::Unit(name) => unit(name).map(|(_, unit)| unit),
    };
    let weight = if flaw.is_warning { Weight::Warning } else { Weight::Error };
    Finding::inside(weight, file, at.unwrap_or(&format.id), flaw.at, flaw.message, flaw.help)
}
