//! The command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser;

/// The whole API-key system on this machine: the API of template.yaml on one port, the real functions behind it, and
/// an embedded engine in place of DynamoDB, Secrets Manager and SNS. Needs no AWS account and reaches no other machine.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    /// Port on 127.0.0.1; 0 takes any that is free [default: 3000, or 8000 with --engine-only]
    #[arg(long)]
    port: Option<u16>,

    /// Serve only what stands in for AWS, DynamoDB, Secrets Manager and SNS, with keys that everybody knows, for functions that
    /// run under `cargo lambda watch`
    #[arg(long, conflicts_with_all = ["data_dir", "lambda_url"])]
    engine_only: bool,

    /// Where --engine-only writes the functions' environment, for `cargo lambda watch --env-file`
    #[arg(long, value_name = "FILE", default_value = "target/local.env", requires = "engine_only")]
    pub(crate) env_file: PathBuf,

    /// Serve only the API, in front of functions that run under `cargo lambda watch` at that address, as in
    /// http://127.0.0.1:9000
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    lambda_url: Option<String>,

    /// Serve the same functions as an HTTP API too, on the next port, as the http-api.yaml beside the template describes it
    #[arg(long, conflicts_with = "engine_only")]
    pub(crate) http_api: bool,

    /// Directory to keep keys and peppers in [default: none, everything ends with the process]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Template to serve
    #[arg(long, value_name = "FILE", default_value_os_t = template())]
    pub(crate) template: PathBuf,

    /// Template parameter, as in --parameter BcryptCost=4; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,

    /// Least severe level of the functions' own log lines, which go to standard error as JSON: error, warn, info (with
    /// the line of every invocation), debug
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub(crate) log_level: tracing::Level,
}

/// What to serve.
pub(crate) enum Part<'a> {
    /// Everything.
    Whole,
    /// What stands in for AWS.
    Engine,
    /// The API, in front of functions at that address.
    Gateway(&'a str),
}

impl Options {
    pub(crate) fn part(&self) -> Part<'_> {
        match &self.lambda_url {
            Some(url) => Part::Gateway(url),
            None if self.engine_only => Part::Engine,
            None => Part::Whole,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(if self.engine_only { 8000 } else { 3000 })
    }

    /// The port of the HTTP API, and its template; none if it isn't asked for.
    pub(crate) fn http_api(&self) -> Option<(u16, PathBuf)> {
        let port = if self.port() == 0 { 0 } else { self.port().saturating_add(1) };
        self.http_api.then(|| (port, self.template.with_file_name("http-api.yaml")))
    }

    pub(crate) fn overrides(&self) -> BTreeMap<String, String> {
        self.parameters.iter().cloned().collect()
    }
}

/// The template of the directory that this was started in, or else the one that it was built with.
fn template() -> PathBuf {
    let here = PathBuf::from("template.yaml");
    if here.exists() { here } else { PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")) }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("use NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
