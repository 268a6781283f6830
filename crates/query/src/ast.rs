//! What a query says, once it has been read. Printing it gives a query that means the same and reads back as the same tree.

use crate::fields::{Sense, Target};
use crate::glob::Glob;
use crate::lex::is_field_name;
use crate::network::{Endpoint, Network};
use crate::number::Amount;
use crate::pattern::Pattern;
use crate::words::{folded, words};
use std::fmt;

/// A part of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Every record (`*`).
    All,
    /// All of them. At least two, none of which is an `And`.
    And(Vec<Node>),
    /// At least one of them. At least two, none of which is an `Or`.
    Or(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// Words in a row, in the body or in one text attribute.
    Words(Phrase),
    /// A field that passes a test. Of several values of the field any may pass.
    Field(Target, Test),
}

impl Node {
    /// All of these.
    pub(crate) fn and(nodes: Vec<Node>) -> Node {
        let flat: Vec<Node> = nodes.into_iter().flat_map(|n| if let Node::And(inner) = n { inner } else { vec![n] }).collect();
        one_or(flat, Node::And)
    }

    /// Any of these.
    pub(crate) fn or(nodes: Vec<Node>) -> Node {
        let flat: Vec<Node> = nodes.into_iter().flat_map(|n| if let Node::Or(inner) = n { inner } else { vec![n] }).collect();
        one_or(flat, Node::Or)
    }

    /// Calls `visit` for this node and every node below it. The flag says whether it stands under a `NOT`.
    pub fn walk<'n>(&'n self, visit: &mut impl FnMut(&'n Node, bool)) {
        self.walk_from(false, visit);
    }

    fn walk_from<'n>(&'n self, negated: bool, visit: &mut impl FnMut(&'n Node, bool)) {
        visit(self, negated);
        match self {
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|n| n.walk_from(negated, visit)),
            Node::Not(node) => node.walk_from(true, visit),
            Node::All | Node::Words(_) | Node::Field(..) => {}
        }
    }
}

fn one_or(mut nodes: Vec<Node>, many: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match (nodes.len(), nodes.pop()) {
        (1, Some(node)) => node,
        (_, Some(last)) => {
            nodes.push(last);
            many(nodes)
        }
        (_, None) => Node::All,
    }
}

/// Words in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    text: String,
    words: Vec<String>,
}

impl Phrase {
    /// Reads the words of a text. `None` when it has none.
    pub fn new(text: &str) -> Option<Phrase> {
        let words: Vec<String> = words(text).map(folded).collect();
        (!words.is_empty()).then(|| Phrase { text: text.to_string(), words })
    }

    /// As it was written, without quotes.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The words, case folded. At least one.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

/// What is asked of the values of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// There is a value (`field:*`).
    Present,
    /// The value is this one; in free text: the words stand in it.
    Is(Literal),
    /// The whole value fits a text with wildcards.
    Glob(Glob),
    /// A regular expression is found in the value.
    Matches(Pattern),
    /// The value stands so to a number.
    Compare(Op, Bound),
    /// The value lies between two numbers.
    Range(Range),
}

/// A value that a query names, read in every way that the field allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    text: String,
    folded: String,
    words: Vec<String>,
    amount: Option<Amount>,
    endpoint: Option<Endpoint>,
    network: Option<Network>,
}

impl Literal {
    /// Reads a value for a field of this sense.
    pub fn new(text: &str, sense: Sense) -> Literal {
        let amount = match sense {
            Sense::Number | Sense::Duration | Sense::Bytes => Amount::parse(text, sense),
            // The unit is a part of the name there: `12k` may well be an identifier.
            Sense::Whole => Amount::parse(text, sense).filter(|_| !text.ends_with(|c: char| c.is_alphabetic())),
            Sense::Words | Sense::Address | Sense::Level => None,
        };
        let network = if matches!(sense, Sense::Address | Sense::Whole) { Network::parse(text) } else { None };
        let endpoint = match sense {
            Sense::Address if network.is_none() => Some(Endpoint::parse(text)),
            Sense::Whole => Some(Endpoint::parse(text)).filter(|e| e.ip.is_some()),
            _ => None,
        };
        Literal {
            text: text.to_string(),
            folded: folded(text),
            words: if sense == Sense::Words { words(text).map(folded).collect() } else { Vec::new() },
            amount,
            endpoint,
            network,
        }
    }

    /// As it was written, without quotes.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The value, case folded.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The words of the value, case folded, for fields of free text.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The value as a number, where the field can hold one and it is one.
    pub fn amount(&self) -> Option<Amount> {
        self.amount
    }

    /// The value as an address: always for fields of addresses (unless it is a range), else if it is an IP address.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// The value as a range of addresses.
    pub fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }
}

/// How a value must stand to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

/// A number to compare with.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    text: String,
    amount: Amount,
}

impl Bound {
    /// Reads a number for a field of this sense. `None` when it is none.
    pub fn new(text: &str, sense: Sense) -> Option<Bound> {
        Some(Bound { text: text.to_string(), amount: Amount::parse(text, sense)? })
    }

    /// The same for plain numbers that count a unit of time of so many nanoseconds: a length of time is compared in that unit.
    pub(crate) fn in_unit(self, nanos: Option<i64>) -> Bound {
        match (self.amount, nanos) {
            (Amount::Nanos(n), Some(unit)) if n % unit == 0 => Bound { amount: Amount::Int(n / unit), ..self },
            (Amount::Nanos(n), Some(unit)) => Bound { amount: Amount::Float(n as f64 / unit as f64), ..self },
            _ => self,
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The number.
    pub fn amount(&self) -> Amount {
        self.amount
    }
}

/// A range; an end may be open.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// The lower end.
    pub low: Option<Bound>,
    /// The upper end.
    pub high: Option<Bound>,
    /// The lower end itself belongs to the range.
    pub low_included: bool,
    /// The upper end itself belongs to the range.
    pub high_included: bool,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::All => f.write_str("*"),
            Node::And(nodes) => {
                for (i, node) in nodes.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" AND ")?;
                    }
                    match node {
                        Node::Or(_) => write!(f, "({node})")?,
                        _ => write!(f, "{node}")?,
                    }
                }
                Ok(())
            }
            Node::Or(nodes) => {
                let shown = nodes.iter().zip(nodes.iter().skip(1).map(Some).chain([None]));
                for (i, (node, _)) in shown.filter(|(node, next)| !next.is_some_and(|next| is_told_by(node, next))).enumerate() {
                    if i > 0 {
                        f.write_str(" OR ")?;
                    }
                    write!(f, "{node}")?;
                }
                Ok(())
            }
            Node::Not(node) => match **node {
                Node::And(_) | Node::Or(_) => write!(f, "NOT ({node})"),
                _ => write!(f, "NOT {node}"),
            },
            Node::Words(phrase) => quoted(f, &phrase.text),
            Node::Field(target, test) => {
                match target {
                    Target::Other(name) if !is_field_name(name) => quoted(f, name)?,
                    _ => write!(f, "{target}")?,
                }
                f.write_str(":")?;
                match test {
                    Test::Is(literal) if bare(literal, target.sense()) => f.write_str(&literal.text),
                    Test::Is(literal) => quoted(f, &literal.text),
                    _ => write!(f, "{test}"),
                }
            }
        }
    }
}

/// Whether a term with the short name of a field, which people read as both, stands behind one with the field itself.
fn is_told_by(node: &Node, next: &Node) -> bool {
    match (node, next) {
        (Node::Field(Target::Key(key), _), Node::Field(Target::Other(short), _)) => Target::find(short) == Target::Key(*key),
        _ => false,
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Present => f.write_str("*"),
            Test::Is(literal) => quoted(f, &literal.text),
            Test::Glob(glob) => f.write_str(glob.as_str()),
            Test::Matches(pattern) => write!(f, "/{}/", pattern.as_str()),
            Test::Compare(op, bound) => write!(f, "{op}{}", bound.text),
            Test::Range(range) => write!(f, "{range}"),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Op::Greater => ">",
            Op::AtLeast => ">=",
            Op::Less => "<",
            Op::AtMost => "<=",
        })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |bound: &Option<Bound>| bound.as_ref().map_or("*".to_string(), |b| b.text.clone());
        let (open, close) = (if self.low_included { '[' } else { '{' }, if self.high_included { ']' } else { '}' });
        write!(f, "{open}{} TO {}{close}", end(&self.low), end(&self.high))
    }
}

/// Whether a value reads the same without quotes.
fn bare(literal: &Literal, sense: Sense) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    literal.text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && literal.text.bytes().all(plain)
        && (!sense.is_number() || literal.amount.is_some())
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
