"""Keeps secrets out of everything that is printed."""

import re
import threading

# The form of a secret, for those that nobody told us about. Shorter ones are what people mistype.
SECRET = re.compile(r"\b([a-z]{2,8}_(?:live|test)_)[0-9A-Za-z]{8,}")


class Redactor:
    """Knows the secrets of this run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: set[str] = set()

    def learn(self, secret: str) -> None:
        """Never print this one."""
        with self._lock:
            self._secrets.add(secret)

    @property
    def secrets(self) -> list[str]:
        """All that this run has seen."""
        with self._lock:
            return sorted(self._secrets)

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "(a secret)")
        return SECRET.sub(r"\1…", text)


def random_part(secret: str) -> str:
    """What of a secret is secret: all but its prefix and environment."""
    return secret.rpartition("_")[2]
