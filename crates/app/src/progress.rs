//! How far long work has come, in one line of standard error where that is a terminal: `reading: 1.2 GB of 4.0 GB (30 %), 210.0 MB/s,
//! 13 s left`. It is first shown after a second, drawn at most ten times a second, and wiped at the end.

use crate::books::size;
use crate::output::words::{length, percent};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use whyline_parse::Progress;
use whyline_parse::progress::Stage;

/// Work that is done sooner shows nothing.
const FIRST: Duration = Duration::from_secs(1);
const A_SECOND: u8 = 10;

/// The line that is on the terminal, so that others can write beside it.
static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Shows how far work has come until it is dropped.
#[derive(Default)]
pub struct Watch {
    progress: Option<Progress>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch, where standard error is a terminal that can wipe a line. `writing` is when results are written
    /// meanwhile: on a terminal these show by themselves how far the work has come.
    pub fn begin(writing: bool) -> Watch {
        let shown = std::io::stderr().is_terminal() && !(writing && std::io::stdout().is_terminal());
        // The target is hidden where `TERM` is `dumb` or not set.
        let target = ProgressDrawTarget::stderr_with_hz(A_SECOND);
        if shown && !target.is_hidden() { Watch::on(target, FIRST) } else { Watch::default() }
    }

    fn on(target: ProgressDrawTarget, first: Duration) -> Watch {
        let progress = Progress::default();
        let bar = ProgressBar::with_draw_target(None, target);
        // A longer line than the terminal has room for is cut.
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        let (stop, stopped) = channel();
        let watched = progress.clone();
        let thread = std::thread::Builder::new().name("progress".into()).spawn(move || draw(&watched, &bar, &stopped, first));
        // Work goes on where nobody can watch it.
        Watch { progress: Some(progress), stop: Some(stop), thread: thread.ok() }
    }

    /// Where work counts what it has read; `None` where nobody looks.
    pub fn progress(&self) -> Option<Progress> {
        self.progress.clone()
    }

    /// Says what is done now, where that is not reading.
    pub fn say(&self, what: &'static str) {
        if let Some(progress) = &self.progress {
            progress.begin(what, None);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.take();
        // A thread that failed has nothing on the terminal any more.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Draws the line until nobody holds the other end of `stopped`, and wipes it.
fn draw(progress: &Progress, bar: &ProgressBar, stopped: &Receiver<()>, first: Duration) {
    let begun = Instant::now();
    let (mut number, mut since) = (0, begun);
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(Duration::from_secs(1) / u32::from(A_SECOND)) {
        let (stage, done) = progress.now();
        if stage.number != number {
            (number, since) = (stage.number, Instant::now());
        }
        if stage.number == 0 || begun.elapsed() < first {
            continue;
        }
        // Whoever wiped the line for good has taken it out.
        let mut line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
        line.get_or_insert_with(|| bar.clone());
        bar.set_message(text(&stage, done, since.elapsed()));
    }
    wipe();
}

/// Takes the line off the terminal.
pub fn wipe() {
    if let Some(bar) = LINE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

/// Writes to standard error while the line is away.
pub fn beside(write: impl FnOnce()) {
    match &*LINE.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// The line, for bytes that were read in the time since a stage began.
fn text(stage: &Stage, done: u64, since: Duration) -> String {
    let (what, seconds) = (stage.what, since.as_secs_f64());
    if done == 0 {
        return format!("{what}, {}", length(seconds as i64));
    }
    // What was read in an instant tells no rate.
    let rate = (seconds >= 0.5).then(|| done as f64 / seconds);
    let shown = rate.map(|rate| format!(", {}/s", size(rate as u64))).unwrap_or_default();
    let Some(total) = stage.total.filter(|t| *t > 0) else { return format!("{what}: {}{shown}", size(done)) };
    let left = rate
        .filter(|_| done < total)
        .map(|rate| format!(", {} left", length((total.saturating_sub(done) as f64 / rate).ceil() as i64)))
        .unwrap_or_default();
    format!("{what}: {} of {} ({}){shown}{left}", size(done), size(total), percent(done as f64 / total as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io::Result;
    use std::sync::Arc;

    #[test]
    fn the_line_tells_bytes_share_rate_and_rest() {
        let line = |total, done, millis| text(&Stage { number: 1, what: "reading", total }, done, Duration::from_millis(millis));
        assert_eq!(line(Some(4_000_000_000), 1_200_000_000, 6000), "reading: 1.20 GB of 4.00 GB (30 %), 200.0 MB/s, 14 s left");
        assert_eq!(line(Some(4_000_000), 4_000_000, 2000), "reading: 4.0 MB of 4.0 MB (100 %), 2.0 MB/s");
        assert_eq!(line(Some(90_000_000), 1_000_000, 1000), "reading: 1.0 MB of 90.0 MB (1.1 %), 1.0 MB/s, 1 min 29 s left");
        assert_eq!(line(None, 1_200_000, 2000), "reading: 1.2 MB, 600.0 kB/s");
        assert_eq!(line(Some(4_000_000), 1_000_000, 20), "reading: 1.0 MB of 4.0 MB (25 %)");
        assert_eq!(line(Some(0), 0, 2000), "reading, 2 s");
        assert_eq!(line(None, 0, 75_000), "reading, 1 min 15 s");
    }

    /// A terminal of one line: what it shows, and all that it ever showed.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<(String, Vec<String>)>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            60
        }
        fn move_cursor_up(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> Result<()> {
            self.0.lock().unwrap().0.push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> Result<()> {
            self.0.lock().unwrap().0.clear();
            Ok(())
        }
        fn flush(&self) -> Result<()> {
            let mut screen = self.0.lock().unwrap();
            let shown = screen.0.trim_end().to_string();
            screen.1.push(shown);
            Ok(())
        }
    }

    #[test]
    fn it_is_drawn_and_wiped() {
        let screen = Screen::default();
        let watch = Watch::on(ProgressDrawTarget::term_like(Box::new(screen.clone())), Duration::ZERO);
        let progress = watch.progress().unwrap();
        progress.begin("reading", Some(4_000_000));
        progress.read(1_000_000);
        let seen = |what: &str| screen.0.lock().unwrap().1.iter().any(|line| line.starts_with(what));
        let until = Instant::now() + Duration::from_secs(20);
        while !seen("reading: 1.0 MB of 4.0 MB (25 %)") {
            assert!(Instant::now() < until, "{screen:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        beside(|| assert_eq!(screen.0.lock().unwrap().0.trim_end(), "", "others write where nothing stands"));
        drop(watch);
        assert_eq!(screen.0.lock().unwrap().0.trim_end(), "", "nothing stays");
    }
}
