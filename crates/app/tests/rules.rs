//! The built-in rules: all there, all sound, every example as it should be, and enough of them for every domain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says plainly what it expects")]

mod common;

use common::{Fixture, names, top, whyline};
use std::collections::BTreeSet;
use std::fs;

/// Causes that the rules can prove, by domain. An id is stable once it stands here.
const CAUSES: &[&str] = &[
    "app.crash",
    "app.dependency-failure",
    "app.deadlock",
    "app.memory-leak",
    "app.misconfigured",
    "app.overload",
    "app.process-down",
    "app.slow-response",
    "app.unhandled-exception",
    "auth.credentials-expired",
    "auth.provider-unavailable",
    "cache.out-of-memory",
    "cache.pool-exhausted",
    "cache.stampede",
    "cache.unavailable",
    "cdn.stale-cache",
    "change.bad-deploy",
    "change.version-conflict",
    "client.aborted",
    "client.bad-request",
    "client.retry-storm",
    "client.tls-incompatible",
    "db.auth-failure",
    "db.corruption",
    "db.lock-contention",
    "db.pool-exhausted",
    "db.replication-failure",
    "db.slow-query",
    "db.too-many-connections",
    "db.unavailable",
    "discovery.failure",
    "dns.name-not-found",
    "dns.resolver-unavailable",
    "dns.stale-record",
    "firewall.blocked",
    "host.cpu-overload",
    "host.disk-failure",
    "host.disk-full",
    "host.fd-exhausted",
    "host.hardware-fault",
    "host.io-saturation",
    "host.out-of-memory",
    "host.permission-denied",
    "host.port-conflict",
    "host.reboot",
    "host.storage-disconnected",
    "k8s.config-missing",
    "k8s.evicted",
    "k8s.forbidden",
    "k8s.image-pull-failed",
    "k8s.ingress-misconfigured",
    "k8s.network-plugin",
    "k8s.node-not-ready",
    "k8s.probe-failed",
    "k8s.quota-exceeded",
    "k8s.unschedulable",
    "k8s.volume-failed",
    "lb.health-check-misconfigured",
    "lb.no-healthy-backend",
    "net.conntrack-full",
    "net.ephemeral-ports-exhausted",
    "net.host-unreachable",
    "net.mtu-mismatch",
    "net.packet-loss",
    "net.syn-flood",
    "proxy.body-too-large",
    "proxy.config-invalid",
    "proxy.keepalive-mismatch",
    "proxy.rate-limited",
    "proxy.timeout-too-short",
    "proxy.upstream-misconfigured",
    "proxy.worker-connections-exhausted",
    "queue.backlog",
    "queue.unavailable",
    "security.brute-force",
    "security.scan",
    "security.traffic-flood",
    "security.waf-blocked",
    "time.clock-skew",
    "tls.certificate-expired",
    "tls.certificate-not-yet-valid",
    "tls.certificate-untrusted",
    "tls.hostname-mismatch",
    "tls.key-mismatch",
    "tls.plain-http-mismatch",
    "tls.protocol-mismatch",
    "tls.revocation-check-failed",
];
/// Domains of which at least one cause must be known.
const DOMAINS: &[&str] = &[
    "app",
    "auth",
    "cache",
    "cdn",
    "change",
    "client",
    "db",
    "discovery",
    "dns",
    "firewall",
    "host",
    "k8s",
    "lb",
    "net",
    "proxy",
    "queue",
    "security",
    "time",
    "tls",
];

#[test]
fn every_example_of_the_pack_comes_out_as_it_should() {
    let ran = whyline(["rules", "test"]).expect(0);
    let passed: u64 = ran.out.lines().last().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(passed > 1000, "{}", ran.out);
}

#[test]
fn the_pack_has_no_error() {
    let ran = whyline(["rules", "check"]).expect(0);
    assert!(ran.out.contains(" 0 errors"), "{}", ran.out);
    assert!(!ran.out.lines().any(|l| l.starts_with("error")), "{}", ran.out);
}

#[test]
fn every_file_is_loaded() {
    let files: Vec<String> = names(&top().join("rules")).into_iter().filter(|n| n.ends_with(".yaml")).collect();
    let said = whyline(["rules", "check"]).expect(0).out;
    let count: usize = said.lines().last().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert_eq!(count, files.len(), "files in the pack and in rules/");
    // A file might be counted and yet be empty: each must bring something that the program lists.
    let listed = whyline(["rules", "list"]).expect(0).out;
    let ids: BTreeSet<&str> = listed.lines().filter_map(|l| l.split_whitespace().nth(1)).collect();
    for file in files {
        let text = fs::read_to_string(top().join("rules").join(&file)).unwrap();
        let own: Vec<&str> = text.lines().filter_map(id).collect();
        assert!(!own.is_empty(), "rules/{file} has neither signals nor faults");
        let lost: Vec<&&str> = own.iter().filter(|id| !ids.contains(**id)).collect();
        assert!(lost.is_empty(), "rules/{file}: {lost:?} are not in the program");
    }
}

/// The id that a line of a rule file begins: two spaces, a dotted name, a colon.
fn id(line: &str) -> Option<&str> {
    let name = line.strip_prefix("  ")?.trim_end().strip_suffix(':')?;
    let fits = name.contains('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    fits.then_some(name)
}

#[test]
fn causes_of_every_domain_can_be_proved() {
    assert!(CAUSES.len() >= 45);
    let listed = whyline(["rules", "list"]).expect(0).out;
    let faults: BTreeSet<&str> =
        listed.lines().filter_map(|l| l.strip_prefix("fault")).filter_map(|l| l.split_whitespace().next()).collect();
    let unknown: Vec<&&str> = CAUSES.iter().filter(|c| !faults.contains(**c)).collect();
    assert!(unknown.is_empty(), "no fault has these ids: {unknown:?}");
    let mut unproved = Vec::new();
    for cause in CAUSES {
        let shown = whyline(["rules", "show", cause]).expect(0).out;
        let says = |word: &str| shown.lines().any(|l| l.trim_start().starts_with(word));
        for (word, what) in [("for ", "evidence"), ("fix ", "a remedy")] {
            if !says(word) {
                unproved.push(format!("{cause} has no {what}"));
            }
        }
    }
    assert!(unproved.is_empty(), "{unproved:#?}");
    for domain in DOMAINS {
        assert!(CAUSES.iter().any(|c| c.split('.').next() == Some(domain)), "no cause of the domain `{domain}`");
    }
}

/// What a visitor writes into a request is no word of a program, whichever format tells of the request.
#[test]
fn strangers_are_not_heard() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/strangers.yaml");
    let ran = whyline(["rules", "test", file]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn no_bad_file_hides_the_others() {
    let folder = tempfile::TempDir::new().unwrap();
    for (name, bytes) in [
        ("a.yaml", &b"signals:\n  shop.a: {titel: a, query: 'stauts:5', quiet: true}\n"[..]),
        ("b.yaml", b"signals:\n  shop.b: {title: b, query: x, quiet: true}\n  # caf\xe9\n"),
        ("c.yaml", b"\xff\xfes\0i\0"),
        ("d.yaml", b"just a string\n"),
        ("e.yaml", b"signals:\n  shop.e:\n    title: e\n    query: \"conn\" refused\n    until: shop.b\n"),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let said = whyline(["rules", "check", path]).expect(1).out.replace(path, "");
    for words in [
        "/a.yaml:2:12: `titel` is no key of a signal",
        "did you mean `status`?",
        "/b.yaml:3:8: the file is no UTF-8: byte 0xE9 stands here",
        "/c.yaml:1:1: the file is no UTF-8: byte 0xFF stands here",
        "/d.yaml:1:1: a rule file is a mapping of keys, and not a text",
        "/e.yaml:4:12: the text ends with its second quote",
        "write `until: [shop.b]`",
        "5 files, 3 signals, 0 faults: 7 errors, 1 warning",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    // Who wants to use them hears the same, as a matter of wrong usage.
    whyline(["rules", "list", "--rules", path]).expect(2).says("`titel` is no key of a signal").says("did you mean `status`?");
    let tested = whyline(["rules", "test", path]).expect(1);
    assert!(tested.out.contains("`titel` is no key of a signal"), "{}", tested.out);
}

#[test]
fn one_of_a_kind_is_counted_as_one() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("r.yaml");
    fs::write(&path, "signals:\n  shop.a: {title: a, query: x, quiet: true}\n").unwrap();
    let said = whyline(["rules", "check", path.to_str().unwrap()]).expect(0).out;
    assert!(said.ends_with("1 file, 1 signal, 0 faults: 0 errors, 1 warning\n"), "{said}");
}

#[test]
fn rules_are_found_by_a_part_of_their_names() {
    // What a count counts, and the way of an edge, are said in the words of rule files.
    let count = whyline(["rules", "show", "go.many-wait-for-lock"]).expect(0).out;
    assert!(count.contains("count    of go.waiting-for-lock, at least 10 within 1m, by host.name"), "{count}");
    assert!(count.contains("accuses  host.name"), "{count}");
    let fault = whyline(["rules", "show", "app.deadlock"]).expect(0).out;
    assert!(fault.contains("leads to http.502 (through: upstream)") && !fault.contains("Unsaid"), "{fault}");
    whyline(["rules", "show", "app.process-dwon"]).expect(2).says("did you mean `app.process-down`?");
    whyline(["rules", "show", "refused"]).expect(2).says("`whyline rules list refused` lists those that hold it");
    whyline(["rules", "show", "nginx.access"]).expect(2).says("`whyline formats nginx.access` shows it");
    let listed = whyline(["rules", "list", "TLS.*"]).expect(0).out;
    assert!(listed.lines().count() > 5 && listed.lines().all(|l| l.split_whitespace().nth(1).unwrap().starts_with("tls.")), "{listed}");
    let listed = whyline(["rules", "list", "Refused"]).expect(0).out;
    assert!(listed.lines().count() > 2 && listed.lines().all(|l| l.to_lowercase().contains("refused")), "{listed}");
    whyline(["rules", "list", "haproxy.tcp"]).expect(1).says("`whyline formats haproxy.tcp` shows it");
}

/// A shop's own file keeps lines from built-in signals, switches rules off, and puts its advice before the built-in one.
#[test]
fn own_files_change_built_in_rules_and_answers_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.yaml");
    let rules = "filters:
  shop.planned:
    title: we stop units by hand
    signals: ['systemd.service-*', conn.*]
    query: process:systemd
    examples:
      match: ['Nov 20 20:31:07 app02 systemd[1]: Stopping ledger.service - Ledger API...']
      ignore: ['Nov 20 20:31:07 app02 ledger[7]: Stopping ledger.service - Ledger API...']
off: [app.process-down]
faults:
  app.crash: {extends: true, advice: {fix: ['call the night shift']}}
";
    fs::write(&file, rules).unwrap();
    let file = file.to_str().unwrap();
    assert!(whyline(["rules", "test", file]).expect(0).out.starts_with("2 passed, 0 failed"));
    let listed = whyline(["rules", "list", "--rules", file]).expect(0).out;
    let lines = |start: &str| listed.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((lines("off      app.process-down "), lines("filter   shop.planned "), lines("fault    app.process-down ")), (1, 1, 0));
    let shown = |id: &str| whyline(["rules", "show", id, "--rules", file]).expect(0).out;
    assert!(shown("systemd.service-stopped").contains("without  process:systemd (shop.planned "));
    assert!(shown("app.process-down").contains("off      by `app.process-down`, "));
    assert!(shown("app.crash").contains("  fix      call the night shift\n"));
    let answer = Fixture::named("nginx-app-service-stopped").diagnose(&["--rules", file]);
    assert!(!answer.out.contains("systemd[1]: Stopping ledger.service") && !answer.out.contains("app.process-down  "), "{}", answer.out);
    for said in [&answer.out.replace("\n    ", " "), &answer.err] {
        assert!(said.contains("switches off app.process-down; filters records for conn.*, systemd.service-*"), "{said}");
    }
}

#[test]
fn matches_say_what_signals_hear_in_logs_and_what_no_rule_knows() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("shop.yaml");
    let own = "signals:
  shop.bad-json:
    title: a client sends JSON that cannot be read
    query: '\"bad json in request body\"'
    entity: service.name
    origin: our own front
    examples:
      match: ['2026-11-20 21:07:12 WARN front: bad json in request body']
      ignore: ['2026-11-20 21:07:12 WARN front: json']
";
    fs::write(&rules, own).unwrap();
    let rules = rules.to_str().unwrap();
    let logs = Fixture::named("nginx-app-service-stopped").logs;
    let logs = logs.to_str().unwrap();
    let whole = whyline(["rules", "match", logs, "--rules", rules]).expect(0).out;
    insta::assert_snapshot!("what_signals_match", whole);
    // However the work is shared, the answer is the same.
    assert_eq!(whyline(["--threads", "1", "rules", "match", logs, "--rules", rules]).expect(0).out, whole);
    let own = whyline(["rules", "match", logs, "--rules", rules, "--signal", "shop.*", "--format", "jsonl"]).expect(0).events();
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!((&own[0]["signal"], &own[0]["records"]), (&"shop.bad-json".into(), &5.into()));
    assert!(own[0]["text"].as_str().unwrap().contains("bad json in request body"), "{own:?}");
    whyline(["rules", "match", logs, "--signal", "kafka.*"]).expect(1);
    whyline(["rules", "match", logs, "--signal", "kafak.broker"]).expect(2).says("no signal with a query of its own fits `kafak.broker`");
    whyline(["rules", "match"]).expect(2);
}
