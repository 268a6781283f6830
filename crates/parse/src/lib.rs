//! From bytes to records.
//!
//! This room reads inputs, unpacks them, cuts them into records, finds the format of each source and the zone and year of
//! its clock. It knows no store, no rule and no clock of its own, and it never fails on content: an unreadable line is a
//! record with a note.

mod ahead;
mod beside;
mod binary;
pub mod boot;
pub mod catalogue;
pub mod cut;
pub mod detect;
mod drift;
mod edges;
pub mod explain;
pub mod facts;
pub mod fold;
pub mod format;
pub mod formats;
mod fractions;
pub mod host;
pub mod input;
pub mod joins;
mod layout;
pub mod marks;
pub mod order;
mod peak;
mod places;
pub mod plain;
mod prepare;
pub mod problem;
pub mod progress;
pub mod reading;
mod remarks;
mod restarts;
pub mod rotation;
mod seams;
pub mod section;
mod seek;
pub mod settle;
mod skew;
mod sosreport;
pub mod stamp;
mod strands;
mod torn;
mod twins;
mod wrapped;

pub use ahead::read_ahead;
pub use cut::Counts;
pub use detect::Plan;
pub use facts::Facts;
pub use format::{Cx, Fit, Format};
pub use prepare::prepare;
pub use problem::{Gravity, Problem};
pub use progress::Progress;
pub use reading::{Bundle, Options, Passed, Sink, pass, settle_clocks};
pub use remarks::remarks;
pub use settle::{Settled, Told, Why};
