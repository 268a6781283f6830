//! The verdict where no incident was found: how much was looked at, and what is worth a look all the same.

use super::Answer;
use super::page::{Ink, Page, Text};
use crate::output::words::{Day, count, entity, number, percent, text};
use std::io::Result;
use whyline_diagnose::diagnosis::Quiet;

pub(super) fn write(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    let evidence = answer.evidence;
    let own = || (0..evidence.sources.len()).filter(|number| !evidence.is_baseline(*number));
    let records: u64 = own().map(|number| evidence.sources[number].records).sum();
    if records == 0 {
        return page.write("", "", &Text::new().and(Ink::Yellow, "Nothing was read, so nothing can be said."), 9);
    }
    let whole = own().filter_map(|number| evidence.span(number)).reduce(|(a, b), (x, y)| (a.min(x), b.max(y)));
    let span = whole.map(|(a, b)| {
        let day = Day::of(&text(a));
        format!("{} {} UTC", day.0, day.seconds(a, b))
    });
    let span = span.unwrap_or_else(|| "without any time stamps".into());
    let sources = count(own().count(), "source", "sources");
    let looked = format!("Looked at {sources}, {}, {span}.", count(records, "record", "records"));
    let arrived = &answer.diagnosis.arrived;
    if arrived.requests == 0 {
        // Who answers requests logs them; of a mail server or a laptop nobody expects it.
        let (title, wish) = if evidence.sources.iter().any(|s| s.records > 0 && answers_requests(s.family())) {
            let title = "Nothing found, but no log here shows requests: what users felt cannot be read from it.";
            (title, " The access log of the proxy or of the service would tell.")
        } else {
            ("Nothing found: no line here tells of trouble that users felt.", "")
        };
        page.write("", "", &Text::new().and(Ink::Bold, title), 9)?;
        page.write("  ", "  ", &Text::plain(format!("{looked}{wish}")), 9)?;
        return worth_a_look(page, answer);
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
    page.write("  ", "  ", &Text::plain(format!("{looked} Of {requests}{at} {failures}.")), 9)?;
    worth_a_look(page, answer)
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

/// Lines that name a fault, although nobody seems to have felt it.
fn worth_a_look(page: &mut Page<'_>, answer: &Answer<'_>) -> Result<()> {
    for noted in &answer.diagnosis.noted {
        let times = if noted.count > 1 { format!(", {}", count(noted.count, "time", "times")) } else { String::new() };
        let text = Text::new()
            .and(Ink::Yellow, "Worth a look: ")
            .then(format!("{}, {}", entity(&noted.entity), noted.title))
            .and(Ink::Faint, format!(" ({}{times}, {}:{})", answer.day.time(&noted.onset), noted.source, noted.line));
        page.write("  ", "    ", &text, 4)?;
    }
    Ok(())
}
