//! What an answer stands on besides the evidence: the books, what could not be read, and the stretch of time that was asked for.

use crate::books::Books;
use crate::when::Stretch;
use std::path::{Path, PathBuf};
use whyline_diagnose::diagnosis::beside;
use whyline_diagnose::{Diagnosis, Evidence};
use whyline_event::Zone;
use whyline_event::stamp::NANOS;
use whyline_parse::{Gravity, Problem};

/// What an answer stands on.
#[derive(Debug, Default)]
pub struct Ground {
    /// The books.
    pub books: Books,
    /// What went wrong while reading, each place named as the sources are.
    pub problems: Vec<Problem>,
    /// The stretch that was asked for, where it is not all.
    pub asked: Option<Asked>,
    /// It was read of a store.
    pub is_store: bool,
}

impl Ground {
    /// What could not be read, wholly or in part.
    pub fn unreadable(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|p| p.gravity == Gravity::Unreadable)
    }

    /// What there is to know about what was read.
    pub fn notes(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|p| p.gravity == Gravity::Remark)
    }

    /// Whether a stretch was asked for in which no event lies.
    pub fn asked_in_vain(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.whole.is_some() && asked.sources.iter().all(|s| s.records == 0))
    }

    /// Whether the logs go on behind all that was looked at for the stretch that was asked for.
    pub fn is_cut_off(&self) -> bool {
        let read = |asked: &Asked| asked.to.map(|to| to.saturating_add(beside(asked.from.unwrap_or(i64::MIN), to)));
        self.asked.as_ref().is_some_and(|asked| asked.whole.zip(read(asked)).is_some_and(|((_, last), read)| last > read))
    }
}

/// A stretch that was asked for, in seconds since 1970 UTC, both ends included, and what the logs have of it.
#[derive(Debug)]
pub struct Asked {
    /// Its first second; nothing where it begins with the logs.
    pub from: Option<i64>,
    /// Its last second; nothing where it ends with the logs.
    pub to: Option<i64>,
    /// First and last second of all logs.
    pub whole: Option<(i64, i64)>,
    /// What each source has.
    pub sources: Vec<Within>,
}

/// What a source has of a stretch.
#[derive(Debug, Default, Clone, Copy)]
pub struct Within {
    /// First and last second of the whole source.
    pub whole: Option<(i64, i64)>,
    /// First and last second of its records in the stretch.
    pub span: Option<(i64, i64)>,
    /// Its records in the stretch.
    pub records: u64,
}

impl Asked {
    /// Notes what all logs have, before the evidence is narrowed.
    pub fn of(stretch: Stretch, evidence: &Evidence) -> Asked {
        let (from, to) = (stretch.from.div_euclid(NANOS), stretch.to.div_euclid(NANOS));
        let own = |number: &usize| !evidence.is_baseline(*number);
        let sources = (0..evidence.sources.len()).map(|number| {
            let ticks = evidence.ticks.get(number).map_or(&[][..], Vec::as_slice);
            let inside = || ticks.iter().filter(|(second, _)| own(&number) && (from..=to).contains(second));
            let span = inside().next().zip(inside().next_back()).map(|(a, b)| (a.0, b.0));
            Within { whole: evidence.span(number), span, records: inside().map(|(_, n)| u64::from(*n)).sum() }
        });
        let spans = (0..evidence.sources.len()).filter(own).filter_map(|number| evidence.span(number));
        Asked {
            from: (stretch.from != i64::MIN).then_some(from),
            to: (stretch.to != i64::MAX).then_some(to),
            whole: spans.reduce(|(a, b), (x, y)| (a.min(x), b.max(y))),
            sources: sources.collect(),
        }
    }

    /// The same stretch read as times of a zone.
    pub fn in_zone(&self, zone: &Zone) -> (Option<i64>, Option<i64>) {
        let shift = |second: i64| zone.to_utc(second.saturating_mul(NANOS)).div_euclid(NANOS);
        (self.from.map(shift), self.to.map(shift))
    }

    /// Whether events may lie in a stretch.
    pub fn meets(&self, (from, to): (Option<i64>, Option<i64>)) -> bool {
        let meets = |(first, last): (i64, i64)| from.is_none_or(|from| from <= last) && to.is_none_or(|to| to >= first);
        self.sources.iter().filter_map(|s| s.whole).any(meets)
    }
}

/// Places that are named by whole paths, named as the sources below the arguments are.
pub fn named_as_sources(problems: &mut [Problem], arguments: &[PathBuf]) {
    let folders: Vec<PathBuf> = arguments.iter().filter_map(|argument| argument.canonicalize().ok()).collect();
    for problem in problems {
        let place = Path::new(&problem.place);
        let inside = folders.iter().filter_map(|folder| place.strip_prefix(folder).ok()).min_by_key(|rest| rest.as_os_str().len());
        if let Some(rest) = inside.filter(|rest| !rest.as_os_str().is_empty()) {
            problem.place = rest.to_string_lossy().into_owned();
        }
    }
}

/// Notes of the logs that are asked for which of them lie there and could not be read.
pub fn mark_unreadable(diagnosis: &mut Diagnosis, evidence: &Evidence, ground: &Ground) {
    for missing in &mut diagnosis.missing {
        let is_it = |p: &&Problem| is_wanted(&p.place, &missing.host, &missing.log, evidence);
        missing.unreadable = ground.unreadable().find(is_it).map(|p| p.place.clone());
    }
}

/// Whether a log that is asked for may be what lies at a place: it is of the same machine, and its path has one of the words that say which
/// log it is, or it is the folder of the machine.
fn is_wanted(place: &str, host: &str, log: &str, evidence: &Evidence) -> bool {
    let of_host = |part: &str| !host.is_empty() && part == host;
    let parts: Vec<&str> = place.split(['/', '!']).filter(|part| !part.is_empty()).collect();
    let known = evidence.sources.iter().any(|s| s.path == place && of_host(&s.host));
    if !known && !parts.iter().any(|part| of_host(part)) {
        return false;
    }
    if parts.last().is_some_and(|last| of_host(last)) {
        return true;
    }
    let path = place.to_lowercase();
    let kinds: &[&str] = match log.split(' ').next().unwrap_or("") {
        "error" => &["error"],
        "access" => &["access"],
        _ if log.contains("system") || log.contains("journal") || log.contains("kernel") => {
            &["syslog", "messages", "journal", "kern", "dmesg"]
        }
        _ => &[],
    };
    if kinds.is_empty() {
        // The log of a service: any that is none of the system.
        return !["syslog", "messages", "kern", "auth.log", "dmesg"].iter().any(|name| path.contains(name));
    }
    kinds.iter().any(|kind| path.contains(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_may_lie_there() {
        let evidence = Evidence::default();
        for (place, log, is) in [
            ("web01/nginx/error.log", "error log of nginx", true),
            ("web01/nginx/access.log", "error log of nginx", false),
            ("web02/nginx/error.log", "error log of nginx", false),
            ("bundle/web01", "log of the service that answers at 10.0.0.3:80", true),
            ("web01/shop/shop.log", "log of the service that answers at 10.0.0.3:80", true),
            ("web01/syslog", "log of the service that answers at 10.0.0.3:80", false),
            ("web01/syslog", "log of the system", true),
        ] {
            assert_eq!(is_wanted(place, "web01", log, &evidence), is, "{place}, {log}");
        }
        assert!(!is_wanted("nginx/error.log", "", "error log of nginx", &evidence));
    }

    #[test]
    fn a_stretch_meets_the_logs_in_another_zone() {
        let within = Within { whole: Some((1000, 1600)), ..Within::default() };
        let asked = Asked { from: Some(4600), to: Some(5000), whole: Some((1000, 1600)), sources: vec![within] };
        assert!(!asked.meets((asked.from, asked.to)));
        assert!(asked.meets(asked.in_zone(&Zone::Offset(3600))));
        assert!(asked.meets((None, Some(1000))) && !asked.meets((Some(1601), None)));
    }
}
