//! What a query found: events or rows, in every form in which they are written.

pub mod cells;
mod lines;
mod out;
mod table;

pub use out::{Colours, Out, paging};

use crate::cli::QueryFormat;
use lines::Lines;
use std::io::{Result, Write};
use table::Table;
use whyline_event::{Event, Source};
use whyline_query::pipe::{Cell, Column, Unit};
use whyline_query::{Marks, Pipeline, Query};

/// How a result is to look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The form.
    pub format: QueryFormat,
    /// The records as they stand, and nothing else.
    pub raw: bool,
    /// Columns of the terminal, or what stands for them.
    pub width: usize,
}

/// Writes results one after the other.
pub struct Show {
    out: Out,
    form: Form,
    shown: u64,
}

enum Form {
    Raw,
    Lines(Lines),
    Table(Table),
    Json(Vec<Column>),
    Csv(Vec<Column>),
}

/// The columns of events where they are written as a table.
const EVENT: &[(&str, Unit)] = &[
    ("time", Unit::Time),
    ("level", Unit::Plain),
    ("host", Unit::Plain),
    ("source", Unit::Plain),
    ("line", Unit::Plain),
    ("message", Unit::Plain),
];

impl Show {
    /// Ready to write the answer to a query with its pipes.
    pub fn new(out: Out, look: Look, query: &Query, pipeline: &Pipeline) -> Show {
        let of_events = pipeline.columns().is_empty();
        let columns: Vec<Column> = if of_events {
            EVENT.iter().map(|(name, unit)| Column { name: (*name).into(), unit: *unit }).collect()
        } else {
            pipeline.columns().to_vec()
        };
        let form = match look.format {
            _ if look.raw => Form::Raw,
            QueryFormat::Text if of_events => Form::Lines(Lines::new(Marks::of(query), out.coloured())),
            QueryFormat::Text | QueryFormat::Table => {
                let width = (look.format == QueryFormat::Table).then_some(look.width);
                Form::Table(Table::new(columns, width, pipeline.is_timeline().then_some(look.width), out.coloured()))
            }
            QueryFormat::Jsonl => Form::Json(columns),
            QueryFormat::Csv => Form::Csv(columns),
        };
        Show { out, form, shown: 0 }
    }

    /// Writes an event; `hit` is false for one that only stands beside a hit.
    pub fn event(&mut self, event: &Event, source: &Source, hit: Option<bool>) -> Result<()> {
        self.begin()?;
        self.shown += u64::from(hit != Some(false));
        match &mut self.form {
            Form::Raw => return self.bytes(event.text.as_bytes()),
            Form::Lines(lines) => lines.event(&mut self.out, event, hit != Some(false))?,
            Form::Table(table) => table.row(&mut self.out, cells::of_event(event, source))?,
            Form::Json(_) => {
                let mut json = event.to_json();
                if let (Some(hit), Some(object)) = (hit, json.as_object_mut()) {
                    object.insert("context".into(), (!hit).into());
                }
                serde_json::to_writer(&mut self.out, &json)?;
                writeln!(self.out)?;
            }
            Form::Csv(_) => cells::csv_row(&mut self.out, &cells::of_event(event, source))?,
        }
        self.out.written()
    }

    /// Writes an event as it stands in its source.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.begin()?;
        self.shown += 1;
        self.bytes(bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        // What a terminal would obey is not sent to one.
        if self.out.is_terminal() {
            writeln!(self.out, "{}", crate::output::safe::lines(&String::from_utf8_lossy(bytes)))?;
        } else {
            self.out.write_all(bytes)?;
            writeln!(self.out)?;
        }
        self.out.written()
    }

    /// Parts what stands around one hit from what stands around the next.
    pub fn gap(&mut self) -> Result<()> {
        if let Form::Lines(lines) = &self.form { lines.gap(&mut self.out) } else { Ok(()) }
    }

    /// Writes a row.
    pub fn row(&mut self, row: Vec<Cell>) -> Result<()> {
        self.begin()?;
        self.shown += 1;
        match &mut self.form {
            Form::Raw | Form::Lines(_) => {}
            Form::Table(table) => table.row(&mut self.out, row)?,
            Form::Json(columns) => {
                let object = columns.iter().zip(&row).map(|(column, cell)| (column.name.clone(), cells::json(cell)));
                serde_json::to_writer(&mut self.out, &serde_json::Value::Object(object.collect()))?;
                writeln!(self.out)?;
            }
            Form::Csv(_) => cells::csv_row(&mut self.out, &row)?,
        }
        self.out.written()
    }

    /// A table in CSV has its head also when nothing follows.
    fn begin(&mut self) -> Result<()> {
        if let (0, Form::Csv(columns)) = (self.shown, &self.form) {
            let names: Vec<Cell> = columns.iter().map(|c| Cell::Text(c.name.clone())).collect();
            cells::csv_row(&mut self.out, &names)?;
        }
        Ok(())
    }

    /// Writes what is still held back.
    pub fn finish(mut self) -> Result<()> {
        self.begin()?;
        if let Form::Table(table) = &mut self.form {
            table.finish(&mut self.out)?;
        }
        self.out.finish()
    }

    /// Whether context can be shown.
    pub fn takes_context(look: &Look) -> bool {
        look.raw || matches!(look.format, QueryFormat::Text | QueryFormat::Jsonl)
    }
}
