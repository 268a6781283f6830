//! What was gathered, on one clock: the questions that diagnosis asks have their answers here.

use crate::baseline;
use crate::containers;
use crate::names::{NameId, Names};
pub use crate::requests::Request;
use crate::requests::Requests;
use crate::rules::SignalId;
use crate::snapshot::{Snapshots, Telling};
use crate::tally::{Gathered, Gauge, HitKey, Hits, Pair, Resolved, Sample, join_seconds};
use rustc_hash::{FxHashMap, FxHashSet};
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Form, Stamp, address};

/// What is known of a source.
#[derive(Clone, Debug, Default)]
pub struct SourceInfo {
    /// Path.
    pub path: String,
    /// Host, empty when unknown.
    pub host: String,
    /// The format of most of its records.
    pub format: String,
    /// The share of its records in that format.
    pub share: f64,
    /// The zone as people write it.
    pub zone: String,
    /// How the zone is known.
    pub zone_why: String,
    /// The clock.
    pub clock: Clock,
    /// How many moments say that the clock is ahead.
    pub ahead_pairs: usize,
    /// Lines.
    pub lines: u64,
    /// Records.
    pub records: u64,
    /// It is the same stream as another source.
    pub same_as: Option<String>,
    /// The encoding of its text, where that is not UTF-8.
    pub encoding: Option<String>,
    /// For a piece of a rotated log: the number of the newest piece, which stands for the whole.
    pub newest: Option<usize>,
    /// For a log of a good day (a *baseline*): the number of the log of the bundle whose good day it is.
    pub baseline_of: Option<usize>,
    /// How far the times of a good day were moved (ns), so that it lies in front of the bundle.
    pub moved: i64,
}

impl SourceInfo {
    /// Whether it is a log of the system, which goes on whatever becomes of the services that write to logs of their own.
    pub fn is_of_system(&self) -> bool {
        self.is_written_as_system() || self.path.ends_with("syslog")
    }

    /// How far the clock of its machine is ahead of the others, in nanoseconds, as measured.
    pub fn skew(&self) -> i64 {
        self.clock.ahead + self.moved
    }

    /// Whether it is written as logs of the system are.
    pub fn is_written_as_system(&self) -> bool {
        matches!(self.family(), "syslog" | "kernel" | "dmesg" | "cron" | "auditd")
    }

    /// What its format shares with its kin: the name up to the first dot.
    pub fn family(&self) -> &str {
        self.format.split('.').next().unwrap_or("")
    }

    /// Whether it tells of the system: a log of it, or a journal, which holds both.
    pub fn tells_of_system(&self) -> bool {
        self.records > 0 && (self.is_of_system() || self.format.starts_with("journal"))
    }
}

/// Hits of a signal for an entity, from one source, on the agreed clock.
#[derive(Clone, Debug)]
pub struct Series {
    /// The signal.
    pub signal: SignalId,
    /// The accused.
    pub entity: NameId,
    /// Host of the writer.
    pub host: NameId,
    /// Service of the writer.
    pub service: NameId,
    /// Number of the source.
    pub source: usize,
    /// How its times are to be understood.
    pub telling: Telling,
    /// Second and hits, in order.
    pub bins: Vec<(i64, u32)>,
    /// Samples in order, on the agreed clock.
    pub samples: Vec<Sample>,
}

impl Series {
    /// All hits.
    pub fn total(&self) -> u64 {
        self.bins.iter().map(|(_, n)| u64::from(*n)).sum()
    }

    /// Hits in the seconds `from..=to`.
    pub fn within(&self, from: i64, to: i64) -> u64 {
        let a = self.bins.partition_point(|(s, _)| *s < from);
        self.bins[a..].iter().take_while(|(s, _)| *s <= to).map(|(_, n)| u64::from(*n)).sum()
    }
}

/// An address that a name stood for, as one writer told it in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: NameId,
    /// The address, without a port.
    pub address: NameId,
    /// A name server says so, by an answer or by a record that it took; else somebody who calls it.
    pub is_answer: bool,
    /// Host and service of the writer.
    pub writer: (NameId, NameId),
    /// When it was told first, in seconds, and where: source and line.
    pub first: (i64, (u32, u32)),
    /// When it was told last.
    pub last: (i64, (u32, u32)),
}

/// What was told of names and their addresses, on the agreed clock.
fn named(resolved: &Resolved, names: &Names, agreed: &impl Fn(u32, Form, i64) -> i64) -> Vec<Named> {
    let each = resolved.iter().map(|(telling, (first, last))| {
        let at = |(nanos, line): (i64, u32)| (agreed(telling.source, telling.form, nanos).div_euclid(NANOS), (telling.source, line));
        let (name, address, is_answer, writer) = (telling.name, telling.address, telling.is_answer, telling.writer);
        Named { name, address, is_answer, writer, first: at(*first), last: at(*last) }
    });
    let mut all: Vec<Named> = each.collect();
    all.sort_by_key(|told| (names.text(told.name), names.text(told.address), told.first, told.last, told.is_answer));
    all
}

/// Everything, on the agreed clock, in a stable order.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Texts.
    pub names: Names,
    /// Sources.
    pub sources: Vec<SourceInfo>,
    /// Requests by start.
    pub requests: Requests,
    /// Hits in log lines, by signal, entity, source.
    pub series: Vec<Series>,
    /// Hits in output of commands, in the same order.
    pub shown: Vec<Series>,
    /// What output of commands shows besides.
    pub snapshots: Snapshots,
    /// Records per second of each source.
    pub ticks: Vec<Vec<(i64, u32)>>,
    /// Who speaks of whom.
    pub pairs: Vec<(Pair, u32)>,
    /// Host and program, with records.
    pub programs: Vec<((NameId, NameId), u32)>,
    /// Host and program, of which only the manager of its services speaks or that as well.
    pub units: Vec<(NameId, NameId)>,
    /// Host and server, of which its balancer speaks where it tells of no request.
    pub servers: Vec<(NameId, NameId)>,
    /// Host and address at which its programs say that they listen.
    pub listens: Vec<(NameId, NameId)>,
    /// For which hosts clients asked, by names or by private addresses with their ports, and how often.
    pub asked_hosts: FxHashMap<NameId, u32>,
    /// Which addresses names stood for, in order.
    pub named: Vec<Named>,
    /// Upstream and path, as a proxy's error log names them together.
    pub asked: Vec<((NameId, NameId), u32)>,
    /// Numbers in lines of statistics, with their second, in order of time.
    pub gauges: Vec<(i64, Gauge)>,
}

impl Evidence {
    /// Applies the clocks of the sources.
    pub fn new(gathered: Gathered, mut sources: Vec<SourceInfo>) -> Evidence {
        let of_requests = gathered.rows.kinds.iter().filter(|kind| kind.access).map(|kind| kind.source).collect();
        baseline::lay_in_front(&mut sources, &gathered.ticks, &of_requests);
        let agreed = |source: u32, form: Form, nanos: i64| -> i64 {
            let stamp = Stamp { nanos, form, offset: None, digits: 9 };
            sources.get(source as usize).map_or(nanos, |s| s.clock.agreed(&stamp))
        };
        let second = |source: u32, form: Form, s: i64| agreed(source, form, s.saturating_mul(NANOS)).div_euclid(NANOS);
        let Gathered {
            mut names,
            rows,
            mut hits,
            ticks,
            pairs,
            programs,
            units,
            servers,
            listens,
            gauges,
            lookups,
            services,
            asked,
            snapshots,
            asked_hosts,
            resolved,
            containers,
        } = gathered;
        containers::rename(&mut hits, &containers, &mut names);
        let requests =
            Requests::new(rows, |kind, millis| agreed(kind.source, kind.form, millis.saturating_mul(1_000_000)).div_euclid(1_000_000));
        let all = series(hits, &names, &agreed);
        let (series, mut shown): (Vec<Series>, Vec<Series>) = all.into_iter().partition(|s| s.telling == Telling::Logged);
        // How things stood on a good day says nothing of this one.
        let is_baseline = |source: usize| sources.get(source).is_some_and(|s| s.baseline_of.is_some());
        shown.retain(|s| !is_baseline(s.source));
        let mut seconds: Vec<Vec<(i64, u32)>> = vec![Vec::new(); sources.len()];
        for ((source, form), bins) in ticks {
            if let Some(list) = seconds.get_mut(source as usize) {
                list.extend(bins.into_iter().map(|(s, n)| (second(source, form, s), n)));
            }
        }
        for list in &mut seconds {
            join_seconds(list);
            list.shrink_to_fit();
        }
        let mut gauges: Vec<(i64, Gauge)> = gauges
            .into_iter()
            .chain(lookups.gauges())
            .chain(services.gauges())
            .map(|g| (agreed(g.source, g.form, g.nanos).div_euclid(NANOS), g))
            .collect();
        gauges.sort_by_key(|(t, g)| (*t, g.source, g.line, g.counter, g.of, g.host, g.service, g.value as i64));
        let mut snapshots = snapshots;
        snapshots.retain(|source| !is_baseline(source as usize));
        snapshots.sort();
        let mut pairs: Vec<(Pair, u32)> = pairs.into_iter().collect();
        pairs.sort_by(|(a, _), (b, _)| {
            let key = |p: &Pair| (names.text(p.host), names.text(p.service), names.text(p.peer));
            key(a).cmp(&key(b))
        });
        let mut programs: Vec<((NameId, NameId), u32)> = programs.into_iter().collect();
        programs.sort_by(|((h, p), _), ((i, q), _)| (names.text(*h), names.text(*p)).cmp(&(names.text(*i), names.text(*q))));
        let mut asked: Vec<((NameId, NameId), u32)> = asked.into_iter().collect();
        asked.sort_by(|((u, p), _), ((v, q), _)| (names.text(*u), names.text(*p)).cmp(&(names.text(*v), names.text(*q))));
        let mut listens: Vec<(NameId, NameId)> = listens.into_iter().collect();
        listens.sort_by_key(|(host, address)| (names.text(*host), names.text(*address)));
        let sorted = |pairs: FxHashSet<(NameId, NameId)>| {
            let mut pairs: Vec<(NameId, NameId)> = pairs.into_iter().collect();
            pairs.sort_by_key(|(host, other)| (names.text(*host), names.text(*other)));
            pairs
        };
        let (units, servers) = (sorted(units), sorted(servers));
        let named = named(&resolved, &names, &agreed);
        Evidence {
            named,
            asked_hosts,
            asked,
            names,
            sources,
            requests,
            series,
            shown,
            snapshots,
            ticks: seconds,
            pairs,
            programs,
            units,
            servers,
            listens,
            gauges,
        }
    }

    /// Keeps only what lies in the seconds `from..=to`.
    pub fn restrict(&mut self, from: i64, to: i64) {
        self.requests.retain(|r| (from..=to).contains(&r.end.div_euclid(1000)));
        for series in &mut self.series {
            series.bins.retain(|(s, _)| (from..=to).contains(s));
            series.samples.retain(|s| (from..=to).contains(&s.nanos.div_euclid(NANOS)));
        }
        self.series.retain(|s| !s.bins.is_empty());
        // A state speaks of a time before it was looked at; what names its time belongs to that.
        for series in self.shown.iter_mut().filter(|s| s.telling == Telling::Dated) {
            series.bins.retain(|(s, _)| (from..=to).contains(s));
            series.samples.retain(|s| (from..=to).contains(&s.nanos.div_euclid(NANOS)));
        }
        self.shown.retain(|s| !s.bins.is_empty());
        for ticks in &mut self.ticks {
            ticks.retain(|(s, _)| (from..=to).contains(s));
        }
    }

    /// Whether clients asked for this host, and its requests stand in a log here. Strangers ask for whatever they like: of names, those count
    /// that one in twenty asked for.
    pub fn is_asked(&self, host: &str) -> bool {
        let count = |text: &str| self.names.find(text).and_then(|id| self.asked_hosts.get(&id)).map_or(0, |n| u64::from(*n));
        let all: u64 = self.asked_hosts.values().map(|n| u64::from(*n)).sum();
        let name = address::split_port(host).0;
        count(host) > 0 && address::ip(name).is_some() || address::ip(name).is_none() && count(name) >= 20 && count(name) * 20 >= all
    }

    /// The request of a number.
    pub fn request(&self, number: u32) -> Request {
        self.requests.get(number).unwrap_or(Request::NONE)
    }

    /// The text of a name.
    pub fn text(&self, id: NameId) -> &str {
        self.names.text(id)
    }

    /// First and last second of a source, without stray stamps: the span that holds all but a thousandth of its records.
    pub fn span(&self, source: usize) -> Option<(i64, i64)> {
        let ticks = self.ticks.get(source)?;
        Some((ticks.first()?.0, ticks.last()?.0))
    }

    /// The log that a source belongs to: itself, or the newest piece of the rotated log of which it is one.
    pub fn log_of(&self, source: u32) -> u32 {
        let newest = self.sources.get(source as usize).and_then(|s| s.newest);
        newest.and_then(|n| u32::try_from(n).ok()).unwrap_or(source)
    }

    /// Whether a source is a log of a good day.
    pub fn is_baseline(&self, source: usize) -> bool {
        self.sources.get(source).is_some_and(|s| s.baseline_of.is_some())
    }

    /// First and last second at which commands were run whose output a source holds.
    pub fn looked(&self, source: usize) -> Option<(i64, i64)> {
        let clock = &self.sources.get(source)?.clock;
        let at = |form: Form, nanos: i64| clock.agreed(&Stamp { nanos, form, offset: None, digits: 0 }).div_euclid(NANOS);
        let spans = self.snapshots.looked.iter().filter(|((s, _), _)| *s as usize == source);
        spans.map(|((_, form), (a, b))| (at(*form, *a), at(*form, *b))).reduce(|(a, b), (x, y)| (a.min(x), b.max(y)))
    }

    /// First and last second of the bundle.
    pub fn whole(&self) -> Option<(i64, i64)> {
        self.span_of(|_| true)
    }

    /// First and last second of some sources together.
    pub(crate) fn span_of(&self, which: impl Fn(&SourceInfo) -> bool) -> Option<(i64, i64)> {
        let chosen = self.sources.iter().enumerate().filter(|(_, source)| which(source));
        chosen.filter_map(|(number, _)| self.span(number)).reduce(|(a, b), (x, y)| (a.min(x), b.max(y)))
    }

    /// Records of a source in the seconds `from..=to`.
    pub fn ticks_within(&self, source: usize, from: i64, to: i64) -> u64 {
        let Some(ticks) = self.ticks.get(source) else { return 0 };
        let a = ticks.partition_point(|(s, _)| *s < from);
        ticks[a..].iter().take_while(|(s, _)| *s <= to).map(|(_, n)| u64::from(*n)).sum()
    }

    /// Stretches of at least `least` seconds within a source's span without a record.
    pub fn gaps(&self, source: usize, least: i64) -> Vec<(i64, i64)> {
        let Some(ticks) = self.ticks.get(source) else { return Vec::new() };
        ticks.windows(2).filter(|w| w[1].0 - w[0].0 > least).map(|w| (w[0].0, w[1].0)).collect()
    }
}

/// Hits as series: those of one signal, accused, source and host together, in a stable order.
fn series(hits: rustc_hash::FxHashMap<HitKey, Hits>, names: &Names, agreed: &impl Fn(u32, Form, i64) -> i64) -> Vec<Series> {
    let text = |id: NameId| names.text(id);
    let mut all: Vec<(HitKey, Hits)> = hits.into_iter().collect();
    // Of several services and forms of stamps the first names the series.
    all.sort_by(|(a, _), (b, _)| {
        let one = (a.signal, text(a.entity), a.source).cmp(&(b.signal, text(b.entity), b.source));
        let other = || (a.host, a.telling, a.form, text(a.service)).cmp(&(b.host, b.telling, b.form, text(b.service)));
        one.then_with(other)
    });
    let mut list: Vec<Series> = Vec::new();
    for (key, hits) in all {
        let (source, host, telling) = (key.source as usize, key.host, key.telling);
        let same = |s: &&mut Series| {
            s.signal == key.signal && s.entity == key.entity && s.source == source && s.host == host && s.telling == telling
        };
        let Hits { mut bins, mut samples, .. } = hits;
        for (second, _) in &mut bins {
            *second = agreed(key.source, key.form, second.saturating_mul(NANOS)).div_euclid(NANOS);
        }
        for sample in &mut samples {
            sample.nanos = agreed(key.source, key.form, sample.nanos);
        }
        match list.last_mut().filter(same) {
            Some(series) => {
                series.bins.append(&mut bins);
                series.samples.append(&mut samples);
            }
            // What was gathered stays where it is: many of them are large.
            None => {
                let HitKey { signal, entity, service, .. } = key;
                list.push(Series { signal, entity, host, service, source, telling, bins, samples });
            }
        }
    }
    list.shrink_to_fit();
    for s in &mut list {
        join_seconds(&mut s.bins);
        s.samples.sort_unstable();
    }
    list
}
