//! Decisions as HTTP knows them: exact statuses, problem documents, and the headers that go with them.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::{
    authenticator::Decided,
    context,
    decision::Refusal,
    error::Rejection,
    http::problem,
    key_context::KeyContext,
    verify::{Outcome, Verdict},
    view,
};

/// How a key is presented (RFC 9110, section 11.6.1). No registered scheme fits: the header has the key and nothing else.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"ApiKey realm="api", header="X-API-Key""#);

/// What an answer says of limits, and of a secret that is about to end.
#[derive(Default)]
pub(super) struct Notes(Vec<(HeaderName, String)>);

impl Notes {
    /// Adds them to the headers of a response.
    pub(super) fn add(self, headers: &mut HeaderMap) {
        for (name, value) in self.0 {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// A request that may go on: whose key it is, and what its response says.
pub(super) struct Admitted(pub(super) KeyContext, pub(super) Notes);

/// A request that may not, why, and what its response says besides.
pub(super) struct Refused(Rejection, Notes);

impl Refused {
    /// Of a key whose scopes don't cover the request.
    pub(super) fn by_scope() -> Self {
        Self::because(&Refusal::Scope)
    }

    /// For a fault of ours.
    pub(super) fn internal() -> Self {
        Self(Rejection::internal(), Notes::default())
    }

    fn because(refusal: &Refusal) -> Self {
        Self(Rejection::new(refusal.code(), view::detail(refusal)), Notes::default())
    }

    /// What its caller is answered.
    pub(super) fn response(self) -> Response<String> {
        let Self(rejection, notes) = self;
        let mut response = problem::response(&rejection);
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        notes.add(response.headers_mut());
        response
    }
}

/// Whether a request may go on.
pub(super) fn of(decided: &Decided) -> Result<Admitted, Refused> {
    match decided {
        Decided::Verdict(verdict) => of_verdict(verdict),
        Decided::NoKey(why) => Err(Refused(why.rejection(), Notes::default())),
        Decided::Undecided(_) => Err(Refused::internal()),
    }
}

fn of_verdict(verdict: &Verdict) -> Result<Admitted, Refused> {
    let fields = context::of(verdict);
    let notes = Notes(context::headers(&fields).collect());
    match &verdict.outcome {
        Outcome::Allowed { .. } => match KeyContext::read(|name| fields.get(name)) {
            Some(context) => Ok(Admitted(context, notes)),
            None => Err(Refused::internal()),
        },
        Outcome::Refused { refusal, .. } => Err(Refused(Refused::because(refusal).0, notes)),
    }
}
