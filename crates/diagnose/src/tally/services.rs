//! What services say of themselves and of those they call: their version, and how long a call took.

use super::gauges::{Counter, Gauge};
use super::{Gathered, Pair};
use crate::names::NameId;
use rustc_hash::FxHashMap;
use whyline_event::{Key, Record, Stamp, Value, address};

/// Lines longer than this are no line of a start.
const LONGEST: usize = 300;

/// The version that a record tells of its service: a field, or a word of a line that says that it starts or listens.
fn version<'r>(record: &'r Record<'_>) -> Option<&'r str> {
    if let Some(version) = record.str(Key::ServiceVersion) {
        return Some(version);
    }
    let body = record.body;
    if body.len() > LONGEST || !["tarting", "tarted", "istening"].iter().any(|word| body.contains(word)) {
        return None;
    }
    body.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '/' | '@' | '"')).find(|word| is_version(word))
}

/// Whether a word is a version: three numbers with dots, more behind them or not, and no address.
fn is_version(word: &str) -> bool {
    let mut parts = word.strip_prefix('v').unwrap_or(word).splitn(3, '.');
    let is_number = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    let two = parts.next().is_some_and(is_number) && parts.next().is_some_and(is_number);
    let third = parts.next().unwrap_or("");
    two && third.starts_with(|c: char| c.is_ascii_digit()) && address::ip(address::split_port(word).0).is_none() && word.len() <= 40
}

/// Versions that were met last, by source and service.
pub(super) type Versions = FxHashMap<(u32, NameId), NameId>;

/// Adds the version of a service where it is not the one that was met last.
pub(super) fn version_of(record: &Record<'_>, stamp: &Stamp, (host, service): (NameId, NameId), last: &mut Versions, all: &mut Gathered) {
    let Some(version) = version(record) else { return };
    let of = all.names.id(version);
    if last.insert((record.origin.source.0, service), of) != Some(of) {
        all.gauges.push(gauge(record, stamp, (host, service), (Counter::Version, of, 0.0)));
    }
}

/// Adds a call to another service that a record tells of with its duration.
pub(super) fn call(record: &Record<'_>, stamp: &Stamp, (host, service): (NameId, NameId), all: &mut Gathered) {
    if !record.fields.may_have(Key::Duration) || crate::entity::of_format(record.format).is_some() {
        return;
    }
    let Some(Value::Duration(nanos)) = record.last(Key::Duration) else { return };
    let Some(end) = record.str(Key::Peer).or_else(|| record.str(Key::UrlFull).and_then(endpoint)) else { return };
    let of = all.names.id(end);
    *all.pairs.entry(Pair { host, service, peer: of }).or_default() += 1;
    all.gauges.push(gauge(record, stamp, (host, service), (Counter::Call, of, nanos as f64 / 1e6)));
}

/// Host and port of a URL.
fn endpoint(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http").and_then(|rest| rest.strip_prefix("s").unwrap_or(rest).strip_prefix("://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.get(..end).filter(|end| !end.is_empty())
}

fn gauge(record: &Record<'_>, stamp: &Stamp, (host, service): (NameId, NameId), (counter, of, value): (Counter, NameId, f64)) -> Gauge {
    let line = u32::try_from(record.origin.line).unwrap_or(u32::MAX);
    let source = record.origin.source.0;
    Gauge { source, line, form: stamp.form, nanos: stamp.nanos, host, service, counter, of, value, is_growth: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    #[test]
    fn versions_of_services() {
        for (body, want) in [
            ("booking 4.3.0 starting on 10.0.0.3:8080", Some("4.3.0")),
            ("Starting ShopApplication v2.8.0-rc1 using Java 17.0.9", Some("v2.8.0-rc1")),
            ("server listening on 10.0.0.3", None),
            ("listening on 10.0.0.3:8080", None),
            ("order 4.3.0 stored", None),
        ] {
            assert_eq!(version(&Record::new(body, Origin::default())), want, "{body}");
        }
        assert_eq!(endpoint("http://10.44.65.99:8080/latest?base=EUR"), Some("10.44.65.99:8080"));
        assert_eq!((endpoint("https://rates.example"), endpoint("/latest"), endpoint("httpx://a/")), (Some("rates.example"), None, None));
    }
}
