//! `cargo run`: the whole system on one port, or one part of it.
#![expect(clippy::print_stderr, reason = "a program for a terminal")]

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use local::gateway::Gateway;
use local::remote::Remote;
use local::system::System;
use local::template::Template;
use local::{announced, environment, output, seed, server};
use shared::telemetry;
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

mod cli;
mod welcome;

use cli::{Options, Part};

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
    let listener = listen(options.port()).await?;
    let url = listener.local_addr().map(|address| format!("http://{address}")).map_err(|error| error.to_string())?;
    let template = Template::read(&options.template, &options.overrides()).map_err(|error| error.to_string())?;
    match options.part() {
        Part::Whole => whole(options, template, listener, &url).await?,
        Part::Engine => engine(options, template, listener, &url).await?,
        Part::Gateway(lambda) => gateway(lambda, template, listener, &url).await?,
    }
    say("\nEnded.");
    Ok(())
}

async fn whole(options: &Options, template: Template, listener: TcpListener, url: &str) -> Result<(), String> {
    let system = start(options, template, options.data_dir.as_deref()).await?;
    let admin = system.admin_key().await.map_err(|error| error.to_string())?;
    // Before the greeting: whoever reads it may end this at once.
    let interrupted = interrupted().map_err(|error| error.to_string())?;
    print_announcements(&system);
    say(&welcome::whole(url, &admin, options.data_dir.as_deref()));
    server::serve(listener, Arc::clone(&system.gateway), log(), interrupted).await;
    system.engine.stop().await;
    Ok(())
}

async fn engine(options: &Options, template: Template, listener: TcpListener, url: &str) -> Result<(), String> {
    let file = &options.env_file;
    let environment = environment::text(&template, url)?;
    let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = folder.and_then(|()| std::fs::write(file, environment));
    written.map_err(|error| format!("{} can't be written: {error}", file.display()))?;
    let system = start(options, template, None).await?;
    seed::seed(&system).await.map_err(|error| error.to_string())?;
    let interrupted = interrupted().map_err(|error| error.to_string())?;
    print_announcements(&system);
    say(&welcome::engine(url, file));
    system.engine.serve(listener, interrupted).await;
    system.engine.stop().await;
    Ok(())
}

async fn gateway(lambda: &str, template: Template, listener: TcpListener, url: &str) -> Result<(), String> {
    let remote = Remote::new(lambda).map_err(|error| error.to_string())?;
    let interrupted = interrupted().map_err(|error| error.to_string())?;
    let mut interrupted = std::pin::pin!(interrupted);
    say(&format!(
        "Waiting for the functions at {lambda}. Each is built at its first event, which may take minutes;\nif one never answers, its own terminal says why."
    ));
    for block in &template.functions {
        let began = Instant::now();
        tokio::select! {
            woken = remote.wake(&block.binary) => woken.map_err(|error| error.to_string())?,
            () = &mut interrupted => return Ok(()),
        }
        say(&format!("  {} answers, after {:.1} s", block.binary, began.elapsed().as_secs_f32()));
    }
    let functions = remote.functions(&template);
    let gateway = Gateway::new(template, functions).map_err(|error| error.to_string())?;
    say(&welcome::gateway(url, lambda));
    server::serve(listener, Arc::new(gateway), log(), interrupted).await;
    Ok(())
}

async fn start(options: &Options, template: Template, data_dir: Option<&Path>) -> Result<System, String> {
    System::start(template, data_dir, output::host(options.log_level)).await.map_err(|error| error.to_string())
}

/// Prints what is announced from now on.
fn print_announcements(system: &System) {
    system.engine.listen(|published| say(&announced::lines(published)));
}

fn log() -> server::Log {
    Arc::new(|line: &server::LogLine| say(&line.to_string()))
}

/// Nobody may be listening any more, as after `| head`: that is no reason to stop serving.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

async fn listen(port: u16) -> Result<TcpListener, String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            format!("port {port} is taken: end what listens there, or choose another with `--port {}`", port.saturating_add(1))
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
