//! What pipes mean, and what is said of those that cannot be read.

// Helpers of tests may say plainly what they expect, as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use whyline_event::{Clock, Key, Origin, Record, Severity, Source, SourceId, Stamp, Value};
use whyline_query::pipe::{Answered, Cell, Hit, Partial, Unit};
use whyline_query::{Asked, QueryError};

const SECOND: i64 = 1_000_000_000;

/// Ten requests on two machines, a second apart from 100 s on, and two lines of a service without a status.
fn records() -> Vec<Record<'static>> {
    let mut all = Vec::new();
    for i in 0..10i64 {
        let mut record = Record::new("GET /api/orders HTTP/1.1", origin(i));
        record.stamp = Some(Stamp::explicit((100 + i) * SECOND, 0, 0));
        record.format = "nginx.access";
        record.put(Key::Status, Value::Int(if i % 5 == 4 { 502 } else { 200 }));
        record.put_str(Key::Path, if i < 7 { "/api/orders" } else { "/Api/orders" });
        record.put(Key::Duration, Value::Duration((i + 1) * 100_000_000));
        if i > 0 {
            record.put(Key::ResponseBytes, Value::Int(i * 100));
        }
        record.put_str(Key::UpstreamAddress, "10.0.0.3:8080");
        if i == 4 {
            record.put_str(Key::UpstreamAddress, "10.0.0.4:8080");
        }
        record.put_other("order.total", [Value::Int(7), Value::Str("7"), Value::Float(0.5), Value::Str("many")][i as usize % 4]);
        all.push(record);
    }
    for (i, text) in [(10, "order 5 stored"), (11, "order 6 stored")] {
        let mut record = Record::new(text, origin(i));
        record.severity = (i == 10).then_some(Severity::Warn);
        record.stamp = (i == 10).then(|| Stamp::explicit(200 * SECOND, 0, 0));
        all.push(record);
    }
    all
}

fn origin(i: i64) -> Origin {
    Origin { source: SourceId((i % 2) as u32), line: i as u64 + 1, lines: 1, offset: i as u64 * 50, length: 9 }
}

fn sources() -> [Source; 2] {
    ["web01", "web02"].map(|host| Source { path: format!("{host}/access.log"), host: Some(host.into()), modified: None })
}

fn asked(text: &str) -> Asked {
    Asked::parse(text).unwrap_or_else(|e: QueryError| panic!("{}", e.render(text)))
}

/// The answer as text, rows parted by ` / `, its notes behind it. Gathered in several ways, which must agree.
fn answer(text: &str) -> String {
    let asked = asked(text);
    let again = Asked::parse(&asked.to_string()).unwrap_or_else(|e| panic!("{text} was printed so: {}", e.render(&asked.to_string())));
    assert_eq!(again.to_string(), asked.to_string(), "{text}");
    assert_eq!(again.pipeline.stages(), asked.pipeline.stages(), "{text}");
    let (records, sources, clock) = (records(), sources(), Clock::default());
    let whole = |order: &mut dyn Iterator<Item = usize>, parts: usize| {
        let mut partials: Vec<Partial> = (0..parts).map(|_| asked.pipeline.gather(None)).collect();
        for (n, i) in order.enumerate() {
            let (record, rank) = (&records[i], records[i].origin.source.0);
            let source = &sources[rank as usize];
            if asked.query.matches_in(record, Some(source)) {
                partials[n % parts].add(&Hit::new(record, source, &clock, rank));
            }
        }
        let mut all = partials.pop().unwrap();
        partials.into_iter().for_each(|p| all.merge(p));
        shown(&asked, all)
    };
    let once = whole(&mut (0..records.len()), 1);
    assert_eq!(once, whole(&mut (0..records.len()).rev(), 3), "{text}");
    once
}

fn shown(asked: &Asked, partial: Partial) -> String {
    let answer = partial.finish();
    let mut text = match answer.result {
        Answered::Events(found) => found.iter().map(|f| f.event.origin.line.to_string()).collect::<Vec<_>>().join(" "),
        Answered::Rows(rows) => {
            assert!(rows.iter().all(|row| row.len() == asked.pipeline.columns().len()));
            rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(" / ")
        }
    };
    for note in answer.notes {
        text.push_str(&format!(" ({note})"));
    }
    text
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Empty => "-".into(),
        Cell::Bool(yes) => yes.to_string(),
        Cell::Number(n) => n.to_string(),
        Cell::Estimate(n) => format!("~{n}"),
        Cell::Time(t) => format!("@{}", t / SECOND),
        Cell::Text(text) => text.clone(),
        Cell::List(cells) => cells.iter().map(self::cell).collect::<Vec<_>>().join("+"),
    }
}

#[test]
fn measures_and_groups() {
    for (text, want) in [
        ("* | count", "12"),
        ("status:404 | count", "0"),
        ("status:404 | count by path", ""),
        ("status:404 | sum bytes, avg bytes, max time, p50 bytes, distinct path", "- - - - 0"),
        ("* | count by status", "200 8 / 502 2 / - 2"),
        ("* | count by host", "web01 6 / web02 6"),
        ("* | count by level, status", "WARN - 1 / - 200 8 / - 502 2 / - - 1"),
        ("path:* | count by path", "/Api/orders 3 / /api/orders 7"),
        ("status:* | sum bytes, avg bytes, min bytes, max bytes", "4500 500 100 900"),
        ("status:* | avg duration as mean, p50 duration, p100 duration", "0.55 0.5 1"),
        ("status:* | min time, max timestamp", "@100 @109"),
        ("status:* | count by upstream", "10.0.0.3:8080 10 / 10.0.0.4:8080 1"),
        ("status:* | distinct upstream, distinct path, distinct host", "2 2 2"),
        ("status:* | count by order.total", "0.5 2 / 7 6 / many 2"),
        ("status:* | sum order.total", "43 (2 values are no numbers and are left out of what is measured)"),
        ("status:* | count every 4s", "@100 4 / @104 4 / @108 2"),
        ("* | count by status every 5s", "@100 200 4 / @100 502 1 / @105 200 4 / @105 502 1 / @200 - 1 / - - 1"),
        ("status:* | rate", "1.111111111"),
        ("* | count every 1w", "@0 11 / - 1"),
        ("status:* | rate every 4s", "@100 1 / @104 1 / @108 0.5"),
        ("status:* | rate by status", "200 0.888888888 / 502 0.222222222"),
        ("line:1 | rate", "1"),
        ("status:* | count by raw", "GET /api/orders HTTP/1.1 10"),
        ("status:* | count, count as again by format, source, line | count", "10"),
    ] {
        assert_eq!(answer(text), want, "{text}");
    }
}

#[test]
fn rows_and_what_follows() {
    for (text, want) in [
        ("* | count by status | sort -count", "200 8 / 502 2 / - 2"),
        ("* | count by status | sort count, -status", "502 2 / - 2 / 200 8"),
        ("* | count by status | sort -status", "502 2 / 200 8 / - 2"),
        ("* | count by status | sort -count | limit 1", "200 8"),
        ("* | count by status | fields count", "8 / 2 / 2"),
        ("* | count by status | fields count, status | sort count | limit 2 | fields status", "502 / -"),
        ("* | count by status | top 1 by count", "200 8"),
        ("status:* | top 2 path", "/api/orders 7 / /Api/orders 3"),
        ("status:* | top 1 path by max duration", "/Api/orders 1"),
        ("status:* | top 1 path, host by count", "/api/orders web01 4"),
        ("status:* | count by host every 2s | max count, sum(count) by host", "web01 1 5 / web02 1 5"),
        ("status:* | count by host every 2s | count every 4s", "@100 4 / @104 4 / @108 2"),
        ("status:* | count by path | count, sum count", "2 10"),
        ("status:* | p99(duration) as slow by path | sort -slow | fields path", "/Api/orders / /api/orders"),
        ("status:* | top 1 path | top 1 path by sum count", "/api/orders 7"),
    ] {
        assert_eq!(answer(text), want, "{text}");
    }
}

#[test]
fn conditions() {
    let by_status = "* | count as n, max duration as slow, sum bytes as size by status, level";
    // 200 - 8 0.9 3200 / 502 - 2 1 1300 / - WARN 1 - - / - - 1 - -
    for (condition, want) in [
        ("n > 1", "200 502"),
        ("n>1", "200 502"),
        ("n:>1", "200 502"),
        ("n >= 8", "200"),
        ("n < 8 AND n > 1", "502"),
        ("n <= 1", "- -"),
        ("n = 2", "502"),
        ("n == 2 or n:8", "200 502"),
        ("n != 2", "200 - -"),
        ("n > -1 n < 3", "502 - -"),
        ("n=1 OR n=2 AND status=502", "502 - -"),
        ("(n=1 OR n=2) and status=502", "502"),
        ("not (n=1 OR n=2)", "200"),
        ("NOT status > 300", "200 - -"),
        ("status = *", "200 502"),
        ("not status=*", "- -"),
        ("status = 5??", "502"),
        ("status >= 0.2k", "200 502"),
        ("level = warn", "-"),
        ("level != warn", "200 502 -"),
        ("level = \"w*\"", ""),
        ("level = w*", "-"),
        ("slow > 950ms", "502"),
        ("slow > 0.95", "502"),
        ("slow <= 1m", "200 502"),
        ("size > 2k", "200"),
        ("size > 1KiB", "200 502"),
        ("\"n\" > 1 | where status < 300", "200"),
        ("n >= 1 | where n = 2", "502"),
    ] {
        assert_eq!(answer(&format!("{by_status} | where {condition} | fields status")), want.replace(' ', " / "), "{condition}");
    }
    for (text, want) in [
        ("status:* | top 5 path | where count > 5", "/api/orders 7"),
        ("status:* | count by path | where path = /API/*", "/Api/orders 3 / /api/orders 7"),
        ("status:* | count by path | where path = /API/ORDERS", "/Api/orders 3 / /api/orders 7"),
        ("status:* | count by upstream | where upstream = 10.0.0.4 OR upstream = 10.0.0.3:8080", "10.0.0.3:8080 10 / 10.0.0.4:8080 1"),
        ("status:* | count by upstream | where upstream = 10.0.0.4/30", "10.0.0.4:8080 1"),
        ("status:* | count every 4s | where count < 4", "@108 2"),
        ("status:* | count every 4s | where time > \"1970-01-01 00:01:40\" | limit 1", "@104 4"),
        ("status:* | count every 4s | where time = 1970-01-01T00:01", "@100 4 / @104 4 / @108 2"),
        ("status:* | count every 4s | where time < 1970-01-01T00:01:44Z", "@100 4"),
        ("status:* | count every 4s | where time = 1970-01-02", ""),
        ("status:* | timeline every 4s | where count > 2", "@100 4 / @104 4"),
        ("* | count by order.total | where order.total > 1", "7 6"),
        ("* | count by order.total | where order.total = many", "many 2"),
        ("status:* | rate by status | where rate > 0.5", "200 0.888888888"),
        ("* | patterns | where count < 10", "2 order <*> stored web01/access.log:11 order 5 stored"),
        ("* | count by status | sort -count | limit 2 | where count < 5", "502 2"),
        ("* | count by status every 5s | where count > 3 | count", "2"),
    ] {
        assert_eq!(answer(text), want, "{text}");
    }
}

#[test]
fn events_and_fields() {
    for (text, want) in [
        ("*", "1 2 3 4 5 6 7 8 9 10 11 12"),
        ("* | limit 3", "1 2 3"),
        ("* | limit 3 | limit 2", "1 2"),
        ("* | sort -duration | limit 2", "10 9"),
        ("* | sort -time | limit 3", "11 10 9"),
        ("* | sort bytes, -line", "2 3 4 5 6 7 8 9 10 12 11 1"),
        ("* | limit 4 | sort -time", "4 3 2 1"),
        ("* | top 2 by bytes", "10 9"),
        ("* | limit 5 | count by status", "200 4 / 502 1"),
        ("* | sort -time | limit 3 | timeline every 1m", "@60 2 / @120 0 / @180 1"),
        ("* | limit 2 | fields time, host, status", "@100 web01 200 / @101 web02 200"),
        ("line:5 | fields upstream, level, line, msg", "10.0.0.3:8080+10.0.0.4:8080 - 5 GET /api/orders HTTP/1.1"),
        ("* | fields line, duration | sort -duration | limit 2", "10 1 / 9 0.9"),
        ("* | fields status, bytes | sum bytes by status", "200 3200 / 502 1300 / - -"),
        ("* | fields line | fields line | limit 1", "1"),
        ("* | context 2", "1 2 3 4 5 6 7 8 9 10 11 12"),
        ("* | timeline every 1m", "@60 10 / @120 0 / @180 1 (1 events have no time and are left out)"),
        ("status:* | timeline", "@100 1 / @101 1 / @102 1 / @103 1 / @104 1 / @105 1 / @106 1 / @107 1 / @108 1 / @109 1"),
        ("status:404 | timeline", ""),
        ("stored | patterns", "2 order <*> stored web01/access.log:11 order 5 stored"),
        ("* | patterns | limit 1 | fields count, pattern", "10 GET /api/orders HTTP/1.1"),
    ] {
        assert_eq!(answer(text), want, "{text}");
    }
}

#[test]
fn columns_have_names_and_units() {
    for (text, want) in [
        ("*", ""),
        ("* | count", "count"),
        ("* | count by status every 1m", "time:Time status count"),
        ("* | p99.9 duration, sum bytes as \"all bytes\", rate", "p99.9_duration:Seconds all bytes:Bytes rate:PerSecond"),
        ("* | max time, distinct client", "max_time:Time distinct_client"),
        ("* | p99 duration by path | max p99_duration", "max_p99_duration:Seconds"),
        ("* | fields @timestamp, took, \"odd name\"", "@timestamp:Time took:Seconds odd name"),
        ("* | timeline", "time:Time count"),
        ("* | patterns", "count pattern at example"),
    ] {
        let asked = asked(text);
        let column = |c: &whyline_query::pipe::Column| match c.unit {
            Unit::Plain => c.name.clone(),
            unit => format!("{}:{unit:?}", c.name),
        };
        assert_eq!(asked.pipeline.columns().iter().map(column).collect::<Vec<_>>().join(" "), want, "{text}");
    }
}

#[test]
fn a_pipe_in_quotes_is_text() {
    for text in ["\"a | count\"", "msg:/a|b/", "msg:/a | b/", "path:\"x|y\"", "msg:(\"a|b\" /c|d/)"] {
        assert!(asked(text).pipeline.stages().is_empty(), "{text}");
        assert_eq!(asked(&format!("{text} | count")).pipeline.stages().len(), 1, "{text}");
    }
    assert_eq!(asked("* | count by \"a | b\"").pipeline.columns()[0].name, "a | b");
    assert_eq!(asked("status:502|count by host|limit 5").pipeline.stages().len(), 2);
}

#[test]
fn what_is_wrong_and_where() {
    for (text, message, place, help) in [
        ("a |", "a stage is missing after the pipe", "", "count"),
        ("a | | count", "a stage is missing after the pipe", "|", "count"),
        ("a | cuont", "there is no stage `cuont`", "cuont", "did you mean `count`?"),
        ("a | Count", "there is no stage `Count`", "Count", "did you mean `count`?"),
        ("a | where x > 5", "where chooses rows of a table, and these are events", "where x > 5", "before the first pipe"),
        (
            "a | fields host | where host = x",
            "where chooses rows of a table, and these are events",
            "where host = x",
            "before the first pipe",
        ),
        ("a | filter x > 5", "there is no stage `filter`", "filter", "rows of a table are chosen by where"),
        (
            "a | count by path | where cuont > 5",
            "there is no column `cuont` here",
            "cuont",
            "did you mean `count`? The columns here are path, count",
        ),
        ("a | count by path | where status=5", "there is no column `status` here", "status", "the columns here are path, count"),
        ("a | count | where", "a comparison is missing here", "", "where count > 10"),
        ("a | count | where > 5", "a column is missing before this sign", ">", "where count > 10"),
        ("a | count | where count", "a sign is missing here: one of > >= < <= = !=", "", "count > 10"),
        ("a | count | where count 5", "a sign is missing here: one of > >= < <= = !=", "5", "count > 10"),
        ("a | count | where count >", "a value is missing here", "", "count > 10"),
        ("a | count | where count !5", "there is no sign `!5`", "!5", "the signs are"),
        ("a | count | where (count > 5", "this parenthesis is never closed", "(", "for instance"),
        ("a | count | where count > 5)", "this does not belong here", ")", "|"),
        ("a | count | where count > 5, count < 7", "this does not belong here", ",", "|"),
        ("a | count | where count > many", "`many` is nothing that `count` could be compared with", "many", "text is compared with ="),
        ("a | max duration | where max_duration = slow", "`slow` is nothing that `max_duration` could be compared with", "slow", "seconds"),
        ("a | sum bytes | where sum_bytes>big", "`big` is nothing that `sum_bytes` could be compared with", "big", "KiB"),
        ("a | count every 1m | where time > 10:00", "`10:00` is nothing that `time` could be compared with", "10:00", "UTC"),
        ("a | p999 duration", "there is no stage `p999`", "p999", "p99.9"),
        ("a | p101 duration", "there is no stage `p101`", "p101", "p100"),
        ("a | \"count\"", "a stage begins with its name", "\"count\"", "count"),
        ("a | sum", "sum of what? A field is missing", "sum", "sum duration"),
        ("a | p99 by path", "p99 of what? A field is missing", "p99", "p99 duration"),
        ("a | count path", "count counts events, not values of a field", "path", "by FIELD"),
        ("a | count, by path", "there is no measure `by`", "by", "fields to group by"),
        ("a | count, summ bytes", "there is no measure `summ`", "summ", "did you mean `sum`?"),
        ("a | sum(bytes", "this parenthesis is never closed", "(", "p99"),
        ("a | count by", "a name is missing here", "", "count by status"),
        ("a | count by status host", "this does not belong here", "host", "commas"),
        ("a | count every 1m by status", "this does not belong here", "by", "by stands before every"),
        ("a | limit 5 by host", "this does not belong here", "by", "measure"),
        ("a | count every", "a length of time is missing after every", "", "every 5m"),
        ("a | count every 60", "`60` is no length of time", "60", "unit"),
        ("a | count every 1x", "`1x` is no length of time", "1x", "unit"),
        ("a | count every 1us", "intervals are a millisecond long at least", "1us", "every 30s"),
        ("a | count every 0s", "intervals are a millisecond long at least", "0s", "every 30s"),
        ("a | limit", "a number is missing after limit", "", "limit 20"),
        ("a | limit ten", "a number is missing after limit", "ten", "limit 20"),
        ("a | limit 0", "the number after limit goes from 1 to 1000000", "0", "limit 20"),
        ("a | limit 99999999999999999999", "the number after limit goes from 1 to 1000000", "99999999999999999999", "limit 20"),
        ("a | top 5", "the 5 largest of what?", "", "top 10 path"),
        ("a | top 5 path by duration", "by which measure of `duration`?", "duration", "max duration"),
        ("a | sort", "a name is missing here", "", "sort -count"),
        ("a | sort -", "a name is missing here", "", "sort -count"),
        ("a | avg path", "`path` is text, and avg needs numbers", "path", "count by path"),
        ("a | max msg", "`msg` is text, and max needs numbers", "msg", "distinct msg"),
        ("a | avg time", "avg of a time has no meaning", "time", "min time"),
        ("a | count by path | sort -cuont", "there is no column `cuont` here", "cuont", "did you mean `count`?"),
        ("a | count by path | sort status", "there is no column `status` here", "status", "path, count"),
        ("a | fields host | count by path", "there is no column `path` here", "path", "host"),
        ("a | count by path | rate", "rate counts events, and these are rows", "rate", "before"),
        ("a | count by path | count every 1m", "these rows have no time that could be cut into intervals", "count", "every"),
        ("a | count by path | patterns", "this stage needs the events themselves", "patterns", "before"),
        ("a | fields host | context 3", "this stage needs the events themselves", "context 3", "before"),
        ("a | context 3 | count", "only a limit can follow context", "count", "without context"),
        ("a | count, count", "there are two columns `count`", "count", "as requests"),
        ("a | count by path, path", "there are two columns `path`", "path", "another name"),
        ("a | count by \"path", "this quote is never closed", "\"", "end the name"),
        ("a | count)", "this does not belong here", ")", "|"),
    ] {
        let error = Asked::parse(text).expect_err(text);
        assert_eq!(error.message, message, "{text}");
        assert_eq!(text.get(error.span.clone()).unwrap_or_default(), place, "{text}");
        assert!(error.help.as_deref().unwrap_or_default().contains(help) && error.render(text).contains('^'), "{text}: {:?}", error.help);
    }
}

#[test]
fn too_much_of_it() {
    assert!(Asked::parse(&format!("a{}", " | limit 5".repeat(32))).is_ok());
    assert!(Asked::parse(&format!("a{}", " | limit 5".repeat(33))).is_err());
    let names: Vec<String> = (0..33).map(|i| format!("f{i}")).collect();
    assert!(Asked::parse(&format!("a | count by {}", names.join(", "))).is_err());
    assert!(Asked::parse(&format!("a | {}", "(".repeat(60_000))).is_err());
    for deep in ["(", "NOT ", "count > 1 AND "] {
        assert!(Asked::parse(&format!("a | count | where {}", deep.repeat(5_000))).is_err());
    }
    assert!(Asked::parse(&format!("a | count by {}", "x".repeat(70_000))).is_err());
}

#[test]
fn unknown_fields_are_told() {
    let text = "stauts:500 | p99 duraton by host, hoost";
    let asked = asked(text);
    let unknown: Vec<_> = asked.unknown_fields().map(|u| (&text[u.span.clone()], u.suggestion())).collect();
    assert_eq!(unknown, [("stauts", Some("status")), ("hoost", Some("host")), ("duraton", Some("duration"))]);
}

#[test]
fn groups_are_bounded_and_it_is_said() {
    let asked = asked("* | distinct id as n by id");
    let (source, clock) = (Source::default(), Clock::default());
    let gathered = |order: &mut dyn Iterator<Item = i64>| {
        let mut parts = [asked.pipeline.gather(None), asked.pipeline.gather(None)];
        for (n, i) in order.enumerate() {
            let mut record = Record::new("", Origin::default());
            record.put_other("id", Value::Int(i));
            parts[n % 2].add(&Hit::new(&record, &source, &clock, 0));
        }
        let [mut a, b] = parts;
        a.merge(b);
        let answer = a.finish();
        let Answered::Rows(rows) = answer.result else { panic!() };
        (rows, answer.notes)
    };
    let (rows, notes) = gathered(&mut (0..35_000));
    assert_eq!((rows.len(), cell(&rows[0][0]), cell(&rows[9_999][0])), (10_000, "0".into(), "9999".into()));
    assert!(notes.len() == 1 && notes[0].contains("more than 10000 groups") && notes[0].contains("25000 events"), "{notes:?}");
    assert_eq!(gathered(&mut (0..35_000).rev()), (rows, notes));
}

/// The best of more groups than can be held at once are found by going through the events again.
#[test]
fn the_best_of_many_groups_are_the_best_of_all() {
    let (source, clock) = (Source::default(), Clock::default());
    let best = "34999 4 / 12 2 / 20000 2";
    for (text, want) in [
        ("* | top 3 id by distinct part", best),
        ("* | distinct part by id | sort -distinct_part | limit 3", best),
        ("* | distinct part by id | where distinct_part > 1 | sort -distinct_part", best),
        ("* | distinct part by id | where distinct_part > 1", "12 2 / 20000 2 / 34999 4"),
    ] {
        let asked = asked(text);
        let answered = |order: &dyn Fn() -> Vec<i64>| {
            let mut pipeline = asked.pipeline.clone();
            for passes in 1.. {
                let mut parts = [pipeline.gather(None), pipeline.gather(None)];
                for (n, i) in order().into_iter().enumerate() {
                    let mut record = Record::new("", Origin::default());
                    record.put_other("id", Value::Int(i % 35_000));
                    record.put_other("part", Value::Int(i));
                    parts[n % 2].add(&Hit::new(&record, &source, &clock, 0));
                }
                let [mut a, b] = parts;
                a.merge(b);
                let answer = a.finish();
                match (answer.rest, answer.result) {
                    (Some(rest), _) => pipeline = rest,
                    (None, Answered::Rows(rows)) => {
                        let rows: Vec<String> = rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(" ")).collect();
                        return (passes, rows, answer.notes);
                    }
                    (None, Answered::Events(_)) => panic!(),
                }
            }
            panic!()
        };
        // 34,999 comes four times, 12 and 20,000 twice, all others once.
        let more = [34_999 + 35_000, 34_999 + 70_000, 34_999 + 105_000, 12 + 35_000, 20_000 + 35_000];
        let (passes, rows, notes) = answered(&|| (0..35_000).chain(more).collect());
        assert_eq!((passes, rows.join(" / ").as_str(), notes.len()), (4, want, 0), "{text}");
        assert_eq!(answered(&|| more.into_iter().chain((0..35_000).rev()).collect()), (passes, rows, notes), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_like_a_pipe_makes_the_reader_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "|", " | ", "count", "sum ", "p99 ", "p", "rate", "distinct ", "top 5 ", "top", "sort ", "limit 3", "fields ", "patterns", "context 2",
                "timeline", "where ", " > ", "!=", " AND ", " not ", "count > 1", " by ", " every ", "1m", " as ", "x", "duration", "status", "time", "count", "-", ",", ", ", "(", ")", "\"", "\\", "ä", "接", "0", "99999999999999999999", " ",
            ]),
            0..20,
        ),
    ) {
        let text = format!("*{}", parts.concat());
        match Asked::parse(&text) {
            Ok(asked) => {
                let printed = asked.to_string();
                let again = Asked::parse(&printed).unwrap_or_else(|e| panic!("{text} was printed so: {}", e.render(&printed)));
                assert_eq!(again.pipeline.stages(), asked.pipeline.stages(), "{text}");
                assert_eq!(again.pipeline.columns(), asked.pipeline.columns(), "{text}");
                let answer = asked.pipeline.gather(None).finish();
                assert!(answer.notes.is_empty() && answer.matched == 0);
            }
            Err(error) => assert!(error.render(&text).contains('^'), "{text}"),
        }
    }
}
