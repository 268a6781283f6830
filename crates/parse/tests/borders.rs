//! Borders of blocks: whatever stands around them, a source of several megabytes gives the records that its lines are.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod common;

use std::fmt::Write;
use whyline_event::{Clock, Key, Record, stamp::rfc3339};
use whyline_parse::Counts;

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    line: u64,
    lines: u32,
    format: String,
    time: Option<String>,
    body: String,
    stream: Option<String>,
}

fn see(r: &Record<'_>) -> Seen {
    let time = r.stamp.map(|s| rfc3339(Clock::default().instant(&s), 0));
    let stream = r.str(Key::LogStream).map(str::to_string);
    let (line, lines) = (r.origin.line, r.origin.lines);
    Seen { line, lines, format: r.format.to_string(), time, body: r.body.to_string(), stream }
}

fn read(text: &str) -> (Vec<Seen>, Counts) {
    let (seen, counts) = common::read(text.as_bytes(), see);
    assert_eq!(counts.lines, text.lines().count() as u64);
    assert_eq!(counts.lines, counts.in_events + counts.blank);
    assert_eq!(counts.bytes, text.len() as u64);
    (seen, counts)
}

/// Times that go on by a second each line.
fn time(i: usize) -> String {
    format!("2026-11-21T{:02}:{:02}:{:02}", 8 + i / 3600, i / 60 % 60, i % 60)
}

#[test]
fn parts_of_lines_that_a_runtime_split() {
    let mut text = String::new();
    let long = "y".repeat(16_384);
    for i in 0..80 {
        for stream in ["stdout", "stderr"] {
            writeln!(text, "{}.1Z {stream} P one {long}", time(i)).unwrap();
        }
        for stream in ["stdout", "stderr"] {
            writeln!(text, "{}.1Z {stream} F {stream}", time(i)).unwrap();
        }
    }
    let (seen, _) = read(&text);
    assert_eq!(seen.len(), 160);
    for s in &seen {
        assert_eq!((s.lines, s.body.len()), (2, 4 + 16_384 + 6), "line {}", s.line);
        assert!(s.body.ends_with(s.stream.as_deref().unwrap()), "line {}", s.line);
    }
    // The same as Docker writes it.
    let mut text = String::new();
    for i in 0..80 {
        writeln!(text, "{{\"log\":\"{long}\",\"stream\":\"stdout\",\"time\":\"{}.1Z\"}}", time(i)).unwrap();
        writeln!(text, "{{\"log\":\"end {i}\\n\",\"stream\":\"stdout\",\"time\":\"{}.1Z\"}}", time(i)).unwrap();
    }
    let (seen, _) = read(&text);
    assert_eq!(seen.len(), 80);
    assert!(seen.iter().all(|s| s.lines == 2 && s.body.contains("yend ")));
}

#[test]
fn traces_of_two_writers_that_take_turns() {
    let mut text = String::new();
    for i in 0..2500 {
        for frame in ["java.lang.IllegalStateException: empty", "\\tat com.example.A.a(A.java:1)", "\\tat com.example.B.b(B.java:2)"] {
            for stream in ["stdout", "stderr"] {
                writeln!(text, "{{\"log\":\"{frame} {stream}\\n\",\"stream\":\"{stream}\",\"time\":\"{}.1Z\"}}", time(i)).unwrap();
            }
        }
    }
    assert!(text.len() > 1 << 20);
    let (seen, _) = read(&text);
    assert_eq!(seen.len(), 5000);
    for s in &seen {
        let stream = s.stream.as_deref().unwrap();
        assert!(s.lines == 3 && s.body.lines().all(|l| l.ends_with(stream)), "{s:?}");
    }
}

#[test]
fn traces_in_a_source_without_stamps() {
    let trace = "Traceback (most recent call last):\n  File \"/srv/app.py\", line 3, in pay\n    charge()\nValueError: no total\n";
    let text = trace.repeat(25_000);
    let (seen, _) = read(&text);
    assert!(seen.iter().all(|s| s.lines == 4 && s.line % 4 == 1), "{:?}", seen.iter().find(|s| s.lines != 4));
    assert_eq!(seen.len(), 25_000);
}

#[test]
fn records_without_stamps_behind_records_with() {
    // A service that logs objects without a time behind lines that have one.
    let mut text = String::new();
    for i in 0..500 {
        writeln!(text, "{} INFO shop: start {i}", time(i)).unwrap();
    }
    for i in 0..60_000 {
        writeln!(text, "{{\"level\":\"info\",\"msg\":\"step {i}\"}}").unwrap();
    }
    writeln!(text, "{} INFO shop: end", time(600)).unwrap();
    let (seen, counts) = read(&text);
    assert_eq!((seen.len(), counts.records), (60_501, 60_501));
    assert_eq!(seen[60_499].body, "step 59999");
    // Their time is that of the last record which has one, over all borders.
    assert!(seen[500..60_500].iter().all(|s| s.time.as_deref() == Some("2026-11-21T08:08:19Z")), "{:?}", seen[60_000]);
}

#[test]
fn a_source_that_ceases_to_stamp_its_lines_is_found_again() {
    let mut text = String::new();
    for i in 0..500 {
        writeln!(text, "{} INFO shop: start {i}", time(i)).unwrap();
    }
    let plain = 120_000;
    for i in 0..plain {
        writeln!(text, "worker is at step number {i} of its work").unwrap();
    }
    writeln!(text, "{} INFO shop: end", time(600)).unwrap();
    writeln!(text, "{} INFO shop: over", time(601)).unwrap();
    let (seen, counts) = read(&text);
    // What stands in the first megabyte belongs to the last record with a stamp; what comes behind are records.
    let cut = &seen[499];
    assert!(cut.lines > 10_000 && cut.lines < 40_000, "{}", cut.lines);
    assert_eq!(counts.records, 500 + u64::from(plain as u32 - (cut.lines - 1)) + 2);
    assert!(seen[500..seen.len() - 2].iter().all(|s| s.lines == 1 && s.time.as_deref() == Some("2026-11-21T08:08:19Z")));
    assert_eq!(seen.last().unwrap().body, "shop: over");
}

#[test]
fn a_trace_longer_than_a_block_stays_one_record() {
    let frames = "\tat com.example.Shop.pay(Shop.java:41)\n".repeat(60_000);
    let text = format!("{}Z ERROR shop: no basket\n{frames}{}Z INFO shop: next\n", time(1), time(2));
    let (seen, _) = read(&text);
    assert_eq!(seen.iter().map(|s| s.lines).collect::<Vec<_>>(), [60_001, 1]);
}

#[test]
fn output_of_commands_behind_a_long_log() {
    let df = "Filesystem      Size  Used Avail Use% Mounted on\n/dev/vda1        40G   39G  120M 100% /\n";
    let mut log = String::new();
    for i in 0..3000 {
        writeln!(log, "{}Z INFO shop: step {i}", time(i)).unwrap();
    }
    let (seen, _) = read(&format!("{log}{df}\n{}Z INFO shop: end\n", time(3001)));
    assert_eq!(seen.len(), 3003);
    assert_eq!(
        (seen[3000].format.as_str(), seen[3001].format.as_str(), seen[3002].body.as_str()),
        ("command.df", "command.df", "shop: end")
    );
    // And the other way round: what follows for megabytes is all read.
    let mut long = String::new();
    for i in 0..40_000 {
        writeln!(long, "{}Z INFO shop: step {i} of a long day", time(i % 40_000)).unwrap();
    }
    let (seen, _) = read(&format!("{df}\n{long}"));
    assert_eq!(seen.len(), 40_002);
    assert!(seen[2..].iter().all(|s| s.lines == 1 && s.body.contains("step ")));
}

#[test]
fn a_table_longer_than_a_block_keeps_its_head() {
    let mut text = String::from("Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n");
    for i in 0..40_000 {
        writeln!(text, "tcp   ESTAB  0      0      192.0.2.{}:{} 198.51.100.7:443", i % 250, 1024 + i % 60_000).unwrap();
    }
    let (seen, _) = read(&text);
    assert_eq!(seen.len(), 40_001);
    assert!(seen.iter().all(|s| s.format == "command.ss"), "{:?}", seen.iter().find(|s| s.format != "command.ss"));
}

#[test]
fn many_windows_events_on_one_line() {
    let event = |n: usize| {
        format!(
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Shop'/><EventID>{n}</EventID><Level>4</Level>\
             <TimeCreated SystemTime='{}Z'/><Computer>web1.example.com</Computer></System><EventData><Data>step</Data></EventData></Event>",
            time(n)
        )
    };
    for count in [3, 12_000] {
        let events: String = (0..count).map(event).collect();
        for text in [
            format!("<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?><Events>{events}</Events>\n"),
            format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Events>{events}</Events>"),
        ] {
            let (seen, _) = read(&text);
            let events: Vec<&Seen> = seen.iter().filter(|s| s.format == "windows").collect();
            assert_eq!(events.len(), count);
            assert!(events.iter().all(|s| s.line == events[0].line && s.time.is_some()));
        }
    }
}
