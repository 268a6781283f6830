//! How answers are written. [`safe`] is what everything passes that people read, [`words`] says numbers, times and places.

pub mod formats;
pub mod found;
pub mod graph;
pub mod json;
pub mod safe;
pub mod text;
pub mod words;

/// Columns: as the terminal has, else as `COLUMNS` says, else a width that suits a pager and a ticket. Where nobody looks at a
/// terminal the answer does not depend on one.
pub fn width() -> usize {
    let told = || std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let terminal = terminal_size::terminal_size_of(std::io::stdout()).map(|(w, _)| usize::from(w.0));
    terminal.or_else(told).unwrap_or(100)
}
