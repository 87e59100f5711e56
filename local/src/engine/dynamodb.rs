//! The embedded DynamoDB, on a port of its own, as the SDK expects it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region, SharedHttpClient};
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::EngineError;
use crate::template::REGION;

/// How often expired items are removed. AWS takes up to days; nothing may rely on it.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How long running calls may take once the engine is stopped.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// A running engine.
pub(super) struct DynamoDb {
    address: SocketAddr,
    http_client: SharedHttpClient,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl DynamoDb {
    /// Opens the file, or memory, and serves it on a free port of 127.0.0.1.
    pub(super) async fn start(file: Option<&Path>) -> Result<Self, EngineError> {
        let opened = match file {
            Some(path) => Database::new(&path.to_string_lossy()),
            None => Database::memory(),
        };
        let database = opened.map_err(|e| EngineError::Database(e.to_string()))?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(EngineError::Port)?;
        let address = listener.local_addr().map_err(EngineError::Port)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            // A dropped sender is a stop as well: the engine ends with its owner.
            let serving = dynoxide::server::serve_with_shutdown(listener, database.clone(), async {
                let _ = stopped.await;
            });
            tokio::select! {
                result = serving => if let Err(error) = result {
                    tracing::error!(error, "the embedded DynamoDB ended");
                },
                () = sweep(database) => {}
            }
        });
        let http_client = aws_smithy_http_client::Builder::new().build_http();
        Ok(Self { address, http_client, stop: Some(stop), server: Some(server) })
    }

    /// A client configuration for this engine; the caller may add to it.
    pub(super) fn config(&self) -> Builder {
        aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::for_tests())
            .endpoint_url(format!("http://{}", self.address))
            .http_client(self.http_client.clone())
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops serving and waits until running calls have finished.
    pub(super) async fn stop(mut self) {
        if let (Some(stop), Some(mut server)) = (self.stop.take(), self.server.take()) {
            let _ = stop.send(());
            if tokio::time::timeout(LAST_CALLS, &mut server).await.is_err() {
                server.abort();
            }
        }
    }
}

/// Removes expired items for ever, as DynamoDB's TTL does.
async fn sweep(database: Database) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let database = database.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            tracing::warn!(%error, "expired items were not removed");
        }
    }
}
