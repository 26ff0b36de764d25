"""The mails of the box, in threads as mail programs show them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Lock

MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Mail:
    number: int
    came_at: datetime
    message: EmailMessage

    @property
    def thread(self) -> str:
        """The id of the mail that began it: its own, unless it names earlier ones."""
        earlier = str(self.message["References"] or self.message["Message-ID"] or self.number)
        return earlier.split()[0]

    def read(self, kind: str) -> str:
        """Its part of this kind, `html` or `plain`; empty if it has none."""
        part = self.message.get_body([kind])
        return str(part.get_content()) if part is not None else ""


class Box:
    """Of many threads, and only as long as the process lives. The oldest mails make room."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=MOST_KEPT)
        self._number = 0
        self._lock = Lock()

    def put(self, content: bytes) -> int:
        """The number of the mail."""
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        with self._lock:
            self._number += 1
            self._mails.append(Mail(self._number, datetime.now(UTC), message))
            return self._number

    def list_threads(self) -> list[list[Mail]]:
        """That with the newest mail first; within each the oldest mail first."""
        threads: dict[str, list[Mail]] = {}
        for mail in self._copy():
            threads.setdefault(mail.thread, []).append(mail)
        return sorted(threads.values(), key=lambda mails: mails[-1].number, reverse=True)

    def find(self, number: int) -> Mail | None:
        return next((mail for mail in self._copy() if mail.number == number), None)

    def _copy(self) -> list[Mail]:
        with self._lock:
            return list(self._mails)
