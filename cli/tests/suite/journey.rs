//! A key from its order to its end, with every command, and what each says and returns.

use serde_json::json;

use crate::{api::Api, mbk::Mbk};

#[test]
fn a_key_from_its_order_to_its_end() {
    let api = Api::start();
    let mbk = Mbk::new(&api.url, &api.admin);

    // Issue.
    let (issued, secret) = mbk.handed_out(&[
        "issue",
        "--name",
        "reports",
        "--owner",
        "user:ann",
        "--env",
        "live",
        "--scope",
        "read",
        "--scope",
        "POST /example/{id}",
        "--limit",
        "100/minute",
        "--limit",
        "10000/month",
        "--ip",
        "127.0.0.0/8",
        "--metadata",
        "team=data",
        "--expires",
        "90d",
        "--rotate-every",
        "30",
    ]);
    let id = issued["id"].as_str().unwrap();
    assert_eq!(issued["metadata"], json!({ "team": "data" }));
    assert_eq!(issued["rotate_every_days"], 30);
    assert_eq!(api.use_key("/example", &secret), 200);

    // From a file, with a flag before it, and the secret alone.
    mbk.file(
        "order.json",
        r#"{"name": "from a file", "owner": {"type": "user", "id": "ann"}, "environment": "live", "scopes": ["read"]}"#,
    );
    let alone = mbk.command(&["issue", "--file", "order.json", "--name", "another", "--secret-only"]).output().unwrap();
    let alone = String::from_utf8(alone.stdout).unwrap();
    assert_eq!(api.use_key("/example", alone.trim_end()), 200);
    mbk.knows(alone.trim_end());

    // Look.
    let keys = mbk.json(&["list", "--owner", "user:ann"]);
    let mut names: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!((names, &keys["next_cursor"]), (vec!["another", "reports"], &json!(null)));
    let page = mbk.json(&["list", "--owner", "user:ann", "--limit", "1"]);
    let rest = mbk.json(&["list", "--owner", "user:ann", "--cursor", page["next_cursor"].as_str().unwrap()]);
    assert_eq!(rest["keys"].as_array().unwrap().len(), 1);
    assert_ne!(page["keys"][0]["id"], rest["keys"][0]["id"]);
    assert_eq!(mbk.json(&["list", "--env", "test"])["keys"], json!([]));
    assert_eq!(mbk.json(&["show", id])["total_uses"], 1);
    let shown = mbk.run(&["show", id, "--table"]);
    assert!(shown.out.contains("reports") && shown.out.contains("100/minute"), "{shown:?}");

    // Change, and not on top of what nobody has seen.
    let changed = mbk.json(&["update", id, "--no-limits", "--name", "monthly reports", "--if-version", "1"]);
    assert_eq!((&changed["limits"], &changed["version"]), (&json!([]), &json!(2)));
    assert_eq!(mbk.json(&["update", id, "--expires", "never"])["expires_at"], json!(null));
    let late = mbk.run(&["update", id, "--name", "late", "--if-version", "1"]);
    assert_eq!(late.code, 1);
    assert!(late.err.contains("(precondition_failed, 412)") && late.err.contains("mbk show"), "{late:?}");
    assert_eq!(mbk.run(&["update", id]).code, 2);

    // Ask before it happens.
    assert_eq!(mbk.run(&["check", id, "--path", "/example", "--ip", "127.0.0.1"]).code, 0);
    let refused = mbk.run(&["check", id, "--method", "DELETE", "--path", "/example/7", "--ip", "127.0.0.1", "--table"]);
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("scope_not_allowed"), "{refused:?}");
    assert!(mbk.json(&["advice", id])["advice"].is_array());

    // Bill.
    let usage = mbk.json(&["usage", id]);
    assert_eq!(usage["total"]["allowed"], 1);
    let chart = mbk.run(&["usage", id, "--table"]);
    assert!(chart.out.contains('█'), "{chart:?}");
    let bill = mbk.run(&["usage", "--owner", "user:ann", "--monthly", "--csv"]);
    assert!(bill.out.starts_with("key,name,month,allowed\n") && bill.out.contains("monthly reports"), "{bill:?}");
    assert_eq!(mbk.json(&["usage", "--owner", "user:ann"])["total"]["allowed"], 2);

    // Rotate; without grace, somebody has to agree.
    let (_, second) = mbk.handed_out(&["rotate", id, "--grace", "1h"]);
    assert_eq!((api.use_key("/example", &secret), api.use_key("/example", &second)), (200, 200));
    let refused = mbk.run(&["rotate", id, "--grace", "1h"]);
    assert!(refused.err.contains("rotation_in_progress") && refused.err.contains("--force"), "{refused:?}");
    let unasked = mbk.run(&["rotate", id, "--grace", "0", "--force"]);
    assert_eq!(unasked.code, 2);
    assert!(unasked.err.contains("monthly reports") && unasked.err.contains("user:ann"), "it names the key: {unasked:?}");
    let (_, third) = mbk.handed_out(&["rotate", id, "--grace", "0", "--force", "--yes"]);
    assert_eq!((api.use_key("/example", &second), api.use_key("/example", &third)), (401, 200));

    // Audit.
    let attempts = wait_for(|| {
        let attempts = mbk.json(&["audit", id, "--outcome", "refused"]);
        attempts["attempts"].as_array().is_some_and(|attempts| !attempts.is_empty()).then_some(attempts)
    });
    assert_eq!(attempts["attempts"][0]["outcome"], "replaced_key");
    let changes = mbk.json(&["audit", "--limit", "2"]);
    assert_eq!(changes["changes"].as_array().unwrap().len(), 2);
    assert_eq!(changes["changes"][0]["action"], "rotate");
    assert!(changes["next_cursor"].is_string());

    // Off, on, off for good.
    assert_eq!(mbk.run(&["disable", id]).code, 2);
    assert_eq!(api.use_key("/example", &third), 200);
    assert_eq!(mbk.json(&["disable", id, "--yes"])["status"], "disabled");
    assert_eq!(api.use_key("/example", &third), 401);
    assert_eq!(mbk.json(&["enable", id])["status"], "active");
    assert_eq!(mbk.run(&["revoke", id, "--reason", "over"]).code, 2);
    assert_eq!(mbk.json(&["revoke", id, "--reason", "over", "-y"])["revocation"]["reason"], "over");
    assert_eq!(api.use_key("/example", &third), 401);
    let over = mbk.run(&["update", id, "--name", "too late"]);
    assert!(over.code == 1 && over.err.contains("key_revoked"), "{over:?}");

    // All of an owner.
    assert_eq!(mbk.run(&["revoke", "--owner", "user:ann", "--reason", "left"]).code, 2);
    let all = mbk.json(&["revoke", "--owner", "user:ann", "--reason", "left", "--yes"]);
    assert_eq!((all["revoked"].as_array().unwrap().len(), &all["already_revoked"]), (1, &json!([id])));
    assert_eq!(mbk.json(&["list", "--env", "live", "--status", "revoked"])["keys"].as_array().unwrap().len(), 2);
    mbk.assert_silent();
}

#[test]
fn plans_limits_and_keys_of_their_own() {
    let api = Api::start();
    let mbk = Mbk::new(&api.url, &api.admin);

    // A plan is put whole, and not over another unless somebody agrees.
    let plan = ["plans", "put", "basic", "--scope", "read", "--scope", "self:rotate", "--limit", "1000/day"];
    assert_eq!(mbk.json(&plan)["limits"], json!([{ "requests": 1000, "per": "day" }]));
    let again = mbk.run(&plan);
    assert!(again.code == 2 && again.err.contains("1000/day"), "{again:?}");
    mbk.file("plan.json", r#"{"scopes": ["read"]}"#);
    assert_eq!(
        mbk.json(&["plans", "put", "basic", "--file", "plan.json", "--limit", "9/hour", "--scope", "self:rotate", "--yes"])["limits"]
            [0]["requests"],
        9
    );
    assert_eq!(mbk.json(&["plans", "list"])["plans"].as_array().unwrap().len(), 1);
    assert!(mbk.run(&["plans", "show", "basic", "--table"]).out.contains("9/hour"));
    assert!(mbk.run(&["plans", "show", "none"]).err.contains("mbk plans list"));

    // What an owner's keys share.
    let none = mbk.run(&["limits", "show", "user:bob"]);
    assert!(none.code == 1 && none.err.contains("(no_such_limits, 404)"), "{none:?}");
    assert_eq!(mbk.json(&["limits", "put", "user:bob", "--limit", "50/day"])["version"], 1);
    assert_eq!(mbk.json(&["limits", "put", "user:bob", "--none"])["limits"], json!([]));
    assert_eq!(mbk.run(&["limits", "put", "user:bob"]).code, 2);

    // A key asks for itself, and renews itself.
    let (issued, secret) = mbk.handed_out(&["issue", "--name", "own", "--owner", "user:bob", "--env", "test", "--plan", "basic"]);
    let own = Mbk::new(&api.url, &secret);
    assert_eq!(own.json(&["self"])["id"], issued["id"]);
    assert!(own.run(&["self", "--table"]).out.contains("9/hour"));
    let (renewed, newer) = own.handed_out(&["self", "rotate", "--grace", "1h"]);
    assert_eq!(renewed["generation"], 2);
    assert_eq!(api.use_key("/v1/self", &newer), 200);
    assert_eq!(own.run(&["self", "rotate", "--save"]).code, 2, "it is no profile's key");
    let unasked = own.run(&["self", "rotate", "--grace", "0"]);
    assert!(unasked.code == 2 && unasked.err.contains("if the answer is lost"), "{unasked:?}");
    // It may do nothing else.
    let list = own.run(&["list"]);
    assert_eq!(list.code, 1);
    assert!(list.err.contains("MBK_KEY at http://127.0.0.1"), "which key was it? {list:?}");
    mbk.assert_silent();
    own.assert_silent();
}

#[test]
fn whoever_is_refused_is_told_why_and_what_to_do() {
    let api = Api::start();
    let mbk = Mbk::new(&api.url, &api.admin);
    for (arguments, code, said) in [
        (&["show", "key_0123456789012345678901"][..], 1, "no_such_key"),
        (&["show", "../plans"], 2, "must be a key's id"),
        (&["list", "--owner", "ann"], 2, "user:ann"),
        (&["issue", "--limit", "5"], 2, "5/minute"),
        (&["issue", "--name", "x", "--owner", "user:x", "--env", "live", "--scope", "everything"], 1, "flag --scope"),
        (&["issue", "--name", "x", "--env", "live", "--scope", "read"], 1, "owner: "),
        (&["revoke", "--reason", "x"], 2, "required"),
        (&["usage"], 2, "required"),
        (&["issue", "--file", "nowhere.json"], 2, "can't be read"),
        (&["audit", "--outcome", "refused"], 2, "KEY"),
    ] {
        let ran = mbk.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(said) && ran.out.is_empty(), "{arguments:?}: {ran:?}");
    }
    // A secret in the place of an id is not repeated.
    let secret = "mbk_live_0123456789abcdefghijklmnopqrstuv";
    mbk.knows(secret);
    let ran = mbk.run(&["show", secret]);
    assert!(ran.code == 2 && ran.err.contains("that is a secret"), "{ran:?}");
    // What is asked and how it was answered, without a secret.
    let verbose = mbk.run(&["list", "--verbose"]);
    assert!(verbose.err.contains("GET /v1/keys 200 "), "{verbose:?}");
    mbk.assert_silent();

    // A key that isn't one any more: which, and where?
    let wrong = Mbk::new(&api.url, secret);
    let ran = wrong.run(&["list"]);
    assert!(ran.code == 1 && ran.err.contains("401") && ran.err.contains(&format!("MBK_KEY at {}", api.url)), "{ran:?}");
    wrong.assert_silent();

    // Nobody is there.
    let gone = Mbk::new("http://127.0.0.1:9", "k-0123456789");
    let ran = gone.run(&["list"]);
    assert!(ran.code == 3 && ran.err.contains("cargo run"), "{ran:?}");
}

#[test]
fn shells_and_manuals_get_what_they_need() {
    let mbk = Mbk::without_environment();
    for (shell, has) in [("bash", "complete -F"), ("zsh", "#compdef mbk"), ("fish", "complete -c mbk")] {
        let ran = mbk.run(&["completions", shell]);
        assert!(ran.code == 0 && ran.out.contains(has), "{shell}: {ran:?}");
    }
    let page = mbk.run(&["man"]);
    assert!(page.out.starts_with(".ie") || page.out.contains(".TH mbk"), "{page:?}");
    for section in [".SH MBK ISSUE", ".SH MBK PLANS PUT", ".SH MBK SELF ROTATE", "idempotency"] {
        assert!(page.out.contains(section), "{section} in {page:?}");
    }
}

/// Tries until there is something, for ten seconds at most: copies of the audit are written after the answer.
pub(crate) fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..50 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    panic!("it has not come within ten seconds")
}
