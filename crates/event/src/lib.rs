//! The words of Whyline: what a log record is once it has been read, before anybody judges it.
//!
//! This is the ground floor. It does no I/O, knows no format, no store and no rule, and never prints.
//! Reading yields borrowed [`Record`]s; an owned [`Event`] is made only for what is shown or kept.
//! Names follow the OpenTelemetry log model and semantic conventions; the table is in [`field`].

pub mod address;
pub mod event;
pub mod field;
pub mod fields;
pub mod record;
pub mod severity;
pub mod shown;
pub mod source;
pub mod spec;
pub mod stamp;
pub mod value;

pub use bumpalo::Bump;
pub use event::Event;
pub use field::{Key, Kind, Name};
pub use fields::{Field, Fields};
pub use record::{Origin, Record, SNAPSHOT, STATE};
pub use severity::Severity;
pub use shown::shown;
pub use source::{Source, SourceId};
pub use spec::{FormatSpec, Notation};
pub use stamp::{Basis, Clock, Form, Stamp, Zone};
pub use value::Value;
