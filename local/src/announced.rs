//! What is published, for a terminal: who would get it, and the mail that it would be.

use std::iter;

use crate::engine::Published;

/// Each line of it begins with two spaces, so that it can be told from the lines of requests.
#[must_use]
pub fn lines(published: &Published) -> String {
    let topic = published.topic.rsplit(':').next().unwrap_or_default();
    let attributes = published.attributes.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
    let head = format!("mail of {topic} to whom it concerns: {attributes}");
    let subject = format!("Subject: {}", published.subject.as_deref().unwrap_or_default());
    let lines = [head.as_str(), subject.as_str(), ""].into_iter().chain(published.message("email").lines());
    let quoted = iter::once(String::new()).chain(lines.map(|line| format!("  | {}", printable(line)).trim_end().to_owned()));
    quoted.chain(iter::once(String::new())).collect::<Vec<_>>().join("\n")
}

/// What is announced must not be able to control the terminal.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_shown_with_its_subject_and_can_be_told_from_requests() {
        let form = "Action=Publish&TopicArn=arn%3Anews&Subject=What&Message=one%0A%0Atwo%1B\
                    &MessageAttributes.entry.1.Name=owner&MessageAttributes.entry.1.Value.DataType=String\
                    &MessageAttributes.entry.1.Value.StringValue=user%3Aann";
        let published = Published::read(form.as_bytes());
        assert_eq!(
            lines(&published.expect("a message")),
            "\n  | mail of news to whom it concerns: owner user:ann\n  | Subject: What\n  |\n  | one\n  |\n  | two\u{fffd}\n"
        );
    }
}
