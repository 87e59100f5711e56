//! What `$context`, `$stageVariables` and `method.request` stand for in a gateway response.

use serde_json::Value;

use super::moment;
use super::request::Request;
use super::response_type::ResponseType;
use super::verdict::Caller;

/// The values of one response.
pub(super) struct Variables<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) response: ResponseType,
    /// Present once the authorizer has answered usably.
    pub(super) caller: Option<&'a Caller>,
}

impl Variables<'_> {
    /// `context.NAME`; `None` if API Gateway has no such value for this request.
    pub(super) fn context(&self, name: &str) -> Option<String> {
        if let Some(name) = name.strip_prefix("authorizer.") {
            let caller = self.caller?;
            return match name {
                "principalId" => Some(caller.principal_id.clone()),
                _ => caller.context.get(name).cloned(),
            };
        }
        let request = self.request;
        let value = match name {
            "requestId" | "extendedRequestId" => request.id.clone(),
            "httpMethod" => request.method.clone(),
            "path" => format!("/{}{}", request.template.stage_name, request.path),
            "resourcePath" => request.route?.path.clone(),
            "stage" => request.template.stage_name.clone(),
            "protocol" => "HTTP/1.1".to_owned(),
            "requestTimeEpoch" => moment::epoch_millis(request.received).to_string(),
            "identity.sourceIp" => request.source.to_string(),
            "identity.userAgent" => request.header("user-agent")?.to_owned(),
            "error.message" => self.response.message()?.to_owned(),
            "error.responseType" => self.response.name().to_owned(),
            _ => return None,
        };
        Some(value)
    }

    pub(super) fn stage_variable(&self, name: &str) -> Option<String> {
        self.request.template.stage_variables.get(name).cloned()
    }

    pub(super) fn request_header(&self, name: &str) -> Option<String> {
        self.request.header(name).map(str::to_owned)
    }

    pub(super) fn request_query(&self, name: &str) -> Option<String> {
        self.request.query.get(name)?.last().cloned()
    }

    pub(super) fn request_path(&self, name: &str) -> Option<String> {
        self.request.path_parameters.get(name).cloned()
    }

    /// Replaces every variable in a body template. What is absent becomes nothing.
    ///
    /// Values are escaped for a JSON string, without its quotes: a quote in a value must not end the string around it.
    /// Only `$context.error.messageString` brings its own quotes, or is `null`.
    pub(super) fn fill(&self, template: &str) -> String {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            let token = token(&rest[at + 1..]);
            match self.token(token) {
                Some(text) => filled.push_str(&text),
                None => filled.push_str(&rest[at..=at + token.len()]),
            }
            rest = &rest[at + 1 + token.len()..];
        }
        filled + rest
    }

    /// The text for one token; `None` if it is no variable at all and stays as it is.
    fn token(&self, token: &str) -> Option<String> {
        let value = if token == "context.error.messageString" {
            return Some(self.response.message().map_or(Value::Null, Value::from).to_string());
        } else if let Some(name) = token.strip_prefix("context.") {
            self.context(name)
        } else if let Some(name) = token.strip_prefix("stageVariables.") {
            self.stage_variable(name)
        } else if let Some(name) = token.strip_prefix("method.request.header.") {
            self.request_header(name)
        } else if let Some(name) = token.strip_prefix("method.request.querystring.") {
            self.request_query(name)
        } else if let Some(name) = token.strip_prefix("method.request.path.") {
            self.request_path(name)
        } else {
            return None;
        };
        let quoted = Value::from(value.unwrap_or_default()).to_string();
        Some(quoted[1..quoted.len() - 1].to_owned())
    }
}

/// The longest dotted name at the start of a text.
fn token(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))).unwrap_or(text.len());
    // A dot or dash at the end belongs to the sentence, not to the name.
    text[..end].trim_end_matches(['.', '-'])
}
