//! Pipes: what is done with the events that a query finds.
//!
//! ```text
//! count by status, upstream every 1m          how many events for each group and minute
//! p99 duration as slow, avg bytes by path     count, sum, avg, min, max, p0 to p100, distinct, rate; several with commas
//! top 10 path                                 the most frequent values; top 10 path by p99 duration; top 10 by count
//! sort -count, path                           the largest first with a minus
//! where count > 10 AND path = /api/*          rows of a table that pass: columns by name, NOT, AND, OR, parentheses
//! limit 20                                    the first so many
//! fields time, host, msg                      some fields only
//! patterns                                    templates of messages with counts and an example
//! context 3                                   the records around each hit, from the same source
//! timeline every 1m                           a bar for each interval; without `every` a length is chosen
//! ```
//!
//! # What they mean
//!
//! - **Numbers** are taken to a billionth of their unit and summed as integers. Durations count in seconds, sizes in bytes, also where a
//!   record has them as text (`250ms`). A percentile is the number of that rank, within 0.8 % (the values lie in 128 buckets to each
//!   power of two, of which the roundest number is shown). `rate` is events per second: of each interval with `every`, else of the time from the first event to the last.
//! - **Missing values** are left out of `sum`, `avg`, `min`, `max`, percentiles and `distinct`; of nothing these give an empty cell
//!   (`distinct` gives 0). Values that are no numbers are left out as well, and counted in a note. `by` puts events without the field into
//!   a group of their own, an empty cell.
//! - **Several values** of a field: an event counts in the group of each, so that a group has as many events as `field:value` finds. `sort`
//!   takes the last one, `fields` shows all.
//! - **Conditions** (`where`) are asked of the rows that the stage before made. Numbers compare in the unit of their column, text as in
//!   `field:value`: the whole of it, any case, with wildcards. An empty cell passes nothing but `!=` and `NOT`.
//! - **Groups** go by the value as it stands, case included; a number and text that spells it are one group where the field is not in
//!   the table of fields. Rows come in the order of time and values, the empty ones last, unless sorted.
//! - **Intervals** begin at multiples of their length since 1970 UTC; so weeks begin on Thursday.
//! - **Bounds**: 100,000 groups, or 10,000 with percentiles or distinct values; distinct values are exact up to 2,048 and estimated
//!   beyond; 20,000 shapes of messages; 48 MB of events that are sorted. What is left out then is told in the notes, and which it is
//!   depends on the events alone.
//!
//! Everything is gathered in integers that merge in any order ([`Partial`]), so files, the store and any number of threads give the same
//! answer.

mod ast;
mod cell;
mod condition;
mod fixed;
mod groups;
mod keep;
mod known;
mod lex;
mod parse;
mod patterns;
mod plan;
mod recent;
mod run;
mod sketch;
mod take;
mod terms;
mod timeline;

pub use ast::{Aggregation, Function, Measure, Named, Ranked, Stage};
pub use cell::{Cell, Column, Unit};
pub use condition::{Condition, Sign, Written};
pub use fixed::Fixed;
pub use keep::Found;
pub use known::{Known, Needs};
pub use run::{Answer, Answered, Partial};
pub use take::{Hit, Place};

use crate::error::QueryError;
use crate::query::{Query, UnknownField};
use plan::{Choice, Gather, Plan, Step};
use std::fmt;
use std::sync::Arc;

/// A query with the pipes behind it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which events are meant.
    pub query: Query,
    /// What is done with them.
    pub pipeline: Pipeline,
}

impl Asked {
    /// Reads a query with its pipes: `EXPRESSION | stage | stage`.
    pub fn parse(text: &str) -> Result<Asked, QueryError> {
        let (query, end) = Query::parse_expression(text)?;
        Ok(Asked { query, pipeline: Pipeline::parse(text, end)? })
    }

    /// Fields that the query and its pipes name and the table does not know.
    pub fn unknown_fields(&self) -> impl Iterator<Item = &UnknownField> {
        self.query.unknown_fields().iter().chain(&self.pipeline.plan.unknown)
    }
}

/// What is done with the events that a query finds.
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    stages: Vec<Stage>,
    plan: Arc<Plan>,
}

impl Pipeline {
    /// Reads the pipes of a text from the first pipe on.
    fn parse(text: &str, from: usize) -> Result<Pipeline, QueryError> {
        let stages = parse::parse(text, from)?;
        let plan = Arc::new(plan::plan(&stages)?);
        Ok(Pipeline { stages: stages.into_iter().map(|(stage, _)| stage).collect(), plan })
    }

    /// A plan without its stages.
    fn of_plan(plan: Plan) -> Pipeline {
        Pipeline { stages: Vec::new(), plan: Arc::new(plan) }
    }

    /// The stages as written.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The columns of the answer; none where it consists of events.
    pub fn columns(&self) -> &[Column] {
        &self.plan.columns
    }

    /// How many records are to be shown around each event.
    pub fn context(&self) -> usize {
        self.plan.context
    }

    /// Whether the answer is a time line, of which the second column is drawn as bars.
    pub fn is_timeline(&self) -> bool {
        matches!(self.plan.gather, Gather::Timeline(_))
            && self.plan.rows.iter().all(|step| matches!(step, Step::Sort(_) | Step::Limit(_) | Step::Where(_)))
    }

    /// Whether the answer consists of the events in their order, or of a row for each: then they can be shown one by one, as
    /// [`Pipeline::row`] makes them, as many as [`Pipeline::most`] says.
    pub fn in_order(&self) -> bool {
        self.plan.in_order()
    }

    /// How many events of an answer in order are wanted.
    pub fn most(&self) -> Option<usize> {
        self.plan.keeps.iter().filter_map(|keep| keep.most).min()
    }

    /// The row for one event; none where the event itself is the answer.
    pub fn row(&self, hit: &Hit<'_>) -> Option<Vec<Cell>> {
        match &self.plan.gather {
            Gather::Fields(takes) => Some(run::row(takes, hit)),
            _ => None,
        }
    }

    /// The same with a limit at its end.
    #[must_use]
    pub fn limited(&self, most: usize) -> Pipeline {
        let mut plan = Plan::clone(&self.plan);
        match (&plan.gather, plan.keeps.last_mut()) {
            (Gather::Events | Gather::Fields(_), Some(last)) => last.most = Some(last.most.map_or(most, |m| m.min(most))),
            (Gather::Events | Gather::Fields(_), None) => plan.keeps.push(Choice { keys: Vec::new(), most: Some(most) }),
            _ => plan.rows.push(Step::Limit(most)),
        }
        Pipeline { stages: self.stages.clone(), plan: Arc::new(plan) }
    }

    /// The same for so many threads, which share the memory for events that are held.
    #[must_use]
    pub fn shared_by(&self, threads: usize) -> Pipeline {
        let plan = Plan { shared_by: threads, ..Plan::clone(&self.plan) };
        Pipeline { stages: self.stages.clone(), plan: Arc::new(plan) }
    }

    /// The same, of whose events only text, place and time are wanted: many more of them can be held.
    #[must_use]
    pub fn text_only(&self) -> Pipeline {
        let plan = Plan { text_only: true, ..Plan::clone(&self.plan) };
        Pipeline { stages: self.stages.clone(), plan: Arc::new(plan) }
    }

    /// Only how many events there are.
    pub fn counting() -> Pipeline {
        let measures = vec![plan::Measured { function: Function::Count, of: None }];
        let gather = Gather::Groups(plan::Grouping { measures, by: Vec::new(), every: None });
        Pipeline::of_plan(Plan { gather, ..Plan::default() })
    }

    /// Where one thread gathers; with a place, only events behind it.
    pub fn gather(&self, after: Option<Place>) -> Partial {
        Partial::new(&self.plan, after)
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stages.iter().try_for_each(|stage| write!(f, " | {stage}"))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.query, self.pipeline)
    }
}
