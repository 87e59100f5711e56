//! Gateway responses: the template's, or API Gateway's defaults.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::variables::Variables;
use crate::template::{GatewayResponse, HeaderValueExpr};

/// API Gateway's own body template.
const DEFAULT_BODY: &str = r#"{"message":$context.error.messageString}"#;
const DEFAULT_CONTENT_TYPE: &str = "application/json";

/// Builds the response for what went wrong.
///
/// A type that the template doesn't customise takes `DEFAULT_4XX` or `DEFAULT_5XX`, by its own status.
pub(super) fn build(variables: &Variables<'_>) -> Response<Bytes> {
    let own = variables.response.status();
    let all = &variables.request.template.gateway_responses;
    let fallback = if own.is_server_error() { "DEFAULT_5XX" } else { "DEFAULT_4XX" };
    let custom = all.get(variables.response.name()).or_else(|| all.get(fallback));

    let status = custom.and_then(|custom| custom.status).and_then(|status| StatusCode::from_u16(status).ok());
    let (content_type, template) = body(custom, variables);
    let mut response = Response::new(Bytes::from(variables.fill(template)));
    *response.status_mut() = status.unwrap_or(own);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(content_type) {
        headers.insert(CONTENT_TYPE, value);
    }
    headers.insert("x-amzn-errortype", HeaderValue::from_static(variables.response.error_type()));
    for (name, expression) in custom.iter().flat_map(|custom| &custom.headers) {
        let value = value(expression, variables).and_then(|value| HeaderValue::from_str(&value).ok());
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
            headers.insert(name, value);
        }
    }
    response
}

/// The body template: the one that the caller asks for by its exact content type, else JSON's, else the first.
fn body<'a>(custom: Option<&'a GatewayResponse>, variables: &Variables<'_>) -> (&'a str, &'a str) {
    let Some(bodies) = custom.map(|custom| &custom.bodies).filter(|bodies| !bodies.is_empty()) else {
        return (DEFAULT_CONTENT_TYPE, DEFAULT_BODY);
    };
    let chosen = variables
        .request
        .header("accept")
        .and_then(|accept| bodies.get_key_value(accept))
        .or_else(|| bodies.get_key_value(DEFAULT_CONTENT_TYPE))
        .or_else(|| bodies.first_key_value());
    chosen.map_or((DEFAULT_CONTENT_TYPE, DEFAULT_BODY), |(kind, text)| (kind, text))
}

fn value(expression: &HeaderValueExpr, variables: &Variables<'_>) -> Option<String> {
    match expression {
        HeaderValueExpr::Static(text) => Some(text.clone()),
        HeaderValueExpr::Context(name) => variables.context(name),
        HeaderValueExpr::StageVariable(name) => variables.stage_variable(name),
        HeaderValueExpr::RequestHeader(name) => variables.request_header(name),
        HeaderValueExpr::RequestQuery(name) => variables.request_query(name),
        HeaderValueExpr::RequestPath(name) => variables.request_path(name),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::IpAddr;

    use super::super::{request::Request, response_type::ResponseType, verdict::Caller};
    use super::*;
    use crate::template::Template;

    fn template() -> Template {
        Template::parse(include_str!("../template/fixture.yaml"), &BTreeMap::new()).unwrap()
    }

    fn caller(context: &[(&str, &str)]) -> Caller {
        let context = context.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Caller { principal_id: "key_1".to_owned(), context, usage_key: None }
    }

    fn answer(template: &Template, response: ResponseType, caller: Option<&Caller>) -> Response<Bytes> {
        let request = http::Request::get("/x?q=1").header("X-Given", "a\"b").body(()).unwrap();
        let (parts, ()) = request.into_parts();
        let request = Request::new(template, &parts, Bytes::new(), IpAddr::from([127, 0, 0, 1]));
        build(&Variables { request: &request, response, caller })
    }

    fn with(kind: &str, response: GatewayResponse) -> Template {
        let mut template = template();
        template.gateway_responses.insert(kind.to_owned(), response);
        template
    }

    fn body(text: &str) -> GatewayResponse {
        let bodies = BTreeMap::from([("application/json".to_owned(), text.to_owned())]);
        GatewayResponse { bodies, ..Default::default() }
    }

    #[test]
    fn uncustomised_types_answer_as_api_gateway_does() {
        let template = template();
        let default = |response| {
            let answer = answer(&template, response, None);
            (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
        };
        let message = |text: &str| format!(r#"{{"message":"{text}"}}"#);
        assert_eq!(default(ResponseType::Unauthorized), (401, message("Unauthorized")));
        assert_eq!(default(ResponseType::MissingAuthenticationToken), (403, message("Missing Authentication Token")));
        assert_eq!(default(ResponseType::AuthorizerFailure), (500, r#"{"message":null}"#.to_owned()));
        assert_eq!(default(ResponseType::FunctionError), (502, message("Internal server error")));
        assert_eq!(default(ResponseType::IntegrationTimeout), (504, message("Endpoint request timed out")));
        assert_eq!(default(ResponseType::RequestTooLarge).0, 413);
    }

    #[test]
    fn a_customised_type_has_its_status_headers_and_body() {
        let denied = ResponseType::AccessDenied { explicit: true };
        let answer = answer(&template(), denied, Some(&caller(&[("code", "scope")])));
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (403, br#"{"code": "scope"}"#.as_slice()));
        assert_eq!(answer.headers()["x-fixed"], "yes");
        assert_eq!(answer.headers()["x-why"], "scope");
        assert_eq!(answer.headers()["x-amzn-errortype"], "AccessDeniedException");
    }

    #[test]
    fn an_absent_value_drops_its_header_and_is_nothing_in_a_body() {
        let answer = answer(&template(), ResponseType::AccessDenied { explicit: false }, None);
        assert!(!answer.headers().contains_key("x-why"));
        assert_eq!(answer.body().as_ref(), br#"{"code": ""}"#);
    }

    #[test]
    fn the_only_body_is_used_whatever_its_type() {
        let answer = answer(&template(), ResponseType::InvalidApiKey, Some(&caller(&[("retryAfter", "7")])));
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(answer.headers()["retry-after"], "7");
    }

    #[test]
    fn values_cannot_break_out_of_their_json_string() {
        let text = r#"{"a":"$context.authorizer.a","h":"$method.request.header.x-given","q":"$method.request.querystring.q",
            "s":"$stageVariables.size.","m":$context.error.messageString,"cost":"$5 $x"}"#;
        let template = with("UNAUTHORIZED", body(text));
        let answer = answer(&template, ResponseType::Unauthorized, Some(&caller(&[("a", "x\",\"b\":\"\\y\n")])));
        let json: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"a": "x\",\"b\":\"\\y\n", "h": "a\"b", "q": "1", "s": "7.", "m": "Unauthorized", "cost": "$5 $x"})
        );
    }

    #[test]
    fn defaults_cover_their_class_only() {
        let template = with("DEFAULT_4XX", GatewayResponse { status: Some(418), ..body("four") });
        assert_eq!(answer(&template, ResponseType::Unauthorized, None).status(), 418);
        assert_eq!(answer(&template, ResponseType::AuthorizerFailure, None).status(), 500);
        assert_eq!(answer(&template, ResponseType::AccessDenied { explicit: true }, None).status(), 403);
    }
}
