//! Importing a file: line by line, again and again.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::{
    api::Api,
    mbk::Mbk,
    raw_server::{RawServer, response},
};

const SECRETS: [&str; 4] =
    ["acme_9f3kQ7xL2mVb8RtYw4Zd", "acme_0f3kQ7xL2mVb8RtYw4Ze", "acme_1f3kQ7xL2mVb8RtYw4Zf", "nobody_9f3kQ7xL2mVb8RtYw4Zg"];

#[test]
fn a_file_is_imported_line_by_line_and_can_be_again() {
    let api = Api::start();
    let mbk = Mbk::new(&api.url, &api.admin);
    for secret in SECRETS {
        mbk.knows(secret);
    }
    let [first, second, third, foreign] = SECRETS;
    mbk.file(
        "keys.csv",
        &format!("secret,name,owner,scopes\n{first},one,user:bob,read\n{foreign},two,user:bob,read\n{second},,,\n"),
    );
    let import = ["import", "keys.csv", "--env", "live"];
    let ran = mbk.run(&import);
    assert_eq!(ran.code, 1, "{ran:?}");
    let report = ran.json();
    assert_eq!((&report["imported"], &report["present"], &report["failed"]), (&json!(1), &json!(0), &json!(2)));
    let [one, two, three] = [0, 1, 2].map(|line: usize| report["lines"][line].clone());
    assert_eq!((&one["line"], &one["status"]), (&json!(2), &json!("imported")));
    assert!(two["line"] == 3 && two["detail"].as_str().unwrap().starts_with("secret: "), "{two}");
    assert!(three["line"] == 4 && three["code"] == "invalid_field", "{three}");
    assert_eq!(api.use_key("/example", first), 200);

    // Corrected, and run again: what is a key already stays as it is.
    mbk.file("keys.csv", &format!("secret,name,owner,scopes\n{first},one,user:bob,read\n{second},two,user:bob,read\n"));
    let ran = mbk.run(&import);
    let again = ran.json();
    assert_eq!((ran.code, &again["imported"], &again["present"]), (0, &json!(1), &json!(1)), "{again}");
    assert_eq!(again["lines"][0]["key"], one["key"]);
    assert_eq!(mbk.json(&["list", "--owner", "user:bob"])["keys"].as_array().unwrap().len(), 2);

    // JSON lines on standard input, with what they leave out.
    let line = json!({ "secret": third, "name": "three" }).to_string();
    let arguments = ["import", "-", "--format", "jsonl", "--env", "live", "--owner", "service:ci", "--scope", "read", "--table"];
    let ran = mbk.run_with(&arguments, &line);
    assert!(ran.code == 0 && ran.out.contains("imported  1"), "{ran:?}");
    mbk.assert_silent();
}

#[test]
fn what_every_line_would_meet_ends_it_at_once() {
    let mbk = Mbk::new("http://127.0.0.1:9", "k-0123456789");
    mbk.file("keys.jsonl", &format!("{{\"secret\": \"{}\"}}\n", SECRETS[0]).repeat(3));
    let ran = mbk.run(&["import", "keys.jsonl"]);
    assert!(ran.code == 3 && ran.err.contains("keys.jsonl"), "{ran:?}");
    assert_eq!(mbk.run(&["import", "keys.txt"]).code, 2);
}

#[cfg(unix)]
#[test]
fn an_interruption_says_what_is_done() {
    // The first line is answered, and the second never.
    let server = RawServer::start(|request| {
        if !request.contains("first") {
            std::thread::sleep(std::time::Duration::from_secs(20));
        }
        Some(response("201 Created", "", r#"{"id": "key_0123456789abcdefghijkl"}"#))
    });
    let mbk = Mbk::new(&server.url, "k-0123456789");
    let lines = ["first", "second"].map(|name| json!({ "secret": SECRETS[0], "name": name }).to_string());
    mbk.file("keys.jsonl", &lines.join("\n"));
    let mut command = mbk.command(&["import", "keys.jsonl", "--parallel", "1"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    crate::journey::wait_for(|| (server.count() == 2).then_some(()));
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((ended.status.code(), &report["imported"]), (Some(130), &json!(1)), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("Run it again with keys.jsonl"), "{ended:?}");
}
