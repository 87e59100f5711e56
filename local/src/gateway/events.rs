//! The events that API Gateway sends: REST (payload of REQUEST authorizers, and of Lambda proxy integrations).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::moment;
use super::request::{MultiValues, Request};
use super::verdict::Caller;
use crate::template::{ACCOUNT, API_ID, REGION};

/// The ARN of the method that a request is for, with its concrete path.
pub(super) fn method_arn(request: &Request<'_>) -> String {
    let stage = &request.template.stage_name;
    format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}/{stage}/{}{}", request.method, request.path)
}

/// The event of a REQUEST authorizer. Its maps are empty where nothing was sent.
pub(super) fn authorizer(request: &Request<'_>) -> Value {
    let mut event = common(request);
    event.insert("type".to_owned(), "REQUEST".into());
    event.insert("methodArn".to_owned(), method_arn(request).into());
    for value in event.values_mut().filter(|value| value.is_null()) {
        *value = json!({});
    }
    event.insert("requestContext".to_owned(), context(request, None));
    Value::Object(event)
}

/// The event of a Lambda proxy integration. Its maps are null where nothing was sent.
pub(super) fn proxy(request: &Request<'_>, caller: Option<&Caller>) -> Value {
    let mut event = common(request);
    let (body, is_base64) = match std::str::from_utf8(&request.body) {
        Ok("") => (Value::Null, false),
        Ok(text) => (text.into(), false),
        Err(_) => (STANDARD.encode(&request.body).into(), true),
    };
    event.insert("requestContext".to_owned(), context(request, caller));
    event.insert("body".to_owned(), body);
    event.insert("isBase64Encoded".to_owned(), is_base64.into());
    Value::Object(event)
}

fn common(request: &Request<'_>) -> Map<String, Value> {
    let fields = [
        ("resource", request.resource_path().into()),
        ("path", request.path.clone().into()),
        ("httpMethod", request.method.clone().into()),
        ("headers", last_of_each(&request.headers)),
        ("multiValueHeaders", or_null(&request.headers)),
        ("queryStringParameters", last_of_each(&request.query)),
        ("multiValueQueryStringParameters", or_null(&request.query)),
        ("pathParameters", or_null(&request.path_parameters)),
        ("stageVariables", or_null(&request.template.stage_variables)),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

fn context(request: &Request<'_>, caller: Option<&Caller>) -> Value {
    let host = request.header("host").unwrap_or_default();
    let mut context = json!({
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": host,
        "domainPrefix": host.split('.').next(),
        "extendedRequestId": request.id,
        "httpMethod": request.method,
        "identity": {
            "accessKey": null,
            "accountId": null,
            "apiKey": caller.and_then(|caller| caller.usage_key.clone()),
            "caller": null,
            "clientCert": null,
            "cognitoAuthenticationProvider": null,
            "cognitoAuthenticationType": null,
            "cognitoIdentityId": null,
            "cognitoIdentityPoolId": null,
            "principalOrgId": null,
            "sourceIp": request.source.to_string(),
            "user": null,
            "userAgent": request.header("user-agent"),
            "userArn": null,
        },
        // Unlike the event's own path, this one begins with the stage.
        "path": format!("/{}{}", request.template.stage_name, request.path),
        "protocol": "HTTP/1.1",
        "requestId": request.id,
        "requestTime": moment::in_a_log(request.received),
        "requestTimeEpoch": moment::epoch_millis(request.received),
        "resourceId": request.route.map(|route| format!("{} {}", route.method, route.path)),
        "resourcePath": request.resource_path(),
        "stage": request.template.stage_name,
    });
    if let Some(caller) = caller {
        let mut authorizer: Map<String, Value> =
            caller.context.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        authorizer.insert("principalId".to_owned(), caller.principal_id.clone().into());
        context["authorizer"] = authorizer.into();
    }
    context
}

fn last_of_each(values: &MultiValues) -> Value {
    let last: Map<String, Value> =
        values.iter().filter_map(|(name, all)| Some((name.clone(), all.last()?.clone().into()))).collect();
    if last.is_empty() { Value::Null } else { last.into() }
}

fn or_null<T: Clone + Into<Value>>(values: &std::collections::BTreeMap<String, T>) -> Value {
    let all: Map<String, Value> = values.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    if all.is_empty() { Value::Null } else { all.into() }
}
