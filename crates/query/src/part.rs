//! A query made ready to be asked of many records: every part of it that cannot hold without certain texts knows them, and is not
//! asked where none of them was found.

use crate::ast::Node;
use crate::matches::Asked;
use crate::need::{Atom, cheapest_first, need, sets_of_texts};
use crate::texts::{Found, Sought};

/// A part of a query.
#[derive(Debug)]
pub(crate) struct Part {
    /// Sets of numbers of texts; where none of a set was found the part does not hold. Empty when nothing is known.
    texts: Vec<Vec<u32>>,
    what: What,
}

#[derive(Debug)]
enum What {
    All(Vec<Part>),
    Any(Vec<Part>),
    Not(Box<Part>),
    Leaf(Node),
}

impl Part {
    /// Of a query, its cheapest parts first. `number` knows the texts that are sought.
    pub(crate) fn of(root: &Node, number: &impl Fn(&Sought) -> Option<u32>) -> Part {
        Part::from(cheapest_first(root), number)
    }

    fn from(node: Node, number: &impl Fn(&Sought) -> Option<u32>) -> Part {
        let texts = match &node {
            Node::And(_) | Node::Or(_) | Node::Not(_) => texts_of(&node, number).into_iter().collect(),
            leaf => sets_of_texts(leaf).into_iter().filter_map(|set| set.iter().map(number).collect()).collect(),
        };
        let parts = |nodes: Vec<Node>| nodes.into_iter().map(|node| Part::from(node, number)).collect();
        let what = match node {
            Node::And(nodes) => What::All(parts(nodes)),
            Node::Or(nodes) => What::Any(parts(nodes)),
            Node::Not(node) => What::Not(Box::new(Part::from(*node, number))),
            other => What::Leaf(other),
        };
        Part { texts, what }
    }

    /// Whether it holds for a record; `found` is what was found in its texts.
    pub(crate) fn holds(&self, asked: &Asked<'_, '_>, found: &Found) -> bool {
        if !self.texts.iter().all(|set| set.iter().any(|text| found.has(*text))) {
            return false;
        }
        match &self.what {
            What::All(parts) => parts.iter().all(|part| part.holds(asked, found)),
            What::Any(parts) => parts.iter().any(|part| part.holds(asked, found)),
            What::Not(part) => !part.holds(asked, found),
            // The words were sought themselves.
            What::Leaf(Node::Words(_)) if !self.texts.is_empty() && found.is_sure() && !asked.wordless => true,
            What::Leaf(node) => asked.holds(node),
        }
    }
}

/// Hands over every text that some part of a query cannot do without: all of them are sought, since that costs less than asking.
pub(crate) fn each_text(node: &Node, each: &mut dyn FnMut(Sought)) {
    match node {
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| each_text(node, each)),
        Node::Not(node) => each_text(node, each),
        leaf => sets_of_texts(leaf).into_iter().flatten().for_each(each),
    }
}

/// The numbers of the texts of which a record that matches has at least one, where all of them are sought.
fn texts_of(node: &Node, number: &impl Fn(&Sought) -> Option<u32>) -> Option<Vec<u32>> {
    let numbers = |atoms: Vec<Atom>| -> Option<Vec<u32>> {
        let each = atoms.into_iter().map(|atom| match atom {
            Atom::Text(sought) => number(&sought),
            _ => None,
        });
        each.collect()
    };
    match node {
        // Any of them will do; the one that is sought need not be the rarest.
        Node::And(nodes) => nodes.iter().filter_map(|node| texts_of(node, number)).min_by_key(Vec::len),
        node => numbers(need(node)?.atoms),
    }
}
