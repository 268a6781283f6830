//! No text, however odd, makes a format of the web family panic or touch a record that it does not read.

use proptest::prelude::*;
use whyline_event::{Bump, Origin, Record};
use whyline_parse::formats::access::conf;
use whyline_parse::{Cx, formats::web::web};

fn try_all(text: &str) {
    let arena = Bump::new();
    let cx = Cx::new(&arena, &[]);
    for format in web() {
        let mut record = Record::new(text, Origin::default());
        if format.read(&cx, text, &mut record).is_none() {
            assert!(record.fields.is_empty() && record.format == "generic" && record.body == text && record.stamp.is_none());
        }
        format.starts(&cx, text);
        if let Some(learnt) = format.learn(&[text, text, text]) {
            learnt.read(&cx, text, &mut Record::new(text, Origin::default()));
        }
    }
}

/// Pieces of lines that formats look for, so that chance gets deep into them.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "10.0.0.1 - - ",
        "[21/Nov/2026:10:35:14 +0000] ",
        "[21/Nov/2026:10:35:14.123] ",
        "\"GET /ü?x HTTP/1.1\" ",
        "\"",
        "\\",
        "200 ",
        "- ",
        "502, 200 ",
        "0.001 ",
        "10.0.0.1:80, unix:/é : ",
        "rt=",
        "ua=\"",
        "é",
        "[",
        "]",
        "{\"",
        "\":",
        "\"status\":200,",
        "\"method\":\"GET\"}",
        "{",
        "}",
        "\t",
        "status:200\t",
        "\n",
        "2026/11/21 10:35:14 [error] 1#1: *1 ",
        ", client: ",
        ", upstream: \"http://",
        "(111: ",
        "nginx: ",
        "[Sat Nov 21 10:30:01 2026] [core:error] [pid 1] ",
        "(13)",
        "[client é",
        "Server a/b is DOWN",
        ", reason: ",
        ", info: \"",
        "fe be/s ",
        "0/0/0/0/0 ",
        "---- 1/1/1/1/0 0/0 ",
        "[WARNING] 324/093002 (7) : ",
        "#Fields: date time c-ip sc-status",
        "2026-11-21 10:35:14 ",
        "1795255001.250 ",
        "TCP_MISS/200 ",
        ":",
        "/",
        "=",
        ",",
        " ",
        "%",
        "AH00035: ",
    ]);
    prop_oneof![4 => known.prop_map(str::to_string), 1 => ".{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text(text in ".{0,200}") {
        try_all(&text);
    }

    #[test]
    fn odd_lines(pieces in prop::collection::vec(piece(), 0..14)) {
        try_all(&pieces.concat());
    }

    #[test]
    fn any_configuration(text in "(log_format|LogFormat|CustomLog|[ a-z$%{}'\"\\\\;é\n=]){0,60}") {
        for format in conf::formats_in(&text) {
            let arena = Bump::new();
            format.read(&Cx::new(&arena, &[]), &text, &mut Record::new(&text, Origin::default()));
        }
    }
}
