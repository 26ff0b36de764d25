"""gunicorn's worker with threads, none of which ever waits for a client that is slow to send.

gunicorn gives each connection a thread, which reads what comes, however slowly: a few dozen
half-open requests held all of them, and no setting of it limits that. Here the poller collects
a request, head and body, within time and size; only a whole one gets a thread.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from selectors import EVENT_READ
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import TConn, ThreadWorker

from portal.supervisor.request_buffer import ClosingConnection, Refusal, RequestBuffer

PIECE = 64 * 1024
MOST_WAITING = 64 * 1024 * 1024
"""Bytes of incomplete requests in one process; beyond, the one that waits longest goes."""
SEND_SECONDS = 30
"""For each piece of an answer, until the client has taken it into its window."""
ROOM_TO_SEND = 256 * 1024
"""Asked of the system for each connection: a page fits, and its thread need not wait."""


class BufferingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Every connection that nobody works on is in `_waiting`, the oldest first, or kept alive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[TConn, RequestBuffer | ClosingConnection] = {}
        self._bytes_waiting = 0

    def enqueue_req(self, conn: TConn) -> None:
        """First all of the request, then a thread. Called for a new connection, and for a kept
        one on which something came, a part of it perhaps with the request before."""
        with suppress(OSError):
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM_TO_SEND)
        early = conn.parser.unreader.take_buffered() if conn.parser else b""
        self._wait(conn, RequestBuffer(time.monotonic()))
        if early:
            self._take(conn, early)
        else:
            self._receive(conn)

    def handle(self, conn: TConn) -> Any:
        """In a thread."""
        conn.init()
        conn.data_ready = True
        conn.parser.unreader.unread(bytes(conn.arrived.data))
        return super().handle(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        conn.sock.settimeout(SEND_SECONDS)
        if conn.arrived.lacks_body:
            req.force_close()
        conn.arrived = None
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: TConn, keepalive: Any) -> bool:
        """The answer is sent. A body that nobody read and that ends wrongly gets no second one,
        which a proxy could give to somebody else."""
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except (ParseException, OSError):
            return False

    def finish_request(self, conn: TConn, future: Any) -> None:
        """gunicorn would wait here, in the poller, for the other side to end."""
        if not future.cancelled() and future.exception() is None and future.result() is False:
            self._part(conn)
        else:
            super().finish_request(conn, future)

    def murder_pending(self) -> None:
        """Called every second, and after every event."""
        now = time.monotonic()
        late = [each for each, state in self._waiting.items() if state.deadline <= now]
        for conn in late:
            if self._waiting[conn].data:
                self._refuse(conn, Refusal(408, "Request Timeout"))
            else:
                self._drop(conn)

    # --- One connection that waits ----------------------------------------------------------

    def _wait(self, conn: TConn, state: RequestBuffer | ClosingConnection) -> None:
        self._make_room()
        conn.sock.setblocking(False)
        self._waiting[conn] = state
        self.poller.register(conn.sock, EVENT_READ, lambda _sock: self._receive(conn))

    def _receive(self, conn: TConn) -> None:
        if conn not in self._waiting:
            return  # dropped by an event before this one
        try:
            piece = conn.sock.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if piece:
            self._take(conn, piece)
        else:
            self._drop(conn)

    def _take(self, conn: TConn, piece: bytes) -> None:
        state = self._waiting[conn]
        before = len(state.data)
        try:
            is_complete = state.feed(piece, time.monotonic())
        except Refusal as refusal:
            self._refuse(conn, refusal)
            return
        finally:
            self._bytes_waiting += len(state.data) - before
        if is_complete and isinstance(state, ClosingConnection):
            self._drop(conn)
        elif is_complete:
            self._forget(conn)
            conn.arrived = state
            super().enqueue_req(conn)
        elif isinstance(state, RequestBuffer) and state.expects_continue:
            state.expects_continue = False
            self._say(conn, "HTTP/1.1 100 Continue\r\n\r\n")
        self._make_room()

    def _make_room(self) -> None:
        """A flood pushes out its own: who waits longest is no honest client."""
        while self._waiting and (
            self.nr_conns >= self.worker_connections or self._bytes_waiting > MOST_WAITING
        ):
            self._drop(next(iter(self._waiting)))

    def _refuse(self, conn: TConn, refusal: Refusal) -> None:
        words = f"{refusal.reason}\n"
        self._say(
            conn,
            f"HTTP/1.1 {refusal.status} {refusal.reason}\r\nConnection: close\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {len(words)}\r\n\r\n{words}",
        )
        self._forget(conn)
        self._part(conn)

    def _say(self, conn: TConn, words: str) -> None:
        with suppress(OSError):  # who does not listen is not waited for
            conn.sock.send(words.encode())

    def _part(self, conn: TConn) -> None:
        """End what we say, and read for a moment what still comes."""
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        self._wait(conn, ClosingConnection(time.monotonic()))

    def _drop(self, conn: TConn) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: TConn) -> None:
        self._bytes_waiting -= len(self._waiting.pop(conn).data)
        self.poller.unregister(conn.sock)
