//! Whyline's judgement: rules, evidence, topology, the fault tree, belief.
//!
//! This room knows no files, no formats and no index: records come by themselves ([`tally::Tally`]), clocks are handed in
//! ([`evidence::SourceInfo`]), and what it finds is plain data ([`diagnosis::Diagnosis`]). It never prints.

mod accused;
pub mod activity;
pub mod advice;
mod baseline;
mod belief;
mod calm;
mod coincide;
pub mod computed;
mod containers;
pub mod diagnosis;
pub mod entity;
pub mod evidence;
mod groups;
mod meant;
pub mod measure;
pub mod names;
mod near;
mod reach;
mod reasons;
pub mod report;
pub mod requests;
pub mod rules;
mod seen_twice;
mod senders;
mod shared;
pub mod shown;
pub mod snapshot;
pub mod symptoms;
pub mod tally;
mod tied;
pub mod topology;
pub mod tree;
mod untold;
mod wanted;

pub use diagnosis::diagnose;
pub use evidence::{Evidence, SourceInfo};
pub use report::{Diagnosis, Grade};
pub use requests::Spill;
pub use rules::Pack;
pub use tally::{Gathered, Tally};
pub use whyline_query::Matcher;
