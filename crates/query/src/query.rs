//! A query that has been read.

use crate::ast::{Node, Test};
use crate::error::{QueryError, point_at};
use crate::fields::{Target, is_access_format, is_http};
use crate::parse::parse;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// A question that a record answers with yes or no.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    root: Node,
    unknown: Vec<UnknownField>,
    /// Bare words and `body:` leave out access records.
    guarded: bool,
}

impl Query {
    /// Reads a query.
    pub fn parse(text: &str) -> Result<Query, QueryError> {
        let (query, end) = Query::parsed(text, false)?;
        if end < text.len() {
            return Err(QueryError::new("a pipe cannot stand here", end..end + 1)
                .help("pipes come after the whole expression and only where results are wanted; put text with a | in double quotes"));
        }
        Ok(query)
    }

    /// Reads the expression at the beginning of a text, as people ask: up to a pipe, of which the place is given, or to the end. A short name
    /// of a field of the table also asks for what the writer of a record calls so (`path:` for the `path` of a line that tells of no request).
    pub fn parse_expression(text: &str) -> Result<(Query, usize), QueryError> {
        Query::parsed(text, true)
    }

    fn parsed(text: &str, own_names: bool) -> Result<(Query, usize), QueryError> {
        let parsed = parse(text, own_names)?;
        Ok((Query { root: parsed.root, unknown: parsed.unknown, guarded: false }, parsed.end))
    }

    /// A query made of a tree.
    pub fn from_node(root: Node) -> Query {
        Query { root, unknown: Vec::new(), guarded: false }
    }

    /// The query as a rule asks it: bare words and `body:` speak of what programs wrote and leave out access records, the
    /// text of which comes from strangers, unless the query names an access format or an HTTP field outside of a `NOT`.
    #[must_use]
    pub fn for_rules(mut self) -> Query {
        self.guarded = !names_access(&self.root);
        self
    }

    /// The query without the records of another one. Whether bare words leave out access records stays as it is.
    #[must_use]
    pub fn except(mut self, other: Query) -> Query {
        self.root = Node::and(vec![self.root, Node::Not(Box::new(other.root))]);
        self.unknown.extend(other.unknown);
        self
    }

    /// Whether bare words and `body:` leave out access records.
    pub fn leaves_out_access(&self) -> bool {
        self.guarded
    }

    /// What the query says.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Fields that the query names and the table does not know, in the order of the query. Structured logs bring their own
    /// fields along, so such a name need not be wrong: a warning for people, and for a rule an error unless a format of
    /// the rule makes the field.
    pub fn unknown_fields(&self) -> &[UnknownField] {
        &self.unknown
    }
}

/// Whether a query names an access format or a field of an HTTP exchange, outside of a `NOT`.
fn names_access(root: &Node) -> bool {
    let mut found = false;
    root.walk(&mut |node, negated| {
        if let (Node::Field(target, test), false) = (node, negated) {
            found |= match (target, test) {
                (Target::Key(key), _) => is_http(*key),
                (Target::Format, Test::Is(literal)) => is_access_format(literal.folded()),
                (Target::Format, Test::Glob(glob)) => is_access_format(&glob.as_str().to_ascii_lowercase()),
                (Target::Format, Test::Matches(pattern)) => pattern.as_str().contains("access") || pattern.as_str().contains("haproxy"),
                _ => false,
            };
        }
    });
    found
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        Query::parse(text)
    }
}

/// A field that a query names and the table does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// The name.
    pub name: String,
    /// Where, in bytes of the query.
    pub span: Range<usize>,
}

impl UnknownField {
    /// The known name that was probably meant.
    pub fn suggestion(&self) -> Option<&'static str> {
        crate::fields::suggest(&self.name)
    }

    /// The remark for people, with the line of the query and carets under the name.
    pub fn render(&self, query: &str) -> String {
        self.remark(query, &format!("no known field is called `{}`", self.name))
    }

    /// The same in other words.
    pub fn remark(&self, query: &str, message: &str) -> String {
        let help = self.suggestion().map(|name| format!("did you mean `{name}`?"));
        point_at(query, &self.span, message, help.as_deref())
    }
}
