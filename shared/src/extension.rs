//! What an internal extension needs of Lambda's [Extensions API][api] to keep its sandbox awake: it registers for invocations, and asks for
//! the next one when it is ready to be frozen.
//!
//! These are two requests of AWS's own client, and not the crate for all of that API: its servers for logs and telemetry can't be left
//! out, and every cold start would load them.
//!
//! [api]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html

use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use lambda_runtime_api_client::{BoxError, PooledClient, body::Body};

/// The header by which Lambda knows an extension.
const ID: &str = "lambda-extension-identifier";

/// A registered extension.
pub(crate) struct Extension {
    client: PooledClient,
    id: HeaderValue,
}

impl Extension {
    /// Registers at the Lambda that runs this process, which is only possible while that is being started.
    ///
    /// # Errors
    /// If Lambda doesn't answer, or refuses.
    pub(crate) async fn register(name: &'static str) -> Result<Self, BoxError> {
        let client = PooledClient::builder().build();
        let request = Request::post("/2020-01-01/extension/register").header("lambda-extension-name", name);
        let request = request.header(CONTENT_TYPE, "application/json").body(Body::from(r#"{"events":["INVOKE"]}"#))?;
        let answer = send(&client, request).await?;
        let id = answer.headers().get(ID).cloned().ok_or("Lambda gives the extension no identifier")?;
        Ok(Self { client, id })
    }

    /// Says that the sandbox may be frozen, and waits for the next invocation.
    ///
    /// # Errors
    /// If Lambda doesn't answer, or refuses.
    pub(crate) async fn next(&self) -> Result<(), BoxError> {
        let request = Request::get("/2020-01-01/extension/event/next").header(ID, self.id.clone()).body(Body::empty())?;
        send(&self.client, request).await.map(drop)
    }
}

/// The whole answer, so that its connection can be used again.
async fn send(client: &PooledClient, request: Request<Body>) -> Result<Response<()>, BoxError> {
    let (head, body) = client.call(request).await?.into_parts();
    body.collect().await?;
    match head.status.is_success() {
        true => Ok(Response::from_parts(head, ())),
        false => Err(format!("Lambda answers {}", head.status).into()),
    }
}
