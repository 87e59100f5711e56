//! A service with its own door: axum, and the middleware in front of its routes.

use std::net::SocketAddr;

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, Path},
    http::request::Parts,
    routing::{get, post},
};
use shared::{key_context::KeyContext, middleware::Middleware, scope::Scope};

/// The service's routes, and what each needs of a key.
pub fn routes(keys: Middleware) -> Router {
    let keys = keys.address_of(|parts: &Parts| Some(parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    Router::new()
        .route("/reports/{id}", get(report).delete(report).layer(keys.by_method()))
        .route("/search", post(search).layer(keys.requiring(Scope::Read)))
        .route("/me", get(me).layer(keys.any_key()))
}

async fn report(Path(id): Path<String>, Extension(key): Extension<KeyContext>) -> Json<String> {
    Json(format!("report {id} for {}", key.owner))
}

/// Reads only, though it is a POST: without its own scope it would need `write`.
async fn search(Extension(key): Extension<KeyContext>) -> Json<String> {
    Json(format!("nothing found for {}", key.owner))
}

async fn me(Extension(key): Extension<KeyContext>) -> Json<Vec<String>> {
    Json(vec![key.key.to_string(), key.owner.to_string()])
}
