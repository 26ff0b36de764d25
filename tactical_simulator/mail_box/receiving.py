"""SMTP as far as a client on this machine needs it: no encryption, no accounts, any recipient."""

from __future__ import annotations

from socketserver import StreamRequestHandler, ThreadingTCPServer

from tactical_simulator.mail_box.box import Box

LONGEST_LINE = 1000
MOST_BYTES = 5_000_000
READY, DONE, GO_ON, BYE = "220 mail box", "250 OK", "354 Go on", "221 Bye"
TOO_LARGE, UNKNOWN = "552 Too large", "502 Not known here"


class MailServer(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, box: Box, host: str, port: int) -> None:
        super().__init__((host, port), _Session)
        self.box = box


class _Session(StreamRequestHandler):
    timeout = 60
    server: MailServer

    def handle(self) -> None:
        self._say(READY)
        while (line := self.rfile.readline(LONGEST_LINE)) and self._answer(line):
            pass

    def _answer(self, line: bytes) -> bool:
        """Whether the session goes on."""
        verb = line[:4].strip().upper()
        if verb == b"QUIT":
            self._say(BYE)
            return False
        if verb == b"DATA":
            self._say(GO_ON)
            return self._take()
        self._say(DONE if verb in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET") else UNKNOWN)
        return True

    def _take(self) -> bool:
        """One mail, until the line that is a dot."""
        content = bytearray()
        while (line := self.rfile.readline(MOST_BYTES)) not in (b".\r\n", b""):
            content += line.removeprefix(b".")
            if len(content) > MOST_BYTES:
                self._say(TOO_LARGE)
                return False
        if not line:
            return False
        self._say(f"250 Kept as mail {self.server.box.put(bytes(content))}")
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
