//! Programs that can be told by their layout or by their loggers' names.

use super::head::Head;

/// The product that wrote a line, if there is no doubt.
pub fn name(text: &str, head: &Head<'_>) -> Option<&'static str> {
    let logger = head.logger.unwrap_or("");
    if logger.starts_with("fail2ban.") {
        return Some("fail2ban");
    }
    if text.starts_with('[')
        && head.level.is_some()
        && head.pid.is_some()
        && head.logger.is_none()
        && head.thread.is_none()
        && gunicorn(text)
    {
        return Some("gunicorn");
    }
    if text.starts_with('[') && text.get(..40).is_some_and(|t| t.contains("][")) && elastic(logger) {
        return Some("elasticsearch.server");
    }
    // PgBouncer names the connection with `C-` or `S-`.
    if head.pid.is_some() && head.stamp_first && matches!(head.message.get(..4), Some("C-0x" | "S-0x")) {
        return Some("pgbouncer");
    }
    let process =
        |name: &str| name.starts_with("0.") && name.matches('.').count() == 2 && name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if head.stamp_first && head.level.is_some() && logger.is_empty() && head.thread.is_some_and(process) {
        return Some("rabbitmq");
    }
    if head
        .file
        .is_some_and(|f| f.ends_with(".cpp") && ["MySQL_", "PgSQL_", "ProxySQL_", "mysql_connection"].iter().any(|p| f.starts_with(p)))
    {
        return Some("proxysql");
    }
    if text.get(1..4) == Some(", [") && text.starts_with(['D', 'I', 'W', 'E', 'F', 'A', 'U']) {
        return Some("ruby");
    }
    let trailing = trailing_logger(head.message).unwrap_or("");
    for part in [logger, trailing] {
        for (prefix, name) in [
            ("kafka.", "kafka"),
            ("org.apache.kafka", "kafka"),
            ("org.apache.zookeeper", "zookeeper"),
            ("org.apache.hadoop.hdfs", "hdfs"),
            ("dfs.", "hdfs"),
            ("org.apache.hadoop", "hadoop"),
            ("org.apache.spark", "spark"),
            ("org.apache.flink", "flink"),
            ("org.apache.cassandra", "cassandra"),
            ("nova.", "openstack"),
            ("neutron.", "openstack"),
            ("keystone.", "openstack"),
            ("oslo_", "openstack"),
        ] {
            if part.starts_with(prefix) {
                return Some(name);
            }
        }
    }
    if !head.stamp_first && head.level.is_some() && head.thread.is_some() && head.file.is_some_and(|f| f.ends_with(".java")) {
        return Some("cassandra");
    }
    None
}

fn gunicorn(text: &str) -> bool {
    // `[2026-11-21 18:15:55 +0900] [2429] [INFO] text`.
    matches!(text.as_bytes().get(21), Some(b'+' | b'-')) && text.get(26..29) == Some("] [")
}

fn elastic(logger: &str) -> bool {
    logger.starts_with("o.e.")
        || logger.starts_with("o.o.")
        || logger.starts_with("org.elasticsearch")
        || logger.starts_with("index.search")
        || logger.starts_with("index.indexing")
}

/// The logger that Kafka's layout puts last: `text (kafka.server.KafkaServer)`.
pub fn trailing_logger(message: &str) -> Option<&str> {
    let line = crate::formats::cursor::first_line(message).trim_end();
    let inner = line.strip_suffix(')')?;
    let at = inner.rfind(" (")?;
    let name = inner.get(at + 2..)?;
    let usable = name.contains('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$' | b':'));
    usable.then_some(name)
}
