//! From evidence to the answer: incidents, hypotheses about each, and what is told of them.

mod chain;
mod dated;
mod quiet;
mod uneventful;

use crate::activity::{Activity, activities};
use crate::advice::{self, Filler};
use crate::baseline;
use crate::belief::{Hypothesis, hypotheses};
use crate::evidence::Evidence;
use crate::groups::Groups;
use crate::measure::{Times, measure};
use crate::names::{NONE, NameId};
pub use crate::report::{
    Advice, Arrived, Besides, Cause, Citation, Considered, Diagnosis, Entry, FailedPath, Grade, IncidentReport, Missing, Noted, Quiet,
    Step, SymptomReport,
};
use crate::rules::{Pack, Weight};
use crate::symptoms::{Incident, Symptom, complaints, incidents, told};
use crate::tally::Text;
use crate::topology::Topology;
use crate::tree::{Gate, Kind, Node, Tree};
use crate::wanted::{self, Unsure};
use chain::felt;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use whyline_event::stamp::rfc3339;

/// Below this the first hypothesis is not named.
const NAMED: f64 = 0.30;
/// Below this a further hypothesis is not named.
const FURTHER: f64 = 0.10;
/// From this on the program stands by a cause.
pub const SURE: f64 = 0.70;
/// So many paths are named of a symptom.
const PATHS: usize = 3;

/// What lies so long (s) beside a stretch that is asked for is looked at as well, or twice its length.
const BESIDE: i64 = 1800;

/// How much is looked at before and behind a stretch that is asked for (all in s).
pub fn beside(from: i64, to: i64) -> i64 {
    to.saturating_sub(from).saturating_mul(2).max(BESIDE)
}

/// Diagnoses a bundle, or a stretch of it, in seconds: of that only those incidents are told that reach into it. What lies beside it is looked at
/// nevertheless, since it says what is usual, and what began or stopped.
pub fn diagnose(evidence: &mut Evidence, pack: &Pack, asked: Option<(i64, i64)>) -> Diagnosis {
    if let Some((from, to)) = asked {
        let beside = beside(from, to);
        evidence.restrict(from.saturating_sub(beside), to.saturating_add(beside));
    }
    let mut diagnosis = of_incidents(evidence, pack, asked);
    if diagnosis.incidents.is_empty() {
        if let Some((from, to)) = asked {
            evidence.restrict(from, to);
        }
        let topology = Topology::new(evidence, pack);
        diagnosis.missing = wanted::where_nothing_stands_out(evidence, &topology, pack);
        diagnosis.noted = uneventful::noted(evidence, pack, &Groups::new(evidence, &topology, pack));
        uneventful::requests(evidence, &topology, &mut diagnosis);
    }
    diagnosis
}

/// What is told of the incidents that reach into a stretch, in seconds.
fn of_incidents(evidence: &Evidence, pack: &Pack, asked: Option<(i64, i64)>) -> Diagnosis {
    let asked = asked.map(|(from, to)| (from.saturating_mul(1000), to.saturating_mul(1000).saturating_add(999)));
    let topology = Topology::new(evidence, pack);
    let groups = Groups::new(evidence, &topology, pack);
    let mut diagnosis = Diagnosis::default();
    let mut all = incidents(evidence, pack, told::find(evidence, pack));
    if all.is_empty() {
        all = complaints::find(evidence, pack, &groups);
    }
    // What was felt on a good day is told by nobody, but it is no calm either.
    let is_asked = |i: &Incident| asked.is_none_or(|(from, to)| i.onset <= to && i.end >= from);
    let of_the_bundle = |i: &Incident| !baseline::holds(evidence, i) && is_asked(i);
    let last = all.iter().enumerate().filter(|(_, i)| of_the_bundle(i)).map(|(at, _)| at + 1).take(20).last();
    all.truncate(last.unwrap_or(0));
    let mut ranked: Vec<(usize, Cause)> = Vec::new();
    for (number, incident) in (1..).zip(all.iter().filter(|i| of_the_bundle(i))) {
        let id = format!("incident-{number}");
        let measured = measure(evidence, &topology, pack, incident);
        let activities = activities(evidence, &topology, pack, &groups, (&all, incident), &measured);
        let list = hypotheses(evidence, &topology, pack, incident, &activities);
        let context = Context { evidence, topology: &topology, pack, incident, activities: &activities, list: &list, id: &id };
        let unexplained = 1.0 - list.iter().filter(|h| h.step_of.is_none() && h.confidence > 0.05).map(|h| h.confidence).sum::<f64>();
        diagnosis.incidents.push(context.report(unexplained));
        let causes = context.causes();
        diagnosis.missing.extend(context.missing(&causes));
        diagnosis.trees.push(context.tree());
        ranked.extend(causes.into_iter().enumerate());
    }
    advice::same_times(&mut diagnosis.missing);
    // Guessing at log-ins goes on at every machine of the Internet: beside an outage it comes second.
    let is_guessing = |i: &&IncidentReport| !i.symptoms.is_empty() && i.symptoms.iter().all(|s| s.id == "login.failed");
    let guessing: BTreeSet<&str> = diagnosis.incidents.iter().filter(is_guessing).map(|i| i.id.as_str()).collect();
    let rank = |c: &Cause| if guessing.contains(c.incident.as_str()) { c.confidence * 0.1 } else { c.confidence };
    ranked.sort_by(|(_, a), (_, b)| rank(b).total_cmp(&rank(a)).then_with(|| (&a.incident, &a.id).cmp(&(&b.incident, &b.id))));
    diagnosis.causes = ranked.into_iter().map(|(_, c)| c).collect();
    dated::fill(&mut diagnosis.causes, evidence);
    diagnosis
}

/// A line that shows an activity.
struct Line<'a> {
    source: usize,
    line: u64,
    /// Its instant, where it was sampled.
    at: Option<i64>,
    text: Option<&'a Text>,
}

struct Context<'a> {
    evidence: &'a Evidence,
    topology: &'a Topology,
    pack: &'a Pack,
    incident: &'a Incident,
    activities: &'a [Activity],
    list: &'a [Hypothesis],
    id: &'a str,
}

fn time(ms: i64) -> String {
    rfc3339(ms.saturating_mul(1_000_000), 3)
}

/// What an activity says, in words. What was seen when somebody looked is told as such.
fn title(signal: &crate::rules::Signal, activity: &Activity) -> String {
    let said = activity.note.clone().map_or_else(|| signal.title.clone(), |n| format!("{}: {n}", signal.title));
    match activity.collected {
        Some(at) => format!("{said} (as it stood at {}, when this was collected)", time(at).get(11..19).unwrap_or_default()),
        None => said,
    }
}

fn round(x: f64) -> f64 {
    (x * 1000.0).round() / 1000.0
}

/// Entities in their order, each once.
fn once(list: &[String]) -> Vec<String> {
    let mut met = BTreeSet::new();
    list.iter().filter(|entity| met.insert(entity.as_str())).cloned().collect()
}

impl Context<'_> {
    fn report(&self, unexplained: f64) -> IncidentReport {
        let incident = self.incident;
        let end_of_logs = self.evidence.whole().map_or(incident.end, |(_, b)| b * 1000);
        let felt = felt(incident);
        let symptoms: Vec<SymptomReport> = felt.iter().map(|s| self.symptom(s)).collect();
        let worst = symptoms.iter().filter(|s| s.id != "http.slow").map(|s| s.share).fold(0.0, f64::max);
        let drop = felt.iter().any(|s| s.id == "traffic.drop" && s.usual == 0);
        let worst = if drop { 1.0 } else { worst };
        let slow = symptoms.iter().filter(|s| s.id == "http.slow").map(|s| s.share).fold(0.0, f64::max);
        // Of failures that only lines tell of nobody knows how many requests, connections or handshakes went well beside them.
        let unmeasured = |kinds: &[&str]| felt.iter().any(|s| s.affected.is_empty() && kinds.iter().any(|kind| s.id.starts_with(kind)));
        let grade = if worst >= 0.5 {
            Grade::P1
        } else if worst >= 0.1 || slow >= 0.5 || unmeasured(&["http.5", "connect."]) {
            Grade::P2
        } else {
            Grade::P3
        };
        let health = (100.0 * (1.0 - worst) * (1.0 - 0.4 * slow)).round().clamp(0.0, 100.0) as u8;
        IncidentReport {
            id: self.id.into(),
            start: time(incident.onset),
            end: time(incident.end),
            recovered: end_of_logs - incident.end > 10_000,
            grade,
            health: (worst > 0.0 || !unmeasured(&["http.", "connect.", "tls."]) && !felt.is_empty()).then_some(health),
            symptoms,
            unexplained: round(unexplained.clamp(0.0, 1.0)),
            besides: self.besides(),
            considered: self.list.iter().take(20).map(|h| self.considered(h)).collect(),
        }
    }

    fn considered(&self, h: &Hypothesis) -> Considered {
        Considered {
            id: self.pack.faults[h.fault].id.clone(),
            place: h.place.clone(),
            score: round(h.score),
            confidence: round(h.confidence),
            step_of: h.step_of.and_then(|r| self.list.get(r)).map(|r| format!("{} at {}", self.pack.faults[r.fault].id, r.place)),
            onset: time(h.onset),
            terms: h.terms.iter().map(|t| Entry { term: t.name.clone(), value: round(t.value), note: t.note.clone() }).collect(),
        }
    }

    fn symptom(&self, s: &Symptom) -> SymptomReport {
        let evidence = self.evidence;
        let sources = self.sources(&s.affected);
        let logs: BTreeSet<u32> = sources.iter().map(|source| evidence.log_of(*source)).collect();
        let same_logs = evidence.requests.choose(|kind| logs.contains(&evidence.log_of(kind.source)));
        let times = |from: i64, to: i64| -> Times { evidence.requests.ended(&same_logs, from, to).filter_map(|(_, r)| r.took()).collect() };
        let (now, before) = (times(s.onset, s.end), times(i64::MIN, s.onset.min(self.incident.onset) - 1));
        let at = |times: &Times, share: f64| (!times.is_empty()).then(|| times.quantile(share) as f64 / 1000.0);
        let clients: FxHashSet<NameId> = s.affected.iter().map(|i| evidence.request(*i).of.client).collect();
        SymptomReport {
            id: s.id.clone(),
            entity: s.entity.clone(),
            start: time(s.onset),
            end: time(s.end),
            requests: s.total,
            failed: s.affected.len(),
            share: round(match (s.usual, s.total) {
                (0, 0) => 0.0,
                (0, total) => s.affected.len() as f64 / total as f64,
                (usual, total) => 1.0 - total as f64 / usual as f64,
            }),
            clients: clients.len(),
            paths: self.paths(&s.affected),
            p50: at(&now, 0.5),
            p90: at(&now, 0.9),
            p99: at(&now, 0.99),
            p50_before: at(&before, 0.5),
            p90_before: at(&before, 0.9),
            p99_before: at(&before, 0.99),
        }
    }

    /// The paths that most of some requests ask for.
    fn paths(&self, requests: &[u32]) -> Vec<FailedPath> {
        let mut counts: FxHashMap<NameId, usize> = FxHashMap::default();
        for path in requests.iter().map(|i| self.evidence.request(*i).of.path).filter(|path| *path != NONE) {
            *counts.entry(path).or_default() += 1;
        }
        let mut counts: Vec<(usize, &str)> = counts.into_iter().map(|(path, n)| (n, self.evidence.text(path).trim())).collect();
        counts.sort_by(|(n, a), (m, b)| m.cmp(n).then(a.cmp(b)));
        counts.into_iter().take(PATHS).map(|(failed, path)| FailedPath { path: path.to_string(), failed }).collect()
    }

    /// The sources of some requests.
    fn sources(&self, requests: &[u32]) -> BTreeSet<u32> {
        let mut sources = BTreeSet::new();
        let mut last = None;
        for source in requests.iter().map(|i| self.evidence.request(*i).of.source) {
            if last.replace(source) != Some(source) {
                sources.insert(source);
            }
        }
        sources
    }

    fn causes(&self) -> Vec<Cause> {
        let roots: Vec<&Hypothesis> = self.list.iter().filter(|h| h.step_of.is_none()).collect();
        let Some(first) = roots.first().filter(|h| h.confidence >= NAMED) else { return Vec::new() };
        // One entry for an id and incident: the best place stands for it, its others are named as entities.
        let mut causes: Vec<Cause> = Vec::new();
        for h in roots.iter().filter(|h| h.confidence >= FURTHER).take(10) {
            let other = (h.fault != first.fault).then(|| self.pack.faults[first.fault].id.clone());
            let mut cause = self.cause(h, other);
            for same in roots.iter().filter(|x| x.fault == h.fault && x.score > h.score - 1.5) {
                for entity in &same.entities {
                    if !cause.entities.contains(entity) && cause.entities.len() < 8 {
                        cause.entities.push(entity.clone());
                    }
                }
            }
            // Whom clients turned against is named behind all of them.
            if h.place.starts_with("client:") {
                cause.entities.sort_by_key(|entity| entity.starts_with("service:"));
            }
            causes.push(cause);
        }
        causes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        causes
    }

    fn cause(&self, h: &Hypothesis, alternative_to: Option<String>) -> Cause {
        let fault = &self.pack.faults[h.fault];
        let chain = self.chain(h);
        Cause {
            id: fault.id.clone(),
            title: fault.title.clone(),
            entities: once(&h.entities),
            confidence: round(h.confidence.min(0.99)),
            onset: time(h.onset),
            incident: self.id.into(),
            explains: self.incident.symptoms.iter().map(|s| s.id.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
            alternative_to,
            evidence: self.citations(h),
            why: chain,
            ledger: h.terms.iter().map(|t| Entry { term: t.name.clone(), value: round(t.value), note: t.note.clone() }).collect(),
            advice: self.advice(h),
        }
    }

    fn citations(&self, h: &Hypothesis) -> Vec<Citation> {
        let mut list = Vec::new();
        let mut seen = BTreeSet::new();
        let mut terms: Vec<_> = h.terms.iter().filter(|t| t.activity.is_some()).collect();
        terms.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        for term in terms {
            let Some(activity) = term.activity.and_then(|i| self.activities.get(i)) else { continue };
            let signal = &self.pack.signals[activity.signal as usize];
            for Line { source, line, at, text } in self.lines(activity) {
                let (text, bytes) = match text {
                    Some(Text::Here(kept)) => (kept.text.to_string(), None),
                    Some(Text::There(offset, length)) => (String::new(), Some((*offset, *length))),
                    None => (String::new(), None),
                };
                if seen.insert((source, line)) && list.len() < 20 {
                    list.push(Citation {
                        source: self.evidence.sources.get(source).map(|s| s.path.clone()).unwrap_or_default(),
                        line,
                        timestamp: at.map(|ns| rfc3339(ns + self.evidence.sources.get(source).map_or(0, |s| s.clock.ahead), 3)),
                        text,
                        bytes,
                        signal: signal.id.clone(),
                        query: signal.query.clone(),
                        title: title(signal, activity),
                        weight: round(term.value),
                        count: activity.hits,
                        measured: activity.note.is_some(),
                    });
                }
            }
        }
        list
    }

    /// The first lines of an activity from its onset on, at most three.
    fn lines(&self, activity: &Activity) -> Vec<Line<'_>> {
        if activity.note.is_some() {
            let line = |(source, line): &(u32, u32)| Line { source: *source as usize, line: u64::from(*line), at: None, text: None };
            return activity.cite.iter().map(line).collect();
        }
        let (from, to) = (activity.onset * 1_000_000, (activity.last + 1000) * 1_000_000);
        let mut samples: Vec<(i64, usize, u32, &Text)> = activity
            .series
            .iter()
            .flat_map(|i| {
                let series = if activity.shown { &self.evidence.shown[*i] } else { &self.evidence.series[*i] };
                series.samples.iter().map(move |s| (s.nanos, series.source, s.line, &s.text))
            })
            .filter(|(t, ..)| activity.collected.is_some() || (from..=to).contains(t))
            .collect();
        samples.sort();
        let line = |(t, source, line, text)| Line { source, line: u64::from(line), at: Some(t), text: Some(text) };
        samples.into_iter().take(3).map(line).collect()
    }

    fn advice(&self, h: &Hypothesis) -> Advice {
        let fault = &self.pack.faults[h.fault];
        let filler = Filler::new(self.evidence, self.incident, h);
        Advice { check: filler.lines(&fault.check), fix: filler.lines(&fault.fix), prevent: filler.lines(&fault.prevent) }
    }

    /// Logs that would decide: only where the program does not stand by a cause.
    fn missing(&self, causes: &[Cause]) -> Vec<Missing> {
        if causes.first().is_some_and(|c| c.confidence >= SURE) {
            return Vec::new();
        }
        let Context { evidence, topology, pack, incident, list, id, .. } = *self;
        Unsure { evidence, topology, pack, incident, list, id }.wanted()
    }

    fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        let felt = felt(self.incident);
        for s in &felt {
            tree.node(Node {
                id: format!("symptom:{}@{}", s.id, s.entity),
                kind: Kind::Symptom,
                gate: Gate::Or,
                label: format!("{} at {}", s.id, s.entity),
                belief: None,
            });
        }
        let shown: Vec<usize> = (0..self.list.len())
            .filter(|i| {
                self.list[*i].confidence >= FURTHER
                    || self.list[*i].step_of.and_then(|r| self.list.get(r)).is_some_and(|r| r.confidence >= FURTHER)
            })
            .take(12)
            .collect();
        let name = |i: usize| format!("{}@{}", self.pack.faults[self.list[i].fault].id, self.list[i].place);
        for &i in &shown {
            let h = &self.list[i];
            let kind = if h.step_of.is_some() { Kind::Step } else { Kind::Root };
            let label = format!("{} at {}", self.pack.faults[h.fault].title, h.entities.first().map_or("", |e| e));
            tree.node(Node { id: name(i), kind, gate: Gate::Or, label, belief: h.step_of.is_none().then_some(h.confidence) });
        }
        for &i in &shown {
            let h = &self.list[i];
            if let Some(root) = h.step_of.filter(|r| shown.contains(r)) {
                tree.edge(&name(root), &name(i));
            }
            let leads: Vec<usize> = shown.iter().copied().filter(|j| self.list[*j].step_of == Some(i)).collect();
            if leads.is_empty() {
                for s in &felt {
                    tree.edge(&name(i), &format!("symptom:{}@{}", s.id, s.entity));
                }
            }
            for term in h.terms.iter().filter(|t| t.activity.is_some() && t.value > 0.2).take(4) {
                let id = format!("{}:{}", name(i), term.name);
                let title = self.pack.signal(&term.name).map_or(term.name.as_str(), |s| self.pack.signals[s as usize].title.as_str());
                tree.node(Node {
                    id: id.clone(),
                    kind: Kind::Basic,
                    gate: Gate::Or,
                    label: format!("{title} ({})", term.note),
                    belief: None,
                });
                tree.edge(&id, &name(i));
            }
        }
        tree
    }
}

/// Whether findings hold an error.
pub fn has_errors(findings: &[crate::rules::Finding]) -> bool {
    findings.iter().any(|f| f.weight == Weight::Error)
}
