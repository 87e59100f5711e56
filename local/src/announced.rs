//! What is published, for a terminal: who would get it, and the mail that it would be.

use crate::engine::Published;

/// Each line of it begins with two spaces, so that it can be told from the lines of requests.
#[must_use]
pub fn lines(published: &Published) -> String {
    let topic = published.topic.rsplit(':').next().unwrap_or_default();
    let attributes = published.attributes.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
    let mut lines = vec![format!("announced by {topic} to whoever subscribes to {attributes}")];
    lines.extend(published.subject.clone());
    lines.push(String::new());
    lines.extend(published.message("email").lines().map(str::to_owned));
    lines.iter().map(|line| format!("  | {}\n", printable(line)).replace("| \n", "|\n")).collect::<String>().trim_end().to_owned()
}

/// What is announced must not be able to control the terminal.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
