//! Asking a query of a chunk without putting its records together.
//!
//! The question is put to columns: each text of a dictionary is asked once, by the query's own test, and the answer holds for all
//! rows that have it. What a column cannot answer (words in a row that begin in one piece of a text and end in another, patterns
//! over several pieces) is narrowed by the pieces and then asked of the text itself; rows without a shape are asked as records. So
//! every answer is the one that [`Query::matches_in`](whyline_query::Query::matches_in) gives.

mod answers;
pub(crate) mod chunk;
mod marks;
mod phrase;
mod piece;
mod plan;
mod row;
mod value;

pub(crate) use chunk::Asker;
pub(crate) use plan::{Ask, Leaf, Plan, What, is_free_text};
pub(crate) use value::named;
