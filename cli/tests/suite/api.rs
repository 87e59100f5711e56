//! The local system on a port of its own, until the test ends.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use local::{output, server, system::System, template::Template};
use tokio::sync::oneshot;

/// The API.
pub(crate) struct Api {
    pub(crate) url: String,
    pub(crate) admin: String,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Api {
    /// Starts it, with cheap hashes.
    pub(crate) fn start() -> Self {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let serving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"));
                let overrides = [("BcryptCost", "4"), ("ImportPrefixes", "acme_")];
                let overrides: BTreeMap<_, _> =
                    overrides.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
                let template = Template::read(path, &overrides).unwrap();
                let system = System::start(template, None, output::host(tracing::Level::WARN)).await.unwrap();
                let admin = system.admin_key().await.unwrap();
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let url = format!("http://{}", listener.local_addr().unwrap());
                ready.send((url, admin)).unwrap();
                let log = Arc::new(|_: &server::LogLine| {});
                server::serve(listener, Arc::clone(&system.gateway), log, async {
                    let _ = stopped.await;
                })
                .await;
                system.engine.stop().await;
            });
        });
        let (url, admin) = started.recv_timeout(Duration::from_secs(120)).expect("the local system starts");
        Self { url, admin, stop: Some(stop), serving: Some(serving) }
    }

    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Uses a key, and says how that was answered.
    pub(crate) fn use_key(&self, path: &str, key: &str) -> u16 {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status in {answer}"))
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}
