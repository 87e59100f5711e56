//! Why a key would pass, or wouldn't: every rule of the decision by itself, in the order that decides.

use crate::{
    address,
    decision::{Decision, Proof, Refusal, Request, Route, Use, decide, full, standing, trusted_now},
    error::Code,
    limit::Remaining,
    record::{Record, Status},
    scope::Scope,
    shared_limits::SharedLimits,
    time::Timestamp,
    view,
};

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `status`, `secret`, `ip_allowlist`, `scopes`, or `limit_` or `owner_limit_` and its period.
    pub name: String,
    /// Whether it lets the request pass.
    pub passes: bool,
    /// What it rests on.
    pub because: String,
}

/// What would come of a request, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Why it would be refused, if it would.
    pub refusal: Option<Refusal>,
    /// Each rule, first the ones that decide first.
    pub rules: Vec<Rule>,
}

impl Checked {
    /// The rule that decides: the first that doesn't pass.
    #[must_use]
    pub fn decided_by(&self) -> Option<&Rule> {
        self.rules.iter().find(|rule| !rule.passes)
    }
}

/// What `request` would come to, made with the secret of `proof` at `now`, of a key that shares `shared` with others. Nothing is
/// counted, and a clock that is behind the one that last swept the record counts as that.
#[must_use]
pub fn check(record: &Record, shared: Option<&SharedLimits>, proof: &Proof, request: &Request<'_>, now: Timestamp) -> Checked {
    let now = trusted_now(record.swept, now).unwrap_or(record.swept);
    let left = shared.map(|limits| limits.remaining(now)).unwrap_or_default();
    let refusal = match decide(record, proof, request, now) {
        Ok(Decision::Refuse(refusal)) => Some(refusal),
        Ok(Decision::Proceed(Use { .. })) | Err(_) => full(&left, true),
    };
    let mut rules = rules(record, proof, request, now);
    rules.extend(left.iter().map(|left| limit("owner_limit", left)));
    Checked { refusal, rules }
}

fn limit(rule: &str, left: &Remaining) -> Rule {
    let name = format!("{rule}_{}", left.limit.period.as_str());
    let because = format!("{} of {} are left for {} s", left.remaining, left.limit.requests, left.reset_seconds);
    Rule { name, passes: left.remaining > 0, because }
}

fn rules(record: &Record, proof: &Proof, request: &Request<'_>, now: Timestamp) -> Vec<Rule> {
    let rule = |name: &str, passes, because: String| Rule { name: name.to_owned(), passes, because };
    // By the decision itself, on a record that nothing refuses before its secret.
    let active = Record { status: Status::Active, ..record.clone() };
    let secret = standing(&active, proof, request, now)
        .filter(|refusal| matches!(refusal.code(), Code::UnknownKey | Code::ExpiredKey | Code::ReplacedKey));
    let mut rules = vec![
        rule("status", record.status == Status::Active, format!("the key is {}", record.status.as_str())),
        rule("secret", secret.is_none(), secret.as_ref().map_or_else(|| secret_lives(record, proof), view::detail)),
        rule("ip_allowlist", address::allows(&record.networks, request.address), networks(record, request)),
    ];
    let scope = scope(record, request);
    let none = || format!("none of the key's scopes allows this {}", request.method);
    rules.push(rule("scopes", scope.is_some(), scope.unwrap_or_else(none)));
    rules.extend(record.remaining(now).iter().map(|left| limit("limit", left)));
    rules
}

fn secret_lives(record: &Record, proof: &Proof) -> String {
    let end = record.generation(proof.number).and_then(crate::record::Generation::ends_at);
    end.map_or_else(|| "it never ends".to_owned(), |end| format!("it ends at {end}"))
}

fn networks(record: &Record, request: &Request<'_>) -> String {
    let Some(address) = request.address else {
        return if record.networks.is_empty() { "there is none" } else { "there is one, and no address" }.to_owned();
    };
    match record.networks.iter().find(|network| address::allows(std::slice::from_ref(network), Some(address))) {
        Some(network) => format!("{network} covers {address}"),
        None if record.networks.is_empty() => "there is none".to_owned(),
        None => format!("no network of it covers {address}"),
    }
}

/// What allows `request`, as far as scopes decide.
fn scope(record: &Record, request: &Request<'_>) -> Option<String> {
    let permits = |scope: &&Scope| request.route.permits(std::slice::from_ref(*scope), request.method, request.path.as_ref());
    let because = |scope: &Scope| match &request.route {
        Route::Scope(Scope::Admin) => "admin, which the management API needs".to_owned(),
        _ => scope.as_str().to_owned(),
    };
    match request.route {
        Route::AnyKey => Some("every key may ask for this".to_owned()),
        _ => record.scopes.iter().find(permits).map(because),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        limit::{Limit, Period, Window},
        path::NormalPath,
        sample,
    };

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn request(method: &'static str, path: &str, address: &str, route: Route) -> Request<'static> {
        Request { method, path: NormalPath::parse(path), route, address: address.parse().ok() }
    }

    #[test]
    fn it_says_which_scope_and_which_network_let_a_request_pass() {
        let mut record = sample::record();
        record.scopes = vec![Scope::Read, Scope::parse("POST /reports/{id}").unwrap()];
        record.networks = vec!["10.0.0.0/8".parse().unwrap(), "203.0.113.0/24".parse().unwrap()];
        let proof = Proof { number: 1, tag: "tag1".to_owned() };
        let checked = check(&record, None, &proof, &request("POST", "/reports/7", "203.0.113.7", Route::Api), NOW);
        let because: Vec<_> = checked.rules.iter().map(|rule| (rule.name.as_str(), rule.because.as_str())).collect();
        let expected = [
            ("status", "the key is active"),
            ("secret", "it never ends"),
            ("ip_allowlist", "203.0.113.0/24 covers 203.0.113.7"),
            ("scopes", "POST /reports/{id}"),
        ];
        assert_eq!((checked.refusal, because), (None, expected.into()));
    }

    proptest! {
        /// What is explained is what is decided: the first rule that doesn't pass is the reason, and without one it is allowed.
        #[test]
        fn the_first_rule_that_fails_is_the_one_that_decides(
            status in 0..3, expired in any::<bool>(), replaced in any::<bool>(), tag in any::<bool>(), number in 0_u32..4,
            scope in 0..5_usize, networks in 0..3, address in prop::sample::select(vec!["203.0.113.7", "10.0.0.1", ""]),
            method in prop::sample::select(vec!["GET", "POST", "DELETE", "BREW"]), route in 0..4, counted in 0_u64..4,
        ) {
            let mut record = sample::record();
            record.status = [Status::Active, Status::Disabled, sample::revoked(NOW)][status as usize].clone();
            record.generations[0].number = 2;
            record.generations[0].expires_at = expired.then_some(NOW);
            record.generations[0].grace_ends_at = replaced.then_some(NOW);
            let scopes = [Scope::Read, Scope::Write, Scope::Admin, Scope::SelfRotate, Scope::parse("ANY /{*rest}").unwrap()];
            record.scopes = vec![scopes[scope].clone()];
            record.networks = [vec![], vec!["10.0.0.0/8".parse().unwrap()], vec!["203.0.113.0/24".parse().unwrap()]][networks as usize].clone();
            record.limits = vec![Limit { requests: 3, period: Period::Minute }];
            record.counters.windows.insert(Window::at(Period::Minute, NOW), counted);
            let proof = Proof { number, tag: if tag { "tag1" } else { "other" }.to_owned() };
            let route = [Route::Api, Route::MANAGEMENT, Route::AnyKey, Route::OWN_ROTATION][route as usize].clone();
            let checked = check(&record, None, &proof, &request(method, "/x", address, route), NOW);
            let rule = match checked.refusal.as_ref().map(Refusal::code) {
                None => None,
                Some(Code::RevokedKey | Code::DisabledKey) => Some("status"),
                Some(Code::UnknownKey | Code::ExpiredKey | Code::ReplacedKey) => Some("secret"),
                Some(Code::AddressNotAllowed) => Some("ip_allowlist"),
                Some(Code::ScopeNotAllowed) => Some("scopes"),
                Some(_) => Some("limit_minute"),
            };
            prop_assert_eq!(checked.decided_by().map(|rule| rule.name.as_str()), rule);
        }
    }
}
