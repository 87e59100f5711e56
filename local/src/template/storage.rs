//! Tables and secrets, in the words of the calls that create them.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use serde::Deserialize;
use serde_json::Value;

use super::{TemplateError, api::flag, names, scope::Scope};

/// One DynamoDB table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableBlock {
    /// The resource's logical id.
    pub logical_id: String,
    /// The table's name, which is what `!Ref` gives to functions.
    pub name: String,
    /// Types of the key attributes.
    pub attributes: Vec<AttributeDefinition>,
    /// The table's key.
    pub key_schema: Vec<KeySchemaElement>,
    /// Global secondary indexes with their projections.
    pub indexes: Vec<GlobalSecondaryIndex>,
    /// The attribute with the second at which an item may be deleted.
    pub ttl_attribute: Option<String>,
}

/// One Secrets Manager secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretBlock {
    /// The resource's logical id.
    pub logical_id: String,
    /// The secret's name, which is what `!Ref` gives to functions here.
    pub id: String,
    /// The value written in the template.
    pub value: Option<String>,
    /// How to generate the value.
    pub generate: Option<GenerateSecretString>,
}

/// `GenerateSecretString`, with CloudFormation's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GenerateSecretString {
    /// A JSON object that the generated text is put into.
    pub secret_string_template: Option<String>,
    /// The key under which it is put there.
    pub generate_string_key: Option<String>,
    /// How many characters to generate.
    pub password_length: u32,
    /// Characters that must not appear.
    pub exclude_characters: String,
    /// Whether to leave out `a`–`z`.
    pub exclude_lowercase: bool,
    /// Whether to leave out `A`–`Z`.
    pub exclude_uppercase: bool,
    /// Whether to leave out `0`–`9`.
    pub exclude_numbers: bool,
    /// Whether to leave out punctuation.
    pub exclude_punctuation: bool,
    /// Whether to include the space.
    pub include_space: bool,
    /// Whether each kind that isn't left out must appear.
    pub require_each_included_type: bool,
}

impl Default for GenerateSecretString {
    fn default() -> Self {
        Self {
            secret_string_template: None,
            generate_string_key: None,
            password_length: 32,
            exclude_characters: String::new(),
            exclude_lowercase: false,
            exclude_uppercase: false,
            exclude_numbers: false,
            exclude_punctuation: false,
            include_space: false,
            require_each_included_type: true,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    index_name: String,
    key_schema: Vec<Key>,
    projection: IndexProjection,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexProjection {
    projection_type: String,
    non_key_attributes: Option<Vec<String>>,
}

pub(super) fn tables(scope: &Scope) -> Result<Vec<TableBlock>, TemplateError> {
    scope.of_type("AWS::DynamoDB::Table").map(|(id, resource)| table(scope, id, &resource["Properties"])).collect()
}

fn table(scope: &Scope, id: &str, properties: &Value) -> Result<TableBlock, TemplateError> {
    if properties.get("LocalSecondaryIndexes").is_some() {
        return Err(TemplateError::unsupported(id, "a local secondary index"));
    }
    let wrong = |e: aws_sdk_dynamodb::error::BuildError| TemplateError::shape(id, e.to_string());
    let attributes: Vec<Attribute> = scope.read(id, properties, "AttributeDefinitions")?.unwrap_or_default();
    let key: Vec<Key> = scope.read(id, properties, "KeySchema")?.unwrap_or_default();
    let indexes: Vec<Index> = scope.read(id, properties, "GlobalSecondaryIndexes")?.unwrap_or_default();
    let ttl: Value = scope.read(id, properties, "TimeToLiveSpecification")?.unwrap_or_default();
    let attribute = |item: Attribute| {
        AttributeDefinition::builder()
            .attribute_name(item.attribute_name)
            .attribute_type(ScalarAttributeType::from(item.attribute_type.as_str()))
            .build()
            .map_err(wrong)
    };
    Ok(TableBlock {
        logical_id: id.to_owned(),
        name: names::reference(scope, id)?.unwrap_or_default(),
        attributes: attributes.into_iter().map(attribute).collect::<Result<_, _>>()?,
        key_schema: key_schema(id, key)?,
        indexes: indexes.into_iter().map(|item| index(id, item)).collect::<Result<_, _>>()?,
        ttl_attribute: (flag(&ttl["Enabled"]) == Some(true)).then(|| ttl["AttributeName"].as_str().map(str::to_owned)).flatten(),
    })
}

fn key_schema(id: &str, keys: Vec<Key>) -> Result<Vec<KeySchemaElement>, TemplateError> {
    let element = |key: Key| {
        KeySchemaElement::builder()
            .attribute_name(key.attribute_name)
            .key_type(KeyType::from(key.key_type.as_str()))
            .build()
            .map_err(|e| TemplateError::shape(id, e.to_string()))
    };
    keys.into_iter().map(element).collect()
}

fn index(id: &str, index: Index) -> Result<GlobalSecondaryIndex, TemplateError> {
    let projection = Projection::builder()
        .projection_type(ProjectionType::from(index.projection.projection_type.as_str()))
        .set_non_key_attributes(index.projection.non_key_attributes)
        .build();
    GlobalSecondaryIndex::builder()
        .index_name(index.index_name)
        .set_key_schema(Some(key_schema(id, index.key_schema)?))
        .projection(projection)
        .build()
        .map_err(|e| TemplateError::shape(id, e.to_string()))
}

pub(super) fn secrets(scope: &Scope) -> Result<Vec<SecretBlock>, TemplateError> {
    let secret = |(id, resource): (&String, &Value)| {
        let properties = &resource["Properties"];
        Ok(SecretBlock {
            logical_id: id.clone(),
            id: names::reference(scope, id)?.unwrap_or_default(),
            value: scope.text(id, properties, "SecretString")?,
            generate: scope.read(id, properties, "GenerateSecretString")?,
        })
    };
    scope.of_type("AWS::SecretsManager::Secret").map(secret).collect()
}
