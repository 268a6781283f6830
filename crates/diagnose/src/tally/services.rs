//! What services say of themselves and of those they call: their version, and how long a call took.

use super::gauges::{Counter, Gauge};
use super::settings::DISTINCT;
use crate::names::NameId;
use memchr::memmem::Finder;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;
use whyline_event::stamp::NANOS;
use whyline_event::{Form, Key, Record, Stamp, Value, address};

/// What is told within so many seconds is told once.
const SECONDS: i64 = 10;
/// Lines longer than this are no line of a start.
const LONGEST: usize = 300;

/// Who tells, and when: source, what the stamp leaves open, stretch, host and service.
type Teller = (u32, Form, i64, NameId, NameId);

/// What stands for all tellings of a stretch.
#[derive(Clone, Copy, Debug)]
struct Sum {
    count: u32,
    /// The first of them: its stamp as written, and its line.
    nanos: i64,
    line: u32,
}

impl Sum {
    fn join(&mut self, other: Sum) {
        self.count = self.count.saturating_add(other.count);
        (self.nanos, self.line) = (self.nanos, self.line).min((other.nanos, other.line));
    }
}

/// Versions and calls, in stretches, so that neither the order of records nor their number matters.
#[derive(Debug, Default)]
pub struct Services {
    versions: FxHashMap<(Teller, NameId), Sum>,
    /// What services say of their settings when they start.
    settings: FxHashMap<(Teller, NameId), Sum>,
    /// By the endpoint that was called, and about how long it took (see [`bucket`]).
    calls: FxHashMap<(Teller, NameId, u16), Sum>,
    /// By the endpoint that answered, and whether it answered that it failed.
    answers: FxHashMap<(Teller, NameId, bool), Sum>,
}

/// Calls that took about as long: each bucket is an eighth longer than the one before.
fn bucket(millis: f64) -> u16 {
    (millis.max(1.0).ln() * 8.0) as u16
}

impl Services {
    /// Adds a version.
    pub(super) fn version(&mut self, version: NameId, record: &Record<'_>, stamp: &Stamp, writer: (NameId, NameId)) {
        add(&mut self.versions, (teller(record, stamp, writer), version), once(record, stamp));
    }

    /// Adds what a line of a start says of settings.
    pub(super) fn settings(&mut self, settings: NameId, record: &Record<'_>, stamp: &Stamp, writer: (NameId, NameId)) {
        add(&mut self.settings, (teller(record, stamp, writer), settings), once(record, stamp));
    }

    /// Whether there are more lines of starts already than any bundle has.
    pub(super) fn has_too_many(&self) -> bool {
        self.settings.len() > DISTINCT
    }

    /// Adds a call to an endpoint.
    pub(super) fn call(&mut self, (end, nanos): (NameId, i64), record: &Record<'_>, stamp: &Stamp, writer: (NameId, NameId)) {
        add(&mut self.calls, (teller(record, stamp, writer), end, bucket(nanos as f64 / 1e6)), once(record, stamp));
    }

    /// Adds what an endpoint answered: whether it failed.
    pub(super) fn answered(&mut self, (end, failed): (NameId, bool), record: &Record<'_>, stamp: &Stamp, writer: (NameId, NameId)) {
        add(&mut self.answers, (teller(record, stamp, writer), end, failed), once(record, stamp));
    }

    /// Adds others; `name` translates their names.
    pub(super) fn merge(&mut self, other: Services, name: &impl Fn(NameId) -> NameId) {
        let named = |(source, form, stretch, host, service): Teller| (source, form, stretch, name(host), name(service));
        other.versions.into_iter().for_each(|((teller, of), sum)| add(&mut self.versions, (named(teller), name(of)), sum));
        other.settings.into_iter().for_each(|((teller, of), sum)| add(&mut self.settings, (named(teller), name(of)), sum));
        other.calls.into_iter().for_each(|((teller, of, took), sum)| add(&mut self.calls, (named(teller), name(of), took), sum));
        other.answers.into_iter().for_each(|((teller, of, failed), sum)| add(&mut self.answers, (named(teller), name(of), failed), sum));
    }

    /// As lines of statistics.
    pub(crate) fn gauges(self) -> impl Iterator<Item = Gauge> {
        let gauge = |(source, form, _, host, service): Teller, counter, of, value, sum: Sum| {
            let Sum { nanos, line, count } = sum;
            Gauge { source, line, form, nanos, host, service, counter, of, value, count, is_growth: false }
        };
        let few = !self.has_too_many();
        let versions = self.versions.into_iter().map(move |((teller, of), sum)| gauge(teller, Counter::Version, of, 0.0, sum));
        // Where a thread gave up, or all together have more, these are no lines of starts.
        let settings = self.settings.into_iter().filter(move |_| few);
        let settings = settings.map(move |((teller, of), sum)| gauge(teller, Counter::Settings, of, 0.0, sum));
        let took = |bucket: u16| (f64::from(bucket) / 8.0).exp();
        let calls = self.calls.into_iter().map(move |((teller, of, bucket), sum)| gauge(teller, Counter::Call, of, took(bucket), sum));
        let failed = |failed: bool| f64::from(u8::from(failed));
        let answers = self.answers.into_iter().map(move |((teller, of, bad), sum)| gauge(teller, Counter::Answer, of, failed(bad), sum));
        versions.chain(settings).chain(calls).chain(answers)
    }
}

fn add<K: std::hash::Hash + Eq>(all: &mut FxHashMap<K, Sum>, key: K, sum: Sum) {
    all.entry(key).and_modify(|known| known.join(sum)).or_insert(sum);
}

fn teller(record: &Record<'_>, stamp: &Stamp, (host, service): (NameId, NameId)) -> Teller {
    (record.origin.source.0, stamp.form, stamp.nanos.div_euclid(SECONDS * NANOS), host, service)
}

fn once(record: &Record<'_>, stamp: &Stamp) -> Sum {
    Sum { count: 1, nanos: stamp.nanos, line: u32::try_from(record.origin.line).unwrap_or(u32::MAX) }
}

/// What a line of a start says: that something starts, has started, listens.
static STARTS: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| ["tarting", "tarted", "istening"].map(Finder::new));

/// Whether a record may be a line of a start.
pub(super) fn is_start(record: &Record<'_>) -> bool {
    record.body.len() <= LONGEST && STARTS.iter().any(|word| word.find(record.body.as_bytes()).is_some())
}

/// Names before versions that are not the service's own.
const RUNTIMES: [&str; 13] =
    ["Java", "JVM", "OpenJDK", "Tomcat", "Python", "Node.js", "Node", "Go", "Ruby", "PHP", "Debian", "Ubuntu", "gcc"];

/// The version that a record tells of its service: a field, or a word of a line that says that it starts or listens. What stands behind a
/// slash or the name of a runtime is that one's.
pub(super) fn version<'r>(record: &'r Record<'_>, is_start: bool) -> Option<&'r str> {
    if record.fields.may_have(Key::ServiceVersion) {
        // The number of a price list is called so as well.
        return record.str(Key::ServiceVersion).filter(|version| is_version(version));
    }
    if !is_start {
        return None;
    }
    let mut before = "";
    for word in record.body.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '[' | ']' | '"')) {
        let word = word.trim_end_matches(['.', ':', ';']);
        if is_version(word) && !RUNTIMES.contains(&before) {
            return Some(word);
        }
        if !word.is_empty() {
            before = word;
        }
    }
    None
}

/// Whether a word is a version: three numbers with dots, more behind them or not, and no address.
fn is_version(word: &str) -> bool {
    let mut parts = word.strip_prefix('v').unwrap_or(word).splitn(3, '.');
    let is_number = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    let two = parts.next().is_some_and(is_number) && parts.next().is_some_and(is_number);
    let third = parts.next().unwrap_or("");
    two && third.starts_with(|c: char| c.is_ascii_digit()) && address::ip(address::split_port(word).0).is_none() && word.len() <= 40
}

/// The endpoint of a call that a record tells of with its duration, in nanoseconds.
pub(super) fn called<'r>(record: &'r Record<'_>) -> Option<(&'r str, i64)> {
    if !record.fields.may_have(Key::Duration) || crate::entity::of_format(record.format).is_some() {
        return None;
    }
    let Some(Value::Duration(nanos)) = record.last(Key::Duration) else { return None };
    let end = record.str(Key::Peer).or_else(|| record.str(Key::UrlFull).and_then(endpoint))?;
    Some((end, nanos))
}

/// The endpoint of which a client's library tells that it answered: by an application, with the whole URL, at the other end. Who is asked
/// himself has no other end.
pub(super) fn asked<'r>(record: &'r Record<'_>) -> Option<&'r str> {
    if !record.fields.may_have(Key::UrlFull) || whyline_query::is_access(record) {
        return None;
    }
    let end = record.str(Key::UrlFull).and_then(endpoint)?;
    record.str(Key::Peer).is_some_and(|peer| peer == end || peer == address::split_port(end).0).then_some(end)
}

/// Host and port of a URL of the web.
fn endpoint(url: &str) -> Option<&str> {
    (url.starts_with("http://") || url.starts_with("https://")).then(|| address::of_url(url))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Origin, SourceId};

    #[test]
    fn versions_of_services() {
        for (body, want) in [
            ("booking 4.3.0 starting on 10.0.0.3:8080", Some("4.3.0")),
            ("Starting ShopApplication v2.8.0-rc1 using Java 17.0.9", Some("v2.8.0-rc1")),
            ("Starting ShopApplication using Java 17.0.9 with PID 1", None),
            ("Starting Servlet engine: [Apache Tomcat/10.1.16]", None),
            ("Started release 4.3.0.", Some("4.3.0")),
            ("server listening on 10.0.0.3", None),
            ("listening on 10.0.0.3:8080", None),
            ("order 4.3.0 stored", None),
        ] {
            let record = Record::new(body, Origin::default());
            assert_eq!(version(&record, is_start(&record)), want, "{body}");
        }
        assert_eq!(endpoint("http://10.44.65.99:8080/latest?base=EUR"), Some("10.44.65.99:8080"));
        assert_eq!((endpoint("https://rates.example"), endpoint("/latest"), endpoint("httpx://a/")), (Some("rates.example"), None, None));
        assert_eq!(endpoint("http://shop:secret@10.0.0.5:8080/x"), Some("10.0.0.5:8080"));
    }

    #[test]
    fn told_in_parts_is_told_whole() {
        let told = [(1, 5, 7u32), (2, 18, 7), (1, 33, 9), (1, 36, 9), (1, 36, 4)];
        let tell = |some: &[(NameId, i64, u32)]| {
            let mut services = Services::default();
            for (version, second, line) in some {
                let origin = Origin { source: SourceId(0), line: u64::from(*line), lines: 1, offset: 0, length: 1 };
                let stamp = Stamp::explicit(second * NANOS, 0, 0);
                services.version(*version, &Record::new("", origin), &stamp, (3, 4));
                services.call((5, second * 1_000_000), &Record::new("", origin), &stamp, (3, 4));
            }
            services
        };
        let shown = |services: Services| {
            let mut all: Vec<_> = services.gauges().map(|g| (g.counter, g.nanos / NANOS, g.line, g.of, g.value as u64, g.count)).collect();
            all.sort_unstable();
            all
        };
        let mut parts = tell(&[told[0], told[3], told[4]]);
        parts.merge(tell(&[told[1], told[2]]), &|name| name);
        assert_eq!(shown(parts), shown(tell(&told)));
        let versions: Vec<_> =
            shown(tell(&told)).into_iter().filter(|row| row.0 == Counter::Version).map(|row| (row.1, row.2, row.3)).collect();
        assert_eq!(versions, [(5, 7, 1), (18, 7, 2), (33, 9, 1)]);
    }
}
