//! What the terminal says at start: what is running, and a journey to paste, line by line.

use std::path::Path;

use local::{seed, server::docs};

use crate::doors::Doors;

/// The greeting of the whole system. Every command in it works as it stands, from top to bottom.
pub(crate) fn whole(doors: &Doors, admin: &str, data_dir: Option<&Path>) -> String {
    let url = &doors.url;
    let kept = match data_dir {
        Some(dir) => format!("Everything is kept in {}.", dir.display()),
        None => "Everything is in memory and ends with this process; keep it with --data-dir DIR.".to_owned(),
    };
    format!(
        r"
API keys on {url}   (Ctrl-C ends it){}
{kept}
Every route, with a form to try it: {url}{docs}

A new admin key, good for a week and shown only now:

    ADMIN={admin}

Manage keys in a browser, with that key: {url}/console
{}",
        http_api(doors),
        journey(url),
        docs = docs::PATH,
    )
}

/// Where the HTTP API is.
fn http_api(doors: &Doors) -> String {
    let line = |url| format!("\nThe same as an HTTP API on {url}: every refusal is a 403 there, see docs/http-api.md");
    doors.http_url().map(line).unwrap_or_default()
}

/// The greeting of the engine alone.
pub(crate) fn engine(url: &str, env_file: &Path) -> String {
    format!(
        r#"
DynamoDB, Secrets Manager and SNS on {url}   (Ctrl-C ends it, and all that it holds)
They hold the template's tables, a pepper and the keys that events/README.md tells of. What is announced is printed here.

Run every function in the Lambda runtime, in a second terminal (`pip install cargo-lambda` brings the command):

    cargo lambda watch --invoke-address 127.0.0.1 --env-file {}

Put the API in front of them, in a third:

    cargo run -- --lambda-url http://127.0.0.1:9000

Or invoke one by itself:

    cargo lambda invoke --invoke-address 127.0.0.1 authorizer --data-file events/authorizer-allowed.json
"#,
        env_file.display()
    )
}

/// The greeting of the API alone.
pub(crate) fn gateway(doors: &Doors, lambda: &str) -> String {
    let url = &doors.url;
    format!(
        r"
API keys on {url}, through the functions at {lambda}   (Ctrl-C ends it){}
Every route, with a form to try it: {url}{docs}

The engine's admin key, which everybody knows:

    ADMIN={}

Manage keys in a browser, with that key: {url}/console
{}",
        http_api(doors),
        seed::ADMIN,
        journey(url),
        docs = docs::PATH,
    )
}

/// Commands from a first key to its end.
fn journey(url: &str) -> String {
    let order = r#"{"name": "try me", "owner": {"type": "user", "id": "ann"}, "environment": "test", "scopes": ["read"], "limits": [{"requests": 5, "per": "minute"}]}"#;
    format!(
        r#"
Paste it into another terminal, and then these, one after the other:

  # Issue a key: it may read, five times a minute. Keep its id and its secret.
    curl -s {url}/v1/keys -H "X-API-Key: $ADMIN" -d '{order}' | tee key.json
    ID=$(sed 's/.*"id":"\(key_[^"]*\)".*/\1/' key.json); KEY=$(sed 's/.*"secret":"\([^"]*\)".*/\1/' key.json)

  # Open a door with it, and run into its limit.
    curl -i {url}/example -H "X-API-Key: $KEY"
    for n in 1 2 3 4 5 6; do curl -s -o /dev/null -w '%{{http_code}}\n' {url}/example -H "X-API-Key: $KEY"; done

  # See it, rotate it (the old secret works for another day), disable it and enable it again. A refusal is remembered
  # for a second: without the pause, the limit could still be what is in the way.
    curl -s {url}/v1/keys/$ID -H "X-API-Key: $ADMIN"
    curl -s -X POST {url}/v1/keys/$ID/rotate -H "X-API-Key: $ADMIN"
    curl -s -X POST {url}/v1/keys/$ID/disable -H "X-API-Key: $ADMIN"
    sleep 1; curl -i {url}/example -H "X-API-Key: $KEY"
    curl -s -X POST {url}/v1/keys/$ID/enable -H "X-API-Key: $ADMIN"

  # Revoke it for good. Its next request is refused.
    curl -s -X POST {url}/v1/keys/$ID/revoke -H "X-API-Key: $ADMIN" -d '{{"reason": "tried it"}}'
    curl -i {url}/example -H "X-API-Key: $KEY"

  # List the owner's keys.
    curl -s "{url}/v1/keys?owner_type=user&owner_id=ann" -H "X-API-Key: $ADMIN"

Requests:
"#
    )
}
