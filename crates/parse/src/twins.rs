//! Streams that are there twice: the same as another one, or its beginning. Beginnings that look alike are told apart by a few
//! hashes; only those that still may be the same are read and compared, by digests over all their bytes.

use crate::input::{Digest, Input, digests, each_watched, size_of};
use crate::progress::Progress;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;
use xxhash_rust::xxh3::xxh3_64;

/// Shorter streams are left alone: a line or two may well stand in several files.
const SHORT: usize = 64;
/// Lengths at which the beginning of a stream is hashed.
const MARKS: &[usize] = &[SHORT, 512, 2048, 8192, 32 * 1024, 128 * 1024, 256 * 1024];

/// Streams with the same beginning that are compared with each other.
const MOST_COMPARED: usize = 400;

/// What is kept of the beginning of a stream.
#[derive(Clone, Debug, Default)]
pub struct Sketch {
    hashes: Vec<u64>,
}

impl Sketch {
    /// Of the first lines of a stream. One line makes none, since it may well be written twice.
    pub fn of(head: &[u8]) -> Sketch {
        if memchr::memchr_iter(b'\n', head).nth(1).is_none() {
            return Sketch::default();
        }
        Sketch { hashes: MARKS.iter().map_while(|n| head.get(..*n)).map(xxh3_64).collect() }
    }

    fn agrees(&self, other: &Sketch) -> bool {
        self.hashes.iter().zip(&other.hashes).all(|(a, b)| a == b)
    }
}

/// For each input, the input that holds the same stream or a longer one that begins with it. `known` are digests that were made
/// before.
pub fn same(inputs: &[Input], sketches: &[Sketch], mut known: Vec<Option<Digest>>, progress: Option<&Progress>) -> Vec<Option<usize>> {
    let groups = groups(sketches);
    let unknown: Vec<usize> = groups.iter().flatten().copied().filter(|i| known[*i].is_none()).collect();
    read(inputs, unknown.into_iter(), progress, &mut |i, reader| {
        known[i] = Some(digests(reader, &[]).0);
    });
    let mut same_as = vec![None; inputs.len()];
    let mut pairs = Vec::new();
    for group in groups {
        let mut first: BTreeMap<Digest, usize> = BTreeMap::new();
        for i in group {
            if let Some(digest) = known[i] {
                match first.get(&digest) {
                    Some(twin) => same_as[i] = Some(*twin),
                    None => drop(first.insert(digest, i)),
                }
            }
        }
        // Each with all that are longer.
        let different: Vec<(Digest, usize)> = first.into_iter().take(MOST_COMPARED).collect();
        for (n, (short, i)) in different.iter().enumerate() {
            let longer = different[n + 1..].iter().filter(|(long, j)| long.length > short.length && sketches[*i].agrees(&sketches[*j]));
            pairs.extend(longer.map(|(_, j)| (*i, *short, *j)));
        }
    }
    let mut lengths: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
    for (_, short, long) in &pairs {
        lengths.entry(*long).or_default().insert(short.length);
    }
    let mut beginnings: BTreeSet<(usize, Digest)> = BTreeSet::new();
    read(inputs, lengths.keys().copied(), progress, &mut |i, reader| {
        let wanted: Vec<u64> = lengths.get(&i).into_iter().flatten().copied().collect();
        beginnings.extend(digests(reader, &wanted).1.into_iter().map(|d| (i, d)));
    });
    for (i, short, long) in pairs {
        if beginnings.contains(&(long, short)) {
            same_as[i] = Some(long);
        }
    }
    // A copy of a beginning is a beginning of the same stream.
    (0..same_as.len()).map(|i| top(&same_as, i)).collect()
}

/// The stream at which the relation ends.
fn top(same_as: &[Option<usize>], of: usize) -> Option<usize> {
    let mut found = same_as[of]?;
    while let Some(next) = same_as[found] {
        found = next;
    }
    Some(found)
}

/// Inputs that may be the same as others by their beginnings.
fn groups(sketches: &[Sketch]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (i, sketch) in sketches.iter().enumerate() {
        if let Some(first) = sketch.hashes.first() {
            groups.entry(*first).or_default().push(i);
        }
    }
    let agrees = |group: &[usize], i: usize| group.iter().any(|j| *j != i && sketches[i].agrees(&sketches[*j]));
    groups
        .into_values()
        .map(|group| match group.len() {
            0..=MOST_COMPARED => group.iter().copied().filter(|i| agrees(&group, *i)).collect(),
            _ => group,
        })
        .collect()
}

fn read(inputs: &[Input], which: impl Iterator<Item = usize>, progress: Option<&Progress>, take: &mut dyn FnMut(usize, &mut dyn io::Read)) {
    let which: Vec<usize> = which.collect();
    let wanted: Vec<&Input> = which.iter().map(|i| &inputs[*i]).collect();
    if let Some(progress) = progress.filter(|_| !wanted.is_empty()) {
        progress.begin("comparing", size_of(&wanted));
    }
    each_watched(&wanted, progress, &mut |n, opened| {
        if let (Ok(reader), Some(i)) = (opened, which.get(n)) {
            take(*i, reader);
        }
        ControlFlow::Continue(())
    });
}
