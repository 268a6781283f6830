//! What people copy, read by the real reader.

use crate::reading::read_text;
use whyline_event::stamp::{Clock, rfc3339};
use whyline_event::{Key, Record, Severity, Value};

/// What a test asks of a record.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub format: String,
    pub time: Option<String>,
    pub inherited: bool,
    pub state: bool,
    pub text: String,
    pub severity: Option<Severity>,
    fields: Vec<(String, String)>,
}

impl Seen {
    fn of(record: &Record<'_>) -> Seen {
        let text = |v: &Value<'_>| v.to_string();
        Seen {
            format: record.format.to_string(),
            time: record.stamp.map(|s| rfc3339(Clock::default().instant(&s), 0)),
            inherited: record.inherited,
            state: record.is_state(),
            text: record.text.to_string(),
            severity: record.severity,
            fields: record.fields.iter().map(|f| (f.name.as_str().to_string(), text(&f.value))).collect(),
        }
    }

    pub fn get(&self, key: Key) -> &str {
        self.other(key.name())
    }

    pub fn other(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }
}

/// Reads a text as the file of a bundle.
pub(crate) fn seen(text: &str) -> Vec<Seen> {
    let mut list = Vec::new();
    read_text(text, Some("web01"), &crate::formats::all(), &mut |record| list.push(Seen::of(record)));
    // Every line is in a record or blank.
    let lines: usize = list.iter().map(|s| s.text.lines().filter(|l| !l.trim().is_empty()).count()).sum();
    assert_eq!(lines, text.lines().filter(|l| !l.trim().is_empty()).count(), "{list:#?}");
    list
}

fn rows(text: &str, format: &str) -> Vec<Seen> {
    seen(text).into_iter().filter(|s| s.format == format).collect()
}

const DATE: &str = "Fri Nov 20 21:04:11 UTC 2026\n";

#[test]
fn df() {
    let text = format!(
        "{DATE}[root@media1 ~]# df -h\nFilesystem      Size  Used Avail Use% Mounted on\nudev            3.9G     0  3.9G   0% /dev\n/dev/vda1        50G   50G     0 100% /srv/up loads\n/dev/loop3       64M   64M     0 100% /snap/core20/2\ntotal           104G   50G   54G  49% -\n\nFilesystem     Type   Inodes IUsed IFree IUse% Mounted on\n/dev/mapper/vg0-a-very-long-name\n               ext4  3276800 3276800 0  100% /\n"
    );
    let rows = rows(&text, "command.df");
    assert_eq!(rows.len(), 7, "{rows:#?}");
    assert_eq!((rows[2].get(Key::Mountpoint), rows[2].get(Key::FsUsed)), ("/srv/up loads", "1"));
    assert!(rows[2].state && rows[2].inherited);
    assert_eq!(rows[2].time.as_deref(), Some("2026-11-20T21:04:11Z"));
    assert_eq!(rows[2].get(Key::HostName), "media1");
    assert_eq!((rows[4].get(Key::FsUsed), rows[4].get(Key::Mountpoint)), ("0.49", ""));
    assert_eq!((rows[6].get(Key::InodesUsed), rows[6].get(Key::Mountpoint)), ("1", "/"));
    assert_eq!((rows[6].get(Key::Device), rows[6].get(Key::FsType)), ("/dev/mapper/vg0-a-very-long-name", "ext4"));
}

#[test]
fn sockets() {
    let ss = rows(
        "State    Recv-Q   Send-Q     Local Address:Port     Peer Address:Port   Process\nLISTEN   129      128              0.0.0.0:8080          0.0.0.0:*       users:((\"gunicorn\",pid=811,fd=6),(\"gunicorn\",pid=812,fd=6))\nLISTEN   0        511                 [::]:80               [::]:*\nESTAB    0        0            192.0.2.7:22         198.51.100.9:51122\n",
        "command.ss",
    );
    assert_eq!((ss[1].get(Key::ServerPort), ss[1].get(Key::ProcessName), ss[1].get(Key::ProcessPid)), ("8080", "gunicorn", "811"));
    assert!(ss[1].get(Key::BacklogUsed).starts_with("1.00"));
    assert_eq!((ss[2].get(Key::ServerAddress), ss[2].get(Key::ServerPort), ss[2].get(Key::SocketState)), ("::", "80", "listen"));
    assert_eq!((ss[3].get(Key::SocketState), ss[3].other("network.peer")), ("established", "198.51.100.9:51122"));
    let netstat = rows(
        "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name\ntcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      702/sshd: /usr/sbin\ntcp6       0      0 :::443                  :::*                    LISTEN      811/nginx: master\nudp        0      0 127.0.0.53:53           0.0.0.0:*                           502/systemd-resolve\n",
        "command.netstat",
    );
    assert_eq!(
        (netstat[3].get(Key::ServerPort), netstat[3].get(Key::ProcessName), netstat[3].get(Key::Transport)),
        ("443", "nginx", "tcp")
    );
    assert_eq!((netstat[4].get(Key::SocketState), netstat[4].get(Key::ServerPort)), ("unconnected", "53"));
    let both = rows(
        "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\nudp   UNCONN 0      0      127.0.0.53%lo:53        0.0.0.0:*    users:((\"systemd-resolve\",pid=5,fd=12))\ntcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:((\"sshd\",pid=7,fd=3))\n",
        "command.ss",
    );
    assert_eq!((both[1].get(Key::Transport), both[1].get(Key::ServerAddress)), ("udp", "127.0.0.53"));
}

#[test]
fn memory_and_load() {
    let free = rows(
        "               total        used        free      shared  buff/cache   available\nMem:           7.7Gi       7.4Gi       101Mi       1.0Mi       312Mi        96Mi\nSwap:             0B          0B          0B\n",
        "command.free",
    );
    assert!(free[1].get(Key::MemoryUsed).starts_with("0.98"), "{free:#?}");
    assert_eq!(free[2].get(Key::SwapUsed), "");
    let top = rows(
        "top - 21:04:07 up 3 days,  2:01,  2 users,  load average: 41.02, 18.22, 7.10\nTasks: 212 total,   9 running, 203 sleeping,   0 stopped,   0 zombie\n%Cpu(s): 97.2 us,  2.8 sy,  0.0 ni,  0.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st\nMiB Mem :   7812.4 total,    120.0 free,   7300.1 used,    392.3 buff/cache\nMiB Swap:   2048.0 total,      0.0 free,   2048.0 used.    211.9 avail Mem\n\n    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n   8112 shop      20   0 4812340   5.1g   9812 R 398.7  66.2 182:09.11 java\n",
        "command.top",
    );
    assert_eq!(top[0].get(Key::Load), "41.02");
    assert_eq!((top[2].get(Key::CpuIdle), top[2].get(Key::CpuIoWait)), ("0", "0"));
    assert_eq!(top[4].get(Key::SwapUsed), "1");
    assert_eq!((top[6].get(Key::ProcessName), top[6].other("process.cpu.utilization")), ("java", "3.987"));
    let ps = rows(
        "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\nroot           1  0.0  0.1 168140 11520 ?        Ss   Nov17   0:05 /sbin/init splash\nshop        8112 99.0 66.2 4812340 5304012 ?     Rl   20:01 182:09 java -Xmx6g -jar /srv/shop.jar\n",
        "command.ps",
    );
    assert_eq!((ps[1].get(Key::ProcessName), ps[1].get(Key::Command)), ("init", "/sbin/init splash"));
    assert_eq!((ps[2].get(Key::User), ps[2].get(Key::Command)), ("shop", "java -Xmx6g -jar /srv/shop.jar"));
    let vm = rows(
        "procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st\n 1  7      0 201344  10240 402112    0    0  9120   120  812 1402  3  2  5 90  0\n",
        "command.vmstat",
    );
    assert_eq!((vm[2].get(Key::CpuIoWait), vm[2].get(Key::CpuIdle)), ("0.9", "0.05"));
}

#[test]
fn units() {
    let text = "× ledger.service - Ledger API\n     Loaded: loaded (/etc/systemd/system/ledger.service; enabled; preset: enabled)\n     Active: failed (Result: exit-code) since Fri 2026-11-20 20:31:07 UTC; 33min ago\n    Process: 811 ExecStart=/srv/ledger/run (code=exited, status=1/FAILURE)\n   Main PID: 811 (code=exited, status=1/FAILURE)\n        CPU: 1.201s\n\nNov 20 20:31:07 app02 systemd[1]: ledger.service: Failed with result 'exit-code'.\n\n● nginx.service - A high performance web server\n     Active: active (running) since Tue 2026-11-17 08:00:01 UTC; 3 days ago\nTriggeredBy: ● nginx.socket\n";
    let all = seen(text);
    assert_eq!(all.len(), 3, "{all:#?}");
    assert_eq!((all[0].get(Key::Unit), all[0].get(Key::UnitState), all[0].get(Key::UnitResult)), ("ledger.service", "failed", "exit-code"));
    assert_eq!((all[0].time.as_deref(), all[0].state, all[0].inherited), (Some("2026-11-20T20:31:07Z"), false, false));
    assert_eq!(all[0].get(Key::ExitCode), "1");
    assert_eq!(all[1].format, "syslog.rfc3164");
    assert_eq!((all[2].get(Key::UnitState), all[2].get(Key::UnitSubState), all[2].state), ("active", "running", true));
    let failed = rows(
        "  UNIT           LOAD   ACTIVE SUB    DESCRIPTION\n● ledger.service loaded failed failed Ledger API\n\nLOAD   = Reflects whether the unit definition was properly loaded.\n1 loaded units listed.\n",
        "command.systemctl",
    );
    assert_eq!((failed.len(), failed[1].get(Key::Unit), failed[1].get(Key::UnitState)), (2, "ledger.service", "failed"));
}

#[test]
fn kubectl_tables() {
    let pods = rows(
        &format!(
            "{DATE}NAMESPACE   NAME            READY   STATUS             RESTARTS      AGE     IP            NODE     NOMINATED NODE   READINESS GATES\nshop        api-7d4f-x1     0/1     CrashLoopBackOff   7 (32s ago)   11m     10.1.0.7      node-3   <none>           <none>\nshop        web-5c6b-k2     1/1     Running            2 (5m ago)    3d20h   10.1.0.9      node-2   <none>           <none>\nshop        seed-x9         0/1     Completed          0             3d20h   <none>        node-2   <none>           <none>\n"
        ),
        "command.kubectl-pods",
    );
    assert_eq!(
        (pods[1].get(Key::PodName), pods[1].get(Key::PodStatus), pods[1].get(Key::Restarts)),
        ("api-7d4f-x1", "CrashLoopBackOff", "7")
    );
    assert_eq!((pods[1].get(Key::Namespace), pods[1].get(Key::NodeName), pods[1].state), ("shop", "node-3", true));
    assert_eq!((pods[2].time.as_deref(), pods[2].state), (Some("2026-11-20T20:59:11Z"), false));
    // What grep leaves of it.
    let bare = rows(
        "shop   api-7d4f-x1     0/1     CrashLoopBackOff   7 (32s ago)   11m     10.1.0.7      node-3   <none>\n",
        "command.kubectl-pods",
    );
    assert_eq!(
        (bare[0].get(Key::PodName), bare[0].get(Key::PodStatus), bare[0].get(Key::Namespace)),
        ("api-7d4f-x1", "CrashLoopBackOff", "shop")
    );
    let events = rows(
        &format!(
            "{DATE}LAST SEEN             TYPE      REASON      OBJECT            MESSAGE\n5m4s                  Normal    Scheduled   pod/api-7d4f-x1   Successfully assigned shop/api-7d4f-x1 to node-3\n17s (x28 over 6m1s)   Warning   BackOff     Pod/api-7d4f-x1   Back-off restarting failed container api\n2m                    Normal    NodeReady   node/node-3       Node node-3 status is now: NodeReady\n"
        ),
        "command.kubectl-events",
    );
    assert_eq!((events[1].time.as_deref(), events[1].get(Key::EventName)), (Some("2026-11-20T20:59:07Z"), "Scheduled"));
    assert_eq!(
        (events[2].time.as_deref(), events[2].severity, events[2].get(Key::PodName)),
        (Some("2026-11-20T20:58:10Z"), Some(Severity::Warn), "api-7d4f-x1")
    );
    assert_eq!((events[3].get(Key::NodeName), events[3].inherited, events[3].state), ("node-3", true, false));
    // Columns of one's own, with stamps.
    let own = rows(
        "TIME                   TYPE      REASON      KIND   NAME                         MESSAGE\n2026-11-20T20:58:10Z   Warning   Unhealthy   Pod    api-7d4f-x1.17a8c9e5b3d2f411   Liveness probe failed: HTTP probe failed with statuscode: 404\n2026-11-20T20:58:40Z   Normal    Killing     Pod    api-7d4f-x1                  Container api failed liveness probe, will be restarted\n",
        "command.kubectl-events",
    );
    assert_eq!((own[1].time.as_deref(), own[1].get(Key::PodName)), (Some("2026-11-20T20:58:10Z"), "api-7d4f-x1"));
    assert_eq!((own[2].time.as_deref(), own[2].get(Key::EventName)), (Some("2026-11-20T20:58:40Z"), "Killing"));
    let nodes = rows(
        "NAME     STATUS                     ROLES           AGE   VERSION\nnode-3   NotReady,SchedulingDisabled   <none>   41d   v1.31.2\n",
        "command.kubectl-nodes",
    );
    assert_eq!((nodes[1].get(Key::NodeName), nodes[1].get(Key::NodeConditionStatus)), ("node-3", "False"));
    let claims = rows(
        "NAME       STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE\ndata-db0   Pending                                      fast           12m\n",
        "command.kubectl",
    );
    assert_eq!((claims[1].other("k8s.object.status"), claims[1].other("k8s.object.name")), ("Pending", "data-db0"));
}

#[test]
fn kubectl_descriptions() {
    let text = format!(
        "{DATE}Name:             api-7d4f-x1\nNamespace:        shop\nNode:             node-3/192.0.2.13\nLabels:           app=api\n                  pod-template-hash=7d4f\nStatus:           Running\nContainers:\n  api:\n    Image:         registry.example/api:7.4\n    State:          Waiting\n      Reason:       CrashLoopBackOff\n    Last State:     Terminated\n      Reason:       OOMKilled\n      Exit Code:    137\n      Started:      Fri, 20 Nov 2026 20:30:02 +0000\n      Finished:     Fri, 20 Nov 2026 20:31:07 +0000\n    Ready:          False\n    Restart Count:  4\n    Limits:\n      memory:  256Mi\nConditions:\n  Type              Status\n  Ready             False\nEvents:\n  Type     Reason   Age                  From     Message\n  ----     ------   ----                 ----     -------\n  Warning  BackOff  30s (x9 over 4m11s)  kubelet  Back-off restarting failed container api in pod api-7d4f-x1_shop(4f1b)\n"
    );
    let all = rows(&text, "command.kubectl-describe");
    let of = |word: &str| all.iter().find(|s| s.text.trim_start().starts_with(word)).unwrap();
    let last = of("Last State:");
    assert_eq!((last.time.as_deref(), last.state, last.inherited), (Some("2026-11-20T20:31:07Z"), false, false));
    assert_eq!((last.get(Key::Terminated), last.get(Key::ExitCode)), ("OOMKilled", "137"));
    assert_eq!(
        (last.get(Key::PodName), last.get(Key::ContainerName), last.get(Key::NodeName), last.get(Key::Namespace)),
        ("api-7d4f-x1", "api", "node-3", "shop")
    );
    assert_eq!((of("State:").get(Key::PodStatus), of("State:").state), ("CrashLoopBackOff", true));
    assert_eq!(of("Ready:").get(Key::Restarts), "4");
    let event = of("Warning");
    assert_eq!(
        (event.time.as_deref(), event.get(Key::EventName), event.get(Key::PodName)),
        (Some("2026-11-20T21:00:00Z"), "BackOff", "api-7d4f-x1")
    );
    let node = rows(
        "Name:               node-3\nRoles:              worker\nConditions:\n  Type             Status  LastHeartbeatTime                 LastTransitionTime                Reason                       Message\n  ----             ------  -----------------                 ------------------                ------                       -------\n  DiskPressure     True    Fri, 20 Nov 2026 21:03:00 +0000   Fri, 20 Nov 2026 20:30:00 +0000   KubeletHasDiskPressure       kubelet has disk pressure\n  Ready            True    Fri, 20 Nov 2026 21:03:00 +0000   Mon, 02 Nov 2026 08:00:00 +0000   KubeletReady                 kubelet is posting ready status\n",
        "command.kubectl-describe",
    );
    let pressure = node.iter().find(|s| s.text.contains("DiskPressure ")).unwrap();
    assert_eq!(
        (pressure.time.as_deref(), pressure.get(Key::NodeConditionStatus), pressure.get(Key::NodeName)),
        (Some("2026-11-20T20:30:00Z"), "True", "node-3")
    );
    assert!(node.iter().find(|s| s.text.contains("Ready  ")).unwrap().state);
}

#[test]
fn containers_certificates_clocks() {
    let ps = rows(
        &format!(
            "{DATE}CONTAINER ID   IMAGE           COMMAND                  CREATED        STATUS                       PORTS                  NAMES\n0123456789ab   shop/api:7.4    \"/srv/api --port 80…\"   2 hours ago    Exited (137) 5 minutes ago                          shop-api-1\nabcdef012345   redis:7         \"docker-entrypoint.s…\"   3 weeks ago    Up 2 hours (unhealthy)       0.0.0.0:6379->6379/tcp shop-redis-1\n"
        ),
        "command.docker-ps",
    );
    assert_eq!((ps[1].get(Key::ContainerName), ps[1].get(Key::ContainerState), ps[1].get(Key::ExitCode)), ("shop-api-1", "exited", "137"));
    assert_eq!((ps[1].time.as_deref(), ps[1].state), (Some("2026-11-20T20:58:41Z"), false));
    assert_eq!((ps[2].get(Key::ContainerState), ps[2].state), ("unhealthy", true));
    let dates = rows(
        "notBefore=Aug 22 20:31:08 2026 GMT\nnotAfter=Nov 20 20:31:07 2026 GMT\nsubject=CN = pay.shop.example\n",
        "command.openssl-x509",
    );
    assert_eq!(
        (dates.len(), dates[0].get(Key::TlsNotAfter), dates[0].get(Key::TlsSubject)),
        (1, "2026-11-20T20:31:07Z", "CN = pay.shop.example")
    );
    let text = rows(
        "Certificate:\n    Data:\n        Version: 3 (0x2)\n        Issuer: C = CH, CN = Example CA\n        Validity\n            Not Before: Aug 22 20:31:08 2026 GMT\n            Not After : Nov 20 20:31:07 2026 GMT\n        Subject: CN = pay.shop.example\n",
        "command.openssl-x509",
    );
    assert_eq!((text[0].get(Key::TlsNotBefore), text[0].get(Key::TlsIssuer)), ("2026-08-22T20:31:08Z", "C = CH, CN = Example CA"));
    let client = rows(
        "CONNECTED(00000003)\ndepth=0 CN = pay.shop.example\nverify error:num=10:certificate has expired\n---\nCertificate chain\n 0 s:CN = pay.shop.example\n   i:CN = Example CA\n   v:NotBefore: Aug 22 20:31:08 2026 GMT; NotAfter: Nov 20 20:31:07 2026 GMT\n---\nServer certificate\nsubject=CN = pay.shop.example\n\nissuer=CN = Example CA\n\n---\nSSL handshake has read 3021 bytes and written 402 bytes\nVerification error: certificate has expired\n---\n    Verify return code: 10 (certificate has expired)\n---\n",
        "command.openssl-s_client",
    );
    assert!(client.iter().any(|s| s.get(Key::TlsNotAfter) == "2026-11-20T20:31:07Z"));
    assert!(
        client.iter().any(|s| s.text.contains("Verify return") && s.get(Key::TlsVerify) == "10" && s.severity == Some(Severity::Error))
    );
    let clock = rows(
        "               Local time: Fri 2026-11-20 22:04:11 CET\n           Universal time: Fri 2026-11-20 21:04:11 UTC\n                 RTC time: Fri 2026-11-20 21:04:11\nSystem clock synchronized: no\n              NTP service: inactive\n",
        "command.timedatectl",
    );
    assert_eq!((clock.len(), clock[0].get(Key::ClockSynced), clock[0].time.as_deref()), (1, "no", Some("2026-11-20T21:04:11Z")));
    let chrony = rows(
        "Reference ID    : 7F7F0101 ()\nStratum         : 10\nSystem time     : 12.500000000 seconds slow of NTP time\nLeap status     : Not synchronised\n",
        "command.chronyc",
    );
    assert_eq!((chrony[0].get(Key::ClockOffset), chrony[0].get(Key::ClockSynced)), ("12.5", "no"));
    let ntpq = rows(
        "     remote           refid      st t when poll reach   delay   offset  jitter\n==============================================================================\n*192.0.2.123     192.0.2.1        2 u   33   64  377    0.512 -4012.7   0.101\n",
        "command.ntpq",
    );
    assert_eq!(ntpq[2].get(Key::ClockOffset), "4.0127");
}

/// A log that somebody pasted right below is no part of the list.
#[test]
fn lists_end_where_a_log_begins() {
    let log = "Nov 20 21:04:11 web01 shop[42]: error: no more memory\n2026-11-20 21:04:12 ERROR shop: it broke\n";
    for list in [
        "Reference ID    : 7F7F0101 ()\nStratum         : 10\nLeap status     : Normal\n",
        "               Local time: Fri 2026-11-20 22:04:11 CET\n           Universal time: Fri 2026-11-20 21:04:11 UTC\nSystem clock synchronized: yes\n",
        "CONNECTED(00000003)\n---\nServer certificate\nVerification: OK\n---\nNew, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384\nDONE\n",
        "Name:             api-7d4f-x1\nNamespace:        shop\nStart Time:       Fri, 20 Nov 2026 20:30:02 +0000\nQoS Class:        Burstable\nNode-Selectors:   <none>\n",
    ] {
        let formats: Vec<String> = seen(&format!("{list}{log}")).into_iter().map(|s| s.format).collect();
        let outside = formats.iter().filter(|f| !f.starts_with("command.")).count();
        assert_eq!((outside, formats.len() > 2), (2, true), "{formats:?}");
    }
}

#[test]
fn ordinary_logs_hold_no_sections() {
    let text = "2026-11-20 21:04:11 INFO ready\nNAME of the game\n# df is a command\n2026-11-20 21:04:12 INFO State Recv\n";
    assert!(seen(text).iter().all(|s| !s.format.starts_with("command.")));
}

mod any {
    use super::seen;
    use proptest::prelude::*;

    /// Heads, rows and pieces of rows, to be put together at random.
    const LINES: &[&str] = &[
        "Filesystem      Size  Used Avail Use% Mounted on",
        "/dev/vda1        50G   50G     0 100% /srv/ü",
        "/dev/mapper/a-very-long-name",
        "               50G   50G     0 100% /",
        "State    Recv-Q   Send-Q     Local Address:Port     Peer Address:Port   Process",
        "LISTEN   129      128              0.0.0.0:8080          0.0.0.0:*       users:((\"é\",pid=811,fd=6))",
        "Active Internet connections (only servers)",
        "tcp6       0      0 :::443                  :::*                    LISTEN      811/nginx: master",
        "               total        used        free      shared  buff/cache   available",
        "Mem:           7.7Gi       7.4Gi       101Mi       1.0Mi       312Mi        96Mi",
        "procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----",
        " r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st",
        "top - 21:04:07 up 3 days,  2:01,  2 users,  load average: 41.02, 18.22, 7.10",
        "%Cpu(s): 97.2 us,  2.8 sy,  0.0 ni,  0.0 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st",
        "MiB Mem :   7812.4 total,    120.0 free,   7300.1 used,    392.3 buff/cache",
        "USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND",
        "shop        8112 99.0 66.2 4812340 5304012 ?     Rl   20:01 182:09 java -Xmx6g",
        "× ledger.service - Ledger API",
        "●",
        "● é",
        "     Active: failed (Result: exit-code) since Fri 2026-11-20 20:31:07 UTC; 33min ago",
        "   Main PID: 811 (code=exited, status=1/FAILURE)",
        "  UNIT           LOAD   ACTIVE SUB    DESCRIPTION",
        "● ledger.service loaded failed failed Ledger API",
        "NAME            READY   STATUS             RESTARTS      AGE     IP            NODE",
        "api-7d4f-x1     0/1     CrashLoopBackOff   7 (32s ago)   11m     10.1.0.7      node-3",
        "NAME            é",
        "LAST SEEN             TYPE      REASON      OBJECT            MESSAGE",
        "17s (x28 over 6m1s)   Warning   BackOff     Pod/api-7d4f-x1   Back-off restarting failed container api",
        "99999999999d          Warning   BackOff     Pod/é             x",
        "Name:             api-7d4f-x1",
        "Node:             node-3/192.0.2.13",
        "Containers:",
        "  api:",
        "    Last State:     Terminated",
        "      Reason:       OOMKilled",
        "      Finished:     Fri, 20 Nov 2026 20:31:07 +0000",
        "    Ready:          False",
        "Conditions:",
        "  Type             Status  LastHeartbeatTime                 LastTransitionTime                Reason",
        "Events:",
        "  Type     Reason   Age                  From     Message",
        "  Warning  BackOff  30s (x9 over 4m11s)  kubelet  ü",
        "CONTAINER ID   IMAGE           COMMAND                  CREATED        STATUS                       PORTS                  NAMES",
        "0123456789ab   shop/api:7.4    \"/srv/api --port 80…\"   2 hours ago    Exited (137) 5 minutes ago                          shop-api-1",
        "CONNECTED(00000003)",
        " 0 s:CN = pay.shop.example",
        "   v:NotBefore: Aug 22 20:31:08 2026 GMT; NotAfter: Nov 20 20:31:07 2026 GMT",
        "    Verify return code: 10 (certificate has expired)",
        "Certificate:",
        "            Not After : Nov 20 20:31:07 2026 GMT",
        "notAfter=Nov 20 20:31:07 2026 GMT",
        "               Local time: Fri 2026-11-20 22:04:11 CET",
        "Reference ID    : 7F7F0101 ()",
        "     remote           refid      st t when poll reach   delay   offset  jitter",
        "*192.0.2.123     192.0.2.1        2 u   33   64  377    0.512 -4012.7   0.101",
        "Fri Nov 20 21:04:11 UTC 2026",
        "[root@web01 ~]# df -h",
        "Nov 20 20:31:07 app02 systemd[1]: ledger.service: Failed with result 'exit-code'.",
        "2026-11-20 21:04:11 ERROR [main] a.B - it broke",
        "{",
        "  \"a\": 1",
        "}",
        "",
        "   ",
        "é",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Whatever stands below whatever head: nothing fails, and every line is in a record or blank.
        #[test]
        fn lines_in_any_order(parts in prop::collection::vec((0..LINES.len(), 0usize..120, any::<bool>()), 0..14)) {
            let text: String = parts
                .iter()
                .map(|(line, cut, whole)| {
                    let line = LINES[*line];
                    let end = if *whole { line.len() } else { line.char_indices().map(|(at, _)| at).nth(*cut).unwrap_or(line.len()) };
                    format!("{}\n", &line[..end])
                })
                .collect();
            seen(&text);
        }
    }
}

#[test]
fn every_head_of_a_table_may_open() {
    let commands = super::commands();
    let mut heads = 0;
    for entry in crate::catalogue::entries().iter().filter(|e| e.name.starts_with("command.")) {
        for sample in &entry.samples {
            for line in sample.head.iter().flat_map(|h| h.lines()).chain(sample.text.lines()) {
                let opens = commands.iter().filter_map(|c| c.opens(line, false)).any(|s| s.name() != super::SHELL);
                assert!(!opens || super::may_open(line), "{line}");
                heads += usize::from(opens);
            }
        }
    }
    assert!(heads >= 20, "{heads}");
}
