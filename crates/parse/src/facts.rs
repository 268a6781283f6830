//! What a source tells about its own clock: gathered while its records pass, settled over the whole bundle afterwards.

use crate::boot::{self, Boots};
use crate::fold::{self, Ends, Fold};
use crate::restarts::Restarts;
use crate::stamp;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Key, Name, Record, Stamp, Value};

/// First and last second of something, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First second.
    pub first: i64,
    /// Last second.
    pub last: i64,
    /// How many records.
    pub count: u64,
}

impl Span {
    fn add(&mut self, other: &Span) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count += other.count;
    }
}

/// How many moments are kept of one source: those with the smallest hashes, so that two sources keep the same ones.
const MOMENTS: usize = 3000;
/// Over all sources of a bundle no more than these are kept, so that many files need no more memory than few large ones; of each at
/// least [`FEWEST`]. Since the smallest hashes are kept, sources still keep the same ones.
const MOMENTS_OF_ALL: usize = 200_000;
/// See [`MOMENTS_OF_ALL`].
const FEWEST: usize = 100;

/// A moment that another source may have logged too: a request id, or a request by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(u64, i64, Form)", into = "(u64, i64, Form)")]
pub struct Moment {
    /// Hash of what identifies it.
    pub hash: u64,
    /// When, in milliseconds, as written (see `form`).
    pub millis: i64,
    /// What the stamp leaves open.
    pub form: Form,
}

impl From<(u64, i64, Form)> for Moment {
    fn from((hash, millis, form): (u64, i64, Form)) -> Self {
        Moment { hash, millis, form }
    }
}

impl From<Moment> for (u64, i64, Form) {
    fn from(moment: Moment) -> Self {
        (moment.hash, moment.millis, moment.form)
    }
}

/// What one source tells about its clock. Merging is associative and does not depend on order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Span of the stamps as written, in seconds, by what they leave open.
    pub spans: BTreeMap<Form, Span>,
    /// Offsets that explicit stamps carry (seconds), with counts; UTC written as `Z` counts as 0.
    pub offsets: BTreeMap<i32, u64>,
    /// Differences between local stamps and the explicit stamps of their envelopes, in minutes, with counts.
    pub inside: BTreeMap<i32, u64>,
    /// Moments with rare identities: request ids, trace ids.
    pub ids: Vec<Moment>,
    /// Moments with common identities: method and path.
    pub paths: Vec<Moment>,
    /// Records per format.
    pub formats: BTreeMap<String, u64>,
    /// Hosts that lines name, with counts.
    pub hosts: BTreeMap<String, u64>,
    /// Records without any time.
    pub timeless: u64,
    /// The first stamp without a year, with its line.
    pub first_no_year: Option<(u64, i64)>,
    /// It has a 29 February, so it is of a year that has one.
    #[serde(default)]
    pub leap_day: bool,
    /// Where its stamps step back by about an hour.
    #[serde(default)]
    pub folds: Vec<Fold>,
    /// Where its blocks begin and end.
    #[serde(default)]
    pub ends: Vec<Ends>,
    /// When it says that its machine was booted.
    #[serde(default)]
    pub boots: Boots,
    /// Restarts that it tells of.
    #[serde(default)]
    pub restarts: Restarts,
    /// Moments of larger hashes than these would be dropped at the end: ids, then paths.
    #[serde(skip)]
    bounds: [Option<u64>; 2],
    /// How many moments are kept of each kind, if not [`MOMENTS`].
    #[serde(skip)]
    most: Option<usize>,
}

/// Takes note of the records of one block, in their order.
///
/// Many records of a block are alike, so those of each kind are counted and entered together. A few kinds are kept at hand: in a
/// syslog of many machines the host changes from line to line.
pub struct Gathering<'a, 'f> {
    facts: &'f mut Facts,
    runs: [Run<'a>; RUNS],
    /// The one to which the record before belongs.
    at: usize,
    /// The second since 1970 in a line of Redis, until its next line with a local stamp comes.
    epoch: Option<i64>,
}

/// So many kinds of records are kept at hand; a power of two.
const RUNS: usize = 128;

/// Records that agree in format, host and kind of stamp.
#[derive(Default)]
struct Run<'a> {
    format: &'a str,
    host: Option<&'a str>,
    form: Option<Form>,
    offset: Option<i32>,
    records: u64,
    span: Option<Span>,
}

impl<'a, 'f> Gathering<'a, 'f> {
    /// Notes go to `facts`.
    pub fn new(facts: &'f mut Facts) -> Self {
        Gathering { facts, runs: std::array::from_fn(|_| Run::default()), at: 0, epoch: None }
    }

    /// Takes note of a record.
    pub fn record(&mut self, record: &Record<'a>) {
        let identity = self.facts.keeps_moments().then(|| Identity::of(record));
        let (host, uptime) = identity
            .as_ref()
            .map_or_else(|| (record.str(Key::HostName), boot::uptime(record)), |identity| (identity.host, identity.uptime));
        let stamp = record.stamp.filter(|_| !record.inherited && !record.doubtful);
        let is_epoch = record.format == EPOCHS_AMONG_LOCAL && stamp.is_some_and(|s| s.form == Form::Explicit);
        let (form, offset) = (stamp.map(|s| s.form), stamp.and_then(|s| s.offset).filter(|_| !is_epoch));
        let is_of = |run: &Run<'a>| same(run.format, record.format) && run.host == host && run.form == form && run.offset == offset;
        if !self.runs.get(self.at).is_some_and(is_of) {
            self.at = place(record.format, host);
        }
        let Some(run) = self.runs.get_mut(self.at) else { return };
        if !is_of(&*run) {
            self.facts.run(run);
            *run = Run { format: record.format, host, form, offset, records: 0, span: None };
        }
        run.records += 1;
        self.facts.timeless += u64::from(record.stamp.is_none());
        if let Some(uptime) = uptime {
            self.facts.boots.record(record, uptime, stamp.as_ref());
        } else if let (Some(stamp), Some("kernel")) = (&stamp, identity.as_ref().and_then(|identity| identity.process)) {
            self.facts.boots.dated(record, stamp);
        }
        if let Some(stamp) = &stamp {
            let second = stamp.nanos.div_euclid(NANOS);
            let span = Span { first: second, last: second, count: 1 };
            match &mut run.span {
                Some(known) => known.add(&span),
                None => run.span = Some(span),
            }
            self.facts.stamp(stamp, record);
            match stamp.form {
                Form::Explicit if is_epoch => self.epoch = Some(second),
                Form::Civil => self.epoch.take().into_iter().for_each(|epoch| self.facts.apart(second, epoch)),
                _ => {}
            }
            if let Some(identity) = &identity {
                self.facts.moments(identity, stamp, record);
            }
        }
    }

    /// Enters where the block's clock was seen to be set back, and where the block begins and ends.
    pub fn clock(&mut self, watch: fold::Watch) {
        let (ends, folds) = watch.finish();
        self.facts.ends.extend(ends);
        self.facts.folds.extend(folds);
    }

    /// Enters what has not been entered yet; must be called at the end.
    pub fn finish(&mut self) {
        for run in &mut self.runs {
            self.facts.run(run);
            *run = Run::default();
        }
    }
}

/// A format that writes local stamps, and seconds since 1970 where its handler of signals may not ask for the zone (Redis, `src/debug.c`,
/// `serverLogRawFromHandler`). Such a stamp carries no offset that anybody chose; beside the line that follows at once it tells the zone.
const EPOCHS_AMONG_LOCAL: &str = "redis";

/// Where a kind of records is kept. Two kinds of one place take turns there.
fn place(format: &str, host: Option<&str>) -> usize {
    let mut hasher = rustc_hash::FxHasher::default();
    host.unwrap_or("").hash(&mut hasher);
    format.len().hash(&mut hasher);
    (hasher.finish() >> 32) as usize % RUNS
}

/// Whether two texts are equal; mostly they are the very same.
fn same(a: &str, b: &str) -> bool {
    std::ptr::eq(a, b) || a == b
}

/// What a record says of itself that another source may have logged too.
#[derive(Default)]
struct Identity<'a> {
    host: Option<&'a str>,
    process: Option<&'a str>,
    request_id: Option<&'a str>,
    trace_id: Option<&'a str>,
    method: Option<&'a str>,
    path: Option<&'a str>,
    took: Option<i64>,
    /// The time is the one when the request began.
    is_start: bool,
    /// How long the machine had run.
    uptime: Option<i64>,
}

/// The keys of which moments are made.
const OF_MOMENTS: [bool; 256] = {
    let mut of = [false; 256];
    let keys = [Key::HostName, Key::ProcessName, Key::RequestId, Key::TraceId, Key::Method, Key::Path, Key::Duration, Key::Uptime];
    let mut at = 0;
    while at < keys.len() {
        of[keys[at] as usize] = true;
        at += 1;
    }
    of
};

impl<'a> Identity<'a> {
    /// The first value of each field, found in one walk.
    #[inline(never)]
    fn of(record: &Record<'a>) -> Self {
        let mut found = Identity::default();
        for field in &record.fields {
            let key = match field.name {
                Name::Known(key) if OF_MOMENTS[key as usize] => key,
                Name::Known(_) => continue,
                Name::Other(name) => {
                    found.other(name, &field.value);
                    continue;
                }
            };
            let place = match key {
                Key::HostName => &mut found.host,
                Key::ProcessName => &mut found.process,
                Key::RequestId => &mut found.request_id,
                Key::TraceId => &mut found.trace_id,
                Key::Method => &mut found.method,
                Key::Path => &mut found.path,
                Key::Duration => {
                    if let (None, Value::Duration(ns)) = (found.took, field.value) {
                        found.took = Some(ns);
                    }
                    continue;
                }
                Key::Uptime => {
                    if let (None, Value::Duration(nanos)) = (found.uptime, field.value) {
                        found.uptime = Some(nanos);
                    }
                    continue;
                }
                _ => continue,
            };
            if place.is_none() {
                *place = field.value.as_str();
            }
        }
        found
    }

    fn other(&mut self, name: &str, value: &Value<'_>) {
        if let (IS_START, Value::Bool(true)) = (name, value) {
            self.is_start = true;
        }
    }
}

/// The field that says that the time is the one when a request began.
const IS_START: &str = "time.is_start";

/// A hash of texts, of which the low ones are kept.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    for part in parts {
        part.hash(&mut hasher);
    }
    // Finish with a mix, since the low hashes are kept.
    let mut x = hasher.finish();
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    x
}

impl Facts {
    /// Nothing is known yet of a source that is one of so many.
    pub fn of_one_among(sources: usize) -> Facts {
        let most = (MOMENTS_OF_ALL / sources.max(1)).clamp(FEWEST, MOMENTS);
        Facts { most: Some(most), ..Facts::default() }
    }

    /// Nothing is known yet of a source that has no neighbour, now or later, whose clock could be compared with its own: no moments
    /// are kept.
    pub fn of_one_alone() -> Facts {
        Facts { most: Some(0), ..Facts::default() }
    }

    fn keeps_moments(&self) -> bool {
        self.most != Some(0)
    }

    fn most(&self) -> usize {
        self.most.unwrap_or(MOMENTS)
    }

    /// Takes note of a run of records that are alike.
    fn run(&mut self, run: &Run<'_>) {
        if run.records == 0 {
            return;
        }
        // A prompt or a date names no source.
        let named = run.format != crate::formats::snapshot::SHELL;
        match self.formats.get_mut(run.format) {
            _ if !named => {}
            Some(n) => *n += run.records,
            None => {
                self.formats.insert(run.format.to_string(), run.records);
            }
        }
        if let Some(host) = run.host {
            match self.hosts.get_mut(host) {
                Some(n) => *n += run.records,
                None => {
                    self.hosts.insert(host.to_string(), run.records);
                }
            }
        }
        if let (Some(form), Some(span)) = (run.form, run.span) {
            self.spans.entry(form).and_modify(|s| s.add(&span)).or_insert(span);
            if let Some(offset) = run.offset {
                *self.offsets.entry(offset).or_default() += span.count;
            }
        }
    }

    /// Takes note of a stamp of the record itself.
    fn stamp(&mut self, stamp: &Stamp, record: &Record<'_>) {
        if let (Form::Civil, Some(outer)) = (stamp.form, record.envelope_stamp)
            && outer.form == Form::Explicit
        {
            self.apart(stamp.nanos.div_euclid(NANOS), outer.nanos.div_euclid(NANOS));
        }
        if stamp.form == Form::NoYear && self.first_no_year.is_none_or(|(line, _)| record.origin.line < line) {
            self.first_no_year = Some((record.origin.line, stamp.nanos));
        }
        self.leap_day |= stamp.is_leap_day();
        self.restarts.record(record, stamp);
    }

    /// Takes note of a local second and the very same one in UTC.
    fn apart(&mut self, local: i64, utc: i64) {
        let minutes = local.saturating_sub(utc).saturating_add(30).div_euclid(60);
        *self.inside.entry(minutes as i32).or_default() += 1;
    }

    /// Takes note of what another source may have logged as well.
    #[inline(never)]
    fn moments(&mut self, identity: &Identity<'_>, stamp: &Stamp, record: &Record<'_>) {
        let (millis, form) = (stamp.nanos / 1_000_000, stamp.form);
        if let (Some(host), Some(uptime)) = (identity.host, identity.uptime) {
            // A line of the kernel: no other of this machine was written as long after boot, and says the same.
            let (hash, most) = (hash(&["uptime", host, &uptime.to_string(), record.body]), self.most());
            let moment = Moment { hash, millis: stamp.nanos.div_euclid(1_000_000), form };
            keep(&mut self.ids, &mut self.bounds[0], moment, most);
        }
        // A proxy logs at the end of a request; so do most services. What began earlier is moved to its end where known.
        if let Some(id) = identity.request_id.or(identity.trace_id).filter(|id| id.len() >= 6) {
            let most = self.most();
            keep(&mut self.ids, &mut self.bounds[0], Moment { hash: hash(&[id]), millis, form }, most);
        }
        if let (Some(method), Some(path)) = (identity.method, identity.path) {
            let end = match identity.took {
                Some(ns) if identity.is_start => millis + ns / 1_000_000,
                _ => millis,
            };
            // Kibana writes methods in small letters, the proxy before it does not.
            let mut upper = [0u8; 16];
            let method = match upper.get_mut(..method.len()) {
                Some(copy) if method.bytes().any(|b| b.is_ascii_lowercase()) => {
                    copy.copy_from_slice(method.as_bytes());
                    copy.make_ascii_uppercase();
                    std::str::from_utf8(copy).unwrap_or(method)
                }
                _ => method,
            };
            let most = self.most();
            let hash = hash(&[method, path]);
            if self.bounds[1].is_none_or(|bound| hash <= bound) && !is_probe(path) {
                keep(&mut self.paths, &mut self.bounds[1], Moment { hash, millis: end, form }, most);
            }
        }
    }

    /// Adds the facts of another part of the same source.
    pub fn merge(&mut self, other: Facts) {
        let most = self.most();
        for (form, span) in other.spans {
            self.spans.entry(form).and_modify(|s| s.add(&span)).or_insert(span);
        }
        for (k, v) in other.offsets {
            *self.offsets.entry(k).or_default() += v;
        }
        for (k, v) in other.inside {
            *self.inside.entry(k).or_default() += v;
        }
        for (k, v) in other.formats {
            *self.formats.entry(k).or_default() += v;
        }
        for (k, v) in other.hosts {
            *self.hosts.entry(k).or_default() += v;
        }
        for m in other.ids {
            keep(&mut self.ids, &mut self.bounds[0], m, most);
        }
        for m in other.paths {
            keep(&mut self.paths, &mut self.bounds[1], m, most);
        }
        self.timeless += other.timeless;
        self.folds.extend(other.folds);
        self.boots.merge(other.boots);
        self.restarts.merge(other.restarts);
        self.ends.extend(other.ends);
        self.leap_day |= other.leap_day;
        self.first_no_year = [self.first_no_year, other.first_no_year].into_iter().flatten().min();
    }

    /// Whether its clock was set back at the end of summer time, and the place is known.
    pub(crate) fn is_set_back(&self) -> bool {
        self.spans.keys().any(|form| matches!(form, Form::CivilLater | Form::NoYearLater))
    }

    /// Must be called after the last record: drops moments beyond the cap. May be called earlier, to hold no more than needed.
    pub fn finish(&mut self) {
        self.folds.sort_unstable();
        self.ends.sort_unstable();
        self.restarts.finish();
        self.boots.finish();
        let most = self.most();
        for list in [&mut self.ids, &mut self.paths] {
            prune(list, most);
            list.shrink_to_fit();
        }
    }

    /// Moments by hash.
    pub fn by_hash(moments: &[Moment]) -> FxHashMap<u64, Vec<Moment>> {
        let mut map: FxHashMap<u64, Vec<Moment>> = FxHashMap::default();
        for m in moments {
            map.entry(m.hash).or_default().push(*m);
        }
        map
    }
}

/// Adds a moment, unless so many of smaller hashes are held that it would be dropped at the end.
pub(crate) fn keep(list: &mut Vec<Moment>, bound: &mut Option<u64>, moment: Moment, most: usize) {
    if bound.is_some_and(|bound| moment.hash > bound) {
        return;
    }
    list.push(moment);
    if list.len() >= 2 * most {
        prune(list, most);
        *bound = most.checked_sub(1).and_then(|last| list.get(last)).map(|last| last.hash);
    }
}

/// Whether a path is one by which supervisors ask whether a service lives. Each machine has its own supervisor that asks it in a beat of its own,
/// so two machines that log such requests never logged the same one.
fn is_probe(path: &str) -> bool {
    const PROBES: [&str; 17] = [
        "health",
        "healthz",
        "healthcheck",
        "health-check",
        "health_check",
        "_health",
        "ready",
        "readyz",
        "readiness",
        "live",
        "livez",
        "liveness",
        "alive",
        "ping",
        "probe",
        "status",
        "heartbeat",
    ];
    let path = path.split('?').next().unwrap_or(path);
    path.rsplit('/').take(2).any(|part| PROBES.iter().any(|probe| part.eq_ignore_ascii_case(probe)))
}

/// Keeps so many moments of the smallest hashes.
pub(crate) fn prune(list: &mut Vec<Moment>, most: usize) {
    list.sort_unstable();
    list.dedup();
    list.truncate(most);
}

/// The time that a file's name carries (`access-20261120.log`), if any.
pub fn date_in_name(path: &str) -> Option<i64> {
    let name = path.rsplit('/').next().unwrap_or(path);
    for (i, _) in name.match_indices("20") {
        let tail = &name[i..];
        let digits: String = tail.chars().filter(|c| c.is_ascii_digit()).take(8).collect();
        if digits.len() == 8
            && let Some((stamp, _)) = stamp::compact(&format!("{digits} 12:00:00"))
        {
            return Some(stamp.nanos / NANOS);
        }
    }
    None
}
