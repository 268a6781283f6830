//! Whyline's query language: one for people, rules and programs. A rule's signal is a query that got a name.
//!
//! ```text
//! status:503 AND upstream:10.0.0.3            fields, AND OR NOT, parentheses; a space means AND
//! "connection reset by peer"                  words in a row, any case
//! path:/api/*  host:web?                      wildcards, over the whole value
//! msg:/timed out \(110: .*\)/                 regular expressions (Rust syntax)
//! status:>=500 duration:>2s bytes:[1k TO 1M]  comparisons and ranges, with units
//! status:(502 503 504)                        any of these values
//! client:10.0.0.0/8                           address ranges
//! field:*   NOT field:*                       present, missing
//! ```
//!
//! ```
//! use whyline_event::{Key, Origin, Record};
//! use whyline_query::Query;
//!
//! let mut record = Record::new("connect() failed (111: Connection refused)", Origin::default());
//! record.put_str(Key::UpstreamAddress, "10.0.0.3:8080");
//! let query = Query::parse("\"connection refused\" upstream:10.0.0.0/8")?;
//! assert!(query.matches(&record));
//! # Ok::<(), whyline_query::QueryError>(())
//! ```
//!
//! What is done with the events that a query finds stands behind it: see [`pipe`].
//!
//! [`Query::matches`] says what a query means, on one record alone; an index or a [`Matcher`] may only be faster.

mod ast;
mod doubt;
mod edges;
mod error;
mod fields;
mod glob;
mod highlight;
mod keys;
mod lex;
mod marks;
mod matcher;
mod matches;
mod memo;
mod mould;
mod need;
mod network;
mod number;
mod parse;
mod part;
mod pattern;
pub mod pipe;
mod query;
mod runs;
mod setting;
mod sieve;
mod texts;
mod value;
pub mod words;

pub use ast::{Bound, Literal, Node, Op, Phrase, Range, Test};
pub use doubt::{Doubt, Looks};
pub use error::QueryError;
pub use fields::{Sense, Target, is_access, is_access_format, is_of_stranger, suggest, tells_of_request};
pub use glob::Glob;
pub use highlight::Marks;
pub use matcher::{Matcher, Scratch};
pub use matches::ERRORS;
pub use network::{Endpoint, Network};
pub use number::Amount;
pub use pattern::Pattern;
pub use pipe::{Asked, Pipeline};
pub use query::{Query, UnknownField};

// Queries are read once and asked on every thread.
const _: fn() = || {
    fn travels<T: Send + Sync>() {}
    travels::<Query>();
    travels::<Matcher>();
    travels::<Asked>();
    travels::<pipe::Partial>();
};
