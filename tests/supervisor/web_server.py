"""The web server as the portal configures it, and how to talk to it byte by byte."""

from __future__ import annotations

import socket
import subprocess
import sys

SERVER = """
import sys
from flask import Flask, request
from portal.supervisor import gunicorn_config, request_buffer
from portal.supervisor.web import run_web
gunicorn_config.worker_connections = int(sys.argv[4])
request_buffer.HEAD_SECONDS, request_buffer.BODY_SECONDS = float(sys.argv[2]), float(sys.argv[3])
app = Flask("slow")
app.config["MAX_CONTENT_LENGTH"] = request_buffer.LARGEST_REQUEST
app.get("/livez", endpoint="live")(lambda: "alive")
app.post("/echo", endpoint="echo")(lambda: str(len(request.get_data())))
app.get("/told", endpoint="told")(lambda: f"{request.scheme} {request.script_root} {request.path}")
app.post("/blind", endpoint="blind")(lambda: ("not read", 401))
run_web(app, int(sys.argv[1]))
"""

THREADS = 16
"""Of both of its processes."""
LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Served:
    """gunicorn as the portal configures it, with a small application."""

    def __init__(
        self, head_seconds: float = 60, body_seconds: float = 60, connections: int = 400
    ) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            self._address = listener.getsockname()
            number = listener.fileno()
            arguments = [str(each) for each in (number, head_seconds, body_seconds, connections)]
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVER, *arguments], pass_fds=[number]
            )

    def connect(self, text: bytes = b"") -> socket.socket:
        connection = socket.create_connection(self._address, timeout=20)
        connection.sendall(text)
        return connection

    def ask(self, text: bytes) -> bytes:
        with self.connect(text) as connection:
            return read_answer(connection)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


def read_answer(connection: socket.socket) -> bytes:
    """Status line, headers and body of one answer; less when the connection ends."""
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), b"")
    while length and len(body) < int(length.partition(b":")[2]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
