//! Time stamps in every notation found in the field.
//!
//! [`prefix`] finds the notation by itself; the single notations are public for formats that know which one they use.
//! All work on bytes, allocate nothing, and return the stamp with the number of bytes it took.

mod fixed;
mod notation;
mod numbers;
mod parts;

pub use fixed::common_log;
pub use notation::{clf, compact, glog, iso, prefix, slash, syslog};
#[cfg(test)]
use notation::{iso_careful as general_iso, syslog_careful as general_syslog};
pub use numbers::{epoch, tai64n, time_only};
pub use parts::month_name;
