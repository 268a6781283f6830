//! Numbers, times and places as people say them.

use whyline_diagnose::diagnosis::SURE;
use whyline_diagnose::entity::{parts, unnamed};
use whyline_event::stamp::{NANOS, rfc3339};

/// The day that all times are on unless they say otherwise: written once, left out after.
#[derive(Clone, Debug, Default)]
pub struct Day(pub String);

impl Day {
    /// The day of an RFC 3339 time.
    pub fn of(time: &str) -> Day {
        Day(time.get(..10).unwrap_or_default().to_string())
    }

    /// The time of day; with its date before it when it is another day.
    pub fn time(&self, time: &str) -> String {
        let (Some(day), Some(clock)) = (time.get(..10), time.get(11..19)) else { return time.to_string() };
        if day == self.0 { clock.to_string() } else { format!("{day} {clock}") }
    }

    /// A stretch between two seconds since 1970 UTC.
    pub fn seconds(&self, from: i64, to: i64) -> String {
        self.span(&text(from), &text(to))
    }

    /// A stretch; the date of its end only when it is not that of its start.
    pub fn span(&self, from: &str, to: &str) -> String {
        format!("{}–{}", self.time(from), Day::of(from).time(to))
    }
}

/// A second since 1970 UTC in RFC 3339.
pub fn text(second: i64) -> String {
    rfc3339(second.saturating_mul(NANOS), 0)
}

/// `3,114`
pub fn number(n: impl TryInto<u64>) -> String {
    let digits = n.try_into().unwrap_or(u64::MAX).to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1 request`, `3,114 requests`
pub fn count(n: impl TryInto<u64>, one: &str, many: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A confidence in whole percent; what is just below the bound from which the program stands by a cause does not round to it.
pub fn confidence(c: f64) -> String {
    let p = (c * 100.0).round();
    let p = if c < SURE { p.min((SURE * 100.0).round() - 1.0) } else { p };
    format!("{p:.0} %")
}

/// A share in percent that never rounds to nothing or to all.
pub fn percent(share: f64) -> String {
    let p = share * 100.0;
    match p {
        p if p <= 0.0 => "0 %".into(),
        p if p < 0.1 => "under 0.1 %".into(),
        p if p < 9.95 => format!("{p:.1} %"),
        p if p < 99.5 => format!("{p:.0} %"),
        p if p < 100.0 => "over 99 %".into(),
        _ => "100 %".into(),
    }
}

/// A duration that was measured: `4 ms`, `1.2 s`.
pub fn took(seconds: f64) -> String {
    match seconds {
        s if s < 0.0005 => "0 ms".into(),
        s if s < 0.9995 => format!("{:.0} ms", s * 1000.0),
        s if s < 99.5 => format!("{s:.1} s"),
        s => format!("{s:.0} s"),
    }
}

/// A length of time: `27 s`, `1 min 27 s`, `2 h 5 min`.
pub fn length(seconds: i64) -> String {
    let s = seconds.max(0);
    match s {
        0..60 => format!("{s} s"),
        60..600 if s % 60 != 0 => format!("{} min {} s", s / 60, s % 60),
        60..3600 => format!("{} min", (s + 30) / 60),
        3600..172_800 if (s / 60) % 60 != 0 => format!("{} h {} min", s / 3600, s / 60 % 60),
        3600..172_800 => format!("{} h", s / 3600),
        _ => format!("{} days", s / 86_400),
    }
}

/// Seconds between two RFC 3339 times.
pub fn seconds_between(from: &str, to: &str) -> i64 {
    let at = |t: &str| t.parse::<jiff::Timestamp>().map_or(0, |t| t.as_second());
    at(to) - at(from)
}

/// An entity as a person would say it: `ledger on app02`, `10.0.0.3:8080`, `client 203.0.113.7`.
pub fn entity(entity: &str) -> String {
    let (kind, name, host) = parts(entity);
    match (kind, host) {
        ("service" | "unit", Some(host)) if host != name => format!("{name} on {host}"),
        ("dependency", host) => unnamed("", name, host),
        ("client", _) => format!("client {name}"),
        ("host", _) if name == "unknown" => "an unnamed host".into(),
        _ => name.to_string(),
    }
}

/// What a cause accuses, as a person would say it: `the database of orders on app01`.
pub fn accused(cause: &str, accused: &str) -> String {
    match parts(accused) {
        ("dependency", name, host) => unnamed(cause, name, host),
        _ => entity(accused),
    }
}

/// Entities that a cause accuses, each said once: a service is not repeated as its unit, nor as the host that was named as its place.
pub fn entities(cause: &str, list: &[String]) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for e in list {
        let word = accused(cause, e);
        let bare = |w: &str| w.replacen(".service on ", " on ", 1);
        let known = said.iter().any(|s| bare(s) == bare(&word) || s.ends_with(&format!(" on {word}")));
        if !known {
            said.push(word);
        }
    }
    said
}

/// A sentence of a rule with the entities in it said as a person would.
pub fn sentence(text: &str) -> String {
    let kinds = ["service:", "unit:", "host:", "addr:", "name:", "client:", "dependency:"];
    let word = |w: &str| if kinds.iter().any(|k| w.len() > k.len() && w.starts_with(k)) { entity(w) } else { w.to_string() };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// A symptom as a person would say it.
pub fn symptom(id: &str) -> String {
    match id {
        "http.slow" => "slow answers".into(),
        "http.aborted" => "callers gave up (499)".into(),
        "connect.refused" => "connections refused".into(),
        "connect.reset" => "connections reset".into(),
        "connect.timeout" => "connections timed out".into(),
        "tls.handshake" => "TLS handshakes failed".into(),
        "traffic.drop" => "traffic dropped".into(),
        "login.failed" => "logins failed".into(),
        "job.failed" => "jobs failed".into(),
        other => match other.strip_prefix("http.") {
            Some(status) => format!("answered {status}"),
            None => other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(0_u64), "0");
        assert_eq!(number(3114_u64), "3,114");
        assert_eq!(number(12_345_678_usize), "12,345,678");
        assert_eq!([confidence(0.697), confidence(0.7), confidence(0.604)], ["69 %", "70 %", "60 %"]);
        assert_eq!(percent(0.9996), "over 99 %");
        assert_eq!(percent(0.0001), "under 0.1 %");
        assert_eq!(percent(0.1323), "13 %");
        assert_eq!(took(0.0042), "4 ms");
        assert_eq!(took(1.25), "1.2 s");
    }

    #[test]
    fn times() {
        let day = Day::of("2026-11-20T21:07:12.000Z");
        assert_eq!(day.time("2026-11-20T21:08:39.100Z"), "21:08:39");
        assert_eq!(day.span("2026-11-20T21:07:12Z", "2026-11-21T00:01:00Z"), "21:07:12–2026-11-21 00:01:00");
        assert_eq!(length(87), "1 min 27 s");
        assert_eq!(length(3900), "1 h 5 min");
        assert_eq!(seconds_between("2026-11-20T21:07:12.900Z", "2026-11-20T21:08:39.100Z"), 87);
    }

    #[test]
    fn places() {
        assert_eq!(entity("unit:nginx.service@web01"), "nginx.service on web01");
        assert_eq!(entity("dependency:haproxy@lb01"), "what haproxy on lb01 calls");
        assert_eq!(accused("db.unavailable", "dependency:orders@app01"), "the database of orders on app01");
        assert_eq!(accused("db.unavailable", "service:orders@app01"), "orders on app01");
        let list: Vec<String> = ["service:api@app02", "host:app02", "addr:10.0.0.3:80"].map(String::from).to_vec();
        assert_eq!(entities("app.crash", &list), ["api on app02", "10.0.0.3:80"]);
        let list: Vec<String> = ["unit:api.service@app02", "service:api@app02", "service:web@web"].map(String::from).to_vec();
        assert_eq!(entities("app.crash", &list), ["api.service on app02", "web"]);
        assert_eq!(sentence("journal of unit:api.service@app02: all of it"), "journal of api.service on app02: all of it");
    }
}
