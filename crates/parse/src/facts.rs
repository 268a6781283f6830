//! What a source tells about its own clock: gathered while its records pass, settled over the whole bundle afterwards.

use crate::stamp;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Key, Record, Value};

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
}

fn hash(parts: &[&str]) -> u64 {
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
    /// Takes note of a record.
    pub fn record(&mut self, record: &Record<'_>) {
        // A prompt or a date names no source.
        let named = record.format != crate::formats::snapshot::SHELL;
        match self.formats.get_mut(record.format) {
            _ if !named => {}
            Some(n) => *n += 1,
            None => {
                self.formats.insert(record.format.to_string(), 1);
            }
        }
        if let Some(host) = record.str(Key::HostName) {
            match self.hosts.get_mut(host) {
                Some(n) => *n += 1,
                None => {
                    self.hosts.insert(host.to_string(), 1);
                }
            }
        }
        let Some(stamp) = record.stamp else {
            self.timeless += 1;
            return;
        };
        if record.inherited {
            return;
        }
        let second = stamp.nanos.div_euclid(NANOS);
        let span = Span { first: second, last: second, count: 1 };
        self.spans.entry(stamp.form).and_modify(|s| s.add(&span)).or_insert(span);
        if let Some(offset) = stamp.offset {
            *self.offsets.entry(offset).or_default() += 1;
        }
        if let (Form::Civil, Some(outer)) = (stamp.form, record.envelope_stamp)
            && outer.form == Form::Explicit
        {
            let minutes = (stamp.nanos - outer.nanos + 30 * NANOS).div_euclid(60 * NANOS);
            *self.inside.entry(minutes as i32).or_default() += 1;
        }
        if stamp.form == Form::NoYear && self.first_no_year.is_none_or(|(line, _)| record.origin.line < line) {
            self.first_no_year = Some((record.origin.line, stamp.nanos));
        }
        self.moments(record, stamp.nanos / 1_000_000, stamp.form);
    }

    fn moments(&mut self, record: &Record<'_>, millis: i64, form: Form) {
        // A proxy logs at the end of a request; so do most services. What began earlier is moved to its end where known.
        let id = record.str(Key::RequestId).or_else(|| record.str(Key::TraceId)).filter(|id| id.len() >= 6);
        if let Some(id) = id {
            keep(&mut self.ids, Moment { hash: hash(&[id]), millis, form });
        }
        if let (Some(method), Some(path)) = (record.str(Key::Method), record.str(Key::Path)) {
            let end = match (record.get(Key::Duration), record.values(whyline_event::Name::Other("time.is_start")).next()) {
                (Some(Value::Duration(ns)), Some(Value::Bool(true))) => millis + ns / 1_000_000,
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
            keep(&mut self.paths, Moment { hash: hash(&[method, path]), millis: end, form });
        }
    }

    /// Adds the facts of another part of the same source.
    pub fn merge(&mut self, other: Facts) {
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
            keep(&mut self.ids, m);
        }
        for m in other.paths {
            keep(&mut self.paths, m);
        }
        self.timeless += other.timeless;
        self.first_no_year = [self.first_no_year, other.first_no_year].into_iter().flatten().min();
    }

    /// Must be called once after the last record: drops moments beyond the cap.
    pub fn finish(&mut self) {
        prune(&mut self.ids);
        prune(&mut self.paths);
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

fn keep(list: &mut Vec<Moment>, moment: Moment) {
    list.push(moment);
    if list.len() >= 2 * MOMENTS {
        prune(list);
    }
}

fn prune(list: &mut Vec<Moment>) {
    list.sort_unstable();
    list.dedup();
    list.truncate(MOMENTS);
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
