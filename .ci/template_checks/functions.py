"""The functions: one per folder, each with its own settings and its own permissions, and no more."""

import json

from .expansion import ROOT, differences, listed

# Where each environment variable gets its value. A function that has one has this one.
VALUES = {
    "KEYS_TABLE": {"Ref": "KeysTable"},
    "USAGE_TABLE": {"Ref": "UsageTable"},
    "AUDIT_TABLE": {"Ref": "AuditTable"},
    "PEPPER_SECRET": {"Ref": "PepperSecret"},
    "KEY_PREFIX": {"Ref": "KeyPrefix"},
    "IMPORT_PREFIXES": {"Ref": "ImportPrefixes"},
    "BCRYPT_COST": {"Ref": "BcryptCost"},
    "ALLOW_QUERY_KEY": {"Ref": "AllowQueryKey"},
    "DEFAULT_GRACE_HOURS": {"Ref": "DefaultGraceHours"},
    "RETENTION_DAYS": {"Ref": "RetentionDays"},
    "USAGE_RETENTION_DAYS": {"Ref": "UsageRetentionDays"},
    "AUDIT_RETENTION_DAYS": {"Ref": "AuditRetentionDays"},
    "AUDITED_ATTEMPTS": {"Ref": "AuditedAttempts"},
    "CORS_ORIGIN": {"Ref": "CorsOrigin"},
    "LOG_LEVEL": {"Ref": "LogLevel"},
    "ANNOUNCEMENTS_TOPIC": {"Ref": "AnnouncementsTopic"},
    "USAGE_KEY": {"Fn::Sub": "unthrottled-${AWS::StackName}-${AWS::AccountId}"},
}
# What every function has.
COMMON = {"LOG_LEVEL", "IMPORT_PREFIXES"}
ISSUING = {
    "KEYS_TABLE", "AUDIT_TABLE", "PEPPER_SECRET", "KEY_PREFIX", "BCRYPT_COST", "RETENTION_DAYS", "AUDIT_RETENTION_DAYS",
    "CORS_ORIGIN",
}  # fmt: skip
ENVIRONMENT = {
    "authorizer": {
        "KEYS_TABLE", "USAGE_TABLE", "AUDIT_TABLE", "PEPPER_SECRET", "KEY_PREFIX", "ALLOW_QUERY_KEY", "USAGE_KEY",
        "RETENTION_DAYS", "USAGE_RETENTION_DAYS", "AUDIT_RETENTION_DAYS", "AUDITED_ATTEMPTS",
    },
    "issue": ISSUING | {"ANNOUNCEMENTS_TOPIC"},
    "rotate": ISSUING | {"DEFAULT_GRACE_HOURS", "ANNOUNCEMENTS_TOPIC"},
    "manage": {
        "KEYS_TABLE", "AUDIT_TABLE", "RETENTION_DAYS", "AUDIT_RETENTION_DAYS", "AUDITED_ATTEMPTS", "CORS_ORIGIN",
        "ANNOUNCEMENTS_TOPIC",
    },
    "insights": {
        "KEYS_TABLE", "USAGE_TABLE", "AUDIT_TABLE", "RETENTION_DAYS", "USAGE_RETENTION_DAYS", "AUDIT_RETENTION_DAYS",
        "AUDITED_ATTEMPTS", "CORS_ORIGIN",
    },
    "example": {"CORS_ORIGIN"},
    "console": {"CORS_ORIGIN"},
}  # fmt: skip

# What each function may do, and to what. Nothing else.
WRITES_KEYS = {
    "KeysTable": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
    "AuditTable": {"dynamodb:PartiQLInsert"},
    "PepperSecret": {"secretsmanager:GetSecretValue"},
}
ANNOUNCES = {"AnnouncementsTopic": {"sns:Publish"}}
PERMISSIONS = {
    "authorizer": {
        "KeysTable": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "UsageTable": {"dynamodb:PutItem"},
        "AuditTable": {"dynamodb:PartiQLInsert"},
        "PepperSecret": {"secretsmanager:GetSecretValue"},
    },
    "issue": WRITES_KEYS | ANNOUNCES,
    "rotate": WRITES_KEYS | ANNOUNCES,
    "manage": ANNOUNCES | {
        "KeysTable": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"},
        "KeysTable/index/by_owner": {"dynamodb:Query"},
        "KeysTable/index/by_status": {"dynamodb:Query"},
        "AuditTable": {"dynamodb:PartiQLInsert", "dynamodb:Query"},
    },
    "insights": {
        "KeysTable": {"dynamodb:GetItem"},
        "KeysTable/index/by_owner": {"dynamodb:Query"},
        "UsageTable": {"dynamodb:Query"},
        "AuditTable": {"dynamodb:Query"},
    },
    "example": {},
    "console": {},
}
# All that anybody may do in the audit table.
AUDIT_ACTIONS = {"dynamodb:PartiQLInsert", "dynamodb:Query"}
# What SAM adds by itself: writing logs, and sending traces.
MANAGED_POLICIES = [
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
]


def every_folder_is_one_function(template):
    folders = {manifest.parent.name for manifest in ROOT.glob("functions/*/Cargo.toml")}
    binaries = list(template.functions())
    for name in sorted(folders - set(binaries)):
        yield f"functions/{name}: no function block has Binary: {name}"
    for name in sorted(set(binaries) - folders):
        yield f"Binary: {name}: there is no functions/{name}"
    if len(binaries) != len(template.of_type("AWS::Lambda::Function")):
        yield "two function blocks have the same Binary"


def every_function_has_its_environment(template):
    for name, function in template.functions().items():
        expected = {variable: VALUES[variable] for variable in COMMON | ENVIRONMENT.get(name, set())}
        yield from differences(name, expected, function.get("Environment", {}).get("Variables", {}))


def every_function_has_its_permissions(template):
    for name, function in template.functions().items():
        role = template.properties(function["Role"]["Fn::GetAtt"][0])
        granted = {}
        for statement in statements(role):
            for resource in listed(statement.get("Resource", "*")):
                granted.setdefault(resource_name(resource), set()).update(listed(statement.get("Action", "*")))
        expected = {resource: sorted(actions) for resource, actions in PERMISSIONS.get(name, {}).items()}
        found = {resource: sorted(actions) for resource, actions in granted.items()}
        yield from differences(f"permissions of {name}", expected, found)
        if role.get("ManagedPolicyArns") != MANAGED_POLICIES:
            yield f"permissions of {name}: managed policies {role.get('ManagedPolicyArns')!r}"


def audit_is_append_only(template):
    """An insert fails where a record is. Everything else that writes can overwrite or remove one."""
    for name, role in template.of_type("AWS::IAM::Role").items():
        for statement in statements(role["Properties"]):
            if "AuditTable" in {resource_name(resource) for resource in listed(statement.get("Resource", "*"))}:
                for action in sorted(set(listed(statement.get("Action", "*"))) - AUDIT_ACTIONS):
                    yield f"{name}: {action} on AuditTable"


def no_policy_has_a_wildcard(template):
    for name, role in template.of_type("AWS::IAM::Role").items():
        for statement in statements(role["Properties"]):
            if {"NotAction", "NotResource"} & statement.keys():
                yield f"{name}: allows everything but something"
            if any("*" in action for action in listed(statement.get("Action", "*"))):
                yield f"{name}: wildcard action {statement.get('Action')!r}"
            if "*" in json.dumps(statement.get("Resource", "*")):
                yield f"{name}: wildcard resource {statement.get('Resource')!r}"
    others = template.of_type("AWS::IAM::Policy") | template.of_type("AWS::IAM::ManagedPolicy")
    for name in others:
        yield f"{name}: permissions belong to a function's own role"


def statements(role):
    for policy in role.get("Policies", []):
        yield from listed(policy["PolicyDocument"]["Statement"])


def resource_name(resource):
    """The logical name behind an ARN of this template, with the index if it is one's."""
    match resource:
        case {"Ref": name} | {"Fn::GetAtt": [name, "Arn"]}:
            return name
        case {"Fn::Sub": str(text)}:
            return text.replace("${", "").replace(".Arn}", "")
        case _:
            return json.dumps(resource)


def every_function_is_traced_and_sized(template):
    for name, function in template.functions().items():
        if function.get("TracingConfig") != {"Mode": {"Ref": "Tracing"}}:
            yield f"{name}: TracingConfig is {function.get('TracingConfig')!r}"
        if "MemorySize" not in function:
            yield f"{name}: no MemorySize"
    traced = {"Fn::If": ["HasTracing", True, False]}
    if template.stage().get("TracingEnabled") != traced:
        yield f"ApiStage: TracingEnabled is {template.stage().get('TracingEnabled')!r}"
    for line in template.text.splitlines():
        if line.lstrip().startswith("MemorySize:") and "#" not in line:
            yield f"no reason beside {line.strip()}"


CHECKS = [
    every_folder_is_one_function,
    every_function_has_its_environment,
    every_function_has_its_permissions,
    audit_is_append_only,
    no_policy_has_a_wildcard,
    every_function_is_traced_and_sized,
]
