//! The HTTP API of a small template, and the one that is deployed.

use std::collections::BTreeMap;

use super::*;

const FIXTURE: &str = include_str!("fixture.yaml");

fn beside() -> Template {
    Template::parse(include_str!("../fixture.yaml"), &BTreeMap::new()).unwrap()
}

fn parse(text: &str) -> Result<HttpApi, TemplateError> {
    // One that both have, and one that only the other template has.
    let overrides = [("Level", "debug"), ("WithEcho", "true")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    HttpApi::parse(text, &overrides.into(), &beside())
}

#[test]
fn routes_lead_to_the_functions_of_the_other_template() {
    let api = parse(FIXTURE).unwrap();
    assert_eq!((api.authorizer.as_str(), api.stage_name.as_str()), ("Guard", "$default"));
    assert_eq!(api.stage_variables["level"], "debug", "what was chosen for the stack counts here too");
    let found = |path: &str| api.routes.iter().find(|route| route.path == path).unwrap();
    let thing = found("/things/{id}");
    assert_eq!((thing.method.as_str(), thing.function.as_str(), thing.authorized), ("PUT", "Echo", true));
    assert!(!found("/open").authorized);
    assert_eq!(api.cors.unwrap().max_age.as_deref(), Some("600"));
}

#[test]
fn what_would_differ_on_aws_is_an_error() {
    let broken = |from: &str, to: &str| {
        assert!(FIXTURE.contains(from), "the fixture has {from}");
        parse(&FIXTURE.replace(from, to)).unwrap_err().to_string()
    };
    for (from, to, expected) in [
        ("TtlInSeconds: 0", "TtlInSeconds: 60", "caching verdicts"),
        ("      AuthorizerResultTtlInSeconds: 0\n", "", "caching verdicts"),
        ("AuthorizerType: REQUEST", "AuthorizerType: REQUEST\n      IdentitySource: [a]", "an identity source"),
        ("EnableSimpleResponses: true", "EnableSimpleResponses: false", "simple responses"),
        ("StageName: $default", "StageName: live", "a stage that isn't $default"),
        ("AuthorizerId: !Ref Keys", "AuthorizerId: other", "any authorization but"),
        ("AuthorizationType: CUSTOM", "AuthorizationType: AWS_IAM", "any authorization but"),
        ("-EchoArn", "-EhcoArn", "no output of the other template exports it"),
        ("integrations/${Echo}", "integrations/other", "there is no such integration"),
        ("RouteKey: GET /open", "RouteKey: GET open", "a method and a path"),
        ("RouteKey: GET /open", "RouteKey: \"PUT /things/{id}\"", "another route has the same key"),
        ("MaxAge: 600", "AllowCredentials: true", "unknown field"),
    ] {
        let error = broken(from, to);
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[test]
fn an_output_whose_condition_is_false_exports_nothing() {
    let without = BTreeMap::from([("WithEcho".to_owned(), "false".to_owned())]);
    let exports = Template::parse(include_str!("../fixture.yaml"), &without).unwrap().exports;
    assert_eq!(exports.into_keys().collect::<Vec<_>>(), ["local-GuardArn"]);
}

/// In the project, the deployed template itself; this crate alone is tested on the fixture only.
#[test]
fn the_deployed_http_api_resolves() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../http-api.yaml");
    if !path.exists() {
        return;
    }
    let template = Template::read(&path.with_file_name("template.yaml"), &BTreeMap::new()).unwrap();
    let api = HttpApi::read(&path, &BTreeMap::new(), &template).unwrap();
    assert!(api.routes.iter().all(|route| route.path.starts_with('/') && route.method != "ANY"));
    let without = BTreeMap::from([("DeployExample".to_owned(), "false".to_owned())]);
    let template = Template::read(&path.with_file_name("template.yaml"), &without).unwrap();
    let without = HttpApi::read(&path, &without, &template).unwrap();
    assert!(without.routes.len() < api.routes.len() && without.routes.iter().all(|route| route.path.starts_with("/v1/")));
}
