//! One published message, and the rules that SNS has for it.

use std::collections::BTreeMap;

use http::StatusCode;

/// The most bytes of a message.
const LARGEST: usize = 256 * 1024;
/// Subjects are shorter than this, in characters.
const SUBJECT_LIMIT: usize = 100;

/// A message as it reaches the topic's subscriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The topic's ARN.
    pub topic: String,
    /// The subject of mails.
    pub subject: Option<String>,
    /// By what filter policies choose; texts only.
    pub attributes: BTreeMap<String, String>,
    messages: BTreeMap<String, String>,
}

/// Why a message isn't taken.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

impl Published {
    /// What a subscription by that protocol gets, such as `email` or `sqs`.
    #[must_use]
    pub fn message(&self, protocol: &str) -> &str {
        self.messages.get(protocol).or_else(|| self.messages.get("default")).map(String::as_str).unwrap_or_default()
    }

    /// Reads the form that a call of `Publish` is.
    pub(crate) fn read(form: &[u8]) -> Result<Self, Refusal> {
        let mut fields: BTreeMap<_, _> = form_urlencoded::parse(form).into_owned().collect();
        if fields.get("Action").is_none_or(|action| action != "Publish") {
            return Err(refusal("InvalidAction", "Only Publish is known here"));
        }
        let mut field = |name: &str| fields.remove(name).filter(|value| !value.is_empty());
        let topic = field("TopicArn").ok_or_else(|| invalid("TopicArn"))?;
        let subject = field("Subject");
        if subject.as_deref().is_some_and(|subject| !is_subject(subject)) {
            return Err(invalid("Subject"));
        }
        let message = field("Message").filter(|message| message.len() <= LARGEST).ok_or_else(|| invalid("Message"))?;
        let messages = match field("MessageStructure").as_deref() {
            None => BTreeMap::from([("default".to_owned(), message)]),
            Some("json") => by_protocol(&message).ok_or_else(|| invalid("Message Structure"))?,
            Some(_) => return Err(invalid("MessageStructure")),
        };
        let mut attributes = BTreeMap::new();
        for number in 1.. {
            let mut part = |name: &str| field(&format!("MessageAttributes.entry.{number}.{name}"));
            let Some(name) = part("Name") else { break };
            let is_text = part("Value.DataType").is_some_and(|kind| kind == "String");
            let value = part("Value.StringValue").filter(|_| is_text).ok_or_else(|| invalid("MessageAttributes"))?;
            if attributes.insert(name, value).is_some() {
                return Err(invalid("MessageAttributes"));
            }
        }
        Ok(Self { topic, subject, attributes, messages })
    }
}

fn refusal(code: &'static str, message: &'static str) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, code, message }
}

/// `parameter` is at fault.
fn invalid(parameter: &'static str) -> Refusal {
    refusal("InvalidParameter", parameter)
}

/// As [the API's reference](https://docs.aws.amazon.com/sns/latest/api/API_Publish.html) has it.
fn is_subject(text: &str) -> bool {
    let begins = text.chars().next().is_some_and(|first| first.is_ascii_graphic());
    begins && text.is_ascii() && text.len() < SUBJECT_LIMIT && !text.chars().any(char::is_control)
}

/// A text for each protocol, one of them for all others.
fn by_protocol(message: &str) -> Option<BTreeMap<String, String>> {
    let messages: BTreeMap<String, String> = serde_json::from_str(message).ok()?;
    messages.contains_key("default").then_some(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(more: &[(&str, &str)]) -> Vec<u8> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "Publish").append_pair("TopicArn", "arn").extend_pairs(more);
        form.finish().into_bytes()
    }

    #[test]
    fn each_protocol_gets_its_own_message_or_the_default() {
        let messages = r#"{"default": "for all", "email": "for people"}"#;
        let published = Published::read(&form(&[("Message", messages), ("MessageStructure", "json")])).unwrap();
        assert_eq!((published.message("email"), published.message("sqs")), ("for people", "for all"));
        let published = Published::read(&form(&[("Message", messages)])).unwrap();
        assert_eq!(published.message("email"), messages, "without a structure it is a text");
    }

    #[test]
    fn what_sns_would_refuse_is_refused() {
        let json = ("MessageStructure", "json");
        let attribute = |value| [("Message", "m"), ("MessageAttributes.entry.1.Name", "owner"), value];
        for (fields, at_fault) in [
            (vec![], "Message"),
            (vec![("Message", ""), ("Subject", "s")], "Message"),
            (vec![("Message", "m"), ("Subject", "two\nlines")], "Subject"),
            (vec![("Message", "m"), ("Subject", "Schl\u{fc}ssel")], "Subject"),
            (vec![("Message", "m"), ("Subject", &"s".repeat(100))], "Subject"),
            (vec![("Message", "no JSON"), json], "Message Structure"),
            (vec![("Message", r#"{"email": "and no default"}"#), json], "Message Structure"),
            (vec![("Message", r#"{"default": {"not": "a text"}}"#), json], "Message Structure"),
            (attribute(("MessageAttributes.entry.1.Value.DataType", "String")).to_vec(), "MessageAttributes"),
        ] {
            assert_eq!(Published::read(&form(&fields)).unwrap_err().message, at_fault, "{fields:?}");
        }
        assert_eq!(Published::read(b"Action=Subscribe").unwrap_err().code, "InvalidAction");
    }
}
