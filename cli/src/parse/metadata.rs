//! Metadata, as `team=data`.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::Misspelled;

/// One member of a key's metadata. Its value is a text; whoever wants another writes the order as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    name: String,
    value: String,
}

impl Member {
    /// As the API has them.
    pub(crate) fn object(members: &[Self]) -> Value {
        let members = members.iter().map(|member| (member.name.clone(), Value::String(member.value.clone())));
        Value::Object(members.collect::<Map<_, _>>())
    }
}

impl FromStr for Member {
    type Err = Misspelled;

    fn from_str(text: &str) -> Result<Self, Misspelled> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self { name: name.to_owned(), value: value.to_owned() }),
            _ => Err(Misspelled("must be NAME=VALUE, such as team=data")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn the_first_equals_sign_divides(name in "[^=]+", value in any::<String>()) {
            let member: Member = format!("{name}={value}").parse().unwrap();
            prop_assert_eq!(Member::object(&[member]), json!({ name: value }));
        }
    }

    #[test]
    fn a_name_is_needed() {
        for bad in ["", "team", "=data"] {
            assert!(bad.parse::<Member>().is_err(), "{bad}");
        }
    }
}
