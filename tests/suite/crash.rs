//! Real function processes, killed at every point of issue, rotate, update and revoke: before each of their calls has reached the
//! engine, and after it was applied. What was acknowledged holds, what was not is finished by repeating it, nothing is stuck.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use fastrand::Rng;
use local::template::Template;
use serde_json::{Value, json};
use tests::{
    Answer,
    process::Process,
    proxy::{Item, Moment, Proxy, port::Port},
    simulation::{
        clock::TrueTime,
        job::{Change, End, Held, Job},
        oracle::text,
        sandbox::Sandbox,
    },
    stack,
};

/// More calls than any change makes.
const MOST_CALLS: usize = 16;

/// An engine behind a port, functions that nobody kills, and a warm authorizer.
struct Site {
    template: Template,
    proxy: Proxy,
    port: Port,
    announced: Arc<Mutex<Vec<Value>>>,
    sound: HashMap<&'static str, Process>,
    authorizer: Sandbox,
}

/// How a killed function was found.
#[derive(Debug)]
struct Killed {
    calls: usize,
    moment: Moment,
}

fn program(function: &str) -> &'static str {
    match function {
        "issue" => env!("CARGO_BIN_EXE_process-issue"),
        "rotate" => env!("CARGO_BIN_EXE_process-rotate"),
        _ => env!("CARGO_BIN_EXE_process-manage"),
    }
}

impl Site {
    async fn open() -> Self {
        let template = stack::template();
        let proxy = Proxy::start(&template).await;
        let announced = Arc::<Mutex<Vec<Value>>>::default();
        let heard = Arc::clone(&announced);
        proxy.engine().listen(move |published| {
            heard.lock().expect("no panic").push(serde_json::from_str(published.message("default")).expect("JSON"));
        });
        let port = Port::open(&proxy, Rng::with_seed(1)).await;
        let mut sound = HashMap::new();
        for function in ["issue", "rotate", "manage"] {
            sound.insert(function, Process::start(program(function), function, &template, &port).await);
        }
        let time = TrueTime::begin(SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs());
        let authorizer = Sandbox::start("authorizer", 0, (&proxy, &template), time, &mut Rng::with_seed(2)).await;
        Self { template, proxy, port, announced, sound, authorizer }
    }

    /// The status and body that a function answers which nobody kills.
    async fn surely(&mut self, job: &Job) -> (u64, Value) {
        let process = self.sound.get_mut(job.function()).expect("a function");
        process.give(job.event()).await;
        read(&process.take().await)
    }

    async fn issue(&mut self) -> Held {
        let (status, body) = self.surely(&order()).await;
        assert_eq!(status, 201, "{body}");
        held(&body)
    }

    /// Has a fresh process do `job` and kills it at that call; none if it answered before.
    async fn kill(&self, job: &Job, killed: &Killed) -> Option<()> {
        let mut process = Process::start(program(job.function()), job.function(), &self.template, &self.port).await;
        let sprung = self.proxy.trap(killed.calls, killed.moment);
        process.give(job.event()).await;
        let dead = tokio::select! {
            _ = sprung => Some(()),
            _ = process.take() => None,
        };
        process.kill();
        self.proxy.untrap();
        dead
    }

    async fn answer(&self, held: &Held) -> Answer {
        let job = Job::Use { held: held.clone(), method: "GET", address: "203.0.113.7" };
        match self.authorizer.run(0, &job, None).await {
            End::Verdict { answer, .. } => answer,
            other => panic!("{other:?}"),
        }
    }

    fn stored(&self, table: &str) -> Vec<Item> {
        let table = self.template.tables.iter().find(|block| block.logical_id == table).expect("a table");
        self.proxy.scan(&table.name)
    }

    /// All items of a key but its audit: hot item, about item and aliases.
    fn items(&self, id: &str) -> Vec<Item> {
        self.stored("KeysTable").into_iter().filter(|item| text(item, "pk") == id || text(item, "key") == id).collect()
    }

    /// Audited intents and outcomes of an action on a key.
    fn audited(&self, id: &str, action: &str) -> (usize, usize) {
        let records = self.stored("AuditTable");
        let of = |suffix: &str| {
            let of_key = records.iter().filter(|record| text(record, "key") == id && text(record, "action") == action);
            of_key.filter(|record| text(record, "sk").ends_with(suffix)).count()
        };
        (of("#intent"), of("#outcome"))
    }
}

fn order() -> Job {
    Job::Issue(json!({
        "name": "simulated", "owner": { "type": "user", "id": "simulated" }, "environment": "live", "scopes": ["read"],
    }))
}

fn held(body: &Value) -> Held {
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned();
    Held { secret: text("secret"), key: Some(text("id")), number: 0, tag: String::new() }
}

fn read(answer: &Value) -> (u64, Value) {
    let body = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    (answer["statusCode"].as_u64().expect("a status"), body)
}

/// Every point at which a function can die: before and after each of its calls.
fn points() -> impl Iterator<Item = Killed> {
    [Moment::Before, Moment::After].into_iter().flat_map(|moment| (0..MOST_CALLS).map(move |calls| Killed { calls, moment }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_issue_leaves_a_whole_key_or_nothing() {
    let mut site = Site::open().await;
    let mut deaths = 0;
    for point in points() {
        if site.kill(&order(), &point).await.is_none() {
            continue;
        }
        deaths += 1;
        let keys = site.stored("KeysTable");
        let of = |sort: &str| keys.iter().filter(|item| text(item, "sk") == sort).count();
        assert_eq!((of("key"), of("about")), (of("alias"), of("alias")), "{point:?}");
        // An intent without an outcome and without a key is an issue that broke off.
        for key in keys.iter().filter(|item| text(item, "sk") == "key") {
            let (intents, outcomes) = site.audited(text(key, "pk"), "issue");
            assert!(intents == 1 && outcomes <= 1, "{point:?}: {intents} intents, {outcomes} outcomes");
        }
        let again = site.issue().await;
        assert_eq!(site.answer(&again).await, Answer::Allowed, "{point:?}");
    }
    assert!(deaths >= 6, "{deaths}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_rotation_leaves_the_old_secret_and_repeating_it_gives_a_new_one() {
    let mut site = Site::open().await;
    let mut deaths = 0;
    for point in points() {
        let old = site.issue().await;
        let id = old.key.clone().expect("a key");
        let job = Job::Change(id.clone(), Change::Rotate(json!({})), None);
        if site.kill(&job, &point).await.is_none() {
            continue;
        }
        deaths += 1;
        assert_eq!(site.answer(&old).await, Answer::Allowed, "{point:?}");
        let (status, body) = site.surely(&job).await;
        assert_eq!(status, 200, "{point:?}: {body}");
        let generation = &body["generations"][1]["number"];
        let told = |document: &Value| document["key"]["id"] == json!(id) && document["generation"] == *generation;
        assert!(site.announced.lock().expect("no panic").iter().any(told), "{point:?}: what was answered was announced");
        for secret in [&old, &held(&body)] {
            assert_eq!(site.answer(secret).await, Answer::Allowed, "{point:?}");
        }
        let items = site.items(&id);
        let endless = items.iter().filter(|item| text(item, "sk") == "alias" && !item.contains_key("ttl"));
        assert_eq!(endless.count(), 1, "only the newest secret's alias has no end: {point:?}");
        let (intents, outcomes) = site.audited(&id, "rotate");
        assert!(outcomes >= 1 && intents >= outcomes && intents <= 2, "{point:?}: {intents} intents, {outcomes} outcomes");
    }
    assert!(deaths >= 14, "{deaths}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_update_is_in_force_or_not_and_repeating_it_finishes_it() {
    let mut site = Site::open().await;
    let change =
        json!({ "name": "renamed", "scopes": ["read", "write"], "metadata": { "team": "red" }, "rotate_every_days": 30 });
    let mut deaths = 0;
    for point in points() {
        let key = site.issue().await;
        let id = key.key.clone().expect("a key");
        let job = Job::Change(id.clone(), Change::Update(change.clone()), None);
        if site.kill(&job, &point).await.is_none() {
            continue;
        }
        deaths += 1;
        assert_eq!(site.answer(&key).await, Answer::Allowed, "{point:?}");
        let (status, body) = site.surely(&job).await;
        assert_eq!(status, 200, "{point:?}: {body}");
        let (_, shown) = site.surely(&Job::Show(id.clone())).await;
        for field in ["name", "scopes", "metadata", "rotate_every_days"] {
            assert_eq!(shown[field], change[field], "{point:?}");
        }
        let items = site.items(&id);
        let about = items.iter().find(|item| text(item, "sk") == "about").expect("an about item");
        assert_eq!(text(about, "name"), "renamed", "lists follow: {point:?}");
    }
    assert!(deaths >= 8, "{deaths}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_revocation_is_in_force_or_not_and_repeating_it_finishes_it() {
    let mut site = Site::open().await;
    let mut deaths = 0;
    for point in points() {
        let key = site.issue().await;
        let id = key.key.clone().expect("a key");
        assert_eq!(site.answer(&key).await, Answer::Allowed);
        let job = Job::Change(id.clone(), Change::Revoke, None);
        if site.kill(&job, &point).await.is_none() {
            continue;
        }
        deaths += 1;
        let revoked = site.items(&id).iter().any(|item| text(item, "status") == "revoked");
        let expected = if revoked { Answer::Unauthorized } else { Answer::Allowed };
        assert_eq!(site.answer(&key).await, expected, "{point:?}");
        let (status, body) = site.surely(&job).await;
        assert_eq!((status, &body["status"]), (200, &json!("revoked")), "{point:?}");
        let told = |document: &Value| document["key"]["id"] == json!(id) && document["event"] == "key.revoked";
        assert!(site.announced.lock().expect("no panic").iter().any(told), "{point:?}: what was answered was announced");
        assert_eq!(site.answer(&key).await, Answer::Unauthorized, "{point:?}");
        let items = site.items(&id);
        assert_eq!(items.len(), 3, "{point:?}");
        assert!(items.iter().all(|item| item.contains_key("ttl")), "all of it has its end: {point:?}");
    }
    assert!(deaths >= 10, "{deaths}");
}
