//! Which column of a chunk holds what. Fields that records of several shapes have, and pieces of text behind the same constant
//! text, share a column: first the rows of one shape, then those of the next. So a question about a field reads one column.

use super::shape::{Shape, Source};

/// A column that shapes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    /// The dictionary of texts; numbers have none.
    pub(crate) dictionary: Option<u32>,
    pub(crate) rows: usize,
    /// Group, column within the group, and the first row in here.
    pub(crate) parts: Vec<(u32, u32, usize)>,
}

/// The columns of a chunk, besides those that all rows have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) columns: Vec<Shared>,
    /// For each group the columns of its texts, then of its numbers; and which part of the column is its own.
    pub(crate) of: Vec<Vec<(u32, u32)>>,
}

/// Columns by what they hold: a number, and how often it came before in the same shape.
#[derive(Default)]
struct Known {
    first: Vec<u32>,
    more: Vec<(u32, u32, u32)>,
    met: Vec<(u32, u32)>,
    /// How many groups there are.
    groups: usize,
}

impl Known {
    fn begin(&mut self) {
        self.met.clear();
    }

    fn column(&mut self, key: u32, columns: &mut Vec<Shared>, dictionary: Option<u32>) -> u32 {
        let times = match self.met.iter_mut().find(|(k, _)| *k == key) {
            Some((_, times)) => {
                *times += 1;
                *times
            }
            None => {
                self.met.push((key, 0));
                0
            }
        };
        let room = self.groups.min(64);
        let mut new = || {
            columns.push(Shared { dictionary, rows: 0, parts: Vec::with_capacity(room) });
            columns.len() as u32 - 1
        };
        if times == 0 {
            if self.first.len() <= key as usize {
                self.first.resize(key as usize + 1, u32::MAX);
            }
            let first = &mut self.first[key as usize];
            if *first == u32::MAX {
                *first = new();
            }
            return *first;
        }
        match self.more.iter().find(|(k, t, _)| (*k, *t) == (key, times)) {
            Some((.., column)) => *column,
            None => {
                let column = new();
                self.more.push((key, times, column));
                column
            }
        }
    }
}

impl Layout {
    /// The columns of groups, each a shape with its rows.
    pub(crate) fn of<'s>(groups: impl Iterator<Item = (&'s Shape, usize)>) -> Layout {
        let most = groups.size_hint().0;
        let (mut texts, mut numbers) = (Known { groups: most, ..Known::default() }, Known { groups: most, ..Known::default() });
        let mut layout = Layout::default();
        for (group, (shape, rows)) in (0u32..).zip(groups) {
            texts.begin();
            numbers.begin();
            let mut own = Vec::with_capacity(shape.texts() + shape.numbers as usize);
            for dictionary in shape.dictionaries() {
                own.push(texts.column(dictionary, &mut layout.columns, Some(dictionary)));
            }
            for (name, from) in &shape.fields {
                let kind = match from {
                    Source::Int(_) => 0,
                    Source::Float(_) => 1,
                    Source::Duration(_) => 2,
                    _ => continue,
                };
                own.push(numbers.column(name * 3 + kind, &mut layout.columns, None));
            }
            let own = (0u32..).zip(own).map(|(column, number)| match layout.columns.get_mut(number as usize) {
                Some(shared) => {
                    shared.parts.push((group, column, shared.rows));
                    shared.rows += rows;
                    (number, shared.parts.len() as u32 - 1)
                }
                None => (number, 0),
            });
            let own = own.collect();
            layout.of.push(own);
        }
        layout
    }
}
