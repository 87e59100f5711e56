//! What simulations have found, each by itself.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use fastrand::Rng;
use serde_json::json;
use shared::{
    decision::Proof,
    id::KeyId,
    key::{Digest, Pepper, Prefix, Secret},
    store::{about::SecretNote, alias::Alias},
    time::Timestamp,
};
use tests::{
    Answer, Issued, Stack,
    proxy::{Fault, Odds, Proxy, Weather},
    simulation::{
        clock::TrueTime,
        job::{Change, End, Held, Job},
        sandbox::Sandbox,
    },
    stack,
};

/// A stack behind the proxy, on a clock that stands still.
struct Site {
    proxy: Proxy,
    issue: Sandbox,
    manage: Sandbox,
    authorizer: Sandbox,
}

impl Site {
    async fn open() -> Self {
        let template = stack::template();
        let proxy = Proxy::start(&template).await;
        let (time, mut rng) = (TrueTime::begin(tests::NOW), Rng::with_seed(1));
        let mut start = async |name| Sandbox::start(name, 1, (&proxy, &template), time, &mut rng).await;
        let (issue, manage, authorizer) = (start("issue").await, start("manage").await, start("authorizer").await);
        Self { proxy, issue, manage, authorizer }
    }

    async fn change(&self, held: &Held, change: Change) -> u64 {
        let job = Job::Change(held.key.clone().expect("a key"), change, None);
        match self.manage.run(1, &job, None).await {
            End::Reply { status, .. } => status,
            other => panic!("{other:?}"),
        }
    }

    /// The authorizer's answer, and how many uses may have been counted in vain.
    async fn get(&self, held: &Held) -> (Answer, u64) {
        let job = Job::Use { held: held.clone(), method: "GET", address: "203.0.113.7" };
        match self.authorizer.run(1, &job, None).await {
            End::Verdict { answer, uncertain, .. } => (answer, uncertain),
            other => panic!("{other:?}"),
        }
    }

    fn break_down(&self, operation: &'static str, fault: Fault) {
        self.proxy.set(Weather::default().on(operation, Odds::fair(1..=5).with(fault, 1000)));
    }

    fn mend(&self) {
        self.proxy.set(Weather::default());
    }
}

#[tokio::test(start_paused = true)]
async fn a_use_whose_answers_are_garbage_is_said_to_be_uncertain() {
    let site = Site::open().await;
    let key = site.issue.issue().await;
    assert_eq!(site.get(&key).await, (Answer::Allowed, 0));
    site.break_down("UpdateItem", Fault::Garbage);
    let (answer, uncertain) = site.get(&key).await;
    assert_eq!(answer, Answer::Fault);
    assert!(uncertain > 0);
}

/// A refusal rests on what was read within a second. When it can't be read, that is our fault, in the next request as well.
#[tokio::test(start_paused = true)]
async fn while_a_key_cannot_be_read_nobody_is_refused_by_what_it_was_long_ago() {
    let site = Site::open().await;
    let key = site.issue.issue().await;
    assert_eq!(site.change(&key, Change::Disable).await, 200);
    assert_eq!(site.get(&key).await.0, Answer::Unauthorized);
    assert_eq!(site.change(&key, Change::Enable).await, 200);
    tokio::time::sleep(Duration::from_secs(60)).await;
    site.break_down("GetItem", Fault::ServerError);
    for _ in 0..5 {
        assert_eq!(site.get(&key).await.0, Answer::Fault);
    }
    let reads = site.proxy.injected()[&("GetItem".to_owned(), Fault::ServerError)];
    assert_eq!(reads, 3, "and it is one read, tried three times by the SDK, and not one for each request");
    site.mend();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(site.get(&key).await.0, Answer::Allowed);
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_disabling_that_arrives_late_does_not_disable_again() {
    let site = Site::open().await;
    let mut late = 0;
    for _ in 0..20 {
        let key = site.issue.issue().await;
        // The first of the SDK's tries takes up to 8 s, and some later one comes through.
        let slow = Odds::fair(1..=5).with(Fault::Delayed, 500);
        site.proxy.set(Weather::default().on("UpdateItem", slow));
        let disabled = site.change(&key, Change::Disable).await;
        site.mend();
        if disabled == 200 && site.change(&key, Change::Enable).await == 200 {
            late += 1;
            tokio::time::sleep(Duration::from_secs(20)).await;
            assert_eq!(site.get(&key).await.0, Answer::Allowed);
        }
    }
    assert!(late >= 5, "{late}");
}

#[tokio::test]
async fn a_copy_of_an_alias_that_arrives_late_does_not_take_its_end_off() {
    let stack = Stack::start().await;
    let (store, digest, alias) = (stack.store(), digest(), alias(&stack.issue(json!({})).await).await);
    store.put_alias(&digest, &alias).await.expect("stored");
    let of = (&alias.key, alias.proof.tag.as_str());
    assert!(store.end_alias(&digest.encoded(), of, Timestamp::from_secs(5)).await.expect("ended"));
    store.put_alias(&digest, &alias).await.expect("nothing to do");
    assert!(alias_item(&stack).await.contains_key("ttl"));
}

/// The note of a rotation that broke off leads to its alias, even if that arrives only now.
#[tokio::test]
async fn an_alias_that_arrives_after_the_next_change_gets_its_end_from_a_later_one() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let (store, digest, alias) = (stack.store(), digest(), alias(&key).await);
    let now = stack.clock.now();
    let note = SecretNote {
        hint: "mbk_live_lost…".to_owned(),
        digests: BTreeMap::from([(1, digest.encoded())]),
        noted_at: now,
        created_at: now,
        created_by: "key_admin".to_owned(),
    };
    store.note_secret(&alias.key, TAG, &note).await.expect("noted");
    assert_eq!(stack.update(&key.id, &json!({ "name": "meanwhile" })).await.0, 200);
    store.put_alias(&digest, &alias).await.expect("stored");
    assert_eq!(stack.update(&key.id, &json!({ "name": "later" })).await.0, 200);
    assert!(alias_item(&stack).await.contains_key("ttl"));
}

const TAG: &str = "abcdef";

fn digest() -> Digest {
    let prefix = Prefix::parse("mbk").expect("a prefix");
    let secret = Secret::parse(&prefix, "mbk_live_0123456789abcdefghijklmnopqrstuv").expect("a secret");
    secret.digest(&Pepper::new("0123456789abcdef0123456789abcdef").expect("a pepper"))
}

/// The alias of a secret that `key` never got.
async fn alias(key: &Issued) -> Alias {
    let prefix = Prefix::parse("mbk").expect("a prefix");
    let secret = Secret::parse(&prefix, "mbk_live_0123456789abcdefghijklmnopqrstuv").expect("a secret");
    let proof = Proof { number: 2, tag: TAG.to_owned() };
    Alias { key: KeyId::parse(&key.id).expect("an id"), proof, hash: secret.hash(4).await.expect("a hash"), pepper: 1 }
}

async fn alias_item(stack: &Stack) -> HashMap<String, AttributeValue> {
    let items = stack.scan("KeysTable").await.into_iter();
    let tagged =
        |item: &HashMap<_, AttributeValue>| item.get("tag").and_then(|tag| tag.as_s().ok()).is_some_and(|tag| tag == TAG);
    items.into_iter().find(tagged).expect("the alias")
}
