//! What the store knows already of what it is given: a stream is recognised by its content, wherever it lies and however it is
//! packed.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;
use whyline_parse::input::{Digest, Input, digests, each_watched, size_of};
use whyline_parse::{Bundle, Format};
use whyline_store::StoredSource;

/// How an input stands to what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The store has all of it, under this source.
    Known(usize),
    /// The store has its beginning, under this source.
    Grown(usize),
    /// It is a copy, or the beginning, of another input; the store lists it as this source, if at all.
    Copy(Option<usize>),
    /// The store has nothing of it. A source that was listed as a copy takes it up.
    New(Option<usize>),
}

/// Streams shorter than this are recognised only under their own path: a line or two may well stand in several files.
const SHORT: u64 = 64;

/// The hash as the store keeps it.
pub fn hash(digest: &Digest) -> String {
    format!("{:032x}", digest.hash)
}

/// Whether a source goes by a path, or by that path with a number behind it, because two streams had it.
pub fn goes_by(source: &str, path: &str) -> bool {
    let number = |rest: &str| rest.strip_prefix('#').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    source == path || source.strip_prefix(path).is_some_and(number)
}

/// How each input of a bundle stands to the sources of a store.
pub fn standings(bundle: &Bundle, stored: &[StoredSource]) -> Vec<Standing> {
    let lengths: Vec<u64> = stored.iter().map(|s| s.length).collect::<BTreeSet<_>>().into_iter().collect();
    // An input that cannot be opened is told about when its records are read.
    let mut read: Vec<(Digest, Vec<usize>)> = vec![(Digest::default(), Vec::new()); bundle.inputs.len()];
    let inputs: Vec<_> = bundle.inputs.iter().collect();
    if let Some(progress) = &bundle.progress {
        progress.begin("comparing with the store", size_of(&inputs));
    }
    each_watched(&inputs, bundle.progress.as_ref(), &mut |i, opened| {
        if let Ok(reader) = opened {
            read[i] = beginnings(&bundle.inputs[i], reader, stored, &lengths);
        }
        ControlFlow::Continue(())
    });
    let same_path = |i: usize, s: usize| goes_by(&stored[s].path, &bundle.inputs[i].source.path);
    let mut standings: Vec<Option<Standing>> = vec![None; read.len()];
    let mut claimed = BTreeSet::new();
    for (i, (whole, fits)) in read.iter().enumerate() {
        let known = fits.iter().copied().filter(|s| stored[*s].length == whole.length);
        if let Some(s) = known.min_by_key(|s| (!same_path(i, *s), stored[*s].same_as.is_some(), *s)) {
            // Storing what had grown of it was interrupted.
            let whole = !stored[s].unfinished || claimed.contains(&s);
            standings[i] = Some(if whole { Standing::Known(s) } else { Standing::Grown(s) });
            if !whole {
                claimed.insert(s);
            }
        }
    }
    for (i, (_, fits)) in read.iter().enumerate() {
        if standings[i].is_some() || bundle.same_as[i].is_some() {
            continue;
        }
        let grown = fits.iter().copied().filter(|s| stored[*s].same_as.is_none() && !claimed.contains(s));
        if let Some(s) = grown.max_by_key(|s| (same_path(i, *s), stored[*s].length, std::cmp::Reverse(*s))) {
            claimed.insert(s);
            standings[i] = Some(Standing::Grown(s));
        }
    }
    for (i, standing) in standings.iter_mut().enumerate().filter(|(_, s)| s.is_none()) {
        let listed = (0..stored.len()).find(|s| {
            let free = stored[*s].same_as.is_some() || stored[*s].unfinished && stored[*s].hash.is_empty();
            free && same_path(i, *s) && claimed.insert(*s)
        });
        *standing = Some(if bundle.same_as[i].is_some() { Standing::Copy(listed) } else { Standing::New(listed) });
    }
    standings.into_iter().flatten().collect()
}

/// Sources that are known, but that would now be read by a format that was told and did not read them when they were stored, are
/// to be read again.
pub fn told_anew(standings: &mut [Standing], bundle: &Bundle, stored: &[StoredSource], told: &[Arc<dyn Format>]) {
    let mut again = BTreeSet::new();
    for (i, standing) in standings.iter_mut().enumerate() {
        let Standing::Known(number) = *standing else { continue };
        let source = &stored[number];
        let best = bundle.plans[i].order.first().map_or("", |f| f.name());
        let before = source.plan.split([',', ' ']).next().unwrap_or("");
        let is_told = told.iter().any(|f| f.name() == best);
        if is_told && best != before && source.same_as.is_none() && bundle.same_as[i].is_none() && again.insert(number) {
            *standing = Standing::Grown(number);
        }
    }
}

/// The digest of an input, and the stored sources of which the bytes stand at its beginning.
fn beginnings(input: &Input, reader: &mut dyn Read, stored: &[StoredSource], lengths: &[u64]) -> (Digest, Vec<usize>) {
    let (whole, parts) = digests(reader, lengths);
    let fits = |(_, s): &(usize, &StoredSource)| {
        let part = parts.iter().find(|p| p.length == s.length);
        part.is_some_and(|p| hash(p) == s.hash) && (s.length >= SHORT || goes_by(&s.path, &input.source.path))
    };
    (whole, stored.iter().enumerate().filter(fits).map(|(i, _)| i).collect())
}
