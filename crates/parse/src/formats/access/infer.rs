//! What the columns behind the status mean, by their shape and by what is consistent over many lines.
//!
//! Nobody names the columns in an access log, but few things are worth a column: sizes, the referrer and the user agent,
//! durations, upstreams and their statuses, ids. Durations tell each other apart by their order: the time of a request is at
//! least that of its upstream, a connection stands before the header and the header before the end of the answer.

use super::meaning::{Meaning, Unit, elements, is_status};
use super::token::{Kind, Token};
use whyline_event::{Key, Value, address};

/// The columns of one line behind the request, without status and time.
pub struct Row<'a> {
    /// The columns; those with a key are only counted.
    pub columns: Vec<Token<'a>>,
    /// The status of the line.
    pub status: &'a str,
}

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    None,
    Int,
    Float,
    Address,
    Ips,
    Url,
    Unit,
    Hex,
    Word,
    Text,
}

/// A column over all lines.
struct Column {
    shape: Shape,
    kind: Kind,
    /// In some lines there is none.
    gaps: bool,
    keyed: bool,
}

/// The meaning of each column. Columns with a key mean [`Meaning::Nothing`] here, since their key says more.
pub fn tail(rows: &[Row<'_>]) -> Vec<Meaning> {
    let width = usual_width(rows);
    let rows: Vec<&Row<'_>> = rows.iter().filter(|row| visible(row) == width).collect();
    let columns: Vec<Column> = (0..width).map(|at| column(&rows, at)).collect();
    let mut found = vec![Meaning::Nothing; width];
    sizes(&columns, &mut found);
    quoted_text(&rows, &columns, &mut found);
    upstreams(&rows, &columns, &mut found);
    durations(&rows, &columns, &mut found);
    names(&rows, &columns, &mut found);
    whole_number_times(&rows, &columns, &mut found);
    found
}

/// How many columns count: a user agent without quotes takes the rest of the line.
fn visible(row: &Row<'_>) -> usize {
    row.columns.iter().position(is_bare_agent).map_or(row.columns.len(), |at| at + 1)
}

fn usual_width(rows: &[Row<'_>]) -> usize {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for width in rows.iter().map(visible) {
        match counts.iter_mut().find(|(w, _)| *w == width) {
            Some((_, n)) => *n += 1,
            None => counts.push((width, 1)),
        }
    }
    counts.iter().max_by_key(|(width, n)| (*n, *width)).map_or(0, |(width, _)| *width)
}

/// Whether a column begins a user agent that is written without quotes.
pub fn is_bare_agent(token: &Token<'_>) -> bool {
    token.kind == Kind::Bare && token.key.is_empty() && is_product(token.text)
}

/// `Mozilla/5.0`, `curl/8.1`.
fn is_product(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or(text);
    word.split_once('/').is_some_and(|(name, version)| {
        name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && version.bytes().next().is_some_and(|b| b.is_ascii_digit())
    })
}

fn shape(text: &str) -> Shape {
    let all = |test: fn(&str) -> bool| elements(text).all(test);
    if elements(text).next().is_none() {
        Shape::None
    } else if all(|t| t.bytes().all(|b| b.is_ascii_digit())) {
        Shape::Int
    } else if all(|t| Value::seconds(t).is_some()) {
        Shape::Float
    } else if all(is_endpoint) {
        Shape::Address
    } else if all(|t| address::ip(t).is_some()) {
        Shape::Ips
    } else if text.contains("://") || text.starts_with('/') {
        Shape::Url
    } else if text.starts_with(|c: char| c.is_ascii_digit()) && Value::duration(text).is_some() {
        Shape::Unit
    } else if is_id(text) {
        Shape::Hex
    } else if text.contains([' ', '/', '(']) {
        Shape::Text
    } else {
        Shape::Word
    }
}

/// `10.0.0.3:80`, `unix:/run/x`, `api.internal:8080`.
pub fn is_endpoint(text: &str) -> bool {
    text.starts_with("unix:/")
        || address::is_ip_port(text)
        || matches!(address::split_port(text), (host, Some(_)) if address::is_host_name(host))
}

/// Whether a text looks made by a generator of ids: hexadecimal, long, with or without dashes.
pub fn is_id(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    digits >= 8
        && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        && !text.starts_with('-')
        && (digits >= 16 || text.bytes().any(|b| b.is_ascii_alphabetic()) && text.bytes().any(|b| b.is_ascii_digit()))
}

fn cell<'a>(row: &Row<'a>, at: usize) -> Token<'a> {
    row.columns.get(at).copied().unwrap_or_default()
}

fn column(rows: &[&Row<'_>], at: usize) -> Column {
    let mut counts = [0usize; 10];
    let (mut gaps, mut keyed, mut kind) = (false, false, Kind::Bare);
    for row in rows {
        let token = cell(row, at);
        let shape = shape(token.text);
        gaps |= shape == Shape::None;
        keyed |= !token.key.is_empty();
        kind = token.kind;
        if let Some(n) = counts.get_mut(shape as usize) {
            *n += 1;
        }
    }
    // Numbers with and without a fraction are numbers with a fraction; all else goes by the majority.
    let of = |shape: Shape| counts.get(shape as usize).copied().unwrap_or(0);
    let known = [Shape::Int, Shape::Float, Shape::Address, Shape::Ips, Shape::Url, Shape::Unit, Shape::Hex, Shape::Word, Shape::Text];
    let mut shape = known.into_iter().max_by_key(|s| of(*s)).filter(|s| of(*s) > 0).unwrap_or(Shape::None);
    if shape == Shape::Int && of(Shape::Float) > 0 {
        shape = Shape::Float;
    }
    Column { shape, kind, gaps, keyed }
}

/// The first number behind the status is the size of the answer.
fn sizes(columns: &[Column], found: &mut [Meaning]) {
    if let (Some(first), Some(place)) = (columns.first(), found.first_mut())
        && first.kind == Kind::Bare
        && !first.keyed
        && matches!(first.shape, Shape::Int | Shape::None)
    {
        *place = Meaning::Ints(Key::ResponseBytes);
    }
}

/// Referrer, user agent and the addresses in front of the client.
fn quoted_text(rows: &[&Row<'_>], columns: &[Column], found: &mut [Meaning]) {
    let texts: Vec<usize> = columns
        .iter()
        .enumerate()
        .filter(|(_, c)| {
            c.kind == Kind::Quoted
                && !c.keyed
                && matches!(c.shape, Shape::Url | Shape::Text | Shape::Word | Shape::None | Shape::Ips | Shape::Hex)
        })
        .map(|(at, _)| at)
        .collect();
    let agent = |at: usize| rows.iter().filter(|row| is_product(cell(row, at).text)).count() * 2 >= rows.len().max(1);
    let shape = |at: usize| columns.get(at).map_or(Shape::None, |c| c.shape);
    let mut set = |at: usize, meaning: Meaning| {
        if let Some(place) = found.get_mut(at) {
            *place = meaning;
        }
    };
    let mut rest = texts.as_slice();
    match texts.as_slice() {
        [only] if agent(*only) => set(*only, Meaning::Text(Key::UserAgent)),
        [only] => set(*only, if shape(*only) == Shape::Ips { Meaning::Forwarded } else { Meaning::Text(Key::Referer) }),
        [first, second, ..] => {
            let swapped = agent(*first) && !agent(*second) && matches!(shape(*second), Shape::Url | Shape::None);
            set(*first, Meaning::Text(if swapped { Key::UserAgent } else { Key::Referer }));
            set(*second, Meaning::Text(if swapped { Key::Referer } else { Key::UserAgent }));
            rest = texts.get(2..).unwrap_or(&[]);
        }
        [] => {}
    }
    if texts.len() > 2
        && let Some(third) =
            rest.iter().find(|at| matches!(shape(**at), Shape::Ips)).or(rest.first().filter(|at| shape(**at) == Shape::None))
    {
        set(*third, Meaning::Forwarded);
    }
    for (at, column) in columns.iter().enumerate() {
        if column.kind == Kind::Bare && rows.iter().any(|row| is_bare_agent(&cell(row, at))) {
            set(at, Meaning::Text(Key::UserAgent));
        }
    }
}

fn is_free(columns: &[Column], found: &[Meaning], at: usize) -> bool {
    columns.get(at).is_some_and(|c| !c.keyed) && found.get(at) == Some(&Meaning::Nothing)
}

/// Upstreams by their addresses, and the statuses beside them.
fn upstreams(rows: &[&Row<'_>], columns: &[Column], found: &mut [Meaning]) {
    let is_upstream = |c: &Column| !c.keyed && (c.shape == Shape::Address || c.shape == Shape::Url && c.kind == Kind::Quoted);
    let free = |found: &[Meaning], at: usize| is_free(columns, found, at);
    let place = (0..columns.len()).find(|at| free(found, *at) && columns.get(*at).is_some_and(is_upstream));
    if let Some(at) = place {
        found[at] = Meaning::Upstreams;
    }
    let statuses: Vec<usize> = (0..columns.len())
        .filter(|at| free(found, *at) && columns.get(*at).is_some_and(|c| c.shape == Shape::Int))
        .filter(|at| rows.iter().all(|row| elements(cell(row, *at).text).all(is_status)))
        .collect();
    let agrees = |at: usize| {
        let told: Vec<bool> = rows.iter().filter_map(|row| elements(cell(row, at).text).last().map(|last| last == row.status)).collect();
        told.iter().filter(|same| **same).count() * 2 > told.len()
    };
    let gaps = |at: usize| columns.get(at).is_some_and(|c| c.gaps);
    if let Some(at) = statuses.iter().copied().find(|at| agrees(*at) && (place.is_some() || gaps(*at) || rows.len() > 1)) {
        found[at] = Meaning::Ints(Key::UpstreamStatus);
    }
}

fn nanos(text: &str) -> Option<i64> {
    let mut sum = None;
    for element in elements(text) {
        if let Some(Value::Duration(n)) = Value::seconds(element) {
            sum = Some(sum.unwrap_or(0) + n);
        }
    }
    sum
}

/// The number of digits behind the dot of the column's first number.
fn decimals(rows: &[&Row<'_>], at: usize) -> usize {
    let first = rows.iter().find_map(|row| elements(cell(row, at).text).next().map(str::to_string));
    first.and_then(|t| t.split_once('.').map(|(_, part)| part.len())).unwrap_or(0)
}

/// Durations in seconds with a fraction, and durations with a unit.
fn durations(rows: &[&Row<'_>], columns: &[Column], found: &mut [Meaning]) {
    let of = |shape: Shape, found: &[Meaning]| -> Vec<usize> {
        (0..columns.len()).filter(|at| is_free(columns, found, *at) && columns.get(*at).is_some_and(|c| c.shape == shape)).collect()
    };
    if let Some(at) = of(Shape::Unit, found).first() {
        found[*at] = Meaning::Took(Key::Duration, Unit::Guess);
    }
    let mut times = of(Shape::Float, found);
    // A ratio (gzip) has two digits where times have three or more.
    if times.iter().any(|at| decimals(rows, *at) >= 3) {
        times.retain(|at| decimals(rows, *at) >= 3);
    }
    if times.is_empty() {
        return;
    }
    let total = |at: usize| -> i64 { rows.iter().filter_map(|row| nanos(cell(row, at).text)).fold(0, i64::saturating_add) };
    let gaps = |at: usize| columns.get(at).is_some_and(|c| c.gaps);
    let upstream_here = found.contains(&Meaning::Upstreams);
    // The clock of a server ticks in milliseconds, and it may tick between two readings.
    let slack = 2_000_000 * rows.len() as i64;
    let most = times.iter().map(|at| total(*at)).max().unwrap_or(0);
    let taken = found.contains(&Meaning::Took(Key::Duration, Unit::Guess));
    let request = times.iter().copied().find(|at| !gaps(*at) && total(*at) + slack >= most && !taken);
    let request = request.or_else(|| times.iter().copied().find(|at| !gaps(*at) && !taken && (times.len() == 1 || !upstream_here)));
    if let Some(at) = request {
        found[at] = Meaning::Took(Key::Duration, Unit::Seconds);
        times.retain(|other| *other != at);
    }
    let took = |key| Meaning::Took(key, Unit::Seconds);
    times.sort_by_key(|at| (total(*at), *at));
    match times.as_slice() {
        [one] => found[*one] = took(Key::UpstreamDuration),
        [connect, response] => {
            let header = total(*connect) * 2 > total(*response) && total(*connect) > 0;
            found[*connect] = took(if header { Key::UpstreamHeader } else { Key::UpstreamConnect });
            found[*response] = took(Key::UpstreamDuration);
        }
        [connect, header, response, ..] => {
            found[*connect] = took(Key::UpstreamConnect);
            found[*header] = took(Key::UpstreamHeader);
            found[*response] = took(Key::UpstreamDuration);
        }
        [] => {}
    }
}

/// Ids, caches, protocols, servers, groups of upstreams.
fn names(rows: &[&Row<'_>], columns: &[Column], found: &mut [Meaning]) {
    let first_text = |at: usize| rows.iter().map(|row| cell(row, at).text).find(|t| elements(t).next().is_some()).unwrap_or("");
    for at in 0..columns.len() {
        let Some(column) = columns.get(at).filter(|_| is_free(columns, found, at)) else { continue };
        let text = first_text(at);
        let meaning = match column.shape {
            Shape::Hex if is_unique(rows, at) => Meaning::Text(Key::RequestId),
            Shape::Word if is_cache_word(text) => Meaning::Text(Key::CacheStatus),
            Shape::Word if text.starts_with("TLSv") || text.starts_with("SSLv") => Meaning::Text(Key::TlsVersion),
            Shape::Text if text.starts_with("HTTP/") => Meaning::Protocol,
            Shape::Word if column.kind == Kind::Bracketed => Meaning::Text(Key::UpstreamName),
            Shape::Word if text.contains('.') && address::is_host_name(text) => Meaning::Server,
            Shape::Ips => Meaning::Forwarded,
            _ => continue,
        };
        if !found.contains(&meaning) {
            found[at] = meaning;
        }
    }
}

fn is_unique(rows: &[&Row<'_>], at: usize) -> bool {
    let mut seen = rustc_hash::FxHashSet::default();
    let all = rows.iter().map(|row| cell(row, at).text).filter(|t| elements(t).next().is_some());
    let (mut count, mut fresh) = (0usize, 0usize);
    for text in all {
        count += 1;
        fresh += usize::from(seen.insert(text));
    }
    // Retries and internal redirects may share an id.
    fresh * 10 >= count * 9
}

fn is_cache_word(text: &str) -> bool {
    matches!(text, "HIT" | "MISS" | "BYPASS" | "EXPIRED" | "STALE" | "UPDATING" | "REVALIDATED" | "SCARCE" | "hit" | "miss" | "pass")
}

/// So large are the heads of an answer at the most, mostly (nginx: large_client_header_buffers, Apache: LimitRequestFieldSize).
const HEADS: i64 = 8192;

/// Whole numbers as durations: only where nothing else is one, over enough lines, and when they are not a size.
fn whole_number_times(rows: &[&Row<'_>], columns: &[Column], found: &mut [Meaning]) {
    let has_time = found.iter().any(|m| matches!(m, Meaning::Took(Key::Duration, _)));
    if has_time || rows.len() < 5 {
        return;
    }
    let number = |row: &Row<'_>, at: usize| cell(row, at).text.parse::<i64>().ok();
    for at in (1..columns.len()).rev() {
        if !is_free(columns, found, at) || columns.get(at).is_none_or(|c| c.shape != Shape::Int || c.kind != Kind::Bare) {
            continue;
        }
        let mut values: Vec<i64> = rows.iter().filter_map(|row| number(row, at)).collect();
        values.sort_unstable();
        let (Some(least), Some(most)) = (values.first().copied(), values.last().copied()) else { continue };
        // A size with the heads lies close above that of the body, a time does not.
        let larger_than_body = rows.iter().all(|row| match (number(row, 0), number(row, at)) {
            (Some(body), Some(value)) => (body..=body.saturating_add(HEADS)).contains(&value),
            _ => true,
        });
        let rising = rows.windows(2).all(|pair| match pair {
            [a, b] => number(a, at) <= number(b, at),
            _ => true,
        });
        if least == most || larger_than_body && least > 0 || rising {
            continue;
        }
        // Nothing is answered over a network in less than some ten microseconds, and much in less than a millisecond.
        found[at] = Meaning::Took(Key::Duration, if least >= 50 { Unit::Micros } else { Unit::Millis });
        return;
    }
}
