//! The resolver on a small template, and on the one that is deployed.

use super::*;

const FIXTURE: &str = include_str!("fixture.yaml");

fn fixture(overrides: &[(&str, &str)]) -> Result<Template, TemplateError> {
    let overrides = overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Template::parse(FIXTURE, &overrides)
}

fn function<'a>(template: &'a Template, id: &str) -> &'a FunctionBlock {
    template.functions.iter().find(|function| function.logical_id == id).unwrap()
}

fn route<'a>(template: &'a Template, method: &str, path: &str) -> &'a Route {
    template.routes.iter().find(|route| route.method == method && route.path == path).unwrap()
}

#[test]
fn environments_are_resolved_and_globals_merged() {
    let template = fixture(&[]).unwrap();
    let echo = function(&template, "Echo");
    assert_eq!((echo.binary.as_str(), echo.timeout_seconds), ("echo", 12));
    let expected = [
        ("ARN", "arn:aws:dynamodb:us-east-1:000000000000:table/local-Things"),
        ("JOINED", "a-info"),
        ("LEVEL", "info"),
        ("MAPPED", "one"),
        ("SECRET", "local-Pepper"),
        ("SUBBED", "live/us-east-1/${Kept}/x"),
        ("TABLE", "local-Things"),
        ("WHEN", "small"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(echo.environment, BTreeMap::from(expected), "NOTHING is AWS::NoValue and must be gone");
    assert_eq!(function(&template, "Guard").timeout_seconds, 3, "an own value beats the global one");
    assert_eq!(template.topics, ["arn:aws:sns:us-east-1:000000000000:news"]);
}

#[test]
fn a_resource_with_a_false_condition_is_left_out() {
    assert!(fixture(&[]).unwrap().functions.iter().any(|function| function.logical_id == "Echo"));
    let without = fixture(&[("WithEcho", "false")]).unwrap();
    assert!(without.functions.iter().all(|function| function.logical_id != "Echo"));
    assert!(without.routes.is_empty());
}

#[test]
fn methods_inherit_the_authorizer_and_the_api_key_unless_they_say_otherwise() {
    let template = fixture(&[]).unwrap();
    assert_eq!(template.authorizer, Some(AuthorizerBlock { name: "Keys".to_owned(), function: "Guard".to_owned() }));
    let kept = route(&template, "ANY", "/things/{id}");
    assert!(kept.authorized && kept.api_key_required);
    let open = route(&template, "GET", "/open");
    assert!(!open.authorized && !open.api_key_required);
}

#[test]
fn stage_usage_keys_and_gateway_responses_are_read() {
    let template = fixture(&[]).unwrap();
    assert_eq!(template.stage_name, "live");
    assert_eq!(template.stage_variables["size"], "7");
    assert_eq!(template.api_key_source, ApiKeySource::Authorizer);
    assert_eq!(template.usage_keys, ["unthrottled-local-000000000000"], "the disabled and the detached key don't count");
    let denied = &template.gateway_responses["ACCESS_DENIED"];
    assert_eq!(denied.status, Some(403));
    assert_eq!(denied.headers["X-Fixed"], HeaderValueExpr::Static("yes".to_owned()));
    assert_eq!(denied.headers["X-Why"], HeaderValueExpr::Context("authorizer.code".to_owned()));
    assert!(template.gateway_responses.contains_key("THROTTLED"));
}

#[test]
fn tables_and_secrets_are_read() {
    let template = fixture(&[]).unwrap();
    let [table] = template.tables.as_slice() else { panic!("one table") };
    assert_eq!((table.name.as_str(), table.ttl_attribute.as_deref()), ("local-Things", Some("ttl")));
    assert_eq!(table.indexes[0].projection().unwrap().non_key_attributes(), ["name"]);
    let [secret] = template.secrets.as_slice() else { panic!("one secret") };
    assert_eq!(secret.generate.as_ref().unwrap().password_length, 64);
}

#[test]
fn errors_say_what_to_change() {
    let error = |overrides: &[(&str, &str)]| fixture(overrides).unwrap_err().to_string();
    assert!(error(&[("Level", "trace")]).contains("one of info, debug"));
    assert!(error(&[("Levle", "info")]).contains("it has:"));
    let broken = |from: &str, to: &str| {
        assert!(FIXTURE.contains(from), "the fixture has {from}");
        Template::parse(&FIXTURE.replace(from, to), &BTreeMap::new()).unwrap_err().to_string()
    };
    assert!(broken("!Ref Things", "!Ref Thinks").contains("\"Thinks\" is referred to"));
    let circle = broken("      AttributeDefinitions:", "      TableName: !Ref Things\n      AttributeDefinitions:");
    assert!(circle.contains("refers to itself"), "{circle}");
    assert!(broken("ReauthorizeEvery: 0", "ReauthorizeEvery: 60").contains("caching verdicts"));
    assert!(broken("\"'yes'\"", "yes").contains("inner quotes"));
    assert!(broken("IsBig: !Equals [!Ref Level, debug]", "IsBig: !Not [!Condition IsBig]").contains("refers to itself"));
}

/// In the project, the deployed template itself; this crate alone is tested on the fixture only.
#[test]
fn the_deployed_template_resolves() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    if !path.exists() {
        return;
    }
    let template = Template::read(&path, &BTreeMap::new()).unwrap();
    assert!(template.authorizer.is_some() && !template.tables.is_empty() && !template.secrets.is_empty());
    assert_eq!(template.usage_keys.len(), 1);
    let environment = &template.functions.iter().find(|function| function.binary == "authorizer").unwrap().environment;
    assert_eq!(environment["USAGE_KEY"], template.usage_keys[0], "or every allowed request is answered 429");
    assert!(template.tables.iter().any(|table| table.name == environment["KEYS_TABLE"]));
    assert!(template.secrets.iter().any(|secret| secret.id == environment["PEPPER_SECRET"]));
    assert!(
        template.routes.iter().all(|route| !route.authorized || route.api_key_required),
        "without a required API key, a refusal for a limit would let the request through"
    );
}
