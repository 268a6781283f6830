//! Traces that come one line an envelope: one record each, never mixed with the lines of another writer.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

use whyline_event::Key;
use whyline_parse::formats;
use whyline_parse::reading::read_text;

/// First line, number of lines, format and body of each record.
fn read(text: &str) -> Vec<(u64, u32, String, String)> {
    let mut seen = Vec::new();
    read_text(text, None, &formats::all(), &mut |r| seen.push((r.origin.line, r.origin.lines, r.format.to_string(), r.body.to_string())));
    assert_eq!(seen.iter().map(|s| u64::from(s.1)).sum::<u64>(), text.lines().count() as u64, "every line is in a record: {seen:#?}");
    seen
}

fn json(stream: &str, second: u32, text: &str) -> String {
    let log = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t");
    format!("{{\"log\":\"{log}\\n\",\"stream\":\"{stream}\",\"time\":\"2026-11-21T10:00:{second:02}.100000000Z\"}}\n")
}

fn cri(stream: &str, second: u32, text: &str) -> String {
    format!("2026-11-21T10:00:{second:02}.100000000Z {stream} F {text}\n")
}

const JAVA: &[&str] = &[
    "2026-11-21 10:00:01,100 ERROR [http-3] com.example.Shop - no basket",
    "java.lang.IllegalStateException: empty",
    "\tat com.example.Shop.pay(Shop.java:41)",
    "\tat com.example.Shop.main(Shop.java:7)",
    "Caused by: java.io.IOException: gone",
    "\t... 2 more",
];

const PYTHON: &[&str] =
    &["Traceback (most recent call last):", "  File \"/srv/app.py\", line 3, in pay", "    charge(total=3)", "ValueError: no total"];

/// Puts a line into an envelope.
type Wrap = fn(&str) -> String;

#[test]
fn a_trace_in_every_envelope_is_one_record() {
    let wrapped: &[(&str, Wrap)] = &[
        ("docker.json", |l| json("stderr", 1, l)),
        ("cri", |l| cri("stderr", 1, l)),
        ("k8s.pod_prefix", |l| format!("[pod/shop-7c9d/web] {l}\n")),
        ("compose", |l| format!("shop-1  | {l}\n")),
        ("syslog.rfc3164", |l| format!("Nov 21 10:00:01 app01 shop[42]: {l}\n")),
        ("syslog.rfc3164", |l| format!("Nov 21 10:00:01 app01 java[42]: {}\n", l.replace('\t', "#011"))),
        ("syslog.rfc5424", |l| format!("<11>1 2026-11-21T10:00:01.1Z app01 shop 42 - - {l}\n")),
    ];
    for (name, wrap) in wrapped {
        let text: String = std::iter::once("2026-11-21 10:00:00,900 INFO [http-1] com.example.Shop - up")
            .chain(JAVA.iter().copied())
            .chain(["2026-11-21 10:00:01,200 INFO [http-1] com.example.Shop - next"])
            .map(wrap)
            .collect();
        let seen = read(&text);
        let lines: Vec<(u64, u32)> = seen.iter().map(|s| (s.0, s.1)).collect();
        assert_eq!(lines, [(1, 1), (2, 6), (8, 1)], "{name}: {seen:#?}");
        assert!(seen[1].3.contains("no basket") && seen[1].3.ends_with("\n\t... 2 more"), "{name}: {seen:#?}");
    }
}

#[test]
fn the_record_has_the_stamp_of_its_first_line_and_names_the_exception() {
    let text: String = PYTHON.iter().map(|l| cri("stderr", 3, l)).chain([cri("stderr", 4, "listening")]).collect();
    let mut seen = 0;
    read_text(&text, None, &formats::all(), &mut |r| {
        seen += 1;
        if seen == 1 {
            assert_eq!((r.origin.lines, r.str(Key::ExceptionType), r.str(Key::LogStream)), (4, Some("ValueError"), Some("stderr")));
            assert_eq!(r.body, PYTHON.join("\n"));
            assert_eq!(r.text, text.lines().take(4).collect::<Vec<_>>().join("\n"));
            assert_eq!(r.origin.length as usize, r.text.len());
        }
    });
    assert_eq!(seen, 2);
}

#[test]
fn writers_that_take_turns_are_not_mixed() {
    let mut text = String::new();
    for (i, line) in PYTHON.iter().enumerate() {
        text += &json("stderr", 1, line);
        text += &json("stdout", 1, &format!("GET /items/{i} 200"));
    }
    let seen = read(&text);
    let lines: Vec<(u64, u32)> = seen.iter().map(|s| (s.0, s.1)).collect();
    assert_eq!(lines, [(1, 4), (2, 1), (4, 1), (6, 1), (8, 1)]);
    assert_eq!(seen[0].3, PYTHON.join("\n"));
    // Two pods, both with a trace.
    let mut text = String::new();
    for line in PYTHON {
        text += &format!("[pod/shop-a/web] {line}\n[pod/shop-b/web] {}\n", line.replace("pay", "send"));
    }
    let seen = read(&text);
    assert_eq!(seen.iter().map(|s| (s.0, s.1)).collect::<Vec<_>>(), [(1, 4), (2, 4)]);
    assert!(seen[0].3.contains("in pay") && seen[1].3.contains("in send"), "{seen:#?}");
}

#[test]
fn parts_of_a_line_among_those_of_another_stream() {
    let part = |stream: &str, tag: &str, text: &str| format!("2026-11-21T10:00:01.1Z {stream} {tag} {text}\n");
    let text = [part("stdout", "P", "one "), part("stderr", "F", "other"), part("stdout", "F", "line")].concat();
    let seen = read(&text);
    assert_eq!(seen.iter().map(|s| (s.0, s.1, s.3.as_str())).collect::<Vec<_>>(), [(1, 2, "one line"), (2, 1, "other")]);
}

#[test]
fn lines_that_only_look_alike_stay_alone() {
    let cases: &[String] = &[
        // Later by more than a text takes.
        [cri("stdout", 1, "started"), cri("stdout", 9, "  with a blank")].concat(),
        // Another process.
        "Nov 21 10:00:01 app01 shop[42]: started\nNov 21 10:00:01 app01 shop[43]: \tat com.example.Shop.main(Shop.java:7)\n".into(),
        // The kernel writes a line a message.
        "Nov 21 10:00:01 app01 kernel: [ 1.0] Call Trace:\nNov 21 10:00:01 app01 kernel: [ 1.0]  dump_stack+0x1\n".into(),
        [cri("stdout", 1, "started"), cri("stdout", 1, "listening on 80")].concat(),
        // A daemon that stamps some of its messages itself.
        "Nov 21 10:00:01 ns1 named[42]: 21-Nov-2026 10:00:01.100 general: info: running\nNov 21 10:00:01 ns1 named[42]: zone reloaded\n"
            .into(),
        "Nov 21 10:00:01 app01 ftpd[42]: up\nNov 21 10:00:01 app01 ftpd[42]:  a blank too many\n".into(),
    ];
    for text in cases {
        assert_eq!(read(text).len(), 2, "{text}");
    }
}

#[test]
fn an_object_over_several_lines() {
    let text: String =
        ["{", "  \"level\": \"error\",", "  \"msg\": \"no basket\"", "}", "ready"].iter().map(|l| cri("stdout", 1, l)).collect();
    let seen = read(&text);
    assert_eq!(seen.iter().map(|s| (s.1, s.2.as_str())).collect::<Vec<_>>(), [(4, "json"), (1, "cri")], "{seen:#?}");
    assert_eq!(seen[0].3, "no basket");
}

#[test]
fn a_blank_line_within_a_trace() {
    let lines = [
        "Traceback (most recent call last):",
        "  File \"a.py\", line 3, in f",
        "KeyError: 'x'",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        "  File \"a.py\", line 9, in g",
        "ValueError: y",
        "ready",
    ];
    let text: String = lines.iter().map(|l| json("stderr", 1, l)).collect();
    let seen = read(&text);
    assert_eq!(seen.iter().map(|s| (s.0, s.1)).collect::<Vec<_>>(), [(1, 9), (10, 1)], "{seen:#?}");
}
