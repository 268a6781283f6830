//! Where answers go: standard output, on a terminal through a pager.

use std::io::{BufWriter, IsTerminal, Result, Stdout, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// When colours are shown.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Whoever waits for results sees them after this time, also when the buffer is not full.
const AT_LEAST_EVERY: Duration = Duration::from_millis(100);

/// A pager is open: it decides when it has seen enough, and ends by itself when interrupted.
static PAGING: AtomicBool = AtomicBool::new(false);

/// Whether a pager is open.
pub fn paging() -> bool {
    PAGING.load(Ordering::Relaxed)
}

/// Where an answer is written.
pub struct Out {
    to: To,
    coloured: bool,
    terminal: bool,
    flushed: Option<Instant>,
}

enum To {
    Stdout(BufWriter<Stdout>),
    Pager(Box<Child>, Option<BufWriter<std::process::ChildStdin>>),
}

impl Out {
    /// Opens standard output, or a pager where it is a terminal and one is wanted.
    pub fn open(colours: Colours, paged: bool) -> Out {
        let terminal = std::io::stdout().is_terminal();
        let coloured = match colours {
            Colours::Always => true,
            Colours::Never => false,
            Colours::Auto => {
                terminal
                    && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
                    && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
            }
        };
        let pager = (terminal && paged).then(pager).flatten();
        let to = pager.unwrap_or_else(|| To::Stdout(BufWriter::with_capacity(1 << 16, std::io::stdout())));
        Out { to, coloured, terminal, flushed: None }
    }

    /// Whether colours are shown.
    pub fn coloured(&self) -> bool {
        self.coloured
    }

    /// Whether people look at it.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// A result has been written: it is seen soon.
    pub fn written(&mut self) -> Result<()> {
        if self.flushed.is_none_or(|at| at.elapsed() >= AT_LEAST_EVERY) {
            self.flush()?;
            self.flushed = Some(Instant::now());
        }
        Ok(())
    }

    /// Writes everything and waits until the reader has seen it.
    pub fn finish(mut self) -> Result<()> {
        let flushed = self.flush();
        if let To::Pager(child, input) = &mut self.to {
            drop(input.take());
            child.wait()?;
            PAGING.store(false, Ordering::Relaxed);
        }
        flushed
    }
}

impl Drop for Out {
    /// Whoever ends with an error leaves no pager behind.
    fn drop(&mut self) {
        if let To::Pager(child, input) = &mut self.to
            && let Some(input) = input.take()
        {
            drop(input);
            // It may be gone already.
            let _ = child.wait();
            PAGING.store(false, Ordering::Relaxed);
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match &mut self.to {
            To::Stdout(out) => out.write(bytes),
            To::Pager(_, Some(input)) => input.write(bytes),
            To::Pager(_, None) => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match &mut self.to {
            To::Stdout(out) => out.flush(),
            To::Pager(_, Some(input)) => input.flush(),
            To::Pager(_, None) => Ok(()),
        }
    }
}

/// What `PAGER` names, else `less` so that it ends by itself where one page is enough, shows colours and leaves the screen as it was.
fn pager() -> Option<To> {
    let told = std::env::var("PAGER").ok();
    if told.as_deref().is_some_and(|p| p.trim().is_empty() || p.trim() == "cat") {
        return None;
    }
    let mut command = Command::new("sh");
    command.arg("-c").arg(told.as_deref().unwrap_or("less")).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let program = told.as_deref().and_then(|told| told.split_whitespace().next()).unwrap_or("less");
    if !is_there(program) {
        return None;
    }
    let mut child = command.spawn().ok()?;
    let input = child.stdin.take()?;
    PAGING.store(true, Ordering::Relaxed);
    Some(To::Pager(Box::new(child), Some(BufWriter::with_capacity(1 << 16, input))))
}

/// Whether a program is there: in one of the folders of `PATH`, or where its path says.
fn is_there(program: &str) -> bool {
    if program.contains('/') {
        return std::path::Path::new(program).is_file();
    }
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
