"""The control of a server in another process, by the same names."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT = 120


class RemoteControl:
    """`RemoteControl(url).agents.remove(agent_id=…)`; arguments go by name."""

    def __init__(self, url: str, verify: bool | str = True) -> None:
        """`verify`: as `requests` takes it, for a server with TLS."""
        self._url, self._verify = url.rstrip("/"), verify

    def __getattr__(self, part: str) -> RemotePart:
        if part.startswith("_"):
            raise AttributeError(part)
        return RemotePart(f"{self._url}/_control/{part}", self._verify)


class RemotePart:
    def __init__(self, url: str, verify: bool | str) -> None:
        self._url, self._verify = url, verify

    def __getattr__(self, verb: str) -> Any:
        if verb.startswith("_"):
            raise AttributeError(verb)

        def call(**arguments: Any) -> Any:
            with requests.Session() as session:
                session.trust_env = False
                session.verify = self._verify
                answer = session.post(f"{self._url}/{verb}/", json=arguments, timeout=TIMEOUT)
            if answer.status_code == 400:
                raise ValueError(answer.json()["error"])
            answer.raise_for_status()
            return answer.json()

        return call
