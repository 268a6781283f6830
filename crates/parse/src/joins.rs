//! Lines that go on with the record before although they begin at the margin and carry no stamp: the parts of stack traces,
//! of crash reports, and of JSON objects that are written over several lines.

/// A JSON object over several lines, while its lines come in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Object {
    depth: u32,
}

/// What a line does to an open object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The object goes on behind it.
    Open,
    /// It ends the object.
    Closed,
    /// It is no part of it.
    Foreign,
}

impl Object {
    /// The object that a line opens and does not close.
    pub fn begin(line: &str) -> Option<Object> {
        let inner = line.strip_prefix('{')?.trim_start();
        if !(inner.is_empty() || inner.starts_with('"')) {
            return None;
        }
        // No brace stands between the first and the last letter: the object of one line, as nearly all are.
        let closed = |rest: &str| memchr::memchr2(b'{', b'}', rest.as_bytes()).is_some_and(|at| at + 1 == rest.len());
        if line.ends_with('}') && closed(inner) {
            return None;
        }
        // As many braces open as close, and the last one stands at the end: the object of one line.
        let count = |brace: u8| memchr::memchr_iter(brace, line.as_bytes()).count();
        if line.ends_with('}') && count(b'{') == count(b'}') {
            return None;
        }
        let mut object = Object::default();
        (object.take(line) == Step::Open).then_some(object)
    }

    /// Takes the next line.
    pub fn next(&mut self, line: &str) -> Step {
        let bare = line.trim();
        let fits = match bare.as_bytes().first() {
            None | Some(b'"' | b'}' | b']' | b'[' | b',' | b':' | b'-' | b'0'..=b'9') => true,
            // At the margin the next object begins, and this one was cut off.
            Some(b'{') => !line.starts_with('{'),
            _ => ["true", "false", "null"].iter().any(|word| bare.starts_with(word)),
        };
        if fits { self.take(line) } else { Step::Foreign }
    }

    fn take(&mut self, line: &str) -> Step {
        let (mut quoted, mut escaped) = (false, false);
        for (at, b) in line.bytes().enumerate() {
            match b {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'{' | b'[' if !quoted => self.depth += 1,
                b'}' | b']' if !quoted => {
                    let Some(depth) = self.depth.checked_sub(1) else { return Step::Foreign };
                    self.depth = depth;
                    if depth == 0 {
                        let rest = line.get(at + 1..).unwrap_or("").trim();
                        return if rest.is_empty() || rest == "," { Step::Closed } else { Step::Foreign };
                    }
                }
                _ => {}
            }
        }
        // A text of JSON never goes over the end of a line.
        if quoted { Step::Foreign } else { Step::Open }
    }
}

/// The lines of a head with the objects of several lines made whole.
pub fn whole<'a>(arena: &'a whyline_event::Bump, lines: Vec<&'a str>) -> Vec<&'a str> {
    if !lines.iter().any(|line| Object::begin(line).is_some()) {
        return lines;
    }
    let mut out: Vec<&'a str> = Vec::with_capacity(lines.len());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let end = end_of(lines.get(at..).unwrap_or(&[]));
        match lines.get(at..at + end).filter(|part| part.len() > 1) {
            Some(part) => out.push(arena.alloc_str(&part.join("\n"))),
            None => out.push(line),
        }
        at += end;
    }
    out
}

/// How many lines the record takes with which the lines begin: one, unless an object begins that ends.
fn end_of(lines: &[&str]) -> usize {
    let Some(mut object) = lines.first().and_then(|line| Object::begin(line)) else { return 1 };
    for (at, line) in lines.iter().enumerate().skip(1) {
        match object.next(line) {
            Step::Open => {}
            Step::Closed => return at + 1,
            Step::Foreign => return 1,
        }
    }
    1
}

/// Whether a line of a source without stamps belongs to the record whose lines are open.
pub fn goes_on<'a>(open: impl DoubleEndedIterator<Item = &'a str> + Clone, line: &str) -> bool {
    let mut back = open.clone().rev().filter(|l| !l.trim().is_empty());
    let Some(last) = back.next() else { return false };
    let indented = |text: &str| text.starts_with([' ', '\t']);
    let is_trace = |text: &str| text.starts_with(TRACEBACK) || text.contains(TRACEBACK);
    // Python: the line at the margin that ends the frames; exceptions that came of each other; the trace after its message.
    if indented(last) {
        if ["Caused by: ", "Suppressed: ", "... "].iter().any(|mark| line.starts_with(mark)) || line.bytes().all(|b| b"})];".contains(&b)) {
            return true;
        }
        if last.trim().bytes().all(|b| matches!(b, b'^' | b'~')) && back.next().is_some_and(|text| !is_frame(text)) {
            return true;
        }
        if !line.starts_with(TRACEBACK) && open.clone().rev().find(|l| !indented(l) && !l.trim().is_empty()).is_some_and(is_trace) {
            return true;
        }
    }
    // SQLAlchemy adds the statement to the exception.
    if ["(Background on this error at: ", "[SQL: ", "[parameters: "].iter().any(|mark| line.starts_with(mark)) {
        return open.clone().any(is_trace);
    }
    if line.starts_with("During handling of the above exception") || line.starts_with("The above exception was the direct cause") {
        return open.clone().any(is_trace);
    }
    if line.starts_with(TRACEBACK) {
        return last.starts_with("During handling of the above") || last.starts_with("The above exception was") || speaks_of_error(last);
    }
    let Some(first) = open.clone().next() else { return false };
    // Go: the goroutines of a crash.
    if first.starts_with("panic: ") || first.starts_with("fatal error: ") || first.contains(" panic: ") {
        return ["goroutine ", "created by ", "[signal ", "exit status ", "\tpanic: ", "runtime."]
            .iter()
            .any(|mark| line.starts_with(mark))
            || line.ends_with(')') && open.clone().any(|l| l.starts_with("goroutine "));
    }
    // Rust: the message and the notes of a panic.
    if first.starts_with("thread '") && first.contains("panicked at") {
        return last == first && last.ends_with(':')
            || line.starts_with("note: run with `RUST_BACKTRACE")
            || line.starts_with("stack backtrace:");
    }
    // PHP.
    line.starts_with("Stack trace:") && first.contains("PHP ")
        || line.starts_with('#')
            && line.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
            && (last.starts_with("Stack trace:") || last.starts_with('#'))
}

const TRACEBACK: &str = "Traceback (most recent call last):";

fn is_frame(text: &str) -> bool {
    text.trim_start().starts_with("File \"")
}

/// `ERROR:root:text`, `Exception in thread ...`: a message that a trace follows.
fn speaks_of_error(line: &str) -> bool {
    ["ERROR:", "CRITICAL:", "Exception in ", "Exception ignored in", "[ERROR]", "ERROR "].iter().any(|mark| line.starts_with(mark))
}

/// Whether a record that begins with this line is whole with it, whatever follows: a JSON object.
pub fn is_whole(line: &str) -> bool {
    line.starts_with('{') && line.trim_end().ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects() {
        let lines = ["{", "  \"a\": {", "    \"b\": [1,", "{\"x\": \"}\"}", "  ]}", "}", "{\"c\":1}", "{\"d\":", "ready", "{\"e\":", " 2}"];
        let arena = whyline_event::Bump::new();
        let made = whole(&arena, lines.to_vec());
        // The first is cut off by an object at the margin.
        assert_eq!(made.first(), Some(&"{"));
        assert_eq!(made.last(), Some(&"{\"e\":\n 2}"));
        let made = whole(&arena, vec!["{", " \"a\": {", "  \"b\": [1]", " }", "}", "x"]);
        assert_eq!(made, ["{\n \"a\": {\n  \"b\": [1]\n }\n}", "x"]);
        for no in ["{\"a\":1}", "{\"a\":\"cut off", "{x", "text {", "{ a: 1"] {
            assert!(Object::begin(no).is_none(), "{no}");
        }
    }

    #[test]
    fn traces() {
        for (open, line, want) in [
            (&["Traceback (most recent call last):", "  File \"a.py\", line 3, in f"][..], "KeyError: 'x'", true),
            (&["Traceback (most recent call last):", "  File \"a.py\", line 3", "KeyError: 'x'"], "ready", false),
            (
                &["Traceback (most recent call last):", "  File \"a.py\", line 3", "KeyError: 'x'", ""],
                "During handling of the above exception, another exception occurred:",
                true,
            ),
            (&["ERROR:root:no luck"], "Traceback (most recent call last):", true),
            (&["listening"], "Traceback (most recent call last):", false),
            (&["Exception in thread \"main\" a.B: x", "\tat a.C(D.java:1)"], "Caused by: a.E: y", true),
            (&["Error: x", "    at f (a.js:1:2) {", "  code: 'E'"], "}", true),
            (&["/srv/a.js:3", "    throw e;", "    ^", ""], "Error: x", true),
            (&["panic: x", "", "goroutine 1 [running]:"], "main.main()", true),
            (&["panic: x"], "goroutine 1 [running]:", true),
            (&["thread 'main' panicked at src/main.rs:2:5:"], "no luck", true),
            (&["listening", "  on 80"], "ready", false),
            (&["PHP Fatal error:  Uncaught E: x in /a.php:1"], "Stack trace:", true),
        ] {
            assert_eq!(goes_on(open.iter().copied(), line), want, "{open:?} {line}");
        }
    }
}
