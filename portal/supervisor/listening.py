"""The address the web server listens on."""

from __future__ import annotations

import errno
import http.client
import socket
import time

from portal.config import Settings
from portal.errors import ConfigError


def listen(settings: Settings) -> socket.socket:
    """The listening socket, which the web server inherits: nobody can take the port between.

    Raises ConfigError naming the setting that would mend it.
    """
    host, port = settings.host, settings.port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(
            f"PORTAL_HOST names {host}, which is not an address of this machine."
        ) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise ConfigError(_explain(error, host, port)) from error
    return listener


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use on {host}. Stop what uses it, or set PORTAL_PORT to another."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has. Set PORTAL_PORT to another."
    return f"Cannot listen on {host} ({error.strerror}). Set PORTAL_HOST to another address."


def find_free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    try:
        socket.create_server((host, port)).close()
    except OSError:
        return False
    return True


def wait_until_it_answers(host: str, port: int) -> None:
    while not _answers(host, port):
        time.sleep(0.1)


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/livez")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
