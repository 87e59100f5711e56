# A REST API that needs an API key. See ../protect-rest-api/template.yaml for why each thing is as it is.
#
# The API is an OpenAPI body, because an authorizer without an identity source can't be said otherwise: the resource
# aws_api_gateway_authorizer fills in method.request.header.Authorization, and refuses every caller who sends none.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "api_keys_stack" {
  description = "Name of the stack that issues the keys, in the same account and region."
  type        = string
  default     = "api-keys"
}

data "aws_cloudformation_export" "authorizer" {
  name = "${var.api_keys_stack}-AuthorizerArn"
}

data "aws_cloudformation_export" "usage_key" {
  name = "${var.api_keys_stack}-UsageKeyId"
}

locals {
  authorizer = data.aws_cloudformation_export.authorizer.value
  arn        = split(":", local.authorizer)

  # Goes into EVERY method. One without api_key would let requests over their limit through.
  protected = { security = [{ Keys = [] }, { api_key = [] }] }

  # Your own paths go here. This one answers with what the authorizer said of the key.
  paths = {
    "/" = {
      get = merge(local.protected, {
        responses = { "200" = { description = "The key" } }
        x-amazon-apigateway-integration = {
          type             = "mock"
          requestTemplates = { "application/json" = jsonencode({ statusCode = 200 }) }
          responses = {
            default = {
              statusCode = "200"
              responseTemplates = {
                "application/json" = jsonencode({
                  keyId = "$context.authorizer.keyId", scopes = "$context.authorizer.scopes"
                })
              }
            }
          }
        }
      })
    }
  }

  problems = {
    UNAUTHORIZED       = [401, "Unauthorized", "unauthorized", "Send a valid API key in the header X-API-Key."]
    ACCESS_DENIED      = [403, "Forbidden", "$context.authorizer.code", "$context.authorizer.detail"]
    INVALID_API_KEY    = [429, "Too Many Requests", "rate_limited", "$context.authorizer.detail"] # what a limit looks like
    AUTHORIZER_FAILURE = [500, "Internal Server Error", "internal", "A fault on our side. Try again."]
  }
}

resource "aws_api_gateway_rest_api" "api" {
  name = "my-api"
  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "my-api", version = "1" }
    paths   = local.paths

    # Three things make a limit a 429, and none may be without the others: this one, the api_key above, and the stage
    # variable below.
    x-amazon-apigateway-api-key-source = "AUTHORIZER"

    components = {
      securitySchemes = {
        api_key = { type = "apiKey", name = "x-api-key", in = "header" }
        Keys = {
          type                         = "apiKey"
          name                         = "Unused"
          in                           = "header"
          x-amazon-apigateway-authtype = "custom"
          x-amazon-apigateway-authorizer = {
            type                         = "request"
            authorizerResultTtlInSeconds = 0 # a cached verdict outlives a revocation
            authorizerUri = join("", [
              "arn:${local.arn[1]}:apigateway:${local.arn[3]}:lambda:path/2015-03-31/functions/",
              local.authorizer, "/invocations",
            ])
          }
        }
      }
    }

    x-amazon-apigateway-gateway-responses = {
      for type, problem in local.problems : type => {
        statusCode = tostring(problem[0])
        responseParameters = merge(
          { "gatewayresponse.header.Content-Type" = "'application/problem+json'" },
          type == "INVALID_API_KEY" ? {
            "gatewayresponse.header.Retry-After"      = "context.authorizer.retryAfter"
            "gatewayresponse.header.RateLimit"        = "context.authorizer.rateLimit"
            "gatewayresponse.header.RateLimit-Policy" = "context.authorizer.rateLimitPolicy"
          } : {},
        )
        responseTemplates = {
          "application/json" = jsonencode({
            title = problem[1], status = problem[0], code = problem[2], detail = problem[3]
          })
        }
      }
    }
  })
}

resource "aws_lambda_permission" "authorizer" {
  action        = "lambda:InvokeFunction"
  function_name = local.authorizer
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.api.execution_arn}/authorizers/*"
}

resource "aws_api_gateway_deployment" "api" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  triggers    = { body = sha1(aws_api_gateway_rest_api.api.body) }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "live" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  deployment_id = aws_api_gateway_deployment.api.id
  stage_name    = "live"
  variables     = { rateLimitResponse = "usage-key" }
}

# The usage key that every allowed request carries. Detached, every allowed request is answered 429.
resource "aws_api_gateway_usage_plan" "unlimited" {
  name = "my-api-unlimited"

  api_stages {
    api_id = aws_api_gateway_rest_api.api.id
    stage  = aws_api_gateway_stage.live.stage_name
  }
}

resource "aws_api_gateway_usage_plan_key" "usage_key" {
  key_id        = data.aws_cloudformation_export.usage_key.value
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.unlimited.id
}

output "api_url" {
  value = aws_api_gateway_stage.live.invoke_url
}
