//! Runs pipes over the events that a query found: in parts, in any order, on any number of threads; then puts the parts together.

use super::Pipeline;
use super::cell::Cell;
use super::groups::Groups;
use super::keep::{Found, Keep};
use super::known::Known;
use super::patterns::Patterns;
use super::plan::{Choice, FoundBefore, Gather, Plan, Step};
use super::take::{Hit, Input, Place, Take};
use super::timeline::Timeline;
use std::sync::Arc;

/// What one thread gathered.
#[derive(Clone, Debug)]
pub struct Partial {
    plan: Arc<Plan>,
    matched: u64,
    part: Part,
}

#[derive(Clone, Debug)]
enum Part {
    Keep(Box<Keep>),
    Groups(Box<Groups>),
    Timeline(Timeline),
    Patterns(Patterns),
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How many events the query found.
    pub matched: u64,
    /// The result.
    pub result: Answered,
    /// What must be said about it: limits that were reached, values that were left out.
    pub notes: Vec<String>,
    /// The events behind this place were too many to be held; they are gathered by [`Partial`]s that begin behind it. Only where the
    /// answer is in the order of events.
    pub next: Option<Place>,
    /// There are more groups than could be held: the same question for the rest of them, which carries the best so far along. What was found
    /// is no answer before it has been asked as well.
    pub rest: Option<Pipeline>,
}

/// What an answer consists of.
#[derive(Clone, Debug)]
pub enum Answered {
    /// Events.
    Events(Vec<Found>),
    /// Rows of a table.
    Rows(Vec<Vec<Cell>>),
}

impl Partial {
    pub(super) fn new(plan: &Arc<Plan>, after: Option<Place>) -> Partial {
        let choice = match (&plan.keeps[..], &plan.gather) {
            ([first, ..], _) => Some(first.clone()),
            ([], Gather::Events | Gather::Fields(_)) => Some(Choice::default()),
            ([], _) => None,
        };
        // What follows may ask for fields.
        let text_only = plan.text_only && plan.keeps.len() <= 1 && matches!(plan.gather, Gather::Events);
        let part = match choice {
            Some(choice) => Part::Keep(Box::new(Keep::new(choice, after).shared_by(plan.shared_by).text_only(text_only))),
            None => Part::gathering(&plan.gather, plan.found.as_deref().map(|before| &*before.last)),
        };
        Partial { plan: plan.clone(), matched: 0, part }
    }

    /// Takes an event.
    pub fn add(&mut self, hit: &Hit<'_>) {
        self.matched += 1;
        self.part.add(hit);
    }

    /// Takes an event of which only that is known which the pipeline needs ([`Pipeline::needs`](super::Pipeline::needs)).
    #[inline]
    pub fn add_known(&mut self, event: &Known<'_>) {
        self.matched += 1;
        match &mut self.part {
            Part::Groups(groups) => groups.add_known(event),
            Part::Timeline(timeline) => timeline.add(event.time),
            // They need whole events.
            Part::Keep(_) | Part::Patterns(_) => {}
        }
    }

    /// Takes so many events, where nothing else is asked of them
    /// ([`Pipeline::needs_only_count`](super::Pipeline::needs_only_count)).
    pub fn add_counted(&mut self, events: u64) {
        self.matched += events;
        if let Part::Groups(groups) = &mut self.part {
            groups.add_counted(events);
        }
    }

    /// Puts in what another thread gathered.
    pub fn merge(&mut self, other: Partial) {
        self.matched += other.matched;
        match (&mut self.part, other.part) {
            (Part::Keep(a), Part::Keep(b)) => a.merge(*b),
            (Part::Groups(a), Part::Groups(b)) => a.merge(*b),
            (Part::Timeline(a), Part::Timeline(b)) => a.merge(b),
            (Part::Patterns(a), Part::Patterns(b)) => a.merge(b),
            // Both were made by the same plan.
            _ => {}
        }
    }

    /// The answer, once everything has been taken.
    pub fn finish(self) -> Answer {
        let Partial { plan, matched, part } = self;
        let mut answer = Answer { matched, result: Answered::Events(Vec::new()), notes: Vec::new(), next: None, rest: None };
        let rows = match part {
            Part::Keep(keep) => match from_events(&plan, *keep, &mut answer) {
                Some(rows) => rows,
                None => return answer,
            },
            Part::Groups(groups) => match from_groups(&plan, *groups, &mut answer) {
                Some(rows) => rows,
                None => return answer,
            },
            other => other.rows(&mut answer.notes),
        };
        answer.result = Answered::Rows(steps(&plan.rows, rows, &mut answer.notes));
        answer
    }
}

/// So often the events are gone through for the best of many groups.
const MOST_PASSES: usize = 100;

/// So many rows are carried from one pass to the next.
const MOST_CHOSEN: usize = 1_000_000;

/// The rows of groups; none where others must be looked at first.
fn from_groups(plan: &Arc<Plan>, groups: Groups, answer: &mut Answer) -> Option<Vec<Vec<Cell>>> {
    let before = plan.found.as_deref();
    let (mut rows, left) = groups.finish_part(&mut answer.notes);
    if let Some(before) = before {
        rows.splice(0..0, before.best.iter().cloned());
        // What is told of values was counted by the first pass.
        answer.notes.clone_from(&before.notes);
    }
    let passes = before.map_or(0, |before| before.passes) + 1;
    match (left, plan.choosing()) {
        (Some(left), Some(steps)) if passes < MOST_PASSES => {
            let best = self::steps(plan.rows.get(..steps).unwrap_or(&[]), rows, &mut Vec::new());
            if best.len() > MOST_CHOSEN {
                answer.notes.push(left.note);
                return Some(best);
            }
            let found = FoundBefore { last: left.last, best, notes: std::mem::take(&mut answer.notes), passes };
            answer.rest = Some(Pipeline::of_plan(Plan { found: Some(Arc::new(found)), ..Plan::clone(plan) }));
            None
        }
        (left, _) => {
            answer.notes.extend(left.map(|left| left.note));
            Some(rows)
        }
    }
}

/// What becomes of events that were kept; none where they are the answer themselves.
fn from_events(plan: &Plan, keep: Keep, answer: &mut Answer) -> Option<Vec<Vec<Cell>>> {
    let mut kept = keep.finish();
    if kept.cut.is_some() {
        if plan.in_order() {
            answer.next = kept.cut;
        } else {
            answer
                .notes
                .push(format!("only the first {} events in this order could be held; add a limit, or ask for less", kept.found.len()));
        }
    }
    for choice in plan.keeps.iter().skip(1) {
        kept.found = choose(choice, kept.found);
    }
    match &plan.gather {
        Gather::Events => {
            answer.result = Answered::Events(kept.found);
            None
        }
        Gather::Fields(takes) => Some(kept.found.iter().map(|found| found.with(|hit| row(takes, hit))).collect()),
        gather => {
            let mut part = Part::gathering(gather, None);
            kept.found.iter().for_each(|found| found.with(|hit| part.add(hit)));
            Some(part.rows(&mut answer.notes))
        }
    }
}

/// The values of a row that is made of one event.
pub(super) fn row(takes: &[Take], hit: &Hit<'_>) -> Vec<Cell> {
    takes.iter().map(|take| take.cell(Input::Hit(hit))).collect()
}

/// Sorts events once more. Those that are equal stay in the order in which they are.
fn choose(choice: &Choice, found: Vec<Found>) -> Vec<Found> {
    let keys = |found: &Found| found.with(|hit| choice.keys.iter().map(|(take, _)| take.last(Input::Hit(hit))).collect::<Vec<Cell>>());
    let mut keyed: Vec<(Vec<Cell>, Found)> = found.into_iter().map(|f| (keys(&f), f)).collect();
    keyed.sort_by(|a, b| {
        let each = a.0.iter().zip(&b.0).zip(&choice.keys).map(|((a, b), (_, down))| a.sorted(b, *down));
        each.into_iter().find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    keyed.truncate(choice.most.unwrap_or(usize::MAX));
    keyed.into_iter().map(|(_, found)| found).collect()
}

impl Found {
    /// Hands over the event as it was found.
    fn with<T>(&self, use_hit: impl FnOnce(&Hit<'_>) -> T) -> T {
        use_hit(&Hit::timed(&self.event.as_record(), &self.source, self.rank, self.event.time))
    }
}

impl Part {
    fn gathering(gather: &Gather, behind: Option<&[u8]>) -> Part {
        match gather {
            Gather::Groups(plan) => Part::Groups(Box::new(Groups::new(plan).behind(behind))),
            Gather::Timeline(step) => Part::Timeline(Timeline::new(*step)),
            Gather::Patterns => Part::Patterns(Patterns::default()),
            Gather::Events | Gather::Fields(_) => Part::Keep(Box::new(Keep::new(Choice::default(), None))),
        }
    }

    fn add(&mut self, hit: &Hit<'_>) {
        match self {
            Part::Keep(keep) => keep.add(hit),
            Part::Groups(groups) => groups.add(Input::Hit(hit)),
            Part::Timeline(timeline) => timeline.add(hit.time()),
            Part::Patterns(patterns) => patterns.add(hit),
        }
    }

    fn rows(self, notes: &mut Vec<String>) -> Vec<Vec<Cell>> {
        match self {
            Part::Keep(_) => Vec::new(),
            Part::Groups(groups) => groups.finish(notes),
            Part::Timeline(timeline) => timeline.finish(notes),
            Part::Patterns(patterns) => patterns.finish(notes),
        }
    }
}

/// Runs the stages that follow over rows.
fn steps(steps: &[Step], mut rows: Vec<Vec<Cell>>, notes: &mut Vec<String>) -> Vec<Vec<Cell>> {
    for step in steps {
        match step {
            Step::Limit(most) => rows.truncate(*most),
            Step::Where(test) => rows.retain(|row| test.holds(row)),
            Step::Pick(columns) => {
                rows.iter_mut().for_each(|row| *row = columns.iter().map(|c| row.get(*c).cloned().unwrap_or(Cell::Empty)).collect());
            }
            Step::Sort(keys) => rows.sort_by(|a, b| {
                let each = keys.iter().map(|(column, down)| match (a.get(*column), b.get(*column)) {
                    (Some(a), Some(b)) => a.sorted(b, *down),
                    _ => std::cmp::Ordering::Equal,
                });
                each.into_iter().find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
            }),
            Step::Groups(plan) => {
                let mut groups = Groups::new(plan);
                rows.iter().for_each(|row| groups.add(Input::Row(row)));
                rows = groups.finish(notes);
            }
        }
    }
    rows
}

impl Plan {
    /// Whether the answer consists of the events in their order, or of a row for each.
    pub(super) fn in_order(&self) -> bool {
        matches!(self.gather, Gather::Events | Gather::Fields(_)) && self.keeps.iter().all(|k| k.keys.is_empty())
    }
}
