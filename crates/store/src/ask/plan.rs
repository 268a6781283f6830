//! A query made ready to be asked of columns.

use super::piece;
use whyline_event::{Kind, Origin, Record, Severity, Value};
use whyline_query::{Node, Query, Target, Test};

/// A query, with its questions numbered.
pub(crate) struct Plan<'q> {
    pub(crate) query: &'q Query,
    pub(crate) root: Ask<'q>,
}

/// A part of it.
pub(crate) enum Ask<'q> {
    All,
    And(Vec<Ask<'q>>),
    Or(Vec<Ask<'q>>),
    Not(Box<Ask<'q>>),
    Leaf(Box<Leaf<'q>>),
}

/// A question.
pub(crate) struct Leaf<'q> {
    /// Its number within the plan.
    pub(crate) id: u32,
    pub(crate) what: What<'q>,
    /// Sets of texts of ASCII in lower case: whatever passes holds one at least of each set. Few are enough.
    pub(super) wanted: Vec<Vec<String>>,
    /// The texts that a pattern is nothing but, with anything between them.
    pub(super) in_a_row: Vec<String>,
    /// The question by itself.
    probe: Query,
}

pub(crate) enum What<'q> {
    Words(&'q [String]),
    Field(&'q Target, &'q Test),
}

impl<'q> Plan<'q> {
    pub(crate) fn new(query: &'q Query) -> Plan<'q> {
        let mut next = 0;
        Plan { query, root: plan(query.root(), &mut next) }
    }
}

fn plan<'q>(node: &'q Node, next: &mut u32) -> Ask<'q> {
    let mut leaf = |what| {
        *next += 1;
        let wanted = match &what {
            What::Field(_, test) => piece::wanted(test),
            What::Words(_) => Vec::new(),
        };
        let in_a_row = match &what {
            What::Field(_, Test::Matches(pattern)) => pattern.texts_in_a_row().unwrap_or_default(),
            _ => Vec::new(),
        };
        Ask::Leaf(Box::new(Leaf { id: *next - 1, what, wanted, in_a_row, probe: Query::from_node(node.clone()) }))
    };
    match node {
        Node::All => Ask::All,
        Node::And(nodes) => {
            let mut asks: Vec<Ask<'q>> = nodes.iter().map(|n| plan(n, next)).collect();
            asks.sort_by_key(cost);
            Ask::And(asks)
        }
        Node::Or(nodes) => Ask::Or(nodes.iter().map(|n| plan(n, next)).collect()),
        Node::Not(node) => Ask::Not(Box::new(plan(node, next))),
        Node::Words(phrase) => leaf(What::Words(phrase.words())),
        Node::Field(target, test) => leaf(What::Field(target, test)),
    }
}

/// What is cheap to ask comes first.
fn cost(ask: &Ask<'_>) -> u32 {
    match ask {
        Ask::All => 0,
        Ask::Leaf(leaf) => match &leaf.what {
            What::Field(target, test) if !is_free_text(target) => match test {
                Test::Is(_) => 1,
                _ => 2,
            },
            What::Words(words) if words.len() == 1 => 3,
            What::Words(_) | What::Field(_, Test::Is(_)) => 4,
            What::Field(..) => 5,
        },
        Ask::Not(inner) => cost(inner) + 1,
        Ask::And(inner) | Ask::Or(inner) => inner.iter().map(cost).max().unwrap_or(0) + 1,
    }
}

/// Whether the values of a target are free text, of which words are asked.
pub(crate) fn is_free_text(target: &Target) -> bool {
    match target {
        Target::Body | Target::Raw => true,
        Target::Key(key) => key.kind() == Kind::Text,
        _ => false,
    }
}

impl Leaf<'_> {
    /// Whether a value passes the test of a field, by the query's own code.
    pub(crate) fn fits(&self, value: Value<'_>) -> bool {
        match &self.what {
            What::Field(target, test) => test.fits(target, value),
            What::Words(_) => false,
        }
    }

    /// Sets of texts of which a value that passes, whatever field it is of, holds one at least.
    pub(super) fn wanted_in_values(&self) -> &[Vec<String>] {
        match &self.what {
            What::Field(_, Test::Matches(_)) => &self.wanted,
            _ => &[],
        }
    }

    /// Whether a severity passes.
    pub(crate) fn fits_severity(&self, severity: Severity) -> bool {
        self.fits(Value::Str(severity.as_str()))
    }

    /// Whether a source passes by itself: by its path, or by the host it gives to records that name none.
    pub(crate) fn fits_source(&self, source: &whyline_event::Source) -> bool {
        self.probe.matches_in(&Record::new("", Origin::default()), Some(source))
    }
}
