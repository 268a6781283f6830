//! Formats that are told in rule files, from the outside: what is said of wrong ones, and what right ones do.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects, in its helpers as well")]

mod common;

use common::{Ran, whyline};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(TempDir::new().unwrap());
        for (name, text) in files {
            let path = folder.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs with paths below the folder in place of words that begin with `@`.
    fn run(&self, words: &[&str]) -> Ran {
        let arguments = words.iter().map(|w| match w.strip_prefix('@') {
            Some(name) => self.path(name).to_str().unwrap().to_string(),
            None => (*w).to_string(),
        });
        whyline(arguments)
    }

    /// What is said of the rule file, with its name alone.
    fn checked(&self) -> Ran {
        let mut ran = self.run(&["rules", "check", "--alone", "@rules.yaml"]);
        for text in [&mut ran.out, &mut ran.err] {
            *text = text.replace(self.path("").to_str().unwrap(), "");
        }
        ran
    }
}

fn checked(rules: &str) -> String {
    Folder::new(&[("rules.yaml", rules)]).checked().expect(1).out
}

const GOOD: &str = r#"formats:
  shop.orders:
    title: order service, one line an order step
    pattern: '^(?<timestamp>\S+ \S+) \[(?<level>\w+)\] order=(?<order_id>\d+) user=(?<user.name>\S+) took (?<duration>\d+) ms: (?<message>.*)$'
    units: {duration: ms}
    files: ['orders*.log']
    samples:
      - text: '2026-11-20 20:31:07 [WARN] order=4711 user=eve took 812 ms: stock reserved'
        fields:
          timestamp: '2026-11-20 20:31:07'
          severity_text: WARN
          user.name: eve
          http.server.request.duration: 0.812
          order_id: 4711
          client: null
          message: stock reserved
      - not: '2026-11-20 20:31:07 [WARN] item=4711'
  shop.edge.access:
    title: the proxy in front, with the region and the time of the cache
    nginx: |
      log_format edge '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                      'rt=$request_time <$upstream_addr> cache:$cache_age $shop_region';
    samples:
      - text: '203.0.113.9 - - [20/Nov/2026:20:31:07 +0100] "GET /cart HTTP/1.1" 502 157 rt=0.250 <10.0.0.3:8080, 10.0.0.4:8080> cache:- eu-1'
        fields: {timestamp: '2026-11-20T19:31:07Z', status: 502, upstream: ['10.0.0.3:8080', '10.0.0.4:8080'], duration: 250ms, shop_region: eu-1}
      - not: '203.0.113.9 - - [20/Nov/2026:20:31:07 +0100] "GET /cart HTTP/1.1" 502 157'
  shop.db:
    title: the database, with a prefix of its own
    postgres: '<%a> %m {%p} %q%u@%d/%h '
    samples:
      - text: '<pay job> 2026-11-20 20:31:07.250 UTC {811} shop@store/10.0.0.7 ERROR:  deadlock detected'
        fields: {process.pid: 811, user: shop, db: store, client: 10.0.0.7, severity_text: ERROR, db.client.name: pay job, body: deadlock detected}
      - text: '<> 2026-11-20 20:31:07.250 UTC {77} LOG:  checkpoint starting: time'
        fields: {process.pid: 77, user: null}
      - not: '2026-11-20 20:31:07.250 UTC [811] LOG:  checkpoint starting: time'

signals:
  shop.ledger-sealed:
    title: the ledger takes no more orders
    query: format:shop.orders order_id:>4000 "ledger is sealed"
    entity: service.name
    examples:
      match: ['2026-11-20 20:31:07 [ERROR] order=4711 user=eve took 2 ms: the ledger is sealed']
      ignore: ['2026-11-20 20:31:07 [ERROR] order=11 user=eve took 2 ms: the ledger is sealed', 'the ledger is sealed']
  shop.order-lost:
    title: an order was lost
    query: format:shop.orders lost
    entity: [order_id, host.name]
    quiet: true
    examples:
      match: ['2026-11-20 20:31:07 [ERROR] order=4711 user=eve took 2 ms: lost in the cellar']
      ignore: ['2026-11-20 20:31:07 [ERROR] order=4711 user=eve took 2 ms: found in the cellar']
faults:
  shop.ledger-sealed:
    title: the ledger was sealed before the day was over
    explains: [{fault: http.502, through: any}]
    evidence: [{signal: shop.ledger-sealed, strength: conclusive}]
    advice: {fix: [unseal the ledger]}
"#;

/// Half an hour of a proxy and the order service behind it; for some minutes orders fail.
fn bundle() -> Folder {
    let (mut edge, mut orders) = (String::new(), String::new());
    for second in 0..1800 {
        let clock = format!("20:{:02}:{:02}", second / 60, second % 60);
        let sealed = (700..1100).contains(&second);
        let (status, took) = if sealed && second % 3 > 0 { (502, "0.004") } else { (200, "0.120") };
        edge.push_str(&format!(
            "203.0.113.{} - - [20/Nov/2026:{clock} +0000] \"GET /cart/{second} HTTP/1.1\" {status} 157 rt={took} <10.0.0.3:8080> cache:- eu-1\n",
            second % 200 + 1
        ));
        if second % 2 == 0 {
            let (level, took, said) = if sealed { ("ERROR", 2, "the ledger is sealed") } else { ("INFO", 120, "stock reserved") };
            orders.push_str(&format!("2026-11-20 {clock} [{level}] order={} user=eve took {took} ms: {said}\n", 5000 + second));
            if sealed && second % 20 == 0 {
                orders.push_str("    at ledger.put (ledger.js:7)\n");
            }
        }
    }
    let syslog = "Nov 20 20:00:01 app01 systemd[1]: Started shop.service - Shop.\n".repeat(3);
    Folder::new(&[
        ("rules.yaml", GOOD),
        ("logs/edge01/edge.log", &edge),
        ("logs/app01/orders.log", &orders),
        ("logs/app01/syslog", &syslog),
    ])
}

#[test]
fn a_good_file_is_praised_and_listed() {
    let folder = Folder::new(&[("rules.yaml", GOOD)]);
    let said = folder.run(&["rules", "check", "@rules.yaml"]).expect(0).out;
    assert_eq!(said, "1 file, 2 signals, 1 fault, 3 formats: 0 errors, 0 warnings\n");
    assert_eq!(folder.run(&["rules", "test", "@rules.yaml"]).expect(0).out, "12 passed, 0 failed\n");
    let listed = folder.run(&["rules", "list", "--rules", "@rules.yaml"]).expect(0).out;
    assert!(
        listed.lines().any(|l| l.starts_with("format   shop.orders ") && l.ends_with("order service, one line an order step")),
        "{listed}"
    );
    let shown = folder.run(&["rules", "show", "shop.orders", "--rules", "@rules.yaml"]).expect(0).out;
    for words in
        ["format shop.orders: order service", "pattern  ^(?<timestamp>", "unit     duration in ms", "adds     order_id", "leaves   2026"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let names = folder.run(&["formats", "--rules", "@rules.yaml"]).expect(0).out;
    let names: Vec<&str> = names.lines().filter_map(|l| l.split_whitespace().next()).collect();
    assert!(names.contains(&"shop.orders") && names.contains(&"nginx.error"), "{names:?}");
    let entry = folder.run(&["formats", "shop.orders", "--rules", "@rules.yaml"]).expect(0).out;
    for words in ["shop.orders: order service", "order_id = 4711\n", "http.server.request.duration", "rules.yaml"] {
        assert!(entry.contains(words), "{words}: {entry}");
    }
}

#[test]
fn what_the_documentation_shows_is_sound() {
    for (page, sound) in [("rules/README.md", " 0 errors, 0 warnings"), ("README.md", " 0 errors, ")] {
        let text = fs::read_to_string(common::top().join(page)).unwrap();
        let example = text.split("```yaml\n").find(|part| part.starts_with("formats:")).unwrap().split("```").next().unwrap();
        let folder = Folder::new(&[("rules.yaml", example)]);
        let ran = folder.run(&["rules", "check", "--alone", "@rules.yaml"]).expect(0);
        assert!(ran.out.contains(sound), "{page}: {}", ran.out);
    }
}

#[test]
fn a_diagnosis_names_a_cause_from_lines_of_a_told_format() {
    let folder = bundle();
    let answer = folder.run(&["diagnose", "@logs", "--rules", "@rules.yaml", "--format", "json"]).expect(0).json();
    assert_eq!(answer["causes"][0]["id"], "shop.ledger-sealed", "{answer:#}");
    assert_eq!(answer["incidents"][0]["symptoms"][0]["id"], "http.502");
    let formats: Vec<&str> = answer["sources"].as_array().unwrap().iter().map(|s| s["format"].as_str().unwrap()).collect();
    assert_eq!(formats, ["shop.orders", "syslog.rfc3164", "shop.edge.access"]);
    let more = folder.run(&["--threads", "4", "diagnose", "@logs", "--rules", "@rules.yaml", "--format", "json"]).expect(0);
    let one = folder.run(&["--threads", "1", "diagnose", "@logs", "--rules", "@rules.yaml", "--format", "json"]).expect(0);
    assert_eq!(more.out, one.out);
}

#[test]
fn the_verbs_that_read_know_told_formats() {
    let folder = bundle();
    let parsed = folder.run(&["parse", "@logs", "--rules", "@rules.yaml"]).expect(0);
    assert_eq!(parsed.books(), (1800 + 900 + 20 + 3, 1800 + 900 + 3));
    let stack = parsed.events().into_iter().find(|e| e["lines"] == 2).unwrap();
    assert_eq!(stack["body"], "the ledger is sealed\n    at ledger.put (ledger.js:7)");
    assert_eq!(stack["attributes"]["http.server.request.duration"], 0.002);
    let only = folder.run(&["parse", "@logs/edge01/edge.log", "--as", "shop.orders", "--rules", "@rules.yaml"]).expect(0);
    assert!(only.events().iter().all(|e| e["format"] == "generic"));
    folder.run(&["parse", "@logs", "--as", "shop.order", "--rules", "@rules.yaml"]).expect(2).says("perhaps shop.orders");
    let counted = folder.run(&["query", "--count", "format:shop.orders order_id:>=6000", "@logs", "--rules", "@rules.yaml"]).expect(0);
    assert_eq!((counted.out.as_str(), counted.err.contains("no known field")), ("400\n", false), "{}", counted.err);
    let detected = folder.run(&["formats", "--rules", "@rules.yaml", "--detect", "@logs"]).expect(0).out;
    assert!(detected.contains("100 %  shop.orders        fit 98, sure"), "{detected}");
}

#[test]
fn what_was_stored_is_read_again_when_its_format_is_told() {
    let folder = bundle();
    let told = ["--store", "@store", "ingest", "@logs", "--rules", "@rules.yaml"];
    let count = |query: &str| folder.run(&["--store", "@store", "query", "--count", query]).out;
    folder.run(&["--store", "@store", "ingest", "@logs"]).expect(0);
    assert_eq!(count("format:shop.orders"), "0\n");
    folder.run(&told).expect(0).says("of which 0 are new");
    assert_eq!((count("format:shop.orders"), count("*")), ("900\n".into(), "2703\n".into()));
    folder.run(&told).expect(0).says("2703 duplicate");
    // What was read as it was told stays so.
    folder.run(&["--store", "@store", "ingest", "@logs"]).expect(0);
    assert_eq!(count("format:shop.orders"), "900\n");
    let answer = folder.run(&["--store", "@store", "diagnose", "--rules", "@rules.yaml", "--format", "json"]).expect(0).json();
    assert_eq!(answer["causes"][0]["id"], "shop.ledger-sealed");
}

#[test]
fn other_files_are_read_as_before() {
    let folder = Folder::new(&[("rules.yaml", GOOD)]);
    for fixture in common::Fixture::all().into_iter().take(4) {
        let logs = fixture.logs.to_str().unwrap();
        let plain = whyline(["parse", logs]).expect(0);
        let told = folder.run(&["parse", logs, "--rules", "@rules.yaml"]).expect(0);
        assert!(plain.out == told.out, "{}: formats that fit nothing change what is read", fixture.id);
    }
}

#[test]
fn a_told_format_is_found_inside_of_envelopes_and_over_several_lines() {
    let rules = r"formats:
  shop.batch:
    title: a batch, some lines each
    pattern: '(?s)^== batch (?<batch.id>\d+) (?<timestamp>[^\n]+)\nby (?<user>\w+)\n(?<message>.*)$'
    starts: '^== batch \d'
    zone: Europe/Berlin
  shop.orders:
    title: orders
    pattern: '^order=(?<order_id>\d+) (?<message>.+)$'
";
    let batch = "== batch 7 2026-11-20 20:31:07\nby eve\nall went well\n\n2026-11-20 is a line of it\n== batch 8 2026-11-20 20:31:09\nby bob\nnothing\n";
    let syslog = "Nov 20 20:31:07 app01 shopd[12]: order=7 is packed\nNov 20 20:31:08 app01 shopd[12]: order=8 is packed\n";
    let folder = Folder::new(&[("rules.yaml", rules), ("logs/batch.log", batch), ("logs/syslog", syslog)]);
    let events = folder.run(&["parse", "@logs", "--rules", "@rules.yaml", "--year", "2026", "--tz", "UTC"]).expect(0).events();
    let said: Vec<String> = events
        .iter()
        .map(|e| {
            format!("{} {} {} {}", e["format"].as_str().unwrap(), e["timestamp"].as_str().unwrap(), e["lines"], e["body"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        said,
        [
            "shop.batch 2026-11-20T19:31:07Z 5 all went well\n\n2026-11-20 is a line of it",
            "shop.batch 2026-11-20T19:31:09Z 3 nothing",
            "shop.orders 2026-11-20T20:31:07Z 1 is packed",
            "shop.orders 2026-11-20T20:31:08Z 1 is packed",
        ]
    );
    assert_eq!(events[2]["attributes"]["log.envelope"], "syslog.rfc3164");
    assert_eq!(events[2]["attributes"]["order_id"], 7);
}

#[test]
fn errors_stop_every_verb_that_reads_and_are_told_all_at_once() {
    let rules = "formats:\n  shop.one:\n    title: one\n    pattern: '^(?<user>x'\n  shop.two:\n    title: two\n    nginx: '$status'\n";
    let folder = Folder::new(&[("rules.yaml", rules), ("logs/a.log", "x\n")]);
    for words in [
        &["parse", "@logs", "--rules", "@rules.yaml"][..],
        &["diagnose", "@logs", "--rules", "@rules.yaml"],
        &["query", "x", "@logs", "--rules", "@rules.yaml"],
        &["--store", "@store", "ingest", "@logs", "--rules", "@rules.yaml"],
        &["formats", "--rules", "@rules.yaml"],
        &["rules", "list", "--rules", "@rules.yaml"],
    ] {
        let ran = folder.run(words).expect(2).says("rules.yaml:4:16: the expression cannot be read: unclosed group");
        ran.says("rules.yaml:5:3: `shop.two` is an access log");
    }
}

#[test]
fn what_is_said_of_a_wrong_structure() {
    let said = checked(
        r"formats:
  nginx.error:
    title: a name that is taken
    pattern: '^(?<timestamp>\S+) x (?<message>.*)$'
  Orders:
    title: a name that is none
    pattern: '^(?<timestamp>\S+) x (?<message>.*)$'
  shop.two:
    title: told twice
    pattern: '^(?<timestamp>\S+) x (?<message>.*)$'
    nginx: '$status'
  shop.none:
    title: not told at all
  shop.edge:
    title: an access log by its notation only
    apache: '%h %s'
    starts: '^x'
",
    );
    insta::assert_snapshot!(said);
    let unknown = checked_badly("formats:\n  shop.one:\n    title: x\n    patern: 'x'\n");
    let twice = "formats:\n  shop.one:\n    title: x\n    pattern: '^x (?<user>.+)$'\n";
    let folder = Folder::new(&[("rules/a.yaml", twice), ("rules/b.yaml", twice)]);
    let said = folder.run(&["rules", "check", "--alone", "@rules"]).expect(1).out;
    assert!(said.contains("b.yaml:2:3: format `shop.one` is defined twice") && said.contains("a.yaml:2\n"), "{said}");
    for words in
        ["rules.yaml:4:5", "`patern` is no key of a format", "did you mean `pattern`?", "pattern, nginx, apache, postgres, haproxy", "^"]
    {
        assert!(unknown.contains(words), "{words}: {unknown}");
    }
    let both = checked_badly("formats:\n  shop.one:\n    title: x\n    samples:\n      - text: a\n        not: b\n");
    assert!(both.contains("rules.yaml:6:14: a sample is either `text`"), "{both}");
}

/// What is said of a file with a wrong structure.
fn checked_badly(rules: &str) -> String {
    Folder::new(&[("rules.yaml", rules)]).checked().expect(1).out
}

#[test]
fn what_is_said_of_wrong_patterns() {
    let said = checked(
        r"formats:
  shop.open:
    title: a bracket that is not closed
    pattern: '^(?<timestamp>\S+) (?<user>\S+ x'
  shop.name:
    title: a name that is none
    pattern: '^(?<timestamp>\S+) (?<user-name>\S+) x'
  shop.ahead:
    title: what this kind of expression cannot do
    pattern: '^(?<timestamp>\S+) (?!DEBUG)(?<message>.*)'
  shop.nothing:
    title: nothing is captured
    pattern: '^\d+ orders'
  shop.empty:
    title: fits everything
    pattern: '^(?<message>.*)$'
  shop.all:
    title: fits nearly everything
    pattern: '^(?<user>\S+) (?<message>.*)$'
  shop.huge:
    title: grows beyond measure
    pattern: '^x (?<user>\w{1000}){1000}'
  shop.lines:
    title: several lines
    pattern: '^x (?<user>\w+)\n(?<message>.*)'
  shop.options:
    title: wrong options
    pattern: '^x (?<user>\w+) (?<took>\d+)'
    timestamp: '%d/%m/%Y'
    zone: Mars/Olympus
    starts: '^('
    units: {user: ms, tok: ms, took: weeks}
  shop.prefix:
    title: a prefix with a letter that is none
    postgres: '%m [%p] %z '
  shop.proxy.access:
    title: a variable that is none
    haproxy: '%ci:%cp [%tr] %zz'
  shop.edge.access:
    title: over several lines
    nginx: |
      log_format edge '$remote_addr $status'
                      '${open $x';
",
    );
    insta::assert_snapshot!(only_errors(&said));
}

#[test]
fn what_is_said_of_wrong_samples() {
    let said = checked(
        r"formats:
  shop.orders:
    title: orders
    pattern: '(?<timestamp>\S+ \S+) \[(?<level>\w+)\] (?<usr.name>\S+) (?<took>\d+) (?<message>.+)$'
    samples:
      - text: '05/11/2026 10:00:00 [LOUD] eve 7 hello'
        fields: {usr.name: adam, level: WARN, message: [hello, you]}
      - text: '05/11/2026 noon [INFO] eve 7 hello'
      - text: '2026-11-05 10:00:00 [INFO] eve seven hello'
      - text: |
          2026-11-05 10:00:00 [INFO] eve 7 hello
          2026-11-05 10:00:01 [INFO] bob 7 hello
      - not: '2026-11-05 10:00:00 [INFO] eve 7 hello'
  shop.vague:
    title: a pattern that a built-in format knows better
    pattern: '^(?<timestamp>\S+ \S+) (?<message>.+)$'
    samples:
      - text: '2026/11/20 20:31:07 [error] 811#811: *5 connect() failed (111: Connection refused) while connecting to upstream'
",
    );
    insta::assert_snapshot!(said);
}

#[test]
fn rules_may_use_fields_of_told_formats_and_no_others() {
    let wrong = GOOD.replace("order_id:>4000", "ordr:>4000").replace("entity: [order_id,", "entity: [order_idd,");
    let folder = Folder::new(&[("rules.yaml", &wrong)]);
    let said = folder.run(&["rules", "check", "@rules.yaml"]).expect(1).out;
    for words in
        ["the query asks for an unknown field `ordr`", "no format provides a field `order_idd`", "did you mean `order_id`?", ": 2 errors,"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
}

fn only_errors(said: &str) -> String {
    let (errors, rest) = said.split_once("warning: ").unwrap_or((said, ""));
    format!("{errors}{}\n", rest.lines().last().unwrap_or(""))
}
