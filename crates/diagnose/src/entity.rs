//! Whom a record accuses.
//!
//! An entity is written `kind:name`: `host:web01`, `service:api@app02`, `addr:10.0.0.3:8080`, `name:db.internal`,
//! `client:203.0.113.7`, `unit:nginx.service@web01`.

use crate::rules::Accused;
use whyline_event::address;
use whyline_event::{Key, Name, Record, Value};

/// The service that wrote a record: its own name, else its program's, else its container's; `None` when the record names none.
pub fn service<'r>(record: &Record<'r>) -> Option<&'r str> {
    record
        .str(Key::ServiceName)
        .or_else(|| record.str(Key::ProcessName))
        .or_else(|| record.str(Key::ContainerName))
        .or_else(|| of_format(record.format))
}

/// The program that a format belongs to, where only one writes it.
pub fn of_format(format: &str) -> Option<&'static str> {
    Some(match format {
        "nginx.access" | "nginx.error" => "nginx",
        "apache.access" | "apache.error" => "apache",
        "haproxy" | "haproxy.http" | "haproxy.tcp" => "haproxy",
        "postgresql" => "postgresql",
        "mysql.error" | "mysql.slowlog" | "mysql.general" => "mysql",
        "mariadb" => "mariadb",
        "redis" => "redis",
        "mongodb" => "mongodb",
        "php-fpm" | "php-fpm.access" => "php-fpm",
        "rabbitmq" => "rabbitmq",
        "cassandra" => "cassandra",
        "clickhouse" => "clickhouse",
        "sqlserver" => "sqlserver",
        "oracle.alert" => "oracle",
        format if format.starts_with("elasticsearch.") => "elasticsearch",
        _ => return None,
    })
}

/// The service of a source whose records name none: its file's name without what rotation, packing and streams add.
pub fn service_of_path(path: &str) -> String {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file);
    let stem = stream_of(undated(stem.strip_suffix("-json").unwrap_or(stem)));
    let is_hash = |part: &str| part.len() >= 12 && part.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash(stem) {
        return parts.find(|part| !is_hash(part)).unwrap_or(stem).to_string();
    }
    // The folder of a stream names its program, unless it is that of the machine or one for all logs.
    let folder = parts.next().filter(|folder| parts.next().is_some() && !matches!(*folder, "log" | "logs" | "var"));
    // The kubelet numbers the runs of a container.
    let is_number = stem.bytes().all(|b| b.is_ascii_digit());
    folder.filter(|_| is_number || STREAMS.contains(&stem)).unwrap_or(stem).to_string()
}

/// Names of what a program writes, rather than of a program.
const STREAMS: [&str; 13] =
    ["error", "errors", "access", "out", "err", "stdout", "stderr", "output", "current", "log", "logs", "main", "console"];

/// A name without the day that rolling files carry behind it (`log-20261121`, Serilog's `log-20261121_001`, `shop-2026-11-21`).
fn undated(stem: &str) -> &str {
    let digits = |text: &str, from: usize, to: usize| text.get(from..to).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    // A number behind the day counts the files of one day.
    let day = stem.rsplit_once('_').filter(|(_, n)| n.len() == 3 && digits(n, 0, 3)).map_or(stem, |(day, _)| day);
    let known = |length: usize| {
        let at = day.len().checked_sub(length)?;
        let (name, day) = (day.get(..at)?, day.get(at..)?);
        let dashes = length == 10 && digits(day, 0, 4) && digits(day, 5, 7) && digits(day, 8, 10) && day.matches('-').count() == 2;
        let is_day = (dashes || length == 8 && digits(day, 0, 8)) && day.starts_with("20");
        let name = name.trim_end_matches(['-', '_']);
        (is_day && !name.is_empty()).then_some(name)
    };
    known(8).or_else(|| known(10)).unwrap_or(stem)
}

/// The name of the program whose output goes to several files (`shop-out`, `shop-error-0` of pm2, lib/Common.js).
fn stream_of(stem: &str) -> &str {
    fn program(stem: &str) -> Option<&str> {
        ["-out", "-error", "-err"].iter().find_map(|end| stem.strip_suffix(end)).filter(|name| name.len() > 1)
    }
    let is_number = |n: &str| (1..=3).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit());
    let numbered = stem.rsplit_once('-').filter(|(_, n)| is_number(n)).and_then(|(whole, _)| program(whole));
    program(stem).or(numbered).unwrap_or(stem)
}

/// A service on its host, each as far as it is known.
pub fn of_service(service: &str, host: &str) -> String {
    match (service, host) {
        ("", host) => format!("host:{host}"),
        (service, "") => format!("service:{service}"),
        (service, host) => format!("service:{service}@{host}"),
    }
}

/// An address or name with its kind.
pub fn endpoint(text: &str) -> String {
    let text = text.trim();
    if address::ip(text).is_some() || text.starts_with("unix:") || text.starts_with('/') {
        format!("addr:{text}")
    } else {
        format!("name:{text}")
    }
}

/// Writes the entity that a record accuses into `into`: by the first of `fields` that is present, else the writer's service,
/// else its host.
pub fn of_record(record: &Record<'_>, fields: &[Accused], default_service: &str, into: &mut String) {
    into.clear();
    let host = || record.str(Key::HostName).unwrap_or("");
    let mut write = |parts: &[&str]| parts.iter().for_each(|part| into.push_str(part));
    for field in fields {
        let key = match field {
            Accused::Key(key) => key,
            Accused::Own(name) => {
                if let Some(value) = record.values(Name::Other(name)).next() {
                    return write(&["name:", &value.to_string()]);
                }
                continue;
            }
        };
        let value = match key {
            Key::ServiceName => service(record).map(Value::Str),
            Key::UpstreamAddress | Key::UpstreamServer => record.last(*key),
            _ => record.get(*key),
        };
        let Some(value) = value else { continue };
        match (key, value) {
            (Key::HostName, Value::Str(h)) => write(&["host:", h]),
            (Key::ServiceName, Value::Str(s)) if host().is_empty() => write(&["service:", s]),
            (Key::ServiceName, Value::Str(s)) => write(&["service:", s, "@", host()]),
            (Key::Unit, Value::Str(u)) => write(&["unit:", u, "@", host()]),
            (Key::ClientAddress, Value::Str(c)) => write(&["client:", address::split_port(c).0]),
            (Key::UpstreamAddress | Key::Peer | Key::ServerAddress, Value::Str(a)) => write(&[&endpoint(a)]),
            (Key::UpstreamName, Value::Str(b)) => match record.last(Key::UpstreamServer) {
                Some(Value::Str(s)) => write(&["name:", b, "/", s]),
                _ => write(&["name:", b]),
            },
            (_, Value::Str(text)) => write(&["name:", text]),
            (_, value) => write(&["name:", &value.to_string()]),
        }
        return;
    }
    match (service(record).unwrap_or(default_service), host()) {
        ("", "") => write(&["host:unknown"]),
        ("", h) => write(&["host:", h]),
        (s, "") => write(&["service:", s]),
        (s, h) => write(&["service:", s, "@", h]),
    }
}

/// The parts of an entity: kind, name, and the host after an `@`.
pub fn parts(entity: &str) -> (&str, &str, Option<&str>) {
    let (kind, rest) = entity.split_once(':').unwrap_or(("name", entity));
    match (kind, rest.rsplit_once('@')) {
        ("service" | "unit" | "dependency", Some((name, host))) => (kind, name, Some(host).filter(|h| !h.is_empty())),
        ("host", _) => (kind, rest, Some(rest)),
        _ => (kind, rest, None),
    }
}

/// What has no name in these logs, in the words of whoever complains of it: what it is for them is told by the fault.
pub fn unnamed(fault: &str, service: &str, host: Option<&str>) -> String {
    // One container of several (`shop-api-1`) names its service.
    let number = |host: &str| host.strip_prefix(service).map(|rest| rest.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit()));
    let who = match host {
        Some(host) if number(host) == Some(true) => host.to_string(),
        Some(host) => format!("{service} on {host}"),
        None => service.to_string(),
    };
    match fault.split('.').next().unwrap_or("") {
        "db" => format!("the database of {who}"),
        "cache" => format!("the cache of {who}"),
        "queue" => format!("the broker of {who}"),
        // The name server says the truth.
        "dns" if fault != "dns.stale-record" => format!("the name server of {who}"),
        _ if fault == "auth.provider-unavailable" => format!("the identity provider of {who}"),
        _ => format!("what {who} calls"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_is_named_by_who_calls_it() {
        assert_eq!(unnamed("db.unavailable", "orders", Some("app1")), "the database of orders on app1");
        assert_eq!(unnamed("cache.unavailable", "booking-api", Some("booking-api-1")), "the cache of booking-api-1");
        assert_eq!(unnamed("queue.unavailable", "bookings", Some("bookings")), "the broker of bookings");
        assert_eq!(unnamed("app.dependency-failure", "shop", None), "what shop calls");
    }

    #[test]
    fn a_field_that_only_a_format_knows_names_the_accused() {
        let mut record = Record::new("x", whyline_event::Origin::default());
        record.put_other("order_id", Value::Int(7));
        record.put(Key::HostName, Value::Str("app01"));
        let (own, host) = (Accused::Own("order_id".into()), Accused::Key(Key::HostName));
        let mut into = String::new();
        of_record(&record, &[Accused::Own("none".into()), own, host.clone()], "", &mut into);
        assert_eq!(into, "name:7");
        of_record(&record, &[Accused::Own("none".into()), host], "", &mut into);
        assert_eq!(into, "host:app01");
    }

    #[test]
    fn services_of_files() {
        assert_eq!(service_of_path("web01/shop/shop-api.log.gz"), "shop-api");
        assert_eq!(service_of_path("containers/shop-db-1/00715dad8667bd1606a0/00715dad8667bd1606a0-json.log"), "shop-db-1");
        assert_eq!(service_of_path("web01/php/error.log"), "php");
        assert_eq!(service_of_path("web01/error.log"), "error");
        assert_eq!(service_of_path("web01/log/error.log"), "error");
        for (path, want) in [
            ("web02/erp/log-20261121.json", "erp"),
            ("web02/erp/log-20261121_001.json", "erp"),
            ("web02/erp/erp-2026-11-21.log", "erp"),
            ("web02/erp/20261121.log", "erp"),
            ("web02/pm2/pricing-out.log", "pricing"),
            ("web02/pm2/pricing-error-0.log", "pricing"),
            ("web02/shop/worker-2.log", "worker-2"),
        ] {
            assert_eq!(service_of_path(path), want, "{path}");
        }
        assert_eq!(parts("service:api@app02"), ("service", "api", Some("app02")));
        assert_eq!(parts("addr:10.0.0.3:8080"), ("addr", "10.0.0.3:8080", None));
    }
}
