//! Stored items, read as hostile input and measured as DynamoDB measures them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    base62,
    error::Fault,
    record::{MOST_GENERATIONS, TAG_LENGTH},
    time::Timestamp,
};

/// The largest number that any item holds. Nothing here ever counts that far, so a larger one is damage; and whatever is
/// added to one that was read is far from overflowing. All up to this are exact in JSON as everybody reads it, too.
pub const LARGEST: u64 = (1 << 53) - 1;

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

    /// Fails if the item is in a form that this code doesn't know, of which `newest` is the number of the newest. An item
    /// without a number is in the first one: only the hot item has had a number from the beginning.
    ///
    /// # Errors
    /// A [`Fault`] that says which form it is.
    pub fn known_form(&self, newest: u64) -> Result<(), Fault> {
        match self.optional_number("schema")?.unwrap_or(1) {
            0 => Err(self.corrupt("schema 0 has never been written")),
            schema if schema > newest => {
                Err(self.corrupt(format_args!("schema {schema} is newer than {newest}, the newest known here")))
            }
            _ => Ok(()),
        }
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

    /// A whole number from 0 to [`LARGEST`], if the attribute is there.
    ///
    /// # Errors
    /// A [`Fault`] if it is there and something else.
    pub fn optional_number(&self, name: &str) -> Result<Option<u64>, Fault> {
        let invalid = || self.corrupt(format_args!("{name} is not a whole number from 0 to {LARGEST}"));
        match self.attributes.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => {
                digits.parse().ok().filter(|number| *number <= LARGEST).map(Some).ok_or_else(invalid)
            }
            Some(_) => Err(invalid()),
        }
    }

    /// A whole number from 0 to [`LARGEST`].
    ///
    /// # Errors
    /// A [`Fault`] if there is none.
    pub fn number(&self, name: &str) -> Result<u64, Fault> {
        self.optional_number(name)?.ok_or_else(|| self.corrupt(format_args!("{name} is missing")))
    }

    /// The number of a generation: they count up from 1.
    ///
    /// # Errors
    /// A [`Fault`] if there is none, or it is out of range.
    pub fn generation(&self, name: &str) -> Result<u32, Fault> {
        let number = u32::try_from(self.number(name)?).ok().filter(|number| (1..=MOST_GENERATIONS).contains(number));
        number.ok_or_else(|| self.corrupt(format_args!("{name} is out of range")))
    }

    /// The number of a pepper; 0 if there is none.
    ///
    /// # Errors
    /// A [`Fault`] if it is out of range.
    pub fn pepper(&self, name: &str) -> Result<u32, Fault> {
        let number = u32::try_from(self.optional_number(name)?.unwrap_or(0)).ok();
        number.ok_or_else(|| self.corrupt(format_args!("{name} is out of range")))
    }

    /// The tag of a generation.
    ///
    /// # Errors
    /// A [`Fault`] if there is none, or it hasn't the form of one.
    pub fn tag(&self, name: &str) -> Result<&'a str, Fault> {
        let tag = self.text(name)?;
        // A text of another form would prove nothing, and the secret that carries it would be taken for an unknown one.
        let valid = tag.len() == TAG_LENGTH && base62::is_base62(tag);
        valid.then_some(tag).ok_or_else(|| self.corrupt(format_args!("{name} is invalid")))
    }

    /// Whether a mark is there.
    ///
    /// # Errors
    /// A [`Fault`] if it is there and neither true nor false.
    pub fn flag(&self, name: &str) -> Result<bool, Fault> {
        match self.attributes.get(name) {
            None => Ok(false),
            Some(AttributeValue::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.corrupt(format_args!("{name} is neither true nor false"))),
        }
    }

    /// A moment, in seconds since the epoch, if the attribute is there.
    ///
    /// # Errors
    /// A [`Fault`] if it is there and something else.
    pub fn optional_time(&self, name: &str) -> Result<Option<Timestamp>, Fault> {
        Ok(self.optional_number(name)?.map(Timestamp::from_secs))
    }

    /// A list. One that has gone is not taken for an empty one: no networks would be all networks.
    ///
    /// # Errors
    /// A [`Fault`] if there is none.
    pub fn list(&self, name: &str) -> Result<&'a [AttributeValue], Fault> {
        match self.attributes.get(name) {
            Some(AttributeValue::L(values)) => Ok(values),
            _ => Err(self.corrupt(format_args!("{name} is missing or not a list"))),
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

    /// A map. One that has gone is not taken for an empty one: no limits would be no limit.
    ///
    /// # Errors
    /// A [`Fault`] if there is none.
    pub fn map(&self, name: &str) -> Result<&'a Attributes, Fault> {
        match self.attributes.get(name) {
            Some(AttributeValue::M(map)) => Ok(map),
            _ => Err(self.corrupt(format_args!("{name} is missing or not a map"))),
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
