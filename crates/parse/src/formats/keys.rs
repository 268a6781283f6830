//! What the keys of structured logs mean.
//!
//! Loggers agree on few names. Here a key is folded (lower case, without `_`, `-`, `@` and blanks) and looked up once; JSON
//! and logfmt share the table.

use crate::format::Cx;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use whyline_event::Key;

/// What a key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// When.
    Time,
    /// The level, as a word or a number.
    Level,
    /// The text for people.
    Message,
    /// The text for people where no better key is there (structlog's `event`, a `text`).
    Fallback,
    /// Bunyan's `name`: the service where a host stands beside it, else the logger.
    Name,
    /// `host`: the machine, or the server asked for where the record is of an HTTP request.
    Host,
    /// `process`: a number or a name.
    Process,
    /// A target of a request, whatever its key.
    Target,
    /// A target where the record is of an HTTP request (`path`).
    MaybeTarget,
    /// Status of an HTTP answer, if the value can be one.
    Status,
    /// A duration; the unit of a bare number.
    Duration(Unit),
    /// `file.go:12`.
    Caller,
    /// Who asked, perhaps with a port.
    Client,
    /// The other end, perhaps with a port.
    Peer,
    /// The store that a service says it uses, where it is an endpoint; of a cache also what came of looking there.
    Store,
    /// What came of looking into a cache: a word (`hit`), or whether something was found.
    Cache,
    /// Size of an answer, where the record is of an HTTP request.
    Bytes,
    /// An error: its message, or a stack trace.
    Error,
    /// A stack trace.
    Stack,
    /// Name of an error of the operating system, or another short code.
    Code,
    /// A field of the table, as it is.
    Field(Key),
}

/// What lograge names of every request that Rails answers (lib/lograge/log_subscribers/action_controller.rs), and nobody else names together.
pub const OF_RAILS: [&str; 2] = ["controller", "action"];

/// Unit of a number that carries none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanos,
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// Told by the shape of the value: a fraction is of seconds, a very large number of nanoseconds, else milliseconds.
    Shape,
    /// As `rt` is written: a fraction below a minute is of seconds, as nginx's `$request_time` has it, else it is of milliseconds.
    Brief,
}

/// The folded form of a key; `None` for keys longer than any in the table.
fn fold(key: &str, out: &mut [u8; 48]) -> Option<usize> {
    let mut n = 0;
    for b in key.bytes() {
        if matches!(b, b'_' | b'-' | b'@' | b' ') {
            continue;
        }
        *out.get_mut(n)? = b.to_ascii_lowercase();
        n += 1;
    }
    Some(n)
}

thread_local! {
    /// What was found of the keys that were asked for: a source has few, in every line anew.
    static KNOWN: RefCell<FxHashMap<Box<str>, Option<Role>>> = RefCell::default();
}

/// Longer keys are hardly those of a logger, and are not remembered.
const LONGEST: usize = 64;
/// So many keys of the last record are remembered.
const MOST_IN_ROW: usize = 64;
/// So many keys are remembered. A source of more has keys that are values, which nobody asks for again.
const MOST_KNOWN: usize = 1000;

/// What a key means, if anything is known.
pub fn role(key: &str) -> Option<Role> {
    KNOWN.with(|known| {
        if let Ok(known) = known.try_borrow()
            && let Some(role) = known.get(key)
        {
            return *role;
        }
        let role = find(key);
        if let Ok(mut known) = known.try_borrow_mut()
            && known.len() < MOST_KNOWN
            && key.len() < LONGEST
        {
            known.insert(key.into(), role);
        }
        role
    })
}

/// The keys of a record and what they mean. Most records have those of the one before, in the same order.
#[derive(Debug, Default)]
pub struct Row {
    keys: Vec<Known>,
    /// What each of them means.
    roles: Vec<Option<Role>>,
}

/// A key.
#[derive(Debug, Default)]
struct Known {
    name: Box<str>,
    /// As JSON writes it, with quotes and colon; empty where that takes an escape.
    written: Box<[u8]>,
}

impl Known {
    fn new(name: &str) -> Known {
        let plain = !name.bytes().any(|b| matches!(b, b'"' | b'\\'));
        let written = if plain { format!("\"{name}\":") } else { String::new() };
        Known { name: name.into(), written: written.into_bytes().into() }
    }
}

/// Envelopes in envelopes have keys of their own.
const DEPTHS: usize = 3;

thread_local! {
    /// The keys of the last record, by how many envelopes are around it.
    static LAST: RefCell<[Row; DEPTHS]> = RefCell::default();
}

impl Row {
    /// The keys of the record before at this depth. Whoever takes them gives them back: [`Row::give`].
    pub fn take(cx: &Cx<'_>) -> Row {
        Row::at_depth(cx, std::mem::take)
    }

    /// Keeps the keys for the next record.
    pub fn give(self, cx: &Cx<'_>) {
        Row::at_depth(cx, |row| *row = self);
    }

    fn at_depth<T: Default>(cx: &Cx<'_>, change: impl FnOnce(&mut Row) -> T) -> T {
        LAST.with_borrow_mut(|rows| rows.get_mut(usize::from(cx.depth)).map(change).unwrap_or_default())
    }

    /// The keys from a place on as JSON writes them, with quotes and colon; empty where that takes an escape.
    #[inline]
    pub fn written(&self, from: usize) -> impl Iterator<Item = &[u8]> {
        self.keys.get(from..).unwrap_or(&[]).iter().map(|known| &*known.written)
    }

    /// What so many first keys mean, if so many are known.
    #[inline]
    pub fn roles(&self, first: usize) -> Option<&[Option<Role>]> {
        self.roles.get(..first)
    }

    /// What the key at a place means.
    pub fn learn(&mut self, at: usize, name: &str) -> Option<Role> {
        if let (Some(known), Some(known_role)) = (self.keys.get(at), self.roles.get(at))
            && *known.name == *name
        {
            return *known_role;
        }
        let role = role(name);
        // A place must not stay free, so a long key leaves the empty one there.
        let (known, known_role) = if name.len() < LONGEST { (Known::new(name), role) } else { (Known::default(), self::role("")) };
        let next = self.keys.len();
        if let (Some(place), Some(place_role)) = (self.keys.get_mut(at), self.roles.get_mut(at)) {
            (*place, *place_role) = (known, known_role);
        } else if at < MOST_IN_ROW && at == next {
            self.keys.push(known);
            self.roles.push(known_role);
        }
        role
    }
}

/// What the keys of a record mean: [`role`] of each, in order.
pub fn roles<'a>(cx: &Cx<'a>, keys: impl ExactSizeIterator<Item = &'a str>) -> &'a [Option<Role>] {
    let mut row = Row::take(cx);
    let roles = cx.arena.alloc_slice_fill_iter(keys.enumerate().map(|(at, key)| row.learn(at, key)));
    row.give(cx);
    roles
}

fn find(key: &str) -> Option<Role> {
    let mut buffer = [0u8; 48];
    let n = fold(key, &mut buffer)?;
    let folded = buffer.get(..n)?;
    of_tracing(folded).or_else(|| general(folded)).or_else(|| http(folded)).or_else(|| named(folded)).or_else(|| {
        let found = Key::find(key)?;
        // Short aliases are words that a writer may use for anything; full names mean what they say.
        key.contains('.').then_some(Role::Field(found))
    })
}

/// Rust's tracing puts what an event says below `fields`, and what is known of the request below `span` (tracing-subscriber,
/// fmt/format/json.rs; tower-http, trace/make_span.rs). Others use these names for what they please, so only few of them count.
fn of_tracing(key: &[u8]) -> Option<Role> {
    if let Some(field) = key.strip_prefix(b"fields.") {
        let role = general(field).or_else(|| http(field)).or_else(|| named(field))?;
        let usual =
            matches!(role, Role::Message | Role::Error | Role::Status | Role::Duration(_) | Role::Target | Role::Peer | Role::Cache);
        return (usual || is_of_request(role)).then_some(role);
    }
    let field = key.strip_prefix(b"span.")?;
    let role = http(field).or_else(|| named(field))?;
    (role == Role::Target || is_of_request(role)).then_some(role)
}

fn is_of_request(role: Role) -> bool {
    matches!(role, Role::Field(Key::Method | Key::RequestId | Key::TraceId))
}

fn general(key: &[u8]) -> Option<Role> {
    Some(match key {
        b"time"
        | b"ts"
        | b"timestamp"
        | b"t"
        | b"date"
        | b"datetime"
        | b"asctime"
        | b"eventtime"
        | b"timelocal"
        | b"timeiso8601"
        | b"logtime"
        | b"t.$date"
        | b"time.$date"
        | b"timereceived"
        | b"start"
        | b"starttime"
        | b"logtimestamp"
        | b"timems"
        | b"eventdate"
        | b"when"
        | b"requestreceivedtimestamp"
        | b"createddatetime"
        | b"timegenerated"
        | b"timestampms" => Role::Time,
        b"level" | b"lvl" | b"severity" | b"loglevel" | b"log.level" | b"levelname" | b"l" | b"severitytext" | b"leveltext"
        | b"level.name" | b"sev" => Role::Level,
        b"msg"
        | b"message"
        | b"m"
        | b"log"
        | b"textpayload"
        | b"jsonpayload.message"
        | b"shortmessage"
        | b"body"
        | b"renderedmessage"
        | b"logmessage"
        | b"body.stringvalue"
        | b"data.data.msg"
        | b"resultdescription"
        | b"log.message" => Role::Message,
        b"event" | b"text" | b"mt" | b"messagetemplate" | b"eventname" | b"event.original" | b"fullmessage" | b"description"
        | b"reason" | b"title" => Role::Fallback,
        b"name" => Role::Name,
        b"host" => Role::Host,
        b"process" => Role::Process,
        b"caller" | b"source.file" | b"logger.caller" | b"source" | b"src" => Role::Caller,
        b"error" | b"err" | b"x" | b"exception" | b"exc" | b"throwable" | b"thrown" | b"cause" => Role::Error,
        b"stack"
        | b"stacktrace"
        | b"err.stack"
        | b"error.stack"
        | b"error.stacktrace"
        | b"exception.stacktrace"
        | b"excinfo"
        | b"traceback"
        | b"exceptionstack"
        | b"exc.traceback"
        | b"errorverbose"
        | b"exctext"
        | b"stackinfo"
        | b"thrown.extendedstacktrace"
        | b"e.stack" => Role::Stack,
        b"err.code" | b"error.code" | b"code" | b"errcode" | b"errorcode" | b"e.code" => Role::Code,
        _ => return None,
    })
}

fn http(key: &[u8]) -> Option<Role> {
    use Unit::*;
    Some(match key {
        b"url"
        | b"uri"
        | b"requesturi"
        | b"requestpath"
        | b"req.url"
        | b"request.uri"
        | b"request.url"
        | b"httptarget"
        | b"url.original"
        | b"request.path"
        | b"req.path"
        | b"httprequest.requesturl"
        | b"http.url"
        | b"http.target"
        | b"http.path"
        | b"requesturl"
        | b"httppath"
        | b"http.uri"
        | b"originalurl"
        | b"url.full"
        | b"http.request.uri"
        | b"rawpath"
        | b"pathinfo"
        | b"data.requestinfo.path" => Role::Target,
        b"path" | b"target" | b"endpoint" | b"route" => Role::MaybeTarget,
        b"status"
        | b"statuscode"
        | b"httpstatus"
        | b"responsestatus"
        | b"res.statuscode"
        | b"response.status"
        | b"httpstatuscode"
        | b"http.response.statuscode"
        | b"http.statuscode"
        | b"responsecode"
        | b"res.status"
        | b"response.statuscode"
        | b"respstatus"
        | b"httprequest.status"
        | b"http.status"
        | b"responsestatuscode"
        | b"resp.status"
        | b"downstreamstatus"
        | b"data.response.statuscode"
        | b"data.status" => Role::Status,
        b"duration"
        | b"latency"
        | b"took"
        | b"elapsed"
        | b"elapsedtime"
        | b"timetaken"
        | b"requestduration"
        | b"responseduration"
        | b"http.duration"
        | b"httprequest.latency"
        | b"resptime"
        | b"cost"
        | b"exectime"
        | b"executiontime" => Role::Duration(Shape),
        b"ms"
        | b"durationms"
        | b"latencyms"
        | b"responsetime"
        | b"responsetimems"
        | b"elapsedms"
        | b"tookms"
        | b"timems"
        | b"durationmillis"
        | b"elapsedmillis"
        | b"rtms"
        | b"elapsedmilliseconds"
        | b"durationinms"
        | b"milliseconds"
        | b"requesttimems"
        | b"tookmillis" => Role::Duration(Millis),
        b"rt" => Role::Duration(Brief),
        b"requesttime" | b"durations" | b"durationsec" | b"durationseconds" | b"elapsedseconds" | b"elapseds" | b"latencyseconds"
        | b"seconds" => Role::Duration(Seconds),
        b"durationus" | b"elapsedus" | b"latencyus" | b"durationmicros" => Role::Duration(Micros),
        b"durationns" | b"elapsedns" | b"latencyns" | b"event.duration" | b"durationnanos" => Role::Duration(Nanos),
        b"downstreamremoteaddress"
        | b"remoteaddr"
        | b"remoteip"
        | b"clientip"
        | b"ip"
        | b"client"
        | b"remote"
        | b"remoteaddress"
        | b"req.remoteaddress"
        | b"sourceip"
        | b"clientaddr"
        | b"clientaddress"
        | b"source.ip"
        | b"client.ip"
        | b"client.address"
        | b"source.address"
        | b"ipaddress"
        | b"httprequest.remoteip"
        | b"request.clientip"
        | b"request.remoteip"
        | b"request.remoteaddr"
        | b"remotehost"
        | b"realip"
        | b"clienthost"
        | b"sourceipaddress"
        | b"attr.remote"
        | b"request.remoteaddress"
        | b"calleripaddress"
        | b"srcip"
        | b"network.client.ip"
        | b"req.ip"
        | b"origin.address"
        | b"originaddress"
        | b"requestip"
        | b"requestinfo.clientip"
        | b"data.requestinfo.clientip"
        | b"userip"
        | b"clientipaddress" => Role::Client,
        b"db" | b"dbhost" | b"dbaddr" | b"database" | b"redis" | b"redishost" | b"redisaddr" | b"cache" | b"broker" | b"amqp" => {
            Role::Store
        }
        b"cachestatus" | b"xcache" | b"cachehit" => Role::Cache,
        b"peer" | b"upstreamhost" | b"err.address" | b"error.address" | b"peeraddress" | b"destip" | b"net.peer.ip" => Role::Peer,
        b"bytes" | b"size" | b"responsesize" | b"bodybytessent" | b"bytessent" | b"byteswritten" | b"contentlength"
        | b"res.contentlength" | b"responsebytes" | b"bytesout" | b"respsize" => Role::Bytes,
        _ => return None,
    })
}

fn named(key: &[u8]) -> Option<Role> {
    use Key::*;
    let key = match key {
        b"logger"
        | b"loggername"
        | b"log.logger"
        | b"component"
        | b"module"
        | b"category"
        | b"sourcecontext"
        | b"logger.name"
        | b"properties.sourcecontext"
        | b"subsystem"
        | b"class"
        | b"classname"
        | b"channel" => Logger,
        b"service" | b"service.name" | b"servicename" | b"app" | b"application" | b"applicationname" | b"appname" | b"svc"
        | b"dd.service" | b"serviceid" => ServiceName,
        b"version" | b"service.version" | b"appversion" | b"release" => ServiceVersion,
        b"hostname" | b"host.name" | b"host.hostname" | b"nodename" | b"server.hostname" | b"machinename" | b"machine" => HostName,
        b"pid" | b"processid" | b"process.pid" | b"process.id" => ProcessPid,
        b"processname" | b"process.name" | b"program" | b"syslogidentifier" => ProcessName,
        b"thread"
        | b"threadname"
        | b"process.thread.name"
        | b"process.thread.id"
        | b"tid"
        | b"threadid"
        | b"goroutine"
        | b"thread.name"
        | b"thread.id" => ThreadName,
        b"reqid"
        | b"requestid"
        | b"rid"
        | b"xrequestid"
        | b"req.id"
        | b"correlationid"
        | b"request.id"
        | b"http.request.id"
        | b"request.requestid"
        | b"reqheaders.xrequestid"
        | b"httprequestid"
        | b"req.headers.xrequestid"
        | b"xcorrelationid" => RequestId,
        b"traceid" | b"trace.id" | b"trace" | b"dd.traceid" | b"oteltraceid" | b"mdc.traceid" | b"contextmap.traceid" => TraceId,
        b"spanid" | b"span.id" | b"dd.spanid" | b"otelspanid" | b"mdc.spanid" => SpanId,
        b"err.type"
        | b"err.name"
        | b"error.type"
        | b"error.name"
        | b"errortype"
        | b"errorname"
        | b"exception.type"
        | b"exceptiontype"
        | b"exceptionclass"
        | b"exc.type"
        | b"exception.name"
        | b"thrown.name"
        | b"exception.exceptionclass"
        | b"excclass"
        | b"error.class"
        | b"exception.class" => ExceptionType,
        b"err.message"
        | b"err.msg"
        | b"error.message"
        | b"error.msg"
        | b"exception.message"
        | b"exceptionmessage"
        | b"errormessage"
        | b"errmsg"
        | b"exc.message"
        | b"thrown.message"
        | b"error.error"
        | b"exception.exceptionmessage"
        | b"errormsg" => ExceptionMessage,
        b"err.errno" | b"errno" | b"error.errno" => Errno,
        b"err.hostname" | b"error.hostname" => QName,
        b"method"
        | b"requestmethod"
        | b"httpmethod"
        | b"req.method"
        | b"request.method"
        | b"verb"
        | b"httprequest.requestmethod"
        | b"http.request.method"
        | b"http.method"
        | b"data.requestinfo.method" => Method,
        b"useragent"
        | b"httpuseragent"
        | b"agent"
        | b"req.headers.useragent"
        | b"request.headers.useragent"
        | b"ua"
        | b"httprequest.useragent"
        | b"useragent.original"
        | b"headers.useragent" => UserAgent,
        b"referer" | b"referrer" | b"httpreferer" | b"httpreferrer" | b"httprequest.referer" => Referer,
        b"xforwardedfor" | b"httpxforwardedfor" | b"forwardedfor" | b"xff" => ForwardedFor,
        b"user" | b"username" | b"user.name" | b"usr" | b"login" | b"userid" | b"user.id" | b"remoteuser" | b"request.userid" => User,
        b"upstreamaddr" | b"upstreamaddress" => UpstreamAddress,
        b"upstreamstatus" => UpstreamStatus,
        b"sql" | b"dbstatement" | b"db.statement" | b"statement" => Statement,
        b"dbname" | b"database" => Database,
        b"sqlstate" | b"statecode" => SqlState,
        b"filename" | b"file" | b"log.origin.file.name" | b"pathname" => CodeFile,
        b"lineno" | b"line" | b"log.origin.file.line" => CodeLine,
        b"funcname" | b"func" | b"function" | b"log.origin.function" => CodeFunction,
        b"exitcode" | b"exitstatus" => ExitCode,
        b"stream" => LogStream,
        b"unit" | b"systemdunit" => Unit,
        b"kubernetes.podname" | b"kubernetes.pod.name" | b"k8s.pod.name" | b"pod" | b"podname" => PodName,
        b"kubernetes.namespacename" | b"kubernetes.namespace" | b"k8s.namespace.name" | b"namespace" => Namespace,
        b"kubernetes.containername" | b"kubernetes.container.name" | b"container.name" | b"container" | b"containername" => ContainerName,
        b"kubernetes.host" | b"kubernetes.node.name" => NodeName,
        b"docker.containerid" | b"containerid" | b"kubernetes.dockerid" | b"container.id" => ContainerId,
        b"topic" => Queue,
        _ => return None,
    };
    Some(Role::Field(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (key, want) in [
            ("@timestamp", Role::Time),
            ("levelname", Role::Level),
            ("severity_text", Role::Level),
            ("reqId", Role::Field(Key::RequestId)),
            ("request-id", Role::Field(Key::RequestId)),
            ("statusCode", Role::Status),
            ("cacheStatus", Role::Cache),
            ("x_cache", Role::Cache),
            ("cache_hit", Role::Cache),
            ("responseTime", Role::Duration(Unit::Millis)),
            ("http.request.method", Role::Field(Key::Method)),
            ("kubernetes.pod_name", Role::Field(Key::PodName)),
            ("url.domain", Role::Field(Key::ServerAddress)),
        ] {
            assert_eq!(role(key), Some(want), "{key}");
        }
        assert_eq!(role("customer"), None);
        assert_eq!(role(&"x".repeat(500)), None);
    }
}
