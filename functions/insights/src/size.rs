//! How large an answer may be: Lambda gives API Gateway 6 MB at most, and a larger one is an error that says nothing.

use shared::error::Rejection;

/// The most bytes of a body as the text that it is in the function's answer. What is around it has the rest.
const LARGEST: usize = 5_500_000;

/// Whether `body` is one that the caller can be given.
///
/// # Errors
/// `invalid_field`, which says to ask for less.
pub(crate) fn fits(body: &str) -> Result<(), Rejection> {
    // A quote, a backslash and a line's end become two characters, and nothing else that a body holds becomes more than it is.
    let escaped = body.len() + body.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n')).count();
    if escaped > LARGEST {
        let detail = "must be nearer to to, or the keys fewer, or the granularity month: an answer has no room for so much";
        return Err(Rejection::field("from", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_measured_as_it_is_sent() {
        for body in ["plain", "\"quoted\"", "C:\\", "a,b\n1,2\n", "é…🔑"] {
            let sent = serde_json::to_string(body).unwrap().len() - 2;
            let room = LARGEST - LARGEST % sent;
            assert!(fits(&body.repeat(room / sent)).is_ok(), "{body}");
            assert_eq!(fits(&body.repeat(room / sent + 1)).unwrap_err().field.as_deref(), Some("from"), "{body}");
        }
    }
}
