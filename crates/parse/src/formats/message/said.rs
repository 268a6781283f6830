//! What known programs say about addresses, users, devices and outcomes: their sentences, from their sources.
//!
//! The catalogue holds a line of each program with what is read of it.

use super::sentence::Sentences;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;
use whyline_event::Record;

type Program = (&'static str, &'static [&'static str]);

const MAIL: &[Program] = &[
    (
        // postfix: src/smtpd/smtpd.c, src/smtp/smtp_connect.c, src/global/log_adhoc.c
        "postfix",
        &[
            "connect from {_}[{client.address}]",
            "disconnect from {_}[{client.address}]",
            "lost connection after {_} from {_}[{client.address}]",
            "timeout after {_} from {_}[{client.address}]",
            "NOQUEUE: reject: {_} from {_}[{client.address}]: {smtp.response.status_code:int} {_} => event.action=reject",
            "NOQUEUE: reject: {_} from {_}[{client.address}] => event.action=reject",
            "warning: {_}[{client.address}]: SASL {_} authentication failed => event.action=failed",
            "connect to {server.address}[{network.peer.address}]:{network.peer.port}: ",
            "{mail.queue_id}: client={_}[{client.address}], sasl_method={_}, sasl_username={user.name}",
            "{mail.queue_id}: client={_}[{client.address}]",
            "{mail.queue_id}: to=<{mail.to}>, relay={server.address}[{network.peer.address}]:{network.peer.port}, {_}dsn={mail.dsn}, status={event.action} (",
            "{mail.queue_id}: to=<{mail.to}>, {_}dsn={mail.dsn}, status={event.action} (",
            "{mail.queue_id}: from=<{mail.from}>, size={mail.size:int}",
            "{mail.queue_id}: from=<{mail.from}>, status={event.action}, ",
        ],
    ),
    (
        // dovecot: src/login-common/client-common.c
        "dovecot",
        &[
            "{_}-login: Login: user=<{user.name}>, {_}rip={client.address}, lip={server.address}, => event.action=accepted",
            "{_}-login: {_}(auth failed, {_}user=<{user.name}>, {_}rip={client.address}, lip={server.address} => event.action=failed",
            "{_}-login: {_}user=<{user.name}>, {_}rip={client.address}, lip={server.address}",
            "auth{_}({user.name},{client.address}{_}): {_}assword mismatch => event.action=failed",
            "auth{_}({user.name},{client.address}{_}): unknown user => event.action=failed",
        ],
    ),
];

const ACCESS: &[Program] = &[
    (
        // openldap: servers/slapd/connection.c, bind.c, result.c
        "slapd",
        &[
            "conn={network.connection.id} fd={_} ACCEPT from IP={client.address} (",
            "conn={network.connection.id} op={_} BIND dn=\"{user.name:text}\" method={_}",
            "conn={network.connection.id} op={_} RESULT tag={_} err={error.code} ",
            "conn={network.connection.id} op={_} SEARCH RESULT tag={_} err={error.code} ",
            "conn={network.connection.id} ",
        ],
    ),
    (
        "su",
        &[
            "(to {user.target.name}) {user.name} on {_}",
            "FAILED SU (to {user.target.name}) {user.name} on {_} => event.action=failed",
            "FAILED su for {user.target.name} by {user.name} => event.action=failed",
            "Successful su for {user.target.name} by {user.name}",
        ],
    ),
    (
        "login",
        &[
            "FAILED LOGIN {_} on '{_}' FROM '{client.address}' FOR '{user.name:text}', => event.action=failed",
            "FAILED LOGIN {_} on '{_}' FOR '{user.name:text}', => event.action=failed",
            "ROOT LOGIN  on '{_}' FROM '{client.address}' => user.name=root event.action=accepted",
            "ROOT LOGIN => user.name=root event.action=accepted",
        ],
    ),
    ("systemd-logind", &["New session {session.id} of user {user.name}.", "Removed session {session.id}."]),
    // shadow: src/useradd.c, src/usermod.c, src/userdel.c
    (
        "useradd",
        &["new user: name={user.target.name}, UID={_} => event.action=user-added", "new group: name={_} => event.action=group-added"],
    ),
    ("userdel", &["delete user '{user.target.name}' => event.action=user-deleted"]),
    (
        "usermod",
        &[
            "change user '{user.target.name}' => event.action=user-changed",
            "add '{user.target.name}' to group => event.action=user-changed",
        ],
    ),
    ("passwd", &["pam_unix(passwd:chauthtok): password changed for {user.target.name} => event.action=password-changed"]),
    (
        // openvpn: src/openvpn/ssl_verify.c, multi.c
        "openvpn",
        &[
            "{client.address} TLS Error: => event.action=failed",
            "{client.address} [{user.name}] Peer Connection Initiated with => event.action=accepted",
            "{user.name}/{client.address} ",
        ],
    ),
    (
        // strongSwan: src/libcharon
        "charon",
        &[
            "{_}[IKE] {_} is initiating {_} => event.action=initiating",
            "...authentication of '{user.name:text}' with {_} successful => event.action=accepted",
            "...authentication of '{user.name:text}' with {_} failed => event.action=failed",
        ],
    ),
    (
        "vsftpd",
        &[
            "{_}FAIL LOGIN: Client \"{client.address}\" => event.action=failed",
            "{_}OK LOGIN: Client \"{client.address}\" => event.action=accepted",
        ],
    ),
];

const NETWORK: &[Program] = &[
    // systemd: src/resolve/resolved-dns-server.c
    (
        "systemd-resolved",
        &[
            "Using degraded feature set {_} instead of {_} for DNS server {network.peer.address}",
            "Server returned error {dns.response_code}, ",
            "Grace period over, resuming full feature set ({_}) for DNS server {network.peer.address}",
        ],
    ),
    (
        // chrony: sources.c, reference.c
        "chronyd",
        &[
            "Selected source {network.peer.address}",
            "Source {network.peer.address} ",
            "System clock wrong by {system.clock.offset:s} seconds",
            "System clock was stepped by {system.clock.offset:s} seconds",
        ],
    ),
    // keepalived: keepalived/vrrp/vrrp.c
    (
        "Keepalived_vrrp",
        &["({keepalived.instance}) Entering {keepalived.state} STATE", "({keepalived.instance}) Received {_} from {network.peer.address}"],
    ),
    (
        "dhclient",
        &[
            "DHCPACK of {_} from {network.peer.address}",
            "DHCPACK from {network.peer.address}",
            "DHCPREQUEST {_} on {network.interface.name} to {network.peer.address} port",
        ],
    ),
    (
        // haproxy and pgbouncer notices that come without a level
        "pgbouncer",
        &[
            "{_}: {db.namespace}/{user.name}@{client.address} login attempt: ",
            "{_}: {db.namespace}/{user.name}@{client.address} closing because: {error.text:text}",
            "{_}: {db.namespace}/{user.name}@{client.address} pooler error: {error.text:text}",
            "{_}: {db.namespace}/{user.name}@{network.peer.address} new connection to server",
        ],
    ),
];

/// Applications that are known by the layout of their lines.
const APPS: &[Program] = &[
    (
        // Rails: actionpack/lib/action_controller/log_subscriber.rs, railties/lib/rails/rack/logger.rb; tags may stand in front
        "ruby",
        &[
            "...Started {http.request.method} \"{url.path:text}\" for {client.address} at ",
            "...Completed {http.response.status_code} {_} in {http.server.request.duration:ms}ms",
        ],
    ),
    (
        // ProxySQL: lib/MySQL_HostGroups_Manager.cpp, lib/MySQL_Monitor.cpp
        "proxysql",
        &[
            "Shunning server {network.peer.address} with ",
            "Server {network.peer.address} missed ",
            "Timeout on {_} for {network.peer.address} after ",
            "Error after {_} on server {network.peer.address} : ",
        ],
    ),
];

const KERNEL: &[Program] = &[(
    "kernel",
    &[
        // block/blk-core.c, fs/buffer.c, drivers
        "...I/O error, dev {system.device}, sector => event.action=io-error",
        "Buffer I/O error on dev {system.device}, => event.action=io-error",
        "Buffer I/O error on device {system.device}, => event.action=io-error",
        "nvme {system.device}: I/O {_} timeout => event.action=io-error",
        "nvme {system.device}: controller is down => event.action=io-error",
        "{system.device}: exception Emask => event.action=io-error",
        "md/{_}:{system.device}: Disk failure on {_} => event.action=io-error",
        // fs/ext4/super.c, fs/xfs/xfs_message.c, fs/btrfs
        "EXT4-fs error (device {system.device}): {_}: comm {process.victim.name}: => event.action=fs-error",
        "EXT4-fs error (device {system.device}) => event.action=fs-error",
        "EXT4-fs warning (device {system.device})",
        "EXT4-fs ({system.device}): Remounting filesystem read-only => event.action=remount-read-only",
        "EXT4-fs ({system.device}): ",
        "XFS ({system.device}): ",
        "BTRFS {_}(device {system.device}{_}): ",
        // net
        "{_} {_} {_}: {_}: {network.interface.name} NIC Link is Down => event.action=link-down",
        "{_} {_} {_}: {_}: {network.interface.name} NIC Link is Up => event.action=link-up",
        "{_} {_} {network.interface.name}: NIC Link is Down => event.action=link-down",
        "{_} {_} {network.interface.name}: NIC Link is Up => event.action=link-up",
        "{_}: {network.interface.name} NIC Link is Down => event.action=link-down",
        "{_}: {network.interface.name} NIC Link is Up => event.action=link-up",
        "{_} {_} {network.interface.name}: Link is Down => event.action=link-down",
        "{_} {network.interface.name}: Link is Down => event.action=link-down",
        "{network.interface.name}: Link is Down => event.action=link-down",
        "{network.interface.name}: Link is Up => event.action=link-up",
        "NETDEV WATCHDOG: {network.interface.name} ",
        "TCP: {_}ossible SYN flooding on port {_}:{server.port}. ",
        "TCP: {_}ossible SYN flooding on port {server.port}. ",
        "nf_conntrack: {_}table full, dropping packet => event.action=drop",
        // kernel/hung_task.c, kernel/watchdog.c
        "INFO: task {process.victim.name}:{process.victim.pid:int} blocked for more than => event.action=hung",
        "...soft lockup - CPU#{_} stuck for {_}! [{process.victim.name}:{process.victim.pid:int}] => event.action=hung",
        "...soft lockup - CPU#{_} stuck for {_}! [{process.victim.name}] => event.action=hung",
        // mm/oom_kill.c
        "oom-kill:{_}oom_memcg={linux.cgroup},{_}task={process.victim.name},pid={oom.pid:int},",
        "oom-kill:{_}task={process.victim.name},pid={oom.pid:int},",
        // kernel/cgroup/pids.c, fs/file_table.c
        "cgroup: fork rejected by pids controller in {linux.cgroup} => event.action=rejected",
        "VFS: file-max limit {_} reached => event.action=rejected",
    ],
)];

static READY: LazyLock<FxHashMap<&'static str, Sentences>> = LazyLock::new(|| {
    [MAIL, ACCESS, NETWORK, APPS, KERNEL].into_iter().flatten().map(|(program, written)| (*program, Sentences::new(written))).collect()
});

/// Adds what the first sentence that fits says. A program like `postfix/smtpd` is known by its first part.
pub fn read<'a>(program: &str, text: &'a str, record: &mut Record<'a>) {
    let first = memchr::memchr(b'/', program.as_bytes()).and_then(|end| program.get(..end)).unwrap_or(program);
    let family = match first {
        // One process an instance: `ovpn-server`.
        name if name.starts_with("ovpn") => "openvpn",
        name => name,
    };
    if let Some(sentences) = READY.get(family) {
        sentences.read(text, record);
    }
}
