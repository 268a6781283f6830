//! Logs for measuring: the four logs of one small site on one clock, made from a seed. The same size gives the same bytes everywhere.
//!
//! The site is a proxy in front of two application servers. Five requests a second arrive; in the middle tenth of the time one of the
//! servers is gone (the kernel killed it for want of memory, and systemd started it again), so that there is something to find.

mod random;

use jiff::Timestamp;
use jiff::tz::Offset;
use random::Random;
use std::fmt::Write;

/// Logs as they are written side by side.
pub struct Site {
    /// nginx, in the combined format with timings, upstream and request id behind it.
    pub access: String,
    /// nginx's error log.
    pub error: String,
    /// One JSON object a line, of the application.
    pub app: String,
    /// RFC 3164 as rsyslog writes it to files, of both machines.
    pub syslog: String,
}

/// 2026-11-21 08:00:00 UTC.
const BEGIN: i64 = 1_795_248_000;
/// Milliseconds between two requests.
const STEP: u64 = 200;
/// Bytes that a request leaves in all logs together, nearly.
const BYTES_A_REQUEST: usize = 510;
/// The server that is gone for a while, and the one that stays.
const SERVERS: [&str; 2] = ["192.0.2.11:8080", "192.0.2.12:8080"];

const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "curl/8.11.0",
    "ExampleMonitor/2.4 (+https://status.example.com/)",
];
const PATHS: [&str; 8] = ["/", "/items", "/items/", "/search?q=", "/cart", "/api/orders/", "/api/stock/", "/static/app.js"];
const WORK: [&str; 5] =
    ["order stored", "stock was reserved", "cache miss, asking the database", "session renewed", "mail queued for customer"];
const DAEMONS: [(&str, &str); 5] = [
    ("sshd[2210]", "Connection closed by 203.0.113.9 port 50122 [preauth]"),
    ("CRON[3301]", "(root) CMD (/usr/local/bin/backup-check --quiet)"),
    ("systemd[1]", "Started Rotate log files."),
    ("chronyd[611]", "Selected source 198.51.100.4"),
    ("kernel", "[81233.120441] eth0: link is up, 10000 Mbps, full duplex"),
];

/// One request, as all logs tell of it.
struct Request {
    /// Milliseconds since the first one.
    at: u64,
    client: u64,
    path: String,
    /// The server that answered or should have.
    server: usize,
    /// Its answer; 502 where nobody answered.
    status: u16,
    /// Milliseconds until the answer.
    took: u64,
    id: u64,
}

impl Site {
    /// Logs of so many bytes together, nearly.
    pub fn new(bytes: usize) -> Site {
        let requests = (bytes / BYTES_A_REQUEST).max(1) as u64;
        let gone = requests * 45 / 100..requests * 55 / 100;
        let mut random = Random::new(7);
        let room = |share: usize| String::with_capacity(bytes / 100 * share + 4096);
        let mut site = Site { access: room(66), error: room(6), app: room(25), syslog: room(8) };
        for n in 0..requests {
            if n == gone.start {
                site.server_dies(n * STEP);
            }
            if n == gone.end {
                site.syslog(n * STEP, "app01", "systemd[1]", "Started shop.service - Shop.");
            }
            let request = request(n, gone.contains(&n), &mut random);
            site.log(&request, &mut random);
        }
        site
    }

    /// All logs: a name for each, the path at which it lies in a folder, its text.
    pub fn logs(&self) -> [(&'static str, &'static str, &str); 4] {
        [
            ("access", "web01/nginx/access.log", &self.access),
            ("app-json", "app01/shop/app.json", &self.app),
            ("syslog", "syslog", &self.syslog),
            ("nginx-error", "web01/nginx/error.log", &self.error),
        ]
    }

    fn server_dies(&mut self, at: u64) {
        self.syslog(
            at,
            "app01",
            "kernel",
            "[81544.201133] Out of memory: Killed process 811 (shop) total-vm:8123456kB, anon-rss:7654321kB, file-rss:0kB, shmem-rss:0kB, UID:998 pgtables:15500kB oom_score_adj:0",
        );
        self.syslog(at, "app01", "systemd[1]", "shop.service: Main process exited, code=killed, status=9/KILL");
        self.syslog(at, "app01", "systemd[1]", "shop.service: Failed with result 'oom-kill'.");
    }

    fn log(&mut self, request: &Request, random: &mut Random) {
        self.access(request, random);
        if request.status == 502 {
            self.refused(request);
        } else if random.below(2) == 0 {
            self.app(request, random);
        }
        if random.below(12) == 0 {
            let (program, message) = DAEMONS[random.below(DAEMONS.len() as u64) as usize];
            let host = ["web01", "app01"][random.below(2) as usize];
            self.syslog(request.at, host, program, message);
        }
        if random.below(90) == 0 {
            self.missing(request);
        }
    }

    fn access(&mut self, r: &Request, random: &mut Random) {
        let ended = time(r.at + r.took, "%d/%b/%Y:%H:%M:%S +0000");
        let (size, agent) = (random.below(40_000) + 180, AGENTS[random.below(AGENTS.len() as u64) as usize]);
        let seconds = format!("{}.{:03}", r.took / 1000, r.took % 1000);
        let (client, path, status, server, id) = (r.client, &r.path, r.status, SERVERS[r.server], r.id);
        // Writing into memory cannot fail, here and below.
        let _ = writeln!(
            self.access,
            r#"203.0.113.{client} - - [{ended}] "GET {path} HTTP/1.1" {status} {size} "https://shop.example.com/items" "{agent}" rt={seconds} uaddr="{server}" ustatus="{status}" urt="{seconds}" rid={id:016x}"#
        );
    }

    fn refused(&mut self, r: &Request) {
        let when = time(r.at, "%Y/%m/%d %H:%M:%S");
        let (client, path, server) = (r.client, &r.path, SERVERS[r.server]);
        let _ = writeln!(
            self.error,
            r#"{when} [error] 812#812: *{} connect() failed (111: Connection refused) while connecting to upstream, client: 203.0.113.{client}, server: shop.example.com, request: "GET {path} HTTP/1.1", upstream: "http://{server}{path}", host: "shop.example.com""#,
            r.at / STEP
        );
    }

    fn missing(&mut self, r: &Request) {
        let when = time(r.at, "%Y/%m/%d %H:%M:%S");
        let _ = writeln!(
            self.error,
            r#"{when} [error] 812#812: *{} open() "/srv/shop/static/old.css" failed (2: No such file or directory), client: 203.0.113.{}, server: shop.example.com, request: "GET /static/old.css HTTP/1.1", host: "shop.example.com""#,
            r.at / STEP,
            r.client
        );
    }

    fn app(&mut self, r: &Request, random: &mut Random) {
        let when = time(r.at + r.took, "%Y-%m-%dT%H:%M:%S");
        let (level, message) = match random.below(400) {
            0 => ("warn", "pool of connections is nearly used up"),
            _ => ("info", WORK[random.below(WORK.len() as u64) as usize]),
        };
        let _ = writeln!(
            self.app,
            r#"{{"ts":"{when}.{:03}Z","level":"{level}","logger":"shop.orders","msg":"{message}","request_id":"{:016x}","duration_ms":{},"user":{{"id":{}}},"thread":"worker-{}"}}"#,
            (r.at + r.took) % 1000,
            r.id,
            r.took,
            random.below(9000),
            random.below(16)
        );
    }

    fn syslog(&mut self, at: u64, host: &str, program: &str, message: &str) {
        let when = time(at, "%b %e %H:%M:%S");
        let _ = writeln!(self.syslog, "{when} {host} {program}: {message}");
    }
}

fn request(n: u64, gone: bool, random: &mut Random) -> Request {
    let server = random.below(2) as usize;
    let refused = gone && server == 0;
    let path = PATHS[random.below(PATHS.len() as u64) as usize];
    // Some paths go on with a number.
    let path = if path.ends_with(['/', '=']) && path.len() > 1 { format!("{path}{}", random.below(500)) } else { path.to_string() };
    let status = match random.below(200) {
        _ if refused => 502,
        0..8 => 404,
        8..14 => 302,
        _ => 200,
    };
    let took = if refused { 1 } else { 4 + random.below(60) + random.below(20) * random.below(20) };
    Request { at: n * STEP, client: random.below(200) + 1, path, server, status, took, id: random.next() }
}

fn time(millis: u64, form: &str) -> String {
    let second = Timestamp::from_second(BEGIN + (millis / 1000) as i64).unwrap_or_default();
    Offset::UTC.to_datetime(second).strftime(form).to_string()
}
