//! Whose logs these are: the host of a source whose lines name none.

use crate::sosreport::Reports;
use std::collections::{BTreeMap, BTreeSet};

/// Folder names that are programs or customary places of logs, never machines.
const NOT_HOSTS: &[&str] = &[
    "access",
    "alternatives",
    "apache",
    "apache2",
    "app",
    "apps",
    "application",
    "apt",
    "archive",
    "audit",
    "backup",
    "caddy",
    "cassandra",
    "ceph",
    "chrony",
    "cluster",
    "collected",
    "consul",
    "contour",
    "container",
    "containers",
    "coredns",
    "cron",
    "cups",
    "data",
    "db",
    "debug",
    "docker",
    "downloads",
    "dpkg",
    "dump",
    "elasticsearch",
    "envoy",
    "error",
    "errors",
    "etc",
    "etcd",
    "exim4",
    "export",
    "fail2ban",
    "files",
    "grafana",
    "gunicorn",
    "haproxy",
    "home",
    "httpd",
    "httperr",
    "iis",
    "incident",
    "inetpub",
    "installer",
    "java",
    "journal",
    "k8s",
    "kafka",
    "keepalived",
    "kernel",
    "keycloak",
    "kube",
    "kubernetes",
    "laravel",
    "lib",
    "lighttpd",
    "log",
    "logfiles",
    "logs",
    "mail",
    "mariadb",
    "messages",
    "minio",
    "mnt",
    "mongodb",
    "mysql",
    "named",
    "namespaces",
    "nginx",
    "node",
    "nodes",
    "openvpn",
    "opt",
    "output",
    "pgbouncer",
    "php",
    "php-fpm",
    "pods",
    "postfix",
    "postgres",
    "postgresql",
    "private",
    "proc",
    "prometheus",
    "proxy",
    "python",
    "rabbitmq",
    "redis",
    "root",
    "rsyslog",
    "run",
    "samba",
    "service",
    "services",
    "sos_commands",
    "sosreport",
    "squid",
    "srv",
    "ssh",
    "stderr",
    "stdout",
    "supervisor",
    "supervisord",
    "sys",
    "syslog",
    "system",
    "system32",
    "systemd",
    "tmp",
    "tomcat",
    "traefik",
    "unbound",
    "usr",
    "uwsgi",
    "var",
    "varnish",
    "vault",
    "web",
    "windows",
    "workdir",
    "www",
    "zookeeper",
    "server",
    "servers",
    "hosts",
    "machines",
    "api",
    "worker",
    "workers",
    "current",
    "old",
    "new",
    "rotated",
    "certbot",
    "deploy",
    "letsencrypt",
    "releases",
    "before",
    "after",
    "today",
    "yesterday",
    "asg",
    "cdn",
    "cloudfront",
    "jetty",
    "unattended-upgrades",
    // Load balancers and what else a cloud logs.
    "alb",
    "cloudtrail",
    "cloudwatch",
    "elb",
    "events",
    "nlb",
    // Namespaces that most clusters have, and the parts of a cluster.
    "argocd",
    "calico-apiserver",
    "calico-system",
    "cert-manager",
    "control-plane",
    "controlplane",
    "default",
    "external-secrets",
    "flux-system",
    "gatekeeper-system",
    "ingress-nginx",
    "istio-ingress",
    "istio-system",
    "karpenter",
    "kube-flannel",
    "kube-node-lease",
    "kube-public",
    "kube-system",
    "kyverno",
    "logging",
    "longhorn-system",
    "metallb-system",
    "monitoring",
    "projectcontour",
    "rook-ceph",
    "tigera-operator",
    "traefik-v2",
];

/// Programs whose folders carry the first number of their version, as packages name them, with the versions that there are. Numbers beyond
/// are those of machines.
const WITH_VERSION: &[(&str, std::ops::RangeInclusive<u32>)] =
    &[("jetty", 8..=12), ("php", 5..=9), ("php", 53..=89), ("postgresql", 9..=19), ("python", 2..=3), ("tomcat", 5..=11)];

/// Whether a folder is called by a program and its version: `tomcat10`, `jetty9`, `php8.2`, `php8.2-fpm`, `postgresql-16`.
fn has_version(folder: &str) -> bool {
    WITH_VERSION.iter().any(|(program, versions)| {
        let Some(rest) = folder.strip_prefix(program) else { return false };
        let rest = rest.strip_suffix("-fpm").unwrap_or(rest);
        let (first, minor) = rest.strip_prefix('-').unwrap_or(rest).split_once('.').unwrap_or((rest.trim_start_matches('-'), "0"));
        first.parse().is_ok_and(|first: u32| versions.contains(&first)) && minor.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    })
}

/// The name of a folder; that of an archive without what says how it is packed, when, and that it holds logs.
fn stem(folder: &str) -> &str {
    folder.strip_suffix('!').map_or(folder, stem_of)
}

/// What of an archive's name may be a machine's.
fn stem_of(archive: &str) -> &str {
    const WORDS: &[&str] = &["log", "logs", "bundle", "dump", "backup", "export"];
    let cut = [".tar", ".tgz", ".tbz", ".txz", ".tzst", ".zip"].iter().filter_map(|end| archive.find(end)).min();
    let mut name = archive.get(..cut.unwrap_or(archive.len())).unwrap_or(archive);
    // A date at the end, and no number of a machine.
    for (at, _) in name.rmatch_indices(['-', '_', '.']) {
        let tail = name[at..].bytes();
        if !tail.clone().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.' | b'T')) {
            break;
        }
        if tail.filter(u8::is_ascii_digit).count() >= 6 {
            name = &name[..at];
            break;
        }
    }
    for word in WORDS {
        let front = name.strip_prefix(word).and_then(|n| n.strip_prefix(['-', '_', '.']));
        let back = name.strip_suffix(word).and_then(|n| n.strip_suffix(['-', '_', '.']));
        name = front.or(back).unwrap_or(name);
    }
    name
}

fn could_be_host(folder: &str, several_archives: bool) -> bool {
    if folder.ends_with('!') && !several_archives {
        return false;
    }
    let low = stem(folder).to_ascii_lowercase();
    let hash = low.len() >= 12 && low.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let number = low.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'));
    // The log folder of a site of IIS.
    let site = low.strip_prefix("w3svc").is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    !low.is_empty()
        && !hash
        && !number
        && !site
        && !NOT_HOSTS.contains(&low.as_str())
        && !low.starts_with("openshift-")
        && !has_version(&low)
}

/// What is known of one source.
pub struct Known<'a> {
    /// Path relative to the root, or from higher up.
    pub path: &'a str,
    /// So many of its first folders count only where lines name them.
    pub doubtful: usize,
    /// Host names in its first lines, with counts.
    pub hosts: &'a BTreeMap<String, u32>,
}

/// The host of each source by its folder, in the order of `sources`.
///
/// The deepest folder that could be a machine's name counts; a folder that a line below it names as its host is taken before
/// others, and a folder that lies inside another folder with log files of its own is an application's, not a machine's. So is one that lies
/// inside several folders under the same name, and one below the level at which other sources have their machines.
pub fn by_folder(sources: &[Known<'_>]) -> Vec<Option<String>> {
    // Folders that hold files directly.
    let mut with_files: BTreeSet<&str> = BTreeSet::new();
    // Folders below which a line names the folder as host.
    let mut confirmed: BTreeSet<&str> = BTreeSet::new();
    for source in sources {
        let Some((folder, _)) = source.path.rsplit_once('/') else { continue };
        with_files.insert(folder);
        for prefix in prefixes(folder) {
            let name = stem(prefix.rsplit('/').next().unwrap_or(prefix));
            if source.hosts.keys().any(|h| h == name || h.split('.').next() == Some(name)) {
                confirmed.insert(prefix);
            }
        }
    }
    // One archive is the bundle; of several each may be a machine's.
    let archives: BTreeSet<&str> = sources
        .iter()
        .filter_map(|s| s.path.split_once("!/"))
        .map(|(archive, _)| stem_of(archive.rsplit('/').next().unwrap_or(archive)))
        .collect();
    let several = archives.len() > 1;
    let reports = Reports::of(sources);
    let levels = Levels::of(sources, several, &confirmed);
    sources
        .iter()
        .map(|source| {
            if let Some(host) = reports.host(source.path) {
                return Some(host);
            }
            if reports.is_output(source.path) {
                return None;
            }
            let (folder, _) = source.path.rsplit_once('/')?;
            let all: Vec<&str> = prefixes(folder).collect();
            let name = |p: &&str| stem(p.rsplit('/').next().unwrap_or(p)).to_string();
            if let Some(sure) = all.iter().rev().find(|p| confirmed.contains(**p)) {
                return Some(name(sure));
            }
            let candidates = candidates(source, several);
            let machines: Vec<&str> = candidates.iter().copied().filter(|p| !levels.is_program(p, source.path)).collect();
            let machines = if machines.is_empty() { candidates } else { machines };
            let outer = machines.iter().find(|p| **p != folder && with_files.contains(**p));
            let agreed = machines.iter().find(|p| levels.taken.contains(&level(p)));
            agreed.or(outer).or(machines.last()).map(name)
        })
        .collect()
}

/// The folders above a source that could be a machine's, from the outermost on.
fn candidates<'a>(source: &Known<'a>, several_archives: bool) -> Vec<&'a str> {
    let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let could_be = |p: &&str| could_be_host(p.rsplit('/').next().unwrap_or(p), several_archives);
    prefixes(folder).skip(source.doubtful).filter(could_be).collect()
}

/// How many folders lie above one.
fn level(prefix: &str) -> usize {
    prefix.matches('/').count()
}

/// What sources say of each other's folders.
struct Levels<'a> {
    /// Levels of folders that lines name as hosts, or that are the only ones of a source that could be a machine's.
    taken: BTreeSet<usize>,
    /// For the name of a folder the folders around it that could be machines themselves.
    around: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// What all paths begin with.
    root: &'a str,
}

impl<'a> Levels<'a> {
    fn of(sources: &[Known<'a>], several_archives: bool, confirmed: &BTreeSet<&'a str>) -> Levels<'a> {
        let mut taken: BTreeSet<usize> = confirmed.iter().map(|p| level(p)).collect();
        let mut around: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for source in sources {
            let candidates = candidates(source, several_archives);
            if let [only] = candidates[..] {
                taken.insert(level(only));
            }
            for pair in candidates.windows(2) {
                if let [outer, inner] = pair
                    && inner.rsplit_once('/').is_some_and(|(parent, _)| parent == *outer)
                {
                    around.entry(stem(inner.rsplit('/').next().unwrap_or(inner))).or_default().insert(outer);
                }
            }
        }
        let first = sources.first().map_or("", |source| source.path);
        let common = |path: &str| first.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
        let length = sources.iter().map(|source| common(source.path)).min().unwrap_or(0);
        let root = first.get(..length).and_then(|begins| begins.rsplit_once('/')).map_or("", |(root, _)| root);
        Levels { taken, around, root }
    }

    /// Whether a folder above a file is a program's: the names of machines are unique, those of programs are not; and programs call the
    /// folder as they call the file, inside a folder that is not that of the whole bundle.
    fn is_program(&self, prefix: &str, path: &str) -> bool {
        let (parent, name) = prefix.rsplit_once('/').unwrap_or(("", prefix));
        let file = path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')).unwrap_or("");
        let called_alike = !parent.is_empty() && parent != self.root && file.split('.').next() == Some(name) && !file.contains('/');
        called_alike || self.around.get(stem(name)).is_some_and(|around| around.len() > 1)
    }
}

/// `a`, `a/b`, `a/b/c` of `a/b/c`.
fn prefixes(folder: &str) -> impl Iterator<Item = &str> {
    folder.match_indices('/').map(|(i, _)| &folder[..i]).chain(std::iter::once(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(list: &[(&str, &str)]) -> Vec<Option<String>> {
        let maps: Vec<BTreeMap<String, u32>> =
            list.iter().map(|(_, h)| if h.is_empty() { BTreeMap::new() } else { BTreeMap::from([(h.to_string(), 1)]) }).collect();
        let known: Vec<Known<'_>> = list.iter().zip(&maps).map(|((p, _), h)| Known { path: p, doubtful: 0, hosts: h }).collect();
        by_folder(&known)
    }

    #[test]
    fn folders() {
        let some = |s: &str| Some(s.to_string());
        assert_eq!(hosts(&[("web01/nginx/access.log", ""), ("web01/syslog", "web01")]), [some("web01"), some("web01")]);
        assert_eq!(hosts(&[("cat-1/market/catalog.log", ""), ("cat-1/syslog", "cat-1")]), [some("cat-1"), some("cat-1")]);
        assert_eq!(hosts(&[("r1/pricing/ledger.log", ""), ("r1/messages", "")]), [some("r1"), some("r1")]);
        assert_eq!(hosts(&[("containers/shop-api-1/559c6d618affe7c1/x-json.log", "")]), [some("shop-api-1")]);
        assert_eq!(hosts(&[("q-1/quotes/a.log", ""), ("q-2/quotes/a.log", "")]), [some("q-1"), some("q-2")]);
        assert_eq!(hosts(&[("w-1/nginx/access.log", ""), ("a-1/shop/app.log", "")]), [some("w-1"), some("a-1")]);
        assert_eq!(hosts(&[("case/web01/a.log", ""), ("case/web02/a.log", "")]), [some("web01"), some("web02")]);
        assert_eq!(hosts(&[("case/web01/web01.log", ""), ("case/web02/web02.log", "")]), [some("web01"), some("web02")]);
        assert_eq!(hosts(&[("cart-1/cart/cart.log", ""), ("pay-1/pay/pay.log", "")]), [some("cart-1"), some("pay-1")]);
        assert_eq!(
            hosts(&[("p-1/gateway/current", ""), ("p-1/deploy/deploy.log", ""), ("lb-1/haproxy.log", "")]),
            [some("p-1"), some("p-1"), some("lb-1")]
        );
        assert_eq!(hosts(&[("mus-edge/letsencrypt/l.log", ""), ("mus-edge/nginx/access.log", "")]), [some("mus-edge"), some("mus-edge")]);
        assert_eq!(hosts(&[("search-1/jetty9/x.log", ""), ("search-1/php8.2-fpm/y.log", "")]), [some("search-1"), some("search-1")]);
        assert_eq!(hosts(&[("logs/kube-system/a.log", ""), ("logs/openshift-dns/b.log", "")]), [None, None]);
        assert_eq!(hosts(&[("unattended-upgrades/a.log", ""), ("postgresql-16/a.log", ""), ("tomcat10/a.log", "")]), [None, None, None]);
        // Numbers of machines, and what lines call a machine.
        assert_eq!(hosts(&[("tomcat1/a.log", ""), ("php21/a.log", "")]), [some("tomcat1"), some("php21")]);
        assert_eq!(hosts(&[("monitoring/syslog", "monitoring")]), [some("monitoring")]);
        assert_eq!(hosts(&[("access.log", "")]), [None]);
        assert_eq!(hosts(&[("var/log/nginx/access.log", "")]), [None]);
        // An archive is a bundle, unless there are several of them.
        assert_eq!(hosts(&[("case-7.tar.gz!/access.log", ""), ("case-7.tar.gz!/app/x.log", "")]), [None, None]);
        assert_eq!(hosts(&[("case-7.zip!/web01/access.log", "")]), [some("web01")]);
        assert_eq!(hosts(&[("web01.tar.gz!/access.log", ""), ("web02.tgz!/access.log", "")]), [some("web01"), some("web02")]);
        assert_eq!(hosts(&[("logs-web01-20261120.zip!/x.log", ""), ("web02-logs.zip!/x.log", "")]), [some("web01"), some("web02")]);
        assert_eq!(hosts(&[("case-20261119.zip!/x.log", ""), ("case-20261120.zip!/x.log", "")]), [None, None]);
        assert_eq!(hosts(&[("web01.tar.xz!/access.log", ""), ("web01.tar.xz!/syslog", "web01")]), [some("web01"), some("web01")]);
    }

    #[test]
    fn folders_above_count_only_where_lines_name_them() {
        let named = BTreeMap::from([("web01".to_string(), 9)]);
        let none = BTreeMap::new();
        let known =
            |hosts| [Known { path: "web01/access.log", doubtful: 1, hosts: &none }, Known { path: "web01/syslog", doubtful: 1, hosts }];
        assert_eq!(by_folder(&known(&none)), [None, None]);
        assert_eq!(by_folder(&known(&named)), [Some("web01".to_string()), Some("web01".to_string())]);
    }
}
