//! The texts of lines that an answer cites: few of millions, so they are read again at the end rather than kept all along.

use super::bundle::From;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::ControlFlow;
use whyline_diagnose::Diagnosis;
use whyline_diagnose::diagnosis::Citation;
use whyline_diagnose::tally::Text;
use whyline_event::Record;
use whyline_parse::Bundle;
use whyline_parse::input::{Input, each};
use whyline_store::Store;

/// A text is shown up to this many characters.
const MOST: usize = 2000;

/// Where a text stands in its source: a line, and its bytes where they are known.
type Place = (u64, Option<(u64, u16)>);

/// Fills in the texts of citations that only say where they stand. What cannot be read again is left out.
pub fn fill(diagnosis: &mut Diagnosis, from: &From) {
    let mut wanted: BTreeMap<String, BTreeSet<Place>> = BTreeMap::new();
    for c in diagnosis.causes.iter().flat_map(|c| &c.evidence).filter(|c| c.text.is_empty()) {
        wanted.entry(c.source.clone()).or_default().insert((c.line, c.bytes));
    }
    for noted in diagnosis.noted.iter().filter(|noted| noted.text.is_empty()) {
        wanted.entry(noted.source.clone()).or_default().insert((noted.line, noted.bytes));
    }
    let texts = match from {
        From::Files(bundle) => of_files(bundle, &wanted),
        From::Store(store) => wanted.iter().flat_map(|(path, places)| of_store(store, path, places)).collect(),
    };
    for cause in &mut diagnosis.causes {
        for c in cause.evidence.iter_mut().filter(|c| c.text.is_empty()) {
            if let Some(text) = texts.get(&(c.source.clone(), (c.line, c.bytes))) {
                c.text = text.clone();
            }
        }
        cause.evidence.retain(|c: &Citation| !c.text.is_empty());
    }
    for noted in diagnosis.noted.iter_mut().filter(|noted| noted.text.is_empty()) {
        noted.text = texts.get(&(noted.source.clone(), (noted.line, noted.bytes))).cloned().unwrap_or_default();
    }
}

type Texts = BTreeMap<(String, Place), String>;

fn of_store(store: &Store, path: &str, wanted: &BTreeSet<Place>) -> Vec<((String, Place), String)> {
    let mut found = Vec::new();
    let Some(number) = store.sources().iter().position(|s| s.path == path) else { return found };
    for place in wanted {
        let mut take = |record: &Record<'_>| {
            let text = match place.1 {
                Some((_, length)) => Text::kept(record.text.get(..length.into()).unwrap_or(record.text)).into(),
                None => record.text.lines().next().unwrap_or("").trim_end_matches('\r').chars().take(MOST).collect(),
            };
            found.push(((path.to_string(), *place), text));
        };
        // A line that cannot be read is left out, as it would be in a file.
        let _ = store.record_at(number, place.0, &mut take);
    }
    found
}

/// Reads the wanted texts again; every archive is walked once.
fn of_files(bundle: &Bundle, wanted: &BTreeMap<String, BTreeSet<Place>>) -> Texts {
    let inputs: Vec<&Input> = bundle.inputs.iter().filter(|i| wanted.contains_key(&i.source.path)).collect();
    let mut found = BTreeMap::new();
    each(&inputs, &mut |i, opened| {
        let (Ok(reader), Some(input)) = (opened, inputs.get(i)) else { return ControlFlow::Continue(()) };
        let path = &input.source.path;
        let Some(places) = wanted.get(path) else { return ControlFlow::Continue(()) };
        found.extend(texts(reader, places).into_iter().map(|(place, text)| ((path.clone(), place), text)));
        ControlFlow::Continue(())
    });
    found
}

/// The texts at some places of a stream, which is read until the last of them.
fn texts(mut reader: impl Read, places: &BTreeSet<Place>) -> Vec<(Place, String)> {
    // Of a long text its beginning and its end.
    let mut pieces: Vec<(u64, u64, Place, Vec<u8>)> = Vec::new();
    let mut lines: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for (line, bytes) in places {
        match bytes {
            Some((offset, length)) => {
                let mut piece = |from: u64, to: u64| pieces.push((offset + from, offset + to, (*line, *bytes), Vec::new()));
                match ends(*length) {
                    Some((head, tail)) => {
                        piece(0, head);
                        piece(tail, u64::from(*length));
                    }
                    None => piece(0, u64::from(*length)),
                }
            }
            None => drop(lines.insert(*line, Vec::new())),
        }
    }
    let last_byte = pieces.iter().map(|(_, to, ..)| *to).max().unwrap_or(0);
    let last_line = lines.keys().next_back().copied().unwrap_or(0);
    let mut buffer = vec![0; 1 << 18];
    let (mut offset, mut line) = (0u64, 1u64);
    while offset < last_byte || line <= last_line {
        let Ok(n @ 1..) = reader.read(&mut buffer) else { break };
        let Some(block) = buffer.get(..n) else { break };
        for (from, to, _, text) in &mut pieces {
            let within = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(n).min(n);
            text.extend_from_slice(block.get(within(*from)..within(*to)).unwrap_or(&[]));
        }
        if line <= last_line {
            line = note_lines(block, line, &mut lines);
        }
        offset += n as u64;
    }
    let text = |piece: &(u64, u64, Place, Vec<u8>)| String::from_utf8_lossy(&piece.3).into_owned();
    let pieces = pieces.chunk_by(|a, b| a.2 == b.2).filter_map(|of_one| {
        let (first, last) = (of_one.first()?, of_one.last()?);
        Some((first.2, if of_one.len() == 1 { text(first) } else { Text::ends(&text(first), &text(last)) }))
    });
    // A hole that a crash left in the line says nothing.
    let shown = |text: &[u8]| String::from_utf8_lossy(text).trim_end_matches('\r').chars().filter(|c| *c != '\0').take(MOST).collect();
    let lines = lines.iter().map(|(line, text)| ((*line, None), shown(text)));
    pieces.chain(lines).collect()
}

/// Where the beginning of a long text ends, and where its end begins.
fn ends(length: u16) -> Option<(u64, u64)> {
    let length = usize::from(length);
    (length > Text::HEAD + Text::TAIL).then(|| (Text::HEAD as u64, (length - Text::TAIL) as u64))
}

/// Adds what a block holds of the wanted lines; `line` is the number of the line in which it begins, and the next block's is handed back.
fn note_lines(block: &[u8], line: u64, wanted: &mut BTreeMap<u64, Vec<u8>>) -> u64 {
    let ends = memchr::memchr_iter(b'\n', block).count() as u64;
    if wanted.range(line..=line + ends).next().is_some() {
        for (number, text) in (line..).zip(block.split(|byte| *byte == b'\n')) {
            if let Some(found) = wanted.get_mut(&number) {
                found.extend_from_slice(text);
            }
        }
    }
    line + ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Slowly<'t>(&'t [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    proptest! {
        /// Texts are those that stand at their places, however a stream hands out its bytes.
        #[test]
        fn texts_stand_at_their_places(text in "[a-c\n]{0,80}", step in 1usize..30, at in prop::collection::btree_set((1u64..20, prop::option::of((0u64..60, 1u16..20))), 0..6)) {
            let found: BTreeMap<Place, String> = texts(Slowly(text.as_bytes(), step), &at).into_iter().collect();
            for place in &at {
                let want = match place.1 {
                    Some((from, length)) => text.chars().skip(from as usize).take(length.into()).collect(),
                    None => text.split('\n').nth(place.0 as usize - 1).unwrap_or("").to_string(),
                };
                prop_assert_eq!(found.get(place), Some(&want));
            }
        }
    }
}
