//! Promise 5: never a gap. At every instant of a rotation a secret that the caller has works until its grace ends.

use serde_json::json;
use shared::{config::SecretConfig, id::KeyId, imported::ImportPrefixes, key::Environment, key::Prefix, mint::Mint};
use tests::{Answer, Stack, stack::issued};

#[tokio::test]
async fn both_secrets_work_through_the_grace_and_then_the_new_one() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    let (status, rotated) = stack.rotate(&key.id, &json!({ "grace_seconds": 100 })).await;
    let new = issued(&rotated);
    assert_eq!((status, &new.id), (200, &key.id), "an id never changes");
    for secret in [&key.secret, &new.secret] {
        assert_eq!(instance.get(secret).await, Answer::Allowed);
    }
    stack.clock.advance(99);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    stack.clock.advance(1);
    assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
    assert_eq!(instance.get(&new.secret).await, Answer::Allowed);
    let shown = stack.show(&key.id).await;
    assert_eq!(shown["generations"][0]["uses"], 3, "who still uses the old secret can be seen");
    assert_eq!(shown["total_uses"], 5);
}

#[tokio::test]
async fn without_a_grace_the_old_secret_ends_at_once() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    let (_, rotated) = stack.rotate(&key.id, &json!({ "grace_seconds": 0 })).await;
    assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
    assert_eq!(instance.get(&issued(&rotated).secret).await, Answer::Allowed);
}

#[tokio::test]
async fn a_lost_response_locks_nobody_out() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    let (_, lost) = stack.rotate(&key.id, &json!({})).await;
    let (status, again) = stack.rotate(&key.id, &json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    assert_eq!(instance.get(&issued(&again).secret).await, Answer::Allowed);
    assert_eq!(instance.get(&issued(&lost).secret).await, Answer::Unauthorized, "nobody has it, and it was replaced");
    assert_eq!(again["generations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn while_both_secrets_are_in_use_only_force_ends_the_older() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    let second = issued(&stack.rotate(&key.id, &json!({})).await.1);
    assert_eq!(instance.get(&second.secret).await, Answer::Allowed);
    let stored = stack.scan("KeysTable").await.len() + stack.scan("AuditTable").await.len();
    let (status, problem) = stack.rotate(&key.id, &json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("rotation_in_progress")));
    assert_eq!(stack.scan("KeysTable").await.len() + stack.scan("AuditTable").await.len(), stored);
    for secret in [&key.secret, &second.secret] {
        assert_eq!(instance.get(secret).await, Answer::Allowed, "a refused rotation changes nothing");
    }
    let (status, forced) = stack.rotate(&key.id, &json!({ "force": true })).await;
    assert_eq!(status, 200);
    assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
    for secret in [&second.secret, &issued(&forced).secret] {
        assert_eq!(instance.get(secret).await, Answer::Allowed);
    }
}

#[tokio::test]
async fn the_first_use_of_the_new_secret_can_end_the_old_one() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let (old, new) = (stack.instance().await, stack.instance().await);
    let rotated = issued(&stack.rotate(&key.id, &json!({ "until_first_use": true })).await.1);
    assert_eq!(old.get(&key.secret).await, Answer::Allowed);
    assert_eq!(new.get(&rotated.secret).await, Answer::Allowed);
    assert_eq!(old.get(&key.secret).await, Answer::Unauthorized, "on an instance that hasn't seen the new one used");
}

#[tokio::test]
async fn an_expired_key_can_be_rotated_back_to_life() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({ "expires_at": stack.clock.now().plus(10) })).await;
    stack.clock.advance(10);
    let (status, problem) = stack.rotate(&key.id, &json!({})).await;
    assert_eq!((status, &problem["field"]), (400, &json!("expires_at")));
    let (status, rotated) = stack.rotate(&key.id, &json!({ "expires_at": null })).await;
    assert_eq!(status, 200);
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Unauthorized);
    assert_eq!(instance.get(&issued(&rotated).secret).await, Answer::Allowed);
}

/// The alias of a rotation that broke off before its commit has the number of the next one. It stays nothing.
#[tokio::test]
async fn a_secret_that_was_never_committed_never_works() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let (prefix, imported) = (Prefix::parse("mbk").unwrap(), ImportPrefixes::default());
    let config = SecretConfig { pepper_secret: stack.pepper_secret(), prefix, imported, bcrypt_cost: 4 };
    let mint = Mint::new(config, stack.peppers(), stack.clock.host(&stack.lines));
    let secret = mint.generate(Environment::Live).unwrap();
    let orphan = mint.mint(secret, &KeyId::parse(&key.id).unwrap(), 2, "test").await.unwrap();
    stack.store().put_alias(&orphan.digest, &orphan.alias).await.unwrap();
    let instance = stack.instance().await;
    assert_eq!(instance.get(orphan.secret.expose()).await, Answer::Unauthorized);
    let rotated = issued(&stack.rotate(&key.id, &json!({})).await.1);
    assert_eq!(instance.get(orphan.secret.expose()).await, Answer::Unauthorized);
    assert_eq!(stack.instance().await.get(orphan.secret.expose()).await, Answer::Unauthorized);
    assert_eq!(instance.get(&rotated.secret).await, Answer::Allowed);
}

#[tokio::test]
async fn a_new_secret_works_on_instances_that_know_the_key() {
    let stack = Stack::start().await;
    let key = stack.issue(json!({})).await;
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    for _ in 0..3 {
        let rotated = issued(&stack.rotate(&key.id, &json!({ "grace_seconds": 0 })).await.1);
        assert_eq!(instance.get(&rotated.secret).await, Answer::Allowed, "within the same second");
    }
}

#[tokio::test]
async fn of_rotations_at_once_one_wins_and_the_key_keeps_working() {
    let stack = std::sync::Arc::new(Stack::start().await);
    let key = stack.issue(json!({})).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (stack, id) = (stack.clone(), key.id.clone());
            tokio::spawn(async move { stack.rotate(&id, &json!({})).await })
        })
        .collect();
    let mut last = None;
    for task in tasks {
        let (status, answer) = task.await.unwrap();
        assert!(status == 200 || answer["code"] == "changed_meanwhile", "{answer}");
        if status == 200
            && last.as_ref().is_none_or(|last: &serde_json::Value| answer["version"].as_u64() > last["version"].as_u64())
        {
            last = Some(answer);
        }
    }
    let instance = stack.instance().await;
    assert_eq!(instance.get(&key.secret).await, Answer::Allowed);
    assert_eq!(instance.get(&issued(&last.unwrap()).secret).await, Answer::Allowed);
}

/// The worst that tidying up could do: give an end to the alias of a secret that lives on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_mix_of_changes_gives_the_alias_of_the_newest_secret_an_end() {
    let stack = std::sync::Arc::new(Stack::start().await);
    let key = stack.issue(json!({})).await;
    for round in 0..6 {
        let tasks: Vec<_> = (0..10)
            .map(|task| {
                let (stack, id) = (stack.clone(), key.id.clone());
                tokio::spawn(async move {
                    match task % 5 {
                        0..=2 => stack.rotate(&id, &json!({ "grace_seconds": 60 })).await,
                        3 => stack.update(&id, &json!({ "name": format!("{round} {task}") })).await,
                        _ => stack.manage("POST", "/v1/keys/{id}/disable", Some(&id), &json!({})).await,
                    }
                })
            })
            .collect();
        for task in tasks {
            let (status, answer) = task.await.unwrap();
            assert!(status == 200 || answer["code"] == "changed_meanwhile", "{answer}");
        }
        let record = stack.record(&key.id).await;
        let newest = record.generations.iter().max_by_key(|generation| generation.number).unwrap();
        let items = stack.scan("KeysTable").await;
        let alias = items.iter().find(|item| item.get("tag").is_some_and(|tag| tag.as_s().unwrap() == &newest.tag));
        assert!(!alias.expect("the newest secret's alias").contains_key("ttl"), "round {round}");
    }
}
