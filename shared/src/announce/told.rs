//! What one kind of news has to say. Each kind is a file beside this one and a variant of [`News`](super::News).

use std::borrow::Cow;

use serde_json::Value;

use super::Announcement;

/// All that is particular to one kind of news.
pub trait Told {
    /// Its name, by which subscriptions choose. It never changes its meaning.
    fn event(&self) -> &'static str;

    /// What tells two pieces of this news of one key apart, as the number of a generation or a day; empty if a key has only one of
    /// them in its life. What is announced again because an answer was lost has the same.
    fn occasion(&self) -> String;

    /// What became of the key, for a subject: `rotated`.
    fn verb(&self) -> Cow<'static, str>;

    /// What programs are told beside the key, as members of the document.
    fn fields(&self) -> Vec<(&'static str, Value)>;

    /// What the first sentence of the text says of the key: `has a new secret`.
    fn headline(&self) -> Cow<'static, str>;

    /// The rows of the text beside that of the key, each of a name and a value. Values are made printable for them.
    fn rows(&self, of: &Announcement) -> Vec<(&'static str, String)>;

    /// What it means and what to do: paragraphs, the last of which is the [`Command`](super::command::Command) that mends it.
    fn to_do(&self, of: &Announcement) -> String;
}
