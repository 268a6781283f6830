//! What rule files change of rules that are defined elsewhere: faults that are extended, rules that are switched off, and filters, which
//! keep records from signals.
//!
//! Rules stay as their authors wrote them in [`Pack::files`](super::Pack); here a second set is made, in which everything that was
//! changed has been carried out.

use super::written::{At, Evidence, Fault, File};
use std::collections::BTreeMap;
use whyline_query::Glob;

/// Rules after the changes.
pub struct Changed {
    /// The files, in which nothing changes anything any more.
    pub files: Vec<File>,
    /// By the id of a signal, what its filters ask.
    pub filters: BTreeMap<String, Vec<String>>,
}

/// Carries out the changes; nothing where there are none.
pub fn apply(files: &[File]) -> Option<Changed> {
    let is_changing = |file: &File| !file.filters.is_empty() || !file.off.is_empty() || file.faults.iter().any(|fault| fault.extends);
    if !files.iter().any(is_changing) {
        return None;
    }
    let mut files = files.to_vec();
    extend(&mut files);
    switch_off(&mut files);
    let filters = filters(&files);
    Some(Changed { files, filters })
}

/// Whether an id, with wildcards or as it is, means another one.
pub fn means(pattern: &At, id: &str) -> bool {
    pattern.text == id || Glob::new(&pattern.text).fits(id)
}

/// Gives what extends a fault to the fault.
fn extend(files: &mut [File]) {
    let mut additions = Vec::new();
    for file in files.iter_mut() {
        additions.extend(file.faults.extract_if(.., |fault| fault.extends));
    }
    for addition in additions {
        let mut faults = files.iter_mut().flat_map(|file| &mut file.faults);
        if let Some(fault) = faults.find(|fault| fault.id.text == addition.id.text) {
            add(fault, addition);
        }
    }
}

/// What is told last of a title and of the strength of a signal holds; advice comes before that of the fault, since it knows more of the shop.
fn add(fault: &mut Fault, addition: Fault) {
    if !addition.title.is_empty() {
        fault.title = addition.title;
    }
    let is_new = |evidence: &Evidence| !addition.evidence.iter().any(|new| new.signal.text == evidence.signal.text);
    fault.evidence.retain(is_new);
    fault.evidence.extend(addition.evidence);
    fault.explains.extend(addition.explains);
    fault.because.extend(addition.because);
    fault.check.splice(0..0, addition.check);
    fault.fix.splice(0..0, addition.fix);
    fault.prevent.splice(0..0, addition.prevent);
    fault.missing.splice(0..0, addition.missing);
}

/// Takes out what is switched off, and every place that names it. A count of a signal that is gone goes as well.
fn switch_off(files: &mut [File]) {
    let patterns: Vec<At> = files.iter_mut().flat_map(|file| std::mem::take(&mut file.off)).collect();
    let gone = |at: &At| patterns.iter().any(|pattern| means(pattern, &at.text));
    for file in files.iter_mut() {
        file.signals.retain(|signal| !gone(&signal.id) && !signal.count.as_ref().is_some_and(|count| gone(&count.of)));
        file.faults.retain(|fault| fault.symptom || !gone(&fault.id));
        for signal in &mut file.signals {
            signal.until.retain(|end| !gone(end));
        }
        for fault in &mut file.faults {
            fault.evidence.retain(|evidence| !gone(&evidence.signal));
            fault.missing.iter_mut().for_each(|missing| missing.unless.retain(|signal| !gone(signal)));
        }
    }
}

fn filters(files: &[File]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for filter in files.iter().flat_map(|file| &file.filters) {
        for signal in
            files.iter().flat_map(|file| &file.signals).filter(|signal| filter.signals.iter().any(|at| means(at, &signal.id.text)))
        {
            found.entry(signal.id.text.clone()).or_default().push(filter.query.text.clone());
        }
    }
    found
}
