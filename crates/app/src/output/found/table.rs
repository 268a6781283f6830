//! Rows under heads, in columns.

use super::cells::shown;
use crate::output::safe;
use anstyle::Style;
use std::io::{Result, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use whyline_query::pipe::{Cell, Column};

/// Rows that are held back to find the widths of columns; those that follow keep to these.
const LOOKED_AT: usize = 1_000;
/// Between columns.
const GAP: usize = 2;
/// A column is not made narrower than this.
const NARROWEST: usize = 8;
/// A bar has this many cells at most.
const LONGEST_BAR: usize = 60;

/// Rows on their way into columns.
pub struct Table {
    columns: Vec<Column>,
    /// Texts are cut so that a row has this width.
    width: Option<usize>,
    /// The second column is drawn as bars on a page of this width.
    bars: Option<usize>,
    coloured: bool,
    held: Vec<Vec<Cell>>,
    widths: Option<Vec<usize>>,
    right: Vec<bool>,
}

impl Table {
    pub fn new(columns: Vec<Column>, width: Option<usize>, bars: Option<usize>, coloured: bool) -> Table {
        Table { columns, width, bars, coloured, held: Vec::new(), widths: None, right: Vec::new() }
    }

    pub fn row(&mut self, out: &mut impl Write, row: Vec<Cell>) -> Result<()> {
        if self.widths.is_some() {
            return self.write(out, &row, None);
        }
        self.held.push(row);
        // Bars are drawn to the largest of all rows.
        if self.held.len() >= LOOKED_AT && self.bars.is_none() { self.release(out) } else { Ok(()) }
    }

    pub fn finish(&mut self, out: &mut impl Write) -> Result<()> {
        if self.widths.is_none() && !self.held.is_empty() { self.release(out) } else { Ok(()) }
    }

    /// Writes the head and what was held back.
    fn release(&mut self, out: &mut impl Write) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let number = |cell: &Cell| matches!(cell, Cell::Number(_) | Cell::Estimate(_));
        self.right = (0..self.columns.len())
            .map(|i| held.iter().any(|row| number(&row[i])) && held.iter().all(|row| number(&row[i]) || row[i] == Cell::Empty))
            .collect();
        let mut widths: Vec<usize> = self.columns.iter().map(|c| safe::line(&c.name).width()).collect();
        for row in &held {
            for (i, width) in widths.iter_mut().enumerate() {
                *width = (*width).max(self.text(row, i).width());
            }
        }
        if let Some(most) = self.width {
            narrow(&mut widths, &self.right, most.saturating_sub(GAP * (self.columns.len() - 1)));
        }
        self.widths = Some(widths);
        self.head(out)?;
        let most = held.iter().filter_map(|row| count(row)).max().unwrap_or(0);
        held.iter().try_for_each(|row| self.write(out, row, self.bars.map(|_| most)))
    }

    fn head(&self, out: &mut impl Write) -> Result<()> {
        let names: Vec<String> = self.columns.iter().map(|c| safe::line(&c.name).into_owned()).collect();
        let line = self.line(&names);
        let bold = Style::new().bold();
        match self.coloured {
            true => writeln!(out, "{bold}{line}{bold:#}"),
            false => writeln!(out, "{line}"),
        }
    }

    fn write(&self, out: &mut impl Write, row: &[Cell], most: Option<i64>) -> Result<()> {
        let texts: Vec<String> = (0..self.columns.len()).map(|i| self.text(row, i)).collect();
        let mut line = self.line(&texts);
        if let (Some(most), Some(page)) = (most, self.bars) {
            let used: usize = self.widths.iter().flatten().sum::<usize>() + GAP * self.columns.len();
            let bar = bar(count(row).unwrap_or(0), most, page.saturating_sub(used).clamp(10, LONGEST_BAR));
            if !bar.is_empty() {
                line.push_str(&" ".repeat(used.saturating_sub(line.width())));
                line.push_str(&bar);
            }
        }
        writeln!(out, "{line}")
    }

    fn text(&self, row: &[Cell], column: usize) -> String {
        let unit = self.columns[column].unit;
        safe::line(&row.get(column).map_or_else(String::new, |cell| shown(cell, unit))).into_owned()
    }

    fn line(&self, texts: &[String]) -> String {
        let mut line = String::new();
        let widths = self.widths.as_deref().unwrap_or_default();
        for (i, text) in texts.iter().enumerate() {
            let width = widths.get(i).copied().unwrap_or(0);
            let text = if self.width.is_some() && !self.right[i] { cut(text, width) } else { text.clone() };
            let room = " ".repeat(width.saturating_sub(text.width()));
            if i > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            if self.right[i] {
                line.push_str(&room);
                line.push_str(&text);
            } else {
                line.push_str(&text);
                line.push_str(&room);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Takes from the widest text columns until all fit, from the last one first: it mostly holds the longest text. Numbers are never cut.
fn narrow(widths: &mut [usize], right: &[bool], most: usize) {
    let last = widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() > most {
        let size = |i: usize| widths[i] * if i == last { 3 } else { 1 };
        let widest = (0..widths.len()).filter(|i| !right[*i] && widths[*i] > NARROWEST).max_by_key(|i| size(*i));
        let Some(widest) = widest else { return };
        widths[widest] -= 1;
    }
}

/// The text, cut to so many cells of a terminal.
fn cut(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_string();
    }
    let mut used = 1;
    let mut kept: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= most
        })
        .collect();
    kept.push('…');
    kept
}

fn count(row: &[Cell]) -> Option<i64> {
    match row.get(1) {
        Some(Cell::Number(n)) => n.as_int(),
        _ => None,
    }
}

/// A bar in eighths of a cell; what is there at all is seen.
fn bar(count: i64, most: i64, cells: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if count <= 0 || most <= 0 {
        return String::new();
    }
    let eighths = (i128::from(count) * (cells as i128) * 8 / i128::from(most)).max(1) as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_query::pipe::{Fixed, Unit};

    fn column(name: &str, unit: Unit) -> Column {
        Column { name: name.into(), unit }
    }

    fn written(width: Option<usize>, bars: Option<usize>, columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> String {
        let (mut table, mut out) = (Table::new(columns, width, bars, false), Vec::new());
        rows.into_iter().for_each(|row| table.row(&mut out, row).unwrap());
        table.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn number(n: i64) -> Cell {
        Cell::Number(Fixed::int(n))
    }

    #[test]
    fn columns_stand_under_their_heads() {
        let columns = vec![column("path", Unit::Plain), column("count", Unit::Plain), column("p99", Unit::Seconds)];
        let rows = vec![
            vec![Cell::Text("/資料庫".into()), number(5), number(2)],
            vec![Cell::Text("/a\u{1b}[2J".into()), number(12_000), Cell::Empty],
            vec![Cell::Empty, number(1), number(90)],
        ];
        let want = "path       count  p99\n/資料庫        5   2s\n/a\\x1b[2J  12000    -\n-              1  90s\n";
        assert_eq!(written(None, None, columns, rows), want);
    }

    #[test]
    fn texts_are_cut_to_the_width_and_numbers_are_not() {
        let columns = vec![column("pattern", Unit::Plain), column("count", Unit::Plain)];
        let rows = vec![vec![Cell::Text("連接失敗 connection refused by peer".into()), number(123_456)]];
        let text = written(Some(20), None, columns, rows);
        assert_eq!(text, "pattern        count\n連接失敗 co…  123456\n");
        assert!(text.lines().all(|l| l.width() <= 20));
    }

    #[test]
    fn bars() {
        let columns = vec![column("time", Unit::Time), column("count", Unit::Plain)];
        let row = |time: i64, n: i64| vec![Cell::Time(time * 60_000_000_000), number(n)];
        assert_eq!(
            written(None, Some(44), columns, vec![row(0, 8), row(1, 0), row(2, 1), row(3, 3)]),
            "time                  count\n1970-01-01T00:00:00Z      8  ███████████████\n1970-01-01T00:01:00Z      0\n1970-01-01T00:02:00Z      1  █▉\n1970-01-01T00:03:00Z      3  █████▋\n"
        );
        assert_eq!((bar(1, 1_000_000, 10).as_str(), bar(7, 7, 10).as_str()), ("▏", "██████████"));
    }
}
