//! What queries need of one field: most ask for a value by its name, and are looked up by it.

use crate::ast::{Literal, Test};
use crate::fields::Sense;
use crate::memo::Memo;
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

/// Values that were met, and the questions that they answer. To be used for one field only.
#[derive(Debug, Default)]
pub(crate) struct Met {
    numbers: FxHashMap<i64, Box<[u32]>>,
    texts: Memo,
}

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
    pub(crate) fn ask(&self, value: Value<'_>, met: &mut Met, put: &mut impl FnMut(u32)) {
        match value {
            Value::Str(text) if text.is_ascii() => self.ask_text(text, &mut met.texts, put),
            Value::Int(number) => match met.numbers.get(&number) {
                Some(questions) => questions.iter().for_each(|question| put(*question)),
                None if met.numbers.len() < NUMBERS => {
                    let questions: Box<[u32]> = self.all().filter(|need| need.holds(value)).map(|need| need.question).collect();
                    questions.iter().for_each(|question| put(*question));
                    met.numbers.insert(number, questions);
                }
                None => self.all().filter(|need| need.holds(value)).for_each(|need| put(need.question)),
            },
            _ => self.all().filter(|need| need.holds(value)).for_each(|need| put(need.question)),
        }
    }

    fn ask_text(&self, text: &str, memo: &mut Memo, put: &mut impl FnMut(u32)) {
        if let Some(questions) = memo.get(text.as_bytes()) {
            return questions.iter().for_each(|question| put(*question));
        }
        let filed = match text.bytes().any(|b| b.is_ascii_uppercase()) {
            true => self.by_text.get(&text.to_ascii_lowercase()),
            false => self.by_text.get(text),
        };
        let holding = self.rest.iter().filter(|need| need.holds(Value::Str(text))).map(|need| need.question);
        let questions: Vec<u32> = filed.into_iter().flatten().copied().chain(holding).collect();
        questions.iter().for_each(|question| put(*question));
        memo.put(text.as_bytes(), &questions);
    }

    fn all(&self) -> impl Iterator<Item = &FieldNeed> {
        self.filed.iter().chain(&self.rest)
    }
}
