//! Commands for the text of an announcement, as curl and as `mbk` take them. Neither names an address: nobody should learn from a
//! message where to send an admin key.

use std::fmt;

use serde_json::{Value, json};

use super::text::is_strange;
use crate::id::KeyId;

/// Something to do about a key, in two ways to type it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    curl: String,
    mbk: String,
}

impl Command {
    /// Revokes `key`. The reason is text of this program's own.
    #[must_use]
    pub fn revoke(key: &KeyId, reason: &'static str) -> Self {
        let curl = post(&format!("/v1/keys/{key}/revoke"), &json!({ "reason": reason }));
        Self { curl, mbk: format!("mbk revoke {key} --reason {}", quoted(reason)) }
    }

    /// Gives `key` a new secret, and its old one as long as the stack gives it.
    #[must_use]
    pub fn rotate(key: &KeyId) -> Self {
        Self { curl: post(&format!("/v1/keys/{key}/rotate"), &json!({})), mbk: format!("mbk rotate {key}") }
    }

    /// Issues a key as `order` says.
    #[must_use]
    pub fn issue(order: &Value) -> Self {
        let mbk = format!("printf %s {} | mbk issue --file -", quoted(&json_of(order)));
        Self { curl: post("/v1/keys", order), mbk }
    }
}

/// Two lines, indented, for a text that says what they begin with.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}\n  {}", self.curl, self.mbk)
    }
}

/// What has to be said once of all commands of a text.
pub(super) const EXPLAINED: &str = "One of the two is enough: curl, where $url is the address of the API and $ADMIN an admin key, or mbk, \
                                    which knows both.\nWho has no admin key asks whoever issues the keys.\n";

fn post(path: &str, body: &Value) -> String {
    format!(r#"curl -X POST "$url{path}" -H "X-API-Key: $ADMIN" -d {}"#, quoted(&json_of(body)))
}

/// `value` in one line, whatever its texts hold: what could begin another one is escaped.
fn json_of(value: &Value) -> String {
    let mut json = String::new();
    for letter in value.to_string().chars() {
        match letter {
            letter if is_strange(letter) => json.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => json.push(letter),
        }
    }
    json
}

/// `text` as one word of a shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_an_order_it_stays_one_word_of_the_shell() {
        let order = json!({ "name": "Ann's $(key) `x` \"y\"" });
        let expected = r#"  curl -X POST "$url/v1/keys" -H "X-API-Key: $ADMIN" -d '{"name":"Ann'\''s $(key) `x` \"y\""}'
  printf %s '{"name":"Ann'\''s $(key) `x` \"y\""}' | mbk issue --file -"#;
        assert_eq!(Command::issue(&order).to_string(), expected);
        assert_eq!(json_of(&json!("\u{85}\u{2028}\n")), r#""\u0085\u2028\n""#);
    }

    #[test]
    fn a_key_is_revoked_and_rotated_by_its_id() {
        let key = KeyId::parse("key_0123456789abcdefghijkl").unwrap();
        let revoke = Command::revoke(&key, "a test").to_string();
        assert!(
            revoke.contains(r#"/v1/keys/key_0123456789abcdefghijkl/revoke" -H "X-API-Key: $ADMIN" -d '{"reason":"a test"}'"#)
        );
        assert!(revoke.ends_with("\n  mbk revoke key_0123456789abcdefghijkl --reason 'a test'"), "{revoke}");
        assert!(Command::rotate(&key).to_string().ends_with("\n  mbk rotate key_0123456789abcdefghijkl"));
    }
}
