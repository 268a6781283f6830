//! HAProxy: traffic logs (`option httplog`, `httpslog`, `tcplog`) and the notices about servers, health checks and the process.
//!
//! HAProxy mostly writes through syslog; the envelope hands its message here.

mod notice;
mod traffic;

use crate::format::{Cx, Fit, Format};
use whyline_event::Record;

/// HAProxy's own log formats. Records of requests get the format `haproxy.http`, those of connections `haproxy.tcp`.
#[derive(Clone, Copy, Debug)]
pub struct HaProxy;

impl Format for HaProxy {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn read<'a>(&self, cx: &Cx<'a>, text: &'a str, record: &mut Record<'a>) -> Option<Fit> {
        let line = text.trim_end();
        traffic::read(cx, text, line, record).or_else(|| notice::read(text, line, record))
    }
}

#[cfg(test)]
mod tests {
    use super::super::access::testing::{fields, fit};
    use super::*;

    #[test]
    fn traffic() {
        for (line, want) in [
            (
                "198.51.100.7:40112 [21/Nov/2026:12:04:51.733] www~ be_quay/q3 0/12/1/5/18 200 224 - - ---- 11/10/9/8/0 1/2 {shop.example|} {|} \
                 \"GET /api/x?y=1 HTTP/1.1\"",
                "haproxy.http 2026-11-21T12:04:51.733Z - - time.is_start=true client.address=198.51.100.7 client.port=40112 \
                 proxy.frontend=www upstream.name=be_quay upstream.server=q3 haproxy.request.duration=0 proxy.queue.duration=0.012 \
                 upstream.connect.duration=0.001 upstream.header.duration=0.005 http.server.request.duration=0.018 \
                 http.response.status_code=200 http.response.body.size=224 proxy.termination_state=---- proxy.connections.active=11 \
                 haproxy.connections.frontend=10 haproxy.connections.backend=9 haproxy.connections.server=8 proxy.retries=0 \
                 proxy.queue.length=3 haproxy.captured.request=shop.example| haproxy.captured.response=| http.request.method=GET \
                 url.path=/api/x url.query=y=1 network.protocol.version=1.1",
            ),
            (
                "2001:db8::1f:40113 [21/Nov/2026:12:04:51.733] www be/<NOSRV> 0/-1/-1/-1/+3 503 +217 - - SC-- 1/1/0/0/+3 0/0 \"<BADREQ>\"",
                "haproxy.http 2026-11-21T12:04:51.733Z - - time.is_start=true client.address=2001:db8::1f client.port=40113 \
                 proxy.frontend=www upstream.name=be upstream.server=<NOSRV> haproxy.request.duration=0 http.server.request.duration=0.003 \
                 http.response.status_code=503 http.response.body.size=217 proxy.termination_state=SC-- proxy.connections.active=1 \
                 haproxy.connections.frontend=1 haproxy.connections.backend=0 haproxy.connections.server=0 proxy.retries=3 \
                 proxy.queue.length=0 url.full=<BADREQ>",
            ),
            (
                "10.0.0.9:40022 [21/Nov/2026:12:04:51.733] pg pg_rw/db1 1/0/5007 212 -- 1/1/1/1/0 0/0",
                "haproxy.tcp 2026-11-21T12:04:51.733Z - - time.is_start=true client.address=10.0.0.9 client.port=40022 \
                 proxy.frontend=pg upstream.name=pg_rw upstream.server=db1 proxy.queue.duration=0.001 upstream.connect.duration=0 \
                 http.server.request.duration=5.007 http.response.body.size=212 proxy.termination_state=-- proxy.connections.active=1 \
                 haproxy.connections.frontend=1 haproxy.connections.backend=1 haproxy.connections.server=1 proxy.retries=0 \
                 proxy.queue.length=0",
            ),
            (
                "10.0.0.9:40022 [21/Nov/2026:12:04:51.733] www~ be/s1 0/0/0/1/1 200 9 - - ---- 1/1/0/0/0 0/0 \"GET / HTTP/2.0\" \
                 0/0000/0/0/0 shop.example/TLSv1.3/TLS_AES_256_GCM_SHA384",
                "haproxy.http 2026-11-21T12:04:51.733Z - - time.is_start=true client.address=10.0.0.9 client.port=40022 \
                 proxy.frontend=www upstream.name=be upstream.server=s1 haproxy.request.duration=0 proxy.queue.duration=0 \
                 upstream.connect.duration=0 upstream.header.duration=0.001 http.server.request.duration=0.001 \
                 http.response.status_code=200 http.response.body.size=9 proxy.termination_state=---- proxy.connections.active=1 \
                 haproxy.connections.frontend=1 haproxy.connections.backend=0 haproxy.connections.server=0 proxy.retries=0 \
                 proxy.queue.length=0 http.request.method=GET url.path=/ network.protocol.version=2.0 tls.server.name=shop.example \
                 tls.protocol.version=TLSv1.3 tls.cipher=TLS_AES_256_GCM_SHA384",
            ),
            (
                "10.0.0.9:40022 [21/Nov/2026:12:04:51.733] www/1: SSL handshake failure",
                "haproxy.tcp 2026-11-21T12:04:51.733Z - [SSL handshake failure] time.is_start=true client.address=10.0.0.9 \
                 client.port=40022 proxy.frontend=www exception.message=SSL handshake failure",
            ),
        ] {
            assert_eq!(fields(&HaProxy, line), want, "{line}");
        }
    }

    #[test]
    fn notices() {
        for (line, want) in [
            (
                "Server be/s1 is DOWN, reason: Layer4 connection problem, info: \"Connection refused\", check duration: 0ms. 1 active and 0 \
                 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
                "haproxy - - - upstream.name=be upstream.server=s1 event.action=DOWN haproxy.check.reason=Layer4 connection problem \
                 haproxy.check.info=Connection refused haproxy.check.duration=0 haproxy.servers.active=1",
            ),
            (
                "[WARNING] 290/081507 (911) : Server be/s1 is UP, reason: Layer7 check passed, code: 200, check duration: 3ms. 2 active and \
                 0 backup servers online. 0 sessions requeued, 0 total in queue.",
                "haproxy 1970-01-01T08:15:07Z WARN [Server be/s1 is UP, reason: Layer7 check passed, code: 200, check duration: 3ms. 2 active \
                 and 0 backup servers online. 0 sessions requeued, 0 total in queue.] log.level.original=WARNING process.pid=911 \
                 upstream.name=be upstream.server=s1 event.action=UP haproxy.check.reason=Layer7 check passed haproxy.check.code=200 \
                 haproxy.check.duration=0.003 haproxy.servers.active=2",
            ),
            (
                "[ALERT]    (12) : backend 'be_quay' has no server available!",
                "haproxy - FATAL [backend 'be_quay' has no server available!] log.level.original=ALERT process.pid=12 \
                 upstream.name=be_quay event.action=DOWN",
            ),
            (
                "Health check for server be/s2 failed, reason: Layer7 wrong status, code: 503, info: \"Service Unavailable\", check duration: \
                 2ms, status: 1/3 UP.",
                "haproxy - - - upstream.name=be upstream.server=s2 event.action=failed haproxy.check.reason=Layer7 wrong status \
                 haproxy.check.code=503 haproxy.check.info=Service Unavailable haproxy.check.duration=0.002 haproxy.check.state=UP",
            ),
            (
                "Server be/s1 is going DOWN for maintenance (No IP for server). 1 active and 0 backup servers left.",
                "haproxy - - - upstream.name=be upstream.server=s1 event.action=DOWN haproxy.check.reason=maintenance (No IP for server) \
                 haproxy.servers.active=1",
            ),
            (
                "Server be/s1 ('s1.internal') is UP/READY (resolves again).",
                "haproxy - - - upstream.name=be upstream.server=s1 event.action=UP haproxy.check.reason=resolves again",
            ),
            (
                "be/s1 changed its IP from (none) to 10.1.0.4 by internal/ns1.",
                "haproxy - - - upstream.name=be upstream.server=s1 event.action=changed upstream.address=10.1.0.4",
            ),
            ("Proxy www started.", "haproxy - - - event.action=started haproxy.proxy=www"),
            (
                "Connect from 10.0.0.1:52011 to 10.0.0.2:5000 (main/HTTP)",
                "haproxy - - - client.address=10.0.0.1 client.port=52011 server.address=10.0.0.2 server.port=5000 proxy.frontend=main",
            ),
        ] {
            assert_eq!(fields(&HaProxy, line), want, "{line}");
        }
        for no in
            ["", "Server started", "[INFO] hello", "[WARNING] (x) : y", "Proxy ", "a [21/Nov/2026:12:04:51.733] b c/d e", "Server a/b is"]
        {
            assert_eq!(fit(&HaProxy, no), None, "{no}");
        }
    }
}
