//! Answers that are lost on their way: whatever was ordered is done once.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::{
    api::Api,
    mbk::Mbk,
    raw_server::{RawServer, forward, response},
};

/// A way to the API on which the answer to the first change is lost: hung up, or replaced by somebody's 502.
fn losing(api: &Api, instead: Option<Vec<u8>>) -> RawServer {
    let (address, changes) = (api.address().to_owned(), AtomicUsize::new(0));
    RawServer::start(move |request| {
        let answer = forward(&address, request);
        let is_first = !request.starts_with("GET ") && changes.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { instead.clone() } else { Some(answer) }
    })
}

#[test]
fn an_order_whose_answer_is_lost_makes_one_key() {
    let api = Api::start();
    for (owner, instead) in [("user:hung-up", None), ("user:bad-gateway", Some(response("502 Bad Gateway", "", "<html>")))] {
        let way = losing(&api, instead);
        let mbk = Mbk::new(&way.url, &api.admin);
        let (issued, secret) = mbk.handed_out(&["issue", "--name", "once", "--owner", owner, "--env", "live", "--scope", "read"]);
        assert_eq!(api.use_key("/example", &secret), 200);
        let keys = mbk.json(&["list", "--owner", owner]);
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1, "{keys}");
        assert_eq!(keys["keys"][0]["id"], issued["id"]);
        let sent = way.requests.lock().unwrap();
        let names = sent.iter().filter(|request| request.starts_with("POST ")).map(|request| {
            request.lines().find(|line| line.starts_with("idempotency-key: ")).expect("an Idempotency-Key").to_owned()
        });
        let names: Vec<_> = names.collect();
        assert_eq!(names.len(), 2);
        assert_eq!(names[0], names[1]);
        assert!(sent.iter().all(|request| !request.lines().next().unwrap().contains("mbk_")), "no key in an address");
    }
}

#[test]
fn a_rotation_whose_answer_is_lost_adds_one_secret() {
    let api = Api::start();
    let (issued, first) = Mbk::new(&api.url, &api.admin)
        .handed_out(&["issue", "--name", "r", "--owner", "user:r", "--env", "live", "--scope", "read"]);
    let way = losing(&api, None);
    let mbk = Mbk::new(&way.url, &api.admin);
    let (rotated, second) = mbk.handed_out(&["rotate", issued["id"].as_str().unwrap(), "--grace", "1h"]);
    assert_eq!((api.use_key("/example", &first), api.use_key("/example", &second)), (200, 200));
    assert_eq!(rotated["generations"].as_array().unwrap().iter().filter(|generation| generation["live"] == true).count(), 2);
}

#[test]
fn a_change_of_a_version_says_that_it_may_be_its_own_first_try_that_is_in_the_way() {
    let api = Api::start();
    let order = ["issue", "--name", "before", "--owner", "user:v", "--env", "live", "--scope", "read"];
    let (issued, _) = Mbk::new(&api.url, &api.admin).handed_out(&order);
    let way = losing(&api, None);
    let mbk = Mbk::new(&way.url, &api.admin);
    let id = issued["id"].as_str().unwrap();
    let ran = mbk.run(&["update", id, "--name", "after", "--if-version", "1"]);
    assert!(ran.code == 1 && ran.err.contains("The answer to a first try was lost"), "{ran:?}");
    assert_eq!(mbk.json(&["show", id])["name"], "after");
}

#[test]
fn an_import_whose_answer_is_lost_is_still_an_import() {
    let api = Api::start();
    let way = losing(&api, None);
    let mbk = Mbk::new(&way.url, &api.admin);
    let line = json!({ "secret": "acme_9f3kQ7xL2mVb8RtYw4Zd", "name": "a", "owner": { "type": "user", "id": "i" },
        "environment": "live", "scopes": ["read"] });
    mbk.file("keys.jsonl", &line.to_string());
    assert_eq!(mbk.json(&["import", "keys.jsonl"])["imported"], 1);
}

#[test]
fn an_order_without_any_answer_says_how_to_repeat_it() {
    let nobody = RawServer::start(|_| None);
    let mbk = Mbk::new(&nobody.url, "k-0123456789");
    let order = ["issue", "--name", "x", "--owner", "user:x", "--env", "live", "--scope", "read"];
    let ran = mbk.run(&order);
    assert_eq!((ran.code, nobody.count()), (3, 3));
    let (_, name) = ran.err.split_once("--idempotency-key ").unwrap_or_else(|| panic!("{ran:?}"));
    let name = name.split(':').next().unwrap();
    let sent = nobody.requests.lock().unwrap();
    assert!(sent.iter().all(|request| request.contains(&format!("idempotency-key: {name}\r\n"))), "{name}");
}
