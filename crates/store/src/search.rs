//! Asking a store: the index names chunks, their columns answer, and the records that are wanted are put together.

use crate::ask::{Ask, Asker, Plan, What, is_free_text};
use crate::bits::Bits;
use crate::codec::form_of;
use crate::error::StoreError;
use crate::narrow::{Narrower, counted};
use crate::pack::chunk::Chunk;
use crate::pack::footer::ChunkMeta;
use crate::pack::read::Pack;
use crate::store::Store;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::ControlFlow;
use std::rc::Rc;
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Form, Name, Record, Source, Stamp, Value};
use whyline_query::{Query, Target};

/// What is asked of a store besides the query.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// First and last instant (nanoseconds since 1970 UTC, both included). Events without any time lie in no frame.
    pub nanos: Option<(i64, i64)>,
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

/// Raw text of the chunks that are held open to put records together, in bytes.
const HELD: u64 = 40 << 20;
/// How far the zone of a stamp may move it, with room for changes of the clocks.
const ZONES: i64 = 30 * 3600 * NANOS;

/// An event that is found; ordered as answers are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    /// Events without time come last.
    timeless: bool,
    time: i64,
    rank: u32,
    offset: u64,
    row: u32,
    place: (u32, u32),
}

/// A question with all that is needed to put it.
pub(crate) struct Question<'s> {
    pub(crate) store: &'s Store,
    pub(crate) clocks: Vec<Clock>,
    pub(crate) sources: Vec<Source>,
    pub(crate) nanos: Option<(i64, i64)>,
    /// The chunks that may hold something, a bit each, by the place of their pack.
    pub(crate) chunks: Vec<u64>,
}

impl<'s> Question<'s> {
    pub(crate) fn new(store: &'s Store, plan: &Plan<'_>, frame: &Frame) -> Result<Question<'s>, StoreError> {
        let stored = store.clocks();
        let clocks = frame.clocks.clone().filter(|c| c.len() == stored.len()).unwrap_or(stored);
        let sources: Vec<Source> = store.sources().iter().map(|s| s.source()).collect();
        let live: Vec<u64> = store.table.packs.iter().map(|p| p.live).collect();
        let chunks = Narrower::new(store).chunks(&plan.root, &live)?;
        Ok(Question { store, clocks, sources, nanos: frame.nanos, chunks })
    }

    /// The chunks that may hold something, pack by pack.
    pub(crate) fn each_chunk(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.chunks.iter().enumerate().flat_map(|(place, bits)| (0..64).filter(move |n| bits >> n & 1 == 1).map(move |n| (place, n)))
    }

    pub(crate) fn of_source(&self, number: u32) -> Result<(&Source, &Clock), StoreError> {
        let found = self.sources.get(number as usize).zip(self.clocks.get(number as usize));
        found.ok_or_else(|| StoreError::damaged(&self.store.folder, "an event names a source that is not listed"))
    }

    /// The times between which the events of a chunk lie, at most, where that can be told; and whether some have no time.
    fn bounds(&self, meta: &ChunkMeta, clock: &Clock) -> (Option<(i64, i64)>, bool) {
        let (mut bounds, mut timeless): (Option<(i64, i64)>, bool) = (None, false);
        for (form, from, to) in &meta.times {
            let (from, to) = match form_of(*form) {
                None => {
                    timeless = true;
                    continue;
                }
                Some(Form::Explicit) => (*from, *to),
                Some(Form::Civil | Form::CivilLater) => (from.saturating_sub(ZONES), to.saturating_add(ZONES)),
                Some(form) if form != Form::TimeOnly && within_a_season(*from, *to) => {
                    let at = |nanos| clock.instant(&Stamp { nanos, form, offset: None, digits: 9 });
                    let (a, b) = (at(*from), at(*to));
                    // Where the year turns between them nothing is known.
                    if (b - a - (to - from)).abs() < ZONES {
                        (a.saturating_sub(ZONES), b.saturating_add(ZONES))
                    } else {
                        (i64::MIN, i64::MAX)
                    }
                }
                Some(_) => (i64::MIN, i64::MAX),
            };
            bounds = Some(bounds.map_or((from, to), |(a, b)| (a.min(from), b.max(to))));
        }
        (bounds, timeless)
    }

    /// The rows of a chunk that lie in the frame; `None` stands for all.
    pub(crate) fn framed(&self, chunk: &Chunk, clock: &Clock) -> Result<Option<Bits>, StoreError> {
        let Some((from, to)) = self.nanos else { return Ok(None) };
        let (bounds, timeless) = self.bounds(&chunk.meta, clock);
        match bounds {
            None => return Ok(Some(Bits::none(chunk.len()))),
            Some((a, b)) if b < from || a > to => return Ok(Some(Bits::none(chunk.len()))),
            Some((a, b)) if a >= from && b <= to && !timeless => return Ok(None),
            Some(_) => {}
        }
        let mut bits = Bits::none(chunk.len());
        let mut times = Times::new(chunk, clock, self.store)?;
        for row in 0..chunk.len() {
            if times.at(row).is_some_and(|t| (from..=to).contains(&t)) {
                bits.set(row);
            }
        }
        Ok(Some(bits))
    }

    /// The rows of a chunk that are asked for.
    pub(crate) fn rows(&self, asker: &mut Asker<'_>, chunk: &Chunk) -> Result<Bits, StoreError> {
        let (source, clock) = self.of_source(chunk.meta.source)?;
        let among = self.framed(chunk, clock)?;
        if among.as_ref().is_some_and(Bits::is_empty) {
            return Ok(Bits::none(chunk.len()));
        }
        asker.rows(chunk, source, among.as_ref()).map_err(self.store.unreadable())
    }

    /// How many events of a chunk are asked for.
    fn count(&self, turn: &mut Turn<'_, '_>, place: usize, pack: Rc<Pack>, number: usize) -> Result<u64, StoreError> {
        let chunk = Chunk::open(&pack, number).map_err(self.store.unreadable())?;
        let asker = turn.asker(place, pack);
        match self.nanos {
            None => asker.count(&chunk, self.of_source(chunk.meta.source)?.0).map_err(self.store.unreadable()),
            Some(_) => Ok(self.rows(asker, &chunk)?.count() as u64),
        }
    }

    /// Whether nothing of a chunk lies in the frame.
    pub(crate) fn is_outside(&self, meta: &ChunkMeta) -> bool {
        let Some((from, to)) = self.nanos else { return false };
        let Some(clock) = self.clocks.get(meta.source as usize) else { return false };
        self.bounds(meta, clock).0.is_none_or(|(a, b)| b < from || a > to)
    }
}

/// Whether two stamps without year lie so near that what is chosen for one holds for all between.
fn within_a_season(from: i64, to: i64) -> bool {
    to.saturating_sub(from) < 60 * 86_400 * NANOS
}

/// The instants of the rows of a chunk.
pub(crate) struct Times<'c> {
    nanos: &'c [i64],
    forms: Vec<Option<Form>>,
    ids: &'c [u32],
    clock: &'c Clock,
    last: Option<(Option<Form>, i64, i64)>,
}

impl<'c> Times<'c> {
    pub(crate) fn new(chunk: &'c Chunk, clock: &'c Clock, store: &Store) -> Result<Times<'c>, StoreError> {
        let (marks, ids) = chunk.marks().map_err(store.unreadable())?;
        let forms = marks.iter().map(|m| form_of(m.form)).collect();
        Ok(Times { nanos: chunk.nanos().map_err(store.unreadable())?, forms, ids, clock, last: None })
    }

    /// The instant of a row, in nanoseconds.
    pub(crate) fn at(&mut self, row: usize) -> Option<i64> {
        let form = self.ids.get(row).and_then(|id| self.forms.get(*id as usize)).copied().flatten()?;
        let nanos = *self.nanos.get(row)?;
        if form == Form::Explicit {
            return Some(nanos);
        }
        // Zones and years are dear to look up, and neighbours mostly share their second.
        if let Some((same, at, time)) = self.last
            && same == Some(form)
            && at == nanos
        {
            return Some(time);
        }
        let time = self.clock.instant(&Stamp { nanos, form, offset: None, digits: 9 });
        self.last = Some((Some(form), nanos, time));
        Some(time)
    }
}

/// Packs that are asked one after the other.
pub(crate) struct Turn<'t, 'q> {
    store: &'t Store,
    plan: &'q Plan<'q>,
    asker: Option<(usize, Asker<'q>)>,
}

impl<'t, 'q> Turn<'t, 'q> {
    pub(crate) fn new(store: &'t Store, plan: &'q Plan<'q>) -> Turn<'t, 'q> {
        Turn { store, plan, asker: None }
    }

    /// Who asks a pack. What was unpacked of the one before is given back: it is not asked again, and fresh memory is dear.
    pub(crate) fn asker(&mut self, place: usize, pack: Rc<Pack>) -> &mut Asker<'q> {
        if let Some((old, _)) = self.asker.take_if(|(now, _)| *now != place) {
            self.store.close(old);
        }
        let plan = self.plan;
        &mut self.asker.get_or_insert_with(|| (place, Asker::new(plan, pack))).1
    }
}

impl Store {
    /// Hands over the events that a query asks for, in the order of time, source and offset, until told to stop.
    pub fn search(&self, query: &Query, frame: &Frame, each: &mut dyn FnMut(Hit<'_>) -> ControlFlow<()>) -> Result<(), StoreError> {
        let plan = Plan::new(query);
        let question = Question::new(self, &plan, frame)?;
        let mut ranks = vec![0u32; self.sources().len()];
        for (rank, number) in (0u32..).zip(self.order()) {
            ranks[number] = rank;
        }
        let mut waiting = question.by_time()?;
        waiting.sort_unstable_by_key(|(bound, at)| Reverse((*bound, *at)));
        let mut open = Open { question: &question, chunks: VecDeque::new(), held: 0, left: FxHashMap::default() };
        let mut askers: FxHashMap<usize, Asker<'_>> = FxHashMap::default();
        let mut heap: BinaryHeap<Reverse<Found>> = BinaryHeap::new();
        loop {
            // What lies before everything that has not been looked at is ready.
            let bound = waiting.last().map(|(bound, _)| *bound);
            while heap.peek().is_some_and(|Reverse(f)| bound.is_none_or(|b| (f.timeless, f.time) < b)) {
                let Some(Reverse(found)) = heap.pop() else { break };
                let flow = open.hand_over(found, each);
                if self.spare((found.place.0 as usize, found.place.1 as usize), flow)?.is_some_and(|flow| flow.is_break()) {
                    return Ok(());
                }
            }
            let Some((_, at)) = waiting.pop() else { return Ok(()) };
            if askers.len() > 64 {
                askers.clear();
            }
            let found = open.find(at, &plan, &mut askers, &ranks);
            match self.spare(at, found)? {
                Some(found) if !found.is_empty() => heap.extend(found.into_iter().map(Reverse)),
                _ => open.close(at),
            }
        }
    }

    /// Whether some event may have a field of its writer's own; surely none has it where the answer is no.
    pub fn may_have(&self, name: &str) -> Result<bool, StoreError> {
        for place in 0..self.table.packs.len() {
            let Some(pack) = self.spare_pack(place)? else { continue };
            if pack.footer.odd != 0 || !pack.lacks(Name::Other(name)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many events a query asks for.
    pub fn count(&self, query: &Query, frame: &Frame) -> Result<u64, StoreError> {
        let plan = Plan::new(query);
        let question = Question::new(self, &plan, frame)?;
        let mut count = 0;
        let mut turn = Turn::new(self, &plan);
        let mut tally: Option<(usize, Option<Vec<Option<u32>>>)> = None;
        for (place, number) in question.each_chunk() {
            let Some(pack) = self.spare_pack(place)? else { continue };
            if pack.footer.chunks.get(number).is_some_and(|meta| question.is_outside(meta)) {
                continue;
            }
            if question.nanos.is_none() {
                let (_, sums) = match &mut tally {
                    Some(known) if known.0 == place => known,
                    other => other.insert((place, tally_of(&plan.root, &pack))),
                };
                if let Some(sum) = sums.as_ref().and_then(|sums| sums.get(number).copied().flatten()) {
                    count += u64::from(sum);
                    continue;
                }
            }
            let counted = question.count(&mut turn, place, pack, number);
            count += self.spare((place, number), counted)?.unwrap_or(0);
        }
        Ok(count)
    }
}

/// How many events of each chunk of a pack a query asks for, where that was counted: it asks for all, or for a number of one field.
fn tally_of(ask: &Ask<'_>, pack: &Pack) -> Option<Vec<Option<u32>>> {
    match ask {
        Ask::All => Some(pack.footer.chunks.iter().map(|c| Some(c.rows)).collect()),
        Ask::Leaf(leaf) => match &leaf.what {
            What::Field(target, _) if !is_free_text(target) => pack.tally(counted(target)?, &|number| leaf.fits(Value::Int(number))),
            _ => None,
        },
        // What no record of the pack has adds nothing; chunks of which that is not sure are not counted anyway.
        Ask::Or(asks) => match asks.iter().filter(|ask| !is_missing(ask, pack)).collect::<Vec<_>>()[..] {
            [only] => tally_of(only, pack),
            _ => None,
        },
        _ => None,
    }
}

/// Whether something is asked of a field that no record of a pack has but perhaps odd ones.
fn is_missing(ask: &Ask<'_>, pack: &Pack) -> bool {
    let Ask::Leaf(leaf) = ask else { return false };
    matches!(&leaf.what, What::Field(Target::Other(name), _) if pack.lacks(Name::Other(name)))
}

/// A chunk by the place of its pack and its number there, behind a time before which none of its events lies.
type Waiting = ((bool, i64), (usize, usize));

impl Question<'_> {
    fn by_time(&self) -> Result<Vec<Waiting>, StoreError> {
        let mut waiting = Vec::new();
        for (place, number) in self.each_chunk() {
            let Some(pack) = self.store.spare_pack(place)? else { continue };
            let Some(meta) = pack.footer.chunks.get(number) else { continue };
            if self.is_outside(meta) {
                continue;
            }
            let (_, clock) = self.of_source(meta.source)?;
            let bound = self.bounds(meta, clock).0.map_or((true, 0), |(from, _)| (false, from));
            waiting.push((bound, (place, number)));
        }
        Ok(waiting)
    }
}

/// Chunks that are held open.
struct Open<'a, 's> {
    question: &'a Question<'s>,
    chunks: VecDeque<((usize, usize), Rc<Chunk>)>,
    held: u64,
    /// How many of their events are still to be handed over.
    left: FxHashMap<(usize, usize), usize>,
}

impl Open<'_, '_> {
    /// The events of a chunk that are asked for.
    fn find<'q>(
        &mut self,
        at: (usize, usize),
        plan: &'q Plan<'q>,
        askers: &mut FxHashMap<usize, Asker<'q>>,
        ranks: &[u32],
    ) -> Result<Vec<Found>, StoreError> {
        let (place, number) = at;
        let chunk = self.chunk(place, number)?;
        let pack = chunk.pack.clone();
        let asker = askers.entry(place).or_insert_with(|| Asker::new(plan, pack));
        let rows = self.question.rows(asker, &chunk)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let (_, clock) = self.question.of_source(chunk.meta.source)?;
        let mut times = Times::new(&chunk, clock, self.question.store)?;
        let rank = ranks.get(chunk.meta.source as usize).copied().unwrap_or(0);
        let found = rows.iter().map(|row| {
            let time = times.at(row);
            let (timeless, time) = (time.is_none(), time.unwrap_or(0));
            let offset = chunk.meta.first_offset;
            Found { timeless, time, rank, offset, row: row as u32, place: (place as u32, number as u32) }
        });
        let found: Vec<Found> = found.collect();
        self.left.insert(at, found.len());
        Ok(found)
    }

    fn chunk(&mut self, place: usize, number: usize) -> Result<Rc<Chunk>, StoreError> {
        let at = self.chunks.iter().position(|(key, _)| *key == (place, number));
        if let Some(found) = at.and_then(|at| self.chunks.remove(at)) {
            let chunk = found.1.clone();
            self.chunks.push_back(found);
            return Ok(chunk);
        }
        let store = self.question.store;
        let chunk = Rc::new(Chunk::open(&store.pack(place)?, number).map_err(store.unreadable())?);
        self.held += chunk.meta.text;
        while self.held > HELD {
            let Some((_, old)) = self.chunks.pop_front() else { break };
            self.held = self.held.saturating_sub(old.meta.text);
        }
        self.chunks.push_back(((place, number), chunk.clone()));
        Ok(chunk)
    }

    fn close(&mut self, key: (usize, usize)) {
        if let Some(at) = self.chunks.iter().position(|(k, _)| *k == key)
            && let Some((_, old)) = self.chunks.remove(at)
        {
            self.held = self.held.saturating_sub(old.meta.text);
        }
    }

    /// Hands over an event, and closes its chunk behind the last of them.
    fn hand_over(&mut self, found: Found, each: &mut dyn FnMut(Hit<'_>) -> ControlFlow<()>) -> Result<ControlFlow<()>, StoreError> {
        let key = (found.place.0 as usize, found.place.1 as usize);
        let chunk = self.chunk(key.0, key.1)?;
        let number = chunk.meta.source;
        let (_, clock) = self.question.of_source(number)?;
        let mut flow = ControlFlow::Continue(());
        let mut show = |record: &Record<'_>| {
            flow = each(Hit { source: number as usize, clock, record: record.clone() });
        };
        chunk.record(found.row, number, &mut show).map_err(self.question.store.unreadable())?;
        let left = self.left.entry(key).or_default();
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.left.remove(&key);
            self.close(key);
        }
        Ok(flow)
    }
}
