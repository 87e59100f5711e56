//! What can be wrong with a template, and what to do about it.

use std::path::PathBuf;

/// Why a template can't be served locally. Each message says what to change.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file can't be read.
    #[error("can't read the template {path}: {source}; run from the project's folder or name another file")]
    Read {
        /// The path that was tried.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The text isn't YAML.
    #[error("the template isn't valid YAML: {0}; `sam validate --lint` shows the place")]
    Yaml(#[from] serde_norway::Error),
    /// A value has another shape than SAM defines.
    #[error("{at}: {problem}; correct it in the template")]
    Shape {
        /// The logical id and property.
        at: String,
        /// What was found or expected.
        problem: String,
    },
    /// An override names a parameter that doesn't exist.
    #[error("the template has no parameter {name:?}; it has: {known}")]
    UnknownParameter {
        /// The name given.
        name: String,
        /// The names that exist, comma-separated.
        known: String,
    },
    /// A parameter has neither a default nor an override.
    #[error("the parameter {name} has no default; give it a value")]
    MissingParameter {
        /// The parameter's name.
        name: String,
    },
    /// A parameter's value breaks one of its own rules.
    #[error("the parameter {name} can't be {value:?}: {rule}; give it another value")]
    Parameter {
        /// The parameter's name.
        name: String,
        /// The value that was refused.
        value: String,
        /// The rule, as a sentence.
        rule: String,
    },
    /// `Ref`, `Fn::GetAtt` or `Fn::Sub` names nothing, or something that its condition leaves out.
    #[error(
        "{name:?} is referred to, but is no parameter or resource of this template under its conditions; correct the name or the condition"
    )]
    UnknownReference {
        /// The name as written.
        name: String,
    },
    /// `Fn::ImportValue` names what the other template doesn't export under its conditions.
    #[error("{name:?} is imported, but no output of the other template exports it; correct the name, or export it there")]
    UnknownImport {
        /// The export's name.
        name: String,
    },
    /// A condition is missing or refers to itself.
    #[error("the condition {name:?} is missing or refers to itself; correct it under `Conditions`")]
    Condition {
        /// The condition's name.
        name: String,
    },
    /// Something that works on AWS and would silently differ here.
    #[error("{at}: {what} isn't emulated locally; remove it, or test it on AWS")]
    Unsupported {
        /// The logical id and property.
        at: String,
        /// What it is.
        what: String,
    },
}

impl TemplateError {
    pub(crate) fn shape(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Shape { at: at.into(), problem: problem.into() }
    }

    pub(crate) fn unsupported(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Unsupported { at: at.into(), what: what.into() }
    }
}
