//! Events of Windows as text: what the event viewer copies ("Copy details as text"), `wevtutil query-events /format:text`, and PowerShell's
//! `Get-WinEvent | Format-List`. An event is a list of names and values over several lines.

use crate::format::{Cx, Fit, Format};
use crate::formats::cursor::first_line;
use crate::formats::{exception, fill, message};
use crate::stamp;
use whyline_event::{Key, Record, Severity, Value};

/// The reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowsText;

/// The name of the log, with which an event begins, in English and German.
const LOG: &[&str] = &["Log Name:", "Protokollname:"];
/// The names behind which the rest of an event is its text.
const TEXT: &[&str] = &["Description:", "Beschreibung:"];
/// Behind the text the viewer adds the same event in XML.
const XML: &[&str] = &["Event Xml:", "Ereignis-XML:"];
/// Lines of an event that have a name.
const MOST: usize = 40;

impl Format for WindowsText {
    fn name(&self) -> &'static str {
        "windows.text"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let head = first_line(text);
        if !begins(head) {
            return None;
        }
        record.format = "windows";
        record.body = text;
        if is_list(head) {
            list(cx, text, record);
        } else {
            details(text, record);
        }
        exception::fields(record.body, record);
        message::fields(cx, record.body, record);
        Some(95)
    }

    fn starts(&self, _cx: &Cx<'_>, line: &str) -> bool {
        begins(line)
    }

    fn starts_after(&self, _cx: &Cx<'_>, previous: &str, line: &str) -> bool {
        begins(line) && !(is_log(line) && is_number(previous))
    }

    fn block(&self) -> bool {
        true
    }
}

fn begins(line: &str) -> bool {
    match line.as_bytes().first() {
        Some(b'L' | b'P') => is_log(line),
        Some(b'E') => is_number(line),
        Some(b'T') => is_list(line),
        // Behind the mark of the byte order.
        Some(0xef) => is_log(line.trim_start_matches('\u{feff}')),
        _ => false,
    }
}

fn is_log(line: &str) -> bool {
    LOG.iter().any(|name| line.trim_start().starts_with(name))
}

/// `Event[0]` or `Event[0]:`, before each event of wevtutil.
fn is_number(line: &str) -> bool {
    let number = line.trim_end().trim_end_matches(':').strip_prefix("Event[").and_then(|rest| rest.strip_suffix(']'));
    number.is_some_and(|n| !n.is_empty() && n.len() <= 10 && n.bytes().all(|b| b.is_ascii_digit()))
}

/// `TimeCreated  : 11/21/2026 10:15:02 AM`, with which a list begins.
fn is_list(line: &str) -> bool {
    line.strip_prefix("TimeCreated").is_some_and(|rest| rest.trim_start().starts_with(": "))
}

/// `Name:   value` on each line, and the text behind the last name.
fn details<'a>(text: &'a str, record: &mut Record<'a>) {
    let mut rest = text;
    for _ in 0..MOST {
        let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
        if let Some(value) = TEXT.iter().find_map(|name| line.trim_start().strip_prefix(name)) {
            let whole = if value.trim().is_empty() { behind } else { rest.split_once(':').map_or("", |(_, text)| text) };
            let end = XML.iter().filter_map(|name| whole.find(name)).min().unwrap_or(whole.len());
            let said = whole.get(..end).unwrap_or(whole).trim();
            if !said.is_empty() {
                record.body = said;
            }
            return;
        }
        if let Some((name, value)) = line.split_once(':') {
            put(name.trim(), value.trim(), record);
        }
        if behind.is_empty() {
            return;
        }
        rest = behind;
    }
}

/// `Name : value`, the values of all names below each other; a longer text goes on below its beginning.
fn list<'a>(cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    let mut said: Option<String> = None;
    for line in text.lines() {
        let named = line.split_once(" : ").or_else(|| line.trim_end().strip_suffix(" :").map(|name| (name, "")));
        match named.filter(|(name, _)| !name.starts_with(' ') && name.trim_end().bytes().all(|b| b.is_ascii_alphanumeric())) {
            Some((name, value)) if name.trim_end() == "Message" => said = Some(value.trim().to_string()),
            Some((name, value)) => {
                if let Some(said) = said.take() {
                    record.body = cx.keep(said.trim_end());
                }
                put(name.trim_end(), value.trim(), record);
            }
            None => {
                if let Some(said) = &mut said {
                    said.push('\n');
                    said.push_str(line.trim());
                }
            }
        }
    }
    if let Some(said) = said.filter(|said| !said.trim().is_empty()) {
        record.body = cx.keep(said.trim_end());
    }
}

fn put<'a>(name: &'a str, value: &'a str, record: &mut Record<'a>) {
    if value.is_empty() || matches!(value, "N/A" | "Nicht zutreffend") {
        return;
    }
    match name {
        "Log Name" | "Protokollname" | "LogName" => record.put_other("windows.channel", Value::Str(value)),
        "Source" | "Quelle" | "ProviderName" => fill::once_str(record, Key::Logger, value),
        "Date" | "Datum" | "TimeCreated" => record.stamp = stamp::prefix(value).map(|(stamp, _)| stamp).or(record.stamp),
        "Event ID" | "Ereignis-ID" | "Id" => fill::once_str(record, Key::EventName, value),
        "Level" | "Ebene" | "LevelDisplayName" => level(value, record),
        "Computer" | "MachineName" => fill::once_str(record, Key::HostName, value),
        "User Name" | "User" | "Benutzer" => fill::once_str(record, Key::User, value),
        "ProcessId" => fill::once_int(record, Key::ProcessPid, value),
        _ => {}
    }
}

fn level<'a>(word: &'a str, record: &mut Record<'a>) {
    let severity = match word {
        "Critical" | "Kritisch" => Severity::Fatal,
        "Error" | "Fehler" => Severity::Error,
        "Warning" | "Warnung" => Severity::Warn,
        "Information" | "Informationen" => Severity::Info,
        "Verbose" | "Ausführlich" => Severity::Debug,
        _ => return fill::level(record, word),
    };
    fill::level_as(record, word, severity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats;
    use crate::reading::read_text;

    /// Line, event, level, host and body of each record.
    fn read(text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        read_text(text, None, &formats::all(), &mut |r| {
            let named = |key| r.str(key).unwrap_or("-").to_string();
            let level = r.severity.map_or("-", Severity::as_str);
            let stamped = if r.stamp.is_some() { "dated" } else { "undated" };
            let what = [named(Key::EventName), named(Key::Logger), named(Key::HostName)].join(" ");
            seen.push(format!("{} {stamped} {level} {what}: {}", r.origin.line, r.body));
        });
        seen
    }

    #[test]
    fn an_event_over_several_lines_is_one_record() {
        let viewer = "Log Name:      System\r\nSource:        EventLog\r\nDate:          11/21/2026 10:15:02 AM\r\nEvent ID:      6008\r\n\
                      Task Category: None\r\nLevel:         Error\r\nKeywords:      Classic\r\nUser:          N/A\r\nComputer:      SQL01.example\r\n\
                      Description:\r\nThe previous system shutdown at 10:13:02 AM was unexpected.\r\n\r\nSee: the log\r\nEvent Xml:\r\n<Event>\r\n</Event>\r\n\r\n";
        let german = "Protokollname: System\nQuelle:        EventLog\nDatum:         21.11.2026 10:15:02\nEreignis-ID:   6005\nEbene:         Informationen\n\
                      Computer:      SQL01.example\nBeschreibung:\nDer Dienst wurde gestartet.\n";
        let want = [
            "1 dated ERROR 6008 EventLog SQL01.example: The previous system shutdown at 10:13:02 AM was unexpected.\n\nSee: the log",
            "18 dated INFO 6005 EventLog SQL01.example: Der Dienst wurde gestartet.",
        ];
        assert_eq!(read(&format!("{viewer}{german}")), want);
        let wevtutil = "Event[0]:\n  Log Name: System\n  Source: EventLog\n  Date: 2026-11-21T10:15:02.123\n  Event ID: 6006\n  Level: Information\n  \
                        Computer: SQL01\n  Description: \nThe Event log service was stopped.\n\nEvent[1]\n  Log Name: System\n  Source: Kernel-Power\n  \
                        Date: 2026-11-21T10:16:02.0000000Z\n  Event ID: 41\n  Level: Critical\n  Computer: SQL01\n  Description: \nNot clean.\n";
        let want =
            ["1 dated INFO 6006 EventLog SQL01: The Event log service was stopped.", "11 dated FATAL 41 Kernel-Power SQL01: Not clean."];
        assert_eq!(read(wevtutil), want);
    }

    #[test]
    fn a_list_of_powershell() {
        let text = "\nTimeCreated  : 11/21/2026 10:15:02 AM\nProviderName : Service Control Manager\nId           : 7031\nMessage      : The Shop \
                    service terminated.\n               It has done this 1 time(s).\n\nTimeCreated  : 11/21/2026 10:16:02 AM\nProviderName : \
                    EventLog\nId           : 6006\nMessage      : Stopped.\n";
        let want = [
            "2 dated - 7031 Service Control Manager -: The Shop service terminated.\nIt has done this 1 time(s).",
            "8 dated - 6006 EventLog -: Stopped.",
        ];
        assert_eq!(read(text), want);
    }

    #[test]
    fn other_lines_begin_no_event() {
        for no in ["Event[x]", "Event[]", "Log name: x", "TimeCreated at ten", "Description:", ""] {
            assert!(!begins(no), "{no}");
        }
    }
}
