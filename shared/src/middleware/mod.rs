//! The authenticator as a [`tower_layer::Layer`], for services that authenticate in process: axum, `lambda_http`, hyper.
//!
//! The same decision, the same write and the same line as the API Gateway authorizer's, because both are
//! [`Authenticator`]'s; but nothing of API Gateway is in between, so every refusal has its exact status, code and headers.
//!
//! There is no layer that asks for nothing: each is made by [`by_method`](Middleware::by_method),
//! [`requiring`](Middleware::requiring) or [`any_key`](Middleware::any_key), which say what a key needs.

use std::{net::IpAddr, sync::Arc};

use http::request::Parts;
use tower_layer::Layer;

use crate::{authenticator::Authenticator, decision::Route, scope::Scope};

mod answer;
mod asked;
mod guard;

pub use guard::Guard;

/// Where a request comes from. Never a header that a caller may have sent, unless a proxy of yours has overwritten it.
pub type AddressOf = fn(&Parts) -> Option<IpAddr>;

/// An authenticator for services in this process. Clones are the same one.
#[derive(Clone)]
pub struct Middleware {
    authenticator: Arc<Authenticator>,
    address_of: AddressOf,
}

/// Asks every request for a key, and for what one route asks of it.
#[derive(Clone)]
pub struct Authenticate {
    middleware: Middleware,
    route: Route,
}

impl Middleware {
    /// The middleware that asks `authenticator`. It doesn't know where requests come from: until it is told by
    /// [`address_of`](Self::address_of), keys with an allowlist are refused.
    #[must_use]
    pub fn new(authenticator: Authenticator) -> Self {
        Self { authenticator: Arc::new(authenticator), address_of: |_| None }
    }

    /// The same, which finds a request's address like that.
    #[must_use]
    pub fn address_of(self, address_of: AddressOf) -> Self {
        Self { address_of, ..self }
    }

    /// For routes that ask of a key what the authorizer asks: a scope that covers the method and path.
    #[must_use]
    pub fn by_method(&self) -> Authenticate {
        self.asking(Route::Api)
    }

    /// For routes that need that scope, or `admin`, whatever their method and path.
    #[must_use]
    pub fn requiring(&self, scope: Scope) -> Authenticate {
        self.asking(Route::Scope(scope))
    }

    /// For routes that any key may call, whatever its scopes.
    #[must_use]
    pub fn any_key(&self) -> Authenticate {
        self.asking(Route::AnyKey)
    }

    /// What decides, and what it leaves to be done.
    #[must_use]
    pub fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    /// Finishes what is left to be done, before the process ends: without it, copies of the last attempts may be missing in the
    /// audit table. Their lines are out.
    pub async fn close(&self) {
        self.authenticator.afterwards().idle().await;
        self.authenticator.trail().close().await;
    }

    fn asking(&self, route: Route) -> Authenticate {
        Authenticate { middleware: self.clone(), route }
    }
}

impl<S> Layer<S> for Authenticate {
    type Service = Guard<S>;

    fn layer(&self, service: S) -> Guard<S> {
        Guard::new(service, self.clone())
    }
}
