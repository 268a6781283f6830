//! Products whose JSON is told by its keys.

use super::flat::{Flat, Scalar};
use super::{modsecurity, structured};
use crate::format::Cx;
use crate::formats::{fill, keys, loki};
use whyline_event::{Key, Record, Severity, Value};

/// A product.
pub struct Product {
    /// The name of its format.
    pub name: &'static str,
    /// Whether an object is of this product.
    is: fn(&Flat<'_>) -> bool,
    /// Fills a record.
    pub fill: for<'a> fn(&Cx<'a>, &Flat<'a>, &mut Record<'a>),
}

static PRODUCTS: &[Product] = &[
    Product { name: "mongodb", is: is_mongodb, fill: mongodb },
    Product { name: "k8s-audit", is: is_audit, fill: audit },
    Product { name: "k8s.event", is: is_event, fill: event },
    Product { name: "vault.audit", is: is_vault, fill: vault },
    Product { name: "elasticsearch.server", is: is_elastic, fill: elastic },
    Product { name: "kibana.json", is: is_kibana, fill: kibana },
    Product { name: "caddy", is: is_caddy, fill: caddy },
    Product { name: "postgresql", is: is_postgres, fill: postgres },
    Product { name: "modsecurity.audit", is: modsecurity::is, fill: modsecurity::fill },
    Product { name: loki::NAME, is: loki::is, fill: loki::fill },
    Product { name: CLOUDWATCH, is: is_cloudwatch, fill: cloudwatch },
];

/// The product that wrote an object.
pub fn find(flat: &Flat<'_>) -> Option<&'static Product> {
    PRODUCTS.iter().find(|p| (p.is)(flat))
}

fn general<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    let found = structured::look_as(&flat.pairs, flat.roles);
    structured::put(cx, &flat.pairs, &found, record);
}

fn is_mongodb(flat: &Flat<'_>) -> bool {
    flat.pairs.first().is_some_and(|(name, _)| *name == "t.$date") && flat.get("c").is_some() && flat.get("ctx").is_some()
}

fn mongodb<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    record.stamp = flat.get("t.$date").and_then(structured::time);
    record.body = flat.text("msg").unwrap_or(record.body);
    if let Some(word) = flat.text("s") {
        let severity = if word.starts_with('D') { Some(Severity::Debug) } else { Severity::from_word(word) };
        if let Some(severity) = severity {
            fill::level_as(record, word, severity);
        }
    }
    for (name, value) in &flat.pairs {
        match (*name, value.text()) {
            ("t.$date" | "s" | "msg", _) => {}
            ("c", Some(text)) => fill::once_str(record, Key::Logger, text),
            ("ctx", Some(text)) => fill::once_str(record, Key::ThreadName, text),
            ("id", Some(text)) => fill::once_str(record, Key::EventName, text),
            ("attr.remote", Some(text)) => fill::client(record, text),
            ("attr.ns", Some(text)) => fill::once_str(record, Key::Database, text),
            ("attr.durationMillis", Some(text)) => {
                if let Some(duration) = Value::millis(text) {
                    fill::once(record, Key::QueryTime, duration);
                }
            }
            ("attr.error.codeName" | "attr.error", Some(text)) => fill::once_str(record, Key::ErrorType, text),
            _ => {
                if let Some(value) = value.value() {
                    record.put_other(name, value);
                }
            }
        }
    }
    if let Some(text) = flat.text("attr.error").or_else(|| flat.text("attr.error.errmsg")) {
        crate::formats::message::fields(cx, text, record);
    }
}

fn is_audit(flat: &Flat<'_>) -> bool {
    flat.text("kind") == Some("Event") && flat.text("apiVersion").is_some_and(|v| v.starts_with("audit.k8s.io/"))
}

fn audit<'a>(_cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    record.stamp = flat.get("stageTimestamp").or_else(|| flat.get("requestReceivedTimestamp")).and_then(structured::time);
    for (name, value) in &flat.pairs {
        let Some(text) = value.text() else {
            if let (&"sourceIPs", Scalar::List(raw)) = (name, value) {
                fill::client(record, raw.trim_matches(['[', ']', '"']).split('"').next().unwrap_or(""));
            }
            continue;
        };
        match *name {
            "verb" => fill::once_str(record, Key::Action, text),
            "requestURI" => fill::target(record, text),
            "responseStatus.code" => fill::once_int(record, Key::Status, text),
            "user.username" => fill::once_str(record, Key::User, text),
            "userAgent" => fill::once_str(record, Key::UserAgent, text),
            "objectRef.namespace" => fill::once_str(record, Key::Namespace, text),
            "auditID" => fill::once_str(record, Key::RequestId, text),
            "responseStatus.message" => record.body = text,
            "stageTimestamp" | "requestReceivedTimestamp" | "kind" | "apiVersion" => {}
            _ => record.put_other(name, Value::Str(text)),
        }
    }
}

/// An Event of Kubernetes, as `kubectl get events -o json` and exporters of events write it.
fn is_event(flat: &Flat<'_>) -> bool {
    let of_object = ["involvedObject.kind", "regarding.kind"].iter().any(|key| flat.get(key).is_some());
    // What comes out of a watch has no kind of its own (apimachinery, TypeMeta).
    let is_dated = || ["firstTimestamp", "lastTimestamp", "eventTime"].iter().any(|key| flat.get(key).is_some());
    of_object && (flat.text("kind") == Some("Event") || flat.get("kind").is_none() && flat.get("reason").is_some() && is_dated())
}

/// An event that came again began when it came first; one that is repeated for longer than this (ns) is told as it stands.
const REPEATED: i64 = 3_600_000_000_000;

fn event<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    general(cx, flat, record);
    let time = |keys: &[&str]| keys.iter().find_map(|key| flat.get(key).and_then(structured::time));
    let first = time(&["firstTimestamp", "eventTime", "deprecatedFirstTimestamp"]);
    let last = time(&["lastTimestamp", "series.lastObservedTime", "deprecatedLastTimestamp"]);
    record.stamp = match (first, last) {
        (Some(first), Some(last)) if last.nanos.saturating_sub(first.nanos) > REPEATED => Some(last),
        (first, last) => first.or(last).or_else(|| time(&["metadata.creationTimestamp"])),
    };
    record.body = flat.text("message").or_else(|| flat.text("note")).unwrap_or(record.body);
    let warns = flat.text("type") == Some("Warning");
    record.severity = Some(if warns { Severity::Warn } else { Severity::Info });
    if let Some(reason) = flat.text("reason") {
        fill::once_str(record, Key::EventName, reason);
    }
    if let Some(Value::Int(count)) = ["count", "series.count", "deprecatedCount"].iter().find_map(|key| flat.get(key)?.value()) {
        record.put_other("k8s.event.count", Value::Int(count));
    }
    let of = |key: &str| flat.text(&format!("involvedObject.{key}")).or_else(|| flat.text(&format!("regarding.{key}")));
    if let Some(namespace) = of("namespace") {
        fill::once_str(record, Key::Namespace, namespace);
    }
    match (of("kind"), of("name")) {
        (Some("Pod"), Some(name)) => fill::once_str(record, Key::PodName, name),
        (Some("Node"), Some(name)) => fill::once_str(record, Key::NodeName, name),
        (Some(kind), Some(name)) => {
            let object = cx.keep(&format!("{}/{name}", kind.to_ascii_lowercase()));
            record.put(Key::ObjectName, Value::Str(object));
        }
        _ => {}
    }
}

fn is_vault(flat: &Flat<'_>) -> bool {
    matches!(flat.text("type"), Some("request" | "response"))
        && flat.pairs.iter().any(|(name, _)| name.starts_with("auth."))
        && flat.pairs.iter().any(|(name, _)| *name == "request.operation" || *name == "request.path")
}

fn vault<'a>(_cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    record.stamp = flat.get("time").and_then(structured::time);
    for (name, value) in &flat.pairs {
        let Some(text) = value.text() else { continue };
        match *name {
            "time" => {}
            "request.operation" => fill::once_str(record, Key::Action, text),
            "request.path" => fill::once_str(record, Key::Path, text),
            "request.remote_address" => fill::client(record, text),
            "request.id" => fill::once_str(record, Key::RequestId, text),
            "auth.display_name" => fill::once_str(record, Key::User, text),
            "error" => fill::once_str(record, Key::ExceptionMessage, text),
            _ => record.put_other(name, Value::Str(text)),
        }
    }
}

fn is_elastic(flat: &Flat<'_>) -> bool {
    flat.get("cluster.name").is_some() && flat.get("node.name").is_some() && flat.get("component").is_some()
        || flat.get("elasticsearch.cluster.name").is_some() && flat.get("log.logger").is_some()
}

fn elastic<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    general(cx, flat, record);
    record.format = match flat.text("type") {
        Some("deprecation" | "deprecation.elasticsearch") => "elasticsearch.deprecation",
        Some("index_search_slowlog" | "index_indexing_slowlog") => "elasticsearch.slowlog",
        Some("audit") => "elasticsearch.audit",
        _ => "elasticsearch.server",
    };
    fill::once_str(record, Key::ServiceName, "elasticsearch");
    if flat.text("level").or_else(|| flat.text("log.level")) == Some("DEPRECATION") {
        fill::level_as(record, "DEPRECATION", Severity::Warn);
    }
    // A node's name is the nearest thing to a host that the record has.
    if let Some(node) = flat.text("node.name").or_else(|| flat.text("elasticsearch.node.name")) {
        fill::once_str(record, Key::HostName, node);
    }
}

fn is_kibana(flat: &Flat<'_>) -> bool {
    flat.get("@timestamp").is_some() && flat.get("tags").is_some() && flat.get("pid").is_some() && flat.get("type").is_some()
}

fn kibana<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    general(cx, flat, record);
    if let Some(Scalar::List(tags)) = flat.get("tags") {
        for word in tags.split(['"', '[', ']', ',']) {
            if record.severity.is_none() && word.len() > 2 && word != "config" && Severity::from_word(word).is_some() {
                fill::level(record, word);
            }
        }
    }
}

fn is_caddy(flat: &Flat<'_>) -> bool {
    flat.text("logger").is_some_and(|l| l.starts_with("http.log."))
        && flat.get("request.method").is_some()
        && flat.pairs.iter().any(|(name, _)| matches!(*name, "request.remote_ip" | "request.remote_addr"))
}

fn caddy<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    if let Some(host) = flat.text("request.host") {
        fill::endpoint(record, host, Key::ServerAddress, Key::ServerPort);
    }
    if let Some(client) = flat.text("request.client_ip").or_else(|| flat.text("request.remote_ip")) {
        fill::client(record, client);
    }
    general(cx, flat, record);
    for (name, value) in &flat.pairs {
        if let (Some(rest), Scalar::List(list)) = (name.strip_prefix("request.headers."), value) {
            let first = list.trim_matches(['[', ']']).trim_matches('"');
            match rest {
                "User-Agent" => fill::once_str(record, Key::UserAgent, first),
                "Referer" => fill::once_str(record, Key::Referer, first),
                "X-Forwarded-For" => fill::once_str(record, Key::ForwardedFor, first),
                _ => {}
            }
        }
    }
}

const CLOUDWATCH: &str = "aws.cloudwatch";

/// An event of CloudWatch Logs, as `aws logs filter-log-events` and `get-log-events` show it.
fn is_cloudwatch(flat: &Flat<'_>) -> bool {
    flat.pairs.len() <= 8 && ["ingestionTime", "timestamp", "message"].iter().all(|key| flat.get(key).is_some())
}

/// The message is a line of the program that wrote it.
fn cloudwatch<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    record.stamp = flat.get("timestamp").and_then(structured::time);
    record.body = flat.text("message").map_or(record.body, |text| text.trim_end_matches(['\n', '\r']));
    let stream = flat.text("logStreamName");
    if let Some(stream) = stream {
        record.put_other("aws.log.stream", Value::Str(stream));
    }
    if !cx.inner(CLOUDWATCH, record.body, record) {
        crate::formats::message::fields(cx, record.body, record);
    }
    // `kube-controller-manager-0123456789abcdef0123456789abcdef`: the program, and which of those that run it.
    fill::pod_as_host(record);
    let is_id = |id: &str| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some((program, _)) =
        stream.and_then(|stream| stream.rsplit_once('-')).filter(|(program, id)| !program.contains('/') && is_id(id))
    {
        fill::once_str(record, Key::ServiceName, program);
    }
}

fn is_postgres(flat: &Flat<'_>) -> bool {
    flat.get("error_severity").is_some() && flat.get("backend_type").is_some()
}

fn postgres<'a>(cx: &Cx<'a>, flat: &Flat<'a>, record: &mut Record<'a>) {
    record.stamp = flat.get("timestamp").and_then(structured::time);
    record.body = flat.text("message").unwrap_or(record.body);
    for (name, value) in &flat.pairs {
        let Some(text) = value.text() else { continue };
        match *name {
            "timestamp" | "message" => {}
            "error_severity" => fill::level(record, text),
            "user" => fill::once_str(record, Key::User, text),
            "dbname" => fill::once_str(record, Key::Database, text),
            "pid" => fill::once_int(record, Key::ProcessPid, text),
            "remote_host" => fill::client(record, text),
            "remote_port" => fill::once_int(record, Key::ClientPort, text),
            "state_code" => fill::once_str(record, Key::SqlState, text),
            "statement" => fill::once_str(record, Key::Statement, text),
            _ => match keys::role(name) {
                Some(keys::Role::Field(key)) => fill::once_str(record, key, text),
                _ => record.put_other(name, Value::Str(text)),
            },
        }
    }
    crate::formats::postgres::statement::duration(record.body, record);
    crate::formats::message::fields(cx, record.body, record);
}
