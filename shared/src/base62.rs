//! Base62 (`0-9A-Za-z`): random text without bias, and fixed-width text of 256-bit digests.

use zeroize::Zeroizing;

use crate::{error::Fault, host::Entropy};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The largest multiple of 62 that a byte can hold: bytes from here on would favour the first letters.
const FAIR: u8 = 248;

/// `length` characters, each of the 62 as likely as any other.
///
/// # Errors
/// A [`Fault`] if the generator fails.
pub fn random(entropy: &dyn Entropy, length: usize) -> Result<Zeroizing<String>, Fault> {
    let mut text = Zeroizing::new(String::with_capacity(length));
    let mut bytes = Zeroizing::new([0_u8; 64]);
    while text.len() < length {
        entropy.fill(bytes.as_mut())?;
        let missing = length - text.len();
        text.extend(bytes.iter().filter(|byte| **byte < FAIR).take(missing).map(|byte| letter(byte % 62)));
    }
    Ok(text)
}

/// The 43 characters of a 256-bit number, leading zeros kept.
#[must_use]
pub fn encode(number: &[u8; 32]) -> String {
    let mut rest = *number;
    let mut text = [b'0'; 43];
    for place in text.iter_mut().rev() {
        let mut remainder = 0_u16;
        for byte in &mut rest {
            let value = remainder << 8 | u16::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            remainder = value % 62;
        }
        *place = ALPHABET[usize::from(remainder)];
    }
    text.iter().copied().map(char::from).collect()
}

/// Whether every character is one of the 62.
#[must_use]
pub fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn letter(value: u8) -> char {
    char::from(ALPHABET[usize::from(value)])
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::host::Host;

    #[test]
    fn known_digests() {
        assert_eq!(encode(&[0; 32]), "0".repeat(43));
        let mut one = [0; 32];
        one[31] = 62;
        assert_eq!(encode(&one), format!("{}10", "0".repeat(41)));
        // 2^256 - 1 in base 62, computed with arbitrary-precision arithmetic.
        assert_eq!(encode(&[255; 32]), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
    }

    #[test]
    fn every_letter_is_as_likely_as_any_other() {
        let host = Host::system();
        let mut seen: HashMap<char, f64> = HashMap::new();
        let total = 62_000;
        for letter in random(host.entropy.as_ref(), total).unwrap().chars() {
            *seen.entry(letter).or_default() += 1.0;
        }
        assert_eq!(seen.len(), 62);
        // Chi-squared with 61 degrees of freedom exceeds 150 once in 10^8 runs; taking `byte % 62` of all bytes gives over 1,500.
        let chi: f64 = seen.values().map(|count| (count - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi < 150.0, "{chi}");
    }
}
