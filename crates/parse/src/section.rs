//! Output of commands: tables and lists whose lines mean something only below the head that the command wrote.
//!
//! People copy what a command printed beside the logs, often several commands into one file, with the prompt or without. A
//! *section* is the output of one command within a source. It begins where a format of commands knows a line as its head
//! ([`Format::opens`]) and ends where a line does not belong to it. Lines outside of sections are read as in any log.

use crate::format::{Cx, Format};
use std::sync::Arc;
use whyline_event::{Bump, Key, Record, Stamp, Value};
use whyline_event::{Form, stamp::NANOS};

/// What a line is to the section that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It begins a record.
    Row,
    /// It goes on with the record before.
    More,
    /// It is no part of the section, which ends here.
    Foreign,
}

/// The output of one command, while its lines come in.
pub trait Section: Send {
    /// The name of the format of its rows (`command.df`).
    fn name(&self) -> &'static str;

    /// What the next line is; asked once for each line that is not blank, in order, the head included.
    fn step(&mut self, line: &str) -> Step;

    /// Reads a whole record: fields, severity, and the stamp where the output names a time. Never fails: a row that is not
    /// understood stays a text. Records come in order, each after the last of its lines was stepped over.
    fn read<'a>(&mut self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>);

    /// Whether a blank line ends it.
    fn ends_at_blank(&self) -> bool {
        true
    }
}

/// What a source is told about the output of commands in it.
#[derive(Clone, Default)]
pub struct Commands {
    /// The formats that know heads of commands.
    pub openers: Vec<Arc<dyn Format>>,
    /// The head of the source shows output of commands. Then rows without their head are looked for as well, and in every line; else only
    /// the head of a table or list among lines that nothing else explains ([`Sections::late`]).
    pub shown: bool,
    /// When the file was written, in seconds since 1970 UTC: when the commands were run, unless the output says so itself.
    pub collected: Option<i64>,
}

impl Commands {
    /// The section that a line opens. A head is looked for anywhere, a row without its head (as `grep` leaves it) only
    /// outside of sections.
    pub fn opened(&self, line: &str, inside: bool) -> Option<Box<dyn Section>> {
        let first = |bare: bool| self.openers.iter().find_map(|format| format.opens(line, bare));
        first(false).or_else(|| if inside || !self.shown { None } else { first(true) })
    }

    /// For the lines of a head the name of the section that each belongs to, and whether there is one.
    pub fn shown(openers: Vec<Arc<dyn Format>>, lines: &[&str]) -> (Commands, Vec<Option<&'static str>>) {
        let mut commands = Commands { openers, shown: true, collected: None };
        let mut section: Option<Box<dyn Section>> = None;
        let mut inside = Vec::with_capacity(lines.len());
        for line in lines {
            if line.trim().is_empty() {
                section = section.filter(|s| !s.ends_at_blank());
                inside.push(None);
                continue;
            }
            let mut new = commands.opened(line, section.is_some());
            if new.is_none() && section.as_mut().is_some_and(|s| s.step(line) == Step::Foreign) {
                // What ends one section may be a row of another without its head.
                section = None;
                new = commands.opened(line, false);
            }
            if let Some(mut new) = new {
                new.step(line);
                section = Some(new);
            }
            inside.push(section.as_ref().map(|s| s.name()));
        }
        // Dates and prompts alone are no output of commands.
        let told = inside.iter().flatten().any(|name| *name != crate::formats::snapshot::SHELL);
        commands.shown = told;
        if !told {
            inside.fill(None);
        }
        (commands, inside)
    }
}

/// The sections of a source, while its lines come in.
pub struct Sections<'p> {
    commands: &'p Commands,
    section: Option<Box<dyn Section>>,
    /// A new section, opened by a line that has been looked at but not taken.
    next: Option<Box<dyn Section>>,
    /// When the commands were run, as the output says.
    collected: Option<Stamp>,
    host: Option<String>,
    /// The command before asked when the machine was booted.
    asks_boot: bool,
}

impl<'p> Sections<'p> {
    /// Nothing is open.
    pub fn new(commands: &'p Commands) -> Self {
        Sections { commands, section: None, next: None, collected: None, host: None, asks_boot: false }
    }

    /// What a line that is not blank is to the section that is open, or [`Step::Row`] for the head of a new one. Where the answer is
    /// not [`Step::More`] the record before ends, and must be read before [`Sections::turn`] is called.
    pub fn step(&mut self, line: &str) -> Step {
        if !self.commands.shown && self.section.is_none() {
            return Step::Foreign;
        }
        self.next = self.commands.opened(line, self.section.is_some());
        if self.next.is_none() {
            let step = self.section.as_mut().map_or(Step::Foreign, |s| s.step(line));
            if step != Step::Foreign {
                return step;
            }
            self.next = self.section.as_ref().and_then(|_| self.commands.opened(line, false));
        }
        match &mut self.next {
            Some(next) => {
                next.step(line);
                Step::Row
            }
            None => Step::Foreign,
        }
    }

    /// Whether a line that no format explains opens a section, in a source whose head shows none. The record before ends
    /// then, and [`Sections::turn`] is to be called.
    pub fn late(&mut self, line: &str) -> bool {
        if self.commands.shown || !crate::formats::snapshot::may_open(line) {
            return false;
        }
        self.next = self.commands.opened(line, true).filter(|section| section.name() != crate::formats::snapshot::SHELL);
        if let Some(next) = &mut self.next {
            next.step(line);
        }
        self.next.is_some()
    }

    /// Whether the line that was stepped over last opens a section.
    pub fn opens(&self) -> bool {
        self.next.is_some()
    }

    /// The record before has been read: now the section that the line opened is the one that is open.
    pub fn turn(&mut self, step: Step) {
        if step == Step::Foreign || self.next.is_some() {
            self.section = self.next.take();
        }
    }

    /// A blank line came, and the record before has been read.
    pub fn blank(&mut self) {
        if self.section.as_ref().is_some_and(|s| s.ends_at_blank()) {
            self.section = None;
        }
    }

    /// Whether one is open.
    pub fn is_open(&self) -> bool {
        self.section.is_some()
    }

    /// Reads a record of the section that is open. Its time is the one that the output names, else when the command was run:
    /// as an earlier line says (`date`), else when the file was written, else that of the log line before.
    pub fn read<'a>(&mut self, arena: &'a Bump, text: &'a str, before: Option<Stamp>, record: &mut Record<'a>) {
        let cx = Cx::new(arena, &[]);
        if let Some(section) = &mut self.section {
            record.format = section.name();
            section.read(&cx, text, record);
        }
        let is_boot = std::mem::replace(&mut self.asks_boot, asks_boot(record)) && record.format == crate::formats::snapshot::SHELL;
        if is_boot && record.stamp.is_some() {
            record.put(Key::Uptime, Value::Duration(0));
        } else if record.stamp.is_some() {
            self.note_time(record);
        } else {
            let written = self.commands.collected.and_then(|s| s.checked_mul(NANOS)).map(|nanos| Stamp::explicit(nanos, 0, 0));
            record.stamp = self.collected.or(written).or(before).and_then(|run| earlier(run, record));
            record.inherited = record.stamp.is_some();
        }
        if let Some(host) = record.str(Key::HostName) {
            self.host = Some(host.to_string());
        } else if let Some(host) = &self.host {
            record.put(Key::HostName, Value::Str(arena.alloc_str(host)));
        }
    }

    /// Keeps when commands are run, where a record says so.
    fn note_time(&mut self, record: &Record<'_>) {
        let Some(stamp) = record.stamp.filter(|_| record.is_state()) else { return };
        // A time of day alone says less than what is known already.
        if stamp.form != Form::TimeOnly || self.collected.is_none() {
            self.collected = Some(stamp);
        }
    }
}

/// `uptime -s` says when the machine was booted.
fn asks_boot(record: &Record<'_>) -> bool {
    record.str(Key::Command).is_some_and(|line| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|program| program == "uptime" || program.ends_with("/uptime"))
            && matches!(words.next(), Some("-s" | "--since"))
    })
}

/// A moment before the command was run, by the age that the row tells.
fn earlier(run: Stamp, record: &Record<'_>) -> Option<Stamp> {
    match record.get(Key::EventAge) {
        Some(Value::Duration(age)) => Some(Stamp { nanos: run.nanos.checked_sub(age)?, ..run }),
        _ => Some(run),
    }
}
