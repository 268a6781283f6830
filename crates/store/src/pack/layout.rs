//! Which column of a chunk holds what. Fields that records of several shapes have, and pieces of text behind the same constant
//! text, share a column: first the rows of one shape, then those of the next. So a question about a field reads one column.
//!
//! Which columns shapes have in common is the same in all chunks of a pack and found once; where they lie in a chunk follows from
//! the order in which its shapes come.

use super::shape::{Shape, Source};
use rustc_hash::FxHashMap;

/// What a column holds: texts of a dictionary or numbers of a field, and how often the same came before in one shape.
type Held = (Option<u32>, u32, u32);

/// The columns that shapes have, besides those that all rows have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    /// For each shape the columns of its texts, then of its numbers.
    of: Vec<Vec<u32>>,
    /// How many of them hold texts.
    texts: Vec<usize>,
    /// The dictionary of each column of texts; numbers have none.
    dictionaries: Vec<Option<u32>>,
}

impl Columns {
    /// The columns of some shapes.
    pub(crate) fn of<'s>(shapes: impl Iterator<Item = &'s Shape>) -> Columns {
        let mut columns = Columns::default();
        let mut known: FxHashMap<Held, u32> = FxHashMap::default();
        for shape in shapes {
            let texts = shape.dictionaries().map(|dictionary| (Some(dictionary), 0));
            let numbers = shape.fields.iter().filter_map(|(name, from)| {
                let kind = match from {
                    Source::Int(_) => 0,
                    Source::Float(_) => 1,
                    Source::Duration(_) => 2,
                    _ => return None,
                };
                Some((None, name * 3 + kind))
            });
            let mut met: FxHashMap<(Option<u32>, u32), u32> = FxHashMap::default();
            let own = texts.chain(numbers).map(|key| {
                let times = met.entry(key).and_modify(|times| *times += 1).or_insert(0);
                *known.entry((key.0, key.1, *times)).or_insert_with(|| {
                    columns.dictionaries.push(key.0);
                    columns.dictionaries.len() as u32 - 1
                })
            });
            let own = own.collect();
            columns.of.push(own);
            columns.texts.push(shape.texts());
        }
        columns
    }

    /// The columns of a shape.
    pub(crate) fn of_shape(&self, shape: u32) -> &[u32] {
        self.of.get(shape as usize).map_or(&[], Vec::as_slice)
    }

    /// How many of the columns of a shape hold texts; its numbers come behind them.
    pub(crate) fn texts_of(&self, shape: u32) -> usize {
        self.texts.get(shape as usize).copied().unwrap_or(0)
    }
}

/// A column that shapes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    /// Its number among the columns of all shapes.
    pub(crate) number: u32,
    /// The dictionary of texts; numbers have none.
    pub(crate) dictionary: Option<u32>,
    pub(crate) rows: usize,
}

/// The columns of a chunk, besides those that all rows have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// In the order of the file.
    pub(crate) columns: Vec<Shared>,
    /// Where the columns of all shapes lie in here.
    places: Vec<u32>,
}

const NOWHERE: u32 = u32::MAX;

impl Layout {
    /// Where the columns of groups lie, each a shape with its rows.
    pub(crate) fn of(columns: &Columns, groups: impl Iterator<Item = (u32, usize)>) -> Layout {
        let mut layout = Layout { columns: Vec::new(), places: vec![NOWHERE; columns.dictionaries.len()] };
        for (shape, rows) in groups {
            for number in columns.of_shape(shape) {
                let Some(place) = layout.places.get_mut(*number as usize) else { continue };
                if *place == NOWHERE {
                    *place = layout.columns.len() as u32;
                    let dictionary = columns.dictionaries.get(*number as usize).copied().flatten();
                    layout.columns.push(Shared { number: *number, dictionary, rows: 0 });
                }
                if let Some(shared) = layout.columns.get_mut(*place as usize) {
                    shared.rows += rows;
                }
            }
        }
        layout
    }

    /// Where a column lies, by its number among the columns of all shapes.
    pub(crate) fn place(&self, number: u32) -> Option<usize> {
        self.places.get(number as usize).filter(|place| **place != NOWHERE).map(|place| *place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::Atom;
    use super::*;

    #[test]
    fn shapes_share_columns_in_the_order_in_which_they_come() {
        let shape = |dictionaries: &[u32], numbers: &[u32]| Shape {
            format: 0,
            body: Source::Atoms(0, 0),
            fields: (0u32..).zip(numbers).map(|(n, name)| (*name, Source::Int(n))).collect(),
            notes: Vec::new(),
            atoms: dictionaries.iter().map(|d| Atom::Column(*d)).collect(),
            own: Vec::new(),
            numbers: numbers.len() as u32,
        };
        let columns = Columns::of([shape(&[5, 6, 5], &[1]), shape(&[6, 5], &[2, 1])].iter());
        assert_eq!((columns.of_shape(0), columns.of_shape(1), columns.of_shape(2)), (&[0, 1, 2, 3][..], &[1, 0, 4, 3][..], &[][..]));
        let layout = Layout::of(&columns, [(1, 10), (0, 3)].into_iter());
        let found: Vec<_> = layout.columns.iter().map(|c| (c.number, c.dictionary, c.rows)).collect();
        assert_eq!(found, [(1, Some(6), 13), (0, Some(5), 13), (4, None, 10), (3, None, 13), (2, Some(5), 3)]);
        assert_eq!((layout.place(2), Layout::of(&columns, [(1, 10)].into_iter()).place(2), layout.place(9)), (Some(4), None, None));
    }
}
