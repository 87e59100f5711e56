//! Moments: as the API has them, and how far off they are.

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Says how far off moments are, if anybody is looking.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Option<OffsetDateTime>);

impl Clock {
    /// The clock of this machine; of no use where nobody is looking.
    pub(crate) fn new(somebody_looks: bool) -> Self {
        Self(somebody_looks.then(OffsetDateTime::now_utc))
    }

    /// The moment as the API has it, and how far off it is; `none` if there is none.
    pub(crate) fn show(self, moment: &Value, none: &str) -> String {
        let Some(text) = moment.as_str() else { return none.to_owned() };
        let at = OffsetDateTime::parse(text, &Rfc3339).ok();
        match at.zip(self.0) {
            Some((at, now)) => format!("{text} ({})", relative((at - now).whole_seconds())),
            None => text.to_owned(),
        }
    }
}

/// How far off `seconds` are: in the largest unit of which there is at least one.
fn relative(seconds: i64) -> String {
    const UNITS: [(u64, &str); 4] = [(365 * 86_400, "y"), (86_400, "d"), (3600, "h"), (60, "min")];
    let amount = seconds.unsigned_abs();
    let unit = UNITS.into_iter().find(|(unit, _)| amount >= *unit);
    let (count, name) = unit.map_or((amount, "s"), |(unit, name)| (amount / unit, name));
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {count} {name}"),
        ..0 => format!("{count} {name} ago"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_told_in_one_unit() {
        for (seconds, told) in [
            (0, "now"),
            (-1, "1 s ago"),
            (59, "in 59 s"),
            (-60, "1 min ago"),
            (7200, "in 2 h"),
            (-90 * 86_400, "90 d ago"),
            (800 * 86_400, "in 2 y"),
        ] {
            assert_eq!(relative(seconds), told);
        }
    }

    #[test]
    fn what_is_kept_has_no_relative_time() {
        let moment = json!("2026-11-24T22:56:01Z");
        assert_eq!(Clock(None).show(&moment, "never"), "2026-11-24T22:56:01Z");
        assert_eq!(Clock(None).show(&Value::Null, "never"), "never");
        let now = OffsetDateTime::parse("2026-11-24T22:59:02Z", &Rfc3339).unwrap();
        assert_eq!(Clock(Some(now)).show(&moment, "never"), "2026-11-24T22:56:01Z (3 min ago)");
        assert_eq!(Clock(Some(now)).show(&json!("soon"), "never"), "soon");
    }
}
