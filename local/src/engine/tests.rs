//! The engine through the real SDK.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;

use super::*;

fn template() -> Template {
    Template::parse(include_str!("../template/fixture.yaml"), &BTreeMap::new()).unwrap()
}

async fn started(data_dir: Option<&Path>) -> Engine {
    let engine = Engine::start(data_dir).await.unwrap();
    engine.provision(&template()).await.unwrap();
    engine
}

async fn put(engine: &Engine, pk: &str) {
    let put = engine.dynamodb().put_item().table_name("local-Things");
    put.item("pk", AttributeValue::S(pk.to_owned())).item("owner", AttributeValue::S("o".to_owned())).send().await.unwrap();
}

async fn has(engine: &Engine, pk: &str) -> bool {
    let get = engine.dynamodb().get_item().table_name("local-Things");
    get.key("pk", AttributeValue::S(pk.to_owned())).send().await.unwrap().item.is_some()
}

async fn pepper(engine: &Engine) -> String {
    let secret = engine.secrets().get_secret_value().secret_id("local-Pepper").send().await.unwrap();
    secret.secret_string.unwrap()
}

#[tokio::test]
async fn the_template_s_tables_and_secrets_can_be_used_and_made_twice() {
    let engine = started(None).await;
    put(&engine, "a").await;
    assert!(has(&engine, "a").await && !has(&engine, "b").await);
    let query = engine.dynamodb().query().table_name("local-Things").index_name("by_owner");
    let query = query.key_condition_expression("#o = :o").expression_attribute_names("#o", "owner");
    let found = query.expression_attribute_values(":o", AttributeValue::S("o".to_owned())).send().await.unwrap();
    assert_eq!(found.count, 1);
    let ttl = engine.dynamodb().describe_time_to_live().table_name("local-Things").send().await.unwrap();
    assert_eq!(ttl.time_to_live_description.unwrap().attribute_name.as_deref(), Some("ttl"));

    let before = pepper(&engine).await;
    engine.provision(&template()).await.unwrap();
    assert_eq!(pepper(&engine).await, before, "a new pepper would lose every key");
    engine.stop().await;
}

#[tokio::test]
async fn what_is_published_to_a_topic_of_the_template_is_heard_and_nothing_else() {
    let engine = started(None).await;
    let heard = Arc::<Mutex<Vec<String>>>::default();
    let listener = Arc::clone(&heard);
    engine.listen(move |published| listener.lock().unwrap().push(published.message("email").to_owned()));
    let topic = template().topics.swap_remove(0);
    let publish = |topic: &str, message: &str| engine.sns().publish().topic_arn(topic).message(message).send();
    publish(&topic, "a & b").await.unwrap();
    let error = publish(&topic.replace("news", "other"), "lost").await.unwrap_err().into_service_error();
    assert!(error.is_not_found_exception(), "{error}");
    let error = publish(&topic, "").await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_exception(), "{error}");
    assert_eq!(*heard.lock().unwrap(), ["a & b"]);
}

#[tokio::test]
async fn two_engines_share_nothing() {
    let (one, other) = (started(None).await, started(None).await);
    put(&one, "a").await;
    assert!(!has(&other, "a").await);
    assert_ne!(pepper(&one).await, pepper(&other).await);
}

#[tokio::test]
async fn a_data_directory_survives_a_restart_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let engine = started(Some(&path)).await;
    put(&engine, "a").await;
    let before = pepper(&engine).await;
    engine.secrets().create_secret().name("later").secret_string("kept too").send().await.unwrap();
    engine.stop().await;

    let engine = started(Some(&path)).await;
    assert!(has(&engine, "a").await);
    assert_eq!(pepper(&engine).await, before);
    let later = engine.secrets().get_secret_value().secret_id("later").send().await.unwrap();
    assert_eq!(later.secret_string(), Some("kept too"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for file in std::fs::read_dir(&path).unwrap() {
            assert_eq!(mode(&file.unwrap().path()), 0o600);
        }
    }
    engine.stop().await;
}

#[tokio::test]
async fn a_data_directory_has_one_user_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = started(Some(folder.path())).await;
    let error = Engine::start(Some(folder.path())).await.err().unwrap();
    assert!(matches!(error, EngineError::InUse { .. }) && error.to_string().contains("another process"), "{error}");
    first.stop().await;
    assert!(Engine::start(Some(folder.path())).await.is_ok());
}

#[tokio::test]
async fn broken_secrets_are_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets.json");
    std::fs::write(&file, "{").unwrap();
    let error = Engine::start(Some(folder.path())).await.err().unwrap();
    assert!(matches!(error, EngineError::Secrets { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
}

#[tokio::test]
async fn a_kept_table_of_another_shape_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    started(Some(folder.path())).await.stop().await;
    let engine = Engine::start(Some(folder.path())).await.unwrap();
    let mut changed = template();
    changed.tables[0].indexes.clear();
    let error = engine.provision(&changed).await.unwrap_err();
    assert!(matches!(error, EngineError::TableChanged { .. }), "{error}");
}

/// In the project, the deployed template itself; this crate alone is tested on the fixture only.
#[tokio::test]
async fn the_deployed_template_can_be_provisioned() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    if !path.exists() {
        return;
    }
    let template = Template::read(&path, &BTreeMap::new()).unwrap();
    let engine = Engine::start(None).await.unwrap();
    engine.provision(&template).await.unwrap();
    engine.provision(&template).await.unwrap();
    let tables = engine.dynamodb().list_tables().send().await.unwrap();
    assert_eq!(tables.table_names().len(), template.tables.len());
    let secret = engine.secrets().get_secret_value().secret_id(&template.secrets[0].id).send().await.unwrap();
    assert!(secret.secret_string().is_some());
}
