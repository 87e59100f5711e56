//! On a terminal: tables, questions, and keys that aren't echoed.

use rexpect::{
    process::WaitStatus,
    session::{PtySession, spawn_command},
};

use crate::{api::Api, mbk::Mbk};

fn start(mbk: &Mbk, arguments: &[&str]) -> PtySession {
    let mut command = mbk.command(arguments);
    command.env("TERM", "xterm-256color");
    spawn_command(command, Some(30_000)).unwrap()
}

/// The rest of what it prints, and its exit code.
fn end(mut session: PtySession) -> (String, i32) {
    let rest = session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (rest, code),
        status => panic!("{status:?} after {rest}"),
    }
}

#[test]
fn a_terminal_gets_tables_and_questions() {
    let api = Api::start();
    let mbk = Mbk::new(&api.url, &api.admin);

    let issue = ["issue", "--name", "seen", "--owner", "user:t", "--env", "live", "--scope", "read"];
    let (printed, code) = end(start(&mbk, &issue));
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("issued key_") && printed.contains("It is shown only now"), "{printed}");
    assert_eq!(printed.matches("mbk_live_").count(), 1, "{printed}");
    let id = printed.split_once("issued ").unwrap().1.split_once(' ').unwrap().0.to_owned();

    let (table, _) = end(start(&mbk, &["list", "--owner", "user:t"]));
    assert!(table.contains("NAME") && table.contains("Z ("), "{table}");
    let (json, _) = end(start(&mbk, &["list", "--owner", "user:t", "--json"]));
    assert!(json.trim_start().starts_with('{'), "{json}");

    let mut no = start(&mbk, &["revoke", &id, "--reason", "x"]);
    no.exp_string("Revoke seen (").unwrap();
    no.exp_string("user:t, live, never used), for good?").unwrap();
    no.send("n").unwrap();
    no.flush().unwrap();
    let (said, code) = end(no);
    assert!(code == 1 && said.contains("Nothing was changed."), "{code} {said}");
    assert_eq!(mbk.json(&["show", &id])["status"], "active");

    let mut wrong = start(&mbk, &["revoke", "--owner", "user:t", "--reason", "x"]);
    wrong.exp_string("1 of 1 are not revoked yet").unwrap();
    wrong.send_line("yes").unwrap();
    assert_eq!(end(wrong).1, 1);

    let mut yes = start(&mbk, &["revoke", &id, "--reason", "x"]);
    yes.exp_string("for good?").unwrap();
    yes.send("y").unwrap();
    yes.flush().unwrap();
    assert_eq!(end(yes).1, 0);
    assert_eq!(mbk.json(&["show", &id])["status"], "revoked");
}

#[test]
fn a_key_that_is_typed_is_not_echoed() {
    let api = Api::start();
    let mbk = Mbk::without_environment();
    let mut session = start(&mbk, &["profile", "add", "local", "--url", &api.url]);
    session.exp_string("it isn't shown").unwrap();
    session.send_line(&api.admin).unwrap();
    let (said, code) = end(session);
    assert!(code == 0 && said.contains("local admin"), "{code} {said}");
    assert!(!said.contains(&api.admin[..20]), "{said}");
}
