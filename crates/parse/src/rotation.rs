//! Rotated logs: which files are pieces of one log, and in which order they were written.
//!
//! Names say it: `x.log`, `x.log.1`, `x.log.2.gz` (logrotate), `x.1.log` (logback), `x-20261120`, `x.log-20261120.gz` (dateext),
//! `x.2026-11-20.0.log.gz` (logback, log4j), `x.log.2026-11-20` (Tomcat). Names are a hint: what follows from it is
//! checked against the bytes wherever something would be lost by a wrong guess.

use std::collections::BTreeMap;

/// Endings of packed files.
const PACKED: &[&str] = &[".gz", ".zst", ".zstd", ".xz", ".bz2", ".lz4"];

/// The age of a piece. The order of the variants and their contents is the order in which the pieces were written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// Numbered from the newest to the oldest.
    Number(std::cmp::Reverse<u32>),
    /// By date (digits of year, month, day and more), then by a number that counts up.
    Date(String, u32),
    /// Written to now.
    Current,
}

/// The pieces of each rotated log among the paths, oldest first; logs of a single piece are left out.
pub fn sets<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<Vec<usize>> {
    let mut by_stem: BTreeMap<String, Vec<(Age, usize, bool)>> = BTreeMap::new();
    for (i, path) in paths.into_iter().enumerate() {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let bare = PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let (stem, age, sure) = piece(bare);
        by_stem.entry(format!("{folder}/{stem}")).or_default().push((age, i, sure));
    }
    by_stem
        .into_values()
        .filter_map(|mut pieces| {
            let current = pieces.iter().any(|(age, _, _)| *age == Age::Current);
            // `worker.1.log` may well be the first of several workers, unless there is a `worker.log`.
            pieces.retain(|(_, _, sure)| current || *sure);
            pieces.sort();
            // The same piece twice, packed and not, is a copy and no neighbour.
            pieces.dedup_by(|a, b| a.0 == b.0);
            (pieces.len() > 1).then(|| pieces.into_iter().map(|(_, i, _)| i).collect())
        })
        .collect()
}

/// The folder and the name of the log that a path is a piece of (`nginx/access.log` for `nginx/access.log.2.gz`).
pub fn log_name(path: &str) -> (&str, String) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let bare = PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    (folder, piece(bare).0)
}

/// The name of the log that a piece belongs to, its age, and whether its name says so without the others.
fn piece(name: &str) -> (String, Age, bool) {
    let number = |text: &str| (!text.is_empty() && text.len() <= 3).then(|| text.parse::<u32>().ok()).flatten();
    // x.log.1
    if let Some((stem, last)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())
        && let Some(n) = number(last)
    {
        return match date_at_end(stem) {
            // x.log.2026-11-20.1
            Some((stem, date)) => (stem, Age::Date(date, n), true),
            None => (stem.to_string(), Age::Number(std::cmp::Reverse(n)), true),
        };
    }
    // x.log-20261120, x.log.2026-11-20, x-20261120
    if let Some((stem, date)) = date_at_end(name) {
        return (stem, Age::Date(date, 0), true);
    }
    // x.2026-11-20.0.log, x-20261120.log, x.1.log
    if let Some((front, ending)) = name.rsplit_once('.').filter(|(_, e)| matches!(*e, "log" | "txt" | "json" | "out" | "err")) {
        if let Some((stem, date)) = date_at_end(front) {
            return (format!("{stem}.{ending}"), Age::Date(date, 0), true);
        }
        if let Some((stem, last)) = front.rsplit_once('.')
            && let Some(n) = number(last)
        {
            return match date_at_end(stem) {
                Some((stem, date)) => (format!("{stem}.{ending}"), Age::Date(date, n), true),
                None => (format!("{stem}.{ending}"), Age::Number(std::cmp::Reverse(n)), false),
            };
        }
    }
    (name.to_string(), Age::Current, true)
}

/// The name before a date at its end, and the digits of the date: `-20261120`, `.2026-11-20`, `-2026112013`, `_2026-11-20_13`,
/// `-1795255001` (seconds since 1970).
fn date_at_end(name: &str) -> Option<(String, String)> {
    for (at, separator) in name.rmatch_indices(['-', '_', '.']) {
        let (stem, written) = (name.get(..at)?, name.get(at + 1..)?);
        if !written.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'T')) {
            return None;
        }
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        let part = |from: usize, to: usize| digits.get(from..to).and_then(|d| d.parse::<u32>().ok());
        let civil = matches!(digits.len(), 8 | 10 | 12 | 14)
            && part(0, 4).is_some_and(|y| (1990..2100).contains(&y))
            && part(4, 6).is_some_and(|m| (1..=12).contains(&m))
            && part(6, 8).is_some_and(|d| (1..=31).contains(&d));
        let epoch = separator == "-" && digits.len() == 10 && written.len() == 10 && digits.starts_with('1');
        if !stem.is_empty() && (civil || epoch) {
            return Some((stem.to_string(), digits));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(paths: &[&'a str]) -> Vec<Vec<&'a str>> {
        sets(paths.iter().copied()).into_iter().map(|set| set.into_iter().map(|i| paths[i]).collect()).collect()
    }

    #[test]
    fn pieces_of_one_log_oldest_first() {
        for set in [
            vec!["x.log.2.gz", "x.log.1", "x.log"],
            vec!["a/syslog.10.xz", "a/syslog.9.gz", "a/syslog.1", "a/syslog"],
            vec!["x-20261118.gz", "x-20261119.gz", "x-20261120", "x"],
            vec!["x.log-20261119.gz", "x.log-20261120.gz", "x.log"],
            vec!["x.2.log", "x.1.log", "x.log"],
            vec!["x.2026-11-19.0.log.gz", "x.2026-11-19.1.log.gz", "x.2026-11-20.0.log.gz", "x.log"],
            vec!["x.log.2026-11-19", "x.log.2026-11-20"],
            vec!["web01-20261119", "web01-20261120", "web01"],
            vec!["x.log-1763596800.gz", "x.log-1763683200", "x.log"],
            vec!["x-20261119.log", "x-20261120.log", "x.log"],
            vec!["x.log-2026112007", "x.log-2026112008", "x.log"],
        ] {
            let mut given = set.clone();
            given.sort_unstable();
            assert_eq!(of(&given), [set]);
        }
    }

    #[test]
    fn what_only_looks_alike() {
        for alone in [
            &["x.log", "y.log.1"][..],
            &["worker.1.log", "worker.2.log"],
            &["a/x.log", "b/x.log.1"],
            &["tomcat.8080.log", "tomcat.8081.log"],
            &["node-1", "node-2"],
            &["x.log", "x.log.gz"],
            &["x", "x-10.0.0.1"],
            &["-20261120", ".1", "", "é.1", "…-20261120"],
        ] {
            assert_eq!(of(alone), Vec::<Vec<&str>>::new(), "{alone:?}");
        }
    }
}
