//! Layouts from the notations in which servers are told them: nginx's `log_format`, Apache's `LogFormat`.

use super::json::JsonAccess;
use super::layout::{Builder, Layout};
use super::meaning::{Meaning, Unit};
use super::names;
use crate::format::{Fit, Format};
use std::sync::Arc;
use whyline_event::Key;

/// The fit of a layout that the user gave.
const GIVEN: Fit = 92;

/// A reader for lines that nginx writes by a `log_format` (its text after quotes and line breaks are resolved). Variables that
/// say nothing about the request keep their names. An error names what is wrong with the text.
pub fn from_log_format(name: &'static str, text: &str) -> Result<Arc<dyn Format>, String> {
    if text.trim_start().starts_with('{') {
        return Ok(Arc::new(JsonAccess));
    }
    Ok(Arc::new(nginx(name, GIVEN, text)?.build()?))
}

/// A reader for lines that Apache writes by a `LogFormat` (its text as it stands between the quotes).
pub fn from_apache(text: &str) -> Result<Arc<dyn Format>, String> {
    if text.trim_start().starts_with('{') {
        return Ok(Arc::new(JsonAccess));
    }
    Ok(Arc::new(apache("apache.access", GIVEN, text)?.build()?))
}

/// The layout of a `log_format`, under a name of its own.
pub(crate) fn nginx_layout(name: &'static str, text: &str) -> Result<Layout, String> {
    nginx(name, GIVEN, text)?.build()
}

/// The layout of a `LogFormat`, under a name of its own.
pub(crate) fn apache_layout(name: &'static str, text: &str) -> Result<Layout, String> {
    apache(name, GIVEN, text)?.build()
}

/// A layout in nginx's notation: `$name` or `${name}`, everything else as it stands.
pub(super) fn nginx(name: &'static str, fit: Fit, text: &str) -> Result<Builder, String> {
    let mut layout = Builder::new(name, fit);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        layout.literal(before);
        let (variable, tail) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}').ok_or("a `${` without `}`")?,
            None => {
                let len = after.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
                after.split_at(len)
            }
        };
        if variable.is_empty() {
            return Err("a `$` without a name".into());
        }
        layout.column(variable_meaning(variable), variable);
        rest = tail;
    }
    layout.literal(rest);
    Ok(layout)
}

fn variable_meaning(name: &str) -> Meaning {
    match name {
        "server" | "client" | "remote" | "target" | "code" | "t" | "d" => names::lookup(name).unwrap_or(Meaning::Named),
        "pipe" => Meaning::Nothing,
        "request_time" => Meaning::Took(Key::Duration, Unit::Seconds),
        _ => names::lookup(name).unwrap_or(Meaning::Named),
    }
}

/// A layout in Apache's notation.
pub(super) fn apache(name: &'static str, fit: Fit, text: &str) -> Result<Builder, String> {
    let mut layout = Builder::new(name, fit);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('t') => layout.literal("\t"),
                Some('n') => layout.literal("\n"),
                Some(other) => layout.literal(other.encode_utf8(&mut [0; 4])),
                None => return Err("a backslash at the end".into()),
            },
            '%' => {
                // Statuses for which the value is written, and which of several requests is meant.
                while chars.next_if(|c| c.is_ascii_digit() || matches!(c, '!' | ',' | '<' | '>')).is_some() {}
                let mut argument = String::new();
                if chars.next_if_eq(&'{').is_some() {
                    argument = chars.by_ref().take_while(|c| *c != '}').collect();
                    while chars.next_if(|c| matches!(c, '<' | '>')).is_some() {}
                }
                let directive = match chars.next().ok_or("a `%` without a letter")? {
                    '^' => chars.by_ref().take(2).collect::<String>(),
                    other => other.to_string(),
                };
                directive_column(&directive, &argument, &mut layout);
            }
            other => layout.literal(other.encode_utf8(&mut [0; 4])),
        }
    }
    Ok(layout)
}

fn directive_column(directive: &str, argument: &str, layout: &mut Builder) {
    let took = |unit| Meaning::Took(Key::Duration, unit);
    let (meaning, name) = match directive {
        "%" => return layout.literal("%"),
        "t" if argument.is_empty() => {
            layout.literal("[");
            layout.column(Meaning::Time, "time");
            return layout.literal("]");
        }
        "t" => (time_meaning(argument), "time"),
        "a" | "h" => (Meaning::Client, "client"),
        "A" => (Meaning::Named, "server.ip"),
        "b" | "B" | "O" => (Meaning::Ints(Key::ResponseBytes), "bytes_sent"),
        "I" => (Meaning::Ints(Key::RequestBytes), "bytes_received"),
        "D" => (took(Unit::Micros), "D"),
        "T" => (
            took(match argument {
                "ms" => Unit::Millis,
                "us" => Unit::Micros,
                _ => Unit::Seconds,
            }),
            "T",
        ),
        "H" => (Meaning::Protocol, "protocol"),
        "m" => (Meaning::Text(Key::Method), "method"),
        "p" if argument == "remote" => (Meaning::Ints(Key::ClientPort), "remote_port"),
        "p" => (Meaning::Ints(Key::ServerPort), "port"),
        "P" if argument.ends_with("tid") => (Meaning::Text(Key::ThreadName), "tid"),
        "P" => (Meaning::Ints(Key::ProcessPid), "pid"),
        "q" => (Meaning::Query, "query"),
        "r" => (Meaning::Request, "request"),
        "s" => (Meaning::Status, "status"),
        "u" => (Meaning::Text(Key::User), "user"),
        "U" => (Meaning::Target, "path"),
        "v" | "V" => (Meaning::Server, "server_name"),
        "X" => (Meaning::Named, "connection.status"),
        "L" => (Meaning::Named, "error.log.id"),
        "R" => (Meaning::Named, "handler"),
        "k" => (Meaning::Named, "keepalive.requests"),
        "f" => (Meaning::Text(Key::File), "file"),
        "S" => (Meaning::Named, "bytes"),
        "l" => (Meaning::Nothing, ""),
        "i" => return header(argument, "request", layout),
        "o" => return header(argument, "response", layout),
        "FB" => (Meaning::Took(Key::UpstreamHeader, Unit::Micros), "first_byte"),
        _ => return layout.column(named(argument), argument),
    };
    layout.column(meaning, name);
}

/// `%{...}t`: the time, if the notation has both date and time of day.
fn time_meaning(argument: &str) -> Meaning {
    let format = argument.strip_prefix("begin:").or_else(|| argument.strip_prefix("end:")).unwrap_or(argument);
    let has = |all: &[&str]| all.iter().any(|part| format.contains(part));
    let whole = has(&["%c", "%s"]) || has(&["%d", "%e", "%F", "%D"]) && has(&["%T", "%H", "%R", "%r", "%X"]);
    if whole || matches!(format, "sec" | "msec" | "usec") { Meaning::Time } else { Meaning::Nothing }
}

/// `%{Name}i` and `%{Name}o`.
fn header(name: &str, side: &str, layout: &mut Builder) {
    let low = name.to_ascii_lowercase();
    let meaning = match (side, low.as_str()) {
        ("request", "referer") => Meaning::Text(Key::Referer),
        ("request", "user-agent") => Meaning::Text(Key::UserAgent),
        ("request", "x-forwarded-for") => Meaning::Forwarded,
        ("request", "host") => Meaning::Server,
        (_, "x-request-id") => Meaning::Text(Key::RequestId),
        (_, "x-cache") => Meaning::Text(Key::CacheStatus),
        _ => Meaning::Named,
    };
    layout.column(meaning, &format!("http.{side}.header.{low}"));
}

/// Environment variables, notes, cookies and variables of TLS.
fn named(argument: &str) -> Meaning {
    match argument {
        "SSL_PROTOCOL" => Meaning::Text(Key::TlsVersion),
        "SSL_CIPHER" => Meaning::Text(Key::Cipher),
        "SSL_TLS_SNI" => Meaning::Text(Key::Tls),
        "UNIQUE_ID" => Meaning::Text(Key::RequestId),
        "BALANCER_WORKER_NAME" | "BALANCER_WORKER_ROUTE" => Meaning::Upstreams,
        "BALANCER_NAME" => Meaning::Text(Key::UpstreamName),
        "" => Meaning::Nothing,
        _ => Meaning::Named,
    }
}

/// The layouts that are built in, the specific ones first.
pub(super) fn built_in() -> Vec<Layout> {
    let closed = BUILT_IN.iter().filter_map(|(name, fit, text)| nginx(name, *fit, text).ok()?.build().ok());
    let open = OPEN.iter().filter_map(|(name, fit, text)| nginx(name, *fit, text).ok()?.open().build().ok());
    let ssl = apache("apache.access", 89, "%t %h %{SSL_PROTOCOL}x %{SSL_CIPHER}x \\\"%r\\\" %b").and_then(Builder::build).ok();
    closed.chain(open).chain(ssl).collect()
}

/// Layouts of programs that write no other.
const BUILT_IN: &[(&str, Fit, &str)] = &[
    // The NGINX ingress controller of Kubernetes.
    (
        "nginx.access",
        93,
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" \
         $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr \
         $upstream_response_length $upstream_response_time $upstream_status $req_id",
    ),
    // Nginx Proxy Manager: proxied hosts, others, and older versions of both.
    (
        "nginx.access",
        93,
        "[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host \"$request_uri\" [Client \
         $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to $upstream_name] \"$http_user_agent\" \"$http_referer\"",
    ),
    (
        "nginx.access",
        93,
        "[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host \"$request_uri\" [Client \
         $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] \"$http_user_agent\" \"$http_referer\"",
    ),
    (
        "nginx.access",
        92,
        "[$time_local] $status - $request_method $scheme $host \"$request_uri\" [Client $remote_addr] [Length $body_bytes_sent] [Gzip \
         $gzip_ratio] [Sent-to $upstream_name] \"$http_user_agent\" \"$http_referer\"",
    ),
    (
        "nginx.access",
        92,
        "[$time_local] $status - $request_method $scheme $host \"$request_uri\" [Client $remote_addr] [Length $body_bytes_sent] [Gzip \
         $gzip_ratio] \"$http_user_agent\" \"$http_referer\"",
    ),
    // BunkerWeb.
    (
        "nginx.access",
        92,
        "$host $remote_addr - $request_id $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \
         \"$http_user_agent\"",
    ),
    // Traefik's common log format.
    (
        "traefik",
        93,
        "$remote_addr - $remote_user [$start_time] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" \
         $request_count \"$router\" \"$upstream_addr\" ${duration_ms}ms",
    ),
    // Envoy's default, and Istio's.
    (
        "envoy.access",
        92,
        "[$start_time] \"$request\" $status ${envoy.response_flags} $bytes_received $bytes_sent $duration_ms $x_envoy_upstream_service_time \
         \"$http_x_forwarded_for\" \"$http_user_agent\" \"$request_id\" \"$authority\" \"$upstream_host\"",
    ),
    (
        "envoy.access",
        93,
        "[$start_time] \"$request\" $status ${envoy.response_flags} ${envoy.response_details} $connection_termination_details \
         \"$upstream_transport_failure_reason\" $bytes_received $bytes_sent $duration_ms $x_envoy_upstream_service_time \
         \"$http_x_forwarded_for\" \"$http_user_agent\" \"$request_id\" \"$authority\" \"$upstream_host\" $upstream_cluster \
         $upstream_local_address $downstream_local_address $downstream_remote_address $requested_server_name $route_name",
    ),
];

/// Layouts that grow with the versions of their program.
const OPEN: &[(&str, Fit, &str)] = &[
    // AWS: application and classic load balancers.
    (
        "aws.alb",
        92,
        "$type $time $frontend $client $upstream_addr $request_processing_time $upstream_response_time $response_processing_time $status \
         $upstream_status $bytes_received $bytes_sent \"$request\" \"$user_agent\" $ssl_cipher $ssl_protocol",
    ),
    (
        "aws.elb",
        91,
        "$time $frontend $client $upstream_addr $request_processing_time $upstream_response_time $response_processing_time $status \
         $upstream_status $bytes_received $bytes_sent \"$request\" \"$user_agent\" $ssl_cipher $ssl_protocol",
    ),
];

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, fit};
    use super::*;

    fn first(line: &str) -> String {
        let layouts = built_in();
        layouts.iter().map(|l| fields(l, line)).find(|f| f != "unread").unwrap_or_default()
    }

    #[test]
    fn log_formats() {
        for (format, line, want) in [
            (
                "$remote_addr - $remote_user [$time_local] \"$request\" $status ${request_time}s $upstream_addr $upstream_status $my_var",
                "10.0.0.1 - - [21/Nov/2026:10:35:14 +0000] \"GET /a\\\"b HTTP/1.1\" 200 0.004s 10.1.0.1:80, 10.1.0.2:80 502, 200 blue sky",
                "nginx.access 2026-11-21T10:35:14Z - - client.address=10.0.0.1 http.request.method=GET url.path=/a\"b \
                 network.protocol.version=1.1 http.response.status_code=200 http.server.request.duration=0.004 \
                 upstream.address=10.1.0.1:80 upstream.address=10.1.0.2:80 upstream.status=502 upstream.status=200 my_var=blue sky",
            ),
            (
                "$msec|$host|$request_method|$request_uri|$status|$http_user_agent|$remote_addr",
                "1795255001.507|a.example|GET|/x?y|404|Some | agent|::1",
                "nginx.access 2026-11-21T09:56:41.507Z - - server.address=a.example http.request.method=GET url.path=/x url.query=y \
                 http.response.status_code=404 user_agent.original=Some | agent client.address=::1",
            ),
            (
                "$time_local $remote_addr $status",
                "21/Nov/2026:10:35:14 +0100 10.0.0.1 200",
                "nginx.access 2026-11-21T09:35:14Z - - client.address=10.0.0.1 http.response.status_code=200",
            ),
        ] {
            assert_eq!(fields(&*from_log_format("nginx.access", format).unwrap(), line), want, "{format}");
            assert_eq!(fit(&*from_log_format("nginx.access", format).unwrap(), "something else"), None);
        }
        for no in ["", "no variable", "${open", "$ x", "$some $other"] {
            assert!(from_log_format("nginx.access", no).is_err(), "{no}");
        }
    }

    #[test]
    fn apache_formats() {
        for (format, line, want) in [
            (
                "%v:%p %h %l %u %t \\\"%r\\\" %>s %O \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\" %D %{X-Up}o %400,501{Host}i",
                "a.example:443 10.0.0.1 - bob [21/Nov/2026:10:35:14 +0000] \"GET / HTTP/1.1\" 200 55 \"-\" \"x/1\" 1500 7 b.example",
                "apache.access 2026-11-21T10:35:14Z - - server.address=a.example server.port=443 client.address=10.0.0.1 user.name=bob \
                 http.request.method=GET url.path=/ network.protocol.version=1.1 http.response.status_code=200 \
                 http.response.body.size=55 user_agent.original=x/1 http.server.request.duration=0.0015 http.response.header.x-up=7 \
                 http.request.header.host=b.example",
            ),
            (
                "%{%Y-%m-%dT%H:%M:%S%z}t %a %m %U%q %s %{ms}T",
                "2026-11-21T10:35:14+0100 ::1 GET /a 500 12",
                "apache.access 2026-11-21T09:35:14Z - - client.address=::1 http.request.method=GET http.response.status_code=500 \
                 http.server.request.duration=0.012",
            ),
        ] {
            assert_eq!(fields(&*from_apache(format).unwrap(), line), want, "{format}");
        }
        assert!(from_apache("%").is_err() && from_apache("\\").is_err());
    }

    #[test]
    fn programs() {
        for (line, want) in [
            (
                "10.0.0.1 - - [21/Nov/2026:10:35:14 +0000] \"GET / HTTP/1.1\" 502 7 \"-\" \"x\" 45 \"web@docker\" \"http://10.0.0.9:80\" 38ms",
                "traefik 2026-11-21T10:35:14Z - - client.address=10.0.0.1 http.request.method=GET url.path=/ network.protocol.version=1.1 \
                 http.response.status_code=502 http.response.body.size=7 user_agent.original=x request_count=45 router=web@docker \
                 upstream.address=10.0.0.9:80 http.server.request.duration=0.038 time.is_start=true",
            ),
            (
                "[2026-11-21T10:35:14.315Z] \"POST /v1 HTTP/2\" 503 UF 88 0 245 120 \"203.0.113.8, 10.0.0.1\" \"y\" \"77ab\" \"loc\" \
                 \"tcp://10.9.2.1:80\"",
                "envoy.access 2026-11-21T10:35:14.315Z - - http.request.method=POST url.path=/v1 network.protocol.version=2 \
                 http.response.status_code=503 envoy.response_flags=UF http.request.body.size=88 http.response.body.size=0 \
                 http.server.request.duration=0.245 upstream.response.duration=0.12 http.request.header.x-forwarded-for=203.0.113.8, 10.0.0.1 \
                 client.address=203.0.113.8 user_agent.original=y http.request.id=77ab server.address=loc upstream.address=10.9.2.1:80 \
                 time.is_start=true",
            ),
            (
                "https 2026-11-21T10:35:14.315Z app/lb/50 10.0.0.1:51007 10.1.0.1:80 0.000 0.048 0.000 200 200 34 366 \"GET \
                 https://a.example:443/x HTTP/1.1\" \"curl\" ECDHE TLSv1.2 arn:x \"Root=1\" \"-\"",
                "aws.alb 2026-11-21T10:35:14.315Z - - type=https proxy.frontend=app/lb/50 client.address=10.0.0.1 client.port=51007 \
                 upstream.address=10.1.0.1:80 request_processing_time=0.000 upstream.response.duration=0.048 \
                 response_processing_time=0.000 http.response.status_code=200 upstream.status=200 http.request.body.size=34 \
                 http.response.body.size=366 http.request.method=GET url.full=https://a.example:443/x url.path=/x \
                 network.protocol.version=1.1 user_agent.original=curl tls.cipher=ECDHE tls.protocol.version=TLSv1.2",
            ),
            (
                "a.example 10.0.0.1 - 77ab - [21/Nov/2026:10:35:14 +0000] \"GET /x HTTP/2.0\" 404 9 \"-\" \"z\"",
                "nginx.access 2026-11-21T10:35:14Z - - server.address=a.example client.address=10.0.0.1 http.request.id=77ab \
                 http.request.method=GET url.path=/x network.protocol.version=2.0 http.response.status_code=404 \
                 http.response.body.size=9 user_agent.original=z",
            ),
            (
                "[21/Nov/2026:10:35:14 +0000] 10.0.0.1 TLSv1.3 TLS_AES_256_GCM_SHA384 \"GET /x HTTP/1.1\" 137",
                "apache.access 2026-11-21T10:35:14Z - - client.address=10.0.0.1 tls.protocol.version=TLSv1.3 \
                 tls.cipher=TLS_AES_256_GCM_SHA384 http.request.method=GET url.path=/x network.protocol.version=1.1 \
                 http.response.body.size=137",
            ),
            (
                "[21/Nov/2026:10:35:14 +0000] - 502 502 - GET https a.example \"/x?y\" [Client 10.0.0.1] [Length 154] [Gzip -] [Sent-to 10.1.1.1] \
                 \"z\" \"-\"",
                "nginx.access 2026-11-21T10:35:14Z - - upstream.status=502 http.response.status_code=502 http.request.method=GET \
                 scheme=https server.address=a.example url.path=/x url.query=y client.address=10.0.0.1 http.response.body.size=154 \
                 upstream.name=10.1.1.1 user_agent.original=z",
            ),
        ] {
            assert_eq!(first(line), want, "{line}");
        }
    }
}
