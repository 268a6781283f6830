//! The program `whyline`: reads the logs of an outage and says why it happened.
//!
//! `main` parses the command line, runs one command and prints errors, in one place. Data goes to standard output, all else to
//! standard error. Exit codes: see [`exit`].

mod books;
mod cli;
mod commands;
mod exit;
mod ground;
mod load;
mod output;
mod own;
mod progress;
mod spelling;
mod told;
mod when;

use clap::Parser;
use std::process::ExitCode;

/// Waits until the user has had enough. A pager takes Ctrl-C for itself, and ends when it is told to.
async fn interrupted() {
    while tokio::signal::ctrl_c().await.is_ok() && output::found::paging() {}
}

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::failed(&anyhow::Error::new(error).context("the runtime cannot start")),
    };
    let code = runtime.block_on(async {
        let work = tokio::task::spawn_blocking(move || commands::run(&cli));
        tokio::select! {
            done = work => match done {
                Ok(Ok(code)) => ExitCode::from(code),
                Ok(Err(error)) => exit::failed(&error),
                Err(error) => exit::failed(&anyhow::anyhow!("an error in whyline itself: {error}")),
            },
            () = interrupted() => {
                progress::wipe();
                ExitCode::from(130)
            }
        }
    });
    // Work that was interrupted is not waited for.
    runtime.shutdown_background();
    code
}
