//! Servers that answer what this API doesn't: they are told of in a sentence, and get nothing more than they had.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use crate::{
    mbk::Mbk,
    raw_server::{RawServer, response},
};

const KEY: &str = "mbk_live_0123456789abcdefghijklmnopqrstuv";

fn ask(server: &RawServer, arguments: &[&str]) -> crate::mbk::Ran {
    let mbk = Mbk::new(&server.url, KEY);
    let ran = mbk.run(arguments);
    mbk.assert_silent();
    ran
}

#[test]
fn what_isnt_an_answer_of_this_api_is_told_as_that() {
    for (status, headers, body, said) in [
        ("200 OK", "", "<html>welcome</html>", "something that isn't JSON"),
        ("200 OK", "Content-Encoding: gzip\r\n", "\u{1}\u{2}", "something that isn't JSON"),
        ("200 OK", "", "{}", "no list of keys"),
        ("500 Internal Server Error", "", "<html>oops</html>", "answers 500 with something"),
        ("500 Internal Server Error", "", r#"{"detail": "A fault of ours.", "code": "internal"}"#, "(internal, 500)"),
        ("404 Not Found", "", "nginx", "answers 404 with something"),
    ] {
        let server = RawServer::saying(status, headers, body);
        let ran = ask(&server, &["list"]);
        assert!(ran.code == 3 && ran.err.contains(said) && ran.out.is_empty(), "{status} {body}: {ran:?}");
        assert!(ran.err.contains("what to do: "), "{ran:?}");
    }
}

#[test]
fn no_key_follows_a_redirect() {
    let elsewhere = RawServer::saying("200 OK", "", r#"{"keys": [], "next_cursor": null}"#);
    let server = RawServer::saying("307 Temporary Redirect", &format!("Location: {}/v1/keys\r\n", elsewhere.url), "");
    let ran = ask(&server, &["list"]);
    assert!(ran.code == 3 && ran.err.contains(&elsewhere.url) && ran.err.contains("was not sent there"), "{ran:?}");
    assert_eq!(elsewhere.count(), 0);
}

#[test]
fn no_key_is_sent_where_it_could_be_read() {
    let mbk = Mbk::new("http://192.0.2.1", KEY);
    let ran = mbk.run(&["list"]);
    assert!(ran.code == 2 && ran.err.contains("must begin with https://"), "{ran:?}");
    // Nor through a proxy, even to this machine.
    let (proxy, server) = (RawServer::start(|_| None), RawServer::saying("200 OK", "", r#"{"keys": [], "next_cursor": null}"#));
    let mbk = Mbk::new(&server.url, KEY);
    let ran = mbk.command(&["list"]).env("HTTP_PROXY", &proxy.url).env("http_proxy", &proxy.url).output().unwrap();
    assert_eq!((ran.status.code(), proxy.count(), server.count()), (Some(0), 0, 1));
}

#[test]
fn no_key_is_sent_to_whoever_cannot_prove_who_they_are() {
    let server = RawServer::saying("200 OK", "", r#"{"keys": [], "next_cursor": null}"#);
    let mbk = Mbk::new(&server.url.replace("http:", "https:"), KEY);
    let ran = mbk.run(&["list"]);
    assert!(ran.code == 3 && ran.err.contains("can't be reached"), "{ran:?}");
    assert!(server.requests.lock().unwrap().iter().all(|request| !request.contains(KEY)));
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let server = RawServer::start(|_| {
        std::thread::sleep(Duration::from_secs(20));
        None
    });
    let began = Instant::now();
    let ran = ask(&server, &["list", "--timeout", "1"]);
    assert!(ran.code == 3 && ran.err.contains("has not answered within 1 s"), "{ran:?}");
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_server_that_never_stops_is_stopped() {
    let body = "x".repeat(9 << 20);
    let server = RawServer::start(move |_| Some(response("200 OK", "", &body)));
    let ran = ask(&server, &["list"]);
    assert!(ran.code == 3 && ran.err.contains("more than any answer"), "{ran:?}");
    let endless = RawServer::saying("200 OK", "", r#"{"keys": [], "next_cursor": "again"}"#);
    let ran = ask(&endless, &["list"]);
    assert!(ran.code == 3 && ran.err.contains("no end"), "{ran:?}");
}

#[test]
fn nothing_of_an_answer_is_obeyed_by_a_terminal_or_repeats_a_secret() {
    let problem = format!(r#"{{"detail": "no \u001b]0;title\u0007 for {KEY}", "code": "\u001b[31mred", "field": "a\nb"}}"#);
    let server = RawServer::saying("400 Bad Request", "", &problem);
    let ran = ask(&server, &["list"]);
    assert_eq!(ran.code, 1);
    assert!(!ran.err.contains('\u{1b}') && !ran.err.contains('\u{7}') && ran.err.contains("no \u{fffd}]0;title"), "{ran:?}");

    let list = format!(
        r#"{{"keys": [{{"id": "key_1", "name": "\u001b[2J\u202e\u009b{KEY}", "owner": {{"type": "user", "id": "a"}}}}], "next_cursor": null}}"#
    );
    let server = RawServer::saying("200 OK", "", &list);
    for form in ["--table", "--json"] {
        let ran = ask(&server, &["list", form]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!ran.out.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{form}: {ran:?}");
    }
    let csv = RawServer::saying("200 OK", "", "key,\u{1b}[2Jname\r\n");
    let ran = ask(&csv, &["usage", "--owner", "user:a", "--csv"]);
    assert!(ran.code == 0 && !ran.out.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn whoever_wants_no_more_output_is_not_told_of_an_error() {
    let mbk = Mbk::without_environment();
    let mut child = mbk.command(&["man"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = child.wait_with_output().unwrap();
    assert!(ran.status.code() == Some(2) && ran.stderr.is_empty(), "{ran:?}");
}
