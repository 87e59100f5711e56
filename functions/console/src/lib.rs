//! The operator console: hands out a page and its files, the same to everybody. It holds no key, calls nothing and has no
//! permissions; the page calls the management API by itself, with the key that is typed into it.

use http::StatusCode;
use lambda_http::{Request, RequestExt};
use serde_json::Value;
use shared::{
    config::HttpConfig,
    error::{Code, Rejection},
    host::Host,
    http::{self as api, Answer, Reply, Responder},
    lambda::{Failure, Function},
};

mod assets;
mod headers;
mod site;

pub use assets::ASSETS;
pub use site::Site;

/// What the function is told by its environment.
pub type Config = HttpConfig;

/// The function.
pub struct Console {
    responder: Responder,
    site: Site,
}

impl Console {
    /// The function; it needs no client.
    #[must_use]
    pub fn new(config: Config, host: Host) -> Self {
        Self { responder: Responder::new(config, host), site: Site::new() }
    }

    fn route(&self, request: &Request) -> Answer {
        let (method, resource) = api::route(request);
        match (method.as_str(), resource.as_str()) {
            // The page's links begin at its own folder, and with a slash that would be another one.
            ("GET", "/console") if request.raw_http_path().ends_with('/') => {
                Ok(Reply::redirect(StatusCode::PERMANENT_REDIRECT, "../console"))
            }
            ("GET", "/console") => Ok(self.site.page().answer(request)),
            ("GET", "/console/{file+}") => {
                let path = request.path_parameters_ref().and_then(|parameters| parameters.first("file"));
                let file = path.and_then(|path| self.site.file(path)).ok_or_else(no_such_file)?;
                Ok(file.answer(request))
            }
            _ => api::no_such_route(),
        }
    }
}

fn no_such_file() -> Rejection {
    Rejection::new(Code::NoSuchRoute, "The console has no such file. It may have been updated: load its page again.")
}

impl Function for Console {
    async fn call(&self, event: Value) -> Result<Value, Failure> {
        self.responder.answer(event, async |request| self.route(&request)).await
    }
}
