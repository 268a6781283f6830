//! Asking a store: the index narrows, [`Query::matches_in`] decides.

use crate::codec::form_of;
use crate::error::StoreError;
use crate::narrow::Narrowed;
use crate::store::Store;
use std::ops::ControlFlow;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Record, Source, Stamp};
use whyline_query::Query;

/// What is asked of a store besides the query.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// First and last second (since 1970 UTC, both included). Events without any time lie in no frame.
    pub seconds: Option<(i64, i64)>,
    /// Clocks of the sources by their number, in place of those that are stored.
    pub clocks: Option<Vec<Clock>>,
}

/// An event that was found.
pub struct Hit<'a> {
    /// Number of its source.
    pub source: usize,
    /// Its clock.
    pub clock: &'a Clock,
    /// The event.
    pub record: Record<'a>,
}

/// An event that may be one; ordered as answers are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// Events without time come last.
    timeless: bool,
    time: i64,
    rank: u32,
    offset: u64,
    source: u32,
    segment: u32,
    doc: u32,
}

impl Store {
    /// Hands over the events that a query asks for, in the order of time, source and offset, until told to stop.
    pub fn search(&self, query: &Query, frame: &Frame, each: &mut dyn FnMut(Hit<'_>) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.visit(query, frame, true, each)
    }

    /// How many events a query asks for.
    pub fn count(&self, query: &Query, frame: &Frame) -> Result<u64, StoreError> {
        let mut count = 0;
        self.visit(query, frame, false, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    fn visit(
        &self,
        query: &Query,
        frame: &Frame,
        sorted: bool,
        each: &mut dyn FnMut(Hit<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let stored = self.clocks();
        let clocks = frame.clocks.as_ref().filter(|c| c.len() == stored.len()).unwrap_or(&stored);
        let sources: Vec<Source> = self.sources().iter().map(|s| s.source()).collect();
        let mut candidates = self.candidates(query, frame, clocks)?;
        if sorted {
            candidates.sort_unstable();
        }
        for found in candidates {
            let number = found.source as usize;
            let (Some(source), Some(clock)) = (sources.get(number), clocks.get(number)) else {
                return Err(StoreError::damaged(&self.folder, "an event names a source that is not listed"));
            };
            let bytes = self.bytes(found.segment, found.doc)?;
            let record = self.record(&bytes, found.source)?;
            if query.matches_in(&record, Some(source)) && each(Hit { source: number, clock, record }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn candidates(&self, query: &Query, frame: &Frame, clocks: &[Clock]) -> Result<Vec<Candidate>, StoreError> {
        let failed = StoreError::index(&self.folder, "read");
        let mut ranks = vec![0u32; self.sources().len()];
        for (rank, number) in (0u32..).zip(self.order()) {
            ranks[number] = rank;
        }
        let need = self.need(query.root());
        let mut found = Vec::new();
        for (number, segment) in (0u32..).zip(self.searcher.segment_readers()) {
            let narrowed = self.narrow(segment, &need)?;
            let (sources, offsets, forms) =
                (self.column(segment, "source")?, self.column(segment, "offset")?, self.column(segment, "form")?);
            let stamps = segment.fast_fields().column_first_or_default::<i64>("nanos").map_err(&failed)?;
            let mut take = |doc: u32| {
                if segment.is_deleted(doc) {
                    return;
                }
                let source = sources.get_val(doc) as u32;
                let form = form_of(forms.get_val(doc) as u8);
                let stamp = form.map(|form| Stamp { nanos: stamps.get_val(doc), form, offset: None, digits: 9 });
                let time = stamp.map(|s| clocks.get(source as usize).map_or(s.nanos, |c| c.instant(&s)));
                if let Some((from, to)) = frame.seconds
                    && !time.is_some_and(|t| (from..=to).contains(&t.div_euclid(NANOS)))
                {
                    return;
                }
                let rank = ranks.get(source as usize).copied().unwrap_or(0);
                let (timeless, time) = (time.is_none(), time.unwrap_or(0));
                found.push(Candidate { timeless, time, rank, offset: offsets.get_val(doc), source, segment: number, doc });
            };
            match narrowed {
                Narrowed::All => (0..segment.max_doc()).for_each(&mut take),
                Narrowed::Some(docs) => docs.iter().for_each(&mut take),
            }
        }
        Ok(found)
    }
}
