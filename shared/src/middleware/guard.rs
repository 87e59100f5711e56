//! The service that lets requests through to another one, or doesn't.

use std::{
    borrow::Cow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, request::Parts};
use tower_service::Service;

use super::{
    Authenticate,
    answer::{self, Admitted, Notes, Refused},
    asked,
};
use crate::{authenticator::Authenticator, decision, key_context::KeyContext, path::NormalPath, presented::Presented};

/// A service behind [`Authenticate`]. What reaches it has a [`KeyContext`] among its extensions, and no key any more.
#[derive(Clone)]
pub struct Guard<S> {
    service: S,
    asking: Authenticate,
}

/// Among a request's extensions: who has let it through. A layer inside another one must not count it a second time.
#[derive(Clone)]
struct PassedBy(Arc<Authenticator>);

impl<S> Guard<S> {
    pub(super) const fn new(service: S, asking: Authenticate) -> Self {
        Self { service, asking }
    }
}

impl<S, B, R> Service<Request<B>> for Guard<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready goes with the request; its clone may not be.
        let next = self.service.clone();
        let mut service = std::mem::replace(&mut self.service, next);
        let asking = self.asking.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let notes = match asking.admit(&mut parts).await {
                Ok(notes) => notes,
                Err(refused) => return Ok(refused.response().map(R::from)),
            };
            let mut response = service.call(Request::from_parts(parts, body)).await?;
            notes.add(response.headers_mut());
            Ok(response)
        })
    }
}

impl Authenticate {
    /// Lets a request go on, or doesn't.
    async fn admit(&self, parts: &mut Parts) -> Result<Notes, Refused> {
        let authenticator = &self.middleware.authenticator;
        let passed = parts.extensions.get::<PassedBy>().is_some_and(|PassedBy(other)| Arc::ptr_eq(other, authenticator));
        if let Some(context) = parts.extensions.get::<KeyContext>().filter(|_| passed) {
            return match context.permits(&self.route, parts.method.as_str(), parts.uri.path()) {
                true => Ok(Notes::default()),
                false => Err(Refused::by_scope()),
            };
        }
        let Admitted(context, notes) = self.ask(parts).await?;
        asked::without_key(parts);
        parts.extensions.insert(context);
        parts.extensions.insert(PassedBy(Arc::clone(authenticator)));
        Ok(notes)
    }

    async fn ask(&self, parts: &Parts) -> Result<Admitted, Refused> {
        let authenticator = &self.middleware.authenticator;
        let config = authenticator.config();
        let keys = asked::keys(parts, config.allow_query_key);
        let address = (self.middleware.address_of)(parts);
        let request = decision::Request {
            method: parts.method.as_str(),
            path: NormalPath::parse(parts.uri.path()),
            route: self.route.clone(),
            address,
        };
        let presented = Presented::of(keys.iter().map(Cow::as_ref));
        let attempt = asked::attempt(parts, address, &config.imported);
        authenticator.attempt(presented, &request, attempt, answer::of, || Err(Refused::internal())).await
    }
}
