//! Severity of a record, by the OpenTelemetry log data model.

/// The six severity ranges of OpenTelemetry. `notice` counts as [`Severity::Info`]; `crit`, `alert` and `emerg` as
/// [`Severity::Fatal`]; the word as it was written stays in the field `log.level.original`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Severity {
    /// Finest detail.
    Trace = 1,
    /// For developers.
    Debug = 5,
    /// Normal operation.
    Info = 9,
    /// Something may need attention.
    Warn = 13,
    /// Something failed.
    Error = 17,
    /// The program or a whole function of it cannot go on.
    Fatal = 21,
}

impl Severity {
    /// All severities, in rising order.
    pub const ALL: [Severity; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// `severity_text` of the OpenTelemetry log model.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// `severity_number` of the OpenTelemetry log model (the first of the range).
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The severity that a word of a log stands for, in any case; `None` when the word is no level.
    ///
    /// Knows the words of syslog, the usual loggers of many languages, java.util.logging (also localised), and the
    /// one- to four-letter short forms. Single letters are as in glog and the Redis and Android logs.
    pub fn from_word(word: &str) -> Option<Self> {
        if word.is_empty() || word.len() > 16 {
            return None;
        }
        let mut low = [0u8; 16];
        let bytes = word.as_bytes();
        let n = bytes.len();
        low[..n].copy_from_slice(bytes);
        low[..n].make_ascii_lowercase();
        Some(match &low[..n] {
            b"trace" | b"trac" | b"trc" | b"finest" | b"finer" | b"verbose" | b"verb" | b"silly" | b"trce" | b"t" | b"v" | b"vrb" => {
                Self::Trace
            }
            b"debug" | b"dbug" | b"dbg" | b"debg" | b"debu" | b"fine" | b"config" | b"d" | b"debug1" | b"debug2" | b"debug3"
            | b"debug4" | b"debug5" | b"fein" | b"konfiguration" => Self::Debug,
            b"info"
            | b"inf"
            | b"information"
            | b"informational"
            | b"notice"
            | b"noti"
            | b"note"
            | b"system"
            | b"log"
            | b"statement"
            | b"detail"
            | b"hint"
            | b"context"
            | b"i"
            | b"n"
            | b"http"
            | b"information:"
            | b"infos"
            | b"informationen"
            | b"informaci\xc3\xb3n"
            | b"informazioni" => Self::Info,
            b"warn" | b"warning" | b"warni" | b"wrn" | b"w" | b"warnung" | b"advertencia" | b"avertissement" | b"avvertenza"
            | b"alerte" | b"attention" => Self::Warn,
            b"error" | b"erro" | b"err" | b"eror" | b"severe" | b"fail" | b"failure" | b"e" | b"schwerwiegend" | b"grave" | b"fehler" => {
                Self::Error
            }
            b"fatal" | b"fata" | b"ftl" | b"crit" | b"critical" | b"critica" | b"alert" | b"emerg" | b"emergency" | b"panic" | b"f"
            | b"c" | b"dpanic" => Self::Fatal,
            _ => return None,
        })
    }

    /// The severity of a syslog severity number (RFC 5424, section 6.2.1: 0 emergency to 7 debug).
    pub fn from_syslog(number: u8) -> Option<Self> {
        Some(match number {
            0..=2 => Self::Fatal,
            3 => Self::Error,
            4 => Self::Warn,
            5 | 6 => Self::Info,
            7 => Self::Debug,
            _ => return None,
        })
    }

    /// The severity of the numeric levels of bunyan and pino (10 trace to 60 fatal).
    pub fn from_bunyan(number: i64) -> Option<Self> {
        Some(match number {
            1..=19 => Self::Trace,
            20..=29 => Self::Debug,
            30..=39 => Self::Info,
            40..=49 => Self::Warn,
            50..=59 => Self::Error,
            60..=69 => Self::Fatal,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_loggers() {
        for (word, want) in [
            ("NOTICE", Severity::Info),
            ("Warning", Severity::Warn),
            ("SEVERE", Severity::Error),
            ("crit", Severity::Fatal),
            ("emerg", Severity::Fatal),
            ("WARNUNG", Severity::Warn),
        ] {
            assert_eq!(Severity::from_word(word), Some(want), "{word}");
        }
        assert_eq!(Severity::from_word("hello"), None);
        assert_eq!(Severity::from_word(""), None);
    }
}
