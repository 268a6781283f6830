//! Tables whose first line names the columns: comma, semicolon or tab between them (RFC 4180).

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use crate::formats::json::flat::Scalar;
use crate::formats::json::structured;
use crate::formats::keys::{Role, role};
use crate::stamp;
use std::borrow::Cow;
use std::sync::Arc;
use whyline_event::{Form, Record};

/// The reader; without columns until it has seen the line that names them.
#[derive(Clone, Debug, Default)]
pub struct Csv {
    table: Option<Table>,
}

#[derive(Clone, Debug)]
struct Table {
    names: Vec<String>,
    delimiter: u8,
    /// The columns of the time: one, or a date and a time of day.
    time: (usize, Option<usize>),
}

const NAME: &str = "csv";
/// Tables with more columns are something else.
const MOST: usize = 200;

impl Format for Csv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let Some(table) = &self.table else {
            // The names themselves: they teach the format, and are no record of anything.
            header(first_line(text)).filter(|_| !text.contains('\n'))?;
            record.format = NAME;
            record.body = text;
            return Some(70);
        };
        let values = row(text, table.delimiter)?;
        if values.iter().map(|v| v.as_ref()).eq(table.names.iter().map(String::as_str)) {
            record.format = NAME;
            record.body = text;
            return Some(70);
        }
        let joined = table.when(&values)?;
        if values.len() + 2 < table.names.len() || values.len() > table.names.len() + 1 {
            return None;
        }
        record.format = NAME;
        record.body = text;
        let pairs: Vec<(&'a str, Scalar<'a>)> = table
            .names
            .iter()
            .map(String::as_str)
            .chain([""])
            .zip(&values)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| {
                let text: &'a str = cx.keep(value);
                let number = text.parse::<i64>().is_ok() && text.len() < 18 && (text == "0" || !text.starts_with('0'));
                (cx.keep(known(name)), if number { Scalar::Number(text) } else { Scalar::Str(text) })
            })
            .collect();
        let found = structured::look(cx, &pairs);
        structured::put(cx, &pairs, &found, record);
        record.stamp = Some(joined);
        // Where no column is a message, the last one that is text often is.
        if found.message.is_none()
            && let Some((_, Scalar::Str(last))) =
                pairs.last().filter(|_| values.len() > table.names.len() || table.names.last().is_some_and(String::is_empty))
        {
            record.body = last;
        }
        Some(75)
    }

    /// A value in quotes may go over lines; a row has its time at the right place, or at least as many values as there are names.
    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        match &self.table {
            None => true,
            Some(table) => row(line, table.delimiter)
                .is_some_and(|values| table.when(&values).is_some() || values.len() == table.names.len() && !line.starts_with([' ', '\t'])),
        }
    }

    fn learn(&self, head: &[&str]) -> Option<Arc<dyn Format>> {
        if self.table.is_some() {
            return None;
        }
        let table = head.iter().find_map(|text| header(first_line(text)))?;
        Some(Arc::new(Csv { table: Some(table) }))
    }

    fn block(&self) -> bool {
        self.table.is_some()
    }
}

impl Table {
    /// The time of a row.
    fn when(&self, values: &[Cow<'_, str>]) -> Option<whyline_event::Stamp> {
        let first = values.get(self.time.0)?;
        let text = match self.time.1 {
            Some(clock) => Cow::Owned(format!("{first} {}", values.get(clock)?)),
            None => Cow::Borrowed(first.as_ref()),
        };
        structured::time(Scalar::Str(&text)).filter(|s| s.form != Form::TimeOnly)
    }
}

/// The name by which the columns of a known table are understood.
fn known(name: &str) -> &str {
    match name {
        // The event viewer of Windows.
        "Source" | "ProviderName" => "logger",
        "Event ID" | "EventID" | "Id" => "event.name",
        "LevelDisplayName" => "level",
        other => other,
    }
}

/// A line that names columns: at least three, one of them the time, one of them a level, a message or another known thing.
fn header(line: &str) -> Option<Table> {
    let bare = line.trim_start_matches('\u{feff}');
    let delimiter = *[b'\t', b',', b';'].iter().find(|d| memchr::memchr_iter(**d, bare.as_bytes()).nth(1).is_some())?;
    let values = row(bare, delimiter)?;
    if values.len() > MOST || values.iter().any(|v| v.len() > 64 || v.contains('\n')) {
        return None;
    }
    let is_name =
        |v: &str| v.is_empty() || v.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '$')) && stamp::prefix(v).is_none();
    if !values.iter().all(|v| is_name(v)) || values.iter().filter(|v| !v.is_empty()).count() < 3 {
        return None;
    }
    let roles: Vec<Option<Role>> = values.iter().map(|v| role(known(v))).collect();
    let time = |v: &str| {
        matches!(
            v.to_lowercase().as_str(),
            "date and time" | "timecreated" | "time created" | "_time" | "date/time" | "time stamp" | "created_at" | "occurred_at"
        )
    };
    let mut times = (0..values.len()).filter(|at| roles.get(*at) == Some(&Some(Role::Time)) || values.get(*at).is_some_and(|v| time(v)));
    let first = times.next()?;
    let second = times.next().filter(|at| {
        let low = |at: usize| values.get(at).map(|v| v.to_lowercase()).unwrap_or_default();
        low(first) == "date" && low(*at) == "time"
    });
    let others = roles.iter().enumerate().filter(|(at, role)| *at != first && role.is_some()).count();
    (others > 0).then(|| Table { names: values.iter().map(|v| v.trim().to_string()).collect(), delimiter, time: (first, second) })
}

/// The values of a row; `None` where a quote is left open at the end of a text without any delimiter.
fn row(text: &str, delimiter: u8) -> Option<Vec<Cow<'_, str>>> {
    let mut values = Vec::with_capacity(16);
    let mut rest = text;
    loop {
        if values.len() > MOST {
            return None;
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let (value, tail) = quoted_value(quoted);
            values.push(value);
            match tail.as_bytes().first() {
                Some(b) if *b == delimiter => rest = tail.get(1..)?,
                _ => return Some(values),
            }
        } else {
            match memchr::memchr(delimiter, rest.as_bytes()) {
                Some(at) => {
                    values.push(Cow::Borrowed(rest.get(..at)?));
                    rest = rest.get(at + 1..)?;
                }
                None => {
                    values.push(Cow::Borrowed(rest.trim_end_matches(['\r', '\n'])));
                    return (values.len() > 1).then_some(values);
                }
            }
        }
    }
}

/// The value behind an opening quote, doubled quotes made one, and what follows the closing one.
fn quoted_value(text: &str) -> (Cow<'_, str>, &str) {
    let mut end = 0;
    let mut doubled = false;
    loop {
        let Some(at) = text.get(end..).and_then(|t| t.find('"')).map(|at| end + at) else { return (Cow::Borrowed(text), "") };
        if text.as_bytes().get(at + 1) == Some(&b'"') {
            doubled = true;
            end = at + 2;
            continue;
        }
        let value = text.get(..at).unwrap_or("");
        let value = if doubled { Cow::Owned(value.replace("\"\"", "\"")) } else { Cow::Borrowed(value) };
        return (value, text.get(at + 1..).unwrap_or(""));
    }
}
