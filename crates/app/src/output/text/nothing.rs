//! The verdict where no incident was found: how much was looked at.

use super::page::{Ink, Page, Text};
use super::{Answer, asked};
use crate::output::words::{Day, count, number, percent, text};
use std::io::Result;
use whyline_diagnose::diagnosis::Quiet;

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let evidence = answer.evidence;
    let own = || (0..evidence.sources.len()).filter(|number| !evidence.is_baseline(*number));
    let records: u64 = own().map(|number| evidence.sources[number].records).sum();
    let yellow = |text: &str| Text::new().and(Ink::Yellow, text);
    if evidence.sources.is_empty() && answer.ground.is_store {
        let text = "The store is empty: nothing was ingested, or the first ingest was interrupted. Run `whyline ingest PATH...` (again).";
        return page.write("", "", &yellow(text), 9);
    }
    if records == 0 {
        return page.write("", "", &yellow("Nothing was read, so nothing can be said."), 9);
    }
    if answer.ground.asked_in_vain() {
        return asked::nothing_there(page, answer);
    }
    let whole = own().filter_map(|number| evidence.span(number)).reduce(|(a, b), (x, y)| (a.min(x), b.max(y)));
    let span = whole.map(|(a, b)| {
        let day = Day::of(&text(a));
        format!("{} {} UTC", day.0, day.seconds(a, b))
    });
    let span = span.unwrap_or_else(|| "without any time stamps".into());
    let sources = count(own().count(), "source", "sources");
    let records = answer.ground.asked.as_ref().map_or(records, |asked| own().filter_map(|n| asked.sources.get(n)).map(|s| s.records).sum());
    let unread = answer.ground.unreadable().count();
    let unread = if unread > 0 {
        format!(" {} not be read, wholly or in part.", count(unread, "input could", "inputs could"))
    } else {
        String::new()
    };
    let looked = format!("Looked at {sources}, {}, {span}.{unread}", count(records, "record", "records"));
    let arrived = &answer.diagnosis.arrived;
    if arrived.requests == 0 {
        return unwatched(page, answer, &looked);
    }
    let share = |n: usize| format!("{} ({})", number(n), percent(n as f64 / arrived.requests as f64));
    // A steady share of failures has no onset to explain, but it is not health.
    let steady = arrived.failed as f64 >= 0.01 * arrived.requests as f64;
    let (ink, title) = if steady {
        (
            Ink::Yellow,
            format!("No stretch of failures, slowness or silence stands out, but {} of all logged requests failed.", share(arrived.failed)),
        )
    } else {
        (Ink::Green, "Nothing found: no stretch of failures, slowness or silence stands out.".to_string())
    };
    match &answer.diagnosis.quiet {
        Some(quiet) if !steady => stayed_away(page, answer, quiet)?,
        _ => page.write("", "", &Text::new().and(ink, title), 9)?,
    }
    let failures = match (arrived.failed, arrived.rejected) {
        (0, 0) => "all were served".to_string(),
        (f, r) => format!(
            "{} failed (5xx), {} were turned away (4xx)",
            if f == 0 { "none".into() } else { share(f) },
            if r == 0 { "none".into() } else { share(r) }
        ),
    };
    let requests = count(arrived.requests, "logged request", "logged requests");
    let at = if arrived.is_all || arrived.hosts.is_empty() { String::new() } else { format!(" at {}", arrived.hosts.join(", ")) };
    page.write("  ", "  ", &Text::plain(format!("{looked} Of {requests}{at} {failures}.")), 9)
}

/// No log shows requests: nobody can say what users felt.
fn unwatched(page: &mut Page<'_>, answer: &Answer<'_>, looked: &str) -> Result<()> {
    let (ink, title) = match answer.diagnosis.noted.len() {
        0 => (Ink::Bold, "Nothing found, but no log here shows requests: what users felt cannot be read from it.".to_string()),
        n => {
            let signs = count(n, "sign of a fault", "signs of faults");
            let title = format!("No log here shows requests, so nobody can say what users felt, and no cause is named; {signs} below.");
            (Ink::Yellow, title)
        }
    };
    // Who answers requests logs them; of a mail server or a laptop nobody expects it.
    let is_expected = answer.evidence.sources.iter().any(|s| s.records > 0 && answers_requests(s.family()));
    let wish = if is_expected { " The access log of the proxy or of the service would tell." } else { "" };
    page.write("", "", &Text::new().and(ink, title), 9)?;
    page.write("  ", "  ", &Text::plain(format!("{looked}{wish}")), 9)
}

/// Most requests stayed away, and nobody here knows why.
fn stayed_away(page: &mut Page<'_>, answer: &Answer<'_>, quiet: &Quiet) -> Result<()> {
    let text = format!(
        "No stretch of failures stands out, but from {} to {} only {} came in place of {}, and then they came back: nothing in these logs says why.",
        answer.day.time(&quiet.start),
        answer.day.time(&quiet.end),
        count(quiet.requests, "request", "requests"),
        number(quiet.usual)
    );
    page.write("", "", &Text::new().and(Ink::Yellow, text), 9)
}

/// Whether logs of this family are of what answers requests, or of applications.
fn answers_requests(family: &str) -> bool {
    const WEB: [&str; 12] =
        ["nginx", "apache", "haproxy", "iis", "caddy", "traefik", "envoy", "squid", "varnish", "lighttpd", "gunicorn", "uvicorn"];
    WEB.contains(&family) || matches!(family, "app" | "json" | "php-fpm" | "php" | "logfmt")
}
