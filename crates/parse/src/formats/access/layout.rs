//! Lines of a known layout: a sequence of columns with fixed text between them.

use super::meaning::{self, Meaning};
use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use crate::stamp;
use whyline_event::{Key, Record, Value};

/// One column, and the text that ends it.
#[derive(Clone, Debug)]
struct Column {
    meaning: Meaning,
    name: String,
    stop: String,
}

/// A layout, ready to read lines.
#[derive(Clone, Debug)]
pub struct Layout {
    name: &'static str,
    fit: Fit,
    lead: String,
    columns: Vec<Column>,
    /// Columns behind the last one do not matter.
    open: bool,
    /// The time is the one when the request began.
    is_start: bool,
    /// A column ends at a quote, so a line without any is of another layout.
    quoted: bool,
}

/// A layout has at most as many columns.
const MOST: usize = 64;
/// Attempts to place the columns of one line.
const BUDGET: usize = 600;

/// Builds a layout piece by piece.
#[derive(Debug)]
pub struct Builder(Layout);

impl Builder {
    /// A layout of a format, with the fit of its lines.
    pub fn new(name: &'static str, fit: Fit) -> Self {
        Builder(Layout { name, fit, lead: String::new(), columns: Vec::new(), open: false, is_start: false, quoted: false })
    }

    /// Adds fixed text.
    pub fn literal(&mut self, text: &str) {
        match self.0.columns.last_mut() {
            Some(column) => column.stop.push_str(text),
            None => self.0.lead.push_str(text),
        }
    }

    /// Adds a column. Of two columns for the same thing, the second keeps its own name.
    pub fn column(&mut self, meaning: Meaning, name: &str) {
        let columns = &mut self.0.columns;
        let seen = |m: Meaning| columns.iter().any(|c| c.meaning == m);
        let request =
            matches!(meaning, Meaning::Target | Meaning::Protocol | Meaning::Query | Meaning::Text(Key::Method)) && seen(Meaning::Request);
        let again = request || meaning != Meaning::Nothing && meaning != Meaning::Time && seen(meaning);
        self.0.is_start |= meaning == Meaning::Time && name.starts_with("start");
        if let Some(last) = columns.last_mut().filter(|c| c.stop.is_empty()) {
            // Nothing separates the two, so nobody can tell them apart.
            last.meaning = Meaning::Nothing;
            return;
        }
        let meaning = if again { Meaning::Named } else { meaning };
        columns.push(Column { meaning, name: name.to_string(), stop: String::new() });
    }

    /// Further columns may follow.
    pub fn open(mut self) -> Self {
        self.0.open = true;
        self
    }

    /// The layout. It needs a column that tells something, and not too many of them.
    pub fn build(mut self) -> Result<Layout, String> {
        let columns = &mut self.0.columns;
        if columns.len() > MOST {
            return Err(format!("more than {MOST} columns"));
        }
        if columns.iter().all(|c| matches!(c.meaning, Meaning::Nothing | Meaning::Named)) {
            return Err("no column of a known meaning".into());
        }
        if columns.iter().all(|c| c.meaning != Meaning::Client) {
            // Without an address of its own, the client is the first of those in front.
            if let Some(column) = columns.iter_mut().find(|c| c.meaning == Meaning::Forwarded) {
                column.meaning = Meaning::Client;
            }
        }
        let trimmed = columns.last_mut();
        if let Some(column) = trimmed {
            column.stop.truncate(column.stop.trim_end().len());
        }
        self.0.quoted = self.0.columns.iter().any(|c| c.stop.contains('"'));
        Ok(self.0)
    }
}

type Spans = [(usize, usize); MOST];

impl Layout {
    /// Names of the columns that only their writer knows.
    pub fn own_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|c| c.meaning == Meaning::Named && !c.name.is_empty()).map(|c| c.name.as_str())
    }

    fn cut(&self, line: &str) -> Option<Spans> {
        let at = line.strip_prefix(self.lead.as_str()).map(|_| self.lead.len())?;
        if self.quoted && memchr::memchr(b'"', line.as_bytes()).is_none() {
            return None;
        }
        let mut spans = [(0, 0); MOST];
        let mut budget = BUDGET;
        self.place(line, 0, at, &mut spans, &mut budget).then_some(spans)
    }

    /// Places the columns from the `index`th on in the text from `at`.
    fn place(&self, line: &str, index: usize, at: usize, spans: &mut Spans, budget: &mut usize) -> bool {
        *budget = budget.saturating_sub(1);
        if *budget == 0 {
            return false;
        }
        let Some(column) = self.columns.get(index) else {
            return at == line.len() || self.open;
        };
        let Some(rest) = line.get(at..) else { return false };
        let set = |end: usize, spans: &mut Spans| {
            if let Some(span) = spans.get_mut(index) {
                *span = (at, end);
            }
        };
        if column.stop.is_empty() {
            let len = if self.open { rest.find(' ').unwrap_or(rest.len()) } else { rest.len() };
            set(at + len, spans);
            return rest.get(..len).is_some_and(|t| column.meaning.admits(t)) && self.place(line, index + 1, at + len, spans, budget);
        }
        if column.meaning == Meaning::Time {
            if let Some((_, used)) = stamp::prefix(rest).or_else(|| stamp::epoch(rest)) {
                set(at + used, spans);
                return rest.get(used..).is_some_and(|r| r.starts_with(column.stop.as_str()))
                    && self.place(line, index + 1, at + used + column.stop.len(), spans, budget);
            }
            return false;
        }
        let mut from = 0;
        while let Some(found) = rest.get(from..).and_then(|r| r.find(column.stop.as_str())) {
            let end = from + found;
            from = end + rest.get(end..).and_then(|r| r.chars().next()).map_or(1, char::len_utf8);
            let text = rest.get(..end).unwrap_or("");
            if column.stop.starts_with('"') && is_escaped(text) {
                continue;
            }
            if column.meaning.admits(text) {
                set(at + end, spans);
                if self.place(line, index + 1, at + end + column.stop.len(), spans, budget) {
                    return true;
                }
            }
            if *budget == 0 || !goes_on(column, text, rest.get(end..).unwrap_or("")) {
                return false;
            }
        }
        false
    }
}

/// Whether a column may go on past a text that looks like its end: quoted and free text may, others where a list goes on.
fn goes_on(column: &Column, text: &str, after: &str) -> bool {
    match column.stop.as_bytes().first() {
        Some(b' ' | b'\t') => column.meaning.is_free_text() || text.ends_with([',', ':']) || after.starts_with(" : "),
        _ => true,
    }
}

/// Whether what follows a text is escaped by its last backslash.
fn is_escaped(text: &str) -> bool {
    text.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
}

impl Format for Layout {
    fn name(&self) -> &'static str {
        self.name
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        if !text.starts_with(self.lead.as_str()) {
            return None;
        }
        let line = first_line(text).trim_end();
        let spans = self.cut(line)?;
        record.format = self.name;
        record.body = text;
        record.severity = None;
        for (column, (start, end)) in self.columns.iter().zip(spans) {
            let value = line.get(start..end).unwrap_or("").trim();
            let named = column.meaning == Meaning::Named && !value.is_empty() && value != "-";
            let name = if named { cx.keep(&column.name) } else { "" };
            meaning::put(column.meaning, name, value, cx, record);
        }
        if self.is_start {
            record.put_other("time.is_start", Value::Bool(true));
        }
        Some(self.fit)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        self.cut(line.trim_end()).is_some()
    }
}
