//! Formats of rule files: what can be said of them without reading a line, and the plain form in which they leave for the
//! room that compiles them.

use super::finding::{Finding, Weight};
use super::written::{At, File, Format};
use std::collections::BTreeMap;
use whyline_event::{FormatSpec, Notation};

/// The format as it is told, if it is told in one notation.
pub fn spec(format: &Format) -> Option<FormatSpec> {
    let [(key, text)] = &format.told[..] else { return None };
    let text_of = |at: &Option<At>| at.as_ref().map(|a| a.text.clone());
    Some(FormatSpec {
        name: format.id.text.clone(),
        notation: Notation::ALL.into_iter().find(|n| n.key() == key)?,
        text: text.text.clone(),
        timestamp: text_of(&format.timestamp),
        zone: text_of(&format.zone),
        units: format.units.iter().map(|(group, unit)| (group.text.clone(), unit.text.clone())).collect(),
        starts: text_of(&format.starts),
        files: format.files.iter().map(|f| f.text.clone()).collect(),
    })
}

/// Everything that is wrong with the formats of a set of files, as far as their words alone tell.
pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    for file in files {
        for format in &file.formats {
            let mut find = |weight, at: &At, message: String, help: String| {
                findings.push(Finding::at(weight, file, at, message, help));
            };
            if let Some((other, line)) = seen.insert(&format.id.text, (&file.name, format.id.line)) {
                let message = format!("format `{}` is defined twice", format.id.text);
                find(Weight::Error, &format.id, message, format!("the other one stands at {other}:{line}"));
            }
            one(format, &mut find);
        }
    }
    findings
}

fn one(format: &Format, find: &mut dyn FnMut(Weight, &At, String, String)) {
    let id = &format.id;
    if !super::check::is_id(&id.text) {
        find(Weight::Error, id, format!("`{}` is no id", id.text), "ids are lower case, `shop.orders`: whose log it is, and which".into());
    }
    let keys: Vec<&str> = Notation::ALL.iter().map(|n| n.key()).collect();
    match &format.told[..] {
        [] => {
            let message = format!("format `{}` does not say how its records are written", id.text);
            find(Weight::Error, id, message, format!("write one of {}", keys.join(", ")));
        }
        [_] => {}
        [(first, _), (second, at), ..] => {
            let message = format!("format `{}` is told twice, by `{first}` and by `{second}`", id.text);
            find(Weight::Error, at, message, "keep one; another way of writing is another format".into());
        }
    }
    if let Some(spec) = spec(format) {
        options(format, &spec, find);
    }
    for (reads, verb) in [(true, "be read"), (false, "not be read")] {
        if !format.samples.iter().any(|s| s.reads == reads) {
            let key = if reads { "text" } else { "not" };
            let message = format!("format `{}` has no sample of a record that must {verb}", id.text);
            find(Weight::Warning, id, message, format!("write one under `samples:`, as `- {key}: '...'`; it is read by the real reader"));
        }
    }
}

/// Options and names that do not go with a notation.
fn options(format: &Format, spec: &FormatSpec, find: &mut dyn FnMut(Weight, &At, String, String)) {
    let id = &format.id;
    if spec.notation != Notation::Pattern {
        let units = format.units.first().map(|(group, _)| group);
        for (key, at) in [("timestamp", format.timestamp.as_ref()), ("units", units), ("starts", format.starts.as_ref())] {
            if let Some(at) = at {
                let message = format!("`{key}` is told for a pattern only; `{}` says it by itself", spec.notation.key());
                find(Weight::Error, at, message, "leave it out".into());
            }
        }
    }
    if spec.notation.is_access() && !spec.name.ends_with(".access") {
        let message = format!("`{}` is an access log, but its name does not say so", id.text);
        let help = format!("call it `{}.access`: in records of such names, rules do not take what strangers wrote for messages", id.text);
        find(Weight::Error, id, message, help);
    }
}
