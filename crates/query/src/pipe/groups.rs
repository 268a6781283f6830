//! Measures over groups, gathered as integers that merge in any order.

use super::ast::Function;
use super::cell::{Cell, Seen, read, write_empty};
use super::fixed::Fixed;
use super::known::Known;
use super::plan::{Grouping, Measured};
use super::recent::Recent;
use super::sketch::{Distinct, EXACT, Sketch};
use super::take::Input;
use rustc_hash::FxHashMap;

/// Most groups of an answer. The first in the order of their values are kept, so that which ones they are depends on nothing else.
pub const MOST_GROUPS: usize = 100_000;
/// The same where percentiles or distinct values are gathered, which take more memory.
pub const MOST_HEAVY_GROUPS: usize = 10_000;
/// An event with several values in several fields counts in so many groups at most.
const MOST_AT_ONCE: usize = 64;

#[derive(Clone, Debug, Default, PartialEq)]
struct Group {
    rows: u64,
    states: Vec<State>,
}

/// What was gathered of one measure in one group.
#[derive(Clone, Debug, PartialEq)]
enum State {
    Count(u64),
    Sum { sum: i128, of: u64 },
    Least(Option<i128>),
    Most(Option<i128>),
    Sketch(Box<Sketch>),
    Distinct(Box<Distinct>),
}

impl State {
    fn new(function: Function) -> State {
        match function {
            Function::Count | Function::Rate => State::Count(0),
            Function::Sum | Function::Avg => State::Sum { sum: 0, of: 0 },
            Function::Min => State::Least(None),
            Function::Max => State::Most(None),
            Function::Percentile(_) => State::Sketch(Box::default()),
            Function::Distinct => State::Distinct(Box::default()),
        }
    }

    /// Whether the value could be counted.
    fn add(&mut self, seen: &Seen<'_>, scratch: &mut Vec<u8>) -> bool {
        if let State::Distinct(distinct) = self {
            scratch.clear();
            seen.write(scratch);
            distinct.add(scratch);
            return true;
        }
        let number = match seen {
            Seen::Time(time) => Some(Fixed(i128::from(*time))),
            other => other.number(),
        };
        let Some(number) = number else { return false };
        match self {
            State::Sum { sum, of } => {
                *sum = sum.saturating_add(number.0);
                *of += 1;
            }
            State::Least(least) => *least = Some(least.map_or(number.0, |l| l.min(number.0))),
            State::Most(most) => *most = Some(most.map_or(number.0, |m| m.max(number.0))),
            State::Sketch(sketch) => sketch.add(number),
            State::Count(_) | State::Distinct(_) => {}
        }
        true
    }

    fn merge(&mut self, other: State) {
        match (self, other) {
            (State::Count(a), State::Count(b)) => *a += b,
            (State::Sum { sum, of }, State::Sum { sum: more, of: others }) => {
                *sum = sum.saturating_add(more);
                *of += others;
            }
            (State::Least(a), State::Least(b)) => *a = [*a, b].into_iter().flatten().min(),
            (State::Most(a), State::Most(b)) => *a = (*a).max(b),
            (State::Sketch(a), State::Sketch(b)) => a.merge(&b),
            (State::Distinct(a), State::Distinct(b)) => a.merge(&b),
            // Both were made by the same plan.
            _ => {}
        }
    }
}

/// Groups that are being gathered.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    plan: Grouping,
    /// Their numbers by their values.
    numbers: FxHashMap<Box<[u8]>, u32>,
    groups: Vec<Group>,
    recent: Recent,
    most: usize,
    /// Groups up to this one were looked at by a pass before.
    behind: Option<Box<[u8]>>,
    /// Rows that were put into groups, each as often as into how many.
    placed: u64,
    /// Values that were no numbers.
    no_numbers: u64,
    crowded: u64,
    span: Option<(i64, i64)>,
    scratch: Scratch,
}

#[derive(Clone, Debug, Default)]
struct Scratch {
    key: Vec<u8>,
    keys: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    value: Vec<u8>,
}

/// Groups that were not kept.
pub(super) struct Left {
    /// The values of the last group that was kept; the others lie behind it.
    pub(super) last: Box<[u8]>,
    /// What must be said where they are left out.
    pub(super) note: String,
}

impl Groups {
    pub(super) fn new(plan: &Grouping) -> Groups {
        let heavy = plan.measures.iter().any(|m| matches!(m.function, Function::Percentile(_) | Function::Distinct));
        Groups {
            plan: plan.clone(),
            numbers: FxHashMap::default(),
            groups: Vec::new(),
            recent: Recent::default(),
            most: if heavy { MOST_HEAVY_GROUPS } else { MOST_GROUPS },
            behind: None,
            placed: 0,
            no_numbers: 0,
            crowded: 0,
            span: None,
            scratch: Scratch::default(),
        }
    }

    /// The same for the groups behind one, in the order of their values.
    pub(super) fn behind(self, last: Option<&[u8]>) -> Groups {
        Groups { behind: last.map(Box::from), ..self }
    }

    pub(super) fn add(&mut self, input: Input<'_>) {
        match input {
            Input::Known(event) => self.add_known(&event),
            Input::Hit(hit) => {
                self.reach(hit.time());
                self.add_anew(input);
                self.bound();
            }
            Input::Row(_) => {
                self.add_anew(input);
                self.bound();
            }
        }
    }

    /// Adds an event of which only some fields are known.
    pub(super) fn add_known(&mut self, event: &Known<'_>) {
        self.reach(event.time);
        match self.recent.find(&self.plan, event) {
            Some(number) => self.put(number, Input::Known(*event)),
            None => {
                if let Some(number) = self.add_anew(Input::Known(*event)) {
                    self.recent.remember(number);
                }
                self.bound();
            }
        }
    }

    fn reach(&mut self, time: Option<i64>) {
        if let Some(time) = time {
            self.span = Some(self.span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        }
    }

    fn bound(&mut self) {
        if self.groups.len() > 2 * self.most {
            self.prune();
        }
    }

    /// Adds events of which nothing is asked but how many they are.
    pub(super) fn add_counted(&mut self, events: u64) {
        if events == 0 {
            return;
        }
        let number = self.number(&[]);
        let Some(group) = self.groups.get_mut(number as usize) else { return };
        group.rows += events;
        self.placed += events;
        for state in &mut group.states {
            if let State::Count(count) = state {
                *count += events;
            }
        }
    }

    /// Finds the groups of an input by its values. The number of the group where it is one.
    #[inline(never)]
    fn add_anew(&mut self, input: Input<'_>) -> Option<u32> {
        self.keys(input);
        let is_done = |behind: &Option<Box<[u8]>>, key: &[u8]| behind.as_ref().is_some_and(|last| key <= &**last);
        if self.scratch.keys.is_empty() {
            if is_done(&self.behind, &self.scratch.key) {
                return None;
            }
            let key = std::mem::take(&mut self.scratch.key);
            let number = self.number(&key);
            self.scratch.key = key;
            self.put(number, input);
            return Some(number);
        }
        let mut keys = std::mem::take(&mut self.scratch.keys);
        keys.retain(|key| !is_done(&self.behind, key));
        for key in &keys {
            let number = self.number(key);
            self.put(number, input);
        }
        keys.clear();
        self.scratch.keys = keys;
        None
    }

    /// The number of a group, which is made if it is new.
    fn number(&mut self, key: &[u8]) -> u32 {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = self.groups.len() as u32;
        self.groups.push(empty(&self.plan.measures));
        self.numbers.insert(key.into(), number);
        number
    }

    /// Finds the group of an input, or the groups where a field has several values.
    fn keys(&mut self, input: Input<'_>) {
        let Scratch { key, keys, values, .. } = &mut self.scratch;
        key.clear();
        keys.clear();
        if let Some((take, step)) = &self.plan.every {
            let mut begin = None;
            take.each(input, &mut |seen| {
                if let Seen::Time(time) = seen {
                    begin = Some(time.div_euclid(*step).saturating_mul(*step));
                }
            });
            match begin {
                Some(time) => Seen::Time(time).write(key),
                None => write_empty(key),
            }
        }
        for take in &self.plan.by {
            let mut count = 0;
            take.each(input, &mut |seen| {
                if values.len() == count {
                    values.push(Vec::new());
                }
                values[count].clear();
                seen.write(&mut values[count]);
                if !values[..count].contains(&values[count]) {
                    count += 1;
                }
            });
            match count {
                0 | 1 => {
                    let one = |key: &mut Vec<u8>| if count == 0 { write_empty(key) } else { key.extend(&values[0]) };
                    if keys.is_empty() { one(key) } else { keys.iter_mut().for_each(one) }
                }
                _ => {
                    if keys.is_empty() {
                        keys.push(key.clone());
                    }
                    let all = keys.iter().flat_map(|key| values[..count].iter().map(|value| [key.as_slice(), value].concat()));
                    let mut all: Vec<Vec<u8>> = all.take(MOST_AT_ONCE + 1).collect();
                    if all.len() > MOST_AT_ONCE {
                        all.truncate(MOST_AT_ONCE);
                        self.crowded += 1;
                    }
                    *keys = all;
                }
            }
        }
    }

    fn put(&mut self, number: u32, input: Input<'_>) {
        let Some(group) = self.groups.get_mut(number as usize) else { return };
        group.rows += 1;
        self.placed += 1;
        for (state, measure) in group.states.iter_mut().zip(&self.plan.measures) {
            match (&measure.of, state) {
                (None, State::Count(count)) => *count += 1,
                (Some(take), state) => take.each(input, &mut |seen| {
                    self.no_numbers += u64::from(!state.add(&seen, &mut self.scratch.value));
                }),
                (None, _) => {}
            }
        }
    }

    /// Keeps the first groups in the order of their values. A group that falls out has that many before it, now and later, so it could
    /// not be part of the answer however the events come.
    fn prune(&mut self) {
        if self.groups.len() <= self.most {
            return;
        }
        let mut keys: Vec<Box<[u8]>> = self.numbers.keys().cloned().collect();
        let (_, last, _) = keys.select_nth_unstable(self.most - 1);
        let last = last.clone();
        self.numbers.retain(|key, _| *key <= last);
        self.recent.clear();
        let mut kept = Vec::with_capacity(self.numbers.len());
        for number in self.numbers.values_mut() {
            let group = self.groups.get_mut(*number as usize).map(std::mem::take).unwrap_or_default();
            *number = kept.len() as u32;
            kept.push(group);
        }
        self.groups = kept;
    }

    /// The groups behind their values, in no order.
    fn take(&mut self) -> Vec<(Box<[u8]>, Group)> {
        let mut groups = std::mem::take(&mut self.groups);
        let taken = std::mem::take(&mut self.numbers).into_iter();
        taken.filter_map(|(key, number)| Some((key, groups.get_mut(number as usize).map(std::mem::take)?))).collect()
    }

    pub(super) fn merge(&mut self, mut other: Groups) {
        for (key, group) in other.take() {
            let number = self.number(&key);
            if let Some(own) = self.groups.get_mut(number as usize) {
                own.rows += group.rows;
                own.states.iter_mut().zip(group.states).for_each(|(a, b)| a.merge(b));
            }
        }
        self.placed += other.placed;
        self.no_numbers += other.no_numbers;
        self.crowded += other.crowded;
        let ends = [self.span, other.span].into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        self.span = ends;
        self.prune();
    }

    /// The rows in the order of their groups, and what must be said about them.
    pub(super) fn finish(self, notes: &mut Vec<String>) -> Vec<Vec<Cell>> {
        let (rows, left) = self.finish_part(notes);
        notes.extend(left.map(|left| left.note));
        rows
    }

    /// The same, and the groups that are left for another pass.
    pub(super) fn finish_part(mut self, notes: &mut Vec<String>) -> (Vec<Vec<Cell>>, Option<Left>) {
        if self.groups.is_empty() && self.plan.by.is_empty() && self.plan.every.is_none() {
            self.number(&[]);
        }
        self.prune();
        let kept: u64 = self.groups.iter().map(|g| g.rows).sum();
        self.tell(notes);
        let mut groups: Vec<(Box<[u8]>, Group)> = self.take();
        groups.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let left = groups.last().filter(|_| self.placed > kept).map(|(last, _)| Left {
            last: last.clone(),
            note: format!(
                "there are more than {} groups: the first of them in the order of their values are kept, {} events of others are left out; ask for less, or group by fewer fields",
                self.most,
                self.placed - kept
            ),
        });
        let mut estimated = false;
        let rows = groups
            .into_iter()
            .map(|(key, group)| {
                let mut row = Vec::with_capacity(self.plan.by.len() + self.plan.measures.len() + 1);
                let mut rest: &[u8] = &key;
                while let Some((cell, after)) = read(rest) {
                    row.push(cell);
                    rest = after;
                }
                row.extend(group.states.iter().zip(&self.plan.measures).map(|(state, measure)| self.result(state, measure)));
                estimated |= row.iter().any(|cell| matches!(cell, Cell::Estimate(_)));
                row
            })
            .collect();
        if estimated {
            notes.push(format!("distinct values beyond {EXACT} are estimated; two in three estimates are within 2.2 %"));
        }
        (rows, left)
    }

    fn tell(&self, notes: &mut Vec<String>) {
        if self.no_numbers > 0 {
            notes.push(format!("{} values are no numbers and are left out of what is measured", self.no_numbers));
        }
        if self.crowded > 0 {
            notes.push(format!("{} events have so many values that they are counted in {MOST_AT_ONCE} groups each only", self.crowded));
        }
    }

    fn result(&self, state: &State, measure: &Measured) -> Cell {
        let timed = matches!(measure.of, Some(super::take::Take::Time));
        let number = |n: Option<i128>| match n {
            Some(n) if timed => Cell::Time(i64::try_from(n).unwrap_or(i64::MAX)),
            Some(n) => Cell::Number(Fixed(n)),
            None => Cell::Empty,
        };
        match (state, measure.function) {
            (State::Count(count), Function::Rate) => self.rate(*count),
            (State::Count(count), _) => Cell::Number(Fixed::count(*count)),
            (State::Sum { sum, of }, Function::Avg) => Fixed::mean(*sum, *of).map_or(Cell::Empty, Cell::Number),
            (State::Sum { of: 0, .. }, _) => Cell::Empty,
            (State::Sum { sum, .. }, _) => Cell::Number(Fixed(*sum)),
            (State::Least(n) | State::Most(n), _) => number(*n),
            (State::Sketch(sketch), Function::Percentile(p)) => sketch.percentile(p).map_or(Cell::Empty, Cell::Number),
            (State::Sketch(_), _) => Cell::Empty,
            (State::Distinct(distinct), _) => match distinct.count() {
                (count, true) => Cell::Number(Fixed::count(count)),
                (count, false) => Cell::Estimate(Fixed::count(count)),
            },
        }
    }

    /// Events per second: of the interval, else of the time from the first event to the last, a second at least.
    fn rate(&self, count: u64) -> Cell {
        const SECOND: i128 = 1_000_000_000;
        let length = match (&self.plan.every, self.span) {
            (Some((_, step)), _) => i128::from(*step),
            (None, Some((first, last))) => (i128::from(last) - i128::from(first)).max(SECOND),
            (None, None) => return Cell::Empty,
        };
        Cell::Number(Fixed(i128::from(count) * SECOND * SECOND / length))
    }
}

fn empty(measures: &[Measured]) -> Group {
    Group { rows: 0, states: measures.iter().map(|m| State::new(m.function)).collect() }
}
