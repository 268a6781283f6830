//! Whyline's index: events on disk, searched by tantivy.
//!
//! A store is a folder. It holds an index (`index/`), a table of the sources that were stored (`sources.N.json`) and what
//! they told about their clocks (`facts.N`). Table and facts are written before the index commits, and the commit names their
//! number, so that all change together or not at all.
//!
//! Every event is kept with its raw text and, in a compact form, as it was read, so that it is rebuilt exactly without reading
//! it again. Its stamp is kept as written; what is known about the clock of its source lies in the table and may be revised by
//! a later ingest without touching the events.
//!
//! The index only narrows: [`Store::search`] asks it for events that may match and then asks every one of them
//! [`Query::matches_in`](whyline_query::Query::matches_in), which alone says what a query means.

mod bits;
mod codec;
mod error;
mod folder;
mod names;
mod narrow;
mod schema;
mod search;
mod store;
mod table;
mod terms;
mod writer;

pub use error::StoreError;
pub use search::{Frame, Hit};
pub use store::Store;
pub use table::{Counted, Place, StoredClock, StoredSource};
pub use writer::{Adder, Writer};
