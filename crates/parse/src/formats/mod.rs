//! The formats, one file each (or one folder for a family).
//!
//! To add one: write a file with a type that implements [`Format`], and add it to [`all`]. The order matters only between
//! formats that accept the same text with the same fit.

pub mod access;
pub mod apache_error;
pub mod app;
pub mod auditd;
pub mod cef;
pub mod columns;
pub mod csv;
pub mod cursor;
pub mod daemons;
pub mod databases;
pub mod dmesg;
pub mod dns;
pub mod docker;
mod docker_events;
pub mod dotnet;
pub mod exception;
pub mod fill;
pub mod generic;
pub mod golang;
pub mod haproxy;
pub mod java;
pub mod journal;
pub mod journalctl;
pub mod json;
pub mod jvm;
pub mod keys;
pub mod logfmt;
pub mod loki;
pub mod mail;
pub mod message;
pub mod mongodb;
pub mod monolog;
pub mod mysql;
pub mod nginx_error;
pub mod packages;
pub mod php;
pub mod postgres;
pub mod redis;
pub mod servers;
pub mod snapshot;
pub mod supervisord;
pub mod syslog;
pub mod system;
pub mod told;
pub mod unstamped;
pub mod uvicorn;
pub mod varnishlog;
pub mod vendors;
pub mod web;
pub mod windows;
pub mod xml;

#[cfg(test)]
mod whatever;

use crate::format::Format;
use std::sync::Arc;

/// Every built-in format, the specific ones before the general ones.
pub fn all() -> Vec<Arc<dyn Format>> {
    web::web().into_iter().chain(system::system()).chain(snapshot::commands()).collect()
}

/// Formats that a configuration file defines (`log_format` of nginx, `LogFormat` of Apache).
pub fn in_configuration(text: &str) -> Vec<Arc<dyn Format>> {
    access::conf::formats_in(text)
}
