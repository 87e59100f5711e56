//! A few simulations; `cargo run -p tests --bin simulate` runs as many as anybody has time for.

use std::sync::Arc;

use tests::{simulation, stack};

#[test]
fn journeys_through_bad_days_come_out_right() {
    let template = Arc::new(stack::template());
    for seed in 1..=12 {
        if let Err(failure) = simulation::run(seed, &template, false) {
            panic!("{failure}");
        }
    }
}

#[test]
fn one_seed_is_one_history() {
    let template = Arc::new(stack::template());
    for seed in [2, 5] {
        let [once, again] = [(); 2].map(|()| simulation::run(seed, &template, false).expect("nothing wrong"));
        assert_eq!((once.trace, once.counts), (again.trace, again.counts), "seed {seed}");
    }
}
