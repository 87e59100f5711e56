//! The headers that schemes have: each once, and of the form that it must have.

use http::HeaderMap;

use crate::time::Timestamp;

/// The most digits of a time: a year far beyond ours.
const MOST_DIGITS: usize = 12;

/// Headers that can't be read. Each names the one at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It isn't there.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// It is there more than once, and nobody could say which counts.
    #[error("the header {0} was sent more than once")]
    Repeated(&'static str),
    /// It has another form.
    #[error("the header {0} does not have the form that its scheme gives it")]
    Form(&'static str),
}

/// The one line of a header.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Malformed> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next().ok_or(Malformed::Missing(name))?;
    match lines.next() {
        None => line.to_str().map_err(|_| Malformed::Form(name)),
        Some(_) => Err(Malformed::Repeated(name)),
    }
}

/// Seconds since 1970, in digits and nothing else.
pub(super) fn seconds(text: &str, name: &'static str) -> Result<Timestamp, Malformed> {
    let digits = (1..=MOST_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.then(|| text.parse().ok()).flatten();
    seconds.map(Timestamp::from_secs).ok_or(Malformed::Form(name))
}

/// A signature in hexadecimal.
pub(super) fn hexadecimal(text: &str, name: &'static str) -> Result<Vec<u8>, Malformed> {
    base16ct::mixed::decode_vec(text).map_err(|_| Malformed::Form(name))
}
