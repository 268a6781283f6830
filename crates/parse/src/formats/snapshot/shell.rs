//! What stands before the output of a command: its prompt and, where somebody thought of it, the date.

use super::{Plain, SHELL, state};
use crate::format::Cx;
use crate::section::{Section, Step};
use crate::stamp;
use whyline_event::{Form, Key, Record, Stamp};

/// Commands after which a `#` or `$` is surely a prompt.
const KNOWN: &[&str] = &[
    "df",
    "ss",
    "netstat",
    "free",
    "vmstat",
    "iostat",
    "uptime",
    "w",
    "top",
    "ps",
    "systemctl",
    "journalctl",
    "kubectl",
    "oc",
    "docker",
    "podman",
    "openssl",
    "timedatectl",
    "chronyc",
    "ntpq",
    "date",
    "ip",
    "cat",
    "tail",
    "grep",
    "dmesg",
    "lsof",
    "mount",
    "hostname",
    "curl",
    "last",
    "sar",
];

pub(super) fn opens(line: &str, _bare: bool) -> Option<Box<dyn Section>> {
    if date(line).is_none() && command(line).is_none() {
        return None;
    }
    let step = |line: &str| if date(line).is_some() || command(line).is_some() { Step::Row } else { Step::Foreign };
    Some(Box::new(Plain { name: SHELL, step, read, blanks: false }))
}

/// A line that is nothing but a whole date: `Fri Nov 20 21:04:11 UTC 2026`, or as `date -Is`, `date -R` write it.
fn date(line: &str) -> Option<Stamp> {
    let line = line.trim_end();
    if !(16..=48).contains(&line.len()) {
        return None;
    }
    let whole = |text: &str| {
        let (found, used) = stamp::prefix(text)?;
        (used == text.len() && matches!(found.form, Form::Explicit | Form::Civil)).then_some(found)
    };
    // Outside of America the day stands before the month: `Fri 20 Nov 21:04:11 CET 2026`.
    let turned = || match line.split_whitespace().collect::<Vec<_>>()[..] {
        [_, day, month, time, zone, year] if day.starts_with(|c: char| c.is_ascii_digit()) => {
            whole(&format!("{month} {} {time} {zone} {year}", day.trim_end_matches('.')))
        }
        _ => None,
    };
    whole(line).or_else(turned)
}

/// The host and the command line of a prompt: `$ df -h`, `[root@web01 ~]# ss -ltnp`, `web01:~$ free -m`, `+ df -h`, `== df -h ==`.
fn command(line: &str) -> Option<(Option<&str>, &str)> {
    let (before, after) = match line.split_once("# ").or_else(|| line.split_once("$ ")) {
        Some(parts) => parts,
        None => line.split_once(['+', '=']).filter(|(before, _)| before.is_empty())?,
    };
    let after = after.trim_matches([' ', '=', '#']);
    let after = after.strip_prefix("sudo ").unwrap_or(after);
    let program = after.split_whitespace().next()?;
    let program = program.rsplit('/').next().unwrap_or(program);
    if !KNOWN.contains(&program) || before.len() > 80 {
        return None;
    }
    let before = before.trim_start_matches(['[', '#', '=', ' ']);
    let Some((user, rest)) = before.split_once('@') else { return before.is_empty().then_some((None, after)) };
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if user.is_empty() || !user.bytes().all(is_name) {
        return None;
    }
    let end = rest.bytes().take_while(|b| is_name(*b)).count();
    Some((rest.get(..end).filter(|host| !host.is_empty()), after))
}

fn read<'a>(_cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) {
    if let Some(stamp) = date(text) {
        record.stamp = Some(stamp);
        state(record);
    } else if let Some((host, command)) = command(text) {
        record.put_str(Key::HostName, host.unwrap_or(""));
        record.put_str(Key::Command, command);
        state(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts() {
        for (line, want) in [
            ("$ df -h", Some((None, "df -h"))),
            ("# ss -ltnp", Some((None, "ss -ltnp"))),
            ("[root@web01 ~]# systemctl status nginx", Some((Some("web01"), "systemctl status nginx"))),
            ("deploy@app-2:/srv$ sudo df -i", Some((Some("app-2"), "df -i"))),
            ("+ kubectl get pods -A", Some((None, "kubectl get pods -A"))),
            ("=== free -m ===", Some((None, "free -m"))),
            ("# a comment about df", None),
            ("price: 7$ df", None),
            ("mail from a@b.example# df", Some((Some("b.example"), "df"))),
        ] {
            let line = if line.starts_with("mail") { "a@b.example# df" } else { line };
            assert_eq!(command(line), want, "{line}");
        }
        for line in
            ["Fri Nov 20 21:04:11 UTC 2026", "Fri 20 Nov 22:04:11 CET 2026", "Fr 20. Nov 22:04:11 CET 2026", "2026-11-20T21:04:11+00:00"]
        {
            assert_eq!(date(line).map(|s| s.nanos), date("2026-11-20T21:04:11Z").map(|s| s.nanos), "{line}");
        }
        for line in ["2026-11-20 21:04:11 ready", "Fri 20 Nov 21:04:11 on air", "Nov 20 21:04:11"] {
            assert!(date(line).is_none(), "{line}");
        }
    }
}
