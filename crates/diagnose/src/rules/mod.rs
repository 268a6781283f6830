//! Rules: what is written in rule files, checked and made ready.
//!
//! [`written`] is the shape of the files, [`check`] says everything that is wrong with them ([`formats`] what is wrong with
//! formats), and [`Pack`] is what the rest of
//! the program uses.

mod check;
pub mod formats;
mod pack;
pub mod written;

pub use check::{Finding, Weight};
pub use pack::{Accused, Count, Evidence, Explains, Fault, FaultId, Pack, Signal, SignalId, Through};
