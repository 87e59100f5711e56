//! The ports of the process, and what ends it.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use local::gateway::{Gateway, HttpGateway};
use local::server;
use local::template::HttpApi;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::say;

/// Where the API is served: as the template's REST API, and as an HTTP API too if that was asked for.
pub(crate) struct Doors {
    pub(crate) listener: TcpListener,
    pub(crate) url: String,
    pub(crate) http_api: Option<(HttpApi, (TcpListener, String))>,
}

impl Doors {
    /// Serves until `stop` resolves; `open` puts the HTTP API in front of the functions.
    pub(crate) async fn serve(
        self,
        gateway: Arc<Gateway>,
        open: impl FnOnce(HttpApi) -> Result<HttpGateway, String>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), String> {
        let Some((api, (listener, _))) = self.http_api else {
            server::serve(self.listener, gateway, log(), stop).await;
            return Ok(());
        };
        let http_gateway = Arc::new(open(api)?);
        let (end, ended) = oneshot::channel();
        let stop = async {
            stop.await;
            // Whoever waits for it may have ended already.
            let _ = end.send(());
        };
        let stop_too = async {
            let _ = ended.await;
        };
        tokio::join!(server::serve(self.listener, gateway, log(), stop), server::serve(listener, http_gateway, log(), stop_too),);
        Ok(())
    }

    /// The address of the HTTP API, if there is one.
    pub(crate) fn http_url(&self) -> Option<&str> {
        self.http_api.as_ref().map(|(_, (_, url))| url.as_str())
    }
}

fn log() -> server::Log {
    Arc::new(|line: &server::LogLine| say(&line.to_string()))
}

/// Listens on a port of 127.0.0.1, 0 for any that is free; with the address that it is.
pub(crate) async fn listen(port: u16) -> Result<(TcpListener, String), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            format!("port {port} is taken: end what listens there, or choose another with `--port {}`", port.saturating_add(1))
        }
        _ => format!("{address} can't be listened on: {error}"),
    })?;
    let url = listener.local_addr().map(|address| format!("http://{address}")).map_err(|error| error.to_string())?;
    Ok((listener, url))
}

/// Resolves at Ctrl-C, or when another program asks this one to end.
#[cfg(unix)]
pub(crate) fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
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
pub(crate) fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
