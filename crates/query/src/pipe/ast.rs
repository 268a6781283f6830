//! Pipes as they are written. Printing them gives text that reads back the same.

use super::condition::Condition;
use std::fmt;
use std::ops::Range;

/// A name in a pipe, with its place in bytes of the query.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name, without quotes.
    pub text: String,
    /// Where it stands.
    pub span: Range<usize>,
}

/// Where a name stands is no part of what it says.
impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// One stage between two pipes.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// `count, p99 duration by path every 1m`
    Aggregate(Aggregation),
    /// `top 10 path by p99 duration`, `top 10 by count`
    Top {
        /// How many.
        most: usize,
        /// The fields of which the values are counted; none where whole rows are meant.
        of: Vec<Named>,
        /// By what: a measure of the events of each value, or a column of the rows.
        by: Ranked,
    },
    /// `sort -count, path`
    Sort(Vec<(Named, Down)>),
    /// `where count > 10`
    Where(Condition),
    /// `limit 20`
    Limit(usize),
    /// `fields time, host, msg`
    Fields(Vec<Named>),
    /// `patterns`
    Patterns,
    /// `context 3`
    Context(usize),
    /// `timeline every 1m`; without a step one is chosen that gives some fifty intervals at most.
    Timeline(Option<Step>),
}

/// A stage, and where it stands.
pub type Placed = (Stage, Range<usize>);

/// By what `top` ranks.
#[derive(Clone, Debug, PartialEq)]
pub enum Ranked {
    /// A measure: `count`, `p99 duration`.
    Measure(Measure),
    /// A column or field.
    Name(Named),
}

/// Whether the largest comes first.
pub type Down = bool;

/// Measures over groups of events or rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregation {
    /// What is measured; at least one.
    pub measures: Vec<Measure>,
    /// By which fields.
    pub by: Vec<Named>,
    /// In intervals of this length.
    pub every: Option<Step>,
}

/// A measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// What is done with the values.
    pub function: Function,
    /// Of which field; none for `count` and `rate`.
    pub of: Option<Named>,
    /// What its column is called.
    pub name: Option<Named>,
    /// Where it stands.
    pub span: Place,
}

/// A place in a query; it is no part of what the query says.
#[derive(Clone, Debug)]
pub struct Place(pub Range<usize>);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What is done with the values of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// How many events or rows.
    Count,
    /// The sum of the numbers.
    Sum,
    /// Their mean.
    Avg,
    /// The smallest number or earliest time.
    Min,
    /// The largest number or latest time.
    Max,
    /// The number of this rank, in thousandths of a per cent: 99,000 for `p99`.
    Percentile(u32),
    /// How many different values.
    Distinct,
    /// Events per second.
    Rate,
}

/// The words of functions, for errors; percentiles have a number in theirs.
pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
    ("distinct", Function::Distinct),
    ("rate", Function::Rate),
];

/// The words of the other stages.
pub(super) const STAGES: &[&str] = &["top", "sort", "where", "limit", "fields", "patterns", "context", "timeline"];

impl Function {
    /// The function that a word names.
    pub(super) fn find(word: &str) -> Option<Function> {
        let plain = FUNCTIONS.iter().find(|(name, _)| *name == word).map(|(_, f)| *f);
        plain.or_else(|| percentile(word.strip_prefix('p')?).map(Function::Percentile))
    }

    /// Whether it measures the values of a field.
    pub(super) fn wants_field(self) -> bool {
        !matches!(self, Function::Count | Function::Rate)
    }
}

/// `99.9` in thousandths; `None` when it is no number from 0 to 100 with three digits after the dot at most.
fn percentile(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str| (1..=3).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    let thousandths: u32 = format!("{part:0<3}").parse().ok()?;
    let all = whole.parse::<u32>().ok()? * 1000 + thousandths;
    (all <= 100_000).then_some(all)
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Function::Percentile(p) if p % 1000 == 0 => write!(f, "p{}", p / 1000),
            Function::Percentile(p) => write!(f, "p{}.{}", p / 1000, format!("{:03}", p % 1000).trim_end_matches('0')),
            other => f.write_str(FUNCTIONS.iter().find(|(_, g)| g == other).map_or("", |(name, _)| name)),
        }
    }
}

/// The length of intervals.
#[derive(Clone, Debug)]
pub struct Step {
    /// In nanoseconds; at least a millisecond.
    pub nanos: i64,
    /// As it was written.
    pub text: String,
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '-');
        let keyword = matches!(self.text.as_str(), "by" | "every" | "as");
        if self.text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '@')) && self.text.chars().all(plain) && !keyword {
            return f.write_str(&self.text);
        }
        write!(f, "\"{}\"", self.text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.function)?;
        if let Some(of) = &self.of {
            write!(f, " {of}")?;
        }
        match &self.name {
            Some(name) => write!(f, " as {name}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Aggregate(all) => {
                list(f, &all.measures)?;
                if !all.by.is_empty() {
                    f.write_str(" by ")?;
                    list(f, &all.by)?;
                }
                all.every.as_ref().map_or(Ok(()), |step| write!(f, " every {}", step.text))
            }
            Stage::Top { most, of, by } => {
                write!(f, "top {most} ")?;
                list(f, of)?;
                let gap = if of.is_empty() { "" } else { " " };
                match by {
                    Ranked::Measure(measure) => write!(f, "{gap}by {measure}"),
                    Ranked::Name(name) => write!(f, "{gap}by {name}"),
                }
            }
            Stage::Sort(keys) => {
                f.write_str("sort ")?;
                let keys: Vec<String> = keys.iter().map(|(name, down)| format!("{}{name}", if *down { "-" } else { "" })).collect();
                f.write_str(&keys.join(", "))
            }
            Stage::Where(condition) => write!(f, "where {condition}"),
            Stage::Limit(most) => write!(f, "limit {most}"),
            Stage::Fields(names) => {
                f.write_str("fields ")?;
                list(f, names)
            }
            Stage::Patterns => f.write_str("patterns"),
            Stage::Context(around) => write!(f, "context {around}"),
            Stage::Timeline(None) => f.write_str("timeline"),
            Stage::Timeline(Some(step)) => write!(f, "timeline every {}", step.text),
        }
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}
