//! The service on a port of this machine, with the tables and peppers that its environment names.
#![expect(clippy::print_stdout, reason = "a program for a terminal")]

use std::{error::Error, net::SocketAddr};

use shared::{
    authenticator::{Authenticator, Config},
    aws::Aws,
    config::environment,
    host::Host,
    middleware::Middleware,
};
use tokio::{net::TcpListener, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let aws = Aws::read(&environment)?;
    let config = Config::read(&environment, "axum-example")?;
    let keys = Middleware::new(Authenticator::new(config, aws.dynamodb(), aws.secrets(), Host::system()));
    let routes = axum_example::routes(keys.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("http://{}   (Ctrl-C ends it)", listener.local_addr()?);
    axum::serve(listener, routes).with_graceful_shutdown(async { drop(signal::ctrl_c().await) }).await?;
    keys.close().await;
    Ok(())
}
