//! The one write of a use, in the making: on condition that nothing was changed or swept since, it counts in windows none of which
//! is full.

use super::{expression::Expression, number, text};
use crate::{decision::Sweep, limit::Window, time::Timestamp};

/// Counting at `version`, as of `now`, under `nonce`; removes what `sweep` says. It refuses to follow itself: not even a copy that
/// arrives late counts twice.
pub(super) fn begin(version: u64, now: Timestamp, nonce: &str, sweep: Option<&Sweep>) -> Expression {
    let mut expression = Expression::default();
    expression.require("#version = :version");
    expression.require("#swept <= :swept");
    expression.require("(attribute_not_exists(#last_request) OR #last_request <> :nonce)");
    for name in ["version", "swept", "last_request"] {
        expression.name(&format!("#{name}"), name.to_owned());
    }
    // `swept` must never fall, so it may be no later than what it is set to.
    let swept = sweep.map_or(now, |sweep| sweep.up_to);
    for (placeholder, value) in [("version", version), ("swept", swept.secs()), ("zero", 0), ("one", 1)] {
        expression.value(&format!(":{placeholder}"), number(value));
    }
    expression.value(":nonce", text(nonce));
    expression.set_raw("#last_request = :nonce");
    if let Some(sweep) = sweep {
        expression.set_raw("#swept = :swept");
        sweep.windows.iter().for_each(|window| expression.remove(&window.to_string()));
    }
    expression
}

/// One more in the attribute `name`, which `placeholder` stands for from now on.
pub(super) fn count(expression: &mut Expression, placeholder: &str, name: String) {
    expression.set_raw(&format!("{placeholder} = if_not_exists({placeholder}, :zero) + :one"));
    expression.name(placeholder, name);
}

/// One more in each of `windows`, which must be below its limit, but for `counted`, whose placeholder is `#day`: DynamoDB refuses
/// to set one attribute twice.
pub(super) fn count_limited(expression: &mut Expression, windows: &[(Window, u64)], counted: Option<Window>) {
    for (index, (window, limit)) in windows.iter().enumerate() {
        let mut placeholder = "#day".to_owned();
        if Some(*window) != counted {
            placeholder = format!("#w{index}");
            count(expression, &placeholder, window.to_string());
        }
        expression.require(&format!("(attribute_not_exists({placeholder}) OR {placeholder} < :l{index})"));
        expression.value(&format!(":l{index}"), number(*limit));
    }
}
