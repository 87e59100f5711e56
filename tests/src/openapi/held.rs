//! The description held against what functions take and answer.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// The description that is served, ready to be compared with.
pub struct Description {
    document: Value,
    /// Compiled schemas by where they are in the document.
    compiled: Mutex<BTreeMap<String, &'static Validator>>,
}

static SERVED: LazyLock<Description> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(insights::DESCRIPTION).expect("a JSON document");
    close(&mut document);
    Description { document, compiled: Mutex::default() }
});

/// The description that this build serves.
#[must_use]
pub fn served() -> &'static Description {
    &SERVED
}

/// Clients must take members that they don't know; here, one that isn't described is a mistake.
fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("type") == Some(&json!("object")) && members.contains_key("properties") {
                members.entry("additionalProperties").or_insert(json!(false));
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(close),
        _ => {}
    }
}

impl Description {
    /// Every method and path, and what is said of it.
    pub fn operations(&self) -> impl Iterator<Item = (String, &str, &Value)> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
        })
    }

    /// What is said of a method and a path as the template names it.
    #[must_use]
    pub fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        self.document["paths"].get(path)?.get(method.to_lowercase())
    }

    /// The codes that come with each status of an operation that is no success.
    #[must_use]
    pub fn codes(&self, operation: &Value) -> BTreeMap<String, Vec<String>> {
        let answers = operation["responses"].as_object().into_iter().flatten();
        let codes = answers.filter_map(|(status, answer)| {
            let codes =
                self.followed(answer).pointer("/content/application~1problem+json/schema/allOf/1/properties/code/enum")?;
            let codes = codes.as_array()?.iter().filter_map(|code| Some(code.as_str()?.to_owned()));
            Some((status.clone(), codes.collect()))
        });
        codes.collect()
    }

    /// Compares a function's answer, as it gives it to API Gateway.
    ///
    /// # Errors
    /// What is otherwise than described, or isn't described at all.
    pub fn check(&self, method: &str, path: &str, answer: &Value) -> Result<(), String> {
        let lines = ["headers", "multiValueHeaders"].iter().filter_map(|map| answer[map].as_object()).flatten();
        let line = |value: &Value| value.as_str().or_else(|| value[0].as_str()).unwrap_or_default().to_owned();
        let headers = lines.map(|(name, value)| (name.to_lowercase(), line(value))).collect();
        self.check_answer(
            (method, path),
            &answer["statusCode"].to_string(),
            &headers,
            answer["body"].as_str().unwrap_or_default(),
        )
    }

    /// The same of an answer over HTTP; names of headers in lower case.
    ///
    /// # Errors
    /// What is otherwise than described, or isn't described at all.
    pub fn check_answer(
        &self,
        (method, path): (&str, &str),
        status: &str,
        headers: &BTreeMap<String, String>,
        body: &str,
    ) -> Result<(), String> {
        let operation = self.operation(method, path).ok_or("the route isn't described")?;
        let answer = operation["responses"].get(status).ok_or_else(|| format!("{status} isn't described: {body}"))?;
        let answer = self.followed(answer);
        self.check_headers(answer, headers)?;
        let Some(content) = answer.get("content") else {
            return if body.is_empty() { Ok(()) } else { Err(format!("{status} has a body")) };
        };
        let kind = headers.get("content-type").map_or("", String::as_str);
        let schema = &content.get(kind).ok_or_else(|| format!("{status} as {kind:?} isn't described"))?["schema"];
        let value = if kind.ends_with("json") {
            serde_json::from_str(body).map_err(|error| format!("{status}: {error}"))?
        } else {
            json!(body)
        };
        self.fits(schema, &value).map_err(|error| format!("{status}: {error}: {body}"))
    }

    /// Whether the description allows that body.
    ///
    /// # Errors
    /// Why not.
    pub fn takes(&self, method: &str, path: &str, body: &Value) -> Result<(), String> {
        let operation = self.operation(method, path).ok_or("the route isn't described")?;
        let schema = operation.pointer("/requestBody/content/application~1json/schema").ok_or("no body is described")?;
        self.fits(schema, body)
    }

    fn check_headers(&self, answer: &Value, headers: &BTreeMap<String, String>) -> Result<(), String> {
        let described: BTreeMap<String, &Value> = answer["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, header)| (name.to_lowercase(), self.followed(header)))
            .collect();
        for (name, header) in &described {
            match headers.get(name) {
                None if header["required"] == json!(true) => return Err(format!("the header {name} is missing")),
                None => {}
                Some(text) => {
                    let number = text.parse::<u64>().ok().filter(|_| header["schema"]["type"] == "integer");
                    let value = number.map_or_else(|| json!(text), Value::from);
                    self.fits(&header["schema"], &value).map_err(|error| format!("the header {name}: {error}"))?;
                }
            }
        }
        // What each answer of API Gateway has, and no other.
        let known = |name: &&String| {
            described.contains_key(*name) || ["content-type", "x-amzn-requestid", "x-amzn-errortype"].contains(&name.as_str())
        };
        headers.keys().find(|name| !known(name)).map_or(Ok(()), |name| Err(format!("the header {name} isn't described")))
    }

    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let validator = {
            let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
            *compiled.entry(schema.to_string()).or_insert_with(|| Box::leak(Box::new(self.compile(schema))))
        };
        let errors: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{} at {:?}", error, error.instance_path().to_string())).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }

    fn compile(&self, schema: &Value) -> Validator {
        let root = json!({ "allOf": [schema], "components": { "schemas": self.document["components"]["schemas"] } });
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        options.build(&root).expect("schemas that can be understood")
    }

    /// What a reference leads to.
    fn followed<'a>(&'a self, value: &'a Value) -> &'a Value {
        let path = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        path.map_or(value, |path| self.document.pointer(path).expect("something that is referred to"))
    }

    /// Every reference that leads nowhere.
    #[must_use]
    pub fn dangling(&self) -> Vec<String> {
        fn walk(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str).map(ToOwned::to_owned));
                    members.values().for_each(|value| walk(value, found));
                }
                Value::Array(entries) => entries.iter().for_each(|value| walk(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        walk(&self.document, &mut found);
        found.retain(|reference| self.document.pointer(reference.trim_start_matches('#')).is_none());
        found
    }

    /// The members of a part of the document.
    #[must_use]
    pub fn part(&self, pointer: &str) -> Map<String, Value> {
        self.document.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
    }
}
