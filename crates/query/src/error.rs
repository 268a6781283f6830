//! What is wrong with a query, where, and what would be right.

use std::ops::Range;

/// A query that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the query.
    pub span: Range<usize>,
    /// What would be right, if that can be said.
    pub help: Option<String>,
}

impl QueryError {
    pub(crate) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        QueryError { message: message.into(), span, help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The error for people: the message, the line of the query that it speaks of with carets under the place, the help.
    pub fn render(&self, query: &str) -> String {
        point_at(query, &self.span, &self.message, self.help.as_deref())
    }
}

/// A message with the line of the query that it speaks of and carets under the place.
pub(crate) fn point_at(query: &str, span: &Range<usize>, message: &str, help: Option<&str>) -> String {
    let start = floor(query, span.start);
    let end = floor(query, span.end).max(start);
    let line_start = query[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = query[start..].find('\n').map_or(query.len(), |i| start + i);
    let line = &query[line_start..line_end];
    let before = query[line_start..start].chars().count();
    let carets = query[start..end.min(line_end)].chars().count().max(1);
    // One cell for every character: what would move the cursor is shown as a space.
    let shown: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut text = format!("{message}\n  {shown}\n  {}{}", " ".repeat(before), "^".repeat(carets));
    if let Some(help) = help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    text
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_place() {
        let error = QueryError::new("no number", 10..13).help("write one");
        assert_eq!(error.render("ä status:>=abc"), "no number\n  ä status:>=abc\n           ^^^\nhelp: write one");
        assert_eq!(QueryError::new("x", 99..120).render("a\nb"), "x\n  b\n   ^");
        assert_eq!(QueryError::new("x", 1..2).render("ä"), "x\n  ä\n  ^");
    }
}
