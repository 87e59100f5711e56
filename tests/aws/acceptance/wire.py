"""HTTP as a caller speaks it: one connection a thread, no redirects, no retries, and a timeout for everything."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from .outcome import Failed

# API Gateway waits 10 s for the authorizer and 29 s for a function.
TIMEOUT = 45.0
# API Gateway may close a connection that has been idle. One this young is safe to reuse.
IDLE = 4.0
LARGEST_ANSWER = 1024 * 1024


class Lost(Failed):
    """No answer came. Whether the request arrived is unknown."""

    def __init__(self, request: str, error: Exception) -> None:
        self.reason = type(error).__name__
        super().__init__(f"{request}: no answer ({self.reason}: {error})")


@dataclass(frozen=True)
class Response:
    """What came back, and when it was asked for."""

    status: int
    headers: dict[str, str]
    body: bytes
    began: float
    ended: float
    _document: dict = field(default_factory=dict)

    @property
    def document(self) -> dict:
        """The body, if it is a JSON object."""
        return self._document

    @property
    def code(self) -> str:
        """The stable code of a problem document."""
        code = self._document.get("code", "")
        return code if isinstance(code, str) else ""

    def header(self, name: str) -> str:
        """A header's value, or nothing."""
        return self.headers.get(name.lower(), "")

    def describe(self) -> str:
        """Status, code and detail: enough to go on, and nothing secret."""
        text = f"{self.status} {self.code}".strip()
        detail = self._document.get("detail")
        return f"{text} ({detail})" if self.status >= 400 and detail else text


class Wire:
    """Requests to one API."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an address such as https://abc.execute-api.eu-central-1.amazonaws.com/live")
        if parts.username or parts.password:
            raise ValueError("must not hold a user or a password")
        # Reading the port is what checks it.
        self._host, self._port, self._tls = parts.hostname, parts.port, parts.scheme == "https"
        self._base = parts.path.rstrip("/")
        self._context = ssl.create_default_context() if self._tls else None
        self._local = threading.local()

    def request(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        keys: Sequence[str] = (),
        query: dict[str, object] | None = None,
        body: dict | bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Sends one request, once: a second try would be counted as a second use."""
        presented = [*([key] if key else []), *keys]
        payload = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {"Accept": "application/json", "User-Agent": "acceptance", **(headers or {})}
        if payload is not None:
            sent["Content-Type"] = "application/json"
        if payload is not None or method in ("POST", "PUT", "PATCH"):
            sent["Content-Length"] = str(len(payload or b""))
        target = f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")
        connection = self._connection()
        began = time.monotonic()
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in [*sent.items(), *(("X-API-Key", one) for one in presented)]:
                connection.putheader(name, value)
            connection.endheaders(payload)
            answer = connection.getresponse()
            content = answer.read(LARGEST_ANSWER)
            if not answer.isclosed():
                connection.close()  # the rest of it would be taken for the next answer
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Lost(f"{method} {path}", error) from None
        except BaseException:
            connection.close()  # broken off half-way: what comes next on it would be somebody else's answer
            raise
        self._local.used = ended = time.monotonic()
        named = {name.lower(): value for name, value in answer.getheaders()}
        for secret in presented:
            if len(secret) > 20 and secret.encode() in content:
                raise Failed(f"{method} {path}: the answer repeats the caller's key")
        return Response(answer.status, named, content, began, ended, _object(content))

    def _connection(self) -> http.client.HTTPConnection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = (
                http.client.HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self._context)
                if self._tls
                else http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
            )
            self._local.connection = connection
        elif time.monotonic() - getattr(self._local, "used", 0.0) > IDLE:
            connection.close()  # the next request opens it again
        return connection


def _object(content: bytes) -> dict:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
