//! Every format of [`super::system`] must take any text without a panic, and leave a record alone that it does not read.

use super::system::system;
use crate::format::Cx;
use proptest::prelude::*;
use whyline_event::{Bump, Origin, Record};

/// Pieces that lead deep into the readers, to be put together at random.
const PIECES: &[&str] = &[
    "2026-11-21T10:00:00.123Z ",
    "2026-11-21 10:00:00,123 ",
    "Nov 21 10:00:00 ",
    "[21/Nov/2026:10:00:00 +0100] ",
    "21-Nov-2026 10:00:00 ",
    "1795253000 ",
    "I1121 10:00:00.123456 ",
    "<13>",
    "<165>1 ",
    "host ",
    "app[7]: ",
    "kernel: ",
    "sshd[1]: Failed password for ",
    "from 203.0.113.9 ",
    "port 22 ",
    "{\"a\":",
    "\"msg\":\"",
    "\\u00",
    "\\\"",
    "}",
    "[",
    "]",
    "(",
    ")",
    "<0.1.0> ",
    "=",
    "\"",
    "'",
    "level=info ",
    "msg=",
    "ERROR ",
    "ERROR:  ",
    "LOG:  duration: 1 ms  statement: ",
    "# Time: ",
    "# User@Host: ",
    "# Query_time: 1 ",
    "MESSAGE\n",
    "__CURSOR=",
    "__REALTIME_TIMESTAMP=1",
    "\n",
    "\t",
    "é",
    "\u{1f600}",
    "\u{0}",
    "Traceback (most recent call last):\n",
    "  File x\n",
    "a.B: c\n",
    "\tat x\n",
    "Caused by: ",
    "panic: ",
    "goroutine 1 [",
    "GET /x ",
    " 200 ",
    "12ms ",
    "ECONNREFUSED ",
    "10.0.0.1:1 ",
    "-> ",
    ", port ",
    "audit(1.0:1): ",
    "type=",
    "[GIN] ",
    "|",
    "[pod/",
    "1:M ",
    " stdout F ",
    "in /a:",
    "Uncaught ",
    "[pool ",
    "child 1 exited on signal ",
    "IN= SRC=1 DST=2 ",
    "[UFW BLOCK] ",
    "COMMAND=",
    " : ",
    "rhost=",
    "getaddrinfo ENOTFOUND ",
    "lookup ",
    ",,,,,,,,,,,LOG,1,\"x",
];

fn read_all(text: &str) {
    let arena = Bump::new();
    let text: &str = arena.alloc_str(text);
    let formats = system();
    let cx = Cx::new(&arena, &formats);
    for format in &formats {
        let mut record = Record::new(text, Origin::default());
        record.body = "untouched";
        if format.read(&cx, text, &mut record).is_none() {
            assert_eq!(
                (record.body, record.fields.len(), record.stamp, record.format),
                ("untouched", 0, None, "generic"),
                "{}",
                format.name()
            );
            assert!(record.severity.is_none() && record.notes.is_empty());
        }
        let line = text.lines().next().unwrap_or("");
        let learnt = format.learn(&[line, text]);
        format.starts(&cx, line);
        format.starts_after(&cx, line, text);
        if let Some(learnt) = learnt {
            learnt.starts(&cx, line);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text(text in "\\PC{0,120}") {
        read_all(&text);
    }

    #[test]
    fn pieces(parts in prop::collection::vec(0..PIECES.len(), 0..12), tail in "[ -~é]{0,12}") {
        let text: String = parts.iter().map(|n| PIECES[*n]).chain([tail.as_str()]).collect();
        read_all(&text);
    }

    #[test]
    fn cut_lines(n in 0usize..200, which in 0usize..8) {
        let lines = [
            "2026-11-21 10:00:00.123 UTC,\"ü\",\"d\",77,\"10.0.0.7:5001\",6a.1,3,\"INSERT\",2026-11-21 09:00:00 UTC,3/4,0,ERROR,23505,\"dup\"",
            "{\"time\":\"2026-11-21T10:00:00Z\",\"level\":\"error\",\"msg\":\"ü\\u00e9\\ud83d\\ude00\",\"err\":{\"stack\":\"E: x\\n at y\"}}",
            "<165>1 2026-11-21T22:14:15.003Z wéb1 shop 77 ID47 [meta@1 user=\"a \\\"b\\\"\"] \u{feff}order",
            "Nov 21 10:00:00 web1 sshd[7]: Failed password for invalid user ü from 203.0.113.9 port 4022 ssh2",
            "# Time: 261121  9:48:28\n# User@Host: ü[shop] @  [10.0.0.7]\n# Query_time: 1.5  Lock_time: 0.25\nselect ü;",
            "[21-Nov-2026 10:06:46 Europe/Berlin] PHP Fatal error:  Uncaught Ü: gone in /srv/x.php:12\nStack trace:\n",
            "2026-11-21T10:00:00.123+01:00  INFO 12345 --- [ü] [main] c.e.Foo   : Connection to db/10.0.0.3:5432 refused ü",
            "4346:M 21 Nov 2026 09:42:47.034 # ü connect ECONNREFUSED 10.0.0.41:6379 (host='ü', port=1)",
        ];
        let line = lines[which];
        let end = line.char_indices().map(|(at, _)| at).nth(n).unwrap_or(line.len());
        read_all(&line[..end]);
        read_all(&line[end..]);
    }
}
