//! Which fields a query can name, and what comparing with them means.

use std::fmt;
use whyline_event::{Key, Kind, Name, Record};

/// What a query asks: a field of the table, a field that only its writer knows, or a part of the record itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// `format`: name of the innermost format.
    Format,
    /// `source`: path of the source.
    Source,
    /// `level`: how severe, by `severity_text` or by the word as written.
    Level,
    /// `body`: the message for people.
    Body,
    /// `raw`: the whole record as it stands in its source.
    Raw,
    /// `line`: number of the first line.
    Line,
    /// A field of the table.
    Key(Key),
    /// A field under a name of its writer's own. The name is compared as written.
    Other(String),
    /// A field of the table or, in records without it, what their writer calls by the short name that was asked: a `path` that is no
    /// path of a request. Only pipes ask so; in a query both are asked.
    Either(Key, String),
}

/// Names of the parts of a record, the full name first.
const PARTS: &[(Target, &[&str])] = &[
    (Target::Format, &["format"]),
    (Target::Source, &["source", "log.file.path"]),
    (Target::Level, &["level", "severity_text", "severity"]),
    (Target::Body, &["body", "msg", "message"]),
    (Target::Raw, &["raw", "text", "event.original"]),
    (Target::Line, &["line"]),
];

/// Names by which the time of an event is asked.
pub(crate) const TIMES: &[&str] = &["time", "timestamp", "@timestamp"];

impl Target {
    /// What a name means in a query.
    pub fn find(name: &str) -> Target {
        for (target, names) in PARTS {
            if names.contains(&name) {
                return target.clone();
            }
        }
        Key::find(name).map_or_else(|| Target::Other(name.to_string()), Target::Key)
    }

    /// What else people mean by a short name of a field of the table: what a writer calls so, or, of an `error`, its message.
    pub(crate) fn own_name(&self, name: &str) -> Option<Target> {
        match self {
            Target::Key(_) if name == "error" => Some(Target::Key(Key::ExceptionMessage)),
            Target::Key(key) if key.name() != name => Some(Target::Other(name.to_string())),
            _ => None,
        }
    }

    /// What a name means in a pipe.
    pub fn find_either(name: &str) -> Target {
        match Target::find(name) {
            // A record without a host has that of its source.
            Target::Key(key) if key.name() != name && key != Key::HostName => Target::Either(key, name.to_string()),
            target => target,
        }
    }

    /// The full name.
    pub fn name(&self) -> &str {
        match self {
            Target::Format => "format",
            Target::Source => "source",
            Target::Level => "level",
            Target::Body => "body",
            Target::Raw => "raw",
            Target::Line => "line",
            Target::Key(key) | Target::Either(key, _) => key.name(),
            Target::Other(name) => name,
        }
    }

    /// The name of the record's field, unless the target is a part of the record itself; of either field the one that goes first.
    pub fn field(&self) -> Option<Name<'_>> {
        match self {
            Target::Key(key) | Target::Either(key, _) => Some(Name::Known(*key)),
            Target::Other(name) => Some(Name::Other(name)),
            _ => None,
        }
    }

    /// How values are compared.
    pub fn sense(&self) -> Sense {
        match self {
            Target::Format | Target::Source | Target::Other(_) => Sense::Whole,
            Target::Level => Sense::Level,
            Target::Body | Target::Raw => Sense::Words,
            Target::Line => Sense::Number,
            Target::Key(key) | Target::Either(key, _) => match key.kind() {
                Kind::Text => Sense::Words,
                Kind::Keyword => Sense::Whole,
                Kind::Address => Sense::Address,
                Kind::Int | Kind::Number => Sense::Number,
                Kind::Duration => Sense::Duration,
                Kind::Bytes => Sense::Bytes,
            },
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the values of a field are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sense {
    /// Words in a row, anywhere inside.
    Words,
    /// The whole value: text folding case, numbers as numbers, and an address of the query as an address.
    Whole,
    /// An address; without a port in the query any port fits.
    Address,
    /// A number.
    Number,
    /// A length of time; a number without unit means seconds.
    Duration,
    /// A number of bytes.
    Bytes,
    /// A severity.
    Level,
}

impl Sense {
    /// Whether values are numbers first of all.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Sense::Number | Sense::Duration | Sense::Bytes)
    }

    /// What values are, in the words of an error.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Sense::Words => "text",
            Sense::Whole => "a name",
            Sense::Address => "an address",
            Sense::Number => "a number",
            Sense::Duration => "a length of time",
            Sense::Bytes => "a number of bytes",
            Sense::Level => "a level",
        }
    }
}

/// The known name that a misspelt one was probably meant to be.
pub fn suggest(name: &str) -> Option<&'static str> {
    let parts = PARTS.iter().flat_map(|(_, names)| names.iter().copied());
    let keys = Key::ALL.iter().flat_map(|key| std::iter::once(key.name()).chain(key.aliases().iter().copied()));
    nearest(&name.to_ascii_lowercase(), parts.chain(keys))
}

/// The nearest of some names, if it is near enough to have been meant.
pub(crate) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let allowed = if name.len() <= 4 { 1 } else { 2 };
    known
        .filter(|known| known.len().abs_diff(name.len()) <= allowed)
        .map(|known| (distance(name, known), known))
        .filter(|(steps, known)| *steps <= allowed && *steps < known.len())
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, known)| known)
}

/// Number of letters to add, drop, change or swap with their neighbour to make one name of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// Fields that only speak of an HTTP exchange. A rule that names one of them speaks of access records.
const HTTP_FIELDS: &[Key] = &[
    Key::Method,
    Key::Status,
    Key::Path,
    Key::UrlQuery,
    Key::UrlFull,
    Key::UserAgent,
    Key::Referer,
    Key::HttpVersion,
    Key::RequestBytes,
    Key::ResponseBytes,
    Key::ForwardedFor,
    Key::CacheStatus,
    Key::UpstreamStatus,
    Key::Termination,
];

/// Whether a field speaks of an HTTP exchange only.
pub(crate) fn is_http(key: Key) -> bool {
    HTTP_FIELDS.contains(&key)
}

/// Whether a format writes one record for every request, with text that comes from strangers.
pub fn is_access_format(format: &str) -> bool {
    format.ends_with(".access")
        || matches!(
            format,
            "haproxy.http"
                | "haproxy.tcp"
                | "haproxy.custom"
                | "aws.alb"
                | "aws.elb"
                | "aws.cloudfront"
                | "aws.s3"
                | "cloudflare"
                | "iis.error"
        )
}

/// Whether a record of a format tells of one request, its text coming from strangers. Of some formats those do that have a status and a method;
/// of JSON those of which the body, too, is no message, but the whole object.
pub fn tells_of_request(format: &str, has: impl Fn(Key) -> bool, is_whole: impl Fn() -> bool) -> bool {
    let perhaps = || {
        format.ends_with("access") || matches!(format, "traefik" | "uwsgi" | "puma" | "django.runserver") || format == "json" && is_whole()
    };
    is_access_format(format) || has(Key::Status) && has(Key::Method) && perhaps()
}

/// Whether a record tells of one request, its text coming from strangers.
pub fn is_access(record: &Record<'_>) -> bool {
    tells_of_request(record.format, |key| record.has(key), || record.body.len() == record.text.len())
}

/// Whether what stands in a field was written by whoever sent a request, wherever that field is logged.
pub fn is_of_stranger(name: Name<'_>) -> bool {
    match name {
        Name::Known(key) => matches!(key, Key::UserAgent | Key::Referer),
        Name::Other(name) => ["req.", "request.", "httpRequest.", "http.request."].iter().any(|prefix| name.starts_with(prefix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts_and_keys_differ() {
        for name in PARTS.iter().flat_map(|(_, names)| names.iter()) {
            assert_eq!(Key::find(name), None, "{name}");
        }
        assert_eq!(Target::find("upstream"), Target::Key(Key::UpstreamAddress));
        assert_eq!(Target::find("msg"), Target::Body);
        assert_eq!(Target::find("order.id"), Target::Other("order.id".into()));
        assert_eq!(Target::find_either("path"), Target::Either(Key::Path, "path".into()));
        assert_eq!(Target::find_either("url.path"), Target::Key(Key::Path));
    }

    #[test]
    fn misspelt_names() {
        assert_eq!(suggest("stauts"), Some("status"));
        assert_eq!(suggest("Status"), Some("status"));
        assert_eq!(suggest("upsteam"), Some("upstream"));
        assert_eq!(suggest("fromat"), Some("format"));
        assert_eq!(suggest("order.id"), None);
        assert_eq!(suggest("x"), None);
    }
}
