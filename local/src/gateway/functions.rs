//! The functions behind an API, under the ids that its routes name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use shared::imported::ImportPrefixes;

use super::GatewayError;
use crate::Invoke;
use crate::template::{FunctionBlock, Template};

/// A template's functions, whichever API they are behind.
pub(super) struct Functions {
    pub(super) template: Arc<Template>,
    /// By the names of their binaries.
    by_binary: BTreeMap<String, Invoke>,
    /// What secrets begin with that the template accepts from elsewhere.
    pub(super) import_prefixes: ImportPrefixes,
}

impl Functions {
    pub(super) fn new(template: Arc<Template>, by_binary: BTreeMap<String, Invoke>) -> Result<Self, GatewayError> {
        match template.functions.iter().find(|block| !by_binary.contains_key(&block.binary)) {
            None => {
                let configured = template.functions.iter().find_map(|block| block.variable("IMPORT_PREFIXES"));
                let import_prefixes = configured.as_deref().and_then(ImportPrefixes::parse).unwrap_or_default();
                Ok(Self { template, by_binary, import_prefixes })
            }
            Some(block) => {
                Err(GatewayError::MissingFunction { function: block.logical_id.clone(), binary: block.binary.clone() })
            }
        }
    }

    pub(super) fn get(&self, logical_id: &str) -> Option<(&FunctionBlock, &Invoke)> {
        let block = self.template.functions.iter().find(|block| block.logical_id == logical_id)?;
        Some((block, self.by_binary.get(&block.binary)?))
    }
}

/// How long Lambda lets a function run.
pub(super) fn timeout(block: &FunctionBlock) -> Duration {
    Duration::from_secs(block.timeout_seconds.into())
}
