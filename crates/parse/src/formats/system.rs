//! The formats of envelopes, structured logs, applications and databases.

use super::{
    app, auditd, cef, columns, dns, docker, generic, golang, java, journal, json, logfmt, mongodb, mysql, php, postgres, redis, servers,
    supervisord, syslog, uvicorn, vendors,
};
use crate::format::Format;
use std::sync::Arc;

/// These formats, the specific ones before the general ones, the one that takes anything last.
pub fn system() -> Vec<Arc<dyn Format>> {
    vec![
        Arc::new(docker::DockerJson),
        Arc::new(docker::Cri),
        Arc::new(docker::Prefixed),
        Arc::new(journal::JournalJson),
        Arc::new(journal::JournalExport),
        Arc::new(redis::Redis),
        Arc::new(uvicorn::Uvicorn),
        Arc::new(uvicorn::Uwsgi),
        Arc::new(postgres::PostgresCsv),
        Arc::new(postgres::Postgres),
        Arc::new(mysql::MysqlSlow),
        Arc::new(mysql::MysqlError),
        Arc::new(mysql::MysqlGeneral),
        Arc::new(mongodb::MongoText),
        Arc::new(supervisord::Supervisord),
        Arc::new(php::Php),
        Arc::new(java::Tomcat),
        Arc::new(java::JavaUtilLogging),
        Arc::new(golang::Glog),
        Arc::new(dns::Unbound),
        Arc::new(dns::Named),
        Arc::new(auditd::Auditd),
        Arc::new(servers::Servers),
        Arc::new(cef::Cef),
        Arc::new(vendors::Db2Diag),
        Arc::new(vendors::PanOs),
        Arc::new(vendors::Webmin),
        Arc::new(columns::Columns),
        Arc::new(syslog::Rfc5424),
        Arc::new(syslog::Rfc3164),
        Arc::new(json::Json),
        Arc::new(logfmt::Logfmt),
        Arc::new(golang::GoLog),
        Arc::new(app::App::default()),
        Arc::new(generic::Generic::default()),
    ]
}
