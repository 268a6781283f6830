//! The whole answer about a bundle, as plain data.

use crate::tree::Tree;
use serde::Serialize;

/// Everything found about a bundle. Serialised as contract.md describes it (sources and books are added by the program).
#[derive(Debug, Default, Serialize)]
pub struct Diagnosis {
    /// What users felt, in order of onset.
    pub incidents: Vec<IncidentReport>,
    /// Ranked causes over all incidents.
    pub causes: Vec<Cause>,
    /// Logs that would decide.
    pub missing: Vec<Missing>,
    /// Where no incident was found: what speaks of a fault all the same.
    pub noted: Vec<Noted>,
    /// Where no incident was found: the requests of users.
    #[serde(skip)]
    pub arrived: Arrived,
    /// Where no incident was found: a while in which most requests stayed away.
    #[serde(skip)]
    pub quiet: Option<Quiet>,
    /// The fault tree of each incident.
    #[serde(skip)]
    pub trees: Vec<Tree>,
}

/// What speaks of a fault, although nobody was seen to feel it: a signal, with the first line that shows it.
#[derive(Debug, Default, Serialize)]
pub struct Noted {
    /// The signal.
    pub signal: String,
    /// The fault of which it says most.
    pub fault: String,
    /// What it means.
    pub title: String,
    /// What it is worth to the fault of which it says most: `supporting`, `strong` or `conclusive`.
    pub strength: &'static str,
    /// The same as a number.
    #[serde(skip)]
    pub weight: f64,
    /// Whom the first line accuses.
    pub entity: String,
    /// How many are accused.
    pub places: usize,
    /// When it was first seen, RFC 3339.
    pub onset: String,
    /// When it was last seen, RFC 3339.
    pub last: String,
    /// How often it was seen.
    pub count: u64,
    /// Path of the source of the first line.
    pub source: String,
    /// That line.
    pub line: u64,
    /// Its text as it stands there; filled in by whoever can read the source, where it is empty.
    pub text: String,
    /// Where the text is, for whoever fills it in: offset and number of its bytes; `None` for the first line as a whole.
    #[serde(skip)]
    pub bytes: Option<(u64, u16)>,
    /// What the signal seeks in lines, as a query; empty where it was measured.
    #[serde(skip)]
    pub query: String,
}

/// A while in which most requests stayed away, although none failed.
#[derive(Debug)]
pub struct Quiet {
    /// RFC 3339.
    pub start: String,
    /// RFC 3339.
    pub end: String,
    /// Requests that came.
    pub requests: usize,
    /// How many usually come.
    pub usual: usize,
}

/// Requests as users sent them, each counted where it came in.
#[derive(Debug, Default)]
pub struct Arrived {
    /// How many.
    pub requests: usize,
    /// Answered with 5xx.
    pub failed: usize,
    /// Answered with 4xx.
    pub rejected: usize,
    /// The machines whose logs show them.
    pub hosts: Vec<String>,
    /// No request was logged elsewhere.
    pub is_all: bool,
}

/// How bad an incident was; the worst is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Grade {
    /// At least half of the requests failed, or none came any more.
    P1,
    /// At least a tenth failed, or half were slow.
    P2,
    /// Anything else that was felt.
    P3,
}

impl Grade {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::P1 => "P1",
            Grade::P2 => "P2",
            Grade::P3 => "P3",
        }
    }
}

/// One incident.
#[derive(Debug, Serialize)]
pub struct IncidentReport {
    /// `incident-1`, ...
    pub id: String,
    /// RFC 3339, agreed clock.
    pub start: String,
    /// RFC 3339, agreed clock.
    pub end: String,
    /// Whether it was over before the logs end.
    pub recovered: bool,
    /// How bad it was.
    pub grade: Grade,
    /// 0 (nothing works) to 100; `None` where only lines of programs tell of failures, so that nobody knows what went well.
    pub health: Option<u8>,
    /// What was felt; nothing where no log shows any request, and only programs complain.
    pub symptoms: Vec<SymptomReport>,
    /// Score terms that no rule explains are left to the unknown: its probability.
    pub unexplained: f64,
    /// How much of that would be a step of a cause without the cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub besides: Vec<Besides>,
    /// Every hypothesis that was weighed, the best first, at most twenty.
    pub considered: Vec<Considered>,
}

/// A step of a cause that may have come about without it.
#[derive(Debug, Serialize)]
pub struct Besides {
    /// Id of the step.
    pub id: String,
    /// Id of the cause.
    pub without: String,
    /// Probability.
    pub confidence: f64,
}

/// A hypothesis that was weighed.
#[derive(Debug, Serialize)]
pub struct Considered {
    /// Id of the fault.
    pub id: String,
    /// The place that it was weighed for.
    pub place: String,
    /// Sum of the terms (log odds).
    pub score: f64,
    /// Probability among the roots.
    pub confidence: f64,
    /// The fault that explains it, where it is only a step.
    pub step_of: Option<String>,
    /// Since when.
    pub onset: String,
    /// Every term.
    pub terms: Vec<Entry>,
}

/// One symptom, measured.
#[derive(Debug, Serialize)]
pub struct SymptomReport {
    /// Id.
    pub id: String,
    /// Where it was seen.
    pub entity: String,
    /// RFC 3339.
    pub start: String,
    /// RFC 3339.
    pub end: String,
    /// Requests in that stretch at that place.
    pub requests: usize,
    /// Requests that it concerns.
    pub failed: usize,
    /// Their share.
    pub share: f64,
    /// Distinct clients concerned.
    pub clients: usize,
    /// Method and path of most requests concerned, numbers and ids masked; at most three.
    pub paths: Vec<FailedPath>,
    /// Median duration of all requests in that stretch, seconds.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Median before the incident.
    pub p50_before: Option<f64>,
    /// 90th percentile before the incident.
    pub p90_before: Option<f64>,
    /// 99th percentile before the incident.
    pub p99_before: Option<f64>,
}

/// A path, and how many of the requests concerned ask for it.
#[derive(Debug, Clone, Serialize)]
pub struct FailedPath {
    /// Method and path, numbers and ids masked.
    pub path: String,
    /// How many.
    pub failed: usize,
}

/// One cause.
#[derive(Debug, Serialize)]
pub struct Cause {
    /// Id of taxonomy or rule.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Whom it accuses; the label a person would use first.
    pub entities: Vec<String>,
    /// Probability, 0 to 1.
    pub confidence: f64,
    /// Since when, RFC 3339, agreed clock.
    pub onset: String,
    /// The incident.
    pub incident: String,
    /// Symptoms that it leads to.
    pub explains: Vec<String>,
    /// Id of the cause that it competes with; `None` for the first.
    pub alternative_to: Option<String>,
    /// The lines that speak for (positive weight) and against it.
    pub evidence: Vec<Citation>,
    /// From the cause up to the symptom.
    pub why: Vec<Step>,
    /// Every term of the score.
    pub ledger: Vec<Entry>,
    /// What to do.
    pub advice: Advice,
}

/// A proving line.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Citation {
    /// Path of the source.
    pub source: String,
    /// Line in it.
    pub line: u64,
    /// Its time, RFC 3339.
    pub timestamp: Option<String>,
    /// The text as it stands there; filled in by whoever can read the source, where it is empty.
    pub text: String,
    /// Where the text is, for whoever fills it in: offset and number of its bytes; `None` for the first line as a whole.
    #[serde(skip)]
    pub bytes: Option<(u64, u16)>,
    /// The signal it shows.
    pub signal: String,
    /// What the signal seeks in lines, as a query; empty where it was measured.
    #[serde(skip)]
    pub query: String,
    /// What the signal means.
    pub title: String,
    /// The worth of the signal.
    pub weight: f64,
    /// How often the signal was seen around the incident.
    pub count: u64,
    /// It was measured over many records, of which this is one: the numbers stand in the title.
    #[serde(skip_serializing_if = "is_false")]
    pub measured: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// A step of the chain.
#[derive(Debug, Serialize)]
pub struct Step {
    /// Id of the fault or symptom.
    pub id: String,
    /// In words.
    pub text: String,
    /// Where.
    pub entity: String,
    /// Since when; no later than what follows from it.
    pub onset: String,
    /// When it was first told, where that was later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
}

/// A term of the score.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// Its name.
    pub term: String,
    /// Its worth.
    pub value: f64,
    /// In words.
    pub note: String,
}

/// What to do.
#[derive(Debug, Default, Serialize)]
pub struct Advice {
    /// What to look at.
    pub check: Vec<String>,
    /// How to repair it.
    pub fix: Vec<String>,
    /// How to keep it from coming back.
    pub prevent: Vec<String>,
}

/// A log that would decide.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Whose.
    pub host: String,
    /// Which.
    pub log: String,
    /// What it would tell.
    pub why: String,
    /// How to get it.
    pub command: String,
    /// Id of the fault that it would decide on; empty where it would help in general.
    #[serde(rename = "for")]
    pub decides: String,
    /// The incident.
    pub incident: String,
    /// Where it lies among what was given, but could not be read; filled in by whoever read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}
