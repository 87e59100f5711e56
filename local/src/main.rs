//! `cargo run`: the whole system on one port.
#![expect(clippy::print_stderr, reason = "a program for a terminal")]

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use local::server;
use local::system::System;
use local::template::Template;
use shared::telemetry;
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

mod cli;
mod welcome;

use cli::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    // The engine warns of each condition that doesn't hold, which is how the functions find things out.
    telemetry::subscriber(options.log_level, LevelFilter::ERROR, std::io::stderr).init();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), String> {
    // The port first: it is what most often stands in the way.
    let listener = listen(options.port).await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let template = Template::read(&options.template, &options.overrides()).map_err(|error| error.to_string())?;
    let system = System::start(template, options.data_dir.as_deref()).await.map_err(|error| error.to_string())?;
    let admin = system.admin_key().await.map_err(|error| error.to_string())?;
    // Before the greeting: whoever reads it may end this at once.
    let interrupted = interrupted().map_err(|error| error.to_string())?;
    say(&welcome::text(&format!("http://{address}"), &admin, options.data_dir.as_deref()));
    let log = Arc::new(|line: &server::LogLine| say(&line.to_string()));
    server::serve(listener, Arc::clone(&system.gateway), log, interrupted).await;
    system.engine.stop().await;
    say("\nEnded.");
    Ok(())
}

/// Nobody may be listening any more, as after `| head`: that is no reason to stop serving.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

async fn listen(port: u16) -> Result<TcpListener, String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            format!(
                "port {port} is taken: end what listens there, or choose another with `cargo run -- --port {}`",
                port.saturating_add(1)
            )
        }
        _ => format!("{address} can't be listened on: {error}"),
    })
}

/// Resolves at Ctrl-C, or when another program asks this one to end.
#[cfg(unix)]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves at Ctrl-C.
#[cfg(not(unix))]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
