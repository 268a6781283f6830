//! The formats of envelopes, structured logs, applications and databases.

use super::{
    app, auditd, cef, columns, csv, databases, dmesg, dns, docker, dotnet, generic, golang, java, journal, json, jvm, logfmt, mail,
    mongodb, monolog, mysql, packages, php, postgres, redis, servers, supervisord, syslog, uvicorn, varnishlog, vendors, xml,
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
        Arc::new(dns::CoreDns),
        Arc::new(mail::Exim),
        Arc::new(monolog::Monolog),
        Arc::new(dotnet::DotNet),
        Arc::new(databases::SqlServer),
        Arc::new(databases::OracleListener),
        Arc::new(databases::OracleAlert),
        Arc::new(jvm::GcLog),
        Arc::new(jvm::HsErr),
        Arc::new(packages::Packages),
        Arc::new(packages::AptHistory),
        Arc::new(varnishlog::VarnishLog),
        Arc::new(xml::Xml),
        Arc::new(dmesg::Dmesg),
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
        Arc::new(csv::Csv::default()),
        Arc::new(golang::GoLog),
        Arc::new(app::App::default()),
        Arc::new(generic::Generic::default()),
    ]
}
