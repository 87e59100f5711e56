//! Simulations: long mixed journeys through the real functions and the real SDK, by many sandboxes with clocks that are off,
//! on bad days and good ones. All of it follows from one seed.
//!
//! Tokio's clock stands still and jumps from one event to the next, so a month takes milliseconds. After every step the
//! [`model`] judges each write that was applied and each answer that was given.

use std::{
    collections::BTreeMap,
    fmt,
    fmt::Write as _,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use fastrand::Rng;
use futures_util::future::join_all;
use local::template::Template;
use tokio::time::Instant;

pub mod clock;
mod finale;
pub mod job;
pub mod model;
mod operator;
pub mod oracle;
pub mod sandbox;
pub mod schedule;

use clock::TrueTime;
use job::{End, Errand, Job};
use model::Model;
use sandbox::Sandbox;
use schedule::Step;

use crate::proxy::{Applied, Fault, Proxy, Weather};

/// Sandboxes of each function.
const SANDBOXES: [(&str, usize); 4] = [("authorizer", 3), ("issue", 1), ("rotate", 2), ("manage", 2)];

/// One of so many schedules has no faults at all: in those everything is counted to the one.
const CALM_EVERY: u64 = 5;

/// One of so many has indexes that lag behind.
const LAGGING_EVERY: u64 = 4;

/// Moments at which simulations begin, in seconds since the epoch: an ordinary day, and shortly before the end of a day, of a
/// month, of February in a leap year, and of a year.
const BEGINNINGS: [u64; 5] = [1_800_000_000, 1_800_057_540, 1_801_439_940, 1_835_395_140, 1_830_297_540];

/// What a simulation did.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many steps.
    pub steps: u64,
    /// How often each thing happened, by name.
    pub counts: BTreeMap<String, u64>,
    /// A digest of all that happened, in order.
    pub trace: u64,
}

/// What should not have happened, and how to see it again.
#[derive(Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What.
    pub what: String,
    /// All that happened before.
    pub log: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, what, .. } = self;
        write!(f, "seed {seed}: {what}\n\nsee it again:\n\n    cargo run -p tests --bin simulate -- --seed {seed}\n")
    }
}

impl Tally {
    /// Adds another one's counts.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        for (name, count) in &other.counts {
            *self.counts.entry(name.clone()).or_default() += count;
        }
    }

    fn count(&mut self, name: impl Into<String>) {
        *self.counts.entry(name.into()).or_default() += 1;
    }
}

/// Runs the simulation of `seed` on this thread; if `verbose`, a failure has the log of all that happened.
///
/// # Errors
/// The first thing that should not have happened.
///
/// # Panics
/// If there is no runtime to be had.
pub fn run(seed: u64, template: &Arc<Template>, verbose: bool) -> Result<Tally, Box<Failure>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).max_blocking_threads(1).build();
    // The SDK takes the jitter of its retries from here.
    fastrand::seed(seed);
    runtime.expect("a runtime").block_on(async {
        let mut world = World::start(seed, Arc::clone(template), verbose).await;
        match world.live().await {
            Ok(()) => Ok(world.tally()),
            Err(what) => Err(Box::new(Failure { seed, what, log: world.log.unwrap_or_default() })),
        }
    })
}

struct World {
    template: Arc<Template>,
    proxy: Proxy,
    model: Model,
    sandboxes: Vec<(&'static str, Arc<Sandbox>)>,
    rng: Rng,
    calm: bool,
    clearing: bool,
    last_errand: u64,
    tally: Tally,
    trace: DefaultHasher,
    log: Option<String>,
}

impl World {
    async fn start(seed: u64, template: Arc<Template>, verbose: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut proxy = Proxy::start(&template).await;
        if seed % LAGGING_EVERY == 1 {
            proxy = proxy.with_replica(&template).await;
        }
        // The log shows every write; the model judges those of hot items.
        proxy.watch(if verbose { |_| true } else { |place| matches!(place.sk.as_str(), "key" | "limits") });
        let time = TrueTime::begin(BEGINNINGS[rng.usize(0..BEGINNINGS.len())]);
        let calm = seed.is_multiple_of(CALM_EVERY);
        proxy.set(Weather::new(schedule::fair()));
        let days = template.function("manage").and_then(|block| block.variable("RETENTION_DAYS"));
        let retention = days.and_then(|days| days.parse::<u64>().ok()).expect("a retention") * 86_400;
        let model = Model::new(time, retention);
        let mut world = Self {
            template,
            proxy,
            model,
            sandboxes: Vec::new(),
            rng,
            calm,
            clearing: false,
            last_errand: 0,
            tally: Tally::default(),
            trace: DefaultHasher::new(),
            log: verbose.then(String::new),
        };
        for name in SANDBOXES.into_iter().flat_map(|(name, count)| std::iter::repeat_n(name, count)) {
            let sandbox = world.cold(name, world.sandboxes.len()).await;
            world.sandboxes.push((name, sandbox));
        }
        world
    }

    async fn live(&mut self) -> Result<(), String> {
        let longest = if self.rng.u8(0..10) == 0 { 80 } else { 20 };
        for _ in 0..self.rng.u64(5..longest) {
            let step = schedule::next(&mut self.rng, &self.model, self.calm);
            self.tally.steps += 1;
            self.take(step).await?;
        }
        self.finish().await
    }

    async fn take(&mut self, step: Step) -> Result<(), String> {
        if !matches!(step, Step::Together(_)) {
            self.note(|| format!("{step:?}"));
        }
        match step {
            Step::Together(jobs) => {
                self.together(jobs).await?;
            }
            Step::Wait(duration) => tokio::time::sleep(duration).await,
            Step::Midnight(before) => {
                let now = self.model.time.seconds(Instant::now());
                let midnight = (now / 86_400 + 1) * 86_400;
                tokio::time::sleep(self.model.time.until(midnight - before)).await;
            }
            Step::Weather(weather) => self.proxy.set(*weather),
            Step::Clock => {
                let index = self.rng.usize(0..self.sandboxes.len());
                self.sandboxes[index].1.step(&mut self.rng);
            }
            Step::Restart => {
                let index = self.rng.usize(0..self.sandboxes.len());
                self.restart(index).await;
            }
            Step::Peppers => self.change_peppers().await,
            Step::Ttl => self.ttl(),
        }
        Ok(())
    }

    async fn restart(&mut self, index: usize) {
        self.sandboxes[index].1 = self.cold(self.sandboxes[index].0, index).await;
    }

    async fn cold(&mut self, name: &str, index: usize) -> Arc<Sandbox> {
        let errand = self.number(index);
        let system = (&self.proxy, self.template.as_ref());
        Arc::new(Sandbox::start(name, errand, system, self.model.time, &mut self.rng).await)
    }

    /// The number of the next thing that the sandbox at `index` does.
    fn number(&mut self, index: usize) -> u64 {
        self.last_errand += 1;
        self.model.assign(self.last_errand, index);
        self.last_errand
    }

    /// Has each job done by a sandbox of its own, all at about the same time, and compares what comes of it.
    async fn together(&mut self, jobs: Vec<(Job, Duration, Option<Duration>)>) -> Result<Vec<Errand>, String> {
        let mut free: Vec<usize> = (0..self.sandboxes.len()).collect();
        self.rng.shuffle(&mut free);
        let mut running = Vec::new();
        for (job, begin, killed) in jobs {
            let Some(place) = free.iter().position(|index| self.sandboxes[*index].0 == job.function()) else { continue };
            let index = free.remove(place);
            let (id, sandbox) = (self.number(index), Arc::clone(&self.sandboxes[index].1));
            running.push(tokio::spawn(async move {
                tokio::time::sleep(begin).await;
                let began = Instant::now();
                let end = sandbox.run(id, &job, killed).await;
                Errand { id, job, sandbox: index, began, ended: Instant::now(), end }
            }));
        }
        let ended: Result<Vec<Errand>, _> = join_all(running).await.into_iter().collect();
        let errands = ended.map_err(|panic| format!("a panic: {panic}"))?;
        for errand in &errands {
            self.describe(errand);
        }
        let held = self.model.held.len();
        let journal = self.proxy.take_journal();
        for (errand, fault) in &journal.struck {
            self.note(|| format!("{errand}: {fault:?}"));
        }
        for applied in &journal.applied {
            let Applied { errand, operation, at, place, .. } = applied;
            let at = self.model.time.millis(*at);
            self.note(|| format!("{at} {errand}: {operation} wrote {} {}", place.pk, place.sk));
        }
        self.model.step(errands.clone(), journal)?;
        self.lose(held);
        for errand in errands.iter().filter(|errand| errand.end == End::Killed) {
            self.restart(errand.sandbox).await;
        }
        Ok(errands)
    }

    /// Sometimes the answer to a rotation is lost behind the function, and the new secret with it.
    fn lose(&mut self, before: usize) {
        let rotated = self.model.held[before..].iter().any(|held| held.number > 1);
        if rotated && !self.clearing && !self.calm && self.rng.u8(0..6) == 0 {
            self.tally.count("lost secrets");
            self.note(|| "the answer with the secret is lost".to_owned());
            let mut index = 0;
            self.model.held.retain(|held| {
                index += 1;
                index <= before || held.number == 1
            });
        }
    }

    fn ttl(&mut self) {
        let now = self.model.time.seconds(Instant::now());
        let template = Arc::clone(&self.template);
        for table in &template.tables {
            if table.logical_id == "AuditTable" {
                continue;
            }
            for place in self.proxy.ended(&table.name, now) {
                if self.rng.bool() {
                    self.note(|| format!("removed {place:?}"));
                    self.tally.count("removed by TTL");
                    if let Some(alias) = self.proxy.remove(&place).filter(|_| place.sk == "alias") {
                        self.model.forgotten.insert(oracle::text(&alias, "tag").to_owned());
                    }
                    self.model.usage_removed |= table.logical_id == "UsageTable";
                    if let Some(key) = self.model.keys.get_mut(&place.pk) {
                        match place.sk.as_str() {
                            "key" => key.removed(Instant::now()),
                            _ => key.withdrawn |= place.sk == "about",
                        }
                    }
                }
            }
        }
    }

    fn describe(&mut self, errand: &Errand) {
        let time = self.model.time;
        let (name, end) = match (&errand.job, &errand.end) {
            (Job::Change(_, change, _), End::Reply { status, .. }) => (change.action(), status.to_string()),
            (Job::Change(_, change, _), _) => (change.action(), "killed".to_owned()),
            (Job::Share(_), End::Reply { status, .. }) => ("share", status.to_string()),
            (job, End::Reply { status, .. }) => (job.function(), status.to_string()),
            (job, End::Killed) => (job.function(), "killed".to_owned()),
            (_, End::Verdict { outcome, uncertain, .. }) => {
                if *uncertain > 0 {
                    self.tally.count("uncertain uses");
                }
                ("use", outcome.clone())
            }
        };
        let Errand { id, job, sandbox, began, ended, end: how } = errand;
        let (began, ended) = (time.millis(*began), time.millis(*ended));
        (id, began, ended, &end).hash(&mut self.trace);
        self.tally.count(format!("{name}: {end}"));
        self.note(|| format!("{began} to {ended} {id} on {sandbox}: {job:?}: {how:?}"));
    }

    fn note(&mut self, text: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            // Writing to a String never fails.
            let _ = writeln!(log, "{}", text());
        }
    }

    fn tally(mut self) -> Tally {
        for ((operation, fault), count) in self.proxy.injected() {
            let kind = if matches!(fault, Fault::Conflict | Fault::HotPartition | Fault::Stale) { "met" } else { "injected" };
            *self.tally.counts.entry(format!("{kind} {fault:?} on {operation}")).or_default() += count;
        }
        self.tally.trace = self.trace.finish();
        self.tally
    }
}
