//! What queries mean, record by record.

// Helpers of tests may say plainly what they expect, as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use whyline_event::{Key, Name, Origin, Record, Severity, Source, SourceId, Value};
use whyline_query::Query;

const ERROR: &str = "2026/11/20 20:31:07 [error] 811#811: *5 connect() failed (111: Connection refused) while connecting to upstream, \
                     client: 203.0.113.7, upstream: \"http://10.0.0.3:8080/pay\"";
const ACCESS: &str =
    "203.0.113.7 - - [20/Nov/2026:20:31:07 +0000] \"GET /api/pay?id=7 HTTP/1.1\" 502 1536 \"-\" \"curl/8.5 connection refused\"";

fn origin() -> Origin {
    Origin { source: SourceId(0), line: 42, lines: 1, offset: 0, length: 0 }
}

fn error_record() -> Record<'static> {
    let mut record = Record::new(ERROR, origin());
    record.format = "nginx.error";
    record.body = "connect() failed (111: Connection refused) while connecting to upstream";
    record.severity = Some(Severity::Error);
    record.put_str(Key::Level, "error");
    record.put_str(Key::HostName, "web01");
    record.put_str(Key::ClientAddress, "203.0.113.7");
    record.put_str(Key::UpstreamAddress, "10.0.0.2:8080");
    record.put_str(Key::UpstreamAddress, "10.0.0.3:8080");
    record.put_int(Key::ProcessPid, "811");
    record.put_other("order.note", Value::Str("Please deliver before noon"));
    record.put_other("order.count", Value::Int(12));
    record.put_other("order.paid", Value::Bool(true));
    record.put_other("order.ratio", Value::Float(0.5));
    record.put_other("order.took", Value::Str("250ms"));
    record.put_other("dur_ms", Value::Int(250));
    record.put_other("order.from", Value::Str("10.1.2.3:5555"));
    record
}

fn access_record() -> Record<'static> {
    let mut record = Record::new(ACCESS, origin());
    record.format = "nginx.access";
    record.put_str(Key::ClientAddress, "2001:db8::7");
    record.put_str(Key::Method, "GET");
    record.put_str(Key::Path, "/api/pay");
    record.put_int(Key::Status, "502");
    record.put_int(Key::UpstreamStatus, "502");
    record.put_int(Key::UpstreamStatus, "200");
    record.put_int(Key::ResponseBytes, "1536");
    record.put(Key::Duration, Value::Duration(2_500_000_000));
    record.put_str(Key::UserAgent, "curl/8.5 connection refused");
    record
}

fn check(record: &Record<'_>, yes: &[&str], no: &[&str]) {
    for (queries, want) in [(yes, true), (no, false)] {
        for text in queries {
            let query = Query::parse(text).unwrap_or_else(|e| panic!("{}", e.render(text)));
            assert_eq!(query.matches(record), want, "{text}");
            let printed = query.to_string();
            let again = Query::parse(&printed).unwrap_or_else(|e| panic!("{text} was printed so: {}", e.render(&printed)));
            assert_eq!(again.root(), query.root(), "{text} was printed so: {printed}");
            assert_eq!(Query::parse(&format!("NOT ({text})")).unwrap().matches(record), !want, "NOT ({text})");
        }
    }
}

#[test]
fn words_and_phrases() {
    check(
        &error_record(),
        &[
            "refused",
            "REFUSED",
            "\"connection refused\"",
            "\"connect() failed (111: Connection refused)\"",
            "connection-refused",
            "refused failed",
            "deliver",
            "\"deliver before noon\"",
            "body:refused",
            "msg:\"Connection Refused\"",
            "raw:203.0.113.7",
            "text:\"203.0.113.7, upstream\"",
            "*",
        ],
        &["refus", "\"refused connection\"", "\"upstream please\"", "203", "body:deliver", "web01", "12", "time"],
    );
}

#[test]
fn whole_values() {
    check(
        &error_record(),
        &[
            "host:web01",
            "host.name:WEB01",
            "host.hostname:\"web01\"",
            "format:nginx.error",
            "format:NGINX.error",
            "pid:811",
            "line:42",
            "order.note:\"please deliver before noon\"",
            "order.count:12",
            "order.count:12.0",
            "order.paid:true",
            "order.ratio:0.50",
            "order.took:250ms",
            "order.from:10.1.2.3",
            "order.from:10.1.2.3:5555",
            "order.from:10.0.0.0/8",
        ],
        &[
            "host:web",
            "order.note:deliver",
            "order.count:1",
            "order.count:12k",
            "pid:81",
            "format:nginx",
            "Order.count:12",
            "order.from:10.1.2.3:80",
            "source:app.log",
        ],
    );
}

#[test]
fn addresses() {
    check(
        &error_record(),
        &[
            "upstream:10.0.0.3",
            "upstream:10.0.0.2",
            "upstream:10.0.0.3:8080",
            "upstream:\"10.0.0.3:8080\"",
            "upstream:10.0.0.0/24",
            "upstream:10.0.0.*",
            "upstream:*.3",
            "client:203.0.113.7",
            "client:(10.0.0.1 203.0.113.7)",
            "client:\"203.0.113.0/24\"",
        ],
        &["upstream:10.0.0.30", "upstream:10.0.0.3:80", "upstream:10.0.0.3:80*1", "client:203.0.113.7:80", "client:10.0.0.0/8"],
    );
    check(
        &access_record(),
        &["client:2001:db8::7", "client:2001:DB8:0:0::7", "client:[2001:db8::7]", "client:2001:db8::/32", "client:\"2001:db8::7\""],
        &["client:2001:db8::8", "client:::1", "client:[2001:db8::7]:80"],
    );
}

#[test]
fn wildcards_and_regular_expressions() {
    check(
        &access_record(),
        &[
            "path:/api/*",
            "path:/API/p?y",
            "path:*pay",
            "status:5*",
            "status:5??",
            "path:/^\\/api/",
            "path:/pay$/",
            "path:/api/",
            "body:*curl*",
            "agent:curl*",
            "path:/pay/ method:GET",
            "(path:/pay/)",
        ],
        &["path:/api", "path:api*", "path:/API/", "path:?", "path:\"/api/*\"", "body:curl*", "path:/^api/ status:502"],
    );
    check(
        &error_record(),
        &[r"msg:/failed \(111: .* refused\)/", "msg:/(?i)CONNECTION REFUSED/", "msg:/^connect/", "body:/upstream$/", "order.count:/^1/"],
        &["msg:/CONNECTION/", "msg:/^upstream/", "body:/203/"],
    );
}

#[test]
fn comparisons_and_ranges() {
    check(
        &access_record(),
        &[
            "status:>=500",
            "status:>501",
            "status:<=502",
            "status:[500 TO 599]",
            "status:{501 TO 503}",
            "status:[500 TO *]",
            "status:[* TO *]",
            "status:(502 503 504)",
            "status:(200 OR 502)",
            "status:(>=500 AND <600)",
            "status:(NOT 404)",
            "status:(200 (>=500 AND <600))",
            "upstream_status:200",
            "upstream_status:502",
            "duration:>2s",
            "duration:2500ms",
            "duration:2.5",
            "took:<1m",
            "duration:[2s TO 3s}",
            "bytes:[1k TO 1M]",
            "bytes:1.5KiB",
            "bytes:>1000",
            "line:>=42",
        ],
        &[
            "status:>502",
            "status:{500 TO 502}",
            "status:(500 503)",
            "duration:>2500ms",
            "duration:>3",
            "bytes:{1536 TO 2k]",
            "pid:>0",
            "status:\"-\"",
        ],
    );
    check(
        &error_record(),
        &[
            "dur_ms:>200ms",
            "dur_ms:[100ms TO 0.25s]",
            "dur_ms:>249500us",
            "dur_ms:>200",
            "order.count:>11",
            "order.count:[12 TO 12]",
            "order.took:>0.2s",
            "order.ratio:<1",
        ],
        &["dur_ms:>1s", "dur_ms:<250ms", "order.note:>1", "order.paid:>0", "order.took:>1s"],
    );
}

#[test]
fn presence() {
    check(
        &error_record(),
        &["upstream:*", "NOT status:*", "!status:*", "level:*", "format:*", "body:*", "NOT source:*"],
        &["status:*", "NOT upstream:*", "status:502", "status:<600", "path:?*"],
    );
}

#[test]
fn levels() {
    check(
        &error_record(),
        &[
            "level:error",
            "level:ERROR",
            "severity_text:ERROR",
            "level:err",
            "level:>=warn",
            "level:>=warning",
            "level:(warn error)",
            "level:err*",
        ],
        &["level:warn", "level:>error", "level:<error", "level:fatal"],
    );
    let mut notice = error_record();
    notice.severity = Some(Severity::Info);
    notice.fields.retain(|f| f.name != Name::Known(Key::Level));
    notice.put_str(Key::Level, "notice");
    check(
        &notice,
        &["level:notice", "level:info", "level:information", "level:<=notice", "log.level:notice"],
        &["level:debug", "level:>info"],
    );
}

#[test]
fn how_operators_bind() {
    check(
        &access_record(),
        &[
            "method:POST status:502 OR method:GET",
            "method:GET OR method:POST status:200",
            "NOT method:POST status:502",
            "NOT (method:POST OR status:200)",
            "NOT NOT status:502",
            "(method:GET) AND ((status:502))",
            "!method:POST AND !status:200",
        ],
        &["(method:GET OR method:POST) status:200", "NOT method:GET OR status:200", "NOT (method:POST OR status:502)"],
    );
}

#[test]
fn rules_do_not_listen_to_strangers() {
    let (access, error) = (access_record(), error_record());
    let ask = |text: &str, record: &Record<'_>| Query::parse(text).unwrap().for_rules().matches(record);
    for text in ["\"connection refused\"", "body:refused", "body:/refused/", "body:*refused*", "refused OR NOT format:nginx.access refused"]
    {
        assert!(Query::parse(text).unwrap().matches(&access), "{text}");
        assert!(!ask(text, &access), "{text}");
    }
    for text in [
        "\"connection refused\" format:nginx.access",
        "refused status:502",
        "refused path:/api/*",
        "refused format:*.access",
        "raw:refused",
    ] {
        assert!(ask(text, &access), "{text}");
    }
    assert!(ask("\"connection refused\"", &error));
    assert!(ask("NOT refused", &access));
    // What went wrong says the program that answered.
    let mut told = access.clone();
    told.put_str(Key::ExceptionMessage, "dial tcp 10.0.0.9:5432: no route to host");
    assert!(ask("\"no route to host\"", &told) && !ask("body:route", &told) && !ask("\"connection refused\"", &told));
}

#[test]
fn sources_and_their_hosts() {
    let source = Source { path: "db01/var/log/app.log".into(), host: Some("db01".into()), modified: None };
    let record = Record::new("hello", origin());
    for (text, alone, inside) in
        [("host:db01", false, true), ("source:*/app.log", false, true), ("NOT host:*", true, false), ("hello", true, true)]
    {
        let query = Query::parse(text).unwrap();
        assert_eq!(query.matches(&record), alone, "{text}");
        assert_eq!(query.matches_in(&record, Some(&source)), inside, "{text}");
    }
    let named = error_record();
    assert!(!Query::parse("host:db01").unwrap().matches_in(&named, Some(&source)));
}

#[test]
fn what_is_wrong_and_where() {
    for (text, message, place) in [
        ("", "the query is empty", ""),
        ("   ", "the query is empty", ""),
        ("a AND", "a term is missing here", ""),
        ("AND a", "AND needs a term on both sides", "AND"),
        ("a OR OR b", "OR needs a term on both sides", "OR"),
        ("NOT", "a term is missing here", ""),
        ("(a", "this parenthesis is never closed", "("),
        ("a)", "this parenthesis closes nothing", ")"),
        ("connect() failed", "there is nothing between these parentheses", "()"),
        ("status:() x", "there is nothing between these parentheses", "()"),
        ("status:(502", "this parenthesis is never closed", "("),
        ("status:(502 AND)", "a term is missing before this parenthesis", ")"),
        ("status:(NOT)", "a term is missing before this parenthesis", ")"),
        ("\"a", "this quote is never closed", "\""),
        ("OSError: x", "a value is missing here", " "),
        ("status:", "a value is missing here", ""),
        ("status:> 500", "a number is missing after >", ">"),
        ("status:abc", "`abc` is nothing that `http.response.status_code` could be compared with: it is a number", "abc"),
        ("duration:>2x", "`2x` is nothing that `http.server.request.duration` could be compared with: it is a length of time", "2x"),
        ("level:>=loud", "`loud` is nothing that `level` could be compared with: it is a level", "loud"),
        ("client:>10.0.0.1", "`10.0.0.1` is nothing that `client.address` could be compared with: it is an address", "10.0.0.1"),
        ("client:10.0.0.0/99", "an address like 10.0.0.0 has 32 bits, so no range of such addresses is `10.0.0.0/99`", "10.0.0.0/99"),
        (
            "upstream:(2001:db8::/129)",
            "an address like 2001:db8:: has 128 bits, so no range of such addresses is `2001:db8::/129`",
            "2001:db8::/129",
        ),
        ("time:>10:00", "times of events are asked by options, not in the expression", "10:00"),
        ("@timestamp:[10:00 TO 11:00]", "times of events are asked by options, not in the expression", "[10:00 TO 11:00]"),
        ("bytes:[1k 2k]", "this is no range", "[1k 2k]"),
        ("bytes:[1k", "this is no range", "["),
        ("msg:/a(b/", "in this regular expression: unclosed group", "("),
        ("time*", "wildcards stand in the values of fields only", "time*"),
        ("-status:500", "a minus does not negate", "-status:500"),
        ("-\"a\"", "a minus does not negate", "-"),
        ("---", "there is no letter or digit to seek in this", "---"),
        ("status:503 | count by host", "a pipe cannot stand here", "|"),
        ("a |", "a pipe cannot stand here", "|"),
        ("| count", "the query is empty", "|"),
        ("a OR | count", "a term is missing before the pipe", "|"),
    ] {
        let error = Query::parse(text).expect_err(text);
        assert_eq!(error.message, message, "{text}");
        assert_eq!(text.get(error.span.clone()).unwrap_or_default(), place, "{text}");
        assert!(error.help.is_some() && error.render(text).contains('^'), "{text}");
    }
}

#[test]
fn what_would_be_right() {
    for (text, help) in [
        ("client:10.0.0.0/99", "write from /0 (all of them) to /32 (this one alone): client.address:10.0.0.0/32"),
        ("time:>10:00", "write --since 10:00 behind the expression, or a whole time: --since 2026-11-21T10:00:00Z"),
        ("timestamp:<=yesterday", "write --until yesterday behind the expression, or a whole time: --since 2026-11-21T10:00:00Z"),
        ("time:[10:00 TO *]", "write --since 10:00 behind the expression, or a whole time: --since 2026-11-21T10:00:00Z"),
        ("time:[10:00 TO 11:00]", "write --since 10:00 --until 11:00 behind the expression, or a whole time: --since 2026-11-21T10:00:00Z"),
    ] {
        assert_eq!(Query::parse(text).expect_err(text).help.as_deref(), Some(help), "{text}");
    }
    // In quotes everything means itself, and a field of that name may hold numbers.
    assert!(Query::parse("client:\"10.0.0.0/99\" time:>5 client:10.0.0.0/32").is_ok());
}

#[test]
fn limits() {
    let deep = format!("{}a{}", "(".repeat(101), ")".repeat(101));
    assert_eq!(Query::parse(&deep).unwrap_err().message, "parentheses and NOT are nested deeper than 100");
    assert!(Query::parse(&"NOT ".repeat(5_000)).is_err());
    assert!(Query::parse(&format!("status:{}1{}", "(".repeat(5_000), ")".repeat(5_000))).is_err());
    assert!(Query::parse(&format!("status:({} 1)", "NOT ".repeat(5_000))).is_err());
    assert!(Query::parse(&"a ".repeat(5_000)).is_err());
    assert!(Query::parse(&"a".repeat(70_000)).is_err());
    assert!(Query::parse(&format!("{}a{}", "(".repeat(100), ")".repeat(100))).is_ok());
}

#[test]
fn unknown_fields_and_what_was_meant() {
    let text = "stauts:500 AND (order.id:7 OR host:a)";
    let query = Query::parse(text).unwrap();
    let unknown: Vec<_> = query.unknown_fields().iter().map(|u| (u.name.as_str(), u.suggestion())).collect();
    assert_eq!(unknown, [("stauts", Some("status")), ("order.id", None)]);
    assert_eq!(
        query.unknown_fields()[0].render(text),
        "no known field is called `stauts`\n  stauts:500 AND (order.id:7 OR host:a)\n  ^^^^^^\nhelp: did you mean `status`?"
    );
}

#[test]
fn the_expression_before_a_pipe() {
    let (query, end) = Query::parse_expression("status:(502 503) refused | count by host").unwrap();
    assert_eq!((query.to_string().as_str(), end), ("(status:502 OR status:503) AND \"refused\"", 25));
}

/// A short name means the field of the table, and what a writer calls so; a full name and a rule mean the table alone.
#[test]
fn short_names_ask_for_the_writers_own_fields_too() {
    let mut record = Record::new("path=/srv/in.csv bytes=200 took=2", origin());
    record.put_other("path", Value::Str("/srv/in.csv"));
    record.put_other("bytes", Value::Int(200));
    record.put(Key::ExceptionMessage, Value::Str("boom at last"));
    record.put_other("Request Time", Value::Int(5));
    let asked = |text: &str| Query::parse_expression(text).unwrap_or_else(|e| panic!("{}", e.render(text))).0.matches(&record);
    for (text, want) in [
        ("path:/srv/in.csv", true),
        ("path:*.csv", true),
        ("bytes:(100 200)", true),
        ("bytes:>100", true),
        ("bytes:>1KiB", false),
        ("NOT path:*", false),
        ("error:*boom*", true),
        ("url.path:/srv/in.csv", false),
        ("\"Request Time\":5", true),
        ("\"Request Time\":(4 5) took", true),
        ("NOT \"Request Time\":>4", false),
        ("\"bytes\":200", true),
    ] {
        assert_eq!(asked(text), want, "{text}");
        let (query, _) = Query::parse_expression(text).unwrap();
        let printed = query.to_string();
        let (again, _) = Query::parse_expression(&printed).unwrap_or_else(|e| panic!("{text} was printed so: {}", e.render(&printed)));
        assert_eq!(again.root(), query.root(), "{text} was printed so: {printed}");
    }
    assert!(!Query::parse("path:/srv/in.csv").unwrap().matches(&record));
    assert!(!asked("path:/other"));
}

#[test]
fn words_of_any_script_and_with_anything_between() {
    let mut record = Record::new("x", origin());
    record.body = "Ошибка соединения: café à la carte, 資料庫連接失敗 at 10.0.0.3:8080/api/v1 (foo-bar_baz) İstanbul";
    check(
        &record,
        &[
            "ошибка",
            "\"ОШИБКА Соединения\"",
            "café",
            "CAFÉ",
            "\"à la\"",
            "連接",
            "資料庫連接失敗",
            "敗",
            "10.0.0.3:8080",
            "10.0.0.3",
            "/api/v1",
            "foo-bar_baz",
            "foo bar",
            "bar_baz",
            "\"v1 (foo\"",
        ],
        &["ошиб", "cafe", "連失", "10.0.0.30", "0.0.3:80", "/api/v", "foo-baz", "\"соединения ошибка\""],
    );
}

#[test]
fn names_of_other_conventions() {
    for (name, same) in [
        ("client.ip", "client"),
        ("source.ip", "client.address"),
        ("http.response.status_code", "status"),
        ("url.path", "path"),
        ("host.hostname", "host.name"),
        ("log.file.path", "source"),
        ("message", "body"),
        ("event.original", "raw"),
        ("user_agent.original", "agent"),
        ("event.duration", "duration"),
        ("trace.id", "trace_id"),
        ("error.stack_trace", "exception.stacktrace"),
        ("http.request.referrer", "referer"),
        ("process.thread.name", "thread"),
    ] {
        assert_eq!(whyline_query::Target::find(name), whyline_query::Target::find(same), "{name}");
        assert!(!matches!(whyline_query::Target::find(name), whyline_query::Target::Other(_)), "{name}");
    }
}

#[test]
fn escapes() {
    let mut record = Record::new("x", origin());
    record.body = r#"GET /a/ b says "no" in C:\temp 100%"#;
    record.put_str(Key::Path, "/a*b?");
    check(
        &record,
        &[
            r#""says \"no\"""#,
            r#"msg:/a\/ b/"#,
            r#"msg:/C:\\temp/"#,
            r#"msg:/"no"/"#,
            r#"path:"/a*b?""#,
            r#"path:/\*b\?$/"#,
            r#"raw:/./"#,
            r#"msg:/100% *$/"#,
        ],
        &[r#"path:"/a*""#, r#"msg:/a\/b/"#],
    );
}

#[test]
fn too_much_is_refused_at_once() {
    let begun = std::time::Instant::now();
    for (text, message) in [
        (format!("{}a{}", "(".repeat(3_000), ")".repeat(3_000)), "parentheses and NOT are nested deeper than 100"),
        ("(".repeat(60_000), "parentheses and NOT are nested deeper than 100"),
        ("a ".repeat(500_000), "a query may have 65536 bytes at most"),
        (format!("msg:/{}/", "x".repeat(9_000)), "in this regular expression: a regular expression may have 8192 bytes at most"),
        ("a ".repeat(5_000), "a query may have 4096 terms at most"),
        (format!("status:({})", "502 ".repeat(5_000)), "a query may have 4096 terms at most"),
    ] {
        let error = Query::parse(&text).unwrap_err();
        assert_eq!(error.message, message);
        assert!(error.render(&text).contains('^'));
    }
    assert!(begun.elapsed().as_secs() < 20, "a wrong query costs no time to speak of");
    let help = Query::parse("status:(502, 503)").unwrap_err().help.unwrap_or_default();
    assert!(help.contains("parted by spaces"), "{help}");
}
