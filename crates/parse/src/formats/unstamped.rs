//! What runtimes write beside a log that has stamps, without one of their own: each begins a record wherever it stands, for
//! no logger writes it behind a message.

use whyline_event::{Key, Record, Severity};

/// How reports of runtimes begin.
const REPORTS: &[(&str, Severity)] = &[
    // Java's default handler (java.lang.ThreadGroup.uncaughtException), Python's (threading.excepthook), and what Java says where the handler
    // itself failed (hotspot thread.cpp).
    ("Exception in thread ", Severity::Error),
    ("Exception: java.lang.", Severity::Error),
    // Java could not begin (hotspot java.cpp, vm_exit_during_initialization).
    ("Error occurred during initialization of VM", Severity::Fatal),
    // Go's runtime (runtime/panic.go).
    ("fatal error: ", Severity::Fatal),
    ("panic: ", Severity::Fatal),
];

/// The severity of the report that begins with this line, if one does.
pub fn severity(line: &str) -> Option<Severity> {
    // Nearly no line begins with one of these letters.
    if !line.starts_with(['E', 'f', 'p', 't']) {
        return None;
    }
    let known = REPORTS.iter().find(|(mark, _)| line.starts_with(mark)).map(|(_, severity)| *severity);
    // Rust (library/std/src/panicking.rs).
    known.or_else(|| (line.starts_with("thread '") && line.contains("' panicked at ")).then_some(Severity::Error))
}

/// Whether a line begins a record by itself, though it has no stamp.
pub fn begins(line: &str) -> bool {
    severity(line).is_some()
}

/// Adds the severity of a report, and the thread that Java names in it.
pub fn fields<'a>(text: &'a str, record: &mut Record<'a>) {
    let Some(severity) = severity(text) else { return };
    record.severity = Some(severity);
    if let Some((thread, _)) = thread(text) {
        super::fill::once_str(record, Key::ThreadName, thread);
    }
}

/// The thread of Java's `Exception in thread "main" java.lang.Error: text`, and what stands behind.
pub fn thread(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("Exception in thread \"")?.split_once("\" ").filter(|(name, _)| name.len() <= 200 && !name.contains('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_begin_records() {
        for (line, want) in [
            ("Exception in thread \"http-nio-8080-exec-3\" java.lang.OutOfMemoryError: Java heap space", Some(Severity::Error)),
            ("Exception in thread Thread-7 (work):", Some(Severity::Error)),
            ("fatal error: all goroutines are asleep - deadlock!", Some(Severity::Fatal)),
            ("thread 'main' panicked at src/main.rs:2:5:", Some(Severity::Error)),
            ("thread 'main' sleeps", None),
            ("Exception in the house", None),
            ("java.lang.OutOfMemoryError: Java heap space", None),
            ("panic over", None),
        ] {
            assert_eq!((severity(line), begins(line)), (want, want.is_some()), "{line}");
        }
        assert_eq!(thread("Exception in thread \"a b\" x.E: y"), Some(("a b", "x.E: y")));
        assert_eq!(thread("Exception in thread \"a b"), None);
    }
}
