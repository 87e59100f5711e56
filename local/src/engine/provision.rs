//! What CloudFormation does at the first deployment: makes the tables and secrets that don't exist yet.

use aws_sdk_dynamodb::types::{BillingMode, TableDescription, TimeToLiveSpecification};

use super::{EngineError, password};
use crate::template::{SecretBlock, TableBlock, Template};

/// Makes the template's tables and secrets where they don't exist.
pub(super) async fn all(
    template: &Template,
    dynamodb: &aws_sdk_dynamodb::Client,
    secrets: &aws_sdk_secretsmanager::Client,
) -> Result<(), EngineError> {
    for block in &template.tables {
        table(dynamodb, block).await?;
    }
    for block in &template.secrets {
        secret(secrets, block).await?;
    }
    Ok(())
}

/// Makes a table, or checks that the existing one is the template's.
async fn table(client: &aws_sdk_dynamodb::Client, block: &TableBlock) -> Result<(), EngineError> {
    let refused = |e| EngineError::refused(&block.name, e);
    match client.describe_table().table_name(&block.name).send().await {
        Ok(found) if found.table().is_some_and(|table| is_same(table, block)) => return Ok(()),
        Ok(_) => {
            return Err(EngineError::TableChanged { table: block.name.clone() });
        }
        Err(error) => match error.into_service_error() {
            error if error.is_resource_not_found_exception() => {}
            error => return Err(EngineError::refused(&block.name, error)),
        },
    }
    client
        .create_table()
        .table_name(&block.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(block.attributes.clone()))
        .set_key_schema(Some(block.key_schema.clone()))
        .set_global_secondary_indexes((!block.indexes.is_empty()).then(|| block.indexes.clone()))
        .send()
        .await
        .map_err(refused)?;
    if let Some(attribute) = &block.ttl_attribute {
        let specification = TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true).build();
        let specification = specification.map_err(|e| EngineError::refused(&block.name, e))?;
        client
            .update_time_to_live()
            .table_name(&block.name)
            .time_to_live_specification(specification)
            .send()
            .await
            .map_err(|e| EngineError::refused(&block.name, e))?;
    }
    Ok(())
}

/// Keys and indexes can't be changed in place, so a difference means another table.
fn is_same(table: &TableDescription, block: &TableBlock) -> bool {
    let mut kept: Vec<_> = table
        .global_secondary_indexes()
        .iter()
        .map(|index| (index.index_name(), index.key_schema(), index.projection()))
        .collect();
    let mut wanted: Vec<_> =
        block.indexes.iter().map(|index| (Some(index.index_name()), index.key_schema(), index.projection())).collect();
    kept.sort_by_key(|index| index.0);
    wanted.sort_by_key(|index| index.0);
    table.key_schema() == block.key_schema && kept == wanted
}

/// Makes a secret with its value, unless it exists: a kept pepper is never replaced.
async fn secret(client: &aws_sdk_secretsmanager::Client, block: &SecretBlock) -> Result<(), EngineError> {
    match client.describe_secret().secret_id(&block.id).send().await {
        Ok(_) => return Ok(()),
        Err(error) => match error.into_service_error() {
            error if error.is_resource_not_found_exception() => {}
            error => return Err(EngineError::refused(&block.id, error)),
        },
    }
    let value = match (&block.value, &block.generate) {
        (Some(value), None) => value.clone(),
        (None, Some(rules)) => password::secret_string(&block.id, rules)?,
        // Secrets Manager allows a secret without a value; one with both isn't a template.
        (None, None) => String::new(),
        (Some(_), Some(_)) => {
            let reason = "it has SecretString as well".to_owned();
            return Err(EngineError::Generate { name: block.id.clone(), reason });
        }
    };
    let value = (!value.is_empty()).then_some(value);
    let created = client.create_secret().name(&block.id).set_secret_string(value).send().await;
    created.map(|_| ()).map_err(|e| EngineError::refused(&block.id, e))
}
