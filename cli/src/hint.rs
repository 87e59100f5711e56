//! What to do next, for what the API says no to.

use crate::{client::Problem, failure::Kind};

/// Flags for the fields of orders that aren't called like them.
const FLAGS: [(&str, &str); 6] = [
    ("scopes", "--scope"),
    ("limits", "--limit"),
    ("ip_allowlist", "--ip"),
    ("expires_at", "--expires"),
    ("rotate_every_days", "--rotate-every"),
    ("source_ip", "--ip"),
];

/// What to do about it; `asked` says with which key and where it was asked.
pub(crate) fn hint(kind: &Kind, asked: &str) -> Option<String> {
    match kind {
        Kind::Problem(problem) => of_problem(problem, asked),
        Kind::Lost(_) => Some("It may be done or not. Run the same command again: the API does nothing twice.".to_owned()),
        Kind::Unintelligible(_) => {
            Some("Is that the address of this API, whole, with its stage? `mbk profile list` shows it.".to_owned())
        }
        _ => None,
    }
}

fn of_problem(problem: &Problem, asked: &str) -> Option<String> {
    let code = problem.code.as_deref();
    let hint = match (problem.status, code) {
        (401, _) => {
            format!("This was asked with {asked}. Give it a key that is valid: `mbk profile add NAME --url URL --replace`.")
        }
        (_, Some("scope_not_allowed")) => {
            format!("This was asked with {asked}. It needs the scope admin; `mbk self` shows which the key has.")
        }
        (_, Some("address_not_allowed")) => format!("This was asked with {asked}, which may not be used from this address."),
        (_, Some("no_such_route")) | (403, None) => {
            format!("This was asked with {asked}. Is the URL whole, with its stage, as the stack's output ApiUrl has it?")
        }
        (429, _) => problem
            .retry_after
            .map_or_else(|| "Wait a moment, and run it again.".to_owned(), |seconds| format!("Run it again in {seconds} s.")),
        (_, Some("no_such_key")) => "`mbk list --owner user:ID` shows an owner's keys.".to_owned(),
        (_, Some("no_such_plan")) => "`mbk plans list` shows all plans.".to_owned(),
        (_, Some("no_such_limits")) => "`mbk limits put OWNER --limit 1000/day` puts some.".to_owned(),
        (_, Some("key_revoked")) => "Issue another: `mbk issue`.".to_owned(),
        (_, Some("changed_meanwhile")) => "Look at it, and run this again if it is still right.".to_owned(),
        (_, Some("rotation_in_progress")) => {
            "Wait for the older secret's end (`mbk show KEY`), or end it now with --force.".to_owned()
        }
        (_, Some("secret_in_use")) => {
            "The secret of an earlier answer is used already. If nobody has it, rotate the key.".to_owned()
        }
        (_, Some("precondition_failed")) => "Look at the key (`mbk show KEY`), and give its version as --if-version.".to_owned(),
        (_, Some("idempotency_key_reused")) => "Leave --idempotency-key out, or choose another.".to_owned(),
        (_, Some("invalid_field")) => return flag(problem.field.as_deref()?),
        (500.., _) => "It may be done or not. Run the same command again: the API does nothing twice.".to_owned(),
        _ => return None,
    };
    Some(hint)
}

/// The flag of a field that isn't called like it.
fn flag(field: &str) -> Option<String> {
    let name = field.split(['[', '.']).next()?;
    let (_, flag) = FLAGS.iter().find(|(field, _)| *field == name)?;
    Some(format!("That field is the flag {flag}."))
}
