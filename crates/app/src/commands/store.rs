//! What the verbs over the store share: clocks settled over everything that is stored, and evidence gathered from it.

use super::bundle::{From, Read, join_pieces, source_info};
use crate::books::Books;
use crate::load;
use crate::output::words;
use anyhow::{Context, Result};
use std::path::Path;
use whyline_diagnose::{Evidence, Gathered, Matcher, Pack, SourceInfo, Spill, Tally};
use whyline_event::{Clock, Record};
use whyline_parse::reading::host_in;
use whyline_parse::settle::{Item, settle, tell_year};
use whyline_parse::{Counts, Facts, Gravity, Problem, Settled, Told};
use whyline_store::{Counted, Lost, Store, StoreError, StoredSource};

/// An error of the store, with the code it deserves: a folder that is no store is wrong usage.
pub fn failed(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Absent(_) | StoreError::NoStore(_) | StoreError::Newer { .. } | StoreError::Older { .. } => {
            crate::exit::usage(error.to_string())
        }
        error => anyhow::Error::new(error),
    }
}

/// Opens the store.
pub fn open(folder: &Path) -> Result<Store> {
    Store::open(folder).map_err(failed)
}

/// Facts as the store keeps them.
pub fn facts_to_bytes(facts: &Facts) -> Result<Vec<u8>> {
    serde_json::to_vec(facts).context("the facts of a source cannot be written")
}

/// The facts that the store kept; there are none of a source that was interrupted while it was stored.
pub fn facts_kept(bytes: Option<&[u8]>) -> Result<Facts> {
    let read = |bytes| serde_json::from_slice(bytes).context("the facts of a stored source cannot be read");
    bytes.map_or_else(|| Ok(Facts::default()), read)
}

/// How much was read, as the store keeps it.
pub fn counted(counts: &Counts) -> Counted {
    let Counts { lines, blank, in_events, records, bytes, duplicate, cut, first_cut } = *counts;
    Counted { lines, blank, in_events, records, bytes, duplicate, cut, first_cut }
}

/// How much was read, as it was kept.
pub fn counts(counted: &Counted) -> Counts {
    let Counted { lines, blank, in_events, records, bytes, duplicate, cut, first_cut } = *counted;
    Counts { lines, blank, in_events, records, bytes, duplicate, cut, first_cut }
}

/// What was told about clocks: now, and before that whenever something was stored. What is said later overrules.
pub fn told(now: &Told, sources: &[StoredSource]) -> Result<Told> {
    let mut all = now.clone();
    for source in sources.iter().rev() {
        let then = load::told(&source.zones, source.year)?;
        all.zone = all.zone.or(then.zone);
        all.year = all.year.or(then.year);
        for zone in then.zones {
            if !all.zones.contains(&zone) {
                all.zones.push(zone);
            }
        }
    }
    Ok(all)
}

/// Settles the clocks of all sources together; `facts` are by number, and so is the answer.
pub fn settle_all(sources: &[StoredSource], facts: &[Facts], told: &Told) -> Vec<Settled> {
    // Files are settled in the order of their paths.
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by_key(|i| (&sources[*i].path, *i));
    let items: Vec<Item<'_>> = order
        .iter()
        .map(|i| Item {
            path: &sources[*i].path,
            host: host_in(&facts[*i], sources[*i].host.as_deref()),
            modified: sources[*i].modified,
            facts: &facts[*i],
        })
        .collect();
    let mut settled = settle(&items, told);
    tell_year(&mut settled, &items, told);
    let mut numbered: Vec<(usize, Settled)> = order.into_iter().zip(settled).collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, s)| s).collect()
}

/// Facts and clocks of everything that is stored.
pub struct Known {
    /// Facts by number of the source.
    pub facts: Vec<Facts>,
    /// Clocks by number of the source.
    pub settled: Vec<Settled>,
}

impl Known {
    /// Reads the facts and settles the clocks with what is told now.
    pub fn of(store: &Store, now: &Told) -> Result<Known> {
        let facts =
            (0..store.sources().len()).map(|i| facts_kept(store.facts(i).map_err(failed)?.as_deref())).collect::<Result<Vec<Facts>>>()?;
        let settled = settle_all(store.sources(), &facts, &told(now, store.sources())?);
        Ok(Known { facts, settled })
    }

    /// The clocks.
    pub fn clocks(&self) -> Vec<Clock> {
        self.settled.iter().map(|s| s.clock.clone()).collect()
    }

    /// The time of the last record, in nanoseconds, for times that count back from it; nothing where none has a time. Of sources whose storing
    /// was interrupted nothing is known but what was stored.
    pub fn last(&self, store: &Store) -> Result<Option<i64>> {
        let known = last(&self.facts, &self.settled);
        if !store.sources().iter().any(|s| s.unfinished) {
            return Ok(known);
        }
        let stored = store.info().map_err(failed)?.times.map(|(_, last)| last);
        Ok(known.max(stored))
    }
}

/// The time of the last record of sources, in nanoseconds.
pub fn last(facts: &[Facts], settled: &[Settled]) -> Option<i64> {
    use whyline_event::Stamp;
    use whyline_event::stamp::NANOS;
    let ends = facts.iter().zip(settled).flat_map(|(facts, settled)| {
        let at = |form, second: i64| settled.clock.instant(&Stamp { nanos: second.saturating_mul(NANOS), form, offset: None, digits: 0 });
        facts.spans.iter().map(move |(form, span)| at(*form, span.last)).collect::<Vec<_>>()
    });
    ends.max()
}

/// What could not be read of a store, each file of it as a problem.
fn damages(store: &Store, folder: &Path) -> Vec<Problem> {
    let all = store.len();
    let told = |lost: Lost| Problem {
        gravity: Gravity::Unreadable,
        place: folder.join(&lost.file).display().to_string(),
        what: format!(
            "damaged ({}): up to {} of {} events are missing from this answer",
            lost.why,
            words::number(lost.events),
            words::number(all)
        ),
        help: HOW_TO_MEND.to_string(),
    };
    store.lost().into_iter().map(told).collect()
}

/// What helps against damage. What is damaged may be the only copy there is.
pub const HOW_TO_MEND: &str = "keep the store while it may hold the only copy. `whyline store verify` says what is damaged; \
    where you have the original logs, `whyline store compact --drop-damaged` and ingesting them again brings everything back";

/// Tells what could not be read of a store. Gives whether there was anything.
pub fn tell_damages(store: &Store, folder: &Path) -> Result<bool> {
    load::tell(&damages(store, folder))
}

/// What went wrong when the sources were read, as it was told then.
fn kept_problems(sources: &[StoredSource]) -> Vec<Problem> {
    let told = |source: &StoredSource, text: &str| {
        let what = text.strip_prefix(&format!("{}: ", source.path)).unwrap_or(text).to_string();
        Problem { gravity: Gravity::Unreadable, place: source.path.clone(), what, help: String::new() }
    };
    sources.iter().flat_map(|s| s.problems.iter().map(move |text| told(s, text))).collect()
}

/// Gathers evidence from the store.
pub fn read(folder: &Path, now: &Told, pack: &Pack, matcher: &Matcher) -> Result<Read> {
    let store = open(folder)?;
    let known = Known::of(&store, now)?;
    let (mut tally, mut infos, mut books) =
        (Tally::new(pack, matcher, &Spill::default()), Vec::new(), Books { balanced: true, ..Books::default() });
    for (rank, number) in (0u32..).zip(store.order()) {
        let source = &store.sources()[number];
        let (facts, counts) = (&known.facts[number], counts(&source.counted));
        let same_as = source.same_as.and_then(|n| store.sources().get(n as usize)).map(|s| s.path.clone());
        books.add(&counts, if same_as.is_some() { counts.records } else { counts.duplicate });
        if same_as.is_none() {
            tally.source(&source.path);
            let mut read = 0;
            let mut each = |record: &Record<'_>| {
                read += 1;
                tally.record(record);
            };
            store.records_of(number, rank, &mut each).map_err(failed)?;
            // What is damaged was not removed; it is told.
            if !source.unfinished && store.lost().is_empty() {
                books.remove(false, source.own().saturating_sub(read));
            }
        }
        let info = source_info(&source.path, source.host.as_deref(), facts, &counts, &known.settled[number], same_as);
        infos.push(SourceInfo { encoding: source.encoding.clone(), ..info });
    }
    join_pieces(&mut infos);
    let evidence = Evidence::new(Gathered::together(vec![tally.finish()]), infos);
    let mut problems = kept_problems(store.sources());
    problems.extend(damages(&store, folder));
    Ok(Read { from: From::Store(Box::new(store)), evidence, books, problems })
}
