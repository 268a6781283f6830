//! What of a store cannot be read. A damaged chunk costs only what is in it: the answer comes from the rest, and it is noted how
//! much is missing.

use crate::error::StoreError;
use crate::store::Store;
use std::io::ErrorKind;

/// A file of which something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its name within the store.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
    /// How many events are in what could not be read.
    pub events: u64,
}

impl Store {
    /// The outcome of reading a chunk; `None`, and a note of it, where the chunk is damaged. That this user may not read a file is
    /// no damage.
    pub(crate) fn spare<T>(&self, (place, chunk): (usize, usize), outcome: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        let why = match outcome {
            Ok(found) => return Ok(Some(found)),
            Err(StoreError::Damaged { what, .. }) => what,
            Err(StoreError::File { source, .. }) if source.kind() == ErrorKind::NotFound => "it is not there".to_string(),
            Err(StoreError::File { source, .. }) if source.kind() == ErrorKind::UnexpectedEof => "it is too short".to_string(),
            Err(StoreError::File { source, .. }) if source.kind() != ErrorKind::PermissionDenied => source.to_string(),
            Err(error) => return Err(error),
        };
        self.lost.borrow_mut().entry((place, chunk)).or_insert(why);
        Ok(None)
    }

    /// What could not be read since the store was opened, file by file.
    pub fn lost(&self) -> Vec<Lost> {
        let mut found: Vec<Lost> = Vec::new();
        for ((place, chunk), why) in self.lost.borrow().iter() {
            let Some(entry) = self.table.packs.get(*place) else { continue };
            let file = format!("pack.{}", entry.number);
            let events = entry.events.get(*chunk).map_or(0, |n| u64::from(*n));
            match found.last_mut().filter(|last| last.file == file) {
                Some(last) => last.events += events,
                None => found.push(Lost { file, why: why.clone(), events }),
            }
        }
        found
    }
}
