//! From bytes to records.
//!
//! This room reads inputs, unpacks them, cuts them into records, finds the format of each source and the zone and year of
//! its clock. It knows no store, no rule and no clock of its own, and it never fails on content: an unreadable line is a
//! record with a note.

pub mod format;
pub mod formats;
pub mod stamp;

pub use format::{Cx, Fit, Format};
