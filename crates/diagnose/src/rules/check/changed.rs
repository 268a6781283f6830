//! What is wrong with changes to rules that are defined elsewhere: ids that nothing has, filters of what hears no records.

use super::super::changes::means;
use super::super::finding::Weight;
use super::super::written::{At, File, Filter};
use super::{Checker, nearest};
use crate::computed;

impl<'a> Checker<'a> {
    /// Looks through all that changes rules of others.
    pub(super) fn changes(&mut self) {
        let files = self.files;
        for file in files {
            for fault in file.faults.iter().filter(|fault| fault.extends) {
                self.known_fault(file, &fault.id);
            }
            for filter in &file.filters {
                self.filter(file, filter);
            }
            for id in &file.off {
                self.switched_off(file, id);
            }
        }
    }

    fn filter(&mut self, file: &'a File, filter: &'a Filter) {
        if filter.query.line > 0 {
            self.query(file, &filter.query);
        }
        for pattern in &filter.signals {
            let files = self.files;
            let mut meant = files.iter().flat_map(|f| &f.signals).filter(|s| means(pattern, &s.id.text)).peekable();
            let has_query = meant.peek().is_none() || meant.any(|signal| signal.query.is_some());
            if let Some(measure) = computed::ALL.iter().find(|c| c.id == pattern.text) {
                let message = format!("`{}` is measured over all requests and hears no records", measure.id);
                self.find(Weight::Error, &file.name, pattern, message, format!("to do without it, write `off: [{}]`", measure.id));
            } else if !has_query {
                let message = format!("`{}` counts the hits of another signal and hears no records itself", pattern.text);
                self.find(Weight::Error, &file.name, pattern, message, "name the signal that it counts".into());
            } else {
                self.some_id(file, pattern, "signal", self.signals.keys().copied().collect());
            }
        }
    }

    fn switched_off(&mut self, file: &File, id: &At) {
        let files = self.files;
        let symptoms = || files.iter().flat_map(|f| &f.faults).filter(|f| f.symptom).map(|f| f.id.text.as_str());
        if symptoms().any(|symptom| symptom == id.text) {
            let message = format!("`{}` is what users feel, and cannot be switched off", id.text);
            return self.find(Weight::Error, &file.name, id, message, "switch off a fault or a signal".into());
        }
        let faults = files.iter().flat_map(|f| &f.faults).filter(|f| !f.symptom && !f.extends).map(|f| f.id.text.as_str());
        let all = faults.chain(self.signals.keys().copied()).chain(computed::ALL.iter().map(|c| c.id)).collect();
        self.some_id(file, id, "signal or fault", all);
    }

    /// An id, with wildcards, that something has.
    fn some_id(&mut self, file: &File, pattern: &At, what: &str, ids: Vec<&str>) {
        if pattern.line > 0 && !ids.iter().any(|id| means(pattern, id)) {
            let help = nearest(&pattern.text, ids.into_iter());
            self.find(Weight::Error, &file.name, pattern, format!("there is no {what} `{}`", pattern.text), help);
        }
    }
}
