"""What schemathesis can't know of this API: which keys there are, and which it must not end: its own."""

import json
import os
import re
import urllib.request

import schemathesis

URL = os.environ["URL"]
ADMIN = os.environ["ADMIN"]
OWN = os.environ["OWN_ID"]
# Of a key that is alive when the run begins; what becomes of them is the run's to decide.
IDS = os.environ["IDS"].split()
ORDER = {"name": "schema", "owner": {"type": "user", "id": "ann"}, "environment": "test"}


def issue(scopes):
    body = json.dumps({**ORDER, "scopes": scopes}).encode()
    request = urllib.request.Request(f"{URL}/v1/keys", body, {"X-API-Key": ADMIN}, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@schemathesis.auth(refresh_interval=None)
class Keys:
    """The admin key, but for rotating itself a new one each time: it may end itself at once."""

    def get(self, case, context):
        return issue(["self:rotate"])["secret"] if case.operation.path == "/v1/self/rotate" else ADMIN

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "X-API-Key": data}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Of ids that have the form of one, most become one that there is. Its own key, and its owner's, are left alone."""
    parameters = case.path_parameters or {}
    id = parameters.get("id")
    if id == "admin":
        parameters["id"] = "ann"
    elif re.fullmatch("key_[0-9A-Za-z]{22}", str(id)) and (id == OWN or not id[-1].isdigit()):
        parameters["id"] = IDS[sum(map(ord, id)) % len(IDS)]
