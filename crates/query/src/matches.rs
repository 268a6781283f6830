//! What a query means, on one record alone. Everything else that answers queries must answer like this.

use crate::ast::{Literal, Node, Op, Range, Test};
use crate::fields::{Sense, Target, is_access, is_of_stranger};
use crate::number::Amount;
use crate::query::Query;
use crate::words::{contains_words, eq_folded};
use std::cmp::Ordering;
use whyline_event::{Key, Kind, Name, Record, Severity, Source, Value};

impl Query {
    /// Whether the record is one that the query asks for. Its source is unknown: `source:` matches nothing, and `host:`
    /// only a host that the record names.
    pub fn matches(&self, record: &Record<'_>) -> bool {
        self.matches_in(record, None)
    }

    /// Whether the record is one that the query asks for. The source gives `source:` its path, and a host to records that
    /// name none.
    pub fn matches_in(&self, record: &Record<'_>, source: Option<&Source>) -> bool {
        let guarded = self.leaves_out_access();
        let asked = Asked { record, source, guarded, wordless: guarded && is_access(record) };
        asked.holds(self.root())
    }
}

/// A record that is asked.
pub(crate) struct Asked<'r, 'a> {
    pub(crate) record: &'r Record<'a>,
    pub(crate) source: Option<&'r Source>,
    /// The query is a rule's, which does not listen to strangers.
    pub(crate) guarded: bool,
    /// Bare words find only what a program says went wrong, and `body:` finds nothing.
    pub(crate) wordless: bool,
}

impl Asked<'_, '_> {
    pub(crate) fn holds(&self, node: &Node) -> bool {
        match node {
            Node::All => true,
            Node::And(nodes) => nodes.iter().all(|n| self.holds(n)),
            Node::Or(nodes) => nodes.iter().any(|n| self.holds(n)),
            Node::Not(node) => !self.holds(node),
            Node::Words(phrase) if self.wordless => errors(self.record).any(|text| contains_words(text, phrase.words())),
            Node::Words(phrase) => self.says(phrase.words()),
            Node::Field(target, test) => self.any(target, |value| test.fits(target, value)),
        }
    }

    /// Whether the words stand in the body or in one text attribute.
    fn says(&self, words: &[String]) -> bool {
        contains_words(self.record.body, words)
            || text_attributes(self.record, self.guarded).any(|text| !within(text, self.record.body) && contains_words(text, words))
    }

    /// Whether any value of the target passes.
    fn any(&self, target: &Target, test: impl Fn(Value<'_>) -> bool) -> bool {
        let record = self.record;
        match target {
            Target::Format => test(Value::Str(record.format)),
            Target::Source => self.source.is_some_and(|s| test(Value::Str(&s.path))),
            Target::Level => record.severity.is_some_and(|s| test(Value::Str(s.as_str()))) || record.values(Key::Level.into()).any(test),
            Target::Body => !self.wordless && test(Value::Str(record.body)),
            Target::Raw => test(Value::Str(record.text)),
            Target::Line => test(Value::Int(i64::try_from(record.origin.line).unwrap_or(i64::MAX))),
            Target::Key(Key::HostName) if !record.has(Key::HostName) => {
                self.source.and_then(|s| s.host.as_deref()).is_some_and(|host| test(Value::Str(host)))
            }
            Target::Key(key) => record.values(Name::Known(*key)).any(test),
            Target::Other(name) => record.values(Name::Other(name)).any(test),
            Target::Either(key, name) => record.values(record.either(*key, name)).any(test),
        }
    }
}

/// The texts in which bare words are sought besides the body: fields of free text, and text under names that only its
/// writer knows. For a rule those are left out that strangers write.
pub(crate) fn text_attributes<'s>(record: &'s Record<'_>, guarded: bool) -> impl Iterator<Item = &'s str> {
    let fields = record.fields.iter().filter(move |field| !guarded || !is_of_stranger(field.name));
    fields.filter_map(|field| match (field.name, field.value) {
        (Name::Known(key), Value::Str(text)) if key.kind() == Kind::Text => Some(text),
        (Name::Other(_), Value::Str(text)) => Some(text),
        _ => None,
    })
}

/// What the program that answered a request says went wrong: in records of requests the only text that no stranger wrote.
pub(crate) fn errors<'s>(record: &'s Record<'_>) -> impl Iterator<Item = &'s str> {
    record.values(ERRORS.into()).filter_map(|value| value.as_str())
}

/// The field that [`errors`] stand in.
pub const ERRORS: Key = Key::ExceptionMessage;

/// Whether a text is the whole of another one in memory, so that what was sought there need not be sought again.
fn within(text: &str, whole: &str) -> bool {
    text.len() == whole.len() && text.as_ptr() == whole.as_ptr()
}

impl Test {
    /// Whether a value of a target passes.
    pub fn fits(&self, target: &Target, value: Value<'_>) -> bool {
        self.holds(target.sense(), value)
    }

    /// Whether a value passes.
    pub(crate) fn holds(&self, sense: Sense, value: Value<'_>) -> bool {
        match self {
            Test::Present => value.as_str() != Some("") || sense != Sense::Words,
            Test::Is(literal) => literal.is(sense, value),
            Test::Glob(glob) => {
                with_text(value, |text| glob.fits(text) || sense == Sense::Address && glob.fits(whyline_event::address::split_port(text).0))
            }
            Test::Matches(pattern) => with_text(value, |text| pattern.is_match(text)),
            Test::Compare(op, bound) => compare(bound.amount(), sense, value).is_some_and(|order| op.allows(order)),
            Test::Range(range) => range.holds(sense, value),
        }
    }
}

impl Literal {
    /// Whether a value of a field without a kind is this one.
    pub(crate) fn is_whole(&self, value: Value<'_>) -> bool {
        self.is(Sense::Whole, value)
    }

    fn is(&self, sense: Sense, value: Value<'_>) -> bool {
        match sense {
            Sense::Words => with_text(value, |text| contains_words(text, self.words())),
            Sense::Level => with_text(value, |text| eq_folded(text, self.folded()) || self.means_level(text)),
            Sense::Number | Sense::Duration | Sense::Bytes => match self.amount() {
                Some(amount) => amount.compared_with(&value, sense) == Some(Ordering::Equal),
                None => with_text(value, |text| eq_folded(text, self.folded())),
            },
            Sense::Address => with_text(value, |text| match (self.network(), self.endpoint()) {
                (Some(network), _) => network.fits(text),
                (None, Some(endpoint)) => endpoint.fits(text),
                (None, None) => eq_folded(text, self.folded()),
            }),
            Sense::Whole => {
                if with_text(value, |text| eq_folded(text, self.folded())) {
                    return true;
                }
                match value {
                    Value::Str(text) => self.endpoint().is_some_and(|e| e.fits(text)) || self.network().is_some_and(|n| n.fits(text)),
                    _ => self.amount().is_some_and(|a| a.compared_with(&value, sense) == Some(Ordering::Equal)),
                }
            }
        }
    }

    /// Longer and shorter spellings of a severity that mean all of it. `notice`, `crit` and the like are finer than the
    /// severity they belong to and match as written only.
    fn means_level(&self, text: &str) -> bool {
        let full = match self.folded() {
            "warning" => "WARN",
            "err" => "ERROR",
            "information" | "informational" => "INFO",
            _ => return false,
        };
        text == full
    }
}

impl Op {
    fn allows(self, order: Ordering) -> bool {
        match self {
            Op::Greater => order.is_gt(),
            Op::AtLeast => order.is_ge(),
            Op::Less => order.is_lt(),
            Op::AtMost => order.is_le(),
        }
    }
}

impl Range {
    fn holds(&self, sense: Sense, value: Value<'_>) -> bool {
        let low = if self.low_included { Op::AtLeast } else { Op::Greater };
        let high = if self.high_included { Op::AtMost } else { Op::Less };
        let ends = [(&self.low, low), (&self.high, high)];
        if ends.iter().all(|(end, _)| end.is_none()) {
            return !sense.is_number() || value.as_f64().is_some();
        }
        ends.into_iter()
            .all(|(end, op)| end.as_ref().is_none_or(|bound| compare(bound.amount(), sense, value).is_some_and(|order| op.allows(order))))
    }
}

fn compare(amount: Amount, sense: Sense, value: Value<'_>) -> Option<Ordering> {
    match amount {
        // The word as written is finer than the severity and has no order of its own.
        Amount::Level(wanted) => {
            let text = value.as_str()?;
            Severity::ALL.into_iter().find(|s| s.as_str() == text).map(|found| found.cmp(&wanted))
        }
        _ => amount.compared_with(&value, sense),
    }
}

/// The value as text; numbers as they are shown.
fn with_text<T>(value: Value<'_>, use_text: impl FnOnce(&str) -> T) -> T {
    match value {
        Value::Str(text) => use_text(text),
        Value::Bool(yes) => use_text(if yes { "true" } else { "false" }),
        other => use_text(&other.to_string()),
    }
}
