"""A request as far as it has come: is all of it there?

Only so much of HTTP is read as shows where a request ends; what is wrong with it is left to the
web server, which reads it again.
"""

from __future__ import annotations

import re

from portal.config import LARGEST_REQUEST

LARGEST_HEAD = 64 * 1024
LARGEST_CHUNKED = LARGEST_REQUEST + LARGEST_REQUEST // 4
"""With the framing of its chunks."""
LONGEST_SIZE_LINE = 8192

HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
"""From the end of the head. Even the largest body needs no more than 35 KiB a second."""

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*+(\d++)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)


class Refusal(Exception):
    """This request is not waited for any longer. `status` and `reason` are those of HTTP."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class RequestBuffer:
    """`data` is what came. `deadline` is on the monotonic clock, for head or body."""

    def __init__(self, now: float) -> None:
        self.data = bytearray()
        self.deadline = now + HEAD_SECONDS
        self.expects_continue = False
        """The sender waits for a word before it sends the body."""
        self.lacks_body = False
        """It is complete as far as it is read: its body is larger than anything that is taken."""
        self._body_at = 0
        self._length: int | None = None
        """Of head and body together; None while it is not known."""
        self._chunk_at = 0

    def feed(self, piece: bytes, now: float) -> bool:
        """Whether the request is complete with this piece. Raises Refusal."""
        seen = max(0, len(self.data) - 3)
        self.data += piece
        if not self._body_at:
            end = self.data.find(b"\r\n\r\n", seen)
            if end < 0:
                if len(self.data) > LARGEST_HEAD:
                    raise Refusal(431, "Request Header Fields Too Large")
                return False
            self._read_head(end, now)
        if self.lacks_body:
            return True
        if self._length is not None:
            return len(self.data) >= self._length
        return self._has_last_chunk()

    def _read_head(self, end: int, now: float) -> None:
        head = bytes(self.data[: end + 4])
        self._body_at = self._chunk_at = end + 4
        self.deadline = now + BODY_SECONDS
        self.expects_continue = _EXPECTS.search(head) is not None
        if _CHUNKED.search(head):
            return
        found = _LENGTH.search(head)
        digits = found[1].lstrip(b"0") if found else b""
        length = int(digits[:18] or b"0")  # as many are far too much already
        self._length = self._body_at + length
        self.lacks_body = length > LARGEST_REQUEST

    def _has_last_chunk(self) -> bool:
        """Skips the chunks that are there. True, too, for what is no chunk at all."""
        while True:
            end = self.data.find(b"\r\n", self._chunk_at, self._chunk_at + LONGEST_SIZE_LINE)
            if end < 0:
                too_long = len(self.data) - self._chunk_at > LONGEST_SIZE_LINE
                return too_long or self._wants_more()
            try:
                size = int(self.data[self._chunk_at : end].partition(b";")[0], 16)
            except ValueError:
                return True
            if size == 0:  # up to the empty line that ends the trailers
                return self.data.find(b"\r\n\r\n", end) >= 0 or self._wants_more()
            following = end + 2 + size + 2
            if size < 0 or following > len(self.data):
                return size < 0 or self._wants_more()
            self._chunk_at = following

    def _wants_more(self) -> bool:
        if len(self.data) - self._body_at > LARGEST_CHUNKED:
            raise Refusal(413, "Content Too Large")
        return False


class ClosingConnection:
    """What still comes on a connection that we have ended: read, lest our last words are lost."""

    SECONDS = 2.0
    MOST = 64 * 1024

    def __init__(self, now: float) -> None:
        self.deadline = now + self.SECONDS
        self.data = b""
        self._read = 0

    def feed(self, piece: bytes, _now: float) -> bool:
        """Whether it is enough."""
        self._read += len(piece)
        return self._read > self.MOST
