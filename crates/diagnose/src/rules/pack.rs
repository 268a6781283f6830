//! Rules, checked and ready.

use super::changes;
use super::check::{self, check};
use super::finding::{Finding, Weight};
use super::written::{self, At, File, Filter};
use crate::computed;
use std::collections::BTreeMap;
use whyline_event::Key;
use whyline_query::Query;

/// Number of a signal in its pack. Computed signals come first, in the order of [`computed::ALL`].
pub type SignalId = u32;
/// Number of a fault in its pack.
pub type FaultId = usize;

/// A signal, ready.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Id.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// The text of the query; empty for computed and compound signals.
    pub query: String,
    /// The texts of the filters: records that the signal must not hear.
    pub filters: Vec<String>,
    /// Fields of which the first present names the accused.
    pub entity: Vec<Accused>,
    /// Many hits of another signal.
    pub count: Option<Count>,
    /// Signals that end the state which this one begins.
    pub until: Vec<SignalId>,
    /// So long before it is told, in milliseconds, may have begun what it tells of: a detector that waits, a check that goes in cycles, a
    /// measurement that is written at its end.
    pub after: i64,
}

/// A field that names the accused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accused {
    /// A field of the table.
    Key(Key),
    /// A field that only a format of a rule file knows.
    Own(String),
}

impl Accused {
    fn of(name: &str) -> Accused {
        Key::find(name).map_or_else(|| Accused::Own(name.to_string()), Accused::Key)
    }
}

impl Signal {
    /// Whether a field of the table may name the accused.
    pub fn accuses(&self, key: Key) -> bool {
        self.entity.contains(&Accused::Key(key))
    }
}

/// See [`written::Count`].
#[derive(Clone, Debug)]
pub struct Count {
    /// The signal that is counted.
    pub of: SignalId,
    /// At least so many.
    pub at_least: u64,
    /// Within so many seconds.
    pub within: i64,
    /// The field by which hits are grouped.
    pub by: Option<Key>,
}

/// How a fault is connected with what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// The failing requests of a proxy go to the accused.
    Upstream,
    /// A service on the way names the accused as its database, cache, name server.
    Dependency,
    /// The same machine.
    Host,
    /// The same entity.
    Same,
    /// Anything, wherever the two are.
    Any,
    /// Nothing is said of the way: by an edge that leaves it out, or where only the `because` of the other one names it.
    Unsaid,
}

/// An edge upwards.
#[derive(Clone, Copy, Debug)]
pub struct Explains {
    /// The fault that follows.
    pub fault: FaultId,
    /// How.
    pub through: Through,
    /// Only the `because` of a change says so: the other one would be the better name where it is known. A change follows from nothing.
    pub is_better_name: bool,
}

/// A piece of evidence.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// The signal.
    pub signal: SignalId,
    /// Natural logarithm of the likelihood ratio; negative when it speaks against.
    pub weight: f64,
}

/// A fault, ready.
#[derive(Clone, Debug, Default)]
pub struct Fault {
    /// Id.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Users feel it.
    pub symptom: bool,
    /// It is a fault of those who speak of it, rather than of what they name.
    pub of_speaker: bool,
    /// Edges upwards; those that other faults' `because` make are among them.
    pub explains: Vec<Explains>,
    /// Evidence.
    pub evidence: Vec<Evidence>,
    /// Deeper reasons: the other end of the edges upwards.
    pub because: Vec<FaultId>,
    /// What to look at.
    pub check: Vec<String>,
    /// What to do.
    pub fix: Vec<String>,
    /// How to keep it from happening again.
    pub prevent: Vec<String>,
    /// Logs that would decide.
    pub missing: Vec<written::Missing>,
}

/// All rules of a run.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    /// Signals; the place is the [`SignalId`].
    pub signals: Vec<Signal>,
    /// Faults; the place is the [`FaultId`].
    pub faults: Vec<Fault>,
    /// The files, as written.
    pub files: Vec<File>,
    by_signal: BTreeMap<String, SignalId>,
    by_fault: BTreeMap<String, FaultId>,
}

impl Pack {
    /// The built-in rules.
    pub fn built_in() -> Result<Pack, Vec<Finding>> {
        Pack::new(Self::built_in_files()?)
    }

    /// The built-in files, as written.
    pub fn built_in_files() -> Result<Vec<File>, Vec<Finding>> {
        serde_json::from_slice(include_bytes!(concat!(env!("OUT_DIR"), "/pack.json"))).map_err(|e| {
            vec![Finding {
                weight: Weight::Error,
                file: "built-in rules".into(),
                line: 0,
                column: 0,
                message: e.to_string(),
                help: String::new(),
                excerpt: String::new(),
            }]
        })
    }

    /// Checks files and makes them ready. Only errors are returned; for warnings see [`Pack::findings`].
    pub fn new(files: Vec<File>) -> Result<Pack, Vec<Finding>> {
        let errors = check::errors(&files, 0);
        if errors.is_empty() { Ok(Pack::build(files)) } else { Err(errors) }
    }

    /// Makes files ready that were checked when they were packed. What cannot be understood is left out.
    pub fn trusted(files: Vec<File>) -> Pack {
        Pack::build(files)
    }

    /// Everything that is wrong with a set of files, warnings included.
    pub fn findings(files: &[File]) -> Vec<Finding> {
        check(files)
    }

    /// What makes a set of files unusable. The queries of the first `trusted` files were checked when they were packed.
    pub fn errors(files: &[File], trusted: usize) -> Vec<Finding> {
        check::errors(files, trusted)
    }

    /// What is wrong with the shape of files, whatever their rules say.
    pub fn shapes(files: &[File]) -> Vec<Finding> {
        check::shapes(files)
    }

    /// The number of a signal.
    pub fn signal(&self, id: &str) -> Option<SignalId> {
        self.by_signal.get(id).copied()
    }

    /// The number of a fault.
    pub fn fault(&self, id: &str) -> Option<FaultId> {
        self.by_fault.get(id).copied()
    }

    /// Where a signal, a measure or a fault is switched off: by which words of which files.
    pub fn off(&self, id: &str) -> impl Iterator<Item = (&File, &At)> {
        let is_symptom = self.fault(id).is_some_and(|fault| self.faults[fault].symptom);
        let all = self.files.iter().filter(move |_| !is_symptom).flat_map(|file| file.off.iter().map(move |at| (file, at)));
        all.filter(move |(_, at)| changes::means(at, id))
    }

    /// Whether a signal, a measure or a fault is switched off.
    pub fn is_off(&self, id: &str) -> bool {
        self.off(id).next().is_some()
    }

    /// The filters that keep records from a signal, with their files.
    pub fn filters_of(&self, signal: &str) -> impl Iterator<Item = (&File, &Filter)> {
        let all = self.files.iter().flat_map(|file| file.filters.iter().map(move |filter| (file, filter)));
        all.filter(move |(_, filter)| filter.signals.iter().any(|at| changes::means(at, signal)))
    }

    /// The queries to ask of every record: signal and query.
    pub fn queries(&self) -> Vec<(SignalId, Query)> {
        self.signals
            .iter()
            .enumerate()
            .filter(|(_, s)| !s.query.is_empty())
            .filter_map(|(i, s)| {
                let query = Query::parse(&s.query).ok()?.for_rules();
                let filters = s.filters.iter().filter_map(|filter| Query::parse(filter).ok());
                Some((i as SignalId, filters.fold(query, Query::except)))
            })
            .collect()
    }

    fn build(files: Vec<File>) -> Pack {
        let changed = changes::apply(&files);
        let mut pack = match &changed {
            Some(changed) => Pack::of(&changed.files, &changed.filters),
            None => Pack::of(&files, &BTreeMap::new()),
        };
        pack.files = files;
        pack
    }

    /// Files in which nothing changes anything, with the filters of signals.
    fn of(files: &[File], filters: &BTreeMap<String, Vec<String>>) -> Pack {
        let mut pack = Pack::default();
        for computed in computed::ALL {
            pack.add_signal(Signal {
                id: computed.id.into(),
                title: computed.title.into(),
                query: String::new(),
                filters: Vec::new(),
                entity: Vec::new(),
                count: None,
                until: Vec::new(),
                after: 0,
            });
        }
        for signal in files.iter().flat_map(|f| &f.signals) {
            pack.add_signal(Signal {
                id: signal.id.text.clone(),
                title: signal.title.clone(),
                query: signal.query.as_ref().map(|q| q.text.clone()).unwrap_or_default(),
                filters: filters.get(&signal.id.text).cloned().unwrap_or_default(),
                entity: signal.entity.iter().map(|e| Accused::of(&e.text)).collect(),
                count: None,
                until: Vec::new(),
                after: i64::try_from(signal.after).map_or(i64::MAX, |after| after.saturating_mul(1000)),
            });
        }
        for signal in files.iter().flat_map(|f| &f.signals) {
            if let Some(id) = pack.signal(&signal.id.text) {
                pack.signals[id as usize].until = signal.until.iter().filter_map(|u| pack.signal(&u.text)).collect();
            }
            if let (Some(count), Some(id)) = (&signal.count, pack.signal(&signal.id.text))
                && let Some(of) = pack.signal(&count.of.text)
            {
                let by = count.by.as_ref().and_then(|b| Key::find(&b.text));
                pack.signals[id as usize].count = Some(Count { of, at_least: count.at_least, within: count.within as i64, by });
            }
        }
        for fault in files.iter().flat_map(|f| &f.faults) {
            pack.by_fault.insert(fault.id.text.clone(), pack.faults.len());
            pack.faults.push(Fault {
                id: fault.id.text.clone(),
                title: fault.title.clone(),
                symptom: fault.symptom,
                of_speaker: fault.of_speaker,
                explains: Vec::new(),
                evidence: fault
                    .evidence
                    .iter()
                    .filter_map(|e| {
                        let weight = e.strength.max(1.0).ln();
                        Some(Evidence { signal: pack.signal(&e.signal.text)?, weight: if e.against { -weight } else { weight } })
                    })
                    .collect(),
                because: Vec::new(),
                check: fault.check.clone(),
                fix: fault.fix.clone(),
                prevent: fault.prevent.clone(),
                missing: fault.missing.clone(),
            });
        }
        pack.link(files);
        pack
    }

    fn add_signal(&mut self, signal: Signal) {
        self.by_signal.insert(signal.id.clone(), self.signals.len() as SignalId);
        self.signals.push(signal);
    }

    /// Edges upwards from `explains` and `because`, and the other ends.
    fn link(&mut self, files: &[File]) {
        let mut edges: BTreeMap<(FaultId, FaultId), (Through, bool)> = BTreeMap::new();
        for fault in files.iter().flat_map(|f| &f.faults) {
            let Some(from) = self.fault(&fault.id.text) else { continue };
            for edge in &fault.explains {
                if let Some(to) = self.fault(&edge.fault.text) {
                    let through = match edge.through.as_str() {
                        "upstream" => Through::Upstream,
                        "dependency" => Through::Dependency,
                        "host" => Through::Host,
                        "same" => Through::Same,
                        "any" => Through::Any,
                        _ => Through::Unsaid,
                    };
                    // Where a fault names another one twice, the wider way stays.
                    let known = edges.entry((from, to)).or_insert((through, false));
                    let wider = if known.0 == Through::Any { Through::Any } else { through };
                    *known = (wider, false);
                }
            }
            for because in &fault.because {
                if let Some(deeper) = self.fault(&because.text) {
                    edges.entry((deeper, from)).or_insert((Through::Unsaid, fault.id.text.starts_with("change.")));
                }
            }
        }
        for ((from, to), (through, is_better_name)) in edges {
            self.faults[from].explains.push(Explains { fault: to, through, is_better_name });
            self.faults[to].because.push(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_query::Matcher;

    /// A built-in rule that names a field of requests beside words would let strangers write those words, and have all requests searched.
    #[test]
    fn no_built_in_rule_hears_strangers() {
        let pack = Pack::built_in().unwrap_or_default();
        assert!(pack.signals.len() > 500);
        for (signal, query) in pack.queries() {
            let id = pack.signals.get(signal as usize).map(|signal| signal.id.clone());
            assert!(
                !Matcher::new(vec![(signal, query)]).hears_strangers(),
                "{id:?}: take the words or the fields into a signal of their own"
            );
        }
    }
}
