//! How far reading has come, for whoever shows it: bytes are counted where they are read, and somebody else looks at the count now and
//! then. This room only counts; it has no clock and shows nothing.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A count that is shared by those who read and those who look. Copies count together.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<State>);

#[derive(Debug, Default)]
struct State {
    done: AtomicU64,
    stage: Mutex<Stage>,
}

/// A part of the work: everything is read once in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// Rises by one with every stage; 0 before the first.
    pub number: u64,
    /// What is done, as in "reading"; empty before the first.
    pub what: &'static str,
    /// Bytes that are to be read, as they lie on disk (packed); `None` when that is not known.
    pub total: Option<u64>,
}

impl Progress {
    /// A stage begins; the count starts anew.
    pub fn begin(&self, what: &'static str, total: Option<u64>) {
        let mut stage = self.0.stage.lock().unwrap_or_else(|e| e.into_inner());
        *stage = Stage { number: stage.number + 1, what, total };
        self.0.done.store(0, Ordering::Relaxed);
    }

    /// Notes that bytes were read.
    pub fn read(&self, bytes: usize) {
        self.0.done.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The stage, and how many bytes were read in it; never more than there are.
    pub fn now(&self) -> (Stage, u64) {
        let stage = self.0.stage.lock().unwrap_or_else(|e| e.into_inner());
        // A zip archive's table of contents is read beside its members.
        let done = self.0.done.load(Ordering::Relaxed).min(stage.total.unwrap_or(u64::MAX));
        (*stage, done)
    }
}

/// A reader whose bytes are counted.
pub(crate) struct Counted<R> {
    /// Where they come from.
    pub reader: R,
    /// Where they are counted.
    pub progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(into)?;
        self.progress.read(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_counts_anew() {
        let progress = Progress::default();
        assert_eq!(progress.now(), (Stage::default(), 0));
        progress.begin("reading", Some(10));
        let copy = progress.clone();
        copy.read(7);
        assert_eq!(progress.now(), (Stage { number: 1, what: "reading", total: Some(10) }, 7));
        copy.read(7);
        assert_eq!(progress.now().1, 10, "more than all was read of what there is");
        progress.begin("reading again", None);
        assert_eq!(copy.now(), (Stage { number: 2, what: "reading again", total: None }, 0));
    }
}
