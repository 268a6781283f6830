//! YAML as a tree in which everything keeps its place. What cannot be read is told, and the rest is read all the same.

use super::{At, Problem, slips};
use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::collections::{BTreeMap, BTreeSet};

/// A piece of YAML.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins; the text, if it is one.
    pub at: At,
    /// What it is.
    pub value: Value,
}

/// What a piece of YAML is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Text in quotes or in a block: nothing but text.
    Quoted,
    /// Text without quotes, which may be a number, yes or no, or nothing.
    Plain,
    /// `[a, b]`, or lines with dashes.
    List(Vec<Node>),
    /// Keys with values.
    Map(Vec<(Node, Node)>),
}

/// A file as it stands.
#[derive(Debug, Default)]
pub struct Tree {
    /// Its documents; a rule file has one.
    pub documents: Vec<Node>,
    /// Places where it is no YAML.
    pub problems: Vec<Problem>,
    /// Lines at which something begins that could not be read; it stands in the tree with nothing in it.
    pub lost: BTreeSet<u64>,
}

/// A file with more places that are no YAML is told these.
const MOST_PROBLEMS: usize = 30;
/// Deepest nesting; a rule has six levels.
const DEEPEST: usize = 60;
/// What anchors may become when they are followed.
const MOST_NODES: usize = 1_000_000;

impl Node {
    /// The text of a key or a value, if it is one.
    pub fn text(&self) -> Option<&str> {
        matches!(self.value, Value::Quoted | Value::Plain).then_some(self.at.text.as_str())
    }

    /// Whether nothing stands here.
    pub fn is_nothing(&self) -> bool {
        matches!(self.value, Value::Plain) && matches!(self.at.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// How many nodes it is made of, and how deep it is.
    fn size(&self) -> (usize, usize) {
        let mut size = (1, 1);
        let mut add = |(nodes, deep): (usize, usize)| size = (size.0 + nodes, size.1.max(deep + 1));
        match &self.value {
            Value::List(list) => list.iter().for_each(|node| add(node.size())),
            Value::Map(pairs) => pairs.iter().flat_map(|(k, v)| [k, v]).for_each(|node| add(node.size())),
            Value::Quoted | Value::Plain => {}
        }
        size
    }
}

/// Why a text is no tree: at a line and a column, both from 1.
#[derive(Debug)]
pub struct Wrong {
    /// Line.
    pub line: u64,
    /// Column.
    pub column: u64,
    /// Why.
    pub why: Why,
}

/// See [`Wrong`].
#[derive(Debug)]
pub enum Why {
    /// It is no YAML.
    Scan(ScanError),
    /// A tag, which means nothing here.
    Tag,
    /// It is nested too deeply, or anchors make too much of it.
    TooMuch,
}

/// Reads a text. After a place that is no YAML it goes on: with the value put in quotes, where that was meant, else without the rule
/// in which the place is.
pub fn read(text: &str) -> Tree {
    let mut tree = Tree::default();
    let mut lines: Vec<String> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).to_string()).collect();
    while tree.problems.len() < MOST_PROBLEMS {
        match parse(&lines.join("\n")) {
            Ok(documents) => {
                tree.documents = documents;
                break;
            }
            Err(wrong) => {
                let slip = slips::find(&lines, &wrong);
                tree.problems.push(slip.problem);
                let mended = slip.mended.is_some_and(|(line, text)| match lines.get_mut(line) {
                    Some(old) if *old != text => {
                        *old = text;
                        true
                    }
                    _ => false,
                });
                if !mended && !slips::leave_out(&mut lines, slip.line, &mut tree.lost) {
                    break;
                }
            }
        }
    }
    tree
}

/// A list or a mapping that is being read: its beginning, its anchor, what is in it.
struct Open {
    at: At,
    anchor: usize,
    is_map: bool,
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    documents: Vec<Node>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

fn parse(text: &str) -> Result<Vec<Node>, Wrong> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.take(event, &span)?,
            Err(error) => {
                let marker = error.marker();
                return Err(Wrong { line: marker.line() as u64, column: marker.col() as u64 + 1, why: Why::Scan(error) });
            }
        }
    }
    Ok(builder.documents)
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Wrong> {
        let at = |text: String| At { text, line: span.start.line() as u64, column: span.start.col() as u64 + 1 };
        if let (Some(tag), Some(start)) = (event.tag(), span.tag_start()) {
            // Text that begins with an exclamation mark would go lost as a tag.
            if tag.core_suffix().is_none() {
                return Err(Wrong { line: start.line() as u64, column: start.col() as u64 + 1, why: Why::Tag });
            }
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = if style == ScalarStyle::Plain { Value::Plain } else { Value::Quoted };
                self.put(Node { at: at(text.into_owned()), value }, anchor);
            }
            Event::SequenceStart(_, anchor, _) => self.begin(at(String::new()), anchor, false)?,
            Event::MappingStart(_, anchor, _) => self.begin(at(String::new()), anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let here = at(String::new());
                // An anchor that is still open would hold itself.
                let node = self.anchors.get(&anchor).ok_or_else(|| wrong(&here, Why::TooMuch))?;
                let (nodes, deep) = node.size();
                self.nodes += nodes;
                if self.nodes > MOST_NODES || self.open.len() + deep > DEEPEST {
                    return Err(wrong(&here, Why::TooMuch));
                }
                self.put(node.clone(), 0);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, at: At, anchor: usize, is_map: bool) -> Result<(), Wrong> {
        if self.open.len() >= DEEPEST {
            return Err(wrong(&at, Why::TooMuch));
        }
        self.open.push(Open { at, anchor, is_map, nodes: Vec::new() });
        Ok(())
    }

    fn end(&mut self) {
        let Some(Open { at, anchor, is_map, nodes }) = self.open.pop() else { return };
        let value = if is_map {
            let mut pairs = Vec::with_capacity(nodes.len() / 2);
            let mut nodes = nodes.into_iter();
            while let (Some(key), Some(value)) = (nodes.next(), nodes.next()) {
                pairs.push((key, value));
            }
            Value::Map(merged(pairs))
        } else {
            Value::List(nodes)
        };
        self.put(Node { at, value }, anchor);
    }

    fn put(&mut self, node: Node, anchor: usize) {
        self.nodes += 1;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(open) => open.nodes.push(node),
            None => self.documents.push(node),
        }
    }
}

fn wrong(at: &At, why: Why) -> Wrong {
    Wrong { line: at.line, column: at.column, why }
}

/// The pairs, with those that `<<` takes over from elsewhere, where a key does not stand here itself.
fn merged(mut pairs: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let Some(place) = pairs.iter().position(|(key, _)| matches!(key.value, Value::Plain) && key.at.text == "<<") else { return pairs };
    let sources = match pairs.remove(place).1 {
        Node { value: Value::List(list), .. } => list,
        node => vec![node],
    };
    for source in sources {
        if let Value::Map(more) = source.value {
            for (key, value) in more {
                if !pairs.iter().any(|(own, _)| own.text().is_some() && own.text() == key.text()) {
                    pairs.push((key, value));
                }
            }
        }
    }
    pairs
}
