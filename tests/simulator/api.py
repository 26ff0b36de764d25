"""A bare HTTP caller: no redirects, no proxies, no retries."""

from __future__ import annotations

from typing import Any

import requests
from requests import Response


class Api(requests.Session):
    def __init__(self, url: str, key: str | None = None) -> None:
        super().__init__()
        self.url = url
        self.trust_env = False
        if key is not None:
            self.headers["X-API-KEY"] = key

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> Response:
        options.setdefault("timeout", 20)
        options["allow_redirects"] = False  # `get` sets it to true
        return super().request(method, f"{self.url}{url}", *args, **options)

    def rows(self, path: str) -> Any:
        """The JSON of a GET that succeeds."""
        response = self.get(path)
        assert response.status_code == 200, response.text[:300]
        return response.json()


def is_html(response: Response, title: str) -> bool:
    is_page = response.headers["Content-Type"].startswith("text/html")
    return is_page and f"<title>{title}</title>" in response.text
