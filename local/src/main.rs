//! `cargo run`: the whole system on one port.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use local::server;
use local::system::System;
use local::template::Template;
use shared::telemetry;
use tokio::net::TcpListener;
use tracing_subscriber::util::SubscriberInitExt;

mod cli;
mod welcome;

use cli::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    telemetry::subscriber(options.log_level, std::io::stderr).init();
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
    println!("{}", welcome::text(&format!("http://{address}"), &admin, options.data_dir.as_deref()));
    let log = Arc::new(|line: &server::LogLine| println!("{line}"));
    server::serve(listener, Arc::clone(&system.gateway), log, interrupted()).await;
    system.engine.stop().await;
    println!("\nEnded.");
    Ok(())
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

async fn interrupted() {
    // Without a signal to wait for, the process ends when it is killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
