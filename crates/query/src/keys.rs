//! What queries need of one field: most ask for a value by its name, and are looked up by it.

use crate::ast::{Literal, Test};
use crate::fields::Sense;
use rustc_hash::FxHashMap;
use whyline_event::Value;

/// A test of a field, and the question that needs it.
#[derive(Debug)]
pub(crate) struct FieldNeed {
    /// The test.
    pub(crate) test: Test,
    /// What values of the field mean.
    pub(crate) sense: Sense,
    /// The question.
    pub(crate) question: u32,
}

impl FieldNeed {
    fn holds(&self, value: Value<'_>) -> bool {
        self.test.holds(self.sense, value)
    }

    /// The only text that passes, folded; `None` when other texts may pass as well.
    fn only_text(&self) -> Option<&str> {
        match &self.test {
            Test::Is(literal) if self.sense == Sense::Whole && names_itself(literal) => Some(literal.folded()),
            _ => None,
        }
    }
}

/// Whether a literal has one spelling, case aside: it is no address.
fn names_itself(literal: &Literal) -> bool {
    literal.endpoint().is_none() && literal.network().is_none()
}

/// All that is needed of one field.
#[derive(Debug, Default)]
pub(crate) struct FieldNeeds {
    by_text: FxHashMap<String, Vec<u32>>,
    /// Those that are filed by their text, for values that are no text of ASCII.
    filed: Vec<FieldNeed>,
    rest: Vec<FieldNeed>,
}

/// Values that were met: numbers, and the questions that they answer. To be used for one field only.
pub(crate) type Numbers = FxHashMap<i64, Vec<u32>>;

/// So many different numbers of a field are remembered.
const NUMBERS: usize = 1_000;

impl FieldNeeds {
    /// Adds a need.
    pub(crate) fn add(&mut self, need: FieldNeed) {
        match need.only_text() {
            Some(text) => {
                self.by_text.entry(text.to_string()).or_default().push(need.question);
                self.filed.push(need);
            }
            None => self.rest.push(need),
        }
    }

    /// Whether nothing is needed.
    pub(crate) fn is_empty(&self) -> bool {
        self.filed.is_empty() && self.rest.is_empty()
    }

    /// Puts down the questions whose need a value meets.
    pub(crate) fn ask(&self, value: Value<'_>, numbers: &mut Numbers, put: &mut dyn FnMut(u32)) {
        match value {
            Value::Str(text) if text.is_ascii() => {
                self.look_up(text, put);
                self.rest.iter().filter(|need| need.holds(value)).for_each(|need| put(need.question));
            }
            Value::Int(number) => {
                let known = numbers.len();
                match numbers.entry(number) {
                    std::collections::hash_map::Entry::Occupied(entry) => entry.get().iter().for_each(|question| put(*question)),
                    std::collections::hash_map::Entry::Vacant(entry) => {
                        let questions: Vec<u32> = self.all().filter(|need| need.holds(value)).map(|need| need.question).collect();
                        questions.iter().for_each(|question| put(*question));
                        if known < NUMBERS {
                            entry.insert(questions);
                        }
                    }
                }
            }
            _ => self.all().filter(|need| need.holds(value)).for_each(|need| put(need.question)),
        }
    }

    fn look_up(&self, text: &str, put: &mut dyn FnMut(u32)) {
        if self.by_text.is_empty() {
            return;
        }
        let found = match text.bytes().any(|b| b.is_ascii_uppercase()) {
            true => self.by_text.get(&text.to_ascii_lowercase()),
            false => self.by_text.get(text),
        };
        found.into_iter().flatten().for_each(|question| put(*question));
    }

    fn all(&self) -> impl Iterator<Item = &FieldNeed> {
        self.filed.iter().chain(&self.rest)
    }
}
