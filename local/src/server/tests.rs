//! The server over real sockets, with a client that writes HTTP by hand.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};

use super::*;
use crate::Invoke;
use crate::gateway::Gateway;
use crate::template::Template;

/// A server whose open route answers with what it got, once `release` lets it.
struct Served {
    address: std::net::SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

async fn served(release: Arc<Notify>) -> Served {
    let template = Template::parse(include_str!("../template/fixture.yaml"), &BTreeMap::new()).unwrap();
    let echo: Invoke = Arc::new(move |event| {
        let release = release.clone();
        Box::pin(async move {
            release.notified().await;
            let ip = event["requestContext"]["identity"]["sourceIp"].clone();
            Ok(json!({"statusCode": 200, "body": json!({"ip": ip, "query": event["queryStringParameters"]}).to_string()}))
        })
    });
    let guard: Invoke = Arc::new(|_| Box::pin(async { Err("Unauthorized".to_owned()) }));
    let functions = BTreeMap::from([("echo".to_owned(), echo), ("guard".to_owned(), guard)]);
    let gateway = Arc::new(Gateway::new(template, functions).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log: Log = {
        let lines = lines.clone();
        Arc::new(move |line| lines.lock().unwrap().push(line.to_string()))
    };
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, gateway, log, async {
        let _ = stopped.await;
    }));
    Served { address, lines, stop, task }
}

async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

const OPEN: &str = "GET /open?api_key=secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_request_is_answered_and_logged_without_its_query() {
    let release = Arc::new(Notify::new());
    release.notify_one();
    let served = served(release).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let answer = exchange(&mut stream, OPEN).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(r#""ip":"127.0.0.1""#), "{answer}");
    assert!(answer.contains("x-amzn-requestid: "));
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let denied = "GET /things/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(exchange(&mut stream, denied).await.starts_with("HTTP/1.1 401"));
    served.stop.send(()).unwrap();
    served.task.await.unwrap();
    let lines = served.lines.lock().unwrap();
    assert!(lines[0].starts_with("200 GET /open open · echo · "), "{lines:?}");
    assert!(lines[1].starts_with("401 GET /things/a UNAUTHORIZED · "), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("secret")));
}

#[tokio::test]
async fn stopping_finishes_what_is_running_and_accepts_nothing_new() {
    let release = Arc::new(Notify::new());
    let served = served(release.clone()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(OPEN.as_bytes()).await.unwrap();
    // An idle connection must not hold the end back.
    let _idle = TcpStream::connect(served.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    served.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(served.address).await.is_err());
    release.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    tokio::time::timeout(Duration::from_secs(2), served.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_without_being_read_to_its_end() {
    let served = served(Arc::new(Notify::new())).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = format!("POST /open HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", BODY_LIMIT * 100);
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = vec![b'a'; BODY_LIMIT + 1];
    stream.write_all(&chunk).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 413");
    served.stop.send(()).unwrap();
}
