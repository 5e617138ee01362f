//! Log lines on stderr, as text or as JSON.

use std::io::IsTerminal;

use tracing::Level;

use crate::settings::{LogFormat, LogLevel, ServerSettings};

/// Installs the process's log output. Call once, before anything is logged.
pub fn init(settings: &ServerSettings) {
    let level = match settings.log_level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        // It would say them with eprintln!, which panics when nobody reads stderr any more.
        .log_internal_errors(false)
        .with_ansi(color);
    match settings.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
