//! From bytes to records.
//!
//! This room reads inputs, unpacks them, cuts them into records, finds the format of each source and the zone and year of
//! its clock. It knows no store, no rule and no clock of its own, and it never fails on content: an unreadable line is a
//! record with a note.

mod binary;
pub mod catalogue;
pub mod cut;
pub mod detect;
pub mod explain;
pub mod facts;
pub mod format;
pub mod formats;
pub mod host;
pub mod input;
pub mod joins;
pub mod plain;
pub mod problem;
pub mod reading;
pub mod settle;
mod skew;
pub mod stamp;

pub use cut::Counts;
pub use detect::Plan;
pub use facts::Facts;
pub use format::{Cx, Fit, Format};
pub use problem::{Gravity, Problem};
pub use reading::{Bundle, Options, Passed, Sink, pass, prepare, settle_clocks};
pub use settle::{Settled, Told, Why};
