//! Randomness that is none: it spells a name, so that ids and secrets are the same at every start and can be recognised.

use std::sync::atomic::{AtomicU8, Ordering};

use shared::error::Fault;
use shared::host::Entropy;

/// Spells a name and how often it was asked before: `reader0reader0…`, then `reader1reader1…`.
pub(super) struct Spelled {
    name: &'static str,
    asked: AtomicU8,
}

impl Spelled {
    pub(super) const fn new(name: &'static str) -> Self {
        Self { name, asked: AtomicU8::new(0) }
    }
}

impl Entropy for Spelled {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) % 10;
        // The place of a letter in the base62 alphabet: digits, capitals, small letters.
        let letters = self.name.bytes().map(|letter| letter - b'a' + 36).chain([asked]).collect::<Vec<_>>();
        for (byte, letter) in bytes.iter_mut().zip(letters.into_iter().cycle()) {
            *byte = letter;
        }
        Ok(())
    }
}
