//! The command line.

use crate::output::found::Colours;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use whyline_diagnose::Grade;

/// Reads the logs of an outage and says why it happened: which fault came first, how it led to what users saw, the lines that
/// prove it, and what to do.
#[derive(Parser, Debug)]
#[command(
    version,
    propagate_version = true,
    after_help = "Exit codes: 0 done (also for healthy logs), 1 a negative answer, 2 wrong usage, query, rule or path, 3 part of the input could not be read (the answer comes from the rest)."
)]
pub struct Cli {
    /// Number of threads [default: all cores]
    #[arg(long, global = true, env = "WHYLINE_THREADS", value_name = "N")]
    pub threads: Option<usize>,
    /// The folder of the store
    #[arg(long, global = true, default_value = ".whyline", value_name = "DIR")]
    pub store: PathBuf,
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Say why an outage happened, from its logs (or, without PATH, from the store)
    Diagnose(Diagnose),
    /// Show what is read of log files, one event per line
    Parse(Parse),
    /// Store the events of log files, to ask them again and again
    Ingest(Ingest),
    /// Ask for events, in the store or straight in files
    Query(Query),
    /// Say what the store holds, check it, remove what is old
    Store(StoreArgs),
    /// List the formats that are read, or say which was chosen for a file
    Formats(Formats),
    /// List, show, check and test rules
    Rules(Rules),
}

/// How inputs are read.
#[derive(Args, Debug, Clone, Default)]
pub struct Reading {
    /// Zone of time stamps that carry none: `UTC`, `+02:00`, `Europe/Zurich`, or `HOST=ZONE` for one host (may repeat)
    #[arg(long, value_name = "ZONE")]
    pub tz: Vec<String>,
    /// Year of the first time stamp that carries none
    #[arg(long, value_name = "YEAR")]
    pub year: Option<i16>,
    /// Whose logs these are: NAME=GLOB over the paths (may repeat)
    #[arg(long, value_name = "NAME=GLOB")]
    pub host: Vec<String>,
    /// Encoding of text that is not UTF-8: `latin1`, `windows-1252`, `gb18030`, `shift_jis`, `utf-16le`, ..., or `NAME=GLOB` for the
    /// paths that fit, whatever they look like (may repeat) [default: found by the text]
    #[arg(long, value_name = "NAME")]
    pub encoding: Vec<String>,
    /// The `log_format` of nginx access logs, or with `apache:` before it a `LogFormat` of Apache (may repeat)
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Vec<String>,
    /// More rules and formats: a file or folder (may repeat)
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// End with exit code 3 when a record was refused, or when the books do not balance
    #[arg(long)]
    pub strict: bool,
}

/// Which stretch of time is meant.
#[derive(Args, Debug, Clone, Default)]
pub struct Window {
    /// Only events from this time on: RFC 3339, `2026-11-21 10:00`, `21 Nov 10:00`, `@1795255001`, or counted from the last event:
    /// `10:00`, `-1h`, `1h ago`, `today 09:30`, `yesterday 14:00`, `now`
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Only events up to this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Only events around this time
    #[arg(long, value_name = "TIME", conflicts_with_all = ["since", "until"], allow_hyphen_values = true)]
    pub around: Option<String>,
    /// How far around
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub window: String,
}

/// `whyline diagnose`
#[derive(Args, Debug)]
pub struct Diagnose {
    /// Log files and folders, `-` for standard input; without any, the store
    pub paths: Vec<PathBuf>,
    /// How to answer
    #[arg(long, value_enum, default_value = "text")]
    pub format: DiagnosisFormat,
    /// Show every term of every score
    #[arg(long)]
    pub explain: bool,
    /// Logs of a good day, for a bundle that begins inside the trouble: what is usual is taken from them (may repeat)
    #[arg(long, value_name = "PATH", conflicts_with_all = ["since", "around"])]
    pub baseline: Vec<PathBuf>,
    /// End with exit code 1 when there is an incident of this grade or a worse one
    #[arg(long, value_name = "GRADE", value_enum, ignore_case = true)]
    pub fail_on: Option<LeastGrade>,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub window: Window,
}

/// From which grade on an incident counts.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeastGrade {
    /// At least half of the requests failed
    P1,
    /// At least a tenth failed, or half were slow
    P2,
    /// Anything that users felt
    P3,
}

impl LeastGrade {
    /// The grade, as reports have it.
    pub fn grade(self) -> Grade {
        match self {
            LeastGrade::P1 => Grade::P1,
            LeastGrade::P2 => Grade::P2,
            LeastGrade::P3 => Grade::P3,
        }
    }
}

/// How a diagnosis is written.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiagnosisFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// The fault tree for Graphviz
    Dot,
    /// The fault tree for Mermaid
    Mermaid,
}

/// `whyline parse`
#[derive(Args, Debug)]
pub struct Parse {
    /// Log files and folders, `-` for standard input
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Read everything as this format
    #[arg(long = "as", value_name = "FORMAT")]
    pub only: Option<String>,
    /// Mine templates and add them as `log.template`
    #[arg(long, hide = true)]
    pub templates: bool,
    /// How to write events
    #[arg(long, value_enum, default_value = "jsonl")]
    pub format: EventsFormat,
    #[command(flatten)]
    pub reading: Reading,
}

/// How events are written by `parse`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsFormat {
    /// One JSON object per line
    Jsonl,
    /// Nothing: read everything and print the books only
    None,
}

/// `whyline ingest`
#[derive(Args, Debug)]
pub struct Ingest {
    /// Log files and folders, `-` for standard input
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// What storing may use of memory (`400MiB`, `1GB`)
    #[arg(long, value_name = "SIZE", default_value = "400MiB")]
    pub memory: String,
    /// How much of the logs is stored at a time: what was stored lasts, whatever happens then
    #[arg(long, value_name = "SIZE", default_value = "64MB")]
    pub batch: String,
    /// Remove the oldest events when the store grows beyond this size (`10GB`)
    #[arg(long, value_name = "SIZE")]
    pub max_store: Option<String>,
    #[command(flatten)]
    pub reading: Reading,
}

/// `whyline store`
#[derive(Args, Debug)]
pub struct StoreArgs {
    /// What to do
    #[command(subcommand)]
    pub verb: StoreVerb,
    /// How to answer
    #[arg(long, value_enum, default_value = "text", global = true)]
    pub format: PlainFormat,
}

/// The verbs of `whyline store`.
#[derive(Subcommand, Debug)]
pub enum StoreVerb {
    /// Say what the store holds: events, sources, sizes, times
    Info,
    /// Read every file of the store and say whether it is as it was written
    Verify,
    /// Put together what is scattered, and free what was removed
    Compact {
        /// Give up what is damaged and keep the rest; ingesting the original logs again brings it back. Without this, nothing is
        /// rewritten while something is damaged
        #[arg(long)]
        drop_damaged: bool,
    },
    /// Remove events that are old, or that came from some sources
    ///
    /// A source that was removed whole (--source) is stored anew when it is ingested again. Events that went by --before, or by
    /// --max-store of `ingest`, stay away while their source is known; to have them again, remove the source whole and ingest it.
    #[command(group(clap::ArgGroup::new("which").required(true).args(["before", "source"])))]
    Rm {
        /// Events before this time (as for --since of `query`); those without any time stay
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        before: Option<String>,
        /// Sources that `query 'source:GLOB'` finds: `web01/*`, `*.log.1` (may repeat)
        #[arg(long, value_name = "GLOB")]
        source: Vec<String>,
        /// Only say what would be removed of each source
        #[arg(long)]
        dry_run: bool,
    },
}

/// `whyline query`
#[derive(Args, Debug)]
#[command(after_help = QUERY_HELP)]
pub struct Query {
    /// What to ask for, and behind pipes what to make of it: `status:502 | count by path`
    pub expression: String,
    /// Files to ask instead of the store
    pub paths: Vec<PathBuf>,
    /// Print only how many events or rows there are
    #[arg(long)]
    pub count: bool,
    /// Print at most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// How to write events and rows
    #[arg(long, value_enum, default_value = "text")]
    pub format: QueryFormat,
    /// Write the records as they stand, and nothing else
    #[arg(long, conflicts_with_all = ["format", "count"])]
    pub raw: bool,
    /// Show events of files as they are found, source after source, instead of in the order of time; with --limit, reading ends early
    #[arg(long, requires = "paths")]
    pub stream: bool,
    /// When to use colours, and to mark what was sought
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    pub color: Colours,
    /// Write to the terminal itself, not through `$PAGER` (or less)
    #[arg(long)]
    pub no_pager: bool,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub window: Window,
}

/// How events and rows are written by `query`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryFormat {
    /// The raw lines with source and line number; rows in columns
    Text,
    /// Columns that fit the terminal
    Table,
    /// One JSON object per line; lengths of time in seconds
    Jsonl,
    /// CSV (RFC 4180) with a head; lengths of time in seconds
    Csv,
}

const QUERY_HELP: &str = "\
Asking:
  status:503 AND upstream:10.0.0.3            fields, AND OR NOT, parentheses; a space means AND
  \"connection reset by peer\"                  words in a row, any case
  path:/api/*  host:web?                      wildcards, over the whole value
  msg:/timed out \\(110: .*\\)/                 regular expressions (Rust syntax)
  status:>=500 duration:>2s bytes:[1k TO 1M]  comparisons and ranges, with units
  status:(502 503 504)  client:10.0.0.0/8     any of these; address ranges
  field:*   NOT field:*                       present, missing

Pipes:
  count, sum F, avg F, min F, max F, p50 F ... p99.9 F, distinct F, rate   [by FIELD, ...] [every 1m]
  top 10 path [by p99 duration]   sort -count, path   limit 20   fields time, host, msg
  where count > 10 AND path = /api/*   rows of the table that the stage before made: > >= < <= = !=, AND OR NOT, parentheses
  patterns   context 3   timeline [every 1m]

Examples:
  whyline query 'status:>=500 path:/api/*' --since '1h ago'
  whyline query 'status:* | count by status every 1m'
  whyline query 'status:* | count, p99 duration by path | sort -p99_duration | limit 10' ./logs
  whyline query 'status:>=500 | count by client | where count > 10 | sort -count'
  whyline query 'level:>=error | patterns' --format table ./logs
  whyline query '\"connection refused\" | context 3' ./logs
  whyline query 'host:web01 | timeline every 10s' --around 10:15

Times: `2026-11-21T10:00:00Z`, `2026-11-21 10:00`, `21 Nov 10:00` (UTC, or the zone of --tz); `@1795255001`; and counted from the
last event: `10:00`, `-1h`, `1h ago`, `today 09:30`, `yesterday 14:00`, `now`.
Events come in the order of time, source and line. The exit code is 1 when nothing is found.";

/// `whyline formats`
#[derive(Args, Debug)]
pub struct Formats {
    /// Show one format: what it reads, its fields and samples
    #[arg(value_name = "NAME", conflicts_with_all = ["detect", "fields"])]
    pub name: Option<String>,
    /// Say which format was chosen for these files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub detect: Vec<PathBuf>,
    /// List the fields in place of the formats
    #[arg(long)]
    pub fields: bool,
    /// Formats of your own: a rule file or folder (may repeat)
    #[arg(long, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// How to answer
    #[arg(long, value_enum, default_value = "text")]
    pub format: PlainFormat,
}

/// How lists are written.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// `whyline rules`
#[derive(Args, Debug)]
pub struct Rules {
    /// What to do with them
    #[command(subcommand)]
    pub verb: RulesVerb,
}

/// The verbs of `whyline rules`.
#[derive(Subcommand, Debug)]
pub enum RulesVerb {
    /// List signals, faults and formats
    List {
        /// Only those whose id fits `db.*`, or in whose id or title this text stands
        pattern: Option<String>,
        /// Rule files or folders on top of the built-in pack
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// Show one signal, fault or format
    Show {
        /// Its id
        id: String,
        /// Rule files or folders on top of the built-in pack
        #[arg(long, value_name = "PATH")]
        rules: Vec<PathBuf>,
    },
    /// Say everything that is wrong with rule files
    Check {
        /// Rule files or folders; without any, the built-in pack
        paths: Vec<PathBuf>,
        /// Take the files by themselves, without the built-in pack
        #[arg(long)]
        alone: bool,
    },
    /// Run the example lines and samples of rule files
    Test {
        /// Rule files or folders; without any, the built-in pack
        paths: Vec<PathBuf>,
        /// Take the files by themselves, without the built-in pack
        #[arg(long)]
        alone: bool,
    },
    /// Say which signals the lines of logs match, and which warnings and errors speak for no fault
    Match(RulesMatch),
}

/// `whyline rules match`
#[derive(Args, Debug)]
pub struct RulesMatch {
    /// Log files and folders, `-` for standard input
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Only signals whose id fits `db.*`, or in whose id or title this text stands
    #[arg(long, value_name = "PATTERN")]
    pub signal: Option<String>,
    /// How to answer
    #[arg(long, value_enum, default_value = "text")]
    pub format: MatchFormat,
    #[command(flatten)]
    pub reading: Reading,
}

/// How the matches of rules are written.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchFormat {
    /// For people
    Text,
    /// One JSON object per signal, then one per kind of warnings and errors that speak for no fault
    Jsonl,
}
