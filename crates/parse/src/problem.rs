//! Trouble with an input, told to the reader: what, where, and what would help.

use std::io;

/// How bad a problem is for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gravity {
    /// The path does not exist: wrong usage.
    Missing,
    /// Part of the input could not be read; the answer comes from the rest.
    Unreadable,
    /// Worth knowing, nothing was lost.
    Remark,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad.
    pub gravity: Gravity,
    /// The file or folder, as a person would name it.
    pub place: String,
    /// What happened.
    pub what: String,
    /// What would help.
    pub help: String,
}

impl Problem {
    /// The path does not exist (or not for us).
    pub fn missing(place: &str, error: &io::Error) -> Self {
        let help = match error.kind() {
            io::ErrorKind::PermissionDenied => "run as a user who may read it, or copy it first",
            _ => "check the spelling; relative paths count from the current folder",
        };
        Problem { gravity: Gravity::Missing, place: place.into(), what: sentence(error), help: help.into() }
    }

    /// It is there but cannot be read, wholly or from some byte on.
    pub fn unreadable(place: &str, error: &io::Error) -> Self {
        let help = match error.kind() {
            io::ErrorKind::PermissionDenied => "run as a user who may read it, or copy it first",
            io::ErrorKind::UnexpectedEof => {
                "the file was cut off, perhaps while copying: copy it again; what stood before the cut was read"
            }
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                "the packed data is damaged: copy it again; what could be unpacked was read"
            }
            io::ErrorKind::FileTooLarge => {
                "what came before was read; if it is a log and no attempt to fill a disk, unpack it yourself and name the result"
            }
            io::ErrorKind::QuotaExceeded | io::ErrorKind::Unsupported => "unpack it yourself and name the folder",
            _ => "what could be read was read",
        };
        Problem { gravity: Gravity::Unreadable, place: place.into(), what: sentence(error), help: help.into() }
    }

    /// Something to know.
    pub fn remark(place: &str, what: impl Into<String>) -> Self {
        Problem { gravity: Gravity::Remark, place: place.into(), what: what.into(), help: String::new() }
    }
}

fn sentence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".into(),
        io::ErrorKind::PermissionDenied => "may not be read (permission denied)".into(),
        io::ErrorKind::UnexpectedEof => "ends too early (truncated)".into(),
        _ => error.to_string(),
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}
