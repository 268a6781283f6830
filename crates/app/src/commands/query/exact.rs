//! The bytes of events as they stand in their files, for `--raw`. Most texts are their bytes; of the others (no UTF-8, escapes of terminals, a
//! carriage return at the end, cut at 1 MB) the bytes are read again.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::ControlFlow;
use whyline_event::Event;
use whyline_parse::Bundle;
use whyline_parse::input::{Input, each};
use whyline_query::pipe::Found;

/// Of longer records the text is written that was read of them.
const LONGEST: u64 = 64 << 20;

/// Bytes by source and offset.
#[derive(Default)]
pub struct Exact(BTreeMap<(u32, u64), Vec<u8>>);

impl Exact {
    /// What has to be read again of events that are found in files.
    pub fn of(bundle: &Bundle, found: &[Found]) -> Exact {
        let mut wanted: BTreeMap<u32, BTreeMap<u64, (u64, u32)>> = BTreeMap::new();
        for Found { event, rank, .. } in found.iter().filter(|f| is_other(&f.event) && f.event.origin.length <= LONGEST) {
            wanted.entry(*rank).or_default().insert(event.origin.offset, (event.origin.length, event.origin.lines));
        }
        let ranks: Vec<u32> = wanted.keys().copied().filter(|rank| bundle.inputs.get(*rank as usize).is_some()).collect();
        let inputs: Vec<&Input> = ranks.iter().filter_map(|rank| bundle.inputs.get(*rank as usize)).collect();
        let mut exact = Exact::default();
        each(&inputs, &mut |i, opened| {
            let places = ranks.get(i).and_then(|rank| Some((*rank, wanted.get(rank)?)));
            if let (Ok(reader), Some((rank, places))) = (opened, places) {
                exact.read(reader, rank, places);
            }
            ControlFlow::Continue(())
        });
        exact
    }

    /// Reads the places of one source; they lie behind each other. What a source no longer gives is left out.
    fn read(&mut self, mut reader: impl Read, rank: u32, places: &BTreeMap<u64, (u64, u32)>) {
        let mut at = 0u64;
        for (offset, (length, lines)) in places {
            // Parts of a torn line may touch, but none begins within another; if so it keeps its text.
            let Some(between) = offset.checked_sub(at) else { continue };
            let mut bytes = Vec::new();
            let skipped = std::io::copy(&mut reader.by_ref().take(between), &mut std::io::sink());
            if skipped.ok() != Some(between) || reader.by_ref().take(*length).read_to_end(&mut bytes).is_err() {
                return;
            }
            at = offset.saturating_add(*length);
            // Between the lines of one writer those of others may stand.
            let its_own = bytes.iter().filter(|b| **b == b'\n').count() as u64 + 1 == u64::from(*lines);
            if its_own && bytes.len() as u64 == *length {
                self.0.insert((rank, *offset), bytes);
            }
        }
    }

    /// The bytes of an event in its file, where they were read again.
    pub fn bytes(&self, event: &Event) -> Option<&[u8]> {
        self.0.get(&(event.origin.source.0, event.origin.offset)).map(Vec::as_slice)
    }
}

/// Whether the text of an event is not what stands in its file, as far as that can be told from the text.
pub fn is_other(event: &Event) -> bool {
    event.origin.length != event.text.len() as u64 || is_lossy(event)
}

/// Whether bytes that are no UTF-8 may have been replaced.
pub fn is_lossy(event: &Event) -> bool {
    event.text.contains(char::REPLACEMENT_CHARACTER)
}
