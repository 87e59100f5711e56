//! Limits, as `5/minute`.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};

use super::Misspelled;

const PERIODS: [&str; 5] = ["second", "minute", "hour", "day", "month"];

/// How many requests in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    requests: u64,
    per: &'static str,
}

impl Limit {
    /// As the API has it.
    pub(crate) fn json(&self) -> Value {
        json!({ "requests": self.requests, "per": self.per })
    }

    /// As the API has a list of them.
    pub(crate) fn list(limits: &[Self]) -> Value {
        limits.iter().map(Self::json).collect()
    }
}

impl FromStr for Limit {
    type Err = Misspelled;

    fn from_str(text: &str) -> Result<Self, Misspelled> {
        let misspelled = Misspelled("must be a number per second, minute, hour, day or month, such as 5/minute");
        let limit = text.split_once('/').and_then(|(requests, per)| {
            let digits = requests.bytes().all(|byte| byte.is_ascii_digit());
            let requests = requests.parse().ok().filter(|requests| digits && *requests > 0)?;
            let per = PERIODS.into_iter().find(|known| *known == per)?;
            Some(Self { requests, per })
        });
        limit.ok_or(misspelled)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.requests, self.per)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    proptest! {
        #[test]
        fn limits_are_written_as_they_are_read(requests in 1_u64.., per in select(PERIODS.to_vec())) {
            let text = format!("{requests}/{per}");
            let limit: Limit = text.parse().unwrap();
            prop_assert_eq!(limit.json(), json!({ "requests": requests, "per": per }));
            prop_assert_eq!(limit.to_string(), text);
        }

        #[test]
        fn no_text_breaks_the_parser(text in "\\PC*") {
            let _ = text.parse::<Limit>();
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for bad in ["", "5", "5/", "/minute", "0/minute", "-5/minute", "+5/minute", "5/minutes", "5 / minute", "1.5/day"] {
            assert!(bad.parse::<Limit>().is_err(), "{bad}");
        }
    }
}
