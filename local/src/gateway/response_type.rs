//! The types of gateway responses, with what API Gateway answers by default.

use http::StatusCode;

/// A gateway response type that can occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseType {
    /// The authorizer said `Unauthorized`.
    Unauthorized,
    /// The authorizer's policy denies the method; `explicit` tells a deny from silence.
    AccessDenied {
        /// Whether a statement denies it.
        explicit: bool,
    },
    /// A required API key is missing or unknown.
    InvalidApiKey,
    /// No such route.
    MissingAuthenticationToken,
    /// The authorizer failed.
    AuthorizerFailure,
    /// The authorizer's answer can't be used.
    AuthorizerConfigurationError,
    /// The body is over 10 MiB.
    RequestTooLarge,
    /// The function didn't answer within API Gateway's own limit.
    IntegrationTimeout,
    /// The function failed, or its answer can't be used. API Gateway has no type of its own for it.
    FunctionError,
}

impl ResponseType {
    /// The type's name in the template.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unauthorized => "UNAUTHORIZED",
            Self::AccessDenied { .. } => "ACCESS_DENIED",
            Self::InvalidApiKey => "INVALID_API_KEY",
            Self::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            Self::AuthorizerFailure => "AUTHORIZER_FAILURE",
            Self::AuthorizerConfigurationError => "AUTHORIZER_CONFIGURATION_ERROR",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::IntegrationTimeout => "INTEGRATION_TIMEOUT",
            Self::FunctionError => "DEFAULT_5XX",
        }
    }

    /// The status where the template sets none.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::AccessDenied { .. } | Self::InvalidApiKey | Self::MissingAuthenticationToken => StatusCode::FORBIDDEN,
            Self::AuthorizerFailure | Self::AuthorizerConfigurationError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::IntegrationTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::FunctionError => StatusCode::BAD_GATEWAY,
        }
    }

    /// `$context.error.message`; API Gateway has none for its authorizer's faults.
    #[must_use]
    pub fn message(self) -> Option<&'static str> {
        Some(match self {
            Self::Unauthorized => "Unauthorized",
            Self::AccessDenied { explicit: true } => "User is not authorized to access this resource with an explicit deny",
            Self::AccessDenied { explicit: false } => "User is not authorized to access this resource",
            Self::InvalidApiKey => "Forbidden",
            Self::MissingAuthenticationToken => "Missing Authentication Token",
            Self::AuthorizerFailure | Self::AuthorizerConfigurationError => return None,
            Self::RequestTooLarge => "Request Too Long",
            Self::IntegrationTimeout => "Endpoint request timed out",
            Self::FunctionError => "Internal server error",
        })
    }

    /// The `x-amzn-errortype` header.
    #[must_use]
    pub fn error_type(self) -> &'static str {
        match self {
            Self::Unauthorized => "UnauthorizedException",
            Self::AccessDenied { .. } => "AccessDeniedException",
            Self::InvalidApiKey => "ForbiddenException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::AuthorizerFailure => "AuthorizerFailureException",
            Self::AuthorizerConfigurationError => "AuthorizerConfigurationException",
            Self::RequestTooLarge => "RequestTooLongException",
            Self::IntegrationTimeout | Self::FunctionError => "InternalServerErrorException",
        }
    }
}
