//! When the lines were written that stand for something measured: a measure knows only where they are.

use crate::evidence::Evidence;
use crate::report::Cause;
use std::collections::{BTreeMap, BTreeSet};
use whyline_event::stamp::rfc3339;

/// Gives cited lines without a time their own, as it is written, where a sample or a request of the line is known.
pub(super) fn fill(causes: &mut [Cause], evidence: &Evidence) {
    let numbers: BTreeMap<&str, u32> = (0..).zip(&evidence.sources).map(|(number, source)| (source.path.as_str(), number)).collect();
    let place = |source: &str, line: u64| Some((*numbers.get(source)?, u32::try_from(line).ok()?));
    let undated = causes.iter().flat_map(|c| &c.evidence).filter(|c| c.timestamp.is_none());
    let mut wanted: BTreeMap<(u32, u32), Option<i64>> = undated.filter_map(|c| Some((place(&c.source, c.line)?, None))).collect();
    if wanted.is_empty() {
        return;
    }
    let ahead = |source: u32| evidence.sources.get(source as usize).map_or(0, |s| s.clock.ahead);
    for series in &evidence.series {
        let Ok(source) = u32::try_from(series.source) else { continue };
        for sample in &series.samples {
            if let Some(at) = wanted.get_mut(&(source, sample.line)) {
                *at = Some(sample.nanos + ahead(source));
            }
        }
    }
    let sources: BTreeSet<u32> = wanted.iter().filter(|(_, at)| at.is_none()).map(|((source, _), _)| *source).collect();
    let kinds = evidence.requests.choose(|kind| sources.contains(&kind.source) && !kind.inherited);
    for (_, request) in evidence.requests.of(&kinds) {
        if let Some(at @ None) = wanted.get_mut(&(request.of.source, request.of.line)) {
            let millis = if request.of.is_start { request.start } else { request.end };
            *at = Some(millis.saturating_mul(1_000_000) + ahead(request.of.source));
        }
    }
    for c in causes.iter_mut().flat_map(|c| &mut c.evidence).filter(|c| c.timestamp.is_none()) {
        let at = place(&c.source, c.line).and_then(|place| wanted.get(&place).copied().flatten());
        c.timestamp = at.map(|nanos| rfc3339(nanos, 3));
    }
}
