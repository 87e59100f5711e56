//! The engine on one port, for functions that run elsewhere: reached through the clients and the environment file that they
//! have in Lambda.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use authorizer::Authorizer;
use local::{environment, output, seed, system::System};
use rotate::Rotate;
use serde_json::json;
use shared::{announce::Announcer, aws::Aws, host::Host, lambda::Function};
use tests::{Clock, Lines, event, recorded};
use tokio::{net::TcpListener, sync::oneshot};

#[tokio::test]
async fn an_authorizer_with_the_environment_file_meets_the_seeded_keys() {
    let system = System::start(tests::stack::template(), None, output::host(tracing::Level::ERROR)).await.unwrap();
    let events = recorded::all(&seed::seed(&system).await.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let file = environment::text(&system.template, &url).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = system.engine.serve(listener, async {
        let _ = stopped.await;
    });
    let trying = async {
        let variables: BTreeMap<&str, &str> = file.lines().filter_map(|line| line.split_once('=')).collect();
        let lookup = |name: &str| match name {
            "AWS_LAMBDA_FUNCTION_NAME" => Some("authorizer".to_owned()),
            _ => variables.get(name).map(|value| (*value).to_owned()),
        };
        let aws = Aws::read(&lookup).unwrap();
        let config = authorizer::Config::read(&lookup).unwrap();
        let lines = Lines::default();
        // The keys were seeded by the real clock, and so is this one.
        let host = shared::host::Host { clock: shared::host::Host::system().clock, ..Clock::default().host(&lines) };
        let authorizer = Authorizer::new(config, aws.dynamodb(), aws.secrets(), host).unwrap();
        for event in events.iter().filter(|event| event.function() == "authorizer") {
            let answer = Box::pin(authorizer.call(event.event.clone())).await.map_err(|failure| failure.to_string());
            event.check(&answer).unwrap();
        }
        let first = lines.take().swap_remove(0);
        assert!(first.contains("\"engine_calls\":5"), "the peppers, their fingerprints, the alias, the key, the use: {first}");
        stop.send(()).unwrap();
    };
    tokio::join!(serving, trying);
    system.engine.stop().await;
}

#[tokio::test]
async fn a_rotation_with_the_environment_file_is_announced_through_the_same_port() {
    let system = System::start(tests::stack::template(), None, output::host(tracing::Level::ERROR)).await.unwrap();
    let order = json!({ "name": "n", "owner": { "type": "user", "id": "1" }, "environment": "live", "scopes": ["read"] });
    let key = tests::stack::issued(&system.invoke("issue", order).await.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let file = environment::text(&system.template, &format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let announced = Arc::<Mutex<Vec<String>>>::default();
    let heard = Arc::clone(&announced);
    system.engine.listen(move |published| heard.lock().unwrap().push(published.message("default").to_owned()));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = system.engine.serve(listener, async {
        let _ = stopped.await;
    });
    let rotating = async {
        let variables: BTreeMap<&str, &str> = file.lines().filter_map(|line| line.split_once('=')).collect();
        let lookup = |name: &str| match name {
            "AWS_LAMBDA_FUNCTION_NAME" => Some("rotate".to_owned()),
            _ => variables.get(name).map(|value| (*value).to_owned()),
        };
        let aws = Aws::read(&lookup).unwrap();
        let (config, lines) = (rotate::Config::read(&lookup).unwrap(), Lines::default());
        let host = Host { clock: Host::system().clock, ..Clock::default().host(&lines) };
        let announcer = Announcer::new(config.announce.clone(), aws.sns());
        let rotate = Rotate::new(config, aws.dynamodb(), aws.secrets(), announcer, host);
        let answer = rotate.call(event::management("POST", "/v1/keys/{id}/rotate", Some(&key.id), &[], "{}")).await.unwrap();
        assert_eq!(answer["statusCode"], 200, "{answer}");
        assert!(lines.only().get("unannounced").is_none());
        stop.send(()).unwrap();
    };
    tokio::join!(serving, rotating);
    let announced = announced.lock().unwrap().clone();
    assert!(announced.len() == 1 && announced[0].contains(&key.id), "{announced:?}");
    system.engine.stop().await;
}

#[test]
fn aws_clients_need_what_lambda_sets_and_say_what_is_missing() {
    for missing in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let error = Aws::read(&|name| (name != missing && !name.contains("ENDPOINT")).then(|| "x".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), format!("environment variable {missing} is not set"));
    }
}
