"""Keys of this run: made, changed, and revoked again whatever happens."""

from __future__ import annotations

import email.utils
import random
import string
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .outcome import Failed, Skipped, expect
from .redact import Redactor
from .wire import Response, Wire

# Should cleaning up fail, nothing that this run has made outlives this.
LIFETIME = timedelta(hours=1)
BASE62 = string.digits + string.ascii_letters


@dataclass
class Key:
    """A key and its newest secret."""

    id: str
    secret: str
    issued: Response

    @property
    def path(self) -> str:
        """Where it is managed."""
        return f"/v1/keys/{self.id}"


class Keys:
    """The management API, seen by an administrator."""

    def __init__(self, wire: Wire, redactor: Redactor) -> None:
        self.wire = wire
        self.redactor = redactor
        self.own_admin = ""
        self.owner = f"acceptance-{''.join(random.choices(string.ascii_lowercase, k=10))}"
        self._admin = ""
        self._lock = threading.Lock()
        self._owners: set[str] = set()
        self._issued: dict[str, bool] = {}
        self._behind = timedelta()

    def take_admin(self, secret: str, own: str = "") -> None:
        """The admin key to manage keys with; `own` is its id if it was made for this run and ends with it."""
        self.redactor.learn(secret)
        self._admin, self.own_admin = secret, own
        if own:
            self._issued[own] = True
            self._owners.add(self.owner)

    def admin_order(self, lifetime: timedelta) -> dict:
        """What to ask for to get such an admin key. Its end is by our own clock: the server's has not been seen yet."""
        return {
            "name": "acceptance admin",
            "owner": {"type": "service", "id": self.owner},
            "environment": "test",
            "scopes": ["admin"],
            "expires_at": timestamp(self.now() + lifetime),
        }

    def admin(
        self,
        method: str,
        path: str,
        body: dict | bytes | None = None,
        query: dict | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """A request with the admin key."""
        return self.wire.request(method, path, key=self._admin, body=body, query=query, headers=headers)

    def set_clock(self, response: Response) -> None:
        """Takes the server's idea of the time: expiry is checked by its clock and not by ours."""
        try:
            self._behind = email.utils.parsedate_to_datetime(response.header("Date")) - datetime.now(UTC)
        except (TypeError, ValueError):
            self._behind = timedelta()

    def now(self) -> datetime:
        """The server's time, to about a second."""
        return datetime.now(UTC) + self._behind

    def issue(self, *, owner: str = "", **fields: object) -> Key:
        """A new key, which may read unless `fields` say otherwise."""
        owner = owner or self.owner
        with self._lock:
            self._owners.add(owner)
        order = {
            "name": "acceptance",
            "owner": {"type": "service", "id": owner},
            "environment": "test",
            "scopes": ["read"],
            "expires_at": timestamp(self.now() + LIFETIME),
            **fields,
        }
        answer = self.admin("POST", "/v1/keys", order)
        key_id = answer.document.get("id")
        if isinstance(key_id, str):
            with self._lock:
                self._issued[key_id] = True
        expect(answer, 201, when="issuing a key")
        return Key(str(key_id), self.secret_of(answer), answer)

    def rotate(self, key: Key, **fields: object) -> str:
        """A new secret for the key."""
        return self.secret_of(expect(self.try_rotate(key, **fields), 200, when="rotating"))

    def try_rotate(self, key: Key, **fields: object) -> Response:
        """Asks for a new secret; the answer may be a refusal."""
        answer = self.admin("POST", f"{key.path}/rotate", dict(fields))
        if answer.status == 200:
            self.secret_of(answer)
        return answer

    def secret_of(self, answer: Response) -> str:
        """The secret that an answer hands out, from now on unprintable."""
        secret = answer.document.get("secret")
        if not isinstance(secret, str):
            raise Failed(f"the answer to issuing or rotating has no secret: {answer.describe()}")
        self.redactor.learn(secret)
        return secret

    def change(self, key: Key, **fields: object) -> Response:
        """Updates a key."""
        return expect(self.admin("PATCH", key.path, dict(fields)), 200, when="updating a key")

    def disable(self, key: Key) -> Response:
        """Switches a key off."""
        return expect(self.admin("POST", f"{key.path}/disable"), 200, when="disabling a key")

    def enable(self, key: Key) -> Response:
        """Switches a key on."""
        return expect(self.admin("POST", f"{key.path}/enable"), 200, when="enabling a key")

    def revoke(self, key: Key) -> Response:
        """Revokes a key for good."""
        return expect(self._revoke(key.id), 200, when="revoking a key")

    def show(self, key: Key) -> dict:
        """The key as an administrator sees it."""
        return expect(self.admin("GET", key.path), 200, when="looking at a key").document

    def list(self, owner: str, **query: object) -> Response:
        """A page of an owner's keys."""
        return self.admin("GET", "/v1/keys", query={"owner_type": "service", "owner_id": owner, **query})

    def use(self, secret: str, method: str = "GET", path: str = "/example") -> Response:
        """A request by whoever has the secret."""
        return self.wire.request(method, path, key=secret)

    def month(self) -> str:
        """The period of limits that must not turn while they are looked at: a minute or a day may end at any moment, a
        month does so twelve times a year, and then the check is left out."""
        now = self.now()
        if (now + timedelta(minutes=3)).month != now.month:
            raise Skipped("a month ends within three minutes, and its limits begin anew: run this again after it")
        return "month"

    def clean_up(self) -> list[str]:
        """Revokes all that is left, our own admin key last because it is what we revoke with. Answers with what remains."""
        # A key whose answer was lost is known by its owner only.
        for owner in sorted(self._owners):
            try:
                found = self.list(owner, limit=100).document.get("keys", [])
            except Failed:
                continue
            for each in found:
                if each.get("status") != "revoked" and self._issued.get(each.get("id"), True):
                    self._issued[each["id"]] = True
        remaining = []
        for key_id in sorted(self.alive(), key=lambda key_id: key_id == self.own_admin):
            try:
                done = self._revoke(key_id).status == 200
            except Failed:
                done = False
            remaining += [] if done else [key_id]
        return remaining

    def alive(self) -> list[str]:
        """The keys of this run that nobody has revoked yet."""
        return [key_id for key_id, alive in self._issued.items() if alive]

    def _revoke(self, key_id: str) -> Response:
        answer = self.admin("POST", f"/v1/keys/{key_id}/revoke", {"reason": "acceptance run"})
        if answer.status == 200:
            with self._lock:
                self._issued[key_id] = False
        return answer


def timestamp(moment: datetime) -> str:
    """As the API takes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def never_issued(like: str) -> str:
    """A secret of the right form that nobody has."""
    return like.rpartition("_")[0] + "_" + "".join(random.SystemRandom().choices(BASE62, k=32))


def wait_until(keys: Keys, moment: datetime) -> None:
    """Sleeps until the server's clock shows `moment`."""
    while (left := (moment - keys.now()).total_seconds()) > 0:
        time.sleep(min(left, 1.0))
