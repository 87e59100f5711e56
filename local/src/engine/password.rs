//! `GenerateSecretString`, as CloudFormation does it, with the operating system's randomness.

use rand::TryRng;
use rand::rngs::SysRng;
use serde_json::{Map, Value};

use super::EngineError;
use crate::template::GenerateSecretString;

const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPERCASE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NUMBERS: &str = "0123456789";
/// Secrets Manager's documented list.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// The value of a new secret called `name`: the generated text, or the template with the text put into it.
pub(super) fn secret_string(name: &str, rules: &GenerateSecretString) -> Result<String, EngineError> {
    let impossible = |reason: &str| EngineError::Generate { name: name.to_owned(), reason: reason.to_owned() };
    let kinds = kinds(rules);
    let length = rules.password_length as usize;
    if kinds.is_empty() || !(1..=4096).contains(&length) {
        return Err(impossible("no characters are left, or the length isn't 1 to 4096"));
    }
    if rules.require_each_included_type && length < kinds.len() {
        return Err(impossible("it is too short for one character of each kind"));
    }
    let alphabet = kinds.concat();
    // Drawing again until each kind appears keeps every acceptable text equally likely.
    let text = loop {
        let text = draw(&alphabet, length)?;
        let has_each = kinds.iter().all(|kind| text.chars().any(|c| kind.contains(&c)));
        if has_each || !rules.require_each_included_type {
            break text;
        }
    };
    match (&rules.secret_string_template, &rules.generate_string_key) {
        (Some(template), Some(key)) => {
            let mut object: Map<String, Value> =
                serde_json::from_str(template).map_err(|_| impossible("SecretStringTemplate isn't a JSON object"))?;
            object.insert(key.clone(), text.into());
            Ok(Value::Object(object).to_string())
        }
        (None, None) => Ok(text),
        _ => Err(impossible("SecretStringTemplate and GenerateStringKey belong together")),
    }
}

/// The kinds of characters that may appear, each without the excluded ones.
fn kinds(rules: &GenerateSecretString) -> Vec<Vec<char>> {
    let all = [
        (LOWERCASE, !rules.exclude_lowercase),
        (UPPERCASE, !rules.exclude_uppercase),
        (NUMBERS, !rules.exclude_numbers),
        (PUNCTUATION, !rules.exclude_punctuation),
        (" ", rules.include_space),
    ];
    all.into_iter()
        .filter(|(_, included)| *included)
        .map(|(kind, _)| kind.chars().filter(|c| !rules.exclude_characters.contains(*c)).collect::<Vec<_>>())
        .filter(|kind| !kind.is_empty())
        .collect()
}

fn draw(alphabet: &[char], length: usize) -> Result<String, EngineError> {
    // Bytes past the last whole multiple would make the first characters likelier.
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    loop {
        SysRng.try_fill_bytes(&mut bytes).map_err(|e| EngineError::Randomness(e.to_string()))?;
        for byte in bytes.map(usize::from) {
            if byte < fair {
                text.push(alphabet[byte % alphabet.len()]);
            }
            if text.len() == length {
                return Ok(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_gets_its_generated_value_under_its_key() {
        let rules = GenerateSecretString {
            secret_string_template: Some(r#"{"issue_with": "1"}"#.to_owned()),
            generate_string_key: Some("1".to_owned()),
            password_length: 64,
            exclude_punctuation: true,
            ..Default::default()
        };
        let value: Value = serde_json::from_str(&secret_string("pepper", &rules).unwrap()).unwrap();
        let pepper = value["1"].as_str().unwrap();
        assert_eq!((value["issue_with"].as_str(), pepper.len()), (Some("1"), 64));
        assert!(pepper.chars().all(|c| c.is_ascii_alphanumeric()));
        assert_ne!(secret_string("pepper", &rules).unwrap(), value.to_string());
    }

    #[test]
    fn each_included_kind_appears_and_excluded_characters_do_not() {
        let rules =
            GenerateSecretString { password_length: 4, exclude_characters: "abc019!\"'".to_owned(), ..Default::default() };
        for _ in 0..50 {
            let text = secret_string("x", &rules).unwrap();
            assert!(text.chars().any(|c| c.is_ascii_lowercase()) && text.chars().any(|c| c.is_ascii_digit()), "{text}");
            assert!(!text.contains(['a', 'b', 'c', '0', '1', '9', '!', '"', '\'']), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_generated_is_refused() {
        let short = GenerateSecretString { password_length: 3, ..Default::default() };
        assert!(secret_string("x", &short).unwrap_err().to_string().contains("too short"));
        let half = GenerateSecretString { generate_string_key: Some("k".to_owned()), ..Default::default() };
        assert!(secret_string("x", &half).unwrap_err().to_string().contains("belong together"));
    }
}
