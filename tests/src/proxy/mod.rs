//! The fault proxy: it stands between the SDK and the engine, and has the bad days that an embedded engine never has.
//!
//! By chance and seed ([`weather`]): delays, lost requests, lost answers, throttling, 500, 503, torn bodies, garbage. By the
//! rules of the real DynamoDB (`rules`): transaction conflicts, throttled partitions, indexes and reads that lag behind.
//!
//! It has two fronts: a connector for SDK clients in this process ([`connector`]), which works on a clock that stands still,
//! and a port for other processes ([`port`]).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use fastrand::Rng;
use http::{HeaderMap, StatusCode};
use local::{engine::Portless, template::Template};
use tokio::{sync::oneshot, time::Instant};

mod batch;
pub mod connector;
mod fate;
pub mod item;
pub mod port;
mod replica;
mod rules;
mod trap;
pub mod weather;

pub use batch::Refused;
pub use connector::Connector;
pub use item::{Applied, Item, Place};
pub use trap::Moment;
pub use weather::{Fault, Odds, Weather};

use fate::Fate;
use replica::Replica;
use rules::Rules;
use trap::Trap;

/// A call on its way to the engine.
#[derive(Clone, Debug)]
pub struct Call {
    /// The operation, as `UpdateItem` or `GetSecretValue`.
    pub operation: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// What the caller is doing, as its connector was told.
    pub errand: u64,
}

/// An answer of the engine's, or of the proxy's.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

/// What reaches the caller.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// An answer.
    Whole(Reply),
    /// The beginning of an answer; then the connection closes.
    Torn(Reply),
    /// The connection closes.
    Closed,
    /// Nothing, for ever.
    Silence,
}

/// What has happened.
#[derive(Debug, Default)]
pub struct Journal {
    /// Every write that has changed an item, in order.
    pub applied: Vec<Applied>,
    /// Every fault, and whose call met with it.
    pub struck: Vec<(u64, Fault)>,
}

/// A proxy. Clones are the same proxy.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

struct Inner {
    engine: Portless,
    replica: Option<Replica>,
    rules: Mutex<Rules>,
    trap: Mutex<Option<Trap>>,
    weather: Mutex<Weather>,
    injected: Mutex<BTreeMap<(String, Fault), u64>>,
    journal: Mutex<Journal>,
    watched: Mutex<fn(&Place) -> bool>,
    refused: Mutex<Refused>,
}

impl Proxy {
    /// A proxy in front of an engine in memory.
    ///
    /// # Panics
    /// If the engine doesn't start: then no test can run.
    pub async fn start(template: &Template) -> Self {
        let engine = Portless::start(template).await.expect("an engine");
        Self(Arc::new(Inner {
            engine,
            replica: None,
            rules: Mutex::default(),
            trap: Mutex::default(),
            weather: Mutex::default(),
            injected: Mutex::default(),
            journal: Mutex::default(),
            watched: Mutex::new(|_| false),
            refused: Mutex::default(),
        }))
    }

    /// The same with a second engine that lags behind, for reads that may.
    ///
    /// # Panics
    /// If an engine doesn't start, or this proxy is in use already.
    pub async fn with_replica(mut self, template: &Template) -> Self {
        let replica = Replica::start(template).await;
        Arc::get_mut(&mut self.0).expect("a proxy that nobody else has").replica = Some(replica);
        self
    }

    /// The engine, past all faults.
    #[must_use]
    pub fn engine(&self) -> &Portless {
        &self.0.engine
    }

    /// Changes the weather for every call from now on.
    pub fn set(&self, weather: Weather) {
        *lock(&self.0.weather) = weather;
    }

    /// How often each operation met with each fault.
    #[must_use]
    pub fn injected(&self) -> BTreeMap<(String, Fault), u64> {
        lock(&self.0.injected).clone()
    }

    /// Notes from now on every write that changes a place for which `watched` says so.
    pub fn watch(&self, watched: fn(&Place) -> bool) {
        *lock(&self.0.watched) = watched;
    }

    /// What has happened since this was last asked.
    #[must_use]
    pub fn take_journal(&self) -> Journal {
        std::mem::take(&mut *lock(&self.0.journal))
    }

    /// Refuses those statements of the next batch.
    pub fn refuse_statements(&self, refused: Refused) {
        *lock(&self.0.refused) = refused;
    }

    /// Every item of a table, past all faults.
    #[must_use]
    pub fn scan(&self, table: &str) -> Vec<Item> {
        item::scan(&self.0.engine, table)
    }

    /// Every item of a table whose `ttl` is over, `now` seconds since the epoch.
    #[must_use]
    pub fn ended(&self, table: &str, now: u64) -> Vec<Place> {
        item::ended(&self.0.engine, table, now)
    }

    /// Removes an item as DynamoDB's TTL does; answers what it was.
    pub fn remove(&self, place: &Place) -> Option<Item> {
        let removed = place.read(&self.0.engine);
        place.remove(&self.0.engine);
        if let Some(replica) = &self.0.replica {
            replica.follow(place.clone(), None, Duration::ZERO);
        }
        removed
    }

    /// Lets calls pass and holds the one after `calls` of them at `moment`, for ever. Tells when that has happened.
    #[must_use]
    pub fn trap(&self, calls: usize, moment: Moment) -> oneshot::Receiver<()> {
        let (trap, sprung) = Trap::new(calls, moment);
        *lock(&self.0.trap) = Some(trap);
        sprung
    }

    /// Takes the trap away. What it has caught stays where it is.
    pub fn untrap(&self) {
        *lock(&self.0.trap) = None;
    }

    /// Carries a call to the engine and its answer back, as the weather is. A caller that gives up doesn't stop what is on
    /// its way: it may arrive long after.
    pub async fn carry(&self, call: Call, dice: &Mutex<Rng>) -> Delivery {
        let odds = lock(&self.0.weather).odds(&call.operation);
        let fate = Fate::roll(&mut lock(dice), &odds);
        let (deliver, delivered) = oneshot::channel();
        let proxy = self.clone();
        tokio::spawn(async move {
            let delivery = proxy.journey(call, fate).await;
            // Whoever has given up doesn't want it any more.
            let _ = deliver.send(delivery);
        });
        delivered.await.unwrap_or(Delivery::Closed)
    }

    async fn journey(&self, call: Call, mut fate: Fate) -> Delivery {
        if let Some(fault) = fate.fault {
            self.count(&call, fault);
        }
        let there = fate.leg() + fate.delay();
        tokio::time::sleep(there).await;
        if self.caught(Moment::Before) {
            return Delivery::Silence;
        }
        let reply = match fate.fault {
            Some(Fault::RequestLost) => return fate.lost(),
            Some(Fault::Throttled) => weather::throttled(&call.operation),
            Some(Fault::Unavailable) => weather::unavailable(),
            Some(Fault::ServerError) => {
                if fate.toss() {
                    self.arrive(&call, &mut fate).await;
                }
                weather::server_error()
            }
            _ => self.arrive(&call, &mut fate).await,
        };
        if self.caught(Moment::After) {
            return Delivery::Silence;
        }
        tokio::time::sleep(fate.leg()).await;
        match fate.fault {
            Some(Fault::ReplyLost) => fate.lost(),
            Some(Fault::Torn) => Delivery::Torn(reply),
            Some(Fault::Garbage) => Delivery::Whole(fate.garbage(&reply)),
            _ => Delivery::Whole(reply),
        }
    }

    /// What the engine answers, or the real DynamoDB in its place.
    async fn arrive(&self, call: &Call, fate: &mut Fate) -> Reply {
        if call.operation == "GetSecretValue" {
            let (status, body) = self.0.engine.secrets_answer(call.headers.clone(), call.body.clone()).await;
            return Reply { status, body };
        }
        if call.operation == "Publish" {
            let (status, body) = self.0.engine.sns_answer(&call.body);
            return Reply { status, body: body.into() };
        }
        let Ok(request) = serde_json::from_slice(&call.body) else {
            return weather::server_error();
        };
        if item::is_eventual(&call.operation, &request)
            && let Some(replica) = &self.0.replica
        {
            let (reply, behind) = replica.answer(call);
            if behind {
                self.count(call, Fault::Stale);
            }
            return reply;
        }
        if call.operation == batch::OPERATION {
            let refused = std::mem::take(&mut *lock(&self.0.refused));
            if !refused.is_empty() {
                let left = batch::left(&request, &refused);
                let answer = left.map(|left| self.0.engine.dynamodb_answer(&call.operation, &left).1).unwrap_or_default();
                return batch::with_errors(answer.as_ref(), &refused);
            }
        }
        let writes = item::written(&call.operation, &request);
        let admitted = lock(&self.0.rules).admit(&call.operation, &request, &writes, Instant::now());
        if let Err((fault, reply)) = admitted {
            self.count(call, fault);
            return reply;
        }
        let token = rules::token(&call.operation, &request);
        if token.is_some() {
            // Others meet the items of a transaction while it holds them.
            tokio::time::sleep(fate.leg()).await;
        }
        let reply = self.apply(call, &writes, fate);
        lock(&self.0.rules).release(token, &writes);
        reply
    }

    /// Has the engine do it, all at once, and notes what has changed.
    fn apply(&self, call: &Call, writes: &[Place], fate: &mut Fate) -> Reply {
        let (engine, replica, watched) = (&self.0.engine, self.0.replica.as_ref(), *lock(&self.0.watched));
        let interesting: Vec<_> = writes.iter().filter(|place| replica.is_some() || watched(place)).collect();
        let look = || interesting.iter().map(|place| place.read(engine)).collect::<Vec<_>>();
        let before = look();
        let (status, body) = engine.dynamodb_answer(&call.operation, &call.body);
        let changes = interesting.iter().zip(before.into_iter().zip(look())).filter(|(_, (before, after))| before != after);
        for (place, (before, after)) in changes {
            let place = Place::clone(place);
            if let Some(replica) = replica {
                replica.follow(place.clone(), after.clone(), fate.lag());
            }
            if watched(&place) {
                let (errand, operation, at) = (call.errand, call.operation.clone(), Instant::now());
                lock(&self.0.journal).applied.push(Applied { errand, operation, at, place, before, after });
            }
        }
        Reply { status, body: body.into() }
    }

    fn caught(&self, moment: Moment) -> bool {
        let mut trap = lock(&self.0.trap);
        trap.as_mut().is_some_and(|trap| trap.springs(moment))
    }

    fn count(&self, call: &Call, fault: Fault) {
        *lock(&self.0.injected).entry((call.operation.clone(), fault)).or_default() += 1;
        lock(&self.0.journal).struck.push((call.errand, fault));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
