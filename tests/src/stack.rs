//! The template on an engine of its own, and its management functions.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_dynamodb::types::AttributeValue;
use local::{
    engine::{Engine, Published},
    functions::Wiring,
    template::{HttpApi, Template},
};
use serde_json::{Value, json};
use shared::{
    authenticator::{self, Authenticator},
    host::Host,
    id::KeyId,
    lambda::Function,
    middleware::Middleware,
    record::Record,
    secrets::PepperSource,
    store::{Store, Tables},
    telemetry::cost::CountCalls,
};

use crate::{Clock, Instance, Lines, Wire, event, openapi::held};

/// A stack.
pub struct Stack {
    /// DynamoDB, Secrets Manager and SNS.
    pub engine: Engine,
    /// What is deployed.
    pub template: Template,
    /// The clock of everything that isn't given another.
    pub clock: Clock,
    /// What goes from the management functions to the engine.
    pub wire: Wire,
    /// What goes from them to SNS.
    pub announcing: Wire,
    /// The lines of all functions' invocations.
    pub lines: Lines,
    announced: Arc<Mutex<Vec<Published>>>,
    manage: manage::Manage,
    insights: insights::Insights,
    rotate: rotate::Rotate,
    issue: issue::Issue,
}

/// A key as its owner has it.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Its id.
    pub id: String,
    /// The newest secret.
    pub secret: String,
}

/// The project's template, with cheap hashes: what is tested is what surrounds bcrypt.
#[must_use]
pub fn template() -> Template {
    template_with(&[])
}

fn template_with(parameters: &[(&str, &str)]) -> Template {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"));
    let overrides = [("BcryptCost", "4")].iter().chain(parameters);
    let overrides: BTreeMap<_, _> = overrides.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Template::read(path, &overrides).expect("the template of this project")
}

/// The project's HTTP API, beside a template.
#[must_use]
pub fn http_api(template: &Template) -> HttpApi {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../http-api.yaml"));
    HttpApi::read(path, &BTreeMap::new(), template).expect("the HTTP API of this project")
}

impl Stack {
    /// A stack on an engine in memory.
    ///
    /// # Panics
    /// If it doesn't start: then no test can run.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with parameters of the template that aren't their defaults.
    ///
    /// # Panics
    /// If it doesn't start: then no test can run.
    pub async fn start_with(parameters: &[(&str, &str)]) -> Self {
        let template = template_with(parameters);
        let engine = Engine::start(None).await.expect("an engine");
        engine.provision(&template).await.expect("tables and secrets");
        let announced = Arc::<Mutex<Vec<Published>>>::default();
        let heard = Arc::clone(&announced);
        engine.listen(move |published| heard.lock().unwrap_or_else(PoisonError::into_inner).push(published.clone()));
        let (clock, wire, announcing, lines) = (Clock::default(), Wire::default(), Wire::default(), Lines::default());
        let wiring = wiring(&engine, clock.host(&lines), &wire, &announcing);
        let (dynamodb, secrets, host) = (wiring.dynamodb.clone(), wiring.secrets.clone(), wiring.host.clone());
        let variables = |binary: &str| {
            let block = template.function(binary).expect("a function").clone();
            move |name: &str| block.variable(name)
        };
        let issue = issue::Config::read(&variables("issue")).expect("issue's environment");
        let rotate = rotate::Config::read(&variables("rotate")).expect("rotate's environment");
        let manage = manage::Config::read(&variables("manage")).expect("manage's environment");
        let insights = insights::Config::read(&variables("insights")).expect("insights' environment");
        let announcer = wiring.announcer(&manage.announce);
        Self {
            issue: issue::Issue::new(issue, dynamodb.clone(), secrets.clone(), announcer.clone(), host.clone()),
            rotate: rotate::Rotate::new(rotate, dynamodb.clone(), secrets, announcer.clone(), host.clone()),
            manage: manage::Manage::new(manage, dynamodb.clone(), announcer, host.clone()),
            insights: insights::Insights::new(insights, dynamodb, host),
            engine,
            template,
            clock,
            wire,
            announcing,
            lines,
            announced,
        }
    }

    /// A warm instance of the authorizer with this stack's clock.
    pub async fn instance(&self) -> Instance {
        self.instance_at(&self.clock).await
    }

    /// A warm instance of the authorizer with another clock.
    ///
    /// # Panics
    /// If the template has no authorizer.
    pub async fn instance_at(&self, clock: &Clock) -> Instance {
        let block = self.template.function("authorizer").expect("an authorizer");
        let wire = Wire::default();
        let host = clock.host(&self.lines);
        let authorizer =
            wiring(&self.engine, host, &wire, &Wire::default()).authorizer(block).expect("an authorizer that starts");
        authorizer.authenticator().warm().await;
        let _ = wire.take();
        let _ = wire.take_write_units();
        Instance::new(authorizer, self.template.usage_keys[0].clone(), wire)
    }

    /// Middleware with this stack's clock, and the wire between it and the engine.
    ///
    /// # Panics
    /// If the template has no authorizer, whose environment it has.
    #[must_use]
    pub fn middleware(&self) -> (Middleware, Wire) {
        let block = self.template.function("authorizer").expect("an authorizer").clone();
        let config = authenticator::Config::read(&move |name: &str| block.variable(name), "service").expect("an environment");
        let wire = Wire::default();
        let wiring = wiring(&self.engine, self.clock.host(&self.lines), &wire, &Wire::default());
        (Middleware::new(Authenticator::new(config, wiring.dynamodb, wiring.secrets, wiring.host)), wire)
    }

    /// Another warm instance of `rotate`, with a wire of its own.
    ///
    /// # Panics
    /// If the template has none.
    pub async fn rotator(&self) -> (rotate::Rotate, Wire) {
        let block = self.template.function("rotate").expect("a function").clone();
        let config = rotate::Config::read(&move |name: &str| block.variable(name)).expect("rotate's environment");
        let wire = Wire::default();
        let wiring = wiring(&self.engine, self.clock.host(&self.lines), &wire, &self.announcing);
        let announcer = wiring.announcer(&config.announce);
        let rotate = rotate::Rotate::new(config, wiring.dynamodb, wiring.secrets, announcer, wiring.host);
        rotate.warm().await;
        let _ = wire.take();
        (rotate, wire)
    }

    /// Invokes `issue` directly.
    ///
    /// # Errors
    /// The function's failure.
    pub async fn order(&self, order: Value) -> Result<Value, String> {
        self.issue.call(order).await.map_err(|failure| failure.to_string())
    }

    /// Issues a key that may read and write, with `more` fields.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn issue(&self, more: Value) -> Issued {
        let mut order = json!({
            "name": "test", "owner": { "type": "user", "id": "42" }, "environment": "live", "scopes": ["read", "write"],
        });
        if let (Some(order), Value::Object(more)) = (order.as_object_mut(), more) {
            order.extend(more);
        }
        issued(&self.order(order).await.expect("an issued key"))
    }

    /// Calls a management route as an administrator, on `POST`, `PATCH` or `GET`.
    ///
    /// # Errors
    /// The function's failure.
    pub async fn manage(&self, method: &str, resource: &str, id: Option<&str>, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(event::management(method, resource, id, &[], &body)).await
    }

    /// Sends a proxy event to the function that the template routes it to.
    ///
    /// # Panics
    /// If the function fails: management functions answer everything.
    pub async fn send(&self, event: Value) -> (u16, Value) {
        let (status, body, _) = self.send_for_headers(event).await;
        (status, body)
    }

    /// The same, with the answer's headers, each in one line.
    ///
    /// # Panics
    /// If the function fails: management functions answer everything.
    pub async fn send_for_headers(&self, event: Value) -> (u16, Value, BTreeMap<String, String>) {
        let answer = self.answer(event).await;
        let (status, body) = read(&answer);
        // A REST API's answer has them as lists of lines.
        let headers = ["headers", "multiValueHeaders"].iter().filter_map(|map| answer[map].as_object()).flatten();
        let line = |value: &Value| value.as_str().or_else(|| value[0].as_str()).unwrap_or_default().to_owned();
        (status, body, headers.map(|(name, value)| (name.clone(), line(value))).collect())
    }

    /// The answer itself, as the function gives it to API Gateway.
    ///
    /// # Panics
    /// If the function fails: management functions answer everything. If it isn't as the description of the API says.
    pub async fn answer(&self, event: Value) -> Value {
        let rest = event["httpMethod"].as_str().zip(event["resource"].as_str());
        let (method, route) = rest.or_else(|| event["routeKey"].as_str()?.split_once(' ')).unwrap_or_default();
        // As the template has it: where that says nothing, the function says that there is no such route.
        let route = self.template.routes.iter().find(|known| known.method == method && known.path == route);
        let block = route.and_then(|route| self.template.functions.iter().find(|block| block.logical_id == route.function));
        let answer = match block.map(|block| block.binary.as_str()) {
            Some("issue") => self.issue.call(event).await,
            Some("rotate") => self.rotate.call(event).await,
            Some("insights") => self.insights.call(event).await,
            _ => self.manage.call(event).await,
        };
        let answer = answer.expect("an answer");
        if let Some(route) = route
            && let Err(error) = held::served().check(&route.method, &route.path, &answer)
        {
            panic!("{} {} doesn't answer as functions/insights/openapi.json says: {error}", route.method, route.path);
        }
        answer
    }

    /// The same, if the key has what `If-Match` names.
    pub async fn manage_if(&self, tags: &str, method: &str, resource: &str, id: &str, body: &Value) -> (u16, Value) {
        let event = event::management(method, resource, Some(id), &[], &body.to_string());
        self.send(event::with_header(event, "If-Match", &[tags])).await
    }

    /// Rotates a key.
    pub async fn rotate(&self, id: &str, body: &Value) -> (u16, Value) {
        self.manage("POST", "/v1/keys/{id}/rotate", Some(id), body).await
    }

    /// What was announced since this was last asked.
    #[must_use]
    pub fn announced(&self) -> Vec<Published> {
        std::mem::take(&mut self.announced.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Revokes a key.
    pub async fn revoke(&self, id: &str) -> (u16, Value) {
        self.manage("POST", "/v1/keys/{id}/revoke", Some(id), &json!({ "reason": "a test" })).await
    }

    /// Changes a key.
    pub async fn update(&self, id: &str, body: &Value) -> (u16, Value) {
        self.manage("PATCH", "/v1/keys/{id}", Some(id), body).await
    }

    /// Puts the limits that those keys of the tests' owner share that opt in.
    pub async fn share(&self, limits: &Value) -> (u16, Value) {
        let (owner, body) = ([("type", "user"), ("id", "42")], json!({ "limits": limits }).to_string());
        self.send(event::management_of("PUT", "/v1/owners/{type}/{id}/limits", &owner, &[], &body)).await
    }

    /// A key as `GET /v1/keys/{id}` shows it.
    pub async fn show(&self, id: &str) -> Value {
        self.manage("GET", "/v1/keys/{id}", Some(id), &Value::Null).await.1
    }

    /// Asks for `resource` of a key, or of nothing, with a query.
    pub async fn ask(&self, resource: &str, id: Option<&str>, query: &[(&str, &str)]) -> (u16, Value) {
        self.send(event::management("GET", resource, id, query, "")).await
    }

    /// The tables, past all functions.
    #[must_use]
    pub fn store(&self) -> Store {
        let [keys, usage, audit] = ["KeysTable", "UsageTable", "AuditTable"].map(|table| self.table(table));
        Store::new(self.engine.dynamodb(), Tables { keys, usage, audit })
    }

    /// The peppers, past all functions.
    #[must_use]
    pub fn peppers(&self) -> PepperSource {
        PepperSource::new(self.engine.secrets(), self.pepper_secret(), self.store())
    }

    /// The name of the pepper secret.
    #[must_use]
    pub fn pepper_secret(&self) -> String {
        self.template.secrets[0].id.clone()
    }

    /// The record of a key.
    ///
    /// # Panics
    /// If there is none.
    pub async fn record(&self, id: &str) -> Record {
        let id = KeyId::parse(id).expect("an id");
        self.store().record(&id).await.expect("an answer").expect("a record")
    }

    /// Every item of a table.
    ///
    /// # Panics
    /// If the engine doesn't answer.
    pub async fn scan(&self, table: &str) -> Vec<HashMap<String, AttributeValue>> {
        let pages = self.engine.dynamodb().scan().table_name(self.table(table)).into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.expect("a scan")
    }

    /// What the audit table says of changes: their intents and outcomes.
    pub async fn changes(&self) -> Vec<HashMap<String, AttributeValue>> {
        let mut items = self.scan("AuditTable").await;
        items.retain(|item| item.contains_key("action"));
        items
    }

    /// A table's name by its logical id.
    ///
    /// # Panics
    /// If the template has no such table.
    #[must_use]
    pub fn table(&self, logical_id: &str) -> String {
        self.template.tables.iter().find(|table| table.logical_id == logical_id).expect("a table").name.clone()
    }
}

/// Status and body of a management function's answer.
///
/// # Panics
/// If it has no status.
#[must_use]
pub fn read(answer: &Value) -> (u16, Value) {
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
    (status, answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default())
}

/// Id and secret of an answer that hands one out.
///
/// # Panics
/// If it hands none out.
#[must_use]
pub fn issued(answer: &Value) -> Issued {
    let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned();
    Issued { id: text("id"), secret: text("secret") }
}

fn wiring(engine: &Engine, host: Host, wire: &Wire, announcing: &Wire) -> Wiring {
    // Without the functions' timeouts: on a busy machine they would turn a slow answer into a lost one.
    let config = engine.dynamodb_config().retry_config(shared::aws::retries()).interceptor(CountCalls);
    Wiring {
        dynamodb: aws_sdk_dynamodb::Client::from_conf(config.interceptor(wire.clone()).build()),
        secrets: engine.secrets(),
        sns: aws_sdk_sns::Client::from_conf(engine.sns_config().interceptor(CountCalls).interceptor(announcing.clone()).build()),
        host,
    }
}
