//! Texts of rules for one program out of those that can do the same work: `PostgreSQL: ...; MySQL, MariaDB: ...`.

use crate::belief::Hypothesis;
use crate::entity::parts;
use crate::evidence::Evidence;
use std::collections::BTreeSet;
use whyline_event::address;

/// A program in rules: what its part of a text begins with, what signals, formats, services and units call it, and the port that it is
/// known by.
type Program = (&'static str, &'static [&'static str], Option<u16>);

const DATABASES: &[Program] = &[
    ("PostgreSQL", &["postgresql", "postgres", "pgbouncer", "patroni"], Some(5432)),
    ("MySQL, MariaDB", &["mysql", "mariadb", "mysqld", "mariadbd", "proxysql"], Some(3306)),
    ("MongoDB", &["mongodb", "mongod"], Some(27017)),
    ("Elasticsearch", &["elasticsearch"], Some(9200)),
    ("SQL Server", &["mssql", "sqlserver"], Some(1433)),
    ("Oracle", &["oracle"], Some(1521)),
    ("Cassandra", &["cassandra"], Some(9042)),
    ("ClickHouse", &["clickhouse"], Some(9000)),
];
const CACHES: &[Program] = &[
    ("Redis", &["redis", "redis-server", "valkey", "valkey-server"], Some(6379)),
    ("Memcached", &["memcached"], Some(11211)),
    ("Varnish", &["varnish", "varnishd"], None),
];
const BROKERS: &[Program] = &[("RabbitMQ", &["rabbitmq", "rabbitmq-server", "amqp"], Some(5672)), ("Kafka", &["kafka"], Some(9092))];
const PROXIES: &[Program] = &[
    ("nginx", &["nginx"], None),
    ("HAProxy", &["haproxy"], None),
    ("Apache", &["apache", "apache2", "httpd"], None),
    ("Caddy", &["caddy"], None),
    ("Traefik", &["traefik"], None),
    ("Envoy", &["envoy", "istio-proxy"], None),
    ("Varnish", &["varnish", "varnishd"], None),
    ("Squid", &["squid"], None),
    ("lighttpd", &["lighttpd"], None),
    ("IIS", &["iis"], None),
];
const RESOLVERS: &[Program] = &[
    ("dnsmasq", &["dnsmasq"], None),
    ("unbound", &["unbound"], None),
    ("BIND", &["named", "bind9"], None),
    ("CoreDNS", &["coredns"], None),
    ("systemd-resolved", &["systemd-resolved"], None),
];
const REGISTRIES: &[Program] =
    &[("Consul", &["consul"], Some(8500)), ("etcd", &["etcd"], Some(2379)), ("ZooKeeper", &["zookeeper"], Some(2181))];
const RUNTIMES: &[Program] = &[
    ("Java", &["java", "spring", "tomcat"], None),
    ("Node.js", &["node"], None),
    ("Python", &["python", "gunicorn", "uwsgi", "celery", "asgi"], None),
    ("Go", &["go"], None),
    ("PHP", &["php", "php-fpm"], None),
    (".NET", &["dotnet", "iis"], None),
    ("Ruby", &["ruby", "puma"], None),
];
/// What most have not: advice for them is given only where they are known.
const PLATFORMS: &[Program] = &[
    ("Kubernetes", &["k8s", "kubelet", "kube-proxy", "coredns"], None),
    ("Docker", &["docker", "dockerd", "containerd"], None),
    ("Windows", &["iis", "windows", "dotnet"], None),
];

/// Programs that can stand in for each other.
const FAMILIES: [&[Program]; 8] = [CACHES, DATABASES, BROKERS, PROXIES, RESOLVERS, REGISTRIES, RUNTIMES, PLATFORMS];

/// The part of a text that is for the programs in question, as far as they are known, and the port of the only one; `None` where it has
/// parts for others only.
pub(crate) fn of_program(evidence: &Evidence, h: &Hypothesis, text: &str) -> Option<(String, Option<u16>)> {
    // Some programs are of two families.
    let family = FAMILIES.into_iter().rev().max_by_key(|family| labels(text, family).len())?;
    let labels = labels(text, family);
    if labels.is_empty() {
        return Some((text.to_string(), None));
    }
    let known = known(evidence, h, family, &labels.iter().map(|(_, label)| *label).collect());
    if known.is_empty() {
        return (family != PLATFORMS).then(|| (text.to_string(), None));
    }
    let port = family.iter().find(|(label, ..)| known.len() == 1 && known.contains(label)).and_then(|(.., port)| *port);
    Some((part(text, family, &known)?, port))
}

/// The programs of a family that are meant: those that the evidence, the names of the accused or its port speak of; else, of those for which
/// a text has parts, what runs on its machine; else those whose logs are here.
fn known(evidence: &Evidence, h: &Hypothesis, family: &[Program], labelled: &BTreeSet<&str>) -> BTreeSet<&'static str> {
    let called = |names: &BTreeSet<&str>| -> BTreeSet<&'static str> {
        let is_called = |programs: &[&str]| programs.iter().any(|program| names.contains(program));
        family.iter().filter(|(_, programs, _)| is_called(programs)).map(|(label, ..)| *label).collect()
    };
    let mut told = called(&h.speaking_signals().filter_map(|signal| signal.split('.').next()).collect());
    for entity in &h.entities {
        let (kind, name, _) = parts(entity);
        if matches!(kind, "service" | "unit") {
            told.extend(called(&BTreeSet::from([bare(name)])));
        }
        let port = address::split_port(name).1.filter(|_| matches!(kind, "addr" | "name"));
        told.extend(family.iter().filter(|(.., own)| own.is_some() && *own == port).map(|(label, ..)| *label));
    }
    if !told.is_empty() {
        return told;
    }
    let running = |is_there: &dyn Fn(&str) -> bool| -> BTreeSet<&'static str> {
        let programs = evidence.programs.iter().map(|((host, program), _)| (*host, *program));
        let writers = evidence.series.iter().map(|series| (series.host, series.service));
        let named = programs.chain(writers).map(|(host, name)| (evidence.text(host), evidence.text(name)));
        let sources = evidence.sources.iter().filter(|source| source.records > 0).map(|source| (source.host.as_str(), source.family()));
        let there = named.chain(sources).filter(|(host, _)| is_there(host)).map(|(_, name)| bare(name)).collect();
        called(&there).into_iter().filter(|label| labelled.contains(label)).collect()
    };
    let here = running(&|host| host == h.machine());
    if here.is_empty() { running(&|_| true) } else { here }
}

/// A service's name without what makes it a unit, an instance or one container of several.
fn bare(name: &str) -> &str {
    let name = name.strip_suffix(".service").unwrap_or(name);
    name.split('@').next().unwrap_or(name)
}

/// Where the parts of a text begin, in its order, and for which program each is: at its beginning, or behind a colon or a semicolon.
fn labels(text: &str, family: &[Program]) -> Vec<(usize, &'static str)> {
    let mut places = Vec::new();
    for (label, ..) in family {
        let begins = |at: &usize| {
            let (before, behind) = (text.get(..*at).unwrap_or(""), text.get(at + label.len()..).unwrap_or(""));
            (before.is_empty() || before.ends_with(": ") || before.ends_with("; ")) && behind.starts_with(": ")
        };
        places.extend(text.match_indices(label).map(|(at, _)| at).filter(begins).map(|at| (at, *label)));
    }
    places.sort_unstable();
    places
}

/// What stands before all parts, the parts for some programs (that for a single one without its name), and the remark behind all of them.
fn part(text: &str, family: &[Program], known: &BTreeSet<&str>) -> Option<String> {
    let (text, remark) = text.rsplit_once(" # ").map_or((text, None), |(text, remark)| (text, Some(remark)));
    let places = labels(text, family);
    let before = text.get(..places.first()?.0)?;
    let mut parts = Vec::new();
    for (number, (from, label)) in places.iter().enumerate().filter(|(_, (_, label))| known.contains(label)) {
        let to = places.get(number + 1).map_or(text.len(), |(next, _)| *next);
        let whole = text.get(*from..to)?.trim_end().trim_end_matches(';');
        parts.push((whole, whole.get(label.len() + 2..)?));
    }
    let parts: Vec<&str> = if let [(_, own)] = parts[..] { vec![own] } else { parts.into_iter().map(|(whole, _)| whole).collect() };
    let remark = remark.map(|remark| format!(" # {remark}")).unwrap_or_default();
    (!parts.is_empty()).then(|| format!("{before}{}{remark}", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_for_one_program() {
        let part = |text: &str, known: &[&str]| super::part(text, DATABASES, &known.iter().copied().collect());
        let text = "on db01: PostgreSQL: select 1; select 2; MySQL, MariaDB: show processlist; MongoDB: db.currentOp()";
        assert_eq!(part(text, &["PostgreSQL"]).as_deref(), Some("on db01: select 1; select 2"));
        assert_eq!(part(text, &["MySQL, MariaDB"]).as_deref(), Some("on db01: show processlist"));
        let two = Some("on db01: PostgreSQL: select 1; select 2; MongoDB: db.currentOp()");
        assert_eq!(part(text, &["PostgreSQL", "MongoDB"]).as_deref(), two);
        assert_eq!(part("PostgreSQL: a replication slot", &["MySQL, MariaDB"]), None);
        let remarked = "PostgreSQL: psql; MySQL, MariaDB: mysql # on db01";
        assert_eq!(part(remarked, &["PostgreSQL"]).as_deref(), Some("psql # on db01"));
    }

    #[test]
    fn a_name_within_a_sentence_is_no_label() {
        assert_eq!(labels("raise it (nginx: worker_connections), then reload", PROXIES), []);
        assert_eq!(labels("for HAProxy add ssl", PROXIES), []);
        assert_eq!(labels("the limit: nginx: a; HAProxy: b", PROXIES), [(11, "nginx"), (21, "HAProxy")]);
    }
}
