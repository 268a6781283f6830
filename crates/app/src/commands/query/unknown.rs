//! Names in a query that the table of fields does not know. Structured logs bring fields of their own along, so such a name need not be
//! wrong: it is told only where no event has it.

use crate::{load, own::Own};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use whyline_event::{Key, Name, Record};
use whyline_query::{Asked, Node, Target, Test, UnknownField};

/// The names, each once, and whether an event has such a field.
#[derive(Default)]
pub struct Unknown {
    fields: Vec<(UnknownField, AtomicBool)>,
}

impl Unknown {
    /// The names of a query that no told format makes a field of either.
    pub fn of(asked: &Asked, own: &Own) -> Unknown {
        let own = own.fields();
        let mut names = BTreeSet::new();
        let fields = asked.unknown_fields().filter(|u| !own.contains(u.name.as_str()) && names.insert(u.name.clone()));
        Unknown { fields: fields.map(|field| (field.clone(), AtomicBool::new(false))).collect() }
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(field, _)| field.name.as_str())
    }

    /// Looks which of them a record has.
    pub fn look(&self, record: &Record<'_>) {
        self.settle(|name| record.values(Name::Other(name)).next().is_some());
    }

    /// Notes those for which something holds.
    pub fn settle(&self, has: impl Fn(&str) -> bool) {
        for (field, seen) in self.fields.iter().filter(|(_, seen)| !seen.load(Ordering::Relaxed)) {
            if has(&field.name) {
                seen.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Says which of them no event has.
    pub fn tell(&self, query: &str) {
        for (field, _) in self.fields.iter().filter(|(_, seen)| !seen.load(Ordering::Relaxed)) {
            let when = ["time", "timestamp", "@timestamp"].contains(&field.name.as_str());
            let help = if when { "\nhelp: times are asked with --since, --until and --around" } else { "" };
            load::note(&format!("warning: {}{help}", field.remark(query, &format!("no event has a field called `{}`", field.name))));
        }
    }
}

/// How the signals of rules are asked that a query names like a field, which found nothing.
pub fn tell_signals(asked: &Asked, own: &Own) {
    let mut ids = BTreeSet::new();
    asked.query.root().walk(&mut |node, _| {
        if let Node::Field(Target::Key(Key::Signal), Test::Is(id)) = node
            && id.as_str().contains('.')
        {
            ids.insert(id.as_str());
        }
    });
    // Rules that cannot be read are no trouble of an answer that has been given.
    let Some(pack) = Some(ids.is_empty()).filter(|none| !none).and_then(|_| own.pack().ok()) else { return };
    for id in ids {
        load::note(&match pack.signals.iter().any(|signal| signal.id == id) {
            true => format!(
                "note: `signal` is the field {}; the signal {id} of a rule is asked by its query, which `whyline rules show {id}` shows",
                Key::Signal.name()
            ),
            false => {
                format!("note: `signal` is the field {}, and no rule has a signal {id}; `whyline rules list` names all", Key::Signal.name())
            }
        });
    }
}
