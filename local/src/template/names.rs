//! The names and ARNs that resources get in the local account: stable, so that a data directory stays valid.

use serde_json::Value;

use super::{TemplateError, scope::Scope, yaml::scalar};

/// The region that everything local is in.
pub const REGION: &str = "us-east-1";
/// The account that everything local belongs to.
pub const ACCOUNT: &str = "000000000000";
/// The stack's name, which prefixes every generated resource name.
pub const STACK: &str = "local";
/// The REST API's id, as in `methodArn` and `requestContext.apiId`.
pub const API_ID: &str = "local";

/// The HTTP API's id, as in `routeArn` and `requestContext.apiId`.
pub const HTTP_API_ID: &str = "localhttp";

pub(super) fn pseudo_parameter(name: &str) -> Option<String> {
    let value = match name {
        "AWS::Region" => REGION.to_owned(),
        "AWS::AccountId" => ACCOUNT.to_owned(),
        "AWS::StackName" => STACK.to_owned(),
        "AWS::StackId" => {
            format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/{STACK}")
        }
        "AWS::Partition" => "aws".to_owned(),
        "AWS::URLSuffix" => "amazonaws.com".to_owned(),
        _ => return None,
    };
    Some(value)
}

/// What `Ref` gives for a resource, or for a name that SAM adds to one (`Api.Stage`, `Function.Alias`).
pub(super) fn reference(scope: &Scope, name: &str) -> Result<Option<String>, TemplateError> {
    if let Some(resource) = scope.resources.get(name) {
        return physical(scope, name, resource).map(Some);
    }
    if let Some((id, added)) = name.split_once('.') {
        return match (kind(scope, id), added) {
            ("AWS::Serverless::Api", "Stage") => stage(scope, id),
            ("AWS::Serverless::Function", "Alias" | "Version") => attribute(scope, id, "Arn"),
            _ => Ok(None),
        };
    }
    // SAM names the stage's own resource after the API, with or without the stage's name in between.
    for (id, _) in scope.of_type("AWS::Serverless::Api") {
        let stage = stage(scope, id)?;
        if stage.as_ref().is_some_and(|stage| name == format!("{id}{stage}Stage")) || name == format!("{id}Stage") {
            return Ok(stage);
        }
    }
    Ok(None)
}

/// What `Ref` gives for each resource of one type.
pub(super) fn references(scope: &Scope, kind: &str) -> Result<Vec<String>, TemplateError> {
    scope.of_type(kind).map(|(id, resource)| physical(scope, id, resource)).collect()
}

/// What `Fn::GetAtt` gives.
pub(super) fn attribute(scope: &Scope, id: &str, attribute: &str) -> Result<Option<String>, TemplateError> {
    let Some(resource) = scope.resources.get(id) else {
        return Ok(None);
    };
    let name = physical(scope, id, resource)?;
    if !attribute.ends_with("Arn") {
        return Ok(Some(format!("{name}-{attribute}")));
    }
    let arn = match kind(scope, id) {
        "AWS::DynamoDB::Table" => format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"),
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => function_arn(&name),
        "AWS::Logs::LogGroup" => format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"),
        "AWS::SQS::Queue" => format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"),
        "AWS::IAM::Role" => format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
        _ if name.starts_with("arn:") => name,
        _ => format!("arn:aws:local:{REGION}:{ACCOUNT}:{name}"),
    };
    Ok(Some(arn))
}

/// The ARN of a function with this name.
pub(super) fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

fn physical(scope: &Scope, id: &str, resource: &Value) -> Result<String, TemplateError> {
    let named = |property: &str| {
        let name = scope.text(id, &resource["Properties"], property)?;
        Ok(name.unwrap_or_else(|| format!("{STACK}-{id}")))
    };
    match resource["Type"].as_str().unwrap_or_default() {
        "AWS::DynamoDB::Table" => named("TableName"),
        // On AWS this is the secret's ARN with a random end; every call takes name or ARN alike.
        "AWS::SecretsManager::Secret" => named("Name"),
        "AWS::Serverless::Function" | "AWS::Lambda::Function" => named("FunctionName"),
        "AWS::Logs::LogGroup" => named("LogGroupName"),
        "AWS::Serverless::Api" | "AWS::ApiGateway::RestApi" => Ok(API_ID.to_owned()),
        "AWS::ApiGatewayV2::Api" => Ok(HTTP_API_ID.to_owned()),
        "AWS::ApiGateway::Stage" | "AWS::ApiGatewayV2::Stage" => named("StageName"),
        "AWS::SNS::Topic" => Ok(format!("arn:aws:sns:{REGION}:{ACCOUNT}:{}", named("TopicName")?)),
        _ => Ok(format!("{STACK}-{id}")),
    }
}

fn kind<'a>(scope: &'a Scope, id: &str) -> &'a str {
    scope.resources.get(id).and_then(|resource| resource["Type"].as_str()).unwrap_or_default()
}

fn stage(scope: &Scope, id: &str) -> Result<Option<String>, TemplateError> {
    let raw = &scope.resources[id]["Properties"]["StageName"];
    Ok(scope.resolve(raw)?.as_ref().and_then(scalar))
}
