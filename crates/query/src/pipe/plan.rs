//! Makes of stages what can be run: names are looked up, stages that follow each other are put together.

use super::ast::{Aggregation, Function, Measure, Named, Placed, Ranked, Stage};
use super::cell::{Cell, Column, Unit};
use super::condition::{Condition, Test};
use super::known;
use super::take::Take;
use crate::error::QueryError;
use crate::fields::{Sense, TIMES, Target, nearest};
use crate::query::UnknownField;
use std::ops::Range;
use std::sync::Arc;

/// What is done with the events that a query finds.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// Sorting and limits of events, one after the other.
    pub(super) keeps: Vec<Choice>,
    /// Records to show around each hit.
    pub(super) context: usize,
    pub(super) gather: Gather,
    /// The fields that groups ask of events.
    pub(super) needs: Vec<Target>,
    /// What follows, over the rows.
    pub(super) rows: Vec<Step>,
    /// The columns of the answer; none where it is the events themselves.
    pub(super) columns: Vec<Column>,
    pub(super) unknown: Vec<UnknownField>,
    /// By how many the memory for events is shared; 0 counts as 1.
    pub(super) shared_by: usize,
    /// Of events that are the answer, only their text is wanted.
    pub(super) text_only: bool,
    /// What passes before this one found, where the groups are too many for one.
    pub(super) found: Option<Arc<FoundBefore>>,
}

/// What passes over the events found of more groups than can be held at once: each takes the next ones in the order of their values.
#[derive(Clone, Debug, Default)]
pub(super) struct FoundBefore {
    /// The values of the last group that was looked at.
    pub(super) last: Box<[u8]>,
    /// The best rows so far.
    pub(super) best: Vec<Vec<Cell>>,
    /// What must be said about them.
    pub(super) notes: Vec<String>,
    /// How many passes there were.
    pub(super) passes: usize,
}

impl Plan {
    /// How many of the steps over rows choose some of them, where that is the first thing that is done with them: the best, or those that
    /// pass a condition.
    pub(super) fn choosing(&self) -> Option<usize> {
        let mut steps = self.rows.iter().take_while(|step| matches!(step, Step::Sort(_) | Step::Where(_))).count();
        let has = |wanted: fn(&Step) -> bool| self.rows.iter().take(steps).any(wanted);
        let (sorted, chosen) = (has(|step| matches!(step, Step::Sort(_))), has(|step| matches!(step, Step::Where(_))));
        let limited = matches!(self.rows.get(steps), Some(Step::Limit(_)));
        steps += usize::from(limited);
        (chosen || sorted && limited).then_some(steps)
    }
}

/// Which events go on, and in what order.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    /// By what they are sorted, before their place; whether the largest comes first.
    pub(super) keys: Vec<(Take, bool)>,
    pub(super) most: Option<usize>,
}

/// What is made of events.
#[derive(Clone, Debug, Default)]
pub(super) enum Gather {
    /// They are the answer.
    #[default]
    Events,
    /// A row for each.
    Fields(Vec<Take>),
    Groups(Grouping),
    Timeline(Option<i64>),
    Patterns,
}

/// Measures over groups.
#[derive(Clone, Debug)]
pub(super) struct Grouping {
    pub(super) measures: Vec<Measured>,
    pub(super) by: Vec<Take>,
    /// Where the time is taken from, and the length of intervals in nanoseconds.
    pub(super) every: Option<(Take, i64)>,
}

/// One measure.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) function: Function,
    pub(super) of: Option<Take>,
}

/// What is done with rows.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Sort(Vec<(usize, bool)>),
    Where(Test),
    Limit(usize),
    Pick(Vec<usize>),
    Groups(Grouping),
}

/// Makes a plan of stages.
pub(super) fn plan(stages: &[Placed]) -> Result<Plan, QueryError> {
    let mut planner = Planner { plan: Plan::default(), view: None, tabled: false };
    for (stage, span) in stages {
        planner.stage(stage, span)?;
    }
    planner.finish();
    Ok(planner.plan)
}

struct Planner {
    plan: Plan,
    /// After `fields`, the names that are left, and what each takes of an event.
    view: Option<Vec<(Column, Take)>>,
    /// Rows have been made of the events.
    tabled: bool,
}

/// A name that was looked up.
struct Found {
    take: Take,
    unit: Unit,
    /// Whether there may be numbers in it.
    countable: bool,
}

impl Planner {
    fn stage(&mut self, stage: &Stage, span: &Range<usize>) -> Result<(), QueryError> {
        let whole = matches!(stage, Stage::Patterns | Stage::Context(_) | Stage::Timeline(_));
        if whole && (self.tabled || self.view.is_some()) {
            return Err(QueryError::new("this stage needs the events themselves", span.clone())
                .help("it stands before the stages that make rows of them: EXPRESSION | patterns | limit 10"));
        }
        if self.plan.context > 0 && !matches!(stage, Stage::Limit(_)) {
            return Err(QueryError::new("only a limit can follow context", span.clone())
                .help("lines around a hit are shown, not counted; sort or count without context"));
        }
        match stage {
            Stage::Limit(most) => self.limit(*most),
            Stage::Where(condition) => self.choose(condition, span)?,
            Stage::Sort(keys) => {
                let keys = keys.iter().map(|(name, down)| Ok((self.find(name)?.take, *down))).collect::<Result<Vec<_>, QueryError>>()?;
                self.sort(keys);
            }
            Stage::Fields(names) => self.fields(names)?,
            Stage::Aggregate(all) => self.aggregate(all)?,
            Stage::Top { most, of, by } => self.top(*most, of, by)?,
            Stage::Patterns => self.table(
                Gather::Patterns,
                &[("count", Unit::Plain), ("pattern", Unit::Plain), ("at", Unit::Plain), ("example", Unit::Plain)],
            ),
            Stage::Timeline(step) => {
                self.table(Gather::Timeline(step.as_ref().map(|s| s.nanos)), &[("time", Unit::Time), ("count", Unit::Plain)])
            }
            Stage::Context(around) => self.plan.context = *around,
        }
        Ok(())
    }

    fn limit(&mut self, most: usize) {
        if self.tabled {
            self.plan.rows.push(Step::Limit(most));
            return;
        }
        match self.plan.keeps.last_mut() {
            Some(last) => last.most = Some(last.most.map_or(most, |m| m.min(most))),
            None => self.plan.keeps.push(Choice { keys: Vec::new(), most: Some(most) }),
        }
    }

    fn choose(&mut self, condition: &Condition, span: &Range<usize>) -> Result<(), QueryError> {
        if !self.tabled {
            return Err(QueryError::new("where chooses rows of a table, and these are events", span.clone())
                .help("what to look for stands before the first pipe: status:503 path:/api/* | count by path | where count > 10"));
        }
        let columns = &self.plan.columns;
        let place = |name: &Named| columns.iter().position(|c| c.name == name.text).ok_or_else(|| no_column(name, columns.iter()));
        let test = Test::of(condition, columns, &place)?;
        self.plan.rows.push(Step::Where(test));
        Ok(())
    }

    fn sort(&mut self, keys: Vec<(Take, bool)>) {
        if self.tabled {
            let column = |take: &Take| if let Take::Column(number) = take { Some(*number) } else { None };
            self.plan.rows.push(Step::Sort(keys.iter().filter_map(|(take, down)| Some((column(take)?, *down))).collect()));
        } else {
            self.plan.keeps.push(Choice { keys, most: None });
        }
    }

    fn fields(&mut self, names: &[Named]) -> Result<(), QueryError> {
        let mut picked: Vec<(Column, Take)> = Vec::new();
        for name in names {
            let found = self.find(name)?;
            let column = Column { name: name.text.clone(), unit: found.unit };
            distinct(picked.iter().map(|(c, _)| c), &column, &name.span)?;
            picked.push((column, found.take));
        }
        if self.tabled {
            let numbers = picked.iter().filter_map(|(_, take)| if let Take::Column(n) = take { Some(*n) } else { None });
            self.plan.rows.push(Step::Pick(numbers.collect()));
            self.plan.columns = picked.into_iter().map(|(column, _)| column).collect();
        } else {
            self.view = Some(picked);
        }
        Ok(())
    }

    fn top(&mut self, most: usize, of: &[Named], by: &Ranked) -> Result<(), QueryError> {
        match by {
            Ranked::Name(name) if of.is_empty() => {
                let key = self.find(name)?.take;
                self.sort(vec![(key, true)]);
            }
            Ranked::Name(name) => {
                return Err(QueryError::new(format!("by which measure of `{}`?", name.text), name.span.clone())
                    .help(format!("for instance: by count, by max {name}, by p99 {name}")));
            }
            Ranked::Measure(measure) => {
                let all = Aggregation { measures: vec![measure.clone()], by: of.to_vec(), every: None };
                self.aggregate(&all)?;
                self.sort(vec![(Take::Column(of.len()), true)]);
            }
        }
        self.limit(most);
        Ok(())
    }

    fn aggregate(&mut self, all: &Aggregation) -> Result<(), QueryError> {
        let mut columns: Vec<Column> = Vec::new();
        let mut add = |column: Column, span: &Range<usize>| -> Result<(), QueryError> {
            distinct(columns.iter(), &column, span)?;
            columns.push(column);
            Ok(())
        };
        let mut every = None;
        if let (Some(step), Some(first)) = (&all.every, all.measures.first()) {
            let take = self.time(&first.span.0)?;
            add(Column { name: "time".into(), unit: Unit::Time }, &first.span.0)?;
            every = Some((take, step.nanos));
        }
        let mut by = Vec::new();
        for name in &all.by {
            let found = self.find(name)?;
            add(Column { name: name.text.clone(), unit: found.unit }, &name.span)?;
            by.push(found.take);
        }
        let mut measures = Vec::new();
        for measure in &all.measures {
            let (measured, column) = self.measure(measure)?;
            add(column, measure.name.as_ref().map_or(&measure.span.0, |n| &n.span))?;
            measures.push(measured);
        }
        let grouping = Grouping { measures, by, every };
        if self.tabled {
            self.plan.rows.push(Step::Groups(grouping));
        } else {
            self.plan.gather = Gather::Groups(grouping);
            self.tabled = true;
        }
        self.plan.columns = columns;
        Ok(())
    }

    /// Where intervals take their time from.
    fn time(&mut self, span: &Range<usize>) -> Result<Take, QueryError> {
        if !self.tabled {
            return Ok(Take::Time);
        }
        let place = self.plan.columns.iter().position(|c| c.unit == Unit::Time);
        place.map(Take::Column).ok_or_else(|| {
            QueryError::new("these rows have no time that could be cut into intervals", span.clone())
                .help("every belongs to the stage before: count by host every 1m | max count by host")
        })
    }

    fn measure(&mut self, measure: &Measure) -> Result<(Measured, Column), QueryError> {
        let function = measure.function;
        if function == Function::Rate && self.tabled {
            return Err(QueryError::new("rate counts events, and these are rows", measure.span.0.clone())
                .help("write count, or put rate into the stage before"));
        }
        let mut unit = if function == Function::Rate { Unit::PerSecond } else { Unit::Plain };
        let mut take = None;
        if let Some(of) = &measure.of {
            let found = self.find(of)?;
            let order = matches!(function, Function::Min | Function::Max);
            if function != Function::Distinct {
                if found.unit == Unit::Time && !order {
                    return Err(QueryError::new(format!("{function} of a time has no meaning"), of.span.clone())
                        .help("min time and max time are the first and the last"));
                }
                if !found.countable {
                    return Err(QueryError::new(format!("`{}` is text, and {function} needs numbers", of.text), of.span.clone())
                        .help(format!("to count events for each value: count by {of}; to count different values: distinct {of}")));
                }
                unit = found.unit;
            }
            take = Some(found.take);
        }
        let name = match (&measure.name, &measure.of) {
            (Some(name), _) => name.text.clone(),
            (None, Some(of)) => format!("{function}_{}", of.text),
            (None, None) => function.to_string(),
        };
        Ok((Measured { function, of: take }, Column { name, unit }))
    }

    fn find(&mut self, name: &Named) -> Result<Found, QueryError> {
        if self.tabled {
            let columns = &self.plan.columns;
            let place = columns.iter().position(|c| c.name == name.text).ok_or_else(|| no_column(name, columns.iter()))?;
            return Ok(Found { take: Take::Column(place), unit: columns[place].unit, countable: true });
        }
        if let Some(view) = &self.view {
            let (column, take) =
                view.iter().find(|(c, _)| c.name == name.text).ok_or_else(|| no_column(name, view.iter().map(|(c, _)| c)))?;
            let countable = if let Take::Field(target) = take { countable(target) } else { true };
            return Ok(Found { take: take.clone(), unit: column.unit, countable });
        }
        if TIMES.contains(&name.text.as_str()) {
            return Ok(Found { take: Take::Time, unit: Unit::Time, countable: true });
        }
        let target = Target::find_either(&name.text);
        if let Target::Other(text) = &target {
            self.plan.unknown.push(UnknownField { name: text.clone(), span: name.span.clone() });
        }
        Ok(Found { unit: Unit::of(&target), countable: countable(&target), take: Take::Field(target) })
    }

    fn table(&mut self, gather: Gather, columns: &[(&str, Unit)]) {
        self.plan.gather = gather;
        self.plan.columns = columns.iter().map(|(name, unit)| Column { name: (*name).into(), unit: *unit }).collect();
        self.tabled = true;
    }

    fn finish(&mut self) {
        if let (Some(view), false) = (self.view.take(), self.tabled) {
            let (columns, takes) = view.into_iter().unzip();
            self.plan.columns = columns;
            self.plan.gather = Gather::Fields(takes);
        }
        if let Gather::Groups(grouping) = &mut self.plan.gather {
            self.plan.needs = known::number(grouping);
        }
    }
}

/// Whether numbers may be found in a field.
fn countable(target: &Target) -> bool {
    match target.sense() {
        Sense::Number | Sense::Duration | Sense::Bytes => true,
        Sense::Whole => matches!(target, Target::Other(_)),
        Sense::Words | Sense::Address | Sense::Level => false,
    }
}

fn distinct<'c>(mut columns: impl Iterator<Item = &'c Column>, new: &Column, span: &Range<usize>) -> Result<(), QueryError> {
    if columns.any(|c| c.name == new.name) {
        return Err(QueryError::new(format!("there are two columns `{}`", new.name), span.clone())
            .help("give one of them another name: count as requests"));
    }
    Ok(())
}

fn no_column<'c>(name: &Named, columns: impl Iterator<Item = &'c Column>) -> QueryError {
    let names: Vec<&str> = columns.map(|c| c.name.as_str()).collect();
    let error = QueryError::new(format!("there is no column `{}` here", name.text), name.span.clone());
    error.help(match nearest(&name.text.to_lowercase(), names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? The columns here are {}", names.join(", ")),
        None => format!("the columns here are {}", names.join(", ")),
    })
}
