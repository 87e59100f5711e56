//! Following the audit: each entry once, in order, until somebody has seen enough.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use serde_json::Value;

use crate::{api::Api, mbk::Mbk};

/// A follower, and the lines that it prints.
struct Follower {
    child: Child,
    lines: Receiver<Value>,
}

impl Follower {
    fn start(mbk: &Mbk, arguments: &[&str]) -> Self {
        let mut child = mbk.command(arguments).stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> Value {
        self.lines.recv_timeout(Duration::from_secs(20)).expect("another entry within twenty seconds")
    }

    /// Nothing more comes in two looks.
    fn assert_quiet(&self) {
        let more = self.lines.recv_timeout(Duration::from_millis(2500));
        assert!(more.is_err(), "{more:?}");
    }

    /// Presses Ctrl-C, and gives the exit code.
    fn end(mut self) -> Option<i32> {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

#[test]
fn attempts_and_changes_are_followed_each_once() {
    let api = Api::start();
    let mbk = Mbk::new(&api.url, &api.admin);
    let order = ["issue", "--name", "f", "--owner", "user:f", "--env", "live", "--scope", "read"];
    let (issued, secret) = mbk.handed_out(&order);
    let id = issued["id"].as_str().unwrap();
    api.use_key("/example/before", &secret);

    let attempts = Follower::start(&mbk, &["audit", id, "--follow", "--interval", "1s"]);
    let changes = Follower::start(&mbk, &["audit", "--follow", "--interval", "1s", "--limit", "1"]);
    assert_eq!(attempts.next()["path"], "/example/before");
    assert_eq!(changes.next()["key"], id);
    for round in 0..3 {
        api.use_key(&format!("/example/{round}"), &secret);
        assert_eq!(attempts.next()["path"], format!("/example/{round}"));
        mbk.json(&["update", id, "--name", &format!("name {round}")]);
        let change = changes.next();
        assert_eq!((&change["detail"]["after"]["name"], &change["outcome"]), (&format!("name {round}").into(), &"done".into()));
    }
    attempts.assert_quiet();
    changes.assert_quiet();
    assert_eq!((attempts.end(), changes.end()), (Some(130), Some(130)));
}
