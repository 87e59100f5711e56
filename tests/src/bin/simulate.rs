//! Runs simulations: `cargo run -p tests --bin simulate -- --help`.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use tests::{
    simulation::{self, Failure, Tally},
    stack,
};

/// How often progress is shown on a terminal, and how often in a log.
const PROGRESS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(60)];

/// Long mixed journeys through the real functions, on bad days, compared with a model after every step.
#[derive(Parser)]
struct Options {
    /// Run this seed alone and print all that happens.
    #[arg(long)]
    seed: Option<u64>,
    /// The first seed of many.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    schedules: u64,
    /// Begin no new seed after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Threads.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut out = std::io::stdout().lock();
    let done = match options.seed {
        Some(seed) => one(seed, &mut out),
        None => many(&options, &mut out),
    };
    done.unwrap_or(ExitCode::FAILURE)
}

fn one(seed: u64, out: &mut impl Write) -> std::io::Result<ExitCode> {
    match simulation::run(seed, &Arc::new(stack::template()), true) {
        Ok(tally) => {
            writeln!(out, "seed {seed}: {} steps, nothing wrong", tally.steps)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            writeln!(out, "{}\n{failure}", failure.log)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn many(options: &Options, out: &mut impl Write) -> std::io::Result<ExitCode> {
    let template = Arc::new(stack::template());
    let (next, began) = (AtomicU64::new(options.from), Instant::now());
    let last = options.from.saturating_add(options.schedules);
    let total = Mutex::new((0_u64, Tally::default(), None::<Box<Failure>>));
    let lock = || total.lock().unwrap_or_else(PoisonError::into_inner);
    let late = || options.seconds.is_some_and(|seconds| began.elapsed() >= Duration::from_secs(seconds));
    let worker = || {
        while lock().2.is_none() && !late() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= last {
                return;
            }
            let result = simulation::run(seed, &template, false);
            let mut total = lock();
            total.0 += 1;
            match result {
                Ok(tally) => total.1.add(&tally),
                Err(failure) => total.2 = total.2.take().or(Some(failure)),
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads.max(1)).map(|_| scope.spawn(worker)).collect();
        let (mut shown, terminal) = (Instant::now(), std::io::stderr().is_terminal());
        let (often, end) = if terminal { (PROGRESS[0], "\r") } else { (PROGRESS[1], "\n") };
        while !threads.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::sleep(Duration::from_millis(100));
            if shown.elapsed() >= often {
                shown = Instant::now();
                // Progress that nobody can see is no reason to stop.
                let _ = write!(std::io::stderr(), "{} schedules after {} s {end}", lock().0, began.elapsed().as_secs());
            }
        }
    });
    let (schedules, tally, failure) = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    writeln!(out, "{schedules} schedules with {} steps in {} s", tally.steps, began.elapsed().as_secs())?;
    for (name, count) in &tally.counts {
        writeln!(out, "{count:>12}  {name}")?;
    }
    match failure {
        None => Ok(ExitCode::SUCCESS),
        Some(failure) => {
            writeln!(out, "\n{failure}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}
