//! What there is to know of one method of one path.

use serde_json::{Map, Value, json};
use shared::error::Code;

use super::{problems::Problem, schema::named};

/// Who may call, and so what API Gateway and the authorizer may answer instead of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// A key with the scope `admin`.
    Administrator,
    /// Every key, about itself.
    Holder,
    /// A key with the scope `self:rotate`, about itself.
    Rotator,
    /// Anybody, without a key.
    Anybody,
}

/// One method of one path.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) access: Access,
    /// What the function refuses it with.
    pub(super) codes: Vec<Code>,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: Map<String, Value>,
}

impl Operation {
    /// An operation of that id, which belongs to `tag`.
    pub(super) fn new(access: Access, tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        let codes = if access == Access::Anybody { Vec::new() } else { vec![Code::Internal] };
        Self { access, codes, id, tag, summary, description: "", parameters: Vec::new(), body: None, answers: Map::new() }
    }

    /// One for administrators.
    pub(super) fn admin(tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self::new(Access::Administrator, tag, id, summary)
    }

    /// More than its summary says.
    pub(super) fn about(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// It takes these parameters.
    pub(super) fn takes(mut self, parameters: impl IntoIterator<Item = Value>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// It takes a body of that schema, such as `example`, and refuses all others.
    pub(super) fn body(mut self, schema: &str, required: bool, example: Value) -> Self {
        let content = json!({ "application/json": { "schema": named(schema), "example": example } });
        self.body = Some(json!({ "required": required, "content": content }));
        self.codes.extend([Code::InvalidJson, Code::UnknownField, Code::InvalidField, Code::BodyTooLarge]);
        self
    }

    /// It answers so if all is well.
    pub(super) fn answers(self, status: u16, description: &str, schema: &str) -> Self {
        let content = json!({ "application/json": { "schema": named(schema) } });
        self.answers_with(status, description, &["Cache-Control", "Access-Control-Allow-Origin"], content)
    }

    /// The same, about one key, with its version.
    pub(super) fn answers_key(self, status: u16, description: &str, schema: &str) -> Self {
        let content = json!({ "application/json": { "schema": named(schema) } });
        let headers = ["ETag", "Cache-Control", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"];
        self.answers_with(status, description, &headers, content)
    }

    /// The same in those headers and that content.
    pub(super) fn answers_with(mut self, status: u16, description: &str, headers: &[&str], content: Value) -> Self {
        let mut answer = json!({ "description": description, "headers": of(headers) });
        if !content.is_null() {
            answer["content"] = content;
        }
        self.answers.insert(status.to_string(), answer);
        self
    }

    /// It also answers with a table if `Accept` asks for that.
    pub(super) fn or_table(mut self, status: u16, columns: &str) -> Self {
        self.answers[&status.to_string()]["content"]["text/csv"] = json!({
            "schema": { "type": "string", "description": format!("With `Accept: text/csv`, a table (RFC 4180) of {columns}.") },
        });
        self
    }

    /// It may refuse with these codes as well.
    pub(super) fn refuses(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.codes.extend(codes);
        self
    }

    /// As the description has it.
    pub(super) fn show(self, problems: &[Problem]) -> Value {
        let mut shown = json!({ "operationId": self.id, "tags": [self.tag], "summary": self.summary });
        if !self.description.is_empty() {
            shown["description"] = json!(self.description);
        }
        if self.access == Access::Anybody {
            shown["security"] = json!([]);
        }
        if !self.parameters.is_empty() {
            shown["parameters"] = self.parameters.into();
        }
        if let Some(body) = self.body {
            shown["requestBody"] = body;
        }
        let mut answers = self.answers;
        for problem in problems {
            let reference = json!({ "$ref": format!("#/components/responses/{}", problem.name()) });
            answers.insert(problem.status.to_string(), reference);
        }
        shown["responses"] = answers.into();
        shown
    }
}

/// References to those headers.
pub(super) fn of(names: &[&str]) -> Value {
    let header = |name: &&str| {
        let reference = json!({ "$ref": format!("#/components/headers/{name}") });
        // One that says something else here than in most answers.
        let sent = ["Document-", "Refusal-", "Limit-"].iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name);
        (sent.to_owned(), reference)
    };
    names.iter().map(header).collect::<Map<_, _>>().into()
}

/// Headers of answers.
pub(super) fn headers() -> Value {
    let always = |description: &str, schema: Value| json!({ "description": description, "required": true, "schema": schema });
    let sometimes = |description: &str, schema: Value| json!({ "description": description, "schema": schema });
    let text = || json!({ "type": "string" });
    json!({
        "ETag": always("The key's version, for `If-Match`.", json!({ "type": "string", "pattern": "^\"[0-9]+\"$" })),
        "Cache-Control": always("No cache may keep it.", json!({ "type": "string", "const": "no-store" })),
        "Access-Control-Allow-Origin": always("Whose pages may read it: the stack's parameter `CorsOrigin`.", text()),
        "Access-Control-Expose-Headers": always("What such a page may read beside the body.", text()),
        "Document-ETag": always("Of the document.", json!({ "type": "string", "pattern": "^\"[0-9A-Za-z]+\"$" })),
        "Document-Cache-Control": always("Any cache may keep it for a while.", json!({ "type": "string", "pattern": "^public, max-age=[0-9]+$" })),
        "Refusal-Cache-Control": sometimes(
            "No cache may keep it. Missing if API Gateway answers by itself.",
            json!({ "type": "string", "const": "no-store" }),
        ),
        "WWW-Authenticate": always("How to present a key.", text()),
        "Retry-After": sometimes(
            "After how many seconds the limit begins anew. Missing if it is no limit of the key's.",
            json!({ "type": "integer", "minimum": 1 }),
        ),
        "RateLimit": sometimes("What is left of each limit (draft-ietf-httpapi-ratelimit-headers).", text()),
        "RateLimit-Policy": sometimes("Each limit (draft-ietf-httpapi-ratelimit-headers).", text()),
        "Limit-Access-Control-Expose-Headers": sometimes("What a page of another origin may read beside the body.", text()),
    })
}
