//! What can go wrong on the way there and back.

use std::error::Error;

use reqwest::Response;
use zeroize::Zeroizing;

use super::Settings;
use crate::failure::{Failure, Kind};

/// Why an answer can't be read to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// It is longer than any answer of this API.
    TooLong,
    /// The connection ended before it did.
    Off(reqwest::Error),
}

/// Reads the body, up to `most` bytes.
pub(super) async fn read(response: &mut Response, most: usize) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(Broken::Off)? {
        if body.len() + chunk.len() > most {
            return Err(Broken::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why there was no answer.
pub(super) fn failure(error: &reqwest::Error, settings: &Settings) -> Failure {
    let origin = &settings.origin;
    if error.is_connect() {
        let failure = Failure::from(Kind::Unreachable(format!("{origin} can't be reached: {}", cause(error))));
        return failure.with_hint(if origin.is_here() {
            "Is `cargo run` running, and on that port?"
        } else {
            "Is the profile's URL right (`mbk profile list`), and is there a network?"
        });
    }
    lost(error, settings)
}

/// Why the answer was of no use.
pub(super) fn broken(broken: Broken, settings: &Settings) -> Failure {
    match broken {
        Broken::TooLong => {
            Kind::Unintelligible(format!("{} answers with more than any answer of this API", settings.origin)).into()
        }
        Broken::Off(error) => lost(&error, settings),
    }
}

fn lost(error: &reqwest::Error, settings: &Settings) -> Failure {
    let (origin, seconds) = (&settings.origin, settings.timeout.as_secs());
    if error.is_timeout() {
        return Kind::Lost(format!("{origin} has not answered within {seconds} s")).into();
    }
    Kind::Lost(format!("the answer of {origin} was lost: {}", cause(error))).into()
}

/// The innermost reason: those around it repeat the address.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
