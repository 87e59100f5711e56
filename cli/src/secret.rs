//! Secrets: they can't be printed by accident, and their memory is wiped.

use std::fmt;

use zeroize::Zeroizing;

/// A key as it is presented, this stack's or one from elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret that `text` is, without the line's end and the spaces around it. None if there is nothing else, or if it can't be a
    /// header.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        valid.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Takes over the text of an answer.
    pub(crate) fn taken(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Its text: for the header that presents it, the file that keeps it, and the one place that shows it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_word_and_is_not_printed() {
        let secret = Secret::read(" mbk_live_x\r\n").unwrap();
        assert_eq!(secret.expose(), "mbk_live_x");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        for bad in ["", " \n", "a b", "a\nb", "\u{e9}"] {
            assert_eq!(Secret::read(bad), None, "{bad:?}");
        }
    }
}
