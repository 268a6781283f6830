//! Rules: what is written in rule files, checked and made ready.
//!
//! [`written`] is the shape of the files, [`check`] says everything that is wrong with them ([`formats`] what is wrong with
//! formats, [`wording`] what a query probably does not mean), and [`Pack`] is what the rest of the program uses.

mod changes;
mod check;
mod finding;
pub mod formats;
mod pack;
mod wording;
pub mod written;

pub(crate) use check::is_id;
pub use finding::{Finding, Weight};
pub use pack::{Accused, Count, Evidence, Explains, Fault, FaultId, Pack, Signal, SignalId, Through};
