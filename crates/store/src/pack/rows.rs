//! What a column or a chunk takes from the rows of a block.

use super::block::{Block, Held, Row, Where};
use crate::codec::form_number;
use whyline_event::Severity;

/// Whether texts begin and end within words.
pub(super) struct Edges {
    pub(super) first: bool,
    pub(super) last: bool,
    pub(super) empty: bool,
}

impl Edges {
    pub(super) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Edges {
        let within = |byte: u8| byte.is_ascii_alphanumeric() || byte >= 0x80;
        let mut edges = Edges { first: false, last: false, empty: false };
        for text in texts {
            match (text.as_bytes().first(), text.as_bytes().last()) {
                (Some(first), Some(last)) => {
                    edges.first |= within(*first);
                    edges.last |= within(*last);
                }
                _ => edges.empty = true,
            }
        }
        edges
    }
}

/// The texts of a row that are not in its own text, in the order of the shape.
pub(super) fn own<'b>(block: &'b Block, row: &'b Row) -> impl Iterator<Item = &'b str> {
    let body = Some(row.body);
    let fields = block.cells[row.cells.clone()].iter().map(|c| if let Held::Text(place) = c.held { Some(place) } else { None });
    let places = std::iter::once(body).chain(fields).flatten();
    places.filter(|p| matches!(p, Where::Own(..))).map(|p| block.at(row, p))
}

/// The numbers of a row, in the order of the shape.
pub(super) fn numbers<'b>(block: &'b Block, row: &'b Row) -> impl Iterator<Item = i64> + 'b {
    block.cells[row.cells.clone()].iter().filter_map(|c| match c.held {
        Held::Int(n) | Held::Duration(n) => Some(n),
        Held::Float(x) => Some(x.to_bits() as i64),
        Held::Text(_) | Held::Bool(_) => None,
    })
}

/// What few rows differ in: the kind of stamp, its offset from UTC, severity, whether the stamp is inherited or doubtful.
pub(super) fn mark(row: &Row) -> [i64; 2] {
    let mut bits = i64::from(row.severity.map_or(0, Severity::number)) << 16 | i64::from(row.inherited) << 9 | i64::from(row.doubtful) << 8;
    let mut offset = 0;
    if let Some(stamp) = row.stamp {
        bits |= i64::from(form_number(stamp.form)) << 4 | i64::from(stamp.digits.min(15));
        bits |= i64::from(stamp.offset.is_some()) << 10;
        offset = i64::from(stamp.offset.unwrap_or(0));
    }
    [bits, offset]
}

/// For each form of stamps the first and the last; form 0 stands for rows without any.
pub(super) fn times(block: &Block) -> Vec<(u8, i64, i64)> {
    let mut times: Vec<(u8, i64, i64)> = Vec::new();
    for row in &block.rows {
        let (form, nanos) = row.stamp.map_or((0, 0), |s| (form_number(s.form), s.nanos));
        match times.iter_mut().find(|(f, ..)| *f == form) {
            Some((_, from, to)) => (*from, *to) = ((*from).min(nanos), (*to).max(nanos)),
            None => times.push((form, nanos, nanos)),
        }
    }
    times
}
