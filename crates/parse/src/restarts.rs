//! Restarts that two sources saw: systemd stops and starts a service, and the service says so in its own log; a proxy finds its backend
//! refusing, and the backend says that it shuts down. Without offsets in the stamps they tell in which zone a source is written.
//!
//! A restart has no name that both would write, so it is the pattern in time that must agree. By chance two patterns agree easily at
//! *some* offset. Zones are multiples of a quarter of an hour, which leaves some hundred offsets; the difference of a true pair is the same within
//! a few seconds (the time that the service takes to start). For two logs with ten restarts a day each, the chance that three pairs agree on
//! any of them is about one in ten thousand, that two do one in a hundred. Hence three restarts are asked for, half of those that
//! the quieter source saw, and that no other offset fits a third as many: what restarts every hour says nothing. Only sources of one
//! machine are compared, but for a proxy and its backend: machines that are restarted one after another would agree wrongly.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use whyline_event::stamp::NANOS;
use whyline_event::{Clock, Form, Key, Record, Stamp};

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A service was started.
    Start,
    /// It was stopped, or ended.
    Stop,
    /// Whoever called it was refused.
    Refused,
}

/// When something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// In milliseconds, as written.
    pub millis: i64,
    /// What the stamp leaves open.
    pub form: Form,
    /// What.
    pub kind: Kind,
}

/// Restarts that a source tells of: the earliest ones, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Restarts {
    marks: Vec<Mark>,
}

/// Marks of one source that are kept.
const MOST: usize = 400;
/// What lies closer together is one restart.
const ONE: i64 = 60_000;
/// Restarts that must agree.
const LEAST: usize = 3;
const QUARTER: i64 = 900_000;
/// A service starts and stops within this, a proxy notices within this.
const NEAR: i64 = 30_000;
/// Zones lie between -12 and +14 hours.
const MOST_QUARTERS: i64 = 14 * 4;

/// How a message begins with which a service says that it starts or has started.
const STARTS: &[&str] = &[
    "starting gunicorn",
    "listening at",
    "listening on",
    "started server process",
    "application startup complete",
    "server startup in",
    "tomcat started on port",
    "starting postgresql",
    "database system is ready to accept connections",
    "ready to accept connections",
    "redis is starting",
    "ooo0ooo0ooo0oo0oo redis is starting",
    "server initialized",
    "start worker processes",
    "server listening on",
    "server started",
    "waiting for connections",
    "mongodb starting",
    "ready for connections",
    "starting as process",
];
/// The same for one that stops.
const STOPS: &[&str] = &[
    "shutting down",
    "handling signal: term",
    "received fast shutdown request",
    "received smart shutdown request",
    "received immediate shutdown request",
    "database system is shut down",
    "user requested shutdown",
    "received sigterm",
    "received sigint",
    "sigterm received",
    "signal 15 (sigterm) received",
    "signal 3 (sigquit) received",
    "normal shutdown",
    "shutdown complete",
    "received shutdown signal",
    "stopping service [tomcat]",
    "finished server process",
];

/// For each first letter the second ones of the sentences, a bit a letter of the alphabet (others share the last bit).
const HEADS: [u32; 256] = {
    let mut heads = [0; 256];
    let lists = [STARTS, STOPS];
    let mut list = 0;
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            let text = lists[list][at].as_bytes();
            heads[text[0] as usize] |= letter(text[1]);
            at += 1;
        }
        list += 1;
    }
    heads
};

const fn letter(byte: u8) -> u32 {
    let at = byte.to_ascii_lowercase().wrapping_sub(b'a');
    1 << if at < 26 { at } else { 31 }
}

/// Whether a text has the first two letters of one of the sentences.
fn may_begin(text: &str) -> bool {
    let Some([first, second]) = text.as_bytes().first_chunk() else { return false };
    HEADS[usize::from(first.to_ascii_lowercase())] & letter(*second) != 0
}

/// The first four bytes, letters of either case alike.
#[inline]
fn head(text: &str) -> Option<u32> {
    text.as_bytes().first_chunk().map(|first| u32::from_le_bytes(*first) | 0x2020_2020)
}

/// What a record tells of a restart, if anything.
fn kind(record: &Record<'_>) -> Option<Kind> {
    if record.format.ends_with(".access") || record.is_snapshot() {
        return None;
    }
    let text = record.body;
    if record.str(Key::ProcessName) == Some("systemd") {
        return match record.str(Key::Action)? {
            // Sessions of users are no services.
            "started" if !text.starts_with("Started Session ") => Some(Kind::Start),
            "stopped" | "stopping" | "exited" | "oom-kill" => Some(Kind::Stop),
            _ => None,
        };
    }
    if text.starts_with("connect() failed (111: ") {
        return Some(Kind::Refused);
    }
    // `* Ready to accept connections` of Redis, `/usr/sbin/mysqld: ready for connections`.
    let text = text.trim_start_matches(['*', ' ', '#']);
    let text = if text.starts_with('/') { text.split_once(": ").map_or(text, |(_, rest)| rest) } else { text };
    if !may_begin(text) {
        return None;
    }
    // Most sentences show by their first letters that they are not the one.
    let first = head(text)?;
    let begins = |sentence: &str| {
        head(sentence) == Some(first) && text.get(..sentence.len()).is_some_and(|start| start.eq_ignore_ascii_case(sentence))
    };
    let own = |sentences: &[&str]| sentences.iter().any(|sentence| begins(sentence));
    let spring = || text.starts_with("Started ") && text.contains(" seconds (");
    if own(STARTS) || spring() {
        Some(Kind::Start)
    } else if own(STOPS) {
        Some(Kind::Stop)
    } else {
        None
    }
}

impl Restarts {
    /// Takes note of a record with its own stamp.
    pub fn record(&mut self, record: &Record<'_>, stamp: &Stamp) {
        if let Some(kind) = kind(record) {
            self.add(Mark { millis: stamp.nanos.div_euclid(NANOS / 1000), form: stamp.form, kind });
        }
    }

    fn add(&mut self, mark: Mark) {
        // Of many refusals in a row the first one counts; what came first is known only at the end.
        if let Some(last) = self.marks.last()
            && (last.form, last.kind) == (mark.form, mark.kind)
            && (0..1000).contains(&(mark.millis - last.millis))
        {
            return;
        }
        self.marks.push(mark);
        if self.marks.len() >= 4 * MOST {
            self.finish();
        }
    }

    /// Adds what another part of the source tells.
    pub fn merge(&mut self, other: Restarts) {
        self.marks.extend(other.marks);
        if self.marks.len() >= 4 * MOST {
            self.finish();
        }
    }

    /// Keeps the first mark of each run, and of those the earliest.
    pub fn finish(&mut self) {
        self.marks.sort_unstable();
        let mut last: BTreeMap<(Form, Kind), i64> = BTreeMap::new();
        self.marks.retain(|mark| {
            let before = last.insert((mark.form, mark.kind), mark.millis);
            before.is_none_or(|before| mark.millis - before >= ONE)
        });
        self.marks.truncate(MOST);
    }
}

/// On which offset two sources agree: how many quarters of an hour the first is ahead of the second, and how many restarts say so.
pub fn agree(a: (&Restarts, &Clock), b: (&Restarts, &Clock), same_host: bool) -> Option<(i64, usize)> {
    let (a, b) = (placed(a), placed(b));
    let own = offset(&a, &b, 2_000, |x, y| same_host && x == y && x != Kind::Refused);
    own.or_else(|| {
        let met = |x: Kind, y: Kind| matches!((x, y), (Kind::Refused, Kind::Stop) | (Kind::Stop, Kind::Refused));
        offset(&a, &b, 6_000, met)
    })
}

fn placed((restarts, clock): (&Restarts, &Clock)) -> Vec<(i64, Kind)> {
    let at = |m: &Mark| clock.instant(&Stamp { nanos: m.millis.saturating_mul(1_000_000), form: m.form, offset: None, digits: 3 });
    restarts.marks.iter().map(|m| (at(m).div_euclid(1_000_000), m.kind)).collect()
}

/// The offset on which the marks that belong together agree, in cells of a width in milliseconds.
fn offset(a: &[(i64, Kind)], b: &[(i64, Kind)], width: i64, together: impl Fn(Kind, Kind) -> bool) -> Option<(i64, usize)> {
    let mut cells: BTreeMap<i64, BTreeSet<(i64, i64)>> = BTreeMap::new();
    for (x, kind) in a {
        for (y, other) in b {
            let quarter = (x - y + QUARTER / 2).div_euclid(QUARTER);
            if together(*kind, *other) && quarter.abs() <= MOST_QUARTERS && (x - y - quarter * QUARTER).abs() <= NEAR {
                cells.entry((x - y).div_euclid(width)).or_default().insert((*x, *y));
            }
        }
    }
    let near = |cell: i64| -> usize {
        let pairs: Vec<&(i64, i64)> = (cell - 1..=cell + 1).filter_map(|c| cells.get(&c)).flatten().collect();
        turns(pairs.iter().map(|p| p.0)).min(turns(pairs.iter().map(|p| p.1)))
    };
    let best = cells.keys().copied().max_by_key(|cell| (near(*cell), std::cmp::Reverse(cell.abs())))?;
    let found = near(best);
    let quarter = |cell: i64| (cell * width + width / 2 + QUARTER / 2).div_euclid(QUARTER);
    let next = cells.keys().filter(|cell| quarter(**cell) != quarter(best)).map(|cell| near(*cell)).max().unwrap_or(0);
    let fewer = turns(taking(a, b, &together)).min(turns(taking(b, a, &together)));
    (found >= LEAST && found * 2 >= fewer && next * 3 <= found).then(|| (quarter(best), found))
}

/// The times of marks that could belong to one of the others.
fn taking<'m>(a: &'m [(i64, Kind)], b: &'m [(i64, Kind)], together: &'m impl Fn(Kind, Kind) -> bool) -> impl Iterator<Item = i64> + 'm {
    a.iter().filter(move |(_, x)| b.iter().any(|(_, y)| together(*x, *y) || together(*y, *x))).map(|(at, _)| *at)
}

/// How many restarts some times are: what lies close together is one.
fn turns(times: impl Iterator<Item = i64>) -> usize {
    let times: BTreeSet<i64> = times.collect();
    let mut count = 0;
    let mut last = None;
    for at in times {
        if last.is_none_or(|last| at - last >= ONE) {
            count += 1;
            last = Some(at);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::Origin;

    fn restarts(kind: Kind, minutes: &[f64]) -> Restarts {
        let mut found = Restarts::default();
        for at in minutes {
            found.add(Mark { millis: (at * 60_000.0) as i64, form: Form::Civil, kind });
        }
        found.finish();
        found
    }

    fn between(a: &Restarts, b: &Restarts, same_host: bool) -> Option<(i64, usize)> {
        agree((a, &Clock::default()), (b, &Clock::default()), same_host)
    }

    #[test]
    fn restarts_of_one_machine_agree_on_an_offset() {
        let systemd = restarts(Kind::Start, &[3.0, 71.5, 190.2, 402.0, 415.0]);
        let own = restarts(Kind::Start, &[123.05, 191.56, 310.25]);
        assert_eq!(between(&own, &systemd, true), Some((8, 3)));
        assert_eq!(between(&systemd, &own, true), Some((-8, 3)));
        // Other machines may well have been restarted two hours later.
        assert_eq!(between(&own, &systemd, false), None);
    }

    #[test]
    fn too_few_say_nothing_and_neither_do_clocks() {
        let systemd = restarts(Kind::Start, &[3.0, 71.5, 190.2, 402.0]);
        assert_eq!(between(&restarts(Kind::Start, &[123.05, 191.56]), &systemd, true), None);
        let hourly: Vec<f64> = (0..12).map(|h| f64::from(h) * 60.0).collect();
        let ahead: Vec<f64> = hourly.iter().map(|m| m + 120.02).collect();
        assert_eq!(between(&restarts(Kind::Start, &ahead), &restarts(Kind::Start, &hourly), true), None);
        // A stop and a start within a minute are one restart.
        let twice = restarts(Kind::Start, &[0.0, 0.5, 1.0, 1.5]);
        assert_eq!(between(&twice, &twice, true), None);
    }

    #[test]
    fn an_offset_that_is_no_zone_is_none() {
        let a = restarts(Kind::Stop, &[3.0, 71.5, 190.2, 402.0]);
        let b = restarts(Kind::Stop, &[10.0, 78.5, 197.2, 409.0]);
        assert_eq!(between(&a, &b, true), None);
    }

    #[test]
    fn a_proxy_that_is_refused_and_a_backend_that_stops() {
        let backend = restarts(Kind::Stop, &[3.0, 71.5, 190.2]);
        let proxy = restarts(Kind::Refused, &[63.05, 63.06, 63.5, 131.55, 250.3]);
        assert_eq!(between(&proxy, &backend, false), Some((4, 3)));
        let rolling = restarts(Kind::Refused, &[63.05, 78.05, 131.55, 146.55, 250.3, 265.3]);
        assert_eq!(between(&rolling, &backend, false), None);
    }

    #[test]
    fn sentences() {
        let seen = |format: &'static str, text: &str| {
            let mut record = Record::new(text, Origin::default());
            record.format = format;
            kind(&record)
        };
        for (text, want) in [
            ("* Ready to accept connections tcp", Some(Kind::Start)),
            ("/usr/sbin/mariadbd: ready for connections.", Some(Kind::Start)),
            ("Started ShopApplication in 3.2 seconds (process running for 4)", Some(Kind::Start)),
            ("Started order 7", None),
            ("received fast shutdown request", Some(Kind::Stop)),
            ("connect() failed (111: Connection refused) while connecting to upstream", Some(Kind::Refused)),
            ("listed all", None),
            ("", None),
        ] {
            assert_eq!(seen("app", text), want, "{text}");
        }
        assert_eq!(seen("nginx.access", "listening on"), None);
    }
}
