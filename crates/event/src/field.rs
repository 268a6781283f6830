//! The one table of field names: what each means, its type and unit, and by which other names it may be asked.
//!
//! Names are those of the OpenTelemetry semantic conventions; where these have none, a name in the same style. The third
//! column holds Whyline's short aliases first, then ECS (Elastic Common Schema) names and older OpenTelemetry ones.

/// What kind of value a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Free text: words and phrases match inside it.
    Text,
    /// A name or identifier, compared as a whole.
    Keyword,
    /// A network address, perhaps with a port, or a host name.
    Address,
    /// A whole number.
    Int,
    /// A length of time, in seconds.
    Duration,
    /// A number of bytes.
    Bytes,
    /// A number that may have a fraction: a share from 0 to 1, a load.
    Number,
}

macro_rules! fields {
    ($($key:ident $name:literal $kind:ident [$($alias:literal),*] $doc:literal;)*) => {
        /// A field with a fixed meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Key { $(#[doc = $doc] $key),* }

        impl Key {
            /// Every key, in the order of the table.
            pub const ALL: &'static [Key] = &[$(Key::$key),*];
            /// The full name.
            pub fn name(self) -> &'static str { match self { $(Key::$key => $name),* } }
            /// The kind of value.
            pub fn kind(self) -> Kind { match self { $(Key::$key => Kind::$kind),* } }
            /// Other names by which a query may ask for it, the short one first.
            pub fn aliases(self) -> &'static [&'static str] { match self { $(Key::$key => &[$($alias),*]),* } }
            /// What it means.
            pub fn doc(self) -> &'static str { match self { $(Key::$key => $doc),* } }
            /// The key that a full name or an alias means.
            pub fn find(name: &str) -> Option<Key> {
                match name { $($name $(| $alias)* => Some(Key::$key),)* _ => None }
            }
        }
    };
}

fields! {
    HostName "host.name" Keyword ["host", "host.hostname", "hostname"] "the machine that wrote the record";
    ServiceName "service.name" Keyword ["service"] "the service that wrote the record";
    ServiceVersion "service.version" Keyword ["version"] "the version of the service";
    ProcessPid "process.pid" Int ["pid"] "process id";
    ProcessName "process.executable.name" Keyword ["process", "process.name", "syslog.appname", "program"] "the program that wrote the record: the syslog tag, the container's or journal's identifier";
    ThreadName "thread.name" Keyword ["thread", "process.thread.name"] "thread name or id";
    Logger "log.logger" Keyword ["logger"] "the logger, class or module inside the program";
    Level "log.level.original" Keyword ["log.level"] "the level word as written";
    LogStream "log.iostream" Keyword ["stream"] "stdout or stderr";
    Envelope "log.envelope" Keyword ["envelope"] "formats wrapped round the innermost one, from outside in";
    Template "log.template" Text ["template"] "the constant part of the message, variables as <*>";
    Facility "syslog.facility" Keyword ["facility", "log.syslog.facility.name"] "syslog facility, by its name";
    MsgId "syslog.msgid" Keyword ["msgid"] "RFC 5424 MSGID";
    Unit "systemd.unit" Keyword ["unit"] "the systemd unit that a record speaks of or comes from";
    ContainerName "container.name" Keyword ["container", "k8s.container.name", "kubernetes.container.name"] "container name";
    ContainerId "container.id" Keyword [] "container id";
    PodName "k8s.pod.name" Keyword ["pod", "kubernetes.pod.name"] "Kubernetes pod";
    Namespace "k8s.namespace.name" Keyword ["namespace", "kubernetes.namespace"] "Kubernetes namespace";
    NodeName "k8s.node.name" Keyword ["node", "kubernetes.node.name"] "Kubernetes node";
    ObjectName "k8s.object.name" Keyword [] "what else an event or a controller of Kubernetes speaks of, with its kind (`replicaset/shop-7d4f9c8b5d`)";
    EventName "event.name" Keyword ["event", "reason", "event.code"] "the kind of event, as its writer names it (Kubernetes reason, Windows event id)";
    Method "http.request.method" Keyword ["method", "http.method"] "HTTP method";
    Status "http.response.status_code" Int ["status", "http.status_code"] "HTTP status of the answer";
    Path "url.path" Keyword ["path", "http.target"] "path of the URL, without its query";
    UrlQuery "url.query" Keyword [] "query of the URL, without the question mark";
    UrlFull "url.full" Keyword ["url", "url.original", "http.url"] "the whole URL";
    ServerAddress "server.address" Address ["vhost", "url.domain", "http.request.header.host"] "the server name that was asked for";
    ServerPort "server.port" Int [] "port of the server that was asked";
    LocalAddress "network.local.address" Address [] "address at which a program says that it listens";
    LocalPort "network.local.port" Int [] "port at which a program says that it listens";
    ClientAddress "client.address" Address ["client", "client.ip", "source.address", "source.ip", "net.peer.ip"] "who asked, connected or failed to log in";
    ClientPort "client.port" Int ["source.port"] "port of the client";
    ForwardedFor "http.request.header.x-forwarded-for" Keyword ["xff"] "addresses in front of the client, as a proxy names them";
    UserAgent "user_agent.original" Text ["agent", "user_agent"] "user agent";
    Referer "http.request.header.referer" Text ["referer", "referrer", "http.request.referrer"] "referrer";
    HttpVersion "network.protocol.version" Keyword ["http.version"] "version of HTTP";
    RequestBytes "http.request.body.size" Bytes ["request_bytes", "http.request.bytes"] "size of the request";
    ResponseBytes "http.response.body.size" Bytes ["bytes", "http.response.bytes", "http.response.body.bytes"] "size of the answer";
    Duration "http.server.request.duration" Duration ["duration", "took", "event.duration"] "how long the request or operation took";
    RequestId "http.request.id" Keyword ["request_id", "rid", "http.request.header.x-request-id"] "id of the request, shared between the programs that serve it";
    TraceId "trace_id" Keyword ["trace", "trace.id"] "trace id (W3C trace context)";
    SpanId "span_id" Keyword ["span", "span.id"] "span id";
    UpstreamAddress "upstream.address" Address ["upstream"] "where a proxy sent the request; several when it tried several";
    UpstreamStatus "upstream.status" Int ["upstream_status"] "status that the upstream answered";
    UpstreamName "upstream.name" Keyword ["backend"] "the group of servers a proxy chose from (HAProxy backend, nginx upstream)";
    UpstreamServer "upstream.server" Keyword ["backend_server"] "the name of the server in that group";
    UpstreamConnect "upstream.connect.duration" Duration ["connect_time"] "time to connect to the upstream";
    UpstreamHeader "upstream.header.duration" Duration ["header_time"] "time until the upstream's answer began";
    UpstreamDuration "upstream.response.duration" Duration ["upstream_time"] "time until the upstream's answer ended";
    QueueDuration "proxy.queue.duration" Duration ["queue_time"] "time a request waited in the proxy's queue";
    QueueLength "proxy.queue.length" Int ["queue"] "requests waiting before this one";
    Retries "proxy.retries" Int ["retries"] "connection attempts that were repeated";
    ActiveConnections "proxy.connections.active" Int ["connections"] "connections open at the proxy";
    Frontend "proxy.frontend" Keyword ["frontend"] "the proxy's listener";
    Termination "proxy.termination_state" Keyword ["termination"] "how the session ended, in HAProxy's letters";
    CacheStatus "http.cache.status" Keyword ["cache_status"] "HIT, MISS and so on, of a caching proxy";
    Connection "network.connection.id" Keyword ["connection"] "connection number inside a server";
    Peer "network.peer.address" Address ["peer", "destination.address", "destination.ip"] "the other end that the writer speaks to or of: the target of a failed connection, the database, the name server";
    PeerPort "network.peer.port" Int ["destination.port"] "port of the other end";
    Transport "network.transport" Keyword ["transport"] "tcp or udp";
    Interface "network.interface.name" Keyword ["interface", "observer.ingress.interface.name"] "network interface";
    Action "event.action" Keyword ["action", "event.outcome"] "what was done: DROP, REJECT, accepted, failed";
    Errno "error.code" Int ["errno"] "number of an operating system error";
    ErrorType "error.type" Keyword ["error"] "name of an error (ECONNREFUSED, EMFILE, a class of errors)";
    ExceptionType "exception.type" Keyword ["exception"] "class of an exception";
    ExceptionMessage "exception.message" Text ["error.message"] "message of an exception";
    StackTrace "exception.stacktrace" Text ["stacktrace", "error.stack_trace"] "stack trace";
    User "user.name" Keyword ["user", "db.user"] "user or role";
    DbSystem "db.system.name" Keyword ["db.system"] "which database system";
    Database "db.namespace" Keyword ["database", "db", "db.name"] "database";
    SqlState "db.response.status_code" Keyword ["sqlstate"] "code that the database answered (SQLSTATE, error number)";
    Statement "db.query.text" Text ["sql", "db.statement"] "statement";
    QueryTime "db.client.operation.duration" Duration ["query_time"] "how long a statement took";
    LockTime "db.lock.duration" Duration ["lock_time"] "how long a statement waited for locks";
    RowsExamined "db.rows_examined" Int ["rows_examined"] "rows that a statement looked at";
    QName "dns.question.name" Keyword ["qname"] "name that was asked for, or the zone that a name server speaks of";
    QType "dns.question.type" Keyword ["qtype"] "record type that was asked for";
    RCode "dns.response_code" Keyword ["rcode"] "answer code of DNS";
    TlsVersion "tls.protocol.version" Keyword ["tls", "tls.version"] "TLS version";
    Cipher "tls.cipher" Keyword ["cipher"] "TLS cipher suite";
    ExitCode "process.exit.code" Int ["exit_code"] "exit status of a process";
    Signal "process.signal" Keyword ["signal"] "signal that ended a process";
    Command "process.command_line" Text ["command", "cmd"] "command line";
    File "file.path" Keyword ["file"] "file that a record speaks of";
    CodeFile "code.file.path" Keyword ["code.filepath", "log.origin.file.name"] "source file that wrote the record";
    CodeLine "code.line.number" Int ["code.lineno", "log.origin.file.line"] "line in that file";
    CodeFunction "code.function.name" Keyword ["code.function"] "function that wrote the record";
    Queue "messaging.destination.name" Keyword ["topic"] "queue or topic";
    Priority "syslog.priority" Int ["log.syslog.priority"] "RFC 5424 PRI value";
    Tls "tls.server.name" Keyword ["sni", "tls.client.server_name"] "server name in the TLS hello";
    EventKind "event.kind" Keyword [] "`state` where a record shows how things stood when a command was run, rather than what happened";
    EventAge "event.age" Duration [] "how long before the command was run it happened, as its output says";
    Device "system.device" Keyword [] "block device or file system of a mount";
    Mountpoint "system.filesystem.mountpoint" Keyword ["mountpoint"] "where a file system is mounted";
    FsType "system.filesystem.type" Keyword ["fstype"] "type of a file system";
    FsUsed "system.filesystem.utilization" Number ["disk_used"] "share of a file system's space that is used, 0 to 1";
    InodesUsed "system.filesystem.inodes.utilization" Number ["inodes_used"] "share of a file system's inodes that is used, 0 to 1";
    MemoryUsed "system.memory.utilization" Number ["memory_used"] "share of the memory that is used and cannot be freed at once, 0 to 1";
    SwapUsed "system.paging.utilization" Number ["swap_used"] "share of the swap space that is used, 0 to 1";
    CpuIdle "system.cpu.idle" Number [] "share of the processors' time that was idle, 0 to 1";
    CpuIoWait "system.cpu.iowait" Number [] "share of the processors' time that waited for disks, 0 to 1";
    CpuSteal "system.cpu.steal" Number [] "share of the processors' time that the hypervisor gave to others, 0 to 1";
    Load "system.cpu.load_average.1m" Number [] "tasks that ran or waited, average over a minute";
    DiskBusy "system.disk.utilization" Number [] "share of the time in which a disk was busy, 0 to 1";
    SocketState "network.connection.state" Keyword ["socket_state"] "state of a socket: listen, established and so on";
    BacklogUsed "network.listen.utilization" Number [] "share of a listening socket's queue that is full, 0 to 1 and above";
    UnitState "systemd.unit.active_state" Keyword ["active_state"] "whether a unit is active, inactive, failed";
    UnitSubState "systemd.unit.sub_state" Keyword ["sub_state"] "running, dead, exited, auto-restart and so on";
    UnitResult "systemd.unit.result" Keyword [] "why a unit ended: exit-code, signal, timeout, oom-kill";
    PodStatus "k8s.pod.status.reason" Keyword ["pod_status"] "how kubectl sums up a pod or container: Running, Pending, CrashLoopBackOff";
    Restarts "k8s.container.restart_count" Int ["restarts"] "how often the containers of a pod were started again";
    Terminated "k8s.container.status.last_terminated_reason" Keyword [] "why a container ended: OOMKilled, Error, Completed";
    NodeCondition "k8s.node.condition.type" Keyword [] "condition of a node that a row tells: Ready, DiskPressure";
    NodeConditionStatus "k8s.node.condition.status" Keyword [] "whether the condition holds: True, False, Unknown";
    ContainerImage "container.image.name" Keyword [] "image of a container";
    ContainerState "container.state" Keyword [] "running, unhealthy, restarting, exited, as Docker says";
    TlsNotBefore "tls.server.not_before" Keyword [] "when the certificate begins to be valid, RFC 3339";
    TlsNotAfter "tls.server.not_after" Keyword [] "when the certificate ends to be valid, RFC 3339";
    TlsSubject "tls.server.subject" Keyword [] "subject of the certificate";
    TlsIssuer "tls.server.issuer" Keyword [] "who signed the certificate";
    TlsVerify "tls.verify.code" Int [] "OpenSSL's verdict on a certificate chain; 0 is good";
    ClockSynced "system.clock.synchronized" Keyword [] "yes or no: whether the machine's clock follows a source of time";
    Uptime "system.uptime" Duration [] "how long the machine had run, from its boot";
    ClockOffset "system.clock.offset" Number [] "how far the machine's clock is from the time, in seconds";
}

/// The name of a field: one of the table, or any other name that a structured log brought along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name<'a> {
    /// A field of the table.
    Known(Key),
    /// A field that only its writer knows. Nested objects are joined by dots.
    Other(&'a str),
}

impl<'a> Name<'a> {
    /// The full name.
    pub fn as_str(&self) -> &'a str {
        match self {
            Name::Known(key) => key.name(),
            Name::Other(name) => name,
        }
    }
}

impl From<Key> for Name<'_> {
    fn from(key: Key) -> Self {
        Name::Known(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_name_means_two_things() {
        let mut seen = HashSet::new();
        for key in Key::ALL {
            for name in std::iter::once(&key.name()).chain(key.aliases()) {
                assert!(seen.insert(*name), "{name} is listed twice");
                assert_eq!(Key::find(name), Some(*key));
            }
        }
    }
}
