//! The functions' environment as a file for `cargo lambda watch --env-file`, one for all of them.

use std::collections::BTreeMap;

use crate::template::{REGION, Template};

/// Every variable of every function as a line `NAME=value`, and what leads the SDK to the engine at `url`.
///
/// # Errors
/// That two functions have different values under one name: then one file can't serve both.
pub fn text(template: &Template, url: &str) -> Result<String, String> {
    let mut variables = BTreeMap::from([
        // By service, because a shell may have these set, and they would win over the general one.
        ("AWS_ENDPOINT_URL_DYNAMODB", url),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", url),
        ("AWS_ENDPOINT_URL_SNS", url),
        ("AWS_REGION", REGION),
        // The engine asks nobody who they are.
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ]);
    for block in &template.functions {
        for (name, value) in &block.environment {
            match variables.insert(name, value) {
                Some(other) if other != value => {
                    return Err(format!(
                        "{name} is {other:?} for one function of the template and {value:?} for {}: one environment file can't \
                         serve both",
                        block.logical_id
                    ));
                }
                _ => {}
            }
        }
    }
    // The file knows no quotes.
    if let Some((name, value)) = variables.iter().find(|(_, value)| value.contains([' ', '\t', '\n', '\r', '"', '\'', '#', '=']))
    {
        return Err(format!(
            "{name} is {value:?}, which an environment file can't hold: choose a value without spaces, quotes, # and ="
        ));
    }
    Ok(variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> Template {
        Template::parse(include_str!("template/fixture.yaml"), &BTreeMap::new()).unwrap()
    }

    #[test]
    fn it_holds_what_the_template_gives_and_where_the_engine_is() {
        let mut template = template();
        template.functions[0].environment.insert("KEYS_TABLE".to_owned(), "local-Keys".to_owned());
        let text = text(&template, "http://127.0.0.1:8000").unwrap();
        assert!(
            text.contains("\nKEYS_TABLE=local-Keys\n") && text.contains("AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000\n"),
            "{text}"
        );
    }

    #[test]
    fn a_value_that_needs_quotes_is_an_error() {
        let mut template = template();
        template.functions[0].environment.insert("NAME".to_owned(), "a b".to_owned());
        assert!(text(&template, "http://127.0.0.1:8000").unwrap_err().contains("NAME"));
    }

    #[test]
    fn one_name_with_two_values_is_an_error() {
        let mut template = template();
        template.functions[0].environment.insert("NAME".to_owned(), "a".to_owned());
        template.functions[1].environment.insert("NAME".to_owned(), "b".to_owned());
        let error = text(&template, "http://127.0.0.1:8000").unwrap_err();
        assert!(error.contains("NAME") && error.contains(&template.functions[1].logical_id), "{error}");
    }
}
