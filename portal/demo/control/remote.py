"""The control of a server in another process, by the same names."""

from __future__ import annotations

from typing import Any

import requests

TIMEOUT = 120


class RemoteControl:
    """`RemoteControl(url).agents.remove(agent_id=…)`; arguments go by name."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def __getattr__(self, part: str) -> RemotePart:
        if part.startswith("_"):
            raise AttributeError(part)
        return RemotePart(f"{self._url}/_control/{part}")


class RemotePart:
    def __init__(self, url: str) -> None:
        self._url = url

    def __getattr__(self, verb: str) -> Any:
        if verb.startswith("_"):
            raise AttributeError(verb)

        def call(**arguments: Any) -> Any:
            with requests.Session() as session:
                session.trust_env = False
                # No certificate is asked for: this is a server of this machine.
                answer = session.post(
                    f"{self._url}/{verb}/", json=arguments, timeout=TIMEOUT, verify=False
                )
            if answer.status_code == 400:
                raise ValueError(answer.json()["error"])
            answer.raise_for_status()
            return answer.json()

        return call
