"""The dashboard: a text to CloudFormation, so nothing but this notices a slip in it before somebody looks at it."""

import json
import re

from . import metrics

SEARCH = re.compile(
    r"SEARCH\('\{ApiKeys,function,outcome\} MetricName=\"(\w+)\" function=\"<(\w+)>\"', 'Sum', 60\)"
)


def bodies(template):
    """The body with the functions that a condition may leave out, and without."""
    text, variables = template.properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    for branch in (1, 2):
        chosen = {name: value["Fn::If"][branch] for name, value in variables.items()}
        inner = {name: value if isinstance(value, str) else value["Fn::Sub"] for name, value in chosen.items()}
        body = text
        for name, value in inner.items():
            body = body.replace("${" + name + "}", value)
        # What CloudFormation would put in becomes <Name>, and ${!Literal} what it stands for.
        yield re.sub(r"\$\{([^!}]+)\}", r"<\1>", body).replace("${!", "${")


def reference(value):
    return {"Ref": value[1:-1]} if re.fullmatch(r"<[^>]+>", value) else value


def dashboard_shows_what_is_measured(template):
    alarms = {f"<{name}.Arn>" for name in template.of_type("AWS::CloudWatch::Alarm")}
    known = {*template.resources, *template.expanded["Parameters"], "AWS::Region", "AWS::StackName"}
    for body in bodies(template):
        for name in sorted({name.split(".")[0] for name in re.findall(r"<([^>]+)>", body)} - known):
            yield f"there is no {name}"
        try:
            widgets = json.loads(body)["widgets"]
        except ValueError as error:
            yield f"not JSON: {error}"
            continue
        for widget in widgets:
            properties = widget["properties"]
            if widget["type"] == "alarm" and set(properties["alarms"]) != alarms:
                yield f"alarms: {sorted(alarms ^ set(properties['alarms']))} on one side only"
            for row in properties.get("metrics", []):
                yield from (f"{properties['title']}: {fault}" for fault in row_faults(template, row))
        yield from overlaps(widgets)


def row_faults(template, row):
    if isinstance(row[0], dict):
        expression = row[0]["expression"]
        search = SEARCH.fullmatch(expression)
        if search:
            name, function = search.groups()
            # Any outcome will do, since the search is for all of them.
            dimensions = {"function": {"Ref": function}, "outcome": "allowed"}
            yield from metrics.faults(template, "ApiKeys", name, dimensions)
        elif expression != 'SUM(FILL(METRICS("reached"), 0))':
            yield f"unknown expression {expression!r}"
        return
    namespace, name, *rest = [item for item in row if not isinstance(item, dict)]
    dimensions = {key: reference(value) for key, value in zip(rest[::2], rest[1::2], strict=True)}
    yield from metrics.faults(template, namespace, name, dimensions)


def overlaps(widgets):
    taken = {}
    for widget in widgets:
        title = widget["properties"]["title"]
        if widget["x"] + widget["width"] > 24:
            yield f"{title}: wider than the dashboard"
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                other = taken.setdefault((x, y), title)
                if other != title:
                    yield f"{title}: lies on {other}"
                    return


def dashboard_can_be_left_out(template):
    made = {"Dashboard": template.resources["Dashboard"], "DashboardUrl": template.output("DashboardUrl")}
    for kind, entry in made.items():
        if entry.get("Condition") != "HasDashboard":
            yield f"{kind}: made even where nobody wants it"


CHECKS = [
    dashboard_shows_what_is_measured,
    dashboard_can_be_left_out,
]
