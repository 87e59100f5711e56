"""The API itself, as whoever is not in a browser calls it."""

import json
import urllib.error
import urllib.request


class System:
    def __init__(self, url: str, admin: str) -> None:
        self.url, self.admin = url, admin

    def call(self, method: str, path: str, body: object = None, key: str | None = None, **headers: str) -> tuple[int, dict]:
        sent = {"X-API-Key": key or self.admin, "User-Agent": "a client", **headers}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=sent)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def issue(self, name: str, owner: str = "user:browser", **policy: object) -> dict:
        kind, id = owner.split(":")
        order = {"name": name, "owner": {"type": kind, "id": id}, "environment": "live", "scopes": ["read"], **policy}
        status, key = self.call("POST", "/v1/keys", order)
        assert status == 201, key
        return key

    def uses(self, secret: str, times: int, method: str = "GET", path: str = "/example") -> list[int]:
        return [self.call(method, path, key=secret)[0] for _ in range(times)]
