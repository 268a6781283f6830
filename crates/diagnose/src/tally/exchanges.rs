//! From a record to the request that it tells of.

use super::fields::{Fields, text};
use crate::names::{NONE, NameId, Names};
use crate::requests::Exchange;
use std::hash::Hasher;
use whyline_event::{Key, Name, Record, Stamp, Value, address};

/// Longest user agent that is told from others, in characters.
const AGENT: usize = 80;

/// Working memory.
#[derive(Default)]
pub(super) struct Exchanges {
    masked: String,
    joined: String,
}

impl Exchanges {
    /// The request that a record tells of.
    pub(super) fn of(
        &mut self,
        record: &Record<'_>,
        fields: &Fields<'_, '_>,
        stamp: &Stamp,
        (host, service): (NameId, NameId),
        names: &mut Names,
    ) -> Option<Exchange> {
        let status = status(record, fields.get(Key::Status)?)?;
        // Caddy logs a request that fails twice: why, and beside it the request.
        if record.format == "caddy" && record.str(Key::Logger).is_some_and(|logger| logger.starts_with("http.log.error")) {
            return None;
        }
        let access = whyline_query::is_access(record);
        let path = fields.text(Key::Path);
        if path.is_none() && !access {
            return None;
        }
        let method = fields.text(Key::Method).unwrap_or("");
        let micros = |value: Option<Value<'_>>| match value {
            Some(Value::Duration(ns)) => u32::try_from(ns / 1000).unwrap_or(u32::MAX - 1),
            _ => u32::MAX,
        };
        let mut duration = micros(fields.get(Key::Duration));
        if duration == u32::MAX {
            duration = micros(fields.get(Key::UpstreamDuration));
        }
        let queue = micros(waited(record, fields.get(Key::QueueDuration)));
        let server = match (fields.text(Key::UpstreamName), fields.text(Key::UpstreamServer)) {
            (Some(group), Some(server)) if !server.starts_with('<') => {
                self.joined.clear();
                self.joined.extend([group, "/", server]);
                names.id(&self.joined)
            }
            (Some(group), _) => names.id(group),
            _ => NONE,
        };
        let termination = fields.text(Key::Termination).map_or([b'-', b'-'], |t| {
            let b = t.as_bytes();
            [b.first().copied().unwrap_or(b'-'), b.get(1).copied().unwrap_or(b'-')]
        });
        let exact = {
            let mut h = hash(path.unwrap_or("")) ^ hash(method).rotate_left(7);
            if let Some(query) = fields.text(Key::UrlQuery) {
                h ^= hash(query).rotate_left(21);
            }
            h
        };
        let client = fields.text(Key::ClientAddress).map_or("", |c| address::split_port(c).0);
        let agent = fields.text(Key::UserAgent).map_or("", beginning);
        self.mask(method, path.unwrap_or("?"));
        let [client, path, upstream, agent] =
            names.ids([client, &self.masked, text(record.last(Key::UpstreamAddress)).unwrap_or(""), agent]);
        Some(Exchange {
            source: record.origin.source.0,
            line: u32::try_from(record.origin.line).unwrap_or(u32::MAX),
            form: stamp.form,
            millis: stamp.nanos.div_euclid(1_000_000),
            is_start: record.values(Name::Other("time.is_start")).next() == Some(Value::Bool(true)) || is_stamped_at_start(record.format),
            access,
            inherited: record.inherited,
            micros: duration,
            queue: if queue == u32::MAX { 0 } else { queue },
            status,
            upstream_status: record.last(Key::UpstreamStatus).and_then(|v| v.as_int()).map_or(0, |s| s as u16),
            client,
            path,
            upstream,
            server,
            agent,
            host,
            service,
            termination,
            id: fields.text(Key::RequestId).or_else(|| fields.text(Key::TraceId)).map_or(0, hash),
            exact: (exact >> 32) as u32,
        })
    }

    /// Method and path, masked.
    pub(super) fn path(&mut self, method: &str, path: &str, names: &mut Names) -> NameId {
        self.mask(method, path);
        names.id(&self.masked)
    }

    fn mask(&mut self, method: &str, path: &str) {
        self.masked.clear();
        self.masked.push_str(method);
        self.masked.push(' ');
        mask(path, &mut self.masked);
    }
}

/// The status of a request. Envoy (flag DC) and Squid (`TCP_MISS_ABORTED`, `LogTags.cc`) write 0 where the client left before the answer; nginx
/// has 499 for that.
fn status(record: &Record<'_>, written: Value<'_>) -> Option<u16> {
    let flags = || record.values(Name::Other("envoy.response_flags")).find_map(|flags| flags.as_str());
    let is_aborted = || record.str(Key::CacheStatus).is_some_and(|tag| tag.starts_with("TCP_") && tag.ends_with("_ABORTED"));
    match written.as_int()? {
        0 if flags().is_some_and(|flags| flags.split(',').any(|flag| flag == "DC")) || is_aborted() => Some(499),
        status => u16::try_from(status).ok().filter(|status| (100..600).contains(status)),
    }
}

/// Whether requests of a format are stamped when they are received: Apache's `%t` (mod_log_config).
fn is_stamped_at_start(format: &str) -> bool {
    format == "apache.access"
}

/// The beginning of a user agent.
fn beginning(agent: &str) -> &str {
    match agent.get(..AGENT) {
        Some(begins) if begins.is_ascii() => begins,
        _ => agent.char_indices().nth(AGENT).and_then(|(at, _)| agent.get(..at)).unwrap_or(agent),
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish() | 1
}

/// Writes a path with what names a single thing masked: `/api/orders/17` becomes `/api/orders/*`. At most four parts.
pub fn mask(path: &str, into: &mut String) {
    let Some(mut slash) = path.bytes().position(|b| b == b'/') else { return into.push_str(path) };
    for count in 1..=PARTS {
        let part = Part::at(path, slash + 1);
        into.push('/');
        into.push_str(if part.names_one(count) { "*" } else { part.text });
        slash = part.end;
        if slash >= path.len() {
            return;
        }
    }
    into.push_str("/...");
}

/// So many parts of a path are told apart.
const PARTS: usize = 4;

/// What a capital letter counts, where a digit counts one; a path is shorter.
const CAPITAL: u64 = 1 << 32;

/// What each byte counts.
const COUNTS: [u64; 256] = {
    let mut counts = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let is = byte as u8;
        counts[byte] = if is.is_ascii_digit() {
            1
        } else if is.is_ascii_uppercase() {
            CAPITAL
        } else {
            0
        };
        byte += 1;
    }
    counts
};

/// What stands between two slashes of a path.
struct Part<'p> {
    text: &'p str,
    /// Where the slash behind it stands, or the path ends.
    end: usize,
    digits: usize,
    /// Capital letters.
    capitals: usize,
}

impl<'p> Part<'p> {
    /// The part that begins at `from`.
    fn at(path: &'p str, from: usize) -> Part<'p> {
        let (mut sum, mut end) = (0, from);
        for b in path.bytes().skip(from) {
            if b == b'/' {
                break;
            }
            sum += COUNTS.get(b as usize).copied().unwrap_or(0);
            end += 1;
        }
        let (digits, capitals) = (sum & (CAPITAL - 1), sum / CAPITAL);
        Part { text: path.get(from..end).unwrap_or(""), end, digits: digits as usize, capitals: capitals as usize }
    }

    /// Whether it names a single thing, as the so-manieth part.
    fn names_one(&self, count: usize) -> bool {
        let len = self.text.len();
        let version = len <= 3 && self.text.starts_with('v');
        let number = self.digits > 0 && self.digits * 3 >= len || self.digits >= 4 || len > 40;
        number && !version || count > 2 && len > 2 && self.capitals == len
    }
}

/// How long a request waited for a server. HAProxy counts whatever passed before the last attempt to connect, those in vain included
/// (src/backend.c, t_queue): of a request for which it tried more than once nobody knows how long it waited.
fn waited<'r>(record: &Record<'r>, told: Option<Value<'r>>) -> Option<Value<'r>> {
    let in_vain = || record.get(Key::Retries).and_then(|v| v.as_int()).is_some_and(|n| n > 0);
    told.filter(|_| !in_vain())
}

#[cfg(test)]
mod tests {
    use whyline_event::{Key, Origin, Record, Value};

    #[test]
    fn servers_that_do_not_answer_are_no_queue() {
        let told = Some(Value::Duration(4_002_000_000));
        let mut record = Record::new("", Origin::default());
        assert_eq!(super::waited(&record, told), told);
        record.put(Key::Retries, Value::Int(2));
        assert_eq!(super::waited(&record, told), None);
    }

    #[test]
    fn who_left_before_the_answer_gave_up() {
        for (written, flags, want) in [
            (0, "UH,DC", Some(499)),
            (0, "DC", Some(499)),
            (0, "UH", None),
            (0, "", None),
            (503, "DC", Some(503)),
            (600, "", None),
            (-1, "", None),
        ] {
            let mut record = Record::new("", Origin::default());
            if !flags.is_empty() {
                record.put_other("envoy.response_flags", Value::Str(flags));
            }
            assert_eq!(super::status(&record, Value::Int(written)), want, "{written} {flags}");
        }
    }

    #[test]
    fn masks() {
        for (path, want) in [
            ("/api/orders/17", "/api/orders/*"),
            ("/api/v1/items", "/api/v1/items"),
            ("/", "/"),
            ("/static/img/712.jpg", "/static/img/*"),
            ("/a/b/c/d/e", "/a/b/c/d/..."),
            ("/x/0b7c2f4e-1111", "/x/*"),
            ("", ""),
            ("?", "?"),
            ("*", "*"),
            ("//", "//"),
            ("/a/", "/a/"),
            ("/a/b/c/d", "/a/b/c/d"),
            ("/a/b/c/d/", "/a/b/c/d/..."),
            ("/a/EU/EUR/AB", "/a/EU/*/AB"),
            ("http://shop/orders/12", "//shop/orders/*"),
            ("/v12/v1234", "/v12/*"),
            ("/gr\u{fc}n/\u{e4}1", "/gr\u{fc}n/*"),
        ] {
            let mut out = String::new();
            super::mask(path, &mut out);
            assert_eq!(out, want);
        }
    }

    #[test]
    fn agents_are_cut_by_characters() {
        assert_eq!(super::beginning(&"a".repeat(100)).len(), 80);
        assert_eq!(super::beginning(&"\u{e9}".repeat(100)).chars().count(), 80);
        assert_eq!(super::beginning("curl/8.5"), "curl/8.5");
    }
}
