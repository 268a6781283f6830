//! Exit codes, in one table, and the printing of errors.

use std::process::ExitCode;

/// Done; also for a healthy bundle.
pub const DONE: u8 = 0;
/// A negative answer: a query without a match, a failed rule test, an incident of the grade that `--fail-on` names.
pub const NEGATIVE: u8 = 1;
/// Wrong usage, query or rule, or a path that does not exist.
pub const USAGE: u8 = 2;
/// Part of the input could not be read; the answer comes from the rest.
pub const PARTIAL: u8 = 3;

/// An error that is the user's to mend: exit code 2.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A usage error.
pub fn usage(text: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Usage(text.into()))
}

/// Prints an error with its reasons; the code is 2 for usage errors, else 3.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    use std::io::Write;
    let kind = |e: &(dyn std::error::Error + 'static)| {
        let plain = e.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        plain.or_else(|| e.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind))
    };
    // A reader that has seen enough (`| head`) is no error.
    let broken_pipe = error.chain().any(|e| kind(e) == Some(std::io::ErrorKind::BrokenPipe));
    if broken_pipe {
        return ExitCode::from(DONE);
    }
    let mut text = format!("whyline: {error}");
    for reason in error.chain().skip(1) {
        text.push_str(&format!("\n  because: {reason}"));
    }
    // Nothing can be done where standard error is closed.
    let _ = writeln!(anstream::stderr().lock(), "{}", crate::output::safe::lines(&text));
    ExitCode::from(if error.downcast_ref::<Usage>().is_some() { USAGE } else { PARTIAL })
}
