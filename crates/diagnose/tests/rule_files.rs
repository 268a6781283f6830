//! Rule files with mistakes: each is told, at its place, with what would be right, and none hides another.
#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

use proptest::prelude::*;
use whyline_diagnose::Pack;
use whyline_diagnose::rules::written;

/// What is said of a file, and how many lines that is.
fn said(yaml: &str) -> String {
    Pack::findings(&[written::read("r.yaml", yaml)]).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A signal with a line of its own.
fn signal(line: &str) -> String {
    format!("signals:\n  shop.a:\n    title: a\n    quiet: true\n{line}\n    examples: {{match: [x], ignore: [y]}}\n")
}

#[test]
fn changes_of_rules_must_mean_something() {
    let said = said(
        "signals:
  shop.a: {title: a, quiet: true, query: x, examples: {match: [x], ignore: [y]}}
  shop.many: {title: m, quiet: true, count: {of: shop.a, at_least: 3, within: 1m}}
filters:
  shop.f: {title: f, signals: [shop.a, shop.b, traffic.surge, shop.many, 'shop.*'], query: 'stauts:5'}
  shop.g: {title: g, query: x}
  Shop: {title: g, signals: [shop.a]}
off: [shop.x, 'shop.a*', http.502, traffic.surge, 'app.*']
faults:
  http.502: {title: s, symptom: true}
  shop.fault: {title: f, explains: [{fault: http.502}], evidence: [{signal: shop.a, strength: strong}]}
  shop.falt: {extends: true, evidence: [{signal: shop.a, strength: weak}]}
  shop.own: {extends: true, symptom: true}
",
    );
    for words in [
        "r.yaml:5:40: there is no signal `shop.b`",
        "r.yaml:5:48: `traffic.surge` is measured over all requests",
        "write `off: [traffic.surge]`",
        "r.yaml:5:63: `shop.many` counts the hits of another signal",
        "the query asks for an unknown field `stauts`",
        "filter `shop.g` does not say whose records it takes away",
        "`Shop` has no `query`",
        "`Shop` is no id",
        "r.yaml:8:7: there is no signal or fault `shop.x`",
        "r.yaml:8:26: `http.502` is what users feel",
        "there is no signal or fault `app.*`",
        "there is no fault `shop.falt`",
        "did you mean `shop.fault`?",
        "a fault that is extended keeps its `symptom`",
    ] {
        assert!(said.contains(words), "not said: {words}\n{said}");
    }
    assert!(!said.contains("8:16:") && !said.contains("8:35:") && !said.contains("5:73:"), "{said}");
}

#[test]
fn changes_are_carried_out_in_any_order_of_files() {
    let base = "signals:
  shop.a: {title: a, query: x}
  shop.b: {title: b, query: y}
  shop.many: {title: m, count: {of: shop.b, at_least: 3, within: 1m}}
faults:
  http.502: {title: s, symptom: true}
  shop.f:
    title: f
    explains: [{fault: http.502}]
    evidence: [{signal: shop.a, strength: strong}, {signal: shop.b, strength: strong}, {signal: shop.many, strength: strong}]
    advice: {fix: [turn it off]}
  shop.g: {title: g, explains: [{fault: shop.f}]}
";
    let changes = "filters:
  shop.no: {title: n, signals: ['shop.*'], query: z}
off: [shop.b, shop.g, http.502]
faults:
  shop.f: {extends: true, title: g, evidence: [{signal: shop.a, strength: weak}], advice: {fix: [call us]}}
";
    for order in [[base, changes], [changes, base]] {
        let pack = Pack::trusted(order.iter().map(|yaml| written::read("r.yaml", yaml)).collect());
        let fault = pack.fault("shop.f").map(|f| &pack.faults[f]).unwrap();
        let evidence: Vec<_> =
            fault.evidence.iter().map(|e| (pack.signals[e.signal as usize].id.as_str(), e.weight.exp().round())).collect();
        assert_eq!((fault.title.as_str(), evidence), ("g", vec![("shop.a", 2.0)]));
        assert_eq!(fault.fix, ["call us", "turn it off"]);
        assert!(fault.because.is_empty() && fault.explains.len() == 1, "a fault that is off is no reason, a symptom stays");
        assert_eq!((pack.signal("shop.b"), pack.signal("shop.many"), pack.fault("shop.g")), (None, None, None));
        let queries: Vec<String> = pack.queries().iter().map(|(_, query)| query.to_string()).collect();
        assert_eq!(queries, ["\"x\" AND NOT \"z\""]);
        assert!(pack.is_off("shop.b") && !pack.is_off("shop.a") && !pack.is_off("http.502"));
    }
}

#[test]
fn everything_is_told_at_once() {
    let said = said(
        "signals:
  shop.a:
    titel: one
    query: '(stauts:5 OR status:6) foo'
    entity: upstrem.address
    quiet: maybe
    after: 5 weeks
    examples: {match: [x], ignore: [y]}
  shop.b:
    title: two
    query: [x]
    query: y
    colour: red
faults:
  shop.f:
    title: f
    explains:
      - {fault: shop.f, through: upsteam}
      - shop.g
    evidence:
      - {signal: shop.aa, strength: strng}
      - {signal: shop.b, strength: -4, speaks: agianst}
      - {strength: weak}
    because: [shop.x]
    advice: {check: 'ls', fixx: ['a']}
    missing: [{of: targt, log: x}, {log: [y]}]
",
    );
    for words in [
        "r.yaml:3:5: `titel` is no key of a signal",
        "did you mean `title`?",
        "r.yaml:4:14: the query asks for an unknown field `stauts`",
        "no format provides a field `upstrem.address`",
        "`quiet: maybe` is neither yes nor no",
        "`5 weeks` is no length of time",
        "r.yaml:11:12: `query` wants a text, and not a list",
        "r.yaml:12:5: `query` stands here twice",
        "`colour` is no key of a signal",
        "r.yaml:18:34: `through: upsteam` is unknown",
        "did you mean `upstream`? it is one of upstream, dependency, host, same, any",
        "fault `shop.f` names itself under `explains`",
        "write `{fault: shop.g}`",
        "there is no fault `shop.g`",
        "there is no signal `shop.aa`",
        "`strength: strng` is unknown",
        "a strength of -4 is below 1",
        "did you mean `against`?",
        "`signal` is missing here",
        "write `because: {any: [shop.x]}`",
        "write `check: ['ls']`",
        "`fixx` is no key of `advice`",
        "did you mean `target`?",
        "`log` wants a text, and not a list",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    // Nothing is told of what is only missing because something else is wrong.
    for words in ["has no `title`", "needs either", "no fault uses", "can never be found", "there is no signal ``"] {
        assert!(!said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn slips_of_yaml_have_a_remedy() {
    for (line, place, message, help) in [
        ("    query: \"conn\" refused", "5:12", "more stands behind it", "`query: '\"conn\" refused'`"),
        ("    query: 'it' s", "5:12", "more stands behind it", "`query: '''it'' s'`"),
        ("    query: foo: bar", "5:12", "a colon before a blank", "`query: 'foo: bar'`"),
        ("    query: *foo", "5:12", "the name of an anchor", "`query: '*foo'`"),
        ("    query: !foo bar", "5:12", "begins a tag", "`query: '!foo bar'`"),
        ("    query: [1 TO 5] x", "5:12", "more stands behind its end", "`query: '[1 TO 5] x'`"),
        ("    query: @foo", "5:12", "begins with `@`", "`query: '@foo'`"),
        ("    query: >500 x", "5:12", "a block of lines", "`query: '>500 x'`"),
        ("    query: {x: y}", "5:12", "wants a text, and not a mapping", "single quotes"),
        ("\tquery: x", "5:1", "a tab sets this line in", "blanks alone"),
        ("    query: 'x", "5:12", "never closed", "single quotes"),
        ("    query: [a", "5:12", "which never ends", "`query: '[a'`"),
        ("    until: shop.b", "5:12", "`until` wants a list", "`until: [shop.b]`"),
    ] {
        let yaml = signal(line) + "  shop.b: {title: b, query: 'stauts:5', quiet: true}\n";
        let said = said(&yaml);
        let first = said.split("\nerror: ").next().unwrap();
        assert!(
            first.starts_with(&format!("error: r.yaml:{place}: ")) && first.contains(message) && first.contains(help),
            "{line}\n{said}"
        );
        // What follows is read all the same, and nobody hears of the library that reads YAML.
        assert!(said.contains("did you mean `status`?"), "{line}\n{said}");
        assert!(!said.contains("has no `title`") && !said.contains("mapping values") && !said.contains("scalar"), "{line}\n{said}");
    }
}

#[test]
fn what_is_no_rule_file_is_told() {
    for (yaml, words) in [
        ("just a string\n", "a rule file is a mapping of keys, and not a text"),
        ("- a\n", "a rule file is a mapping of keys, and not a list"),
        ("signal: {a.b: {title: t, query: x, quiet: true}}\n", "did you mean `signals`?"),
        ("signals: [1, 2]\n", "`signals` is a mapping of names, and not a list"),
        ("signals:\n  my.signal\n", "`signals` is a mapping of names, and not a text"),
        ("signals:\n  a.b: {title: t, query: x, quiet: true}\n---\nsignals: {}\n", "a second document begins here; a rule file is one"),
        ("signals: {a.b: {title: t, query: x}\n", "never"),
        ("signals:\n  a.b: {title: t}\n", "needs either `query` or `count`"),
        ("signals:\n  a.b: {title: t, count: {of: a.b, at_least: 0, within: 1m}}\n", "names itself under `count`"),
        ("signals:\n  a.b: {title: t, count: {of: a.b, at_least: 0, within: 1m}}\n", "`at_least: 0` is no number of hits"),
        ("faults:\n  a.f: {title: t, because: {any: [a.f]}}\n", "fault `a.f` names itself under `because`"),
    ] {
        let said = said(yaml);
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert_eq!(said(""), "");
    assert_eq!(said("# nothing yet\nsignals:\n"), "");
}

#[test]
fn a_wrong_word_of_a_query_is_marked() {
    let folded = said(&signal("    query: >-\n      foo\n      stauts:5\n      bar"));
    assert!(folded.contains("r.yaml:7:7: ") && folded.contains("  |       stauts:5\n  |       ^^^^^^\n  help: did you mean"), "{folded}");
    let wide = said(&signal("    query: \"状態 stauts:5 bar\""));
    assert!(wide.contains("  |     query: \"状態 stauts:5 bar\"\n  |                  ^^^^^^\n"), "{wide}");
    let open = said(&signal("    query: '\"payment failed\" ('"));
    assert!(
        open.contains(
            "this parenthesis is never closed\n  |     query: '\"payment failed\" ('\n  |                              ^\n  help: text"
        ),
        "{open}"
    );
    assert_eq!(open.matches("help:").count(), 1, "{open}");
    let words = said(&signal("    query: foo and status=500"));
    assert!(words.contains("`and` is looked for as a word") && words.contains("write `status:500`"), "{words}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is written, reading ends and says something of use.
    #[test]
    fn reading_never_fails(pieces in prop::collection::vec(prop::sample::select(vec![
        "signals:\n", "  a.b:\n", "    title: t\n", "    query: ", "x y\n", "'", "\"", "*", "&a ", "!t ", ": ", "\t", "[", "]", "{", "}", "- ", ",", "#",
        "|\n", ">-\n", "---\n", "...\n", "\n", "\r\n", "  ", "状態", "<<: ", "%", "@", "\\", "\u{feff}", "\u{0}", "? ",
    ]), 0..30)) {
        let text = pieces.concat();
        for finding in Pack::findings(&[written::read("r.yaml", &text)]) {
            prop_assert!(!finding.message.is_empty());
        }
    }
}

/// A rule whose advice is this line.
fn advice(line: &str) -> String {
    said(&format!("faults:\n  shop.f:\n    title: f\n    symptom: true\n    advice:\n      fix: ['{line}']\n"))
}

#[test]
fn names_in_braces_that_nothing_fills_are_errors() {
    let wrong = advice("start {entitiy} on {host}");
    assert!(
        wrong.contains("r.yaml:6:20: nothing is known to fill `{entitiy}` with") && wrong.contains("did you mean `{entity}`?"),
        "{wrong}"
    );
    let unknown = advice("parcelctl renew {carrier}");
    assert!(unknown.contains("`{carrier}`") && unknown.contains("`{since}`"), "{unknown}");
    let doubled = advice("start {{entity}}");
    assert!(doubled.contains("`{{entity}}` is not filled") && doubled.contains("write `{entity}`"), "{doubled}");
    for right in
        ["journalctl -u {unit} --since \"{since}\" # on {host}", "echo ${HOME} %{Referer}i {{.State}} {a,b}", "lastb | awk \"{ print }\""]
    {
        let said = advice(right);
        assert!(!said.contains("fill"), "{right}\n{said}");
    }
    let title = said("faults:\n  shop.f:\n    title: the parcels of {entity}\n    symptom: true\n");
    assert!(title.contains("r.yaml:3:27: a title is not filled"), "{title}");
    let missing =
        said("faults:\n  shop.f:\n    title: f\n    symptom: true\n    missing: [{log: 'log of {entity}', command: 'ssh {hst}'}]\n");
    assert!(missing.contains("did you mean `{host}`?"), "{missing}");
}

#[test]
fn a_line_for_a_signal_that_is_no_evidence_is_an_error() {
    let wrong = advice("shop.refused: open the port");
    assert!(wrong.contains("r.yaml:6:14: a line for the signal `shop.refused` is never given"), "{wrong}");
}
