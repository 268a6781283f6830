//! The books: every line is accounted for, and every run says so.

use serde::Serialize;
use whyline_parse::{Bundle, Counts};

/// What was read, and what became of it.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Books {
    /// Sources that were read.
    pub sources: usize,
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Physical lines.
    pub lines: u64,
    /// Lines that belong to an event.
    pub in_events: u64,
    /// Lines with nothing in them that belong to no event.
    pub blank: u64,
    /// Records that were read.
    pub records: u64,
    /// Records that were kept (stored, or used for the answer).
    pub stored: u64,
    /// Records of streams that were there twice, or were stored before.
    pub duplicate: u64,
    /// Records that were stored and removed again since, and that were not stored anew.
    #[serde(skip_serializing_if = "is_none")]
    pub removed: u64,
    /// Records that were refused.
    pub refused: u64,
    /// Files and members that look like no text and were not read: none of the sums above counts them.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// Whether both sums agree.
    pub balanced: bool,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Books {
    /// Adds up the counts of a pass.
    pub fn of(bundle: &Bundle, counts: &[Counts]) -> Books {
        let mut books = Books { left_out: bundle.left_out, balanced: true, ..Books::default() };
        for (i, c) in counts.iter().enumerate() {
            books.add(c, if bundle.same_as[i].is_some() { c.records } else { c.duplicate });
        }
        books
    }

    /// Adds the counts of a source, so many of its records being there already.
    pub fn add(&mut self, counts: &Counts, duplicate: u64) {
        self.sources += 1;
        self.bytes += counts.bytes;
        self.lines += counts.lines;
        self.in_events += counts.in_events;
        self.blank += counts.blank;
        self.records += counts.records;
        self.duplicate += duplicate;
        self.stored += counts.records - duplicate;
        self.balance();
    }

    /// So many of the records that were taken for duplicates (or else for stored) were removed since.
    pub fn remove(&mut self, of_duplicates: bool, count: u64) {
        let part = if of_duplicates { &mut self.duplicate } else { &mut self.stored };
        let count = count.min(*part);
        *part -= count;
        self.removed += count;
        self.balance();
    }

    fn balance(&mut self) {
        let kept = self.stored + self.duplicate + self.removed;
        self.balanced = self.lines == self.in_events + self.blank && self.records == kept + self.refused;
    }

    /// Whether somebody who wants every record accounted for and kept has to be told.
    pub fn are_short(&self) -> bool {
        self.refused > 0 || !self.balanced
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let verdict = if self.balanced { "balanced" } else { "NOT BALANCED: please report this" };
        let removed = if self.removed > 0 { format!(" + {} removed before", self.removed) } else { String::new() };
        let left_out = if self.left_out > 0 { format!("; {} left out as no text", self.left_out) } else { String::new() };
        format!(
            "{}, {}, {} lines = {} in events + {} blank; {} records = {} stored + {} duplicate{removed} + {} refused{left_out}; {verdict}",
            crate::output::words::count(self.sources, "source", "sources"),
            size(self.bytes),
            self.lines,
            self.in_events,
            self.blank,
            self.records,
            self.stored,
            self.duplicate,
            self.refused
        )
    }
}

/// Bytes for people.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
