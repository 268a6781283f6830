//! Events as they stand in their sources, behind source and line, what was sought marked.

use crate::output::safe;
use anstyle::{AnsiColor, Style};
use std::io::{Result, Write};
use whyline_event::Event;
use whyline_query::Marks;

/// How events are written as text.
pub struct Lines {
    marks: Marks,
    coloured: bool,
    place: Style,
    mark: Style,
}

impl Lines {
    pub fn new(marks: Marks, coloured: bool) -> Lines {
        Lines { marks, coloured, place: AnsiColor::Cyan.on_default(), mark: AnsiColor::Red.on_default().bold() }
    }

    /// `source:line: text`; with dashes in place of colons where the event only stands beside a hit, as grep has it.
    pub fn event(&self, out: &mut impl Write, event: &Event, hit: bool) -> Result<()> {
        let sign = if hit { ':' } else { '-' };
        let place = format!("{}{sign}{}{sign}", safe::line(&event.source), event.origin.line);
        match self.coloured {
            true => write!(out, "{}{place}{} ", self.place, self.place.render_reset())?,
            false => write!(out, "{place} ")?,
        }
        for (i, line) in event.text.split('\n').enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            self.line(out, line, hit)?;
        }
        writeln!(out)
    }

    pub fn gap(&self, out: &mut impl Write) -> Result<()> {
        writeln!(out, "--")
    }

    fn line(&self, out: &mut impl Write, line: &str, hit: bool) -> Result<()> {
        let mut from = 0;
        if self.coloured && hit {
            for place in self.marks.places(line) {
                made_safe(out, &line[from..place.start])?;
                write!(out, "{}", self.mark)?;
                made_safe(out, &line[place.clone()])?;
                write!(out, "{}", self.mark.render_reset())?;
                from = place.end;
            }
        }
        made_safe(out, &line[from..])
    }
}

/// What would steer a terminal is shown as an escape. Tabs stay: the line is to be copied as it is.
fn made_safe(out: &mut impl Write, text: &str) -> Result<()> {
    for (n, part) in text.split('\t').enumerate() {
        if n > 0 {
            write!(out, "\t")?;
        }
        write!(out, "{}", safe::line(part))?;
    }
    Ok(())
}
