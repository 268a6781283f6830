//! The fault tree of an incident: symptoms on top, faults below, basic events (the lines) at the bottom.
//!
//! A directed acyclic graph; petgraph stays inside. Terms are those of fault tree analysis (NUREG-0492): a gate says how the
//! faults below combine, a basic event is something that was observed or could have been, a minimal cut set is a smallest
//! set of basic events that suffices for the top.

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::{BTreeMap, BTreeSet};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What users felt: the top.
    Symptom,
    /// A fault in between.
    Step,
    /// A cause.
    Root,
    /// Something observed.
    Basic,
}

/// How the nodes below a node combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Any one suffices.
    Or,
    /// All are needed.
    And,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// A stable id within the tree.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// How what is below combines.
    pub gate: Gate,
    /// In words.
    pub label: String,
    /// Probability, where one was computed.
    pub belief: Option<f64>,
}

/// A fault tree (several tops may share what is below).
#[derive(Clone, Debug, Default)]
pub struct Tree {
    graph: DiGraph<Node, ()>,
    by_id: BTreeMap<String, NodeIndex>,
}

impl Tree {
    /// Adds a node; a node of the same id is kept as it was.
    pub fn node(&mut self, node: Node) {
        if !self.by_id.contains_key(&node.id) {
            let id = node.id.clone();
            let index = self.graph.add_node(node);
            self.by_id.insert(id, index);
        }
    }

    /// Says that `below` leads to `above`. Unknown ids and edges that would close a circle are left out; returns whether the
    /// edge is there.
    pub fn edge(&mut self, below: &str, above: &str) -> bool {
        let (Some(b), Some(a)) = (self.by_id.get(below), self.by_id.get(above)) else { return false };
        let (b, a) = (*b, *a);
        if a == b || petgraph::algo::has_path_connecting(&self.graph, a, b, None) {
            return false;
        }
        if self.graph.find_edge(b, a).is_none() {
            self.graph.add_edge(b, a, ());
        }
        true
    }

    /// All nodes, in the order in which they were added.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.graph.node_weights()
    }

    /// All edges, from below to above.
    pub fn edges(&self) -> impl Iterator<Item = (&Node, &Node)> {
        self.graph.edge_references().map(|e| (&self.graph[e.source()], &self.graph[e.target()]))
    }

    /// The nodes right below a node.
    pub fn below(&self, id: &str) -> Vec<&Node> {
        let Some(index) = self.by_id.get(id) else { return Vec::new() };
        let mut list: Vec<NodeIndex> = self.graph.neighbors_directed(*index, petgraph::Direction::Incoming).collect();
        list.sort();
        list.into_iter().map(|i| &self.graph[i]).collect()
    }

    /// The minimal cut sets of a node: the smallest sets of nodes without anything below them that suffice for it. At most
    /// `most` sets are followed.
    pub fn minimal_cut_sets(&self, id: &str, most: usize) -> Vec<BTreeSet<String>> {
        let Some(index) = self.by_id.get(id) else { return Vec::new() };
        let mut sets = self.cut_sets(*index, most);
        sets.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        let mut minimal: Vec<BTreeSet<String>> = Vec::new();
        for set in sets {
            if !minimal.iter().any(|m| m.is_subset(&set)) {
                minimal.push(set);
            }
        }
        minimal
    }

    fn cut_sets(&self, index: NodeIndex, most: usize) -> Vec<BTreeSet<String>> {
        let mut below: Vec<NodeIndex> = self.graph.neighbors_directed(index, petgraph::Direction::Incoming).collect();
        below.sort();
        if below.is_empty() {
            return vec![BTreeSet::from([self.graph[index].id.clone()])];
        }
        match self.graph[index].gate {
            Gate::Or => below.into_iter().flat_map(|b| self.cut_sets(b, most)).take(most).collect(),
            Gate::And => below.into_iter().fold(vec![BTreeSet::new()], |sets, b| {
                let more = self.cut_sets(b, most);
                sets.iter().flat_map(|s| more.iter().map(move |m| s | m)).take(most).collect()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, gate: Gate) -> Node {
        Node { id: id.into(), kind: Kind::Step, gate, label: id.into(), belief: None }
    }

    #[test]
    fn cut_sets_of_a_small_tree() {
        let mut tree = Tree::default();
        for (id, gate) in [("top", Gate::Or), ("both", Gate::And), ("a", Gate::Or), ("b", Gate::Or), ("c", Gate::Or)] {
            tree.node(node(id, gate));
        }
        for (b, a) in [("both", "top"), ("c", "top"), ("a", "both"), ("b", "both"), ("c", "both")] {
            assert!(tree.edge(b, a));
        }
        assert!(!tree.edge("top", "a"), "a circle");
        let sets: Vec<Vec<String>> = tree.minimal_cut_sets("top", 1000).into_iter().map(|s| s.into_iter().collect()).collect();
        assert_eq!(sets, [["c"]]);
    }
}
