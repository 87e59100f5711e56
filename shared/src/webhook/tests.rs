//! Vectors that the schemes publish, and what must never pass.

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

/// A message as its scheme's own documentation has it.
struct Vector {
    scheme: &'static Scheme,
    secret: &'static str,
    at: u64,
    headers: Vec<(&'static str, &'static str)>,
    body: &'static str,
}

/// From the specification of Standard Webhooks, and the documentation of GitHub and Slack. Stripe publishes none: its was made with
/// Stripe's Python package.
fn vectors() -> Vec<Vector> {
    vec![
        Vector {
            scheme: &standard::SCHEME,
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            at: 1_614_265_330,
            headers: vec![
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                ("webhook-timestamp", "1614265330"),
                ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ],
            body: r#"{"test": 2432232314}"#,
        },
        Vector {
            scheme: &github::SCHEME,
            secret: "It's a Secret to Everybody",
            at: 0,
            headers: vec![("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")],
            body: "Hello, World!",
        },
        Vector {
            scheme: &slack::SCHEME,
            secret: "8f742231b10e8888abcd99yyyzzz85a5",
            at: 1_531_420_618,
            headers: vec![
                ("x-slack-request-timestamp", "1531420618"),
                ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
            ],
            body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar\
                   &user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com\
                   %2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.\
                   803a0bc887a14d10d2c447fce8b6703c",
        },
        Vector {
            scheme: &stripe::SCHEME,
            secret: "whsec_test_secret_of_this_test",
            at: 1_800_000_000,
            headers: vec![("stripe-signature", STRIPE)],
            body: r#"{"id": "evt_1", "object": "event"}"#,
        },
    ]
}

const STRIPE: &str = "t=1800000000,v1=7e9853f683a1b77d26e351e33e8a28f135d79f5f7904bb4275d6033b2ae10b98";

impl Vector {
    fn headers(&self) -> HeaderMap {
        self.headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8], at: u64) -> Result<Verified, Refused> {
        let secrets = [self.scheme.secret(self.secret).unwrap()];
        self.scheme.verify(&secrets, headers, body, Timestamp::from_secs(at))
    }
}

#[test]
fn published_vectors_are_accepted() {
    for vector in vectors() {
        let verified = vector.verify(&vector.headers(), vector.body.as_bytes(), vector.at);
        assert!(verified.is_ok(), "{:?}: {verified:?}", vector.scheme);
    }
}

#[test]
fn every_one_bit_change_is_refused() {
    for vector in vectors() {
        let headers = vector.headers();
        for (byte, bit) in (0..vector.body.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
            let mut body = vector.body.as_bytes().to_vec();
            body[byte] ^= 1 << bit;
            assert_eq!(vector.verify(&headers, &body, vector.at), Err(Refused::Signature), "{:?}", vector.scheme);
        }
        for (name, value) in &vector.headers {
            for (byte, bit) in (0..value.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
                let mut changed = value.as_bytes().to_vec();
                changed[byte] ^= 1 << bit;
                let Ok(changed) = HeaderValue::from_bytes(&changed) else { continue };
                let mut headers = headers.clone();
                headers.insert(*name, changed.clone());
                // Hexadecimal digits have no case.
                let same =
                    value.rfind('=').is_some_and(|end| byte > end) && value.as_bytes()[byte].is_ascii_alphabetic() && bit == 5;
                let refused = vector.verify(&headers, vector.body.as_bytes(), vector.at).is_err();
                assert_eq!(refused, !same, "{:?}: {name}: {changed:?}", vector.scheme);
            }
        }
        for byte in 0..vector.secret.len() {
            let mut secret = vector.secret.as_bytes().to_vec();
            secret[byte] ^= 1;
            let Ok(secret) = vector.scheme.secret(&String::from_utf8(secret).unwrap()) else { continue };
            let verified = vector.scheme.verify(&[secret], &headers, vector.body.as_bytes(), Timestamp::from_secs(vector.at));
            assert_eq!(verified, Err(Refused::Signature), "{:?}: byte {byte} of the secret", vector.scheme);
        }
    }
}

#[test]
fn a_signature_is_good_for_five_minutes_either_way() {
    for vector in vectors() {
        let timed = vector.scheme.name != "github";
        for (at, fresh) in [(vector.at + 300, true), (vector.at + 301, false), (vector.at.saturating_sub(300), true)] {
            let verified = vector.verify(&vector.headers(), vector.body.as_bytes(), at);
            assert_eq!(verified.err(), (timed && !fresh).then_some(Refused::Stale), "{:?}", vector.scheme);
        }
        if timed {
            assert_eq!(vector.verify(&vector.headers(), vector.body.as_bytes(), vector.at - 301), Err(Refused::Stale));
            assert_eq!(
                vector.verify(&vector.headers(), b"other", vector.at + 301),
                Err(Refused::Signature),
                "told to nobody else"
            );
        }
    }
}

#[test]
fn while_a_secret_is_rotated_either_is_good() {
    for vector in vectors() {
        let own = vector.scheme.secret(vector.secret).unwrap();
        let other = vector.scheme.secret("whsec_b3RoZXJvdGhlcm90aGVyb3RoZXI=").unwrap();
        let now = Timestamp::from_secs(vector.at);
        let verify = |secrets: &[SigningSecret]| vector.scheme.verify(secrets, &vector.headers(), vector.body.as_bytes(), now);
        assert!(verify(&[other.clone(), own.clone()]).is_ok() && verify(&[own, other.clone()]).is_ok());
        assert_eq!(verify(&[other]), Err(Refused::Signature));
        assert_eq!(verify(&[]), Err(Refused::Signature), "no secret, no message");
    }
}

#[test]
fn signatures_of_other_versions_may_stand_beside_ours() {
    for (vector, other) in vectors().into_iter().zip(["v1a,AAAA ", "", "", "v0=00,"]) {
        let mut headers = vector.headers();
        let (name, value) = vector.headers.last().unwrap();
        headers.insert(*name, format!("{other}{value}").parse().unwrap());
        assert!(vector.verify(&headers, vector.body.as_bytes(), vector.at).is_ok(), "{:?}", vector.scheme);
    }
}

#[test]
fn only_what_is_signed_tells_messages_apart() {
    let [standard, github] = [0, 1].map(|index| vectors().swap_remove(index));
    let verified = standard.verify(&standard.headers(), standard.body.as_bytes(), standard.at).unwrap();
    assert_eq!(verified.message, "msg_p5jXN8AQM9LWM0D4loKWxJek");
    let mut headers = github.headers();
    let mut message = |id: &'static str| {
        headers.insert("x-github-delivery", HeaderValue::from_static(id));
        github.verify(&headers, github.body.as_bytes(), 0).unwrap().message
    };
    assert_eq!(message("1"), message("2"), "an unsigned id could be changed to be accepted again");
}

#[test]
fn headers_that_are_no_signature_say_which() {
    use Malformed::{Form, Missing, Repeated};
    for vector in vectors() {
        for (name, value) in &vector.headers {
            let verify = |headers: &HeaderMap| vector.verify(headers, vector.body.as_bytes(), vector.at);
            let mut headers = vector.headers();
            headers.append(*name, HeaderValue::from_static(value));
            assert_eq!(verify(&headers), Err(Repeated(name).into()), "the same twice is still twice");
            headers.remove(*name);
            assert_eq!(verify(&headers), Err(Missing(name).into()));
            for text in [
                "",
                "x",
                "sha256=",
                "sha256=zz",
                "v0=0",
                "v1,",
                "v1,%%%%",
                "v2,AAAA",
                "t=1",
                "t=1,v1=0g",
                "t=1,t=1,v1=00",
                "\u{e9}",
                "1.5",
                "-1",
                "a.b",
            ] {
                headers.insert(*name, HeaderValue::from_bytes(text.as_bytes()).unwrap());
                let refused = verify(&headers).unwrap_err();
                assert!(
                    matches!(refused, Refused::Malformed(Form(at)) if at == *name) || refused == Refused::Signature,
                    "{name}: {text}: {refused:?}"
                );
            }
        }
    }
}

#[test]
fn secrets_are_of_their_schemes_form_and_cannot_be_printed() {
    let standard = &standard::SCHEME;
    assert_eq!(standard.secret("whsec_not base64").unwrap_err(), InvalidSecret::Encoding);
    assert_eq!(standard.secret("whsec_c2hvcnQ=").unwrap_err(), InvalidSecret::Length);
    assert_eq!(github::SCHEME.secret("fifteen letters").unwrap_err(), InvalidSecret::Length);
    assert_eq!(slack::SCHEME.secret(&"x".repeat(257)).unwrap_err(), InvalidSecret::Length);
    assert_eq!(format!("{:?}", standard.secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()), "SigningSecret(…)");
    let host = crate::host::Host::system();
    let [one, other] = [0; 2].map(|_| generate(host.entropy.as_ref()).unwrap());
    assert!(standard.secret(&one).is_ok() && one != other);
    assert!(SCHEMES.iter().all(|scheme| Scheme::named(scheme.name) == Some(scheme)));
}

#[test]
fn what_is_signed_here_is_verified_here_with_either_secret() {
    let secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXI="];
    let secrets = secrets.map(|text| standard::SCHEME.secret(text).unwrap());
    let at = Timestamp::from_secs(1_614_265_330);
    let signed = sign(&secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#).unwrap();
    assert!(signed[2].1.starts_with("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,"), "{signed:?}");
    let headers: HeaderMap =
        signed.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect();
    for secret in secrets {
        assert!(standard::SCHEME.verify(&[secret], &headers, br#"{"test": 2432232314}"#, at).is_ok());
    }
    assert!(sign(&[], "", at, b"").is_none() && sign(&[], "a.b", at, b"").is_none());
}

proptest! {
    #[test]
    fn nothing_that_is_not_signed_passes(
        scheme in 0..SCHEMES.len(),
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 4),
        texts in proptest::collection::vec("(v1,|v0=|sha256=|t=[0-9]{1,12},v1=)?[A-Za-z0-9+/=, .]{0,80}", 4),
        raw in any::<bool>(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        now in any::<u32>(),
    ) {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature", "x-hub-signature-256", "stripe-signature",
            "x-slack-request-timestamp", "x-slack-signature"];
        let mut headers = HeaderMap::new();
        for (index, name) in names.into_iter().enumerate() {
            let value = if raw { values[index % 4].clone() } else { texts[index % 4].clone().into_bytes() };
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert(name, value);
            }
        }
        let scheme = SCHEMES[scheme];
        let secret = scheme.secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        prop_assert!(scheme.verify(&[secret], &headers, &body, Timestamp::from_secs(now.into())).is_err());
    }
}
