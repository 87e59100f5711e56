//! Stored items, read as hostile input and measured as DynamoDB measures them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{error::Fault, time::Timestamp};

/// An item's attributes by name.
pub type Attributes = HashMap<String, AttributeValue>;

/// A reader of one item, or of a map in it, that names what is wrong and never panics.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    kind: &'static str,
    attributes: &'a Attributes,
}

impl<'a> Reader<'a> {
    /// A reader of `attributes`; `kind` names the item in faults.
    #[must_use]
    pub const fn new(kind: &'static str, attributes: &'a Attributes) -> Self {
        Self { kind, attributes }
    }

    /// A fault that says what is wrong with this item.
    #[must_use]
    pub fn corrupt(&self, what: impl std::fmt::Display) -> Fault {
        Fault::corrupt(self.kind, what)
    }

    /// A text, if the attribute is there.
    ///
    /// # Errors
    /// A [`Fault`] if it is there and not a text.
    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(self.corrupt(format_args!("{name} is not a text"))),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// A [`Fault`] if there is none.
    pub fn text(&self, name: &str) -> Result<&'a str, Fault> {
        self.optional_text(name)?.ok_or_else(|| self.corrupt(format_args!("{name} is missing")))
    }

    /// A text that `parse` understands.
    ///
    /// # Errors
    /// A [`Fault`] if there is none, or another.
    pub fn parsed<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Fault> {
        parse(self.text(name)?).ok_or_else(|| self.corrupt(format_args!("{name} is invalid")))
    }

    /// A whole number of at least 0, if the attribute is there.
    ///
    /// # Errors
    /// A [`Fault`] if it is there and something else.
    pub fn optional_number(&self, name: &str) -> Result<Option<u64>, Fault> {
        let invalid = || self.corrupt(format_args!("{name} is not a whole number"));
        match self.attributes.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => digits.parse().map(Some).map_err(|_| invalid()),
            Some(_) => Err(invalid()),
        }
    }

    /// A whole number of at least 0.
    ///
    /// # Errors
    /// A [`Fault`] if there is none.
    pub fn number(&self, name: &str) -> Result<u64, Fault> {
        self.optional_number(name)?.ok_or_else(|| self.corrupt(format_args!("{name} is missing")))
    }

    /// A moment, in seconds since the epoch, if the attribute is there.
    ///
    /// # Errors
    /// A [`Fault`] if it is there and something else.
    pub fn optional_time(&self, name: &str) -> Result<Option<Timestamp>, Fault> {
        Ok(self.optional_number(name)?.map(Timestamp::from_secs))
    }

    /// A list; one that isn't there is empty.
    ///
    /// # Errors
    /// A [`Fault`] if it is there and not a list.
    pub fn list(&self, name: &str) -> Result<&'a [AttributeValue], Fault> {
        match self.attributes.get(name) {
            None => Ok(&[]),
            Some(AttributeValue::L(values)) => Ok(values),
            Some(_) => Err(self.corrupt(format_args!("{name} is not a list"))),
        }
    }

    /// A list of texts that `parse` understands.
    ///
    /// # Errors
    /// A [`Fault`] if it holds anything else.
    pub fn parsed_list<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Fault> {
        let read = |value: &AttributeValue| value.as_s().ok().and_then(|text| parse(text));
        let values: Option<Vec<T>> = self.list(name)?.iter().map(read).collect();
        values.ok_or_else(|| self.corrupt(format_args!("{name} holds an invalid value")))
    }

    /// A map as a reader of its own; one that isn't there is none.
    ///
    /// # Errors
    /// A [`Fault`] if it is there and not a map.
    pub fn map(&self, name: &str) -> Result<Option<&'a Attributes>, Fault> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(AttributeValue::M(map)) => Ok(Some(map)),
            Some(_) => Err(self.corrupt(format_args!("{name} is not a map"))),
        }
    }
}

/// An item's size in bytes, by the rules of the DynamoDB developer guide ("Item sizes and formats").
#[must_use]
pub fn size(attributes: &Attributes) -> usize {
    attributes.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

/// A value's size in bytes, by the same rules.
#[must_use]
pub fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.len() + size(map),
        // Only null and boolean values remain among the types that items here have.
        _ => 1,
    }
}
