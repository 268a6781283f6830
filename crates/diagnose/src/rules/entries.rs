//! Rules out of a tree of YAML: each by itself, with everything that is wrong with its shape.

use super::keys::{Keys, Reader};
use super::yaml::{self, Node, Value};
use super::{At, Count, Evidence, Explains, Fault, File, Filter, Format, Missing, Sample, Signal, Wanted};

const THROUGH: &[&str] = &["upstream", "dependency", "host", "same", "any"];
const WHOSE: &[&str] = &["target", "host", "dependency", "proxy", "resolver", "network", "both"];
const NOTATIONS: &[&str] = &["pattern", "nginx", "apache", "postgres", "haproxy"];
const STRENGTHS: &[(&str, f64)] = &[("weak", 2.0), ("supporting", 4.0), ("strong", 12.0), ("conclusive", 60.0)];

/// Reads a rule file.
pub fn file(name: &str, text: &str) -> File {
    let tree = yaml::read(text);
    let mut file = File { name: name.to_string(), text: text.to_string(), ..File::default() };
    let mut reader = Reader::default();
    for document in tree.documents.iter().skip(1) {
        let help = "take out the line `---`, or make two files of it".to_string();
        reader.wrong(&document.at, "a second document begins here; a rule file is one".into(), help);
    }
    for document in tree.documents.iter().filter(|document| !document.is_nothing()) {
        let keys = &["signals", "faults", "formats", "filters", "off"];
        let Some(mut sections) = reader.keys(document, "a rule file", keys) else { continue };
        for (id, node) in reader.entries(&mut sections, "signals") {
            let (mut signal, is_flawed) = reader.entry(|r| signal(r, id.clone(), node));
            signal.flawed = is_flawed;
            file.signals.push(signal);
        }
        for (id, node) in reader.entries(&mut sections, "faults") {
            let (mut fault, is_flawed) = reader.entry(|r| fault(r, id.clone(), node));
            fault.flawed = is_flawed;
            file.faults.push(fault);
        }
        for (id, node) in reader.entries(&mut sections, "formats") {
            let (mut format, is_flawed) = reader.entry(|r| format(r, id.clone(), node));
            format.flawed = is_flawed;
            file.formats.push(format);
        }
        for (id, node) in reader.entries(&mut sections, "filters") {
            let (mut filter, is_flawed) = reader.entry(|r| filter(r, id.clone(), node));
            filter.flawed = is_flawed;
            file.filters.push(filter);
        }
        file.off.extend(reader.texts(&mut sections, "off"));
    }
    // Of a rule that could not be read as YAML nothing else is said.
    let mut problems = tree.problems;
    problems.extend(reader.problems.into_iter().filter(|problem| !tree.lost.contains(&problem.at.line)));
    file.problems = problems;
    file
}

fn signal(reader: &mut Reader, id: At, node: &Node) -> Signal {
    let known = &["title", "query", "entity", "origin", "examples", "quiet", "count", "until", "after"];
    let mut signal = Signal { id, ..Signal::default() };
    let Some(mut keys) = reader.keys(node, "a signal", known) else { return signal };
    signal.title = reader.needed(&mut keys, "title", &signal.id);
    signal.query = reader.text(&mut keys, "query");
    signal.entity = reader.one_or_many(&mut keys, "entity");
    signal.origin = reader.one_or_many(&mut keys, "origin").into_iter().map(|at| at.text).collect::<Vec<_>>().join("; ");
    (signal.matching, signal.ignoring) = examples(reader, &mut keys);
    signal.quiet = reader.yes_or_no(&mut keys, "quiet");
    if let Some(mut keys) = reader.within(&mut keys, "count", &["of", "at_least", "within", "by"]) {
        signal.count = Some(count(reader, &mut keys));
    }
    signal.until = reader.texts(&mut keys, "until");
    signal.after = reader.text(&mut keys, "after").and_then(|at| length_of_time(reader, &at)).unwrap_or_default();
    signal
}

fn count(reader: &mut Reader, keys: &mut Keys<'_>) -> Count {
    let owner = keys.at.clone();
    let of = reader.needed_at(keys, "of", &owner);
    let at_least = reader.needed_at(keys, "at_least", &owner);
    let number = at_least.text.parse().ok().filter(|n| *n > 0);
    if number.is_none() && at_least.line > 0 {
        let help = "write a whole number, 1 or more".to_string();
        reader.wrong(&at_least, format!("`at_least: {}` is no number of hits that could be waited for", at_least.text), help);
    }
    let within = reader.needed_at(keys, "within", &owner);
    let within = if within.line > 0 { length_of_time(reader, &within) } else { None };
    Count { of, at_least: number.unwrap_or(1), within: within.unwrap_or(1), by: reader.text(keys, "by") }
}

fn filter(reader: &mut Reader, id: At, node: &Node) -> Filter {
    let mut filter = Filter { id, ..Filter::default() };
    let Some(mut keys) = reader.keys(node, "a filter", &["title", "signals", "query", "examples"]) else { return filter };
    filter.title = reader.needed(&mut keys, "title", &filter.id);
    if keys.peek("signals").is_none() {
        let message = format!("filter `{}` does not say whose records it takes away", filter.id.text);
        reader.wrong(&filter.id, message, "write `signals: [SIGNAL, ...]`, with wildcards if you like".into());
    }
    filter.signals = reader.texts(&mut keys, "signals");
    filter.query = reader.needed_at(&mut keys, "query", &filter.id);
    (filter.matching, filter.ignoring) = examples(reader, &mut keys);
    filter
}

/// Lines that must match, and such that must not.
fn examples(reader: &mut Reader, keys: &mut Keys<'_>) -> (Vec<At>, Vec<At>) {
    let examples = reader.within(keys, "examples", &["match", "ignore"]);
    examples.map_or_else(Default::default, |mut keys| (reader.texts(&mut keys, "match"), reader.texts(&mut keys, "ignore")))
}

fn fault(reader: &mut Reader, id: At, node: &Node) -> Fault {
    let known = &["title", "extends", "symptom", "accuses", "explains", "evidence", "because", "advice", "missing"];
    let mut fault = Fault { id, ..Fault::default() };
    let Some(mut keys) = reader.keys(node, "a fault", known) else { return fault };
    fault.extends = reader.yes_or_no(&mut keys, "extends");
    if fault.extends {
        fault.title = reader.text(&mut keys, "title").map(|at| at.text).unwrap_or_default();
        for key in ["symptom", "accuses"] {
            if let Some(at) = reader.text(&mut keys, key) {
                let help = format!("leave `{key}` out: that stays as it is where the fault is defined");
                reader.wrong(&at, format!("a fault that is extended keeps its `{key}`"), help);
            }
        }
    } else {
        fault.title = reader.needed(&mut keys, "title", &fault.id);
        fault.symptom = reader.yes_or_no(&mut keys, "symptom");
        fault.of_speaker = reader.word(&mut keys, "accuses", &["target", "speaker"]).is_some_and(|at| at.text == "speaker");
    }
    for node in reader.list(&mut keys, "explains") {
        let Some(mut keys) = reader.item(node, "what a fault explains", "fault", &["fault", "through", "within"]) else { continue };
        keys.take("within");
        let to = reader.needed_at(&mut keys, "fault", &node.at);
        let through = reader.word(&mut keys, "through", THROUGH);
        fault.explains.push(Explains { fault: to, through: through.map_or_else(|| "unsaid".into(), |at| at.text) });
    }
    for node in reader.list(&mut keys, "evidence") {
        let Some(mut keys) = reader.item(node, "evidence", "signal", &["signal", "strength", "speaks"]) else { continue };
        let signal = reader.needed_at(&mut keys, "signal", &node.at);
        let strength = strength(reader, &mut keys, &node.at);
        let against = reader.word(&mut keys, "speaks", &["for", "against"]).is_some_and(|at| at.text == "against");
        fault.evidence.push(Evidence { signal, strength, against });
    }
    fault.because = because(reader, &mut keys);
    if let Some(mut advice) = reader.within(&mut keys, "advice", &["check", "fix", "prevent"]) {
        let mut lines = |key| reader.texts(&mut advice, key).into_iter().map(|at| at.text).collect();
        (fault.check, fault.fix, fault.prevent) = (lines("check"), lines("fix"), lines("prevent"));
    }
    for node in reader.list(&mut keys, "missing") {
        if let Some(mut keys) = reader.item(node, "a missing log", "log", &["of", "needed", "unless", "log", "command"]) {
            fault.missing.push(missing(reader, &mut keys, &node.at));
        }
    }
    fault
}

/// `because: {any: [...]}`.
fn because(reader: &mut Reader, keys: &mut Keys<'_>) -> Vec<At> {
    match keys.peek("because").map(|node| &node.value) {
        Some(Value::List(_) | Value::Quoted | Value::Plain) => {
            let found = reader.one_or_many(keys, "because");
            if let Some(first) = found.first() {
                let names: Vec<&str> = found.iter().map(|at| at.text.as_str()).collect();
                let help = format!("write `because: {{any: [{}]}}`", names.join(", "));
                reader.wrong(first, "`because` wants a mapping with `any`".into(), help);
            }
            found
        }
        _ => reader.within(keys, "because", &["any"]).map(|mut keys| reader.texts(&mut keys, "any")).unwrap_or_default(),
    }
}

/// The likelihood ratio of a piece of evidence.
fn strength(reader: &mut Reader, keys: &mut Keys<'_>, owner: &At) -> f64 {
    const SUPPORTING: f64 = 4.0;
    let at = reader.needed_at(keys, "strength", owner);
    if at.line == 0 {
        return SUPPORTING;
    }
    if let Some((_, ratio)) = STRENGTHS.iter().find(|(word, _)| *word == at.text) {
        return *ratio;
    }
    match at.text.parse::<f64>() {
        Ok(ratio) if ratio.is_finite() && ratio >= 1.0 => return ratio,
        Ok(ratio) => {
            let help = "it is a ratio of 1 or more; for the opposite write `speaks: against`".to_string();
            reader.wrong(&at, format!("a strength of {ratio} is below 1"), help);
        }
        Err(_) => {
            let words: Vec<&str> = STRENGTHS.iter().map(|(word, _)| *word).collect();
            reader.unknown_word(&at, "strength", &words, " or a number");
        }
    }
    SUPPORTING
}

fn missing(reader: &mut Reader, keys: &mut Keys<'_>, owner: &At) -> Missing {
    let of = reader.word(keys, "of", WHOSE).unwrap_or_else(|| At { text: "target".into(), ..owner.clone() });
    let needed = reader.yes_or_no(keys, "needed");
    let unless = reader.texts(keys, "unless");
    if needed && !matches!(of.text.as_str(), "target" | "host" | "dependency") {
        let help = "`needed` goes with `of: target`, `of: host` or `of: dependency`".to_string();
        reader.wrong(&of, format!("whether a log of `{}` was given is not looked at", of.text), help);
    }
    if let (Some(first), false) = (unless.first(), needed) {
        let help = "write `needed: true`, or leave `unless` out".to_string();
        reader.wrong(first, "`unless` says where a log is not needed, so it goes with `needed: true`".into(), help);
    }
    let command = reader.text(keys, "command").map(|at| at.text).unwrap_or_default();
    Missing { of: of.text, needed, unless, log: reader.needed(keys, "log", owner), command }
}

fn format(reader: &mut Reader, id: At, node: &Node) -> Format {
    let options = ["title", "timestamp", "zone", "units", "starts", "files", "samples"];
    let known: Vec<&str> = options.into_iter().chain(NOTATIONS.iter().copied()).collect();
    let mut format = Format { id, ..Format::default() };
    let Some(mut keys) = reader.keys(node, "a format", &known) else { return format };
    format.title = reader.needed(&mut keys, "title", &format.id);
    for notation in NOTATIONS {
        if let Some(text) = reader.text(&mut keys, notation) {
            format.told.push((notation.to_string(), text));
        }
    }
    format.timestamp = reader.text(&mut keys, "timestamp");
    format.zone = reader.text(&mut keys, "zone");
    format.starts = reader.text(&mut keys, "starts");
    format.files = reader.texts(&mut keys, "files");
    for (group, node) in reader.entries(&mut keys, "units") {
        if let Some(unit) = reader.text_of(node, "units") {
            format.units.push((group, unit));
        }
    }
    for node in reader.list(&mut keys, "samples") {
        format.samples.extend(sample(reader, node));
    }
    format
}

fn sample(reader: &mut Reader, node: &Node) -> Option<Sample> {
    let mut keys = reader.item(node, "a sample", "text", &["text", "not", "fields"])?;
    let fields: Vec<(At, Wanted)> = reader.entries(&mut keys, "fields").into_iter().map(|(name, node)| (name, wanted(node))).collect();
    match (reader.text(&mut keys, "text"), reader.text(&mut keys, "not")) {
        (Some(text), None) => Some(Sample { text, reads: true, fields }),
        (None, Some(text)) => {
            if let Some((first, _)) = fields.first() {
                reader.wrong(first, "a line that must not be read has no fields".into(), "leave `fields` out".into());
            }
            Some(Sample { text, reads: false, fields: Vec::new() })
        }
        (Some(text), Some(not)) => {
            reader.wrong(&not, "a sample is either `text` (to be read) or `not` (not to be read)".into(), "write two samples".into());
            Some(Sample { text, reads: true, fields })
        }
        (None, None) => {
            let help = "write `- text: '...'` for a record that must be read, `- not: '...'` for one that must not".to_string();
            reader.wrong(&node.at, "this sample has neither `text` nor `not`".into(), help);
            None
        }
    }
}

/// A value as a sample wants it: without quotes it may be a number, yes or no, or nothing.
fn wanted(node: &Node) -> Wanted {
    match &node.value {
        Value::List(list) => Wanted::List(list.iter().map(wanted).collect()),
        Value::Plain if node.is_nothing() => Wanted::Nothing,
        Value::Plain => match node.at.text.as_str() {
            "true" | "True" | "TRUE" => Wanted::Bool(true),
            "false" | "False" | "FALSE" => Wanted::Bool(false),
            text => {
                let is_number = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
                text.parse().ok().filter(|_| is_number).map_or_else(|| Wanted::Text(text.to_string()), Wanted::Number)
            }
        },
        Value::Quoted => Wanted::Text(node.at.text.clone()),
        Value::Map(_) => Wanted::Nothing,
    }
}

/// A length of time, in seconds.
fn length_of_time(reader: &mut Reader, at: &At) -> Option<u64> {
    let found = seconds(&at.text);
    if found.is_none() {
        reader.wrong(at, format!("`{}` is no length of time", at.text), "write for instance `1m` or `30s`".into());
    }
    found
}

/// Seconds of `90`, `90s`, `5m`, `2h`, `1d`.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let unit = match text.get(digits..)?.trim() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    /// The first problem of a file, and the file.
    fn checked(yaml: &str) -> (String, File) {
        let file = read("x.yaml", yaml);
        let said = file.problems.iter().map(|p| format!("{}:{}: {}; {}", p.at.line, p.at.column, p.message, p.help)).collect::<Vec<_>>();
        (said.join("\n"), file)
    }

    fn missing(entry: &str) -> (String, Missing) {
        let (said, file) = checked(&format!("faults:\n  app.x:\n    title: x\n    missing:\n      - {entry}\n"));
        (said, file.faults.into_iter().flat_map(|fault| fault.missing).next().unwrap_or_default())
    }

    #[test]
    fn a_fault_is_of_the_target_or_of_the_speaker() {
        let fault = |accuses: &str| checked(&format!("faults:\n  lb.x:\n    title: x\n{accuses}"));
        let of_speaker = |accuses| fault(accuses).1.faults.first().map(|fault| fault.of_speaker);
        assert_eq!(of_speaker(""), Some(false));
        assert_eq!(of_speaker("    accuses: target\n"), Some(false));
        assert_eq!(of_speaker("    accuses: speaker\n"), Some(true));
        let (wrong, file) = fault("    accuses: proxy\n");
        assert_eq!(wrong, "4:14: `accuses: proxy` is unknown; it is one of target, speaker");
        assert!(file.faults.iter().all(|fault| fault.flawed));
    }

    #[test]
    fn whose_log_is_missing_must_be_known() {
        let (said, plain) = missing("{log: 'a log'}");
        assert_eq!((said.as_str(), plain.of.as_str(), plain.needed), ("", "target", false));
        let (_, needed) = missing("{of: dependency, needed: true, log: 'a log'}");
        assert_eq!((needed.of.as_str(), needed.needed), ("dependency", true));
        let (wrong, _) = missing("{of: databse, log: 'a log'}");
        assert!(wrong.starts_with("5:14: `of: databse` is unknown") && wrong.contains("dependency"), "{wrong}");
        let (never, _) = missing("{of: network, needed: true, log: 'a log'}");
        assert!(never.starts_with("5:14: ") && never.contains("`of: target`, `of: host` or `of: dependency`"), "{never}");
        let (_, told) = missing("{of: host, needed: true, unless: [a.b], log: 'a log'}");
        assert_eq!(told.unless.iter().map(|at| at.text.as_str()).collect::<Vec<_>>(), ["a.b"]);
        let (idle, _) = missing("{of: host, unless: [a.b], log: 'a log'}");
        assert!(idle.starts_with("5:29: ") && idle.contains("`needed: true`"), "{idle}");
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!(
            ["90", "90s", "5m", "2h", "1d", "x", "5 weeks"].map(seconds),
            [Some(90), Some(90), Some(300), Some(7200), Some(86400), None, None]
        );
    }

    #[test]
    fn values_of_samples_have_kinds() {
        let yaml = "formats:\n  a.b:\n    title: t\n    pattern: x\n    samples:\n      - text: y\n        fields: {a: 7, b: '7', c: true, d: null, e: [1.5, inf], f: -2e3}\n";
        let (said, file) = checked(yaml);
        let fields: Vec<Wanted> =
            file.formats.into_iter().flat_map(|f| f.samples).flat_map(|s| s.fields).map(|(_, wanted)| wanted).collect();
        let text = |t: &str| Wanted::Text(t.into());
        let list = Wanted::List(vec![Wanted::Number(1.5), text("inf")]);
        assert_eq!(said, "");
        assert_eq!(fields, [Wanted::Number(7.0), text("7"), Wanted::Bool(true), Wanted::Nothing, list, Wanted::Number(-2000.0)]);
    }

    #[test]
    fn anchors_are_followed() {
        let yaml = "signals:\n  a.b: &one\n    title: t\n    query: &q x y\n    quiet: true\n  a.c:\n    <<: *one\n    title: another\n  a.d: {title: t, query: *q}\n";
        let (said, file) = checked(yaml);
        let read: Vec<_> = file.signals.iter().map(|s| (s.title.as_str(), s.query.as_ref().map(|q| q.text.as_str()), s.quiet)).collect();
        assert_eq!((said.as_str(), read), ("", vec![("t", Some("x y"), true), ("another", Some("x y"), true), ("t", Some("x y"), false)]));
        // What anchors make out of nothing is bounded.
        let mut yaml = "a: &a0 [x, x, x, x, x, x, x, x]\n".to_string();
        for n in 0..40 {
            yaml.push_str(&format!("a{n}: &a{} [{}]\n", n + 1, vec![format!("*a{n}"); 8].join(", ")));
        }
        assert!(checked(&yaml).0.contains("nested too deeply, or anchors make too much"));
        assert!(checked(&format!("signals: {}", "[".repeat(5000))).0.contains("nested too deeply"));
    }
}
