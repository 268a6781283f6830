//! Tables of formats, lines and what is read of them.

use super::*;
use crate::formats::access::testing::fields;

fn spec(notation: Notation, text: &str) -> FormatSpec {
    FormatSpec {
        name: "shop.orders".into(),
        notation,
        text: text.into(),
        timestamp: None,
        zone: None,
        units: Vec::new(),
        starts: None,
        files: Vec::new(),
    }
}

fn read(spec: &FormatSpec, line: &str) -> String {
    match compile(spec) {
        Ok(made) => fields(&*made.format, line),
        Err(flaws) => panic!("{flaws:?}"),
    }
}

#[track_caller]
fn flaw(spec: &FormatSpec) -> Flaw {
    let mut flaws = compile(spec).err().unwrap_or_default();
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    flaws.remove(0)
}

const ORDERS: &str =
    r"^(?<timestamp>\S+ \S+) \[(?<level>\w+)\] order=(?<order_id>\d+) user=(?<user.name>\S+) took (?<duration>\d+) ms: (?<message>.*)$";

#[test]
fn a_pattern() {
    let mut orders = spec(Notation::Pattern, ORDERS);
    orders.units = vec![("duration".into(), "ms".into())];
    let line = "2026-11-20 20:31:07 [WARN] order=4711 user=eve took 812 ms: stock reserved";
    let want = "shop.orders 2026-11-20T20:31:07Z WARN [stock reserved] log.level.original=WARN order_id=4711 user.name=eve \
                http.server.request.duration=0.812";
    assert_eq!(read(&orders, line), want);
    // The message goes on in the lines that follow.
    assert!(read(&orders, &format!("{line}\n  in the cellar")).contains("[stock reserved\n  in the cellar]"));
    assert_eq!(read(&orders, "2026-11-20 20:31:07 [WARN] something else"), "unread");
    // Two words that are no time.
    assert_eq!(read(&orders, &line.replace("2026-11-20", "yesterday")), "unread");
    let made = compile(&orders).unwrap();
    assert_eq!(made.own_fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["order_id"]);
    assert!(made.durations.is_empty() && made.warnings.is_empty());
    orders.units.clear();
    assert_eq!(compile(&orders).unwrap().durations, [Key::Duration]);
}

#[test]
fn zones_and_notations_that_were_told() {
    let mut told = spec(Notation::Pattern, r"^(?<timestamp>.{19}) (?<message>.+)");
    told.timestamp = Some("%d/%m/%Y %H:%M:%S".into());
    assert_eq!(read(&told, "05/11/2026 20:31:07 x"), "shop.orders 2026-11-05T20:31:07Z - [x]");
    told.zone = Some("Europe/Berlin".into());
    assert_eq!(read(&told, "05/11/2026 20:31:07 x"), "shop.orders 2026-11-05T19:31:07Z - [x]");
    assert_eq!(read(&told, "05/07/2026 20:31:07 x"), "shop.orders 2026-07-05T18:31:07Z - [x]");
    let mut nginx = spec(Notation::Nginx, "$remote_addr $time_local $status");
    nginx.zone = Some("+02:00".into());
    // A stamp that carries its offset keeps it.
    assert!(read(&nginx, "10.0.0.1 21/Nov/2026:10:35:14 +0000 200").contains(" 2026-11-21T10:35:14Z "));
}

#[test]
fn special_groups() {
    let web =
        spec(Notation::Pattern, r#"^web (?<client>\S+) "(?<request>[^"]*)" (?<status>\d+) (?<upstream>\S+) (?<took>\S+) (?<bytes>\S+)$"#);
    assert_eq!(
        read(&web, r#"web 203.0.113.9:4455 "GET /a?b=1 HTTP/1.1" 502 http://10.0.0.3:80/,10.0.0.4:80 1.5s -"#),
        "shop.orders - - - client.address=203.0.113.9 client.port=4455 http.request.method=GET url.path=/a url.query=b=1 \
         network.protocol.version=1.1 http.response.status_code=502 upstream.address=10.0.0.3:80 upstream.address=10.0.0.4:80 \
         http.server.request.duration=1.5"
    );
    let warnings = compile(&web).unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].help.contains("`shop.orders.access`"), "{warnings:?}");
}

#[test]
fn records_of_several_lines() {
    let mut told = spec(Notation::Pattern, r"(?s)^#(?<id>\d+) (?<timestamp>\S+)\nuser: (?<user>\S+)\n(?<message>.*)$");
    assert!(flaw(&told).message.contains("several lines"));
    told.starts = Some(r"^#\d+ ".into());
    let made = compile(&told).unwrap();
    assert!(made.format.block());
    assert_eq!(
        read(&told, "#7 2026-11-20T20:31:07Z\nuser: eve\nfirst\nsecond"),
        "shop.orders 2026-11-20T20:31:07Z - [first\nsecond] id=7 user.name=eve"
    );
    assert_eq!(read(&told, "#7 2026-11-20T20:31:07Z"), "shop.orders - - -");
    assert_eq!(read(&told, "user: eve"), "unread");
}

#[test]
fn flaws_of_patterns() {
    for (text, at, says) in [
        (r"^(?<a>x", 1..2, "unclosed group"),
        (r"^(?<user-name>\S+)", 8..9, "invalid capture group"),
        (r"^\d+ x$", 0..7, "captures nothing"),
        (r"^(?<message>.*)$", 0..16, "an empty line"),
        (r"^(?<message>.+)$", 0..16, "nearly every line"),
        (r"^x(?!y)(?<a>b)", 2..5, "look"),
        (r"^x (?<a>\w{1000}){1000}", 0..23, "too big"),
    ] {
        let flaw = flaw(&spec(Notation::Pattern, text));
        assert!(flaw.message.contains(says), "{text}: {}", flaw.message);
        assert_eq!((flaw.part, flaw.at), (Part::Text, at), "{text}");
    }
    let mut all = spec(Notation::Pattern, r"x (?<user>\S+)");
    all.timestamp = Some("%Q".into());
    all.zone = Some("Mars".into());
    all.units = vec![("user".into(), "ms".into()), ("nobody".into(), "weeks".into()), ("none".into(), "s".into())];
    all.starts = Some("(".into());
    let said: Vec<String> = compile(&all).err().unwrap().into_iter().map(|f| f.message).collect();
    for says in [
        "no time zone",
        "unclosed group",
        "no notation of time stamps",
        "`weeks` is no unit",
        "`timestamp` is told",
        "`zone` is told",
        "`user` (user.name) is no length of time",
        "has no group `none`",
    ] {
        assert!(said.iter().any(|m| m.contains(says)), "{says}: {said:#?}");
    }
    let unanchored = compile(&spec(Notation::Pattern, r"x (?<user>\S+)")).unwrap();
    assert!(unanchored.warnings[0].message.contains("anywhere"));
}

#[test]
fn how_specific_a_pattern_is() {
    let fit =
        |text: &str, line: &str| crate::formats::access::testing::fit(&*compile(&spec(Notation::Pattern, text)).unwrap().format, line);
    // At least as sure as the general readers of stamps and levels, less than those of one program.
    assert_eq!(fit(r"^(?<timestamp>\S+ \S+) (?<message>.+)$", "2026-11-20 20:31:07 x"), Some(50));
    assert_eq!(fit(r"^(?<timestamp>\S+ \S+) (?<level>\w+) (?<message>.+)$", "2026-11-20 20:31:07 INFO x"), Some(55));
    assert_eq!(fit(ORDERS, "2026-11-20 20:31:07 [WARN] order=4711 user=eve took 812 ms: stock"), Some(94));
    assert_eq!(fit(r"^id (?<id>\d+)$", "id 7"), Some(46));
}

#[test]
fn pasted_for_nginx() {
    let line = r#"203.0.113.9 - - [20/Nov/2026:20:31:07 +0100] "GET /cart HTTP/1.1" 502 157 0.250 "10.0.0.3:8080" eu-1"#;
    let want = "shop.orders 2026-11-20T19:31:07Z - - client.address=203.0.113.9 http.request.method=GET url.path=/cart \
                network.protocol.version=1.1 http.response.status_code=502 http.response.body.size=157 \
                http.server.request.duration=0.25 upstream.address=10.0.0.3:8080 shop_region=eu-1 process.executable.name=nginx";
    let text =
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time "$upstream_addr" $shop_region"#;
    for pasted in [
        text.to_string(),
        format!("log_format main '{text}';"),
        format!("log_format main '{}'\n    '{}'", &text[..40], &text[40..]),
        format!("'{}' '{}'", &text[..40], &text[40..]),
    ] {
        let spec = spec(Notation::Nginx, &pasted);
        assert_eq!(read(&spec, line), want, "{pasted}");
        assert_eq!(compile(&spec).unwrap().own_fields[0].name, "shop_region");
    }
    for (text, says) in [
        ("${open $status", "`${` without `}`"),
        ("no variable", "no column of a known meaning"),
        ("log_format a '$status'; log_format b '$status';", "more than one"),
        ("log_format", "cannot be read"),
        (r#"{"status":$status}"#, "JSON"),
    ] {
        assert!(flaw(&spec(Notation::Nginx, text)).message.contains(says), "{text}");
    }
}

#[test]
fn pasted_for_apache() {
    let want = "shop.orders 2026-11-20T20:31:07Z - - client.address=203.0.113.9 http.request.method=GET url.path=/ \
                network.protocol.version=1.1 http.response.status_code=200 http.response.body.size=55 \
                http.server.request.duration=0.0015 process.executable.name=apache";
    for text in
        [r#"%h %l %u %t \"%r\" %>s %b %D"#, r#"LogFormat "%h %l %u %t \"%r\" %>s %b %D" timed"#, r#""%h %l %u %t \"%r\" %>s %b %D""#]
    {
        let line = r#"203.0.113.9 - - [20/Nov/2026:20:31:07 +0000] "GET / HTTP/1.1" 200 55 1500"#;
        assert_eq!(read(&spec(Notation::Apache, text), line), want, "{text}");
    }
    assert!(flaw(&spec(Notation::Apache, "%")).message.contains("without a letter"));
}

#[test]
fn pasted_for_postgres() {
    for (prefix, line, want) in [
        (
            "%m [%p] %q%u@%d ",
            "2026-11-20 20:31:07.250 CET [811] shop@store ERROR:  deadlock detected",
            "shop.orders 2026-11-20T19:31:07.250Z ERROR [deadlock detected] log.level.original=ERROR db.system.name=postgresql \
             process.pid=811 user.name=shop db.namespace=store process.executable.name=postgresql",
        ),
        (
            "%m [%p] %q%u@%d ",
            "2026-11-20 20:31:07.250 UTC [77] LOG:  checkpoint starting: time",
            "shop.orders 2026-11-20T20:31:07.250Z INFO [checkpoint starting: time] log.level.original=LOG db.system.name=postgresql \
             process.pid=77 process.executable.name=postgresql",
        ),
        (
            "log_line_prefix = '%t|%-12a|%r|%e|%x|%c: '",
            "2026-11-20 20:31:07 UTC|pay job     |10.0.0.7(4455)|40P01|91234|655f.1a2: FATAL:  x",
            "shop.orders 2026-11-20T20:31:07Z FATAL [x] log.level.original=FATAL db.system.name=postgresql \
             db.response.status_code=40P01 client.address=10.0.0.7 client.port=4455 db.client.name=pay job \
             postgresql.session.id=655f.1a2 postgresql.transaction.id=91234 process.executable.name=postgresql",
        ),
        (
            "%n %%",
            "1795206667.250 %LOG:  x",
            "shop.orders 2026-11-20T20:31:07.250Z INFO [x] log.level.original=LOG db.system.name=postgresql process.executable.name=postgresql",
        ),
        ("%m [%p] ", "2026-11-20 20:31:07.250 UTC [811] NONSENSE:  x", "unread"),
        ("%m [%p] ", "2026-11-20 20:31:07.250 UTC [811] one blank ERROR: x", "unread"),
    ] {
        assert_eq!(read(&spec(Notation::Postgres, prefix), line), want, "{prefix}");
    }
    let unknown = flaw(&spec(Notation::Postgres, "%m %z "));
    assert_eq!((unknown.message.as_str(), unknown.at), ("log_line_prefix has no escape `%z`", 3..5));
    assert!(flaw(&spec(Notation::Postgres, "none ")).message.contains("says nothing"));
    assert!(flaw(&spec(Notation::Postgres, "%m %")).message.contains("without a letter"));
}

#[test]
fn pasted_for_haproxy() {
    // The format of `option httplog`, as the manual writes it.
    let http = r#"%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r"#;
    let want = "shop.orders 2026-11-20T20:31:07.655Z - - time.is_start=true client.address=10.0.1.2 client.port=33317 proxy.frontend=http-in \
                upstream.name=static upstream.server=srv1 haproxy.request.duration=0.01 proxy.queue.duration=0 \
                upstream.connect.duration=0.03 upstream.header.duration=0.069 http.server.request.duration=0.109 \
                http.response.status_code=200 http.response.body.size=2750 proxy.termination_state=---- proxy.connections.active=1 \
                haproxy.connections.frontend=1 haproxy.connections.backend=1 haproxy.connections.server=1 proxy.retries=0 \
                proxy.queue.server=0 proxy.queue.length=0 http.request.method=GET url.path=/index.html network.protocol.version=1.1 \
                process.executable.name=haproxy";
    for captured in ["", "{1wt.eu} ", "{1wt.eu} {} "] {
        let line = format!(
            r#"10.0.1.2:33317 [20/Nov/2026:20:31:07.655] http-in~ static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {captured}"GET /index.html HTTP/1.1""#
        );
        assert_eq!(read(&spec(Notation::Haproxy, http), &line), want);
    }
    let own = spec(Notation::Haproxy, r#"log-format "%[src] %T %{+Q}[capture.req.hdr(0)] %ST %Tr ms%% %{+Q}HP %HV""#);
    assert_eq!(
        read(&own, r#"10.0.1.2 20/Nov/2026:20:31:07 +0100 "my agent" 503 -1 ms% "/a?b" HTTP/2.0"#),
        "shop.orders 2026-11-20T19:31:07Z - - client.address=10.0.1.2 capture.req.hdr(0)=my agent http.response.status_code=503 \
         url.path=/a url.query=b network.protocol.version=2.0 process.executable.name=haproxy"
    );
    let unknown = flaw(&spec(Notation::Haproxy, "%ci %zz"));
    assert_eq!((unknown.message.as_str(), unknown.at), ("log-format has no variable `%zz`", 4..7));
    assert!(flaw(&spec(Notation::Haproxy, "text")).message.contains("nothing of a request"));
}

#[test]
fn likely_files_change_the_fit_a_little() {
    let mut told = spec(Notation::Pattern, r"^id (?<id>\d+)$");
    told.files = vec!["orders*.log".into()];
    let format = compile(&told).unwrap().format;
    assert!(format.for_source("app01/other.log").is_none());
    let likely = format.for_source("app01/orders-1.log").unwrap();
    let fit = |f: &dyn Format| crate::formats::access::testing::fit(f, "id 7");
    assert_eq!((fit(&*format), fit(&*likely)), (Some(46), Some(50)));
}

#[test]
fn why_a_line_is_not_read() {
    let orders = spec(Notation::Pattern, ORDERS);
    let (message, help) = why_not(&orders, "2026-11-20 20:31:07 [WARN] item=4711").unwrap();
    assert_eq!(message, "the pattern fits as far as `…6-11-20 20:31:07 [WARN] `; behind it stands `item=4711`");
    assert_eq!(help, "the pattern asks for `order=` there");
    let (message, help) = why_not(&orders, "yester day [WARN] order=1 user=a took 1 ms: x").unwrap();
    assert_eq!(message, "the time stamp cannot be read: the pattern captures `yester day`");
    assert!(help.contains("`timestamp:`"));
    let slash = spec(Notation::Pattern, r"^(?<timestamp>\S+ \S+) (?<message>.+)$");
    assert_eq!(ambiguous_stamp(&slash, "05/11/2026 20:31:07 x"), Some("05/11/2026 20:31:07"));
}

mod any_text {
    use super::*;
    use proptest::prelude::*;
    use whyline_event::{Bump, Origin};

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("$remote_addr"),
            Just("$status"),
            Just("${x"),
            Just("%h"),
            Just("%>s"),
            Just("%m"),
            Just("[%p]"),
            Just("%q"),
            Just("%u@"),
            Just("%ci:%cp"),
            Just("%ST"),
            Just("%{+Q}r"),
            Just("%["),
            Just("%-5p"),
            Just("%%"),
            Just("(?<user>"),
            Just(")"),
            Just("\\S+"),
            Just(" "),
            Just("(?s)"),
            Just("\\n"),
            Just("^"),
            Just("x"),
            Just("ä"),
            Just("\""),
            Just("log_format a '"),
            Just("';"),
            Just("{"),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|p| p.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// Whatever is told compiles or is refused, and what compiles reads any text or leaves the record as it was.
        #[test]
        fn is_compiled_or_refused(text in pieces(), line in "\\PC{0,40}", time in proptest::option::of("%?[a-zA-Z%:]{0,6}")) {
            for notation in Notation::ALL {
                let mut told = spec(notation, &text);
                told.timestamp = time.clone();
                told.starts = time.clone();
                let Ok(made) = compile(&told) else { continue };
                for line in [line.as_str(), text.as_str(), ""] {
                    let arena = Bump::new();
                    let cx = Cx::new(&arena, &[]);
                    let mut record = Record::new(line, Origin::default());
                    let fit = made.format.read(&cx, line, &mut record);
                    made.format.starts(&cx, line);
                    prop_assert!(fit.is_none_or(|f| (1..=100).contains(&f)));
                    if fit.is_none() {
                        prop_assert!(record.fields.is_empty() && record.format == "generic" && record.body == line && record.stamp.is_none());
                    }
                    let _ = why_not(&told, line);
                }
            }
        }
    }
}
