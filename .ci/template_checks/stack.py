"""The stack itself, created in moto: what names become, what ends up where, and what stays when it is deleted.

moto stands for AWS here, and knows less. What it leaves out is listed below; the other checks look at those parts on
paper. It doesn't set a table's TTL and backups, a function's tracing and a role's managed policies either.
"""

import json
import os
import re
import warnings

from .data import GENERATE_PEPPER
from .expansion import listed
from .functions import PERMISSIONS, VALUES

REGION, ACCOUNT, STACK = "eu-central-1", "123456789012", "keys"

# Types that are taken out before the stack is created.
LEFT_OUT = {
    "AWS::SecretsManager::Secret": "moto's CloudFormation doesn't know it: made by the service's own call",
    "AWS::CloudWatch::Alarm": "the same",
    "AWS::SNS::Subscription": "the same",
    "AWS::CloudWatch::Dashboard": "names the alarms: made by the service's own call",
    "AWS::ApiGateway::Deployment": "moto doesn't read the API's body, and wants methods",
    "AWS::ApiGateway::Stage": "needs the deployment",
    "AWS::ApiGateway::UsagePlan": "needs the stage",
    "AWS::ApiGateway::UsagePlanKey": "needs the plan",
    "AWS::ApiGateway::ApiKey": "moto's CloudFormation doesn't know it, and only the plan needs it",
    "AWS::ApiGateway::Account": "moto's CloudFormation doesn't know it",
}
# What may be chosen, and whether it brings the example, the console, the dashboard and somebody to tell.
CHOICES = [
    (
        {
            "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:operators",
            "AuthorizerConcurrency": "7",
            "AnnouncementsEmail": "keys@example.com",
        },
        True,
    ),
    (
        {
            "DeployExample": "false",
            "DeployConsole": "false",
            "DeployDashboard": "false",
            "CreateApiGatewayLogRole": "false",
        },
        False,
    ),
]
OPTIONAL = ["example", "console"]
INDEXES = {
    "KeysTable": {
        "by_owner": ["owner", "created_at"],
        "by_status": ["env_status", "created_at"],
        "by_check": ["check_day", "next_check"],
    },
    "UsageTable": {},
    "AuditTable": {},
}


def stack_comes_out_as_meant(template):
    # moto looks for these as soon as it is imported, and takes a second for it.
    os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", MOTO_ACCOUNT_ID=ACCOUNT)
    from moto import mock_aws

    for kind in sorted(LEFT_OUT.keys() - {resource["Type"] for resource in template.resources.values()}):
        yield f"{kind}: left out, but the template has none"
    for parameters, everything in CHOICES:
        with mock_aws(config={"lambda": {"use_docker": False}}):
            for fault in Stack(template, parameters, everything).faults():
                yield f"with {parameters}: {fault}"


class Stack:
    """One creation, with these parameters."""

    def __init__(self, template, parameters, everything):
        import boto3

        self.client = lambda service: boto3.client(service, REGION)
        self.template, self.parameters, self.everything = template, parameters, everything
        self.ids = {name: parameter.get("Default") for name, parameter in template.expanded["Parameters"].items()}
        self.ids |= parameters | {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::StackName": STACK}
        self.ids |= {"AWS::URLSuffix": "amazonaws.com", "AWS::Partition": "aws", "UsagePlan": "plan"}
        self.ids["PepperSecret"] = self.secret()

    def faults(self):
        with warnings.catch_warnings(record=True) as noticed:
            warnings.simplefilter("always")
            self.create()
        for warning in noticed:
            if "not supported by moto" in str(warning.message):
                yield f"{warning.message}: list it in LEFT_OUT"
        yield from self.tables()
        yield from self.functions()
        yield from self.logs()
        yield from self.announcements()
        yield from self.alarms()
        yield from self.outputs()
        yield from self.deleted()

    def secret(self):
        """Makes the secret as CloudFormation would, out of the template's property."""
        generate = dict(self.template.properties("PepperSecret")["GenerateSecretString"])
        value = json.loads(generate.pop("SecretStringTemplate"))
        key = generate.pop("GenerateStringKey")
        client = self.client("secretsmanager")
        value[key] = client.get_random_password(**generate)["RandomPassword"]
        self.pepper = value
        return client.create_secret(Name="peppers", SecretString=json.dumps(value))["ARN"]

    def create(self):
        secret = json.dumps(self.ids["PepperSecret"])
        body = json.loads(json.dumps(self.template.expanded).replace('{"Ref": "PepperSecret"}', secret))
        for name, resource in list(body["Resources"].items()):
            resource.pop("Metadata", None)
            if resource["Type"] in LEFT_OUT:
                del body["Resources"][name]
        for output in ("DashboardUrl", "UsageKeyId"):  # of what is left out
            del body["Outputs"][output]
        if not self.everything:  # moto makes an output whose condition doesn't hold
            del body["Outputs"]["ExampleFunctionArn"]
        bucket = self.client("s3")  # where the expansion says that the code is
        bucket.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
        bucket.put_object(Bucket="bucket", Key="code", Body=b"")
        parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()]
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(body), Parameters=parameters)
        for resource in cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]:
            self.ids[resource.get("LogicalResourceId")] = resource.get("PhysicalResourceId")

    def resolve(self, node):
        """What CloudFormation would put in place of an intrinsic function."""
        match node:
            case {"Ref": "AWS::NoValue"}:
                return None
            case {"Ref": name}:
                return self.ids[name]
            case {"Fn::If": [_, yes, no]}:
                return self.resolve(yes if self.everything else no)
            case {"Fn::Sub": [text, variables]}:
                values = {name: self.resolve(value) for name, value in variables.items()}
                return self.substitute(text, values)
            case {"Fn::Sub": text}:
                return self.substitute(text, {})
            case dict():
                resolved = {key: self.resolve(value) for key, value in node.items()}
                return {key: value for key, value in resolved.items() if value is not None}
            case list():
                return [value for value in map(self.resolve, node) if value is not None]
        return node

    def substitute(self, text, values):
        known = self.ids | values
        return re.sub(r"\$\{([^!}]+)\}", lambda name: str(known[name[1]]), text).replace("${!", "${")

    def tables(self):
        dynamodb = self.client("dynamodb")
        for name, indexes in INDEXES.items():
            table = dynamodb.describe_table(TableName=self.ids[name])["Table"]
            found = {
                index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
                for index in table.get("GlobalSecondaryIndexes", [])
            }
            if found != indexes:
                yield f"{name}: its indexes are {found}"
            if [key["AttributeName"] for key in table["KeySchema"]] != ["pk", "sk"]:
                yield f"{name}: its key is {table['KeySchema']}"
        if self.pepper.keys() != {"issue_with", "1"} or not re.fullmatch(r"[A-Za-z0-9]{64}", self.pepper["1"]):
            yield f"PepperSecret: has the parts {sorted(self.pepper)}, {len(self.pepper.get('1', ''))} characters"
        if GENERATE_PEPPER["GenerateStringKey"] != self.pepper["issue_with"]:
            yield f"PepperSecret: issues with {self.pepper['issue_with']}, which it doesn't have"

    def functions(self):
        functions, iam = self.client("lambda"), self.client("iam")
        for binary, expected in self.template.functions().items():
            name = f"{binary.capitalize()}Function"
            if name not in self.ids:
                if self.everything or binary not in OPTIONAL:
                    yield f"{name}: was not made"
                continue
            function = functions.get_function(FunctionName=self.ids[name])
            configuration = function["Configuration"]
            if configuration["MemorySize"] != expected["MemorySize"]:
                yield f"{name}: has {configuration['MemorySize']} MB"
            for variable, value in configuration["Environment"]["Variables"].items():
                meant = self.resolve(VALUES[variable])
                # By default no prefix is accepted; every other variable has to say something.
                empty = not str(value) and variable != "IMPORT_PREFIXES"
                if str(value) != str(meant) or empty:
                    yield f"{name}: {variable} is {value!r}, expected {meant!r}"
            role = self.ids[f"{name}Role"]
            found = set()
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
                # moto hands back what its CloudFormation made as Python prints it.
                for statement in listed(json.loads(document.replace("'", '"'))["Statement"]):
                    found.update(listed(statement["Resource"]))
            meant = {self.arn(resource) for resource in PERMISSIONS[binary]}
            if found != meant:
                yield f"{name}: has access to {sorted(found)}, expected {sorted(meant)}"
        reserved = functions.get_function(FunctionName=self.ids["AuthorizerFunction"]).get("Concurrency", {})
        wanted = self.parameters.get("AuthorizerConcurrency")
        if str(reserved.get("ReservedConcurrentExecutions")) != str(wanted):
            yield f"AuthorizerFunction: reserves {reserved}, expected {wanted}"

    def arn(self, resource):
        """Of a resource as PERMISSIONS names it."""
        name, *index = resource.split("/", 1)
        if name in ("PepperSecret", "AnnouncementsTopic"):
            return self.ids[name]
        return "/".join([f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.ids[name]}", *index])

    def logs(self):
        groups = {group["logGroupName"]: group for group in self.client("logs").describe_log_groups()["logGroups"]}
        functions = ["authorizer", "issue", "rotate", "manage", "insights"] + OPTIONAL * self.everything
        names = {f"/aws/lambda/{STACK}-{name}" for name in functions} | {f"/aws/apigateway/{STACK}"}
        if groups.keys() != names:
            yield f"log groups: {sorted(groups)}, expected {sorted(names)}"
        for name, group in groups.items():
            if group.get("retentionInDays") != 30:
                yield f"{name}: keeps lines for {group.get('retentionInDays')} days"

    def announcements(self):
        sns, topic = self.client("sns"), self.ids["AnnouncementsTopic"]
        if sns.get_topic_attributes(TopicArn=topic)["Attributes"].get("KmsMasterKeyId") != "alias/aws/sns":
            yield "AnnouncementsTopic: is not encrypted"
        subscription = self.template.resources["AnnouncementsSubscription"]
        if subscription.get("Condition") != "HasAnnouncementsEmail":
            yield "AnnouncementsSubscription: made even where nobody is named"
        elif self.everything:
            sns.subscribe(**self.resolve(subscription["Properties"]))
        subscriptions = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        found = [(subscription["Protocol"], subscription["Endpoint"]) for subscription in subscriptions]
        wanted = self.parameters.get("AnnouncementsEmail")
        if found != ([("email", wanted)] if wanted else []):
            yield f"AnnouncementsTopic: tells {found}, expected {wanted}"

    def alarms(self):
        cloudwatch = self.client("cloudwatch")
        alarms = self.template.of_type("AWS::CloudWatch::Alarm")
        for alarm in alarms.values():
            cloudwatch.put_metric_alarm(**self.resolve(alarm["Properties"]))
        made = cloudwatch.describe_alarms()["MetricAlarms"]
        if len(made) != len(alarms):
            yield f"{len(made)} alarms of {len(alarms)}"
        for alarm in made:
            if len(alarm["AlarmDescription"]) > 1024:
                yield f"{alarm['AlarmName']}: its description is too long"
            told = [self.parameters["AlarmTopicArn"]] if self.everything else []
            if alarm["AlarmActions"] != told or alarm["OKActions"] != told:
                yield f"{alarm['AlarmName']}: tells {alarm['AlarmActions']} and {alarm['OKActions']}"
        dashboard = self.template.properties("Dashboard")
        arns = {alarm["AlarmName"].removeprefix(f"{STACK}-"): alarm["AlarmArn"] for alarm in made}
        for name, alarm in alarms.items():
            self.ids[f"{name}.Arn"] = arns[alarm["Properties"]["AlarmName"]["Fn::Sub"].split("}-")[1]]
        body = json.loads(self.resolve(dashboard["DashboardBody"]))
        if ("reached_example" in json.dumps(body)) != self.everything:
            yield "Dashboard: shows an example that isn't there, or doesn't show the one that is"

    def outputs(self):
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        found = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        expected = {
            "ApiUrl": f"https://{self.ids['Api']}.execute-api.{REGION}.amazonaws.com/live",
            "AuthorizerArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.ids['AuthorizerFunction']}",
            "KeysTableName": self.ids["KeysTable"],
            "UsageTableName": self.ids["UsageTable"],
            "AuditTableName": self.ids["AuditTable"],
            "AnnouncementsTopicArn": self.ids["AnnouncementsTopic"],
            "PepperSecretArn": self.ids["PepperSecret"],
        }
        if self.everything:
            expected["ConsoleUrl"] = f"{expected['ApiUrl']}/console"
        for name in ["Issue", "Rotate", "Manage", "Insights"] + ["Example"] * self.everything:
            function = self.ids[f"{name}Function"]
            expected[f"{name}FunctionArn"] = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
        command = found.pop("FirstKeyCommand", "")
        if found != expected:
            yield f"outputs: {found}, expected {expected}"
        payload = re.search(r"--payload '(.*)'", command)
        if self.ids["IssueFunction"] not in command or not payload or "admin" not in json.loads(payload[1])["scopes"]:
            yield f"FirstKeyCommand: {command}"

    def deleted(self):
        self.client("cloudformation").delete_stack(StackName=STACK)
        tables = set(self.client("dynamodb").list_tables()["TableNames"])
        if tables != {self.ids[name] for name in INDEXES}:
            yield f"after the stack is deleted, the tables {sorted(tables)} are left"
        if self.client("logs").describe_log_groups()["logGroups"]:
            yield "after the stack is deleted, log groups are left"


CHECKS = [stack_comes_out_as_meant]
