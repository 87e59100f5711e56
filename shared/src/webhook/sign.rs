//! Signing what we send, as Standard Webhooks has it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::Mac;

use super::{SigningSecret, standard};
use crate::time::Timestamp;

/// The headers of a signed message, and their values.
pub type Signed = [(&'static str, String); 3];

/// Signs the message `id`, which is sent at `at`, with each of `secrets`: while one is rotated, its receiver may have either. None if
/// the id isn't 1 to 128 visible ASCII characters without a full stop.
#[must_use]
pub fn sign(secrets: &[SigningSecret], id: &str, at: Timestamp, body: &[u8]) -> Option<Signed> {
    if !standard::is_id(id) {
        return None;
    }
    let time = at.secs().to_string();
    let sign = |secret: &SigningSecret| {
        let mac = secret.mac(&standard::content(id, &time, body));
        format!("{},{}", standard::VERSION, STANDARD.encode(mac.finalize().into_bytes()))
    };
    let signatures = secrets.iter().map(sign).collect::<Vec<_>>().join(" ");
    Some([(standard::ID, id.to_owned()), (standard::TIMESTAMP, time), (standard::SIGNATURE, signatures)])
}
