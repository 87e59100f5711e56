"""What may never be lost: the tables, and the peppers without which no key is found in them."""

from .expansion import differences

# CloudFormation makes a new pepper when this changes, and the keys issued with the old one are lost.
GENERATE_PEPPER = {
    "SecretStringTemplate": '{"issue_with": "1"}',
    "GenerateStringKey": "1",
    "PasswordLength": 64,
    "ExcludePunctuation": True,
}
TABLES = {
    "BillingMode": "PAY_PER_REQUEST",
    "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": True},
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    "SSESpecification": {"SSEEnabled": True},
}
RETAINED = {"KeysTable", "UsageTable", "AuditTable", "PepperSecret"}


def pepper_never_changes(template):
    found = template.properties("PepperSecret").get("GenerateSecretString", {})
    yield from differences("PepperSecret (NEVER EDIT: it loses every key)", GENERATE_PEPPER, found)


def data_outlives_the_stack(template):
    stateful = template.of_type("AWS::DynamoDB::Table") | template.of_type("AWS::SecretsManager::Secret")
    for name in sorted(RETAINED | stateful.keys()):
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if template.resources.get(name, {}).get(policy) != "Retain":
                yield f"{name}: {policy} is not Retain"


def tables_clean_up_and_can_be_restored(template):
    for name, table in template.of_type("AWS::DynamoDB::Table").items():
        for setting, expected in TABLES.items():
            if table["Properties"].get(setting) != expected:
                yield f"{name}: {setting} is {table['Properties'].get(setting)!r}, expected {expected!r}"


def logs_go_with_the_stack(template):
    for name, group in template.of_type("AWS::Logs::LogGroup").items():
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if group.get(policy) != "Delete":
                yield f"{name}: {policy} is not said"
        if group["Properties"].get("RetentionInDays") != {"Ref": "LogRetentionDays"}:
            yield f"{name}: RetentionInDays is {group['Properties'].get('RetentionInDays')!r}"


CHECKS = [
    pepper_never_changes,
    data_outlives_the_stack,
    tables_clean_up_and_can_be_restored,
    logs_go_with_the_stack,
]
