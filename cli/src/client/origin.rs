//! Where the API is: the one place that a key is sent to.

use std::{fmt, net::IpAddr, str::FromStr};

use reqwest::Url;

/// Why an address can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum BadOrigin {
    #[error("must be an address such as https://abc123.execute-api.eu-central-1.amazonaws.com/live")]
    NoUrl,
    #[error("must have no user, password, query or fragment: the key is kept beside it, and paths are added to it")]
    TooMuch,
    #[error("must begin with https://: over http:// to another machine, everybody between could read the key")]
    Readable,
}

/// An API's address, with the stage that its paths begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin(Url);

impl Origin {
    /// The origin at `text`. `http://` is for this machine alone, unless `readable` says that others may read the key.
    ///
    /// # Errors
    /// [`BadOrigin`] that says what to write instead.
    pub(crate) fn read(text: &str, readable: bool) -> Result<Self, BadOrigin> {
        let url = Url::parse(text).map_err(|_| BadOrigin::NoUrl)?;
        if url.cannot_be_a_base() || url.host_str().is_none_or(str::is_empty) || !matches!(url.scheme(), "http" | "https") {
            return Err(BadOrigin::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(BadOrigin::TooMuch);
        }
        let origin = Self(url);
        if origin.is_encrypted() || origin.is_here() || readable { Ok(origin) } else { Err(BadOrigin::Readable) }
    }

    /// Whether nobody between can read what is sent.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is this machine.
    pub(crate) fn is_here(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Whether a key that was meant for one may be sent to the other.
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    /// The address of what is asked for.
    pub(crate) fn url(&self, segments: &[String], query: &[(&'static str, String)]) -> Url {
        let mut url = self.0.clone();
        // It has a host, so it has segments.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        Self::read(text, false)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_only_sent_where_nobody_reads_along() {
        for good in ["https://api.example.com/live", "http://127.0.0.1:3000", "http://localhost:3000/", "http://[::1]:3000"] {
            assert!(Origin::read(good, false).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("api.example.com", BadOrigin::NoUrl),
            ("ftp://api.example.com", BadOrigin::NoUrl),
            ("http://", BadOrigin::NoUrl),
            ("https://ann:secret@api.example.com", BadOrigin::TooMuch),
            ("https://api.example.com/?key=1", BadOrigin::TooMuch),
            ("http://api.example.com", BadOrigin::Readable),
            ("http://localhost.example.com", BadOrigin::Readable),
            ("http://10.0.0.1", BadOrigin::Readable),
        ] {
            assert_eq!(Origin::read(bad, false), Err(why), "{bad}");
        }
        assert!(Origin::read("http://10.0.0.1", true).is_ok());
    }

    #[test]
    fn segments_stay_segments() {
        let origin: Origin = "https://api.example.com/live/".parse().unwrap();
        let segments = ["v1", "owners", "user", "a/b?c#d e"].map(ToOwned::to_owned);
        let url = origin.url(&segments, &[("limit", "5".to_owned())]);
        assert_eq!(url.as_str(), "https://api.example.com/live/v1/owners/user/a%2Fb%3Fc%23d%20e?limit=5");
    }

    #[test]
    fn another_port_is_another_server() {
        let [one, stage, port] = ["http://127.0.0.1:3000", "http://127.0.0.1:3000/live", "http://127.0.0.1:3001"]
            .map(|text| text.parse::<Origin>().unwrap());
        assert!(one.is_same_server(&stage) && !one.is_same_server(&port));
    }
}
