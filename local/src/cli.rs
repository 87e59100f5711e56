//! The command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Parser;

/// The whole API-key system on this machine: the API of template.yaml on one port, the real functions behind it, and
/// an embedded engine in place of DynamoDB and Secrets Manager. Needs no AWS account and reaches no other machine.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 3000)]
    pub(crate) port: u16,

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
    /// one audit line for every attempt), debug
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub(crate) log_level: tracing::Level,
}

impl Options {
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
