//! Whyline's store: events on disk, found through tantivy.
//!
//! A store is a folder. It holds packs of events (`pack.N`, never changed once they are written), an index of the words in them
//! (`index/`), a table of the sources that were stored and of the packs (`sources.N.json`), and what the sources told about their
//! clocks (`facts.N`). Packs, table and facts are written before the index commits, and the commit names the table, so that all
//! change together or not at all.
//!
//! Every event is kept with its raw text and as it was read, so that it is rebuilt exactly without reading it again. Its stamp is
//! kept as written; what is known about the clock of its source lies in the table and may be revised by a later ingest without
//! touching the events.
//!
//! The index only narrows: it names the chunks that may hold what is asked for. Their columns are asked the query's own tests,
//! text by text and number by number, and what columns cannot answer is asked of the records themselves, so that
//! [`Query::matches_in`](whyline_query::Query::matches_in) alone says what a query means.

mod ask;
mod bits;
mod bytes;
mod care;
mod codec;
mod error;
mod folder;
mod info;
mod lost;
mod names;
mod narrow;
mod pack;
mod salvage;
mod schema;
mod search;
mod store;
mod table;
mod verify;
mod visit;
mod writer;

pub use error::StoreError;
pub use folder::FORM;
pub use info::{Info, Left};
pub use lost::Lost;
pub use salvage::Dropped;
pub use search::{Frame, Hit};
pub use store::Store;
pub use table::{Counted, Place, StoredClock, StoredSource};
pub use verify::{Verified, verify};
pub use visit::Visited;
pub use writer::{Adder, Writer};
