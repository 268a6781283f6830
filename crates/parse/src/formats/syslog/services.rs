//! What the usual system services write into syslog: systemd, kernel, sshd, cron, sudo, PAM.

use crate::format::Cx;
use crate::formats::cursor::Cursor;
use crate::formats::{dns, fill, message};
use crate::seek::{Needle, near, needles};
use whyline_event::{Key, Record, Value};

/// Reads the message of a syslog record: what the named service is known to write, else whatever format fits, else the
/// fields that any message may carry. `record.body` holds the message already.
pub fn message<'a>(cx: &Cx<'a>, envelope: &'static str, tag: &'a str, text: &'a str, record: &mut Record<'a>) {
    if !is_known(tag) {
        message::sentences(tag, text, record);
        if cx.inner(envelope, text, record) {
            return;
        }
        match tag {
            "named" => dns::named(text, record),
            "dnsmasq" => dns::dnsmasq(text, record),
            "unbound" => dns::unbound(text, record),
            _ => {}
        }
        if !pam(text, record) {
            message::fields(cx, text, record);
        }
        return;
    }
    match tag {
        "kernel" => super::kernel::read(text, record),
        "sudo" => {
            if !sudo(text, record) {
                pam(text, record);
            }
        }
        _ if tag.starts_with("systemd") || tag == "init" => {
            if tag == "systemd" {
                super::systemd::read(text, record);
            } else {
                message::sentences(tag, text, record);
            }
        }
        _ if is_cron(tag) => {
            if !cron(text, record) {
                pam(text, record);
            }
        }
        _ => {
            message::sentences(tag, text, record);
            if !sshd(text, record) && !pam(text, record) || !record.has(Key::ClientAddress) {
                message::fields(cx, text, record);
            }
        }
    }
}

/// Whether the tag is of a service whose messages are no records of another format.
pub fn is_known(tag: &str) -> bool {
    tag.starts_with("systemd")
        || is_cron(tag)
        || matches!(
            tag,
            "kernel"
                | "sshd"
                | "sshd-session"
                | "sshd-auth"
                | "sudo"
                | "su"
                | "login"
                | "init"
                | "dropbear"
                | "runuser"
                | "polkitd"
                | "CRON"
        )
}

fn is_cron(tag: &str) -> bool {
    let name = tag.strip_prefix("/usr/sbin/").unwrap_or(tag);
    matches!(name, "CRON" | "cron" | "crond" | "CROND" | "anacron" | "crontab" | "run-parts")
}

/// `(root) CMD (run-parts /etc/cron.hourly)`.
fn cron<'a>(text: &'a str, record: &mut Record<'a>) -> bool {
    let mut c = Cursor::new(text);
    let Some(user) = c.between("(", ")") else { return false };
    c.blanks();
    let Some(verb) = c.word() else { return false };
    if !verb.bytes().all(|b| b.is_ascii_uppercase()) {
        return false;
    }
    fill::once_str(record, Key::User, user);
    c.blanks();
    if verb == "CMD"
        && let Some(command) = c.rest.strip_prefix('(').and_then(|r| r.trim_end().strip_suffix(')'))
    {
        fill::once_str(record, Key::Command, command.trim());
    }
    true
}

/// `alice : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/bin/ls`, and refusals, which name the reason first.
fn sudo<'a>(text: &'a str, record: &mut Record<'a>) -> bool {
    const COLON: Needle = Needle::new(" : ");
    const COMMAND: Needle = Needle::new("COMMAND=");
    const REFUSED: [Needle; 3] = needles(["incorrect password", "NOT in sudoers", "not allowed"]);
    let Some((user, rest)) = COLON.split(text) else { return false };
    let user = user.trim();
    if user.is_empty() || user.contains(' ') {
        return false;
    }
    let Some(command) = COMMAND.after(rest) else { return false };
    fill::once_str(record, Key::User, user);
    fill::once_str(record, Key::Command, command.trim_end());
    for part in rest.split(" ; ") {
        if let Some(target) = part.strip_prefix("USER=") {
            record.put_other("user.target.name", Value::Str(target));
        }
    }
    if REFUSED.iter().any(|w| w.is_in(rest)) {
        fill::once(record, Key::Action, Value::Str("failed"));
    }
    true
}

/// The beginnings of sshd's messages about a client, and what they say was done.
const SSHD: &[(&str, &str)] = &[
    ("Failed ", "failed"),
    ("Accepted ", "accepted"),
    ("Postponed ", ""),
    ("Invalid user ", "failed"),
    ("Illegal user ", "failed"),
    ("Connection closed by ", ""),
    ("Connection reset by ", ""),
    ("Connection from ", ""),
    ("Received disconnect from ", ""),
    ("Disconnected from ", ""),
    ("Disconnecting ", ""),
    ("Did not receive identification string from ", ""),
    ("Bad protocol version identification", ""),
    ("banner exchange: Connection from ", ""),
    ("ssh_dispatch_run_fatal: Connection from ", ""),
    ("Unable to negotiate with ", "failed"),
    ("User ", "failed"),
    ("ROOT LOGIN REFUSED FROM ", "failed"),
    ("Address ", ""),
    ("reverse mapping checking getaddrinfo for ", ""),
    ("maximum authentication attempts exceeded for ", "failed"),
    ("Timeout before authentication for ", "failed"),
    ("drop connection ", "failed"),
    ("Could not get shadow information for ", ""),
];

const NOT_ALLOWED: Needle = Needle::new(" not allowed because ");

fn sshd<'a>(text: &'a str, record: &mut Record<'a>) -> bool {
    let plain = text.strip_prefix("error: ").or_else(|| text.strip_prefix("fatal: ")).unwrap_or(text);
    let Some(first) = plain.bytes().next() else { return false };
    let begins = |start: &str| start.as_bytes().first() == Some(&first) && plain.starts_with(start);
    let Some((_, action)) = SSHD.iter().find(|(start, _)| begins(start)) else { return false };
    if plain.starts_with("User ") && !NOT_ALLOWED.is_in(plain) {
        return false;
    }
    if !action.is_empty() {
        fill::once(record, Key::Action, Value::Str(action));
    }
    if let Some(user) = ssh_user(plain) {
        fill::once_str(record, Key::User, user);
    }
    if let Some((client, port)) = ssh_client(plain) {
        fill::client(record, client);
        fill::once_int(record, Key::ClientPort, port);
    }
    true
}

fn ssh_user(text: &str) -> Option<&str> {
    // `for [invalid user] X from`; the name is a stranger's text and may hold anything, so the last `from` ends it.
    const USER: Needle = Needle::new("ser ");
    const MARKS: [Needle; 5] = needles(["nvalid user ", "llegal user ", "authenticating user ", " by user ", "from user "]);
    const FOR: Needle = Needle::new(" for ");
    const NAMED: Needle = Needle::new("User ");
    const FROM: Needle = Needle::new(" from ");
    const PORT: Needle = Needle::new(" port ");
    let told = USER.is_in(text);
    let marked = || if told { MARKS.iter().find_map(|mark| mark.after(text)) } else { None };
    let after = marked().or_else(|| FOR.after(text)).or_else(|| if told { NAMED.after(text) } else { None })?;
    let from = FROM.rfind(after);
    let end = from.or_else(|| near(after, b' ')).unwrap_or(after.len());
    let user = after.get(..end)?;
    // `Connection closed by invalid user X 1.2.3.4 port 22`.
    let user = if from.is_none() || PORT.is_in(user) { near(user, b' ').and_then(|end| user.get(..end)).unwrap_or(user) } else { user };
    (!user.is_empty() && whyline_event::address::ip(user).is_none()).then_some(user)
}

fn ssh_client(text: &str) -> Option<(&str, &str)> {
    const PORT: Needle = Needle::new(" port ");
    const MARKS: [Needle; 4] = needles([" from ", "FROM ", " with ", "for "]);
    let port_at = PORT.rfind(text);
    let port = port_at.and_then(|at| text.get(at + 6..)).unwrap_or("");
    let port = port.get(..port.bytes().take_while(u8::is_ascii_digit).count()).unwrap_or("");
    let before = match port_at {
        Some(at) => {
            let before = text.get(..at)?;
            let start = before.bytes().rposition(|b| matches!(b, b' ' | b'=')).map_or(0, |at| at + 1);
            before.get(start..)?
        }
        None => {
            let after = MARKS.iter().find_map(|mark| mark.rfind(text).and_then(|at| text.get(at + mark.text().len()..)))?;
            after.split([' ', ':', ',']).next().filter(|w| !w.is_empty())?
        }
    };
    let host = before.trim_matches(['[', ']', '(', ')', '\'', '"']);
    let usable = whyline_event::address::ip(host).is_some() || host.contains('.');
    usable.then_some((host, port))
}

/// `pam_unix(sshd:auth): authentication failure; logname= uid=0 ... rhost=203.0.113.9  user=bob`, and sessions.
fn pam<'a>(text: &'a str, record: &mut Record<'a>) -> bool {
    const HOST: Needle = Needle::new("rhost=");
    const USER: Needle = Needle::new(" user=");
    const OTHER_USER: Needle = Needle::new("ruser=");
    const FAILURE: Needle = Needle::new("failure");
    const SESSION: Needle = Needle::new("ed for user ");
    const SESSIONS: [(Needle, &str); 2] =
        [(Needle::new("session opened for user "), "session opened"), (Needle::new("session closed for user "), "session closed")];
    if let Some(at) = HOST.find(text) {
        let host = value_at(text, at + 6);
        fill::client(record, host);
        if let Some(at) = USER.rfind(text) {
            fill::once_str(record, Key::User, value_at(text, at + 6));
        } else if let Some(at) = OTHER_USER.find(text) {
            fill::once_str(record, Key::User, value_at(text, at + 6));
        }
        if FAILURE.is_in(text) {
            fill::once(record, Key::Action, Value::Str("failed"));
        }
        return true;
    }
    if !SESSION.is_in(text) {
        return false;
    }
    for (mark, action) in &SESSIONS {
        if let Some(at) = mark.find(text) {
            let user = value_at(text, at + mark.text().len());
            let user = near(user, b'(').and_then(|end| user.get(..end)).unwrap_or(user);
            fill::once_str(record, Key::User, user);
            fill::once(record, Key::Action, Value::Str(action));
            return true;
        }
    }
    false
}

/// The text from a place to the next blank.
pub(crate) fn value_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    let end = rest.bytes().position(|b| matches!(b, b' ' | b'\t' | b'\n' | b';' | b',')).unwrap_or(rest.len());
    rest.get(..end).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use whyline_event::{Bump, Origin};

    fn read<'a>(arena: &'a Bump, tag: &'a str, text: &'a str) -> Record<'a> {
        let mut r = Record::new(text, Origin::default());
        message(&Cx::new(arena, &[]), "syslog.rfc3164", tag, text, &mut r);
        r
    }

    #[test]
    fn logins() {
        let arena = Bump::new();
        for (text, user, client, port, action) in [
            ("Failed password for bob from 203.0.113.9 port 4022 ssh2", "bob", "203.0.113.9", 4022, "failed"),
            ("Failed password for invalid user oracle from 203.0.113.9 port 4022 ssh2", "oracle", "203.0.113.9", 4022, "failed"),
            ("Accepted publickey for ops from 2001:db8::7 port 5 ssh2: ED25519 SHA256:x", "ops", "2001:db8::7", 5, "accepted"),
            ("Invalid user x y from 203.0.113.9 port 1", "x y", "203.0.113.9", 1, "failed"),
            ("Connection closed by invalid user pi 203.0.113.9 port 7 [preauth]", "pi", "203.0.113.9", 7, "-"),
            ("Connection reset by 203.0.113.9 port 7 [preauth]", "-", "203.0.113.9", 7, "-"),
            ("error: maximum authentication attempts exceeded for root from 203.0.113.9 port 8 ssh2", "root", "203.0.113.9", 8, "failed"),
            (
                "pam_unix(sshd:auth): authentication failure; logname= uid=0 ruser= rhost=203.0.113.9  user=root",
                "root",
                "203.0.113.9",
                0,
                "failed",
            ),
        ] {
            let r = read(&arena, "sshd", text);
            assert_eq!(r.str(Key::User).unwrap_or("-"), user, "{text}");
            assert_eq!(r.str(Key::ClientAddress), Some(client), "{text}");
            assert_eq!(r.int(Key::ClientPort).unwrap_or(0), port, "{text}");
            assert_eq!(r.str(Key::Action).unwrap_or("-"), action, "{text}");
        }
    }

    #[test]
    fn commands() {
        let arena = Bump::new();
        let r = read(&arena, "CRON", "(www-data) CMD (php /srv/cron.php)");
        assert_eq!((r.str(Key::User), r.str(Key::Command)), (Some("www-data"), Some("php /srv/cron.php")));
        let r = read(&arena, "sudo", "   ann : TTY=pts/1 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id -u");
        assert_eq!((r.str(Key::User), r.str(Key::Command)), (Some("ann"), Some("/usr/bin/id -u")));
        let r = read(&arena, "CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)");
        assert_eq!(r.str(Key::User), Some("root"));
    }
}
