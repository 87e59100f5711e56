//! `cargo run`: the whole system on one port, or one part of it.
#![expect(clippy::print_stderr, reason = "a program for a terminal")]

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use local::gateway::{Gateway, HttpGateway};
use local::remote::Remote;
use local::system::System;
use local::template::{HttpApi, Template};
use local::{announced, environment, output, seed};
use shared::telemetry;
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

mod cli;
mod doors;
mod welcome;

use cli::{Options, Part};
use doors::{Doors, interrupted, listen};

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
    let (listener, url) = listen(options.port()).await?;
    let template = Template::read(&options.template, &options.overrides()).map_err(|error| error.to_string())?;
    let http_api = match options.http_api() {
        Some((port, file)) => {
            let api = HttpApi::read(&file, &options.overrides(), &template).map_err(|error| error.to_string())?;
            Some((api, listen(port).await?))
        }
        None => None,
    };
    match options.part() {
        Part::Whole => whole(options, template, Doors { listener, url, http_api }).await?,
        Part::Engine => engine(options, template, listener, &url).await?,
        Part::Gateway(lambda) => gateway(lambda, template, Doors { listener, url, http_api }).await?,
    }
    say("\nEnded.");
    Ok(())
}

async fn whole(options: &Options, template: Template, doors: Doors) -> Result<(), String> {
    let system = start(options, template, options.data_dir.as_deref()).await?;
    let admin = system.admin_key().await.map_err(|error| error.to_string())?;
    // Before the greeting: whoever reads it may end this at once.
    let interrupted = interrupted().map_err(|error| error.to_string())?;
    print_announcements(&system);
    say(&welcome::whole(&doors, &admin, options.data_dir.as_deref()));
    let http_api = |api| system.http_api(api).map_err(|error| error.to_string());
    doors.serve(Arc::clone(&system.gateway), http_api, interrupted).await?;
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

async fn gateway(lambda: &str, template: Template, doors: Doors) -> Result<(), String> {
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
    let template = Arc::new(template);
    let gateway = Gateway::new(Arc::clone(&template), functions.clone()).map_err(|error| error.to_string())?;
    say(&welcome::gateway(&doors, lambda));
    let http_api = |api| HttpGateway::new(api, template, functions).map_err(|error| error.to_string());
    doors.serve(Arc::new(gateway), http_api, interrupted).await
}

async fn start(options: &Options, template: Template, data_dir: Option<&Path>) -> Result<System, String> {
    System::start(template, data_dir, output::host(options.log_level)).await.map_err(|error| error.to_string())
}

/// Prints what is announced from now on.
fn print_announcements(system: &System) {
    system.engine.listen(|published| say(&announced::lines(published)));
}

/// Nobody may be listening any more, as after `| head`: that is no reason to stop serving.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
