"""The alarms: each watches something that is measured, computes what it says, and tells whoever it wakes what to do."""

import re

from . import metrics
from .api import is_keyless
from .expansion import included
from .functions import PERMISSIONS

TOPIC = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}

# What an alarm computes from what was measured in a period, and whether that is beyond its threshold. A metric that is
# not named had no data.
COMPUTED = [
    ("AuthorizerSilentAlarm", {"invoked": 100, "measured": 100}, 0, False),
    ("AuthorizerSilentAlarm", {"invoked": 100, "measured": 80}, 20, True),
    ("AuthorizerSilentAlarm", {"invoked": 100}, 100, True),
    ("AuthorizerSilentAlarm", {"invoked": 4}, 0, False),
    ("AuthorizerSilentAlarm", {"invoked": 10, "measured": 11}, -10, False),
    ("UnreachedAlarm", {"allowed": 100, "reached_manage": 30, "reached_example": 70}, 0, False),
    ("UnreachedAlarm", {"allowed": 100}, 100, True),
    ("UnreachedAlarm", {"allowed": 4}, 0, False),
    ("UnreachedAlarm", {"allowed": 5, "reached_example": 4}, 20, False),
    ("UnreachedAlarm", {"allowed": 100, "reached_issue": 3}, 97, True),
    ("ManagementFaultsAlarm", {"issue_faults": 0, "rotate_errors": 1}, 1, False),
    ("ManagementFaultsAlarm", {"issue_faults": 1, "rotate_errors": 1}, 2, True),
    ("AuditLostAlarm", {"authorizer": 0}, 0, False),
    ("AuditLostAlarm", {"manage": 1}, 1, True),
    ("UnannouncedAlarm", {"issue": 0, "rotate": 0, "manage": 0}, 0, False),
    ("UnannouncedAlarm", {"manage": 1}, 1, True),
    ("KeysTableThrottledAlarm", {"writes": 1}, 1, True),
]


def watched(alarm):
    """Id → metric, of an alarm of one metric or of several."""
    if "MetricName" in alarm:
        return {"metric": (alarm, alarm["Statistic"], alarm["Period"])}
    entries = map(included, alarm["Metrics"])
    stats = {entry["Id"]: entry["MetricStat"] for entry in entries if "MetricStat" in entry}
    return {id: (stat["Metric"], stat["Stat"], stat["Period"]) for id, stat in stats.items()}


def expression(alarm):
    return next(entry["Expression"] for entry in map(included, alarm["Metrics"]) if "Expression" in entry)


def every_alarm_watches_what_is_measured(template):
    for name, resource in template.of_type("AWS::CloudWatch::Alarm").items():
        alarm = resource["Properties"]
        periods = set()
        for id, (metric, statistic, period) in watched(alarm).items():
            periods.add(period)
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
            for fault in metrics.faults(template, metric["Namespace"], metric["MetricName"], dimensions):
                yield f"{name}: {id}: {fault}"
            if statistic not in ("Sum", "Average", "SampleCount"):
                yield f"{name}: {id}: {statistic} of a count says nothing"
        if len(periods) != 1:
            yield f"{name}: compares periods of {sorted(periods)} seconds"
        if "Metrics" in alarm:
            ids = re.findall(r"\b[a-z]\w*", expression(alarm))
            for id in sorted(set(ids) - watched(alarm).keys()):
                yield f"{name}: computes with {id}, which it does not have"
            returned = [entry["Id"] for entry in map(included, alarm["Metrics"]) if entry.get("ReturnData", True)]
            if len(returned) != 1:
                yield f"{name}: has to decide by one value, not by {returned}"


def every_alarm_says_what_to_do(template):
    for name, resource in template.of_type("AWS::CloudWatch::Alarm").items():
        alarm = resource["Properties"]
        description = alarm.get("AlarmDescription", "")
        text = description.get("Fn::Sub", "") if isinstance(description, dict) else description
        # CloudWatch takes 1,024 characters; what is put in for the names may be long.
        if not 100 < len(text) < 800:
            yield f"{name}: its description has {len(text)} characters"
        for actions in ("AlarmActions", "OKActions"):
            if alarm.get(actions) != TOPIC:
                yield f"{name}: {actions} is {alarm.get(actions)!r}"
        if alarm.get("TreatMissingData") != "notBreaching":
            yield f"{name}: TreatMissingData is {alarm.get('TreatMissingData')!r}, but nothing is measured of nothing"


def no_function_is_unwatched(template):
    """A function that is added later has to be added to the alarms too."""
    functions = template.of_type("AWS::Lambda::Function")
    # Of those whose every request the authorizer has allowed: others would count for what it allowed and was lost.
    behind_authorizer = {
        function
        for route, operation in template.methods()
        if not is_keyless(route, operation)
        for function in re.findall(r"\$\{(\w+)\.Arn\}", str(operation["x-amazon-apigateway-integration"].get("uri")))
    }
    audited = {
        f"{binary.capitalize()}Function"
        for binary, resources in PERMISSIONS.items()
        if resources.get("AuditTable", set()) - {"dynamodb:Query"}
    }
    announcing = {
        f"{binary.capitalize()}Function"
        for binary, resources in PERMISSIONS.items()
        if "AnnouncementsTopic" in resources
    }
    managing = functions.keys() - {"AuthorizerFunction", "ExampleFunction", "ConsoleFunction"}
    expected = [
        ("UnannouncedAlarm", "unannounced", announcing),
        ("UnreachedAlarm", "Invocations", behind_authorizer),
        ("AuditLostAlarm", "audit_lost", audited),
        ("ManagementFaultsAlarm", "own_fault", managing),
        ("ManagementFaultsAlarm", "Errors", managing),
    ]
    for alarm, metric, names in expected:
        found = {
            dimension["Value"].get("Ref")
            for watched_metric, _, _ in watched(template.properties(alarm)).values()
            if watched_metric["MetricName"] == metric
            for dimension in watched_metric["Dimensions"]
            if dimension["Name"] in {"function", "FunctionName"}
        }
        if found != names:
            yield f"{alarm}: {metric} of {sorted(found)}, expected {sorted(names)}"


def alarms_compute_what_they_say(template):
    for name, measured, expected, alarming in COMPUTED:
        alarm = template.properties(name)
        missing = measured.keys() - watched(alarm).keys()
        if missing:
            yield f"{name}: does not watch {sorted(missing)}"
            continue
        value = compute(expression(alarm), watched(alarm), measured)
        beyond = {"GreaterThanThreshold": value > alarm["Threshold"]}
        beyond["GreaterThanOrEqualToThreshold"] = value >= alarm["Threshold"]
        if (value, beyond[alarm["ComparisonOperator"]]) != (expected, alarming):
            yield f"{name}: {measured} gives {value}, expected {expected}, {'' if alarming else 'not '}alarming"


def compute(text, ids, measured):
    """CloudWatch's arithmetic, as far as the alarms use it, on one data point of each metric."""
    functions = {
        "IF": lambda condition, yes, no: yes if condition else no,
        "SUM": lambda values: sum(value for value in values if value is not None),
        # A metric without any data stays without: whether CloudWatch fills it is not documented.
        "FILL": lambda values, _: values,
        "METRICS": lambda: [measured.get(id) for id in ids],
    }
    return eval(text, {"__builtins__": {}}, functions | measured)


CHECKS = [
    every_alarm_watches_what_is_measured,
    every_alarm_says_what_to_do,
    no_function_is_unwatched,
    alarms_compute_what_they_say,
]
