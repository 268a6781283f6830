//! The names by which access logs call their columns: nginx variables, JSON keys, LTSV labels, usual abbreviations.

use super::meaning::{Meaning, Unit};
use whyline_event::Key;

/// What a column of this name means; `None` for a name without a usual meaning. Case, a leading `$` or `@` and the difference
/// between `_`, `-` and `.` do not matter.
pub fn lookup(name: &str) -> Option<Meaning> {
    let mut low = [0u8; 40];
    let mut len = 0;
    for byte in name.bytes().skip_while(|b| matches!(b, b'$' | b'@' | b':')) {
        let place = low.get_mut(len)?;
        *place = match byte {
            b'-' | b'.' => b'_',
            other => other.to_ascii_lowercase(),
        };
        len += 1;
    }
    let name = std::str::from_utf8(low.get(..len)?).ok()?;
    who(name).or_else(|| what(name)).or_else(|| answer(name)).or_else(|| times(name)).or_else(|| upstream(name))
}

/// Client, server, user.
fn who(name: &str) -> Option<Meaning> {
    Some(match name {
        "remote_addr"
        | "remote_ip"
        | "remoteaddr"
        | "remoteip"
        | "client"
        | "client_ip"
        | "clientip"
        | "client_addr"
        | "clientaddr"
        | "client_address"
        | "realip"
        | "real_ip"
        | "ip"
        | "remote_host"
        | "remotehost"
        | "realip_remote_addr"
        | "src"
        | "src_ip"
        | "source_ip"
        | "source_address"
        | "clienthost"
        | "request_remote_ip"
        | "request_client_ip"
        | "downstream_remote_address"
        | "remote"
        | "network_client_ip"
        | "req_remoteaddress"
        | "req_ip"
        | "request_remote_addr"
        | "remote_address" => Meaning::Client,
        "remote_port" | "client_port" | "clientport" | "request_remote_port" | "src_port" => Meaning::Ints(Key::ClientPort),
        "http_x_forwarded_for"
        | "x_forwarded_for"
        | "xff"
        | "forwardedfor"
        | "forwarded_for"
        | "proxy_add_x_forwarded_for"
        | "http_forwarded"
        | "request_x_forwarded_for"
        | "request_headers_x_forwarded_for" => Meaning::Forwarded,
        "clientsrcport" => Meaning::Ints(Key::ClientPort),
        "remote_user" | "user" | "remoteuser" | "user_id" | "clientusername" | "auth_user" | "username" => Meaning::Text(Key::User),
        "http_host"
        | "host"
        | "vhost"
        | "server_name"
        | "server"
        | "authority"
        | "domain"
        | "request_host"
        | "requesthost"
        | "http_hostname"
        | "clientrequesthost"
        | "hostheader"
        | "virtual_host"
        | "site"
        | "request_server_name" => Meaning::Server,
        "server_port" | "requestport" => Meaning::Ints(Key::ServerPort),
        "host_name" | "hostname" => Meaning::Text(Key::HostName),
        "pid" => Meaning::Ints(Key::ProcessPid),
        "connection" => Meaning::Text(Key::Connection),
        _ => return None,
    })
}

/// The request.
fn what(name: &str) -> Option<Meaning> {
    Some(match name {
        "request" | "req" | "request_line" | "http_request" | "r" => Meaning::Request,
        "request_uri"
        | "uri"
        | "requestpath"
        | "request_path"
        | "url"
        | "request_url"
        | "path"
        | "target"
        | "http_path"
        | "url_path"
        | "http_request_uri"
        | "http_url"
        | "x_envoy_origin_path"
        | "x_envoy_original_path"
        | "requesturi"
        | "http_target"
        | "clientrequesturi" => Meaning::Target,
        "args" | "query_string" | "query" | "url_query" | "http_query" => Meaning::Query,
        "request_method" | "method" | "requestmethod" | "verb" | "http_method" | "http_request_method" | "clientrequestmethod" => {
            Meaning::Text(Key::Method)
        }
        "server_protocol"
        | "protocol"
        | "requestprotocol"
        | "request_protocol"
        | "http_version"
        | "request_proto"
        | "proto"
        | "http_protocol"
        | "clientrequestprotocol" => Meaning::Protocol,
        "http_user_agent"
        | "user_agent"
        | "agent"
        | "ua"
        | "useragent"
        | "request_user_agent"
        | "request_headers_user_agent"
        | "user_agent_original"
        | "clientrequestuseragent"
        | "http_useragent" => Meaning::Text(Key::UserAgent),
        "http_referer"
        | "http_referrer"
        | "referer"
        | "referrer"
        | "request_referer"
        | "clientrequestreferer"
        | "request_headers_referer"
        | "http_request_referrer" => Meaning::Text(Key::Referer),
        "request_id"
        | "req_id"
        | "rid"
        | "reqid"
        | "x_request_id"
        | "http_x_request_id"
        | "requestid"
        | "request_headers_x_request_id"
        | "uuid"
        | "unique_id"
        | "unique_id_e"
        | "http_request_id"
        | "trace_no"
        | "rayid" => Meaning::Text(Key::RequestId),
        "trace_id" | "traceid" | "opentelemetry_trace_id" | "otel_trace_id" => Meaning::Text(Key::TraceId),
        "span_id" | "spanid" | "opentelemetry_span_id" => Meaning::Text(Key::SpanId),
        "request_length" | "request_size" | "bytes_received" | "bytes_read" | "requestcontentsize" | "request_bytes" | "reqsize"
        | "content_length" => Meaning::Ints(Key::RequestBytes),
        "ssl_protocol" | "tls_version" | "tls_protocol" | "ssl_version" | "tlsversion" => Meaning::Text(Key::TlsVersion),
        "ssl_cipher" | "tls_cipher" | "tlscipher" => Meaning::Text(Key::Cipher),
        "ssl_server_name" | "requested_server_name" | "sni" | "request_tls_server_name" => Meaning::Text(Key::Tls),
        _ => return None,
    })
}

/// The answer.
fn answer(name: &str) -> Option<Meaning> {
    Some(match name {
        "status"
        | "status_code"
        | "statuscode"
        | "response_code"
        | "response_status"
        | "http_status"
        | "code"
        | "downstreamstatus"
        | "http_status_code"
        | "http_response_status_code"
        | "resp_status"
        | "http_response_code"
        | "sc_status"
        | "edgeresponsestatus" => Meaning::Status,
        "body_bytes_sent"
        | "bytes_sent"
        | "size"
        | "bytes"
        | "sent_bytes"
        | "response_size"
        | "body_bytes"
        | "resp_size"
        | "downstreamcontentsize"
        | "response_length"
        | "resp_bytes"
        | "body_sent"
        | "http_response_body_size"
        | "length"
        | "edgeresponsebytes" => Meaning::Ints(Key::ResponseBytes),
        "upstream_cache_status"
        | "cache_status"
        | "cache"
        | "cachecachestatus"
        | "proxy_cache_status"
        | "x_cache"
        | "sent_http_x_cache" => Meaning::Text(Key::CacheStatus),
        "termination_state" | "termination" => Meaning::Text(Key::Termination),
        "frontend_name" | "frontend" | "entrypointname" => Meaning::Text(Key::Frontend),
        _ => return None,
    })
}

/// Times and durations.
fn times(name: &str) -> Option<Meaning> {
    let took = |unit| Meaning::Took(Key::Duration, unit);
    Some(match name {
        "time" | "time_local" | "time_iso8601" | "timestamp" | "ts" | "msec" | "date" | "datetime" | "time_stamp" | "start_time"
        | "starttime" | "startutc" | "startlocal" | "t" | "event_time" | "accept_date" | "@timestamp" | "access_time" | "date_time"
        | "local_time" | "request_timestamp" | "edgeendtimestamp" => Meaning::Time,
        "request_time" | "requesttime" | "reqtime" | "req_time" | "taken_sec" | "request_duration_s" | "duration_s" | "runtime" => {
            took(Unit::Seconds)
        }
        "rt" | "duration" | "response_time" | "responsetime" | "took" | "latency" | "elapsed" | "elapsed_time" | "processing_time"
        | "request_duration" | "total_time" | "taken" | "resp_time" | "event_duration" => took(Unit::Guess),
        "ms" | "duration_ms" | "request_time_ms" | "response_time_ms" | "latency_ms" | "time_ms" | "took_ms" | "elapsed_ms"
        | "request_time_msec" | "time_taken" | "timetaken" | "ta" | "tt" | "time_total" | "duration_msec" => took(Unit::Millis),
        "d" | "us" | "duration_us" | "reqtime_microsec" | "request_time_us" | "time_us" | "usec" | "latency_us" | "duration_usec" => {
            took(Unit::Micros)
        }
        "duration_ns" | "latency_ns" => took(Unit::Nanos),
        _ => return None,
    })
}

/// Upstreams.
fn upstream(name: &str) -> Option<Meaning> {
    let took = |key| Meaning::Took(key, Unit::Seconds);
    Some(match name {
        "upstream_addr" | "upstream" | "upstream_address" | "upstream_host" | "uaddr" | "up_addr" | "backend_addr" | "serviceurl"
        | "serviceaddr" | "originip" | "upstreamaddr" | "up" | "proxy_host_addr" => Meaning::Upstreams,
        "upstream_status"
        | "ups_status"
        | "up_status"
        | "originstatus"
        | "originresponsestatus"
        | "ustatus"
        | "upstream_response_status" => Meaning::Ints(Key::UpstreamStatus),
        "upstream_response_time"
        | "upstream_time"
        | "urt"
        | "apptime"
        | "app_time"
        | "up_resp"
        | "upstream_resp_time"
        | "upstream_duration"
        | "up_time"
        | "upstream_rt"
        | "backend_time" => took(Key::UpstreamDuration),
        "upstream_header_time" | "uht" | "up_head" | "upstream_first_byte_time" => took(Key::UpstreamHeader),
        "upstream_connect_time" | "uct" | "up_conn" | "connect_time" => took(Key::UpstreamConnect),
        "upstream_queue_time" | "queue_time" => took(Key::QueueDuration),
        "x_envoy_upstream_service_time" => Meaning::Took(Key::UpstreamDuration, Unit::Millis),
        "originresponsedurationms" => Meaning::Took(Key::UpstreamDuration, Unit::Millis),
        "originduration" => Meaning::Took(Key::UpstreamDuration, Unit::Nanos),
        "proxy_upstream_name" | "upstream_name" | "backend_name" | "upstream_cluster" | "servicename" | "backend" | "backendname" => {
            Meaning::Text(Key::UpstreamName)
        }
        "retries" | "retryattempts" => Meaning::Ints(Key::Retries),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter() {
        for name in ["remote_addr", "$remote_addr", "Remote-Addr", "remote.addr"] {
            assert_eq!(lookup(name), Some(Meaning::Client), "{name}");
        }
        assert_eq!(lookup("@timestamp"), Some(Meaning::Time));
        assert_eq!(lookup("OriginDuration"), Some(Meaning::Took(Key::UpstreamDuration, Unit::Nanos)));
        assert_eq!(lookup("colour"), None);
        assert_eq!(lookup(&"x".repeat(100)), None);
    }
}
